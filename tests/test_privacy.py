"""No name on the terminal or in a log, no file for others, no network: whole nights."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from openpyxl import load_workbook

from pipeline import __main__ as program
from pipeline.connecting import settings_for
from pipeline.ledger import opened
from tests import practice
from tests.practice import member

ROOT = Path(__file__).parent.parent

# Put before every module of a process: whoever asks for the network, or starts another
# program, ends it. An audit hook sees C code too.
GUARD = """
import os, sys
ALLOWED = {"socket.gethostname"}
def guard(event, args):
    asked = event.startswith(("socket.", "urllib.", "http.client", "ftplib.", "smtplib."))
    runs = event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn")
    if (asked or runs) and event not in ALLOWED:
        os.write(2, f"forbidden: {event}\\n".encode())
        os._exit(99)
sys.addaudithook(guard)
"""

# Every value that is somebody's own carries one of these; ids do not.
MARKS = ("Zyxname", "zyxmail", "Zyxstreet", "Zyxnote", "1984", "Zyxphone", "ZX1")
IN_SHEETS_ALONE = "Zyxnote"


def mistakes() -> practice.Sheets:
    """A practice whose personal cells are wrong in every way there is a message for."""
    given = practice.sheets()
    people = {
        "P1": {"First name": "Zyxname\x07", "Date of birth": "05/25/1984"},
        "P2": {"Last name": "=Zyxname()", "Date of birth": "31/02/1984"},
        "P3": {"First name": "ZyxnameÃ«", "Email": "zyxmail@@x", "Date of birth": "84"},
        "P4": {"Email": "a@zyxmail.example b@zyxmail.example", "Postcode": "ZX1"},
        "P5": {"Address line 1": "-2 Zyxstreet", "Phone": "1984E+10"},
        "P6": {"Bill to": "Zyxname", "Town": "#REF!"},
        "P7": {"Start date": "", "Date of birth": "1984-05-17"},
        "P8": {"First name": "", "Last name": "Zyxname" * 2000},
        "Zyxname Zyxname's": {"Date of birth": "1884-05-17"},
        "P9": {"Address line 1": "1 Zyxstreet", "Email": "ok@zyxmail.example"},
        # Cells that have moved aside, and remarks where a code or an answer belongs.
        "P10": {
            "Membership active": "Zyxname",
            "Billing frequency": "Zyxstreet",
            "Start date": "ZX1",
        },
        "P11": {"Membership": "ask Zyxname before she is billed"},
        "P12": {"Last edited by": "Zyxname has had a hard time, call on Tuesdays"},
    }
    given["patients"] = [
        member(name, first_name="Zyxname", last_name="Zyxname")
        | {"Notes": "Zyxnote"} | cells
        for name, cells in people.items()
    ]  # fmt: skip
    given["contacts"] = [
        {"Code": "C1", "Name": "ZyxnameÃ©", "Email": "zyxmail", "Active": "Yes"},
        {"Code": "C2", "Name": "=Zyxname", "Phone": "Zyxphone", "Active": "maybe"},
    ]
    given["sent"] = [
        {"Invoice number": "INV-9", "Sent on": "x", "Sent to": "-zyxmail@x.example"}
    ]
    given["invoice_requests"] = [
        {"Request ID": "R1", "Patient ID": "Zyxname Zyxname", "Product code": "CONSULT",
         "Requested on": "2026-02-01"}
    ]  # fmt: skip
    return given


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A night full of mistakes, given a loose umask and no network; and all it said."""
    folder = tmp_path_factory.mktemp("privacy")
    (folder / "sitecustomize.py").write_text(GUARD)
    clinic = practice.make(folder / "clinic", mistakes())
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "bill", str(clinic), "--as-of", "2026-02-28"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"},
        capture_output=True, text=True, umask=0o022, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    told = practice.run("explain", clinic, "P3")
    copied = practice.run("backup", clinic)
    said = done.stdout + done.stderr + told.out + copied.out
    return clinic, said


def test_the_guard_of_these_tests_ends_whoever_asks_for_the_network(
    night: tuple[Path, str],
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import socket; socket.socket()"],
        env={**os.environ, "PYTHONPATH": str(night[0].parent)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (99, "forbidden: socket.__new__\n")


def test_a_night_needs_no_network_and_starts_no_program(
    night: tuple[Path, str],
) -> None:
    out = night[0] / "out"
    made = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert {
        "invoices.xlsx", "issues.xlsx", "summary.html", "last_run.json",
        "registers/2026-02.xlsx", "runs/2026-02-28-01/run.json",
        "invoices/2026/02/INV-000001.xlsx",
    } <= made  # fmt: skip


def test_the_terminal_and_the_reports_hold_ids_and_no_names(
    night: tuple[Path, str],
) -> None:
    clinic, said = night
    assert "patients.csv: row 2, First name" in said and "P3" in said
    texts = {"the terminal": said}
    for file in (*clinic.rglob("*.json"), *clinic.rglob("*.html")):
        texts[file.name] = file.read_text(encoding="utf-8")
    assert {"run.json", "last_run.json", "head.json", "summary.html"} <= texts.keys()
    found = {
        (name, mark)
        for name, text in texts.items()
        for mark in MARKS
        if mark.lower() in text.lower()
    }
    assert not found


def test_the_issues_workbook_shows_the_value_that_is_wrong_but_no_note(
    night: tuple[Path, str],
) -> None:
    book = load_workbook(night[0] / "out/issues.xlsx")
    text = "\n".join(
        str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row
    )
    assert "zyxmail@@x" in text and "05/25/1984" in text
    assert IN_SHEETS_ALONE not in text


def test_notes_are_never_loaded(night: tuple[Path, str]) -> None:
    clinic, _ = night
    held = {
        file.name: IN_SHEETS_ALONE.encode() in file.read_bytes()
        for file in clinic.rglob("*")
        if file.is_file()
    }
    assert [name for name, has_it in held.items() if has_it] == ["patients.csv"]
    ledger = (clinic / "ledger/membill.duckdb").read_bytes()
    assert b"Zyxstreet" in ledger, "what is loaded can be found there"
    assert b"Notes" not in ledger


def test_whatever_is_made_is_for_its_owner_alone(night: tuple[Path, str]) -> None:
    clinic, _ = night
    modes = {
        str(path.relative_to(clinic)): stat.S_IMODE(path.stat().st_mode)
        for top in ("out", "ledger")
        for path in (clinic / top, *(clinic / top).rglob("*"))
    }
    assert "ledger/backups" in modes and "out/invoices/2026/02" in modes
    wrong = {
        name: oct(mode)
        for name, mode in modes.items()
        if mode != (0o700 if (clinic / name).is_dir() else 0o600)
    }
    assert not wrong
    assert practice.run("verify", clinic).code == 0


@pytest.mark.parametrize("made", ["out/issues.xlsx", "ledger/backups", "ledger"])
def test_verify_reports_what_others_may_read(
    night: tuple[Path, str], made: str
) -> None:
    place = night[0] / made
    mode = place.stat().st_mode
    place.chmod(mode | 0o040)
    try:
        out = practice.run("verify", night[0]).out
    finally:
        place.chmod(mode)
    assert f"{place.name} can be read or written by others" in out


def test_a_crash_says_nothing_of_what_it_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*args: object, **more: object) -> None:
        raise ValueError("Constraint Error: Zyxname zyxmail@x.example 1984-05-17")

    clinic = practice.make(tmp_path / "clinic")
    monkeypatch.setattr("pipeline.prepare.transform", crash)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    argv = ["membill", "bill", str(clinic), "--as-of", "2026-02-28"]
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(SystemExit) as ended:
        program.main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert "fault of its own (ValueError)" in said.err
    assert not [m for m in MARKS if m.lower() in (said.out + said.err).lower()]
    kept = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and b"Zyxname" in path.read_bytes()
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}


def test_what_memory_cannot_hold_is_laid_down_beside_the_ledger_alone(
    tmp_path: Path,
) -> None:
    path, spilled = tmp_path / "ledger/membill.duckdb", tmp_path / "ledger/.spilled"
    spilled.mkdir(parents=True)
    (spilled / "left.tmp").write_text("by a run that was killed")
    little = settings_for(path) | {"memory_limit": "20MB", "threads": 1}
    with (
        patch("pipeline.ledger.settings_for", return_value=little),
        opened(path, write=True) as ledger,
    ):
        assert not spilled.exists(), "it is swept"
        ledger.connection.execute(
            "create table tonight.main.large as"
            " select hash(range) as one, hash(-range) as other from range(4_000_000)"
        )
        assert list(spilled.iterdir())
        assert not Path(".tmp").exists(), "where DuckDB would lay it"
    assert not list(spilled.glob("*"))
