"""What an End date leaves to be credited, and the commands that would credit it."""

from datetime import date
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest

from pipeline.judging import credit_due
from pipeline.judging.credit_due import MOST_COMMANDS
from pipeline.problems import Place
from tests import given

AS_OF = date(2026, 3, 31)


def row(**cells: Any) -> dict[str, Any]:
    """A year billed for £120 from 1 March; six of its months begin after the End date."""
    return {
        "row_number": 2, "patient_id": "P1", "end_date": date(2026, 8, 10),
        "number": "INV-000001", "line": 1, "lines_there": 1, "gross": Decimal("120.00"),
        "period_start": date(2026, 3, 1), "period_end": date(2027, 2, 28), "months": 12,
        "months_unused": 6, "credited": Decimal("0.00"), **cells,
    }  # fmt: skip


def ledger(there: bool, *rows: dict[str, Any]) -> Mock:
    """A ledger that gives these answers."""
    books = Mock()
    books.value.return_value, books.rows.return_value = there, list(rows)
    return books


def sheets() -> dict[str, Any]:
    patients = Mock()
    patients.place.return_value = Place("patients.xlsx", "Patients", 2)
    return {"patients": patients}


PROPOSED = [
    pytest.param({}, "60.00", id="the months that begin after the End date"),
    pytest.param({"credited": Decimal("10.00")}, "50.00", id="less what was credited"),
    pytest.param({"credited": Decimal("70.00")}, "0", id="never less than nothing"),
    pytest.param(
        {"period_start": date(2026, 8, 11)}, "120.00",
        id="all of a period that starts the day after it",
    ),
    pytest.param(
        {"period_start": date(2026, 8, 10)}, "60.00",
        id="not all of one that starts on it",
    ),
    pytest.param({"period_end": AS_OF}, "60.00", id="of a period that ends today"),
    pytest.param(
        {"period_end": date(2026, 3, 30)}, "0", id="nothing of one that is over"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "amount"), PROPOSED)
def test_it_proposes(cells: dict[str, Any], amount: str) -> None:
    found = list(credit_due.credit_due(ledger(True, row(**cells)), sheets(), AS_OF))
    told = [problem.effect for problem in found]
    assert told == ([f"credit of {amount} proposed"] if amount != "0" else [])


# Billed from, billed until, and what of £600 is proposed at each End date.
SHARES = [
    pytest.param(
        "2026-01-01", "2026-12-31",
        {"2026-12-30": "0", "2026-11-30": "50.00", "2026-06-29": "300.00",
         "2026-01-01": "550.00", "2025-12-31": "600.00"},
        id="of a whole year, by twelfths",
    ),
    pytest.param(
        "2026-01-01", "2026-06-30",
        {"2026-06-29": "0", "2026-06-01": "0", "2026-05-31": "100.00",
         "2026-03-31": "300.00", "2026-01-31": "500.00", "2025-12-31": "600.00"},
        id="of half a year, by sixths",
    ),
    pytest.param(
        "2026-01-01", "2026-06-15",
        {"2026-06-14": "0", "2026-05-31": "100.00"},
        id="a month cut short counts as one",
    ),
    pytest.param(
        "2026-01-31", "2026-02-28",
        {"2026-02-27": "300.00"},
        id="the month that begins on its last day is one of them",
    ),
    pytest.param(
        "2027-02-28", "2028-02-28",
        {"2028-02-27": "0", "2027-08-28": "250.00"},
        id="there are no more than twelve, where a leap year's is a day longer",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def shares() -> dict[tuple[str, str, str], str]:
    """What is proposed of each of these periods at each End date, in one practice."""
    cases = {
        f"P{at}": (start, until, end)
        for at, (start, until, end) in enumerate(
            (start, until, end)
            for start, until, proposed in (case.values for case in SHARES)
            for end in proposed
        )
    }
    with given.kept_ledger() as books:
        patients = [
            {"patient_id": p, "end_date": end} for p, (*_, end) in cases.items()
        ]
        given.lay_out(books, {"patients": patients})
        for patient, (start, until, _) in cases.items():
            books.connection.execute(
                "insert into ledger.billed_periods"
                " values (canonical($1), $2, $3, $1, 1, 1)",
                [patient, start, until],
            )
            books.connection.execute(
                "insert into ledger.lines (number, line, patient_id, patient_name,"
                " product_code, description, membership, frequency, period_start,"
                " period_end, quantity, unit_price, tax_code, tax_name, tax_rate, net,"
                " tax, gross, price_source, rebill)"
                " values ($1, 1, $1, '', 'GOLD', 'Gold', true, 'Annual', $2, $3,"
                " 1, 600, 'EXEMPT', '', 0, 600, 0, 600, '', false)",
                [patient, start, until],
            )
        told = list(credit_due.credit_due(books, sheets(), date(2026, 1, 1)))
    found = {problem.subject: problem.effect for problem in told}
    assert found.keys() <= cases.keys()
    return {case: found.get(patient, "") for patient, case in cases.items()}


@pytest.mark.parametrize(("start", "until", "proposed"), SHARES)
def test_what_is_proposed_is_a_share_of_the_months_billed(
    start: str,
    until: str,
    proposed: dict[str, str],
    shares: dict[tuple[str, str, str], str],
) -> None:
    assert {end: shares[start, until, end] for end in proposed} == {
        end: f"credit of {amount} proposed" if amount != "0" else ""
        for end, amount in proposed.items()
    }


def test_it_is_not_looked_for_where_there_can_be_none() -> None:
    then = {
        "ended": date(2026, 8, 10),
        "months_unused_then": 6,
        "notes": ["CRN-000001"],
    }
    lost = row(**then, end_date=None, credited=Decimal("60.00"))
    for of, found in (
        (credit_due.credit_due, row()),
        (credit_due.asked_again, lost),
    ):
        assert list(of(ledger(True, found), sheets(), AS_OF))
        assert not list(of(ledger(False, found), sheets(), AS_OF))


LOST = [
    pytest.param({"end_date": None}, "60.00", id="all that was credited for it"),
    pytest.param(
        {"end_date": date(2026, 10, 10), "months_unused": 4}, "20.00",
        id="the months up to the End date of now",
    ),
    pytest.param({}, "0", id="nothing, where as much is unused as before"),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "amount"), LOST)
def test_of_an_end_date_that_moved_it_tells(cells: dict[str, Any], amount: str) -> None:
    then = {
        "ended": date(2026, 8, 10),
        "months_unused_then": 6,
        "notes": ["CRN-000001"],
    }
    lost = row(**{"credited": Decimal("60.00"), **then, **cells})
    found = list(credit_due.asked_again(ledger(True, lost), sheets(), AS_OF))
    told = [problem.effect for problem in found]
    assert told == ([f"{amount} not charged"] if amount != "0" else [])


COMMANDS = [
    pytest.param({}, "60.00", "INV-000001 --amount 60.00", id="a part"),
    pytest.param({}, "120.00", "INV-000001", id="all of it"),
    pytest.param(
        {"credited": Decimal("50.00")}, "70.00", "INV-000001", id="all that is left"
    ),
    pytest.param(
        {"lines_there": 2}, "120.00", "INV-000001 --line 1", id="one of its lines"
    ),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "amount", "words"), COMMANDS)
def test_the_command_credits(cells: dict[str, Any], amount: str, words: str) -> None:
    ended = '--reason "ended 10 August 2026" --by USER'
    command = credit_due._command(row(**cells), Decimal(amount))
    assert command == f"membill credit FOLDER {words} {ended}"


def test_no_more_commands_are_listed_than_can_be_read() -> None:
    each = [str(number) for number in range(MOST_COMMANDS + 2)]
    all_of_them = "; ".join(each[:MOST_COMMANDS])
    assert credit_due._listed(each[:MOST_COMMANDS]) == all_of_them
    assert credit_due._listed(each) == f"{all_of_them}; and 2 more"
