"""Faults below the program: the kernel refuses a call, or kills the process at it.

`python -m tests.torture.syscalls` lets one step of each kind run under strace for each
call that changes a disk and each way it can fail, and the step after it undisturbed.
Where there is no strace it says so and ends with 2.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.torture.again import fingerprint_apart, look_once, remember, run_once
from tests.torture.attached import LOG, Ended, Fault, attached
from tests.torture.scenario import STEPS, take_steps
from tests.torture.trial import (
    LEDGER,
    Reference,
    Verdict,
    look_at_wreck,
    new_copies,
    play,
    state,
)

HOW = ("error=EIO", "error=ENOSPC", "signal=KILL")
# One step of each kind that writes: the first night and the second, a sending, a credit
# note, a copy, a closed month, a refused night, a restore, a rebuild.
KINDS = (0, 1, 2, 4, 6, 9, 10, 13, 16)
# What an exit code says of the books (docs/running-it-nightly.md): all is recorded, or
# recorded with something left to do or held; or they are as they were.
SAYS = {0: "after", 1: "after", 3: "after", 4: "before"}

_made: Reference
_root = Path()


def faults(every: int) -> tuple[Counter[str], list[Fault]]:
    """How often the undisturbed step makes each call; and each call failing in each way."""
    folder = Path(shutil.copytree(_made.start, _root / "undisturbed"))
    ended = attached(_made, folder)
    assert ended.code == _made.step.code, ended.said
    shutil.rmtree(folder)
    counts = Counter(call.name for call in ended.calls)
    return counts, [Fault(call, how) for call in ended.calls[::every] for how in HOW]


def _try_fault(fault: Fault) -> tuple[Verdict, Ended]:
    """The step with one fault, and the same once more in peace."""
    verdict, ended = Verdict(f"{_made.step.name}: {fault}"), Ended(0, "")
    folder = Path(shutil.copytree(_made.start, _root / f"fault-{os.getpid()}"))
    try:
        ended = attached(_made, folder, fault)
        for line in ended.struck:
            verdict.where += f"\n    {line.replace(str(folder), '')}"
        books, wrong = _recovery(folder)
        if ended.code != -signal.SIGKILL:
            _look_at_end(ended, books, verdict, is_log=fault.call.file == LOG)
        verdict.faults += wrong
    except Exception as error:
        verdict.faults.append(f"{type(error).__name__}: {error}")
    finally:
        shutil.rmtree(folder)
    return verdict, ended


def _look_at_end(
    ended: Ended, books: list[str], verdict: Verdict, *, is_log: bool
) -> None:
    """A step says in plain words what it came to, and it is true.

    Whose log takes nothing ends with 1, whatever it came to: it cannot say.
    """
    said = f"ended with {ended.code}: {ended.said}"
    verdict.must("Traceback" not in ended.said, said)
    verdict.must("fault of its own" not in ended.said, said)
    if is_log and ended.code == 1:
        return
    true = SAYS.get(ended.code)
    verdict.must(true in books, f"the books are those {books}; {said}")
    if _made.step.code:
        verdict.must(ended.code == _made.step.code, f"was to be refused; {said}")


def _books(folder: Path) -> list[str]:
    """Which books a wreck has: those before the step, after it, or both if it changes none.

    A copy that came makes a backup done, and does no harm where it was said to have
    failed; a ledger that was put aside makes a restore done.
    """
    found = state(folder).books
    known = {"before": _made.before.books, "after": _made.after.books}
    wrong = set()
    if _made.step.command[0] == "backup" and not new_copies(_made, folder):
        wrong = {"after"}
    elif _made.step.command[0] == "restore":
        aside = any(folder.glob(f"{LEDGER.parent}/replaced/*/{LEDGER.name}"))
        wrong = {"before" if aside else "after"}
    return [
        name for name, books in known.items() if books == found and name not in wrong
    ]


def _recovery(folder: Path) -> tuple[list[str], list[str]]:
    """Which books a wreck has, and what is wrong with it and after the same step.

    Of a wreck that was there before this is known.
    """
    mark = _root / "tried" / fingerprint_apart(folder)
    if not mark.exists():
        verdict, step = Verdict(""), _made.step
        books = _books(folder)
        look_at_wreck(_made, folder, verdict)
        code, said, _ = run_once(_made, folder)
        verdict.must(code in (step.code, step.again), f"recovery: {code}: {said}")
        look_once(_made, folder, verdict, _root / "whole")
        mark.write_text(json.dumps([books, verdict.faults]), encoding="utf-8")
    books, wrong = json.loads(mark.read_text(encoding="utf-8"))
    return books, wrong


def bad_endings(listed: list[Fault], tried: Iterable[tuple[Verdict, Ended]]) -> int:
    """Print and count what ended badly, and each fault that was not seen to fire."""
    started = time.monotonic()
    bad = fired = 0
    codes = Counter[int]()
    for number, (verdict, ended) in enumerate(tried, 1):
        fired += bool(ended.struck)
        codes[ended.code] += 1
        if not ended.struck:
            print(f"NOT SEEN TO FIRE {verdict.where}")
        if verdict.faults:
            bad += 1
            print(f"BAD {verdict.where}", *verdict.faults, sep="\n    ")
        if number % 50 == 0 or number == len(listed):
            minutes = (time.monotonic() - started) / 60
            wrecks = len(list((_root / "tried").iterdir()))
            print(
                f"{number} of {len(listed)} faults, {fired} seen to fire, {bad} bad,"
                f" {wrecks} wrecks, {minutes:.1f} minutes; endings: {dict(codes)}"
            )
    return bad + len(listed) - fired


def _tried(made: Reference, every: int, workers: int | None) -> int:
    """Every fault of a step; counts bad endings."""
    global _made
    _made = made
    for name in ("tried", "whole"):
        shutil.rmtree(_root / name, ignore_errors=True)
        (_root / name).mkdir()
    remember(made.start)
    counts, listed = faults(every)
    print(f"{made.step.name}, {sum(counts.values())} calls:", dict(counts))
    with multiprocessing.get_context("fork").Pool(workers) as pool:
        return bad_endings(listed, pool.imap_unordered(_try_fault, listed))


def main() -> int:
    """Every fault at every call of each step; returns the exit code."""
    global _root
    parser = argparse.ArgumentParser(prog="tests.torture.syscalls", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="every Nth call only")
    parser.add_argument("--workers", type=int, help="processes; one for each core")
    take_steps(parser, KINDS, "of the scenario; one of each kind")
    asked = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if not shutil.which("strace"):
        print("strace is not installed, so no fault was tried")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        _root = Path(folder)
        made = play(_root, STEPS[: max(asked.steps) + 1])
        bad = sum(_tried(made[at], asked.every, asked.workers) for at in asked.steps)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
