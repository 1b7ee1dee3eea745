"""Two contract prices that answer for one day are an error, never a choice."""

from typing import Any

import pytest

from tests.given import answers, made, side_by_side, wanted

FIRST = {"monthly_price": "44.00", "valid_to": "2026-06-30"}

CASES = [
    pytest.param(
        {"monthly_price": "40.00", "valid_from": "2026-06-30"},
        [(2, 3), (3, 2)],
        id="one shared day is a conflict, told at both rows",
    ),
    pytest.param(
        {"monthly_price": "40.00", "valid_from": "2026-07-01"},
        [],
        id="the day after the other ends is none",
    ),
    pytest.param(
        {
            "monthly_price": "40.00",
            "valid_from": "2025-01-01",
            "valid_to": "2025-12-31",
        },
        [(2, 3), (3, 2)],
        id="a blank Valid from reaches back for ever",
    ),
    pytest.param(
        {"annual_price": "400.00", "valid_from": "2026-01-01"},
        [],
        id="a month's price and a year's do not compete",
    ),
    pytest.param(
        {"price": "40.00", "valid_from": "2026-01-01"},
        [],
        id="nor a month's price and that of a service",
    ),
    pytest.param(
        {"monthly_price": "40.00", "valid_from": "2026-01-01", "contact_code": "ZETA"},
        [],
        id="nor do those of two contacts",
    ),
    pytest.param(
        {
            "monthly_price": "40.00",
            "valid_from": "2026-01-01",
            "product_code": "SILVER",
        },
        [],
        id="nor those of two products",
    ),
    pytest.param(
        {"monthly_price": "40.00", "valid_from": "2026-01-01", "held": True},
        [],
        id="a held row answers for no day",
    ),
]


def test_price_conflicts() -> None:
    def both(second: dict[str, Any]) -> dict[str, Any]:
        return {"contract_prices": [FIRST, second]}

    found = answers(CASES, "price_conflicts", "row_number, other_row", both)
    assert found == wanted(CASES)


def test_of_three_that_compete_each_names_the_first_of_the_others() -> None:
    prices = [{**FIRST, "row_key": key} for key in ("a", "b", "c")]
    given = {"patients": [], "contacts": [{}], "contract_prices": prices}
    found = made("price_conflicts", "row_number, other_row", given)
    assert found == [(2, 3), (3, 2), (4, 2)]


def test_a_conflict_names_the_contact_and_the_product() -> None:
    second = {"monthly_price": "40.00", "valid_from": "2026-06-30"}
    given = {"contract_prices": [FIRST, second]}
    found = made("price_conflicts", "subject", given)
    assert found == ["ACME GOLD"] * 2


def test_two_of_a_kind_compete() -> None:
    days = ("2026-01-01", "2026-02-01")
    practices = [
        {"contract_prices": [{kind: "44.00", "valid_from": day} for day in days]}
        for kind in ("monthly_price", "annual_price", "price")
    ]
    found = side_by_side("price_conflicts", "row_number, other_row", practices)
    assert found == [[(2, 3), (3, 2)]] * 3
