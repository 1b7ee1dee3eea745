"""The workbooks a practice types into, made from the schemas, blank or filled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from xlsxwriter.worksheet import Worksheet

from pipeline.cells.spelling import heading
from pipeline.exports.input_cells import write_cell
from pipeline.exports.input_lists import write_lists
from pipeline.exports.input_marks import MISSING, mark_mistakes, name_codes
from pipeline.exports.input_rules import keep_heading, rule
from pipeline.exports.input_sheets import (
    InputBook,
    add_table,
    format_of,
    lay_out,
    new_book,
    setting_default,
    width_of,
    write_headings,
)
from pipeline.exports.input_words import (
    TITLES,
    must_be_filled,
    prompt,
    sheets_of,
)
from pipeline.exports.read_me import write_read_me
from pipeline.exports.workbook import spread
from pipeline.files import private_folder, write_bytes
from pipeline.reading.folder import WORKBOOKS, list_practice
from pipeline.reading.template_stamp import PROPERTY, stamp
from schemas import Practice
from schemas.columns import Column, Schema, about, columns, name_of, title_of

MADE_AT = datetime(2026, 1, 1)  # fixed, so that the same version is the same bytes
# How far down prompts, drop-downs and marks go below the rows there are; Excel takes
# them along as its table grows, and formats never end.
SPARE_ROWS = 2000

TAX_CODES = (
    ("EXEMPT", "Exempt", 0),
    ("ZERO", "Zero rated", 0),
    ("STD", "Standard rate", 20),
)
ROLES = (
    ("Manager", "Edit", "Edit", "Edit", "Edit"),
    ("Reception", "View", "Edit", "View", "Edit"),
    ("Accountant", "View", "None", "View", "Edit"),
)


@dataclass(frozen=True)
class Filled:
    """The rows of a sheet, in the order of its columns, and columns of the office's own.

    `more` are the headings of those, which stand at the right; `signed` is said of
    rows that carry somebody's user name.
    """

    rows: Sequence[Sequence[Any]] = ()
    more: Sequence[str] = ()
    signed: bool = False


def first_rows() -> dict[str, Filled]:
    """What templates hold by themselves; Last edited by is for the office to sign."""
    settings = [(s.title, setting_default(s), None) for s in columns(Practice)]
    return {
        "settings": Filled(settings),
        "tax_codes": Filled([(*row, None) for row in TAX_CODES]),
        "roles": Filled(ROLES),
    }


def write_templates(
    folder: Path, filled: Mapping[str, Filled] | None = None
) -> tuple[list[str], list[str]]:
    """Put the template workbooks into a practice folder, made 0700 when it is missing.

    Returns the names of the files made and of those already there, which are left as
    they are: a workbook under any spelling of its name, or a CSV of one of its sheets.
    """
    private_folder(folder)
    made, there = [], []
    for file in WORKBOOKS:
        name, found = f"{file}.xlsx", already_there(folder, file)
        if not found:
            try:
                write_bytes(folder / name, template(file, filled), replace=False)
                made.append(name)
            except FileExistsError:
                found = [name]
        there += found
    return made, there


def already_there(folder: Path, file: str) -> list[str]:
    """What answers for a workbook or one of its sheets: a second one stops the night."""
    listing = list_practice(folder)
    tables = [name_of(schema) for schema in sheets_of(file)]
    texts = [listing.texts[table] for table in tables if table in listing.texts]
    return [listing.workbooks[file], *texts] if file in listing.workbooks else texts


def template(file: str, filled: Mapping[str, Filled] | None = None) -> bytes:
    """The template of a workbook ("patients"), the same bytes every time.

    `filled` are the rows of its sheets by table; without it, those of `first_rows`.
    """
    rows = first_rows() if filled is None else filled
    book = new_book(TITLES[file], "", MADE_AT)
    book.workbook.set_custom_property(PROPERTY, stamp(file), "text")
    signed = any(rows.get(name_of(s), Filled()).signed for s in sheets_of(file))
    write_read_me(book, file, stamp(file), signed=signed)
    for schema in sheets_of(file):
        _write_sheet(book, schema, rows.get(name_of(schema), Filled()))
    write_lists(book, file)
    name_codes(book, file)
    book.workbook.get_worksheet_by_name(title_of(sheets_of(file)[0])).activate()
    return book.finish()


def _write_sheet(book: InputBook, schema: Schema, filled: Filled) -> None:
    """One sheet with its headings, its first rows and what helps to fill it in."""
    sheet, listed = book.workbook.add_worksheet(title_of(schema)), [*columns(schema)]
    headings = [*(column.title for column in listed), *filled.more]
    file, last = about(schema)["file"], len(filled.rows) + SPARE_ROWS
    add_table(
        sheet, title_of(schema).replace(" ", ""), headings, max(len(filled.rows), 1)
    )
    _lay_out(book, sheet, listed, filled, last)
    write_headings(sheet, listed, headings, book.formats)
    for number, row in enumerate(filled.rows, start=1):
        for index, value in enumerate(row):
            column = listed[index] if index < len(listed) else None
            write_cell(book, sheet, (number, index), column, value)
    for index, title in enumerate(headings):
        keep_heading(sheet, index, title)
    for index, column in enumerate(listed):
        if column.required:
            sheet.write_comment(0, index, prompt(column, file))
        # The values of Settings have a rule each: two on one cell damage the file.
        if (name_of(schema), column.name) != ("settings", "value"):
            sheet.data_validation(1, index, last, index, rule(column, file))
    mark_mistakes(book, sheet, schema, file, last)
    if name_of(schema) == "settings":
        _help_with_settings(book, sheet, headings.index("Value"), filled.rows)


def _lay_out(
    book: InputBook,
    sheet: Worksheet,
    listed: Sequence[Column],
    filled: Filled,
    last: int,
) -> None:
    """Widths, formats and paper; the office's own columns are free text."""
    lay_out(sheet, listed, book.formats)
    if filled.more:
        first = len(listed)
        wide = first + len(filled.more) - 1
        sheet.set_column(first, wide, 18, book.formats["setting"])
    # A code of digits alone is meant to be text: no green corner says otherwise.
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last + 1}"})
    sheet.set_footer("&L&A&RPage &P of &N")
    spread(sheet, [width_of(column) for column in listed])


def _help_with_settings(
    book: InputBook, sheet: Worksheet, index: int, rows: Sequence[Sequence[Any]]
) -> None:
    """Each value has the format, the choices and the prompt of its own setting."""
    missing = book.workbook.add_format(MISSING)
    known = {heading(setting.title): setting for setting in columns(Practice)}
    for number, row in enumerate(rows, start=1):
        setting = known.get(heading(str(row[0] or "")))
        if setting is None:
            continue
        if setting.kind == "date" and row[index] is None:
            sheet.write_blank(number, index, None, book.formats[format_of(setting)])
        sheet.data_validation(number, index, number, index, rule(setting, "settings"))
        if must_be_filled(setting):
            blank = {"type": "blanks", "format": missing}
            sheet.conditional_format(number, index, number, index, blank)
