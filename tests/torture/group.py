"""Kills the workers of a group at random: `python -m tests.torture.group [PRACTICES]`.

Whoever holds a practice's lock is killed now and then, as often as it takes until the
group is through; then every ledger is proved, and its documents must be those of nights
that nobody disturbed. About a minute for a dozen practices on an idle machine.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from pipeline.ledger import ledger_path, opened
from pipeline.proof.verify import verify
from tests import practice

DAY = "2026-02-28"
FINE = (0, 3)


def make(root: Path, practices: int) -> list[Path]:
    """Small practices, each with a name and members of its own."""
    made = []
    for number in range(practices):
        folder = practice.make(root / f"practice {number:02}")
        practice.set_to(folder, "Practice name", f"Surgery {number}")
        more = [practice.member(f"Q{at}") for at in range(number + 10)]
        practice.add(folder, "patients", *more)
        made.append(folder)
    return made


def strike(folders: list[Path], over: threading.Event, struck: list[str]) -> None:
    """Kill whoever is at work on a practice, at moments nobody chose."""
    chance = random.Random(7)
    seen: set[tuple[str, int]] = set()
    while not over.wait(chance.uniform(0.05, 0.6)):
        for folder in folders:
            with suppress(OSError, ValueError, KeyError):
                holder = folder / "ledger/membill.lock.json"
                process = json.loads(holder.read_text(encoding="utf-8"))["process"]
                if (folder.name, process) in seen or process == os.getpid():
                    continue
                seen.add((folder.name, process))
                if chance.random() < 0.8:
                    time.sleep(chance.uniform(0, 1.5))
                    os.kill(process, signal.SIGKILL)
                    struck.append(folder.name)


def fired_at(root: Path, folders: list[Path]) -> tuple[int, list[str]]:
    """How many groups it took until one was left in peace, and whom it struck."""
    over, struck = threading.Event(), list[str]()
    killer = threading.Thread(target=strike, args=(folders, over, struck))
    killer.start()
    group = [sys.executable, "-m", "pipeline", "group", str(root), "--as-of", DAY]
    first = subprocess.run([*group, "--workers", "2"], check=False).returncode
    over.set()
    killer.join()
    again = first not in FINE
    if again:
        subprocess.run([*group, "--workers", "2"], check=True)
    return 1 + again, struck


def documents(folder: Path) -> dict[str, str]:
    """The invoice workbooks of a practice, by their bytes."""
    return practice.files(folder / "out" / "invoices")


def main() -> None:
    """Try, and end with 1 where anything differs."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    place = Path(tempfile.mkdtemp(prefix="membill-under-fire-"))
    folders = make(place / "group", number)
    alone = [
        Path(shutil.copytree(each, place / "alone" / each.name)) for each in folders
    ]
    for folder in alone:
        assert practice.bill(folder, DAY).code in FINE
    groups, struck = fired_at(place / "group", folders)
    wrong = []
    for folder, other in zip(folders, alone, strict=True):
        with opened(ledger_path(folder), write=False) as ledger:
            faults = [each.faults for each in verify(ledger, folder / "out")]
        if any(faults) or documents(folder) != documents(other):
            wrong.append(folder.name)
    print(f"{number} practices, {len(struck)} kills, {groups} groups, wrong: {wrong}")
    if wrong:
        sys.exit(f"kept in {place}")
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
