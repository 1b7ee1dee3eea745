"""Closing a month: its totals and their hash are sealed, and nothing is issued in it again."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipeline.bookkeeping.deferred import first_of, following
from pipeline.bookkeeping.seals import closed, first_open_day, seal
from pipeline.cells.spelling import show
from pipeline.clock import Today
from pipeline.exports.words import counted, money
from pipeline.in_force import setting_in_force
from pipeline.ledger import Ledger
from pipeline.office.desk import (
    Say,
    WrongRequest,
    day_of,
    must_be_month,
    must_may,
    unsaid,
    working,
)
from pipeline.publish import publish
from pipeline.record import add_run, run_id_of
from pipeline.transaction import transaction
from pipeline.version import VERSION


@dataclass(frozen=True)
class Outcome:
    """A month that was closed, in words, and warnings."""

    said: str
    warnings: list[str]


def close(
    folder: Path,
    path: Path,
    month: str,
    *,
    by: str,
    today: Today,
    say: Say = unsaid,
) -> Outcome:
    """Seal a month that is over; raises `WrongRequest` where it cannot be closed.

    It binds everybody, as a setting does: the user must be one who may Edit Settings.
    """
    first = _first_day(month)
    with working(folder, path, say) as ledger:
        must_may(ledger, by, "settings")
        day = day_of(ledger, None, today)
        _must_be_closable(ledger, month, first, day)
        sums = seal(ledger, month)
        run_id = run_id_of(ledger, day)
        told = {
            name: str(value) if name in ("net", "tax", "gross") else value
            for name, value in sums.items()
        }
        report = {"run_id": run_id, "command": "close", "month": month, **told}
        with transaction(ledger) as run_no:
            add_run(ledger, run_no, run_id, "close", day, VERSION, report, by=by)
            ledger.connection.execute(
                "insert into ledger.closed_months (month, closed_on, closed_by, invoices,"
                " credit_notes, net, tax, gross, sha256, run_no)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [month, day, by, *sums.values(), run_no],
            )
        said = _said(month, sums, str(setting_in_force(ledger, "currency")))
        said += _not_billed_yet(ledger, first_of(following(month)))
        return Outcome(said, publish(ledger, folder / "out").warnings)


def _first_day(month: str) -> date:
    must_be_month(month)
    return first_of(month)


def _must_be_closable(ledger: Ledger, month: str, first: date, today: date) -> None:
    before = closed(ledger, month)
    if before:
        raise WrongRequest(
            f"{month} was closed already, on {before.closed_on} by {before.closed_by}"
        )
    open_from = first_open_day(ledger)
    if open_from and first < open_from:
        last = open_from - timedelta(days=1)
        raise WrongRequest(
            f"{month} lies before {last:%Y-%m}, which is closed: nothing can be issued in"
            " it any more"
        )
    if first_of(following(month)) > today:
        raise WrongRequest(f"{month} is not over: today is {today}")
    earlier = ledger.value(
        "select strftime(coalesce($1::date, min(issued_on)), '%Y-%m')"
        " from ledger.invoices",
        [open_from],
    )
    if earlier and earlier < month:
        raise WrongRequest(f"months are closed in order: {earlier} is open")


def _not_billed_yet(ledger: Ledger, next_month: date) -> str:
    """A line for a month that was closed before its last night, '' for any other."""
    last = ledger.value("select max(as_of) from ledger.runs where command = 'bill'")
    if last is None or last >= next_month - timedelta(days=1):
        return ""
    return (
        f"\nthe last night was of {show(last)}: what is due after it is billed by the next"
        f" one, with a date from {show(next_month)} on"
    )


def _said(month: str, sums: dict[str, Any], currency: str) -> str:
    net, tax, gross = (money(sums[name], currency) for name in ("net", "tax", "gross"))
    return (
        f"{month} is closed: {counted(sums['invoices'], 'invoice')},"
        f" {counted(sums['credit_notes'], 'credit note')}, net {net}, tax {tax},"
        f" gross {gross}\n"
        f"seal {sums['sha256']}"
    )
