"""The ledger's tables, one class each, with their keys.

`primary` and `unique` keys are kept by an index of the database. Those that are `checked`
have none, since such indexes were half of an old ledger's file: `pipeline.keys` looks for
them in what a run adds, before it is committed.
Rows are only added, but in `counters`, `standings_now` and `published_through`, which hold
what is so now, and where `forget` writes pseudonyms.
"""

from schemas.columns import (
    Date,
    Flag,
    Money,
    Rate,
    Schema,
    Table,
    Text,
    Whole,
    about,
    blank,
    column_types,
    name_of,
    promised,
)
from schemas.inputs import INPUTS

SCHEMA_VERSION = 1


class Runs(Table):
    """One row per change of the ledger: a night, or a command of the desk."""

    run_no: Whole
    run_id: Text
    command: Text
    as_of: Date
    recorded_at: Text
    milliseconds: Whole
    version: Text
    accepted_guards: Text
    recorded_by: Text = blank()
    report: Text

    class Config:
        name = "runs"
        metadata = {"primary": ["run_no"], "unique": [["run_id"]]}


class Letterheads(Table):
    """One row per run that made documents: the practice as it stood, with its accounts."""

    run_no: Whole
    practice_name: Text
    practice_address: Text = blank()
    practice_email: Text = blank()
    practice_phone: Text = blank()
    company_number: Text = blank()
    vat_registered: Flag
    vat_number: Text = blank()
    bank_details: Text = blank()
    invoice_footer: Text = blank()
    prices_include_tax: Flag
    deferred_basis: Text = promised(isin=["Months", "Days"])
    debtors_account: Text
    vat_account: Text
    deferred_account: Text

    class Config:
        name = "letterheads"
        metadata = {"primary": ["run_no"]}


class Invoices(Table):
    """One row per invoice or credit note, with its own copy of who it went to."""

    number: Text
    kind: Text = promised(isin=["invoice", "credit_note"])
    sequence: Whole
    run_no: Whole
    issued_on: Date
    due_on: Date
    membership: Flag
    patient_id: Text = blank("blank when lines are for several patients")
    patient_name: Text = blank()
    bill_to: Text = blank("the contact's code; blank when the patient pays")
    bill_to_name: Text
    email: Text = blank()
    address_line_1: Text = blank()
    address_line_2: Text = blank()
    town: Text = blank()
    postcode: Text = blank()
    accounts_reference: Text = blank()
    currency: Text
    net: Money
    tax: Money
    gross: Money
    credits_number: Text = blank("the invoice a credit note takes back")
    reason: Text = blank()

    class Config:
        name = "invoices"
        metadata = {"primary": ["number"], "unique": [["kind", "sequence"]]}


class Lines(Table):
    """One row per line of an invoice or credit note."""

    number: Text
    line: Whole
    patient_id: Text
    patient_name: Text
    product_code: Text
    description: Text
    healthcode_code: Text = blank()
    income_account: Text = blank()
    membership: Flag
    frequency: Text = blank("Monthly or Annual; blank for what is no membership")
    period_start: Date = blank()
    period_end: Date = blank()
    quantity: Whole
    unit_price: Money
    tax_code: Text
    tax_name: Text
    tax_rate: Rate
    net: Money
    tax: Money
    gross: Money
    price_source: Text
    request_id: Text = blank()
    credits_line: Whole = blank(
        "the line of the invoice that a credit note's takes back"
    )
    rebill: Flag = promised("a credit note's line: what it takes back is billed again")
    replaces_number: Text = blank(
        "the invoice whose line this one is billed in place of"
    )
    replaces_line: Whole = blank()

    class Config:
        name = "lines"
        metadata = {"checked": [["number", "line"]]}


class BilledPeriods(Table):
    """One row per period of a membership and time it was billed, each time once."""

    patient_key: Text
    period_start: Date
    period_end: Date
    number: Text
    line: Whole
    generation: Whole

    class Config:
        name = "billed_periods"
        metadata = {
            "primary": ["patient_key", "period_start", "generation"],
            "checked": [["number", "line"]],
        }


class ReleasedPeriods(Table):
    """One row per billed period that a credit note freed to be billed once more."""

    patient_key: Text
    period_start: Date
    generation: Whole
    number: Text
    line: Whole

    class Config:
        name = "released_periods"
        metadata = {"primary": ["patient_key", "period_start", "generation"]}


class FilledRequests(Table):
    """One row per invoice request and time it was billed, each time once."""

    request_key: Text
    number: Text
    line: Whole
    generation: Whole

    class Config:
        name = "filled_requests"
        metadata = {
            "primary": ["request_key", "generation"],
            "unique": [["number", "line"]],
        }


class ReleasedRequests(Table):
    """One row per filled request that a credit note freed to be billed once more."""

    request_key: Text
    generation: Whole
    number: Text
    line: Whole

    class Config:
        name = "released_requests"
        metadata = {"primary": ["request_key", "generation"]}


class ClosedMonths(Table):
    """One row per month that was sealed: no document is issued in it any more."""

    month: Text = promised("as 2026-03")
    closed_on: Date
    closed_by: Text
    invoices: Whole
    credit_notes: Whole
    net: Money
    tax: Money
    gross: Money
    sha256: Text = promised("over its documents and their links of the chain")
    run_no: Whole

    class Config:
        name = "closed_months"
        metadata = {"primary": ["month"]}


class Sendings(Table):
    """One row per sending of an invoice or credit note."""

    sending_no: Whole
    number: Text
    sent_on: Date
    sent_to: Text
    how: Text = blank()
    sent_by: Text = blank()
    source: Text = promised(isin=["sent log", "command"])
    run_no: Whole

    class Config:
        name = "sendings"
        metadata = {"checked": [["sending_no"]]}


class Changes(Table):
    """One row per changed cell of a guarded row, accepted or refused."""

    run_no: Whole
    table_name: Text
    subject: Text
    column_title: Text
    old_value: Text = blank()
    new_value: Text = blank()
    edited_by: Text = blank()
    accepted: Flag
    reason: Text = blank()

    class Config:
        name = "changes"


class Problems(Table):
    """One row per version of a problem; the last version that is not removed is open."""

    fingerprint: Text
    severity: Text
    code: Text
    file: Text
    sheet: Text
    row_number: Whole = blank()
    column_title: Text
    cell: Text
    subject: Text
    found: Text
    expected: Text
    repair: Text
    effect: Text
    amount: Money = blank()
    personal: Flag
    run_no: Whole
    removed: Flag

    class Config:
        name = "problems"
        metadata = {"primary": ["fingerprint", "run_no"]}


class Standings(Table):
    """One row per version of a membership's standing (rule 13) and the reason for it."""

    standing_key: Text
    patient_id: Text = blank()
    product_code: Text = blank()
    bucket: Text
    reason: Text = blank()
    next_due: Date = blank("the next period start that is not billed")
    held_amount: Money = blank()
    run_no: Whole
    removed: Flag

    class Config:
        name = "standings"
        metadata = {"checked": [["standing_key", "run_no"]]}


class StandingsNow(Standings):
    """The last version of each membership's standing, so that none is searched for."""

    class Config:
        name = "standings_now"
        metadata = {"primary": ["standing_key"]}


class Chain(Table):
    """One row per link of the hash chain over documents, sendings and runs."""

    position: Whole
    kind: Text
    record_key: Text
    previous: Text
    sha256: Text

    class Config:
        # No key: `pipeline.chain.breaks` holds each link to its record, and counts them.
        name = "chain"


class Counters(Table):
    """One row per series of numbers: the last number given, and the day it was issued."""

    kind: Text = promised(isin=["invoice", "credit_note"])
    last_sequence: Whole
    last_issued_on: Date

    class Config:
        name = "counters"
        metadata = {"primary": ["kind"]}


class Outbox(Table):
    """One row per file that a run made necessary; done when published at that run."""

    path: Text
    run_no: Whole

    class Config:
        name = "outbox"
        metadata = {"checked": [["path", "run_no"]]}


class PublishedThrough(Table):
    """One row: the run up to which every file is published, so that none is looked for."""

    run_no: Whole

    class Config:
        name = "published_through"


class ExportBatches(Table):
    """One row per batch of documents that left for an accounting package."""

    run_no: Whole
    target: Text
    batch: Text = promised("the run that made it; part of its files' names")
    layout: Text = promised("headings, codes and limits as they then were")

    class Config:
        name = "export_batches"
        metadata = {"primary": ["run_no"], "unique": [["target", "batch"]]}


class ExportedDocuments(Table):
    """One row per document, or month's release, that left for a package: once each."""

    target: Text
    number: Text = promised("the document's number, or the month as YYYY-MM")
    run_no: Whole
    path: Text

    class Config:
        name = "exported_documents"
        metadata = {"primary": ["target", "number"]}


class Forgotten(Table):
    """One row per part of a record that was pseudonymised: the hash of what it said."""

    part: Text = promised(isin=["patient", "payer", "line", "sending"])
    record_key: Text
    sha256: Text
    run_no: Whole

    class Config:
        name = "forgotten"
        metadata = {"primary": ["part", "record_key"]}


class Published(Table):
    """One row per file written from the ledger, at the run it then showed."""

    path: Text
    run_no: Whole
    sha256: Text

    class Config:
        name = "published"
        metadata = {"checked": [["path", "run_no"]]}


LEDGER: tuple[Schema, ...] = (
    Runs,
    Letterheads,
    Invoices,
    Lines,
    BilledPeriods,
    ReleasedPeriods,
    FilledRequests,
    ReleasedRequests,
    Sendings,
    Changes,
    Problems,
    Standings,
    StandingsNow,
    Chain,
    Counters,
    Outbox,
    PublishedThrough,
    ExportBatches,
    ExportedDocuments,
    Forgotten,
    Published,
    ClosedMonths,
)

# Rows of these sheets are kept as last accepted, version by version.
ACCEPTED: tuple[Schema, ...] = tuple(
    schema for schema in INPUTS if name_of(schema) not in ("sent", "invoice_requests")
)

ACCEPTED_EXTRA = {
    "file": "varchar not null",
    "run_no": "integer not null",
    "removed": "boolean not null",
}


def create_table(schema: Schema, qualified: str) -> str:
    """`create table` for a schema, with not null and the keys the database keeps."""
    told = about(schema)
    parts = [
        f"{name} {field.type.sql}{'' if field.nullable else ' not null'}"
        for name, field in schema.fields.items()
    ]
    if told.get("primary"):
        parts.append(f"primary key ({', '.join(told['primary'])})")
    parts += [f"unique ({', '.join(unique)})" for unique in told.get("unique", [])]
    return f"create table {qualified} (\n    " + ",\n    ".join(parts) + "\n)"


def create_accepted(schema: Schema, qualified: str) -> str:
    """`create table` for the accepted versions of an input table."""
    parts = [f"{name} {sql_type}" for name, sql_type in column_types(schema).items()]
    parts += [f"{name} {sql_type}" for name, sql_type in ACCEPTED_EXTRA.items()]
    parts.append("primary key (row_key, run_no)")
    return f"create table {qualified} (\n    " + ",\n    ".join(parts) + "\n)"
