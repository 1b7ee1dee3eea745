"""The second implementation's reading: rows of text to values, or held. Plain Python.

Written from sections 1 and 2 of the contract. It knows nothing of the program.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

Row = dict[str, str]
Sheets = dict[str, list[Row]]


class Unreadable(Exception):
    """A cell that is not what its column holds."""


def day(text: str) -> date:
    """2026-03-04 or 04/03/2026; anything else is no date."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text)
    turned = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", text)
    if not found and not turned:
        raise Unreadable(text)
    year, month, at = found.groups() if found else reversed(turned.groups())
    try:
        return date(int(year), int(month), int(at))
    except ValueError:
        raise Unreadable(text) from None


def money(text: str) -> Decimal:
    """Pounds with at most two decimals."""
    if not re.fullmatch(r"\d+(\.\d{1,2})?", text):
        raise Unreadable(text)
    return Decimal(text)


def percent(text: str) -> Decimal:
    """A rate, such as 17.5."""
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise Unreadable(text)
    return Decimal(text)


def yes(text: str) -> bool:
    """Yes or No."""
    if text not in ("Yes", "No"):
        raise Unreadable(text)
    return text == "Yes"


def whole(text: str) -> int:
    """A whole number."""
    if not re.fullmatch(r"\d+", text):
        raise Unreadable(text)
    return int(text)


def frequency(text: str) -> str:
    """Monthly or Annual."""
    if text not in ("Monthly", "Annual"):
        raise Unreadable(text)
    return text


KINDS: dict[str, Callable[[str], Any]] = {
    "Monthly price": money, "Annual price": money, "Price": money, "Active": yes,
    "Rate %": percent, "Valid from": day, "Valid to": day, "Effective from": day,
    "Membership active": yes, "Billing frequency": frequency, "Start date": day,
    "End date": day, "Bill from": day, "Date of birth": day,
    "Payment terms (days)": whole, "Combine invoices": yes, "Quantity": whole,
    "Requested on": day, "Sent on": day,
}  # fmt: skip

REQUIRED = {
    "settings": ["Setting"],
    "tax_codes": ["Code", "Name", "Rate %"],
    "staff": ["User", "Name", "Role", "Active"],
    "roles": ["Role", "Products", "Patients", "Settings", "Invoices"],
    "products": ["Code", "Name", "Type", "Tax code", "Active"],
    "price_changes": ["Product code", "Effective from"],
    "contract_prices": ["Contact code", "Product code"],
    "patients": ["Patient ID", "First name", "Last name", "Membership active"],
    "contacts": ["Code", "Name"],
    "sent": ["Invoice number", "Sent on", "Sent to"],
    "invoice_requests": ["Request ID", "Patient ID", "Product code", "Requested on"],
}

KEYS = {
    "settings": ["Setting"], "tax_codes": ["Code"], "staff": ["User"],
    "roles": ["Role"], "products": ["Code"],
    "price_changes": ["Product code", "Effective from"],
    "contract_prices": ["Contact code", "Product code", "Valid from"],
    "patients": ["Patient ID"], "contacts": ["Code"], "sent": [],
    "invoice_requests": ["Request ID"],
}  # fmt: skip

# Where a blank cell says that it is the date itself which is not held against a row.
_WARNED_ONLY = ("Date of birth",)


@dataclass(frozen=True)
class Read:
    """A row as read: its key, its values, whether it is held, what cannot be understood."""

    key: tuple[str, ...]
    values: dict[str, Any]
    held: bool
    unread: frozenset[str] = frozenset()


def _values(row: Row) -> tuple[dict[str, Any], frozenset[str]]:
    """A row's values, and which of its cells cannot be understood."""
    values: dict[str, Any] = {}
    unread = set[str]()
    for title, text in row.items():
        values[title] = None
        if text == "":
            continue
        try:
            values[title] = KINDS.get(title, str)(text)
        except Unreadable:
            unread |= {title} - {*_WARNED_ONLY}
    return values, frozenset(unread)


def _breaks_a_rule(sheet: str, row: dict[str, Any]) -> bool:
    prices = [row.get(title) for title in ("Monthly price", "Annual price", "Price")]
    if sheet == "products":
        needed = prices[:2] if row["Type"] == "Membership" else prices[2:]
        return not any(price is not None for price in needed)
    if sheet in ("price_changes", "contract_prices"):
        first, last = row.get("Valid from"), row.get("Valid to")
        backwards = first is not None and last is not None and last < first
        return backwards or not any(price is not None for price in prices)
    if sheet == "patients":
        start, end = row["Start date"], row["End date"]
        wanting = row["Membership"] is None or start is None
        return bool(row["Membership active"] and wanting) or (
            start is not None and end is not None and end < start
        )
    return False


def read_rows(sheet: str, rows: list[Row]) -> list[Read]:
    """Every row but those that stand there a second time, alike in every cell.

    What cannot be understood is not compared: each of two such rows is held.
    """
    seen: list[Row] = []
    found: list[Read] = []
    for row in rows:
        values, unread = _values(row)
        if row in seen and not unread:
            continue
        seen.append(row)
        blank = any(row.get(title, "") == "" for title in REQUIRED[sheet])
        held = bool(unread) or blank or _breaks_a_rule(sheet, values)
        key = tuple(str(values[title] or "") for title in KEYS[sheet])
        found.append(Read(key, values, held, unread))
    if not KEYS[sheet]:
        return found
    keys = [read.key for read in found]
    return [replace(read, held=read.held or keys.count(read.key) > 1) for read in found]


def rows_of(read: list[Read]) -> dict[tuple[str, ...], Read]:
    """Rows by key; of rows that share one, all are held and one stands for them."""
    by_key: dict[tuple[str, ...], Read] = {}
    for row in read:
        by_key.setdefault(row.key, row)
    return by_key
