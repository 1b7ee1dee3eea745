"""Whose an id is: rows and ids that moved, and people who only changed their name."""

from datetime import date
from pathlib import Path

import practice
import pytest
from practice import Row, bill, member

from pipeline.ledger import ledger_path, opened
from pipeline.prepare import prepare

FIRST, SECOND = "2026-03-01", "2026-03-02"


def _person(patient_id: str, first: str, last: str, start: str) -> Row:
    return member(patient_id, first_name=first, last_name=last, start_date=start) | {
        "Email": f"{first.lower()}@example.org", "Date of birth": "",
    }  # fmt: skip


def _swap(rows: dict[str, Row], one: str, other: str, *names: str) -> None:
    for name in names:
        rows[one][name], rows[other][name] = rows[other][name], rows[one][name]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the second night says, after each pair of the sheet was edited its own way."""
    given = practice.sheets()
    people = [
        _person(f"P{at:02}", first, last, f"2026-02-{at:02}")
        for at, (first, last) in enumerate(
            (
                ("Ann", "Ash"), ("Bob", "Birch"),  # whose ids are swapped
                ("Cat", "Cedar"), ("Dan", "Dogwood"),  # whose names are
                ("Eve", "Elm"), ("Fay", "Fir"),  # who marry
                ("Gus", "Gorse"), ("Hal", "Hazel"),  # one typed over the other
                ("Ida", "Ivy"), ("Jon", "Juniper"),  # one id goes to somebody new
                ("Kit", "Kerria"), ("Kit", "Kerria"),  # two of one name
                ("Lea", "Lime"), ("Mia", "Mint"),  # one's names stood the wrong way round
            ),
            start=1,
        )
    ]  # fmt: skip
    given["patients"] = people
    folder: Path = practice.make(tmp_path_factory.mktemp("whose") / "clinic", given)
    assert bill(folder, FIRST).code == 0
    rows = {row["Patient ID"]: row for row in people}
    _swap(rows, "P01", "P02", *(name for name in rows["P01"] if name != "Patient ID"))
    _swap(rows, "P03", "P04", "First name", "Last name")
    rows["P05"]["Last name"] = rows["P06"]["Last name"]
    rows["P07"].update({**rows.pop("P08"), "Patient ID": "P07"})
    rows["P09"].update({"First name": "Zoe", "Last name": "Zinnia"})
    rows["P11"]["Last name"] = "Kerria-Larch"
    rows["P13"].update({"First name": "Lime", "Last name": "Lea"})
    practice.write(folder, "patients", list(rows.values()))
    day = date.fromisoformat(SECOND)
    with opened(ledger_path(folder), write=False) as books:
        found = prepare(books, folder, day, lambda zone: day).problems
    return "\n".join(f"{problem.severity}: {problem.public()}" for problem in found)


@pytest.mark.parametrize(
    ("id", "said"), [("P01", "P02"), ("P02", "P01"), ("P07", "P08")]
)
def test_an_id_with_the_row_of_another_is_held_and_names_it(
    id: str, said: str, told: str
) -> None:
    (line,) = [line for line in told.splitlines() if f": {id} was another" in line]
    assert line.startswith("Not billed: ")
    assert f"its row says what that of {said} said; write {said} again" in line


@pytest.mark.parametrize("id", ["P03", "P04", "P05", "P06", "P09", "P10", "P11", "P12"])
def test_another_name_alone_is_no_other_person(id: str, told: str) -> None:
    assert f"{id} was another person" not in told


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("P03", "has the name now that P04 had last time"),
        ("P04", "has the name now that P03 had last time"),
        ("P09", "has another first and last name than last time"),
    ],
)
def test_a_name_that_may_be_somebody_elses_is_doubted(
    id: str, said: str, told: str
) -> None:
    (line,) = [line for line in told.splitlines() if f": {id} " in line]
    assert line.startswith("Check: patients.csv: row ")
    assert f"{id} {said}; if it is somebody else" in line


@pytest.mark.parametrize("id", ["P05", "P06", "P10", "P11", "P12", "P13", "P14"])
def test_a_name_of_which_a_part_is_left_is_not(id: str, told: str) -> None:
    assert f": {id} " not in told
