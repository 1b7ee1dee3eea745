"""What a closed month was sealed with, and the first day that is still open."""

from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb

from pipeline.bookkeeping.books import Closed
from pipeline.ledger import Ledger

# The link of the chain that a document was published under, its own seal: one that was
# entered again keeps what it had.
_OWN_SEAL = "coalesce(adopted.value, chain.sha256)"
_DOCUMENTS = (
    " from ledger.invoices as invoices left join ledger.chain as chain"
    "  on chain.record_key = invoices.number and chain.kind = invoices.kind"
    " left join (select unnest(map_entries(cast(report->'seals' as map(varchar, varchar))),"
    "  recursive := true) from ledger.runs where command = 'adopt') as adopted"
    "  on adopted.key = invoices.number"
)

# A row per month with documents: its totals, and a hash over its documents and their own
# seals, so that the month's seal is what it was though they were entered again. A month
# without documents has no row here.
_SEALS = (
    "select strftime(issued_on, '%Y-%m') as month,"
    " count(*) filter (invoices.kind = 'invoice')::integer as invoices,"
    " count(*) filter (invoices.kind = 'credit_note')::integer as credit_notes,"
    " sum(net)::decimal(14, 2) as net, sum(tax)::decimal(14, 2) as tax,"
    " sum(gross)::decimal(14, 2) as gross,"
    " sha256(string_agg(concat_ws('|', invoices.kind, number, issued_on, net, tax, gross,"
    f"  {_OWN_SEAL}), chr(10)"
    "  order by invoices.kind desc, sequence)) as sha256"
    f"{_DOCUMENTS}"
    " where strftime(issued_on, '%Y-%m') in ({months}) group by month"
)
SEALS_OF_CLOSED = _SEALS.format(months="select month from probed.closed_months")


class Sealed(NamedTuple):
    """A document as another one of its number is told from it."""

    seal: str
    issued_on: date
    gross: Decimal


def own_seals(connection: duckdb.DuckDBPyConnection) -> dict[str, Sealed]:
    """Every document by its number, of the ledger that is attached as `ledger`."""
    rows = connection.execute(
        f"select number, {_OWN_SEAL}, issued_on, gross{_DOCUMENTS}"
    ).fetchall()
    return {number: Sealed(*row) for number, *row in rows}


def seal(ledger: Ledger, month: str) -> dict[str, Any]:
    """What a month comes to now: counts, signed totals and hash."""
    rows = ledger.rows(
        "select coalesce(invoices, 0) as invoices,"
        " coalesce(credit_notes, 0) as credit_notes,"
        " coalesce(net, 0)::decimal(14, 2) as net, coalesce(tax, 0)::decimal(14, 2) as tax,"
        " coalesce(gross, 0)::decimal(14, 2) as gross,"
        " coalesce(sha256, sha256('')) as sha256"
        f" from (select ? as month) left join ({_SEALS.format(months='?')}) using (month)",
        [month, month],
    )
    return rows[0]


def closed(ledger: Ledger, month: str) -> Closed | None:
    """How a month was closed, or None while it is open."""
    rows = ledger.rows("select * from ledger.closed_months where month = ?", [month])
    return Closed(**rows[0]) if rows else None


def closed_months(ledger: Ledger) -> list[str]:
    """The closed months (YYYY-MM), in order: nothing in them can change."""
    rows = ledger.rows("select month from ledger.closed_months order by month")
    return [row["month"] for row in rows]


def first_open_day(ledger: Ledger) -> date | None:
    """The day after the last closed month; None before the first is closed."""
    day: date | None = ledger.value("select day from tonight.in_force.first_open_day")
    return day
