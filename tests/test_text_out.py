"""What goes in as a name is held at its cell, or comes out the same everywhere."""

import json
import re
from datetime import date
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.cell import Cell
from python_calamine import CalamineWorkbook

from pipeline.cells import LONGEST_TEXT, parse
from pipeline.exports.exact_text import Unwritable, exact, guarded
from pipeline.exports.invoice_page import ADDRESS_ROWS, ADDRESS_WIDTH
from pipeline.exports.text_fit import split_at
from pipeline.exports.workbook import new_book, put
from pipeline.problems import Severity
from schemas import Practice
from schemas.arrow_types import ARROW
from schemas.columns import Text, columns
from schemas.frames import frame_schema
from schemas.inputs import Patients
from tests import practice
from tests.practice import member, run

# Each would be run, opened, or read as something else, were it not kept text.
HOSTILE = (
    "=1+1", "+1", "-2+3", "@SUM(A1)", "=cmd|' /C calc'!A0", "＝1+1", "'=1+1",
    "0042", "1-2", "1/2", "MAR1", "TRUE", "1e5", "#REF", "50%", "12:30", "NA", "NULL",
    "http://evil.example", "mailto:a@b.example", "\\\\host\\share", "../../etc/passwd",
    "<script>alert(1)</script>", "<b>&amp;</b>", "&L&D", "_x0041_", "_x000D_",
    "{{ 7*7 }}", "${x}", "'; drop table invoices; --", "[red]", "%s %d", "\\N", '"a",b',
    "Łukasz Ó Néill", "李雷", "e\u0301", "🙂", "\U0010fffd", "\ufdd0", "a" * LONGEST_TEXT,
)  # fmt: skip
NAME = next(column for column in columns(Patients) if column.name == "last_name")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(), min_size=1), min_size=1, max_size=20))
@example(list(HOSTILE))
@example(["a\x00", "\x1b[31m", "\ud800", "\ufffe", "\r", "a\rb", "\x85", "\x7f"])
def test_a_name_is_held_or_stands_in_a_workbook_as_it_was_read(
    typed: list[str],
) -> None:
    names = []
    for text in typed:
        parsed = parse(text, NAME)
        if parsed.value is None:
            assert (
                parsed.fault is None
                or parsed.fault.severity is not Severity.FIXED
                or ("blank" in parsed.fault.found)
            )
        else:
            names.append(str(parsed.value))
    book = new_book(title="t", subject="s", practice="p", made_on=date(2026, 3, 1))
    sheet = book.workbook.add_worksheet("Names")
    put(book, sheet, 0, 0, "heading")
    for row, name in enumerate(names, start=1):
        put(book, sheet, row, 0, name)
    content = book.finish()
    read = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
    assert [row[0] for row in read.to_python()] == ["heading", *names]


@given(st.text(st.characters(), max_size=20))
def test_what_is_written_is_exact_or_an_error_of_the_program(text: str) -> None:
    bad = any(
        (character < " " and character not in "\t\n")
        or ("\x7f" <= character <= "\x9f" and character != "\x85")
        or "\ud800" <= character <= "\udfff"
        or character in "\ufffe\uffff"
        for character in text
    )  # fmt: skip
    try:
        assert exact(text) == text and not bad
    except Unwritable:
        assert bad


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every hostile text as a surname, and one as the practice's name, billed."""
    sheets = practice.sheets()
    sheets["settings"][0]["Value"] = "=1+1<script>&L"
    sheets["settings"].append(
        {"Setting": "Invoice footer", "Value": "@now", "Last edited by": "mm"}
    )
    # Names come first on a line that names several patients; a contact's stands alone.
    sheets["contacts"] = [{"Code": "C1", "Name": "-2+3", "Active": "Yes"}]
    sheets["patients"] = [
        member(f"P{at:03d}", first_name=text, last_name="x", start_date="2026-03-01",
               bill_to="C1" if at == 1 else "")
        for at, text in enumerate(HOSTILE, start=1)
    ]  # fmt: skip
    folder = practice.make(tmp_path_factory.mktemp("hostile") / "clinic", sheets)
    result = practice.bill(folder, "2026-03-01")
    assert result.code == 0, result.err
    return folder


def names(clinic: Path) -> dict[str, str]:
    listed = json.loads(run("invoices", clinic, "--format", "json").out)
    return {row["patient_id"]: row["patient_name"] for row in listed}


def test_json_is_exact(clinic: Path) -> None:
    wanted = {f"P{at:03d}": f"{text} x" for at, text in enumerate(HOSTILE, start=1)}
    assert names(clinic) == wanted


def test_csv_for_people_is_the_same_but_for_the_guard(clinic: Path) -> None:
    rows = practice.invoices(clinic)
    assert {row["patient_id"]: row["patient_name"] for row in rows} == {
        patient: guarded(name) for patient, name in names(clinic).items()
    }
    assert not [row for row in rows if row["patient_name"][0] in "=+-@\t\r"]
    assert not [row for row in rows if not row["gross"].startswith("50.00")]


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_csv_guards_what_a_spreadsheet_would_run(first: str) -> None:
    assert guarded(f"{first}1") == f"'{first}1"
    assert guarded(f"1{first}") == f"1{first}"


def texts(clinic: Path) -> dict[str, list[Cell]]:
    """Every text cell of every workbook, by workbook."""
    found = {}
    for file in sorted((clinic / "out").rglob("*.xlsx")):
        cells = [cell for sheet in load_workbook(file) for row in sheet for cell in row]
        found[file.name] = [cell for cell in cells if isinstance(cell.value, str)]
    return found


def test_text_stays_text_after_f2_and_enter_in_every_workbook(clinic: Path) -> None:
    books = texts(clinic)
    assert len(books) == len(HOSTILE) + 3, "invoices, the list, the register, issues"
    for book, cells in books.items():
        run_on_opening = [cell.value for cell in cells if cell.data_type == "f"]
        assert not set(run_on_opening) & {*HOSTILE, "=1+1<script>&L"}, book
        risky = [
            cell for cell in cells if cell.value[0] in "=+-@" or cell.value in HOSTILE
        ]
        bare = [
            cell.value
            for cell in risky
            if cell.data_type != "f" and not cell.quotePrefix
        ]
        assert not bare, book
        links = [cell.hyperlink.target for cell in cells if cell.hyperlink]
        assert not [x for x in links if not re.match(r"(invoices|\.\.)[\\/]", x)], book


def test_every_name_stands_in_its_invoice_the_list_and_the_register(
    clinic: Path,
) -> None:
    books = {
        name: {cell.value for cell in cells} for name, cells in texts(clinic).items()
    }
    for at, text in enumerate(HOSTILE, start=1):
        name = f"{text} x"
        assert name in books["invoices.xlsx"] and name in books["2026-03.xlsx"], at
        # A long name goes over several rows of the address, as many as there are.
        addressed = "-2+3" if at == 1 else name
        rows = [piece for piece in split_at(addressed, ADDRESS_WIDTH) if piece]
        assert set(rows[:ADDRESS_ROWS]) <= books[f"INV-{at:06d}.xlsx"], at


def test_the_summary_page_shows_markup_as_text(clinic: Path) -> None:
    page = (clinic / "out/summary.html").read_text(encoding="utf-8")
    assert "=1+1&lt;script&gt;&amp;L" in page
    assert "<script" not in page


def test_files_are_named_by_invoice_numbers_alone(clinic: Path) -> None:
    made = sorted(file.stem for file in (clinic / "out/invoices").rglob("*.xlsx"))
    assert made == [f"INV-{at:06d}" for at in range(1, len(HOSTILE) + 1)]


def test_a_prefix_that_is_no_name_of_a_file_stops_the_night(tmp_path: Path) -> None:
    folder = practice.make(tmp_path / "clinic")
    practice.set_to(folder, "Invoice prefix", "../../x")
    practice.set_to(folder, "Credit note prefix", "=x")
    result = run("preview", folder, "--as-of", "2026-03-01")
    assert result.code == 4
    assert "Invoice prefix: ../../x cannot be used" in result.err
    assert "Credit note prefix: =x cannot be used" in result.err


@pytest.mark.parametrize(
    "prefix",
    ["../x", "/etc/x", "..\\x", "C:", "x\n", "-x", ".x", "x.", "x" * 13, "Ä", ""],
)
def test_a_prefix_is_letters_digits_and_dashes(prefix: str) -> None:
    (check,) = frame_schema(Practice).columns["invoice_prefix"].checks
    assert not bool(
        check(pd.Series([prefix], dtype=pd.ArrowDtype(ARROW[Text]))).check_passed
    )


def test_what_is_typed_at_the_terminal_is_held_to_the_same(clinic: Path) -> None:
    for bad in ("\x1b[31m", "half \ud83d", "x" * 8_001):
        done = run("credit", clinic, "INV-000001", "--reason", bad, "--by", "mm")
        assert done.code == 2 and "--reason" in done.err
