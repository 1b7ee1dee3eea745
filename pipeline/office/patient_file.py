"""One patient's membership history, from the ledger alone: what the night knows of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from pipeline.bookkeeping import accounts
from pipeline.bookkeeping.books import Entry
from pipeline.cells.spelling import canonical, show
from pipeline.exports.words import total
from pipeline.judging.meant import no_patient
from pipeline.ledger import STANDINGS, Ledger, current
from pipeline.office.coming_price import Due, next_period
from pipeline.problems import WrongUsage
from schemas.columns import columns
from schemas.inputs import Patients

Row = dict[str, Any]


class NoSuchPatient(WrongUsage):
    """The ledger knows nobody by this Patient ID; the message names a near one."""


@dataclass(frozen=True)
class Change:
    """A cell of the patient's row that changed; what a personal one said is not told."""

    as_of: date
    column: str
    old: str
    new: str
    edited_by: str


@dataclass(frozen=True)
class PatientFile:
    """All there is of a patient, as of the last night.

    `row` is the patient's row as last accepted, None once it has gone; amounts of
    documents are those of the patient's own lines alone. `others` are the lines that
    are for no period. `waiting` are requests that are held for a reason told elsewhere.
    """

    patient_id: str
    name: str
    as_of: date
    practice_name: str
    currency: str
    row: Row | None
    standing: Row | None
    due: Due | None
    periods: tuple[Row, ...]
    others: tuple[Row, ...]
    documents: tuple[Entry, ...]
    sendings: tuple[Row, ...]
    credits: tuple[Row, ...]
    problems: tuple[Row, ...]
    waiting: tuple[Row, ...]
    changes: tuple[Change, ...]


_LAST_DAY = "select max(as_of) from ledger.runs"


def patient_file(ledger: Ledger, patient_id: str) -> PatientFile:
    """The patient's file; raises `NoSuchPatient`."""
    key = _known(ledger, patient_id)
    # A document that was entered again may be known before there is a night.
    night = accounts.last_night(ledger)
    held = json.loads(night["report"])["held"] if night else []
    title, currency = accounts.practice(ledger)
    rows = ledger.rows(
        f"select * from ({current('ledger.accepted.patients', 'row_key')})"
        " where row_key = ?",
        [key],
    )
    row = rows[0] if rows else None
    standings = ledger.rows(
        f"select * from ({STANDINGS})"
        " where canonical(patient_id) = ? order by standing_key",
        [key],
    )
    standing = standings[0] if standings else None
    lines = _lines(ledger, key)
    documents = _documents(ledger, lines)
    numbers = [entry.number for entry in documents]
    waiting = [
        request
        for request in held
        if request["patient_id"] and canonical(request["patient_id"]) == key
    ]
    asked = [request.get("request_id") for request in waiting]
    problems = _problems(ledger, key, numbers, asked)
    told = {row["subject"] for row in problems if row["sheet"] == "Invoice requests"}
    return PatientFile(
        patient_id=_spelled(row, standing, lines, patient_id),
        name=_name(row, lines),
        as_of=night["as_of"] if night else ledger.value(_LAST_DAY),
        practice_name=title,
        currency=currency,
        row=row,
        standing=standing,
        due=next_period(ledger, key, standing) if row else None,
        periods=tuple(_periods(lines, documents)),
        others=tuple(_others(lines, documents)),
        documents=tuple(documents),
        sendings=tuple(_of(ledger, "sendings", numbers, "sent_on, sending_no")),
        credits=tuple(
            _of(ledger, "invoices", numbers, "sequence", "kind = 'credit_note'")
        ),
        problems=tuple(problems),
        waiting=tuple(row for row in waiting if row.get("request_id") not in told),
        changes=tuple(_changes(ledger, key)),
    )


def _known(ledger: Ledger, patient_id: str) -> str:
    """The key of a Patient ID that is in the ledger."""
    if stranger := no_patient(ledger, patient_id):
        raise NoSuchPatient(stranger)
    return canonical(patient_id)


def _spelled(
    row: Row | None, standing: Row | None, lines: list[Row], typed: str
) -> str:
    known = [each for each in (row, standing, *lines[-1:]) if each]
    return str(known[0]["patient_id"]) if known else typed


def _name(row: Row | None, lines: list[Row]) -> str:
    if row:
        parts = (row["title"], row["first_name"], row["last_name"])
        return " ".join(part for part in parts if part)
    return lines[-1]["patient_name"] if lines else ""


def _lines(ledger: Ledger, key: str) -> list[Row]:
    """The patient's own lines, of invoices and credit notes, in order of number."""
    return ledger.rows(
        "select lines.*, invoices.kind from ledger.lines as lines"
        " inner join ledger.invoices as invoices using (number)"
        " where canonical(lines.patient_id) = ?"
        " order by invoices.issued_on, invoices.kind desc, invoices.sequence, line",
        [key],
    )


def _documents(ledger: Ledger, lines: list[Row]) -> list[Entry]:
    """The documents of these lines, each with the sums of these lines alone."""
    numbers = list(dict.fromkeys(line["number"] for line in lines))
    if not numbers:
        return []
    where = "number in (select unnest(?))"
    found = {
        entry.number: entry for entry in accounts.entries(ledger, where, [numbers])
    }
    return [_own(found[number], lines) for number in numbers]


def _own(entry: Entry, lines: list[Row]) -> Entry:
    """A document with what the patient's lines of it come to."""
    own = [line for line in lines if line["number"] == entry.number]
    return entry._replace(
        net=total(line["net"] for line in own),
        tax=total(line["tax"] for line in own),
        gross=total(line["gross"] for line in own),
    )


def _periods(lines: list[Row], documents: list[Entry]) -> Iterator[Row]:
    """Billed periods, oldest first, with the state of their invoice."""
    status = {entry.number: entry.status for entry in documents}
    billed = [
        line for line in lines if line["period_start"] and line["kind"] == "invoice"
    ]
    for line in sorted(billed, key=lambda line: line["period_start"]):
        yield {**line, "status": status[line["number"]]}


def _others(lines: list[Row], documents: list[Entry]) -> Iterator[Row]:
    """What was billed by itself, such as a consultation, in order of number."""
    of = {entry.number: entry for entry in documents}
    for line in lines:
        if not line["period_start"] and line["kind"] == "invoice":
            entry = of[line["number"]]
            yield {**line, "status": entry.status, "issued_on": entry.issued_on}


def _of(
    ledger: Ledger, table: str, numbers: list[str], order: str, where: str = "true"
) -> list[Row]:
    """The rows of a ledger table that belong to these documents."""
    return ledger.rows(
        f"select * from ledger.{table} where {where}"
        f" and number in (select unnest(?::varchar[])) order by {order}",
        [numbers],
    )


def _problems(
    ledger: Ledger, key: str, numbers: list[str], asked: list[str | None]
) -> list[Row]:
    """What stands open at the patient's row, requests and sendings."""
    return ledger.rows(
        f"select * from ({current('ledger.problems', 'fingerprint')})"
        " where (sheet = 'Patients' and canonical(subject) = ?)"
        " or (sheet = 'Sent' and upper(subject) in"
        "  (select upper(unnest(?::varchar[]))))"
        " or (sheet = 'Invoice requests' and subject in (select unnest(?::varchar[])))"
        " order by file, row_number, code",
        [key, numbers, [name for name in asked if name]],
    )


def _changes(ledger: Ledger, key: str) -> Iterator[Change]:
    """What changed from one accepted version of the row to the next, oldest first."""
    versions = ledger.rows(
        "select patients.*, runs.as_of from ledger.accepted.patients as patients"
        " inner join ledger.runs as runs using (run_no) where row_key = ? order by run_no",
        [key],
    )
    for before, now in pairwise(versions):
        by = now["last_edited_by"] or ""
        if now["removed"]:
            yield Change(now["as_of"], "(whole row)", "in the sheet", "gone", "")
            continue
        if before["removed"]:
            yield Change(now["as_of"], "(whole row)", "gone", "in the sheet", by)
        for column in columns(Patients):
            if not column.loaded or column.name == "last_edited_by":
                continue
            old, new = before[column.name], now[column.name]
            if old != new:
                told = ("", "") if column.personal else (_said(old), _said(new))
                yield Change(now["as_of"], column.title, *told, by)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return show(value) if value is not None else "blank"
