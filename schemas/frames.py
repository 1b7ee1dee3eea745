"""The tables as pandera knows them: what a frame of their rows is held to."""

from functools import cache, partial

import pandas as pd

from schemas.arrow_types import ARROW
from schemas.columns import Field, RowCheck, Schema
from schemas.lean_pandera import pa


@cache
def frame_schema(schema: Schema) -> pa.DataFrameSchema:
    """What a frame of a table must be: those columns, no more, of exactly those types."""
    return pa.DataFrameSchema(
        {name: _column(told) for name, told in schema.fields.items()},
        checks=[_over_rows(schema, rule) for rule in schema.rules],
        name=schema.Config.name,
        unique=getattr(schema.Config, "unique", None),
        strict=True,
        unique_column_names=True,
    )


def _column(told: Field) -> pa.Column:
    """What one column of a frame must be."""
    checks = [getattr(pa.Check, name)(value) for name, value in told.checks.items()]
    return pa.Column(
        pd.ArrowDtype(ARROW[told.type]),
        checks,
        nullable=told.nullable,
        unique=told.unique,
    )


def _over_rows(schema: Schema, rule: RowCheck) -> pa.Check:
    # No row is blank throughout, which pandera would look for in every column.
    return pa.Check(partial(_kept, schema, rule), error=rule.code, ignore_na=False)


def _kept(schema: Schema, rule: RowCheck, frame: pd.DataFrame) -> pd.Series:
    """A truth value per row; what the rule cannot judge counts as kept."""
    return rule.judge(schema, frame).astype("boolean").fillna(True).astype(bool)


@cache
def rules_of(
    schema: Schema, filled: frozenset[str] = frozenset()
) -> pa.DataFrameSchema:
    """What a frame of a schema's own columns and types may still break.

    Left out are the columns that cannot break anything, since pandera takes as long for
    them as for any other: those without a check that may be blank, or that are `filled`
    in every row.
    """
    free = [
        name
        for name, told in schema.fields.items()
        if (told.nullable or name in filled) and not told.checks and not told.unique
    ]
    rules = frame_schema(schema).remove_columns(free)
    rules.strict = False
    return rules
