"""What reading a cell comes to: its value, and what is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pipeline.cells.spelling import show
from pipeline.problems import Severity
from schemas.columns import Column

_NOTHING_TO_DO = "nothing to do"
WRITE_DATE = "write it as a date cell or as 2024-01-31"
RETYPE_CODE = "format the column as Text and type the code again"

# What a column of each kind holds, in words.
NOUNS = {
    "text": "text",
    "answer": "text",
    "reference": "a reference",
    "code": "a code",
    "date": "a date",
    "money": "an amount",
    "percent": "a percentage",
    "whole": "a whole number",
    "yesno": "Yes or No",
    "choice": "a word offered",
    "email": "an e-mail address",
    "phone": "a telephone number",
    "postcode": "a postcode",
}


@dataclass(frozen=True)
class Fault:
    """Why a value was changed, doubted or refused.

    HELD: the value cannot be used; CHECK: used, but a person should look;
    FIXED: put right without a doubt.
    `found` and `repair` are clauses without a capital or full stop.
    """

    severity: Severity
    code: str
    found: str
    repair: str


@dataclass(frozen=True)
class Parsed:
    """A cell's typed value, None where it is blank or cannot be used, and its fault."""

    value: str | date | Decimal | int | bool | None
    fault: Fault | None = None


BLANK = Parsed(None)


def held(code: str, found: str, repair: str) -> Parsed:
    """The value cannot be used."""
    return Parsed(None, Fault(Severity.HELD, code, found, repair))


def fixed(value: Any, code: str, found: str) -> Parsed:
    """The value was put right without a doubt."""
    return Parsed(value, Fault(Severity.FIXED, code, found, _NOTHING_TO_DO))


def check(value: Any, code: str, found: str, repair: str) -> Parsed:
    """The value is used, but a person should look."""
    return Parsed(value, Fault(Severity.CHECK, code, found, repair))


def left_blank(fault: Fault) -> Parsed:
    """A value that cannot be used where none is needed."""
    found = f"{fault.found}, so it is left blank"
    return check(None, fault.code, found, fault.repair)


def how_to_write(column: Column) -> str:
    """What to do about a value that a column cannot take."""
    return WRITE_DATE if column.kind == "date" else f"write {column.expected}"


def wrong_kind(value: object, column: Column) -> Parsed:
    """The value is of another kind than its column."""
    found = f"{show(value)} is not {NOUNS[column.kind]}"
    return held(f"not-{column.kind}", found, how_to_write(column))


def unexpected_day(value: date, column: Column) -> Parsed:
    """A date where something else belongs: the cell's format, or Excel's own idea."""
    found = f"{show(value)} is a date, not {NOUNS[column.kind]}"
    repair = f"format the cell as General and {how_to_write(column)}"
    return held("date-unexpected", found, repair)


@dataclass(frozen=True)
class Kind:
    """How one kind of column reads each sort of cell; without a reader it refuses."""

    text: Callable[[str, Column], Parsed]
    number: Callable[[float, Column], Parsed] = wrong_kind
    day: Callable[[Any, Column], Parsed] = unexpected_day
    truth: Callable[[bool, Column], Parsed] = wrong_kind
