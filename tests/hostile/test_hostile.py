"""Hostile files in the place of a sheet: a plain message, nothing shown, nothing billed.

Each is read through the boundary the program uses, with its rows counted by hand; then
the program itself is run on it.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import practice
from tests.hostile.books import Book
from tests.hostile.cases import FINE, HELD, REFUSED, Case, Text
from tests.hostile.limits import FILES
from tests.hostile.limits import TEXTS as TEXTS_OF_SIZE
from tests.hostile.reading import read
from tests.hostile.text_cases import TEXTS
from tests.hostile.workbook_cases import ANYWHERE, SECRET, WORKBOOKS

ROOT = Path(__file__).parents[2]
DAY = "2026-03-02"
PERSONAL = ("Quillfeather", "Thistlewood", "Annabel", "Barnaby", SECRET)
# The first three may not be missing.
PLACES = ("patients", "products", "settings", "sent_log", "invoice_requests")
MISSING = "the sheet "


@pytest.fixture
def folder(first_night: Path, tmp_path: Path) -> Path:
    """A practice that was billed once."""
    return practice.copied(first_night, tmp_path / "practice")


def lay(folder: Path, stem: str, case: Case | Text) -> str:
    """Put a hostile file in the place of a sheet and say its name."""
    if isinstance(case, Text):
        practice.write(folder, stem, practice.sheets()[stem])
        text = (folder / f"{stem}.csv").read_bytes().decode()
        (folder / f"{stem}.csv").write_bytes(case.make(text))
        return f"{stem}.csv"
    (folder / f"{stem}.csv").unlink(missing_ok=True)
    (folder / f"{stem}.xlsx").write_bytes(case.make(Book(stem)))
    return f"{stem}.xlsx"


def shown(result: practice.Result) -> str:
    """What stood on the terminal, which must be plain."""
    return plain(result.out + result.err)


def plain(text: str) -> str:
    """Words for the terminal; nothing of a person or for its controls may be in them."""
    assert not [word for word in PERSONAL if word in text]
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text
    )
    assert "Traceback" not in text
    return text


def test_there_are_more_than_a_hundred_hostile_files() -> None:
    names = [str(case) for case in (*WORKBOOKS, *TEXTS)]
    assert len(WORKBOOKS) > 100
    assert len(TEXTS) > 50
    assert len({*map(str, WORKBOOKS)}) == len(WORKBOOKS), names
    assert len({*map(str, TEXTS)}) == len(TEXTS), names


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("case", [*WORKBOOKS, *TEXTS], ids=str)
def test_a_hostile_file_is_told_in_plain_words_and_its_rows_counted(
    tmp_path: Path, case: Case | Text
) -> None:
    file = lay(tmp_path, "patients", case)
    found = read(tmp_path)  # the other sheets are missing, which is told of them alone
    told = found.of(file)
    plain("\n".join(told))
    stops = [problem for problem in found.stops if problem.place.file == file]
    assert any(case.says in line for line in told) or (not case.says and not told)
    assert not any(problem.code == "unreadable" for problem in found.problems)
    if case.code == REFUSED:
        assert stops
        return
    assert not stops
    count = found.counts["patients"]
    assert count.adds_up
    assert count.filled == case.rows
    assert (count.held > 0) == (case.code == HELD)


# What only a file of patients can hold; other text may stand in the place of the staff.
OF_PATIENTS = {
    "a quotation mark never closed", "text after a closed quotation mark",
    "letters saved in two ways", "one heading twice",
}  # fmt: skip
# So large that it is read once, above.
LARGE = "more lines than a spreadsheet"


def _one_of_each_message() -> list[Case | Text]:
    """Of the files that are refused, the first of which each thing is said."""
    refused: dict[tuple[bool, str], Case | Text] = {}
    for case in (*ANYWHERE, *TEXTS):
        if case.code == REFUSED and case.name != LARGE:
            is_text = isinstance(case, Text)
            # Where nothing is expected to be said in so many words, each counts.
            refused.setdefault((is_text, case.says or case.name), case)
    return [*refused.values()]


def _batches() -> list[dict[str, Case | Text]]:
    """These files, several to a practice: each must be named whatever the others are."""
    cases = _one_of_each_message()
    texts = [case for case in cases if isinstance(case, Text)]
    required: list[Case | Text] = [case for case in cases if case.says == MISSING]
    anywhere: list[Case | Text] = [
        case for case in cases if case not in texts and case not in required
    ]
    of_patients: list[Case | Text] = [c for c in texts if c.name in OF_PATIENTS]
    of_staff: list[Case | Text] = [c for c in texts if c.name not in OF_PATIENTS]
    batches = []
    while of_patients or of_staff or required or anywhere:
        batch = {}
        for stem in (*PLACES, "staff", "roles"):
            queues = [anywhere]
            if stem in ("staff", "roles"):
                queues = [of_staff]
            elif stem in PLACES[:3]:
                queues = [required, anywhere]
            if stem == "patients":
                queues = [of_patients, *queues]
            queue = next((queue for queue in queues if queue), None)
            if queue is not None:
                batch[stem] = queue.pop()
        batches.append(batch)
    return batches


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "batch", _batches(), ids=lambda batch: "; ".join(map(str, batch.values()))
)
def test_files_that_cannot_be_used_stop_the_night_and_leave_the_ledger(
    folder: Path, batch: dict[str, Case | Text]
) -> None:
    before = practice.files(folder / "ledger")
    files = {lay(folder, stem, case): case for stem, case in batch.items()}
    night = practice.bill(folder, "2026-03-31")
    assert night.code == REFUSED
    lines = shown(night).splitlines()
    for file, case in files.items():
        assert [
            line
            for line in lines
            if line.startswith(f"Stops the night: {file}: ") and case.says in line
        ], lines
    assert lines[-1] == "Nothing was billed, and the ledger is as it was."
    assert practice.files(folder / "ledger") == before


TOLD = [case for case in (*WORKBOOKS, *TEXTS) if case.code == HELD]
# What shapes the whole file stands in one of its own; the rows of the others in one.
ALONE = ("rows merged by ten thousand areas", "a surrogate in UTF-8")
TOGETHER = [case for case in TOLD if case.name not in ALONE]


def _one_book(cases: list[Case]) -> tuple[bytes, dict[str, range]]:
    """A workbook in which each of the cases has a patient of its own, and their rows."""
    headings, row, *_ = Book().rows
    book = Book(rows=[headings, *([f"P{n}", *row[1:]] for n in range(len(cases)))])
    rows = {}
    for book.first, case in enumerate(cases, 2):
        case.make(book)
        rows[case.name] = range(book.first, book.first + 1)
    return book.saved(), rows


def _one_text(cases: list[Text], text: str) -> tuple[bytes, dict[str, range]]:
    """A CSV file in which each of the cases has patients of its own, and their rows."""
    lines, rows = text.encode().splitlines(keepends=True)[:1], {}
    for letter, case in zip("ABCDEFGH", cases, strict=False):
        _, *own = case.make(text).splitlines(keepends=True)
        rows[case.name] = range(len(lines) + 1, len(lines) + 1 + len(own))
        lines += [re.sub(rb"P([129])", rb"%b\1" % letter.encode(), row) for row in own]
    return b"".join(lines), rows


def _checked(folder: Path) -> list[str]:
    checked = practice.run("check", folder, "--as-of", DAY)
    assert checked.code == HELD
    return shown(checked).splitlines()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What `check` says of the rows of each case.

    One of those that shape their whole file stands beside the text, the other beside
    the workbook, in the place of another sheet.
    """
    folder = practice.make(tmp_path_factory.mktemp("told"))
    text = (folder / "patients.csv").read_bytes().decode()
    found = {}

    def look(
        beside: Case | Text, stem: str, rows: dict[str, range], start: str
    ) -> None:
        file = lay(folder, stem, beside)
        lines = _checked(folder)
        found[beside.name] = [li for li in lines if f": {file}: " in li]
        for name, own in rows.items():
            places = [start.format(row=row) for row in own]
            found[name] = [li for li in lines for at in places if re.search(at, li)]

    merged, surrogate = (c for name in ALONE for c in TOLD if c.name == name)
    content, rows = _one_text([c for c in TOGETHER if isinstance(c, Text)], text)
    (folder / "patients.csv").write_bytes(content)
    look(merged, "products", rows, r"^Not billed: patients\.csv: row {row}, ")
    (folder / "patients.csv").unlink()
    shutil.move(folder / "products.xlsx", folder.parent / "merged.xlsx")
    practice.write(folder, "products", practice.sheets()["products"])
    content, rows = _one_book([c for c in TOGETHER if isinstance(c, Case)])
    (folder / "patients.xlsx").write_bytes(content)
    look(
        surrogate, "staff", rows, r"^Not billed: patients\.xlsx: Patients![A-Z]+{row}: "
    )
    return found


@pytest.mark.parametrize("case", TOLD, ids=str)
def test_a_file_with_hostile_rows_is_read_and_its_doubts_are_told(
    case: Case | Text, told: dict[str, list[str]]
) -> None:
    assert any(case.says in line for line in told[case.name])


def test_files_that_are_only_odd_are_read_in_every_place(tmp_path: Path) -> None:
    odd = [case for case in ANYWHERE if case.code == FINE]
    assert len(odd) > 10
    for start in range(0, len(odd), len(PLACES)):
        folder = practice.make(tmp_path / str(start))
        for stem, case in zip(PLACES, odd[start:], strict=False):
            lay(folder, stem, case)
        assert not read(folder).problems
    # The last of them as the program tells it.
    checked = practice.run("check", folder, "--as-of", DAY)
    assert (checked.code, checked.err) == (FINE, "")


def test_what_is_no_file_is_refused_by_its_true_name(folder: Path) -> None:
    tables = {
        "patients": "this is a pipe and no file",
        "products": "this is a folder and no file",
        "settings": "this is a link to a place outside the practice folder",
        "staff": "this is a link to a place outside the practice folder",
        "roles": "this is a socket and no file",
        "tax_codes": "this is a link that leads nowhere",
    }
    outside = folder.parent / "settings.csv"
    shutil.move(folder / "settings.csv", outside)
    for table in tables:
        (folder / f"{table}.csv").unlink(missing_ok=True)
    os.mkfifo(folder / "patients.csv")
    (folder / "products.csv").mkdir()
    (folder / "settings.csv").symlink_to(outside)
    (folder / "staff.csv").symlink_to("/dev/zero")
    (folder / "tax_codes.csv").symlink_to("tax_codes.csv")
    before, here = practice.files(folder / "ledger"), Path.cwd()
    os.chdir(folder)  # a socket's path may only be short
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("roles.csv")
            night = practice.bill(folder, "2026-03-31")
    finally:
        os.chdir(here)
    assert night.code == REFUSED
    lines = shown(night).splitlines()
    for table, says in tables.items():
        assert any(
            line.startswith(f"Stops the night: {table}.csv: {says}") for line in lines
        )
    assert practice.files(folder / "ledger") == before


ODD_NAMES = (
    b"patients (1)\nStops the night: all is well.xlsx",
    b"patients\x1b[2J.xlsx",
    b"pati\xffents.csv",
    "patients\u202excod.xlsx".encode(),
    b"..%2fpatients.csv",
    b"-rf.csv",
    b"$(reboot).xlsx",
    b"'; drop table patients; --.csv",
    b"con.xlsx",
    b"a" * 250 + b".csv",
)


def test_files_of_odd_names_beside_the_sheets_are_left_alone(folder: Path) -> None:
    for name in ODD_NAMES:
        (Path(os.fsdecode(os.fsencode(folder) + b"/" + name))).write_bytes(b"junk")
    checked = practice.run("check", folder, "--as-of", DAY)
    assert checked.code == FINE
    shown(checked)
    assert {*checked.err.splitlines()} == {
        f"Check: {name}: the file's name has characters that cannot be shown; it was not"
        " read; give it a plain name, or move it out of the folder"
        for name in (
            "pati?ents.csv",
            "patients (1)?Stops the night: all is well.xlsx",
            "patients?[2J.xlsx",
            "patients?xcod.xlsx",
        )
    }


def test_the_largest_of_them_need_no_more_than_700_mb_and_no_long_time() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.hostile.limits"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    found = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [title for title, *_ in found] == [*FILES, *TEXTS_OF_SIZE]
    told = {title: said for title, said, *_ in found}
    assert told.pop("an ordinary workbook") == []
    assert not any(
        "could not be read;" in line for said in told.values() for line in said
    )
    assert {title for title, said in told.items() if not said} == {
        "zeros said to be ten bytes", "three hundred thousand elements of no meaning",
    }  # fmt: skip
