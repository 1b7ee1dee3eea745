"""Which batches a copy can take over, and how sendings it lacks are told."""

from typing import Any
from unittest.mock import patch

import pytest

from pipeline.copies import left_already
from tests.given import kept_ledger

ISSUED = (
    "insert into ledger.invoices (number, kind, sequence, run_no, issued_on, due_on,"
    " membership, bill_to_name, currency, net, tax, gross) values ('INV-000001',"
    " 'invoice', 1, 1, '2026-03-01', '2026-03-01', true, '', 'GBP', 50, 0, 50)"
)
CLOSED = (
    "insert into ledger.closed_months values"
    " ('2026-02', '2026-03-01', 'mm', 0, 0, 0, 0, 0, '', 1)"
)
# What the replaced ledger says of the document.
SAME, OTHER = {"INV-000001": "2026-03-01 50.00"}, {"INV-000001": "2026-03-01 60.00"}


@pytest.mark.parametrize(
    ("numbers", "documents", "has"),
    [
        pytest.param(["INV-000001"], SAME, True, id="the same document"),
        pytest.param(["INV-000001"], OTHER, False, id="another of its number"),
        pytest.param(["INV-000001", "INV-000002"], SAME | {"INV-000002": "x"}, False,
                     id="and one that it has not"),
        pytest.param(["2026-02"], SAME, True, id="what a month released that it closed"),
        pytest.param(["2026-03"], SAME, False, id="what a month released that it did not"),
        pytest.param([], SAME, True, id="nothing"),
    ],
)  # fmt: skip
def test_a_batch_is_taken_over_where_the_copy_has_all_of_it(
    numbers: list[str], documents: dict[str, str], has: bool
) -> None:
    with kept_ledger() as books:
        books.connection.execute(ISSUED)
        books.connection.execute(CLOSED)
        assert left_already._has_all(books, numbers, documents) is has


def _sent(at: int) -> dict[str, Any]:
    return {
        "number": f"INV-{at:06}",
        "sent_on": "2026-03-01",
        "sent_to": "x",
        "how": None,
    }


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        ([], []),
        ([1], ["1 sending recorded after this copy was made (INV-000001)"]),
        ([1, 1], ["2 sendings recorded after this copy was made (INV-000001)"]),
        (
            [1, 2, 3, 4, 5],
            ["5 sendings recorded after this copy was made (INV-000001, INV-000002,"
             " INV-000003, INV-000004, INV-000005)"],
        ),
        (
            [1, 2, 3, 4, 5, 6],
            ["6 sendings recorded after this copy was made (INV-000001, INV-000002,"
             " INV-000003, INV-000004, INV-000005, …)"],
        ),
    ],
)  # fmt: skip
def test_of_many_sendings_that_are_lost_the_first_are_named(
    lost: list[int], told: list[str]
) -> None:
    rows = [_sent(at) for at in lost]
    with (
        kept_ledger() as books,
        patch.object(left_already, "_rows_of", return_value=rows),
    ):
        found = left_already.lost_sendings(books, books.path)
    assert [each.partition(":")[0] for each in found] == told
