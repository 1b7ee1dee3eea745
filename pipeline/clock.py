"""What speaks against the clock: files and records from a day it says is to come."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.ledger import Ledger

# The clock: asked once, with the practice's time zone.
Today = Callable[[str], date]

# Copies, other time zones and a server a little fast are no reason to doubt a clock.
_TOLERANCE = timedelta(days=1)


def doubts(
    ledger: Ledger, folder: Path, files: Iterable[str], today: date
) -> tuple[str, ...]:
    """Why the clock may be behind, in words; nothing is decided by them.

    A file's time is lost in copying and may be anything, so a night is never held for
    it: it is told where the day is in question anyway.
    """
    zone = ZoneInfo(ledger.value("select time_zone from input.practice"))
    saved = ((name, _saved_on(folder / name, zone)) for name in files)
    found = [
        f"{name} was saved on {day}"
        for name, day in saved
        if day and day > today + _TOLERANCE
    ]
    return (*sorted(found)[:1], *_records(ledger, today, zone))


def _saved_on(file: Path, zone: ZoneInfo) -> date | None:
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, zone).date()
    except (OSError, OverflowError, ValueError):
        return None


def _records(ledger: Ledger, today: date, zone: ZoneInfo) -> Iterator[str]:
    """The last document and the last run, where they are from after today."""
    for row in ledger.rows(
        "select number, issued_on from ledger.invoices"
        " order by issued_on desc, number desc limit 1"
    ):
        if row["issued_on"] > today:
            yield f"{row['number']} is dated {row['issued_on']}"
    for row in ledger.rows(
        "select run_id, recorded_at from ledger.runs order by run_no desc limit 1"
    ):
        day = datetime.fromisoformat(row["recorded_at"]).astimezone(zone).date()
        if day > today + _TOLERANCE:
            yield f"run {row['run_id']} was recorded on {day}"
