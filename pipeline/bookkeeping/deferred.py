"""Deferred income: a period longer than a month becomes income month by month.

By whole months, a period has as many parts as months begin in it, counted from its first
day, and the first belongs to the month of that day; by days, each day is a part. What has
been released up to a month is always worked out from the beginning, so that the months'
releases add up to the line to the penny. Only what is left after credit notes is
released: a credit takes back its share of what was released, and the rest unreleased.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline.bookkeeping.books import Deferral
from pipeline.bookkeeping.records import records
from pipeline.ledger import Ledger

LONGEST_MONTH = 31  # days; a period of no more is income at once
LONGEST_PERIOD = 12  # months; 28 February to 28 February is a leap year's, and one year

Key = tuple[str, int]


@dataclass(frozen=True)
class Schedule:
    """What a month releases: a row per line, and what each credit line takes out."""

    rows: tuple[Deferral, ...]
    taken_back: Mapping[Key, Decimal]

    @property
    def closing(self) -> Decimal:
        """What is left to be released after the month."""
        return sum((row.closing for row in self.rows), Decimal("0.00"))


class _Line(NamedTuple):
    """A line of an invoice whose period is longer than a month, with its run's accounts."""

    number: str
    line: int
    patient_id: str
    product_code: str
    period_start: date
    period_end: date
    income_account: str
    net: Decimal
    pence: int
    issued_on: date
    deferred_basis: str
    deferred_account: str


@dataclass(frozen=True)
class _Credit:
    """A credit note's line: its own key, its day and the pence it takes back."""

    key: Key
    issued_on: date
    pence: int


def is_deferred(start: date | None, end: date | None) -> bool:
    """Whether a line's period is longer than a month."""
    return bool(start and end and (end - start).days + 1 > LONGEST_MONTH)


def is_month(text: str) -> bool:
    """Whether a text is a month as we write it (YYYY-MM)."""
    return bool(re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", text))


def first_of(month: str) -> date:
    """The first day of a month (YYYY-MM)."""
    return date.fromisoformat(f"{month}-01")


def last_of(month: str) -> date:
    """The last day of a month (YYYY-MM)."""
    return first_of(following(month)) - timedelta(days=1)


def following(month: str, months: int = 1) -> str:
    """The month so many months after one; before it, where negative."""
    year, name = month.split("-")
    at = int(year) * 12 + int(name) - 1 + months
    return f"{at // 12:04}-{at % 12 + 1:02}"


def months_begun(start: date, end: date) -> int:
    """How many months begin in a period, counted from its first day."""
    apart = (end.year - start.year) * 12 + end.month - start.month
    return min(apart + (end.day >= start.day), LONGEST_PERIOD)


@lru_cache(maxsize=10_000)
def parts(basis: str, start: date, end: date) -> int:
    """How many parts a period's income is released in."""
    return (end - start).days + 1 if basis == "Days" else months_begun(start, end)


@lru_cache(maxsize=10_000)  # the lines of a month begin and end on few days
def elapsed(basis: str, start: date, end: date, day: date) -> int:
    """How many of a period's parts belong to the months up to a month's last day."""
    if basis == "Days":
        begun = (day - start).days + 1
    else:
        begun = (day.year - start.year) * 12 + day.month - start.month + 1
    return max(0, min(begun, parts(basis, start, end)))


def released(pence: int, gone: int, of: int) -> int:
    """What of an amount is income once `gone` of its parts are, half a penny up."""
    return (2 * pence * gone + of) // (2 * of)


def schedule(ledger: Ledger, month: str) -> Schedule:
    """The deferred income of a month (YYYY-MM), in order of issue."""
    first, last = first_of(month), last_of(month)
    credits = _credits(ledger, last)
    rows: list[Deferral] = []
    taken_back: dict[Key, Decimal] = {}
    for line in _lines(ledger, first, last):
        row, back = _month_of(
            line, credits.get((line.number, line.line), ()), first, last
        )
        taken_back |= back
        if any((row.opening, row.invoiced, row.credited, row.released)):
            rows.append(row)
    return Schedule(tuple(rows), taken_back)


def _lines(ledger: Ledger, first: date, last: date) -> tuple[_Line, ...]:
    """Lines that may have income to come, or are credited in the month."""
    return records(
        ledger,
        _Line,
        "select lines.*, (lines.net * 100)::bigint as pence, invoices.issued_on,"
        " invoices.sequence, heads.deferred_basis, heads.deferred_account"
        " from ledger.lines as lines"
        " inner join ledger.invoices as invoices using (number)"
        " inner join ledger.letterheads as heads using (run_no)"
        " where invoices.kind = 'invoice' and invoices.issued_on <= $2"
        # True of every invoice: it tells DuckDB that the lines are the smaller side.
        " and credits_line is null"
        f" and period_end - period_start + 1 > {LONGEST_MONTH}"
        " and (period_end >= $1 or invoices.issued_on >= $1 or (number, line) in ("
        "  select (credit.credits_number, taken.credits_line)"
        "  from ledger.invoices as credit inner join ledger.lines as taken using (number)"
        "  where credit.kind = 'credit_note' and credit.issued_on between $1 and $2))",
        "sequence, line",
        [first, last],
    )


def _credits(ledger: Ledger, last: date) -> dict[Key, list[_Credit]]:
    """What credit notes have taken back from each line, in their order."""
    found: dict[Key, list[_Credit]] = {}
    for row in ledger.rows(
        "select credit.credits_number as of_number, taken.credits_line as of_line,"
        " taken.number, taken.line, credit.issued_on,"
        " (-taken.net * 100)::bigint as pence"
        " from ledger.invoices as credit inner join ledger.lines as taken using (number)"
        " where credit.kind = 'credit_note' and credit.issued_on <= ?"
        " order by credit.sequence, taken.line",
        [last],
    ):
        credit = _Credit((row["number"], row["line"]), row["issued_on"], row["pence"])
        found.setdefault((row["of_number"], row["of_line"]), []).append(credit)
    return found


def _month_of(
    line: _Line, credits: Sequence[_Credit], first: date, last: date
) -> tuple[Deferral, dict[Key, Decimal]]:
    """One line's month, and what each of the month's credits takes out of it."""
    basis, start, end = line.deferred_basis, line.period_start, line.period_end
    of = parts(basis, start, end)
    is_new = line.issued_on >= first
    before = 0 if is_new else elapsed(basis, start, end, first - timedelta(days=1))
    now = elapsed(basis, start, end, last)
    left = line.pence - _sum(credits, lambda credit: credit.issued_on < first)
    opening = 0 if is_new else left - released(left, before, of)
    back: dict[Key, Decimal] = {}
    credited = 0
    for credit in credits:
        if credit.issued_on < first:
            continue
        after = left - credit.pence
        reversed_ = released(left, before, of) - released(after, before, of)
        back[credit.key] = _pounds(credit.pence - reversed_)
        credited, left = credited + credit.pence - reversed_, after
    out = released(left, now, of) - released(left, before, of)
    return Deferral(
        line.number, line.line, line.patient_id, line.product_code, start,
        end, basis, of, line.income_account, line.deferred_account, line.net,
        opening=_pounds(opening),
        invoiced=line.net if is_new else Decimal("0.00"),
        credited=_pounds(credited),
        released=_pounds(out),
        closing=_pounds(left - released(left, now, of)),
    ), back  # fmt: skip


def _sum(credits: Iterable[_Credit], counts: Any) -> int:
    return sum(credit.pence for credit in credits if counts(credit))


@lru_cache(maxsize=10_000)
def _pounds(pence: int) -> Decimal:
    return Decimal(pence).scaleb(-2)
