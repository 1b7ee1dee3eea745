"""The night, top to bottom: read, validate, judge rights, transform, record, publish."""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from pipeline import bulk, marked_copies, rights
from pipeline.bookkeeping.books import Change, Night
from pipeline.bookkeeping.unsent import limits
from pipeline.boundary import file_boundary
from pipeline.clock import doubts
from pipeline.exports.words import late_in_words
from pipeline.files import private_folder, sweep
from pipeline.ingest import Parsing, faults_of, read_sheet
from pipeline.judging import known_requests
from pipeline.judging.addresses import missing_addresses
from pipeline.judging.checks import check, lost_columns, nobody_to_judge, swapped_days
from pipeline.judging.guards import as_problem, check_guards
from pipeline.judging.price_columns import hold_misplaced
from pipeline.judging.reasons import explain_held, with_amounts, without_filled
from pipeline.judging.references import resolve
from pipeline.ledger import Ledger, locked, opened, read_head
from pipeline.marked_copies import Copies
from pipeline.problems import Place, Problem, Refused, Severity, refused, stops
from pipeline.proof.ending import ending
from pipeline.proof.soundness import checksum_of, head_of, log_of
from pipeline.proof.verify import lost_since, unknown_numbers
from pipeline.publish import Published, finish, publish
from pipeline.reading.agreement import rows_lost
from pipeline.reading.file_age import unchanged_for_long
from pipeline.record import Night as Work
from pipeline.record import record, stage
from pipeline.repairs import show_check, show_refusal
from pipeline.settings import read_settings
from pipeline.tables import empty, load, load_nothing
from pipeline.transaction import recorded, transaction
from pipeline.transform import transform
from pipeline.workbooks import Reading, Sheet, read_practice
from schemas import INPUTS
from schemas.columns import Schema, column_types, columns, name_of
from schemas.inputs import UnreadablePrices
from schemas.ledger import ACCEPTED
from schemas.models import FORECAST, RECORDED

VERSION = version("membill")

# The clock: asked once, with the practice's time zone.
Today = Callable[[str], date]


@dataclass(frozen=True)
class Prepared:
    """A practice read, validated and worked out for one day; nothing is written yet.

    `moved` names the sheets that do not say, row by row, what was last accepted.
    """

    as_of: date
    today: date
    reading: Reading
    problems: list[Problem]
    changes: list[Change]
    doubts: tuple[str, ...]
    moved: frozenset[str]


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


def _parse(schema: Schema, sheet: Sheet) -> Parsing:
    """The rows of a sheet; none when the file turns out to be beyond reading."""
    refusals: list[Problem] = []
    with file_boundary(Place(sheet.file), refusals):
        return read_sheet(schema, sheet)
    return Parsing(empty(schema), refusals)


def _faults_beside(stopped: dict[str, Sheet]) -> list[Problem]:
    """What else is wrong in sheets that stop the night, each cell by itself."""
    found: list[Problem] = []
    for schema in INPUTS:
        if name_of(schema) in stopped:
            sheet = stopped[name_of(schema)]
            with file_boundary(Place(sheet.file), found):
                faults = faults_of(schema, sheet)
                found += _as_checks(faults) if sheet.table == "sent" else faults
    return found


def _as_checks(problems: list[Problem]) -> list[Problem]:
    """A row of the sent log that cannot be used keeps nothing from being billed."""
    unsent = "so this row does not mark its invoice as sent"
    return [
        replace(problem, severity=Severity.CHECK, found=f"{problem.found}, {unsent}")
        if problem.severity is Severity.HELD
        else problem
        for problem in problems
    ]


def _stage(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """Parse every sheet into `staged.*`; a sheet that is absent is an empty table."""
    problems: list[Problem] = []
    unread: list[tuple[str, int, str]] = []
    for schema in INPUTS:
        name = name_of(schema)
        rows = empty(schema)
        if name in sheets:
            for column in columns(schema):
                if column.kind == "date" and column.loaded:
                    problems += swapped_days(sheets[name], column.name, column.title)
            parsing = _parse(schema, sheets[name])
            rows = parsing.rows
            unread += [(name, row, column) for row, column in parsing.unread]
            problems += (
                _as_checks(parsing.problems) if name == "sent" else parsing.problems
            )
        load(ledger.connection, schema, rows, f"staged.{name}")
        if name in sheets and not stops(parsing.problems):
            problems += rows_lost(ledger.connection, sheets[name], parsing.problems)
    load_nothing(ledger.connection, UnreadablePrices, "input.unreadable_prices")
    types = list(column_types(UnreadablePrices).values())
    bulk.insert(ledger.connection, "input.unreadable_prices", types, unread)
    return problems


def _told_once(problems: list[Problem], unsettled: list[Problem]) -> list[Problem]:
    """All of them; of a cell on which the night stops nothing else is told."""
    stops = {p.place for p in unsettled if p.severity is Severity.STOPS and p.place.row}
    return [
        problem
        for problem in problems + unsettled
        if problem.place not in stops or problem.severity is Severity.STOPS
    ]


def prepare(ledger: Ledger, folder: Path, as_of: date | None, today: Today) -> Prepared:
    """Read and validate a practice and run the rules over it.

    Raises `Refused` with every cause at once when the night cannot go on.
    """
    reading = read_practice(folder)
    problems = list(reading.problems)
    problems += _faults_beside(reading.stopped) + _stage(ledger, reading.sheets)
    settings = reading.sheets.get("settings")
    if settings is None:
        raise Refused(problems)
    if not {"tax_codes", "staff", "roles"} <= reading.sheets.keys():
        # Nobody's right can be judged, but what is wrong with the settings can be told.
        ledger.connection.execute(
            "create or replace table input.settings as select * from staged.settings"
        )
        raise Refused(_told_once(problems, read_settings(ledger, settings, problems)))
    judged = rights.apply(ledger, reading.sheets, problems)
    changes = judged.changes
    _unguarded_inputs(ledger)
    problems += judged.problems
    problems = _told_once(problems, read_settings(ledger, settings, problems))
    problems += lost_columns(ledger, reading.sheets) + nobody_to_judge(ledger)
    if {"products", "patients"} <= reading.sheets.keys():
        problems += resolve(ledger, reading.sheets, reading.unusable)
        problems += hold_misplaced(ledger, reading.sheets)
        changes = rights.not_in_force(ledger, changes)
    if stops(problems):
        raise Refused(problems)
    zone = ledger.value("select time_zone from input.practice")
    now = today(zone)
    day = as_of or now
    ledger.connection.execute(
        "create or replace table input.run as select ?::date as as_of", [day]
    )
    problems += check(ledger, reading.sheets, day)
    problems += unchanged_for_long(ledger, reading, day)
    if stops(problems):
        raise Refused(problems)
    transform(ledger.connection, hold=RECORDED)
    problems += explain_held(ledger, reading.sheets)
    problems += missing_addresses(ledger, reading.sheets)
    problems = with_amounts(ledger, without_filled(ledger, problems))
    # A day that was given does not rest on the clock.
    against = () if as_of else doubts(ledger, folder, reading.files, now)
    return Prepared(day, now, reading, problems, changes, against, judged.moved)


def _unguarded_inputs(ledger: Ledger) -> None:
    """Sendings and requests are not versioned: tonight's rows as they are.

    Requests that share an id are all held, each with what it holds back.
    """
    run = ledger.connection.execute
    run(
        "create or replace table input.invoice_requests as"
        " select * from staged.invoice_requests"
    )
    run(
        "create or replace table input.sent as select * from staged.sent"
        " qualify row_number() over (partition by coalesce(row_key,"
        " 'row ' || row_number) order by held desc, row_number) = 1"
    )


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
        if not _settings_differ(ledger) or stops(
            read_settings(ledger, replace(settings, rows=[]))
        ):
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

    A refused night writes the issues workbook alone. `say` is told what is being done,
    and `tell` what was done first of an earlier run.
    """
    started = time.monotonic()
    today = cache(today)
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
            say("writing workbooks")
            published = publish(ledger, folder / "out", withhold=True)
            published.warnings.extend(marked_copies.put(folder / "out", copies))
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


def must_know_published(ledger: Ledger, out: Path) -> None:
    """A number that was published and that the ledger does not know was lost with it."""
    lost = unknown_numbers(ledger, out, lost_since(ledger))
    if not lost:
        return
    lie = f"{lost[-1]} lies in out/invoices but is not"
    if len(lost) > 1:
        lie = f"{lost[-1]} and {len(lost) - 1} more lie in out/invoices but are not"
    raise refused(
        f"ledger/{ledger.path.name}",
        "published-unknown",
        f"{lie} in the ledger: it is an older"
        " or a new one, and would give their numbers out again",
        "bring it back with `membill restore`, or enter them again with `membill restore"
        " --adopt`; if the workbooks are of another practice or only a trial, move"
        " out/invoices away",
        "the ledger that made them",
    )


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
        stops = [as_problem(trip, command, place, tripped) for trip in tripped]
        raise Refused(stops + prepared.problems)


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
