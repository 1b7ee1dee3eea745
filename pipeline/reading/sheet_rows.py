"""Which rows of a sheet are rows of its table, and what else stands among them."""

import re
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.cells.spelling import canonical
from pipeline.problems import Place, Problem, Severity, stops
from pipeline.reading.headings import Grid, Layout, known_headings, read_headings
from pipeline.reading.preflight import ExcelTable
from pipeline.reading.raw_table import Raw, RawTable, RowsOf, is_blank, shown
from pipeline.reading.sheets import LAST_ROW, TOO_MANY_CELLS, Area, Sheet, column_letter
from schemas.columns import Column, Schema, columns, name_of

_OLD_LAST_ROW = 65_536
_NAMED = 5  # how many rows or cells a message names before it counts the rest
_TOTAL = re.compile(
    r"(grand |sub-?)?totals?\b|sum\b|count\b|end\b|note|nb\b|\*", re.IGNORECASE
)
_TOTAL_LABEL = re.compile(r"(grand |sub-?)?totals?\b|sum\b|count\b", re.IGNORECASE)
_TOTAL_ID = re.compile(r"((grand |sub-?)?totals?|sum):?", re.IGNORECASE)
_FIGURE = re.compile(r"[£$€(-]*[0-9][0-9.,\s]*[)%]?")
_SIGNED = "last_edited_by"
_EXAMPLE = re.compile(r"example", re.IGNORECASE)
MORE_CELLS = (
    "the row has more cells than there are headings",
    "put text that holds a comma between quotation marks, or delete the commas too many"
    " at the end of the row",
)


def read_sheet_rows(grid: Grid, schema: Schema) -> tuple[Sheet | None, list[Problem]]:
    """The table of a sheet and what was found on the way.

    Where one of the problems stops the night the table is told so (`stops`), and there
    is none when nobody can say which column is which.
    """
    layout, problems = read_headings(grid, schema)
    listed = [c for c in columns(schema) if layout and c.name in layout.headings]
    if layout is None or _key_column([*columns(schema)]) not in listed:
        return None, problems
    sorting = _Sorting(grid, schema, layout)
    # What is no row of the table shows by columns that are missing too.
    found = [*sorting.problems()]
    problems += stops(found) if stops(problems) else found
    sheet = Sheet(
        name_of(schema), grid.file, grid.sheet, layout.headings, sorting.rows,
        sorting.bad_rows(),
        sum(number > layout.row for number in grid.facts.filled_rows),
        len(sorting.notes) + len(sorting.examples),
        bool(stops(problems)),
    )  # fmt: skip
    return sheet, problems


class _Sorting:
    """The rows below the headings, each put where it belongs."""

    def __init__(self, grid: Grid, schema: Schema, layout: Layout):
        self.grid, self.layout, self.facts = grid, layout, grid.facts
        self.known = known_headings(schema)
        listed = [c for c in columns(schema) if c.name in layout.headings]
        self.titles = {layout.headings[c.name]: c.title for c in listed}
        self.key = _key_column(listed)
        self.key_index = layout.headings[self.key.name]
        self.key_indexes = {layout.headings[c.name] for c in listed if c.key}
        self.required = {
            layout.headings[column.name]
            for column in listed
            if column.required and column.name not in (self.key.name, _SIGNED)
        }
        self.table = self._excel_table()
        self.notes: list[int] = []
        self.examples: list[int] = []
        filled = np.fromiter(grid.facts.filled_rows, np.int64)
        numbers = np.sort(filled[filled > layout.row])
        is_data = self._surely_data(numbers)
        for position in np.flatnonzero(~is_data).tolist():
            number = int(numbers[position])
            is_data[position] = self._is_data(number, grid.rows[number - 1])
        self.numbers = numbers[is_data]
        self.rows = self._rows()

    def _rows(self) -> RowsOf:
        """The rows of data, without what the contract never reads."""
        at, count = self.numbers - 1, len(self.numbers)
        columns = [
            pa.nulls(count, pa.string())
            if index in self.layout.never_read
            else self.grid.table.column(index, at)
            for index in range(self.grid.table.width)
        ]
        return RowsOf(self.numbers, RawTable(columns, count))

    def _surely_data(self, numbers: np.ndarray) -> np.ndarray:
        """Rows with an ordinary id and another cell; all others are looked at."""
        if not len(numbers):
            return np.zeros(0, dtype=np.bool_)
        table, at = self.grid.table, numbers - 1
        filled = np.zeros(len(numbers), dtype=np.int64)
        for index in self.titles:
            filled += shown(table.column(index, at))
        sure = _ordinary(table.column(self.key_index, at), self._unlike_ids())
        sure &= filled > 1
        for number in self.table.total_rows() if self.table else ():
            sure &= numbers != number
        return sure

    def _unlike_ids(self) -> str:
        """What no ordinary id begins with: the heading again, a total, an example."""
        title = canonical(self.titles[self.key_index])
        spaced = r"[\x00-\x20\x7f]*".join(re.escape(letter) for letter in title)
        return rf"(?i)\A(?:{spaced}|grand|sub|total|sum|count|example)"

    def _is_data(self, number: int, row: list[object]) -> bool:
        """Whether a row is one of the table; notes and examples are noted down."""
        if self._is_note(number, row):
            self.notes.append(number)
        elif _EXAMPLE.match(str(row[self.key_index] or "").strip()):
            self.examples.append(number)
        else:
            return True
        return False

    def _is_note(self, number: int, row: list[object]) -> bool:
        """A total, a note or a heading in between: nothing of the contract but words.

        A row with anything else in a column of the table is data and stays.
        """
        if self.table and number in self.table.total_rows():
            return True
        filled = [index for index in self.titles if not is_blank(row[index])]
        if not filled:
            return True
        if len(filled) > 1:
            return self._repeats_headings(row, filled) or self._is_total(row, filled)
        cell = row[filled[0]]
        if self.key.kind == "code" and filled[0] not in self.key_indexes:
            return True  # nobody can say whose it is
        if not isinstance(cell, str):
            return False
        if filled[0] != min(self.titles) and filled[0] != self.key_index:
            return False
        # Settings have names of several words, codes have not.
        words = len(cell.split())
        numbered = any(character.isdigit() for character in cell)
        sentence = self.key.kind == "code" and words > (2 if numbered else 1)
        return bool(_TOTAL.match(cell.strip())) or sentence

    def _is_total(self, row: list[object], filled: list[int]) -> bool:
        """Figures alone, with no id and perhaps the word Total, or with that for an id."""
        words = [index for index in filled if not _is_figure(row[index])]
        texts = [str(row[index]).strip() for index in words]
        total = len(words) == 1 and bool(_TOTAL_LABEL.match(texts[0]))
        if is_blank(row[self.key_index]):
            return not words or total
        if total:
            return words == [self.key_index]
        return self._is_total_beside_a_word(row, words)

    def _is_total_beside_a_word(self, row: list[object], words: list[int]) -> bool:
        """An id that is a total's word, and one more word where none is required.

        A row of the table whose id it is has words in required columns; with two of
        them blank it could not be one either.
        """
        if len(words) != 2 or not _TOTAL_ID.fullmatch(str(row[self.key_index]).strip()):
            return False
        blank = [index for index in self.required if is_blank(row[index])]
        return len(blank) > 1 and not self.required.intersection(words)

    def _repeats_headings(self, row: list[object], filled: list[int]) -> bool:
        texts = [canonical(str(row[index])) for index in filled]
        titles = [canonical(self.titles[index]) for index in filled]
        return texts == titles

    def _excel_table(self) -> ExcelTable | None:
        """The Excel table whose first row is the headings."""
        return next(
            (t for t in self.facts.tables if t.area.top == self.layout.row), None
        )

    def bad_rows(self) -> dict[int, Problem]:
        """Rows whose cells cannot be trusted, with the reason."""
        held = {}
        numbers = set(self.numbers.tolist())
        for number in sorted(self.grid.too_wide & numbers):
            held[number] = self._held(
                TOO_MANY_CELLS, number, self.key_index, *MORE_CELLS
            )  # fmt: skip
        for number, area in self._merged(self.numbers.tolist()):
            inside = next(
                i for i in sorted(self.titles) if area.left <= i <= area.right
            )
            held[number] = self._held(
                "merged", number, inside,
                f"the cell is merged with its neighbours ({area})",
                "unmerge the cells and write the value of each",
            )  # fmt: skip
        return held

    def _merged(self, numbers: list[int]) -> Iterator[tuple[int, Area]]:
        """Each row that is merged with another cell, once, and one such area of it."""
        areas = sorted(
            area
            for area in self.facts.merged
            if any(area.left <= index <= area.right for index in self.titles)
        )
        position, deepest = 0, None
        for number in numbers:
            while position < len(areas) and areas[position].top <= number:
                if deepest is None or areas[position].bottom > deepest.bottom:
                    deepest = areas[position]
                position += 1
            if deepest is not None and deepest.bottom >= number:
                yield number, deepest

    def _among(self, numbers: set[int]) -> list[int]:
        """Those of the rows of data, in order."""
        if not numbers:
            return []
        return self.numbers[np.isin(self.numbers, list(numbers))].tolist()

    def _held(
        self, code: str, number: int, index: int, found: str, repair: str
    ) -> Problem:
        place = self._place(number, index)
        return Problem(Severity.HELD, code, place, found, repair=repair)

    def _place(self, number: int, index: int) -> Place:
        return Place(
            self.grid.file, self.grid.sheet, number, self.titles.get(index, ""),
            f"{column_letter(index)}{number}",
        )  # fmt: skip

    def problems(self) -> Iterator[Problem]:
        """What a person should know of the sheet's rows as a whole."""
        yield from self._limit()
        yield from self._formulas()
        yield from self._skipped()
        yield from self._hidden()
        yield from self._below_table()
        yield from self._struck()
        data = set(self.numbers.tolist()) if self.facts.comments else set()
        comments = [at for at in self.facts.comments if at[0] in data]
        if comments:
            yield self._check(
                "comments", *min(comments),
                f"comments hang on {_several(len(comments), 'cell')}; nobody reads them"
                " at night",
                "put what matters into the cells",
            )  # fmt: skip

    def _limit(self) -> Iterator[Problem]:
        last = int(self.numbers[-1]) if len(self.numbers) else 0
        if last in (_OLD_LAST_ROW, LAST_ROW):
            yield self._stop(
                "row-limit", last, self.key_index,
                f"the sheet ends at row {last:,}, where a spreadsheet cuts rows off",
                "see whether rows are missing below it, and delete blank rows above",
            )  # fmt: skip

    def _formulas(self) -> Iterator[Problem]:
        skipped = {*self.notes, *self.examples}
        mine = {
            (row, column): saved
            for (row, column), saved in self.facts.formulas.items()
            if row > self.layout.row and column in self.titles and row not in skipped
        }
        unsaved = sorted(at for at, saved in mine.items() if not saved)
        if unsaved:
            cells = _names(f"{column_letter(c)}{r}" for r, c in unsaved)
            yield self._stop(
                "formula-unsaved", *unsaved[0],
                f"formulas were saved without their values ({cells})",
                "open the file in Excel, let it calculate, and save it",
            )  # fmt: skip
        for index in sorted({column for (_, column), saved in mine.items() if saved}):
            at = sorted(at for at, saved in mine.items() if saved and at[1] == index)
            yield self._check(
                "formula", *at[0],
                f"the column {self.titles[index]} holds"
                f" {_several(len(at), 'formula')}; the saved values were used",
                "replace formulas with values (Copy, Paste Special, Values)",
            )  # fmt: skip
        links = sorted(at for at in self.facts.links if at in mine)
        if links:
            verb = "takes its value" if len(links) == 1 else "take their values"
            yield self._check(
                "formula-link", *links[0],
                f"{_several(len(links), 'cell')} {verb} from another workbook,"
                " which may be out of date",
                "write the values themselves",
            )  # fmt: skip

    def _skipped(self) -> Iterator[Problem]:
        if self.notes:
            verb = "is" if len(self.notes) == 1 else "are"
            yield self._check(
                "rows-skipped", self.notes[0], 0,
                f"{_rows(self.notes)} {verb} no part of the table and"
                f" {'was' if verb == 'is' else 'were'} skipped",
                "keep totals and notes off this sheet",
            )  # fmt: skip
        if self.examples:
            verb = "was" if len(self.examples) == 1 else "were"
            yield Problem(
                Severity.FIXED, "example",
                self._place(self.examples[0], self.key_index),
                f"{_rows(self.examples)} with an example {verb} skipped",
                repair="delete the example when you like",
            )  # fmt: skip

    def _hidden(self) -> Iterator[Problem]:
        hidden = self._among(self.facts.hidden_rows)
        if hidden:
            verb = "is" if len(hidden) == 1 else "are"
            yield self._check(
                "rows-hidden", hidden[0], self.key_index,
                f"{_several(len(hidden), 'row')} {verb} hidden and"
                f" {'was' if verb == 'is' else 'were'} read like any other",
                "clear the filter or unhide the rows, and delete what should not count",
            )  # fmt: skip
        columns_hidden = sorted(self.facts.hidden_columns & self.titles.keys())
        if columns_hidden:
            titles = _names(self.titles[index] for index in columns_hidden)
            many = len(columns_hidden) > 1
            verbs = ("are", "were") if many else ("is", "was")
            yield self._check(
                "columns-hidden", self.layout.row, columns_hidden[0],
                f"the column{'s' if many else ''} {titles}"
                f" {verbs[0]} hidden and {verbs[1]} read",
                "unhide the columns so that mistakes in them can be seen",
            )  # fmt: skip

    def _struck(self) -> Iterator[Problem]:
        """Rows crossed out by their look alone, as somebody who left often is."""
        index = self.key_index
        struck = self._among(
            {row for row, column in self.facts.struck if column == index}
        )
        if struck:
            verb = "is" if len(struck) == 1 else "are"
            yield self._check(
                "rows-struck", struck[0], self.key_index,
                f"{_several(len(struck), 'row')} {verb} struck through and"
                f" {'was' if verb == 'is' else 'were'} read like any other: how a cell"
                " looks is never read",
                "end what should not count by its date or its Active column, or delete"
                " the row",
            )  # fmt: skip

    def _below_table(self) -> Iterator[Problem]:
        if self.table is None:
            return
        below = self.numbers[self.numbers > self.table.area.bottom].tolist()
        if below:
            verb = "stands" if len(below) == 1 else "stand"
            yield self._check(
                "below-table", below[0], self.key_index,
                f"{_several(len(below), 'row')} {verb} below the end of the Excel table"
                f" and {'was' if verb == 'stands' else 'were'} read",
                "drag the corner of the table down to the last row",
            )  # fmt: skip

    def _check(
        self, code: str, number: int, index: int, found: str, repair: str
    ) -> Problem:
        place = self._place(number, index)
        return Problem(Severity.CHECK, code, place, found, repair=repair)

    def _stop(
        self, code: str, number: int, index: int, found: str, repair: str
    ) -> Problem:
        place = self._place(number, index)
        return Problem(Severity.STOPS, code, place, found, repair=repair)


def _key_column(listed: list[Column]) -> Column:
    """The column that names a row: its first key, else its first required column."""
    keys = [column for column in listed if column.key and column.required]
    return next(iter(keys), next(column for column in listed if column.required))


def _ordinary(key: Raw, unlike: str) -> np.ndarray:
    """Which ids are numbers, or plain text that begins with nothing of the pattern."""
    if isinstance(key, list):
        pattern = re.compile(unlike.replace(r"\A", ""))
        return np.array(
            [
                type(cell) in (int, float)
                or (
                    isinstance(cell, str)
                    and cell.isascii()
                    and cell[:1].isalnum()
                    and not pattern.match(cell)
                )
                for cell in key
            ],
            dtype=np.bool_,
        )
    if not pa.types.is_string(key.type):
        return np.zeros(len(key), dtype=np.bool_)
    found = pc.and_(
        pc.string_is_ascii(key),
        pc.and_(
            pc.match_substring_regex(key, r"\A[0-9A-Za-z]"),
            pc.invert(pc.match_substring_regex(key, unlike)),
        ),
    )
    return np.array(pc.fill_null(found, False))


def _is_figure(value: object) -> bool:
    if isinstance(value, str):
        return bool(_FIGURE.fullmatch(value.strip()))
    return isinstance(value, int | float) and not isinstance(value, bool)


def _several(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _rows(numbers: list[int]) -> str:
    return f"row{'s' if len(numbers) > 1 else ''} {_names(map(str, numbers))}"


def _names(words: Iterable[str]) -> str:
    """A list in words: "2, 3 and 4", or the first of many and how many more."""
    listed = list(words)
    if len(listed) > _NAMED:
        more = len(listed) - _NAMED
        return f"{', '.join(listed[:_NAMED])} and {more:,} more"
    if len(listed) == 1:
        return listed[0]
    return f"{', '.join(listed[:-1])} and {listed[-1]}"
