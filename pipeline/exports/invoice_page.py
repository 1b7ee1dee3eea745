"""What an invoice's page says, as values: the workbook and the PDF are drawn from these.

Neither of them words or adds up anything of its own, so that they cannot come to differ.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from pipeline.bookkeeping.books import Document, Letterhead, Line
from pipeline.exports.invoice_layout import (
    Layout,
    layout_of,
    long_day,
    rate_in_words,
    shared_period,
    tax_word,
)
from pipeline.exports.text_fit import (
    separate_lines,
    split_at,
    text_width,
    wrapped_rows,
)
from pipeline.exports.words import symbol
from pipeline.exports.workbook import Value

# In millimetres. A DL window of an A4 sheet folded in three shows about 46 to 81
# from the top; the address takes seven rows from 48 on.
TOP_MARGIN, LEFT_MARGIN, RIGHT_MARGIN, BOTTOM_MARGIN = 12.0, 22.0, 18.0, 18.0
ADDRESS_FROM_TOP = 48.0
ADDRESS_WIDTH = 88.0
ADDRESS_ROWS = 7
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
DETAIL_ROWS = 6

PAY_HEADING = "How to pay"


@dataclass(frozen=True)
class Sums:
    """One row of sums, each under the column it adds up."""

    label: str
    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True)
class Page:
    """A document as its recipient reads it, from top to bottom; no amount is negative.

    `title` names the document, `heading` says what it is. `sums` has a row per tax code
    and the total last, and none where there is no tax. `pay` is () where nothing is to
    be paid.
    """

    title: str
    heading: str
    practice_name: str
    name_points: int
    details: tuple[str, ...]
    address: tuple[str, ...]
    facts: tuple[tuple[str, Value], ...]
    said: tuple[str, ...]
    layout: Layout
    rows: tuple[tuple[Value, ...], ...]
    sums: tuple[Sums, ...]
    due_label: str
    due: Decimal
    sign: str
    pay: tuple[str, ...]
    foot: tuple[str, ...]


def page_of(document: Document) -> Page:
    """The page of an invoice or a credit note (`kind`).

    Nothing clinical goes to a contact: no Healthcode code, only names and products.
    """
    layout, letterhead = layout_of(document), document.letterhead
    is_credit = document.kind == "credit_note"
    heading = "Credit note" if is_credit else "Invoice"
    return Page(
        title=f"{heading} {document.number}",
        heading=heading,
        practice_name=letterhead.practice_name,
        name_points=_name_points(letterhead.practice_name, layout),
        details=tuple(_details(letterhead)),
        address=tuple(_address(document)),
        facts=tuple(_facts(document).items()),
        said=tuple(_said(document)),
        layout=layout,
        rows=tuple(
            tuple(column.value(line) for column in layout.columns)
            for line in document.lines
        ),
        sums=() if layout.net is None else tuple(_sums(document)),
        due_label="Total credited" if is_credit else "Amount due",
        due=abs(document.gross),
        sign=symbol(document.currency),
        pay=() if is_credit or not document.gross else tuple(_how_to_pay(document)),
        foot=tuple(
            filter(None, [letterhead.invoice_footer, _registration(letterhead)])
        ),
    )


def _name_points(name: str, layout: Layout) -> int:
    """The size of the practice's name, such that it takes no more than two rows."""
    width = layout.width(0, layout.label - 1)
    return next(
        (size for size in (20, 16, 12) if wrapped_rows(name, width, size) <= 2), 10
    )


def _details(letterhead: Letterhead) -> list[str]:
    """Address and ways to reach the practice, in few enough lines for the fold."""
    reach = [letterhead.practice_phone, letterhead.practice_email]
    address = separate_lines(letterhead.practice_address)
    while len(address) > 1 and len(address) + len(reach) > DETAIL_ROWS:
        address[-2:] = [", ".join(address[-2:])]
    return list(filter(None, address + reach))


def _address(document: Document) -> list[str]:
    """Who it goes to, in lines that the window of an envelope has room for.

    What has more lines runs on in fewer; where that is not enough an ellipsis stands for
    what is left out, of the name before the address and never for the postcode.
    """
    name, *rest = (_lines(line) for line in (document.bill_to_name, *document.address))
    if len(name) + sum(map(len, rest)) <= ADDRESS_ROWS:
        return [*name, *chain.from_iterable(rest)]
    last = rest.pop() if rest else []
    middle = _lines(", ".join(line.strip() for line in document.address[:-1]))
    name = _within(name, max(1, ADDRESS_ROWS - len(middle) - len(last)))
    middle = _within(middle, max(0, ADDRESS_ROWS - len(name) - len(last)))
    return _within([*name, *middle, *last], ADDRESS_ROWS)


def _lines(text: str) -> list[str]:
    return [piece for piece in split_at(text, ADDRESS_WIDTH) if piece]


def _within(lines: list[str], most: int) -> list[str]:
    """No more than so many lines, the last of which then says that it goes on."""
    if len(lines) <= most or not most:
        return lines[:most]
    last = lines[most - 1]
    while text_width(f"{last} {ELLIPSIS}") > ADDRESS_WIDTH:
        last = last.rpartition(" ")[0] or last[:-1]
    return [*lines[: most - 1], f"{last} {ELLIPSIS}"]


def _facts(document: Document) -> dict[str, Value]:
    """Number, dates and references, by what they are called."""
    letterhead = document.letterhead
    is_credit = document.kind == "credit_note"
    facts: dict[str, Value] = {
        "Credit note number" if is_credit else "Invoice number": document.number,
        "Issue date": document.issued_on,
        "Due date": None if is_credit else document.due_on,
        "Your reference": document.accounts_reference,
        "Patient ID": "" if document.bill_to else document.patient_id,
        "VAT number": letterhead.vat_number if letterhead.vat_registered else "",
    }
    return {label: value for label, value in facts.items() if value}


def _said(document: Document) -> list[str]:
    """The sentences under the heading."""
    said = []
    if document.kind == "credit_note":
        of = document.credits_issued_on
        dated = f" of {long_day(of)}" if of else ""
        said.append(f"Credit for invoice {document.credits_number}{dated}")
        # Why somebody is credited may be of their health, and a contact's page has none.
        if document.reason and not document.bill_to:
            said.append(f"Reason: {document.reason}")
        if any(line.rebill for line in document.lines):
            said.append("It will be billed again, on a new invoice")
    elif replaced := sorted({line.replaces_number for line in document.lines} - {""}):
        said.append(f"In place of what was credited of {', '.join(replaced)}")
    if period := shared_period(document):
        said.append(f"Period: {period}")
    return said


def _sums(document: Document) -> Iterable[Sums]:
    """The sums of each tax code, then the document's own."""
    word = tax_word(document)
    for lines in _by_tax_code(document.lines):
        zero = Decimal("0.00")
        yield Sums(
            _tax_label(lines[0], word),
            abs(sum((line.net for line in lines), zero)),
            abs(sum((line.tax for line in lines), zero)),
            abs(sum((line.gross for line in lines), zero)),
        )
    yield Sums("Total", abs(document.net), abs(document.tax), abs(document.gross))


def _by_tax_code(lines: Iterable[Line]) -> list[list[Line]]:
    groups: dict[tuple[str, Decimal], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.tax_code, line.tax_rate), []).append(line)
    return [groups[key] for key in sorted(groups)]


def _tax_label(line: Line, tax: str) -> str:
    """A tax code in words: 'Standard rate (STD, 20%)', 'Exempt (EXEMPT, no VAT)'."""
    rate = rate_in_words(line.tax_rate) if line.tax_rate else f"no {tax}"
    return f"{line.tax_name} ({line.tax_code}, {rate})"


def _how_to_pay(document: Document) -> list[str]:
    """Where the money goes and by when."""
    return [
        *separate_lines(document.letterhead.bank_details),
        f"Payment reference: {document.number}",
        f"Please pay by {long_day(document.due_on)}.",
    ]


def _registration(letterhead: Letterhead) -> str:
    """The company's line of a letterhead, '' for a practice that is no company."""
    if not letterhead.company_number:
        return ""
    return f"{letterhead.practice_name}, company number {letterhead.company_number}"
