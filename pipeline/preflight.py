"""What an Excel file holds before any value of it is believed: parts, rows, formulas.

Readers lose rows that stand twice or out of order, error cells and formulas without a
value, and say nothing. So every sheet is walked once here, by other means than theirs.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from xml.parsers import expat

from pipeline.formats import BROKEN, MESSAGES
from pipeline.sheets import (
    COLUMNS,
    LAST_ROW,
    Area,
    Unusable,
    column_index,
    shows_nothing,
)

MOST_PARTS = 5_000
LARGEST_TOTAL = 1024**3
LARGEST_RATIO = 500  # sheets of nothing but formatted blank rows reach about 100
_SMALL = 10 * 1024 * 1024  # below this no ratio matters
_LARGEST_GRID = 30_000_000  # cells between A1 and the last filled row and column
_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
# [1]Sheet!A1, but not Table[2024], which is a column of a table.
_LINK = re.compile(r"(?<![\w\]])\[\d+\][^\[\]]*!")

_SAVE_AGAIN = "open it in Excel, save it again and see that nothing is missing"


def damaged() -> Unusable:
    """The refusal of a workbook that cannot be taken apart."""
    return Unusable("format-damaged", *MESSAGES["damaged"])


def unreliable() -> Unusable:
    """The refusal of a workbook that two ways of reading do not agree on."""
    return Unusable(
        "unreliable", "the workbook could not be read reliably", _SAVE_AGAIN
    )


@dataclass(frozen=True)
class Entry:
    """One worksheet of a workbook: title, "visible", "hidden" or "veryHidden", part."""

    title: str
    state: str
    part: str


@dataclass(frozen=True)
class Package:
    """A workbook's parts that were checked, its worksheets and custom properties."""

    parts: dict[str, bytes]
    sheets: tuple[Entry, ...]
    date1904: bool
    properties: dict[str, str]

    def content(self) -> bytes:
        """A workbook of the checked parts alone, for the reader of values.

        Not compressed: it cannot hold more than what was checked.
        """
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, part in self.parts.items():
                archive.writestr(name, part)
        return buffer.getvalue()


@dataclass(frozen=True)
class ExcelTable:
    """An Excel table of a sheet: its area, and how many of its last rows are totals."""

    area: Area
    totals: int

    def total_rows(self) -> range:
        """The rows of totals at its foot."""
        return range(self.area.bottom - self.totals + 1, self.area.bottom + 1)


@dataclass(frozen=True)
class Facts:
    """What stands where in one sheet; cells are (row from 1, column from 0).

    `formulas` says of each formula whether its value was saved with it;
    `links` are the formulas that refer to another workbook.
    """

    filled_rows: set[int] = field(default_factory=set)
    last_column: int = -1
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: dict[tuple[int, int], bool] = field(default_factory=dict)
    links: set[tuple[int, int]] = field(default_factory=set)
    merged: list[Area] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    tables: list[ExcelTable] = field(default_factory=list)
    comments: set[tuple[int, int]] = field(default_factory=set)


def unpack(content: bytes) -> Package:
    """Take a workbook apart within limits; Unusable when anything about it is odd."""
    try:
        parts = _parts(content)
        return _package(parts)
    except (*BROKEN, expat.ExpatError):
        raise damaged() from None


def _parts(content: bytes) -> dict[str, bytes]:
    """The XML parts by name; pictures, macros and the like stay where they are."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        _check_sizes(members)
        parts: dict[str, bytes] = {}
        seen: set[str] = set()
        for info in members:
            name = info.filename.replace("\\", "/").lstrip("/")
            if name.lower() in seen:
                raise unreliable()
            seen.add(name.lower())
            if name.lower().endswith((".xml", ".rels")):
                parts[name] = archive.read(info)
                _check_xml(parts[name])
    return parts


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    """Refuse an archive that would unfold to more than any practice keeps."""
    total = sum(info.file_size for info in members)
    bomb = any(
        info.file_size > _SMALL and info.file_size > LARGEST_RATIO * info.compress_size
        for info in members
    )
    if len(members) > MOST_PARTS or total > LARGEST_TOTAL or bomb:
        raise Unusable(
            "too-large",
            "the workbook unfolds to more than a workbook of a practice can hold",
            "copy its sheets into a new workbook and save that",
        )


def _check_xml(part: bytes) -> None:
    """No office program writes a document type or XML in two-byte letters."""
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part or b"\0" in part:
        raise unreliable()


def _package(parts: dict[str, bytes]) -> Package:
    book = _part_named(parts, "xl/workbook.xml")
    targets = _relations(parts, book)
    sheets, date1904 = [], False
    for kind, attributes, _ in _elements(parts[book]):
        if kind == "sheet":
            relation, part = targets.get(attributes["id"], ("", ""))
            if relation.endswith("/worksheet"):
                state = attributes.get("state", "visible")
                sheets.append(Entry(attributes["name"], state, part))
        elif kind == "workbookPr":
            date1904 = attributes.get("date1904", "0") in ("1", "true")
    titles = [entry.title.casefold() for entry in sheets]
    if len(set(titles)) < len(titles) or len({s.part for s in sheets}) < len(sheets):
        raise unreliable()
    return Package(parts, tuple(sheets), date1904, _properties(parts))


def _part_named(parts: dict[str, bytes], name: str) -> str:
    """The part of that name whatever its case; KeyError when there is none."""
    if name in parts:
        return name
    return {known.lower(): known for known in parts}[name.lower()]


def _relations(parts: dict[str, bytes], part: str) -> dict[str, tuple[str, str]]:
    """Relation id to its type and the name of the part it leads to."""
    folder, name = posixpath.split(part)
    try:
        source = _part_named(parts, f"{folder}/_rels/{name}.rels")
    except KeyError:
        return {}
    found = {}
    for kind, attributes, _ in _elements(parts[source]):
        external = attributes.get("TargetMode") == "External"
        if kind == "Relationship" and not external:
            target = attributes["Target"].replace("\\", "/")
            path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
            try:
                path = _part_named(parts, path)
            except KeyError:
                continue
            found[attributes["Id"]] = (attributes["Type"], path)
    return found


def _properties(parts: dict[str, bytes]) -> dict[str, str]:
    """The custom document properties, all as text."""
    properties, name = {}, ""
    for kind, attributes, text in _elements(
        parts.get("docProps/custom.xml", b"<none/>")
    ):
        if kind == "property":
            name = attributes.get("name", "")
        elif name:
            properties[name] = text
    return properties


def _elements(part: bytes) -> Iterator[tuple[str, dict[str, str], str]]:
    """Every element of a small part: local name, attributes by local name, own text."""
    found: list[tuple[str, dict[str, str], list[str]]] = []
    inside: list[int] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        inside.append(len(found))
        found.append((name.rpartition(" ")[2], plain, []))

    parser = _parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: inside.pop()
    parser.CharacterDataHandler = lambda text: found[inside[-1]][2].append(text)
    parser.Parse(part, True)
    return ((name, attributes, "".join(text)) for name, attributes, text in found)


def _parser() -> Any:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    return parser


def inspect(package: Package, entry: Entry) -> Facts:
    """Walk every cell of a sheet; Unusable when rows or cells are not in order."""
    try:
        walk = _Walk(_blank_strings(package.parts))
        facts = walk.parse(package.parts[entry.part])
        _attachments(package, entry, facts)
    except (expat.ExpatError, KeyError, ValueError):
        raise damaged() from None
    if max(facts.filled_rows, default=0) * (facts.last_column + 1) > _LARGEST_GRID:
        raise Unusable(
            "far-cell",
            "a value stands far outside the table",
            "delete the rows and columns beyond the table, and save",
        )
    return facts


def _attachments(package: Package, entry: Entry, facts: Facts) -> None:
    """The Excel tables and comments that belong to a sheet."""
    for relation, part in _relations(package.parts, entry.part).values():
        if relation.endswith("/table"):
            _, attributes, _ = next(_elements(package.parts[part]))
            totals = int(attributes.get("totalsRowCount", "0"))
            facts.tables.append(ExcelTable(Area.of(attributes["ref"]), totals))
        elif relation.endswith("/comments"):
            for kind, attributes, _ in _elements(package.parts[part]):
                if kind == "comment":
                    area = Area.of(attributes["ref"])
                    facts.comments.add((area.top, area.left))


_MAYBE_BLANK = re.compile(
    rb"<(\w+:)?t( [^>]*)?(/>|>(_x|[^0-9A-Za-z]))|<(\w+:)?si\s*(/>|></)"
)
# How a workbook writes a character that XML cannot hold: _x000D_.
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _is_blank(text: str) -> bool:
    if text.startswith("_x"):
        text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return shows_nothing(text)


def _blank_strings(parts: dict[str, bytes]) -> frozenset[str]:
    """The numbers, as text, of shared strings that show nothing."""
    try:
        part = parts[_part_named(parts, "xl/sharedStrings.xml")]
    except KeyError:
        return frozenset()
    if not _MAYBE_BLANK.search(part):
        return frozenset()
    texts: list[str] = []
    for kind, _, text in _elements(part):
        if kind == "si":
            texts.append("")
        elif kind == "t" and texts:
            texts[-1] += text
    return frozenset(str(n) for n, text in enumerate(texts) if _is_blank(text))


class _Walk:
    """One pass over a sheet's XML, gathering facts."""

    def __init__(self, blank_strings: frozenset[str]):
        self.facts = Facts()
        self._blank_strings = blank_strings
        self._row, self._row_text, self._column = 0, "0", -1
        self._last_column = -1
        self._kind = "n"
        self._formula: str | None = None
        self._saved = False
        self._in_cell = self._filled = False
        self._texts: list[str] = []
        self._starts: dict[str, Callable[[dict[str, str]], None]] = {}
        self._ends: dict[str, Callable[[], None]] = {}

    def parse(self, part: bytes) -> Facts:
        """The facts of a whole part; raises Unusable, ExpatError or ValueError."""
        parser = _parser()
        parser.StartElementHandler = self._start_of_sheet
        parser.CharacterDataHandler = self._texts.append
        self._expat = parser
        parser.Parse(part, True)
        return replace(self.facts, last_column=self._last_column)

    def _start_of_sheet(self, name: str, _: dict[str, str]) -> None:
        """Learn the namespace from the outermost element, then watch for its names."""
        space, kind = name.rpartition(" ")[::2]
        if space not in _MAIN or kind != "worksheet":
            raise unreliable()
        starts = {
            "row": self._start_row, "c": self._start_cell, "f": self._start_formula,
            "v": self._start_value, "is": self._start_value, "col": self._hide,
            "mergeCell": self._merge,
        }  # fmt: skip
        self._starts = {f"{space} {name}": act for name, act in starts.items()}
        cell, row = f"{space} c", f"{space} row"

        def start(name: str, attributes: dict[str, str]) -> None:
            act = self._starts.get(name)
            if act is not None:
                act(attributes)

        def end(name: str) -> None:
            if name == cell:
                self._end_cell()
            elif name == row and self._filled:
                self.facts.filled_rows.add(self._row)
                self._filled = False

        self._expat.StartElementHandler = start
        self._expat.EndElementHandler = end

    def _start_row(self, attributes: dict[str, str]) -> None:
        text = attributes.get("r", "")
        row = int(text) if text else self._row + 1
        if row <= self._row or row > LAST_ROW:
            raise unreliable()
        self._row, self._row_text, self._column = row, str(row), -1
        if _true(attributes.get("hidden")) or attributes.get("ht") == "0":
            self.facts.hidden_rows.add(row)

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            column = self._column + 1
        else:
            if not reference.endswith(self._row_text):
                raise unreliable()
            column = column_index(reference[: -len(self._row_text)])
        if column <= self._column or column >= COLUMNS or not self._row:
            raise unreliable()
        self._column = column
        self._kind = attributes.get("t", "n")
        self._formula, self._saved, self._in_cell = None, False, True
        self._texts.clear()

    def _start_formula(self, _: dict[str, str]) -> None:
        if self._in_cell:
            self._formula = ""
            self._texts.clear()

    def _start_value(self, _: dict[str, str]) -> None:
        if self._in_cell:
            if self._formula is not None:
                self._formula = "".join(self._texts)
            self._saved = True
            self._texts.clear()

    def _end_cell(self) -> None:
        self._in_cell = False
        text = "".join(self._texts).strip() if self._saved else ""
        if self._formula is not None:
            self._note_formula(text)
        if self._kind == "s":
            blank = not text or text in self._blank_strings
        else:
            blank = _is_blank(text)
        if blank:
            return
        self._filled = True
        if self._column > self._last_column:  # once per cell: no call
            self._last_column = self._column
        if self._kind == "e":
            self.facts.errors[self._row, self._column] = text

    def _note_formula(self, value: str) -> None:
        at = self._row, self._column
        formula = self._formula if self._saved else "".join(self._texts)
        self.facts.formulas[at] = bool(value) or (self._saved and self._kind == "str")
        if _LINK.search(formula or ""):
            self.facts.links.add(at)

    def _hide(self, attributes: dict[str, str]) -> None:
        if _true(attributes.get("hidden")) or attributes.get("width") == "0":
            last = min(int(attributes["max"]), COLUMNS)
            self.facts.hidden_columns.update(range(int(attributes["min"]) - 1, last))

    def _merge(self, attributes: dict[str, str]) -> None:
        self.facts.merged.append(Area.of(attributes["ref"]))


@cache
def _true(text: str | None) -> bool:
    return text in ("1", "true")
