"""Tonight's invoices: to whom, in which order, by which number, due when."""

from typing import Any

import pytest

from tests.given import answers, made, wanted

TWO_MONTHS = "2026-02-15"


def member(patient_id: str, start: str, **cells: Any) -> dict[str, Any]:
    """A member who starts on a day."""
    return {"patient_id": patient_id, "start_date": start, **cells}


ORDER = [
    pytest.param(
        [member("P1", "2026-01-20"), member("P2", "2026-01-10")],
        "2026-01-31",
        [("INV-000001", "P2"), ("INV-000002", "P1")],
        id="by period start",
    ),
    pytest.param(
        [member("P2", "2026-01-10"), member("P1", "2026-01-10")],
        "2026-01-31",
        [("INV-000001", "P1"), ("INV-000002", "P2")],
        id="then by patient ID, whatever the order of rows",
    ),
    pytest.param(
        [member("P1", "2026-01-10"), member("P2", "2026-01-20")],
        TWO_MONTHS,
        [("INV-000001", "P1"), ("INV-000002", "P2"), ("INV-000003", "P1")],
        id="one invoice for each period caught up, oldest first",
    ),
    pytest.param(
        [
            member("P1", "2026-01-10"),
            member("P2", "2026-01-10", held=True),
            member("P3", "2026-01-10"),
        ],
        "2026-01-31",
        [("INV-000001", "P1"), ("INV-000002", "P3")],
        id="held members leave no gap",
    ),
]


@pytest.mark.parametrize(("patients", "as_of", "expected"), ORDER)
def test_numbers_go(patients: list[Any], as_of: str, expected: list[Any]) -> None:
    given = {"patients": patients, "as_of": as_of}
    assert made("new_invoices", "number, patient_id", given) == expected


def test_requests_of_one_patient_and_day_are_numbered_as_they_stand() -> None:
    asked = {"product_code": "SWAB", "requested_on": "2026-01-10"}
    given = {
        "products": [
            {},
            {"code": "SWAB", "type": "Test", "price": "0.13", "tax_code": "STD"},
        ],
        "patients": [member("P1", "2026-01-10")],
        "invoice_requests": [
            {**asked, "request_id": "R2", "quantity": 2},
            {**asked, "request_id": "R1", "quantity": 1},
        ],
        "as_of": "2026-01-31",
    }
    found = made("new_lines", "number, request_id", given)
    expected = [("INV-000001", None), ("INV-000002", "R2"), ("INV-000003", "R1")]
    assert found == expected


NUMBERS = [
    pytest.param({}, [], "INV-000001", id="the first is 1"),
    pytest.param(
        {"first_invoice_number": 501}, [], "INV-000501", id="or First invoice number"
    ),
    pytest.param(
        {"invoice_prefix": "HLS"}, [], "HLS000001", id="the prefix comes first"
    ),
    pytest.param(
        {}, [(41, "2026-01-02")], "INV-000042", id="the next follows on the ledger's"
    ),
    pytest.param(
        {"first_invoice_number": 501},
        [(41, "2026-01-02")],
        "INV-000042",
        id="First invoice number counts for the very first alone",
    ),
    pytest.param(
        {}, [(999999, "2026-01-02")], "INV-1000000", id="six digits are no limit"
    ),
]


@pytest.mark.parametrize(("practice", "issued", "expected"), NUMBERS)
def test_number(practice: dict[str, Any], issued: list[Any], expected: str) -> None:
    given = {"patients": [{}], "practice": practice, "issued": issued}
    assert made("new_invoices", "number", given) == [expected]


ACME = {"bill_to": "ACME"}

DATES = [
    pytest.param({}, ("2026-01-31", "2026-02-14"), id="issued as-of, due in 14 days"),
    pytest.param(
        {"practice": {"payment_terms": 30}},
        ("2026-01-31", "2026-03-02"),
        id="due by the practice's terms",
    ),
    pytest.param(
        {"patients": [ACME], "contacts": [{"payment_terms": 7}]},
        ("2026-01-31", "2026-02-07"),
        id="due by the payer's own terms",
    ),
    pytest.param(
        {"patients": [ACME], "contacts": [{"payment_terms": 0}]},
        ("2026-01-31", "2026-01-31"),
        id="the payer's terms may be none",
    ),
    pytest.param(
        {"issued": [(41, "2026-02-10")]},
        ("2026-02-10", "2026-02-24"),
        id="never issued before the invoice it follows",
    ),
]


def test_dates() -> None:
    names = "issued_on, due_on"
    found = answers(
        DATES, "new_invoices", names, lambda given: {"patients": [{}], **given}
    )
    assert found == wanted(DATES)


COMBINE = [{"combine_invoices": True}]
STAFF = [member("P1", "2026-01-10", **ACME), member("P2", "2026-01-20", **ACME)]

GROUPS = [
    pytest.param(
        {"patients": STAFF, "contacts": [{}]},
        [("ACME", "P1", "50.00"), ("ACME", "P2", "50.00")],
        id="a contact gets one for each period",
    ),
    pytest.param(
        {"patients": STAFF, "contacts": COMBINE},
        [("ACME", None, "100.00")],
        id="or one a night, if it combines, which names no patient",
    ),
    pytest.param(
        {"patients": STAFF[:1], "contacts": COMBINE, "as_of": TWO_MONTHS},
        [("ACME", "P1", "100.00")],
        id="one member's two periods combine as well",
    ),
    pytest.param(
        {
            "patients": [STAFF[0], {**STAFF[1], "bill_to": "ZETA"}],
            "contacts": [*COMBINE, {"code": "ZETA", "combine_invoices": True}],
        },
        [("ACME", "P1", "50.00"), ("ZETA", "P2", "50.00")],
        id="two payers never combine",
    ),
    pytest.param(
        {"patients": [STAFF[0], member("P2", "2026-01-20")], "contacts": COMBINE},
        [("ACME", "P1", "50.00"), (None, "P2", "50.00")],
        id="who pays for himself is not combined",
    ),
    pytest.param(
        {"patients": STAFF, "contacts": COMBINE, "invoice_requests": [ACME]},
        [("ACME", "P1", "85.00"), ("ACME", None, "100.00")],
        id="a request has an invoice of its own",
    ),
    pytest.param(
        {"patients": [STAFF[0], {**STAFF[1], "held": True}], "contacts": COMBINE},
        [("ACME", "P1", "50.00")],
        id="a held member is left out of the combined one",
    ),
]


def test_one_invoice_for() -> None:
    found = answers(GROUPS, "new_invoices", "bill_to, patient_id, gross", dict)
    assert {why: sorted(rows, key=str) for why, rows in found.items()} == wanted(GROUPS)


def test_an_invoice_names_its_patient_unless_it_is_for_several() -> None:
    given = {"patients": [*STAFF, member("P3", "2026-01-15")], "contacts": COMBINE}
    expected = [("P3", "Annabel Quillfeather"), (None, None)]
    assert made("new_invoices", "patient_id, patient_name", given) == expected


def test_a_combined_invoice_stands_where_the_first_of_its_patients_does() -> None:
    day = "2026-01-20"
    patients = [
        member("P1", day, bill_to="ACME"),
        member("P2", day),
        member("P3", day, bill_to="ACME"),
    ]
    given = {"patients": patients, "contacts": COMBINE}
    expected = [("INV-000001", "ACME"), ("INV-000002", None)]
    assert made("new_invoices", "number, bill_to", given) == expected


def test_a_combined_invoice_stands_where_its_oldest_period_does() -> None:
    patients = [*STAFF, member("P3", "2026-01-15")]
    given = {"patients": patients, "contacts": COMBINE}
    expected = [("INV-000001", "ACME"), ("INV-000002", None)]
    assert made("new_invoices", "number, bill_to", given) == expected


def test_a_combined_invoice_comes_before_a_request_of_its_first_patient() -> None:
    day = "2026-01-20"
    given = {
        "patients": [member("P1", day, **ACME), member("P2", day, **ACME)],
        "contacts": COMBINE,
        "invoice_requests": [{"requested_on": day}],
    }
    expected = [("INV-000001", "ACME"), ("INV-000002", None)]
    assert made("new_invoices", "number, bill_to", given) == expected


def test_totals_are_the_sums_of_the_lines_not_tax_of_the_total() -> None:
    given = {
        "products": [{"monthly_price": "0.13", "tax_code": "STD"}],
        "patients": [*STAFF, member("P3", "2026-01-15", **ACME)],
        "contacts": COMBINE,
    }
    assert made("new_invoices", "net, tax, gross", given) == [("0.39", "0.09", "0.48")]


AT_HOME = {
    "title": "Ms", "email": "a@example.org", "address_line_1": "1 Hill",
    "address_line_2": "Flat 2", "town": "Dunmarrow", "postcode": "AB1 2CD",
}  # fmt: skip
AT_WORK = {
    "email": "pay@example.com", "address_line_1": "2 Quay", "town": "Overby",
    "postcode": "ZE1 0AA", "accounts_reference": "AC01",
}  # fmt: skip

ADDRESSES = [
    pytest.param(
        {"patients": [AT_HOME]},
        ("Ms Annabel Quillfeather", "a@example.org", "1 Hill", "Flat 2", "Dunmarrow",
         "AB1 2CD", None),
        id="the patient who pays",
    ),
    pytest.param(
        {"patients": [{}]},
        ("Annabel Quillfeather", None, None, None, None, None, None),
        id="a patient without title or address",
    ),
    pytest.param(
        {"patients": [{**AT_HOME, **ACME}], "contacts": [AT_WORK]},
        ("Acme Widgets Ltd", "pay@example.com", "2 Quay", None, "Overby", "ZE1 0AA",
         "AC01"),
        id="the contact who pays, with nothing of the patient's address",
    ),
]  # fmt: skip


def test_it_is_addressed_to() -> None:
    names = (
        "bill_to_name, email, address_line_1, address_line_2, town, postcode,"
        " accounts_reference"
    )
    assert answers(ADDRESSES, "new_invoices", names, dict) == wanted(ADDRESSES)


KINDS = [
    pytest.param({"patients": [{}]}, [True], id="a period's is"),
    pytest.param(
        {"patients": [{"membership_active": False}], "invoice_requests": [{}]},
        [False],
        id="a service's is not",
    ),
    pytest.param(
        {
            "patients": [{"membership_active": False}],
            "invoice_requests": [
                {"product_code": "GOLD", "billing_frequency": "Annual"}
            ],
        },
        [True],
        id="that of a membership asked for by hand is",
    ),
]


def test_a_membership_invoice() -> None:
    assert answers(KINDS, "new_invoices", "membership", dict) == wanted(KINDS)
