"""The one row that a statement is asked for."""

from collections.abc import Sequence
from typing import Any

import duckdb


def first_row(
    connection: duckdb.DuckDBPyConnection, statement: str, values: Sequence[Any] = ()
) -> tuple[Any, ...] | None:
    """The first row of a result, None where it has none.

    All of it is fetched: DuckDB 2 lets nothing else be done with a connection that has a
    result not read to its end.
    """
    rows = connection.execute(statement, list(values)).fetchall()
    return rows[0] if rows else None
