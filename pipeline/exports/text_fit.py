"""How much room a text takes on paper, where no program is there to measure it."""

import math
import re
from collections.abc import Collection
from functools import cache, lru_cache
from itertools import chain
from typing import Any

# Width of a character at 10 points, in millimetres, for a plain sans serif face.
WIDEST = 3.6
_NARROW = frozenset("iljtfI.,:;'|!()[]-/ ")
_SHORT = frozenset("cksvxyzJ")
_PIECE = re.compile(r"[^\s-]*-+|[^\s-]+\s*|\s+")  # a line may end after each
_WIDE = frozenset("mwMW@%&")


def text_width(text: str, points: float = 10) -> float:
    """The width of a text on one line, in millimetres, rather over than under."""
    return sum(map(_character_width, text)) * points / 10


@cache
def _character_width(character: str) -> float:
    if character in _NARROW:
        return 1.0
    if character == "r":
        return 1.2
    if character in _SHORT:
        return 1.78
    if character in _WIDE or ord(character) > 0x2E7F:
        return 3.1 if character in _WIDE else WIDEST
    return 2.45 if character.isupper() else 1.96


# The width of each ASCII character in fiftieths of a millimetre, rounded up; all others
# come as ?, the widest.
_FINE = 50
_AT_MOST = bytearray(math.ceil(_character_width(chr(at)) * _FINE) for at in range(256))
_AT_MOST[0], _AT_MOST[ord("?")] = 0, math.ceil(WIDEST * _FINE)


@lru_cache(maxsize=10_000)  # a long list says the same few things again and again
def wrapped_rows(text: str, width: float, points: float = 10) -> int:
    """How many rows a text takes when wrapped at a width in millimetres."""
    if "\n" not in text and len(text) * WIDEST * points / 10 <= width:
        return 1
    # What fits on one line with room to spare need not be looked at word by word.
    if "\n" not in text and text_width(text, points) <= width - 0.01:
        return 1
    return max(sum(_rows(line, width, points) for line in text.split("\n")), 1)


def taller(texts: Collection[str], width: float) -> dict[Any, int]:
    """Those of many texts that take more than one row, and how many.

    Few are so long that they must be looked at one by one.
    """
    signs = "\0".join(texts).encode("ascii", "replace").translate(_AT_MOST)
    room = (width - 0.01) * _FINE
    if len(max(texts, key=len, default="")) * max(signs, default=0) <= room:
        return {}  # not even the widest sign as often as the longest has signs
    widths = map(sum, signs.split(b"\0"))
    rows = {
        text: wrapped_rows(text, width)
        for text, wide in zip(texts, widths, strict=False)
        if wide > room or "\n" in text
    }
    return {text: count for text, count in rows.items() if count > 1}


def _rows(line: str, width: float, points: float) -> int:
    rows, used = 1, 0.0
    for piece in _PIECE.findall(line):
        needed = text_width(piece.rstrip(), points)
        if used and used + needed > width:
            rows, used = rows + 1, 0.0
        if needed > width:
            rows += math.ceil(needed / width) - 1
            needed = needed % width
        used += needed + text_width(piece[len(piece.rstrip()) :], points)
    return rows


def split_at(text: str, width: float) -> list[str]:
    """A text cut between words into pieces that each fit a width in millimetres.

    A word that is wider than that is cut too: what does not fit is not printed.
    """
    pieces = [""]
    for word in chain.from_iterable(_cut(word, width) for word in text.split()):
        longer = f"{pieces[-1]} {word}".strip()
        if pieces[-1] and text_width(longer) > width:
            pieces.append(word)
        else:
            pieces[-1] = longer
    return pieces


def _cut(word: str, width: float) -> list[str]:
    """A word in pieces that each fit a width in millimetres: most are one."""
    if text_width(word) <= width:
        return [word]
    pieces = [""]
    for character in word:
        if pieces[-1] and text_width(pieces[-1] + character) > width:
            pieces.append("")
        pieces[-1] += character
    return pieces


def separate_lines(text: str) -> list[str]:
    """A setting typed in one cell as lines: its own line breaks, or else its commas."""
    pieces = text.splitlines() if "\n" in text.strip() else text.split(",")
    return [piece.strip() for piece in pieces if piece.strip()]
