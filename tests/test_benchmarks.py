"""The benchmarks measure what they say: a true past, the same lines, loud failures."""

import json
import sys
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest

from benchmarks import (
    by_hand,
    committed,
    group,
    guard_simulation,
    pages,
    roster,
    stages,
)
from benchmarks.bench import FLOORS as MEASURED
from benchmarks.floors import FLOORS
from benchmarks.make_practice import Spec, make, sheets, write_sheets
from benchmarks.measured import Figures, Measured
from pipeline.ledger import ledger_path
from schemas.columns import name_of
from schemas.ledger import ACCEPTED, LEDGER
from tests.practice import Row, lines, run, write

SPEC = Spec(members=24, form="csv", months=2)
LINE_COLUMNS = (
    "number patient_id product_code period_start period_end net tax gross".split()
)
SCRIPT_COLUMNS = [name.removesuffix("_code") for name in LINE_COLUMNS]


def _contents(folder: Path) -> dict[str, list[tuple]]:
    """Every row of a ledger, but what a clock said."""
    but = {
        "runs": "exclude (recorded_at, milliseconds)",
        # Pages tell when their run worked, and its link of the chain; invoices theirs,
        # which follows on the files that the second night read, the sent log among them.
        "published": "replace (case when path like 'invoices/%' and run_no < 3"
        " then sha256 end as sha256)",
    }
    names = [*map(name_of, LEDGER), *(f"accepted.{name_of(one)}" for one in ACCEPTED)]
    with duckdb.connect(str(ledger_path(folder)), read_only=True) as ledger:
        return {
            name: ledger.sql(
                f"select * {but.get(name, '')} from {name} order by all"
            ).fetchall()
            for name in names
        }


def _sent(folder: Path, day: str) -> list[Row]:
    """The sent log of a practice that has sent what the last night made."""
    with duckdb.connect(str(ledger_path(folder)), read_only=True) as ledger:
        made = ledger.sql(
            "select number from invoices where run_no = (select max(run_no) from runs)"
            " order by sequence desc"
        ).fetchall()
    return [
        {"Invoice number": number, "Sent on": day, "Sent to": "the address on it",
         "How": "post", "Sent by": "dd"}
        for (number,) in reversed(made)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice whose past was made as the benchmarks make it, files and all."""
    folder = tmp_path_factory.mktemp("made") / "practice"
    make(SPEC, folder, whole=True)
    return folder


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same practice after real nights."""
    folder = tmp_path_factory.mktemp("lived")
    write_sheets(folder, "csv", sheets(SPEC, tonight=False))
    for number, day in enumerate(SPEC.nights):
        if number:
            write(folder, "sent", _sent(folder, str(day)))
        assert run("bill", folder, "--as-of", day, today=str(day)).code == 0
    return folder


def test_a_past_that_is_made_is_what_real_nights_leave(made: Path, lived: Path) -> None:
    left, expected = _contents(made), _contents(lived)
    # Which files were read is told by their hashes; the sent log is one of them.
    for contents in (left, expected):
        assert len(contents["runs"]) == len(SPEC.nights)
    for name in left.keys() - {"runs", "chain"}:
        assert left[name] == expected[name], name
    assert len(left["chain"]) == len(expected["chain"])
    assert len(left["invoices"]) > SPEC.members / 2
    assert left["sendings"]


def test_a_past_that_is_made_is_proved(made: Path) -> None:
    assert run("verify", made, "--deep").code == 0


def test_the_script_bills_the_same_lines(lived: Path, tmp_path: Path) -> None:
    """From the same sheets, knowing what the first night billed, for the second."""
    write_sheets(tmp_path, "xlsx", sheets(SPEC, tonight=False))
    last = SPEC.nights[-1]
    every = sorted(lines(lived, *LINE_COLUMNS))
    with duckdb.connect(str(ledger_path(lived)), read_only=True) as ledger:
        ((first,),) = ledger.sql(
            "select count(*) from lines inner join invoices using (number)"
            " where run_no = 1"
        ).fetchall()
    known = [SCRIPT_COLUMNS, *every[:first]]
    text = "".join(",".join(line) + "\n" for line in known)
    (tmp_path / "by_hand").mkdir()
    (tmp_path / "by_hand/billed.csv").write_text(text, encoding="utf-8")
    found, *_ = by_hand.bill(tmp_path, last)
    billed = [
        tuple(str(line[name]) for name in SCRIPT_COLUMNS)
        for invoice in found
        for line in invoice
    ]
    assert billed == every[first:] != []
    with patch.object(sys, "argv", ["by_hand", str(tmp_path), str(last)]):
        by_hand.main()
    assert (tmp_path / "by_hand/register-2026-03.xlsx").exists()


def test_the_roster_is_what_it_says() -> None:
    connection = duckdb.connect()
    everybody = roster.members(connection, 5_000)
    everybody.create("tonight")
    before = roster.members(duckdb.connect(), 5_000, tonight=False).fetchall()
    tonight = connection.sql("from tonight").fetchall()
    assert [row[0] for row in before] == [f"P{at:08d}" for at in range(5_000)]
    moved = sum(was != now for was, now in zip(before, tonight, strict=True))
    assert 0.011 < moved / 5_000 < 0.019  # a hundredth mistaken, half of that moved
    ((due,),) = connection.sql(
        "select avg((start_date like '%-20')::integer) from tonight"
    ).fetchall()
    assert 0.02 < due < 0.04


def test_every_function_of_the_table_is_there() -> None:
    for stage in stages.STAGES:
        for name in stage.functions:
            assert callable(stages._look_up(name)[2])


def test_a_function_that_is_gone_stops_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="no_such_thing"):
        stages._look_up("pipeline.run:no_such_thing")


def test_a_clock_gives_each_stage_its_own_time() -> None:
    clock = stages.Clock()
    outer, inner = stages.Stage("outer", ()), stages.Stage("inner", ())
    whole = stages.Stage("whole", (), whole=True)
    moments = iter(
        [(0.0, 0.0), (2.0, 1.0), (7.0, 2.0), (8.0, 3.0), (9.0, 4.0), (19.0, 5.0)]
    )
    with patch.object(stages, "_now", lambda: next(moments)):
        assert clock.begin(outer, "f")
        assert clock.begin(inner, "g")
        clock.end()
        clock.end()
        assert clock.begin(whole, "h")
        assert not clock.begin(inner, "g")
        clock.end()
    assert clock.spent == {
        "outer": {"f": [3.0, 2.0]}, "inner": {"g": [5.0, 1.0]}, "whole": {"h": [10.0, 1.0]}
    }  # fmt: skip


MEASURED_ONCE = Measured(
    practice="a & b",
    runs=5,
    night=Figures(10.0, 8.0, 100.0),
    again=Figures(5.0, 4.0, 90.0),
    script=Figures(120.0, 80.0, 400.0),
    stages={"reading": Figures(3.0, 2.0), "parsing cells": Figures(1.0, 1.0)},
    functions={},
    floors={"reading": Figures(1.0, 1.0, 50.0), "copy": Figures(0.1, 0.001, 50.0)},
)


def test_ratios_are_of_processor_seconds_and_of_what_can_be_told_from_noise() -> None:
    assert committed.ratios(MEASURED_ONCE) == {"reading": 2.0, committed.WHOLE: 0.1}


@pytest.mark.parametrize(
    ("today", "fallen"),
    [
        ({"a": 2.0, "b": 1.0}, []),
        ({"a": 2.5, "b": 0.1}, []),
        ({"a": 2.51, "b": 1.0, "new": 9.0}, ["a"]),
        ({"a": 2.0}, ["b"]),
    ],
)
def test_a_ratio_may_be_a_quarter_worse(
    tmp_path: Path, today: dict[str, float], fallen: list[str]
) -> None:
    file = tmp_path / "committed.json"
    file.write_text(json.dumps({"a": 2.0, "b": 1.0}), encoding="utf-8")
    assert [words.split(":")[0] for words in committed.falls(today, file)] == fallen


def test_tables_and_chart_show_what_was_measured(tmp_path: Path) -> None:
    shown = pages.tables(MEASURED_ONCE)
    assert (
        "| **the script takes, times the night** | 12.00 | 10.00 | 4.00 |"
        in shown["whole"]
    )
    assert "| reading and parsing cells | 4.00 | 3.00 | 1.00 | 3.0 |" in shown["stages"]
    assert "a &amp; b" in pages.chart(MEASURED_ONCE)
    page = tmp_path / "page.md"
    page.write_text("one\n<!-- begin whole -->\nold\n<!-- end whole -->\ntwo\n")
    pages.put("whole", "new", page)
    assert (
        page.read_text() == "one\n<!-- begin whole -->\nnew\n<!-- end whole -->\ntwo\n"
    )
    with pytest.raises(SystemExit, match="no place"):
        pages.put("other", "new", page)


def test_the_same_floors_are_measured_and_made() -> None:
    assert set(MEASURED) == set(FLOORS) == set(pages.AGAINST)
    assert FLOORS.keys() <= set(stages.NAMES)
    assert Decimal(committed.ALLOWED) == Decimal("1.25")


def test_the_guards_are_measured_on_nights_that_really_are_nights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guard_simulation, "FAULTS", {"all inactive": _switch_off})
    monkeypatch.setattr(guard_simulation, "OLD_COPIES", {})
    monkeypatch.setattr(guard_simulation, "WRONG_DAYS", {})
    monkeypatch.setattr(guard_simulation, "_sampled", lambda day: day.day == 2)
    found = guard_simulation.measure((12, False, 1, 1))
    assert (found.nights, dict(found.stopped), found.slipped) == (1, {}, [])
    assert [by for _, _, by in found.faults] == ["guard-drop"]


def _switch_off(sheets: dict[str, list[Row]], day: object) -> None:
    for row in sheets["patients"]:
        row["Membership active"] = "No"


def test_each_practice_of_a_group_has_a_name_and_members_of_its_own(
    tmp_path: Path,
) -> None:
    group.make_group(tmp_path, 2, 5)
    first, second = group.folders(tmp_path)
    for sheet in ("settings.csv", "patients.csv"):
        one, other = ((folder / sheet).read_bytes() for folder in (first, second))
        assert one != other
    assert len(group.ways(tmp_path)[group.EACH]) == 2
