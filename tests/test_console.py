"""What a night says on the terminal of what it holds back."""

from pathlib import Path

import practice
from practice import member


def test_what_is_held_is_told_with_its_sum_where_that_is_known(tmp_path: Path) -> None:
    given = practice.sheets()
    given["patients"] = [member("P1", membership="GULD")]
    folder = practice.make(tmp_path, given)
    assert "\nHeld: 1, no amount known; see issues.xlsx\n" in held(folder)
    practice.add(folder, "patients", member("P2", last_name=""))
    assert "\nHeld: 2, £100.00 known; see issues.xlsx\n" in held(folder)


def held(folder: Path) -> str:
    """What a night on 28 February says."""
    return practice.bill(folder, "2026-02-28").out
