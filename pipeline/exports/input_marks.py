"""What a sheet shows the moment it is typed: cells still blank, cells that cannot be.

A mark is a fill, bold letters and a frame, so that none says anything by colour alone.
"""

import re
from collections.abc import Iterator, Sequence
from string import Formatter

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from pipeline.exports.input_sheets import InputBook
from pipeline.exports.input_words import (
    must_be_filled,
    offered_from,
    sheets_of,
)
from schemas.columns import ROW_RULES, Column, Schema, columns, name_of, title_of

_FRAME = {"bold": True, "border": 1, "font_color": "#6B1A14"}
MISSING = _FRAME | {"bg_color": "#FBE3B5", "border_color": "#8A5A00"}
WRONG = _FRAME | {"bg_color": "#F6C7C3", "border_color": "#6B1A14"}

# The promises over whole rows of `schemas/inputs.py` as a spreadsheet asks them: which
# look a broken one has, and the formula, with the row's cells by their column in braces.
ROW_MARKS = {
    "active-without-membership": (
        MISSING, 'AND({membership_active}="Yes",{membership}="")',
    ),
    "active-without-start": (
        MISSING, 'AND({membership_active}="Yes",{start_date}="")',
    ),
    "ends-before-it-starts": (
        WRONG,
        "AND(ISNUMBER({end_date}),ISNUMBER({start_date}),{end_date}<{start_date})",
    ),
    "contract-ends-before-it-starts": (
        WRONG,
        "AND(ISNUMBER({valid_to}),ISNUMBER({valid_from}),{valid_to}<{valid_from})",
    ),
    "membership-without-price": (
        MISSING, 'AND({type}="Membership",{monthly_price}="",{annual_price}="")',
    ),
    "product-without-price": (
        MISSING, 'AND({type}<>"",{type}<>"Membership",{price}="")',
    ),
    "contract-without-price": (
        MISSING, 'AND({product_code}<>"",{monthly_price}&{annual_price}&{price}="")',
    ),
    "price-change-without-price": (
        MISSING, 'AND({product_code}<>"",{monthly_price}&{annual_price}&{price}="")',
    ),
}  # fmt: skip


def mark_mistakes(
    book: InputBook, sheet: Worksheet, schema: Schema, file: str, last_row: int
) -> None:
    """Conditional formats for what can be seen at once, down to `last_row`, from 0."""
    listed = list(columns(schema))
    names = [column.name for column in listed]
    looks = {id(look): book.workbook.add_format(look) for look in (MISSING, WRONG)}
    for name, look, formula in _marks(schema, listed, file):
        index = names.index(name)
        rule = {"type": "formula", "criteria": f"={formula}", "format": looks[id(look)]}
        sheet.conditional_format(1, index, last_row, index, rule)


def _marks(
    schema: Schema, listed: Sequence[Column], file: str
) -> Iterator[tuple[str, dict[str, object], str]]:
    """The column each mark stands in, its look and its formula for row 2."""
    cells = {c.name: f"${xl_col_to_name(i)}2" for i, c in enumerate(listed)}
    whole = f"$A2:${xl_col_to_name(len(listed) - 1)}2"
    for column in listed:
        here = cells[column.name]
        if must_be_filled(column):
            begun = f"AND(ISBLANK({here}),COUNTA({whole})>0)"
            yield column.name, MISSING, begun
        if column.kind in ("date", "money", "whole", "percent"):
            meant = "DATEVALUE" if column.kind == "date" else "VALUE"
            yield column.name, WRONG, f"AND(ISTEXT({here}),ISERROR({meant}({here})))"
        if name := known_codes(column, file):
            yield column.name, WRONG, f'AND({here}<>"",COUNTIF({name},{here})=0)'
    if keys := [column.name for column in listed if column.key]:
        yield keys[0], WRONG, _stands_twice([cells[key] for key in keys])
    for rule in (ROW_RULES[check.code] for check in schema.rules):
        if rule.code in ROW_MARKS:
            look, formula = ROW_MARKS[rule.code]
            used = {name for _, name, _, _ in Formatter().parse(formula) if name}
            if used <= cells.keys():
                yield rule.column, look, formula.format(**cells)


def _stands_twice(cells: Sequence[str]) -> str:
    """Whether the same key stands in another row; a part of it may be blank."""
    if len(cells) == 1:
        return f'AND({cells[0]}<>"",COUNTIF({_column(cells[0])},{cells[0]})>1)'
    pairs = (f'{_column(cell)},IF({cell}="","",{cell})' for cell in cells)
    return f'AND({cells[0]}<>"",COUNTIFS({",".join(pairs)})>1)'


def _column(cell: str) -> str:
    """The whole column of a cell: $B2 is in $B:$B, whatever rows are deleted."""
    letter = cell.rstrip("0123456789")
    return f"{letter}:{letter}"


def known_codes(column: Column, file: str) -> str:
    """The name of the cells that hold the codes a column may name; "" if elsewhere."""
    table, _, field = offered_from(column).partition(".")
    for schema in sheets_of(file):
        if table and name_of(schema) == table:
            titles = {known.name: known.title for known in columns(schema)}
            return re.sub(r"\W", "_", f"{title_of(schema)}_{titles[field]}")
    return ""


def name_codes(book: InputBook, file: str) -> None:
    """Give a name to each column of codes: older Excel asks for one across sheets."""
    named: dict[str, str] = {}
    for schema in sheets_of(file):
        for column in columns(schema):
            if name := known_codes(column, file):
                title, letter = codes_at(column, file)
                named[name] = f"='{title}'!${letter}:${letter}"
    for name, cells in named.items():
        book.workbook.define_name(name, cells)


def codes_at(column: Column, file: str) -> tuple[str, str]:
    """The sheet and the column's letter where the codes of a column stand."""
    table, _, field = offered_from(column).partition(".")
    schema = next(schema for schema in sheets_of(file) if name_of(schema) == table)
    names = [known.name for known in columns(schema)]
    return title_of(schema), xl_col_to_name(names.index(field))
