"""A few hundred changed files, always the same ones; `make fuzz` tries very many."""

import pytest

from tests.fuzz.runs import made, tried


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_hundred_changed_files_are_read_or_refused_in_our_own_words() -> None:
    found = [*tried("make test", range(200), timed=False)]
    assert len(found) == 200
    assert [find for find in found if find is not None] == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_changed_file_can_be_made_again_by_its_number() -> None:
    assert made("again", 7) == made("again", 7)
    assert len({made("again", number) for number in range(50)}) > 40
