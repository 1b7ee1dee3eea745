"""A practice's first day, followed from its page through the real workbooks."""

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from pipeline.exports.templates import template
from tests import practice
from tests.first_day import (
    FOLDER,
    HOME,
    PAGE,
    Command,
    Repairs,
    Rows,
    Typing,
    problems,
    repair,
    steps,
    type_rows,
)

STEPS = list(steps(PAGE.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Day:
    """What the day left: its folders, what each command said, what was to repair."""

    folder: Path
    home: Path
    said: dict[str, str]
    codes: list[int]
    found: Rows
    red: list[str]
    banners: list[str]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Every step of the page, in its order."""
    home = tmp_path_factory.mktemp("home")
    made = Day(tmp_path_factory.mktemp("srv") / "alder", home, {}, [], [], [], [])
    for step in STEPS:
        match step:
            case Typing():
                type_rows(made.folder, step)
            case Repairs():
                made.found.extend(problems(made.folder))
                made.red.extend(_red_cells(made.folder))
                repair(made.folder, made.found, [row["Di types"] for row in step.rows])
            case Command():
                told = practice.run(*_words(step, made), today="2026-05-13")
                made.codes.append(told.code)
                # What check says on the way the others repeat: the page shows it once.
                warned = told.err if step.line.startswith("check") else ""
                made.said[step.line] = _shown(warned + told.out, made)
                if step.line.startswith("bill"):
                    made.banners.append(_banner(made.folder))
    return made


def _words(step: Command, day: Day) -> list[object]:
    name, folder, *rest = step.words(day.folder, day.home)
    return [name, Path(folder), *rest]


def _shown(text: str, day: Day) -> str:
    """What was said as the page shows it, without the seal of the day."""
    text = text.replace(str(day.folder), FOLDER).replace(str(day.home), HOME)
    text = re.sub(r"; chain head [0-9a-f]+", "", text)
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n")) + "\n"


def _banner(folder: Path) -> str:
    book = openpyxl.load_workbook(folder / "out/issues.xlsx", read_only=True)
    return str(book["Summary"]["A4"].value)


def _red_cells(folder: Path) -> list[str]:
    """What the marked copies show in red, with nothing that may be drawn over it."""
    found = []
    for path in sorted(folder.glob("out/marked/*.xlsx")):
        for sheet in openpyxl.load_workbook(path).worksheets:
            assert not sheet.conditional_formatting
            found += [
                f"{sheet.title}!{cell.coordinate}"
                for row in sheet.iter_rows(min_row=2)
                for cell in row
                if cell.fill.fgColor.rgb == "FFFF9C94" and cell.border.left.style
            ]
    return found


COMMANDS = [step for step in STEPS if isinstance(step, Command)]


@pytest.mark.parametrize("step", COMMANDS, ids=lambda step: step.line.split(" --")[0])
def test_the_page_shows_what_was_said(step: Command, day: Day) -> None:
    assert day.said[step.line] == step.said


def test_the_day_has_every_step_the_page_promises(day: Day) -> None:
    sheets = [step.sheet for step in STEPS if isinstance(step, Typing)]
    assert sheets == [
        "Settings", "Staff", "Products", "Contacts", "Patients", "Sent",
        "Invoice requests",
    ]  # fmt: skip
    names = [step.line.split()[0] for step in COMMANDS]
    assert names == [
        "init", "check", "preview", "bill", "bill", "sent", "bill", "invoices", "patient",
    ]  # fmt: skip
    assert day.codes == [0, 3, 0, 3, 0, 0, 0, 0, 0]


def test_the_page_quotes_each_problem_as_the_issues_workbook_tells_it(day: Day) -> None:
    (shown,) = [step.rows for step in STEPS if isinstance(step, Repairs)]
    quoted = ("Cell", "What we found", "How to fix")
    assert [tuple(row[name] for name in quoted) for row in shown] == [
        tuple(problem[name] for name in quoted) for problem in day.found
    ]
    assert {problem["Code"] for problem in day.found} == {
        "unknown-code", "date-not-real", "ends-before-it-starts", "required-blank",
        "duplicate", "money-comma",
    }  # fmt: skip
    assert day.found[-1]["Who fixes it"] == "Morag Mint"
    assert sorted(day.red) == sorted(problem["Cell"] for problem in day.found)


def test_the_repairs_alone_make_the_next_night_clean(day: Day) -> None:
    assert day.banners == ["7 things to repair or check", *["✓  Nothing to fix"] * 2]


def test_everybody_is_billed_and_five_invoices_are_sent(day: Day) -> None:
    invoices = practice.invoices(day.folder)
    assert len(invoices) == 14
    sent = [row for row in invoices if row["status"] == "sent"]
    assert [row["number"] for row in sent] == [f"INV-{n:06}" for n in range(1, 6)]
    billed = {row[0] for row in practice.lines(day.folder, "patient_id")}
    assert billed == {f"P{n:04}" for n in range(1, 11)}
    assert ("P0002", "CONSULT", "85.00") in practice.lines(
        day.folder, "patient_id", "product_code", "gross"
    )


def test_the_history_names_the_patient_in_the_workbook_alone(day: Day) -> None:
    sheet = openpyxl.load_workbook(day.home / "P0002.xlsx")["Patient"]
    cells = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {"Mr Ben Okafor", "CONSULT", "INV-000014"} <= cells
    assert not any("Okafor" in said for said in day.said.values())


def test_typing_keeps_what_the_templates_help_with(day: Day) -> None:
    typed = openpyxl.load_workbook(day.folder / "patients.xlsx")["Patients"]
    fresh = openpyxl.load_workbook(BytesIO(template("patients")))["Patients"]
    helps = typed.data_validations.dataValidation
    assert len(helps) == len(fresh.data_validations.dataValidation) > 0
    assert len(typed.conditional_formatting) == len(fresh.conditional_formatting) > 0
    assert [(table.name, table.ref) for table in typed.tables.values()] == [
        ("Patients", "A1:T11")
    ]
    assert (typed["O2"].number_format, typed["O2"].is_date) == ("dd mmm yyyy", True)
