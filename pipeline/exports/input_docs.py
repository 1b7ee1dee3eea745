"""What goes in, as a page of the documentation, made from the schemas alone.

`python -m pipeline.exports.input_docs > docs/input-files.md` writes it again.
"""

from collections.abc import Iterable, Iterator

from pipeline.exports.input_words import (
    TITLES,
    csv_name,
    held_when,
    meaning_and_choices,
    must_be_filled,
    one_row,
    sheets_of,
)
from pipeline.reading.folder import WORKBOOKS
from schemas import Practice
from schemas.columns import KINDS, Column, Schema, columns, name_of, title_of

INTRODUCTION = """\
# The files of a practice folder

`membill init FOLDER` makes all of them, with a Read me in each.
`membill init FOLDER --from OLD_FOLDER` carries the rows of older ones over into new ones.
Patients of another system come in by `membill import patients`: [moving in](moving-in.md).
They are read every night and never written.
Headings match whatever their case, spaces, underscores or order.
A cell of a required column must be filled in; a row with a mistake is held.
"""
SETTINGS = """\
#### Each setting

One row of the sheet Settings each.
A setting with a default may be left blank or out.
A Practice email or Practice phone that is none is left blank, and that is said.
Any other setting that cannot be used stops the night.
"""
KINDS_OF_VALUES = """\
## How values are typed
"""


def markdown() -> str:
    """docs/input-files.md: every sheet with its columns, and every setting."""
    return "\n".join(
        [INTRODUCTION, *map(_workbook, WORKBOOKS), KINDS_OF_VALUES, _kinds()]
    )


def _workbook(file: str) -> str:
    heading = f"## {TITLES[file]}: `{file}.xlsx`\n"
    return "\n".join([heading, *map(_sheet, sheets_of(file))])


def _sheet(schema: Schema) -> str:
    heading = f"### {title_of(schema)}\n"
    said = f"{one_row(schema)}\nInstead of the sheet: `{csv_name(schema)}`.\n"
    rows = [
        (c.title, _yes(c.required), meaning_and_choices(c), _code(c.example))
        for c in columns(schema)
    ]
    table = _table(("Column", "Required", "What it means", "Example"), rows)
    parts = [heading, said, table]
    if held := held_when(schema):
        parts.append("What else holds a row:\n")
        parts.append("".join(f"- {text}\n" for text in held))
    if name_of(schema) == "settings":
        parts += [SETTINGS, _settings()]
    return "\n".join(parts)


def _settings() -> str:
    rows = [
        (s.title, _yes(must_be_filled(s)), _code(s.default), meaning_and_choices(s))
        for s in columns(Practice)
    ]
    return _table(("Setting", "Required", "Default", "What it means"), rows)


def _kinds() -> str:
    """How a cell of each kind should look, with the columns that are of that kind."""
    listed: dict[str, list[str]] = {}
    for column in _all_columns():
        listed.setdefault(column.kind, []).append(column.title)
    rows = [
        (expected, ", ".join(dict.fromkeys(listed[kind])))
        for kind, (_, expected) in KINDS.items()
        if kind in listed
    ]
    return _table(("What to type", "Columns and settings"), rows)


def _all_columns() -> Iterator[Column]:
    for file in WORKBOOKS:
        for schema in sheets_of(file):
            yield from columns(schema)
    yield from columns(Practice)


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; no cell breaks out of it."""
    headings = tuple(headings)
    lines = [headings, ["---"] * len(headings), *rows]
    text = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in text)


def _yes(required: bool) -> str:
    return "yes" if required else ""


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    print(markdown(), end="")
