"""A sheet's raw cells by column: many as one array of a kind, mixed ones as they are."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TypeAlias, overload

import numpy as np
import pyarrow as pa

from pipeline.cells.spelling import shows_nothing

Raw: TypeAlias = pa.Array | list[object]

_LISTED = "raw values"
_TYPES = {str(kind): kind for kind in (pa.string(), pa.date32())}
_AT_ONCE = 10_000  # rows made into lists together
_NEAR = 256  # of them, where one is asked for


class RawTable(Sequence[list[object]]):
    """A sheet's rows, each a list of raw values, kept by column.

    A column of text alone or of dates alone is an Arrow array with nulls for blank
    cells; any other is a list of raw values. The first rows, which are headings more
    often than not, stand in `head`, and the columns begin below them.
    """

    def __init__(
        self, columns: list[Raw], count: int, head: Sequence[list[object]] = ()
    ):
        self.columns, self.head = columns, head
        self._count = count + len(head)
        self._near, self._from = list[list[object]](), 0  # rows asked for just now

    @classmethod
    def of(cls, rows: Sequence[list[object]]) -> "RawTable":
        """The same rows by column; they are all as wide as the first."""
        if isinstance(rows, RawTable):
            return rows
        return cls([list(column) for column in zip(*rows, strict=True)], len(rows))

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.columns)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[list[object]]:
        for start in range(0, self._count, _AT_ONCE):
            yield from self._part(start, min(start + _AT_ONCE, self._count))

    @overload
    def __getitem__(self, at: int) -> list[object]: ...

    @overload
    def __getitem__(self, at: slice) -> list[list[object]]: ...

    def __getitem__(self, at: int | slice) -> list[object] | list[list[object]]:
        if isinstance(at, slice):
            start, stop, step = at.indices(self._count)
            return self._part(start, stop)[::step]
        at = range(self._count)[at]
        if not self._from <= at < self._from + len(self._near):
            self._from = at - at % _NEAR
            self._near = self._part(self._from, min(self._from + _NEAR, self._count))
        return self._near[at - self._from]

    def _part(self, start: int, stop: int) -> list[list[object]]:
        above = [list(row) for row in self.head[start:stop]]
        start, stop = max(start - len(self.head), 0), stop - len(self.head)
        if stop <= start:
            return above
        parts = [objects(column[start:stop]) for column in self.columns]
        rows = [list(row) for row in zip(*parts, strict=True)]
        return above + (rows or [[] for _ in range(start, stop)])

    def column(self, index: int, positions: np.ndarray) -> Raw:
        """The values of a column in the rows at these positions, which ascend."""
        top = int(np.searchsorted(positions, len(self.head)))
        below = taken(self.columns[index], positions[top:] - len(self.head))
        if not top:
            return below
        return _joined([self.head[at][index] for at in positions[:top].tolist()], below)


def _joined(above: list[object], below: Raw) -> Raw:
    """The first values of a column before its others, of their kind where they can be."""
    if not isinstance(below, list):
        fitting = date if below.type == pa.date32() else str
        if all(cell is None or type(cell) is fitting for cell in above):
            return pa.concat_arrays([pa.array(above, below.type), below])
    return above + objects(below)


class RowsOf(Sequence[tuple[int, list[object]]]):
    """Rows of a table with their numbers in the sheet, kept by column."""

    def __init__(self, numbers: np.ndarray, table: RawTable):
        self.numbers, self.table = numbers, table

    @classmethod
    def listed(cls, rows: Sequence[tuple[int, list[object]]]) -> "RowsOf":
        """The same rows by column."""
        if isinstance(rows, RowsOf):
            return rows
        numbers = np.array([number for number, _ in rows], dtype=np.int64)
        return cls(numbers, RawTable.of([row for _, row in rows]))

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[tuple[int, list[object]]]:
        return zip(self.numbers.tolist(), self.table, strict=True)

    @overload
    def __getitem__(self, at: int) -> tuple[int, list[object]]: ...

    @overload
    def __getitem__(self, at: slice) -> list[tuple[int, list[object]]]: ...

    def __getitem__(
        self, at: int | slice
    ) -> tuple[int, list[object]] | list[tuple[int, list[object]]]:
        if isinstance(at, slice):
            numbers, rows = self.numbers[at].tolist(), self.table[at]
            return list(zip(numbers, rows, strict=True))
        return int(self.numbers[at]), self.table[at]


def objects(column: Raw) -> list[object]:
    """A column's raw values, one by one."""
    return column if isinstance(column, list) else column.to_pylist()


def taken(column: Raw, positions: np.ndarray) -> Raw:
    """The values of a column at these positions."""
    if isinstance(column, list):
        return [column[position] for position in positions.tolist()]
    if len(positions) and int(positions[-1]) - int(positions[0]) == len(positions) - 1:
        return column.slice(int(positions[0]), len(positions))
    return column.take(pa.array(positions))


class Gathering:
    """One column on its way into a table, part by part."""

    def __init__(self) -> None:
        self._parts: list[Raw] = []

    def add(self, part: Raw) -> None:
        """The next rows' values."""
        self._parts.append(part)

    def column(self, count: int) -> Raw:
        """The first `count` rows of the column."""
        kinds = {_kind(part) for part in self._parts} - {""}
        if not kinds:
            return pa.nulls(count, pa.string())
        if _LISTED in kinds or len(kinds) > 1:
            values: list[object] = []
            for part in self._parts:
                values += objects(part)
            del values[count:]
            return values
        kind = _TYPES[kinds.pop()]
        parts = [
            part if _kind(part) else pa.nulls(len(part), kind) for part in self._parts
        ]
        self._parts = []
        return pa.concat_arrays(parts).slice(0, count)


# Texts by their first byte: sure to show something, and perhaps not.
_SHOWS = np.zeros(256, dtype=np.bool_)
_SHOWS[33:127] = True


def shown(column: Raw) -> np.ndarray:
    """Which cells of a column show something."""
    if isinstance(column, list):
        return np.array([not is_blank(cell) for cell in column], dtype=np.bool_)
    filled = np.asarray(column.is_valid())
    if not pa.types.is_string(column.type):
        return filled
    first = first_bytes(column)
    for position in np.flatnonzero(filled & ~_SHOWS[first]).tolist():
        filled[position] = not is_blank(column[position].as_py())
    return filled


def first_bytes(texts: pa.Array) -> np.ndarray:
    """The first byte of each text; 0 where there is none."""
    _, offsets, data = texts.buffers()
    first = np.zeros(len(texts), dtype=np.uint8)
    if data is None or not data.size:
        return first
    begin = texts.offset * 4
    starts = np.frombuffer(offsets, np.int32, len(texts) + 1, begin)
    some = np.asarray(texts.is_valid()) & (np.diff(starts) > 0)
    first[some] = np.frombuffer(data, np.uint8)[starts[:-1][some]]
    return first


def is_blank(value: object) -> bool:
    """Whether a raw cell shows nothing."""
    return value is None or (isinstance(value, str) and shows_nothing(value))


def _kind(part: Raw) -> str:
    """What a part holds; "" when it is an array of nothing."""
    if isinstance(part, list):
        return _LISTED
    return str(part.type) if part.null_count < len(part) else ""
