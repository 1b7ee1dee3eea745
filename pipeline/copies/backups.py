"""Checked copies of the ledger: one after each night, thinned out, and those made by hand.

A copy is opened and compared with what the ledger held before it gets its name.
"""

import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.connecting import SPILLED, looking_at
from pipeline.copies.copying import Begun, Unsound, bring_up
from pipeline.files import DRAFT, private_folder, sweep, sync_folder
from pipeline.ledger import Ledger, locked, opened
from pipeline.problems import refused
from pipeline.proof.soundness import (
    Parts,
    checksum_of,
    contents,
    note_checksum,
    noted_checksum,
    parts,
    sha256_of,
    total,
    written_since,
)

DAYS_KEPT, MONTHS_KEPT = 35, 24

# A night's copy; one made by hand is named otherwise and never thinned out.
_OF_A_NIGHT = re.compile(r"(\d{4}-\d\d)-(\d\d)-(\d+)(?:-(\d+))?\.duckdb")
BY_HAND = "-by-hand"


@dataclass(frozen=True)
class State:
    """What a ledger held when it was closed: its last run and its contents.

    Of a ledger that was not read `whole`, the number of each table's rows.
    """

    run_id: str
    contents: dict[str, tuple[int, int]]
    whole: bool


@dataclass(frozen=True)
class Copy:
    """A checked copy, and what each part of its tables holds; none if not read whole."""

    file: Path
    sha256: str
    parts: dict[str, Parts]


def state(ledger: Ledger, *, whole: bool = True) -> State:
    """What a copy of this ledger must hold; folds the log into the file first."""
    ledger.connection.execute("checkpoint ledger")
    held = contents(ledger.connection, whole=whole)
    return State(last_run_id(ledger), held, whole)


def last_run_id(ledger: Ledger) -> str:
    """The last run's name, for the copy made after it."""
    run_id = ledger.value("select run_id from ledger.runs order by run_no desc limit 1")
    return run_id or "empty"


def backup(path: Path) -> Path:
    """Copy the ledger to `backups/` by hand; such a copy is never removed."""
    with locked(path):
        with opened(path, write=True) as ledger:
            held = state(ledger)
        try:
            return copy_to_backups(path, held, f"{held.run_id}{BY_HAND}").file
        except Unsound as unsound:
            raise refused(
                path.name, "copy-unsound", str(unsound), "look at the disk; try again"
            ) from None


def begin_copy(path: Path) -> Begun:
    """Begin the copy of an open ledger; OSError or RuntimeError where that cannot be."""
    return Begun(path, _draft(path))


def _draft(path: Path) -> Path:
    """Where a copy is made; what a killed run left there is taken away."""
    folder = private_folder(path.parent / "backups")
    sweep(folder)
    shutil.rmtree(folder / SPILLED, ignore_errors=True)
    return folder / f".copy{DRAFT}"


def copy_to_backups(
    path: Path, held: State, name: str, begun: Begun | None = None
) -> Copy:
    """Copy a closed ledger under a free name; raises `Unsound`, OSError or duckdb.Error."""
    if begun:
        begun.stop()
    draft = begun.draft if begun else _draft(path)
    target = _free_name(draft.parent, name)
    try:
        copy = _checked(path, draft, held)
        os.replace(draft, target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    note_checksum(target, copy.sha256)
    sync_folder(target.parent)
    return replace(copy, file=target)


def _checked(path: Path, draft: Path, held: State) -> Copy:
    """A copy that is what its ledger was when it was closed."""
    bring_up(path, draft)
    # The bytes are the ledger's, whose checksum was noted when it was closed.
    if written_since(path):
        raise Unsound("the ledger is not what it was when it was closed")
    sha256 = noted_checksum(path) or sha256_of(draft)
    with looking_at(draft) as connection:
        found = parts(connection, held.contents, whole=held.whole)
        if total(found) != held.contents:
            raise Unsound(
                "the file does not hold what the ledger held while it was open"
            )
    return Copy(draft, sha256, found if held.whole else {})


def _free_name(folder: Path, name: str) -> Path:
    target = folder / f"{name}.duckdb"
    number = 2
    while target.exists():
        target = folder / f"{name}-{number}.duckdb"
        number += 1
    return target


def thin_out(folder: Path, made: Path | None = None) -> list[Path]:
    """Remove copies of nights but the newest of each day and month that is kept.

    Kept are 35 days on which there was a night, 24 months, and what was just `made`.
    Returns what went.
    """
    copies = sorted(
        ((*_place(found, file), file) for file in folder.glob("*.duckdb")
         if (found := _OF_A_NIGHT.fullmatch(file.name))),
        reverse=True,
    )  # fmt: skip
    days: dict[str, Path] = {}
    months: dict[str, Path] = {}
    for day, *_, file in copies:
        days.setdefault(day, file)
        months.setdefault(day[:7], file)
    kept = {*list(days.values())[:DAYS_KEPT], *list(months.values())[:MONTHS_KEPT]}
    kept |= {made} if made else set()
    gone = [file for *_, file in copies if file not in kept]
    for file in gone:
        file.unlink()
        checksum_of(file).unlink(missing_ok=True)
    return gone


def _place(found: re.Match[str], file: Path) -> tuple[str, int, int, int]:
    """What sorts the newest last: day, when it was made, which run, which copy of it.

    After a restore a day's runs are counted anew, and may stay below those that it undid.
    """
    day, made = f"{found[1]}-{found[2]}", file.stat().st_mtime_ns
    return day, made, int(found[3]), int(found[4] or 1)
