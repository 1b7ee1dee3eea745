"""Cells that show more than their number: 0.2 is seen as 20%, 100000 as 1.00E+05.

Nobody sees the number itself, and who types what they see there has it again. A
percentage is read as it is shown; an amount shown as one, and a code that a spreadsheet
took for a number because of its E, are held.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from pipeline.cells.spelling import heading
from pipeline.reading.headings import Grid, heading_row, known_headings
from pipeline.reading.package import PERCENT, SCIENTIFIC
from schemas import Practice
from schemas.columns import Schema, columns
from schemas.inputs import Settings

_LARGEST = 1_000_000  # what is no percentage anyway
_DECIMALS = 6  # beyond them a number has nothing but noise

# For which columns a way of showing a number makes a difference.
_MATTERS = {
    PERCENT: ("percent", "money"),
    SCIENTIFIC: ("code", "reference"),
}

# What settings are, by their names as `heading` folds them.
_SETTINGS = {heading(c.title): c.kind for c in columns(Practice)}

Cell = tuple[int, int]


def matters(schema: Schema, ways: set[str]) -> bool:
    """Whether a table has cells for which one of the ways makes a difference."""
    kinds = {kind for way in ways for kind in _MATTERS[way]}
    return schema is Settings or any(c.kind in kinds for c in columns(schema))


def as_shown(grid: Grid, schema: Schema, shown: Mapping[Cell, str]) -> Grid:
    """The sheet with "20%" for 0.2, and "1.00E+05" for 100000, where it makes a difference.

    `shown` says which way a cell shows its number.
    """
    top = heading_row(grid.rows, schema)
    kind_of = _kinds(grid, schema, top)
    changed = {
        at: way
        for at, way in shown.items()
        if top and at[0] > top and kind_of(*at) in _MATTERS[way]
    }
    if not changed:
        return grid
    rows = [list(row) for row in grid.rows]
    for (row, index), way in changed.items():
        rows[row - 1][index] = _WAYS[way](rows[row - 1][index])
    return replace(grid, rows=rows)


def _kinds(grid: Grid, schema: Schema, top: int) -> Callable[[int, int], str]:
    """The kind of each cell below the headings by row and column; "" of any other."""
    known = known_headings(schema)
    titles = [heading(str(cell or "")) for cell in grid.rows[top - 1]] if top else []
    found = {known[title].name: i for i, title in enumerate(titles) if title in known}
    kinds = {found[c.name]: c.kind for c in columns(schema) if c.name in found}
    if schema is not Settings or "setting" not in found:
        return lambda row, index: kinds.get(index, "")
    name, value = found["setting"], found.get("value")
    return lambda row, index: (
        _SETTINGS.get(heading(str(grid.rows[row - 1][name] or "")), "")
        if index == value
        else kinds.get(index, "")
    )


def _with_sign(value: object) -> object:
    if not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return value
    per_cent = round(Decimal(repr(value)) * 100, _DECIMALS).normalize()
    return f"{per_cent:f}%"


def _in_short(value: object) -> object:
    return f"{value:.2E}" if isinstance(value, int | float) else value


_WAYS = {PERCENT: _with_sign, SCIENTIFIC: _in_short}
