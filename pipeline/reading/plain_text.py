"""The plain lines of a CSV file, read millions at a time: no quotation mark, one width.

Nothing is refused here: a file whose other lines cannot each be read alone, or that has
too many of them, is left to the csv module as a whole.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from pipeline.reading.raw_table import Gathering, Raw, RawTable

_MOST_LINES = 12_000_000
_MOST_ODD = 200_000  # lines that are read one by one
_PIECE = 16 * 1024**2
_LONGEST_LINE = 100_000
_HEAD = 16  # lines at the top, which are read one by one

Cell = Callable[[str], object]


class NotPlain(Exception):
    """The file must be read as a whole by the csv module."""


@dataclass(frozen=True)
class Lines:
    """The rows of a file, all made as wide as its headings, and which show something.

    `surplus` counts the cells of filled rows beyond that width, `beyond` are rows with
    something in one of these, and `top` is the row of headings.
    """

    table: RawTable
    filled: set[int]
    surplus: dict[int, int]
    beyond: set[int]
    top: int


@dataclass(frozen=True)
class Way:
    """How a file's lines are read: separator, width, a cell's value, what shows."""

    separator: str
    width: int
    cell: Cell
    shows: Callable[[str], bool]
    top: int


def head_of(content: bytes, separator: str) -> list[list[str]]:
    """The first lines, each read alone; NotPlain where one runs on."""
    lines = content[: _HEAD * _LONGEST_LINE].split(b"\n", _HEAD)[:_HEAD]
    return [_record(line, separator) for line in lines]


def read_lines(content: bytes, way: Way) -> Lines:
    """Read a file that has headings of the width of `way`; NotPlain when it is not."""
    if b"\0" in content or len(way.separator) != 1 or not way.separator.isascii():
        raise NotPlain
    if b"\r" in content and not (
        content.count(b"\r") == content.count(b"\r\n") == content.count(b"\n")
    ):
        raise NotPlain
    reading = _Reading(way)
    start = 0
    while start < len(content):
        end = content.find(b"\n", min(start + _PIECE, len(content)) - 1) + 1
        end = end or len(content)
        if end - start > _PIECE + _LONGEST_LINE:
            raise NotPlain
        reading.piece(content[start:end])
        start = end
    return reading.finish()


def _record(line: bytes, separator: str) -> list[str]:
    """One line read by the csv module."""
    try:
        text = line.decode().removesuffix("\n").removesuffix("\r")
        records = list(csv.reader([text], delimiter=separator, strict=True))
    except (csv.Error, UnicodeDecodeError):
        raise NotPlain from None
    if len(text) > _LONGEST_LINE or len(records) > 1:
        raise NotPlain
    return records[0] if records else []


class _Reading:
    """A file on its way into a table, piece by piece."""

    def __init__(self, way: Way):
        self.way = way
        self.head: list[list[object]] = []
        self.columns = [Gathering() for _ in range(way.width)]
        self.filled: set[int] = set()
        self.surplus: dict[int, int] = {}
        self.beyond: set[int] = set()
        self.lines = self.odd = 0

    def piece(self, content: bytes) -> None:
        """Read whole lines."""
        piece = _Piece(content, self.way)
        first = self.lines + 1
        self.lines += len(piece.ends)
        if self.lines > _MOST_LINES:
            raise NotPlain
        if first <= _HEAD:
            piece.plain[: _HEAD + 1 - first] = False
        odd = np.flatnonzero(~piece.plain)
        self.odd += len(odd)
        if self.odd > _MOST_ODD:
            raise NotPlain
        self.filled.update((np.flatnonzero(piece.plain) + first).tolist())
        rows = [
            self._odd_row(first + at, content[piece.begins[at] : piece.ends[at]])
            for at in odd.tolist()
        ]
        above = min(max(_HEAD + 1 - first, 0), len(piece.ends))
        self.head += rows[:above]
        self._add(piece, odd[above:], rows[above:], above)

    def _odd_row(self, number: int, line: bytes) -> list[object]:
        way = self.way
        texts = _record(line, way.separator)
        if any(map(way.shows, texts)):
            self.filled.add(number)
            if len(texts) > way.width:
                self.surplus[number] = len(texts) - way.width
        if any(map(way.shows, texts[way.width :])):
            self.beyond.add(number)
        cells = [way.cell(text) for text in texts[: way.width]]
        return cells + [None] * (way.width - len(cells))

    def _add(
        self, piece: "_Piece", odd: np.ndarray, rows: list[list[object]], above: int
    ) -> None:
        """Plain lines and the others, each in its place."""
        table = piece.table()
        if not len(odd):
            for column, part in zip(self.columns, table, strict=True):
                column.add(part)
            return
        plain = np.flatnonzero(piece.plain)
        order = np.argsort(np.concatenate([plain, odd]), kind="stable")
        for index, column in enumerate(self.columns):
            cells = [row[index] for row in rows]
            column.add(_among(table[index], cells, order))

    def finish(self) -> Lines:
        """All lines, without the blank ones at the end."""
        last = max(self.filled, default=0)
        below = max(last - len(self.head), 0)
        columns = [column.column(below) for column in self.columns]
        table = RawTable(columns, below, self.head[:last])
        top = self.way.top
        return Lines(table, self.filled, self.surplus, self.beyond, top)


def _among(plain: pa.Array, cells: list[object], order: np.ndarray) -> Raw:
    """The plain values of a column and those of odd lines, in the order of the lines."""
    if all(cell is None or isinstance(cell, str) for cell in cells):
        both = pa.concat_arrays([plain, pa.array(cells, pa.string())])
        return both.take(pa.array(order))
    values = plain.to_pylist() + cells
    return [values[at] for at in order.tolist()]


class _Piece:
    """Some whole lines, and which of them are plain.

    Lines and separators are found in the bytes themselves; what is read by other means
    must have as many rows, and as many filled cells in each column.
    """

    def __init__(self, content: bytes, way: Way):
        self.content, self.way = content, way
        ended = content if content.endswith(b"\n") else content + b"\n"
        self.bytes = np.frombuffer(ended, dtype=np.uint8)
        self.ends = np.flatnonzero(self.bytes == ord("\n")) + 1
        self.begins = np.append(0, self.ends[:-1])
        self.marks = np.flatnonzero(self.bytes == ord(way.separator))
        bounds = np.searchsorted(self.marks, np.append(0, self.ends))
        self.marked = np.diff(bounds)  # separators of each line
        self.plain = self.marked == way.width - 1
        self.plain &= self.ends - self.begins <= _LONGEST_LINE
        if b'"' in content:
            quotes = np.flatnonzero(self.bytes == ord('"'))
            self.plain[np.searchsorted(self.ends, quotes, side="right")] = False
        self._find_cells()

    def _find_cells(self) -> None:
        """Where each cell of a plain line begins, and which lines surely show something."""
        rows = np.flatnonzero(self.plain)
        width, ends = self.way.width, self.ends[rows] - 1
        returns = self.bytes[np.maximum(ends - 1, 0)] == ord("\r")
        inside = np.repeat(self.plain, self.marked)
        marks = self.marks[inside].reshape(len(rows), width - 1)
        begins = np.column_stack([self.begins[rows], marks + 1])
        cell_ends = np.column_stack([marks, ends - returns])
        first = self.bytes[begins]
        filled = cell_ends > begins
        sure = (filled & (first > 32) & (first < 127)).any(axis=1)
        # An error of a spreadsheet is no text.
        sure &= ~(filled & (first == ord("#"))).any(axis=1)
        self.plain[rows[~sure]] = False
        self.filled_cells = filled[sure], rows[sure]

    def table(self) -> list[pa.Array]:
        """The plain lines by column."""
        names = [str(index) for index in range(self.way.width)]
        content = self._plain_bytes()
        if not content:
            return [pa.nulls(0, pa.string()) for _ in names]
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(content),
                arrow_csv.ReadOptions(column_names=names, block_size=4 * 1024**2),
                arrow_csv.ParseOptions(
                    delimiter=self.way.separator, quote_char=False,
                    double_quote=False, ignore_empty_lines=False,
                ),
                arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    strings_can_be_null=True, null_values=[""],
                ),
            )  # fmt: skip
        except pa.ArrowInvalid:
            raise NotPlain from None
        columns = [column.combine_chunks() for column in table.columns]
        filled, rows = self.filled_cells
        kept = filled[self.plain[rows]]
        counted = kept.sum(axis=0).tolist()
        found = [len(column) - column.null_count for column in columns]
        if len(table) != len(kept) or found != counted:
            raise NotPlain
        return columns

    def _plain_bytes(self) -> bytes:
        if self.plain.all():
            return self.content
        turns = np.flatnonzero(np.diff(self.plain)) + 1
        edges = np.concatenate([[0], turns, [len(self.plain)]])
        return b"".join(
            self.content[self.begins[first] : self.ends[after - 1]]
            for first, after in pairwise(edges.tolist())
            if self.plain[first]
        )
