"""Ledgers on the workers' own disks: which machine has which practice's ledger."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import write_text


@dataclass(frozen=True)
class Homes:
    """Practice to machine, and those whose machine has no worker tonight."""

    of: dict[str, str]
    away: dict[str, str]


def homes(file: Path, practices: Iterable[str], there: Mapping[str, int]) -> Homes:
    """Where each practice is billed: where it always was, else where there is most room.

    A new home is noted down before the first night, since a ledger must never be begun
    in a second place.
    """
    known = _read(file)
    room = Counter(dict.fromkeys(there, 0))
    for practice in practices:
        if known.get(practice) in there:
            room[known[practice]] += 1
    of, away = {}, {}
    for practice in practices:
        if practice not in known:
            machine = min(there, key=lambda name: (room[name] / there[name], name))
            room[machine] += 1
            known[practice] = machine
        if known[practice] in there:
            of[practice] = known[practice]
        else:
            away[practice] = known[practice]
    write_text(file, json.dumps(known, indent=1, sort_keys=True) + "\n")
    return Homes(of, away)


def _read(file: Path) -> dict[str, str]:
    """What is noted; a file that is there and cannot be read is for a person to mend."""
    if not file.exists():
        return {}
    from pipeline.problems import refused

    try:
        noted = json.loads(file.read_text(encoding="utf-8"))
        return {str(practice): str(machine) for practice, machine in noted.items()}
    except (ValueError, AttributeError):
        raise refused(
            f"group/{file.name}",
            "homes-unreadable",
            "which machine has which ledger cannot be read",
            "bring the file back from a copy, or write it anew: practice to machine",
        ) from None
