"""Text on its way out: written exactly as it is, or not at all."""

import re
from collections.abc import Sequence

LONGEST = 32_767  # what a cell of a workbook holds

# Control characters, halves of characters and what is no character damage a file or
# come out as something else; a carriage return comes out as a line feed.
_DAMAGING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]"
)

# What a spreadsheet takes for the beginning of a formula, here and in Japan.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Unwritable(ValueError):
    """A fault of the program's own: text came out that should never have come in."""


def exact(text: str) -> str:
    """The same text, or `Unwritable`: a changed name would be worse than no file."""
    if len(text) > LONGEST:
        raise Unwritable(f"text of {len(text)} characters does not fit a cell")
    if _DAMAGING.search(text):
        raise Unwritable("text with control characters or halves of characters")
    return text


def all_exact(texts: Sequence[str]) -> Sequence[str]:
    """The same texts, or `Unwritable` for one that is not exact; looked at together."""
    if max(map(len, texts), default=0) > LONGEST or _DAMAGING.search("".join(texts)):
        return [exact(text) for text in texts]
    return texts


def legible(text: str, longest: int = LONGEST - 1) -> str:
    """A message with ? for what cannot be shown, cut to fit: for words about a value,
    never for the value itself."""
    shown = _DAMAGING.sub("?", text.replace("\r\n", "\n").replace("\r", "\n"))
    return shown if len(shown) <= longest else f"{shown[:longest]}…"


def guarded(text: str) -> str:
    """Text for a CSV that people open: ' before what would run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
