"""Rows that Python has made go into a table all at once, column by column."""

from collections.abc import Sequence
from typing import Any

import duckdb


def insert(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    types: Sequence[str],
    rows: Sequence[Sequence[Any]],
) -> None:
    """Append rows, in their order, to a table whose columns are of these SQL types.

    A statement for each row would take most of a large night's recording.
    """
    if not rows:
        return
    columns = ", ".join(f"unnest(${at}::{kind}[])" for at, kind in enumerate(types, 1))
    connection.execute(
        f"insert into {table} select {columns}",
        [list(values) for values in zip(*rows, strict=True)],
    )
