"""Tries changes one by one, each in a process forked from one that has its tests ready."""

import importlib
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.mutants.change import ROOT, Mutant

# Seconds after which a change counts as noticed: it has made something endless.
PATIENCE = 600
# Bytes of address space: a change that joins everything with everything would take all of
# the machine's memory before that.
ROOM = 8_000_000_000


@dataclass
class _Trial:
    """A change that is being tried by a process of its own, in a folder of its own."""

    mutant: Mutant
    child: int
    place: Path
    until: float

    def noticed(self) -> str | None:
        """The test that noticed, '' if none did, None while tests are running."""
        if time.monotonic() > self.until:
            os.killpg(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
            return "no end"
        done, status = os.waitpid(self.child, os.WNOHANG)
        if not done:
            return None
        if os.WIFSIGNALED(status):
            return "a crash"
        if status:
            raise RuntimeError(f"{self.mutant} could not be tried")
        return (self.place / "noticed").read_text()


@dataclass
class Trials:
    """A plugin of pytest: what it has collected is run for each change, not once.

    `concerns` names for a changed file the beginnings of the tests that should notice,
    and `tell` is called with each change and the test that noticed it, '' if none did.
    """

    mutants: Iterable[Mutant]
    concerns: Callable[[Path], list[str]]
    tell: Callable[[Mutant, str], None]
    workers: int
    # For each changed file, the tests that have noticed other changes of it.
    noticing: dict[Path, list[str]] = field(default_factory=dict)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Every trial, as many at a time as there are workers."""
        if session.testsfailed:
            raise session.Interrupted("not all tests could be collected")
        running: list[_Trial] = []
        with tempfile.TemporaryDirectory() as folder:
            for number, mutant in enumerate(self.mutants):
                place = Path(folder) / str(number)
                place.mkdir()
                items = self._chosen(session.items, mutant.path)
                child = os.fork()
                if not child:
                    _try(session, mutant, items, place)
                running.append(
                    _Trial(mutant, child, place, time.monotonic() + PATIENCE)
                )
                while len(running) >= self.workers:
                    running = [trial for trial in running if not self._over(trial)]
            while running:
                running = [trial for trial in running if not self._over(trial)]
        return True

    def _chosen(self, items: list[pytest.Item], path: Path) -> list[pytest.Item]:
        """The tests that concern a file: first those that noticed most lately."""
        order = self.noticing.get(path, []) + self.concerns(path)

        def place(item: pytest.Item) -> int:
            found = (
                at for at, name in enumerate(order) if item.nodeid.startswith(name)
            )
            return next(found, len(order))

        return sorted((i for i in items if place(i) < len(order)), key=place)

    def _over(self, trial: _Trial) -> bool:
        """Whether a trial has come to an end, which is then told."""
        noticed = trial.noticed()
        if noticed is None:
            time.sleep(0.02)
            return False
        shutil.rmtree(trial.place, ignore_errors=True)
        if "::" in noticed:
            before = self.noticing.get(trial.mutant.path, [])
            others = [test for test in before if test != noticed]
            self.noticing[trial.mutant.path] = [noticed, *others]
        self.tell(trial.mutant, noticed)
        return True


def _try(
    session: pytest.Session, mutant: Mutant, items: list[pytest.Item], place: Path
) -> None:
    """Run tests on the changed program, in this process, and end it."""
    code = 1
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(place)
        # Where a changed program writes what a test takes for never written.
        os.chdir(place)
        put_in(mutant)
        (place / "noticed").write_text(_first_failure(session, items))
        code = 0
    finally:
        os._exit(code)


def _first_failure(session: pytest.Session, items: list[pytest.Item]) -> str:
    for at, item in enumerate(items):
        after = items[at + 1] if at + 1 < len(items) else None
        session.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        if session.testsfailed:
            return item.nodeid
    return ""


def put_in(mutant: Mutant) -> None:
    """Change the program that is loaded; nobody but this process sees it."""
    if mutant.path.suffix == ".sql":
        transform = importlib.import_module("pipeline.transform")
        sql_of = transform.sql_of

        def changed(schema: Any) -> str:
            text: str = sql_of(schema)
            return mutant.text if text == mutant.path.read_text("utf-8") else text

        _everywhere(sql_of, changed)
        return
    module = module_of(mutant.path)
    names = {"__name__": module.__name__, "__package__": module.__package__}
    exec(compile(mutant.text, str(mutant.path), "exec"), names)
    for name, new in names.items():
        old = vars(module)[name]
        if not _transplanted(old, new) and repr(old) != repr(new):
            _everywhere(old, new)


def module_of(path: Path) -> ModuleType:
    """The module a file of the program is loaded as."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return importlib.import_module(".".join(parts))


def _everywhere(old: object, new: object) -> None:
    for module in list(sys.modules.values()):
        for name, value in list(vars(module).items()):
            if value is old:
                setattr(module, name, new)


def _transplanted(old: Any, new: Any) -> bool:
    """Let a function or class, which others hold already, do what its new self does."""
    if old is new:
        return True
    if isinstance(old, type):
        for name, member in vars(old).items():
            _transplanted(member, vars(new).get(name, member))
    elif isinstance(old, property):
        _transplanted(old.fget, new.fget)
    elif hasattr(old, "__wrapped__"):
        _transplanted(old.__wrapped__, new.__wrapped__)
    elif isfunction(old):
        old.__code__ = new.__code__
        old.__defaults__, old.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
    else:
        return False
    return True
