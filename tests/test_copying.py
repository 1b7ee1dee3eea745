"""A copy that is begun while the ledger is open, and brought up to it in the end."""

import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import duckdb
import practice
import pytest

from pipeline.copies import copying
from pipeline.copies.copying import Begun, Unsound, bring_up
from pipeline.proof import ending

BLOCK = 64
LEDGER = bytes(range(256)) * 3 + b"the last block is a short one"


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_BLOCK", BLOCK)
    monkeypatch.setattr(copying, "_PIECE", BLOCK)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "membill.duckdb"
    file.write_bytes(LEDGER)
    return file


def _but(at: int) -> bytes:
    return LEDGER[:at] + bytes([LEDGER[at] ^ 1]) + LEDGER[at + 1 :]


@pytest.mark.parametrize(
    "begun",
    [
        None, b"", LEDGER, LEDGER[:1], LEDGER[:BLOCK], LEDGER[: 3 * BLOCK + 5],
        LEDGER + b"more", LEDGER + bytes(3 * BLOCK), _but(0), _but(5 * BLOCK),
        _but(len(LEDGER) - 1), bytes(len(LEDGER)),
    ],
)  # fmt: skip
def test_whatever_was_begun_the_copy_is_the_ledger_byte_for_byte(
    begun: bytes | None, source: Path, tmp_path: Path
) -> None:
    draft = tmp_path / "draft"
    if begun is not None:
        draft.write_bytes(begun)
    bring_up(source, draft)
    assert draft.read_bytes() == LEDGER
    assert source.read_bytes() == LEDGER


def test_a_copy_is_its_owners_alone_from_the_start(
    source: Path, tmp_path: Path
) -> None:
    before = os.umask(0)
    try:
        bring_up(source, tmp_path / "draft")
        begun = Begun(source, tmp_path / "begun")
        begun._thread.join()
    finally:
        os.umask(before)
    for name in ("draft", "begun"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    begun.close()


def test_what_the_disk_does_not_give_back_is_no_copy(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = tmp_path / "draft"

    def losing(handle: int) -> None:
        os.pwrite(handle, b"?", 2 * BLOCK)

    monkeypatch.setattr(os, "fsync", losing)
    with pytest.raises(Unsound, match="not the same as the ledger, byte for byte"):
        bring_up(source, draft)


def test_a_copy_that_is_begun_is_all_of_it_and_goes_unless_it_got_a_name(
    source: Path, tmp_path: Path
) -> None:
    draft = tmp_path / "draft"
    begun = Begun(source, draft)
    begun._thread.join()
    assert draft.read_bytes() == LEDGER
    begun.close()
    assert not draft.exists()
    begun.close()


def test_a_draft_that_cannot_be_taken_away_harms_nothing(
    source: Path, tmp_path: Path
) -> None:
    """What it would raise would take the place of what the night has to say."""
    begun = Begun(source, tmp_path / "draft")
    begun.stop()
    begun.draft.unlink(missing_ok=True)
    begun.draft.mkdir()
    begun.close()
    assert begun._source.closed


@pytest.mark.parametrize("end", [Begun.stop, Begun.close])
def test_a_copy_that_is_stopped_is_written_to_no_more(
    end: Callable[[Begun], None],
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Begun] = []
    stopped = Event()

    def slow(_: Path) -> SimpleNamespace:
        while not made:
            time.sleep(0.01)
        if made[0]._stopped.wait(10):
            stopped.set()
        time.sleep(0.1)
        return SimpleNamespace(free=10**9)

    monkeypatch.setattr(shutil, "disk_usage", slow)
    written: list[int] = []
    monkeypatch.setattr(
        os, "fsync", lambda handle: written.append(os.fstat(handle).st_size)
    )
    made.append(Begun(source, tmp_path / "draft"))
    end(made[0])
    assert stopped.is_set()
    assert not made[0]._thread.is_alive()
    assert written == [0]
    made[0].close()
    assert made[0]._source.closed


def test_no_copy_is_begun_where_the_disk_has_no_room_to_spare(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free, there in ((3 * len(LEDGER), True), (3 * len(LEDGER) - 1, False)):
        room = SimpleNamespace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, room=room: room)
        begun = Begun(source, tmp_path / "draft")
        begun._thread.join()
        assert (tmp_path / "draft").exists() is there
        begun.close()


def test_a_draft_that_cannot_be_written_harms_nothing(
    source: Path, tmp_path: Path
) -> None:
    begun = Begun(source, tmp_path / "nowhere/draft")
    begun.stop()
    begun.close()


def test_the_database_keeps_its_lock_while_its_copy_is_begun(tmp_path: Path) -> None:
    """On POSIX a process that closes a file gives up every lock it has on it."""
    path = tmp_path / "membill.duckdb"
    other = (
        "import duckdb, sys\ntry:\n    duckdb.connect(sys.argv[1])\n"
        "except duckdb.IOException as error:\n"
        "    sys.exit('conflicting lock' in str(error).lower())\n"
    )
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table one as select 1")
        connection.execute("checkpoint")
        begun = Begun(path, tmp_path / "draft")
        begun.stop()
        looked = subprocess.run([sys.executable, "-c", other, path], check=False)
        assert looked.returncode == 1
    begun.close()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Begun]]:
    """Every ledger is a large one; the copies that were begun."""
    monkeypatch.setattr("pipeline.proof.verify.SMALL", 0)
    made, begin = [], ending.begin_copy

    def noted(path: Path) -> Begun:
        begun = begin(path)
        begun._thread.join()
        made.append(begun)
        return begun

    monkeypatch.setattr(ending, "begin_copy", noted)
    yield made
    assert not any(begun.draft.exists() for begun in made)


def test_the_copy_of_a_night_is_what_its_ledger_was_when_it_was_closed(
    first_night: Path, tmp_path: Path, large: list[Begun]
) -> None:
    clinic = practice.copied(first_night, tmp_path / "clinic")
    practice.add(clinic, "patients", practice.member("P9", start_date="2026-03-02"))
    backups = clinic / "ledger/backups"
    (backups / ".copy.part").write_bytes(b"of a night that was killed")
    assert practice.bill(clinic, "2026-03-02").code == 0
    assert len(large) == 1
    copy = backups / f"{practice.last_run(clinic)['run_id']}.duckdb"
    assert copy.read_bytes() == (clinic / "ledger/membill.duckdb").read_bytes()
    assert {file.name[0] for file in backups.iterdir()} <= {"2", "c"}
    assert practice.run("verify", clinic).code == 0


def test_a_night_that_ends_badly_leaves_nothing_of_the_copy_it_had_begun(
    first_night: Path,
    tmp_path: Path,
    large: list[Begun],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clinic = practice.copied(first_night, tmp_path / "clinic")
    before = sorted(os.listdir(clinic / "ledger/backups"))
    broken = [ending.Result("books hold", (1,), ["a fault"])]
    monkeypatch.setattr(ending, "night_holds", lambda *_, **__: broken)
    assert practice.bill(clinic, "2026-03-02").code == 1
    assert len(large) == 1
    assert sorted(os.listdir(clinic / "ledger/backups")) == before
