"""What a price row with a problem holds: whom, and how much money of nobody else's.

Each case has products, payers and members of its own in one practice that is previewed
once, so that what a case holds too much is missed by another.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import practice
import pytest
from practice import Row, member, product

from pipeline.bookkeeping import accounts
from pipeline.ledger import ledger_path, opened
from pipeline.prepare import prepare
from pipeline.problems import Problem, Severity
from pipeline.run import guard, preview

DAY = date(2026, 1, 31)


def _signed(row: Row) -> Row:
    return {**row, "Last edited by": "mm"}


def _contract(contact: str, code: str, price: str, **cells: str) -> Row:
    return _signed({
        "Contact code": contact, "Product code": code, "Monthly price": price,
        "Valid from": "", "Valid to": "",
        **{name.replace("_", " ").capitalize(): cell for name, cell in cells.items()},
    })  # fmt: skip


def _change(monthly: str, annual: str, **cells: str) -> Row:
    return _signed({
        "Product code": "GOLD", "Effective from": "soon", "Monthly price": monthly,
        "Annual price": annual,
        **{name.replace("_", " ").capitalize(): cell for name, cell in cells.items()},
    })  # fmt: skip


BACKWARDS = {"valid_from": "2026-02-01", "valid_to": "2026-01-01"}

# Rows of payers with a member of GOLD each, ACME with one of SILVER too, and what those
# of them that are held hold back: the first row, the second.
CONTRACTS: dict[str, tuple[list[Row], dict[int, str | None]]] = {
    "each row that of its own product": (
        [_contract("ACME", "GOLD", "44.995"), _contract("ACME", "SILVER", "abc")],
        {1: "50.00", 2: "30.00"},
    ),
    "and of its own payer": (
        [_contract("ACME", "GOLD", "44.995"), _contract("ZETA", "GOLD", "abc")],
        {1: "50.00", 2: "50.00"},
    ),
    "a row that holds nobody nothing, whatever another holds of its payer": (
        [_contract("ACME", "GOLD", "44.995"), _contract("ACME", "SILVER", "20.00", **BACKWARDS)],
        {1: "50.00", 2: None},
    ),
    "nor does a row of a product that is not there": (
        [_contract("ACME", "GOLD", "44.995"), _contract("ACME", "NONE", "20.00")],
        {1: "50.00", 2: None},
    ),
    "codes are compared as everywhere": (
        [_contract("acme", "gold", "44.995")],
        {1: "50.00"},
    ),
    "two prices for one day what both hold": (
        [
            _contract("ACME", "GOLD", "44.00", valid_to="2026-12-31"),
            _contract("ACME", "GOLD", "43.00", valid_from="2026-01-01"),
            _contract("ACME", "SILVER", "abc"),
        ],
        {1: "43.00", 2: "43.00", 3: "30.00"},
    ),
    "two that begin on one day the days of each": (
        [
            _contract("ACME", "GOLD", "44.00", valid_from="2025-01-01", valid_to="2025-12-31"),
            _contract("ACME", "GOLD", "43.00", valid_from="2025-01-01"),
        ],
        {1: "50.00", 2: "50.00"},
    ),
}  # fmt: skip

NOW = {"effective_from": "2026-01-01"}
MONTH, YEAR = "M", "Y"

# Rows of a product with a member by the month and one by the year; and whom they hold.
FOR_WHOM: dict[str, tuple[list[Row], str]] = {
    "the price of a month members by it": ([_change("40.00", "")], MONTH),
    "that of a year those by the year": ([_change("", "400.00")], YEAR),
    "one nobody can read too": ([_change("40.00", "4OO")], MONTH + YEAR),
    "and one that cannot be": ([_change("-40", "", **NOW)], MONTH),
    "a word for blank is blank": ([_change("n/a", "400.00")], YEAR),
    "no price at all both": ([_change("", "", **NOW)], MONTH + YEAR),
    "rows of one day hold whom any of them concerns": (
        [_change("40.00", "", **NOW), _change("", "400.00", **NOW)], MONTH + YEAR,
    ),
    "and nobody else": (
        [_change("40.00", "", **NOW), _change("41.00", "", **NOW)], MONTH,
    ),
}  # fmt: skip
CHANGED = {name: f"CHANGED{n}" for n, name in enumerate(FOR_WHOM)}

# What stands in a row of a membership, and what its two members are charged.
OF_A_MEMBERSHIP: dict[str, tuple[Row, dict[str, str]]] = {
    "nobody knows what, if Price is all there is": ({"Price": "45.00"}, {}),
    "the price that is in its place, where there is one": (
        {"Price": "45.00", "Monthly price": "40.00"}, {MONTH: "40.00", YEAR: "550.00"},
    ),
    "or the other one": (
        {"Price": "45.00", "Annual price": "400.00"}, {MONTH: "50.00", YEAR: "400.00"},
    ),
}  # fmt: skip
MISPLACED = {
    (sheet, name): f"{sheet[:5].upper()}{n}"
    for sheet in ("price_changes", "contract_prices")
    for n, name in enumerate(OF_A_MEMBERSHIP)
}

# Memberships of further tests, each with a member by the month and one by the year.
ALONE = ("TYPED", "SLID", "TWIN")


@dataclass(frozen=True)
class Previewed:
    """What the night would find and charge."""

    folder: Path
    problems: list[Problem]
    lines: list[dict[str, Any]]

    def of(self, sheet: str, *codes: str) -> list[tuple[int, Problem]]:
        """The problems of the rows of products or payers, and of which row each is."""
        rows = practice.read(self.folder, sheet)
        keys = [next(iter(row.values())).upper() for row in rows]
        own = [n for n, key in enumerate(keys, 2) if key in codes]
        return [
            (1 + own.index(problem.place.row), problem)
            for problem in self.problems
            if problem.place.file == f"{sheet}.csv" and problem.place.row in own
        ]

    def told(self, sheet: str, code: str, kind: str) -> list[Problem]:
        """Those of one kind."""
        return [problem for _, problem in self.of(sheet, code) if problem.code == kind]

    def held_back(self, sheet: str, *codes: str) -> dict[int, str | None]:
        """What each row that is held holds back."""
        return {
            row: problem.amount and str(problem.amount)
            for row, problem in self.of(sheet, *codes)
            if problem.severity is Severity.HELD
        }

    def charged(self, code: str) -> dict[str, str]:
        """What the members of a product would be charged, by the month and by the year."""
        return {
            line["patient_id"][0]: str(line["unit_price"])
            for line in self.lines
            if line["product_code"] == code
        }

    def held(self, code: str) -> str:
        """Which of them would not be billed."""
        charged = self.charged(code)
        return "".join(who for who in (MONTH, YEAR) if who not in charged)


def _paid_by_others() -> practice.Sheets:
    """Payers of the contract cases, their members and their prices."""
    sheets: practice.Sheets = {"contacts": [], "contract_prices": [], "patients": []}
    for n, (rows, _) in enumerate(CONTRACTS.values()):
        sheets["contract_prices"] += [
            {**row, "Contact code": f"{row['Contact code']}{n}"} for row in rows
        ]
        acme, zeta = f"ACME{n}", f"ZETA{n}"
        sheets["contacts"] += [{"Code": code, "Name": code} for code in (acme, zeta)]
        sheets["patients"] += [
            member(f"A{n}", bill_to=acme, start_date="2026-01-05"),
            member(f"B{n}", bill_to=acme, membership="SILVER", start_date="2026-01-05"),
            member(f"C{n}", bill_to=zeta, start_date="2026-01-05"),
        ]
    return sheets


def _cells(sheet: str, code: str, cells: Row) -> Row:
    """A row of prices from the new year on, its code in small letters."""
    whose = {
        "price_changes": {"Product code": code.lower(), "Effective from": "2026-01-01"},
        "contract_prices": {"Contact code": code, "Product code": code.lower()},
    }
    blank = {"Monthly price": "", "Annual price": "", "Price": ""}
    return _signed({**whose[sheet], **blank, **cells})


def _all() -> practice.Sheets:
    """The practice of all the cases."""
    given = practice.sheets() | _paid_by_others()
    given["products"] += [
        _signed(product(code, code, monthly="50.00", annual="550.00"))
        for code in (*CHANGED.values(), *MISPLACED.values(), *ALONE)
    ]
    given["products"] += map(_signed, (
        product("MONTHLY", "Monthly", monthly="30.00"),
        product("TWIN", "Twin", price="45.00"),
        product("VISIT", "Visit", price="85.00"),
        product("REVIEW", "Review", price="85.00"),
    ))  # fmt: skip
    given["price_changes"] = [
        {**row, "Product code": CHANGED[name]}
        for name, (rows, _) in FOR_WHOM.items()
        for row in rows
    ]
    for (sheet, name), code in MISPLACED.items():
        given[sheet].append(_cells(sheet, code, OF_A_MEMBERSHIP[name][0]))
        given["contacts"].append({"Code": code, "Name": code})
    annual = {"billing_frequency": "Annual", "start_date": "2026-01-05"}
    for code in (*CHANGED.values(), *MISPLACED.values(), *ALONE, "MONTHLY"):
        payer = code if code in MISPLACED.values() else ""
        who = {"membership": code, "bill_to": payer, "start_date": "2026-01-05"}
        given["patients"] += [
            member(f"M{code}", **who),
            *([] if code == "MONTHLY" else [member(f"Y{code}", **who | annual)]),
        ]
    service = {"Monthly price": "70.00", "Annual price": "700.00"}
    given["price_changes"] += [
        _cells("price_changes", code, cells)
        for code, cells in (
            ("TYPED", {"Monthly price": "5O"}),
            ("TWIN", {"Price": "45.00"}),
            ("MONTHLY", {"Annual price": "300.00"}),
            ("VISIT", service),
            ("REVIEW", {**service, "Price": "70.00"}),
        )
    ]
    given["patients"].append(member("P1", start_date="2026-01-05"))
    given["invoice_requests"] = [
        {"Request ID": code, "Patient ID": "P1", "Product code": code,
         "Requested on": "2026-01-10"}
        for code in ("VISIT", "REVIEW")
    ]  # fmt: skip
    return given


@pytest.fixture(scope="module")
def previewed(tmp_path_factory: pytest.TempPathFactory) -> Previewed:
    """What the night would find and charge in the practice of all the cases."""
    folder = practice.make(tmp_path_factory.mktemp("prices") / "clinic", _all())
    with open(folder / "price_changes.csv", "a", encoding="utf-8") as file:
        file.write("SLID,2026-01-01,40.00,,mm,,x\n")
    lines, prepared = preview(
        folder, ledger_path(folder), as_of=DAY, today=lambda zone: DAY
    )
    return Previewed(folder, prepared.problems, lines)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_bad_contract_price_shows(name: str, previewed: Previewed) -> None:
    n = list(CONTRACTS).index(name)
    shown = previewed.held_back("contract_prices", f"ACME{n}", f"ZETA{n}")
    assert shown == CONTRACTS[name][1]


def test_a_bad_price_change_shows_what_it_holds_however_its_code_is_typed(
    previewed: Previewed,
) -> None:
    assert previewed.held_back("price_changes", "TYPED") == {1: "50.00"}


@pytest.mark.parametrize("name", FOR_WHOM)
def test_a_bad_price_change_holds(name: str, previewed: Previewed) -> None:
    assert previewed.held(CHANGED[name]) == FOR_WHOM[name][1]


def test_a_row_that_has_slid_holds_both_whatever_stands_in_it(
    previewed: Previewed,
) -> None:
    assert previewed.held("SLID") == MONTH + YEAR


@pytest.mark.parametrize("name", OF_A_MEMBERSHIP)
@pytest.mark.parametrize("sheet", ["price_changes", "contract_prices"])
def test_a_price_in_the_column_of_a_service_is_charged_to_nobody(
    sheet: str, name: str, previewed: Previewed
) -> None:
    _, expected = OF_A_MEMBERSHIP[name]
    code = MISPLACED[sheet, name]
    assert previewed.charged(code) == expected
    (told,) = previewed.told(sheet, code, "price-misplaced")
    assert told.place.column == "Price"
    assert told.severity is (Severity.CHECK if expected else Severity.HELD)
    assert told.amount == (None if expected else Decimal("600.00"))


def test_a_price_in_the_column_of_a_membership_holds_a_service(
    previewed: Previewed,
) -> None:
    told = previewed.told("price_changes", "VISIT", "price-misplaced")
    amount = Decimal("85.00")
    assert [(problem.place.column, problem.amount) for problem in told] == [
        ("Annual price", amount), ("Monthly price", amount)
    ]  # fmt: skip
    assert previewed.charged("VISIT") == {}
    assert previewed.charged("REVIEW") == {"P": "70.00"}, "with a Price it is charged"


def test_a_price_of_how_a_product_is_not_sold_holds_nobody(
    previewed: Previewed,
) -> None:
    assert previewed.charged("MONTHLY") == {MONTH: "30.00"}
    told = previewed.told("price_changes", "MONTHLY", "price-not-offered")
    assert [problem.severity for problem in told] == [Severity.CHECK]


def test_of_a_product_that_is_held_nobody_knows_which_price_is_misplaced(
    previewed: Previewed,
) -> None:
    assert previewed.held("TWIN") == MONTH + YEAR
    assert not previewed.told("price_changes", "TWIN", "price-misplaced")


# What is told of prices that were right on the night before.
AGREED = ("TWO", "MOVED", "BECAME")


@pytest.fixture(scope="module")
def two_nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice whose agreed prices were edited between its two nights.

    Of two for one day one is gone, one moved to the column of a service, and what the
    third is for became a membership.
    """
    given = practice.sheets()
    given["contacts"] = [{"Code": code, "Name": code} for code in AGREED]
    given["contract_prices"] = [
        _contract("TWO", "GOLD", "44.00"),
        _contract("TWO", "GOLD", "43.00", valid_from="2026-01-01"),
        _contract("MOVED", "GOLD", "44.00"),
        _contract("BECAME", "CONSULT", "") | {"Price": "70.00"},
    ]
    given["patients"].append(member("P4", bill_to="TWO", start_date="2026-01-15"))
    folder = practice.make(tmp_path_factory.mktemp("nights") / "clinic", given)
    practice.set_to(folder, "Max forecast difference %", "10")
    assert practice.bill(folder, str(DAY)).code == 3
    rows = practice.read(folder, "contract_prices")
    practice.write(folder, "contract_prices", [rows[0], *rows[2:]])
    cells = {"Monthly price": "", "Price": "43.00"}
    practice.change(folder, "contract_prices", "MOVED", cells)
    cells = {"Type": "Membership", "Monthly price": "2000.00", "Price": ""}
    practice.change(folder, "products", "CONSULT", cells)
    who = member("P3", membership="CONSULT", bill_to="BECAME", start_date="2026-01-30")
    practice.add(folder, "patients", who)
    assert practice.bill(folder, str(DAY)).code == 3
    return folder


def _recorded(folder: Path, kind: str) -> dict[int | None, str]:
    """What the rows with one kind of problem held back on the last night."""
    with opened(ledger_path(folder), write=False) as ledger:
        found = [each.problem for each in accounts.open_problems(ledger)]
    return {p.place.row: str(p.amount) for p in found if p.code == kind}


def test_a_price_that_is_gone_from_its_sheet_shows_what_it_holds_with_the_other(
    two_nights: Path,
) -> None:
    held = _recorded(two_nights, "two-prices-for-one-day")
    assert held == {None: "43.00", 2: "43.00"}


def test_a_price_that_is_held_for_its_column_is_not_accepted(two_nights: Path) -> None:
    with opened(ledger_path(two_nights), write=False) as ledger:
        changes = ledger.rows(
            "select distinct accepted, reason from ledger.changes"
            " where table_name = 'Contract prices' and subject like 'MOVED%'"
        )
        agreed = ledger.rows(
            "select monthly_price from ledger.accepted.contract_prices"
            " where contact_code = 'MOVED'"
        )
    assert changes == [{"accepted": False, "reason": "the row cannot be used yet"}]
    assert agreed == [{"monthly_price": Decimal("44.00")}]


def test_the_guards_hold_what_the_night_holds(two_nights: Path) -> None:
    """An agreed price was right until its product became a membership."""
    assert _recorded(two_nights, "price-misplaced")[4] == "2000.00"
    folder = practice.copied(two_nights, two_nights.parent / "third")
    practice.change(folder, "products", "SILVER", {"Name": "Silver scheme"})
    with opened(ledger_path(folder), write=False) as ledger:
        third = prepare(ledger, folder, DAY, lambda zone: DAY)
        assert third.moved, "or there is nothing to compare"
        guard(ledger, third, (), "membill bill")
