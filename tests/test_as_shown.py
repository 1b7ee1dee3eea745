"""Cells are read as they are shown: 0.2 as 20%, and 100000 as no code but 1.00E+05."""

from datetime import date
from pathlib import Path

import office
import practice
import pytest
from openpyxl import load_workbook

from pipeline.ingest import read_sheet
from pipeline.ledger import ledger_path, opened
from pipeline.prepare import prepare
from pipeline.reading.package import unpack
from pipeline.workbooks import read_grids, read_practice
from schemas.inputs import Patients
from tests.practice import Row

DAY = date(2026, 3, 1)
SIGNED: Row = {"Last edited by": "mm"}


def made(folder: Path, rate: object, look: str, share: object = 25) -> Path:
    """A practice in workbooks, a rate and a share in cells of the number format `look`."""
    given = practice.sheets()
    given["settings"] += [
        SIGNED | {"Setting": "Max price change %", "Value": "share"},
        SIGNED | {"Setting": "Payment terms (days)", "Value": "14"},
    ]
    given["tax_codes"].append(
        SIGNED | {"Code": "STD", "Name": "Standard", "Rate %": ""}
    )
    books = office.books(given)
    settings, codes = books["settings"]["Settings"], books["settings"]["Tax codes"]
    share_at, days_at = settings.max_row - 1, settings.max_row
    settings[f"B{share_at}"], settings[f"B{days_at}"] = share, 14
    codes["C3"] = rate
    for cell in (settings[f"B{share_at}"], settings[f"B{days_at}"], codes["C3"]):
        cell.number_format = look
    return office.save(folder, books)


def read(folder: Path) -> tuple[object, object, object]:
    """The rate, the share and the days as they are handed to whoever parses them."""
    reading = read_practice(folder)
    assert reading.problems == []
    settings, codes = reading.sheets["settings"], reading.sheets["tax_codes"]
    (_, share), (_, days) = settings.rows[-2:]
    value, rate = settings.headings["value"], codes.headings["rate"]
    return codes.rows[-1][1][rate], share[value], days[value]


@pytest.mark.parametrize(
    ("typed", "look", "shown"),
    [
        (0.2, "0%", "20%"),
        (1, "0%", "100%"),
        (0, "0%", "0%"),
        (20, "0%", "2000%"),
        (0.175, "0.00%", "17.5%"),
        (0.07, "0.0 %", "7%"),
        (0.1 + 0.2, '0%" a year"', "30%"),
        (-0.2, "0%;[Red]-0%", "-20%"),
        (0.2, "General", 0.2),
        (0.2, '0.0"%"', 0.2),
        (0.2, "0.0\\%", 0.2),
        (0.2, "[<1]0%;0", 0.2),
        (0.2, "0;-0%", 0.2),
        (0.2, "0%%", 0.2),
        ("20%", "0%", "20%"),
        (1e9, "0%", 10**9),
    ],
)
def test_a_number_in_a_cell_in_per_cent_is_what_it_shows(
    tmp_path: Path, typed: object, look: str, shown: object
) -> None:
    folder = made(tmp_path, typed, look, typed)
    assert read(folder) == (shown, shown, 14)


def test_a_rate_of_20_per_cent_is_20_and_that_is_told(tmp_path: Path) -> None:
    folder = made(tmp_path, 0.2, "0%", 1)
    assert practice.run("check", folder, "--as-of", "2026-03-01").code == 0
    sheet = load_workbook(folder / "out/issues.xlsx")["Fixed for you"]
    told = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "20% is read as 20" in " ".join(map(str, told))


def test_a_price_that_shows_a_percent_sign_is_held(tmp_path: Path) -> None:
    folder = made(tmp_path, 0.2, "0%", 1)
    book = load_workbook(folder / "products.xlsx")
    book["Products"]["D2"] = 0.5
    book["Products"]["D2"].number_format = "0%"
    book.save(folder / "products.xlsx")
    told = practice.run("check", folder, "--as-of", "2026-03-01")
    assert told.code == 3
    assert "Products!D2: 50% is not an amount" in told.err


def test_a_share_of_100_per_cent_is_the_guards_limit(tmp_path: Path) -> None:
    folder = made(tmp_path, 0.2, "0%", 1)
    with opened(ledger_path(folder), write=False) as ledger:
        prepare(ledger, folder, DAY, lambda zone: DAY)
        assert ledger.value("select max_price_change from input.practice") == 100


def test_a_fraction_that_shows_no_sign_is_refused_as_before(tmp_path: Path) -> None:
    told = practice.run(
        "check", made(tmp_path, 0.2, "General"), "--as-of", "2026-03-01"
    )
    assert (
        "Tax codes!C3: 0.2 is a fraction, not a percentage; write 20 for 20%"
        in told.err
    )


def test_percentages_are_carried_as_they_are_shown(tmp_path: Path) -> None:
    grids, _ = read_grids(made(tmp_path, 1, "0%", 1))
    assert grids["tax_codes"].rows[2][2] == "100%"
    assert grids["settings"].rows[-2][1] == "100%"


def test_the_formats_of_a_workbook_without_a_percentage_show_none(
    tmp_path: Path,
) -> None:
    content = (made(tmp_path, 20, "0.00") / "settings.xlsx").read_bytes()
    assert unpack(content).styles.shown == {}


LOST = "code-digits-lost"


@pytest.mark.parametrize(
    ("number", "look", "code"),
    [
        (1e5, "0.00E+00", LOST),
        (1e5, "0E+0", LOST),
        (1e5, "##0.0E+0", LOST),
        (4e11, '"no. "0.0e+00', LOST),
        (1e5, "General", "number-as-code"),
        (1e5, "0", "number-as-code"),
        (1e5, '0"E+"', "number-as-code"),
    ],
)
@pytest.mark.parametrize("title", ["Patient ID", "Membership", "Bill to"])
def test_a_code_with_an_e_that_became_a_number_is_held(
    tmp_path: Path, number: float, look: str, code: str, title: str
) -> None:
    given = practice.sheets()
    given["patients"][0][title] = office.Shown(number, look)
    reading = read_practice(office.save(tmp_path, office.books(given)))
    told = {p.code for p in read_sheet(Patients, reading.sheets["patients"]).problems}
    assert told & {LOST, "number-as-code"} == {code}


def test_an_account_with_an_e_is_held_in_the_settings(tmp_path: Path) -> None:
    given = practice.sheets()
    given["settings"].append(
        SIGNED | {"Setting": "Debtors account", "Value": office.Shown(1e5, "0.00E+00")}
    )
    folder = office.save(tmp_path, office.books(given))
    told = practice.run("check", folder, "--as-of", "2026-03-01")
    assert "1.00E+05 is what spreadsheets make of a long number" in told.err
