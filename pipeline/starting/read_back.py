"""Workbooks made from somebody's rows: read again, and alike in every cell, or nothing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.exports.input_cells import as_text, is_before_sheets
from pipeline.exports.templates import Filled, template
from pipeline.files import private_folder
from pipeline.reading.raw_table import is_blank
from pipeline.workbooks import read_grids
from schemas import INPUTS
from schemas.columns import about, columns, name_of


class Differs(Exception):
    """A table that did not come out as it was put in: a fault of the program's own."""


def filled_templates(
    folder: Path, files: Sequence[str], filled: Mapping[str, Filled]
) -> dict[str, bytes]:
    """The workbooks named, holding these rows by table; each was read to compare.

    They are written for that into a hidden folder in `folder`, which is then removed.
    Raises Differs when a row or cell is not as it was given.
    """
    made = {file: template(file, filled) for file in files}
    private_folder(folder)
    with TemporaryDirectory(dir=folder, prefix=".reading-") as place:
        for file, content in made.items():
            (Path(place) / f"{file}.xlsx").write_bytes(content)
        found, _ = read_grids(Path(place))
    for schema in INPUTS:
        table = name_of(schema)
        if about(schema)["file"] in made:
            sheet = filled.get(table, Filled())
            titles = [*(column.title for column in columns(schema)), *sheet.more]
            # An optional sheet without a row is not handed over at all.
            empty = [titles] if not sheet.rows else []
            rows = found[table].rows if table in found else empty
            _must_be_alike(table, [titles, *sheet.rows], rows)
    return made


def _must_be_alike(
    table: str, given: Sequence[Sequence[Any]], found: Sequence[Sequence[Any]]
) -> None:
    if len(given) != len(found):
        raise Differs(f"{table}: {len(given)} rows were written, {len(found)} read")
    for number, (row, again) in enumerate(zip(given, found, strict=True), start=1):
        cells = [*again] + [None] * (len(row) - len(again))
        for one, other in zip(row, cells, strict=False):
            if plain(one) != plain(other):
                raise Differs(f"{table}: row {number} was not read as it was written")


def plain(value: Any) -> Any:
    """A cell's value as two of them compare: its type, and what a spreadsheet keeps."""
    if is_blank(value) and not isinstance(value, str):
        return None
    if isinstance(value, bool):
        return value, "truth"
    if isinstance(value, str):
        return value or None
    if isinstance(value, date) and is_before_sheets(value):
        return as_text(value)
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, int | float | Decimal):
        return f"{float(value):.15g}", "number"
    return value
