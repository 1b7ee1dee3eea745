"""Which months can be closed: each in its turn, once it is over."""

from datetime import date
from typing import Any

import pytest

from pipeline.office import closing
from pipeline.office.desk import WrongRequest
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
