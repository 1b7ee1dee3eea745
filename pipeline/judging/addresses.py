"""Addresses that an invoice with tax needs, and that a row does not give."""

from decimal import Decimal

from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import Sheet

# Up to here, tax included, a VAT invoice may leave the customer out.
SIMPLIFIED = Decimal("250.00")


def missing_addresses(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """A doubt for each payer of tonight's larger invoices with tax who has no address.

    The invoice is made all the same: whoever needs it for their own tax return is the
    only one to miss the address, and the sheet does not ask for it.
    """
    rows = ledger.rows(
        "select bill_to, patient_id, max(gross) as gross from model.new_invoices"
        " where tax > 0 and gross > ? and address_line_1 is null"
        " group by bill_to, patient_id order by bill_to, patient_id",
        [SIMPLIFIED],
    )
    return [
        Problem(
            Severity.CHECK,
            "address-missing",
            _place(ledger, sheets, row["bill_to"], row["patient_id"]),
            f"an invoice of {row['gross']} with tax has no address of who pays",
            f"an address on an invoice with tax over {SIMPLIFIED}",
            "write the address; tonight's invoice goes without it",
            subject=row["bill_to"] or row["patient_id"] or "",
        )
        for row in rows
    ]


def _place(
    ledger: Ledger, sheets: dict[str, Sheet], payer: str | None, patient: str | None
) -> Place:
    table, key = ("contacts", "code") if payer else ("patients", "patient_id")
    row = ledger.value(
        f"select any_value(row_number) from input.{table} where {key} = ?",
        [payer or patient],
    )
    if row is None or table not in sheets:
        return Place("patients.xlsx", table.capitalize())
    return sheets[table].place(row, "address_line_1")
