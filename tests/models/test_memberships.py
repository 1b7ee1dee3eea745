"""The roster: what each membership costs by, and what keeps it from being billed."""

from typing import Any

import pytest

from tests.given import made

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


@pytest.mark.parametrize(("patient", "expected"), ROSTER)
def test_roster(patient: dict[str, Any], expected: list[tuple[Any, ...]]) -> None:
    names = "patient_id, product_code, frequency, active"
    assert made("memberships", names, {"patients": [patient]}) == expected


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


@pytest.mark.parametrize(("product", "frequency", "expected"), FREQUENCIES)
def test_frequency(product: Any, frequency: Any, expected: tuple[Any, ...]) -> None:
    given = {"products": [product], "patients": [{"billing_frequency": frequency}]}
    assert made("memberships", "frequency, step_months, reason", given) == [expected]


BILL_FROM = [
    pytest.param(None, ("2026-01-01", False), id="the practice's counts when blank"),
    pytest.param("2026-02-01", ("2026-02-01", True), id="the patient's may be later"),
    pytest.param("2025-06-01", ("2025-06-01", True), id="the patient's may be earlier"),
]


@pytest.mark.parametrize(("own", "expected"), BILL_FROM)
def test_bill_from(own: str | None, expected: tuple[str, bool]) -> None:
    given = {"patients": [{"bill_from": own}], "practice": {"bill_from": "2026-01-01"}}
    assert made("memberships", "bill_from, has_own_bill_from", given) == [expected]


PAYERS = [
    pytest.param(None, True, (None, False), id="without Bill to the patient pays"),
    pytest.param("ACME", None, ("ACME", False), id="blank Combine invoices means No"),
    pytest.param("ACME", True, ("ACME", True), id="a contact may want one invoice"),
]


@pytest.mark.parametrize(("bill_to", "combine", "expected"), PAYERS)
def test_payer(bill_to: Any, combine: Any, expected: tuple[Any, ...]) -> None:
    given = {
        "patients": [{"bill_to": bill_to}],
        "contacts": [{"code": "ACME", "combine_invoices": combine}],
    }
    assert made("memberships", "payer_code, combined", given) == [expected]


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


@pytest.mark.parametrize(("given", "expected"), HELD)
def test_held(given: dict[str, Any], expected: str | None) -> None:
    assert made("memberships", "reason", {"patients": [{}], **given}) == [expected]


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
