"""Rows that cannot be used and that nobody entitled has signed: they change nothing.

Held, they would hold members too, which is an effect that nobody entitled has signed. What
was accepted last stands in their place; a price row or setting that is new is not there.
"""

from collections.abc import Sequence
from typing import Any

from pipeline.bookkeeping.books import Change
from pipeline.ledger import Ledger
from pipeline.problems import Problem, Severity
from pipeline.rights.judged import LEFT_OUT, is_changed, judged
from pipeline.workbooks import Sheet
from schemas.columns import Schema, about, column_types, columns, name_of, title_of


def overrule(
    ledger: Ledger, schema: Schema, sheet: Sheet, told: Sequence[Problem]
) -> list[dict[str, Any]]:
    """Put what was accepted last in the place of such rows of `staged`.

    Returns each of them: `row_number`, `subject`, `last_edited_by`, `is_known`, and
    `is_idle` with `why` where it is theirs that would not count.
    """
    held = [
        problem
        for problem in told
        if problem.severity is Severity.HELD
        and (problem.place.file, problem.place.sheet) == (sheet.file, sheet.sheet)
        and problem.place.row
    ]
    if not held:
        return []
    rows = _without_effect(ledger, schema, sheet, held)
    if rows:
        _replace(ledger, schema, [row["row_number"] for row in rows])
    return rows


def _without_effect(
    ledger: Ledger, schema: Schema, sheet: Sheet, held: Sequence[Problem]
) -> list[dict[str, Any]]:
    """The rows of each key that no row of somebody entitled shares, unless as accepted."""
    name, area = name_of(schema), str(about(schema)["area"])
    signed = "true" if name != "patients" else "judged.last_edited_by is not null"
    many = name != "patients"  # of whom each row is on the roster
    subject = ", ".join(f"judged.{c.name}" for c in columns(schema) if c.key)
    # Whose signature it is cannot be said where cells may have moved, nor if unread.
    unsure = set(sheet.bad_rows) | {
        problem.place.row
        for problem in held
        if problem.place == sheet.place(problem.place.row or 0, "last_edited_by")
    }
    # Of two rows of one key it may be the other that is wrong.
    faulty = {p.place.row for p in held if p.code != "duplicate"}
    # Of a long sheet few rows are held: nothing is asked of the others.
    of_held = (
        f"(select * from staged.{name} where held or row_key is null"
        f" or row_key in (select row_key from staged.{name} where held))"
    )
    return ledger.rows(
        "with rows as ("
        f" select judged.row_number, judged.row_key, judged.last_edited_by, judged.why,"
        f"  concat_ws(' ', {subject}) as subject, before.row_key is not null as is_known,"
        f"  judged.held or judged.row_key is null as is_held,"
        f"  is_held and not judged.entitled and {signed}"
        "   and judged.row_number not in (select unnest($1::integer[])) as is_idle,"
        f"  is_known and not {is_changed(schema, 'judged')}"
        "   and judged.row_number not in (select unnest($2::integer[])) as is_accepted"
        f" from ({judged(of_held, area)}) as judged"
        f" left join staged.before_{name} as before using (row_key))"
        " select * exclude (row_key, is_held, is_accepted) from rows"
        " window same as (partition by coalesce(row_key, 'row ' || row_number))"
        " qualify is_held and bool_or(is_idle) over same"
        "  and bool_and(is_idle or is_accepted) over same"
        f"  and (is_known or {name in LEFT_OUT}) and ({many} or count(*) over same = 1)"
        " order by row_number",
        [sorted(unsure), sorted(faulty)],
    )


def _replace(ledger: Ledger, schema: Schema, rows: list[int]) -> None:
    name = name_of(schema)
    names = list(column_types(schema))
    accepted = ", ".join(
        {"row_number": "gone.row_number", "held": "false"}.get(
            column, f"before.{column}"
        )
        for column in names
    )
    run = ledger.connection.execute
    run(
        "create or replace temporary table gone as"
        f" select min(row_number) as row_number, row_key from staged.{name}"
        " where row_number in (select unnest($1::integer[])) group by row_key",
        [rows],
    )
    run(
        f"delete from staged.{name} where row_number in (select unnest($1::integer[]))",
        [rows],
    )
    run(
        f"insert into staged.{name} ({', '.join(names)}) select {accepted}"
        f" from gone inner join staged.before_{name} as before using (row_key)"
    )
    run(
        "delete from input.unreadable_prices where table_name = $2"
        " and row_number in (select unnest($1::integer[]))",
        [rows, name],
    )


def as_changes(schema: Schema, rows: Sequence[dict[str, Any]]) -> list[Change]:
    """What such rows would have changed, as changes that did not take effect."""
    return [
        Change(
            table=title_of(schema),
            subject=row["subject"],
            column="(whole row)",
            old="in force" if row["is_known"] else "",
            new="cannot be used",
            edited_by=row["last_edited_by"] or "",
            accepted=False,
            reason=row["why"],
        )
        for row in rows
        if row["is_idle"]
    ]
