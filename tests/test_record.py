"""What a night leaves in the ledger: its name, its changes, and how problems are known."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest

from pipeline import record
from pipeline.bookkeeping.books import Change
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity
from tests.given import kept_ledger, lay_out, read, work_out

DAY = date(2026, 3, 1)
TOLD = Change("products", "GOLD", "Price", "50", "55", "mm", True, "no right")


@pytest.fixture
def books() -> Iterator[Ledger]:
    with kept_ledger() as empty:
        yield empty


def _add(books: Ledger, *runs: tuple[str, date, str, dict[str, Any]]) -> None:
    for run_no, (run_id, day, command, report) in enumerate(runs, 1):
        record.add_run(books, run_no, run_id, command, day, "0", report)


@pytest.mark.parametrize(
    ("runs", "batch", "name"),
    [
        pytest.param([], None, "2026-03-01-01", id="the first of its day"),
        pytest.param([("2026-03-01-01", DAY, "bill", {})], None, "2026-03-01-02",
                     id="the second"),
        pytest.param([("2026-02-28-01", date(2026, 2, 28), "bill", {})], None,
                     "2026-03-01-01", id="of other days none counts"),
        pytest.param([("2026-03-01-02", DAY, "bill", {})], None, "2026-03-01-03",
                     id="a name that was skipped to is taken"),
        pytest.param(
            [("2026-03-01-02-adopted", DAY, "adopt", {"of": "2026-03-01-02"})], None,
            "2026-03-01-03", id="that of a lost run stays its own",
        ),
        pytest.param(
            [("2026-03-01-02-note", DAY, "credit", {"of": "2026-03-01-02"})], None,
            "2026-03-01-02", id="a run that names another has not lost it",
        ),
        pytest.param([("x", DAY, "export", {})], "2026-03-01-02", "2026-03-01-03",
                     id="that of a batch too"),
    ],
)  # fmt: skip
def test_a_run_is_named_after_its_day_and_takes_no_other_s_name(
    runs: list[Any], batch: str | None, name: str, books: Ledger
) -> None:
    _add(books, *runs)
    if batch:
        books.connection.execute(
            "insert into ledger.export_batches values (1, 'xero', ?, '{}')", [batch]
        )
    assert record.run_id_of(books, DAY) == name


def test_a_change_is_kept_as_it_was_told_and_what_is_blank_is_null(
    books: Ledger,
) -> None:
    blank = replace(TOLD, old="", new="", edited_by="", reason="")
    record._changes(books, [TOLD, blank], 7)
    assert [tuple(row.values()) for row in books.rows("from ledger.changes")] == [
        (7, "products", "GOLD", "Price", "50", "55", "mm", True, "no right"),
        (7, "products", "GOLD", "Price", None, None, None, True, None),
    ]


def _problem(row: int | None, **more: Any) -> Problem:
    return Problem(Severity.CHECK, "some", Place("p.csv", "Patients", row), "x", **more)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param(_problem(2), _problem(2, repair="y"), True, id="of one row"),
        pytest.param(_problem(2), _problem(3), False, id="of two rows"),
        pytest.param(_problem(None), _problem(None), True, id="of no row"),
        pytest.param(_problem(None), _problem(2), False, id="of a row and of none"),
        pytest.param(_problem(2, subject="P1"), _problem(3, subject="P1"), True,
                     id="of a row that moved"),
        pytest.param(_problem(2, subject="P1"), _problem(2, subject="P2"), False,
                     id="of two patients"),
    ],
)  # fmt: skip
def test_a_problem_is_known_again_by_whose_it_is_or_by_its_row(
    one: Problem, other: Problem, same: bool
) -> None:
    ((before, _),) = record.fingerprints([one])
    ((after, _),) = record.fingerprints([other])
    assert (before == after) is same


@pytest.mark.parametrize(
    ("severities", "held", "code"),
    [
        ([], 0, 0),
        ([Severity.CHECK, Severity.FIXED], 0, 0),
        ([Severity.CHECK, Severity.HELD], 0, 3),
        ([], 1, 3),
        ([Severity.HELD], 1, 3),
    ],
)
def test_a_night_ends_with_3_where_a_row_or_a_member_is_held(
    severities: list[Severity], held: int, code: int, books: Ledger
) -> None:
    problems = [replace(_problem(2), severity=severity) for severity in severities]
    with patch("pipeline.record.memberships", return_value={"held": held}):
        assert record.exit_code(books, problems) == code


def test_a_report_reads_the_same_in_whatever_order_it_was_put_together(
    books: Ledger,
) -> None:
    _add(books, ("r", DAY, "bill", {"b": 1, "a": {"d": 2, "c": 3}}))
    (text,) = read(books, "ledger.runs", "report")
    assert text == json.dumps({"a": {"c": 3, "d": 2}, "b": 1})


def _night(
    books: Ledger,
    cells: dict[str, Any],
    *problems: Problem,
    moved: str,
    changes: Sequence[Change] = (),
) -> None:
    """A night in memory whose sheets of `moved` differ, and which found these problems."""
    work_out(books, cells)
    run = books.connection.execute
    for name in moved.split():
        run(f"create or replace table staged.{name} as select * from input.{name}")
    night = record.Night(
        DAY, "0", (), {}, {}, problems, changes, 0, frozenset(moved.split())
    )
    record.stage(books, night)
    run_no = books.last_run_no + 1
    record.record(books, night, run_no)


def test_a_row_has_a_version_for_each_night_in_which_it_was_another(
    books: Ledger,
) -> None:
    """A held row stays as it was, and one that is gone is marked so, in sheets that moved."""
    plain: dict[str, Any] = {"patient_id": "P1"}
    gone, held, same = ({"patient_id": name} for name in ("gone", "held", "same"))
    sheets = "patients contacts"
    _night(
        books, {"patients": [plain, gone, held, same], "contacts": [{}]}, moved=sheets
    )
    now = [
        plain | {"last_name": "Ashgrove"},
        held | {"last_name": "x", "held": True},
        same,
    ]
    _night(books, {"patients": now, "contacts": []}, moved="patients")
    versions = "row_key, run_no, removed"
    assert read(books, "ledger.accepted.patients", versions) == [
        ("gone", 1, False), ("gone", 2, True), ("held", 1, False), ("p1", 1, False),
        ("p1", 2, False), ("same", 1, False),
    ]  # fmt: skip
    assert read(books, "ledger.accepted.contacts", versions) == [("acme", 1, False)]
    _night(books, {"patients": now, "contacts": []}, moved="contacts")
    assert read(books, "ledger.accepted.contacts", versions) == [
        ("acme", 1, False), ("acme", 3, True),
    ]  # fmt: skip


def test_a_problem_is_open_until_a_night_does_not_find_it(books: Ledger) -> None:
    moved, of_row, gone = (
        _problem(2, subject="P1"), _problem(2), _problem(7, subject="P7"),
    )  # fmt: skip
    _night(books, {}, moved, of_row, of_row, gone, moved="patients")
    down = replace(moved, place=replace(moved.place, row=3))
    _night(books, {}, down, of_row, moved="patients")
    _night(books, {}, down, of_row, moved="patients")
    assert read(books, "ledger.problems", "subject, row_number, run_no, removed") == [
        ("", 2, 1, False), ("P1", 2, 1, False), ("P1", 3, 2, False), ("P7", 7, 1, False),
        ("P7", 7, 2, True),
    ]  # fmt: skip


def test_a_row_of_the_sent_log_is_recorded_once_and_after_the_night_that_billed(
    books: Ledger,
) -> None:
    first = {
        "invoice_number": "INV-000001", "sent_on": "2026-03-01", "sent_to": "a@example.org",
    }  # fmt: skip
    again, tonight = first | {"how": "post"}, first | {"invoice_number": "INV-000002"}
    lay_out(books, {"as_of": "2026-03-01", "sent": [tonight, first, first, again]})
    for sequence in (1, 2):
        books.connection.execute(
            "insert into ledger.invoices (number, kind, sequence, run_no, issued_on, due_on,"
            " membership, bill_to_name, currency, net, tax, gross)"
            " values (?, 'invoice', ?, ?, ?, ?, true, '', 'GBP', 0, 0, 0)",
            [f"INV-{sequence:06}", sequence, sequence, DAY, DAY],
        )
    record._sendings(books, 2)
    record._sendings(books, 3)
    record._sendings(books, 4)
    assert read(
        books, "ledger.sendings", "sending_no, number, how, source, run_no"
    ) == [
        (1, "INV-000001", None, "sent log", 2),
        (2, "INV-000001", "post", "sent log", 2),
        (3, "INV-000002", None, "sent log", 3),
    ]


def test_a_night_leaves_what_it_made_and_found(books: Ledger) -> None:
    sent = {
        "invoice_number": "INV-000001", "sent_on": "2026-01-31", "sent_to": "a@example.org",
    }  # fmt: skip
    problems = [_problem(2), replace(_problem(3), severity=Severity.HELD), _problem(4)]
    _night(books, {"patients": [{}]}, moved="patients")
    _night(
        books, {"patients": [{}], "sent": [sent]}, *problems, moved="patients", changes=[TOLD]
    )  # fmt: skip
    assert read(books, "ledger.letterheads", "run_no") == [1], "with documents"
    assert read(books, "ledger.invoices", "number, run_no") == [("INV-000001", 1)]
    assert read(books, "ledger.lines", "number, line") == [("INV-000001", 1)]
    assert read(books, "ledger.billed_periods", "patient_key, number") == [
        ("p1", "INV-000001")
    ]
    assert read(books, "ledger.sendings", "number, run_no") == [("INV-000001", 2)]
    assert read(books, "ledger.changes", "subject, run_no") == [("GOLD", 2)]
    assert read(books, "ledger.standings_now", "standing_key, bucket, run_no") == [
        ("p1#1", "already_billed", 2)
    ]
    report = json.loads(read(books, "ledger.runs", "run_no, report")[1][1])
    counted = {name: count for name, count in report["problems"].items() if count}
    assert counted == {"Check": 2, "Not billed": 1}
    assert (report["exit_code"], report["invoices_made"]) == (3, 0)
