"""Three counts of a sheet's rows that must agree: pre-flight, reader, taken and held."""

from datetime import date, datetime, time, timedelta

import duckdb

from pipeline.archive import unreliable
from pipeline.cells import CellError
from pipeline.preflight import Facts
from pipeline.problems import Place, Problem, Severity
from pipeline.sheets import Sheet, shows_nothing

_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)
_TOLERANCE = 1 / 86_400  # of a day: readers round to the millisecond
_IMAGINARY = 61  # before this day Excel counts a 29 February 1900 that never was


def must_agree(facts: Facts, rows: list[list[object]], date1904: bool) -> None:
    """Unusable unless the reader found the rows, cells and numbers of the pre-flight."""
    filled_rows: set[int] = set()
    cells = position = 0
    numbers, known = facts.numbers, len(facts.numbers)
    epoch = _EPOCH_1904 if date1904 else _EPOCH
    for number, row in enumerate(rows, 1):
        before = cells
        for value in row:
            if value is None:
                continue
            if isinstance(value, str):
                cells += not shows_nothing(value)
            elif isinstance(value, CellError):
                cells += 1
            else:
                cells += 1
                if position == known or not _same(numbers[position], value, epoch):
                    raise unreliable()
                position += 1
        if cells > before:
            filled_rows.add(number)
    if (filled_rows, cells, position) != (facts.filled_rows, facts.cells, known):
        raise unreliable()


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
    found = connection.execute(
        "select count(*) filter (not held), count(*) filter (held)"
        f" from staged.{sheet.table}"
    ).fetchone()
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
