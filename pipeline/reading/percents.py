"""Cells that a spreadsheet shows with a percent sign: 0.2 is seen as 20%.

So it is read where a percentage belongs; where an amount does, "20%" is held.
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from pipeline.cells.spelling import heading
from pipeline.reading.headings import Grid, heading_row, known_headings
from schemas import Practice
from schemas.columns import Schema, columns
from schemas.inputs import Settings

_LARGEST = 1_000_000  # what is no percentage anyway
_DECIMALS = 6  # beyond them a number has nothing but noise

_KINDS = ("percent", "money")

# Settings of these kinds, as `heading` folds their names.
_SETTINGS = {heading(c.title) for c in columns(Practice) if c.kind in _KINDS}

Cell = tuple[int, int]


def has_percentages(schema: Schema) -> bool:
    """Whether a table has cells for which the sign makes a difference."""
    return schema is Settings or any(c.kind in _KINDS for c in columns(schema))


def as_shown(grid: Grid, schema: Schema, shown: set[Cell]) -> Grid:
    """The sheet with "20%" for 0.2 in percentages and amounts that are `shown` with the sign.

    Nobody sees the 0.2, and who types 20 there has it again.
    """
    top = heading_row(grid.rows, schema)
    is_percentage = _percentages(grid, schema, top)
    changed = {at for at in shown if at[0] > top and is_percentage(*at)} if top else ()
    if not changed:
        return grid
    rows = [list(row) for row in grid.rows]
    for row, index in changed:
        rows[row - 1][index] = _with_sign(rows[row - 1][index])
    return replace(grid, rows=rows)


def _percentages(grid: Grid, schema: Schema, top: int) -> Callable[[int, int], bool]:
    """Which cells below the headings are percentages or amounts, by row and column."""
    known = known_headings(schema)
    titles = [heading(str(cell or "")) for cell in grid.rows[top - 1]] if top else []
    found = {known[title].name: i for i, title in enumerate(titles) if title in known}
    if schema is Settings:
        name, value = found.get("setting"), found.get("value")
        return lambda row, index: (
            index == value
            and name is not None
            and heading(str(grid.rows[row - 1][name] or "")) in _SETTINGS
        )
    mine = {found.get(c.name) for c in columns(schema) if c.kind in _KINDS}
    return lambda row, index: index in mine


def _with_sign(value: object) -> object:
    if not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return value
    per_cent = round(Decimal(repr(value)) * 100, _DECIMALS).normalize()
    return f"{per_cent:f}%"
