"""What a month comes to by product and tax code, invoices and credit notes apart."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from pipeline.bookkeeping.books import IN_PART, Issued, IssuedLine
from pipeline.exports.invoice_list import signed

Amounts = tuple[Decimal, Decimal, Decimal]  # net, tax, gross
_Key = tuple[str, Decimal | None]  # of a group: its code and its rate

_Each = TypeVar("_Each", Issued, IssuedLine)

_ZERO = Decimal("0.00")
NOTHING: Amounts = (_ZERO, _ZERO, _ZERO)


@dataclass(frozen=True)
class Group:
    """Lines of one kind of document for one product, or one tax code at one rate.

    `rate` is None for a product; what a credit note gives back is negative.
    """

    code: str
    name: str
    rate: Decimal | None
    lines: int
    amounts: Amounts


def plus(first: Amounts, second: Amounts) -> Amounts:
    """Two sets of amounts, each added to its like."""
    return (first[0] + second[0], first[1] + second[1], first[2] + second[2])


def together(amounts: Iterable[Amounts]) -> Amounts:
    """Many sets of amounts in one."""
    total = NOTHING
    for each in amounts:
        total = plus(total, each)
    return total


def of_documents(documents: Iterable[Issued]) -> Amounts:
    """What documents come to, by their own totals."""
    return together(
        (
            signed(document.kind, document.net),
            signed(document.kind, document.tax),
            signed(document.kind, document.gross),
        )
        for document in documents
    )


def of_kind(rows: Iterable[_Each], kind: str) -> list[_Each]:
    """The invoices, or the credit notes, or their lines, in their order."""
    return [each for each in rows if each.kind == kind]


def by_product(lines: Sequence[IssuedLine]) -> list[Group]:
    """A group per product, in order of code."""
    return _grouped(
        lines,
        lambda line: (line.product_code, line.description.removesuffix(IN_PART), None),
    )


def by_tax_code(lines: Sequence[IssuedLine]) -> list[Group]:
    """A group per tax code and rate, in order of both."""
    return _grouped(lines, lambda line: (line.tax_code, line.tax_name, line.tax_rate))


def _grouped(
    lines: Sequence[IssuedLine],
    of: Callable[[IssuedLine], tuple[str, str, Decimal | None]],
) -> list[Group]:
    """Lines by code and rate; a name changed in the month shows its last wording.

    Most lines of a month are alike: each amount is added as often as it comes.
    """
    names: dict[_Key, str] = {}
    alike: dict[_Key, Counter[tuple[str, Amounts]]] = defaultdict(Counter)
    for line in lines:
        code, name, rate = of(line)
        names[code, rate] = name
        amounts = line.net, line.tax, line.gross
        alike[code, rate][line.kind, amounts] += 1
    return [
        Group(code, names[code, rate], rate, counts.total(), _added(counts))
        for (code, rate), counts in sorted(
            alike.items(), key=lambda group: (group[0][0], group[0][1] or _ZERO)
        )
    ]


def _added(counts: Counter[tuple[str, Amounts]]) -> Amounts:
    net = tax = gross = _ZERO
    for (kind, amounts), count in counts.items():
        of_one = [signed(kind, amount) * count for amount in amounts]
        net, tax, gross = net + of_one[0], tax + of_one[1], gross + of_one[2]
    return net, tax, gross
