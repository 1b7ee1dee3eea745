"""The tables the billing rules make, in the order they are made, and what each promises.

A table that is `made_of` others has no row where none of those has one.
"""

from typing import Any

from schemas.columns import (
    Date,
    Flag,
    Money,
    Rate,
    Schema,
    Table,
    Text,
    Whole,
    blank,
    promised,
)

BUCKETS = (
    "billed",
    "already_billed",
    "not_yet_due",
    "ended",
    "inactive",
    "auto_invoice_off",
    "before_bill_from",
    "held",
)


def amount(**checks: Any) -> Any:
    """Money that is never negative."""
    return promised(ge=0, **checks)


class Memberships(Table):
    """One row per row of Patients that names a membership."""

    patient_row: Whole = promised(unique=True)
    patient_key: Text = blank()
    patient_id: Text = blank()
    product_code: Text = blank()
    product_name: Text = blank()
    frequency: Text = promised(nullable=True, isin=["Monthly", "Annual"])
    step_months: Whole = promised(nullable=True, isin=[1, 12])
    start_date: Date = blank()
    end_date: Date = blank()
    bill_from: Date
    has_own_bill_from: Flag
    payer_code: Text = blank()
    combined: Flag
    active: Flag
    reason: Text = blank()

    class Config:
        name = "memberships"


class Calendars(Table):
    """One row per period of each calendar that memberships share."""

    start_date: Date
    step_months: Whole = promised(isin=[1, 12])
    end_date: Date = blank()
    bill_from: Date
    period_start: Date
    period_end: Date

    class Config:
        name = "calendars"
        metadata = {"made_of": ("model.memberships",)}
        unique = ["start_date", "step_months", "end_date", "bill_from", "period_start"]


class Settled(Table):
    """One row per membership whose every period that counts is billed to the day."""

    patient_row: Whole = promised(unique=True)
    periods: Whole = promised(gt=0)

    class Config:
        name = "settled"
        metadata = {"made_of": ("ledger.billed_periods",)}


class Periods(Table):
    """One row per period that counts by its dates, of memberships that are not settled."""

    patient_row: Whole
    patient_key: Text = blank()
    patient_id: Text = blank()
    period_start: Date
    period_end: Date

    class Config:
        name = "periods"
        metadata = {"made_of": ("model.calendars",)}
        unique = ["patient_row", "period_start"]


class DuePeriods(Table):
    """One row per period that counts and is not billed yet."""

    patient_row: Whole
    patient_key: Text = blank()
    patient_id: Text = blank()
    product_code: Text = blank()
    product_name: Text = blank()
    frequency: Text
    payer_code: Text = blank()
    combined: Flag
    period_start: Date
    period_end: Date
    billed_until: Date = blank()
    reason: Text = blank()

    class Config:
        name = "due_periods"
        metadata = {"made_of": ("model.periods",)}
        unique = ["patient_row", "period_start"]


class DueRequests(Table):
    """One row per product asked for by hand and not billed yet."""

    request_row: Whole = promised(unique=True)
    request_key: Text = blank()
    request_id: Text = blank()
    patient_key: Text = blank()
    patient_id: Text = blank()
    product_code: Text = blank()
    product_name: Text = blank()
    quantity: Whole = blank()
    frequency: Text = blank()
    payer_code: Text = blank()
    requested_on: Date = blank()
    period_start: Date = blank()
    period_end: Date = blank()
    reason: Text = blank()

    class Config:
        name = "due_requests"
        metadata = {"made_of": ("input.invoice_requests",)}


class DueItems(Table):
    """One row per thing to be charged tonight or held."""

    patient_row: Whole = blank()
    request_row: Whole = blank()
    request_key: Text = blank()
    request_id: Text = blank()
    patient_key: Text = blank()
    patient_id: Text = blank()
    product_code: Text = blank()
    product_name: Text = blank()
    is_period: Flag
    frequency: Text = blank()
    quantity: Whole = blank()
    payer_code: Text = blank()
    combined: Flag
    price_on: Date = blank()
    period_start: Date = blank()
    period_end: Date = blank()
    reason: Text = blank()

    class Config:
        name = "due_items"


class PriceConflicts(Table):
    """One row per contract price that answers for a day another answers for."""

    row_number: Whole = blank()
    other_row: Whole = blank()
    subject: Text

    class Config:
        name = "price_conflicts"
        metadata = {"made_of": ("input.contract_prices",)}


class Prices(DueItems):
    """One row per due item with the price of its day."""

    item: Whole = promised(unique=True)
    held_price: Text = blank()
    answers: Whole = promised(ge=0)
    unit_price: Money = promised(nullable=True, ge=0)
    price_source: Text = blank()

    class Config:
        name = "prices"
        metadata = {"made_of": ("model.due_items",)}


class Charges(Table):
    """One row per due item with its amounts, and why it is held if it is."""

    item: Whole = promised(unique=True)
    patient_row: Whole = blank()
    request_row: Whole = blank()
    request_key: Text = blank()
    request_id: Text = blank()
    patient_key: Text = blank()
    patient_id: Text = blank()
    product_code: Text = blank()
    description: Text = blank()
    healthcode_code: Text = blank()
    income_account: Text = blank()
    membership: Flag
    is_period: Flag
    frequency: Text = blank()
    quantity: Whole = blank()
    payer_code: Text = blank()
    combined: Flag
    price_on: Date = blank()
    period_start: Date = blank()
    period_end: Date = blank()
    unit_price: Money = blank()
    tax_code: Text = blank()
    tax_name: Text = blank()
    tax_rate: Rate = blank()
    net: Money = amount(nullable=True)
    tax: Money = amount(nullable=True)
    gross: Money = amount(nullable=True)
    price_source: Text = blank()
    own_reason: Text = blank()
    reason: Text = blank()

    class Config:
        name = "charges"
        metadata = {"made_of": ("model.prices",)}


class NewInvoices(Table):
    """One row per invoice of tonight, numbered."""

    invoice_key: Text = promised(unique=True)
    number: Text = promised(unique=True)
    sequence: Whole = promised(unique=True, ge=1)
    issued_on: Date
    due_on: Date
    membership: Flag
    patient_id: Text = blank()
    patient_name: Text = blank()
    bill_to: Text = blank()
    bill_to_name: Text
    email: Text = blank()
    address_line_1: Text = blank()
    address_line_2: Text = blank()
    town: Text = blank()
    postcode: Text = blank()
    accounts_reference: Text = blank()
    currency: Text
    net: Money = amount()
    tax: Money = amount()
    gross: Money = amount()

    class Config:
        name = "new_invoices"
        metadata = {"made_of": ("model.charges",)}


class NewLines(Table):
    """One row per line of tonight's invoices."""

    number: Text
    line: Whole = promised(ge=1)
    patient_id: Text
    patient_name: Text
    product_code: Text
    description: Text
    healthcode_code: Text = blank()
    income_account: Text = blank()
    membership: Flag
    frequency: Text = blank()
    period_start: Date = blank()
    period_end: Date = blank()
    quantity: Whole = promised(ge=1)
    unit_price: Money = amount()
    tax_code: Text
    tax_name: Text
    tax_rate: Rate
    net: Money = amount()
    tax: Money = amount()
    gross: Money = amount()
    price_source: Text
    request_id: Text = blank()
    request_key: Text = blank()
    patient_key: Text
    period_generation: Whole = promised(ge=1)
    request_generation: Whole = promised(ge=1)
    replaces_number: Text = blank()
    replaces_line: Whole = blank()

    class Config:
        name = "new_lines"
        metadata = {"made_of": ("model.new_invoices",)}
        unique = ["number", "line"]


class Standings(Table):
    """One row per membership of the roster, in exactly one bucket."""

    patient_row: Whole = promised(unique=True)
    patient_key: Text = blank()
    patient_id: Text = blank()
    product_code: Text = blank()
    bucket: Text = promised(isin=list(BUCKETS))
    reason: Text = blank()
    next_due: Date = blank()
    held_amount: Money = blank()

    class Config:
        name = "standings"
        metadata = {"made_of": ("model.memberships",)}


MODELS: tuple[Schema, ...] = (
    Memberships,
    Calendars,
    Settled,
    Periods,
    DuePeriods,
    DueRequests,
    DueItems,
    PriceConflicts,
    Prices,
    Charges,
    NewInvoices,
    NewLines,
    Standings,
)

# What a night writes into the ledger; the rest are steps on the way there.
RECORDED: tuple[Schema, ...] = (NewInvoices, NewLines, Standings)

# What tells how much the sheets would bill, without the documents made of it.
FORECAST: tuple[Schema, ...] = MODELS[: MODELS.index(Charges) + 1]
