"""Runs the billing rules in order and holds each table to its schema."""

from collections.abc import Collection, Sequence
from importlib.resources import files

import duckdb

from pipeline.fetching import first_row
from pipeline.frames import frame
from pipeline.tables import load_nothing
from schemas.columns import Schema, about, column_types, name_of
from schemas.frames import frame_schema
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
    rows = _rows_outside(connection, models)
    for schema in models:
        name = f"model.{name_of(schema)}"
        made_of = about(schema).get("made_of", ())
        if made_of and not any(rows[source] for source in made_of):
            # To plan a rule takes longer than to run it, most of all on a quiet night.
            load_nothing(connection, schema, name)
            rows[name] = 0
            continue
        rows[name] = _make(connection, schema, name)
        # Of no rows only the types could be wrong, and those were just cast.
        if schema in hold and rows[name]:
            made = frame(connection, f"select * from {name}")
            frame_schema(schema).validate(made, lazy=True)


def _rows_outside(
    connection: duckdb.DuckDBPyConnection, models: Sequence[Schema]
) -> dict[str, int]:
    """Whether the tables that models are made of, but models themselves, have a row."""
    sources = {
        source for schema in models for source in about(schema).get("made_of", ())
    }
    outside = sorted(source for source in sources if not source.startswith("model."))
    asked = ", ".join(f"(exists (from {source}))::integer" for source in outside)
    found = first_row(connection, f"select {asked}") if outside else ()
    return dict(zip(outside, found or (), strict=True))


def _make(connection: duckdb.DuckDBPyConnection, schema: Schema, name: str) -> int:
    """Make a model by its rule; returns how many rows it has."""
    types = column_types(schema)
    cast = ", ".join(f"{column}::{kind} as {column}" for column, kind in types.items())
    (rows,) = first_row(
        connection,
        f"create or replace table {name} as select {cast} from (\n{sql_of(schema)}\n)",
    ) or (0,)
    return int(rows)
