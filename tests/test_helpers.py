"""Invoices rendered by helping processes are those rendered without, come what may."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import accounts, helpers, publish
from pipeline.books import Document
from pipeline.exports import invoice
from pipeline.ledger import ledger_path, opened
from tests import practice

Written = list[tuple[str, str]]


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice with a dozen invoices."""
    folder = practice.make(tmp_path_factory.mktemp("helpers") / "clinic")
    practice.add(folder, "patients", *(practice.member(f"Q{at}") for at in range(6)))
    assert practice.bill(folder, "2026-02-28").code == 0
    return folder


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Helpers on a machine of two cores, also for a few invoices; who they are."""
    numbers: list[int] = []
    begin = subprocess.Popen.__init__

    def noted(
        process: "subprocess.Popen[bytes]", *args: object, **more: object
    ) -> None:
        begin(process, *args, **more)  # type: ignore[arg-type]
        numbers.append(process.pid)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    monkeypatch.setattr(helpers, "MANY", 1)
    monkeypatch.setattr(helpers, "_BATCH", 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    yield numbers
    for number in numbers:
        with pytest.raises(ProcessLookupError):  # none is left
            os.kill(number, 0)


def made_again(clinic: Path, out: Path) -> Written:
    """Every invoice of a practice once more: paths and hashes in order of writing."""
    with opened(ledger_path(clinic), write=False) as ledger:
        press = publish._Press(out)
        due = {document.path for document in accounts.documents(ledger)}
        publish._invoices(ledger, press, due, everything=False)
    assert not press.warnings
    return press.written


@pytest.fixture
def without(clinic: Path, tmp_path: Path) -> Written:
    """The invoices as they are made without helpers."""
    return made_again(clinic, tmp_path / "without")


def test_helpers_make_the_same_files_in_the_same_order(
    clinic: Path, tmp_path: Path, without: Written, started: list[int]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(invoice, "render", None)  # here, nothing is rendered
        assert made_again(clinic, tmp_path) == without
    assert len(started) == 2
    for path, _ in without:
        assert (tmp_path / path).read_bytes() == (clinic / "out" / path).read_bytes()


def test_a_killed_helper_harms_nothing(
    clinic: Path,
    tmp_path: Path,
    without: Written,
    started: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_back = helpers._handed_back

    def killing(*given: object) -> helpers.Rendered:
        os.kill(started[0], signal.SIGKILL)
        return hand_back(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(helpers, "_handed_back", killing)
    assert made_again(clinic, tmp_path) == without


def test_what_a_helper_cannot_render_fails_here_as_it_would_without(
    clinic: Path,
    tmp_path: Path,
    started: list[int],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def broken(*args: object) -> Iterator[Document]:
        for place, document in enumerate(documents(*args)):  # type: ignore[arg-type]
            if place == 5:
                object.__setattr__(document, "gross", None)
            yield document

    documents = accounts.documents
    monkeypatch.setattr(accounts, "documents", broken)
    faults = []
    for many in (10_000, 1):
        monkeypatch.setattr(helpers, "MANY", many)
        with pytest.raises(TypeError) as raised:
            made_again(clinic, tmp_path)
        faults.append(str(raised.value))
    assert len(started) == 2
    assert faults[0] == faults[1]
    assert capfd.readouterr() == ("", "")


def test_there_are_none_for_few_invoices_on_one_core_or_for_a_member_of_a_group(
    started: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert helpers._number(1) == 2
    assert helpers._number(0) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("multiprocessing.parent_process", lambda: True)
        assert helpers._number(1) == 0
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1})
    assert helpers._number(1) == 0


def test_a_helper_ends_with_the_process_that_started_it(started: list[int]) -> None:
    helper = helpers._Helper()
    given = helper._process.stdin
    assert given
    given.close()  # as the system does for a process that was killed
    assert helper._process.wait(60) == 0
    helper.end()


def test_a_helper_loads_no_more_than_it_needs() -> None:
    heavy = "{'duckdb', 'pandas', 'pandera', 'numpy', 'pyarrow', 'dask'}"
    found = subprocess.run(
        [
            sys.executable, "-c",
            f"import sys, pipeline.exports.helper; print({heavy} & set(sys.modules))",
        ],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert found.stdout == "set()\n"
