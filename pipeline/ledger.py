"""The ledger file: made, opened under a lock, checked against its head, written to.

The database is attached as `ledger` to a connection in memory, whose catalogs
`tonight` and `baseline` hold the sheets and the models of the night.
"""

import errno
import json
import os
import shutil
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock, Timeout

from pipeline import chain
from pipeline.connecting import A_LEDGER, SPILLED, lock_down, quoted, settings_for
from pipeline.fetching import first_row
from pipeline.files import sweep, sync_folder, write_text
from pipeline.problems import Refused, refused
from pipeline.proof.soundness import (
    at_work,
    checksum_of,
    damaged,
    is_locked,
    log_of,
    must_be_files,
    must_be_sound,
    unreadable,
)
from schemas.columns import name_of
from schemas.ledger import (
    ACCEPTED,
    LEDGER,
    SCHEMA_VERSION,
    create_accepted,
    create_table,
)

# Where a copy is made ready beside the ledger, before it takes its place.
RESTORING = "restoring"

STORAGE_VERSION = "v1.5.0"
# The smallest there is: forty tables in blocks of the usual 262,144 bytes would make
# ten megabytes of a small practice's ledger, and of each copy of it.
BLOCK_SIZE = 16_384
# Rows that are written together: a night writes the last group of each table again, which
# of the usual 122,880 rows takes longer than all else that is recorded.
ROW_GROUP = 8_192
NEW_FILE = (
    f"(storage_version '{STORAGE_VERSION}', block_size {BLOCK_SIZE},"
    f" row_group_size {ROW_GROUP})"
)

# What a later version of the program runs on an older ledger: version -> statements
# that lead from it to the next. Version 1 is the first.
UPGRADES: dict[int, tuple[str, ...]] = {}


class Busy(Exception):
    """Another process holds the lock; the message names it."""


# The sheets as they were typed, the rows in force, and what the rules make of them.
_OF_TONIGHT = ("staged", "input", "model")


def ledger_path(folder: Path, chosen: Path | None = None) -> Path:
    """Where a practice's ledger is, unless another place was chosen."""
    return chosen or folder / "ledger" / "membill.duckdb"


@dataclass(frozen=True)
class Ledger:
    """An open ledger, with the night's sheets and models beside it."""

    connection: duckdb.DuckDBPyConnection
    path: Path
    read_only: bool

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query by column name; decimals and dates as themselves."""
        cursor = self.connection.execute(query, list(values))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, query: str, values: Sequence[Any] = ()) -> Any:
        """The single value of a query, or None where it has no row."""
        row = first_row(self.connection, query, values)
        return row[0] if row else None

    @property
    def last_run_no(self) -> int:
        """The number of the last run; 0 before the first."""
        return int(self.value("select coalesce(max(run_no), 0) from ledger.runs"))

    @property
    def last_night_no(self) -> int:
        """The number of the last night's run; 0 before any sheet was accepted."""
        return int(
            self.value(
                "select coalesce(max(run_no), 0) from ledger.runs where command = 'bill'"
            )
        )

    @property
    def folder(self) -> Path:
        """Where the ledger and what belongs to it lie."""
        return self.path.parent


def _refuse(path: Path, code: str, found: str, repair: str) -> Refused:
    return refused(f"ledger/{path.name}", code, found, repair)


@contextmanager
def locked(path: Path, wait: float = 0) -> Iterator[None]:
    """Hold the practice's lock, or raise `Busy` naming who holds it.

    The lock file is never deleted: a deleted one could be locked twice.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    holder = path.parent / "membill.lock.json"
    # Where a disk has no `flock`, none is better than one that a kill leaves for good.
    lock = FileLock(
        path.parent / "membill.lock", timeout=wait, mode=0o600, fallback_to_soft=False
    )
    try:
        lock.acquire()
    except Timeout:
        raise Busy(f"{_holder(holder)} is working on this practice") from None
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP):
            raise
        raise _refuse(
            path,
            "no-locks",
            "its disk knows no locks, so that two runs could work on it at once",
            "keep the ledger on another disk and name its place with --ledger",
        ) from None
    try:
        who = {"process": os.getpid(), "machine": socket.gethostname()}
        holder.write_text(json.dumps(who), encoding="utf-8")
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    try:
        who = json.loads(path.read_text(encoding="utf-8"))
        return f"process {who['process']} on {who['machine']}"
    except (OSError, ValueError, KeyError):
        return "another process"


def create(path: Path) -> None:
    """Make an empty ledger whole, under another name first."""
    draft = path.with_suffix(".draft")
    for old in (draft, draft.with_suffix(".draft.wal")):
        old.unlink(missing_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{quoted(draft)}' as ledger {NEW_FILE}")
        connection.execute("begin")  # a commit a table costs more than the tables
        connection.execute(
            "create table ledger.about (schema_version integer not null)"
        )
        connection.execute("insert into ledger.about values (?)", [SCHEMA_VERSION])
        _create_tables(connection)
        connection.execute("commit")
        connection.execute("checkpoint ledger")
        connection.execute("detach ledger")
    draft.chmod(0o600)
    os.replace(draft, path)
    sync_folder(path.parent)


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """The tables of an empty ledger, attached as `ledger`."""
    connection.execute("create schema ledger.accepted")
    for schema in LEDGER:
        connection.execute(create_table(schema, f"ledger.{name_of(schema)}"))
    for schema in ACCEPTED:
        connection.execute(
            create_accepted(schema, f"ledger.accepted.{name_of(schema)}")
        )


@contextmanager
def opened(
    path: Path, *, write: bool, against_head: bool = True, sheets: Iterable[Path] = ()
) -> Iterator[Ledger]:
    """The ledger, open for a night (`write`) or for looking only.

    `sheets` are files that will be read into it, which tell how much work there is.
    `against_head=False` is for a copy, whose head file is not the one beside it.
    For looking, a ledger that is not there yet is an empty one in memory.
    Raises `Refused` for a ledger that is missing, damaged, older than its head file
    or of a later version of the program.
    """
    must_be_files(path)
    _refuse_if_lost(path)
    if not path.exists() and write:
        create(path)
    elif write:
        must_be_sound(path, _look if against_head else lambda _: None)
    if write:
        sweep(path.parent)
        for left in (SPILLED, RESTORING):  # by a run that was killed
            shutil.rmtree(path.parent / left, ignore_errors=True)
    config = settings_for(path, sheets)
    with (
        at_work(path) if write else nullcontext(),
        duckdb.connect(":memory:", config=config) as connection,
    ):
        _attach(connection, path, write=write)
        if not (write and against_head):  # one that is as its last run left it has all
            _must_have_tables(connection, path)
        for schema in _OF_TONIGHT:
            connection.execute(f"create schema {schema}")
        connection.execute(_MACROS)
        connection.execute(_IN_FORCE)
        ledger = Ledger(connection, path, not write)
        if against_head:
            _check_head(ledger)
            if write:
                _catch_up(ledger)
        yield ledger


def let_go(ledger: Ledger) -> None:
    """Give back the memory of the night's sheets and models, once it is recorded.

    What follows is made from the ledger alone, and of many documents takes as much.
    """
    for schema in _OF_TONIGHT:
        ledger.connection.execute(f"drop schema tonight.{schema} cascade")
    ledger.connection.execute("detach baseline")


def _look(path: Path) -> None:
    """Refuse, without writing, what `opened` would refuse once it is open for writing."""
    try:
        with opened(path, write=False) as ledger:
            _must_have_head(ledger)
    except Refused as refusal:
        if refusal.problems[0].code != "ledger-older":
            raise


def _refuse_if_lost(path: Path) -> None:
    if path.exists():
        return
    signs = (path.parent / "head.json", log_of(path), checksum_of(path))
    remains = [file.name for file in signs if file.exists()]
    remains += ["backups"] * any((path.parent / "backups").glob("*.duckdb"))
    if remains:
        raise _refuse(
            path,
            "ledger-missing",
            f"the ledger is gone but {remains[0]} is still there",
            "bring the ledger back with `membill restore`; a new one would give"
            " numbers out twice",
        )


def must_be_there(path: Path) -> None:
    """Refuse a ledger that was never made: only a night makes one.

    Without it a slip in --ledger would show an empty practice instead of its books.
    """
    _refuse_if_lost(path)
    if not os.path.lexists(path):
        raise refused(
            str(path), "no-ledger", "there is no ledger here",
            "name the practice folder, and --ledger if it is kept elsewhere;"
            " `membill bill` makes it",
        )  # fmt: skip


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, *, write: bool) -> None:
    connection.execute("attach ':memory:' as tonight; attach ':memory:' as baseline")
    if not path.exists():
        connection.execute("attach ':memory:' as ledger")
        _create_tables(connection)
        connection.execute("use tonight")
        lock_down(connection)
        return
    # Not kept in the file: without it groups would be made one again.
    mode = f"{A_LEDGER}, " + (f"row_group_size {ROW_GROUP}" if write else "read_only")
    try:
        connection.execute(f"attach '{quoted(path)}' as ledger ({mode})")
        lock_down(connection)
        about = first_row(connection, "select schema_version from ledger.about")
    except duckdb.Error as error:
        if is_locked(error):
            raise Busy("another program has the ledger open") from None
        about = None
    if about is None:
        raise _refuse(
            path,
            "ledger-damaged",
            "the ledger cannot be opened: the file is damaged or not a ledger",
            "bring back a good copy with `membill restore`",
        ) from None
    _upgrade(connection, path, about[0], write=write)
    connection.execute("use tonight")


def _must_have_tables(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse another database, or a ledger of which somebody took a table away."""
    there = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = 'ledger'"
    ).fetchall()
    named = [f"main.{name_of(schema)}" for schema in LEDGER]
    named += [f"accepted.{name_of(schema)}" for schema in ACCEPTED]
    if missing := [name for name in named if (name,) not in there]:
        raise damaged(path, f"has no table {missing[0].removeprefix('main.')}")


def _upgrade(
    connection: duckdb.DuckDBPyConnection, path: Path, version: int, *, write: bool
) -> None:
    if version > SCHEMA_VERSION:
        raise _refuse(
            path,
            "ledger-newer",
            f"the ledger is of version {version}, this program knows {SCHEMA_VERSION}",
            "use the newer program that wrote it",
        )
    if version < SCHEMA_VERSION and not write:
        raise _refuse(
            path,
            "ledger-older",
            f"the ledger is of version {version} and must first be brought up to date",
            "run `membill bill` once",
        )
    for step in range(version, SCHEMA_VERSION):
        connection.execute("begin")
        for statement in UPGRADES[step]:
            connection.execute(statement)
        connection.execute("update ledger.about set schema_version = ?", [step + 1])
        connection.execute("commit")


# `pipeline.cells.spelling.canonical` for codes, which are plain ASCII: one expression,
# which names the code once, since what a macro repeats is planned as often as it is.
# A blank Billing frequency is settled by the product that offers one only.
_MACROS = r"""
create macro tonight.main.canonical(code) as
regexp_replace(replace(lower(code), ' ', ''), '^0+([0-9]+)$', '\1');
create macro tonight.main.only_frequency(monthly_price, annual_price) as
case
    when monthly_price is not null and annual_price is null then 'Monthly'
    when annual_price is not null and monthly_price is null then 'Annual'
end
"""

# What is billed and was not freed again, what was freed, what credit notes took back of
# each line, and whose lines name nobody any more: read here by every rule.
# For a model `tonight.in_force`, since models run in more than one catalog.
_IN_FORCE = """
create schema tonight.in_force;
create view tonight.in_force.billed_periods as
select billed.* from ledger.billed_periods as billed
anti join ledger.released_periods using (patient_key, period_start, generation);
create view tonight.in_force.filled_requests as
select filled.* from ledger.filled_requests as filled
anti join ledger.released_requests using (request_key, generation);
create view tonight.in_force.freed_periods as
select billed.*, released.number as credit_note, notes.sequence as freed
from ledger.billed_periods as billed
inner join ledger.released_periods as released
    using (patient_key, period_start, generation)
inner join ledger.invoices as notes on released.number = notes.number;
create view tonight.in_force.taken_back as
select
    notes.credits_number as number,
    lines.credits_line as line,
    -sum(lines.gross)::decimal(14, 2) as gross,
    list(distinct notes.number order by notes.number) as notes,
    max(notes.run_no) as run_no
from ledger.lines as lines
inner join ledger.invoices as notes using (number)
where notes.kind = 'credit_note'
group by all;
create view tonight.in_force.forgotten_lines as
select
    split_part(record_key, ' ', 1) as number,
    split_part(record_key, ' ', 2)::integer as line
from ledger.forgotten where part = 'line';
create view tonight.in_force.first_open_day as
select max(cast(month || '-01' as date) + interval 1 month)::date as day
from ledger.closed_months
"""


def read_head(path: Path) -> dict[str, Any] | None:
    """What the head file beside the ledger says, or None where there is none."""
    file = path.parent / "head.json"
    if not file.exists():
        return None
    try:
        head = json.loads(file.read_text(encoding="utf-8"))
        return {**head, "position": int(head["position"])}
    except OSError as error:
        raise unreadable(file, error) from None
    except (ValueError, KeyError, TypeError):
        raise _refuse(
            path,
            "head-unreadable",
            "head.json cannot be read",
            "bring back a good copy of the ledger folder with `membill restore`",
        ) from None


# Whatever is recorded is published after it: then it would be too late to find this out.
_BARE = """
exists(
    from (select distinct run_no from ledger.invoices)
    anti join ledger.letterheads using (run_no)
)
"""
BARE = "holds documents without their letterheads"


def _check_head(ledger: Ledger) -> None:
    """The ledger must hold the link that its head file was written for.

    Whoever writes into it is told of documents that could not be made as well.
    """
    head = read_head(ledger.path)
    if head is None and not ledger.read_only:
        _must_have_head(ledger)
        write_head(ledger)
    if head is None:
        return
    if head["position"] == 0 and head.get("sha256") == chain.START:
        return
    found = first_row(
        ledger.connection,
        f"select sha256, {'false' if ledger.read_only else _BARE} from ledger.chain"
        " where position = ?",
        [head["position"]],
    )
    if found is None or found[0] != head.get("sha256"):
        raise _refuse(
            ledger.path,
            "ledger-older-than-head",
            f"the ledger does not hold run {head.get('run_id')} that its head file names",
            "an older or another copy was put in its place: bring back the right one"
            " with `membill restore`",
        )
    if found[1]:
        raise damaged(ledger.path, BARE)


def _must_have_head(ledger: Ledger) -> None:
    """A ledger has its head from before its first run on; one without has lost it."""
    if ledger.last_run_no and read_head(ledger.path) is None:
        raise _refuse(
            ledger.path,
            "head-missing",
            "head.json is gone, so nothing shows that no run is missing in the ledger",
            "put it back; or `membill restore` this very ledger, which proves it and"
            " the workbooks made from it and writes its head anew",
        )


def write_head(ledger: Ledger) -> None:
    """Note beside the ledger how far it has come."""
    link = chain.head(ledger.connection)
    last = ledger.rows(
        "select run_no, run_id from ledger.runs order by run_no desc limit 1"
    )
    number = ledger.value(
        "select number from ledger.invoices where kind = 'invoice'"
        " order by sequence desc limit 1"
    )
    head = {
        "run_no": last[0]["run_no"] if last else 0,
        "run_id": last[0]["run_id"] if last else "",
        "last_number": number or "",
        "closed": ledger.value("select max(month) from ledger.closed_months") or "",
        "position": link.position,
        "sha256": link.sha256,
    }
    write_text(ledger.folder / "head.json", json.dumps(head, indent=2) + "\n")


def settle(ledger: Ledger) -> None:
    """Put what was committed on disk for good: fold in the log, then write the head."""
    ledger.connection.execute("checkpoint ledger")
    sync_folder(ledger.folder)
    write_head(ledger)


def _catch_up(ledger: Ledger) -> None:
    """Do what a run that was killed after its commit left undone, before anything else.

    Nothing may be published before the log is in the file and the head file is written.
    """
    head = read_head(ledger.path)
    if head and head["position"] < chain.head(ledger.connection).position:
        settle(ledger)


def current(table: str, key: str) -> str:
    """SQL for the versions in force of a versioned table: latest of each key, not removed."""
    return (
        f"select * from {table} semi join (select {key}, max(run_no) as run_no"
        f" from {table} group by {key}) using ({key}, run_no) where not removed"
    )


# Where each membership stands: the last version of each, which `record` keeps apart, as
# there are two of them for every period that ever was.
STANDINGS = "select * from ledger.standings_now where not removed"


def add_versions(
    ledger: Ledger,
    table: str,
    key: str,
    staged: str,
    compared: Sequence[str],
    columns: Sequence[str],
    run_no: int,
    *,
    keep: str = "false",
    in_force: str = "",
) -> None:
    """Append new, changed and removed rows of `staged` to a versioned table.

    `columns` are taken from `staged`; a row is changed when one of `compared` is;
    a key that is no longer staged is marked removed unless the condition `keep` holds.
    `in_force` is SQL for the versions in force, where they need not be searched for.
    """
    names = ", ".join(columns)
    in_force = in_force or current(table, key)
    differs = " or ".join(
        f"staged.{column} is distinct from before.{column}" for column in compared
    )
    ledger.connection.execute(
        f"insert into {table} ({names}, run_no, removed)"
        f" select {', '.join('staged.' + column for column in columns)}, {run_no}, false"
        f" from {staged} as staged left join ({in_force}) as before using ({key})"
        f" where before.{key} is null or {differs}"
    )
    ledger.connection.execute(
        f"insert into {table} ({names}, run_no, removed)"
        f" select {', '.join('before.' + column for column in columns)}, {run_no}, true"
        f" from ({in_force}) as before anti join {staged} as staged using ({key})"
        f" where not ({keep})"
    )
