"""Another system's export: its cells, read under the guards of the practice's sheets."""

import difflib
from collections.abc import Collection, Sequence
from pathlib import Path

from pipeline.boundary import file_boundary
from pipeline.cells.spelling import heading, show
from pipeline.problems import Place, Problem, Refused
from pipeline.reading.folder import read_bytes
from pipeline.reading.formats import MESSAGES, format_of
from pipeline.reading.headings import Grid
from pipeline.reading.package import Entry, Package, unpack
from pipeline.reading.preflight import Facts
from pipeline.reading.separated import SEARCHED, read_separated
from pipeline.reading.sheets import Unusable
from pipeline.starting.mapping import WrongMapping
from pipeline.workbooks import grid_of


def read_export(path: Path, sheet: str, used: Collection[str]) -> tuple[Grid, bool]:
    """The cells of an export, and whether it was read as Windows text.

    `sheet` is the title of its sheet, "" for the one that has the headings in `used`.
    Raises Refused for a file that cannot be used, WrongMapping for a sheet not found.
    """
    place = path.resolve()
    problems: list[Problem] = []
    found: list[tuple[Grid, bool]] = []
    wrong: list[WrongMapping] = []
    with file_boundary(Place(path.name), problems):
        content = read_bytes(place.parent, place.name)
        form = format_of(content)
        try:
            if form == "xlsx":
                grid = _sheet(path.name, unpack(content), sheet, used)
                found.append((grid, False))
            elif form in ("text", "unknown"):
                found.append(_text(path.name, content, used))
            else:
                raise Unusable(f"format-{form}", *MESSAGES[form])
        except WrongMapping as mapping:
            wrong.append(mapping)
    if wrong:
        raise wrong[0]
    if problems:
        raise Refused(problems)
    return found[0]


def _sheet(name: str, package: Package, title: str, used: Collection[str]) -> Grid:
    """The sheet of that title, else the one sheet that has the headings."""
    titles = [entry.title for entry in package.sheets]
    if title:
        named = [e for e in package.sheets if heading(e.title) == heading(title)]
        if len(named) != 1:
            raise WrongMapping([f'sheet = "{title}": {name} has {_list(titles)}'])
        return grid_of(name, package, named[0])
    fitting = [
        grid for e in package.sheets if (grid := _if_fits(name, package, e, used))
    ]
    if len(fitting) != 1:
        what = "no sheet" if not fitting else "more than one sheet"
        raise WrongMapping(
            [
                f"{name} has {what} with the headings; name it: sheet = ... of {_list(titles)}"
            ]
        )
    return fitting[0]


def _if_fits(
    name: str, package: Package, entry: Entry, used: Collection[str]
) -> Grid | None:
    try:
        grid = grid_of(name, package, entry)
    except Unusable:
        return None
    top = top_row(grid.rows, used)
    return grid if top and not missing(grid.rows[top - 1], used) else None


def _text(name: str, content: bytes, used: Collection[str]) -> tuple[Grid, bool]:
    """A CSV: rows as wide as the headings, those that are wider marked."""
    known = frozenset(map(heading, used))
    separated = read_separated(content, known, in_bulk=False)
    rows = separated.rows
    top = top_row(rows, used)
    width = len(rows[top - 1]) if top else max(map(len, rows), default=0)
    even = [[*row[:width], *[None] * (width - len(row))] for row in rows]
    facts = Facts(filled_rows=separated.filled)
    # A CSV opened in a spreadsheet has one sheet, called as the file is.
    title = name.rpartition(".")[0] or name
    grid = Grid(name, title, even, facts, True, separated.too_wide(top))
    return grid, separated.windows


def top_row(rows: Sequence[Sequence[object]], used: Collection[str]) -> int:
    """The row, from 1, that names most of the headings; 0 when none names any."""
    wanted = {heading(title) for title in used}
    scores = [
        len({heading(cell) for cell in row if isinstance(cell, str)} & wanted)
        for row in rows[:SEARCHED]
    ]
    best = max(scores, default=0)
    return scores.index(best) + 1 if best else 0


def missing(row: Sequence[object], used: Collection[str]) -> list[str]:
    """What is wrong with a row of headings: those it lacks and those it has twice."""
    there = [heading(cell) for cell in row if isinstance(cell, str)]
    shown = {heading(cell): show(cell) for cell in row if isinstance(cell, str)}
    wrong = []
    for title in dict.fromkeys(used):
        count = there.count(heading(title))
        if count > 1:
            wrong.append(f"the export has more than one column {title}")
        if not count:
            near = difflib.get_close_matches(heading(title), there, 1)
            hint = f"; did you mean {shown[near[0]]}?" if near else ""
            wrong.append(f"the export has no column {title}{hint}")
    return wrong


def _list(titles: Sequence[str]) -> str:
    return ", ".join(f'"{show(title)}"' for title in titles) or "no sheet"
