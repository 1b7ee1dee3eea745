"""A mistake of the catalogue: how it is made, what happens, and what is said, in full."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.problems import Problem
from tests import office, practice
from tests.practice import Row, Sheets

Rows = Mapping[str, tuple[Mapping[str, office.Cell], ...]]
# Columns of Patients that the small practice has no use for.
MORE = ("Date of birth", "Email", "Phone", "Address line 1", "Postcode", "Notes")


@dataclass(frozen=True)
class Mistake:
    """One number of the catalogue.

    `told` are the lines of `line`; a mistake that does not apply has none, and neither
    has one that is put right without a word. `{r}` in them is the first row of `rows`.
    It is made either by `change`, in a folder that is then read; or by `rows`, added to
    the sheets of one practice that is checked; or by `later`, after a night.
    """

    number: int
    what: str
    happens: str
    told: tuple[str, ...] = ()
    change: Callable[[Path], object] | None = None
    during: Callable[[], AbstractContextManager[object]] = nullcontext
    rows: Rows = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    later: Callable[[Path], None] | None = None
    applies: bool = True

    @property
    def codes(self) -> list[str]:
        """The codes of what is said, each once."""
        return list(dict.fromkeys(told.split(" | ")[1] for told in self.told))


def line(problem: Problem) -> str:
    """Everything a problem says: code, place, found, expected, repair."""
    return " | ".join(
        (
            problem.severity, problem.code, str(problem.place), problem.found,
            problem.expected, problem.repair,
        )
    )  # fmt: skip


def sheets() -> Sheets:
    """The small practice, with every column that a mistake is made in."""
    given = practice.sheets()
    for row in given["patients"]:
        row.update(dict.fromkeys(MORE, ""))
    given["contacts"] = [{"Code": "ACME", "Name": "Acme Ltd", "Active": "Yes"}]
    return given


def member(patient_id: str, **cells: office.Cell) -> dict[str, office.Cell]:
    """A row of Patients in a workbook, cells named by heading with underscores."""
    titles = {
        title.lower().replace(" ", "_"): title
        for title in (*practice.member(""), *MORE)
    }
    row: dict[str, office.Cell] = {
        title: office.typed("patients", title, text)
        for title, text in practice.member(patient_id).items()
    }
    # Nobody is of the same name, and most are born.
    row["First name"], row["Last name"] = f"Ada {patient_id}".strip(), "Alder"
    return row | {titles[name]: value for name, value in cells.items()}


@contextmanager
def workbook(
    folder: Path, stem: str = "patients"
) -> Iterator[tuple[Workbook, Worksheet]]:
    """A workbook of the folder and its first sheet, saved again afterwards."""
    book = load_workbook(folder / f"{stem}.xlsx")
    yield book, book.worksheets[0]
    book.save(folder / f"{stem}.xlsx")


def parts(folder: Path, old: bytes, new: bytes, *, some: bool = True) -> None:
    """Change bytes, of which there are `some`, inside the patients' workbook."""
    file, made = folder / "patients.xlsx", io.BytesIO()
    found = 0
    with zipfile.ZipFile(file) as before, zipfile.ZipFile(made, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            found += content.count(old)
            after.writestr(name, content.replace(old, new))
    assert found or not some
    file.write_bytes(made.getvalue())


def as_csv(folder: Path, encoding: str = "utf-8", separator: str = ",") -> str:
    """The patients as a CSV file in the place of their workbook; its text."""
    (folder / "patients.xlsx").unlink()
    rows: list[Row] = sheets()["patients"]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    (folder / "patients.csv").write_bytes(text.getvalue().encode(encoding))
    return text.getvalue()
