"""What left after a copy was made leaves no second time: for a package, or by hand.

A batch is a run of the ledger that made it. When a copy takes that ledger's place, the
batches it does not know are entered in it again, each as a run; their files stay as they
are, in `out/imports` or wherever somebody took them. Sendings that were recorded by
command are named, to be recorded again: the sheet Sent brings back its own.
"""

import json
from pathlib import Path
from typing import Any

import duckdb

from pipeline.connecting import looking_at
from pipeline.exports.words import counted
from pipeline.ledger import Ledger
from pipeline.record import add_run
from pipeline.transaction import transaction

# Numbers that a warning names.
_NAMED = 5

_BATCHES = """
with
taken as (
    select run_no, list(number) as numbers, list({'number': number, 'path': path}) as rows
    from ledger.exported_documents group by run_no
),
files as (
    select left_in.run_no, list({'path': path, 'sha256': sha256}) as files
    from (select distinct run_no, path from ledger.exported_documents) as left_in
    inner join (
        select path, arg_max(sha256, run_no) as sha256 from ledger.published
        group by path
    ) using (path)
    group by left_in.run_no
)
select
    target, batch, layout, runs.as_of, runs.version, runs.recorded_by, runs.report,
    taken.numbers, taken.rows, coalesce(files.files, []) as files
from ledger.export_batches
inner join ledger.runs using (run_no)
inner join taken using (run_no)
left join files using (run_no)
order by run_no
"""


def enter_batches(copy: Ledger, replaced: Path) -> list[str]:
    """Enter the batches that only the replaced ledger knows; returns warnings.

    One whose documents the copy has not, or has otherwise, is named and left out. Nothing
    is known of a ledger that cannot be opened any more.
    """
    batches = _rows_of(replaced, _BATCHES)
    if not batches:
        return []
    documents = {
        row["number"]: row["said"]
        for row in _rows_of(
            replaced,
            "select number, issued_on || ' ' || gross as said from ledger.invoices",
        )
    }
    known = {
        (row["target"], row["batch"])
        for row in copy.rows("select target, batch from ledger.export_batches")
    }
    told = []
    for batch in batches:
        if (batch["target"], batch["batch"]) in known:
            continue
        if _has_all(copy, batch["numbers"], documents):
            _enter(copy, batch)
        else:
            told.append(
                f"batch {batch['batch']} for {batch['target']}"
                f" ({counted(len(batch['numbers']), 'document')}) left after this copy was"
                " made and cannot be entered again: before the next export, see what the"
                " package holds of it already"
            )
    return told


def lost_sendings(copy: Ledger, replaced: Path) -> list[str]:
    """Sendings by command that the replaced ledger alone knows, as a warning."""
    what = "number, sent_on, sent_to, how"
    known = {
        tuple(row.values()) for row in copy.rows(f"select {what} from ledger.sendings")
    }
    lost = [
        row["number"]
        for row in _rows_of(
            replaced,
            f"select {what} from ledger.sendings where source = 'command'"
            " order by sending_no",
        )
        if tuple(row.values()) not in known
    ]
    if not lost:
        return []
    named = ", ".join(dict.fromkeys(lost[:_NAMED])) + ", …" * (len(lost) > _NAMED)
    return [
        f"{counted(len(lost), 'sending')} recorded after this copy was made ({named}):"
        " record what was sent again with `membill sent`"
    ]


def _rows_of(replaced: Path, query: str) -> list[dict[str, Any]]:
    """What the replaced ledger answers; nothing where it cannot be opened any more."""
    try:
        with looking_at(replaced) as old:
            cursor = old.execute(query)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except duckdb.Error:
        return []


def _has_all(copy: Ledger, numbers: list[str], documents: dict[str, str]) -> bool:
    """Whether the copy has the same documents, and has closed the months that left."""
    has = {
        row["number"]: row["said"]
        for row in copy.rows(
            "select number, issued_on || ' ' || gross as said from ledger.invoices"
            " where number in (select unnest($1))"
            " union all select month, null from ledger.closed_months"
            " where month in (select unnest($1))",
            [numbers],
        )
    }
    return all(
        number in has and has[number] == documents.get(number) for number in numbers
    )


def _enter(copy: Ledger, batch: dict[str, Any]) -> None:
    """One batch as a run of the copy, under the name that its files bear."""
    run_id = f"{batch['batch']}-{batch['target']}-restored"
    report = json.loads(batch["report"]) | {"run_id": run_id}
    run = copy.connection.execute
    with transaction(copy) as run_no:
        add_run(
            copy, run_no, run_id, "export", batch["as_of"], batch["version"], report,
            by=batch["recorded_by"],
        )  # fmt: skip
        run(
            "insert into ledger.export_batches values (?, ?, ?, ?)",
            [run_no, batch["target"], batch["batch"], batch["layout"]],
        )
        run(
            "insert into ledger.exported_documents"
            " select ?, row.number, ?, row.path from (select unnest(?) as row)",
            [batch["target"], run_no, batch["rows"]],
        )
        # They were published: the package may have them, and nothing is shown again.
        run(
            "insert into ledger.published select file.path, ?, file.sha256"
            " from (select unnest(?) as file)",
            [run_no, batch["files"]],
        )
