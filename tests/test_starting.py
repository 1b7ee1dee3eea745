"""A practice begun by `membill init`, and an older one carried into new templates."""

import io
import shlex
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from unittest.mock import patch

import openpyxl
import practice
import pytest
from click.testing import CliRunner
from openpyxl.workbook import Workbook

from pipeline.__main__ import cli
from pipeline.exports.templates import template
from pipeline.reading.folder import WORKBOOKS
from pipeline.workbooks import read_practice
from schemas import Practice
from schemas.columns import columns

OPTIONS = (
    "--practice-name", "Harbour Lane Surgery", "--bill-from", "01/03/2026",
    "--first-number", "501", "--auto-invoice", "y", "--manager", "mm",
    "--manager-name", "Mo Manager",
)  # fmt: skip
Change = Callable[[Workbook], None]


def rows(path: Path, title: str) -> list[tuple]:
    """The rows of a sheet below its headings."""
    sheet = openpyxl.load_workbook(path)[title]
    return [*sheet.iter_rows(min_row=2, values_only=True)]


def said(path: Path) -> dict[str, object]:
    """The settings of a workbook that have a value."""
    return {row[0]: row[1] for row in rows(path, "Settings") if row[1] is not None}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice begun with every option, one product and one member typed in."""
    folder = tmp_path_factory.mktemp("begun") / "practice"
    assert practice.run("init", folder, *OPTIONS).code == 0
    for file, title, cells in (
        ("products", "Products", {
            "A2": "GOLD", "B2": "Gold", "C2": "Membership", "E2": 50, "H2": "EXEMPT",
            "K2": "Yes", "L2": "mm",
        }),
        ("patients", "Patients", {
            "A2": "00042", "C2": "Annabel", "D2": "Quillfeather", "L2": "Yes",
            "M2": "GOLD", "O2": datetime(2026, 3, 31),
        }),
    ):  # fmt: skip
        book = openpyxl.load_workbook(folder / f"{file}.xlsx")
        for cell, value in cells.items():
            book[title][cell] = value
        book.save(folder / f"{file}.xlsx")
    return folder


def test_the_answers_stand_in_their_cells(begun: Path) -> None:
    settings = said(begun / "settings.xlsx")
    assert settings["Practice name"] == "Harbour Lane Surgery"
    assert settings["Bill from"] == datetime(2026, 3, 1)
    assert settings["First invoice number"] == 501
    assert settings["Auto invoice"] == "Yes"


def test_the_manager_is_on_the_staff_and_signs_what_is_there(begun: Path) -> None:
    book = begun / "settings.xlsx"
    assert rows(book, "Staff") == [("mm", "Mo Manager", "Manager", "Yes")]
    signatures = [
        row[-1] for title in ("Settings", "Tax codes") for row in rows(book, title)
    ]
    assert set(signatures) == {"mm"}
    told = [cell.value for cell in openpyxl.load_workbook(book)["Read me"]["A"]]
    assert not any("unsigned rows" in str(line) for line in told)


def test_the_first_night_accepts_what_was_begun(begun: Path, tmp_path: Path) -> None:
    folder = practice.copied(begun, tmp_path / "night")
    night = practice.bill(folder, "2026-03-31")
    assert (night.code, night.err) == (0, "")
    assert practice.lines(folder, "number", "patient_id", "gross") == [
        ("INV-000501", "00042", "50.00")
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--bill-from", "31/02/2026"),
            "--bill-from: 31/02/2026 is not a date; write it as a date cell or as"
            " 2024-01-31",
        ),
        (
            ("--first-number", "0"),
            "--first-number: 0 cannot be used; write a whole number of at least 1",
        ),
        (
            ("--first-number", "one"),
            "--first-number: one is not a whole number; write a whole number, such as"
            " 14",
        ),
        (
            ("--auto-invoice", "perhaps"),
            "--auto-invoice: perhaps is not Yes or No; write Yes or No",
        ),
        (
            ("--manager", "m&m", "--manager-name", "Mo"),
            "--manager: m&m has the character & in it; begin with a letter or digit and"
            " use only letters, digits, - _ . or /",
        ),
        (
            ("--manager", "mm"),
            "--manager and --manager-name belong together; give both",
        ),
        (
            ("--practice-name", "Harbour Lane", "--from", "."),
            "--from carries the old settings over; leave the other options out",
        ),
    ],
)  # fmt: skip
def test_a_wrong_answer_makes_nothing_and_says_what_to_write(
    tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    told = practice.run("init", tmp_path / "new", *options)
    assert (told.code, told.out) == (2, "")
    assert told.err.endswith(f"Error: {message}\n")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("name", "typed"),
    [("new", "{}/new"), ("n 1", "'{}/n 1'"), ("o'n", """'{}/o'"'"'n'""")],
)
def test_the_command_that_comes_next_can_be_pasted(
    name: str, typed: str, tmp_path: Path
) -> None:
    told = practice.run("init", tmp_path / name)
    command = f"membill check {typed.format(tmp_path)}"
    assert told.out.splitlines()[-1] == f"what is still to mend says: {command}"
    assert shlex.split(command) == ["membill", "check", str(tmp_path / name)]


def test_without_an_answer_a_cell_stays_blank_and_unsigned(tmp_path: Path) -> None:
    assert practice.run("init", tmp_path / "new").code == 0
    book = tmp_path / "new/settings.xlsx"
    assert {"Practice name", "Bill from", "Auto invoice"}.isdisjoint(said(book))
    assert {row[-1] for row in rows(book, "Settings")} == {None}


def asked(folder: Path, typed: str, *options: str) -> tuple[int, str]:
    """`init` with somebody at the terminal who types these lines."""
    with (
        patch("pipeline.starting.asking.asks", lambda: True),
        patch("pipeline.commands.clock.today", lambda zone: date(2026, 12, 9)),
    ):
        found = CliRunner().invoke(
            cli, ["init", str(folder), *options], input=typed, catch_exceptions=False
        )
    return found.exit_code, found.stderr


def test_on_a_terminal_it_asks_suggests_and_asks_again(tmp_path: Path) -> None:
    typed = "Harbour Lane\n31/02/2027\n\n7\nNo\nmm\nMo Manager\n"
    code, shown = asked(tmp_path / "new", typed)
    assert code == 0
    assert "Bill from: no period that starts before it is billed [2027-01-01]" in shown
    assert "Error: 31/02/2027 is not a date" in shown
    settings = said(tmp_path / "new/settings.xlsx")
    assert settings["Bill from"] == datetime(2027, 1, 1)
    assert (settings["First invoice number"], settings["Auto invoice"]) == (7, "No")
    assert len(rows(tmp_path / "new/settings.xlsx", "Staff")) == 1


def test_enter_alone_leaves_a_manager_out_and_what_is_told_is_not_asked(
    tmp_path: Path,
) -> None:
    code, shown = asked(tmp_path / "new", "\n\n\n\n", "--practice-name", "Harbour Lane")
    assert code == 0
    assert "Name of the practice" not in shown and "full name" not in shown
    assert rows(tmp_path / "new/settings.xlsx", "Staff") == []


# Older workbooks


def older(**tables: Change) -> dict[str, bytes]:
    """Workbooks by file name: templates changed as an office changes them."""
    made = {}
    for file, change in tables.items():
        book = openpyxl.load_workbook(io.BytesIO(template(file)))
        book.custom_doc_props["billing_template"].value = f"{file}/1"
        change(book)
        buffer = io.BytesIO()
        book.save(buffer)
        made[f"{file}.xlsx"] = buffer.getvalue()
    return made


def lived_in(book: Workbook) -> None:
    """Columns moved, renamed, added and left out; values of every kind."""
    del book["Patients"]
    sheet = book.create_sheet("Patients")
    for row in (
        ["Surname", "Patient ID", "First name", "Membership active", "Nickname", "Notes",
         "Start date", "Phone", "Nickname", "Postcode"],
        ["Quillfeather", "00042", "Annabel", True, "Bel", "likes\nmornings",
         datetime(2026, 1, 31), 7700900123, None, " AB1 2CD "],
        [None] * 10,
        ["=HYPERLINK", 17, "Barnaby", "yes", 3.25, time(9, 30), "2026-02-01",
         "+44 20 7946 0000", datetime(2026, 2, 1, 8, 15), None],
        ["Total", None, None, None, None, None, None, None, 2, None],
    ):  # fmt: skip
        sheet.append(row)
    sheet["A4"].data_type = "s"


def shorter_settings(book: Workbook) -> None:
    """Settings from before there was a Retention years."""
    sheet = book["Settings"]
    last = [cell.value for cell in sheet["A"]].index("Retention years") + 1
    sheet.delete_rows(last)
    sheet["B2"], sheet["C2"] = "Harbour Lane", "mm"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An older practice folder: two workbooks and a CSV."""
    folder = tmp_path_factory.mktemp("old")
    for name, content in older(patients=lived_in, settings=shorter_settings).items():
        (folder / name).write_bytes(content)
    text = "Code,Name,Active,Colour\r\n007,Acme,Yes,red\r\n"
    (folder / "products.csv").write_text(text, encoding="utf-8", newline="")
    return folder


@pytest.fixture(scope="module")
def carried(old: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The new folder its rows were carried into, and what was said."""
    folder = tmp_path_factory.mktemp("carried") / "new"
    before = practice.files(old)
    told = practice.run("init", folder, "--from", old)
    assert (told.code, told.err) == (0, "")
    assert practice.files(old) == before
    return folder, told.out.replace(f"{folder}/", "")


def test_what_was_carried_is_counted(carried: tuple[Path, str]) -> None:
    count = len(list(columns(Practice))) - 1
    assert carried[1] == (
        "made settings.xlsx\n"
        f"  Settings: {count} rows before, {count} carried over\n"
        "    new settings with their defaults, to be signed: Retention years\n"
        "  Tax codes: 3 rows before, 3 carried over\n"
        "  Staff: 0 rows before, 0 carried over\n"
        "  Roles: 3 rows before, 3 carried over\n"
        "made products.xlsx\n"
        "  Products: 1 row before, 1 carried over\n"
        "    from products.csv, which this workbook replaces\n"
        "    the office's own columns, at the right: Colour\n"
        "made patients.xlsx\n"
        "  Patients: 3 rows before, 3 carried over\n"
        "    the office's own columns, at the right: Nickname, Nickname (2)\n"
        "  Contacts: 0 rows before, 0 carried over\n"
        "made sent_log.xlsx\n"
        "made invoice_requests.xlsx\n"
    )


def test_every_cell_is_carried_as_it_was_typed(carried: tuple[Path, str]) -> None:
    sheet = openpyxl.load_workbook(carried[0] / "patients.xlsx")["Patients"]
    titles = [cell.value for cell in sheet[1]]
    found = [
        {
            title: value
            for title, value in zip(titles, row, strict=True)
            if value is not None
        }
        for row in sheet.iter_rows(min_row=2, values_only=True)
    ]
    assert found == [
        {
            "Last name": "Quillfeather", "Patient ID": "00042", "First name": "Annabel",
            "Membership active": True, "Nickname": "Bel", "Notes": "likes\nmornings",
            "Start date": datetime(2026, 1, 31), "Phone": 7700900123,
            "Postcode": " AB1 2CD ",
        },
        {
            "Last name": "=HYPERLINK", "Patient ID": 17, "First name": "Barnaby",
            "Membership active": "yes", "Nickname": 3.25, "Notes": time(9, 30),
            "Start date": "2026-02-01", "Phone": "+44 20 7946 0000",
            "Nickname (2)": datetime(2026, 2, 1, 8, 15),
        },
        {"Last name": "Total", "Nickname (2)": 2},
    ]  # fmt: skip
    assert {cell.data_type for cell in sheet["D"]} == {"s"}
    products = rows(carried[0] / "products.xlsx", "Products")
    assert [[v for v in row if v is not None] for row in products] == [
        ["007", "Acme", "Yes", "red"]
    ]


def test_new_settings_come_last_and_the_old_ones_keep_their_signature(
    carried: tuple[Path, str],
) -> None:
    listed = rows(carried[0] / "settings.xlsx", "Settings")
    assert listed[0] == ("Practice name", "Harbour Lane", "mm")
    assert listed[-1] == ("Retention years", 6, None)


def test_the_new_workbooks_read_as_the_old_ones_did(carried: tuple[Path, str]) -> None:
    problems = [
        p for p in read_practice(carried[0]).problems if p.code != "column-unknown"
    ]
    assert [(p.code, str(p.place)) for p in problems] == [
        ("rows-skipped", "patients.xlsx: Patients!A4")
    ]


def test_in_the_old_folder_the_new_ones_lie_beside_and_no_night_reads_them(
    old: Path, tmp_path: Path
) -> None:
    folder = practice.copied(old, tmp_path / "practice")
    before = practice.files(folder)
    told = practice.run("init", folder, "--from", folder)
    made = {
        f"{file} - template 2.xlsx" for file in ("settings", "products", "patients")
    }
    assert told.code == 0
    assert practice.files(folder, but=tuple(made)) == before
    assert {path.name for path in folder.iterdir()} == {*before, *made}
    reading = read_practice(folder)
    assert {sheet.file for sheet in reading.sheets.values()} <= {*before}
    assert [str(p) for p in reading.problems if p.code == "template-ready"] == [
        f"{file} - template 2.xlsx: rows of {file}.xlsx were carried into this new"
        f" template, which was not read; look through it, then move {file}.xlsx out of"
        " the folder and give this its name"
        for file in ("patients", "settings")
    ]
    again = practice.run("init", folder, "--from", folder)
    assert (again.code, again.out) == (4, "")
    assert practice.files(folder, but=tuple(made)) == before


def test_what_the_old_folder_lacks_is_the_template(old: Path, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old/products.csv").write_bytes((old / "products.csv").read_bytes())
    assert practice.run("init", tmp_path / "new", "--from", tmp_path / "old").code == 0
    for file in ("settings", "patients"):
        made = (tmp_path / f"new/{file}.xlsx").read_bytes()
        assert made == template(file)


def spoiled(book: Workbook) -> None:
    """A formula that no spreadsheet has worked out yet, and merged cells."""
    book["Patients"]["A2"] = "=1+1"
    book["Patients"].merge_cells("H2:I2")


def test_what_cannot_be_carried_stops_it_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / "patients.xlsx").write_bytes(older(patients=spoiled)["patients.xlsx"])
    (folder / "products.xls").write_bytes(b"")
    told = practice.run("init", tmp_path / "new", "--from", folder)
    assert (told.code, told.out) == (4, "")
    assert told.err.splitlines()[:3] == [
        "Refused: products.xls: the file holds nothing (0 bytes), as one that is"
        " still in the cloud does; open it once so that it is downloaded, or bring back"
        " an earlier version, named products.xlsx",
        "Refused: patients.xlsx: Patients!A2: the formula was saved without its"
        " value; open the file in Excel, let it calculate, and save it",
        "Refused: patients.xlsx: Patients!H2: the cell is merged with its"
        " neighbours (H2:I2); unmerge the cells and write the value of each",
    ]
    assert not (tmp_path / "new").exists()


def test_a_template_carried_into_a_template_is_the_template(tmp_path: Path) -> None:
    practice.run("init", tmp_path / "one")
    practice.run("init", tmp_path / "two", "--from", tmp_path / "one")
    for file in WORKBOOKS:
        one, two = (tmp_path / name / f"{file}.xlsx" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_a_blank_name_is_no_folder() -> None:
    refused = practice.run("init", "")
    assert refused.code == 2
    assert "the name of the folder is blank" in refused.err


@pytest.mark.parametrize("day", ["01/01/1900", "31/12/1899", "04/07/1850"])
def test_a_birth_date_before_all_sheets_is_carried_over_as_it_was(
    day: str, tmp_path: Path
) -> None:
    export = tmp_path / "export.csv"
    export.write_text(f"No,First,Last,Born\n7,Ann,Xu,{day}\n", encoding="utf-8")
    mapping = tmp_path / "map.toml"
    mapping.write_text(
        'dates = "d/m/yyyy"\n[columns]\n"Patient ID" = "No"\n"First name" = "First"\n'
        '"Last name" = "Last"\n"Date of birth" = "Born"\n[constants]\n'
        '"Membership active" = "No"\n',
        encoding="utf-8",
    )
    made = tmp_path / "patients.xlsx"
    done = practice.run("import", "patients", export, "--map", mapping, "--to", made)
    assert done.code in (0, 3), done.err
    sheet = openpyxl.load_workbook(made)["Patients"]
    heads = [cell.value for cell in sheet[1]]
    born = sheet.cell(2, heads.index("Date of birth") + 1).value
    first, month, year = day.split("/")
    assert str(born) == f"{year}-{month}-{first}"
