"""The night, top to bottom: read, validate, judge rights, transform, record, publish."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from pipeline import marked_copies
from pipeline.bookkeeping.books import Night
from pipeline.bookkeeping.unsent import limits
from pipeline.clock import Today
from pipeline.crash import forget_old
from pipeline.exports.words import late_in_words
from pipeline.files import private_folder, sweep
from pipeline.judging import known_requests
from pipeline.judging.guards import as_problem, check_guards
from pipeline.judging.price_columns import hold_misplaced
from pipeline.judging.references import resolve
from pipeline.ledger import Ledger, let_go, locked, opened, read_head
from pipeline.marked_copies import Copies
from pipeline.memory import give_back
from pipeline.prepare import Prepared, prepare
from pipeline.problems import Place, Problem, Refused, refused, stops
from pipeline.proof.ending import ending
from pipeline.proof.lost_numbers import must_know_published
from pipeline.proof.soundness import checksum_of, head_of, log_of
from pipeline.proof.verify import is_small
from pipeline.publish import Published, finish, publish
from pipeline.record import Night as Work
from pipeline.record import record, stage
from pipeline.repairs import show_check, show_refusal
from pipeline.settings import read_settings
from pipeline.tables import load_nothing
from pipeline.transaction import recorded, transaction
from pipeline.transform import transform
from pipeline.version import VERSION
from pipeline.workbooks import Sheet
from schemas import INPUTS
from schemas.columns import column_types, name_of
from schemas.inputs import UnreadablePrices
from schemas.ledger import ACCEPTED
from schemas.models import FORECAST


@dataclass(frozen=True)
class Outcome:
    """What a night came to: its exit code, its run as a report, what was written.

    `warnings` are of the clock, and of the checks and the copy that a night ends with;
    they depend on the machine and are recorded nowhere.
    """

    exit_code: int
    night: Night
    published: Published
    report: dict[str, Any]
    warnings: tuple[str, ...] = ()
    # Documents that wait too long to be sent, in words.
    late: str = ""


def _baseline(ledger: Ledger, settings: Sheet) -> None:
    """Work out what the last accepted sheets would give for the same day."""
    run = ledger.connection.execute
    run("use baseline")
    try:
        run("create schema if not exists input")
        run("create or replace table input.run as select * from tonight.input.run")
        for schema in INPUTS:
            name = name_of(schema)
            # Rows were accepted on different nights: where they stood then may coincide.
            source = (
                "(select * replace (row_number() over (order by row_key)::integer as"
                f" row_number) from tonight.staged.before_{name})"
                if schema in ACCEPTED
                else f"tonight.input.{name}"
            )
            if name == "invoice_requests":
                source += (
                    " semi join tonight.staged.known_requests on row_key = request_key"
                )
            listed = ", ".join(column_types(schema))
            run(
                f"create or replace table input.{name} as select {listed} from {source}"
            )
        load_nothing(ledger.connection, UnreadablePrices, "input.unreadable_prices")
        resolve(ledger, {})
        hold_misplaced(ledger, {})
        if not _settings_differ(ledger) or stops(read_settings(ledger, settings)):
            run("create or replace table input.practice as"
                " select * from tonight.input.practice")  # fmt: skip
        transform(ledger.connection, hold=(), models=FORECAST)
    finally:
        run("use tonight")


def _settings_differ(ledger: Ledger) -> bool:
    rows = "select row_key, value from {}.input.settings where not held"
    before, now = rows.format("baseline"), rows.format("tonight")
    return bool(
        ledger.value(
            f"select exists (({before}) except ({now}))"
            f" or exists (({now}) except ({before}))"
        )
    )


def bill(
    folder: Path,
    path: Path,
    *,
    as_of: date | None,
    today: Today,
    accepted: Collection[str] = (),
    command: str = "membill bill",
    say: Callable[[str], None] = lambda text: None,
    tell: Callable[[str], None] = lambda text: None,
) -> Outcome:
    """The night. Raises `Refused` or `Busy` with ledger and outputs as they were.

    A refused night writes the issues workbook and the marked copies alone. `say` is told
    what is being done, and `tell` what was done first of an earlier run.
    """
    started = time.monotonic()
    today = cache(today)
    forget_old()
    with (
        locked(path),
        ending(path) as end,
        _unmade_if_refused(path),
        opened(path, write=True, sheets=folder.glob("*")) as ledger,
    ):
        try:
            _must_take_files(folder / "out")
            must_know_published(ledger, folder / "out")
            if left := finish(ledger, folder / "out"):
                tell(left)
            say("reading the sheets")
            prepared = prepare(ledger, folder, as_of, today)
            say("checking the guards")
            guard(ledger, prepared, accepted, command)
        except Refused as refusal:
            show_refusal(ledger, folder, as_of, today, refusal)
            raise
        copies = marked_copies.make(
            folder, prepared.problems, prepared.as_of, prepared.reading.files
        )
        work = _work(prepared, copies, accepted, time.monotonic() - started)
        say("recording")
        stage(ledger, work)
        with transaction(ledger) as run_no:
            record(ledger, work, run_no)
        with recorded():
            let_go(ledger)
            _give_back(ledger)
            say("writing workbooks")
            published = publish(
                ledger,
                folder / "out",
                withhold=True,
                meanwhile=lambda: end.begin_copy(ledger),
            )
            published.warnings.extend(marked_copies.put(folder / "out", copies))
            _give_back(ledger)
            say("checking the ledger, copying it")
            end.check(ledger, folder / "out")
        night = published.night
        assert night is not None
        late = late_in_words(limits(ledger).counted(night.unsent, night.as_of))
    # The copy is made once the ledger is closed, and may add a warning.
    doubted = (f"the clock may be wrong: {reason}" for reason in prepared.doubts)
    warnings = (*doubted, *end.warnings)
    code = night.report["exit_code"]
    return Outcome(code, night, published, night.report, warnings, late)


def _give_back(ledger: Ledger) -> None:
    """Memory, where there is much of it: looking for it takes a tenth of a second."""
    if not is_small(ledger):
        give_back()


def _work(
    prepared: Prepared, copies: Copies, accepted: Collection[str], seconds: float
) -> Work:
    """What the ledger is to keep of a night."""
    sheets = prepared.reading.sheets
    return Work(
        as_of=prepared.as_of,
        version=VERSION,
        accepted_guards=tuple(sorted(set(accepted))),
        files=prepared.reading.files,
        sheet_files={name: sheet.file for name, sheet in sheets.items()},
        problems=prepared.problems,
        changes=prepared.changes,
        milliseconds=round(seconds * 1000),
        moved=prepared.moved,
        marked=copies.report(),
    )


def _must_take_files(out: Path) -> None:
    """What is billed must be seen: without a folder for it nothing is."""
    try:
        sweep(private_folder(out))
        with TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise refused(
            "out",
            "out-unusable",
            f"no files can be written there ({error.strerror})",
            "make out a folder that membill may write to",
            "a folder",
        ) from None


@contextmanager
def _unmade_if_refused(path: Path) -> Iterator[None]:
    """A ledger made for a first night that is refused is unmade again."""
    fresh = not path.exists()
    try:
        yield
    except Refused:
        if fresh and path.exists() and not (read_head(path) or {"run_no": 0})["run_no"]:
            # The head first: without its ledger it would stop every night to come.
            for file in (head_of(path), log_of(path), checksum_of(path), path):
                file.unlink(missing_ok=True)
        raise


def guard(
    ledger: Ledger, prepared: Prepared, accepted: Collection[str], command: str
) -> None:
    """Raises `Refused` where a guard that was not let through stops the night."""
    # Sheets that say what was last accepted would bill tonight what they bill tonight.
    asked = known_requests.lay_down(ledger)
    compared = bool(ledger.last_night_no and (prepared.moved or asked))
    if compared:
        _baseline(ledger, prepared.reading.sheets["settings"])
    tripped = check_guards(
        ledger,
        prepared.as_of,
        prepared.today,
        accepted,
        prepared.doubts,
        compared=compared,
    )
    if tripped:
        settings = prepared.reading.sheets["settings"]
        place = Place(settings.file, settings.sheet)
        halting = [as_problem(trip, command, place, tripped) for trip in tripped]
        raise Refused(halting + prepared.problems)


@contextmanager
def _looking(folder: Path, path: Path) -> Iterator[Ledger]:
    """The ledger for looking; where there is none yet, nothing is made or locked."""
    held = locked(path, wait=10) if path.parent.exists() else nullcontext()
    with held, opened(path, write=False, sheets=folder.glob("*")) as ledger:
        yield ledger


def preview(
    folder: Path, path: Path, *, as_of: date | None, today: Today
) -> tuple[list[dict[str, Any]], Prepared]:
    """The lines `bill` would make, by the same code, writing nothing; and what is held."""
    with _looking(folder, path) as ledger:
        prepared = prepare(ledger, folder, as_of, today)
        lines = ledger.rows(
            "select * replace ('' as number) from model.new_lines as lines"
            " order by (select sequence from model.new_invoices as invoices"
            " where invoices.number = lines.number), line"
        )
        return lines, prepared


def check_only(
    folder: Path,
    path: Path,
    *,
    as_of: date | None,
    today: Today,
    say: Callable[[list[Problem]], None] = lambda problems: None,
) -> tuple[list[Problem], Path]:
    """Read and validate; write the issues workbook, marked copies and nothing else.

    What was found is said first: the disk may take no workbook.
    """
    today = cache(today)
    with _looking(folder, path) as ledger:
        try:
            prepared = prepare(ledger, folder, as_of, today)
        except Refused as refusal:
            if folder.is_dir():
                show_refusal(ledger, folder, as_of, today, refusal)
            raise
        say(prepared.problems)
        show_check(ledger, folder, prepared)
        return prepared.problems, folder / "out/issues.xlsx"
