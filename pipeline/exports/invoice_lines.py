"""The lower part of an invoice's sheet: lines, totals, how to pay, registration."""

from collections.abc import Sequence

from pipeline.exports.invoice_face import ROW_HEIGHT, Face
from pipeline.exports.invoice_page import PAY_HEADING, Sums
from pipeline.exports.text_fit import wrapped_rows
from pipeline.exports.workbook import ACCENT, QUIET, RULE, Value


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
    for offset, values in enumerate(face.page.rows, start=1):
        _line(face, row + offset, values)
    return row + len(face.page.rows) + 1


def _line(face: Face, row: int, values: Sequence[Value]) -> None:
    rows = 1
    for position, value in enumerate(values):
        face.put(
            row, position, value,
            text_wrap=isinstance(value, str), align="right" if position else "left",
            valign="vcenter", bottom=1, bottom_color=RULE,
        )  # fmt: skip
        if isinstance(value, str):
            width = face.layout.columns[position].width - 2
            rows = max(rows, wrapped_rows(value, width))
    face.height(row, rows * ROW_HEIGHT + 2.6)


def write_totals(face: Face, row: int) -> int:
    """Sums per tax code, the total and what is to be paid; the first row below."""
    layout, page = face.layout, face.page
    if page.sums:
        row = _tax_totals(face, row)
    face.height(row, 3)
    row += 1
    style = {"bold": True, "font_size": 13, "font_color": ACCENT, "valign": "vcenter"}
    edge = {"top": 2, "top_color": ACCENT}
    face.put(row, layout.label, page.due_label, **style, **edge)
    for column in range(layout.label + 1, layout.value):
        face.put(row, column, "", **edge)
    face.spread(
        row, layout.value, layout.last, page.due,
        num_format=f'"{page.sign}"#,##0.00', align="right", **style, **edge,
    )  # fmt: skip
    face.height(row, 9)
    return row + 1


def _tax_totals(face: Face, row: int) -> int:
    face.height(row, 4)
    row += 1
    *of_codes, total = face.page.sums
    for sums in of_codes:
        _sums(face, row, sums, font_color=QUIET)
        row += 1
    _sums(face, row, total, bold=True, top=1, top_color=ACCENT)
    return row + 1


def _sums(face: Face, row: int, sums: Sums, **style: object) -> None:
    layout = face.layout
    amounts = {layout.net: sums.net, layout.tax: sums.tax, layout.gross: sums.gross}
    style = {"valign": "vcenter", **style}
    for column in range(layout.last + 1):
        face.put(row, column, "" if column else sums.label, **style)
        if column in amounts:
            face.put(row, column, amounts[column], **style)
    face.height(row, ROW_HEIGHT + 1)


def write_foot(face: Face, row: int) -> int:
    """How to pay, the practice's own words, its registration; the last row used."""
    face.height(row, 8)
    if face.page.pay:
        row = _how_to_pay(face, row + 1)
        face.height(row, 6)
    for said in face.page.foot:
        row += 1
        width = face.layout.width(0, face.layout.last) - 2
        face.spread(row, 0, face.layout.last, said, text_wrap=True, font_color=QUIET)
        face.height(row, wrapped_rows(said, width) * ROW_HEIGHT + 1)
    return row


def _how_to_pay(face: Face, row: int) -> int:
    """Where the money goes and by when; the first row below."""
    face.put(row, 0, PAY_HEADING, bold=True, font_color=ACCENT)
    face.height(row, ROW_HEIGHT + 1)
    for line in face.page.pay:
        row += 1
        width = face.layout.width(0, face.layout.last) - 2
        face.spread(row, 0, face.layout.last, line, text_wrap=True)
        face.height(row, wrapped_rows(line, width) * ROW_HEIGHT + 0.4)
    return row + 1
