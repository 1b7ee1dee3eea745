"""The Invoices page and the register of a month, read back from their bytes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from formulas import worked_out
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.bookkeeping.books import Document, Entry, Letterhead, Line, Month
from pipeline.bookkeeping.journal import journal
from pipeline.exports import invoice_list, lists, register, to_send
from pipeline.exports.register_sums import by_product
from tests.issued import in_a_month

AS_OF = date(2026, 3, 31)
HEADINGS = [
    "Number",
    "Kind",
    "Status",
    "Active",
    "Membership",
    "Issued",
    "Due",
    "Patient ID",
    "Patient",
    "Bill to",
    "Addressed to",
    "Net (£)",
    "Tax (£)",
    "Gross (£)",
    "Credits (£)",
    "Sent on",
    "Sent to",
    "Days unsent",
    "Run",
]


def line(number: int, product: str, net: str, rate: int = 0) -> Line:
    tax = (Decimal(net) * rate / 100).quantize(Decimal("0.01"))
    return Line(
        line=number,
        patient_id="00123",
        patient_name="Robin Alder",
        product_code=product,
        description=f"{product.title()} membership",
        healthcode_code="",
        income_account="4000",
        membership=True,
        frequency="Monthly",
        period_start=date(2026, 3, 1),
        period_end=date(2026, 3, 31),
        quantity=1,
        unit_price=Decimal(net),
        tax_code="STD" if rate else "EXEMPT",
        tax_name="Standard rate" if rate else "Exempt",
        tax_rate=Decimal(rate),
        net=Decimal(net),
        tax=tax,
        gross=Decimal(net) + tax,
        price_source="products.xlsx Products row 2",
    )


def document(number: str, day: int, *lines: Line, kind: str = "invoice") -> Document:
    return Document(
        number=number,
        kind=kind,
        run_id="2026-03-01-a",
        issued_on=date(2026, 3, day),
        due_on=date(2026, 3, day + 14),
        membership=True,
        patient_id="00123",
        patient_name="Robin Alder",
        bill_to="",
        bill_to_name="Robin Alder",
        email="",
        address=(),
        accounts_reference="",
        currency="GBP",
        net=sum((each.net for each in lines), Decimal()),
        tax=sum((each.tax for each in lines), Decimal()),
        gross=sum((each.gross for each in lines), Decimal()),
        credits_number="INV-000001" if kind == "credit_note" else "",
        credits_issued_on=date(2026, 3, 1) if kind == "credit_note" else None,
        reason="",
        sha256="",
        letterhead=Letterhead("Harbour Lane Surgery"),
        lines=lines,
        sequence=int(number.rpartition("-")[2]),
    )


def entry(of: Document, **changes: object) -> Entry:
    plain = Entry(
        number=of.number,
        kind=of.kind,
        status="unsent",
        active=True,
        membership=of.membership,
        issued_on=of.issued_on,
        due_on=of.due_on,
        patient_id=of.patient_id,
        patient_name=of.patient_name,
        bill_to=of.bill_to,
        bill_to_name=of.bill_to_name,
        currency="GBP",
        net=of.net,
        tax=of.tax,
        gross=of.gross,
        credits=Decimal("0.00"),
        sent_on=None,
        sent_to="",
        run_id=of.run_id,
        path=of.path,
        open=of.gross,
    )
    return plain._replace(**changes)  # type: ignore[arg-type]


DOCUMENTS = (
    document("CRN-000001", 9, line(1, "GOLD", "49.99"), kind="credit_note"),
    document("INV-000001", 1, line(1, "GOLD", "49.99")),
    document("INV-000002", 1, line(1, "GOLD", "49.99"), line(2, "REPORT", "0.13", 20)),
    document("INV-000003", 2, line(1, "SILVER", "19.10")),
)
ENTRIES = (
    entry(DOCUMENTS[0], active=False),
    entry(DOCUMENTS[1], status="credited", active=False, credits=Decimal("49.99")),
    entry(DOCUMENTS[2], status="sent", sent_on=date(2026, 3, 2), sent_to="by post"),
    entry(DOCUMENTS[3], membership=False),
)
ISSUED, LINES = in_a_month(DOCUMENTS, ENTRIES)
MARCH = Month(
    "2026-03", "Harbour Lane Surgery", "GBP", ISSUED, LINES, "c0ffee",
    postings=journal(LINES, (), {}, "2026-03"), others=Decimal("119.24"),
)  # fmt: skip
QUIET = Month("2026-04", "Harbour Lane Surgery", "GBP", (), ())


def of(documents: Sequence[Document]) -> Month:
    """The month with other documents, and what was posted for those it has."""
    issued, lines = in_a_month(documents, ENTRIES)
    return replace(MARCH, documents=issued, lines=lines)


def listed(entries: tuple[Entry, ...] = ENTRIES) -> bytes:
    return invoice_list.render(entries, practice_name="Harbour Lane", as_of=AS_OF)


def shown(content: bytes) -> Workbook:
    """The values as a reader sees who does not calculate."""
    return load_workbook(BytesIO(content), data_only=True)


def formulas(content: bytes) -> Workbook:
    return load_workbook(BytesIO(content))


def rows(sheet: Worksheet) -> list[dict[str, object]]:
    """The rows of a list by their headings."""
    heads = [cell.value for cell in sheet[lists.HEADING_ROW + 1]]
    below = sheet.iter_rows(min_row=lists.FIRST_ROW + 1, values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in below]


def test_the_invoices_page_has_both_sheets_and_every_column() -> None:
    book = shown(listed())
    assert book.sheetnames == ["Invoices", "Active memberships", "To send"]
    for sheet, filtered in zip(book.worksheets, ("A4:S8", "A4:S5"), strict=False):
        assert [cell.value for cell in sheet[lists.HEADING_ROW + 1]] == HEADINGS
        assert sheet.auto_filter.ref == filtered
        assert sheet.freeze_panes == "B5"
        assert sheet.print_title_rows == "$4:$4"
        assert sheet.page_setup.orientation == "landscape"


def test_the_newest_stands_first() -> None:
    numbers = [row["Number"] for row in rows(shown(listed())["Invoices"])]
    assert numbers == ["CRN-000001", "INV-000003", "INV-000002", "INV-000001"]


def test_dates_and_amounts_are_real_ones() -> None:
    row = rows(shown(listed())["Invoices"])[2]
    assert row["Issued"] == datetime(2026, 3, 1)
    assert row["Gross (£)"] == 50.15
    assert row["Sent on"] == datetime(2026, 3, 2)


def test_a_number_opens_its_workbook() -> None:
    links = formulas(listed())["Invoices"]
    target = links["A6"].hyperlink.target.replace("\\", "/")
    assert target == "invoices/2026/03/INV-000003.xlsx"


def test_only_so_many_links_as_a_sheet_may_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(to_send, "MAX_LINKS", 1)
    sheet = formulas(listed())["Invoices"]
    assert sheet["A5"].hyperlink
    assert not sheet["A6"].hyperlink
    assert sheet["A6"].value == "INV-000003"


@pytest.mark.parametrize(
    ("number", "days"),
    [
        pytest.param("INV-000003", 29, id="unsent: whole days since the issue"),
        pytest.param("INV-000002", None, id="sent: none"),
        pytest.param("INV-000001", None, id="credited: none"),
    ],
)
def test_days_unsent(number: str, days: int | None) -> None:
    found = rows(shown(listed())["Invoices"])
    assert {row["Number"]: row["Days unsent"] for row in found}[number] == days


@pytest.mark.parametrize(
    ("sheet", "cells", "gross"),
    [("Invoices", "$N$5:$N$8", 69.25), ("Active memberships", "$N$5", 50.15)],
    ids=["all: credit notes take away", "active memberships: theirs alone"],
)
def test_the_total_follows_the_filter(sheet: str, cells: str, gross: float) -> None:
    content = listed()
    assert formulas(content)[sheet]["N3"].value == f"=SUBTOTAL(109,{cells})"
    assert shown(content)[sheet]["N3"].value == gross


def test_active_memberships_are_listed_alone_and_none_is_hidden() -> None:
    sheet = shown(listed())["Active memberships"]
    assert [row["Number"] for row in rows(sheet)] == [
        entry.number
        for entry in sorted(ENTRIES, key=lambda each: each.number, reverse=True)
        if entry.active and entry.membership
    ]
    assert not sheet.auto_filter.filterColumn
    assert not any(row.hidden for row in sheet.row_dimensions.values())


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "mailto:a@b.example", "12"])
def test_text_stays_text_whatever_it_begins_with(text: str) -> None:
    hostile = entry(DOCUMENTS[1], patient_name=text, sent_to=text, bill_to_name=text)
    sheet = formulas(listed((hostile,)))["Invoices"]
    for column in "IKQ":
        cell = sheet[f"{column}5"]
        assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


@pytest.mark.parametrize(
    "content",
    [listed(), listed(()), register.render(MARCH), register.render(QUIET)],
    ids=["the page", "a page without invoices", "a month", "a month without invoices"],
)
def test_no_cell_is_merged_and_no_formula_lacks_its_value(content: bytes) -> None:
    values = shown(content)
    for sheet in formulas(content):
        assert not sheet.merged_cells.ranges
        assert sheet.sheet_state == "visible"
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    assert values[sheet.title][cell.coordinate].value is not None


def test_the_same_state_gives_the_same_bytes() -> None:
    assert listed() == listed()
    assert register.render(MARCH) == register.render(MARCH)


def test_workbooks_are_dated_by_what_they_show_not_by_the_clock() -> None:
    assert shown(listed()).properties.created == datetime(2026, 3, 31)
    assert shown(register.render(MARCH)).properties.created == datetime(2026, 3, 1)


def test_the_register_opens_on_its_summary() -> None:
    book = shown(register.render(MARCH))
    assert book.sheetnames == [
        "Summary", "Invoices", "Lines", "Credit notes", "Tax summary", "Unsent",
        "Deferred income", "Journal", "Members", "Checks",
    ]  # fmt: skip
    assert book.active.title == "Summary"


@pytest.mark.parametrize(
    ("block", "name", "figures"),
    [
        ("Issued this month", "Invoices", [3, 119.21, 0.03, 119.24]),
        ("Issued this month", "Credit notes", [1, -49.99, 0, -49.99]),
        ("Issued this month", "Total", [4, 69.22, 0.03, 69.25]),
        ("Invoices by product", "GOLD", [2, 99.98, 0, 99.98]),
        ("Invoices by product", "REPORT", [1, 0.13, 0.03, 0.16]),
        ("Invoices by tax code", "STD", [1, 0.13, 0.03, 0.16]),
        ("Invoices by tax code", "Total", [4, 119.21, 0.03, 119.24]),
        ("Credit notes by product", "GOLD", [1, -49.99, 0, -49.99]),
        ("Credit notes by tax code", "EXEMPT", [1, -49.99, 0, -49.99]),
    ],
)
def test_the_summary(block: str, name: str, figures: list[float]) -> None:
    sheet = shown(register.render(MARCH))["Summary"]
    found = [list(row) for row in sheet.iter_rows(values_only=True)]
    start = [row[0] for row in found].index(block)
    row = next(row for row in found[start + 2 :] if row[0] == name)
    assert row[3:7] == figures


def test_a_part_of_a_line_goes_by_the_name_of_its_product() -> None:
    taken = line(1, "GOLD", "10.00")
    note = document(
        "CRN-000002", 9, replace(taken, description="Gold, in part"), kind="credit_note"
    )
    (group,) = by_product(in_a_month([note])[1])
    assert (group.code, group.name) == ("GOLD", "Gold")


def test_the_summary_prints_the_head_of_the_chain() -> None:
    sheet = shown(register.render(MARCH))["Summary"]
    assert ("Chain head", "c0ffee") in [
        row[:2] for row in sheet.iter_rows(values_only=True)
    ]


def test_credit_notes_stand_below_the_invoices_and_are_negative() -> None:
    found = rows(shown(register.render(MARCH))["Invoices"])
    assert [row["Number"] for row in found][-1] == "CRN-000001"
    assert found[-1]["Gross (£)"] == -49.99
    assert found[-1]["Credit of"] == "INV-000001"


def test_the_tax_summary_keeps_credit_notes_apart() -> None:
    exempt = rows(shown(register.render(MARCH))["Tax summary"])[0]
    assert exempt["Tax code"] == "EXEMPT"
    assert exempt["Invoices net (£)"] == 119.08
    assert exempt["Credit notes net (£)"] == -49.99
    assert exempt["Together net (£)"] == 69.09


def test_what_belongs_in_boxes_1_and_6_of_a_vat_return() -> None:
    registered = Letterhead("Harbour Lane Surgery", vat_registered=True)
    outside = replace(line(1, "GOLD", "10.00"), tax_code="OUT")
    made = (*DOCUMENTS, document("INV-000004", 2, outside))
    returned = tuple(replace(each, letterhead=registered) for each in made)
    found = rows(shown(register.render(of(returned)))["Tax summary"])
    boxes = ("Tax code", "Box 1: VAT due (£)", "Box 6: sales without VAT (£)")
    assert [tuple(row[name] for name in boxes) for row in found] == [
        ("EXEMPT", 0, 69.09),
        ("OUT", 0, 0),
        ("STD", 0.03, 0.13),
    ]


def test_a_practice_that_is_not_registered_has_no_boxes() -> None:
    (first, *_) = rows(shown(register.render(MARCH))["Tax summary"])
    assert [name for name in first if str(name).startswith("Box")] == []


def checks(month: Month) -> dict[str, tuple[object, ...]]:
    """Each control total: its two sides, the difference and the word for it."""
    sheet = shown(register.render(month))["Checks"]
    below = sheet.iter_rows(min_row=6, values_only=True)
    return {str(row[0]): (row[2], row[4], row[5], row[6]) for row in below}


@pytest.mark.parametrize("month", [MARCH, QUIET], ids=["a month", "an empty month"])
def test_every_control_total_shows_nought(month: Month) -> None:
    found = checks(month)
    assert len(found) == 35
    assert {row[2:] for row in found.values()} == {(0, "Agrees")}


def test_no_number_is_missing_where_the_prefix_changed_its_digits() -> None:
    first, second = [each for each in DOCUMENTS if each.kind == "invoice"][:2]
    years = (
        replace(first, number="INV2026000001"),
        replace(second, number="INV2027000002"),
    )
    found = checks(of(years))
    assert found["No number missing, invoices"][0] == 2


@pytest.mark.parametrize(
    ("documents", "check", "sides"),
    [
        pytest.param(
            (replace(DOCUMENTS[1], net=Decimal("49.98")), *DOCUMENTS[2:]),
            "Lines and documents, net",
            (119.21, 119.20, 0.01, "Differs"),
            id="a document that is not the sum of its lines",
        ),
        pytest.param(
            (DOCUMENTS[1], DOCUMENTS[3]),
            "No number missing, invoices",
            (3, 2, 1, "Differs"),
            id="a number that is missing",
        ),
    ],
)
def test_a_control_total_shows_what_is_wrong(
    documents: tuple[Document, ...], check: str, sides: tuple[object, ...]
) -> None:
    assert checks(of(documents))[check] == sides


def test_the_lines_sheet_has_every_line_once() -> None:
    found = rows(shown(register.render(MARCH))["Lines"])
    keys = [(row["Number"], row["Line"]) for row in found]
    expected = {(made.number, each.line) for made in DOCUMENTS for each in made.lines}
    assert len(keys) == len(expected)
    assert set(keys) == expected
    assert found[0]["Patient ID"] == "00123"


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_list_too_long_for_a_sheet_goes_on_in_the_next(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rows(shown(register.render(MARCH))["Lines"])
    monkeypatch.setattr(lists, "MOST_ROWS", most)
    content = register.render(MARCH)
    book = shown(content)
    parts = [sheet for sheet in book if sheet.title.startswith("Lines")]
    assert [sheet.title for sheet in parts] == [
        "Lines", *(f"Lines {at}" for at in range(2, -(-len(whole) // most) + 1))
    ]  # fmt: skip
    assert [row for sheet in parts for row in rows(sheet)] == whole
    assert (
        parts[1]["A1"].value == f"Register of March 2026: lines, part 2 of {len(parts)}"
    )
    assert {row[3] for row in checks(MARCH).values()} == {"Agrees"}
    for place, value in worked_out(formulas(content)).items():
        sheet, cell = place.split("!")
        saved = book[sheet][cell].value
        saved = Decimal(str(saved)) if isinstance(saved, int | float) else saved
        assert saved == value, place


def test_months_too_many_for_a_sheet_are_left_to_their_registers() -> None:
    old = ENTRIES[0]._replace(number="INV-000000", issued_on=date(2025, 12, 5))
    content = invoice_list.render(
        [old, *ENTRIES],
        practice_name="Harbour Lane",
        as_of=AS_OF,
        earlier={"2025-11": 2, "2025-12": 3},
    )
    book = formulas(content)
    numbers = [row["Number"] for row in rows(book["Invoices"])]
    assert sorted(numbers) == sorted(entry.number for entry in ENTRIES)
    assert book["Invoices"]["A2"].value.endswith("Up to 2025-12: see Earlier months.")
    waiting = {row["Number"] for row in rows(book["To send"])}
    assert (old.number in waiting) is (old.status == "unsent")
    months = book["Earlier months"]
    assert [row["Documents"] for row in rows(months)] == [3, 2]
    assert months["A5"].hyperlink.target.replace("\\", "/") == "registers/2025-12.xlsx"
