"""Brings a copy of the ledger back without ever reusing a published number.

The copy is made ready in a folder of its own, database and log together, and only then
takes the ledger's place; what it replaces is kept.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from pipeline.bookkeeping.deferred import following
from pipeline.connecting import looking_at
from pipeline.copies.adopt import Adopted, adopt
from pipeline.copies.left_already import enter_batches, lost_sendings
from pipeline.copies.lineage import is_of, must_be_the_same
from pipeline.files import copy_file, private_folder, sync_folder, write_text
from pipeline.ledger import RESTORING, Ledger, locked, opened, read_head, write_head
from pipeline.problems import Refused, refused
from pipeline.proof.probed import forget_proof
from pipeline.proof.soundness import (
    checksum_of,
    head_of,
    log_of,
    matches,
    must_be_readable,
    note_checksum,
)
from pipeline.proof.verify import books_hold
from pipeline.publish import publish
from pipeline.published_files import published_numbers
from pipeline.transaction import DISK_FAILURES, Unfinished
from pipeline.version import VERSION

# Beside the ledger while a restore has something to tell of what it replaces.
_UNTOLD = "restored.json"


@dataclass(frozen=True)
class Restored:
    """Where what was replaced is kept (None if there was nothing), what was entered again."""

    kept: Path | None
    adopted: Adopted


def restore(path: Path, source: Path, out: Path, *, again: bool = False) -> Restored:
    """Put a copy in the ledger's place.

    Refused when a document was published after the copy was made, since its number is in
    somebody's hands; with `again` such documents are entered again from their workbooks.
    Refused too when another document was published under a number than the copy holds.
    """
    if not source.is_file():
        raise refused(str(source), "no-copy", "there is no such file", "name a copy")
    with locked(path), _made_ready(path, source) as draft:
        stood = _ledger_of_the_head(path)
        # The head file beside it is of the ledger that the copy takes the place of.
        with opened(draft, write=True, against_head=False) as copy:
            _must_hold(copy, source.name)
            must_be_the_same(copy, stood, out, source.name)
            if not again:
                _must_stay_closed(_reopened(copy, path), source.name)
            adopted = _know_all(copy, path, stood, out, source.name, again=again)
            left = enter_batches(copy, stood) + lost_sendings(copy, stood)
            # Now that it knows of documents from the first such month on.
            reopened = _open_again(_reopened(copy, path))
            write_head(copy)
        told = list(dict.fromkeys(_untold(path) + reopened + left))
        _note_untold(path, draft, told)
        try:
            kept = _exchange(path, draft, out, _shown(draft))
        except Exception:
            _all_told(path)
            raise
        with _brought_back(), opened(path, write=True) as ledger:
            warnings = told + publish(ledger, out, pages=True).warnings
            if not ledger.last_night_no:
                warnings.append(
                    "the copy is of before the first night: registers and lists are made"
                    " by the next one"
                )
        _all_told(path)
        return Restored(kept, Adopted(adopted.numbers, adopted.warnings + warnings))


def _note_untold(path: Path, draft: Path, told: list[str]) -> None:
    """Keep what is to be told of the ledger that is about to be replaced.

    Nobody can find it out once the copy is in its place, where a kill may end the command.
    """
    if told:
        noted = {"head": _head(draft), "told": told}
        write_text(path.parent / _UNTOLD, json.dumps(noted) + "\n")


def _untold(path: Path) -> list[str]:
    """What a restore that was killed did not come to tell, if nothing was recorded since."""
    try:
        noted = json.loads((path.parent / _UNTOLD).read_text(encoding="utf-8"))
        return (
            [str(each) for each in noted["told"]]
            if noted["head"] == _head(path)
            else []
        )
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _all_told(path: Path) -> None:
    (path.parent / _UNTOLD).unlink(missing_ok=True)


@contextmanager
def _made_ready(path: Path, source: Path) -> Iterator[Path]:
    """A copy of the copy, with its log, in a folder that is gone afterwards."""
    # A ledger is proved by its contents; a copy that changed since is better left alone.
    is_copy = source.resolve() != path.resolve()
    if is_copy and checksum_of(source).exists() and not matches(source):
        raise refused(
            source.name, "copy-changed", "the copy is not as it was made",
            "use another copy",
        )  # fmt: skip
    folder = path.parent / RESTORING
    shutil.rmtree(folder, ignore_errors=True)
    draft = private_folder(folder) / path.name
    try:
        for file, to in ((source, draft), (log_of(source), log_of(draft))):
            if file.exists():
                copy_file(file, to)
        try:
            was_read = must_be_readable(draft)
        except Refused:
            raise refused(
                source.name, "copy-unsound", "the file is damaged or not a ledger",
                "use another copy",
            ) from None  # fmt: skip
        if was_read and not log_of(draft).exists():
            note_checksum(draft)  # or it would be read to its end once more
        yield draft
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _must_hold(copy: Ledger, name: str) -> None:
    faults = [fault for result in books_hold(copy) for fault in result.faults]
    if faults:
        raise refused(
            name, "copy-unsound", f"the ledger does not hold: {faults[0]}",
            "use another copy; `membill verify` tells more",
        )  # fmt: skip


def _reopened(copy: Ledger, path: Path) -> list[str]:
    """The months (YYYY-MM) that were closed since, one after the other."""
    closed = str((_head(path) or {}).get("closed", ""))
    before = copy.value("select max(month) from ledger.closed_months")
    if closed <= (before or ""):
        return []
    first = copy.value("select strftime(min(issued_on), '%Y-%m') from ledger.invoices")
    months = [min(following(before) if before else first or closed, closed)]
    while months[-1] < closed:
        months.append(following(months[-1]))
    return months


def _ledger_of_the_head(path: Path) -> Path:
    """The ledger that the head file is of: the one there, or one that was put aside.

    A restore that was killed half-way leaves it aside, and the head file where it was.
    """
    head = _head(path) or {}
    aside = sorted((path.parent / "replaced").glob(f"*/{path.name}"), reverse=True)
    for ledger in (path, *aside):
        try:
            with looking_at(ledger) as book:
                if is_of(book, head):
                    return ledger
        except duckdb.Error:
            continue
    return path


def _head(path: Path) -> dict[str, Any] | None:
    """What the head file says of the ledger there; what a damaged one said is lost."""
    try:
        return read_head(path)
    except Refused as refusal:
        if refusal.problems[0].code != "head-unreadable":
            raise
        return None


def _must_stay_closed(months: list[str], name: str) -> None:
    if not months:
        return
    were = "was" if len(months) == 1 else "were"
    them = "the month" if len(months) == 1 else "the months"
    raise refused(
        name,
        "copy-before-closing",
        f"{_listed(months)} {were} closed after this copy was made, and would be open"
        " again",
        f"use a later copy; or bring it back with --adopt and close {them} again at once",
    )


def _open_again(months: list[str]) -> list[str]:
    """What to do about months that are open once more, in words."""
    if not months:
        return []
    if len(months) == 1:
        return [
            f"{months[0]} was closed after this copy was made and is open again: close it"
            " before anything else, and compare its seal"
        ]
    return [
        f"{_listed(months)} were closed after this copy was made and are open again:"
        " close them, in this order, before anything else, and compare their seals"
    ]


def _listed(months: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(months[:-1]), months[-1]]))


def _know_all(
    copy: Ledger, path: Path, stood: Path, out: Path, name: str, *, again: bool
) -> Adopted:
    """See that the copy knows every number that was ever published, or make it so."""
    known = {row["number"] for row in copy.rows("select number from ledger.invoices")}
    lost = sorted(_published(stood, out) - known)
    if not lost:
        return Adopted([], [])
    if again:
        return adopt(copy, path, out, lost, VERSION, _emails(stood))
    raise refused(
        name,
        "copy-too-old",
        f"{len(lost)} documents were published after this copy was made, such as"
        f" {lost[-1]}",
        "use a newer copy; or enter them again from their workbooks with --adopt: as it"
        " is, this one would give their numbers out again",
    )


def _published(path: Path, out: Path) -> set[str]:
    """Numbers in the world: workbooks in `out/`, the head file, the ledger if it opens."""
    numbers = published_numbers(out)
    head = _head(path)
    if head and head.get("last_number"):
        numbers.add(str(head["last_number"]))
    try:
        with looking_at(path) as old:
            rows = old.execute("select number from ledger.invoices").fetchall()
            numbers |= {row[0] for row in rows}
    except duckdb.Error:
        pass
    return numbers


def _emails(path: Path) -> dict[str, str]:
    """The addresses that the replaced ledger has for its documents, if it opens."""
    try:
        with looking_at(path) as old:
            rows = old.execute(
                "select number, email from ledger.invoices where email is not null"
            )
            return dict(rows.fetchall())
    except duckdb.Error:
        return {}


def _shown(draft: Path) -> set[str]:
    """The registers, and the folders of runs, that the copy has to show."""
    with looking_at(draft) as ledger:
        rows = ledger.execute("select distinct path from ledger.outbox").fetchall()
    return {path.removesuffix("/run.json") for (path,) in rows}


def _exchange(path: Path, draft: Path, out: Path, shown: set[str]) -> Path | None:
    """The draft in the ledger's place, what was there moved away and kept.

    Killed in between, no night goes on: the old head file is there until the new one
    is, and fits no other ledger. Where the disk fails, the ledger is put back.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    kept = path.parent / "replaced" / stamp
    if head_of(path).is_file():
        copy_file(head_of(path), private_folder(kept) / "head.json")
    # What the lost nights wrote of themselves must not be taken for that of new ones.
    # First, and from one disk to another if need be: until all of it is moved the ledger
    # is where it was, and makes again what it needs.
    for found in sorted([*out.glob("runs/*"), *out.glob("registers/*.xlsx")]):
        name = found.relative_to(out).as_posix()
        if name not in shown:
            shutil.move(found, private_folder((kept / name).parent) / found.name)
    forget_proof(path)
    moves = [
        (file, private_folder(kept) / file.name)
        for file in (checksum_of(path), log_of(path), path)
        if file.exists() or file.is_symlink()
    ]
    _move_all([*moves, (draft, path), (head_of(draft), head_of(path))], kept)
    with _brought_back():
        note_checksum(path)
        sync_folder(path.parent)
    return kept if kept.exists() else None


def _move_all(moves: list[tuple[Path, Path]], kept: Path) -> None:
    """Move each file to its place, or none: then the ledger is where it was."""
    done: list[tuple[Path, Path]] = []
    try:
        for file, to in moves:
            os.replace(file, to)
            done.append((file, to))
    except OSError:
        try:
            for file, to in reversed(done):
                os.replace(to, file)
        except OSError:
            raise Unfinished(
                f"The disk failed while the copy took the ledger's place; what was there"
                f" is kept as {kept}. See that the disk is in order, then give the command"
                " again."
            ) from None
        raise


@contextmanager
def _brought_back() -> Iterator[None]:
    """What follows once the copy is in place: if the disk fails it, it is there."""
    try:
        yield
    except (OSError, *DISK_FAILURES):
        raise Unfinished(
            "The copy is in the ledger's place, but the disk would take no more: files made"
            " from it may be missing. See that there is room, then give the command again."
        ) from None
