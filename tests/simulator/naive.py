"""The second implementation of the night: periods, price, tax, numbers, buckets.

Plain Python from section 2 of the contract, one function per rule, a loop over members.
It shares nothing with the program, so that a mistake would have to be made twice.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import combinations
from typing import Any

from dateutil.relativedelta import relativedelta

from tests.simulator.naive_rights import Accepted, in_force
from tests.simulator.naive_rows import Read, Sheets, day, read_rows, rows_of, yes

PENNY = Decimal("0.01")
Values = dict[str, Any]


@dataclass(frozen=True)
class Line:
    """One line of an invoice; `start` is None for what is no membership."""

    patient_id: str
    product: str
    frequency: str
    start: date | None
    end: date | None
    quantity: int
    unit_price: Decimal
    tax_code: str
    rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    request: str = ""
    inclusive: bool = False
    takes: int = 0


@dataclass(frozen=True)
class Document:
    """An invoice or credit note as issued."""

    number: str
    kind: str
    issued_on: date
    due_on: date
    bill_to: str
    credits: str
    lines: tuple[Line, ...]

    @property
    def gross(self) -> Decimal:
        """The sum of its lines."""
        return sum((line.gross for line in self.lines), Decimal(0))


@dataclass
class Books:
    """What the practice has done so far."""

    accepted: Accepted = field(default_factory=dict)
    billed: dict[str, list[tuple[date, date]]] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    freed: dict[str, list[tuple[date, date]]] = field(default_factory=dict)
    closed: dict[str, dict[str, str]] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    nights: int = 0
    runs: int = 0
    last_as_of: date | None = None

    def copy(self) -> "Books":
        """The books as they are now; later nights leave the copy alone."""
        return replace(
            self,
            accepted={name: dict(rows) for name, rows in self.accepted.items()},
            billed={patient: list(periods) for patient, periods in self.billed.items()},
            freed={patient: list(periods) for patient, periods in self.freed.items()},
            closed=dict(self.closed),
            documents=list(self.documents),
            filled=set(self.filled),
            sent=set(self.sent),
        )

    def of(self, kind: str) -> list[Document]:
        """The documents of one series, in order of number."""
        return [document for document in self.documents if document.kind == kind]

    def first_open(self) -> date:
        """The first day that is in no closed month."""
        if not self.closed:
            return date.min
        return date.fromisoformat(f"{max(self.closed)}-01") + relativedelta(months=1)

    def credited(self, number: str, line: int) -> Decimal:
        """What was taken back of a line so far."""
        return -sum(
            (
                taken.gross
                for note in self.documents
                for taken in note.lines
                if note.credits == number and taken.takes == line
            ),
            Decimal(0),
        )

    def state(self, document: Document) -> str:
        """A document's state as the register has it."""
        if document.kind == "invoice":
            notes = [one for one in self.documents if one.credits == document.number]
            if notes and -sum(one.gross for one in notes) >= document.gross:
                return "Credited"
        return "Sent" if document.number in self.sent else "Unsent"


@dataclass(frozen=True)
class Night:
    """What one night should come to; `without` are patients who have no membership."""

    made: list[Document]
    buckets: Counter[str]
    held: dict[str, str]
    changes: set[tuple[str, str, bool]]
    exit_code: int
    first_unbilled: dict[str, date]
    without: int


@dataclass(frozen=True)
class Item:
    """What would go on one line: a period of a membership or a request."""

    patient: Values
    product: str
    frequency: str
    bill_to: str | None
    day: date
    end: date | None
    quantity: int
    request: str | None


class Held(Exception):
    """Why something that is due is not billed."""


# Rule 1.
def period(start: date, step: int, number: int) -> tuple[date, date]:
    """First and last day of a period, counted from the start date."""
    first = start + relativedelta(months=step * number)
    return first, start + relativedelta(months=step * (number + 1), days=-1)


# Rule 2.
def due_periods(member: Values, practice: Values, as_of: date, step: int) -> list:
    """The periods that are due by a day, oldest first, billed or not."""
    bill_from = member["Bill from"] or practice["Bill from"]
    found = []
    number = 0
    while (here := period(member["Start date"], step, number))[0] <= as_of:
        number += 1
        first, last = here
        end = member["End date"]
        if end is not None and first > end:
            break
        if first >= bill_from:
            found.append((first, min(last, end) if end else last))
    return found


@dataclass(frozen=True)
class World:
    """Tonight's rows in force and the practice's settings."""

    rows: dict[str, list[Read]]
    practice: Values
    as_of: date
    latest: date

    def row(self, sheet: str, *key: str) -> Read | None:
        """One row by its key."""
        return rows_of(self.rows[sheet]).get(key)


DEFAULTS = {
    "VAT registered": "No", "Catch-up days": "60", "Payment terms (days)": "14",
    "Invoice prefix": "INV-", "Credit note prefix": "CRN-", "Prices include tax": "No",
    "First invoice number": "1", "Max invoice amount": "10000", "Max days ahead": "14",
}  # fmt: skip


def practice_of(rows: list[Read]) -> Values:
    """The settings in force, defaults filled in."""
    texts = {**DEFAULTS, **{r.values["Setting"]: r.values["Value"] for r in rows}}
    known: Values = dict(texts)
    for title in ("Catch-up days", "Payment terms (days)", "First invoice number"):
        known[title] = int(texts[title])
    for title in ("Auto invoice", "VAT registered", "Prices include tax"):
        known[title] = yes(texts[title])
    known["Bill from"] = day(texts["Bill from"])
    known["Max days ahead"] = int(texts["Max days ahead"])
    known["Max invoice amount"] = Decimal(texts["Max invoice amount"])
    return known


def product_of(world: World, code: str) -> Values:
    """A product that may be sold tonight, or why not (rule 12)."""
    product = world.row("products", code)
    if product is None:
        raise Held("unknown product")
    if product.held or world.row("tax_codes", product.values["Tax code"]) is None:
        raise Held("product held")
    tax = world.row("tax_codes", product.values["Tax code"])
    if tax is None or tax.held:
        raise Held("tax code held")
    return product.values


def only_frequency(world: World, code: str) -> str | None:
    """What a blank Billing frequency means: the one frequency a product offers."""
    product = world.row("products", code)
    offered = [
        name
        for name in ("Monthly", "Annual")
        if product is not None and product.values[f"{name} price"] is not None
    ]
    return offered[0] if len(offered) == 1 else None


def payer_of(world: World, bill_to: str | None) -> Values | None:
    """The contact who pays; None for the patient (rule 8)."""
    if bill_to is None:
        return None
    contact = world.row("contacts", bill_to)
    if contact is None or contact.held:
        raise Held("payer held")
    if contact.values["Active"] is False:
        raise Held("payer inactive")
    return contact.values


# Rule 6.
def price_of(world: World, item: Item) -> Decimal:
    """Contract price for the payer, else latest price change, else the product's own."""
    title = {"Monthly": "Monthly price", "Annual": "Annual price"}.get(
        item.frequency, "Price"
    )
    agreed = [
        row.values[title]
        for row in world.rows["contract_prices"]
        if row.values["Contact code"] == item.bill_to
        and row.values["Product code"] == item.product
        and (row.values["Valid from"] or date.min) <= item.day
        and item.day <= (row.values["Valid to"] or date.max)
        and _usable(row, title)
        and row.values[title] is not None
    ]
    if len(agreed) > 1:
        raise Held("two contract prices")
    if agreed:
        return agreed[0]
    changes = [
        (row.values["Effective from"], row.values[title])
        for row in world.rows["price_changes"]
        if row.values["Product code"] == item.product
        and row.values["Effective from"] <= item.day
        and row.values[title] is not None
    ]
    if changes:
        return max(changes)[1]
    own = world.row("products", item.product)
    assert own is not None
    if own.values[title] is None:
        raise Held("no price")
    return own.values[title]


def _usable(row: Read, title: str) -> bool:
    """Whether a row is not held; raises Held where it might answer once it is mended."""
    other = {"Monthly price": "Annual price", "Annual price": "Monthly price"}
    there = {name for name, value in row.values.items() if value is not None}
    for_others = other.get(title) in there | row.unread
    if row.held and (title in there | row.unread or not for_others):
        raise Held("contract price held")
    return not row.held


def contract_conflicts(world: World) -> int:
    """Pairs of contract prices that answer for one day: an error, due or not."""
    found = 0
    for one, other in combinations(world.rows["contract_prices"], 2):
        if one.held or other.held or one.key[:2] != other.key[:2]:
            continue
        first = max(row.values["Valid from"] or date.min for row in (one, other))
        last = min(row.values["Valid to"] or date.max for row in (one, other))
        both = any(
            one.values[title] is not None and other.values[title] is not None
            for title in ("Monthly price", "Annual price", "Price")
        )
        found += first <= last and both
    return found


# Rule 7.
def line_of(world: World, item: Item) -> Line:
    """Price and tax of one item, half up to the penny."""
    product = product_of(world, item.product)
    unit = price_of(world, item)
    code = world.row("tax_codes", product["Tax code"])
    assert code is not None
    rate = code.values["Rate %"]
    amount = unit * item.quantity
    if world.practice["Prices include tax"]:
        tax = (amount * rate / (100 + rate)).quantize(PENNY, ROUND_HALF_UP)
        net = amount - tax
    else:
        tax = (amount * rate / 100).quantize(PENNY, ROUND_HALF_UP)
        net = amount
    return Line(
        item.patient["Patient ID"], item.product, item.frequency,
        item.day if item.frequency else None, item.end, item.quantity, unit,
        product["Tax code"], rate, net, tax, net + tax, item.request or "",
        world.practice["Prices include tax"],
    )  # fmt: skip


@dataclass
class Standing:
    """Where one membership stands tonight, and what it bills."""

    bucket: str
    items: list[tuple[Item, Line]] = field(default_factory=list)
    reason: str = ""
    first_unbilled: date | None = None


def standing(world: World, books: Books, row: Read) -> Standing:
    """Rules 2 to 6 and 13 for one row of the roster."""
    member, as_of = row.values, world.as_of
    if row.held:
        return Standing("held", reason="row")
    if not member["Membership active"]:
        return Standing("inactive")
    if not world.practice["Auto invoice"]:
        return Standing("auto_invoice_off")
    if member["Start date"] > as_of:
        return Standing("not_yet_due")
    billed = books.billed.get(member["Patient ID"], [])
    frequency = member["Billing frequency"] or only_frequency(
        world, member["Membership"]
    )
    if frequency is None:
        return Standing("held", reason="frequency")
    step = 1 if frequency == "Monthly" else 12
    due = due_periods(member, world.practice, as_of, step)
    begun = {start for start, _ in billed}
    fresh = [
        one
        for one in due
        if one[0] not in begun or _outgrown(books, member, frequency, *one)
    ]
    if not fresh:
        ended = member["End date"] is not None and member["End date"] < as_of
        rest = "already_billed" if due else "before_bill_from"
        return Standing("ended" if ended else rest)
    try:
        freed = books.freed.get(member["Patient ID"], [])
        items = _fresh_items(world, member, frequency, fresh, billed, freed)
    except Held as why:
        return Standing("held", reason=str(why), first_unbilled=fresh[0][0])
    return Standing("billed", items)


def _outgrown(
    books: Books, member: Values, frequency: str, first: date, last: date
) -> bool:
    """Billed from that day on by the month, and now by the year: not to its end."""
    billed = books.billed.get(member["Patient ID"], [])
    return any(
        line.start == first
        and line.frequency != frequency
        and line.end is not None
        and line.end < last
        and (line.start, line.end) in billed
        for document in books.of("invoice")
        for line in document.lines
        if line.patient_id == member["Patient ID"]
    )


def _fresh_items(
    world: World,
    member: Values,
    frequency: str,
    fresh: list[tuple[date, date]],
    billed: list[tuple[date, date]],
    freed: list[tuple[date, date]],
) -> list[tuple[Item, Line]]:
    product = product_of(world, member["Membership"])
    if product["Type"] != "Membership":
        raise Held("not a membership")
    if not product["Active"]:
        raise Held("product inactive")
    if product[f"{frequency} price"] is None:
        raise Held("frequency not offered")
    payer_of(world, member["Bill to"])
    oldest = world.latest - timedelta(days=world.practice["Catch-up days"])
    items = []
    for first, last in fresh:
        if any(first <= end and start <= last for start, end in billed):  # rule 5
            raise Held("overlaps")
        decided = any(start <= first <= end for start, end in freed)
        if first < oldest and member["Bill from"] is None and not decided:  # rule 4
            raise Held("too old")
        item = Item(
            member, member["Membership"], frequency, member["Bill to"], first, last,
            1, None,
        )  # fmt: skip
        items.append((item, line_of(world, item)))
    return items


def requests(
    world: World, books: Books, rows: list[Read]
) -> tuple[list[tuple[Item, Line]], dict[str, str]]:
    """What was asked for by hand and is not on an invoice yet; and what is held."""
    found, held = [], {}
    for row in rows:
        asked, key = row.values, row.key[0]
        if key in books.filled:
            continue
        if row.held:
            held[f"request {key}"] = "row"
            continue
        patient = world.row("patients", asked["Patient ID"])
        product = world.row("products", asked["Product code"])
        payer = asked["Bill to"]
        known = payer is None or world.row("contacts", payer) is not None
        if patient is None or product is None or not known:
            held[f"request {key}"] = "names what is not there"
            continue
        if not world.practice["Auto invoice"] or asked["Requested on"] > world.as_of:
            continue
        item = Item(
            patient.values, asked["Product code"], "", asked["Bill to"],
            asked["Requested on"], None, asked["Quantity"] or 1, key,
        )  # fmt: skip
        try:
            if patient.held:
                raise Held("patient held")
            if not product_of(world, item.product)["Active"]:
                raise Held("product inactive")
            payer_of(world, item.bill_to)
            found.append((item, line_of(world, item)))
        except Held as why:
            held[f"request {key}"] = str(why)
    return found, held


# Rules 8 and 9.
def documents(
    world: World, books: Books, items: list[tuple[Item, Line]]
) -> list[Document]:
    """One invoice per period, or per payer who combines; numbered without a gap."""
    together: dict[Any, list[tuple[Item, Line]]] = {}
    # Requests of one patient and day come after a period, as they stand in the sheet.
    ordered = sorted(
        items, key=lambda one: (one[0].day, one[1].patient_id, bool(one[0].request))
    )
    for at, (item, line) in enumerate(ordered):
        payer = payer_of(world, item.bill_to)
        # What was asked for by hand has an invoice of its own: it has no period.
        combined = payer and payer["Combine invoices"] and not item.request
        together.setdefault(item.bill_to if combined else at, []).append((item, line))
    before = books.of("invoice")
    issued_on = max(
        [world.as_of, books.first_open(), *(document.issued_on for document in before)]
    )
    number = world.practice["First invoice number"] + len(before)
    made = []
    # A combined invoice stands where the earliest day and lowest patient of it belong.
    groups = sorted(
        together.values(),
        key=lambda group: (
            min(item.day for item, _ in group),
            min(line.patient_id for _, line in group),
        ),
    )
    for group in groups:
        payer = payer_of(world, group[0][0].bill_to)
        terms = payer["Payment terms (days)"] if payer else None
        if terms is None:
            terms = world.practice["Payment terms (days)"]
        made.append(
            Document(
                f"{world.practice['Invoice prefix']}{number + len(made):06d}",
                "invoice",
                issued_on,
                issued_on + timedelta(days=terms),
                group[0][0].bill_to or "",
                "",
                tuple(line for _, line in group),
            )
        )
    return made


def night(before: Books, sheets: Sheets, as_of: date) -> tuple[Books, Night]:
    """The books after a night, and what the night should come to."""
    judged = in_force(sheets, before.accepted, first=not before.nights)
    # An earlier day makes nothing younger than it was on the last night.
    latest = max(as_of, before.last_as_of or as_of)
    world = World(judged.rows, practice_of(judged.rows["settings"]), as_of, latest)
    books = before.copy()
    buckets: Counter[str] = Counter()
    held: dict[str, str] = {}
    items: list[tuple[Item, Line]] = []
    first_unbilled: dict[str, date] = {}
    # Rule 13: the roster is the rows of Patients whose Membership cell is filled.
    without = 0
    for row in world.rows["patients"]:
        if row.values["Membership"] is None:
            without += 1
            continue
        found = standing(world, before, row)
        buckets[found.bucket] += 1
        items += found.items
        if found.bucket == "held":
            held[str(row.values["Patient ID"])] = found.reason
            if found.first_unbilled:
                first_unbilled[row.values["Patient ID"]] = found.first_unbilled
    asked, refused = requests(
        world,
        before,
        read_rows("invoice_requests", sheets.get("invoice_requests", [])),
    )
    held |= refused
    made = documents(world, before, items + asked)
    for _, line in items:
        books.billed.setdefault(line.patient_id, []).append((line.start, line.end))
    books.filled |= {item.request for item, _ in asked if item.request}
    _send(books, before, sheets, as_of)
    books.documents += made
    books.accepted = judged.accepted
    books.nights, books.runs = before.nights + 1, before.runs + 1
    books.last_as_of = latest
    code = 3 if held or judged.faults or contract_conflicts(world) else 0
    return books, Night(
        made, buckets, held, judged.changes, code, first_unbilled, without
    )


# Rule 10.
def _send(books: Books, before: Books, sheets: Sheets, as_of: date) -> None:
    """Rows of the sent log count for what was made before tonight and not credited."""
    issued = {document.number: document.issued_on for document in before.documents}
    for row in read_rows("sent", sheets.get("sent", [])):
        number = row.values["Invoice number"]
        if row.held or number not in issued:
            continue
        sent_on = row.values["Sent on"]
        if issued[number] <= sent_on <= min(as_of, credited_on(before, number)):
            books.sent.add(number)


def credited_on(books: Books, number: str) -> date:
    """The day an invoice was credited in full; the last day there is where it was not."""
    (document,) = [one for one in books.documents if one.number == number]
    if books.state(document) != "Credited":
        return date.max
    return max(one.issued_on for one in books.documents if one.credits == number)


class Refused(Exception):
    """A credit note that cannot be made."""


def credit(
    before: Books,
    number: str,
    on: date,
    line: int | None = None,
    amount: Decimal | None = None,
    rebill: bool = False,
) -> Books:
    """The books after a credit note for what is left, for a line, or for a part of it."""
    books = before.copy()
    (invoice,) = [one for one in before.documents if one.number == number]
    picked = [
        (at, one, before.credited(number, at))
        for at, one in enumerate(invoice.lines, start=1)
        if line in (None, at)
    ]
    if amount is not None:
        if len(picked) != 1 or (line is None and len(invoice.lines) > 1):
            raise Refused("an amount of no line")
        ((at, one, taken),) = picked
        if amount > one.gross - taken or (rebill and amount < one.gross - taken):
            raise Refused("too much, or a part to be billed again")
        parts = [(at, one, taken, amount)]
    else:
        touched = {
            part.takes for note in before.documents if note.credits == number
            for part in note.lines
        }  # fmt: skip
        parts = [
            (at, one, taken, one.gross - taken)
            for at, one, taken in picked
            if one.gross > taken or at not in touched
        ]
    if not parts:
        raise Refused("nothing is left")
    series = before.of("credit_note")
    issued_on = max(
        [on, books.first_open(), invoice.issued_on, *(n.issued_on for n in series)]
    )
    prefix = before.accepted["settings"].get(("Credit note prefix",), {"Value": "CRN-"})
    books.documents.append(
        Document(
            f"{prefix['Value']}{len(series) + 1:06d}",
            "credit_note",
            issued_on,
            issued_on,
            invoice.bill_to,
            number,
            tuple(_taken(*part) for part in parts),
        )
    )
    for _, one, _, _ in parts if rebill else []:
        if one.start is not None and one.end is not None:
            books.billed[one.patient_id].remove((one.start, one.end))
            books.freed.setdefault(one.patient_id, []).append((one.start, one.end))
        books.filled.discard(one.request)
    books.runs += 1
    return books


def _taken(at: int, line: Line, before: Decimal, amount: Decimal) -> Line:
    """A line of a credit note."""
    if amount == line.gross:
        net, tax, quantity, unit = line.net, line.tax, line.quantity, line.unit_price
    else:
        share = line.rate / (100 + line.rate)
        earlier = (before * share).quantize(PENNY, ROUND_HALF_UP)
        tax = ((before + amount) * share).quantize(PENNY, ROUND_HALF_UP) - earlier
        net, quantity = amount - tax, 1
        unit = amount if line.inclusive else net
    return replace(
        line, quantity=quantity, unit_price=unit, net=-net, tax=-tax, gross=-amount,
        takes=at,
    )  # fmt: skip


def close(before: Books, month: str) -> Books:
    """The books after a month was closed; its register stays as it is then."""
    books = before.copy()
    books.closed[month] = {
        one.number: before.state(one)
        for one in before.documents
        if f"{one.issued_on:%Y-%m}" == month
    }
    books.runs += 1
    return books
