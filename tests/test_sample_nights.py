"""The sample practice over its nights, and the mistakes of its spoiled copy."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pipeline.ledger import Ledger, current, opened
from pipeline.run import Outcome, bill
from sample_data.mistakes import MISTAKES, Mistake
from sample_data.people import PEOPLE, patient_id
from sample_data.practice import AS_OF
from tests.golden import SAMPLE, copy_of_sample
from tests.practice import Result, copied, last_run

NEXT = AS_OF + timedelta(days=1)
LEDGER = Path("ledger") / "membill.duckdb"


def night(practice: Path, as_of: date) -> Outcome:
    return bill(practice, practice / LEDGER, as_of=as_of, today=lambda zone: NEXT)


@contextmanager
def ledger_of(practice: Path) -> Iterator[Ledger]:
    with opened(practice / LEDGER, write=False) as ledger:
        yield ledger


@pytest.fixture(scope="module")
def practice(
    sample_night: tuple[Path, Result], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    return copied(sample_night[0], tmp_path_factory.mktemp("sample") / "practice")


@pytest.fixture(scope="module")
def first(practice: Path, sample_night: tuple[Path, Result]) -> dict[str, Any]:
    """What the first night came to, as machines read it."""
    return last_run(sample_night[0])


@pytest.fixture(scope="module")
def nights(practice: Path) -> list[Outcome]:
    """The night after the first, and one with the switch off."""
    made = [night(practice, NEXT)]
    book = load_workbook(practice / "settings.xlsx")
    for row in book["Settings"].iter_rows(min_row=2):
        if row[0].value == "Auto invoice":
            row[1].value = "No"
    book.save(practice / "settings.xlsx")
    return [*made, night(practice, NEXT)]


def test_the_first_night_bills_all_that_is_due(first: dict[str, Any]) -> None:
    assert first["exit_code"] == 0
    assert first["invoices_made"] == 39
    assert first["totals"]["gross"] == "5057.62"


def test_each_person_is_where_the_sample_says(practice: Path, nights: object) -> None:
    with ledger_of(practice) as ledger:
        first = ledger.rows(
            "select patient_id, bucket from ledger.standings where run_no = 1"
        )
    found = {row["patient_id"]: row["bucket"] for row in first}
    expected = {
        patient_id(index): person.bucket
        for index, person in enumerate(PEOPLE)
        if person.bucket
    }
    assert found == expected


def test_the_next_night_bills_what_fell_due(nights: list[Outcome]) -> None:
    assert nights[0].exit_code == 0
    assert nights[0].report["totals"]["gross"] == "192.00"
    made, members = nights[0].report["invoices_made"], nights[0].report["memberships"]
    assert (made, members["billed"], members["already_billed"]) == (3, 4, 22)


def test_the_switch_stops_everybody_and_is_no_error(nights: list[Outcome]) -> None:
    assert nights[1].exit_code == 0
    assert nights[1].report["memberships"]["auto_invoice_off"] == 34


def test_the_nights_show_every_bucket_but_held(
    first: dict[str, Any], nights: list[Outcome]
) -> None:
    shown: Counter[str] = Counter(first["memberships"])
    for outcome in nights:
        shown.update(outcome.report["memberships"])
    assert {bucket for bucket, members in shown.items() if not members} == {"held"}


def test_the_switch_is_reported_as_a_change(nights: list[Outcome]) -> None:
    (change,) = nights[1].night.changes
    assert (change.subject, change.old, change.new) == ("Auto invoice", "Yes", "No")
    assert change.accepted


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """The practice with mistakes, and its first night."""
    folder = tmp_path_factory.mktemp("mistakes") / "practice"
    copy_of_sample(folder, SAMPLE / "with_mistakes")
    return folder, night(folder, AS_OF)


@pytest.fixture(scope="module")
def mistakes(spoiled: tuple[Path, Outcome]) -> set[tuple[str, ...]]:
    """File, sheet, row and severity of every problem of the spoiled practice."""
    problems = [each.problem for each in spoiled[1].night.problems]
    places = [(p.place.file, p.place.sheet, p.place.row, p.severity) for p in problems]
    # What is told once for a column (formulas, a hidden or unknown one).
    columns = [
        (p.place.file, p.place.sheet, p.place.column, p.severity)
        for p in problems
        if p.code == "formula" or p.place.row in (None, 1)
    ]
    return {tuple(map(str, place)) for place in [*places, *columns]}


@pytest.mark.parametrize(
    "mistake",
    [m for m in MISTAKES if m.severity and (m.row or m.column)],
    ids=lambda m: f"{m.sheet} {m.cell or m.row or m.column}: {m.happens}"[:90],
)
def test_each_mistake_is_found_where_it_is(
    mistake: Mistake, mistakes: set[tuple[str, ...]]
) -> None:
    spots = {str(mistake.row), mistake.column} if mistake.row else {mistake.column}
    assert mistakes & {
        (mistake.file, mistake.sheet, spot, str(mistake.severity)) for spot in spots
    }


def test_the_spoiled_practice_bills_everybody_else(
    spoiled: tuple[Path, Outcome],
) -> None:
    folder, outcome = spoiled
    assert outcome.exit_code == 3
    assert outcome.report["invoices_made"] > 0
    assert sum(outcome.report["memberships"].values()) == 36
    with ledger_of(folder) as ledger:
        held = ledger.value(
            f"select count(*) from ({current('ledger.standings', 'standing_key')})"
            " where bucket = 'held'"
        )
    assert held == outcome.report["memberships"]["held"]
