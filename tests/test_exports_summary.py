"""The summary page: parsed back, added up, and searched for what must not be in it."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from pipeline.bookkeeping.books import (
    Change,
    Entry,
    Held,
    MonthTotal,
    Night,
    OpenProblem,
)
from pipeline.exports import summary
from pipeline.problems import Place, Problem, Severity

AS_OF = date(2026, 3, 31)


def entry(
    number: int,
    gross: str = "49.99",
    days: int = 0,
    kind: str = "invoice",
    patient_id: str = "P0001",
    bill_to: str = "",
) -> Entry:
    return Entry(
        number=f"INV-{number:06}",
        kind=kind,
        status="unsent",
        active=True,
        membership=True,
        issued_on=AS_OF - timedelta(days),
        due_on=AS_OF,
        patient_id=patient_id,
        patient_name="Robin Alder",
        bill_to=bill_to,
        bill_to_name="Robin Alder",
        currency="GBP",
        net=Decimal(gross),
        tax=Decimal("0.00"),
        gross=Decimal(gross),
        credits=Decimal("0.00"),
        sent_on=None,
        sent_to="robin@example.org",
        run_id="N1",
        path=f"invoices/2026/03/INV-{number:06}.xlsx",
        open=Decimal(gross),
    )


def months(*gross: str) -> tuple[MonthTotal, ...]:
    return tuple(
        MonthTotal(
            f"{2025 + (3 + n) // 12}-{(3 + n) % 12 + 1:02}", 1, *[Decimal(text)] * 3
        )
        for n, text in enumerate(gross)
    )


NIGHT = Night(
    run_id="N1",
    as_of=AS_OF,
    practice_name="Harbour Lane Surgery",
    currency="GBP",
    memberships={
        "billed": 3,
        "already_billed": 14,
        "not_yet_due": 2,
        "ended": 5,
        "inactive": 4,
        "auto_invoice_off": 0,
        "before_bill_from": 1,
        "held": 2,
    },
    made=(
        entry(1),
        entry(2, "1000.01"),
        entry(3, "240.00", patient_id="", bill_to="ACME"),
    ),
    held=(
        Held("P0007", "GOLD", "too-old", Decimal("99.98")),
        Held("P0008", "", "row", None),
        Held("P0009", "CONSULT", "row", Decimal("85.00")),
    ),
    problems=(
        OpenProblem(
            Problem(
                Severity.HELD,
                "name-blank",
                Place("patients.xlsx", "Patients", 8, "Last name", "D8"),
                "Robin Alder has no last name",
            ),
            AS_OF,
            1,
        ),
    ),
    changes=(
        Change("Products", "GOLD", "Monthly price", "49.99", "52.00", "mm", True),
        Change(
            "Settings", "Catch-up days", "Value", "60", "90", "dd", False, "no right"
        ),
        Change("Patients", "P0001", "Last name", "Alder", "Elder", "dd", True),
    ),
    unsent=(
        entry(1),
        entry(4, days=13),
        entry(5, days=14),
        entry(6, days=29),
        entry(7, days=30),
    ),
    months=months("0.00", "120.50", *["1000.00"] * 9, "1290.00"),
    chain_head="9f2c" * 16,
)
EMPTY = replace(
    NIGHT,
    made=(),
    held=(),
    problems=(),
    changes=(),
    unsent=(),
    months=(),
    memberships={},
)


class Page(HTMLParser):
    """A page's tags, its table rows cell by cell, and all its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        self.words += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        return next(row for row in self.rows if row[0] == first)


def page(night: Night) -> Page:
    return Page(summary.render(night))


NIGHTS = {"a full night": NIGHT, "an empty night": EMPTY}


@pytest.mark.parametrize("night", NIGHTS.values(), ids=NIGHTS.keys())
class TestEveryNight:
    def test_is_whole_and_closes_every_tag(self, night: Night) -> None:
        assert page(night).open == []

    def test_gives_the_same_page_twice(self, night: Night) -> None:
        assert summary.render(night) == summary.render(night)

    def test_needs_no_script_and_no_other_file(self, night: Night) -> None:
        text = summary.render(night)
        tags = page(night).tags
        assert not {"script", "link", "img", "iframe", "a"} & {tag for tag, _ in tags}
        assert not {"src", "href"} & {
            name for _, attributes in tags for name in attributes
        }
        assert not re.search(r"https?:|url\(|@import", text)

    def test_names_the_practice_the_day_and_the_run(self, night: Night) -> None:
        said = page(night).words
        assert "Harbour Lane Surgery" in said
        assert "Tuesday 31 March 2026" in said
        assert "run N1" in said

    def test_says_its_language(self, night: Night) -> None:
        assert ("html", {"lang": "en-GB"}) in page(night).tags


def test_no_name_of_a_patient_is_on_the_page() -> None:
    text = summary.render(NIGHT)
    assert not re.search("Robin|Alder|Elder|example.org", text)


def test_a_refused_night_has_no_summary() -> None:
    with pytest.raises(ValueError, match="refused night"):
        summary.render(replace(NIGHT, refused=True))


def test_the_big_numbers_are_those_of_the_night() -> None:
    assert summary.figures(NIGHT) == [
        ("Invoices made", "3", "tonight"),
        ("Invoiced tonight", "£1,290.00", "tax included"),
        ("Memberships held", "2", "and 1 request"),
        ("Held back", "£184.98", "1 amount not known"),
        ("Not sent yet", "5", "the oldest for 30 days"),
    ]


def test_the_eight_counts_add_up_to_the_roster() -> None:
    counts = summary.buckets(NIGHT.memberships)
    assert len(counts) == 8
    assert sum(count for _, count in counts) == 31
    assert page(NIGHT).row("On the roster") == ["On the roster", "31"]
    assert page(NIGHT).row("Billed tonight") == ["Billed tonight", "3"]


@pytest.mark.parametrize(
    ("days", "span"),
    [(0, 0), (13, 0), (14, 1), (29, 1), (30, 2), (400, 2), (-1, 0)],
    ids=lambda value: str(value),
)
def test_unsent_documents_stand_in_the_span_of_their_age(days: int, span: int) -> None:
    ages = summary.unsent_by_age([entry(1, days=days)], AS_OF, "GBP")
    assert [age.count for age in ages] == [int(place == span) for place in range(3)]


def test_what_is_unsent_is_what_is_open_of_it() -> None:
    open_ = Decimal("30.00")
    both = [entry(1, "50.00"), entry(2, "-20.00", kind="credit_note")]
    partly = [both[0]._replace(open=open_), both[1]._replace(open=Decimal("0.00"))]
    for unsent in (both, partly):
        assert summary.unsent_by_age(unsent, AS_OF, "GBP")[0].open == "£30.00"


def test_unsent_adds_up() -> None:
    shown = page(NIGHT)
    assert shown.row("0 to 13 days") == ["0 to 13 days", "2", "£99.98"]
    assert shown.row("14 to 29 days") == ["14 to 29 days", "2", "£99.98"]
    assert shown.row("30 days or more") == ["30 days or more", "1", "£49.99"]
    assert shown.row("Not sent") == ["Not sent", "5", "£249.95"]


def test_invoices_of_the_night_are_listed_by_number_and_patient_id() -> None:
    shown = page(NIGHT)
    assert shown.row("INV-000002") == ["INV-000002", "P0001", "£1,000.01"]
    assert shown.row("INV-000003")[1] == "several members, billed to ACME"


def test_more_than_twenty_invoices_are_counted_not_listed() -> None:
    shown = page(replace(NIGHT, made=tuple(entry(number) for number in range(1, 26))))
    assert sum(row[0].startswith("INV-") for row in shown.rows) == 20
    assert "And 5 more in invoices.xlsx" in shown.words
    assert "Invoiced tonight: £1,249.75" in shown.words


def test_a_report_by_product_is_told_instead_of_the_invoices() -> None:
    rows = [{"product_code": "GOLD", "lines": 3, "gross": "1290.00"}]
    shown = page(replace(NIGHT, report={"by_product": rows}))
    assert shown.row("GOLD") == ["GOLD", "3", "£1,290.00"]
    assert not any(row[0].startswith("INV-") for row in shown.rows)


@pytest.mark.parametrize(
    "rows",
    [
        None,
        [{"product_code": "GOLD"}],
        [3],
        [{"product_code": "G", "lines": 1, "gross": "x"}],
    ],
    ids=["none", "a row cut short", "no row at all", "an amount that is none"],
)
def test_a_report_that_cannot_be_read_leaves_the_invoices(rows: object) -> None:
    assert page(replace(NIGHT, report={"by_product": rows})).row("INV-000001")


def test_held_is_grouped_by_reason_with_ids_and_amounts() -> None:
    shown = page(NIGHT)
    assert shown.row("Its row has a problem.")[1:] == [
        "P0008, P0009",
        "2",
        "£85.00 and more",
    ]
    far_back = shown.row("A period lies further back than Catch-up days.")
    assert far_back[1:] == ["P0007", "1", "£99.98"]


def test_a_long_list_of_ids_is_cut_and_counted() -> None:
    held = tuple(Held(f"P{n:04}", "GOLD", "row", Decimal("1.00")) for n in range(10))
    (reason,) = summary.reasons(held, "GBP")
    assert reason.ids == "P0000, P0001, P0002, P0003, P0004 and 5 more"
    assert (reason.count, reason.amount) == (10, "£10.00")


def test_changes_are_told_refused_first_and_those_of_patients_only_counted() -> None:
    shown = page(NIGHT)
    told = [row for row in shown.rows if row[-1].startswith(("Accepted", "Refused"))]
    assert [row[0] for row in told if len(row) == 5 and row[0] != "What"] == [
        "Settings: Catch-up days, Value",
        "Products: GOLD, Monthly price",
    ]
    assert shown.row("Settings: Catch-up days, Value")[-1] == "Refused: no right"
    assert "and 1 more on the sheet Changes of issues.xlsx" in shown.words


def test_problems_are_counted_and_lead_to_the_issues_workbook() -> None:
    said = page(NIGHT).words
    assert (
        "1 not billed. Where each is and how to repair it stands in issues.xlsx" in said
    )


def test_an_empty_night_says_so_everywhere() -> None:
    said = page(EMPTY).words
    for text in (
        "Nothing to fix. No invoice was made on Tuesday 31 March 2026; nobody is held.",
        "No invoice was made.",
        "Nobody is held.",
        "Nothing was changed.",
        "No invoice has been issued yet.",
        "None. Every row could be read and used.",
    ):
        assert text in said


def test_the_chart_tells_its_values_to_who_cannot_see_it() -> None:
    tags = page(NIGHT).tags
    drawing = dict(tags)["svg"]
    assert drawing["role"] == "img"
    assert drawing["aria-labelledby"] == "chart-title chart-described"
    said = page(NIGHT).words
    assert "April 2025 £0.00; May 2025 £120.50;" in said
    assert "March 2026 £1,290.00." in said
    assert [tag for tag, _ in tags].count("rect") == 12


MONTHS = {
    "a rising year": months("0.00", "5.00", "10.00"),
    "a month credited below nothing": months("10.00", "-5.00"),
    "only credits": months("-5.00", "-1.00"),
    "nothing at all": months("0.00", "0.00"),
    "one month": months("7.50"),
}


@pytest.mark.parametrize("shown", MONTHS.values(), ids=MONTHS.keys())
def test_every_bar_stays_in_the_drawing_and_keeps_its_proportion(
    shown: tuple[MonthTotal, ...],
) -> None:
    drawn = summary.chart(shown, "GBP")
    highest = max(abs(month.gross) for month in shown)
    tallest = max(bar.height for bar in drawn["bars"])
    for month, bar in zip(shown, drawn["bars"], strict=True):
        assert 0 <= bar.top <= bar.top + bar.height <= drawn["height"]
        assert 0 <= bar.left <= bar.left + bar.width <= drawn["width"]
        if highest:
            wanted = float(abs(month.gross) / highest) * tallest
            assert bar.height == pytest.approx(wanted, abs=0.1)


HOSTILE = '<script>alert("x")</script>=1+1&'


def test_hostile_text_is_shown_never_run() -> None:
    night = replace(
        NIGHT,
        run_id=HOSTILE,
        practice_name=HOSTILE,
        chain_head=HOSTILE,
        accepted_guards=(HOSTILE,),
        made=(entry(1)._replace(number=HOSTILE, patient_id=HOSTILE, bill_to=HOSTILE),),
        held=(Held(HOSTILE, HOSTILE, HOSTILE, None),),
        changes=(Change("Products", *[HOSTILE] * 5, accepted=False, reason=HOSTILE),),
    )
    text = summary.render(night)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 10
    assert HOSTILE in page(night).words
