"""What `verify` finds, and what a night does that ends with something broken."""

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import practice
import pytest
from openpyxl import load_workbook
from practice import bill, member, run

from pipeline import chain
from pipeline.ledger import Ledger, ledger_path, opened, write_head
from pipeline.proof.probed import COUNTED, look_at_all, look_at_new, proved_until
from pipeline.proof.promises import PROMISES
from pipeline.proof.registers import registers_that_differ
from pipeline.proof.soundness import checksum_of, note_checksum
from pipeline.proof.verify import books_hold, is_small, left_alone, verify
from tests.given import ledger as in_memory

FIRST, SECOND = "2026-03-01", "2026-03-02"


@pytest.fixture(scope="module")
def after_two(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice with invoices of two nights, a credit note, a request and a sending."""
    folder = practice.copied(first_night, tmp_path_factory.mktemp("verify") / "clinic")
    asked = {
        "Request ID": "R1", "Patient ID": "P2", "Product code": "CONSULT",
        "Requested on": SECOND, "Requested by": "dd",
    }  # fmt: skip
    practice.add(folder, "invoice_requests", asked)
    practice.add(
        folder, "patients",
        member("P3", start_date=SECOND), member("P4", start_date="31/02/2026"),
    )  # fmt: skip
    sent = {"Invoice number": "INV-000001", "Sent on": SECOND, "Sent to": "x"}
    practice.add(folder, "sent", sent | {"Sent by": "dd"})
    practice.set_to(folder, "Practice phone", "01632 960001")
    assert bill(folder, SECOND).code == 3
    done = run(
        "credit", folder, "INV-000001", "--reason", "left", "--by", "mm", "--on", SECOND
    )
    assert done.code == 0
    assert run("export", folder, "quickbooks").code == 0
    return folder


@pytest.fixture
def clinic(after_two: Path, tmp_path: Path) -> Path:
    return practice.copied(after_two, tmp_path / "clinic")


def _faults(folder: Path, *options: str) -> dict[str, list[str]]:
    """The promises that do not hold, each with what is said of it."""
    found: dict[str, list[str]] = {}
    promise = ""
    for text in run("verify", folder, *options).out.splitlines():
        if text.startswith("       "):
            found[promise].append(text.strip())
        else:
            promise = text[7:]
            if text.startswith("WRONG"):
                found[promise] = []
    return found


def test_it_holds_and_says_what_it_tried(clinic: Path) -> None:
    proved = run("verify", clinic, "--deep")
    assert proved.code == 0
    said = [text[7:] for text in proved.out.splitlines()]
    assert {promise for promise, _, _ in PROMISES} <= set(said)
    assert len(set(said)) == len(said) == len(PROMISES) + 14
    assert all(text.startswith("ok    ") for text in proved.out.splitlines())


@pytest.mark.damaged
def test_a_head_of_an_earlier_link_is_told(clinic: Path) -> None:
    """As after a kill between a command's commit and its head file."""
    head = clinic / "ledger/head.json"
    written = json.loads(head.read_text(encoding="utf-8"))
    with opened(ledger_path(clinic), write=False) as ledger:
        (before,) = ledger.rows(
            "select position, sha256 from ledger.chain where position = 1"
        )
    head.write_text(json.dumps(written | before), encoding="utf-8")
    (told,) = _faults(clinic).values()
    assert told == [f"head.json is of link 1, the ledger of {written['position']}"]


# For each promise, a change that breaks it.
BROKEN = {
    "numbers have no gap, invoices and credit notes each for themselves":
        "update invoices set sequence = 9 where number = 'INV-000005'",
    "each number ends in its place in the series":
        "update invoices set sequence = 9 where number = 'INV-000005'",
    "numbers rise from run to run":
        "update invoices set run_no = 1 where number = 'INV-000005'",
    "dates never fall as numbers rise":
        "update invoices set issued_on = '2026-02-01' where number = 'INV-000005'",
    "each document equals its lines":
        "update lines set gross = gross + 1 where number = 'INV-000002'",
    "every line is of a document, numbered from 1":
        "update lines set line = 2 where number = 'INV-000002'",
    "net and tax make gross, line by line":
        "update lines set gross = gross + 1 where number = 'INV-000002'",
    "every line says where its price came from":
        "update lines set price_source = '' where number = 'INV-000002'",
    "each night equals its invoices":
        "update invoices set net = net + 1 where number = 'INV-000002'",
    "every document is of a run that makes documents, and has its letterhead":
        "delete from letterheads where run_no = 2",
    "no credit note takes back more than its invoice":
        "update invoices set gross = -60 where number = 'CRN-000001'",
    "every credit note is of an invoice":
        "update invoices set credits_number = 'INV-000099' where number = 'CRN-000001'",
    "no day of a membership is billed twice":
        "update billed_periods set period_end = '2026-03-01' where number = 'INV-000001'",
    "every billed period has its line":
        "update billed_periods set number = 'INV-000009' where number = 'INV-000001'",
    "every line for a period of an invoice uses that period up":
        "delete from billed_periods where number = 'INV-000001'",
    "every request that was filled has its line, and the other way round":
        "delete from filled_requests",
    "every sending is of a document, and not before it was made":
        "update sendings set sent_on = '2026-01-01'",
    "the last night's buckets add up to the roster":
        "delete from standings_now where patient_id = 'P2'",
    "where each membership stands is what was noted of it last":
        "update standings_now set bucket = 'ended' where patient_id = 'P2'",
    "whoever is held is held for a reason":
        "update standings set reason = null where bucket = 'held'",
    "every change of a guarded row that counts has its editor's name":
        "update changes set edited_by = null",
    "runs are numbered without a gap, and each change belongs to one":
        "update runs set run_no = 9 where run_no = 3",
    "nothing is recorded twice":
        "insert into billed_periods select 'another', period_start, period_end, number,"
        " line, generation from billed_periods where number = 'INV-000001'",
    "each link of the chain holds on to the one before it":
        "update chain set previous = 'x' where position = 2",
    "no file was ever published outside its folder":
        "insert into published values ('../../etc/passwd', 1, 'x')",
    "the hash chain is unbroken":
        "update invoices set bill_to_name = 'x' where number = 'INV-000002'",
    "the head file agrees with the ledger":
        "delete from chain where position = (select max(position) from chain)",
    "each document left once per target":
        "delete from exported_documents where number = 'INV-000002'",
    "each batch that left equals its documents, and keeps its layout":
        "update export_batches set layout = '{}'",
    "what left is a document, or what a month released that was closed by then":
        "insert into exported_documents select 'quickbooks', '2026-02', run_no, path"
        " from exported_documents limit 1",
    "every document is posted for publishing":
        "delete from outbox where path like '%INV-000005%'",
    "the counters stand at the last numbers given":
        "update counters set last_sequence = 4 where kind = 'invoice'",
    "the ledger's file is as its last run left it":
        "insert into published values ('x', 1, 'x')",
}  # fmt: skip

# Changes that leave each other alone: all of them are found in one ledger.
BROKEN_TOGETHER = {
    "every line of a credit note is of a line of its invoice, with the same tax":
        "update lines set tax_code = 'STD' where number = 'CRN-000001'",
    "no line is taken back for more than it is":
        "update lines set gross = -60 where number = 'CRN-000001'",
    "a period or request is billed again only after it was freed":
        "update billed_periods set generation = 2 where number = 'INV-000002'",
    "what was freed was billed, and is credited in full by a note that says so":
        "update lines set rebill = true where number = 'CRN-000001'",
    "what is billed in place of another line follows on its being freed":
        "update lines set replaces_number = 'INV-000001', replaces_line = 1"
        " where number = 'INV-000003'",
    "every closed month is what it was sealed with":
        "insert into closed_months"
        " values ('2026-02', '2026-03-02', 'mm', 1, 0, 0, 0, 0, 'x', 3)",
    "nothing is issued in a month after it was closed":
        "insert into closed_months"
        " values ('2026-03', '2026-03-02', 'mm', 1, 0, 0, 0, 0, 'x', 1)",
    "whatever a run closed stays closed":
        "update runs set command = 'close' where run_no = 2",
    "every published workbook is in the ledger":
        "delete from invoices where number = 'INV-000005'",
    "everything due was published":
        "delete from published where path like '%INV-000004%'",
}  # fmt: skip


NOTHING_PROVED = {"run": 0, "link": 0, "rows": dict.fromkeys(COUNTED, 0)}


def test_every_promise_has_its_test() -> None:
    tried = BROKEN.keys() | BROKEN_TOGETHER.keys()
    assert {promise for promise, _, _ in PROMISES} <= tried


@pytest.mark.damaged
def test_verify_finds_what_breaks_about_credits_months_and_files(clinic: Path) -> None:
    path = clinic / "ledger/membill.duckdb"
    with duckdb.connect(str(path)) as connection:
        for change in BROKEN_TOGETHER.values():
            connection.execute(change)
    note_checksum(path)
    assert BROKEN_TOGETHER.keys() <= {
        name for name, said in _faults(clinic).items() if said
    }


QUERIES = {promise: query for promise, _, query in PROMISES}


@pytest.fixture
def books(after_two: Path, tmp_path: Path) -> Iterator[Ledger]:
    """Its ledger alone, open to be changed."""
    path = tmp_path / "membill.duckdb"
    for file in (path, checksum_of(path)):
        shutil.copy(after_two / "ledger" / file.name, file)
    with opened(path, write=True, against_head=False) as ledger:
        yield ledger


@pytest.mark.damaged
@pytest.mark.parametrize("promise", sorted(BROKEN.keys() & QUERIES.keys()))
def test_a_promise_finds_what_breaks_it(promise: str, books: Ledger) -> None:
    books.connection.execute(f"use ledger; {BROKEN[promise]}; use tonight")
    look_at_all(books)
    assert books.rows(QUERIES[promise])
    # Rows that are all new are looked at by the same queries in another way, and a row
    # that belongs to no new record is not looked at, but it is counted.
    miscounted = look_at_new(books, NOTHING_PROVED)
    assert books.rows(QUERIES[promise]) or miscounted


@pytest.mark.damaged
@pytest.mark.parametrize("promise", sorted(BROKEN.keys() - QUERIES.keys()))
def test_verify_finds_what_breaks(promise: str, clinic: Path) -> None:
    path = clinic / "ledger/membill.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(BROKEN[promise])
    if "file" not in promise:
        note_checksum(path)
    if "head file" in promise:
        head = clinic / "ledger/head.json"
        refused = run("verify", clinic)
        assert "does not hold run" in refused.err
        head.unlink()
    found = _faults(clinic)
    assert found.get(promise), found


@pytest.mark.damaged
def test_the_files_are_proved_too(clinic: Path) -> None:
    out = clinic / "out"
    (out / "invoices/2026/03/INV-000002.xlsx").chmod(0o640)
    (out / "invoices/2026/03/INV-000003.xlsx").write_bytes(b"paid")
    (out / "invoices/2026").chmod(0o755)
    (out / ".invoices.xlsxabc.part").touch(mode=0o600)
    (clinic / "ledger/backups/2026-03-01-01.duckdb").chmod(0o604)
    assert _faults(clinic) == {
        "every published invoice is as it was made": [
            "invoices/2026/03/INV-000003.xlsx was changed after it was made"
        ],
        "nobody else can read the ledger or what it makes": [
            "2026-03-01-01.duckdb can be read or written by others",
            "2026 can be read or written by others",
            "INV-000002.xlsx can be read or written by others",
        ],
        "no file was left half made": [
            ".invoices.xlsxabc.part is the beginning of a file that was never finished;"
            " it can go"
        ],
    }


@pytest.mark.damaged
def test_deep_makes_the_registers_and_the_invoices_again(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register = clinic / "out/registers/2026-03.xlsx"
    register.write_bytes((clinic / "out/issues.xlsx").read_bytes())
    assert _faults(clinic) == {}
    monkeypatch.setattr("pipeline.exports.invoice.TOP_MARGIN", 13)
    assert _faults(clinic, "--deep") == {
        "every invoice made again is the same, byte for byte": [
            f"{number} is made differently now"
            for number in (*(f"INV-00000{n}" for n in range(1, 6)), "CRN-000001")
        ],
        "every register says what the ledger says": [
            "registers/2026-03.xlsx does not hold what the ledger does: its sheets are others"
        ],
    }
    register.unlink()
    assert "there is no register of 2026-03" in str(_faults(clinic, "--deep"))


def test_a_register_of_several_sheets_is_read_back_whole(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.exports.lists.MOST_ROWS", 2)
    assert run("rebuild", clinic).code == 0
    assert _faults(clinic, "--deep") == {}
    _edit(clinic, ("Lines 3", "P6", -49))
    assert _of_register(clinic) == "sheet Lines 3, cell P6: -49 in place of -50"


REGISTER = "out/registers/2026-03.xlsx"
NOT_THE_LEDGER = "registers/2026-03.xlsx does not hold what the ledger does"


def _edit(folder: Path, *cells: tuple[str, str, object]) -> None:
    """Open the register, type into cells of sheets and save it."""
    book = load_workbook(folder / REGISTER)
    for sheet, cell, value in cells:
        book[sheet][cell].value = value
    book.save(folder / REGISTER)


def _of_register(folder: Path) -> str:
    """What `verify --deep` would say of the one register that is wrong, "" of none."""
    with opened(ledger_path(folder), write=False) as ledger:
        found = registers_that_differ(ledger, folder / "out")
    (said,) = found or [""]
    return said.removeprefix(f"{NOT_THE_LEDGER}: ")


# Sheet, cell, what is typed into it, and what is said of that.
TYPED = (
    ("Summary", "D6", 6, "6 in place of 5"),
    ("Summary", "B69", "0" * 64, "another text"),
    ("Summary", "E8", 735, "735 in place of a formula"),
    ("Summary", "E8", "=SUM($E$6)", "another formula"),
    ("Invoices", "H5", "Wilhelmina Oddfellow", "another text"),
    ("Invoices", "L6", 55, "55 in place of 550"),
    ("Invoices", "D7", date(2026, 3, 3), "another date"),
    ("Invoices", "O6", date(2026, 3, 3), "a date in place of nothing"),
    ("Invoices", "A11", "INV-000006", "a text in place of nothing"),
    ("Lines", "P5", 49.99, "49.99 in place of 50"),
    ("Lines", "P5", "=50", "a formula in place of 50"),
    ("Lines", "P5", "50", "a text in place of 50"),
    ("Lines", "O5", 0.004, "0.004 in place of 0"),
    ("Credit notes", "I5", None, "nothing in place of a text"),
    ("Tax summary", "D5", 800, "800 in place of 785"),
    ("Unsent", "H5", 0, "0 in place of 550"),
    ("Deferred income", "N5", 485.33, "485.33 in place of 458.33"),
    ("Journal", "E5", 60, "60 in place of 50"),
    ("Journal", "C6", "4001", "another text"),
    ("Members", "D8", "Billed", "another text"),
    ("Members", "M8", None, "nothing in place of 50"),
    ("Checks", "F6", 0, "0 in place of a formula"),
)


@pytest.mark.parametrize(("sheet", "cell", "value", "said"), TYPED)
def test_whatever_somebody_types_into_a_register_is_noticed(
    sheet: str, cell: str, value: object, said: str, clinic: Path
) -> None:
    _edit(clinic, (sheet, cell, value))
    assert _of_register(clinic) == f"sheet {sheet}, cell {cell}: {said}"


def test_a_register_that_was_merely_saved_or_looks_otherwise_says_the_same(
    clinic: Path,
) -> None:
    made = (clinic / REGISTER).read_bytes()
    _edit(clinic)
    assert (clinic / REGISTER).read_bytes() != made
    assert _of_register(clinic) == ""
    book = load_workbook(clinic / REGISTER)
    book["Invoices"]["D5"].number_format = "0"  # a day as its number
    book["Invoices"]["L5"].number_format = "0"
    book["Invoices"].row_dimensions[6].hidden = True
    book["Lines"].column_dimensions["A"].width = 50
    # As Excel writes them: without quotes and last noughts.
    book["Checks"]["E6"].value = book["Checks"]["E6"].value.replace("'", "")
    book.save(clinic / REGISTER)
    assert _faults(clinic, "--deep") == {}


CLOSING = "ROUND(SUM('Deferred income'!$N$5),2)"


@pytest.mark.parametrize(
    ("formula", "saved", "said"),
    (
        (CLOSING, "<v>485.33</v>",
         "sheet Summary, cell E15: its formula shows 485.33 in place of 458.33"),
        (CLOSING, "<v>458.3300001</v>", ""),
        (CLOSING, "", ""),  # as openpyxl saves it
        # It follows somebody's filter.
        ("SUBTOTAL(109,$I$5:$I$9)", "<v>1</v>", ""),
    ),
)  # fmt: skip
def test_what_a_formula_showed_counts_to_the_penny_where_it_was_saved(
    formula: str, saved: str, said: str, clinic: Path
) -> None:
    with zipfile.ZipFile(clinic / REGISTER) as made:
        parts = {name: made.read(name).decode() for name in made.namelist()}
    shown = re.compile(f"(<f>{re.escape(formula)}</f>)<v>[^<]*</v>")
    assert shown.search("".join(parts.values()))
    with zipfile.ZipFile(clinic / REGISTER, "w") as changed:
        for name, text in parts.items():
            changed.writestr(name, shown.sub(rf"\g<1>{saved}", text))
    assert _of_register(clinic) == said


def test_a_register_with_other_sheets_or_none_is_noticed(clinic: Path) -> None:
    book = load_workbook(clinic / REGISTER)
    book.create_sheet("Wilhelmina Oddfellow")
    book.save(clinic / REGISTER)
    assert _of_register(clinic) == "its sheets are others"
    (clinic / REGISTER).write_bytes(b"paid")
    assert _of_register(clinic) == "it cannot be read"


def test_of_a_register_of_another_version_documents_and_amounts_count(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.proof.registers.VERSION", "0.0.9")
    _edit(clinic, ("Lines", "P5", 49), ("Summary", "A1", "Register"))
    assert _of_register(clinic) == ""
    _edit(clinic, ("Invoices", "L6", 55))
    assert _of_register(clinic) == NOT_THE_LEDGER


@pytest.mark.damaged
def test_a_register_that_is_due_to_be_made_again_is_not_called_changed(
    clinic: Path,
) -> None:
    path = clinic / "ledger/membill.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("delete from published where path like 'registers/%'")
    note_checksum(path)
    _edit(clinic, ("Lines", "P5", 49))
    found = _faults(clinic, "--deep")
    assert found == {
        "everything due was published": [
            "registers/2026-03.xlsx waits for the next run"
        ]
    }


# A head noted down elsewhere


def test_a_head_that_was_noted_is_still_held_later_on(clinic: Path) -> None:
    first = (clinic / "out/runs/2026-03-01-01/run.json").read_text(encoding="utf-8")
    noted = first.split('"chain_head": "')[1][:64]
    promise = "the ledger still holds the head you noted"
    for head in (noted, noted[:16].upper()):
        proved = run("verify", clinic, "--head", head)
        assert (proved.code, f"ok     {promise}" in proved.out) == (0, True)
    (fault,) = _faults(clinic, "--head", "0" * 64)[promise]
    assert fault.startswith("no link of the chain is that one")
    for head in ("abc", "x" * 64, noted + "0"):
        assert run("verify", clinic, "--head", head).code == 2


@pytest.fixture(scope="module")
def forged(after_two: Path) -> Path:
    """The clinic once more, a name changed in its past and each hash worked out anew."""
    folder = practice.copied(after_two, after_two.parent / "forged")
    with opened(folder / "ledger/membill.duckdb", write=True) as ledger:
        ledger.connection.execute(
            "update ledger.invoices set bill_to_name = 'x' where number = 'INV-000001';"
            "delete from ledger.chain"
        )
        chain.extend(ledger.connection, 1)
        write_head(ledger)
    return folder


@pytest.mark.damaged
def test_a_past_written_anew_with_all_its_hashes_fits_no_head_noted_elsewhere(
    after_two: Path, forged: Path
) -> None:
    """It holds in itself, and is not the one noted."""
    noted = practice.last_run(after_two)["chain_head"]
    assert run("verify", forged).code == 0
    assert run("verify", forged, "--head", noted).code == 4


# The end of a night


@pytest.mark.damaged
def test_a_night_that_ends_with_a_broken_promise_says_so_and_ends_with_1(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promise = ("all is well", (1,), "select 'it is not' as fault")
    monkeypatch.setattr("pipeline.proof.verify.PROMISES", (*PROMISES, promise))
    done = bill(clinic, SECOND)
    assert done.code == 1
    assert done.err == (
        "The night is recorded, but its ledger does not hold what it promises: all is"
        " well: it is not. Send nothing of tonight before somebody has looked: `membill"
        " verify` tells more, and `membill restore` brings back an earlier copy.\n"
    )
    assert practice.last_run(clinic)["run_id"] == "2026-03-02-03"
    copies = (clinic / "ledger/backups").glob("2026-03-02-03*")
    assert not list(copies), "what does not hold is not copied"


def test_an_empty_ledger_breaks_no_promise(tmp_path: Path) -> None:
    with in_memory() as books:
        faults = [r for r in verify(books, tmp_path / "out") if r.faults]
    assert faults == []


# What concerns files that people can move about, not the books.
OF_FILES = {
    "no published workbook lies in another month's folder",
    "everything due was published",
    "every published invoice is as it was made",
    "every import file is as it was made",
    "nobody else can read the ledger or what it makes",
    "no file was left half made",
}
WHEN_DEEP = {
    "every invoice made again is the same, byte for byte",
    "every import file made again is the same, byte for byte",
    "every register says what the ledger says",
}


@pytest.mark.parametrize("deep", [None, True, False])
def test_books_are_told_from_the_files_made_of_them(
    deep: bool | None, tmp_path: Path
) -> None:
    asked = {} if deep is None else {"deep": deep}
    with in_memory() as books:
        found = verify(books, tmp_path / "out", **asked)
    of_files = {result.promise for result in found if not result.of_ledger}
    assert of_files == (OF_FILES | WHEN_DEEP if deep else OF_FILES)


@pytest.mark.parametrize(
    ("there", "noted", "fault"),
    [
        pytest.param(False, "right", False, id="no ledger"),
        pytest.param(True, None, False, id="left by a run that was killed"),
        pytest.param(True, "right", False, id="as it was left"),
        pytest.param(True, "wrong", True, id="changed since"),
    ],
)
def test_a_ledger_that_is_not_as_it_was_left_is_told(
    there: bool, noted: str | None, fault: bool, tmp_path: Path
) -> None:
    path = tmp_path / "membill.duckdb"
    path.write_bytes(b"x")
    if noted:
        note_checksum(path, "" if noted == "right" else "0" * 64)
    if not there:
        path.unlink()
    assert bool(left_alone(path).faults) is fault


def test_of_a_ledger_with_a_damaged_table_nothing_else_is_asked(tmp_path: Path) -> None:
    with in_memory() as books, pytest.MonkeyPatch.context() as damaging:
        damaging.setattr(Ledger, "value", _damaged)
        (found,) = verify(books, tmp_path / "out")
    assert "ledger.chain is damaged" in found.faults


def _damaged(*_: object) -> None:
    raise duckdb.IOException("a block does not have its checksum")


@pytest.mark.parametrize(("more", "small"), [(0, True), (-1, False)])
def test_a_ledger_is_small_up_to_a_size(
    more: int, small: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "membill.duckdb"
    path.write_bytes(b"words")
    monkeypatch.setattr("pipeline.proof.verify.SMALL", 5 + more)
    with in_memory() as books:
        assert is_small(replace(books, path=path)) is small
        assert not is_small(books), "in memory, and none of it in a file"


# A large ledger: what was proved once is not looked at again

FOURTH = "2026-03-04"


@pytest.fixture
def large(clinic: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clinic, its ledger too large to be proved whole, proved up to its last night."""
    monkeypatch.setattr("pipeline.proof.verify.SMALL", 0)
    return clinic


def _new_faults(folder: Path, change: str = "") -> dict[str, list[str]]:
    """What a proof of the new rows alone finds after a change behind its back."""
    path = folder / "ledger/membill.duckdb"
    if change:
        with duckdb.connect(str(path)) as connection:
            connection.execute(change)
        note_checksum(path)
    with opened(path, write=False, against_head=False) as ledger:
        proved = proved_until(ledger)
        assert proved
        return {r.promise: r.faults for r in books_hold(ledger, proved) if r.faults}


@dataclass(frozen=True)
class Later:
    """The clinic after a third night, and how far it was proved before; there was a folder
    of somebody else in its outputs.
    """

    folder: Path
    before: dict[str, int]
    new_faults: dict[str, list[str]]
    done: practice.Result


@pytest.fixture(scope="module")
def later(after_two: Path) -> Later:
    folder = practice.copied(after_two, after_two.parent / "later")
    practice.add(folder, "patients", member("P5", start_date=FOURTH))
    args = ("INV-000002", "--reason", "x", "--by", "mm", "--on", SECOND)
    assert run("credit", folder, *args).code == 0
    before, faults = _proved(folder), _new_faults(folder)
    (folder / "out/invoices.xlsx").chmod(0o644)
    (folder / "out/lost+found").mkdir(mode=0o755)
    (folder / "out/lost+found").chmod(0o755)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("pipeline.proof.verify.SMALL", 0)
        done = bill(folder, FOURTH)
    (folder / "out/lost+found").rmdir()
    return Later(folder, before, faults, done)


def test_nights_of_a_large_ledger_prove_what_they_add(later: Later) -> None:
    """A credit note, the export, another credit note and the night itself."""
    assert later.new_faults == {}
    assert later.done.code == 3
    assert _proved(later.folder)["run"] == later.before["run"] + 4
    assert run("verify", later.folder).code == 0


def test_files_that_somebody_changed_are_a_warning_of_the_night(later: Later) -> None:
    assert (
        "Warning: lost+found can be read or written by others (should hold: nobody else"
        " can read the ledger or what it makes)\n" in later.done.err
    )


def _proved(folder: Path) -> dict[str, int]:
    with _looking(folder) as ledger:
        return proved_until(ledger)


def _looking(folder: Path) -> AbstractContextManager[Ledger]:
    return opened(folder / "ledger/membill.duckdb", write=False, against_head=False)


@pytest.mark.damaged
def test_rows_that_belong_to_no_new_record_are_found(large: Path) -> None:
    change = (
        "insert into lines select * replace ('INV-000099' as number) from lines limit 1;"
        "delete from sendings"
    )
    assert _new_faults(large, change)["what was proved before is as it was"] == [
        "lines has 6 rows of before, where 5 were proved",
        "sendings has 0 rows of before, where 1 were proved",
    ]


def test_a_proof_of_another_ledger_does_not_count(forged: Path, tmp_path: Path) -> None:
    """It came as far, over other links."""
    other = practice.copied(forged, tmp_path / "other")
    with _looking(other) as ledger:
        assert proved_until(ledger) == {}
    (other / "ledger/proved.json").write_text("{}", encoding="utf-8")
    with _looking(other) as ledger:
        assert proved_until(ledger) == {}


def test_a_ledger_that_was_brought_back_is_proved_whole(large: Path) -> None:
    """The same night lived again has the same link, and is a new one all the same."""
    assert run("backup", large).code == 0
    (copy,) = (large / "ledger/backups").glob("*by-hand.duckdb")
    assert _proved(large)
    assert run("restore", large, copy).code == 0
    with _looking(large) as ledger:
        assert proved_until(ledger) == {}
