"""Which months can be closed: each in its turn, once it is over."""

from datetime import date
from typing import Any

import pytest

from pipeline.office import closing
from pipeline.office.desk import WrongRequest
from pipeline.record import add_run
from tests.given import kept_ledger

CLOSED = (
    "insert into ledger.closed_months values"
    " ('2026-03', '2026-04-01', 'mm', 0, 0, 0, 0, 0, '', 1)"
)
ISSUED = (
    "insert into ledger.invoices (number, kind, sequence, run_no, issued_on, due_on,"
    " membership, bill_to_name, currency, net, tax, gross) values ('INV-000001',"
    " 'invoice', 1, 1, '2026-02-28', '2026-02-28', true, '', 'GBP', 0, 0, 0)"
)


def close(month: str, today: str, *before: str) -> None:
    with kept_ledger() as books:
        for statement in before:
            books.connection.execute(statement)
        first, day = closing._first_day(month), date.fromisoformat(today)
        closing._must_be_closable(books, month, first, day)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(("2026-02", "2026-03-01"), id="the day after its last"),
        pytest.param(("2026-02", "2026-03-01", ISSUED), id="the first with documents"),
        pytest.param(("2026-04", "2026-05-01", CLOSED), id="the one after the last"),
    ],
)
def test_a_month_can_be_closed(given: Any) -> None:
    close(*given)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(
            ("2026-02", "2026-02-28"),
            "2026-02 is not over: today is 2026-02-28",
            id="on its last day",
        ),
        pytest.param(
            ("2026-03", "2026-05-01", CLOSED),
            "2026-03 was closed already, on 2026-04-01 by mm",
            id="twice",
        ),
        pytest.param(
            ("2026-02", "2026-05-01", CLOSED),
            "2026-02 lies before 2026-03, which is closed: nothing can be issued in it"
            " any more",
            id="after a later one",
        ),
        pytest.param(
            ("2026-03", "2026-05-01", ISSUED),
            "months are closed in order: 2026-02 is open",
            id="before an earlier one",
        ),
        pytest.param(
            ("2026-3", "2026-05-01"),
            "2026-3 is not a month; write it as 2026-03",
            id="if it is none",
        ),
    ],
)
def test_a_month_cannot_be_closed(given: Any, said: str) -> None:
    with pytest.raises(WrongRequest) as refused:
        close(*given)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("nights", "told"),
    [
        pytest.param(["2026-02-27"], True, id="none on its last day"),
        pytest.param(["2026-02-28"], False, id="one on its last day"),
        pytest.param(["2026-03-05", "2026-02-03"], False, id="one after it"),
        pytest.param([], False, id="none at all: of documents that were entered again"),
    ],
)
def test_a_month_closed_before_its_last_night_is_told(
    nights: list[str], told: bool
) -> None:
    with kept_ledger() as books:
        for run_no, day in enumerate(nights, 1):
            add_run(books, run_no, day, "bill", date.fromisoformat(day), "0", {})
        said = closing._not_billed_yet(books, date(2026, 3, 1))
    assert said == (
        "\nthe last night was of 27 February 2026: what is due after it is billed by the"
        " next one, with a date from 1 March 2026 on"
        if told
        else ""
    )
