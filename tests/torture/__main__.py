"""All trials: `python -m tests.torture [--every N] [--pairs N]` (`make torture`).

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
from pathlib import Path

from tests.torture.bugs import BUGS
from tests.torture.trial import (
    Reference,
    Verdict,
    play,
    recover_killed,
    try_at,
    wreck_at,
)

# A trial: which step, killed at which points, the sheets changed or not, with which bug.
Trial = tuple[int, tuple[int, ...], bool, str]

# Steps whose recovery is killed too: a night that bills, and a credit note.
_RICHEST = (1, 4)

# Set before the workers are forked, which inherit them.
_references: list[Reference] = []
_root = Path()


def _carry_out(trial: Trial) -> Verdict:
    at, points, changed, bug = trial
    folder = _root / "-".join(map(str, ("trial", at, *points, os.getpid())))
    made = _references[at]
    return try_at(made, folder, points, changed=changed, bug=BUGS.get(bug))


def kills(every: int) -> list[Trial]:
    """Each step killed at its points, the sheets changed in half of them."""
    return [
        (at, (point,), point % 2 == 1, "")
        for at, made in enumerate(_references)
        for point in range(0, len(made.names), every)
    ]


def _find_wreck(trial: tuple[int, int]) -> tuple[int, int, tuple[object, ...]]:
    at, point = trial
    return at, point, wreck_at(_references[at], _wreck(at, point), point)


def _wreck(at: int, point: int) -> Path:
    return _root / f"wreck-{at}-{point}"


def _recover(trial: tuple[int, int, int]) -> tuple[bool, Verdict]:
    at, first, second = trial
    folder = _root / "-".join(map(str, ("again", *trial, os.getpid())))
    return recover_killed(_references[at], _wreck(at, first), folder, first, second)


def _unlike(every: int) -> list[tuple[int, int]]:
    """The first (step, point) of each kind of wreck that the richest steps leave."""
    trials = [
        (at, point)
        for at in _RICHEST
        for point in range(0, len(_references[at].names), every)
    ]
    kinds: dict[tuple[object, ...], tuple[int, int]] = {}
    with multiprocessing.get_context("fork").Pool() as pool:
        for at, point, like in pool.imap(_find_wreck, trials):
            if kinds.setdefault((at, like), (at, point)) != (at, point):
                shutil.rmtree(_wreck(at, point))
    print(f"{len(trials)} kills leave {len(kinds)} kinds of wreck", flush=True)
    return list(kinds.values())


def killed_again(every: int) -> int:
    """Each kind of wreck, its recovery killed at each of its points; counts bad endings.

    Recovery sees nothing but the wreck, so that one of a kind stands for all of them.
    """
    started, tried, bad = time.monotonic(), 0, 0
    open_ = dict.fromkeys(_unlike(every), 0)
    with multiprocessing.get_context("fork").Pool() as pool:
        while open_:
            # As many points as a recovery may have are not known before it has run.
            trials = [
                (at, first, second)
                for (at, first), start in open_.items()
                for second in range(start, start + 16 * every, every)
            ]
            going: set[tuple[int, int]] = set()
            for trial, (reached, verdict) in zip(
                trials, pool.imap(_recover, trials), strict=True
            ):
                tried += 1
                if reached:
                    going.add(trial[:2])
                if verdict.faults:
                    bad += 1
                    print(f"BAD {verdict.where}", *verdict.faults, sep="\n    ")
            open_ = {w: n + 16 * every for w, n in open_.items() if w in going}
    minutes = (time.monotonic() - started) / 60
    print(f"killed again: {tried} trials, {bad} bad endings, {minutes:.1f} minutes")
    return bad


def bad_endings(title: str, trials: Iterable[Trial]) -> int:
    """Do the trials on every core; prints and counts those that ended badly."""
    started = time.monotonic()
    listed = list(trials)
    bad = 0
    with multiprocessing.get_context("fork").Pool() as pool:
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
            mp_context=multiprocessing.get_context("fork")
        ) as pool:
            done = as_completed([pool.submit(_carry_out, trial) for trial in trials])
            tried = next((n for n, one in enumerate(done, 1) if one.result().faults), 0)
            pool.shutdown(cancel_futures=True)
        print(f"{name}: {f'seen after {tried} trials' if tried else 'NOT SEEN'}")
        unseen += not tried
    return unseen


def main() -> int:
    """Play the scenario, then every trial; returns the exit code."""
    global _references, _root
    parser = argparse.ArgumentParser(prog="tests.torture", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="every Nth point only")
    parser.add_argument(
        "--pairs", type=int, default=1, help="pairs of every Nth point; 0: none"
    )
    asked = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        _root = Path(folder)
        _references = play(_root)
        names = {name for made in _references for name in made.names}
        hits = sum(len(made.names) for made in _references)
        print(f"{len(_references)} steps, {len(names)} named points, {hits} hits")
        bad = bad_endings("killed once", kills(asked.every))
        if asked.pairs:
            bad += killed_again(asked.pairs)
        bad += unseen_bugs()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
