"""Where a month left off: what nobody had sent, and every member explained once."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache

from pipeline.bookkeeping.books import Month
from pipeline.bookkeeping.deferred import last_of
from pipeline.exports.invoice_list import KINDS
from pipeline.exports.lists import Column, Listing
from pipeline.exports.words import REASON_WORDS, capital
from pipeline.exports.workbook import Value

# Days unsent up to and with, and the heading; what is older stands in the last.
BANDS = ((14, "0 to 14 days"), (30, "15 to 30 days"), (60, "31 to 60 days"))
OLDEST = "Over 60 days"

STANDINGS = {
    "billed": "Billed",
    "already_billed": "Billed",
    "not_yet_due": "Starts later",
    "ended": "Ended",
    "auto_invoice_off": "Switched off",
    "before_bill_from": "Before Bill from",
    "held": "Held",
}


def unsent_sheet(month: Month, title: str, unit: str) -> Listing:
    """What was unsent on the register's day, by the days since its issue."""
    waiting = month.unsent
    bands = [_band(each.days) for each in waiting]
    columns = [
        Column("Number", 15, [each.number for each in waiting]),
        Column("Kind", 13, [KINDS[each.kind] for each in waiting]),
        Column("Issued", 13, [each.issued_on for each in waiting]),
        Column("Due", 13, [each.due_on for each in waiting]),
        Column("Patient ID", 13, [each.patient_id for each in waiting]),
        Column("Bill to", 13, [each.bill_to for each in waiting]),
        Column("Days unsent", 10, [each.days for each in waiting], figures=True),
        Column(f"Open ({unit})", 14, [each.open for each in waiting], total=True),
        *(
            Column(
                f"{name} ({unit})",
                17,
                [each.open if band == name else None
                 for each, band in zip(waiting, bands, strict=True)],
                total=True,
            )
            for name in (*(name for _, name in BANDS), OLDEST)
        ),
    ]  # fmt: skip
    day = month.as_of or last_of(month.month)
    note = (
        f"{month.practice_name}, as of {day:%d %b %Y}, whichever month they were"
        " issued in. Gross less what is credited: a credit note has an amount of its own"
        " where its invoice was sent. Payments are not kept here."
    )
    return Listing("Unsent", f"{title}: not sent", note, columns)


def _band(days: int) -> str:
    return next((name for most, name in BANDS if days <= most), OLDEST)


def members_sheet(month: Month, title: str, unit: str) -> Listing:
    """Each membership once, and in a last row what is on invoices besides them."""
    members, nothing = month.members, Decimal("0.00")
    expected = [each.invoiced + each.held for each in members]
    columns = [
        Column("Patient ID", 14, [each.patient_id for each in members]),
        Column("Product", 14, [each.product_code for each in members]),
        Column("Frequency", 12, [each.frequency for each in members]),
        Column("Standing", 17, [
            STANDINGS.get(each.bucket, each.bucket) for each in members
        ]),
        Column("Why", 42, [
            _why(each.bucket, each.reason, each.next_due, each.end_date, bool(each.invoiced))
            for each in members
        ]),
        Column("Periods due", 10, [each.due for each in members], figures=True),
        Column("Billed before", 10, [each.before for each in members], figures=True),
        Column("Billed this month", 11, [each.during for each in members], figures=True),
        Column("Waiting", 10, [each.waiting for each in members], figures=True),
        Column("Missing", 10, [each.missing for each in members], figures=True),
        Column(f"Expected ({unit})", 13, expected, total=True),
        Column(f"Invoiced ({unit})", 13, [each.invoiced for each in members], total=True),
        Column(f"Held ({unit})", 12, [each.held for each in members], total=True),
    ]  # fmt: skip
    if month.others:
        others: list[Value] = [
            "Others", "", "", "", "Products on request, and members who left the roster",
            None, None, None, None, None, month.others, month.others, nothing,
        ]  # fmt: skip
        columns = [
            replace(column, values=[*column.values, value])
            for column, value in zip(columns, others, strict=True)
        ]
    note = (
        f"{month.practice_name}, as of the month's last night. Amounts are gross."
        " Periods due are counted by the calendar of the row, apart from the billing."
    )
    return Listing("Members", f"{title}: members", note, columns)


@lru_cache(maxsize=10_000)  # a roster says the same few things again and again
def _why(
    bucket: str, reason: str, next_due: date | None, end: date | None, invoiced: bool
) -> str:
    """Why a member was invoiced what the row says, in a few words."""
    ahead = f"{next_due:%d %b %Y}" if next_due else ""
    match bucket:
        case "held":
            return capital(REASON_WORDS.get(reason, reason))
        case "not_yet_due":
            return f"Starts on {ahead}" if ahead else "Starts on a later day"
        case "auto_invoice_off":
            return "Automatic invoicing is switched off"
        case "before_bill_from":
            return f"Nothing is billed before {ahead}" if ahead else "Before Bill from"
        case "ended":
            until = f" on {end:%d %b %Y}" if end else ""
            return f"Ended{until}{'; invoiced' if invoiced else ''}"
    if invoiced:
        return f"Invoiced; next due {ahead}" if ahead else "Invoiced; no period follows"
    return f"Nothing due until {ahead}" if ahead else "Nothing due any more"
