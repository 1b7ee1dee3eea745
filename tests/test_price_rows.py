"""What a price row with a problem holds: whom, and how much money of nobody else's."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import practice
import pytest
from practice import Row, member

from pipeline.ledger import ledger_path
from pipeline.problems import Severity
from pipeline.run import check_only

DAY = date(2026, 1, 31)


def _amounts(folder: Path) -> dict[int | None, Decimal | None]:
    """What each problem of a price that holds its row holds back, by the row."""
    found, _ = check_only(
        folder, ledger_path(folder), as_of=DAY, today=lambda zone: DAY
    )
    return {
        problem.place.row: problem.amount
        for problem in found
        if problem.severity is Severity.HELD
        and problem.place.sheet in ("Contract prices", "Price changes")
    }


def _contract(contact: str, product: str, price: str, **cells: str) -> Row:
    return {
        "Contact code": contact, "Product code": product, "Monthly price": price,
        "Valid from": "", "Valid to": "", "Last edited by": "mm",
        **{name.replace("_", " ").capitalize(): cell for name, cell in cells.items()},
    }  # fmt: skip


BACKWARDS = {"valid_from": "2026-02-01", "valid_to": "2026-01-01"}

CASES = [
    pytest.param(
        [_contract("ACME", "GOLD", "44.995"), _contract("ACME", "SILVER", "abc")],
        {2: "50.00", 3: "30.00"},
        id="each row that of its own product",
    ),
    pytest.param(
        [_contract("ACME", "GOLD", "44.995"), _contract("ZETA", "GOLD", "abc")],
        {2: "50.00", 3: "50.00"},
        id="and of its own payer",
    ),
    pytest.param(
        [_contract("ACME", "GOLD", "44.995"), _contract("ACME", "SILVER", "20.00", **BACKWARDS)],
        {2: "50.00", 3: None},
        id="a row that holds nobody nothing, whatever another holds of its payer",
    ),
    pytest.param(
        [_contract("ACME", "GOLD", "44.995"), _contract("ACME", "NONE", "20.00")],
        {2: "50.00", 3: None},
        id="nor does a row of a product that is not there",
    ),
    pytest.param(
        [_contract("acme", "gold", "44.995")],
        {2: "50.00"},
        id="codes are compared as everywhere",
    ),
    pytest.param(
        [
            _contract("ACME", "GOLD", "44.00", valid_to="2026-12-31"),
            _contract("ACME", "GOLD", "43.00", valid_from="2026-01-01"),
            _contract("ACME", "SILVER", "abc"),
        ],
        {2: "43.00", 3: "43.00", 4: "30.00"},
        id="two prices for one day what both hold",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("contracts", "expected"), CASES)
def test_a_bad_contract_price_shows(
    contracts: list[Row], expected: dict[int | None, str | None], tmp_path: Path
) -> None:
    given = practice.sheets()
    given["contacts"] = [{"Code": code, "Name": code} for code in ("ACME", "ZETA")]
    given["contract_prices"] = contracts
    day = {"start_date": "2026-01-05"}
    given["patients"] = [
        member("P1", bill_to="ACME", **day),
        member("P2", bill_to="ACME", membership="SILVER", **day),
        member("P3", bill_to="ZETA", **day),
        member("P4", **day),
    ]
    shown = _amounts(practice.make(tmp_path, given))
    assert {row: amount and str(amount) for row, amount in shown.items()} == expected


def test_a_bad_price_change_shows_what_it_holds_however_its_code_is_typed(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path)
    change = {"Product code": "gold", "Effective from": "2026-01-01"}
    bad = {**change, "Monthly price": "5O", "Last edited by": "mm"}
    practice.add(folder, "price_changes", bad)
    assert _amounts(folder) == {2: Decimal("50.00")}


def test_a_price_that_is_gone_from_its_sheet_shows_what_it_holds_with_the_other(
    tmp_path: Path,
) -> None:
    given = practice.sheets()
    given["contacts"] = [{"Code": "ACME", "Name": "Acme"}]
    both = [
        _contract("ACME", "GOLD", "44.00"),
        _contract("ACME", "GOLD", "43.00", valid_from="2026-01-01"),
    ]
    given["contract_prices"] = both
    given["patients"] = [member("P1", bill_to="ACME", start_date="2026-01-15")]
    folder = practice.make(tmp_path, given)
    assert practice.bill(folder, "2026-01-10").code == 3
    practice.write(folder, "contract_prices", both[:1])
    assert _amounts(folder) == {None: Decimal("43.00"), 2: Decimal("43.00")}


def _change(monthly: str, annual: str, **cells: str) -> Row:
    return {
        "Product code": "GOLD", "Effective from": "soon", "Monthly price": monthly,
        "Annual price": annual, "Last edited by": "mm",
        **{name.replace("_", " ").capitalize(): cell for name, cell in cells.items()},
    }  # fmt: skip


NOW = {"effective_from": "2026-01-01"}
MONTH, YEAR = "M1", "Y1"

FOR_WHOM = [
    pytest.param(
        [_change("40.00", "")], [MONTH], id="the price of a month members by it"
    ),
    pytest.param(
        [_change("", "400.00")], [YEAR], id="that of a year those by the year"
    ),
    pytest.param(
        [_change("40.00", "4OO")], [MONTH, YEAR], id="one nobody can read too"
    ),
    pytest.param([_change("-40", "", **NOW)], [MONTH], id="and one that cannot be"),
    pytest.param([_change("n/a", "400.00")], [YEAR], id="a word for blank is blank"),
    pytest.param([_change("", "", **NOW)], [MONTH, YEAR], id="no price at all both"),
    pytest.param(
        [_change("40.00", "", **NOW), _change("", "400.00", **NOW)],
        [MONTH, YEAR],
        id="rows of one day hold whom any of them concerns",
    ),
    pytest.param(
        [_change("40.00", "", **NOW), _change("41.00", "", **NOW)],
        [MONTH],
        id="and nobody else",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), FOR_WHOM)
def test_a_bad_price_change_holds(
    changes: list[Row], expected: list[str], tmp_path: Path
) -> None:
    folder = _by_the_month_and_by_the_year(tmp_path)
    practice.add(folder, "price_changes", *changes)
    assert _held(folder) == expected


def test_a_row_that_has_slid_holds_both_whatever_stands_in_it(tmp_path: Path) -> None:
    folder = _by_the_month_and_by_the_year(tmp_path)
    titles = "Product code,Effective from,Monthly price,Annual price,Last edited by"
    (folder / "price_changes.csv").write_text(
        f"{titles}\nGOLD,2026-01-01,40.00,,mm,x\nSILVER,2026-01-01,31.00,,mm\n",
        encoding="utf-8",
    )
    assert _held(folder) == [MONTH, YEAR]


def test_of_contract_prices_of_one_day_each_holds_its_own_days(tmp_path: Path) -> None:
    folder = _by_the_month_and_by_the_year(tmp_path)
    ended = {"valid_from": "2025-01-01", "valid_to": "2025-12-31"}
    goes_on = {"valid_from": "2025-01-01"}
    rows = [_contract("ACME", "GOLD", "44.00", **ended)]
    rows.append(_contract("ACME", "GOLD", "43.00", **goes_on))
    practice.add(folder, "contacts", {"Code": "ACME", "Name": "Acme"})
    practice.add(folder, "contract_prices", *rows)
    practice.change(folder, "patients", MONTH, {"Bill to": "ACME"})
    assert _held(folder) == [MONTH]
    assert _amounts(folder) == {2: Decimal("50.00"), 3: Decimal("50.00")}


def _by_the_month_and_by_the_year(folder: Path) -> Path:
    given = practice.sheets()
    day = {"start_date": "2026-01-05"}
    given["patients"] = [
        member(MONTH, **day),
        member(YEAR, billing_frequency="Annual", **day),
    ]
    return practice.make(folder, given)


def _held(folder: Path) -> list[str]:
    """Which of the two a night would not bill."""
    told = practice.run("preview", folder, "--as-of", DAY, "--format", "csv")
    billed = [row["patient_id"] for row in told.rows]
    return [who for who in (MONTH, YEAR) if who not in billed]
