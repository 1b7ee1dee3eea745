"""The files made from a ledger: unchanged, private, whole, and the same made again."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from pipeline import outbox
from pipeline.bookkeeping import accounts
from pipeline.bookkeeping.books import Document
from pipeline.exports import imports
from pipeline.ledger import RESTORING, Ledger


def were_changed(
    ledger: Ledger, out: Path, since: int = 0, *, below: str = "invoices/"
) -> list[str]:
    """Files that staff moved away are theirs to keep; those there must be ours."""
    faults = []
    for row in ledger.rows(
        "select path, arg_max(sha256, run_no) as sha256 from ledger.published"
        " where starts_with(path, ?) and sha256 <> ? and run_no >= ? group by path"
        " order by path",
        [below, outbox.WITHHELD, since],
    ):
        file = out / row["path"]
        try:
            found = hashlib.sha256(file.read_bytes()).hexdigest()
        except FileNotFoundError:
            continue
        except OSError:
            faults.append(f"{row['path']} cannot be read")
            continue
        if found != row["sha256"]:
            faults.append(f"{row['path']} was changed after it was made")
    return faults[:20]


def imports_that_differ(ledger: Ledger, out: Path, since: int = 0) -> list[str]:
    """Import files that were changed, and files that no batch of this ledger made."""
    return were_changed(ledger, out, since, below="imports/") + [
        f"imports/{name} was never made by this ledger: move it out of out/imports once"
        " you know whether the package has it"
        for name in imports.strange(ledger, out)
    ]


def imports_made_differently(ledger: Ledger) -> list[str]:
    """Import files that, made again, are not what was published."""
    lost, faults = imports.forgotten(ledger), []
    for row in ledger.rows(
        "select path, arg_min(sha256, run_no) as sha256 from ledger.published"
        " where starts_with(path, 'imports/') group by path order by path"
    ):
        if row["path"] in lost:
            continue
        try:
            made = imports.render(ledger, row["path"])
        except (ValueError, KeyError, TypeError, AttributeError):
            faults.append(
                f"{row['path']} cannot be made again: what the ledger keeps of its batch"
                " is damaged"
            )
            continue
        if hashlib.sha256(made).hexdigest() != row["sha256"]:
            faults.append(f"{row['path']} is made differently now")
    return faults[:20]


def _files(ledger: Ledger, out: Path, since: int | None) -> Iterator[Path]:
    """Every file of ours and its folders, or only those of the runs since one."""
    # A folder chosen with --ledger may be shared with others; ours is not.
    if ledger.folder.name == "ledger":
        yield ledger.folder
    yield from ledger.folder.glob("*")
    if since is None:
        for folder in ("backups", "replaced"):
            yield from (ledger.folder / folder).rglob("*")
    if not out.is_dir():
        return
    yield out
    if since is None:
        yield from out.rglob("*")
        return
    yield from out.iterdir()
    for row in ledger.rows(
        "select distinct path from ledger.published where run_no >= ?", [since]
    ):
        yield out / row["path"]
        yield (out / row["path"]).parent


def not_private(ledger: Ledger, out: Path, since: int | None = None) -> list[str]:
    """Files and folders with a right for anybody but their owner."""
    if os.name == "nt":
        return []
    faults = []
    for path in dict.fromkeys(_files(ledger, out, since)):
        try:
            mode = stat.S_IMODE(path.lstat().st_mode)
        except OSError:
            continue
        if mode & 0o077 and not path.is_symlink():
            faults.append(f"{path.name} can be read or written by others")
    return faults[:20]


def drafts(ledger: Ledger, out: Path, since: int | None = None) -> list[str]:
    """What a killed run left of a file that it was making."""
    copy = ledger.folder / RESTORING
    left = [f"{copy.name} is what a killed restore left of a copy; it can go"]
    return (
        left * copy.exists()
        + [
            f"{path.name} is the beginning of a file that was never finished; it can go"
            for path in dict.fromkeys(_files(ledger, out, since))
            if path.name.endswith((".part", ".draft"))
        ][:20]
    )


def differ_when_made_again(ledger: Ledger) -> list[str]:
    """Documents whose workbook or PDF, made again, is not what was published."""
    known = {
        row["path"]: row["sha256"]
        for row in ledger.rows(
            "select path, arg_min(sha256, run_no) as sha256 from ledger.published"
            " where path like 'invoices/%' and sha256 <> ? group by path",
            [outbox.WITHHELD],
        )
    }
    # Loaded here alone: no night and no other proof needs it.
    from pipeline.exports import invoice

    faults = []
    # One whose patient was forgotten is never made again: it would lack the name. One
    # without its letterhead cannot be, which another promise tells.
    whole = (
        "invoices.number not in (select number from in_force.forgotten_lines)"
        " and invoices.run_no in (select run_no from ledger.letterheads)"
    )
    for document in accounts.documents(ledger, whole):
        made = hashlib.sha256(invoice.render(document)).hexdigest()
        if known.get(document.path, made) != made:
            faults.append(f"{document.number} is made differently now")
        if document.pdf_path in known and known[document.pdf_path] != _pdf(document):
            faults.append(f"{document.number}.pdf is made differently now")
    return faults[:20]


def _pdf(document: Document) -> str:
    """The hash of a document's PDF as it is made now, '' if it cannot be made."""
    from pipeline.exports.invoice_pdf import Unprintable, render

    try:
        return hashlib.sha256(render(document)).hexdigest()
    except Unprintable:
        return ""
