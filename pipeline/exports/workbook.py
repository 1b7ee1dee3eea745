"""How a workbook is opened, written, paged and closed: the same bytes each time."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from typing import Any, NamedTuple

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipeline.exports.exact_text import exact
from pipeline.exports.list_sheet import ListWorkbook

FONT = {"font_name": "Arial", "font_size": 10}
INK = "#222222"
ACCENT = "#1F3A4D"
QUIET = "#5A6670"
RULE = "#D5DAE0"
ALERT = "#B3261E"

MONEY_FORMAT = "#,##0.00;[Red]-#,##0.00"
DATE_FORMAT = "dd mmm yyyy"

MAX_POINTS = 409.0  # the tallest row there can be
MAX_LINKS = 65_530  # Excel refuses a sheet with more
A4 = 9
MAX_HEADER = 250  # Excel takes a page header of 255 characters
READABLE = 190  # characters across a landscape page, in print of a good 7 points
POINTS_PER_MM = 72 / 25.4
PIXELS_PER_MM = 96 / 25.4


class Link(NamedTuple):
    """Text that opens another file; `path` is relative to the workbook's own folder."""

    path: str
    text: str


class Percent(NamedTuple):
    """A rate: 20 is shown as 20%."""

    rate: Decimal


@dataclass(frozen=True)
class Formula:
    """A formula with its value when written, for readers that do not calculate."""

    text: str
    value: Decimal | int | str


Value = str | int | Decimal | date | Percent | Formula | Link | None


@dataclass(frozen=True)
class Book:
    """A workbook in memory, the formats it has so far and its long lists by their rows."""

    workbook: ListWorkbook
    buffer: BytesIO
    formats: dict[tuple[tuple[str, Any], ...], Format] = field(default_factory=dict)
    long_lists: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def style(self, **properties: Any) -> Format:
        """A cell format in the house font; the same properties give the same format."""
        if properties.get("align") == "right":
            # LibreOffice indents figures in some cells and not in others of one format.
            properties = {**properties, "indent": 0}
        key = tuple(properties.items())
        if key not in self.formats:
            in_order = tuple(sorted(key))
            if in_order not in self.formats:
                settings = {**FONT, "font_color": INK, "valign": "top", **properties}
                self.formats[in_order] = self.workbook.add_format(settings)
            self.formats[key] = self.formats[in_order]
        return self.formats[key]

    def finish(self) -> bytes:
        """The finished file; nothing can be written afterwards."""
        self.workbook.close()
        return self.buffer.getvalue()


def new_book(
    *,
    title: str,
    subject: str,
    practice: str,
    made_on: date,
    custom: Mapping[str, str] | None = None,
) -> Book:
    """An empty workbook, dated `made_on` at midnight: its properties hold no clock."""
    buffer = BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        # A copy: the library writes into what it is given.
        "default_format_properties": dict(FONT),
    }
    workbook = ListWorkbook(buffer, options)
    workbook.set_size(1600, 1000)
    properties = {"title": title, "subject": subject, "company": practice}
    properties = {name: exact(text) for name, text in properties.items()}
    created = datetime.combine(made_on, time())
    workbook.set_properties(
        {**properties, "author": exact(practice), "created": created}
    )
    for name, text in (custom or {}).items():
        workbook.set_custom_property(name, exact(text), "text")
    return Book(workbook, buffer)


def number(amount: Decimal) -> float:
    """A decimal for a spreadsheet cell, which knows floats only.

    Raises ValueError for what is no number: a blank would hide it.
    """
    if not amount.is_finite():
        raise ValueError("an amount that is not a number cannot be written")
    return float(amount)


def put(
    book: Book, sheet: Worksheet, row: int, column: int, value: Value, **style: Any
) -> None:
    """Write one value by its type; text stays text, also after F2 and Enter in its cell.

    The quote prefix does that: without it a name of =1+1 would then be run, and the
    code 0042 become a number.
    """
    look = book.style(**look_of(value, style))
    match value:
        case None | "":
            sheet.write_blank(row, column, None, look)
        case str():
            sheet.write_string(row, column, exact(value), look)
        case Link():
            path, text = f"external:{value.path}", exact(value.text)
            sheet.write_url(row, column, path, look, string=text)
        case Formula():
            shown = (
                value.value if isinstance(value.value, str) else numeric(value.value)[0]
            )
            sheet.write_formula(row, column, value.text, look, shown)
        case date():
            sheet.write_datetime(row, column, value, look)
        case _:
            sheet.write_number(row, column, numeric(value)[0], look)


def look_of(value: Value, style: Mapping[str, Any]) -> dict[str, Any]:
    """A style with what the type of a value adds to it."""
    match value:
        case None | "":
            return dict(style)
        case str():
            return {"align": "left", "quote_prefix": True, **style}
        case Link():
            return {**_LINK, **style}
        case Formula():
            if isinstance(value.value, str):
                return {"align": "left", **style}
            return look_of(value.value, style)
        case date():
            return {"num_format": DATE_FORMAT, "align": "left", **style}
    return {"num_format": numeric(value)[1], "align": "right", **style}


_LINK = {
    "font_color": "#0B5394", "underline": 1, "align": "left", "quote_prefix": True,
}  # fmt: skip


def numeric(value: int | Decimal | Percent) -> tuple[float, str]:
    """A figure as a sheet holds it, and how it is shown."""
    if isinstance(value, int):
        return value, "0"
    if isinstance(value, Percent):
        is_whole = value.rate == value.rate.to_integral_value()
        return number(value.rate / 100), "0%" if is_whole else "0.00%"
    return number(value), MONEY_FORMAT


def page(sheet: Worksheet, *, landscape: bool, name: str, pages: int = 0) -> None:
    """A4, one page wide, with `name` and 'Page x of y' at the foot.

    Printed as small as it takes for so many `pages`; 0 is as many as it takes.
    """
    sheet.set_paper(A4)
    if landscape:
        sheet.set_landscape()
        sheet.set_margins(left=0.5, right=0.5, top=0.5, bottom=0.7)
    else:
        sheet.set_portrait()
    sheet.fit_to_pages(1, pages)
    # The blank keeps leading digits out of the size code; & begins a code of its own.
    shown = exact(name).replace("&", "&&").replace("\n", " ")[:60]
    font = '&"Arial,Regular"&10'
    sheet.set_footer(f"&L{font} {shown}&R{font} Page &P of &N")


def pages_across(widths: Iterable[float]) -> int:
    """Over how many landscape pages columns must go, so that their print can be read."""
    return max(1, math.ceil(sum(widths) / READABLE))


def spread(sheet: Worksheet, widths: Sequence[float], keep: int = 1) -> bool:
    """A sheet of columns too many for one page across goes over several, side by side.

    The first `keep` columns stand on each of them, so that every row keeps its name.
    Returns whether it was needed.
    """
    across = pages_across(widths)
    if across > 1:
        sheet.fit_to_pages(across, 0)
        sheet.repeat_columns(0, keep - 1)
        sheet.print_across()
    return across > 1


def _in_head(text: str, room: int) -> str:
    """A text as a head takes it: as many of its sentences as there is room for."""
    sentences = re.split(r"(?<=[.]) ", exact(text).replace("\n", " "))
    shown = [
        " ".join(sentences[:count]).replace("&", "&&")
        for count in range(1, len(sentences) + 1)
    ]
    fitting = [one for one in shown if len(one) <= room]
    if fitting:
        return fitting[-1]
    cut = shown[0][: room - 1]
    # Half of a doubled sign would begin a code.
    return f"{cut[:-1] if cut.count('&') % 2 else cut}…"


def head_every_page(
    sheet: Worksheet, title: str, note: str, area: tuple[int, int, int, int]
) -> None:
    """Print a title and its note at the head of each page, and the `area` below it.

    In cells they would be cut where only the first columns stand on a page again. A head
    has little room: of a long note its first sentences, whole ones.
    """
    bold, plain = '&"Arial,Bold"&14', '&"Arial,Regular"&9'
    head = f"&L{bold} {_in_head(title, 60)}\n{plain} "
    sheet.set_header(head + _in_head(note, MAX_HEADER - len(head)))
    sheet.set_margins(left=0.5, right=0.5, top=0.95, bottom=0.7)
    sheet.print_area(*area)
