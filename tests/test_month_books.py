"""A practice over some months: its registers agree, roll forward and stay as they were."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from pipeline import publish
from pipeline.bookkeeping import accounts
from pipeline.bookkeeping.deferred import following
from pipeline.bookkeeping.journal import unbalanced
from pipeline.ledger import opened
from tests import given as rules
from tests.formulas import worked_out
from tests.practice import add, bill, change, copied, files, make, member, run, set_to
from tests.test_invariants import few, practice, rosters

HEADINGS = 4
MONTHS = ("2026-02", "2026-03", "2026-04")


@dataclass(frozen=True)
class Year:
    """A practice and the registers it had after each step, by their hashes."""

    folder: Path
    after: dict[str, dict[str, str]]

    def book(self, month: str, *, values: bool = True) -> Workbook:
        return _loaded(self.folder / f"out/registers/{month}.xlsx", values)

    def moved(self, step: str) -> set[str]:
        """The registers that a step made or made again."""
        steps = list(self.after)
        before = self.after[steps[steps.index(step) - 1]]
        return {
            name.removesuffix(".xlsx")
            for name, seal in self.after[step].items()
            if before.get(name) != seal
        }


@cache
def _loaded(path: Path, values: bool) -> Workbook:
    """Looked at by many tests and changed by none."""
    return load_workbook(path, data_only=values)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Year:
    folder = make(tmp_path_factory.mktemp("year") / "practice")
    set_to(folder, "Debtors account", "1101")
    add(
        folder,
        "patients",
        member("P3", membership_active="No"),
        member("P4", start_date="2026-02-30"),
        member("P5", start_date="2027-01-01"),
    )
    found = Year(folder, {})

    def note(step: str, result: Any) -> None:
        assert result.code in (0, 3), result.err
        found.after[step] = files(folder / "out/registers")

    note("February", bill(folder, "2026-02-28"))
    change(folder, "patients", "P5", {"Membership active": "No"})
    note("its state", bill(folder, "2026-02-28"))
    note("April", bill(folder, "2026-04-01", "--accept", "date"))
    day = ("--by", "dd", "--on", "2026-04-02")
    note("a sending", run("sent", folder, "INV-000001", "--to", "by post", *day))
    note("a credit", run("credit", folder, "INV-000002", "--reason", "left", *day))
    set_to(folder, "Deferred income account", "2199")
    set_to(folder, "Deferred income basis", "Days")
    note("other settings", bill(folder, "2026-04-02"))
    note("rebuilt", run("rebuild", folder))
    return found


def below(book: Workbook, sheet: str) -> list[dict[str, Any]]:
    """The rows of a list by their headings."""
    rows = list(book[sheet].iter_rows(min_row=HEADINGS, values_only=True))
    names = [str(name).split(" (")[0] for name in rows[0]]
    return [dict(zip(names, row, strict=True)) for row in rows[1:]]


def total(book: Workbook, sheet: str, column: str) -> Decimal:
    amounts = [row[column] for row in below(book, sheet) if row[column] is not None]
    return sum((Decimal(str(amount)) for amount in amounts), Decimal(0))


@pytest.mark.parametrize(
    ("step", "months"),
    [
        pytest.param("its state", {"2026-02"}, id="a standing that moved: its month"),
        pytest.param(
            "April", {"2026-02", "2026-03", "2026-04"},
            id="a new month: it, the one that ended, and one without documents",
        ),
        pytest.param(
            "a sending", {"2026-02", "2026-04"},
            id="a sending: the document's month and its own",
        ),
        pytest.param(
            "a credit", {"2026-02", "2026-04"},
            id="a credit: the invoice's month and its own",
        ),
        pytest.param("other settings", set(), id="a night that bills nobody: none"),
    ],
)  # fmt: skip
def test_a_register_is_made_again_when_something_in_it_changes(
    year: Year, step: str, months: set[str]
) -> None:
    assert year.moved(step) == months


def test_a_later_setting_changes_no_amount_that_was_issued_before(year: Year) -> None:
    assert year.moved("rebuilt") == set(), "made again: the same, byte for byte"
    accounts_used = {row["Account"] for row in below(year.book("2026-04"), "Journal")}
    assert accounts_used == {"1101", "4000", "2110"}


@pytest.mark.parametrize("month", MONTHS)
def test_every_check_of_every_month_shows_nought(year: Year, month: str) -> None:
    rows = list(year.book(month)["Checks"].iter_rows(min_row=6, values_only=True))
    assert len(rows) >= 35
    assert [row for row in rows if row[5] != 0 or row[6] != "Agrees"] == []


@pytest.mark.parametrize("month", MONTHS)
def test_formulas_come_to_the_values_saved_with_them(year: Year, month: str) -> None:
    values = year.book(month)
    found = worked_out(year.book(month, values=False))
    assert len(found) > 100
    for place, value in found.items():
        sheet, cell = place.split("!")
        saved = values[sheet][cell].value
        saved = Decimal(str(saved)) if isinstance(saved, int | float) else saved
        assert saved == value, place


def test_deferred_income_rolls_from_month_to_month(year: Year) -> None:
    books = [year.book(month) for month in MONTHS]
    names = ("Opening", "Invoiced", "Credited", "Released", "Closing")
    found = [[str(total(book, "Deferred income", n)) for n in names] for book in books]
    assert found == [
        ["0", "550", "0", "-45.83", "504.17"],
        ["504.17", "0", "0", "-45.84", "458.33"],
        ["458.33", "0", "-458.33", "0", "0"],
    ]


def test_a_month_without_documents_releases_all_the_same(year: Year) -> None:
    found = [
        (r["Narration"], r["Debit"], r["Credit"])
        for r in below(year.book("2026-03"), "Journal")
    ]
    said = "Deferred income released in March 2026"
    assert found == [(said, 45.84, None), (said, None, 45.84)]


def test_a_credit_comes_out_of_what_was_not_released_and_then_out_of_income(
    year: Year,
) -> None:
    (note,) = below(year.book("2026-04"), "Credit notes")
    amounts = [note[n] for n in ("Net", "Out of deferred income", "Out of income")]
    assert amounts == [-550, -458.33, -91.67]
    assert (note["Credit of"], note["Its line"], note["Reason"]) == (
        "INV-000002",
        1,
        "left",
    )


def test_what_is_unsent_is_told_as_of_the_months_end(year: Year) -> None:
    unsent = {month: below(year.book(month), "Unsent") for month in MONTHS}
    days = {
        month: {row["Number"]: row["Days unsent"] for row in rows}
        for month, rows in unsent.items()
    }
    issued = ("INV-000001", "INV-000002", "INV-000003")
    assert days == {
        "2026-02": dict.fromkeys(issued, 0),
        "2026-03": dict.fromkeys(issued, 31),
        "2026-04": {"INV-000003": 33, "INV-000004": 1, "CRN-000001": 0},
    }
    assert total(year.book("2026-03"), "Unsent", "31 to 60 days") == 650
    # The credited invoice was never sent: its credit note takes nothing off the others.
    assert total(year.book("2026-04"), "Unsent", "Open") == 100


def test_each_active_member_is_explained_once(year: Year) -> None:
    names = ("Patient ID", "Standing", "Periods due", "Billed before",
             "Billed this month", "Missing", "Invoiced")  # fmt: skip
    found = [
        tuple(row[name] for name in names)
        for row in below(year.book("2026-04"), "Members")
    ]
    assert found == [
        ("P1", "Billed", 3, 2, 1, 0, 50),
        ("P2", "Billed", 1, 1, 0, 0, 0),
        ("P4", "Held", 0, 0, 0, 0, 0),
    ]
    february = [row["Patient ID"] for row in below(year.book("2026-02"), "Members")]
    assert february == ["P1", "P2", "P4"]


def test_the_summary_draws_the_last_twelve_months(year: Year) -> None:
    sheet = year.book("2026-04", values=False)["Summary"]
    (chart,) = sheet._charts
    assert chart.series[0].val.numRef.f.count("$") == 4
    rows = list(sheet.iter_rows(values_only=True))
    head = next(at for at, row in enumerate(rows) if row[0] == "Month")
    months = [(row[0], row[3], row[4]) for row in rows[head + 1 : head + 13]]
    assert months[0] == ("May 2025", 0, 0)
    assert months[9:] == [
        ("Feb 2026", 3, 650),
        ("Mar 2026", 0, 0),
        ("Apr 2026", 1, -500),
    ]


@settings(few, max_examples=2)
@given(roster=rosters, bases=some.sampled_from(["Months", "Days"]))
def test_any_practice_has_members_explained_and_a_journal_that_balances(
    roster: list[dict[str, Any]], bases: str
) -> None:
    with rules.kept_ledger() as books:
        for as_of in ("2026-04-30", "2026-07-01"):
            sheets = practice(roster, as_of)  # type: ignore[arg-type]
            chosen = {**sheets["practice"], "deferred_basis": bases}
            typed = [{"setting": "Bill from", "value": chosen["bill_from"]}]
            rules.bill(books, {**sheets, "practice": chosen, "settings": typed})
        for name in ("2026-04", "2026-07"):
            month = accounts.month(books, name)
            assert unbalanced(month.postings) == []
            assert len(month.members) == month.roster
            assert [each for each in month.members if each.missing] == []
        before = accounts.month(books, following("2026-07", -1))
        # July, the last one looked at, carries on what June left.
        assert month.carried == sum(row.closing for row in before.deferrals)


def test_a_release_leaves_once_its_month_is_closed(year: Year, tmp_path: Path) -> None:
    folder = copied(year.folder, tmp_path / "practice")

    def leaves(*options: str) -> str:
        done = run("export", folder, "xero-journal", *options)
        assert done.code == 0, done.err
        return done.out.partition("\n")[0]

    assert run("close", folder, "2026-02", "--by", "mm").code == 0
    nothing = "nothing new for xero-journal"
    assert leaves("--month", "2026-03") == nothing, "nobody closed it"
    first = leaves("--month", "2026-02")
    batch = first.split()[1]
    assert first.endswith(": 3 documents, 650.00 in all, and the release of 2026-02")
    assert leaves("--month", "2026-02") == nothing
    # Nothing was issued in March; it is closed like any other.
    assert "2026-03 is open" in run("close", folder, "2026-04", "--by", "mm").err
    for month in ("2026-03", "2026-04"):
        assert run("close", folder, month, "--by", "mm").code == 0
    made = files(folder / "out/imports")
    assert leaves("--again", batch).endswith(
        ": 3 documents, and the release of 2026-02"
    )
    assert files(folder / "out/imports") == made
    assert leaves("--month", "2026-03").endswith(": the release of 2026-03")
    # What was deferred was credited in April, which releases nothing.
    assert leaves().endswith(": 2 documents, -500.00 in all")
    assert leaves() == nothing


def test_a_product_in_other_letters_leaves_no_period_missing(tmp_path: Path) -> None:
    folder = make(tmp_path)
    set_to(folder, "Bill from", "2026-02-01")
    gold = {"Billing frequency": "", "Start date": "2026-02-01"}
    change(folder, "products", "GOLD", {"Monthly price": ""})
    for patient in ("P1", "P2"):
        change(folder, "patients", patient, gold)
    assert bill(folder, "2026-02-01").code == 0
    change(folder, "products", "GOLD", {"Code": "Gold"})
    assert bill(folder, "2026-03-31", "--accept", "date").code == 0
    with opened(folder / "ledger/membill.duckdb", write=False) as ledger:
        members = accounts.month(ledger, "2026-03").members
    assert [(m.frequency, m.due, m.missing) for m in members] == [("Annual", 1, 0)] * 2


def test_too_many_documents_for_a_page_are_left_off_by_whole_months(
    year: Year, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(year.folder / "ledger/membill.duckdb", write=False) as books:
        issued = {
            row["month"]: row["documents"]
            for row in books.rows(
                "select strftime(issued_on, '%Y-%m') as month, count(*) as documents"
                " from ledger.invoices group by month"
            )
        }
        newest, every = max(issued), sum(issued.values())
        assert accounts.earlier_months(books, every) == {}
        oldest = min(issued)
        assert accounts.earlier_months(books, every - 1) == {oldest: issued[oldest]}
        assert newest not in accounts.earlier_months(books, 0)
        monkeypatch.setattr(publish, "_LISTED", 0)
        night = accounts.night(books)
        assert night
        page = load_workbook(BytesIO(publish._invoices_page(books, night)))
    assert {f"{row['Issued']:%Y-%m}" for row in below(page, "Invoices")} == {newest}
    left = {row["Month"]: row["Documents"] for row in below(page, "Earlier months")}
    assert left == {month: issued[month] for month in issued if month != newest}


def test_a_month_stays_as_its_own_night_and_its_closing_left_it(tmp_path: Path) -> None:
    """Who joins later is no member of it; what is sent after it was closed was unsent."""
    folder = make(tmp_path)
    set_to(folder, "Bill from", "2026-02-01")
    for patient in ("P1", "P2"):
        change(folder, "patients", patient, {"Start date": "2026-02-01"})
    assert bill(folder, "2026-02-28").code == 0
    assert run("close", folder, "2026-02", "--by", "mm", today="2026-03-01").code == 0
    add(folder, "patients", member("P3", start_date="2026-03-05"))
    assert bill(folder, "2026-03-05").code == 0
    sent = ("--to", "x@example.org", "--by", "mm", "--on", "2026-02-28")
    assert run("sent", folder, "INV-000001", *sent, today="2026-03-06").code == 0
    with opened(folder / "ledger/membill.duckdb", write=False) as ledger:
        before, after = (accounts.month(ledger, name) for name in MONTHS[:2])
        now = {entry.number: entry.status for entry in accounts.entries(ledger)}
    assert [each.patient_id for each in before.members] == ["P1", "P2"]
    assert [each.patient_id for each in after.members] == ["P1", "P2", "P3"]
    assert now["INV-000001"] == "sent"
    assert {each.status for each in before.documents} == {"unsent"}
    assert {each.sent_to for each in before.documents} == {""}
