"""The open data: what leaves as CSV and Parquet, by ids alone."""

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


class Invoices(Table):
    """One row per invoice or credit note, with its state when the file was made."""

    number: Text = promised("the document's number")
    kind: Text = promised("invoice or credit_note", isin=["invoice", "credit_note"])
    status: Text = promised(
        "unsent, sent or credited", isin=["unsent", "sent", "credited"]
    )
    active: Flag = promised("not credited in full")
    membership: Flag = promised("whether it is for a membership")
    issued_on: Date = promised("the day of issue")
    due_on: Date = promised("the day it is due")
    patient_id: Text = blank("the patient; blank when lines are for several")
    bill_to: Text = blank("the contact's code; blank when the patient pays")
    currency: Text = promised("the currency of every amount")
    net: Money = promised("without tax; negative for a credit note")
    tax: Money = promised("the tax; negative for a credit note")
    gross: Money = promised("net and tax")
    credits: Money = promised("what credit notes have taken back", ge=0)
    credits_number: Text = blank("the invoice that a credit note takes back")
    sent_on: Date = blank("the day of the latest sending")
    run_id: Text = promised("the night or command that made it")

    class Config:
        name = "invoices"
        metadata = {
            "primary": ["number"],
            "foreign": {"credits_number": ("", "number")},
        }


class Lines(Table):
    """One row per line of an invoice or credit note."""

    number: Text = promised("the document's number")
    line: Whole = promised("its place on the document, from 1", ge=1)
    patient_id: Text = promised("the patient it is for")
    product_code: Text = promised("the product")
    description: Text = promised("the product's name on the day")
    frequency: Text = blank("Monthly or Annual; blank for what is no membership")
    period_start: Date = blank("the first day it covers")
    period_end: Date = blank("the last day it covers")
    quantity: Whole = promised("how many")
    unit_price: Money = promised("the price of one")
    tax_code: Text = promised("the practice's tax code")
    tax_rate: Rate = promised("its per cent", ge=0, le=100)
    net: Money = promised("without tax; negative for a credit note")
    tax: Money = promised("the tax; negative for a credit note")
    gross: Money = promised("net and tax")
    income_account: Text = blank("the product's income account on the day")
    price_source: Text = promised("the row that the price came from")
    credits_line: Whole = blank("the line that a credit note's line takes back")

    class Config:
        name = "lines"
        metadata = {
            "primary": ["number", "line"],
            "foreign": {"number": ("invoices", "number")},
        }


OPEN_DATA: tuple[Schema, ...] = (Invoices, Lines)
