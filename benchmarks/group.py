"""Times a group against a loop: `python -m benchmarks.group [PRACTICES [MEMBERS]]`.

The same practices are billed in a loop in one process, each in a process of its own, and
by `membill group` on one and on two workers; every way once for nothing due, too. CPU is
of all processes. Read ratios, not seconds.
"""

import contextlib
import ctypes
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.make_practice import PRACTICE_NAME, Spec, make
from benchmarks.roster import AS_OF

# A practice costs what it costs however many there are, in a loop and by itself.
LOOP, EACH = "loop, one process", "a process each"
MOST = {LOOP: 250, EACH: 20}
# One row in a hundred has a mistake and is held.
BILLED = (0, 3)


def make_group(root: Path, practices: int, members: int) -> None:
    """Practices of CSV sheets, each with a name and members of its own."""
    for number in range(practices):
        folder = root / f"region {number // 100:03}" / f"practice {number:05}"
        make(Spec(members, "csv", seed=number), folder)
        settings = folder / "settings.csv"
        text = settings.read_text(encoding="utf-8")
        named = text.replace(PRACTICE_NAME, f"Practice {number}")
        settings.write_text(named, encoding="utf-8")


def folders(root: Path) -> list[Path]:
    """The practices of a group, in order."""
    return sorted(path.parent for path in root.rglob("settings.csv"))


def loop(root: Path) -> None:
    """Bill one practice after the other in this process."""
    from click.testing import CliRunner

    from pipeline.__main__ import cli

    for folder in folders(root):
        arguments = ["bill", str(folder), "--as-of", str(AS_OF)]
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code in BILLED, done.stderr


def measured(arguments: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a process and of all that it started."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - started
    assert done.returncode in BILLED, arguments
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def ways(root: Path) -> dict[str, list[list[str]]]:
    """How the practices under `root` can be billed: the processes that it takes."""
    day = ["--as-of", str(AS_OF)]
    group = ["-m", "pipeline", "group", str(root), *day, "--workers"]
    return {
        LOOP: [["-m", "benchmarks.group", "loop", str(root)]],
        EACH: [
            ["-m", "pipeline", "bill", str(folder), *day] for folder in folders(root)
        ],
        "group, 1 worker": [[*group, "1"]],
        "group, 2 workers": [[*group, "2"]],
    }


def report(practices: int, members: int) -> None:
    """Print a table of ways, first nights and nights with nothing due."""
    # Workers' starters are nobody's children once a group is over: reap them here.
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    print(f"Practices of {members:,} members; per practice, in seconds:\n")
    print("| way | practices | first night, wall | CPU | nothing due, wall | CPU |")
    print("|---|---|---|---|---|---|")
    for way in ways(Path()):
        billed = min(practices, MOST.get(way, practices))
        with tempfile.TemporaryDirectory() as place:
            root = Path(place)
            make_group(root, billed, members)
            cells = []
            for _ in range(2):
                found = [measured(each) for each in ways(root)[way]]
                cells += [sum(each) / billed for each in zip(*found, strict=True)]
        shown = " | ".join(f"{cell:.2f}" for cell in cells)
        print(f"| {way} | {billed:,} | {shown} |", flush=True)


def main() -> None:
    """Measure, or be the loop that is measured."""
    if sys.argv[1:2] == ["loop"]:
        loop(Path(sys.argv[2]))
        return
    sizes = [int(size) for size in sys.argv[1:]]
    report(*(sizes + [60, 500][len(sizes) :]))


if __name__ == "__main__":
    main()
