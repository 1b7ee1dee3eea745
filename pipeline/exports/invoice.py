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
from pipeline.exports.workbook import ALERT, PIXELS_PER_MM, POINTS_PER_MM, QUIET

A4_HEIGHT = 297.0
SMALLEST = 0.85  # of its size a page can still be read
# What one page's width is printed at: Excel leaves it, LibreOffice finds the columns wider.
USUAL = (1.0, 0.94)


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
    below = write_lines(face, heading)
    _page(face, heading, below, write_foot(face, write_totals(face, below)))
    _mark_unsent(face)
    return face


def _page(face: Face, heading: int, below: int, last_row: int) -> None:
    """One A4 page wide; further pages repeat the headings of the lines.

    `below` is the first row under the lines.
    """
    for position, column in enumerate(face.layout.columns):
        face.width(position, round(column.width * PIXELS_PER_MM))
    face.paper(
        heading, last_row, _pages(face, heading, below, last_row),
        left=LEFT_MARGIN, right=RIGHT_MARGIN, top=TOP_MARGIN, bottom=BOTTOM_MARGIN,
    )  # fmt: skip


def _pages(face: Face, heading: int, below: int, last_row: int) -> int:
    """On how many pages it must go by printing smaller, 0 if no page asks for it.

    A last page that would hold no line, but headings and the foot alone, is left out
    where that makes the print no smaller than can be read.
    """
    rows = face.tall(last_row)
    least = len(_starts(rows, heading, SMALLEST))
    for scale in USUAL:
        starts = _starts(rows, heading, scale)
        if len(starts) > least and starts[-1] >= below:
            return len(starts) - 1
    return 0


def _starts(rows: list[float], heading: int, scale: float) -> list[int]:
    """The first row of each page: a row that does not fit goes to the next one whole."""
    room = (A4_HEIGHT - TOP_MARGIN - BOTTOM_MARGIN) * POINTS_PER_MM / scale
    starts, left = [0], room
    for at, points in enumerate(rows):
        if points > left:
            starts.append(at)
            left = room - rows[heading]
        left -= points
    return starts


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
