"""The catalogue as a page of the documentation, made from the table alone.

`python -m tests.mistakes > docs/mistakes.md` writes it again.
"""

from collections.abc import Iterator

from mistakes.catalogue import CATALOGUE, PARTS
from mistakes.mistake import Mistake

INTRODUCTION = """\
# Mistakes people make in spreadsheets, and what happens

Each is made in a real file by a test, which holds the whole message to what it should be:
the code, the place, what was found, what was expected and how to repair it.
What is held waits and everybody else is billed; what stops the night bills nobody.
A code is what the column Code of `out/issues.xlsx` says; a mistake without one is put right without a word.
"""
NOT_APPLIED = """\
## What does not apply

| No | Mistake | Why not |
| --- | --- | --- |
"""


def markdown() -> str:
    """The page."""
    return (
        "\n".join([INTRODUCTION, *_parts(), NOT_APPLIED + "\n".join(_left_out())])
        + "\n"
    )


def _parts() -> Iterator[str]:
    for title, part in PARTS:
        rows = [_row(mistake) for mistake in part if mistake.applies]
        head = "| No | Mistake | What happens | Code |\n| --- | --- | --- | --- |"
        yield "\n".join([f"## {title}\n", head, *rows, ""])


def _row(mistake: Mistake) -> str:
    codes = ", ".join(f"`{code}`" for code in mistake.codes)
    return f"| {mistake.number} | {mistake.what} | {mistake.happens} | {codes} |"


def _left_out() -> Iterator[str]:
    for mistake in CATALOGUE:
        if not mistake.applies:
            why = mistake.happens.removeprefix("Does not apply: ")
            yield f"| {mistake.number} | {mistake.what} | {why[0].upper()}{why[1:]} |"
