"""How a column says what it is: type, heading, meaning, check and repair, in one place.

Every table of the program is a pandera class.
What pandera has no word for (how a spreadsheet cell becomes a value, what the office
should type instead) travels in the field's metadata, written by `column`.
Readers, DuckDB tables, documentation and templates are derived from it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as arrow

from schemas.lean_pandera import pa

Text = pd.ArrowDtype(arrow.string())
Date = pd.ArrowDtype(arrow.date32())
Money = pd.ArrowDtype(arrow.decimal128(14, 2))
Rate = pd.ArrowDtype(arrow.decimal128(5, 2))
Whole = pd.ArrowDtype(arrow.int32())
Flag = pd.ArrowDtype(arrow.bool_())

SQL_TYPES: dict[pd.ArrowDtype, str] = {
    Text: "varchar",
    Date: "date",
    Money: "decimal(14, 2)",
    Rate: "decimal(5, 2)",
    Whole: "integer",
    Flag: "boolean",
}

# What a cell of each kind should look like, for messages and documentation.
KINDS: dict[str, tuple[pd.ArrowDtype, str]] = {
    "text": (Text, "text"),
    "answer": (Text, "text, or what the setting beside it asks for"),
    "reference": (Text, "a number or code of theirs, typed as text"),
    "code": (Text, "a code of letters, digits, - _ . or /, such as GOLD"),
    "date": (Date, "a date, such as 04/03/2026 in a date cell or 2026-03-04"),
    "money": (Money, "an amount in pounds with at most two decimals, such as 49.99"),
    "percent": (Rate, "a percentage between 0 and 100, such as 20"),
    "whole": (Whole, "a whole number, such as 14"),
    "yesno": (Flag, "Yes or No"),
    "choice": (Text, "one of the words offered"),
    "email": (Text, "one e-mail address, such as name@example.org"),
    "phone": (Text, "a telephone number, typed as text"),
    "postcode": (Text, "a UK postcode, such as AB1 2CD"),
}


@dataclass(frozen=True)
class Column:
    """What one column of an input table is, as the rest of the program asks for it."""

    name: str
    title: str
    kind: str
    meaning: str
    required: bool
    key: bool
    refers_to: str
    choices: Mapping[str, tuple[str, ...]]
    expected: str
    example: str
    personal: bool
    loaded: bool
    default: str
    warn_only: bool
    dtype: pd.ArrowDtype
    offers: tuple[str, ...] = ()

    @property
    def may_name_a_person(self) -> bool:
        """Whether a value that is wrong may be somebody's name, typed for an id."""
        return self.personal or self.name in ("bill_to", "patient_id")


@dataclass(frozen=True)
class RowRule:
    """A promise about a whole row: where its message points and what it says.

    `fills`: it asks for a value of `column`, which no row has where there is no column.
    """

    code: str
    column: str
    found: str
    expected: str
    repair: str
    fills: bool


ROW_RULES: dict[str, RowRule] = {}


def column(
    title: str,
    kind: str,
    meaning: str,
    *,
    required: bool = False,
    key: bool = False,
    refers_to: str = "",
    choices: Mapping[str, tuple[str, ...]] | None = None,
    expected: str = "",
    example: str = "",
    personal: bool = False,
    loaded: bool = True,
    default: str = "",
    warn_only: bool = False,
    may_be_blank: bool = False,
    offers: tuple[str, ...] = (),
    **checks: Any,
) -> Any:
    """A pandera field with its heading, meaning and cell kind.

    `kind` is a key of `KINDS`; `choices` maps each word to the synonyms accepted for it;
    `refers_to` is "table.column"; `personal` values are kept out of terminal and logs;
    `loaded=False` names a column that is known but never read;
    `warn_only` means a value that cannot be used is reported and left blank
    instead of holding its row; `default` is a setting's value when it is not given;
    `may_be_blank` is a required column whose blank cell another rule judges;
    `offers` are words to choose from where any other may be typed as well.
    """
    if choices and not expected:
        expected = " or ".join(choices)
    return pa.Field(
        title=title,
        description=meaning,
        nullable=not required or may_be_blank,
        metadata={
            "kind": kind,
            "required": required,
            "key": key,
            "refers_to": refers_to,
            "choices": choices or {},
            "expected": expected or KINDS[kind][1],
            "example": example,
            "personal": personal,
            "loaded": loaded,
            "default": default,
            "warn_only": warn_only,
            "offers": offers,
        },
        **checks,
    )


def row_rule(
    code: str,
    column: str,
    *,
    found: str,
    expected: str,
    repair: str,
    fills: bool = False,
) -> Callable[[Any], Any]:
    """A check over whole rows, reported once, at `column`.

    `found` may name columns of the row in braces: "{end_date} is before {start_date}".
    The decorated method takes the frame and returns one truth value per row;
    rows it cannot judge (a blank cell) count as kept.
    """
    ROW_RULES[code] = RowRule(code, column, found, expected, repair, fills)

    def decorate(check: Any) -> Any:
        def judge(cls: Any, frame: pd.DataFrame) -> pd.Series:
            return check(cls, frame).astype("boolean").fillna(True).astype(bool)

        judge.__name__ = check.__name__
        judge.__doc__ = check.__doc__
        # No row is blank throughout, which pandera would look for in every column.
        return pa.dataframe_check(error=code, ignore_na=False)(judge)

    return decorate


class Table(pa.DataFrameModel):
    """Any table: columns are those named, no more, of exactly the type named."""

    class Config:
        strict = True
        coerce = False
        unique_column_names = True


class InputTable(Table):
    """A sheet the office keeps: its columns and where each row stood."""

    row_number: Whole = pa.Field(
        nullable=True,
        description="the row in the sheet; blank for a row kept from an earlier night",
    )
    held: Flag = pa.Field(
        nullable=False, description="the row has a problem and cannot be used"
    )
    row_key: Text = pa.Field(
        nullable=True, description="the row's key as two spellings of it compare"
    )

    @row_rule(
        "duplicate", "row_key",
        found="the same key stands in more than one row",
        expected="one row for each",
        repair="keep the right row and delete the others, or give each its own",
    )  # fmt: skip
    def keys_stand_once(cls, frame: pd.DataFrame) -> pd.Series:
        return frame["row_key"].isna() | ~frame["row_key"].duplicated(keep=False)


Schema = type[Table]


def columns(schema: Schema) -> Iterator[Column]:
    """The columns of an input table that a sheet has, in the order of the class."""
    for name, field in schema.to_schema().columns.items():
        if field.metadata and "kind" in field.metadata:
            dtype = field.dtype.type
            yield Column(
                name=name,
                title=field.title,
                meaning=field.description,
                dtype=dtype,
                **field.metadata,
            )


def column_types(schema: Schema) -> dict[str, str]:
    """Column name to DuckDB type, in the order of the class."""
    return {
        name: SQL_TYPES[field.dtype.type]
        for name, field in schema.to_schema().columns.items()
    }


@cache
def rules_of(
    schema: Schema, filled: frozenset[str] = frozenset()
) -> pa.DataFrameSchema:
    """What a frame of a schema's own columns and types may still break.

    Left out are the columns that cannot break anything, since pandera takes as long for
    them as for any other: those without a check that may be blank, or that are `filled`
    in every row.
    """
    whole = schema.to_schema()
    free = [
        name
        for name, field in whole.columns.items()
        if (field.nullable or name in filled) and not field.checks and not field.unique
    ]
    rules = whole.remove_columns(free)
    rules.strict = False
    return rules


def name_of(schema: Schema) -> str:
    """The table's name in SQL."""
    return str(schema.to_schema().name)


def title_of(schema: Schema) -> str:
    """What the sheet is called in its workbook."""
    return str(schema.to_schema().title)


def about(schema: Schema) -> dict[str, Any]:
    """What the class says of its table as a whole (file, area, whether it may be absent)."""
    return dict(getattr(schema.Config, "metadata", None) or {})


def one_row_is(schema: Schema) -> str:
    """The first line of the class's docstring: what one row is."""
    return (schema.__doc__ or "").strip().splitlines()[0]
