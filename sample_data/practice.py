"""The sheets of the sample practice as rows, but for its patients.

Every name, address, number and price is made up: the postcodes belong to no place,
the telephone numbers are those kept for drama, the sort code to no bank.
"""

from datetime import date
from decimal import Decimal
from typing import Any

from pipeline.exports.input_sheets import setting_default
from sample_data.people import patients
from schemas import INPUTS, Practice
from schemas.columns import Schema, columns, name_of

Row = dict[str, Any]
Sheets = dict[str, list[Row]]

AS_OF = date(2026, 3, 31)
BILL_FROM = date(2026, 2, 1)
NEXT_YEAR_END = date(2026, 12, 31)

SCHEMAS: dict[str, Schema] = {name_of(schema): schema for schema in INPUTS}

# Settings that are not left at their default; all are written out in the sheet.
SETTINGS: Row = {
    "practice_name": "Dunmarrow Lane Practice",
    "practice_address": "1 Dunmarrow Lane, Dunmarrow, ZZ1 1AA",
    "practice_email": "accounts@dunmarrow.example.org",
    "practice_phone": "01632 960100",
    "company_number": "00000000",
    "vat_registered": "Yes",
    "vat_number": "GB999999973",
    "auto_invoice": "Yes",
    "bill_from": BILL_FROM,
    "bank_details": "Bank of Nowhere, sort code 00-00-00, account 00000000",
    "invoice_footer": "Dunmarrow Lane Practice is made up, and so is this invoice.",
}

TAX_CODES = (
    ("EXEMPT", "Exempt", 0, "mm"),
    ("ZERO", "Zero rated", 0, "mm"),
    ("STD", "Standard rate", 20, "mm"),
)

STAFF = (
    ("mm", "Mo Manager", "Manager", "Yes"),
    ("dd", "Di Desk", "Reception", "Yes"),
    ("aa", "Al Accountant", "Accounts", "Yes"),
    ("ll", "Lee Leaver", "Reception", "No"),
)

ROLES = (
    ("Manager", "Edit", "Edit", "Edit", "Edit"),
    ("Reception", "View", "Edit", "View", "Edit"),
    ("Accounts", "View", "None", "View", "Edit"),
)


def _pounds(text: str) -> Decimal | None:
    """An amount as typed, None for ''."""
    return Decimal(text) if text else None


def _products() -> list[Row]:
    """Eight products: six memberships, two things sold one at a time."""
    listed = (
        ("GOLD", "Gold membership", "49.99", "549.00", "", "EXEMPT", "4000"),
        ("SILVER", "Silver membership", "29.99", "329.00", "", "EXEMPT", "4000"),
        ("BRONZE", "Bronze membership", "15.00", "", "", "EXEMPT", "4000"),
        ("FAMILY", "Family membership", "85.00", "935.00", "", "EXEMPT", "4000"),
        ("STUDENT", "Student membership", "", "120.00", "", "EXEMPT", "4000"),
        ("WELLBEING", "Wellbeing club", "24.99", "269.00", "", "STD", "4010"),
        ("CONSULT", "Consultation", "", "", "85.00", "EXEMPT", "4100"),
        ("MEDS", "Dispensed medicine", "", "", "12.50", "ZERO", "4200"),
    )
    described = {
        "GOLD": "Unlimited appointments and an annual check",
        "SILVER": "Six appointments a year",
        "BRONZE": "Telephone advice; sold by the month only",
        "FAMILY": "Two adults and their children under 18",
        "STUDENT": "For full-time students; sold by the year only",
        "WELLBEING": "Classes and the gymnasium: taxed, it is no treatment",
        "CONSULT": "One appointment of 20 minutes",
        "MEDS": "One item on prescription",
    }
    types = {"CONSULT": "Consultation", "MEDS": "Dispensary"}
    return _rows(
        "products",
        *(
            (
                code, name, types.get(code, "Membership"), described[code],
                _pounds(monthly), _pounds(annual), _pounds(price), tax_code,
                "X0100" if code == "CONSULT" else None, account, "Yes", "mm",
            )
            for code, name, monthly, annual, price, tax_code, account in listed
        ),
    )  # fmt: skip


def _contract_prices() -> list[Row]:
    """What the employer and the insurer have agreed; one agreement follows another."""
    old, new = date(2025, 1, 1), date(2026, 1, 1)
    first, second = _pounds("42.00"), _pounds("44.00")
    return _rows(
        "contract_prices",
        ("FERRIES", "GOLD", first, None, None, old, date(2025, 12, 31), "mm"),
        ("FERRIES", "GOLD", second, _pounds("480"), None, new, NEXT_YEAR_END, "mm"),
        ("FERRIES", "SILVER", _pounds("26.50"), None, None, new, None, "mm"),
        ("TIDEWELL", "CONSULT", None, None, _pounds("75.00"), new, None, "mm"),
    )


def _price_changes() -> list[Row]:
    """A change within the sample night, and two that lie ahead of it."""
    april = date(2026, 4, 1)
    return _rows(
        "price_changes",
        ("SILVER", date(2026, 3, 1), _pounds("31.00"), _pounds("339.00"), None, "mm"),
        ("GOLD", april, _pounds("52.00"), _pounds("569.00"), None, "mm"),
        ("CONSULT", april, None, None, _pounds("90.00"), "mm"),
    )


def _contacts() -> list[Row]:
    """An employer who wants one invoice, an insurer, and a mother who pays."""
    return _rows(
        "contacts",
        (
            "FERRIES", "Saltmere Ferries Ltd", "Employer", "ledger@ferries.example.org",
            "01632 960201", "Ferry House", "2 Upper Strand", "Saltmere Bay", "ZZ2 2AB",
            "SALT01", 30, "Yes", "Yes",
        ),
        (
            "TIDEWELL", "Tidewell Mutual", "Insurer", "claims@tidewell.example.org",
            "01632 960202", "PO Box 7", None, "Otterwick Quay", "ZZ4 4AB",
            "TIDE01", 28, "No", "Yes",
        ),
        (
            "ROWAN", "Mrs Acacia Rowan", "Family", "acacia.rowan@example.org",
            "07700 900203", "100 Upper Strand", None, "Little Wexing", "ZZ3 7AB",
            "ROWA01", None, "No", "Yes",
        ),
    )  # fmt: skip


def _invoice_requests() -> list[Row]:
    """What reception has put on invoices by hand."""
    march = [date(2026, 3, day) for day in (12, 18, 20, 25)]
    return _rows(
        "invoice_requests",
        ("R001", "P0033", "CONSULT", 1, None, "TIDEWELL", march[0], "dd"),
        ("R002", "P0021", "CONSULT", None, None, None, march[1], "dd"),
        ("R003", "P0023", "WELLBEING", 1, "Monthly", None, march[2], "dd"),
        ("R004", "P0001", "MEDS", 2, None, None, march[3], "dd"),
    )


def practice() -> Sheets:
    """Every sheet's rows, by table name; dates and decimals as themselves."""
    return {
        "settings": _rows("settings", *_settings()),
        "tax_codes": _rows("tax_codes", *TAX_CODES),
        "staff": _rows("staff", *STAFF),
        "roles": _rows("roles", *ROLES),
        "products": _products(),
        "price_changes": _price_changes(),
        "contract_prices": _contract_prices(),
        "patients": patients(),
        "contacts": _contacts(),
        "sent": [],
        "invoice_requests": _invoice_requests(),
    }


def _settings() -> list[tuple[Any, ...]]:
    """All settings with their values, so that people see what there is to set."""
    return [
        (column.title, SETTINGS.get(column.name, setting_default(column)), "mm")
        for column in columns(Practice)
    ]


def _rows(table: str, *values: tuple[Any, ...]) -> list[Row]:
    """Rows by field name from values in the order of the table's columns."""
    names = [column.name for column in columns(SCHEMAS[table])]
    return [dict(zip(names, row, strict=True)) for row in values]
