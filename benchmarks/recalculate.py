"""Recalculates workbooks with LibreOffice and compares: `python -m benchmarks.recalculate`.

Takes workbooks or folders of them. Each is converted once more to xlsx, which works out
every formula anew; a value that is then another than the one saved is printed. Formulas
are also worked out by the tests, which need no LibreOffice.
"""

import math
import subprocess
import sys
import tempfile
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.workbook import Workbook

# Recalculation on load is a setting of LibreOffice, and off for what it takes for its own.
_ALWAYS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode"><value>0</value></prop></item>
</oor:items>
"""


def recalculated(files: list[Path], place: Path) -> Path:
    """A folder with each workbook as LibreOffice saves it."""
    profile = place / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(_ALWAYS, encoding="utf-8")
    made = place / "made"
    subprocess.run(
        [
            "soffice", f"-env:UserInstallation=file://{profile.parent}", "--headless",
            "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(made),
            *map(str, files),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


def _formulas(book: Workbook) -> list[tuple[str, str]]:
    return [
        (sheet.title, cell.coordinate)
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    ]


def _alike(one: object, other: object) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, abs_tol=1e-9)
    return one == other


def compare(file: Path, again: Path) -> tuple[int, list[str]]:
    """How many formulas a workbook has, and those that come to something else."""
    saved, new = (load_workbook(path, data_only=True) for path in (file, again))
    places = _formulas(load_workbook(file))
    faults = [
        f"{file.name} {sheet}!{cell}: {saved[sheet][cell].value!r} was saved,"
        f" {new[sheet][cell].value!r} is worked out"
        for sheet, cell in places
        if not _alike(saved[sheet][cell].value, new[sheet][cell].value)
    ]
    return len(places), faults


def main() -> None:
    """Print what differs, and how much was compared; exit code 1 if anything does."""
    given = [Path(text) for text in sys.argv[1:]] or [Path("sample_data/out")]
    files = [
        file
        for path in given
        for file in (sorted(path.rglob("*.xlsx")) if path.is_dir() else [path])
    ]
    with tempfile.TemporaryDirectory() as place:
        made, count, faults = recalculated(files, Path(place)), 0, list[str]()
        for file in files:
            formulas, found = compare(file, made / file.name)
            count, faults = count + formulas, faults + found
    print("\n".join(faults))
    print(f"{count:,} formulas of {len(files):,} workbooks, {len(faults):,} differ")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
