"""What can stand in a column of an import file: our fields, worked out from the ledger.

Amounts are positive for invoices and credit notes alike; a package takes the sign from
the type of document.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pipeline.bookkeeping.books import Document, Line, Posting
from pipeline.cells.spelling import canonical
from pipeline.exports.exact_text import exact
from pipeline.exports.layouts import Column, Layout


@dataclass(frozen=True)
class Description:
    """What a line is for, and what tells it from others like it: that is never cut."""

    name: str
    rest: str

    def __str__(self) -> str:
        return f"{self.name}{self.rest}"

    def within(self, longest: int) -> str:
        """The text in so many characters, the name cut first."""
        name = self.name[: max(0, longest - len(self.rest))].rstrip()
        return f"{name}{self.rest}"[:longest].rstrip()


Value = str | date | Decimal | int | Description | None


class Unmapped(Exception):
    """A code of ours that the package has no word for: nobody can guess which it is."""

    def __init__(self, found: str, repair: str):
        super().__init__(found)
        self.found, self.repair = found, repair


class Unfit(Exception):
    """A value that the package cannot take; the message says which, without its text."""


def row_of(layout: Layout, value_of: Callable[[str], Value]) -> tuple[str, ...]:
    """A row of the file; `Unfit` where a value is too long, or needed and blank."""
    return tuple(_cell(layout, column, value_of) for column in layout.columns)


def _cell(layout: Layout, column: Column, value_of: Callable[[str], Value]) -> str:
    if not column.field:
        return column.value
    value = value_of(column.field)
    if isinstance(value, Description) and column.cut and column.longest:
        value = value.within(column.longest)
    text = _shown(value, layout)
    if not text and column.needed:
        raise Unfit(f"{column.heading} is blank")
    if column.longest and len(text) > column.longest:
        if not column.cut:
            raise Unfit(f"{column.heading} is longer than {column.longest} characters")
        text = text[: column.longest].rstrip()
    if text and (wrong := _unlike(text, column)):
        lead = f"; lead it to one that is right below [{layout.target}.accounts]"
        raise Unfit(f"{column.heading} {wrong}" + lead * (column.field == "account"))
    return text


def _unlike(text: str, column: Column) -> str:
    """What is wrong with the form of a code, '' where nothing is."""
    if column.digits and not (text.isascii() and text.isdigit()):
        return "has other characters than digits"
    if len(text) < column.shortest:
        return f"is shorter than {column.shortest} characters"
    return ""


def _shown(value: Value, layout: Layout) -> str:
    match value:
        case None:
            return ""
        case Decimal():
            return f"{value:f}"
        case date():
            return value.strftime(layout.date)
        case _:
            # A line break would be read as the end of the row by some packages.
            return re.sub(r"\s*[\r\n\t]\s*", " ", exact(str(value))).strip()


def of_line(document: Document, line: Line, layout: Layout) -> Callable[[str], Value]:
    """The fields of one line of a document, by name."""

    def value_of(field: str) -> Value:
        if field in _OF_LINE:
            return _OF_LINE[field](document, line, layout)
        return getattr(line if hasattr(line, field) else document, field)

    return value_of


def of_posting(posting: Posting, layout: Layout) -> Callable[[str], Value]:
    """The fields of one posting, by name."""
    made: dict[str, Callable[[], Value]] = {
        "amount": lambda: posting.debit - posting.credit,
        "tax_code": lambda: _tax_name(posting.tax_code or "OUT", None, layout),
        "account": lambda: _account_of(posting, layout),
        "description": lambda: f"{posting.purpose} {posting.tax_code}",
    }

    def value_of(field: str) -> Value:
        return made[field]() if field in made else getattr(posting, field)

    return value_of


def inclusive(document: Document, layout: Layout) -> bool:
    """Whether its prices are given with tax: then the package takes the tax out again."""
    return layout.inclusive_apart and document.letterhead.prices_include_tax


def income_account(line: Line, layout: Layout) -> str:
    """The package's account for a line's income."""
    account = line.income_account or layout.income_account
    if not account:
        raise Unmapped(
            f"product {line.product_code} has lines without an Income account",
            f'write income_account = "..." below [{layout.target}] for such lines, and'
            " the account on the product for the time to come",
        )
    return layout.accounts.get(account, account)


def _account_of(posting: Posting, layout: Layout) -> str:
    """The package's account for a posting; only income may be without one of ours."""
    account = posting.account or layout.income_account
    if not account:
        raise Unmapped(
            "the journal has income without an Income account",
            f'write income_account = "..." below [{layout.target}] for it, and the'
            " account on the product for the time to come",
        )
    return layout.accounts.get(account, account)


class Payer(NamedTuple):
    """Whoever pays a document: a contact's code, else a patient's id; and its account
    in a package that goes by accounts, not by names."""

    contact: str
    patient_id: str
    account: str

    def __str__(self) -> str:
        """By our id alone."""
        if self.contact:
            return f"contact {canonical(self.contact)}"
        return f"patient {canonical(self.patient_id)}"


def payer_of(accounts_reference: str, bill_to: str, patient_id: str) -> Payer:
    """Who pays, of what a document says of it."""
    account = accounts_reference or bill_to or patient_id
    return Payer(bill_to, patient_id, account)


def who_pays(document: Document) -> Payer:
    """Who pays a document."""
    return payer_of(document.accounts_reference, document.bill_to, document.patient_id)


def _customer(document: Document) -> str:
    """The name with our id: two patients of one name are two customers."""
    key = document.bill_to or document.patient_id
    return f"{document.bill_to_name} ({key})" if key else document.bill_to_name


def _positive(document: Document, amount: Decimal) -> Decimal:
    return amount if document.kind == "invoice" else -amount


def _basis(document: Document, line: Line, layout: Layout) -> Decimal:
    amount = line.gross if inclusive(document, layout) else line.net
    return _positive(document, amount)


def _in_units(document: Document, line: Line, layout: Layout) -> bool:
    """Whether quantity times price is the amount to the penny, as the package works."""
    return line.quantity * line.unit_price == _basis(document, line, layout)


def _description(document: Document, line: Line) -> Description:
    """Product, days and, among other people's lines, whose: by id, never by name."""
    parts = [""]
    if not document.patient_id:
        parts.append(line.patient_id)
    if line.period_start and line.period_end:
        parts.append(f"{line.period_start:%d/%m/%Y} to {line.period_end:%d/%m/%Y}")
    return Description(line.description, ", ".join(parts))


def _short_number(document: Document) -> str:
    """Eight characters at most: I or C and the place in its series."""
    return f"{'I' if document.kind == 'invoice' else 'C'}{document.sequence:06d}"


def _tax_of(document: Document, line: Line, layout: Layout) -> str:
    """A practice that is not registered makes supplies outside the tax altogether."""
    if not document.letterhead.vat_registered:
        return _tax_name("OUT", line.tax_rate, layout)
    return _tax_name(line.tax_code, line.tax_rate, layout)


def _tax_name(code: str, rate: Decimal | None, layout: Layout) -> str:
    """The package's name for a code, of several that of the rate."""
    names = layout.tax_codes.get(code.upper(), ())
    below = f"below [{layout.target}.tax_codes]"
    if not names:
        found = f"tax code {code} has no name in {layout.target}"
        raise Unmapped(found, f"write {code} {below}")
    if rate is None and len({name for name, _ in names}) > 1:
        raise Unmapped(
            f"tax code {code} has several names, and a journal tells no rate",
            f"write one name for {code} {below}",
        )
    for name, stands_for in names:
        if None in (rate, stands_for) or rate == stands_for:
            return name
    known = ", ".join(f"[{json.dumps(name)}, {rate}]" for name, rate in names)
    stand = "; ".join(f"{name} stands for {stands_for} %" for name, stands_for in names)
    raise Unmapped(
        f"tax code {code} is {rate} % here, and {stand}",
        f'write {code} = [{known}, ["the name of this rate", {rate}]] {below}, or the one'
        " pair that is right",
    )


_OF_LINE: dict[str, Callable[[Document, Line, Layout], Value]] = {
    "customer": lambda d, line, to: _customer(d),
    "customer_name": lambda d, line, to: d.bill_to_name,
    "customer_id": lambda d, line, to: who_pays(d).account,
    "address_line_1": lambda d, line, to: d.address_cells[0],
    "address_line_2": lambda d, line, to: d.address_cells[1],
    "town": lambda d, line, to: d.address_cells[2],
    "postcode": lambda d, line, to: d.address_cells[3],
    "short_number": lambda d, line, to: _short_number(d),
    "reference": lambda d, line, to: d.patient_id,
    "type": lambda d, line, to: to.types.get(d.kind, d.kind),
    "term_days": lambda d, line, to: (d.due_on - d.issued_on).days,
    "description": lambda d, line, to: _description(d, line),
    "product_name": lambda d, line, to: line.description,
    "quantity": lambda d, line, to: line.quantity if _in_units(d, line, to) else 1,
    "unit_amount": lambda d, line, to: (
        line.unit_price if _in_units(d, line, to) else _basis(d, line, to)
    ),
    "line_amount": lambda d, line, to: _basis(d, line, to),
    "net": lambda d, line, to: _positive(d, line.net),
    "tax": lambda d, line, to: _positive(d, line.tax),
    "gross": lambda d, line, to: _positive(d, line.gross),
    "account": lambda d, line, to: income_account(line, to),
    "tax_code": _tax_of,
}
