"""A folder or a ledger whose name is no text is refused by its name, and never made."""

import os
from pathlib import Path

import practice
import pytest

from pipeline.folder_names import is_text, shown

CAFE = os.fsdecode(b"caf\xe9")


@pytest.mark.parametrize(
    ("name", "as_shown"),
    [
        ("clinic", "clinic"),
        ("Praxis Süd 東京", "Praxis Süd 東京"),
        ("two\nlines", "two\nlines"),
        (CAFE, r"caf\xe9"),
        (os.fsdecode(b"\xff/north"), r"\xff/north"),
        ("bell\x07", "bell?"),
    ],
)
def test_a_name_that_is_no_text_is_shown_as_one(name: str, as_shown: str) -> None:
    assert (is_text(name), shown(name)) == (name == as_shown, as_shown)


COMMANDS = [
    "bill", "check", "preview", "forecast", "invoices", "lines", "explain P1",
    "patient P1", "pdf INV-000001", "sent INV-000001 --to x --by mm",
    "credit INV-000001 --reason left --by mm", "close 2026-01 --by mm",
    "forget P1 --by mm", "export xero", "export data", "rebuild", "verify", "backup",
    "restore copy.duckdb",
]  # fmt: skip


def _is_refused(place: Path, *args: object) -> None:
    before = sorted(place.rglob("*"))
    told = practice.run(*args)
    assert told.code == 4
    assert r"caf\xe9" in told.err
    assert "the name is not written in UTF-8, or has control characters" in told.err
    assert "rename the folder" in told.err
    assert sorted(place.rglob("*")) == before


@pytest.mark.parametrize("typed", [*COMMANDS, "init", "group"])
def test_a_folder_whose_name_is_no_text_is_to_be_renamed(
    typed: str, tmp_path: Path
) -> None:
    command, *more = typed.split()
    if command != "init":
        practice.make(tmp_path / CAFE)
    _is_refused(tmp_path, command, tmp_path / CAFE, *more)


@pytest.mark.parametrize("typed", COMMANDS)
def test_so_is_a_folder_that_a_ledger_is_to_be_in(typed: str, tmp_path: Path) -> None:
    command, *more = typed.split()
    ledger = tmp_path / CAFE / "membill.duckdb"
    folder = practice.make(tmp_path / "clinic")
    _is_refused(tmp_path, command, folder, *more, "--ledger", ledger)


def test_so_are_folders_of_copies_and_of_a_groups_ledgers(tmp_path: Path) -> None:
    folder = practice.make(tmp_path / "clinic")
    _is_refused(tmp_path, "restore", folder, tmp_path / CAFE / "copy.duckdb")
    _is_refused(tmp_path, "group", tmp_path, "--ledgers", tmp_path / CAFE)
