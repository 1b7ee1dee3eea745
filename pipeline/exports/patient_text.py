"""A patient's file as lines for the terminal: ids, days and amounts, nobody's name."""

from collections.abc import Iterator

from pipeline.cells.spelling import show
from pipeline.exports.exact_text import legible
from pipeline.exports.words import BUCKET_WORDS, counted, money, reason
from pipeline.office.patient_file import PatientFile, Row


def told(file: PatientFile) -> Iterator[str]:
    """The whole file, a fact to a line."""
    yield f"Patient {file.patient_id}, as of {show(file.as_of)}"
    for label, said in facts(file):
        yield f"  {label}: {said}"
    yield f"  {counted(len(file.periods), 'period')} billed"
    for row in file.periods:
        yield (
            f"    {show(row['period_start'])} to {show(row['period_end'])}:"
            f" {row['product_code']}, {money(row['gross'], file.currency)}, on"
            f" {row['number']}, {row['status']}"
        )
    if file.others:
        yield f"  {counted(len(file.others), 'other thing')} billed"
    for row in file.others:
        yield (
            f"    {row['quantity']} x {row['product_code']}:"
            f" {money(row['gross'], file.currency)}, on {row['number']}, {row['status']}"
        )
    yield f"  {counted(len(file.documents), 'document')}"
    yield from _documents(file)
    for row in file.problems:
        yield f"  {row['severity']}: {place(row)}: {_found(row)}"
    for request in file.waiting:
        yield f"  {waiting(request)}"
    for change in file.changes:
        said = f", {change.old} to {change.new}" if change.new else ""
        by = f", by {change.edited_by}" if change.edited_by else ""
        yield f"  changed {show(change.as_of)}: {change.column}{said}{by}"


def facts(file: PatientFile) -> list[tuple[str, str]]:
    """What the membership is now, where it stands and what comes next."""
    row, standing = file.row, file.standing
    found = [("Membership", _membership(row, standing))]
    if row and row["membership"]:
        found.append(("Dates", _dates(row)))
        found.append(("Billed to", row["bill_to"] or "the patient"))
    if standing:
        said = BUCKET_WORDS[standing["bucket"]]
        if standing["reason"]:
            said += f": {reason(standing['reason'])}"
        if standing["held_amount"] is not None:
            held = money(standing["held_amount"], file.currency)
            said += f" It holds back {held}."
        found.append(("Stands at", said))
    if file.due:
        is_held = bool(standing and standing["bucket"] == "held")
        # What is held back in all stands above, where it can be known.
        price = "" if is_held else ", its price is not known"
        if file.due.gross is not None:
            price = (
                f", {money(file.due.gross, file.currency)} ({file.due.price_source})"
            )
        label = "First held period" if is_held else "Next due"
        found.append((label, f"{show(file.due.day)}{price}"))
    return found


def _membership(row: Row | None, standing: Row | None) -> str:
    if row is None and standing:
        return "its row was never accepted"
    if row is None:
        return "no longer in the sheet"
    if not row["membership"]:
        return "none"
    active = "active" if row["membership_active"] else "switched off"
    return ", ".join(
        filter(None, (row["membership"], row["billing_frequency"], active))
    )


def _dates(row: Row) -> str:
    said = f"from {show(row['start_date'])}" if row["start_date"] else "no Start date"
    if row["end_date"]:
        said += f" to {show(row['end_date'])}"
    if row["bill_from"]:
        said += f", billed from {show(row['bill_from'])}"
    return said


def _documents(file: PatientFile) -> Iterator[str]:
    for entry in file.documents:
        yield (
            f"    {entry.number}: {show(entry.issued_on)},"
            f" {money(entry.gross, file.currency)}, {entry.status}"
        )
        for row in file.sendings:
            if row["number"] == entry.number:
                how = f" ({legible(row['how'])})" if row["how"] else ""
                by = row["sent_by"] or "somebody"
                yield f"      sent {show(row['sent_on'])} by {by}{how}"
        for row in file.credits:
            if row["number"] == entry.number:
                yield f"      takes back {row['credits_number']}"


def place(row: Row) -> str:
    """Where a problem is: file, sheet, cell."""
    cell = f"!{row['cell']}" if row["cell"] else ""
    return f"{row['file']} {row['sheet']}{cell}"


def _found(row: Row) -> str:
    if row["personal"]:
        return f"{row['column_title']}, see issues.xlsx"
    return f"{row['found']}; {row['repair']}"


def waiting(request: Row) -> str:
    """A request by hand that is held, in words."""
    product = request["product_code"] or "a product"
    name = f"request {request['request_id']}, " if request.get("request_id") else ""
    return f"Not billed: {name}{product} by hand: {reason(request['reason'])}"
