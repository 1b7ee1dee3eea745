"""The lines of tonight's invoices."""

from typing import Any

import pytest

from tests.given import made

ACME = {"bill_to": "ACME"}
PAIR = {
    "as_of": "2026-02-15",
    "patients": [
        {"patient_id": "P2", "start_date": "2026-01-10", **ACME},
        {
            "patient_id": "P1",
            "start_date": "2026-01-20",
            "first_name": "Barnaby",
            **ACME,
        },
    ],
    "contacts": [{"combine_invoices": True}],
}


def test_a_combined_invoice_has_a_line_per_member_and_period_oldest_first() -> None:
    assert made("new_lines", "number, line, patient_id, period_start", PAIR) == [
        ("INV-000001", 1, "P2", "2026-01-10"),
        ("INV-000001", 2, "P1", "2026-01-20"),
        ("INV-000001", 3, "P2", "2026-02-10"),
    ]


def test_each_line_names_its_own_patient() -> None:
    assert made("new_lines", "line, patient_name", PAIR) == [
        (1, "Annabel Quillfeather"),
        (2, "Barnaby Quillfeather"),
        (3, "Annabel Quillfeather"),
    ]


def test_every_other_invoice_has_one_line() -> None:
    given = {**PAIR, "contacts": [{}]}
    assert made("new_lines", "number, line, patient_id", given) == [
        ("INV-000001", 1, "P2"),
        ("INV-000002", 1, "P1"),
        ("INV-000003", 1, "P2"),
    ]


def test_a_line_says_what_was_sold_for_how_much_and_why() -> None:
    names = (
        "product_code, description, frequency, period_start, period_end, quantity,"
        " unit_price, tax_code, tax_rate, net, tax, gross, price_source"
    )
    given = {"products": [{"tax_code": "STD"}], "patients": [{}]}
    assert made("new_lines", names, given) == [
        (
            "GOLD", "Gold", "Monthly", "2026-01-01", "2026-01-31", 1, "50.00", "STD",
            "20.00", "50.00", "10.00", "60.00", "product price: Products row 2 (GOLD)",
        )
    ]  # fmt: skip


def test_a_line_asked_for_by_hand_names_its_request_and_no_period() -> None:
    given = {
        "patients": [{"membership_active": False}],
        "invoice_requests": [{"request_id": "R 7", "quantity": 2}],
    }
    names = "request_id, request_key, frequency, period_start, quantity, gross"
    assert made("new_lines", names, given) == [("R 7", "r7", None, None, 2, "170.00")]


def test_what_is_held_has_no_line() -> None:
    given = {"patients": [{"held": True}, {"patient_id": "P2"}]}
    assert made("new_lines", "number, patient_id", given) == [("INV-000001", "P2")]


JANUARY = ("P1", "2026-01-01", "2026-01-31")
FREED = ("P1", "2026-01-01", 1)

AGAIN = [
    pytest.param([], [], (1, None, None), id="for the first time"),
    pytest.param([JANUARY], [FREED], (2, "BEFORE", 1), id="a second time"),
    pytest.param(
        [JANUARY, (*JANUARY, 2)],
        [FREED, ("P1", "2026-01-01", 2)],
        (3, "BEFORE", 2),
        id="a third time, for the line freed last",
    ),
    pytest.param(
        [(*JANUARY, 2), JANUARY],
        [("P1", "2026-01-01", 2), FREED],
        (3, "BEFORE", 2),
        id="the one freed last by its note, whatever was billed last",
    ),
    pytest.param(
        [("P1", "2025-12-02", "2026-01-01")],
        [("P1", "2025-12-02", 1)],
        (1, "BEFORE", 1),
        id="for one that ended on its first day",
    ),
    pytest.param(
        [("P1", "2026-01-31", "2026-02-27")],
        [("P1", "2026-01-31", 1)],
        (1, "BEFORE", 1),
        id="for one that began on its last day",
    ),
    pytest.param(
        [("P1", "2026-02-01", "2026-02-28"), ("P1", "2025-12-01", "2025-12-31")],
        [("P1", "2026-02-01", 1), ("P1", "2025-12-01", 1)],
        (1, None, None),
        id="for none that shares no day with it",
    ),
    pytest.param(
        [JANUARY, ("P1", "2025-12-20", "2026-01-19")],
        [FREED, ("P1", "2025-12-20", 1)],
        (2, "BEFORE", 1),
        id="for the one from the same day on, though another was freed later",
    ),
]


@pytest.mark.parametrize(("billed", "freed", "expected"), AGAIN)
def test_a_period_is_billed(billed: list[Any], freed: list[Any], expected: Any) -> None:
    given = {"patients": [{}], "billed": billed, "freed": freed}
    names = "period_generation, replaces_number, replaces_line"
    assert made("new_lines", names, given) == [expected]


def test_a_request_is_billed_a_third_time_for_the_line_before() -> None:
    given = {
        "invoice_requests": [{}],
        "patients": [{"membership": None, "membership_active": False}],
        "filled": [("R1", 2), ("R1", 1)],
        "freed": [("R1", 2), ("R1", 1)],
    }
    names = "request_generation, replaces_number, replaces_line"
    assert made("new_lines", names, given) == [(3, "INV-000001", 1)]
