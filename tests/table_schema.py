"""A small reader of Data Packages: what of the standard ours must keep to, tried row by row.

Written from the standard (descriptor, resources, Table Schema), not from our writer.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

NAME = re.compile(r"[-a-z0-9._/]+")
TYPES = {"string", "number", "integer", "boolean", "date"}
CONSTRAINTS = {"required", "unique", "enum", "minimum", "maximum"}

Rows = list[dict[str, str]]


def faults_of(folder: Path) -> Iterator[str]:
    """What of a package in a folder does not keep to its own description."""
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    if not NAME.fullmatch(package["name"]) or not package["resources"]:
        yield "the package has no proper name, or nothing in it"
    names = [resource["name"] for resource in package["resources"]]
    if len(set(names)) != len(names):
        yield "two resources of one name"
    tables: dict[str, Rows] = {}
    for resource in package["resources"]:
        yield from _file(folder, resource)
        yield from _descriptor(resource["schema"])
        if resource["format"] == "csv":
            with open(folder / resource["path"], newline="", encoding="utf-8") as file:
                reader = csv.DictReader(file)
                tables[resource["name"]] = list(reader)
            fields = [field["name"] for field in resource["schema"]["fields"]]
            if reader.fieldnames != fields:
                yield f"{resource['path']} has other headings"
                return
    for resource in package["resources"]:
        if resource["format"] == "csv":
            yield from _table(resource, tables)


def _file(folder: Path, resource: dict[str, Any]) -> Iterator[str]:
    path = resource["path"]
    if not NAME.fullmatch(resource["name"]) or "/" in path or ".." in path:
        yield f"{resource['name']} is not named or placed as it should be"
    content = (folder / path).read_bytes()
    if resource["bytes"] != len(content):
        yield f"{path} is of another size"
    if resource["hash"] != f"sha256:{hashlib.sha256(content).hexdigest()}":
        yield f"{path} has another hash"


def _descriptor(schema: dict[str, Any]) -> Iterator[str]:
    fields = {field["name"]: field for field in schema["fields"]}
    if len(fields) != len(schema["fields"]):
        yield "two fields of one name"
    for field in fields.values():
        if field["type"] not in TYPES or set(field["constraints"]) - CONSTRAINTS:
            yield f"{field['name']} is of no type or constraint that there is"
    keys = [*schema["primaryKey"]]
    keys += [name for key in schema["foreignKeys"] for name in key["fields"]]
    if not set(keys) <= fields.keys():
        yield "a key is of fields that are not there"


def _table(resource: dict[str, Any], tables: dict[str, Rows]) -> Iterator[str]:
    schema, rows = resource["schema"], tables[resource["name"]]
    for field in schema["fields"]:
        cells = [row[field["name"]] for row in rows]
        for cell in cells:
            yield from (f"{field['name']}: {fault}" for fault in _cell(field, cell))
        if field["constraints"].get("unique") and len(set(cells)) != len(cells):
            yield f"{field['name']}: a value stands twice"
    keys = [tuple(row[name] for name in schema["primaryKey"]) for row in rows]
    if len(set(keys)) != len(keys):
        yield f"{resource['name']}: a key stands twice"
    for key in schema["foreignKeys"]:
        other = tables[key["reference"]["resource"] or resource["name"]]
        there = {
            tuple(row[name] for name in key["reference"]["fields"]) for row in other
        }
        for row in rows:
            found = tuple(row[name] for name in key["fields"])
            if any(found) and found not in there:
                yield f"{resource['name']}: {found} leads nowhere"


def _cell(field: dict[str, Any], text: str) -> Iterator[str]:
    kept = field["constraints"]
    if not text:
        if kept["required"]:
            yield "is blank"
        return
    try:
        value = _value(field, text)
    except (ValueError, InvalidOperation):
        yield f"{text} is no {field['type']}"
        return
    if "enum" in kept and text not in kept["enum"]:
        yield f"{text} is none of {kept['enum']}"
    if "minimum" in kept and value < kept["minimum"]:
        yield f"{text} is below {kept['minimum']}"
    if "maximum" in kept and value > kept["maximum"]:
        yield f"{text} is above {kept['maximum']}"


def _value(field: dict[str, Any], text: str) -> Any:
    match field["type"]:
        case "number":
            return Decimal(text)
        case "integer":
            return int(text)
        case "date":
            return date.fromisoformat(text)
        case "boolean":
            if text not in (*field["trueValues"], *field["falseValues"]):
                raise ValueError(text)
    return text
