"""How a sheet that the office types into looks: headings, cells, drop-downs, paper."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from pipeline.exports.workbook import A4, DATE_FORMAT
from schemas.columns import Column

HEADING = {"bold": True, "text_wrap": True, "align": "left", "indent": 1}
FORMATS: dict[str, dict[str, Any]] = {
    "text": {"num_format": "@", "align": "left", "indent": 1},
    "date": {"num_format": DATE_FORMAT, "align": "left", "indent": 1},
    "setting": {"num_format": "General", "align": "left", "indent": 1},
    "money": {"num_format": "#,##0.00"},
    "number": {"num_format": "General"},
    "required": HEADING | {"bg_color": "#1F4E4A", "font_color": "#FFFFFF"},
    "optional": HEADING | {"bg_color": "#CFE3E0", "font_color": "#1F2A2A"},
}
WIDTHS = {"date": 15, "money": 13, "yesno": 14, "whole": 13, "percent": 10}
WIDE = {
    "name": 26, "description": 46, "email": 32, "address_line_1": 22, "notes": 62,
    "setting": 28, "value": 56, "sent_to": 32, "postcode": 11, "title": 8, "code": 13,
}  # fmt: skip


@dataclass(frozen=True)
class InputBook:
    """A workbook in memory and its cell formats, by the names of `FORMATS`."""

    workbook: Workbook
    buffer: BytesIO
    formats: dict[str, Format]

    def finish(self) -> bytes:
        """The finished file; nothing can be written afterwards."""
        self.workbook.close()
        return self.buffer.getvalue()


def new_book(title: str, company: str, made_at: datetime) -> InputBook:
    """An empty workbook; its properties hold `made_at`, no clock is asked."""
    buffer = BytesIO()
    workbook = Workbook(buffer, {"in_memory": True})
    workbook.set_properties({"title": title, "company": company, "created": made_at})
    formats = {
        name: workbook.add_format({"font_name": "Calibri", "valign": "vcenter"} | style)
        for name, style in FORMATS.items()
    }
    return InputBook(workbook, buffer, formats)


def lay_out(
    sheet: Worksheet,
    columns: Sequence[Column],
    formats: dict[str, Format],
    hidden: Collection[str] = (),
) -> None:
    """Column widths and formats all the way down, the heading frozen, the paper."""
    for index, column in enumerate(columns):
        options = {"hidden": column.name in hidden}
        wide = width_of(column)
        sheet.set_column(index, index, wide, formats[format_of(column)], options)
    sheet.set_default_row(17)
    sheet.set_row(0, 34)
    sheet.freeze_panes(1, 1)
    sheet.ignore_errors({"number_stored_as_text": "A1:Z1000"})
    print_on_a4(sheet)


def print_on_a4(sheet: Worksheet, heading: int = 0) -> None:
    """Landscape, one page wide, the row of headings again on every page."""
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(heading)


def lock(sheet: Worksheet) -> None:
    """Protect a sheet that is only read, without a password; widths may be changed."""
    free = ("format_columns", "format_rows", "select_locked_cells")
    sheet.protect("", dict.fromkeys(free, True))


def add_table(
    sheet: Worksheet, name: str, headings: Sequence[str], last_row: int
) -> None:
    """An Excel table from A1 to `last_row`, counted from 0; it grows as it is used."""
    style = {
        "name": name,
        "style": "Table Style Light 1",
        "columns": [{"header": heading} for heading in headings],
    }
    sheet.add_table(0, 0, last_row, len(headings) - 1, style)


def write_headings(
    sheet: Worksheet,
    columns: Sequence[Column],
    headings: Sequence[str],
    formats: dict[str, Format],
) -> None:
    """The headings, dark where a column is required; those beyond `columns` are not."""
    for index, heading in enumerate(headings):
        required = index < len(columns) and columns[index].required
        look = formats["required" if required else "optional"]
        sheet.write_string(0, index, heading, look)


def words_of(column: Column) -> list[str]:
    """The words a cell of the column may hold; none where anything may be typed."""
    return ["Yes", "No"] if column.kind == "yesno" else list(column.choices)


def drop_down(source: list[str] | str) -> dict[str, Any]:
    """A list of words, or of cells, to choose from; anything else brings a warning."""
    return {"validate": "list", "source": source, "error_type": "warning"}


def width_of(column: Column) -> int:
    """How many letters wide a column is."""
    return WIDE.get(column.name, WIDTHS.get(column.kind, 16))


def format_of(column: Column) -> str:
    """The format of a column's cells, so that new rows have it too."""
    if column.kind in ("date", "money"):
        return column.kind
    return "number" if column.kind in ("whole", "percent") else "text"


def setting_default(setting: Column) -> Any:
    """A setting's default as a cell of its kind; None where there is none."""
    if setting.kind in ("whole", "percent"):
        return int(setting.default)
    if setting.kind == "money":
        return Decimal(setting.default)
    return setting.default or None
