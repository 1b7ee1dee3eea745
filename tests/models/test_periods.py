"""Which periods a membership has, and which of them count by their dates."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.given import answers, made, wanted

MONTHS = [
    pytest.param(
        {"start_date": "2026-01-31"},
        "2026-05-31",
        [
            ("2026-01-31", "2026-02-27"),
            ("2026-02-28", "2026-03-30"),
            ("2026-03-31", "2026-04-29"),
            ("2026-04-30", "2026-05-30"),
            ("2026-05-31", "2026-06-29"),
        ],
        id="month ends do not drift",
    ),
    pytest.param(
        {"start_date": "2026-01-30"},
        "2026-03-30",
        [
            ("2026-01-30", "2026-02-27"),
            ("2026-02-28", "2026-03-29"),
            ("2026-03-30", "2026-04-29"),
        ],
        id="a day that February lacks becomes its last",
    ),
    pytest.param(
        {"start_date": "2026-01-15"},
        "2026-03-14",
        [("2026-01-15", "2026-02-14"), ("2026-02-15", "2026-03-14")],
        id="a period ends the day before the next one starts",
    ),
    pytest.param(
        {"start_date": "2026-02-28"},
        "2026-03-31",
        [("2026-02-28", "2026-03-27"), ("2026-03-28", "2026-04-27")],
        id="a start on the last of February is the 28th of other months",
    ),
]

YEARS = [
    pytest.param(
        {"start_date": "2020-02-29", "billing_frequency": "Annual"},
        "2026-10-31",
        [
            ("2020-02-29", "2021-02-27"),
            ("2021-02-28", "2022-02-27"),
            ("2022-02-28", "2023-02-27"),
            ("2023-02-28", "2024-02-28"),
            ("2024-02-29", "2025-02-27"),
            ("2025-02-28", "2026-02-27"),
            ("2026-02-28", "2027-02-27"),
        ],
        id="a year from 29 February comes back to it in leap years",
    ),
    pytest.param(
        {"start_date": "2025-03-01", "billing_frequency": "Annual"},
        "2026-03-01",
        [("2025-03-01", "2026-02-28"), ("2026-03-01", "2027-02-28")],
        id="a year ends the day before its anniversary",
    ),
]

DUE = [
    pytest.param(
        {"start_date": "2026-01-31"},
        "2026-01-31",
        [("2026-01-31", "2026-02-27")],
        id="a period counts from the day it starts",
    ),
    pytest.param(
        {"start_date": "2026-01-31"}, "2026-01-30", [], id="and not the day before"
    ),
    pytest.param({"start_date": None}, "2026-01-31", [], id="no start date, no period"),
    pytest.param(
        {"start_date": "2126-01-31"}, "2026-01-31", [], id="a far start counts nothing"
    ),
    pytest.param(
        {"start_date": "1926-01-31", "bill_from": "2026-02-28"},
        "2026-02-28",
        [("2026-02-28", "2026-03-30")],
        id="a century of membership does not drift either",
    ),
    pytest.param(
        {
            "start_date": "2020-03-10",
            "billing_frequency": "Annual",
            "bill_from": "2026-03-10",
        },
        "2026-03-10",
        [("2026-03-10", "2027-03-09")],
        id="nor is a year passed over between a start of long ago and Bill from",
    ),
]

END_DATES = [
    pytest.param(
        "2026-02-10",
        [("2026-01-15", "2026-02-10")],
        id="the End date is the end of a last period cut short",
    ),
    pytest.param(
        "2026-02-14",
        [("2026-01-15", "2026-02-14")],
        id="an End date on a period's own end changes nothing",
    ),
    pytest.param(
        "2026-02-15",
        [("2026-01-15", "2026-02-14"), ("2026-02-15", "2026-02-15")],
        id="a period that starts on the End date counts",
    ),
    pytest.param(
        "2026-01-15", [("2026-01-15", "2026-01-15")], id="a membership may last one day"
    ),
    pytest.param(
        "2026-12-31",
        [("2026-01-15", "2026-02-14"), ("2026-02-15", "2026-03-14")],
        id="an End date far ahead cuts nothing",
    ),
]

BILL_FROM = [
    pytest.param(
        "2026-02-28",
        None,
        [("2026-02-28", "2026-03-30"), ("2026-03-31", "2026-04-29")],
        id="a period that starts on Bill from counts",
    ),
    pytest.param(
        "2026-03-01",
        None,
        [("2026-03-31", "2026-04-29")],
        id="Bill from never moves the calendar",
    ),
    pytest.param(
        "2026-03-01",
        "2026-02-01",
        [("2026-02-28", "2026-03-30"), ("2026-03-31", "2026-04-29")],
        id="a patient's earlier Bill from goes before the practice's",
    ),
    pytest.param(
        "2026-01-01",
        "2026-03-01",
        [("2026-03-31", "2026-04-29")],
        id="a patient's later Bill from goes before the practice's",
    ),
    pytest.param("2026-04-01", None, [], id="nothing before a Bill from ahead counts"),
]


def on(as_of: str, bill_from: str, patient: dict[str, Any]) -> dict[str, Any]:
    """A patient of a practice on a day."""
    practice = {"bill_from": bill_from}
    return {"patients": [patient], "as_of": as_of, "practice": practice}


def each(cases: list[Any], given: Callable[..., Any]) -> dict[str, list[Any]]:
    """Start and end of the periods of each case's patient."""
    return answers(cases, "periods", "period_start, period_end", given)


def test_calendar() -> None:
    cases = [*MONTHS, *YEARS, *DUE]
    found = each(cases, lambda patient, as_of: on(as_of, "2020-01-01", patient))
    assert found == wanted(cases)


def test_end_date() -> None:
    def until(end_date: str) -> dict[str, Any]:
        patient = {"start_date": "2026-01-15", "end_date": end_date}
        return on("2026-03-01", "2026-01-01", patient)

    assert each(END_DATES, until) == wanted(END_DATES)


def test_bill_from() -> None:
    def since(practice: str, own: str | None) -> dict[str, Any]:
        patient = {"start_date": "2026-01-31", "bill_from": own}
        return on("2026-03-31", practice, patient)

    assert each(BILL_FROM, since) == wanted(BILL_FROM)


def test_each_membership_has_the_periods_of_its_own_calendar() -> None:
    plain = {"start_date": "2026-01-05"}
    patients = [
        plain,
        {**plain, "start_date": "2026-01-20"},
        {**plain, "billing_frequency": "Annual"},
        {**plain, "end_date": "2026-01-10"},
        {**plain, "bill_from": "2026-02-01"},
    ]
    numbered = [{"patient_id": f"P{n}", **each} for n, each in enumerate(patients, 1)]
    given = {"patients": numbered, "as_of": "2026-01-31"}
    assert made("periods", "patient_id, period_start, period_end", given) == [
        ("P1", "2026-01-05", "2026-02-04"),
        ("P2", "2026-01-20", "2026-02-19"),
        ("P3", "2026-01-05", "2027-01-04"),
        ("P4", "2026-01-05", "2026-01-10"),
    ]
