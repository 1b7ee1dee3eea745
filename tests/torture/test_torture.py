"""A spread of the trials; `make torture` makes them all."""

from pathlib import Path

import pytest

from tests import practice
from tests.torture.again import fingerprint, killed, recover, run_once
from tests.torture.bugs import BUGS
from tests.torture.scenario import STEPS
from tests.torture.trial import Reference, play, try_at

# One step of each kind, two nights of them: the other nights take longest.
KINDS = [STEPS[at] for at in (0, 1, 2, 5, 9, 10, 6, 13, 16)]


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> list[Reference]:
    """A step of each kind of the scenario, undisturbed."""
    return play(tmp_path_factory.mktemp("torture"), KINDS)


def _killed(made: Reference, folder: Path, *, changed: bool = False) -> None:
    """Kill a step when it has done more than half of what it does."""
    point = round(0.6 * len(made.names))
    verdict = try_at(made, folder, (point,), changed=changed)
    assert not verdict.faults, verdict


def test_there_are_many_points(references: list[Reference]) -> None:
    assert len({name for made in references for name in made.names}) >= 40


def test_a_first_night_killed_while_it_publishes_is_whole_again(
    references: list[Reference], tmp_path: Path
) -> None:
    _killed(references[0], tmp_path / "clinic", changed=True)


@pytest.mark.parametrize(
    "at", range(2, len(KINDS)), ids=[step.name for step in KINDS[2:]]
)
def test_what_was_killed_and_is_given_again_comes_out_the_same(
    references: list[Reference], tmp_path: Path, at: int
) -> None:
    _killed(references[at], tmp_path / "clinic")


def test_a_bug_put_in_on_purpose_is_seen(
    references: list[Reference], tmp_path: Path
) -> None:
    made = references[1]
    half = next(at for at, name in enumerate(made.names) if "half of out" in name)
    bug = BUGS["written in place"]
    assert try_at(made, tmp_path / "clinic", (half,), bug=bug).faults


def test_what_is_swept_away_makes_no_other_wreck(tmp_path: Path) -> None:
    draft = tmp_path / "csv/.2026-03-02-01.part"
    draft.mkdir(parents=True)
    empty = fingerprint(tmp_path, {})
    (draft / "lines.csv").write_text("half of it")
    assert fingerprint(tmp_path, {}) == empty
    (tmp_path / "csv/lines.csv").write_text("half of it")
    assert fingerprint(tmp_path, {}) != empty


def test_looking_at_a_run_shows_the_wrecks_that_kills_leave_and_they_are_whole_again(
    references: list[Reference], tmp_path: Path
) -> None:
    made = references[1]
    folder = practice.copied(made.start, tmp_path / "clinic")
    code, _, seen = run_once(made, folder, tmp_path, every=6)
    assert code == made.step.code
    wrecks = [mark for _, mark in seen]
    assert len(set(wrecks)) > 15
    at = round(0.7 * len(wrecks))
    assert killed(made, tmp_path / "killed", 6 * at) == wrecks[at]
    verdict, _ = recover(made, tmp_path / "killed", tmp_path, keeping=False)
    assert not verdict.faults
