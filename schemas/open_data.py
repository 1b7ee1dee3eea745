"""The open data: what leaves as CSV and Parquet, by ids alone."""

from typing import Any

from schemas.columns import Date, Flag, Money, Rate, Schema, Table, Text, Whole
from schemas.lean_pandera import pa


def _blank(meaning: str) -> Any:
    return pa.Field(nullable=True, description=meaning)


def _given(meaning: str, **checks: Any) -> Any:
    return pa.Field(nullable=False, description=meaning, **checks)


class Invoices(Table):
    """One row per invoice or credit note, with its state when the file was made."""

    number: Text = _given("the document's number")
    kind: Text = _given("invoice or credit_note", isin=["invoice", "credit_note"])
    status: Text = _given(
        "unsent, sent or credited", isin=["unsent", "sent", "credited"]
    )
    active: Flag = _given("not credited in full")
    membership: Flag = _given("whether it is for a membership")
    issued_on: Date = _given("the day of issue")
    due_on: Date = _given("the day it is due")
    patient_id: Text = _blank("the patient; blank when lines are for several")
    bill_to: Text = _blank("the contact's code; blank when the patient pays")
    currency: Text = _given("the currency of every amount")
    net: Money = _given("without tax; negative for a credit note")
    tax: Money = _given("the tax; negative for a credit note")
    gross: Money = _given("net and tax")
    credits: Money = _given("what credit notes have taken back", ge=0)
    credits_number: Text = _blank("the invoice that a credit note takes back")
    sent_on: Date = _blank("the day of the latest sending")
    run_id: Text = _given("the night or command that made it")

    class Config:
        name = "invoices"
        metadata = {
            "primary": ["number"],
            "foreign": {"credits_number": ("", "number")},
        }


class Lines(Table):
    """One row per line of an invoice or credit note."""

    number: Text = _given("the document's number")
    line: Whole = _given("its place on the document, from 1", ge=1)
    patient_id: Text = _given("the patient it is for")
    product_code: Text = _given("the product")
    description: Text = _given("the product's name on the day")
    frequency: Text = _blank("Monthly or Annual; blank for what is no membership")
    period_start: Date = _blank("the first day it covers")
    period_end: Date = _blank("the last day it covers")
    quantity: Whole = _given("how many")
    unit_price: Money = _given("the price of one")
    tax_code: Text = _given("the practice's tax code")
    tax_rate: Rate = _given("its per cent", ge=0, le=100)
    net: Money = _given("without tax; negative for a credit note")
    tax: Money = _given("the tax; negative for a credit note")
    gross: Money = _given("net and tax")
    income_account: Text = _blank("the product's income account on the day")
    price_source: Text = _given("the row that the price came from")
    credits_line: Whole = _blank("the line that a credit note's line takes back")

    class Config:
        name = "lines"
        metadata = {
            "primary": ["number", "line"],
            "foreign": {"number": ("invoices", "number")},
        }


OPEN_DATA: tuple[Schema, ...] = (Invoices, Lines)
