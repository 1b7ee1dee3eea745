"""The ledger file: made whole, one run's at a time, and on disk before it is shown."""

import errno
import json
import os
import shutil
import stat
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as arrow
import pytest

from pipeline import chain
from pipeline.connecting import SPILLED
from pipeline.files import private_folder
from pipeline.ledger import (
    RESTORING,
    Busy,
    Ledger,
    add_versions,
    create,
    current,
    let_go,
    locked,
    must_be_there,
    opened,
    settle,
)
from pipeline.problems import Refused
from pipeline.proof.soundness import log_of
from pipeline.record import add_run
from pipeline.transaction import transaction
from tests.given import ledger as in_memory

DAY = date(2026, 3, 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return private_folder(tmp_path / "ledger") / "membill.duckdb"


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """What lay in each folder when it was put on disk."""
    seen: list[list[str]] = []

    def noting(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            seen.append(sorted(os.listdir(handle)))

    monkeypatch.setattr(os, "fsync", noting)
    yield seen


def _ran(ledger: Ledger) -> None:
    with transaction(ledger) as run_no:
        add_run(ledger, run_no, f"{DAY}-{run_no:02d}", "bill", DAY, "0", {})


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of one run, to be copied and never changed."""
    place = private_folder(tmp_path_factory.mktemp("ran")) / "membill.duckdb"
    with opened(place, write=True) as ledger:
        _ran(ledger)
    return place


def test_one_at_a_time_works_on_a_practice_and_the_next_is_told_who(path: Path) -> None:
    place = path.parent / "of/another/practice.duckdb"
    before = os.umask(0o022)
    try:
        with (
            locked(place),
            pytest.raises(Busy, match=f"process {os.getpid()} on "),
            locked(place),
        ):
            pytest.fail("two at once")
    finally:
        os.umask(before)
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    with locked(place):
        pass


@pytest.mark.parametrize(
    ("number", "raised"), [(errno.ENOSYS, Refused), (errno.EIO, OSError)]
)
def test_where_a_disk_locks_nothing_nothing_else_is_taken_for_a_lock(
    number: int, raised: type[Exception], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", failing)
    with pytest.raises(raised), locked(path):
        pytest.fail("it was locked")


def test_a_run_that_fails_lets_the_next_one_work(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(path):
        raise ZeroDivisionError
    with locked(path):
        pass


def test_a_ledger_is_made_under_another_name_and_for_its_owner_alone(
    path: Path, synced: list[list[str]]
) -> None:
    for left in ("membill.draft", "membill.draft.wal"):  # by a run that was killed
        (path.parent / left).write_bytes(b"words")
    before = os.umask(0o022)
    try:
        create(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert synced == [["membill.duckdb"]]


@pytest.mark.parametrize("write", [True, False], ids=["to write", "to look"])
def test_what_a_killed_run_left_beside_the_ledger_is_swept_by_who_writes(
    write: bool, path: Path
) -> None:
    create(path)
    left = {".head.json.part", SPILLED, RESTORING}
    (path.parent / ".head.json.part").touch()
    for folder in (SPILLED, RESTORING):
        (private_folder(path.parent / folder) / "file").touch()
    with opened(path, write=write):
        assert left & {*os.listdir(path.parent)} == (set() if write else left)


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_text('{file}')",
        "select * from '{file}'",
        "copy (select 1) to '{file}'",
        "attach '{file}.duckdb' as another",
        "select * from rows_of_python",
        "set enable_external_access = true",
        "reset lock_configuration",
    ],
)
def test_sql_reaches_nothing_but_what_is_attached(
    statement: str, ran: Path, tmp_path: Path
) -> None:
    """Of a ledger that is there, and of one that is not there yet."""
    file = tmp_path / "file.csv"
    file.write_text("a\n1\n")
    rows_of_python = arrow.table({"a": [1]})
    for path in (ran, tmp_path / "none.duckdb"):
        with opened(path, write=False) as books, pytest.raises(duckdb.Error):
            books.connection.execute(statement.format(file=file))
    assert rows_of_python and file.read_text() == "a\n1\n"


def test_who_looks_is_told_of_a_link_too(path: Path, tmp_path: Path) -> None:
    create(tmp_path / "elsewhere.duckdb")
    path.symlink_to(tmp_path / "elsewhere.duckdb")
    with (
        pytest.raises(Refused, match="a link and not the ledger itself"),
        opened(path, write=False),
    ):
        pytest.fail("it was opened")


@pytest.mark.parametrize(
    ("there", "code"),
    [
        (None, "no-ledger"),
        ("head.json", "ledger-missing"),
        ("membill.duckdb.sha256", "ledger-missing"),
        ("backups/2026-03-01-01.duckdb", "ledger-missing"),
        ("backups/notes.txt", "no-ledger"),
        ("membill.duckdb", ""),
    ],
)
def test_a_ledger_that_is_gone_is_told_from_one_that_never_was(
    there: str | None, code: str, path: Path
) -> None:
    if there:
        (path.parent / there).parent.mkdir(exist_ok=True)
        (path.parent / there).touch()
    found = ""
    try:
        must_be_there(path)
    except Refused as refusal:
        found = refusal.problems[0].code
    assert found == code


# Key -> what was staged in three nights, where it was staged at all.
NIGHTS = {
    "as it was": ("a", "a", "a"),
    "changed": ("a", "b", "b"),
    "changed back": ("a", "b", "a"),
    "gone": ("a", None, None),
    "come back": ("a", None, "a"),
    "gone and kept": ("a", None, None),
    "new": (None, "a", "a"),
}


@pytest.mark.parametrize("known", [False, True], ids=["searched", "given"])
def test_of_a_versioned_table_only_what_differs_is_added(known: bool) -> None:
    in_force = current("ledger.things", "key") if known else ""
    with in_memory() as books:
        run = books.connection.execute
        run(
            "create table ledger.things (key text, cell text, run_no int, removed bool)"
        )
        for at in range(3):
            run("create or replace table staged.things (key text, cell text)")
            for key, cells in NIGHTS.items():
                if cells[at]:
                    run("insert into staged.things values (?, ?)", [key, cells[at]])
            add_versions(
                books, "ledger.things", "key", "staged.things", ["cell"],
                ["key", "cell"], at + 1, keep="before.key = 'gone and kept'",
                in_force=in_force,
            )  # fmt: skip
        added = books.rows("select * from ledger.things order by run_no")
        now = books.rows(f"select key, cell from ({current('ledger.things', 'key')})")
    versions: dict[str, list[tuple[int, str, bool]]] = {key: [] for key in NIGHTS}
    for row in added:
        versions[row["key"]].append((row["run_no"], row["cell"], row["removed"]))
    assert versions == {
        "as it was": [(1, "a", False)],
        "changed": [(1, "a", False), (2, "b", False)],
        "changed back": [(1, "a", False), (2, "b", False), (3, "a", False)],
        "gone": [(1, "a", False), (2, "a", True)],
        "come back": [(1, "a", False), (2, "a", True), (3, "a", False)],
        "gone and kept": [(1, "a", False)],
        "new": [(2, "a", False)],
    }
    assert {row["key"]: row["cell"] for row in now} == {
        "as it was": "a", "changed": "b", "changed back": "a", "come back": "a",
        "gone and kept": "a", "new": "a",
    }  # fmt: skip


def test_of_a_night_that_is_recorded_neither_sheets_nor_models_are_kept() -> None:
    with in_memory() as books:
        for place in (
            "tonight.staged",
            "tonight.input",
            "tonight.model",
            "baseline.main",
        ):
            books.connection.execute(f"create table {place}.kept as select 1")
        let_go(books)
        assert not books.rows("from duckdb_tables() where table_name = 'kept'")


def test_the_head_names_the_last_run_invoice_and_closed_month(tmp_path: Path) -> None:
    with in_memory() as books:
        kept = Ledger(books.connection, tmp_path / "membill.duckdb", False)
        settle(kept)
        head = json.loads((tmp_path / "head.json").read_text())
        assert head == {
            "run_no": 0, "run_id": "", "last_number": "", "closed": "", "position": 0,
            "sha256": chain.START,
        }  # fmt: skip
        _ran(kept)
        for kind, number, sequence in (
            ("invoice", "INV-000009", 9),
            ("invoice", "INV-000010", 10),
            ("credit_note", "CRN-000011", 11),
        ):
            books.connection.execute(
                "insert into ledger.invoices (number, kind, sequence, run_no, issued_on,"
                " due_on, membership, bill_to_name, currency, net, tax, gross)"
                " values (?, ?, ?, 1, ?, ?, true, '', 'GBP', 0, 0, 0)",
                [number, kind, sequence, DAY, DAY],
            )
        for month in ("2026-01", "2026-02"):
            books.connection.execute(
                "insert into ledger.closed_months values"
                " (?, '2026-04-01', 'mm', 0, 0, 0, 0, 0, '', 1)",
                [month],
            )
        settle(kept)
        head = json.loads((tmp_path / "head.json").read_text())
        link = chain.head(books.connection)
    assert head == {
        "run_no": 1, "run_id": "2026-03-01-01", "last_number": "INV-000010",
        "closed": "2026-02", "position": 1, "sha256": link.sha256,
    }  # fmt: skip


def test_a_run_is_in_the_file_and_on_disk_before_the_head_file_tells_of_it(
    path: Path, synced: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(path, write=True) as ledger:
        monkeypatch.setattr("pipeline.transaction.settle", lambda ledger: None)
        _ran(ledger)
        assert log_of(path).exists()
        (path.parent / "head.json").unlink()
        synced.clear()
        settle(ledger)
    assert synced[0] == ["membill.duckdb"]
    assert "head.json" in synced[1]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        pytest.param({}, "", id="its own"),
        pytest.param({"position": 0, "sha256": chain.START}, "", id="of before its run"),
        pytest.param({"position": 0}, "ledger-older-than-head", id="its link, of no run"),
        pytest.param({"sha256": chain.START}, "ledger-older-than-head",
                     id="its run, of no link"),
        pytest.param({"sha256": "0" * 64}, "ledger-older-than-head", id="another link"),
        pytest.param({"position": 2}, "ledger-older-than-head", id="a run it has not"),
        pytest.param({"position": "x"}, "head-unreadable", id="nonsense"),
        pytest.param(None, "head-missing", id="none"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("write", [True, False], ids=["to write", "to look"])
def test_a_ledger_is_opened_with_the_head_that_it_has_come_to(
    write: bool, said: dict[str, Any] | None, code: str, ran: Path, path: Path
) -> None:
    """Who only looks at one that has lost its head is told so by `verify` alone."""
    for file in ran.parent.iterdir():
        shutil.copy(file, path.parent)
    head = path.parent / "head.json"
    own = json.loads(head.read_text())
    if said is None:
        head.unlink()
    else:
        head.write_text(json.dumps(own | said))
    found = ""
    try:
        with opened(path, write=write):
            pass
    except Refused as refusal:
        found = refusal.problems[0].code
    assert found == ("" if said is None and not write else code)
    if write and not code:
        assert json.loads(head.read_text()) == own, "brought up to date"


@pytest.mark.parametrize("table", ["sendings", "accepted.staff"])
def test_a_ledger_without_one_of_its_tables_is_damaged(
    table: str, ran: Path, path: Path
) -> None:
    shutil.copy(ran, path)
    shutil.copy(ran.parent / "head.json", path.parent)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"drop table {table}")
    with (
        pytest.raises(Refused, match=f"has no table {table}"),
        opened(path, write=False),
    ):
        pytest.fail("it was opened")


def test_a_head_that_is_up_to_date_is_not_written_again(path: Path) -> None:
    head = path.parent / "head.json"
    with opened(path, write=True) as ledger:
        _ran(ledger)
    before = head.stat().st_ino
    with opened(path, write=True):
        pass
    assert head.stat().st_ino == before
