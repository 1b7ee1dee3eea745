"""The sheets a practice keeps, one class each, in the order they are read."""

from typing import TYPE_CHECKING

from schemas.columns import (
    Date,
    Flag,
    InputTable,
    Money,
    Rate,
    Schema,
    Table,
    Text,
    Whole,
    column,
    promised,
    row_rule,
)

if TYPE_CHECKING:
    import pandas as pd

FREQUENCIES = {
    "Monthly": ("monthly", "month", "months", "mthly", "mthy", "mnthly", "m", "pcm"),
    "Annual": ("annual", "annually", "yearly", "year", "yr", "y", "a", "pa"),
}
LEVELS = {
    "None": ("none", "no access"),
    "View": ("view", "read", "read only"),
    "Edit": ("edit", "write", "full"),
}
AREAS = ("products", "patients", "settings", "invoices")

_EDITOR = "the user (from the Staff sheet) who last changed this row"
# Found by `pipeline.judging.price_columns`: what a product is stands in another sheet.
_NO_PRICE_OF_THE_PRODUCT = (
    "a membership without a Monthly price or an Annual price, another product without a"
    " Price"
)


class Staff(InputTable):
    """One row per person who edits the practice's workbooks."""

    user: Text = column(
        "User", "code", "the short name used in Last edited by", required=True, key=True,
        example="mm",
    )  # fmt: skip
    name: Text = column(
        "Name", "text", "the person's full name", required=True, personal=True,
        example="Mo Manager",
    )  # fmt: skip
    role: Text = column(
        "Role", "code", "a role of the Roles sheet", required=True,
        refers_to="roles.role", example="Manager",
    )  # fmt: skip
    active: Flag = column(
        "Active", "yesno", "No once the person has left", required=True, example="Yes"
    )

    class Config:
        name = "staff"
        title = "Staff"
        metadata = {"file": "settings", "optional": False}


class Roles(InputTable):
    """One row per role, with its right in each area."""

    role: Text = column(
        "Role", "code", "the role's name", required=True, key=True, example="Manager"
    )
    products: Text = column(
        "Products", "choice", "products, contract prices and price changes",
        required=True, choices=LEVELS, example="Edit",
    )  # fmt: skip
    patients: Text = column(
        "Patients", "choice", "patients", required=True, choices=LEVELS, example="Edit"
    )
    settings: Text = column(
        "Settings", "choice", "settings and tax codes", required=True, choices=LEVELS,
        example="View",
    )  # fmt: skip
    invoices: Text = column(
        "Invoices", "choice", "sendings and credit notes", required=True, choices=LEVELS,
        example="Edit",
    )  # fmt: skip

    class Config:
        name = "roles"
        title = "Roles"
        metadata = {"file": "settings", "optional": False}


class Settings(InputTable):
    """One row per setting of the practice."""

    setting: Text = column(
        "Setting", "text", "the setting's name", required=True, key=True,
        example="Practice name",
    )  # fmt: skip
    value: Text = column("Value", "answer", "its value; blank means the default")
    last_edited_by: Text = column(
        "Last edited by", "code", _EDITOR, required=True, may_be_blank=True,
        example="mm",
    )  # fmt: skip

    class Config:
        name = "settings"
        title = "Settings"
        metadata = {"file": "settings", "optional": False, "area": "settings"}


class TaxCodes(InputTable):
    """One row per tax code a product may carry."""

    code: Text = column(
        "Code", "code", "the code products use", required=True, key=True,
        example="EXEMPT",
    )  # fmt: skip
    name: Text = column(
        "Name", "text", "what the invoice calls it", required=True,
        example="Exempt (health)",
    )  # fmt: skip
    rate: Rate = column(
        "Rate %", "percent", "the rate in per cent; exempt and zero rated are both 0",
        required=True, ge=0, le=100, example="20",
    )  # fmt: skip
    last_edited_by: Text = column(
        "Last edited by", "code", _EDITOR, required=True, may_be_blank=True,
        example="mm",
    )  # fmt: skip

    class Config:
        name = "tax_codes"
        title = "Tax codes"
        metadata = {"file": "settings", "optional": False, "area": "settings"}


class Products(InputTable):
    """One row per thing the practice sells; Type Membership makes it a membership."""

    code: Text = column(
        "Code", "code", "the product's code, used by patients and prices",
        required=True, key=True, example="GOLD",
    )  # fmt: skip
    name: Text = column(
        "Name", "text", "what the invoice calls it", required=True,
        example="Gold membership",
    )  # fmt: skip
    type: Text = column(
        "Type", "text", "Membership for a membership scheme; any other word for the rest",
        required=True, example="Membership",
        offers=("Membership", "Consultation", "Test", "Treatment", "Other"),
    )  # fmt: skip
    description: Text = column(
        "Description", "text", "a longer description, for the practice's own use"
    )
    monthly_price: Money = column(
        "Monthly price", "money", "price of one month of a membership", ge=0,
        example="49.99",
    )  # fmt: skip
    annual_price: Money = column(
        "Annual price", "money", "price of one year of a membership", ge=0,
        example="549.00",
    )  # fmt: skip
    price: Money = column(
        "Price", "money", "price of one, for anything but a membership", ge=0,
        example="85.00",
    )  # fmt: skip
    tax_code: Text = column(
        "Tax code", "code", "a code of the Tax codes sheet", required=True,
        refers_to="tax_codes.code", example="EXEMPT",
    )  # fmt: skip
    healthcode_code: Text = column(
        "Healthcode code", "reference", "optional code printed on the patient's invoice"
    )
    income_account: Text = column(
        "Income account", "code", "the account the accountant books it to",
        example="4000",
    )  # fmt: skip
    active: Flag = column(
        "Active", "yesno", "No once it is no longer sold", required=True, example="Yes"
    )
    last_edited_by: Text = column(
        "Last edited by", "code", _EDITOR, required=True, may_be_blank=True,
        example="mm",
    )  # fmt: skip

    @row_rule(
        "membership-without-price", "monthly_price",
        found="a membership without a Monthly price or an Annual price",
        expected="a Monthly price, an Annual price or both",
        repair="write what one month or one year of it costs",
    )  # fmt: skip
    def membership_has_a_price(cls, frame: "pd.DataFrame") -> "pd.Series":
        return (
            (frame["type"].str.lower() != "membership")
            | frame["monthly_price"].notna()
            | frame["annual_price"].notna()
        )

    @row_rule(
        "product-without-price", "price",
        found="a product that is no membership, without a Price",
        expected="a Price",
        repair="write what one of it costs",
    )  # fmt: skip
    def other_products_have_a_price(cls, frame: "pd.DataFrame") -> "pd.Series":
        return (frame["type"].str.lower() == "membership") | frame["price"].notna()

    class Config:
        name = "products"
        title = "Products"
        metadata = {"file": "products", "optional": False, "area": "products"}


class ContractPrices(InputTable):
    """One row per price agreed with an external contact for one product."""

    contact_code: Text = column(
        "Contact code", "code", "the contact who pays this price", required=True,
        key=True, refers_to="contacts.code", example="ACME",
    )  # fmt: skip
    product_code: Text = column(
        "Product code", "code", "the product", required=True, key=True,
        refers_to="products.code", example="GOLD",
    )  # fmt: skip
    monthly_price: Money = column(
        "Monthly price", "money", "agreed price of one month", ge=0, example="44.00"
    )
    annual_price: Money = column(
        "Annual price", "money", "agreed price of one year", ge=0, example="480.00"
    )
    price: Money = column(
        "Price", "money", "agreed price of one, for anything but a membership", ge=0
    )
    valid_from: Date = column(
        "Valid from", "date", "first day of the agreement; blank means always",
        key=True, example="01/01/2026",
    )  # fmt: skip
    valid_to: Date = column(
        "Valid to", "date", "last day of the agreement; blank means open",
        example="31/12/2026",
    )  # fmt: skip
    last_edited_by: Text = column(
        "Last edited by", "code", _EDITOR, required=True, may_be_blank=True,
        example="mm",
    )  # fmt: skip

    @row_rule(
        "contract-ends-before-it-starts", "valid_to",
        found="{valid_to} is before Valid from, {valid_from}",
        expected="a last day on or after Valid from",
        repair="correct Valid to, or clear it for an open agreement",
    )  # fmt: skip
    def ends_after_it_starts(cls, frame: "pd.DataFrame") -> "pd.Series":
        return frame["valid_to"] >= frame["valid_from"]

    @row_rule(
        "contract-without-price", "monthly_price",
        found="no price in Monthly price, Annual price or Price",
        expected="at least one price",
        repair="write the agreed price",
    )  # fmt: skip
    def has_a_price(cls, frame: "pd.DataFrame") -> "pd.Series":
        return (
            frame["monthly_price"].notna()
            | frame["annual_price"].notna()
            | frame["price"].notna()
        )

    class Config:
        name = "contract_prices"
        title = "Contract prices"
        metadata = {
            "file": "products",
            "optional": True,
            "area": "products",
            "holds": (_NO_PRICE_OF_THE_PRODUCT,),
        }


class PriceChanges(InputTable):
    """One row per new standard price of a product from a date on."""

    product_code: Text = column(
        "Product code", "code", "the product", required=True, key=True,
        refers_to="products.code", example="GOLD",
    )  # fmt: skip
    effective_from: Date = column(
        "Effective from", "date",
        "first day of the new price; periods that start on or after it cost the new price",
        required=True, key=True, example="01/04/2026",
    )  # fmt: skip
    monthly_price: Money = column(
        "Monthly price", "money", "new price of one month; blank means unchanged",
        ge=0, example="52.00",
    )  # fmt: skip
    annual_price: Money = column(
        "Annual price", "money", "new price of one year; blank means unchanged", ge=0,
        example="570.00",
    )  # fmt: skip
    price: Money = column(
        "Price", "money", "new price of one, for anything but a membership", ge=0
    )
    last_edited_by: Text = column(
        "Last edited by", "code", _EDITOR, required=True, may_be_blank=True,
        example="mm",
    )  # fmt: skip

    @row_rule(
        "price-change-without-price", "monthly_price",
        found="no price in Monthly price, Annual price or Price",
        expected="at least one new price",
        repair="write the new price",
    )  # fmt: skip
    def has_a_price(cls, frame: "pd.DataFrame") -> "pd.Series":
        return (
            frame["monthly_price"].notna()
            | frame["annual_price"].notna()
            | frame["price"].notna()
        )

    class Config:
        name = "price_changes"
        title = "Price changes"
        metadata = {
            "file": "products",
            "optional": True,
            "area": "products",
            "holds": (_NO_PRICE_OF_THE_PRODUCT,),
        }


class Contacts(InputTable):
    """One row per external contact who pays: employer, insurer, family member."""

    code: Text = column(
        "Code", "code", "the contact's code, used in Bill to", required=True, key=True,
        example="ACME",
    )  # fmt: skip
    name: Text = column(
        "Name", "text", "the name the invoice is addressed to", required=True,
        personal=True, example="Acme Widgets Ltd",
    )  # fmt: skip
    type: Text = column(
        "Type", "text", "Employer, Insurer, Family, ...",
        offers=("Employer", "Insurer", "Family", "Other"),
    )  # fmt: skip
    email: Text = column(
        "Email", "email", "where staff send the invoice", personal=True, warn_only=True,
        example="accounts@example.com",
    )  # fmt: skip
    phone: Text = column("Phone", "phone", "telephone", personal=True, warn_only=True)
    address_line_1: Text = column(
        "Address line 1", "text", "for the window of the envelope", personal=True
    )
    address_line_2: Text = column(
        "Address line 2", "text", "second line of the address", personal=True
    )
    town: Text = column("Town", "text", "town", personal=True)
    postcode: Text = column(
        "Postcode", "postcode", "postcode", personal=True, warn_only=True
    )
    accounts_reference: Text = column(
        "Accounts reference", "reference", "the accounting package's reference for it"
    )
    payment_terms: Whole = column(
        "Payment terms (days)", "whole",
        "days until an invoice is due; blank means the practice's", ge=0, le=365,
        example="30",
    )  # fmt: skip
    combine_invoices: Flag = column(
        "Combine invoices", "yesno",
        "Yes for one invoice a night for memberships, a line per member; blank means No",
        example="Yes",
    )  # fmt: skip
    active: Flag = column(
        "Active", "yesno", "No once it no longer pays; blank means Yes", example="Yes"
    )

    class Config:
        name = "contacts"
        title = "Contacts"
        metadata = {"file": "patients", "optional": True}


class Patients(InputTable):
    """One row per patient, with the membership details on the same row."""

    patient_id: Text = column(
        "Patient ID", "code", "the patient's number in the practice's system",
        required=True, key=True, example="P0042",
    )  # fmt: skip
    title: Text = column(
        "Title", "text", "Mr, Ms, Dr, ...", personal=True,
        offers=("Mr", "Mrs", "Miss", "Ms", "Mx", "Dr"),
    )  # fmt: skip
    first_name: Text = column(
        "First name", "text", "first name", required=True, personal=True, example="Ada"
    )
    last_name: Text = column(
        "Last name", "text", "last name", required=True, personal=True,
        example="Example",
    )  # fmt: skip
    date_of_birth: Date = column(
        "Date of birth", "date", "never printed on an invoice", personal=True,
        warn_only=True, example="17/05/1984",
    )  # fmt: skip
    email: Text = column(
        "Email", "email", "where staff send the invoice", personal=True, warn_only=True,
        example="ada@example.org",
    )  # fmt: skip
    phone: Text = column("Phone", "phone", "telephone", personal=True, warn_only=True)
    address_line_1: Text = column(
        "Address line 1", "text", "for the window of the envelope", personal=True
    )
    address_line_2: Text = column(
        "Address line 2", "text", "second line of the address", personal=True
    )
    town: Text = column("Town", "text", "town", personal=True)
    postcode: Text = column(
        "Postcode", "postcode", "postcode", personal=True, warn_only=True
    )
    membership_active: Flag = column(
        "Membership active", "yesno", "Yes while the membership is to be billed",
        required=True, example="Yes",
    )  # fmt: skip
    membership: Text = column(
        "Membership", "code", "the product code of the membership",
        refers_to="products.code", example="GOLD",
    )  # fmt: skip
    billing_frequency: Text = column(
        "Billing frequency", "choice",
        "Monthly or Annual; may be blank when the product offers one only",
        choices=FREQUENCIES, example="Monthly",
    )  # fmt: skip
    start_date: Date = column(
        "Start date", "date", "first day of the membership; periods count from it",
        example="31/01/2026",
    )  # fmt: skip
    end_date: Date = column(
        "End date", "date", "last covered day; blank while it goes on",
        example="30/06/2026",
    )  # fmt: skip
    bill_from: Date = column(
        "Bill from", "date",
        "no period that starts before it is billed; blank means the practice's",
        example="01/01/2026",
    )  # fmt: skip
    bill_to: Text = column(
        "Bill to", "code", "blank for the patient, or the code of a contact who pays",
        refers_to="contacts.code", example="ACME",
    )  # fmt: skip
    last_edited_by: Text = column("Last edited by", "code", _EDITOR, example="dd")
    notes: Text = column(
        "Notes", "text", "for the office alone; never loaded", loaded=False
    )
    names_membership: Flag = promised(
        "the Membership cell is not blank, whether or not it can be used"
    )

    @row_rule(
        "active-without-membership", "membership",
        found="Membership active is Yes but no membership is named",
        expected="a product code",
        repair="write the product code of the membership, or No in Membership active",
        fills=True,
    )  # fmt: skip
    def active_members_have_a_membership(cls, frame: "pd.DataFrame") -> "pd.Series":
        return ~frame["membership_active"].fillna(False) | frame["membership"].notna()

    @row_rule(
        "active-without-start", "start_date",
        found="Membership active is Yes but the Start date is blank",
        expected="the first day of the membership",
        repair="write the date the membership starts, for example 04/03/2026",
        fills=True,
    )  # fmt: skip
    def active_members_have_a_start(cls, frame: "pd.DataFrame") -> "pd.Series":
        return ~frame["membership_active"].fillna(False) | frame["start_date"].notna()

    @row_rule(
        "ends-before-it-starts", "end_date",
        found="the End date, {end_date}, is before the Start date, {start_date}",
        expected="a last covered day on or after the Start date",
        repair="correct the End date, or clear it while the membership goes on",
    )  # fmt: skip
    def ends_after_it_starts(cls, frame: "pd.DataFrame") -> "pd.Series":
        return frame["end_date"] >= frame["start_date"]

    class Config:
        name = "patients"
        title = "Patients"
        metadata = {
            "file": "patients",
            "optional": False,
            "area": "patients",
            "presence": {"names_membership": "membership"},
        }


class Sent(InputTable):
    """One row per sending staff did by hand."""

    invoice_number: Text = column(
        "Invoice number", "code", "the invoice that was sent", required=True,
        example="INV-000042",
    )  # fmt: skip
    sent_on: Date = column(
        "Sent on", "date", "the day it was sent", required=True, example="02/03/2026"
    )
    sent_to: Text = column(
        "Sent to", "text", "the e-mail or postal address it went to", required=True,
        personal=True, example="ada@example.org",
    )  # fmt: skip
    how: Text = column(
        "How", "text", "e-mail, post, by hand, ...", example="e-mail",
        offers=("e-mail", "post", "by hand"),
    )  # fmt: skip
    sent_by: Text = column("Sent by", "code", "the user who sent it", example="dd")

    class Config:
        name = "sent"
        title = "Sent"
        metadata = {"file": "sent_log", "optional": True}


class InvoiceRequests(InputTable):
    """One row per product put on a patient's invoice by hand."""

    request_id: Text = column(
        "Request ID", "code", "any name that is used once", required=True, key=True,
        example="R001",
    )  # fmt: skip
    patient_id: Text = column(
        "Patient ID", "code", "the patient", required=True,
        refers_to="patients.patient_id", example="P0042",
    )  # fmt: skip
    product_code: Text = column(
        "Product code", "code", "the product", required=True,
        refers_to="products.code", example="CONSULT",
    )  # fmt: skip
    quantity: Whole = column(
        "Quantity", "whole", "how many; blank means 1; a membership is always 1", ge=1,
        le=9999, example="1",
    )  # fmt: skip
    billing_frequency: Text = column(
        "Billing frequency", "choice", "for a membership: Monthly or Annual",
        choices=FREQUENCIES,
    )  # fmt: skip
    bill_to: Text = column(
        "Bill to", "code", "blank for the patient, or the code of a contact who pays",
        refers_to="contacts.code",
    )  # fmt: skip
    requested_on: Date = column(
        "Requested on", "date", "the day whose price counts; a membership starts on it",
        required=True, example="05/03/2026",
    )  # fmt: skip
    requested_by: Text = column(
        "Requested by", "code", "the user who asked for it", example="dd"
    )

    class Config:
        name = "invoice_requests"
        title = "Invoice requests"
        metadata = {"file": "invoice_requests", "optional": True}


class UnreadablePrices(Table):
    """One row per price of a held row that is not blank, but cannot be read."""

    table_name: Text
    row_number: Whole
    column_name: Text

    class Config:
        name = "unreadable_prices"


INPUTS: tuple[Schema, ...] = (
    Settings,
    TaxCodes,
    Staff,
    Roles,
    Products,
    PriceChanges,
    ContractPrices,
    Patients,
    Contacts,
    Sent,
    InvoiceRequests,
)
