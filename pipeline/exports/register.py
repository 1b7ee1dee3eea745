"""The register of one month, `registers/YYYY-MM.xlsx`, for the accountant."""

from collections.abc import Sequence
from datetime import date

from pipeline.books import Document, Entry, Line, Month
from pipeline.exports.control_totals import write_control_totals
from pipeline.exports.invoice_list import KINDS, signed
from pipeline.exports.lists import Column, Listing, write_list
from pipeline.exports.register_income import (
    credit_notes,
    deferred_income,
    journal_sheet,
)
from pipeline.exports.register_state import members_sheet, unsent_sheet
from pipeline.exports.register_summary import write_summary
from pipeline.exports.register_tax import tax_summary
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
    summary = book.workbook.add_worksheet("Summary")
    listings = {listing.sheet: listing for listing in _listings(month, title)}
    for listing in listings.values():
        write_list(book, listing)
    sums = write_summary(book, summary, month, title, listings["Deferred income"])
    checks = book.workbook.add_worksheet("Checks")
    write_control_totals(book, checks, month, title, listings, sums)
    return book.finish()


def _listings(month: Month, title: str) -> list[Listing]:
    """The sheets between the summary and the checks, in their order."""
    documents = sorted(month.documents, key=lambda document: document.kind != "invoice")
    unit = symbol(month.currency).strip()
    note = (
        f"{month.practice_name}. Credit notes are negative. "
        "The totals follow the filter; those of Checks do not."
    )
    return [
        _invoices(documents, month.entries, title, note, unit),
        _lines(documents, title, note, unit),
        credit_notes(month, title, unit),
        tax_summary(documents, title, note, unit),
        unsent_sheet(month, title, unit),
        deferred_income(month, title, unit),
        journal_sheet(month, title, unit),
        members_sheet(month, title, unit),
    ]


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
        Column("Bill to", 14),
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
