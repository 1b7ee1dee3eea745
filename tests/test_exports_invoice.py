"""The workbook of one invoice or credit note, read back from its bytes."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.bookkeeping.books import Document, Letterhead, Line
from pipeline.exports import invoice
from pipeline.exports.exact_text import Unwritable
from pipeline.exports.invoice_data import embedded
from pipeline.exports.invoice_page import ADDRESS_ROWS, ADDRESS_WIDTH, page_of
from pipeline.exports.text_fit import text_width

MARCH = (date(2026, 3, 1), date(2026, 3, 31))
LETTERHEAD = Letterhead(
    practice_name="Harbour Lane Surgery",
    practice_address="12 Harbour Lane, Whitby, YO21 3PU",
    practice_email="accounts@harbourlane.example",
    practice_phone="01947 600123",
    company_number="01234567",
    vat_registered=True,
    vat_number="GB 123 4567 89",
    bank_details="Harbour Lane Ltd, sort code 20-00-00, account 12345678",
    invoice_footer="Thank you for being a member.",
)
UNREGISTERED = replace(LETTERHEAD, vat_registered=False, company_number="")


def line(number: int = 1, **changes: object) -> Line:
    """An exempt month of membership, unless told otherwise."""
    plain = Line(
        line=number,
        patient_id="P0042",
        patient_name="Robin Alder",
        product_code="GOLD",
        description="Gold membership",
        healthcode_code="",
        income_account="4000",
        membership=True,
        frequency="Monthly",
        period_start=MARCH[0],
        period_end=MARCH[1],
        quantity=1,
        unit_price=Decimal("49.99"),
        tax_code="EXEMPT",
        tax_name="Exempt",
        tax_rate=Decimal("0.00"),
        net=Decimal("49.99"),
        tax=Decimal("0.00"),
        gross=Decimal("49.99"),
        price_source="products.xlsx Products row 2",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def taxed(number: int = 1, **changes: object) -> Line:
    """A report at 20%, for no period."""
    return line(
        number,
        **{
            "description": "Driving report",
            "product_code": "DRIVE",
            "membership": False,
            "frequency": "",
            "period_start": None,
            "period_end": None,
            "unit_price": Decimal("120.00"),
            "tax_code": "STD",
            "tax_name": "Standard rate",
            "tax_rate": Decimal("20.00"),
            "net": Decimal("120.00"),
            "tax": Decimal("24.00"),
            "gross": Decimal("144.00"),
        }
        | changes,
    )


def document(*lines: Line, **changes: object) -> Document:
    """An invoice to a patient, with the sums of its lines."""
    lines = lines or (line(),)
    plain = Document(
        number="INV-000001",
        kind="invoice",
        run_id="2026-03-01-a",
        issued_on=date(2026, 3, 1),
        due_on=date(2026, 3, 15),
        membership=True,
        patient_id="P0042",
        patient_name="Robin Alder",
        bill_to="",
        bill_to_name="Robin Alder",
        email="",
        address=("17 Cliff Street", "Whitby", "YO21 9ZZ"),
        accounts_reference="",
        currency="GBP",
        net=sum((each.net for each in lines), Decimal()),
        tax=sum((each.tax for each in lines), Decimal()),
        gross=sum((each.gross for each in lines), Decimal()),
        credits_number="",
        credits_issued_on=None,
        reason="",
        sha256="ab" * 32,
        letterhead=LETTERHEAD,
        lines=lines,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


PATIENT = document(line(healthcode_code="X9300"))
MIXED = document(line(), taxed(2))
CONTACT = document(
    line(healthcode_code="X9300"),
    taxed(2, patient_id="P0043", patient_name="Sam Birch", healthcode_code="X9301"),
    bill_to="ACME",
    bill_to_name="Acme Shipping Ltd",
    patient_id="",
    patient_name="",
    accounts_reference="PO-77",
)
CREDIT = document(
    number="CRN-000001",
    kind="credit_note",
    issued_on=date(2026, 3, 9),
    credits_number="INV-000001",
    credits_issued_on=date(2026, 3, 1),
    reason="Moved away",
)
PLAIN = document(
    line(tax_code="NONE", tax_name="No tax charged"), letterhead=UNREGISTERED
)
INCLUSIVE = document(
    taxed(unit_price=Decimal("144.00")),
    letterhead=replace(LETTERHEAD, prices_include_tax=True),
)
MANY = document(*(line(n, patient_name=f"Member {n}") for n in range(1, 121)))
ALL = {
    "a patient's invoice": PATIENT,
    "exempt and taxed lines": MIXED,
    "a contact's combined invoice": CONTACT,
    "a credit note": CREDIT,
    "a practice that is not registered": PLAIN,
    "prices that include tax": INCLUSIVE,
    "a hundred and twenty lines": MANY,
}
every_kind = pytest.mark.parametrize("made", ALL.values(), ids=ALL.keys())


@cache
def opened(made: Document) -> Workbook:
    """Looked at by many tests and changed by none."""
    return load_workbook(BytesIO(invoice.render(made)))


def values(made: Document, printed: bool = True) -> Iterator[object]:
    """The values of the page, or of what stands beside it."""
    sheet = opened(made)["Invoice"]
    _, _, last_column, _ = range_boundaries(sheet.print_area.split("!")[-1])
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is not None and (cell.column <= last_column) is printed:
                yield cell.value


def words(made: Document, printed: bool = True) -> str:
    return "\n".join(str(value) for value in values(made, printed))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        pytest.param(PATIENT, "Invoice", id="an invoice says that it is one"),
        pytest.param(PATIENT, "INV-000001", id="it has its number"),
        pytest.param(PATIENT, "Robin Alder\n", id="it is addressed by name"),
        pytest.param(PATIENT, "YO21 9ZZ", id="it has the payer's postcode"),
        pytest.param(
            PATIENT,
            "Period: 1 March 2026 to 31 March 2026",
            id="the period is in words",
        ),
        pytest.param(
            PATIENT, "Healthcode X9300", id="a patient sees the Healthcode code"
        ),
        pytest.param(
            PATIENT, "GB 123 4567 89", id="a registered practice: its VAT number"
        ),
        pytest.param(PATIENT, "company number 01234567", id="a company: its number"),
        pytest.param(PATIENT, "sort code 20-00-00", id="it says how to pay"),
        pytest.param(
            PATIENT, "Payment reference: INV-000001", id="the number is the reference"
        ),
        pytest.param(PATIENT, "Please pay by 15 March 2026.", id="it says by when"),
        pytest.param(PATIENT, "Thank you for being a member.", id="it has the footer"),
        pytest.param(MIXED, "\nExempt\n", id="an exempt line is marked as such"),
        pytest.param(MIXED, "STD 20%", id="a taxed line shows code and rate"),
        pytest.param(
            MIXED, "Standard rate (STD, 20%)", id="each tax code has its own total"
        ),
        pytest.param(MIXED, "Exempt (EXEMPT, no VAT)", id="so has the exempt one"),
        pytest.param(
            MIXED,
            "Gold membership\n1 March 2026 to 31 March 2026",
            id="periods that differ stand on their lines",
        ),
        pytest.param(
            CONTACT,
            "Sam Birch – Driving report",
            id="a contact sees whom a line is for",
        ),
        pytest.param(CONTACT, "PO-77", id="a contact sees their own reference"),
        pytest.param(CREDIT, "Credit note", id="a credit note says that it is one"),
        pytest.param(
            CREDIT,
            "Credit for invoice INV-000001 of 1 March 2026",
            id="it names the invoice and its day",
        ),
        pytest.param(CREDIT, "Reason: Moved away", id="it gives the reason"),
        pytest.param(
            replace(CREDIT, lines=(line(credits_line=2, rebill=True),)),
            "Line 2 of INV-000001",
            id="it names the line",
        ),
        pytest.param(
            replace(CREDIT, lines=(line(credits_line=2, rebill=True),)),
            "It will be billed again, on a new invoice",
            id="it tells what to expect",
        ),
        pytest.param(
            document(line(replaces_number="INV-000001", replaces_line=1)),
            "In place of what was credited of INV-000001",
            id="what comes in its place says so",
        ),
        pytest.param(CREDIT, "Total credited", id="it totals what is given back"),
        pytest.param(INCLUSIVE, "incl. VAT", id="inclusive unit prices say so"),
    ],
)
def test_the_page_says(made: Document, said: str) -> None:
    assert said in words(made)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        pytest.param(CONTACT, "X930", id="no Healthcode code to a contact"),
        pytest.param(CONTACT, "Patient ID", id="no patient's id to a contact"),
        pytest.param(
            replace(CREDIT, bill_to="ACME"), "Moved away", id="no reason to a contact"
        ),
        pytest.param(CREDIT, "How to pay", id="nobody pays a credit note"),
        pytest.param(CREDIT, "Amount due", id="nothing is due on a credit note"),
        pytest.param(CREDIT, "Due date", id="a credit note has no due date"),
        pytest.param(PLAIN, "VAT", id="no VAT where the practice is not registered"),
        pytest.param(PLAIN, "GB 123", id="no VAT number either"),
        pytest.param(PLAIN, "NONE", id="nor a tax code"),
        pytest.param(PLAIN, "company number", id="no company, no company number"),
        pytest.param(PATIENT, "UNSENT", id="UNSENT is not on the page"),
        pytest.param(
            PATIENT, "incl. VAT", id="exclusive prices are not called inclusive"
        ),
    ],
)
def test_the_page_does_not_say(made: Document, said: str) -> None:
    assert said not in words(made)


def test_a_zero_invoice_asks_for_no_payment() -> None:
    free = line(unit_price=Decimal(0), net=Decimal(0), gross=Decimal(0))
    assert "How to pay" not in words(document(free))


@every_kind
def test_unsent_stands_beside_the_page(made: Document) -> None:
    assert "UNSENT" in words(made, printed=False)


@every_kind
def test_the_same_document_gives_the_same_bytes(made: Document) -> None:
    assert invoice.render(made) == invoice.render(made)


@every_kind
def test_it_is_one_sheet_one_a4_page_wide(made: Document) -> None:
    book = opened(made)
    sheet = book["Invoice"]
    assert book.sheetnames == ["Invoice"]
    assert (sheet.page_setup.paperSize, sheet.page_setup.orientation) == (9, "portrait")
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToWidth in (None, 1)
    assert sheet.page_setup.fitToHeight == (4 if made is MANY else 0)


@every_kind
def test_its_properties_name_the_document_and_nobody(made: Document) -> None:
    book = opened(made)
    own = {each.name: each.value for each in book.custom_doc_props.props}
    properties = book.properties
    assert own == {
        "invoice_number": made.number,
        "status": "UNSENT",
        "run_id": made.run_id,
        "content_sha256": made.sha256,
        **embedded(made),
    }
    assert properties.subject == made.number
    assert properties.creator == made.letterhead.practice_name
    assert properties.created == datetime(
        made.issued_on.year, made.issued_on.month, made.issued_on.day
    )
    shown = {name: own[name] for name in own if not name.startswith("data_")}
    assert "Robin" not in f"{properties.title}{properties.keywords}{shown}"


@every_kind
def test_the_page_holds_no_formula(made: Document) -> None:
    cells = (cell for row in opened(made)["Invoice"].iter_rows() for cell in row)
    assert all(cell.data_type != "f" for cell in cells)


def test_totals_per_tax_code_and_all_together_are_the_documents() -> None:
    sheet = opened(MIXED)["Invoice"]
    rows = {row[0].value: [cell.value for cell in row] for row in sheet.iter_rows()}
    of_code = [rows["Exempt (EXEMPT, no VAT)"], rows["Standard rate (STD, 20%)"]]
    for column, total in ((3, MIXED.net), (5, MIXED.tax), (6, MIXED.gross)):
        added = round(sum(row[column] for row in of_code), 2)
        assert added == rows["Total"][column] == float(total)
    due = next(row for row in sheet.iter_rows() if row[3].value == "Amount due")
    assert due[5].value == float(MIXED.gross)


@pytest.mark.parametrize("sign", [1, -1], ids=["positive", "negative"])
def test_a_credit_note_is_positive_however_it_is_kept(sign: int) -> None:
    kept = [replace(line(), net=sign * line().net, gross=sign * line().gross)]
    credit = replace(CREDIT, lines=tuple(kept), gross=sign * CREDIT.gross)
    numbers = [value for value in values(credit) if isinstance(value, float)]
    assert numbers
    assert min(numbers) >= 0


def test_many_lines_repeat_their_headings_on_each_page() -> None:
    sheet = opened(MANY)["Invoice"]
    first, last = sheet.print_title_rows.replace("$", "").split(":")
    assert first == last
    assert sheet[f"A{first}"].value == "Description"
    assert sheet[f"G{first}"].value == "Gross (£)"
    assert sheet.oddFooter.right.text.strip() == "Page &P of &N"


@pytest.mark.parametrize(
    "made",
    [PATIENT, MIXED, CREDIT, PLAIN, INCLUSIVE],
    ids=["exempt", "exempt and taxed", "credit note", "no tax", "tax included"],
)
def test_a_few_lines_fit_one_page(made: Document) -> None:
    sheet = opened(made)["Invoice"]
    _, _, _, last_row = range_boundaries(sheet.print_area.split("!")[-1])
    rows = [sheet.row_dimensions[row] for row in range(1, last_row + 1)]
    heights = [row.height or 15 for row in rows]  # the default is not written
    assert sum(heights) * 25.4 / 72 < 297 - 12 - 18


def _height(sheet: Worksheet, first: int, last: int) -> float:
    rows = range(first, last + 1)
    return sum(sheet.row_dimensions[row].height or 15 for row in rows)


def _laid_out(made: Document) -> tuple[list[float], int | None]:
    """The heights of the rows of a page, and on how many pages it is to fit."""
    with zipfile.ZipFile(BytesIO(invoice.render(made))) as book:
        xml = book.read("xl/worksheets/sheet1.xml").decode()
    rows = re.findall(r'<row r="(\d+)"([^>]*?)(/?)>', xml)
    last = max(int(number) for number, _, empty in rows if not empty)
    heights = dict.fromkeys(range(1, last + 1), 15.0)  # the default is not written
    for number, told, _ in rows:
        if found := re.search(r' ht="([\d.]+)"', told):
            heights[int(number)] = float(found[1])
    fitted = re.search(r'<pageSetup [^>]*fitToHeight="(\d+)"', xml)
    return [heights[row] for row in range(1, last + 1)], fitted and int(fitted[1])


@pytest.mark.parametrize("lines", [*range(1, 40), 120])
@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_a_page_without_a_line_is_drawn_into_the_one_before_where_it_can_be_read(
    kind: str, lines: int
) -> None:
    cells = [
        cell.value for cell in opened(document(taxed(1), kind=kind))["Invoice"]["A"]
    ]
    heading = cells.index("Description") + 1
    last_line = heading + lines
    room = (297 - 12 - 18) * 72 / 25.4
    made = document(*map(taxed, range(1, lines + 1)), kind=kind)
    heights, fitted = _laid_out(made)

    def pages(room: float) -> list[list[int]]:
        """The rows of each page, the headings again on every further one."""
        found, full = [[]], 0.0
        for row, height in enumerate(heights, start=1):
            if full + height > room:
                found.append([])
                full = heights[heading - 1]
            full += height
            found[-1].append(row)
        return found

    smallest = len(pages(room / 0.85))
    fewer = [
        len(found) - 1
        for found in (pages(room), pages(room / 0.94))
        if found[-1][0] > last_line and len(found) > smallest
    ]
    assert (1 if fitted is None else fitted) == (fewer[0] if fewer else 0)


def test_the_address_stands_where_the_window_of_the_envelope_is() -> None:
    sheet = opened(PATIENT)["Invoice"]
    found = next(
        row for row in range(1, 20) if sheet.cell(row, 1).value == "Robin Alder"
    )
    above = sum(sheet.row_dimensions[row].height or 15 for row in range(1, found))
    from_top = sheet.page_margins.top * 25.4 + above * 25.4 / 72
    assert 45 <= from_top <= 50
    lines = [sheet.cell(found + offset, 1).value for offset in range(4)]
    assert lines == ["Robin Alder", "17 Cliff Street", "Whitby", "YO21 9ZZ"]


def test_a_long_address_stays_within_the_window() -> None:
    name = "The Amalgamated Union of Rope, Sail and Canvas Makers of the North Riding"
    sheet = opened(replace(CONTACT, bill_to_name=name))["Invoice"]
    assert sheet["A3"].value + " " + sheet["A4"].value == name
    assert sheet["A5"].value == "17 Cliff Street"


LONG_NAME = "The Incorporated Trustees of the Benevolent Fund for Retired Railway Servants and their Widows (North Eastern Region)"
LONG_ADDRESS = (
    "Second Floor, Commercial Union House, 39 Pilgrim Street",
    "Off Market Street, Grainger Town Conservation Area",
    "Newcastle upon Tyne, Tyne and Wear",
    "NE1 6QE",
)
ADDRESSES = [
    pytest.param(
        LONG_NAME, LONG_ADDRESS,
        f"{LONG_NAME} {', '.join(LONG_ADDRESS[:-1])} NE1 6QE",
        id="it runs on in fewer lines, each word of it there",
    ),
    pytest.param(
        f"{LONG_NAME} and of all of their descendants who are in need", LONG_ADDRESS,
        "The Incorporated Trustees of the Benevolent Fund for Retired Railway Servants"
        f" and their Widows (North Eastern Region) and of all of their descendants who … {', '.join(LONG_ADDRESS[:-1])} NE1 6QE",
        id="then the name gives way to the address",
    ),
    pytest.param(
        "Robin Alder", ("Whitby " * 99, "YO21 9ZZ"),
        f"Robin Alder {'Whitby ' * 35}… YO21 9ZZ",
        id="and the address to the postcode",
    ),
    pytest.param(
        "Robin Alder", ("Whitby " * 99,),
        f"Robin Alder {'Whitby ' * 42}…",
        id="without a postcode it ends where the window does",
    ),
    pytest.param(
        "W" * 300, LONG_ADDRESS,
        f"{'W' * 28} {'W' * 28} {'W' * 27} … {', '.join(LONG_ADDRESS[:-1])} NE1 6QE",
        id="an unbroken name too",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "address", "expected"), ADDRESSES)
def test_an_address_that_is_too_long_says_so_and_keeps_its_postcode(
    name: str, address: tuple[str, ...], expected: str
) -> None:
    shown = page_of(document(line(), bill_to_name=name, address=address)).address
    assert " ".join(shown) == expected
    assert len(shown) <= ADDRESS_ROWS
    assert all(text_width(each) <= ADDRESS_WIDTH for each in shown)


@pytest.mark.parametrize("amount", ["9.99", "10000.00", "999999.99"])
def test_every_amount_has_room_in_its_column(amount: str) -> None:
    price = Decimal(amount)
    sheet = opened(document(line(unit_price=price, net=price, gross=price)))["Invoice"]
    for column in "CDFG":
        assert sheet.column_dimensions[column].width >= len(f"{price:,.2f}")


@pytest.mark.parametrize(
    "text", ["=1+1", "+44 1", "-2", "@home", "http://x.example", "007"]
)
def test_text_stays_text_whatever_it_begins_with(text: str) -> None:
    hostile = document(
        line(description=text),
        bill_to_name=text,
        address=(text,),
        accounts_reference=text,
        reason=text,
        letterhead=replace(LETTERHEAD, practice_name=text, invoice_footer=text),
    )
    sheet = opened(hostile)["Invoice"]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value == text]
    assert len(cells) >= 5
    assert {(cell.data_type, cell.hyperlink) for cell in cells} == {("s", None)}
    assert all(cell.quotePrefix for cell in cells), "text after F2 and Enter too"


@pytest.mark.parametrize(
    "text",
    ["a\x00b", "a\ud800b", "a\x0bb", "a\rb", "a" * 32_768],
    ids=["a null", "half a pair", "a tab", "a return", "too long"],
)
def test_what_would_damage_a_workbook_is_never_written(text: str) -> None:
    with pytest.raises(Unwritable):
        invoice.render(document(line(description=text), bill_to_name=text))


def test_an_amount_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        invoice.render(document(line(net=Decimal("NaN"))))


def test_the_first_workbook_of_a_process_is_like_every_later_one() -> None:
    code = (
        "from tests.test_exports_invoice import document, line; from hashlib import sha256;"
        "from pipeline.exports.invoice import render;"
        "print(*(sha256(render(document(line()))).hexdigest() for _ in range(3)))"
    )
    made = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(made) == 3
    assert len(set(made)) == 1
