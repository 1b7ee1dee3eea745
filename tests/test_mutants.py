"""What is said of small changes of the rules is said of changes that there are."""

import pytest

from tests.mutants.__main__ import CONCERNS, concerns
from tests.mutants.change import ROOT, changes
from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.trial import module_of


@pytest.mark.parametrize("name", EQUIVALENT)
def test_what_makes_no_difference_is_a_change_that_would_be_tried(name: str) -> None:
    assert EQUIVALENT[name].keys() <= {each.said() for each in changes(ROOT / name)}


@pytest.mark.parametrize("name", CONCERNS)
def test_what_is_changed_is_a_part_of_the_program_with_tests(name: str) -> None:
    path = ROOT / name
    assert concerns(path)
    if path.suffix == ".py":
        assert module_of(path).__file__ == str(path)
