"""Which price counts on a period's start day, and the row it came from."""

from typing import Any

import pytest

from tests.given import answers, made, wanted

ACME = {"bill_to": "ACME"}
CONTRACT = {"monthly_price": "44.00", "annual_price": "440.00"}
CHANGE = {"effective_from": "2026-01-01", "monthly_price": "52.00"}


def sheets_of(patient: dict[str, Any], sheets: dict[str, Any]) -> dict[str, Any]:
    """A member who pays for the period from 1 January."""
    return {"patients": [patient], "contacts": [{}], **sheets}


def prices(patient: dict[str, Any], names: str, **sheets: Any) -> list[Any]:
    """What a member pays for the period from 1 January."""
    return made("prices", names, sheets_of(patient, sheets))


WINS = [
    pytest.param({}, {}, "50.00", id="the product's own price, if no other answers"),
    pytest.param(
        {"billing_frequency": "Annual"},
        {},
        "500.00",
        id="a year has a price of its own",
    ),
    pytest.param(
        {}, {"price_changes": [CHANGE]}, "52.00", id="a price change before the product"
    ),
    pytest.param(
        ACME,
        {"price_changes": [CHANGE], "contract_prices": [CONTRACT]},
        "44.00",
        id="the payer's contract price before a price change",
    ),
    pytest.param(
        {**ACME, "billing_frequency": "Annual"},
        {"contract_prices": [CONTRACT]},
        "440.00",
        id="a contract's year has a price of its own",
    ),
    pytest.param(
        {},
        {"contract_prices": [CONTRACT]},
        "50.00",
        id="a contract is for its payer only",
    ),
    pytest.param(
        ACME,
        {"contract_prices": [{**CONTRACT, "product_code": "SILVER"}]},
        "50.00",
        id="and for its product only",
    ),
    pytest.param(
        {**ACME, "billing_frequency": "Annual"},
        {"contract_prices": [{"monthly_price": "44.00"}]},
        "500.00",
        id="a contract that names no price of a year leaves the year as it was",
    ),
    pytest.param(
        ACME,
        {"contract_prices": [{"monthly_price": "0.00"}]},
        "0.00",
        id="a contract may be for nothing",
    ),
    pytest.param(
        ACME,
        {"contract_prices": [{**CONTRACT, "held": True}]},
        "50.00",
        id="a held contract price does not count",
    ),
]


def test_which_price() -> None:
    assert answers(WINS, "prices", "unit_price", sheets_of) == wanted(WINS)


LIMITS = [
    pytest.param({"valid_from": "2026-01-01"}, "44.00", id="from Valid from on"),
    pytest.param({"valid_from": "2026-01-02"}, "50.00", id="not the day before"),
    pytest.param({"valid_to": "2026-01-01"}, "44.00", id="to Valid to inclusive"),
    pytest.param({"valid_to": "2025-12-31"}, "50.00", id="not the day after"),
    pytest.param({}, "44.00", id="always when both are blank"),
]


def test_a_contract_price_answers() -> None:
    def contract(dates: dict[str, str]) -> dict[str, Any]:
        return sheets_of(ACME, {"contract_prices": [{**CONTRACT, **dates}]})

    assert answers(LIMITS, "prices", "unit_price", contract) == wanted(LIMITS)


CHANGES = [
    pytest.param(
        [{"effective_from": "2026-01-02", "monthly_price": "52.00"}],
        "50.00",
        id="a coming one does not count yet",
    ),
    pytest.param(
        [
            {"effective_from": "2026-01-01", "monthly_price": "52.00"},
            {"effective_from": "2025-06-01", "monthly_price": "51.00"},
            {"effective_from": "2026-02-01", "monthly_price": "53.00"},
        ],
        "52.00",
        id="the latest that has begun counts, whatever the order of rows",
    ),
    pytest.param(
        [
            {"effective_from": "2025-06-01", "monthly_price": "51.00"},
            {"effective_from": "2026-01-01", "annual_price": "520.00"},
        ],
        "51.00",
        id="one of the year's price leaves the month's as it was",
    ),
    pytest.param(
        [{"effective_from": "2025-06-01", "product_code": "SILVER",
          "monthly_price": "51.00"}],
        "50.00",
        id="another product's does not count",
    ),
]  # fmt: skip


def test_of_price_changes() -> None:
    def changed(changes: list[dict[str, str]]) -> dict[str, Any]:
        return sheets_of({}, {"price_changes": changes})

    assert answers(CHANGES, "prices", "unit_price", changed) == wanted(CHANGES)


def test_each_period_costs_the_price_of_its_own_start_day() -> None:
    given = {
        "as_of": "2026-03-01",
        "patients": [{}],
        "price_changes": [{"effective_from": "2026-02-01", "monthly_price": "52.00"}],
    }
    assert made("prices", "period_start, unit_price", given) == [
        ("2026-01-01", "50.00"),
        ("2026-02-01", "52.00"),
        ("2026-03-01", "52.00"),
    ]


def test_what_is_no_product_has_no_price_and_is_not_lost() -> None:
    assert prices({}, "product_code, unit_price", products=[]) == [("GOLD", None)]


def test_of_two_contract_prices_for_one_day_the_lower_stands_for_what_is_held() -> None:
    higher = {"valid_from": "2025-01-01", "monthly_price": "45.00"}
    contracts = [CONTRACT, {**CONTRACT, **higher}]
    found = prices(ACME, "answers, unit_price", contract_prices=contracts)
    assert found == [(2, "44.00")]


SOURCES = [
    pytest.param(
        {"patients": [{}]}, "product price: Products row 2 (GOLD)", id="the product"
    ),
    pytest.param(
        {"patients": [{}], "products": [{"row_number": None}]},
        "product price: Products as accepted earlier (GOLD)",
        id="the product as accepted on an earlier night",
    ),
    pytest.param(
        {"patients": [{}], "price_changes": [CHANGE]},
        "price change: Price changes row 2 (GOLD, from 2026-01-01)",
        id="the price change and its day",
    ),
    pytest.param(
        {"patients": [ACME], "contract_prices": [CONTRACT]},
        "contract price: Contract prices row 2 (ACME, GOLD)",
        id="the contract price",
    ),
    pytest.param(
        {
            "patients": [ACME],
            "contract_prices": [{**CONTRACT, "valid_from": "2026-01-01"}],
        },
        "contract price: Contract prices row 2 (ACME, GOLD, from 2026-01-01)",
        id="the contract price and its day",
    ),
]


def test_the_line_says_its_price_came_from() -> None:
    assert answers(SOURCES, "prices", "price_source", dict) == wanted(SOURCES)


REQUESTS = [
    pytest.param({}, {}, "85.00", id="the product's Price"),
    pytest.param(
        {},
        {"price_changes": [{"product_code": "CONSULT", "effective_from": "2026-01-11",
                            "price": "90.00"}]},
        "85.00",
        id="that of the day it was asked for",
    ),
    pytest.param(
        ACME,
        {"contract_prices": [{"product_code": "CONSULT", "price": "70.00"}]},
        "70.00",
        id="its payer's contract price",
    ),
    pytest.param(
        {"product_code": "GOLD", "billing_frequency": "Annual"},
        {},
        "500.00",
        id="a membership's price of the frequency asked for",
    ),
]  # fmt: skip


def test_a_request_costs() -> None:
    def asked(request: dict[str, str], sheets: dict[str, Any]) -> dict[str, Any]:
        left = {"membership_active": False}
        return sheets_of(left, {"invoice_requests": [request], **sheets})

    assert answers(REQUESTS, "prices", "unit_price", asked) == wanted(REQUESTS)


MIGHT_ANSWER = [
    pytest.param(
        ACME,
        {"contract_prices": [{**CONTRACT, "held": True}]},
        "contract-price-held",
        id="a contract price of the payer and product",
    ),
    pytest.param(
        ACME,
        {
            "contract_prices": [{**CONTRACT, "contact_code": "ZETA", "held": True}],
            "contacts": [{}, {"code": "ZETA"}],
        },
        None,
        id="not another payer's",
    ),
    *(
        pytest.param(
            whose,
            {"contract_prices": [{**CONTRACT, **code, "held": True}]},
            "contract-price-held" if whose else None,
            id=f"of {code} the known half tells whom it concerns{'' if whose else ' not'}",
        )
        for whose in (ACME, {})
        for code in (
            {"product_code": "SLIVER"},
            {"product_code": None},
            {"contact_code": "ACNE"},
            {"contact_code": None},
        )
    ),
    pytest.param(
        ACME,
        {
            "contract_prices": [
                {"contact_code": "ZETA", "product_code": "SLIVER", "held": True}
            ]
        },
        None,
        id="not one of which neither half is known",
    ),
    pytest.param(
        ACME,
        {
            "contract_prices": [
                {
                    **CONTRACT,
                    "product_code": "SLIVER",
                    "held": True,
                    "valid_to": "2025-12-31",
                }
            ]
        },
        None,
        id="nor one of another time whose product is not there",
    ),
    pytest.param(
        ACME,
        {"price_changes": [{**CHANGE, "product_code": "SLIVER", "held": True}]},
        None,
        id="of a price change whose product is not there nothing is known",
    ),
    pytest.param(
        ACME,
        {
            "contract_prices": [
                {**CONTRACT, "held": True, "valid_from": "2026-01-02"},
            ]
        },
        None,
        id="not one that begins later",
    ),
    pytest.param(
        ACME,
        {"contract_prices": [{**CONTRACT, "held": True, "valid_to": "2025-12-31"}]},
        None,
        id="nor one that ended before",
    ),
    pytest.param(
        ACME,
        {"contract_prices": [{**CONTRACT, "held": True, "valid_to": "2026-03-31"}]},
        "contract-price-held",
        id="but one that ends later",
    ),
    pytest.param(
        {},
        {"price_changes": [{**CHANGE, "held": True}]},
        "price-change-held",
        id="a price change of the product",
    ),
    pytest.param(
        {},
        {"price_changes": [{**CHANGE, "held": True, "effective_from": "2026-04-01"}]},
        None,
        id="not one of a later day, which harms nobody yet",
    ),
    pytest.param(
        {},
        {"price_changes": [{**CHANGE, "held": True, "effective_from": None}]},
        "price-change-held",
        id="one whose day cannot be read, which might be any",
    ),
    pytest.param(
        {},
        {"price_changes": [{**CHANGE, "held": True, "product_code": "SILVER"}]},
        None,
        id="not another product's",
    ),
    pytest.param(
        ACME,
        {
            "contract_prices": [CONTRACT],
            "price_changes": [{**CHANGE, "held": True}],
        },
        None,
        id="not a price change behind a contract price",
    ),
]


def test_a_row_with_a_problem_holds_the_days_it_might_answer_for() -> None:
    found = answers(MIGHT_ANSWER, "prices", "held_price", sheets_of)
    assert found == wanted(MIGHT_ANSWER)


COME_LATER = [
    pytest.param(
        {"effective_from": "2026-01-01", "monthly_price": "53.00"},
        None,
        id="a change of a later day answers in its place",
    ),
    pytest.param(
        {"effective_from": "2026-01-01", "annual_price": "530.00"},
        "price-change-held",
        id="not one of a year, of which it says nothing",
    ),
    pytest.param(
        {"effective_from": "2025-05-31", "monthly_price": "53.00"},
        "price-change-held",
        id="nor one of an earlier day",
    ),
    pytest.param(
        {"effective_from": "2025-06-01", "monthly_price": "53.00"},
        "price-change-held",
        id="nor one of its own day",
    ),
    pytest.param(
        {"effective_from": "2026-01-02", "monthly_price": "53.00"},
        "price-change-held",
        id="nor one that has not begun",
    ),
]


def test_a_price_change_with_a_problem_holds_until_another_takes_its_place() -> None:
    bad = {"effective_from": "2025-06-01", "monthly_price": "52.00", "held": True}

    def followed(good: dict[str, str]) -> dict[str, Any]:
        return sheets_of({}, {"price_changes": [bad, good]})

    assert answers(COME_LATER, "prices", "held_price", followed) == wanted(COME_LATER)


def test_a_price_change_of_a_day_nobody_can_read_may_come_after_all_others() -> None:
    bad = {**CHANGE, "effective_from": None, "held": True}
    held = prices({}, "held_price", price_changes=[bad, CHANGE])
    assert held == ["price-change-held"]


# The prices that stand in a row with a problem, those of them nobody can read, and who
# is held for it: of a month, of a year.
FOR_WHOM = [
    pytest.param(["monthly_price"], [], (True, False), id="a month's price alone"),
    pytest.param(["annual_price"], [], (False, True), id="a year's price alone"),
    pytest.param(["monthly_price", "annual_price"], [], (True, True), id="both"),
    pytest.param(
        [], ["monthly_price"], (True, False), id="a month's that cannot be read"
    ),
    pytest.param(
        [], ["annual_price"], (False, True), id="a year's that cannot be read"
    ),
    pytest.param(
        ["monthly_price"],
        ["annual_price"],
        (True, True),
        id="a month's, and a year's that cannot be read",
    ),
    pytest.param(
        ["annual_price"],
        ["monthly_price"],
        (True, True),
        id="a year's, and a month's that cannot be read",
    ),
    pytest.param([], [], (True, True), id="none, so that it might get any"),
    pytest.param(["price"], [], (True, True), id="none that a membership has"),
    pytest.param([], ["price"], (True, True), id="nor one that cannot be read"),
    pytest.param(
        [],
        ["price", "monthly_price"],
        (True, False),
        id="beside it a month's that cannot be read",
    ),
    pytest.param(
        [],
        ["annual_price", "price"],
        (False, True),
        id="beside it a year's that cannot be read",
    ),
]


@pytest.mark.parametrize("sheet", ["contract_prices", "price_changes"])
def test_a_row_with_a_problem_holds_whom_it_might_concern(sheet: str) -> None:
    names = "patient_id, held_price is not null as held"
    found = answers(FOR_WHOM, "prices", names, lambda *prices: _problem(sheet, *prices))
    assert found == {
        why: [("P1", month), ("P2", year)]
        for why, [(month, year)] in wanted(FOR_WHOM).items()
    }


def _problem(sheet: str, filled: list[str], unread: list[str]) -> dict[str, Any]:
    """A member by the month and one by the year, and a price row with a problem."""
    bad = {"held": True, **dict.fromkeys(filled, "40.00")}
    # What cannot be read in a row of the other sheet, or in another row, is not its own.
    other = {"contract_prices": "price_changes", "price_changes": "contract_prices"}
    cells = [(sheet, 2, name) for name in unread]
    cells += [
        at for name in ("monthly_price", "annual_price")
        for at in ((other[sheet], 2, name), (sheet, 3, name))
    ]  # fmt: skip
    return {
        "patients": [
            {"patient_id": "P1", "bill_to": "ACME"},
            {"patient_id": "P2", "bill_to": "ACME", "billing_frequency": "Annual"},
        ],
        "contacts": [{}],
        sheet: [bad],
        "unreadable_prices": [
            {"table_name": table, "row_number": row, "column_name": name}
            for table, row, name in cells
        ],
    }


def test_a_service_is_held_by_any_row_of_it_with_a_problem() -> None:
    given = {
        "patients": [{"membership_active": False}],
        "price_changes": [
            {"product_code": "CONSULT", "monthly_price": "70.00", "held": True}
        ],
        "invoice_requests": [{}],
    }
    assert made("prices", "held_price", given) == ["price-change-held"]
