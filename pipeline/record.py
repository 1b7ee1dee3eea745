"""Writes a night into the ledger: invoices, periods, sendings, accepted rows, the run."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pipeline import bulk
from pipeline.bookkeeping.books import Change
from pipeline.judging.known_requests import open_requests
from pipeline.judging.sent_log import HAPPENED
from pipeline.ledger import STANDINGS, Ledger, add_versions
from pipeline.problems import Problem, Severity
from pipeline.rights.judged import content
from schemas.columns import Schema, column_types, name_of
from schemas.ledger import ACCEPTED, Changes, Letterheads, Lines, Problems
from schemas.models import BUCKETS


@dataclass(frozen=True)
class Night:
    """What a night's work came to, ready to be recorded."""

    as_of: date
    version: str
    accepted_guards: tuple[str, ...]
    files: dict[str, str]
    sheet_files: dict[str, str]
    problems: Sequence[Problem]
    changes: Sequence[Change]
    milliseconds: int
    # The sheets in which a row may differ from what was last accepted.
    moved: frozenset[str]
    # What the issues workbook says of the marked copies.
    marked: Sequence[dict[str, str]] = ()


def run_id_of(ledger: Ledger, as_of: date) -> str:
    """The run's name: its as-of day, and which run of that day it is.

    One whose documents or batch were entered again left its name on them, for no other
    to take.
    """
    number = ledger.value("select count(*) from ledger.runs where as_of = ?", [as_of])
    lost = ledger.rows(
        "select report->>'of' as run_id from ledger.runs where command = 'adopt'"
        " union select batch from ledger.export_batches"
        " union select run_id from ledger.runs where as_of = ?",  # they skipped names too
        [as_of],
    )
    taken = {row["run_id"] for row in lost}
    while (run_id := f"{as_of}-{number + 1:02d}") in taken:
        number += 1
    return run_id


def memberships(ledger: Ledger) -> dict[str, int]:
    """Rule 13: how many memberships of the roster are in each bucket."""
    rows = ledger.rows(
        "select bucket, count(*) as members from model.standings group by bucket"
    )
    counts = {row["bucket"]: row["members"] for row in rows}
    return {bucket: counts.get(bucket, 0) for bucket in BUCKETS}


def exit_code(ledger: Ledger, problems: Sequence[Problem]) -> int:
    """0 when all that was due is billed, 3 when something is held."""
    held = any(problem.severity is Severity.HELD for problem in problems)
    return 3 if held or memberships(ledger)["held"] else 0


def stage(ledger: Ledger, night: Night) -> None:
    """Lay out in `staged.*` what the ledger keeps by version.

    Before the transaction: DuckDB writes to one database in each.
    """
    run = ledger.connection.execute
    for schema in _moved(night):
        name = name_of(schema)
        file = night.sheet_files.get(name, "").replace("'", "''")
        run(
            f"create or replace view staged.accepting_{name} as"
            f" select *, '{file}' as file from input.{name}"
            " where not held and row_key is not null"
        )
        run(
            f"create or replace view staged.present_{name} as"
            f" select row_key from staged.{name} where row_key is not null"
        )
    run(
        "create or replace table staged.problems as"
        " select * exclude (run_no, removed) from ledger.problems limit 0"
    )
    types = [
        kind
        for name, kind in column_types(Problems).items()
        if name not in ("run_no", "removed")
    ]
    bulk.insert(
        ledger.connection, "staged.problems", types, _problem_rows(night.problems)
    )
    run(
        "create or replace table staged.standings as"
        " select coalesce(patient_key || '#' || row_number() over"
        "  (partition by patient_key order by patient_row), '#row ' || patient_row)"
        "  as standing_key,"
        " patient_id, product_code, bucket, reason, next_due, held_amount"
        " from model.standings"
    )


def record(ledger: Ledger, night: Night, run_no: int) -> None:
    """Write the staged night as run `run_no`; the caller holds the transaction."""
    run_id = run_id_of(ledger, night.as_of)
    report = _report(ledger, night, run_id)
    add_run(
        ledger, run_no, run_id, "bill", night.as_of, night.version, report,
        guards=night.accepted_guards, milliseconds=night.milliseconds,
    )  # fmt: skip
    _documents(ledger, run_no)
    _sendings(ledger, run_no)
    _changes(ledger, night.changes, run_no)
    _accepted(ledger, night, run_no)
    _versions(ledger, run_no)


def add_run(
    ledger: Ledger,
    run_no: int,
    run_id: str,
    command: str,
    as_of: date,
    version: str,
    report: dict[str, Any],
    *,
    guards: Sequence[str] = (),
    by: str | None = None,
    milliseconds: int = 0,
) -> None:
    """Append the row of a run; the clock is asked for the log alone."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    ledger.connection.execute(
        "insert into ledger.runs (run_no, run_id, command, as_of, recorded_at,"
        " milliseconds, version, accepted_guards, recorded_by, report)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            run_no, run_id, command, as_of, now, milliseconds, version,
            ",".join(guards), by, json.dumps(report, sort_keys=True),
        ],
    )  # fmt: skip


def _report(ledger: Ledger, night: Night, run_id: str) -> dict[str, Any]:
    """The run as machines read it; amounts are text with two decimals."""
    made = ledger.rows(
        "select count(*) as invoices, arg_min(number, sequence) as first_number,"
        " arg_max(number, sequence) as last_number,"
        " coalesce(sum(net), 0)::decimal(14, 2)::varchar as net,"
        " coalesce(sum(tax), 0)::decimal(14, 2)::varchar as tax,"
        " coalesce(sum(gross), 0)::decimal(14, 2)::varchar as gross"
        " from model.new_invoices"
    )[0]
    return {
        "run_id": run_id,
        "command": "bill",
        "version": night.version,
        "as_of": night.as_of.isoformat(),
        "exit_code": exit_code(ledger, night.problems),
        "accepted_guards": list(night.accepted_guards),
        "inputs": night.files,
        "memberships": memberships(ledger),
        "invoices_made": made["invoices"],
        "first_number": made["first_number"],
        "last_number": made["last_number"],
        "totals": {key: made[key] for key in ("net", "tax", "gross")},
        "by_product": _by_product(ledger),
        "held_value": str(_held_value(ledger)),
        "held": _held(ledger),
        "open_requests": open_requests(ledger),
        "problems": {
            str(severity): sum(p.severity is severity for p in night.problems)
            for severity in Severity
        },
    } | ({"marked": list(night.marked)} if night.marked else {})


def _by_product(ledger: Ledger) -> list[dict[str, Any]]:
    return ledger.rows(
        "select product_code, count(*) as lines,"
        " sum(gross)::decimal(14, 2)::varchar as gross from model.new_lines"
        " group by product_code order by product_code"
    )


def _held_value(ledger: Ledger) -> Decimal:
    return Decimal(
        ledger.value(
            "select coalesce(sum(gross), 0)::decimal(14, 2) from model.charges"
            " where reason is not null"
        )
    )


def _held(ledger: Ledger) -> list[dict[str, Any]]:
    """Held requests, which have no standing of their own in the ledger.

    What was typed for a Patient ID and is none may be a name, and is not told here.
    """
    return ledger.rows(
        "select case when patient_id in (select patient_id from input.patients)"
        "  then patient_id end as patient_id, product_code, request_id,"
        " request_row as row, reason, gross::varchar as amount"
        " from model.charges where request_row is not null and reason is not null"
        " order by request_row"
    )


def _documents(ledger: Ledger, run_no: int) -> None:
    """Invoices, their lines, and what they use up: periods and requests, once each."""
    run = ledger.connection.execute
    run(
        f"insert into ledger.letterheads select {run_no}, practice_name,"
        " practice_address, practice_email, practice_phone, company_number,"
        # A number must not appear of a practice that is not registered.
        " vat_registered, case when vat_registered then vat_number end,"
        " bank_details, invoice_footer, prices_include_tax,"
        " deferred_basis, debtors_account, vat_account, deferred_account"
        " from input.practice where exists (select 1 from model.new_invoices)"
    )
    shared = (
        "number, sequence, issued_on, due_on, membership, patient_id, patient_name,"
        " bill_to, bill_to_name, email, address_line_1, address_line_2, town, postcode,"
        " accounts_reference, currency, net, tax, gross"
    )
    run(
        f"insert into ledger.invoices ({shared}, kind, run_no)"
        f" select {shared}, 'invoice', {run_no} from model.new_invoices order by sequence"
    )
    of_credits = ("credits_line", "rebill")
    columns = ", ".join(name for name in column_types(Lines) if name not in of_credits)
    run(
        f"insert into ledger.lines ({columns}, rebill)"
        f" select {columns}, false from model.new_lines order by number, line"
    )
    run(
        "insert into ledger.billed_periods"
        " select patient_key, period_start, period_end, number, line, period_generation"
        " from model.new_lines where period_start is not null"
    )
    run(
        "insert into ledger.filled_requests"
        " select request_key, number, line, request_generation"
        " from model.new_lines where request_key is not null"
    )


def letterhead_columns() -> str:
    """The columns of a letterhead but its run, for copying one."""
    return ", ".join(name for name in column_types(Letterheads) if name != "run_no")


def _sendings(ledger: Ledger, run_no: int) -> None:
    """Rows of the sent log that are not recorded yet, each once."""
    ledger.connection.execute(
        "insert into ledger.sendings"
        " select (row_number() over (order by fresh.first_row)"
        "  + (select coalesce(max(sending_no), 0) from ledger.sendings))::integer,"
        f" number, sent_on, sent_to, how, sent_by, 'sent log', {run_no}"
        " from ("
        "  select number, sent_on, sent_to, how, sent_by, min(row_number) as first_row"
        # What is made tonight was not there to be sent.
        f"  from ({HAPPENED}) where run_no < {run_no} group by all"
        " ) as fresh"
        " where not exists (select 1 from ledger.sendings as known"
        "  where known.number = fresh.number and known.sent_on = fresh.sent_on"
        "  and known.sent_to in (fresh.sent_to, 'forgotten')"
        "  and known.how is not distinct from fresh.how)"
    )


def _changes(ledger: Ledger, changes: Sequence[Change], run_no: int) -> None:
    if not changes:
        return
    rows = [
        (
            run_no, change.table, change.subject, change.column, change.old or None,
            change.new or None, change.edited_by or None, change.accepted,
            change.reason or None,
        )
        for change in changes
    ]  # fmt: skip
    types = list(column_types(Changes).values())
    bulk.insert(ledger.connection, "ledger.changes", types, rows)


def _moved(night: Night) -> list[Schema]:
    """The sheets of which some row may differ from what was last accepted."""
    return [schema for schema in ACCEPTED if name_of(schema) in night.moved]


def _accepted(ledger: Ledger, night: Night, run_no: int) -> None:
    """The rows in force tonight, where they differ from the last accepted ones.

    A held row leaves its last accepted version as it was; a guarded row is never
    removed; a contact, patient, user or role that is gone from its sheet is.
    """
    for schema in _moved(night):
        name = name_of(schema)
        add_versions(
            ledger,
            f"ledger.accepted.{name}",
            "row_key",
            f"staged.accepting_{name}",
            content(schema),
            [*column_types(schema), "file"],
            run_no,
            keep=f"before.row_key in (select row_key from staged.present_{name})",
        )


def _versions(ledger: Ledger, run_no: int) -> None:
    """Problems and standings, where they differ from the last night's."""
    for table, key, in_force in (
        ("problems", "fingerprint", ""),
        ("standings", "standing_key", STANDINGS),
    ):
        described = ledger.rows(f"describe staged.{table}")
        columns = [row["column_name"] for row in described]
        compared = [name for name in columns if name != key]
        add_versions(
            ledger, f"ledger.{table}", key, f"staged.{table}", compared, columns, run_no,
            in_force=in_force,
        )  # fmt: skip
    # Not MERGE, which is twice as fast where many rows change: it takes them out and puts
    # them in, and where the disk then refuses the commit, DuckDB cannot take that back
    # and ends the process.
    ledger.connection.execute(
        "insert or replace into ledger.standings_now"
        " select * from ledger.standings where run_no = ?",
        [run_no],
    )


def _fingerprint(problem: Problem) -> str:
    """What makes two nights' problems the same one: not the row, which moves."""
    place = problem.place
    parts = (problem.code, place.file, place.sheet, place.column, problem.subject)
    if problem.subject:
        return "|".join(parts)
    return "|".join((*parts, str(place.row or ""), problem.found))


def _problem_rows(problems: Sequence[Problem]) -> list[tuple[Any, ...]]:
    return [
        _row(fingerprint, problem) for fingerprint, problem in fingerprints(problems)
    ]


def fingerprints(problems: Sequence[Problem]) -> list[tuple[str, Problem]]:
    """Every problem once; those alike but for their row are told apart by a count."""
    alike: dict[str, list[Problem]] = {}
    for problem in problems:
        same = alike.setdefault(_fingerprint(problem), [])
        if problem not in same:
            same.append(problem)
    return [
        (f"{fingerprint}|{count}" if count > 1 else fingerprint, problem)
        for fingerprint, same in alike.items()
        for count, problem in enumerate(same, start=1)
    ]


def _row(fingerprint: str, problem: Problem) -> tuple[Any, ...]:
    place = problem.place
    return (
        fingerprint, str(problem.severity), problem.code, place.file,
        place.sheet, place.row, place.column, place.cell, problem.subject,
        problem.found, problem.expected, problem.repair, problem.effect,
        problem.amount, problem.personal,
    )  # fmt: skip
