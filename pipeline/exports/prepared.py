"""Invoices from a workbook made once: only what an invoice says is put into it.

Invoices drawn alike differ in texts, figures and properties alone. XlsxWriter makes the
first of a kind with marks in their places; the next ones are that file with the marks
filled in, byte for byte what it would have made of them. What is not plainly so is
printed by it directly.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from pipeline.bookkeeping.books import Document
from pipeline.exports.exact_text import exact
from pipeline.exports.invoice_data import LONGEST_PIECE, embedded
from pipeline.exports.invoice_face import Face, play
from pipeline.exports.workbook import Value, new_book, number
from pipeline.exports.zip_patch import Package, texts_of

_SHEET, _STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
_CUSTOM, _CORE = "docProps/custom.xml", "docProps/core.xml"

# The marks: texts and names that nobody types, figures and days out of the way.
_TITLE, _SUBJECT, _NAME, _SAID = "\ue000title", "\ue000no", "\ue000name", "\ue000said"
_MADE_ON = date(1999, 12, 31)
_FIGURE, _DAY = 7_000_000, date(2064, 1, 1).toordinal()
_EPOCH = date(
    1899, 12, 30
).toordinal()  # where a sheet counts days from, from 1900-03 on
_COUNTED = date(1900, 3, 1)

_VALUE = re.compile("(?<=<v>)([0-9]+)(?=</v>)")
_PROPERTY = re.compile(f'2(?=" name=)|{_NAME}|{_SAID}')
# A title that stands anywhere as it is; text that XlsxWriter writes in a way of its own.
_SIMPLE = re.compile(r"[A-Za-z0-9 _-]{1,60}")
_ODD = re.compile(r"\A\s|\s\Z|_x[0-9A-Fa-f]{4}_|\A<r>")
_END = "</Properties>"
_LONGEST = 16_000
_KEPT = 300  # kinds of page at a time; each takes some 50 kB


class _OwnWay(Exception):
    """What is to be written is not plainly like what was prepared."""


@dataclass(frozen=True)
class Said:
    """What the properties of an invoice's workbook say."""

    title: str
    subject: str
    practice: str
    made_on: date
    custom: Mapping[str, str]

    @classmethod
    def of(cls, document: Document, title: str) -> "Said":
        """The properties of a document's workbook."""
        return cls(
            title=title,
            subject=document.number,
            practice=document.letterhead.practice_name,
            made_on=document.issued_on,
            custom={
                "invoice_number": document.number,
                "status": "UNSENT",
                "run_id": document.run_id,
                "content_sha256": document.sha256,
                **embedded(document),
            },
        )


def printed(face: Face, said: Said, values: Sequence[Value] | None = None) -> bytes:
    """The workbook as XlsxWriter makes it."""
    book = new_book(
        title=said.title,
        subject=said.subject,
        practice=said.practice,
        made_on=said.made_on,
        custom=said.custom,
    )
    play(face, book, face.values if values is None else values, said.title)
    return book.finish()


def filled(face: Face, said: Said) -> bytes | None:
    """The workbook from the one prepared for its kind; None if it is not plainly alike."""
    key = (said.practice, face.layout.last, *face.marks)
    try:
        _check_simple(said.title, said.subject)
        if key not in _prepared:
            while len(_prepared) >= _KEPT:
                del _prepared[next(iter(_prepared))]
            _prepared[key] = _Prepared(face, said.practice)
        return _prepared[key].filled(face.values, said)
    except _OwnWay:
        return None


def _check_simple(*names: str) -> None:
    for name in names:
        if not _SIMPLE.fullmatch(name) or _escaped(name) != name:
            raise _OwnWay


class _Prepared:
    """A workbook with marks, its sheet cut at each of them."""

    def __init__(self, face: Face, practice: str):
        marks = _marks(face.values)
        said = Said(_TITLE, _SUBJECT, practice, _MADE_ON, {_NAME: _SAID})
        made = printed(face, said, marks)
        self._package = Package(made)
        texts = texts_of(made, (_SHEET, _STRINGS, _CUSTOM, _CORE))
        self._pieces = _VALUE.split(texts[_SHEET])
        # Texts come first in the list of what is filled in, figures after them.
        count = sum(isinstance(value, str) for value in marks)
        self._order = [
            int(value) if before.endswith('t="s"><v>') else count + _place(value)
            for before, value in zip(
                self._pieces[::2], self._pieces[1::2], strict=False
            )
        ]
        self._strings = texts[_STRINGS].split(" count=")[0]
        self._core = texts[_CORE]
        self._property = _PROPERTY.split(texts[_CUSTOM])
        # A practice may be called like a mark.
        counts = [self._core.count(mark) for mark in (_TITLE, _SUBJECT, f"{_MADE_ON}T")]
        if sorted(self._order) != list(range(len(marks))) or counts != [1, 1, 2]:
            raise _OwnWay

    def filled(self, values: Sequence[Value], said: Said) -> bytes:
        """The workbook of a page that is drawn like the one with the marks."""
        texts = [value for value in values if isinstance(value, str)]
        places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        shown = [str(places[text]) for text in texts]
        shown += [_figure(value) for value in values if not isinstance(value, str)]
        strings = "".join([f"<si><t>{_plain(text)}</t></si>" for text in places])
        counts = f'count="{len(texts)}" uniqueCount="{len(places)}"'
        pieces = self._pieces.copy()
        pieces[1::2] = [shown[place] for place in self._order]
        pieces[-1] = pieces[-1].replace(_TITLE, said.title)
        return self._package.filled(
            {
                _SHEET: "".join(pieces),
                _STRINGS: f"{self._strings} {counts}>{strings}</sst>",
                _CUSTOM: self._properties(said.custom),
                _CORE: self._core.replace(_TITLE, said.title)
                .replace(_SUBJECT, said.subject)
                .replace(f"{_MADE_ON}T", f"{said.made_on}T"),
            }
        )

    def _properties(self, custom: Mapping[str, str]) -> str:
        """All of them, each like the marked one."""
        first, named, valued, last = self._property
        at = first.index("<property ")
        begin, close = first[at:], last.removesuffix(_END)
        made = [
            f"{begin}{number}{named}{name}{valued}{_escaped(value)}{close}"
            for number, (name, value) in enumerate(custom.items(), 2)
            if len(value) <= LONGEST_PIECE
        ]
        if len(made) < len(custom):
            raise _OwnWay
        return f"{first[:at]}{''.join(made)}{_END}"


def _marks(values: Sequence[Value]) -> list[Value]:
    """A mark of its own, and of the same type, for each value."""
    marks: list[Value] = []
    texts = figures = 0
    for value in values:
        if isinstance(value, str):
            marks.append(f"\ue000{texts}")
            texts += 1
            continue
        if type(value) is date:
            marks.append(date.fromordinal(_DAY + figures))
        elif type(value) is int:
            marks.append(_FIGURE + figures)
        elif type(value) is Decimal:
            marks.append(Decimal(_FIGURE + figures))
        else:
            raise _OwnWay
        figures += 1
    return marks


def _place(shown: str) -> int:
    """Which of the figures a mark stands for."""
    value = int(shown)
    return value - _FIGURE if value >= _FIGURE else value - (_DAY - _EPOCH)


def _figure(value: Value) -> str:
    """A figure or a day as a sheet holds it."""
    if isinstance(value, date):
        if value < _COUNTED:
            raise _OwnWay
        return str(value.toordinal() - _EPOCH)
    if isinstance(value, Decimal):
        return f"{number(value):.16G}"
    return f"{value:.16G}"


@lru_cache(maxsize=10_000)  # most texts of invoices stand on many of them
def _plain(text: str) -> str:
    return _escaped(text)


def _escaped(text: str) -> str:
    """Text as XML has it."""
    if _ODD.search(text) or len(text) > _LONGEST:
        raise _OwnWay
    text = exact(text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


_prepared: dict[tuple[object, ...], _Prepared] = {}
