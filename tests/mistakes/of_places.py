"""Mistakes with tables and prices that stand where nobody reads them: 126 to 129."""

from datetime import date
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
    Mistake(
        129, "A price in a column that its product has no use for",
        "It is charged to nobody, and that is said; a price change or agreed price with no"
        " other is held.",
        (
            "Not billed | price-misplaced | products.xlsx: Price changes!E{r} | 45.00 in Price is charged to nobody: GOLD is a membership | an amount in the column Monthly price or Annual price | write it in Monthly price or Annual price instead",
            "Check | price-misplaced | products.xlsx: Price changes!C{r1} | 70.00 in Monthly price is charged to nobody: CONSULT is no membership | an amount in the column Price | clear this cell; if it is what should be charged, write it in Price",
            "Check | price-not-offered | products.xlsx: Price changes!D{r2} | 300.00 in Annual price is charged to nobody: SILVER is sold by the month only | an amount in the column Monthly price | clear this cell, or write it in Monthly price if it is for a month; to sell SILVER by the year, fill in its Annual price in the sheet Products",
        ),
        rows={
            "price_changes": tuple(
                {
                    "Product code": code, "Effective from": date(2030, 1, 1),
                    "Monthly price": monthly, "Annual price": annual, "Price": price,
                    "Last edited by": "mm",
                }
                for code, monthly, annual, price in (
                    ("GOLD", None, None, 45), ("CONSULT", 70, None, 85),
                    ("SILVER", 31, 300, None),
                )
            )
        },
    ),
)  # fmt: skip
