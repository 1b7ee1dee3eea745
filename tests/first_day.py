"""The page of the first day as a script: what is typed where, what is asked, what is said.

The page itself is followed from top to bottom, so that it cannot say what is not so.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

PAGE = Path(__file__).parent.parent / "docs" / "first-day.md"
FOLDER, HOME = "/srv/alder", "/home/dd"
CLEARS_IT, LEAVES_IT = "(clears it)", "nothing: this row is right"

Rows = list[dict[str, str]]
_STEP = re.compile(
    r"^`(?P<file>\w+)\.xlsx`, sheet (?P<sheet>.+):\n\n(?P<typed>(?:\|.*\n)+)"
    r"|^(?P<repairs>\| Cell \|.*\n(?:\|.*\n)+)"
    r"|^```\n\$ membill (?P<command>.*)\n(?P<said>(?:(?!```).*\n)*)```$",
    flags=re.MULTILINE,
)


@dataclass(frozen=True)
class Typing:
    """Rows that somebody types into a sheet."""

    file: str
    sheet: str
    rows: Rows


@dataclass(frozen=True)
class Repairs:
    """What the issues workbook says, cell by cell, and what is typed there."""

    rows: Rows


@dataclass(frozen=True)
class Command:
    """A command as typed, and what the page says it printed."""

    line: str
    said: str

    def words(self, folder: Path, home: Path) -> list[str]:
        """The command's words, in a folder of one's own."""
        line = self.line.replace(FOLDER, str(folder)).replace(HOME, str(home))
        return shlex.split(line)


Step = Typing | Repairs | Command


def steps(text: str) -> Iterator[Step]:
    """The steps of the page, in its order."""
    for found in _STEP.finditer(text):
        if found["command"]:
            yield Command(found["command"], found["said"])
        elif found["repairs"]:
            yield Repairs(_rows(found["repairs"]))
        else:
            yield Typing(found["file"], found["sheet"], _rows(found["typed"]))


def _rows(table: str) -> Rows:
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in table.splitlines()
    ]
    return [dict(zip(lines[0], cells, strict=True)) for cells in lines[2:]]


def entered(text: str) -> Any:
    """What a spreadsheet makes of what is typed: a date, a number, or the text."""
    if re.fullmatch(r"\d\d/\d\d/\d{4}", text):
        try:
            return datetime.strptime(text, "%d/%m/%Y")
        except ValueError:
            return text  # no such day: it stays as it was typed
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    return text or None


def type_rows(folder: Path, typing: Typing) -> None:
    """Type rows under the last one; a row whose first cell is there gets its values."""
    path = folder / f"{typing.file}.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book[typing.sheet]
    for row in typing.rows:
        key = next(iter(row.values()))
        there = [cell.row for cell in sheet["A"] if cell.value == key]
        is_setting = typing.sheet == "Settings"
        _type(sheet, there[0] if is_setting else _last(sheet) + 1, row)
    (table,) = sheet.tables.values()
    first, corner = table.ref.split(":")
    column = re.sub(r"\d", "", corner)
    table.ref = f"{first}:{column}{_last(sheet)}"  # as a spreadsheet lets it grow
    table.autoFilter.ref = table.ref
    book.save(path)


def _last(sheet: Worksheet) -> int:
    return max(
        row[0].row for row in sheet.iter_rows() if any(c.value is not None for c in row)
    )


def _type(sheet: Worksheet, number: int, row: dict[str, str]) -> None:
    headings = {cell.value: cell.column for cell in sheet[1]}
    for heading, text in row.items():
        put(sheet, f"{get_column_letter(headings[heading])}{number}", entered(text))


def put(sheet: Worksheet, address: str, value: Any) -> None:
    """Type into one cell, which keeps the look of its column."""
    cell = sheet[address]
    if not cell.has_style:
        for column in sheet.column_dimensions.values():
            if column.min <= cell.column <= column.max:
                cell._style = copy(column._style)
    if cell.number_format == "@" and isinstance(value, float):
        value = f"{value:g}"
    look = cell.number_format
    cell.value = value
    if isinstance(value, date) and look != "General":
        cell.number_format = look


def problems(folder: Path) -> Rows:
    """The sheet Problems of the issues workbook."""
    sheet = openpyxl.load_workbook(folder / "out/issues.xlsx")["Problems"]
    rows = list(sheet.iter_rows(min_row=4, values_only=True))
    headings = [str(heading) for heading in rows[0]]
    return [
        {
            heading: "" if value is None else str(value)
            for heading, value in zip(headings, row, strict=True)
        }
        for row in rows[1:]
    ]


def repair(folder: Path, found: Rows, typed: Sequence[str]) -> None:
    """Do in each cell that a problem names what the page says was done there."""
    for file in {problem["File"] for problem in found}:
        book = openpyxl.load_workbook(folder / file)
        for problem, text in zip(found, typed, strict=True):
            if problem["File"] == file and text != LEAVES_IT:
                spot = problem["Cell"].partition("!")[2]
                value = None if text == CLEARS_IT else entered(text)
                put(book[problem["Sheet"]], spot, value)
        book.save(folder / file)
