"""One cell's value to one typed value, or the reason it is none."""

import difflib
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from pipeline.problems import Severity
from schemas.columns import Column

FIRST_YEAR, LAST_YEAR = 1900, 2200
LARGEST_AMOUNT = Decimal("9999999.99")
LARGEST_PERCENT = Decimal("999.99")
LARGEST_WHOLE = 2**31 - 1
# A cell holds 32,767 characters, and a name is put together from several cells.
LONGEST_TEXT = 8_000
LONGEST_CODE = 40
LONGEST_SHOWN = 60
# A spreadsheet keeps fifteen digits of a number and forgets the rest.
DIGITS_KEPT = 10**15

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True)
class CellError:
    """What a formula that failed leaves in its cell, such as '#REF!'."""

    text: str


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
_NOTHING_TO_DO = "nothing to do"
_WRITE_DATE = "write it as a date cell or as 2024-01-31"
_RETYPE_CODE = "format the column as Text and type the code again"


def parse(value: object, column: Column) -> Parsed:
    """What a cell means in a column of `column.kind`: never raises, never guesses.

    `value` is None, text, a number, a truth value, a date, a time or a `CellError`.
    A blank cell gives no fault; whether it may be blank is the schema's affair.
    Where `column.warn_only`, a value that cannot be used is left blank with CHECK.
    """
    if value is None:
        return BLANK
    if isinstance(value, str):
        parsed = _parse_text(value, column)
    else:
        parsed = _parse_typed(value, column)
    if column.warn_only and parsed.fault and parsed.fault.severity is Severity.HELD:
        return _left_blank(parsed.fault)
    return parsed


def canonical(value: str) -> str:
    """How two spellings of a key compare: no case, spaces or leading zeros."""
    if value.isascii():
        plain = _no_spaces(value.lower())
    else:
        plain = unicodedata.normalize("NFKC", value.translate(_FOLDED)).casefold()
        # Again, since marks meet other letters once case and spaces are gone.
        plain = unicodedata.normalize("NFKC", _no_spaces(plain)).translate(_FOLDED)
    if plain.isdigit() and plain.isascii():
        return plain.lstrip("0") or "0"
    return plain


def shows_nothing(text: str) -> bool:
    """Whether a cell of this text looks blank: spaces and invisible characters."""
    return not text.strip() or (not text[0].isalnum() and not canonical(text))


def _no_spaces(text: str) -> str:
    return "".join(_INVISIBLE.sub("", text).split())


def heading(value: str) -> str:
    """How two spellings of a heading compare: letters and digits alone."""
    return _NOT_LETTERS.sub("", unicodedata.normalize("NFKC", value).casefold())


def show(value: object) -> str:
    """A cell's value as a person typed it, on one line, at most 60 characters.

    What cannot be shown is a question mark.
    """
    text = _tidy(_spelled(value))
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


# Text as typed


_SPACE = r" \t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_BREAK = r"\n\r\v\f\x85\u2028\u2029"
_HIDDEN = r"\xad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_CONTROL = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufff9-\ufffb\ufffe\uffff"

_UNTIDY = re.compile(rf"[{_BREAK}{_HIDDEN}{_CONTROL}]|(?! )[{_SPACE}]|^ | $|  ")
_CONTROLS = re.compile(f"[{_CONTROL}]+")
_INVISIBLE = re.compile(f"[{_HIDDEN}{_CONTROL}]+")
_BREAKS = re.compile(f"[{_BREAK}]+")
_SPACES = re.compile(f"[{_SPACE}{_BREAK}]+")
_NOT_LETTERS = re.compile(r"[\W_]+")
_FOLDED = str.maketrans(
    {**dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("‘’‛ʼ`´′", "'")}
    | dict.fromkeys("“”„‟″", '"')
)

_FORMULA_ERROR = re.compile(
    r"#(?:REF!|DIV/0!|VALUE!|NAME\?|N/A|NULL!|NUM!|SPILL!|CALC!)", re.IGNORECASE
)
# "None" and "NA" are surnames, so they mean nothing only outside text columns.
_NO_TEXT = frozenset({"n/a", "-", "–", "—", "."})
_NO_VALUE = _NO_TEXT | {"none"}


def _parse_text(typed: str, column: Column) -> Parsed:
    if len(typed) > LONGEST_TEXT:
        return _held(
            "text-too-long",
            f"text of {len(typed):,} characters is too long",
            f"shorten it to {LONGEST_TEXT:,} characters",
        )
    text = _tidy(typed)
    if text is not typed and _CONTROLS.search(typed):
        return _held(
            "control-character",
            f"{show(typed)} has characters in it that cannot be shown or printed",
            "clear the cell and type it again",
        )
    if not text:
        return BLANK
    if text[0] == "#" and _FORMULA_ERROR.fullmatch(text):
        return _formula_error(text)
    parsed = _absent(text, column) or _KINDS[column.kind].text(text, column)
    if text == typed or parsed.fault:
        return parsed
    return replace(parsed, fault=_tidied(typed, text))


def _tidy(text: str) -> str:
    """The text on one line, without what cannot be seen and without spare spaces."""
    if not _UNTIDY.search(text):
        return text
    return _SPACES.sub(" ", _INVISIBLE.sub("", text)).strip(" ")


def _tidied(typed: str, text: str) -> Fault:
    if _BREAKS.search(typed.strip()):
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
        return _held("blank-word-required", found, "fill it in")
    words = _NO_TEXT if column.kind == "text" else _NO_VALUE
    if column.required or word not in words or _choice_of(text, column):
        return None
    return _fixed(None, "blank-word", f"{text} is read as blank")


# Cells that are not text


def _parse_typed(value: object, column: Column) -> Parsed:
    if isinstance(value, CellError):
        return _formula_error(value.text)
    kind = _KINDS[column.kind]
    if isinstance(value, bool):
        return kind.truth(value, column)
    if isinstance(value, int | float):
        if isinstance(value, float) and not math.isfinite(value):
            return _held("number-not-finite", f"{value} is no number", _write(column))
        return kind.number(value, column)
    if isinstance(value, date):
        return kind.day(value, column)
    if column.kind == "text":
        return Parsed(_spelled(value))
    found = f"{show(value)} is a time, not {kind.noun}"
    return _held("time-unexpected", found, _write(column))


def _formula_error(text: str) -> Parsed:
    return _held(
        "formula-error",
        f"{show(text)} is an error left by a formula",
        "correct the formula or type the value",
    )


def _spelled(value: object) -> str:
    """A value in words: dates with the month by name, numbers without a spare `.0`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return _digits(value)
    if isinstance(value, datetime) and value.time() != time():
        return f"{_in_words(value)} {value:%H:%M}"
    if isinstance(value, date):
        return _in_words(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, CellError):
        return value.text
    return "blank" if value is None else str(value)


def _digits(value: float) -> str:
    """A number as a spreadsheet shows it: fifteen digits, no exponent."""
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    if value.is_integer() and abs(value) < DIGITS_KEPT:
        return str(int(value))
    return f"{Decimal(f'{value:.15g}'):f}"


def _in_words(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


# Answers


def _held(code: str, found: str, repair: str) -> Parsed:
    return Parsed(None, Fault(Severity.HELD, code, found, repair))


def _fixed(value: Any, code: str, found: str) -> Parsed:
    return Parsed(value, Fault(Severity.FIXED, code, found, _NOTHING_TO_DO))


def _check(value: Any, code: str, found: str, repair: str) -> Parsed:
    return Parsed(value, Fault(Severity.CHECK, code, found, repair))


def _left_blank(fault: Fault) -> Parsed:
    found = f"{fault.found}, so it is left blank"
    return _check(None, fault.code, found, fault.repair)


def _write(column: Column) -> str:
    return _WRITE_DATE if column.kind == "date" else f"write {column.expected}"


def _not(value: object, column: Column) -> Parsed:
    """The value is of another kind than its column."""
    found = f"{show(value)} is not {_KINDS[column.kind].noun}"
    return _held(f"not-{column.kind}", found, _write(column))


def _day_not(value: date, column: Column) -> Parsed:
    """A date where something else belongs: the cell's format, or Excel's own idea."""
    found = f"{show(value)} is a date, not {_KINDS[column.kind].noun}"
    repair = f"format the cell as General and {_write(column)}"
    return _held("date-unexpected", found, repair)


# Text columns


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
        return _check(text, "text-like-formula", found, "check that it is meant so")
    if not text.isascii() and _GARBLED.search(text):
        return _check(text, "text-garbled", _garbled(text), "type it again if it is")
    return Parsed(text)


def _garbled(text: str) -> str:
    try:
        meant = text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return f"{show(text)} looks damaged by a change of file format"
    return f"{show(text)} looks like {show(meant)}, damaged by a change of file format"


def _number_as_text(value: float, column: Column) -> Parsed:
    text = _digits(value)
    if abs(value) < DIGITS_KEPT:
        return Parsed(text)
    found = f"{show(text)} has more digits than a spreadsheet keeps"
    return _check(
        text, "digits-lost", found, "format the cell as Text and type it again"
    )


def _day_as_text(value: date, column: Column) -> Parsed:
    if isinstance(value, datetime):
        midnight = value.time() == time()
        value = value.date() if midnight else value.replace(microsecond=0)
        return Parsed(str(value))
    return Parsed(value.isoformat())


def _truth_as_text(value: bool, column: Column) -> Parsed:
    # A person called True is one; a setting that is true is meant as an answer.
    if column.personal:
        return Parsed(str(value))
    return Parsed("Yes" if value else "No")


# Codes


_CODE = re.compile(rf"[0-9A-Za-z][0-9A-Za-z _./-]{{0,{LONGEST_CODE - 1}}}")
_CODE_CHARACTER = re.compile(r"[0-9A-Za-z _./-]")
_SHORTENED = re.compile(r"[0-9](?:\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)


def _code(text: str, column: Column) -> Parsed:
    if _CODE.fullmatch(text):
        return Parsed(text)
    if _SHORTENED.fullmatch(text):
        found = f"{text} is a long number that lost its digits"
        return _held("code-digits-lost", found, _RETYPE_CODE)
    if len(text) > LONGEST_CODE:
        found = f"{show(text)} is longer than {LONGEST_CODE} characters"
        return _held("code-too-long", found, "use a shorter code")
    odd = next((c for c in text if not _CODE_CHARACTER.fullmatch(c)), None)
    found = f"{text} begins with {text[0]}"
    if odd:
        named = odd if odd.isascii() else f"{show(odd)} ({_name_of(odd)})"
        found = f"{show(text)} has the character {named} in it"
    repair = "begin with a letter or digit and use only letters, digits, - _ . or /"
    return _held("code-character", found, repair)


def _name_of(character: str) -> str:
    return unicodedata.name(character, "one without a name").lower()


def _number_as_code(value: float, column: Column) -> Parsed:
    shown = show(value)
    if abs(value) >= DIGITS_KEPT:
        found = f"{shown} has more digits than a spreadsheet keeps"
        return _held("code-digits-lost", found, _RETYPE_CODE)
    if value != int(value) or value < 0:
        return _held("code-is-number", f"{shown} is a number, not a code", _RETYPE_CODE)
    return Parsed(
        shown,
        Fault(
            Severity.FIXED,
            "number-as-code",
            f"the number {shown} is read as code {shown}",
            "format the column as Text if its codes begin with 0",
        ),
    )


def _day_as_code(value: date, column: Column) -> Parsed:
    found = f"{show(value)} is a date, which Excel makes of codes such as MAR1 or 1-2"
    return _held("code-is-date", found, _RETYPE_CODE)


# Dates


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
            return _fixed(None, "date-open", f"{text} is read as blank")
        return _not(text, column)
    for form in (_DAY_FIRST, _YEAR_FIRST, _DAY_MONTH, _MONTH_DAY):
        if match := form.fullmatch(text):
            return _written(text, match, column)
    return _not(text, column)


def _written(text: str, match: re.Match[str], column: Column) -> Parsed:
    """A date from its written parts; anything but ISO is read back in words."""
    year, day, month = int(match["year"]), int(match["day"]), _month(match["month"])
    if len(match["year"]) == 2:
        # 26 may be this century or the last for a birth, and only this one for a bill.
        if column.name == "date_of_birth":
            found = f"{text} has a year of two digits"
            return _held("date-short-year", found, "write all four digits of the year")
        year += 2000
    if month > 12 and day <= 12 and match.re is _DAY_FIRST:
        return _month_first(text, year, day, month, column)
    try:
        read = date(year, month, day)
    except ValueError:
        return _held("date-not-real", f"{text} is not a date", _WRITE_DATE)
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
        return _held("date-not-real", f"{text} is not a date", _WRITE_DATE)
    found = f"{text} has the month first if it means {_in_words(meant)}"
    repair = f"write {meant:%d/%m}/{meant.year} or {meant} if it does"
    return _held("date-month-first", found, repair)


def _serial(value: float, column: Column) -> Parsed:
    """The day number a date cell shows once its format is lost."""
    if value != int(value) or not _FIRST_SERIAL <= value <= _LAST_SERIAL:
        return _not(value, column)
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
    found = f"{shown or _in_words(read)} is {side}"
    return _held("date-out-of-range", found, "correct the year")


def _read_as(read: date, shown: str, code: str) -> Parsed:
    words = _in_words(read)
    found = f"{shown} is read as {words}"
    if shown.casefold() == words.casefold():
        found = f"{shown} is a text and is read as that day"
    repair = f"if that is right, write it as a date cell or as {read}"
    return _check(read, code, found, repair)


def _without_time(read: date, shown: str) -> Parsed:
    found = f"{shown} is read as {_in_words(read)}, without the time of day"
    return _check(
        read, "date-with-time", found, "leave the time out if the day is right"
    )


# Amounts, percentages and whole numbers


_PENNY = Decimal("0.01")
# What binary arithmetic adds to a sum of pennies, far below any decimal typed.
_NOISE = Decimal("1e-9")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_POUNDS = re.compile(
    r"(?:£|GBP)? ?((?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?) ?(?:GBP)?",
    re.IGNORECASE,
)
_NEGATIVE = re.compile(
    r"(?:£|GBP)? ?[-−–(] ?(?:£|GBP)? ?[0-9][0-9.,]*\)?|[0-9][0-9.,]* ?(?:-|CR)",
    re.IGNORECASE,
)
_COMMA = re.compile(r"(?:£|GBP)? ?[0-9][0-9.]*,[0-9.,]*", re.IGNORECASE)
_PERCENT = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?) ?(%?)")
_WHOLE = re.compile(r"-?[0-9]+")
_MOST_DIGITS = len(str(-LARGEST_WHOLE))


def _money(text: str, column: Column) -> Parsed:
    if _NUMBER.fullmatch(text):
        return _amount(Decimal(text), text)
    if match := _POUNDS.fullmatch(text):
        parsed = _amount(Decimal(match[1].replace(",", "")), text)
        if parsed.fault:
            return parsed
        found = f"{text} is read as {parsed.value}"
        return _fixed(parsed.value, "money-tidied", found)
    if _NEGATIVE.fullmatch(text):
        return _negative(text)
    if _COMMA.fullmatch(text):
        found = f"{show(text)} has a comma that may mean pence or thousands"
        repair = "write it with a full stop and no comma, such as 1234.50"
        return _held("money-comma", found, repair)
    return _not(text, column)


def _money_number(value: float, column: Column) -> Parsed:
    return _amount(_exactly(value), show(value))


def _exactly(value: float) -> Decimal:
    """The decimal a number cell was typed as, binary noise taken off."""
    typed = Decimal(repr(value))
    if abs(typed) > LARGEST_AMOUNT:
        return typed
    near = typed.quantize(_PENNY)
    return near if abs(typed - near) < _NOISE else typed


def _amount(amount: Decimal, shown: str) -> Parsed:
    """An amount as it may be charged: not negative, in whole pennies, of a real size."""
    if amount < 0:
        return _negative(shown)
    if amount > LARGEST_AMOUNT:
        found = f"{show(shown)} is more than {LARGEST_AMOUNT:,}"
        return _held("money-too-large", found, "look for a lost decimal point")
    if _decimals(amount) > 2:
        low = amount.quantize(_PENNY, "ROUND_FLOOR")
        near = f"{low}" if low == amount else f"{low} or {low + _PENNY}"
        found = f"{show(shown)} has more than two decimals"
        return _held("money-decimals", found, f"write it to the penny, such as {near}")
    pence = abs(amount.quantize(_PENNY))
    if not pence:
        repair = "leave it if nothing is to be charged, otherwise write the amount"
        return _check(pence, "money-zero", "the amount is 0.00", repair)
    return Parsed(pence)


def _negative(shown: str) -> Parsed:
    found = f"{shown} is a negative amount"
    repair = "write the full price, and use a credit note to give money back"
    return _held("money-negative", found, repair)


def _decimals(amount: Decimal) -> int:
    """How many decimals were written: 2 for 1.20, 3 for 1.200, which may mean 1,200."""
    return max(0, -int(amount.as_tuple().exponent))


def _percent(text: str, column: Column) -> Parsed:
    match = _PERCENT.fullmatch(text)
    if not match:
        return _not(text, column)
    parsed = _rate(Decimal(match[1]), text, column, signed=bool(match[2]))
    if parsed.fault or not match[2]:
        return parsed
    return _fixed(parsed.value, "percent-sign", f"{text} is read as {match[1]}")


def _percent_number(value: float, column: Column) -> Parsed:
    return _rate(_exactly(value), show(value), column)


def _rate(rate: Decimal, shown: str, column: Column, *, signed: bool = False) -> Parsed:
    """A percentage; one below one is a fraction such as 0.2, or 0.2% for want of care."""
    if abs(rate) > LARGEST_PERCENT:
        return _not(shown, column)
    if 0 < rate < 1:
        per_cent = f"{(rate * 100).normalize():f}"
        found = f"{show(shown)} is a fraction, not a percentage"
        if signed:
            found = f"{show(shown)} is less than one per cent"
        return _held("percent-fraction", found, f"write {per_cent} for {per_cent}%")
    if _decimals(rate) > 2:
        found = f"{show(shown)} has more than two decimals"
        return _held("percent-decimals", found, _write(column))
    return Parsed(rate.quantize(_PENNY))


def _whole(text: str, column: Column) -> Parsed:
    if not _WHOLE.fullmatch(text):
        return _not(text, column)
    if len(text) > _MOST_DIGITS:
        return _too_large(text, column)
    return _whole_number(int(text), column)


def _whole_number(value: float, column: Column) -> Parsed:
    if value != int(value):
        return _not(value, column)
    if abs(value) > LARGEST_WHOLE:
        return _too_large(value, column)
    return Parsed(int(value))


def _too_large(value: object, column: Column) -> Parsed:
    return _held("whole-too-large", f"{show(value)} is too large", _write(column))


# Words to choose from


_TICKS = {"✓": True, "✔": True, "☑": True, "✅": True}
_ANSWERS = {"y": True, "true": True, "1": True, "n": False, "false": False, "0": False}
_ANSWERS |= _TICKS


def _yesno(text: str, column: Column) -> Parsed:
    word = text.casefold().rstrip("\ufe0f")
    if word in ("yes", "no"):
        return Parsed(word == "yes")
    if word in _ANSWERS:
        return _answer(_ANSWERS[word], text)
    near = difflib.get_close_matches(word, ("yes", "no"), n=1)
    hint = f" (did you mean {near[0].capitalize()}?)" if near else ""
    found = f"{show(text)} is not {_KINDS['yesno'].noun}"
    return _held("not-yesno", found, f"{_write(column)}{hint}")


def _answer(value: bool, shown: str) -> Parsed:
    found = f"{shown} is read as {'Yes' if value else 'No'}"
    return _fixed(value, "yesno-synonym", found)


def _yesno_number(value: float, column: Column) -> Parsed:
    if value not in (0, 1):
        return _not(value, column)
    return _answer(bool(value), show(value))


def _yesno_truth(value: bool, column: Column) -> Parsed:
    return _answer(value, show(value))


def _choice(text: str, column: Column) -> Parsed:
    chosen = _choice_of(text, column)
    if chosen is None:
        return _no_choice(text, column)
    if chosen.casefold() == text.casefold():
        return Parsed(chosen)
    return _fixed(chosen, "choice-synonym", f"{text} is read as {chosen}")


def _choice_of(text: str, column: Column) -> str | None:
    """The word offered that is meant, by itself or by a synonym."""
    word = canonical(text)
    for offered, synonyms in column.choices.items():
        if word in map(canonical, (offered, *synonyms)):
            return offered
    return None


def _no_choice(value: object, column: Column) -> Parsed:
    """Not a word offered, with the nearest one where one is near."""
    meant = {word.casefold(): word for word in column.choices}
    for offered, synonyms in column.choices.items():
        meant |= {synonym: offered for synonym in synonyms if len(synonym) > 2}
    near = difflib.get_close_matches(show(value).casefold(), meant, n=1)
    hint = f" (did you mean {meant[near[0]]}?)" if near else ""
    found = f"{show(value)} is not one of the words offered"
    return _held("not-choice", found, f"{_write(column)}{hint}")


# Ways to reach a person


_MAILBOX = re.compile(r"[^\s@,;:<>()\[\]\"\\.]+(?:\.[^\s@,;:<>()\[\]\"\\.]+)*")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")
_LONGEST_EMAIL = 254
_LOST_ZERO = re.compile(r"[1237][0-9]{9}")
_POSTCODE = re.compile(
    r"[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|GIR ?0AA", re.IGNORECASE | re.ASCII
)


def _email(text: str, column: Column) -> Parsed:
    if text.count("@") > 1:
        found = f"{show(text)} is more than one e-mail address, so it is left blank"
        repair = "keep the one address the invoice goes to"
        return _check(None, "email-several", found, repair)
    mailbox, _, domain = text.partition("@")
    labels = domain.split(".")
    shaped = (
        len(text) <= _LONGEST_EMAIL
        and len(labels) > 1
        and len(labels[-1]) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and _MAILBOX.fullmatch(mailbox)
    )
    if shaped:
        return Parsed(text)
    found = f"{show(text)} is not an e-mail address, so it is left blank"
    return _check(None, "not-email", found, _write(column))


def _phone(text: str, column: Column) -> Parsed:
    if _SHORTENED.fullmatch(text):
        found = f"{text} is a long number that lost its digits, so it is left blank"
        repair = "format the column as Text and type the number again"
        return _check(None, "phone-digits-lost", found, repair)
    return _zero_lost(text) if _LOST_ZERO.fullmatch(text) else Parsed(text)


def _phone_number(value: float, column: Column) -> Parsed:
    if value != int(value) or not 0 < value < DIGITS_KEPT:
        return _not(value, column)
    return _zero_lost(show(value))


def _zero_lost(text: str) -> Parsed:
    found = f"{text} may have lost the 0 or + it began with"
    repair = "format the column as Text and type the number again"
    return _check(text, "phone-zero-lost", found, repair)


def _postcode(text: str, column: Column) -> Parsed:
    if _POSTCODE.fullmatch(text):
        return Parsed(text)
    found = f"{show(text)} does not look like a UK postcode and is kept as typed"
    return _check(text, "postcode-shape", found, "check it, such as AB1 2CD")


def _postcode_number(value: float, column: Column) -> Parsed:
    return _postcode(_digits(value), column)


@dataclass(frozen=True)
class _Kind:
    """How one kind of column reads each sort of cell; without a reader it refuses."""

    noun: str
    text: Callable[[str, Column], Parsed]
    number: Callable[[float, Column], Parsed] = _not
    day: Callable[[date, Column], Parsed] = _day_not
    truth: Callable[[bool, Column], Parsed] = _not


_KINDS: dict[str, _Kind] = {
    "text": _Kind("text", _text, _number_as_text, _day_as_text, _truth_as_text),
    "code": _Kind("a code", _code, _number_as_code, _day_as_code),
    "date": _Kind("a date", _date, _serial, _day),
    "money": _Kind("an amount", _money, _money_number),
    "percent": _Kind("a percentage", _percent, _percent_number),
    "whole": _Kind("a whole number", _whole, _whole_number),
    "yesno": _Kind("Yes or No", _yesno, _yesno_number, truth=_yesno_truth),
    "choice": _Kind("a word offered", _choice, _no_choice, truth=_no_choice),
    "email": _Kind("an e-mail address", _email),
    "phone": _Kind("a telephone number", _phone, _phone_number),
    "postcode": _Kind("a postcode", _postcode, _postcode_number),
}
