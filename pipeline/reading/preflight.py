"""What a sheet holds before any value of it is believed: rows, cells, formulas.

Readers lose rows that stand twice or out of order, error cells and formulas without a
value, and say nothing. So every sheet is walked once here, by other means than theirs.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from math import isinf

import numpy as np

from pipeline.reading.archive import Allowance, Part, damaged, too_large, unreliable
from pipeline.reading.package import (
    NAMESPACES,
    Entry,
    Package,
    relations,
)
from pipeline.reading.plain_rows import TEXT, Cells, Numbers, PlainRows, Run
from pipeline.reading.plain_strings import NOT_COMPARED, is_blank
from pipeline.reading.sheets import (
    COLUMNS,
    LAST_ROW,
    Area,
    Unusable,
    column_index,
    column_letter,
)
from pipeline.reading.xml_parts import XmlReader, elements

MOST_CELLS = 3_000_000  # of a sheet, formatted blank ones too
MOST_PLAIN_CELLS = 25_000_000  # of those in rows that are plain
MOST_TEXT = 64_000_000  # characters in all cells together
_MOST_NOTED = 1_000_000  # formulas and errors that are remembered, and comments
_MOST_MERGED = 65_536

# [1]Sheet!A1, but not Table[2024], which is a column of a table.
_LINK = re.compile(r"(?<![\w\]])\[\d+\][^\[\]]*!")
# What a number, a truth value and a date look like in the file.
_SHAPES = {
    "n": re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?"),
    "b": re.compile("[01]|true|false|TRUE|FALSE"),
    "d": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.]+Z?)?"),
}
_ERRORS = frozenset(
    {
        "#REF!",
        "#N/A",
        "#VALUE!",
        "#NAME?",
        "#DIV/0!",
        "#NUM!",
        "#NULL!",
        "#GETTING_DATA",
    }
)
# What a cell may say that it holds; blank ones too.
_KINDS = frozenset({*_SHAPES, "s", "str", "inlineStr", "e"})
_MOST_DAYS = 1e9
_PIECE = 4 * 1024**2  # bytes of a sheet that are looked at together
_SHEET_DATA = b"<sheetData>"
_ROW_END = b"</row>"
_ROWS_LEVEL = 2  # of elements around a row: the sheet and its data
_STEP = 256 * 1024
_SPREAD = 4  # of a plain sheet's cells, at least one is filled
_USUAL_TEXT = 32  # bytes in a cell, over all of a large sheet


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
    `links` are the formulas that refer to another workbook; `struck` are filled cells
    that are struck through; `shown` are numbers shown another way than as themselves,
    which are noted where all rows are walked.
    What the reader of values must find as well: of plain rows, numbered in
    `plain_rows`, their filled cells in `plain`; of the others `cells` filled in all, and
    `numbers`, the value of each cell that is no text, in order (NaN where it is not
    compared).
    """

    filled_rows: set[int] = field(default_factory=set)
    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    formulas: dict[tuple[int, int], bool] = field(default_factory=dict)
    links: set[tuple[int, int]] = field(default_factory=set)
    merged: list[Area] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    tables: list[ExcelTable] = field(default_factory=list)
    comments: set[tuple[int, int]] = field(default_factory=set)
    struck: set[tuple[int, int]] = field(default_factory=set)
    shown: dict[tuple[int, int], str] = field(default_factory=dict, compare=False)
    cells: int = field(default=0, compare=False)
    numbers: "array[float]" = field(default_factory=lambda: array("d"), compare=False)
    plain_rows: list[Numbers] = field(default_factory=list, compare=False)
    plain: list[Cells] = field(default_factory=list, compare=False)

    @property
    def plain_cells(self) -> int:
        """How many filled cells stand in plain rows."""
        return sum(len(cells.rows) for cells in self.plain)

    @property
    def room(self) -> int:
        """How many cells between A1 and the last one this sheet may have."""
        return max(MOST_CELLS, _SPREAD * self.plain_cells)


def inspect(package: Package, entry: Entry, *, walk_all: bool = False) -> Facts:
    """Walk every cell of a sheet; Unusable when rows or cells are not in order.

    Plain rows are taken together, unless all are to be walked one by one.
    """
    try:
        walk = _Walk(package, package.styles.shown if walk_all else {})
        part = package.parts[entry.part]
        if walk_all:
            walk.reader.read(part)
        else:
            _walk_through(walk, package, part)
        facts = walk.result()
        _attachments(package, entry, facts)
    except (KeyError, ValueError):
        raise damaged() from None
    if walk.area > facts.room:
        raise Unusable(
            "far-cell",
            f"a value stands far outside the table ({walk.farthest})",
            "delete the rows and columns beyond the table, and save",
        )
    return facts


def _walk_through(walk: "_Walk", package: Package, part: Part) -> None:
    """Walk a sheet in pieces; their plain rows are taken together, not one by one."""
    chunks = part.chunks()
    waiting = _up_to_rows(walk, chunks)
    plain: PlainRows | None = None
    for chunk in chunks:
        waiting += chunk
        if not walk.between_rows:
            walk.feed(waiting)
            waiting.clear()
        elif len(waiting) > _PIECE:
            plain = plain or PlainRows(package.styles, package.strings, walk.prefixes)
            _rows_of(walk, plain, waiting, part.allowance)
    if walk.between_rows and waiting:
        plain = plain or PlainRows(package.styles, package.strings, walk.prefixes)
        _rows_of(walk, plain, waiting, part.allowance)
    walk.feed(waiting)
    walk.reader.finish()


def _up_to_rows(walk: "_Walk", chunks: Iterator[bytes]) -> bytearray:
    """Walk a sheet up to its rows; what was unfolded beyond is returned."""
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        at = waiting.find(_SHEET_DATA)
        if at >= 0:
            rest = waiting[at + len(_SHEET_DATA) :]
            walk.feed(waiting[: at + len(_SHEET_DATA)])
            return rest
        if len(waiting) > _PIECE:
            break
    return waiting


def _rows_of(
    walk: "_Walk", plain: PlainRows, waiting: bytearray, allowance: Allowance
) -> None:
    """Take the whole rows off what is waiting, plain ones together."""
    cut = waiting.rfind(_ROW_END) + len(_ROW_END)
    if cut < len(_ROW_END):
        cut = len(waiting)
    piece = bytes(waiting[:cut])
    del waiting[:cut]
    for run in plain.runs(piece):
        if walk.take(run):
            allowance.give_back(run.end - run.begin)
        else:
            walk.feed(piece[run.begin : run.end])


def _attachments(package: Package, entry: Entry, facts: Facts) -> None:
    """The Excel tables and comments that belong to a sheet."""
    for relation, part in relations(package.parts, entry.part).values():
        if relation.endswith("/table"):
            for _, attributes, _ in elements(package.parts[part], "table"):
                totals = int(attributes.get("totalsRowCount", "0"))
                facts.tables.append(ExcelTable(Area.of(attributes["ref"]), totals))
        elif relation.endswith("/comments"):
            for _, attributes, _ in elements(package.parts[part], "comment"):
                area = Area.of(attributes["ref"])
                facts.comments.add((area.top, area.left))
                if len(facts.comments) > _MOST_NOTED:
                    raise too_large()


class _Walk:
    """One pass over a sheet's XML, gathering facts."""

    def __init__(self, package: Package, shown: Mapping[str, str]):
        self.facts = Facts()
        self.reader = XmlReader(self._start_of_sheet)
        self._strings, self._styles = package.strings, package.styles
        self._shown = shown
        self._texts = self.reader.texts
        self._row, self._row_text, self._column = 0, "0", -1
        self._widest = self._last_hidden = -1
        self._deepest = self._walked = self._cells = self._length = 0
        self._deepest_column = self._widest_row = 0
        self._kind, self._style, self._depth = "n", "", 0
        self._formula: str | None = None
        self._saved = self._in_row = self._in_cell = self._filled = False
        self._level, self._settled = 1, -1
        self._plain_cells = self._plain_text = 0

    @property
    def between_rows(self) -> bool:
        """Whether all that was fed ends with a row, or with the tag before the first."""
        return self.reader.fed == self._settled and self.reader.is_utf8

    @property
    def prefixes(self) -> set[str]:
        """The prefixes that the outermost element declares."""
        return self.reader.prefixes

    def feed(self, content: bytes | bytearray) -> None:
        """Read on in the file, tag by tag."""
        for start in range(0, len(content), _STEP):
            self.reader.feed(bytes(content[start : start + _STEP]))

    def take(self, run: Run) -> bool:
        """Take plain rows as if they had been walked; False when they must be walked."""
        if run.rows is None or run.cells is None or not self.between_rows:
            return False
        if run.rows[0] <= self._row:
            return False
        cells, facts = run.cells, self.facts
        self._row = int(run.rows[-1])
        self._plain_cells += run.walked
        if self._plain_cells > MOST_PLAIN_CELLS:
            raise too_large()
        self._plain_text += int(np.nansum(cells.values[cells.kinds == TEXT]))
        if self._plain_text > MOST_TEXT + _USUAL_TEXT * self._plain_cells:
            raise too_large()
        facts.plain_rows.append(run.rows)
        facts.hidden_rows.update(run.hidden.tolist() if run.hidden is not None else ())
        if len(cells.rows):
            facts.plain.append(cells)
            first = np.diff(cells.rows, prepend=0) > 0  # of each row
            facts.filled_rows.update(cells.rows[first].tolist())
            last = np.searchsorted(cells.rows, cells.rows[-1])
            widest = cells.columns.argmax()
            self._reach(int(cells.rows[last]), int(cells.columns[last]))
            self._reach(int(cells.rows[widest]), int(cells.columns[widest]))
        return True

    @property
    def area(self) -> int:
        """The cells between A1 and the last one with anything in it."""
        return self._deepest * (self._widest + 1)

    @property
    def farthest(self) -> str:
        """The address of the cell that makes the area large."""
        if self._deepest / LAST_ROW < self._widest / COLUMNS:
            return f"{column_letter(self._widest)}{self._widest_row}"
        return f"{column_letter(self._deepest_column)}{self._deepest}"

    def _reach(self, row: int, column: int) -> None:
        """Note how far the sheet's cells go, and the first that goes so far."""
        if row > self._deepest:
            self._deepest, self._deepest_column = row, column
        if column > self._widest:
            self._widest, self._widest_row = column, row

    def result(self) -> Facts:
        """The facts, once the whole sheet is walked."""
        return replace(self.facts, cells=self._cells)

    def _start_of_sheet(self, name: str, _: dict[str, str]) -> None:
        """Learn the namespace from the outermost element, then watch for its names."""
        space, kind = name.rpartition(" ")[::2]
        if space not in NAMESPACES or kind != "worksheet":
            raise unreliable()
        acts: dict[str, Callable[[dict[str, str]], None]] = {
            "row": self._start_row, "c": self._start_cell, "f": self._start_formula,
            "v": self._start_value, "is": self._start_value, "col": self._hide,
            "mergeCell": self._merge, "dimension": self._must_be_an_area,
            "sheetData": self._before_first_row,
        }  # fmt: skip
        starts = {f"{space} {name}": act for name, act in acts.items()}
        cell, row, texts = f"{space} c", f"{space} row", self._texts

        inside = {f"{space} {name}" for name in ("v", "f", "is")}

        def start(name: str, attributes: dict[str, str]) -> None:
            act = starts.get(name)
            self._level += 1
            if self._in_cell:
                self._depth += 1
                # Text in several fonts has elements of its own, a value has none.
                if (name in inside) is (self._depth > 1) or not self._may_be_deeper():
                    raise unreliable(self._address())
            if act is not None:
                act(attributes)

        def end(name: str) -> None:
            self._level -= 1
            if name == cell:
                self._end_cell()
                texts.clear()
            elif name == row:
                self._end_row()
            elif self._in_cell:
                self._depth -= 1

        self.reader.act(start, end)

    def _before_first_row(self, _: dict[str, str]) -> None:
        if self._level == _ROWS_LEVEL:
            self._settled = self.reader.position + len(_SHEET_DATA)

    def _start_row(self, attributes: dict[str, str]) -> None:
        text = attributes.get("r")
        row = self._row + 1 if text is None else int(text)
        if row <= self._row or row > LAST_ROW or self._in_row:
            raise unreliable()
        self._row, self._row_text, self._column = row, str(row), -1
        self._in_row = True
        if _true(attributes.get("hidden")) or attributes.get("ht") == "0":
            self.facts.hidden_rows.add(row)

    def _end_row(self) -> None:
        self._in_row = False
        if self._level == _ROWS_LEVEL:
            self._settled = self.reader.position + len(_ROW_END)
        if self._filled:
            self.facts.filled_rows.add(self._row)
            self._filled = False

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            column = self._column + 1
        else:
            if not reference.endswith(self._row_text):
                raise unreliable()
            column = column_index(reference[: -len(self._row_text)])
        if not self._column < column < COLUMNS or not self._in_row or self._in_cell:
            raise unreliable()
        self._walked += 1
        if self._walked > MOST_CELLS:
            raise too_large()
        self._column = column
        self._kind = attributes.get("t", "n")
        if self._kind not in _KINDS:
            raise unreliable(self._address())
        self._style = attributes.get("s", "")
        if self._style and not _within(self._style, self._styles.count):
            raise unreliable(self._address())
        self._formula, self._saved, self._in_cell, self._depth = None, False, True, 0
        self._texts.clear()

    def _may_be_deeper(self) -> bool:
        return self._depth == 1 or self._kind == "inlineStr"

    def _address(self) -> str:
        return f"{column_letter(self._column)}{self._row}"

    def _start_formula(self, _: dict[str, str]) -> None:
        if self._in_cell:
            self._formula = ""
            self._texts.clear()

    def _start_value(self, _: dict[str, str]) -> None:
        if self._in_cell:
            if self._saved:
                raise unreliable(self._address())
            if self._formula is not None:
                self._formula = "".join(self._texts)
            self._saved = True
            self._texts.clear()

    def _end_cell(self) -> None:
        self._in_cell = False
        text = "".join(self._texts) if self._saved else ""
        if self._formula is not None:
            self._note_formula(text.strip())
        if not text:
            return
        self._reach(self._row, self._column)
        if not self._fills(text):
            return
        self._filled = True
        self._cells += 1
        if self._style in self._styles.struck:
            self.facts.struck.add((self._row, self._column))

    def _fills(self, text: str) -> bool:
        """Whether the value shows anything; Unusable when it is none of its kind."""
        if self._kind == "s":
            lengths = self._strings.lengths
            if not _within(text, len(lengths)):
                raise unreliable(self._address())
            self._count_text(lengths[int(text)])
            return int(text) not in self._strings.blank
        self._count_text(len(text))
        if self._kind in _SHAPES:
            return self._fills_as_number(text)
        blank = is_blank(text.strip())
        if self._kind == "e":
            if text not in _ERRORS:
                raise unreliable(self._address())
            self._must_be_few()
            self.facts.errors[self._row, self._column] = text
        return not blank

    def _fills_as_number(self, text: str) -> bool:
        if not text.strip():
            return False
        if not _SHAPES[self._kind].fullmatch(text):
            raise unreliable(self._address())
        value = float(text) if self._kind == "n" else NOT_COMPARED
        if isinf(value) or self._is_beyond_dates(value):
            raise unreliable(self._address())
        if self._kind == "n" and (way := self._shown.get(self._style or "0")):
            self.facts.shown[self._row, self._column] = way
        self.facts.numbers.append(value)
        return True

    def _is_beyond_dates(self, value: float) -> bool:
        """Whether a number is no date or duration, though its format may make it one."""
        formatted = self._style not in ("", "0")
        lasting = self._style in self._styles.elapsed
        return (formatted and value < -_MOST_DAYS) or (lasting and value > _MOST_DAYS)

    def _count_text(self, length: int) -> None:
        self._length += length
        if self._length > MOST_TEXT:
            raise too_large()

    def _must_be_few(self) -> None:
        if len(self.facts.errors) + len(self.facts.formulas) > _MOST_NOTED:
            raise too_large()

    def _note_formula(self, value: str) -> None:
        self._must_be_few()
        at = self._row, self._column
        formula = self._formula if self._saved else "".join(self._texts)
        self.facts.formulas[at] = bool(value) or (self._saved and self._kind == "str")
        if _LINK.search(formula or ""):
            self.facts.links.add(at)

    def _hide(self, attributes: dict[str, str]) -> None:
        first, last = int(attributes["min"]), int(attributes["max"])
        if not max(self._last_hidden, 0) < first <= last:
            raise unreliable()
        self._last_hidden = last
        if _true(attributes.get("hidden")) or attributes.get("width") == "0":
            self.facts.hidden_columns.update(range(first - 1, min(last, COLUMNS)))

    def _must_be_an_area(self, attributes: dict[str, str]) -> None:
        """What the sheet says of its own size is never believed, but readers parse it."""
        Area.of(attributes["ref"])

    def _merge(self, attributes: dict[str, str]) -> None:
        if len(self.facts.merged) >= _MOST_MERGED:
            raise too_large()
        self.facts.merged.append(Area.of(attributes["ref"]))


@cache
def _true(text: str | None) -> bool:
    return text in ("1", "true")


def _within(text: str, count: int) -> bool:
    """Whether an index, as a spreadsheet writes it, is one of so many."""
    return text.isascii() and text.isdigit() and len(text) < 9 and int(text) < count
