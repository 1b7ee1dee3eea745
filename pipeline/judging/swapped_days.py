"""Columns of dates in which a computer, or a person, put the month before the day."""

from datetime import date

import pyarrow as arrow
from pyarrow import compute as pc

from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import Sheet

# Fewer may be slips of one row each, which are held there.
_FEW = 3
_NUMBERS = (
    r"^\s*(?P<first>[0-9]{1,2})[/.-](?P<second>[0-9]{1,2})[/.-]"
    r"(?:[0-9]{4}|[0-9]{2})\s*$"
)


def swapped_days(sheet: Sheet, field: str, title: str) -> list[Problem]:
    """The signatures of a file that went through a computer of another country.

    A date that such a computer can read becomes a real one with day and month swapped;
    one of a day beyond the 12th stays text. So real dates all up to the 12th, beside text
    all beyond it, cannot be trusted, whichever way the text is written. And where text can
    only have the month first, what could be either has it first too.
    """
    values = sheet.cells(field)
    if values is None or not len(values):
        return []
    real: list[date] = []
    if isinstance(values, list):
        real = [value for value in values if isinstance(value, date)]
        values = arrow.array([v for v in values if isinstance(v, str)], arrow.string())
    if not arrow.types.is_string(values.type):
        return []  # dates alone
    days, months, either = _counted(values)
    found, repair = "", "bring back the copy from before that, or retype the column"
    if len(real) >= _FEW and max(value.day for value in real) <= 12 and not either:
        if days >= _FEW and not months:
            found = (
                "every real date has a day up to 12 and every later day is text: the file"
                " was saved on a computer that puts the month first"
            )
        elif months >= _FEW and not days:
            found = (
                "every real date has a day up to 12 and every later day is text with the"
                " month first: the file is of a computer that puts the month first"
            )
    if months >= _FEW and not days and either:
        found = (
            f"{months:,} dates can only have the month first, such as 03/25/2026, so that"
            f" the {either:,} that could be read either way have it first as well"
        )
        repair = "write the column's dates as 2026-03-25, or with the day first"
    if not found:
        return []
    return [
        Problem(
            Severity.STOPS,
            "days-and-months-swapped",
            Place(sheet.file, sheet.sheet, None, title),
            found,
            "dates with day and month in their places",
            repair,
        )
    ]


def _counted(texts: arrow.Array) -> tuple[int, int, int]:
    """Texts that can only have the day first, only the month, and those of either."""
    parts = pc.extract_regex(texts, _NUMBERS).drop_null()
    first, second = (
        pc.cast(pc.struct_field(parts, name), arrow.int8())
        for name in ("first", "second")
    )
    late_first, late_second = pc.greater(first, 12), pc.greater(second, 12)
    return (
        pc.sum(pc.and_not(late_first, late_second)).as_py() or 0,
        pc.sum(pc.and_not(late_second, late_first)).as_py() or 0,
        pc.sum(pc.and_(pc.invert(late_first), pc.invert(late_second))).as_py() or 0,
    )
