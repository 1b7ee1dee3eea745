"""The sample night is what it was when somebody last read it line by line."""

from pathlib import Path

import pytest

from tests.golden import EXPECTED, listings


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return listings(Path(tmp_path_factory.mktemp("golden")) / "practice")


@pytest.mark.parametrize("name", sorted(file.name for file in EXPECTED.iterdir()))
def test_the_sample_night_is_as_expected(made: dict[str, str], name: str) -> None:
    assert made[name] == (EXPECTED / name).read_text(encoding="utf-8")


def test_nothing_expected_is_missing(made: dict[str, str]) -> None:
    assert sorted(made) == sorted(file.name for file in EXPECTED.iterdir())
