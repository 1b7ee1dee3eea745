"""The sample night as text: every cell of its workbooks, to be read line by line.

`python -m tests.golden` (or `make golden`) writes `sample_data/expected/` again.
"""

import shutil
import tempfile
from datetime import date
from pathlib import Path

from openpyxl import load_workbook

from pipeline.run import bill
from sample_data.practice import AS_OF

SAMPLE = Path(__file__).parent.parent / "sample_data"
EXPECTED = SAMPLE / "expected"

# One invoice to a patient, one to an employer with a line a member, one with tax.
INVOICES = ("INV-000001", "INV-000003", "INV-000012")


def copy_of_sample(folder: Path, source: Path = SAMPLE) -> Path:
    """The sample's sheets in a folder of their own, without what was made from them."""
    folder.mkdir()
    for file in source.iterdir():
        if file.suffix in (".xlsx", ".csv"):
            shutil.copy(file, folder)
    return folder


def listing(workbook: Path) -> str:
    """Every filled cell of a workbook: address, value, number format; formulas too."""
    values = load_workbook(workbook, data_only=True)
    formulas = load_workbook(workbook)
    lines = []
    for sheet in values:
        lines.append(
            f"[{sheet.title}] {sheet.dimensions} filter {sheet.auto_filter.ref}"
        )
        for row in sheet.iter_rows():
            for cell in row:
                if cell.value is None:
                    continue
                formula = formulas[sheet.title][cell.coordinate].value
                shown = f" = {formula}" if formula != cell.value else ""
                form = (
                    ""
                    if cell.number_format == "General"
                    else f" ({cell.number_format})"
                )
                lines.append(f"{cell.coordinate}: {cell.value!r}{shown}{form}")
    return "\n".join(lines) + "\n"


def billed(folder: Path) -> Path:
    """The sample after its night, in `folder`."""
    practice = copy_of_sample(folder)
    bill(
        practice,
        practice / "ledger" / "membill.duckdb",
        as_of=AS_OF if isinstance(AS_OF, date) else date.fromisoformat(AS_OF),
        today=lambda zone: date(2026, 3, 31),
    )
    return practice


def listings(practice: Path) -> dict[str, str]:
    """What the sample night made, as listings by file name."""
    out = practice / "out"
    made = {
        "invoices.txt": listing(out / "invoices.xlsx"),
        "register-2026-03.txt": listing(out / "registers" / "2026-03.xlsx"),
        "issues.txt": listing(out / "issues.xlsx"),
        "summary.html": (out / "summary.html").read_text(encoding="utf-8"),
    }
    for number in INVOICES:
        made[f"{number}.txt"] = listing(out / "invoices/2026/03" / f"{number}.xlsx")
    return made


def main() -> None:
    """Write the expected listings again."""
    EXPECTED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in listings(billed(Path(folder) / "practice")).items():
            (EXPECTED / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
