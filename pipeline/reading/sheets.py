"""A sheet as it stands in its file: headings, raw rows, every cell's address."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from pipeline.problems import Place, Problem
from pipeline.reading.raw_table import Raw, RowsOf
from schemas import INPUTS
from schemas.columns import columns, name_of

LAST_ROW = 1_048_576
COLUMNS = 16_384
LONGEST_CELL = 32_767
TOO_MANY_CELLS = "too-many-cells"

_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?([1-9][0-9]{0,6})")


class Unusable(Exception):
    """A file or sheet that cannot be used, and why, in the words of a problem."""

    def __init__(self, code: str, found: str, repair: str):
        super().__init__(code)
        self.code, self.found, self.repair = code, found, repair


def column_letter(index: int) -> str:
    """The letters of a column counted from 0: A, Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@cache
def column_index(letters: str) -> int:
    """The column, counted from 0, of its letters; ValueError when they are none."""
    index = 0
    for letter in letters:
        if not "A" <= letter <= "Z":
            raise ValueError(letters)
        index = index * 26 + ord(letter) - ord("A") + 1
    if not 1 <= index <= COLUMNS:
        raise ValueError(letters)
    return index - 1


@dataclass(frozen=True, order=True)
class Area:
    """A rectangle of cells: rows counted from 1, columns from 0, both ends inside."""

    top: int
    left: int
    bottom: int
    right: int

    @classmethod
    def of(cls, reference: str) -> "Area":
        """The area of a reference such as B2 or A5:C6; ValueError when it is none."""
        corners = [_REFERENCE.fullmatch(corner) for corner in reference.split(":")]
        if not 1 <= len(corners) <= 2 or corners[0] is None or corners[-1] is None:
            raise ValueError(reference)
        (left, top), (right, bottom) = corners[0].groups(), corners[-1].groups()
        if max(int(top), int(bottom)) > LAST_ROW:
            raise ValueError(reference)
        return cls(int(top), column_index(left), int(bottom), column_index(right))

    def __str__(self) -> str:
        """As a spreadsheet writes it: A5:C6."""
        return (
            f"{column_letter(self.left)}{self.top}"
            f":{column_letter(self.right)}{self.bottom}"
        )


@dataclass(frozen=True)
class Sheet:
    """One input table as it stands in its file, nothing changed.

    `headings` maps a field of the schema to its column in the sheet, counted from 0;
    columns that are absent or never loaded are left out.
    `rows` holds each row of data: its number in the sheet and its raw values (None,
    text, number, truth value, date, time or `CellError`) across the sheet's width.
    `bad_rows` are rows to be held whatever their cells say, each with its problem.
    `filled` is the pre-flight's count of rows below the headings that show something,
    and `skipped` how many of them are no part of the table.
    One that `stops` the night is read to tell its other faults, and for nothing else.
    """

    table: str
    file: str
    sheet: str
    headings: dict[str, int]
    rows: Sequence[tuple[int, list[object]]]
    bad_rows: dict[int, Problem] = field(default_factory=dict)
    filled: int = 0
    skipped: int = 0
    stops: bool = False

    @cached_property
    def numbers(self) -> list[int]:
        """Each row's number in the sheet, in order."""
        return RowsOf.listed(self.rows).numbers.tolist()

    @cached_property
    def slid(self) -> set[int]:
        """Rows whose values may stand under other headings than their own.

        That is all there is to say of them: what their cells hold is nobody's mistake.
        """
        return {n for n, p in self.bad_rows.items() if p.code == TOO_MANY_CELLS}

    def cells(self, field: str) -> Raw | None:
        """The raw values of a field, row by row; None when its column is absent.

        An Arrow array where all are text or all are dates, with nulls for blank cells,
        else a list of raw values.
        """
        index = self.headings.get(field)
        if index is None:
            return None
        rows = RowsOf.listed(self.rows)
        return rows.table.columns[index] if len(rows) else []

    def place(self, row: int, field: str) -> Place:
        """Where a field of a row stands; without a cell when the column is absent."""
        index = self.headings.get(field)
        return Place(
            self.file,
            self.sheet,
            row,
            _titles(self.table).get(field, ""),
            "" if index is None else f"{column_letter(index)}{row}",
        )


@cache
def _titles(table: str) -> dict[str, str]:
    """Field name to heading of an input table."""
    schema = next(schema for schema in INPUTS if name_of(schema) == table)
    return {column.name: column.title for column in columns(schema)}
