"""Codes that name a row of another sheet: found there, spelled as there, or held."""

from collections.abc import Collection
from difflib import get_close_matches

from pipeline.cells.spelling import canonical, is_remark
from pipeline.ledger import Ledger
from pipeline.problems import Problem, Severity
from pipeline.workbooks import Sheet
from schemas.columns import Column, Schema, columns, name_of, title_of
from schemas.inputs import INPUTS


def resolve(
    ledger: Ledger, sheets: dict[str, Sheet], unusable: Collection[str] = ()
) -> list[Problem]:
    """Give every code of `input.*` the spelling of the row it names.

    A row that names what is not there is marked held and reported. What stands in sheets
    that are `unusable` nobody can say: they stop the night, and codes of theirs are left.
    """
    problems: list[Problem] = []
    filled = _filled(ledger)
    for schema in INPUTS:
        for column in columns(schema):
            named = column.refers_to.split(".")[0]
            if named and named not in unusable and name_of(schema) in filled:
                problems += _resolve_column(ledger, sheets, schema, column)
    return problems


def _filled(ledger: Ledger) -> set[str]:
    """The inputs that have a row at all: many a practice leaves most of them empty."""
    each = " union all ".join(
        f"select '{name}' as name, exists (from input.{name}) as has_rows"
        for name in map(name_of, INPUTS)
    )
    return {row["name"] for row in ledger.rows(each) if row["has_rows"]}


def _resolve_column(
    ledger: Ledger, sheets: dict[str, Sheet], schema: Schema, column: Column
) -> list[Problem]:
    name, (table, field) = name_of(schema), column.refers_to.split(".")
    # Codes are plain ASCII: SQL, too, knows how two spellings of one compare.
    key = "tonight.main.canonical({})".format
    differing = ledger.rows(
        f"select used.code, target.spelled from (select distinct {column.name} as code"
        f"  from input.{name} where {column.name} is not null) as used"
        f" left join (select {key(field)} as row_key, max({field}) as spelled"
        f"  from input.{table} where {field} is not null group by all) as target"
        f" on {key('used.code')} = target.row_key"
        " where target.spelled is distinct from used.code order by used.code"
    )
    known = {row["code"]: row["spelled"] for row in differing if row["spelled"]}
    if known:
        ledger.connection.execute(
            f"update input.{name} set {column.name} = known.spelled"
            " from (select unnest(?) as code, unnest(?) as spelled) as known"
            f" where {column.name} = known.code",
            [list(known), list(known.values())],
        )
    unknown = [row["code"] for row in differing if not row["spelled"]]
    return _unknown(ledger, sheets, schema, column, unknown) if unknown else []


def _unknown(
    ledger: Ledger,
    sheets: dict[str, Sheet],
    schema: Schema,
    column: Column,
    codes: list[str],
) -> list[Problem]:
    """Hold each row that names an unknown code."""
    name = name_of(schema)
    key = next((c.name for c in columns(schema) if c.key), column.name)
    rows = ledger.rows(
        f"select row_number, {key} as subject, {column.name} as code from input.{name}"
        f" where {column.name} in (select unnest(?)) and row_number is not null"
        f" order by {column.name}, row_number",
        [codes],
    )
    ledger.connection.execute(
        f"update input.{name} set held = true"
        f" where {column.name} in (select unnest(?))",
        [codes],
    )
    if name not in sheets:
        return []  # last accepted rows, for comparison: told when they were read
    title, hints = _hints(ledger, column, codes)
    noun = "Patient ID" if column.name == "patient_id" else "code"
    wanted = f"a {noun} of the sheet {title}"
    return [
        Problem(
            Severity.HELD,
            "unknown-code",
            sheets[name].place(row["row_number"], column.name),
            f"{row['code']} is not in the sheet {title}"
            + ", so that nobody is billed this price" * (name == "price_changes"),
            wanted,
            f"write {wanted}, or add it there{hints[row['code']]}",
            subject=row["subject"] or "",
            personal=column.may_name_a_person or is_remark(row["code"]),
        )
        for row in rows
        if row["row_number"] not in sheets[name].slid
    ]


def _hints(
    ledger: Ledger, column: Column, codes: list[str]
) -> tuple[str, dict[str, str]]:
    """The title of the sheet that is named, and what each unknown code may mean."""
    table, field = column.refers_to.split(".")
    title = next(title_of(s) for s in INPUTS if name_of(s) == table)
    # A name is often typed in place of the code beside it.
    name = "name" if field == "code" else field
    if table == "patients":
        # Whoever has the nearest id is somebody else, and would get the bill.
        return title, dict.fromkeys(codes, "")
    there = ledger.rows(
        f"select distinct {field} as code, {name} as name from input.{table}"
        f" where {field} is not null order by all"
    )
    known = {canonical(row["name"]): row["code"] for row in there if row["name"]}
    known |= {canonical(row["code"]): row["code"] for row in there}
    near = {
        code: get_close_matches(canonical(code), list(known), n=1, cutoff=0.6)
        for code in codes
    }
    return title, {
        code: f"; did you mean {known[found[0]]}?" if found else ""
        for code, found in near.items()
    }
