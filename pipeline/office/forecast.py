"""What the coming months would bill, by the rules of the night and the sheets as they are.

Every night to come is worked out at once: a period's price rests on its own start day
alone, so the rules are run for the last day, with nothing held for its age. A membership
asked for by hand may overlap a period, and which of the two is billed depends on which
came first: so the rules also stop on its day, and count as billed what came before.
"""

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.clock import Today
from pipeline.ledger import Ledger, locked, opened
from pipeline.prepare import prepare
from pipeline.problems import Problem
from pipeline.transform import transform

MONTHS = 12


@dataclass(frozen=True)
class Coming:
    """One line to come: `billed_on` is its night, `invoice` tells its invoices apart."""

    billed_on: date
    invoice: str
    patient_id: str
    patient_name: str
    payer_code: str
    payer_name: str
    product_code: str
    description: str
    frequency: str
    period_start: date | None
    period_end: date | None
    quantity: int
    unit_price: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    price_source: str
    request_id: str

    @property
    def month(self) -> date:
        """The first day of the month it is billed in."""
        return self.billed_on.replace(day=1)


@dataclass(frozen=True)
class Left:
    """A membership or request that is not counted, from when on, and why.

    `amount` is what it would have added; None where that cannot be known.
    """

    patient_id: str
    product_code: str
    request_id: str
    since: date | None
    reason: str
    amount: Decimal | None


@dataclass(frozen=True)
class Forecast:
    """The lines of the nights from `as_of` to `until`, and what is held."""

    as_of: date
    until: date
    practice_name: str
    currency: str
    auto_invoice: bool
    lines: tuple[Coming, ...]
    left: tuple[Left, ...]

    @property
    def months(self) -> list[date]:
        """The first day of each month, without gaps."""
        first, last = _count(self.as_of), _count(self.until)
        return [date(at // 12, at % 12 + 1, 1) for at in range(first, last + 1)]


def _count(day: date) -> int:
    return day.year * 12 + day.month - 1


def until_of(as_of: date, months: int) -> date:
    """The last day of so many whole months after the month of a day."""
    beyond = _count(as_of) + months + 1
    return date(beyond // 12, beyond % 12 + 1, 1) - timedelta(days=1)


def forecast(
    folder: Path, path: Path, *, months: int, as_of: date | None, today: Today
) -> tuple[Forecast, list[Problem]]:
    """The rest of this month and so many whole ones; and the problems of the sheets.

    Nothing is written, and the practice is free again as soon as it has been read.
    """
    with ExitStack() as reading, ExitStack() as working:
        if path.parent.exists():
            reading.enter_context(locked(path, wait=10))
        ledger = working.enter_context(
            opened(path, write=False, sheets=folder.glob("*"))
        )
        prepared = prepare(ledger, folder, as_of, today)
        _take_along(ledger)
        reading.close()
        until = until_of(prepared.as_of, months)
        return coming(ledger, prepared.as_of, until), prepared.problems


def _take_along(ledger: Ledger) -> None:
    """Put what the rules read of the ledger into memory, in its place, and let go of it."""
    kept = {
        "runs": "select command, as_of from ledger.runs where command = 'bill'",
        "billed_periods": "select * from ledger.billed_periods",
        "lines": "select number, line, frequency from ledger.lines"
        " where period_start is not null",
        "filled_requests": "select * from ledger.filled_requests",
        "released_periods": "select * from ledger.released_periods",
        "released_requests": "select * from ledger.released_requests",
        "invoices": "select number, sequence from ledger.invoices",
        "closed_months": "select month from ledger.closed_months",
        "counters": "select * from ledger.counters",
    }
    run = ledger.connection.execute
    run("create schema kept")
    for name, query in kept.items():
        run(f"create table kept.{name} as {query}")
    run("detach ledger")
    run("attach ':memory:' as ledger")
    for name in kept:
        run(f"create table ledger.{name} as select * from tonight.kept.{name}")


def coming(ledger: Ledger, as_of: date, until: date) -> Forecast:
    """Work on from a practice laid out and worked out for `as_of`, ledger in memory.

    Changes `input.run`, `input.practice` and the ledger's billed periods and requests.
    """
    run = ledger.connection.execute
    lines: list[Coming] = []
    left: dict[tuple[str, int], tuple[str, date | None]] = {}
    for day in (as_of, *_stops(ledger, as_of, until), until):
        if day > as_of:
            run("update input.practice set catch_up_days = 100000")
            run("update input.run set as_of = ?", [day])
            transform(ledger.connection, hold=())
        _count_lines(ledger, as_of, left)
        lines += _lines(ledger)
        run(
            "insert into ledger.billed_periods select patient_key, period_start,"
            " period_end, $1, item, (select count(*) + 1 from"
            "  ledger.billed_periods as before where before.patient_key = counted.patient_key"
            "  and before.period_start = counted.period_start)"
            " from model.counted as counted where period_start is not null",
            [f"forecast {day}"],
        )
        run(
            "insert into ledger.filled_requests select request_key, $1, item,"
            " (select count(*) + 1 from ledger.filled_requests as before"
            "  where before.request_key = counted.request_key)"
            " from model.counted as counted where request_key is not null",
            [f"forecast {day}"],
        )
    (practice,) = ledger.rows(
        "select practice_name, currency, auto_invoice from input.practice"
    )
    lines.sort(key=lambda line: (line.billed_on, line.patient_id, line.product_code))
    return Forecast(
        as_of, until, **practice, lines=tuple(lines), left=tuple(_left(ledger, left))
    )


def _stops(ledger: Ledger, as_of: date, until: date) -> list[date]:
    """The days to come on which a membership is asked for by hand."""
    rows = ledger.rows(
        "select distinct requested_on from input.invoice_requests as requests"
        " inner join input.products as products"
        "  on requests.product_code = products.code"
        " where lower(products.type) = 'membership'"
        "  and requested_on > ? and requested_on < ? order by requested_on",
        [as_of, until],
    )
    return [row["requested_on"] for row in rows]


def _count_lines(
    ledger: Ledger,
    as_of: date,
    left: dict[tuple[str, int], tuple[str, date | None]],
) -> None:
    """Make `model.counted` of what was worked out: what the nights up to here bill.

    What they hold is added to `left`. A membership is held from the night on that meets
    the first period it cannot bill.
    """
    found = ledger.rows(
        "select 'patient' as kind, standings.patient_row as place, standings.reason,"
        " min(charges.price_on) filter (charges.own_reason is not null) as since"
        " from model.standings as standings"
        " left join model.charges as charges using (patient_row)"
        " where bucket = 'held' group by all"
        " union all select 'request', request_row, reason, price_on from model.charges"
        " where request_row is not null and reason is not null order by kind, place"
    )
    before = [place for kind, place in left if kind == "patient"]
    for row in found:
        left.setdefault((row["kind"], row["place"]), (row["reason"], row["since"]))
    ledger.connection.execute(
        "create or replace table model.counted as"
        " with charges as ("
        "  select *, greatest(price_on, $1::date) as billed_on from model.charges"
        " ), held as ("
        "  select patient_row, min(billed_on) as since from charges"
        "  where own_reason is not null and patient_row is not null group by patient_row"
        " )"
        " select charges.* from charges left join held using (patient_row)"
        " where case when charges.patient_row is null then charges.reason is null"
        "  else charges.patient_row not in (select unnest($2::integer[]))"
        "   and coalesce(billed_on < held.since, true) end",
        [as_of, before],
    )


def _lines(ledger: Ledger) -> list[Coming]:
    rows = ledger.rows(
        "select billed_on, case when combined then payer_code || ' ' || billed_on"
        "  else period_start || ' ' || patient_key end as invoice,"
        " counted.patient_id, patients.first_name || ' ' || patients.last_name"
        "  as patient_name, payer_code, coalesce(contacts.name, concat_ws(' ',"
        "  patients.title, patients.first_name, patients.last_name)) as payer_name,"
        " counted.product_code, description, frequency, period_start, period_end,"
        " quantity, unit_price, net, tax, gross, price_source, request_id"
        " from model.counted as counted"
        " inner join input.patients as patients"
        "  on counted.patient_id = patients.patient_id"
        " left join input.contacts as contacts on payer_code = contacts.code"
    )
    blank = ("payer_code", "frequency", "request_id")
    return [_line(row | {name: row[name] or "" for name in blank}) for row in rows]


def _line(row: dict[str, Any]) -> Coming:
    # A request makes an invoice of its own.
    if row["request_id"]:
        row["invoice"] = f"request {row['request_id']}"
    return Coming(**row)


def _left(
    ledger: Ledger, left: dict[tuple[str, int], tuple[str, date | None]]
) -> list[Left]:
    """What is held with the sum of all it would have billed by the last day."""
    amounts = {
        (row["kind"], row["place"]): row["gross"]
        for row in ledger.rows(
            "select case when request_row is null then 'patient' else 'request' end"
            "  as kind, coalesce(request_row, patient_row) as place,"
            " case when count(gross) = count(*) then sum(gross) end::decimal(14, 2)"
            "  as gross from model.charges anti join model.counted using (item)"
            " group by all"
        )
    }
    named = {
        (row["kind"], row["place"]): row
        for row in ledger.rows(
            "select 'patient' as kind, patient_row as place, patient_id, product_code,"
            " null as request_id from model.memberships"
            " union all select 'request', row_number, patient_id, product_code,"
            " request_id from input.invoice_requests"
        )
    }
    return [
        Left(
            named[key]["patient_id"] or "",
            named[key]["product_code"] or "",
            named[key]["request_id"] or "",
            since,
            reason,
            amounts.get(key),
        )
        for key, (reason, since) in left.items()
    ]
