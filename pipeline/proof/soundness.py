"""Whether a ledger file may be opened for writing: it is proved before it is touched.

DuckDB opens a file that lacks its log, was cut or has a damaged block without a word, and
finds the damage only where it looks, at the latest in the middle of a transaction. So each
run that ends in order leaves the file's checksum beside it, and takes it away before it
writes. A file that has its checksum must match it, to the bit. One that has none was left
by a run that was killed: all of it is read first, without opening it for writing.
What is refused stays byte for byte as it was.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import reduce
from operator import xor
from pathlib import Path

import duckdb

from pipeline.connecting import looking_at
from pipeline.fetching import first_row
from pipeline.files import sync_folder, write_text
from pipeline.problems import Refused, refused

# The rows and the hash of all cells of each part of a table, by the part's number.
Parts = dict[int, tuple[int, int]]
ROWS_OF_A_PART = 200_000

_GOOD_COPY = "bring back a good copy with `membill restore`"


def log_of(path: Path) -> Path:
    """The write-ahead log of a DuckDB file: there only while it is open, or after a kill."""
    return path.with_name(f"{path.name}.wal")


def checksum_of(path: Path) -> Path:
    """Where the checksum of a ledger at rest is kept, as `sha256sum -c` reads it."""
    return path.with_name(f"{path.name}.sha256")


def head_of(path: Path) -> Path:
    """The head file beside a ledger."""
    return path.parent / "head.json"


def must_be_files(path: Path) -> None:
    """The ledger and its log are plain files of ours, or are not there at all."""
    for file in (path, log_of(path)):
        name = f"{file.parent.name}/{file.name}"
        try:
            mode = file.lstat().st_mode
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(mode):
            raise refused(
                name, "ledger-link", "this is a link and not the ledger itself",
                "put the ledger itself here, or name its place with --ledger",
            )  # fmt: skip
        if not stat.S_ISREG(mode):
            raise refused(
                name, "ledger-no-file", "this is no file, so no ledger", _GOOD_COPY
            )
        if not os.access(file, os.R_OK | os.W_OK):
            raise _no_right(file)


def _no_right(file: Path) -> Refused:
    return refused(
        f"{file.parent.name}/{file.name}", "ledger-no-right",
        "the account that runs the night may not read and write the file",
        "give the file to that account; run as nobody else, least of all as root",
    )  # fmt: skip


def unreadable(file: Path, error: OSError) -> Refused:
    """Why a file beside the ledger was not read; that says nothing of what it holds."""
    if isinstance(error, PermissionError):
        return _no_right(file)
    return refused(
        f"{file.parent.name}/{file.name}", "ledger-file-unreadable",
        f"the file cannot be read ({error.strerror})",
        "see that the disk and the file are in order, then give the command again",
    )  # fmt: skip


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes. Never of a ledger this process has open: closing the
    file would drop DuckDB's lock on it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def must_be_sound(path: Path, look: Callable[[Path], None]) -> None:
    """Refuse a ledger that is not as its last run left it, or cannot be read to its end.

    `look` opens it for reading and refuses what it finds: for one that was exchanged it
    names the reason better than "changed".
    """
    must_be_files(path)
    if checksum_of(path).exists():
        _must_match(path, look)
    else:
        must_be_readable(path)
        look(path)


def _must_match(path: Path, look: Callable[[Path], None]) -> None:
    if log_of(path).exists():
        raise refused(
            f"{path.parent.name}/{log_of(path).name}", "log-strange",
            "a log lies beside the ledger that its last run did not leave",
            "move it away; if another program had the ledger open, end that first",
        )  # fmt: skip
    if not matches(path):
        must_be_readable(path)
        look(path)
        raise refused(
            f"{path.parent.name}/{path.name}", "ledger-changed",
            "the ledger is not as its last run left it: it was damaged, exchanged or"
            " written to by another program",
            f"{_GOOD_COPY}; given this very file, that proves it and takes it if it holds",
        )  # fmt: skip


def matches(path: Path) -> bool:
    """Whether a ledger or a copy has the checksum that is kept beside it."""
    noted = noted_checksum(path)
    return bool(noted) and noted == sha256_of(path)


def noted_checksum(path: Path) -> str:
    """The checksum that is kept beside a ledger or a copy, '' if there is none."""
    try:
        noted = checksum_of(path).read_text(encoding="utf-8").split()
    except (FileNotFoundError, ValueError):
        return ""
    except OSError as error:
        raise unreadable(checksum_of(path), error) from None
    return noted[0] if noted else ""


def written_since(path: Path) -> bool:
    """Whether a file was written to after the checksum beside it, if there is one."""
    try:
        noted = checksum_of(path).stat().st_mtime_ns
    except FileNotFoundError:
        return False
    return path.stat().st_mtime_ns > noted


def note_checksum(path: Path, sha256: str = "") -> None:
    """Note the checksum of a file that is closed and at rest; worked out if not given."""
    write_text(checksum_of(path), f"{sha256 or sha256_of(path)}  {path.name}\n")


@contextmanager
def at_work(path: Path) -> Iterator[None]:
    """Take the checksum away while the ledger is written to, and note the new one.

    After a failure it is put back if the file still has it; none is noted beside a log.
    Then the next run reads it all.
    """
    noted = _take_away(checksum_of(path))
    try:
        yield
    except Refused:
        _at_rest(path)
        raise
    except Exception:
        if noted and path.exists() and noted.split()[:1] == [sha256_of(path)]:
            _at_rest(path)
        raise
    _at_rest(path)


def _take_away(checksum: Path) -> str:
    if not checksum.exists():
        return ""
    noted = checksum.read_text(encoding="utf-8")
    checksum.unlink()
    sync_folder(checksum.parent)
    return noted


def _at_rest(path: Path) -> None:
    if path.exists() and not log_of(path).exists():
        with suppress(OSError):  # on a full disk the next run reads it all
            note_checksum(path)


def must_be_readable(path: Path) -> bool:
    """Refuse a ledger that cannot be read to its last cell. Nothing is written.

    Reads what is in the log too, as opening the ledger for writing would. False of one
    that another program holds, of which nothing could be read.
    """
    try:
        with looking_at(path) as connection:
            contents(connection)
            whole = first_row(connection, _LINKED) == (True,)
            odd = unreadable_reports(connection)
    except duckdb.Error as error:
        if is_locked(error):
            return False  # whoever opens it next is told who holds it
        raise damaged(
            path, "cannot be opened and read to its end: the file is damaged or not a"
            " ledger",
        ) from None  # fmt: skip
    if not whole:
        raise damaged(path, "holds other records than its chain has links")
    if odd:
        raise damaged(path, odd[0])
    return True


def unreadable_reports(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The runs whose report is no JSON, which no query over them could pass."""
    odd = connection.execute(
        "select run_id from ledger.runs where not json_valid(report) order by run_no"
    ).fetchall()
    return [f"holds a report of run {run_id} that cannot be read" for (run_id,) in odd]


def is_locked(error: duckdb.Error) -> bool:
    """Whether another process has the file open, as DuckDB puts it."""
    return "conflicting lock" in str(error).lower()


def damaged(path: Path, found: str) -> Refused:
    """A ledger that no command may go on with, since its file or its rows are damaged."""
    name = f"{path.parent.name}/{path.name}"
    return refused(name, "ledger-damaged", f"the ledger {found}", _GOOD_COPY)


def contents(
    connection: duckdb.DuckDBPyConnection,
    tables: Iterable[str] = (),
    *,
    whole: bool = True,
) -> dict[str, tuple[int, int]]:
    """Rows and, if `whole`, a hash of all cells of every table of `ledger`.

    `tables` are those that are known to be there. Each block's checksum is proved by
    reading it; two ledgers with the same contents are one and the same.
    """
    return total(parts(connection, tables, whole=whole))


def total(found: dict[str, Parts]) -> dict[str, tuple[int, int]]:
    """What the parts of each table come to, whatever rows they were cut at."""
    return {
        name: (
            sum(rows for rows, _ in cut.values()),
            reduce(xor, (hashed for _, hashed in cut.values()), 0),
        )
        for name, cut in found.items()
    }


def parts(
    connection: duckdb.DuckDBPyConnection,
    tables: Iterable[str] = (),
    *,
    whole: bool = True,
) -> dict[str, Parts]:
    """`contents`, of each `ROWS_OF_A_PART` rows as they were added to a table."""
    named = list(tables) or [
        ".".join('"' + name.replace('"', '""') + '"' for name in (schema, table))
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = 'ledger' order by all"
        ).fetchall()
    ]
    found: dict[str, Parts] = {name: {} for name in named}
    if not named:
        return found
    part, cells = "0", "0"
    if whole:
        # Hashed twice: the hash of a row is one of xors, which would cancel each other.
        part, cells = f"rowid // {ROWS_OF_A_PART}", "bit_xor(hash(hash(read)))"
    every = " union all ".join(
        f"select {at}, {part}, count(*), {cells} from ledger.{name} as read group by 2"
        for at, name in enumerate(named)
    )
    for at, number, rows, hashed in connection.execute(every).fetchall():
        found[named[at]][number] = rows, hashed
    return found


# One link for each document, sending and run, numbered without a gap.
_LINKED = """
select
    (select count(*) from ledger.invoices)
    + (select count(*) from ledger.sendings)
    + (select count(*) from ledger.runs) = count(*)
    and coalesce(max(position), 0) = count(*)
from ledger.chain
"""
