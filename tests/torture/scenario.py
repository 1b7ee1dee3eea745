"""Three months of a small practice, step by step: what changed, and which command ran."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests import practice
from tests.practice import Sheets, member

Edit = Callable[[Path], None]


@dataclass(frozen=True)
class Step:
    """One command of the scenario, the edit before it, and how it ends undisturbed."""

    name: str
    command: tuple[str, ...]
    edit: Edit | None = None
    code: int = 0
    # How the same command ends when it is given once more after it was done.
    again: int = 0


def beginning() -> Sheets:
    """Two patients who pay themselves and two whom an employer pays for on one invoice."""
    given = practice.sheets()
    given["contacts"] = [
        {"Code": "ACME", "Name": "Acme Widgets Ltd", "Combine invoices": "Yes"}
    ]
    given["patients"] += [
        member("P3", bill_to="ACME", start_date="2026-03-01"),
        member("P4", bill_to="ACME", start_date="2026-03-01"),
    ]
    given["settings"].append(
        {"Setting": "Max days ahead", "Value": "60", "Last edited by": "mm"}
    )
    return given


def _joins(patient_id: str, start: str) -> Edit:
    row = member(patient_id, first_name=patient_id, start_date=start)
    return lambda folder: practice.add(folder, "patients", row)


def _logs(number: str, day: str) -> Edit:
    row = {"Invoice number": number, "Sent on": day, "Sent to": "x", "Sent by": "dd"}
    return lambda folder: practice.add(folder, "sent", row)


def _asks(request_id: str, day: str) -> Edit:
    row = {
        "Request ID": request_id, "Patient ID": "P1", "Product code": "CONSULT",
        "Requested on": day,
    }  # fmt: skip
    return lambda folder: practice.add(folder, "invoice_requests", row)


def _price(amount: str, by: str) -> Edit:
    cells = {"Monthly price": amount, "Last edited by": by}
    return lambda folder: practice.change(folder, "products", "GOLD", cells)


def _ends(patient_id: str, day: str) -> Edit:
    cells = {"End date": day}
    return lambda folder: practice.change(folder, "patients", patient_id, cells)


def _loses(*names: str) -> Edit:
    """Somebody deletes files of `out/`."""

    def lose(folder: Path) -> None:
        for name in names:
            (folder / "out" / name).unlink()

    return lose


def _bill(day: str, edit: Edit | None = None, code: int = 0) -> Step:
    return Step(f"bill {day}", ("bill", "--as-of", day), edit, code, code)


def _desk(name: str, number: str, *options: str, again: int) -> Step:
    return Step(f"{name} {number}", (name, number, *options), None, 0, again)


STEPS: tuple[Step, ...] = (
    _bill("2026-03-01"),
    _bill("2026-03-02", _joins("P5", "2026-03-02")),
    _desk(
        "sent", "INV-000001", "--to", "x", "--by", "dd", "--on", "2026-03-03", again=0
    ),
    _bill("2026-03-31", _logs("INV-000002", "2026-03-05")),
    _desk(
        "credit", "INV-000003", "--reason", "left", "--by", "mm", "--on", "2026-03-31",
        "--rebill", again=2,
    ),
    # More than half of it: given once more, it is more than is left.
    _desk(
        "credit", "INV-000001", "--reason", "ill", "--by", "mm", "--on", "2026-03-31",
        "--amount", "30.00", again=2,
    ),
    Step("backup", ("backup",)),
    _bill("2026-04-01", _price("52.00", "mm")),
    # Somebody without the right: the change is refused and shown.
    _bill("2026-04-02", _price("99.00", "dd")),
    Step("close 2026-03", ("close", "2026-03", "--by", "mm"), None, 0, 2),
    # A night that a guard stops.
    _bill("2026-12-01", None, 4),
    _bill("2026-04-30", _asks("R1", "2026-04-20")),
    Step("backup again", ("backup",)),
    Step("restore", ("restore",)),
    _bill("2026-05-01", _ends("P5", "2026-05-10")),
    _bill("2026-05-31"),
    Step(
        "rebuild", ("rebuild",),
        _loses("invoices/2026/03/INV-000001.xlsx", "registers/2026-03.xlsx"),
    ),
)  # fmt: skip


def take_steps(
    parser: argparse.ArgumentParser, default: Sequence[int], which: str
) -> None:
    """The option by which trials take some steps alone, counted from 0."""
    parser.add_argument(
        "--steps", type=int, nargs="+", choices=range(len(STEPS)), metavar="N",
        default=default, help=which,
    )  # fmt: skip


def arguments(step: Step, folder: Path) -> list[str]:
    """The command line of a step; `restore` takes the newest copy there is."""
    name, *options = step.command
    if name == "restore":
        copies = sorted(
            (folder / "ledger/backups").glob("*.duckdb"),
            key=lambda path: path.stat().st_mtime_ns,
        )
        options = [str(copies[-1])]
    return [name, str(folder), *options]


# Who may join between a night that was killed and the next.
NEWCOMER = "P9"


def newcomer(step: Step, folder: Path) -> None:
    """Add a patient whose membership begins on the day of the step."""
    _joins(NEWCOMER, step.command[2])(folder)
