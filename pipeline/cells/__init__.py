"""One cell's value to one typed value, or the reason it is none."""

import math
import re
from dataclasses import replace
from datetime import date

from pipeline.cells import amounts, choices, contact, dates, texts
from pipeline.cells.answers import (
    BLANK,
    NOUNS,
    Fault,
    Kind,
    Parsed,
    fixed,
    held,
    how_to_write,
    left_blank,
)
from pipeline.cells.choices import choice_of
from pipeline.cells.spelling import BREAKS, CONTROLS, CellError, show, tidy
from pipeline.problems import Severity
from schemas.columns import Column

# A cell holds 32,767 characters, and a name is put together from several cells.
LONGEST_TEXT = 8_000

_ERROR = "formula-error"
_ERROR_WORD = re.compile(
    r"#(?:REF!|DIV/0!|VALUE!|NAME\?|N/A|NULL!|NUM!|SPILL!|CALC!)", re.IGNORECASE
)
# "None" and "NA" are surnames, so they mean nothing only outside text columns.
_TEXTS = ("text", "answer", "reference")
_NO_TEXT = frozenset({"n/a", "-", "–", "—", "."})
_NO_VALUE = _NO_TEXT | {"none"}


def parse(value: object, column: Column) -> Parsed:
    """What a cell means in a column of `column.kind`: never raises, never guesses.

    `value` is None, text, a number, a truth value, a date, a time or a `CellError`.
    A blank cell gives no fault; whether it may be blank is the schema's affair.
    Where `column.warn_only`, a value that cannot be used is left blank with CHECK; an
    error that a formula left is held there too, since nobody typed it.
    """
    if value is None:
        return BLANK
    if isinstance(value, str):
        parsed = _parse_text(value, column)
    else:
        parsed = _parse_typed(value, column)
    fault = parsed.fault
    if not column.warn_only or not fault or fault.severity is not Severity.HELD:
        return parsed
    return parsed if fault.code == _ERROR else left_blank(fault)


def _parse_text(typed: str, column: Column) -> Parsed:
    if len(typed) > LONGEST_TEXT:
        return held(
            "text-too-long",
            f"text of {len(typed):,} characters is too long",
            f"shorten it to {LONGEST_TEXT:,} characters",
        )
    text = tidy(typed)
    if text is not typed and CONTROLS.search(typed):
        return held(
            "control-character",
            f"{show(typed)} has characters in it that cannot be shown or printed",
            "clear the cell and type it again",
        )
    if not text:
        return BLANK
    if text[0] == "#" and _ERROR_WORD.fullmatch(text):
        return _formula_error(text)
    parsed = _absent(text, column) or _KINDS[column.kind].text(text, column)
    if text == typed or parsed.fault:
        return parsed
    return replace(parsed, fault=_tidied(typed, text))


def _tidied(typed: str, text: str) -> Fault:
    if BREAKS.search(typed.strip()):
        code, what = "line-break", "had a line break in it"
    else:
        code, what = "space-trimmed", "had spare or invisible spaces"
    repair = "they are left out, nothing to do"
    if code == "line-break":
        repair = "it is read as a space, nothing to do"
    return Fault(Severity.FIXED, code, f"{show(text)} {what}", repair)


def _absent(text: str, column: Column) -> Parsed | None:
    """A word for "nothing": blank where that is allowed, None if it is no such word."""
    if len(text) > 4:
        return None
    word = text.casefold()
    if word in _NO_TEXT and column.required:
        found = f"{text} stands for nothing, but {column.title} is required"
        return held("blank-word-required", found, "fill it in")
    words = _NO_TEXT if column.kind in _TEXTS else _NO_VALUE
    if column.required or word not in words or choice_of(text, column):
        return None
    return fixed(None, "blank-word", f"{text} is read as blank")


def _parse_typed(value: object, column: Column) -> Parsed:
    if isinstance(value, CellError):
        return _formula_error(value.text)
    kind = _KINDS[column.kind]
    if isinstance(value, bool):
        return kind.truth(value, column)
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            return held(
                "number-not-finite", f"{value} is no number", how_to_write(column)
            )
        return kind.number(value, column)
    if isinstance(value, date):
        return kind.day(value, column)
    if column.kind in _TEXTS:
        return kind.day(value, column)
    found = f"{show(value)} is a time, not {NOUNS[column.kind]}"
    return held("time-unexpected", found, how_to_write(column))


def _formula_error(text: str) -> Parsed:
    return held(
        _ERROR,
        f"{show(text)} is an error left by a formula",
        "correct the formula or type the value",
    )


_KINDS: dict[str, Kind] = {
    "text": texts.TEXT,
    "answer": texts.ANSWER,
    "reference": texts.REFERENCE,
    "code": texts.CODE,
    "date": dates.DATE,
    "money": amounts.MONEY,
    "percent": amounts.PERCENT,
    "whole": amounts.WHOLE,
    "yesno": choices.YESNO,
    "choice": choices.CHOICE,
    "email": contact.EMAIL,
    "phone": contact.PHONE,
    "postcode": contact.POSTCODE,
}
