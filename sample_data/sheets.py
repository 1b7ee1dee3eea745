"""How the sample's workbooks and CSV files are written, the same bytes every time."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipeline.exports.input_sheets import (
    InputBook,
    add_table,
    drop_down,
    format_of,
    lay_out,
    new_book,
    words_of,
    write_headings,
)
from schemas.columns import Column, Schema, columns, title_of

# When the files say they were made: fixed, so that making them again changes nothing.
MADE_AT = datetime(2026, 3, 31)


@dataclass(frozen=True)
class Formula:
    """A cell that holds a formula and the value Excel last saved for it."""

    text: str
    value: str | float


@dataclass(frozen=True)
class Quirks:
    """What people do to a sheet besides typing in its cells. Rows count from 1.

    `outside` rows at the bottom stand below the Excel table; `merged` names a row and
    two fields whose cells are one; `headings` are spelled differently.
    """

    table: bool = True
    outside: int = 0
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[str, ...] = ()
    merged: tuple[tuple[int, str, str], ...] = ()
    headings: dict[str, str] = field(default_factory=dict)
    more_headings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """One sheet to be written: its columns, rows by field name, and quirks."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[dict[str, Any]]
    quirks: Quirks = Quirks()

    @property
    def headings(self) -> list[str]:
        """The headings as they stand in the sheet."""
        spelled = [self.quirks.headings.get(c.name, c.title) for c in self.columns]
        return spelled + list(self.quirks.more_headings)


def page(schema: Schema, rows: Sequence[dict[str, Any]], quirks: Quirks) -> Page:
    """A sheet of the contract: title and columns are the schema's."""
    return Page(title_of(schema), list(columns(schema)), rows, quirks)


def workbook_bytes(title: str, pages: Sequence[Page], extra_sheet: str = "") -> bytes:
    """An .xlsx of the pages in order; `extra_sheet` adds one that is none of ours."""
    book = new_book(title, "Dunmarrow Lane Practice", MADE_AT)
    for one in pages:
        _write_page(book, one)
    if extra_sheet:
        sheet = book.workbook.add_worksheet(extra_sheet)
        sheet.write_string("A1", "Who is in on which day")
    return book.finish()


def csv_bytes(one: Page, encoding: str = "utf-8") -> bytes:
    """The page as a CSV with dates in ISO; a row's `more` are cells too many."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(one.headings)
    for row in one.rows:
        cells = ["" if row[c.name] is None else str(row[c.name]) for c in one.columns]
        writer.writerow(cells + list(row.get("more", ())))
    return text.getvalue().encode(encoding)


def _write_page(book: InputBook, one: Page) -> None:
    """One sheet: heading, rows, table or filter, and how it looks and prints."""
    sheet, formats = book.workbook.add_worksheet(one.title), book.formats
    _lay_out(sheet, one, formats)
    write_headings(sheet, one.columns, one.headings, formats)
    for number, row in enumerate(one.rows, start=1):
        for index, column in enumerate(one.columns):
            _write_cell(sheet, number, index, column, row[column.name], formats)
        for index, value in enumerate(row.get("more", ()), start=len(one.columns)):
            sheet.write_string(number, index, value, formats["text"])
    _write_quirks(sheet, one, formats)


def _lay_out(sheet: Worksheet, one: Page, formats: dict[str, Format]) -> None:
    """Table or filter, drop-downs, and columns that are none of ours."""
    last = max(len(one.rows) - one.quirks.outside, 1)
    width = len(one.headings) - 1
    if one.quirks.table:
        add_table(sheet, one.title.replace(" ", "_"), one.headings, last)
    else:
        sheet.autofilter(0, 0, last, width)
    lay_out(sheet, one.columns, formats, one.quirks.hidden_columns)
    for index, column in enumerate(one.columns):
        if words := words_of(column):
            end = len(one.rows) + 200
            sheet.data_validation(1, index, end, index, drop_down(words))
    if one.quirks.more_headings:
        sheet.set_column(len(one.columns), width, 18, formats["text"])


def _write_cell(
    sheet: Worksheet,
    row: int,
    index: int,
    column: Column,
    value: Any,
    formats: dict[str, Format],
) -> None:
    """One value as a cell of its own type, or a formula with its saved value."""
    if isinstance(value, Formula):
        usual = formats[format_of(column)]
        sheet.write_formula(row, index, value.text, usual, value.value)
    elif value is None:
        sheet.write_blank(row, index, None, formats[format_of(column)])
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
        moment = value if isinstance(value, datetime) else moment
        sheet.write_datetime(row, index, moment, formats["date"])
    elif column.kind == "answer" and isinstance(value, int | Decimal):
        sheet.write_number(row, index, float(value), formats["setting"])
    elif isinstance(value, Decimal):
        sheet.write_number(row, index, float(value), formats["money"])
    elif isinstance(value, int):
        sheet.write_number(row, index, value, formats["number"])
    else:
        sheet.write_string(row, index, value, formats["text"])


def _write_quirks(sheet: Worksheet, one: Page, formats: dict[str, Format]) -> None:
    """Hide and merge what the quirks name."""
    for row in one.quirks.hidden_rows:
        sheet.set_row(row - 1, None, None, {"hidden": True})
    names = [column.name for column in one.columns]
    for row, first, last in one.quirks.merged:
        left, right = names.index(first), names.index(last)
        value = one.rows[row - 2][first]
        sheet.merge_range(row - 1, left, row - 1, right, value, formats["text"])
