"""What a price row with a problem holds: whom, and how much money of nobody else's."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import practice
import pytest
from practice import Row, member

from pipeline.ledger import ledger_path, opened
from pipeline.problems import Problem, Severity
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


# What stands in a row of GOLD, a membership, and what its two members are charged.
OF_A_MEMBERSHIP = [
    pytest.param(
        {"Price": "45.00"}, {}, id="nobody knows what, if Price is all there is"
    ),
    pytest.param(
        {"Price": "45.00", "Monthly price": "40.00"},
        {MONTH: "40.00", YEAR: "550.00"},
        id="the price that is in its place, where there is one",
    ),
    pytest.param(
        {"Price": "45.00", "Annual price": "400.00"},
        {MONTH: "50.00", YEAR: "400.00"},
        id="or the other one",
    ),
]


@pytest.mark.parametrize(("cells", "expected"), OF_A_MEMBERSHIP)
@pytest.mark.parametrize("sheet", ["price_changes", "contract_prices"])
def test_a_price_in_the_column_of_a_service_is_charged_to_nobody(
    sheet: str, cells: Row, expected: dict[str, str], tmp_path: Path
) -> None:
    folder = _by_the_month_and_by_the_year(tmp_path)
    practice.add(folder, "contacts", {"Code": "ACME", "Name": "Acme"})
    for who in (MONTH, YEAR):
        practice.change(folder, "patients", who, {"Bill to": "ACME"})
    blank = {"Monthly price": "", "Annual price": "", "Price": ""}
    whose = {
        "price_changes": {"Product code": "gold", "Effective from": "2026-01-01"},
        "contract_prices": {"Contact code": "ACME", "Product code": "gold"},
    }
    row = {**whose[sheet], **blank, **cells, "Last edited by": "mm"}
    practice.add(folder, sheet, row)
    assert _charged(folder) == expected
    (told,) = _told(folder, "price-misplaced")
    assert told.place.column == "Price"
    assert told.severity is (Severity.CHECK if expected else Severity.HELD)
    assert told.amount == (None if expected else Decimal("600.00"))


def test_a_price_in_the_column_of_a_membership_holds_a_service(tmp_path: Path) -> None:
    folder = practice.make(tmp_path)
    asked = {
        "Request ID": "R1", "Patient ID": "P1", "Product code": "CONSULT",
        "Requested on": "2026-01-10",
    }  # fmt: skip
    practice.add(folder, "invoice_requests", asked)
    row = {"Product code": "CONSULT", "Effective from": "2026-01-01", "Price": ""}
    bad = {**row, "Monthly price": "70.00", "Annual price": "700.00"}
    practice.add(folder, "price_changes", {**bad, "Last edited by": "mm"})
    held = [(problem.place.column, problem.amount)
            for problem in _told(folder, "price-misplaced")]  # fmt: skip
    amount = Decimal("85.00")
    assert held == [("Annual price", amount), ("Monthly price", amount)]
    practice.change(folder, "price_changes", "CONSULT", {"Price": "70.00"})
    assert "70.00" in [line["unit_price"] for line in _lines(folder)]


def test_a_price_of_how_a_product_is_not_sold_holds_nobody(tmp_path: Path) -> None:
    folder = _by_the_month_and_by_the_year(tmp_path)
    practice.change(folder, "patients", MONTH, {"Membership": "SILVER"})
    row = {"Product code": "SILVER", "Effective from": "2026-01-01"}
    bad = {**row, "Monthly price": "", "Annual price": "300.00"}
    practice.add(folder, "price_changes", {**bad, "Last edited by": "mm"})
    assert _charged(folder) == {MONTH: "30.00", YEAR: "550.00"}
    assert [p.severity for p in _told(folder, "price-not-offered")] == [Severity.CHECK]


def test_of_a_product_that_is_held_nobody_knows_which_price_is_misplaced(
    tmp_path: Path,
) -> None:
    folder = _by_the_month_and_by_the_year(tmp_path)
    bad = {"Product code": "GOLD", "Effective from": "2026-01-01", "Price": "45.00"}
    practice.add(folder, "price_changes", {**bad, "Last edited by": "mm"})
    twin = practice.product("GOLD", "Gold", price="45.00")
    practice.add(folder, "products", {**twin, "Last edited by": "mm"})
    assert not _told(folder, "price-misplaced")


def test_a_price_that_is_held_for_its_column_is_not_accepted(tmp_path: Path) -> None:
    folder = _by_the_month_and_by_the_year(tmp_path)
    practice.add(folder, "contacts", {"Code": "ACME", "Name": "Acme"})
    practice.add(folder, "contract_prices", _contract("ACME", "GOLD", "44.00"))
    assert practice.bill(folder, "2026-01-31").code == 0
    cells = {"Monthly price": "", "Price": "43.00"}
    practice.change(folder, "contract_prices", "ACME", cells)
    assert practice.bill(folder, "2026-01-31").code == 3
    with opened(ledger_path(folder), write=False) as ledger:
        changes = ledger.rows("select distinct accepted, reason from ledger.changes")
        agreed = ledger.rows(
            "select monthly_price from ledger.accepted.contract_prices"
        )
    assert changes == [{"accepted": False, "reason": "the row cannot be used yet"}]
    assert agreed == [{"monthly_price": Decimal("44.00")}]


def test_the_guards_hold_what_the_night_holds(tmp_path: Path) -> None:
    """An agreed price was right until its product became a membership."""
    folder = practice.make(tmp_path)
    practice.set_to(folder, "Max forecast difference %", "10")
    practice.add(folder, "contacts", {"Code": "ACME", "Name": "Acme"})
    agreed = {"Contact code": "ACME", "Product code": "CONSULT", "Price": "70.00"}
    practice.add(folder, "contract_prices", {**agreed, "Last edited by": "mm"})
    assert practice.bill(folder, "2026-01-31").code == 0
    cells = {"Type": "Membership", "Monthly price": "2000.00", "Price": ""}
    practice.change(folder, "products", "CONSULT", cells)
    who = member("P3", membership="CONSULT", bill_to="ACME", start_date="2026-01-30")
    practice.add(folder, "patients", who)
    assert practice.bill(folder, "2026-01-31").code == 3
    assert [(p.place.row, p.amount) for p in _told(folder, "price-misplaced")] == [
        (2, Decimal("2000.00"))
    ]
    practice.change(folder, "products", "SILVER", {"Name": "Silver scheme"})
    assert practice.bill(folder, "2026-01-31").code == 3


def _told(folder: Path, code: str) -> list[Problem]:
    """The problems of one kind that a check finds."""
    found, _ = check_only(
        folder, ledger_path(folder), as_of=DAY, today=lambda zone: DAY
    )
    return [problem for problem in found if problem.code == code]


def _lines(folder: Path) -> list[Row]:
    """The lines a night would make."""
    return practice.run("preview", folder, "--as-of", DAY, "--format", "csv").rows


def _charged(folder: Path) -> dict[str, str]:
    """What a night would charge the two members."""
    return {line["patient_id"]: line["unit_price"] for line in _lines(folder)}


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
    return [who for who in (MONTH, YEAR) if who not in _charged(folder)]
