"""How a column says what it is: type, heading, meaning, check and repair, in one place.

Every table of the program is a class that lists its columns. Readers, DuckDB tables,
documentation and templates are derived from it, and the pandera schema that a frame is
held to: `schemas.frames` makes that when the first frame is judged, since most commands
judge none and would wait longer for pandera than for all they do.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Type:
    """What the values of a column are, as DuckDB calls it."""

    sql: str


Text = Type("varchar")
Date = Type("date")
Money = Type("decimal(14, 2)")
Rate = Type("decimal(5, 2)")
Whole = Type("integer")
Flag = Type("boolean")

# What a cell of each kind should look like, for messages and documentation.
KINDS: dict[str, tuple[Type, str]] = {
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
class Field:
    """What any table promises of one column.

    `checks` are named as pandera names them, each with what it is given, such as
    {"ge": 0}. `of_sheet` is what a column of a sheet says beside that.
    """

    type: Type = Text
    nullable: bool = False
    unique: bool = False
    meaning: str = ""
    checks: Mapping[str, Any] = field(default_factory=dict)
    of_sheet: Mapping[str, Any] = field(default_factory=dict)


def promised(
    meaning: str = "", *, nullable: bool = False, unique: bool = False, **checks: Any
) -> Any:
    """A column with more to say than its type: it may be blank, or what it must be."""
    return Field(nullable=nullable, unique=unique, meaning=meaning, checks=checks)


def blank(meaning: str = "") -> Any:
    """A column that may be empty."""
    return promised(meaning, nullable=True)


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
    type: Type
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
    """A column of a sheet, with its heading, meaning and cell kind.

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
    return Field(
        nullable=not required or may_be_blank,
        meaning=meaning,
        checks=checks,
        of_sheet={
            "title": title,
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
    )


def row_rule(
    code: str,
    column: str,
    *,
    found: str,
    expected: str,
    repair: str,
    fills: bool = False,
) -> Callable[[Callable[[Any, "pd.DataFrame"], "pd.Series"]], "RowCheck"]:
    """A check over whole rows, reported once, at `column`.

    `found` may name columns of the row in braces: "{end_date} is before {start_date}".
    The decorated method takes the frame and returns one truth value per row;
    rows it cannot judge (a blank cell) count as kept.
    """
    ROW_RULES[code] = RowRule(code, column, found, expected, repair, fills)

    def decorate(check: Callable[[Any, "pd.DataFrame"], "pd.Series"]) -> RowCheck:
        return RowCheck(code, check)

    return decorate


@dataclass(frozen=True)
class RowCheck:
    """A row rule as a class holds it: its code, and the method that judges a frame."""

    code: str
    judge: Callable[[Any, "pd.DataFrame"], "pd.Series"]


class _Declared(type):
    """A class of columns is a key as any class is, which mypy believes of no plain one."""

    __hash__ = type.__hash__


class Table(metaclass=_Declared):
    """Any table: columns are those named, no more, of exactly the type named.

    `fields` are all of them by name, those of the class it comes from first; `rules` what
    is promised of whole rows, its own first. `Config` says what the table is called, and
    in `unique` which columns together stand once.
    """

    fields: ClassVar[Mapping[str, Field]] = {}
    rules: ClassVar[tuple[RowCheck, ...]] = ()

    class Config:
        name = ""

    def __init_subclass__(cls) -> None:
        own = {
            name: replace(getattr(cls, name, Field()), type=kind)
            for name, kind in get_annotations(cls).items()
        }
        cls.fields = {**cls.fields, **own}
        checks = [made for made in vars(cls).values() if isinstance(made, RowCheck)]
        cls.rules = (*checks, *cls.rules)


class InputTable(Table):
    """A sheet the office keeps: its columns and where each row stood."""

    row_number: Whole = blank(
        "the row in the sheet; blank for a row kept from an earlier night"
    )
    held: Flag = promised("the row has a problem and cannot be used")
    row_key: Text = blank("the row's key as two spellings of it compare")

    @row_rule(
        "duplicate", "row_key",
        found="the same key stands in more than one row",
        expected="one row for each",
        repair="keep the right row and delete the others, or give each its own",
    )  # fmt: skip
    def keys_stand_once(cls, frame: "pd.DataFrame") -> "pd.Series":
        return frame["row_key"].isna() | ~frame["row_key"].duplicated(keep=False)


Schema = type[Table]


def columns(schema: Schema) -> Iterator[Column]:
    """The columns of an input table that a sheet has, in the order of the class."""
    for name, told in schema.fields.items():
        if told.of_sheet:
            yield Column(
                name=name, meaning=told.meaning, type=told.type, **told.of_sheet
            )


def column_types(schema: Schema) -> dict[str, str]:
    """Column name to DuckDB type, in the order of the class."""
    return {name: told.type.sql for name, told in schema.fields.items()}


def name_of(schema: Schema) -> str:
    """The table's name in SQL."""
    return schema.Config.name


def title_of(schema: Schema) -> str:
    """What the sheet is called in its workbook."""
    return str(getattr(schema.Config, "title", None))


def about(schema: Schema) -> dict[str, Any]:
    """What the class says of its table as a whole (file, area, whether it may be absent)."""
    return dict(getattr(schema.Config, "metadata", None) or {})


def one_row_is(schema: Schema) -> str:
    """The first line of the class's docstring: what one row is."""
    return (schema.__doc__ or "").strip().splitlines()[0]
