"""The upper third of an invoice's page: letterhead, address, particulars, title."""

from pipeline.books import Document, Letterhead
from pipeline.exports.invoice_layout import (
    ROW_HEIGHT,
    Face,
    long_day,
    shared_period,
)
from pipeline.exports.text_fit import (
    separate_lines,
    split_at,
    text_width,
    wrapped_rows,
)
from pipeline.exports.workbook import ACCENT, QUIET, Value

# In millimetres. A DL window of an A4 sheet folded in three shows about 46 to 81
# from the top; the address takes seven rows from 48 on.
TOP_MARGIN = 12.0
ADDRESS_FROM_TOP = 48.0
ADDRESS_WIDTH = 88.0
ADDRESS_ROWS = 7
DETAIL_ROWS = 6


def write_head(face: Face) -> int:
    """Letterhead, address, particulars, title; the first row below them."""
    _letterhead(face)
    for offset in range(ADDRESS_ROWS):
        face.height(2 + offset, ROW_HEIGHT)
    _address(face)
    _particulars(face)
    face.height(2 + ADDRESS_ROWS, 6)
    return _title(face, 3 + ADDRESS_ROWS)


def _letterhead(face: Face) -> None:
    """The practice's name and how to reach it, down to where the address begins."""
    room = ADDRESS_FROM_TOP - TOP_MARGIN
    details = _details(face.document.letterhead)
    height = max(27.0, len(details) * ROW_HEIGHT + 2)
    face.height(0, height)
    face.height(1, max(room - height, 1.0))
    name, label = face.document.letterhead.practice_name, face.layout.label
    width = face.layout.width(0, label - 1)
    size = next(
        (size for size in (20, 16, 12) if wrapped_rows(name, width, size) <= 2), 10
    )
    line = {"bottom": 2, "bottom_color": ACCENT, "text_wrap": True, "valign": "vcenter"}
    face.spread(
        0, 0, label - 1, name, bold=True, font_size=size, font_color=ACCENT, **line
    )
    face.spread(
        0, label, face.layout.last, "\n".join(details),
        align="right", font_color=QUIET, **line,
    )  # fmt: skip


def _details(letterhead: Letterhead) -> list[str]:
    """Address and ways to reach the practice, in few enough lines for the fold."""
    reach = [letterhead.practice_phone, letterhead.practice_email]
    address = separate_lines(letterhead.practice_address)
    while len(address) > 1 and len(address) + len(reach) > DETAIL_ROWS:
        address[-2:] = [", ".join(address[-2:])]
    return list(filter(None, address + reach))


def _address(face: Face) -> None:
    """Who it goes to, where the window of an envelope shows it."""
    document = face.document
    lines = [document.bill_to_name, *document.address]
    pieces = [
        piece for line in lines for piece in split_at(line, ADDRESS_WIDTH) if piece
    ]
    for offset, piece in enumerate(pieces[:ADDRESS_ROWS]):
        face.put(2 + offset, 0, piece)


def _particulars(face: Face) -> None:
    """Number, dates and references, to the right of the address."""
    layout = face.layout
    width = layout.width(layout.value, layout.last) - 2
    for offset, (label, value) in enumerate(_facts(face.document).items()):
        face.put(2 + offset, layout.label, label, font_color=QUIET)
        # Shrinking keeps an unusually long reference from being cut off.
        is_long = isinstance(value, str) and text_width(value) > width
        face.spread(
            2 + offset, layout.value, layout.last, value,
            align="right", bold=offset == 0, num_format="d mmmm yyyy", shrink=is_long,
        )  # fmt: skip


def _facts(document: Document) -> dict[str, Value]:
    letterhead = document.letterhead
    is_credit = document.kind == "credit_note"
    facts: dict[str, Value] = {
        "Credit note number" if is_credit else "Invoice number": document.number,
        "Issue date": document.issued_on,
        "Due date": None if is_credit else document.due_on,
        "Your reference": document.accounts_reference,
        "Patient ID": "" if document.bill_to else document.patient_id,
        "VAT number": letterhead.vat_number if letterhead.vat_registered else "",
    }
    return {label: value for label, value in facts.items() if value}


def _title(face: Face, row: int) -> int:
    """What the page is, and for which period or invoice; the first row below."""
    title = "Credit note" if face.is_credit else "Invoice"
    face.put(row, 0, title, bold=True, font_size=22, font_color=ACCENT)
    face.height(row, 11)
    for said in _said(face.document):
        row += 1
        width = face.layout.width(0, face.layout.last) - 2
        face.spread(row, 0, face.layout.last, said, text_wrap=True)
        face.height(row, wrapped_rows(said, width) * ROW_HEIGHT + 0.6)
    face.height(row + 1, 5)
    return row + 2


def _said(document: Document) -> list[str]:
    """The sentences under the title."""
    said = []
    if document.kind == "credit_note":
        of = document.credits_issued_on
        dated = f" of {long_day(of)}" if of else ""
        said.append(f"Credit for invoice {document.credits_number}{dated}")
        if document.reason:
            said.append(f"Reason: {document.reason}")
        if any(line.rebill for line in document.lines):
            said.append("It will be billed again, on a new invoice")
    elif replaced := sorted({line.replaces_number for line in document.lines} - {""}):
        said.append(f"In place of what was credited of {', '.join(replaced)}")
    if period := shared_period(document):
        said.append(f"Period: {period}")
    return said
