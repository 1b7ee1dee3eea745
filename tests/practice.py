"""A small practice of CSV sheets for tests, and the program run on it in process."""

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click.testing import CliRunner

from pipeline.__main__ import cli
from pipeline.publish import Published

Row = dict[str, str]
Sheets = dict[str, list[Row]]


@dataclass(frozen=True)
class Result:
    """What a command came to: its exit code, its stdout and its stderr."""

    code: int
    out: str
    err: str

    @property
    def rows(self) -> list[Row]:
        """Stdout as the rows of a CSV listing."""
        return list(csv.DictReader(io.StringIO(self.out)))


# Practices that commands worked on, and the ledgers that a night's end or `verify` proved.
USED: set[Path] = set()
PROVED: set[str] = set()


def run(*args: object, today: str = "2026-10-31") -> Result:
    """Run a command in process; a crash of the program is raised, not hidden.

    A night that held something has said what, or it would be looked for in vain.
    """
    if len(args) > 1 and isinstance(args[1], Path):
        USED.add(args[1])
    with patch("pipeline.commands.clock.today", lambda zone: date.fromisoformat(today)):
        found = CliRunner().invoke(
            cli, [str(arg) for arg in args], catch_exceptions=False, prog_name="membill"
        )
    proved = {"bill": (0, 3), "verify": (0,)}.get(str(args[0]), ())
    if found.exit_code in proved and isinstance(args[1], Path):
        PROVED.add(seal(args[1]))
    if args[0] == "bill" and found.exit_code == 3:
        assert "Not billed: " in found.stderr or "more: see issues" in found.stderr
    return Result(found.exit_code, found.stdout, found.stderr)


def seal(folder: Path) -> str:
    """The checksum that the last run left beside the ledger, '' if there is none."""
    file = folder / "ledger/membill.duckdb.sha256"
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _signed(by: str, *rows: Row) -> list[Row]:
    return [{**row, "Last edited by": by} for row in rows]


def _setting(name: str, value: str) -> Row:
    return {"Setting": name, "Value": value}


def _role(name: str, *levels: str) -> Row:
    areas = ("Products", "Patients", "Settings", "Invoices")
    return {"Role": name, **dict(zip(areas, levels, strict=True))}


def member(patient_id: str, **cells: str) -> Row:
    """A row of Patients: a monthly GOLD member since 31 January, signed by the desk.

    Cells are named by their heading in lower case with underscores.
    """
    row = {
        "Patient ID": patient_id, "First name": "Annabel", "Last name": "Quillfeather",
        "Membership active": "Yes", "Membership": "GOLD", "Billing frequency": "Monthly",
        "Start date": "2026-01-31", "End date": "", "Bill from": "", "Bill to": "",
        "Last edited by": "dd",
    }  # fmt: skip
    titles = {title.lower().replace(" ", "_"): title for title in row}
    return {**row, **{titles[name]: value for name, value in cells.items()}}


def sheets() -> Sheets:
    """The practice: two members, three products, a manager and a desk."""
    return {
        "settings": _signed(
            "mm",
            _setting("Practice name", "Harbour Lane Surgery"),
            _setting("Auto invoice", "Yes"),
            _setting("Bill from", "2026-01-01"),
            _setting("VAT registered", "No"),
        ),
        "tax_codes": _signed(
            "mm", {"Code": "EXEMPT", "Name": "Exempt (health)", "Rate %": "0"}
        ),
        "staff": [
            {"User": "mm", "Name": "Mo Manager", "Role": "Manager", "Active": "Yes"},
            {"User": "dd", "Name": "Di Desk", "Role": "Desk", "Active": "Yes"},
        ],
        "roles": [
            _role("Manager", "Edit", "Edit", "Edit", "Edit"),
            _role("Desk", "View", "Edit", "View", "Edit"),
        ],
        "products": _signed(
            "mm",
            product("GOLD", "Gold", monthly="50.00", annual="550.00"),
            product("SILVER", "Silver", monthly="30.00"),
            product("CONSULT", "Consultation", price="85.00"),
        ),
        "patients": [
            member("P1"),
            member(
                "P2", first_name="Barnaby", last_name="Thistlewood",
                billing_frequency="Annual", start_date="2026-02-01",
            ),
        ],
    }  # fmt: skip


def product(
    code: str, name: str, *, monthly: str = "", annual: str = "", price: str = ""
) -> Row:
    """A row of Products, not signed; without a Price it is a membership."""
    return {
        "Code": code, "Name": name, "Type": "Service" if price else "Membership",
        "Monthly price": monthly, "Annual price": annual, "Price": price,
        "Tax code": "EXEMPT", "Active": "Yes",
    }  # fmt: skip


def make(folder: Path, given: Sheets | None = None) -> Path:
    """Write a practice folder; without `given`, the practice of `sheets`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (given or sheets()).items():
        write(folder, name, rows)
    return folder


def write(folder: Path, sheet: str, rows: list[Row], encoding: str = "utf-8") -> None:
    """Write one sheet as CSV; its headings are those its rows name."""
    headings = list(dict.fromkeys(title for row in rows for title in row))
    with open(folder / f"{sheet}.csv", "w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, headings, restval="")
        writer.writeheader()
        writer.writerows(rows)


def read(folder: Path, sheet: str) -> list[Row]:
    """The rows of one sheet."""
    with open(folder / f"{sheet}.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def change(folder: Path, sheet: str, key: str, cells: Row) -> None:
    """Change cells of the row whose first cell is `key`."""
    rows = read(folder, sheet)
    (row,) = [row for row in rows if next(iter(row.values())) == key]
    row.update(cells)
    write(folder, sheet, rows)


def add(folder: Path, sheet: str, *rows: Row) -> None:
    """Add rows to a sheet, which is made where it is not there."""
    before = read(folder, sheet) if (folder / f"{sheet}.csv").exists() else []
    write(folder, sheet, [*before, *rows])


def remove(folder: Path, sheet: str, key: str) -> None:
    """Take the row out whose first cell is `key`."""
    rows = read(folder, sheet)
    write(folder, sheet, [row for row in rows if next(iter(row.values())) != key])


def set_to(folder: Path, setting: str, value: str, by: str = "mm") -> None:
    """Give a setting a value, signed."""
    cells = {"Value": value, "Last edited by": by}
    if any(row["Setting"] == setting for row in read(folder, "settings")):
        change(folder, "settings", setting, cells)
    else:
        add(folder, "settings", {"Setting": setting, **cells})


def copied(source: Path, target: Path) -> Path:
    """A practice folder once more, with its ledger and outputs."""
    return Path(shutil.copytree(source, target))


@contextmanager
def unpublished() -> Iterator[None]:
    """Sendings and credit notes are recorded alone: for the way to a state of a ledger.

    The next night publishes what they left, as it does after a command that was killed.
    """
    nothing = Published([], [])
    with (
        patch("pipeline.office.desk.finish", return_value=False),
        patch("pipeline.office.desk.publish", return_value=nothing),
        patch("pipeline.office.credits.publish", return_value=nothing),
    ):
        yield


def bill(folder: Path, as_of: str, *more: object) -> Result:
    """The night of a day."""
    return run("bill", folder, "--as-of", as_of, *more)


def lines(folder: Path, *names: str) -> list[tuple[str, ...]]:
    """The named columns of every invoice line, in order of number."""
    rows = run("lines", folder, "--format", "csv").rows
    return [tuple(row[name] for name in names) for row in rows]


def invoices(folder: Path, *options: str) -> list[Row]:
    """The Invoices page, with the options of the command."""
    return run("invoices", folder, *options, "--format", "csv").rows


def last_run(folder: Path) -> dict[str, Any]:
    """The last night as machines read it."""
    return json.loads((folder / "out/last_run.json").read_text(encoding="utf-8"))


def files(folder: Path, *, but: tuple[str, ...] = ()) -> dict[str, str]:
    """Every file below a folder and the hash of its bytes, but those named."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and (name := str(path.relative_to(folder))) not in but
    }
