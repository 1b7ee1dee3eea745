"""The rows of a long list: the bytes XlsxWriter makes of them, several times faster.

It keeps an object for each cell and asks a dozen questions of it. Here the workbook, its
styles, links and strings remain its own; of the rows only the XML is written by hand.
"""

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name

from pipeline.exports.exact_text import exact
from pipeline.exports.list_sheet import ListSheet
from pipeline.exports.text_fit import wrapped_rows
from pipeline.exports.workbook import Book, Link, Percent, Value, look_of, numeric, put

MANY = 500  # rows from which it is worth it

_FLUSHED = 10_000  # pieces at a time
_PIXELS = 4 / 3  # of a point
_EPOCH = date(
    1899, 12, 30
).toordinal()  # where a sheet counts days from, from 1900-03 on

_ALIKE = {Decimal, date, int, Link}  # types of which each value is shown in one format

Row = Sequence[Value]
Style = Mapping[str, Any]


@dataclass(frozen=True)
class Looks:
    """How rows look: the style of texts, that of all else, and how tall a row is.

    `height` is of the number of lines its longest text takes, None as usual; `rooms` are
    the widths that texts have, column by column; `shows` tells which rows do not hide.
    """

    text: Style
    other: Style
    rooms: Sequence[float]
    height: Callable[[int], float | None]
    shows: Callable[[Row], bool]


@dataclass
class _Noted:
    """What must be known of rows before their XML is written."""

    places: "array[int]" = field(default_factory=lambda: array("L"))
    tails: list[str] = field(default_factory=list)


def write_rows(
    book: Book, sheet: ListSheet, first: int, rows: Sequence[Row], looks: Looks
) -> None:
    """Write rows from `first` on, each with a value per column."""
    noted = _noted(book, sheet, first, rows, looks)
    sheet.give_rows(
        first,
        first + len(rows) - 1,
        len(rows[0]),
        lambda: _xml(book, first, rows, looks, noted),
    )


def _noted(
    book: Book, sheet: ListSheet, first: int, rows: Sequence[Row], looks: Looks
) -> _Noted:
    """Give texts their places among the workbook's strings, and rows their heights."""
    noted, strings = _Noted(), sheet.str_table
    known: dict[str, int] = {}
    # The place of a text and the lines it takes in a column.
    seen: list[dict[str, tuple[int, int]]] = [{} for _ in looks.rooms]
    repeated = 0
    for row, values in enumerate(rows, first):
        tallest = 1
        for at, value in enumerate(values):
            if type(value) is str and value:
                found = seen[at].get(value)
                if found or value in known:
                    repeated += 1
                else:
                    known[value] = strings._get_shared_string_index(exact(value))
                if not found:
                    found = known[value], wrapped_rows(value, looks.rooms[at])
                    seen[at][value] = found
                place, taken = found
                noted.places.append(place)
                if taken > tallest:
                    tallest = taken
            elif type(value) is Link:
                put(book, sheet, row, at, value, **looks.other)
                noted.places.append(sheet.table.pop(row)[at].string)
        noted.tails.append(_tail(looks.height(tallest), shown=looks.shows(values)))
    strings.count += repeated
    return noted


def _tail(points: float | None, *, shown: bool) -> str:
    """How the tag of a row ends."""
    hidden = "" if shown else ' hidden="1"'
    if points is None:
        return f"{hidden}>"
    pixels = int(points * _PIXELS + 0.5)
    return f' ht="{pixels * 0.75:.16g}"{hidden} customHeight="1">'


def _xml(
    book: Book, first: int, rows: Sequence[Row], looks: Looks, noted: _Noted
) -> Iterator[str]:
    parts: list[str] = []
    places, styles = iter(noted.places), dict[object, str]()
    figures: dict[Value, str] = {}
    letters = [xl_col_to_name(at) for at in range(len(rows[0]))]
    spans = f'spans="1:{len(letters)}"'
    for number, (values, tail) in enumerate(
        zip(rows, noted.tails, strict=True), first + 1
    ):
        parts.append(f'<row r="{number}" {spans}{tail}')
        for letter, value in zip(letters, values, strict=True):
            kind: object = type(value)
            if kind not in _ALIKE and not (kind is str and value):
                kind = _kind(value)
            style = styles.get(kind)
            if style is None:
                # Formats are numbered in the order in which they are written.
                style = str(_format(book, looks, value)._get_xf_index())
                styles[kind] = style
            if kind is str or kind is Link:
                shown = f' t="s"><v>{next(places)}</v></c>'
            elif kind is None or kind == "":
                shown = "/>"
            else:
                shown = figures.get(value) or figures.setdefault(value, _figure(value))
            parts.append(f'<c r="{letter}{number}" s="{style}"{shown}')
        parts.append("</row>")
        if len(parts) > _FLUSHED:
            yield "".join(parts)
            parts = []
            figures = {}
    yield "".join(parts)


def _kind(value: Value) -> object:
    """Values of a kind are shown in one format."""
    if isinstance(value, Percent):
        return Percent, value.rate == value.rate.to_integral_value()
    if value is None or value == "":
        return value
    return type(value)


def _format(book: Book, looks: Looks, value: Value) -> Format:
    style = looks.text if isinstance(value, str) else looks.other
    return book.style(**look_of(value, style))


def _figure(value: Any) -> str:
    """What ends the cell of a figure or a day."""
    if isinstance(value, date):
        return f"><v>{value.toordinal() - _EPOCH}</v></c>"
    return f"><v>{numeric(value)[0]:.16G}</v></c>"
