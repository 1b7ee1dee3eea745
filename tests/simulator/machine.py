"""The computer a simulated practice runs on: commands in process, and power cuts.

A power cut leaves the practice folder as it lies on disk at that moment, half-written
files and write-ahead log included; nothing that unwinds afterwards can tidy it up.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from pipeline.bookkeeping import accounts
from pipeline.exports import register
from pipeline.ledger import Ledger
from pipeline.transform import transform
from tests import remembered
from tests.practice import Result, run

# Every guard but those that a life is about.
LET_THROUGH = ("drop", "joined", "changed", "price", "forecast")

_FILE_CALLS = ("replace", "link", "fsync")
# Statements that reach the disk, or may.
_WRITES = ("begin", "commit", "checkpoint", "insert into ledger", "attach")


class PowerCut(BaseException):
    """The program is gone: no handler of its own can answer this."""


class _Connection:
    """A DuckDB connection that tells of each statement before and after it."""

    def __init__(self, real: duckdb.DuckDBPyConnection, fuse: "_Fuse"):
        self._real, self._fuse = real, fuse

    def execute(self, query: str, *values: Any) -> Any:
        return self._told(self._real.execute, query, *values)

    def executemany(self, query: str, *values: Any) -> Any:
        return self._told(self._real.executemany, query, *values)

    def _told(self, call: Callable[..., Any], query: str, *values: Any) -> Any:
        if self._fuse.blown:  # no rollback either: nobody is there to ask for it
            raise PowerCut
        if not query.lstrip().startswith(_WRITES):
            return call(query, *values)
        return self._fuse.around(call)(query, *values)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *error: object) -> None:
        self._real.close()


class _Fuse:
    """Counts the moments at which the disk changes, and blows at the chosen one."""

    def __init__(self, folder: Path, image: Path, at: int):
        self.folder, self.image, self.left = folder, image, at
        self.blown = False

    def tick(self) -> None:
        if not self.blown:
            self.left -= 1
            if self.left > 0:
                return
            self.blown = True
            shutil.copytree(self.folder, self.image, symlinks=True)
        raise PowerCut

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def told(*args: Any, **options: Any) -> Any:
            self.tick()
            answer = call(*args, **options)
            self.tick()
            return answer

        return told


def command(*args: object, today: date) -> Result:
    """Run a command to its end on the given day."""
    return run(*args, today=today.isoformat())


def cut_short(folder: Path, at: int, *args: object, today: date) -> Result | None:
    """Run a command whose power fails at the `at`-th moment the disk changes.

    Returns None when it was cut; its result when it was done before.
    """
    image = folder.with_name(f"{folder.name}-as-it-lay")
    fuse = _Fuse(folder, image, at)
    connect = duckdb.connect
    with ExitStack() as stack:
        for name in _FILE_CALLS:
            stack.enter_context(patch(f"os.{name}", fuse.around(getattr(os, name))))
        stack.enter_context(
            patch(
                "duckdb.connect",
                lambda *a, **o: _Connection(connect(*a, **o), fuse),
            )
        )
        try:
            return command(*args, today=today)
        except PowerCut:
            pass
    shutil.rmtree(folder)
    image.rename(folder)
    return None


@contextmanager
def hurried() -> Iterator[None]:
    """Shortcuts that change no result, for lives that must be over soon.

    Those of `thinking_less`, and no bytes wait for the disk.
    """
    with thinking_less(), patch("os.fsync", lambda descriptor: None):
        yield


@contextmanager
def thinking_less() -> Iterator[None]:
    """Shortcuts that change no result, and nothing of how it reaches the disk.

    DuckDB plans each statement as it is written; models are not held to their schemas;
    the guards that a life lets through are not worked out; a month in which nothing was
    issued, of which a life with few nights has many, gets an empty register.
    """
    month, render = accounts.month, register.render

    def issued(ledger: Ledger, name: str) -> Any:
        where = "strftime(issued_on, '%Y-%m') = ?"
        count = f"select count(*) from ledger.invoices where {where}"
        return month(ledger, name) if ledger.value(count, [name]) else None

    with (
        patch("pipeline.bookkeeping.accounts.month", issued),
        patch("pipeline.exports.register.render", lambda of: render(of) if of else b""),
        remembered.as_written(),
        patch("pipeline.run._baseline", lambda *given: None),
        patch(
            "pipeline.prepare.transform",
            lambda connection, hold: transform(connection, hold=()),
        ),
        ExitStack() as stack,
    ):
        for guard in LET_THROUGH:
            stack.enter_context(
                patch(f"pipeline.judging.guards._{guard}", lambda *given: None)
            )
        yield
