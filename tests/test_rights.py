"""Rule 11: which version of a row counts, by who edited it; and that changes are shown."""

from datetime import date
from itertools import cycle
from pathlib import Path

import practice
import pytest
from practice import Row, member, product

from pipeline.bookkeeping import accounts
from pipeline.bookkeeping.books import Change
from pipeline.ledger import ledger_path, opened
from pipeline.prepare import prepare
from pipeline.problems import Problem, Severity

FIRST, SECOND, THIRD = "2026-03-01", "2026-03-02", "2026-03-03"

# Product -> what happened to its row overnight, and what one month of it then costs.
# Each has a member of its own who is first due on the second night.
EDITS: list[tuple[str, str, Row | None, str, str]] = [
    ("a manager's change counts", "MGR", {"Last edited by": "mm"}, "31.00", ""),
    (
        "a user name counts however it is spelled", "SPELT",
        {"Last edited by": "MM"}, "31.00", "",
    ),
    (
        "a change by somebody who may only view is refused", "DESK",
        {"Last edited by": "dd"}, "30.00", "dd may not edit products",
    ),
    (
        "a change that nobody signed is refused", "BLANK",
        {"Last edited by": ""}, "30.00", "Last edited by is blank",
    ),
    (
        "a change by somebody who has left is refused", "LEFT",
        {"Last edited by": "zz"}, "30.00", "zz is no longer active",
    ),
    (
        "a change by somebody unknown is refused", "STRANGER",
        {"Last edited by": "xx"}, "30.00", "xx is not a user of the Staff sheet",
    ),
    (
        "a row that only got another name in Last edited by has not changed", "SAME",
        {"Monthly price": "30.00", "Last edited by": "dd"}, "30.00", "",
    ),
]  # fmt: skip
CASES = [pytest.param(*rest, id=name) for name, *rest in EDITS]


def _signed(by: str, row: Row) -> Row:
    return {**row, "Last edited by": by}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice after its first night, with a product and a member for each edit."""
    given = practice.sheets()
    left = {"User": "zz", "Name": "Zed Left", "Role": "Manager", "Active": "No"}
    viewer = {"User": "vv", "Name": "Vi Viewer", "Role": "Viewer", "Active": "Yes"}
    given["staff"] += [left, viewer]
    none = dict.fromkeys(("Products", "Patients", "Settings", "Invoices"), "View")
    given["roles"].append({"Role": "Viewer", **none})
    given["contacts"] = [{"Code": "ACME", "Name": "Acme Widgets Ltd"}]
    for code in [code for _, code, *_ in EDITS] + ["GONE", "NOTAX"]:
        given["products"].append(_signed("mm", product(code, code, monthly="30.00")))
        given["patients"].append(member(code, membership=code, start_date=SECOND))
    held_too = (*(f"H{at}" for at in range(1, 7)), AGAIN, ACCEPTED, MOVED)
    for code in held_too:
        given["products"].append(_signed("mm", product(code, code, monthly="30.00")))
    given["tax_codes"].append(
        _signed("mm", {"Code": "HTAX", "Name": "Held", "Rate %": "0"})
    )
    for name in ("SIGNED", "UNSIGNED", "VIEWED", "HP1", "HP2"):
        given["patients"].append(member(name, start_date=SECOND))
    given["patients"].append(member("ACMES", bill_to="ACME", start_date=SECOND))
    folder = practice.make(tmp_path_factory.mktemp("rights") / "clinic", given)
    assert practice.bill(folder, FIRST).code == 0
    return folder


@pytest.fixture(scope="module")
def second(first: Path) -> Path:
    """The same practice after a night of edits.

    Before it the desk gave itself rights as well, and the manager was taken off.
    """
    folder = practice.copied(first, first.parent / "second")
    for _, code, cells, *_ in EDITS:
        practice.change(folder, "products", code, {"Monthly price": "31.00", **cells})
    practice.remove(folder, "products", "GONE")
    cells = {"Tax code": "NONE", "Last edited by": "mm"}
    practice.change(folder, "products", "NOTAX", cells)
    for name, by in (("SIGNED", "dd"), ("UNSIGNED", ""), ("VIEWED", "vv")):
        cells = {"Membership": "SILVER", "Last edited by": by}
        practice.change(folder, "patients", name, cells)
    new = _signed("dd", product("NEWDESK", "New", monthly="9.00"))
    also = _signed("mm", product("NEWMGR", "New", monthly="9.00"))
    practice.add(folder, "products", new, also)
    practice.add(
        folder, "patients",
        member("NEWDESK", membership="NEWDESK", start_date=SECOND),
        member("NEWMGR", membership="NEWMGR", start_date=SECOND),
        member("BYVIEWER", start_date=SECOND, last_edited_by="vv"),
    )  # fmt: skip
    for day in (SECOND, THIRD):
        row = {"Product code": "GOLD", "Effective from": day, "Monthly price": "51.00"}
        practice.add(folder, "price_changes", _signed("dd", row))
    contract = {
        "Contact code": "ACME",
        "Product code": "GOLD",
        "Monthly price": "41.00",
    }
    practice.add(folder, "contract_prices", _signed("dd", contract))
    practice.set_to(folder, "Practice name", "Another Surgery", by="dd")
    practice.set_to(folder, "Payment terms (days)", "30", by="dd")
    practice.change(
        folder, "tax_codes", "EXEMPT", {"Name": "Untaxed", "Last edited by": "dd"}
    )
    practice.remove(folder, "staff", "mm")
    practice.change(folder, "staff", "dd", {"Role": "Manager"})
    practice.change(folder, "roles", "Desk", {"Settings": "Edit"})
    assert practice.bill(folder, SECOND).code == 3
    return folder


@pytest.fixture(scope="module")
def next_night(second: Path) -> list[Problem]:
    """What the night after it would find; the price of MGR was changed once more."""
    folder = practice.copied(second, second.parent / "next")
    practice.change(folder, "products", "MGR", {"Monthly price": "32.00"})
    return _prepared(folder, THIRD)[0]


@pytest.fixture(scope="module")
def prices(second: Path) -> dict[str, str]:
    """What each member was charged on the second night."""
    found = practice.lines(second, "patient_id", "unit_price", "period_start")
    return {who: price for who, price, start in found if start == SECOND}


@pytest.fixture(scope="module")
def changes(second: Path) -> list[Change]:
    """The changes that the second night shows."""
    return _changes(second)


def _changes(folder: Path) -> list[Change]:
    with opened(ledger_path(folder), write=False) as ledger:
        night = accounts.night(ledger)
    assert night is not None
    return list(night.changes)


@pytest.fixture(scope="module")
def problems(second: Path) -> list[Problem]:
    """The problems that it leaves open."""
    with opened(ledger_path(second), write=False) as ledger:
        return [each.problem for each in accounts.open_problems(ledger)]


@pytest.fixture(scope="module")
def told(problems: list[Problem]) -> dict[tuple[str, str], str]:
    """(file, subject) to what was found."""
    return {(each.place.file, each.subject): each.found for each in problems}


@pytest.mark.parametrize(("code", "cells", "price", "why"), CASES)
def test_the_price_that_counts(
    code: str, cells: Row, price: str, why: str, prices: dict[str, str]
) -> None:
    assert prices[code] == price


@pytest.mark.parametrize(("code", "cells", "price", "why"), CASES)
def test_every_change_is_shown_old_and_new(
    code: str, cells: Row, price: str, why: str, changes: list[Change]
) -> None:
    shown = [change for change in changes if change.subject == code]
    if "Monthly price" in cells:
        assert shown == []
        return
    by = cells["Last edited by"].strip()
    assert shown == [
        Change("Products", code, "Monthly price", "30.00", "31.00", by, not why, why)
    ]


@pytest.mark.parametrize(("code", "cells", "price", "why"), CASES)
def test_a_refused_change_is_reported(
    code: str, cells: Row, price: str, why: str, told: dict[tuple[str, str], str]
) -> None:
    assert told.get(("products.csv", code), "") == (
        f"{why}, so the last accepted version stays in force" if why else ""
    )


def test_a_row_taken_out_stays_in_force_and_is_reported(
    told: dict[tuple[str, str], str], prices: dict[str, str], changes: list[Change]
) -> None:
    assert prices["GONE"] == "30.00"
    assert told["products.csv", "GONE"] == (
        "the row of GONE is no longer here; its last accepted version stays in force"
    )
    assert [c.new for c in changes if c.subject == "GONE"] == ["removed"]


@pytest.mark.parametrize(
    ("who", "price"),
    [
        pytest.param("NEWMGR", "9.00", id="a manager's new product is used"),
        pytest.param("NEWDESK", None, id="the desk's new product is not used"),
        pytest.param("SIGNED", "30.00", id="the desk may change a patient"),
        pytest.param("UNSIGNED", "30.00", id="a patient's row need not be signed"),
        pytest.param("VIEWED", "50.00", id="who may only view changes no patient"),
        pytest.param("BYVIEWER", None, id="who may only view adds no patient"),
        pytest.param("ACMES", "50.00", id="the desk's contract price is not used"),
        pytest.param("P1", None, id="what was billed is not billed again"),
    ],
)
def test_what_a_member_is_charged(
    who: str, price: str | None, prices: dict[str, str]
) -> None:
    assert prices.get(who) == price


def test_settings_and_tax_codes_stay_as_last_accepted(
    second: Path, told: dict[tuple[str, str], str]
) -> None:
    rows = [row for row in practice.invoices(second) if row["patient_id"] == "MGR"]
    assert [row["due_on"] for row in rows] == ["2026-03-16"], "14 days, not 30"
    assert told["settings.csv", "Practice name"] == (
        "dd may not edit settings, so the last accepted version stays in force"
    )
    assert told["settings.csv", "Payment terms (days)"] == (
        "dd may not edit settings, so the row is not used yet"
    )
    assert told["tax_codes.csv", "EXEMPT"] == (
        "dd may not edit settings, so the last accepted version stays in force"
    )
    with opened(ledger_path(second), write=False) as ledger:
        assert accounts.practice(ledger)[0] == "Harbour Lane Surgery"


def _prepared(folder: Path, as_of: str) -> tuple[list[Problem], list[str]]:
    """What a night would find, and where each membership would stand."""
    day = date.fromisoformat(as_of)
    with opened(ledger_path(folder), write=False) as ledger:
        problems = prepare(ledger, folder, day, lambda zone: day).problems
        standings = ledger.rows(
            "select bucket from model.standings order by patient_row"
        )
    return problems, [row["bucket"] for row in standings]


@pytest.fixture(scope="module")
def first_of_all(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[Problem], list[str]]:
    """What a first night would find whose judges are doubtful, and the standings.

    The desk, which may not, signed GOLD. The role of one nurse stands twice, and another
    nurse does; each signed a member.
    """
    given = practice.sheets()
    given["products"][0]["Last edited by"] = "dd"
    usual = {"Products": "View", "Settings": "View", "Invoices": "View"}
    given["roles"] += [
        {"Role": "Nurse", **usual, "Patients": "View"},
        {"Role": "Nurse", **usual, "Patients": "None"},
        {"Role": "Sister", **usual, "Patients": "Edit"},
    ]
    given["staff"] += [
        {"User": "nn", "Name": "Nan", "Role": "Nurse", "Active": "Yes"},
        {"User": "ss", "Name": "Sue", "Role": "Sister", "Active": "Yes"},
        {"User": "ss", "Name": "Sally", "Role": "Sister", "Active": "Yes"},
    ]
    given["patients"] += [
        member("SILVER", membership="SILVER"),
        member("ROLE2", membership="SILVER", last_edited_by="nn"),
        member("STAFF2", membership="SILVER", last_edited_by="ss"),
    ]
    folder = practice.make(tmp_path_factory.mktemp("first") / "clinic", given)
    return _prepared(folder, FIRST)


def test_the_first_night_is_judged_by_its_own_staff(
    first_of_all: tuple[list[Problem], list[str]],
) -> None:
    problems, buckets = first_of_all
    (told,) = [problem for problem in problems if problem.subject == "GOLD"]
    assert told.severity is Severity.HELD
    assert buckets == ["held", "held", "billed", "held", "held"], (
        "nobody may add GOLD, but SILVER was signed by a manager"
    )


def test_nobody_grants_himself_a_right_for_the_same_night(
    changes: list[Change], next_night: list[Problem]
) -> None:
    shown = [
        change
        for change in changes
        if change.table in ("Staff", "Roles") and change.subject != "mm"
    ]
    assert shown == [
        Change("Staff", "dd", "Role", "Desk", "Manager", "", True, ""),
        Change("Roles", "Desk", "Settings", "View", "Edit", "", True, ""),
    ]
    assert [change.new for change in changes if "dd may not" in change.reason]
    assert not [p for p in next_night if p.found.startswith("dd may not")], (
        "the grant was shown for a night and counts from the next"
    )


def test_who_was_taken_off_the_staff_sheet_tonight_still_counts_tonight(
    prices: dict[str, str], next_night: list[Problem]
) -> None:
    assert prices["MGR"] == "31.00"
    (told,) = [
        p for p in next_night if (p.place.file, p.subject) == ("products.csv", "MGR")
    ]
    assert told.found.startswith("mm is not a user")


def test_a_signed_change_that_names_what_is_not_there_is_shown_as_not_in_force(
    changes: list[Change],
) -> None:
    (shown,) = [change for change in changes if change.subject == "NOTAX"]
    reason = "the row cannot be used yet"
    assert shown == Change(
        "Products", "NOTAX", "Tax code", "EXEMPT", "NONE", "mm", False, reason
    )


def test_a_code_in_other_letters_is_no_change_that_somebody_must_sign(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path)
    for code in ("GOLD", "SILVER", "CONSULT"):
        practice.change(folder, "products", code, {"Tax code": "exempt"})
    practice.change(folder, "patients", "P1", {"Membership": "gold"})
    assert practice.bill(folder, "2026-03-01").code == 0
    practice.change(folder, "staff", "mm", {"Active": "No"})
    night = practice.bill(folder, "2026-03-02")
    assert (night.code, night.err) == (0, "")
    with opened(ledger_path(folder), write=False) as ledger:
        changed = "select distinct table_name from ledger.changes where run_no = 2"
        assert ledger.rows(changed) == [{"table_name": "Staff"}]


def test_users_that_cannot_be_used_hold_their_own_rows_alone(tmp_path: Path) -> None:
    folder = practice.make(tmp_path)
    row = {"Name": "Pat Porter", "Role": "Desk", "Active": "Yes"}
    for user in ("", "pat@clinic.org", "?"):
        practice.add(folder, "staff", {"User": user, **row})
    request = {
        "Request ID": "R1", "Patient ID": "P1", "Product code": "CONSULT",
        "Quantity": "1", "Requested on": "2026-03-01", "Requested by": "somebody",
    }  # fmt: skip
    practice.add(folder, "invoice_requests", request)
    night = practice.bill(folder, "2026-03-01")
    assert (night.code, len(practice.invoices(folder))) == (3, 4), night.err
    for row_number in (4, 5, 6):
        assert f"staff.csv: row {row_number}, User" in night.err


def test_two_refused_rows_of_one_product_are_both_reported_and_hold_nobody(
    problems: list[Problem], prices: dict[str, str]
) -> None:
    told = [p for p in problems if p.place.file == "price_changes.csv"]
    assert [(p.place.row, p.severity, p.found) for p in told] == [
        (row, Severity.CHECK, "dd may not edit products, so the row is not used yet")
        for row in (2, 3)
    ]
    assert prices["ACMES"] == "50.00"


def test_a_judge_who_stands_twice_harms_only_the_rows_he_signed(
    first_of_all: tuple[list[Problem], list[str]],
) -> None:
    told = {
        p.subject: p.found for p in first_of_all[0] if p.place.file == "patients.csv"
    }
    assert told == {
        "ROLE2": "nn may not edit patients, so the row is not used yet",
        "STAFF2": "the row of ss in the sheet Staff cannot be used, so the row is not used yet",
    }


# What a row was made overnight besides being signed by somebody who may not, and what its
# Last edited by is told beside the fault. The manager signed what was accepted.
HELD_TOO: dict[str, tuple[str, str, Row, str]] = {
    "changed, and a cell that cannot be read": (
        "products", "H1", {"Active": "perhaps", "Last edited by": "xx"},
        "xx is not a user of the Staff sheet, so the last accepted version stays in force",
    ),
    "a cell that was blank cannot be read": (
        "products", "H2", {"Annual price": "lots", "Last edited by": ""},
        "Last edited by is blank, so the last accepted version stays in force",
    ),
    "signed by who may not edit this sheet": (
        "tax_codes", "HTAX", {"Rate %": "none", "Last edited by": "dd"},
        "dd may not edit settings, so the last accepted version stays in force",
    ),
    "a membership left without a price": (
        "products", "H3",
        {"Monthly price": "", "Annual price": "", "Last edited by": "dd"},
        "dd may not edit products, so the last accepted version stays in force",
    ),
    "signed by who may": (
        "products", "H4", {"Active": "perhaps", "Last edited by": "mm"}, "",
    ),
    "a patient's row that nobody signed": (
        "patients", "HP1", {"Start date": "soon", "Last edited by": ""}, "",
    ),
    "a patient's row that was signed": (
        "patients", "HP2", {"Start date": "soon", "Last edited by": "xx"},
        "xx is not a user of the Staff sheet, so the last accepted version stays in force",
    ),
    "a Last edited by that cannot be read itself": (
        "products", "H5", {"Active": "perhaps", "Last edited by": "#REF!"}, "",
    ),
    "a row without its code may be one that was accepted": (
        "products", "H6", {"Code": "", "Last edited by": "xx"}, "",
    ),
}  # fmt: skip


# Who signed these rows is told as well, or nobody of: a second row of the code, one that is
# as it was accepted beside one that is not, cells that may have moved.
AGAIN, ACCEPTED, MOVED = "H7", "H8", "H9"


@pytest.fixture(scope="module")
def of_editors(first: Path) -> dict[tuple[str, int | None], list[Problem]]:
    """What is told of the editors of all of these rows and of new ones, by file and row."""
    folder = practice.copied(first, first.parent / "held too")
    for table, key, cells, _ in HELD_TOO.values():
        practice.change(folder, table, key, cells)
    practice.change(folder, "products", ACCEPTED, {"Last edited by": "xx"})
    row = {"Product code": "GOLD", "Effective from": "soon", "Monthly price": "51.00"}
    practice.add(folder, "price_changes", _signed("dd", row))
    added = [
        _signed("dd", product("NEW", "New", monthly="nine")),
        _signed("xx", product(AGAIN, "Another name", monthly="30.00")),
        _signed("mm", product(ACCEPTED, "Another name", monthly="30.00")),
    ]
    practice.add(folder, "products", *added)
    file = folder / "products.csv"
    text = file.read_text(encoding="utf-8")
    moved = text.replace(f"{MOVED},{MOVED},", f"{MOVED},{MOVED}, and more,")
    assert moved != text
    file.write_text(moved, "utf-8")
    found: dict[tuple[str, int | None], list[Problem]] = {}
    for problem in _prepared(folder, SECOND)[0]:
        if problem.code == "change-refused":
            place = problem.place.file, problem.place.row
            found.setdefault(place, []).append(problem)
    return found


def _row_of(folder: Path, table: str, key: str) -> int:
    """The row in which a code stood first."""
    keys = [next(iter(row.values())) for row in practice.read(folder, table)]
    return 2 + keys.index(key)


@pytest.mark.parametrize(
    ("table", "key", "cells", "found"),
    [pytest.param(*rest, id=name) for name, rest in HELD_TOO.items()],
)
def test_who_may_not_edit_a_row_is_told_though_it_is_held(
    table: str,
    key: str,
    cells: Row,
    found: str,
    first: Path,
    of_editors: dict[tuple[str, int | None], list[Problem]],
) -> None:
    told = of_editors.get((f"{table}.csv", _row_of(first, table, key)), [])
    assert [problem.found for problem in told] == ([found] if found else [])
    assert {problem.place.column for problem in told} <= {"Last edited by"}
    assert {problem.personal for problem in told} <= {table == "patients"}


def test_of_new_rows_that_are_held_the_editor_is_told(
    first: Path, of_editors: dict[tuple[str, int | None], list[Problem]]
) -> None:
    """Also of the second of two rows of one code, and never of the accepted one."""
    next_row = 2 + len(practice.read(first, "products"))
    may_not = "dd may not edit products, so the row is not used yet"
    unknown = "xx is not a user of the Staff sheet, so the last accepted version stays in force"
    for file, row, severity, found in (
        ("price_changes.csv", 2, Severity.CHECK, may_not),
        ("products.csv", next_row, Severity.HELD, may_not),
        ("products.csv", next_row + 1, Severity.CHECK, unknown),
    ):
        (told,) = of_editors[file, row]
        assert (told.place.column, told.severity, told.found) == (
            "Last edited by", severity, found,
        )  # fmt: skip
    assert ("products.csv", _row_of(first, "products", AGAIN)) not in of_editors


def test_a_row_that_is_as_it_was_accepted_is_told_of_no_editor(
    first: Path, of_editors: dict[tuple[str, int | None], list[Problem]]
) -> None:
    """Two rows of one code hold each other; who signed the accepted one may have left."""
    rows = (
        _row_of(first, "products", ACCEPTED),
        4 + len(practice.read(first, "products")),
    )
    assert not [row for row in rows if ("products.csv", row) in of_editors]


def test_of_cells_that_may_have_moved_no_editor_is_told(
    first: Path, of_editors: dict[tuple[str, int | None], list[Problem]]
) -> None:
    assert ("products.csv", _row_of(first, "products", MOVED)) not in of_editors


def test_of_no_other_row_an_editor_is_told(
    of_editors: dict[tuple[str, int | None], list[Problem]],
) -> None:
    told = sum(bool(found) for *_, found in HELD_TOO.values())
    assert sum(map(len, of_editors.values())) == told + 3


AT_MARCH_S_END = ("2026-03-31", "--accept", "date")

# A row changed or added by somebody who may not, unreadable; and the price that counts.
UNREADABLE: dict[str, tuple[str, Row, bool]] = {
    "a product's price": ("products", {"Code": "GOLD", "Monthly price": "ten"}, False),
    "a product that stands twice": (
        "products", product("GOLD", "Gold", monthly="1.00"), True,
    ),
    "a contract price": (
        "contract_prices",
        {"Contact code": "ACME", "Product code": "GOLD", "Monthly price": "41.005"},
        False,
    ),
    "a new contract price": (
        "contract_prices",
        {"Contact code": "ACME", "Product code": "GOLD", "Monthly price": "1,5",
         "Valid from": "2026-03-01"},
        True,
    ),
    "a contract price half typed": (
        "contract_prices", {"Contact code": "ACME", "Monthly price": "5.00"}, True,
    ),
    "a price change of a day nobody knows": (
        "price_changes",
        {"Product code": "GOLD", "Effective from": "soon", "Monthly price": "1.00"},
        True,
    ),
    "a tax code": ("tax_codes", {"Code": "EXEMPT", "Rate %": "none"}, False),
    "a setting that stands twice": (
        "settings", {"Setting": "Auto invoice", "Value": "No"}, True,
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def with_payer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One member pays the product's price, and another's payer that of a contract."""
    given = practice.sheets()
    given["contacts"] = [{"Code": "ACME", "Name": "Acme Ltd"}]
    price = {"Contact code": "ACME", "Product code": "GOLD", "Monthly price": "40.00"}
    given["contract_prices"] = [_signed("mm", price)]
    given["price_changes"] = [
        _signed(
            "mm",
            {
                "Product code": "SILVER",
                "Effective from": FIRST,
                "Monthly price": "31.00",
            },
        )
    ]
    given["patients"] = [member("P1"), member("P2", bill_to="ACME")]
    folder = practice.make(tmp_path_factory.mktemp("payer") / "clinic", given)
    assert practice.bill(folder, FIRST).code == 0
    return folder


@pytest.mark.parametrize(
    ("what", "signer"), list(zip(UNREADABLE, cycle(["dd", "zz", ""]), strict=False))
)
def test_what_cannot_be_read_and_nobody_entitled_signed_holds_nobody(
    what: str, signer: str, with_payer: Path, tmp_path: Path
) -> None:
    table, cells, is_new = UNREADABLE[what]
    folder = practice.copied(with_payer, tmp_path / "clinic")
    row = cells | {"Last edited by": signer}
    if is_new:
        practice.add(folder, table, row)
    else:
        practice.change(folder, table, next(iter(cells.values())), row)
    night = practice.bill(folder, *AT_MARCH_S_END)
    assert night.code == 0, night.err
    billed = practice.lines(folder, "patient_id", "period_start", "unit_price")
    assert sorted(billed)[-1:] == [("P2", "2026-03-31", "40.00")]
    assert ("P1", "2026-03-31", "50.00") in billed
    assert f"Check: {table}.csv: row " in night.err
    assert "stays in force" in night.err or "is not used yet" in night.err
    with opened(ledger_path(folder), write=False) as ledger:
        shown = ledger.rows(
            "select distinct accepted from ledger.changes where run_no = 2"
            " and column_title = '(whole row)' and new_value = 'cannot be used'"
        )
    assert shown == [{"accepted": False}]


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_and_somebody_entitled_signed_holds(
    what: str, with_payer: Path, tmp_path: Path
) -> None:
    table, cells, is_new = UNREADABLE[what]
    folder = practice.copied(with_payer, tmp_path / "clinic")
    row = cells | {"Last edited by": "mm"}
    if is_new:
        practice.add(folder, table, row)
    else:
        practice.change(folder, table, next(iter(cells.values())), row)
    told = practice.run("check", folder, "--as-of", AT_MARCH_S_END[0])
    severity = "Stops the night" if table == "settings" else "Not billed"
    assert f"{severity}: {table}.csv: row " in told.err


def test_a_patient_s_row_that_cannot_be_read_counts_as_it_was_accepted(
    with_payer: Path, tmp_path: Path
) -> None:
    """Where somebody signed it who may not; one that nobody signed is held."""
    folder = practice.copied(with_payer, tmp_path / "clinic")
    typed = {"Start date": "TBC", "Last edited by": "zz"}
    practice.change(folder, "patients", "P1", typed)
    practice.change(folder, "patients", "P2", typed | {"Last edited by": ""})
    night = practice.bill(folder, *AT_MARCH_S_END)
    assert night.code == 3
    billed = practice.lines(folder, "patient_id", "period_start")
    assert [who for who, day in billed if day == "2026-03-31"] == ["P1"]


def test_patients_changes_are_shown_and_their_details_are_not(
    with_payer: Path, tmp_path: Path
) -> None:
    folder = practice.copied(with_payer, tmp_path / "clinic")
    practice.change(folder, "patients", "P1", {"End date": "2026-12-31"})
    practice.change(
        folder, "patients", "P2",
        {"Bill to": "", "Last name": "Married", "Last edited by": "zz"},
    )  # fmt: skip
    practice.add(folder, "patients", member("P3", start_date="2026-03-15"))
    assert practice.bill(folder, *AT_MARCH_S_END).code == 0
    with opened(ledger_path(folder), write=False) as ledger:
        shown = ledger.rows(
            "select subject, column_title, old_value, new_value, edited_by, accepted"
            " from ledger.changes where run_no = 2 and table_name = 'Patients'"
        )
    assert [tuple(row.values()) for row in shown] == [
        ("P1", "End date", None, "2026-12-31", "dd", True),
        ("P2", "Last name", "…", "…", "zz", False),
        ("P2", "Bill to", "ACME", None, "zz", False),
        ("P3", "(whole row)", None, "added", "dd", True),
    ]
    rows = [
        row for row in practice.read(folder, "patients") if row["Patient ID"] == "P2"
    ]
    practice.write(folder, "patients", rows)
    assert practice.bill(folder, "2026-04-01", "--accept", "drop").code == 0
    with opened(ledger_path(folder), write=False) as ledger:
        gone = ledger.rows(
            "select subject, accepted from ledger.changes where run_no = 3"
            " and column_title = '(whole row)' order by subject"
        )
    assert [tuple(row.values()) for row in gone] == [("P1", True), ("P3", True)]
