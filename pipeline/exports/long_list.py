"""The rows of a long list: the bytes XlsxWriter makes of them, many times faster.

It keeps an object for each cell and asks a dozen questions of it. Here the workbook, its
styles and strings remain its own, and of the rows only the XML is written by hand, column
by column: each value becomes the end of a cell once, however often it stands there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import chain, compress, count, islice, repeat
from typing import Any

from xlsxwriter.sharedstrings import SharedStringTable
from xlsxwriter.utility import xl_col_to_name

from pipeline.exports.exact_text import all_exact
from pipeline.exports.list_sheet import ListSheet
from pipeline.exports.text_fit import taller
from pipeline.exports.workbook import Book, Link, Percent, Value, look_of, numeric

MANY = 500  # rows from which it is worth it

_AT_A_TIME = 1_000  # rows
_NOWHERE = -1  # the place of no text
_PIXELS = 4 / 3  # of a point
_EPOCH = date(
    1899, 12, 30
).toordinal()  # where a sheet counts days from, from 1900-03 on

Column = Sequence[Value]
Style = Mapping[str, Any]


@dataclass(frozen=True)
class Looks:
    """How rows look: the style of texts, that of all else, and how tall a row is.

    `height` is of the number of lines its longest text takes, None as usual; `rooms` are
    the widths that texts have, column by column.
    """

    text: Style
    other: Style
    rooms: Sequence[float]
    height: Callable[[int], float | None]


def write_rows(
    book: Book,
    sheet: ListSheet,
    first: int,
    columns: Sequence[Column],
    looks: Looks,
    listed: Sequence[bool],
) -> None:
    """Write rows from `first` on, whose values come by column, but those not `listed`.

    What is worked out of columns serves every sheet of the book that has them alike.
    """
    key = *map(id, columns), first, *looks.rooms
    known = book.long_lists.get(key) or _LongList(book, first, columns, looks)
    book.long_lists[key] = known
    known.write(sheet, listed)


class _LongList:
    """Rows whose texts have their places among the workbook's strings."""

    def __init__(self, book: Book, first: int, columns: Sequence[Column], looks: Looks):
        self._book, self._first, self._looks = book, first, looks
        self._columns = columns  # kept, or others could come to have their ids
        self._length = len(columns[0])
        self._kinds = [set(map(type, column)) for column in self._columns]
        self._strings = book.workbook.str_table
        texts = {
            at: _texts(self._columns[at], kinds)
            for at, kinds in enumerate(self._kinds)
            if kinds & {str, Link}
        }
        self._table, places = _taken_up(self._strings, list(texts.values()))
        self._places = dict(zip(texts, places, strict=True))
        self._lines = self._lines_taken()
        self._unwritten = 0  # sheets

    def _lines_taken(self) -> Sequence[int]:
        """How many lines each row takes: as many as its longest text."""
        lines = [1] * self._length
        for at, room in enumerate(self._looks.rooms):
            if str in self._kinds[at]:
                column = self._columns[at]
                texts = [value for value in set(column) if isinstance(value, str)]
                if tall := taller(texts, room):
                    lines = list(map(max, lines, map(tall.get, column, repeat(1))))
        return lines

    def write(self, sheet: ListSheet, listed: Sequence[bool]) -> None:
        """Give a sheet the rows and their links."""
        self._unwritten += 1
        for places in self._places.values():
            there = list(compress(places, listed))
            self._strings.count += len(there) - there.count(_NOWHERE)
        last = self._first + sum(listed) - 1
        width = len(self._columns)
        sheet.give_rows(self._first, last, width, lambda: self._xml(listed))
        sheet.give_links(
            [
                (row, at, value.path)
                for at, column in enumerate(self._columns)
                if Link in self._kinds[at]
                for row, value in enumerate(compress(column, listed), self._first)
                if isinstance(value, Link)
            ]
        )

    def _xml(self, listed: Sequence[bool]) -> Iterator[str]:
        """A row is its pieces with its number between them."""
        numbers = map(str, count(self._first + 1))
        tags = map(self._tags.__getitem__, self._lines)
        cells = [map(end, values) for end, values in self._ends]
        pieces = compress(zip(repeat('<row r="'), tags, *cells, strict=False), listed)
        rows = map(str.join, numbers, pieces)
        while text := "".join(islice(rows, _AT_A_TIME)):
            yield text
        self._unwritten -= 1
        if not self._unwritten:
            del self._ends  # a book's next sheets need the room for theirs

    @cached_property
    def _tags(self) -> dict[int, str]:
        """What follows the number in a row's tag, by its lines."""
        spans = f'" spans="1:{len(self._columns)}"'
        return {
            lines: f'{spans}{_tail(self._looks.height(lines))}<c r="A'
            for lines in set(self._lines)
        }

    @cached_property
    def _ends(self) -> list[tuple[Callable[[Any], str], Sequence[Any]]]:
        """Column by column, what makes of each thing the end of a cell, and the things.

        With the end comes the beginning of the next cell, up to the row's number.
        """
        letters = [xl_col_to_name(at) for at in range(1, len(self._columns))]
        followed = [*(f'<c r="{letter}' for letter in letters), "</row>"]
        return [self._end_of(at, following) for at, following in enumerate(followed)]

    def _end_of(
        self, at: int, following: str
    ) -> tuple[Callable[[Any], str], Sequence[Any]]:
        column, kinds = self._columns[at], self._kinds[at]

        def end(value: Value) -> str:
            return f'" s="{self._styles[_kind(value)]}"{self._shown(value)}{following}'

        if len(kinds) == 1 and at in self._places:
            places = self._places[at]  # quicker to look up than their texts
            style = self._styles.get(*kinds)
            ends = {
                place: f'" s="{style}" t="s"><v>{place}</v></c>{following}'
                for place in set(places)
            }
            if _NOWHERE in ends:
                ends[_NOWHERE] = end("")
            return ends.__getitem__, places
        if {int, Decimal} <= kinds:
            return end, column  # 1 and Decimal(1) are equal and look different
        return {value: end(value) for value in set(column)}.__getitem__, column

    def _shown(self, value: Value) -> str:
        """What ends a cell after its style."""
        if value is None or value == "":
            return "/>"
        text = value.text if isinstance(value, Link) else value
        if isinstance(text, str):
            return f' t="s"><v>{self._table[text]}</v></c>'
        return f"><v>{_figure(value)}</v></c>"

    @cached_property
    def _styles(self) -> dict[object, str]:
        """The format of each kind of value, numbered in the order they are written."""
        begun = sorted(
            (row, at)
            for at, (column, kinds) in enumerate(
                zip(self._columns, self._kinds, strict=True)
            )
            for row in _beginnings(column, kinds)
        )
        styles: dict[object, str] = {}
        for value in (self._columns[at][row] for row, at in begun):
            look = self._looks.text if isinstance(value, str) else self._looks.other
            style = self._book.style(**look_of(value, look))
            styles[_kind(value)] = str(style._get_xf_index())
        return styles


def _texts(column: Column, kinds: set[type]) -> Sequence[str]:
    """The texts of a column's cells, '' where there is none."""
    if kinds == {str}:
        return column  # type: ignore[return-value]
    return [
        value if isinstance(value, str) else value.text if isinstance(value, Link) else ""
        for value in column
    ]  # fmt: skip


def _taken_up(
    strings: SharedStringTable, columns: Sequence[Sequence[str]]
) -> tuple[Mapping[str, int], list[Sequence[int]]]:
    """The places of all texts, and those of columns, as they come row by row."""
    known = len(strings.string_table)
    table = defaultdict(count(known).__next__, strings.string_table)
    table[""] = _NOWHERE
    cells = chain.from_iterable(zip(*columns, strict=True))
    places = list(map(table.__getitem__, cells))
    del table[""]
    table.default_factory = None
    all_exact(list(islice(table, known, None)))
    strings.string_table, strings.unique_count = table, len(table)
    return table, [places[at :: len(columns)] for at in range(len(columns))]


def _beginnings(column: Column, kinds: set[type]) -> set[int]:
    """Where in a column each kind of value stands for the first time."""
    found = {0}
    if len(kinds) > 1:
        found = set(map(list(map(type, column)).index, kinds))
    if str in kinds:
        words = (at for at, each in enumerate(column) if isinstance(each, str) and each)
        found |= {*islice(words, 1), *([column.index("")] if "" in column else [])}
    if Percent in kinds:
        rates = {value for value in column if isinstance(value, Percent)}
        found |= set(map(column.index, rates))
    return found


def _tail(points: float | None) -> str:
    """How the tag of a row ends."""
    if points is None:
        return ">"
    pixels = int(points * _PIXELS + 0.5)
    return f' ht="{pixels * 0.75:.16g}" customHeight="1">'


def _kind(value: Value) -> object:
    """Values of a kind are shown in one format."""
    if isinstance(value, Percent):
        return Percent, value.rate == value.rate.to_integral_value()
    if value is None or value == "":
        return value
    return type(value)


def _figure(value: Any) -> str:
    """A figure or a day as a sheet holds it."""
    if isinstance(value, date):
        return str(value.toordinal() - _EPOCH)
    return f"{numeric(value)[0]:.16G}"
