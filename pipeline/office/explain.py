"""Why an invoice was made, and why a patient was or was not billed: from the ledger alone."""

import json
from decimal import Decimal
from typing import Any

from pipeline.bookkeeping.accounts import entries, last_night
from pipeline.bookkeeping.books import Entry
from pipeline.cells.spelling import canonical, show
from pipeline.exports.words import BUCKET_WORDS, counted, money, reason
from pipeline.judging.meant import meant, number_meant, patients
from pipeline.ledger import STANDINGS, Ledger, current
from pipeline.problems import WrongUsage


def explain(ledger: Ledger, name: str) -> str:
    """The story of an invoice number or a Patient ID; raises `WrongUsage` for neither."""
    found = entries(ledger, "upper(number) = upper(?)", [name])
    if found:
        return "\n".join(_document(ledger, found[0]))
    lines = _patient(ledger, name)
    if not lines:
        number = number_meant(ledger, name)
        hint = meant(name, patients(ledger)) or (
            f"; did you mean {number}?" if number else ""
        )
        raise WrongUsage(
            f"{show(name)} is neither an invoice number nor a Patient ID here{hint}"
        )
    return "\n".join(lines)


def _document(ledger: Ledger, entry: Entry) -> list[str]:
    kind = "Credit note" if entry.kind == "credit_note" else "Invoice"
    run = ledger.rows("select * from ledger.runs where run_id = ?", [entry.run_id])[0]
    out = [
        f"{kind} {entry.number}: {money(entry.gross, entry.currency)}, {entry.status}",
        f"  issued {show(entry.issued_on)}, due {show(entry.due_on)}",
        f"  addressed to {entry.bill_to or entry.patient_id}"
        + (" (a contact)" if entry.bill_to else " (the patient)"),
        f"  made by run {run['run_id']} ({run['command']}, as of"
        f" {show(run['as_of'])}, version {run['version']})",
    ]
    for row in ledger.rows(
        "select * from ledger.lines where number = ? order by line", [entry.number]
    ):
        out += _line(row, entry)
    return out + _afterwards(ledger, entry)


def _line(row: dict[str, Any], entry: Entry) -> list[str]:
    what = (
        f"  line {row['line']}: {row['product_code']} for patient {row['patient_id']}"
    )
    if row["period_start"]:
        what += f", {show(row['period_start'])} to {show(row['period_end'])}"
    why = (
        f"{row['frequency']} membership: the period began on"
        f" {show(row['period_start'])} and had not been billed"
    )
    price = (
        f"{row['quantity']} x {money(row['unit_price'], entry.currency)} from"
        f" {row['price_source']}"
    )
    if row["request_id"]:
        why = f"asked for by hand, request {row['request_id']}"
    if row["credits_line"]:
        why = f"takes back line {row['credits_line']} of the invoice, or a part of it"
        price = f"that line's, which is from {row['price_source']}"
    return [
        what,
        f"    why: {why}",
        f"    price: {price}",
        f"    tax: {row['tax_code']} at {row['tax_rate']} %: net {row['net']},"
        f" tax {row['tax']}, gross {row['gross']}",
    ]


def _afterwards(ledger: Ledger, entry: Entry) -> list[str]:
    """Sendings, and what it credits or is credited by."""
    out = [
        f"  sent {show(row['sent_on'])} by {row['sent_by'] or 'somebody'}"
        f" ({row['how'] or 'no way given'}), from the {row['source']}"
        for row in ledger.rows(
            "select * from ledger.sendings where number = ? order by sending_no",
            [entry.number],
        )
    ]
    for row in ledger.rows(
        "select number, credits_number, reason from ledger.invoices"
        " where kind = 'credit_note' and (number = ? or credits_number = ?)",
        [entry.number, entry.number],
    ):
        out.append(
            f"  {row['number']} takes back {row['credits_number']}: {row['reason']}"
        )
    return out + _once_more(ledger, entry)


def _once_more(ledger: Ledger, entry: Entry) -> list[str]:
    """What this document bills in place of, frees to be billed again, or gave way to."""
    out = [
        f"  line {row['line']} is billed in place of {row['replaces_number']} line"
        f" {row['replaces_line']}, which was credited"
        for row in ledger.rows(
            "select * from ledger.lines where number = ? and replaces_number is not null"
            " order by line",
            [entry.number],
        )
    ]
    for row in ledger.rows(
        "select notes.credits_number as number, lines.credits_line as line,"
        " lines.number as note, list(again.number || ' line ' || again.line"
        "  order by again.number, again.line) filter (again.number is not null) as again"
        " from ledger.lines as lines inner join ledger.invoices as notes using (number)"
        " left join ledger.lines as again on again.replaces_number = notes.credits_number"
        "  and again.replaces_line = lines.credits_line"
        " where lines.rebill and $1 in (lines.number, notes.credits_number)"
        " group by all order by note, line",
        [entry.number],
    ):
        again = f"was, on {', '.join(row['again'])}" if row["again"] else "is not yet"
        out.append(
            f"  {row['note']} freed line {row['line']} of {row['number']} to be billed"
            f" again; it {again}"
        )
    return out


def _patient(ledger: Ledger, name: str) -> list[str]:
    standings = ledger.rows(
        f"select * from ({STANDINGS}) where canonical(patient_id) = canonical(?)",
        [name],
    )
    numbers = entries(
        ledger,
        "number in (select number from ledger.lines"
        " where canonical(patient_id) = canonical(?))",
        [name],
    )
    known = current("ledger.accepted.patients", "row_key")
    is_patient = ledger.value(
        f"select count(*) from ({known}) where row_key = ?", [canonical(name)]
    )
    if not standings and not numbers and not is_patient:
        return []
    out = [f"Patient {name}"]
    for row in standings:
        out += _standing(ledger, row)
    if not standings:
        out.append("  names no membership in the last accepted sheet")
    out += _problems(ledger, name)
    out += _requests(ledger, name)
    out.append(f"  {counted(len(numbers), 'document')}{':' if numbers else ''}")
    for entry in numbers:
        out.append(
            f"    {entry.number} {entry.issued_on} {money(entry.gross)} {entry.status}"
        )
    out += [
        f"    billed {show(row['period_start'])} to {show(row['period_end'])}"
        f" on {row['number']}"
        + (
            f", freed to be billed again by {row['freed_by']}"
            if row["freed_by"]
            else ""
        )
        for row in ledger.rows(
            "select billed.*, freed.number as freed_by"
            " from ledger.billed_periods as billed"
            " left join ledger.released_periods as freed"
            "  using (patient_key, period_start, generation)"
            " where patient_key = ? order by period_start, generation",
            [canonical(name)],
        )
    ]
    return out


def _requests(ledger: Ledger, name: str) -> list[str]:
    """The patient's requests that the last night held."""
    night = last_night(ledger)
    report = json.loads(night["report"]) if night else {"held": []}
    return [
        f"  request {held['request_id']} ({held['product_code']}): held"
        + (f", {money(Decimal(held['amount']))}" if held["amount"] else "")
        + f"\n    why: {reason(held['reason'])}"
        for held in report["held"]
        if canonical(held["patient_id"] or "") == canonical(name)
    ]


def _standing(ledger: Ledger, row: dict[str, Any]) -> list[str]:
    last = ledger.rows(
        "select run_id, as_of from ledger.runs where command = 'bill'"
        " order by run_no desc limit 1"
    )[0]
    out = [
        f"  {row['product_code'] or 'membership'}: {BUCKET_WORDS[row['bucket']]}"
        f" (night of {show(last['as_of'])}, run {last['run_id']})"
    ]
    if row["reason"]:
        held = row["held_amount"]
        worth = f" It holds back {money(held)}." if held is not None else ""
        out.append(f"    why: {reason(row['reason'])}{worth}")
    if row["next_due"]:
        out.append(f"    next due: {show(row['next_due'])}")
    return out


_PRIVATE = "see issues.xlsx"


def _problems(ledger: Ledger, name: str) -> list[str]:
    in_force = current("ledger.problems", "fingerprint")
    return [
        f"    {row['severity']}: {row['file']} {row['sheet']}!{row['cell']}"
        f" {row['column_title']}:"
        f" {_PRIVATE if row['personal'] else row['found'] + '; ' + row['repair']}"
        for row in ledger.rows(
            f"select * from ({in_force}) where canonical(subject) = canonical(?)"
            " and sheet in ('Patients', 'Invoice requests')",
            [name],
        )
    ]
