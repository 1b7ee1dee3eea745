"""From raw cells to a typed frame per sheet, every row kept, every problem at its cell.

A row with a problem stays in the frame, marked held, so that nobody drops out of the
roster and what it holds back can be worked out.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.compute as pc

from pipeline.cells.answers import Fault
from pipeline.cells.spelling import is_remark, show
from pipeline.frames import for_pandera
from pipeline.problems import Place, Problem, Severity
from pipeline.reading.column_cells import compared, filled, typed
from pipeline.reading.sheets import TOO_MANY_CELLS, Sheet
from schemas.arrow_types import arrow_types
from schemas.columns import ROW_RULES, Column, RowRule, Schema, about, columns
from schemas.frames import rules_of
from schemas.lean_pandera import pa

_LIMIT = re.compile(r"(greater|less)_than_or_equal_to\((.+)\)")
_FEW = 3  # cells that may be wrong whatever share of a column they are
_NAMED = re.compile(r"\{(\w+)\}")

# Cells of a row that cannot be read: from so many on they may have moved aside, and what
# stands in them may be of another column, a name or a note.
_MOVED = 3
_BLANK = "required-blank"


@dataclass(frozen=True)
class Parsing:
    """A sheet's rows as typed values, and what was found on the way.

    `unread` are amounts of held rows that are not blank though they have no value here:
    row and column.
    """

    rows: arrow.Table
    problems: list[Problem]
    unread: tuple[tuple[int, str], ...] = ()


def read_sheet(schema: Schema, sheet: Sheet) -> Parsing:
    """Parse and validate one sheet.

    Returns rows in the schema's columns and types (unusable cells are null, their
    rows held), and the problems; identical duplicate rows are kept once.
    """
    read = _Rows(schema, sheet)
    for column in read.listed:
        read.take_column(column)
    read.take_keys()
    read.leave_out_identical()
    read.keep_promises()
    rows = read.table()
    problems = _with_subjects(read.told(read.problems), rows, read.listed)
    return Parsing(rows, problems, tuple(read.unread_amounts()))


def faults_of(schema: Schema, sheet: Sheet) -> list[Problem]:
    """The cells that cannot be read of a sheet that is used for nothing else.

    What a cell is to another, or to a blank one, cannot be said where a column is missing
    or a formula has no value. Where a heading was lost with its cell, all that stands
    beneath the next ones is right and reads as wrong, and rows have a cell too many.
    """
    read = _Rows(schema, sheet)
    found = [p for p in read.problems if p.code != TOO_MANY_CELLS]
    for column in read.listed:
        told = len(read.problems)
        read.take_column(column)
        held = [p for p in read.problems[told:] if p.severity is Severity.HELD]
        if len(held) <= max(_FEW, _filled_of(sheet, column) / 2):
            found += held
    return _with_subjects(read.told(found), arrow.table(read.values), read.listed)


def _filled_of(sheet: Sheet, column: Column) -> int:
    """How many cells of a column show something."""
    cells = sheet.cells(column.name)
    return 0 if cells is None else int(pc.sum(filled(cells)).as_py() or 0)


class _Rows:
    """A sheet's rows while they are read, each known by its position.

    `values` are the columns as far as they are read; `held` and `again` mark rows that
    have a problem and rows that stand a second time. `faulty` are cells whose rows are
    held for them, `noted` cells that were read all the same: where their problem stands.
    `unread` are the faulty ones that are left without a value.
    `unreadable` rows have a cell that cannot be used and else are as another row, and
    of `slid` ones nothing is told but that they are.
    """

    def __init__(self, schema: Schema, sheet: Sheet):
        self.schema, self.sheet = schema, sheet
        self.listed = [column for column in columns(schema) if column.loaded]
        self.by_name = {column.name: column for column in columns(schema)}
        self.keys = [column for column in self.listed if column.key]
        self.of_people = any(column.personal for column in columns(schema))
        types = arrow_types(schema)
        numbers = arrow.array(sheet.numbers, types["row_number"])
        self.numbers = numbers.to_numpy()
        self.values: dict[str, arrow.Array] = {
            name: arrow.nulls(len(numbers), kind) for name, kind in types.items()
        }
        self.values["row_number"] = numbers
        self.held = np.isin(self.numbers, list(sheet.bad_rows))
        slid = np.isin(self.numbers, list(sheet.slid)) if sheet.slid else self.held[:0]
        self.slid: set[int] = set(np.flatnonzero(slid).tolist())
        self.again = np.zeros(len(numbers), bool)
        self.faulty: set[tuple[int, str]] = set()
        self.noted: dict[tuple[int, str], int] = {}
        self.unread: set[tuple[int, str]] = set()
        self.unreadable: set[int] = set()
        self.problems: list[Problem] = list(sheet.bad_rows.values())

    def place(self, position: int, name: str) -> Place:
        """Where a field of a row stands."""
        return self.sheet.place(int(self.numbers[position]), name)

    def take_column(self, column: Column) -> None:
        """The values of one column, and a problem for each cell with a fault."""
        cells = self.sheet.cells(column.name)
        if cells is None:
            return
        self.values[column.name], faults = typed(cells, column)
        for position, fault in faults.items():
            if position in self.slid:
                continue
            place, cell = self.place(position, column.name), (position, column.name)
            if fault.severity is Severity.HELD:
                self.faulty.add(cell)
                self.unread.add(cell)
                self.held[position] = True
            else:
                self.noted[cell] = len(self.problems)
            problem = _problem_of(fault, place, column)
            if self.of_people and is_remark(_raw(cells, position)):
                problem = replace(problem, personal=True)
            self.problems.append(problem)

    def told(self, problems: list[Problem]) -> list[Problem]:
        """The problems; what moved cells of people say is kept off the terminal."""
        cells = Counter(
            problem.place.row
            for problem in problems
            if problem.severity is Severity.HELD
            and problem.place.row
            and problem.code != _BLANK
        )
        moved = {row for row, count in cells.items() if count >= _MOVED}
        if not self.of_people or not moved:
            return problems
        return [
            replace(problem, personal=True)
            if problem.place.row in moved and problem.code != _BLANK
            else problem
            for problem in problems
        ]

    def take_keys(self) -> None:
        """Keys, and the columns that say whether another's cell was filled at all."""
        if self.keys:
            self.values["row_key"] = self._row_keys()
        for name, source in about(self.schema).get("presence", {}).items():
            cells = self.sheet.cells(source)
            self.values[name] = (
                arrow.array(np.zeros(len(self.numbers), bool))
                if cells is None
                else filled(cells)
            )

    def _row_keys(self) -> arrow.Array:
        """Each row's key as two spellings of it compare; null where it has none."""
        parts = [compared(self.values[key.name], key) for key in self.keys]
        joined = pc.binary_join_element_wise(
            *parts, "|", null_handling="replace", null_replacement=""
        )
        for key, part in zip(self.keys, parts, strict=True):
            if key.required and part.null_count:
                joined = pc.if_else(part.is_valid(), joined, None)
        return joined

    @cached_property
    def doubled(self) -> np.ndarray:
        """The positions of rows whose key stands in another row too."""
        coded = self.values["row_key"].dictionary_encode()
        if len(coded.dictionary) == len(coded) - coded.null_count:
            return np.array([], int)
        codes = coded.indices.fill_null(-1).to_numpy()
        often = np.bincount(codes[codes >= 0]) > 1
        return np.flatnonzero((codes >= 0) & often[codes])

    def leave_out_identical(self) -> None:
        """Keep one of rows that are alike in every column, and say so."""
        if not len(self.doubled):
            return
        names = [column.name for column in self.listed]
        rows = for_pandera({n: self.values[n].take(self.doubled) for n in names})
        # A cell that cannot be used is blank here: such rows may differ in it or not, and
        # no row that can be used is left out for one of them.
        sound = ~self.held[self.doubled]
        alike = rows[sound].duplicated(keep="first").to_numpy()
        self.again[self.doubled[sound][alike]] = True
        as_read = self.doubled[rows.duplicated(keep=False).to_numpy()]
        self.unreadable = set(as_read[self.held[as_read]].tolist())
        self.problems += [
            Problem(
                Severity.CHECK,
                "row-twice",
                self.place(position, self.keys[0].name),
                "the whole row stands here a second time and was read once",
                "each row once",
                "delete one of the two",
            )
            for position in np.flatnonzero(self.again).tolist()
        ]

    def table(self) -> arrow.Table:
        """The rows that are kept, in the schema's columns and types."""
        self.values["held"] = arrow.array(self.held)
        rows = arrow.table(self.values)
        return rows.filter(~self.again) if self.again.any() else rows

    def unread_amounts(self) -> Iterator[tuple[int, str]]:
        """Row and column of each amount that stands there and has no value.

        In a row that is held whatever its cells say, a blank one may be another's.
        """
        bad = np.flatnonzero(np.isin(self.numbers, list(self.sheet.bad_rows))).tolist()
        for column in self.listed:
            if column.kind == "money":
                positions = {at for at, name in self.unread if name == column.name}
                for position in sorted(positions.union(bad)):
                    yield int(self.numbers[position]), column.name

    def keep_promises(self) -> None:
        """Hold the rows that pandera finds wrong, and say so once per cell.

        A cell whose row is held for it already is not told again; one that breaks a
        promise of its own column's is left blank.
        """
        unusable = defaultdict[str, list[int]](list)
        missing: set[str] = set()
        for check, name, position in self._failures():
            rule = ROW_RULES.get(check)
            at = rule.column if rule else name
            self.held[position] = True
            if rule and rule.fills and at not in self.sheet.headings:
                missing.add(at)
                continue
            if not rule:
                unusable[at].append(position)
            if (position, at) in self.faulty or position in self.slid:
                continue
            self.faulty.add((position, at))
            self._tell(
                (position, at),
                self._rule_problem(rule, position)
                if rule
                else _check_problem(
                    check,
                    self.by_name[at],
                    self.place(position, at),
                    self.values[at][position].as_py(),
                ),
            )
        self.problems += map(self._column_missing, sorted(missing))
        for name, positions in unusable.items():
            self.unread |= {(position, name) for position in positions}
            usable = np.ones(len(self.numbers), bool)
            usable[positions] = False
            self.values[name] = pc.if_else(usable, self.values[name], None)

    def _column_missing(self, name: str) -> Problem:
        """What active memberships need, and no row has: told once, and not row by row."""
        title = self.by_name[name].title
        return Problem(
            Severity.STOPS,
            "column-missing",
            Place(self.sheet.file, self.sheet.sheet),
            f"the column {title} is missing, and active memberships need it",
            repair=f"add a column with the heading {title}",
            subject=title,
        )

    def _tell(self, cell: tuple[int, str], problem: Problem) -> None:
        """What holds a row at a cell, in the place of what was only noted there."""
        at = self.noted.pop(cell, None)
        if at is None:
            self.problems.append(problem)
            return
        noted = self.problems[at]
        self.problems[at] = replace(
            problem,
            found=f"{problem.found} ({noted.found})",
            personal=problem.personal or noted.personal,
        )

    def _failures(self) -> Iterator[tuple[str, str, int]]:
        """Check, column and position of all that pandera finds wrong."""
        if not len(self.numbers):
            return
        self.values["held"] = arrow.array(self.held)
        rows, index = self.values, None
        if self.again.any():
            index = np.flatnonzero(~self.again)
            rows = {name: values.take(index) for name, values in rows.items()}
        filled = frozenset(n for n, values in rows.items() if not values.null_count)
        try:
            rules_of(self.schema, filled).validate(for_pandera(rows, index), lazy=True)
        except pa.errors.SchemaErrors as errors:
            cases = errors.failure_cases
        else:
            return
        if cases["index"].isna().any():
            raise AssertionError(
                f"{self.schema.__name__}: a check could not be carried out"
            )
        positions = cases["index"].astype(int)
        yield from zip(cases["check"], cases["column"], positions, strict=True)

    def _rule_problem(self, rule: RowRule, position: int) -> Problem:
        if rule.code == "duplicate":
            return self._duplicate(rule, position)
        named = {
            name: show(self.values[name][position].as_py())
            for name in _NAMED.findall(rule.found)
        }
        return Problem(
            Severity.HELD,
            rule.code,
            self.place(position, rule.column),
            rule.found.format(**named),
            rule.expected,
            rule.repair,
        )

    @cached_property
    def _rows_of_key(self) -> dict[str, list[str]]:
        """Where the rows of each key stand that more than one has."""
        found = defaultdict[str, list[str]](list)
        kept = self.doubled[~self.again[self.doubled]]
        keys = self.values["row_key"].take(kept).to_pylist()
        for key, number in zip(keys, self.numbers[kept], strict=True):
            found[key].append(str(number))
        return found

    def _duplicate(self, rule: RowRule, position: int) -> Problem:
        rows = self._rows_of_key[self.values["row_key"][position].as_py()]
        parts = [self.values[key.name][position].as_py() for key in self.keys]
        spelled = " ".join(show(part) for part in parts if part is not None)
        titles = ", ".join(key.title for key in self.keys)
        return Problem(
            Severity.HELD,
            rule.code,
            self.place(position, self.keys[0].name),
            f"rows {_and(rows)} are for the same {titles}, {spelled}"
            + ("" if position in self.unreadable else ", but differ"),
            rule.expected,
            f"{rule.repair} {' and '.join(key.title for key in self.keys)}",
        )


def _raw(cells: Any, position: int) -> object:
    value = cells[position]
    return value.as_py() if isinstance(value, arrow.Scalar) else value


def _problem_of(fault: Fault, place: Place, column: Column) -> Problem:
    return Problem(
        severity=fault.severity,
        code=fault.code,
        place=place,
        found=fault.found,
        expected=column.expected,
        repair=fault.repair,
        personal=column.may_name_a_person,
    )


def _check_problem(check: str, column: Column, place: Place, value: object) -> Problem:
    if check == "not_nullable":
        return Problem(
            Severity.HELD,
            _BLANK,
            place,
            f"{column.title} is blank",
            column.expected,
            f"write {f'the {column.title}' if column.kind == 'text' else column.expected}",
        )
    expected = within(check, column)
    return Problem(
        Severity.HELD,
        "out-of-range",
        place,
        f"{show(value)} is not {expected}",
        expected,
        f"write {expected}",
        personal=column.may_name_a_person,
    )


def within(check: str, column: Column) -> str:
    """What a column expects, with the limit that a value went beyond."""
    limit = _LIMIT.fullmatch(check)
    if not limit or column.kind not in ("whole", "money"):
        return column.expected
    words = {"greater": "at least", "less": "at most"}[limit[1]]
    return f"{column.expected.split(',')[0]} of {words} {limit[2]}"


def _and(words: list[str]) -> str:
    return words[0] if len(words) < 2 else f"{', '.join(words[:-1])} and {words[-1]}"


def _with_subjects(
    problems: list[Problem], rows: arrow.Table, listed: list[Column]
) -> list[Problem]:
    """Name the patient, product or setting of each problem's row."""
    if not problems:
        return []
    first = next((column.name for column in listed if column.key), listed[0].name)
    told = arrow.array([problem.place.row for problem in problems], arrow.int32())
    at = pc.index_in(told, rows["row_number"].combine_chunks())
    subjects = rows[first].take(at).to_pylist()
    return [
        problem if subject is None else replace(problem, subject=str(subject))
        for problem, subject in zip(problems, subjects, strict=True)
    ]
