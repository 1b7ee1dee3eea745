"""One cell to one value: what is understood, what is refused, and in which words."""

import unicodedata
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pandas as pd
import pyarrow as arrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cells import parse
from pipeline.cells.answers import Fault, Parsed
from pipeline.cells.spelling import CellError, canonical, heading, show
from pipeline.problems import Place, Problem, Severity
from schemas.arrow_types import ARROW
from schemas.columns import KINDS, Column

FREQUENCIES = {"Monthly": ("month", "mthly", "m"), "Annual": ("yearly", "yr", "a")}
MARCH = date(2026, 3, 4)
NONE = ""


def column(kind: str, name: str = "", **changes: object) -> Column:
    """A column of a kind: optional, and refusing what it cannot use, unless told."""
    offered = FREQUENCIES if kind == "choice" else {}
    plain = Column(
        name=name or "something",
        title="Something",
        kind=kind,
        meaning="",
        required=False,
        key=False,
        refers_to="",
        choices=offered,
        expected=" or ".join(offered) or KINDS[kind][1],
        example="",
        personal=False,
        loaded=True,
        default="",
        warn_only=False,
        type=KINDS[kind][0],
    )
    return replace(plain, **changes)


def outcome(parsed: Parsed) -> tuple[object, str]:
    """The value, and `SEVERITY code` or nothing."""
    fault = parsed.fault
    return parsed.value, f"{fault.severity.name} {fault.code}" if fault else NONE


def case(rule: str, *values: object) -> object:
    return pytest.param(*values, id=rule)


TEXT = [
    case("plain text is kept", "Ada", "Ada", NONE),
    case("accents are kept", "Núñez Søren Håkan", "Núñez Søren Håkan", NONE),
    case("a curly apostrophe is kept", "O’Neill", "O’Neill", NONE),
    case("a dash inside a name is kept", "Smith–Jones", "Smith–Jones", NONE),
    case("the surname NA is a name", "NA", "NA", NONE),
    case("the surname None is a name", "None", "None", NONE),
    case("the surname Null is a name", "Null", "Null", NONE),
    case("the surname True is a name", "True", "True", NONE),
    case("N/A is blank", "N/A", None, "FIXED blank-word"),
    case("a lone dash is blank", "-", None, "FIXED blank-word"),
    case("a lone dot is blank", " . ", None, "FIXED blank-word"),
    case("spaces around go", "  Ada ", "Ada", "FIXED space-trimmed"),
    case("double spaces go", "Ada  B", "Ada B", "FIXED space-trimmed"),
    case("a no-break space is a space", "A\xa0B", "A B", "FIXED space-trimmed"),
    case("zero-width spaces go", "A\u200bda\ufeff", "Ada", "FIXED space-trimmed"),
    case("a tab is a space", "A\tB", "A B", "FIXED space-trimmed"),
    case("a line break is a space", "1 Quay\r\nFlat 2", "1 Quay Flat 2", "FIXED line-break"),
    case("a last line break is trimmed", "Ada\n", "Ada", "FIXED space-trimmed"),
    case("control characters are refused", "A\x07da", None, "HELD control-character"),
    case("half a character is refused", "Ada\ud83d", None, "HELD control-character"),
    case("an end of text is refused", "Ada\x00", None, "HELD control-character"),
    case("what is no character is refused", "Ada\uffff", None, "HELD control-character"),
    case("a formula is text", "=1+1", "=1+1", "CHECK text-like-formula"),
    case("an at sign in front is text", "@ada", "@ada", "CHECK text-like-formula"),
    case("a plus in front is text", "+SUM(A1)", "+SUM(A1)", "CHECK text-like-formula"),
    case("a minus in front is text", "-2+3", "-2+3", "CHECK text-like-formula"),
    case("an international number is no formula", "+44 20 7946 0000", "+44 20 7946 0000", NONE),
    case("damaged letters are not changed", "ZoÃ«", "ZoÃ«", "CHECK text-garbled"),
    case("a damaged quote is not changed", "Oâ€™Neill", "Oâ€™Neill", "CHECK text-garbled"),
    case("a lost letter is pointed out", "Zo\ufffd", "Zo\ufffd", "CHECK text-garbled"),
    case("capital A tilde alone is fine", "SÃO JOÃO", "SÃO JOÃO", NONE),
    case("a number is its digits", 42, "42", NONE),
    case("a whole float has no .0", 42.0, "42", NONE),
    case("a float is as Excel shows it", 0.1 + 0.2, "0.3", NONE),
    case("a small float has no exponent", 1e-7, "0.0000001", NONE),
    case("digits beyond fifteen are doubted", 10**15, "1000000000000000", "CHECK digits-lost"),
    case("a date was text once", MARCH, "2026-03-04", "CHECK text-is-date"),
    case("a date at midnight too", datetime(2026, 3, 4), "2026-03-04", "CHECK text-is-date"),
    case(
        "a date with a time keeps it", datetime(2026, 3, 4, 9, 30), "2026-03-04 09:30:00",
        "CHECK text-is-date",
    ),
    case("a time was text once", time(9, 30), "09:30", "CHECK text-is-date"),
    case("a person may be called True", True, "True", NONE),
    case("the longest text is kept", "x" * 8_000, "x" * 8_000, NONE),
    case("longer text is refused", "x" * 8_001, None, "HELD text-too-long"),
    case("an error cell is refused", CellError("#REF!"), None, "HELD formula-error"),
    case("an error written out is refused", "#DIV/0!", None, "HELD formula-error"),
    case("a number sign is text", "#1 Quay", "#1 Quay", NONE),
]  # fmt: skip

ANSWER = [
    case("a date is ISO text", MARCH, "2026-03-04", NONE),
    case("a date at midnight too", datetime(2026, 3, 4), "2026-03-04", NONE),
    case("a time is text", time(9, 30), "09:30", NONE),
    case("a truth value is an answer", True, "Yes", NONE),
    case("a false one too", False, "No", NONE),
    case("a number is its digits", 42.0, "42", NONE),
    case("an equals sign makes no formula", "=1+1", "=1+1", "CHECK text-like-formula"),
]  # fmt: skip

REFERENCE = [
    case("any signs are a reference", "#12/A (old)", "#12/A (old)", NONE),
    case("a number is its digits", 4711, "4711", NONE),
    case("a broken number too", 12.5, "12.5", NONE),
    case("sixteen digits have been rounded", 1e15, None, "HELD code-digits-lost"),
    case("a shortened number has lost digits", "4.47E+11", None, "HELD code-digits-lost"),
    case("on the Continent too", "1,23E+15", None, "HELD code-digits-lost"),
    case("a date was a reference once", MARCH, None, "HELD code-is-date"),
    case("a time too", time(12, 30), None, "HELD code-is-date"),
    case("an equals sign makes no formula", "=1+1", "=1+1", "CHECK text-like-formula"),
]  # fmt: skip

CODE = [
    case("letters are a code", "GOLD", "GOLD", NONE),
    case("case is kept", "Gold-1", "Gold-1", NONE),
    case("leading zeros are kept", "00123", "00123", NONE),
    case("dots, slashes and spaces may be inside", "A.B/C D_E", "A.B/C D_E", NONE),
    case("spaces around go", " GOLD\xa0", "GOLD", "FIXED space-trimmed"),
    case("forty characters are a code", "x" * 40, "x" * 40, NONE),
    case("forty-one are not", "x" * 41, None, "HELD code-too-long"),
    case("a number is its digits", 123, "123", "FIXED number-as-code"),
    case("a whole float is its digits", 123.0, "123", "FIXED number-as-code"),
    case("1E5 turned into a number is those digits", 1e5, "100000", "FIXED number-as-code"),
    case("a broken number is no code", 12.5, None, "HELD code-is-number"),
    case("a negative number is no code", -12, None, "HELD code-is-number"),
    case("sixteen digits have been rounded", 1e15, None, "HELD code-digits-lost"),
    case("a shortened number has lost digits", "4.477E+11", None, "HELD code-digits-lost"),
    case("on the Continent too", "1,23E+15", None, "HELD code-digits-lost"),
    case("a date was a code once", datetime(2026, 3, 1), None, "HELD code-is-date"),
    case("a truth value is no code", True, None, "HELD not-code"),
    case("a time is no code", time(1, 2), None, "HELD time-unexpected"),
    case("a number sign is refused", "P#42", None, "HELD code-character"),
    case("Arabic digits are refused", "P٤٢", None, "HELD code-character"),
    case("a Cyrillic look-alike is refused", "Р042", None, "HELD code-character"),
    case("a long dash is refused", "P–42", None, "HELD code-character"),
    case("a dash in front is refused", "-42", None, "HELD code-character"),
    case("a line break at the end is trimmed", "P42\n", "P42", "FIXED space-trimmed"),
    case("none is blank", "none", None, "FIXED blank-word"),
    case("N/A is blank", "N/A", None, "FIXED blank-word"),
]  # fmt: skip

DATE = [
    case("a date is a date", MARCH, MARCH, NONE),
    case("a date at midnight is a date", datetime(2026, 3, 4), MARCH, NONE),
    case("a time of day is doubted", datetime(2026, 3, 4, 9), MARCH, "CHECK date-with-time"),
    case("ISO text is a date", "2026-03-04", MARCH, NONE),
    case("ISO text at midnight is a date", "2026-03-04 00:00:00", MARCH, NONE),
    case("ISO text with a T is a date", "2026-03-04T00:00:00", MARCH, NONE),
    case("ISO text with a time is doubted", "2026-03-04 09:30", MARCH, "CHECK date-with-time"),
    case("ISO text with spaces is trimmed", " 2026-03-04", MARCH, "FIXED space-trimmed"),
    case("a day above 12 is doubted", "25/03/2026", date(2026, 3, 25), "CHECK date-as-text"),
    case("day and month are read in that order", "04/03/2026", MARCH, "CHECK date-day-first"),
    case("dashes separate too", "04-03-2026", MARCH, "CHECK date-day-first"),
    case("dots separate too", "4.3.26", MARCH, "CHECK date-day-first"),
    case("midnight after it is nothing", "04/03/2026 00:00", MARCH, "CHECK date-day-first"),
    case("the same day and month leave no doubt of order", "05/05/2026", date(2026, 5, 5), "CHECK date-as-text"),
    case("mixed separators are refused", "04/03-2026", None, "HELD not-date"),
    case("the year may come first", "2026/3/4", MARCH, "CHECK date-as-text"),
    case("the month may be three letters", "4-Mar-26", MARCH, "CHECK date-as-text"),
    case("the month may be a word", "4 March 2026", MARCH, "CHECK date-as-text"),
    case("an ordinal is read", "4th March 2026", MARCH, "CHECK date-as-text"),
    case("a weekday is passed over", "Wednesday, 4 March 2026", MARCH, "CHECK date-as-text"),
    case("a month in words may come first", "March 4, 2026", MARCH, "CHECK date-as-text"),
    case("Sept is September", "1 Sept 2026", date(2026, 9, 1), "CHECK date-as-text"),
    case("no such month in words", "4 Marsh 2026", None, "HELD date-not-real"),
    case("two digits are this century", "4/3/99", date(2099, 3, 4), "CHECK date-day-first"),
    case("a bare day number is doubted", 46085, MARCH, "CHECK date-serial"),
    case("as a float too", 46085.0, MARCH, "CHECK date-serial"),
    case("as text too", "46085", MARCH, "CHECK date-serial"),
    case("the first day number", 20000, date(1954, 10, 3), "CHECK date-serial"),
    case("the last day number", 80000, date(2119, 1, 11), "CHECK date-serial"),
    case("a smaller number is no date", 19999, None, "HELD not-date"),
    case("a larger number is no date", 80001, None, "HELD not-date"),
    case("a broken day number is no date", 46085.5, None, "HELD not-date"),
    case("eight digits are no date", "20260304", None, "HELD not-date"),
    case("31 February is no date", "31/02/2026", None, "HELD date-not-real"),
    case("31 April is no date", "31/04/2026", None, "HELD date-not-real"),
    case("29 February needs a leap year", "29/02/2026", None, "HELD date-not-real"),
    case("ISO text must be real", "2026-02-30", None, "HELD date-not-real"),
    case("day nought is no date", "00/03/2026", None, "HELD date-not-real"),
    case("a month first is refused", "03/25/2026", None, "HELD date-month-first"),
    case("neither order fits", "02/30/2026", None, "HELD date-not-real"),
    case("a week date is no date", "2026-W10-3", None, "HELD not-date"),
    case("the last line break is no part", "2026-03-04\n", MARCH, "FIXED space-trimmed"),
    case("Arabic digits are no date", "٢٠٢٦-٠٣-٠٤", None, "HELD not-date"),
    case("before 1900 is refused", "01/01/1899", None, "HELD date-out-of-range"),
    case("1900 is not", date(1900, 1, 1), date(1900, 1, 1), NONE),
    case("2200 is not", date(2200, 12, 31), date(2200, 12, 31), NONE),
    case("after 2200 is refused", date(2201, 1, 1), None, "HELD date-out-of-range"),
    case("TBC is refused", "TBC", None, "HELD not-date"),
    case("a question mark is refused", "?", None, "HELD not-date"),
    case("n/a is blank", "n/a", None, "FIXED blank-word"),
    case("none is blank", "None", None, "FIXED blank-word"),
    case("ongoing is no start", "ongoing", None, "HELD not-date"),
    case("a truth value is no date", True, None, "HELD not-date"),
    case("a time is no date", time(9, 30), None, "HELD time-unexpected"),
    case("a length of time is no date", timedelta(days=1), None, "HELD time-unexpected"),
    case("an error is no date", CellError("#N/A"), None, "HELD formula-error"),
    case("not-a-number is no date", float("nan"), None, "HELD number-not-finite"),
]  # fmt: skip

MONEY = [
    case("a float is its decimal", 49.99, Decimal("49.99"), NONE),
    case("a whole number is pounds", 49, Decimal("49.00"), NONE),
    case("plain text is an amount", "49.99", Decimal("49.99"), NONE),
    case("plain text may leave the pence out", "49", Decimal("49.00"), NONE),
    case("one decimal is tens of pence", "49.9", Decimal("49.90"), NONE),
    case("pence alone are an amount", ".50", Decimal("0.50"), NONE),
    case("a sum's binary noise is none of ours", 0.1 + 0.2, Decimal("0.30"), NONE),
    case("noise below is none either", 49.989999999999995, Decimal("49.99"), NONE),
    case("a pound sign goes", "£49.99", Decimal("49.99"), "FIXED money-tidied"),
    case("GBP goes", "GBP 49.99", Decimal("49.99"), "FIXED money-tidied"),
    case("GBP behind goes", "49.99 gbp", Decimal("49.99"), "FIXED money-tidied"),
    case("thousands commas go", "1,200.00", Decimal("1200.00"), "FIXED money-tidied"),
    case("all together go", "£ 1,234,567.80", Decimal("1234567.80"), "FIXED money-tidied"),
    case("spaces around go", "49.99 ", Decimal("49.99"), "FIXED space-trimmed"),
    case("a comma for pence is refused", "49,99", None, "HELD money-comma"),
    case("continental writing is refused", "1.234,50", None, "HELD money-comma"),
    case("a comma in the wrong place is refused", "12,00.00", None, "HELD money-comma"),
    case("words behind are refused", "49.99 pcm", None, "HELD not-money"),
    case("Free is refused", "Free", None, "HELD not-money"),
    case("TBC is refused", "TBC", None, "HELD not-money"),
    case("an exponent in text is refused", "1e3", None, "HELD not-money"),
    case("an amount cut short is refused", "49.", None, "HELD not-money"),
    case("Arabic digits are refused", "٤٩", None, "HELD not-money"),
    case("a third decimal is never rounded", 49.995, None, "HELD money-decimals"),
    case("nor one in text", "49.994", None, "HELD money-decimals"),
    case("three decimals may be thousands", "1.200", None, "HELD money-decimals"),
    case("what noise cannot be is refused", 10.00000001, None, "HELD money-decimals"),
    case("nor a ninth decimal that was typed", 10.000000001, None, "HELD money-decimals"),
    case("a tiny amount is refused", 1e-7, None, "HELD money-decimals"),
    case("a negative number is refused", -5, None, "HELD money-negative"),
    case("a negative text is refused", "-5.00", None, "HELD money-negative"),
    case("brackets are negative", "(5.00)", None, "HELD money-negative"),
    case("a sign behind the pound sign is negative", "£-5", None, "HELD money-negative"),
    case("a minus behind is negative", "5.00-", None, "HELD money-negative"),
    case("a zero price is doubted", 0, Decimal("0.00"), "CHECK money-zero"),
    case("a zero in text too", "£0.00", Decimal("0.00"), "CHECK money-zero"),
    case("minus nought is nought", -0.0, Decimal("0.00"), "CHECK money-zero"),
    case("the largest amount is used", 9999999.99, Decimal("9999999.99"), NONE),
    case("a larger one is refused", 10_000_000, None, "HELD money-too-large"),
    case("a huge one is refused", 1e300, None, "HELD money-too-large"),
    case("a huge one in text is refused", "9" * 400, None, "HELD money-too-large"),
    case("infinity is refused", float("inf"), None, "HELD number-not-finite"),
    case("not-a-number is refused", float("nan"), None, "HELD number-not-finite"),
    case("a truth value is refused", True, None, "HELD not-money"),
    case("a date is refused", MARCH, None, "HELD date-unexpected"),
    case("a time is refused", time(1), None, "HELD time-unexpected"),
    case("a dash is blank", "-", None, "FIXED blank-word"),
    case("an error is refused", CellError("#VALUE!"), None, "HELD formula-error"),
]  # fmt: skip

PERCENT = [
    case("a number is per cent", 20, Decimal("20.00"), NONE),
    case("text is per cent", "17.5", Decimal("17.50"), NONE),
    case("nought is per cent", 0, Decimal("0.00"), NONE),
    case("one is per cent", 1, Decimal("1.00"), NONE),
    case("binary noise is none of ours", 0.07 * 100, Decimal("7.00"), NONE),
    case("the sign goes", "20%", Decimal("20.00"), "FIXED percent-sign"),
    case("the sign with a space goes", "20 %", Decimal("20.00"), "FIXED percent-sign"),
    case("a fraction is refused", 0.2, None, "HELD percent-fraction"),
    case("a fraction in text is refused", "0.175", None, "HELD percent-fraction"),
    case("less than one is asked about with its sign too", "0.5%", None, "HELD percent-fraction"),
    case("a third decimal is refused", 17.555, None, "HELD percent-decimals"),
    case("a negative one is left to the schema", -5, Decimal("-5.00"), NONE),
    case("the largest is used", "999.99", Decimal("999.99"), NONE),
    case("one too large to hold is refused", 1000, None, "HELD not-percent"),
    case("a word is refused", "standard", None, "HELD not-percent"),
    case("a truth value is refused", True, None, "HELD not-percent"),
]  # fmt: skip

WHOLE = [
    case("a whole number is one", 14, 14, NONE),
    case("a float without decimals is one", 14.0, 14, NONE),
    case("digits are one", "14", 14, NONE),
    case("a negative one is left to the schema", "-1", -1, NONE),
    case("decimals are refused", 14.5, None, "HELD not-whole"),
    case("decimals in text are refused", "14.0", None, "HELD not-whole"),
    case("words are refused", "30 days", None, "HELD not-whole"),
    case("the largest is used", 2**31 - 1, 2**31 - 1, NONE),
    case("the lowest in text too", f"-{2**31 - 1}", 1 - 2**31, NONE),
    case("one too large to hold is refused", 2**31, None, "HELD whole-too-large"),
    case("a huge one is refused", 10**400, None, "HELD whole-too-large"),
    case("a huge one in text is refused", "9" * 5000, None, "HELD whole-too-large"),
    case("a truth value is refused", True, None, "HELD not-whole"),
    case("a date is refused", MARCH, None, "HELD date-unexpected"),
]  # fmt: skip

YESNO = [
    case("Yes is yes", "Yes", True, NONE),
    case("no in any case is no", "nO", False, NONE),
    case("Y is yes", "Y", True, "FIXED yesno-synonym"),
    case("n is no", "n", False, "FIXED yesno-synonym"),
    case("TRUE in text is yes", "TRUE", True, "FIXED yesno-synonym"),
    case("a truth value is an answer", False, False, "FIXED yesno-synonym"),
    case("1 is yes", 1, True, "FIXED yesno-synonym"),
    case("0.0 is no", 0.0, False, "FIXED yesno-synonym"),
    case("0 in text is no", "0", False, "FIXED yesno-synonym"),
    case("a tick is yes", "✓", True, "FIXED yesno-synonym"),
    case("a coloured tick is yes", "✔\ufe0f", True, "FIXED yesno-synonym"),
    case("x may mean either", "x", None, "HELD not-yesno"),
    case("2 is no answer", 2, None, "HELD not-yesno"),
    case("a word is no answer", "maybe", None, "HELD not-yesno"),
    case("a date is no answer", MARCH, None, "HELD date-unexpected"),
]  # fmt: skip

CHOICE = [
    case("the word itself is chosen", "Monthly", "Monthly", NONE),
    case("case does not matter", "monthly", "Monthly", NONE),
    case("spaces around go", "Monthly ", "Monthly", "FIXED space-trimmed"),
    case("a synonym is understood", "mthly", "Monthly", "FIXED choice-synonym"),
    case("one letter is understood", "M", "Monthly", "FIXED choice-synonym"),
    case("another word is refused", "Weekly", None, "HELD not-choice"),
    case("a number is refused", 12, None, "HELD not-choice"),
    case("a truth value is refused", True, None, "HELD not-choice"),
    case("n/a is blank", "n/a", None, "FIXED blank-word"),
]  # fmt: skip

EMAIL = [
    case("an address is kept", "ada@example.org", "ada@example.org", NONE),
    case("its parts may be many", "a.b+c@mail.example.co.uk", "a.b+c@mail.example.co.uk", NONE),
    case("no at sign is none", "ada.example.org", None, "CHECK not-email"),
    case("no dot behind is none", "ada@example", None, "CHECK not-email"),
    case("two dots are none", "ada@example..org", None, "CHECK not-email"),
    case("a space is none", "ada @example.org", None, "CHECK not-email"),
    case("a last dot is none", "ada@example.org.", None, "CHECK not-email"),
    case("a dash begins no domain", "ada@-example.org", None, "CHECK not-email"),
    case("a very long one is none", "a" * 250 + "@b.org", None, "CHECK not-email"),
    case("two are none", "a@b.org; c@d.org", None, "CHECK email-several"),
    case("one with its sign twice is no second one", "a@@b.org", None, "CHECK not-email"),
    case("two with a comma are none", "a@b.org,c@d.org", None, "CHECK email-several"),
    case("none is blank", "none", None, "FIXED blank-word"),
]  # fmt: skip

PHONE = [
    case("text is kept", "020 7946 0000", "020 7946 0000", NONE),
    case("an international one is kept", "+44 20 7946 0000", "+44 20 7946 0000", NONE),
    case("a number may have lost its 0", 7700900123, "7700900123", "CHECK phone-zero-lost"),
    case("so may its digits as text", "7700900123", "7700900123", "CHECK phone-zero-lost"),
    case("a shortened number is left blank", "4.477E+11", None, "CHECK phone-digits-lost"),
    case("a broken number is none", 1.5, None, "HELD not-phone"),
    case("a date is none", MARCH, None, "HELD date-unexpected"),
]  # fmt: skip

POSTCODE = [
    case("a postcode is kept", "AB1 2CD", "AB1 2CD", NONE),
    case("small letters and no space will do", "ec1a1bb", "ec1a1bb", NONE),
    case("another shape is doubted and kept", "D02 AF30", "D02 AF30", "CHECK postcode-shape"),
    case("a number is doubted and kept", 90210, "90210", "CHECK postcode-shape"),
    case("a date is none", MARCH, None, "HELD date-unexpected"),
]  # fmt: skip


@pytest.mark.parametrize(("cell", "value", "fault"), TEXT)
def test_text(cell: object, value: object, fault: str) -> None:
    assert outcome(parse(cell, column("text"))) == (value, fault)


@pytest.mark.parametrize(("cell", "value", "fault"), ANSWER)
def test_answer(cell: object, value: object, fault: str) -> None:
    assert outcome(parse(cell, column("answer"))) == (value, fault)


@pytest.mark.parametrize(("cell", "value", "fault"), REFERENCE)
def test_reference(cell: object, value: object, fault: str) -> None:
    assert outcome(parse(cell, column("reference"))) == (value, fault)


@pytest.mark.parametrize(("cell", "value", "fault"), CODE)
def test_code(cell: object, value: object, fault: str) -> None:
    assert outcome(parse(cell, column("code"))) == (value, fault)


@pytest.mark.parametrize(("cell", "value", "fault"), DATE)
def test_date(cell: object, value: object, fault: str) -> None:
    parsed = parse(cell, column("date"))
    assert outcome(parsed) == (value, fault)
    assert not isinstance(parsed.value, datetime)


@pytest.mark.parametrize(("cell", "value", "fault"), MONEY)
def test_money(cell: object, value: object, fault: str) -> None:
    parsed = parse(cell, column("money"))
    # As text, so that 49.9 is not taken for 49.90.
    assert (str(parsed.value), outcome(parsed)[1]) == (str(value), fault)


@pytest.mark.parametrize(("cell", "value", "fault"), PERCENT)
def test_percent(cell: object, value: object, fault: str) -> None:
    parsed = parse(cell, column("percent"))
    assert (str(parsed.value), outcome(parsed)[1]) == (str(value), fault)


@pytest.mark.parametrize(("cell", "value", "fault"), WHOLE)
def test_whole(cell: object, value: object, fault: str) -> None:
    parsed = parse(cell, column("whole"))
    assert outcome(parsed) == (value, fault)
    assert not isinstance(parsed.value, float)


@pytest.mark.parametrize(("cell", "value", "fault"), YESNO)
def test_yesno(cell: object, value: object, fault: str) -> None:
    parsed = parse(cell, column("yesno"))
    assert outcome(parsed) == (value, fault)
    assert parsed.value is None or isinstance(parsed.value, bool)


@pytest.mark.parametrize(("cell", "value", "fault"), CHOICE)
def test_choice(cell: object, value: object, fault: str) -> None:
    assert outcome(parse(cell, column("choice"))) == (value, fault)


@pytest.mark.parametrize(("cell", "value", "fault"), EMAIL)
def test_email(cell: object, value: object, fault: str) -> None:
    assert outcome(parse(cell, column("email"))) == (value, fault)


@pytest.mark.parametrize(("cell", "value", "fault"), PHONE)
def test_phone(cell: object, value: object, fault: str) -> None:
    assert outcome(parse(cell, column("phone"))) == (value, fault)


@pytest.mark.parametrize(("cell", "value", "fault"), POSTCODE)
def test_postcode(cell: object, value: object, fault: str) -> None:
    assert outcome(parse(cell, column("postcode"))) == (value, fault)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", [None, "", "  ", "\xa0\t", "\u200b\ufeff", "\n"])
def test_a_blank_cell_is_no_fault(kind: str, cell: object) -> None:
    assert parse(cell, column(kind, required=True)) == Parsed(None)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"text", "answer", "reference"}))
@pytest.mark.parametrize("cell", [time(9, 30), timedelta(hours=30)])
def test_a_time_belongs_in_no_column_but_text(kind: str, cell: object) -> None:
    value, fault = outcome(parse(cell, column(kind)))
    assert (value, fault) == (None, "HELD time-unexpected")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("word", ["n/a", "N/A", "-", "."])
def test_a_word_for_nothing_is_no_answer_where_one_is_required(
    kind: str, word: str
) -> None:
    parsed = parse(word, column(kind, required=True))
    assert outcome(parsed) == (None, "HELD blank-word-required")


@pytest.mark.parametrize("word", ["ongoing", "Open", "CURRENT", "on-going"])
@pytest.mark.parametrize("name", ["end_date", "valid_to"])
def test_an_end_that_is_open_is_blank(name: str, word: str) -> None:
    assert outcome(parse(word, column("date", name))) == (None, "FIXED date-open")


def test_an_end_that_is_required_cannot_be_open() -> None:
    parsed = parse("ongoing", column("date", "end_date", required=True))
    assert outcome(parsed) == (None, "HELD not-date")


@pytest.mark.parametrize("cell", ["17/05/84", "17-May-84", "4.3.26"])
def test_a_birth_year_needs_four_digits(cell: str) -> None:
    born = column("date", "date_of_birth")
    assert outcome(parse(cell, born)) == (None, "HELD date-short-year")
    assert parse("17/05/1984", born).value == date(1984, 5, 17)


def test_the_word_none_is_chosen_where_it_is_offered() -> None:
    levels = column("choice", choices={"None": (), "View": (), "Edit": ()})
    assert outcome(parse("none", levels)) == ("None", NONE)
    required = replace(levels, required=True)
    assert outcome(parse("None", required)) == ("None", NONE)


@pytest.mark.parametrize("kind", KINDS)
def test_what_only_warns_is_left_blank(kind: str) -> None:
    held = parse("\x02", column(kind))
    warned = parse("\x02", column(kind, warn_only=True))
    assert outcome(held) == (None, "HELD control-character")
    assert outcome(warned) == (None, "CHECK control-character")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [CellError("#N/A"), "#N/A"])
def test_an_error_holds_its_row_also_where_others_only_warn(
    kind: str, error: object
) -> None:
    told = parse(error, column(kind, warn_only=True))
    assert outcome(told) == (None, "HELD formula-error")


MESSAGES = [
    ("text", CellError("#REF!"),
     "#REF! is an error left by a formula; correct the formula or type the value"),
    ("text", "x" * 40_000,
     "text of 40,000 characters is too long; shorten it to 8,000 characters"),
    ("text", " Ada ",
     "Ada had spare or invisible spaces; they are left out, nothing to do"),
    ("text", "1 Quay\nFlat 2",
     "1 Quay Flat 2 had a line break in it; it is read as a space, nothing to do"),
    ("text", "A\x07da",
     ("Ada has characters in it that cannot be shown or printed;"
     " clear the cell and type it again")),
    ("text", "=1+1",
     "=1+1 begins like a formula and is kept as text; check that it is meant so"),
    ("text", "ZoÃ«",
     ("ZoÃ« looks like Zoë, damaged by a change of file format;"
     " type it again if it is")),
    ("text", "Zo\ufffd",
     "Zo\ufffd looks damaged by a change of file format; type it again if it is"),
    ("text", 10**15,
     ("1000000000000000 has more digits than a spreadsheet keeps;"
     " format the cell as Text and type it again")),
    ("text", "N/A", "N/A is read as blank; nothing to do"),
    ("text", MARCH, "4 March 2026 is a date, which Excel makes of text such as 1-2;"
     " format the cell as Text and type it again"),
    ("required text", "-",
     "- stands for nothing, but Something is required; fill it in"),
    ("code", 42,
     ("the number 42 is read as code 42;"
     " format the column as Text if its codes begin with 0")),
    ("code", 12.5,
     "12.5 is a number, not a code; format the column as Text and type the code again"),
    ("code", 1e15,
     ("1000000000000000 has more digits than a spreadsheet keeps;"
     " format the column as Text and type the code again")),
    ("code", "4.477E+11",
     ("4.477E+11 is what spreadsheets make of a long number or of a code such as 1E5;"
     " format the column as Text and type the code again")),
    ("code", date(2026, 3, 1),
     ("1 March 2026 is a date, which Excel makes of codes such as MAR1 or 1-2;"
     " format the column as Text and type the code again")),
    ("code", True,
     ("TRUE is not a code;"
     " write a code of letters, digits, - _ . or /, such as GOLD")),
    ("code", "P#42",
     ("P#42 has the character # in it;"
     " begin with a letter or digit and use only letters, digits, - _ . or /")),
    ("code", "P٤",
     ("P٤ has the character ٤ (arabic-indic digit four) in it;"
     " begin with a letter or digit and use only letters, digits, - _ . or /")),
    ("code", "P\u0600\ue000",
     ("P?? has the character ? (arabic number sign) in it;"
     " begin with a letter or digit and use only letters, digits, - _ . or /")),
    ("code", "-42",
     ("-42 begins with -;"
     " begin with a letter or digit and use only letters, digits, - _ . or /")),
    ("code", "x" * 41, f"{'x' * 41} is longer than 40 characters; use a shorter code"),
    ("date", "31/02/2024",
     "31/02/2024 is not a date; write it as a date cell or as 2024-01-31"),
    ("date", "TBC", "TBC is not a date; write it as a date cell or as 2024-01-31"),
    ("date", "03/25/2026",
     ("03/25/2026 has the month first if it means 25 March 2026;"
     " write 25/03/2026 or 2026-03-25 if it does")),
    ("date", "04/03/2026",
     ("04/03/2026 is read as 4 March 2026;"
     " if that is right, write it as a date cell or as 2026-03-04")),
    ("date", "4-Mar-26",
     ("4-Mar-26 is read as 4 March 2026;"
     " if that is right, write it as a date cell or as 2026-03-04")),
    ("date", 46085,
     ("46085 is read as 4 March 2026;"
     " if that is right, write it as a date cell or as 2026-03-04")),
    ("date", datetime(2026, 3, 4, 9, 30),
     ("4 March 2026 09:30 is read as 4 March 2026, without the time of day;"
     " leave the time out if the day is right")),
    ("date", date(206, 3, 4), "4 March 206 is before 1900; correct the year"),
    ("date", "01/01/2926", "01/01/2926 is after 2200; correct the year"),
    ("date", time(9, 30),
     "09:30 is a time, not a date; write it as a date cell or as 2024-01-31"),
    ("birth date", "17/05/84",
     "17/05/84 has a year of two digits; write all four digits of the year"),
    ("end date", "ongoing", "ongoing is read as blank; nothing to do"),
    ("warning date", "31/02/2024",
     ("31/02/2024 is not a date, so it is left blank;"
     " write it as a date cell or as 2024-01-31")),
    ("money", "£1,200.00", "£1,200.00 is read as 1200.00; nothing to do"),
    ("money", "49,99",
     ("49,99 has a comma that may mean pence or thousands;"
     " write it with a full stop and no comma, such as 1234.50")),
    ("money", "49.99 pcm",
     ("49.99 pcm is not an amount;"
     " write an amount in pounds with at most two decimals, such as 49.99")),
    ("money", 49.995,
     ("49.995 has more than two decimals;"
     " write it to the penny, such as 49.99 or 50.00")),
    ("money", "1.200",
     "1.200 has more than two decimals; write it to the penny, such as 1.20"),
    ("money", "(5.00)",
     ("(5.00) is a negative amount;"
     " write the full price, and use a credit note to give money back")),
    ("money", 0,
     ("the amount is 0.00;"
     " leave it if nothing is to be charged, otherwise write the amount")),
    ("money", 12345678,
     "12345678 is more than 9,999,999.99; look for a lost decimal point"),
    ("money", float("inf"),
     ("inf is no number;"
     " write an amount in pounds with at most two decimals, such as 49.99")),
    ("money", date(2026, 3, 4),
     ("4 March 2026 is a date, not an amount; format the cell as General and"
     " write an amount in pounds with at most two decimals, such as 49.99")),
    ("yesno", "Yes/No", "Yes/No is not Yes or No; write Yes or No"),
    ("percent", 0.2, "0.2 is a fraction, not a percentage; write 20 for 20%"),
    ("percent", "0.2%", "0.2% is less than one per cent; write 20 for 20%"),
    ("percent", "20%", "20% is read as 20; nothing to do"),
    ("percent", 17.555,
     ("17.555 has more than two decimals;"
     " write a percentage between 0 and 100, such as 20")),
    ("percent", "standard",
     ("standard is not a percentage;"
     " write a percentage between 0 and 100, such as 20")),
    ("whole", "30 days",
     "30 days is not a whole number; write a whole number, such as 14"),
    ("whole", 99999999999,
     "99999999999 is too large; write a whole number, such as 14"),
    ("yesno", "Y", "Y is read as Yes; nothing to do"),
    ("yesno", "maybe", "maybe is not Yes or No; write Yes or No"),
    ("choice", "mthly", "mthly is read as Monthly; nothing to do"),
    ("choice", "12 months",
     "12 months is not one of the words offered; write Monthly or Annual"),
    ("choice", "Bi-monthly",
     "Bi-monthly is not one of the words offered; write Monthly or Annual"),
    ("choice", "Weekly",
     "Weekly is not one of the words offered; write Monthly or Annual"),
    ("choice", "Monhtly",
     ("Monhtly is not one of the words offered;"
     " write Monthly or Annual (did you mean Monthly?)")),
    ("email", "ada@example",
     ("ada@example is not an e-mail address, so it is left blank;"
     " write one e-mail address, such as name@example.org")),
    ("email", "a@b.org; c@d.org",
     ("a@b.org; c@d.org is more than one e-mail address, so it is left blank;"
     " keep the one address the invoice goes to")),
    ("phone", 7700900123,
     ("7700900123 may have lost the 0 or + it began with;"
     " format the column as Text and type the number again")),
    ("phone", 1.5,
     "1.5 is not a telephone number; write a telephone number, typed as text"),
    ("phone", "4.477E+11",
     ("4.477E+11 is a long number that lost its digits, so it is left blank;"
     " format the column as Text and type the number again")),
    ("postcode", "nowhere",
     ("nowhere does not look like a UK postcode and is kept as typed;"
     " check it, such as AB1 2CD")),
]  # fmt: skip

SPECIAL = {
    "required text": column("text", required=True),
    "birth date": column("date", "date_of_birth"),
    "end date": column("date", "end_date"),
    "warning date": column("date", warn_only=True),
}


def fault_of(cell: object, kind: str) -> Fault:
    fault = parse(cell, SPECIAL.get(kind) or column(kind)).fault
    assert fault is not None
    return fault


@pytest.mark.parametrize(
    ("kind", "cell", "message"),
    [case(f"{row[0]}: {row[2][:48]}", *row) for row in MESSAGES],
)
def test_messages_read_as_one_sentence(kind: str, cell: object, message: str) -> None:
    place = Place("patients.xlsx", "Patients", 2, "Something", "D2")
    fault = fault_of(cell, kind)
    problem = Problem(
        fault.severity, fault.code, place, fault.found, repair=fault.repair
    )
    assert str(problem) == f"patients.xlsx: Patients!D2: {message}"


def test_every_kind_of_fault_has_its_message_shown() -> None:
    tables = (TEXT, ANSWER, REFERENCE, CODE, DATE, MONEY, PERCENT, WHOLE, YESNO, CHOICE, EMAIL, PHONE, POSTCODE)  # fmt: skip
    codes = {row.values[2].split()[-1] for table in tables for row in table if row.values[2]}  # fmt: skip
    shown = {fault_of(cell, kind).code for kind, cell, _ in MESSAGES}
    assert codes <= shown


KEYS = [
    case("case does not matter", "GOLD", "gold"),
    case("spaces do not matter", " Go ld\xa0", "gold"),
    case("zero-width characters do not matter", "go\u200bld\ufeff", "gold"),
    case("leading zeros do not matter in a number", "00123", "123"),
    case("leading zeros matter in a code", "P0042", "p0042"),
    case("nothing but zeros is nought", "000", "0"),
    case("full-width characters are plain", "Ｐ４２", "p42"),
    case("full-width zeros go too", "００１２", "12"),
    case("dashes are one", "P–42—1", "p-42-1"),
    case("apostrophes are one", "O’Neill", "o'neill"),
    case("an accent as typed apart is the same", "Zoe\u0308", "zoë"),
    case("a sharp s is two", "Straße", "strasse"),
    case("Arabic digits stay what they are", "٠٠١", "٠٠١"),
]


@pytest.mark.parametrize(("spelling", "key"), KEYS)
def test_canonical(spelling: str, key: str) -> None:
    assert canonical(spelling) == key


HEADINGS = [
    case("underscores are spaces", "payment_terms_days", "Payment terms (days)"),
    case("a no-break space is a space", "Start\xa0date", "start date"),
    case("line breaks are spaces", "Start\ndate", "Start date"),
    case("a star and a colon fall away", "Code*:", "Code"),
    case("the per cent sign falls away", "rate_%", "Rate %"),
    case("curly quotes fall away", "Patient’s “ID”", "Patients ID"),
    case("dashes fall away", "Catch–up days", "Catchup days"),
]


@pytest.mark.parametrize(("one", "other"), HEADINGS)
def test_heading(one: str, other: str) -> None:
    assert heading(one) == heading(other)


def test_different_headings_stay_apart() -> None:
    assert heading("Bill from") != heading("Bill to")
    assert heading("Address line 1") != heading("Address line 2")


SHOWN = [
    case("a date has its month in words", MARCH, "4 March 2026"),
    case("midnight is not shown", datetime(2026, 3, 4), "4 March 2026"),
    case("a time of day is", datetime(2026, 3, 4, 9, 5), "4 March 2026 09:05"),
    case("a time is hours and minutes", time(9, 5), "09:05"),
    case("a whole float has no .0", 12.0, "12"),
    case("a float is as Excel shows it", 0.1 + 0.2, "0.3"),
    case("a truth value is as Excel shows it", True, "TRUE"),
    case("an error is its text", CellError("#N/A"), "#N/A"),
    case("control characters and line breaks go", "A\x1b[31m\nB", "A[31m B"),
    case("sixty characters are shown", "x" * 60, "x" * 60),
    case("more are cut", "x" * 61, "x" * 59 + "…"),
    case("nothing is blank", None, "blank"),
]


@pytest.mark.parametrize(("value", "text"), SHOWN)
def test_show(value: object, text: str) -> None:
    assert show(value) == text


FOUR_YEARS = [day.date() for day in pd.date_range("2023-03-01", "2027-03-01")]


def test_every_day_of_four_years_is_read_back_from_each_way_of_writing_it() -> None:
    reads = column("date")
    for day in FOUR_YEARS:
        number = (day - date(1899, 12, 30)).days
        ways = (f"{day}", f"{day:%d/%m/%Y}", f"{day:%d.%m.%y}", number, show(day))
        assert {parse(way, reads).value for way in ways} == {day}


def test_every_penny_to_a_hundred_pounds_is_exact_as_number_and_text() -> None:
    reads = column("money")
    for pence in range(1, 10_001):
        amount = Decimal(pence).scaleb(-2)
        assert parse(float(amount), reads) == Parsed(amount)
        assert parse(str(amount), reads) == Parsed(amount)


CELLS = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.text("0123456789-/.,£%()Ee +:", max_size=12),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.builds(CellError, st.sampled_from(["#REF!", "#N/A"])),
)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(cell=CELLS, kind=st.sampled_from(sorted(KINDS)), warn_only=st.booleans())
def test_any_cell_gives_a_value_of_its_type_or_a_reason(
    cell: object, kind: str, warn_only: bool
) -> None:
    parsed = parse(cell, column(kind, warn_only=warn_only))
    fault = parsed.fault
    if fault:
        held = fault.severity is Severity.HELD
        assert not (warn_only and held) or fault.code == "formula-error"
        assert not held or parsed.value is None
        said = {unicodedata.category(c) for c in fault.found + fault.repair}
        assert not said & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    # The very type the table will have: this raises if it does not fit.
    arrow.array([parsed.value], ARROW[KINDS[kind][0]])


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=20))
def test_a_key_compares_equal_to_itself_once_folded(key: str) -> None:
    assert canonical(canonical(key)) == canonical(key)
