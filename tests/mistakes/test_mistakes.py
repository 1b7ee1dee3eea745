"""Each mistake of the catalogue, made in a real file, is told in full."""

from pathlib import Path

import pytest

from mistakes import trials
from mistakes.catalogue import CATALOGUE
from mistakes.mistake import Mistake
from mistakes.page import markdown

PAGE = Path(__file__).parents[2] / "docs/mistakes.md"


def _those(made: list[Mistake]) -> list[object]:
    return [pytest.param(m, id=f"{m.number} {m.what}") for m in made]


@pytest.mark.parametrize("mistake", _those([m for m in CATALOGUE if m.change]))
def test_a_mistake_in_a_file_is_told_in_full(mistake: Mistake, tmp_path: Path) -> None:
    said = trials.read(tmp_path, mistake)
    assert [told.replace(str(tmp_path), "FOLDER") for told in said] == [*mistake.told]


@pytest.fixture(scope="module")
def of_rows(tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[str]]:
    """What one check says of every mistake in a row."""
    return trials.rows(tmp_path_factory.mktemp("rows"))


FIRST_ROWS = trials.first_rows()


@pytest.mark.parametrize("mistake", _those([m for m in CATALOGUE if m.rows]))
def test_a_mistake_in_a_row_is_told_in_full(
    mistake: Mistake, of_rows: dict[int, list[str]]
) -> None:
    row = FIRST_ROWS[mistake.number]
    after = {f"r{count}": row + count for count in range(1, 9)}
    told = [line.format(r=row, **after) for line in mistake.told]
    assert sorted(of_rows[mistake.number]) == sorted(told)


def test_nothing_is_told_of_rows_without_a_mistake(
    of_rows: dict[int, list[str]],
) -> None:
    assert of_rows[0] == []


@pytest.mark.parametrize("mistake", _those([m for m in CATALOGUE if m.settings]))
def test_a_mistake_in_the_settings_is_told_in_full(
    mistake: Mistake, tmp_path: Path
) -> None:
    assert trials.with_settings(tmp_path, mistake) == [*mistake.told]


def test_what_is_seen_by_looking_back_is_told_in_full(tmp_path: Path) -> None:
    untouched, changed = trials.later(tmp_path)
    (old,) = [mistake for mistake in CATALOGUE if mistake.number == 24]
    assert {*old.told} <= {*untouched}
    told = [line for mistake in CATALOGUE if mistake.later for line in mistake.told]
    assert sorted(changed) == sorted(told)


def test_the_catalogue_is_whole_and_each_entry_is_made_in_one_way() -> None:
    assert [mistake.number for mistake in CATALOGUE] == [*range(1, 130)]
    for mistake in CATALOGUE:
        ways = [mistake.change, mistake.rows, mistake.settings, mistake.later]
        # That a file rests for months is tried with what is seen by looking back.
        made = sum(map(bool, ways)) + (mistake.number == 24)
        assert made == mistake.applies, mistake.number


def test_the_page_says_what_the_table_says() -> None:
    again = "python -m tests.mistakes > docs/mistakes.md"
    assert PAGE.read_text(encoding="utf-8") == markdown(), f"write it again: {again}"
