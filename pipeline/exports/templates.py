"""The workbooks a new practice starts with, made from the schemas alone."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from pipeline.exports.input_sheets import (
    InputBook,
    add_table,
    drop_down,
    format_of,
    lay_out,
    new_book,
    setting_default,
    words_of,
    write_headings,
    write_value,
)
from pipeline.exports.input_words import (
    TITLES,
    must_be_filled,
    prompt,
    sheets_of,
    title_of,
)
from pipeline.exports.read_me import write_read_me
from pipeline.files import private_folder, write_bytes
from pipeline.folder import WORKBOOKS, list_practice
from schemas import Practice
from schemas.columns import Column, Schema, about, columns, name_of

VERSION = 1
MADE_AT = datetime(2026, 1, 1)  # fixed, so that the same version is the same bytes
LAST_ROW = 500  # how far down prompts, drop-downs and colours go; formats never end

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
MISSING = {"bg_color": "#FBE3B5"}


def write_templates(folder: Path) -> tuple[list[str], list[str]]:
    """Put the template workbooks into a practice folder, made 0700 when it is missing.

    Returns the names of the files made and of those already there, which are left as
    they are: a workbook under any spelling of its name, or a CSV of one of its sheets.
    """
    private_folder(folder)
    made, there = [], []
    for file in WORKBOOKS:
        name, found = f"{file}.xlsx", _already_there(folder, file)
        if not found:
            try:
                write_bytes(folder / name, template(file), replace=False)
                made.append(name)
            except FileExistsError:
                found = [name]
        there += found
    return made, there


def _already_there(folder: Path, file: str) -> list[str]:
    """What answers for a workbook or one of its sheets: a second one stops the night."""
    listing = list_practice(folder)
    tables = [name_of(schema) for schema in sheets_of(file)]
    texts = [listing.texts[table] for table in tables if table in listing.texts]
    return [listing.workbooks[file], *texts] if file in listing.workbooks else texts


def template(file: str) -> bytes:
    """The template of a workbook ("patients"), the same bytes every time."""
    book = new_book(TITLES[file], "", MADE_AT)
    version = f"{file}/{VERSION}"
    book.workbook.set_custom_property("billing_template", version, "text")
    write_read_me(book, file, version)
    for schema in sheets_of(file):
        _write_sheet(book, schema)
    return book.finish()


def _write_sheet(book: InputBook, schema: Schema) -> None:
    """One sheet with its headings, its first rows and what helps to fill it in."""
    sheet, listed = book.workbook.add_worksheet(title_of(schema)), [*columns(schema)]
    headings, rows = [column.title for column in listed], _first_rows(schema)
    add_table(sheet, title_of(schema).replace(" ", ""), headings, max(len(rows), 1))
    lay_out(sheet, listed, book.formats)
    write_headings(sheet, listed, headings, book.formats)
    for number, row in enumerate(rows, start=1):
        for index, (column, value) in enumerate(zip(listed, row, strict=True)):
            write_value(sheet, number, index, column, value, book.formats)
    for index, column in enumerate(listed):
        if column.required:
            sheet.write_comment(0, index, prompt(column))
        # The values of Settings have a rule each: two on one cell damage the file.
        if (name_of(schema), column.name) != ("settings", "value"):
            rule = _rule(column, about(schema)["file"])
            sheet.data_validation(1, index, LAST_ROW, index, rule)
    _colour_what_is_missing(book, sheet, listed)
    if name_of(schema) == "settings":
        _help_with_settings(book, sheet, headings.index("Value"))


def _first_rows(schema: Schema) -> Sequence[Sequence[Any]]:
    """What a template already holds; Last edited by is for the office to sign."""
    match name_of(schema):
        case "settings":
            return [(s.title, setting_default(s), None) for s in columns(Practice)]
        case "tax_codes":
            return [(*row, None) for row in TAX_CODES]
        case "roles":
            return ROLES
        case _:
            return ()


def _help_with_settings(book: InputBook, sheet: Worksheet, index: int) -> None:
    """Each value has the format, the choices and the prompt of its own setting."""
    missing = book.workbook.add_format(MISSING)
    for number, setting in enumerate(columns(Practice), start=1):
        if setting.kind == "date":
            sheet.write_blank(number, index, None, book.formats[format_of(setting)])
        sheet.data_validation(number, index, number, index, _rule(setting, "settings"))
        if must_be_filled(setting):
            blank = {"type": "blanks", "format": missing}
            sheet.conditional_format(number, index, number, index, blank)


def _colour_what_is_missing(
    book: InputBook, sheet: Worksheet, listed: Sequence[Column]
) -> None:
    """Required cells that are blank in a row somebody has begun."""
    missing = book.workbook.add_format(MISSING)
    last = xl_col_to_name(len(listed) - 1)
    for index, column in enumerate(listed):
        if must_be_filled(column):
            letter = xl_col_to_name(index)
            begun = f"=AND(ISBLANK(${letter}2),COUNTA($A2:${last}2)>0)"
            rule = {"type": "formula", "criteria": begun, "format": missing}
            sheet.conditional_format(1, index, LAST_ROW, index, rule)


def _rule(column: Column, file: str) -> dict[str, Any]:
    """What a cell says when selected, what it offers, and what it warns of."""
    return {
        **_check(column, file),
        "input_title": column.title[:32],
        "input_message": prompt(column),
        "error_type": "warning",
        "error_title": column.title[:32],
        "error_message": f"Expected: {column.expected}."[:255],
    }


def _check(column: Column, file: str) -> dict[str, Any]:
    """What is warned of; codes can be chosen where their sheet is in the workbook."""
    if source := words_of(column) or "".join(_codes(column, file)):
        return drop_down(source)
    if column.kind == "date":
        first, last = date(1900, 1, 1), date(2199, 12, 31)
        between = {"criteria": "between", "minimum": first, "maximum": last}
        return {"validate": "date"} | between
    if column.kind in ("money", "percent", "whole"):
        kind = "integer" if column.kind == "whole" else "decimal"
        return {"validate": kind, "criteria": ">=", "value": 0}
    return {"validate": "any"}


def _codes(column: Column, file: str) -> Iterator[str]:
    """Where the codes stand that a column refers to, when in the same workbook."""
    table, _, field = column.refers_to.partition(".")
    for schema in sheets_of(file):
        if name_of(schema) == table:
            names = [known.name for known in columns(schema)]
            letter = xl_col_to_name(names.index(field))
            yield f"='{title_of(schema)}'!${letter}$2:${letter}${LAST_ROW + 1}"
