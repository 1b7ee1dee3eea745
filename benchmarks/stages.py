"""The stages of a night, and timers around the program's own functions, put from outside.

Time is a stage's own: while a function of another stage runs inside it, that one's clock
runs. Functions are named in one table; a name that is not there any more stops the
benchmark at once.
"""

import importlib
import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any


@dataclass(frozen=True)
class Stage:
    """A stage and its functions; `whole` keeps the clocks of others still inside it."""

    name: str
    functions: tuple[str, ...]
    whole: bool = False


STAGES = (
    Stage("opening the ledger", (
        "pipeline.ledger:locked", "pipeline.ledger:opened",
        "pipeline.proof.soundness:must_be_sound", "pipeline.proof.soundness:note_checksum",
        "pipeline.run:must_know_published", "pipeline.publish:finish",
    )),
    Stage("reading", (
        "pipeline.workbooks:read_practice", "pipeline.reading.package:unpack",
        "pipeline.reading.preflight:inspect", "pipeline.workbooks:grid_of",
        "pipeline.reading.agreement:Agreement.rows",
        "pipeline.reading.agreement:Agreement.finish",
        "pipeline.reading.sheet_rows:read_sheet_rows",
        "pipeline.reading.separated:read_separated",
    )),
    Stage("parsing cells", (
        "pipeline.ingest:read_sheet", "pipeline.tables:load",
        "pipeline.judging.swapped_days:swapped_days", "pipeline.reading.agreement:rows_lost",
    )),
    Stage("validation", ("pipeline.ingest:_Rows.keep_promises",), whole=True),
    Stage("rights and accepted rows", (
        "pipeline.rights.apply:apply", "pipeline.rights.changed:not_in_force",
        "pipeline.settings:read_settings", "pipeline.judging.references:resolve",
        "pipeline.judging.price_columns:hold_misplaced",
    )),
    Stage("checks across rows", (
        "pipeline.judging.checks:check", "pipeline.judging.checks:lost_columns",
        "pipeline.judging.addresses:missing_addresses",
        "pipeline.judging.reasons:explain_held",
        "pipeline.judging.reasons:with_amounts", "pipeline.judging.reasons:without_filled",
    )),
    Stage("due, price and tax", ("pipeline.transform:transform",)),
    Stage("guards", ("pipeline.run:guard",), whole=True),
    Stage("recording", (
        "pipeline.record:stage", "pipeline.record:record",
        "pipeline.transaction:transaction", "pipeline.transaction:count_numbers",
        "pipeline.outbox:post", "pipeline.chain:extend", "pipeline.ledger:settle",
    )),
    Stage("invoice workbooks", (
        "pipeline.publish:_invoices", "pipeline.second_press:SecondPress.finish",
    ), whole=True),
    Stage("register", (
        "pipeline.bookkeeping.accounts:month", "pipeline.exports.register:render",
    ), whole=True),
    Stage("list of invoices", (
        "pipeline.bookkeeping.accounts:entries", "pipeline.exports.invoice_list:render",
    ), whole=True),
    Stage("issues and marked copies", (
        "pipeline.exports.issues:render", "pipeline.marked_copies:make",
        "pipeline.marked_copies:put",
    )),
    Stage("other outputs", ("pipeline.publish:publish", "pipeline.outbox:mark")),
    Stage("proof", ("pipeline.proof.verify:night_holds",), whole=True),
    Stage("copy", (
        "pipeline.copies.backups:state", "pipeline.copies.backups:copy_to_backups",
        "pipeline.copies.backups:thin_out", "pipeline.copies.csv_copies:weekly",
    )),
)  # fmt: skip

START_UP, REST = "start-up", "the rest"
NAMES = (START_UP, *(stage.name for stage in STAGES), REST)


@dataclass
class Clock:
    """Wall and processor seconds by stage and by function."""

    spent: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    _running: list[tuple[Stage, str]] = field(default_factory=list)
    _since: tuple[float, float] = (0.0, 0.0)

    def begin(self, stage: Stage, function: str) -> bool:
        """Let a function's clock run; not inside a stage that is measured whole."""
        if self._running and self._running[-1][0].whole:
            return False
        self._stop()
        self._running.append((stage, function))
        return True

    def end(self) -> None:
        """Let the clock of the function around the one that ends run again."""
        self._stop()
        self._running.pop()

    def _stop(self) -> None:
        now = _now()
        if self._running:
            stage, function = self._running[-1]
            parts = self.spent.setdefault(stage.name, {})
            sums = parts.setdefault(function, [0.0, 0.0])
            sums[0] += now[0] - self._since[0]
            sums[1] += now[1] - self._since[1]
        self._since = now


def _now() -> tuple[float, float]:
    """Wall and processor seconds; those of helpers count once they have ended."""
    times = os.times()
    used = times.user + times.system + times.children_user + times.children_system
    return time.perf_counter(), used


def attach(clock: Clock) -> None:
    """Put a timer around every function of the table, wherever it is known by name."""
    found = [
        (stage, name, *_look_up(name)) for stage in STAGES for name in stage.functions
    ]
    for stage, name, owner, attribute, function in found:
        timed = _timed(clock, stage, name, function)
        setattr(owner, attribute, timed)
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith("pipeline"):
                for known, value in list(vars(module).items()):
                    if value is function:
                        setattr(module, known, timed)


def _look_up(name: str) -> tuple[Any, str, Callable[..., Any]]:
    module_name, _, path = name.partition(":")
    *owners, attribute = path.split(".")
    try:
        owner = importlib.import_module(module_name)
        for part in owners:
            owner = getattr(owner, part)
        return owner, attribute, getattr(owner, attribute)
    except (ImportError, AttributeError):
        raise SystemExit(
            f"benchmarks/stages.py names {name}, which is not in the program any more:"
            " name what has taken its place"
        ) from None


def _timed(
    clock: Clock, stage: Stage, name: str, function: Callable[..., Any]
) -> Callable[..., Any]:
    if inspect.isgeneratorfunction(inspect.unwrap(function)):
        return _timed_around(clock, stage, name, function)

    @wraps(function)
    def timed(*args: Any, **named: Any) -> Any:
        running = clock.begin(stage, name)
        try:
            return function(*args, **named)
        finally:
            if running:
                clock.end()

    return timed


def _timed_around(
    clock: Clock, stage: Stage, name: str, function: Callable[..., Any]
) -> Callable[..., Any]:
    """A context manager: what it does before and after counts, what is inside does not."""

    @wraps(function)
    @contextmanager
    def timed(*args: Any, **named: Any) -> Iterator[Any]:
        before = clock.begin(stage, name)
        try:
            with function(*args, **named) as given:
                if before:
                    clock.end()
                try:
                    yield given
                finally:
                    before = clock.begin(stage, name)
        finally:
            if before:
                clock.end()

    return timed
