"""The workbooks a new practice starts with: whole, readable and easy to fill in."""

import io
import warnings
from datetime import datetime
from functools import cache
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.exports.input_lists import lists_of, offered
from pipeline.exports.input_marks import ROW_MARKS
from pipeline.exports.input_words import prompt, sheets_of, title_of
from pipeline.exports.templates import template, write_templates
from pipeline.reading.folder import WORKBOOKS
from pipeline.workbooks import read_practice
from schemas import INPUTS, Practice
from schemas.columns import Column, Schema, about, columns

NAMES = [f"{file}.xlsx" for file in WORKBOOKS]
FIELDS = [(schema, column) for schema in INPUTS for column in columns(schema)]
SETTINGS = list(columns(Practice))


def field_id(value: object) -> str:
    """A sheet or column as a part of a test id."""
    return value.title if isinstance(value, Column) else title_of(value)  # type: ignore[arg-type]


@cache
def book(file: str) -> Workbook:
    """A template as it opens."""
    return openpyxl.load_workbook(io.BytesIO(template(file)))


def sheet_of(schema: Schema) -> Worksheet:
    """A sheet of its template."""
    return book(about(schema)["file"])[title_of(schema)]


def letter_of(schema: Schema, column: Column) -> str:
    """Where a column stands."""
    index = [known.name for known in columns(schema)].index(column.name)
    return openpyxl.utils.get_column_letter(index + 1)


def rules_at(sheet: Worksheet, cell: str) -> list:
    """The validations that hold for one cell."""
    return [r for r in sheet.data_validations.dataValidation if cell in r.sqref]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice folder of templates; read only."""
    folder = tmp_path_factory.mktemp("practice") / "new"
    assert write_templates(folder) == (NAMES, [])
    return folder


def test_folder_and_files_are_for_their_owner_alone(made: Path) -> None:
    assert made.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in made.iterdir()} == {0o600}
    assert sorted(path.name for path in made.iterdir()) == sorted(NAMES)


def test_the_folder_reads_without_a_word_of_complaint(made: Path) -> None:
    reading = read_practice(made)
    assert reading.problems == []
    counted = {sheet.sheet: len(sheet.rows) for sheet in reading.sheets.values()}
    filled = {"Settings": len(SETTINGS), "Tax codes": 3, "Roles": 3}
    assert counted == dict.fromkeys(map(title_of, INPUTS), 0) | filled


@pytest.mark.parametrize(
    ("name", "file"),
    [
        pytest.param("patients.xlsx", "patients", id="the workbook itself"),
        pytest.param("Patients.XLSX", "patients", id="another spelling of its name"),
        pytest.param("sent-log.xlsm", "sent_log", id="a workbook with macros"),
        pytest.param("contacts.csv", "patients", id="a CSV of one of its sheets"),
    ],
)
def test_what_is_already_there_is_left_as_it_is(
    tmp_path: Path, name: str, file: str
) -> None:
    (tmp_path / name).write_bytes(b"the office's own")
    names, there = write_templates(tmp_path)
    assert there == [name]
    assert names == [other for other in NAMES if other != f"{file}.xlsx"]
    assert (tmp_path / name).read_bytes() == b"the office's own"
    assert {path.name for path in tmp_path.iterdir()} == {name, *names}


def test_a_second_time_nothing_is_made(tmp_path: Path) -> None:
    write_templates(tmp_path)
    assert write_templates(tmp_path) == ([], NAMES)


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "products.xlsx").symlink_to(tmp_path / "elsewhere.xlsx")
    assert write_templates(tmp_path / "new")[1] == ["products.xlsx"]
    assert not (tmp_path / "elsewhere.xlsx").exists()


@pytest.mark.parametrize("file", WORKBOOKS)
def test_the_same_bytes_each_time_and_no_word_from_the_writer(file: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert template(file) == template(file)


@pytest.mark.parametrize("file", WORKBOOKS)
def test_the_read_me_stands_first_then_the_sheets_of_the_workbook(file: str) -> None:
    titles = [title_of(schema) for schema in sheets_of(file)]
    assert book(file).sheetnames == ["Read me", *titles, "Lists"]
    assert book(file).custom_doc_props["billing_template"].value == f"{file}/2"
    assert book(file).active.title == titles[0]


@pytest.mark.parametrize(("schema", "column"), FIELDS, ids=field_id)
def test_the_read_me_explains_the_column(schema: Schema, column: Column) -> None:
    rows = book(about(schema)["file"])["Read me"].iter_rows(values_only=True)
    told = {row[:2]: row[2:] for row in rows}
    required, meaning, _, example = told[title_of(schema), column.title]
    assert required == ("Required" if column.required else None)
    assert meaning and meaning.lower() == column.meaning.lower()
    assert (example or "") == column.example


def test_the_read_me_says_what_else_holds_a_row() -> None:
    told = [row[1] for row in book("patients")["Read me"].iter_rows(values_only=True)]
    held = "Not accepted: Membership active is Yes but the Start date is blank."
    assert held in told


@pytest.mark.parametrize("setting", SETTINGS, ids=field_id)
def test_the_read_me_explains_the_setting(setting: Column) -> None:
    rows = book("settings")["Read me"].iter_rows(values_only=True)
    told = {row[1]: row for row in rows if row[0] == "Settings, Value"}
    default = f"Blank means {setting.default}" if setting.default else None
    needed = "Required" if setting.required else None
    assert told[setting.title][2] == (default or needed)


@pytest.mark.parametrize("schema", INPUTS, ids=title_of)
def test_the_sheet_is_an_excel_table_of_its_name_with_a_row_to_type_in(
    schema: Schema,
) -> None:
    sheet = sheet_of(schema)
    (table,) = sheet.tables.values()
    assert table.name == title_of(schema).replace(" ", "")
    headings = [column.title for column in columns(schema)]
    assert [cell.value for cell in sheet[1]] == headings
    assert [column.name for column in table.tableColumns] == headings
    assert table.ref == sheet.dimensions or table.ref.endswith("2")
    assert sheet.freeze_panes == "B2"


@pytest.mark.parametrize("schema", INPUTS, ids=title_of)
def test_the_sheet_prints_on_a4_and_the_widest_over_two_pages(schema: Schema) -> None:
    sheet = sheet_of(schema)
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.page_setup.paperSize == 9
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    pages = 2 if title_of(schema) in ("Patients", "Contacts", "Products") else 1
    assert (sheet.page_setup.fitToWidth or 1) == pages
    assert sheet.page_setup.fitToHeight == 0
    assert sheet.print_title_rows == "$1:$1"
    assert (sheet.print_title_cols or "") == ("$A:$A" if pages == 2 else "")


@pytest.mark.parametrize(("schema", "column"), FIELDS, ids=field_id)
def test_a_required_column_is_dark_and_says_so(schema: Schema, column: Column) -> None:
    cell = sheet_of(schema)[f"{letter_of(schema, column)}1"]
    dark = cell.fill.fgColor.rgb == "FF1F4E4A"
    said = cell.comment.text if cell.comment else ""
    assert (dark, said.startswith("Required. ")) == (column.required, column.required)


@pytest.mark.parametrize(("schema", "column"), FIELDS, ids=field_id)
def test_cells_to_be_typed_have_the_format_of_their_column(
    schema: Schema, column: Column
) -> None:
    shown = {"date": "dd mmm yyyy", "money": "#,##0.00"}
    shown |= {"whole": "General", "percent": "General"}
    index = [known.name for known in columns(schema)].index(column.name) + 1
    # Columns that are alike are listed once, from min to max.
    listed = sheet_of(schema).column_dimensions.values()
    (style,) = [style for style in listed if style.min <= index <= style.max]
    assert style.number_format == shown.get(column.kind, "@")


@pytest.mark.parametrize(("schema", "column"), FIELDS, ids=field_id)
def test_one_rule_prompts_and_offers_the_words_down_to_row_2001(
    schema: Schema, column: Column
) -> None:
    letter = letter_of(schema, column)
    if (title_of(schema), column.title) == ("Settings", "Value"):
        return  # each setting has its own rule, below
    file = about(schema)["file"]
    for cell in (f"{letter}2", f"{letter}2001"):
        (rule,) = rules_at(sheet_of(schema), cell)
        assert rule.promptTitle == column.title
        assert rule.prompt == prompt(column, file)
    if offered(column):
        assert (rule.type, words_at(file, rule.formula1)) == ("list", offered(column))
    assert rule.errorStyle == "warning"
    assert rule.showErrorMessage is not bool(column.offers)


def words_at(file: str, source: str) -> tuple[str, ...]:
    """The words of the sheet Lists that a drop-down offers."""
    title, _, cells = source.partition("!")
    assert title == "Lists"
    return tuple(cell.value for (cell,) in book(file)[title][cells.replace("$", "")])


@pytest.mark.parametrize("file", WORKBOOKS)
def test_the_lists_can_be_seen_and_like_the_read_me_not_typed_into(file: str) -> None:
    sheet = book(file)["Lists"]
    assert sheet.sheet_state == "visible"
    assert [cell.value for cell in sheet[3]] == list(lists_of(file).values())
    for locked in (sheet, book(file)["Read me"]):
        assert locked.protection.sheet and not locked.protection.password


@pytest.mark.parametrize("schema", INPUTS, ids=title_of)
def test_rows_are_free_and_a_heading_takes_no_other_word(schema: Schema) -> None:
    sheet = sheet_of(schema)
    assert not sheet.protection.sheet
    for column in columns(schema):
        cell = f"{letter_of(schema, column)}1"
        (rule,) = rules_at(sheet, cell)
        assert rule.formula1 == f'EXACT({cell},"{column.title}")'
        assert (rule.type, rule.errorStyle or "stop") == ("custom", "stop")


def test_every_promise_over_whole_rows_is_marked_as_soon_as_it_is_broken() -> None:
    checks = {check.code for schema in INPUTS for check in schema.rules}
    assert checks == {*ROW_MARKS, "duplicate"}


@pytest.mark.parametrize(
    ("title", "cell", "formula"),
    [
        ("Patients", "A2", 'AND($A2<>"",COUNTIF($A:$A,$A2)>1)'),
        ("Patients", "C2", "AND(ISBLANK($C2),COUNTA($A2:$T2)>0)"),
        ("Patients", "M2", 'AND($L2="Yes",$M2="")'),
        ("Patients", "O2", 'AND($L2="Yes",$O2="")'),
        ("Patients", "O2", "AND(ISTEXT($O2),ISERROR(DATEVALUE($O2)))"),
        ("Patients", "P2", "AND(ISNUMBER($P2),ISNUMBER($O2),$P2<$O2)"),
        ("Patients", "R2", 'AND($R2<>"",COUNTIF(Contacts_Code,$R2)=0)'),
        ("Price changes", "A2", 'AND($A2<>"",COUNTIF(Products_Code,$A2)=0)'),
        (
            "Price changes",
            "A2",
            'AND($A2<>"",COUNTIFS($A:$A,IF($A2="","",$A2),$B:$B,IF($B2="","",$B2))>1)',
        ),
        ("Settings", "C2", 'AND($C2<>"",COUNTIF(Staff_User,$C2)=0)'),
    ],
)
def test_a_mistake_that_can_be_seen_at_once_is_filled_bold_and_framed(
    title: str, cell: str, formula: str
) -> None:
    schema = next(schema for schema in INPUTS if title_of(schema) == title)
    marks = [
        rule
        for area in sheet_of(schema).conditional_formatting
        for rule in area.rules
        if cell in area.sqref and rule.formula == [formula]
    ]
    (look,) = (mark.dxf for mark in marks)
    assert look.font.b and look.fill.bgColor.rgb and look.border.left.style == "thin"


def test_codes_of_another_sheet_have_a_name_for_older_spreadsheets() -> None:
    names = {
        name: found.value for name, found in book("products").defined_names.items()
    }
    assert names == {"Products_Code": "'Products'!$A:$A"}


@pytest.mark.parametrize(
    ("title", "cell", "source"),
    [
        ("Price changes", "A2", "Products"),
        ("Contract prices", "B2", "Products"),
        ("Patients", "R2", "Contacts"),
        ("Staff", "C2", "Roles"),
        ("Settings", "C2", "Staff"),
        ("Tax codes", "D2", "Staff"),
    ],
)
def test_codes_are_chosen_from_the_sheet_beside(
    title: str, cell: str, source: str
) -> None:
    schema = next(schema for schema in INPUTS if title_of(schema) == title)
    (rule,) = rules_at(sheet_of(schema), cell)
    cells = f"'{source}'!$A"
    offer = f"OFFSET({cells}$1,1,0,MAX(1,COUNTA({cells}:$A)-1),1)"
    assert (rule.type, rule.formula1) == ("list", offer)


@pytest.mark.parametrize(
    ("title", "cell", "where"),
    [
        ("Patients", "M2", "Look it up in products.xlsx, sheet Products."),
        ("Contract prices", "A2", "Look it up in patients.xlsx, sheet Contacts."),
        ("Products", "L2", "Look it up in settings.xlsx, sheet Staff."),
    ],
)
def test_a_code_of_another_workbook_says_where_to_look_it_up(
    title: str, cell: str, where: str
) -> None:
    schema = next(schema for schema in INPUTS if title_of(schema) == title)
    (rule,) = rules_at(sheet_of(schema), cell)
    assert rule.type in (None, "none") and where in rule.prompt


def test_no_prompt_is_cut() -> None:
    every = [(column, about(schema)["file"]) for schema, column in FIELDS]
    every += [(setting, "settings") for setting in SETTINGS]
    cut = [c.title for c, file in every if len(prompt(c, file)) >= 255]
    assert [*cut, *(c.title for c, _ in every if len(c.title) > 32)] == []


@pytest.mark.parametrize("setting", SETTINGS, ids=field_id)
def test_every_setting_stands_with_its_default_unsigned(setting: Column) -> None:
    sheet = book("settings")["Settings"]
    row = SETTINGS.index(setting) + 2
    name, value, signed = (cell.value for cell in sheet[row])
    assert name == setting.title
    assert ("" if value is None else str(value)) == setting.default
    assert signed is None
    (rule,) = rules_at(sheet, f"B{row}")
    assert rule.prompt == prompt(setting, "settings")
    if setting.kind == "yesno":
        assert words_at("settings", rule.formula1) == ("Yes", "No")
    if setting.kind == "date":
        assert sheet[f"B{row}"].number_format == "dd mmm yyyy"


def test_tax_codes_and_roles_are_begun_and_staff_is_the_offices_own() -> None:
    def values(title: str) -> list[tuple]:
        return list(book("settings")[title].iter_rows(min_row=2, values_only=True))

    assert values("Tax codes") == [
        ("EXEMPT", "Exempt", 0, None),
        ("ZERO", "Zero rated", 0, None),
        ("STD", "Standard rate", 20, None),
    ]
    assert [row[0] for row in values("Roles")] == ["Manager", "Reception", "Accountant"]
    assert not any(any(row) for row in values("Staff"))


def test_a_filled_in_template_reads_without_a_word_of_complaint(tmp_path: Path) -> None:
    write_templates(tmp_path)
    for file in WORKBOOKS:
        filled = openpyxl.load_workbook(tmp_path / f"{file}.xlsx")
        for schema in sheets_of(file):
            if title_of(schema) not in ("Settings", "Tax codes", "Roles"):
                for index, column in enumerate(columns(schema), start=1):
                    filled[title_of(schema)].cell(2, index, _example(column))
        filled.save(tmp_path / f"{file}.xlsx")
    reading = read_practice(tmp_path)
    assert reading.problems == []
    assert all(sheet.rows for sheet in reading.sheets.values())


def _example(column: Column) -> object:
    """A column's example as a person's typing ends up in the cell."""
    if column.kind == "date" and column.example:
        return datetime.strptime(column.example, "%d/%m/%Y")
    return column.example or None
