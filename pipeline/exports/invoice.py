"""The workbook of one invoice or credit note: an A4 page, ready to print."""

from pipeline.bookkeeping.books import Document
from pipeline.exports import prepared
from pipeline.exports.invoice_face import Face
from pipeline.exports.invoice_head import write_head
from pipeline.exports.invoice_lines import write_foot, write_lines, write_totals
from pipeline.exports.invoice_page import (
    BOTTOM_MARGIN,
    LEFT_MARGIN,
    RIGHT_MARGIN,
    TOP_MARGIN,
    page_of,
)
from pipeline.exports.prepared import Said, printed
from pipeline.exports.workbook import ALERT, PIXELS_PER_MM, QUIET


def render(document: Document) -> bytes:
    """An invoice or a credit note (`kind`), as its recipient gets it.

    A credit note's amounts are what is given back, written positive.
    """
    face = drawn(document)
    said = Said.of(document, face.page.title)
    return prepared.filled(face, said) or printed(face, said)


def drawn(document: Document) -> Face:
    """The page of a document, not yet printed."""
    face = Face(page_of(document))
    heading = write_head(face)
    below = write_totals(face, write_lines(face, heading))
    _page(face, heading, write_foot(face, below))
    _mark_unsent(face)
    return face


def _page(face: Face, heading: int, last_row: int) -> None:
    """One A4 page wide; further pages repeat the headings of the lines."""
    for position, column in enumerate(face.layout.columns):
        face.width(position, round(column.width * PIXELS_PER_MM))
    face.paper(
        heading, last_row,
        left=LEFT_MARGIN, right=RIGHT_MARGIN, top=TOP_MARGIN, bottom=BOTTOM_MARGIN,
    )  # fmt: skip


def _mark_unsent(face: Face) -> None:
    """Say beside the page, where it is not printed, that this was not sent."""
    column = face.layout.last + 2
    face.width(column - 1, 24)
    face.width(column, 260)
    face.put(
        0, column, "UNSENT",
        bold=True, font_size=26, font_color=ALERT, valign="vcenter",
    )  # fmt: skip
    notes = ("Not sent when it was made.", "This column is not printed.")
    for offset, note in enumerate(notes):
        face.put(2 + offset, column, note, font_color=QUIET)
