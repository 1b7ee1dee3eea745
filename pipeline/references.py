"""Codes that name a row of another sheet: found there, spelled as there, or held."""

from dataclasses import dataclass
from difflib import get_close_matches

from pipeline.cells import canonical
from pipeline.ledger import Ledger
from pipeline.problems import Problem, Severity
from pipeline.workbooks import Sheet
from schemas.columns import Column, Schema, columns, name_of, title_of
from schemas.inputs import INPUTS


@dataclass(frozen=True)
class _Target:
    """The codes of the sheet that is named: canonical form to spelling."""

    title: str
    codes: dict[str, str]


def resolve(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """Give every code of `input.*` the spelling of the row it names.

    A row that names what is not there is marked held and reported.
    """
    problems: list[Problem] = []
    for schema in INPUTS:
        for column in columns(schema):
            if column.refers_to:
                target = _target(ledger, column)
                problems += _resolve_column(ledger, sheets, schema, column, target)
    return problems


def _target(ledger: Ledger, column: Column) -> _Target:
    table, field = column.refers_to.split(".")
    title = next(title_of(s) for s in INPUTS if name_of(s) == table)
    rows = ledger.rows(
        f"select distinct {field} as code from input.{table} where {field} is not null"
    )
    return _Target(title, {canonical(row["code"]): row["code"] for row in rows})


def _resolve_column(
    ledger: Ledger,
    sheets: dict[str, Sheet],
    schema: Schema,
    column: Column,
    target: _Target,
) -> list[Problem]:
    name = name_of(schema)
    used = ledger.rows(
        f"select distinct {column.name} as code from input.{name}"
        f" where {column.name} is not null"
    )
    problems = []
    for code in sorted(row["code"] for row in used):
        spelled = target.codes.get(canonical(code))
        if spelled is None:
            problems += _unknown(ledger, sheets, schema, column, target, code)
        elif spelled != code:
            ledger.connection.execute(
                f"update input.{name} set {column.name} = ? where {column.name} = ?",
                [spelled, code],
            )
    return problems


def _unknown(
    ledger: Ledger,
    sheets: dict[str, Sheet],
    schema: Schema,
    column: Column,
    target: _Target,
    code: str,
) -> list[Problem]:
    """Hold each row that names the unknown code."""
    name = name_of(schema)
    key = next((c.name for c in columns(schema) if c.key), column.name)
    rows = ledger.rows(
        f"select row_number, {key} as subject from input.{name}"
        f" where {column.name} = ? and row_number is not null order by row_number",
        [code],
    )
    ledger.connection.execute(
        f"update input.{name} set held = true where {column.name} = ?", [code]
    )
    if name not in sheets:
        return []  # last accepted rows, for comparison: told when they were read
    near = get_close_matches(canonical(code), list(target.codes), n=1, cutoff=0.6)
    hint = f"; did you mean {target.codes[near[0]]}?" if near else ""
    return [
        Problem(
            Severity.HELD,
            "unknown-code",
            sheets[name].place(row["row_number"], column.name),
            f"{code} is not in the sheet {target.title}",
            f"a code of the sheet {target.title}",
            f"write a code of the sheet {target.title}, or add it there{hint}",
            subject=row["subject"] or "",
            personal=column.may_name_a_person,
        )
        for row in rows
    ]
