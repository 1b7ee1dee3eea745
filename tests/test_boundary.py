"""What a library says stays off the screen, in a file of its owner's for thirty days."""

import os
import stat
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipeline import crash
from pipeline.boundary import file_boundary
from pipeline.problems import Place, Problem, Severity
from pipeline.reading.agreement import Agreement, rows_lost
from pipeline.reading.file_age import unchanged_for_long
from pipeline.reading.preflight import Facts
from pipeline.reading.sheets import Sheet, Unusable
from pipeline.record import add_run
from pipeline.workbooks import Reading
from tests import given, practice

DAY = 24 * 60 * 60


class Panic(BaseException):
    """What a reader in Rust throws when it gives up."""


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which this test's crashes are kept."""
    monkeypatch.setattr(crash.tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            Panic("Quillfeather"),
            "patients.xlsx: the file could not be read; open it, save it again, and see"
            " that nothing is missing",
        ),
        (
            KeyError("Quillfeather"),
            "patients.xlsx: the file could not be read; open it, save it again, and see"
            " that nothing is missing",
        ),
        (
            MemoryError(),
            "patients.xlsx: there is not enough memory to read the file; remove what does"
            " not belong to the table, or give the machine more",
        ),
        (Unusable("odd", "it is odd", "mend it"), "patients.xlsx: it is odd; mend it"),
    ],
)
def test_whatever_a_reader_raises_becomes_a_plain_message(
    error: BaseException, message: str
) -> None:
    problems: list[Problem] = []
    with file_boundary(Place("patients.xlsx"), problems):
        raise error
    assert [(p.severity, str(p)) for p in problems] == [(Severity.STOPS, message)]


def test_a_night_can_still_be_stopped_by_hand() -> None:
    with pytest.raises(KeyboardInterrupt), file_boundary(Place("patients.xlsx"), []):
        raise KeyboardInterrupt


def test_what_a_library_said_is_kept_for_its_owner_alone(kept: Path) -> None:
    with file_boundary(Place("patients.xlsx"), []):
        raise Panic("Quillfeather")
    (file,) = kept.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Panic: Quillfeather" in file.read_text(encoding="utf-8")


def test_a_refusal_of_our_own_keeps_nothing(kept: Path) -> None:
    with file_boundary(Place("patients.xlsx"), []):
        raise Unusable("odd", "it is odd", "mend it")
    assert [*kept.iterdir()] == []


def _a_fault(_: Path) -> None:
    crash.keep(ValueError("x"))


def _a_night(kept: Path) -> None:
    folder = practice.make(kept.parent / "clinic")
    assert practice.bill(folder, "2026-03-01").code == 0


@pytest.mark.parametrize("after", [_a_fault, _a_night])
def test_kept_files_go_after_thirty_days(
    kept: Path, after: Callable[[Path], None]
) -> None:
    now = time.time()
    for name, days in (("old", 31), ("new", 29)):
        path = kept / f"membill-crash-{name}.txt"
        path.touch()
        os.utime(path, (now - days * DAY, now - days * DAY))
    (kept / "membill-crash-link.txt").symlink_to("membill-crash-new.txt")
    other = kept / "letter.txt"
    other.touch()
    os.utime(other, (0, 0))
    after(kept)
    left = {path.name for path in kept.iterdir()}
    assert left >= {"membill-crash-new.txt", "membill-crash-link.txt", "letter.txt"}
    assert "membill-crash-old.txt" not in left


def test_text_that_is_no_text_is_kept_all_the_same(kept: Path) -> None:
    assert "\\udcff" in crash.keep(ValueError("\udcff")).read_text(encoding="utf-8")


def test_what_a_library_writes_on_the_screen_by_itself_is_kept_too(
    kept: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with file_boundary(Place("patients.xlsx"), []), crash.unheard():
        os.write(2, b"thread panicked at Quillfeather\n")
        raise Panic("gone")
    assert capfd.readouterr().err == ""
    (file,) = kept.iterdir()
    assert "thread panicked at Quillfeather" in file.read_text(encoding="utf-8")
    os.write(2, b"heard again\n")
    assert capfd.readouterr().err == "heard again\n"


@pytest.mark.parametrize(
    ("facts", "rows"),
    [
        pytest.param(Facts({1, 2}, cells=2), [["a"]], id="a row is missing"),
        pytest.param(Facts({1}, cells=1), [["a"], ["b"]], id="a row is too many"),
        pytest.param(Facts({1}, cells=2), [["a", None]], id="a cell is missing"),
        pytest.param(Facts({1}, cells=1), [["a", "b"]], id="a cell is too many"),
        pytest.param(
            Facts({1}, cells=1, numbers=[49.0]), [[4.0]], id="another number"
        ),
        pytest.param(Facts({1}, cells=1), [[4.0]], id="a number that is none"),
        pytest.param(Facts({1}, cells=1, numbers=[4.0]), [["4"]], id="text for a number"),
    ],
)  # fmt: skip
def test_readers_that_disagree_are_not_believed(
    facts: Facts, rows: list[list[object]]
) -> None:
    with pytest.raises(Unusable):
        must_agree(facts, rows, date1904=False)


def test_readers_that_agree_are_believed() -> None:
    facts = Facts({1, 3}, cells=3, numbers=[4.5])
    must_agree(facts, [["a", None], [None, " "], [4.5, "b"]], date1904=False)


def must_agree(facts: Facts, rows: list[list[object]], *, date1904: bool) -> None:
    """Hold rows against facts, with blank cells as the reader of values leaves them."""
    agreement = Agreement(facts, date1904)
    agreement.rows(1, [["" if cell is None else cell for cell in row] for row in rows])
    agreement.finish()


@pytest.mark.parametrize(
    ("filled", "skipped", "told", "lost"),
    [
        (4, 0, 0, []),
        (6, 1, 1, []),
        (5, 0, 0, ["patients.xlsx: Patients: 5 rows are filled, but 3 were taken and 1"
                   " held; copy the table into a new workbook, and tell whoever looks"
                   " after the program"]),
        (3, 0, 0, ["patients.xlsx: Patients: 3 rows are filled, but 3 were taken and 1"
                   " held; copy the table into a new workbook, and tell whoever looks"
                   " after the program"]),
    ],
)  # fmt: skip
def test_rows_that_went_missing_stop_the_night(
    filled: int, skipped: int, told: int, lost: list[str]
) -> None:
    connection = duckdb.connect()
    connection.execute("create schema staged")
    connection.execute(
        "create table staged.patients as"
        " select unnest([true, false, false, false]) as held"
    )
    sheet = Sheet(
        "patients", "patients.xlsx", "Patients", {}, [], filled=filled, skipped=skipped
    )
    twice = Problem(Severity.CHECK, "row-twice", Place(), "")
    problems = rows_lost(connection, sheet, [twice] * told)
    assert [str(problem) for problem in problems] == lost
    assert all(problem.severity is Severity.STOPS for problem in problems)


def test_patients_that_never_change_for_three_months_are_doubted() -> None:
    """Counted from the first of the nights that read them, and not from the last."""
    read = {"patients": Sheet("patients", "patients.csv", None, {}, [])}
    now, before = "ab" * 32, "cd" * 32
    nights = (("2026-02-28", before), ("2026-03-01", now), ("2026-03-02", now))
    with given.ledger() as books:
        for run_no, (day, digest) in enumerate(nights, 1):
            add_run(
                books, run_no, day, "bill", date.fromisoformat(day), "0",
                {"inputs": {"patients.csv": digest}},
            )  # fmt: skip

        def told(day: str, digest: str = now) -> list[str]:
            reading = Reading(read, files={"patients.csv": digest})
            found = unchanged_for_long(books, reading, date.fromisoformat(day))
            return [f"{problem.severity}: {problem.public()}" for problem in found]

        assert told("2026-05-29") == []
        assert told("2026-05-30") == [
            "Check: patients.csv: nothing in the file has changed since the night of"
            " 2026-03-01; see that this is the file the office works in, and not a copy"
            " of it"
        ]
        assert told("2026-05-30", "ef" * 32) == []
