"""Runs the billing rules in order and holds each table to its schema."""

from collections.abc import Collection, Sequence
from importlib.resources import files

import duckdb

from pipeline.tables import frame
from schemas.columns import Schema, column_types, name_of
from schemas.models import MODELS


def sql_of(schema: Schema) -> str:
    """The text of a model's rule."""
    path = files("pipeline") / "models" / f"{name_of(schema)}.sql"
    return path.read_text(encoding="utf-8")


def transform(
    connection: duckdb.DuckDBPyConnection,
    *,
    hold: Collection[Schema] = MODELS,
    models: Sequence[Schema] = MODELS,
) -> None:
    """Make `model.*` of the current catalog from its `input.*` and the ledger.

    `models` are those to make, each after those it is made from.

    The tables in `hold` are held to their schemas: pandera's SchemaErrors where one
    breaks a promise is a bug of ours. A night holds `RECORDED`, what is only compared
    with nothing, and the tests of the rules every table.
    """
    connection.execute("create schema if not exists model")
    for schema in models:
        name = name_of(schema)
        types = column_types(schema)
        cast = ", ".join(
            f"{column}::{kind} as {column}" for column, kind in types.items()
        )
        connection.execute(
            f"create or replace table model.{name} as select {cast} from (\n"
            f"{sql_of(schema)}\n)"
        )
        if schema in hold:
            made = frame(connection, f"select * from model.{name}")
            # Of no rows only the types could be wrong, and those were just cast.
            if len(made):
                schema.validate(made, lazy=True)
