"""Rows as pandas frames with Arrow types, which is what pandera judges."""

from typing import Any

import duckdb
import pandas as pd
import pyarrow as arrow


def frame(connection: duckdb.DuckDBPyConnection, query: str) -> pd.DataFrame:
    """The rows of a query."""
    table = connection.sql(query).to_arrow_table()
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def for_pandera(rows: dict[str, arrow.Array], index: Any = None) -> pd.DataFrame:
    """Columns, of which nothing is copied."""
    return pd.DataFrame(
        {name: pd.arrays.ArrowExtensionArray(values) for name, values in rows.items()},
        index=index,
    )
