"""The upper third of an invoice's sheet: letterhead, address, particulars, heading."""

from pipeline.exports.invoice_face import ROW_HEIGHT, Face
from pipeline.exports.invoice_page import (
    ADDRESS_FROM_TOP,
    ADDRESS_ROWS,
    TOP_MARGIN,
)
from pipeline.exports.text_fit import text_width, wrapped_rows
from pipeline.exports.workbook import ACCENT, QUIET


def write_head(face: Face) -> int:
    """Letterhead, address, particulars, heading; the first row below them."""
    _letterhead(face)
    for offset in range(ADDRESS_ROWS):
        face.height(2 + offset, ROW_HEIGHT)
    for offset, line in enumerate(face.page.address):
        face.put(2 + offset, 0, line)
    _particulars(face)
    face.height(2 + ADDRESS_ROWS, 6)
    return _heading(face, 3 + ADDRESS_ROWS)


def _letterhead(face: Face) -> None:
    """The practice's name and how to reach it, down to where the address begins."""
    room = ADDRESS_FROM_TOP - TOP_MARGIN
    page, label = face.page, face.layout.label
    height = max(27.0, len(page.details) * ROW_HEIGHT + 2)
    face.height(0, height)
    face.height(1, max(room - height, 1.0))
    line = {"bottom": 2, "bottom_color": ACCENT, "text_wrap": True, "valign": "vcenter"}
    face.spread(
        0, 0, label - 1, page.practice_name,
        bold=True, font_size=page.name_points, font_color=ACCENT, **line,
    )  # fmt: skip
    face.spread(
        0, label, face.layout.last, "\n".join(page.details),
        align="right", font_color=QUIET, **line,
    )  # fmt: skip


def _particulars(face: Face) -> None:
    """Number, dates and references, to the right of the address."""
    layout = face.layout
    width = layout.width(layout.value, layout.last) - 2
    for offset, (label, value) in enumerate(face.page.facts):
        face.put(2 + offset, layout.label, label, font_color=QUIET)
        # Shrinking keeps an unusually long reference from being cut off.
        is_long = isinstance(value, str) and text_width(value) > width
        face.spread(
            2 + offset, layout.value, layout.last, value,
            align="right", bold=offset == 0, num_format="d mmmm yyyy", shrink=is_long,
        )  # fmt: skip


def _heading(face: Face, row: int) -> int:
    """What the page is, and for which period or invoice; the first row below."""
    face.put(row, 0, face.page.heading, bold=True, font_size=22, font_color=ACCENT)
    face.height(row, 11)
    for said in face.page.said:
        row += 1
        width = face.layout.width(0, face.layout.last) - 2
        face.spread(row, 0, face.layout.last, said, text_wrap=True)
        face.height(row, wrapped_rows(said, width) * ROW_HEIGHT + 0.6)
    face.height(row + 1, 5)
    return row + 2
