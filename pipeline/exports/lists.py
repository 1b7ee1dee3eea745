"""A list on a sheet: title, totals that follow the filter, headings, rows.

A list of more rows than a sheet may have goes on in the next one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import compress
from typing import Any

from xlsxwriter.utility import xl_range_abs
from xlsxwriter.worksheet import Worksheet

from pipeline.exports.list_sheet import ListSheet
from pipeline.exports.long_list import MANY, Looks, write_rows
from pipeline.exports.text_fit import wrapped_rows
from pipeline.exports.workbook import (
    ACCENT,
    MAX_POINTS,
    QUIET,
    RULE,
    Book,
    Formula,
    Value,
    head_every_page,
    page,
    put,
    spread,
)

MM_PER_CHARACTER = 1.85  # of a column's width
MM_AT_THE_EDGES = 4.0
ROW_POINTS = 12.75

# Rows of a list on one sheet: there is room for 1,048,576, and half of them still open.
MOST_ROWS = 500_000

TITLE_ROW, NOTE_ROW, TOTAL_ROW, HEADING_ROW, FIRST_ROW = range(5)


@dataclass(frozen=True)
class Column:
    """A column of a list: its heading, its width in characters, a value for each row.

    `total`: it is money and added up above; `figures`: its heading stands to the right.
    """

    heading: str
    width: float
    values: Sequence[Value] = ()
    total: bool = False
    figures: bool = False


def filled(
    columns: Sequence[Column], rows: Sequence[Sequence[Value]]
) -> Sequence[Column]:
    """Columns with the values of rows, each of which has one per column."""
    if not rows:
        return columns
    return [
        replace(column, values=values)
        for column, values in zip(columns, zip(*rows, strict=True), strict=True)
    ]


@dataclass(frozen=True)
class Listing:
    """What a sheet lists: columns, each with a value for every row.

    `only` leaves rows out: headings, each with the one text that is listed.
    """

    sheet: str
    title: str
    note: str
    columns: Sequence[Column]
    only: Mapping[str, str] | None = None

    def position(self, heading: str) -> int:
        """The number of a column, from 0."""
        return [column.heading for column in self.columns].index(heading)

    def column(self, heading: str) -> Sequence[Value]:
        """The values of a column, row by row, with those that `only` leaves out."""
        return self.columns[self.position(heading)].values

    @property
    def length(self) -> int:
        """How many rows it has."""
        return sum(self.listed)

    @property
    def rows(self) -> Iterator[Sequence[Value]]:
        """Its rows, one after another, each with a value per column."""
        rows = zip(*(column.values for column in self.columns), strict=True)
        return compress(rows, self.listed)

    @cached_property
    def listed(self) -> Sequence[bool]:
        """Row by row, whether it is listed."""
        if not self.only:
            return [True] * len(self.columns[0].values)
        columns = [self.column(heading) for heading in self.only]
        wanted = tuple(self.only.values())
        return [row == wanted for row in zip(*columns, strict=True)]

    @cached_property
    def _totals(self) -> dict[str, Decimal]:
        return {}

    def total(self, heading: str) -> Decimal:
        """The sum of a column."""
        if heading not in self._totals:
            cells = compress(self.column(heading), self.listed)
            self._totals[heading] = _added(cells)
        return self._totals[heading]

    def total_where(self, text: str, by: str, heading: str) -> Decimal:
        """The sum of a column over the rows that say `text` in another."""
        chosen = [
            cell == text and there
            for cell, there in zip(self.column(by), self.listed, strict=True)
        ]
        return _added(compress(self.column(heading), chosen))

    def parts(self) -> "list[Listing]":
        """The list sheet by sheet; most are one."""
        count = max(1, -(-len(self.listed) // MOST_ROWS))
        if count == 1:
            return [self]
        return [
            replace(
                self,
                sheet=f"{self.sheet} {part}" if part > 1 else self.sheet,
                title=f"{self.title}, part {part} of {count}",
                columns=[
                    replace(
                        column,
                        values=column.values[(part - 1) * MOST_ROWS : part * MOST_ROWS],
                    )
                    for column in self.columns
                ],
            )
            for part in range(1, count + 1)
        ]

    def _ranges(self, heading: str) -> list[str]:
        position = self.position(heading)
        return [
            f"'{part.sheet}'!"
            + xl_range_abs(FIRST_ROW, position, part.last_row, position)
            for part in self.parts()
        ]

    def cells(self, heading: str) -> str:
        """The addresses of a column's cells, for SUM and COUNTA on other sheets."""
        return ",".join(self._ranges(heading))

    def rows_with(self, text: str, heading: str) -> str:
        """How many rows say `text` in a column, for formulas on other sheets."""
        return _plus(f'COUNTIF({cells},"{text}")' for cells in self._ranges(heading))

    def sum_where(self, text: str, by: str, heading: str) -> str:
        """The sum of a column over rows that say `text` in another, for formulas."""
        pairs = zip(self._ranges(by), self._ranges(heading), strict=True)
        return _plus(f'SUMIF({key},"{text}",{cells})' for key, cells in pairs)

    @property
    def last_row(self) -> int:
        """The last row of its sheet; an empty list keeps one blank row."""
        return FIRST_ROW + max(self.length, 1) - 1


def _added(cells: Iterable[Value]) -> Decimal:
    """The sum of amounts, blank cells left out."""
    amounts: Iterable[Any] = filter(None, cells)
    return sum(amounts, Decimal("0.00"))


def _plus(terms: Iterable[str]) -> str:
    first, *more = terms
    return f"({'+'.join([first, *more])})" if more else first


def write_list(book: Book, listing: Listing) -> list[tuple[Worksheet, Listing]]:
    """Write a list ready to filter, scroll and print; its sheets, and what each holds."""
    parts = [
        (book.workbook.add_worksheet(part.sheet), part) for part in listing.parts()
    ]
    for sheet, part in parts:
        _write_part(book, sheet, part)
    return parts


def _write_part(book: Book, sheet: Worksheet, listing: Listing) -> None:
    put(
        book, sheet, TITLE_ROW, 0, listing.title,
        bold=True, font_size=16, font_color=ACCENT,
    )  # fmt: skip
    put(book, sheet, NOTE_ROW, 0, listing.note, font_color=QUIET)
    sheet.set_row(TITLE_ROW, 26)
    sheet.set_row(NOTE_ROW, 18)
    _write_head(book, sheet, listing)
    if listing.length >= MANY and isinstance(sheet, ListSheet):
        values = [column.values for column in listing.columns]
        write_rows(book, sheet, FIRST_ROW, values, _looks(listing), listing.listed)
    else:
        for row, cells in enumerate(listing.rows):
            _write_row(book, sheet, listing, FIRST_ROW + row, cells)
    if not listing.length:
        put(book, sheet, FIRST_ROW, 0, "None", indent=1, font_color=QUIET)
    last = len(listing.columns) - 1
    sheet.autofilter(HEADING_ROW, 0, listing.last_row, last)
    sheet.freeze_panes(FIRST_ROW, 1)
    sheet.repeat_rows(HEADING_ROW)
    sheet.print_area(0, 0, listing.last_row, last)
    # Numbers and ids that look like figures are text on purpose: no green corners.
    cells = xl_range_abs(FIRST_ROW, 0, listing.last_row, last).replace("$", "")
    sheet.ignore_errors({"number_stored_as_text": cells})
    page(sheet, landscape=True, name=listing.title)
    if spread(sheet, [column.width for column in listing.columns]):
        area = (TOTAL_ROW, 0, listing.last_row, last)
        head_every_page(sheet, listing.title, listing.note, area)


def _write_head(book: Book, sheet: Worksheet, listing: Listing) -> None:
    total = {"bold": True, "indent": 1, "top": 1, "top_color": ACCENT}
    for position, column in enumerate(listing.columns):
        sheet.set_column(position, position, column.width)
        put(
            book, sheet, HEADING_ROW, position, column.heading,
            bold=True, font_color="#FFFFFF", bg_color=ACCENT, indent=1, text_wrap=True,
            align="right" if column.total or column.figures else "left",
        )  # fmt: skip
        if column.total:
            cells = xl_range_abs(FIRST_ROW, position, listing.last_row, position)
            formula = f"=SUBTOTAL(109,{cells})"
            value = Formula(formula, listing.total(column.heading))
            put(book, sheet, TOTAL_ROW, position, value, **total)
        else:
            put(book, sheet, TOTAL_ROW, position, "", **total)
    put(book, sheet, TOTAL_ROW, 0, "Total shown", **total)
    sheet.set_row(TOTAL_ROW, 18)
    sheet.set_row(HEADING_ROW, 34)  # the filter's button stays below the words


_OTHER = {"indent": 1, "text_wrap": False, "bottom": 1, "bottom_color": RULE}
_TEXT = {**_OTHER, "text_wrap": True}


def _looks(listing: Listing) -> Looks:
    rooms = [_room(column) for column in listing.columns]
    return Looks(_TEXT, _OTHER, rooms, _height)


def _room(column: Column) -> float:
    """The width that a column's texts have, in millimetres."""
    return column.width * MM_PER_CHARACTER - MM_AT_THE_EDGES


def _height(lines: int) -> float | None:
    """The height of a row whose longest text takes so many lines, None as usual."""
    return min(lines * ROW_POINTS + 2, MAX_POINTS) if lines > 1 else None


def _write_row(
    book: Book, sheet: Worksheet, listing: Listing, row: int, cells: Sequence[Value]
) -> None:
    """Write a row, as tall as its longest text needs."""
    tallest = 1
    for position, value in enumerate(cells):
        is_text = isinstance(value, str)
        put(book, sheet, row, position, value, **(_TEXT if is_text else _OTHER))
        if isinstance(value, str) and value:
            room = _room(listing.columns[position])
            tallest = max(tallest, wrapped_rows(value, room))
    height = _height(tallest)
    if height:
        sheet.set_row(row, height)
