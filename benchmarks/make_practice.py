"""Makes a practice of any size: `python -m benchmarks.make_practice FOLDER MEMBERS`.

3 % of the members are due on AS_OF and nobody else is; all names are made up.
"""

import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import xlsxwriter

from schemas.columns import columns
from schemas.inputs import Patients

AS_OF = date(2026, 3, 31)

SHEETS = {
    "settings": [
        ["Setting", "Value", "Last edited by"],
        ["Practice name", "Benchmark Practice", "mm"],
        ["Auto invoice", "Yes", "mm"],
        ["Bill from", "2026-03-01", "mm"],
    ],
    "tax_codes": [
        ["Code", "Name", "Rate %", "Last edited by"],
        ["EXEMPT", "Exempt", "0", "mm"],
    ],
    "staff": [
        ["User", "Name", "Role", "Active"],
        ["mm", "Mo Manager", "Manager", "Yes"],
    ],
    "roles": [
        ["Role", "Products", "Patients", "Settings", "Invoices"],
        ["Manager", "Edit", "Edit", "Edit", "Edit"],
    ],
    "products": [
        [
            "Code",
            "Name",
            "Type",
            "Annual price",
            "Tax code",
            "Active",
            "Last edited by",
        ],
        ["GOLD", "Gold membership", "Membership", "550.00", "EXEMPT", "Yes", "mm"],
    ],
}


def main() -> None:
    """Write the practice into the folder named on the command line."""
    folder, members = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in SHEETS.items():
        text = "\n".join(",".join(row) for row in rows)
        (folder / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
    write_patients(folder / "patients.xlsx", members)


def write_patients(path: Path, members: int) -> None:
    """The Patients sheet, as a workbook with real dates."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Patients")
    dated = book.add_format({"num_format": "dd mmm yyyy"})
    fields = list(columns(Patients))
    sheet.write_row(0, 0, [field.title for field in fields])
    for index in range(members):
        values = member(index)
        for at, field in enumerate(fields):
            value = values.get(field.name)
            if isinstance(value, date):
                moment = datetime(value.year, value.month, value.day)
                sheet.write_datetime(index + 1, at, moment, dated)
            elif value is not None:
                sheet.write_string(index + 1, at, value)
    book.close()


def member(index: int) -> dict[str, str | date]:
    """One member; of every hundred, three started on a 30 March."""
    start = date(2025, 3, 30)
    if index % 100 >= 3:
        start = date(2025, 4, 10) + timedelta(days=index % 300)
    return {
        "patient_id": f"P{index:07d}",
        "title": "Ms",
        "first_name": f"Robin{index}",
        "last_name": f"Alder{index}",
        "date_of_birth": date(1950, 1, 1) + timedelta(days=index % 18_000),
        "email": f"p{index}@example.org",
        "phone": f"01632 96{index % 10_000:04d}",
        "address_line_1": f"{index} Upper Strand",
        "town": "Otterwick Quay",
        "postcode": "ZZ4 4AB",
        "membership_active": "Yes",
        "membership": "GOLD",
        "billing_frequency": "Annual",
        "start_date": start,
        "last_edited_by": "mm",
    }


if __name__ == "__main__":
    main()
