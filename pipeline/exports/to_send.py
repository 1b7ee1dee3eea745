"""The sheet `To send` of the Invoices page: what waits to be sent, the oldest first."""

from collections.abc import Mapping, Sequence
from datetime import date

from pipeline.bookkeeping.books import Entry
from pipeline.bookkeeping.unsent import Limits, age
from pipeline.exports.lists import FIRST_ROW, Column, Listing, write_list
from pipeline.exports.words import signed
from pipeline.exports.workbook import ALERT, MAX_LINKS, Book, Link, Value

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
        " workbook unless it was moved. Once it is sent, add a row to the sent log. What"
        " is open takes a credit off its invoice until the invoice is sent."
    )
    columns = [
        Column("Number", 15, linked(waiting)),
        Column("Late", 27, [_late(entry, as_of, limits) for entry in waiting]),
        Column("Days unsent", 10, [age(entry, as_of) for entry in waiting], figures=True),
        Column("Issued", 13, [entry.issued_on for entry in waiting]),
        Column("Patient ID", 12, [entry.patient_id for entry in waiting]),
        Column("Bill to", 15, [entry.bill_to for entry in waiting]),
        Column("Addressed to", 28, [entry.bill_to_name for entry in waiting]),
        Column("E-mail address", 32, [
            emails.get(entry.number, "") for entry in waiting
        ]),
        Column("Subject", 56, [
            f"{KINDS[entry.kind]} {entry.number} from {practice_name}"
            for entry in waiting
        ]),
        Column(f"Gross ({unit})", 14, list(map(signed, waiting)), figures=True),
        Column(f"Open ({unit})", 14, [entry.open for entry in waiting], total=True),
    ]  # fmt: skip
    listing = Listing(NAME, NAME, note, columns)
    place = listing.position("Late")
    for sheet, part in write_list(book, listing):
        is_late = {"type": "no_blanks", "format": book.workbook.add_format(LATE)}
        if waiting:
            sheet.conditional_format(FIRST_ROW, place, part.last_row, place, is_late)


def linked(entries: Sequence[Entry]) -> list[Value]:
    """Their numbers, each opening its workbook, as far as a sheet takes links."""
    return [
        Link(entry.path, entry.number) if row < MAX_LINKS else entry.number
        for row, entry in enumerate(entries)
    ]


LATE = {"bold": True, "font_color": ALERT}


def _late(entry: Entry, as_of: date, limits: Limits) -> str:
    """What its age means, in words; nothing while it is young."""
    days = limits.late(age(entry, as_of))
    return f"Unsent for {days} days or more" if days else ""
