"""Takes a patient's name and address out of copies past the retention; never money.

The Patient ID stays: it is the pseudonym, and it keeps a period from being billed twice.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipeline.clock import Today
from pipeline.connecting import A_LEDGER, lock_down, quoted, settings_for
from pipeline.copies.backups import DAYS_KEPT, MONTHS_KEPT
from pipeline.copies.csv_copies import KEPT
from pipeline.exports.imports import NAMING
from pipeline.exports.words import counted
from pipeline.files import DRAFT, sweep, sync_folder
from pipeline.in_force import setting_in_force
from pipeline.ledger import (
    NEW_FILE,
    Ledger,
    current,
    locked,
    opened,
)
from pipeline.office.desk import WrongRequest, day_of, must_may
from pipeline.outbox import DOCUMENT_PATH
from pipeline.personal import FORGOTTEN, LINE, PATIENT, PAYER, SENDING, Part
from pipeline.proof.soundness import at_work
from pipeline.publish import publish
from pipeline.record import add_run, run_id_of
from pipeline.transaction import DISK_FAILURES, Unfinished, transaction
from pipeline.version import VERSION
from schemas.columns import columns
from schemas.inputs import Patients


@dataclass(frozen=True)
class Outcome:
    """What was forgotten, what is too young for it, and the files a person must delete."""

    patient_id: str
    documents: tuple[str, ...]
    versions: int
    kept: tuple[tuple[str, date], ...]
    workbooks: tuple[Path, ...]
    cutoff: date
    warnings: tuple[str, ...]

    def told(self) -> Iterator[str]:
        """The outcome in lines: ids, numbers and paths alone."""
        of = f"from {self.cutoff} or before"
        yield (
            f"{self.patient_id}: {counted(len(self.documents), 'document')} and"
            f" {counted(self.versions, 'earlier row')} {of} name nobody any more"
        )
        for number, issued_on in self.kept:
            yield f"kept, as it is younger: {number} of {issued_on}"
        for file in self.workbooks:
            yield f"still shows the patient; delete it and its copies: {file}"
        yield (
            f"copies in ledger/backups still hold the data until they go, after"
            f" {DAYS_KEPT} nights or {MONTHS_KEPT} months, as CSV after {KEPT} weeks; what"
            " `membill backup` made there and what is in ledger/replaced, until somebody"
            " deletes it; give this command again if one of them is ever restored"
        )


@dataclass(frozen=True)
class _Work:
    """The copies that are old enough: parts of records, row versions, problems."""

    parts: tuple[tuple[Part, dict[str, Any]], ...]
    versions: tuple[int, ...]
    problems: tuple[tuple[str, int], ...]

    def __bool__(self) -> bool:
        return bool(self.parts or self.versions or self.problems)


def forget(
    folder: Path, path: Path, patient_id: str, *, by: str, on: date | None, today: Today
) -> Outcome:
    """Pseudonymise what the ledger keeps of a patient from before the retention.

    Raises `WrongRequest` for an active member, a stranger, a user without the right,
    and where nothing is old enough; then nothing is changed.
    """
    with locked(path):
        with opened(path, write=path.exists()) as ledger:
            must_may(ledger, by, "patients")
            must_may(ledger, by, "invoices")
            key, known = _known(ledger, patient_id)
            _must_have_left(ledger, key, known)
            day = day_of(ledger, on, today)
            cutoff = _years_before(
                day, int(str(setting_in_force(ledger, "retention_years")))
            )
            kept = _younger(ledger, key, cutoff)
            work = _work(ledger, key, cutoff)
            if not work and not _forgotten_before(ledger, key):
                raise WrongRequest(_nothing(known, cutoff, kept))
            if work:
                _record(ledger, work, key, known, day, cutoff, by)
        # The old words still lie in the file where they were; a file made anew has none.
        try:
            _write_anew(path)
        except (OSError, *DISK_FAILURES):
            raise Unfinished(
                f"{known} is forgotten, but the ledger's file could not be written anew"
                " and may still hold the old words: make room, and give this command again"
            ) from None
        with opened(path, write=True) as ledger:
            warnings = publish(ledger, folder / "out").warnings
            documents = _forgotten_documents(ledger, key)
            shown = _files_of(ledger, documents)
    files = [folder / "out" / file for file in shown]
    return Outcome(
        known,
        tuple(number for number, _ in documents),
        len(work.versions),
        tuple(kept),
        tuple(file for file in files if file.exists()),
        cutoff,
        tuple(warnings),
    )


def _known(ledger: Ledger, patient_id: str) -> tuple[str, str]:
    """The patient's key, and the id as the ledger spells it."""
    row = ledger.rows(
        "select canonical(patient_id) as key, patient_id from ("
        " select patient_id from ledger.lines"
        " union all select patient_id from ledger.accepted.patients"
        ") where canonical(patient_id) = canonical(?) limit 1",
        [patient_id],
    )
    if not row:
        raise WrongRequest(f"no patient {patient_id} is known to this ledger")
    return row[0]["key"], row[0]["patient_id"]


def _must_have_left(ledger: Ledger, key: str, patient_id: str) -> None:
    in_force = current("ledger.accepted.patients", "row_key")
    if ledger.value(
        f"select count(*) from ({in_force}) where row_key = ? and membership_active"
        " and (end_date is null or end_date >="
        "  (select max(as_of) from ledger.runs where command = 'bill'))",
        [key],
    ):
        raise WrongRequest(
            f"{patient_id} is an active member by the sheets of the last night; end the"
            " membership first"
        )


def _years_before(day: date, years: int) -> date:
    """The same day so many years ago; 28 February where there was no 29th."""
    if (day.month, day.day) == (2, 29):
        day = day.replace(day=28)
    return day.replace(year=day.year - years)


_OF_PATIENT = (
    "number in (select number from ledger.lines where canonical(patient_id) = ?)"
)


def _younger(ledger: Ledger, key: str, cutoff: date) -> list[tuple[str, date]]:
    rows = ledger.rows(
        f"select number, issued_on from ledger.invoices where {_OF_PATIENT}"
        " and issued_on > ? order by issued_on, number",
        [key, cutoff],
    )
    return [(row["number"], row["issued_on"]) for row in rows]


def _work(ledger: Ledger, key: str, cutoff: date) -> _Work:
    """What is old enough and not forgotten yet."""
    given = [key, cutoff]
    old = f"{_OF_PATIENT} and number in (select number from ledger.invoices"
    old += " where issued_on <= ?)"
    # A line may stand among other people's, and a contact's address is the contact's.
    own = f"{old} and canonical(patient_id) = ?"
    headers = ledger.rows(f"select * from ledger.invoices where {own}", [*given, key])
    lines = ledger.rows(f"select * from ledger.lines where {own}", [*given, key])
    paid = [row for row in headers if row["bill_to"] is None]
    sendings = ledger.rows(
        "select * from ledger.sendings where number in"
        f" (select number from ledger.invoices where {own} and bill_to is null)",
        [*given, key],
    )
    parts = [
        *((PATIENT, row) for row in headers),
        *((PAYER, row) for row in paid),
        *((LINE, row) for row in lines),
        *((SENDING, row) for row in sendings),
    ]
    before = _forgotten_parts(ledger)
    fresh = [(p, row) for p, row in parts if (p.name, p.key_of(row)) not in before]
    return _Work(tuple(fresh), *_older_versions(ledger, key, cutoff))


def _older_versions(
    ledger: Ledger, key: str, cutoff: date
) -> tuple[tuple[int, ...], tuple[tuple[str, int], ...]]:
    """Versions of the patient's row, and of problems with it, that no longer count."""
    versions = ledger.rows(
        "select run_no from ledger.accepted.patients as patients"
        " inner join ledger.runs as runs using (run_no)"
        " where row_key = ? and as_of <= ? and last_name is distinct from ?"
        f" and (row_key, run_no) not in (select (row_key, run_no) from"
        f" ({current('ledger.accepted.patients', 'row_key')})) order by run_no",
        [key, cutoff, FORGOTTEN],
    )
    problems = ledger.rows(
        "select fingerprint, run_no from ledger.problems as problems"
        " inner join ledger.runs as runs using (run_no)"
        " where canonical(subject) = ? and as_of <= ? and personal and found <> ?"
        " and fingerprint not in (select fingerprint from"
        f" ({current('ledger.problems', 'fingerprint')}))",
        [key, cutoff, FORGOTTEN],
    )
    return (
        tuple(row["run_no"] for row in versions),
        tuple((row["fingerprint"], row["run_no"]) for row in problems),
    )


def _forgotten_parts(ledger: Ledger) -> set[tuple[str, str]]:
    rows = ledger.rows("select part, record_key from ledger.forgotten")
    return {(row["part"], row["record_key"]) for row in rows}


def _forgotten_before(ledger: Ledger, key: str) -> bool:
    """A command that was cut short is finished by giving it again."""
    versions = ledger.value(
        "select count(*) from ledger.accepted.patients"
        " where row_key = ? and last_name = ?",
        [key, FORGOTTEN],
    )
    return bool(versions or _forgotten_documents(ledger, key))


def _forgotten_documents(ledger: Ledger, key: str) -> list[tuple[str, str]]:
    """Number and place of each document that names the patient no more."""
    rows = ledger.rows(
        f"select distinct number, {DOCUMENT_PATH} as path, sequence, kind"
        " from ledger.invoices as invoices inner join ledger.lines as lines using (number)"
        " semi join in_force.forgotten_lines using (number, line)"
        " where canonical(lines.patient_id) = ?"
        " order by kind desc, sequence",
        [key],
    )
    return [(row["number"], row["path"]) for row in rows]


def _files_of(ledger: Ledger, documents: list[tuple[str, str]]) -> list[str]:
    """The workbooks and PDFs of documents, and the import files they left in."""
    left = ledger.rows(
        f"select distinct path from ({NAMING})"
        " where number in (select unnest(?)) order by path",
        [[number for number, _ in documents]],
    )
    own = [
        path.removesuffix(".xlsx") + ending
        for _, path in documents
        for ending in (".xlsx", ".pdf")
    ]
    return own + [row["path"] for row in left]


def _nothing(patient_id: str, cutoff: date, kept: list[tuple[str, date]]) -> str:
    young = ", ".join(f"{number} of {day}" for number, day in kept)
    return f"nothing of {patient_id} is from {cutoff} or before" + (
        f"; kept are {young}" if young else ""
    )


def _record(
    ledger: Ledger, work: _Work, key: str, patient_id: str, day: date, cutoff: date,
    by: str,
) -> None:  # fmt: skip
    """Write the pseudonyms and the hashes of what they take the place of, as one run."""
    run_id = run_id_of(ledger, day)
    report = {
        "run_id": run_id,
        "command": "forget",
        "patient_id": patient_id,
        "cutoff": cutoff.isoformat(),
        "numbers": sorted({row["number"] for _, row in work.parts}),
        "versions": list(work.versions),
    }
    with transaction(ledger) as run_no:
        for part, row in work.parts:
            _forget_part(ledger, part, row, run_no)
        _forget_versions(ledger, key, work.versions)
        for fingerprint, version in work.problems:
            ledger.connection.execute(
                "update ledger.problems set found = ?, repair = ?"
                " where fingerprint = ? and run_no = ?",
                [FORGOTTEN, FORGOTTEN, fingerprint, version],
            )
        add_run(ledger, run_no, run_id, "forget", day, VERSION, report, by=by)


def _forget_part(ledger: Ledger, part: Part, row: dict[str, Any], run_no: int) -> None:
    ledger.connection.execute(
        "insert into ledger.forgotten (part, record_key, sha256, run_no)"
        " values (?, ?, ?, ?)",
        [part.name, part.key_of(row), part.digest(row), run_no],
    )
    new = part.pseudonyms(row)
    ledger.connection.execute(
        f"update ledger.{part.table} set {', '.join(f'{name} = ?' for name in new)}"
        f" where {' and '.join(f'{name} = ?' for name in part.key)}",
        [*new.values(), *(row[name] for name in part.key)],
    )


def _forget_versions(ledger: Ledger, key: str, versions: Sequence[int]) -> None:
    personal = [column.name for column in columns(Patients) if column.personal]
    blank = ", ".join(
        f"{name} = '{FORGOTTEN}'" if name in ("first_name", "last_name")
        else f"{name} = null"
        for name in personal
    )  # fmt: skip
    for run_no in versions:
        ledger.connection.execute(
            f"update ledger.accepted.patients set {blank}"
            " where row_key = ? and run_no = ?",
            [key, run_no],
        )


def _write_anew(path: Path) -> None:
    """Copy the ledger row by row into a new file and put that in its place."""
    # A draft by name: what a kill leaves of it is swept up by the next run.
    draft = path.with_name(f".{path.name}{DRAFT}")
    sweep(path.parent)
    with at_work(path):
        _copy_rows(path, draft)
        draft.chmod(0o600)
        os.replace(draft, path)
        sync_folder(path.parent)


def _copy_rows(source: Path, target: Path) -> None:
    with duckdb.connect(":memory:", config=settings_for(source)) as connection:
        connection.execute(
            f"attach '{quoted(source)}' as ledger ({A_LEDGER}, read_only)"
        )
        connection.execute(f"attach '{quoted(target)}' as anew {NEW_FILE}")
        lock_down(connection)
        connection.execute("copy from database ledger to anew")
        connection.execute("checkpoint anew")
        connection.execute("detach anew; detach ledger")
