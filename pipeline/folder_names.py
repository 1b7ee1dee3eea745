"""The names of folders and ledgers: they go into files and to DuckDB, which take text."""

import os
from pathlib import Path

from pipeline.exports.exact_text import Unwritable, exact, legible
from pipeline.problems import refused

FOUND = "the name is not written in UTF-8, or has control characters"
REPAIR = "rename the folder, with plain letters"


def is_text(name: str | Path) -> bool:
    """Whether a name can be written as it is."""
    try:
        exact(str(name))
    except Unwritable:
        return False
    return True


def shown(name: str | Path) -> str:
    """A name that is no text as one: \\xNN for a byte that is no letter, else ?."""
    return legible(os.fsencode(name).decode("utf-8", "backslashreplace"))


def must_be_text(path: Path, repair: str = REPAIR) -> None:
    """Refuse a folder, or another place, whose name is no text."""
    if not is_text(path):
        raise refused(shown(path), "name-no-text", FOUND, repair)
