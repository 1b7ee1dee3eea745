"""Another system's export becomes a Patients sheet, and nothing of it is guessed."""

import re
import shutil
from datetime import date, datetime
from pathlib import Path

import openpyxl
import practice
import pytest
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.exports.templates import write_templates
from pipeline.ingest import read_sheet
from pipeline.starting.mapping import date_form
from pipeline.workbooks import read_practice
from schemas.inputs import Patients

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "docs/import-example"
PAGE = (ROOT / "docs/moving-in.md").read_text(encoding="utf-8")

PLAIN = """
dates = "d/m/yyyy"
[columns]
"Patient ID" = "No"
"First name" = "First"
"Last name" = "Last"
"Membership active" = "Member"
"Membership" = "Plan"
"Billing frequency" = "Pays"
"Start date" = "Since"
"""
HEADINGS = ["No", "First", "Last", "Member", "Plan", "Pays", "Since"]
ADA = ["007", "Ada", "Example", "Y", "GOLD", "monthly", "4/3/2026"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, so that commands are those of the page."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def block(mark: str) -> str:
    """What the page shows below a mark."""
    return re.split(r"```\w*\n", PAGE.partition(f"<!-- {mark} -->\n")[2])[1]


def imported(export: str = "export.csv", *options: str) -> practice.Result:
    """The command, run where the files are."""
    return practice.run("import", "patients", export, "--map", "mapping.toml", *options)


def given(place: Path, rows: list[list[str]], mapping: str = PLAIN) -> None:
    """An export as CSV and a mapping of it."""
    text = "\n".join(",".join(row) for row in [HEADINGS, *rows])
    (place / "export.csv").write_text(text, encoding="utf-8")
    (place / "mapping.toml").write_text(mapping, encoding="utf-8")


def given_book(place: Path, rows: list[list[object]], mapping: str = PLAIN) -> Workbook:
    """An export as a workbook, to be saved by `saved`, and a mapping of it."""
    book = openpyxl.Workbook()
    sheet: Worksheet = book["Sheet"]
    for row in [HEADINGS, *rows]:
        sheet.append(row)
    (place / "mapping.toml").write_text(mapping, encoding="utf-8")
    book.save(place / "export.xlsx")
    return book


def taken(path: Path = Path("patients.xlsx")) -> list[dict[str, object]]:
    """The patients of a workbook, blank cells left out."""
    rows = openpyxl.load_workbook(path)["Patients"].iter_rows(values_only=True)
    titles = next(rows)
    return [
        {t: v for t, v in zip(titles, row, strict=True) if v is not None}
        for row in rows
    ]


def test_the_page_shows_the_files_of_the_example() -> None:
    for name in ("export.csv", "mapping.toml"):
        assert block(name).startswith((EXAMPLE / name).read_text(encoding="utf-8"))


def test_the_example_comes_out_as_the_page_says(place: Path) -> None:
    shutil.copytree(EXAMPLE, place, dirs_exist_ok=True)
    found = imported()
    shown = block("run").partition("```")[0]
    assert (found.code, found.err) == (0, "")
    assert (
        f"$ membill import patients export.csv --map mapping.toml\n{found.out}" == shown
    )
    ada, _, celia, _, edith = taken()
    assert ada == {
        "Patient ID": "00017", "Title": "Ms", "First name": "Ada", "Last name": "Example",
        "Date of birth": datetime(1984, 5, 17), "Email": "ada@example.org",
        "Phone": "07700 900101", "Address line 1": "3 Quay Street", "Town": "Dunmarrow",
        "Postcode": "DM1 2AB", "Membership active": "Yes", "Membership": "GOLD",
        "Billing frequency": "Monthly", "Start date": datetime(2025, 1, 31),
        "Last edited by": "mm",
    }  # fmt: skip
    assert (celia["Membership active"], celia["Billing frequency"]) == ("No", "Annual")
    assert {"Membership", "Billing frequency"}.isdisjoint(edith)


def test_a_night_reads_the_workbook_without_a_word(place: Path) -> None:
    shutil.copytree(EXAMPLE, place, dirs_exist_ok=True)
    (place / "practice").mkdir()
    imported("export.csv", "--to", "practice/patients.xlsx")
    write_templates(place / "practice")
    reading = read_practice(place / "practice")
    parsing = read_sheet(Patients, reading.sheets["patients"])
    assert (reading.problems, parsing.problems) == ([], [])
    assert len(parsing.rows) == 5


def test_what_is_not_understood_is_listed_and_nothing_is_written(place: Path) -> None:
    shutil.copytree(EXAMPLE, place, dirs_exist_ok=True)
    mapping = (place / "mapping.toml").read_text(encoding="utf-8")
    for known in ('"Paused", ', ', "Enquiry"', 'dates = "dd.mm.yyyy"'):
        assert known in mapping
        mapping = mapping.replace(known, "")
    (place / "mapping.toml").write_text(mapping, encoding="utf-8")
    found = imported()
    shown = block("run without Paused, Enquiry and dates").partition("```")[0]
    assert found.code == 3
    assert shown.partition("\n")[2] == found.err + found.out
    assert {path.name for path in place.iterdir()} == {"export.csv", "mapping.toml"}


def held(*row: str) -> list[str]:
    """Ada's row with some cells changed: `held("Since", "soon")`."""
    changed = dict(zip(row[::2], row[1::2], strict=True))
    return [changed.get(title, cell) for title, cell in zip(HEADINGS, ADA, strict=True)]


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        pytest.param(
            [ADA, held("No", "8", "Member", "perhaps"), held("No", "9", "Member", "Perhaps ")],
            3,
            "Not understood: Membership active: perhaps is not among the words of the"
            ' mapping (row 3); say what it means under [values."Membership active"]\n'
            "Not understood: Membership active: Perhaps is not among the words of the"
            ' mapping (row 4); say what it means under [values."Membership active"]\n',
            id="a word that nobody explained",
        ),
        pytest.param(
            [held("Since", "31/04/2026"), held("No", "8", "Since", "4.3.2026")],
            3,
            "Not understood: Start date: not a date written as yyyy-mm-dd or d/m/yyyy,"
            " such as 31/04/2026 (rows 2, 3); say how the export writes dates, such as"
            ' dates = "dd/mm/yyyy", or what this one means under [values."Start date"]\n',
            id="a day that is none, or is written otherwise",
        ),
        pytest.param(
            [held("No", "Quill Feather!")],
            3,
            "Not understood: Patient ID: not a code of letters, digits, - _ . or /, such"
            " as GOLD (row 2)\n",
            id="an id that may be a name is not shown",
        ),
        pytest.param(
            [[*ADA, "more"]],
            3,
            "Not understood: Patient ID: the row has more cells than there are headings"
            " (row 2); put text that holds a comma between quotation marks, or delete the"
            " commas too many at the end of the row\n",
            id="a comma too many",
        ),
        pytest.param(
            [ADA, held("Plan", "SILVER"), held("No", "8", "Since", "")],
            3,
            "A night would hold: Patient ID: rows 2 and 3 are for the same Patient ID,"
            " 007, but differ (rows 2, 3); keep the right row and delete the others, or"
            " give each its own Patient ID\n"
            "A night would hold: Start date: Membership active is Yes but the Start date"
            " is blank (row 4); write the date the membership starts, for example"
            " 04/03/2026\n",
            id="rows to be mended in the new workbook",
        ),
        pytest.param(
            [ADA, ["", "", "Total", "", "", "", "1"]],
            0,
            "Check: Patient ID: row 3 is no part of the table and was skipped (row 3);"
            " keep totals and notes off this sheet\n",
            id="a total is no patient",
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_the_rows(
    place: Path, rows: list[list[str]], code: int, said: str
) -> None:
    given(place, rows)
    found = imported()
    assert (found.code, found.err) == (code, said)
    assert Path("patients.xlsx").exists() == ("Not understood" not in said)
    taken_rows = len(taken()) if Path("patients.xlsx").exists() else None
    skipped = said.count("was skipped")
    assert taken_rows in (None, len(rows) - skipped)


def test_words_dates_and_ids_are_kept_or_put_as_the_sheet_has_them(place: Path) -> None:
    given(place, [ADA, held("No", "8", "Since", "2026-03-05", "Last", "O’Neill ")])
    assert imported().code == 0
    first, second = taken()
    assert (first["Patient ID"], first["Membership active"]) == ("007", "Yes")
    assert first["Billing frequency"] == "Monthly"
    assert first["Start date"] == datetime(2026, 3, 4)
    assert second["Start date"] == datetime(2026, 3, 5)
    assert second["Last name"] == "O’Neill"


def test_a_column_may_serve_twice_and_blank_may_mean_something(place: Path) -> None:
    mapping = PLAIN + '"Bill from" = "Since"\n"Notes" = ["Plan", "Last"]\n'
    mapping += '[values."Membership active"]\nNo = ["", "left"]\n'
    mapping += '[values."Start date"]\n"" = ["00/00/0000"]\n'
    rows = [
        held("Member", "LEFT", "Since", "00/00/0000"),
        held("No", "8", "Member", ""),
    ]
    given(place, rows, mapping)
    found = imported()
    assert found.err.startswith("Not understood: Bill from: not a date written as")
    given(place, rows, mapping + '[values."Bill from"]\n"" = ["00/00/0000"]\n')
    assert imported().code == 0
    first, second = taken()
    assert (first["Membership active"], second["Membership active"]) == ("No", "No")
    assert "Start date" not in first and "Bill from" not in first
    assert second["Bill from"] == second["Start date"] == datetime(2026, 3, 4)
    assert first["Notes"] == "GOLD Example"


def test_a_workbook_keeps_its_date_cells_and_numbers(place: Path) -> None:
    row = [42, "Ada", "Example", True, "GOLD", "m", datetime(2026, 3, 4)]
    given_book(place, [row, [None] * 7, [43, "Bo", "Other", False, None, None, None]])
    found = imported("export.xlsx")
    assert (found.code, found.err) == (0, "")
    assert taken()[0] == {
        "Patient ID": "42", "First name": "Ada", "Last name": "Example",
        "Membership active": "Yes", "Membership": "GOLD", "Billing frequency": "Monthly",
        "Start date": datetime(2026, 3, 4),
    }  # fmt: skip
    assert len(taken()) == 2


def test_a_day_number_and_a_failed_formula_are_not_understood(place: Path) -> None:
    row = ["1", "Ada", "Example", "Yes", "GOLD", "m", 46085]
    given_book(place, [row, ["2", "Bo", "#N/A", "Yes", "GOLD", "m", None]])
    found = imported("export.xlsx")
    assert found.code == 3
    assert "Start date: not a date written as" in found.err and "(cell G2)" in found.err
    assert "Not understood: Last name: not text (cell C3)" in found.err


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (
            lambda book: book["Sheet"].__setitem__("C2", "=A2"), 4,
            "formulas were saved without their values (C2)",
        ),
        (
            lambda book: book["Sheet"].merge_cells("B2:C2"), 3,
            "Not understood: First name: the cell is merged with its neighbours (B2:C2)",
        ),
        (
            lambda book: book.copy_worksheet(book["Sheet"]), 2,
            "export.xlsx has more than one sheet with the headings; name it: sheet = ..."
            ' of "Sheet", "Sheet Copy"',
        ),
        (
            lambda book: book["Sheet"].__setitem__("A1", "Number"), 2,
            "export.xlsx has no sheet with the headings",
        ),
    ],
    ids=["no value", "merged", "two sheets", "no sheet"],
)  # fmt: skip
def test_a_workbook_that_cannot_be_trusted_is_not_taken(
    place: Path, spoil: object, code: int, said: str
) -> None:
    book = given_book(place, [[*ADA]])
    spoil(book)  # type: ignore[operator]
    book.save(place / "export.xlsx")
    found = imported("export.xlsx")
    assert found.code == code and said in found.err
    assert not Path("patients.xlsx").exists()


def test_a_file_that_is_no_export_is_refused_by_its_true_name(place: Path) -> None:
    given(place, [ADA])
    Path("export.csv").write_bytes(b"%PDF-1.7 and so on")
    found = imported()
    assert found.code == 4
    assert "Refused: export.csv: this is a PDF document" in found.err


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_separators_and_letters_are_read_as_on_any_sheet(
    place: Path, encoding: str
) -> None:
    given(place, [held("Last", "Núñez")])
    text = Path("export.csv").read_text(encoding="utf-8").replace(",", "\t")
    Path("export.csv").write_text(text, encoding=encoding)
    found = imported()
    assert (found.code, taken()[0]["Last name"]) == (0, "Núñez")
    told = "Check: the file was read as Windows text; check the accents in it (export.csv)\n"
    assert found.err == (told if encoding == "cp1252" else "")


def test_a_workbook_that_is_there_is_left_as_it_is(place: Path) -> None:
    given(place, [ADA])
    Path("patients.xlsx").write_bytes(b"the office's own")
    found = imported()
    assert (found.code, found.out) == (4, "")
    assert "patients.xlsx: the file is already there and was left as it is" in found.err
    assert Path("patients.xlsx").read_bytes() == b"the office's own"
    assert imported("export.csv", "--to", "patients.csv").code == 2


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ("columns = 1\n", "columns has to be a table: [columns]"),
        ("[columns\n", "mapping.toml is not TOML: "),
        (PLAIN.replace('"First name"', '"Fist name"'), (
            "[columns] Fist name is no column of the sheet; did you mean First name?\n"
            "First name is required; say in [columns] which heading it has, or give every"
            " row the same in [constants]\n"
        )),
        (PLAIN.replace('= "Plan"', '= "Plans"'), (
            "the export has no column Plans; did you mean Plan?\n"
        )),
        (PLAIN.replace('= "Plan"', "= 3"), (
            "[columns] Membership: give the export's heading, or several in brackets to be"
            ' joined: ["House", "Street"]\n'
        )),
        (PLAIN.replace("d/m/yyyy", "d/m/yy"), 'dates = "d/m/yy" cannot be read; write day'),
        (PLAIN + '"Surname" = "First"\n', "[columns] Last name stands there twice"),
        (PLAIN + '[constants]\n"Membership" = "GOLD"\n', (
            "Membership stands in [columns] and [constants]\n"
        )),
        (PLAIN + '[constants]\n"End date" = "31/02/2026"\n', (
            "[constants] End date: 31/02/2026 is not a date; write it as a date cell"
        )),
        (PLAIN + '[values."Membership active"]\nMaybe = ["x"]\n', (
            '[values."Membership active"]: Maybe is not Yes or No; write Yes or No\n'
        )),
        (PLAIN + '[values."Membership active"]\nYes = ["x"]\nNo = ["X "]\n', (
            '[values."Membership active"] X  means both Yes and No\n'
        )),
        (PLAIN + '[values."Town"]\nYork = ["Y"]\n', (
            "[values] has words for Town, which [columns] leaves out\n"
        )),
        ("column = 1\n" + PLAIN, "column is no part of a mapping; did you mean columns?\n"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_followed_says_why(
    place: Path, mapping: str, said: str
) -> None:
    given(place, [ADA], mapping)
    found = imported()
    assert (found.code, found.out) == (2, "")
    assert said in found.err
    assert not Path("patients.xlsx").exists()


@pytest.mark.parametrize(
    ("form", "text", "meant"),
    [
        ("dd/mm/yyyy", "04/03/2026", date(2026, 3, 4)),
        ("mm/dd/yyyy", "04/03/2026", date(2026, 4, 3)),
        ("d mmm yyyy", "4 Mar 2026", date(2026, 3, 4)),
        ("dd mmmm yyyy", "04 SEPTEMBER 2026", date(2026, 9, 4)),
        ("yyyymmdd", "20260304", date(2026, 3, 4)),
        ("dd.mm.yyyy", "04.03.2026 00:00:00", date(2026, 3, 4)),
        ("dd.mm.yyyy", "04.03.2026 14:30", None),
        ("dd.mm.yyyy", "04/03/2026", None),
        ("dd/mm/yyyy", "04/03/26", None),
        ("dd/mm/yyyy", "29/02/2026", None),
        ("d mmm yyyy", "4 Ju 2026", None),
        ("d mmm yyyy", "4 Juz 2026", None),
        ("dd/mm/yyyy", "٠٤/٠٣/٢٠٢٦", None),
    ],
)
def test_a_date_is_read_as_its_form_says_or_not_at_all(
    form: str, text: str, meant: date | None
) -> None:
    assert date_form(form).read(text) == meant


@pytest.mark.parametrize("form", ["dd/mm", "dd/mm/yy", "dd/dd/yyyy", "soon", "d/m/y"])
def test_a_form_without_day_month_and_year_is_none(form: str) -> None:
    with pytest.raises(ValueError, match=re.escape(form)):
        date_form(form)


def test_the_export_and_the_mapping_are_only_read(place: Path) -> None:
    given(place, [ADA])
    before = practice.files(place)
    imported()
    assert practice.files(place, but=("patients.xlsx",)) == before
    assert Path("patients.xlsx").stat().st_mode & 0o777 == 0o600
