"""Killed again while recovering: every wreck that two kills can leave, and recovered.

A kill leaves what lies on disk at that moment, and recovery sees nothing else. So one run
of a step from a wreck, looked at whenever it reaches a point, shows every wreck that a
kill of that run can leave. Wrecks that hold the same are tried once.
"""

import hashlib
import os
import re
import shutil
import tempfile
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from pipeline.proof.soundness import contents, log_of, noted_checksum
from tests import practice
from tests.practice import Result
from tests.simulator.machine import hurried
from tests.torture.points import Points
from tests.torture.scenario import arguments
from tests.torture.still import still
from tests.torture.trial import (
    Reference,
    Verdict,
    in_process,
    look_at_recovered,
    look_at_wreck,
)

# A draft, or what is in a folder that is one.
_HALF_MADE = re.compile(r"((?:.*/)?)[^/]*\.(?:part|draft|draft\.wal)(?:/|$)")

# What a process read of ledgers before.
_known: dict[str, str] = {}
# The hashes of files that nobody touches, by what the disk says of them.
_hashes: dict[str, str] = {}
# Seconds in which a file may change once more and look the same to the disk.
_JUST_NOW = 0.1


def fingerprint(folder: Path, known: dict[str, str], *, exact: bool = False) -> str:
    """What lies below a folder: names, rights and bytes, and what a ledger holds.

    DuckDB writes the same rows in bytes that may differ, so of a ledger and its log count
    the rows that can be read; of its checksum, whether it matches. Of what is half made,
    which is swept away and never read, only that it is there. Who held the lock, and when
    a ledger was put aside, are facts of the machine. `known` keeps what was read before.

    If `exact`, the bytes count of a ledger that was not closed in order.
    """
    found = set()
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        name = re.sub(r"replaced/[0-9T]+", "replaced/then", name)
        half = _HALF_MADE.match(name)
        if half:
            found.add((half[1], "half made", ""))
        elif not path.name.startswith("membill.lock"):
            found.add((name, oct(path.lstat().st_mode), _held(path, known, exact)))
    return hashlib.sha256(repr(sorted(found)).encode()).hexdigest()


def fingerprint_apart(folder: Path) -> str:
    """The exact fingerprint, taken in a process of its own.

    A process in which DuckDB was at work may leave those it forks waiting for a thread.
    """

    def work() -> dict[str, Any]:
        mark = fingerprint(folder, _known, exact=True)
        return {"mark": mark, "known": _known}

    found = in_process(work)
    assert found is not None
    _known.update(found["known"])
    return str(found["mark"])


def remember(folder: Path) -> None:
    """Read the ledgers of a folder once, for all that look at what comes of it."""
    fingerprint_apart(folder)


def _held(path: Path, known: dict[str, str], exact: bool) -> str:
    """What a file holds, as text that is the same when it comes to the same."""
    if path.is_dir():
        return ""
    if path.name.endswith(".duckdb.sha256"):
        book = path.with_suffix("")
        return f"matches: {book.exists() and _matches(book)}"
    if path.suffix != ".duckdb":
        return "log" if path.suffix == ".wal" else _hash_of(path)
    log = log_of(path)
    key = f"{_hash_of(path)} {_hash_of(log) if log.exists() else ''}"
    if exact and (log.exists() or not _matches(path)):
        return key
    if key not in known:
        known[key] = _rows(path)
    return known[key]


def _rows(path: Path) -> str:
    """The rows of a ledger, read from a copy."""
    with tempfile.TemporaryDirectory() as aside:
        copy = Path(aside) / path.name
        for file in (path, log_of(path)):
            if file.exists():
                (Path(aside) / file.name).write_bytes(file.read_bytes())
        try:
            with duckdb.connect(":memory:") as connection:
                connection.execute(f"attach '{copy}' as ledger")
                return repr(sorted(contents(connection).items()))
        except duckdb.Error as error:
            return type(error).__name__


def _matches(book: Path) -> bool:
    """Whether a ledger has a checksum that is its own."""
    return noted_checksum(book) == _hash_of(book)


def _hash_of(path: Path) -> str:
    """The hash of a file, read again only if it may have changed."""
    facts = path.stat()
    key = f"{facts.st_ino} {facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}"
    found = _hashes.get(key) or hashlib.sha256(path.read_bytes()).hexdigest()
    if facts.st_ctime < time.time() - _JUST_NOW:
        _hashes[key] = found
    return found


def recover(
    reference: Reference, folder: Path, keep: Path, *, keeping: bool
) -> tuple[Verdict, list[tuple[str, str]]]:
    """Look at a wreck, run the step in it, look at what that came to; it is gone then.

    Returns what broke and, if `keeping`, (point, wreck) for each point of the run; a wreck
    that is not in `keep` yet is put there under its fingerprint.
    """
    step, verdict = reference.step, Verdict(reference.step.name)
    try:
        look_at_wreck(reference, folder, verdict)
        code, said, seen = run_once(reference, folder, keep if keeping else None)
        verdict.must(code in (step.code, step.again), f"ended with {code}: {said}")
        look_once(reference, folder, verdict, keep)
        return verdict, seen
    except Exception as error:
        verdict.faults.append(f"{type(error).__name__}: {error}")
        return verdict, []
    finally:
        shutil.rmtree(folder)


def look_once(reference: Reference, folder: Path, verdict: Verdict, keep: Path) -> None:
    """`look_at_recovered`, unless the same was found to be whole before."""
    whole = keep / f"whole-{fingerprint_apart(folder)}"
    if not whole.exists():
        before = len(verdict.faults)
        look_at_recovered(reference, folder, verdict, changed=False)
        if len(verdict.faults) == before:
            whole.touch()


def run_once(
    reference: Reference, folder: Path, keep: Path | None = None, every: int = 1
) -> tuple[int, str, list[tuple[str, str]]]:
    """Run the step in a process of its own: its exit code, what it said, what it met.

    It is looked at whenever it reaches a point, or the Nth.
    """
    seen: list[tuple[str, str]] = []
    known = dict(_known)
    points = count()

    def look(name: str) -> None:
        if keep is None or next(points) % every:
            return
        mark = fingerprint(folder, known)
        seen.append((name, mark))
        if not (keep / mark).exists():
            draft = keep / f"draft-{os.getpid()}"
            shutil.copytree(folder, draft, symlinks=True)
            try:
                draft.rename(keep / mark)
            except OSError:  # another run was there first
                shutil.rmtree(draft)

    def work() -> dict[str, Any]:
        result = _without_clock(reference, folder, Points(folder, look=look))
        return {"code": result.code, "said": result.out + result.err, "seen": seen}

    found = in_process(work)
    assert found is not None, "the run was killed by somebody else"
    return found["code"], found["said"], [tuple(one) for one in found.get("seen", [])]


def killed(reference: Reference, folder: Path, at: int) -> str:
    """The fingerprint of the wreck that a kill at a point truly leaves in a folder."""
    shutil.copytree(reference.start, folder, symlinks=True)

    def work() -> dict[str, Any]:
        _without_clock(reference, folder, Points(folder, at))
        return {}

    assert in_process(work) is None, "the run was over before"
    return fingerprint(folder, {})


def _without_clock(reference: Reference, folder: Path, points: Points) -> Result:
    """The step with points, in a hurry, by one thread, with a clock that stands still."""
    with hurried(), ExitStack() as stack:
        stack.enter_context(still())
        stack.enter_context(patch("pipeline.many_files._WAITING", 1))
        points.install()
        return practice.run(*arguments(reference.step, folder))
