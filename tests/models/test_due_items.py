"""Everything to be charged tonight or held, periods and requests side by side."""

import pytest

from tests.given import answers, made, wanted

CASES = [
    pytest.param(
        {"patients": [{}]},
        [("P1", True, "GOLD", 1, "2026-01-01", "2026-01-01", None)],
        id="a due period counts once, at the price of its own start day",
    ),
    pytest.param(
        {"patients": [{}], "as_of": "2026-02-01"},
        [
            ("P1", True, "GOLD", 1, "2026-01-01", "2026-01-01", None),
            ("P1", True, "GOLD", 1, "2026-02-01", "2026-02-01", None),
        ],
        id="periods caught up are items of their own",
    ),
    pytest.param(
        {"patients": [{"membership_active": False}], "invoice_requests": [{}]},
        [("P1", False, "CONSULT", 1, "2026-01-10", None, None)],
        id="a request counts at the price of the day it was asked for, blank is one",
    ),
    pytest.param(
        {
            "patients": [{"membership_active": False}],
            "invoice_requests": [{"quantity": 3}],
        },
        [("P1", False, "CONSULT", 3, "2026-01-10", None, None)],
        id="a request may be for several",
    ),
    pytest.param(
        {
            "patients": [{"membership_active": False}],
            "invoice_requests": [
                {"product_code": "GOLD", "billing_frequency": "Monthly"}
            ],
        },
        [("P1", True, "GOLD", 1, "2026-01-10", "2026-01-10", None)],
        id="a membership asked for is a period",
    ),
    pytest.param(
        {"patients": [{"held": True, "start_date": None}]},
        [("P1", True, "GOLD", 1, "2026-01-31", None, "row")],
        id="a start date that cannot be read holds back one period",
    ),
    pytest.param(
        {"patients": [{"held": True, "start_date": None, "membership_active": False}]},
        [],
        id="but nothing for a member who has left",
    ),
    pytest.param(
        {
            "products": [{"held": True}],
            "patients": [{"start_date": None, "membership_active": False}],
        },
        [],
        id="nor does a held product for a member who has left",
    ),
    pytest.param(
        {
            "patients": [{"held": True, "start_date": None}],
            "practice": {"auto_invoice": False},
        },
        [],
        id="nor while Auto invoice is No",
    ),
]


def test_due_items() -> None:
    names = (
        "patient_id, is_period, product_code, quantity, price_on, period_start, reason"
    )
    assert answers(CASES, "due_items", names, dict) == wanted(CASES)


def test_a_request_is_never_combined_with_periods_of_its_payer() -> None:
    given = {
        "patients": [{"bill_to": "ACME"}],
        "contacts": [{"combine_invoices": True}],
        "invoice_requests": [{"bill_to": "ACME"}],
    }
    found = made("due_items", "product_code, payer_code, combined", given)
    assert found == [("CONSULT", "ACME", False), ("GOLD", "ACME", True)]
