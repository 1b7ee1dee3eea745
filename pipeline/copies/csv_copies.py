"""Once a week, the ledger as plain CSV: readable when there is no DuckDB to read it with.

Each copy is whole, and most of it was written before: rows are only added, so that a file
which would hold what last week's holds is given its name in this week's folder too. What
is the same is told by the hash of the rows, and what is on the disk by that of the file.
"""

import csv
import io
import os
import re
import shutil
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb

from pipeline.connecting import looking_at, quoted
from pipeline.copies.backups import Copy
from pipeline.files import private_file, private_folder, sync_folder, write_text
from pipeline.proof.soundness import ROWS_OF_A_PART, sha256_of

KEPT = 8
TABLES = (
    "runs", "letterheads", "invoices", "lines", "billed_periods", "released_periods",
    "filled_requests", "released_requests", "sendings", "changes", "standings", "chain",
    "counters", "published", "closed_months",
    "export_batches", "exported_documents",
)  # fmt: skip

_README = """\
The ledger after run {run_id}, one file a table, one line a row. A table of more than
{rows:,} rows goes on in files with a number: lines.csv, lines-2.csv, lines-3.csv.
files.csv names them all, with their rows and the SHA-256 of each.

For machines: every value is exactly what the ledger holds. Comma separated, UTF-8, dates
as 2026-03-31, amounts with two decimals, true and false, nothing for blank. Text may begin
with = or +, which a spreadsheet would run as a formula and which nothing here puts out of
action: import these files as text, and do not open them by a double click.
A file that did not change is the same file in the folders of several weeks: change none.

invoices     one row for each invoice and credit note, with the address it was made out to
lines        their lines; invoices and lines belong together by number
billed_periods, filled_requests    what was billed and is never billed again, unless
released_periods, released_requests    freed it
closed_months    months that were sealed, with their totals and hash
sendings     which were sent, when and to whom
runs         every night and command; letterheads: the practice as it stood then
changes      changed cells of guarded sheets; standings: where each membership stood
counters     the last numbers given
export_batches, exported_documents    what left for an accounting package, each once
chain        the hash chain; published: the files made, with their hashes

They hold patients' names: keep them as you keep the ledger.
"""
_RUN = re.compile(r"(\d{4}-\d\d-\d\d)-\d+")
_LIST = "files.csv"


class _Part(NamedTuple):
    """A file of a copy: so many rows of a table, and the hash of all their cells."""

    file: str
    rows: int
    contents: int


def weekly(copy: Copy, run_id: str) -> Path | None:
    """Write a copy as CSV unless there is one of its week; keeps eight.

    A week is that of the run's as-of day, Monday to Sunday.
    """
    folder = private_folder(copy.file.parent / "csv")
    for left in folder.glob(".*.part"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    if not (copy.parts and is_first_of_week(copy.file.parent, run_id)):
        return None
    draft, target = folder / f".{run_id}.part", folder / run_id
    before = max(_copies(folder), default=folder)
    try:
        _write(copy, private_folder(draft), run_id, before)
        os.rename(draft, target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync_folder(folder)
    for old in sorted(_copies(folder))[:-KEPT]:
        shutil.rmtree(old)
    return target


def is_first_of_week(backups: Path, run_id: str) -> bool:
    """Whether there is no CSV copy of the run's week among the copies yet."""
    there = _copies(backups / "csv")
    return _week(run_id) not in {_week(copy.name) for copy in there}


def _copies(folder: Path) -> list[Path]:
    there = folder.iterdir() if folder.is_dir() else ()
    return [copy for copy in there if _RUN.fullmatch(copy.name)]


def _week(name: str) -> tuple[int, int]:
    year, week, _ = date.fromisoformat(name[:10]).isocalendar()
    return year, week


def _write(copy: Copy, folder: Path, run_id: str, before: Path) -> None:
    """Write every table into a folder, but take over what lies in `before` just so."""
    there = _listed(before)
    listed: dict[_Part, str] = {}
    with looking_at(copy.file, writes_to=folder) as connection:
        for table in TABLES:
            headings = _headings(connection, table)
            cut = copy.parts[f'"main"."{table}"'] or {0: (0, 0)}
            for at, (rows, contents) in sorted(cut.items()):
                number = f"-{at + 1}" if at else ""
                part = _Part(f"{table}{number}.csv", rows, contents)
                old, new = before / part.file, folder / part.file
                sha256 = there.get(part, "")
                if not (sha256 and _taken_over(old, new, sha256, headings)):
                    _write_rows(connection, table, at, new)
                    sha256 = sha256_of(new)
                listed[part] = sha256
    write_text(folder / _LIST, _as_csv(listed))
    write_text(
        folder / "README.txt", _README.format(run_id=run_id, rows=ROWS_OF_A_PART)
    )


def _headings(connection: duckdb.DuckDBPyConnection, table: str) -> bytes:
    described = connection.execute(f"from ledger.{table} limit 0").description or ()
    return ",".join(name for name, *_ in described).encode() + b"\n"


def _taken_over(old: Path, new: Path, sha256: str, headings: bytes) -> bool:
    """Give a file of an earlier copy a name in this one, if it still is what it was."""
    try:
        with open(old, "rb") as file:
            if file.readline() != headings:  # of a version with other columns
                return False
        if sha256_of(old) != sha256:
            return False
        os.link(old, new)
        new.chmod(0o600)
    except OSError:  # gone, or on a disk that has no links
        new.unlink(missing_ok=True)
        return False
    return True


def _write_rows(
    connection: duckdb.DuckDBPyConnection, table: str, at: int, path: Path
) -> None:
    """A part of a table as the database writes it, into a file private from the start."""
    first, after = at * ROWS_OF_A_PART, (at + 1) * ROWS_OF_A_PART
    rows = f"from ledger.{table} where rowid >= {first} and rowid < {after}"
    # Without a file of DuckDB's own beside it, which would take the place of ours.
    how = "(format csv, header, delimiter ',', use_tmp_file false)"
    with open(path, "x", opener=private_file) as file:
        connection.execute(f"copy ({rows}) to '{quoted(path)}' {how}")
        os.fsync(file.fileno())


def _listed(folder: Path) -> dict[_Part, str]:
    """The files of a copy with their SHA-256; none where that cannot be read."""
    try:
        with open(folder / _LIST, newline="", encoding="utf-8") as file:
            _, *lines = csv.reader(file)
        return {
            _Part(name, int(rows), int(contents)): sha256
            for name, rows, contents, sha256 in lines
        }
    except (OSError, ValueError, csv.Error):
        return {}


def _as_csv(listed: dict[_Part, str]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow([*_Part._fields, "sha256"])
    lines.writerows([*part, sha256] for part, sha256 in listed.items())
    return text.getvalue()
