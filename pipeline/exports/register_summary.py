"""The first sheet of a month's register: what was issued, by product, by tax code."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from xlsxwriter.utility import xl_range_abs
from xlsxwriter.worksheet import Worksheet

from pipeline.bookkeeping.books import Issued, Month
from pipeline.exports.lists import Listing
from pipeline.exports.register_chart import write_months
from pipeline.exports.register_income import MOVEMENTS
from pipeline.exports.register_sums import (
    Amounts,
    Group,
    by_product,
    by_tax_code,
    of_documents,
    of_kind,
    together,
)
from pipeline.exports.words import symbol
from pipeline.exports.workbook import (
    ACCENT,
    QUIET,
    RULE,
    Book,
    Formula,
    Percent,
    Value,
    page,
    put,
)

WIDTHS = (16, 34, 9, 11, 15, 14, 15)
_ONE_PAGE = 90  # rows that can still be read on one
COUNT, NET = 3, 4  # columns; tax and gross follow net
WORDS = {"invoice": "Invoices", "credit_note": "Credit notes"}


@dataclass(frozen=True)
class Block:
    """A block of the summary: where its rows stand and what they add up to."""

    first: int
    last: int
    amounts: Amounts
    count: int

    def cells(self, column: int) -> str:
        """The address of one of its columns, without the total."""
        return f"'Summary'!{xl_range_abs(self.first, column, self.last, column)}"


def write_summary(
    book: Book, sheet: Worksheet, month: Month, title: str, deferrals: Listing
) -> dict[str, Block]:
    """Write the sheet; its blocks by name, for the control totals."""
    sheet.set_default_row(13)  # a month of a few products fits one page
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    put(book, sheet, 0, 0, title, bold=True, font_size=16, font_color=ACCENT)
    sheet.set_row(0, 26)
    said = f"{month.practice_name}. Credit notes are negative."
    put(book, sheet, 1, 0, said, font_color=QUIET)
    blocks: dict[str, Block] = {}
    row = 3
    for name, first, rows in _contents(month):
        unit = symbol(month.currency).strip()
        blocks[name], row = _write_block(book, sheet, row, (name, first, unit), rows)
        if name == "Issued this month":
            row = _write_deferred(book, sheet, row, deferrals, unit)
            row = write_months(book, sheet, row, month.totals, unit)
    row = _write_hashes(book, sheet, row, month)
    sheet.print_area(0, 0, row, len(WIDTHS) - 1)
    cells = xl_range_abs(0, 0, row, len(WIDTHS) - 1).replace("$", "")
    sheet.ignore_errors({"number_stored_as_text": cells})
    page(sheet, landscape=False, name=f"{title} - Summary")
    if row < _ONE_PAGE:
        sheet.fit_to_pages(1, 1)  # or a block would be torn at the page's end
    return blocks


def _contents(
    month: Month,
) -> list[tuple[str, tuple[str, str, str], list[Group]]]:
    """Name, first headings and rows of each block, in order."""
    issued = [_issued(of_kind(month.documents, kind), kind) for kind in WORDS]
    contents = [("Issued this month", ("", "Numbers", "Documents"), issued)]
    for kind, word in WORDS.items():
        chosen = of_kind(month.lines, kind)
        products, codes = by_product(chosen), by_tax_code(chosen)
        contents += [
            (f"{word} by product", ("Product", "Name", "Lines"), products),
            (f"{word} by tax code", ("Tax code", "Name", "Lines"), codes),
        ]
    return contents


def _issued(chosen: Sequence[Issued], kind: str) -> Group:
    ends = dict.fromkeys(each.number for each in (*chosen[:1], *chosen[-1:]))
    numbers = " to ".join(ends) or "None"
    return Group(WORDS[kind], numbers, None, len(chosen), of_documents(chosen))


def _write_block(
    book: Book,
    sheet: Worksheet,
    row: int,
    head: tuple[str, tuple[str, str, str], str],
    groups: list[Group],
) -> tuple[Block, int]:
    """Write a block with its total; the block, and the row where the next begins."""
    name, (code, words, count), unit = head
    put(book, sheet, row, 0, name, bold=True, font_size=12, font_color=ACCENT)
    sheet.set_row(row, 20)
    rate = "Rate" if code == "Tax code" else ""
    amounts = [f"{amount} ({unit})" for amount in ("Net", "Tax", "Gross")]
    for column, heading in enumerate([code, words, rate, count, *amounts]):
        put(
            book, sheet, row + 1, column, heading,
            bold=True, font_color="#FFFFFF", bg_color=ACCENT, indent=1,
            align="left" if column < 2 else "right",
        )  # fmt: skip
    first = row + 2
    for offset, group in enumerate(groups):
        _write_row(book, sheet, first + offset, group)
    if not groups:
        put(book, sheet, first, 0, "None", indent=1, font_color=QUIET)
    last = first + max(len(groups), 1) - 1
    sums = together(group.amounts for group in groups)
    block = Block(first, last, sums, sum(group.lines for group in groups))
    _write_total(book, sheet, block)
    return block, last + 3


def _write_row(book: Book, sheet: Worksheet, row: int, group: Group) -> None:
    rate = None if group.rate is None else Percent(group.rate)
    values: list[Value] = [group.code, group.name, rate, group.lines, *group.amounts]
    for column, value in enumerate(values):
        put(book, sheet, row, column, value, indent=1, bottom=1, bottom_color=RULE)


def _write_total(book: Book, sheet: Worksheet, block: Block) -> None:
    sums: list[Value] = ["Total", "", ""]
    added: list[int | Decimal] = [block.count, *block.amounts]
    for column, value in enumerate(added, start=COUNT):
        cells = xl_range_abs(block.first, column, block.last, column)
        sums.append(Formula(f"=SUM({cells})", value))
    for column, shown in enumerate(sums):
        put(
            book, sheet, block.last + 1, column, shown,
            bold=True, indent=1, top=1, top_color=ACCENT,
        )  # fmt: skip


def _write_deferred(
    book: Book, sheet: Worksheet, row: int, deferrals: Listing, unit: str
) -> int:
    """How deferred income moved, each figure summed from its sheet; the next row."""
    put(
        book, sheet, row, 0, "Deferred income", bold=True, font_size=12,
        font_color=ACCENT,
    )  # fmt: skip
    sheet.set_row(row, 20)
    for at, name in enumerate(MOVEMENTS, start=1):
        heading = f"{name} ({unit})"
        formula = Formula(
            f"=ROUND(SUM({deferrals.cells(heading)}),2)", deferrals.total(heading)
        )
        last = name == MOVEMENTS[-1]
        look = {"bold": last, "indent": 1, "bottom": 1, "bottom_color": RULE}
        for column in range(len(WIDTHS)):
            put(book, sheet, row + at, column, "", **look)
        put(book, sheet, row + at, 0, name, **look)
        put(book, sheet, row + at, NET, formula, **look)
    return row + len(MOVEMENTS) + 2


def _write_hashes(book: Book, sheet: Worksheet, row: int, month: Month) -> int:
    """The last link of the ledger's chain and a closed month's seal; the last row."""
    hashes = [("Chain head", month.chain_head or "not given")]
    if month.closed:
        by = f"{month.closed.closed_on:%d %b %Y} by {month.closed.closed_by}"
        hashes += [("Closed", by), ("Seal", month.closed.sha256)]
    for at, (name, value) in enumerate(hashes, start=row):
        put(book, sheet, at, 0, name, bold=True, font_color=ACCENT)
        put(book, sheet, at, 1, value, font_color=QUIET)
    return row + len(hashes) - 1
