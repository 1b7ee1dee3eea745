"""Requests that last night's sheet asked for as well: what came since is new to a guard.

Requests are no accepted rows: they are used up, and then forgotten. A night's report keeps
the keys of those that it left open.
"""

import json

from pipeline.ledger import Ledger


def open_requests(ledger: Ledger) -> list[str]:
    """The keys of tonight's requests that the night leaves unbilled."""
    rows = ledger.rows(
        "select distinct row_key from input.invoice_requests"
        " where row_key is not null"
        " and row_key not in (select request_key from tonight.in_force.filled_requests)"
        " and row_key not in (select request_key from model.new_lines"
        "  where request_key is not null)"
        " order by row_key"
    )
    return [row["row_key"] for row in rows]


def lay_down(ledger: Ledger) -> bool:
    """Fill `staged.known_requests` from the last night's report; is any request new?

    One that was billed and freed again is known. A report of a version that did not keep
    them knows every request.
    """
    report = ledger.value(
        "select report from ledger.runs where command = 'bill'"
        " order by run_no desc limit 1"
    )
    known = json.loads(report).get("open_requests") if report else None
    ledger.connection.execute(
        "create or replace table staged.known_requests as"
        " select distinct row_key as request_key from input.invoice_requests"
        " where $1::varchar[] is null or row_key in (select unnest($1::varchar[]))"
        " or row_key in (select request_key from ledger.filled_requests)",
        [known],
    )
    return bool(
        ledger.value(
            "select exists (select 1 from input.invoice_requests as requests"
            " anti join staged.known_requests as known"
            "  on requests.row_key = known.request_key"
            " where requests.row_key is not null)"
        )
    )
