"""Every membership of the roster ends the night in exactly one bucket."""

from typing import Any

import pytest

from tests.given import answers, made, wanted

JANUARY = ("P1", "2026-01-01", "2026-01-31")
OFF = {"practice": {"auto_invoice": False}}
PRODUCT_HELD = {"products": [{"held": True}]}

# The row of a patient, its bucket on 31 January, and why: all of them in one night.
ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("a period is billed tonight", {}, "billed"),
    ("it starts later", {"start_date": "2026-02-01"}, "not_yet_due"),
    (
        "its last period is billed tonight though the End date is past",
        {"end_date": "2026-01-30"},
        "billed",
    ),
    (
        "it was over before Bill from",
        {"start_date": "2025-01-01", "end_date": "2025-06-30"},
        "ended",
    ),
    ("it says No", {"membership_active": False}, "inactive"),
    (
        "its year began before Bill from",
        {"start_date": "2025-12-31", "billing_frequency": "Annual"},
        "before_bill_from",
    ),
    (
        "the patient's own Bill from is ahead",
        {"bill_from": "2026-03-01"},
        "before_bill_from",
    ),
    ("its row is held", {"held": True}, "held"),
    (
        "its row is held, even if it says No",
        {"held": True, "membership_active": False},
        "held",
    ),
    (
        "its row is held, even if it starts later",
        {"held": True, "start_date": "2026-02-01"},
        "held",
    ),
    ("nobody knows its frequency", {"billing_frequency": None}, "held"),
]

NIGHTS = [
    pytest.param(
        {},
        {"billed": [JANUARY]},
        "already_billed",
        id="already billed: all periods are",
    ),
    pytest.param(
        {"end_date": "2026-01-30"},
        {"billed": [JANUARY]},
        "ended",
        id="ended: the End date is past and all is billed",
    ),
    pytest.param(
        {"end_date": "2026-01-31"},
        {"billed": [JANUARY]},
        "already_billed",
        id="already billed: today is its last covered day",
    ),
    pytest.param(
        {"membership_active": False},
        {**PRODUCT_HELD, **OFF},
        "inactive",
        id="inactive: whatever its product and the switch say",
    ),
    pytest.param(
        {"start_date": "2026-01-31"}, {}, "billed", id="billed: it begins today"
    ),
    pytest.param({}, OFF, "auto_invoice_off", id="auto invoice off: nobody is billed"),
    pytest.param(
        {},
        {**PRODUCT_HELD, **OFF},
        "auto_invoice_off",
        id="auto invoice off: nobody is held by a product either",
    ),
    pytest.param({}, PRODUCT_HELD, "held", id="held: its product is"),
    pytest.param(
        {},
        {**PRODUCT_HELD, "billed": [JANUARY]},
        "already_billed",
        id="already billed: its product is held, but nothing is due",
    ),
    pytest.param(
        {"start_date": "2026-02-01"},
        PRODUCT_HELD,
        "not_yet_due",
        id="not yet due: its product is held, but nothing is due",
    ),
    pytest.param(
        {}, {"practice": {"catch_up_days": 29}}, "held", id="held: it is too old"
    ),
    pytest.param(
        {"start_date": "2026-01-15"},
        {"billed": [JANUARY]},
        "held",
        id="held: it overlaps what is billed",
    ),
]

NEXT: list[tuple[str, dict[str, Any], str | None]] = [
    ("the period after tonight's", {}, "2026-02-01"),
    ("clamped like any period", {"start_date": "2026-01-31"}, "2026-02-28"),
    ("the first, if none began", {"start_date": "2026-03-15"}, "2026-03-15"),
    (
        "the next anniversary",
        {"start_date": "2025-03-15", "billing_frequency": "Annual"},
        "2026-03-15",
    ),
    ("up to the End date", {"end_date": "2026-02-01"}, "2026-02-01"),
    ("none after the End date", {"end_date": "2026-01-31"}, None),
    ("none before Bill from", {"bill_from": "2026-05-02"}, "2026-06-01"),
    ("none for who has left", {"membership_active": False}, None),
]

HELD: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    ("every period it holds back", {"held": True}, ("row", "2026-01-01", "100.00")),
    (
        "no amount that nobody knows",
        {"billing_frequency": None},
        ("frequency-missing", None, None),
    ),
    (
        "one period where the start cannot be read",
        {"held": True, "start_date": None},
        ("row", None, "50.00"),
    ),
    (
        "nothing for one who has left",
        {"held": True, "membership_active": False},
        ("row", None, None),
    ),
]


def together(cases: list[Any], names: str, as_of: str = "2026-01-31") -> list[Any]:
    """The named columns of every case's standing, all cases in one night."""
    patients = [
        {"patient_id": f"P{at:02}", **row} for at, (_, row, _) in enumerate(cases)
    ]
    given = {"patients": patients, "as_of": as_of}
    return [row[1:] for row in made("standings", f"patient_row, {names}", given)]


def each(cases: list[Any]) -> pytest.MarkDecorator:
    """A test for each case, called by its first word."""
    return pytest.mark.parametrize("at", range(len(cases)), ids=[c[0] for c in cases])


@pytest.fixture(scope="module")
def buckets() -> list[Any]:
    return together(ROWS, "bucket")


@pytest.fixture(scope="module")
def next_dues() -> list[Any]:
    return together(NEXT, "next_due")


@pytest.fixture(scope="module")
def held() -> list[Any]:
    return together(HELD, "reason, next_due, held_amount", as_of="2026-02-15")


@each([(f"{bucket}: {why}", row, bucket) for why, row, bucket in ROWS])
def test_bucket_of_a_row(at: int, buckets: list[Any]) -> None:
    assert buckets[at] == (ROWS[at][2],)


def test_bucket() -> None:
    def of(patient: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
        return {"patients": [patient], **given}

    assert answers(NIGHTS, "standings", "bucket", of) == wanted(NIGHTS)


@each(HELD)
def test_held_tells(at: int, held: list[Any]) -> None:
    assert held[at] == HELD[at][2]


@each(NEXT)
def test_next_due(at: int, next_dues: list[Any]) -> None:
    assert next_dues[at] == (NEXT[at][2],)


def test_nothing_is_due_next_while_auto_invoice_is_off() -> None:
    assert made("standings", "next_due", {"patients": [{}], **OFF}) == [None]


def test_two_rows_of_one_patient_are_both_accounted_for() -> None:
    row = {"patient_id": "P1", "held": True}
    found = made("standings", "patient_row, bucket", {"patients": [row, row]})
    assert found == [(2, "held"), (3, "held")]
