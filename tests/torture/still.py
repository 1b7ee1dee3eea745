"""A clock that stands still and one thread: two runs that do the same write the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from unittest.mock import patch

import duckdb

TODAY = date(2026, 10, 31)


class Stopped(datetime):
    """The clock of logs and of folder names."""

    @classmethod
    def now(cls, tz: Any = None) -> "Stopped":
        return cls(2026, 1, 1, tzinfo=tz or UTC)


@contextmanager
def still() -> Iterator[None]:
    """No run takes any time, and each is on the same day."""
    with (
        patch("pipeline.record.datetime", Stopped),
        patch("pipeline.run.time.monotonic", lambda: 0.0),
        patch("pipeline.commands.clock.today", lambda zone: TODAY),
    ):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """DuckDB does everything in the thread that asks; strace counts for each thread."""
    connect = duckdb.connect

    def alone(*args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*args, **options)
        connection.execute("set threads = 1")
        return connection

    with patch("duckdb.connect", alone):
        yield
