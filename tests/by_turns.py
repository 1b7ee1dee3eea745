"""Two versions of DuckDB on one ledger: `python -m tests.by_turns OTHER_PYTHON`.

Both interpreters have the program and what it needs, the other another DuckDB. Each plays
the three months of the torture's practice alone, and both play them by turns. All four
ledgers must have the same head of their chains, and both must prove each of them in depth.
"""

import json
import subprocess
import sys
import tempfile
from itertools import cycle
from pathlib import Path

from tests import practice
from tests.torture.scenario import STEPS, arguments, beginning
from tests.torture.still import still

_VERSION = "import duckdb; print(duckdb.__version__)"


def play(folder: Path, pythons: list[str]) -> str:
    """Play every step by the next of the interpreters; returns the head of the chain."""
    practice.make(folder, beginning())
    for at, (step, python) in enumerate(zip(STEPS, cycle(pythons), strict=False)):
        code = _run(python, "step", str(at), str(folder))
        assert code == step.code, f"{step.name} ended with {code} by {python}"
    head = json.loads((folder / "ledger/head.json").read_text(encoding="utf-8"))
    return str(head["sha256"])


def _run(python: str, *args: str) -> int:
    return subprocess.run(
        [python, "-m", "tests.by_turns", *args], check=False
    ).returncode


def _step(at: int, folder: Path) -> int:
    step = STEPS[at]
    if step.edit:
        step.edit(folder)
    with still():
        return _shown(practice.run(*arguments(step, folder)), step.code)


def _shown(result: practice.Result, expected: int) -> int:
    if result.code != expected:
        print(result.out, result.err)
    return result.code


def main() -> int:
    """Play them all; returns the exit code."""
    ours, (theirs,) = sys.executable, sys.argv[1:]
    names = {
        python: subprocess.check_output([python, "-c", _VERSION], text=True).strip()
        for python in (ours, theirs)
    }
    bad, heads = 0, set()
    with tempfile.TemporaryDirectory() as base:
        for pythons in ([ours], [theirs], [ours, theirs], [theirs, ours]):
            title = " and ".join(names[python] for python in pythons)
            folder = Path(base) / title
            heads.add(play(folder, pythons))
            for python in names:
                proved = _run(python, "verify", str(folder)) == 0
                bad += not proved
                holds = "holds" if proved else "DOES NOT HOLD"
                print(f"made by {title}: {holds}, says {names[python]}", flush=True)
    print("one head" if len(heads) == 1 else f"{len(heads)} HEADS, which must be one")
    return 1 if bad or len(heads) > 1 else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["step"]:
        sys.exit(_step(int(sys.argv[2]), Path(sys.argv[3])))
    if sys.argv[1:2] == ["verify"]:
        sys.exit(_shown(practice.run("verify", Path(sys.argv[2]), "--deep"), 0))
    sys.exit(main())
