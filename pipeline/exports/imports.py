"""An import file made from the ledger, the first time and again: the same bytes."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import accounts, outbox
from pipeline.exports.import_files import Taken, as_csv, items_of
from pipeline.exports.layouts import Layout, kept
from pipeline.ledger import Ledger

# xero-2026-03-31-02.csv: target, batch, and which part of the batch where it has several.
_NAME = re.compile(r"[a-z0-9-]+?-\d{4}-\d\d-\d\d-\d{2,}(-[a-z0-9-]+)?\.csv")


def what_leaves(
    ledger: Ledger,
    layout: Layout,
    where: str,
    values: Sequence[Any],
    *,
    credit_notes: bool = True,
) -> Taken:
    """The documents that a condition picks, as what leaves for a package.

    Where a package takes a journal, its postings come from here too: of documents alone.
    """
    documents = accounts.documents(ledger, where, values)
    return items_of(documents, layout, credit_notes=credit_notes)


def render(ledger: Ledger, path: str) -> bytes:
    """The file of a batch at a path below `out/`, by the layout the batch keeps."""
    (batch,) = ledger.rows(
        "select target, layout from ledger.export_batches where run_no ="
        " (select any_value(run_no) from ledger.exported_documents where path = ?)",
        [path],
    )
    layout = kept(batch["target"], batch["layout"])
    items = what_leaves(
        ledger,
        layout,
        "invoices.number in (select number from ledger.exported_documents"
        " where path = ?)",
        [path],
    ).items
    return as_csv(layout, [row for item in items for row in item.rows])


def forgotten(ledger: Ledger) -> set[str]:
    """Files that lack a name they had: they are never made again under their name."""
    rows = ledger.rows(
        "select distinct path from ledger.exported_documents where number in"
        " (select split_part(record_key, ' ', 1) from ledger.forgotten"
        "  where part = 'line')"
    )
    return {row["path"] for row in rows}


def strange(ledger: Ledger, out: Path) -> list[str]:
    """Files in `out/imports` that are named like a batch's and that no batch made."""
    known = set(outbox.paths(ledger))
    return sorted(
        file.name
        for file in (out / "imports").glob("*.csv")
        if _NAME.fullmatch(file.name) and f"imports/{file.name}" not in known
    )
