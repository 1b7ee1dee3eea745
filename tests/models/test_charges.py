"""What each item comes to, tax by the line, and what holds it."""

from typing import Any

import pytest

from tests.given import answers, made, wanted

ON_TOP = [
    pytest.param("50.00", "20", ("50.00", "10.00", "60.00"), id="20% of 50.00"),
    pytest.param("50.00", "0", ("50.00", "0.00", "50.00"), id="no tax at 0%"),
    pytest.param("0.13", "20", ("0.13", "0.03", "0.16"), id="0.026 is 0.03"),
    pytest.param("0.12", "20", ("0.12", "0.02", "0.14"), id="0.024 is 0.02"),
    pytest.param("0.50", "5", ("0.50", "0.03", "0.53"), id="half a penny goes up"),
    pytest.param("1.50", "5", ("1.50", "0.08", "1.58"), id="half up, not half to even"),
    pytest.param("2.50", "5", ("2.50", "0.13", "2.63"), id="and up again from an even"),
    pytest.param("0.00", "20", ("0.00", "0.00", "0.00"), id="nothing of nothing"),
    pytest.param(
        "1.00", "12.5", ("1.00", "0.13", "1.13"), id="a rate may have decimals"
    ),
    pytest.param(
        "9999999.99",
        "100",
        ("9999999.99", "9999999.99", "19999999.98"),
        id="the largest price",
    ),
]

INCLUDED = [
    pytest.param("60.00", "20", ("50.00", "10.00", "60.00"), id="a sixth at 20%"),
    pytest.param("49.99", "20", ("41.66", "8.33", "49.99"), id="8.3317 is 8.33"),
    pytest.param("0.03", "20", ("0.02", "0.01", "0.03"), id="half a penny goes up"),
    pytest.param("0.09", "20", ("0.07", "0.02", "0.09"), id="half up from an odd"),
    pytest.param("0.02", "20", ("0.02", "0.00", "0.02"), id="0.0033 is nothing"),
    pytest.param("10.00", "0", ("10.00", "0.00", "10.00"), id="no tax at 0%"),
    pytest.param("10.00", "12.5", ("8.89", "1.11", "10.00"), id="rates with decimals"),
    pytest.param(
        "9999999.99",
        "20",
        ("8333333.32", "1666666.67", "9999999.99"),
        id="the largest price",
    ),
]


Amounts = dict[tuple[str, str], tuple[str, str, str]]


def amounts(cases: list[Any], included: bool) -> Amounts:
    """Net, tax and gross of one month at each case's price and rate, in one night."""
    pairs = [(case.values[0], case.values[1]) for case in cases]
    codes = [f"S{at:02}" for at in range(len(pairs))]
    given = {
        "practice": {"prices_include_tax": included},
        "tax_codes": [
            {"code": f"T{rate}", "name": "Any", "rate": rate}
            for rate in {rate for _, rate in pairs}
        ],
        "products": [
            {"code": code, "monthly_price": price, "tax_code": f"T{rate}"}
            for code, (price, rate) in zip(codes, pairs, strict=True)
        ],
        "patients": [{"patient_id": code, "membership": code} for code in codes],
    }
    found = made("charges", "patient_id, net, tax, gross", given)
    return {pair: row[1:] for pair, row in zip(pairs, found, strict=True)}


@pytest.fixture(scope="module")
def on_top() -> Amounts:
    return amounts(ON_TOP, included=False)


@pytest.fixture(scope="module")
def within() -> Amounts:
    return amounts(INCLUDED, included=True)


@pytest.mark.parametrize(("price", "rate", "expected"), ON_TOP)
def test_tax_on_top(price: str, rate: str, expected: Any, on_top: Amounts) -> None:
    assert on_top[price, rate] == expected


@pytest.mark.parametrize(("price", "rate", "expected"), INCLUDED)
def test_tax_included(price: str, rate: str, expected: Any, within: Amounts) -> None:
    assert within[price, rate] == expected


def test_tax_is_of_the_line_not_of_one_piece() -> None:
    given = {
        "products": [
            {"code": "SWAB", "type": "Test", "price": "0.13", "tax_code": "STD"}
        ],
        "patients": [{"membership": None, "membership_active": False}],
        "invoice_requests": [{"product_code": "SWAB", "quantity": 3}],
    }
    names = "quantity, unit_price, net, tax, gross"
    assert made("charges", names, given) == [(3, "0.13", "0.39", "0.08", "0.47")]


def test_a_last_period_cut_short_is_charged_in_full() -> None:
    given = {"patients": [{"end_date": "2026-01-02"}]}
    assert made("charges", "period_end, gross", given) == [("2026-01-02", "50.00")]


TWO_PRICES = [{"monthly_price": "44.00"}, {"monthly_price": "40.00",
               "valid_from": "2026-02-01"}]  # fmt: skip

HELD = [
    pytest.param({"patients": [{}]}, [(None, "50.00")], id="nothing, if all is well"),
    pytest.param(
        {"patients": [{"held": True}]},
        [("row", "50.00")],
        id="its row, and what it would have come to is known",
    ),
    pytest.param(
        {"products": [{"monthly_price": None, "held": True}], "patients": [{}]},
        [("product-held", None)],
        id="its product, and nobody knows what it comes to",
    ),
    pytest.param(
        {
            "patients": [{"bill_to": "ACME"}],
            "contacts": [{}],
            "contract_prices": [TWO_PRICES[0], {**TWO_PRICES[1], "valid_from": None}],
        },
        [("two-contract-prices", "40.00")],
        id="two contract prices for its day",
    ),
    pytest.param(
        {
            "products": [{"annual_price": None}],
            "patients": [{"membership_active": False}],
            "invoice_requests": [
                {"product_code": "GOLD", "billing_frequency": "Annual"}
            ],
        },
        [("no-price", None)],
        id="no price at all for what is asked",
    ),
]


def test_held_by() -> None:
    assert answers(HELD, "charges", "reason, gross", dict) == wanted(HELD)


def test_one_held_period_holds_all_of_its_membership() -> None:
    given = {
        "as_of": "2026-02-01",
        "patients": [
            {"bill_to": "ACME"},
            {"patient_id": "P2", "bill_to": "ACME", "start_date": "2026-01-31"},
        ],
        "contacts": [{}],
        "contract_prices": TWO_PRICES,
    }
    assert made("charges", "patient_id, period_start, own_reason, reason", given) == [
        ("P1", "2026-01-01", None, "two-contract-prices"),
        ("P1", "2026-02-01", "two-contract-prices", "two-contract-prices"),
        ("P2", "2026-01-31", None, None),
    ]


def test_the_first_of_two_reasons_holds_the_membership() -> None:
    given = {
        "as_of": "2026-02-15",
        "practice": {"catch_up_days": 44},
        "patients": [{"bill_to": "ACME"}],
        "contacts": [{}],
        "contract_prices": TWO_PRICES,
    }
    assert made("charges", "period_start, own_reason, reason", given) == [
        ("2026-01-01", "too-old", "too-old"),
        ("2026-02-01", "two-contract-prices", "too-old"),
    ]


def test_a_held_request_holds_only_itself() -> None:
    given = {
        "patients": [{}],
        "invoice_requests": [{"held": True}, {"request_id": "R2"}],
    }
    assert made("charges", "request_id, reason", given) == [
        ("R1", "row"),
        ("R2", None),
        (None, None),
    ]


def test_a_line_keeps_its_products_words_and_codes() -> None:
    product = {"healthcode_code": "X1", "income_account": "4000", "tax_code": "STD"}
    names = (
        "description, healthcode_code, income_account, tax_code, tax_name, tax_rate,"
        " membership"
    )
    given = {"products": [product], "patients": [{}]}
    expected = ("Gold", "X1", "4000", "STD", "Standard", "20.00", True)
    assert made("charges", names, given) == [expected]


def test_a_request_for_what_is_no_product_is_held_and_not_lost() -> None:
    asked = {"product_code": "NOPE", "held": True}
    given = {"patients": [{}], "invoice_requests": [asked], "as_of": "2026-01-31"}
    found = made("charges", "request_id, product_code, membership, reason", given)
    assert ("R1", "NOPE", False, "row") in found
