"""Copies of the ledger: made each night, thinned out, brought back with what came after."""

import csv
import errno
import hashlib
import json
import os
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import duckdb
import practice
import pytest
from practice import bill, member, run

from pipeline.bookkeeping.books import Document
from pipeline.connecting import looking_at
from pipeline.copies import adopt, backups, csv_copies
from pipeline.copies.backups import Copy, thin_out
from pipeline.copies.csv_copies import weekly
from pipeline.copies.lineage import must_be_the_same
from pipeline.copies.strangers import strangers
from pipeline.exports import invoice
from pipeline.exports.invoice_data import Unreadable, embedded, read_back
from pipeline.files import private_folder
from pipeline.ledger import opened
from pipeline.problems import Refused
from pipeline.proof import soundness
from pipeline.reading.package import unpack
from pipeline.record import run_id_of
from tests.given import ledger as in_memory
from tests.test_exports_invoice import document, line

FIRST, SECOND, THIRD = "2026-03-01", "2026-03-02", "2026-03-05"
BEFORE = "ledger/backups/2026-03-01-01.duckdb"
LOST = "2026-03-05-02"
ASKED = {
    "Request ID": "R1", "Patient ID": "P2", "Product code": "CONSULT",
    "Quantity": "2", "Requested on": SECOND, "Requested by": "dd",
}  # fmt: skip


@pytest.fixture(scope="module")
def after_first(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice after its first night."""
    return practice.copied(first_night, tmp_path_factory.mktemp("copies") / "clinic")


@pytest.fixture(scope="module")
def after_all(after_first: Path) -> Path:
    """Then an invoice to an employer and one asked for by hand, a credit note, a sending,
    and a night under a new name.
    """
    folder = practice.copied(after_first, after_first.parent / "later")
    employer = {"Code": "ACME", "Name": "Acme Ltd", "Combine invoices": "Yes"}
    practice.add(folder, "contacts", employer | {"Address line 2": "Unit 4"})
    practice.add(
        folder, "patients",
        member("P3", start_date=SECOND, bill_to="ACME"),
        member("P4", start_date=SECOND, bill_to="ACME"),
    )  # fmt: skip
    practice.add(folder, "invoice_requests", ASKED)
    assert bill(folder, SECOND).code == 0
    credit = run(
        "credit", folder, "INV-000004", "--reason", "left", "--by", "mm", "--on", SECOND
    )
    assert credit.code == 0
    with practice.unpublished():
        sent = ("INV-000001", "--to", "x@example.org", "--by", "mm")
        assert run("sent", folder, *sent, today=THIRD).code == 0
    practice.set_to(folder, "Practice name", "Harbour Lane and Partners")
    practice.add(folder, "patients", member("P5", start_date=THIRD))
    assert bill(folder, THIRD).code == 0
    return folder


@pytest.fixture
def clinic(after_first: Path, tmp_path: Path) -> Path:
    return practice.copied(after_first, tmp_path / "clinic")


@pytest.fixture
def later(after_all: Path, tmp_path: Path) -> Path:
    return practice.copied(after_all, tmp_path / "later")


# Made each night


def test_each_night_leaves_a_copy_that_only_this_account_can_read(
    after_all: Path,
) -> None:
    copies = after_all / "ledger/backups"
    made = sorted(file.name for file in copies.glob("*.duckdb"))
    assert made == [
        "2026-03-01-01.duckdb", "2026-03-02-01.duckdb", "2026-03-05-02.duckdb",
    ]  # fmt: skip
    assert {file.stat().st_mode & 0o777 for file in copies.glob("*.*")} == {0o600}
    last = (copies / made[-1]).read_bytes()
    assert last == (after_all / "ledger/membill.duckdb").read_bytes()


def test_a_refused_night_leaves_none_and_says_what_it_finished_first(
    clinic: Path,
) -> None:
    words = ("INV-000001", "--reason", "left", "--by", "mm", "--on", FIRST)
    with practice.unpublished():
        assert run("credit", clinic, *words).code == 0
    (clinic / "products.csv").unlink()
    told = bill(clinic, SECOND)
    assert told.code == 4
    left = (
        "Finished first what an earlier run left: credit 2026-03-01-02 (CRN-000001).\n"
    )
    assert told.err.startswith(left)
    assert list((clinic / "out/invoices").rglob("CRN-000001.xlsx"))
    assert len(list((clinic / "ledger/backups").glob("*.duckdb"))) == 1


def test_a_copy_that_cannot_be_made_is_a_warning_of_the_night(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "bring_up", full)
    done = bill(clinic, SECOND)
    assert done.code == 0
    assert done.err == (
        "Warning: no copy of the ledger was made tonight (No space left on device): make"
        " room and run `membill backup`\n"
    )
    assert sorted(f.name for f in (clinic / "ledger/backups").glob("*2026*")) == [
        "2026-03-01-01.duckdb", "2026-03-01-01.duckdb.sha256",
    ]  # fmt: skip


def test_a_copy_gets_its_name_only_once_it_is_proved(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync, says = os.fsync, "not the same as the ledger"

    def bad_disk(handle: int) -> None:
        if ".copy" in os.readlink(f"/proc/self/fd/{handle}"):
            os.truncate(handle, 16_384)
        sync(handle)

    monkeypatch.setattr(os, "fsync", bad_disk)
    done = bill(clinic, SECOND)
    assert done.code == 0
    assert says in done.err
    assert not list((clinic / "ledger/backups").glob("*2026-03-02*"))
    by_hand = run("backup", clinic)
    assert by_hand.code == 4
    assert says in by_hand.err


def test_35_days_and_24_months_are_kept_and_what_was_made_by_hand(
    tmp_path: Path,
) -> None:
    first = date(2023, 1, 1)
    days = [first + timedelta(days=5 * at) for at in range(160)]
    for day in days:
        for name in (f"{day}-02", f"{day}-02-2"):
            (tmp_path / f"{name}.duckdb").touch()
            (tmp_path / f"{name}.duckdb.sha256").touch()
    others = [
        "2023-01-01-01-by-hand.duckdb",
        "2023-01-01-01-by-hand-2.duckdb",
        "x.duckdb",
    ]
    for name in others:
        (tmp_path / name).touch()
    thin_out(tmp_path)
    kept = sorted(file.name for file in tmp_path.glob("*.duckdb"))
    months: dict[str, date] = {f"{day:%Y-%m}": day for day in days}
    last = {*days[-35:], *list(months.values())[-24:]}
    assert len(last) == 35 + 24 - 7, "seven months end among the days"
    assert kept == sorted([*(f"{day}-02-2.duckdb" for day in last), *others])
    sums = {file.name.removesuffix(".sha256") for file in tmp_path.glob("*.sha256")}
    assert sums == {name for name in kept if name not in others}
    assert thin_out(tmp_path) == []


def test_after_a_restore_a_night_keeps_its_copy_beside_those_of_runs_undone(
    clinic: Path,
) -> None:
    """Runs of the day that the restore undid count higher, and so may copies of later days."""
    backups = clinic / "ledger/backups"
    for end in (".duckdb", ".duckdb.sha256"):
        shutil.copy(backups / f"2026-03-01-01{end}", backups / f"2026-03-02-03{end}")
    with practice.unpublished():
        sent = ("INV-000001", "--to", "x@example.org", "--by", "mm")
        assert run("sent", clinic, *sent, today=SECOND).code == 0
    assert run("restore", clinic, clinic / BEFORE).code == 0
    practice.add(clinic, "patients", member("P3", start_date=SECOND))
    assert bill(clinic, SECOND).code == 0
    kept = "2026-03-02-01.duckdb"
    assert sorted(file.name for file in backups.glob("*.duckdb")) == [
        "2026-03-01-01.duckdb", kept,
    ]  # fmt: skip
    assert (backups / kept).read_bytes() == (
        clinic / "ledger/membill.duckdb"
    ).read_bytes()
    for day in range(36):
        (backups / f"{date(2027, 1, 1) + timedelta(days=day)}-01.duckdb").touch()
    for month in range(24):
        (backups / f"{2028 + month // 12}-{month % 12 + 1:02d}-01-01.duckdb").touch()
    assert thin_out(backups, backups / kept)
    assert (backups / kept).exists()
    thin_out(backups)
    assert not (backups / kept).exists()


def test_sendings_by_command_that_a_copy_has_not_are_named(clinic: Path) -> None:
    """Those of the sheet Sent are read again by the next night, and are no loss."""
    practice.add(
        clinic, "sent",
        {"Invoice number": "INV-000002", "Sent on": FIRST, "Sent to": "a@example.org",
         "Sent by": "dd"},
    )  # fmt: skip
    assert bill(clinic, SECOND).code == 0
    with practice.unpublished():
        for to in ("x@example.org", "y@example.org"):
            sent = ("INV-000001", "--to", to, "--by", "mm")
            assert run("sent", clinic, *sent, today=SECOND).code == 0
    told = run("restore", clinic, clinic / BEFORE)
    assert told.code == 0
    assert (
        "2 sendings recorded after this copy was made (INV-000001): record what was sent"
        " again with `membill sent`\n"
    ) in told.err
    assert "INV-000002" not in told.err
    shown = practice.last_run(clinic)["run_id"]
    assert shown == "2026-03-01-01", "the pages tell of the copy"
    again = run("restore", clinic, clinic / BEFORE)
    assert "recorded after this copy" not in again.err


def test_a_copy_made_by_hand_has_a_name_of_its_own(clinic: Path) -> None:
    folder = clinic / "ledger/backups"
    said = [run("backup", clinic).out for _ in range(2)]
    assert said == [
        f"checked copy: {folder / '2026-03-01-01-by-hand.duckdb'}\n",
        f"checked copy: {folder / '2026-03-01-01-by-hand-2.duckdb'}\n",
    ]


# Once a week, readable without DuckDB


def test_once_a_week_the_ledger_is_written_as_csv(after_all: Path) -> None:
    """On Sunday and on Monday, and not on the Thursday after."""
    folder = after_all / "ledger/backups/csv"
    assert sorted(d.name for d in folder.iterdir()) == [
        "2026-03-01-01",
        "2026-03-02-01",
    ]
    written = folder / "2026-03-02-01"
    with open(written / "lines.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [
        (r["number"], r["period_start"], r["gross"], r["membership"]) for r in rows
    ] == [
        ("INV-000001", "2026-01-31", "50.00", "true"),
        ("INV-000002", "2026-02-01", "550.00", "true"),
        ("INV-000003", "2026-02-28", "50.00", "true"),
        ("INV-000004", "", "170.00", "false"),
        ("INV-000005", "2026-03-02", "50.00", "true"),
        ("INV-000005", "2026-03-02", "50.00", "true"),
    ]
    assert "do not open them by a double click" in (written / "README.txt").read_text()
    assert {file.stem for file in written.glob("*.csv")} == {
        *csv_copies.TABLES, "files",
    }  # fmt: skip
    modes = {file.stat().st_mode & 0o777 for file in written.iterdir()}
    assert modes == {0o600}


def test_a_copy_as_csv_is_private_whatever_the_umask(clinic: Path) -> None:
    before = os.umask(0o022)
    try:
        written = weekly(_copy(clinic / BEFORE), "2026-05-04-01")
    finally:
        os.umask(before)
    assert written
    assert {file.stat().st_mode & 0o777 for file in written.iterdir()} == {0o600}


def test_eight_weeks_of_csv_are_kept(clinic: Path) -> None:
    copy = clinic / BEFORE
    (copy.parent / "csv/.2026-02-22-01.part").mkdir()  # of a run that was killed
    days = [date(2026, 3, 8) + timedelta(weeks=at) for at in range(9)]
    for day in days[:-2]:
        (copy.parent / f"csv/{day}-01").mkdir()
    assert all(weekly(_copy(copy), f"{day}-01") for day in days[-2:])
    assert weekly(_copy(copy), f"{days[-1]}-02") is None
    kept = sorted(folder.name for folder in (copy.parent / "csv").iterdir())
    assert kept == [f"{day}-01" for day in days[-8:]]


def _copy(file: Path) -> Copy:
    """A copy as the night hands it on, its tables cut where they are cut now."""
    with duckdb.connect(":memory:") as connection:
        connection.execute(f"attach '{file}' as ledger (read_only)")
        return Copy(file, "", soundness.parts(connection))


@pytest.fixture
def cut(
    after_all: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Path]:
    """The folder of copies and the last of them; CSV is cut after each second row."""
    for module in (soundness, csv_copies):
        monkeypatch.setattr(module, "ROWS_OF_A_PART", 2)
    copies = practice.copied(after_all, tmp_path / "clinic") / "ledger/backups"
    shutil.rmtree(copies / "csv")
    return copies, copies / "2026-03-05-02.duckdb"


WEEK, NEXT = "2026-05-04-01", "2026-05-11-01"


def _as_csv(file: Path, week: str) -> Path:
    folder = weekly(_copy(file), week)
    assert folder
    return folder


def _taken_over(one: Path, other: Path) -> set[str]:
    """The names under which both folders hold one and the same file."""
    shared = {file.name for file in one.iterdir()} & {f.name for f in other.iterdir()}
    return {name for name in shared if (one / name).samefile(other / name)}


def test_a_week_as_csv_takes_over_what_did_not_change(cut: tuple[Path, Path]) -> None:
    copies, last = cut
    first = _as_csv(copies / Path(BEFORE).name, WEEK)
    second = _as_csv(last, NEXT)
    same = _taken_over(first, second)
    assert {"invoices.csv", "closed_months.csv"} <= same
    assert not same & {"counters.csv", "files.csv", "README.txt", "invoices-2.csv"}
    rows = [
        list(csv.DictReader((second / f"lines{part}.csv").open(encoding="utf-8")))
        for part in ("", "-2", "-3", "-4")
    ]
    assert [len(part) for part in rows] == [2, 2, 2, 2]
    assert [row["number"] for part in rows for row in part] == [
        *(f"INV-00000{number}" for number in (1, 2, 3, 4, 5, 5)), "CRN-000001", "INV-000006",
    ]  # fmt: skip
    with open(second / "files.csv", encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    assert {row["file"] for row in listed} == (
        {file.name for file in second.glob("*.csv")} - {"files.csv"}
    )
    for row in listed:
        content = (second / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert len(list(csv.reader(content.decode().splitlines()))) == (
            int(row["rows"]) + 1
        )


def _in_it(sql: str) -> Callable[[Path, Path], None]:
    def change(last: Path, _: Path) -> None:
        with duckdb.connect(str(last)) as connection:
            connection.execute(sql)

    return change


@pytest.mark.parametrize(
    ("spoil", "file"),
    [
        (_in_it("update lines set patient_name = 'x' where line = 1"), "lines.csv"),
        (_in_it("alter table changes rename subject to whose"), "changes.csv"),
        (lambda _, week: _flip(week / "lines.csv"), "lines.csv"),
        (lambda _, week: (week / "lines.csv").unlink(), "lines.csv"),
        (lambda _, week: (week / "files.csv").unlink(), "lines.csv"),
        (lambda _, week: (week / "files.csv").write_text("no\\nlist"), "lines.csv"),
        (lambda _, week: (week / "files.csv").write_bytes(b"\\xff"), "lines.csv"),
    ],
    ids=[
        "pseudonyms", "other headings", "a bit turned round", "a file gone",
        "the list gone", "no list", "no text",
    ],
)  # fmt: skip
def test_what_is_no_longer_the_same_is_written_again(
    cut: tuple[Path, Path], spoil: Callable[[Path, Path], None], file: str
) -> None:
    _, last = cut
    first = _as_csv(last, WEEK)
    spoil(last, first)
    second = _as_csv(last, NEXT)
    assert file not in _taken_over(first, second)
    shutil.rmtree(first)
    written = {f.name: f.read_bytes() for f in second.glob("*.csv")}
    shutil.rmtree(second)
    afresh = _as_csv(last, NEXT)
    assert {f.name: f.read_bytes() for f in afresh.glob("*.csv")} == written


def test_a_copy_that_was_not_read_whole_makes_no_csv(cut: tuple[Path, Path]) -> None:
    assert weekly(Copy(cut[1], "", {}), WEEK) is None


def test_what_a_killed_run_laid_down_beside_the_copies_goes(clinic: Path) -> None:
    left = private_folder(clinic / "ledger/backups/.spilled") / "duckdb_temp_0.tmp"
    left.touch()
    assert run("backup", clinic).code == 0
    assert not left.parent.exists()


def test_without_links_every_file_is_written(
    cut: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _as_csv(cut[1], WEEK)
    monkeypatch.setattr(csv_copies.os, "link", _no_links)
    second = _as_csv(cut[1], NEXT)
    assert not _taken_over(first, second)
    assert (second / "lines.csv").read_bytes() == (first / "lines.csv").read_bytes()


def test_a_file_that_cannot_be_made_private_is_written_anew(
    cut: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _as_csv(cut[1], WEEK)
    monkeypatch.setattr(Path, "chmod", _no_links)
    second = _as_csv(cut[1], NEXT)
    assert not _taken_over(first, second)


def _no_links(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)


# Brought back


def _another_file(folder: Path, *statements: str) -> Path:
    """A database that somebody made to do harm, and that pretends to be a copy."""
    file = folder / "evil.duckdb"
    with duckdb.connect(str(file)) as connection:
        for statement in statements:
            connection.execute(statement)
    return file


@pytest.mark.parametrize(
    "made",
    [
        "create table \"x', 0, 0; copy (select 42 as a) to '{aim}'; select '\" (i int)",
        'create table """x; copy (select 42 as a) to \'{aim}\'; --" (i int)',
        "create view about as select content as schema_version from read_text('{aim}')",
        "create view invoices as select content as number from read_text('{aim}')",
    ],
    ids=["a quotation mark", "a double one", "a view instead of a table", "of numbers"],
)
@pytest.mark.damaged
@pytest.mark.parametrize("command", ["restore", "bill"])
def test_nothing_that_a_strange_ledger_holds_is_run_or_read(
    clinic: Path, made: str, command: str, tmp_path: Path
) -> None:
    aim = tmp_path / "aim"
    file = _another_file(tmp_path, made.format(aim=aim))
    if command == "restore":
        told = run("restore", clinic, file)
    else:
        ledger = clinic / "ledger/membill.duckdb"
        ledger.with_name("membill.duckdb.sha256").unlink()
        shutil.move(file, ledger)
        told = run(command, clinic)
    assert (told.code, aim.exists()) == (4, False), told
    assert "Traceback" not in told.err


def test_a_file_of_another_program_is_no_copy_and_nothing_is_fetched_for_it(
    clinic: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where DuckDB keeps what it fetches
    with closing(sqlite3.connect(tmp_path / "x.duckdb")) as other:
        other.execute("create table about (schema_version)")
        other.commit()
    told = run("restore", clinic, tmp_path / "x.duckdb")
    assert told.code == 4
    assert "the file is damaged or not a ledger" in told.err
    assert sorted(os.listdir(tmp_path)) == ["clinic", "x.duckdb"]


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to '{aim}'",
        "select * from read_text('{aim}')",
        "attach '{aim}' as other",
        "set enable_external_access = true",
        "install httpfs",
        "load httpfs",
    ],
)
def test_whoever_looks_at_a_copy_reaches_nothing_else(
    clinic: Path, statement: str, tmp_path: Path
) -> None:
    (tmp_path / "aim").touch()
    with looking_at(clinic / BEFORE) as copy, pytest.raises(duckdb.Error):
        copy.execute(statement.format(aim=tmp_path / "aim"))


Rows = tuple[list[dict[str, str]], list[dict[str, str]]]


def _rows(folder: Path) -> Rows:
    """Documents and lines as the commands list them, but for the run that made them and
    their sendings, which no workbook tells.
    """
    documents = practice.invoices(folder)
    for row in documents:
        row["status"] = {"sent": "unsent"}.get(row["status"], row["status"])
        row |= {"run_id": "", "sent_on": "", "sent_to": ""}
    return documents, run("lines", folder, "--format", "csv").rows


@dataclass(frozen=True)
class Adopted:
    """A practice brought back to its first night, what came after entered again, billed.

    The rows are those before, after, and after a night for a member more; `named` is the
    run that this night would have been, and the workbooks are those it left.
    """

    folder: Path
    refused: practice.Result
    done: practice.Result
    rows: list[Rows]
    named: str
    files: dict[str, str]


@pytest.fixture(scope="module")
def adopted(after_all: Path) -> Adopted:
    """The night takes the name of a lost one, as the program once did, and its letterhead
    is another.
    """
    folder = practice.copied(after_all, after_all.parent / "adopted")
    rows, files = [_rows(folder)], practice.files(folder / "out/invoices")
    refused = run("restore", folder, folder / BEFORE)
    done = run("restore", folder, folder / BEFORE, "--adopt")
    rows.append(_rows(folder))
    with opened(folder / "ledger/membill.duckdb", write=False) as ledger:
        named = run_id_of(ledger, date.fromisoformat(THIRD))
    practice.set_to(folder, "Bank details", "Sort 00-00-00")
    practice.add(folder, "patients", member("P6", start_date=THIRD))
    with pytest.MonkeyPatch.context() as patching:
        patching.setattr("pipeline.record.run_id_of", lambda *_: LOST)
        assert bill(folder, THIRD).code == 0
    made = practice.files(folder / "out/invoices")
    assert {name: made[name] for name in files} == files
    return Adopted(folder, refused, done, [*rows, _rows(folder)], named, made)


def test_what_was_published_since_is_entered_again_and_billing_goes_on(
    adopted: Adopted,
) -> None:
    assert adopted.refused.code == 4
    assert "4 documents were published after this copy was made" in adopted.refused.err
    assert "--adopt" in adopted.refused.err
    done = adopted.done
    assert (done.code, done.err) == (
        0,
        "Warning: 1 sending recorded after this copy was made (INV-000001): record what"
        " was sent again with `membill sent`\n",
    )
    assert "4 documents entered again: CRN-000001, INV-000004, INV-0" in done.out
    before, after, (documents, lines) = adopted.rows
    assert after == before
    made = [row for row in documents if row not in before[0]]
    assert [row["number"] for row in made] == ["INV-000007"]
    assert [row["patient_id"] for row in lines if row not in before[1]] == ["P6"]
    assert len(documents) == len(before[0]) + 1


def test_the_name_of_a_run_that_was_lost_is_given_to_no_other(adopted: Adopted) -> None:
    """Of that day one run is known again, the second; a sending had been the first."""
    assert adopted.named == "2026-03-05-03"


def test_the_runs_that_are_lost_are_kept_aside_and_named(adopted: Adopted) -> None:
    (kept,) = (adopted.folder / "ledger/replaced").iterdir()
    assert {file.name for file in kept.iterdir()} == {
        "head.json", "membill.duckdb", "membill.duckdb.sha256", "runs",
    }  # fmt: skip
    assert sorted(folder.name for folder in (kept / "runs").iterdir()) == [
        "2026-03-02-01", "2026-03-05-02",
    ]  # fmt: skip
    told = run("explain", adopted.folder, "INV-000006").out
    assert "made by run 2026-03-05-02-adopted (adopt, as of 5 March 2026" in told


def test_each_document_keeps_its_letterhead_though_its_run_was_lost_twice(
    adopted: Adopted, tmp_path: Path
) -> None:
    """Two runs have one name, and their invoices follow on each other."""
    runs = {row["number"]: row["run_id"] for row in practice.invoices(adopted.folder)}
    assert (runs["INV-000006"], runs["INV-000007"]) == (f"{LOST}-adopted", LOST)
    folder = practice.copied(adopted.folder, tmp_path / "twice")
    assert run("restore", folder, folder / BEFORE, "--adopt").code == 0
    shutil.rmtree(folder / "out/invoices")
    assert run("rebuild", folder).code == 0
    assert practice.files(folder / "out/invoices") == adopted.files, "to the byte"
    proved = run("verify", folder, "--deep")
    assert proved.code == 0, proved.out


def _edited(path: Path, part: str, change: Callable[[str], str]) -> None:
    """A part of a workbook changed, as somebody could by hand."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    assert change(parts[part].decode()) != parts[part].decode()
    parts[part] = change(parts[part].decode()).encode()
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)


INVOICE = "out/invoices/2026/03/INV-000005.xlsx"


@pytest.fixture(scope="module")
def harmed(after_all: Path) -> practice.Result:
    """Workbooks that cannot be entered again, each for another reason, and no ledger."""
    folder = practice.copied(after_all, after_all.parent / "harmed")
    place = folder / "out/invoices/2026/03"
    (place / "INV-000006.xlsx").rename(place / "CRN-000001.xlsx")
    (place / "INV-000004.xlsx").write_bytes(b"words")
    _edited(
        place / "INV-000005.xlsx", "docProps/custom.xml",
        lambda text: text.replace("100.00", "200.00"),
    )  # fmt: skip
    # Without the ledger nothing else knows what was given out.
    (folder / "ledger/membill.duckdb").unlink()
    return _refused_and_left_alone(folder)


def _refused_and_left_alone(folder: Path) -> practice.Result:
    before = practice.files(folder, but=("ledger/membill.lock.json",))
    refused = run("restore", folder, folder / BEFORE, "--adopt")
    assert refused.code == 4
    assert practice.files(folder, but=("ledger/membill.lock.json",)) == before
    return refused


@pytest.mark.damaged
@pytest.mark.parametrize(
    "says",
    [
        pytest.param(
            ["INV-000006 was given out, but its workbook is not in out/invoices"],
            id="the last workbook is gone",
        ),
        pytest.param(
            ["INV-000004.xlsx: INV-000004 cannot be entered again from its workbook: it"
             " cannot be opened"],
            id="a workbook is damaged",
        ),
        pytest.param(
            ["INV-000005 cannot be entered again from its workbook: its data were changed"],
            id="an amount in the data was changed",
        ),
        pytest.param(
            ["CRN-000001 cannot be entered again", "it is the workbook of INV-000006"],
            id="a workbook stands under another number",
        ),
    ],
)  # fmt: skip
def test_workbooks_that_cannot_be_entered_again_are_named_and_nothing_is_changed(
    says: list[str], harmed: practice.Result
) -> None:
    for words in says:
        assert words in harmed.err


@pytest.mark.damaged
def test_a_workbook_that_is_gone_between_two_others_is_named_and_nothing_is_changed(
    later: Path,
) -> None:
    (later / INVOICE).unlink()
    (later / "ledger/membill.duckdb").unlink()
    refused = _refused_and_left_alone(later)
    assert "INV-000006.xlsx: INV-000006 does not follow on invoice 4" in refused.err
    assert bill(later, THIRD).code == 4


@pytest.mark.damaged
def test_a_copy_that_changed_since_it_was_made_is_not_brought_back(
    clinic: Path,
) -> None:
    copy = clinic / BEFORE
    content = bytearray(copy.read_bytes())
    content[-5_000] ^= 1
    copy.write_bytes(content)
    refused = run("restore", clinic, copy)
    assert refused.code == 4
    assert "the copy is not as it was made; use another copy" in refused.err


@dataclass(frozen=True)
class HalfWay:
    """A page changed, a restore killed half way, given again, and the night after."""

    rows: list[Rows]
    between: practice.Result
    done: practice.Result
    night: practice.Result


@pytest.fixture(scope="module", params=[3])
def half_way(after_all: Path, request: pytest.FixtureRequest) -> HalfWay:
    """Killed after two runs and so many files were moved: checksum, ledger, the copy."""
    folder = practice.copied(after_all, after_all.parent / "half way")
    rows, left = [_rows(folder)], iter(range(request.param))
    _edited(
        folder / INVOICE, "xl/sharedStrings.xml",
        lambda text: text.replace("Acme Ltd", "Acme PLC"),
    )  # fmt: skip
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        next(left)
        real(source, target)

    with pytest.MonkeyPatch.context() as killing:
        killing.setattr("pipeline.copies.restore.os", SimpleNamespace(replace=replace))
        with pytest.raises(StopIteration):
            run("restore", folder, folder / BEFORE, "--adopt")
    between = bill(folder, THIRD)
    done = run("restore", folder, folder / BEFORE, "--adopt")
    night = bill(folder, THIRD)
    return HalfWay([*rows, _rows(folder)], between, done, night)


@pytest.mark.damaged
def test_a_restore_killed_half_way_gives_no_number_again(half_way: HalfWay) -> None:
    assert half_way.between.code == 4, half_way.between.err
    assert (half_way.done.code, half_way.night.code) == (0, 0)
    before, after = half_way.rows
    assert after == before


def test_a_copy_is_brought_back_where_out_lies_on_another_disk(
    later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "rename", other_disk)
    done = run("restore", later, later / BEFORE, "--adopt")
    assert done.code == 0, done.err
    assert not (later / "out/runs" / LOST).exists()
    (kept,) = (later / "ledger/replaced").glob(f"*/runs/{LOST}/run.json")
    assert kept.stat().st_mode & 0o777 == 0o600


def _failing(monkeypatch: pytest.MonkeyPatch, *times: int) -> None:
    """Of the moves that put a copy in the ledger's place these fail, counted from 1."""
    real, moves = os.replace, count(1)

    def replace(source: Path, target: Path) -> None:
        if next(moves) in times:
            raise OSError(errno.EIO, "Input/output error", str(source))
        real(source, target)

    monkeypatch.setattr("pipeline.copies.restore.os", SimpleNamespace(replace=replace))


@pytest.mark.parametrize(
    "at", [1, 2, 3, 4], ids=["the checksum", "the ledger", "the copy", "the head file"]
)
def test_the_ledger_is_put_back_where_the_disk_fails_a_restore(
    clinic: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    notes = ("membill.lock.json", "proved.json")
    before = practice.files(clinic / "ledger", but=notes)
    _failing(monkeypatch, at)
    told = run("restore", clinic, clinic / BEFORE)
    assert told.code == 4
    assert "could not be read or written (Input/output error)" in told.err
    after = practice.files(clinic / "ledger", but=notes)
    kept = {name for name in after if name.startswith("replaced/")}
    assert {name: after[name] for name in after.keys() - kept} == before
    assert {name.rpartition("/")[2] for name in kept} == {"head.json"}
    assert run("verify", clinic).code == 0


def test_where_the_ledger_cannot_be_put_back_it_is_said_where_it_is(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as disk:
        _failing(disk, 3, 4)
        told = run("restore", clinic, clinic / BEFORE)
    (kept,) = (clinic / "ledger/replaced").iterdir()
    assert (told.code, told.err) == (
        1,
        "The disk failed while the copy took the ledger's place; what was there is kept"
        f" as {kept}. See that the disk is in order, then give the command again.\n",
    )
    assert (kept / "membill.duckdb").exists()
    assert run("restore", clinic, clinic / BEFORE).code == 0
    assert run("verify", clinic).code == 0


@pytest.mark.parametrize(
    "failing",
    [(3, 4), (4, 5)],
    ids=["before the copy is in", "before its head file is"],
)
def test_a_restore_given_again_knows_what_the_first_one_put_aside(
    clinic: Path, monkeypatch: pytest.MonkeyPatch, failing: tuple[int, ...]
) -> None:
    sent = ("INV-000001", "--to", "x@example.org", "--by", "mm")
    assert run("sent", clinic, *sent, today=THIRD).code == 0
    with monkeypatch.context() as disk:
        _failing(disk, *failing)
        assert run("restore", clinic, clinic / BEFORE).code == 1
    again = run("restore", clinic, clinic / BEFORE)
    assert again.code == 0
    assert "1 sending recorded after this copy was made (INV-000001)" in again.err
    once_more = run("restore", clinic, clinic / BEFORE)
    assert "recorded after this copy" not in once_more.err


@pytest.mark.parametrize("nights", [0, 1], ids=["at once", "after a night"])
def test_what_a_restore_did_not_come_to_tell_is_told_by_the_next(
    clinic: Path, monkeypatch: pytest.MonkeyPatch, nights: int
) -> None:
    """Until something is recorded: then it may have been done already."""
    sent = ("INV-000001", "--to", "x@example.org", "--by", "mm")
    assert run("sent", clinic, *sent, today=THIRD).code == 0
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as ended:
        # As a kill would, once the copy is in its place.
        ended.setattr("pipeline.copies.restore.publish", Mock(side_effect=full))
        assert run("restore", clinic, clinic / BEFORE).code == 1
    for _ in range(nights):
        assert bill(clinic, THIRD).code == 0
    told = "1 sending recorded after this copy was made (INV-000001)"
    again = run("restore", clinic, clinic / BEFORE)
    assert again.code == 0
    assert (told in again.err) == (nights == 0)
    once_more = run("restore", clinic, clinic / BEFORE)
    assert told not in once_more.err
    assert not (clinic / "ledger/restored.json").exists()


def test_a_restore_that_finds_no_room_afterwards_says_that_the_copy_is_in_place(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("pipeline.copies.restore.sync_folder", full)
        told = run("restore", clinic, clinic / BEFORE)
    assert (told.code, told.err) == (
        1,
        "The copy is in the ledger's place, but the disk would take no more: files made"
        " from it may be missing. See that there is room, then give the command again.\n",
    )
    assert run("restore", clinic, clinic / BEFORE).code == 0
    assert run("verify", clinic).code == 0


@pytest.mark.damaged
def test_a_page_that_was_changed_is_entered_by_its_data_and_told_of(
    half_way: HalfWay,
) -> None:
    assert half_way.done.code == 0
    assert (
        "INV-000005 as it was made, but is not the file that was published"
        in half_way.done.err
    )
    told = "Warning: invoices/2026/03/INV-000005.xlsx is already there"
    assert told in half_way.night.err


# What a workbook carries


def test_a_workbook_carries_its_document_and_no_more_of_a_person_than_its_page() -> (
    None
):
    told = document(line(healthcode_code="X123"), email="a@example.org")
    back = read_back(unpack(invoice.render(told)).properties)
    assert back == replace(told, email="")
    carried = "".join(embedded(told).values())
    assert "a@example.org" not in carried
    assert "X123" in carried
    to_contact = document(
        line(healthcode_code="X123"), bill_to="ACME", reason="in hospital"
    )
    carried = "".join(embedded(to_contact).values())
    assert "X123" not in carried
    assert "hospital" not in carried
    assert read_back(embedded(to_contact)).reason == ""


def test_long_and_strange_text_comes_back_as_it_was() -> None:
    strange = '  = Zoë \u200d & <b> " \\ ' + " " * 200 + "end" * 200
    told = document(*(line(number, description=strange) for number in (1, 2)))
    properties = unpack(invoice.render(told)).properties
    assert max(map(len, properties.values())) <= 255
    assert read_back(properties) == told


def test_an_invoice_of_more_than_ten_thousand_pieces_comes_back() -> None:
    told = document(*(line(number, description="x" * 5_000) for number in range(500)))
    properties = embedded(told)
    assert "data_10000" in properties
    assert read_back({**properties, "data_note": "by staff", "7": "too"}) == told


def test_data_of_another_version_are_not_guessed_at() -> None:
    text = json.dumps({"format": 2})
    digest = hashlib.sha256(text.encode()).hexdigest()
    with pytest.raises(Unreadable, match="of another version of the program"):
        read_back({"data_sha256": digest, "data_0001": text})
    with pytest.raises(Unreadable, match="carries no data"):
        read_back({})


def test_a_workbook_whose_lines_do_not_add_up_to_it_is_not_entered(
    tmp_path: Path,
) -> None:
    file = tmp_path / "INV-000001.xlsx"
    file.write_bytes(invoice.render(document()))
    assert adopt._document("INV-000001", file)[0] == document()
    file.write_bytes(invoice.render(replace(document(), gross=Decimal("50.00"))))
    with pytest.raises(Unreadable, match="its lines do not add up to it"):
        adopt._document("INV-000001", file)


def test_no_document_is_entered_that_is_dated_before_the_number_before_it() -> None:
    later = {"number": "INV-000002", "sequence": 2, "issued_on": date(2026, 2, 28)}
    with in_memory() as books, pytest.raises(Refused, match="dated before the number"):
        adopt._must_follow_on(books, [document(sequence=1), document(**later)])


def test_a_month_closed_again_after_its_documents_were_entered_has_the_same_seal(
    later: Path,
) -> None:
    april, by = "2026-04-02", ("--by", "mm")
    words = ("INV-000001", "--reason", "left", *by)
    assert run("credit", later, *words, today="2026-03-31").code == 0
    closed = run("close", later, "2026-03", *by, today=april)
    assert "the last night was of 5 March 2026: what is due after it" in closed.out
    done = run("restore", later, later / BEFORE, "--adopt", today=april)
    assert done.code == 0, done.err
    again = run("close", later, "2026-03", *by, today=april)
    assert (again.code, again.out.splitlines()[:2]) == (0, closed.out.splitlines()[:2])
    assert run("verify", later, "--deep").code == 0


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A copy of before the first night."""
    path = private_folder(tmp_path / "empty") / "membill.duckdb"
    with opened(path, write=True):
        pass
    return path


@pytest.fixture(scope="module")
def closed(after_first: Path) -> Path:
    """Three months closed after the first night, with a copy after the first of them."""
    folder = practice.copied(after_first, after_first.parent / "closed")
    for month in ("2026-03", "2026-04", "2026-05"):
        done = run("close", folder, month, "--by", "mm", today="2026-06-02")
        assert done.code == 0, done.err
        if month == "2026-03":
            assert run("backup", folder).code == 0
    return folder


def test_every_month_that_was_closed_since_is_named(
    closed: Path, empty: Path, tmp_path: Path
) -> None:
    """Those after the copy's last closed month, or from its first document on."""
    folder = practice.copied(closed, tmp_path / "clinic")
    refused = run("restore", folder, folder / BEFORE)
    assert (
        "2026-03, 2026-04 and 2026-05 were closed after this copy was made, and would be"
        " open again; use a later copy; or bring it back with --adopt and close the months"
        " again at once"
    ) in refused.err
    assert "2026-05 was closed after this" in run("restore", folder, empty).err
    (second,) = (folder / "ledger/backups").glob("*by-hand.duckdb")
    refused = run("restore", folder, second)
    assert "2026-04 and 2026-05 were closed after this copy was made" in refused.err


# Another practice's


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another practice with the same prefix, ids of its own making and a patient P1."""
    sheets = practice.sheets()
    sheets["patients"] = [
        member("P1", last_name="Ashgrove"),
        member("Q2", first_name="Ivo", last_name="Mossop"),
        member("Q3", first_name="Una", last_name="Mossop"),
    ]
    folder = practice.make(tmp_path_factory.mktemp("neighbour") / "clinic", sheets)
    practice.set_to(folder, "Practice name", "Mill Road Clinic")
    assert bill(folder, FIRST).code == 0
    return folder


def test_what_another_practice_published_is_not_entered(
    neighbour: Path, clinic: Path
) -> None:
    for number in ("INV-000004", "INV-000005", "INV-000006"):
        (file,) = (neighbour / "out/invoices").rglob(f"{number}.xlsx")
        shutil.copy(file, clinic / "out/invoices/2026/03")
    assert bill(clinic, SECOND).code == 4
    before = practice.files(clinic, but=("ledger/membill.lock.json",))
    refused = run("restore", clinic, clinic / BEFORE, "--adopt")
    assert refused.code == 4
    for number in ("INV-000004", "INV-000005", "INV-000006"):
        assert (
            f"out/invoices/2026/03/{number}.xlsx: {number} is headed Mill Road Clinic, as"
            " this practice never was in the copy, and of its patients the copy knows none"
        ) in refused.err
    assert "move it out of out/invoices if it is another practice's" in refused.err
    assert practice.files(clinic, but=("ledger/membill.lock.json",)) == before


def test_what_a_renamed_practice_published_is_entered_where_something_tells_it(
    later: Path,
) -> None:
    """Its new name stands on one invoice, for a patient who came after the copy."""
    (later / "ledger/membill.duckdb").unlink()
    practice.set_to(later, "Practice name", "Renamed Once More")
    refused = run("restore", later, later / BEFORE, "--adopt")
    assert refused.code == 4
    assert "INV-000006 is headed Harbour Lane and Partners" in refused.err
    assert "INV-000005" not in refused.err
    practice.set_to(later, "Practice name", "Harbour Lane  and partners")
    assert run("restore", later, later / BEFORE, "--adopt").code == 0


@pytest.fixture(scope="module")
def renamed(after_all: Path) -> tuple[Path, Document]:
    """The practice renamed once more, without its ledger, and the invoice for P5, who came
    after the copy, under the name between.
    """
    folder = practice.copied(after_all, after_all.parent / "renamed")
    practice.set_to(folder, "Practice name", "Renamed Once More")
    (folder / "ledger/membill.duckdb").unlink()
    workbook = folder / "out/invoices/2026/03/INV-000006.xlsx"
    return folder, read_back(unpack(workbook.read_bytes()).properties)


def _strangers(folder: Path, *documents: Document) -> list[Document]:
    with opened(folder / BEFORE, write=False, against_head=False) as copy:
        return strangers(copy, folder / "ledger/membill.duckdb", folder, documents)


def test_a_name_that_was_used_for_a_patient_of_ours_is_ours(
    renamed: tuple[Path, Document],
) -> None:
    """Renamed twice: the name between is on an invoice for a member of before."""
    folder, unknown = renamed
    ours = {"patient_id": "P1", "patient_name": "Annabel Quillfeather"}
    for_us, by_id = (
        replace(
            unknown, number="INV-000007", lines=(replace(unknown.lines[0], **cells),)
        )
        for cells in (ours, ours | {"patient_name": "Annabel Ashgrove"})
    )
    assert _strangers(folder, unknown) == [unknown]
    assert _strangers(folder, unknown, by_id) == [unknown, by_id]
    assert _strangers(folder, unknown, for_us) == []


@pytest.mark.parametrize(
    ("typed", "known"),
    [
        pytest.param("Setting,Last edited by\n", False, id="no column of values"),
        pytest.param("Setting,Value,Last edited by\n", False, id="no row of a name"),
        pytest.param("Setting,Value,Last edited by\nPractice name,Harbour Lane and Partners,mm\n",
                     True,
                     id="the name between"),
    ],
)  # fmt: skip
def test_settings_that_tell_no_name_make_no_document_ours(
    typed: str, known: bool, renamed: tuple[Path, Document]
) -> None:
    folder, document = renamed
    (folder / "settings.csv").write_text(typed)
    assert _strangers(folder, document) == [document] * (not known)


@pytest.fixture
def elsewhere(clinic: Path) -> Path:
    """A copy of another machine, which billed the practice after its first night too.

    After a sending that was recorded there it made an invoice that was made here as well,
    and billed P5 from another day.
    """
    with practice.unpublished():
        sent = ("INV-000001", "--to", "x@example.org", "--by", "mm")
        assert run("sent", clinic, *sent, today=FIRST).code == 0
    practice.add(clinic, "invoice_requests", ASKED)
    practice.add(clinic, "patients", member("P5", start_date=SECOND))
    assert bill(clinic, SECOND).code == 0
    return clinic / "ledger/backups/2026-03-02-01.duckdb"


def test_a_copy_of_a_ledger_that_billed_elsewhere_is_not_brought_back(
    later: Path, elsewhere: Path
) -> None:
    """Whether it made the same invoice, of another seal, or another under its number."""
    before = practice.files(later, but=("ledger/membill.lock.json",))
    others = (
        "INV-000004 (170.00 of 2026-03-02 under another seal), INV-000005 (100.00 of"
        " 2026-03-02, not 50.00 of 2026-03-02) are other documents"
    )
    for more in ((), ("--adopt",)):
        refused = run("restore", later, elsewhere, *more)
        assert refused.code == 4
        assert refused.err == (
            f"Refused: 2026-03-02-01.duckdb: {others} in out/invoices than in this copy:"
            " it is of another practice, or of a ledger that billed this one elsewhere;"
            " use a copy of the ledger that made them; if the workbooks are another"
            " practice's or only a trial, move them out of out/invoices\nNothing was"
            " changed.\n"
        )
    assert practice.files(later, but=("ledger/membill.lock.json",)) == before
    # Where staff moved the workbooks away, the ledger there knows what it made.
    for number in ("INV-000004", "INV-000005"):
        (later / f"out/invoices/2026/03/{number}.xlsx").unlink()
    refused = run("restore", later, elsewhere)
    assert refused.code == 4
    assert f"{others} in the ledger that is there now than in this copy" in refused.err
    assert "if that is the wrong one, move it and head.json away" in refused.err
    # Nothing else knows what their numbers were. The same period under two numbers: one
    # of them is in a patient's hands.
    (later / "ledger/membill.duckdb").unlink()
    refused = run("restore", later, elsewhere, "--adopt")
    assert refused.code == 4
    assert "what INV-000006 bills, INV-000005 of the copy bills already" in refused.err
    for number in ("INV-000006", "CRN-000001"):
        (later / f"out/invoices/2026/03/{number}.xlsx").unlink()
    (later / "ledger/head.json").unlink()
    assert run("restore", later, elsewhere).code == 0


def test_a_copy_of_another_practice_is_not_brought_back(
    neighbour: Path, clinic: Path
) -> None:
    copy = neighbour / BEFORE
    refused = run("restore", clinic, copy)
    assert refused.code == 4
    assert (
        "INV-000001 (50.00 of 2026-03-01 under another seal), INV-000002 (550.00 of"
        " 2026-03-01, not 50.00 of 2026-03-01), INV-000003 (50.00 of"
    ) in refused.err
    # Its workbooks are then the only ones that its numbers have here.
    shutil.rmtree(clinic / "out")
    assert "in the ledger that is there now" in run("restore", clinic, copy).err


@pytest.mark.damaged
def test_another_practices_ledger_in_place_keeps_no_copy_from_coming_back(
    neighbour: Path, later: Path, after_all: Path
) -> None:
    """Some workbooks are away, some were edited, and one holds nothing any more."""
    copy = practice.copied(later / "ledger", later / "aside") / "membill.duckdb"
    shutil.rmtree(later / "ledger")
    practice.copied(neighbour / "ledger", later / "ledger")
    place = later / "out/invoices/2026/03"
    (place / "INV-000001.xlsx").unlink()
    _edited(
        place / "INV-000002.xlsx", "xl/sharedStrings.xml",
        lambda text: text.replace("Barnaby", "Mr Barnaby"),
    )  # fmt: skip
    (place / "INV-000003.xlsx").write_bytes(b"words")
    shutil.copy(place / "INV-000005.xlsx", place / "INV-000004.xlsx")
    assert run("restore", later, copy).code == 0
    assert _rows(later) == _rows(after_all)


def test_of_two_workbooks_under_one_number_the_stranger_counts(
    neighbour: Path, clinic: Path
) -> None:
    (file,) = (neighbour / "out/invoices").rglob("INV-000002.xlsx")
    for month in ("02", "04"):
        (clinic / f"out/invoices/2026/{month}").mkdir()
    shutil.copy(file, clinic / "out/invoices/2026/02")
    stranger = "INV-000002 (50.00 of 2026-03-01, not 550.00 of 2026-03-01) is another"
    with (
        opened(clinic / BEFORE, write=False, against_head=False) as copy,
        pytest.raises(Refused, match=re.escape(stranger)),
    ):
        must_be_the_same(copy, clinic / "none", clinic / "out", "it")
    (clinic / "out/invoices/2026/02/INV-000002.xlsx").rename(
        clinic / "out/invoices/2026/04/INV-000002.xlsx"
    )
    refused = run("restore", clinic, clinic / BEFORE)
    assert refused.code == 4
    assert f"{stranger} document in out/invoices than in this copy" in refused.err


def test_from_a_ledger_of_before_the_first_night_the_nights_go_on(
    closed: Path, empty: Path, tmp_path: Path
) -> None:
    """Nothing was accepted in it: the sheets as typed judge, as they did that night.

    The months that are open again count from a document that was entered just now.
    """
    folder = practice.copied(closed, tmp_path / "clinic")
    done = run("restore", folder, empty, "--adopt")
    assert done.code == 0, done.err
    assert (
        "Warning: 2026-03, 2026-04 and 2026-05 were closed after this copy was made and are"
        " open again: close them, in this order, before anything else, and compare their"
        " seals\n"
    ) in done.err
    later = "the copy is of before the first night: registers and lists are made by the next"
    assert later in done.err
    assert run("verify", folder).code == 0
    shown = run("patient", folder, "P1")
    assert (shown.code, "INV-000001" in shown.out) == (0, True)
    practice.add(folder, "patients", member("P3", start_date=SECOND))
    again = bill(folder, SECOND)
    assert again.code == 0, again.err
    told = practice.last_run(folder)
    assert (told["invoices_made"], told["first_number"]) == (1, "INV-000004")
    proved = run("verify", folder, "--deep")
    assert proved.code == 0, proved.out


@pytest.mark.parametrize("next_command", ["bill", "backup", "restore"])
def test_what_a_killed_restore_left_of_a_copy_is_named_and_swept_up(
    next_command: str, clinic: Path
) -> None:
    left = clinic / "ledger/restoring/membill.duckdb"
    left.parent.mkdir(mode=0o700)
    shutil.copy(clinic / BEFORE, left)
    left.chmod(0o600)
    told = run("verify", clinic)
    assert told.code != 0
    assert "restoring is what a killed restore left of a copy; it can go" in told.out
    more = (clinic / BEFORE,) if next_command == "restore" else ()
    day = ("--as-of", SECOND) if next_command == "bill" else ()
    assert run(next_command, clinic, *more, *day).code == 0
    assert not left.parent.exists()
