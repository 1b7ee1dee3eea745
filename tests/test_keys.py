"""What has no index of the database is looked for before a run is committed."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipeline.keys import Repeated, must_be_new
from pipeline.ledger import Ledger, ledger_path, opened
from pipeline.record import add_run
from pipeline.transaction import transaction
from schemas.columns import about, name_of
from schemas.ledger import LEDGER
from tests.practice import copied

# Each key, and a row of the last run that has that of a row there is.
TWICE = {
    "lines with one number, line": "select * from ledger.lines where number = $1",
    "billed_periods with one number, line":
        "select * replace (generation + 1 as generation)"
        " from ledger.billed_periods where number = $1",
    "sendings with one sending_no":
        "select 1, $1, date '2026-03-01', 'x', null, null, 'command', 1"
        " union all select 1, $1, date '2026-03-02', 'y', null, null, 'command', 1",
    "standings with one standing_key, run_no":
        "select * from ledger.standings where run_no = 1 and $1 <> '' limit 1",
    "outbox with one path, run_no":
        "select * from ledger.outbox where contains(path, $1)",
}  # fmt: skip


@pytest.fixture
def books(first_night: Path, tmp_path: Path) -> Iterator[Ledger]:
    folder = copied(first_night, tmp_path / "clinic")
    with opened(ledger_path(folder), write=True) as ledger:
        yield ledger


def _twice(books: Ledger, fault: str) -> None:
    table = fault.split()[0]
    books.connection.execute(
        f"insert into ledger.{table} {TWICE[fault]}", ["INV-000001"]
    )


@pytest.mark.damaged
@pytest.mark.parametrize("fault", TWICE)
def test_a_run_that_repeats_a_key_is_told(fault: str, books: Ledger) -> None:
    must_be_new(books, 1)
    _twice(books, fault)
    with pytest.raises(Repeated, match=f"^the run would record {fault} twice$"):
        must_be_new(books, 1)


def test_every_key_that_no_index_keeps_is_tried() -> None:
    keys = {
        f"{name_of(schema)} with one {', '.join(key)}"
        for schema in LEDGER
        for key in about(schema).get("checked", ())
    }
    assert keys == TWICE.keys()


def test_a_row_of_an_earlier_run_counts_too(books: Ledger) -> None:
    _twice(books, "sendings with one sending_no")
    books.connection.execute(
        "update ledger.sendings set run_no = 2 where sent_to = 'y'"
    )
    with pytest.raises(Repeated):
        must_be_new(books, 2)


def test_nothing_of_a_run_that_repeats_a_key_is_recorded(books: Ledger) -> None:
    rows = "select count(*) from ledger.outbox"
    before = books.value(rows)
    with pytest.raises(Repeated), transaction(books) as run_no:
        add_run(books, run_no, "2026-03-02-01", "sent", date(2026, 3, 2), "0", {})
        _twice(books, "lines with one number, line")
        books.connection.execute(
            "update ledger.invoices set run_no = $1 where number = 'INV-000001'",
            [run_no],
        )
    assert (books.last_run_no, books.value(rows)) == (1, before)
