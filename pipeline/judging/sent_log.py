"""Rows of the sent log that cannot be right, each told at its cell."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from pipeline.cells.spelling import show
from pipeline.judging.meant import meant, number_meant, users
from pipeline.ledger import Ledger
from pipeline.problems import Problem, Severity

if TYPE_CHECKING:
    from pipeline.workbooks import Sheet

# One row per invoice that is credited in full: since when, and by which note.
CREDITED = (
    "select invoices.number, max(notes.issued_on) as credited_on,"
    " max_by(notes.number, notes.sequence) as credited_by"
    " from ledger.invoices as invoices"
    " inner join ledger.invoices as notes on notes.credits_number = invoices.number"
    " where notes.kind = 'credit_note'"
    " group by invoices.number, invoices.gross"
    " having -sum(notes.gross) >= invoices.gross"
)

# Rows of the sent log with the document each names, if there is one.
_NAMED = (
    "select sent.*, invoices.number, invoices.issued_on, invoices.run_no,"
    " credited.credited_on, credited.credited_by"
    " from input.sent as sent"
    " left join ledger.invoices as invoices"
    "  on upper(sent.invoice_number) = upper(invoices.number)"
    f" left join ({CREDITED}) as credited on credited.number = invoices.number"
    " where not sent.held"
)

# A sending that happened: of what there was on that day, and on a day that has come.
HAPPENED = (
    f"select named.* from ({_NAMED}) as named cross join input.run as run"
    " where number is not null and sent_on between issued_on and run.as_of"
    " and coalesce(sent_on <= credited_on, true)"
)


_EXPECTED = {
    "invoice_number": "the number of an invoice",
    "sent_on": "the day it was sent, not before it was made",
    "sent_by": "a user name of the sheet Staff",
}


def sendings(ledger: Ledger, sheets: dict[str, "Sheet"], as_of: date) -> list[Problem]:
    """Sendings of what was not there to be sent, on a day to come, or by a stranger."""
    rows = ledger.rows(
        "select named.*, number is null as unknown, sent_on < issued_on as early,"
        " sent_on > ? as ahead, sent_on >= credited_on as late,"
        " sent_by is not null and staff.row_key is null as stranger"
        f" from ({_NAMED}) as named"
        " left join staged.judging_staff as staff on canonical(sent_by) = staff.row_key"
        " where unknown or early or ahead or late or stranger order by row_number",
        [as_of],
    )
    return [_problem(ledger, row, sheets["sent"]) for row in rows]


def _problem(ledger: Ledger, row: dict[str, Any], sheet: "Sheet") -> Problem:
    field, code, found, repair = _told(ledger, row)
    return Problem(
        Severity.CHECK,
        f"sending-{code}",
        sheet.place(row["row_number"], field),
        found,
        _EXPECTED[field],
        repair,
        subject=row["invoice_number"],
    )


def _told(ledger: Ledger, row: dict[str, Any]) -> tuple[str, str, str, str]:
    """The field at fault, the problem's code, what was found and how to repair it."""
    named, day = row["invoice_number"], show(row["sent_on"])
    if row["unknown"]:
        found = f"no invoice {named} has been made"
        repair = f"write the number as it stands on the invoice{_hint(ledger, named)}"
        return "invoice_number", "invoice-number", found, repair
    if row["early"]:
        found = (
            f"{day} is before {named} was made, {show(row['issued_on'])}, so it does"
            " not count as sent"
        )
        return "sent_on", "sent-on", found, "write the day it was sent"
    if row["ahead"]:
        found = f"{day} lies ahead, so {named} does not count as sent yet"
        return "sent_on", "ahead", found, "write the day it was sent"
    if row["late"]:
        found = (
            f"{named} was credited in full on {show(row['credited_on'])}, so it was"
            f" not there to be sent on {day}"
        )
        if row["sent_on"] == row["credited_on"]:
            found = f"{named} was credited in full the same day; it counts as sent"
        repair = f"correct the number or the day; or send {row['credited_by']} instead"
        return "invoice_number", "credited", found, repair
    found = f"{row['sent_by']} is not a user of the Staff sheet"
    hint = meant(row["sent_by"], users(ledger))
    repair = f"write the user name of the person who sent it{hint}"
    return "sent_by", "sent-by", found, repair


def _hint(ledger: Ledger, named: str) -> str:
    near = number_meant(ledger, named)
    return f"; did you mean {near}?" if near else ""


def not_there(
    ledger: Ledger, documents: Sequence[dict[str, Any]], day: date
) -> str | None:
    """Why a document cannot have been sent on a day, in words; None where all can."""
    credited = {row["number"]: row for row in ledger.rows(CREDITED)}
    for document in documents:
        number, issued_on = document["number"], document["issued_on"]
        if day < issued_on:
            return f"{day} is before {number} was made, {issued_on}"
        note = credited.get(number)
        if note and day > note["credited_on"]:
            return (
                f"{number} was credited in full on {note['credited_on']};"
                f" send {note['credited_by']} instead"
            )
    return None
