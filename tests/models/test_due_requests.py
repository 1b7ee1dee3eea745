"""What is put on invoices by hand: billed once, and never over a billed period."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.given import USUAL, answers, made, wanted

# Nobody is a member here, unless the test says so.
NO_MEMBER = {"membership": None, "billing_frequency": None, "membership_active": False}
GOLD = {"product_code": "GOLD", "billing_frequency": "Monthly"}


def nobody(given: dict[str, Any]) -> dict[str, Any]:
    """A practice on 31 January."""
    return {"patients": [NO_MEMBER], **given}


def due(given: dict[str, Any], names: str = "request_id, reason") -> list[Any]:
    """What is asked for and due in the practice."""
    return made("due_requests", names, nobody(given))


def each(
    cases: list[Any], given: Callable[..., Any], names: str = "reason"
) -> dict[str, list[Any]]:
    """What is asked for and due in the practice of each case."""
    return answers(cases, "due_requests", names, lambda *case: nobody(given(*case)))


ONCE = [
    pytest.param({"invoice_requests": [{}]}, [("R1", None)], id="a request is due"),
    pytest.param(
        {"invoice_requests": [{}], "filled": [("r1",)]},
        [],
        id="once billed, never again",
    ),
    pytest.param(
        {"invoice_requests": [{"requested_on": "2026-01-31"}]},
        [("R1", None)],
        id="it is due on the day it is asked for",
    ),
    pytest.param(
        {"invoice_requests": [{"requested_on": "2026-02-01"}]},
        [],
        id="not a day earlier",
    ),
    pytest.param(
        {"invoice_requests": [{}], "practice": {"auto_invoice": False}},
        [],
        id="nothing while Auto invoice is No",
    ),
]


def test_each_request_once() -> None:
    assert each(ONCE, dict, "request_id, reason") == wanted(ONCE)


PERIODS = [
    pytest.param(
        {"product_code": "CONSULT"}, (None, None, None), id="a service has no period"
    ),
    pytest.param(
        GOLD,
        ("Monthly", "2026-01-10", "2026-02-09"),
        id="a membership covers one month from the day it is asked for",
    ),
    pytest.param(
        {**GOLD, "billing_frequency": "Annual"},
        ("Annual", "2026-01-10", "2027-01-09"),
        id="or one year",
    ),
    pytest.param(
        {**GOLD, "requested_on": "2026-01-31"},
        ("Monthly", "2026-01-31", "2026-02-27"),
        id="its end is clamped to the month's last day",
    ),
]


def test_period() -> None:
    names = "frequency, period_start, period_end"
    found = each(PERIODS, lambda request: {"invoice_requests": [request]}, names)
    assert found == wanted(PERIODS)


def test_a_blank_frequency_is_the_only_one_sold() -> None:
    given = {
        "products": [{"annual_price": None}],
        "invoice_requests": [{"product_code": "GOLD"}],
    }
    assert due(given, "frequency") == ["Monthly"]


OVERLAPS = [
    pytest.param(
        {"billed": [("P1", "2026-02-09", "2026-03-08")]},
        ["request-overlaps"],
        id="a billed period on its last day",
    ),
    pytest.param(
        {"patients": [{"start_date": "2026-01-05"}]},
        ["request-overlaps"],
        id="a period that is due tonight",
    ),
    pytest.param(
        {"billed": [("P1", "2026-01-10", "2026-02-09")]},
        ["request-overlaps"],
        id="a billed period that starts the same day",
    ),
    pytest.param(
        {"billed": [("P1", "2025-12-11", "2026-01-10")]},
        ["request-overlaps"],
        id="a billed period that ends on its first day",
    ),
]

APART = [
    pytest.param(
        {"billed": [("P1", "2026-02-10", "2026-03-09")]}, None, id="the day after it"
    ),
    pytest.param(
        {"billed": [("P1", "2025-12-10", "2026-01-09")]}, None, id="the day before it"
    ),
    pytest.param(
        {"billed": [("P2", "2026-01-10", "2026-02-09")]}, None, id="another's"
    ),
]


def asked(given: dict[str, Any]) -> dict[str, Any]:
    """A membership is asked for."""
    return {"invoice_requests": [GOLD], **given}


def test_a_membership_asked_for_is_held_by() -> None:
    assert each(OVERLAPS, asked) == wanted(OVERLAPS)


def test_it_is_not_held_by_a_period() -> None:
    assert each(APART, asked) == wanted(APART)


# R1 covers 10 January to 9 February, and stands in the earlier row.
BESIDE = [
    pytest.param("2026-01-20", "request-overlaps", id="some of its days"),
    pytest.param("2026-02-09", "request-overlaps", id="its last day"),
    pytest.param("2026-02-10", None, id="the day after it"),
    pytest.param("2025-12-11", "request-overlaps", id="its first day"),
    pytest.param("2025-12-10", None, id="the day before it"),
]


def test_the_earlier_row_of_two_that_overlap_is_billed() -> None:
    def given(on: str) -> dict[str, Any]:
        later = {**GOLD, "request_id": "R2", "requested_on": on}
        return {
            "as_of": "2026-02-10", "practice": {"bill_from": "2025-12-01"},
            "invoice_requests": [GOLD, later],
        }  # fmt: skip

    found = each(BESIDE, given, "request_id, reason")
    assert found == {case.id: [("R1", None), ("R2", case.values[1])] for case in BESIDE}


HELD_BEFORE = [
    pytest.param({"held": True}, {}, "row", id="by its own row"),
    pytest.param({"quantity": 2}, {}, "request-quantity", id="for its quantity"),
    pytest.param(
        {"bill_to": "ACME"},
        {"contacts": [{"active": False}]},
        "payer-inactive",
        id="by its payer",
    ),
    pytest.param(
        {"requested_on": "2025-12-31"},
        {},
        "request-before-bill-from",
        id="for its day",
    ),
    pytest.param(
        {"requested_on": "2026-01-02"},
        {"billed": [("P1", "2025-12-06", "2026-01-05")]},
        "request-overlaps",
        id="for a day that is billed",
    ),
]


def test_an_earlier_row_that_is_held_takes_no_day_of_a_later_one() -> None:
    later = {**GOLD, "request_id": "R2", "requested_on": "2026-01-20"}

    def given(earlier: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
        return {"invoice_requests": [{**GOLD, **earlier}, later], **more}

    found = each(HELD_BEFORE, given, "request_id, reason")
    assert found == {
        case.id: [("R1", case.values[2]), ("R2", None)] for case in HELD_BEFORE
    }


def test_services_never_overlap() -> None:
    given = {
        "patients": [{}],
        "invoice_requests": [{}, {"request_id": "R2"}],
        "billed": [("P1", "2026-01-01", "2026-01-31")],
    }
    assert due(given) == [("R1", None), ("R2", None)]


SERVICE = USUAL["products"][1]
TO_ACME = {"bill_to": "ACME"}

HELD = [
    pytest.param({}, {"held": True}, "row", id="by its own row"),
    pytest.param(
        {},
        {"held": True, "requested_on": None},
        "row",
        id="by its own row with no date",
    ),
    pytest.param(
        {"patients": [{**NO_MEMBER, "held": True}]},
        {},
        "patient-held",
        id="by its patient",
    ),
    pytest.param(
        {"products": [{**SERVICE, "held": True}]},
        {},
        "product-held",
        id="by its product",
    ),
    pytest.param(
        {"products": [{**SERVICE, "active": False}]},
        {},
        "product-inactive",
        id="when the product is no longer sold",
    ),
    pytest.param(
        {"tax_codes": [{"code": "EXEMPT", "held": True}]},
        {},
        "tax-code-held",
        id="by the product's tax code",
    ),
    pytest.param(
        {},
        {"product_code": "GOLD"},
        "frequency-missing",
        id="when a membership is sold both ways and none is named",
    ),
    pytest.param(
        {"patients": []}, {"held": True}, "row", id="by its own row, of no patient"
    ),
    pytest.param(
        {"products": []}, {"held": True}, "row", id="by its own row, of no product"
    ),
    pytest.param(
        {"products": [{**SERVICE, "held": True, "tax_code": None}]},
        {},
        "product-held",
        id="by its product, of no tax code that can be read",
    ),
    pytest.param(
        {"practice": {"bill_from": "2026-01-11"}},
        GOLD,
        "request-before-bill-from",
        id="when a membership is asked for before Bill from",
    ),
    pytest.param(
        {"practice": {"bill_from": "2026-01-10"}}, GOLD, None, id="not on that day"
    ),
    pytest.param(
        {},
        {**GOLD, "quantity": 2},
        "request-quantity",
        id="when a membership is asked for twice in one row",
    ),
    pytest.param({}, {**GOLD, "quantity": 1}, None, id="not when once"),
    pytest.param({}, {"quantity": 2}, None, id="nor two of anything else"),
    pytest.param(
        {"contacts": [{"held": True}]}, TO_ACME, "payer-held", id="by its payer"
    ),
    pytest.param(
        {"contacts": [{"active": False}]},
        TO_ACME,
        "payer-inactive",
        id="when its payer no longer pays",
    ),
]


def test_held() -> None:
    found = each(HELD, lambda given, request: {**given, "invoice_requests": [request]})
    assert found == wanted(HELD)
