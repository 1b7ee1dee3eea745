"""What `membill init` is told of a new practice, judged as the sheets' cells are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as arrow

from pipeline.cells import parse
from pipeline.exports.templates import Filled, first_rows
from pipeline.frames import for_pandera
from pipeline.ingest import within
from pipeline.problems import Severity
from schemas import Practice
from schemas.arrow_types import ARROW
from schemas.columns import Column, Schema, columns
from schemas.frames import frame_schema
from schemas.inputs import Staff
from schemas.lean_pandera import pa


class WrongAnswer(Exception):
    """An answer that the sheets would not accept, and what to give instead."""


@dataclass(frozen=True)
class Question:
    """One thing to be told: its option, what is asked on a terminal, where it goes."""

    option: str
    asked: str
    schema: Schema
    column: Column


def _question(option: str, asked: str, schema: Schema, name: str) -> Question:
    column = next(column for column in columns(schema) if column.name == name)
    return Question(option, asked, schema, column)


QUESTIONS = (
    _question("practice_name", "Name of the practice", Practice, "practice_name"),
    _question(
        "bill_from", "Bill from: no period that starts before it is billed",
        Practice, "bill_from",
    ),
    _question(
        "first_number", "First invoice number", Practice, "first_invoice_number"
    ),
    _question(
        "auto_invoice", "Bill memberships by itself every night (Yes or No)",
        Practice, "auto_invoice",
    ),
    _question(
        "manager", "First manager: the short name for Last edited by", Staff, "user"
    ),
    _question("manager_name", "The manager's full name", Staff, "name"),
)  # fmt: skip


def understood(question: Question, text: str) -> Any:
    """What an answer means by the rules of its cell; None for a blank one.

    Raises WrongAnswer where a night would not accept it.
    """
    column = question.column
    parsed = parse(text, column)
    fault = parsed.fault
    if fault and (parsed.value is None or fault.severity is Severity.HELD):
        raise WrongAnswer(f"{fault.found}; {fault.repair}")
    if parsed.value is None:
        return None
    frame = for_pandera({column.name: arrow.array([parsed.value], ARROW[column.type])})
    try:
        frame_schema(question.schema).columns[column.name].validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        check = errors.failure_cases["check"].iloc[0]
        found = f"{text} cannot be used"
        raise WrongAnswer(f"{found}; write {within(check, column)}") from None
    return parsed.value


def ask_for_missing(
    told: Mapping[str, Any],
    today: date,
    ask: Callable[[Question, str | None], Any],
) -> dict[str, Any]:
    """The answers with those that are missing asked for.

    `ask` is given a question and the answer to suggest, "" where it may stay blank and
    None where it may not, and returns what was understood. Whoever names no manager is
    not asked for a name.
    """
    following = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    suggested = {
        "bill_from": following.isoformat(), "first_number": "1", "auto_invoice": "Yes",
        "manager_name": None,
    }  # fmt: skip
    answers = dict(told)
    for question in QUESTIONS:
        option = question.option
        if option == "manager_name" and answers.get("manager") is None:
            continue
        if answers.get(option) is None:
            answers[option] = ask(question, suggested.get(option, ""))
    return answers


def first_rows_of(answers: Mapping[str, Any]) -> dict[str, Filled]:
    """The rows a new practice begins with; signed where there is a manager.

    Raises WrongAnswer for a manager without a name, or a name without a manager.
    """
    user, name = answers.get("manager"), answers.get("manager_name")
    if (user is None) != (name is None):
        raise WrongAnswer("--manager and --manager-name belong together; give both")
    by_title = {q.column.title: _typed(answers.get(q.option)) for q in QUESTIONS}
    begun = first_rows()
    settings = [
        (title, default if by_title.get(title) is None else by_title[title])
        for title, default, _ in begun["settings"].rows
    ]
    signed = user is not None
    tax_codes = [row[:-1] for row in begun["tax_codes"].rows]
    return begun | {
        "settings": Filled([(*row, user) for row in settings], signed=signed),
        "tax_codes": Filled([(*row, user) for row in tax_codes], signed=signed),
        "staff": Filled([(user, name, "Manager", "Yes")] if signed else []),
    }


def _typed(value: Any) -> Any:
    """A value as the office would type it."""
    return ("Yes" if value else "No") if isinstance(value, bool) else value
