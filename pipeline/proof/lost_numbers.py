"""Numbers that were published and that an older ledger, or a new one, does not know."""

from datetime import date
from pathlib import Path

from pipeline.ledger import Ledger
from pipeline.problems import refused
from pipeline.published_files import published_numbers


def must_know_published(ledger: Ledger, out: Path) -> None:
    """A number that was published and that the ledger does not know was lost with it."""
    lost = unknown_numbers(ledger, out, lost_since(ledger))
    if not lost:
        return
    lie = f"{lost[-1]} lies in out/invoices but is not"
    if len(lost) > 1:
        lie = f"{lost[-1]} and {len(lost) - 1} more lie in out/invoices but are not"
    raise refused(
        f"ledger/{ledger.path.name}",
        "published-unknown",
        f"{lie} in the ledger: it is an older"
        " or a new one, and would give their numbers out again",
        "bring it back with `membill restore`, or enter them again with `membill restore"
        " --adopt`; if the workbooks are of another practice or only a trial, move"
        " out/invoices away",
        "the ledger that made them",
    )


def lost_since(ledger: Ledger) -> date | None:
    """The day from which on documents are dated that an older ledger lacks.

    Dates never fall as numbers rise, in each of the two series for itself. None where
    one of them has no document yet.
    """
    since: date | None = ledger.value(
        "select case when count(*) = 2 then min(day) end from"
        " (select max(issued_on) as day from ledger.invoices group by kind)"
    )
    return since


def unknown_numbers(ledger: Ledger, out: Path, since: date | None = None) -> list[str]:
    """Numbers of published workbooks, from the month of a day on, of no document here."""
    published = sorted(published_numbers(out, since))
    if not published:
        return []
    unknown = ledger.rows(
        "select number from (select unnest($1::varchar[]) as number) as published"
        " anti join (select number from ledger.invoices"
        " where $2 is null or issued_on >= date_trunc('month', $2::date)) as known"
        " using (number) order by number",
        [published, since],
    )
    return [row["number"] for row in unknown]
