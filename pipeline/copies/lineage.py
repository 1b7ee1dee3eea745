"""Whether a ledger made the documents that are in the world, or others of their numbers.

Certain is a document's seal: the link of the chain that it was published under, which its
workbook carries and no other document of that number has.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from pipeline.bookkeeping.seals import Sealed, own_seals
from pipeline.connecting import looking_at
from pipeline.exports.invoice_data import Unreadable, read_back
from pipeline.fetching import first_row
from pipeline.ledger import Ledger, read_head
from pipeline.outbox import DOCUMENTS
from pipeline.problems import Refused, refused
from pipeline.proof.soundness import checksum_of, matches
from pipeline.reading.package import unpack
from pipeline.reading.sheets import Unusable

_NAMED = 3  # of the numbers that differ


def must_be_the_same(copy: Ledger, path: Path, out: Path, name: str) -> None:
    """Refuse a copy that holds another document than was published under a number.

    The workbooks in `out/` decide; where they tell nothing of the numbers that differ,
    the ledger that the copy would replace does.
    """
    held = own_seals(copy.connection)
    published = _workbooks(copy, held, out)
    others = _others(held, published)
    if others:
        raise refused(
            name, "copy-other-documents",
            f"{_told(held, published, others)} in out/invoices than in this copy: it is of"
            " another practice, or of a ledger that billed this one elsewhere",
            "use a copy of the ledger that made them; if the workbooks are another"
            " practice's or only a trial, move them out of out/invoices",
        )  # fmt: skip
    made = in_place(path)
    others = _others(held, made)
    if others and not published.keys() & set(others):
        raise refused(
            name, "copy-other-documents",
            f"{_told(held, made, others)} in the ledger that is there now than in this"
            " copy: one of them is of another practice, or billed this one elsewhere",
            "use a copy of the ledger that is there; if that is the wrong one, move it"
            " and head.json away",
        )  # fmt: skip


def _workbooks(
    copy: Ledger, held: Mapping[str, Sealed], out: Path
) -> dict[str, Sealed]:
    """What the workbooks in `out/` are of; one that no longer tells it is left out.

    A page that somebody edited carries its data as before, or none: it is looked at by
    `verify` and is no reason to lose the ledger. Of two under one number the stranger
    counts.
    """
    noted = {
        (row["path"], row["sha256"])
        for row in copy.rows(
            "select path, sha256 from ledger.published where starts_with(path, ?)",
            [DOCUMENTS],
        )
    }
    found: dict[str, Sealed] = {}
    for file in sorted(out.glob(f"{DOCUMENTS}*/*/*.xlsx")):
        number = file.stem
        if number not in held or found.get(number, held[number]) != held[number]:
            continue
        try:
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            if (file.relative_to(out).as_posix(), digest) in noted:
                found[number] = held[number]
                continue
            document = read_back(unpack(content).properties)
        except (Unreadable, Unusable, OSError):
            continue
        if document.number == number:
            found[number] = Sealed(document.sha256, document.issued_on, document.gross)
    return found


def _others(held: Mapping[str, Sealed], there: Mapping[str, Sealed]) -> list[str]:
    """Numbers that both know, of another document each."""
    return sorted(
        number
        for number, document in there.items()
        if number in held and document.seal != held[number].seal
    )


def _told(
    held: Mapping[str, Sealed], there: Mapping[str, Sealed], others: list[str]
) -> str:
    """How the first numbers differ, there and in the copy, in words."""
    named = ", ".join(
        f"{number} ({_difference(there[number], held[number])})"
        for number in others[:_NAMED]
    )
    more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
    are = "is another document" if len(others) == 1 else "are other documents"
    return f"{named}{more} {are}"


def _difference(there: Sealed, here: Sealed) -> str:
    if there[1:] == here[1:]:
        return f"{_in_short(here)} under another seal"
    return f"{_in_short(there)}, not {_in_short(here)}"


def _in_short(document: Sealed) -> str:
    return f"{document.gross:,.2f} of {document.issued_on}"


def is_of(connection: duckdb.DuckDBPyConnection, head: dict[str, Any]) -> bool:
    """Whether the chain of an attached ledger has the link that a head file names."""
    link = first_row(
        connection,
        "select sha256 from ledger.chain where position = ?",
        [head.get("position")],
    )
    return link == (head.get("sha256"),)


def in_place(path: Path) -> dict[str, Sealed]:
    """What the ledger there made, if it stands as its last run left it.

    One that was damaged, or put there in the place of another, tells nothing.
    """
    if not path.is_file() or (checksum_of(path).exists() and not matches(path)):
        return {}
    try:
        head = read_head(path) or {}
        with looking_at(path) as connection:
            return own_seals(connection) if is_of(connection, head) else {}
    except (Refused, duckdb.Error):
        return {}
