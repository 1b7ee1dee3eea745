"""One change of the ledger: all of it recorded, counted, posted and chained, or none."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from pipeline import chain, outbox
from pipeline.keys import must_be_new, rows_before
from pipeline.ledger import Ledger, settle

# What a disk that fails is to DuckDB.
DISK_FAILURES = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
    duckdb.TransactionException,  # a commit that the disk did not take
)


class Unfinished(Exception):
    """A run was recorded, but what follows it could not be done; the message says so."""


@contextmanager
def transaction(ledger: Ledger) -> Iterator[int]:
    """One run: all of it is written, chained and on disk, or none of it.

    Yields the run's number. After the commit the write-ahead log is folded into the
    file (DuckDB opens silently without a lost log) and the head file follows.
    """
    run_no = ledger.last_run_no + 1
    before = rows_before(ledger)
    ledger.connection.execute("begin")
    try:
        yield run_no
        count_numbers(ledger, run_no)
        outbox.post(ledger, run_no)
        must_be_new(ledger, before)
        chain.extend(ledger.connection, run_no)
        ledger.connection.execute("commit")
    except BaseException:
        with suppress(duckdb.TransactionException):  # a failed commit has ended it
            ledger.connection.execute("rollback")
        raise
    with recorded((OSError, duckdb.Error)):
        settle(ledger)


@contextmanager
def recorded(
    failing: tuple[type[Exception], ...] = (OSError, *DISK_FAILURES),
) -> Iterator[None]:
    """What follows a commit: if the disk fails it, the run is recorded all the same."""
    try:
        yield
    except failing:
        raise Unfinished(
            "The run is recorded, but the disk would take no more: files made from it"
            " may be missing. Make room and run the night again; nothing is billed twice."
        ) from None


def count_numbers(ledger: Ledger, run_no: int) -> None:
    """Move the counter of each series up to the last number the run gave."""
    ledger.connection.execute(
        "insert into ledger.counters"
        " select kind, max(sequence), max(issued_on) from ledger.invoices"
        " where run_no = ? group by kind"
        " on conflict do update set last_sequence = excluded.last_sequence,"
        " last_issued_on = excluded.last_issued_on",
        [run_no],
    )
