"""The chain of hashes: each record on top of the last, and what breaks it."""

from collections.abc import Iterator
from datetime import date
from unittest.mock import patch

import pytest

from pipeline import chain
from pipeline.ledger import Ledger
from pipeline.proof.probed import look_at_all
from pipeline.proof.promises import PROMISES
from pipeline.record import add_run
from tests.given import ledger


@pytest.fixture
def books() -> Iterator[Ledger]:
    """A ledger of three runs that billed nothing."""
    with ledger() as books:
        for run_no in (1, 2, 3):
            day = date(2026, 3, run_no)
            add_run(books, run_no, f"{day}-01", "bill", day, "0", {})
            chain.extend(books.connection, run_no)
        yield books


def test_each_link_goes_on_from_the_one_before(books: Ledger) -> None:
    links = books.rows("select * from ledger.chain order by position")
    assert [link["position"] for link in links] == [1, 2, 3]
    assert [link["record_key"] for link in links] == ["1", "2", "3"]
    hashes = [link["sha256"] for link in links]
    assert [link["previous"] for link in links] == [chain.START, *hashes[:2]]
    assert chain.head(books.connection).sha256 == hashes[-1]


@pytest.mark.parametrize("since", [0, 1, 2, 3])
def test_a_chain_that_nobody_touched_holds_from_any_run_on(
    since: int, books: Ledger
) -> None:
    assert chain.breaks(books.connection, since) == []
    with patch("pipeline.chain._AT_A_TIME", 2):
        assert chain.breaks(books.connection, since) == []


@pytest.mark.parametrize(
    ("at_a_time", "spans"),
    [
        (0, [(1, 1), (2, 2), (3, 3)]),
        (2, [(1, 2), (3, 3)]),
        (3, [(1, 3)]),
    ],
)
def test_as_many_runs_are_read_at_once_as_are_small_together(
    at_a_time: int, spans: list[tuple[int, int]], books: Ledger
) -> None:
    with patch("pipeline.chain._AT_A_TIME", at_a_time):
        assert list(chain._spans(books.connection, 0)) == spans


@pytest.mark.parametrize(
    ("since", "found"),
    [
        (0, ["run 2 is not what was written (link 2)"]),
        (2, ["run 2 is not what was written (link 2)"]),
        (3, []),
    ],
)
def test_a_record_that_was_changed_is_named_where_it_is_looked_at(
    since: int, found: list[str], books: Ledger
) -> None:
    books.connection.execute("update ledger.runs set version = '1' where run_no = 2")
    assert chain.breaks(books.connection, since) == found


@pytest.mark.parametrize("since", [0, 2])
def test_records_and_links_are_counted_from_the_first(
    since: int, books: Ledger
) -> None:
    books.connection.execute("delete from ledger.chain where position = 3")
    told = ["the chain has 2 links for 3 records"]
    assert chain.breaks(books.connection, since) == told


def test_a_link_that_stands_twice_where_one_look_ends_is_counted(
    books: Ledger,
) -> None:
    books.connection.execute(
        "insert into ledger.chain select * from ledger.chain where position = 2"
    )
    with patch("pipeline.chain._AT_A_TIME", 2):
        assert chain.breaks(books.connection) == ["the chain has 4 links for 3 records"]


def test_when_and_how_long_a_run_worked_is_no_fact_of_the_books(books: Ledger) -> None:
    books.connection.execute(
        "update ledger.runs set recorded_at = 'another time', milliseconds = 7"
    )
    assert chain.breaks(books.connection) == []


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        ("update ledger.chain set previous = 'x' where position = 1", ["link 1"]),
        ("update ledger.chain set previous = 'x' where position = 3", ["link 3"]),
        ("update ledger.chain set sha256 = 'x' where position = 2", ["link 3"]),
        ("delete from ledger.chain where position = 2", ["link 3"]),
        ("select 1", []),
    ],
)
def test_a_link_that_does_not_hold_on_to_the_one_before_is_named(
    harm: str, found: list[str], books: Ledger
) -> None:
    (query,) = [query for name, _, query in PROMISES if "each link" in name]
    look_at_all(books)
    books.connection.execute(harm)
    assert [row["fault"] for row in books.rows(query)] == found


def test_of_the_first_link_that_is_looked_at_nothing_is_asked(books: Ledger) -> None:
    """What was proved before is not read again; only the first of all has a known one."""
    (query,) = [query for name, _, query in PROMISES if "each link" in name]
    look_at_all(books)
    books.connection.execute("delete from ledger.chain where position = 1")
    assert books.rows(query) == []


HEADED = (
    "insert into ledger.letterheads (run_no, practice_name, bank_details, vat_registered,"
    " prices_include_tax, deferred_basis, debtors_account, vat_account, deferred_account)"
    " values (4, 'Harbour Lane', '20-20-15 55555555', false, false, 'Months', '1100',"
    " '2200', '2110')"
)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ("set bank_details = '99-99-99 11111111'", True),
        ("set vat_account = '2201'", True),
        ("set bank_details = bank_details", False),
    ],
)
def test_the_letterhead_of_a_run_is_in_its_link(
    changed: str, found: bool, books: Ledger
) -> None:
    add_run(books, 4, "2026-03-04-01", "bill", date(2026, 3, 4), "0", {})
    books.connection.execute(HEADED)
    chain.extend(books.connection, 4)
    books.connection.execute(f"update ledger.letterheads {changed}")
    told = ["run 4 is not what was written (link 4)"] if found else []
    assert chain.breaks(books.connection) == told


def test_a_run_of_before_letterheads_were_hashed_holds(books: Ledger) -> None:
    add_run(books, 4, "2026-03-04-01", "bill", date(2026, 3, 4), "0", {})
    before = chain.head(books.connection)
    (_, key, content) = next(chain.records(books.connection, 4))
    facts = content[0]  # type: ignore[index]
    link = chain.digest(before.sha256, "run", key, facts)
    books.connection.execute(
        "insert into ledger.chain values (4, 'run', ?, ?, ?)",
        [key, before.sha256, link],
    )
    books.connection.execute(HEADED)
    assert chain.breaks(books.connection) == []
    books.connection.execute("update ledger.runs set version = '1' where run_no = 4")
    assert chain.breaks(books.connection) == ["run 4 is not what was written (link 4)"]
