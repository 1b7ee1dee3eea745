"""The Settings sheet as one typed row; a setting that makes no sense stops the night."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

import pyarrow as arrow

from pipeline.cells import parse
from pipeline.cells.spelling import heading, show
from pipeline.frames import for_pandera
from pipeline.ingest import within
from pipeline.judging.sense import nonsense
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity, stops
from pipeline.tables import load
from pipeline.workbooks import Sheet
from schemas.arrow_types import ARROW
from schemas.columns import Column, columns
from schemas.frames import rules_of
from schemas.lean_pandera import pa
from schemas.practice import Practice


def read_settings(
    ledger: Ledger, sheet: Sheet, told: Sequence[Problem] = ()
) -> list[Problem]:
    """Make `input.practice` from `input.settings`, with defaults filled in.

    `told` says which cells cannot be read and which rows nobody entitled signed.
    Returns what is wrong; any problem that stops the night leaves no `input.practice`.
    """
    # A new row that nobody entitled signed is not used, as if it were not there; a row
    # that cannot be read stops the night.
    rows = ledger.rows(
        "select setting, value, row_number, held from input.settings"
        " where setting is not null and (not held or row_number in"
        "  (select row_number from tonight.staged.settings where held))"
        " order by row_number nulls first"
    )
    typed = {heading(row["setting"]): row for row in rows}
    in_sheet = defaultdict[str, list[dict[str, object]]](list)
    for each in ledger.rows(
        "select setting, value, row_number from tonight.staged.settings"
        " where setting is not null order by row_number"
    ):
        in_sheet[heading(each["setting"])].append(each)
    problems = _unknown(rows, sheet)
    values: dict[str, object] = {}
    unusable: set[str] = set()
    for column in columns(Practice):
        row = typed.get(heading(column.title))
        again = in_sheet[heading(column.title)]
        value, problem = _setting(column, row, sheet)
        if problem and problem.code == "setting-missing":
            problem = _missing(column, again[-1] if again else None, sheet, told)
        values[column.name] = value
        if problem:
            unusable.add(column.title)
        if problem and problem.code == "setting-held":
            problems += _of_held(column, again, sheet, told) or [problem]
        else:
            problems += [problem] if problem else _as_read(column, row, again, sheet)
    given = {
        column.name: arrow.array([values[column.name]], ARROW[column.type])
        for column in columns(Practice)
    }
    senseless = _out_of_range(given, typed, sheet)
    senseless += _nonsense(ledger, values, typed, sheet)
    # A setting that has no value is told already.
    problems += [problem for problem in senseless if problem.subject not in unusable]
    if not stops(problems):
        load(ledger.connection, Practice, arrow.table(given), "input.practice")
    return problems


def _place(sheet: Sheet, row: dict[str, object] | None) -> Place:
    number = row["row_number"] if row else None
    if isinstance(number, int):
        return sheet.place(number, "value")
    return Place(sheet.file, sheet.sheet)


def _stop(code: str, place: Place, column: Column, found: str, repair: str) -> Problem:
    return Problem(
        Severity.STOPS,
        code,
        place,
        found,
        column.expected,
        repair,
        subject=column.title,
    )


def _setting(
    column: Column, row: dict[str, object] | None, sheet: Sheet
) -> tuple[object, Problem | None]:
    """One setting's value, or why there is none."""
    typed = row["value"] if row else None
    if row and row["held"]:
        # What is wrong with its cells is told in its place.
        return None, _stop(
            "setting-held",
            _place(sheet, row),
            column,
            f"the setting {column.title} cannot be used",
            f"write {column.expected}, signed by somebody who may edit Settings",
        )
    result = parse(typed, column)
    if result.fault and result.fault.severity is Severity.HELD:
        return None, _stop(
            "setting-unusable",
            _place(sheet, row),
            column,
            f"{column.title}: {result.fault.found}",
            result.fault.repair,
        )
    if result.value is not None:
        return result.value, None
    if column.default:
        return parse(column.default, column).value, None
    if column.required:
        return None, _missing(column, row, sheet)
    return None, None


def _as_read(
    column: Column,
    row: dict[str, object] | None,
    again: list[dict[str, object]],
    sheet: Sheet,
) -> list[Problem]:
    """What was put right or doubted in reading a setting, where its cell was read."""
    if not row or column.kind == "text":
        return []  # what can be said of text was said when its sheet was read
    fault = parse(row["value"], column).fault
    # A version accepted earlier is in force: what the cell holds was not read.
    in_cell = (row["row_number"], row["value"])
    if not fault or in_cell not in [(r["row_number"], r["value"]) for r in again]:
        return []
    return [
        Problem(
            fault.severity,
            fault.code,
            _place(sheet, row),
            f"{column.title}: {fault.found}",
            column.expected,
            fault.repair,
            subject=column.title,
        )
    ]


def _of_held(
    column: Column,
    again: list[dict[str, object]],
    sheet: Sheet,
    told: Sequence[Problem],
) -> list[Problem]:
    """What was told of a held setting's cells, as what stops the night."""
    if len(again) > 1:
        return [_twice(column, again, sheet)]
    return [
        replace(
            problem,
            severity=Severity.STOPS,
            found=f"{column.title}: {problem.found}",
            expected=column.expected
            if problem.place.column == "Value"
            else problem.expected,
            subject=column.title,
        )
        for problem in told
        if (problem.severity is Severity.HELD or problem.code == "change-refused")
        and (problem.place.file, problem.place.sheet) == (sheet.file, sheet.sheet)
        and problem.place.row in [row["row_number"] for row in again]
    ]


def _twice(column: Column, again: list[dict[str, object]], sheet: Sheet) -> Problem:
    """A setting that stands in several rows, which say different things or may."""
    at = ", ".join(str(row["row_number"]) for row in again)
    return _stop(
        "setting-twice",
        _place(sheet, again[-1]),
        column,
        f"the setting {column.title} stands in rows {at}",
        "keep the row that is right and delete the others",
    )


def _missing(
    column: Column,
    row: dict[str, object] | None,
    sheet: Sheet,
    told: Sequence[Problem] = (),
) -> Problem:
    """A required setting without a value that counts: not there, blank or refused."""
    number = _place(sheet, row).row
    for refusal in told:
        if number and refusal.place == sheet.place(number, "last_edited_by"):
            return replace(
                refusal,
                severity=Severity.STOPS,
                code="setting-missing",
                found=f"{refusal.found}, and the night needs the setting {column.title}",
            )
    found = f"the setting {column.title} is missing"
    wanted = f"the {column.title}" if column.kind == "text" else column.expected
    repair = f"add a row {column.title} with {wanted}, and sign it"
    if row and row["value"] is None:
        found = f"the setting {column.title} is blank"
        repair = f"write {wanted}, and your user name in Last edited by"
    return _stop("setting-missing", _place(sheet, row), column, found, repair)


def _unknown(rows: list[dict[str, object]], sheet: Sheet) -> list[Problem]:
    titles = {heading(column.title): column.title for column in columns(Practice)}
    problems = []
    for row in rows:
        name = str(row["setting"])
        if heading(name) in titles or not isinstance(row["row_number"], int):
            continue
        near = get_close_matches(heading(name), list(titles), n=1, cutoff=0.7)
        hint = f"did you mean {titles[near[0]]}?" if near else "delete the row"
        problems.append(
            Problem(
                Severity.CHECK,
                "setting-unknown",
                sheet.place(row["row_number"], "setting"),
                f"{show(name)} is no setting of this program and was not read",
                "the name of a setting",
                hint,
                subject=name,
            )
        )
    return problems


def _out_of_range(
    given: dict[str, arrow.Array], typed: dict[str, dict[str, object]], sheet: Sheet
) -> list[Problem]:
    filled = frozenset(name for name, value in given.items() if not value.null_count)
    try:
        rules_of(Practice, filled).validate(for_pandera(given), lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        broken = dict(zip(cases["column"], cases["check"], strict=True))
    else:
        return []
    by_name = {column.name: column for column in columns(Practice)}
    return [
        _stop(
            "setting-out-of-range",
            _place(sheet, typed.get(heading(by_name[name].title))),
            by_name[name],
            f"{by_name[name].title}: {show(given[name][0].as_py())} cannot be used",
            f"write {within(check, by_name[name])}",
        )
        for name, check in broken.items()
    ]


def _nonsense(
    ledger: Ledger,
    values: Mapping[str, object],
    typed: dict[str, dict[str, object]],
    sheet: Sheet,
) -> list[Problem]:
    """Settings that make no sense, each told at its cell."""
    by_name = {column.name: column for column in columns(Practice)}
    return [
        _stop(
            code,
            _place(sheet, typed.get(heading(by_name[name].title))),
            by_name[name],
            found,
            repair,
        )
        for name, code, found, repair in nonsense(ledger, values)
    ]
