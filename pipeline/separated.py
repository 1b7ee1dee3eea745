"""A sheet kept as CSV: its letters, separator, and rows as a spreadsheet shows them."""

import csv
import io
import re
from dataclasses import dataclass

from pipeline.cells import CellError, heading
from pipeline.formats import MESSAGES, format_of
from pipeline.sheets import LAST_ROW, Unusable

LONGEST_LINE = 1_000_000
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
_AS_UTF8 = "save it as CSV UTF-8 (File, Save As)"


@dataclass(frozen=True)
class Separated:
    """The rows of a CSV file from its first; blank cells are None.

    `windows` says that the letters were read as Windows text for want of a better sign.
    """

    rows: list[list[object]]
    windows: bool


def read_separated(content: bytes, known: frozenset[str]) -> Separated:
    """Read a CSV file; Unusable says why it cannot be.

    `known` are the headings of its table as `heading` folds them: the separator is the
    one that finds most of them.
    """
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
    separator = named[1] if named else _separator(body, known)
    records = _records(body, separator, known, 2 if named else 1)
    return Separated([[_cell(cell) for cell in record] for record in records], windows)


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


def _separator(text: str, known: frozenset[str]) -> str:
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
    if max(map(len, text.splitlines()), default=0) > LONGEST_LINE:
        raise Unusable("csv-damaged", "a line is longer than any row can be", _AS_UTF8)
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=separator, strict=True)
    records: list[list[str]] = []
    over_lines: list[tuple[int, int]] = []
    while True:
        line = reader.line_num + first_line
        try:
            records.append(next(reader))
        except StopIteration:
            break
        except csv.Error:
            raise _unclosed(line) from None
        if reader.line_num + first_line - line > 1:
            over_lines.append((len(records) - 1, line))
    if len(records) > LAST_ROW:
        raise Unusable("row-limit", f"there are more than {LAST_ROW:,} rows", _AS_UTF8)
    _must_not_swallow(records, over_lines, separator, known)
    return records


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
