"""What is in force tonight: typed rows, or those accepted last where nobody may."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from pipeline.bookkeeping.books import Change
from pipeline.ledger import Ledger, current
from pipeline.problems import Problem
from pipeline.rights.changed import changes_of
from pipeline.rights.judged import (
    LEFT_OUT,
    ONCE,
    PEOPLE,
    SHOWN,
    is_changed,
    judged,
    not_replaced,
    once,
    usable,
)
from pipeline.rights.overruled import as_changes, overrule
from pipeline.rights.refused import refusals, refusals_of_held, refusals_of_overruled
from pipeline.workbooks import Sheet
from schemas.columns import Schema, about, column_types, name_of
from schemas.ledger import ACCEPTED


@dataclass(frozen=True)
class Judgement:
    """What is in force tonight, and how that came about.

    `moved` names the sheets that do not say, row by row, what was last accepted;
    `overruled` are rows, by file, sheet and number, that cannot be used and hold nothing.
    """

    problems: list[Problem]
    changes: list[Change]
    moved: frozenset[str]
    overruled: frozenset[tuple[str, str, int]]


def apply(
    ledger: Ledger, sheets: dict[str, Sheet], told: Sequence[Problem] = ()
) -> Judgement:
    """Make `input.*` from `staged.*`: the rows in force tonight.

    `told` is what reading the sheets found. The problems are the refused changes, also
    of rows that are held already; the changes are all those of guarded sheets.
    """
    connection = ledger.connection
    _make_judges(connection, ledger)
    problems: list[Problem] = []
    changes: list[Change] = []
    accepted = _lay_beside(ledger)
    overruled: set[tuple[str, str, int]] = set()
    for schema in ACCEPTED:
        sheet = sheets.get(name_of(schema))
        if not sheet or not about(schema).get("area"):
            continue
        rows = overrule(ledger, schema, sheet, told)
        problems += refusals_of_overruled(ledger, sheet, rows)
        changes += as_changes(schema, rows) if ledger.last_night_no else []
        overruled |= {(sheet.file, sheet.sheet, row["row_number"]) for row in rows}
    differing, held = _found(ledger, _with_rows(ledger, "staged") | accepted)
    for schema in ACCEPTED:
        name, area = name_of(schema), about(schema).get("area")
        if area and name in held and name in sheets:
            problems += refusals_of_held(ledger, schema, sheets[name], told)
        if name not in differing:
            _take_as_typed(connection, name)
            continue
        _compare(connection, schema)
        if area:
            _judge(connection, schema, area)
            problems += refusals(ledger, schema, sheets)
        else:
            connection.execute(
                f"create or replace table staged.verdicts_{name} as"
                f" select row_key, true as allowed, '' as why from staged.compared_{name}"
            )
        _put_in_force(connection, schema, guarded=bool(area))
        if name in SHOWN + PEOPLE and ledger.last_night_no:
            changes += changes_of(ledger, schema)
    return Judgement(problems, changes, differing | held, frozenset(overruled))


def _judges(ledger: Ledger) -> str:
    """Where the staff and roles that decide tonight are."""
    return "accepted" if ledger.last_night_no else "staged"


def _make_judges(connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    for name in PEOPLE:
        source = (
            current(f"ledger.accepted.{name}", "row_key")
            if _judges(ledger) == "accepted"
            else f"select * from staged.{name}{ONCE}"
        )
        connection.execute(f"create or replace table staged.judging_{name} as {source}")


def _lay_beside(ledger: Ledger) -> set[str]:
    """`staged.before_*`: the rows of each sheet that were accepted last.

    Returns the sheets that have such rows, or had them.
    """
    accepted = _with_rows(ledger, "ledger.accepted")
    for name in map(name_of, ACCEPTED):
        table = f"ledger.accepted.{name}"
        rows = (
            current(table, "row_key") if name in accepted else f"from {table} limit 0"
        )
        ledger.connection.execute(
            f"create or replace table staged.before_{name} as {rows}"
        )
    return accepted


def _with_rows(ledger: Ledger, schema: str) -> set[str]:
    """The sheets that have a row at all: many a practice leaves most of them empty."""
    each = " union all ".join(
        f"select '{name}' as name, exists (from {schema}.{name}) as has_rows"
        for name in map(name_of, ACCEPTED)
    )
    return {row["name"] for row in ledger.rows(each) if row["has_rows"]}


def _found(ledger: Ledger, filled: set[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The sheets that differ from their last accepted rows, and those with a held row."""
    each = " union all ".join(
        f"select '{name_of(schema)}' as name,"
        f" exists ({usable(schema)} and {is_changed(schema)})"
        f" or exists (select 1 from staged.before_{name_of(schema)}"
        f" anti join staged.{name_of(schema)} using (row_key)) as differs,"
        f" exists (select 1 from staged.{name_of(schema)}"
        " where held or row_key is null) as held"
        for schema in ACCEPTED
        if name_of(schema) in filled
    )
    found = ledger.rows(each) if each else []
    return (
        frozenset(row["name"] for row in found if row["differs"]),
        frozenset(row["name"] for row in found if row["held"]),
    )


def _take_as_typed(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """`input.*` of a sheet in which nothing changed: nobody's right is asked."""
    connection.execute(
        f"create or replace table input.{name} as"
        f" select * from staged.{name}{once(name)}"
    )


def _compare(connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
    """`staged.compared_*`: each usable row that is new or changed, and which it is."""
    shown = "staged.*, before.row_key is null as is_new"
    connection.execute(
        f"create or replace table staged.compared_{name_of(schema)} as"
        f" {usable(schema, shown)} and {is_changed(schema)}"
    )


def _judge(connection: duckdb.DuckDBPyConnection, schema: Schema, area: str) -> None:
    """`staged.verdicts_*`: whether each new or changed row may count; if not, why."""
    name = name_of(schema)
    # A patient's row is judged only where somebody signed it.
    unsigned = "last_edited_by is null" if name == "patients" else "false"
    connection.execute(
        f"create or replace table staged.verdicts_{name} as"
        f" select row_key, entitled or {unsigned} as allowed, why"
        f" from ({judged(f'staged.compared_{name}', area)})"
    )


def _put_in_force(
    connection: duckdb.DuckDBPyConnection, schema: Schema, *, guarded: bool
) -> None:
    """`input.*`: rows not refused, earlier versions of refused ones, and held rows.

    A guarded row that is no longer in its sheet stays in force: nobody signed for its
    going (it is ended with Active No or Valid to). Patients may be taken out.
    """
    name = name_of(schema)
    names = list(column_types(schema))
    listed = ", ".join(names)
    kept = ", ".join(
        {"row_number": "typed.row_number", "held": "false"}.get(
            column, f"before.{column}"
        )
        for column in names
    )
    refused_new = ", ".join(
        "true" if column == "held" else f"typed.{column}" for column in names
    )
    parts = [
        f"select {listed} from staged.{name} where held or row_key is null",
        f"select {listed} from staged.{name} anti join"
        f" (from staged.verdicts_{name} where not allowed) as refused using (row_key)"
        " where not held and row_key is not null",
        f"select {kept} from staged.compared_{name} as typed"
        f" inner join staged.verdicts_{name} using (row_key)"
        f" inner join staged.before_{name} as before using (row_key) where not allowed",
        f"select {refused_new} from staged.compared_{name} as typed"
        f" inner join staged.verdicts_{name} using (row_key)"
        f" where not allowed and typed.is_new and {name not in LEFT_OUT}",
    ]
    if guarded and name != "patients":
        gone = ", ".join("null" if c == "row_number" else f"before.{c}" for c in names)
        parts.append(
            f"select {gone} from staged.before_{name} as before"
            f" anti join staged.{name} as staged using (row_key)"
            f" where {not_replaced(name)}"
        )
    connection.execute(
        f"create or replace table input.{name} as"
        f" select * from ({' union all '.join(parts)}){once(name)}"
    )
