"""The ratios that were committed, and whether today's have fallen behind them.

A ratio is what a stage takes for each second of its floor, or the night for each second
of the script: seconds differ from machine to machine, ratios do so much less.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.measured import Measured

FILE = Path(__file__).parent / "committed.json"
MEMBERS, MONTHS = 20_000, 1
WHOLE = "the night against the script"

# By how much a ratio may be worse, and what is too short to be told apart from noise.
ALLOWED = 1.25
SHORTEST = 0.03


def ratios(measured: Measured) -> dict[str, float]:
    """What is compared: processor seconds, which other work on the machine moves least."""
    found = {
        name: measured.stages[name].used / floor.used
        for name, floor in measured.floors.items()
        if name in measured.stages and floor.used >= SHORTEST
    }
    if measured.script:
        found[WHOLE] = measured.night.used / measured.script.used
    return {name: round(ratio, 3) for name, ratio in found.items()}


def write(measured: Measured) -> None:
    """Take today's ratios as those to be held to."""
    text = json.dumps(ratios(measured), indent=2) + "\n"
    FILE.write_text(text, encoding="utf-8")


def falls(today: Mapping[str, float], file: Path = FILE) -> list[str]:
    """The ratios that are more than a quarter worse than committed, in words.

    One that was committed and is not measured any more is a fall as well.
    """
    before: dict[str, float] = json.loads(file.read_text(encoding="utf-8"))
    return [
        f"{name}: not measured any more; committed was {ratio}"
        if name not in today
        else f"{name}: {today[name]} times what it is compared with, committed was {ratio}"
        for name, ratio in before.items()
        if name not in today or today[name] > ratio * ALLOWED
    ]
