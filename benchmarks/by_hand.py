"""What a practice would write for itself: pandas, openpyxl and a list of what was billed.

`python -m benchmarks.by_hand FOLDER 2026-03-20` bills the workbooks of a folder. It bills
the same lines as membill from sheets without mistakes, and does none of the rest: a row
that it cannot use is passed over, nothing is checked against yesterday or proved.
What was billed is kept in by_hand/billed.csv, and everything is written beside it.
"""

import sys
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd
from dateutil.relativedelta import relativedelta
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font

PENNY = Decimal("0.01")
COLUMNS = [
    "number", "issued_on", "payer", "patient_id", "patient", "product", "description",
    "period_start", "period_end", "net", "tax", "gross",
]  # fmt: skip


def read_sheet(folder, workbook, sheet):
    """The rows of a sheet as dictionaries, blanks as None."""
    file = folder / f"{workbook}.xlsx"
    frame = pd.read_excel(file, sheet_name=sheet, engine="openpyxl")
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def as_day(value):
    """A cell as a date, or None."""
    if isinstance(value, datetime):
        return value.date()
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        return None


def as_money(value):
    """A cell as an amount, or None."""
    return None if value is None else Decimal(str(value)).quantize(PENNY)


class Prices:
    """Contract prices, price changes and the products' own prices."""

    def __init__(self, folder):
        self.products = {
            row["Code"]: row for row in read_sheet(folder, "products", "Products")
        }
        self.changes = {}
        for row in read_sheet(folder, "products", "Price changes"):
            self.changes.setdefault(row["Product code"], []).append(
                (as_day(row["Effective from"]), row)
            )
        for changes in self.changes.values():
            changes.sort(key=lambda change: change[0])
        self.contracts = {}
        for row in read_sheet(folder, "products", "Contract prices"):
            self.contracts.setdefault(
                (row["Contact code"], row["Product code"]), []
            ).append((as_day(row["Valid from"]), as_day(row["Valid to"]), row))

    def of(self, code, payer, frequency, day):
        """What a period that starts on a day costs."""
        column = f"{frequency} price"
        for first, last, row in self.contracts.get((payer, code), []):
            if (
                (not first or first <= day)
                and (not last or day <= last)
                and row[column]
            ):
                return as_money(row[column])
        price = as_money(self.products[code][column])
        for first, row in self.changes.get(code, []):
            if first <= day and row[column]:
                price = as_money(row[column])
        return price


def due_periods(patient, bill_from, as_of, billed):
    """Start and end of each period that is due and was not billed yet."""
    start, end = as_day(patient["Start date"]), as_day(patient["End date"])
    step = 12 if patient["Billing frequency"] == "Annual" else 1
    # Start shortly before the first day that is billed, not with the first membership.
    months = (bill_from.year - start.year) * 12 + bill_from.month - start.month
    n = max(0, months // step - 1)
    while True:
        first = start + relativedelta(months=n * step)
        if first > as_of or (end and first > end):
            return
        if first >= bill_from and (patient["Patient ID"], str(first)) not in billed:
            last = start + relativedelta(months=(n + 1) * step) - relativedelta(days=1)
            yield first, min(last, end) if end else last
        n += 1


def bill(folder, as_of):
    """The lines that are due, each with what is printed of it."""
    settings = {
        row["Setting"]: row["Value"]
        for row in read_sheet(folder, "settings", "Settings")
    }
    rates = {
        row["Code"]: Decimal(str(row["Rate %"]))
        for row in read_sheet(folder, "settings", "Tax codes")
    }
    contacts = {row["Code"]: row for row in read_sheet(folder, "patients", "Contacts")}
    prices = Prices(folder)
    bill_from = as_day(settings["Bill from"])
    before = read_billed(folder)
    billed = set(zip(before["patient_id"], before["period_start"], strict=True))
    lines, seen = [], set()
    for patient in read_sheet(folder, "patients", "Patients"):
        code, payer = patient["Membership"], patient["Bill to"]
        if (
            patient["Membership active"] != "Yes"
            or code not in prices.products
            or as_day(patient["Start date"]) is None
            or patient["Billing frequency"] not in ("Monthly", "Annual")
            or (payer and payer not in contacts)
            or patient["Patient ID"] in seen
        ):
            continue
        seen.add(patient["Patient ID"])
        product = prices.products[code]
        for first, last in due_periods(patient, bill_from, as_of, billed):
            net = prices.of(code, payer, patient["Billing frequency"], first)
            rate = rates[product["Tax code"]]
            tax = (net * rate / 100).quantize(PENNY, ROUND_HALF_UP)
            lines.append(
                {
                    "payer": payer, "patient_id": patient["Patient ID"],
                    "patient": f"{patient['First name']} {patient['Last name']}",
                    "product": code, "description": product["Name"],
                    "period_start": first, "period_end": last,
                    "net": net, "tax": tax, "gross": net + tax,
                    "person": patient, "contact": contacts.get(payer),
                }
            )  # fmt: skip
    lines.sort(key=lambda line: (line["period_start"], line["patient_id"]))
    return number_them(lines, before, as_of), before, settings


def number_them(lines, before, as_of):
    """Lines by invoice: one each, or one for all of a payer who wants that."""
    last = int(before["number"].iloc[-1].split("-")[1]) if len(before) else 0
    invoices = {}
    for position, line in enumerate(lines):
        contact = line["contact"]
        combined = contact is not None and contact["Combine invoices"] == "Yes"
        key = line["payer"] if combined else position
        invoices.setdefault(key, []).append(line)
    for number, grouped in enumerate(invoices.values(), start=last + 1):
        for line in grouped:
            line |= {"number": f"INV-{number:06d}", "issued_on": as_of}
    return list(invoices.values())


def read_billed(folder):
    """What was billed on earlier nights."""
    file = folder / "by_hand" / "billed.csv"
    if not file.exists():
        return pd.DataFrame(columns=COLUMNS)
    return pd.read_csv(file, dtype=str)


def write_invoice(path, lines, settings):
    """One invoice as a workbook."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Invoice"
    bold, first = Font(bold=True), lines[0]
    to = first["contact"] or first["person"]
    name = first["contact"]["Name"] if first["contact"] else first["patient"]
    sheet["A1"] = settings["Practice name"]
    sheet["A1"].font = Font(bold=True, size=16)
    sheet["A2"] = settings["Practice address"]
    sheet["A4"], sheet["B4"] = "Invoice", first["number"]
    sheet["A5"], sheet["B5"] = "Date", first["issued_on"]
    sheet["A7"] = name
    for row, column in enumerate(
        ("Address line 1", "Address line 2", "Town", "Postcode"), start=8
    ):
        sheet.cell(row, 1, to[column])
    headings = ("Patient", "Membership", "From", "To", "Net", "Tax", "Total")
    for column, text in enumerate(headings, start=1):
        cell = sheet.cell(13, column, text)
        cell.font, cell.alignment = bold, Alignment(wrap_text=True)
    for row, line in enumerate(lines, start=14):
        values = (
            line["patient"], line["description"], line["period_start"],
            line["period_end"], line["net"], line["tax"], line["gross"],
        )  # fmt: skip
        for column, value in enumerate(values, start=1):
            cell = sheet.cell(row, column, value)
            if column in (3, 4):
                cell.number_format = "dd mmm yyyy"
            elif column > 4:
                cell.number_format = "#,##0.00"
    total = sheet.cell(15 + len(lines), 7, sum(line["gross"] for line in lines))
    total.font, total.number_format = bold, "#,##0.00"
    sheet.cell(15 + len(lines), 1, "Total").font = bold
    for letter, width in zip("ABCDEFG", (28, 24, 14, 14, 12, 12, 12), strict=True):
        sheet.column_dimensions[letter].width = width
    book.save(path)


def main():
    """Bill the folder named on the command line."""
    folder, as_of = Path(sys.argv[1]), date.fromisoformat(sys.argv[2])
    invoices, before, settings = bill(folder, as_of)
    out = folder / "by_hand"
    (out / "invoices").mkdir(parents=True, exist_ok=True)
    for lines in invoices:
        write_invoice(out / "invoices" / f"{lines[0]['number']}.xlsx", lines, settings)
    made = pd.DataFrame(
        [line for lines in invoices for line in lines], columns=COLUMNS
    ).astype({"issued_on": str, "period_start": str, "period_end": str})
    every = pd.concat([before, made], ignore_index=True)
    month = every[every["issued_on"].str.startswith(f"{as_of:%Y-%m}")].copy()
    for column in ("net", "tax", "gross"):
        month[column] = month[column].astype(float)
    month.to_excel(out / f"register-{as_of:%Y-%m}.xlsx", index=False)
    every.to_csv(out / "billed.csv", index=False)
    print(f"{len(invoices)} invoices made")


if __name__ == "__main__":
    main()
