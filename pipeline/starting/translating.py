"""An export's cells under the headings of Patients, each where it stood in its file."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pipeline.cells import parse
from pipeline.cells.spelling import CellError, heading, show
from pipeline.problems import Place, Problem, Severity
from pipeline.reading.headings import Grid
from pipeline.reading.raw_table import is_blank
from pipeline.reading.sheets import column_letter
from pipeline.starting.mapping import Plan, said
from schemas.columns import Column, columns
from schemas.inputs import Patients

NOT_UNDERSTOOD, NO_DATE = "not-understood", "not-a-date"
_BY_WORD = ("code", "yesno", "choice")


class Translated:
    """The sheet that a plan makes of an export, and what nobody can tell about it.

    `unknown` are cells whose meaning nobody has said, `in_the_way` those that cannot be
    read at all, `not_taken` the headings that the plan leaves out.
    """

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

    def _is_a_word(
        self, value: Any, folded: str, words: Mapping[str, str], column: Column
    ) -> bool:
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
            Severity.HELD, NO_DATE if column.kind == "date" else NOT_UNDERSTOOD,
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
