"""A mapping file: how another system's export becomes the columns of a sheet.

A small TOML file, written by a person: which heading is which column, what the export's
words mean, how its dates are written. What it does not say is never guessed.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.cells import parse
from pipeline.cells.spelling import MONTHS, heading
from pipeline.problems import Severity, WrongUsage
from pipeline.reading.headings import known_headings
from schemas.columns import Column, Schema, columns

LARGEST = 1_000_000  # bytes
PARTS = ("sheet", "dates", "columns", "constants", "values")

_TOKEN = re.compile(r"d{1,2}|m{1,4}|y+", re.IGNORECASE)
_DIGITS = "([0-9]{1,2})"
_TOKENS = {
    "d": ("day", _DIGITS), "dd": ("day", _DIGITS), "m": ("month", _DIGITS),
    "mm": ("month", _DIGITS), "mmm": ("month", "([A-Za-z]{3,9})"),
    "mmmm": ("month", "([A-Za-z]{3,9})"), "yyyy": ("year", "([0-9]{4})"),
}  # fmt: skip
_MIDNIGHT = r"(?:[ T]0?0:00(?::00(?:\.0+)?)?)?"


class WrongMapping(WrongUsage):
    """A mapping that cannot be followed: every reason, a line each."""

    def __init__(self, reasons: Sequence[str]):
        super().__init__("\n".join(reasons))


@dataclass(frozen=True)
class DateForm:
    """How an export writes its dates, such as dd/mm/yyyy."""

    form: str
    pattern: re.Pattern[str]
    order: tuple[str, ...]

    def read(self, text: str) -> date | None:
        """The date that is written so; None for anything else, never a guess."""
        match = self.pattern.fullmatch(text.strip())
        if not match:
            return None
        parts = dict(zip(self.order, match.groups(), strict=True))
        try:
            return date(int(parts["year"]), _month(parts["month"]), int(parts["day"]))
        except ValueError:
            return None


ISO = "yyyy-mm-dd"


@dataclass(frozen=True)
class Plan:
    """A mapping understood: fields of the table to headings, words and fixed values.

    `values` maps a field to what the export says, as `said` folds it, and what is
    meant by it; "" is a blank cell.
    """

    sheet: str = ""
    dates: tuple[DateForm, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def said(text: str) -> str:
    """How two spellings of an export's word compare: no case, no spare spaces."""
    return " ".join(text.split()).casefold()


def read_mapping(path: Path, schema: Schema) -> Plan:
    """The mapping of a file; WrongMapping says all that is wrong with it."""
    content = path.read_bytes()
    if len(content) > LARGEST:
        raise WrongMapping([f"{path.name} is too large for a mapping"])
    try:
        told = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise WrongMapping([f"{path.name} is not text in UTF-8"]) from None
    except tomllib.TOMLDecodeError as error:
        raise WrongMapping([f"{path.name} is not TOML: {error}"]) from None
    return _Reader(told, schema).plan()


def date_form(form: str) -> DateForm:
    """A form such as dd/mm/yyyy; ValueError where it is none."""
    found = [match[0].lower() for match in _TOKEN.finditer(form)]
    order = tuple(_TOKENS[token][0] for token in found if token in _TOKENS)
    if len(order) != len(found) or sorted(order) != ["day", "month", "year"]:
        raise ValueError(form)
    between = map(re.escape, _TOKEN.split(form))
    groups = [_TOKENS[token][1] for token in found]
    body = "".join(a + b for a, b in zip(between, [*groups, ""], strict=True))
    return DateForm(form, re.compile(body + _MIDNIGHT), order)


def _month(written: str) -> int:
    """The number of a month, by digits or by its name; ValueError for no month."""
    if written.isdigit():
        return int(written)
    names = [month.casefold() for month in MONTHS]
    found = [
        n for n, name in enumerate(names, 1) if name.startswith(written.casefold())
    ]
    if len(found) != 1:
        raise ValueError(written)
    return found[0]


class _Reader:
    """One mapping being understood; what is wrong is gathered."""

    def __init__(self, told: dict[str, Any], schema: Schema):
        self.told, self.schema = told, schema
        self.wrong: list[str] = []

    def plan(self) -> Plan:
        for part in self.told.keys() - set(PARTS):
            self.wrong.append(f"{part} is no part of a mapping{_near(part, PARTS)}")
        plan = Plan(
            self._sheet(),
            self._dates(),
            self._each("columns", self._headings),
            self._each("constants", self._constant),
            self._each("values", self._words),
        )
        self._must_fit(plan)
        if self.wrong:
            raise WrongMapping(self.wrong)
        return plan

    def _sheet(self) -> str:
        sheet = self.told.get("sheet", "")
        if not isinstance(sheet, str):
            self.wrong.append('sheet is a title, such as sheet = "Export"')
            return ""
        return sheet

    def _dates(self) -> tuple[DateForm, ...]:
        forms = [ISO]
        if "dates" in self.told:
            forms.append(self.told["dates"])
        try:
            return tuple(date_form(form) for form in forms)
        except (ValueError, TypeError):
            self.wrong.append(
                f'dates = "{forms[-1]}" cannot be read; write day, month and year as'
                " they stand in the export, such as dd/mm/yyyy or d mmm yyyy"
            )
            return ()

    def _each(
        self, part: str, understand: Callable[[Column, Any], Any]
    ) -> dict[str, Any]:
        """A part of the mapping by field, each entry understood."""
        told = self.told.get(part, {})
        if not isinstance(told, dict):
            self.wrong.append(f"{part} has to be a table: [{part}]")
            return {}
        known = known_headings(self.schema)
        found: dict[str, Any] = {}
        for title, value in told.items():
            column = known.get(heading(title))
            if column is None:
                near = _near(title, [c.title for c in columns(self.schema)])
                self.wrong.append(f"[{part}] {title} is no column of the sheet{near}")
            elif column.name in found:
                self.wrong.append(f"[{part}] {column.title} stands there twice")
            else:
                found[column.name] = understand(column, value)
        return found

    def _headings(self, column: Column, value: Any) -> tuple[str, ...]:
        listed = value if isinstance(value, list) else [value]
        if not listed or not all(isinstance(item, str) and item for item in listed):
            self.wrong.append(
                f"[columns] {column.title}: give the export's heading, or several in"
                ' brackets to be joined: ["House", "Street"]'
            )
            return ()
        return tuple(listed)

    def _constant(self, column: Column, value: Any) -> Any:
        if isinstance(value, bool):
            value = "Yes" if value else "No"
        if not isinstance(value, str | int | float | date):
            self.wrong.append(f"[constants] {column.title}: give one value")
            return None
        self._must_be_usable(f"[constants] {column.title}", value, column)
        return value

    def _words(self, column: Column, table: Any) -> dict[str, str]:
        """What each of the export's words means."""
        place = f'[values."{column.title}"]'
        if not isinstance(table, dict):
            self.wrong.append(f"{place} has to be a table")
            return {}
        meant: dict[str, str] = {}
        for word, listed in table.items():
            if word:
                self._must_be_usable(place, word, column)
            for typed in listed if isinstance(listed, list) else [listed]:
                folded = said(str(typed))
                if meant.get(folded, word) != word:
                    self.wrong.append(
                        f"{place} {typed} means both {meant[folded]} and {word}"
                    )
                meant[folded] = word
        return meant

    def _must_be_usable(self, place: str, value: Any, column: Column) -> None:
        parsed = parse(value, column)
        fault = parsed.fault
        if fault and (parsed.value is None or fault.severity is Severity.HELD):
            self.wrong.append(f"{place}: {fault.found}; {fault.repair}")

    def _must_fit(self, plan: Plan) -> None:
        """Nothing twice, and something for every column that has to be filled."""
        titles = {column.name: column.title for column in columns(self.schema)}
        for name in plan.columns.keys() & plan.constants.keys():
            self.wrong.append(f"{titles[name]} stands in [columns] and [constants]")
        for name in plan.values.keys() - plan.columns.keys():
            self.wrong.append(
                f"[values] has words for {titles[name]}, which [columns] leaves out"
            )
        there = {*plan.columns, *plan.constants}
        for column in columns(self.schema):
            if column.required and column.name not in there:
                self.wrong.append(
                    f"{column.title} is required; say in [columns] which heading it"
                    " has, or give every row the same in [constants]"
                )


def _near(text: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(text.casefold(), [k.casefold() for k in known], 1)
    meant = next((k for k in known if close and k.casefold() == close[0]), "")
    return f"; did you mean {meant}?" if meant else ""
