"""Text as it was typed: how it is shown, tidied and compared."""

import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from pipeline.printable import printable

LONGEST_SHOWN = 60
# A cell of more words or letters has more in it than a code, a day or an answer.
MOST_WORDS, MOST_LETTERS = 3, 30
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

_SPACE = r" \t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_BREAK = r"\n\r\v\f\x85\u2028\u2029"
_HIDDEN = r"\xad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_CONTROL = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufff9-\ufffb\ufffe\uffff"

_UNTIDY = re.compile(rf"[{_BREAK}{_HIDDEN}{_CONTROL}]|(?! )[{_SPACE}]|^ | $|  ")
CONTROLS = re.compile(f"[{_CONTROL}]+")
_INVISIBLE = re.compile(f"[{_HIDDEN}{_CONTROL}]+")
BREAKS = re.compile(f"[{_BREAK}]+")
_SPACES = re.compile(f"[{_SPACE}{_BREAK}]+")
_NOT_LETTERS = re.compile(r"[\W_]+")
_FOLDED = str.maketrans(
    {**dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("‘’‛ʼ`´′", "'")}
    | dict.fromkeys("“”„‟″", '"')
)


@dataclass(frozen=True)
class CellError:
    """What a formula that failed leaves in its cell, such as '#REF!'."""

    text: str


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


def is_remark(value: object) -> bool:
    """Whether a cell's text may say something of a person, in whatever column."""
    return isinstance(value, str) and (
        len(value) > MOST_LETTERS or len(value.split()) > MOST_WORDS
    )


def show(value: object) -> str:
    """A cell's value as a person typed it, on one line, at most 60 characters.

    What cannot be shown is a question mark.
    """
    text = printable(tidy(spelled(value)))
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def tidy(text: str) -> str:
    """The text on one line, without what cannot be seen and without spare spaces."""
    if not _UNTIDY.search(text):
        return text
    return _SPACES.sub(" ", _INVISIBLE.sub("", text)).strip(" ")


def spelled(value: object) -> str:
    """A value in words: dates with the month by name, numbers without a spare `.0`."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return digits(value)
    if isinstance(value, datetime) and value.time() != time():
        return f"{in_words(value)} {value:%H:%M}"
    if isinstance(value, date):
        return in_words(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, CellError):
        return value.text
    return "blank" if value is None else str(value)


def digits(value: float) -> str:
    """A number as a spreadsheet shows it: fifteen digits, no exponent."""
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    if value.is_integer() and abs(value) < DIGITS_KEPT:
        return str(int(value))
    return f"{Decimal(f'{value:.15g}'):f}"


def in_words(day: date) -> str:
    """A day as it is shown, the month by name: 31 January 2026."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
