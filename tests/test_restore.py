"""Bringing a copy back: what is asked of it, and what becomes of what it replaces."""

import errno
import itertools
import json
import os
import shutil
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.copies import left_already, restore
from pipeline.files import private_folder
from pipeline.ledger import create, opened
from pipeline.problems import Refused
from pipeline.proof.soundness import checksum_of, matches, note_checksum
from pipeline.transaction import Unfinished
from tests.given import kept_ledger

CLOSED = (
    "insert into ledger.closed_months values"
    " (?, '2026-04-01', 'mm', 0, 0, 0, 0, 0, '', 1)"
)
ISSUED = (
    "insert into {}.invoices (number, kind, sequence, run_no, issued_on, due_on,"
    " membership, bill_to_name, currency, net, tax, gross, email) values ('INV-000001',"
    " 'invoice', 1, 1, ?, ?, true, '', 'GBP', 0, 0, 0, 'a@example.org')"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return private_folder(tmp_path / "ledger") / "membill.duckdb"


def _head(path: Path, **said: Any) -> None:
    text = json.dumps({"position": 1, **said})
    (path.parent / "head.json").write_text(text)


# Months that were closed since


@pytest.mark.parametrize(
    ("closed", "of_copy", "first", "months"),
    [
        pytest.param(None, [], None, [], id="no head file tells of any"),
        pytest.param("", [], None, [], id="none was closed"),
        pytest.param("2026-03", ["2026-02", "2026-03"], None, [], id="the copy closed it too"),
        pytest.param("2026-03", ["2026-04"], None, [], id="the copy closed more"),
        pytest.param("2026-03", ["2026-02"], None, ["2026-03"], id="one more"),
        pytest.param("2026-02", ["2025-11"], None, ["2025-12", "2026-01", "2026-02"],
                     id="several more, over the end of a year"),
        pytest.param("2026-03", [], "2026-02-28", ["2026-02", "2026-03"],
                     id="from the copy's first document on"),
        pytest.param("2026-03", [], "2026-04-01", ["2026-03"],
                     id="before its first document"),
        pytest.param("2026-03", [], None, ["2026-03"], id="a copy without documents"),
    ],
)  # fmt: skip
def test_months_are_open_again_that_were_closed_after_the_copy(
    closed: str | None,
    of_copy: list[str],
    first: str | None,
    months: list[str],
    path: Path,
) -> None:
    if closed is not None:
        _head(path, closed=closed)
    with kept_ledger() as books:
        for month in of_copy:
            books.connection.execute(CLOSED, [month])
        if first:
            books.connection.execute(ISSUED.format("ledger"), [first, first])
        assert restore._reopened(books, path) == months


@pytest.mark.parametrize(
    ("months", "refused", "told"),
    [
        ([], "", ""),
        (
            ["2026-03"],
            "2026-03 was closed after this copy was made, and would be open again; use a"
            " later copy; or bring it back with --adopt and close the month again at once",
            "2026-03 was closed after this copy was made and is open again: close it before"
            " anything else, and compare its seal",
        ),
        (
            ["2026-03", "2026-04"],
            "2026-03 and 2026-04 were closed after this copy was made, and would be open"
            " again; use a later copy; or bring it back with --adopt and close the months"
            " again at once",
            "2026-03 and 2026-04 were closed after this copy was made and are open again:"
            " close them, in this order, before anything else, and compare their seals",
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_months_that_are_open_again(
    months: list[str], refused: str, told: str
) -> None:
    said = ""
    try:
        restore._must_stay_closed(months, "it")
    except Refused as refusal:
        said = str(refusal)
    assert said == (f"it: {refused}" if refused else "")
    assert restore._open_again(months) == [told] * bool(told)


# What the world and the ledger that is replaced know


@pytest.mark.parametrize(
    ("last_number", "numbers"),
    [
        pytest.param(None, {"INV-000007"}, id="no head file"),
        pytest.param("", {"INV-000007"}, id="a head of before the first number"),
        pytest.param("INV-000009", {"INV-000007", "INV-000009"}, id="its last number"),
    ],
)
def test_numbers_are_in_the_world_that_a_workbook_or_the_head_tells(
    last_number: str | None, numbers: set[str], path: Path, tmp_path: Path
) -> None:
    if last_number is not None:
        _head(path, last_number=last_number)
    workbook = tmp_path / "out/invoices/2026/03/INV-000007.xlsx"
    workbook.parent.mkdir(parents=True)
    workbook.touch()
    assert restore._published(path, tmp_path / "out") == numbers


def test_a_head_that_tells_nothing_is_no_obstacle_and_one_that_may_tell_is(
    path: Path,
) -> None:
    """A damaged one says nothing any more; what may not be read may say a great deal."""
    head = path.parent / "head.json"
    head.write_text("nonsense")
    assert restore._head(path) is None
    head.unlink()
    head.mkdir()
    with pytest.raises(Refused, match="the file cannot be read"):
        restore._head(path)


Asks = Callable[[Path], object]


@pytest.mark.parametrize(
    ("asks", "answer"),
    [
        pytest.param(lambda path: restore._published(path, path / "none"), {"INV-000001"},
                     id="its numbers"),
        pytest.param(restore._emails, {"INV-000001": "a@example.org"}, id="its addresses"),
        pytest.param(
            lambda path: left_already._rows_of(path, "select number from ledger.invoices"),
            [{"number": "INV-000001"}], id="what left",
        ),
    ],
)  # fmt: skip
def test_a_killed_ledger_is_asked_and_stays_as_it_is(
    asks: Asks, answer: object, path: Path, tmp_path: Path
) -> None:
    """What it recorded last is in its log alone, which reading must not fold in."""
    made = private_folder(tmp_path / "killed") / path.name
    create(made)
    with duckdb.connect(str(made)) as connection:
        connection.execute(ISSUED.format("main"), [date(2026, 3, 1)] * 2)
        for name in os.listdir(made.parent):
            shutil.copy(made.parent / name, path.parent)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert len(before) == 2, "the ledger and its log"
    assert asks(path) == answer
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


# Made ready, and exchanged


def test_a_copy_is_made_ready_with_its_log_for_its_owner_alone(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier restore left there is gone before, and all of it afterwards."""
    monkeypatch.setattr(restore, "must_be_readable", lambda draft: None)
    for name in ("copy.duckdb", "copy.duckdb.wal"):
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(0o644)
    folder = private_folder(path.parent / "restoring")
    (folder / "left").touch()
    with restore._made_ready(path, tmp_path / "copy.duckdb"):
        made = {file.name: file for file in folder.iterdir()}
        assert {name: file.read_text() for name, file in made.items()} == {
            "membill.duckdb": "copy.duckdb", "membill.duckdb.wal": "copy.duckdb.wal",
        }  # fmt: skip
        assert {stat.S_IMODE(file.stat().st_mode) for file in made.values()} == {0o600}
    assert not folder.exists()


@pytest.mark.parametrize(
    ("itself", "checksum", "refused"),
    [
        pytest.param(False, None, False, id="a copy without a checksum"),
        pytest.param(False, "right", False, id="a copy as it was made"),
        pytest.param(False, "wrong", True, id="a copy that changed"),
        pytest.param(True, "wrong", False, id="the ledger itself, proved by its contents"),
    ],
)  # fmt: skip
def test_a_copy_must_be_as_it_was_made(
    itself: bool, checksum: str | None, refused: bool, path: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(restore, "must_be_readable", lambda draft: None)
    source = path if itself else tmp_path / "copy.duckdb"
    source.write_bytes(b"x")
    if checksum:
        note_checksum(source, "" if checksum == "right" else "0" * 64)
    said = ""
    try:
        with restore._made_ready(path, source):
            pass
    except Refused as refusal:
        said = refusal.problems[0].code
    assert said == ("copy-changed" if refused else "")


def test_a_damaged_copy_is_refused_by_its_own_name(path: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.duckdb").write_bytes(b"words")
    with (
        pytest.raises(Refused, match=r"^copy.duckdb: the file is damaged"),
        restore._made_ready(path, tmp_path / "copy.duckdb"),
    ):
        pytest.fail("it was made ready")


def _ready(path: Path) -> Path:
    draft = private_folder(path.parent / "restoring") / path.name
    draft.write_text("copy")
    _head(draft, closed="of the copy")
    return draft


def test_what_a_copy_replaces_is_kept_and_what_the_lost_nights_showed_with_it(
    path: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    for name in ("runs/kept/run.json", "runs/lost/run.json", "registers/2026-02.xlsx",
                 "registers/2026-03.xlsx"):  # fmt: skip
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(name)
    path.write_text("replaced")
    path.with_name("membill.duckdb.wal").write_text("its log")
    note_checksum(path)
    _head(path)
    (path.parent / "head.json").chmod(0o644)
    (path.parent / "proved.json").write_text("{}")
    draft = _ready(path)
    kept = restore._exchange(path, draft, out, {"runs/kept", "registers/2026-02.xlsx"})
    assert kept and kept.parent == path.parent / "replaced"
    found = {file.relative_to(kept).as_posix(): file for file in kept.rglob("*.*")}
    assert sorted(found) == [
        "head.json", "membill.duckdb", "membill.duckdb.sha256", "membill.duckdb.wal",
        "registers/2026-03.xlsx", "runs/lost/run.json",
    ]  # fmt: skip
    assert found["membill.duckdb"].read_text() == "replaced"
    assert stat.S_IMODE(found["head.json"].stat().st_mode) == 0o600
    shown = {file.relative_to(out).as_posix() for file in out.rglob("*.*")}
    assert shown == {"runs/kept/run.json", "registers/2026-02.xlsx"}
    assert sorted(os.listdir(path.parent)) == [
        "head.json", "membill.duckdb", "membill.duckdb.sha256", "replaced", "restoring",
    ]  # fmt: skip
    assert (path.read_text(), matches(path)) == ("copy", True)
    assert "of the copy" in (path.parent / "head.json").read_text()


def test_a_link_that_leads_nowhere_is_replaced_too_and_of_nothing_nothing_is_kept(
    path: Path, tmp_path: Path
) -> None:
    assert restore._exchange(path, _ready(path), tmp_path / "out", set()) is None
    for file in (path, checksum_of(path)):
        file.unlink()
    path.symlink_to(tmp_path / "nowhere")
    (path.parent / "head.json").unlink()
    kept = restore._exchange(path, _ready(path), tmp_path / "out", set())
    assert kept and (kept / path.name).is_symlink()
    assert path.read_text() == "copy" and not path.is_symlink()


@pytest.mark.parametrize("taken", [0, 1, 2])
@pytest.mark.parametrize("for_good", [False, True])
def test_of_files_that_a_disk_does_not_move_all_are_put_back(
    taken: int, for_good: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = [(tmp_path / f"from {at}", tmp_path / f"to {at}") for at in range(3)]
    for file, _ in moves:
        file.touch()
    replace, calls = os.replace, itertools.count()

    def failing(source: Path, target: Path) -> None:
        at = next(calls)
        if at == taken or (for_good and at > taken):
            raise OSError(errno.EIO, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    lost = for_good and taken > 0
    with pytest.raises(
        Unfinished if lost else OSError, match="kept" if lost else "Input"
    ):
        restore._move_all(moves, tmp_path / "kept")
    stayed = {file.name for file, to in moves if file.exists() and not to.exists()}
    assert stayed == {f"from {at}" for at in range(taken if lost else 0, 3)}


# All of it


def test_a_copy_takes_the_ledgers_place_unless_something_was_published_since(
    path: Path, tmp_path: Path
) -> None:
    out, copy = tmp_path / "out", private_folder(tmp_path / "copy") / "x.duckdb"
    with opened(copy, write=True):
        pass
    workbook = out / "invoices/2026/03/INV-000007.xlsx"
    workbook.parent.mkdir(parents=True)
    workbook.touch()
    with pytest.raises(Refused, match="there is no such file"):
        restore.restore(path, tmp_path / "none.duckdb", out)
    with pytest.raises(Refused, match="1 documents were published after this copy was"):
        restore.restore(path, copy, out)
    assert not path.exists() and not list((path.parent).glob("r*"))
    workbook.unlink()
    done = restore.restore(path, copy, out)
    assert done.kept is None
    assert done.adopted.numbers == []
    assert done.adopted.warnings == [
        "the copy is of before the first night: registers and lists are made by the next"
        " one"
    ]
    assert (path.parent / "head.json").exists()
    with opened(path, write=True) as ledger:
        assert ledger.last_run_no == 0


def test_a_copy_that_does_not_hold_what_it_promises_is_refused(
    path: Path, tmp_path: Path
) -> None:
    copy = private_folder(tmp_path / "copy") / "x.duckdb"
    with opened(copy, write=True):
        pass
    checksum_of(copy).unlink()
    with duckdb.connect(str(copy)) as connection:
        connection.execute("insert into counters values ('invoice', 7, '2026-03-01')")
    with pytest.raises(Refused, match=r"^x.duckdb: the ledger does not hold: "):
        restore.restore(path, copy, tmp_path / "out")
    assert not path.exists()
