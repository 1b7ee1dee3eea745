"""What an invoice's workbook carries so that it can be entered into a ledger again.

The data lie in the custom document properties, as canonical JSON in pieces of what a
property can hold, with their hash. They say no more of a person than the page shows, but
for ids: no e-mail address, and to a contact no Healthcode code and no reason. The hash
finds damage and careless changes; whoever can change the data can work out their hash as
well.
"""

import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from pipeline.bookkeeping.books import Document, Letterhead, Line

FORMAT = 1
LONGEST_PIECE = 255  # what Excel takes in one property
_PIECE, _HASH = "data_", "data_sha256"


class Unreadable(Exception):
    """The data of a workbook are missing, changed or of a later program."""


def embedded(document: Document) -> dict[str, str]:
    """The properties that carry a document's data, the same each time."""
    lines = [vars(line).copy() for line in document.lines]
    if document.bill_to:
        for line in lines:
            del line["healthcode_code"]
    letterhead = vars(document.letterhead)
    data = {**vars(document), "letterhead": letterhead, "lines": lines}
    del data["email"]
    if document.bill_to:
        del data["reason"]
    text = json.dumps(
        {"format": FORMAT, **data}, default=str, sort_keys=True, separators=(",", ":")
    )
    pieces = {
        f"{_PIECE}{number:04d}": piece for number, piece in enumerate(_pieces(text), 1)
    }
    return {_HASH: hashlib.sha256(text.encode("ascii")).hexdigest(), **pieces}


def _pieces(text: str) -> list[str]:
    """No piece begins or ends with a blank, which a program may take away."""
    pieces = []
    while text:
        end = min(LONGEST_PIECE, len(text))
        while end > 1 and (text[end - 1] == " " or text[end : end + 1] == " "):
            end -= 1
        pieces.append(text[:end])
        text = text[end:]
    return pieces


def read_back(properties: Mapping[str, str]) -> Document:
    """The document that the properties of a workbook carry; raises `Unreadable`."""
    # By number: the ten thousandth has a digit more than the others.
    names = sorted(
        (name for name in properties if re.fullmatch(rf"{_PIECE}[0-9]{{4,9}}", name)),
        key=lambda name: int(name.removeprefix(_PIECE)),
    )
    if not names:
        raise Unreadable("it carries no data")
    text = "".join(properties[name] for name in names)
    if hashlib.sha256(text.encode()).hexdigest() != properties.get(_HASH):
        raise Unreadable("its data were changed")
    try:
        data = json.loads(text)
        if data.pop("format") != FORMAT:
            raise Unreadable("its data are of another version of the program")
        return _document(data)
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
        raise Unreadable("its data cannot be read") from None


def _document(data: dict[str, Any]) -> Document:
    lines = tuple(
        _typed(Line, {"healthcode_code": "", **line}) for line in data["lines"]
    )
    letterhead = _typed(Letterhead, data["letterhead"])
    rest = {
        "reason": "", **data, "email": "", "lines": lines, "letterhead": letterhead,
        "address": tuple(data["address"]), "address_cells": tuple(data["address_cells"]),
    }  # fmt: skip
    return _typed(Document, rest)


def _typed(kind: Any, values: dict[str, Any]) -> Any:
    """A value of ours from its fields as JSON has them."""
    types = {field.name: field.type for field in dataclasses.fields(kind)}
    if types.keys() != values.keys():
        raise KeyError("other fields than expected")
    return kind(**{name: _value(types[name], value) for name, value in values.items()})


def _value(kind: Any, value: Any) -> Any:
    if kind is Decimal:
        return Decimal(value)
    if kind is date or (kind == date | None and value is not None):
        return date.fromisoformat(value)
    if kind in (str, int, bool) and type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind}")
    return value
