"""The register of one month, `registers/YYYY-MM.xlsx`, for the accountant."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from pipeline.books import Document, Entry, Line, Month
from pipeline.exports.control_totals import write_control_totals
from pipeline.exports.invoice_list import KINDS, signed
from pipeline.exports.lists import Column, Listing, write_list
from pipeline.exports.register_summary import write_summary
from pipeline.exports.register_sums import (
    NOTHING,
    Amounts,
    Group,
    by_tax_code,
    of_kind,
    plus,
)
from pipeline.exports.words import symbol
from pipeline.exports.workbook import Percent, Value, new_book


def render(month: Month) -> bytes:
    """A month's documents, their lines, sums, and the checks that must show 0.

    Credit notes count negative and stand below the invoices.
    """
    first_day = date.fromisoformat(f"{month.month}-01")
    title = f"Register of {first_day:%B %Y}"
    book = new_book(
        title=title,
        subject=month.month,
        practice=month.practice_name,
        made_on=first_day,
    )
    documents = sorted(month.documents, key=lambda document: document.kind != "invoice")
    note = (
        f"{month.practice_name}. Credit notes are negative. "
        "The totals follow the filter; those of Control totals do not."
    )
    unit = symbol(month.currency).strip()
    listings = [
        _invoices(documents, month.entries, title, note, unit),
        _lines(documents, title, note, unit),
        _tax_summary(documents, title, note, unit),
    ]
    summary = book.workbook.add_worksheet("Summary")
    for listing in listings:
        write_list(book, book.workbook.add_worksheet(listing.sheet), listing)
    sums = write_summary(book, summary, month, title)
    checks = book.workbook.add_worksheet("Control totals")
    write_control_totals(book, checks, month, listings, sums)
    return book.finish()


def _invoices(
    documents: Sequence[Document],
    entries: Sequence[Entry],
    title: str,
    note: str,
    unit: str,
) -> Listing:
    states = {entry.number: entry for entry in entries}
    columns = [
        Column("Number", 15),
        Column("Kind", 12),
        Column("Status", 10),
        Column("Issued", 13),
        Column("Due", 13),
        Column("Credit of", 15),
        Column("Bill to", 12),
        Column("Addressed to", 28),
        Column("Accounts reference", 16),
        Column("Patient ID", 12),
        Column("Patient", 24),
        Column(f"Net ({unit})", 13, total=True),
        Column(f"Tax ({unit})", 12, total=True),
        Column(f"Gross ({unit})", 13, total=True),
        Column("Sent on", 13),
        Column("Sent to", 26),
        Column("Run", 22),
    ]
    rows = [_invoice(document, states.get(document.number)) for document in documents]
    return Listing("Invoices", f"{title}: documents", note, columns, rows)


def _invoice(document: Document, state: Entry | None) -> list[Value]:
    return [
        document.number,
        KINDS[document.kind],
        state.status.capitalize() if state else "",
        document.issued_on,
        document.due_on,
        document.credits_number,
        document.bill_to,
        document.bill_to_name,
        document.accounts_reference,
        document.patient_id,
        document.patient_name,
        signed(document.kind, document.net),
        signed(document.kind, document.tax),
        signed(document.kind, document.gross),
        state.sent_on if state else None,
        state.sent_to if state else "",
        document.run_id,
    ]


def _lines(documents: Sequence[Document], title: str, note: str, unit: str) -> Listing:
    columns = [
        Column("Number", 15),
        Column("Line", 8, figures=True),
        Column("Kind", 12),
        Column("Issued", 13),
        Column("Patient ID", 12),
        Column("Patient", 24),
        Column("Product", 14),
        Column("Description", 28),
        Column("Frequency", 12),
        Column("Period start", 14),
        Column("Period end", 14),
        Column("Quantity", 11, figures=True),
        Column(f"Unit price ({unit})", 16, figures=True),
        Column("Tax code", 12),
        Column("Tax rate", 10, figures=True),
        Column(f"Net ({unit})", 13, total=True),
        Column(f"Tax ({unit})", 12, total=True),
        Column(f"Gross ({unit})", 13, total=True),
        Column("Income account", 12),
        Column("Price from", 30),
    ]
    rows = [_line(document, line) for document in documents for line in document.lines]
    return Listing("Lines", f"{title}: lines", note, columns, rows)


def _line(document: Document, line: Line) -> list[Value]:
    return [
        document.number,
        line.line,
        KINDS[document.kind],
        document.issued_on,
        line.patient_id,
        line.patient_name,
        line.product_code,
        line.description,
        line.frequency,
        line.period_start,
        line.period_end,
        line.quantity,
        line.unit_price,
        line.tax_code,
        Percent(line.tax_rate),
        signed(document.kind, line.net),
        signed(document.kind, line.tax),
        signed(document.kind, line.gross),
        line.income_account,
        line.price_source,
    ]


def _tax_summary(
    documents: Sequence[Document], title: str, note: str, unit: str
) -> Listing:
    parts = ("Invoices", "Credit notes", "Together")
    amounts = [
        Column(f"{part} {name} ({unit})", 16, total=True)
        for part in parts
        for name in ("net", "tax", "gross")
    ]
    columns = [
        Column("Tax code", 12),
        Column("Name", 22),
        Column("Rate", 9, figures=True),
    ]
    rows = _tax_rows(documents)
    return Listing(
        "Tax summary", f"{title}: tax by code and rate", note, columns + amounts, rows
    )


def _tax_rows(documents: Sequence[Document]) -> list[list[Value]]:
    """A row per code and rate; a code that only one kind of document uses has zeros."""
    invoiced = _amounts(by_tax_code(of_kind(documents, "invoice")))
    credited = _amounts(by_tax_code(of_kind(documents, "credit_note")))
    rows: list[list[Value]] = []
    for group in by_tax_code(documents):
        key = group.code, group.rate
        parts = invoiced.get(key, NOTHING), credited.get(key, NOTHING)
        rate = Percent(group.rate or Decimal(0))
        rows.append([group.code, group.name, rate, *parts[0], *parts[1], *plus(*parts)])
    return rows


def _amounts(groups: Sequence[Group]) -> dict[tuple[str, Decimal | None], Amounts]:
    return {(group.code, group.rate): group.amounts for group in groups}
