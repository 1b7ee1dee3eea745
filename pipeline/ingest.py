"""From raw cells to a typed frame per sheet, every row kept, every problem at its cell.

A row with a problem stays in the frame, marked held, so that nobody drops out of the
roster and what it holds back can be worked out.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd
import pandera.pandas as pa

from pipeline.cells import Fault, Parsed, canonical, heading, parse, show
from pipeline.problems import Place, Problem, Severity
from pipeline.raw_table import objects
from pipeline.tables import empty
from pipeline.workbooks import Sheet
from schemas.columns import ROW_RULES, Column, RowRule, Schema, about, columns, rules_of

# Raw values repeat (frequencies, codes, towns); ids do not, and need no memory.
_REMEMBERED = 50_000

_LIMIT = re.compile(r"(greater|less)_than_or_equal_to\((.+)\)")


@dataclass(frozen=True)
class Parsing:
    """A sheet's rows as typed values, and what was found on the way."""

    frame: pd.DataFrame
    problems: list[Problem]


def _parse_column(
    values: list[object], column: Column
) -> tuple[list[object], dict[int, Fault]]:
    """The values of one column and, by position, what was wrong with them."""
    known: dict[tuple[type, object], Parsed] = {}
    parsed: list[object] = []
    faults: dict[int, Fault] = {}
    for position, value in enumerate(values):
        key = (type(value), value)
        result = known.get(key)
        if result is None:
            result = parse(value, column)
            if len(known) < _REMEMBERED:
                known[key] = result
        parsed.append(result.value)
        if result.fault is not None:
            faults[position] = result.fault
    return parsed, faults


def _keys(frame: pd.DataFrame, keys: list[Column]) -> list[str | None]:
    """Each row's key as two spellings of it compare; None where it has none."""
    if not keys:
        return [None] * len(frame)
    parts = [
        [
            None
            if pd.isna(value)
            # A setting's name is known by its words, as a heading is.
            else (heading if key.kind == "text" else canonical)(str(value))
            for value in frame[key.name]
        ]
        for key in keys
    ]
    return [
        None
        if any(
            part is None and key.required for key, part in zip(keys, row, strict=True)
        )
        else "|".join(part or "" for part in row)
        for row in zip(*parts, strict=True)
    ]


def read_sheet(schema: Schema, sheet: Sheet) -> Parsing:
    """Parse and validate one sheet.

    Returns a frame in the schema's columns and types (unusable cells are null, their
    rows held), and the problems; identical duplicate rows are kept once.
    """
    listed = [column for column in columns(schema) if column.loaded]
    numbers = sheet.numbers
    frame = empty(schema, len(numbers))
    frame["row_number"] = _array(numbers, frame.row_number)
    problems: list[Problem] = []
    faulty: set[tuple[int, str]] = set()
    held = {
        position for position, number in enumerate(numbers) if number in sheet.bad_rows
    }
    problems += sheet.bad_rows.values()
    for column in listed:
        cells = sheet.cells(column.name)
        if cells is None:
            continue
        values, faults = _parse_column(objects(cells), column)
        frame[column.name] = _array(values, frame[column.name])
        for position, fault in faults.items():
            place = sheet.place(numbers[position], column.name)
            problems.append(_problem_of(fault, place, column))
            faulty.add((position, column.name))
            if fault.severity is Severity.HELD:
                held.add(position)
    _note_presence(schema, sheet, frame)
    frame["row_key"] = _array(
        _keys(frame, [column for column in listed if column.key]), frame.row_key
    )
    _mark(frame, held)
    frame, doubles = _without_identical(frame, sheet, listed)
    problems += doubles
    broken = _broken_promises(schema, sheet, frame, faulty)
    problems += broken.problems
    _mark(frame, held | broken.positions)
    for position, name in broken.unusable:
        frame.loc[position, name] = pd.NA
    return Parsing(frame, _with_subjects(problems, frame, listed))


def _array(values: Iterable[object], like: pd.Series) -> object:
    return pd.array(list(values), dtype=like.dtype)


def _mark(frame: pd.DataFrame, held: set[int]) -> None:
    frame["held"] = _array((index in held for index in frame.index), frame.held)


def _note_presence(schema: Schema, sheet: Sheet, frame: pd.DataFrame) -> None:
    """Columns that say whether another's cell was filled at all."""
    for name, source in about(schema).get("presence", {}).items():
        cells = sheet.cells(source)
        filled = (
            map(parse_blank, objects(cells))
            if cells is not None
            else [False] * len(frame)
        )
        frame[name] = _array(filled, frame[name])


def parse_blank(value: object) -> bool:
    """Whether a raw cell has anything in it."""
    return value is not None and (not isinstance(value, str) or bool(canonical(value)))


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


def _without_identical(
    frame: pd.DataFrame, sheet: Sheet, listed: list[Column]
) -> tuple[pd.DataFrame, list[Problem]]:
    """Keep one of rows that are alike in every column, and say so."""
    names = [column.name for column in listed]
    again = frame["row_key"].notna() & frame.duplicated(subset=names, keep="first")
    again &= ~frame["held"].astype(bool)
    first = next((column.name for column in listed if column.key), "")
    problems = [
        Problem(
            Severity.CHECK,
            "row-twice",
            sheet.place(int(frame["row_number"][position]), first),
            "the whole row stands here a second time and was read once",
            "each row once",
            "delete one of the two",
        )
        for position in frame.index[again]
    ]
    return frame[~again], problems


@dataclass(frozen=True)
class _Broken:
    """Rows that break a promise; `unusable` cells break one of their own column's."""

    positions: set[int]
    problems: list[Problem]
    unusable: list[tuple[int, str]]


def _broken_promises(
    schema: Schema, sheet: Sheet, frame: pd.DataFrame, faulty: set[tuple[int, str]]
) -> _Broken:
    """What pandera finds wrong, once per cell and not where a cell was faulty already."""
    try:
        rules_of(schema).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
    else:
        return _Broken(set(), [], [])
    if cases["index"].isna().any():
        raise AssertionError(f"{schema.__name__}: a check could not be carried out")
    by_name = {column.name: column for column in columns(schema)}
    found: dict[tuple[int, str], Problem] = {}
    positions: set[int] = set()
    unusable: list[tuple[int, str]] = []
    for check, name, index in zip(
        cases["check"], cases["column"], cases["index"], strict=True
    ):
        position = int(index)
        rule = ROW_RULES.get(check)
        at = rule.column if rule else name
        positions.add(position)
        if not rule:
            unusable.append((position, at))
        if (position, at) in faulty or (position, at) in found:
            continue
        row = int(frame["row_number"][position])
        found[position, at] = (
            _rule_problem(rule, sheet, frame, position, row, by_name)
            if rule
            else _check_problem(
                check, by_name[at], sheet.place(row, at), frame[at][position]
            )
        )
    return _Broken(positions, list(found.values()), unusable)


def _check_problem(check: str, column: Column, place: Place, value: object) -> Problem:
    if check == "not_nullable":
        return Problem(
            Severity.HELD,
            "required-blank",
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


def _rule_problem(
    rule: RowRule,
    sheet: Sheet,
    frame: pd.DataFrame,
    position: int,
    row: int,
    by_name: dict[str, Column],
) -> Problem:
    if rule.code == "duplicate":
        return _duplicate(rule, sheet, frame, position, row, by_name)
    values = {name: show(value) for name, value in frame.loc[position].items()}
    return Problem(
        Severity.HELD,
        rule.code,
        sheet.place(row, rule.column),
        rule.found.format(**values),
        rule.expected,
        rule.repair,
    )


def _duplicate(
    rule: RowRule,
    sheet: Sheet,
    frame: pd.DataFrame,
    position: int,
    row: int,
    by_name: dict[str, Column],
) -> Problem:
    keys = [column for column in by_name.values() if column.key]
    same = frame["row_key"] == frame["row_key"][position]
    rows = [str(number) for number in frame["row_number"][same]]
    spelled = " ".join(
        show(frame[key.name][position])
        for key in keys
        if not pd.isna(frame[key.name][position])
    )
    titles = ", ".join(key.title for key in keys)
    return Problem(
        Severity.HELD,
        rule.code,
        sheet.place(row, keys[0].name),
        f"rows {_and(rows)} are for the same {titles}, {spelled}, but differ",
        rule.expected,
        f"{rule.repair} {' and '.join(key.title for key in keys)}",
    )


def _and(words: list[str]) -> str:
    return words[0] if len(words) < 2 else f"{', '.join(words[:-1])} and {words[-1]}"


def _with_subjects(
    problems: list[Problem], frame: pd.DataFrame, listed: list[Column]
) -> list[Problem]:
    """Name the patient, product or setting of each problem's row."""
    first = next((column.name for column in listed if column.key), listed[0].name)
    subjects = {
        int(row): "" if pd.isna(value) else str(value)
        for row, value in zip(frame["row_number"], frame[first], strict=True)
    }
    return [
        replace(problem, subject=subjects.get(problem.place.row or 0, ""))
        for problem in problems
    ]
