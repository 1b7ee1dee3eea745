"""Where a sheet's headings stand and which column each of the contract's is in."""

import difflib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

import numpy as np

from pipeline.cells.spelling import heading, show
from pipeline.problems import Place, Problem, Severity, stops
from pipeline.reading.preflight import Facts
from pipeline.reading.raw_table import RawTable, is_blank, shown
from pipeline.reading.separated import SEARCHED
from pipeline.reading.sheets import column_letter
from schemas.columns import Column, Schema, columns

_TURNED_DEPTH = 60  # rows of column A in which a table on its side is looked for
_CLOSE = 0.8  # how alike a heading is that was surely meant
_PERHAPS = 0.6  # how alike one is that is worth a question

# Other words offices use for a column, as `heading` folds them.
_ALIASES = {
    "surname": "last_name", "familyname": "last_name", "forename": "first_name",
    "givenname": "first_name", "dob": "date_of_birth", "birthdate": "date_of_birth",
    "emailaddress": "email", "telephone": "phone", "telephonenumber": "phone",
    "phonenumber": "phone", "address1": "address_line_1", "address2": "address_line_2",
    "city": "town", "towncity": "town", "patientnumber": "patient_id",
    "patientno": "patient_id", "frequency": "billing_frequency", "start": "start_date",
    "end": "end_date", "invoiceno": "invoice_number", "vatcode": "tax_code",
    "vatrate": "rate", "taxrate": "rate",
    "validuntil": "valid_to",
}  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """A sheet's cells from A1 on, each row as wide as the sheet; blank cells are None.

    `table` holds the same by column.
    `too_wide` are rows of a CSV file, counted from 1, with more cells than headings.
    """

    file: str
    sheet: str
    rows: Sequence[list[object]]
    facts: Facts = field(default_factory=Facts)
    is_text: bool = False
    too_wide: frozenset[int] = frozenset()

    @cached_property
    def table(self) -> RawTable:
        """The rows by column."""
        return RawTable.of(self.rows)


@dataclass(frozen=True)
class Layout:
    """Where the headings stand: their row, counted from 1, and column by field.

    `never_read` are the columns the contract knows and does not load.
    """

    row: int
    headings: dict[str, int]
    never_read: frozenset[int]


@cache
def known_headings(schema: Schema) -> dict[str, Column]:
    """Every heading a table's columns answer to, as `heading` folds it."""
    by_name = {column.name: column for column in columns(schema)}
    known = {
        alias: by_name[name] for alias, name in _ALIASES.items() if name in by_name
    }
    known |= {heading(name): column for name, column in by_name.items()}
    return known | {heading(column.title): column for column in by_name.values()}


def _folded(row: Sequence[object]) -> list[str]:
    return [heading(cell) if isinstance(cell, str) else "" for cell in row]


def _score(row: Sequence[object], schema: Schema) -> int:
    """How many different columns of the table a row names."""
    known = known_headings(schema)
    return len({known[cell].name for cell in _folded(row) if cell in known})


def heading_row(rows: Sequence[list[object]], schema: Schema) -> int:
    """The row, counted from 1, that names most columns; 0 when none names two."""
    scores = [_score(row, schema) for row in rows[:SEARCHED]]
    best = max(scores, default=0)
    return scores.index(best) + 1 if best >= 2 else 0


def fits(rows: Sequence[list[object]], schema: Schema, *, well: bool) -> bool:
    """Whether a sheet has the required columns; `well` asks for half of all as well."""
    number = heading_row(rows, schema)
    if not number:
        return False
    known = known_headings(schema)
    named = {known[cell].name for cell in _folded(rows[number - 1]) if cell in known}
    listed = [column for column in columns(schema) if column.loaded]
    required = {column.name for column in listed if column.required}
    return required <= named and (not well or 2 * len(named) >= len(listed))


def read_headings(grid: Grid, schema: Schema) -> tuple[Layout | None, list[Problem]]:
    """Find the headings; without a layout the problems say what stops the night.

    They also stop it with one that lacks a column: what stands in the others is known,
    unless values without a heading show that the others may have moved.
    """
    number = heading_row(grid.rows, schema)
    if _turned(grid.rows, schema, number):
        return None, [_turned_problem(grid)]
    if not number:
        return None, [_not_found(grid, schema)]
    reader = _Headings(grid, schema, number)
    problems = [*reader.problems()]
    if any(problem.code != "column-missing" for problem in stops(problems)):
        return None, problems
    return reader.layout(), problems


def _turned(rows: Sequence[list[object]], schema: Schema, number: int) -> bool:
    """Whether the headings run down column A instead of across a row."""
    down = [row[0] for row in rows[:_TURNED_DEPTH] if row]
    across = _score(rows[number - 1], schema) if number else 1
    return _score(down, schema) > max(across, 2)


def _turned_problem(grid: Grid) -> Problem:
    return _problem(
        Severity.STOPS, "table-turned", Place(grid.file, grid.sheet, None, "", "A1"),
        "the headings run down column A instead of across a row",
        "copy the table and paste it with Paste Special, Transpose",
    )  # fmt: skip


def _not_found(grid: Grid, schema: Schema) -> Problem:
    required = [column.title for column in columns(schema) if column.required]
    if not any(not is_blank(cell) for row in grid.rows for cell in row):
        found = "the file is blank" if grid.is_text else "the sheet is blank"
    else:
        found = f"the headings were not found in the first {SEARCHED} rows"
    return _problem(
        Severity.STOPS, "headings-missing", Place(grid.file, grid.sheet), found,
        f"write the headings into row 1: {', '.join(required)}, and so on",
    )  # fmt: skip


class _Headings:
    """One row of headings being understood."""

    def __init__(self, grid: Grid, schema: Schema, number: int):
        self.grid, self.schema, self.number = grid, schema, number
        self.cells = grid.rows[number - 1]
        self.folded = _folded(self.cells)
        self.known = known_headings(schema)
        self.found = {
            index: self.known[cell]
            for index, cell in enumerate(self.folded)
            if cell in self.known
        }
        self.unknown = {
            index: show(cell)
            for index, cell in enumerate(self.cells)
            if index not in self.found and not is_blank(cell)
        }

    def layout(self) -> Layout:
        """The columns found; only where `problems` found nothing amiss with the shape."""
        return Layout(
            self.number,
            {column.name: i for i, column in self.found.items() if column.loaded},
            frozenset(i for i, column in self.found.items() if not column.loaded),
        )

    def problems(self) -> Iterator[Problem]:
        """Everything about the headings that a person should know."""
        shape = [*self._shape()]
        if shape:
            # The rest would only repeat in other words what is wrong with the shape.
            yield from shape
            return
        yield from self._above()
        yield from self._without_heading()
        yield from self._missing_and_unknown()

    def _shape(self) -> Iterator[Problem]:
        merged = [a for a in self.grid.facts.merged if a.top <= self.number <= a.bottom]
        if merged:
            yield self._stop(
                "heading-merged", merged[0].left,
                f"the headings are merged cells ({merged[0]})",
                "unmerge them and write one heading over each column",
            )  # fmt: skip
        elif self._two_rows():
            yield self._stop(
                "heading-two-rows", 0, "the headings take up two rows",
                "write each heading in one cell of one row, and delete the other row",
            )  # fmt: skip
        else:
            yield from self._doubles()

    def _two_rows(self) -> bool:
        """A second row of headings, or headings that go on in the next row."""
        best = _score(self.cells, self.schema)
        for first in (self.number - 2, self.number - 1):
            if first < 0 or first + 1 >= len(self.grid.rows):
                continue
            upper, lower = self.grid.rows[first], self.grid.rows[first + 1]
            other = upper if first == self.number - 2 else lower
            if _score(other, self.schema) >= max(2, best / 2):
                return True
            joined: list[object] = [
                f"{a or ''} {b or ''}" for a, b in zip(upper, lower, strict=True)
            ]
            if _score(joined, self.schema) > best:
                return True
        return False

    def _doubles(self) -> Iterator[Problem]:
        count = Counter(column.name for column in self.found.values())
        twice = [index for index, c in self.found.items() if count[c.name] > 1]
        if not twice:
            return
        last = max(index for index, cell in enumerate(self.cells) if not is_blank(cell))
        gap = any(is_blank(cell) for cell in self.cells[:last])
        if gap or len({self.found[index].name for index in twice}) > 1:
            yield self._stop(
                "two-tables", max(twice), "two tables stand side by side on the sheet",
                "move one of them to a sheet of its own",
            )  # fmt: skip
            return
        title = self.found[twice[0]].title
        letters = " and ".join(column_letter(index) for index in twice)
        yield self._stop(
            "column-twice", twice[-1],
            f"the column {title} stands here twice (columns {letters})",
            "keep the right one and delete the other",
        )  # fmt: skip

    def _above(self) -> Iterator[Problem]:
        rows = self.grid.rows[: self.number - 1]
        if any(not is_blank(cell) for row in rows for cell in row):
            yield _problem(
                Severity.CHECK, "rows-above", self._place(0),
                f"the headings stand in row {self.number}; what is above was not read",
                "delete the rows above the headings",
            )  # fmt: skip

    def _without_heading(self) -> Iterator[Problem]:
        """Columns of values that have no heading."""
        table = self.grid.table
        rows = np.arange(self.number, len(table))
        for index in range(table.width):
            if index in self.found or index in self.unknown:
                continue
            filled = np.flatnonzero(shown(table.column(index, rows)))
            if not len(filled):
                continue
            number = self.number + 1 + int(filled[0])
            yield self._stop(
                "heading-blank", index,
                f"the heading is blank, but there are values under it (row {number})",
                "write the heading, or clear the column",
            )  # fmt: skip

    def _missing_and_unknown(self) -> Iterator[Problem]:
        present = {column.name for column in self.found.values()}
        missing = {
            heading(column.title): column
            for column in columns(self.schema)
            if column.loaded and column.name not in present
        }
        spellings = {heading(title): index for index, title in self.unknown.items()}
        meant: set[int] = set()
        for folded, column in missing.items():
            near = difflib.get_close_matches(
                folded, list(spellings), 1, _PERHAPS if column.required else _CLOSE
            )
            index = spellings[near[0]] if near else None
            if index is not None:
                meant.add(index)
            if column.required or (index is not None and not column.personal):
                yield self._missing(column, index)
            elif index is not None:
                yield self._unknown(index, f"did you mean {column.title}?")
        for index in sorted(self.unknown.keys() - meant):
            yield self._unknown(index, "leave it if it is for the office alone")

    def _missing(self, column: Column, near: int | None) -> Problem:
        """A column that is missing; the night stops when it may only be misspelt.

        Billing without the End date because it is called "End dte" would be worse.
        """
        repair = f"add a column with the heading {column.title}"
        place = Place(self.grid.file, self.grid.sheet)
        if near is not None:
            repair = f"did you mean the heading {self.unknown[near]}?"
            place = self._place(near)
        found = f"the column {column.title} is missing"
        return _problem(Severity.STOPS, "column-missing", place, found, repair)

    def _unknown(self, index: int, repair: str) -> Problem:
        found = (
            f"no column of this sheet is called {self.unknown[index]}; it was not read"
        )
        return _problem(
            Severity.CHECK, "column-unknown", self._place(index), found, repair
        )

    def _stop(self, code: str, index: int, found: str, repair: str) -> Problem:
        return _problem(Severity.STOPS, code, self._place(index), found, repair)

    def _place(self, index: int) -> Place:
        cell = self.cells[index] if index < len(self.cells) else None
        return Place(
            self.grid.file, self.grid.sheet, self.number,
            "" if is_blank(cell) else show(cell),
            f"{column_letter(index)}{self.number}",
        )  # fmt: skip


def _problem(
    severity: Severity, code: str, place: Place, found: str, repair: str
) -> Problem:
    return Problem(severity, code, place, found, repair=repair)
