"""What the ledger still has to show: a row per file and run, done when it is published.

The rows are part of the run's own transaction, so that nothing recorded can be forgotten
and nothing can be shown that is not recorded.
"""

from pipeline.in_force import setting_in_force
from pipeline.ledger import Ledger
from pipeline.touched import touched

# Where a document's workbook goes, below `out/`: its number and its month, no name.
# For a query that reads `ledger.invoices` under its own name.
_PLACE = "strftime(invoices.issued_on, 'invoices/%Y/%m/') || invoices.number"
DOCUMENT_PATH = f"{_PLACE} || '.xlsx'"
PDF_PATH = f"{_PLACE} || '.pdf'"

# Where the files lie that are written once, below `out/`.
DOCUMENTS, IMPORTS = "invoices/", "imports/"

# In place of the hash of a PDF that no font can show: it counts as done, without a file.
WITHHELD = "withheld"

# Pages that tell of the last night; a sending or a credit note changes only some of them.
_PAGES = {
    "bill": ("invoices.xlsx", "issues.xlsx", "summary.html", "last_run.json"),
    "sent": ("invoices.xlsx", "summary.html"),
    "credit": ("invoices.xlsx", "summary.html"),
    "forget": ("invoices.xlsx", "summary.html"),
    "adopt": ("invoices.xlsx", "summary.html"),
    "close": (),
}


def pages() -> set[str]:
    """The names of the pages that runs make below `out/`."""
    return {name for names in _PAGES.values() for name in names}


def post(ledger: Ledger, run_no: int) -> None:
    """Note every file that run `run_no` made necessary; the caller holds the transaction."""
    run = ledger.connection.execute
    (command, run_id, month) = run(
        "select command, run_id, strftime(as_of, '%Y-%m') from ledger.runs"
        " where run_no = ?",
        [run_no],
    ).fetchall()[0]
    run(
        "insert into ledger.outbox"
        f" select {DOCUMENT_PATH}, run_no from ledger.invoices as invoices where run_no = ?"
        " order by kind desc, sequence",
        [run_no],
    )
    # Which documents have a PDF is told by these rows from then on, not by the setting.
    if setting_in_force(ledger, "pdf_beside"):
        run(
            f"insert into ledger.outbox select {PDF_PATH}, run_no"
            " from ledger.invoices as invoices where run_no = ?"
            " order by kind desc, sequence",
            [run_no],
        )
    run(
        "insert into ledger.outbox"
        " select distinct path, run_no from ledger.exported_documents where run_no = ?"
        " order by path",
        [run_no],
    )
    pages = list(_PAGES.get(command, ()))
    if command == "bill":
        pages.append(f"runs/{run_id}/run.json")
    pages += [
        f"registers/{name}.xlsx" for name in touched(ledger, run_no, command, month)
    ]
    run("insert into ledger.outbox select unnest(?), ?", [pages, run_no])


def paths(ledger: Ledger) -> set[str]:
    """Every file there ever was to show."""
    return {row["path"] for row in ledger.rows("select path from ledger.outbox")}


def withheld(ledger: Ledger) -> set[str]:
    """The PDFs that were not made because no font has all of their letters."""
    rows = ledger.rows("select path from ledger.published where sha256 = ?", [WITHHELD])
    return {row["path"] for row in rows}


def followers(ledger: Ledger) -> set[str]:
    """The files that follow the ledger: all but those that are written once."""
    rows = ledger.rows(
        "select distinct path from ledger.outbox"
        " where not (starts_with(path, $1) or starts_with(path, $2))",
        [DOCUMENTS, IMPORTS],
    )
    return {row["path"] for row in rows}


# A run whose files were all published as of itself is told by their number and their
# paths' hashes: looking for each path would cost more every month.
_PENDING = """
with made as (
    select run_no, count(*) as files, bit_xor(hash(path)) as paths
    from ledger.outbox group by run_no
),
shown as (
    select run_no, count(*) as files, bit_xor(hash(path)) as paths
    from ledger.published group by run_no
),
odd as materialized (
    select run_no from made left join shown using (run_no)
    where (made.files, made.paths) is distinct from (shown.files, shown.paths)
),
posted as (
    select path, max(run_no) as run_no from ledger.outbox
    where run_no in (select run_no from odd) group by path
),
done as (
    select path, max(run_no) as run_no from ledger.published
    where run_no >= (select min(run_no) from odd)
        and path in (select path from posted)
    group by path
)
select path from posted left join done using (path)
where done.run_no is null or done.run_no < posted.run_no
order by posted.run_no, path
"""


def pending(ledger: Ledger) -> list[str]:
    """The files that the ledger has changed since they were published last."""
    return [row["path"] for row in ledger.rows(_PENDING)]


def mark(ledger: Ledger, written: list[tuple[str, str]]) -> None:
    """Note (path, SHA-256) of what was published, as of the last run."""
    if not written:
        return
    run_no = ledger.last_run_no
    run = ledger.connection.execute
    run("begin")
    run(
        "insert into ledger.published select unnest(?), ?, unnest(?)"
        " on conflict do nothing",
        [[path for path, _ in written], run_no, [sha256 for _, sha256 in written]],
    )
    run("commit")
    run("checkpoint ledger")
