"""Which memberships need no closer look: those billed to the day, and no others."""

from typing import Any

import pytest

from tests.given import answers, wanted

JANUARY = ("P1", "2026-01-01", "2026-01-31")
FEBRUARY = ("P1", "2026-02-01", "2026-02-28")
MARCH = ("P1", "2026-03-01", "2026-03-31")

CASES = [
    pytest.param([JANUARY, FEBRUARY], {}, [2], id="all that counts is billed"),
    pytest.param([], {}, [], id="nothing is billed"),
    pytest.param([JANUARY], {}, [], id="the last is not"),
    pytest.param([FEBRUARY], {}, [], id="the first is not"),
    pytest.param([JANUARY, FEBRUARY, MARCH], {}, [], id="one ahead is billed too"),
    pytest.param(
        [JANUARY, ("P1", "2026-02-01", "2026-02-27")], {}, [], id="one ends earlier"
    ),
    pytest.param(
        [JANUARY, ("P1", "2026-02-02", "2026-02-28")], {}, [], id="one starts later"
    ),
    pytest.param(
        [JANUARY, ("P2", "2026-02-01", "2026-02-28")], {}, [], id="one is another's"
    ),
    pytest.param(
        [JANUARY, FEBRUARY], {"start_date": "2026-01-02"}, [], id="the start was moved"
    ),
    pytest.param(
        [JANUARY, FEBRUARY], {"end_date": "2026-02-20"}, [], id="the end was set within"
    ),
    pytest.param(
        [JANUARY, ("P1", "2026-02-01", "2026-02-20")], {"end_date": "2026-02-20"}, [2],
        id="the last was cut short, and billed so",
    ),
    pytest.param(
        [JANUARY, FEBRUARY], {"bill_from": "2026-02-01"}, [1],
        id="what is before Bill from does not matter",
    ),
    pytest.param(
        [("P1", "2026-01-01", "2026-12-31")], {"billing_frequency": "Annual"}, [1],
        id="by the year",
    ),
    pytest.param(
        [JANUARY, FEBRUARY], {"billing_frequency": "Annual"}, [],
        id="by the month, now by the year",
    ),
]  # fmt: skip


def test_settled() -> None:
    def billed_so_far(billed: list[Any], row: dict[str, str]) -> dict[str, Any]:
        return {"as_of": "2026-02-15", "patients": [row], "billed": billed}

    assert answers(CASES, "settled", "periods", billed_so_far) == wanted(CASES)
