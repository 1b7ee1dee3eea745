"""The forecast as a workbook: the months to come by product and payer, and every line."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from xlsxwriter.utility import xl_range_abs
from xlsxwriter.worksheet import Worksheet

from pipeline.exports.lists import Column, Listing, filled, write_list
from pipeline.exports.words import counted, money, reason, symbol, total
from pipeline.exports.workbook import (
    ACCENT,
    FONT,
    QUIET,
    RULE,
    Book,
    Formula,
    Value,
    new_book,
    page,
    put,
)
from pipeline.office.forecast import Coming, Forecast

# Products with a column of their own; the smaller ones share the last.
MOST_PRODUCTS = 10
_CHART_COLUMNS = 10  # which the chart and the note above it reach over
OTHERS = "Others"
THEMSELVES = "The patients themselves"
HEADING, FIRST = 3, 4  # rows of the Summary
MONTH = "mmm yyyy"

READ_ME = (
    "This is what the nights to come would bill, from the sheets as they are today.",
    "It is worked out by the same rules as the night itself: start and end dates, Bill"
    " from, price changes, contract prices and their dates, Auto invoice and requests by"
    " hand.",
    "The first month holds what is left of it: what is due today and not billed yet, and"
    " what falls due by its last day.",
    "An amount stands in the month of the night that bills it, tax included.",
    "Not counted: who may join, leave or change later; a membership that is switched off;"
    " and everything on the sheet Held, from the day shown there on, until it is mended.",
    "No number is given and nothing is recorded: the forecast can be made as often as you"
    " like, and is out of date as soon as a sheet changes.",
)


def render(coming: Forecast) -> bytes:
    """The workbook: Summary, By payer, Lines, Held and Read me."""
    title = f"Forecast to {coming.until:%d %b %Y}"
    book = new_book(
        title=title,
        subject=f"As of {coming.as_of:%d %b %Y}",
        practice=coming.practice_name,
        made_on=coming.as_of,
    )
    unit = symbol(coming.currency).strip()
    _write_summary(book, book.workbook.add_worksheet("Summary"), coming, title, unit)
    note = f"{coming.practice_name}, as of {coming.as_of:%d %b %Y}. Tax included."
    for listing in (
        _by_payer(coming, title, note, unit),
        _lines(coming, title, note, unit),
        _held(coming, title, note, unit),
    ):
        write_list(book, listing)
    _write_read_me(book, title)
    return book.finish()


def sentence(coming: Forecast) -> str:
    """The forecast in a sentence, without a name."""
    made = len({line.invoice for line in coming.lines})
    gross = money(total(line.gross for line in coming.lines), coming.currency)
    held = f"; {len(coming.left)} held and not counted" if coming.left else ""
    return (
        f"{counted(made, 'invoice')} for {gross} from {coming.as_of} to {coming.until}"
        f"{held}"
    )


def _products(lines: Sequence[Coming]) -> list[str]:
    """The codes that have a column, the largest first; `OTHERS` last if there are more."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        sums[line.product_code] = sums.get(line.product_code, Decimal(0)) + line.gross
    codes = sorted(sums, key=lambda code: (-sums[code], code))
    if len(codes) <= MOST_PRODUCTS:
        return codes
    return [*codes[: MOST_PRODUCTS - 1], OTHERS]


def _write_summary(
    book: Book, sheet: Worksheet, coming: Forecast, title: str, unit: str
) -> None:
    products = _products(coming.lines)
    headings = [
        "Month", "Invoices", "Lines", *(f"{code} ({unit})" for code in products),
        f"Net ({unit})", f"Tax ({unit})", f"Gross ({unit})",
    ]  # fmt: skip
    put(book, sheet, 0, 0, title, bold=True, font_size=16, font_color=ACCENT)
    sheet.set_row(0, 26)
    put(book, sheet, 1, 0, _note(coming), font_color=QUIET)
    wide = max(len(headings), _CHART_COLUMNS)
    sheet.set_column(0, wide - 1, 13)
    for column, heading in enumerate(headings):
        put(
            book, sheet, HEADING, column, heading,
            bold=True, font_color="#FFFFFF", bg_color=ACCENT, text_wrap=True,
            align="right" if column else "left", indent=1,
        )  # fmt: skip
    sheet.set_row(HEADING, 30)
    rows = [_month(coming, month, products) for month in coming.months]
    for row, values in enumerate(rows, start=FIRST):
        for column, value in enumerate(values):
            style = {"num_format": MONTH} if not column else {}
            put(
                book, sheet, row, column, value,
                indent=1, bottom=1, bottom_color=RULE, **style,
            )  # fmt: skip
    last = FIRST + len(rows) - 1
    _write_totals(book, sheet, rows, last)
    if coming.lines:
        _draw(book, sheet, products, last, f"Coming invoices by month ({unit})")
    sheet.print_area(0, 0, last + 23, wide - 1)
    page(sheet, landscape=True, name=f"{title} - Summary")
    sheet.fit_to_pages(1, 1)  # a chart over two pages shows nothing


def _note(coming: Forecast) -> str:
    said = (
        f"{coming.practice_name}, as of {coming.as_of:%d %b %Y}, by the sheets as they"
        " are. Gross by product."
    )
    if not coming.auto_invoice:
        return said + " Auto invoice is No: nothing would be billed."
    if coming.left:
        return said + f" Held and not counted: {len(coming.left)}, see the sheet Held."
    return said + " Nothing is held."


def _month(coming: Forecast, month: date, products: Sequence[str]) -> list[Value]:
    lines = [line for line in coming.lines if line.month == month]
    named = [code for code in products if code != OTHERS]
    by_product: list[Value] = [
        total(
            line.gross
            for line in lines
            if line.product_code == code
            or (code == OTHERS and line.product_code not in named)
        )
        for code in products
    ]
    return [
        month,
        len({line.invoice for line in lines}),
        len(lines),
        *by_product,
        total(line.net for line in lines),
        total(line.tax for line in lines),
        total(line.gross for line in lines),
    ]


def _write_totals(
    book: Book, sheet: Worksheet, rows: Sequence[Sequence[Value]], last: int
) -> None:
    look = {"bold": True, "indent": 1, "top": 1, "top_color": ACCENT}
    put(book, sheet, last + 1, 0, "Total", **look)
    for column in range(1, len(rows[0])):
        cells = xl_range_abs(FIRST, column, last, column)
        added = sum((row[column] for row in rows), start=0)  # type: ignore[misc]
        put(book, sheet, last + 1, column, Formula(f"=SUM({cells})", added), **look)


def _draw(
    book: Book, sheet: Worksheet, products: Sequence[str], last: int, title: str
) -> None:
    """A native chart of the months, each product a part of the column."""
    chart = book.workbook.add_chart({"type": "column", "subtype": "stacked"})
    for column in range(3, 3 + len(products)):
        chart.add_series(
            {
                "name": ["Summary", HEADING, column],
                "categories": ["Summary", FIRST, 0, last, 0],
                "values": ["Summary", FIRST, column, last, column],
                "gap": 60,
            }
        )
    font = {"name": FONT["font_name"], "size": 9}
    chart.set_title(
        {"name": title, "name_font": {**font, "size": 12}, "overlay": False}
    )
    chart.set_x_axis({"num_font": font, "num_format": MONTH, "text_axis": True})
    chart.set_y_axis({"num_font": font, "num_format": "#,##0"})
    chart.set_legend({"position": "bottom", "font": font})
    chart.set_size({"width": 900, "height": 380})
    options = {"description": "The columns of the table above, month by month."}
    sheet.insert_chart(last + 3, 0, chart, options)


def _by_payer(coming: Forecast, title: str, note: str, unit: str) -> Listing:
    names = {
        line.payer_code: line.payer_name for line in coming.lines if line.payer_code
    }
    if any(not line.payer_code for line in coming.lines):
        names[""] = THEMSELVES
    columns = [
        Column("Bill to", 15),
        Column("Payer", 30),
        Column("Lines", 9, figures=True),
        *(Column(f"{month:%b %Y} ({unit})", 13, total=True) for month in coming.months),
        Column(f"Gross ({unit})", 14, total=True),
    ]
    rows: list[list[Value]] = []
    for code in sorted(names):
        lines = [line for line in coming.lines if line.payer_code == code]
        months = [
            total(line.gross for line in lines if line.month == month)
            for month in coming.months
        ]
        rows.append([code, names[code], len(lines), *months, total(months)])
    return Listing("By payer", f"{title}: by payer", note, filled(columns, rows))


def _lines(coming: Forecast, title: str, note: str, unit: str) -> Listing:
    columns = [
        Column("Billed on", 13),
        Column("Patient ID", 12),
        Column("Patient", 24),
        Column("Bill to", 15),
        Column("Payer", 26),
        Column("Product", 14),
        Column("Description", 26),
        Column("Frequency", 12),
        Column("Period start", 14),
        Column("Period end", 14),
        Column("Quantity", 11, figures=True),
        Column(f"Unit price ({unit})", 14, figures=True),
        Column(f"Net ({unit})", 13, total=True),
        Column(f"Tax ({unit})", 12, total=True),
        Column(f"Gross ({unit})", 13, total=True),
        Column("Request", 12),
        Column("Price from", 34),
    ]
    rows: list[list[Value]] = [
        [
            line.billed_on, line.patient_id, line.patient_name, line.payer_code,
            line.payer_name, line.product_code, line.description, line.frequency,
            line.period_start, line.period_end, line.quantity, line.unit_price, line.net,
            line.tax, line.gross, line.request_id, line.price_source,
        ]
        for line in coming.lines
    ]  # fmt: skip
    return Listing("Lines", f"{title}: every line", note, filled(columns, rows))


def _held(coming: Forecast, title: str, note: str, unit: str) -> Listing:
    columns = [
        Column("Patient ID", 12),
        Column("Product", 14),
        Column("Request", 12),
        Column("Held from", 13),
        Column("Why", 60),
        Column(f"Not counted ({unit})", 16, total=True),
    ]
    rows: list[list[Value]] = [
        [
            left.patient_id, left.product_code, left.request_id, left.since,
            reason(left.reason), left.amount,
        ]
        for left in coming.left
    ]  # fmt: skip
    said = f"{note} How to repair each stands in issues.xlsx."
    return Listing(
        "Held", f"{title}: held and not counted", said, filled(columns, rows)
    )


def _write_read_me(book: Book, title: str) -> None:
    sheet = book.workbook.add_worksheet("Read me")
    put(book, sheet, 0, 0, "What this is", bold=True, font_size=16, font_color=ACCENT)
    sheet.set_row(0, 26)
    sheet.set_column(0, 0, 92)
    for row, line in enumerate(READ_ME, start=2):
        put(book, sheet, row, 0, line, text_wrap=True)
        sheet.set_row(row, 30)
    page(sheet, landscape=False, name=f"{title} - Read me")
