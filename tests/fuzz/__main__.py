"""Fuzzes the reading of workbooks and CSV: `python -m tests.fuzz --files N --seed S`.

Files are told apart by their number, so that a find can be made again alone with
`--from NUMBER --files 1` and the same seed.
"""

import sys
import tempfile
import time
import warnings
from argparse import ArgumentParser
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from os import cpu_count
from pathlib import Path

from tests.fuzz.runs import Find, tried

_BATCH = 250


def _finds(seed: str, start: int, count: int) -> tuple[int, list[Find]]:
    warnings.filterwarnings("ignore", "Duplicate name")
    results = [*tried(seed, range(start, start + count), timed=True)]
    return len(results), [find for find in results if find is not None]


def main() -> int:
    """Run, print what was found, and keep each file that was; 1 if there was any."""
    parser = ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=cpu_count() or 1)
    given = parser.parse_args()
    starts = range(given.first, given.first + given.files, _BATCH)
    counts = [min(_BATCH, given.first + given.files - start) for start in starts]
    started, done, finds = time.monotonic(), 0, 0
    kept = Path(tempfile.mkdtemp(prefix="membill-fuzz-found-"))
    with ProcessPoolExecutor(given.jobs) as pool:
        for count, found in pool.map(partial(_finds, given.seed), starts, counts):
            done += count
            finds += len(found)
            for find in found:
                path = kept / f"{find.number}-{find.file}"
                path.write_bytes(find.content)
                print(f"{path}: {find.why[:300]}", flush=True)
            if done % 1_000 < _BATCH:
                print(f"{done:,} files, {finds} found", file=sys.stderr, flush=True)
    minutes = (time.monotonic() - started) / 60
    print(f"{done:,} files of seed {given.seed}: {finds} found, {minutes:.1f} minutes")
    if not finds:
        kept.rmdir()
    return 1 if finds else 0


if __name__ == "__main__":
    sys.exit(main())
