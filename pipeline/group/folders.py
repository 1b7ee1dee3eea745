"""Which folders below a root are practices; links are never followed."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.folder_names import is_text, shown
from pipeline.printable import printable
from pipeline.reading.folder import holds_sheets

# What the program makes beside the sheets, at any depth.
_MADE = {"out", "ledger"}
OWN = "group"


@dataclass
class Found:
    """Practice folders relative to the root, in order, and what somebody should look at.

    `unfit` are those whose names are no text, as they can be shown.
    A note is a sentence about a folder in which practices may be that were not billed.
    """

    practices: list[str] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_practices(root: Path) -> Found:
    """The folders below `root` that hold a sheet of a practice, and `root` itself.

    What lies inside a practice belongs to it and is never a practice of its own: most
    often it is an old copy, and would be billed a second time.
    """
    found = Found()
    _look(root, "", "", found)
    found.practices.sort(key=lambda practice: practice.split("/"))
    found.unfit.sort()
    found.notes.sort()
    return found


def _look(root: Path, name: str, inside: str, found: Found) -> None:
    try:
        with os.scandir(root / name) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        found.notes.append(f"{_shown(name)}: cannot be read ({error.strerror})")
        return
    files = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
    if holds_sheets(files):
        if name == OWN:
            found.notes.append(
                f"{OWN}: holds sheets, but this folder is for what a group makes; give"
                " the practice another name"
            )
        elif inside:
            found.notes.append(
                f"{_shown(name)}: holds sheets inside the practice {_shown(inside)} and"
                " was not billed; move it out if it is a practice"
            )
        else:
            inside = name or "."
            if is_text(inside):
                found.practices.append(inside)
            else:
                found.unfit.append(shown(inside))
    for entry in entries:
        below = f"{name}/{entry.name}" if name else entry.name
        if entry.name.startswith(".") or entry.name in _MADE:
            continue
        if entry.is_dir(follow_symlinks=False):
            _look(root, below, inside, found)
        elif not inside and entry.is_symlink() and entry.is_dir():
            found.notes.append(
                f"{_shown(below)}: a link to another folder was not followed"
            )


def _shown(name: str) -> str:
    """A folder's name as a terminal and a page may show it."""
    return printable(name or ".")
