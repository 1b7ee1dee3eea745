"""Shared texts written as spreadsheets write them, measured many at a time."""

import re

import numpy as np

from pipeline.cells.spelling import shows_nothing

NOT_COMPARED = float("nan")

_FIRST, _LAST = b"<si><t>", b"</t></si>"
_KEPT = b'<t xml:space="preserve">'
_LOOSE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"))
# How a workbook writes a character that XML cannot hold: _x000D_.
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def is_blank(text: str) -> bool:
    """Whether a cell's text shows nothing, as a spreadsheet writes it."""
    if text.startswith("_x"):
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return shows_nothing(text)


def has_odd_letters(content: bytes) -> bool:
    """Whether it may hold letters that XML has not, or the end of a section."""
    if not content.isascii():
        try:
            content.decode()
        except UnicodeDecodeError:
            return True
        if b"\xef\xbf\xbe" in content or b"\xef\xbf\xbf" in content:
            return True
    return b"]" in content and b"]]>" in content


def plain_texts(content: bytes) -> list[bytes] | None:
    """The texts of a piece from one's start to one's end; None unless all are plain."""
    if has_odd_letters(content) or _LOOSE.search(content):
        return None
    seen = np.frombuffer(content, dtype=np.uint8)
    low = seen[seen < ord(" ")]
    if len(low) and not np.isin(low, [ord("\n"), ord("\t")]).all():
        return None
    content = content.replace(_KEPT, b"<t>")
    if not content.startswith(_FIRST) or not content.endswith(_LAST):
        return None
    texts = content[len(_FIRST) : -len(_LAST)].split(_LAST + _FIRST)
    return texts if content.count(b"<") == 4 * len(texts) else None


def measured(text: bytes) -> tuple[float, bool]:
    """The bytes a reader should find of a text, if that can be told, and if it is blank."""
    if (
        text[:1].isalnum()
        and text[-1:] > b" "
        and b"&" not in text
        and b"_" not in text
    ):
        return len(text), False
    plain = text.decode()
    for written, meant in _ENTITIES:
        plain = plain.replace(written, meant)
    return measured_text(plain.replace("&amp;", "&"))


def measured_text(text: str) -> tuple[float, bool]:
    """The same of a text as it is meant; readers spell escapes in several ways."""
    told = text == text.strip() and "\r" not in text and not _ESCAPED.search(text)
    blank = not text[:1].isalnum() and is_blank(text)
    return len(text.encode()) if told else NOT_COMPARED, blank
