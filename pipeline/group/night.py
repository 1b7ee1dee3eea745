"""One practice's night in a worker: a job comes in, a small plain record goes back."""

import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pipeline.files import private_folder, write_text

Result = TypeVar("Result")

CRASHED, HELD, REFUSED, BUSY = 1, 3, 4, 5
MOST_REASONS = 5
PAUSE = 0.5  # seconds, after which a killed worker's lock is free


@dataclass(frozen=True)
class Job:
    """A night to be worked: the practice's name in its group, and where its files are.

    `moment` is when the group began: all of its practices are billed for that moment's
    day, each in its own time zone. `version` is that of the program that asks.
    """

    practice: str
    folder: Path
    ledger: Path
    as_of: date | None
    moment: datetime
    group: str
    version: str
    command: str


@dataclass(frozen=True)
class Record:
    """What a night came to: ids, counts, sums and sentences, never a patient's data.

    `code` is the exit code that `membill bill` would have ended with. Documents and
    their sums are of the whole group, also where an earlier try of it was killed.
    `issues` says that the night wrote its issues workbook.
    """

    practice: str
    code: int
    why: tuple[str, ...] = ()
    name: str = ""
    currency: str = "GBP"
    as_of: date | None = None
    run_id: str = ""
    documents: int = 0
    net: Decimal = Decimal("0.00")
    tax: Decimal = Decimal("0.00")
    gross: Decimal = Decimal("0.00")
    held: int = 0
    held_sum: Decimal = Decimal("0.00")
    held_unknown: int = 0
    unsent: int = 0
    unsent_sum: Decimal = Decimal("0.00")
    late: str = ""
    issues: bool = False
    seconds: float = 0.0


def night(job: Job) -> Record:
    """Bill a practice. Whatever happens becomes a record; nothing is raised."""
    os.umask(0o077)
    started, issues = time.monotonic(), _issues(job)
    try:
        record = _billed(job)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a panic of a library in Rust is no Exception
        record = _failed(job, error)
    seconds = round(time.monotonic() - started, 2)
    return replace(record, seconds=seconds, issues=_issues(job) != issues)


def _issues(job: Job) -> tuple[int, int] | None:
    """What tells one issues workbook of a practice from the next."""
    try:
        found = (job.folder / "out" / "issues.xlsx").stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _billed(job: Job) -> Record:
    from pipeline.exports import words
    from pipeline.run import bill

    _must_be_there(job)
    before = _runs_before(job)
    outcome = _unless_dying(
        lambda: bill(
            job.folder,
            job.ledger,
            as_of=job.as_of,
            today=lambda zone: job.moment.astimezone(ZoneInfo(zone)).date(),
            command=job.command,
        )
    )
    night = outcome.night
    documents, net, tax, gross = _made(job, before, outcome.report)
    return Record(
        practice=job.practice,
        code=outcome.exit_code,
        why=(*_clock_and_files(outcome.warnings, outcome.published.warnings),),
        name=night.practice_name,
        currency=night.currency,
        as_of=night.as_of,
        run_id=night.run_id,
        documents=documents,
        net=net,
        tax=tax,
        gross=gross,
        held=len(night.held),
        held_sum=Decimal(outcome.report["held_value"]),
        held_unknown=sum(held.amount is None for held in night.held),
        unsent=len(night.unsent),
        unsent_sum=words.total(words.signed(entry) for entry in night.unsent),
        late=outcome.late,
    )


def _clock_and_files(*warnings: tuple[str, ...] | list[str]) -> list[str]:
    return _shortened([text for some in warnings for text in some])


def _must_be_there(job: Job) -> None:
    """A folder that this machine does not see must not be made by its lock."""
    from pipeline.problems import refused

    if version("membill") != job.version:
        raise refused(
            socket.gethostname(),
            "version",
            f"this worker has membill {version('membill')} and the group {job.version}",
            "put the same version on every machine",
        )
    if not job.folder.is_dir():
        raise refused(
            job.practice,
            "folder",
            f"there is no such folder on {socket.gethostname()}",
            "see that every worker's machine has the practices' storage connected",
        )


def _runs_before(job: Job) -> int:
    """How many runs the ledger had when this group first came to the practice.

    It is noted beside the ledger, since a killed try may have recorded a run already.
    """
    from pipeline.ledger import read_head

    note = job.ledger.parent / "group.json"
    try:
        noted = json.loads(note.read_text(encoding="utf-8"))
        if noted["group"] == job.group:
            return int(noted["run_no"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    head = read_head(job.ledger)
    run_no = int(head["run_no"]) if head else 0
    private_folder(job.ledger.parent)
    write_text(note, json.dumps({"group": job.group, "run_no": run_no}) + "\n")
    return run_no


def _unless_dying(work: Callable[[], Result]) -> Result:
    """Do it, once more after a moment where the lock is held.

    A try that follows a killed one can be quicker than the machine, which frees the
    lock when the killed process is gone.
    """
    from pipeline.ledger import Busy

    try:
        return work()
    except Busy:
        time.sleep(PAUSE)
        return work()


def _made(
    job: Job, before: int, report: dict[str, object]
) -> tuple[int, Decimal, Decimal, Decimal]:
    """How many invoices this group made of the practice, and their net, tax and gross."""
    from pipeline.ledger import locked, opened, read_head

    head = read_head(job.ledger)
    if head is None or head["run_no"] <= before + 1:
        totals = report["totals"]
        assert isinstance(totals, dict)
        sums = (Decimal(totals[name]) for name in ("net", "tax", "gross"))
        return (int(str(report["invoices_made"])), *sums)  # type: ignore[return-value]
    with locked(job.ledger, wait=10), opened(job.ledger, write=False) as ledger:
        (row,) = ledger.rows(
            "select count(*) as documents, coalesce(sum(net), 0) as net,"
            " coalesce(sum(tax), 0) as tax, coalesce(sum(gross), 0) as gross"
            " from ledger.invoices where kind = 'invoice' and run_no > ?",
            [before],
        )
    return row["documents"], row["net"], row["tax"], row["gross"]


def _failed(job: Job, error: BaseException) -> Record:
    """The record of a night that raised: its exit code and why, in sentences."""
    from pipeline.crash import keep
    from pipeline.ledger import Busy
    from pipeline.problems import Refused, stops
    from pipeline.transaction import DISK_FAILURES, Unfinished

    match error:
        case Refused():
            code, why = REFUSED, [p.public() for p in stops(error.problems)]
        case Busy():
            code, why = BUSY, [str(error)]
        case Unfinished():
            code, why = CRASHED, [str(error)]
        case _ if isinstance(error, DISK_FAILURES):
            code, why = REFUSED, [
                "the ledger could not be read or written: the disk is full or the file"
                " is damaged; run `membill verify`"
            ]  # fmt: skip
        case OSError():
            file = error.filename or "a file"
            code, why = REFUSED, [f"{file}: {error.strerror}"]
        case _:
            kept = keep(error)
            code, why = CRASHED, [
                f"a fault of the program's own ({type(error).__name__}); what was recorded"
                f" before is whole, details are in {kept} on {socket.gethostname()}"
            ]  # fmt: skip
    return Record(job.practice, code, tuple(_shortened(why)))


def _shortened(sentences: list[str]) -> list[str]:
    """The first few sentences, each on one line, and how many more there are."""
    from pipeline.exports.exact_text import legible

    shown = [legible(text).replace("\n", " ") for text in sentences[:MOST_REASONS]]
    more = len(sentences) - len(shown)
    return [*shown, f"and {more} more: see issues.xlsx"] if more else shown
