"""Many workbooks are made by two processes, and are the ones that one would have made."""

import io
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from unittest.mock import Mock, patch

import pytest

from pipeline import chain, outbox, publish, second_press
from pipeline.bookkeeping import accounts
from pipeline.bookkeeping.books import Document
from pipeline.ledger import Ledger
from pipeline.press import Press
from pipeline.second_press import SecondPress
from tests.given import bill, ledger
from tests.test_publish import unpublished, without_pages

MADE = 7


@pytest.fixture(scope="module")
def recorded() -> Iterator[Ledger]:
    with ledger() as books:
        people = [{}, *({"patient_id": f"P{at}"} for at in range(2, MADE + 1))]
        bill(books, {"patients": people})
        outbox.post(books, 1)
        chain.extend(books.connection, 1)
        yield books


@pytest.fixture
def books(recorded: Ledger) -> Ledger:
    made = unpublished(recorded)
    without_pages(made)
    return made


@pytest.fixture
def documents(recorded: Ledger) -> list[Document]:
    return list(accounts.documents(recorded))


@pytest.fixture
def alone(books: Ledger, tmp_path: Path) -> dict[str, bytes]:
    """What one process makes of it."""
    publish.publish(books, tmp_path / "alone")
    unpublished(books)
    without_pages(books)
    made = _files(tmp_path / "alone")
    assert len(made) == MADE
    return made


def _files(out: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(out)): file.read_bytes()
        for file in sorted(out.rglob("*"))
        if file.is_file()
    }


@pytest.fixture
def pressed(monkeypatch: pytest.MonkeyPatch) -> list[SecondPress]:
    """Every night is one of many invoices, made two at a time; the presses it started."""
    started: list[SecondPress] = []
    first = SecondPress.__init__

    def noted(second: SecondPress, out: Path) -> None:
        first(second, out)
        started.append(second)

    monkeypatch.setattr(second_press, "MANY", 1)
    monkeypatch.setattr(publish, "AT_A_TIME", 2)
    monkeypatch.setattr(SecondPress, "__init__", noted)
    return started


def test_two_processes_make_what_one_does(
    books: Ledger,
    tmp_path: Path,
    alone: dict[str, bytes],
    pressed: list[SecondPress],
) -> None:
    out = tmp_path / "out"
    with patch.object(
        Press, "put_new", side_effect=Press.put_new, autospec=True
    ) as own:
        made = publish.publish(books, out)
    assert _files(out) == alone
    assert made.written == sorted(alone)
    assert made.warnings == []
    assert all(not files for (_, files), _ in own.call_args_list), "none made here"
    (second,) = pressed
    assert second._process.returncode is not None
    assert outbox.pending(books) == []
    assert {(out / path).stat().st_mode & 0o777 for path in alone} == {0o600}


@pytest.mark.parametrize(("many", "started"), [(MADE, 1), (MADE + 1, 0)])
def test_a_second_process_is_started_for_many_alone(
    many: int,
    started: int,
    books: Ledger,
    tmp_path: Path,
    pressed: list[SecondPress],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(second_press, "MANY", many)
    assert len(publish.publish(books, tmp_path).written) == MADE
    assert len(pressed) == started


@pytest.mark.parametrize("lacking", ["program", "thread"])
def test_where_no_process_can_be_started_one_makes_them_all(
    books: Ledger,
    tmp_path: Path,
    alone: dict[str, bytes],
    pressed: list[SecondPress],
    monkeypatch: pytest.MonkeyPatch,
    lacking: str,
) -> None:
    if lacking == "program":
        monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    else:
        failing = RuntimeError("can't start new thread")
        monkeypatch.setattr(second_press.Thread, "start", Mock(side_effect=failing))
    made = publish.publish(books, tmp_path / "out")
    assert (made.warnings, pressed) == ([], [])
    assert _files(tmp_path / "out") == alone


def test_with_more_to_do_than_waits_for_it_both_work(
    books: Ledger,
    tmp_path: Path,
    alone: dict[str, bytes],
    pressed: list[SecondPress],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(second_press, "_WAITING", 1)
    held, feed = Event(), SecondPress._feed

    def later(second: SecondPress) -> None:
        held.wait()
        feed(second)

    def made_here(own: Press, files: list[tuple[str, bytes]]) -> None:
        here.extend(path for path, _ in files)
        if len(here) == MADE - 2:
            held.set()
        put(own, files)

    here: list[str] = []
    put = Press.put_new
    monkeypatch.setattr(SecondPress, "_feed", later)
    monkeypatch.setattr(Press, "put_new", made_here)
    made = publish.publish(books, tmp_path / "out")
    assert here == sorted(alone)[2:]
    assert sorted(made.written) == sorted(alone)
    assert _files(tmp_path / "out") == alone


@pytest.mark.parametrize("at_once", [True, False])
def test_what_a_process_that_broke_down_did_not_make_is_made_here(
    at_once: bool,
    books: Ledger,
    tmp_path: Path,
    alone: dict[str, bytes],
    pressed: list[SecondPress],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed before its first workbook, or when all of them were handed over."""
    finish, takes = SecondPress.finish, SecondPress.takes

    def killed(second: SecondPress) -> None:
        second._process.kill()
        second._process.wait()

    def killed_first(second: SecondPress, documents: list[Document]) -> bool:
        killed(second)
        return takes(second, documents)

    def killed_last(second: SecondPress, own: Press) -> bool:
        killed(second)
        return finish(second, own)

    if at_once:
        monkeypatch.setattr(SecondPress, "takes", killed_first)
    else:
        monkeypatch.setattr(SecondPress, "finish", killed_last)
    made = publish.publish(books, tmp_path / "out")
    assert (made.written, made.warnings) == (sorted(alone), [])
    assert _files(tmp_path / "out") == alone, "and no draft of what it was at"


@pytest.mark.parametrize("says", ["I", "N.", "]."])
def test_a_process_that_says_something_else_counts_as_broken_down(
    says: str,
    books: Ledger,
    tmp_path: Path,
    alone: dict[str, bytes],
    pressed: list[SecondPress],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(second_press, "_START", f"print({says!r}, end='')")
    made = publish.publish(books, tmp_path / "out")
    assert (made.written, made.warnings) == (sorted(alone), [])
    assert _files(tmp_path / "out") == alone
    assert len(pressed) == 1


@pytest.mark.parametrize("fed", [0, 1])
def test_what_could_not_be_handed_over_is_made_here(
    fed: int,
    books: Ledger,
    tmp_path: Path,
    alone: dict[str, bytes],
    pressed: list[SecondPress],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There was no memory for it, say: the process is well and made what it was given."""
    feed = SecondPress._feed

    def short(second: SecondPress) -> None:
        pipe = second._process.stdin
        assert pipe
        second._process.stdin = Mock(
            write=Mock(side_effect=[*[None] * fed, MemoryError()]),
            close=pipe.close,
        )
        feed(second)

    monkeypatch.setattr(SecondPress, "_feed", short)
    made = publish.publish(books, tmp_path / "out")
    assert (made.written, made.warnings) == (sorted(alone), [])
    assert _files(tmp_path / "out") == alone


def test_what_cannot_be_written_is_told_as_ever(
    books: Ledger, tmp_path: Path, alone: dict[str, bytes], pressed: list[SecondPress]
) -> None:
    strange, *others = sorted(alone)
    (tmp_path / "out" / strange).mkdir(parents=True)
    made = publish.publish(books, tmp_path / "out")
    assert made.written == others
    assert made.warnings == [
        f"{strange} is already there and is not what the ledger says; it was left as it"
        " is: look at both and move the strange one away"
    ]
    assert outbox.pending(books) == [strange]


def test_a_night_that_fails_meanwhile_leaves_no_process(
    books: Ledger, tmp_path: Path, pressed: list[SecondPress]
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        publish.publish(books, tmp_path, meanwhile=full)
    assert pressed[0]._process.returncode is not None
    assert not pressed[0]._feeder.is_alive()


_KILLED = """
import os, pathlib, signal, sys
from pipeline.second_press import SecondPress
second = SecondPress(pathlib.Path(sys.argv[1]))
print(second._process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """What it is to do comes through a pipe, of which nobody else holds the other end."""
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, tmp_path],
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL
    ended = Path("/proc", killed.stdout.strip(), "stat")
    while ended.exists() and ended.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)


def test_a_program_in_the_folder_one_is_in_is_not_run(
    tmp_path: Path, documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pipeline", "pickle", "queue"):
        (tmp_path / f"{name}.py").write_text("open('was run', 'w')\n")
    monkeypatch.chdir(tmp_path)
    second = SecondPress(tmp_path / "out")
    assert second.takes(documents)
    assert second.finish(own := Press(tmp_path / "out"))
    second.close()
    assert len(own.written) == MADE
    assert not (tmp_path / "was run").exists()


def test_the_second_process_makes_what_comes_and_says_what_came_of_it(
    tmp_path: Path, documents: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stream:
        def __init__(self, content: bytes = b"") -> None:
            self.buffer = io.BytesIO(content)

    jobs = pickle.dumps(documents[:3]) + pickle.dumps(documents[3:])
    out = Stream()
    monkeypatch.setattr(sys, "argv", ["-c", str(tmp_path)])
    monkeypatch.setattr(sys, "stdin", Stream(jobs))
    monkeypatch.setattr(sys, "stdout", out)
    second_press.main()
    written, warnings = pickle.loads(out.buffer.getvalue())
    assert [path for path, _ in written] == [each.path for each in documents]
    assert warnings == []
    assert list(_files(tmp_path)) == [each.path for each in documents]


def test_it_loads_neither_the_database_nor_the_frames() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import pipeline.second_press, sys; print(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert not {"duckdb", "pandas", "pandera", "openpyxl"} & {*loaded.stdout.split()}
