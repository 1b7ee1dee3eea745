"""The last twelve months on the summary: a chart and, below it, what it is drawn from."""

from collections.abc import Sequence
from datetime import date

from xlsxwriter.worksheet import Worksheet

from pipeline.bookkeeping.books import MonthTotal
from pipeline.exports.workbook import ACCENT, FONT, INK, RULE, Book, Value, put

SHEET = "Summary"
INVOICES, NET = 3, 4  # columns; tax and gross follow net
CHART_ROWS = 16
WIDE, TALL = 815, 255  # pixels
_SAID = "Net invoiced less credited, by month of issue, the last twelve months"


def write_months(
    book: Book, sheet: Worksheet, row: int, months: Sequence[MonthTotal], unit: str
) -> int:
    """Write both; the row where the next block begins."""
    if not months:
        return row
    put(
        book, sheet, row, 0, "Last twelve months, invoiced less credited", bold=True,
        font_size=12, font_color=ACCENT,
    )  # fmt: skip
    sheet.set_row(row, 20)
    head = row + 1 + CHART_ROWS
    amounts = [f"{amount} ({unit})" for amount in ("Net", "Tax", "Gross")]
    for column, heading in enumerate(["Month", "", "", "Invoices", *amounts]):
        put(
            book, sheet, head, column, heading,
            bold=True, font_color="#FFFFFF", bg_color=ACCENT, indent=1,
            align="left" if column < INVOICES else "right",
        )  # fmt: skip
    first = head + 1
    for offset, month in enumerate(months):
        name = f"{date.fromisoformat(month.month + '-01'):%b %Y}"
        values: list[Value] = [
            name, "", "", month.invoices, month.net, month.tax, month.gross
        ]  # fmt: skip
        for column, value in enumerate(values):
            put(
                book, sheet, first + offset, column, value,
                indent=1, bottom=1, bottom_color=RULE,
            )  # fmt: skip
    last = first + len(months) - 1
    _draw(book, sheet, row + 1, (first, last), unit)
    return last + 2


def _draw(
    book: Book, sheet: Worksheet, row: int, rows: tuple[int, int], unit: str
) -> None:
    first, last = rows
    chart = book.workbook.add_chart({"type": "column"})
    font = {"name": FONT["font_name"], "size": FONT["font_size"], "color": INK}
    chart.add_series({
        "name": f"Net ({unit})",
        "categories": [SHEET, first, 0, last, 0],
        "values": [SHEET, first, NET, last, NET],
        "fill": {"color": ACCENT},
        "gap": 60,
    })  # fmt: skip
    chart.set_title({
        "name": f"Net by month of issue ({unit})",
        "name_font": {**font, "size": 12, "bold": True},
    })  # fmt: skip
    chart.set_legend({"none": True})
    chart.set_x_axis(
        {"num_font": font, "line": {"color": RULE}, "label_position": "low"}
    )
    chart.set_y_axis({
        "num_font": font, "num_format": "#,##0", "line": {"none": True},
        "major_gridlines": {"visible": True, "line": {"color": RULE}},
    })  # fmt: skip
    chart.set_size({"width": WIDE, "height": TALL})
    sheet.insert_chart(row, 0, chart, {
        "description": _SAID, "object_position": 1, "x_offset": 4, "y_offset": 4,
    })  # fmt: skip
