"""Which months' registers a run makes again."""

from typing import Any

import pytest

from pipeline.bookkeeping.touched import touched
from pipeline.ledger import Ledger
from tests.given import kept_ledger

NOW = 9  # the run that is asked about


def registers(*months: str) -> list[str]:
    return [
        f"insert into ledger.outbox values ('registers/{month}.xlsx', 1)"
        for month in months
    ]


def closed(*months: str, run_no: int = 1) -> list[str]:
    return [
        f"insert into ledger.closed_months values"
        f" ('{month}', '2026-06-01', 'mm', 0, 0, 0, 0, 0, '', {run_no})"
        for month in months
    ]


def issued(number: str, day: str, run_no: int = NOW, credits: str = "") -> str:
    return (
        "insert into ledger.invoices (number, kind, sequence, run_no, issued_on, due_on,"
        " membership, bill_to_name, currency, net, tax, gross, credits_number) values"
        f" ('{number}', '{'credit_note' if credits else 'invoice'}', {number[-1]},"
        f" {run_no}, '{day}', '{day}', true, '', 'GBP', 0, 0, 0, nullif('{credits}', ''))"
    )


def sent(number: str, day: str) -> str:
    return (
        "insert into ledger.sendings (sending_no, number, sent_on, sent_to, source, run_no)"
        f" values (1, '{number}', '{day}', 'x', 'command', {NOW})"
    )


def stood(bucket: str, run_no: int, key: str = "p1#1", reason: str = "") -> str:
    return (
        "insert into ledger.standings (standing_key, bucket, reason, run_no, removed)"
        f" values ('{key}', '{bucket}', '{reason}', {run_no}, false)"
    )


FORGOTTEN = f"insert into ledger.forgotten values ('line', 'INV-1 1', 'x', {NOW})"
OLD = issued("INV-1", "2026-01-31", run_no=1)
WINTER = registers("2026-01", "2026-02", "2026-03")


@pytest.mark.parametrize(
    ("command", "before", "months"),
    [
        pytest.param("bill", [], ["2026-03"], id="a night of a month without one"),
        pytest.param("bill", WINTER, [], id="a night in which nothing happened"),
        pytest.param("export", [], [], id="no night"),
        pytest.param("bill", [*WINTER, stood("billed", 1), stood("held", NOW)], ["2026-03"],
                     id="a night in which a membership moved"),
        pytest.param("bill", [*WINTER, stood("held", NOW)], ["2026-03"],
                     id="a night in which one began"),
        pytest.param("bill", [*WINTER, stood("billed", 1), stood("already_billed", NOW)], [],
                     id="billed last night is billed already"),
        pytest.param("bill", [*WINTER, stood("billed", 1), stood("held", 2)], [],
                     id="one that moved another night"),
        pytest.param("bill", [*WINTER, stood("held", 1, reason="a"),
                              stood("held", NOW, reason="b")], ["2026-03"],
                     id="one that is held for another reason"),
        pytest.param("bill", [*registers("2026-03", "2026-04"), stood("held", NOW)],
                     ["2026-03", "2026-04"], id="a night before later months"),
        pytest.param("bill", [*WINTER, issued("INV-2", "2026-03-01")], ["2026-03"],
                     id="a document of the month"),
        pytest.param("bill", [*WINTER, issued("INV-2", "2026-02-28")],
                     ["2026-02", "2026-03"], id="a document of the month before"),
        pytest.param("bill", [*registers("2025-11"), issued("INV-2", "2026-02-01"),
                              issued("INV-3", "2026-03-01")],
                     ["2025-11", "2025-12", "2026-01", "2026-02", "2026-03"],
                     id="the month before ends, and those without anything"),
        pytest.param("bill", [issued("INV-2", "2026-03-01")], ["2026-03"],
                     id="the first document of all"),
        pytest.param("credit", [*WINTER, OLD, issued("CRN-1", "2026-03-02", credits="INV-1")],
                     ["2026-01", "2026-03"], id="a credit note of an earlier invoice"),
        pytest.param("credit", [*WINTER, *closed("2026-01"), OLD,
                                issued("CRN-1", "2026-03-02", credits="INV-1")],
                     ["2026-03"], id="a closed month stays as it was sealed"),
        pytest.param("sent", [*WINTER, OLD, sent("INV-1", "2026-03-02")],
                     ["2026-01", "2026-03"], id="a sending"),
        pytest.param("sent", [*WINTER, OLD, sent("INV-1", "2026-02-28")],
                     ["2026-01", "2026-02", "2026-03"],
                     id="a sending is unsent no more from then on"),
        pytest.param("sent", [*registers("2026-01"), OLD, sent("INV-1", "2026-02-28")],
                     ["2026-01"], id="a sending makes no month"),
        pytest.param("forget", [*WINTER, *closed("2026-01"), OLD, FORGOTTEN], ["2026-01"],
                     id="a name that is forgotten, though closed"),
        pytest.param("close", [*WINTER, *closed("2026-01", run_no=NOW)], ["2026-01"],
                     id="a month is sealed with the register it has then"),
    ],
)  # fmt: skip
def test_a_run_makes_again_the_registers_of_months_that_it_changed(
    command: str, before: list[str], months: list[str]
) -> None:
    with kept_ledger() as books:
        assert _touched(books, command, before) == months


def _touched(books: Ledger, command: str, before: list[str]) -> Any:
    for statement in before:
        books.connection.execute(statement)
    return touched(books, NOW, command, "2026-03")
