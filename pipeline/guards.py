"""The guards: numbers that should not move much overnight, and stop the night if they do.

They compare tonight's sheets with the last accepted ones, whose models lie in the
catalog `baseline`; on the first run only `amount` and `date` apply.
Source: section 5 of the contract, where each guard's setting and default are listed.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from pipeline.exports.words import counted
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity

GUARDS = ("drop", "joined", "changed", "price", "forecast", "amount", "date")

# Fewer than this many rows may move whatever their share, and less than this much money.
_FEW = 5
_LITTLE = Decimal(1000)


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
) -> list[Tripped]:
    """The guards that trip tonight and were not let through.

    `doubts` speak against the clock; they are told with `date` and trip nothing.
    """
    limits = ledger.rows("select * from input.practice")[0]
    checks: list[Callable[[], Tripped | None]] = [
        lambda: _date(ledger, limits, as_of, today, doubts),
        lambda: _amount(ledger, limits),
    ]
    if ledger.last_run_no:
        checks += [
            lambda: _drop(ledger, limits),
            lambda: _joined(ledger, limits),
            lambda: _changed(ledger, limits),
            lambda: _price(ledger, limits),
            lambda: _forecast(ledger, limits),
        ]
    tripped = [check() for check in checks]
    return [trip for trip in tripped if trip and trip.guard not in accepted]


def as_problem(trip: Tripped, command: str) -> Problem:
    """A tripped guard as what stops the night, with the command that lets it through."""
    examples = f" (largest: {'; '.join(trip.examples)})" if trip.examples else ""
    return Problem(
        Severity.STOPS,
        f"guard-{trip.guard}",
        Place("settings.xlsx", "Settings", None, trip.setting),
        f"guard {trip.guard}: {trip.found}{examples}",
        f"no more than the setting {trip.setting} allows",
        f"if this is right, let it through once with: {command} --accept {trip.guard}",
        subject=trip.guard,
    )


def _beyond(moved: int, before: int, percent: Decimal) -> bool:
    return moved > _FEW and moved * 100 > before * percent


def _roster(ledger: Ledger, catalog: str) -> tuple[int, int]:
    """Active members, and patient rows."""
    row = ledger.rows(
        "select count(*) filter (membership_active and names_membership) as members,"
        f" count(*) as patients from {catalog}.input.patients"
    )[0]
    return row["members"], row["patients"]


def _ids(ledger: Ledger, here: str, there: str) -> tuple[str, ...]:
    """Up to five members that stand in one catalog's sheet and not in the other's."""
    rows = ledger.rows(
        f"select patient_id from {here}.input.patients as here"
        " anti join (select row_key from"
        f"  {there}.input.patients where membership_active) as there using (row_key)"
        " where membership_active and patient_id is not null"
        " order by patient_id limit 5"
    )
    return tuple(row["patient_id"] for row in rows)


def _drop(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    percent = limits["max_drop"]
    members, patients = _roster(ledger, "tonight")
    members_before, patients_before = _roster(ledger, "baseline")
    found = []
    if _beyond(members_before - members, members_before, percent):
        found.append(f"active members fell from {members_before} to {members}")
    if _beyond(patients_before - patients, patients_before, percent):
        found.append(f"patient rows fell from {patients_before} to {patients}")
    if not found:
        return None
    examples = _ids(ledger, "baseline", "tonight")
    return Tripped("drop", "Max drop %", " and ".join(found), examples)


def _joined(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    members, _ = _roster(ledger, "tonight")
    before, _ = _roster(ledger, "baseline")
    if not _beyond(members - before, before, limits["max_joined"]):
        return None
    return Tripped(
        "joined",
        "Max joined %",
        f"active members rose from {before} to {members}",
        _ids(ledger, "tonight", "baseline"),
    )


def _changed(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    rows = ledger.rows(
        "select now.patient_id from tonight.input.patients as now"
        " inner join baseline.input.patients as before using (row_key)"
        " where not now.held and (now.membership is distinct from before.membership"
        " or now.billing_frequency is distinct from before.billing_frequency"
        " or now.start_date is distinct from before.start_date)"
        " order by now.patient_id"
    )
    _, before = _roster(ledger, "baseline")
    if not _beyond(len(rows), before, limits["max_changed"]):
        return None
    return Tripped(
        "changed",
        "Max changed %",
        f"{len(rows)} of {before} rows changed membership, frequency or start date",
        tuple(row["patient_id"] for row in rows[:5]),
    )


# Each price beside the one it takes the place of: the same row's last accepted version,
# for a coming price the one in force before it, for a contract the one it follows.
_PRICE_MOVES = """
with
standard as (
    select row_key, code as subject, unnest(['Monthly price', 'Annual price', 'Price'])
        as kind, unnest([monthly_price, annual_price, price]) as amount
    from {catalog}.input.products
),
coming as (
    select row_key, product_code as subject, effective_from as from_on,
        unnest(['Monthly price', 'Annual price', 'Price']) as kind,
        unnest([monthly_price, annual_price, price]) as amount
    from {catalog}.input.price_changes where not held
),
contract as (
    select row_key, contact_code || ' ' || product_code as subject,
        valid_from as from_on,
        unnest(['Monthly price', 'Annual price', 'Price']) as kind,
        unnest([monthly_price, annual_price, price]) as amount
    from {catalog}.input.contract_prices where not held
)
select 'standard' as sort, row_key, subject, kind, null::date as from_on, amount
from standard where amount is not null
union all
select 'coming', row_key, subject, kind, from_on, amount from coming
where amount is not null
union all
select 'contract', row_key, subject, kind, from_on, amount from contract
where amount is not null
"""


def _price(ledger: Ledger, limits: dict[str, Any]) -> Tripped | None:
    now = _PRICE_MOVES.format(catalog="tonight")
    before = _PRICE_MOVES.format(catalog="baseline")
    rows = ledger.rows(
        f"""
        with now as ({now}), before as ({before}),
        fresh as (
            select now.*, before.amount as same_before
            from now left join before using (sort, row_key, kind)
            where now.amount is distinct from before.amount
        ),
        followed as (
            select fresh.*, coalesce(
                same_before,
                (select arg_max(now.amount, now.from_on) from now
                 where now.sort = fresh.sort and now.subject = fresh.subject
                 and now.kind = fresh.kind and fresh.sort <> 'standard'
                 and coalesce(now.from_on, date '0001-01-01') < fresh.from_on),
                (select any_value(now.amount) from now
                 where now.sort = 'standard' and now.subject = fresh.subject
                 and now.kind = fresh.kind and fresh.sort = 'coming')
            ) as old from fresh
        )
        select subject, kind, old, amount, abs(amount - old) as moved
        from followed
        where old is not null and abs(amount - old) * 100 > old * ?
        order by moved desc, subject
        """,
        [limits["max_price_change"]],
    )
    if not rows:
        return None
    return Tripped(
        "price",
        "Max price change %",
        f"{counted(len(rows), 'price')} moved by more than"
        f" {limits['max_price_change'].normalize():f} %",
        tuple(
            f"{row['subject']} {row['kind']} {row['old']} to {row['amount']}"
            for row in rows[:5]
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
