"""Opening the practice's files: every fault told in full, every value as it stands."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import pytest
from openpyxl.cell import Cell
from openpyxl.comments import Comment
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Font
from openpyxl.utils.datetime import MAC_EPOCH
from openpyxl.workbook import Workbook
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from pipeline import workbooks as subject
from pipeline.cells.spelling import CellError
from pipeline.problems import Place, Severity
from pipeline.reading import folder as folders
from pipeline.workbooks import Reading, read_practice

BOOKS: dict[str, dict[str, list[list[object]]]] = {
    "products.xlsx": {
        "Products": [
            ["Code", "Name", "Type", "Monthly price", "Tax code", "Active"]
            + ["Last edited by"],
            ["GOLD", "Gold membership", "Membership", 49.99, "EXEMPT", "Yes", "mm"],
        ]
    },
    "patients.xlsx": {
        "Patients": [
            ["Patient ID", "First name", "Last name", "Membership active"]
            + ["Membership", "Start date", "Notes"],
            ["P0001", "Ann", "One", "Yes", "GOLD", date(2026, 1, 31), "likes tea"],
            ["P0002", "Bo", "Two", "No", None, None, None],
        ]
    },
    "settings.xlsx": {
        "Settings": [
            ["Setting", "Value", "Last edited by"],
            ["Practice name", "Elm Practice", "mm"],
        ],
        "Tax codes": [
            ["Code", "Name", "Rate %", "Last edited by"],
            ["EXEMPT", "Exempt", 0, "mm"],
        ],
        "Staff": [["User", "Name", "Role", "Active"], ["mm", "Mo", "Manager", "Yes"]],
        "Roles": [
            ["Role", "Products", "Patients", "Settings", "Invoices"],
            ["Manager", "Edit", "Edit", "Edit", "Edit"],
        ],
    },
}
Change = Callable[[Workbook, Worksheet], object]


def saved(name: str, change: Change | None = None) -> bytes:
    """A workbook of the practice, changed by hand; the sheet given is its first."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in BOOKS[name].items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    if change is not None:
        change(book, book.worksheets[0])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@cache
def untouched(name: str) -> bytes:
    return saved(name)


@pytest.fixture
def practice(tmp_path: Path) -> Path:
    """A practice folder of three workbooks without a fault."""
    for name in BOOKS:
        (tmp_path / name).write_bytes(untouched(name))
    return tmp_path


def told(reading: Reading) -> list[str]:
    return [f"{problem.severity}: {problem}" for problem in reading.problems]


def table_csv(name: str, title: str, separator: str = ",") -> str:
    """A sheet of the practice as CSV; no cell of it needs quotation marks."""
    rows = BOOKS[name][title]
    return "".join(
        separator.join("" if cell is None else str(cell) for cell in row) + "\n"
        for row in rows
    )


def parts_changed(content: bytes, change: Callable[[dict[str, bytes]], None]) -> bytes:
    """A workbook's archive with its parts changed by hand."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def zipped(**parts: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name.replace("__", "/"), part)
    return buffer.getvalue()


def marked(kind: str) -> Change:
    def change(book: Workbook, _: Worksheet) -> None:
        book.custom_doc_props.append(
            StringProperty(name="billing_template", value=kind)
        )

    return change


def strike(cell: Cell) -> None:
    cell.font = Font(strike=True)


def retitle(sheet: Worksheet, title: str) -> None:
    sheet.title = title


def put(sheet: Worksheet, **values: object) -> None:
    for cell, value in values.items():
        sheet[cell] = value


def fill(sheet: Worksheet, *rows: list[object]) -> None:
    for row in rows:
        sheet.append(row)


def turn(sheet: Worksheet) -> None:
    """Put the headings into column A and every patient into a column."""
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    sheet.delete_rows(1, 9)
    fill(sheet, *map(list, zip(*rows, strict=True)))


def hide(sheet: Worksheet, rows: list[int] | None = None, columns: str = "") -> None:
    for number in rows or []:
        sheet.row_dimensions[number].hidden = True
    for letter in columns:
        sheet.column_dimensions[letter].hidden = True


def swap_rows(parts: dict[str, bytes]) -> None:
    """Number the third row like the second."""
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = (
        sheet.replace(b'<row r="3"', b'<row r="2"')
        .replace(b'r="A3"', b'r="A2"')
        .replace(b'r="B3"', b'r="B2"')
        .replace(b'r="C3"', b'r="C2"')
        .replace(b'r="D3"', b'r="D2"')
    )


def other_book() -> bytes:
    """A workbook of a single sheet that is none of the contract's."""
    buffer = io.BytesIO()
    Workbook().save(buffer)
    return buffer.getvalue()


PATIENTS_CSV = table_csv("patients.xlsx", "Patients")
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ODS_MIME = "application/vnd.oasis.opendocument.spreadsheet"

# What is put into the folder (None: taken away), and all that is said of it.
FILE_FAULTS = [
    pytest.param({}, [], id="a folder without a fault is read without a word"),
    pytest.param(
        {"patients.xlsx": b""},
        [
            "Stops the night: patients.xlsx: the file holds nothing (0 bytes), as"
            " one that is still in the cloud does; open it once so that it is"
            " downloaded, or bring back an earlier version",
        ],
        id="a file that is still in the cloud",
    ),
    pytest.param(
        {"patients.xlsx": OLE + "EncryptedPackage".encode("utf-16-le")},
        [
            "Stops the night: patients.xlsx: the workbook has a password to open it;"
            " open it in Excel, remove the password (File, Info, Protect Workbook)"
            " and save",
        ],
        id="a password to open",
    ),
    pytest.param(
        {"patients.xlsx": OLE + "Workbook".encode("utf-16-le")},
        [
            "Stops the night: patients.xlsx: this is an old Excel workbook (.xls);"
            " open it in Excel and save it as Excel Workbook (.xlsx)",
        ],
        id="an old workbook with a new ending",
    ),
    pytest.param(
        {"patients.xls": OLE + "Workbook".encode("utf-16-le"), "patients.xlsx": None},
        [
            "Stops the night: patients.xls: this is an old Excel workbook (.xls);"
            " open it in Excel and save it as Excel Workbook (.xlsx), named"
            " patients.xlsx",
        ],
        id="an old workbook",
    ),
    pytest.param(
        {"patients.ods": zipped(mimetype=ODS_MIME), "patients.xlsx": None},
        [
            "Stops the night: patients.ods: this is an OpenDocument spreadsheet"
            " (.ods); open it in LibreOffice and save it as Excel 2007-365 (.xlsx),"
            " named patients.xlsx",
        ],
        id="an OpenDocument spreadsheet",
    ),
    pytest.param(
        {"patients.xlsx": zipped(mimetype=ODS_MIME)},
        [
            "Stops the night: patients.xlsx: this is an OpenDocument spreadsheet"
            " (.ods); open it in LibreOffice and save it as Excel 2007-365 (.xlsx)",
        ],
        id="an OpenDocument spreadsheet with a new ending",
    ),
    pytest.param(
        {"patients.xlsb": zipped(xl__workbook="", **{"xl/workbook.bin": ""})}
        | {"patients.xlsx": None},
        [
            "Stops the night: patients.xlsb: this is a binary Excel workbook"
            " (.xlsb); open it in Excel and save it as Excel Workbook (.xlsx), named"
            " patients.xlsx",
        ],
        id="a binary workbook",
    ),
    pytest.param(
        {"patients.numbers": zipped(**{"Index/Document.iwa": ""})}
        | {"patients.xlsx": None},
        [
            "Stops the night: patients.numbers: this is an Apple Numbers document;"
            " open it in Numbers and export it to Excel (.xlsx), named patients.xlsx",
        ],
        id="a Numbers document",
    ),
    pytest.param(
        {"patients.gsheet": b'{"doc_id": "1"}', "patients.xlsx": None},
        [
            "Stops the night: patients.gsheet: this is a shortcut to a Google sheet"
            " and holds no data; open the Google sheet and download it as Microsoft"
            " Excel (.xlsx), named patients.xlsx",
        ],
        id="a shortcut to a Google sheet",
    ),
    pytest.param(
        {"patients.xls": untouched("patients.xlsx"), "patients.xlsx": None},
        [
            "Stops the night: patients.xls: this is an Excel workbook with the wrong"
            " ending, .xls; rename it to patients.xlsx",
        ],
        id="a good workbook with a wrong ending",
    ),
    pytest.param(
        {"patients.xlsx": b"<html><table><tr><td>1"},
        [
            "Stops the night: patients.xlsx: this is a web page and no workbook;"
            " open it in Excel and save it as Excel Workbook (.xlsx), or export it"
            " again",
        ],
        id="a web page renamed",
    ),
    pytest.param(
        {"patients.xlsx": PATIENTS_CSV.encode()},
        [
            "Stops the night: patients.xlsx: this is a text file and no workbook;"
            " open it in Excel and save it as Excel Workbook (.xlsx), or export it"
            " again",
        ],
        id="a CSV file renamed",
    ),
    pytest.param(
        {"patients.xlsx": untouched("patients.xlsx")[:-40]},
        [
            "Stops the night: patients.xlsx: the workbook is damaged and cannot be"
            " opened; bring back an earlier version of it, or open and repair it in"
            " Excel and save",
        ],
        id="a damaged file",
    ),
    pytest.param(
        {"patients.xlsx": zipped(**{"letter.txt": "Dear"})},
        [
            "Stops the night: patients.xlsx: this is a zip archive and no workbook;"
            " take the workbook out of the archive and save it as .xlsx",
        ],
        id="a zip archive",
    ),
    pytest.param(
        {"patients.xlsx": b"%PDF-1.7"},
        [
            "Stops the night: patients.xlsx: this is a PDF document and no workbook;"
            " save the workbook as .xlsx",
        ],
        id="a PDF document",
    ),
    pytest.param(
        {"patients.xlsm": untouched("patients.xlsx"), "patients.xlsx": None},
        [
            "Check: patients.xlsm: the workbook may hold macros; they were not run;"
            " save it as Excel Workbook (.xlsx)",
        ],
        id="a workbook with macros is read",
    ),
    pytest.param(
        {"~$patients.xlsx": b"mm"},
        [
            "Check: patients.xlsx: someone has the file open; the copy last saved"
            " was read; save and close it before the night",
        ],
        id="a workbook that is open is read",
    ),
    pytest.param(
        {"patients (1).xlsx": untouched("patients.xlsx")},
        [
            "Stops the night: patients.xlsx: patients.xlsx and patients (1).xlsx"
            " stand side by side and only one can be the right one; keep the right"
            " one and move the other out of the folder",
        ],
        id="two workbooks that may both be right",
    ),
    pytest.param(
        {"Copy of patients.xlsx": b""},
        [
            "Check: Copy of patients.xlsx: the file stands beside patients.xlsx and"
            " was not read; move copies out of the practice folder",
        ],
        id="a copy is left alone",
    ),
    pytest.param(
        {"patients.csv": PATIENTS_CSV.encode()},
        [
            "Stops the night: patients.xlsx: Patients: this sheet and the file"
            " patients.csv hold the same table; keep one of the two and move the"
            " other out of the folder",
        ],
        id="a sheet and a CSV file of one table",
    ),
    pytest.param(
        {"patients.csv": PATIENTS_CSV.encode()}
        | {"patients.xlsx": saved("patients.xlsx", lambda _, s: retitle(s, "Sheet1"))},
        [
            "Stops the night: patients.xlsx: Sheet1: this sheet and the file"
            " patients.csv hold the same table; keep one of the two and move the"
            " other out of the folder",
        ],
        id="a sheet under another title and a CSV file of its table",
    ),
    pytest.param(
        {"patients.xlsx": None},
        [
            "Stops the night: patients.xlsx: the file is missing; put it into the"
            " practice folder under exactly this name",
        ],
        id="a missing workbook",
    ),
    pytest.param(
        {"patients.xlsx": None, "Copy of patients.xlsx": untouched("patients.xlsx")},
        [
            "Stops the night: patients.xlsx: the file is missing; did you mean Copy"
            " of patients.xlsx? rename it to patients.xlsx",
        ],
        id="a workbook of nearly the right name",
    ),
    pytest.param(
        {
            "settings.xlsx": None,
            "staff.csv": b"User,Name,Role,Active\nmm,Mo,Boss,Yes\n",
        },
        [
            "Stops the night: settings.csv: the file is missing, and there is no"
            " settings.xlsx with a sheet Settings; put one of the two into the"
            " practice folder",
            "Stops the night: tax_codes.csv: the file is missing, and there is no"
            " settings.xlsx with a sheet Tax codes; put one of the two into the"
            " practice folder",
            "Stops the night: roles.csv: the file is missing, and there is no"
            " settings.xlsx with a sheet Roles; put one of the two into the practice"
            " folder",
        ],
        id="one CSV file of a workbook's four",
    ),
    pytest.param(
        dict.fromkeys(BOOKS),
        [
            "Stops the night: settings.xlsx: the file is missing; put it into the"
            " practice folder under exactly this name",
            "Stops the night: products.xlsx: the file is missing; put it into the"
            " practice folder under exactly this name",
            "Stops the night: patients.xlsx: the file is missing; put it into the"
            " practice folder under exactly this name",
        ],
        id="an empty folder is told in one go",
    ),
    pytest.param(
        {"patients.xlsx": saved("patients.xlsx", marked("products/3"))},
        [
            "Stops the night: patients.xlsx: by its properties this is the workbook"
            " products, not patients; put the right workbook here",
        ],
        id="another template's workbook",
    ),
    pytest.param(
        {"patients.xlsx": saved("patients.xlsx", marked("patients/2"))},
        [],
        id="the template's own workbook",
    ),
    pytest.param(
        {"patients.xlsx": saved("patients.xlsx", marked("patients/0"))},
        [
            "Check: patients.xlsx: the workbook was made from template 0, older than"
            " this program's 2; carry its rows over with"
            " `membill init NEW_FOLDER --from FOLDER`",
        ],
        id="a template of an earlier version",
    ),
    pytest.param(
        {"patients.xlsx": saved("patients.xlsx", marked("patients/17"))},
        [
            "Check: patients.xlsx: the workbook was made from template 17, newer than"
            " this program's 2; bring the program up to date before this workbook is"
            " used",
        ],
        id="a template of a version to come",
    ),
    pytest.param(
        {"patients.xlsx": saved("patients.xlsx", marked("patients/x"))},
        [
            "Check: patients.xlsx: the workbook was made from another template than"
            " this program's; carry its rows over with"
            " `membill init NEW_FOLDER --from FOLDER`",
        ],
        id="a template of a version that is none",
    ),
    pytest.param(
        {"patients.xlsx": None, "contacts.csv": b"Code,Name\nACME,Acme\n"},
        [
            "Stops the night: patients.xlsx: the file is missing; put it into the"
            " practice folder under exactly this name",
        ],
        id="a missing workbook is not called a CSV for the sake of another sheet's",
    ),
    pytest.param(
        {"patients.xlsx": parts_changed(untouched("patients.xlsx"), swap_rows)},
        [
            "Stops the night: patients.xlsx: Patients: the workbook could not be"
            " read reliably; open it in Excel, save it again and see that nothing is"
            " missing",
        ],
        id="a row that stands twice",
    ),
    pytest.param(
        {"patients.xlsx": None, "patients.csv": PATIENTS_CSV.encode("utf-16")},
        [],
        id="Unicode text instead of a workbook is read without a word",
    ),
    pytest.param(
        {"patients.xlsx": None}
        | {"patients.csv": PATIENTS_CSV.replace("Ann", "Zoë").encode("cp1252")},
        [
            "Check: patients.csv: the file was read as Windows text; check the"
            " accents in it; save it as CSV UTF-8 (File, Save As)",
        ],
        id="Windows letters are told",
    ),
    pytest.param(
        {"patients.xlsx": None}
        | {"patients.csv": PATIENTS_CSV.encode().replace(b"Ann", b"Zo\x81")},
        [
            "Stops the night: patients.csv: line 2 holds letters that cannot be"
            " read; save it as CSV UTF-8 (File, Save As)",
        ],
        id="letters that cannot be read",
    ),
    pytest.param(
        {"patients.xlsx": None}
        | {"patients.csv": PATIENTS_CSV.replace("Ann", '"Ann').encode()},
        [
            "Stops the night: patients.csv: a quotation mark opened on line 2 is not"
            " closed where its cell ends; close or remove the quotation mark, or"
            " save the sheet as a workbook",
        ],
        id="a quotation mark never closed",
    ),
    pytest.param(
        {"patients.xlsx": None, "patients.csv": untouched("patients.xlsx")},
        [
            "Stops the night: patients.csv: this is an Excel workbook with the wrong"
            " ending, .csv; open it in Excel and save it as CSV UTF-8, or rename it"
            " to .xlsx",
        ],
        id="a workbook named CSV",
    ),
    pytest.param(
        {"patients.xlsx": None}
        | {"patients.csv": PATIENTS_CSV.replace("Start date", "Start dt").encode()},
        [
            "Stops the night: patients.csv: row 1, Start dt: the column Start date"
            " is missing; did you mean the heading Start dt?",
        ],
        id="a heading of a CSV file misspelt",
    ),
    pytest.param(
        {"sent_log.xlsx": other_book()},
        [
            "Check: sent_log.xlsx: no sheet of this workbook was read; none is called"
            " Sent or has the headings; correct the sheet's title and headings, or"
            " move the workbook out of the folder",
        ],
        id="a workbook without any sheet of its own",
    ),
    pytest.param(
        {"patients.xlsx": None, "Patients.csv": b"", "patients.csv": b""},
        [
            "Stops the night: Patients.csv: Patients.csv and patients.csv stand side by"
            " side and only one can be the right one; keep the right one and move the"
            " other out of the folder",
        ],
        id="two CSV files of one table are not called missing as well",
    ),
    pytest.param(
        {"sent.csv": b"", "invoice_requests.csv": b"<html>"},
        [
            "Stops the night: sent.csv: the file holds nothing (0 bytes), as one"
            " that is still in the cloud does; open it once so that it is downloaded,"
            " or bring back an earlier version",
            "Stops the night: invoice_requests.csv: this is a web page and no CSV"
            " file; open it in the program it comes from and save it as CSV UTF-8",
        ],
        id="an optional file that is there must be one",
    ),
]


@pytest.mark.parametrize(("files", "messages"), FILE_FAULTS)
def test_a_file_that_is_not_as_it_should_be_is_told(
    practice: Path, files: dict[str, bytes | None], messages: list[str]
) -> None:
    for name, content in files.items():
        if content is None:
            (practice / name).unlink()
        else:
            (practice / name).write_bytes(content)
    assert told(read_practice(practice)) == messages


# How the workbook of patients was changed, and all that is said of it.
SHEET_FAULTS = [
    pytest.param(
        lambda b, s: retitle(s, "Members"),
        [
            "Check: patients.xlsx: Members: there is no sheet Patients; this one has"
            " its headings and was read; name the sheet Patients",
        ],
        id="another title",
    ),
    pytest.param(
        lambda b, s: (retitle(s, "Members"), retitle(b.copy_worksheet(s), "Old")),
        [
            "Stops the night: patients.xlsx: the sheets Members and Old both look"
            " like Patients; keep the right one and delete or move the other",
        ],
        id="two sheets that may both be right",
    ),
    pytest.param(
        lambda b, s: retitle(b.copy_worksheet(s), "Patients (2)"),
        [
            "Check: patients.xlsx: Patients (2): this sheet was not read, only"
            " Patients was; move copies to a workbook of their own",
        ],
        id="a copy of the sheet is left alone",
    ),
    pytest.param(lambda b, s: b.create_sheet("Rota"), [], id="a sheet of the office's"),
    pytest.param(
        lambda b, s: (retitle(s, "Patient"), s.delete_cols(1)),
        [
            "Stops the night: patients.xlsx: the sheet Patients is missing; did you"
            " mean the sheet Patient? see its title and headings",
        ],
        id="a missing sheet",
    ),
    pytest.param(
        lambda b, s: fill(b.create_sheet("Contcts"), ["Code", "Nmae", "Email"]),
        [
            "Check: patients.xlsx: Contcts: there is no sheet Contacts; this one has"
            " its headings and was read; name the sheet Contacts",
            "Stops the night: patients.xlsx: Contcts!B1: the column Name is missing;"
            " did you mean the heading Nmae?",
        ],
        id="an optional sheet misspelt in title and heading",
    ),
    pytest.param(
        lambda b, s: b.create_sheet("Contacts"), [], id="a blank optional sheet"
    ),
    pytest.param(
        lambda b, s: s.delete_rows(1, 9),
        [
            "Stops the night: patients.xlsx: Patients: the sheet is blank; write the"
            " headings into row 1: Patient ID, First name, Last name, Membership"
            " active, and so on",
        ],
        id="a blank sheet",
    ),
    pytest.param(
        lambda b, s: s.delete_rows(1),
        [
            "Stops the night: patients.xlsx: Patients: the headings were not found"
            " in the first 10 rows; write the headings into row 1: Patient ID, First"
            " name, Last name, Membership active, and so on",
        ],
        id="no headings",
    ),
    pytest.param(
        lambda b, s: (s.insert_rows(1, 2), put(s, A1="Patients of Elm Practice")),
        [
            "Check: patients.xlsx: Patients!A3: the headings stand in row 3; what is"
            " above was not read; delete the rows above the headings",
        ],
        id="a title above the headings",
    ),
    pytest.param(
        lambda b, s: s.insert_rows(1, 11),
        [
            "Stops the night: patients.xlsx: Patients: the headings were not found"
            " in the first 10 rows; write the headings into row 1: Patient ID, First"
            " name, Last name, Membership active, and so on",
        ],
        id="headings far down",
    ),
    pytest.param(
        lambda b, s: (put(s, H1="Phone"), s.merge_cells("H1:I1")),
        [
            "Stops the night: patients.xlsx: Patients!H1: the headings are merged"
            " cells (H1:I1); unmerge them and write one heading over each column",
        ],
        id="merged headings",
    ),
    pytest.param(
        lambda b, s: (s.insert_rows(1), put(s, A1="Patient", A2="ID")),
        [
            "Stops the night: patients.xlsx: Patients!A2: the headings take up two"
            " rows; write each heading in one cell of one row, and delete the other"
            " row",
        ],
        id="a heading spread over two rows beside others",
    ),
    pytest.param(
        lambda b, s: (
            s.insert_rows(2),
            put(s, A1="Patient", B1="First", C1="Last", D1="Membership"),
            put(s, A2="ID", B2="name", C2="name", D2="active"),
        ),
        [
            "Stops the night: patients.xlsx: Patients!A1: the headings take up two"
            " rows; write each heading in one cell of one row, and delete the other"
            " row",
        ],
        id="headings over two rows",
    ),
    pytest.param(
        lambda b, s: put(s, A1="PATIENT\u00a0id ", B1="first_name", F1="Startdate"),
        [],
        id="headings spelt freely",
    ),
    pytest.param(
        lambda b, s: put(s, F1="Start dt"),
        [
            "Stops the night: patients.xlsx: Patients!F1: the column Start date is"
            " missing; did you mean the heading Start dt?",
        ],
        id="a heading misspelt",
    ),
    pytest.param(
        lambda b, s: put(s, C1="Family"),
        [
            "Stops the night: patients.xlsx: Patients: the column Last name is"
            " missing; add a column with the heading Last name",
            "Check: patients.xlsx: Patients!C1: no column of this sheet is called"
            " Family; it was not read; leave it if it is for the office alone",
        ],
        id="a required column missing",
    ),
    pytest.param(
        lambda b, s: put(s, H1="Start date"),
        [
            "Stops the night: patients.xlsx: Patients!H1: the column Start date"
            " stands here twice (columns F and H); keep the right one and delete the"
            " other",
        ],
        id="a column twice",
    ),
    pytest.param(
        lambda b, s: put(s, H1="Biscuit"),
        [
            "Check: patients.xlsx: Patients!H1: no column of this sheet is called"
            " Biscuit; it was not read; leave it if it is for the office alone",
        ],
        id="a column unknown",
    ),
    pytest.param(lambda b, s: s.move_range("A1:A3", cols=8), [], id="another order"),
    pytest.param(
        lambda b, s: put(s, H3="x"),
        [
            "Stops the night: patients.xlsx: Patients!H1: the heading is blank, but"
            " there are values under it (row 3); write the heading, or clear the"
            " column",
        ],
        id="a blank heading over data",
    ),
    pytest.param(
        lambda b, s: put(s, I1="Patient ID", J1="First name", I2="P1", J2="Al"),
        [
            "Stops the night: patients.xlsx: Patients!J1: two tables stand side by"
            " side on the sheet; move one of them to a sheet of its own",
        ],
        id="two tables side by side",
    ),
    pytest.param(
        lambda b, s: turn(s),
        [
            "Stops the night: patients.xlsx: Patients!A1: the headings run down"
            " column A instead of across a row; copy the table and paste it with"
            " Paste Special, Transpose",
        ],
        id="a table on its side",
    ),
    pytest.param(
        lambda b, s: hide(s, rows=[2, 3]),
        [
            "Check: patients.xlsx: Patients!A2: 2 rows are hidden and were read like"
            " any other; clear the filter or unhide the rows, and delete what should"
            " not count",
        ],
        id="hidden rows are read",
    ),
    pytest.param(
        lambda b, s: hide(s, columns="EF"),
        [
            "Check: patients.xlsx: Patients!E1: the columns Membership and Start"
            " date are hidden and were read; unhide the columns so that mistakes in"
            " them can be seen",
        ],
        id="hidden columns",
    ),
    pytest.param(lambda b, s: hide(s, columns="G"), [], id="hidden notes"),
    pytest.param(
        lambda b, s: (b.create_sheet("Lists"), setattr(s, "sheet_state", "hidden")),
        [
            "Check: patients.xlsx: Patients: the sheet is hidden and was read;"
            " unhide it so that mistakes in it can be seen",
        ],
        id="a hidden sheet is read",
    ),
    pytest.param(
        lambda b, s: s.add_table(Table(displayName="Patients", ref="A1:G2")),
        [
            "Check: patients.xlsx: Patients!A3: 1 row stands below the end of the"
            " Excel table and was read; drag the corner of the table down to the last"
            " row",
        ],
        id="a row below the table is read",
    ),
    pytest.param(lambda b, s: s.insert_rows(3), [], id="a blank row in between"),
    pytest.param(
        lambda b, s: s.append(["\u200b", " ", "\u00a0", "_x000D_"]),
        [],
        id="a row that shows nothing",
    ),
    pytest.param(
        lambda b, s: s.append(["Total: 2"]),
        [
            "Check: patients.xlsx: Patients!A4: row 4 is no part of the table and"
            " was skipped; keep totals and notes off this sheet",
        ],
        id="a row of totals",
    ),
    *(
        pytest.param(
            lambda b, s, cells=cells: s.append(cells),
            [
                "Check: patients.xlsx: Patients!A4: row 4 is no part of the table and"
                " was skipped; keep totals and notes off this sheet",
            ],
            id=name,
        )
        for name, cells in {
            "a number with no id": [None, None, None, None, 99],
            "two numbers with no id": [None, None, None, None, 99, 12],
            "a total and its number": ["Grand total", None, None, None, 99],
            "a total under another heading": [None, None, "Totals:", None, "£1,200.00"],
            "a note with no id": [None, "ring them back"],
            "a total, its number and a word": ["TOTALS", None, None, "3", "x"],
        }.items()
    ),
    pytest.param(
        lambda b, s: s.append([None, "Cy", "Three"]), [], id="a person with no id stays"
    ),
    pytest.param(
        lambda b, s: s.append(["Total", "Cy", "Three"]), [], id="a person called Total"
    ),
    *(
        pytest.param(lambda b, s, cells=cells: s.append(cells), [], id=name)
        for name, cells in {
            "a person called Total in part": ["Total", "Cy", None, "3"],
            "a person called Total without a name": ["Total", None, None, "Yes"],
            "one who is called Totally": ["Totally", None, None, None, "GOLD"],
            "a total and two words": ["Total", None, None, "3", "GOLD", "soon"],
        }.items()
    ),
    pytest.param(
        lambda b, s: (strike(s["A2"]), strike(s["B3"])),
        [
            "Check: patients.xlsx: Patients!A2: 1 row is struck through and was read"
            " like any other: how a cell looks is never read; end what should not count"
            " by its date or its Active column, or delete the row",
        ],
        id="a row struck through is read",
    ),
    pytest.param(
        lambda b, s: (s.append([]), s.append(["Bo left in March, ask Mo"])),
        [
            "Check: patients.xlsx: Patients!A5: row 5 is no part of the table and"
            " was skipped; keep totals and notes off this sheet",
        ],
        id="a note under the table",
    ),
    pytest.param(
        lambda b, s: s.append(BOOKS["patients.xlsx"]["Patients"][0]),
        [
            "Check: patients.xlsx: Patients!A4: row 4 is no part of the table and"
            " was skipped; keep totals and notes off this sheet",
        ],
        id="the headings again",
    ),
    *(
        pytest.param(
            lambda b, s, typed=typed: s.append([typed, "Ada", "Example", "Yes"]),
            [
                "Fixed for you: patients.xlsx: Patients!A4: row 4 with an example was"
                " skipped; delete the example when you like",
            ],
            id=f"an example called {typed}",
        )
        for typed in ("EXAMPLE1", "EXAMPLE", "Example 1", "example-2", " example3")
    ),
    pytest.param(
        lambda b, s: s.append(["P-EXAMPLE", "Ada", "Example", "Yes"]),
        [],
        id="an id with example in the middle of it",
    ),
    pytest.param(
        lambda b, s: setattr(s["A5000"], "number_format", "0.00"),
        [],
        id="formatted rows without values",
    ),
    pytest.param(
        lambda b, s: put(s, A65536="P9"),
        [
            "Stops the night: patients.xlsx: Patients!A65536: the sheet ends at row"
            " 65,536, where a spreadsheet cuts rows off; see whether rows are missing"
            " below it, and delete blank rows above",
        ],
        id="the last row of old Excel",
    ),
    pytest.param(
        lambda b, s: setattr(s["B2"], "comment", Comment("ask first", "mm")),
        [
            "Check: patients.xlsx: Patients!B2: comments hang on 1 cell; nobody"
            " reads them at night; put what matters into the cells",
        ],
        id="a comment",
    ),
    pytest.param(
        lambda b, s: put(s, F3="=F2+1"),
        [
            "Stops the night: patients.xlsx: Patients!F3: formulas were saved"
            " without their values (F3); open the file in Excel, let it calculate,"
            " and save it",
        ],
        id="a formula saved without its value",
    ),
    pytest.param(
        lambda b, s: put(s, G2="=1+1", H2="=2+2", H1="Biscuit"),
        [
            "Check: patients.xlsx: Patients!H1: no column of this sheet is called"
            " Biscuit; it was not read; leave it if it is for the office alone",
        ],
        id="a formula outside the table's columns is nobody's business",
    ),
    pytest.param(
        lambda b, s: setattr(b, "epoch", MAC_EPOCH),
        [
            "Check: patients.xlsx: the workbook counts days from 1904, as old Excel"
            " for Mac did; its dates were read rightly, but a date that shows as a"
            " plain number would be four years out; copy the sheets into a new"
            " workbook and check their dates",
        ],
        id="days counted from 1904",
    ),
    pytest.param(
        lambda b, s: put(s, XFD1048576="x"),
        [
            "Stops the night: patients.xlsx: Patients: a value stands far outside"
            " the table (XFD1048576); delete the rows and columns beyond the table, and save",
        ],
        id="a value at the end of the world",
    ),
]


@pytest.mark.parametrize(("change", "messages"), SHEET_FAULTS)
def test_a_sheet_that_is_not_as_it_should_be_is_told(
    practice: Path, change: Change, messages: list[str]
) -> None:
    (practice / "patients.xlsx").write_bytes(saved("patients.xlsx", change))
    reading = read_practice(practice)
    assert told(reading) == messages
    stopped = any(p.severity is Severity.STOPS for p in reading.problems)
    assert ("patients" in reading.sheets) != stopped or "Contcts" in str(messages)


@pytest.mark.parametrize(
    ("formulas", "messages"),
    [
        pytest.param(
            {"F2": "<f>TODAY()</f><v>46085</v>", "F3": "<f>F2</f><v>46085</v>"},
            [
                "Check: patients.xlsx: Patients!F2: the column Start date holds 2 formulas;"
                " the saved values were used; replace formulas with values (Copy,"
                " Paste Special, Values)",
            ],
            id="formulas with their values, told once per column",
        ),
        pytest.param(
            {"B2": "<f>'[1]Old list'!B2</f><v>46085</v>"},
            [
                "Check: patients.xlsx: Patients!B2: the column First name holds 1 formula;"
                " the saved values were used; replace formulas with values (Copy,"
                " Paste Special, Values)",
                "Check: patients.xlsx: Patients!B2: 1 cell takes its value from another"
                " workbook, which may be out of date; write the values themselves",
            ],
            id="a value from another workbook",
        ),
        pytest.param(
            {"B2": "<f>SUM(Sales[2026])+Sales!A1</f><v>46085</v>"},
            [
                "Check: patients.xlsx: Patients!B2: the column First name holds 1 formula;"
                " the saved values were used; replace formulas with values (Copy,"
                " Paste Special, Values)",
            ],
            id="a column of a table that is called like a year is no other workbook",
        ),
        pytest.param(
            {"B2": "<f>A2</f><v>1</v>", "B3": "<f>A3</f>"},
            [
                "Stops the night: patients.xlsx: Patients!B3: formulas were saved without"
                " their values (B3); open the file in Excel, let it calculate, and"
                " save it",
                "Check: patients.xlsx: Patients!B2: the column First name holds 1 formula;"
                " the saved values were used; replace formulas with values (Copy,"
                " Paste Special, Values)",
            ],
            id="one formula with its value and one without",
        ),
    ],
)
def test_formulas_are_told(
    practice: Path, formulas: dict[str, str], messages: list[str]
) -> None:
    def write(parts: dict[str, bytes]) -> None:
        sheet = parts["xl/worksheets/sheet1.xml"].decode()
        for cell, inside in formulas.items():
            start = sheet.index(f'<c r="{cell}"')
            end = sheet.index("/c>", start) + 3
            if sheet[start:end].count("<c ") > 1:
                end = sheet.index("/>", start) + 2
            sheet = f'{sheet[:start]}<c r="{cell}">{inside}</c>{sheet[end:]}'
        parts["xl/worksheets/sheet1.xml"] = sheet.encode()

    content = saved("patients.xlsx", lambda _, s: put(s, B2=1, B3=1, F2=1, F3=1))
    (practice / "patients.xlsx").write_bytes(parts_changed(content, write))
    assert told(read_practice(practice)) == messages


def test_merged_rows_are_held_each(practice: Path) -> None:
    def change(_: Workbook, sheet: Worksheet) -> None:
        sheet.append(["P0003", "Cy", "Three", "No"])
        sheet.merge_cells("E2:E3")
        sheet.merge_cells("G3:G4")

    (practice / "patients.xlsx").write_bytes(saved("patients.xlsx", change))
    reading = read_practice(practice)
    assert reading.problems == []
    bad = reading.sheets["patients"].bad_rows
    assert {number: f"{p.severity}: {p}" for number, p in bad.items()} == {
        number: f"Not billed: patients.xlsx: Patients!E{number}: the cell is merged"
        " with its neighbours (E2:E3); unmerge the cells and write the value of each"
        for number in (2, 3)
    }


def test_a_csv_row_with_too_many_cells_is_held(practice: Path) -> None:
    text = PATIENTS_CSV + "P0003,Cy,Three,No,,,1 High St, Ely,\nP0004,Di,Four,No\n"
    (practice / "patients.xlsx").unlink()
    (practice / "patients.csv").write_text(text, encoding="utf-8")
    sheet = read_practice(practice).sheets["patients"]
    assert {n: f"{p.severity}: {p}" for n, p in sheet.bad_rows.items()} == {
        4: "Not billed: patients.csv: row 4, Patient ID: the row has more cells than"
        " there are headings; put text that holds a comma between quotation marks, or"
        " delete the commas too many at the end of the row"
    }
    assert sheet.rows[-1] == (5, ["P0004", "Di", "Four", "No", None, None, None])


VALUES: list[object] = [
    "00123", " Ann ", "Null", "O’Neill", "'5", "1E5", "31/02/2024", 123, 49.99, 0.125,
    -1, True, False, date(2026, 3, 4), datetime(2026, 3, 4, 12, 30), time(9, 30),
    timedelta(hours=30), CellError("#REF!"), CellError("#N/A"), "two\nlines",
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=str)
@pytest.mark.parametrize("mac", [False, True], ids=["days from 1900", "days from 1904"])
def test_a_value_comes_out_exactly_as_it_stands(
    practice: Path, value: object, mac: bool
) -> None:
    def change(book: Workbook, sheet: Worksheet) -> None:
        book.epoch = MAC_EPOCH if mac else book.epoch
        sheet["E2"] = value.text if isinstance(value, CellError) else value
        if isinstance(value, CellError):
            sheet["E2"].data_type = "e"

    (practice / "patients.xlsx").write_bytes(saved("patients.xlsx", change))
    number, row = read_practice(practice).sheets["patients"].rows[0]
    assert (number, type(row[4]), row[4]) == (2, type(value), value)


def test_a_whole_number_stays_one_and_a_bare_day_number_is_not_moved(
    practice: Path,
) -> None:
    def change(book: Workbook, sheet: Worksheet) -> None:
        book.epoch = MAC_EPOCH
        put(sheet, A3=7.0, F3=46085)

    (practice / "patients.xlsx").write_bytes(saved("patients.xlsx", change))
    row = read_practice(practice).sheets["patients"].rows[1][1]
    assert repr([row[0], row[5]]) == "[7, 46085]"


def test_a_sheet_knows_its_headings_its_rows_and_its_places(practice: Path) -> None:
    sheet = read_practice(practice).sheets["patients"]
    assert (sheet.table, sheet.file, sheet.sheet) == (
        "patients",
        "patients.xlsx",
        "Patients",
    )
    assert sheet.headings == {
        "patient_id": 0,
        "first_name": 1,
        "last_name": 2,
        "membership_active": 3,
        "membership": 4,
        "start_date": 5,
    }
    assert list(sheet.rows) == [
        (2, ["P0001", "Ann", "One", "Yes", "GOLD", date(2026, 1, 31), None]),
        (3, ["P0002", "Bo", "Two", "No", None, None, None]),
    ]
    assert sheet.place(2, "start_date") == Place(
        "patients.xlsx", "Patients", 2, "Start date", "F2"
    )
    assert sheet.place(2, "end_date") == Place(
        "patients.xlsx", "Patients", 2, "End date", ""
    )


def test_notes_are_never_loaded(practice: Path) -> None:
    for separator in ",;\t":
        (practice / "patients.xlsx").unlink(missing_ok=True)
        text = table_csv("patients.xlsx", "Patients", separator)
        (practice / "patients.csv").write_text(text, encoding="utf-8")
        assert "likes tea" not in str(read_practice(practice))


def test_every_sheet_is_found_as_a_workbook_or_as_csv(practice: Path) -> None:
    tables = {"settings", "tax_codes", "staff", "roles", "products", "patients"}
    first = read_practice(practice)
    assert first.sheets.keys() == tables
    (practice / "settings.xlsx").unlink()
    for title in BOOKS["settings.xlsx"]:
        name = title.lower().replace(" ", "_") + ".csv"
        (practice / name).write_text(table_csv("settings.xlsx", title))
    second = read_practice(practice)
    assert second.problems == []
    assert second.sheets.keys() == tables
    assert second.sheets["tax_codes"].headings == first.sheets["tax_codes"].headings
    assert str(second.sheets["roles"].place(2, "role")) == "roles.csv: row 2, Role"


def test_the_files_are_read_once_and_left_as_they_were(
    practice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (practice / "sent.csv").write_text("Invoice number,Sent on,Sent to,How,Sent by\n")

    def state() -> dict[str, tuple[bytes, int]]:
        return {
            path.name: (path.read_bytes(), path.stat().st_mtime_ns)
            for path in practice.iterdir()
        }

    opened: list[str] = []

    def read(folder: Path, name: str) -> bytes:
        opened.append(name)
        return folders.read_bytes(folder, name)

    monkeypatch.setattr(subject, "read_bytes", read)
    before = state()
    reading = read_practice(practice)
    assert state() == before
    assert sorted(opened) == sorted(before)
    assert reading.files == {
        name: hashlib.sha256(content).hexdigest()
        for name, (content, _) in before.items()
    }


class Panic(BaseException):
    """What a reader in Rust throws when it gives up."""


@pytest.mark.parametrize("failure", [Panic("P0001 Ann"), KeyError("P0001 Ann")])
def test_a_reader_that_fails_is_told_in_our_words(
    practice: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    class Failing:
        @staticmethod
        def from_filelike(_: object) -> None:
            raise failure

    monkeypatch.setattr(subject, "CalamineWorkbook", Failing)
    assert told(read_practice(practice)) == [
        f"Stops the night: {name}.xlsx: the file could not be read; open it, save it"
        " again, and see that nothing is missing"
        for name in ("settings", "products", "patients")
    ]


def test_values_that_the_second_reader_lost_are_noticed(
    practice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Losing:
        @staticmethod
        def from_filelike(_: object) -> "Losing":
            return Losing()

        def get_sheet_by_index(self, _: int) -> "Losing":
            return self

        start, end = (0, 0), (2, 6)

        def iter_rows(self) -> Iterator[list[object]]:
            return iter([[""] * 7 for _ in range(3)])

    monkeypatch.setattr(subject, "CalamineWorkbook", Losing)
    assert told(read_practice(practice))[0] == (
        "Stops the night: settings.xlsx: Settings: the workbook could not be read"
        " reliably; open it in Excel, save it again and see that nothing is missing"
    )


def test_a_folder_that_is_none_stops_the_night(tmp_path: Path) -> None:
    assert told(read_practice(tmp_path / "none")) == [
        f"Stops the night: {tmp_path / 'none'}: there is no such folder;"
        " name the practice folder"
    ]
