"""Proves a ledger and its outputs: each promise, and where it does not hold."""

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipeline import chain
from pipeline.ledger import Ledger, read_head
from schemas.columns import name_of
from schemas.ledger import ACCEPTED, LEDGER
from schemas.models import BUCKETS


@dataclass(frozen=True)
class Result:
    """A promise and what speaks against it; no faults when it holds."""

    promise: str
    faults: list[str]


def verify(ledger: Ledger, out: Path) -> list[Result]:
    """Every promise, tried on the whole ledger and the files made from it."""
    return [
        Result("every table can be read", _readable(ledger)),
        *(Result(promise, _found(ledger, query)) for promise, query in _QUERIES),
        Result("the hash chain is unbroken", chain.breaks(ledger.connection)),
        Result("the head file agrees with the ledger", _head(ledger)),
        Result("every published invoice is as it was made", _files(ledger, out)),
        Result(
            "nobody else can read the ledger or what it makes", _private(ledger, out)
        ),
    ]


def _readable(ledger: Ledger) -> list[str]:
    """Read every cell there is: damage shows only where somebody looks."""
    faults = []
    names = [f"ledger.{name_of(schema)}" for schema in LEDGER]
    names += [f"ledger.accepted.{name_of(schema)}" for schema in ACCEPTED]
    for name in names:
        try:
            ledger.value(f"select bit_xor(hash(read)) from {name} as read")
        except duckdb.Error:
            faults.append(f"{name} is damaged")
    return faults


def _found(ledger: Ledger, query: str) -> list[str]:
    """The first few rows of a query that should have none, in words."""
    return [str(row["fault"]) for row in ledger.rows(f"{query} limit 20")]


_BUCKET_SUM = " + ".join(
    f"coalesce((report->'memberships'->>'{bucket}')::integer, 0)" for bucket in BUCKETS
)

_QUERIES: tuple[tuple[str, str], ...] = (
    (
        "numbers have no gap",
        "select kind || ' ' || sequence || ' follows ' || before as fault from ("
        " select kind, sequence, lag(sequence) over (partition by kind order by sequence)"
        "  as before from ledger.invoices) where sequence <> before + 1",
    ),
    (
        "the counters stand at the last numbers given",
        "with given as (select kind, max(sequence) as sequence, max(issued_on) as day"
        "  from ledger.invoices group by kind)"
        " select coalesce(given.kind, counters.kind) || ' counter' as fault"
        " from given full join ledger.counters as counters using (kind)"
        " where sequence is distinct from last_sequence"
        " or day is distinct from last_issued_on",
    ),
    (
        "dates never fall as numbers rise",
        "select number || ' is dated before the one before it' as fault from ("
        " select number, issued_on, lag(issued_on) over (partition by kind order by"
        "  sequence) as before from ledger.invoices) where issued_on < before",
    ),
    (
        "each document equals its lines",
        "select number || ' is not the sum of its lines' as fault from ledger.invoices"
        " left join (select number, sum(net) as n, sum(tax) as t, sum(gross) as g"
        "  from ledger.lines group by number) as sums using (number)"
        " where n is distinct from net or t is distinct from tax"
        " or g is distinct from gross",
    ),
    (
        "net and tax make gross, line by line",
        "select number || ' line ' || line as fault from ledger.lines"
        " where net + tax <> gross",
    ),
    (
        "each night equals its invoices",
        "select run_id || ' made other invoices than it says' as fault"
        " from ledger.runs as runs where command = 'bill' and ("
        " (report->>'invoices_made')::integer <> (select count(*) from ledger.invoices"
        "  as invoices where invoices.run_no = runs.run_no)"
        " or (report->'totals'->>'gross')::decimal(14, 2) <> (select"
        "  coalesce(sum(gross), 0) from ledger.invoices as invoices"
        "  where invoices.run_no = runs.run_no))",
    ),
    (
        "no day of a membership is billed twice",
        "select one.patient_key || ': ' || one.number || ' and ' || two.number as fault"
        " from ledger.billed_periods as one inner join ledger.billed_periods as two"
        " on one.patient_key = two.patient_key and one.period_start < two.period_start"
        " and one.period_end >= two.period_start",
    ),
    (
        "every billed period has its line",
        "select number || ' line ' || line as fault from ledger.billed_periods as billed"
        " anti join ledger.lines as lines using (number, line, period_start)",
    ),
    (
        "no credit note takes back more than its invoice",
        "select invoices.number as fault from ledger.invoices as invoices"
        " inner join ledger.invoices as credit on credit.credits_number = invoices.number"
        " group by invoices.number, invoices.gross"
        " having -sum(credit.gross) > invoices.gross",
    ),
    (
        "every sending is of a document",
        "select number as fault from ledger.sendings"
        " anti join ledger.invoices using (number)",
    ),
    (
        "the last night's buckets add up to the roster",
        "with last as (select * from ledger.runs where command = 'bill'"
        "  order by run_no desc limit 1),"
        " placed as (select * from ledger.standings qualify row_number() over"
        "  (partition by standing_key order by run_no desc) = 1)"
        f" select 'the buckets of ' || run_id || ' add up to ' || ({_BUCKET_SUM})"
        "  as fault from last"
        f" where ({_BUCKET_SUM}) <>"
        "  (select count(*) from placed where not removed)",
    ),
)


def _head(ledger: Ledger) -> list[str]:
    head = read_head(ledger.path)
    link = chain.head(ledger.connection)
    if head is None:
        return ["head.json is missing"] if link.position else []
    if (head["position"], head.get("sha256")) != (link.position, link.sha256):
        return [
            f"head.json is of link {head['position']}, the ledger of {link.position}"
        ]
    return []


def _files(ledger: Ledger, out: Path) -> list[str]:
    """Workbooks that staff moved away are theirs to keep; those there must be ours."""
    faults = []
    for row in ledger.rows(
        "select path, arg_max(sha256, run_no) as sha256 from ledger.published"
        " where path like 'invoices/%' group by path order by path"
    ):
        file = out / row["path"]
        if file.exists():
            found = hashlib.sha256(file.read_bytes()).hexdigest()
            if found != row["sha256"]:
                faults.append(f"{row['path']} was changed after it was made")
    return faults


def _private(ledger: Ledger, out: Path) -> list[str]:
    if os.name == "nt":
        return []
    faults = []
    roots: list[Callable[[], list[Path]]] = [
        lambda: [ledger.path, *ledger.path.parent.glob("*")],
        lambda: [*ledger.path.parent.glob("[br]*/**/*")],  # backups, replaced
        # A folder chosen with --ledger may be shared with others; ours is not.
        lambda: [ledger.folder] if ledger.folder.name == "ledger" else [],
        lambda: [out, *out.rglob("*")] if out.exists() else [],
    ]
    for paths in roots:
        for path in paths():
            if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
                faults.append(f"{path.name} can be read or written by others")
    return faults[:20]
