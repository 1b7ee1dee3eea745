"""Columns of text, and of codes."""

import re
import unicodedata
from datetime import date, datetime, time, timedelta

from pipeline.cells.answers import RETYPE_CODE, Fault, Kind, Parsed, check, held
from pipeline.cells.spelling import DIGITS_KEPT, digits, show, spelled
from pipeline.problems import Severity
from schemas.columns import Column

LONGEST_CODE = 40

_FORMULA = re.compile(r"[=+@-]")
_TELEPHONE = re.compile(r"\+[0-9][0-9 ()]*")
# Two-byte UTF-8 letters and quotes as they look when read as Windows text.
_GARBLED = re.compile(
    r"[ÃÂ][\xa1-\xbf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    r"\u2013-\u203a\u20ac\u2122]|â€|\ufffd"
)


def _text(text: str, column: Column) -> Parsed:
    if _FORMULA.match(text) and not _TELEPHONE.fullmatch(text):
        found = f"{show(text)} begins like a formula and is kept as text"
        return check(text, "text-like-formula", found, "check that it is meant so")
    if not text.isascii() and _GARBLED.search(text):
        return check(text, "text-garbled", _garbled(text), "type it again if it is")
    return Parsed(text)


def _garbled(text: str) -> str:
    try:
        meant = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return f"{show(text)} looks damaged by a change of file format"
    return f"{show(text)} looks like {show(meant)}, damaged by a change of file format"


def _number_as_text(value: float, column: Column) -> Parsed:
    text = digits(value)
    if abs(value) < DIGITS_KEPT:
        return Parsed(text)
    found = f"{show(text)} has more digits than a spreadsheet keeps"
    return check(
        text, "digits-lost", found, "format the cell as Text and type it again"
    )


def _day_as_text(value: date | time | timedelta, column: Column) -> Parsed:
    text = _day_as_answer(value, column).value
    found = f"{show(value)} is {_sort_of(value)}, which Excel makes of text such as 1-2"
    return check(
        text, "text-is-date", found, "format the cell as Text and type it again"
    )


def _sort_of(value: date | time | timedelta) -> str:
    return "a date" if isinstance(value, date) else "a time"


def _day_as_answer(value: date | time | timedelta, column: Column) -> Parsed:
    """A setting may ask for a date, and is judged as what it asks for later."""
    if not isinstance(value, date):
        return Parsed(spelled(value))
    if isinstance(value, datetime):
        midnight = value.time() == time()
        value = value.date() if midnight else value.replace(microsecond=0)
        return Parsed(str(value))
    return Parsed(value.isoformat())


def _truth_as_text(value: bool, column: Column) -> Parsed:
    return Parsed(str(value))  # a person may be called True


def _truth_as_answer(value: bool, column: Column) -> Parsed:
    return Parsed("Yes" if value else "No")


_CODE = re.compile(rf"[0-9A-Za-z][0-9A-Za-z _./-]{{0,{LONGEST_CODE - 1}}}")
_CODE_CHARACTER = re.compile(r"[0-9A-Za-z _./-]")
SHORTENED = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]+", re.IGNORECASE)


def _code(text: str, column: Column) -> Parsed:
    if _CODE.fullmatch(text):
        return Parsed(text)
    if lost := _shortened(text):
        return lost
    if len(text) > LONGEST_CODE:
        found = f"{show(text)} is longer than {LONGEST_CODE} characters"
        return held("code-too-long", found, "use a shorter code")
    odd = next((c for c in text if not _CODE_CHARACTER.fullmatch(c)), None)
    found = f"{text} begins with {text[0]}"
    if odd:
        named = odd if odd.isascii() else f"{show(odd)} ({_name_of(odd)})"
        found = f"{show(text)} has the character {named} in it"
    repair = "begin with a letter or digit and use only letters, digits, - _ . or /"
    return held("code-character", found, repair)


def _shortened(text: str) -> Parsed | None:
    if not SHORTENED.fullmatch(text):
        return None
    found = (
        f"{text} is what spreadsheets make of a long number or of a code such as 1E5"
    )
    return held("code-digits-lost", found, RETYPE_CODE)


def _too_long(value: float) -> Parsed | None:
    if abs(value) < DIGITS_KEPT:
        return None
    found = f"{show(value)} has more digits than a spreadsheet keeps"
    return held("code-digits-lost", found, RETYPE_CODE)


def _name_of(character: str) -> str:
    return unicodedata.name(character, "one without a name").lower()


def _number_as_code(value: float, column: Column) -> Parsed:
    if lost := _too_long(value):
        return lost
    shown = show(value)
    if value != int(value) or value < 0:
        return held("code-is-number", f"{shown} is a number, not a code", RETYPE_CODE)
    return Parsed(
        shown,
        Fault(
            Severity.FIXED,
            "number-as-code",
            f"the number {shown} is read as code {shown}",
            "format the column as Text if its codes begin with 0",
        ),
    )


def _day_as_code(value: date | time | timedelta, column: Column) -> Parsed:
    made_of = "which Excel makes of codes such as MAR1 or 1-2"
    found = f"{show(value)} is {_sort_of(value)}, {made_of}"
    return held("code-is-date", found, RETYPE_CODE)


def _reference(text: str, column: Column) -> Parsed:
    return _shortened(text) or _text(text, column)


def _number_as_reference(value: float, column: Column) -> Parsed:
    return _too_long(value) or Parsed(digits(value))


TEXT = Kind(_text, _number_as_text, _day_as_text, _truth_as_text)
ANSWER = Kind(_text, _number_as_text, _day_as_answer, _truth_as_answer)
CODE = Kind(_code, _number_as_code, _day_as_code)
REFERENCE = Kind(_reference, _number_as_reference, _day_as_code)
