"""Enters published invoices again that a restored ledger does not know.

Each lost run becomes a run of its own kind, `adopt`, which keeps what its documents say:
numbers, dates, amounts, lines and periods. Its report names the run that made them and the
seal each was published under, so that their workbooks, made again, are the same.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from pipeline.bookkeeping.books import Document, Line
from pipeline.bookkeeping.seals import first_open_day
from pipeline.cells.spelling import canonical, show
from pipeline.copies.strangers import strangers
from pipeline.exports import invoice
from pipeline.exports.invoice_data import Unreadable, read_back
from pipeline.ledger import Ledger
from pipeline.office.credits import insert, release
from pipeline.problems import Refused, refused
from pipeline.reading.package import unpack
from pipeline.reading.sheets import Unusable
from pipeline.record import add_run, letterhead_columns
from pipeline.transaction import transaction
from schemas.columns import column_types
from schemas.ledger import Invoices, Lines


@dataclass(frozen=True)
class Adopted:
    """The numbers that were entered again, and what to look at, in words."""

    numbers: list[str]
    warnings: list[str]


def adopt(
    ledger: Ledger,
    place: Path,
    out: Path,
    lost: Collection[str],
    version: str,
    emails: Mapping[str, str],
) -> Adopted:
    """Enter the lost documents from their workbooks, in order of number, or refuse.

    `place` is where the ledger will lie; `emails` are addresses by number, as far as they
    are known, since no workbook holds them. Refused, each by its name, are a workbook that
    is not there, whose data were changed or that is another practice's, a number missing
    in the series, and a period that is billed already.
    """
    found = _read(out, lost)
    documents = [
        replace(document, email=emails.get(document.number, ""))
        for document, _ in found
    ]
    _must_be_ours(ledger, place, out, documents)
    _must_follow_on(ledger, documents)
    _must_be_unbilled(ledger, documents)
    for documents_of_run in _runs(documents):
        _enter(ledger, documents_of_run, version)
    warnings = [
        f"{document.path} carries {document.number} as it was made, but is not the file"
        " that was published: look at its page"
        for document, content in found
        if invoice.render(document) != content
    ]
    return Adopted([document.number for document in documents], warnings)


def _read(out: Path, lost: Collection[str]) -> list[tuple[Document, bytes]]:
    """The documents of the lost numbers and their workbooks' bytes."""
    files = {file.stem: file for file in sorted(out.glob("invoices/*/*/*.xlsx"))}
    found, causes = [], []
    for number in sorted(lost):
        if number not in files:
            causes.append(_refuse(
                f"{number}.xlsx", "workbook-missing",
                f"{number} was given out, but its workbook is not in out/invoices",
                "put it back from wherever it went; or use a newer copy",
            ))  # fmt: skip
            continue
        try:
            found.append(_document(number, files[number]))
        except (Unreadable, Unusable, OSError) as error:
            why = str(error) if isinstance(error, Unreadable) else "it cannot be opened"
            causes.append(_refuse(
                str(files[number].relative_to(out)), "workbook-unreadable",
                f"{number} cannot be entered again from its workbook: {why}",
                "put back the workbook as it was published; or use a newer copy",
            ))  # fmt: skip
    if causes:
        raise Refused([problem for cause in causes for problem in cause.problems])
    return found


def _refuse(file: str, code: str, said: str, repair: str) -> Refused:
    return refused(f"out/{file}" if "/" in file else file, code, said, repair)


def _document(number: str, file: Path) -> tuple[Document, bytes]:
    content = file.read_bytes()
    document = read_back(unpack(content).properties)
    if document.number != number:
        raise Unreadable(f"it is the workbook of {document.number}")
    if _sums(document.lines) != (document.net, document.tax, document.gross):
        raise Unreadable("its lines do not add up to it")
    return document, content


def _sums(lines: Sequence[Line]) -> tuple[Any, ...]:
    return tuple(
        sum(getattr(line, name) for line in lines) for name in ("net", "tax", "gross")
    )


def _must_be_ours(
    ledger: Ledger, place: Path, out: Path, documents: Sequence[Document]
) -> None:
    causes = [
        _refuse(
            document.path, "another-practice",
            f"{document.number} is headed {show(document.letterhead.practice_name)}, as"
            " this practice never was in the copy, and of its patients the copy knows"
            " none",
            "move it out of out/invoices if it is another practice's; if this practice"
            " was renamed, type that Practice name in Settings first",
        )
        for document in strangers(ledger, place, out.parent, documents)
    ]  # fmt: skip
    if causes:
        raise Refused([problem for cause in causes for problem in cause.problems])


# Invoices begin with whatever the settings said then.
_BEFORE_THE_FIRST = {"invoice": None, "credit_note": 0}


def _must_follow_on(ledger: Ledger, documents: Sequence[Document]) -> None:
    open_from = first_open_day(ledger)
    for kind in ("invoice", "credit_note"):
        last = ledger.rows(
            "select sequence, issued_on from ledger.invoices where kind = ?"
            " order by sequence desc limit 1",
            [kind],
        )
        before = last[0]["sequence"] if last else _BEFORE_THE_FIRST[kind]
        day = last[0]["issued_on"] if last else None
        for document in sorted(
            (one for one in documents if one.kind == kind), key=lambda one: one.sequence
        ):
            if before is not None and document.sequence != before + 1:
                series = kind.replace("_", " ")
                on = (
                    f"follow on {series} {before}" if before else f"begin the {series}s"
                )
                raise _refuse(
                    document.path, "number-missing",
                    f"{document.number} does not {on}: what comes before it is"
                    " neither in the copy nor in out/invoices",
                    "put the workbooks that are missing back; or use a newer copy",
                )  # fmt: skip
            if day and document.issued_on < day:
                raise _refuse(
                    document.path, "date-falls",
                    f"{document.number} is dated before the number before it",
                    "put back the workbook as it was published; or use a newer copy",
                )  # fmt: skip
            if open_from and document.issued_on < open_from:
                raise _refuse(
                    document.path, "month-closed",
                    f"{document.number} is dated in a month that the copy has closed",
                    "use another copy: this one went on by itself",
                )  # fmt: skip
            before, day = document.sequence, document.issued_on


def _must_be_unbilled(ledger: Ledger, documents: Sequence[Document]) -> None:
    """A copy that went on billing for itself has used up what it would be given."""
    # What lost credit notes freed is no longer billed once they are entered again.
    freed = [
        f"{note.credits_number} {line.credits_line}"
        for note in documents
        for line in note.lines
        if line.rebill
    ]
    for document in documents:
        for line in document.lines:
            if document.kind != "invoice":
                continue
            there = ledger.value(
                "select number from tonight.in_force.billed_periods"
                " where patient_key = $1 and period_start <= $3 and period_end >= $2"
                " and number || ' ' || line not in (select unnest($5::varchar[]))"
                " union all select number from tonight.in_force.filled_requests"
                " where request_key = $4"
                " and number || ' ' || line not in (select unnest($5::varchar[]))",
                [
                    canonical(line.patient_id), line.period_start, line.period_end,
                    canonical(line.request_id) or None, freed,
                ],
            )  # fmt: skip
            if there:
                raise _refuse(
                    document.path, "period-billed",
                    f"what {document.number} bills, {there} of the copy bills already",
                    "use another copy: this one went on billing for itself",
                )  # fmt: skip


def _runs(documents: Sequence[Document]) -> list[list[Document]]:
    """The documents by the run that made them, in the order they can have been made in.

    Each series in order of number, by date; what is billed in place of another line
    comes after the credit note that freed it. Where two runs had one name, their
    letterheads tell them apart.
    """
    in_order = sorted(documents, key=lambda one: (one.kind != "invoice", one.sequence))
    runs = [
        list(group)
        for _, group in groupby(in_order, key=lambda one: (one.run_id, one.letterhead))
    ]
    notes = [group for group in runs if group[0].kind != "invoice"]
    ordered = []
    for made in (group for group in runs if group[0].kind == "invoice"):
        while notes and (notes[0][0].issued_on < made[0].issued_on or any(
            _frees(note, made) for note in notes
        )):  # fmt: skip
            ordered.append(notes.pop(0))
        ordered.append(made)
    return ordered + notes


def _frees(notes: Sequence[Document], made: Sequence[Document]) -> bool:
    """Whether some of what a run made is billed in place of what these took back."""
    freed = {
        (note.credits_number, line.credits_line)
        for note in notes
        for line in note.lines
    }
    return any(
        (line.replaces_number, line.replaces_line) in freed
        for document in made
        for line in document.lines
    )


def _enter(ledger: Ledger, documents: Sequence[Document], version: str) -> None:
    """One lost run, in a transaction of its own."""
    of, day = documents[0].run_id, max(document.issued_on for document in documents)
    run_id = _free_run_id(ledger, f"{of}-adopted")
    report = {
        "run_id": run_id, "command": "adopt", "of": of,
        "seals": {document.number: document.sha256 for document in documents},
    }  # fmt: skip
    with transaction(ledger) as run_no:
        add_run(ledger, run_no, run_id, "adopt", day, version, report)
        head = asdict(documents[0].letterhead)
        names = letterhead_columns().split(", ")
        insert(ledger, "letterheads", ["run_no", *names], [
            {"run_no": run_no, **_blanks(head)}
        ])  # fmt: skip
        for document in documents:
            _enter_document(ledger, document, run_no)


def _free_run_id(ledger: Ledger, wanted: str) -> str:
    taken = {row["run_id"] for row in ledger.rows("select run_id from ledger.runs")}
    run_id, number = wanted, 2
    while run_id in taken:
        run_id, number = f"{wanted}-{number}", number + 1
    return run_id


def _enter_document(ledger: Ledger, document: Document, run_no: int) -> None:
    cells = dict(
        zip(
            ("address_line_1", "address_line_2", "town", "postcode"),
            document.address_cells,
            strict=True,
        )
    )
    row: dict[str, Any] = {**asdict(document), **cells, "run_no": run_no}
    insert(ledger, "invoices", list(column_types(Invoices)), [_blanks(row)])
    insert(ledger, "lines", list(column_types(Lines)), [
        _blanks({**asdict(line), "number": document.number}) for line in document.lines
    ])  # fmt: skip
    if document.kind == "invoice":
        _use_up(ledger, document)
    else:
        release(ledger, document.number)


def _use_up(ledger: Ledger, document: Document) -> None:
    """Its periods and requests are billed, as when it was first recorded."""
    run = ledger.connection.execute
    for line in document.lines:
        key, number = canonical(line.patient_id), document.number
        if line.period_start:
            run(
                "insert into ledger.billed_periods (patient_key, period_start, period_end,"
                " number, line, generation) select $1, $2, $3, $4, $5,"
                " coalesce(max(generation), 0) + 1 from ledger.billed_periods"
                " where patient_key = $1 and period_start = $2",
                [key, line.period_start, line.period_end, number, line.line],
            )
        if line.request_id:
            run(
                "insert into ledger.filled_requests (request_key, number, line, generation)"
                " select $1, $2, $3, coalesce(max(generation), 0) + 1"
                " from ledger.filled_requests where request_key = $1",
                [canonical(line.request_id), number, line.line],
            )


def _blanks(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the ledger has it: what is blank is null."""
    return {name: None if value == "" else value for name, value in row.items()}
