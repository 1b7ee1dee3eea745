"""Where a month left off: what nobody had sent, and every member explained once."""

from collections.abc import Sequence
from decimal import Decimal

from pipeline.books import Member, Month, Unsent
from pipeline.deferred import last_of
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
    bands = [*(name for _, name in BANDS), OLDEST]
    columns = [
        Column("Number", 15),
        Column("Kind", 13),
        Column("Issued", 13),
        Column("Due", 13),
        Column("Patient ID", 13),
        Column("Bill to", 13),
        Column("Days unsent", 10, figures=True),
        Column(f"Open ({unit})", 14, total=True),
        *(Column(f"{band} ({unit})", 17, total=True) for band in bands),
    ]
    day = month.as_of or last_of(month.month)
    note = (
        f"{month.practice_name}, as of {day:%d %b %Y}, whichever month they were"
        " issued in. Gross less what is credited: a credit note has an amount of its own"
        " where its invoice was sent. Payments are not kept here."
    )
    rows = [_unsent(each) for each in month.unsent]
    return Listing("Unsent", f"{title}: not sent", note, columns, rows)


def _unsent(each: Unsent) -> list[Value]:
    band = next(
        (at for at, (most, _) in enumerate(BANDS) if each.days <= most), len(BANDS)
    )
    by_age: list[Value] = [None] * (len(BANDS) + 1)
    by_age[band] = each.open
    return [
        each.number, KINDS[each.kind], each.issued_on, each.due_on, each.patient_id,
        each.bill_to, each.days, each.open, *by_age,
    ]  # fmt: skip


def members_sheet(month: Month, title: str, unit: str) -> Listing:
    """Each membership once, and in a last row what is on invoices besides them."""
    columns = [
        Column("Patient ID", 14),
        Column("Product", 14),
        Column("Frequency", 12),
        Column("Standing", 17),
        Column("Why", 42),
        Column("Periods due", 10, figures=True),
        Column("Billed before", 10, figures=True),
        Column("Billed this month", 11, figures=True),
        Column("Waiting", 10, figures=True),
        Column("Missing", 10, figures=True),
        Column(f"Expected ({unit})", 13, total=True),
        Column(f"Invoiced ({unit})", 13, total=True),
        Column(f"Held ({unit})", 12, total=True),
    ]
    note = (
        f"{month.practice_name}, as of the month's last night. Amounts are gross."
        " Periods due are counted by the calendar of the row, apart from the billing."
    )
    rows = [_member(each) for each in month.members]
    rows += _others(month.others)
    return Listing("Members", f"{title}: members", note, columns, rows)


def _member(each: Member) -> list[Value]:
    return [
        each.patient_id, each.product_code, each.frequency,
        STANDINGS.get(each.bucket, each.bucket), _why(each), each.due, each.before,
        each.during, each.waiting, each.missing, each.invoiced + each.held,
        each.invoiced, each.held,
    ]  # fmt: skip


def _why(each: Member) -> str:
    """Why a member was invoiced what the row says, in a few words."""
    ahead = f"{each.next_due:%d %b %Y}" if each.next_due else ""
    match each.bucket:
        case "held":
            return capital(REASON_WORDS.get(each.reason, each.reason))
        case "not_yet_due":
            return f"Starts on {ahead}" if ahead else "Starts on a later day"
        case "auto_invoice_off":
            return "Automatic invoicing is switched off"
        case "before_bill_from":
            return f"Nothing is billed before {ahead}" if ahead else "Before Bill from"
        case "ended":
            until = f" on {each.end_date:%d %b %Y}" if each.end_date else ""
            return f"Ended{until}{'; invoiced' if each.invoiced else ''}"
    if each.invoiced:
        return f"Invoiced; next due {ahead}" if ahead else "Invoiced; no period follows"
    return f"Nothing due until {ahead}" if ahead else "Nothing due any more"


def _others(amount: Decimal) -> Sequence[list[Value]]:
    if not amount:
        return []
    nothing = Decimal("0.00")
    why = "Products on request, and members who left the roster"
    return [[
        "Others", "", "", "", why, None, None, None, None, None, amount, amount, nothing
    ]]  # fmt: skip
