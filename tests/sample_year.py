"""The sample practice over a year: `python -m tests.sample_year FOLDER` plays it there.

Twelve nights from March to February: members join and leave, prices rise, employers and
relatives pay, invoices are sent, credited in part and billed again, a week of nights is
missed, settings change, and each month but the last is closed when it is over.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipeline.bookkeeping.deferred import first_of, following
from sample_data.practice import SCHEMAS
from sample_data.practice import practice as sample_sheets
from schemas.columns import columns
from tests.practice import (
    Row,
    Sheets,
    add,
    change,
    files,
    make,
    run,
    set_to,
    unpublished,
    write,
)
from tests.simulator.machine import thinking_less

MONTHS = tuple(following("2026-03", at) for at in range(12))
# Half of the sample's patients: monthly and annual, paid by themselves and by others,
# taxed and exempt, with a date on the 31st, a leap day and a product on request.
KEPT = {f"P{at:04}" for at in (1, 2, 5, 6, 9, 12, 21, 23, 26, 29, 31, 33, 35, 37, 38)}
CAUGHT_UP = "2026-06-09"  # no night since 31 May
NIGHTS = (
    "2026-03-31", "2026-04-30", "2026-05-31", CAUGHT_UP,
    "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30", "2026-12-31",
    "2027-01-31", "2027-02-28",
)  # fmt: skip
TARGETS = (
    "xero", "xero-journal", "quickbooks", "sage50", "sage-accounting", "quickfile",
)  # fmt: skip
# Packages that were in use before the year was over, and take it in several batches.
HALFWAY = ("xero-journal", "sage50")
ACCOUNTING = '[xero-journal.accounts]\n1100 = "611"\n2200 = "821"\n'


@dataclass
class Year:
    """The practice, what each export left by target, and registers as they were closed."""

    folder: Path
    left: dict[str, list[Path]] = field(default_factory=dict)
    sealed: dict[str, str] = field(default_factory=dict)

    def register(self, month: str) -> Path:
        """The month's workbook."""
        return self.folder / f"out/registers/{month}.xlsx"

    def do(self, command: str, *args: object, today: str) -> str:
        """A command that must be done; what it said."""
        done = run(command, self.folder, *args, today=today)
        assert done.code == 0, (command, args, done.out, done.err)
        return done.out

    def export(self, target: str, *options: str, today: str) -> str:
        """What has not left for a package yet."""
        said = self.do("export", target, *options, today=today)
        self.left.setdefault(target, []).extend(map(Path, said.splitlines()[1:]))
        return said


def sheets() -> Sheets:
    """The sample's sheets, their cells as text."""
    return {
        table: [
            {column.title: _text(row.get(column.name)) for column in columns(SCHEMAS[table])}
            for row in rows
        ]
        for table, rows in sample_sheets().items()
        if rows
    }  # fmt: skip


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def played(folder: Path) -> Year:
    """The whole year in a new folder, by shortcuts that change no result.

    What `verify` proves when it is over is not proved night by night, and the list of
    all invoices, at which nobody looks, is left blank.
    """
    with (
        thinking_less(),
        patch("pipeline.proof.ending.night_holds", lambda *given, **how: []),
        patch("pipeline.publish._invoices_page", lambda *given: b""),
    ):
        return _played(folder)


def _played(folder: Path) -> Year:
    given = sheets()
    given["patients"] = [r for r in given["patients"] if r["Patient ID"] in KEPT]
    year = Year(make(folder, given))
    set_to(folder, "Max days ahead", "60")  # most of its nights are months apart
    (folder / "accounting.toml").write_text(ACCOUNTING, encoding="utf-8")
    for night, after in zip(NIGHTS, [*NIGHTS[1:], ""], strict=True):
        if night in BEFORE:
            # The night publishes what they have sent and credited.
            with unpublished():
                BEFORE[night](year)
        year.do("bill", "--as-of", night, today=night)
        if after and after[:7] != night[:7]:
            _close(year, night[:7])
    for target in TARGETS:
        options = ("--credit-notes",) * (target == "xero")
        year.export(target, *options, today=NIGHTS[-1])
    return year


def _close(year: Year, month: str) -> None:
    today = str(first_of(following(month)))
    year.do("close", month, "--by", "mm", today=today)
    year.sealed[month] = files(year.folder / "out/registers")[f"{month}.xlsx"]
    if month == "2026-08":
        for target in HALFWAY:
            year.export(target, today=today)


def patient(patient_id: str, membership: str, start: str, bill_to: str = "") -> Row:
    """A row of a member who joins, signed by the desk."""
    code, _, frequency = membership.partition(" ")
    row = dict.fromkeys((column.title for column in columns(SCHEMAS["patients"])), "")
    return row | {
        "Patient ID": patient_id, "First name": "Sandy", "Last name": "Yarrow",
        "Membership active": "Yes", "Membership": code, "Billing frequency": frequency,
        "Start date": start, "Bill to": bill_to, "Last edited by": "dd",
    }  # fmt: skip


def _rise(year: Year, product: str, on: str, monthly: str, annual: str) -> None:
    new = {
        "Product code": product, "Effective from": on, "Monthly price": monthly,
        "Annual price": annual, "Last edited by": "mm",
    }  # fmt: skip
    add(year.folder, "price_changes", new)


def _credit(year: Year, number: str, day: str, *more: str) -> None:
    year.do("credit", number, "--reason", "agreed", "--by", "mm", *more, today=day)


def number_of(year: Year, patient_id: str, start: str) -> tuple[str, str]:
    """The invoice and line that a patient's period stands on."""
    rows = run("lines", year.folder, "--format", "csv").rows
    (found,) = [
        (row["number"], row["line"])
        for row in rows
        if (row["patient_id"], row["period_start"]) == (patient_id, start)
        and row["number"].startswith("INV")
    ]
    return found


def _april(year: Year) -> None:
    add(
        year.folder, "patients",
        patient("P0041", "GOLD Monthly", "2026-04-10", "FERRIES"),
        patient("P0042", "WELLBEING Annual", "2026-04-20"),
    )  # fmt: skip
    numbers = [f"INV-{at:06}" for at in range(1, 13)]
    year.do("sent", *numbers, "--to", "by post", "--by", "dd", today="2026-04-08")


def _may(year: Year) -> None:
    """A part of a year's fee back, and a year billed to somebody else instead."""
    number, line = number_of(year, "P0006", "2026-03-31")
    _credit(year, number, "2026-05-12", "--line", line, "--amount", "49.00")
    number, _ = number_of(year, "P0042", "2026-04-20")
    change(year.folder, "patients", "P0042", {"Bill to": "ROWAN"})
    _credit(year, number, "2026-05-13", "--rebill")


def _early_june(year: Year) -> None:
    _rise(year, "BRONZE", "2026-07-01", "16.50", "")
    sent = {
        "Invoice number": "INV-000013", "Sent on": "2026-06-01", "Sent to": "by hand",
        "How": "", "Sent by": "dd",
    }  # fmt: skip
    write(year.folder, "sent", [sent])


def _july(year: Year) -> None:
    change(year.folder, "patients", "P0002", {"End date": "2026-07-15"})
    # Into a year that is billed: proposed for credit, and credited in August.
    change(year.folder, "patients", "P0005", {"End date": "2026-08-31"})


def _august(year: Year) -> None:
    number, line = number_of(year, "P0005", "2026-02-28")
    part = ("--line", line, "--amount", "137.08")
    _credit(year, number, "2026-08-20", *part)
    add(year.folder, "patients", patient("P0043", "FAMILY Annual", "2026-08-15"))


def _september(year: Year) -> None:
    """Other accounts and another basis, for what is billed from now on."""
    number, line = number_of(year, "P0029", "2026-03-10")
    _credit(year, number, "2026-09-14", "--line", line)
    set_to(year.folder, "Deferred income basis", "Days")
    set_to(year.folder, "Deferred income account", "2115")
    change(year.folder, "products", "WELLBEING", {"Income account": "4011"})


def _october(year: Year) -> None:
    add(year.folder, "patients", patient("P0044", "GOLD Annual", "2026-10-05"))
    _rise(year, "WELLBEING", "2026-11-01", "27.50", "295.00")


def _november(year: Year) -> None:
    number, line = number_of(year, "P0044", "2026-10-05")
    part = ("--line", line, "--amount", "100.01")
    _credit(year, number, "2026-11-03", *part)
    asked = {
        "Request ID": "R005", "Patient ID": "P0033", "Product code": "CONSULT",
        "Quantity": "2", "Bill to": "TIDEWELL", "Requested on": "2026-11-10",
        "Requested by": "dd",
    }  # fmt: skip
    add(year.folder, "invoice_requests", asked)


def _january(year: Year) -> None:
    change(year.folder, "patients", "P0043", {"End date": "2027-01-20"})
    _credit(year, number_of(year, "P0037", "2026-12-20")[0], "2027-01-08")


# What people do between one night and the next.
BEFORE: dict[str, Callable[[Year], None]] = {
    "2026-04-30": _april,
    "2026-05-31": _may,
    CAUGHT_UP: _early_june,
    "2026-07-31": _july,
    "2026-08-31": _august,
    "2026-09-30": _september,
    "2026-10-31": _october,
    "2026-11-30": _november,
    "2027-01-31": _january,
}


if __name__ == "__main__":
    played(Path(sys.argv[1]))
