"""What can happen to a ledger's files: each is named and nothing billed, or does no harm.

No form may lose a row in silence or lead to a number that is given twice.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import practice
import pytest
from practice import bill, member, run

from pipeline.files import private_folder
from pipeline.ledger import Ledger, opened
from pipeline.problems import Refused
from pipeline.record import add_run
from pipeline.transaction import transaction

LEDGER, LOG = "membill.duckdb", "membill.duckdb.wal"
HEAD, CHECKSUM = "head.json", "membill.duckdb.sha256"
FIRST, SECOND, KILLED, NEXT = "2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04"
# What looking may leave behind.
TRACES = ("ledger/membill.lock.json",)
NO_RIGHT = OSError(errno.EACCES, "Permission denied")

CHANGED = "the ledger is not as its last run left it"
DAMAGED = "cannot be opened and read to its end: the file is damaged or not a ledger"
GONE = "the ledger is gone but head.json is still there"
OLDER = "does not hold run 2026-03-02-01 that its head file names"
# Where a block of the file lies decides which of the two is found first.
EITHER = "bring back a good copy with `membill restore`"


@dataclass(frozen=True)
class World:
    """A practice after two nights, and what can be put in the place of its files.

    `other` is a ledger of another practice, whose first night billed nobody.
    """

    clinic: Path
    killed: Path
    older: Path
    other: Path
    fresh: Path
    rows: list[practice.Row]


@pytest.fixture(scope="module")
def world(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    root = tmp_path_factory.mktemp("damage")
    clinic = practice.copied(first_night, root / "clinic")
    older = practice.copied(clinic, root / "older")
    practice.add(clinic, "patients", member("P3", start_date=SECOND))
    assert bill(clinic, SECOND).code == 0
    practice.add(clinic, "patients", member("P4", start_date=KILLED))
    with opened(private_folder(root / "fresh") / LEDGER, write=True):
        pass
    with (
        opened(private_folder(root / "other") / LEDGER, write=True) as other,
        transaction(other) as run_no,
    ):
        day = date.fromisoformat(FIRST)
        add_run(other, run_no, f"{FIRST}-01", "bill", day, "0", {})
    killed = root / "killed"
    _kill_a_night(practice.copied(clinic, root / "dying"), killed)
    assert (killed / "ledger" / LOG).stat().st_size > 1000
    for folder in (clinic, killed):  # nothing looks at them, and each test copies all
        shutil.rmtree(folder / "ledger/backups/csv")
    return World(clinic, killed, older, root / "other", root / "fresh", _rows(clinic))


class _Killed(BaseException):
    """Ends a night as nothing in the program is told of."""


def _kill_a_night(clinic: Path, left: Path) -> None:
    """The files as a kill leaves them between the commit and the checkpoint: the night is
    in the log alone.
    """

    def killed(ledger: Ledger) -> None:
        practice.copied(clinic, left)
        raise _Killed

    with pytest.MonkeyPatch.context() as killing, pytest.raises(_Killed):
        killing.setattr("pipeline.transaction.settle", killed)
        bill(clinic, KILLED)


def _flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


Harm = Callable[[Path, World], object]


def flipped(at: float, name: str = LEDGER) -> Harm:
    """A bit turned round: at a byte, or at a part of the whole."""

    def harm(ledger: Path, _: World) -> None:
        size = (ledger / name).stat().st_size
        _flip(ledger / name, at if isinstance(at, int) else int(size * at))

    return harm


def flipped_after(mark: bytes, by: int = 0) -> Harm:
    """A bit of the log turned round just after a mark, whose place varies."""

    def harm(ledger: Path, _: World) -> None:
        at = (ledger / LOG).read_bytes().index(mark) + len(mark) - 1 + by
        _flip(ledger / LOG, at)

    return harm


def cut(to: float, name: str = LEDGER) -> Harm:
    """Cut to a length, from the end if negative, or to a part of the whole."""

    def harm(ledger: Path, _: World) -> None:
        content = (ledger / name).read_bytes()
        length = to if isinstance(to, int) else int(len(content) * to)
        (ledger / name).write_bytes(content[:length])

    return harm


def zeroed(first: float, last: float, name: str = LEDGER) -> Harm:
    """Zeros from one part of the whole to another."""

    def harm(ledger: Path, _: World) -> None:
        content = bytearray((ledger / name).read_bytes())
        start, end = int(len(content) * first), int(len(content) * last)
        content[start:end] = bytes(end - start)
        (ledger / name).write_bytes(content)

    return harm


def gone(*names: str) -> Harm:
    """Files that are not there any more."""
    return lambda ledger, _: [(ledger / name).unlink() for name in names]


def written(content: bytes, name: str = LEDGER) -> Harm:
    """Other content altogether."""
    return lambda ledger, _: (ledger / name).write_bytes(content)


def put(whose: str, *names: str) -> Harm:
    """The files of the same name from elsewhere."""

    def harm(ledger: Path, world: World) -> None:
        source = getattr(world, whose)
        for name in names:
            at = source / "ledger" / name
            shutil.copy(at if at.exists() else source / name, ledger / name)

    return harm


def all_of(*harms: Harm) -> Harm:
    """Several at once."""
    return lambda ledger, world: [harm(ledger, world) for harm in harms]


def a_folder(ledger: Path, _: World) -> None:
    (ledger / LEDGER).unlink()
    (ledger / LEDGER).mkdir()


def a_pipe(ledger: Path, _: World) -> None:
    (ledger / LEDGER).unlink()
    os.mkfifo(ledger / LEDGER)


def a_link(ledger: Path, world: World) -> None:
    (ledger / LEDGER).unlink()
    (ledger / LEDGER).symlink_to(world.clinic / "ledger" / LEDGER)


def a_head_ahead(ledger: Path, _: World) -> None:
    head = json.loads((ledger / HEAD).read_text(encoding="utf-8"))
    head["position"] += 1
    (ledger / HEAD).write_text(json.dumps(head), encoding="utf-8")


def a_matching_checksum(ledger: Path, _: World) -> None:
    """What somebody would do who wants the ledger to look untouched."""
    digest = hashlib.sha256((ledger / LEDGER).read_bytes()).hexdigest()
    (ledger / CHECKSUM).write_text(f"{digest}  {LEDGER}\n", encoding="utf-8")


# After a night that ended in order: what is done, what is said of it.
REFUSED: dict[str, tuple[Harm, str]] = {
    "database gone": (gone(LEDGER), GONE),
    "database and head gone": (
        gone(LEDGER, HEAD), "gone but membill.duckdb.sha256 is still there",
    ),
    "database, head and checksum gone": (
        gone(LEDGER, HEAD, CHECKSUM), "gone but backups is still there",
    ),
    "database empty": (written(b""), DAMAGED),
    "database zeroed": (zeroed(0.0, 1.0), DAMAGED),
    "first block zeroed": (zeroed(0.0, 0.006), DAMAGED),
    "middle zeroed": (zeroed(0.3, 0.5), DAMAGED),
    "last block zeroed": (zeroed(0.97, 1.0), EITHER),
    "cut to nothing but its headers": (cut(12_288), DAMAGED),
    "cut in the middle": (cut(0.5), DAMAGED),
    "last byte cut off": (cut(-1), CHANGED),
    "grown by a block": (lambda ledger, _: _grow(ledger / LEDGER), CHANGED),
    "a bit of the file's mark": (flipped(9), DAMAGED),
    "a bit of the first header": (flipped(4_200), DAMAGED),
    "a bit of the second header": (flipped(8_300), DAMAGED),
    "a text in its place": (written(b"not a database\n" * 5_000), DAMAGED),
    "a folder in its place": (a_folder, "this is no file"),
    "a pipe in its place": (a_pipe, "this is no file"),
    "a link in its place": (a_link, "this is a link and not the ledger itself"),
    "an older one in its place": (put("older", LEDGER), OLDER),
    "an older one with its checksum": (put("older", LEDGER, CHECKSUM), OLDER),
    "an older one with all that is its": (
        put("older", LEDGER, CHECKSUM, HEAD), "INV-000004 lies in out/invoices but",
    ),
    "another practice's in its place": (put("other", LEDGER), OLDER),
    "another practice's with its checksum": (put("other", LEDGER, CHECKSUM), OLDER),
    "another practice's with all that is its": (
        put("other", LEDGER, CHECKSUM, HEAD), "INV-000004 and 3 more lie in out/invoices but",
    ),
    "a new one in its place": (put("fresh", LEDGER), OLDER),
    "a new one with all that is its": (
        put("fresh", LEDGER, CHECKSUM, HEAD), "INV-000004 and 3 more lie in out/invoices but",
    ),
    "checksum empty": (written(b"", CHECKSUM), CHANGED),
    "checksum of another": (put("older", CHECKSUM), CHANGED),
    "head gone": (gone(HEAD), "head.json is gone"),
    "head empty": (written(b"", HEAD), "head.json cannot be read"),
    "head that is no head": (written(b"[1, 2]", HEAD), "head.json cannot be read"),
    "head cut": (cut(0.5, HEAD), "head.json cannot be read"),
    "head that is ahead": (a_head_ahead, OLDER),
    "head of another practice": (put("other", HEAD), "does not hold run 2026-03-01-01"),
    "a log of another night": (put("killed", LOG), "a log lies beside the ledger"),
    "a log that is no log": (written(b"words", LOG), "a log lies beside the ledger"),
    "head gone and an older ledger": (
        all_of(put("older", LEDGER, CHECKSUM), gone(HEAD)), "head.json is gone",
    ),
    "damaged, and a head that cannot be read": (
        all_of(zeroed(0.3, 0.5), written(b"", HEAD)), DAMAGED,
    ),
    "damaged, and its checksum gone": (
        all_of(zeroed(0.3, 0.5), gone(CHECKSUM)), DAMAGED,
    ),
}  # fmt: skip


BY = ("--reason", "left", "--by", "mm", "--on")


def _put_back(clinic: Path, ledger: Path) -> Path:
    """A practice with the whole ledger folder of before."""
    shutil.rmtree(clinic / "ledger")
    shutil.copytree(ledger, clinic / "ledger")
    return clinic


@pytest.fixture(scope="module")
def before_a_credit_note(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The older ledger does not know of a credit note dated before its last invoice."""
    root = tmp_path_factory.mktemp("put back")
    clinic = practice.copied(world.clinic, root / "clinic")
    assert run("credit", clinic, "INV-000001", *BY, FIRST).code == 0
    return _put_back(clinic, world.clinic / "ledger")


def _gives_no_number_again(clinic: Path, command: str, *more: str) -> None:
    before = _all_files(clinic)
    refused = run(command, clinic, *more)
    assert refused.code in (2, 4), refused.out + refused.err
    assert "lies in out/invoices but is not in the ledger" in refused.err
    assert _all_files(clinic) == before


@pytest.mark.damaged
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["bill", "--as-of", NEXT], id="a night comes first"),
        pytest.param(["credit", "INV-000002", *BY, NEXT], id="a credit note comes first"),
        pytest.param(["sent", "INV-000002", "--to", "x", "--by", "mm", "--on", NEXT],
                     id="a sending comes first"),
        pytest.param(["export", "xero"], id="an export comes first"),
    ],
)  # fmt: skip
def test_an_older_ledger_put_back_whole_gives_no_number_again(
    command: list[str], before_a_credit_note: Path, tmp_path: Path
) -> None:
    """Dates rise with the numbers of each series, and not from one to the other."""
    clinic = practice.copied(before_a_credit_note, tmp_path / "clinic")
    _gives_no_number_again(clinic, *command)


@pytest.mark.damaged
@pytest.mark.parametrize("at", [9, 4_200, 8_300])
@pytest.mark.parametrize("command", ["verify", "invoices", "lines"])
def test_whoever_looks_at_a_damaged_ledger_is_told_so_and_not_that_it_is_busy(
    command: str, at: int, world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    _flip(clinic / "ledger" / LEDGER, at)
    refused = run(command, clinic)
    assert refused.code == 4, refused.err
    assert "the file is damaged or not a ledger" in refused.err


@pytest.mark.damaged
def test_a_ledger_that_does_not_say_its_version_is_a_damaged_one(
    world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    with duckdb.connect(str(clinic / "ledger" / LEDGER)) as connection:
        connection.execute("delete from about")
    refused = run("invoices", clinic)
    assert (refused.code, "the file is damaged" in refused.err) == (4, True)


@pytest.mark.damaged
def test_an_older_ledger_misses_invoices_that_are_dated_before_its_last_credit_note(
    world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    assert run("credit", clinic, "INV-000001", *BY, NEXT).code == 0
    shutil.copytree(clinic / "ledger", tmp_path / "kept")
    practice.add(clinic, "patients", member("P5", start_date=SECOND))
    assert bill(clinic, SECOND, "--accept", "date").code == 0
    _put_back(clinic, tmp_path / "kept")
    _gives_no_number_again(clinic, "bill", "--as-of", NEXT)


@pytest.mark.damaged
def test_a_workbook_in_another_months_folder_is_told(
    world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    invoices = clinic / "out/invoices"
    (invoices / "2025/12").mkdir(parents=True)
    shutil.copy(invoices / "2026/03/INV-000001.xlsx", invoices / "2025/12")
    told = run("verify", clinic)
    assert told.code == 4
    assert "invoices/2025/12/INV-000001.xlsx is of a number that belongs" in told.out


def _grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(16_384))


def _is_refused(clinic: Path, says: str) -> None:
    """The night ends with 4 and plain words, and nothing is otherwise than it was."""
    before = _all_files(clinic)
    refused = bill(clinic, NEXT)
    assert refused.code == 4, refused.out + refused.err
    assert says in refused.err
    assert refused.err.startswith("Stops the night: ledger/")
    assert refused.err.endswith("Nothing was billed, and the ledger is as it was.\n")
    assert "Traceback" not in refused.err
    assert _all_files(clinic) == before


def _all_files(clinic: Path) -> dict[str, str]:
    # A refusal told with the ledger open is told to the office as well.
    return practice.files(clinic, but=(*TRACES, "out/issues.xlsx"))


@pytest.mark.damaged
@pytest.mark.parametrize("form", REFUSED)
def test_damage_is_named_and_nothing_billed(
    form: str, world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    harm, says = REFUSED[form]
    harm(clinic / "ledger", world)
    _is_refused(clinic, says)


@pytest.mark.damaged
def test_a_flipped_bit_is_found_in_whichever_block_it_is(
    world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    ledger = clinic / "ledger" / LEDGER
    content = ledger.read_bytes()
    for at in range(12_288 + 5_000, len(content), 16 * 16_384):
        _flip(ledger, at)
        with pytest.raises(Refused) as refused, opened(ledger, write=True):
            pytest.fail(f"byte {at}")
        assert CHANGED in str(refused.value) or DAMAGED in str(refused.value)
        ledger.write_bytes(content)
    assert practice.invoices(clinic)[-1]["number"] == "INV-000004"


@pytest.mark.damaged
def test_a_ledger_the_account_may_not_read_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    # The account that runs the tests may be one that may read everything.
    may = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode, **more: (
            Path(path).name != LEDGER and may(path, mode, **more)
        ),
    )  # fmt: skip
    _is_refused(clinic, "may not read and write the file")


def _closed_to_us(
    patching: pytest.MonkeyPatch, name: str, error: OSError = NO_RIGHT
) -> None:
    """The account that runs the tests may be one that may read everything."""
    read, write = Path.read_text, Path.write_text

    def closed(path: Path) -> None:
        if path.name == name:
            raise OSError(error.errno, error.strerror, str(path))

    def reading(path: Path, *args: Any, **options: Any) -> str:
        closed(path)
        return read(path, *args, **options)

    def writing(path: Path, *args: Any, **options: Any) -> int:
        closed(path)
        return write(path, *args, **options)

    patching.setattr(Path, "read_text", reading)
    patching.setattr(Path, "write_text", writing)


@pytest.mark.damaged
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            NO_RIGHT,
            "the account that runs the night may not read and write the file; give the"
            " file to that account; run as nobody else, least of all as root",
        ),
        (
            OSError(errno.EIO, "Input/output error"),
            "the file cannot be read (Input/output error); see that the disk and the file"
            " are in order, then give the command again",
        ),
    ],
    ids=["no right", "disk"],
)
@pytest.mark.parametrize("name", [HEAD, CHECKSUM])
def test_a_file_beside_the_ledger_that_may_not_be_read_is_no_damage(
    name: str, error: OSError, says: str, world: World, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    _closed_to_us(monkeypatch, name, error)
    _is_refused(clinic, f"Stops the night: ledger/{name}: {says}\n")
    looked = run("verify", clinic)
    assert (looked.code, looked.out) == (4, "")
    assert f"Refused: ledger/{name}: {says}\n" in looked.err
    restored = run("restore", clinic, clinic / "ledger/backups/2026-03-02-01.duckdb")
    assert (restored.code, says.partition(";")[0] in restored.err) == (4, True)
    assert not (clinic / "ledger/replaced").exists()


@pytest.mark.damaged
def test_a_lock_that_may_not_be_written_is_named(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    _closed_to_us(monkeypatch, "membill.lock.json")
    told = bill(clinic, NEXT)
    assert told.code == 4
    assert "ledger/membill.lock.json could not be read or written" in told.err
    assert "give the account that runs membill the right to it" in told.err


def test_a_note_of_what_was_proved_that_may_not_be_read_has_all_proved_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    _closed_to_us(monkeypatch, "proved.json")
    assert bill(clinic, NEXT).code == 0


def _rows(clinic: Path) -> list[practice.Row]:
    return run("lines", clinic, "--format", "csv").rows


def _is_as_it_was(clinic: Path, world: World) -> None:
    """A night would begin with the ledger as it was after the second.

    That it holds all it promised is proved at the end of each test.
    """
    with opened(clinic / "ledger" / LEDGER, write=True) as ledger:
        assert ledger.last_run_no == 2
    assert _rows(clinic) == world.rows


def test_without_its_checksum_the_ledger_is_proved_and_taken(
    world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    gone(CHECKSUM)(clinic / "ledger", world)
    _is_as_it_was(clinic, world)
    assert (clinic / "ledger" / CHECKSUM).exists()


def test_a_head_of_an_earlier_night_is_brought_up_to_date(
    world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    put("older", HEAD)(clinic / "ledger", world)
    _is_as_it_was(clinic, world)


# After a night that was killed, its rows in the log alone and nothing of it published.
LOG_REFUSED: dict[str, tuple[Harm, str]] = {
    "a bit of the log's first entry": (flipped_after(b"main"), DAMAGED),
    "a bit of a row in the log's middle": (flipped_after(b"INV-000005"), DAMAGED),
    "a bit of the log's last entry": (flipped(-1, LOG), DAMAGED),
    "the ledger gone, the log there": (gone(LEDGER), GONE),
    "ledger and head gone, the log there": (
        gone(LEDGER, HEAD), "gone but membill.duckdb.wal is still there",
    ),
    "the ledger of another practice": (put("other", LEDGER), DAMAGED),
    "an older ledger": (put("older", LEDGER), DAMAGED),
    "the ledger zeroed in the middle": (zeroed(0.3, 0.5), DAMAGED),
    "the head gone": (gone(HEAD), "head.json is gone"),
}  # fmt: skip


@pytest.mark.damaged
@pytest.mark.parametrize("form", LOG_REFUSED)
def test_damage_after_a_killed_night_is_named(
    form: str, world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.killed, tmp_path / "clinic")
    harm, says = LOG_REFUSED[form]
    harm(clinic / "ledger", world)
    _is_refused(clinic, says)


# What leaves nothing of the killed night.
LOG_LOST: dict[str, Harm] = {
    "the log gone": gone(LOG),
    "the log's last byte cut off": cut(-1, LOG),
    "a bit of the length of an entry": flipped_after(b"\x14\0\0\0\0\0\0", 1),
}


def _counts(clinic: Path, world: World) -> None:
    """The killed night is there, and the next one makes nothing twice."""
    assert bill(clinic, NEXT).code == 0
    rows = _rows(clinic)
    assert [row["number"] for row in rows] == [f"INV-00000{n}" for n in range(1, 6)]
    assert rows[:4] == world.rows
    assert practice.invoices(clinic)[-1]["run_id"] == "2026-03-03-01"
    proved = run("verify", clinic)
    assert proved.code == 0, proved.out + proved.err


@pytest.mark.damaged
def test_a_log_that_grew_is_refused_or_the_killed_night_counts(
    world: World, tmp_path: Path
) -> None:
    """DuckDB 1.5 refuses what lies behind the last entry, 2.0 leaves it out."""
    clinic = practice.copied(world.killed, tmp_path / "clinic")
    log = clinic / "ledger" / LOG
    log.write_bytes(log.read_bytes() + bytes(100))
    if run("preview", clinic, "--as-of", NEXT).code == 0:
        _counts(clinic, world)
    else:
        _is_refused(clinic, DAMAGED)


def test_a_killed_night_whose_log_is_whole_counts(world: World, tmp_path: Path) -> None:
    _counts(practice.copied(world.killed, tmp_path / "clinic"), world)


@pytest.mark.parametrize("form", LOG_LOST)
def test_of_a_killed_night_whose_log_is_no_longer_whole_nothing_counts(
    form: str, world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.killed, tmp_path / "clinic")
    LOG_LOST[form](clinic / "ledger", world)
    _is_as_it_was(clinic, world)


@pytest.mark.damaged
def test_changed_and_blessed_with_a_new_checksum_the_chain_still_tells(
    world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    with duckdb.connect(str(clinic / "ledger" / LEDGER)) as connection:
        connection.execute("update lines set description = 'x' where number like '%1'")
    a_matching_checksum(clinic / "ledger", world)
    proved = run("verify", clinic)
    assert proved.code == 4
    assert "invoice INV-000001 is not what was written" in proved.out


def _written_to(clinic: Path, world: World, statement: str) -> None:
    """By somebody who wants it to look untouched."""
    with duckdb.connect(str(clinic / "ledger" / LEDGER)) as connection:
        connection.execute(statement)
        connection.execute("checkpoint")
    a_matching_checksum(clinic / "ledger", world)


@pytest.mark.damaged
@pytest.mark.parametrize("where", ["true", "run_no = 1"], ids=["all", "of one run"])
def test_a_ledger_without_letterheads_is_refused_before_anything_is_recorded(
    where: str, world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    _written_to(clinic, world, f"delete from letterheads where {where}")
    says = "the ledger holds documents without their letterheads"
    _is_refused(clinic, f"ledger/{LEDGER}: {says}; bring back a good copy")
    credit = run("credit", clinic, "INV-000001", *BY, NEXT)
    assert (credit.code, says in credit.err) == (4, True)
    pages = run("pdf", clinic, "INV-000001", "--to", tmp_path / "pages")
    assert (pages.code, says in pages.err) == (4, True)
    proved = run("verify", clinic, "--deep")
    assert proved.code == 4
    assert (
        "of a run that makes documents, and has its letterhead\n       INV"
        in proved.out
    )


@pytest.mark.damaged
@pytest.mark.parametrize(
    "layout", ["x", "{}", "[1]", '{"columns": 1}', '{"of": "postings"}']
)
def test_a_layout_that_was_damaged_is_told_and_the_proof_goes_on(
    layout: str, world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    assert run("export", clinic, "xero").code == 0
    _written_to(clinic, world, f"update export_batches set layout = '{layout}'")
    proved = run("verify", clinic, "--deep")
    assert proved.code == 4
    (file,) = (clinic / "out/imports").iterdir()
    assert (
        "WRONG  every import file made again is the same, byte for byte\n"
        f"       imports/{file.name} cannot be made again: what the ledger keeps of its"
        " batch is damaged\n" in proved.out
    )
    assert "WRONG  each batch that left equals its documents, and keeps" in proved.out
    assert "every register says what the ledger says" in proved.out


def test_a_ledger_whose_head_is_lost_is_taken_again_once_it_is_proved(
    world: World, tmp_path: Path
) -> None:
    clinic = practice.copied(world.clinic, tmp_path / "clinic")
    (clinic / "ledger" / HEAD).unlink()
    assert bill(clinic, NEXT).code == 4
    assert run("restore", clinic, clinic / "ledger" / LEDGER).code == 0
    _is_as_it_was(clinic, world)
