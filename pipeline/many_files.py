"""Many files at a time that are written once: whole on disk before the first has its name.

Waiting for the disk takes most of the time of a small file, and can be done for several.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.files import give_name, private_folder, sync_folder

AT_A_TIME = 100  # files that are open at once: some systems allow few
_WAITING = 8

Faults = dict[Path, OSError]


def write_new(files: Iterable[tuple[Path, bytes]]) -> Faults:
    """Write files that are not there yet; why not, of those that could not be written.

    One that is there already is left alone (FileExistsError). When this returns, the names
    are on disk as well.
    """
    faults: Faults = {}
    drafts: dict[Path, tuple[Path, BinaryIO]] = {}
    named: dict[Path, list[Path]] = {}
    made: set[Path] = set()
    try:
        for path, content in files:
            with _noted(faults, path):
                if path.parent not in made:
                    made.add(private_folder(path.parent))
                drafts[path] = _draft(path.parent)
                drafts[path][1].write(content)
        _sync(drafts, faults)
        for path in [path for path in drafts if path not in faults]:
            with _noted(faults, path):
                give_name(drafts[path][0], path)
                del drafts[path]
                named.setdefault(path.parent, []).append(path)
    finally:
        for place, file in drafts.values():
            with suppress(OSError):  # it writes what it could not write before
                file.close()
            place.unlink(missing_ok=True)
    for folder, paths in named.items():
        try:
            sync_folder(folder)
        except OSError as error:
            faults.update(dict.fromkeys(paths, error))
    return faults


@contextmanager
def _noted(faults: Faults, path: Path) -> Iterator[None]:
    """What goes wrong with a file harms no other."""
    try:
        yield
    except OSError as error:
        faults[path] = error


def _draft(folder: Path) -> tuple[Path, BinaryIO]:
    handle, place = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    return Path(place), os.fdopen(handle, "wb")


def _sync(drafts: dict[Path, tuple[Path, BinaryIO]], faults: Faults) -> None:
    """Put what was written on disk, for several files at once where there are many."""

    def sync(path: Path) -> None:
        with _noted(faults, path), drafts[path][1] as file:
            file.flush()
            os.fsync(file.fileno())

    whole = [path for path in drafts if path not in faults]
    if len(whole) <= _WAITING:
        for path in whole:
            sync(path)
        return
    with ThreadPoolExecutor(_WAITING) as several:
        list(several.map(sync, whole))
