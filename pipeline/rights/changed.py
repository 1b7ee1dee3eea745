"""The changed cells of guarded sheets: what stood there, what does, whether it counts."""

from dataclasses import replace

from pipeline.bookkeeping.books import Change
from pipeline.ledger import Ledger
from pipeline.rights.judged import (
    DATED,
    PEOPLE,
    content,
    differs,
    not_replaced,
    signed_instead,
)
from schemas.columns import Schema, column_types, columns, name_of, title_of
from schemas.ledger import ACCEPTED


def changes_of(ledger: Ledger, schema: Schema) -> list[Change]:
    """Every changed cell, accepted or refused, old value and new."""
    name = name_of(schema)
    titles = {column.name: column.title for column in columns(schema)}
    keys = [column.name for column in columns(schema) if column.key]
    editor = "last_edited_by" in column_types(schema)
    subject = "concat_ws(' ', " + ", ".join(f"typed.{key}" for key in keys) + ")"
    parts = [
        f"select {subject} as subject, '{titles[column]}' as column_title,"
        f" before.{column}::varchar as old, typed.{column}::varchar as new,"
        f" {'typed.last_edited_by' if editor else 'null'} as edited_by, allowed,"
        f" case when not allowed then why end as reason, {order} as position,"
        " typed.row_number as row_number"
        f" from staged.compared_{name} as typed"
        f" inner join staged.verdicts_{name} using (row_key)"
        f" left join staged.before_{name} as before using (row_key)"
        f" where {differs(schema, column, 'typed')}"
        for order, column in enumerate(titles)
        if column in content(schema)
    ]
    gone = ", ".join(f"before.{key}" for key in keys)
    # In whose place somebody entitled has signed a new one, is out of force as intended.
    gave_way = "true" if name in PEOPLE else f"not ({not_replaced(name)})"
    signed_by = (
        f"(select max(fresh.last_edited_by) {signed_instead(name)})"
        if name in DATED
        else "null"
    )
    parts.append(
        f"select concat_ws(' ', {gone}), '(whole row)', 'in force', 'removed', {signed_by},"
        f" {gave_way}, null, 0, null from staged.before_{name} as before"
        f" anti join staged.{name} as staged using (row_key)"
    )
    found = ledger.rows(" union all ".join(parts) + " order by row_number, position")
    return [
        Change(
            table=title_of(schema),
            subject=row["subject"] or "",
            column=row["column_title"],
            old=row["old"] or "",
            new=row["new"] or "",
            edited_by=row["edited_by"] or "",
            accepted=bool(row["allowed"]),
            reason=row["reason"] or "",
        )
        for row in found
    ]


def not_in_force(ledger: Ledger, changes: list[Change]) -> list[Change]:
    """The changes again; one of a row that is held after all does not count as accepted.

    Its editor may change the sheet, but it names a code that is not there.
    """
    held = set()
    changed = {change.table for change in changes}
    for schema in ACCEPTED:
        if title_of(schema) not in changed:
            continue
        keys = ", ".join(column.name for column in columns(schema) if column.key)
        rows = ledger.rows(
            f"select concat_ws(' ', {keys}) as subject from input.{name_of(schema)}"
            " where held"
        )
        held |= {(title_of(schema), row["subject"]) for row in rows}
    return [
        replace(change, accepted=False, reason="the row cannot be used yet")
        if change.accepted and (change.table, change.subject) in held
        else change
        for change in changes
    ]
