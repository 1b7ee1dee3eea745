"""Documents as double entry, for packages that take a journal.

`of_documents` is the one place where postings come from: whoever keeps a fuller journal
(deferred income, the month's release) hands its postings over here.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipeline.books import Document, Line

NOTHING = Decimal("0.00")


@dataclass(frozen=True)
class Posting:
    """One side of an entry; `debit` or `credit` is 0.00, and neither is negative.

    Postings with one `source` make one journal, which balances: a document's number, or
    the name of a month's release. `tax_code` is '' where no tax hangs on it.
    """

    date: date
    narration: str
    account: str
    purpose: str
    debit: Decimal
    credit: Decimal
    tax_code: str
    source: str


def of_documents(
    documents: Iterable[Document],
    *,
    debtors: str,
    tax: str,
    income: Callable[[Line], str],
) -> Iterator[Posting]:
    """Debtors by the gross; income by account and tax code, and tax, on the other side.

    Of a credit note the sides are changed. Sides of 0.00 are left out.
    """
    for document in documents:
        nets: dict[tuple[str, str], Decimal] = {}
        for line in document.lines:
            key = (income(line), line.tax_code)
            nets[key] = nets.get(key, NOTHING) + line.net
        if document.gross:
            yield _posting(document, debtors, "Debtors", document.gross)
        for (account, tax_code), net in sorted(nets.items()):
            if net:
                yield _posting(document, account, "Income", -net, tax_code)
        if document.tax:
            yield _posting(document, tax, "VAT", -document.tax)


def _posting(
    document: Document, account: str, purpose: str, amount: Decimal, tax_code: str = ""
) -> Posting:
    words = "Invoice" if document.kind == "invoice" else "Credit note"
    return Posting(
        date=document.issued_on,
        narration=f"{words} {document.number}",
        account=account,
        purpose=purpose,
        debit=max(amount, NOTHING),
        credit=max(-amount, NOTHING),
        tax_code=tax_code,
        source=document.number,
    )
