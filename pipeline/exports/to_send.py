"""The sheet `To send` of the Invoices page: what waits to be sent, the oldest first."""

from collections.abc import Mapping, Sequence
from datetime import date

from pipeline.books import Entry
from pipeline.exports.lists import FIRST_ROW, Column, Listing, write_list
from pipeline.exports.words import signed
from pipeline.exports.workbook import ALERT, MAX_LINKS, Book, Link, Value
from pipeline.unsent import Limits, age

NAME = "To send"
KINDS = {"invoice": "Invoice", "credit_note": "Credit note"}


def write_to_send(
    book: Book,
    entries: Sequence[Entry],
    *,
    practice_name: str,
    as_of: date,
    unit: str,
    emails: Mapping[str, str],
    limits: Limits,
) -> None:
    """Add the sheet: one row per unsent document, ready to be copied into a message."""
    waiting = [entry for entry in entries if entry.status == "unsent"]
    waiting.sort(key=lambda entry: (entry.issued_on, entry.kind != "invoice"))
    note = (
        f"{practice_name}, as of {as_of:%d %b %Y}. The oldest first; a number opens the"
        " workbook unless it was moved. Once it is sent, add a row to the sent log."
    )
    rows: list[list[Value]] = [
        [
            Link(entry.path, entry.number) if row < MAX_LINKS else entry.number,
            _late(entry, as_of, limits),
            age(entry, as_of),
            entry.issued_on,
            entry.patient_id,
            entry.bill_to,
            entry.bill_to_name,
            emails.get(entry.number, ""),
            f"{KINDS[entry.kind]} {entry.number} from {practice_name}",
            signed(entry),
        ]
        for row, entry in enumerate(waiting)
    ]
    listing = Listing(NAME, NAME, note, _columns(unit), rows)
    place = listing.position("Late")
    for sheet, part in write_list(book, listing):
        is_late = {"type": "no_blanks", "format": book.workbook.add_format(LATE)}
        if rows:
            sheet.conditional_format(FIRST_ROW, place, part.last_row, place, is_late)


LATE = {"bold": True, "font_color": ALERT}


def _late(entry: Entry, as_of: date, limits: Limits) -> str:
    """What its age means, in words; nothing while it is young."""
    days = limits.late(age(entry, as_of))
    return f"Unsent for {days} days or more" if days else ""


def _columns(unit: str) -> list[Column]:
    return [
        Column("Number", 15),
        Column("Late", 27),
        Column("Days unsent", 10, figures=True),
        Column("Issued", 13),
        Column("Patient ID", 12),
        Column("Bill to", 15),
        Column("Addressed to", 28),
        Column("E-mail address", 32),
        Column("Subject", 56),
        Column(f"Gross ({unit})", 14, total=True),
    ]
