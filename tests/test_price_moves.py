"""Each new or changed price is held against the one it takes the place of."""

from decimal import Decimal
from typing import Any

import given

from pipeline.judging.price_moves import moved_prices

OWN = [{"monthly_price": "50.00", "annual_price": None}]


def _contract(day: str | None, price: str, **cells: str) -> dict[str, Any]:
    return {"valid_from": day, "monthly_price": price, **cells}


def _coming(day: str, price: str) -> dict[str, Any]:
    return {"effective_from": day, "monthly_price": price}


FIRST = _contract("2025-01-01", "40.00")


def _moves(before: dict[str, Any], now: dict[str, Any]) -> list[tuple[str, str]]:
    base = {"products": OWN}
    with given.two_nights(base | before, base | now) as books:
        return [
            (str(row["old"]), str(row["amount"]))
            for row in moved_prices(books, Decimal(25))
        ]


def test_a_first_contract_is_held_against_the_standard_price() -> None:
    prices = {
        "DEARER": "62.51", "QUARTER": "62.50", "CHEAP": "20.00", "FREE": "0.00",
        "SLIPPED": "5.00",
    }  # fmt: skip
    contracts = [
        _contract(None, price, contact_code=code) for code, price in prices.items()
    ]
    found = _moves({}, {"contract_prices": contracts})
    assert found == [("50.00", prices["SLIPPED"]), ("50.00", prices["DEARER"])]


def test_a_first_contract_is_held_against_the_price_of_its_day() -> None:
    rise = {"price_changes": [_coming("2026-04-01", "70.00")]}
    dear = [
        _contract("2026-05-01", "80.00", contact_code="AFTER"),
        _contract("2026-03-01", "80.00", contact_code="BEFORE"),
    ]
    found = _moves(rise, rise | {"contract_prices": dear})
    assert found == [("50.00", "80.00")]


def test_a_renewed_contract_is_held_against_the_one_before() -> None:
    prices = {"SAME": "50.00", "DEARER": "50.01", "CHEAPER": "29.99"}
    before = [{**FIRST, "contact_code": code} for code in prices]
    now = [
        *({**row, "valid_to": "2025-12-31"} for row in before),
        *(
            _contract("2026-01-01", price, contact_code=code)
            for code, price in prices.items()
        ),
    ]
    found = _moves({"contract_prices": before}, {"contract_prices": now})
    assert found == [("40.00", "29.99"), ("40.00", "50.01")]


def test_a_contract_under_another_day_is_held_against_its_last_accepted_price() -> None:
    found = _moves(
        {"contract_prices": [FIRST]},
        {"contract_prices": [_contract("2024-01-01", "4.00")]},
    )
    assert found == [("40.00", "4.00")]


def test_a_price_change_under_another_day_is_held_against_the_price_before() -> None:
    found = _moves(
        {"price_changes": [_coming("2026-04-01", "55.00")]},
        {"price_changes": [_coming("2026-03-01", "62.51")]},
    )
    assert found == [("50.00", "62.51")]
