"""The columns of an invoice's page: their headings and widths, and what a line puts there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from pipeline.bookkeeping.books import Document, Line
from pipeline.exports.text_fit import text_width
from pipeline.exports.words import symbol
from pipeline.exports.workbook import Value

PAGE_WIDTH = 168.0  # millimetres between the margins, a little to spare


@dataclass(frozen=True)
class PageColumn:
    """A column of the lines: heading, width in millimetres, what a line puts in it."""

    heading: str
    width: float
    value: Callable[[Line], Value]


@dataclass(frozen=True)
class Layout:
    """The columns of a page, and which of them hold the labels and values beside them.

    `label` is the column where labels start; their values run from `value` to the last.
    `net`, `tax` and `gross` are None where the page has no such column.
    """

    columns: tuple[PageColumn, ...]
    label: int
    value: int
    net: int | None
    tax: int | None
    gross: int

    @property
    def last(self) -> int:
        """The last column of the page."""
        return len(self.columns) - 1

    def width(self, first: int, last: int) -> float:
        """The width from one column to another, both counted, in millimetres."""
        return sum(column.width for column in self.columns[first : last + 1])


@lru_cache(maxsize=1_000)  # a night's invoices name the same few days
def long_day(on: date) -> str:
    """A day in words: 1 March 2026."""
    return f"{on.day} {on:%B %Y}"


def period_in_words(line: Line) -> str:
    """The days a line covers, '' if it is for no period."""
    if line.period_start is None or line.period_end is None:
        return ""
    return f"{long_day(line.period_start)} to {long_day(line.period_end)}"


def shared_period(document: Document) -> str:
    """The period that every line covers, '' if they differ."""
    periods = {period_in_words(line) for line in document.lines}
    return periods.pop() if len(periods) == 1 else ""


def rate_in_words(rate: Decimal) -> str:
    """A rate without needless decimals: 20%, 17.5%."""
    return f"{rate.normalize():f}%"


def tax_word(document: Document) -> str:
    """What tax is called on the page."""
    return "VAT" if document.letterhead.vat_registered else "Tax"


def layout_of(document: Document) -> Layout:
    """The grid for a document: with tax columns, or plain where there is no tax."""
    has_tax = document.letterhead.vat_registered or any(
        line.tax_rate for line in document.lines
    )
    return _taxed(document) if has_tax else _plain(document)


def _taxed(document: Document) -> Layout:
    tax, unit = tax_word(document), symbol(document.currency).strip()
    money = _money_width(document)
    price = f"Unit price\n({unit})"
    if document.letterhead.prices_include_tax:
        price = f"Unit price\nincl. {tax}\n({unit})"
    rest = PAGE_WIDTH - 9 - 4 * money - 18
    columns = (
        PageColumn(_subject(document), rest, lambda line: what(line, document)),
        PageColumn("Qty", 9, lambda line: line.quantity),
        PageColumn(price, money, lambda line: line.unit_price),
        PageColumn(f"Net ({unit})", money, lambda line: abs(line.net)),
        PageColumn(f"{tax} rate", 18, tax_of),
        PageColumn(f"{tax} ({unit})", money, lambda line: abs(line.tax)),
        PageColumn(f"Gross ({unit})", money, lambda line: abs(line.gross)),
    )
    return Layout(columns, label=3, value=5, net=3, tax=5, gross=6)


def _plain(document: Document) -> Layout:
    unit = symbol(document.currency).strip()
    columns = (
        PageColumn(_subject(document), 84, lambda line: what(line, document)),
        PageColumn("Qty", 14, lambda line: line.quantity),
        PageColumn(f"Unit price ({unit})", 32, lambda line: line.unit_price),
        PageColumn(f"Amount ({unit})", 38, lambda line: abs(line.gross)),
    )
    return Layout(columns, label=2, value=3, net=None, tax=None, gross=3)


def _money_width(document: Document) -> float:
    """Wide enough for the largest amount: a cell too narrow shows ##### instead."""
    longest = text_width(f"{abs(document.gross):,.2f}") + 3
    return min(max(longest, 19.0), 28.0)


def _subject(document: Document) -> str:
    return "Member and product" if document.bill_to else "Description"


def what(line: Line, document: Document) -> str:
    """What a line is for; to a contact it names the member and nothing clinical."""
    if document.bill_to:
        said = [f"{line.patient_name} – {line.description}"]
    else:
        said = [line.description]
        if line.healthcode_code:
            said.append(f"Healthcode {line.healthcode_code}")
    if not shared_period(document):
        said.append(period_in_words(line))
    if line.credits_line is not None:
        said.append(f"Line {line.credits_line} of {document.credits_number}")
    return "\n".join(filter(None, said))


def tax_of(line: Line) -> str:
    """Code and rate of a line's tax; where none is charged, the code's own name."""
    if line.tax_rate:
        return f"{line.tax_code} {rate_in_words(line.tax_rate)}"
    return line.tax_name
