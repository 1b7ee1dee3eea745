"""Checked copies of the ledger, and bringing one back without reusing a number."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from pipeline.files import private_folder, sync_folder
from pipeline.ledger import (
    Ledger,
    locked,
    opened,
    read_head,
    write_head,
)
from pipeline.problems import Place, Problem, Refused, Severity
from pipeline.publish import publish_restored, published_numbers
from pipeline.verify import verify


def _refuse(file: str, code: str, found: str, repair: str) -> Refused:
    problem = Problem(Severity.STOPS, code, Place(file=file), found, "", repair)
    return Refused([problem])


def _must_hold(ledger: Ledger, name: str) -> None:
    faults = [
        fault
        for result in verify(ledger, ledger.path.parent / "nothing")
        if "head file" not in result.promise and "read" not in result.promise
        for fault in result.faults
    ]
    if faults:
        raise _refuse(
            name, "copy-unsound", f"the ledger does not hold: {faults[0]}",
            "use another copy; `membill verify` tells more",
        )  # fmt: skip


def backup(path: Path) -> Path:
    """Copy the ledger to `backups/`; the copy is opened and proved before it is named."""
    with locked(path):
        if not path.exists():
            raise _refuse(
                str(path),
                "no-ledger",
                "there is no ledger to copy",
                "run the night first",
            )
        # Opened for writing so that a write-ahead log is folded in before copying.
        with opened(path, write=True) as ledger:
            ledger.connection.execute("checkpoint ledger")
            run_id = ledger.value(
                "select run_id from ledger.runs order by run_no desc limit 1"
            )
        folder = private_folder(path.parent / "backups")
        target = _free_name(folder, run_id or "empty")
        draft = folder / f".{target.name}.part"
        shutil.copyfile(path, draft)
        draft.chmod(0o600)
        with opened(draft, write=False) as copy:
            _must_hold(copy, target.name)
        os.replace(draft, target)
        sync_folder(folder)
        return target


def _free_name(folder: Path, run_id: str) -> Path:
    target = folder / f"{run_id}.duckdb"
    number = 2
    while target.exists():
        target = folder / f"{run_id}-{number}.duckdb"
        number += 1
    return target


def restore(path: Path, source: Path, out: Path) -> Path | None:
    """Put a copy in the ledger's place; returns where the old ledger is kept.

    Refused when a document was published after the copy was made: its number is in
    somebody's hands and the copy would give it out again.
    """
    if not source.is_file():
        raise _refuse(str(source), "no-copy", "there is no such file", "name a copy")
    with locked(path):
        draft = path.with_suffix(".restoring")
        shutil.copyfile(source, draft)
        draft.chmod(0o600)
        try:
            # The head file beside it is of the ledger that the copy takes the place of.
            with opened(draft, write=False, against_head=False) as copy:
                _must_hold_known(copy, path, out, source.name)
        except duckdb.Error:
            draft.unlink(missing_ok=True)
            raise _refuse(
                source.name, "copy-unsound", "it is no ledger", "use another copy"
            ) from None
        except Refused:
            draft.unlink(missing_ok=True)
            raise
        kept = _set_aside(path)
        os.replace(draft, path)
        sync_folder(path.parent)
        with opened(path, write=True) as ledger:
            write_head(ledger)
            publish_restored(ledger, out, kept or path.parent / "replaced")
        return kept


def _must_hold_known(copy: Ledger, path: Path, out: Path, name: str) -> None:
    """The copy must be sound and know every number that was ever published."""
    _must_hold(copy, name)
    known = {row["number"] for row in copy.rows("select number from ledger.invoices")}
    lost = sorted(_published(path, out) - known)
    if lost:
        raise _refuse(
            name,
            "copy-too-old",
            f"{len(lost)} documents were published after this copy was made, such as"
            f" {lost[-1]}",
            "use a newer copy: this one would give their numbers out again",
        )


def _published(path: Path, out: Path) -> set[str]:
    """Numbers in the world: workbooks in `out/`, the head file, the ledger if it opens."""
    numbers = published_numbers(out)
    try:
        head = read_head(path)
    except Refused:
        head = None
    if head and head.get("last_number"):
        numbers.add(str(head["last_number"]))
    try:
        with duckdb.connect(str(path), read_only=True) as old:
            rows = old.execute("select number from invoices").fetchall()
            numbers |= {row[0] for row in rows}
    except duckdb.Error:
        pass
    return numbers


def _set_aside(path: Path) -> Path | None:
    """Move the ledger, its log and its head away together; nothing is deleted."""
    present = [
        file
        for file in (
            path,
            path.with_name(f"{path.name}.wal"),
            path.parent / "head.json",
        )
        if file.exists()
    ]
    if not present:
        return None
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    folder = private_folder(path.parent / "replaced" / stamp)
    for file in present:
        os.replace(file, folder / file.name)
    return folder
