"""Makes the mistakes and gathers what the program says of each."""

import io
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mistakes.catalogue import CATALOGUE
from mistakes.mistake import Mistake, line, member, sheets
from pipeline.ingest import read_sheet
from pipeline.judging.swapped_days import swapped_days
from pipeline.ledger import ledger_path
from pipeline.problems import Problem, Refused
from pipeline.run import bill, check_only
from pipeline.workbooks import read_practice
from schemas.inputs import Patients
from tests import office, practice

DAY = date(2026, 3, 10)
NEXT = date(2026, 3, 12)


# What a folder of the patients alone lacks: it is quicker to read.
NOT_THERE = ("products.xlsx", "settings.xlsx")

# Who is read where nothing is said.
PEOPLE = [["P1", "Quillfeather"], ["P2", "Thistlewood"]]


@cache
def _patients() -> bytes:
    saved = io.BytesIO()
    office.books({"patients": sheets()["patients"]})["patients"].save(saved)
    return saved.getvalue()


def read(folder: Path, mistake: Mistake) -> list[str]:
    """What reading the files, and the rows of Patients, says."""
    (folder / "patients.xlsx").write_bytes(_patients())
    assert mistake.change
    mistake.change(folder)
    before = _bytes(folder)
    with mistake.during():
        reading = read_practice(folder)
    assert _bytes(folder) == before
    problems = [
        problem
        for problem in reading.problems
        if problem.code != "file-missing" or problem.place.file not in NOT_THERE
    ]
    if not mistake.told:
        sheet = reading.sheets["patients"]
        places = [sheet.headings[name] for name in ("patient_id", "last_name")]
        assert [[row[at] for at in places] for _, row in sheet.rows] == PEOPLE
    if "patients" in reading.sheets:
        sheet = reading.sheets["patients"]
        problems += swapped_days(sheet, "start_date", "Start date")
        problems += read_sheet(Patients, sheet).problems
    return [line(problem) for problem in problems]


def _bytes(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every staff file: reading never changes its bytes or its time."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
    }


def _found(folder: Path, day: date = DAY) -> list[Problem]:
    try:
        problems, _ = check_only(
            folder, ledger_path(folder), as_of=day, today=lambda zone: day
        )
    except Refused as refusal:
        return refusal.problems
    return problems


def rows(folder: Path) -> dict[int, list[str]]:
    """What a check says of all rows of mistakes at once, by the number of the mistake.

    Under 0 is what belongs to no mistake's rows.
    """
    given: dict[str, list[Any]] = {**sheets()}
    given["patients"] = [*given["patients"]]
    whose: dict[tuple[str, int], int] = {}
    for mistake in CATALOGUE:
        for table, added in mistake.rows.items():
            for row in added:
                given.setdefault(table, []).append(row)
                whose[office.TITLE[table], len(given[table]) + 1] = mistake.number
    office.save(folder, office.books(given))
    said: dict[int, list[str]] = {mistake.number: [] for mistake in CATALOGUE} | {0: []}
    for problem in _found(folder):
        place = problem.place
        said[whose.get((place.sheet, place.row or 0), 0)].append(line(problem))
    return said


def first_rows() -> dict[int, int]:
    """The row in which each mistake's first row stands."""
    count = {table: len(rows) for table, rows in sheets().items()}
    first: dict[int, int] = {}
    for mistake in CATALOGUE:
        for table, added in mistake.rows.items():
            before = count.get(table, 0)
            first[mistake.number] = before + 2
            count[table] = before + len(added)
    return first


def with_settings(folder: Path, mistake: Mistake) -> list[str]:
    """What a check says of a practice with these settings."""
    given = sheets()
    given["contacts"] = []
    del given["contacts"]
    if rate := mistake.settings.get("tax"):
        given["tax_codes"][0]["Rate %"] = rate
    practice.make(folder, given)
    for name, value in mistake.settings.items():
        if name != "tax":
            practice.set_to(folder, name, value)
    return [line(problem) for problem in _found(folder)]


def later(folder: Path) -> tuple[list[str], list[str]]:
    """What is said after a night: of sheets nobody touched for long, and of what changed."""
    given = sheets()
    del given["contacts"]
    given["patients"] += [
        {k: str(v or "") for k, v in member(f"P{n}", start_date="").items()}
        | {"Start date": str(NEXT)}
        for n in range(10, 30)
    ]
    for row in given["patients"][:2]:
        row["Date of birth"] = "1980-01-01"
    practice.make(folder, given)
    assert practice.bill(folder, str(DAY)).code == 0
    untouched = _found(folder, DAY + timedelta(days=100))
    for mistake in CATALOGUE:
        if mistake.later:
            mistake.later(folder)
    with pytest.raises(Refused) as refused:
        bill(folder, ledger_path(folder), as_of=NEXT, today=lambda zone: NEXT)
    return [*map(line, untouched)], [*map(line, refused.value.problems)]
