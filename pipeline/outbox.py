"""What the ledger still has to show: a row per file and run, done when it is published.

The rows are part of the run's own transaction, so that nothing recorded can be forgotten
and nothing can be shown that is not recorded.
"""

from pipeline.bookkeeping.touched import touched
from pipeline.in_force import setting_in_force
from pipeline.ledger import Ledger

# Where a document's workbook goes, below `out/`: its number and its month, no name.
# For a query that reads `ledger.invoices` under its own name.
_PLACE = "strftime(invoices.issued_on, 'invoices/%Y/%m/') || invoices.number"
DOCUMENT_PATH = f"{_PLACE} || '.xlsx'"
PDF_PATH = f"{_PLACE} || '.pdf'"

# Where the files lie that are written once, below `out/`.
DOCUMENTS, IMPORTS = "invoices/", "imports/"
ONCE = (DOCUMENTS, IMPORTS)  # what is written once and never again

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
    made = list(_PAGES.get(command, ()))
    if command == "bill":
        made.append(f"runs/{run_id}/run.json")
    made += [
        f"registers/{name}.xlsx" for name in touched(ledger, run_no, command, month)
    ]
    run("insert into ledger.outbox select unnest(?), ?", [made, run_no])


def paths(ledger: Ledger, below: str = "") -> set[str]:
    """Every file there ever was to show below a folder."""
    rows = ledger.rows(
        "select distinct path from ledger.outbox where starts_with(path, ?)", [below]
    )
    return {row["path"] for row in rows}


def withheld(ledger: Ledger) -> set[str]:
    """The PDFs that were not made because no font has all of their letters."""
    rows = ledger.rows("select path from ledger.published where sha256 = ?", [WITHHELD])
    return {row["path"] for row in rows}


def followers(ledger: Ledger) -> set[str]:
    """The files that follow the ledger: all but those that are written once."""
    rows = ledger.rows(
        "select distinct path from ledger.outbox"
        " where not (starts_with(path, $1) or starts_with(path, $2))",
        [*ONCE],
    )
    return {row["path"] for row in rows}


_PENDING = """
with posted as (
    select path, max(run_no) as run_no from ledger.outbox
    where run_no > $1 group by path
),
done as (
    select path, max(run_no) as run_no from ledger.published
    where run_no > $1 group by path
)
select path, posted.run_no from posted left join done using (path)
where done.run_no is null or done.run_no < posted.run_no
order by posted.run_no, path
"""


def pending(ledger: Ledger, *, everywhere: bool = False) -> list[str]:
    """The files that the ledger has changed since they were published last.

    Looked for from the first run on that left one, or `everywhere`.
    """
    return [path for path, _ in _pending(ledger, 0 if everywhere else _done(ledger))]


def _pending(ledger: Ledger, after: int) -> list[tuple[str, int]]:
    return ledger.connection.execute(_PENDING, [after]).fetchall()


def _done(ledger: Ledger) -> int:
    """The run up to which every file is published."""
    return int(
        ledger.value("select coalesce(max(run_no), 0) from ledger.published_through")
    )


def mark(ledger: Ledger, written: list[tuple[str, str]]) -> None:
    """Note (path, SHA-256) of what was published, as of the last run."""
    if not written:
        return
    run_no = ledger.last_run_no
    run = ledger.connection.execute
    run("begin")
    # A file of this run that was put back since is published already.
    run(
        "insert into ledger.published select distinct on (path) path, $2, sha256"
        " from (select unnest($1::varchar[]) as path, unnest($3::varchar[]) as sha256)"
        " anti join (from ledger.published where run_no = $2) using (path)",
        [[path for path, _ in written], run_no, [sha256 for _, sha256 in written]],
    )
    left = _pending(ledger, _done(ledger))
    published_up_to(ledger, left[0][1] - 1 if left else run_no)
    run("commit")
    run("checkpoint ledger")


def published_up_to(ledger: Ledger, run_no: int) -> None:
    """Note that every file up to a run is published: nothing older is looked for."""
    ledger.connection.execute("delete from ledger.published_through")
    ledger.connection.execute(
        "insert into ledger.published_through values (?)", [run_no]
    )
