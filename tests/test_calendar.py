"""Every start day of four years, against a calendar counted on the fingers.

The years hold a leap day that comes back (29 February 2020 and 2024) and three that
do not; the last day asked about is long enough after for periods to drift.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby, pairwise

import pytest

from tests.given import ledger, work_out

FIRST, LAST, AS_OF = date(2020, 1, 1), date(2023, 12, 31), date(2026, 10, 31)
STARTS = [FIRST + timedelta(days) for days in range((LAST - FIRST).days + 1)]

Periods = list[tuple[date, date]]


def months_after(start: date, months: int) -> date:
    """A day so many months later, or the last of that month if it is shorter."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def counted(start: date, step: int) -> Iterator[tuple[date, date]]:
    """Periods from a start day to as-of, each counted from the start."""
    period_start, number = start, 0
    while period_start <= AS_OF:
        number += step
        next_start = months_after(start, number)
        yield period_start, next_start - timedelta(days=1)
        period_start = next_start


@pytest.fixture(scope="module")
def periods() -> dict[str, Periods]:
    """The rule's periods of a monthly and an annual member for each start day."""
    patients = [
        {
            "patient_id": f"{frequency} {start}",
            "start_date": start,
            "billing_frequency": frequency,
        }
        for start in STARTS
        for frequency in ("Monthly", "Annual")
    ]
    # With Auto invoice off the periods are counted and no invoice is made of them.
    practice = {"bill_from": FIRST, "auto_invoice": False}
    with ledger() as books:
        work_out(
            books, {"patients": patients, "practice": practice, "as_of": str(AS_OF)}
        )
        rows = books.connection.execute(
            "select patient_id, period_start, period_end from model.periods order by all"
        ).fetchall()
    by_patient = groupby(rows, key=lambda row: row[0])
    return {patient: [row[1:] for row in found] for patient, found in by_patient}


@pytest.mark.parametrize(("frequency", "step"), [("Monthly", 1), ("Annual", 12)])
def test_every_start_day_has_the_periods_counted_from_it(
    frequency: str, step: int, periods: dict[str, Periods]
) -> None:
    wrong = [
        start
        for start in STARTS
        if periods[f"{frequency} {start}"] != list(counted(start, step))
    ]
    assert wrong == []


def test_every_day_from_the_start_is_in_exactly_one_period(
    periods: dict[str, Periods],
) -> None:
    gaps = [
        (patient, before, after)
        for patient, found in periods.items()
        for before, after in pairwise(found)
        if before[1] + timedelta(days=1) != after[0]
    ]
    assert gaps == []


def test_the_finger_count_itself_knows_a_leap_day() -> None:
    leap = date(2020, 2, 29)
    assert [months_after(leap, 12 * n) for n in (1, 2, 3, 4)] == [
        date(2021, 2, 28),
        date(2022, 2, 28),
        date(2023, 2, 28),
        date(2024, 2, 29),
    ]
