"""The first sheet of a template: what happens at night and what each column means."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from xlsxwriter.worksheet import Worksheet

from pipeline.exports.input_sheets import InputBook, lock, print_on_a4
from pipeline.exports.input_words import (
    TITLES,
    csv_name,
    held_when,
    meaning,
    one_row,
    required,
    sentence,
    sheets_of,
)
from pipeline.exports.workbook import RULE
from schemas import Practice
from schemas.columns import Column, Schema, columns, title_of

# Heading to width in letters.
HEADINGS = {
    "Sheet": 15, "Column": 24, "Required": 14, "What it means": 40,
    "What to type": 32, "Example": 23,
}  # fmt: skip
ACROSS = 165  # letters that fit across the sheet
LINE = 15  # points
STYLE = {"font_name": "Calibri", "align": "left", "valign": "top"}

ADVICE = (
    "The program reads this workbook once a night, as it was last saved,"
    " and bills what is due. It never changes the workbook.",
    "Type under the last row. Columns may change places, but their headings must stay,"
    " in row 1.",
    "Columns with a dark heading must be filled in, others may stay blank."
    " A blank cell that still needs filling in gets a frame and turns yellow once its"
    " row is begun.",
    "A cell turns red, bold and framed when it cannot be right: an id or code that"
    " stands twice, an end before its start, a code that no sheet here has, text that"
    " is no date or amount.",
    "Select a cell to see what belongs in it. What is pasted is not checked at once;"
    " the night checks every cell.",
    "Where there is a drop-down, its words stand in the sheet Lists, or its codes in the"
    " sheet that holds them. Lists and this sheet are locked, without a password.",
    "Do not merge cells, write under the table or let colours say anything:"
    " the program reads the words alone.",
    "What needs repair is in out/issues.xlsx the next morning;"
    " all other members are billed meanwhile. Ask your practice manager first.",
)
SIGN_FIRST = (
    "Fill in Staff first. Then put your user name in Last edited by on every row of"
    " Settings and Tax codes: unsigned rows do not count."
)


def write_read_me(
    book: InputBook, file: str, version: str, *, signed: bool = False
) -> None:
    """Add the sheet `Read me` for a workbook ("patients") and its template version.

    `signed` is said of a workbook whose first rows carry somebody's user name already.
    """
    sheet = book.workbook.add_worksheet("Read me")
    sheet.hide_gridlines(2)
    advice = ADVICE + ((SIGN_FIRST,) if file == "settings" and not signed else ())
    row = _write_advice(book, sheet, file, version, advice)
    lock(sheet)
    for index, (heading, width) in enumerate(HEADINGS.items()):
        sheet.set_column(index, index, width)
        sheet.write_string(row, index, heading, book.formats["required"])
    print_on_a4(sheet, heading=row)
    cell = book.workbook.add_format(
        STYLE | {"text_wrap": True, "indent": 1, "bottom": 1, "bottom_color": RULE}
    )
    for number, cells in enumerate(_table(file), start=row + 1):
        lines = map(_lines, cells, HEADINGS.values())
        sheet.set_row(number, LINE * max(lines))
        for index, text in enumerate(cells):
            if text:
                sheet.write_string(number, index, text, cell)
            else:
                sheet.write_blank(number, index, None, cell)


def _write_advice(
    book: InputBook, sheet: Worksheet, file: str, version: str, advice: Sequence[str]
) -> int:
    """What is said above the table; returns the row, from 0, where that may begin."""
    plain = book.workbook.add_format(STYLE)
    strong = book.workbook.add_format(STYLE | {"bold": True})
    title = book.workbook.add_format(STYLE | {"bold": True, "font_size": 16})
    sheet.set_row(0, 24)
    sheet.write_string(0, 0, TITLES[file], title)
    sheet.write_string(1, 0, f"Template {version}", plain)
    lines = [line for said in advice for line in wrap(said, ACROSS)]
    for row, line in enumerate(lines, start=3):
        sheet.write_string(row, 0, line, plain)
    row = len(lines) + 4
    for schema in sheets_of(file):
        sheet.write_string(row, 0, title_of(schema), strong)
        for line in _about(schema):
            sheet.write_string(row, 1, line, plain)
            row += 1
    return row + 1


def _about(schema: Schema) -> list[str]:
    """What a row of the sheet is, and what must not be true of one."""
    first = f"{one_row(schema)} May be {csv_name(schema)} instead."
    return [first, *(f"Not accepted: {text}." for text in held_when(schema))]


def _table(file: str) -> Iterator[tuple[str, ...]]:
    """A row of text for each column of the workbook, and for each setting."""
    for schema in sheets_of(file):
        for column in columns(schema):
            yield title_of(schema), *_told(column)
    if file == "settings":
        for setting in columns(Practice):
            yield "Settings, Value", *_told(setting)


def _told(column: Column) -> tuple[str, ...]:
    return (
        column.title,
        required(column),
        meaning(column),
        sentence(column.expected),
        column.example,
    )


def _lines(text: str, width: int) -> int:
    """How many lines a text takes; letters are counted wide, so that none is cut."""
    return 1 + int(len(text) * 1.05) // width
