"""The lower part of an invoice's page: lines, totals, how to pay, registration."""

from collections.abc import Iterable
from decimal import Decimal

from pipeline.books import Document, Line
from pipeline.exports.invoice_layout import (
    ROW_HEIGHT,
    Face,
    long_day,
    rate_in_words,
    tax_word,
)
from pipeline.exports.text_fit import separate_lines, wrapped_rows
from pipeline.exports.workbook import ACCENT, QUIET, RULE


def write_lines(face: Face, row: int) -> int:
    """The headings and a row per line; the first row below them."""
    head = {"bold": True, "font_color": ACCENT, "bottom": 1, "bottom_color": ACCENT}
    columns = face.layout.columns
    for position, column in enumerate(columns):
        align = "right" if position else "left"
        face.put(
            row, position, column.heading,
            text_wrap=True, valign="bottom", align=align, **head,
        )  # fmt: skip
    rows = max(wrapped_rows(column.heading, column.width - 3) for column in columns)
    face.height(row, rows * ROW_HEIGHT + 1)
    for offset, line in enumerate(face.document.lines, start=1):
        _line(face, row + offset, line)
    return row + len(face.document.lines) + 1


def _line(face: Face, row: int, line: Line) -> None:
    rows = 1
    for position, column in enumerate(face.layout.columns):
        value = column.value(line)
        face.put(
            row, position, value,
            text_wrap=isinstance(value, str), align="right" if position else "left",
            valign="vcenter", bottom=1, bottom_color=RULE,
        )  # fmt: skip
        if isinstance(value, str):
            rows = max(rows, wrapped_rows(value, column.width - 2))
    face.height(row, rows * ROW_HEIGHT + 2.6)


def write_totals(face: Face, row: int) -> int:
    """Sums per tax code, the total and what is to be paid; the first row below."""
    layout, document = face.layout, face.document
    if layout.net is not None:
        row = _tax_totals(face, row)
    face.height(row, 3)
    row += 1
    style = {"bold": True, "font_size": 13, "font_color": ACCENT, "valign": "vcenter"}
    edge = {"top": 2, "top_color": ACCENT}
    label = "Total credited" if face.is_credit else "Amount due"
    face.put(row, layout.label, label, **style, **edge)
    for column in range(layout.label + 1, layout.value):
        face.put(row, column, "", **edge)
    face.spread(
        row, layout.value, layout.last, abs(document.gross),
        num_format=f'"{face.sign}"#,##0.00', align="right", **style, **edge,
    )  # fmt: skip
    face.height(row, 9)
    return row + 1


def _tax_totals(face: Face, row: int) -> int:
    document = face.document
    face.height(row, 4)
    row += 1
    for lines in _by_tax_code(document.lines):
        word = _tax_label(lines[0], tax_word(document))
        _sums(face, row, word, *_added(lines), font_color=QUIET)
        row += 1
    _sums(
        face, row, "Total", document.net, document.tax, document.gross,
        bold=True, top=1, top_color=ACCENT,
    )  # fmt: skip
    return row + 1


def _sums(
    face: Face,
    row: int,
    label: str,
    net: Decimal,
    tax: Decimal,
    gross: Decimal,
    **style: object,
) -> None:
    """One row of sums, each under the column it adds up."""
    layout = face.layout
    amounts = {layout.net: net, layout.tax: tax, layout.gross: gross}
    style = {"valign": "vcenter", **style}
    for column in range(layout.last + 1):
        face.put(row, column, "" if column else label, **style)
        if column in amounts:
            face.put(row, column, abs(amounts[column]), **style)
    face.height(row, ROW_HEIGHT + 1)


def _by_tax_code(lines: Iterable[Line]) -> list[list[Line]]:
    groups: dict[tuple[str, Decimal], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.tax_code, line.tax_rate), []).append(line)
    return [groups[key] for key in sorted(groups)]


def _added(lines: list[Line]) -> tuple[Decimal, Decimal, Decimal]:
    """Net, tax and gross of some lines."""
    zero = Decimal("0.00")
    return (
        sum((line.net for line in lines), zero),
        sum((line.tax for line in lines), zero),
        sum((line.gross for line in lines), zero),
    )


def _tax_label(line: Line, tax: str) -> str:
    """A tax code in words: 'Standard rate (STD, 20%)', 'Exempt (EXEMPT, no VAT)'."""
    rate = rate_in_words(line.tax_rate) if line.tax_rate else f"no {tax}"
    return f"{line.tax_name} ({line.tax_code}, {rate})"


def write_foot(face: Face, row: int) -> int:
    """How to pay, the practice's own words, its registration; the last row used."""
    face.height(row, 8)
    if not face.is_credit and face.document.gross:
        row = _how_to_pay(face, row + 1)
        face.height(row, 6)
    letterhead = face.document.letterhead
    for said in filter(None, [letterhead.invoice_footer, _registration(face.document)]):
        row += 1
        width = face.layout.width(0, face.layout.last) - 2
        face.spread(row, 0, face.layout.last, said, text_wrap=True, font_color=QUIET)
        face.height(row, wrapped_rows(said, width) * ROW_HEIGHT + 1)
    return row


def _how_to_pay(face: Face, row: int) -> int:
    """Where the money goes and by when; the first row below."""
    document = face.document
    face.put(row, 0, "How to pay", bold=True, font_color=ACCENT)
    face.height(row, ROW_HEIGHT + 1)
    said = [
        *separate_lines(document.letterhead.bank_details),
        f"Payment reference: {document.number}",
        f"Please pay by {long_day(document.due_on)}.",
    ]
    for line in said:
        row += 1
        width = face.layout.width(0, face.layout.last) - 2
        face.spread(row, 0, face.layout.last, line, text_wrap=True)
        face.height(row, wrapped_rows(line, width) * ROW_HEIGHT + 0.4)
    return row + 1


def _registration(document: Document) -> str:
    """The company's line of a letterhead, '' for a practice that is no company."""
    letterhead = document.letterhead
    if not letterhead.company_number:
        return ""
    return f"{letterhead.practice_name}, company number {letterhead.company_number}"
