"""The Invoices page, `invoices.xlsx`: every document and its state, newest first."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from operator import attrgetter

from pipeline.bookkeeping.books import Entry, Issued, IssuedLine
from pipeline.bookkeeping.unsent import Limits, age
from pipeline.exports.lists import Column, Listing, write_list
from pipeline.exports.to_send import KINDS, linked, write_to_send
from pipeline.exports.words import symbol
from pipeline.exports.workbook import Book, Link, new_book

__all__ = ["KINDS", "render", "signed", "signed_amounts"]


def render(
    entries: Sequence[Entry],
    *,
    practice_name: str,
    as_of: date,
    emails: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    earlier: Mapping[str, int] | None = None,
) -> bytes:
    """The workbook of all documents, one sheet of it with active memberships alone.

    A third sheet holds what waits to be sent. Credit notes count negative, so that each
    total is what is left to be paid. Where there are too many for a sheet, `earlier` tells
    which months (YYYY-MM) are left to their registers, and how many documents each has.
    """
    earlier = earlier or {}
    listed = [entry for entry in entries if f"{entry.issued_on:%Y-%m}" not in earlier]
    newest_first = sorted(listed, key=_age, reverse=True)
    book = new_book(
        title="Invoices",
        subject=f"Invoices as of {as_of:%d %b %Y}",
        practice=practice_name,
        made_on=as_of,
    )
    unit = symbol(entries[0].currency if entries else "GBP").strip()
    columns = _columns(newest_first, as_of, unit)
    note = (
        f"{practice_name}, as of {as_of:%d %b %Y}. Newest first; "
        "credit notes are negative. The totals follow the filter."
    )
    if earlier:
        note += f" Up to {max(earlier)}: see Earlier months."
    seed = {"Active": "Yes", "Membership": "Yes"}
    for name, only in (("Invoices", None), ("Active memberships", seed)):
        write_list(book, Listing(name, name, note, columns, only))
    write_to_send(
        book,
        entries,
        practice_name=practice_name,
        as_of=as_of,
        unit=unit,
        emails=emails or {},
        limits=limits or Limits(),
    )
    if earlier:
        _write_earlier(book, earlier, practice_name)
    return book.finish()


def _write_earlier(book: Book, earlier: Mapping[str, int], practice_name: str) -> None:
    """Where the documents are that are too many for this workbook."""
    name = "Earlier months"
    note = f"{practice_name}. The documents of these months are in their registers."
    months = sorted(earlier, reverse=True)
    columns = [
        Column("Month", 12, [Link(f"registers/{each}.xlsx", each) for each in months]),
        Column("Documents", 12, [earlier[each] for each in months], figures=True),
    ]
    write_list(book, Listing(name, name, note, columns))


def signed(kind: str, amount: Decimal) -> Decimal:
    """An amount as it counts in a sum: what a credit note gives back is negative."""
    return -abs(amount) if kind == "credit_note" else amount


def signed_amounts(
    kinds: Sequence[str], rows: Sequence[Entry | Issued | IssuedLine]
) -> Iterator[list[Decimal]]:
    """Net, tax and gross of rows by column, signed for each one's kind of document."""
    for name in ("net", "tax", "gross"):
        yield list(map(signed, kinds, map(attrgetter(name), rows)))


def _age(entry: Entry) -> tuple[date, str, int, str]:
    """What newest is: the day of issue, then the number within its series."""
    series = "" if entry.kind == "credit_note" else "invoice"
    return entry.issued_on, series, len(entry.number), entry.number


def _columns(entries: Sequence[Entry], as_of: date, unit: str) -> list[Column]:
    ages = [
        age(entry, as_of) if entry.status == "unsent" else None for entry in entries
    ]
    kinds = [entry.kind for entry in entries]
    net, tax, gross = signed_amounts(kinds, entries)
    return [
        Column("Number", 15, linked(entries)),
        Column("Kind", 13, [KINDS[kind] for kind in kinds]),
        Column("Status", 11, [entry.status.capitalize() for entry in entries]),
        Column("Active", 9, ["Yes" if entry.active else "No" for entry in entries]),
        Column("Membership", 14, [
            "Yes" if entry.membership else "No" for entry in entries
        ]),
        Column("Issued", 13, [entry.issued_on for entry in entries]),
        Column("Due", 13, [entry.due_on for entry in entries]),
        Column("Patient ID", 13, [entry.patient_id for entry in entries]),
        Column("Patient", 24, [entry.patient_name for entry in entries]),
        Column("Bill to", 15, [entry.bill_to for entry in entries]),
        Column("Addressed to", 28, [entry.bill_to_name for entry in entries]),
        Column(f"Net ({unit})", 14, net, total=True),
        Column(f"Tax ({unit})", 12, tax, total=True),
        Column(f"Gross ({unit})", 14, gross, total=True),
        Column(f"Credits ({unit})", 14, [entry.credits for entry in entries], total=True),
        Column("Sent on", 13, [entry.sent_on for entry in entries]),
        Column("Sent to", 26, [entry.sent_to for entry in entries]),
        Column("Days unsent", 10, ages, figures=True),
        Column("Run", 22, [entry.run_id for entry in entries]),
    ]  # fmt: skip
