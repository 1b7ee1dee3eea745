"""Mass faults: one slip that makes many rows wrong at once, as done to sheets in memory.

Each takes the sheets of a practice (a copy of its own) and the day, and spoils them.
"""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from benchmarks.simulated_practice import Row, Sheets, month_later, signed, times

Spoil = Callable[[Sheets, date], None]

_PRICES = ("Monthly price", "Annual price")


def _multiply(rows: list[Row], factor: str) -> None:
    for row in rows:
        for column in _PRICES:
            row[column] = times(row[column], factor)


def _priced(factor: str, code: str | None = None) -> Spoil:
    """Standard prices times a factor, of one product or of all."""
    return lambda sheets, day: _multiply(
        [row for row in sheets["products"] if code in (None, row["Code"])], factor
    )


def _gold_now(sheets: Sheets) -> Row:
    coming = [row for row in sheets["price_changes"] if row["Product code"] == "GOLD"]
    return coming[-1] if coming else sheets["products"][0]


def _coming(factor: str) -> Spoil:
    """A price change from next week on whose decimal point slipped."""

    def spoil(sheets: Sheets, day: date) -> None:
        now = _gold_now(sheets)
        sheets["price_changes"].append(
            signed(
                Product_code="GOLD", Effective_from=str(day + timedelta(days=6)),
                Monthly_price=times(now["Monthly price"], factor),
                Annual_price=times(now["Annual price"], factor),
            )
        )  # fmt: skip

    return spoil


def _contract_now(factor: str) -> Spoil:
    return lambda sheets, day: _multiply(sheets["contract_prices"], factor)


def _renewed(factor: str) -> Spoil:
    """A contract ended yesterday and renewed from today on, the decimal point slipped."""

    def spoil(sheets: Sheets, day: date) -> None:
        rows = sheets["contract_prices"]
        old = next(
            row
            for row in rows
            if row["Contact code"] == "ACME"
            and row["Valid from"] <= str(day) <= (row["Valid to"] or "9999")
        )
        rows.append({**old, "Valid from": str(day)})
        old["Valid to"] = str(day - timedelta(days=1))
        _multiply(rows[-1:], factor)

    return spoil


def _first_contract(factor: str) -> Spoil:
    """A payer's first price for a product, its decimal point slipped."""

    def spoil(sheets: Sheets, day: date) -> None:
        own = sheets["products"][1]
        sheets["contract_prices"].append(
            signed(
                Contact_code="ACME", Product_code="SILVER", Valid_from=str(day),
                Monthly_price=times(own["Monthly price"], factor),
                Annual_price=times(own["Annual price"], factor), Valid_to="",
            )
        )  # fmt: skip

    return spoil


def _fill(column: str, text: str) -> Spoil:
    """A column of Patients filled down with one value."""

    def spoil(sheets: Sheets, day: date) -> None:
        for row in sheets["patients"]:
            row[column] = text

    return spoil


def _filled_ends(days: int) -> Spoil:
    def spoil(sheets: Sheets, day: date) -> None:
        for row in sheets["patients"]:
            end = str(day + timedelta(days=days))
            row["End date"] = max(end, row["Start date"])

    return spoil


def _filled_bill_from(days: int) -> Spoil:
    def spoil(sheets: Sheets, day: date) -> None:
        _fill("Bill from", str(day + timedelta(days=days)))(sheets, day)

    return spoil


def _swap_frequencies(sheets: Sheets, day: date) -> None:
    other = {"Monthly": "Annual", "Annual": "Monthly"}
    for row in sheets["patients"]:
        row["Billing frequency"] = other[row["Billing frequency"]]


def _shift_starts(months: int) -> Spoil:
    def spoil(sheets: Sheets, day: date) -> None:
        for row in sheets["patients"]:
            if "/" not in row["Start date"]:
                start = date.fromisoformat(row["Start date"])
                row["Start date"] = str(month_later(start, months))

    return spoil


def _swap_days_and_months(sheets: Sheets, day: date) -> None:
    for row in sheets["patients"]:
        if "/" not in row["Start date"]:
            start = date.fromisoformat(row["Start date"])
            if start.day <= 12:
                row["Start date"] = str(start.replace(month=start.day, day=start.month))


def _prefix_ids(sheets: Sheets, day: date) -> None:
    for row in sheets["patients"]:
        row["Patient ID"] = f"NEW-{row['Patient ID']}"


def _sorted_alone(*names: str) -> Spoil:
    """Columns of Patients sorted without the others."""

    def spoil(sheets: Sheets, day: date) -> None:
        for name in names:
            values = sorted(row[name] for row in sheets["patients"])
            for row, value in zip(sheets["patients"], values, strict=True):
                row[name] = value

    return spoil


def _shifted_up(name: str) -> Spoil:
    """A cell deleted near the top, those below moved up by one row."""

    def spoil(sheets: Sheets, day: date) -> None:
        values = [row[name] for row in sheets["patients"]]
        moved = [*values[:5], *values[6:], values[-1]]
        for row, value in zip(sheets["patients"], moved, strict=True):
            row[name] = value

    return spoil


def _half_gone(sheets: Sheets, day: date) -> None:
    del sheets["patients"][::2]


def _cut_at_row_50(sheets: Sheets, day: date) -> None:
    del sheets["patients"][49:]


def _another_sheet(sheets: Sheets, day: date) -> None:
    """The patients of somebody else's practice."""
    _prefix_ids(sheets, day)
    for row in sheets["patients"]:
        row["First name"], row["Last name"] = row["Last name"], row["First name"]
        row["Date of birth"] = ""


def _turn_active(sheets: Sheets, day: date) -> None:
    for row in sheets["patients"]:
        row["Membership active"] = "Yes"


def _clear_ends(sheets: Sheets, day: date) -> None:
    _fill("End date", "")(sheets, day)


def _all_active_again(sheets: Sheets, day: date) -> None:
    _turn_active(sheets, day)
    _clear_ends(sheets, day)


def _tax_codes(sheets: Sheets, day: date) -> None:
    for row in sheets["products"]:
        row["Tax code"] = "EXEMPT" if row["Tax code"] == "STD" else "STD"


def _tax_rate(sheets: Sheets, day: date) -> None:
    sheets["tax_codes"][-1]["Rate %"] = "2"


def _set(setting: str, value: Callable[[str, date], str]) -> Spoil:
    def spoil(sheets: Sheets, day: date) -> None:
        for row in sheets["settings"]:
            if row["Setting"] == setting:
                row["Value"] = value(row["Value"], day)

    return spoil


def _other(text: str, day: date) -> str:
    return "No" if text == "Yes" else "Yes"


def _pasted_again(sheets: Sheets, day: date) -> None:
    """A fifth of the rows once more, under new ids."""
    rows = sheets["patients"]
    rows += [{**row, "Patient ID": f"{row['Patient ID']}B"} for row in rows[::5]]


def _shuffle_payers(sheets: Sheets, day: date) -> None:
    rng = Random(day.toordinal())
    payers = [row["Bill to"] for row in sheets["patients"]]
    rng.shuffle(payers)
    for row, payer in zip(sheets["patients"], payers, strict=True):
        row["Bill to"] = payer


FAULTS: dict[str, Spoil] = {
    "all prices times 100": _priced("100"),
    "all prices divided by 100": _priced("0.01"),
    "one product's price times 10": _priced("10", "SILVER"),
    "a price change times 10": _coming("10"),
    "a price change divided by 10": _coming("0.1"),
    "contract prices times 10": _contract_now("10"),
    "a renewed contract times 10": _renewed("10"),
    "a renewed contract divided by 10": _renewed("0.1"),
    "a first contract times 10": _first_contract("10"),
    "a first contract divided by 10": _first_contract("0.1"),
    "everybody inactive": _fill("Membership active", "No"),
    "everybody annual": _fill("Billing frequency", "Annual"),
    "everybody monthly": _fill("Billing frequency", "Monthly"),
    "frequencies swapped": _swap_frequencies,
    "start dates a month later": _shift_starts(1),
    "start dates a month earlier": _shift_starts(-1),
    "start dates a year later": _shift_starts(12),
    "start dates a year earlier": _shift_starts(-12),
    "day and month of start dates swapped": _swap_days_and_months,
    "one start date for everybody": _fill("Start date", "2024-01-15"),
    "Patient IDs with a prefix": _prefix_ids,
    "Patient IDs shifted up a row": _shifted_up("Patient ID"),
    "every second row gone": _half_gone,
    "the sheet cut at row 50": _cut_at_row_50,
    "another practice's patients": _another_sheet,
    "start dates sorted alone": _sorted_alone("Start date"),
    "start dates shifted up a row": _shifted_up("Start date"),
    "memberships sorted alone": _sorted_alone("Membership"),
    "names sorted alone": _sorted_alone("First name", "Last name"),
    "last names shifted up a row": _shifted_up("Last name"),
    "e-mail addresses sorted alone": _sorted_alone("Email"),
    "e-mail addresses shifted up a row": _shifted_up("Email"),
    "addresses sorted alone": _sorted_alone("Address line 1"),
    "all memberships one product": _fill("Membership", "FAMILY"),
    "Membership active filled down": _turn_active,
    "End dates cleared": _clear_ends,
    "active filled down and End dates cleared": _all_active_again,
    "End dates filled down, 10 days back": _filled_ends(-10),
    "End dates filled down, 10 days ahead": _filled_ends(10),
    "Bill to filled down": _fill("Bill to", "ACME"),
    "Bill to cleared": _fill("Bill to", ""),
    "Bill to shuffled": _shuffle_payers,
    "patients' Bill from filled down, a year back": _filled_bill_from(-365),
    "patients' Bill from filled down, a year ahead": _filled_bill_from(365),
    "Bill from of the settings 3 years back": _set(
        "Bill from", lambda text, day: "2021-01-01"
    ),
    "Bill from of the settings a year ahead": _set(
        "Bill from", lambda text, day: str(day + timedelta(days=365))
    ),
    "tax codes of all products changed": _tax_codes,
    "a tax rate of 20 typed as 2": _tax_rate,
    "Prices include tax flipped": _set("Prices include tax", _other),
    "VAT registered flipped": _set("VAT registered", _other),
    "a fifth of the rows pasted again": _pasted_again,
}

# Days gone wrong: the day asked for and the day the machine believes in.
WRONG_DAYS: dict[str, Callable[[date], tuple[date, date]]] = {
    "as-of a month ahead": lambda day: (day + timedelta(days=30), day),
    "as-of a year ahead": lambda day: (day + timedelta(days=365), day),
    "as-of a month back": lambda day: (day - timedelta(days=30), day),
    "as-of a year back": lambda day: (day - timedelta(days=365), day),
    "the machine's clock a month ahead": lambda day: (day + timedelta(days=30),) * 2,
    "the machine's clock a year ahead": lambda day: (day + timedelta(days=365),) * 2,
    "the machine's clock a month back": lambda day: (day - timedelta(days=30),) * 2,
    "the machine's clock a year back": lambda day: (day - timedelta(days=365),) * 2,
}
