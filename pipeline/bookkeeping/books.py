"""What the ledger says, as values the outputs are drawn from.

Everything below `out/` is made from these alone, so that it can be made again.
What a month has by the ten thousand are named tuples, made many times faster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from pipeline.problems import Problem

# What is added to the description of a line that takes back a part of another.
IN_PART = ", in part"


@dataclass(frozen=True)
class Letterhead:
    """The practice as it stood when a document was made, with its nominal accounts.

    Blank text is ''. `deferred_basis` is Months or Days.
    """

    practice_name: str
    practice_address: str = ""
    practice_email: str = ""
    practice_phone: str = ""
    company_number: str = ""
    vat_registered: bool = False
    vat_number: str = ""
    bank_details: str = ""
    invoice_footer: str = ""
    prices_include_tax: bool = False
    deferred_basis: str = "Months"
    debtors_account: str = "1100"
    vat_account: str = "2200"
    deferred_account: str = "2110"


@dataclass(frozen=True)
class Line:
    """One line of a document. Money in pounds; `period_*` is None for no membership.

    `credits_line` is the line of the invoice that a credit note's line takes back, and
    `rebill` says that it is billed again; `replaces_number` and `replaces_line` are the
    line that an invoice's line is billed in place of.
    """

    line: int
    patient_id: str
    patient_name: str
    product_code: str
    description: str
    healthcode_code: str
    income_account: str
    membership: bool
    frequency: str
    period_start: date | None
    period_end: date | None
    quantity: int
    unit_price: Decimal
    tax_code: str
    tax_name: str
    tax_rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    price_source: str
    request_id: str = ""
    credits_line: int | None = None
    rebill: bool = False
    replaces_number: str = ""
    replaces_line: int | None = None


@dataclass(frozen=True)
class Document:
    """An invoice or credit note as issued: nothing in it ever changes.

    `bill_to` is a contact's code or '' when the patient pays;
    `patient_id` and `patient_name` are '' when lines are for several patients;
    `credits_number` and `credits_issued_on` are a credit note's invoice;
    `sequence` is its place in its series, `address_cells` the address with its blanks.
    """

    number: str
    kind: str
    run_id: str
    issued_on: date
    due_on: date
    membership: bool
    patient_id: str
    patient_name: str
    bill_to: str
    bill_to_name: str
    email: str
    address: tuple[str, ...]
    accounts_reference: str
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    credits_number: str
    credits_issued_on: date | None
    reason: str
    sha256: str
    letterhead: Letterhead
    lines: tuple[Line, ...]
    sequence: int = 0
    address_cells: tuple[str, ...] = ("", "", "", "")

    @property
    def path(self) -> str:
        """Where its workbook goes, below `out/`: no name of a person in it."""
        return f"invoices/{self.issued_on:%Y/%m}/{self.number}.xlsx"

    @property
    def pdf_path(self) -> str:
        """Where its PDF goes, beside the workbook."""
        return f"invoices/{self.issued_on:%Y/%m}/{self.number}.pdf"


class Entry(NamedTuple):
    """A document as the Invoices page lists it: what was issued, and its state now.

    `status` is unsent, sent or credited; `credits` is what credit notes have taken back;
    `sent_on` and `sent_to` are those of the latest sending; `path` is below `out/`;
    `open` is what is left of it with every credit taken off once: off its invoice while
    that is unsent, else by the credit note itself.
    """

    number: str
    kind: str
    status: str
    active: bool
    membership: bool
    issued_on: date
    due_on: date
    patient_id: str
    patient_name: str
    bill_to: str
    bill_to_name: str
    currency: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    credits: Decimal
    sent_on: date | None
    sent_to: str
    run_id: str
    path: str
    open: Decimal


class Issued(NamedTuple):
    """A document of a month as its register lists it, with its state then.

    As in `Document` and `Entry`; a month has many, and each takes a tenth of the memory.
    """

    number: str
    kind: str
    status: str
    issued_on: date
    due_on: date
    credits_number: str
    credits_issued_on: date | None
    reason: str
    bill_to: str
    bill_to_name: str
    accounts_reference: str
    patient_id: str
    patient_name: str
    net: Decimal
    tax: Decimal
    gross: Decimal
    sent_on: date | None
    sent_to: str
    run_id: str
    sequence: int
    letterhead: Letterhead


class IssuedLine(NamedTuple):
    """A line of a document of a month, as in `Line`."""

    document: Issued
    line: int
    patient_id: str
    patient_name: str
    product_code: str
    description: str
    income_account: str
    frequency: str
    period_start: date | None
    period_end: date | None
    quantity: int
    unit_price: Decimal
    tax_code: str
    tax_name: str
    tax_rate: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    price_source: str
    credits_line: int | None

    @property
    def kind(self) -> str:
        """That of its document."""
        return self.document.kind


@dataclass(frozen=True)
class Held:
    """A membership or request that is held: whose, why, and what it holds back.

    `whose` is the Patient ID or, where none can be used, the sheet and the row.
    """

    whose: str
    product_code: str
    reason: str
    amount: Decimal | None


@dataclass(frozen=True)
class Change:
    """One changed cell of a product, price, tax code, setting, staff member or role."""

    table: str
    subject: str
    column: str
    old: str
    new: str
    edited_by: str
    accepted: bool
    reason: str = ""


@dataclass(frozen=True)
class OpenProblem:
    """A problem with the night it was first seen and for how many nights it stood.

    `who` are the people who can repair it.
    """

    problem: Problem
    first_seen: date
    nights: int
    who: str = ""


@dataclass(frozen=True)
class MonthTotal:
    """What was invoiced, less credited, in one calendar month of issue."""

    month: str
    invoices: int
    net: Decimal
    tax: Decimal
    gross: Decimal


@dataclass(frozen=True)
class Night:
    """One run, as the issues workbook and the summary page tell it.

    `memberships` is rule 13's eight counts; `made` are the documents of this run, and
    `made_before` counts the invoices of earlier runs for the same day;
    `unsent` every unsent document; `months` the last twelve, oldest first, gaps filled.
    One that was `refused`, or only `checked`, made nothing.
    """

    run_id: str
    as_of: date
    practice_name: str
    currency: str
    memberships: dict[str, int]
    made: tuple[Entry, ...]
    held: tuple[Held, ...]
    problems: tuple[OpenProblem, ...]
    changes: tuple[Change, ...]
    unsent: tuple[Entry, ...]
    months: tuple[MonthTotal, ...]
    made_before: int = 0
    accepted_guards: tuple[str, ...] = ()
    chain_head: str = ""
    refused: bool = False
    checked: bool = False
    report: dict[str, Any] = field(default_factory=dict)


class Deferral(NamedTuple):
    """A line whose period is longer than a month, as one month's schedule tells it.

    `opening` + `invoiced` - `credited` - `released` = `closing`, which is what the next
    month opens with; `parts` are the months, or the days, its income is spread over.
    """

    number: str
    line: int
    patient_id: str
    product_code: str
    period_start: date
    period_end: date
    basis: str
    parts: int
    income_account: str
    deferred_account: str
    net: Decimal
    opening: Decimal
    invoiced: Decimal
    credited: Decimal
    released: Decimal
    closing: Decimal


class Posting(NamedTuple):
    """One side of a journal entry; the entry is all postings of one narration.

    `purpose` says what the account stands for; one of `debit` and `credit` is 0.00;
    `tax_code` is '' where the posting is no supply and no tax; `source` is the number of
    the document, or the month for what is released.
    """

    date: date
    narration: str
    account: str
    purpose: str
    debit: Decimal
    credit: Decimal
    tax_code: str
    source: str


class Member(NamedTuple):
    """A membership that is not switched off, and what became of it in a month.

    Periods are counted by the calendar of the member's row, up to the last night's day:
    `due` of them, `before` and `during` the month billed, `missing` neither billed nor
    accounted for by the standing. Amounts are gross.
    """

    patient_id: str
    product_code: str
    frequency: str
    bucket: str
    reason: str
    next_due: date | None
    end_date: date | None
    due: int
    before: int
    during: int
    waiting: int
    missing: int
    invoiced: Decimal
    held: Decimal


class Unsent(NamedTuple):
    """A document nobody had sent by a day: what of it was not credited, for how long."""

    number: str
    kind: str
    issued_on: date
    due_on: date
    patient_id: str
    bill_to: str
    open: Decimal
    days: int


@dataclass(frozen=True)
class Series:
    """The numbers of one kind of document, up to the end of a month.

    `first` and `last` are places in the series, `count` how many documents hold them;
    `before` is the last place given before the month.
    """

    kind: str
    first: int
    last: int
    count: int
    before: int


@dataclass(frozen=True)
class Closed:
    """How a month was sealed: by which run, by whom, its totals and their hash.

    Amounts are signed: credit notes are taken off.
    """

    month: str
    closed_on: date
    closed_by: str
    invoices: int
    credit_notes: int
    net: Decimal
    tax: Decimal
    gross: Decimal
    sha256: str
    run_no: int


@dataclass(frozen=True)
class Month:
    """A month of issue for the register: its documents and their lines, each in order.

    Invoices come first, by number.
    `as_of` is the day its state is of: the month's last, or the last run's before it.
    `taken_back` is what each credit note's line (number, line) takes out of deferred
    income; `carried` what the month before closed with; `roster` how many memberships
    the month's last night counted that are not switched off; `others` what its lines
    come to (gross) that belong to none of `members`.
    `closed` tells how it was sealed: the state is then that of the run that closed it.
    """

    month: str
    practice_name: str
    currency: str
    documents: tuple[Issued, ...]
    lines: tuple[IssuedLine, ...]
    chain_head: str = ""
    as_of: date | None = None
    deferrals: tuple[Deferral, ...] = ()
    taken_back: Mapping[tuple[str, int], Decimal] = field(default_factory=dict)
    carried: Decimal = Decimal("0.00")
    postings: tuple[Posting, ...] = ()
    members: tuple[Member, ...] = ()
    roster: int = 0
    others: Decimal = Decimal("0.00")
    unsent: tuple[Unsent, ...] = ()
    totals: tuple[MonthTotal, ...] = ()
    series: tuple[Series, ...] = ()
    closed: Closed | None = None
