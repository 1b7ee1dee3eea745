"""Turns another system's export into a Patients sheet, by a mapping, guessing nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.exports.exact_text import legible
from pipeline.exports.templates import Filled
from pipeline.exports.words import counted
from pipeline.files import write_bytes
from pipeline.ingest import read_sheet
from pipeline.problems import Place, Problem, Refused, Severity, refused, stops
from pipeline.reading.sheet_rows import read_sheet_rows
from pipeline.reading.sheets import Sheet
from pipeline.starting.export_file import missing, read_export, top_row
from pipeline.starting.mapping import Plan, WrongMapping, read_mapping
from pipeline.starting.read_back import filled_templates
from pipeline.starting.translating import NO_DATE, NOT_UNDERSTOOD, Translated
from schemas.columns import ROW_RULES
from schemas.inputs import Patients

# What a night would hold a row for though every cell of it is understood.
_OF_THE_ROW = {*ROW_RULES, "required-blank"}
_MOST_LINES = 200


@dataclass(frozen=True)
class Imported:
    """What an export came to.

    `unknown` are values nobody has said the meaning of: while there are any, nothing is
    written. `held` are rows that a night would hold, `checks` what a person should
    look at; `skipped` are rows that are no patient, such as totals.
    """

    rows: int
    skipped: int
    unknown: list[Problem]
    held: list[Problem]
    checks: list[Problem]
    not_taken: list[str]
    written: bool


def import_patients(export: Path, mapping: Path, target: Path) -> Imported:
    """Write the Patients workbook of an export, unless a value is not understood.

    Raises WrongMapping, and Refused for an export that cannot be read or a target that
    is already there; neither file is changed.
    """
    if not target.parent.is_dir():
        raise refused(
            str(target), "no-folder", f"there is no folder {target.parent}",
            "make it, or name another",
        )  # fmt: skip
    if target.exists() or target.is_symlink():
        raise Refused([_already_there(target)])
    translated, windows = _translated(export, read_mapping(mapping, Patients))
    sheet, found = read_sheet_rows(translated.grid, Patients)
    if sheet is None or stops(found) or translated.in_the_way:
        raise Refused([*stops(found), *translated.in_the_way])
    unknown, held, checks = _judged(translated, sheet, found)
    rows = [translated.typed(number) for number in sheet.numbers]
    if not unknown:
        _write(target, rows)
    return Imported(
        len(rows), sheet.skipped, sorted(unknown, key=_row), sorted(held, key=_row),
        [*([_windows(export.name)] if windows else []), *checks],
        translated.not_taken, not unknown,
    )  # fmt: skip


def _translated(export: Path, plan: Plan) -> tuple[Translated, bool]:
    """The export under the headings of Patients; whether it was Windows text."""
    used = [title for titles in plan.columns.values() for title in titles]
    grid, windows = read_export(export, plan.sheet, used)
    top = top_row(grid.rows, used)
    if wrong := missing(grid.rows[top - 1] if top else [], used):
        raise WrongMapping(wrong)
    return Translated(grid, plan, top), windows


def _judged(
    translated: Translated, sheet: Sheet, found: Sequence[Problem]
) -> tuple[list[Problem], list[Problem], list[Problem]]:
    """What is not understood, what a night would hold, and what to look at."""
    told = {(p.place.row, p.place.column) for p in translated.unknown}
    judged = [p for p in found if p.code not in ("column-unknown", "rows-above")]
    judged += [
        p
        for p in read_sheet(Patients, sheet).problems
        if (p.place.row, p.place.column) not in told
    ]
    bad = [p for p in judged if p.severity is Severity.HELD]
    patients = set(sheet.numbers)
    return (
        [
            *(p for p in translated.unknown if p.place.row in patients),
            *(p for p in bad if p.code not in _OF_THE_ROW),
        ],
        [p for p in bad if p.code in _OF_THE_ROW],
        [p for p in judged if p.severity is Severity.CHECK or p.code == "example"],
    )


def _row(problem: Problem) -> int:
    return problem.place.row or 0


def _write(target: Path, rows: Sequence[Sequence[Any]]) -> None:
    made = filled_templates(target.parent, ["patients"], {"patients": Filled(rows)})
    try:
        write_bytes(target, made["patients"], replace=False)
    except FileExistsError:
        raise Refused([_already_there(target)]) from None


def _already_there(target: Path) -> Problem:
    return Problem(
        Severity.STOPS, "already-there", Place(str(target)),
        "the file is already there and was left as it is",
        repair="give another name with --to",
    )  # fmt: skip


def _windows(name: str) -> Problem:
    return Problem(
        Severity.CHECK, "csv-windows", Place(name),
        "the file was read as Windows text; check the accents in it",
    )  # fmt: skip


def told(problems: Iterable[Problem]) -> Iterator[str]:
    """Each thing once, with its first cells and their count; no personal value."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        title = problem.place.column
        what, repair = _public(problem)
        group = (f"{title}: {what}" if title else what, repair)
        groups.setdefault(group, []).append(problem)
    for (what, repair), found in groups.items():
        values = list(dict.fromkeys(p.subject for p in found if p.code == NO_DATE))
        such = f", such as {values[0]}" if values and not found[0].personal else ""
        at = _cells([problem.place for problem in found])
        yield f"{what}{such} ({at})" + (f"; {repair}" if repair else "")


def _public(problem: Problem) -> tuple[str, str]:
    """What was found and how to mend it, as a terminal may show them."""
    if problem.code == NO_DATE:  # too many different ones for a line each
        return problem.expected, problem.repair
    if not problem.personal:
        return problem.found, problem.repair
    if problem.code == NOT_UNDERSTOOD:
        return problem.expected, problem.repair
    return f"not {problem.expected}", ""


def _cells(places: Sequence[Place]) -> str:
    """Where something stands: the first five cells, or rows of a CSV, and how many."""
    if places[0].row is None:
        return places[0].file
    is_text = places[0].file.endswith(".csv")
    at = [str(place.row) if is_text else place.cell for place in places]
    noun = ("row" if is_text else "cell") + ("" if len(at) == 1 else "s")
    more = f" and {len(at) - 5:,} more" if len(at) > 5 else ""
    return f"{noun} {', '.join(at[:5])}{more}"


def report(
    imported: Imported, export: Path, target: Path
) -> Iterator[tuple[str, bool]]:
    """What is to be said, a line each, and whether it is the result itself."""
    for label, problems in (
        ("Not understood", imported.unknown),
        ("A night would hold", imported.held),
        ("Check", imported.checks),
    ):
        lines = list(told(problems))
        if len(lines) > _MOST_LINES:
            more = len(lines) - _MOST_LINES
            lines[_MOST_LINES:] = [f"and {more:,} more kinds of it"]
        for line in lines:
            yield legible(f"{label}: {line}").replace("\n", " "), False
    skipped = f", {imported.skipped} more skipped" if imported.skipped else ""
    rows = f"{export.name}: {counted(imported.rows, 'patient')}{skipped}"
    if imported.written:
        yield f"{rows}; all {imported.rows:,} written to {target}", True
    else:
        yield f"{rows}; nothing was written", True
    if imported.not_taken:
        yield legible(f"Columns not taken: {', '.join(imported.not_taken)}"), True
