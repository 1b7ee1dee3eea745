"""What a month earned: its credit notes, its deferred income and its journal."""

from decimal import Decimal

from pipeline.bookkeeping.books import IssuedLine, Month
from pipeline.exports.invoice_list import signed
from pipeline.exports.lists import Column, Listing, filled
from pipeline.exports.register_sums import of_kind
from pipeline.exports.workbook import Value

_ZERO = Decimal("0.00")
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
        _credited(line, month.taken_back.get((line.document.number, line.line), _ZERO))
        for line in of_kind(month.lines, "credit_note")
    ]
    note = (
        f"{month.practice_name}. Amounts are negative. What was not released yet comes"
        " out of deferred income, the rest out of income."
    )
    return Listing(
        "Credit notes", f"{title}: credit notes by line", note, filled(columns, rows)
    )


def _credited(line: IssuedLine, taken_back: Decimal) -> list[Value]:
    document = line.document
    net, tax, gross = (
        signed(document.kind, each) for each in (line.net, line.tax, line.gross)
    )
    later = -taken_back
    return [
        document.number, document.issued_on, document.credits_number,
        document.credits_issued_on, line.credits_line, line.patient_id,
        line.product_code, line.description, document.reason, line.tax_code,
        net, tax, gross, later, net - later,
    ]  # fmt: skip


def deferred_income(month: Month, title: str, unit: str) -> Listing:
    """A row for each line whose income is spread, with what the month did to it."""
    lines = month.deferrals
    moves = (
        [each.opening for each in lines],
        [each.invoiced for each in lines],
        [-each.credited for each in lines],
        [-each.released for each in lines],
        [each.closing for each in lines],
    )
    columns = [
        Column("Number", 15, [each.number for each in lines]),
        Column("Line", 8, [each.line for each in lines], figures=True),
        Column("Patient ID", 12, [each.patient_id for each in lines]),
        Column("Product", 14, [each.product_code for each in lines]),
        Column("Period start", 14, [each.period_start for each in lines]),
        Column("Period end", 14, [each.period_end for each in lines]),
        Column("Spread by", 11, [each.basis for each in lines]),
        Column("Parts", 9, [each.parts for each in lines], figures=True),
        Column(f"Net ({unit})", 13, [each.net for each in lines], figures=True),
        *(
            Column(f"{name} ({unit})", 13, amounts, total=True)
            for name, amounts in zip(MOVEMENTS, moves, strict=True)
        ),
        Column("Income account", 12, [each.income_account for each in lines]),
        Column("Deferred account", 12, [each.deferred_account for each in lines]),
    ]
    note = (
        f"{month.practice_name}. Periods longer than a month, at net. Opening and"
        " invoiced, less credited and released (negative), are closing."
    )
    return Listing("Deferred income", f"{title}: deferred income", note, columns)


def journal_sheet(month: Month, title: str, unit: str) -> Listing:
    """Every posting; those of one narration are an entry and balance."""
    sides = month.postings
    columns = [
        Column("Date", 13, [each.date for each in sides]),
        Column("Narration", 46, [each.narration for each in sides]),
        Column("Account", 12, [each.account for each in sides]),
        Column("For", 17, [each.purpose for each in sides]),
        Column(
            f"Debit ({unit})", 14, [each.debit or None for each in sides], total=True
        ),
        Column(
            f"Credit ({unit})", 14, [each.credit or None for each in sides], total=True
        ),
        Column("Tax code", 11, [each.tax_code for each in sides]),
        Column("Source", 15, [each.source for each in sides]),
    ]
    note = (
        f"{month.practice_name}. Each narration is an entry that balances. Payments are"
        " not kept here."
    )
    return Listing("Journal", f"{title}: journal", note, columns)
