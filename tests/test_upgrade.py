"""A ledger tells its version: older ones are brought up to date, newer ones refused."""

from pathlib import Path

import pytest

from pipeline import ledger as module
from pipeline.ledger import create, opened
from pipeline.problems import Refused

STEP = "alter table ledger.about add column note varchar"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    ledger = tmp_path / "membill.duckdb"
    create(ledger)
    return ledger


@pytest.fixture
def next_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = module.SCHEMA_VERSION
    monkeypatch.setattr(module, "SCHEMA_VERSION", version + 1)
    monkeypatch.setattr(module, "UPGRADES", {**module.UPGRADES, version: (STEP,)})


def version_of(path: Path) -> int:
    with opened(path, write=False) as ledger:
        return int(ledger.value("select schema_version from ledger.about"))


@pytest.mark.usefixtures("next_version")
def test_an_older_ledger_is_brought_up_to_date_by_the_next_night(path: Path) -> None:
    with opened(path, write=True) as ledger:
        assert ledger.rows("select schema_version, note from ledger.about") == [
            {"schema_version": module.SCHEMA_VERSION, "note": None}
        ]
    assert version_of(path) == module.SCHEMA_VERSION


@pytest.mark.usefixtures("next_version")
def test_looking_never_changes_an_older_ledger(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(Refused, match="must first be brought up to date"):
        version_of(path)
    assert path.read_bytes() == before


def test_a_ledger_of_a_newer_program_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SCHEMA_VERSION", module.SCHEMA_VERSION - 1)
    with (
        pytest.raises(Refused, match="use the newer program"),
        opened(path, write=True),
    ):
        pass


def test_every_version_has_its_step_to_the_next() -> None:
    assert sorted(module.UPGRADES) == list(range(1, module.SCHEMA_VERSION))
