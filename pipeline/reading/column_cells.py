"""A column's raw cells to its typed values and faults, in bulk where there are many.

`pipeline.cells.parse` says what a cell means, once for each value that differs; cells
that mean themselves (`pipeline.reading.plain`) and whole columns of many rows are not walked.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pyarrow as arrow
import pyarrow.compute as pc

from pipeline.cells import parse
from pipeline.cells.answers import Fault
from pipeline.cells.spelling import canonical, heading
from pipeline.reading.plain import plain
from schemas.arrow_types import ARROW
from schemas.columns import Column

# The raw cells of a column, as `Sheet.cells` hands them out.
Cells: TypeAlias = arrow.Array | list[Any]

# Below so many rows, walking them costs less than what works in bulk costs to begin.
FEW = 500


def typed(cells: Cells, column: Column) -> tuple[arrow.Array, dict[int, Fault]]:
    """The values of one column and, by position, what was wrong with them."""
    cells = _in_form(cells)
    if isinstance(cells, list):
        return _typed_one_by_one(cells, column)
    kind = ARROW[column.type]
    means_itself = plain(cells, column.kind)
    values = _as_they_are(cells, means_itself, kind)
    odd = pc.invert(means_itself)
    if not odd.true_count:
        return values, {}
    rest = cells.filter(odd).dictionary_encode()
    meanings = [parse(value, column) for value in rest.dictionary.to_pylist()]
    read = arrow.array([meaning.value for meaning in meanings], kind)
    faulty = np.array([meaning.fault is not None for meaning in meanings])
    chosen = rest.indices.to_numpy()
    at = np.flatnonzero(odd.to_numpy(zero_copy_only=False))
    doubted = faulty[chosen]
    faults = {
        position: meanings[index].fault
        for position, index in zip(
            at[doubted].tolist(), chosen[doubted].tolist(), strict=True
        )
    }
    return pc.replace_with_mask(values, odd, read.take(rest.indices)), faults


def _in_form(cells: Cells) -> Cells:
    """Few cells as a list, many as an array where they are alike."""
    if len(cells) <= FEW:
        return cells if isinstance(cells, list) else cells.to_pylist()
    if not isinstance(cells, list):
        return cells
    try:
        return arrow.array(cells, arrow.string())
    except (arrow.ArrowException, UnicodeError):
        return cells  # not all of them text, or text that cannot be written down


def _as_they_are(
    cells: arrow.Array, means_itself: arrow.Array, kind: arrow.DataType
) -> arrow.Array:
    """Cells that mean themselves in their column's type; the others are of no account."""
    if cells.type == kind:
        return cells
    if cells.null_count == means_itself.true_count:
        return arrow.nulls(len(cells), kind)
    return pc.if_else(means_itself, cells, None).cast(kind, safe=False)


def _typed_one_by_one(
    cells: list[Any], column: Column
) -> tuple[arrow.Array, dict[int, Fault]]:
    # 1, 1.0 and True are one key to Python and mean different things.
    keys = list(zip(map(type, cells), cells, strict=True))
    meanings = {key: parse(key[1], column) for key in dict.fromkeys(keys)}
    faults = {key: found.fault for key, found in meanings.items() if found.fault}
    return (
        arrow.array([meanings[key].value for key in keys], ARROW[column.type]),
        {at: faults[key] for at, key in enumerate(keys) if key in faults}
        if faults
        else {},
    )


def filled(cells: Cells) -> arrow.Array:
    """Whether each raw cell has anything in it."""
    cells = _in_form(cells)
    if isinstance(cells, list):
        return arrow.array(map(_shows, cells), arrow.bool_())
    if not arrow.types.is_string(cells.type):
        return cells.is_valid()
    return pc.fill_null(_each(cells, _shows, arrow.bool_()), False)


def _shows(value: object) -> bool:
    return value is not None and (not isinstance(value, str) or bool(canonical(value)))


def _each(
    cells: arrow.Array, function: Callable[[Any], object], kind: arrow.DataType
) -> arrow.Array:
    """A function of every value, worked out once for each value that differs."""
    coded = cells.dictionary_encode()
    found = [function(value) for value in coded.dictionary.to_pylist()]
    return arrow.array(found, kind).take(coded.indices)


def compared(values: arrow.Array, column: Column) -> arrow.Array:
    """How two spellings of a key compare; null where there is none."""
    if column.kind == "code":
        return _compared_codes(values)
    # A setting's name is known by its words, as a heading is.
    spelling = heading if column.kind == "text" else canonical
    return _each(values, lambda value: spelling(str(value)), arrow.string())


def _compared_codes(values: arrow.Array) -> arrow.Array:
    """`pipeline.cells.spelling.canonical` for codes, which are plain ASCII."""
    tight = pc.replace_substring(pc.ascii_lower(values), " ", "")
    return pc.replace_substring_regex(tight, r"\A0+([0-9]+)\z", r"\1")
