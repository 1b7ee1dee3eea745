"""Shortcuts for hundreds of nights of a few patients.

What a sheet comes to is kept, since the same few sheets are read again and again.

Reading a sheet depends on the sheet alone. Each that differs in a cell is read and held
to its schema as ever; the tests of reading itself call it where nothing is kept.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from pipeline import prepare, settings
from pipeline.copies.backups import Copy
from pipeline.files import write_text
from pipeline.ingest import Parsing

# Larger sheets are rare, and cost as much to compare as to read.
_ROWS = 150


def reading() -> Any:
    """A patch by which a night reads each sheet once in this process."""
    read_sheet, kept = prepare.read_sheet, dict[str, Parsing]()

    def remembered(schema: Any, sheet: Any) -> Parsing:
        if len(sheet.rows) > _ROWS:
            return read_sheet(schema, sheet)
        key = repr((
            schema.__name__, sheet.file, sheet.sheet, sheet.headings, list(sheet.rows),
            sheet.bad_rows, sheet.filled, sheet.skipped,
        ))  # fmt: skip
        if key not in kept:
            kept[key] = read_sheet(schema, sheet)
        return replace(kept[key], problems=list(kept[key].problems))

    return patch("pipeline.prepare.read_sheet", remembered)


def ranges() -> Any:
    """A patch by which settings that are in their ranges are looked at once."""
    out_of_range, fine = settings._out_of_range, set[str]()

    def remembered(given: Any, typed: Any, sheet: Any) -> Any:
        key = repr({name: values.to_pylist() for name, values in given.items()})
        found = [] if key in fine else out_of_range(given, typed, sheet)
        if not found:
            fine.add(key)
        return found

    return patch("pipeline.settings._out_of_range", remembered)


def as_written() -> Any:
    """A patch by which DuckDB carries statements out as they are written.

    That changes no result, and is a tenth of the time of nights of a few patients.
    """
    connect = duckdb.connect

    def plainly(*args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*args, **options)
        if not options.get("read_only"):
            connection.execute("pragma disable_optimizer")
        return connection

    return patch("duckdb.connect", plainly)


def no_tables() -> Any:
    """A patch by which the copy that is made once a week as CSV has no tables in it."""

    def written(copy: Copy, folder: Path, run_id: str, before: Path) -> None:
        write_text(folder / "README.txt", run_id)

    return patch("pipeline.copies.csv_copies._write", written)
