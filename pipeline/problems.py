"""A problem: where it is, what was found, what to write instead, what it costs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from pipeline.printable import printable


class Severity(StrEnum):
    """How much a problem matters, in the words of the issues workbook."""

    STOPS = "Stops the night"
    HELD = "Not billed"
    CHECK = "Check"
    FIXED = "Fixed for you"


@dataclass(frozen=True)
class Place:
    """Where something stands: file, sheet, row, heading and cell, as far as known."""

    file: str = ""
    sheet: str = ""
    row: int | None = None
    column: str = ""
    cell: str = ""

    def __str__(self) -> str:
        """As the office reads it: `patients.xlsx: Patients!D2`."""
        if not self.sheet:
            return self.file
        spot = self.cell or (f"row {self.row}" if self.row else "")
        if self.file.endswith(".csv"):
            named = f"row {self.row}" if self.row else ""
            if self.column:
                named = f"{named}, {self.column}".lstrip(", ")
            return f"{self.file}: {named}" if named else self.file
        if not spot and self.column:
            spot = self.column
        return (
            f"{self.file}: {self.sheet}!{spot}"
            if spot
            else f"{self.file}: {self.sheet}"
        )


@dataclass(frozen=True)
class Problem:
    """One thing a person should know of or mend.

    `found` and `repair` are clauses without a capital or full stop;
    `subject` is an id (patient, product, setting), never a name;
    `amount` is what it holds back, gross; `personal` keeps `found` off the terminal, and
    `repair`, which may spell out what was meant.
    """

    severity: Severity
    code: str
    place: Place
    found: str
    expected: str = ""
    repair: str = ""
    subject: str = ""
    effect: str = ""
    amount: Decimal | None = None
    personal: bool = False

    def __str__(self) -> str:
        """One line: where, what was found, what to do."""
        said = "; ".join(filter(None, [self.found, self.repair]))
        # A sheet may be called anything.
        return printable(": ".join(filter(None, [str(self.place), said])))

    def public(self) -> str:
        """The same line for terminal and log: no personal value in it."""
        if not self.personal:
            return str(self)
        column = self.place.column or "a value"
        if self.severity in (Severity.CHECK, Severity.FIXED):
            # Some are used as they stand and some left blank: the workbook says which.
            said = f"{column}: somebody should look at it (see issues.xlsx)"
            return str(replace(self, found=said, repair=""))
        return str(
            replace(
                self,
                found=f"{column} cannot be used (see issues.xlsx)",
                repair=f"write {self.expected}" if self.expected else "",
            )
        )


def stops(problems: Iterable[Problem]) -> list[Problem]:
    """Those with which a night cannot go on."""
    return [problem for problem in problems if problem.severity is Severity.STOPS]


class WrongUsage(Exception):
    """What was asked for cannot be done; the message says why and what would do."""


class Refused(Exception):
    """The night cannot go on: every cause at once. Nothing has been written."""

    def __init__(self, problems: list[Problem]):
        super().__init__("\n".join(problem.public() for problem in problems))
        self.problems = problems


def refused(
    file: str, code: str, found: str, repair: str, expected: str = ""
) -> Refused:
    """What stops a night or a command because of one file."""
    return Refused(
        [Problem(Severity.STOPS, code, Place(file), found, expected, repair)]
    )
