"""Marked copies: each workbook with problems again, beside `issues.xlsx`, cells in red.

They are made from the office's files and not from the ledger: those of the last night or
check alone are kept, and no command makes an older one again.
"""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from pipeline import crash
from pipeline.copy_frame import TooMuch, framed
from pipeline.files import inside, write_bytes
from pipeline.problems import Problem, Severity
from pipeline.reading.archive import unreliable
from pipeline.reading.folder import MARKED, read_bytes
from pipeline.reading.formats import format_of
from pipeline.reading.package import unpack
from pipeline.reading.sheets import Unusable

FOLDER = "marked"
_WORKBOOKS = (".xlsx", ".xlsm")


@dataclass(frozen=True)
class Note:
    """What the issues workbook says of one file: its copy, or why there is none."""

    file: str
    copy: str = ""
    words: str = ""


@dataclass(frozen=True)
class Copies:
    """The copies of a night, by file name, and what to say of them."""

    files: Mapping[str, bytes]
    notes: tuple[Note, ...]

    def report(self) -> list[dict[str, str]]:
        """The notes as a run keeps them."""
        return [asdict(note) for note in self.notes]


def make(
    folder: Path, problems: Iterable[Problem], on: date, read: Mapping[str, str] | None
) -> Copies:
    """A marked copy of each workbook with problems at its cells; never raises.

    `read` has the SHA-256 of each file as it was read: another file is not marked.
    """
    by_file: dict[str, list[Problem]] = {}
    for problem in problems:
        if problem.severity is not Severity.FIXED and problem.place.cell:
            by_file.setdefault(problem.place.file, []).append(problem)
    files: dict[str, bytes] = {}
    notes: list[Note] = []
    for file, found in sorted(by_file.items()):
        name = f"{Path(file).stem}{MARKED} {on}.xlsx"
        try:
            files[name], note = _copy(folder, file, on, found, read)
            notes.append(Note(file, f"{FOLDER}/{name}", note))
        except (TooMuch, Unusable) as reason:
            notes.append(Note(file, "", _why(reason)))
        except Exception as error:  # a copy is a help, never a reason for no night
            with suppress(OSError):
                crash.keep(error)
            notes.append(Note(file, "", "it could not be copied"))
    return Copies(files, tuple(notes))


def _why(reason: Exception) -> str:
    return reason.found if isinstance(reason, Unusable) else str(reason)


def _copy(
    folder: Path,
    file: str,
    on: date,
    problems: Sequence[Problem],
    read: Mapping[str, str] | None,
) -> tuple[bytes, str]:
    """The marked copy of one workbook, and what it lacks of it in words."""
    if file.lower().endswith(".csv"):
        raise TooMuch("a CSV file cannot hold a mark")
    if not file.lower().endswith(_WORKBOOKS) or Path(file).name != file:
        raise TooMuch("it is no workbook of the practice")
    content = read_bytes(folder, file)
    if read is not None and read.get(file) != hashlib.sha256(content).hexdigest():
        raise TooMuch("it was changed after it was read")
    if format_of(content) != "xlsx":
        raise unreliable()
    package = unpack(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
    frame, lost = framed(package, names)
    # Only now: a night without problems need not wait for openpyxl.
    from pipeline.exports import marked_copy

    copy = marked_copy.render(frame, file, on, problems, lost)
    return copy, f"without {', '.join(lost)}" if lost else ""


def put(out: Path, copies: Copies) -> list[str]:
    """Write the copies and take the older ones away; in words what could not be done."""
    warnings = []
    for name, content in copies.files.items():
        try:
            write_bytes(inside(out, f"{FOLDER}/{name}"), content)
        except OSError as error:
            warnings.append(
                f"{FOLDER}/{name} could not be written ({error.strerror}): close it if it"
                " is open; issues.xlsx says the same"
            )
    for old in _others(out, copies.files):
        with suppress(OSError):  # somebody has it open: it goes another night
            old.unlink()
    with suppress(OSError):
        (out / FOLDER).rmdir()  # only where nothing is left in it
    return warnings


def _others(out: Path, current: Iterable[str]) -> Iterator[Path]:
    """Copies of earlier nights: files of our own name alone, in our own folder."""
    with suppress(OSError):
        folder = inside(out, f"{FOLDER}/x").parent
        if not folder.is_symlink():
            yield from (
                path
                for path in sorted(folder.glob(f"*{MARKED} ????-??-??.xlsx"))
                if path.name not in current
            )
