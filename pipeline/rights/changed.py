"""The changed cells of guarded sheets: what stood there, what does, whether it counts."""

from dataclasses import replace

from pipeline.bookkeeping.books import Change
from pipeline.ledger import Ledger
from pipeline.rights.judged import (
    DATED,
    MAY_GO,
    content,
    differs,
    not_replaced,
    signed_instead,
)
from schemas.columns import Column, Schema, column_types, columns, name_of, title_of
from schemas.ledger import ACCEPTED


def changes_of(ledger: Ledger, schema: Schema) -> list[Change]:
    """Every changed cell, accepted or refused, old value and new.

    Of patients the values of personal cells are left out, which nothing that is billed
    rests on; a row that is new there is one change.
    """
    name = name_of(schema)
    keys = [column.name for column in columns(schema) if column.key]
    editor = "last_edited_by" in column_types(schema)
    subject = "concat_ws(' ', " + ", ".join(f"typed.{key}" for key in keys) + ")"
    cells = ", ".join(
        _cell(schema, column, order)
        for order, column in enumerate(columns(schema), 1)
        if column.name in content(schema)
    )
    added = (
        "case when typed.is_new then [{'title': '(whole row)', 'old': null,"
        f" 'new': 'added', 'differs': true, 'at': 0}}] else [{cells}] end"
        if name == "patients"
        else f"[{cells}]"
    )
    gone = ", ".join(f"before.{key}" for key in keys)
    # In whose place somebody entitled has signed a new one, is out of force as intended.
    gave_way = "true" if name in MAY_GO else f"not ({not_replaced(name)})"
    signed_by = (
        f"(select max(fresh.last_edited_by) {signed_instead(name)})"
        if name in DATED
        else "null"
    )
    found = ledger.rows(
        "select subject, cell.title, cell.old, cell.new, edited_by, allowed,"
        " case when not allowed then why end as reason"
        f" from (select {subject} as subject, typed.row_number, allowed, why,"
        f"  {'typed.last_edited_by' if editor else 'null'} as edited_by,"
        f"  unnest({added}) as cell"
        f"  from staged.compared_{name} as typed"
        f"  inner join staged.verdicts_{name} using (row_key)"
        f"  left join staged.before_{name} as before using (row_key))"
        " where cell.differs order by row_number, cell.at"
    )
    found += ledger.rows(
        f"select concat_ws(' ', {gone}) as subject, '(whole row)' as title,"
        f" 'in force' as old, 'removed' as new, {signed_by} as edited_by,"
        f" {gave_way} as allowed, null as reason from staged.before_{name} as before"
        f" anti join staged.{name} as staged using (row_key) order by row_key"
    )
    return [
        Change(
            table=title_of(schema),
            subject=row["subject"] or "",
            column=row["title"],
            old=row["old"] or "",
            new=row["new"] or "",
            edited_by=row["edited_by"] or "",
            accepted=bool(row["allowed"]),
            reason=row["reason"] or "",
        )
        for row in found
    ]


def _cell(schema: Schema, column: Column, order: int) -> str:
    """SQL for a cell of a changed row: what it was, what it is, whether they differ."""
    old, new = f"before.{column.name}", f"typed.{column.name}"
    if column.personal:
        old, new = (f"case when {cell} is not null then '…' end" for cell in (old, new))
    return (
        f"{{'title': '{column.title}', 'old': {old}::varchar, 'new': {new}::varchar,"
        f" 'differs': {differs(schema, column.name, 'typed')}, 'at': {order}}}"
    )


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
