"""A group of practices: its nights, on a cluster whose workers are killed in the middle."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import duckdb
import pytest
from filelock import FileLock

from pipeline.group.copies import copies
from pipeline.group.night import Job, Record, night
from pipeline.ledger import ledger_path, opened
from pipeline.proof.verify import verify
from tests import practice
from tests.practice import member

ROOT = Path(__file__).parent.parent
AS_OF = date(2026, 2, 28)
BILLED = ("a/first", "struck")

# Put before every module of each process. It kills the process at a file's opening:
# always, or the first time; and it notes down whoever talks beyond this machine.
SADLY = """
import os, signal, sys
MARKS = os.environ["MARKS"]
DEADLY = {
    "poison/ledger/group.json": "always",
    "struck/out/invoices/2026/02/INV-000003.xlsx": "once",
}
def mark(name, text=""):
    try:
        with open(os.path.join(MARKS, name), "x") as file:
            file.write(text)
        return True
    except FileExistsError:
        return False
def watch(event, args):
    if event in ("open", "os.link"):
        path = str(args[1] if event == "os.link" else args[0])
        for place, when in DEADLY.items():
            if path.endswith(place) and (when == "always" or mark(when)):
                mark(f"{when}-{os.getpid()}")
                os.kill(os.getpid(), signal.SIGKILL)
    elif event in ("socket.bind", "socket.connect"):
        if isinstance(args[1], tuple) and args[1][0] != "127.0.0.1":
            mark("beyond", f"{event} {args[1]}")
sys.addaudithook(watch)
"""


def practices(root: Path) -> None:
    """Small practices, each with a name and members of its own; one lacks its settings."""
    for number, name in enumerate(("a/first", "poison", "refused", "struck")):
        practice.make(root / name)
        practice.set_to(root / name, "Practice name", f"Surgery {number}")
        more = [member(f"Q{at}", last_name="Zyxname") for at in range(number)]
        practice.add(root / name, "patients", *more)
    practice.add(root / "struck", "patients", member("Zyx 9", start_date="31/31/2026"))
    (root / "refused/settings.csv").unlink()


def job(folder: Path, ledger: Path | None = None, **told: Any) -> Job:
    asked: dict[str, Any] = {
        "practice": folder.name, "folder": folder, "ledger": ledger_path(folder, ledger),
        "as_of": AS_OF, "moment": datetime(2026, 2, 28, 3, 30, tzinfo=UTC),
        "group": "g1", "version": version("membill"), "command": "membill bill x",
    }  # fmt: skip
    return Job(**{**asked, **told})


@dataclass(frozen=True)
class Ran:
    """A group that is over: where, its exit code, what it said, where it was struck."""

    root: Path
    code: int
    said: str
    marks: set[str]

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """What is told of each practice, to machines."""
        text = (self.root / "group/last_group.json").read_text(encoding="utf-8")
        return {each["practice"]: each for each in json.loads(text)["practices"]}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    place = tmp_path_factory.mktemp("group")
    root, marks = place / "root", place / "marks"
    practices(root)
    practice.make(root / os.fsdecode(b"caf\xe9"))
    marks.mkdir()
    (place / "sitecustomize.py").write_text(SADLY, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "group", str(root), "--as-of", str(AS_OF),
         "--workers", "1"],
        cwd=ROOT, capture_output=True, text=True, umask=0o022, check=False,
        env={**os.environ, "PYTHONPATH": f"{place}:{ROOT}", "MARKS": str(marks)},
    )  # fmt: skip
    said = done.stdout + done.stderr
    return Ran(root, done.returncode, said, {mark.name for mark in marks.iterdir()})


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    """The same practices billed in another process, in the other order; by folder."""
    root = tmp_path_factory.mktemp("undisturbed")
    practices(root)
    return {
        str(root / name): night(job(root / name))
        for name in ("struck", "refused", "a/first")
    }


def clockless(folder: Path) -> dict[str, str]:
    """The files of `out/` but for those that tell when and how often a run worked."""
    found = practice.files(folder / "out", but=("last_run.json", "summary.html"))
    return {name: sha for name, sha in found.items() if not name.startswith("runs/")}


def beside(undisturbed: dict[str, Record], name: str) -> tuple[Path, Record]:
    (found,) = [each for each in undisturbed.items() if each[0].endswith(name)]
    return Path(found[0]), found[1]


def test_what_was_billed_before_the_worker_was_killed_is_billed_once_and_told(
    ran: Ran, undisturbed: dict[str, Record]
) -> None:
    assert "once" in ran.marks
    told, (_, alone) = ran.records["struck"], beside(undisturbed, "struck")
    # The run of the killed try made them all, the run of the next one none.
    assert (told["run_id"], alone.run_id) == (f"{AS_OF}-02", f"{AS_OF}-01")
    assert (told["documents"], told["gross"]) == (alone.documents, str(alone.gross))
    assert told["documents"] == 9


@pytest.mark.parametrize("name", BILLED)
def test_documents_are_those_of_an_undisturbed_night_in_a_process_of_its_own(
    ran: Ran, undisturbed: dict[str, Record], name: str
) -> None:
    made = clockless(ran.root / name)
    alone = clockless(beside(undisturbed, name)[0])
    pages = {"issues.xlsx", "invoices.xlsx"} if name == "struck" else set()
    assert {file: made[file] for file in made if file not in pages} == {
        file: alone[file] for file in alone if file not in pages
    }
    assert any(file.startswith("invoices/") for file in made)


@pytest.mark.parametrize("name", BILLED)
def test_every_ledger_holds_its_promises(ran: Ran, name: str) -> None:
    with opened(ledger_path(ran.root / name), write=False) as ledger:
        results = verify(ledger, ran.root / name / "out")
    assert [fault for result in results for fault in result.faults] == []


def test_who_kills_his_worker_each_time_is_given_up_and_the_others_go_on(
    ran: Ran,
) -> None:
    assert sum(mark.startswith("always-") for mark in ran.marks) == 3
    states = {name: each["state"] for name, each in ran.records.items()}
    assert states == {
        "a/first": "fine", "poison": "crashed", r"caf\xe9": "refused",
        "refused": "refused", "struck": "held",
    }  # fmt: skip
    assert list(states) == ["poison", r"caf\xe9", "refused", "struck", "a/first"]
    assert "was killed 3 times" in ran.records["poison"]["why"][0]
    assert ran.code == 1


def test_a_folder_whose_name_is_no_text_is_told_and_the_others_go_on(ran: Ran) -> None:
    assert ran.records[r"caf\xe9"]["why"] == [
        "the name is not written in UTF-8, or has control characters; rename the folder,"
        " with plain letters"
    ]
    assert [*(ran.root / os.fsdecode(b"caf\xe9")).glob("ledger")] == []
    assert "group.xlsx" in {path.name for path in (ran.root / "group").iterdir()}


def test_the_terminal_names_who_needs_somebody_and_no_patient(ran: Ran) -> None:
    lines = ran.said.splitlines()
    assert {line.partition(":")[0] for line in lines} >= {
        "Not finished",
        "Refused",
        "Held",
    }
    beginnings = {"Not finished", "Refused", "Held", "Look at", "root, 2026-02-28"}
    of_dask = [
        line for line in lines if not line.startswith((*beginnings, "12 invoices"))
    ]
    assert of_dask == [] and not [line for line in lines if "a/first" in line]
    pages = [path for path in (ran.root / "group").iterdir() if path.suffix != ".xlsx"]
    texts = [ran.said, *(page.read_text(encoding="utf-8") for page in pages)]
    assert not [text for text in texts if "zyxname" in text.lower()]


def test_nothing_is_asked_of_another_machine(ran: Ran) -> None:
    assert "beyond" not in ran.marks


def test_what_a_group_makes_is_for_its_account_alone(ran: Ran) -> None:
    made = [ran.root / "group", *(ran.root / "group").iterdir()]
    for name in BILLED:
        made += [*(ran.root / name / "out").rglob("*")]
        made += [*(ran.root / name / "ledger").rglob("*")]
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in made}
    assert modes == {0}
    assert {path.name for path in made} >= {"group.xlsx", "group.html", "group.json"}


def test_a_refused_night_comes_back_as_its_reason(
    undisturbed: dict[str, Record],
) -> None:
    _, record = beside(undisturbed, "refused")
    assert (record.code, record.run_id, record.issues) == (4, "", True)
    assert record.why[0].startswith("settings.csv: the file is missing")


def test_a_held_row_comes_back_as_a_count_and_a_sum(
    undisturbed: dict[str, Record],
) -> None:
    _, record = beside(undisturbed, "struck")
    assert (record.code, record.held, str(record.held_sum)) == (3, 1, "50.00")
    assert (record.unsent, record.name) == (9, "Surgery 3")


def test_two_folders_with_one_ledger_are_both_refused(
    undisturbed: dict[str, Record], tmp_path: Path
) -> None:
    folder, _ = beside(undisturbed, "a/first")
    other, _ = beside(undisturbed, "struck")
    twin = practice.copied(folder, tmp_path / "twin")
    found = copies([job(folder), job(twin), job(other)])
    assert [(each.practice, each.code) for each in found] == [("first", 4), ("twin", 4)]
    assert found[0].why[0].startswith("its ledger is also that of twin: ")


def test_two_practices_that_began_alike_are_no_copies(tmp_path: Path) -> None:
    given = practice.sheets()
    for row in given["patients"]:
        row["Membership active"] = "No"
    north = practice.make(tmp_path / "north", given)
    assert practice.bill(north, "2026-03-01").code == 0
    south = practice.copied(north, tmp_path / "south")
    assert copies(map(job, (north, south))) == []


def test_a_practice_somebody_works_on_is_busy_and_left_alone(tmp_path: Path) -> None:
    folder = practice.make(tmp_path / "clinic")
    (folder / "ledger").mkdir()
    with FileLock(folder / "ledger/membill.lock"):
        record = night(job(folder))
    assert (record.code, record.why) == (
        5,
        ("another process is working on this practice",),
    )
    assert not (folder / "out").exists()


def test_a_folder_that_the_worker_does_not_see_is_refused_and_not_made(
    tmp_path: Path,
) -> None:
    record = night(job(tmp_path / "elsewhere", tmp_path / "ledgers/elsewhere/m.duckdb"))
    assert record.code == 4 and "there is no such folder on" in record.why[0]
    assert [*tmp_path.iterdir()] == []


def test_a_worker_of_another_version_bills_nothing(tmp_path: Path) -> None:
    folder = practice.make(tmp_path / "clinic")
    record = night(job(folder, version="99.0"))
    assert record.code == 4 and "and the group 99.0; put the same" in record.why[0]
    assert not (folder / "ledger").exists()


class Panic(BaseException):
    """What a library in Rust throws when it gives up."""


def test_a_commit_that_the_disk_refused_is_no_fault_of_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = duckdb.TransactionException("no room")
    monkeypatch.setattr("pipeline.run.bill", Mock(side_effect=full))
    record = night(job(practice.make(tmp_path / "clinic")))
    assert record.code == 4 and "the disk is full" in record.why[0]


@pytest.mark.parametrize("error", [Panic("Zyxname"), KeyError("Zyxname")])
def test_a_fault_of_the_program_comes_back_without_what_it_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("pipeline.run.bill", fail)
    monkeypatch.setattr("pipeline.crash.tempfile.tempdir", str(tmp_path))
    record = night(job(practice.make(tmp_path / "clinic")))
    (kept,) = tmp_path.glob("membill-crash-*.txt")
    assert record.code == 1 and type(error).__name__ in record.why[0]
    assert "Zyxname" not in str(record) and "Zyxname" in kept.read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda root: ["group", root / "none"], "there is no such folder"),
        (lambda root: ["group", root], "no folder below it holds the sheets"),
        (
            lambda root: ["group", root, "--scheduler", "x", "--workers", 1],
            "--workers is",
        ),
        (lambda root: ["group", root, "--local-ledgers"], "--local-ledgers needs"),
    ],
)
def test_what_cannot_be_a_group_is_said_at_once(
    tmp_path: Path, given: Callable[[Path], list[object]], said: str
) -> None:
    found = practice.run(*given(tmp_path))
    assert found.code in (2, 4) and said in found.err
    assert [*tmp_path.iterdir()] == []
