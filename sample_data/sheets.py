"""How the sample's workbooks and CSV files are written, the same bytes every time."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from schemas.columns import Column, Schema, columns

# When the files say they were made: fixed, so that making them again changes nothing.
MADE_AT = datetime(2026, 3, 31)

HEADING = {"bold": True, "text_wrap": True, "align": "left", "indent": 1}
FORMATS: dict[str, dict[str, Any]] = {
    "text": {"num_format": "@", "align": "left", "indent": 1},
    "date": {"num_format": "dd mmm yyyy", "align": "left", "indent": 1},
    "setting": {"num_format": "General", "align": "left", "indent": 1},
    "money": {"num_format": "#,##0.00"},
    "number": {"num_format": "General"},
    "required": HEADING | {"bg_color": "#1F4E4A", "font_color": "#FFFFFF"},
    "optional": HEADING | {"bg_color": "#CFE3E0", "font_color": "#1F2A2A"},
}
WIDTHS = {"date": 15, "money": 13, "yesno": 14, "whole": 13, "percent": 10}
WIDE = {
    "name": 26, "description": 46, "email": 32, "address_line_1": 22, "notes": 62,
    "setting": 28, "value": 56, "sent_to": 32, "postcode": 11, "title": 8, "code": 13,
}  # fmt: skip


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


def title_of(schema: Schema) -> str:
    """The sheet's title."""
    return str(schema.to_schema().title)


def page(schema: Schema, rows: Sequence[dict[str, Any]], quirks: Quirks) -> Page:
    """A sheet of the contract: title and columns are the schema's."""
    return Page(title_of(schema), list(columns(schema)), rows, quirks)


def workbook_bytes(title: str, pages: Sequence[Page], extra_sheet: str = "") -> bytes:
    """An .xlsx of the pages in order; `extra_sheet` adds one that is none of ours."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties(
        {"title": title, "company": "Dunmarrow Lane Practice", "created": MADE_AT}
    )
    formats = {
        name: book.add_format({"font_name": "Calibri", "valign": "vcenter"} | style)
        for name, style in FORMATS.items()
    }
    for one in pages:
        _write_page(book, one, formats)
    if extra_sheet:
        book.add_worksheet(extra_sheet).write_string("A1", "Who is in on which day")
    book.close()
    return buffer.getvalue()


def csv_bytes(one: Page, encoding: str = "utf-8") -> bytes:
    """The page as a CSV with dates in ISO; a row's `more` are cells too many."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(one.headings)
    for row in one.rows:
        cells = ["" if row[c.name] is None else str(row[c.name]) for c in one.columns]
        writer.writerow(cells + list(row.get("more", ())))
    return text.getvalue().encode(encoding)


def _write_page(book: Workbook, one: Page, formats: dict[str, Format]) -> None:
    """One sheet: heading, rows, table or filter, and how it looks and prints."""
    sheet = book.add_worksheet(one.title)
    _lay_out(sheet, one, formats)
    for index, heading in enumerate(one.headings):
        known = index < len(one.columns) and one.columns[index].required
        sheet.write_string(
            0, index, heading, formats["required" if known else "optional"]
        )
    for number, row in enumerate(one.rows, start=1):
        for index, column in enumerate(one.columns):
            _write_cell(sheet, number, index, column, row[column.name], formats)
        for index, value in enumerate(row.get("more", ()), start=len(one.columns)):
            sheet.write_string(number, index, value, formats["text"])
    _write_quirks(sheet, one, formats)


def _lay_out(sheet: Worksheet, one: Page, formats: dict[str, Format]) -> None:
    """Table, widths, frozen heading, drop-downs and the printed page."""
    last = max(len(one.rows) - one.quirks.outside, 1)
    width = len(one.headings) - 1
    if one.quirks.table:
        names = [{"header": heading} for heading in one.headings]
        style = {
            "name": one.title.replace(" ", "_"),
            "style": "Table Style Light 1",
            "columns": names,
        }
        sheet.add_table(0, 0, last, width, style)
    else:
        sheet.autofilter(0, 0, last, width)
    for index, column in enumerate(one.columns):
        wide = WIDE.get(column.name, WIDTHS.get(column.kind, 16))
        hidden = {"hidden": column.name in one.quirks.hidden_columns}
        sheet.set_column(index, index, wide, formats[_format_of(column)], hidden)
        if column.kind == "yesno" or column.choices:
            words = list(column.choices) or ["Yes", "No"]
            check = {"validate": "list", "source": words, "error_type": "warning"}
            sheet.data_validation(1, index, len(one.rows) + 200, index, check)
    if one.quirks.more_headings:
        sheet.set_column(len(one.columns), width, 18, formats["text"])
    sheet.set_default_row(17)
    sheet.set_row(0, 34)
    sheet.freeze_panes(1, 1)
    sheet.ignore_errors({"number_stored_as_text": "A1:Z1000"})
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _write_cell(
    sheet: Worksheet,
    row: int,
    index: int,
    column: Column,
    value: Any,
    formats: dict[str, Format],
) -> None:
    """One value as a cell of its own type, whatever its column is for."""
    usual = formats[_format_of(column)]
    if value is None:
        sheet.write_blank(row, index, None, usual)
    elif isinstance(value, Formula):
        sheet.write_formula(row, index, value.text, usual, value.value)
    elif isinstance(value, date):
        moment = datetime.combine(value, time())
        moment = value if isinstance(value, datetime) else moment
        sheet.write_datetime(row, index, moment, formats["date"])
    elif column.name == "value" and isinstance(value, int | Decimal):
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


def _format_of(column: Column) -> str:
    """The format of a column's cells, so that new rows have it too."""
    if column.kind in ("date", "money"):
        return column.kind
    return "number" if column.kind in ("whole", "percent") else "text"
