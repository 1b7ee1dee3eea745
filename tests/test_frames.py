"""What a table's class promises, pandera holds frames to."""

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as arrow
import pytest

from pipeline.frames import for_pandera
from schemas import INPUTS, Practice
from schemas.arrow_types import arrow_types
from schemas.columns import Date, Flag, Money, Rate, Schema, Text, Whole, name_of
from schemas.frames import frame_schema, pa, rules_of
from schemas.inputs import UnreadablePrices
from schemas.ledger import LEDGER
from schemas.models import MODELS
from schemas.open_data import OPEN_DATA

TABLES = (*INPUTS, Practice, UnreadablePrices, *MODELS, *LEDGER, *OPEN_DATA)
USUAL = {
    Text: "x", Date: date(2026, 3, 1), Money: Decimal("1.00"), Rate: Decimal("1.00"),
    Whole: 1, Flag: True,
}  # fmt: skip
# What each kind of check refuses in a column of a type, else in any.
REFUSED: dict[tuple[str, Any], Any] = {
    ("isin", Text): "no", ("isin", Whole): 7, ("ge", None): -1, ("gt", None): 0,
    ("le", Rate): Decimal("999.00"), ("le", None): 10**6, ("str_matches", None): " ",
}  # fmt: skip

tables = pytest.mark.parametrize(
    "schema", TABLES, ids=lambda schema: f"{schema.__module__[8:]}.{name_of(schema)}"
)


def frame(schema: Schema, *rows: dict[str, Any]) -> pd.DataFrame:
    """Rows in which everything is usual but what is named."""
    kinds = {name: told.type for name, told in schema.fields.items()}
    cells = [{name: USUAL[kind] for name, kind in kinds.items()} | row for row in rows]
    return for_pandera(
        {
            name: arrow.array([row[name] for row in cells], kind)
            for name, kind in arrow_types(schema).items()
        }
    )


def broken(schema: Any, rows: pd.DataFrame) -> set[tuple[str, str]]:
    """The columns of a frame, or its table, with the promises that do not hold."""
    try:
        schema.validate(rows, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        return set(zip(cases["column"], cases["check"], strict=True))
    return set()


@tables
def test_a_blank_stands_only_where_there_may_be_one(schema: Schema) -> None:
    empty = frame(schema, dict.fromkeys(schema.fields))
    filled = {name for name, told in schema.fields.items() if not told.nullable}
    found = broken(frame_schema(schema), empty)
    assert {name for name, check in found if check == "not_nullable"} == filled
    # Where rows are judged that are of the right columns and types.
    assert {(name, "not_nullable") for name in filled} <= broken(
        rules_of(schema), empty
    )


@tables
def test_what_stands_once_is_not_found_twice(schema: Schema) -> None:
    twice = broken(frame_schema(schema), frame(schema, {}, {}))
    once = {name for name, told in schema.fields.items() if told.unique}
    assert {name for name, check in twice if check == "field_uniqueness"} == once
    together = set(getattr(schema.Config, "unique", ()))
    rule = "multiple_fields_uniqueness"
    assert {name for name, check in twice if check == rule} == together


def test_some_columns_stand_once_together() -> None:
    assert {name_of(s) for s in MODELS if hasattr(s.Config, "unique")} == {
        "calendars", "periods", "due_periods", "new_lines",
    }  # fmt: skip


@tables
def test_a_value_beyond_a_columns_checks_is_found(schema: Schema) -> None:
    for name, told in schema.fields.items():
        for check in told.checks:
            value = REFUSED.get((check, told.type), REFUSED.get((check, None)))
            found = broken(frame_schema(schema), frame(schema, {name: value}))
            assert {said for column, said in found if column == name}, (name, check)


@tables
def test_columns_are_those_named_and_of_their_types(schema: Schema) -> None:
    right = frame(schema, {})
    more = broken(frame_schema(schema), right.assign(more=1))
    assert "column_in_schema" in {check for _, check in more}
    first = next(iter(schema.fields))
    other = broken(frame_schema(schema), right.assign(**{first: 1.5}))
    assert [check for name, check in other if name == first and check[:6] == "dtype("]
