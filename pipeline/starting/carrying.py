"""Carries the rows of older workbooks, as they were typed, into templates of today."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cells.spelling import heading
from pipeline.exports.exact_text import Unwritable, exact
from pipeline.exports.input_words import sheets_of
from pipeline.exports.templates import Filled, already_there, first_rows
from pipeline.exports.words import counted
from pipeline.files import write_bytes
from pipeline.problems import Place, Problem, Refused, Severity, stops
from pipeline.reading.folder import WORKBOOKS, carried_name
from pipeline.reading.headings import Grid, heading_row, known_headings, read_headings
from pipeline.reading.raw_table import is_blank
from pipeline.reading.sheet_rows import MORE_CELLS
from pipeline.reading.sheets import TOO_MANY_CELLS, column_letter
from pipeline.reading.template_stamp import VERSION
from pipeline.starting.read_back import filled_templates
from pipeline.workbooks import read_grids
from schemas import INPUTS, Practice
from schemas.columns import Schema, columns, name_of, title_of


@dataclass(frozen=True)
class Carried:
    """A sheet's rows in the new order of columns, and what else is to be said of it."""

    filled: Filled
    before: int
    added: int = 0
    notes: tuple[str, ...] = ()


def carry_over(old: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Make new workbooks in `folder` that hold every row of the old practice folder.

    Where the two are one folder, each new workbook lies beside the old one under a name
    that no night reads. Nothing is overwritten, and the old files are only read.
    Returns what to tell, and the names of files that were already there.
    """
    carried = _carried(old)
    same = folder.exists() and folder.resolve() == old.resolve()
    names = {
        file: carried_name(file, VERSION) if same else f"{file}.xlsx"
        for file in WORKBOOKS
        if not same or any(name_of(schema) in carried for schema in sheets_of(file))
    }
    rows = first_rows() | {table: sheet.filled for table, sheet in carried.items()}
    made = filled_templates(folder, list(names), rows)
    said, there = [], []
    for file, name in names.items():
        found = [] if same else already_there(folder, file)
        if not found:
            try:
                write_bytes(folder / name, made[file], replace=False)
                said += [f"made {folder / name}", *_told(file, carried)]
            except FileExistsError:
                found = [name]
        there += found
    return said, there


def _told(file: str, carried: Mapping[str, Carried]) -> list[str]:
    """What was carried into a workbook, sheet by sheet."""
    told = []
    for schema in sheets_of(file):
        sheet = carried.get(name_of(schema))
        if sheet is not None:
            after = len(sheet.filled.rows) - sheet.added
            rows = f"{counted(sheet.before, 'row')} before, {after:,} carried over"
            told.append(f"  {title_of(schema)}: {rows}")
            told += [f"    {note}" for note in sheet.notes]
    return told


def _carried(old: Path) -> dict[str, Carried]:
    """Each sheet of the old folder by table; Refused says what cannot be carried."""
    grids, problems = read_grids(old)
    problems = stops(problems)
    schemas = {name_of(schema): schema for schema in INPUTS}
    for table, grid in grids.items():
        problems += _in_the_way(grid, schemas[table])
    if problems:
        raise Refused(problems)
    return {
        table: _with_new_settings(_rows_of(grid, schemas[table]))
        if table == "settings"
        else _rows_of(grid, schemas[table])
        for table, grid in grids.items()
    }


def _in_the_way(grid: Grid, schema: Schema) -> list[Problem]:
    """What must be mended first; a column that today's sheet has and it lacks is none."""
    if not grid.facts.filled_rows:
        return []
    found = [
        problem
        for problem in read_headings(grid, schema)[1]
        if problem.severity is Severity.STOPS and problem.code != "column-missing"
    ]
    for (row, index), saved in sorted(grid.facts.formulas.items()):
        if not saved:
            what = "the formula was saved without its value"
            repair = "open the file in Excel, let it calculate, and save it"
            found.append(_at(grid, row, index, "formula-unsaved", what, repair))
    # Carried, the cells would be single ones, and nothing would hold their rows again.
    for area in sorted(grid.facts.merged):
        if area.bottom > heading_row(grid.rows, schema):
            what = f"the cell is merged with its neighbours ({area})"
            repair = "unmerge the cells and write the value of each"
            found.append(_at(grid, area.top, area.left, "merged", what, repair))
    for number in sorted(grid.too_wide):
        found.append(_at(grid, number, 0, TOO_MANY_CELLS, *MORE_CELLS))
    for number, cells in enumerate(grid.rows, start=1):
        for index, value in enumerate(cells):
            if isinstance(value, str) and not _can_be_written(value):
                what = "the cell has characters in it that cannot be shown"
                repair = "clear the cell and type it again"
                found.append(_at(grid, number, index, "control", what, repair))
    return found


def _can_be_written(text: str) -> bool:
    try:
        return bool(exact(_one_kind_of_break(text)))
    except Unwritable:
        return False


def _at(
    grid: Grid, row: int, index: int, code: str, found: str, repair: str
) -> Problem:
    cell = f"{column_letter(index)}{row}"
    place = Place(grid.file, grid.sheet, row, "", cell)
    return Problem(Severity.STOPS, code, place, found, repair=repair)


def _rows_of(grid: Grid, schema: Schema) -> Carried:
    """Every row below the headings, with the office's own columns at the right."""
    top = heading_row(grid.rows, schema)
    if not top:
        return Carried(Filled(), 0)
    known = known_headings(schema)
    found: dict[str, int] = {}
    more: dict[str, int] = {}
    for index, cell in enumerate(grid.rows[top - 1]):
        column = known.get(heading(cell)) if isinstance(cell, str) else None
        if column is not None:
            found[column.name] = index
        elif not is_blank(cell):
            more[_free(" ".join(str(cell).split()), {*more, *_titles(schema)})] = index
    order = [found.get(column.name) for column in columns(schema)] + [*more.values()]
    numbers = sorted(n for n in grid.facts.filled_rows if n > top)
    rows = [
        [None if i is None else _cell(grid.rows[n - 1][i]) for i in order]
        for n in numbers
    ]
    signature = found.get("last_edited_by")
    signed = signature is not None and any(
        not is_blank(grid.rows[n - 1][signature]) for n in numbers
    )
    notes = tuple(_notes(grid, top, list(more)))
    return Carried(Filled(rows, list(more), signed), len(numbers), notes=notes)


def _titles(schema: Schema) -> set[str]:
    return {column.title for column in columns(schema)}


def _free(title: str, taken: set[str]) -> str:
    """A heading that stands once: a table refuses the same one twice."""
    folded, number, name = {t.casefold() for t in taken}, 1, title[:250]
    while name.casefold() in folded:
        number += 1
        name = f"{title[:240]} ({number})"
    return name


def _cell(value: Any) -> Any:
    return _one_kind_of_break(value) if isinstance(value, str) else value


def _one_kind_of_break(text: str) -> str:
    """A cell's line breaks as a workbook keeps them."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _notes(grid: Grid, top: int, more: list[str]) -> list[str]:
    """What is otherwise than before: where rows came from, what was left behind."""
    notes = []
    if grid.is_text:
        notes.append(f"from {grid.file}, which this workbook replaces")
    if more:
        notes.append(f"the office's own columns, at the right: {', '.join(more)}")
    above = [n for n in grid.facts.filled_rows if n < top]
    if above:
        notes.append(f"{counted(len(above), 'row')} above the headings left behind")
    formulas = [at for at in grid.facts.formulas if at[0] > top]
    if formulas:
        notes.append(
            f"{counted(len(formulas), 'formula')} replaced by the values they had"
        )
    return notes


def _with_new_settings(sheet: Carried) -> Carried:
    """The settings there were, then those that are new, unsigned."""
    there = {heading(str(row[0])) for row in sheet.filled.rows if row[0] is not None}
    titles = {setting.title for setting in columns(Practice)}
    blank = [None] * len(sheet.filled.more)
    fresh = [
        [*row, *blank]
        for row in first_rows()["settings"].rows
        if row[0] in titles and heading(row[0]) not in there
    ]
    if not fresh:
        return sheet
    names = ", ".join(row[0] for row in fresh)
    filled = Filled(
        [*sheet.filled.rows, *fresh], sheet.filled.more, sheet.filled.signed
    )
    note = f"new settings with their defaults, to be signed: {names}"
    return Carried(filled, sheet.before, len(fresh), (*sheet.notes, note))
