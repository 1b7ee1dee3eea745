"""What each accounting package makes of an import file, by its own arithmetic."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

Totals = dict[str, tuple[Decimal, Decimal, Decimal]]
PENNY = Decimal("0.01")
RATES = {
    "20% (VAT on Income)": 20, "5% (VAT on Income)": 5, "Zero Rated Income": 0,
    "Exempt Income": 0, "No VAT": 0, "20.0% S": 20, "5.0% R": 5, "0.0% Z": 0,
    "Exempt": 0,
}  # fmt: skip


def rows(content: bytes) -> list[dict[str, str]]:
    """The rows of a file by heading."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def _penny(amount: Decimal) -> Decimal:
    return amount.quantize(PENNY, ROUND_HALF_UP)


def _summed(parts: Iterator[tuple[str, Decimal, Decimal]]) -> Totals:
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for number, net, tax in parts:
        sums[number][0] += net
        sums[number][1] += tax
    return {number: (net, tax, net + tax) for number, (net, tax) in sums.items()}


def invoices(content: bytes, *, inclusive: bool, own_tax: bool) -> Totals:
    """Xero and QuickBooks: quantity times price; tax as given, or worked out (`own_tax`)."""
    xero = b"*ContactName" in content
    names = (
        ("*InvoiceNumber", "*Quantity", "*UnitAmount", "*TaxType", "TaxAmount")
        if xero
        else (
            "*InvoiceNo",
            "ItemQuantity",
            "ItemRate",
            "*Item Tax Code",
            "Item Tax Amount",
        )
    )

    def parts() -> Iterator[tuple[str, Decimal, Decimal]]:
        for row in rows(content):
            number, quantity, unit, code, given = (row[name] for name in names)
            amount = _penny(Decimal(quantity) * Decimal(unit))
            if not xero:
                assert amount == Decimal(row["*ItemAmount"])
            rate = Decimal(RATES[code])
            share = rate / (100 + rate) if inclusive else rate / 100
            tax = _penny(amount * share) if own_tax else Decimal(given)
            yield number, amount - tax if inclusive else amount, tax

    return _summed(parts())


def sage50(content: bytes) -> Totals:
    """Audit-trail transactions: the type gives the sign."""
    return _summed(
        (
            row["Reference"],
            Decimal(row["Net Amount"]) * _sign(row["Type"]),
            Decimal(row["Tax Amount"]) * _sign(row["Type"]),
        )
        for row in rows(content)
    )


def sage_accounting(content: bytes) -> Totals:
    """Quick entries: the type gives the sign, and the total must be net and VAT."""

    def parts() -> Iterator[tuple[str, Decimal, Decimal]]:
        for row in rows(content):
            net, tax = Decimal(row["Net"]), Decimal(row["VAT"])
            assert net + tax == Decimal(row["Total"])
            yield row["Reference"], net * _sign(row["Type"]), tax * _sign(row["Type"])

    return _summed(parts())


def quickfile(content: bytes) -> Totals:
    """Gross amounts, out of which the VAT amount is taken."""
    return _summed(
        (
            row["Invoice number"],
            Decimal(row["Total gross amount"]) - Decimal(row["VAT amount"]),
            Decimal(row["VAT amount"]),
        )
        for row in rows(content)
    )


def journals(content: bytes, *, debtors: str, tax: str) -> Totals:
    """Manual journals: rows alike in narration and date are one, and must balance."""
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in rows(content):
        assert row["*TaxRate"] == "No VAT", "a rate would add the tax once more"
        found[row["*Narration"], row["*Date"]].append(row)
    totals: Totals = {}
    for (narration, _), journal in found.items():
        assert sum(Decimal(row["*Amount"]) for row in journal) == 0
        gross, vat = (
            sum(Decimal(r["*Amount"]) for r in journal if r["*AccountCode"] == account)
            for account in (debtors, tax)
        )
        # "Credit note CRN-000001 to INV-000003"; a release is of no document.
        number = re.match(r"(?:Invoice|Credit note) (\S+)", narration)
        if not number:
            assert gross == vat == 0
            continue
        totals[number[1]] = (
            Decimal(gross + vat), Decimal(-vat), Decimal(gross),
        )  # fmt: skip
    return totals


def _sign(kind: str) -> int:
    return {"SI": 1, "Invoice": 1, "SC": -1, "Cr Note": -1}[kind]
