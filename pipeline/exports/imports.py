"""An import file made from the ledger, the first time and again: the same bytes."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from pipeline import outbox
from pipeline.bookkeeping import accounts
from pipeline.bookkeeping.books import Posting
from pipeline.bookkeeping.deferred import is_month
from pipeline.bookkeeping.seals import closed_months
from pipeline.exports.import_fields import Payer, payer_of
from pipeline.exports.import_files import Taken, as_csv, items_of, of_postings
from pipeline.exports.layouts import Layout, kept
from pipeline.ledger import Ledger

# xero-2026-03-31-02.csv: target, batch, and which part of the batch where it has several.
_NAME = re.compile(r"[a-z0-9-]+?-\d{4}-\d\d-\d\d-\d{2,}(-[a-z0-9-]+)?\.csv")

# Documents in files that name people; a journal names none. A layout that was damaged
# does not say which it is.
NAMING = (
    "select number, path from ledger.exported_documents"
    " inner join ledger.export_batches using (target, run_no)"
    " where (try_cast(layout as json)->>'of') is distinct from 'postings'"
)


def still_open(ledger: Ledger, layout: Layout, month: str | None) -> list[str]:
    """The sources that have not left for a package: documents, and releases of months.

    Of one month only, where it is given: the documents issued in it, and its release.
    """
    sources = [
        row["number"]
        for row in ledger.rows(
            "select number from ledger.invoices"
            " where $1 in (strftime(issued_on, '%Y-%m'), '')"
            " order by kind desc, sequence",
            [month or ""],
        )
    ]
    if layout.of == "postings":
        sources += [name for name in closed_months(ledger) if month in (name, None)]
    left = {
        row["number"]
        for row in ledger.rows(
            "select number from ledger.exported_documents where target = ?",
            [layout.target],
        )
    }
    return [source for source in sources if source not in left]


def what_leaves(
    ledger: Ledger,
    layout: Layout,
    sources: Collection[str],
    *,
    credit_notes: bool = True,
) -> Taken:
    """Chosen sources as what leaves for a package.

    A source is a document's number or, where the package takes journals, a month
    (YYYY-MM) whose release leaves.
    """
    if layout.of == "postings":
        return of_postings(_postings(ledger, set(sources)), layout)
    documents = accounts.documents(
        ledger, "invoices.number in (select unnest(?))", [list(sources)]
    )
    return items_of(documents, layout, credit_notes=credit_notes)


def payers_before(ledger: Ledger, target: str) -> list[Payer]:
    """Whoever paid what left for a package already, with the account that each had last."""
    rows = ledger.connection.execute(
        "select max_by(coalesce(accounts_reference, ''), run_no),"
        "  coalesce(bill_to, '') as contact,"
        "  if(bill_to <> '', '', coalesce(patient_id, '')) as patient"
        " from ledger.invoices semi join (from ledger.exported_documents"
        "  where target = ?) using (number)"
        " group by contact, patient",
        [target],
    )
    return [payer_of(*row) for row in rows.fetchall()]


def _postings(ledger: Ledger, sources: set[str]) -> Iterator[Posting]:
    """The postings of chosen sources, month by month in the journal's order."""
    issued = ledger.rows(
        "select distinct strftime(issued_on, '%Y-%m') as month from ledger.invoices"
        " where number in (select unnest(?))",
        [list(sources)],
    )
    # A number has six digits at its end, so that no document is named like a month.
    months = {row["month"] for row in issued} | {s for s in sources if is_month(s)}
    for month in sorted(months):
        for posting in accounts.postings(ledger, month):
            if posting.source in sources:
                yield posting


def render(ledger: Ledger, path: str) -> bytes:
    """The file of a batch at a path below `out/`, by the layout the batch keeps."""
    (batch,) = ledger.rows(
        "select target, layout from ledger.export_batches where run_no ="
        " (select any_value(run_no) from ledger.exported_documents where path = ?)",
        [path],
    )
    layout = kept(batch["target"], batch["layout"])
    sources = [
        row["number"]
        for row in ledger.rows(
            "select number from ledger.exported_documents where path = ?", [path]
        )
    ]
    items = what_leaves(ledger, layout, sources).items
    return as_csv(layout, [row for item in items for row in item.rows])


def forgotten(ledger: Ledger) -> set[str]:
    """Files that lack a name they had: they are never made again under their name."""
    rows = ledger.rows(
        f"select distinct path from ({NAMING})"
        " where number in (select number from in_force.forgotten_lines)"
    )
    return {row["path"] for row in rows}


def strange(ledger: Ledger, out: Path) -> list[str]:
    """Files in `out/imports` that are named like a batch's and that no batch made."""
    known = outbox.paths(ledger, outbox.IMPORTS)
    return sorted(
        file.name
        for file in (out / "imports").glob("*.csv")
        if _NAME.fullmatch(file.name) and f"imports/{file.name}" not in known
    )
