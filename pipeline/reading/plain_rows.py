"""Rows of a sheet written as spreadsheets write them, recognised thousands at a time.

A row is plain when every byte of it is accounted for: its tag, its cells in rising
order with the row's own number, each of a known shape with a value of its kind. Nothing
is ever refused here: what is not plain to the letter is left to the walk, which judges.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.reading.package import Strings, Styles
from pipeline.reading.plain_strings import has_odd_letters, is_blank
from pipeline.reading.sheets import COLUMNS, LAST_ROW, LONGEST_CELL

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]
Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

TEXT, NUMBER, TRUTH = 0, 1, 2

_AFTER = 64  # zeros behind a piece, so that eight bytes can be taken anywhere
_MOST_SHAPES = 400
_MOST_TAILS = 16  # different row tags of one piece
_MOST_LEARNED = 64  # cells of one piece that are looked at one by one
_MOST_DAYS = 1e9
_LONGEST_NUMBER = 40
# What may follow the address in a cell's tag, up to where its value begins.
_SHAPE = re.compile(
    rb'"(?: s="(?P<style>[0-9]{1,5})")?(?: t="(?P<kind>[A-Za-z]+)")?'
    rb'(?P<style_after> s="[0-9]{1,5}")?'
    rb'(?:(?P<empty> ?/>)|>(?:<v>|<is><t(?P<kept> xml:space="preserve")?>))'
)
_TAIL = re.compile(
    rb'"(?: spans="[0-9]{1,5}:[0-9]{1,5}"| s="[0-9]{1,5}"| customFormat="(?:[01]|true|false)"'
    rb'| ht="[1-9][0-9]*(?:\.[0-9]+)?"| customHeight="(?:1|0|true|false)"'
    rb'|(?P<hidden> hidden="(?:1|true)")| hidden="(?:0|false)"| outlineLevel="[0-7]"'
    rb'| collapsed="(?:0|false)"|(?P<foreign> x14ac:dyDescent="[0-9.]+"))*>'
)
_NAME = re.compile(rb' ([A-Za-z0-9:]+)="')
_KINDS = {b"": "n", b"n": "n", b"s": "s", b"str": "str", b"inlineStr": "is", b"b": "b"}
_NUMBER = r"^-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?$"
_ENTITIES = ((b"&amp;", 4), (b"&lt;", 3), (b"&gt;", 3), (b"&quot;", 5), (b"&apos;", 5))
_ESCAPED = re.compile(rb"_x[0-9A-Fa-f]{4}_")


def _word(text: bytes) -> np.uint64:
    return np.frombuffer(text[:8].ljust(8, b"\0"), "<u8")[0]


def _mask(length: int) -> np.uint64:
    return _word(b"\xff" * min(length, 8))


_ROW, _CELL, _ROW_END = _word(b'<row r="'), _word(b'<c r="'), _word(b"</row>")
_VALUE_END, _TEXT_END, _TEXT_END_BEFORE = (
    _word(b"</v></c>"), _word(b"/is></c>"), _word(b"</t></is"),
)  # fmt: skip
_SIX = _mask(6)
_MASKS = np.array([_mask(n) for n in range(9)], dtype=np.uint64)
_ZEROS = _word(b"0" * 8)


@dataclass(frozen=True)
class Cells:
    """Filled cells in the order of the sheet: place, kind, and number or bytes of text.

    NaN stands for what is not compared.
    """

    rows: Numbers
    columns: Numbers
    kinds: Numbers
    values: Floats


@dataclass(frozen=True)
class Run:
    """Part of a piece: bytes for the walk, or plain rows and their cells.

    `widest` is the last column of a cell with a value, -1 when there is none.
    """

    begin: int
    end: int
    rows: Numbers | None = None
    hidden: Numbers | None = None
    cells: Cells | None = None
    walked: int = 0


class PlainRows:
    """Recognises plain rows by the shapes of cells and rows it has met before."""

    def __init__(self, styles: Styles, strings: Strings, prefixes: set[str]):
        self.styles, self.prefixes = styles, prefixes
        self.lengths = np.asarray(strings.measured)
        self.is_blank = np.zeros(len(self.lengths) + 1, dtype=np.bool_)
        self.is_blank[list(strings.blank)] = True
        self.shapes: list[_Shape] = []

    def runs(self, content: bytes) -> Iterator[Run]:
        """A piece that ends with a row's end, as runs in its own order."""
        try:
            whole = has_odd_letters(content)
            piece = None if whole else _Piece(self, content)
        except _Odd:
            piece = None
        if piece is None:
            yield Run(0, len(content))
        else:
            yield from piece.runs()


class _Odd(Exception):
    """Raised where nothing of a piece can be plain."""


@dataclass(frozen=True)
class _Shape:
    """The bytes between a cell's address and its value, and what they say."""

    text: bytes
    kind: str
    kept: bool = False  # spaces at both ends
    formatted: bool = False
    elapsed: bool = False


class _Piece:
    """Some megabytes of a sheet, from the start of a row to the end of one."""

    def __init__(self, known: PlainRows, content: bytes):
        self.known, self.content = known, content
        self.bytes = np.frombuffer(content + b"\0" * _AFTER, dtype=np.uint8)
        count = len(content) + _AFTER - 7
        self.words = np.ndarray((count,), "<u8", self.bytes, strides=(1,))
        self._find_tags()
        self._read_rows()
        self._read_addresses()
        self._match_shapes()
        self._close_cells()
        self._account_for_marks()
        self._read_values()
        self._keep_order()

    def _find_tags(self) -> None:
        seen = self.bytes
        self.opens = seen == ord("<")
        second = seen[1:-1]
        third = seen[2:]
        opens = self.opens[:-2]
        rows = np.flatnonzero(opens & (second == ord("r")) & (third == ord("o")))
        if not len(rows) or rows[0] != 0:
            raise _Odd
        self.row_at = rows
        self.cell_at = np.flatnonzero(
            opens & (second == ord("c")) & (third == ord(" "))
        )
        self.first_cell = np.searchsorted(self.cell_at, rows)
        self.row_end = np.append(rows[1:], len(self.content))
        cells = np.diff(np.append(self.first_cell, len(self.cell_at)))
        self.row_of = np.repeat(np.arange(len(rows)), cells)

    def _read_rows(self) -> None:
        """Each row's number and where its cells begin; `plain` says which are in order."""
        at = self.row_at
        self.number_words = self.words[at + 8]
        self.digits = _before_quote(self.number_words)
        self.numbers, good = _decimal(self.number_words, self.digits)
        first = self.bytes[at + 8]
        good &= (self.words[at] == _ROW) & (first != ord("0")) & (self.digits > 0)
        good &= (self.numbers <= LAST_ROW) & (self.row_end - at > 16)
        ends = self.words[np.maximum(self.row_end - 6, 0)] & _SIX
        good &= ends == _ROW_END
        self.plain = good
        self.hidden = np.zeros(len(at), dtype=np.bool_)
        self.inside = np.zeros(len(at), dtype=np.int64)
        tail_at = at + 8 + self.digits
        left = np.flatnonzero(good)
        for _ in range(_MOST_TAILS):
            if not len(left):
                break
            left = self._match_tail(left, tail_at)
        self.plain[left] = False

    def _match_tail(self, left: Numbers, tail_at: Numbers) -> Numbers:
        """Settle all rows whose tag ends as the first one's; return those left."""
        begin = int(tail_at[left[0]])
        tail = self.content[begin : self.content.index(b">", begin) + 1]
        hidden = self._tail_hides(tail)
        if hidden is None:
            self.plain[left[0]] = False
            return left[1:]
        alike = self._stands_at(tail, tail_at[left])
        same = left[alike]
        self.hidden[same] = hidden
        self.inside[same] = tail_at[same] + len(tail)
        return left[~alike]

    def _tail_hides(self, tail: bytes) -> bool | None:
        """Whether a row's tag hides it; None when the tag is not plain."""
        match = _TAIL.fullmatch(tail)
        names = _NAME.findall(tail)
        if match is None or len(set(names)) < len(names):
            return None
        if match["foreign"] and "x14ac" not in self.known.prefixes:
            return None
        return bool(match["hidden"])

    def _stands_at(self, text: bytes, at: Numbers) -> Flags:
        """At which of these places a text stands."""
        found = np.ones(len(at), dtype=np.bool_)
        for start in range(0, len(text), 8):
            part = text[start : start + 8]
            words = self.words[np.minimum(at + start, len(self.words) - 1)]
            found &= (words & _mask(len(part))) == _word(part)
        return found

    def _read_addresses(self) -> None:
        """Each cell's column, and where its address ends."""
        at, rows = self.cell_at, self.row_of
        self.fine = (self.words[at] & _SIX) == _CELL
        letters = [self.bytes[at + 6 + n].astype(np.int64) - 64 for n in range(3)]
        is_letter = [(letter >= 1) & (letter <= 26) for letter in letters]
        two = is_letter[1]
        three = two & is_letter[2]
        column = letters[0]
        column = np.where(two, column * 26 + letters[1], column)
        column = np.where(three, column * 26 + letters[2], column)
        self.columns = column - 1
        number_at = at + 7 + two + three
        digits = self.digits[rows]
        masks = _MASKS[np.minimum(digits + 1, 8)]
        differing = (self.words[number_at] ^ self.number_words[rows]) & masks
        self.fine &= is_letter[0] & (differing == 0) & (self.columns < COLUMNS)
        self.value_at = number_at + digits
        is_first = np.ones(len(at), dtype=np.bool_)
        is_first[1:] = rows[1:] != rows[:-1]
        rising = np.ones(len(at), dtype=np.bool_)
        rising[1:] = (np.diff(self.columns) > 0) | is_first[1:]
        # The first cell follows its row's tag at once, and the last one ends the row.
        rising[is_first] &= at[is_first] == self.inside[rows[is_first]]
        self.fine &= rising & self.plain[rows]
        bare = np.diff(np.append(self.first_cell, len(at))) == 0
        self.plain &= ~bare | (self.inside == self.row_end - 6)
        self.ends = np.append(at[1:], 0)
        last = np.ones(len(at), dtype=np.bool_)
        last[:-1] = is_first[1:]
        self.ends[last] = self.row_end[rows[last]] - 6

    def _match_shapes(self) -> None:
        """Which known shape each cell has; new ones are learned from the first of them."""
        self.shape = np.full(len(self.cell_at), -1, dtype=np.int64)
        left = np.flatnonzero(self.fine)
        for number in range(len(self.known.shapes)):
            left = self._match_shape(number, left)
        for _ in range(_MOST_LEARNED):
            if not len(left):
                return
            if self._learn(int(self.value_at[left[0]])):
                left = self._match_shape(len(self.known.shapes) - 1, left)
            else:
                odd = self.row_of[left[0]]
                self.plain[odd] = False
                left = left[self.row_of[left] != odd]
        self.plain[self.row_of[left]] = False

    def _match_shape(self, number: int, left: Numbers) -> Numbers:
        if not len(left):
            return left
        text = self.known.shapes[number].text
        same = (self.words[self.value_at[left]] & _mask(len(text))) == _word(text)
        if len(text) > 8:
            near = np.flatnonzero(same)
            same[near] = self._stands_at(text[8:], self.value_at[left[near]] + 8)
        self.shape[left[same]] = number
        return left[~same]

    def _learn(self, at: int) -> bool:
        match = _SHAPE.match(self.content, at)
        if match is None or len(self.known.shapes) >= _MOST_SHAPES:
            return False
        style = match["style"] or (match["style_after"] or b"")[4:-1]
        kind = _KINDS.get(match["kind"] or b"")
        styles = self.known.styles
        inline = match[0].endswith((b"<t>", b'preserve">'))
        if (
            kind is None
            or (match["style"] and match["style_after"])
            or (not match["empty"] and inline is not (kind == "is"))
            or (style and int(style) >= styles.count)
            or style.decode() in styles.struck
        ):
            return False
        kept = kind != "is" or bool(match["kept"])
        self.known.shapes.append(
            _Shape(
                match[0],
                "empty" if match["empty"] else kind,
                kept,
                style not in (b"", b"0"),
                style.decode() in styles.elapsed,
            )
        )
        return True

    def _close_cells(self) -> None:
        """Where each value begins and how long it is; its end must be as its shape is."""
        shapes = self.known.shapes
        if not shapes:
            shapes = [_Shape(b"", "empty")]
        self.fine &= self.shape >= 0
        shape = np.maximum(self.shape, 0)
        self.kind_is = {
            kind: np.array([s.kind == kind for s in shapes])[shape]
            for kind in ("n", "s", "str", "is", "b", "empty")
        }
        sizes = np.array([len(s.text) for s in shapes])
        closing = {"empty": 0, "is": 13}
        closings = np.array([closing.get(s.kind, 8) for s in shapes])
        self.starts = self.value_at + sizes[shape]
        ends, inline, empty = self.ends, self.kind_is["is"], self.kind_is["empty"]
        self.sizes = ends - closings[shape] - self.starts
        self.fine &= (self.sizes >= 0) & (~empty | (self.sizes == 0))
        last = self.words[np.maximum(ends - 8, 0)]
        before = self.words[np.maximum(ends - 13, 0)]
        good = np.where(
            inline, (last == _TEXT_END) & (before == _TEXT_END_BEFORE), empty
        )
        self.fine &= good | (~inline & (last == _VALUE_END))
        self.fine &= self.sizes <= LONGEST_CELL
        self.starts[~self.fine] = 0
        self.sizes[~self.fine] = 0
        # Tags that the shape of each cell explains; a mark too many is in some value.
        self.explained = np.where(inline, 6, np.where(empty, 1, 4))

    def _account_for_marks(self) -> None:
        """Rows with a tag, an entity or a character more than their cells explain."""
        self._spoil(~self.fine)
        if not self.plain.any():
            raise _Odd
        explained = 2 * len(self.row_at) + int(self.explained.sum())
        if int(np.count_nonzero(self.opens)) != explained or not self.plain.all():
            found = np.add.reduceat(self.opens, self.row_at, dtype=np.int64)
            per_row = np.bincount(
                self.row_of, self.explained, minlength=len(self.row_at)
            )
            self.plain &= found == per_row + 2
        written = self.bytes[: len(self.content)]
        if int(written.min()) < ord(" "):
            low = np.flatnonzero(written < ord(" "))
            signs = self.bytes[low]
            low = low[(signs != ord("\n")) & (signs != ord("\t"))]
            self._spoil_at(low)
        if b"_" in self.content and b"_x" in self.content:
            escaped = [match.start() for match in _ESCAPED.finditer(self.content)]
            self._spoil_at(np.array(escaped, dtype=np.int64))
        self.saved = np.zeros(len(self.cell_at), dtype=np.int64)
        if b"&" in self.content:
            self._measure_entities()

    def _measure_entities(self) -> None:
        """How many bytes shorter the text of each cell is than it is written."""
        at = np.flatnonzero(self.bytes == ord("&"))
        spare = np.zeros(len(at), dtype=np.int64)
        for entity, less in _ENTITIES:
            spare[self._stands_at(entity, at)] = less
        self._spoil_at(at[spare == 0])
        cell = np.searchsorted(self.cell_at, at, side="right") - 1
        known = cell >= 0
        self.saved = np.bincount(
            cell[known], spare[known], minlength=len(self.cell_at)
        ).astype(np.int64)

    def _spoil(self, cells: Flags) -> None:
        self.plain[self.row_of[cells]] = False

    def _spoil_at(self, places: Numbers) -> None:
        rows = np.searchsorted(self.row_at, places, side="right") - 1
        self.plain[rows] = False

    def _read_values(self) -> None:
        """The number of each cell, or how many bytes its text has."""
        count = len(self.cell_at)
        self.values = np.zeros(count)
        self.filled = self.sizes > 0
        kinds = np.full(count, TEXT, dtype=np.int64)
        kinds[self.kind_is["n"]] = NUMBER
        kinds[self.kind_is["b"]] = TRUTH
        self.kinds = kinds
        self.wanted = self.plain[self.row_of] & self.fine
        self._read_numbers()
        self._read_truths()
        self._read_shared()
        self._read_texts()

    def _read_numbers(self) -> None:
        at = np.flatnonzero(self.kind_is["n"] & self.wanted)
        values, good = self._whole(at)
        rest = at[~good]
        found = values.astype(np.float64)
        if len(rest):
            others, fine = self._decimals(rest)
            found[~good] = others
            self._spoil_cells(rest[~fine])
        shapes, shape = self.known.shapes, self.shape[at]
        formatted = np.array([s.formatted for s in shapes], np.bool_)[shape]
        elapsed = np.array([s.elapsed for s in shapes], np.bool_)[shape]
        beyond = (formatted & (found < -_MOST_DAYS)) | (elapsed & (found > _MOST_DAYS))
        self._spoil_cells(at[beyond | ~np.isfinite(found)])
        self.values[at] = found

    def _spoil_cells(self, cells: Numbers) -> None:
        self.plain[self.row_of[cells]] = False

    def _whole(self, at: Numbers) -> tuple[Numbers, Flags]:
        """The numbers of one to eight digits at these cells, and which are such."""
        sizes = self.sizes[at]
        words = self.words[self.starts[at]]
        values, good = _decimal(words, np.minimum(sizes, 8))
        return values, good & (sizes > 0) & (sizes <= 8)

    def _decimals(self, at: Numbers) -> tuple[Floats, Flags]:
        """Other numbers, one by one in Arrow; none is believed that does not look like one."""
        texts = self._texts(at)
        good = np.array(pc.match_substring_regex(texts, _NUMBER))
        good &= self.sizes[at] <= _LONGEST_NUMBER
        values = np.zeros(len(at))
        fitting = texts.filter(pa.array(good))
        try:
            values[good] = np.asarray(fitting.cast(pa.float64()))
        except pa.ArrowInvalid:
            values[good] = [float(text) for text in fitting.to_pylist()]
        return values, good

    def _texts(self, at: Numbers) -> pa.Array:
        sizes = np.minimum(self.sizes[at], _LONGEST_NUMBER)
        ends = np.cumsum(sizes)
        offsets = np.append(0, ends).astype(np.int32)
        where = np.repeat(self.starts[at] - offsets[:-1], sizes) + np.arange(
            offsets[-1]
        )
        data = self.bytes[where]
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        texts = pa.Array.from_buffers(pa.binary(), len(at), buffers)
        ascii_only = not len(data) or int(data.max()) < 128
        if not ascii_only:
            plain = [text if text.isascii() else b"x" for text in texts.to_pylist()]
            texts = pa.array(plain, pa.binary())
        return texts.cast(pa.string())

    def _read_truths(self) -> None:
        at = np.flatnonzero(self.kind_is["b"] & self.wanted)
        signs = self.bytes[self.starts[at]]
        bad = (self.sizes[at] != 1) | ((signs != ord("0")) & (signs != ord("1")))
        self._spoil_cells(at[bad])
        self.values[at] = np.nan

    def _read_shared(self) -> None:
        at = np.flatnonzero(self.kind_is["s"] & self.wanted)
        indexes, good = self._whole(at)
        good &= indexes < len(self.known.lengths)
        self._spoil_cells(at[~good])
        at, indexes = at[good], indexes[good]
        # A text that only looks blank has a cell of its own in the walk's count.
        self._spoil_cells(at[self.known.is_blank[indexes]])
        self.values[at] = self.known.lengths[indexes]

    def _read_texts(self) -> None:
        at = np.flatnonzero(
            (self.kind_is["is"] | self.kind_is["str"]) & self.wanted & self.filled
        )
        starts = self.starts[at]
        first, second = self.bytes[starts], self.bytes[starts + 1]
        last = self.bytes[starts + self.sizes[at] - 1]
        kept = np.array([s.kept for s in self.known.shapes] or [True])[self.shape[at]]
        # Readers differ on spaces at the ends that are not said to be kept.
        self._spoil_cells(at[~kept & ((first <= 32) | (last <= 32))])
        surely = (first > 32) & (first < 127)
        surely &= ~((first == ord("_")) & (second == ord("x")))
        for cell in at[~surely]:
            start = int(self.starts[cell])
            text = self.content[start : start + int(self.sizes[cell])].decode()
            if is_blank(text.strip()):
                self.plain[self.row_of[cell]] = False
        self.values[at] = self.sizes[at] - self.saved[at]

    def _keep_order(self) -> None:
        """Of plain rows only those that stand below all plain ones before them."""
        plain = np.flatnonzero(self.plain)
        if not len(plain):
            raise _Odd
        highest = np.maximum.accumulate(self.numbers[plain])
        rising = np.ones(len(plain), dtype=np.bool_)
        rising[1:] = self.numbers[plain][1:] > highest[:-1]
        self.plain[plain[~rising]] = False

    def runs(self) -> Iterator[Run]:
        """The piece cut where plain rows and others meet."""
        turns = np.flatnonzero(np.diff(self.plain)) + 1
        edges = [0, *turns.tolist(), len(self.row_at)]
        for first, after in pairwise(edges):
            begin, end = int(self.row_at[first]), int(self.row_end[after - 1])
            if not self.plain[first]:
                yield Run(begin, end)
                continue
            yield self._run(begin, end, first, after)

    def _run(self, begin: int, end: int, first: int, after: int) -> Run:
        bounds = np.append(self.first_cell, len(self.cell_at))
        cells = slice(int(bounds[first]), int(bounds[after]))
        filled = np.flatnonzero(self.filled[cells]) + cells.start
        numbers = self.numbers[first:after]
        return Run(
            begin, end, numbers, numbers[self.hidden[first:after]],
            Cells(
                self.numbers[self.row_of[filled]].astype(np.int32),
                self.columns[filled].astype(np.int16),
                self.kinds[filled].astype(np.int8),
                self.values[filled],
            ),
            cells.stop - cells.start,
        )  # fmt: skip


def _before_quote(words: Numbers) -> Numbers:
    """How many bytes stand before the first quotation mark; 0 where there is none."""
    count = np.zeros(len(words), dtype=np.int64)
    found = np.zeros(len(words), dtype=np.bool_)
    for place in range(8):
        here = ((words >> np.uint64(8 * place)) & np.uint64(255)) == ord('"')
        count[here & ~found] = place
        found |= here
    return count


def _decimal(words: Numbers, digits: Numbers) -> tuple[Numbers, Flags]:
    """The whole numbers that so many digits at the start of each word make.

    All eight are worked out together: pairs, fours and eights of digits.
    """
    shift = (np.uint64(64) - np.uint64(8) * digits.astype(np.uint64)) & np.uint64(63)
    signs = (words << shift) | np.where(
        digits < 8, _ZEROS >> (np.uint64(64) - shift & np.uint64(63)), np.uint64(0)
    )
    high = np.uint64(0xF0F0F0F0F0F0F0F0)
    good = (signs & high) == _ZEROS
    good &= ((signs + np.uint64(0x0606060606060606)) & high) == _ZEROS
    good &= digits > 0
    value = signs - _ZEROS
    value = value * np.uint64(10) + (value >> np.uint64(8))
    value &= np.uint64(0x00FF00FF00FF00FF)
    value = value * np.uint64(100) + (value >> np.uint64(16))
    value &= np.uint64(0x0000FFFF0000FFFF)
    value = value * np.uint64(10_000) + (value >> np.uint64(32))
    value &= np.uint64(0xFFFFFFFF)
    return value.astype(np.int64), good
