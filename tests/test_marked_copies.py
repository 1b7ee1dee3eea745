"""Marked copies: red where something is wrong, for looking only, and never in the way."""

import os
import stat
import zipfile
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import practice
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.worksheet.table import Table
from practice import member

from pipeline import marked_copies
from pipeline.copy_frame import MOST_ROWS
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import read_practice
from tests import office

DAY = date(2026, 3, 2)
NAME = "patients - problems marked 2026-03-02.xlsx"
CSV = ("settings", "tax_codes", "staff", "roles", "products")


def a_problem(cell: str = "B3", found: str = "=cmd() is not a name") -> Problem:
    place = Place("patients.xlsx", "Patients", 3, "First name", cell)
    return Problem(Severity.HELD, "not-a-name", place, found, "a name", "write a name")


def make(folder: Path, *problems: Problem) -> marked_copies.Copies:
    return marked_copies.make(folder, problems or (a_problem(),), DAY, None)


def opened(copies: marked_copies.Copies) -> Workbook:
    return load_workbook(BytesIO(copies.files[NAME]))


def office_folder(
    folder: Path, change: Callable[[Workbook], object] | None = None
) -> Path:
    """The practice with its patients in a workbook, and what somebody did to it."""
    made = office.books()
    if change:
        change(made["patients"])
    return office.save(folder, made)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice after a night with four mistakes in a workbook and one in a CSV."""
    given = practice.sheets()
    given["patients"] += [
        member("P3", start_date="31/02/2026", first_name="=1+1"),
        member("P4", membership="GOLDD"),
    ]
    folder = tmp_path_factory.mktemp("marked")
    made = office.books({"patients": given["patients"]})
    made["patients"]["Patients"]["A5"].comment = Comment("rang on Monday", "Di")
    office.save(folder, made)
    given["settings"].append(
        {"Setting": "Colour", "Value": "red", "Last edited by": "mm"}
    )
    practice.make(folder, {name: given[name] for name in CSV})
    old = folder / "out/marked/patients - problems marked 2026-03-01.xlsx"
    old.parent.mkdir(parents=True, mode=0o700)
    old.write_bytes(b"of the night before")
    old.chmod(0o600)
    (folder / "out").chmod(0o700)
    os.utime(folder / "patients.xlsx", ns=(10**18, 10**18))
    before = {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
        if path.is_file()
    }
    result = practice.bill(folder, "2026-03-02")
    assert result.code == 3
    for path, (content, modified) in before.items():
        assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, modified), path
    return folder


def test_notes_about_patients_do_not_lie_in_a_second_place(tmp_path: Path) -> None:
    def note(book: Workbook) -> None:
        sheet = book["Patients"]
        sheet["L1"], sheet["L2"], sheet["L3"] = "NOTES", "asthma", "telephoned"
        sheet["L3"].comment = Comment("see letter", "Di")

    (content,) = make(office_folder(tmp_path, note)).files.values()
    with zipfile.ZipFile(BytesIO(content)) as archive:
        whole = b"".join(map(archive.read, archive.namelist()))
    assert b"Thistlewood" in whole
    assert b"unharmed in patients.xlsx: what stands in Notes." in whole
    assert not [word for word in (b"asthma", b"telephoned", b"letter") if word in whole]


class TestANight:
    def test_marks_the_cells_in_red_with_what_to_do(self, night: Path) -> None:
        sheet = load_workbook(night / "out/marked" / NAME)["Patients"]
        red = {
            cell.coordinate: cell.font.b
            for row in sheet
            for cell in row
            if cell.fill.fgColor.rgb == "FFFF9C94"
        }
        assert red == dict.fromkeys(("B4", "G4", "A5", "E5"), True)
        assert sheet["G4"].comment.text == (
            "Not billed: 31/02/2026 is not a date.\n"
            "Expected: A date, such as 04/03/2026 in a date cell or 2026-03-04.\n"
            "How to fix: Write it as a date cell or as 2024-01-31.\n"
            "(date-not-real)"
        )

    def test_says_at_its_head_that_it_is_a_copy(self, night: Path) -> None:
        sheet = load_workbook(night / "out/marked" / NAME)["Patients"]
        assert sheet["A1"].comment.text == (
            "COPY of patients.xlsx, Monday 2 March 2026.\n"
            "The program does not read this copy. Repair the red cells in patients.xlsx"
            " itself, beside the folder out, and save it; this copy is made again every"
            " night."
        )

    def test_keeps_what_stood_in_the_cells(self, night: Path) -> None:
        copy = load_workbook(night / "out/marked" / NAME)["Patients"]
        original = load_workbook(night / "patients.xlsx")["Patients"]
        for row in original:
            for cell in row:
                assert copy[cell.coordinate].value == cell.value
        assert copy["B4"].data_type == "s"
        assert copy["A5"].comment.text.endswith("original: rang on Monday")

    def test_leaves_only_its_own_copies_for_the_owner_alone(self, night: Path) -> None:
        assert [path.name for path in (night / "out/marked").iterdir()] == [NAME]
        mode = stat.S_IMODE((night / "out/marked" / NAME).stat().st_mode)
        assert mode == 0o600
        assert stat.S_IMODE((night / "out/marked").stat().st_mode) == 0o700

    def test_asks_to_be_opened_for_reading_only(self, night: Path) -> None:
        with zipfile.ZipFile(night / "out/marked" / NAME) as archive:
            assert b'readOnlyRecommended="1"' in archive.read("xl/workbook.xml")

    def test_tells_the_issues_workbook_of_each_file(self, night: Path) -> None:
        summary = load_workbook(night / "out/issues.xlsx")["Summary"]
        rows = [row[:4] for row in summary.iter_rows(values_only=True)]
        start = next(at for at, row in enumerate(rows) if row[0] == "Workbook")
        assert rows[start + 1 : start + 3] == [
            ("patients.xlsx", 4, f"marked/{NAME}", None),
            ("settings.csv", 1, "none", "A CSV file cannot hold a mark."),
        ]
        assert practice.last_run(night)["marked"][0]["copy"] == f"marked/{NAME}"

    def test_names_who_can_repair_each_problem(self, night: Path) -> None:
        sheet = load_workbook(night / "out/issues.xlsx")["Problems"]
        rows = list(sheet.iter_rows(min_row=5, min_col=3, max_col=4, values_only=True))
        assert {*rows} == {
            ("Di Desk or Mo Manager", "patients.xlsx"),
            ("Mo Manager", "settings.csv"),
        }

    def test_is_remembered_by_the_check_of_another_day(
        self, night: Path, tmp_path: Path
    ) -> None:
        folder = practice.copied(night, tmp_path / "later")
        practice.change(folder, "staff", "dd", {"User": "di"})
        practice.run("check", folder, today="2026-03-05")
        book = load_workbook(folder / "out/issues.xlsx")
        rows = list(book["Problems"].iter_rows(min_row=5, values_only=True))
        seen = {row[16]: (row[14].date(), row[15]) for row in rows}
        assert seen["date-not-real"] == (DAY, 1)
        assert [path.name for path in (folder / "out/marked").iterdir()] == [
            "patients - problems marked 2026-03-05.xlsx"
        ]

    def test_is_none_of_the_ledgers_affairs(self, night: Path, tmp_path: Path) -> None:
        folder = practice.copied(night, tmp_path / "again")
        (folder / "out/marked" / NAME).unlink()
        assert practice.run("rebuild", folder).code == 0
        assert not (folder / "out/marked" / NAME).exists()
        assert practice.run("verify", folder).code == 0

    def test_a_check_without_problems_takes_the_copies_away(
        self, night: Path, tmp_path: Path
    ) -> None:
        folder = practice.copied(night, tmp_path / "clean")
        office.save(folder, office.books({"patients": practice.sheets()["patients"]}))
        practice.remove(folder, "settings", "Colour")
        practice.run("check", folder, today="2026-03-03")
        assert not (folder / "out/marked").exists()

    def test_names_the_workbook_in_the_properties_of_the_copy(
        self, night: Path
    ) -> None:
        book = load_workbook(night / "out/marked" / NAME)
        assert book.custom_doc_props["billing_marked_copy"].value == "patients.xlsx"


def test_a_refused_night_has_its_copies_too(tmp_path: Path) -> None:
    def harm(book: Workbook) -> None:
        book["Patients"]["G1"] = "Start dte"

    folder = office_folder(tmp_path, harm)
    assert practice.run("bill", folder, today="2026-03-02").code == 4
    summary = load_workbook(folder / "out/issues.xlsx")["Summary"]
    assert summary["A2"].value == "The night of Monday 2 March 2026"
    sheet = load_workbook(folder / "out/marked" / NAME)["Patients"]
    assert sheet["G1"].fill.fgColor.rgb == "FFFF9C94"


@pytest.mark.parametrize(
    "name", [NAME, "patients (1).xlsx", "patients-DESKTOP-7Q.xlsx"]
)
def test_a_copy_in_the_practice_folder_is_not_read(name: str, tmp_path: Path) -> None:
    folder = office_folder(tmp_path)
    (folder / name).write_bytes(make(folder).files[NAME])
    reading = read_practice(folder)
    assert "patients" in reading.sheets
    assert set(reading.files) == {"settings.xlsx", "products.xlsx", "patients.xlsx"}
    assert not [p for p in reading.problems if p.severity is Severity.STOPS]


def test_a_copy_in_the_place_of_the_workbook_stops_the_night(tmp_path: Path) -> None:
    folder = office_folder(tmp_path)
    (folder / "patients.xlsx").write_bytes(make(folder).files[NAME])
    (problem,) = read_practice(folder).problems
    assert (problem.code, str(problem)) == (
        "marked-copy",
        "patients.xlsx: this is a marked copy that the program made, not the office's"
        " workbook; bring back patients.xlsx itself, and repair it there",
    )


def test_the_same_workbook_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = office_folder(tmp_path)
    assert make(folder).files == make(folder).files
    with zipfile.ZipFile(BytesIO(make(folder).files[NAME])) as archive:
        assert {info.date_time[:3] for info in archive.infolist()} == {(1980, 1, 1)}
        assert b"2026-03-02T00:00:00Z</dcterms:modified>" in archive.read(
            "docProps/core.xml"
        )


def _odd(book: Workbook) -> None:
    """A chart, a formula, merged cells, a table and a link, as offices have them."""
    sheet = book["Patients"]
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3))
    sheet.add_chart(chart, "N2")
    sheet["M3"] = "='[1]Old'!A1"
    sheet["N3"].hyperlink = "https://example.org/a?b=1&c=2"
    sheet.merge_cells("M5:N6")
    sheet.add_table(Table(displayName="Patients", ref="A1:K3"))
    book.create_sheet("Rota", 0)["A1"] = "mine"


def test_what_a_copy_lacks_is_named(tmp_path: Path) -> None:
    copies = make(office_folder(tmp_path, _odd), a_problem(), a_problem("N6"))
    lacks = "charts, formulas (their saved values are shown)"
    assert [note.words for note in copies.notes] == [f"without {lacks}"]
    book = opened(copies)
    sheet = book["Patients"]
    assert sheet["A1"].comment.text.endswith(
        f"Not in this copy, and unharmed in patients.xlsx: {lacks}."
    )
    assert sheet["M3"].value is None
    assert sheet["N3"].hyperlink.target == "https://example.org/a?b=1&c=2"
    assert list(sheet.tables) == ["Patients"]
    assert sheet["M5"].fill.fgColor.rgb == "FFFF9C94"  # N6 is a part of it
    assert book.sheetnames == ["Rota", "Patients"]
    assert book.active.title == "Patients"


def _long(book: Workbook) -> None:
    for number in range(5, MOST_ROWS + 5):
        book["Patients"].row_dimensions[number].height = 12


def _far(book: Workbook) -> None:
    """Merged in the file alone: openpyxl would be busy with such an area for days."""
    book["Patients"].merge_cells("A5:B6")


def _merged_to_the_end(folder: Path) -> None:
    file, made = folder / "patients.xlsx", BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"A5:B6", b"A5:XFD1048576"))
    file.write_bytes(made.getvalue())


REFUSED = [
    pytest.param(_far, "its merged cells or links cover a whole sheet", id="merged"),
    pytest.param(_long, "it has more than 10,000 rows", id="long"),
]


@pytest.mark.parametrize(("harm", "why"), REFUSED)
def test_a_workbook_that_would_take_too_long_is_not_copied(
    harm: Callable[[Workbook], None], why: str, tmp_path: Path
) -> None:
    folder = office_folder(tmp_path, harm)
    _merged_to_the_end(folder)
    copies = make(folder)
    assert copies.notes == (marked_copies.Note("patients.xlsx", "", why),)


def test_a_file_that_changed_since_it_was_read_is_not_marked(tmp_path: Path) -> None:
    folder = office_folder(tmp_path)
    copies = marked_copies.make(folder, [a_problem()], DAY, {"patients.xlsx": "0" * 64})
    assert [note.words for note in copies.notes] == ["it was changed after it was read"]


def test_whatever_goes_wrong_with_a_copy_is_told_and_harms_nothing(
    tmp_path: Path,
) -> None:
    folder = office_folder(tmp_path)
    with patch("pipeline.exports.marked_copy.render", side_effect=KeyError("no such")):
        copies = make(folder)
    assert [note.words for note in copies.notes] == ["it could not be copied"]


def test_a_copy_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    folder = office_folder(tmp_path)
    (folder / "out").mkdir()
    (folder / "out/marked").symlink_to(tmp_path.parent)
    (warning,) = marked_copies.put(folder / "out", make(folder))
    assert warning.startswith(f"marked/{NAME} could not be written")
    assert not (tmp_path.parent / NAME).exists()


def test_other_files_beside_the_copies_are_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "marked/my notes.xlsx"
    mine.parent.mkdir()
    mine.touch()
    assert marked_copies.put(tmp_path, marked_copies.Copies({}, ())) == []
    assert mine.exists()
