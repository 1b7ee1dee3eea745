"""The month as double entry: an entry for each document, and one for what is released.

An invoice debits the debtors with its gross and credits income, or deferred income where
its period is longer than a month, and VAT; a credit note the other way round; at the
month's end deferred income is debited with what it releases and income credited. Accounts
are those of the run that made the invoice.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

from pipeline.bookkeeping.books import Deferral, Issued, IssuedLine, Posting
from pipeline.bookkeeping.deferred import Key, is_deferred, last_of

DEBTORS, INCOME, VAT, DEFERRED = "Debtors", "Income", "VAT", "Deferred income"
_NOTHING = Decimal("0.00")

# (account, purpose, tax code) to an amount; debits are positive.
_Sums = dict[tuple[str, str, str], Decimal]


def journal(
    lines: Iterable[IssuedLine],
    deferrals: Sequence[Deferral],
    taken_back: Mapping[Key, Decimal],
    month: str,
) -> tuple[Posting, ...]:
    """Every posting of a month: its documents in their order, then what it releases.

    Of the documents the lines are given, those of each together.
    """
    postings: list[Posting] = []
    for document, own in groupby(lines, attrgetter("document")):
        sums = _sums(document, own, taken_back)
        postings += _entry(
            document.issued_on, _narration(document), sums, document.number
        )
    postings += _release(deferrals, month)
    return tuple(postings)


def _narration(document: Issued) -> str:
    if document.kind == "invoice":
        return f"Invoice {document.number}"
    return f"Credit note {document.number} to {document.credits_number}"


def _sums(
    document: Issued, lines: Iterable[IssuedLine], taken_back: Mapping[Key, Decimal]
) -> _Sums:
    """What a document posts; a credit note's amounts are negative and turn its sides."""
    head, sums = document.letterhead, _Sums()
    sign = 1 if document.kind == "invoice" else -1
    _add(sums, (head.debtors_account, DEBTORS, ""), sign * abs(document.gross))
    for line in lines:
        net, tax = sign * abs(line.net), sign * abs(line.tax)
        later = sign * _later(line, taken_back)
        _add(sums, (line.income_account, INCOME, line.tax_code), later - net)
        _add(sums, (head.deferred_account, DEFERRED, line.tax_code), -later)
        _add(sums, (head.vat_account, VAT, line.tax_code), -tax)
    return sums


def _later(line: IssuedLine, taken_back: Mapping[Key, Decimal]) -> Decimal:
    """What of a line's net is, or was, income of later months."""
    if line.kind != "invoice":
        return taken_back.get((line.document.number, line.line), _NOTHING)
    if is_deferred(line.period_start, line.period_end):
        return abs(line.net)
    return _NOTHING


def _add(sums: _Sums, key: tuple[str, str, str], amount: Decimal) -> None:
    if amount:
        sums[key] = sums.get(key, _NOTHING) + amount


def _entry(on: date, narration: str, sums: _Sums, source: str) -> list[Posting]:
    """The postings of one entry; an account that nothing moves on is left out."""
    return [
        Posting(
            on, narration, account, purpose, max(amount, _NOTHING),
            max(-amount, _NOTHING), tax_code, source,
        )
        for (account, purpose, tax_code), amount in sums.items()
        if amount
    ]  # fmt: skip


def _release(deferrals: Sequence[Deferral], month: str) -> list[Posting]:
    """One entry at the month's end. It is no supply, so it bears no tax code."""
    last, sums = last_of(month), _Sums()
    for row in deferrals:
        _add(sums, (row.deferred_account, DEFERRED, ""), row.released)
    for row in sorted(deferrals, key=lambda row: row.income_account):
        _add(sums, (row.income_account, INCOME, ""), -row.released)
    narration = f"Deferred income released in {last:%B %Y}"
    return _entry(last, narration, sums, month)


def unbalanced(postings: Iterable[Posting]) -> list[str]:
    """The narrations whose debits are not their credits; none in a sound journal."""
    sums: dict[str, Decimal] = {}
    for posting in postings:
        moved = posting.debit - posting.credit
        sums[posting.narration] = sums.get(posting.narration, _NOTHING) + moved
    return [narration for narration, amount in sums.items() if amount]
