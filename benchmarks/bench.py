"""Times the night's stages, their floors and the script: `python -m benchmarks.bench`.

Everything runs in processes of its own, in turn, several times; medians count, and
ratios more than seconds. `--write` puts the tables and the chart into the documentation.
`--check` is the small run of `make bench-check`: see `benchmarks.committed`.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

# Nothing large is imported here: a child's peak memory would begin with this process's.
from benchmarks import committed, pages
from benchmarks.measured import Figures, Measured

AS_OF = "2026-03-20"
CACHE = Path(os.environ.get("TMPDIR", "/tmp")) / "membill-benchmarks"
FLOORS = (
    "start-up", "reading", "validation", "due, price and tax", "recording",
    "invoice workbooks", "register", "copy",
)  # fmt: skip


def main() -> None:
    """Measure what the command line asks for, print it, write or compare it."""
    given = _arguments()
    if given.growth is not None:
        table = pages.growth(_growth(given), given.runs)
        print(table)
        if given.write:
            pages.put("growth", table)
        return
    practice = (
        _practice(given.cache, committed.MEMBERS, "xlsx", committed.MONTHS, "3%")
        if given.check or given.commit
        else _practice(given.cache, given.members, given.form, given.months, given.due)
    )
    small = given.check or given.commit
    measured = measure(
        practice, given.runs, script=not given.no_script, again=not small
    )
    for name, text in pages.tables(measured).items():
        print(f"{text}\n")
        if given.write:
            pages.put(name, text)
    if given.write:
        pages.draw(measured)
    if given.commit:
        committed.write(measured)
    if given.check and (falls := committed.falls(committed.ratios(measured))):
        sys.exit("\n".join(falls))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--form", choices=("xlsx", "csv"), default="xlsx")
    parser.add_argument(
        "--months", type=int, default=36, help="of history in the ledger"
    )
    parser.add_argument("--due", default="3%", help="3%%, 1 or 12 (each)")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--cache", type=Path, default=CACHE, help="where practices are kept"
    )
    parser.add_argument("--no-script", action="store_true", help="leave by_hand out")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    parser.add_argument(
        "--check", action="store_true", help="against the committed ratios"
    )
    parser.add_argument(
        "--commit", action="store_true", help="take today's ratios as such"
    )
    parser.add_argument("--growth", nargs="*", metavar="MEMBERS-FORM-MONTHS",
                        help="nights of growing practices alone")  # fmt: skip
    return parser.parse_args()


def _practice(cache: Path, members: int, form: str, months: int, due: str) -> Path:
    """The folder of a made practice; it is made by a process of its own."""
    cache.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.make_practice", "--members", str(members),
         "--form", form, "--months", str(months), "--due", due, "--cache", str(cache)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return Path(made.stdout.strip())


@contextmanager
def _copied(practice: Path) -> Iterator[Path]:
    """A practice of our own to bill, on the same disk."""
    with TemporaryDirectory(dir=practice.parent) as place:
        ours = Path(place) / "practice"
        shutil.copytree(practice, ours, ignore=shutil.ignore_patterns("backups"))
        copies = Path("ledger/backups")
        if (practice / copies).is_dir():  # nothing writes to them: second names will do
            shutil.copytree(practice / copies, ours / copies, copy_function=os.link)
        yield ours


def run(
    command: Sequence[str], *, accepted: Sequence[int] = (0,)
) -> tuple[Figures, str]:
    """A module as a process: what it took, start included, and what it printed."""
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in accepted:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Figures(
        time.perf_counter() - started,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
    ), printed


def night(
    folder: Path, result: Path
) -> tuple[Figures, dict[str, dict[str, list[float]]]]:
    """One real night and its stages."""
    figures, _ = run(
        ["benchmarks.timed_night", str(result), str(time.time()), "bill", str(folder),
         "--as-of", AS_OF],
        accepted=(0, 3),
    )  # fmt: skip
    return figures, json.loads(result.read_text(encoding="utf-8"))


def measure(
    practice: Path, runs: int, *, script: bool = True, again: bool = True
) -> Measured:
    """Night, night with nothing due, script and floors, in turn; the medians."""
    nights, agains, scripts = [], [], []
    stages: dict[str, list[Figures]] = {}
    functions: dict[str, list[Figures]] = {}
    floors: dict[str, list[Figures]] = {}
    script = script and (practice / "patients.xlsx").exists()
    for _ in range(runs):
        with _copied(practice) as folder:
            figures, spent = night(folder, folder.parent / "stages.json")
            nights.append(figures)
            _note(figures, spent, stages, functions)
            if again:
                agains.append(night(folder, folder.parent / "stages.json")[0])
            if script:
                scripts.append(run(["benchmarks.by_hand", str(folder), AS_OF])[0])
            for name in FLOORS:
                floors.setdefault(name, []).append(_floor(name, folder))
    return Measured(
        practice.name,
        runs,
        _median(nights),
        _median(agains) if again else None,
        _median(scripts) if script else None,
        {name: _median(seen) for name, seen in stages.items()},
        {name: _median(seen) for name, seen in functions.items()},
        {name: _median(seen) for name, seen in floors.items()},
    )


def _note(
    whole: Figures,
    spent: dict[str, dict[str, list[float]]],
    stages: dict[str, list[Figures]],
    functions: dict[str, list[Figures]],
) -> None:
    """Sort one night's seconds; what no stage has is the rest."""
    known = [0.0, 0.0]
    for stage, parts in spent.items():
        sums = [sum(part[at] for part in parts.values()) for at in (0, 1)]
        stages.setdefault(stage, []).append(Figures(*sums))
        known = [known[0] + sums[0], known[1] + sums[1]]
        for function, figures in parts.items():
            functions.setdefault(f"{stage}: {function}", []).append(Figures(*figures))
    rest = Figures(max(0.0, whole.wall - known[0]), max(0.0, whole.used - known[1]))
    stages.setdefault("the rest", []).append(rest)


def _floor(name: str, folder: Path) -> Figures:
    with TemporaryDirectory(dir=folder.parent) as scratch:
        whole, printed = run(
            ["benchmarks.floors", name, str(folder), scratch, str(time.time())]
        )
    wall, used = json.loads(printed)
    return Figures(wall, used, whole.memory)


def _median(seen: Sequence[Figures]) -> Figures:
    return Figures(
        *(statistics.median(getattr(one, name) for one in seen)
          for name in ("wall", "used", "memory"))
    )  # fmt: skip


def _growth(given: argparse.Namespace) -> dict[str, tuple[Figures, Figures]]:
    """The first night and the next one, of practices named 100000-xlsx-36."""
    found = {}
    for asked in given.growth or pages.GROWTH:
        members, form, months = asked.split("-")
        practice = _practice(given.cache, int(members), form, int(months), given.due)
        first, again = [], []
        for _ in range(given.runs):
            with _copied(practice) as folder:
                first.append(night(folder, folder.parent / "stages.json")[0])
                again.append(night(folder, folder.parent / "stages.json")[0])
        found[asked] = (_median(first), _median(again))
    return found


if __name__ == "__main__":
    main()
