"""`membill export`: each document leaves once, and a batch is always the same bytes."""

import json
import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow.parquet as parquet
import pytest

from pipeline.copies.left_already import enter_batches
from pipeline.files import private_folder
from pipeline.ledger import ledger_path, opened
from tests import emulated, practice
from tests.imports_golden import EXPECTED, TODAY, exported
from tests.imports_golden import credited as in_credit
from tests.practice import Result, run
from tests.table_schema import faults_of


@pytest.fixture(scope="module")
def sample(
    sample_night: tuple[Path, Result], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """The sample, billed, one invoice credited, everything exported to every package."""
    place = tmp_path_factory.mktemp("export") / "practice"
    folder = in_credit(practice.copied(sample_night[0], place))
    return folder, exported(folder)


@pytest.fixture(scope="module")
def credited(
    sample: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same with a credit note more, which has not left yet."""
    folder = practice.copied(sample[0], tmp_path_factory.mktemp("credited") / "clinic")
    assert credit(folder, "INV-000001").code == 0
    return folder


@pytest.fixture
def clinic(credited: Path, tmp_path: Path) -> Path:
    """A copy of that, to be changed."""
    return practice.copied(credited, tmp_path / "clinic")


def export(folder: Path, *args: object) -> Result:
    return run("export", folder, *args, today=TODAY)


def imports(folder: Path) -> dict[str, bytes]:
    """The import files of a practice by name."""
    found = sorted((folder / "out/imports").iterdir())
    return {file.name: file.read_bytes() for file in found}


def credit(folder: Path, number: str) -> Result:
    said = ("--reason", "twice", "--by", "mm")
    return run("credit", folder, number, *said, today=TODAY)


# A batch


@pytest.mark.parametrize("name", sorted(file.name for file in EXPECTED.iterdir()))
def test_the_sample_night_leaves_as_expected(
    name: str, sample: tuple[Path, dict[str, str]]
) -> None:
    assert sample[1][name].encode() == (EXPECTED / name).read_bytes()


def test_no_file_of_the_sample_is_missing(
    sample: tuple[Path, dict[str, str]],
) -> None:
    assert sorted(sample[1]) == sorted(file.name for file in EXPECTED.iterdir())


def test_what_left_equals_the_ledger(sample: tuple[Path, dict[str, str]]) -> None:
    books = {
        row["number"]: tuple(Decimal(row[name]) for name in ("net", "tax", "gross"))
        for row in practice.invoices(sample[0])
    }
    invoices = {n: sums for n, sums in books.items() if n.startswith("INV")}
    made = {name: text.encode() for name, text in sample[1].items()}
    for own_tax in (True, False):
        found = emulated.invoices(made["xero.csv"], inclusive=False, own_tax=own_tax)
        assert found == invoices
        kept = made["quickbooks.csv"]
        assert emulated.invoices(kept, inclusive=False, own_tax=own_tax) == invoices
    assert emulated.sage50(made["sage50.csv"]) == books
    assert emulated.sage_accounting(made["sage-accounting.csv"]) == books
    assert emulated.quickfile(made["quickfile.csv"]) == invoices
    journals = emulated.journals(made["xero-journal.csv"], debtors="611", tax="821")
    assert journals == books


def test_the_ledger_and_the_files_hold_what_they_promise(
    sample: tuple[Path, dict[str, str]],
) -> None:
    proved = run("verify", sample[0], "--deep")
    assert proved.code == 0, proved.out
    assert "every import file made again is the same, byte for byte" in proved.out
    modes = {
        file.stat().st_mode & 0o777 for file in (sample[0] / "out/imports").iterdir()
    }
    assert os.name == "nt" or modes == {0o600}


# Once, and again


def test_a_new_batch_has_new_documents_only(clinic: Path) -> None:
    before = imports(clinic)
    open_ = export(clinic, "quickbooks")
    assert (open_.code, open_.out) == (
        0,
        "nothing new for quickbooks\n"
        "the last batch is 2026-03-31-05, of 39 documents:"
        f" {clinic}/out/imports/quickbooks-2026-03-31-05.csv; its files again:"
        f" membill export {clinic} quickbooks --again 2026-03-31-05\n",
    )
    assert open_.err == "".join(
        f"left out, and still open: CRN-00000{n}: the import takes no credit notes; enter"
        " it by hand\n"
        for n in (1, 2)
    )
    assert imports(clinic) == before, "no batch where nothing is new"
    done = export(clinic, "sage50", "--month", "2026-02")
    assert done.out.startswith("nothing new for sage50\n")
    done = export(clinic, "sage50", "--month", "2026-03")
    first, file = done.out.splitlines()
    assert first == "batch 2026-03-31-10 for sage50: 1 document, -29.99 in all"
    (row,) = emulated.rows(Path(file).read_bytes())
    assert (row["Type"], row["Reference"]) == ("SC", "CRN-000002")
    nothing = export(clinic, "sage50")
    assert nothing.code == 0
    assert nothing.out.startswith("nothing new for sage50\nthe last batch is ")


def test_a_file_that_was_moved_away_stays_away_until_it_is_asked_for(
    clinic: Path, tmp_path: Path
) -> None:
    before = imports(clinic)
    for name in before:
        (clinic / "out/imports" / name).unlink()
    assert credit(clinic, "INV-000002").code == 0
    assert imports(clinic) == {}, "an import made again unasked might go in twice"
    done = export(clinic, "xero", "--again", "2026-03-31-03", "--to", tmp_path / "usb")
    assert done.out.startswith("batch 2026-03-31-03 for xero: 40 documents\n")
    assert {file.name for file in (tmp_path / "usb").iterdir()} == {
        "xero-2026-03-31-03.csv", "xero-2026-03-31-03-credit-notes.csv",
    }  # fmt: skip
    assert imports(clinic) == {}
    assert export(clinic, "sage50", "--again", "sage50-2026-03-31-06.csv").code == 0
    assert imports(clinic).items() <= before.items()
    assert run("rebuild", clinic).code == 0
    assert imports(clinic) == before


@pytest.mark.damaged
def test_a_file_that_somebody_changed_is_left_alone_and_found(
    clinic: Path, tmp_path: Path
) -> None:
    file = clinic / "out/imports/sage50-2026-03-31-06.csv"
    file.write_bytes(b"SI,paid")
    done = export(clinic, "sage50", "--again", "2026-03-31-06")
    assert (done.code, file.read_bytes()) == (4, b"SI,paid")
    assert "is already there and is not what the ledger says" in done.err
    (clinic / "out/imports/xero-2025-01-31-01.csv").touch(mode=0o600)
    (clinic / "out/imports/my-own.csv").touch(mode=0o600)
    said = run("verify", clinic).out
    assert (
        "WRONG  every import file is as it was made\n"
        "       imports/sage50-2026-03-31-06.csv was changed after it was made\n"
        "       imports/xero-2025-01-31-01.csv was never made by this ledger: move it"
        " out of out/imports once you know whether the package has it\n" in said
    )
    refused = export(clinic, "xero")
    assert (refused.code, refused.out) == (4, "")
    assert refused.err.splitlines()[0] == (
        "Refused: out/imports/xero-2025-01-31-01.csv: the file was made by a ledger that"
        " is not this one, so its documents may have left before; compare it with what"
        " the package holds, then move it away"
    )


@pytest.mark.damaged
def test_a_batch_that_was_killed_before_its_files_is_finished_by_what_comes_next(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("pipeline.office.batches.publish", _killed)
        with pytest.raises(Killed):
            export(clinic, "sage50")
    assert "sage50-2026-03-31-10.csv" not in imports(clinic)
    usb, books = clinic.parent / "usb", clinic / "ledger/membill.duckdb"
    done = export(clinic, "sage50", "--to", usb, "--ledger", books)
    assert (done.code, done.out, done.err) == (
        0,
        "nothing new for sage50\n"
        "the last batch is 2026-03-31-10, of 1 document:"
        f" {clinic}/out/imports/sage50-2026-03-31-10.csv; its files again: membill export"
        f" {clinic} sage50 --to {usb} --ledger {books} --again 2026-03-31-10\n",
        "Finished first what an earlier run left: export 2026-03-31-10 (CRN-000002).\n",
    )
    assert b"CRN-000002" in imports(clinic)["sage50-2026-03-31-10.csv"]
    assert export(clinic, *done.out.split()[-7:]).code == 0
    assert [file.name for file in usb.iterdir()] == ["sage50-2026-03-31-10.csv"]


class Killed(BaseException):
    """What no boundary of the program catches."""


def _killed(*args: Any) -> None:
    raise Killed


# What cannot be done


def test_what_the_package_cannot_take_stays_open(clinic: Path) -> None:
    before = practice.files(clinic)

    def given(text: str, target: str) -> Result:
        (clinic / "accounting.toml").write_text(text, encoding="utf-8")
        return export(clinic, target)

    refused = given('[sage50.tax_codes]\nEXEMPT = ["T2", 5]\n', "sage50")
    assert (refused.code, refused.out, refused.err) == (
        4,
        "",
        "Refused: accounting.toml: tax code EXEMPT is 0.00 % here, and T2 stands for 5 %;"
        ' write EXEMPT = [["T2", 5], ["the name of this rate", 0.00]] below'
        " [sage50.tax_codes], or the one pair that is right\n"
        "Nothing has left; mend this and give it again.\n",
    )
    unfit = given('[sage50.accounts]\n4000 = "400000000"\n', "sage50")
    assert (unfit.code, unfit.out, unfit.err) == (
        3,
        "nothing new for sage50\nthe last batch is 2026-03-31-06, of 40 documents:"
        f" {clinic}/out/imports/sage50-2026-03-31-06.csv; its files again: membill export"
        f" {clinic} sage50 --again 2026-03-31-06\n",
        "left out, and still open: CRN-000002: Nominal A/C Ref is longer than 8"
        " characters\n",
    )
    after = practice.files(clinic)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed <= {"accounting.toml", "ledger/membill.lock.json"}
    with patch("pipeline.office.batches.shared_accounts", return_value=["x"] * 21):
        fits = given('[quickfile]\ncredit_notes = "with"\n', "quickfile")
    told = "look at this before you import: x\n" * 20 + "... and 1 more\n"
    assert (fits.code, fits.err) == (0, told)
    assert fits.out.startswith("batch 2026-03-31-10 for quickfile: 2 documents, -59.98")


WRONG_REQUESTS = {
    ("freeagent",): "'freeagent' is not one of",
    ("xero", "--month", "2026-13"): "2026-13 is not a month; write it as 2026-03",
    ("xero", "--again", "9"): "9 is no batch for xero; the last ones: 2026-03-31-03",
    ("xero", "--again", "x", "--month", "2026-03"): "--again takes a batch as it was",
    ("data", "--month", "2026-03"): "data takes no --month, --again or --credit-notes",
}


def test_a_wrong_request_is_answered(sample: tuple[Path, dict[str, str]]) -> None:
    for args, said in WRONG_REQUESTS.items():
        done = export(sample[0], *args)
        assert done.code == 2
        assert said in " ".join(done.err.split())


def test_a_copy_for_a_folder_of_ones_own_never_takes_the_place_of_another_file(
    sample: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    name = "quickbooks-2026-03-31-05.csv"
    (tmp_path / name).write_bytes(b"mine")
    done = export(sample[0], "quickbooks", "--again", "2026-03-31-05", "--to", tmp_path)
    assert done.code == 4
    assert "the batch is kept: write its files with --again" in done.err
    assert (tmp_path / name).read_bytes() == b"mine"


@pytest.mark.parametrize("target", ["sage50", "data"])
@pytest.mark.parametrize("name", [".", "ledger", "out/../sheets"])
def test_no_file_is_written_among_the_practice_s_own(
    name: str, target: str, clinic: Path
) -> None:
    before = practice.files(clinic)
    done = export(clinic, target, "--to", clinic / name)
    assert (done.code, done.out) == (2, "")
    assert "lies among the practice's own files; name one in" in done.err
    assert practice.files(clinic) == before, "and nothing has left"


# Open data


@pytest.mark.parametrize(
    ("to", "code", "said"),
    [
        ((), 4, "invoices.csv could not be read or written (a link leads out of the"),
        (("--to", "out/data"), 2, "out/data lies behind a link that leads out of"),
    ],
)
def test_open_data_go_through_no_link_that_leads_out_of_out(
    to: tuple[str, ...], code: int, said: str, clinic: Path, tmp_path: Path
) -> None:
    private_folder(tmp_path / "else")
    (tmp_path / "else/invoices.csv").write_bytes(b"mine")
    (clinic / "out/data").symlink_to(tmp_path / "else")
    done = export(clinic, "data", *to[:1], *(clinic / name for name in to[1:]))
    assert (done.code, said in done.err) == (code, True)
    assert os.listdir(tmp_path / "else") == ["invoices.csv"]
    assert (tmp_path / "else/invoices.csv").read_bytes() == b"mine"


def test_open_data_replace_those_of_last_time_and_no_file_of_somebody_else(
    data: Path, clinic: Path, tmp_path: Path
) -> None:
    last_time = practice.copied(data, tmp_path / "data")
    assert export(clinic, "data", "--to", last_time).code == 0
    assert b"CRN-000002" in (last_time / "invoices.csv").read_bytes()
    for no_package in (b'["membill"]', b'{"name": "mine"}', b"{"):
        (last_time / "datapackage.json").write_bytes(no_package)
        before = practice.files(last_time)
        done = export(clinic, "data", "--to", last_time)
        assert (done.code, practice.files(last_time)) == (2, before)
        assert "datapackage.json is already there and is another file;" in done.err


@pytest.fixture(scope="module")
def data(
    sample: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("data")
    assert export(sample[0], "data", "--to", folder).code == 0
    return folder


def test_a_disk_that_is_not_there_takes_nothing(
    sample: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    done = export(sample[0], "xero", "--to", tmp_path / "media/usb")
    assert done.code == 2
    assert f"there is no folder {tmp_path / 'media'}; make it" in done.err
    assert not list(tmp_path.iterdir())


def test_the_package_describes_its_files_and_every_row_holds_to_it(data: Path) -> None:
    assert list(faults_of(data)) == []


def _spoilt(data: Path) -> Iterator[tuple[str, str, str]]:
    text = (data / "lines.csv").read_text(encoding="utf-8")
    yield "lines.csv", text.replace(",29.99,", ",29.9x,", 1), "is no number"
    yield "lines.csv", text.replace("INV-000001,1,", "INV-000099,1,"), "leads nowhere"
    yield "lines.csv", text.replace("INV-000001,1,", ",1,"), "is blank"
    yield "lines.csv", text.replace("INV-000001,1,", "INV-000001,0,"), "is below 1"
    yield "lines.csv", text + text.splitlines()[1] + "\n", "stands twice"
    text = (data / "invoices.csv").read_text(encoding="utf-8")
    yield "invoices.csv", text.replace(",unsent,", ",lost,", 1), "is none of"
    yield "invoices.csv", text.replace(",true,", ",yes,", 1), "is no boolean"
    yield "invoices.csv", text.replace("number,kind", "kind,number"), "other headings"


def test_a_row_that_breaks_the_description_would_be_found(
    data: Path, tmp_path: Path
) -> None:
    for at, (name, text, fault) in enumerate(_spoilt(data)):
        folder = practice.copied(data, tmp_path / str(at))
        (folder / name).write_text(text, encoding="utf-8")
        assert any(fault in found for found in faults_of(folder)), fault


def test_parquet_holds_what_the_csv_does_with_its_types(data: Path) -> None:
    for name in ("invoices", "lines"):
        table = parquet.read_table(data / f"{name}.parquet")
        typed = [
            {key: _text(value) for key, value in row.items()}
            for row in table.to_pylist()
        ]
        assert typed == emulated.rows((data / f"{name}.csv").read_bytes())
    assert str(parquet.read_schema(data / "lines.parquet").field("net").type) == (
        "decimal128(14, 2)"
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_open_data_is_told_by_ids_alone_and_is_the_same_each_time(
    data: Path, sample: tuple[Path, dict[str, str]]
) -> None:
    patients = practice.invoices(sample[0])
    text = "".join(file.read_bytes().decode("latin-1") for file in data.iterdir())
    assert not [row["patient_name"] for row in patients if row["patient_name"] in text
                and row["patient_name"]]  # fmt: skip
    before = practice.files(data)
    assert export(sample[0], "data", "--to", data).code == 0
    assert practice.files(data) == before
    assert json.loads((data / "datapackage.json").read_text())["name"] == "membill"


# After a restore


@pytest.fixture(scope="module")
def first(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small practice after its first night."""
    return practice.copied(first_night, tmp_path_factory.mktemp("first") / "clinic")


@pytest.fixture(scope="module")
def left(first: Path) -> Path:
    """Two nights, and all of both left for two packages since the copy of the second.

    Two invoices were sent on the day before that.
    """
    folder = practice.copied(first, first.parent / "left")
    practice.add(folder, "patients", practice.member("P3", start_date="2026-03-02"))
    assert practice.bill(folder, "2026-03-02").code == 0
    by = ("--to", "x", "--by", "mm", "--on", TODAY)
    with practice.unpublished():
        for number in ("INV-000001", "INV-000002"):
            assert run("sent", folder, number, *by, today=TODAY).code == 0
    for target in ("xero", "sage50"):
        assert export(folder, target).code == 0
    return folder


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("2026-03-02-01",), id="to the last copy"),
        pytest.param(("2026-03-01-01", "--adopt"), id="to one before the last night"),
    ],
)
def restored(request: pytest.FixtureRequest, left: Path) -> Path:
    """That brought back to a copy, the import files in somebody's hands."""
    copy, *more = request.param
    folder = practice.copied(left, left.parent / copy / "clinic")
    (folder / "out/imports").rename(folder.parent / "imported")
    done = run("restore", folder, folder / f"ledger/backups/{copy}.duckdb", *more)
    assert done.code == 0, done.err
    return folder


def test_what_left_after_a_copy_was_made_leaves_no_second_time(
    left: Path, restored: Path, tmp_path: Path
) -> None:
    folder, files = practice.copied(restored, tmp_path / "clinic"), imports(left)
    assert not (folder / "out/imports").exists(), "nobody is tempted to import it twice"
    for name in sorted(files):
        target, _, batch = name.removesuffix(".csv").partition("-")
        assert export(folder, target).out.startswith(f"nothing new for {target}\n")
        assert export(folder, target, "--again", batch).code == 0
    assert imports(folder) == files
    proved = run("verify", folder, "--deep")
    assert proved.code == 0, proved.out


def test_no_batch_takes_the_name_of_one_that_was_entered_again(
    restored: Path, tmp_path: Path
) -> None:
    """Two runs of the day were lost with it, and the day goes on counting below them."""
    folder = practice.copied(restored, tmp_path / "clinic")
    how = ("--to", "the desk", "--by", "mm", "--on", "2026-03-31")
    with practice.unpublished():
        for number in ("INV-000001", "INV-000002"):
            sent = run("sent", folder, number, *how)
            assert sent.code == 0, sent.err
    told = export(folder, "quickfile")
    assert told.out.startswith("batch 2026-03-31-07 for quickfile: "), told.err


def test_a_batch_that_the_copy_knows_is_not_entered_again(
    left: Path, tmp_path: Path
) -> None:
    other = practice.copied(left, tmp_path / "other")
    with opened(ledger_path(other), write=True) as ledger:
        before = ledger.rows("select * from ledger.export_batches")
        assert enter_batches(ledger, ledger_path(left)) == []
        assert before and ledger.rows("select * from ledger.export_batches") == before


def test_a_batch_whose_documents_the_copy_has_otherwise_is_named(
    first: Path, left: Path, tmp_path: Path
) -> None:
    other = practice.copied(first, tmp_path / "other")
    with opened(ledger_path(other), write=True) as ledger:
        ledger.connection.execute("update ledger.invoices set gross = gross + 1")
        told = enter_batches(ledger, ledger_path(left))
        assert not ledger.rows("select * from ledger.export_batches")
    assert [each.partition(" left after")[0] for each in told] == [
        "batch 2026-03-31-03 for xero (4 documents)",
        "batch 2026-03-31-04 for sage50 (4 documents)",
    ]
