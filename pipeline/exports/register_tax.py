"""Tax by code and rate, and what of it belongs in boxes 1 and 6 of a VAT return."""

from collections.abc import Sequence
from decimal import Decimal

from pipeline.bookkeeping.books import IssuedLine
from pipeline.exports.lists import Column, Listing, filled
from pipeline.exports.register_sums import (
    NOTHING,
    Amounts,
    Group,
    by_tax_code,
    of_kind,
    plus,
)
from pipeline.exports.workbook import Percent, Value

# What bears this code is outside the scope of VAT, and in neither box.
OUTSIDE = "OUT"
BOXES = ("Box 1: VAT due", "Box 6: sales without VAT")
# Of a column of amounts: what it is of goes above which amount it is.
WIDTH = 14
_BOX_NOTE = " Boxes are of a registered practice alone; box 6 is without code OUT."


def tax_summary(
    lines: Sequence[IssuedLine], title: str, notes: tuple[str, str], unit: str
) -> Listing:
    """A row per tax code and rate; the boxes only where a document has a VAT number.

    What the boxes are of is said between the notes, of which paper may not hold the last.
    """
    registered = [line for line in lines if line.document.letterhead.vat_registered]
    amounts = [
        Column(f"{part} {name} ({unit})", WIDTH, total=True)
        for part in ("Invoices", "Credit notes", "Together")
        for name in ("net", "tax", "gross")
    ]
    boxes = [Column(f"{box} ({unit})", 1.3 * WIDTH, total=True) for box in BOXES]
    columns = [
        Column("Tax code", 12),
        Column("Name", 20),
        Column("Rate", 9, figures=True),
        *amounts,
        *(boxes if registered else ()),
    ]
    rows = _rows(lines, registered)
    return Listing(
        "Tax summary", f"{title}: tax by code and rate",
        (_BOX_NOTE if registered else "").join(notes), filled(columns, rows),
    )  # fmt: skip


def _rows(
    lines: Sequence[IssuedLine], registered: Sequence[IssuedLine]
) -> list[list[Value]]:
    """A code that only one kind of document uses has zeros in the other's columns."""
    invoiced = _amounts(by_tax_code(of_kind(lines, "invoice")))
    credited = _amounts(by_tax_code(of_kind(lines, "credit_note")))
    returned = _amounts(by_tax_code(registered))
    rows: list[list[Value]] = []
    for group in by_tax_code(lines):
        key = group.code, group.rate
        parts = invoiced.get(key, NOTHING), credited.get(key, NOTHING)
        rate = Percent(group.rate or Decimal(0))
        row: list[Value] = [
            group.code, group.name, rate, *parts[0], *parts[1], *plus(*parts)
        ]  # fmt: skip
        if registered:
            net, tax, _ = returned.get(key, NOTHING)
            row += [tax, Decimal("0.00") if group.code.upper() == OUTSIDE else net]
        rows.append(row)
    return rows


def _amounts(groups: Sequence[Group]) -> dict[tuple[str, Decimal | None], Amounts]:
    return {(group.code, group.rate): group.amounts for group in groups}
