"""Opening the practice's files: every fault told in full, every value as it stands."""

import io
import zipfile
from collections.abc import Callable
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from openpyxl.packaging.custom import StringProperty
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.workbooks import Reading

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


PATIENTS_CSV = table_csv("patients.xlsx", "Patients")
OLE = bytes.fromhex("d0cf11e0a1b11ae1")
ODS_MIME = "application/vnd.oasis.opendocument.spreadsheet"

# What is put into the folder (None: taken away), and all that is said of it.
FILE_FAULTS = [
    pytest.param({}, [], id="a folder without a fault is read without a word"),
    #24X
]
