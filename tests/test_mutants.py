"""What is said of small changes of the rules is said of changes that there are."""

from pathlib import Path

import pytest

from tests.mutants.change import changes
from tests.mutants.equivalent import EQUIVALENT

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", EQUIVALENT)
def test_what_makes_no_difference_is_a_change_that_would_be_tried(name: str) -> None:
    assert EQUIVALENT[name].keys() <= {each.said() for each in changes(ROOT / name)}
