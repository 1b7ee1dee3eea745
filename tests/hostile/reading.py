"""Reads a practice as the program does, and counts its patients by other means."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.boundary import file_boundary
from pipeline.ingest import Parsing, read_sheet
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import read_practice
from schemas import INPUTS
from schemas.columns import name_of

SCHEMAS = {name_of(schema): schema for schema in INPUTS}


@dataclass(frozen=True)
class Count:
    """One sheet: rows filled by the pre-flight, and what became of them."""

    filled: int
    taken: int
    held: int
    left_out: int

    @property
    def adds_up(self) -> bool:
        """Whether every filled row was taken, held, or told as left out."""
        return self.filled == self.taken + self.held + self.left_out


@dataclass(frozen=True)
class Read:
    """All that was said of a practice, and a count for each sheet that was read."""

    problems: list[Problem]
    counts: dict[str, Count]

    @property
    def stops(self) -> list[Problem]:
        """What stops the night."""
        return [p for p in self.problems if p.severity is Severity.STOPS]

    def of(self, file: str) -> list[str]:
        """What the terminal says of one file."""
        return [p.public() for p in self.problems if p.place.file == file]


def _no_row_is_held_without_a_word(parsing: Parsing) -> None:
    if any(p.severity is Severity.STOPS for p in parsing.problems):
        return  # a missing column is told once, and nobody is billed
    rows = zip(
        parsing.rows["row_number"].to_pylist(),
        parsing.rows["held"].to_pylist(),
        strict=True,
    )
    held = {number for number, is_held in rows if is_held}
    told = {p.place.row for p in parsing.problems if p.severity is Severity.HELD}
    assert held <= told, f"rows {sorted(held - told)} are held and nobody is told why"


def read(folder: Path) -> Read:
    """Read and parse every sheet; raises for nothing that a file can hold."""
    reading = read_practice(folder)
    problems, counts = [*reading.problems], {}
    for name, sheet in reading.sheets.items():
        refusals: list[Problem] = []
        with file_boundary(Place(sheet.file), refusals):
            parsing = read_sheet(SCHEMAS[name], sheet)
            twice = sum(problem.code == "row-twice" for problem in parsing.problems)
            held = parsing.rows["held"].to_pylist().count(True)
            counts[name] = Count(
                sheet.filled, len(parsing.rows) - held, held, sheet.skipped + twice
            )
            _no_row_is_held_without_a_word(parsing)
            problems += parsing.problems
        problems += refusals
    return Read(problems, counts)
