"""How long the office waits for a command: `python -m benchmarks.starts`.

The sample practice is billed once; then each command runs in a fresh process, all of them
in turn, several times, beside Python alone and Python importing the largest libraries.
`--write` puts the table of medians into the documentation.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import pages
from sample_data.practice import AS_OF

SAMPLE = Path(__file__).parent.parent / "sample_data"
WHO = ("--by", "mm", "--on", str(AS_OF))
COMMANDS: dict[str, Sequence[str]] = {
    "lines": (),
    "invoices": (),
    "explain": ("INV-000001",),
    "backup": (),
    "verify": (),
    "sent": ("INV-{run:06}", "--to", "by post", *WHO),
    "export": ("data",),
    "patient": ("P0001",),
    "check": ("--as-of", str(AS_OF)),
}
YARDSTICKS = {
    "Python alone": "pass",
    "importing DuckDB": "import duckdb",
    "importing pandas": "import pandas",
    "importing pandera, with pandas": "import pandera.pandas",
}


def main() -> None:
    """Run them all in turn and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    given = parser.parse_args()
    with TemporaryDirectory() as place:
        folder = Path(place) / "practice"
        folder.mkdir()
        for file in SAMPLE.glob("*.xlsx"):
            shutil.copy(file, folder)
        program = (sys.executable, "-m", "pipeline")
        _seconds((*program, "bill", str(folder), "--as-of", str(AS_OF)))
        calls: dict[str, tuple[str, ...]] = {
            f"`{name}`": (*program, name, str(folder), *more)
            for name, more in COMMANDS.items()
        }
        calls["`--help`"] = (*program, "--help")
        calls |= {
            name: (sys.executable, "-c", code) for name, code in YARDSTICKS.items()
        }
        seen: dict[str, list[float]] = {name: [] for name in calls}
        for run in range(1, given.runs + 1):
            for name, call in calls.items():
                seen[name].append(_seconds([word.format(run=run) for word in call]))
    table = _table({name: statistics.median(times) for name, times in seen.items()})
    print(table)
    if given.write:
        pages.put("starts", table)


def _seconds(call: Sequence[str]) -> float:
    """The wall time of a process, which must do what it was asked."""
    began = time.perf_counter()
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(call)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return time.perf_counter() - began


def _table(medians: dict[str, float]) -> str:
    rows = sorted(medians.items(), key=lambda row: row[1])
    listed = [f"| {name} | {seconds:.2f} |" for name, seconds in rows]
    return "\n".join(["| process | wall (s) |", "|---|---|", *listed])


if __name__ == "__main__":
    main()
