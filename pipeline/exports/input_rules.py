"""What a cell says when it is selected, what it offers, and what it warns of."""

from datetime import date
from typing import Any

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from pipeline.exports.input_lists import list_at
from pipeline.exports.input_marks import codes_at, known_codes
from pipeline.exports.input_sheets import drop_down
from pipeline.exports.input_words import prompt
from schemas.columns import Column

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2199, 12, 31)


def rule(column: Column, file: str) -> dict[str, Any]:
    """The validation of a cell of a workbook ("patients"), its prompt included.

    It warns and never refuses: what is typed all the same is judged at night.
    """
    return {
        **_check(column, file),
        "input_title": column.title[:32],
        "input_message": prompt(column, file),
        "error_type": "warning",
        "error_title": column.title[:32],
        "error_message": f"Expected: {column.expected}."[:255],
        # Where any word may be typed, a list is only there to choose from.
        "show_error": not column.offers,
    }


def _check(column: Column, file: str) -> dict[str, Any]:
    if source := list_at(file, column):
        return drop_down(source)
    if known_codes(column, file):
        title, letter = codes_at(column, file)
        # From the heading on, which is never deleted, as far as anything is typed.
        cells = f"'{title}'!${letter}"
        filled = f"MAX(1,COUNTA({cells}:${letter})-1)"
        return drop_down(f"=OFFSET({cells}$1,1,0,{filled},1)")
    if column.kind == "date":
        between = {"criteria": "between", "minimum": FIRST_DAY, "maximum": LAST_DAY}
        return {"validate": "date"} | between
    if column.kind in ("money", "percent", "whole"):
        kind = "integer" if column.kind == "whole" else "decimal"
        return {"validate": kind, "criteria": ">=", "value": 0}
    return {"validate": "any"}


def keep_heading(sheet: Worksheet, index: int, heading: str) -> None:
    """Refuse another word in a heading: a sheet that is locked could not grow."""
    text = heading.replace('"', '""')
    if len(text) > 200:  # no longer formula fits a validation
        return
    sheet.data_validation(0, index, 0, index, {
        "validate": "custom",
        "value": f'=EXACT({xl_col_to_name(index)}1,"{text}")',
        "error_title": "A heading must stay",
        "error_message": "The program finds the column by these words. Columns may"
        " change places, and new ones may be added at the right.",
    })  # fmt: skip
