"""Columns of amounts, percentages and whole numbers."""

import re
from decimal import Decimal

from pipeline.cells.answers import (
    Kind,
    Parsed,
    check,
    fixed,
    held,
    how_to_write,
    wrong_kind,
)
from pipeline.cells.spelling import show
from schemas.columns import Column, Rate

LARGEST_AMOUNT = Decimal("9999999.99")
LARGEST_PERCENT = Decimal("999.99")
LARGEST_WHOLE = 2**31 - 1

_PENNY = Decimal("0.01")
# What binary arithmetic adds to a sum of pennies, far below any decimal typed.
_NOISE = Decimal("1e-9")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
_POUNDS = re.compile(
    r"(?:£|GBP)? ?((?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?) ?(?:GBP)?",
    re.IGNORECASE,
)
_NEGATIVE = re.compile(
    r"(?:£|GBP)? ?[-−–(] ?(?:£|GBP)? ?[0-9][0-9.,]*\)?|[0-9][0-9.,]* ?(?:-|CR)",
    re.IGNORECASE,
)
_COMMA = re.compile(r"(?:£|GBP)? ?[0-9][0-9.]*,[0-9.,]*", re.IGNORECASE)
_PERCENT = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?) ?(%?)")
_WHOLE = re.compile(r"-?[0-9]+")
_MOST_DIGITS = len(str(-LARGEST_WHOLE))


def _money(text: str, column: Column) -> Parsed:
    if _NUMBER.fullmatch(text):
        return _amount(Decimal(text), text)
    if match := _POUNDS.fullmatch(text):
        parsed = _amount(Decimal(match[1].replace(",", "")), text)
        if parsed.fault:
            return parsed
        found = f"{text} is read as {parsed.value}"
        return fixed(parsed.value, "money-tidied", found)
    if _NEGATIVE.fullmatch(text):
        return _negative(text)
    if _COMMA.fullmatch(text):
        found = f"{show(text)} has a comma that may mean pence or thousands"
        repair = "write it with a full stop and no comma, such as 1234.50"
        return held("money-comma", found, repair)
    return wrong_kind(text, column)


def _money_number(value: float, column: Column) -> Parsed:
    return _amount(_exactly(value), show(value))


def _exactly(value: float) -> Decimal:
    """The decimal a number cell was typed as, binary noise taken off."""
    typed = Decimal(repr(value))
    if abs(typed) > LARGEST_AMOUNT:
        return typed
    near = typed.quantize(_PENNY)
    return near if abs(typed - near) < _NOISE else typed


def _amount(amount: Decimal, shown: str) -> Parsed:
    """An amount as it may be charged: not negative, in whole pennies, of a real size."""
    if amount < 0:
        return _negative(shown)
    if amount > LARGEST_AMOUNT:
        found = f"{show(shown)} is more than {LARGEST_AMOUNT:,}"
        return held("money-too-large", found, "look for a lost decimal point")
    if _decimals(amount) > 2:
        low = amount.quantize(_PENNY, "ROUND_FLOOR")
        near = f"{low}" if low == amount else f"{low} or {low + _PENNY}"
        found = f"{show(shown)} has more than two decimals"
        return held("money-decimals", found, f"write it to the penny, such as {near}")
    pence = abs(amount.quantize(_PENNY))
    if not pence:
        repair = "leave it if nothing is to be charged, otherwise write the amount"
        return check(pence, "money-zero", "the amount is 0.00", repair)
    return Parsed(pence)


def _negative(shown: str) -> Parsed:
    found = f"{shown} is a negative amount"
    repair = "write the full price, and use a credit note to give money back"
    return held("money-negative", found, repair)


def _decimals(amount: Decimal) -> int:
    """How many decimals were written: 2 for 1.20, 3 for 1.200, which may mean 1,200."""
    return max(0, -int(amount.as_tuple().exponent))


def _percent(text: str, column: Column) -> Parsed:
    match = _PERCENT.fullmatch(text)
    if not match:
        return wrong_kind(text, column)
    parsed = _rate(Decimal(match[1]), text, column, signed=bool(match[2]))
    if parsed.fault or not match[2]:
        return parsed
    return fixed(parsed.value, "percent-sign", f"{text} is read as {match[1]}")


def _percent_number(value: float, column: Column) -> Parsed:
    return _rate(_exactly(value), show(value), column)


def _rate(rate: Decimal, shown: str, column: Column, *, signed: bool = False) -> Parsed:
    """A percentage; one below one is a fraction such as 0.2, or 0.2% for want of care."""
    # A share, of which a guard may allow as much as somebody likes, is no rate of tax.
    if abs(rate) > (LARGEST_PERCENT if column.type == Rate else LARGEST_AMOUNT):
        return wrong_kind(shown, column)
    if 0 < rate < 1:
        per_cent = f"{(rate * 100).normalize():f}"
        found = f"{show(shown)} is a fraction, not a percentage"
        if signed:
            found = f"{show(shown)} is less than one per cent"
        return held("percent-fraction", found, f"write {per_cent} for {per_cent}%")
    if _decimals(rate) > 2:
        found = f"{show(shown)} has more than two decimals"
        return held("percent-decimals", found, how_to_write(column))
    return Parsed(rate.quantize(_PENNY))


def _whole(text: str, column: Column) -> Parsed:
    if not _WHOLE.fullmatch(text):
        return wrong_kind(text, column)
    if len(text) > _MOST_DIGITS:
        return _too_large(text, column)
    return _whole_number(int(text), column)


def _whole_number(value: float, column: Column) -> Parsed:
    if value != int(value):
        return wrong_kind(value, column)
    if abs(value) > LARGEST_WHOLE:
        return _too_large(value, column)
    return Parsed(int(value))


def _too_large(value: object, column: Column) -> Parsed:
    return held("whole-too-large", f"{show(value)} is too large", how_to_write(column))


MONEY = Kind(_money, _money_number)
PERCENT = Kind(_percent, _percent_number)
WHOLE = Kind(_whole, _whole_number)
