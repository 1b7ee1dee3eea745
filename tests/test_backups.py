"""A copy of the ledger: on disk and proved before it has its name, and what is kept."""

import os
import stat
from pathlib import Path

import pytest

from pipeline.copies import backups
from pipeline.copies.backups import (
    State,
    Unsound,
    backup,
    copy_to_backups,
    state,
    thin_out,
)
from pipeline.files import private_folder
from pipeline.ledger import opened
from pipeline.proof.soundness import checksum_of, matches, sha256_of

NAME = "2026-03-01-01"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, State]:
    """A ledger without a run, and what it held when it was closed."""
    path = private_folder(tmp_path_factory.mktemp("closed")) / "membill.duckdb"
    with opened(path, write=True) as ledger:
        held = state(ledger)
    return path.read_bytes(), held


@pytest.fixture
def path(closed: tuple[bytes, State], tmp_path: Path) -> Path:
    file = private_folder(tmp_path / "ledger") / "membill.duckdb"
    file.write_bytes(closed[0])
    checksum_of(file).write_text(f"{sha256_of(file)}  {file.name}\n")
    return file


def test_a_copy_by_hand_is_compared_cell_by_cell(closed: tuple[bytes, State]) -> None:
    assert closed[1].whole
    assert any(hashed for _, hashed in closed[1].contents.values()), "of the version"


def test_a_copy_is_on_disk_for_its_owner_alone_before_it_has_its_name(
    path: Path, closed: tuple[bytes, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = private_folder(path.parent / "backups")
    (folder / ".2026-02-28-01.duckdb.part").write_bytes(b"of a run that was killed")
    seen: list[tuple[int, list[str]]] = []

    def noting(handle: int) -> None:
        found = os.fstat(handle)
        names = [name for name in os.listdir(folder) if name[0] != "."]
        seen.append((found.st_size if stat.S_ISREG(found.st_mode) else 0, names))

    monkeypatch.setattr(os, "fsync", noting)
    before = os.umask(0o022)
    try:
        copy = copy_to_backups(path, closed[1], NAME)
    finally:
        os.umask(before)
    made = sorted(os.listdir(folder))
    assert made == [f"{NAME}.duckdb", f"{NAME}.duckdb.sha256"]
    assert seen[0] == (len(closed[0]), [])
    assert (seen[-1][0], sorted(seen[-1][1])) == (0, made)
    assert stat.S_IMODE(copy.file.stat().st_mode) == 0o600
    assert copy.file.read_bytes() == closed[0]
    assert matches(copy.file)


def test_a_ledger_whose_checksum_could_not_be_noted_is_copied_all_the_same(
    path: Path, closed: tuple[bytes, State]
) -> None:
    checksum_of(path).unlink()
    assert copy_to_backups(path, closed[1], NAME).file.read_bytes() == closed[0]


def test_a_ledger_that_changed_since_it_was_closed_is_not_copied(
    path: Path, closed: tuple[bytes, State]
) -> None:
    """Though all its rows are as they were."""
    path.write_bytes(closed[0] + bytes(16_384))
    later = checksum_of(path).stat().st_mtime_ns + 1  # finer than a disk's own clock
    os.utime(path, ns=(later, later))
    with pytest.raises(Unsound, match="not what it was when it was closed"):
        copy_to_backups(path, closed[1], NAME)


def test_a_disk_that_takes_half_a_copy_keeps_nothing_of_it(
    path: Path, closed: tuple[bytes, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(source: Path, draft: Path) -> None:
        draft.write_bytes(source.read_bytes()[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "bring_up", half)
    with pytest.raises(OSError, match="No space"):
        copy_to_backups(path, closed[1], NAME)
    assert os.listdir(path.parent / "backups") == []


def test_a_ledger_without_a_run_can_be_copied_by_hand(path: Path) -> None:
    (path.parent / "head.json").unlink(missing_ok=True)
    assert backup(path).name == "empty-by-hand.duckdb"


def test_a_copy_goes_also_where_its_checksum_is_gone(tmp_path: Path) -> None:
    for day in range(1, 32):
        for month in ("01", "03"):
            (tmp_path / f"2026-{month}-{day:02d}-01.duckdb").touch()
    gone = thin_out(tmp_path)
    assert sorted(file.name for file in gone) == [
        f"2026-01-{day:02d}-01.duckdb" for day in range(1, 28)
    ]
    assert not any(file.exists() for file in gone)


def test_a_copy_that_was_begun_is_left_alone_by_its_thread_before_it_is_made(
    path: Path, closed: tuple[bytes, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[bool] = []
    bring_up = backups.bring_up

    def noting(source: Path, draft: Path) -> None:
        running.append(not begun._stopped.is_set() or begun._thread.is_alive())
        bring_up(source, draft)

    monkeypatch.setattr(backups, "bring_up", noting)
    begun = backups.begin_copy(path)
    copy = copy_to_backups(path, closed[1], NAME, begun)
    begun.close()
    assert running == [False]
    assert copy.file.read_bytes() == closed[0]


def test_the_checksum_of_a_copy_is_the_ledgers_own_and_worked_out_once(
    path: Path, closed: tuple[bytes, State], monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = checksum_of(path).read_text().split()[0]
    monkeypatch.setattr(backups, "sha256_of", lambda _: pytest.fail("twice"))
    copy = copy_to_backups(path, closed[1], NAME)
    assert copy.sha256 == noted
    monkeypatch.undo()
    assert matches(copy.file)
