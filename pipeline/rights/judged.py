"""SQL of rows beside their last accepted versions, and of who signed them."""

from schemas.columns import Schema, column_types, columns, name_of

_HOUSEKEEPING = ("row_number", "held", "row_key", "last_edited_by")
SHOWN = (
    "settings", "tax_codes", "products", "price_changes", "contract_prices", "patients",
)  # fmt: skip
PEOPLE = ("staff", "roles")
# Rows of these may be taken out of their sheet.
MAY_GO = (*PEOPLE, "patients")
# A new row of these that does not count is as if it were not there: to hold members by
# it would be an effect too. Of other sheets it stays, held, for those who name it.
LEFT_OUT = ("settings", "contract_prices", "price_changes")


def content(schema: Schema) -> list[str]:
    """The columns whose change is a change of the row."""
    return [name for name in column_types(schema) if name not in _HOUSEKEEPING]


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


# Rows that share a key are all held; one stands for them, so that joins stay single. But
# every patient is on the roster, and each price might answer where another does not.
_EACH = ("patients", "contract_prices", "price_changes")
ONCE = (
    " qualify row_number() over (partition by coalesce(row_key, 'row ' || row_number)"
    " order by held desc, row_number) = 1"
)


def once(name: str) -> str:
    """SQL that leaves one row of each key, where a sheet is read so."""
    return "" if name in _EACH else ONCE


def usable(schema: Schema, shown: str = "1") -> str:
    """SQL for each usable row, `staged`, beside its last accepted version, `before`."""
    name = name_of(schema)
    return (
        f"select {shown} from staged.{name} as staged"
        f" left join staged.before_{name} as before using (row_key)"
        " where not staged.held and staged.row_key is not null"
    )


def is_changed(schema: Schema, row: str = "staged") -> str:
    """SQL for whether a row is new or differs from `before`."""
    any_of_them = " or ".join(
        differs(schema, column, row) for column in content(schema)
    )
    return f"(before.row_key is null or {any_of_them})"


def differs(schema: Schema, column: str, row: str = "staged") -> str:
    """SQL for whether a cell differs from that of `before`.

    A code that names a row of another sheet was accepted in the spelling of that row; as
    it is typed it may be another, and is no change.
    """
    here, there = f"{row}.{column}", f"before.{column}"
    if any(found.refers_to for found in columns(schema) if found.name == column):
        here, there = f"canonical({here})", f"canonical({there})"
    return f"{here} is distinct from {there}"


def judged(table: str, area: str) -> str:
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
DATED = {
    "contract_prices": ("contact_code", "product_code"),
    "price_changes": ("product_code",),
}


def not_replaced(name: str) -> str:
    """SQL for accepted rows in whose place nobody entitled has signed a new one."""
    if name not in DATED:
        return "true"
    return f"not exists (select 1 {signed_instead(name)})"


def signed_instead(name: str) -> str:
    """SQL from `from` on: the new rows, `fresh`, in whose favour `before` gives way."""
    same = " and ".join(
        f"canonical(fresh.{column}) = canonical(before.{column})"
        for column in DATED[name]
    )
    return (
        f"from staged.compared_{name} as fresh"
        f" inner join staged.verdicts_{name} as verdict using (row_key)"
        f" where fresh.is_new and verdict.allowed and {same}"
    )
