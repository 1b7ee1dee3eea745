"""The Invoices page, `invoices.xlsx`: every document and its state, newest first."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from pipeline.books import Entry
from pipeline.exports.lists import Column, Listing, write_list
from pipeline.exports.to_send import KINDS, write_to_send
from pipeline.exports.words import symbol
from pipeline.exports.workbook import MAX_LINKS, Book, Link, Value, new_book
from pipeline.unsent import Limits, age

__all__ = ["KINDS", "render", "signed"]


def render(
    entries: Sequence[Entry],
    *,
    practice_name: str,
    as_of: date,
    emails: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    earlier: Mapping[str, int] | None = None,
) -> bytes:
    """The workbook of all documents, one sheet of it already filtered to memberships.

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
    rows = [_cells(entry, as_of, row) for row, entry in enumerate(newest_first)]
    unit = symbol(entries[0].currency if entries else "GBP").strip()
    columns = _columns(unit)
    note = (
        f"{practice_name}, as of {as_of:%d %b %Y}. Newest first; "
        "credit notes are negative. The totals follow the filter."
    )
    if earlier:
        note += f" Up to {max(earlier)}: see Earlier months."
    seed = {"Active": "Yes", "Membership": "Yes"}
    for name, only in (("Invoices", None), ("Active memberships", seed)):
        write_list(book, Listing(name, name, note, columns, rows, only))
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
    columns = [Column("Month", 12), Column("Documents", 12, figures=True)]
    rows: list[list[Value]] = [
        [Link(f"registers/{month}.xlsx", month), earlier[month]]
        for month in sorted(earlier, reverse=True)
    ]
    write_list(book, Listing(name, name, note, columns, rows))


def signed(kind: str, amount: Decimal) -> Decimal:
    """An amount as it counts in a sum: what a credit note gives back is negative."""
    return -abs(amount) if kind == "credit_note" else amount


def _age(entry: Entry) -> tuple[date, str, int, str]:
    """What newest is: the day of issue, then the number within its series."""
    series = "" if entry.kind == "credit_note" else "invoice"
    return entry.issued_on, series, len(entry.number), entry.number


def _columns(unit: str) -> list[Column]:
    return [
        Column("Number", 15),
        Column("Kind", 13),
        Column("Status", 11),
        Column("Active", 9),
        Column("Membership", 14),
        Column("Issued", 13),
        Column("Due", 13),
        Column("Patient ID", 13),
        Column("Patient", 24),
        Column("Bill to", 15),
        Column("Addressed to", 28),
        Column(f"Net ({unit})", 14, total=True),
        Column(f"Tax ({unit})", 12, total=True),
        Column(f"Gross ({unit})", 14, total=True),
        Column(f"Credits ({unit})", 14, total=True),
        Column("Sent on", 13),
        Column("Sent to", 26),
        Column("Days unsent", 10, figures=True),
        Column("Run", 22),
    ]


def _cells(entry: Entry, as_of: date, row: int) -> list[Value]:
    is_unsent = entry.status == "unsent"
    return [
        Link(entry.path, entry.number) if row < MAX_LINKS else entry.number,
        KINDS[entry.kind],
        entry.status.capitalize(),
        "Yes" if entry.active else "No",
        "Yes" if entry.membership else "No",
        entry.issued_on,
        entry.due_on,
        entry.patient_id,
        entry.patient_name,
        entry.bill_to,
        entry.bill_to_name,
        signed(entry.kind, entry.net),
        signed(entry.kind, entry.tax),
        signed(entry.kind, entry.gross),
        entry.credits,
        entry.sent_on,
        entry.sent_to,
        age(entry, as_of) if is_unsent else None,
        entry.run_id,
    ]
