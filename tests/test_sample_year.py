"""The sample over a year: twelve workbooks, deferred income, journals, imports agree."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Any

import pytest
from openpyxl import load_workbook

from tests import emulated
from tests.practice import files, invoices, run
from tests.sample_year import CAUGHT_UP, MONTHS, TARGETS, Year, played

HEADINGS = 4
CHECKS = 5  # the row of their headings
CLOSED = MONTHS[:-1]
Amounts = dict[str, Decimal]
Row = dict[str, Any]


@dataclass(frozen=True)
class Books:
    """The twelve registers, read back from their workbooks, and what proved the ledger."""

    year: Year
    proof: str

    @cached_property
    def sheets(self) -> dict[str, dict[str, list[Row]]]:
        """Rows by month and sheet; money as Decimal."""
        found = {}
        for month in MONTHS:
            book = load_workbook(
                self.year.register(month), data_only=True, read_only=True
            )
            found[month] = {
                sheet.title: list(
                    _rows(sheet, CHECKS if sheet.title == "Checks" else HEADINGS)
                )
                for sheet in book
                if sheet.title != "Summary"
            }
        return found

    def rows(self, sheet: str, *months: str) -> Iterator[Row]:
        """The rows of a sheet of some months, of all if none is named."""
        for month in months or MONTHS:
            yield from self.sheets[month][sheet]

    def left(self, target: str) -> bytes:
        """Everything a package got, as one file."""
        first, *more = (path.read_bytes() for path in self.year.left[target])
        return first + b"".join(each.split(b"\r\n", 1)[1] for each in more)


def _rows(sheet: Any, headings: int) -> Iterator[Row]:
    rows = list(sheet.iter_rows(min_row=headings, values_only=True))
    names = [str(name).removesuffix(" (£)") for name in rows[0]]
    for row in rows[1:]:
        yield dict(zip(names, map(_exact, row), strict=True))


def _exact(value: Any) -> Any:
    return Decimal(repr(value)) if isinstance(value, int | float) else value


def sums() -> Amounts:
    """Amounts that begin at nothing."""
    return defaultdict(Decimal)


def _total(rows: Iterator[Row], column: str) -> Decimal:
    return sum((row[column] or Decimal(0) for row in rows), Decimal(0))


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Books:
    year = played(tmp_path_factory.mktemp("sample year") / "practice")
    return Books(year, run("verify", year.folder, "--deep").out)


def test_the_ledger_and_all_that_was_made_hold_what_they_promise(books: Books) -> None:
    assert "WRONG" not in books.proof
    assert "every invoice made again is the same, byte for byte" in books.proof
    assert "every import file made again is the same, byte for byte" in books.proof


def test_the_year_holds_what_it_is_told_to(books: Books) -> None:
    found = invoices(books.year.folder)
    kinds = Counter((row["kind"], row["status"]) for row in found)
    assert kinds["credit_note", "unsent"] == 6
    assert kinds["invoice", "credited"] == 2
    assert kinds["invoice", "sent"] == 13
    missed = {
        row["Period start"].day
        for row in books.rows("Lines", "2026-06")
        if row["Issued"].date().isoformat() == CAUGHT_UP
    }
    assert missed == {1, 5, 6}, "each period of the missed week, from its own day"
    assert all(list(books.rows("Lines", month)) for month in MONTHS)
    lines = list(books.rows("Lines"))
    bronze = {row["Unit price"] for row in lines if row["Product"] == "BRONZE"}
    assert bronze == {Decimal(15), Decimal("16.5")}, "the price rose in July"
    starts = [row["Period start"] for row in lines if row["Patient ID"] == "P0002"]
    assert f"{max(starts):%Y-%m-%d}" == "2026-06-30", "who left is billed no more"
    assert {"P0041", "P0042", "P0043", "P0044"} <= {row["Patient ID"] for row in lines}
    bases = {row["Spread by"] for row in books.rows("Deferred income")}
    assert bases == {"Months", "Days"}
    (again,) = [
        row
        for row in books.rows("Lines", "2026-05")
        if (row["Patient ID"], row["Frequency"]) == ("P0042", "Annual")
        and row["Kind"] == "Invoice"
    ]
    assert (again["Period start"].day, again["Net"]) == (20, 269)


@pytest.mark.parametrize("month", MONTHS)
def test_every_check_of_every_month_shows_nought(month: str, books: Books) -> None:
    rows = list(books.rows("Checks", month))
    assert len(rows) >= 35
    assert [row for row in rows if row["Difference"] or row["Result"] != "Agrees"] == []


def test_a_closed_month_is_the_workbook_that_was_closed(books: Books) -> None:
    now = files(books.year.folder / "out/registers")
    assert books.year.sealed == {month: now[f"{month}.xlsx"] for month in CLOSED}


def test_deferred_income_rolls_from_month_to_month_line_by_line(books: Books) -> None:
    for month, after in pairwise(MONTHS):
        closing, opening = (
            {
                (row["Number"], row["Line"]): row[name]
                for row in books.rows("Deferred income", each)
                if row[name]
            }
            for each, name in ((month, "Closing"), (after, "Opening"))
        )
        assert opening == closing != {}
    parts = ("Opening", "Invoiced", "Credited", "Released")
    for row in books.rows("Deferred income"):
        assert sum(row[part] for part in parts) == row["Closing"] >= 0


def test_journals_balance_and_tie_to_deferred_income_and_tax(books: Books) -> None:
    for month in MONTHS:
        journal = list(books.rows("Journal", month))
        entries, purposes = sums(), sums()
        for row in journal:
            moved = (row["Debit"] or Decimal(0)) - (row["Credit"] or Decimal(0))
            entries[row["Narration"]] += moved
            purposes[row["For"]] += moved
        assert not any(entries.values()), entries
        income = list(books.rows("Deferred income", month))
        assert -purposes["Deferred income"] == sum(
            row["Closing"] - row["Opening"] for row in income
        )
        assert -purposes["VAT"] == _total(
            books.rows("Tax summary", month), "Together tax"
        )
        assert purposes["Debtors"] == _total(books.rows("Invoices", month), "Gross")


def test_what_is_unsent_is_less_what_was_credited_once(books: Books) -> None:
    def unsent(month: str) -> dict[str, Decimal]:
        return {row["Number"]: row["Open"] for row in books.rows("Unsent", month)}

    before, after = unsent("2026-04"), unsent("2026-05")
    changed = {n: open_ for n, open_ in after.items() if before.get(n, open_) != open_}
    assert list(changed.values()) == [500], "549 less 49 credited in part"
    notes = {number: open_ for number, open_ in after.items() if "CRN" in number}
    assert notes == {"CRN-000001": 0, "CRN-000002": 0}
    assert unsent("2026-09")["CRN-000004"] == -480, "its invoice was sent"


# What left for the packages


def _documents(books: Books, *kinds: str) -> emulated.Totals:
    return {
        row["Number"]: (row["Net"], row["Tax"], row["Gross"])
        for row in books.rows("Invoices")
        if row["Kind"] in kinds
    }


def test_every_package_got_what_the_registers_hold(books: Books) -> None:
    of_invoices = _documents(books, "Invoice")
    of_all = _documents(books, "Invoice", "Credit note")
    assert len(of_all) == len(of_invoices) + 6
    for target in ("xero", "quickbooks"):
        content = books.year.left[target][0].read_bytes()
        for own_tax in (True, False):
            found = emulated.invoices(content, inclusive=False, own_tax=own_tax)
            assert found == of_invoices
    notes = emulated.invoices(
        books.year.left["xero"][1].read_bytes(), inclusive=False, own_tax=False
    )
    for number, amounts in notes.items():
        assert of_all[number] == tuple(-amount for amount in amounts)
    assert of_invoices.keys() | notes.keys() == of_all.keys()
    assert emulated.sage50(books.left("sage50")) == of_all
    assert emulated.sage_accounting(books.left("sage-accounting")) == of_all
    assert emulated.quickfile(books.left("quickfile")) == of_invoices
    journals = emulated.journals(books.left("xero-journal"), debtors="611", tax="821")
    assert journals == of_all
    assert set(books.year.left) == set(TARGETS)


def test_what_left_as_journals_is_the_registers_journals_account_by_account(
    books: Books,
) -> None:
    theirs = {"1100": "611", "2200": "821"}
    expected, found = sums(), sums()
    for row in books.rows("Journal"):
        if row["Source"] == MONTHS[-1]:
            continue  # the release of the month that is open
        key = f"{row['Date']:%Y-%m} {theirs.get(row['Account'], row['Account'])}"
        expected[key] += (row["Debit"] or 0) - (row["Credit"] or 0)
    for row in emulated.rows(books.left("xero-journal")):
        month = f"{row['*Date'][6:]}-{row['*Date'][3:5]}"
        found[f"{month} {row['*AccountCode']}"] += Decimal(row["*Amount"])
    assert found == expected
    assert {key.split()[1] for key in found} >= {"2110", "2115", "4000", "4010", "4011"}
    releases = [
        {row["*Narration"] for row in emulated.rows(path.read_bytes())
         if "released in" in row["*Narration"]}
        for path in books.year.left["xero-journal"]
    ]  # fmt: skip
    assert [len(each) for each in releases] == [6, 5], "of the closed months, each once"
