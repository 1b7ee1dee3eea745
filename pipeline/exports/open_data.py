"""Every invoice and line as CSV and Parquet, described by a `datapackage.json`.

Ids and amounts, no names or addresses: what is counted and added up needs none, and such
files travel further than a workbook. They tell how things stand when they are made.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet

from pipeline.bookkeeping import accounts
from pipeline.exports.exact_text import exact
from pipeline.files import write_bytes
from pipeline.ledger import Ledger
from pipeline.office.chosen_file import write_beside
from pipeline.tables import as_text
from schemas.arrow_types import ARROW
from schemas.columns import (
    Date,
    Field,
    Flag,
    Money,
    Rate,
    Schema,
    Text,
    Type,
    Whole,
    about,
    name_of,
)
from schemas.open_data import OPEN_DATA, Invoices, Lines

Row = dict[str, Any]

_NAME, _DESCRIPTION = "membill", "datapackage.json"

_TYPES: dict[Type, str] = {
    Text: "string", Date: "date", Money: "number", Rate: "number", Whole: "integer",
    Flag: "boolean",
}  # fmt: skip

_CONSTRAINTS = {"isin": "enum", "ge": "minimum", "le": "maximum"}


def write(ledger: Ledger, folder: Path, *, replace: bool) -> list[Path]:
    """Write the package into a folder; its description, which makes it one, last.

    With `replace=False` only a package that lies there already is replaced, and no file
    of somebody else (`WrongPlace`).
    """
    files = [(folder / name, content) for name, content in _files(ledger)]
    if replace or _is_package(folder):
        for place, content in files:
            write_bytes(place, content)
    else:
        write_beside(files)
    return [place for place, _ in files]


def _is_package(folder: Path) -> bool:
    try:
        told = json.loads((folder / _DESCRIPTION).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(told, dict) and told.get("name") == _NAME


def _files(ledger: Ledger) -> Iterator[tuple[str, bytes]]:
    """Each file of the package by its name, the description last."""
    given = {"invoices": _invoices(ledger), "lines": _lines(ledger)}
    resources: list[dict[str, Any]] = []
    for schema in OPEN_DATA:
        name, rows = name_of(schema), given[name_of(schema)]
        for ending, content in (
            ("csv", _csv(schema, rows)),
            ("parquet", _parquet(schema, rows)),
        ):
            yield f"{name}.{ending}", content
            resources.append(_resource(schema, ending, content))
    described = json.dumps(_package(resources), indent=2, ensure_ascii=False) + "\n"
    yield _DESCRIPTION, described.encode("utf-8")


def _invoices(ledger: Ledger) -> list[Row]:
    rows = ledger.rows("select number, credits_number from ledger.invoices")
    credited = {row["number"]: row["credits_number"] for row in rows}
    names = [name for name in _fields(Invoices) if name != "credits_number"]
    return [
        {
            **{
                name: None if (v := getattr(entry, name)) == "" else v for name in names
            },
            "credits_number": credited[entry.number],
        }
        for entry in accounts.entries(ledger)
    ]


def _lines(ledger: Ledger) -> list[Row]:
    return ledger.rows(
        f"select {', '.join(f'lines.{name}' for name in _fields(Lines))}"
        " from ledger.lines as lines"
        " inner join ledger.invoices as invoices using (number)"
        " order by invoices.kind desc, invoices.sequence, line"
    )


def _fields(schema: Schema) -> Mapping[str, Field]:
    return schema.fields


def _csv(schema: Schema, rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_fields(schema))
    writer.writerows(
        [exact(as_text(row[name])) for name in _fields(schema)] for row in rows
    )
    return text.getvalue().encode("utf-8")


def _parquet(schema: Schema, rows: list[Row]) -> bytes:
    fields = _fields(schema)
    types = arrow.schema(
        [
            arrow.field(name, ARROW[field.type], nullable=field.nullable)
            for name, field in fields.items()
        ]
    )
    columns = [[row[name] for row in rows] for name in fields]
    table = arrow.table(columns, schema=types)
    content = io.BytesIO()
    parquet.write_table(table, content)
    return content.getvalue()


def _resource(schema: Schema, ending: str, content: bytes) -> dict[str, Any]:
    """What the package says of one file."""
    name = name_of(schema)
    told: dict[str, Any] = {
        "name": name if ending == "csv" else f"{name}-{ending}",
        "path": f"{name}.{ending}",
        "title": (schema.__doc__ or "").strip(),
        "format": ending,
        "mediatype": "text/csv"
        if ending == "csv"
        else "application/vnd.apache.parquet",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
    if ending == "csv":
        told |= {"profile": "tabular-data-resource", "encoding": "utf-8"}
    else:
        # A validator reads the CSV by its schema; read through pandas, as it would read
        # this one, a blank whole number is none. Size and hash are tried.
        told["type"] = "file"
    return told | {"schema": _table_schema(schema)}


def _table_schema(schema: Schema) -> dict[str, Any]:
    keys = about(schema)
    return {
        "fields": [
            _field(name, field, unique=keys["primary"] == [name])
            for name, field in _fields(schema).items()
        ],
        "missingValues": [""],
        "primaryKey": keys["primary"],
        "foreignKeys": [
            {
                "fields": [name],
                "reference": {"resource": resource, "fields": [other]},
            }
            for name, (resource, other) in keys["foreign"].items()
        ],
    }


def _field(name: str, field: Field, *, unique: bool) -> dict[str, Any]:
    """A column in the words of Table Schema."""
    constraints: dict[str, Any] = {"required": not field.nullable}
    if unique:
        constraints["unique"] = True
    for check, given in field.checks.items():
        constraints[_CONSTRAINTS[check]] = given
    told = {
        "name": name,
        "type": _TYPES[field.type],
        "description": field.meaning,
        "constraints": constraints,
    }
    if told["type"] == "boolean":
        told |= {"trueValues": ["true"], "falseValues": ["false"]}
    return told


def _package(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": _NAME,
        "title": "Invoices and their lines",
        "description": (
            "Every invoice and credit note of one ledger, with their lines. Patients and"
            " payers are told by id alone; amounts of credit notes are negative."
        ),
        "profile": "data-package",
        "resources": resources,
    }
