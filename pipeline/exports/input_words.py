"""What the office is told of a sheet, a column or a setting, from the schemas alone."""

import re

from schemas import INPUTS
from schemas.columns import (
    ROW_RULES,
    Column,
    Schema,
    about,
    columns,
    name_of,
    one_row_is,
    title_of,
)

TITLES = {
    "settings": "Settings of the practice",
    "products": "Products and prices",
    "patients": "Patients and memberships",
    "sent_log": "Invoices sent by hand",
    "invoice_requests": "Products put on invoices by hand",
}


def sheets_of(file: str) -> list[Schema]:
    """The sheets of a workbook, in the order they are read."""
    return [schema for schema in INPUTS if about(schema)["file"] == file]


def one_row(schema: Schema) -> str:
    """What one row is, as a sentence, and whether the sheet may be absent."""
    optional = " The sheet is optional." if about(schema)["optional"] else ""
    return one_row_is(schema) + optional


def csv_name(schema: Schema) -> str:
    """The CSV file that may stand in for the sheet."""
    return f"{name_of(schema)}.csv"


def held_when(schema: Schema) -> list[str]:
    """What must not be true of a row, beside what is wrong in one cell of it."""
    listed = list(columns(schema))
    keys = " and ".join(column.title for column in listed if column.key)
    rules = [ROW_RULES[check.code] for check in schema.rules]
    found = [rule.found for rule in rules if keys or rule.column != "row_key"]
    # A value that stands beside its title is left out; elsewhere the title stands in.
    named = [re.sub(r", \{\w+\}(,|$)", "", text) for text in found]
    titles = {column.name: column.title for column in listed}
    told = [text.replace("same key", f"same {keys}").format(**titles) for text in named]
    return told + list(about(schema).get("holds", ()))


def must_be_filled(column: Column) -> bool:
    """Whether a blank cell is a mistake: a setting with a default may be blank."""
    return column.required and not column.default


def required(column: Column) -> str:
    """Whether the column must be filled in, and what a blank stands for if not."""
    if must_be_filled(column):
        return "Required"
    return f"Blank means {column.default}" if column.default else ""


def meaning(column: Column) -> str:
    """What the column means."""
    return sentence(column.meaning)


def meaning_and_choices(column: Column) -> str:
    """What the column means, and the words it offers where they are not yet named."""
    if all(word in column.meaning for word in column.choices):
        return meaning(column)
    return f"{meaning(column)} ({column.expected})"


def sentence(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


# Columns that hold a user, who is judged by his rights and not by being listed.
_USERS = ("last_edited_by", "sent_by", "requested_by")


def offered_from(column: Column) -> str:
    """The "table.column" whose cells a column may name; "" where there is none."""
    return "staff.user" if column.name in _USERS else column.refers_to


def elsewhere(column: Column, file: str) -> str:
    """Where to look codes up that another workbook holds: Excel cannot offer those."""
    table = offered_from(column).partition(".")[0]
    if not table or table in map(name_of, sheets_of(file)):
        return ""
    schema = next(schema for schema in INPUTS if name_of(schema) == table)
    return f"Look it up in {about(schema)['file']}.xlsx, sheet {title_of(schema)}."


def prompt(column: Column, file: str) -> str:
    """What a cell of a workbook ("patients") says when it is selected.

    No longer than Excel shows.
    """
    must = required(column)
    example = f"Example: {column.example}" if column.example else ""
    parts = (
        f"{must}." if must else "", f"{meaning_and_choices(column)}.",
        elsewhere(column, file), example,
    )  # fmt: skip
    return " ".join(part for part in parts if part)[:255]
