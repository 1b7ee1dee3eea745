"""What has no index of the database is looked for before a run is committed."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipeline.keys import REPEATED, Repeated, must_be_new, rows_before
from pipeline.ledger import Ledger, ledger_path, opened
from pipeline.proof.probed import look_at_all
from pipeline.record import add_run
from pipeline.transaction import transaction
from schemas.columns import about, name_of
from schemas.ledger import LEDGER
from tests.practice import copied

# Each key, and rows that have that of a row there is, or of one another.
TWICE = {
    "lines with one number, line": "select * from ledger.lines limit 1",
    "billed_periods with one number, line":
        "select * replace (generation + 1 as generation)"
        " from ledger.billed_periods limit 1",
    "sendings with one sending_no":
        "select 1, 'INV-000001', date '2026-03-01', unnest(['x', 'y']), null, null,"
        " 'command', 1",
    "standings with one standing_key, run_no": "select * from ledger.standings limit 1",
    "outbox with one path, run_no": "select * from ledger.outbox limit 1",
    "published with one path, run_no": "select * from ledger.published limit 1",
}  # fmt: skip


@pytest.fixture
def books(first_night: Path, tmp_path: Path) -> Iterator[Ledger]:
    folder = copied(first_night, tmp_path / "clinic")
    with opened(ledger_path(folder), write=True) as ledger:
        yield ledger


def _twice(books: Ledger, fault: str) -> None:
    table = fault.split()[0]
    books.connection.execute(f"insert into ledger.{table} {TWICE[fault]}")


@pytest.mark.damaged
@pytest.mark.parametrize("fault", TWICE)
def test_a_key_that_a_run_repeats_is_told(fault: str, books: Ledger) -> None:
    """Of whatever run the rows say that they are."""
    before = rows_before(books)
    must_be_new(books, before)
    _twice(books, fault)
    with pytest.raises(Repeated, match=f"^the run would record {fault} twice$"):
        must_be_new(books, before)
    must_be_new(books, rows_before(books))  # it is none that is added from now on
    look_at_all(books)
    assert books.rows(REPEATED) == [{"fault": f"{fault} twice"}]


def test_every_key_that_no_index_keeps_is_tried() -> None:
    keys = {
        f"{name_of(schema)} with one {', '.join(key)}"
        for schema in LEDGER
        for key in about(schema).get("checked", ())
    }
    assert keys == TWICE.keys()


def test_nothing_of_a_run_that_repeats_a_key_is_recorded(books: Ledger) -> None:
    rows = "select count(*) from ledger.outbox"
    before = books.value(rows)
    with pytest.raises(Repeated), transaction(books) as run_no:
        add_run(books, run_no, "2026-03-02-01", "sent", date(2026, 3, 2), "0", {})
        _twice(books, "lines with one number, line")
    assert (books.last_run_no, books.value(rows)) == (1, before)
