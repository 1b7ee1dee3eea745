"""What a template says of itself in its properties: which workbook it is, how old."""

import re

from pipeline.problems import Place, Problem, Severity
from pipeline.reading.sheets import Unusable

PROPERTY = "billing_template"
# Raised when a template gains a column, a sheet or a help that older ones lack.
VERSION = 2
_NUMBER = re.compile(r"[0-9]{1,6}")


def stamp(file: str) -> str:
    """What the template of a workbook ("patients") carries in its property."""
    return f"{file}/{VERSION}"


def must_be(stem: str, properties: dict[str, str], known: tuple[str, ...]) -> None:
    """Unusable when a workbook is by its properties another of the practice's."""
    kind = properties.get(PROPERTY, "").partition("/")[0]
    if kind in known and kind != stem:
        raise Unusable(
            "wrong-file",
            f"by its properties this is the workbook {kind}, not {stem}",
            "put the right workbook here",
        )


def age(file: str, properties: dict[str, str]) -> Problem | None:
    """What is to be said of a template of another version than this program's.

    It may lack a column or have one too many; it is read all the same.
    """
    version = properties.get(PROPERTY, "").partition("/")[2]
    if not version or version == str(VERSION):
        return None
    found = "the workbook was made from another template than this program's"
    repair = "carry its rows over with `membill init NEW_FOLDER --from FOLDER`"
    if _NUMBER.fullmatch(version):
        older = int(version) < VERSION
        side = "older" if older else "newer"
        found = f"the workbook was made from template {int(version)}, {side} than"
        found = f"{found} this program's {VERSION}"
        if not older:
            repair = "bring the program up to date before this workbook is used"
    return Problem(
        Severity.CHECK, "template-version", Place(file), found, repair=repair
    )
