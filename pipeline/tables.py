"""Tables between pandas and DuckDB, types kept exact: decimals and dates stay themselves."""

from decimal import Decimal
from typing import Any

import duckdb
import pandas as pd
import pyarrow as arrow

from schemas.columns import Schema, column_types


def frame(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """The rows of a query as a pandas frame with Arrow types."""
    table = connection.sql(query).to_arrow_table()
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def empty(schema: Schema, rows: int = 0) -> pd.DataFrame:
    """A frame of a schema's columns and types, without rows or with so many of nulls."""
    fields = schema.to_schema().columns
    return pd.DataFrame(
        {
            name: pd.arrays.ArrowExtensionArray(
                arrow.nulls(rows, field.dtype.type.pyarrow_dtype)
            )
            for name, field in fields.items()
        }
    )


def load(
    connection: duckdb.DuckDBPyConnection, schema: Schema, rows: pd.DataFrame, name: str
) -> None:
    """Replace table `name` with a frame's rows, in the schema's columns and SQL types."""
    types = column_types(schema)
    columns = ", ".join(f"{column} {kind}" for column, kind in types.items())
    connection.execute(f"create or replace table {name} ({columns})")
    if len(rows):
        connection.register("loading", arrow.Table.from_pandas(rows[list(types)]))
        connection.execute(f"insert into {name} select {', '.join(types)} from loading")
        connection.unregister("loading")


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
