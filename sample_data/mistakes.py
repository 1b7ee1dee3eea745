"""The sample practice with the mistakes people make in it, and what each must lead to.

None of them stops the night: one run shows them all, bills everybody else and exits 3.
"""

from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipeline.problems import Severity
from sample_data.practice import SCHEMAS, Row, Sheets, practice
from sample_data.sheets import Formula, Quirks
from schemas.columns import about, columns, title_of

HELD, CHECK, FIXED = Severity.HELD, Severity.CHECK, Severity.FIXED

CSV_TABLES = ("contacts", "invoice_requests")
CONTACTS_ENCODING = "cp1252"
EXTRA_SHEET = "Rota"


@dataclass(frozen=True)
class Edit:
    """One mistake: in the row of `key`, the cell of `column` holds `typed`.

    `severity` is None where nothing need be said. A row added at the foot of the
    sheet is found by the key it was added with.
    """

    table: str
    key: str
    column: str
    typed: Any
    severity: Severity | None
    happens: str


@dataclass(frozen=True)
class Mistake:
    """One mistake and its place as people see it; no row means the sheet or file."""

    file: str
    sheet: str
    row: int | None
    column: str
    cell: str
    found: str
    severity: Severity | None
    happens: str


def _serial(day: date) -> int:
    """The number Excel keeps for a day."""
    return (day - date(1899, 12, 30)).days


# Where `typed` is KEEP the cell is as it was: the mistake is in how rows relate.
KEEP = object()

DATES = (
    Edit("patients", "P0001", "start_date", "31/01/2024", CHECK,
         "text, not a date cell; read as 31 January 2024 and billed"),
    Edit("patients", "P0002", "start_date", "31/02/2025", HELD,
         "no such day; the membership is held"),
    Edit("patients", "P0003", "start_date", "01/08/2025", CHECK,
         "text that could be read two ways; read as 1 August 2025, shown in words"),
    Edit("patients", "P0004", "start_date", _serial(date(2025, 11, 15)), CHECK,
         "the number Excel keeps for 15 November 2025; read as that day"),
    Edit("patients", "P0006", "end_date", date(2024, 3, 31), HELD,
         "ends before it starts; held"),
    Edit("patients", "P0007", "start_date", date(2025, 1, 25), HELD,
         "the period of 25 January is 65 days old: held until a Bill from is typed"),
    Edit("patients", "P0008", "start_date", "09/25/2024", HELD,
         "month first; held, never guessed"),
    Edit("patients", "P0010", "end_date", "n/a", FIXED,
         "taken as blank"),
    Edit("patients", "P0014", "end_date", "TBC", HELD,
         "no date yet; held"),
    Edit("patients", "P0016", "start_date", Formula("=#REF!", "#REF!"), HELD,
         "an error a broken formula left behind; held"),
    Edit("patients", "P0019", "start_date", datetime(2023, 3, 20, 9, 30), CHECK,
         "a time of day with the date; the day is used"),
    Edit("patients", "P0025", "start_date",
         Formula("=DATE(2025,12,10)", _serial(date(2025, 12, 10))), CHECK,
         "a formula where a date should be typed; the value Excel saved is used"),
    Edit("patients", "P0035", "start_date", None, HELD,
         "an active member without a Start date; held"),
    Edit("patients", "P0036", "date_of_birth", "17/05/12", CHECK,
         "a birth date with a two-digit year; left blank"),
    Edit("patients", "P0040", "bill_from", "1 March 2026", CHECK,
         "a date in words; read as 1 March 2026"),
)  # fmt: skip

KEYS = (
    Edit("patients", "P0005", "membership", "SLIVER", HELD,
         "no such product, did you mean SILVER; held"),
    Edit("patients", "P0009", "membership", KEEP, HELD,
         "Bronze is no longer sold (Active is No); held"),
    Edit("patients", "P0011", "patient_id", 10011, FIXED,
         "a number where an id is text; read as 10011"),
    Edit("patients", "P0017", "patient_id", KEEP, HELD,
         "the id stands on two rows that differ; both are held, never the first wins"),
    Edit("patients", "P0017 again", "patient_id", "P0017", HELD,
         "the other row of the same id; held"),
    Edit("patients", "P0020", "patient_id", None, HELD,
         "a patient without an id; held"),
    Edit("patients", "P0026", "bill_to", "FERRIE", HELD,
         "no such contact, did you mean FERRIES; held"),
    Edit("patients", "P0032", "bill_to", KEEP, HELD,
         "Tidewell no longer pays (Active is No in contacts.csv); held"),
    Edit("patients", "P0034", "membership", None, HELD,
         "an active member without a membership; held"),
    Edit("patients", "P0039", "last_edited_by", "zz", HELD,
         "nobody on the Staff sheet is called zz; the row is not used"),
    Edit("invoice_requests", "R002", "patient_id", "P0999", HELD,
         "no such patient; the request is held"),
    Edit("invoice_requests", "R003", "quantity", "two", HELD,
         "not a whole number; the request is held"),
    Edit("contacts", "ROWAN", "", KEEP, HELD,
         "one cell too many, from a comma without quotes; held with all it pays for"),
)  # fmt: skip

WORDS = (
    Edit("patients", "P0009", "billing_frequency", "Mthly", FIXED,
         "read as Monthly"),
    Edit("patients", "P0012", "email", "laurel@example.org; ben@example.org", CHECK,
         "two addresses in one cell; left blank, an invoice must not go to the"
         " wrong one"),
    Edit("patients", "P0013", "membership_active", "Y", FIXED,
         "read as Yes"),
    Edit("patients", "P0018", "membership_active", "Maybe", HELD,
         "neither Yes nor No; held"),
    Edit("patients", "P0021", "email", "plover(at)example.org", CHECK,
         "not an e-mail address; left blank"),
    Edit("patients", "P0022", "postcode", "ZZ2 22", CHECK,
         "not the shape of a postcode"),
    Edit("patients", "P0023", "phone", 7700900123, CHECK,
         "a number, so the leading 0 was lost"),
    Edit("patients", "P0027", "last_name", "=Lune", CHECK,
         "begins with = but is text; kept as text, also in the invoice"),
    Edit("patients", "P0029", "billing_frequency", "Weekly", HELD,
         "neither Monthly nor Annual; held"),
    Edit("patients", "P0030", "billing_frequency", None, HELD,
         "Gold is sold by the month and by the year; held until one is named"),
    Edit("patients", "P0033", "first_name", "Sorrel\u00a0 Jean", FIXED,
         "a double space, one of them non-breaking; read as one space"),
    Edit("patients", "P0038", "first_name", "SÃ¸ren", CHECK,
         "an accent that was garbled on its way; kept as it is"),
)  # fmt: skip

PRICES = (
    Edit("products", "GOLD", "income_account", 4000, FIXED,
         "a number where a code is text; read as 4000"),
    Edit("products", "FAMILY", "last_edited_by", "dd", HELD,
         "reception may not edit products; the row is not used, its members are held"),
    Edit("products", "STUDENT", "tax_code", "20", HELD,
         "a rate, not a code of the Tax codes sheet; its members are held"),
    Edit("products", "WELLBEING", "monthly_price", "24.99 pcm", HELD,
         "a price with words; the product and its members are held"),
    Edit("products", "CONSULT", "price", Decimal("85.005"), HELD,
         "more than two decimals; refused, never rounded"),
    Edit("products", "MEDS", "price", "£12.50", FIXED,
         "read as 12.50"),
    Edit("contract_prices", "FERRIES GOLD 2025-01-01", "", KEEP, HELD,
         "its Valid to runs into the next agreement: two prices for one day"),
    Edit("contract_prices", "FERRIES GOLD 2026-01-01", "", KEEP, HELD,
         "the other of the two prices for one day"),
    Edit("contract_prices", "FERRIES SILVER 2026-01-01", "last_edited_by", "ll", CHECK,
         "Lee has left (Active is No); the new row is not used"),
    Edit("contract_prices", "TIDEWELL CONSULT 2026-01-01", "product_code", "CONSLT",
         HELD, "no such product, did you mean CONSULT; held"),
    Edit("price_changes", "CONSULT 2026-04-01", "price", "(90.00)", HELD,
         "a price below nothing; held"),
)  # fmt: skip

# Mistakes of a whole row, column, sheet or file; QUIRKS below makes them.
LAYOUT = (
    Edit("patients", "P0024", "", KEEP, CHECK,
         "a hidden row; it is read and billed"),
    Edit("patients", "P0028", "", KEEP, HELD,
         "merged cells, address lines 1 and 2; the row is held"),
    Edit("patients", "EXAMPLE", "", KEEP, FIXED,
         "an example left in the sheet; skipped"),
    Edit("patients", "Total", "", KEEP, CHECK,
         "a row of totals under the patients; skipped"),
    Edit("patients", "", "phone", KEEP, CHECK,
         "a hidden column; it is read"),
    Edit("patients", "", "Favourite biscuit", KEEP, CHECK,
         "a column the program does not know; ignored"),
    Edit("patients", "", "town", KEEP, None,
         "the heading is spelled TOWN with a space after it; understood"),
    Edit("price_changes", "CONSULT 2026-04-01", "", KEEP, CHECK,
         "typed below the end of the Excel table; read"),
    Edit("contacts", "", "", KEEP, CHECK,
         "saved as Windows text, not UTF-8; read as such, accents to be checked"),
)  # fmt: skip

EDITS = DATES + KEYS + WORDS + PRICES + LAYOUT

# Cells that are no mistake by themselves but make one of those above.
_GROUNDWORK: tuple[tuple[str, str, str, Any], ...] = (
    ("settings", "Bill from", "value", date(2026, 1, 25)),
    ("products", "BRONZE", "active", "No"),
    ("contacts", "TIDEWELL", "active", "No"),
    ("contacts", "TIDEWELL", "name", "Tidewell Prévoyance"),
    ("contract_prices", "FERRIES GOLD 2025-01-01", "valid_to", date(2026, 6, 30)),
    ("patients", "P0014", "membership_active", "Yes"),
)

_MORE = ("rich tea", "ginger nut", "shortbread")


def practice_with_mistakes() -> Sheets:
    """Every sheet's rows with the mistakes typed in."""
    sheets = deepcopy(practice())
    _add_rows(sheets["patients"])
    places = {(table, key): row for table, key, row in _keys(sheets)}
    for table, key, column, value in _GROUNDWORK:
        places[table, key][column] = value
    for edit in EDITS:
        if edit.typed is not KEEP:
            places[edit.table, edit.key][edit.column] = edit.typed
    _note_mistakes(places)
    places["contacts", "ROWAN"]["more"] = ("second floor",)
    for row, biscuit in zip(sheets["patients"], _MORE, strict=False):
        row["more"] = (biscuit,)
    return sheets


def quirks() -> dict[str, Quirks]:
    """What was done to the sheets themselves, by table."""
    number = {(table, key): at for table, key, at in _numbered()}
    hidden, merged = number["patients", "P0024"], number["patients", "P0028"]
    return {
        "patients": Quirks(
            table=False,
            hidden_rows=(hidden,),
            hidden_columns=("phone",),
            merged=((merged, "address_line_1", "address_line_2"),),
            headings={"town": "TOWN "},
            more_headings=("Favourite biscuit",),
        ),
        "price_changes": Quirks(outside=1),
    }


def mistakes() -> tuple[Mistake, ...]:
    """Every mistake with the file, sheet, row, heading and cell where it stands."""
    number = {(table, key): at for table, key, at in _numbered()}
    return tuple(_placed(edit, number.get((edit.table, edit.key))) for edit in EDITS)


def _add_rows(patients: list[Row]) -> None:
    """A second row of one id, a forgotten example and a row of totals."""
    blank = dict.fromkeys(patients[0])
    again = patients[16] | {"patient_id": "P0017 again", "first_name": "Reid"}
    example = patients[0] | {"patient_id": "EXAMPLE"}
    total = blank | {"patient_id": "Total"}
    patients += [again, example, total]


def _note_mistakes(places: dict[tuple[str, str], Row]) -> None:
    """Each patient's Notes say what is wrong in the row, not which rule it shows."""
    said: dict[str, list[str]] = {}
    for edit in EDITS:
        if edit.table == "patients" and edit.key:
            said.setdefault(edit.key, []).append(edit.happens)
    for (table, key), row in places.items():
        if table == "patients":
            row["notes"] = "; ".join(said.get(key, [])) or None


def _keys(sheets: Sheets) -> list[tuple[str, str, Row]]:
    """Table, key and row of every row; a key of several columns is joined by spaces."""
    found = []
    for table, rows in sheets.items():
        names = [column.name for column in columns(SCHEMAS[table]) if column.key]
        for row in rows:
            found.append((table, " ".join(str(row[name]) for name in names), row))
    return found


def _numbered() -> list[tuple[str, str, int]]:
    """Table, key and row number of every row of the practice with mistakes."""
    sheets = practice()
    _add_rows(sheets["patients"])
    return [
        (table, key, at)
        for table, rows in sheets.items()
        for at, (_, key, _) in enumerate(_keys({table: rows}), start=2)
    ]


def _placed(edit: Edit, row: int | None) -> Mistake:
    """An edit as people see it."""
    schema = SCHEMAS[edit.table]
    titles = {column.name: column.title for column in columns(schema)}
    as_csv = edit.table in CSV_TABLES
    names = [*titles, "Favourite biscuit"]
    letter = chr(ord("A") + names.index(edit.column)) if edit.column else ""
    return Mistake(
        file=f"{edit.table}.csv" if as_csv else f"{about(schema)['file']}.xlsx",
        sheet=title_of(schema),
        row=row,
        column=titles.get(edit.column, edit.column),
        cell=f"{letter}{row or 1}" if letter and not as_csv else "",
        found=_shown(edit.typed),
        severity=edit.severity,
        happens=edit.happens,
    )


def _shown(typed: Any) -> str:
    """What was typed, for the list; '' where the cell is as it was."""
    if typed is KEEP:
        return ""
    if typed is None:
        return "(blank)"
    if isinstance(typed, Formula):
        return typed.text
    return f"{typed:%d %b %Y}" if type(typed) is date else str(typed)


MISTAKES = mistakes()
