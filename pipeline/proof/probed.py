"""What a proof looks at: the whole ledger, or what was added since it was proved last.

A ledger that was proved and whose file has not changed since (its checksum says so) needs
no second look at the same rows. `probed.*` are its tables as far as they are to be looked
at; the queries of `pipeline.proof.promises` read them, and `ledger.*` for what a new row
is held against. How far the last proof came lies beside the ledger, with the number of rows
that each table had: a row too many or too few that belongs to no new record shows in that.
"""

import json
from pathlib import Path
from typing import Any

from pipeline import chain
from pipeline.files import write_text
from pipeline.ledger import Ledger

_FILE = "proved.json"

_OF_NEW_DOCUMENTS = "number in (select number from probed.invoices)"

# The rows that were added since run `run`, whose link of the chain was `link`.
COUNTED: dict[str, str] = {
    "runs": "run_no > {run}",
    "invoices": "run_no > {run}",
    "lines": _OF_NEW_DOCUMENTS,
    "billed_periods": _OF_NEW_DOCUMENTS,
    "filled_requests": _OF_NEW_DOCUMENTS,
    "released_periods": _OF_NEW_DOCUMENTS,
    "released_requests": _OF_NEW_DOCUMENTS,
    "sendings": "run_no > {run}",
    "changes": "run_no > {run}",
    "standings": "run_no > {run}",
    "chain": "position > {link}",
    "outbox": "run_no > {run}",
    "closed_months": "run_no > {run}",
    "exported_documents": "run_no > {run}",
}

# What goes with them: each series from the last document before the new ones on, the
# chain from its last link on, and files, which are published after their run was proved.
_BESIDE: dict[str, tuple[str, str]] = {
    "series": (
        "select invoices.* from ledger.invoices as invoices inner join ("
        " select kind, coalesce(min(sequence) filter (run_no > {run}) - 1, max(sequence))"
        "  as first from ledger.invoices group by kind) as new"
        " on invoices.kind = new.kind and sequence >= new.first",
        "select * from ledger.invoices",
    ),
    "links": (
        "select * from ledger.chain where position >= {link}",
        "select * from ledger.chain",
    ),
    "published": (
        "select * from ledger.published where run_no >= {run}",
        "select * from ledger.published",
    ),
}


def proved_until(ledger: Ledger) -> dict[str, Any]:
    """How far the ledger was proved: its run, its link, its rows by table; {} if never.

    A note of another ledger, or of one that was brought back since, does not count.
    """
    try:
        noted = json.loads((ledger.folder / _FILE).read_text(encoding="utf-8"))
        link, sha256 = int(noted["link"]), str(noted["sha256"])
        proved = {
            "run": int(noted["run"]),
            "link": link,
            "rows": {name: int(noted["rows"][name]) for name in COUNTED},
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    held = ledger.value("select sha256 from ledger.chain where position = ?", [link])
    return proved if held == sha256 else {}


def note_proof(ledger: Ledger) -> None:
    """Note that the ledger holds what it promises, as it is now."""
    link = chain.head(ledger.connection)
    noted = {
        "run": ledger.last_run_no,
        "link": link.position,
        "sha256": link.sha256,
        "rows": _rows(ledger, "ledger"),
    }
    write_text(ledger.folder / _FILE, json.dumps(noted) + "\n")


def forget_proof(path: Path) -> None:
    """A ledger that is brought back is proved whole: it may live the same nights again."""
    (path.parent / _FILE).unlink(missing_ok=True)


def _rows(ledger: Ledger, schema: str) -> dict[str, int]:
    counting = " union all ".join(
        f"select '{name}' as name, count(*) as rows from {schema}.{name}"
        for name in COUNTED
    )
    return {row["name"]: row["rows"] for row in ledger.rows(counting)}


_ANEW = "drop schema if exists tonight.probed cascade; create schema tonight.probed;"


def look_at_all(ledger: Ledger) -> None:
    """`probed.*` are all rows of the ledger."""
    every = {name: f"select * from ledger.{name}" for name in COUNTED}
    every |= {name: query for name, (_, query) in _BESIDE.items()}
    ledger.connection.execute(
        _ANEW
        + "".join(
            f"create view tonight.probed.{name} as {query};"
            for name, query in every.items()
        )
    )


def look_at_new(ledger: Ledger, proved: dict[str, Any]) -> list[str]:
    """`probed.*` are the rows added since a proof; returns where others came or went."""
    new = {
        name: f"select * from ledger.{name} where {condition}"
        for name, condition in COUNTED.items()
    }
    new |= {name: query for name, (query, _) in _BESIDE.items()}
    ledger.connection.execute(_ANEW)
    for name, query in new.items():
        ledger.connection.execute(
            f"create table tonight.probed.{name} as {query.format(**proved)}"
        )
    there, added = _rows(ledger, "ledger"), _rows(ledger, "probed")
    return [
        f"{name} has {there[name] - added[name]} rows of before, where {rows} were proved"
        for name, rows in proved["rows"].items()
        if there[name] - added[name] != rows
    ]
