"""Twenty practice-years, each night held against the second implementation.

`make simulate` lives a thousand, with other seeds; `--whole` leaves the shortcuts out.
"""

from pathlib import Path

import pytest

from tests.simulator.life import Life
from tests.simulator.machine import hurried

# Seeds, years, runs of the program in each of them, and what happens in such a life.
LIVES = [
    (214, 1, 6, "credits, to be billed again, sendings, backups, months closed"),
    (419, 1, 4, "previews, kills, kills at a restore, restores, backups"),
    (517, 6, 1, "clock jumps, refused: date, credits, previews"),
    (520, 6, 1, "refused: amount, kills at a credit, previews"),
    (714, 6, 1, "nights run twice, restores refused, previews"),
]


@pytest.mark.parametrize(("seed", "years", "runs", "happens"), LIVES)
def test_years_of_a_practice_keep_every_promise(
    seed: int, years: int, runs: int, happens: str, tmp_path: Path
) -> None:
    life = Life.begin(tmp_path / "practice", seed, members=3)
    with hurried():
        life.live(years, runs)
    assert life.tally["nights"] >= 4
    assert not [what for what in happens.split(", ") if not life.tally[what]]
