"""Columns of dates: every way to write a day that has one meaning."""

import re
from datetime import date, datetime, time, timedelta

from pipeline.cells.answers import (
    WRITE_DATE,
    Kind,
    Parsed,
    check,
    fixed,
    held,
    wrong_kind,
)
from pipeline.cells.spelling import MONTHS, in_words, show
from schemas.columns import Column

FIRST_YEAR, LAST_YEAR = 1900, 2200

_CLOCK = r"(?:[ T](?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?))?"
_YEAR = r"(?P<year>[0-9]{4}|[0-9]{2})"
_DAY = r"(?P<day>[0-9]{1,2})"
_NTH = r"(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?"
_ISO = re.compile(
    rf"(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}}){_CLOCK}"
)
_DAY_FIRST = re.compile(
    rf"{_DAY}(?P<mark>[/.-])(?P<month>[0-9]{{1,2}})(?P=mark){_YEAR}{_CLOCK}"
)
_YEAR_FIRST = re.compile(
    rf"(?P<year>[0-9]{{4}})(?P<mark>[/.-])(?P<month>[0-9]{{1,2}})(?P=mark){_DAY}{_CLOCK}"
)
_DAY_MONTH = re.compile(
    rf"{_WEEKDAY}{_DAY}{_NTH}(?: of)?[ /.-]*(?P<month>[a-z]{{3,9}})[ ,/.-]*{_YEAR}",
    re.IGNORECASE | re.ASCII,
)
_MONTH_DAY = re.compile(
    rf"{_WEEKDAY}(?P<month>[a-z]{{3,9}})\.? {_DAY}{_NTH},? (?P<year>[0-9]{{4}})",
    re.IGNORECASE | re.ASCII,
)
# Excel counts days from here, for every day after its imaginary 29 February 1900.
_DAY_ZERO = date(1899, 12, 30)
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 80_000
_OPEN_ENDED = frozenset({"end_date", "valid_to"})
_OPEN_WORDS = frozenset({"ongoing", "on-going", "open", "open-ended", "current"})


def _date(text: str, column: Column) -> Parsed:
    if match := _ISO.fullmatch(text):
        return _written(text, match, column)
    if len(text) == 5 and text.isascii() and text.isdigit():
        return _serial(int(text), column)
    if text.casefold() in _OPEN_WORDS:
        if column.name in _OPEN_ENDED and not column.required:
            return fixed(None, "date-open", f"{text} is read as blank")
        return wrong_kind(text, column)
    for form in (_DAY_FIRST, _YEAR_FIRST, _DAY_MONTH, _MONTH_DAY):
        if match := form.fullmatch(text):
            return _written(text, match, column)
    return wrong_kind(text, column)


def _written(text: str, match: re.Match[str], column: Column) -> Parsed:
    """A date from its written parts; anything but ISO is read back in words."""
    year, day, month = int(match["year"]), int(match["day"]), _month(match["month"])
    if len(match["year"]) == 2:
        # 26 may be this century or the last for a birth, and only this one for a bill.
        if column.name == "date_of_birth":
            found = f"{text} has a year of two digits"
            return held("date-short-year", found, "write all four digits of the year")
        year += 2000
    if month > 12 and day <= 12 and match.re is _DAY_FIRST:
        return _month_first(text, year, day, month, column)
    try:
        read = date(year, month, day)
    except ValueError:
        return held("date-not-real", f"{text} is not a date", WRITE_DATE)
    clock = match.groupdict().get("clock") or ""
    if clock.strip("0:."):
        return _in_range(read, text) or _without_time(read, text)
    if match.re is _ISO:
        return _in_range(read, text) or Parsed(read)
    swappable = match.re is _DAY_FIRST and day <= 12 and day != month
    code = "date-day-first" if swappable else "date-as-text"
    return _in_range(read, text) or _read_as(read, text, code)


def _month(written: str) -> int:
    """The month's number, 0 if it is no month: `3`, `Mar`, `Sept`, `september`."""
    if written.isdigit():
        return int(written)
    found = (m for m in MONTHS if m.casefold().startswith(written.casefold()))
    month = next(found, None)
    return MONTHS.index(month) + 1 if month else 0


def _month_first(text: str, year: int, month: int, day: int, column: Column) -> Parsed:
    """`03/25/2026`: no such month, so perhaps the month was written first."""
    try:
        meant = date(year, month, day)
    except ValueError:
        return held("date-not-real", f"{text} is not a date", WRITE_DATE)
    found = f"{text} has the month first if it means {in_words(meant)}"
    repair = f"write {meant:%d/%m}/{meant.year} or {meant} if it does"
    return held("date-month-first", found, repair)


def _serial(value: float, column: Column) -> Parsed:
    """The day number a date cell shows once its format is lost."""
    if value != int(value) or not _FIRST_SERIAL <= value <= _LAST_SERIAL:
        return wrong_kind(value, column)
    return _read_as(_DAY_ZERO + timedelta(int(value)), show(value), "date-serial")


def _day(value: date, column: Column) -> Parsed:
    if not isinstance(value, datetime):
        return _in_range(value, "") or Parsed(value)
    read = value.date()
    if value.time() == time():
        return _in_range(read, "") or Parsed(read)
    return _in_range(read, "") or _without_time(read, show(value))


def _in_range(read: date, shown: str) -> Parsed | None:
    """The refusal of a year nobody means; None for any other."""
    if FIRST_YEAR <= read.year <= LAST_YEAR:
        return None
    side = f"before {FIRST_YEAR}" if read.year < FIRST_YEAR else f"after {LAST_YEAR}"
    found = f"{shown or in_words(read)} is {side}"
    return held("date-out-of-range", found, "correct the year")


def _read_as(read: date, shown: str, code: str) -> Parsed:
    words = in_words(read)
    found = f"{shown} is read as {words}"
    if shown.casefold() == words.casefold():
        found = f"{shown} is a text and is read as that day"
    repair = f"if that is right, write it as a date cell or as {read}"
    return check(read, code, found, repair)


def _without_time(read: date, shown: str) -> Parsed:
    found = f"{shown} is read as {in_words(read)}, without the time of day"
    return check(
        read, "date-with-time", found, "leave the time out if the day is right"
    )


DATE = Kind(_date, _serial, _day)
