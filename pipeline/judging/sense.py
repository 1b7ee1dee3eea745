"""Settings that make no sense, alone or beside another: each stops the night."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from stdnum import iban
from stdnum.gb import vat

from pipeline.cells.spelling import canonical, show
from pipeline.judging.meant import meant
from pipeline.ledger import Ledger


class Nonsense(NamedTuple):
    """A setting that makes no sense: its name, what was found, what to write instead."""

    setting: str
    code: str
    found: str
    repair: str


_Values = Mapping[str, object]  # None where a setting is unusable


def nonsense(ledger: Ledger, values: _Values) -> Iterator[Nonsense]:
    """What makes no sense of a practice's settings, by their names in `Practice`."""
    yield from _of_the_zone(values)
    yield from _of_the_prefixes(ledger, values)
    yield from _of_vat(values)
    yield from _of_the_bank(values)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zone_meant(typed: str) -> str:
    return meant(typed, {canonical(name): name for name in available_timezones()})


def _numbers_of_the_other(ledger: Ledger, prefix: str, kind: str) -> str | None:
    """The last number of another kind of document that begins so, in any letter case."""
    found: str | None = ledger.value(
        "select number from ledger.invoices where kind <> $2"
        " and starts_with(lower(number), lower($1))"
        " and regexp_full_match(substr(number, length($1) + 1), '[0-9]+')"
        " order by sequence desc limit 1",
        [prefix, kind],
    )
    return found


def _of_the_zone(values: _Values) -> Iterator[Nonsense]:
    zone = values["time_zone"]
    if zone and not _is_zone(str(zone)):
        yield Nonsense(
            "time_zone", "time-zone-unknown",
            f"Time zone: {show(zone)} is not a time zone",
            f"write a name such as Europe/London{_zone_meant(str(zone))}",
        )  # fmt: skip


def _of_the_prefixes(ledger: Ledger, values: _Values) -> Iterator[Nonsense]:
    invoices, credits = values["invoice_prefix"], values["credit_note_prefix"]
    if invoices and credits and _could_be_one(str(invoices), str(credits)):
        same = str(invoices).lower() == str(credits).lower()
        yield Nonsense(
            "credit_note_prefix", "prefixes-alike",
            f"Credit note prefix: {credits} is the Invoice prefix too" if same
            else f"Credit note prefix: with {credits} a credit note could have the number"
            f" of an invoice, since the Invoice prefix is {invoices}",
            "give invoices and credit notes a prefix each, such as INV- and CRN-",
        )  # fmt: skip
    for title, kind, prefix, others in (
        ("Invoice prefix", "invoice", invoices, "credit notes"),
        ("Credit note prefix", "credit_note", credits, "invoices"),
    ):
        used = prefix and _numbers_of_the_other(ledger, str(prefix), kind)
        if used:
            yield Nonsense(
                f"{kind}_prefix", "prefix-used",
                f"{title}: {others} have been numbered so, up to {used}",
                "write a prefix that has never been used, so that no number can be given"
                " twice",
            )  # fmt: skip


def _could_be_one(prefix: str, other: str) -> bool:
    """Whether a number of one series could be one of the other: prefix, then digits."""
    short, long = sorted((prefix.lower(), other.lower()), key=len)
    return re.fullmatch(re.escape(short) + "[0-9]*", long) is not None


def _of_vat(values: _Values) -> Iterator[Nonsense]:
    number = values["vat_number"]
    if not values["vat_registered"]:
        return
    if not number:
        yield Nonsense(
            "vat_number", "vat-number-missing",
            "VAT registered is Yes but the VAT number is blank",
            "write the practice's VAT number, or No in VAT registered",
        )  # fmt: skip
    elif not vat.is_valid(str(number)):
        yield Nonsense(
            "vat_number", "vat-number-wrong",
            f"VAT number: {show(number)} fails its check digits",
            "copy the number from the registration certificate",
        )  # fmt: skip


# The number that follows the word: a country, two check digits, and what may be its rest.
_IBAN = re.compile(r"\bIBAN\b\W*(?=([A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){4,30}))", re.I)
_SHORTEST_IBAN = 15


def _of_the_bank(values: _Values) -> Iterator[Nonsense]:
    """Patients pay by what is printed: the check digits of an IBAN must hold."""
    for number in _IBAN.findall(str(values["bank_details"] or "")):
        signs = re.sub("[ -]", "", number)  # words may follow the number
        ends = range(_SHORTEST_IBAN, len(signs) + 1)
        if not any(iban.is_valid(signs[:end]) for end in ends):
            yield Nonsense(
                "bank_details", "iban-wrong",
                f"Bank details: the IBAN {show(number)} fails its check digits",
                "copy it from a statement of the practice's account",
            )  # fmt: skip
