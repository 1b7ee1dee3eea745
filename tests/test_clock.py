"""What day it is: asked once, in the practice's zone, and what speaks against it."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from pipeline.__main__ import cli
from pipeline.clock import doubts
from pipeline.commands.clock import today
from pipeline.ledger import opened
from tests import practice
from tests.practice import Result, run


class Clock(datetime):
    """A clock that stands still, and counts how often it is asked for the day."""

    instant = datetime(2026, 1, 1, tzinfo=UTC)
    asked = 0

    @classmethod
    def now(cls, tz=None):  # type: ignore[no-untyped-def]
        cls.asked += 1
        return cls.instant.astimezone(tz)


@pytest.fixture(autouse=True)
def clock() -> Iterator[type[Clock]]:
    Clock.asked = 0
    with patch("pipeline.commands.clock.datetime", Clock):
        yield Clock


NIGHTS = [
    # In London: winter, the night summer time begins, summer, the night it ends.
    ("2026-01-31T23:59", "Europe/London", "2026-01-31"),
    ("2026-02-01T00:00", "Europe/London", "2026-02-01"),
    ("2026-03-29T00:59", "Europe/London", "2026-03-29"),
    ("2026-03-29T01:00", "Europe/London", "2026-03-29"),
    ("2026-03-29T22:59", "Europe/London", "2026-03-29"),
    ("2026-03-29T23:00", "Europe/London", "2026-03-30"),
    ("2026-06-30T22:59", "Europe/London", "2026-06-30"),
    ("2026-06-30T23:00", "Europe/London", "2026-07-01"),
    ("2026-10-24T23:30", "Europe/London", "2026-10-25"),
    ("2026-10-25T00:30", "Europe/London", "2026-10-25"),
    ("2026-10-25T01:30", "Europe/London", "2026-10-25"),
    ("2026-10-25T23:59", "Europe/London", "2026-10-25"),
    ("2026-10-26T00:00", "Europe/London", "2026-10-26"),
    ("2026-06-30T23:00", "UTC", "2026-06-30"),
    ("2026-06-30T11:00", "Pacific/Auckland", "2026-06-30"),
    ("2026-06-30T12:00", "Pacific/Auckland", "2026-07-01"),
    ("2026-07-01T06:59", "America/Los_Angeles", "2026-06-30"),
]


@pytest.mark.parametrize(("instant", "zone", "day"), NIGHTS)
def test_it_is_the_day_of_the_practices_zone(
    clock: type[Clock], instant: str, zone: str, day: str
) -> None:
    clock.instant = datetime.fromisoformat(f"{instant}:00+00:00")
    assert today(zone) == date.fromisoformat(day)


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    return practice.make(tmp_path / "clinic")


def night(clinic: Path, instant: str, *more: str) -> Result:
    """A night without --as-of, begun at an instant."""
    Clock.instant = datetime.fromisoformat(f"{instant}:00+00:00")
    found = CliRunner().invoke(
        cli, ["bill", str(clinic), *more], catch_exceptions=False, prog_name="membill"
    )
    if found.exit_code == 0:
        practice.PROVED.add(practice.seal(clinic))
    return Result(found.exit_code, found.stdout, found.stderr)


def saved(clinic: Path, on: str) -> None:
    """Give every file the time of a day."""
    when = datetime.fromisoformat(f"{on}T12:00:00+00:00").timestamp()
    for file in clinic.glob("*.csv"):
        os.utime(file, (when, when))


def test_a_night_over_midnight_and_a_change_of_the_clock_bills_one_day(
    clinic: Path, clock: type[Clock]
) -> None:
    # 00:30 on 31 May in London is still 30 May in UTC.
    saved(clinic, "2026-05-30")
    practice.set_to(clinic, "Catch-up days", "200")
    done = night(clinic, "2026-05-30T23:30")
    assert (done.code, clock.asked) == (0, 1)
    assert practice.last_run(clinic)["as_of"] == "2026-05-31"
    assert ("2026-05-31",) in practice.lines(clinic, "period_start")
    again = night(clinic, "2026-05-30T22:30")  # the clock went back over midnight
    assert again.code == 4
    assert "the as-of day 2026-05-30 is before the last run's, 2026-05-31" in again.err


def test_a_clock_that_is_behind_is_named_with_its_witnesses(clinic: Path) -> None:
    saved(clinic, "2026-02-10")
    done = night(clinic, "2026-02-08T03:30")
    assert done.code == 0, "a file's time alone stops nothing and is not recorded"
    assert practice.last_run(clinic)["problems"]["Check"] == 0
    said = "the clock may be wrong: patients.csv was saved on 2026-02-10"
    assert done.err == f"Warning: {said}\n"

    but = ("ledger/membill.lock.json", "out/issues.xlsx")
    before = practice.files(clinic, but=but)
    done = night(clinic, "2026-01-01T03:30")
    assert done.code == 4
    assert (
        "the as-of day 2026-01-01 is before the last run's, 2026-02-08;"
        f" {said} and INV-000002 is dated 2026-02-08 and run 2026-02-08-01 was recorded on"
    ) in done.err
    assert practice.files(clinic, but=but) == before

    given = run("bill", clinic, "--as-of", "2026-01-01", today="2026-01-01")
    assert given.code == 4
    assert "is before the last run's, 2026-02-08" in given.err
    assert "the clock may be wrong" not in given.err, "a given day does not rest on it"


@pytest.mark.parametrize("on", ["2026-02-09", "2026-02-08", "2001-01-01"])
def test_another_zone_a_fast_server_or_an_old_copy_is_no_reason_to_doubt(
    clinic: Path, on: str
) -> None:
    saved(clinic, on)
    with opened(clinic / "ledger/membill.duckdb", write=False) as ledger:
        ledger.connection.execute(
            "create table input.practice as select 'Europe/London' as time_zone"
        )
        found = doubts(ledger, clinic, os.listdir(clinic), date(2026, 2, 8))
    assert found == ()
