"""The sheet that an invoice's page is drawn on: cells, cells across columns, heights."""

from dataclasses import dataclass
from typing import Any

from xlsxwriter.worksheet import Worksheet

from pipeline.exports.invoice_layout import Layout
from pipeline.exports.invoice_page import Page
from pipeline.exports.workbook import MAX_POINTS, POINTS_PER_MM, Book, Value, put

ROW_HEIGHT = 4.8  # of one row of text at 10 points, in millimetres


@dataclass(frozen=True)
class Face:
    """The sheet under the pen, and the page that is drawn on it."""

    book: Book
    sheet: Worksheet
    page: Page

    @property
    def layout(self) -> Layout:
        """The page's columns."""
        return self.page.layout

    def put(self, row: int, column: int, value: Value, **style: Any) -> None:
        """Write one cell."""
        put(self.book, self.sheet, row, column, value, **style)

    def spread(
        self, row: int, first: int, last: int, value: Value, **style: Any
    ) -> None:
        """Write one value across several columns."""
        if last > first:
            blank = self.book.style(**style)
            self.sheet.merge_range(row, first, row, last, "", blank)
        self.put(row, first, value, **style)

    def height(self, row: int, millimetres: float) -> None:
        """Give a row its height on paper, as far as rows can grow."""
        points = round(millimetres * POINTS_PER_MM, 2)
        self.sheet.set_row(row, min(points, MAX_POINTS))
