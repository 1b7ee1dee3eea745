"""What is told of changes that do not count, and of those that would not."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipeline.judging.meant import meant
from pipeline.judging.meant import users as users_meant
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity
from pipeline.rights.judged import LEFT_OUT, is_changed, judged, not_replaced
from pipeline.workbooks import Sheet
from schemas.columns import Schema, about, columns, name_of, title_of


def refusals(ledger: Ledger, schema: Schema, sheets: dict[str, Sheet]) -> list[Problem]:
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
        f" where {not_replaced(name)} order by row_key"
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


def refusals_of_held(
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


def refusals_of_overruled(
    ledger: Ledger, sheet: Sheet, rows: Sequence[dict[str, Any]]
) -> list[Problem]:
    """A problem for each row that cannot be used and would not count either."""
    known = users_meant(ledger) if rows else {}
    return [
        replace(
            _refusal(
                sheet.place(row["row_number"], "last_edited_by"),
                row | {"is_new": not row["is_known"]},
                sheet.table,
                known,
            ),
            severity=Severity.CHECK,
            personal=sheet.table == "patients",
        )
        for row in rows
        if row["is_idle"]
    ]


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
        f" from ({judged(f'staged.{name}', area)}) as judged"
        f" left join staged.before_{name} as before using (row_key)"
        " where (judged.held or judged.row_key is null) and not entitled"
        f" and ({is_changed(schema, 'judged')}"
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
        Severity.HELD if row["is_new"] and name not in LEFT_OUT else Severity.CHECK,
        "change-refused",
        place,
        f"{row['why']}, so {consequence}",
        "the user name of somebody who may edit this sheet",
        "have the row checked by somebody who may edit it, with their user name here"
        + (meant(editor, known) if stranger else ""),
        subject=str(row["subject"] or ""),
    )
