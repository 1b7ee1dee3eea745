"""Columns of dates that went through a computer which puts the month first."""

from collections.abc import Sequence
from datetime import date

import pytest

from pipeline.judging.swapped_days import swapped_days
from pipeline.reading.raw_table import RowsOf
from pipeline.workbooks import Sheet

EARLY = [date(2026, 1, 2), date(2026, 5, 2), date(2026, 7, 12)]
LATE = [date(2026, 1, 2), date(2026, 5, 13), date(2026, 7, 12)]
DAYS_FIRST = ["31/01/2026", "15/02/2026", "28/02/2026"]
MONTHS_FIRST = ["01/31/2026", "02/15/2026", "02/28/2026"]
EITHER = ["08/01/2026", "03/04/2026"]


def told(values: Sequence[object]) -> str:
    """What is found in a column of Start dates, '' for nothing."""
    rows = RowsOf.listed([(at, [value]) for at, value in enumerate(values, start=2)])
    sheet = Sheet("patients", "patients.xlsx", "Patients", {"start_date": 0}, rows)
    found = swapped_days(sheet, "start_date", "Start date")
    return found[0].found if found else ""


@pytest.mark.parametrize("sign", ["/", "-", "."])
def test_real_dates_up_to_the_12th_beside_text_beyond_it_were_swapped(
    sign: str,
) -> None:
    for texts in (DAYS_FIRST, MONTHS_FIRST):
        written = [text.replace("/", sign) for text in texts]
        assert "every later day is text" in told([*EARLY, *written])


def test_where_text_can_only_have_the_month_first_all_of_it_has() -> None:
    assert "3 dates can only have the month first" in told([*MONTHS_FIRST, *EITHER])
    assert "the 2 that could be read either way" in told([*MONTHS_FIRST, *EITHER])


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([], id="no row"),
        pytest.param([None, None], id="a blank column"),
        pytest.param(EARLY, id="real dates alone"),
        pytest.param([*LATE, *DAYS_FIRST], id="a real date beyond the 12th"),
        pytest.param([*EARLY, *DAYS_FIRST, *EITHER], id="text up to the 12th as well"),
        pytest.param([*EARLY, *DAYS_FIRST[:2]], id="two of them"),
        pytest.param([*EARLY[:2], *DAYS_FIRST], id="two real dates"),
        pytest.param([*DAYS_FIRST, *EITHER], id="text with the day first"),
        pytest.param([*MONTHS_FIRST, *DAYS_FIRST, *EITHER], id="text of both kinds"),
        pytest.param(MONTHS_FIRST, id="each is held by itself"),
        pytest.param(
            ["2026-01-31", "soon", "1/2", "99/99/2026"] * 3, id="no such dates"
        ),
    ],
)
def test_of_any_other_column_nothing_is_told(values: Sequence[object]) -> None:
    assert told(values) == ""
