"""Which lost documents can be entered again, and in which order."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from pipeline.bookkeeping.books import Document, Line
from pipeline.copies import adopt
from pipeline.exports import invoice
from pipeline.files import private_folder
from pipeline.ledger import Ledger
from pipeline.problems import Refused
from pipeline.record import add_run
from tests.given import kept_ledger, read
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


# From their workbooks


@pytest.fixture
def copy(books: Ledger, tmp_path: Path) -> Ledger:
    """A copy without a run, of the practice that the documents are headed with."""
    name = LETTERHEAD.practice_name
    (tmp_path / "settings.csv").write_text(
        f"Setting,Value,Last edited by\nPractice name,{name},mm\n"
    )
    return replace(
        books, path=private_folder(tmp_path / "ledger") / "x.duckdb", read_only=False
    )


def _published(out: Path, *documents: Document) -> None:
    for each in documents:
        file = private_folder((out / each.path).parent) / f"{each.number}.xlsx"
        file.write_bytes(invoice.render(each))


def _adopted(copy: Ledger, out: Path, *numbers: str) -> adopt.Adopted:
    emails = {"INV-000001": "a@example.org"}
    return adopt.adopt(copy, copy.path, out, numbers, "1", emails)


def test_lost_documents_are_entered_as_they_were_made(
    copy: Ledger, tmp_path: Path
) -> None:
    asked = line(2, request_id="R1", period_start=None, period_end=None)
    bought = _issued("invoice", 1, FIRST, line(1), asked)
    note = _issued(
        "credit_note", 1, SECOND, line(1, credits_line=1, rebill=True), run_id="c"
    )
    out = tmp_path / "out"
    _published(out, bought, note)
    done = _adopted(copy, out, "INV-000001", "CRN-000001")
    assert done == adopt.Adopted(["CRN-000001", "INV-000001"], [])
    assert read(copy, "ledger.runs", "run_id, command, as_of, report->>'of' as of") == [
        ("2026-03-01-a-adopted", "adopt", "2026-03-01", "2026-03-01-a"),
        ("c-adopted", "adopt", "2026-03-02", "c"),
    ]
    names = "number, kind, sequence, run_no, email, bill_to, gross"
    assert read(copy, "ledger.invoices", names) == [
        ("CRN-000001", "credit_note", 1, 2, None, None, "49.99"),
        ("INV-000001", "invoice", 1, 1, "a@example.org", None, "99.98"),
    ]
    assert read(copy, "ledger.lines", "number, line, request_id, description") == [
        ("CRN-000001", 1, None, "Gold membership"),
        ("INV-000001", 1, None, "Gold membership"),
        ("INV-000001", 2, "R1", "Gold membership"),
    ]
    heads = "run_no, practice_name, invoice_footer"
    head = (LETTERHEAD.practice_name, LETTERHEAD.invoice_footer)
    assert read(copy, "ledger.letterheads", heads) == [(1, *head), (2, *head)]
    period = "patient_key, period_start, number, line, generation"
    assert read(copy, "ledger.billed_periods", period) == [
        ("p0042", "2026-03-01", "INV-000001", 1, 1)
    ]
    assert read(copy, "ledger.released_periods", period) == [
        ("p0042", "2026-03-01", "CRN-000001", 1, 1)
    ]
    request = "request_key, number, line, generation"
    assert read(copy, "ledger.filled_requests", request) == [("r1", "INV-000001", 2, 1)]
    assert read(copy, "ledger.released_requests", request) == []


def test_a_workbook_that_was_saved_again_is_entered_by_its_data_and_told_of(
    copy: Ledger, tmp_path: Path
) -> None:
    made = _issued("invoice", 1, FIRST)
    _published(tmp_path / "out", made)
    file = tmp_path / "out" / made.path
    with ZipFile(file) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with ZipFile(file, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)
    (told,) = _adopted(copy, tmp_path / "out", "INV-000001").warnings
    assert told == (
        f"{made.path} carries INV-000001 as it was made, but is not the file that was"
        " published: look at its page"
    )


@pytest.mark.parametrize(
    ("code", "document"),
    [
        ("workbook-missing", None),
        ("workbook-unreadable", b"words"),
        ("workbook-unreadable", _issued("invoice", 2, FIRST)),
        ("workbook-unreadable", _issued("invoice", 1, FIRST, gross=Decimal("50.00"))),
        ("another-practice", _issued("invoice", 1, FIRST, letterhead=RENAMED)),
        ("date-falls", _issued("invoice", 1, date(2025, 12, 31))),
        ("period-billed", _issued("invoice", 1, FIRST, line(patient_id="P7"))),
    ],
    ids=["none", "damaged", "of another number", "that does not add up", "of a stranger",
         "of an earlier day", "of what is billed"],
)  # fmt: skip
def test_a_workbook_that_cannot_be_entered_changes_nothing(
    code: str, document: Document | bytes | None, copy: Ledger, tmp_path: Path
) -> None:
    run = copy.connection.execute
    run(
        "insert into ledger.invoices (number, kind, sequence, run_no, issued_on, due_on,"
        " membership, bill_to_name, currency, net, tax, gross) values ('INV-000000',"
        " 'invoice', 0, 1, '2026-01-01', '2026-01-01', true, '', 'GBP', 0, 0, 0)"
    )
    run(
        "insert into ledger.billed_periods values"
        " ('p7', '2026-03-01', '2026-03-31', 'INV-000000', 1, 1)"
    )
    file = tmp_path / "out/invoices/2026/03/INV-000001.xlsx"
    private_folder(file.parent)
    if document:
        told = document if isinstance(document, bytes) else invoice.render(document)
        file.write_bytes(told)
    with pytest.raises(Refused) as refused:
        _adopted(copy, tmp_path / "out", "INV-000001")
    assert [problem.code for problem in refused.value.problems] == [code]
    assert copy.last_run_no == 0
