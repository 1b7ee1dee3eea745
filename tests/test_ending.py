"""What a night's end looks at, and how it tells what it found."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.copies.backups import State
from pipeline.proof import ending
from pipeline.proof.ending import Ending
from pipeline.proof.verify import Result
from pipeline.transaction import Unfinished
from tests.given import kept_ledger


def _checked(monkeypatch: pytest.MonkeyPatch, *results: Result) -> tuple[Ending, Any]:
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
    monkeypatch.setattr(ending, "note_proof", lambda ledger: None)
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
