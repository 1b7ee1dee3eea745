"""Copies of the ledger: made each night, thinned out, brought back with what came after."""

import csv
import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import practice
import pytest
from practice import bill, member, run

from pipeline import backups, csv_copies
from pipeline.backups import thin_out
from pipeline.csv_copies import weekly
from pipeline.exports import invoice
from pipeline.exports.invoice_data import Unreadable, embedded, read_back
from pipeline.files import private_folder
from pipeline.ledger import opened
from pipeline.package import unpack
from tests.test_exports_invoice import document, line

FIRST, SECOND, THIRD = "2026-03-01", "2026-03-02", "2026-03-05"
BEFORE = "ledger/backups/2026-03-01-01.duckdb"


@pytest.fixture(scope="module")
def after_first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice after its first night."""
    folder = practice.make(tmp_path_factory.mktemp("copies") / "clinic")
    assert bill(folder, FIRST).code == 0
    return folder


@pytest.fixture(scope="module")
def after_all(after_first: Path) -> Path:
    """Then an invoice to an employer and one asked for by hand, a credit note, a new name."""
    folder = practice.copied(after_first, after_first.parent / "later")
    employer = {"Code": "ACME", "Name": "Acme Ltd", "Combine invoices": "Yes"}
    practice.add(folder, "contacts", employer | {"Address line 2": "Unit 4"})
    practice.add(
        folder, "patients",
        member("P3", start_date=SECOND, bill_to="ACME"),
        member("P4", start_date=SECOND, bill_to="ACME"),
    )  # fmt: skip
    asked = {
        "Request ID": "R1", "Patient ID": "P2", "Product code": "CONSULT",
        "Quantity": "2", "Requested on": SECOND, "Requested by": "dd",
    }  # fmt: skip
    practice.add(folder, "invoice_requests", asked)
    assert bill(folder, SECOND).code == 0
    credit = run(
        "credit", folder, "INV-000004", "--reason", "left", "--by", "mm", "--on", SECOND
    )
    assert credit.code == 0
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


@dataclass(frozen=True)
class Week:
    """A practice after the nights of Sunday and Monday, brought back to Sunday's, and
    billed on Thursday: the copies and their modes on Monday, and what each step came to.
    """

    folder: Path
    copies: dict[str, int]
    same: bool
    restored: int
    thursday: int


@pytest.fixture(scope="module")
def week(after_first: Path) -> Week:
    folder = practice.copied(after_first, after_first.parent / "week")
    copy = folder / BEFORE
    same = copy.read_bytes() == (folder / "ledger/membill.duckdb").read_bytes()
    assert bill(folder, SECOND).code == 0
    copies = {
        file.name: file.stat().st_mode & 0o777 for file in copy.parent.glob("*.*")
    }
    restored = run("restore", folder, copy).code
    return Week(folder, copies, same, restored, bill(folder, THIRD).code)


def test_each_night_leaves_a_copy_that_can_be_brought_back(week: Week) -> None:
    assert week.same
    made = sorted(name for name in week.copies if name.endswith(".duckdb"))
    assert made == ["2026-03-01-01.duckdb", "2026-03-02-01.duckdb"]
    assert set(week.copies.values()) == {0o600}
    assert (week.restored, week.thursday) == (0, 0)


def test_a_refused_night_leaves_none(clinic: Path) -> None:
    (clinic / "products.csv").unlink()
    assert bill(clinic, SECOND).code == 4
    assert len(list((clinic / "ledger/backups").glob("*.duckdb"))) == 1


def test_a_copy_that_cannot_be_made_is_a_warning_of_the_night(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups.shutil, "copyfile", full)
    done = bill(clinic, SECOND)
    assert done.code == 0
    assert done.err == (
        "Warning: no copy of the ledger was made tonight (No space left on device): make"
        " room and run `membill backup`\n"
    )
    assert sorted(f.name for f in (clinic / "ledger/backups").glob("*2026*")) == [
        "2026-03-01-01.duckdb", "2026-03-01-01.duckdb.sha256",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        pytest.param(
            lambda file: file.write_bytes(file.read_bytes()[:-16_384]),
            "not the same as the ledger",
            id="cut short",
        ),
        pytest.param(
            lambda file: file.write_bytes(bytes(file.stat().st_size)),
            "not the same as the ledger",
            id="zeroed",
        ),
    ],
)
def test_a_copy_gets_its_name_only_once_it_is_proved(
    harm: Callable[[Path], None],
    says: str,
    clinic: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy = backups._copy

    def bad_disk(path: Path, draft: Path) -> None:
        copy(path, draft)
        harm(draft)

    monkeypatch.setattr(backups, "_copy", bad_disk)
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
    for _ in range(3):
        assert bill(clinic, SECOND).code == 0
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


def test_a_copy_made_by_hand_has_a_name_of_its_own(clinic: Path) -> None:
    folder = clinic / "ledger/backups"
    said = [run("backup", clinic).out for _ in range(2)]
    assert said == [
        f"checked copy: {folder / '2026-03-01-01-by-hand.duckdb'}\n",
        f"checked copy: {folder / '2026-03-01-01-by-hand-2.duckdb'}\n",
    ]


# Once a week, readable without DuckDB


def test_once_a_week_the_ledger_is_written_as_csv(week: Week) -> None:
    """On Monday, and not on the Thursday after."""
    folder = week.folder / "ledger/backups/csv"
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
    ]
    assert "do not open them by a double click" in (written / "README.txt").read_text()
    assert sorted(file.stem for file in written.glob("*.csv")) == sorted(
        csv_copies.TABLES
    )
    modes = {file.stat().st_mode & 0o777 for file in written.iterdir()}
    assert modes == {0o600}


def test_a_copy_as_csv_is_private_whatever_the_umask(clinic: Path) -> None:
    before = os.umask(0o022)
    try:
        written = weekly(clinic / BEFORE, "2026-05-04-01")
    finally:
        os.umask(before)
    assert written
    assert {file.stat().st_mode & 0o777 for file in written.iterdir()} == {0o600}


def test_eight_weeks_of_csv_are_kept(clinic: Path) -> None:
    copy = clinic / BEFORE
    (copy.parent / "csv/.2026-02-22-01.part").mkdir()  # of a run that was killed
    days = [date(2026, 3, 8) + timedelta(weeks=at) for at in range(9)]
    assert all(weekly(copy, f"{day}-01") for day in days)
    assert weekly(copy, f"{days[-1]}-02") is None
    kept = sorted(folder.name for folder in (copy.parent / "csv").iterdir())
    assert kept == [f"{day}-01" for day in days[-8:]]


# Brought back


Rows = tuple[list[dict[str, str]], list[dict[str, str]]]


def _rows(folder: Path) -> Rows:
    """Documents and lines as the commands list them, but for the run that made them."""
    documents = [{**row, "run_id": ""} for row in practice.invoices(folder)]
    return documents, run("lines", folder, "--format", "csv").rows


@dataclass(frozen=True)
class Adopted:
    """A practice brought back to its first night, what came after entered again, billed."""

    folder: Path
    refused: practice.Result
    done: practice.Result
    rows: list[Rows]
    files: dict[str, str]


@pytest.fixture(scope="module")
def adopted(after_all: Path) -> Adopted:
    """The rows are those before, after, and after a night for a member more."""
    folder = practice.copied(after_all, after_all.parent / "adopted")
    rows, files = [_rows(folder)], practice.files(folder / "out/invoices")
    refused = run("restore", folder, folder / BEFORE)
    done = run("restore", folder, folder / BEFORE, "--adopt")
    rows.append(_rows(folder))
    practice.add(folder, "patients", member("P6", start_date="2026-03-06"))
    assert bill(folder, "2026-03-06").code == 0
    return Adopted(folder, refused, done, [*rows, _rows(folder)], files)


def test_what_was_published_since_is_entered_again_and_billing_goes_on(
    adopted: Adopted,
) -> None:
    assert adopted.refused.code == 4
    assert "4 documents were published after this copy was made" in adopted.refused.err
    assert "--adopt" in adopted.refused.err
    done = adopted.done
    assert (done.code, done.err) == (0, "")
    assert "4 documents entered again: CRN-000001, INV-000004, INV-0" in done.out
    before, after, (documents, lines) = adopted.rows
    assert after == before
    made = [row for row in documents if row not in before[0]]
    assert [row["number"] for row in made] == ["INV-000007"]
    assert [row["patient_id"] for row in lines if row not in before[1]] == ["P6"]
    assert len(documents) == len(before[0]) + 1
    assert run("rebuild", adopted.folder).code == 0
    files = practice.files(adopted.folder / "out/invoices")
    assert {name: files[name] for name in adopted.files} == adopted.files, "to the byte"
    proved = run("verify", adopted.folder, "--deep")
    assert proved.code == 0, proved.out


def test_the_runs_that_are_lost_are_kept_aside_and_named(adopted: Adopted) -> None:
    (kept,) = (adopted.folder / "ledger/replaced").iterdir()
    assert {file.name for file in kept.iterdir()} == {
        "head.json", "membill.duckdb", "membill.duckdb.sha256", "runs",
    }  # fmt: skip
    assert sorted(folder.name for folder in (kept / "runs").iterdir()) == [
        "2026-03-02-01", "2026-03-05-01",
    ]  # fmt: skip
    told = run("explain", adopted.folder, "INV-000006").out
    assert "made by run 2026-03-05-01-adopted (adopt, as of 5 March 2026" in told


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


@pytest.mark.damaged
@pytest.mark.parametrize(
    ("harm", "says"),
    [
        pytest.param(
            lambda folder: (folder / INVOICE).unlink(),
            ["INV-000006.xlsx: INV-000006 does not follow on invoice 4"],
            id="a workbook between two others is gone",
        ),
        pytest.param(
            lambda folder: (folder / "out/invoices/2026/03/INV-000006.xlsx").unlink(),
            ["INV-000006 was given out, but its workbook is not in out/invoices"],
            id="the last workbook is gone",
        ),
        pytest.param(
            lambda folder: (folder / INVOICE).write_bytes(b"words"),
            ["INV-000005.xlsx: INV-000005 cannot be entered again from its workbook: it"
             " cannot be opened"],
            id="a workbook is damaged",
        ),
        pytest.param(
            lambda folder: _edited(
                folder / INVOICE, "docProps/custom.xml",
                lambda text: text.replace("100.00", "200.00"),
            ),
            ["INV-000005 cannot be entered again from its workbook: its data were changed"],
            id="an amount in the data was changed",
        ),
        pytest.param(
            lambda folder: (folder / INVOICE).write_bytes(
                (folder / "out/invoices/2026/03/INV-000006.xlsx").read_bytes()
            ),
            ["INV-000005 cannot be entered again", "it is the workbook of INV-000006"],
            id="a workbook stands under another number",
        ),
    ],
)  # fmt: skip
def test_workbooks_that_cannot_be_entered_again_are_named_and_nothing_is_changed(
    harm: Callable[[Path], None], says: list[str], later: Path
) -> None:
    harm(later)
    # Without the ledger nothing else knows what was given out.
    (later / "ledger/membill.duckdb").unlink()
    before = practice.files(later, but=("ledger/membill.lock.json",))
    refused = run("restore", later, later / BEFORE, "--adopt")
    assert refused.code == 4
    for words in says:
        assert words in refused.err
    assert practice.files(later, but=("ledger/membill.lock.json",)) == before
    assert bill(later, THIRD).code == 4


def test_a_copy_that_went_on_billing_for_itself_is_not_mixed_with_the_lost_one(
    later: Path, clinic: Path
) -> None:
    """The same period under two numbers: one of them is in a patient's hands."""
    practice.add(clinic, "patients", member("P5", start_date=SECOND))
    practice.add(clinic, "patients", member("P3", start_date=SECOND))
    assert bill(clinic, SECOND).code == 0
    copy = clinic / "ledger/backups/2026-03-02-01.duckdb"
    refused = run("restore", later, copy, "--adopt")
    assert refused.code == 4
    assert (
        "INV-000004 (170.00 of 2026-03-02, not 50.00 of 2026-03-02), INV-000005 (100.00 of"
        " 2026-03-02, not 50.00 of 2026-03-02) are other documents in out/invoices than in"
        " this copy"
    ) in refused.err
    # Nothing else knows what their numbers were.
    (later / "ledger/membill.duckdb").unlink()
    for number in ("INV-000004", "INV-000005"):
        (later / f"out/invoices/2026/03/{number}.xlsx").unlink()
    refused = run("restore", later, copy, "--adopt")
    assert refused.code == 4
    assert "what INV-000006 bills, INV-000005 of the copy bills already" in refused.err


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


@pytest.fixture(scope="module", params=[5])
def half_way(after_all: Path, request: pytest.FixtureRequest) -> HalfWay:
    """Killed after so many files were moved: checksum, ledger, two runs, the copy."""
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
        killing.setattr("pipeline.restore.os", SimpleNamespace(replace=replace))
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
    to_contact = document(line(healthcode_code="X123"), bill_to="ACME")
    assert "X123" not in "".join(embedded(to_contact).values())


def test_long_and_strange_text_comes_back_as_it_was() -> None:
    strange = '  = Zoë \u200d & <b> " \\ ' + " " * 200 + "end" * 200
    told = document(*(line(number, description=strange) for number in (1, 2)))
    properties = unpack(invoice.render(told)).properties
    assert max(map(len, properties.values())) <= 255
    assert read_back(properties) == told


def test_an_invoice_of_more_than_ten_thousand_pieces_comes_back() -> None:
    told = document(*(line(number) for number in range(1, 5_001)))
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


def test_a_month_closed_again_after_its_documents_were_entered_has_the_same_seal(
    later: Path,
) -> None:
    april, by = "2026-04-02", ("--by", "mm")
    with practice.unpublished():
        words = ("INV-000001", "--to", "x@example.org", *by)
        assert run("sent", later, *words, today="2026-03-31").code == 0
    words = ("INV-000001", "--reason", "left", *by)
    assert run("credit", later, *words, today="2026-03-31").code == 0
    closed = run("close", later, "2026-03", *by, today=april)
    done = run("restore", later, later / BEFORE, "--adopt", today=april)
    assert done.code == 0, done.err
    again = run("close", later, "2026-03", *by, today=april)
    assert (again.code, again.out) == (0, closed.out)
    assert run("verify", later, "--deep").code == 0


@pytest.mark.parametrize(
    ("named", "again"),
    [
        pytest.param(None, "2026-03-02-03", id="its name is given to no other run"),
        pytest.param("2026-03-02-02", "2026-03-02-02", id="two runs have one name"),
    ],
)
def test_each_document_keeps_its_letterhead_though_its_run_was_lost_twice(
    named: str | None, again: str, clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = ("INV-000001", "--to", "x@example.org", "--by", "mm")
    assert run("sent", clinic, *sent, today=SECOND).code == 0
    practice.add(clinic, "patients", member("P3", start_date=SECOND))
    assert bill(clinic, SECOND).code == 0
    assert run("restore", clinic, clinic / BEFORE, "--adopt").code == 0
    practice.set_to(clinic, "Bank details", "Sort 00-00-00")
    practice.add(clinic, "patients", member("P4", start_date=SECOND))
    if named:  # as the program once did
        monkeypatch.setattr("pipeline.record.run_id_of", lambda *_: named)
    assert bill(clinic, SECOND).code == 0
    assert practice.invoices(clinic)[-1]["run_id"] == again
    files = practice.files(clinic / "out/invoices")
    assert run("restore", clinic, clinic / BEFORE, "--adopt").code == 0
    shutil.rmtree(clinic / "out/invoices")
    assert run("rebuild", clinic).code == 0
    assert practice.files(clinic / "out/invoices") == files
    assert run("verify", clinic, "--deep").code == 0


def test_every_month_that_was_closed_since_is_named(
    clinic: Path, tmp_path: Path
) -> None:
    """Those after the copy's last closed month, or from its first document on."""
    practice.set_to(clinic, "Catch-up days", "365")
    by = ("--by", "mm")
    empty = private_folder(tmp_path / "empty") / "membill.duckdb"
    with opened(empty, write=True):
        pass
    first = clinic / BEFORE
    for month, day in (("2026-03", "04"), ("2026-04", "05"), ("2026-05", "06")):
        night = bill(clinic, f"2026-{day}-02", "--accept", "date")
        assert night.code == 0, night.err
        closed = run("close", clinic, month, *by, today=f"2026-{day}-03")
        assert closed.code == 0, closed.err
        if month == "2026-03":
            assert run("backup", clinic).code == 0
    (second,) = (clinic / "ledger/backups").glob("*by-hand.duckdb")
    refused = run("restore", clinic, first)
    assert (
        "2026-03, 2026-04 and 2026-05 were closed after this copy was made, and would be"
        " open again; use a later copy; or bring it back with --adopt and close the months"
        " again at once"
    ) in refused.err
    assert "2026-05 was closed after this" in run("restore", clinic, empty).err
    for copy, months in (
        (second, "2026-04 and 2026-05"),
        (first, "2026-03, 2026-04 and 2026-05"),
    ):
        folder = practice.copied(clinic, tmp_path / copy.stem)
        done = run("restore", folder, copy, "--adopt")
        assert done.code == 0, done.err
        assert (
            f"Warning: {months} were closed after this copy was made and are open again:"
            " close them, in this order, before anything else, and compare their seals\n"
        ) in done.err
        assert bill(folder, "2026-06-02", "--accept", "date").code == 0


# Another practice's


@pytest.fixture
def neighbour(tmp_path: Path) -> Path:
    """Another practice with the same prefix, ids of its own making and a patient P1."""
    sheets = practice.sheets()
    sheets["patients"] = [
        member("P1", last_name="Ashgrove"),
        member("Q2", first_name="Ivo", last_name="Mossop"),
    ]
    folder = practice.make(tmp_path / "neighbour", sheets)
    practice.set_to(folder, "Practice name", "Mill Road Clinic")
    assert bill(folder, FIRST).code == 0
    assert bill(folder, "2026-03-31", "--accept", "date").code == 0
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
    settings = later / "settings.csv"
    for spoiled in ("Setting,Last edited by\n", "Setting,Value,Last edited by\n"):
        settings.rename(later / "away.csv")
        settings.write_text(spoiled)
        assert "INV-000006 is" in run("restore", later, later / BEFORE, "--adopt").err
        (later / "away.csv").rename(settings)
    practice.set_to(later, "Practice name", "Harbour Lane  and partners")
    assert run("restore", later, later / BEFORE, "--adopt").code == 0


def test_a_name_that_was_used_for_a_patient_of_ours_is_ours(after_all: Path) -> None:
    """Renamed twice: the name between is on an invoice for a member of before."""
    folder = practice.copied(after_all, after_all.parent / "renamed")
    assert bill(folder, "2026-03-31", "--accept", "date").code == 0
    practice.set_to(folder, "Practice name", "Renamed Once More")
    (folder / "ledger/membill.duckdb").unlink()
    done = run("restore", folder, folder / BEFORE, "--adopt")
    assert done.code == 0, done.err


@pytest.fixture
def forks(after_first: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two machines that billed the practice after its first night, each for itself."""
    folders = []
    for patient, twin in (("P3", "here"), ("P4", "elsewhere")):
        folder = practice.copied(after_first, tmp_path / twin)
        practice.add(folder, "patients", member("P3", start_date=SECOND))
        practice.add(folder, "patients", member("P4", start_date=SECOND))
        frequency = {"Billing frequency": "Annual", "Membership": "GOLD"}
        practice.change(folder, "patients", patient, frequency)
        assert bill(folder, SECOND).code == 0
        folders.append(folder)
    return folders[0], folders[1]


def test_a_copy_of_a_ledger_that_billed_elsewhere_is_not_brought_back(
    forks: tuple[Path, Path],
) -> None:
    here, elsewhere = forks
    copy = elsewhere / "ledger/backups/2026-03-02-01.duckdb"
    before = practice.files(here, but=("ledger/membill.lock.json",))
    for more in ((), ("--adopt",)):
        refused = run("restore", here, copy, *more)
        assert refused.code == 4
        assert refused.err == (
            "Refused: 2026-03-02-01.duckdb: INV-000004 (550.00 of 2026-03-02, not 50.00 of"
            " 2026-03-02), INV-000005 (50.00 of 2026-03-02, not 550.00 of 2026-03-02) are"
            " other documents in out/invoices than in this copy: it is of another"
            " practice, or of a ledger that billed this one elsewhere; use a copy of the"
            " ledger that made them; if the workbooks are another practice's or only a"
            " trial, move them out of out/invoices\nNothing was changed.\n"
        )
    assert practice.files(here, but=("ledger/membill.lock.json",)) == before
    # Where staff moved the workbooks away, the ledger there knows what it made.
    for file in (here / "out/invoices/2026/03").glob("INV-00000[45].xlsx"):
        file.unlink()
    refused = run("restore", here, copy)
    assert refused.code == 4
    assert (
        "INV-000004 (550.00 of 2026-03-02, not 50.00 of 2026-03-02), INV-000005"
        in refused.err
    )
    assert "in the ledger that is there now than in this copy" in refused.err
    assert "if that is the wrong one, move it and head.json away" in refused.err
    (here / "ledger/membill.duckdb").unlink()
    (here / "ledger/head.json").unlink()
    assert run("restore", here, copy).code == 0


def test_the_same_invoice_made_twice_is_told_by_its_seal(
    after_first: Path, tmp_path: Path
) -> None:
    here = practice.copied(after_first, tmp_path / "here")
    elsewhere = practice.copied(after_first, tmp_path / "elsewhere")
    assert bill(elsewhere, FIRST).code == 0
    for folder in (here, elsewhere):
        practice.add(folder, "patients", member("P3", start_date=SECOND))
        assert bill(folder, SECOND).code == 0
    refused = run(
        "restore", here, elsewhere / "ledger/backups/2026-03-02-01.duckdb"
    )  # fmt: skip
    assert refused.code == 4
    said = (
        "INV-000004 (50.00 of 2026-03-02 under another seal) is another document in out"
    )
    assert said in refused.err


def test_a_copy_of_another_practice_is_not_brought_back(
    neighbour: Path, clinic: Path
) -> None:
    (copy,) = (neighbour / "ledger/backups").glob("2026-03-31-01.duckdb")
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
    assert run("restore", clinic, clinic / BEFORE).code == 4
    (clinic / "out/invoices/2026/02/INV-000002.xlsx").rename(
        clinic / "out/invoices/2026/04/INV-000002.xlsx"
    )
    refused = run("restore", clinic, clinic / BEFORE)
    assert refused.code == 4
    assert "INV-000002 (50.00 of 2026-03-01, not 550.00 of" in refused.err


def test_from_a_ledger_of_before_the_first_night_the_nights_go_on(
    tmp_path: Path,
) -> None:
    """Nothing was accepted in it: the sheets as typed judge, as they did that night."""
    clinic = practice.make(tmp_path / "clinic")
    empty = tmp_path / "empty.duckdb"
    with opened(empty, write=True):
        pass
    assert bill(clinic, "2026-03-01").code == 0
    done = run("restore", clinic, empty, "--adopt")
    assert done.code == 0, done.err
    again = bill(clinic, "2026-03-02")
    assert again.code == 0, again.err
    assert practice.last_run(clinic)["invoices_made"] == 0
    practice.add(clinic, "patients", practice.member("P3", start_date="2026-03-03"))
    assert bill(clinic, "2026-03-03").code == 0
    assert practice.last_run(clinic)["first_number"] == "INV-000004"
    proved = run("verify", clinic, "--deep")
    assert proved.code == 0, proved.out
