"""Columns with ways to reach a person."""

import re

from pipeline.cells.answers import Kind, Parsed, check, how_to_write, wrong_kind
from pipeline.cells.spelling import DIGITS_KEPT, digits, show
from pipeline.cells.texts import SHORTENED
from schemas.columns import Column

_MAILBOX = re.compile(r"[^\s@,;:<>()\[\]\"\\.]+(?:\.[^\s@,;:<>()\[\]\"\\.]+)*")
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")
_LONGEST_EMAIL = 254
_LOST_ZERO = re.compile(r"[1237][0-9]{9}")
_POSTCODE = re.compile(
    r"[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|GIR ?0AA", re.IGNORECASE | re.ASCII
)


def _email(text: str, column: Column) -> Parsed:
    if text.count("@") > 1 and "@@" not in text:
        found = f"{show(text)} is more than one e-mail address, so it is left blank"
        repair = "keep the one address the invoice goes to"
        return check(None, "email-several", found, repair)
    mailbox, _, domain = text.partition("@")
    labels = domain.split(".")
    shaped = (
        len(text) <= _LONGEST_EMAIL
        and len(labels) > 1
        and len(labels[-1]) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
        and _MAILBOX.fullmatch(mailbox)
    )
    if shaped:
        return Parsed(text)
    found = f"{show(text)} is not an e-mail address, so it is left blank"
    return check(None, "not-email", found, how_to_write(column))


def _phone(text: str, column: Column) -> Parsed:
    if SHORTENED.fullmatch(text):
        found = f"{text} is a long number that lost its digits, so it is left blank"
        repair = "format the column as Text and type the number again"
        return check(None, "phone-digits-lost", found, repair)
    return _zero_lost(text) if _LOST_ZERO.fullmatch(text) else Parsed(text)


def _phone_number(value: float, column: Column) -> Parsed:
    if value != int(value) or not 0 < value < DIGITS_KEPT:
        return wrong_kind(value, column)
    return _zero_lost(show(value))


def _zero_lost(text: str) -> Parsed:
    found = f"{text} may have lost the 0 or + it began with"
    repair = "format the column as Text and type the number again"
    return check(text, "phone-zero-lost", found, repair)


def _postcode(text: str, column: Column) -> Parsed:
    if _POSTCODE.fullmatch(text):
        return Parsed(text)
    found = f"{show(text)} does not look like a UK postcode and is kept as typed"
    return check(text, "postcode-shape", found, "check it, such as AB1 2CD")


def _postcode_number(value: float, column: Column) -> Parsed:
    return _postcode(digits(value), column)


EMAIL = Kind(_email)
PHONE = Kind(_phone, _phone_number)
POSTCODE = Kind(_postcode, _postcode_number)
