"""The practice folder: which file answers for which sheet, and its bytes, read once."""

import difflib
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.printable import printable
from pipeline.problems import Place, Problem, Severity
from pipeline.reading.formats import FOREIGN_ENDINGS, MESSAGES, format_of
from pipeline.reading.package import unpack
from pipeline.reading.sheets import Unusable
from schemas import INPUTS
from schemas.columns import about, name_of

LARGEST_FILE = 200 * 1024 * 1024
LARGEST_TEXT = 2_000 * 1024 * 1024  # a CSV file; only plain lines may be so many
TRIES = 3
PAUSE = 0.2  # seconds between two tries at a file that is being written

WORKBOOKS = tuple(dict.fromkeys(str(about(schema)["file"]) for schema in INPUTS))
TABLES = tuple(name_of(schema) for schema in INPUTS)
_WORKBOOK_ENDINGS = ("xlsx", "xlsm")
_SPARE_ENDINGS = ("bak", "old", "tmp", "backup")

_HIDDEN_COPY = re.compile(r"~\$(.+)|\.~lock\.(.+)#")
# The name of a marked copy, and the property that tells one under another name.
MARKED = " - problems marked"
MARK = "billing_marked_copy"
_CARRIED = re.compile(r" - template [0-9]+")
_NUMBERED = re.compile(r"\s*\(\d+\)")
# OneDrive adds the computer's name, which has capitals: patients-DESKTOP-7QK.xlsx.
_COMPUTER = re.compile(r"-(?=[^ ]*[A-Z])[A-Za-z0-9-]+")


@dataclass(frozen=True)
class Listing:
    """The files to read: workbook stem to file name, table name to CSV file name.

    `refused` are workbook stems that stand there in a form that cannot be read, and
    `twice` tables that several CSV files answer to: nobody calls them missing as well.
    `others` are spreadsheets of other names, of which nothing is told.
    """

    names: tuple[str, ...]
    workbooks: dict[str, str]
    texts: dict[str, str]
    refused: frozenset[str]
    twice: frozenset[str]
    problems: list[Problem]
    others: tuple[str, ...] = ()

    def closest_to(self, stem: str) -> str:
        """The spreadsheet whose name is most like a missing one's; "" when none is."""
        for name in self.names:
            base, _ = _base(name)
            if base and MARKED not in base.lower() and _copy_kind(base, stem):
                return name
        return ""


def list_practice(folder: Path) -> Listing:
    """Which file of a practice folder answers for which workbook or sheet.

    Never raises: a folder that cannot be listed is a problem that stops the night.
    """
    try:
        every = sorted(os.listdir(folder))
    except OSError as error:
        problem = _no_folder(folder, error)
        return Listing((), {}, {}, frozenset(WORKBOOKS), frozenset(), [problem])
    names = [name for name in every if name.isprintable()]
    problems = [*_unprintable(every)]
    workbooks, twice = _choose(names, WORKBOOKS, _WORKBOOK_ENDINGS, problems)
    texts, texts_twice = _choose(names, TABLES, ("csv",), problems)
    foreign = _foreign(folder, names, workbooks, problems)
    told = {*workbooks.values(), *texts.values(), *foreign}
    told.update(*twice.values(), *texts_twice.values())
    others: list[str] = []
    for name in names:
        if name not in told:
            beside = _beside(folder, name, workbooks, texts)
            problems += beside
            others += [name] if not beside and _may_hold_tables(name) else []
    problems += _macros(workbooks)
    refused = frozenset({*twice, *foreign.values()} - workbooks.keys())
    doubtful = frozenset(texts_twice)
    return Listing(
        tuple(names), workbooks, texts, refused, doubtful, problems, tuple(others)
    )


def holds_sheets(names: Iterable[str]) -> bool:
    """Whether one of these files is a practice's, in whatever form it was saved."""
    books, tables = set(map(_plain, WORKBOOKS)), set(map(_plain, TABLES))
    endings = {*_WORKBOOK_ENDINGS, *FOREIGN_ENDINGS}
    return any(
        (_ending(name) in endings and _plain(_stem(name)) in books)
        or (_ending(name) == "csv" and _plain(_stem(name)) in tables)
        for name in names
    )


def _unprintable(names: list[str]) -> Iterator[Problem]:
    """Spreadsheets whose names could play tricks on a screen; nobody can mean them."""
    for name in names:
        if not name.isprintable() and _base(name)[0]:
            plain = printable(name)
            yield _check(
                "name-unprintable", plain,
                "the file's name has characters that cannot be shown; it was not read",
                "give it a plain name, or move it out of the folder",
            )  # fmt: skip


def _no_folder(folder: Path, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        found, repair = "there is no such folder", "name the practice folder"
    elif isinstance(error, NotADirectoryError):
        found, repair = "this is no folder", "name the folder that holds the workbooks"
    else:
        found = "the folder cannot be read"
        repair = "see that it is connected and that this account may read it"
    return _stops("folder", str(folder), found, repair)


def _choose(
    names: list[str], stems: tuple[str, ...], endings: tuple[str, ...],
    problems: list[Problem],
) -> tuple[dict[str, str], dict[str, list[str]]]:  # fmt: skip
    """The one file of each stem; stems that several files answer to are problems."""
    chosen: dict[str, str] = {}
    twice: dict[str, list[str]] = {}
    for stem in stems:
        fitting = [
            name
            for name in names
            if _ending(name) in endings and _plain(_stem(name)) == _plain(stem)
        ]
        if len(fitting) == 1:
            chosen[stem] = fitting[0]
        elif fitting:
            twice[stem] = fitting
            problems.append(_several(fitting))
    return chosen, twice


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _plain(stem: str) -> str:
    """How two spellings of a file's name compare."""
    return re.sub(r"[ _-]+", "", stem.casefold())


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _several(names: list[str]) -> Problem:
    return _stops(
        "two-files",
        names[0],
        f"{' and '.join(names)} stand side by side and only one can be the right one",
        "keep the right one and move the other out of the folder",
    )


def _foreign(
    folder: Path, names: list[str], workbooks: dict[str, str], problems: list[Problem]
) -> dict[str, str]:
    """Spreadsheets of other makes under a workbook's name: file name to its stem."""
    found: dict[str, str] = {}
    for name in names:
        stem = next((s for s in WORKBOOKS if _plain(s) == _plain(_stem(name))), "")
        if not stem or _ending(name) not in FOREIGN_ENDINGS:
            continue
        if stem in workbooks:
            problems.append(_ignored(name, workbooks[stem]))
        else:
            problems.append(_wrong_make(folder, name, stem))
        found[name] = stem
    return found


def _wrong_make(folder: Path, name: str, stem: str) -> Problem:
    """Say what the file is: by its bytes where they can be read, else by its ending."""
    make = FOREIGN_ENDINGS[_ending(name)]
    try:
        truth = format_of(read_bytes(folder, name))
    except Unusable as refusal:
        if make != "numbers":  # which may be a folder, and is none the worse for it
            return _stops(refusal.code, name, refusal.found, refusal.repair)
        truth = make
    if truth == "xlsx":
        found = f"this is an Excel workbook with the wrong ending, .{_ending(name)}"
        return _stops("format-xlsx", name, found, f"rename it to {stem}.xlsx")
    truth = make if truth in ("zip", "unknown", "ole") else truth
    found, repair = MESSAGES[truth]
    return _stops(f"format-{truth}", name, found, f"{repair}, named {stem}.xlsx")


def _macros(workbooks: dict[str, str]) -> Iterator[Problem]:
    for name in workbooks.values():
        if _ending(name) == "xlsm":
            yield _check(
                "macros", name, "the workbook may hold macros; they were not run",
                "save it as Excel Workbook (.xlsx)",
            )  # fmt: skip


def _beside(
    folder: Path, name: str, workbooks: dict[str, str], texts: dict[str, str]
) -> list[Problem]:
    """What a file that is not read has to say: a lock, a copy, a misspelt name."""
    opened = _HIDDEN_COPY.fullmatch(name)
    if opened:
        return _open_elsewhere(opened[1] or opened[2], {**workbooks, **texts})
    base, spare = _base(name)
    if not base or MARKED in base.lower():
        return []
    is_text = _ending(name) == "csv"
    real = texts if is_text else workbooks
    for stem in sorted(TABLES if is_text else WORKBOOKS, key=len, reverse=True):
        kind = _copy_kind(base, stem)
        if kind and stem in real:
            if not is_text and _CARRIED.fullmatch(base[len(stem) :]):
                return [_carried(name, real[stem])]
            if kind == "conflict" and not spare and not _is_marked(folder, name):
                return [_several([real[stem], name])]
            return [_ignored(name, real[stem])]
    return [] if spare else _misspelt(name, is_text)


def _may_hold_tables(name: str) -> bool:
    """Whether a file is a spreadsheet, and neither a lock nor a spare copy."""
    base, spare = _base(name)
    return (
        _ending(name) in (*_WORKBOOK_ENDINGS, "csv")
        and not spare
        and not _HIDDEN_COPY.fullmatch(name)
        and MARKED not in base.lower()
    )


def _is_marked(folder: Path, name: str) -> bool:
    """Whether a file is a marked copy under another name; one that cannot be read is
    none."""
    with suppress(Unusable):
        content = read_bytes(folder, name)
        return format_of(content) == "xlsx" and MARK in unpack(content).properties
    return False


def _open_elsewhere(name: str, real: dict[str, str]) -> list[Problem]:
    if name not in real.values():
        return []
    return [
        _check(
            "open-elsewhere", name,
            "someone has the file open; the copy last saved was read",
            "save and close it before the night",
        )
    ]  # fmt: skip


def _base(name: str) -> tuple[str, bool]:
    """A spreadsheet's name without endings, and whether one of them says spare copy."""
    spare = False
    base = name
    known = {*_WORKBOOK_ENDINGS, *_SPARE_ENDINGS, *FOREIGN_ENDINGS, "csv"}
    while _ending(base) in known:
        spare |= _ending(base) in _SPARE_ENDINGS
        base = _stem(base)
    return ("" if base == name else base), spare


def _copy_kind(base: str, stem: str) -> str:
    """ "conflict" or "copy" when a name is that of a stem with something added."""
    spelled = re.escape(stem).replace("_", "[ _-]?")
    match = re.fullmatch(
        rf"(copy of )?{spelled}(?![a-z0-9_])(.*)|{spelled}(_.*)", base, re.IGNORECASE
    )
    if match is None:
        return ""
    rest = match[2] or match[3] or ""
    if match[1] or "copy" in rest.lower().replace("conflicted copy", ""):
        return "copy"
    conflicting = _NUMBERED.fullmatch(rest) or _COMPUTER.fullmatch(rest)
    return "conflict" if conflicting or "conflict" in rest.lower() else "copy"


def _ignored(name: str, real: str) -> Problem:
    return _check(
        "copy-ignored", name, f"the file stands beside {real} and was not read",
        "move copies out of the practice folder",
    )  # fmt: skip


def carried_name(stem: str, version: int) -> str:
    """The file of a workbook whose rows were carried into a newer template beside it."""
    return f"{stem} - template {version}.xlsx"


def _carried(name: str, real: str) -> Problem:
    return _check(
        "template-ready", name,
        f"rows of {real} were carried into this new template, which was not read",
        f"look through it, then move {real} out of the folder and give this its name",
    )  # fmt: skip


def _misspelt(name: str, is_text: bool) -> list[Problem]:
    """A file that would be read if it were named a little differently."""
    mine, others = (TABLES, WORKBOOKS) if is_text else (WORKBOOKS, TABLES)
    known = {_plain(stem): stem for stem in mine}
    close = difflib.get_close_matches(_plain(_stem(name)), list(known), 1, 0.8)
    if close:
        repair = f"rename it to {known[close[0]]}.{'csv' if is_text else 'xlsx'}"
    elif _plain(_stem(name)) in map(_plain, others):
        schema = next(
            schema
            for schema in INPUTS
            if _plain(_stem(name)) in map(_plain, _names(schema))
        )
        book, table = _names(schema)
        repair = (
            f"rename it to {table}.csv"
            if is_text
            else f"move its sheet into {book}.xlsx or save it as {table}.csv"
        )
    else:
        return []
    found = "no file of the practice has this name; it was not read"
    return [_check("name-unknown", name, found, f"{repair} if it belongs here")]


def _names(schema: type) -> tuple[str, str]:
    return str(about(schema)["file"]), name_of(schema)


def read_bytes(folder: Path, name: str) -> bytes:
    """A file's bytes, all from one moment; Unusable says why there are none.

    Only a regular file that truly lies in the folder is opened, and never for writing.
    """
    try:
        path = _true_path(folder, name)
        for attempt in range(TRIES):
            if attempt:
                time.sleep(PAUSE)
            content = _read_still(path)
            if content is not None:
                return content
    except OSError as error:
        raise _unreadable(error) from None
    raise Unusable(
        "changing",
        "the file is being changed while it is read",
        "wait until it is saved or synchronised, then run again",
    )


def read_start(folder: Path, name: str, most: int) -> bytes:
    """The first bytes of a file, under the same guards; Unusable where there are none."""
    try:
        with _opened(_true_path(folder, name)) as file:
            return file.read(most)
    except OSError as error:
        raise _unreadable(error) from None


def _true_path(folder: Path, name: str) -> Path:
    try:
        path = (folder / name).resolve(strict=True)
    except (FileNotFoundError, RuntimeError):  # a loop of links is a RuntimeError
        raise Unusable(
            "link", "this is a link that leads nowhere", "put the file itself here"
        ) from None
    if not path.is_relative_to(folder.resolve()):
        raise Unusable(
            "link",
            "this is a link to a place outside the practice folder",
            "put the file itself into the folder",
        )
    _must_be_regular(path.stat().st_mode)
    return path


_TRUE_NAMES: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def _must_be_regular(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((words for test, words in _TRUE_NAMES if test(mode)), "no plain file")
    raise Unusable(
        "not-a-file", f"this is {kind} and no file", "put the file itself here"
    )


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    # Without waiting: a pipe put in the file's place must not hold up the night.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0)  # the path was resolved: a link is a new one
    with open(os.open(path, flags), "rb") as file:
        _must_be_regular(os.fstat(file.fileno()).st_mode)
        yield file


def _read_still(path: Path) -> bytes | None:
    """The bytes, or None when the file changed meanwhile."""
    with _opened(path) as file:
        before = os.fstat(file.fileno())
        largest = LARGEST_TEXT if path.suffix.lower() == ".csv" else LARGEST_FILE
        if before.st_size > largest:
            raise Unusable(
                "too-large",
                f"the file is larger than {largest // 1024**2} MB",
                "remove pictures and unused sheets, and save it again",
            )
        content = file.read(before.st_size + 1)
        after = os.fstat(file.fileno())
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return content if same and len(content) == before.st_size else None


def _unreadable(error: OSError) -> Unusable:
    if isinstance(error, PermissionError):
        return Unusable(
            "no-permission",
            "the account that runs the night may not read the file",
            "give that account the right to read it",
        )
    return Unusable(
        "unreadable", "the file cannot be read from the disk",
        "see that the disk or share is connected, then run again",
    )  # fmt: skip


def _stops(code: str, name: str, found: str, repair: str) -> Problem:
    return Problem(Severity.STOPS, code, Place(name), found, repair=repair)


def _check(code: str, name: str, found: str, repair: str) -> Problem:
    return Problem(Severity.CHECK, code, Place(name), found, repair=repair)
