"""A marked copy: a staff workbook again, red where something has to be repaired."""

import io
import re
import textwrap
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from copy import copy
from datetime import date, datetime, time

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.packaging.custom import StringProperty
from openpyxl.styles import Border, PatternFill, Side
from openpyxl.workbook.views import BookView
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.cells.spelling import heading
from pipeline.exports.exact_text import exact, legible
from pipeline.exports.words import counted, day, sentence
from pipeline.problems import Problem
from pipeline.reading.folder import MARK
from pipeline.reading.separated import SEARCHED
from schemas import INPUTS
from schemas.columns import columns

MOST_MARKS = 2_000  # of a workbook: beyond it the cells are no help any more
_MADE_BY = "membill"
_RED = PatternFill("solid", fgColor="FFFF9C94")
_EDGE = Side("thin", color="FF7A1510")
_FRAME = Border(left=_EDGE, right=_EDGE, top=_EDGE, bottom=_EDGE)
_WIDTH, _LINE = 340, 17  # of a comment, in pixels
_LONGEST = 3_000  # characters of a comment
_LETTERS = 52  # that a line of a comment holds


def render(
    frame: bytes,
    file: str,
    on: date,
    problems: Sequence[Problem],
    lost: Iterable[str] = (),
) -> bytes:
    """The workbook of a frame with the problems marked: the same bytes each time.

    `lost` names what the original has and the frame has not.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are about what is named in `lost`
        book = load_workbook(io.BytesIO(frame), data_only=True, keep_links=False)
    lost = [*lost]
    left_out = [_leave_out_unread(sheet) for sheet in book.worksheets]
    if any(left_out):
        lost.append("what stands in Notes")
    coloured = [_leave_colours_to_marks(sheet) for sheet in book.worksheets]
    if any(coloured):
        lost.append("conditional formats")
    by_cell: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        by_cell.setdefault((problem.place.sheet, problem.place.cell), []).append(
            problem
        )
    marked = list(by_cell.items())[:MOST_MARKS]
    for (title, address), found in marked:
        _mark(book[title], address, found)
    left = len(by_cell) - len(marked)
    notice = _notice(file, on, lost, left)
    for sheet in book.worksheets:
        _comment(_anchor(sheet, "A1"), notice)
    _open_at(book, marked[0][0][0])
    book.custom_doc_props.append(StringProperty(name=MARK, value=exact(file)))
    book.properties.creator = _MADE_BY
    book.properties.title = exact(f"Problems of {file}; not read by the program")
    book.properties.created = datetime.combine(on, time())
    return _packed(book, on)


# Headings of columns that the program knows and never loads: notes about patients.
_UNREAD = frozenset(
    heading(column.title)
    for schema in INPUTS
    for column in columns(schema)
    if not column.loaded
)


def _leave_out_unread(sheet: Worksheet) -> bool:
    """Blank what stands under a heading that is never read: it need not lie twice."""
    heads = [
        head
        for row in sheet.iter_rows(max_row=min(SEARCHED, sheet.max_row))
        for head in row
        if isinstance(head.value, str) and heading(head.value) in _UNREAD
    ]
    below = [
        cell
        for head in heads
        for (row, column), cell in sheet._cells.items()
        if column == head.column and row > head.row and isinstance(cell, Cell)
    ]
    found = any(cell.value is not None or cell.comment for cell in below)
    for cell in below:
        cell.value = cell.comment = None
    return found


def _notice(file: str, on: date, lost: Iterable[str], left: int) -> str:
    lines = [
        f"COPY of {file}, {day(on)}.",
        f"The program does not read this copy. Repair the red cells in {file} itself,"
        " beside the folder out, and save it; this copy is made again every night.",
    ]
    if left:
        lines.append(f"{counted(left, 'more cell')} with a problem: see issues.xlsx.")
    lacking = [*lost]
    if lacking:
        lines.append(f"Not in this copy, and unharmed in {file}: {', '.join(lacking)}.")
    return "\n".join(lines)


def _mark(sheet: Worksheet, address: str, problems: Sequence[Problem]) -> None:
    cell = _anchor(sheet, address)
    cell.fill = copy(_RED)
    cell.border = copy(_FRAME)
    font = copy(cell.font)
    font.b = True
    cell.font = font
    _comment(cell, "\n\n".join(_said(problem) for problem in problems))
    sheet.sheet_state = "visible"
    if cell.row in sheet.row_dimensions:
        sheet.row_dimensions[cell.row].hidden = False


def _leave_colours_to_marks(sheet: Worksheet) -> bool:
    """Take out the conditional formats: they are drawn over a mark's red."""
    found = bool(sheet.conditional_formatting)
    sheet.conditional_formatting = ConditionalFormattingList()
    return found


def _said(problem: Problem) -> str:
    """What a comment says: never beginning with a sign that anything might run."""
    lines = [
        f"{problem.severity}: {sentence(problem.found)}",
        f"Expected: {sentence(problem.expected)}" if problem.expected else "",
        f"How to fix: {sentence(problem.repair)}" if problem.repair else "",
        f"({problem.code})",
    ]
    return "\n".join(filter(None, lines))


def _anchor(sheet: Worksheet, address: str) -> Cell:
    """The cell, or of merged cells the one that can be written to."""
    for area in sheet.merged_cells.ranges:
        if address in area:
            return sheet.cell(area.min_row, area.min_col)
    return sheet[address]


def _comment(cell: Cell, text: str) -> None:
    """A comment, before what stood there: the notice of A1 comes first of all."""
    if cell.comment:
        mine = cell.comment.author == _MADE_BY
        text += f"\n\n{'' if mine else 'Comment in the original: '}{cell.comment.text}"
    text = exact(legible(text, _LONGEST))
    lines = [textwrap.wrap(line, _LETTERS) or [""] for line in text.splitlines()]
    height = _LINE * (sum(map(len, lines)) + 1)
    cell.comment = Comment(text, _MADE_BY, height=height, width=_WIDTH)


def _open_at(book: Workbook, title: str) -> None:
    """Show first the sheet of the first problem."""
    for sheet in book.worksheets:
        sheet.sheet_view.tabSelected = sheet.title == title
    book.views = [BookView()]
    book.active = book[title]


_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def _packed(book: Workbook, on: date) -> bytes:
    """The file with the times of the night and the wish to be opened for reading only."""
    saved, packed = io.BytesIO(), io.BytesIO()
    book.save(saved)
    with (
        zipfile.ZipFile(saved) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _MODIFIED.sub(
                    rb"\g<1>%sT00:00:00Z" % str(on).encode(), content
                )
            elif name == "xl/workbook.xml":
                wish = b'<fileSharing readOnlyRecommended="1"/><workbookPr'
                content = content.replace(b"<workbookPr", wish, 1)
            fixed = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            fixed.create_system = 0
            new.writestr(fixed, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
