"""The roster: what each membership costs by, and what keeps it from being billed."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.given import answers, made, wanted

SOLD_BOTH_WAYS = {"code": "GOLD"}
BY_MONTH = {"code": "GOLD", "annual_price": None}
BY_YEAR = {"code": "GOLD", "monthly_price": None}

ROSTER = [
    pytest.param({}, [("P1", "GOLD", "Monthly", True)], id="a member is on the roster"),
    pytest.param(
        {"membership": None, "membership_active": False},
        [],
        id="a patient without a membership is not on it",
    ),
    pytest.param(
        {"membership": None, "names_membership": True, "held": True},
        [("P1", None, "Monthly", True)],
        id="a membership that cannot be read keeps its member on it",
    ),
    pytest.param(
        {"membership_active": False},
        [("P1", "GOLD", "Monthly", False)],
        id="a member who has left stays on it",
    ),
]


def each(cases: list[Any], names: str, given: Callable[..., Any]) -> dict[str, Any]:
    """What the roster says of the member of each case."""
    return answers(cases, "memberships", names, given)


def test_roster() -> None:
    names = "patient_id, product_code, frequency, active"
    found = each(ROSTER, names, lambda patient: {"patients": [patient]})
    assert found == wanted(ROSTER)


FREQUENCIES = [
    pytest.param(SOLD_BOTH_WAYS, "Annual", ("Annual", 12, None), id="the row decides"),
    pytest.param(
        BY_MONTH,
        None,
        ("Monthly", 1, None),
        id="blank is Monthly where only that is sold",
    ),
    pytest.param(
        BY_YEAR,
        None,
        ("Annual", 12, None),
        id="blank is Annual where only that is sold",
    ),
    pytest.param(
        SOLD_BOTH_WAYS,
        None,
        (None, None, "frequency-missing"),
        id="blank is held where both are sold",
    ),
    pytest.param(
        BY_YEAR,
        "Monthly",
        ("Monthly", 1, "frequency-not-offered"),
        id="Monthly is held where only years are sold",
    ),
    pytest.param(
        BY_MONTH,
        "Annual",
        ("Annual", 12, "frequency-not-offered"),
        id="Annual is held where only months are sold",
    ),
]


def test_frequency() -> None:
    def sold(product: dict[str, Any], frequency: str | None) -> dict[str, Any]:
        return {"products": [product], "patients": [{"billing_frequency": frequency}]}

    found = each(FREQUENCIES, "frequency, step_months, reason", sold)
    assert found == wanted(FREQUENCIES)


BILL_FROM = [
    pytest.param(None, ("2026-01-01", False), id="the practice's counts when blank"),
    pytest.param("2026-02-01", ("2026-02-01", True), id="the patient's may be later"),
    pytest.param("2025-06-01", ("2025-06-01", True), id="the patient's may be earlier"),
]


def test_bill_from() -> None:
    def of_both(own: str | None) -> dict[str, Any]:
        practice = {"bill_from": "2026-01-01"}
        return {"patients": [{"bill_from": own}], "practice": practice}

    found = each(BILL_FROM, "bill_from, has_own_bill_from", of_both)
    assert found == wanted(BILL_FROM)


PAYERS = [
    pytest.param(None, True, (None, False), id="without Bill to the patient pays"),
    pytest.param("ACME", None, ("ACME", False), id="blank Combine invoices means No"),
    pytest.param("ACME", True, ("ACME", True), id="a contact may want one invoice"),
]


def test_payer() -> None:
    def paid(bill_to: str | None, combine: bool | None) -> dict[str, Any]:
        contact = {"code": "ACME", "combine_invoices": combine}
        return {"patients": [{"bill_to": bill_to}], "contacts": [contact]}

    assert each(PAYERS, "payer_code, combined", paid) == wanted(PAYERS)


PAID_BY_ACME = {"patients": [{"bill_to": "ACME"}], "contacts": [{"code": "ACME"}]}

HELD = [
    pytest.param({"patients": [{"held": True}]}, "row", id="by its own row"),
    pytest.param({"products": [{"held": True}]}, "product-held", id="by its product"),
    pytest.param({"products": []}, "product-held", id="by a product that is not there"),
    pytest.param(
        {"patients": [{"membership": "CONSULT"}]},
        "not-a-membership",
        id="when what it names is no membership",
    ),
    pytest.param(
        {"products": [{"active": False}]},
        "product-inactive",
        id="when the membership is no longer sold",
    ),
    pytest.param(
        {"tax_codes": [{"code": "EXEMPT", "name": "Exempt", "held": True}]},
        "tax-code-held",
        id="by its product's tax code",
    ),
    pytest.param(
        {**PAID_BY_ACME, "contacts": [{"held": True}]}, "payer-held", id="by its payer"
    ),
    pytest.param(
        {**PAID_BY_ACME, "contacts": [{"active": False}]},
        "payer-inactive",
        id="when its payer no longer pays",
    ),
    pytest.param(
        {"products": [{"type": "MEMBERSHIP"}]}, None, id="not by the case of the Type"
    ),
]


def test_held() -> None:
    found = each(HELD, "reason", lambda given: {"patients": [{}], **given})
    assert found == wanted(HELD)


def test_a_held_row_holds_only_what_rests_on_it() -> None:
    given = {
        "products": [{"held": True}, {"code": "SILVER"}],
        "patients": [
            {"patient_id": "P1"},
            {"patient_id": "P2", "membership": "SILVER"},
            {"patient_id": "P3", "membership": "SILVER", "held": True},
        ],
    }
    expected = [("P1", "product-held"), ("P2", None), ("P3", "row")]
    assert made("memberships", "patient_id, reason", given) == expected
