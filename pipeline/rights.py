"""Rule 11: what changed since the last accepted version of a row, and who may change it.

A new or changed row of a guarded sheet counts only if its Last edited by is an active
user whose role may Edit that area. Otherwise the last accepted version stays in force.
Staff and Roles are those accepted by the last run, so nobody grants himself a right and
uses it the same night; the first night's are taken as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from pipeline.bookkeeping.books import Change
from pipeline.judging.meant import meant
from pipeline.judging.meant import users as users_meant
from pipeline.ledger import Ledger, current
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import Sheet
from schemas.columns import Schema, about, column_types, columns, name_of, title_of
from schemas.ledger import ACCEPTED

_HOUSEKEEPING = ("row_number", "held", "row_key", "last_edited_by")
SHOWN = ("settings", "tax_codes", "products", "price_changes", "contract_prices")
PEOPLE = ("staff", "roles")
# A new row of these that does not count is as if it were not there: to hold members by
# it would be an effect too. Of other sheets it stays, held, for those who name it.
_LEFT_OUT = ("settings", "contract_prices", "price_changes")


def content(schema: Schema) -> list[str]:
    """The columns whose change is a change of the row."""
    return [name for name in column_types(schema) if name not in _HOUSEKEEPING]


def _judges(ledger: Ledger) -> str:
    """Where the staff and roles that decide tonight are."""
    return "accepted" if ledger.last_night_no else "staged"


def _make_judges(connection: duckdb.DuckDBPyConnection, ledger: Ledger) -> None:
    for name in PEOPLE:
        source = (
            current(f"ledger.accepted.{name}", "row_key")
            if _judges(ledger) == "accepted"
            else f"select * from staged.{name}{_ONCE}"
        )
        connection.execute(f"create or replace table staged.judging_{name} as {source}")


def entitled(area: str) -> str:
    """SQL for the users who may Edit an area tonight: `user_key`."""
    return entitled_in(area, "staged.judging_staff", "staged.judging_roles")


def entitled_in(area: str, staff: str, roles: str) -> str:
    """SQL for the users who may Edit an area by these staff and roles: `user_key`."""
    return (
        f"select staff.row_key as user_key from {staff} as staff"
        f" inner join {roles} as roles on canonical(staff.role) = roles.row_key"
        f" where staff.active and not staff.held and roles.{area} = 'Edit'"
    )


@dataclass(frozen=True)
class Judgement:
    """What is in force tonight, and how that came about.

    `moved` names the sheets that do not say, row by row, what was last accepted.
    """

    problems: list[Problem]
    changes: list[Change]
    moved: frozenset[str]


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
    differing, held = _found(ledger, _with_rows(ledger, "staged") | accepted)
    for schema in ACCEPTED:
        name, area = name_of(schema), about(schema).get("area")
        if area and name in held and name in sheets:
            problems += _refusals_of_held(ledger, schema, sheets[name], told)
        if name not in differing:
            _take_as_typed(connection, name)
            continue
        _compare(connection, schema)
        if area:
            _judge(connection, schema, area)
            problems += _refusals(ledger, schema, sheets)
        else:
            connection.execute(
                f"create or replace table staged.verdicts_{name} as"
                f" select row_key, true as allowed, '' as why from staged.compared_{name}"
            )
        _put_in_force(connection, schema, guarded=bool(area))
        if name in SHOWN + PEOPLE and ledger.last_night_no:
            changes += _changes(ledger, schema)
    return Judgement(problems, changes, differing | held)


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
        f" exists ({_usable(schema)} and {_is_changed(schema)})"
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


# Rows that share a key are all held; one stands for them, so that joins stay single. But
# every patient is on the roster, and each price might answer where another does not.
_EACH = ("patients", "contract_prices", "price_changes")
_ONCE = (
    " qualify row_number() over (partition by coalesce(row_key, 'row ' || row_number)"
    " order by held desc, row_number) = 1"
)


def _once(name: str) -> str:
    return "" if name in _EACH else _ONCE


def _take_as_typed(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """`input.*` of a sheet in which nothing changed: nobody's right is asked."""
    connection.execute(
        f"create or replace table input.{name} as"
        f" select * from staged.{name}{_once(name)}"
    )


def _usable(schema: Schema, shown: str = "1") -> str:
    """SQL for each usable row, `staged`, beside its last accepted version, `before`."""
    name = name_of(schema)
    return (
        f"select {shown} from staged.{name} as staged"
        f" left join staged.before_{name} as before using (row_key)"
        " where not staged.held and staged.row_key is not null"
    )


def _is_changed(schema: Schema, row: str = "staged") -> str:
    """SQL for whether a row is new or differs from `before`."""
    differs = " or ".join(
        f"{row}.{column} is distinct from before.{column}" for column in content(schema)
    )
    return f"(before.row_key is null or {differs})"


def _compare(connection: duckdb.DuckDBPyConnection, schema: Schema) -> None:
    """`staged.compared_*`: each usable row that is new or changed, and which it is."""
    shown = "staged.*, before.row_key is null as is_new"
    connection.execute(
        f"create or replace table staged.compared_{name_of(schema)} as"
        f" {_usable(schema, shown)} and {_is_changed(schema)}"
    )


def _judge(connection: duckdb.DuckDBPyConnection, schema: Schema, area: str) -> None:
    """`staged.verdicts_*`: whether each new or changed row may count; if not, why."""
    name = name_of(schema)
    # A patient's row is judged only where somebody signed it.
    unsigned = "last_edited_by is null" if name == "patients" else "false"
    connection.execute(
        f"create or replace table staged.verdicts_{name} as"
        f" select row_key, entitled or {unsigned} as allowed, why"
        f" from ({_judged(f'staged.compared_{name}', area)})"
    )


def _judged(table: str, area: str) -> str:
    """SQL for the rows of a table: whether who signed is `entitled`; if not, `why`."""
    return (
        "select typed.*, may.user_key is not null as entitled,"
        " case when typed.last_edited_by is null then 'Last edited by is blank'"
        " when staff.row_key is null"
        " then typed.last_edited_by || ' is not a user of the Staff sheet'"
        " when staff.held then 'the row of ' || typed.last_edited_by"
        " || ' in the sheet Staff cannot be used'"
        " when not staff.active then typed.last_edited_by || ' is no longer active'"
        " when roles.row_key is null then 'the role of ' || typed.last_edited_by || ', '"
        " || staff.role || ', is not in the sheet Roles'"
        f" else typed.last_edited_by || ' may not edit {area}' end as why"
        f" from {table} as typed"
        " left join staged.judging_staff as staff"
        "  on canonical(typed.last_edited_by) = staff.row_key"
        " left join staged.judging_roles as roles"
        "  on canonical(staff.role) = roles.row_key"
        f" left join ({entitled(area)}) as may"
        "  on canonical(typed.last_edited_by) = may.user_key"
    )


# Price rows are known by their day too: with another day the same row is a new one.
_DATED = {
    "contract_prices": ("contact_code", "product_code"),
    "price_changes": ("product_code",),
}


def _not_replaced(name: str) -> str:
    """SQL for accepted rows in whose place nobody entitled has signed a new one."""
    if name not in _DATED:
        return "true"
    return f"not exists (select 1 {_signed_instead(name)})"


def _signed_instead(name: str) -> str:
    """SQL from `from` on: the new rows, `fresh`, in whose favour `before` gives way."""
    same = " and ".join(
        f"canonical(fresh.{column}) = canonical(before.{column})"
        for column in _DATED[name]
    )
    return (
        f"from staged.compared_{name} as fresh"
        f" inner join staged.verdicts_{name} as verdict using (row_key)"
        f" where fresh.is_new and verdict.allowed and {same}"
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
        f" where not allowed and typed.is_new and {name not in _LEFT_OUT}",
    ]
    if guarded and name != "patients":
        gone = ", ".join("null" if c == "row_number" else f"before.{c}" for c in names)
        parts.append(
            f"select {gone} from staged.before_{name} as before"
            f" anti join staged.{name} as staged using (row_key)"
            f" where {_not_replaced(name)}"
        )
    connection.execute(
        f"create or replace table input.{name} as"
        f" select * from ({' union all '.join(parts)}){_once(name)}"
    )


def _refusals(
    ledger: Ledger, schema: Schema, sheets: dict[str, Sheet]
) -> list[Problem]:
    """A problem for each change that does not count."""
    name = name_of(schema)
    first = next(column for column in columns(schema) if column.key)
    found = ledger.rows(
        f"select typed.row_number, typed.{first.name} as subject, typed.is_new, why,"
        " typed.last_edited_by"
        f" from staged.compared_{name} as typed"
        f" inner join staged.verdicts_{name} using (row_key)"
        " where not allowed order by typed.row_number"
    )
    known = users_meant(ledger) if found else {}
    problems = [
        _refusal(
            sheets[name].place(row["row_number"], "last_edited_by"), row, name, known
        )
        for row in found
    ]
    if name == "patients" or (name not in sheets and not about(schema)["optional"]):
        return problems  # a sheet that must be there and is not stops the night anyway
    keys = [f"before.{column.name}" for column in columns(schema) if column.key]
    subject = f"concat_ws(' ', {', '.join(keys)})"
    gone = ledger.rows(
        f"select {subject} as subject, row_key from staged.before_{name} as before"
        f" anti join staged.{name} as staged using (row_key)"
        f" where {_not_replaced(name)} order by row_key"
    )
    place = _sheet_place(schema, sheets)
    return problems + [
        Problem(
            Severity.CHECK,
            "row-removed",
            place,
            f"the row of {row['subject']} is no longer here; its last accepted version"
            " stays in force",
            "rows are ended, not deleted",
            f"put the row back{_ENDED_BY[name]}",
            subject=row["subject"],
        )
        for row in gone
    ]


# What says nothing of a row's own cells: such a row may be as it was accepted.
_OF_SEVERAL_CELLS = ("duplicate", "merged")


def _refusals_of_held(
    ledger: Ledger, schema: Schema, sheet: Sheet, told: Sequence[Problem]
) -> list[Problem]:
    """A problem for each held row whose editor would not do once the rest is mended.

    None for a row that is as it was accepted, or whose cells may have moved, nor for a
    Last edited by that is told already.
    """
    held = [p for p in told if p.severity is Severity.HELD]
    here = [p for p in held if p.place.file == sheet.file]
    faulty = {
        problem.place.row
        for problem in here
        if problem.place.sheet == sheet.sheet and problem.code not in _OF_SEVERAL_CELLS
    }
    found = _held_rows(ledger, schema, sorted(row for row in faulty if row))
    known = users_meant(ledger) if found else {}
    # Cells of a row that is held may have moved: in this one may stand a person.
    personal = sheet.table == "patients"
    problems = [
        replace(
            _refusal(
                sheet.place(row["row_number"], "last_edited_by"), row, sheet.table, known,
                "a change of this row would not count",
            ),
            personal=personal,
        )
        for row in found
        if row["row_number"] not in sheet.slid
        and (row["last_edited_by"] or not personal)
        and (row["last_edited_by"] or row["row_number"] not in sheet.bad_rows)
    ]  # fmt: skip
    told_already = {problem.place for problem in here}
    return [problem for problem in problems if problem.place not in told_already]


def _held_rows(
    ledger: Ledger, schema: Schema, faulty: list[int]
) -> list[dict[str, Any]]:
    """The held rows whose editor may not, if they are new, changed or `faulty`.

    A row without a key may be an accepted one that is missing.
    """
    name, area = name_of(schema), str(about(schema)["area"])
    first = next(column for column in columns(schema) if column.key)
    return ledger.rows(
        f"select judged.row_number, judged.{first.name} as subject, why,"
        " judged.last_edited_by, before.row_key is null as is_new"
        f" from ({_judged(f'staged.{name}', area)}) as judged"
        f" left join staged.before_{name} as before using (row_key)"
        " where (judged.held or judged.row_key is null) and not entitled"
        f" and ({_is_changed(schema, 'judged')}"
        "  or judged.row_number in (select unnest(?::integer[])))"
        " and (judged.row_key is not null or not exists (select 1"
        f"  from staged.before_{name} anti join staged.{name} using (row_key)))"
        " order by judged.row_number",
        [faulty],
    )


# How a row of a guarded sheet is ended; a tax code no product names does no harm.
_ENDED_BY = {
    "settings": " and give it the value that is wanted",
    "tax_codes": "",
    "products": " and set Active to No",
    "contract_prices": " and give it a Valid to",
    "price_changes": ", or sign a row of the same day with the price that is wanted",
}


def _sheet_place(schema: Schema, sheets: dict[str, Sheet]) -> Place:
    sheet = sheets.get(name_of(schema))
    if sheet:
        return Place(sheet.file, sheet.sheet)
    return Place(f"{about(schema)['file']}.xlsx", title_of(schema))


def _refusal(
    place: Place,
    row: dict[str, object],
    name: str,
    known: dict[str, str],
    otherwise: str = "the last accepted version stays in force",
) -> Problem:
    """Why a row does not count, and what follows: `otherwise` where it is not new."""
    editor = str(row["last_edited_by"] or "")
    stranger = str(row["why"]).endswith("is not a user of the Staff sheet")
    consequence = "the row is not used yet" if row["is_new"] else otherwise
    return Problem(
        Severity.HELD if row["is_new"] and name not in _LEFT_OUT else Severity.CHECK,
        "change-refused",
        place,
        f"{row['why']}, so {consequence}",
        "the user name of somebody who may edit this sheet",
        "have the row checked by somebody who may edit it, with their user name here"
        + (meant(editor, known) if stranger else ""),
        subject=str(row["subject"] or ""),
    )


def _changes(ledger: Ledger, schema: Schema) -> list[Change]:
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
        f" where typed.{column} is distinct from before.{column}"
        for order, column in enumerate(titles)
        if column in content(schema)
    ]
    gone = ", ".join(f"before.{key}" for key in keys)
    # In whose place somebody entitled has signed a new one, is out of force as intended.
    gave_way = "true" if name in PEOPLE else f"not ({_not_replaced(name)})"
    signed_by = (
        f"(select max(fresh.last_edited_by) {_signed_instead(name)})"
        if name in _DATED
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


def may(ledger: Ledger, user: str, area: str) -> bool:
    """Whether a user may Edit an area, by the last accepted Staff and Roles."""
    return bool(
        ledger.value(
            "select count(*) from"
            f" ({current('ledger.accepted.staff', 'row_key')}) as staff"
            f" inner join ({current('ledger.accepted.roles', 'row_key')}) as roles"
            " on canonical(staff.role) = roles.row_key"
            f" where staff.active and staff.row_key = canonical(?) and roles.{area} = 'Edit'",
            [user],
        )
    )


def users(ledger: Ledger) -> Sequence[str]:
    """The users of the last accepted Staff sheet."""
    in_force = current("ledger.accepted.staff", "row_key")
    return [row["user"] for row in ledger.rows(f'select "user" from ({in_force})')]
