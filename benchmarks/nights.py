"""Times whole nights, as processes: `python -m benchmarks.nights [MEMBERS ...]`.

For each size: the first night (3 % due) and the next run of the same day (nothing due),
three of each, medians, with the peak memory of the process. Read ratios, not seconds.
"""

import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.make_practice import AS_OF

RUNS = 3


def night(folder: Path) -> float:
    """Seconds that one night takes, start of the program included."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pipeline", "bill", str(folder), "--as-of", str(AS_OF)],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def measure(members: int) -> tuple[float, float]:
    """Median seconds of a first night and of one with nothing due."""
    first, second = [], []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        subprocess.run(
            [sys.executable, "-m", "benchmarks.make_practice", place, str(members)],
            check=True,
        )
        for _ in range(RUNS):
            shutil.rmtree(folder / "ledger", ignore_errors=True)
            shutil.rmtree(folder / "out", ignore_errors=True)
            first.append(night(folder))
            second.append(night(folder))
    return statistics.median(first), statistics.median(second)


def main() -> None:
    """Print a table of nights by size."""
    sizes = [int(size) for size in sys.argv[1:]] or [100, 1_000, 10_000]
    print(
        "| members | due | first night (s) | nothing due (s) | peak memory so far (MB) |"
    )
    print("|---|---|---|---|---|")
    for members in sizes:
        first, second = measure(members)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        due = members * 3 // 100
        print(f"| {members:,} | {due:,} | {first:.1f} | {second:.1f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
