"""The workbook of one invoice or credit note: an A4 page, ready to print."""

from pipeline.books import Document
from pipeline.exports.invoice_data import embedded
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
from pipeline.exports.workbook import (
    ALERT,
    PIXELS_PER_MM,
    QUIET,
    Book,
    new_book,
    page,
)

INCH = 25.4


def render(document: Document) -> bytes:
    """An invoice or a credit note (`kind`), as its recipient gets it.

    A credit note's amounts are what is given back, written positive.
    """
    page_values = page_of(document)
    book = _book(document, page_values.title)
    sheet = book.workbook.add_worksheet("Invoice")
    face = Face(book, sheet, page_values)
    heading = write_head(face)
    below = write_totals(face, write_lines(face, heading))
    _page(face, heading, write_foot(face, below))
    _mark_unsent(face)
    return book.finish()


def _book(document: Document, title: str) -> Book:
    return new_book(
        title=title,
        subject=document.number,
        practice=document.letterhead.practice_name,
        made_on=document.issued_on,
        custom={
            "invoice_number": document.number,
            "status": "UNSENT",
            "run_id": document.run_id,
            "content_sha256": document.sha256,
            **embedded(document),
        },
    )


def _page(face: Face, heading: int, last_row: int) -> None:
    """One A4 page wide; further pages repeat the headings of the lines."""
    sheet, layout = face.sheet, face.layout
    for position, column in enumerate(layout.columns):
        sheet.set_column_pixels(position, position, round(column.width * PIXELS_PER_MM))
    page(sheet, landscape=False, name=face.page.title)
    sheet.set_margins(
        left=LEFT_MARGIN / INCH,
        right=RIGHT_MARGIN / INCH,
        top=TOP_MARGIN / INCH,
        bottom=BOTTOM_MARGIN / INCH,
    )
    sheet.print_area(0, 0, last_row, layout.last)
    sheet.repeat_rows(heading)
    sheet.hide_gridlines(2)


def _mark_unsent(face: Face) -> None:
    """Say beside the page, where it is not printed, that this was not sent."""
    column = face.layout.last + 2
    face.sheet.set_column_pixels(column - 1, column - 1, 24)
    face.sheet.set_column_pixels(column, column, 260)
    face.put(
        0, column, "UNSENT",
        bold=True, font_size=26, font_color=ALERT, valign="vcenter",
    )  # fmt: skip
    notes = ("Not sent when it was made.", "This column is not printed.")
    for offset, note in enumerate(notes):
        face.put(2 + offset, column, note, font_color=QUIET)
