"""The face of an invoice's page: where what stands, noted down before it is printed.

What is drawn alike for every invoice of a kind (places, looks, heights, widths) is kept
apart from what each of them says, so that a sheet of one kind need be made once only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.exports.invoice_layout import Layout
from pipeline.exports.invoice_page import Page
from pipeline.exports.workbook import (
    MAX_POINTS,
    POINTS_PER_MM,
    Book,
    Value,
    page,
    put,
)

ROW_HEIGHT = 4.8  # of one row of text at 10 points, in millimetres
USUAL_POINTS = 15.0  # of a row that was given no height
INCH = 25.4

Mark = tuple[Any, ...]


@dataclass(frozen=True)
class Face:
    """A page and its drawing: `marks` in their order, and the `values` of their cells."""

    page: Page
    marks: list[Mark] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    @property
    def layout(self) -> Layout:
        """The page's columns."""
        return self.page.layout

    def put(self, row: int, column: int, value: Value, **style: Any) -> None:
        """Write one cell."""
        if value is None or value == "":
            self.marks.append(("blank", row, column, None, *style.items()))
        else:
            self.marks.append(("cell", row, column, type(value), *style.items()))
            self.values.append(value)

    def spread(
        self, row: int, first: int, last: int, value: Value, **style: Any
    ) -> None:
        """Write one value across several columns."""
        if last > first:
            self.marks.append(("merge", row, first, last, *style.items()))
        self.put(row, first, value, **style)

    def height(self, row: int, millimetres: float) -> None:
        """Give a row its height on paper, as far as rows can grow."""
        points = round(millimetres * POINTS_PER_MM, 2)
        self.marks.append(("height", row, min(points, MAX_POINTS)))

    def width(self, column: int, pixels: int) -> None:
        """Give a column its width."""
        self.marks.append(("width", column, pixels))

    def paper(
        self, heading: int, last_row: int, pages: int, *, left: float, right: float,
        top: float, bottom: float,
    ) -> None:  # fmt: skip
        """Margins in millimetres, what is printed, and the row that every page repeats.

        It is printed as small as it takes for so many `pages`; 0 is as many as it takes.
        """
        self.marks.append(("paper", heading, last_row, pages, left, right, top, bottom))

    def tall(self, last: int) -> list[float]:
        """How tall each row is, up to the last one, in points."""
        heights = {
            row: points for kind, row, points, *_ in self.marks if kind == "height"
        }
        return [heights.get(row, USUAL_POINTS) for row in range(last + 1)]


def play(face: Face, book: Book, values: Sequence[Value], name: str) -> None:
    """Draw a face on a sheet of its own, with these values and a `name` at its foot."""
    sheet = book.workbook.add_worksheet("Invoice")
    rest = iter(values)
    for kind, *given in face.marks:
        match kind:
            case "cell":
                row, column, _, *style = given
                put(book, sheet, row, column, next(rest), **dict(style))
            case "blank":
                row, column, _, *style = given
                put(book, sheet, row, column, None, **dict(style))
            case "merge":
                row, first, last, *style = given
                blank = book.style(**dict(style))
                sheet.merge_range(row, first, row, last, "", blank)
            case "height":
                sheet.set_row(*given)
            case "width":
                column, pixels = given
                sheet.set_column_pixels(column, column, pixels)
            case "paper":
                heading, last_row, pages, *margins = given
                page(sheet, landscape=False, name=name, pages=pages)
                sheet.set_margins(*(margin / INCH for margin in margins))
                sheet.print_area(0, 0, last_row, face.layout.last)
                sheet.repeat_rows(heading)
                sheet.hide_gridlines(2)
