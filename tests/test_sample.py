"""The sample practice: made the same every time, and what its README says of it."""

import csv
import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from stdnum.gb import vat

from pipeline.problems import Severity
from sample_data import make_sample
from sample_data.mistakes import CSV_TABLES, EXTRA_SHEET, MISTAKES
from sample_data.people import PEOPLE, patient_id
from sample_data.practice import SCHEMAS, practice
from sample_data.sheets import title_of
from schemas.columns import about, columns

FOLDER = Path(make_sample.__file__).parent
SPOILED = FOLDER / "with_mistakes"
MADE = {FOLDER: make_sample.sample(), SPOILED: make_sample.spoiled()}
FILES = [(folder, name) for folder, files in MADE.items() for name in files]
WORKBOOKS = [(folder, name) for folder, name in FILES if name.endswith(".xlsx")]


def called(case: tuple[Path, str]) -> str:
    """A file as a test id."""
    return f"{case[0].name}/{case[1]}"


def parts(name: str, content: bytes) -> dict[str, bytes]:
    """What a file is made of: of a workbook its parts, which another zlib packs otherwise."""
    if name.endswith(".csv"):
        return {name: content}
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return {part: package.read(part) for part in package.namelist()}


def formulas(content: bytes) -> list[str]:
    """Where a workbook holds formulas."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    return [
        f"{sheet.title}!{cell.coordinate}"
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


@pytest.mark.parametrize("case", FILES, ids=called)
def test_the_file_is_what_the_maker_makes(case: tuple[Path, str]) -> None:
    folder, name = case
    there, made = (folder / name).read_bytes(), MADE[folder][name]
    assert parts(name, there) == parts(name, made), "make sample"


@pytest.mark.parametrize("folder", MADE, ids=lambda folder: folder.name)
def test_no_other_sheet_lies_in_the_folder(folder: Path) -> None:
    found = {path.name for path in folder.iterdir() if path.suffix in (".xlsx", ".csv")}
    assert found == set(MADE[folder])


def test_made_twice_the_files_are_the_same_byte_for_byte() -> None:
    assert make_sample.sample() == MADE[FOLDER]
    assert make_sample.spoiled() == MADE[SPOILED]


@pytest.mark.parametrize("table", SCHEMAS)
def test_headings_are_those_of_the_schema_in_its_order(table: str) -> None:
    schema = SCHEMAS[table]
    expected = [column.title for column in columns(schema)]
    if table in CSV_TABLES:
        lines = MADE[FOLDER][f"{table}.csv"].decode().splitlines()
        assert next(csv.reader(lines)) == expected
        return
    content = MADE[FOLDER][f"{about(schema)['file']}.xlsx"]
    sheet = openpyxl.load_workbook(io.BytesIO(content))[title_of(schema)]
    assert [cell.value for cell in sheet[1]] == expected


def test_a_sheet_is_an_excel_table_of_its_name_with_the_heading_frozen() -> None:
    for (folder, name), content in (
        (case, MADE[FOLDER][case[1]]) for case in WORKBOOKS
    ):
        if folder == FOLDER:
            for sheet in openpyxl.load_workbook(io.BytesIO(content)):
                assert list(sheet.tables) == [sheet.title.replace(" ", "_")], name
                assert sheet.freeze_panes == "B2", name


def test_eight_products_and_forty_patients() -> None:
    sheets = practice()
    types = Counter(row["type"] == "Membership" for row in sheets["products"])
    assert types == {True: 6, False: 2}
    assert len(sheets["patients"]) == len(PEOPLE) == 40


def test_the_vat_number_passes_its_check() -> None:
    values = {row["setting"]: row["value"] for row in practice()["settings"]}
    assert values["VAT registered"] == "Yes"
    assert vat.is_valid(values["VAT number"])


def test_every_bucket_a_first_night_can_show_has_somebody_in_it() -> None:
    assert Counter(person.bucket for person in PEOPLE if person.bucket) == {
        "billed": 27,
        "not_yet_due": 3,
        "ended": 2,
        "inactive": 2,
        "before_bill_from": 2,
    }


def test_only_the_practice_with_mistakes_holds_formulas() -> None:
    books = {case: formulas(MADE[case[0]][case[1]]) for case in WORKBOOKS}
    found = {called(case): places for case, places in books.items() if places}
    assert found == {"with_mistakes/patients.xlsx": ["Patients!O17", "Patients!O26"]}


def test_every_formula_has_a_saved_value() -> None:
    book = openpyxl.load_workbook(SPOILED / "patients.xlsx", data_only=True)
    assert book["Patients"]["O17"].value == "#REF!"
    assert book["Patients"]["O26"].value is not None


def test_there_are_mistakes_of_every_seriousness_that_lets_the_night_go_on() -> None:
    counted = Counter(mistake.severity for mistake in MISTAKES)
    assert counted[Severity.HELD] >= 25
    assert counted[Severity.CHECK] >= 15
    assert counted[Severity.FIXED] >= 5
    assert Severity.STOPS not in counted


def test_every_mistake_stands_where_the_list_says() -> None:
    books = {
        name: openpyxl.load_workbook(io.BytesIO(MADE[SPOILED][name]))
        for folder, name in WORKBOOKS
        if folder == SPOILED
    }
    typed = [m for m in MISTAKES if m.found and m.file in books]
    for mistake in typed:
        value = books[mistake.file][mistake.sheet][mistake.cell].value
        shown = f"{value:%d %b %Y}" if _is_midnight(value) else str(value)
        assert mistake.found in (shown, "(blank)" if value is None else shown), mistake


def test_each_list_in_the_readme_is_that_of_the_code() -> None:
    people = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert make_sample.people_table() in people
    mistakes = (SPOILED / "README.md").read_text(encoding="utf-8")
    assert make_sample.mistakes_table() in mistakes


def test_the_last_patient_is_numbered_as_the_readme_says() -> None:
    assert practice()["patients"][-1]["patient_id"] == patient_id(39) == "P0040"


def test_a_sheet_of_the_office_own_stands_beside_the_patients() -> None:
    book = openpyxl.load_workbook(SPOILED / "patients.xlsx")
    assert book.sheetnames == ["Patients", EXTRA_SHEET]


def _is_midnight(value: Any) -> bool:
    """Whether a cell holds a date without a time of day."""
    return hasattr(value, "hour") and value.hour == 0
