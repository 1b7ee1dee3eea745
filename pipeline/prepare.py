"""Read, validate, judge rights, transform: a night worked out, and nothing written."""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from pipeline import bulk
from pipeline.bookkeeping.books import Change
from pipeline.boundary import file_boundary
from pipeline.clock import Today, doubts
from pipeline.ingest import Parsing, faults_of, read_sheet
from pipeline.judging.addresses import missing_addresses
from pipeline.judging.checks import check, lost_columns, nobody_to_judge
from pipeline.judging.price_columns import hold_misplaced
from pipeline.judging.reasons import explain_held, with_amounts, without_filled
from pipeline.judging.references import resolve
from pipeline.judging.swapped_days import swapped_days
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Refused, Severity, stops
from pipeline.reading.agreement import rows_lost
from pipeline.reading.file_age import unchanged_for_long
from pipeline.rights.apply import apply as apply_rights
from pipeline.rights.changed import not_in_force
from pipeline.settings import read_settings
from pipeline.tables import empty, load, load_nothing
from pipeline.transform import transform
from pipeline.workbooks import Reading, Sheet, read_practice
from schemas import INPUTS
from schemas.columns import Schema, column_types, columns, name_of
from schemas.inputs import UnreadablePrices
from schemas.models import RECORDED


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
    judged = apply_rights(ledger, reading.sheets, problems)
    changes = judged.changes
    _unguarded_inputs(ledger)
    problems = _without_effect(problems, judged.overruled) + judged.problems
    problems = _told_once(problems, read_settings(ledger, settings, problems))
    problems += lost_columns(ledger, reading.sheets, problems)
    problems += nobody_to_judge(ledger)
    if {"products", "patients"} <= reading.sheets.keys():
        problems += resolve(ledger, reading.sheets, reading.unusable)
        problems += hold_misplaced(ledger, reading.sheets)
        changes = not_in_force(ledger, changes)
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
    """Parse every sheet into `staged.*`; a sheet that is absent is an empty table.

    The rows of `sheets` are let go of: what follows asks for places alone.
    """
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
        if name in sheets:
            if not stops(parsing.problems):
                problems += rows_lost(ledger.connection, sheets[name], parsing.problems)
            # From here on the database has them; as they were typed they take as much.
            sheets[name] = replace(sheets[name], rows=())
    load_nothing(ledger.connection, UnreadablePrices, "input.unreadable_prices")
    types = list(column_types(UnreadablePrices).values())
    bulk.insert(ledger.connection, "input.unreadable_prices", types, unread)
    return problems


def _without_effect(
    problems: list[Problem], overruled: frozenset[tuple[str, str, int]]
) -> list[Problem]:
    """All of them; those of rows in whose place the accepted ones stand hold nothing."""
    return [
        replace(problem, severity=Severity.CHECK)
        if problem.severity is Severity.HELD
        and (problem.place.file, problem.place.sheet, problem.place.row) in overruled
        else problem
        for problem in problems
    ]


def _told_once(problems: list[Problem], unsettled: list[Problem]) -> list[Problem]:
    """All of them; of a cell on which the night stops nothing else is told."""
    stopped_at = {p.place for p in stops(unsettled) if p.place.row}
    return [
        problem
        for problem in problems + unsettled
        if problem.place not in stopped_at or problem.severity is Severity.STOPS
    ]


def _unguarded_inputs(ledger: Ledger) -> None:
    """Sendings and requests are not versioned: tonight's rows as they are.

    Requests that share an id are all held, each with what it holds back.
    """
    for name in ("invoice_requests", "sent"):
        ledger.connection.execute(
            f"create or replace table input.{name} as select * from staged.{name}"
        )
