"""How a list of the issues workbook is laid out, linked and made ready to print."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from typing import Any

import xlsxwriter

from pipeline.bookkeeping.books import Night
from pipeline.exports.exact_text import exact, legible
from pipeline.exports.words import day, symbol
from pipeline.exports.workbook import head_every_page, spread
from pipeline.problems import Place

MAX_LINKS = 65_530  # Excel refuses a sheet with more
MAX_TEXT = 32_000  # a cell holds 32,767 characters
HEADER_ROW = 3
LINE_HEIGHT = 13.5  # points, for 10 point text
MAX_HEIGHT = 400  # Excel draws no row above 409 points


@dataclass(frozen=True)
class Link:
    """A cell's text and where a click on it goes; no target, no click."""

    text: str
    target: str = ""


@dataclass(frozen=True)
class Marked:
    """A text drawn in one of the marking styles."""

    text: str
    style: str


Value = str | int | Decimal | date | Link | Marked | None


@dataclass(frozen=True)
class Heading:
    """A column of a list: what stands at its head, its width in characters, its style."""

    title: str
    width: float
    style: str = "header"


_BASE = {"font_name": "Arial", "font_size": 10, "valign": "top"}
# A text typed by staff stays text after F2 and Enter too.
_TEXT = {"quote_prefix": True}
_CELL = _BASE | {"text_wrap": True, "bottom": 1, "bottom_color": "#D5DAE0"}
_HEADER = _CELL | {
    "bold": True,
    "bg_color": "#1F3A4D",
    "font_color": "#FFFFFF",
    "valign": "vcenter",
}
_STYLES: dict[str, dict[str, Any]] = {
    "title": _BASE | _TEXT | {"font_size": 16, "bold": True, "font_color": "#1F3A4D"},
    "note": _BASE | _TEXT | {"font_color": "#44525E"},
    "plain": _BASE,
    "strong": _BASE | {"bold": True},
    "header": _HEADER,
    "header_right": _HEADER | {"align": "right"},
    "header_centre": _HEADER | {"align": "center"},
    "text": _CELL | _TEXT,
    "whole": _CELL | {"num_format": "0", "align": "center"},
    "money": _CELL | {"num_format": "#,##0.00", "align": "right"},
    "date": _CELL | {"num_format": "dd mmm yyyy", "align": "center"},
    "link": _CELL | _TEXT | {"font_color": "#0B5394", "underline": 1},
    "unknown": _CELL | {"italic": True, "align": "right"},
    "total": _BASE | {"bold": True, "top": 1, "bottom": 6},
    "total_money": _BASE
    | {"bold": True, "top": 1, "bottom": 6, "num_format": "#,##0.00", "align": "right"},
    "stops": _CELL | {"bold": True, "bg_color": "#F4C7C3", "font_color": "#7A1510"},
    "held": _CELL | {"bold": True, "bg_color": "#FBE3C0", "font_color": "#6B3D00"},
    "check": _CELL | {"bold": True, "bg_color": "#FFF7CC", "font_color": "#554700"},
    "fixed": _CELL | {"bold": True, "bg_color": "#DDEBF7", "font_color": "#1F3A4D"},
    "good": _CELL | {"bold": True, "bg_color": "#D8EFDC", "font_color": "#14532D"},
}
_BANNER = {"font_size": 18, "valign": "vcenter", "text_wrap": False, "bottom": 0}


def clean(text: str) -> str:
    """Text that any workbook can carry: half characters shown as ?, cut to a cell."""
    return exact(legible(text, MAX_TEXT))


def _lines(text: str, width: float) -> int:
    """How many lines a text takes in a cell so many characters wide."""
    # Widths count digits; most letters are narrower.
    fits = max(int(width * 1.1), 1)
    lines = [textwrap.wrap(part, fits) or [""] for part in clean(text).splitlines()]
    return sum(map(len, lines)) or 1


def _text_of(value: Value) -> str:
    match value:
        case Link() | Marked():
            return value.text
        case str():
            return value
        case _:
            return ""


def _sheet_in_link(sheet: str) -> str:
    # A name such as Q1 reads as a cell: only plain words may go without quotes.
    if sheet.isascii() and sheet.isalpha() and len(sheet) > 3:
        return sheet
    return "'" + sheet.replace("'", "''") + "'"


def link_to(place: Place, text: str = "") -> Link:
    """A link from `out/` to a cell of a staff file beside it; a CSV opens as a whole."""
    csv = place.file.lower().endswith(".csv")
    spot = "" if csv else place.cell or (f"A{place.row}" if place.row else "")
    shown = place.file if csv or not place.sheet else place.sheet
    shown = f"{shown}!{spot}" if spot and place.sheet else shown
    target = f"external:../{place.file}"
    if place.sheet and not csv:
        target += f"#{_sheet_in_link(place.sheet)}!{spot or 'A1'}"
    # Where a name would not survive inside a link, the words alone say where.
    odd = any(sign in place.file + place.sheet for sign in '#%?*:|"<>/\\')
    workbook = place.file.lower().endswith((".xlsx", ".xlsm", ".csv"))
    return Link(
        text or shown, "" if odd or not workbook or len(target) > 250 else target
    )


class Book:
    """The issues workbook while it is drawn."""

    def __init__(self, night: Night) -> None:
        self._bytes = BytesIO()
        self._book = xlsxwriter.Workbook(
            self._bytes,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._book.set_properties(
            {
                "title": "Issues",
                "subject": f"Night of {day(night.as_of)}",
                "author": clean(night.practice_name),
                "company": clean(night.practice_name),
                "created": datetime.combine(night.as_of, time()),
            }
        )
        self.money_title = f"Amount held {symbol(night.currency)}".strip()
        self._formats = {
            name: self._book.add_format(style) for name, style in _STYLES.items()
        } | {
            f"{name} banner": self._book.add_format(_STYLES[name] | _BANNER)
            for name in ("good", "check", "stops")
        }
        self._links: dict[str, int] = {}

    def close(self) -> bytes:
        """The finished workbook."""
        self._book.close()
        return self._bytes.getvalue()

    def sheet(self, name: str, title: str, note: str, widths: Sequence[float]) -> Any:
        """A sheet with its title and a line under it, ready to print on A4."""
        sheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&10&A&R&10Page &P of &N")
        sheet.hide_gridlines(2)
        for position, width in enumerate(widths):
            sheet.set_column(position, position, width, self._formats["plain"])
        sheet.set_row(0, 24)
        sheet.set_row(1, 16)
        self.put(sheet, 0, 0, Marked(title, "title"))
        self.put(sheet, 1, 0, Marked(note, "note"))
        return sheet

    def put(self, sheet: Any, row: int, column: int, value: Value) -> None:
        """One value into its cell, in the style of its kind."""
        match value:
            case None | "":
                sheet.write_blank(row, column, None, self._formats["text"])
            case Marked("", style):
                sheet.write_blank(row, column, None, self._formats[style])
            case Link():
                self._put_link(sheet, row, column, value)
            case Marked(text, style):
                sheet.write_string(row, column, clean(text), self._formats[style])
            case int():
                sheet.write_number(row, column, value, self._formats["whole"])
            case Decimal():
                if not value.is_finite():
                    raise ValueError("an amount that is no number")
                sheet.write_number(row, column, float(value), self._formats["money"])
            case date():
                midnight = datetime.combine(value, time())
                sheet.write_datetime(row, column, midnight, self._formats["date"])
            case _:
                sheet.write_string(row, column, clean(value), self._formats["text"])

    def _put_link(self, sheet: Any, row: int, column: int, link: Link) -> None:
        used = self._links.get(sheet.name, 0)
        if not link.target or used >= MAX_LINKS:
            self.put(sheet, row, column, link.text)
            return
        self._links[sheet.name] = used + 1
        style = self._formats["link"]
        sheet.write_url(row, column, clean(link.target), style, clean(link.text))

    def header(self, sheet: Any, row: int, headings: Sequence[Heading]) -> None:
        """The heading cells of a list, room left for the filter's arrow."""
        tallest = max(_lines(head.title, head.width - 1) for head in headings)
        sheet.set_row(row, tallest * LINE_HEIGHT + 5)
        for position, head in enumerate(headings):
            self.put(sheet, row, position, Marked(head.title, head.style))

    def row(
        self,
        sheet: Any,
        row: int,
        headings: Sequence[Heading],
        values: Sequence[Value],
    ) -> None:
        """One row of a list, as tall as its longest text: not every viewer grows rows."""
        pairs = list(zip(headings, values, strict=True))
        tallest = max(_lines(_text_of(value), head.width) for head, value in pairs)
        sheet.set_row(row, min(tallest * LINE_HEIGHT + 2, MAX_HEIGHT))
        for position, value in enumerate(values):
            self.put(sheet, row, position, value)

    def table(
        self,
        name: str,
        title: str,
        note: str,
        headings: Sequence[Heading],
        rows: Sequence[Sequence[Value]],
    ) -> Any:
        """A sheet with one list: its header frozen, filtered and on every page."""
        sheet = self.sheet(name, title, note, [heading.width for heading in headings])
        self.header(sheet, HEADER_ROW, headings)
        for offset, values in enumerate(rows, start=1):
            self.row(sheet, HEADER_ROW + offset, headings, values)
        sheet.freeze_panes(HEADER_ROW + 1, 0)
        sheet.repeat_rows(HEADER_ROW)
        last = HEADER_ROW + max(len(rows), 1)
        if spread(sheet, [heading.width for heading in headings], keep=2):
            area = (HEADER_ROW, 0, last, len(headings) - 1)
            head_every_page(sheet, title, note, area)
        sheet.autofilter(HEADER_ROW, 0, last, len(headings) - 1)
        return sheet

    def total(
        self, sheet: Any, row: int, column: int, rows: int, value: Decimal
    ) -> None:
        """A total under the last `rows` amounts of a column: a sum with its value."""
        letter = chr(ord("A") + column)
        for position in range(column):
            text = "Total" if position == 0 else ""
            self.put(sheet, row, position, Marked(text, "total"))
        formula = f"=SUM({letter}{row - rows + 1}:{letter}{row})"
        style = self._formats["total_money"]
        sheet.write_formula(row, column, formula, style, float(value))
