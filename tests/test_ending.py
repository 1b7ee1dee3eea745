"""What a night's end looks at, and how it tells what it found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.copies.backups import Copy, State, Unsound
from pipeline.proof import ending
from pipeline.proof.ending import Ending
from pipeline.proof.verify import Result
from pipeline.transaction import Unfinished
from tests.given import kept_ledger


def _checked(
    monkeypatch: pytest.MonkeyPatch,
    *results: Result,
    noting: Callable[[object], object] = bool,
) -> tuple[Ending, Any]:
    """What the end came to where the promises came to `results`, and what was asked."""
    asked: dict[str, bool] = {}

    def holds(ledger: object, out: object, *, whole: bool) -> list[Result]:
        asked["proved whole"] = whole
        return [*results]

    def held(ledger: object, *, whole: bool) -> State:
        asked["copied whole"] = whole
        return State("r", {}, whole)

    monkeypatch.setattr(ending, "night_holds", holds)
    monkeypatch.setattr(ending, "state", held)
    monkeypatch.setattr(ending, "note_proof", noting)
    end = Ending()
    with kept_ledger() as books:
        end.check(books, Path("out"))
    return end, asked


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("first_of_week", [True, False])
def test_a_small_ledger_is_proved_whole_each_night_and_a_large_one_once_a_week(
    small: bool, first_of_week: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "is_small", lambda ledger: small)
    monkeypatch.setattr(ending, "is_first_of_week", lambda *_: first_of_week)
    _, asked = _checked(monkeypatch)
    whole = small or first_of_week
    assert asked == {"proved whole": whole, "copied whole": whole}


@pytest.mark.parametrize(
    ("faults", "said"),
    [(["a"], "a"), (["a", "b"], "a and 1 more"), (["a", "b", "c"], "a and 2 more")],
)
def test_what_does_not_hold_of_files_is_a_warning_and_of_the_books_an_end(
    faults: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "is_small", lambda ledger: True)
    good = Result("all is well", (1,), [])
    end, _ = _checked(monkeypatch, good, Result("files hold", (6,), faults, False))
    assert end.warnings == [f"{said} (should hold: files hold)"]
    with pytest.raises(Unfinished, match=f"promises: books hold: {said}. Send nothing"):
        _checked(monkeypatch, good, Result("books hold", (1,), faults))


@pytest.mark.parametrize(
    ("failing", "why"),
    [
        (None, ""),
        (OSError(28, "No space left on device"), "No space left on device"),
        (duckdb.IOException("some block"), "it cannot be read back"),
        (Unsound("it is another"), "it is another"),
    ],
)
def test_a_closed_ledger_is_copied_older_copies_go_and_a_fault_is_a_warning(
    failing: Exception | None, why: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    done: list[str] = []

    def weekly(copy: Copy, run_id: str) -> None:
        done.append(f"weekly of {run_id}")
        if failing:
            raise failing

    def thinned(folder: Path, made: Path) -> None:
        done.append(f"without older ones than {made.name} in {folder.name}")

    copy = Copy(tmp_path / "backups/r.duckdb", "", {})
    monkeypatch.setattr(ending, "copy_to_backups", lambda *_: copy)
    monkeypatch.setattr(ending, "thin_out", thinned)
    monkeypatch.setattr(ending, "weekly", weekly)
    with ending.ending(tmp_path) as end:
        end.held = State("r", {}, True)
    assert done == ["without older ones than r.duckdb in backups", "weekly of r"]
    told = f"no copy of the ledger was made tonight ({why}): make room and run `membill backup`"
    assert end.warnings == ([told] if failing else [])


def test_a_proof_that_could_not_be_noted_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(ledger: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ending, "is_small", lambda ledger: True)
    end, _ = _checked(monkeypatch, noting=full)
    assert end.warnings == [
        "it could not be noted that the ledger was proved (No space left on device): the"
        " next run looks at more of it again"
    ]


def test_that_it_was_proved_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[object] = []
    monkeypatch.setattr(ending, "is_small", lambda ledger: True)
    _checked(monkeypatch, noting=noted.append)
    assert len(noted) == 1
