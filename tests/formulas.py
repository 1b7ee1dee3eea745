"""Works out a workbook's formulas anew, from its cells alone: those that it uses, no more."""

import re
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from openpyxl.utils import range_boundaries
from openpyxl.workbook import Workbook

_REFERENCE = re.compile(
    r"(?:'(?P<sheet>[^']+)'!)?\$?(?P<first>[A-Z]{1,3})\$?(?P<row>\d+)"
    r"(?::\$?(?P<last>[A-Z]{1,3})\$?(?P<to>\d+))?"
)


def _numbers(given: Iterable[Any]) -> list[Decimal]:
    found = []
    for each in given:
        found += _numbers(each) if isinstance(each, list) else [each]
    return [each for each in found if isinstance(each, Decimal)]


def _sum(*given: Any) -> Decimal:
    return sum(_numbers(given), Decimal(0))


def _listed(cells: Any) -> list[Any]:
    """The cells of a range; a range of one cell is written as that cell."""
    return cells if isinstance(cells, list) else [cells]


def _sumif(keys: Any, text: str, cells: Any) -> Decimal:
    pairs = zip(_listed(keys), _listed(cells), strict=True)
    return _sum([cell for key, cell in pairs if key == text])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "SUM": _sum,
    "SUMPRODUCT": _sum,
    "SUBTOTAL": lambda how, cells: _sum(cells),
    "SUMIF": _sumif,
    "ABS": lambda cells: [abs(each) for each in _numbers(_listed(cells))],
    "COUNTA": lambda *given: Decimal(
        sum(each is not None for cells in given for each in _listed(cells))
    ),
    "COUNTIF": lambda cells, text: Decimal(_listed(cells).count(text)),
    "ROUND": lambda x, n: x.quantize(Decimal(1).scaleb(-int(n)), ROUND_HALF_UP),
    "IF": lambda test, yes, no: yes if test else no,
}


def worked_out(book: Workbook) -> dict[str, Any]:
    """Each formula's place (Sheet!A1) and what it comes to, without a stored value."""
    found: dict[str, Any] = {}

    def value(sheet: str, column: int, row: int) -> Any:
        cell = book[sheet].cell(row, column)
        if cell.data_type != "f":
            number = isinstance(cell.value, int | float)
            return Decimal(str(cell.value)) if number else cell.value
        place = f"{sheet}!{cell.coordinate}"
        if place not in found:
            found[place] = calculated(sheet, cell.value)
        return found[place]

    def cells(sheet: str, area: str) -> Any:
        left, top, right, bottom = range_boundaries(area)
        if ":" not in area:
            return value(sheet, left, top)
        return [
            value(sheet, column, row)
            for row in range(top, bottom + 1)
            for column in range(left, right + 1)
        ]

    def calculated(sheet: str, formula: str) -> Any:
        pieces = re.split(r'("[^"]*")', formula.removeprefix("="))
        for at in range(0, len(pieces), 2):  # what is not in quotation marks
            pieces[at] = _in_python(pieces[at], sheet)
        names = {**FUNCTIONS, "cells": cells, "Decimal": Decimal}
        return eval("".join(pieces), {"__builtins__": {}}, names)

    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    value(sheet.title, cell.column, cell.row)
    return found


def _in_python(text: str, sheet: str) -> str:
    """A piece of a formula with its references, numbers and equal signs as Python."""
    pieces, end = [], 0
    for match in _REFERENCE.finditer(text):
        last = f":{match['last']}{match['to']}" if match["last"] else ""
        area = f"{match['first']}{match['row']}{last}"
        pieces.append(_plain(text[end : match.start()]))
        where = match["sheet"] or sheet
        pieces.append(f"cells({where!r}, {area!r})")
        end = match.end()
    return "".join([*pieces, _plain(text[end:])])


def _plain(text: str) -> str:
    return re.sub(r"(\d+(?:\.\d+)?)", r"Decimal('\1')", text.replace("=", "=="))
