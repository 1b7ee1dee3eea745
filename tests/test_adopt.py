"""Which lost documents can be entered again, and in which order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from pipeline.bookkeeping.books import Document, Line
from pipeline.copies import adopt
from pipeline.ledger import Ledger
from pipeline.problems import Refused
from pipeline.record import add_run
from tests.given import kept_ledger
from tests.test_exports_invoice import LETTERHEAD, document, line

FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
SERIES = {"invoice": "INV", "credit_note": "CRN"}


@pytest.fixture
def books() -> Iterator[Ledger]:
    with kept_ledger() as empty:
        yield empty


def _issued(kind: str, sequence: int, day: date, *lines: Line, **more: Any) -> Document:
    if kind == "credit_note":
        more = {"credits_number": "INV-000001"} | more
        lines = lines or (line(credits_line=1),)
    return document(
        *lines, number=f"{SERIES[kind]}-{sequence:06}", kind=kind, sequence=sequence,
        issued_on=day, **more,
    )  # fmt: skip


def _code(check: Any, books: Ledger, documents: Sequence[Document]) -> str:
    """Why they are refused, '' if they are not."""
    try:
        check(books, documents)
    except Refused as refusal:
        return refusal.problems[0].code
    return ""


@pytest.mark.parametrize(
    ("lost", "code"),
    [
        pytest.param([("invoice", 3, SECOND), ("invoice", 4, SECOND)], "",
                     id="they follow on, on one day too"),
        pytest.param([("invoice", 4, SECOND), ("invoice", 3, SECOND)], "",
                     id="however they were found"),
        pytest.param([("invoice", 3, FIRST)], "", id="on the day of the last one"),
        pytest.param([("invoice", 4, SECOND)], "number-missing",
                     id="not on the copy's last one"),
        pytest.param([("invoice", 3, FIRST), ("invoice", 5, SECOND)], "number-missing",
                     id="not on each other"),
        pytest.param([("invoice", 2, SECOND)], "number-missing",
                     id="not under a number that the copy gave"),
        pytest.param([("invoice", 3, date(2026, 2, 28))], "date-falls",
                     id="not before the copy's last day"),
        pytest.param([("invoice", 3, SECOND), ("invoice", 4, FIRST)], "date-falls",
                     id="not before each other"),
        pytest.param([("credit_note", 1, date(2026, 2, 1))], "",
                     id="a series begins, on the first open day too"),
        pytest.param([("credit_note", 1, date(2026, 1, 31))], "month-closed",
                     id="but in no month that the copy has closed"),
        pytest.param([("credit_note", 1, FIRST), ("credit_note", 3, FIRST)],
                     "number-missing", id="of which none is missing either"),
        pytest.param([("invoice", 3, SECOND), ("credit_note", 1, FIRST)], "",
                     id="each series has its own days"),
    ],
)  # fmt: skip
def test_lost_documents_follow_on_what_the_copy_has(
    lost: list[tuple[str, int, date]], code: str, books: Ledger
) -> None:
    run = books.connection.execute
    for sequence in (1, 2):
        run(
            "insert into ledger.invoices (number, kind, sequence, run_no, issued_on, due_on,"
            " membership, bill_to_name, currency, net, tax, gross)"
            " values (?, 'invoice', ?, 1, ?, ?, true, '', 'GBP', 0, 0, 0)",
            [f"INV-{sequence:06}", sequence, FIRST, FIRST],
        )
    run(
        "insert into ledger.closed_months values"
        " ('2026-01', '2026-02-01', 'mm', 0, 0, 0, 0, 0, '', 1)"
    )
    documents = [_issued(*each) for each in lost]
    assert _code(adopt._must_follow_on, books, documents) == code


@pytest.mark.parametrize(
    ("kind", "sequence", "said"),
    [
        ("invoice", 7, ""),
        ("credit_note", 1, ""),
        (
            "credit_note",
            2,
            "out/invoices/2026/03/CRN-000002.xlsx: CRN-000002 does not begin the credit"
            " notes: what comes before it is neither in the copy nor in out/invoices; put"
            " the workbooks that are missing back; or use a newer copy",
        ),
    ],
)
def test_credit_notes_begin_with_1_and_invoices_as_the_settings_said(
    kind: str, sequence: int, said: str, books: Ledger
) -> None:
    found = ""
    try:
        adopt._must_follow_on(books, [_issued(kind, sequence, FIRST)])
    except Refused as refusal:
        found = str(refusal)
    assert found == said


def _asked(request_id: str) -> Line:
    return line(request_id=request_id, period_start=None, period_end=None)


def _note(rebill: bool, number: str = "INV-000001", at: int = 1) -> Document:
    """A credit note over a line of the copy."""
    back = line(credits_line=at, rebill=rebill)
    return _issued("credit_note", 1, SECOND, back, credits_number=number)


LOST = _issued("invoice", 3, SECOND)  # of March, for P0042


@pytest.mark.parametrize(
    ("billed", "lost", "code"),
    [
        pytest.param([], [LOST], "", id="nothing is billed"),
        pytest.param([("p0042", "2026-03-01", "2026-03-31")], [LOST], "period-billed",
                     id="the period is"),
        pytest.param([("p0042", "2026-02-02", "2026-03-01")], [LOST], "period-billed",
                     id="its first day is"),
        pytest.param([("p0042", "2026-02-01", "2026-02-28")], [LOST], "",
                     id="the day before is"),
        pytest.param([("p0042", "2026-03-31", "2026-04-29")], [LOST], "period-billed",
                     id="its last day is"),
        pytest.param([("p0042", "2026-04-01", "2026-04-30")], [LOST], "",
                     id="the day after is"),
        pytest.param([("p0043", "2026-03-01", "2026-03-31")], [LOST], "",
                     id="another patient's is"),
        pytest.param([("p0042", "2026-03-01", "2026-03-31")], [LOST, _note(rebill=True)], "",
                     id="a lost credit note frees it"),
        pytest.param([("p0042", "2026-03-01", "2026-03-31")], [LOST, _note(rebill=False)],
                     "period-billed", id="a lost credit note takes it back for good"),
        pytest.param([("p0042", "2026-03-01", "2026-03-31")],
                     [LOST, _note(rebill=True, at=2)], "period-billed",
                     id="a lost credit note frees another line"),
        pytest.param([("p0042", "2026-03-01", "2026-03-31")], [_note(rebill=False)], "",
                     id="a credit note bills nothing"),
        pytest.param(["r1"], [_issued("invoice", 3, SECOND, _asked("R1"))], "period-billed",
                     id="the request is"),
        pytest.param(["r1"], [_issued("invoice", 3, SECOND, _asked("R2"))], "",
                     id="another request is"),
        pytest.param(["r1"], [LOST], "", id="a request is, and none was asked for"),
    ],
)  # fmt: skip
def test_what_is_billed_in_the_copy_is_not_billed_again_by_what_was_lost(
    billed: list[Any], lost: list[Document], code: str, books: Ledger
) -> None:
    run = books.connection.execute
    for each in billed:
        if isinstance(each, str):
            run(
                "insert into ledger.filled_requests values (?, 'INV-000001', 1, 1)",
                [each],
            )
        else:
            run(
                "insert into ledger.billed_periods values (?, ?, ?, 'INV-000001', 1, 1)",
                each,
            )
    assert _code(adopt._must_be_unbilled, books, lost) == code


RENAMED = replace(LETTERHEAD, practice_name="Harbour Lane and Partners")
INSTEAD = line(replaces_number="INV-000001", replaces_line=1)


@pytest.mark.parametrize(
    ("lost", "runs"),
    [
        pytest.param(
            [_issued("invoice", 2, FIRST), _issued("invoice", 1, FIRST)],
            [["INV-000001", "INV-000002"]], id="those of one run, by number",
        ),
        pytest.param(
            [_issued("invoice", 1, FIRST), _issued("invoice", 2, FIRST, run_id="b")],
            [["INV-000001"], ["INV-000002"]], id="those of two runs",
        ),
        pytest.param(
            [_issued("invoice", 1, FIRST), _issued("invoice", 2, FIRST, letterhead=RENAMED)],
            [["INV-000001"], ["INV-000002"]], id="two runs of one name",
        ),
        pytest.param(
            [_issued("credit_note", 1, FIRST, run_id="c"), _issued("invoice", 1, SECOND)],
            [["CRN-000001"], ["INV-000001"]], id="a credit note of the day before",
        ),
        pytest.param(
            [_issued("credit_note", 1, FIRST, run_id="c"), _issued("invoice", 1, FIRST)],
            [["INV-000001"], ["CRN-000001"]], id="one of the day, over that invoice",
        ),
        pytest.param(
            [
                _issued("credit_note", 1, FIRST, line(credits_line=2), run_id="c"),
                _issued("credit_note", 2, FIRST, run_id="d"),
                _issued("credit_note", 3, FIRST, line(credits_line=3), run_id="e"),
                _issued("invoice", 2, FIRST, INSTEAD),
            ],
            [["CRN-000001"], ["CRN-000002"], ["INV-000002"], ["CRN-000003"]],
            id="one that freed what is billed again, and those before it",
        ),
    ],
)  # fmt: skip
def test_lost_runs_are_entered_in_an_order_they_can_have_been_made_in(
    lost: list[Document], runs: list[list[str]]
) -> None:
    found = adopt._runs(lost)
    assert [[each.number for each in group] for group in found] == runs


@pytest.mark.parametrize(
    ("taken", "name"),
    [([], "a"), (["a"], "a-2"), (["a", "a-2"], "a-3"), (["b", "a-2"], "a")],
)
def test_a_run_that_was_lost_more_than_once_has_a_name_each_time(
    taken: list[str], name: str, books: Ledger
) -> None:
    for run_no, run_id in enumerate(taken, 1):
        add_run(books, run_no, run_id, "adopt", FIRST, "0", {})
    assert adopt._free_run_id(books, "a") == name
