"""Documents as the files a package imports: their rows, the limits of a file, its bytes.

CSV for machines: every text is exactly what the ledger holds, and what a spreadsheet
would run as a formula is not put out of action, since the package would keep the sign.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

from pipeline.bookkeeping.books import Document, Posting
from pipeline.cells.spelling import canonical
from pipeline.exports.import_fields import (
    Payer,
    Unfit,
    Unmapped,
    Value,
    inclusive,
    of_line,
    of_posting,
    row_of,
    who_pays,
)
from pipeline.exports.layouts import Layout

Row = tuple[str, ...]
Fault = tuple[str, str]


@dataclass(frozen=True)
class Item:
    """What leaves as a whole, a document or a journal: its rows, never in two files.

    `number` is a document's, or the month (YYYY-MM) of a release. `group` is the name of
    the file of its own that its kind needs, '' for the main one; `unfit` says why the
    package cannot take it. `payer` is whoever pays, where the file names an account.
    """

    number: str
    issued_on: date
    group: str
    rows: tuple[Row, ...]
    unfit: str = ""
    by_hand: bool = False
    payer: Payer | None = None


@dataclass(frozen=True)
class Taken:
    """Items in order, and codes that the package has no word for: (found, repair)."""

    items: tuple[Item, ...]
    unmapped: tuple[Fault, ...]


def items_of(
    documents: Iterable[Document], layout: Layout, *, credit_notes: bool
) -> Taken:
    """Each document as what leaves; `credit_notes` asks for those that go apart."""
    items: list[Item] = []
    unmapped: dict[Fault, None] = {}
    by_account = any(column.field == "customer_id" for column in layout.columns)
    for document in documents:
        number, day = document.number, document.issued_on
        refusal = _refused_kind(document, layout, credit_notes)
        if refusal and not document.gross and layout.credit_notes == "by hand":
            continue  # a note that only frees a line: there is nothing to enter
        if refusal:
            items.append(Item(number, day, "", (), refusal, by_hand=True))
            continue
        values = [of_line(document, line, layout) for line in document.lines]
        rows, unfit = _rows(values, layout, unmapped)
        item = Item(number, day, _group(document, layout), rows, unfit)
        if by_account:
            item = replace(item, payer=who_pays(document))
        items.append(item)
    return Taken(tuple(items), tuple(unmapped))


def shared_accounts(items: Iterable[Item], before: Iterable[Payer]) -> list[str]:
    """Accounts that several payers leave under: they become one customer, in words.

    `before` are those of what left already, each under the account it had last.
    """
    leaving = [item.payer for item in items if item.payer]
    known = {str(payer): payer.account for payer in (*before, *leaving)}
    payers: dict[str, list[str]] = {}
    for payer, account in sorted(known.items()):
        payers.setdefault(canonical(account), []).append(payer)
    accounts = {canonical(payer.account): payer.account for payer in leaving}
    return [
        f"{account} is the account of {', '.join(payers[key])}: they are one customer"
        " there; give each an Accounts reference of its own if they are not"
        for key, account in accounts.items()
        if len(payers[key]) > 1
    ]


def _rows(
    values: Iterable[Callable[[str], Value]],
    layout: Layout,
    unmapped: dict[Fault, None],
) -> tuple[tuple[Row, ...], str]:
    """The rows of an item, and why the package cannot take them, '' if it can."""
    rows: list[Row] = []
    unfit = ""
    for value_of in values:
        try:
            rows.append(row_of(layout, value_of))
        except Unmapped as error:
            unmapped[error.found, error.repair] = None
        except Unfit as error:
            unfit = unfit or str(error)
    return tuple(rows), unfit or _too_many(rows, layout)


def _refused_kind(document: Document, layout: Layout, credit_notes: bool) -> str:
    if document.kind == "invoice" or layout.credit_notes == "with":
        return ""
    if layout.credit_notes == "by hand":
        return "the import takes no credit notes; enter it by hand"
    return "" if credit_notes else "credit notes leave with --credit-notes only"


def _group(document: Document, layout: Layout) -> str:
    parts = [
        "credit-notes"
        * (document.kind == "credit_note" and layout.credit_notes == "apart"),
        "tax-inclusive" * inclusive(document, layout),
    ]
    return "-".join(filter(None, parts))


def _too_many(rows: Sequence[Row], layout: Layout) -> str:
    most = layout.limits.get("rows")
    if most and len(rows) > most:
        return f"it has {len(rows)} rows, and a file takes {most}"
    most = layout.limits.get("bytes")
    if most and len(as_csv(layout, rows)) > most:
        return "it is larger than a file may be"
    return ""


def of_postings(postings: Iterable[Posting], layout: Layout) -> Taken:
    """Each journal as what leaves: the postings of one source, which come together."""
    items: list[Item] = []
    unmapped: dict[Fault, None] = {}
    for source, grouped in groupby(postings, key=lambda posting: posting.source):
        journal = list(grouped)
        if sum(p.debit for p in journal) != sum(p.credit for p in journal):
            raise AssertionError(f"the journal of {source} does not balance")
        values = [of_posting(posting, layout) for posting in journal]
        rows, unfit = _rows(values, layout, unmapped)
        items.append(Item(source, journal[0].date, "", rows, unfit))
    return Taken(tuple(items), tuple(unmapped))


def filed(items: Iterable[Item], layout: Layout) -> Iterator[tuple[str, list[Item]]]:
    """Items by the file they go into: its name's ending, '' for an only one.

    A file is filled until the next item would break one of its limits.
    """
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.group, []).append(item)
    for group in sorted(groups):
        files = list(_filled(groups[group], layout))
        for at, file in enumerate(files, start=1):
            parts = [group, str(at) if len(files) > 1 else ""]
            yield "".join(f"-{part}" for part in parts if part), file


def _filled(items: list[Item], layout: Layout) -> Iterator[list[Item]]:
    head = len(as_csv(layout, ()))
    file: list[Item] = []
    filled = {"documents": 0, "rows": 0, "bytes": head}
    for item in items:
        adds = {
            "documents": 1,
            "rows": len(item.rows),
            "bytes": len(as_csv(layout, item.rows)) - head,
        }
        full = any(
            filled[name] + adds[name] > most for name, most in layout.limits.items()
        )
        if full and file:
            yield file
            file, filled = [], {"documents": 0, "rows": 0, "bytes": head}
        file.append(item)
        filled = {name: filled[name] + adds[name] for name in filled}
    if file:
        yield file


def as_csv(layout: Layout, rows: Iterable[Row]) -> bytes:
    """Headings and rows: commas, UTF-8, lines that end as the format's standard says."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(layout.headings)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8")
