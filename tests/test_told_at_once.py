"""A sheet that stops the night tells its other faults in the same go."""

from datetime import date
from pathlib import Path

import openpyxl
import practice
import pytest
from practice import Row, member

from pipeline.ledger import ledger_path
from pipeline.problems import Refused, stops
from pipeline.run import check_only
from pipeline.workbooks import read_practice

DAY = date(2026, 1, 31)


def _told(folder: Path) -> list[str]:
    """Every problem of a night that cannot go on."""
    with pytest.raises(Refused) as refusal:
        check_only(folder, ledger_path(folder), as_of=DAY, today=lambda zone: DAY)
    return [f"{p.severity}: {p} ({p.subject})" for p in refusal.value.problems]


def _without(title: str, rows: list[Row]) -> list[Row]:
    return [{name: cell for name, cell in row.items() if name != title} for row in rows]


def test_a_missing_column_hides_no_fault_of_the_others(tmp_path: Path) -> None:
    """Nothing is told of blank cells, nor of rows that are alike in what is left."""
    given = practice.sheets()
    given["patients"] = _without("First name", [
        member("P1", start_date="31/02/2026"), member("P2", membership_active="Perhaps"),
        member("P3"), member("P3", first_name="Clarissa"),
    ])  # fmt: skip
    assert _told(practice.make(tmp_path, given)) == [
        "Stops the night: patients.csv: the column First name is missing;"
        " add a column with the heading First name ()",
        "Not billed: patients.csv: row 3, Membership active: Perhaps is not Yes or No;"
        " write Yes or No (P2)",
        "Not billed: patients.csv: row 2, Start date: 31/02/2026 is not a date;"
        " write it as a date cell or as 2024-01-31 (P1)",
    ]


def test_without_its_ids_a_sheet_has_no_rows_to_tell_of(tmp_path: Path) -> None:
    given = practice.sheets()
    rows = [member("P1", start_date="31/02/2026")]
    given["patients"] = _without("Patient ID", rows)
    assert _told(practice.make(tmp_path, given)) == [
        "Stops the night: patients.csv: the column Patient ID is missing;"
        " add a column with the heading Patient ID ()",
    ]


def test_a_formula_without_its_value_hides_no_fault_of_other_cells(
    tmp_path: Path,
) -> None:
    given = practice.sheets()
    rows = given.pop("products")
    folder = practice.make(tmp_path, given)
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet
    sheet.title = "Products"
    titles = list(dict.fromkeys(title for row in rows for title in row))
    sheet.append(titles)
    for row in rows:
        sheet.append([row.get(title, "") for title in titles])
    price = titles.index("Monthly price") + 1
    sheet.cell(2, price).value = "=40+10"
    sheet.cell(3, price).value = "thirty"
    book.save(folder / "products.xlsx")
    assert _told(folder) == [
        "Stops the night: products.xlsx: Products!D2: formulas were saved without their"
        " values (D2); open the file in Excel, let it calculate, and save it ()",
        "Not billed: products.xlsx: Products!D3: thirty is not an amount; write an amount"
        " in pounds with at most two decimals, such as 49.99 (SILVER)",
    ]


def test_of_cells_that_have_moved_under_other_headings_nothing_is_told(
    tmp_path: Path,
) -> None:
    """A heading deleted with its cell: the values are right, and must stay as they are."""
    given = practice.sheets()
    given["patients"] = [member(f"P{at}", bill_to="ACME") for at in range(9)]
    folder = practice.make(tmp_path, given)
    file = folder / "patients.csv"
    head, *rows = file.read_text(encoding="utf-8").splitlines()
    missing = "the column Membership active is missing"
    blank = "the heading is blank, but there are values under it"
    for left, told in ((",", [blank, missing]), ("", [missing])):
        shifted = head.replace("Membership active,", "") + left
        file.write_text("\n".join([shifted, *rows]) + "\n", encoding="utf-8")
        for found, words in zip(_told(folder), told, strict=True):
            assert words in found


def test_a_column_that_is_wrong_from_top_to_bottom_may_be_another_s(
    tmp_path: Path,
) -> None:
    """More than three of its cells, and more than half, beside a column that is missing."""
    given = practice.sheets()
    rows = [member(f"P{at}", start_date="soon") for at in range(4)]
    rows += [member(f"Q{at}", end_date="never") for at in range(4)]
    rows += [member(f"R{at}", end_date="2026-12-31") for at in range(4)]
    given["patients"] = _without("First name", rows)
    folder = practice.make(tmp_path, given)
    columns = ["Start date"] * 4 + ["End date"] * 4
    assert [
        text.split(", ")[1].partition(":")[0] for text in _told(folder)[1:]
    ] == columns
    practice.write(folder, "patients", given["patients"][:6])
    assert [text.split(", ")[1].partition(":")[0] for text in _told(folder)[1:]] == [
        "End date", "End date",
    ]  # fmt: skip


def test_a_sent_row_holds_nobody_also_where_its_sheet_stops_the_night(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path)
    sent = {"Invoice number": "INV-000001", "Sent on": "32/13/2026", "How": "post"}
    practice.write(folder, "sent", [sent])
    *_, told = _told(folder)
    assert told.startswith(
        "Check: sent.csv: row 2, Sent on: 32/13/2026 is not a date, so"
    )


UNUSABLE = {
    "empty": b"",
    "a web page": b"<html><body>Contacts</body></html>",
    "letters of no kind": b"Code,Name\nACME,Caf\x81\x8d\n",
    "a quotation mark left open": b'Code,Name\nACME,"Acme\n',
    "without its ids": b"Cod,Name\nACME,Acme\n",
    "without its names": b"Code\nACME\n",
}


@pytest.mark.parametrize(
    "content", [pytest.param(content, id=name) for name, content in UNUSABLE.items()]
)
def test_of_codes_whose_sheet_cannot_be_used_nothing_is_told(
    content: bytes, tmp_path: Path
) -> None:
    """Nor where the sheet lacks its names, below, which stops the night like all of these."""
    folder = practice.make(tmp_path, _with_payers())
    (folder / "contacts.csv").write_bytes(content)
    reading = read_practice(folder)
    assert reading.unusable == {"contacts"}
    (told,) = map(str, stops(reading.problems))
    assert told.startswith("contacts.csv: ")


def test_of_codes_whose_sheet_lacks_its_names_nothing_is_told(tmp_path: Path) -> None:
    folder = practice.make(tmp_path, _with_payers())
    (folder / "contacts.csv").write_bytes(UNUSABLE["without its names"])
    (told,) = _told(folder)
    assert told.startswith("Stops the night: contacts.csv: ")


def test_of_codes_whose_sheet_may_be_either_of_two_nothing_is_told(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path, _with_payers())
    for name in ("contacts.csv", "Contacts.CSV"):
        (folder / name).write_text("Code,Name\nACME,Acme\n", encoding="utf-8")
    (told,) = _told(folder)
    assert "stand side by side" in told


def test_where_there_are_no_contacts_their_codes_are_told_beside_what_stops(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path, _with_payers())
    practice.set_to(folder, "Auto invoice", "Perhaps")
    stop, *unknown = _told(folder)
    assert stop.startswith("Stops the night: settings.csv: ")
    repair = "; write a code of the sheet Contacts, or add it there"
    assert unknown == [
        f"Not billed: {place}: ACME is not in the sheet Contacts{repair} ({subject})"
        for place, subject in (
            ("contract_prices.csv: row 2, Contact code", "ACME"),
            ("patients.csv: row 2, Bill to", "P1"),
        )
    ]


def _with_payers() -> practice.Sheets:
    """The practice, a patient and a contract price naming a contact; no contacts."""
    given = practice.sheets()
    given["patients"] = [member("P1", bill_to="ACME")]
    given["contract_prices"] = [
        {
            "Contact code": "ACME", "Product code": "GOLD", "Monthly price": "41.00",
            "Last edited by": "mm",
        }
    ]  # fmt: skip
    return given
