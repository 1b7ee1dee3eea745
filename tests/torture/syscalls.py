"""Faults below the program: the kernel refuses a call, or kills the process at it.

`python -m tests.torture.syscalls` runs one night under strace, once for each call that
writes and each way it can fail. Where there is no strace it says so and ends with 2.
"""

import argparse
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.torture.scenario import arguments
from tests.torture.trial import (
    Reference,
    Verdict,
    look_at_recovered,
    look_at_wreck,
    play,
    run,
)

CALLS = (
    "write", "pwrite64", "writev", "fsync", "fdatasync", "rename", "link", "ftruncate",
    "fallocate", "mkdir", "unlink",
)  # fmt: skip
FAULTS = ("error=EIO", "error=ENOSPC", "signal=KILL")

# A fault: which call, which of them, how it fails.
Fault = tuple[str, int, str]

_made: Reference
_root = Path()


def _strace(folder: Path, log: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """The step's command under strace."""
    command = [
        # With the filter only the calls that are named stop the program.
        "strace", "-f", "--seccomp-bpf", "-qq", "-o", str(log),
        "-e", f"trace={','.join(CALLS)}", *more,
        sys.executable, "-m", "pipeline", *arguments(_made.step, folder),
    ]  # fmt: skip
    quiet = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env=quiet
    )


def _count(root: Path) -> Counter[str]:
    """How often an undisturbed night makes each call."""
    folder = root / "counted"
    shutil.copytree(_made.start, folder)
    log = root / "counted.log"
    assert _strace(folder, log).returncode == _made.step.code
    calls = re.findall(r"^\d+ +(\w+)\(", log.read_text(encoding="utf-8"), re.MULTILINE)
    shutil.rmtree(folder)
    return Counter(calls)


def _try_fault(fault: Fault) -> tuple[Verdict, bool]:
    """One night with one fault, and the night after it; and whether the fault fired."""
    call, when, how = fault
    verdict = Verdict(f"{_made.step.name}: {call} {when} {how}")
    folder = _root / "-".join(("fault", call, str(when), how[-4:]))
    log = folder.with_suffix(".log")
    shutil.copytree(_made.start, folder)
    try:
        ended = _strace(folder, log, "-e", f"inject={call}:{how}:when={when}")
        text = log.read_text(encoding="utf-8")
        fired = "(INJECTED)" in text or "killed by SIGKILL" in text
        verdict.must("Traceback" not in ended.stderr, f"traceback: {ended.stderr}")
        verdict.must(
            ended.returncode in (0, 1, 4) or how == "signal=KILL",
            f"ended with {ended.returncode}: {ended.stderr}",
        )
        look_at_wreck(_made, folder, verdict)
        again = run(folder, arguments(_made.step, folder))
        verdict.must(again.code == 0, f"recovery ended with {again.code}: {again.said}")
        look_at_recovered(_made, folder, verdict, changed=False)
    except Exception as error:
        verdict.faults.append(f"{type(error).__name__}: {error}")
        fired = True
    finally:
        shutil.rmtree(folder)
        log.unlink(missing_ok=True)
    return verdict, fired


def main() -> int:
    """Every fault at every call; returns the exit code."""
    global _made, _root
    parser = argparse.ArgumentParser(prog="tests.torture.syscalls", description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="every Nth call only")
    asked = parser.parse_args()
    if not shutil.which("strace"):
        print("strace is not installed, so no fault was tried")
        return 2
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        _root = Path(folder)
        _made = play(_root, upto=2)[1]
        counts = _count(_root)
        print("calls of one night:", dict(counts))
        faults = [
            (call, when, how)
            for call, times in sorted(counts.items())
            for when in range(1, times + 1, asked.every)
            for how in FAULTS
        ]
        bad = fired = 0
        with multiprocessing.get_context("fork").Pool() as pool:
            for verdict, seen in pool.imap_unordered(_try_fault, faults):
                fired += seen
                if verdict.faults:
                    bad += 1
                    print(
                        f"BAD {verdict.where}",
                        *verdict.faults,
                        sep="\n    ",
                        flush=True,
                    )
    minutes = (time.monotonic() - started) / 60
    print(
        f"{len(faults)} faults, {fired} seen to fire, {bad} bad, {minutes:.1f} minutes"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
