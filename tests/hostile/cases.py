"""What a hostile file is: a name, how it is made, what the program must say of it."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile.books import Book

FINE, HELD, REFUSED = 0, 3, 4

DAMAGED = "the workbook is damaged and cannot be opened"
UNRELIABLE = "the workbook could not be read reliably"
TOO_LARGE = "the workbook unfolds to more than a workbook of a practice can hold"
FAR = "a value stands far outside the table"


@dataclass(frozen=True)
class Case:
    """One hostile workbook, made from a good one of any name.

    `says` is part of what is told of it; `code` how `check` ends when it stands in the
    place of the patients; `rows` how many rows of it are filled below the headings.
    """

    name: str
    make: Callable[[Book], bytes]
    says: str
    code: int = REFUSED
    rows: int = 2

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Text:
    """One hostile CSV file in the place of the patients."""

    name: str
    make: Callable[[str], bytes]
    says: str
    code: int = REFUSED
    rows: int = 2

    def __str__(self) -> str:
        return self.name
