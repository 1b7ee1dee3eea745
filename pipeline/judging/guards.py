"""The guards: numbers that should not move much overnight, and stop the night if they do.

They compare tonight's sheets with the last accepted ones, whose models lie in the
catalog `baseline`; on the first run only `amount` and `date` apply.
Source: section 5 of the contract, where each guard's setting and default are listed.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from pipeline.exports.words import counted
from pipeline.judging import roster_moves
from pipeline.judging.price_moves import moved_prices
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity

# What to do where a guard was right to stop the night.
_UNDO = {
    "drop": "put back the rows of Patients that are gone or ended",
    "joined": "take out of Patients who does not belong there",
    "changed": "put back in Patients what was moved or filled over, or Bill from and Prices"
    " include tax in Settings, or the tax of a product in Products or Tax codes, before any"
    " row by itself",
    "price": "put the price back in Products, Price changes or Contract prices",
    "forecast": "put back what was changed in the sheets",
    "amount": "correct the price or the quantity",
    "date": "set the machine's clock right, or give the day with --as-of",
}

# Fewer than this many rows may move whatever their share, and less than this much money.
_FEW = 5
_LITTLE = Decimal(1000)
_EXAMPLES = 5


@dataclass(frozen=True)
class Tripped:
    """A guard that stops the night: its name, the numbers, up to five examples."""

    guard: str
    setting: str
    found: str
    examples: tuple[str, ...] = ()


def check_guards(
    ledger: Ledger,
    as_of: date,
    today: date,
    accepted: Collection[str],
    doubts: Sequence[str] = (),
    *,
    compared: bool,
) -> list[Tripped]:
    """The guards that trip tonight and were not let through.

    `compared` says that `baseline` holds what the last accepted sheets would give;
    without it only the guards that compare with nothing apply. `doubts` speak against
    the clock; they are told with `date` and trip nothing.
    """
    limits = ledger.rows("select * from input.practice")[0]
    checks: list[Callable[[], Tripped | None]] = [
        lambda: _date(ledger, limits, as_of, today, doubts),
        lambda: _amount(ledger, limits),
    ]
    if compared:
        checks += [
            lambda: _drop(ledger, limits),
            lambda: _joined(ledger, limits),
            lambda: _changed(ledger, limits),
            lambda: _price(ledger, limits),
            lambda: _forecast(ledger, limits),
        ]
    tripped = [check() for check in checks]
    return [trip for trip in tripped if trip and trip.guard not in accepted]


def as_problem(
    trip: Tripped, command: str, place: Place, tripped: Sequence[Tripped]
) -> Problem:
    """A tripped guard as what stops the night, with the command that lets it through.

    `place` is the sheet of the settings; `tripped` are all that stop it: each is looked
    at by itself, and the night goes on when every one of them is let through.
    """
    repair = (
        f"if this is wrong, {_UNDO[trip.guard]}; if this is right, let it through once"
        f" with: {command} --accept {trip.guard}"
    )
    others = [f"--accept {other.guard}" for other in tripped if other is not trip]
    if others:
        repair += f"; the night goes on only with {' '.join(others)} in it as well"
    examples = f" (largest: {'; '.join(trip.examples)})" if trip.examples else ""
    return Problem(
        Severity.STOPS,
        f"guard-{trip.guard}",
        replace(place, column=trip.setting),
        f"guard {trip.guard}: {trip.found}{examples}",
        f"no more than the setting {trip.setting} allows",
        repair,
        subject=trip.guard,
    )


def _first(examples: Iterable[str]) -> tuple[str, ...]:
    return tuple(islice(examples, _EXAMPLES))


def _beyond(moved: int, before: int, percent: Decimal) -> bool:
    return moved > _FEW and moved * 100 > before * percent


def _drop(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    percent = limits["max_drop"]
    found = []
    members_before, members = roster_moves.members(ledger)
    rows_before, rows = roster_moves.patient_rows(ledger)
    left, gone = roster_moves.left(ledger), roster_moves.gone(ledger)
    if _beyond(len(left), members_before, percent):
        found.append(_fell("active members", members_before, members, len(left)))
    if _beyond(len(gone), rows_before, percent):
        found.append(_fell("patient rows", rows_before, rows, len(gone)))
    if not found:
        return None
    examples = left if len(left) >= _EXAMPLES else gone or left
    return Tripped("drop", "Max drop %", " and ".join(found), _first(examples))


def _fell(what: str, before: int, now: int, less: int) -> str:
    """A fall in numbers; where others took their places, who is missing."""
    if before - now == less:
        return f"{what} fell from {before} to {now}"
    return f"{less} of {before} {what} are missing, with others there are {now}"


def _joined(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    came = roster_moves.came(ledger)
    before, now = roster_moves.members(ledger)
    if not _beyond(len(came), before, limits["max_joined"]):
        return None
    found = (
        f"active members rose from {before} to {now}"
        if now - before == len(came)
        else f"{len(came)} active members are new, before there were {before}"
    )
    return Tripped("joined", "Max joined %", found, _first(came))


def _changed(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    before, _ = roster_moves.patient_rows(ledger)
    moved = {
        what: ids
        for what, ids in roster_moves.changed(ledger).items()
        if _beyond(len(ids), before, limits["max_changed"])
    }
    if not moved:
        return None
    found = " and ".join(
        f"{len(ids)} of {before} rows changed {what}" for what, ids in moved.items()
    )
    largest = max(moved.values(), key=len)
    return Tripped("changed", "Max changed %", found, _first(largest))


def _price(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    rows = moved_prices(ledger, limits["max_price_change"])
    if not rows:
        return None
    return Tripped(
        "price",
        "Max price change %",
        f"{counted(len(rows), 'price')} moved by more than"
        f" {limits['max_price_change'].normalize():f} %",
        _first(
            f"{row['subject']} {row['kind']} {row['old']} to {row['amount']}"
            for row in rows
        ),
    )


def _forecast(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    query = (
        "select coalesce(sum(gross), 0)::decimal(18, 2)"
        " from {}.model.charges where reason is null"
    )
    now = ledger.value(query.format("tonight"))
    before = ledger.value(query.format("baseline"))
    difference = abs(now - before)
    if difference <= _LITTLE:
        return None
    if difference * 100 <= before * limits["max_forecast_difference"]:
        return None
    return Tripped(
        "forecast",
        "Max forecast difference %",
        f"tonight would bill {now}, the last accepted sheets would bill {before}",
        tuple(_largest(ledger)),
    )


def _largest(ledger: Ledger) -> list[str]:
    rows = ledger.rows(
        "select patient_id, sum(gross)::decimal(14, 2) as gross from model.charges"
        " where reason is null group by patient_id"
        " order by gross desc, patient_id limit 5"
    )
    return [f"{row['patient_id']} {row['gross']}" for row in rows]


def _amount(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    rows = ledger.rows(
        "select coalesce(bill_to, patient_id) as payer, gross from model.new_invoices"
        " where gross > ? order by gross desc, number",
        [limits["max_invoice_amount"]],
    )
    if not rows:
        return None
    return Tripped(
        "amount",
        "Max invoice amount",
        f"{counted(len(rows), 'invoice')} over {limits['max_invoice_amount']}",
        tuple(f"{row['payer']} {row['gross']}" for row in rows[:5]),
    )


def _date(
    ledger: Ledger,
    limits: dict[str, Any],
    as_of: date,
    today: date,
    doubts: Sequence[str],
) -> Tripped | None:
    last = ledger.value("select max(as_of) from ledger.runs where command = 'bill'")
    days = limits["max_days_ahead"]
    found = []
    if as_of > today:
        found.append(f"the as-of day {as_of} is after today, {today}")
    if last and as_of > last + timedelta(days=days):
        found.append(
            f"the as-of day {as_of} is more than {days} days past the last run, {last}"
        )
    if last and as_of < last:
        found.append(f"the as-of day {as_of} is before the last run's, {last}")
    if found and doubts:
        found.append(f"the clock may be wrong: {' and '.join(doubts)}")
    return Tripped("date", "Max days ahead", "; ".join(found)) if found else None
