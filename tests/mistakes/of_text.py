"""Mistakes with text, and with ways to reach a person: 110 to 125."""

from mistakes.mistake import Mistake, member


def _with(
    number: int, heading: str, *values: object
) -> dict[str, tuple[dict[str, object], ...]]:
    return {
        "patients": tuple(
            member(f"M{number}{'ABCDEF'[n]}") | {heading: value}
            for n, value in enumerate(values)
        )
    }


MISTAKES = (
    Mistake(
        110, "Spare, double or invisible spaces, and tabs", "They are left out.",
        (
            "Fixed for you | space-trimmed | patients.xlsx: Patients!C{r} | Alder Smith had spare or invisible spaces | text | they are left out, nothing to do",
            "Fixed for you | space-trimmed | patients.xlsx: Patients!C{r1} | Alder had spare or invisible spaces | text | they are left out, nothing to do",
            "Fixed for you | space-trimmed | patients.xlsx: Patients!C{r2} | Al der had spare or invisible spaces | text | they are left out, nothing to do",
        ), rows=_with(110, "Last name", " Alder  Smith", "Alder\u200b", "Al\tder"),
    ),
    Mistake(
        111, "A line break in a name", "It is read as a space.",
        (
            "Fixed for you | line-break | patients.xlsx: Patients!C{r} | Alder Smith had a line break in it | text | it is read as a space, nothing to do",
        ), rows=_with(111, "Last name", "Alder\nSmith"),
    ),
    Mistake(
        112, "Curly quotes and dashes", "They are kept.", (),
        rows=_with(112, "Last name", "O’Neill–Smith"),
    ),
    Mistake(
        113, "People called Null, None, NA or True", "They are people.", (),
        rows=_with(113, "Last name", "Null", "None", "NA", "True"),
    ),
    Mistake(
        114, "A dash or n/a for nothing",
        "Blank where a cell may be; where it is required the row is held.",
        (
            "Not billed | blank-word-required | patients.xlsx: Patients!B{r2} | - stands for nothing, but First name is required | text | fill it in",
            "Fixed for you | blank-word | patients.xlsx: Patients!N{r} | - is read as blank | a telephone number, typed as text | nothing to do",
            "Fixed for you | blank-word | patients.xlsx: Patients!N{r1} | N/A is read as blank | a telephone number, typed as text | nothing to do",
        ), 
        rows={
            "patients": (
                member("M114A", phone="-"), member("M114B", phone="N/A"),
                member("M114C", first_name="-"),
            )
        },
    ),
    Mistake(
        115, "Letters damaged on the way (ZoÃ«)",
        "Kept as they are, with what was probably meant.",
        (
            "Check | text-garbled | patients.xlsx: Patients!B{r} | ZoÃ« looks like Zoë, damaged by a change of file format | text | type it again if it is",
        ), rows=_with(115, "First name", "ZoÃ«"),
    ),
    Mistake(
        116, "Text that begins like a formula",
        "Kept as text, never run, and that is said.",
        (
            "Check | text-like-formula | patients.xlsx: Patients!C{r} | =1+1 begins like a formula and is kept as text | text | check that it is meant so",
            "Check | text-like-formula | patients.xlsx: Patients!C{r1} | +Alder begins like a formula and is kept as text | text | check that it is meant so",
            "Check | text-like-formula | patients.xlsx: Patients!C{r2} | -Alder begins like a formula and is kept as text | text | check that it is meant so",
            "Check | text-like-formula | patients.xlsx: Patients!C{r3} | @Alder begins like a formula and is kept as text | text | check that it is meant so",
        ), rows=_with(116, "Last name", "=1+1", "+Alder", "-Alder", "@Alder"),
    ),
    Mistake(
        117, "Control characters",
        "The row is held: what cannot be seen cannot be judged.",
        (
            "Not billed | control-character | patients.xlsx: Patients!C{r} | Alder has characters in it that cannot be shown or printed | text | clear the cell and type it again",
        ), rows=_with(117, "Last name", "Al_x0007_der"),
    ),
    Mistake(
        118, "A telephone number that lost its 0, or its digits",
        "Kept, or left blank, and that is said.",
        (
            "Check | phone-zero-lost | patients.xlsx: Patients!N{r} | 7700900123 may have lost the 0 or + it began with | a telephone number, typed as text | format the column as Text and type the number again",
            "Check | phone-digits-lost | patients.xlsx: Patients!N{r1} | 4.477E+11 is a long number that lost its digits, so it is left blank | a telephone number, typed as text | format the column as Text and type the number again",
        ), rows=_with(118, "Phone", 7700900123, "4.477E+11"),
    ),
    Mistake(
        119, "An e-mail address that is none",
        "Left blank, and that is said; nothing is ever e-mailed.",
        (
            "Check | not-email | patients.xlsx: Patients!M{r} | ada@example is not an e-mail address, so it is left blank | one e-mail address, such as name@example.org | write one e-mail address, such as name@example.org",
        ), rows=_with(119, "Email", "ada@example"),
    ),
    Mistake(
        120, "Two e-mail addresses in one cell",
        "Left blank, so that no invoice reaches the wrong person, and that is said.",
        (
            "Check | email-several | patients.xlsx: Patients!M{r} | ada@example.org; bo@example.org is more than one e-mail address, so it is left blank | one e-mail address, such as name@example.org | keep the one address the invoice goes to",
        ), rows=_with(120, "Email", "ada@example.org; bo@example.org"),
    ),
    Mistake(
        121, "No address for a full VAT invoice",
        "The invoice is made, and that is said: only who reclaims the tax needs it, and"
        " most of what a practice sells carries none.",
        (
            "Check | practice-address-missing | settings.csv | VAT registered is Yes but the Practice address is blank, and a VAT invoice must show it | the address of the practice | write the Practice address; tonight's invoices go without it",
            "Check | address-missing | patients.csv: row 3, Address line 1 | an invoice of 660.00 with tax has no address of who pays | an address on an invoice with tax over 250.00 | write the address; tonight's invoice goes without it",
        ), settings={"VAT registered": "Yes", "VAT number": "GB980780684", "tax": "20"},
    ),
    Mistake(
        122, "A postcode that looks like none", "Kept, and that is said.",
        (
            "Check | postcode-shape | patients.xlsx: Patients!P{r} | 12345 does not look like a UK postcode and is kept as typed | a UK postcode, such as AB1 2CD | check it, such as AB1 2CD",
        ), rows=_with(122, "Postcode", "12345"),
    ),
    Mistake(
        123, "A company in a person's name",
        "Does not apply: nothing tells a company's name from a person's. Companies that"
        " pay are entered in Contacts.", applies=False,
    ),
    Mistake(
        124, "Clinical notes in the sheet",
        "The Notes are never loaded, and no other column is for text of that kind.", (),
        rows=_with(124, "Notes", "asthma, see letter"),
    ),
    Mistake(
        125, "A card or bank number in a note",
        "The Notes are never loaded, so it comes to no place where it could be looked at.",
        (), rows=_with(125, "Notes", "4929 1234 5678 9012"),
    ),
)  # fmt: skip
