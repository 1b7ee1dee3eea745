"""Mistakes with tables that stand where nobody reads them: 126 to 128."""

from pathlib import Path

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from mistakes.mistake import Mistake, workbook

PRICES = (
    ("Contact code", "Product code", "Monthly price", "Last edited by"),
    ("ACME", "GOLD", 44, "mm"),
)


def _fill(sheet: Worksheet) -> None:
    for row in PRICES:
        sheet.append(row)


def _in_patients(folder: Path) -> None:
    with workbook(folder) as (book, _):
        _fill(book.create_sheet("Contract prices"))


def _in_another(folder: Path) -> None:
    book = Workbook()
    book.active.title = "Contract prices"
    _fill(book.active)
    book.save(folder / "agreed.xlsx")


def _in_text(folder: Path) -> None:
    rows = "Request ID,Patient ID,Product code,Requested on\nR1,P1,CONSULT,2026-02-05\n"
    (folder / "extras.csv").write_text(rows)


_MOVE = "move it to products.xlsx or save it as contract_prices.csv; if it is for the office alone, give it another title"

MISTAKES = (
    Mistake(
        126, "A sheet stands in the wrong workbook",
        "It is not read, and that is said.",
        (
            f"Check | sheet-elsewhere | patients.xlsx: Contract prices | this sheet is read in products.xlsx only; here it was not |  | {_MOVE}",
        ), _in_patients,
    ),
    Mistake(
        127, "A sheet stands in a workbook of another name",
        "It is not read, and that is said.",
        (
            f"Check | sheet-elsewhere | agreed.xlsx: Contract prices | this sheet is read in products.xlsx only; here it was not |  | {_MOVE}",
        ), _in_another,
    ),
    Mistake(
        128, "A CSV with the headings of a sheet has another name",
        "It is not read, and that is said.",
        (
            "Check | name-unknown | extras.csv | this has the headings of Invoice requests, but no file of the practice has this name; it was not read |  | rename it to invoice_requests.csv if it belongs here, or move it out of the folder",
        ), _in_text,
    ),
)  # fmt: skip
