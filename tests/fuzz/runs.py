"""Reads changed files through the program's own boundary and says what went wrong."""

import shutil
import tempfile
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from unittest.mock import patch

from tests import practice
from tests.fuzz import mutations
from tests.hostile.books import TITLES, Book
from tests.hostile.reading import read

SAMPLE = Path(__file__).parents[2] / "sample_data"
# Controls, marks of direction, halves of pairs, line and paragraph ends.
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
LONGEST = 10.0  # seconds of work for one small file


@dataclass(frozen=True)
class Find:
    """A file the program did not understand in its own words."""

    number: int
    file: str
    why: str
    content: bytes


@cache
def _seeds() -> tuple[list[tuple[str, mutations.Parts]], list[tuple[str, bytes]]]:
    """Good workbooks in parts and good CSV files, of the small practice and the sample."""
    books = [(f"{stem}.xlsx", dict(Book(stem).parts)) for stem in TITLES]
    for path in sorted([*SAMPLE.glob("*.xlsx"), *SAMPLE.glob("with_mistakes/*.xlsx")]):
        books.append((path.name, mutations.apart(path.read_bytes())))
    with tempfile.TemporaryDirectory() as name:
        folder = practice.make(Path(name) / "practice")
        texts = [
            (path.name, path.read_bytes()) for path in sorted(folder.glob("*.csv"))
        ]
    texts += [(path.name, path.read_bytes()) for path in sorted(SAMPLE.glob("*.csv"))]
    return books, texts


def made(seed: str, number: int) -> tuple[str, bytes]:
    """The file of a number: the same one each time for one seed."""
    dice = Random(f"{seed}:{number}")
    books, texts = _seeds()
    if dice.random() < 0.7:
        name, parts = dice.choice(books)
        return name, mutations.workbook(parts, dice)
    name, text = dice.choice(texts)
    return name, mutations.text(text, dice)


def tried(seed: str, numbers: range, *, timed: bool) -> Iterator[Find | None]:
    """Read each file of a range; a find for each that the program fails on, else None."""
    folder = Path(tempfile.mkdtemp(prefix="membill-fuzz-"))
    try:
        for number in numbers:
            name, content = made(seed, number)
            path = folder / name
            path.write_bytes(content)
            began = time.process_time()
            why = _fault(folder, name)
            if not why and timed and time.process_time() - began > LONGEST:
                why = f"it took more than {LONGEST} seconds"
            path.unlink()
            yield Find(number, name, why, content) if why else None
    finally:
        shutil.rmtree(folder)


def _fault(folder: Path, name: str) -> str:
    """What went wrong with the only file of a folder; "" when all went well."""
    raised: list[BaseException] = []
    with patch("pipeline.crash.keep", raised.append):
        try:
            found = read(folder)
        except Exception as error:
            return f"{type(error).__name__} went past the boundary: {error}"
    if raised:
        return (
            f"{type(raised[0]).__name__} was caught at the boundary alone: {raised[0]}"
        )
    for table, count in found.counts.items():
        if not count.adds_up:
            return f"the rows of {table} do not add up: {count}"
    told = "\n".join(problem.public() for problem in found.problems)
    if {unicodedata.category(letter) for letter in told.replace("\n", "")} & _INVISIBLE:
        return "a message has characters in it that cannot be shown"
    if name.startswith("patients") and not found.counts and not found.of(name):
        return "nothing was read and nothing was said"
    return ""
