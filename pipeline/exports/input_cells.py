"""A value of any kind as a cell: a typed one of ours, or one carried over as it was."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipeline.cells.spelling import CellError
from pipeline.exports.exact_text import exact
from pipeline.exports.input_sheets import InputBook, format_of
from pipeline.exports.workbook import DATE_FORMAT
from schemas.columns import Column

_LEFT = {"font_name": "Calibri", "valign": "vcenter", "align": "left", "indent": 1}
_SHOWN = {datetime: f"{DATE_FORMAT} hh:mm", time: "hh:mm", timedelta: "[h]:mm"}


# Days before are counted differently by one program and another, or not at all.
_FIRST_DAY = date(1900, 3, 1)


def is_before_sheets(day: date) -> bool:
    """Whether a day is too early for a date cell; it is written as text then."""
    return (day.date() if isinstance(day, datetime) else day) < _FIRST_DAY


def as_text(day: date) -> str:
    """A day as text that is read to the letter: 1899-12-31, with its time if it has one."""
    if isinstance(day, datetime) and day.time() == time():
        day = day.date()
    return str(day)


def write_cell(
    book: InputBook, sheet: Worksheet, at: tuple[int, int], column: Column | None,
    value: Any,
) -> None:  # fmt: skip
    """Write a value at (row, column), counted from 0, as a cell of its own type.

    `column` is None in a column of the office's own.
    """
    usual = book.formats[format_of(column) if column else "setting"]
    match value:
        case None:
            sheet.write_blank(*at, None, usual)
        case bool():
            sheet.write_boolean(*at, value, usual)
        case CellError():
            # A formula that gives the error, which is how one gets into a cell.
            sheet.write_formula(*at, f"={value.text}", usual, value.text)
        case int() | float() | Decimal():
            sheet.write_number(*at, float(value), _of_number(book, column))
        case date() if is_before_sheets(value):
            sheet.write_string(*at, as_text(value), book.formats["text"])
        case datetime() if value.time() == time():
            sheet.write_datetime(*at, value, book.formats["date"])
        case datetime() | time() | timedelta():
            sheet.write_datetime(*at, value, _of_clock(book, type(value)))
        case date():
            moment = datetime.combine(value, time())
            sheet.write_datetime(*at, moment, book.formats["date"])
        case _:
            sheet.write_string(*at, exact(str(value)), book.formats["text"])


def _of_number(book: InputBook, column: Column | None) -> Format:
    """Amounts look like amounts; a number where text belongs keeps its own look."""
    if column is None or column.kind == "answer":
        return book.formats["setting"]
    kind = format_of(column)
    return book.formats[kind if kind in ("money", "number") else "setting"]


def _of_clock(book: InputBook, kind: type) -> Format:
    """The format of a time of day, once in a workbook."""
    name = f"clock {kind.__name__}"
    if name not in book.formats:
        book.formats[name] = book.workbook.add_format(
            _LEFT | {"num_format": _SHOWN[kind]}
        )
    return book.formats[name]
