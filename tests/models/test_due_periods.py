"""Which periods are billed tonight: those not billed yet, unless something holds them."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.given import answers, bill, ledger, made, read, wanted, work_out

JANUARY = ("P1", "2026-01-01", "2026-01-31")
FEBRUARY = ("P1", "2026-02-01", "2026-02-28")


def member(given: dict[str, Any]) -> dict[str, Any]:
    """One monthly member since 1 January, on 15 February."""
    return {"as_of": "2026-02-15", "patients": [{}], **given}


def due(given: dict[str, Any], names: str = "period_start, reason") -> list[Any]:
    """What is due of the member."""
    return made("due_periods", names, member(given))


def each(
    cases: list[Any], given: Callable[..., Any], names: str = "period_start, reason"
) -> dict[str, list[Any]]:
    """What is due of the member of each case."""
    return answers(cases, "due_periods", names, lambda *case: member(given(*case)))


SWITCHES = [
    pytest.param({}, ["2026-01-01", "2026-02-01"], id="all unbilled periods are due"),
    pytest.param(
        {"practice": {"auto_invoice": False}}, [], id="nothing while Auto invoice is No"
    ),
    pytest.param(
        {"patients": [{"membership_active": False}]},
        [],
        id="nothing while Membership active is No",
    ),
    pytest.param(
        {"patients": [{"start_date": "2026-02-16"}]}, [], id="nothing before the start"
    ),
]


def test_switches() -> None:
    assert each(SWITCHES, dict, "period_start") == wanted(SWITCHES)


NEVER_TWICE = [
    pytest.param([JANUARY], ["2026-02-01"], id="a billed period is not due again"),
    pytest.param([FEBRUARY], ["2026-01-01"], id="a gap before a billed one is filled"),
    pytest.param([JANUARY, FEBRUARY], [], id="when all is billed nothing is due"),
    pytest.param(
        [("P2", "2026-01-01", "2026-01-31")],
        ["2026-01-01", "2026-02-01"],
        id="another member's period is another period",
    ),
]


def test_never_twice() -> None:
    found = each(NEVER_TWICE, lambda billed: {"billed": billed}, "period_start")
    assert found == wanted(NEVER_TWICE)


def test_another_spelling_of_the_id_is_the_same_membership() -> None:
    given = {"patients": [{"patient_id": "p 1"}], "billed": [JANUARY, FEBRUARY]}
    assert due(given) == []


def test_another_product_on_the_row_is_the_same_membership() -> None:
    given = {
        "products": [{}, {"code": "SILVER"}],
        "patients": [{"membership": "SILVER"}],
        "billed": [JANUARY],
    }
    assert due(given) == [("2026-02-01", None)]


CATCH_UP = [
    pytest.param(
        {"catch_up_days": 45},
        None,
        [("2026-01-01", None), ("2026-02-01", None)],
        id="a period Catch-up days old is billed",
    ),
    pytest.param(
        {"catch_up_days": 44},
        None,
        [("2026-01-01", "too-old"), ("2026-02-01", None)],
        id="a day older it is held",
    ),
    pytest.param(
        {"catch_up_days": 44},
        "2026-01-01",
        [("2026-01-01", None), ("2026-02-01", None)],
        id="a Bill from on the row lets old periods be billed",
    ),
    pytest.param(
        {"catch_up_days": 44},
        "2026-02-01",
        [("2026-02-01", None)],
        id="a later Bill from on the row lets them go",
    ),
    pytest.param(
        {"catch_up_days": 44, "bill_from": "2026-02-01"},
        None,
        [("2026-02-01", None)],
        id="the practice's Bill from lets them go for all",
    ),
    pytest.param(
        {"catch_up_days": 0},
        None,
        [("2026-01-01", "too-old"), ("2026-02-01", "too-old")],
        id="with no Catch-up days only today's start is billed",
    ),
]


def test_catch_up() -> None:
    def from_day(practice: dict[str, Any], bill_from: str | None) -> dict[str, Any]:
        return {"practice": practice, "patients": [{"bill_from": bill_from}]}

    assert each(CATCH_UP, from_day) == wanted(CATCH_UP)


def test_a_night_for_an_earlier_day_makes_no_period_young_again() -> None:
    given = {"practice": {"catch_up_days": 44}, "as_of": "2026-02-02"}
    assert due({**given, "nights": ["2026-01-02", "2026-02-01"]}) == [
        ("2026-01-01", None), ("2026-02-01", None),
    ]  # fmt: skip
    assert due({**given, "nights": ["2026-01-02", "2026-02-15"]}) == [
        ("2026-01-01", "too-old"), ("2026-02-01", None),
    ]  # fmt: skip


def test_what_was_freed_is_never_too_old_for_its_own_member() -> None:
    given = {
        "practice": {"catch_up_days": 44},
        "patients": [{}, {"patient_id": "P2"}],
        "billed": [JANUARY, FEBRUARY, ("P2", "2026-02-01", "2026-02-28")],
        "freed": [("P1", "2026-01-01", 1)],
    }
    assert due(given, "patient_id, period_start, reason") == [
        ("P1", "2026-01-01", None), ("P2", "2026-01-01", "too-old"),
    ]  # fmt: skip


def test_what_was_freed_makes_no_other_period_of_its_member_young() -> None:
    given = {
        "practice": {"catch_up_days": 13},
        "billed": [FEBRUARY],
        "freed": [("P1", "2026-02-01", 1)],
    }
    assert due(given) == [("2026-01-01", "too-old"), ("2026-02-01", None)]


# January was freed; nothing younger than Catch-up days begins before it.
BESIDE_FREED = [
    pytest.param("2025-12-20", "2026-01-19", None, id="some of its days"),
    pytest.param("2025-12-02", "2026-01-01", None, id="its first day alone"),
    pytest.param(
        "2025-12-01", "2025-12-31", "too-old", id="none: up to the day before"
    ),
    pytest.param("2026-01-31", "2026-02-27", None, id="its last day alone"),
    pytest.param(
        "2026-02-01", "2026-02-28", "too-old", id="none: from the day after on"
    ),
]


def test_what_has_days_of_a_freed_period_is_never_too_old() -> None:
    def given(start: str, end: str) -> dict[str, Any]:
        return {
            "practice": {"catch_up_days": 13, "bill_from": date(2025, 12, 1)},
            "patients": [{"start_date": start, "end_date": end}],
            "billed": [JANUARY],
            "freed": [("P1", "2026-01-01", 1)],
        }

    assert each(BESIDE_FREED, given, "reason") == wanted(BESIDE_FREED)


def test_a_billed_period_is_never_too_old() -> None:
    given = {"practice": {"catch_up_days": 44}, "billed": [JANUARY]}
    assert due(given) == [("2026-02-01", None)]


OVERLAPS = [
    pytest.param(
        {"start_date": "2026-01-10"},
        [
            ("2026-01-10", "overlaps-billed", "2026-01-31"),
            ("2026-02-10", None, None),
        ],
        id="a start moved into a billed period is held until that ends",
    ),
    pytest.param(
        {"start_date": "2025-12-20", "bill_from": "2025-12-01"},
        [
            ("2025-12-20", "overlaps-billed", "2026-01-31"),
            ("2026-01-20", "overlaps-billed", "2026-01-31"),
        ],
        id="a start moved to before a billed period is held",
    ),
    pytest.param(
        {"start_date": "2026-02-01"},
        [("2026-02-01", None, None)],
        id="a start moved to the day after a billed period is billed",
    ),
    pytest.param(
        {"start_date": "2026-01-31"},
        [("2026-01-31", "overlaps-billed", "2026-01-31")],
        id="one shared day is an overlap",
    ),
    pytest.param(
        {"start_date": "2025-12-31", "end_date": "2025-12-31", "bill_from": "2025-12-01"},
        [("2025-12-31", None, None)],
        id="a period cut short before a billed one does not overlap it",
    ),
    pytest.param(
        {"start_date": "2025-12-20", "end_date": "2026-01-01", "bill_from": "2025-12-01"},
        [("2025-12-20", "overlaps-billed", "2026-01-31")],
        id="one shared day at its end is an overlap, too",
    ),
    pytest.param(
        {"start_date": "2025-02-01", "billing_frequency": "Annual",
         "bill_from": "2025-01-01"},
        [
            ("2025-02-01", "overlaps-billed", "2026-01-31"),
            ("2026-02-01", None, None),
        ],
        id="a change to Annual over a billed month is held",
    ),
]  # fmt: skip


def test_overlap() -> None:
    def moved(patient: dict[str, Any]) -> dict[str, Any]:
        return {"patients": [patient], "billed": [JANUARY]}

    found = each(OVERLAPS, moved, "period_start, reason, billed_until")
    assert found == wanted(OVERLAPS)


def test_what_overlaps_several_billed_periods_is_told_the_last_billed_day() -> None:
    february = ("P1", "2026-02-01", "2026-02-28")
    yearly = {"start_date": "2026-01-10", "billing_frequency": "Annual"}
    given = {"patients": [yearly], "billed": [JANUARY, february]}
    assert due(given, "reason, billed_until") == [("overlaps-billed", "2026-02-28")]


HELD_UP = [("2026-01-01", "overlaps-billed", "2026-01-31")]
LONG_AGO = {"start_date": "2025-01-01", "bill_from": "2026-01-01"}

SWITCHED = [
    pytest.param(
        {}, {"billing_frequency": "Annual"}, HELD_UP,
        id="by the year from a day that is billed by the month is held",
    ),
    pytest.param(
        {}, {"billing_frequency": "Annual"}, HELD_UP,
        id="and so is another member's, each once",
    ),
    pytest.param(
        {"billing_frequency": "Annual"}, {}, [],
        id="by the month is billed already in the first month",
    ),
    pytest.param(
        {"billing_frequency": "Annual"}, {"billing_frequency": "Annual"}, [],
        id="what was not changed is billed already",
    ),
    # With a year before it that is due, each of its periods is looked at.
    pytest.param(
        LONG_AGO,
        {**LONG_AGO, "bill_from": "2025-01-01", "billing_frequency": "Annual",
         "end_date": "2026-01-31"},
        [("2025-01-01", None, None)],
        id="by the year to the day that is billed is billed already",
    ),
    pytest.param(
        {"end_date": "2026-01-15"}, {}, [],
        id="an End date taken back is no change of frequency",
    ),
]  # fmt: skip


def test_a_change_of_frequency_from_the_same_day() -> None:
    billed, now = (
        [{"patient_id": case.id, **case.values[at]} for case in SWITCHED]
        for at in (0, 1)
    )
    # None of them is too old here.
    practice = {"practice": {"catch_up_days": 400}}
    with ledger() as books:
        bill(books, {"patients": billed, **practice})
        work_out(books, {"patients": now, **practice})
        names = "patient_id, period_start, reason, billed_until"
        due_now = read(books, "model.due_periods", names)
    found = {
        case.id: [row[1:] for row in due_now if row[0] == case.id] for case in SWITCHED
    }
    assert found == wanted(SWITCHED)


REASONS = [
    pytest.param({"patients": [{"held": True}]}, "row", id="its row"),
    pytest.param(
        {"patients": [{"held": True, "membership_active": None}]},
        "row",
        id="its row, active unless it says No",
    ),
    pytest.param({"products": [{"held": True}]}, "product-held", id="its product"),
    pytest.param(
        {"products": [{"held": True}], "practice": {"catch_up_days": 0}},
        "product-held",
        id="what it rests on before its age",
    ),
]


def test_every_due_period_of_a_held_member_is_held_by() -> None:
    starts = ["2026-01-01", "2026-02-01"]
    assert each(REASONS, dict) == {
        why: [(start, reason) for start in starts]
        for why, [reason] in wanted(REASONS).items()
    }


def test_a_held_row_that_says_inactive_has_nothing_due() -> None:
    assert due({"patients": [{"held": True, "membership_active": False}]}) == []
