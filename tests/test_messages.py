"""Every message of the rows, the rules and the settings, in full, to be read as a set."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import practice
import pytest
from practice import Row, Sheets, member, product

from pipeline.ledger import Ledger, ledger_path, opened
from pipeline.prepare import prepare
from pipeline.problems import Place, Problem, Refused, Severity
from pipeline.record import fingerprints, memberships

DAY = date(2026, 3, 2)


def _found(folder: Path) -> list[Problem]:
    """What a night of the folder would find."""
    with opened(ledger_path(folder), write=False) as ledger:
        return _looked(ledger, folder)


def _looked(ledger: Ledger, folder: Path) -> list[Problem]:
    try:
        return prepare(ledger, folder, DAY, lambda zone: DAY).problems
    except Refused as refusal:
        return refusal.problems


def _signed(row: Row) -> Row:
    return {**row, "Last edited by": "mm"}


def _contract(product_code: str, price: str, start: str, end: str = "") -> Row:
    return _signed(
        {
            "Contact code": "ACME", "Product code": product_code,
            "Monthly price": price, "Valid from": start, "Valid to": end,
        }
    )  # fmt: skip


def _titled(name: str) -> str:
    return name.replace("_", " ").capitalize().replace(" id", " ID")


def _request(name: str, product_code: str, **cells: str) -> Row:
    row = {
        "Request ID": name, "Patient ID": "P1", "Product code": product_code,
        "Quantity": "1", "Billing frequency": "", "Bill to": "",
        "Requested on": "2026-03-02",
    }  # fmt: skip
    return {
        **row,
        **{_titled(key): text for key, text in cells.items()},
    }


def _mistakes() -> Sheets:
    """A first night with one of each mistake."""
    given = practice.sheets()
    monthly = {"monthly": "10.00"}
    given["products"] += [
        _signed(row)
        for row in (
            product("NOPRICE", "None"),
            product("SERVICE", "Service", price="1.00") | {"Price": ""},
            product("TAXED", "Taxed", **monthly) | {"Tax code": "EXEMT"},
            product("GONE", "Gone", **monthly) | {"Active": "No"},
            product("MAYBE", "Maybe", **monthly) | {"Active": "perhaps"},
            product("THIRD", "Third", monthly="10.005"),
            product("UNDER", "Under", monthly="-5.00"),
            product("ONCE", "Once", monthly="10.00") | {"Price": "99.00"},
            product("TEST", "Test", price="99.00") | {"Monthly price": "10.00"},
            product("YEARLY", "Yearly", annual="120.00"),
        )
    ]
    given["contacts"] = [
        {"Code": "ACME", "Name": "Acme Widgets Ltd", "Active": "Yes"},
        {"Code": "OLD", "Name": "Old Ltd", "Active": "No"},
    ]
    change = {"Product code": "SILVER", "Effective from": "2026-05-01"}
    given["price_changes"] = [
        _signed({**change, "Monthly price": "", "Annual price": "", "Price": ""}),
        _signed({**change, "Product code": "GOLD", "Price": "45.00"}),
        _signed({**change, "Effective from": "2026-06-01", "Annual price": "300.00"}),
    ]
    given["contract_prices"] = [
        _contract("GOLD", "40.00", "2026-05-01", "2026-04-01"),
        _contract("SILVER", "20.00", "2026-01-01"),
        _contract("SILVER", "21.00", "2026-02-01"),
        _contract("CONSULT", "70.00", "2026-01-01"),
        _contract("YEARLY", "9.00", "2026-01-01"),
    ]
    given["patients"] = _patients()
    given["invoice_requests"] = [
        _request("R1", "CONSULT", quantity="0"),
        _request("R2", "GONE"),
        _request("R3", "GOLD"),
        _request("R4", "CONSULT", bill_to="OLD"),
        _request("R5", "GOLD", billing_frequency="Monthly"),
        _request("R6", "SILVER", quantity="2"),
        _request("R7", "CONSULT", patient_id="P01"),
    ]
    given["sent"] = [
        {"Invoice number": "INV-000001", "Sent on": "2026-03-01", "Sent to": "x"},
        {"Invoice number": "INV-000001", "Sent on": "2026-03-01"},
        {"Invoice number": "INV-000001", "Sent on": "30/02/2026", "Sent to": "x"},
    ]
    given["settings"].append(_signed({"Setting": "Auto invioce", "Value": "Yes"}))
    return given


def _patients() -> list[Row]:
    return [
        member("P1"),
        member("P2", first_name=""),
        member("P3", membership=""),
        member("P4", start_date=""),
        member("P5", end_date="2026-01-01"),
        member("P6", start_date="31/02/2026"),
        member("P7", membership="GOLDD"),
        member("P8", bill_to="ACNE"),
        member("P9", membership="CONSULT"),
        member("P10", membership="GONE"),
        member("P11", billing_frequency=""),
        member("P12", membership="SILVER", billing_frequency="Annual"),
        member("P13", bill_to="OLD"),
        member("P14"),
        member("P14", membership="SILVER"),
        member("P15"),
        member("P15"),
        member("P16", billing_frequency="weekly"),
        member("P17", start_date="2028-01-01"),
        member("P18", last_edited_by="xx"),
        member("", start_date="2026-02-01"),
        member("P19", bill_to="Quillfeather"),
        member("P20", bill_to="Acme Widgets Ltd"),
    ]


MISTAKES = {
    "a price is typed to the penny": (
        "Not billed products.csv: row 10, Monthly price: 10.005 has more than two"
        " decimals; write it to the penny, such as 10.00 or 10.01"
    ),
    "a price is not negative": (
        "Not billed products.csv: row 11, Monthly price: -5.00 is a negative "
        "amount; write the full price, and use a credit note to give money back"
    ),
    "Active is Yes or No": (
        "Not billed products.csv: row 9, Active: perhaps is not Yes or No; write "
        "Yes or No"
    ),
    "a membership has a price": (
        "Not billed products.csv: row 5, Monthly price: a membership without a "
        "Monthly price or an Annual price; write what one month or one year of it"
        " costs"
    ),
    "a product has a price": (
        "Not billed products.csv: row 6, Price: a product that is no membership, "
        "without a Price; write what one of it costs"
    ),
    "a price change has a price": (
        "Not billed price_changes.csv: row 2, Monthly price: no price in Monthly "
        "price, Annual price or Price; write the new price"
    ),
    "a membership has no Price": (
        "Check products.csv: row 12, Price: 99.00 in Price is charged to nobody: ONCE is a"
        " membership; clear this cell; if it is what should be charged, write it in"
        " Monthly price or Annual price"
    ),
    "what is no membership has a Price alone": (
        "Check products.csv: row 13, Monthly price: 10.00 in Monthly price is charged to"
        " nobody: TEST is no membership; clear this cell; if it is what should be charged,"
        " write it in Price"
    ),
    "a price change is one of the product's prices": (
        "Not billed price_changes.csv: row 3, Price: 45.00 in Price is charged to nobody:"
        " GOLD is a membership; write it in Monthly price or Annual price instead"
    ),
    "a price change is of how the product is sold": (
        "Check price_changes.csv: row 4, Annual price: 300.00 in Annual price is charged"
        " to nobody: SILVER is sold by the month only; clear this cell, or write it in"
        " Monthly price if it is for a month; to sell SILVER by the year, fill in its"
        " Annual price in the sheet Products"
    ),
    "a contract price is one of the product's prices": (
        "Not billed contract_prices.csv: row 5, Monthly price: 70.00 in Monthly price is"
        " charged to nobody: CONSULT is no membership; write it in Price instead"
    ),
    "a contract price is of how the product is sold": (
        "Check contract_prices.csv: row 6, Monthly price: 9.00 in Monthly price is charged"
        " to nobody: YEARLY is sold by the year only; clear this cell, or write it in"
        " Annual price if it is for a year; to sell YEARLY by the month, fill in its"
        " Monthly price in the sheet Products"
    ),
    "a contract does not end before it starts": (
        "Not billed contract_prices.csv: row 2, Valid to: 1 April 2026 is before "
        "Valid from, 1 May 2026; correct Valid to, or clear it for an open "
        "agreement"
    ),
    "a frequency is one of the words": (
        "Not billed patients.csv: row 19, Billing frequency: weekly is not one of"
        " the words offered; write Monthly or Annual"
    ),
    "a date is a day there is": (
        "Not billed patients.csv: row 7, Start date: 31/02/2026 is not a date; "
        "write it as a date cell or as 2024-01-31"
    ),
    "a row that stands twice is read once": (
        "Check patients.csv: row 18, Patient ID: the whole row stands here a "
        "second time and was read once; delete one of the two"
    ),
    "an active member names a membership": (
        "Not billed patients.csv: row 4, Membership: Membership active is Yes but"
        " no membership is named; write the product code of the membership, or No"
        " in Membership active"
    ),
    "an active member has a start date": (
        "Not billed patients.csv: row 5, Start date: Membership active is Yes but"
        " the Start date is blank; write the date the membership starts, for "
        "example 04/03/2026"
    ),
    "a membership does not end before it starts": (
        "Not billed patients.csv: row 6, End date: the End date, 1 January 2026, "
        "is before the Start date, 31 January 2026; correct the End date, or "
        "clear it while the membership goes on"
    ),
    "an id stands once": (
        "Not billed patients.csv: row 15, Patient ID: rows 15 and 16 are for the "
        "same Patient ID, P14, but differ; keep the right row and delete the "
        "others, or give each its own Patient ID"
    ),
    "an id stands once (P14)": (
        "Not billed patients.csv: row 16, Patient ID: rows 15 and 16 are for the "
        "same Patient ID, P14, but differ; keep the right row and delete the "
        "others, or give each its own Patient ID"
    ),
    "a required cell is filled": (
        "Not billed patients.csv: row 22, Patient ID: Patient ID is blank; write "
        "a code of letters, digits, - _ . or /, such as GOLD"
    ),
    "a required cell is filled (P2)": (
        "Not billed patients.csv: row 3, First name: First name is blank; write "
        "the First name"
    ),
    "a number keeps to its limit": (
        "Not billed invoice_requests.csv: row 2, Quantity: 0 is not a whole "
        "number of at least 1; write a whole number of at least 1"
    ),
    "a change is signed by somebody entitled": (
        "Not billed patients.csv: row 21, Last edited by: xx is not a user of the"
        " Staff sheet, so the row is not used yet; have the row checked by "
        "somebody who may edit it, with their user name here"
    ),
    "a setting has a name that is known": (
        "Check settings.csv: row 6, Setting: Auto invioce is no setting of this "
        "program and was not read; did you mean Auto invoice?"
    ),
    "a code is that of a row": (
        "Not billed products.csv: row 7, Tax code: EXEMT is not in the sheet Tax "
        "codes; write a code of the sheet Tax codes, or add it there; did you mean "
        "EXEMPT?"
    ),
    "a code is that of a row (P7)": (
        "Not billed patients.csv: row 8, Membership: GOLDD is not in the sheet "
        "Products; write a code of the sheet Products, or add it there; did you mean "
        "GOLD?"
    ),
    "a code is that of a row (P8)": (
        "Not billed patients.csv: row 9, Bill to: ACNE is not in the sheet "
        "Contacts; write a code of the sheet Contacts, or add it there; did you mean "
        "ACME?"
    ),
    "a code is that of a row (P19)": (
        "Not billed patients.csv: row 23, Bill to: Quillfeather is not in the sheet "
        "Contacts; write a code of the sheet Contacts, or add it there"
    ),
    "a code may be meant by its name": (
        "Not billed patients.csv: row 24, Bill to: Acme Widgets Ltd is not in the sheet "
        "Contacts; write a code of the sheet Contacts, or add it there; did you mean "
        "ACME?"
    ),
    "a patient is one of the sheet, and no other is proposed": (
        "Not billed invoice_requests.csv: row 8, Patient ID: P01 is not in the sheet"
        " Patients; write a Patient ID of the sheet Patients, or add it there"
    ),
    "a start is not years ahead": (
        "Check patients.csv: row 20, Start date: the Start date, 1 January 2028, "
        "is more than a year ahead; check the year"
    ),
    "a sending is of an invoice": (
        "Check sent.csv: row 2, Invoice number: no invoice INV-000001 has been "
        "made; write the number as it stands on the invoice"
    ),
    "a sending has an address": (
        "Check sent.csv: row 3, Sent to: Sent to is blank, so this row does not mark its"
        " invoice as sent; write the Sent to"
    ),
    "a sending has a day": (
        "Check sent.csv: row 4, Sent on: 30/02/2026 is not a date, so this row does not"
        " mark its invoice as sent; write it as a date cell or as 2024-01-31"
    ),
    "one contract price answers for a day": (
        "Not billed contract_prices.csv: row 3, Valid from: this price of ACME "
        "SILVER and the one in row 4 answer for the same days; end the earlier "
        "one with Valid to, the day before the later one begins"
    ),
    "one contract price answers for a day (ACME)": (
        "Not billed contract_prices.csv: row 4, Valid from: this price of ACME "
        "SILVER and the one in row 3 answer for the same days; end the earlier "
        "one with Valid to, the day before the later one begins"
    ),
    "a membership is of a product that is one": (
        "Not billed patients.csv: row 10, Membership: CONSULT is a product but no"
        " membership; write the code of a product whose Type is Membership"
    ),
    "a membership is of a product still sold": (
        "Not billed patients.csv: row 11, Membership: GONE is no longer sold "
        "(Active is No); choose another membership, or set the product's Active "
        "to Yes"
    ),
    "a frequency is given where two are offered": (
        "Not billed patients.csv: row 12, Billing frequency: Billing frequency is"
        " blank and GOLD is sold both by the month and by the year; write Monthly"
        " or Annual"
    ),
    "a frequency is one the product offers": (
        "Not billed patients.csv: row 13, Billing frequency: SILVER has no price "
        "for Annual; change the Billing frequency, or give the product that price"
    ),
    "a payer is active": (
        "Not billed patients.csv: row 14, Bill to: the contact OLD is no longer "
        "active; name another contact, or clear Bill to so that the patient pays"
    ),
    "a request is for a product still sold": (
        "Not billed invoice_requests.csv: row 3, Product code: GONE is no longer "
        "sold; correct the request, or delete its row"
    ),
    "a membership asked for has a frequency": (
        "Not billed invoice_requests.csv: row 4, Billing frequency: Monthly or "
        "Annual is not given; correct the request, or delete its row"
    ),
    "a request is paid by an active contact": (
        "Not billed invoice_requests.csv: row 5, Bill to: the contact OLD is no "
        "longer active; correct the request, or delete its row"
    ),
    "a membership is asked for by the period": (
        "Not billed invoice_requests.csv: row 7, Quantity: a membership asked for here"
        " covers one period, not 2; write 1; ask for the next period in a row of its"
        " own, with 02/04/2026 in Requested on"
    ),
    "a request overlaps no period": (
        "Not billed invoice_requests.csv: row 6, Requested on: it would bill days"
        " of a membership period that is billed, due or asked for; correct the "
        "request, or delete its row"
    ),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Problem]:
    """What a first night with one of each mistake finds."""
    return _found(practice.make(tmp_path_factory.mktemp("mistakes"), _mistakes()))


@pytest.fixture(scope="module")
def mistakes(found: list[Problem]) -> list[str]:
    """What it is told."""
    return _told(found)


def _told(problems: list[Problem]) -> list[str]:
    return [f"{problem.severity} {problem}" for problem in problems]


@pytest.mark.parametrize("text", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_in_full(text: str, mistakes: list[str]) -> None:
    assert text in mistakes


def test_every_mistake_is_told_once_and_nothing_else(mistakes: list[str]) -> None:
    assert sorted(mistakes) == sorted(MISTAKES.values())


def test_a_personal_value_is_told_in_the_workbook_and_not_on_the_terminal(
    found: list[Problem],
) -> None:
    (problem,) = [each for each in found if "Quillfeather" in str(each)]
    assert problem.public() == (
        "patients.csv: row 23, Bill to: Bill to cannot be used (see issues.xlsx); write a"
        " code of the sheet Contacts"
    )


# What a second night finds by looking back.
LATER = {
    "a start date that was edited": (
        "Not billed patients.csv: row 2, Start date: the period from 15 February 2026"
        " overlaps one that is billed until 30 March 2026: the Start date or the Billing"
        " frequency was changed; write 31/03/2026 as the Start date, or put back what was"
        " changed"
    ),
    "an id that was given to somebody else": (
        "Not billed patients.csv: row 4, Patient ID: P3 was another person last time:"
        " name and date of birth have both changed; give the new patient a new Patient"
        " ID and put back the old row"
    ),
    "a member who is gone": (
        "Check patients.csv: the active member P4 is no longer in the sheet, so nothing"
        " more is billed; put the row back and write an End date, if that was not meant"
    ),
    "a person in two rows": (
        "Check patients.csv: row 6, Patient ID: P6 and P5 have the same name and date of"
        " birth; if they are one person, end one of the two"
    ),
    "a child who is billed in person": (
        "Check patients.csv: row 7, Date of birth: the Date of birth makes a patient"
        " under 18 who is billed in person; check the date, and name in Bill to who pays"
    ),
    "a birth to come": (
        "Check patients.csv: row 8, Date of birth: the Date of birth lies ahead; check"
        " the date"
    ),
    "a period beyond Catch-up days": (
        "Not billed patients.csv: row 9, Bill from: the period from 2 January 2026 is"
        " not billed and lies more than Catch-up days back; write 02/01/2026 in Bill"
        " from to bill from there on, or a later day to let earlier periods go"
    ),
    "a sending before the invoice": (
        "Check sent.csv: row 2, Sent on: 1 February 2026 is before INV-000001 was made,"
        " 1 March 2026, so it does not count as sent; write the day it was sent"
    ),
    "a sending by a stranger": (
        "Check sent.csv: row 3, Sent by: qq is not a user of the Staff sheet; write the"
        " user name of the person who sent it"
    ),
    "a price that the desk changed": (
        "Check products.csv: row 2, Last edited by: dd may not edit products, so the"
        " last accepted version stays in force; have the row checked by somebody who may"
        " edit it, with their user name here"
    ),
    # How its cell is read is not doubted: it does not count.
    "a setting that the desk changed": (
        "Check settings.csv: row 4, Last edited by: dd may not edit settings, so the last"
        " accepted version stays in force; have the row checked by somebody who may edit"
        " it, with their user name here"
    ),
    "a product that was deleted": (
        "Check products.csv: the row of SILVER is no longer here; its last accepted"
        " version stays in force; put the row back and set Active to No"
    ),
    "a price change that nobody signed": (
        "Check price_changes.csv: row 2, Last edited by: Last edited by is blank, so the"
        " row is not used yet; have the row checked by somebody who may edit it, with"
        " their user name here"
    ),
}


def _born(row: Row, birth: str, name: str = "Ann") -> Row:
    return {**row, "Date of birth": birth, "First name": name, "Last name": name}


@pytest.fixture(scope="module")
def after_first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice after its first night, whose Bill from was doubted."""
    given = practice.sheets()
    given["patients"] += [_born(member("P3"), "1980-01-01"), member("P4")]
    folder = practice.make(tmp_path_factory.mktemp("later") / "clinic", given)
    practice.set_to(folder, "Bill from", "02/01/2026")
    assert practice.bill(folder, "2026-03-01").code == 0
    return folder


@pytest.fixture(scope="module")
def later(after_first: Path) -> list[str]:
    """What the second night is told, after edits of what the first accepted."""
    folder = practice.copied(after_first, after_first.parent / "edited")
    _edit(folder)
    return _told(_found(folder))


def _edit(folder: Path) -> None:
    practice.change(folder, "patients", "P1", {"Start date": "2026-02-15"})
    rows = practice.read(folder, "patients")[:2]
    rows += [
        _born(member("P3"), "1990-01-01", "Eve"),
        _born(member("P5", start_date="2026-03-02"), "1970-01-01"),
        _born(member("P6", start_date="2026-03-02"), "1970-01-01"),
        _born(member("P7", start_date="2026-03-02"), "2015-01-01"),
        _born(member("P8", start_date="2026-03-02"), "2030-01-01"),
        member("P10", start_date="2026-01-02"),
    ]
    practice.write(folder, "patients", rows)
    practice.set_to(folder, "Catch-up days", "40")
    practice.set_to(folder, "Bill from", "03/04/2026", by="dd")
    sending = {"Invoice number": "INV-000001", "Sent to": "x"}
    practice.add(
        folder,
        "sent",
        {**sending, "Sent on": "2026-02-01", "Sent by": "dd"},
        {**sending, "Sent on": "2026-03-01", "Sent by": "qq"},
    )
    cells = {"Monthly price": "51.00", "Last edited by": "dd"}
    practice.change(folder, "products", "GOLD", cells)
    practice.remove(folder, "products", "SILVER")
    change = {"Product code": "GOLD", "Effective from": "2026-05-01"}
    unsigned = {**change, "Monthly price": "52.00", "Last edited by": ""}
    practice.add(folder, "price_changes", unsigned)


@pytest.mark.parametrize("text", LATER.values(), ids=LATER)
def test_what_changed_since_the_last_night_is_told(text: str, later: list[str]) -> None:
    assert text in later


def test_all_that_changed_is_told_once_and_nothing_else(later: list[str]) -> None:
    assert sorted(later) == sorted(LATER.values())


SETTINGS = [
    pytest.param(
        {
            "Auto invoice": "perhaps",
            "Bill from": "",
            "Payment terms (days)": "500 ",
            "Time zone": "Mars",
            "Invoice prefix": "IN V/",
            "Credit note prefix": "IN V/",
            "Max drop %": "-6%",
            "Currency": "USD",
            "VAT registered": "Yes",
            "VAT number": "GB123456789",
        },
        [
            "Stops the night settings.csv: row 11, Value: Currency: USD is not one of the"
            " words offered; write GBP",
            "Stops the night settings.csv: row 3, Value: Auto invoice: perhaps is not Yes"
            " or No; write Yes or No",
            "Stops the night settings.csv: row 4, Value: the setting Bill from is blank;"
            " write a date, such as 04/03/2026 in a date cell or 2026-03-04, and your"
            " user name in Last edited by",
            "Stops the night settings.csv: row 6, Value: Payment terms (days): 500 cannot"
            " be used; write a whole number of at most 365",
            "Stops the night settings.csv: row 8, Value: Invoice prefix: IN V/ cannot be"
            " used; write up to 12 letters, digits, - or _, such as INV-",
            "Stops the night settings.csv: row 9, Value: Credit note prefix: IN V/ cannot"
            " be used; write up to 12 letters, digits, - or _, such as CRN-",
            "Stops the night settings.csv: row 10, Value: Max drop %: -6.00 cannot be"
            " used; write a percentage, such as 25",
            "Stops the night settings.csv: row 7, Value: Time zone: Mars is not a time"
            " zone; write a name such as Europe/London",
            "Stops the night settings.csv: row 9, Value: Credit note prefix: IN V/ is the"
            " Invoice prefix too; give invoices and credit notes a prefix each, such as"
            " INV- and CRN-",
            "Stops the night settings.csv: row 12, Value: VAT number: GB123456789 fails"
            " its check digits; copy the number from the registration certificate",
        ],
        id="what is unusable hides neither limits nor sense, and is not said to be fixed",
    ),
    pytest.param(
        {"Time zone": "Mars", "Credit note prefix": "inv-", "VAT registered": "Yes"},
        [
            "Stops the night settings.csv: row 6, Value: Time zone: Mars is not a time"
            " zone; write a name such as Europe/London",
            "Stops the night settings.csv: row 7, Value: Credit note prefix: inv- is the"
            " Invoice prefix too; give invoices and credit notes a prefix each, such as"
            " INV- and CRN-",
            "Stops the night settings.csv: VAT registered is Yes but the VAT number is"
            " blank; write the practice's VAT number, or No in VAT registered",
        ],
        id="settings make sense together",
    ),
    pytest.param(
        {"Invoice prefix": "A", "Credit note prefix": "a1"},
        [
            "Stops the night settings.csv: row 7, Value: Credit note prefix: with a1 a"
            " credit note could have the number of an invoice, since the Invoice prefix"
            " is A; give invoices and credit notes a prefix each, such as INV- and CRN-",
        ],
        id="a prefix that is the other one and digits",
    ),
]


@pytest.mark.parametrize(("given", "told"), SETTINGS)
def test_a_setting_that_cannot_be_used_stops_the_night(
    given: dict[str, str], told: list[str], tmp_path: Path
) -> None:
    folder = practice.make(tmp_path)
    for setting, value in given.items():
        practice.set_to(folder, setting, value)
    assert _told(_found(folder)) == told


@pytest.fixture(scope="module")
def credited(after_first: Path) -> Path:
    """The practice after its first night, with a credit note."""
    folder = practice.copied(after_first, after_first.parent / "credited")
    by = ("--reason", "left", "--by", "mm", "--on", "2026-03-02")
    with practice.unpublished():
        assert practice.run("credit", folder, "INV-000001", *by).code == 0
    practice.USED.discard(folder)  # nothing of it was published
    return folder


def _with_prefixes(folder: Path, invoices: str, credit_notes: str) -> list[str]:
    """What a night with these prefixes stops for."""
    practice.set_to(folder, "Invoice prefix", invoices)
    practice.set_to(folder, "Credit note prefix", credit_notes)
    stops = [each for each in _found(folder) if each.severity is Severity.STOPS]
    return [problem.found for problem in stops]


def test_no_number_of_another_kind_is_given_again(credited: Path) -> None:
    """In whatever letter case, and with a digit of the numbers in the prefix."""
    assert _with_prefixes(credited, "crn-", "INV-0") == [
        "Invoice prefix: credit notes have been numbered so, up to CRN-000001",
        "Credit note prefix: invoices have been numbered so, up to INV-000007",
    ]


def test_a_prefix_may_be_new_or_its_own_in_other_letters(credited: Path) -> None:
    assert _with_prefixes(credited, "inv-", "X-") == []


def test_a_vat_number_that_stands_twice_is_not_called_blank(tmp_path: Path) -> None:
    folder = practice.make(tmp_path)
    practice.set_to(folder, "VAT registered", "Yes")
    signed = {"Setting": "VAT number", "Last edited by": "mm"}
    for value in ("GB980780684", "GB999999973"):
        practice.add(folder, "settings", {**signed, "Value": value})
    told = _told(_found(folder))
    assert [each for each in told if "stands in rows" in each]
    assert not [each for each in told if "blank" in each]


READ_WITH_DOUBT = {
    "a day typed as text": (
        ("Bill from", "03/04/2026"),
        "Check settings.csv: row 4, Value: Bill from: 03/04/2026 is read as 3 April"
        " 2026; if that is right, write it as a date cell or as 2026-04-03",
    ),
    "a percent sign": (
        ("Max drop %", "6%"),
        "Fixed for you settings.csv: row 6, Value: Max drop %: 6% is read as 6; nothing"
        " to do",
    ),
    "a short answer": (
        ("Auto invoice", "y"),
        "Fixed for you settings.csv: row 3, Value: Auto invoice: y is read as Yes;"
        " nothing to do",
    ),
    "spare spaces, told once": (
        ("Payment terms (days)", "21 "),
        "Fixed for you settings.csv: row 7, Value: 21 had spare or invisible spaces;"
        " they are left out, nothing to do",
    ),
    "text like a formula, told once": (
        ("Invoice footer", "=Thanks"),
        "Check settings.csv: row 8, Value: =Thanks begins like a formula and is kept as"
        " text; check that it is meant so",
    ),
    "an e-mail address that is none": (
        ("Practice email", "a@"),
        "Check settings.csv: row 9, Value: Practice email: a@ is not an e-mail address,"
        " so it is left blank; write one e-mail address, such as name@example.org",
    ),
    "a word for nothing": (
        ("Practice phone", "none"),
        "Fixed for you settings.csv: row 10, Value: Practice phone: none is read as"
        " blank; nothing to do",
    ),
}


@pytest.fixture(scope="module")
def doubted(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a night with all of these settings is told."""
    folder = practice.make(tmp_path_factory.mktemp("doubted"))
    for (setting, value), _ in READ_WITH_DOUBT.values():
        practice.set_to(folder, setting, value)
    return _told(_found(folder))


@pytest.mark.parametrize("name", READ_WITH_DOUBT)
def test_what_is_put_right_or_doubted_in_a_setting_is_told(
    name: str, doubted: list[str]
) -> None:
    assert READ_WITH_DOUBT[name][1] in doubted


def test_it_is_told_once_and_stops_nothing(doubted: list[str]) -> None:
    assert sorted(doubted) == sorted(told for _, told in READ_WITH_DOUBT.values())


# Settings that each was signed by somebody else: as the sheet Staff has him, and why
# what he signed does not count.
NOT_ENTITLED: dict[str, tuple[Row, str]] = {
    "Practice name": ({"User": "other"}, "aa is not a user of the Staff sheet"),
    "Auto invoice": ({"User": "bb", "Active": "No"}, "bb is no longer active"),
    "Bill from": ({"User": "cc", "Role": "Desk"}, "cc may not edit settings"),
    "VAT registered": (
        {"User": "ee", "Role": "Boss"},
        "the role of ee, Boss, is not in the sheet Roles",
    ),
    "Max drop %": (
        {"User": "ff", "Active": "maybe"},
        "the row of ff in the sheet Staff cannot be used",
    ),
}
SIGNERS = ("aa", "bb", "cc", "ee", "ff")
NEEDED = ("Practice name", "Auto invoice", "Bill from")


@pytest.fixture(scope="module")
def not_entitled(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is told of these settings."""
    given = practice.sheets()
    given["settings"].append({"Setting": "Max drop %", "Value": "6"})
    for row, signer in zip(given["settings"], SIGNERS, strict=True):
        usual = {"Name": "Una User", "Role": "Manager", "Active": "Yes"}
        given["staff"].append({**usual, **NOT_ENTITLED[row["Setting"]][0]})
        row["Last edited by"] = signer
    folder = practice.make(tmp_path_factory.mktemp("signed"), given)
    return [each for each in _told(_found(folder)) if "settings.csv" in each]


@pytest.mark.parametrize("setting", NOT_ENTITLED)
def test_why_a_signed_setting_does_not_count_is_told_once_where_it_is_signed(
    setting: str, not_entitled: list[str]
) -> None:
    row, why = 2 + list(NOT_ENTITLED).index(setting), NOT_ENTITLED[setting][1]
    severity, needed = "Check", ""
    if setting in NEEDED:
        severity, needed = (
            "Stops the night",
            f", and the night needs the setting {setting}",
        )
    assert [each for each in not_entitled if f"row {row}," in each] == [
        f"{severity} settings.csv: row {row}, Last edited by: {why}, so the row is not"
        f" used yet{needed}; have the row checked by somebody who may edit it, with their"
        " user name here"
    ]


def test_of_settings_that_do_not_count_nothing_else_is_told(
    not_entitled: list[str],
) -> None:
    assert len(not_entitled) == len(NOT_ENTITLED)


# What each of these settings' cells holds, and all that is told of its row.
HELD_SETTINGS: dict[str, tuple[Row, list[str]]] = {
    "an error of a formula": (
        {"Setting": "Bank details", "Value": "#REF!", "Last edited by": "mm"},
        [
            "Value: Bank details: #REF! is an error left by a formula; correct the"
            " formula or type the value",
        ],
    ),
    "a comma too many": (
        {"Setting": "Practice address", "Value": "4 Mill Lane", "Last edited by": "Hay,mm"},
        [
            "Setting: Practice address: the row has more cells than there are headings;"
            " put text that holds a comma between quotation marks, or delete the commas"
            " too many at the end of the row",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD_SETTINGS)
def test_what_is_wrong_with_the_cells_of_a_setting_stops_the_night_and_is_told_once(
    name: str, tmp_path: Path
) -> None:
    row, told = HELD_SETTINGS[name]
    folder = practice.make(tmp_path)
    practice.add(folder, "settings", row)
    file = folder / "settings.csv"
    file.write_text(file.read_text("utf-8").replace('"', ""), "utf-8")
    found = _found(folder)
    assert _told(found) == [f"Stops the night settings.csv: row 6, {t}" for t in told]
    assert {problem.subject for problem in found} == {row["Setting"]}


def test_a_setting_that_cannot_be_read_and_nobody_known_signed_stops_nothing(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path)
    row = {"Setting": "Currency", "Value": "#N/A", "Last edited by": "xx"}
    practice.add(folder, "settings", row)
    assert _told(_found(folder)) == [
        "Check settings.csv: row 6, Value: #N/A is an error left by a formula; correct"
        " the formula or type the value",
        "Check settings.csv: row 6, Last edited by: xx is not a user of the Staff sheet,"
        " so the row is not used yet; have the row checked by somebody who may edit it,"
        " with their user name here",
    ]


@pytest.mark.parametrize(
    ("details", "wrong"),
    [
        ("IBAN GB33BUKB20201555555555", []),
        ("Barclays; iban: gb33 bukb 2020 1555 5555 55 please quote your number", []),
        ("IBAN DE89 3704 0044 0532 0130 00, BIC COBADEFFXXX", []),
        ("Sort code 20-20-15, account 55555555, no IBAN needed", []),
        ("GB33 BUKB 2020 1555 5555 56", []),
        ("IBAN GB33BUKB20201555555556", ["GB33BUKB20201555555556"]),
        ("IBAN GB33 BUKB 2020 1555 5555", ["GB33 BUKB 2020 1555 5555"]),
        (
            "IBAN: GB33-BUKB-2020-1555-5555-55 or IBAN: DE89 3704 0044 0532 0130 01",
            ["DE89 3704 0044 0532 0130 01"],
        ),
    ],
)
def test_an_iban_on_the_invoice_must_hold_its_check_digits(
    tmp_path: Path, details: str, wrong: list[str]
) -> None:
    given = practice.sheets()
    row = {"Setting": "Bank details", "Value": details, "Last edited by": "mm"}
    given["settings"].append(row)
    told = practice.run("check", practice.make(tmp_path, given)).err.splitlines()
    said = "fails its check digits; copy it from a statement of the practice's account"
    assert [line for line in told if "IBAN" in line] == [
        f"Stops the night: settings.csv: row 6, Value: Bank details: the IBAN {one} {said}"
        for one in wrong
    ]


def test_tax_needs_a_registration(tmp_path: Path) -> None:
    given = practice.sheets()
    given["tax_codes"][0]["Rate %"] = "20"
    given["products"] = given["products"][:1]
    found = _told(_found(practice.make(tmp_path, given)))
    assert found == [
        "Stops the night products.csv: row 2, Tax code: GOLD carries 20.00 % tax but VAT"
        " registered is No; correct the Tax code, or VAT registered in the settings"
    ]


# Rows of which a cell was put right and which are held: what is told of the cell.
PUT_RIGHT = {
    "a dash for a date": (
        "patients", member("P3", start_date="-"),
        "Membership active is Yes but the Start date is blank (- is read as blank)",
    ),
    "a date with a time": (
        "patients", member("P4", end_date="2026-01-13 10:00"),
        "the End date, 13 January 2026, is before the Start date, 31 January 2026 (",
    ),
    "a dash for a price": (
        "products", _signed(product("DASH", "Dash", monthly="-")),
        "a membership without a Monthly price or an Annual price (- is read as blank)",
    ),
    "a space after a number": (
        "contacts", {"Code": "ACME", "Name": "Acme Ltd", "Payment terms (days)": "-5 "},
        "-5 is not a whole number of at least 0 (-5 had spare or invisible spaces)",
    ),
}  # fmt: skip
# Rows that stand twice with a cell that cannot be read, and what is told of the two: a
# blank cell is not taken for one that cannot be read, whichever comes first.
UNREAD = {
    "D1": (
        {"start_date": "31/31/2026"},
        {"start_date": "31/31/2026"},
        "; keep the right row",
    ),
    "D2": ({"end_date": ""}, {"end_date": "soon"}, ""),
    "D3": ({"end_date": "soon"}, {"end_date": ""}, ""),
}


@pytest.fixture(scope="module")
def unread(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, list[str], dict[str, int]]:
    """A practice of all of them, what a night of it is told, and where members stand."""
    given = practice.sheets() | {"contacts": []}
    for sheet, row, _ in PUT_RIGHT.values():
        given[sheet].append(row)
    given["patients"] += [
        member(patient, **cells)
        for patient, (*rows, _) in UNREAD.items()
        for cells in rows
    ]
    folder = practice.make(tmp_path_factory.mktemp("unread"), given)
    with opened(ledger_path(folder), write=False) as ledger:
        return folder, _told(_looked(ledger, folder)), memberships(ledger)


@pytest.mark.parametrize(("sheet", "row", "says"), PUT_RIGHT.values(), ids=PUT_RIGHT)
def test_a_cell_that_was_put_right_and_holds_its_row_is_told_once(
    sheet: str, row: Row, says: str, unread: tuple[Path, list[str], dict[str, int]]
) -> None:
    folder, found, _ = unread
    keys = [next(iter(each.values())) for each in practice.read(folder, sheet)]
    place = f"{sheet}.csv: row {2 + keys.index(next(iter(row.values())))},"
    (held,) = [each for each in found if place in each]
    assert held.startswith("Not billed ")
    assert says in held


@pytest.mark.parametrize("patient", UNREAD)
def test_rows_alike_but_for_what_cannot_be_read_are_not_said_to_differ(
    patient: str, unread: tuple[Path, list[str], dict[str, int]]
) -> None:
    first = 6 + 2 * list(UNREAD).index(patient)
    found, says = "\n".join(unread[1]), UNREAD[patient][2]
    for row in (first, first + 1):
        assert (
            f"patients.csv: row {row}, Patient ID: rows {first} and {first + 1} are for"
            f" the same Patient ID, {patient}{says}"
        ) in found


def test_neither_of_two_rows_that_differ_in_a_cell_is_left_out(
    unread: tuple[Path, list[str], dict[str, int]],
) -> None:
    _, found, standing = unread
    assert not [each for each in found if "stands here a second time" in each]
    assert standing["held"] == 2 + 2 * len(UNREAD), "with those of the cells put right"


def test_a_problem_found_twice_is_one_and_those_of_other_rows_are_told_apart() -> None:
    one = Problem(Severity.CHECK, "far-start", Place("p.csv", "Patients", 2), "x")
    other = replace(one, place=Place("p.csv", "Patients", 3))
    found = fingerprints([one, one, other])
    assert [problem for _, problem in found] == [one, other]
    assert len({fingerprint for fingerprint, _ in found}) == 2


def test_a_sheet_may_be_called_anything_and_is_told_in_letters_that_show() -> None:
    odd = Problem(Severity.CHECK, "odd", Place("patients.xlsx", "a\u202e\u200b\n"), "x")
    assert odd.public() == "patients.xlsx: a???: x"
