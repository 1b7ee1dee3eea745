"""The settings of a practice: each row of the Settings sheet as a typed column."""

from schemas.columns import Date, Flag, Money, Table, Text, Whole, column

_SHARE = "a percentage, such as 25"
# A hundred years: whoever wants no limit types a large number.
_MOST_DAYS = 36_525


class Practice(Table):
    """One row: the practice's settings of the night, defaults filled in."""

    practice_name: Text = column(
        "Practice name", "text", "the name at the head of every invoice", required=True,
        example="Harbour Lane Surgery",
    )  # fmt: skip
    practice_address: Text = column(
        "Practice address", "text", "the address under it; separate lines with commas"
    )
    practice_email: Text = column("Practice email", "email", "printed on invoices")
    practice_phone: Text = column("Practice phone", "phone", "printed on invoices")
    company_number: Text = column(
        "Company number", "text", "printed on invoices of a registered company"
    )
    vat_registered: Flag = column(
        "VAT registered", "yesno", "whether the practice is registered for VAT",
        required=True, default="No",
    )  # fmt: skip
    vat_number: Text = column(
        "VAT number", "text", "printed on invoices only when registered"
    )
    currency: Text = column(
        "Currency", "choice", "the currency of every price", required=True,
        default="GBP", choices={"GBP": ("gbp", "£", "pound", "pounds", "sterling")},
    )  # fmt: skip
    auto_invoice: Flag = column(
        "Auto invoice", "yesno", "No switches all membership billing off", required=True,
        example="Yes",
    )  # fmt: skip
    bill_from: Date = column(
        "Bill from", "date", "no period that starts before it is ever billed",
        required=True, example="01/01/2026",
    )  # fmt: skip
    payment_terms: Whole = column(
        "Payment terms (days)", "whole", "days until an invoice is due", required=True,
        default="14", ge=0, le=365,
    )  # fmt: skip
    invoice_prefix: Text = column(
        "Invoice prefix", "text", "what an invoice number begins with", required=True,
        default="INV-", str_matches=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,11}$",
        expected="up to 12 letters, digits, - or _, such as INV-",
    )  # fmt: skip
    first_invoice_number: Whole = column(
        "First invoice number", "whole", "the number of the very first invoice",
        required=True, default="1", ge=1, le=999999,
    )  # fmt: skip
    credit_note_prefix: Text = column(
        "Credit note prefix", "text", "what a credit note number begins with",
        required=True, default="CRN-", str_matches=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,11}$",
        expected="up to 12 letters, digits, - or _, such as CRN-",
    )  # fmt: skip
    prices_include_tax: Flag = column(
        "Prices include tax", "yesno", "whether prices in the sheets include tax",
        required=True, default="No",
    )  # fmt: skip
    catch_up_days: Whole = column(
        "Catch-up days", "whole",
        "periods that started longer ago are held until a person decides",
        required=True, default="60", ge=0, le=_MOST_DAYS,
    )  # fmt: skip
    time_zone: Text = column(
        "Time zone", "text", "decides what day it is", required=True,
        default="Europe/London",
    )  # fmt: skip
    bank_details: Text = column(
        "Bank details", "text", "how to pay, printed on invoices"
    )
    invoice_footer: Text = column(
        "Invoice footer", "text", "a line at the foot of invoices"
    )
    pdf_beside: Flag = column(
        "PDF beside invoices", "yesno",
        "whether each new invoice and credit note is also made as a PDF, beside its"
        " workbook", required=True, default="No",
    )  # fmt: skip
    deferred_basis: Text = column(
        "Deferred income basis", "choice",
        "how a period longer than a month becomes income: in equal parts by whole"
        " months, or by days", required=True, default="Months",
        choices={"Months": ("month", "monthly"), "Days": ("day", "daily")},
    )  # fmt: skip
    debtors_account: Text = column(
        "Debtors account", "code", "the nominal account of what is owed to the practice",
        required=True, default="1100",
    )  # fmt: skip
    income_account: Text = column(
        "Income account", "code",
        "the nominal account of a product whose own Income account is blank",
        required=True, default="4000",
    )  # fmt: skip
    vat_account: Text = column(
        "VAT account", "code", "the nominal account of VAT on sales", required=True,
        default="2200",
    )  # fmt: skip
    deferred_account: Text = column(
        "Deferred income account", "code",
        "the nominal account of what is invoiced and not yet earned", required=True,
        default="2110",
    )  # fmt: skip
    max_drop: Money = column(
        "Max drop %", "percent", "guard drop: largest fall in members or rows",
        required=True, default="5", ge=0, expected=_SHARE,
    )  # fmt: skip
    max_joined: Money = column(
        "Max joined %", "percent", "guard joined: largest rise in active members",
        required=True, default="5", ge=0, expected=_SHARE,
    )  # fmt: skip
    max_changed: Money = column(
        "Max changed %", "percent",
        "guard changed: most rows whose membership, frequency or start changed",
        required=True, default="5", ge=0, expected=_SHARE,
    )  # fmt: skip
    max_price_change: Money = column(
        "Max price change %", "percent", "guard price: largest move of a price",
        required=True, default="25", ge=0, expected=_SHARE,
    )  # fmt: skip
    max_forecast_difference: Money = column(
        "Max forecast difference %", "percent",
        "guard forecast: largest difference from what the last accepted inputs would bill",
        required=True, default="100", ge=0, expected=_SHARE,
    )  # fmt: skip
    max_invoice_amount: Money = column(
        "Max invoice amount", "money", "guard amount: largest single invoice",
        required=True, default="10000", ge=0,
    )  # fmt: skip
    max_days_ahead: Whole = column(
        "Max days ahead", "whole", "guard date: most days past the last run",
        required=True, default="14", ge=0, le=_MOST_DAYS,
    )  # fmt: skip
    retention_years: Whole = column(
        "Retention years", "whole",
        "how long copies of a patient's data are kept before `membill forget` may take"
        " the names out", required=True, default="6", ge=1, le=100,
    )  # fmt: skip
    unsent_warning_days: Whole = column(
        "Unsent warning days", "whole",
        "days after which an invoice that is not sent yet is called late",
        required=True, default="14", ge=1, le=3660,
    )  # fmt: skip
    unsent_alarm_days: Whole = column(
        "Unsent alarm days", "whole",
        "days after which an invoice that is not sent yet is called very late",
        required=True, default="30", ge=1, le=3660,
    )  # fmt: skip

    class Config:
        name = "practice"
        title = "Settings"
