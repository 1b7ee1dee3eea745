"""Deferred income and the journal: by hand for single lines, by hypothesis for any."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from pipeline.bookkeeping import accounts
from pipeline.bookkeeping.deferred import following, is_deferred, months_begun, schedule
from pipeline.bookkeeping.journal import (
    DEBTORS,
    DEFERRED,
    INCOME,
    VAT,
    journal,
    unbalanced,
)
from pipeline.ledger import Ledger
from tests.given import ledger
from tests.issued import Issuing, Sold, in_a_month

YEAR = ("2026-03-15", "2027-03-14")
Amounts = dict[str, str]


@pytest.fixture(scope="module")
def books() -> Iterator[Ledger]:
    with ledger() as empty:
        yield empty


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        pytest.param("2026-03-15", "2027-03-14", 12, id="a year"),
        pytest.param("2026-03-01", "2027-02-28", 12, id="a year from the first"),
        pytest.param("2024-02-29", "2025-02-27", 12, id="a year from 29 February"),
        pytest.param("2027-02-28", "2028-02-28", 12, id="a year up to 29 February"),
        pytest.param("2026-01-31", "2027-01-30", 12, id="a year from the 31st"),
        pytest.param("2026-03-15", "2026-06-14", 3, id="cut short at three months"),
        pytest.param("2026-03-15", "2026-06-15", 4, id="cut short a day later"),
    ],
)
def test_a_period_has_as_many_parts_as_months_begin_in_it(
    start: str, end: str, months: int
) -> None:
    assert months_begun(date.fromisoformat(start), date.fromisoformat(end)) == months


@pytest.mark.parametrize(
    ("start", "end", "deferred"),
    [
        pytest.param("2026-02-28", "2026-03-30", False, id="a clamped month"),
        pytest.param("2026-01-31", "2026-02-27", False, id="a short month"),
        pytest.param("2026-12-15", "2027-01-14", False, id="a month across the year"),
        pytest.param("2026-03-15", "2026-04-15", True, id="a month and a day"),
    ],
)
def test_only_a_period_longer_than_a_month_is_deferred(
    start: str, end: str, deferred: bool
) -> None:
    dates = date.fromisoformat(start), date.fromisoformat(end)
    assert is_deferred(*dates) is deferred


def month(books: Ledger, name: str) -> Amounts:
    """The totals of a month's schedule that are not 0, in pounds."""
    names = ("opening", "invoiced", "credited", "released", "closing")
    rows = schedule(books, name).rows
    sums = {each: sum(getattr(row, each) for row in rows) for each in names}
    return {each: str(amount) for each, amount in sums.items() if amount}


def test_a_year_is_released_in_twelve_parts_that_add_up(books: Ledger) -> None:
    Issuing(books).invoice("2026-03-15", Sold("599.99", *YEAR))
    names = [following("2026-03", at) for at in range(13)]
    parts = [month(books, name).get("released", "0") for name in names]
    assert parts[:4] == ["50.00", "50.00", "50.00", "50.00"]
    assert sum(map(Decimal, parts)) == Decimal("599.99")
    assert parts[11:] == ["50.00", "0"]
    assert month(books, "2026-03") == {
        "invoiced": "599.99", "released": "50.00", "closing": "549.99",
    }  # fmt: skip
    assert month(books, "2027-02") == {"opening": "50.00", "released": "50.00"}


def test_by_days_a_month_releases_its_days(books: Ledger) -> None:
    Issuing(books, "Days").invoice("2026-03-15", Sold("365.00", *YEAR))
    assert [month(books, m)["released"] for m in ("2026-03", "2026-04", "2027-03")] == [
        "17.00", "30.00", "14.00",
    ]  # fmt: skip


def test_a_period_that_is_caught_up_releases_what_is_past_at_once(
    books: Ledger,
) -> None:
    Issuing(books).invoice("2026-05-02", Sold("120.00", *YEAR))
    assert month(books, "2026-04") == {}
    assert month(books, "2026-05") == {
        "invoiced": "120.00", "released": "30.00", "closing": "90.00",
    }  # fmt: skip


def test_a_period_that_starts_later_waits_for_its_month(books: Ledger) -> None:
    Issuing(books).invoice("2026-02-20", Sold("120.00", *YEAR))
    assert month(books, "2026-02") == {"invoiced": "120.00", "closing": "120.00"}
    assert month(books, "2026-03")["released"] == "10.00"


def test_a_whole_credit_takes_back_all_that_is_left_and_what_was_released(
    books: Ledger,
) -> None:
    issuing = Issuing(books)
    number = issuing.invoice("2026-03-15", Sold("120.00", *YEAR))
    note = issuing.credit(number, "2026-06-10", (1, Sold("120.00", *YEAR)))
    assert month(books, "2026-06") == {"opening": "90.00", "credited": "90.00"}
    assert schedule(books, "2026-06").taken_back == {(note, 1): Decimal("90.00")}
    assert month(books, "2026-07") == {}
    assert booked(books, "2026-06") == {
        DEBTORS: "-120.00", INCOME: "30.00", DEFERRED: "90.00",
    }  # fmt: skip


def test_a_part_credit_is_shared_between_past_and_future_months(books: Ledger) -> None:
    issuing = Issuing(books)
    number = issuing.invoice("2026-03-15", Sold("120.00", *YEAR))
    issuing.credit(number, "2026-06-10", (1, Sold("24.00", *YEAR)))
    # 96.00 is left: 8.00 a month, of which 24.00 was earned until May.
    assert month(books, "2026-06") == {
        "opening": "90.00", "credited": "18.00", "released": "8.00", "closing": "64.00",
    }  # fmt: skip


def booked(books: Ledger, name: str) -> Amounts:
    """What a month's journal moves by purpose; debits are positive."""
    sums: dict[str, Decimal] = {}
    for each in accounts.postings(books, name):
        moved = each.debit - each.credit
        sums[each.purpose] = sums.get(each.purpose, Decimal()) + moved
    return {purpose: str(amount) for purpose, amount in sums.items()}


def test_an_invoice_posts_gross_net_and_tax_to_the_accounts_of_its_lines(
    books: Ledger,
) -> None:
    Issuing(books).invoice(
        "2026-03-15",
        Sold("100.00", rate=20, account="4010"),
        Sold("50.00", "2026-03-01", "2026-03-31"),
        Sold("120.00", *YEAR, rate=20),
    )
    found = [
        (p.account, p.purpose, str(p.debit), str(p.credit), p.tax_code, p.source)
        for p in accounts.postings(books, "2026-03")
    ]
    assert found == [
        ("1100", "Debtors", "314.00", "0.00", "", "INV-000001"),
        ("4010", "Income", "0.00", "100.00", "STD", "INV-000001"),
        ("2200", "VAT", "0.00", "44.00", "STD", "INV-000001"),
        ("4000", "Income", "0.00", "50.00", "EXEMPT", "INV-000001"),
        ("2110", "Deferred income", "0.00", "120.00", "STD", "INV-000001"),
        ("2110", "Deferred income", "10.00", "0.00", "", "2026-03"),
        ("4000", "Income", "0.00", "10.00", "", "2026-03"),
    ]


few = settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
FIRST, LAST = "2025-01", "2027-04"
days = some.dates(date(2025, 1, 1), date(2026, 2, 28))


@some.composite
def sales(draw: some.DrawFn) -> dict[str, Any]:
    """An invoice of some lines, and the credits of some of them."""
    issued_on = draw(days)
    lines = []
    for _ in range(draw(some.integers(1, 3))):
        start = issued_on + timedelta(days=draw(some.integers(-200, 40)))
        end = start + timedelta(
            days=draw(some.sampled_from([27, 30, 31, 99, 364, 365]))
        )
        lines.append(
            Sold(
                Decimal(draw(some.integers(0, 60_000))).scaleb(-2), start, end,
                draw(some.sampled_from([0, 20])), draw(some.sampled_from(["4000", "4010"])),
            )
        )  # fmt: skip
    later = draw(some.lists(some.integers(0, 300), max_size=3))
    shares = draw(some.lists(some.integers(1, 100), min_size=3, max_size=3))
    return {"on": issued_on, "lines": lines, "later": sorted(later), "shares": shares}


def put_in(issuing: Issuing, sale: dict[str, Any]) -> None:
    """Issue a sale and its credits, which never take back more than is left."""
    number = issuing.invoice(sale["on"], *sale["lines"])
    line = sale["lines"][0]
    left = Decimal(line.net)
    for after, share in zip(sale["later"], sale["shares"], strict=False):
        back = (left * share / 100).quantize(Decimal("0.01"))
        left -= back
        taken = Sold(back, line.start, line.end, line.rate, line.account)
        issuing.credit(number, sale["on"] + timedelta(days=after), (1, taken))


@few
@given(
    many=some.lists(sales(), min_size=4, max_size=6),
    basis=some.sampled_from(["Months", "Days"]),
)
def test_whatever_is_sold_and_credited_rolls_forward_and_balances(
    books: Ledger, many: list[dict[str, Any]], basis: str
) -> None:
    issuing = Issuing(books, basis)
    for sale in many:
        put_in(issuing, sale)
    documents = list(accounts.documents(books))
    months, name = [], FIRST
    while name <= LAST:
        income = schedule(books, name)
        made = [each for each in documents if f"{each.issued_on:%Y-%m}" == name]
        entries = journal(in_a_month(made)[1], income.rows, income.taken_back, name)
        months.append((income, entries))
        name = following(name)
    for (before, _), (after, _) in pairwise(months):
        opening = sum((row.opening for row in after.rows), Decimal("0.00"))
        assert opening == before.closing
    totals: dict[str, Decimal] = {}
    for income, postings in months:
        assert unbalanced(postings) == []
        for row in income.rows:
            moved = row.opening + row.invoiced - row.credited - row.released
            assert moved == row.closing >= 0
            assert row.credited >= 0 and row.released >= 0
        for each in postings:
            moved = each.credit - each.debit
            totals[each.purpose] = totals.get(each.purpose, Decimal()) + moved
            assert (each.debit == 0) is not (each.credit == 0)
            assert each.debit >= 0 and each.credit >= 0
    assert months[-1][0].closing == 0, "all is released or credited in the end"
    of = {row["kind"]: row for row in books.rows(
        "select kind, sum(net) as net, sum(tax) as tax, sum(gross) as gross"
        " from ledger.invoices group by kind"
    )}  # fmt: skip
    sums = [sum(row[part] for row in of.values()) for part in ("gross", "net", "tax")]
    found = [totals.get(name, Decimal()) for name in (DEBTORS, INCOME, VAT, DEFERRED)]
    assert found == [-sums[0], sums[1], sums[2], 0]
