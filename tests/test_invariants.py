"""What holds of any practice and any nights: nothing twice, nothing lost, all adds up."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from pipeline import run
from pipeline.choices import GUARDS
from pipeline.ledger import Ledger, ledger_path, opened
from tests.given import bill, kept_ledger, read
from tests.practice import add, make, member, set_to

# The same few examples each time: a night takes a quarter of a second.
few = settings(
    max_examples=2,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

days = some.dates(date(2026, 1, 1), date(2026, 10, 31))


@some.composite
def members(draw: some.DrawFn) -> dict[str, Any]:
    """A patient's row, most of them in order."""
    start = draw(some.dates(date(2025, 1, 1), date(2026, 10, 31)))
    length = draw(some.none() | some.integers(0, 500))
    return {
        "membership": draw(some.sampled_from(["GOLD", "GOLD", "SILVER"])),
        "billing_frequency": draw(
            some.sampled_from(["Monthly", "Monthly", "Monthly", "Annual", None])
        ),
        "start_date": start,
        "end_date": None if length is None else start + timedelta(days=length),
        "bill_from": draw(some.none() | some.none() | days),
        "bill_to": draw(some.sampled_from([None, None, "ACME", "ZETA"])),
        "membership_active": draw(some.integers(0, 9)) > 0,
        "held": draw(some.integers(0, 9)) == 0,
    }


# One in which every row is held, the first that is drawn, would show nothing.
rosters = some.lists(members(), min_size=45, max_size=45).filter(
    lambda roster: not all(row["held"] for row in roster)
)


def practice(roster: list[dict[str, Any]], as_of: date) -> dict[str, Any]:
    """A practice with two payers, of whom one combines, and taxed pennies."""
    return {
        "as_of": str(as_of),
        # Every period of the year lies inside Catch-up days.
        "practice": {"bill_from": "2026-01-01", "catch_up_days": 400},
        "products": [
            {},
            {"code": "SILVER", "monthly_price": "0.13", "tax_code": "STD"},
        ],
        "contacts": [{"combine_invoices": True}, {"code": "ZETA", "name": "Zeta"}],
        "contract_prices": [{"monthly_price": "44.00", "valid_from": "2026-06-01"}],
        "price_changes": [{"effective_from": "2026-04-01", "monthly_price": "52.00"}],
        "patients": [
            {"patient_id": f"P{at:02}", **row} for at, row in enumerate(roster)
        ],
    }


LINES = "patient_id, period_start, period_end, net, tax, gross, price_source"


@few
@given(roster=rosters, nights=some.lists(days, min_size=3, max_size=3))
def test_any_nights_in_any_order_bill_what_one_at_the_last_would(
    roster: list[dict[str, Any]], nights: list[date]
) -> None:
    with kept_ledger() as books:
        for at, as_of in enumerate(nights):
            bill(books, practice(roster, as_of))
            if any(as_of <= earlier for earlier in nights[:at]):
                assert read(books, "model.new_invoices", "number") == []
        billed = read(books, "ledger.lines", LINES)
    with kept_ledger() as books:
        bill(books, practice(roster, max(nights)))
        assert read(books, "ledger.lines", LINES) == billed


@few
@given(roster=rosters, edited=rosters, first=days, last=days)
def test_whatever_is_edited_between_two_nights(
    roster: list[dict[str, Any]],
    edited: list[dict[str, Any]],
    first: date,
    last: date,
) -> None:
    with kept_ledger() as books:
        for rows, as_of in ((roster, first), (edited, last)):
            bill(books, practice(rows, as_of))
            every_membership_is_in_one_bucket(books, len(rows))
        invoices_are_the_sums_of_their_lines(books)
        numbers_have_no_gap(books)
        no_day_is_billed_twice(books)


def every_membership_is_in_one_bucket(books: Ledger, members: int) -> None:
    assert len(read(books, "model.standings", "bucket")) == members
    due = set(read(books, "model.new_lines", "patient_id"))
    billed = "model.standings where bucket = 'billed'"
    assert set(read(books, billed, "patient_id")) == due


def invoices_are_the_sums_of_their_lines(books: Ledger) -> None:
    sums = "sum(net)::decimal(14, 2), sum(tax)::decimal(14, 2), sum(gross)"
    by_line = (
        f"(select number, {sums}::decimal(14, 2) from ledger.lines group by number)"
    )
    listed = read(books, "ledger.invoices", "number, net, tax, gross")
    assert read(books, by_line, "*, 0") == [(*row, 0) for row in listed]
    assert books.rows("from ledger.lines where net + tax <> gross") == []


def numbers_have_no_gap(books: Ledger) -> None:
    sequence = read(books, "ledger.invoices", "sequence")
    assert sequence == list(range(1, len(sequence) + 1))
    assert read(books, "ledger.invoices", "number") == [
        f"INV-{number:06d}" for number in sequence
    ]


def no_day_is_billed_twice(books: Ledger) -> None:
    overlaps = books.rows(
        "from ledger.billed_periods as this inner join ledger.billed_periods as other"
        " on this.patient_key = other.patient_key"
        " and this.period_start < other.period_start"
        " and this.period_end >= other.period_start"
    )
    assert overlaps == []


def night(folder: Path, as_of: str) -> dict[str, Any]:
    """The whole program's night of a day, every guard let through; its report."""
    outcome = run.bill(
        folder,
        ledger_path(folder),
        as_of=date.fromisoformat(as_of),
        today=lambda zone: date(2026, 10, 31),
        accepted=GUARDS,
    )
    return outcome.report


def whole_practice(folder: Path) -> Path:
    """A practice on disk whose members start on days that months lack."""
    make(folder)
    set_to(folder, "Catch-up days", "400")
    add(
        folder,
        "patients",
        member("P3", start_date="2026-01-30", end_date="2026-03-01"),
        member("P4", start_date="2024-02-29", billing_frequency="Annual"),
        member("P5", start_date="2026-01-15", membership_active="No"),
        member("P6", start_date="2026-02-30"),
    )
    return folder


def billed_lines(folder: Path) -> list[Any]:
    with opened(ledger_path(folder), write=False) as books:
        return read(books, "ledger.lines", LINES)


def issued(folder: Path) -> dict[str, bytes]:
    """Every published invoice, byte for byte."""
    files = sorted((folder / "out" / "invoices").rglob("*.xlsx"))
    return {file.name: file.read_bytes() for file in files}


# A night, the same again, an earlier one, and a later one.
NIGHTS = ("2026-02-28", "2026-02-28", "2026-01-31", "2026-03-31")


@dataclass(frozen=True)
class Often:
    """A practice billed on each of `NIGHTS`: invoices made, and files after each."""

    folder: Path
    made: list[int]
    issued: list[dict[str, bytes]]


@pytest.fixture(scope="module")
def often(tmp_path_factory: pytest.TempPathFactory) -> Often:
    folder = whole_practice(tmp_path_factory.mktemp("often"))
    found = Often(folder, [], [])
    for as_of in NIGHTS:
        found.made.append(night(folder, as_of)["invoices_made"])
        found.issued.append(issued(folder))
    return found


def test_the_same_night_again_and_an_earlier_one_make_nothing(often: Often) -> None:
    assert often.made == [6, 0, 0, 1]


def test_an_issued_invoice_never_changes(often: Often) -> None:
    first, again, earlier, later = often.issued
    assert len(first) == 6
    assert first == again == earlier
    assert {name: later[name] for name in first} == first


def test_the_whole_program_bills_the_same_by_many_nights_as_by_one(
    often: Often, tmp_path: Path
) -> None:
    once = whole_practice(tmp_path)
    report = night(once, NIGHTS[-1])
    assert billed_lines(once) == billed_lines(often.folder)
    assert report["invoices_made"] == 7
    assert report["memberships"] == {
        "billed": 4, "already_billed": 0, "not_yet_due": 0, "ended": 0, "inactive": 1,
        "auto_invoice_off": 0, "before_bill_from": 0, "held": 1,
    }  # fmt: skip
