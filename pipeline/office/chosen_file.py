"""Files that a command writes where a person says: never over a file of somebody else."""

import os
from collections.abc import Sequence
from pathlib import Path

from pipeline.files import write_bytes
from pipeline.outbox import pages
from pipeline.problems import WrongUsage


class WrongPlace(WrongUsage):
    """The file cannot be written there; the message says why and where it can."""


def must_take_files(folder: Path, place: Path) -> None:
    """Raise `WrongPlace` for what lies in the practice folder and not in `out/`.

    So it does where a link in `out/` leads out of it.
    """
    out = folder / "out"
    if is_in_out(folder, place):
        return
    if _true(place).is_relative_to(_true(folder)):
        raise WrongPlace(_among(folder, place))
    # However the folder is spelled: is one of those above it `out`, before links count?
    if _true(out) in map(_true, Path(os.path.abspath(place)).parents):
        raise WrongPlace(
            f"{place} lies behind a link that leads out of {out}; take the link away, or"
            " name the place itself"
        )


def is_in_out(folder: Path, place: Path) -> bool:
    """Whether a place truly lies in `out/`, which may be a link to another disk."""
    return _true(place).is_relative_to(_true(folder / "out"))


def _true(place: Path) -> Path:
    # `resolve` would raise for a loop of links; this way it is no folder, and said to be.
    return Path(os.path.realpath(place))


def _among(folder: Path, place: Path) -> str:
    return (
        f"{place} lies among the practice's own files; name one in {folder / 'out'} or"
        " outside the practice folder"
    )


def must_be_free(folder: Path, file: Path) -> None:
    """Raise `WrongPlace` where a practice keeps, or the night makes, files of its own.

    Inside the practice folder that leaves `out/` itself, but for the night's pages.
    """
    if file.suffix.lower() != ".xlsx":
        raise WrongPlace(f"{file} does not end in .xlsx")
    place = _true(file)
    if not place.parent.is_dir():
        raise WrongPlace(f"there is no folder {file.parent}; make it, or name another")
    must_take_files(folder, file)
    beside = place.parent == _true(folder / "out")
    if is_in_out(folder, file) and (not beside or place.name.lower() in pages()):
        raise WrongPlace(_among(folder, file))


def write_chosen(folder: Path, file: Path, content: bytes) -> None:
    """Write it for the owner alone, whole or not at all; raises as `must_be_free` does.

    Outside `out/` another file is never replaced.
    """
    must_be_free(folder, file)
    if is_in_out(folder, file):
        write_bytes(file, content)
    else:
        write_beside([(file, content)])


def write_beside(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write files that replace no others.

    Raises `WrongPlace` where another is there, and writes none of them then.
    """
    fresh = [(place, content) for place, content in files if _is_free(place, content)]
    for place, content in fresh:
        try:
            write_bytes(place, content, replace=False)
        except FileExistsError:
            raise WrongPlace(_occupied(place)) from None


def _is_free(place: Path, content: bytes) -> bool:
    """Whether a file is to be written; one that is there must be the same."""
    try:
        there = place.read_bytes()
    except FileNotFoundError:
        return True
    if there != content:
        raise WrongPlace(_occupied(place))
    return False


def _occupied(place: Path) -> str:
    return (
        f"{place} is already there and is another file; name another place, or take it"
        " away"
    )
