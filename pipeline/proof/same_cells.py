"""Whether a workbook still says what it was made with, cell by cell, however it was saved.

Excel and LibreOffice write every byte anew when somebody merely saves; what the cells hold
stays. Both workbooks are read row by row, so that of neither all cells are in memory.
"""

import re
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import date, time, timedelta
from io import BytesIO
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import Workbook, load_workbook
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

_NUMBER, _DATE, _FORMULA, _NOTHING = "number", "date", "formula", "nothing"

# A typed figure comes back as it was; a sum that a program worked out again, to the penny.
_TYPED, _WORKED_OUT = 0.000001, 0.005

# What it shows depends on the rows that somebody's filter lets through.
_FOLLOWS_THE_FILTER = "SUBTOTAL("

_DECIMAL = re.compile(r"\d+\.\d+")


class _Held(NamedTuple):
    """What a cell holds, its kind in a word; dates are the number that a sheet keeps."""

    kind: str
    value: Any

    @property
    def said(self) -> str:
        """The cell in words, without a text that may be somebody's name."""
        if self.kind == _NUMBER:
            return f"{self.value:.15g}"
        return _NOTHING if self.kind == _NOTHING else f"a {self.kind}"

    def is_like(self, other: "_Held", within: float) -> bool:
        """Whether two cells hold the same; a date may be shown as its number."""
        figures = (_NUMBER, _DATE)
        if self.kind in figures and other.kind in figures:
            return abs(self.value - other.value) <= within
        return self == other

    def in_place_of(self, other: "_Held") -> str:
        """What differs, in words."""
        if self.kind == other.kind != _NUMBER:
            return f"another {self.kind}"
        return f"{self.said} in place of {other.said}"


_Books = tuple[Workbook, Workbook]
_Place = tuple[int, int]  # row and column


def first_difference(made: bytes, file: Path) -> str:
    """What differs first between a workbook as it was made and a file, "" if nothing does.

    Sheets, values and formulas count, looks do not. No text of a cell is told.
    """
    try:
        content = file.read_bytes()
        return "" if content == made else _difference(made, content)
    except Exception:  # whatever is wrong with it, it does not say what it should
        return "it cannot be read"


def _difference(made: bytes, content: bytes) -> str:
    """What was typed comes first, on all sheets; then what formulas show."""
    formulas: dict[str, set[_Place]] = {}
    with _both(made, content, shown=False) as books:
        names = books[0].sheetnames
        if names != books[1].sheetnames:
            return "its sheets are others"
        for name in names:
            formulas[name] = set()
            if where := _typed(name, books, formulas[name]):
                return f"sheet {name}, cell {where}"
    with _both(made, content, shown=True) as books:
        for name in names:
            if where := _shown(name, books, formulas[name]):
                return f"sheet {name}, cell {where}"
    return ""


@contextmanager
def _both(made: bytes, content: bytes, *, shown: bool) -> Iterator[_Books]:
    """Two workbooks, to be read once: their formulas, or what those `shown` when saved."""
    with ExitStack() as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of looks that are not read
        one, other = (
            opened.enter_context(
                closing(load_workbook(BytesIO(each), read_only=True, data_only=shown))
            )
            for each in (made, content)
        )
        yield one, other


def _typed(name: str, books: _Books, formulas: set[_Place]) -> str:
    """The first cell of a sheet that holds something else; adds where its formulas are."""
    for place, due, found in _side_by_side(name, books):
        if not found.is_like(due, _TYPED):
            return f"{_address(place)}: {found.in_place_of(due)}"
        if due.kind == _FORMULA and _FOLLOWS_THE_FILTER not in due.value:
            formulas.add(place)
    return ""


def _shown(name: str, books: _Books, formulas: set[_Place]) -> str:
    """The first formula of a sheet that showed something else when it was saved."""
    if not formulas:
        return ""
    for place, due, found in _side_by_side(name, books, max(formulas)[0]):
        # Whoever saves without working out leaves a formula without what it shows.
        asked = place in formulas and found.kind != _NOTHING
        if asked and not found.is_like(due, _WORKED_OUT):
            return f"{_address(place)}: its formula shows {found.in_place_of(due)}"
    return ""


def _side_by_side(
    name: str, books: _Books, last: int | None = None
) -> Iterator[tuple[_Place, _Held, _Held]]:
    """Each cell of a sheet, and what it holds in either workbook, up to a `last` row."""
    sheets = [book[name] for book in books]
    for sheet in sheets:
        sheet.reset_dimensions()  # told by the file; cells may lie outside
    rows = zip_longest(
        *(sheet.iter_rows(max_row=last) for sheet in sheets), fillvalue=()
    )
    for row, pair in enumerate(rows, 1):
        cells = zip_longest(*pair, fillvalue=EMPTY_CELL)
        for column, (due, found) in enumerate(cells, 1):
            yield (row, column), _held(due), _held(found)


def _address(place: _Place) -> str:
    row, column = place
    return f"{get_column_letter(column)}{row}"


def _held(cell: Any) -> _Held:
    value = cell.value
    if cell.data_type == "f":
        return _Held(_FORMULA, _plain(str(getattr(value, "text", value))))
    if value is None or value == "":
        return _Held(_NOTHING, None)
    if isinstance(value, bool):
        return _Held("yes or no", value)
    if isinstance(value, int | float):
        return _Held(_NUMBER, value)
    if isinstance(value, date | time | timedelta):
        return _Held(_DATE, to_excel(value))
    return _Held("text", value)


def _plain(formula: str) -> str:
    """A formula as far as it counts: office programs drop quotes, blanks and last noughts."""
    formula = formula.replace("'", "").replace(" ", "").removeprefix("=")
    return _DECIMAL.sub(lambda found: found[0].rstrip("0").rstrip("."), formula)
