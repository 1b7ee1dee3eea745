"""What a month earned: its credit notes, its deferred income and its journal."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pipeline.books import Deferral, Document, Month, Posting
from pipeline.exports.invoice_list import signed
from pipeline.exports.lists import Column, Listing
from pipeline.exports.register_sums import of_kind
from pipeline.exports.workbook import Value

MOVEMENTS = ("Opening", "Invoiced", "Credited", "Released", "Closing")


def credit_notes(month: Month, title: str, unit: str) -> Listing:
    """A row for each line of a credit note, with the invoice's line it takes back."""
    columns = [
        Column("Number", 15),
        Column("Issued", 13),
        Column("Credit of", 15),
        Column("Its date", 13),
        Column("Its line", 9, figures=True),
        Column("Patient ID", 12),
        Column("Product", 14),
        Column("Description", 26),
        Column("Reason", 30),
        Column("Tax code", 11),
        Column(f"Net ({unit})", 13, total=True),
        Column(f"Tax ({unit})", 12, total=True),
        Column(f"Gross ({unit})", 13, total=True),
        Column(f"Out of deferred income ({unit})", 16, total=True),
        Column(f"Out of income ({unit})", 14, total=True),
    ]
    rows = [
        row
        for document in of_kind(month.documents, "credit_note")
        for row in _credited(document, month.taken_back)
    ]
    note = (
        f"{month.practice_name}. Amounts are negative. What was not released yet comes"
        " out of deferred income, the rest out of income."
    )
    return Listing(
        "Credit notes", f"{title}: credit notes by line", note, columns, rows
    )


def _credited(
    document: Document, taken_back: Mapping[tuple[str, int], Decimal]
) -> list[list[Value]]:
    rows: list[list[Value]] = []
    for line in document.lines:
        net, tax, gross = (
            signed(document.kind, each) for each in (line.net, line.tax, line.gross)
        )
        later = -taken_back.get((document.number, line.line), Decimal("0.00"))
        rows.append([
            document.number, document.issued_on, document.credits_number,
            document.credits_issued_on, line.credits_line, line.patient_id,
            line.product_code, line.description, document.reason, line.tax_code,
            net, tax, gross, later, net - later,
        ])  # fmt: skip
    return rows


def deferred_income(month: Month, title: str, unit: str) -> Listing:
    """A row for each line whose income is spread, with what the month did to it."""
    columns = [
        Column("Number", 15),
        Column("Line", 8, figures=True),
        Column("Patient ID", 12),
        Column("Product", 14),
        Column("Period start", 14),
        Column("Period end", 14),
        Column("Spread by", 11),
        Column("Parts", 9, figures=True),
        Column(f"Net ({unit})", 13, figures=True),
        *(Column(f"{name} ({unit})", 13, total=True) for name in MOVEMENTS),
        Column("Income account", 12),
        Column("Deferred account", 12),
    ]
    note = (
        f"{month.practice_name}. Periods longer than a month, at net. Opening and"
        " invoiced, less credited and released (negative), are closing."
    )
    rows = [_deferral(row) for row in month.deferrals]
    return Listing("Deferred income", f"{title}: deferred income", note, columns, rows)


def _deferral(row: Deferral) -> list[Value]:
    return [
        row.number, row.line, row.patient_id, row.product_code, row.period_start,
        row.period_end, row.basis, row.parts, row.net, row.opening, row.invoiced,
        -row.credited, -row.released, row.closing, row.income_account,
        row.deferred_account,
    ]  # fmt: skip


def journal_sheet(month: Month, title: str, unit: str) -> Listing:
    """Every posting; those of one narration are an entry and balance."""
    columns = [
        Column("Date", 13),
        Column("Narration", 46),
        Column("Account", 12),
        Column("For", 17),
        Column(f"Debit ({unit})", 14, total=True),
        Column(f"Credit ({unit})", 14, total=True),
        Column("Tax code", 11),
        Column("Source", 15),
    ]
    note = (
        f"{month.practice_name}. Each narration is an entry that balances. Payments are"
        " not kept here."
    )
    return Listing(
        "Journal", f"{title}: journal", note, columns, _postings(month.postings)
    )


def _postings(postings: Sequence[Posting]) -> list[list[Value]]:
    return [
        [
            each.date, each.narration, each.account, each.purpose,
            each.debit or None, each.credit or None, each.tax_code, each.source,
        ]
        for each in postings
    ]  # fmt: skip
