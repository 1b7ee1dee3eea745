"""Tables of the contract that stand where no night reads them: told, and not read."""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.boundary import file_boundary
from pipeline.cells.spelling import heading
from pipeline.problems import Place, Problem, Severity
from pipeline.reading.folder import MARK, read_start
from pipeline.reading.formats import format_of
from pipeline.reading.headings import Grid, fits, heading_row, known_headings
from pipeline.reading.package import Entry, Package, unpack
from pipeline.reading.separated import separator_of
from schemas import INPUTS
from schemas.columns import Schema, about, name_of, title_of

LARGEST = 2 * 1024**2  # bytes of a workbook of another name that is looked into
_START = 64 * 1024  # bytes of a CSV file of another name that are looked at

OpenSheet = Callable[[str, Package, Entry], Grid]


def in_other_files(
    folder: Path, names: Iterable[str], open_sheet: OpenSheet
) -> list[Problem]:
    """The tables in files of other names; what else these hold is their own affair."""
    found: list[Problem] = []
    for name in names:
        with file_boundary(Place(name), []):
            if name.lower().endswith(".csv"):
                found += _in_text(folder, name)
            else:
                found += _in_workbook(folder, name, open_sheet)
    return found


def _in_workbook(folder: Path, name: str, open_sheet: OpenSheet) -> Iterator[Problem]:
    content = read_start(folder, name, LARGEST + 1)
    if len(content) > LARGEST or format_of(content) != "xlsx":
        return
    package = unpack(content)
    if MARK in package.properties:
        return
    for entry in package.sheets:
        schema = titled(entry.title)
        if schema and has_rows(open_sheet(name, package, entry), schema):
            yield sheet_elsewhere(name, entry.title, schema)


def titled(title: str) -> Schema | None:
    """The table whose sheet has this title."""
    return next((s for s in INPUTS if heading(title_of(s)) == heading(title)), None)


def has_rows(grid: Grid, schema: Schema) -> bool:
    """Whether a sheet has headings of the table and something below them."""
    top = heading_row(grid.rows, schema)
    return top > 0 and max(grid.facts.filled_rows, default=0) > top


def sheet_elsewhere(file: str, title: str, schema: Schema) -> Problem:
    """What to do about a table's sheet in a workbook where it is not read."""
    book, table = about(schema)["file"], name_of(schema)
    return Problem(
        Severity.CHECK, "sheet-elsewhere", Place(file, title),
        f"this sheet is read in {book}.xlsx only; here it was not",
        repair=f"move it to {book}.xlsx or save it as {table}.csv; if it is for the"
        " office alone, give it another title",
    )  # fmt: skip


def _in_text(folder: Path, name: str) -> Iterator[Problem]:
    start = read_start(folder, name, _START)
    wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = start.decode("utf-16" if wide else "utf-8-sig", "replace")
    schema = next((s for s in INPUTS if _has_exactly(text, s)), None)
    if schema:
        yield Problem(
            Severity.CHECK, "name-unknown", Place(name),
            f"this has the headings of {title_of(schema)}, but no file of the practice"
            " has this name; it was not read",
            repair=f"rename it to {name_of(schema)}.csv if it belongs here, or move it"
            " out of the folder",
        )  # fmt: skip


def _has_exactly(text: str, schema: Schema) -> bool:
    """Whether a text begins with headings of the table alone, and a row follows."""
    known = frozenset(known_headings(schema))
    lines, separator = text.splitlines(), separator_of(text, known)
    top: list[object] = []
    with suppress(csv.Error):
        top += next(csv.reader(lines[:1], delimiter=separator), [])
    folded = {heading(str(cell)) for cell in top} - {""}
    return (
        folded <= known
        and fits([top], schema, well=True)
        and any(line.strip(f'{separator}" ') for line in lines[1:])
    )
