"""Twenty practice-years, each night held against the second implementation.

`make simulate` lives a thousand, with more nights in each and without the shortcuts.
"""

from pathlib import Path

import pytest

from tests.simulator.life import Life
from tests.simulator.machine import hurried


# Lives with power cuts, credits, copies and closed months in them, and short ones.
@pytest.mark.parametrize("seed", (0, 5, 11, 12, 15))
def test_four_years_of_a_practice_keep_every_promise(seed: int, tmp_path: Path) -> None:
    life = Life.begin(tmp_path / "practice", seed, members=3)
    with hurried():
        life.live(years=4, runs_a_year=1)
    assert life.tally["nights"] >= 3
