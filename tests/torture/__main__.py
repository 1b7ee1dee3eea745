"""All trials: `python -m tests.torture [once] [again] [bugs]` (`make torture`).

Prints every promise that did not hold, and ends with 1 if there was one.
"""

import argparse
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing.pool import Pool
from pathlib import Path

from tests.torture.again import recover, remember
from tests.torture.bugs import BUGS
from tests.torture.scenario import STEPS, take_steps
from tests.torture.trial import Reference, Verdict, play, try_at

# A trial: which step, killed at which points, the sheets changed or not, with which bug.
Trial = tuple[int, tuple[int, ...], bool, str]

# The kinds of trials: killed once, killed while recovering too, bugs put in on purpose.
PARTS = ("once", "again", "bugs")

# Set before the workers are forked, which inherit them.
_references: list[Reference] = []
_root = Path()
_workers: int | None = None


def _carry_out(trial: Trial) -> Verdict:
    at, points, changed, bug = trial
    folder = _root / "-".join(map(str, ("trial", at, *points, os.getpid())))
    made = _references[at]
    return try_at(made, folder, points, changed=changed, bug=BUGS.get(bug))


def kills(steps: Iterable[int], every: int) -> list[Trial]:
    """Each step killed at its points; before every second one sheets change, if it reads any."""
    return [
        (at, (point,), point % 2 == 1, "")
        for at in steps
        for point in range(0, len(_references[at].names), every)
    ]


def _recover(
    trial: tuple[int, str, bool],
) -> tuple[str, Verdict, list[tuple[str, str]]]:
    at, name, keeping = trial
    keep = _root / f"wrecks-{at}"
    folder = keep / f"at-work-{os.getpid()}"
    if name:  # what is left of it says that it was seen
        (keep / name).rename(folder)
        (keep / name).mkdir()
    else:
        shutil.copytree(_references[at].start, folder, symlinks=True)
    return name, *recover(_references[at], folder, keep, keeping=keeping)


def _tried_from(
    pool: Pool, at: int, ways: dict[str, str], level: Iterable[str], *, keeping: bool
) -> tuple[dict[str, str], int]:
    """Recover from each wreck: the wrecks that another kill leaves, and bad endings.

    `ways` tells of each wreck at which points kills left it.
    """
    trials = [(at, name, keeping) for name in level]
    more, bad = dict[str, str](), 0
    done = pool.imap_unordered(_recover, trials)
    for tried, (name, verdict, seen) in enumerate(done, 1):
        for point, mark in seen:
            if mark not in ways:
                more.setdefault(mark, f"{ways[name]} killed at {point};")
        if verdict.faults:
            bad += 1
            where = f"{verdict.where}:{ways[name]} then left in peace"
            print(f"BAD {where}", *verdict.faults, sep="\n    ")
        if tried % 100 == 0:
            print(f"    {tried} of {len(trials)} tried")
    return more, bad


def _killed_again(at: int) -> tuple[int, int]:
    """Every wreck of a step; how many there are, and how many ended badly."""
    started, keep = time.monotonic(), _root / f"wrecks-{at}"
    keep.mkdir()
    remember(_references[at].start)
    ways = level = {"": ""}
    found, bad = list[int](), 0
    with multiprocessing.get_context("fork").Pool(_workers) as pool:
        for keeping in (True, True, False):
            level, wrong = _tried_from(pool, at, ways, level, keeping=keeping)
            ways = ways | level
            found.append(len(level))
            bad += wrong
    shutil.rmtree(keep)
    minutes = (time.monotonic() - started) / 60
    print(
        f"    {_references[at].step.name}: {found[0]} wrecks of one kill, {found[1]} more"
        f" of two, {bad} bad endings, {minutes:.1f} minutes"
    )
    return found[0] + found[1], bad


def killed_again(steps: Iterable[int]) -> int:
    """Every wreck that one kill or two can leave of each step; counts bad endings."""
    started = time.monotonic()
    counted = [_killed_again(at) for at in steps]
    wrecks, bad = (sum(numbers) for numbers in zip(*counted, strict=True))
    minutes = (time.monotonic() - started) / 60
    print(f"killed again: {wrecks} wrecks, {bad} bad endings, {minutes:.1f} minutes")
    return bad


def bad_endings(title: str, trials: Iterable[Trial]) -> int:
    """Do the trials on every core; prints and counts those that ended badly."""
    started = time.monotonic()
    listed = list(trials)
    bad = 0
    with multiprocessing.get_context("fork").Pool(_workers) as pool:
        for verdict in pool.imap_unordered(_carry_out, listed):
            if verdict.faults:
                bad += 1
                print(f"BAD {verdict.where}", *verdict.faults, sep="\n    ", flush=True)
    minutes = (time.monotonic() - started) / 60
    print(f"{title}: {len(listed)} trials, {bad} bad endings, {minutes:.1f} minutes")
    return bad


def unseen_bugs() -> int:
    """Try each bug put in on purpose at every point until it is seen."""
    unseen = 0
    for name in BUGS:
        trials = [
            (1, (point,), False, name) for point in range(len(_references[1].names) + 8)
        ]
        # A pool that is ended early leaves workers behind; this one ends with its last.
        with ProcessPoolExecutor(
            _workers, mp_context=multiprocessing.get_context("fork")
        ) as pool:
            done = as_completed([pool.submit(_carry_out, trial) for trial in trials])
            tried = next((n for n, one in enumerate(done, 1) if one.result().faults), 0)
            pool.shutdown(cancel_futures=True)
        print(f"{name}: {f'seen after {tried} trials' if tried else 'NOT SEEN'}")
        unseen += not tried
    return unseen


def main() -> int:
    """Play the scenario, then every trial; returns the exit code."""
    global _references, _root, _workers
    parser = argparse.ArgumentParser(prog="tests.torture", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="every Nth point only")
    parser.add_argument("--workers", type=int, help="processes; one for each core")
    take_steps(parser, range(len(STEPS)), "of the scenario; all of them")
    parser.add_argument("parts", nargs="*", help=f"of {PARTS}; all of them")
    asked = parser.parse_args()
    parts = asked.parts or PARTS
    if not set(parts) <= set(PARTS):
        parser.error(f"there are the parts {', '.join(PARTS)}")
    _workers = asked.workers
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        _root = Path(folder)
        _references = play(_root)
        names = {name for made in _references for name in made.names}
        hits = sum(len(made.names) for made in _references)
        print(f"{len(_references)} steps, {len(names)} named points, {hits} hits")
        bad = 0
        if "once" in parts:
            bad += bad_endings("killed once", kills(asked.steps, asked.every))
        if "again" in parts:
            bad += killed_again(asked.steps)
        if "bugs" in parts:
            bad += unseen_bugs()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
