"""What to repair after a check or a refused night, which the ledger does not record."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from pipeline import marked_copies
from pipeline.bookkeeping import accounts
from pipeline.bookkeeping.books import Night
from pipeline.judging.reasons import held_listing
from pipeline.ledger import Ledger
from pipeline.prepare import Prepared
from pipeline.problems import Place, Problem, Refused, Severity
from pipeline.publish import publish_issues
from pipeline.record import memberships
from schemas.columns import columns
from schemas.practice import Practice


def show_refusal(
    ledger: Ledger,
    folder: Path,
    as_of: date | None,
    today: Callable[[str], date],
    refusal: Refused,
) -> None:
    """The issues workbook of a refused night; its causes are told even without one."""
    day = as_of or today(_zone(ledger))
    copies = marked_copies.make(folder, refusal.problems, day, None)
    name, currency = accounts.practice(ledger)
    night = Night(
        run_id="",
        as_of=day,
        practice_name=name,
        currency=currency,
        memberships={},
        made=(),
        held=(),
        problems=accounts.with_history(ledger, refusal.problems, day, refused=True),
        changes=(),
        unsent=(),
        months=(),
        refused=True,
        report={"marked": copies.report()},
    )
    try:
        publish_issues(folder / "out", night)
    except OSError as error:
        problem = Problem(
            Severity.STOPS,
            "issues-unwritten",
            Place("out/issues.xlsx"),
            f"the file could not be written ({error.strerror})",
            repair="close it if it is open, and see that the disk has room",
        )
        raise Refused([*refusal.problems, problem]) from None
    # A copy that cannot be written is no reason to say anything else.
    marked_copies.put(folder / "out", copies)


def _zone(ledger: Ledger) -> str:
    """The practice's time zone as far as it is known, for the day at the page's head."""
    known = ledger.value(
        "select count(*) from duckdb_tables()"
        " where database_name = current_database() and schema_name = 'input'"
        " and table_name = 'practice'"
    )
    if known and (
        zone := ledger.value("select any_value(time_zone) from input.practice")
    ):
        return str(zone)
    return next(c.default for c in columns(Practice) if c.name == "time_zone")


def show_check(ledger: Ledger, folder: Path, prepared: Prepared) -> None:
    """The issues workbook and the marked copies of a check."""
    copies = marked_copies.make(
        folder, prepared.problems, prepared.as_of, prepared.reading.files
    )
    name, currency = accounts.practice(ledger)
    night = Night(
        run_id="",
        as_of=prepared.as_of,
        practice_name=ledger.value("select practice_name from input.practice") or name,
        currency=currency,
        memberships=memberships(ledger),
        made=(),
        held=tuple(held_listing(ledger)),
        problems=accounts.with_history(
            ledger, prepared.problems, prepared.as_of, refused=False
        ),
        changes=tuple(prepared.changes),
        unsent=(),
        months=(),
        checked=True,
        report={"marked": copies.report()},
    )
    publish_issues(folder / "out", night)
    marked_copies.put(folder / "out", copies)
