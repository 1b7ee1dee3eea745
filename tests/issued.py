"""Documents put straight into a ledger in memory, without a night that makes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pipeline.bookkeeping.books import Document, Entry, Issued, IssuedLine
from pipeline.ledger import Ledger

TABLES = ("runs", "letterheads", "invoices", "lines", "sendings", "counters")


@dataclass(frozen=True)
class Sold:
    """A line: its net, its period if it has one, its rate and income account."""

    net: str | Decimal
    start: str | date | None = None
    end: str | date | None = None
    rate: int = 0
    account: str = "4000"

    @property
    def tax(self) -> Decimal:
        return (Decimal(self.net) * self.rate / 100).quantize(Decimal("0.01"))


@dataclass
class Issuing:
    """Issues documents one after the other, each by a run of its own."""

    books: Ledger
    basis: str = "Months"
    sequences: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for table in TABLES:
            self.books.connection.execute(f"delete from ledger.{table}")

    def invoice(self, on: str | date, *sold: Sold) -> str:
        """Issue an invoice; its number."""
        return self._issue(
            "invoice", on, [(at, each) for at, each in enumerate(sold, 1)]
        )

    def credit(self, number: str, on: str | date, *back: tuple[int, Sold]) -> str:
        """Take back of lines what is given, each with the line's own period."""
        return self._issue("credit_note", on, back, of=number)

    def _issue(
        self,
        kind: str,
        on: str | date,
        sold: Sequence[tuple[int, Sold]],
        of: str | None = None,
    ) -> str:
        sequence = self.sequences[kind] = self.sequences.get(kind, 0) + 1
        number = f"{'CRN' if of else 'INV'}-{sequence:06}"
        run_no, run = self.books.last_run_no + 1, self.books.connection.execute
        run(
            "insert into ledger.runs values (?, ?, 'bill', ?, '', 0, '', '', null, '{}')",
            [run_no, f"run {run_no}", on],
        )
        run(
            "insert into ledger.letterheads (run_no, practice_name, vat_registered,"
            " prices_include_tax, deferred_basis, debtors_account, vat_account,"
            " deferred_account) values (?, 'Clinic', true, false, ?, '1100', '2200', '2110')",
            [run_no, self.basis],
        )
        sign = -1 if of else 1
        net = sign * sum(Decimal(each.net) for _, each in sold)
        tax = sign * sum(each.tax for _, each in sold)
        run(
            "insert into ledger.invoices (number, kind, sequence, run_no, issued_on,"
            " due_on, membership, bill_to_name, currency, net, tax, gross, credits_number)"
            " values (?, ?, ?, ?, ?, ?, true, 'A', 'GBP', ?, ?, ?, ?)",
            [number, kind, sequence, run_no, on, on, net, tax, net + tax, of],
        )
        for at, (line, each) in enumerate(sold, start=1):
            run(
                "insert into ledger.lines (number, line, patient_id, patient_name,"
                " product_code, description, income_account, membership, period_start,"
                " period_end, quantity, unit_price, tax_code, tax_name, tax_rate, net, tax,"
                " gross, price_source, credits_line, rebill) values (?, ?, 'P1', 'A', 'GOLD',"
                " 'Gold', ?, true, ?, ?, 1, ?, ?, '', ?, ?, ?, ?, 'row', ?, false)",
                [
                    number, at, each.account, each.start, each.end, each.net,
                    "STD" if each.rate else "EXEMPT", each.rate,
                    sign * Decimal(each.net), sign * each.tax,
                    sign * (Decimal(each.net) + each.tax), line if of else None,
                ],
            )  # fmt: skip
        return number


def in_a_month(
    documents: Sequence[Document], entries: Sequence[Entry] = ()
) -> tuple[tuple[Issued, ...], tuple[IssuedLine, ...]]:
    """Documents as a month has them, invoices first, and their lines; unsent if not told."""
    states = {entry.number: entry for entry in entries}
    issued, lines = [], []
    for document in sorted(documents, key=lambda each: each.kind != "invoice"):
        state = states.get(document.number)
        shown = {"status": "unsent", "sent_on": None, "sent_to": ""}
        if state:
            shown = {name: getattr(state, name) for name in shown}
        one = Issued(
            **{
                name: shown[name] if name in shown else getattr(document, name)
                for name in Issued._fields
            }
        )
        issued.append(one)
        own = IssuedLine._fields[1:]
        lines += [
            IssuedLine(one, *(getattr(line, name) for name in own))
            for line in document.lines
        ]
    return tuple(issued), tuple(lines)
