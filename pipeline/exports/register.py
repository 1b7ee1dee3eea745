"""The register of one month, `registers/YYYY-MM.xlsx`, for the accountant."""

from collections.abc import Sequence
from datetime import date

from pipeline.bookkeeping.books import Issued, IssuedLine, Month
from pipeline.exports.control_totals import write_control_totals
from pipeline.exports.invoice_list import KINDS, signed_amounts
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
from pipeline.exports.workbook import Percent, new_book


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
    unit = symbol(month.currency).strip()
    signs = f"{month.practice_name}. Credit notes are negative."
    totals = " The totals follow the filter; those of Checks do not."
    note = signs + totals
    return [
        _invoices(month.documents, title, note, unit),
        _lines(month.lines, title, note, unit),
        credit_notes(month, title, unit),
        tax_summary(month.lines, title, (signs, totals), unit),
        unsent_sheet(month, title, unit),
        deferred_income(month, title, unit),
        journal_sheet(month, title, unit),
        members_sheet(month, title, unit),
    ]


def _invoices(documents: Sequence[Issued], title: str, note: str, unit: str) -> Listing:
    kinds = [document.kind for document in documents]
    net, tax, gross = signed_amounts(kinds, documents)
    columns = [
        Column("Number", 15, [document.number for document in documents]),
        Column("Kind", 12, [KINDS[kind] for kind in kinds]),
        Column("Status", 10, [document.status.capitalize() for document in documents]),
        Column("Issued", 13, [document.issued_on for document in documents]),
        Column("Due", 13, [document.due_on for document in documents]),
        Column("Credit of", 15, [document.credits_number for document in documents]),
        Column("Bill to", 14, [document.bill_to for document in documents]),
        Column("Addressed to", 28, [document.bill_to_name for document in documents]),
        Column("Accounts reference", 16, [
            document.accounts_reference for document in documents
        ]),
        Column("Patient ID", 12, [document.patient_id for document in documents]),
        Column("Patient", 24, [document.patient_name for document in documents]),
        Column(f"Net ({unit})", 13, net, total=True),
        Column(f"Tax ({unit})", 12, tax, total=True),
        Column(f"Gross ({unit})", 13, gross, total=True),
        Column("Sent on", 13, [document.sent_on for document in documents]),
        Column("Sent to", 26, [document.sent_to for document in documents]),
        Column("Run", 22, [document.run_id for document in documents]),
    ]  # fmt: skip
    return Listing("Invoices", f"{title}: documents", note, columns)


def _lines(lines: Sequence[IssuedLine], title: str, note: str, unit: str) -> Listing:
    of = [line.document for line in lines]
    kinds = [document.kind for document in of]
    net, tax, gross = signed_amounts(kinds, lines)
    prices = [line.unit_price for line in lines]
    rates = {line.tax_rate: Percent(line.tax_rate) for line in lines}
    columns = [
        Column("Number", 15, [document.number for document in of]),
        Column("Line", 8, [line.line for line in lines], figures=True),
        Column("Kind", 12, [KINDS[kind] for kind in kinds]),
        Column("Issued", 13, [document.issued_on for document in of]),
        Column("Patient ID", 12, [line.patient_id for line in lines]),
        Column("Patient", 24, [line.patient_name for line in lines]),
        Column("Product", 14, [line.product_code for line in lines]),
        Column("Description", 28, [line.description for line in lines]),
        Column("Frequency", 12, [line.frequency for line in lines]),
        Column("Period start", 14, [line.period_start for line in lines]),
        Column("Period end", 14, [line.period_end for line in lines]),
        Column("Quantity", 11, [line.quantity for line in lines], figures=True),
        Column(f"Unit price ({unit})", 16, prices, figures=True),
        Column("Tax code", 12, [line.tax_code for line in lines]),
        Column("Tax rate", 10, [rates[line.tax_rate] for line in lines], figures=True),
        Column(f"Net ({unit})", 13, net, total=True),
        Column(f"Tax ({unit})", 12, tax, total=True),
        Column(f"Gross ({unit})", 13, gross, total=True),
        Column("Income account", 12, [line.income_account for line in lines]),
        Column("Price from", 30, [line.price_source for line in lines]),
    ]
    return Listing("Lines", f"{title}: lines", note, columns)
