"""Tables between Arrow and DuckDB: decimals and dates stay themselves."""

from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as arrow

from schemas.arrow_types import arrow_types
from schemas.columns import Schema, column_types


def empty(schema: Schema) -> arrow.Table:
    """A table of a schema's columns and types, without rows."""
    return arrow.schema(arrow_types(schema).items()).empty_table()


def load(
    connection: duckdb.DuckDBPyConnection, schema: Schema, rows: arrow.Table, name: str
) -> None:
    """Replace table `name` with rows, in the schema's columns and SQL types."""
    if not len(rows):
        load_nothing(connection, schema, name)
        return
    types = column_types(schema)
    cast = ", ".join(f"{column}::{kind} as {column}" for column, kind in types.items())
    connection.register("loading", rows)
    connection.execute(f"create or replace table {name} as select {cast} from loading")
    connection.unregister("loading")


def load_nothing(
    connection: duckdb.DuckDBPyConnection, schema: Schema, name: str
) -> None:
    """Replace table `name` with one without rows."""
    columns = ", ".join(
        f"{column} {kind}" for column, kind in column_types(schema).items()
    )
    connection.execute(f"create or replace table {name} ({columns})")


def as_text(value: Any) -> str:
    """A value as a CSV file for machines has it: exact, and '' for none."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)
