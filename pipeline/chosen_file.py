"""A workbook that a command writes where a person says: never over a staff file."""

from pathlib import Path

from pipeline.files import write_bytes
from pipeline.outbox import pages
from pipeline.problems import WrongUsage


class WrongPlace(WrongUsage):
    """The file cannot be written there; the message says why and where it can."""


def must_be_free(folder: Path, file: Path) -> None:
    """Raise `WrongPlace` where a practice keeps, or the night makes, files of its own.

    Inside the practice folder that leaves `out/` itself, but for the night's pages.
    """
    if file.suffix.lower() != ".xlsx":
        raise WrongPlace(f"{file} does not end in .xlsx")
    home, place = folder.resolve(), file.resolve()
    if not place.parent.is_dir():
        raise WrongPlace(f"there is no folder {file.parent}; make it, or name another")
    if not place.is_relative_to(home):
        return
    if place.parent != home / "out" or place.name.lower() in pages():
        raise WrongPlace(
            f"{file} lies among the practice's own files; name one in {folder / 'out'}"
            " or outside the practice folder"
        )


def write_chosen(folder: Path, file: Path, content: bytes) -> None:
    """Write it for the owner alone, whole or not at all; raises as `must_be_free` does.

    Outside the practice folder another file is never replaced.
    """
    must_be_free(folder, file)
    try:
        write_bytes(
            file, content, replace=file.resolve().is_relative_to(folder.resolve())
        )
    except FileExistsError:
        if file.read_bytes() != content:
            raise WrongPlace(
                f"{file} is already there; name another or take it away"
            ) from None
