"""A sheet kept as CSV: its letters, separator, and rows as a spreadsheet shows them."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.cells.spelling import CellError, heading, shows_nothing
from pipeline.reading.formats import MESSAGES, format_of
from pipeline.reading.plain_text import Lines, NotPlain, Way, head_of, read_lines
from pipeline.reading.sheets import COLUMNS, LAST_ROW, Unusable

LARGEST_TEXT = 32 * 1024**2  # bytes: 140,000 patients
LONGEST_LINE = 1_000_000
LONGEST_CELL = 131_072  # characters
MOST_CELLS = 3_000_000
SMALL = 128 * 1024  # bytes; what is smaller takes no time either way
SEARCHED = 10  # rows in which headings are looked for
_NARROW = 5  # separators in a row of a table too narrow to tell a row from a text
_SEPARATORS = ",;\t"
_NAMED_SEPARATOR = re.compile(r'"?sep=([^\r\n])"?(\r\n|\n|\r)', re.IGNORECASE)
_ERRORS = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!"}
    | {"#CALC!", "#GETTING_DATA"}
)
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LINE = re.compile(r"[^\r\n]*+(?:\r\n|\r|\n|\Z)")
_AS_UTF8 = "save it as CSV UTF-8 (File, Save As)"


@dataclass(frozen=True)
class Separated:
    """The rows of a CSV file from its first; blank cells are None.

    `windows` says that the letters were read as Windows text for want of a better sign.
    `filled` are the rows that show something, counted by other means than the rows.
    `lines` is there where the rows were read in bulk: then all are of one width.
    """

    rows: Sequence[list[object]]
    windows: bool
    filled: set[int]
    lines: Lines | None = None

    def too_wide(self, top: int) -> frozenset[int]:
        """Rows with more cells than the headings in row `top`, which may have slid.

        Blank cells that every row has at its end are of no account: some programs end
        each row with a separator. In a single row nobody can tell.
        """
        surplus, beyond = self._beyond_headings(top) if top else ({}, set[int]())
        rows = len(self.filled) - len(self.filled.intersection(range(1, top + 1)))
        at_each_end = min(surplus.values()) if len(surplus) == rows > 1 else 0
        return frozenset(
            n for n, more in surplus.items() if more > at_each_end or n in beyond
        )

    def _beyond_headings(self, top: int) -> tuple[dict[int, int], set[int]]:
        """How many cells too many a filled row has; those that show something there."""
        if self.lines:
            below = {n: more for n, more in self.lines.surplus.items() if n > top}
            return below, self.lines.beyond
        width = len(self.rows[top - 1])
        wider = {
            n: row
            for n, row in enumerate(self.rows, 1)
            if n > top and len(row) > width and n in self.filled
        }
        return (
            {n: len(row) - width for n, row in wider.items()},
            {n for n, row in wider.items() if any(map(_shows, row[width:]))},
        )


def read_separated(
    content: bytes, known: frozenset[str], *, in_bulk: bool = True
) -> Separated:
    """Read a CSV file; Unusable says why it cannot be.

    `known` are the headings of its table as `heading` folds them: the separator is the
    one that finds most of them.
    """
    large = len(content) > SMALL
    if large and in_bulk and (lines := _in_bulk(content, known)):
        return Separated(lines.table, False, lines.filled, lines)
    if len(content) > LARGEST_TEXT:
        raise Unusable(
            "too-large",
            f"the file is larger than {LARGEST_TEXT // 1024**2} MB of text",
            "keep the table alone in it, or save it as a workbook",
        )
    form = format_of(content)
    if form != "text" and not (form == "unknown" and b"\0" in content):
        raise _no_text(form)
    text, windows = _decode(content)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise Unusable(
            "csv-damaged", f"line {line} holds a character that is no text", _AS_UTF8
        )
    named = _NAMED_SEPARATOR.match(text)
    body = text[named.end() :] if named else text
    separator = named[1] if named else separator_of(body, known)
    records = _records(body, separator, known, 2 if named else 1)
    while records and not any(records[-1]):
        records.pop()  # a spreadsheet leaves thousands of them
    rows = [[_cell(cell) for cell in record] for record in records]
    filled = _filled_records(body, separator)
    if filled != {n for n, row in enumerate(rows, 1) if any(map(_shows, row))}:
        raise Unusable(
            "unreliable", "the file could not be read reliably",
            "open it in a spreadsheet, see that nothing is missing, and save it as a"
            " workbook",
        )  # fmt: skip
    return Separated(rows, windows, filled)


def _in_bulk(content: bytes, known: frozenset[str]) -> Lines | None:
    """The lines of a file that is as plain as it can be; None for any other."""
    body = content.removeprefix(_BOMS[0][0])
    start = body[:LONGEST_LINE].decode("utf-8", "ignore")
    if format_of(content) != "text" or _NAMED_SEPARATOR.match(start):
        return None
    separator = separator_of(start, known)
    try:
        head = head_of(body, separator)
        found = [known_in(record, known) for record in head[:SEARCHED]]
        top = found.index(max(found))
        if len(head[top]) < 2 or found[top] < 2:
            return None
        way = Way(separator, len(head[top]), _cell, _is_shown, top + 1)
        return read_lines(body, way)
    except NotPlain:
        return None


def _no_text(form: str) -> Unusable:
    if form == "xlsx":
        return Unusable(
            "format-xlsx",
            "this is an Excel workbook with the wrong ending, .csv",
            "open it in Excel and save it as CSV UTF-8, or rename it to .xlsx",
        )
    found, repair = MESSAGES[form]
    if form != "empty":
        repair = "open it in the program it comes from and save it as CSV UTF-8"
    return Unusable(f"format-{form}", found.replace("workbook", "CSV file"), repair)


def _decode(content: bytes) -> tuple[str, bool]:
    """The text, and whether it was read as Windows text; nothing else is guessed."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            try:
                return content.decode(encoding), False
            except UnicodeDecodeError as error:
                before = content[: error.start].decode(encoding, "ignore")
                raise _undecodable(before.count("\n") + 1) from None
    try:
        return content.decode("utf-8"), False
    except UnicodeDecodeError:
        _must_not_be_mixed(content)
    try:
        return content.decode("cp1252"), True
    except UnicodeDecodeError as error:
        raise _undecodable(content[: error.start].count(b"\n") + 1) from None


def _must_not_be_mixed(content: bytes) -> None:
    """Refuse a file in which some lines are UTF-8 and others are not."""
    modern, older = 0, 0
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            modern = modern or number
        except UnicodeDecodeError:
            older = older or number
    if modern and older:
        raise Unusable(
            "csv-letters",
            f"accented letters are saved in two different ways (lines {modern}"
            f" and {older})",
            f"correct the letters that look wrong in a spreadsheet and {_AS_UTF8}",
        )


def _undecodable(line: int) -> Unusable:
    return Unusable(
        "csv-letters", f"line {line} holds letters that cannot be read", _AS_UTF8
    )


def known_in(cells: list[str], known: frozenset[str]) -> int:
    """How many different headings of a table stand in a row."""
    return len({heading(cell) for cell in cells} & known)


def separator_of(text: str, known: frozenset[str]) -> str:
    """The separator that finds most headings in one of the first lines."""
    lines = text[:LONGEST_LINE].splitlines()[:SEARCHED]

    def headings_found(separator: str) -> int:
        split = csv.reader(lines, delimiter=separator)
        try:
            return max((known_in(cells, known) for cells in split), default=0)
        except csv.Error:
            return 0

    return max(_SEPARATORS, key=headings_found)


def _records(
    text: str, separator: str, known: frozenset[str], first_line: int
) -> list[list[str]]:
    """Every record, blank lines too; the quotation marks must be beyond doubt."""
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(_lines(text), delimiter=separator, strict=True)
    records: list[list[str]] = []
    over_lines: list[tuple[int, int]] = []
    cells = 0
    while True:
        line = reader.line_num + first_line
        try:
            records.append(next(reader))
        except StopIteration:
            break
        except csv.Error as error:
            raise _malformed(error, line, reader.line_num + first_line) from None
        cells += len(records[-1])
        _must_be_few(records, cells, line)
        if reader.line_num + first_line - line > 1:
            over_lines.append((len(records) - 1, line))
    _must_not_swallow(records, over_lines, separator, known)
    return records


def _malformed(error: csv.Error, line: int, last: int) -> Unusable:
    """A cell without end on one line is too long; over several it is never closed."""
    if str(error).startswith("field larger") and last - line <= 1:
        found = f"line {line} holds a cell that is longer than any cell can be"
        return Unusable("csv-damaged", found, "shorten it")
    return _unclosed(line)


def _lines(text: str) -> Iterator[str]:
    """Each line with its end, one at a time: a copy of the text may not fit."""
    for number, match in enumerate(_LINE.finditer(text), 1):
        line = match[0]
        if len(line) > LONGEST_LINE:
            raise Unusable(
                "csv-damaged", f"line {number} is longer than any row can be", _AS_UTF8
            )
        if line:
            yield line


def _must_be_few(records: list[list[str]], cells: int, line: int) -> None:
    if len(records) > LAST_ROW:
        raise Unusable("row-limit", f"there are more than {LAST_ROW:,} rows", _AS_UTF8)
    if len(records[-1]) > COLUMNS or cells > MOST_CELLS:
        raise Unusable(
            "too-large", f"by line {line} there are more cells than a table can have",
            "keep the table alone in the file",
        )  # fmt: skip


def _filled_records(body: str, separator: str) -> set[int]:
    """The records that show something, counted without the csv module."""
    mark = re.escape(separator)
    field = re.compile(
        rf'("(?:[^"]++|"")*+"|[^{mark}\r\n"][^{mark}\r\n]*+|)({mark}|\r\n|\r|\n|\Z)'
    )
    filled: set[int] = set()
    record = 1
    for match in field.finditer(body):
        text = match[1]
        if text.startswith('"'):
            text = text[1:-1].replace('""', '"')
        if not shows_nothing(text):
            filled.add(record)
        if match[2] != separator:
            record += 1
    return filled


def _is_shown(text: str) -> bool:
    return not shows_nothing(text)


def _shows(cell: object) -> bool:
    return cell is not None and not (isinstance(cell, str) and shows_nothing(cell))


def _must_not_swallow(
    records: list[list[str]], over_lines: list[tuple[int, int]], separator: str,
    known: frozenset[str],
) -> None:  # fmt: skip
    """Refuse a quotation mark that runs on over the rows below until the next one.

    Such a record has lost its width, or one of its cells holds a row's worth of
    separators; an address written over several lines does neither, except that in a
    narrow table it may have as many commas.
    """
    start = records[:SEARCHED]
    if not over_lines or not start:
        return
    top = max(range(len(start)), key=lambda index: known_in(start[index], known))
    width = len(records[top])
    for index, line in over_lines:
        swollen = any(
            "\n" in cell and cell.count(separator) >= width - 1 >= _NARROW
            for cell in records[index]
        )
        if index > top and (len(records[index]) != width or swollen):
            raise _unclosed(line)


def _unclosed(line: int) -> Unusable:
    return Unusable(
        "csv-quote",
        f"a quotation mark opened on line {line} is not closed where its cell ends",
        "close or remove the quotation mark, or save the sheet as a workbook",
    )


def _cell(text: str) -> object:
    if text in _ERRORS:
        return CellError(text)
    return text or None
