"""Raw values that mean themselves, found in bulk; `pipeline.cells` reads all others.

A plain value of a kind is one that `cells.parse` would give back as it is, without a
fault, in any column of that kind. Nothing is decided here: what no pattern knows is not
refused but read cell by cell.
"""

import pyarrow as arrow
import pyarrow.compute as pc

from pipeline.cells import LONGEST_TEXT
from pipeline.cells.dates import FIRST_YEAR, LAST_YEAR
from pipeline.cells.texts import LONGEST_CODE

# A word that stands for nothing has at most so many characters.
_SHORTEST = 5

# Letters and digits, which no formula and no error of one begins with, then whatever
# prints, with single spaces within.
_LETTER = "0-9A-Za-zÀ-ÖØ-öø-ÿ"
_TEXT = rf"[{_LETTER}](?:[!-~{_LETTER}]*(?: [!-~{_LETTER}]+)*)"
_CODE = r"[0-9A-Za-z][0-9A-Za-z_./-]*(?: [0-9A-Za-z_./-]+)*"
_MAILBOX = r"[0-9A-Za-z_+%-]+(?:\.[0-9A-Za-z_+%-]+)*"
_LABEL = r"[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?"
_DOMAIN = rf"(?:{_LABEL}\.)+[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])"
# The days that every month has; the others are left to the calendar.
_DAY = "(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"

# Kind of column -> how its plain texts are written, and their greatest length.
_PLAIN: dict[str, tuple[str, int]] = {
    "text": (_TEXT, LONGEST_TEXT),
    "answer": (_TEXT, LONGEST_TEXT),
    "code": (_CODE, LONGEST_CODE),
    "email": (f"{_MAILBOX}@{_DOMAIN}", 254),
    "phone": (r"[0+][0-9()-]*(?: [0-9()-]+)*", LONGEST_TEXT),
    "postcode": ("[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}", LONGEST_TEXT),
    "date": (_DAY, LONGEST_TEXT),
}

_EARLIEST = arrow.scalar(f"{FIRST_YEAR}-01-01").cast(arrow.date32())
_LATEST = arrow.scalar(f"{LAST_YEAR}-12-31").cast(arrow.date32())


def plain(cells: arrow.Array, kind: str) -> arrow.Array:
    """Whether each cell means itself in a column of a kind; blank ones do."""
    if arrow.types.is_string(cells.type):
        found = _plain_texts(cells, kind)
    elif kind == "date" and (
        arrow.types.is_timestamp(cells.type) or arrow.types.is_date(cells.type)
    ):
        found = _plain_days(cells)
    else:
        return cells.is_null()
    return pc.fill_null(found, True)


def _plain_texts(cells: arrow.Array, kind: str) -> arrow.Array:
    if kind not in _PLAIN:
        return cells.is_null()
    pattern, longest = _PLAIN[kind]
    length = pc.binary_length(cells)
    fits = pc.and_(pc.greater_equal(length, _SHORTEST), pc.less_equal(length, longest))
    return pc.and_(fits, pc.match_substring_regex(cells, rf"\A(?:{pattern})\z"))


def _plain_days(cells: arrow.Array) -> arrow.Array:
    day = cells.cast(arrow.date32(), safe=False)
    in_range = pc.and_(pc.greater_equal(day, _EARLIEST), pc.less_equal(day, _LATEST))
    return pc.and_(in_range, pc.equal(day.cast(cells.type, safe=False), cells))
