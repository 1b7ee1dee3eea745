"""The sample night is what it was when somebody last read it line by line."""

from pathlib import Path

import pytest

from tests.golden import EXPECTED, listings
from tests.practice import Result


@pytest.fixture(scope="module")
def made(sample_night: tuple[Path, Result]) -> dict[str, str]:
    return listings(sample_night[0])


@pytest.mark.parametrize("name", sorted(file.name for file in EXPECTED.iterdir()))
def test_the_sample_night_is_as_expected(made: dict[str, str], name: str) -> None:
    assert made[name] == (EXPECTED / name).read_text(encoding="utf-8")


def test_nothing_expected_is_missing(made: dict[str, str]) -> None:
    assert sorted(made) == sorted(file.name for file in EXPECTED.iterdir())
