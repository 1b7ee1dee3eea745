"""A sheet's raw cells by column: many as one array of a kind, mixed ones as they are."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias, overload

import numpy as np
import pyarrow as pa

Raw: TypeAlias = pa.Array | list[object]

_LISTED = "raw values"
_TYPES = {str(kind): kind for kind in (pa.string(), pa.date32())}
_AT_ONCE = 10_000  # rows made into lists together


class RawTable(Sequence[list[object]]):
    """A sheet's rows, each a list of raw values, kept by column.

    A column of text alone or of dates alone is an Arrow array with nulls for blank
    cells; any other is a list of raw values.
    """

    def __init__(self, columns: list[Raw], count: int):
        self.columns, self._count = columns, count

    @classmethod
    def of(cls, rows: Sequence[list[object]]) -> "RawTable":
        """The same rows by column; they are all as wide as the first."""
        if isinstance(rows, RawTable):
            return rows
        return cls([list(column) for column in zip(*rows, strict=True)], len(rows))

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
        return self._part(at, at + 1)[0]

    def _part(self, start: int, stop: int) -> list[list[object]]:
        if stop <= start:
            return []
        parts = [objects(column[start:stop]) for column in self.columns]
        return [list(row) for row in zip(*parts, strict=True)] or [
            [] for _ in range(start, stop)
        ]


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


def _kind(part: Raw) -> str:
    """What a part holds; "" when it is an array of nothing."""
    if isinstance(part, list):
        return _LISTED
    return str(part.type) if part.null_count < len(part) else ""
