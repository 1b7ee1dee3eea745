"""Turns another system's export into a Patients sheet, by a mapping, guessing nothing."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.cells import CellError, heading, parse, show
from pipeline.export_file import missing, read_export, stops, top_row
from pipeline.exports.exact_text import legible
from pipeline.exports.templates import Filled
from pipeline.exports.words import counted
from pipeline.files import write_bytes
from pipeline.headings import Grid, is_blank
from pipeline.ingest import read_sheet
from pipeline.mapping import Plan, WrongMapping, read_mapping, said
from pipeline.problems import Place, Problem, Refused, Severity
from pipeline.read_back import filled_templates
from pipeline.sheet_rows import read_sheet_rows
from pipeline.sheets import column_letter
from schemas.columns import ROW_RULES, Column, columns
from schemas.inputs import Patients

# What a night would hold a row for though every cell of it is understood.
_OF_THE_ROW = {*ROW_RULES, "required-blank"}
_BY_WORD = ("code", "yesno", "choice")
_NOT_UNDERSTOOD, _NO_DATE = "not-understood", "not-a-date"
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
    if target.exists() or target.is_symlink():
        raise Refused([_already_there(target)])
    plan = read_mapping(mapping, Patients)
    used = [title for titles in plan.columns.values() for title in titles]
    grid, windows = read_export(export, plan.sheet, used)
    top = top_row(grid.rows, used)
    if wrong := missing(grid.rows[top - 1] if top else [], used):
        raise WrongMapping(wrong)
    translated = _Translated(grid, plan, top)
    sheet, found = read_sheet_rows(translated.grid, Patients)
    if sheet is None or stops(found) or translated.in_the_way:
        raise Refused([*stops(found), *translated.in_the_way])
    known = {(p.place.row, p.place.column) for p in translated.unknown}
    judged = [
        *(p for p in found if p.code not in ("column-unknown", "rows-above")),
        *(
            p
            for p in read_sheet(Patients, sheet).problems
            if (p.place.row, p.place.column) not in known
        ),
    ]
    bad = [p for p in judged if p.severity is Severity.HELD]
    patients = {number for number, _ in sheet.rows}
    unknown = [p for p in translated.unknown if p.place.row in patients]
    unknown += [p for p in bad if p.code not in _OF_THE_ROW]
    rows = [translated.typed(number) for number, _ in sheet.rows]
    if not unknown:
        _write(target, rows)
    return Imported(
        len(rows), sheet.skipped, sorted(unknown, key=_row),
        sorted((p for p in bad if p.code in _OF_THE_ROW), key=_row),
        [
            *([_windows(grid.file)] if windows else []),
            *(p for p in judged if p.severity is Severity.CHECK or p.code == "example"),
        ],
        translated.not_taken, not unknown,
    )  # fmt: skip


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


class _Translated:
    """An export's cells under the headings of Patients, each where it stood."""

    def __init__(self, grid: Grid, plan: Plan, top: int):
        self.source, self.plan, self.top = grid, plan, top
        self.columns = {column.name: column for column in columns(Patients)}
        self.unknown: list[Problem] = []
        titles = grid.rows[top - 1]
        self.where = {
            heading(cell): index
            for index, cell in enumerate(titles)
            if isinstance(cell, str)
        }
        sources = {
            name: [self.where[heading(title)] for title in listed]
            for name, listed in plan.columns.items()
        }
        self.not_taken = [
            show(cell)
            for index, cell in enumerate(titles)
            if not is_blank(cell) and not any(index in s for s in sources.values())
        ]
        self.at = self._places(sources)
        self.in_the_way = [*self._in_the_way(sources)]
        self.grid = self._translate(sources)

    def _places(self, sources: dict[str, list[int]]) -> dict[str, int]:
        """Where each column stands: at its first source, else at the right."""
        places: dict[str, int] = {}
        width = len(self.source.rows[self.top - 1])
        for name in (*sources, *self.plan.constants):
            index = sources[name][0] if name in sources else width
            if index in places.values() or index == width:
                index, width = width, width + 1
            places[name] = index
        return places

    def _in_the_way(self, sources: dict[str, list[int]]) -> Iterator[Problem]:
        """Cells that cannot be trusted, in columns that are joined to another."""
        joined = {index for listed in sources.values() for index in listed[1:]}
        facts = self.source.facts
        for (row, index), saved in sorted(facts.formulas.items()):
            if index in joined and not saved:
                found = "the formula was saved without its value"
                repair = "open the file in Excel, let it calculate, and save it"
                yield self._problem(
                    Severity.STOPS, "formula-unsaved", row, index, found, repair
                )
        for area in facts.merged:
            if area.bottom > self.top and any(
                area.left <= index <= area.right for index in joined
            ):
                found = f"the cell is merged with its neighbours ({area})"
                yield self._problem(
                    Severity.STOPS, "merged", area.top, area.left, found, "unmerge them"
                )

    def _translate(self, sources: dict[str, list[int]]) -> Grid:
        width = max(
            len(self.source.rows[self.top - 1]), *(i + 1 for i in self.at.values())
        )
        rows: list[list[object]] = [[None] * width for _ in self.source.rows]
        for name, index in self.at.items():
            rows[self.top - 1][index] = self.columns[name].title
        for number in sorted(self.source.facts.filled_rows):
            if number > self.top:
                self._fill(rows[number - 1], number, sources)
        facts = self.source.facts
        return Grid(
            self.source.file, self.source.sheet, rows, facts, self.source.is_text,
            self.source.too_wide,
        )  # fmt: skip

    def _fill(
        self, row: list[object], number: int, sources: dict[str, list[int]]
    ) -> None:
        cells = self.source.rows[number - 1]
        for name, listed in sources.items():
            value = _joined([cells[index] for index in listed])
            row[self.at[name]] = self._meant(value, number, self.columns[name])
        if all(map(is_blank, row)):
            return  # a row of other columns alone is no patient
        for name, value in self.plan.constants.items():
            row[self.at[name]] = value

    def _meant(self, value: Any, number: int, column: Column) -> Any:
        """A value of the export as the sheet would have it; noted where nobody knows."""
        words = self.plan.values.get(column.name, {})
        text = value if isinstance(value, str) else show(value)
        folded = said("" if is_blank(value) else text)
        if folded in words:
            return words[folded] or None
        if is_blank(value) or isinstance(value, CellError):
            return value
        if column.kind in _BY_WORD and not self._is_a_word(
            value, folded, words, column
        ):
            self._note(value, number, column, "not among the words of the mapping", (
                f'say what it means under [values."{column.title}"]'
            ))  # fmt: skip
        elif column.kind == "date" and not isinstance(value, date):
            return self._day(value, number, column)
        elif not column.loaded:
            self._must_be_clean(value, number, column)
        return value

    def _is_a_word(self, value: Any, folded: str, words: Any, column: Column) -> bool:
        """Whether a value is already what the sheet wants, without a synonym.

        Codes are taken as they are where the mapping has no words for their column.
        """
        if column.kind == "code":
            return not words or folded in map(said, words.values())
        return parse(value, column).value is not None

    def _day(self, value: Any, number: int, column: Column) -> Any:
        """The date that a text is by the mapping's form; any other stays unknown."""
        for form in self.plan.dates:
            if isinstance(value, str) and (day := form.read(value)):
                return day
        forms = " or ".join(form.form for form in self.plan.dates)
        self._note(
            value, number, column, f"not a date written as {forms}",
            'say how the export writes dates, such as dates = "dd/mm/yyyy", or what this'
            f' one means under [values."{column.title}"]',
        )  # fmt: skip
        return value

    def _must_be_clean(self, value: Any, number: int, column: Column) -> None:
        """Text that no night reads may still hold what no cell can."""
        fault = parse(value, column).fault
        if fault and fault.severity is Severity.HELD:
            self._note(
                value, number, column, "text with characters that cannot be shown"
            )

    def _note(
        self, value: Any, number: int, column: Column, what: str, repair: str = ""
    ) -> None:
        cell = f"{column_letter(self.at[column.name])}{number}"
        place = Place(self.source.file, self.source.sheet, number, column.title, cell)
        self.unknown.append(Problem(
            Severity.HELD, _NO_DATE if column.kind == "date" else _NOT_UNDERSTOOD,
            place, f"{show(value)} is {what}", what, repair, subject=show(value),
            personal=column.may_name_a_person or not column.loaded,
        ))  # fmt: skip

    def _problem(
        self,
        severity: Severity,
        code: str,
        row: int,
        index: int,
        found: str,
        repair: str,
    ) -> Problem:
        cell = f"{column_letter(index)}{row}"
        place = Place(self.source.file, self.source.sheet, row, "", cell)
        return Problem(severity, code, place, found, repair=repair)

    def typed(self, number: int) -> list[Any]:
        """A row of Patients as the office would have typed it."""
        row = self.grid.rows[number - 1]
        return [
            _typed(row[self.at[name]], column) if name in self.at else None
            for name, column in self.columns.items()
        ]


def _joined(values: Sequence[Any]) -> Any:
    """One value as it is; several as text with a space between them."""
    if len(values) == 1:
        return values[0]
    for value in values:
        if isinstance(value, CellError):
            return value
    texts = [v if isinstance(v, str) else show(v) for v in values if not is_blank(v)]
    return " ".join(text.strip() for text in texts) or None


def _typed(value: Any, column: Column) -> Any:
    """What a cell means; what it says, where a night would leave it blank."""
    meant = parse(value, column).value
    if meant is None:
        return None if is_blank(value) else value
    if isinstance(meant, bool):
        return "Yes" if meant else "No"
    return meant


def told(problems: Iterable[Problem]) -> Iterator[str]:
    """Each thing once, with its first cells and their count; no personal value."""
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        title = problem.place.column
        what, repair = _public(problem)
        group = (f"{title}: {what}" if title else what, repair)
        groups.setdefault(group, []).append(problem)
    for (what, repair), found in groups.items():
        values = list(dict.fromkeys(p.subject for p in found if p.code == _NO_DATE))
        such = f", such as {values[0]}" if values and not found[0].personal else ""
        at = _cells([problem.place for problem in found])
        yield f"{what}{such} ({at})" + (f"; {repair}" if repair else "")


def _public(problem: Problem) -> tuple[str, str]:
    """What was found and how to mend it, as a terminal may show them."""
    if problem.code == _NO_DATE:  # too many different ones for a line each
        return problem.expected, problem.repair
    if not problem.personal:
        return problem.found, problem.repair
    if problem.code == _NOT_UNDERSTOOD:
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
