"""Opens the practice's files and hands over each sheet of the contract as raw cells."""

import difflib
import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

from python_calamine import CalamineSheet, CalamineWorkbook

from pipeline.boundary import file_boundary, refusal
from pipeline.cells.spelling import CellError, heading
from pipeline.crash import unheard
from pipeline.problems import Place, Problem, Severity, stops
from pipeline.reading.agreement import Agreement, Differing
from pipeline.reading.archive import too_large, unreliable
from pipeline.reading.as_shown import as_shown, matters
from pipeline.reading.elsewhere import has_rows, in_other_files, sheet_elsewhere, titled
from pipeline.reading.folder import MARK, WORKBOOKS, Listing, list_practice, read_bytes
from pipeline.reading.formats import MESSAGES, format_of
from pipeline.reading.headings import Grid, fits, heading_row, known_headings
from pipeline.reading.package import Entry, Package, unpack
from pipeline.reading.preflight import MOST_CELLS, Facts, inspect
from pipeline.reading.raw_table import Gathering, RawTable
from pipeline.reading.separated import Separated, read_separated
from pipeline.reading.sheet_rows import read_sheet_rows
from pipeline.reading.sheets import Sheet, Unusable, column_letter
from pipeline.reading.template_stamp import age, must_be
from schemas import INPUTS
from schemas.columns import Schema, about, name_of, title_of

__all__ = ["Reading", "Sheet", "column_letter", "read_practice"]

_CELLS_AT_ONCE = 200_000
_HEAD = 16  # rows at the top that may be headings
_NEARLY = 0.85  # how alike a sheet's title is that was surely meant


@dataclass(frozen=True)
class Reading:
    """A practice's sheets by table, what was found on the way, and the files' digests.

    Optional tables that are absent are missing from `sheets`; so is every table that
    cannot be used, and then a problem stops the night. Of these, `stopped` are such whose
    cells can be read all the same, and `unusable` all that are there or may be.
    `files` maps each file's name to the SHA-256 of the bytes that were read.
    """

    sheets: dict[str, Sheet] = field(default_factory=dict)
    stopped: dict[str, Sheet] = field(default_factory=dict)
    unusable: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def read_practice(folder: Path) -> Reading:
    """Read every sheet of a practice folder, changing nothing.

    Never raises for anything the folder holds: each refusal is a problem with
    Severity.STOPS, and all of them are gathered in one go.
    """
    listing = list_practice(folder)
    reading = Reading(problems=[*listing.problems])
    _read_files(folder, listing, reading, _keep)
    reading.unusable.update(_unusable(listing, reading))
    reading.problems.extend(_missing_files(listing))
    reading.problems.extend(in_other_files(folder, _others(listing), grid_of))
    return reading


def _unusable(listing: Listing, reading: Reading) -> Iterator[str]:
    """The tables that are not read though a file that may hold them is there."""
    read = {(sheet.file, sheet.sheet) for sheet in reading.sheets.values()}
    places = [problem.place for problem in stops(reading.problems)]
    stopped = {p.file for p in places if (p.file, p.sheet) not in read}
    for schema in INPUTS:
        name, stem = name_of(schema), str(about(schema)["file"])
        files = {listing.workbooks.get(stem), listing.texts.get(name)}
        refused = name in listing.twice or stem in listing.refused
        if name not in reading.sheets and (refused or files & stopped):
            yield name


def _others(listing: Listing) -> Iterator[str]:
    """Files of other names, but those that are told of where a workbook is missing."""
    missing = [stem for stem in WORKBOOKS if stem not in listing.workbooks]
    told = {listing.closest_to(stem) for stem in missing}
    yield from (name for name in listing.others if name not in told)


def read_grids(folder: Path) -> tuple[dict[str, Grid], list[Problem]]:
    """Each sheet of a practice folder, by table, with every cell it holds.

    The same files as `read_practice` reads, under the same guards; nothing is asked of
    headings and rows, and files and columns that are missing are no problem.
    """
    listing, grids = list_practice(folder), dict[str, Grid]()
    reading = Reading(problems=[*listing.problems])

    def keep(_: Reading, schema: Schema, grid: Grid) -> None:
        grids[name_of(schema)] = grid

    _read_files(folder, listing, reading, keep)
    return grids, reading.problems


Keep = Callable[[Reading, Schema, Grid], None]


def _read_files(folder: Path, listing: Listing, reading: Reading, keep: Keep) -> None:
    """Hand every sheet of the listed files to `keep`, with its table."""
    twice: set[str] = set()
    for stem in WORKBOOKS:
        if stem in listing.workbooks:
            reader = _Workbook(folder, listing.workbooks[stem], stem, listing, reading)
            reader.keep = keep
            with file_boundary(Place(reader.file), reading.problems):
                reader.read()
            twice |= reader.twice
    for schema in INPUTS:
        name = listing.texts.get(name_of(schema))
        if name is not None and name_of(schema) not in twice:
            with file_boundary(Place(name), reading.problems):
                keep(reading, schema, _read_text(folder, name, schema, reading))


def _contents(folder: Path, name: str, reading: Reading) -> bytes:
    content = read_bytes(folder, name)
    reading.files[name] = hashlib.sha256(content).hexdigest()
    return content


def _keep(reading: Reading, schema: Schema, grid: Grid) -> None:
    """Add a sheet's table and problems to what was read."""
    sheet, problems = read_sheet_rows(grid, schema)
    reading.problems.extend(problems)
    if sheet is not None:
        kept = reading.stopped if sheet.stops else reading.sheets
        kept[name_of(schema)] = sheet


class _Workbook:
    """One workbook on its way into a reading."""

    def __init__(
        self, folder: Path, file: str, stem: str, listing: Listing, reading: Reading
    ):
        self.folder, self.file, self.stem = folder, file, stem
        self.texts, self.reading = listing.texts, reading
        self.schemas = [s for s in INPUTS if about(s)["file"] == stem]
        self.twice: set[str] = {*listing.twice}
        self.keep: Keep = _keep
        self.grids: dict[str, Grid] = {}
        self.cells = 0

    def read(self) -> None:
        """Add the workbook's sheets to the reading; raises Unusable."""
        content = _contents(self.folder, self.file, self.reading)
        form = format_of(content)
        if form != "xlsx":
            raise Unusable(f"format-{form}", *MESSAGES[form])
        self.package = unpack(content)
        self._must_be_the_original()
        must_be(self.stem, self.package.properties, WORKBOOKS)
        self._mention_1904()
        self._mention_template_age()
        told = len(self.reading.problems)
        claimed = self._by_title()
        for schema, entry in self._by_headings(claimed).items():
            claimed[name_of(schema)] = entry
        for schema in self.schemas:
            table = name_of(schema)
            if table in claimed and table not in self.twice:
                self._read_sheet(schema, claimed[table])
        self._look_alikes(claimed)
        self._mention_elsewhere(claimed)
        if len(self.reading.problems) == told and not claimed:
            self._mention_unused()

    def _must_be_the_original(self) -> None:
        """A marked copy is made of what was read: what staff wrote since is elsewhere."""
        if MARK in self.package.properties:
            raise Unusable(
                "marked-copy",
                "this is a marked copy that the program made, not the office's workbook",
                f"bring back {self.file} itself, and repair it there",
            )

    def _mention_template_age(self) -> None:
        problem = age(self.file, self.package.properties)
        self.reading.problems.extend([problem] if problem else [])

    def _mention_1904(self) -> None:
        """Dates are right in either system, but not day numbers taken for dates."""
        if self.package.date1904:
            self._problem(
                Severity.CHECK, "date-1904", Place(self.file),
                "the workbook counts days from 1904, as old Excel for Mac did; its"
                " dates were read rightly, but a date that shows as a plain number"
                " would be four years out",
                "copy the sheets into a new workbook and check their dates",
            )  # fmt: skip

    def _by_title(self) -> dict[str, Entry]:
        """The sheet of each table that has its title; both sheet and CSV is refused."""
        claimed: dict[str, Entry] = {}
        for schema in self.schemas:
            title, table = title_of(schema), name_of(schema)
            fitting = [
                entry
                for entry in self.package.sheets
                if heading(entry.title) == heading(title)
            ]
            if len(fitting) > 1:
                self.twice.add(table)
                self._stop_twice(fitting, title)
            elif fitting and table in self.texts:
                self.twice.add(table)
                self._stop_both(fitting[0], self.texts[table])
            if fitting:
                claimed[table] = fitting[0]
        return claimed

    def _stop_twice(self, entries: list[Entry], title: str) -> None:
        titles = " and ".join(entry.title for entry in entries)
        self._problem(
            Severity.STOPS, "two-sheets", Place(self.file),
            f"the sheets {titles} both look like {title}",
            "keep the right one and delete or move the other",
        )  # fmt: skip

    def _stop_both(self, entry: Entry, text: str) -> None:
        self._problem(
            Severity.STOPS, "sheet-and-csv", Place(self.file, entry.title),
            f"this sheet and the file {text} hold the same table",
            "keep one of the two and move the other out of the folder",
        )  # fmt: skip

    def _by_headings(self, claimed: dict[str, Entry]) -> dict[Schema, Entry]:
        """Sheets under another title that have the headings of a table not found."""
        free = [entry for entry in self.package.sheets if entry not in claimed.values()]
        found: dict[Schema, Entry] = {}
        for schema in self.schemas:
            table, title = name_of(schema), title_of(schema)
            if table in claimed or table in self.twice:
                continue
            fitting = self._fitting(schema, free)
            if table in self.texts:
                if fitting:
                    self.twice.add(table)
                    self._stop_both(fitting[0], self.texts[table])
            elif len(fitting) > 1:
                self._stop_twice(fitting, title)
            elif fitting:
                found[schema] = fitting[0]
                self._mention_title(fitting[0], title)
            elif not about(schema)["optional"]:
                self._stop_missing(title, free)
        return found

    def _fitting(self, schema: Schema, free: list[Entry]) -> list[Entry]:
        """The sheets that may hold a table, by their headings or nearly by their title.

        A title that is nearly right needs a few headings only: the sheet may only be
        misspelt, and to bill without it would be worse than to ask.
        """
        optional = bool(about(schema)["optional"])
        fitting = [
            entry
            for entry in free
            if self._has(entry, lambda grid: fits(grid.rows, schema, well=optional))
        ]
        if fitting or not optional:
            return fitting
        titles = {entry.title: entry for entry in free}
        close = difflib.get_close_matches(title_of(schema), list(titles), 1, _NEARLY)
        return [
            titles[title]
            for title in close
            if self._has(titles[title], lambda grid: heading_row(grid.rows, schema) > 0)
        ]

    def _has(self, entry: Entry, test: Callable[[Grid], bool]) -> bool:
        try:
            return test(self._grid(entry))
        except Unusable:
            return False  # a sheet nobody asked for may be as odd as it likes

    def _mention_title(self, entry: Entry, title: str) -> None:
        self._problem(
            Severity.CHECK, "sheet-renamed", Place(self.file, entry.title),
            f"there is no sheet {title}; this one has its headings and was read",
            f"name the sheet {title}",
        )  # fmt: skip

    def _stop_missing(self, title: str, free: list[Entry]) -> None:
        titles = [entry.title for entry in free]
        close = difflib.get_close_matches(title, titles, 1)
        repair = f"add the sheet {title}"
        if close:
            repair = f"did you mean the sheet {close[0]}? see its title and headings"
        self._problem(
            Severity.STOPS, "sheet-missing", Place(self.file),
            f"the sheet {title} is missing", repair,
        )  # fmt: skip

    def _read_sheet(self, schema: Schema, entry: Entry) -> None:
        try:
            grid = self._as_shown(schema, entry)
        except Unusable as unusable:
            place = Place(self.file, entry.title)
            self.reading.problems.append(refusal(place, unusable))
            return
        if not grid.facts.filled_rows and about(schema)["optional"]:
            return
        self.keep(self.reading, schema, grid)
        if entry.state != "visible":
            self._problem(
                Severity.CHECK, "sheet-hidden", Place(self.file, entry.title),
                "the sheet is hidden and was read",
                "unhide it so that mistakes in it can be seen",
            )  # fmt: skip

    def _as_shown(self, schema: Schema, entry: Entry) -> Grid:
        grid = self._grid(entry)
        if not matters(schema, set(self.package.styles.shown.values())):
            return grid
        walked = inspect(self.package, entry, walk_all=True)
        return as_shown(grid, schema, walked.shown)

    def _grid(self, entry: Entry) -> Grid:
        if entry.title not in self.grids:
            grid = grid_of(self.file, self.package, entry)
            self.cells += _beyond_plain(grid)
            if self.cells > MOST_CELLS:
                raise too_large()
            self.grids[entry.title] = grid
        return self.grids[entry.title]

    def _look_alikes(self, claimed: dict[str, Entry]) -> None:
        """Copies of a sheet in the workbook, which staff may have edited instead."""
        for entry in self.package.sheets:
            if entry in claimed.values():
                continue
            for used in claimed.values():
                if heading(entry.title).startswith(heading(used.title)):
                    self._problem(
                        Severity.CHECK, "sheet-copy", Place(self.file, entry.title),
                        f"this sheet was not read, only {used.title} was",
                        "move copies to a workbook of their own",
                    )  # fmt: skip

    def _mention_elsewhere(self, claimed: dict[str, Entry]) -> None:
        """Sheets of tables that are read in another workbook."""
        for entry in self.package.sheets:
            schema = titled(entry.title)
            if schema is None or schema in self.schemas or entry in claimed.values():
                continue
            if self._has(entry, partial(has_rows, schema=schema)):
                problem = sheet_elsewhere(self.file, entry.title, schema)
                self.reading.problems.append(problem)

    def _mention_unused(self) -> None:
        """A workbook all of whose tables are optional or kept as CSV."""
        titles = ", ".join(title_of(schema) for schema in self.schemas)
        self._problem(
            Severity.CHECK, "workbook-unused", Place(self.file),
            f"no sheet of this workbook was read; none is called {titles}"
            " or has the headings",
            "correct the sheet's title and headings, or move the workbook out of"
            " the folder",
        )  # fmt: skip

    def _problem(
        self, severity: Severity, code: str, place: Place, found: str, repair: str
    ) -> None:
        self.reading.problems.append(
            Problem(severity, code, place, found, repair=repair)
        )


def _beyond_plain(grid: Grid) -> int:
    """How many cells there are, but those that a long sheet of plain rows may have."""
    cells = len(grid.rows) * len(grid.rows[0]) if grid.rows else 0
    return 0 if MOST_CELLS < cells <= grid.facts.room else cells


def grid_of(file: str, package: Package, entry: Entry) -> Grid:
    """A sheet's values with its error cells, read in two ways that must agree.

    Where the quick comparison of plain rows finds a difference, every row is walked and
    compared cell by cell, which decides.
    """
    try:
        facts = inspect(package, entry)
        table = _table_of(package, entry, facts)
    except Differing:
        facts = inspect(package, entry, walk_all=True)
        table = _table_of(package, entry, facts)
    return Grid(file, entry.title, table, facts)


def _table_of(package: Package, entry: Entry, facts: Facts) -> RawTable:
    """The values of a sheet that was inspected, which must agree with its facts."""
    agreement = Agreement(facts, package.date1904)
    gathered: list[Gathering] = []
    head: list[list[object]] = []
    count = 0
    with unheard():
        reader = CalamineWorkbook.from_filelike(io.BytesIO(package.alone(entry)))
        sheet = reader.get_sheet_by_index(0)
        for rows in _in_parts(sheet):
            _put_errors(facts, rows, count + 1)
            if not gathered:
                gathered = [Gathering() for _ in rows[0]]
            parts = agreement.rows(count + 1, rows)
            if not count:
                head = RawTable(parts, len(rows))[:]
            else:
                for column, part in zip(gathered, parts, strict=True):
                    column.add(part)
            count += len(rows)
    last = max(facts.filled_rows, default=0)
    if last > count:
        raise unreliable()
    agreement.finish()
    below = max(last - len(head), 0)
    return RawTable([c.column(below) for c in gathered], below, head[:last])


def _in_parts(sheet: CalamineSheet) -> Iterator[list[list[object]]]:
    """The rows of a sheet from its first, some at a time, from the first column on."""
    if sheet.start is None:
        return
    left: list[object] = [""] * sheet.start[1]
    rows: Iterator[list[object]] = map(left.__add__, sheet.iter_rows())
    yield list(islice(rows, _HEAD))
    at_once = max(1, _CELLS_AT_ONCE // (sheet.end[1] + 1 if sheet.end else 1))
    while part := list(islice(rows, at_once)):
        yield part


def _put_errors(facts: Facts, rows: list[list[object]], first: int) -> None:
    """Error cells, which the reader leaves blank, in their places."""
    for (number, column), text in facts.errors.items():
        if 0 <= number - first < len(rows):
            if column >= len(rows[0]):
                raise unreliable()
            rows[number - first][column] = CellError(text)


def _read_text(folder: Path, name: str, schema: Schema, reading: Reading) -> Grid:
    """The cells of one CSV file; what was found on the way goes into the reading."""
    content = _contents(folder, name, reading)
    known = frozenset(known_headings(schema))
    separated = read_separated(content, known)
    if separated.lines and heading_row(separated.rows, schema) != separated.lines.top:
        separated = read_separated(content, known, in_bulk=False)
    if separated.windows:
        reading.problems.append(_windows_text(name))
    return _grid_of_text(name, schema, separated)


def _windows_text(name: str) -> Problem:
    return Problem(
        Severity.CHECK,
        "csv-windows",
        Place(name),
        "the file was read as Windows text; check the accents in it",
        repair="save it as CSV UTF-8 (File, Save As)",
    )


def _grid_of_text(name: str, schema: Schema, separated: Separated) -> Grid:
    """CSV rows made as wide as their headings; longer ones are marked."""
    rows = separated.rows
    number = heading_row(rows, schema)
    facts, too_wide = Facts(filled_rows=separated.filled), separated.too_wide(number)
    if separated.lines:
        return Grid(name, title_of(schema), rows, facts, True, too_wide)
    width = len(rows[number - 1]) if number else max(map(len, rows), default=0)
    blank: list[object] = [None] * width  # one for all: there may be a million
    even = [row[:width] + blank[len(row) :] if row else blank for row in rows]
    return Grid(name, title_of(schema), even, facts, True, too_wide)


def _missing_files(listing: Listing) -> list[Problem]:
    """Tables the night cannot do without that no file answers for."""
    problems = []
    for stem in WORKBOOKS:
        tables = [schema for schema in INPUTS if about(schema)["file"] == stem]
        absent = [
            schema
            for schema in tables
            if not about(schema)["optional"]
            and name_of(schema) not in {*listing.texts, *listing.twice}
        ]
        if stem in listing.workbooks or stem in listing.refused or not absent:
            continue
        required = [schema for schema in tables if not about(schema)["optional"]]
        if absent == required:
            problems.append(_missing_workbook(listing, stem))
        else:
            problems += [_missing_text(stem, schema) for schema in absent]
    return problems


def _missing_text(stem: str, schema: Schema) -> Problem:
    return Problem(
        Severity.STOPS, "file-missing", Place(f"{name_of(schema)}.csv"),
        f"the file is missing, and there is no {stem}.xlsx with a sheet"
        f" {title_of(schema)}",
        repair="put one of the two into the practice folder",
    )  # fmt: skip


def _missing_workbook(listing: Listing, stem: str) -> Problem:
    close = listing.closest_to(stem)
    repair = "put it into the practice folder under exactly this name"
    if close:
        repair = f"did you mean {close}? rename it to {stem}.xlsx"
    return Problem(
        Severity.STOPS, "file-missing", Place(f"{stem}.xlsx"), "the file is missing",
        repair=repair,
    )  # fmt: skip
