"""How an accounting package wants its import file: headings, codes, limits, from data.

What the program brings lies in `packages/`, one file a package; `accounting.toml` in the
practice folder may replace parts of it. Nothing in it is guessed: a key or a field that
is not known, or a heading that is not there, refuses the export.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.choices import PACKAGES
from pipeline.exports.layout_faults import faults_of, tax_names
from pipeline.problems import Place, Problem, Refused, Severity
from pipeline.reading.folder import read_bytes
from pipeline.reading.sheets import Unusable

OVERRIDES = "accounting.toml"

_MERGED = ("limits", "types", "tax_codes", "accounts")


class Unready(Refused):
    """What a practice wishes of an import file cannot be done; nothing has left."""


@dataclass(frozen=True)
class Column:
    """A column of the file: its heading, and our field or fixed text below it.

    Text longer than `longest` is cut where `cut`; else its document does not fit, nor
    does it where text is shorter than `shortest`, or has to be of `digits` and is not.
    """

    heading: str
    field: str = ""
    value: str = ""
    longest: int = 0
    shortest: int = 0
    cut: bool = False
    digits: bool = False
    needed: bool = False


@dataclass(frozen=True)
class Layout:
    """What one package wants, the practice's own wishes filled in.

    `tax_codes` leads from our code to the package's names and the rate that each stands
    for, if it stands for one; `accounts` from our account to the package's.
    """

    target: str
    of: str
    date: str
    credit_notes: str
    columns: tuple[Column, ...]
    tax_codes: Mapping[str, tuple[tuple[str, Decimal | None], ...]]
    types: Mapping[str, str]
    limits: Mapping[str, int]
    accounts: Mapping[str, str]
    income_account: str
    inclusive_apart: bool
    text: str

    @property
    def headings(self) -> tuple[str, ...]:
        """The first row of the file."""
        return tuple(column.heading for column in self.columns)


def layout_of(target: str, folder: Path) -> Layout:
    """What a package wants of a practice; Unready names all that is wrong with it."""
    given = packaged(target)
    return _layout(target, _merged(given, _checked(target, given, _overrides(folder))))


def kept(target: str, text: str) -> Layout:
    """A layout as a batch keeps it."""
    return _layout(target, json.loads(text))


def packaged(target: str) -> dict[str, Any]:
    """What the program itself brings for a package."""
    file = Path(__file__).parent / "packages" / f"{target}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def refused(found: str, repair: str) -> Problem:
    """One thing about the practice's own wishes that must be mended first."""
    place = Place(OVERRIDES)
    return Problem(Severity.STOPS, "export-layout", place, found, repair=repair)


def _overrides(folder: Path) -> dict[str, Any]:
    if not (folder / OVERRIDES).exists() and not (folder / OVERRIDES).is_symlink():
        return {}
    try:
        text = read_bytes(folder, OVERRIDES).decode("utf-8-sig")
        return tomllib.loads(text, parse_float=Decimal)
    except Unusable as unusable:
        problem = refused(unusable.found, unusable.repair)
    except UnicodeDecodeError:
        problem = refused("the file is not UTF-8 text", "save it as UTF-8")
    except (ValueError, ArithmeticError, RecursionError) as error:
        where = re.search(r"\((at [a-z0-9, ]+)\)", str(error))
        problem = refused(
            f"this is not TOML ({where[1] if where else 'somewhere'})",
            "see docs/for-accountants.md for how it looks",
        )
    raise Unready([problem])


def _checked(
    target: str, given: dict[str, Any], overrides: dict[str, Any]
) -> dict[str, Any]:
    """The part of the overrides that is about one package; Unready if it cannot be used."""
    problems = [
        refused(f"[{name}] is no package", f"use one of {', '.join(PACKAGES)}")
        for name in overrides
        if name not in PACKAGES
    ]
    own = overrides.get(target, {})
    if not isinstance(own, dict):
        problems.append(refused(f"{target} is no table", f"write it as [{target}]"))
        own = {}
    problems += [
        refused(f"[{target}]: {found}", repair)
        for found, repair in faults_of(given, own)
    ]
    if problems:
        raise Unready(problems)
    return own


def _merged(given: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    merged = {**given, **own}
    for key in _MERGED:
        merged[key] = {**given.get(key, {}), **own.get(key, {})}
    new = merged.pop("headings", {})
    needed = {column["field"] for column in given["columns"] if column.get("needed")}
    merged["columns"] = [
        {
            **column,
            "heading": new.get(column["heading"], column["heading"]),
            "needed": bool(column.get("needed")) or column.get("field") in needed,
        }
        for column in merged["columns"]
    ]
    return merged


def _layout(target: str, merged: dict[str, Any]) -> Layout:
    return Layout(
        target=target,
        of=merged["of"],
        date=merged["date"],
        credit_notes=merged["credit_notes"],
        columns=tuple(Column(**column) for column in merged["columns"]),
        tax_codes={
            code.upper(): found
            for code, value in merged["tax_codes"].items()
            if (found := tax_names(value))
        },
        types=merged["types"],
        limits=merged["limits"],
        accounts=merged["accounts"],
        income_account=str(merged.get("income_account", "")),
        inclusive_apart=merged.get("tax_inclusive") == "apart",
        text=json.dumps(merged, sort_keys=True, default=str),
    )
