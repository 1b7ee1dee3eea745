"""Three counts of a sheet's rows that must agree: pre-flight, reader, taken and held."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

import duckdb
import numpy as np
import pyarrow as pa

from pipeline.cells.spelling import CellError, shows_nothing
from pipeline.fetching import first_row
from pipeline.problems import Place, Problem, Severity
from pipeline.reading.archive import unreliable
from pipeline.reading.plain_rows import NUMBER, TEXT, TRUTH, Flags, Floats, Numbers
from pipeline.reading.preflight import Facts
from pipeline.reading.raw_table import Raw
from pipeline.reading.sheets import LAST_ROW, Sheet

_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
_FIRST_DAY = date(1970, 1, 1)  # as Arrow counts
_TOLERANCE = 1 / 86_400  # of a day: readers round to the millisecond
_IMAGINARY = 61  # before this day Excel counts a 29 February 1900 that never was
_BLANK = -1


class Differing(Exception):
    """The reader found something else in a plain row than the pre-flight did."""


class Agreement:
    """The reader's rows held against what the pre-flight found, part by part.

    Plain rows are compared by column, cell for cell: numbers, and text by its length.
    Of the others the filled rows, the cells and the numbers must be the same.
    """

    def __init__(self, facts: Facts, date1904: bool):
        self.facts = facts
        self.epoch = _EPOCH_1904 if date1904 else _EPOCH
        self.is_plain = np.zeros(LAST_ROW + 2, dtype=np.bool_)
        for numbers in facts.plain_rows:
            self.is_plain[numbers] = True
        self._plain = iter(facts.plain)
        self._next = next(self._plain, None)
        self._rows = self._cells = self._position = 0
        self._plain_filled = sum(
            int(np.count_nonzero(np.diff(cells.rows, prepend=0)))
            for cells in facts.plain
        )

    def rows(self, first: int, rows: Sequence[list[object]]) -> list[Raw]:
        """Compare the rows from number `first` on, and hand them over by column."""
        numbers = np.arange(first, first + len(rows))
        plain = self.is_plain[numbers]
        for index in np.flatnonzero(~plain).tolist():
            self._walked(first + index, rows[index])
        width = len(rows[0]) if rows else 0
        kinds, values = self._expected(first, len(rows), width)
        columns: list[Raw] = []
        for index, cells in enumerate(zip(*rows, strict=True)):
            column = _Column(cells, self.epoch)
            column.compare(plain, kinds[index], values[index])
            columns.append(column.raw())
        return columns

    def _expected(
        self, first: int, count: int, width: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The kind and value of each plain cell, by column and row."""
        kinds = np.full((width, count), _BLANK, dtype=np.int8)
        values = np.zeros((width, count))
        for rows, columns, cell_kinds, cell_values in self._between(
            first, first + count
        ):
            if len(columns) and int(columns.max()) >= width:
                raise Differing
            kinds[columns, rows - first] = cell_kinds
            values[columns, rows - first] = cell_values
        return kinds, values

    def _between(
        self, first: int, after: int
    ) -> Iterator[tuple[Numbers, Numbers, Numbers, Floats]]:
        """The plain cells of these rows; each is handed out once."""
        while self._next is not None:
            cells = self._next
            start, stop = np.searchsorted(cells.rows, [first, after]).tolist()
            part = slice(start, stop)
            yield (
                cells.rows[part],
                cells.columns[part],
                cells.kinds[part],
                cells.values[part],
            )
            if stop < len(cells.rows):
                return
            self._next = next(self._plain, None)

    def _walked(self, number: int, row: list[object]) -> None:
        """A row that was walked cell by cell."""
        before = self._cells
        numbers, known = self.facts.numbers, len(self.facts.numbers)
        for value in row:
            if value == "":
                continue
            if isinstance(value, str):
                self._cells += not shows_nothing(value)
            elif isinstance(value, CellError):
                self._cells += 1
            else:
                self._cells += 1
                at = self._position
                if at == known or not _same(numbers[at], value, self.epoch):
                    raise unreliable()
                self._position += 1
        if self._cells > before:
            if number not in self.facts.filled_rows:
                raise unreliable()
            self._rows += 1

    def finish(self) -> None:
        """Unusable when the reader found fewer rows, cells or numbers."""
        found = self._rows + self._plain_filled, self._cells, self._position
        facts = self.facts
        if found != (len(facts.filled_rows), facts.cells, len(facts.numbers)):
            raise unreliable()


class _Column:
    """Some cells of one column as the reader found them."""

    def __init__(self, cells: tuple[object, ...], epoch: datetime):
        self.cells, self.epoch = cells, epoch
        self.types = set(map(type, cells))
        self.kinds = np.full(len(cells), _BLANK, dtype=np.int8)
        self.values = np.zeros(len(cells))
        self.texts: pa.Array = None
        self.days: pa.Array = None
        self._measure()

    def _only(self, kind: type) -> list[object]:
        return [cell if type(cell) is kind else None for cell in self.cells]

    def _measure(self) -> None:
        """The kind of each cell and its number, or the bytes of its text."""
        if str in self.types:
            self._measure_texts()
        if date in self.types:
            self._measure_days()
        if float in self.types:
            found = np.array(self._only(float), dtype=np.float64)
            here = np.array([type(cell) is float for cell in self.cells])
            self.kinds[here] = NUMBER
            self.values[here] = found[here]
        if self.types - {str, date, float}:
            for index, cell in enumerate(self.cells):
                if type(cell) not in (str, date, float):
                    self.kinds[index] = TRUTH if isinstance(cell, bool) else NUMBER
                    self.values[index] = np.nan  # compared one by one

    def _measure_texts(self) -> None:
        alone = self.types == {str}
        self.texts = pa.array(self.cells if alone else self._only(str), pa.string())
        offsets = np.frombuffer(self.texts.buffers()[1], np.int32, len(self.cells) + 1)
        lengths = np.diff(offsets)
        here = lengths > 0
        self.kinds[here] = TEXT
        self.values[here] = lengths[here]
        filled = pa.py_buffer(np.packbits(here, bitorder="little"))
        buffers = [filled, *self.texts.buffers()[1:]]
        self.texts = pa.Array.from_buffers(pa.string(), len(self.cells), buffers)

    def _measure_days(self) -> None:
        self.days = pa.array(self._only(date), pa.date32())
        here = np.asarray(self.days.is_valid())
        found = np.asarray(self.days.cast(pa.int32()).fill_null(0)).astype(np.float64)
        found += (_FIRST_DAY - self.epoch.date()).days
        self.kinds[here] = NUMBER
        self.values[here] = found[here]

    def compare(self, plain: Flags, kinds: Numbers, values: Floats) -> None:
        """Differing unless the cells of plain rows are of these kinds and values."""
        slack = np.zeros(len(values))
        if self.days is not None:
            early = (self.epoch == _EPOCH) & (values < _IMAGINARY)
            near = np.where(early, 1.5, _TOLERANCE)
            slack = np.where(np.asarray(self.days.is_valid()), near, slack)
        away = np.abs(self.values - values)
        good = (self.kinds == kinds) & ~(away > slack)
        if not good[plain].all():
            raise Differing
        if self.types - {str, date, float}:
            for index in np.flatnonzero(plain & np.isnan(self.values)).tolist():
                if not _same(float(values[index]), self.cells[index], self.epoch):
                    raise Differing

    def raw(self) -> Raw:
        """The cells as they go into a table."""
        if self.types == {str}:
            return self.texts
        has_text = self.texts is not None and self.texts.null_count < len(self.cells)
        if self.types <= {str, date} and not has_text:
            return self.days
        return [_plain_number(cell) for cell in self.cells]


def _plain_number(value: object) -> object:
    if type(value) is float and value.is_integer():
        return int(value)
    return None if value == "" else value


def _same(expected: float, value: object, epoch: datetime) -> bool:
    """Whether the number in the file is the value that was read."""
    if expected != expected:  # NaN: not compared
        return True
    if isinstance(value, int | float):
        return expected == value
    days = _days(value, epoch)
    if isinstance(value, time) and expected < 0:
        return True  # it shows as ##### in a spreadsheet and is no date either
    early = epoch is _EPOCH and expected < _IMAGINARY and not isinstance(value, time)
    return abs(days - expected) < (1.5 if early else _TOLERANCE)


def _days(value: object, epoch: datetime) -> float:
    """A date, time or duration as the number a spreadsheet keeps for it."""
    if isinstance(value, time):
        value = datetime.combine(epoch, value)
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if isinstance(value, datetime):
        value = value - epoch
    return value / timedelta(days=1) if isinstance(value, timedelta) else float("inf")


def rows_lost(
    connection: duckdb.DuckDBPyConnection, sheet: Sheet, problems: list[Problem]
) -> list[Problem]:
    """A refusal when rows of a sheet are neither taken nor held, nor told as left out.

    The pre-flight's count is held against what arrived in `staged`; rows that stand
    twice and rows that are no part of the table were each told.
    """
    found = first_row(
        connection,
        "select count(*) filter (not held), count(*) filter (held)"
        f" from staged.{sheet.table}",
    )
    taken, held = found or (0, 0)
    twice = sum(problem.code == "row-twice" for problem in problems)
    if taken + held + twice + sheet.skipped == sheet.filled:
        return []
    return [
        Problem(
            Severity.STOPS, "rows-lost", Place(sheet.file, sheet.sheet),
            f"{sheet.filled:,} rows are filled, but {taken:,} were taken and {held:,} held",
            repair="copy the table into a new workbook, and tell whoever looks after the"
            " program",
        )
    ]  # fmt: skip
