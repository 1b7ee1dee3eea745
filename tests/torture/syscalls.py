"""Faults below the program: the kernel refuses a call, or kills the process at it.

`python -m tests.torture.syscalls` lets one night run under strace for each call that
changes a disk and each way it can fail, and the night after it undisturbed. Where there
is no strace it says so and ends with 2.
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

from tests.torture.again import fingerprint_apart, look_once, run_once
from tests.torture.attached import Ended, Fault, night
from tests.torture.trial import Reference, Verdict, look_at_wreck, play, state

HOW = ("error=EIO", "error=ENOSPC", "signal=KILL")

_made: Reference
_root = Path()


def faults(every: int) -> tuple[Counter[str], list[Fault]]:
    """How often an undisturbed night makes each call; and each call failing in each way."""
    folder = Path(shutil.copytree(_made.start, _root / "undisturbed"))
    ended = night(_made, folder)
    assert ended.code == _made.step.code, ended.said
    shutil.rmtree(folder)
    counts = Counter(call.name for call in ended.calls)
    return counts, [Fault(call, how) for call in ended.calls[::every] for how in HOW]


def _try_fault(fault: Fault) -> tuple[Verdict, Ended]:
    """One night with one fault, and the night after it."""
    verdict, ended = Verdict(str(fault)), Ended(0, "")
    folder = Path(shutil.copytree(_made.start, _root / f"fault-{os.getpid()}"))
    try:
        ended = night(_made, folder, fault)
        for line in ended.struck:
            verdict.where += f"\n    {line.replace(str(folder), '')}"
        books, wrong = _recovery(folder)
        _look_at_end(ended, books, verdict)
        verdict.faults += wrong
    except Exception as error:
        verdict.faults.append(f"{type(error).__name__}: {error}")
    finally:
        shutil.rmtree(folder)
    return verdict, ended


def _look_at_end(ended: Ended, books: str, verdict: Verdict) -> None:
    """A night says in plain words what it came to, and it is true."""
    if ended.code == -signal.SIGKILL:
        return
    said = f"ended with {ended.code}: {ended.said}"
    verdict.must("Traceback" not in ended.said, said)
    verdict.must("fault of its own" not in ended.said, said)
    # Done, or recorded with something left to do; or refused.
    true = {0: "after", 1: "after", 4: "before"}
    verdict.must(true.get(ended.code) == books, f"the books are those {books}; {said}")


def _recovery(folder: Path) -> tuple[str, list[str]]:
    """Which books a wreck has, and what is wrong with it and after the next night.

    Of a wreck that was there before this is known.
    """
    mark = _root / "tried" / fingerprint_apart(folder)
    if not mark.exists():
        verdict = Verdict("")
        before = state(folder).lines == _made.before.lines
        look_at_wreck(_made, folder, verdict)
        code, said, _ = run_once(_made, folder)
        verdict.must(code == 0, f"recovery ended with {code}: {said}")
        look_once(_made, folder, verdict, _root / "whole")
        found = ["before" if before else "after", verdict.faults]
        mark.write_text(json.dumps(found), encoding="utf-8")
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


def main() -> int:
    """Every fault at every call; returns the exit code."""
    global _made, _root
    parser = argparse.ArgumentParser(prog="tests.torture.syscalls", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="every Nth call only")
    parser.add_argument("--workers", type=int, help="processes; one for each core")
    asked = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if not shutil.which("strace"):
        print("strace is not installed, so no fault was tried")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        _root = Path(folder)
        for name in ("tried", "whole"):
            (_root / name).mkdir()
        _made = play(_root, upto=2)[1]
        counts, listed = faults(asked.every)
        print("calls of one night:", dict(counts))
        with multiprocessing.get_context("fork").Pool(asked.workers) as pool:
            bad = bad_endings(listed, pool.imap_unordered(_try_fault, listed))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
