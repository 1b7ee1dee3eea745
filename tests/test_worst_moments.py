"""A disk, a lock or a file that fails at the worst moment: nothing is lost or told wrong.

The torture harness kills and fails real calls in processes of their own; here each way
out of a failure is taken in this one.
"""

import io
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import practice
import pytest
from practice import Result, bill, member, run

from pipeline import __main__ as program
from pipeline import chain
from pipeline.files import private_folder
from pipeline.ledger import opened
from pipeline.publish import AT_A_TIME
from pipeline.record import add_run
from pipeline.transaction import transaction
from tests import given
from tests.torture.trial import in_process

FIRST, SECOND = "2026-03-01", "2026-03-02"
FULL = OSError(28, "No space left on device")
LEDGER = "ledger/membill.duckdb"
NUMBERS = ["INV-000001", "INV-000002", "INV-000003"]


@pytest.fixture(scope="module")
def billed(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return practice.copied(first_night, tmp_path_factory.mktemp("worst") / "clinic")


@pytest.fixture
def clinic(billed: Path, tmp_path: Path) -> Path:
    """A practice of one's own after its first night: INV-000001 to 3."""
    return practice.copied(billed, tmp_path / "clinic")


@dataclass(frozen=True)
class After:
    """A practice, and what its last night said."""

    folder: Path
    told: Result


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> After:
    """A first night that is recorded, and none of its files made: the disk is full.

    Its ledger had been brought back from a copy of one in which nothing was.
    """
    root = tmp_path_factory.mktemp("cut off")
    folder = practice.make(root / "clinic")
    empty = private_folder(root / "empty") / "membill.duckdb"
    with opened(empty, write=True):
        pass
    assert run("restore", folder, empty).code == 0
    with patch("pipeline.transaction.settle", side_effect=FULL):
        told = bill(folder, FIRST)
    practice.USED.discard(folder)  # what it left undone is what is looked at
    return After(folder, told)


@pytest.fixture(scope="module")
def in_its_place(cut_off: After) -> After:
    """The same night again, which finds a folder in the place of an invoice."""
    folder = practice.copied(cut_off.folder, cut_off.folder.parent / "in its place")
    (folder / "out/invoices/2026/03/INV-000002.xlsx").mkdir(parents=True)
    with patch("pipeline.publish.AT_A_TIME", 2):
        assert AT_A_TIME > 2
        return After(folder, bill(folder, FIRST))


@pytest.fixture(scope="module")
def busy(billed: Path) -> tuple[Path, list[Result]]:
    """A practice whose ledger another program had open in two nights, and what they said.

    The second had to prove the ledger.
    """
    folder = practice.copied(billed, billed.parent / "busy")
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder / LEDGER)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "held\n"
        proved = bill(folder, SECOND)
        (folder / f"{LEDGER}.sha256").unlink()
        to_be_proved = bill(folder, SECOND)
        other.stdin.close()
    return folder, [proved, to_be_proved]


_HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def went_on(busy: tuple[Path, list[Result]]) -> After:
    """A second night with two more members, among files that were moved or left.

    The ledger was busy before. It could not read back the copy it made.
    """
    folder = practice.copied(busy[0], busy[0].parent / "went on")
    (folder / "out/invoices/2026/03/.INV-000009.xlsx.part").write_text("half of it")
    (folder / "out/invoices/2026/03/INV-000001.xlsx").unlink()
    (folder / "out/runs/2026-03-01-01/run.json").unlink()
    run("sent", folder, "INV-000002", "--to", "x", "--by", "dd", "--on", SECOND)
    joining = (member(patient, start_date=SECOND) for patient in ("P8", "P9"))
    practice.add(folder, "patients", *joining)
    with patch(
        "pipeline.copies.backups.contents", side_effect=[{"main.chain": (1, 1)}, {}]
    ):
        told = bill(folder, SECOND)
    assert told.code == 0
    return After(folder, told)


def test_an_invoice_that_staff_moved_away_stays_away_and_any_other_file_comes_back(
    went_on: After, billed: Path
) -> None:
    assert not (went_on.folder / "out/invoices/2026/03/INV-000001.xlsx").exists()
    told = "out/runs/2026-03-01-01/run.json"
    assert (went_on.folder / told).read_bytes() == (billed / told).read_bytes()


def test_drafts_that_a_killed_run_left_are_swept_where_files_are_made(
    went_on: After,
) -> None:
    place = went_on.folder / "out/invoices/2026/03"
    assert (place / "INV-000004.xlsx").exists()
    assert not (place / ".INV-000009.xlsx.part").exists()


def test_a_run_that_fails_leaves_nothing_open() -> None:
    with given.ledger() as books:
        with pytest.raises(ZeroDivisionError), transaction(books) as run_no:
            add_run(books, run_no, "r", "bill", date(2026, 3, 1), "0", {})
            raise ZeroDivisionError
        books.connection.execute("begin")
        assert books.last_run_no == 0


def _numbers(folder: Path) -> list[str]:
    return [row["number"] for row in practice.invoices(folder)]


# The disk


@pytest.fixture(scope="module")
def no_commit(billed: Path) -> After:
    """A second night, with a new member, that the disk did not take."""
    folder = practice.copied(billed, billed.parent / "no commit")
    practice.add(folder, "patients", member("P7", start_date=SECOND))
    log, extend = folder / f"{LEDGER}.wal", chain.extend

    def and_then_no_log(connection: Any, run_no: int) -> None:
        extend(connection, run_no)
        log.mkdir()

    with patch("pipeline.chain.extend", and_then_no_log):
        told = bill(folder, SECOND)
    log.rmdir()
    return After(folder, told)


def test_a_disk_that_takes_no_commit_refuses_the_night(no_commit: After) -> None:
    told = no_commit.told
    assert told.code == 4
    assert told.err.startswith("The ledger could not be read or written: the disk is")
    assert sorted(_numbers(no_commit.folder)) == NUMBERS


def test_a_disk_that_fails_while_files_are_made_tells_that_the_night_is_recorded(
    no_commit: After, tmp_path: Path
) -> None:
    """The night after one that was refused, which is billed again as if it had not been."""
    folder = practice.copied(no_commit.folder, tmp_path / "clinic")
    with patch("pipeline.run.marked_copies.put", side_effect=FULL):
        told = bill(folder, SECOND)
    assert told.code == 1
    assert told.err.startswith("The run is recorded, but the disk would take no more")
    assert len(_numbers(folder)) == 4


def test_a_disk_that_is_full_after_the_commit_bills_nothing_twice(
    cut_off: After, in_its_place: After
) -> None:
    assert cut_off.told.code == 1
    assert cut_off.told.err.startswith(
        "The run is recorded, but the disk would take no more"
    )
    assert not (cut_off.folder / "out/invoices").exists()
    assert in_its_place.told.code == 0
    assert sorted(_numbers(in_its_place.folder)) == NUMBERS
    assert len(list((in_its_place.folder / "out/invoices/2026/03").iterdir())) == 3


class _Full(io.RawIOBase):
    """A file on a disk that has no room."""

    def writable(self) -> bool:
        return True

    def write(self, content: Any) -> int:
        raise FULL


def test_a_log_on_a_full_disk_is_no_fault_of_the_program(
    clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["membill", "bill", str(clinic), "--as-of", SECOND]
    with io.TextIOWrapper(io.BufferedWriter(_Full()), line_buffering=True) as log:
        with (
            patch("sys.argv", command),
            patch("sys.stdout", log),
            patch("pipeline.commands.clock.today", lambda zone: date(2026, 10, 31)),
            pytest.raises(SystemExit) as ending,
        ):
            program.main()
        with suppress(OSError):
            log.close()
    assert (ending.value.code, capsys.readouterr().err) == (
        1,
        "What membill has to say could not be written (No space left on device); what"
        " was recorded before is whole.\n",
    )
    assert run("verify", clinic).code == 0


def _as_cron_runs_it(
    args: list[str], log: int, *, unbuffered: bool = False, errors: Any = None
) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own that has nothing of this one's environment."""
    root = Path(program.__file__).parent.parent
    unlike = {"PYTHONUNBUFFERED": "1"} if unbuffered else {}
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *args], cwd=root, check=False, text=True,
        stdout=log, stderr=subprocess.PIPE if errors is None else errors,
        env={"PYTHONPATH": str(root), **unlike},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "unbuffered", "errors"),
    [
        ("bill", False, None),
        ("bill", True, subprocess.STDOUT),
        ("check", False, subprocess.STDOUT),
        ("verify", False, None),
        ("lines", True, None),
    ],
)
def test_a_command_whose_log_is_on_a_full_disk_ends_with_1(
    command: str, unbuffered: bool, errors: int | None, clinic: Path
) -> None:
    args = [command, str(clinic)]
    args += ["--as-of", SECOND] if command in ("bill", "check") else []
    with open("/dev/full", "w", encoding="utf-8") as log:
        told = _as_cron_runs_it(
            args, log.fileno(), unbuffered=unbuffered, errors=errors
        )
    assert told.returncode == 1
    if errors is None:
        assert told.stderr.endswith(
            "What membill has to say could not be written (No space left on device);"
            " what was recorded before is whole.\n"
        )
        assert told.stderr.count("No space left") == 1


def test_a_log_is_full_also_where_only_the_last_flush_would_tell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (
        open("/dev/full", "w", encoding="utf-8") as log,
        patch("sys.stdout", log),
        patch("pipeline.__main__.cli", side_effect=lambda: sys.exit(print("said"))),
        pytest.raises(SystemExit) as ending,
    ):
        program.main()
    assert ending.value.code == 1
    assert capsys.readouterr().err.startswith("What membill has to say could not be")


@pytest.mark.parametrize(
    ("command", "unbuffered"), [("verify", False), ("lines", True), ("sent", False)]
)
def test_nobody_who_reads_on_is_no_fault(
    command: str, unbuffered: bool, clinic: Path
) -> None:
    """As of `| head -1`."""
    more = ["--to", "x", "--by", "dd", "--on", SECOND]
    args = [command, str(clinic), *(["INV-000001", *more] if command == "sent" else [])]
    read, write = os.pipe()
    os.close(read)
    told = _as_cron_runs_it(args, write, unbuffered=unbuffered)
    os.close(write)
    assert (told.returncode, told.stderr) == (1, "")


def test_with_no_room_for_details_a_fault_is_still_told_in_a_line(
    clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        patch("sys.argv", ["membill", "verify", str(clinic)]),
        patch(
            "pipeline.commands.keeping.verify.callback", side_effect=ZeroDivisionError
        ),
        patch("pipeline.crash.keep", side_effect=FULL),
        pytest.raises(SystemExit) as ending,
    ):
        program.main()
    assert ending.value.code == 1
    assert capsys.readouterr().err.endswith(
        "what was recorded before is whole. Details could not be kept: there is no room.\n"
    )


def test_ctrl_c_in_the_middle_of_a_statement_is_no_fault(
    clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """DuckDB makes this of it; with other words it would be a fault."""
    for said, told in (
        ("Query interrupted", "Aborted!\n"),
        ("Query", "a fault of its"),
    ):
        with (
            patch("sys.argv", ["membill", "verify", str(clinic)]),
            patch(
                "pipeline.commands.keeping.verify.callback",
                side_effect=RuntimeError(said),
            ),
            patch("pipeline.crash.keep", return_value="there"),
            pytest.raises(SystemExit) as ended,
        ):
            program.main()
        assert ended.value.code == 1
        assert told in capsys.readouterr().err


def test_a_file_that_fails_for_another_reason_is_a_fault_with_details(
    clinic: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (
        patch("sys.argv", ["membill", "verify", str(clinic)]),
        patch(
            "pipeline.commands.keeping.verify.callback", side_effect=FileNotFoundError
        ),
        patch("pipeline.crash.keep", return_value="there") as kept,
        pytest.raises(SystemExit),
    ):
        program.main()
    assert kept.call_count == 1
    assert "a fault of its own (FileNotFoundError)" in capsys.readouterr().err


def test_a_night_that_was_given_no_screen_is_recorded(clinic: Path) -> None:
    def night() -> dict[str, Any]:
        os.closerange(0, 3)
        # As Python begins where they are closed.
        sys.stdin = sys.stdout = sys.stderr = None  # type: ignore[assignment]
        sys.argv = ["membill", "bill", str(clinic), "--as-of", SECOND]
        with suppress(SystemExit):
            program.main()
        return {"opened": [os.readlink(f"/proc/self/fd/{at}") for at in range(3)]}

    assert in_process(night) == {"opened": [os.devnull] * 3}
    assert practice.last_run(clinic)["run_id"] == f"{SECOND}-01"
    assert run("verify", clinic).code == 0


@dataclass(frozen=True)
class Short:
    """A first night that could note and copy nothing, and the night after it."""

    after: Path
    told: Result
    folder: Path
    again: Result


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Short:
    folder = practice.make(tmp_path_factory.mktemp("short") / "clinic")
    with (
        patch("pipeline.outbox.mark", side_effect=duckdb.IOException("full")),
        patch("pipeline.proof.ending.note_proof", side_effect=FULL),
        patch("pipeline.copies.csv_copies._write", side_effect=FULL),
    ):
        told = bill(folder, FIRST)
    after, is_file = practice.copied(folder, folder.parent / "after"), Path.is_file
    register = folder / "out/registers/2026-03.xlsx"

    def forbidden(path: Path) -> bool:
        if path == register:
            raise PermissionError(13, "Permission denied")
        return is_file(path)

    with patch("pathlib.Path.is_file", forbidden):
        again = bill(folder, SECOND)
    return Short(after, told, folder, again)


def test_what_could_not_be_noted_as_published_is_looked_at_again(short: Short) -> None:
    told, again = short.told, short.again
    assert (told.code, "what was published could not be noted" in told.err) == (0, True)
    left = "Finished first what an earlier run left: bill 2026-03-01-01.\n"
    assert (again.code, again.err) == (0, left)
    before = practice.files(short.after / "out/invoices")
    assert practice.files(short.folder / "out/invoices") == before


def test_a_proof_that_cannot_be_noted_is_a_warning(short: Short) -> None:
    told = short.told
    assert told.code == 0
    assert "could not be noted that the ledger was proved (No space left" in told.err
    assert "Warning" not in short.again.err


def test_a_register_that_may_not_be_looked_at_is_made_again(short: Short) -> None:
    register = "out/registers/2026-03.xlsx"
    assert short.again.code == 0
    before = (short.after / register).read_bytes()
    assert (short.folder / register).read_bytes() == before


@pytest.mark.parametrize("fault", ["no room", "another content"])
def test_a_copy_that_cannot_be_made_is_a_warning_and_leaves_nothing_half(
    fault: str, short: Short, went_on: After
) -> None:
    # What could not be noted as published in the same night is all that is wrong.
    folder, told, why, wrong = {
        "no room": (
            short.after, short.told, "No space left", ["everything due was published"]
        ),
        "another content": (
            went_on.folder, went_on.told, "the file does not hold what the ledger held",
            [],
        ),
    }[fault]  # fmt: skip
    said = f"no copy of the ledger was made tonight ({why}"
    assert told.code == 0 and said in told.err
    left = [file.name for file in (folder / "ledger").rglob("*")]
    assert not [name for name in left if name.endswith(".part")]
    proved = run("verify", folder).out.splitlines()
    assert [line[7:] for line in proved if line.startswith("WRONG")] == wrong


def test_a_folder_in_an_invoice_s_place_is_told_and_left(in_its_place: After) -> None:
    assert (
        "INV-000002.xlsx is already there and is not what the ledger says"
        in in_its_place.told.err
    )
    assert (in_its_place.folder / "out/invoices/2026/03/INV-000002.xlsx").is_dir()


def test_what_was_left_is_shown_even_when_the_next_night_is_refused(
    in_its_place: After, tmp_path: Path
) -> None:
    folder = practice.copied(in_its_place.folder, tmp_path / "clinic")
    (folder / "out/invoices/2026/03/INV-000002.xlsx").rmdir()
    (folder / "products.csv").unlink()
    refused = bill(folder, SECOND)
    assert refused.code == 4
    assert "INV-000002.xlsx" not in refused.err
    assert (folder / "out/invoices/2026/03/INV-000002.xlsx").is_file()


# The ledger's own files


def test_a_ledger_that_another_program_has_open_is_busy_until_it_is_done(
    busy: tuple[Path, list[Result]], went_on: After
) -> None:
    for told in busy[1]:
        assert (told.code, told.err) == (
            5,
            "another program has the ledger open; try again when it is done.\n",
        )
    assert went_on.told.code == 0


@pytest.mark.damaged
def test_a_checksum_of_nonsense_is_no_checksum(clinic: Path) -> None:
    (clinic / f"{LEDGER}.sha256").write_bytes(b"\xff\xfe")
    told = bill(clinic, SECOND)
    assert told.code == 4
    assert "the ledger is not as its last run left it" in told.err


@pytest.mark.damaged
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("delete from chain", "holds other records than its chain has links"),
        ("drop table chain", "cannot be opened and read to its end"),
        ("drop table accepted.staff", "has no table accepted.staff"),
        ("update runs set report = '{'", "holds a report of run 2026-03-01-01 that"),
    ],
)
def test_a_ledger_without_its_chain_is_not_billed_on(
    harm: str, said: str, clinic: Path
) -> None:
    _written(clinic / LEDGER, harm)
    (clinic / f"{LEDGER}.sha256").unlink()
    told = bill(clinic, SECOND)
    assert (told.code, said in told.err) == (4, True), told.err
    assert run("verify", clinic).code == 4


def _written(ledger: Path, statement: str) -> None:
    with duckdb.connect(str(ledger)) as connection:
        connection.execute(statement)


@pytest.mark.damaged
def test_verify_names_a_lost_head_and_a_damaged_table(clinic: Path) -> None:
    (clinic / "ledger/head.json").unlink()
    told = run("verify", clinic)
    assert (told.code, "head.json is missing" in told.out) == (4, True)
    damaged = duckdb.IOException("a block does not have its checksum")
    with patch("pipeline.ledger.Ledger.value", side_effect=damaged):
        found = run("verify", clinic)
    assert found.code == 4 and "ledger.chain is damaged" in found.out
    assert "does not have its checksum" not in found.out + found.err


# Bringing back


def test_a_copy_that_does_not_add_up_is_refused(clinic: Path, tmp_path: Path) -> None:
    copy = practice.copied(clinic / "ledger", tmp_path / "copy") / "membill.duckdb"
    _written(copy, "update lines set gross = gross + 1 where number = 'INV-000002'")
    copy.with_name("membill.duckdb.sha256").unlink()
    told = run("restore", clinic, copy)
    assert told.code == 4
    assert told.err.startswith("Refused: membill.duckdb: the ledger does not hold: ")
    assert sorted(_numbers(clinic)) == NUMBERS


def test_a_ledger_is_brought_back_though_its_head_is_nonsense(clinic: Path) -> None:
    (copy,) = (clinic / "ledger/backups").glob("*.duckdb")
    (clinic / "ledger/head.json").write_text("nonsense")
    assert run("restore", clinic, copy).code == 0
    assert run("verify", clinic).code == 0


def test_an_empty_ledger_is_brought_back_and_billed_on(in_its_place: After) -> None:
    assert sorted(_numbers(in_its_place.folder)) == NUMBERS


def test_a_workbook_under_another_number_is_not_entered(
    went_on: After, billed: Path, tmp_path: Path
) -> None:
    folder = practice.copied(went_on.folder, tmp_path / "clinic")
    copy = practice.copied(billed / "ledger", tmp_path / "copy") / "membill.duckdb"
    place = folder / "out/invoices/2026/03"
    (place / "INV-000005.xlsx").rename(place / "INV-000004.xlsx")
    told = run("restore", folder, copy, "--adopt")
    assert told.code == 4
    assert "it is the workbook of INV-000005" in told.err


def test_what_was_published_in_a_month_the_copy_has_closed_is_not_entered(
    went_on: After, clinic: Path, tmp_path: Path
) -> None:
    closed = run("close", clinic, "2026-03", "--by", "mm", today="2026-04-01")
    assert closed.code == 0, closed.err
    folder = practice.copied(went_on.folder, tmp_path / "went on")
    told = run("restore", folder, clinic / LEDGER, "--adopt")
    assert told.code == 4
    assert "INV-000004 is dated in a month that the copy has closed" in told.err


# Reading


def test_what_a_reader_raises_is_told_without_its_words(clinic: Path) -> None:
    before = practice.files(clinic / "ledger")
    with patch("pipeline.prepare.read_sheet", side_effect=RuntimeError("Quillfeather")):
        told = bill(clinic, SECOND)
    assert told.code == 4
    assert "Quillfeather" not in told.err
    assert practice.files(clinic / "ledger", but=("membill.lock.json",)) == {
        name: sha for name, sha in before.items() if name != "membill.lock.json"
    }


def test_a_folder_that_is_not_there_is_checked_by_nobody(tmp_path: Path) -> None:
    told = run("check", tmp_path / "nowhere")
    assert told.code == 4
    assert not (tmp_path / "nowhere").exists()


READ_ONLY = "Read-only file system"


def test_a_disk_that_may_only_be_read_has_nothing_billed(clinic: Path) -> None:
    practice.add(clinic, "patients", member("P3"))
    with patch("pipeline.run.TemporaryFile", side_effect=OSError(30, READ_ONLY)):
        told = bill(clinic, SECOND)
    assert told.code == 4
    assert f"out: no files can be written there ({READ_ONLY})" in told.err
    assert [number for (number,) in practice.lines(clinic, "number")] == NUMBERS


def test_a_check_says_what_it_found_though_no_workbook_can_be_written(
    clinic: Path,
) -> None:
    practice.add(clinic, "patients", member("P3", start_date="31/02/2026"))
    draft = str(clinic / "out/.x1y2.part")
    with patch("tempfile.mkstemp", side_effect=OSError(30, READ_ONLY, draft)):
        told = run("check", clinic, "--as-of", SECOND)
    assert told.code == 4
    assert told.err.splitlines() == [
        "Not billed: patients.csv: row 4, Start date: 31/02/2026 is not a date; write it"
        " as a date cell or as 2024-01-31",
        f"{clinic / 'out'} could not be read or written ({READ_ONLY}): see that the disk"
        " can be written to, then give the command again. What was recorded before is"
        " whole.",
    ]
