"""The small practice as the office keeps it: real workbooks, with cells of each type."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from openpyxl import Workbook

from schemas import INPUTS
from schemas.columns import about, columns, name_of, title_of
from tests import practice


class Shown(NamedTuple):
    """A number in a cell of a number format, such as 1e5 in 0.00E+00."""

    number: float
    look: str


Cell = str | int | float | date | Shown | None

_FILE = {name_of(schema): str(about(schema)["file"]) for schema in INPUTS}
TITLE = {name_of(schema): title_of(schema) for schema in INPUTS}
_KINDS = {
    (name_of(schema), column.title): column.kind
    for schema in INPUTS
    for column in columns(schema)
}


def typed(table: str, heading: str, text: Cell) -> Cell:
    """A cell's text as Excel keeps it: dates and amounts are no text."""
    if not isinstance(text, str):
        return text
    kind = _KINDS.get((table, heading))
    if not text:
        return None
    if kind == "date" and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return date.fromisoformat(text)
    if kind in ("money", "percent", "whole") and re.fullmatch(
        r"[0-9]+(\.[0-9]+)?", text
    ):
        return float(text)
    return text


def books(
    given: Mapping[str, Sequence[Mapping[str, Cell]]] | None = None,
) -> dict[str, Workbook]:
    """The workbooks of a practice by file stem, not saved yet."""
    made: dict[str, Workbook] = {}
    for table, rows in (given or practice.sheets()).items():
        book = made.setdefault(_FILE[table], Workbook())
        sheet = None if book.properties.title else book.active
        if sheet is None:
            sheet = book.create_sheet()
        book.properties.title = _FILE[table]
        sheet.title = TITLE[table]
        headings = list(dict.fromkeys(title for row in rows for title in row))
        sheet.append(headings)
        for row in rows:
            cells = [typed(table, name, row.get(name, "")) for name in headings]
            sheet.append([c.number if isinstance(c, Shown) else c for c in cells])
            for cell, given_as in zip(sheet[sheet.max_row], cells, strict=True):
                if isinstance(given_as, Shown):
                    cell.number_format = given_as.look
                if cell.data_type == "f":
                    cell.data_type = "s"  # typed as text, as it says
    return made


def save(folder: Path, made: dict[str, Workbook]) -> Path:
    """Write workbooks into a practice folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for stem, book in made.items():
        book.save(folder / f"{stem}.xlsx")
    return folder
