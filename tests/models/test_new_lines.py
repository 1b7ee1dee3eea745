"""The lines of tonight's invoices."""

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
