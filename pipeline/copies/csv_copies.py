"""Once a week, the ledger as plain CSV: readable when there is no DuckDB to read it with."""

import os
import re
import shutil
from datetime import date
from pathlib import Path

import duckdb

from pipeline.files import private_folder, sync_folder, write_text
from pipeline.proof.soundness import quoted

KEPT = 8
TABLES = (
    "runs", "letterheads", "invoices", "lines", "billed_periods", "released_periods",
    "filled_requests", "released_requests", "sendings", "changes", "standings", "chain",
    "counters", "published", "closed_months",
    "export_batches", "exported_documents",
)  # fmt: skip

_README = """\
The ledger after run {run_id}, one file a table, one line a row.

For machines: every value is exactly what the ledger holds. Comma separated, UTF-8, dates
as 2026-03-31, amounts with two decimals, true and false, nothing for blank. Text may begin
with = or +, which a spreadsheet would run as a formula and which nothing here puts out of
action: import these files as text, and do not open them by a double click.

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


def weekly(copy: Path, run_id: str) -> Path | None:
    """Write a copy as CSV unless there is one of its week; keeps eight.

    A week is that of the run's as-of day, Monday to Sunday.
    """
    folder = private_folder(copy.parent / "csv")
    for left in folder.glob(".*.part"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    if not is_first_of_week(copy.parent, run_id):
        return None
    draft, target = folder / f".{run_id}.part", folder / run_id
    try:
        _write(copy, private_folder(draft), run_id)
        os.rename(draft, target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync_folder(folder)
    for old in sorted(d for d in folder.iterdir() if _RUN.fullmatch(d.name))[:-KEPT]:
        shutil.rmtree(old)
    return target


def is_first_of_week(backups: Path, run_id: str) -> bool:
    """Whether there is no CSV copy of the run's week among the copies yet."""
    folder = backups / "csv"
    there = folder.iterdir() if folder.is_dir() else ()
    return _week(run_id) not in {_week(copy.name) for copy in there}


def _week(name: str) -> tuple[int, int] | None:
    found = _RUN.fullmatch(name)
    if not found:
        return None
    year, week, _ = date.fromisoformat(found[1]).isocalendar()
    return year, week


def _write(copy: Path, folder: Path, run_id: str) -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{quoted(copy)}' as ledger (read_only)")
        for table in TABLES:
            _write_table(connection, table, folder / f"{table}.csv")
    write_text(folder / "README.txt", _README.format(run_id=run_id))


def _write_table(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """A table as the database writes it, into a file that is private from the start."""
    # Without a file of DuckDB's own beside it, which would take the place of ours.
    how = "(format csv, header, delimiter ',', use_tmp_file false)"
    with open(path, "x", opener=_private) as file:
        connection.execute(f"copy ledger.{table} to '{quoted(path)}' {how}")
        os.fsync(file.fileno())


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
