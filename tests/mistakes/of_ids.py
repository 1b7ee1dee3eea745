"""Mistakes with who and what is meant: 59 to 75."""

from datetime import date, datetime
from pathlib import Path

from mistakes.mistake import Mistake, member
from tests import practice
from tests.office import Shown


def _patients(*rows: dict[str, object]) -> dict[str, tuple[dict[str, object], ...]]:
    return {"patients": rows}


def _named(
    patient_id: str, first: str, last: str, **cells: object
) -> dict[str, object]:
    return member(patient_id, **cells) | {"First name": first, "Last name": last}  # type: ignore[arg-type]


def _sold(code: str, **cells: object) -> dict[str, object]:
    return {
        "Code": code, "Name": code.title(), "Type": "Membership", "Monthly price": 10.0,
        "Tax code": "EXEMPT", "Active": "Yes", "Last edited by": "mm", **cells,
    }  # fmt: skip


def _reused(folder: Path) -> None:
    cells = {"First name": "Zara", "Last name": "Yew", "Date of birth": "1999-09-09"}
    practice.change(folder, "patients", "P1", cells)


def _vanished(folder: Path) -> None:
    practice.remove(folder, "patients", "P2")


def _fewer(folder: Path) -> None:
    for number in range(24, 30):
        practice.remove(folder, "patients", f"P{number}")


MISTAKES = (
    Mistake(
        59, "The id is blank on a row with other cells", "The row is held.",
        (
            "Not billed | required-blank | patients.xlsx: Patients!A{r} | Patient ID is blank | a code of letters, digits, - _ . or /, such as GOLD | write a code of letters, digits, - _ . or /, such as GOLD",
        ), rows=_patients(member("") | {"Patient ID": None}),
    ),
    Mistake(
        60, "An id lost its leading zeros",
        "Ids are compared without leading zeros, so 123 is 00123; rows that then share"
        " one id are held.",
        (
            "Fixed for you | number-as-code | patients.xlsx: Patients!A{r1} | the number 123 is read as code 123 | a code of letters, digits, - _ . or /, such as GOLD | format the column as Text if its codes begin with 0",
            "Not billed | duplicate | patients.xlsx: Patients!A{r} | rows {r} and {r1} are for the same Patient ID, 00123, but differ | one row for each | keep the right row and delete the others, or give each its own Patient ID",
            "Not billed | duplicate | patients.xlsx: Patients!A{r1} | rows {r} and {r1} are for the same Patient ID, 123, but differ | one row for each | keep the right row and delete the others, or give each its own Patient ID",
        ), rows=_patients(member("00123"), member("") | {"Patient ID": 123}),
    ),
    Mistake(
        61, "The same row twice", "It is read once, and that is said.",
        (
            "Check | row-twice | patients.xlsx: Patients!A{r1} | the whole row stands here a second time and was read once | each row once | delete one of the two",
        ), rows=_patients(member("M61"), member("M61")),
    ),
    Mistake(
        62, "One id on rows that differ", "All of them are held.",
        (
            "Not billed | duplicate | patients.xlsx: Patients!A{r} | rows {r} and {r1} are for the same Patient ID, M62, but differ | one row for each | keep the right row and delete the others, or give each its own Patient ID",
            "Not billed | duplicate | patients.xlsx: Patients!A{r1} | rows {r} and {r1} are for the same Patient ID, M62, but differ | one row for each | keep the right row and delete the others, or give each its own Patient ID",
        ), rows=_patients(member("M62"), member("M62", membership="SILVER")),
    ),
    Mistake(
        63, "Ids that differ by case or spaces alone", "They are one id; all are held.",
        (
            "Not billed | duplicate | patients.xlsx: Patients!A{r} | rows {r} and {r1} are for the same Patient ID, M63, but differ | one row for each | keep the right row and delete the others, or give each its own Patient ID",
            "Not billed | duplicate | patients.xlsx: Patients!A{r1} | rows {r} and {r1} are for the same Patient ID, m 63, but differ | one row for each | keep the right row and delete the others, or give each its own Patient ID",
        ), rows=_patients(member("M63"), member("m 63", membership="SILVER")),
    ),
    Mistake(
        64, "Excel made a date of a code, or 100000 of 1E5",
        "The row is held. A whole number that is seen as one is read as a code.",
        (
            "Not billed | code-is-date | patients.xlsx: Patients!E{r} | 1 March 2026 is a date, which Excel makes of codes such as MAR1 or 1-2 | a code of letters, digits, - _ . or /, such as GOLD | format the column as Text and type the code again",
            "Not billed | code-digits-lost | patients.xlsx: Patients!E{r1} | 1.00E+05 is what spreadsheets make of a long number or of a code such as 1E5 | a code of letters, digits, - _ . or /, such as GOLD | format the column as Text and type the code again",
            "Fixed for you | number-as-code | patients.xlsx: Patients!E{r2} | the number 100000 is read as code 100000 | a code of letters, digits, - _ . or /, such as GOLD | format the column as Text if its codes begin with 0",
            "Not billed | unknown-code | patients.xlsx: Patients!E{r2} | 100000 is not in the sheet Products | a code of the sheet Products | write a code of the sheet Products, or add it there",
        ),
        rows=_patients(
            member("M64", membership=datetime(2026, 3, 1)),
            member("M64B", membership=Shown(1e5, "0.00E+00")),
            member("M64C", membership=1e5),
        ),
    ),
    Mistake(
        65, "A number of more than fifteen digits", "The row is held: digits are lost.",
        (
            "Not billed | code-digits-lost | patients.xlsx: Patients!A{r} | 1234567890123457024 has more digits than a spreadsheet keeps | a code of letters, digits, - _ . or /, such as GOLD | format the column as Text and type the code again",
        ), rows=_patients(member("") | {"Patient ID": 1234567890123456789.0}),
    ),
    Mistake(
        66, "An id now belongs to somebody else", "The row is held.",
        (
            "Not billed | id-reused | patients.csv: row 2, Patient ID | P1 was another person last time: name and date of birth have both changed | a Patient ID of their own for each person | give the new patient a new Patient ID and put back the old row",
        ), later=_reused,
    ),
    Mistake(
        67, "A member is gone from the sheet without an end",
        "It is said; beyond the guard drop the night stops.", (
            "Check | member-vanished | patients.csv | the active member P2 is no longer in the sheet, so nothing more is billed | members who leave get an End date | put the row back and write an End date, if that was not meant",
        ), later=_vanished,
    ),
    Mistake(
        68, "Far fewer members than last night", "The guard drop stops the night.", (
            "Stops the night | guard-drop | settings.csv: Max drop % | guard drop: active members fell from 22 to 15 and patient rows fell from 22 to 15 (largest: P2; P24; P25; P26; P27) | no more than the setting Max drop % allows | if this is wrong, put back the rows of Patients that are gone or ended; if this is right, let it through once with: membill bill --accept drop; the night goes on only with --accept price --accept forecast in it as well",
            "Check | member-vanished | patients.csv | the active member P24 is no longer in the sheet, so nothing more is billed | members who leave get an End date | put the row back and write an End date, if that was not meant",
            "Check | member-vanished | patients.csv | the active member P25 is no longer in the sheet, so nothing more is billed | members who leave get an End date | put the row back and write an End date, if that was not meant",
            "Check | member-vanished | patients.csv | the active member P26 is no longer in the sheet, so nothing more is billed | members who leave get an End date | put the row back and write an End date, if that was not meant",
            "Check | member-vanished | patients.csv | the active member P27 is no longer in the sheet, so nothing more is billed | members who leave get an End date | put the row back and write an End date, if that was not meant",
            "Check | member-vanished | patients.csv | the active member P28 is no longer in the sheet, so nothing more is billed | members who leave get an End date | put the row back and write an End date, if that was not meant",
            "Check | member-vanished | patients.csv | the active member P29 is no longer in the sheet, so nothing more is billed | members who leave get an End date | put the row back and write an End date, if that was not meant",
        ),
        later=_fewer,
    ),
    Mistake(
        69, "One person under two ids", "It is said.", (
            "Check | same-person-twice | patients.xlsx: Patients!A{r1} | M69B and M69 have the same name and date of birth | one row for each person | if they are one person, end one of the two",
            "Check | same-person-twice | patients.xlsx: Patients!A{r3} | M69D and M69C have the same name and e-mail address | one row for each person | if they are one person, end one of the two",
        ),
        rows=_patients(
            _named("M69", "Ada", "Twice", date_of_birth=date(1980, 1, 1)),
            _named("M69B", "Ada", "Twice", date_of_birth=date(1980, 1, 1)),
            _named("M69C", "Bea", "Twice", email="bea@example.org"),
            _named("M69D", "Bea", "Twice", email="Bea@example.org", date_of_birth=date(1980, 1, 1)),
            _named("M69E", "Cy", "Twice", email="bea@example.org"),
            _named("M69F", "Bea", "Twice"),
            _named("M69G", "Dot", "Twice", email="dot@example.org", date_of_birth=date(1950, 1, 1)),
            _named("M69H", "Dot", "Twice", email="dot@example.org", date_of_birth=date(1980, 1, 1)),
        ),
    ),
    Mistake(
        70, "A product code that is not there", "The row is held; the nearest is named.",
        (
            "Not billed | unknown-code | patients.xlsx: Patients!E{r} | SLIVER is not in the sheet Products | a code of the sheet Products | write a code of the sheet Products, or add it there; did you mean SILVER?",
        ), rows=_patients(member("M70", membership="SLIVER")),
    ),
    Mistake(
        71, "A product no longer sold, or without a price for the day",
        "Its members are held.", (
            "Not billed | product-inactive | patients.xlsx: Patients!E{r} | GONE is no longer sold (Active is No) | a product that is still sold | choose another membership, or set the product's Active to Yes",
            "Not billed | frequency-not-offered | patients.xlsx: Patients!F{r1} | SILVER has no price for Annual | a Billing frequency that the product has a price for | change the Billing frequency, or give the product that price",
        ),
        rows={
            "products": (_sold("GONE", Active="No"),),
            "patients": (
                member("M71", membership="GONE"),
                member("M71B", membership="SILVER", billing_frequency="Annual"),
            ),
        },
    ),
    Mistake(
        72, "A payer who is not there, or no longer active", "The row is held.", (
            "Not billed | unknown-code | patients.xlsx: Patients!J{r} | ACNE is not in the sheet Contacts | a code of the sheet Contacts | write a code of the sheet Contacts, or add it there; did you mean ACME?",
            "Not billed | payer-inactive | patients.xlsx: Patients!J{r1} | the contact OLD is no longer active | a contact who is active, or blank | name another contact, or clear Bill to so that the patient pays",
        ),
        rows={
            "contacts": ({"Code": "OLD", "Name": "Old Ltd", "Active": "No"},),
            "patients": (member("M72", bill_to="ACNE"), member("M72B", bill_to="OLD")),
        },
    ),
    Mistake(
        73, "A child without a payer", "It is billed, and that is said.", (
            "Check | birth-date | patients.xlsx: Patients!L{r} | the Date of birth makes a patient under 18 who is billed in person | a date of birth, and a payer for a child | check the date, and name in Bill to who pays",
        ),
        rows=_patients(member("M73", date_of_birth=date(2015, 1, 1))),
    ),
    Mistake(
        74, "An NHS number that fails its check digit",
        "Does not apply: no sheet has a column for NHS numbers.", applies=False,
    ),
    Mistake(
        75, "A VAT number or bank account that fails its check",
        "The practice's own VAT number stops the night, and so does an IBAN in its Bank"
        " details. Contacts have none.", (
            "Stops the night | vat-number-wrong | settings.csv: row 6, Value | VAT number: GB123456789 fails its check digits | text | copy the number from the registration certificate",
            "Stops the night | iban-wrong | settings.csv: row 7, Value | Bank details: the IBAN GB33 BUKB 2020 1555 5555 56 fails its check digits | text | copy it from a statement of the practice's account",
        ),
        settings={
            "VAT registered": "Yes", "VAT number": "GB123456789",
            "Bank details": "Harbour Lane Surgery, IBAN: GB33 BUKB 2020 1555 5555 56",
        },
    ),
)  # fmt: skip
