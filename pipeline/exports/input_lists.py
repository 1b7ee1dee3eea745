"""The sheet Lists of a template: the words that its drop-downs offer, in plain sight."""

from collections.abc import Iterator

from xlsxwriter.utility import xl_col_to_name

from pipeline.exports.input_sheets import InputBook, lock, print_on_a4, words_of
from pipeline.exports.input_words import sheets_of
from schemas import Practice
from schemas.columns import Column, columns

TITLE = "Lists"
SAID = (
    "The words that the drop-downs of the other sheets offer. They belong to the"
    " program, so this sheet is locked, without a password."
)
_HEADINGS_ROW = 2  # counted from 0; the words stand below it


def offered(column: Column) -> tuple[str, ...]:
    """The words a column has on the sheet Lists; none where anything may be typed."""
    return tuple(words_of(column)) or column.offers


def lists_of(file: str) -> dict[tuple[str, ...], str]:
    """The different lists of a workbook ("patients"), each with its heading."""
    found: dict[tuple[str, ...], list[str]] = {}
    for column in _columns(file):
        if words := offered(column):
            found.setdefault(words, []).append(column.title)
    return {
        words: "Yes or No" if words == ("Yes", "No") else ", ".join(dict.fromkeys(used))
        for words, used in found.items()
    }


def _columns(file: str) -> Iterator[Column]:
    for schema in sheets_of(file):
        yield from columns(schema)
    if file == "settings":
        yield from columns(Practice)


def list_at(file: str, column: Column) -> str:
    """Where the words of a column stand, as a drop-down names it; "" for none."""
    words = offered(column)
    if not words:
        return ""
    letter = xl_col_to_name(list(lists_of(file)).index(words))
    first = _HEADINGS_ROW + 2
    return f"={TITLE}!${letter}${first}:${letter}${first + len(words) - 1}"


def write_lists(book: InputBook, file: str) -> None:
    """Add the sheet `Lists` for a workbook that has any; locked, without a password."""
    listed = lists_of(file)
    if not listed:
        return
    sheet = book.workbook.add_worksheet(TITLE)
    plain = book.workbook.add_format({"font_name": "Calibri"})
    sheet.write_string(0, 0, SAID, plain)
    sheet.set_row(_HEADINGS_ROW, 34)
    for index, (words, title) in enumerate(listed.items()):
        sheet.set_column(index, index, 24)
        sheet.write_string(_HEADINGS_ROW, index, title, book.formats["optional"])
        for number, word in enumerate(words, start=_HEADINGS_ROW + 1):
            sheet.write_string(number, index, word, book.formats["text"])
    print_on_a4(sheet, heading=_HEADINGS_ROW)
    lock(sheet)
