"""Two practice-years, each night held against the second implementation.

`make simulate` lives a thousand, with more nights in each and without the shortcuts.
"""

from pathlib import Path

import pytest

from tests.simulator.life import Life
from tests.simulator.machine import hurried

# Lives of a year, with the runs of the program in it and what happens in each.
LIVES = [
    (214, 6, {"credits", "to be billed again", "sendings", "backups", "months closed"}),
    (419, 4, {"previews", "kills", "kills at a restore", "restores", "backups"}),
]


@pytest.mark.parametrize(("seed", "runs", "happens"), LIVES)
def test_a_year_of_a_practice_keeps_every_promise(
    seed: int, runs: int, happens: set[str], tmp_path: Path
) -> None:
    life = Life.begin(tmp_path / "practice", seed, members=3)
    with hurried():
        life.live(years=1, runs_a_year=runs)
    assert life.tally["nights"] >= 4
    assert not [what for what in happens if not life.tally[what]]
