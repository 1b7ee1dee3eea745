"""The issues workbook: every night read back from its bytes."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.bookkeeping.books import Change, Entry, Held, Night, OpenProblem
from pipeline.exports import issues, issues_sheets, words
from pipeline.exports.issues_sheets import link_to
from pipeline.problems import Place, Problem, Severity

AS_OF = date(2026, 3, 31)
SHEETS = ["Summary", "Problems", "Held", "Fixed for you", "Changes", "Read me"]
PROBLEM_TITLES = [
    "No",
    "Seriousness",
    "Who fixes it",
    "File",
    "Sheet",
    "Row",
    "Column",
    "Cell",
    "Patient or product",
    "What we found",
    "What we expected",
    "How to fix",
    "Effect tonight",
    "Amount held £",
    "First seen",
    "Nights",
    "Code",
]
CELL = Place("patients.xlsx", "Patients", 2, "Start date", "D2")


def entry(number: str, gross: str, kind: str = "invoice") -> Entry:
    return Entry(
        number=number,
        kind=kind,
        status="unsent",
        active=True,
        membership=True,
        issued_on=AS_OF,
        due_on=date(2026, 4, 14),
        patient_id="P0001",
        patient_name="Robin Alder",
        bill_to="",
        bill_to_name="Robin Alder",
        currency="GBP",
        net=Decimal(gross),
        tax=Decimal("0.00"),
        gross=Decimal(gross),
        credits=Decimal("0.00"),
        sent_on=None,
        sent_to="",
        run_id="N1",
        path="invoices/2026/03/" + number + ".xlsx",
        open=Decimal(gross),
    )


CLEAN = Night(
    run_id="N1",
    as_of=AS_OF,
    practice_name="Harbour Lane Surgery",
    currency="GBP",
    memberships={"billed": 2, "held": 0},
    made=(entry("INV-000001", "49.99"), entry("INV-000002", "10.01")),
    held=(),
    problems=(),
    changes=(),
    unsent=(),
    months=(),
)


def opened(
    severity: Severity = Severity.HELD,
    code: str = "date-not-real",
    place: Place = CELL,
    found: str = "31/02/2024 is not a date",
    repair: str = "write it as a date cell or as 2024-01-31",
    amount: Decimal | None = Decimal("49.99"),
    nights: int = 1,
) -> OpenProblem:
    problem = Problem(
        severity,
        code,
        place,
        found,
        expected="a date, such as 2026-03-04",
        repair=repair,
        subject="P0001",
        effect="not billed: Gold membership",
        amount=amount,
    )
    return OpenProblem(problem, date(2026, 3, 29), nights, "Di Desk")


STOP = opened(
    Severity.STOPS,
    "missing-column",
    Place("patients.xlsx", "Patients"),
    "the column Start date is missing",
    "name the column Start date",
    None,
)
HELD = replace(
    CLEAN,
    memberships={"billed": 2, "held": 2},
    problems=(opened(nights=3),),
    held=(
        Held("P0001", "GOLD", "row", Decimal("49.99")),
        Held("P0002", "GOLD", "its start lies too far back", None),
    ),
)


def read(night: Night, values: bool = False) -> Workbook:
    return load_workbook(BytesIO(issues.render(night)), data_only=values)


def texts(sheet: Worksheet) -> list[str]:
    return [str(cell.value) for row in sheet for cell in row if cell.value is not None]


def table(sheet: Worksheet) -> list[dict[str, object]]:
    titles, *rows = sheet.iter_rows(min_row=4, values_only=True)
    return [dict(zip(titles, row, strict=True)) for row in rows]


NIGHTS = {
    "a clean night": CLEAN,
    "a night with somebody held": HELD,
    "a refused night": replace(CLEAN, refused=True, made=(), problems=(STOP,)),
    "a night of nothing at all": replace(CLEAN, made=(), memberships={}, run_id=""),
}


@pytest.mark.parametrize("night", NIGHTS.values(), ids=NIGHTS.keys())
class TestEveryNight:
    def test_has_all_sheets_and_opens_on_the_summary(self, night: Night) -> None:
        book = read(night)
        assert book.sheetnames == SHEETS
        assert book.active.title == "Summary"

    def test_gives_the_same_bytes_twice(self, night: Night) -> None:
        assert issues.render(night) == issues.render(night)

    def test_is_dated_by_the_night_and_signed_by_the_practice(
        self, night: Night
    ) -> None:
        properties = read(night).properties
        assert properties.created == datetime(2026, 3, 31)
        assert properties.creator == "Harbour Lane Surgery"

    def test_prints_on_a4_and_the_widest_list_over_two_pages(
        self, night: Night
    ) -> None:
        for sheet in read(night):
            pages = 2 if sheet.title in ("Problems",) else 1
            assert sheet.page_setup.orientation == "landscape"
            assert sheet.page_setup.paperSize == 9
            assert sheet.sheet_properties.pageSetUpPr.fitToPage
            assert (sheet.page_setup.fitToWidth or 1) == pages
            assert sheet.page_setup.fitToHeight == 0

    def test_lists_keep_their_header_in_sight(self, night: Night) -> None:
        book = read(night)
        for name in ("Problems", "Held", "Fixed for you", "Changes"):
            assert book[name].freeze_panes == "A5"
            assert book[name].auto_filter.ref
            assert book[name].print_title_rows == "$4:$4"

    def test_merges_and_hides_nothing_and_writes_no_small_print(
        self, night: Night
    ) -> None:
        for sheet in read(night):
            assert not sheet.merged_cells.ranges
            assert sheet.sheet_state == "visible"
            assert all(
                cell.font.sz >= 10
                for row in sheet
                for cell in row
                if cell.value is not None
            )


def test_a_clean_night_says_nothing_to_fix_on_green() -> None:
    summary = read(CLEAN)["Summary"]
    assert summary["A4"].value == "✓  Nothing to fix"
    assert summary["A4"].fill.fgColor.rgb == "FFD8EFDC"
    assert summary["A6"].value == (
        "2 invoices for £60.00 were made on Tuesday 31 March 2026; nobody is held."
    )


@pytest.mark.parametrize(
    ("night", "about", "said", "held"),
    [
        pytest.param(
            replace(CLEAN, checked=True, made=(), run_id=""),
            "A check for Tuesday 31 March 2026",
            "A check for Tuesday 31 March 2026 bills nothing; nobody would be held.",
            "Nobody is held.",
            id="a check is no night in which nothing was billed",
        ),
        pytest.param(
            replace(CLEAN, refused=True, made=(), run_id="", problems=(STOP,)),
            "The night of Tuesday 31 March 2026",
            None,
            "The night was refused: what holds whom stands in the sheet Problems.",
            id="a refused night does not say that nobody is held",
        ),
    ],
)
def test_what_made_nothing_says_why(
    night: Night, about: str, said: str | None, held: str
) -> None:
    book = read(night)
    assert book["Summary"]["A2"].value == about
    assert said in (None, book["Summary"]["A6"].value)
    assert book["Held"]["A2"].value == held


def test_on_a_clean_night_each_list_says_there_is_nothing() -> None:
    book = read(CLEAN)
    assert [book[name]["A2"].value for name in SHEETS[1:5]] == [
        "Nothing to fix.",
        "Nobody is held.",
        "There was nothing to put right.",
        "Nothing was changed.",
    ]
    assert [book[name].max_row for name in SHEETS[1:5]] == [4, 4, 4, 4]


def test_what_was_fixed_leaves_a_night_clean() -> None:
    fixed = opened(Severity.FIXED, "space-trimmed", found="spaces were removed")
    book = read(replace(CLEAN, problems=(fixed,)))
    assert book["Summary"]["A4"].value == "✓  Nothing to fix"
    assert book["Problems"].max_row == 4
    assert table(book["Fixed for you"])[0]["What we found"] == "Spaces were removed."


def test_a_refused_night_says_first_that_nothing_was_billed_and_why() -> None:
    other = opened(Severity.STOPS, "guard-drop", Place("settings.xlsx"), "members fell")
    night = replace(CLEAN, refused=True, made=(), problems=(opened(), other, STOP))
    book = read(night)
    assert book["Summary"]["A4"].value == "Nothing was billed"
    told = " ".join(book["Summary"].cell(row, 1).value or "" for row in (6, 7))
    assert told.startswith(
        "Nothing was billed on Tuesday 31 March 2026: settings.xlsx: members fell"
        " (and 1 more problem, below)."
    )
    order = [row["Seriousness"] for row in table(book["Problems"])]
    assert order == ["Stops the night", "Stops the night", "Not billed"]


def test_a_problem_is_told_in_all_its_columns() -> None:
    sheet = read(HELD)["Problems"]
    assert [cell.value for cell in sheet[4]] == PROBLEM_TITLES
    assert [cell.value for cell in sheet[5]] == [
        1,
        "Not billed",
        "Di Desk",
        "patients.xlsx",
        "Patients",
        2,
        "Start date",
        "Patients!D2",
        "P0001",
        "31/02/2024 is not a date.",
        "A date, such as 2026-03-04.",
        "Write it as a date cell or as 2024-01-31.",
        "Not billed: Gold membership.",
        49.99,
        datetime(2026, 3, 29),
        3,
        "date-not-real",
    ]
    assert sheet["N5"].number_format == "#,##0.00"
    assert sheet["O5"].number_format == "dd mmm yyyy"


@pytest.mark.parametrize(
    ("place", "text", "target"),
    [
        pytest.param(
            Place("patients.xlsx", "Patients", 2, "Start date", "D2"),
            "Patients!D2",
            "external:../patients.xlsx#Patients!D2",
            id="a cell is linked in the file beside the folder out",
        ),
        pytest.param(
            Place("products.xlsx", "Contract prices", 3, "Price", "B3"),
            "Contract prices!B3",
            "external:../products.xlsx#'Contract prices'!B3",
            id="a sheet with a space is quoted",
        ),
        pytest.param(
            Place("products.xlsx", "Ann's", 3, "", "B3"),
            "Ann's!B3",
            "external:../products.xlsx#'Ann''s'!B3",
            id="an apostrophe is doubled",
        ),
        pytest.param(
            Place("products.xlsx", "Q1", 3, "", "B3"),
            "Q1!B3",
            "external:../products.xlsx#'Q1'!B3",
            id="a sheet that reads as a cell is quoted",
        ),
        pytest.param(
            Place("patients.xlsx", "Patients", 7),
            "Patients!A7",
            "external:../patients.xlsx#Patients!A7",
            id="a row is linked at its first cell",
        ),
        pytest.param(
            Place("patients.xlsx", "Patients"),
            "Patients",
            "external:../patients.xlsx#Patients!A1",
            id="a sheet is linked at its first cell",
        ),
        pytest.param(
            Place("contacts.csv", "Contacts", 4, "Code", "A4"),
            "contacts.csv",
            "external:../contacts.csv",
            id="a CSV is linked as a file",
        ),
        pytest.param(
            Place("patients.xlsx"),
            "patients.xlsx",
            "external:../patients.xlsx",
            id="a file is linked as a file",
        ),
        pytest.param(
            Place("ledger"), "ledger", "", id="what is no sheet is not linked"
        ),
        pytest.param(
            Place("a#b.xlsx", "S", 1, "", "A1"), "S!A1", "", id="a # would cut the link"
        ),
    ],
)
def test_links(place: Place, text: str, target: str) -> None:
    link = link_to(place)
    assert (link.text, link.target) == (text, target)


def test_the_link_in_the_workbook_leads_to_the_cell() -> None:
    link = read(HELD)["Problems"]["H5"].hyperlink
    assert link.target.replace("\\", "/") == "../patients.xlsx"
    assert link.location == "Patients!D2"


def test_beyond_the_most_links_a_sheet_may_have_the_place_is_plain_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(issues_sheets, "MAX_LINKS", 2)
    sheet = read(replace(CLEAN, problems=(opened(),) * 4))["Problems"]
    cells = [sheet.cell(row, 8) for row in range(5, 9)]
    assert [bool(cell.hyperlink) for cell in cells] == [True, True, False, False]
    assert {cell.value for cell in cells} == {"Patients!D2"}


def test_problems_are_grouped_by_what_to_do_about_them() -> None:
    problems = (
        opened(Severity.CHECK, "unknown-column", repair="delete it", amount=None),
        opened(),
        opened(code="date-late", repair="write another thing", amount=None),
        opened(place=Place("patients.xlsx", "Patients", 9, "End date", "E9")),
    )
    sheet = read(replace(CLEAN, problems=problems))["Summary"]
    rows = list(sheet.iter_rows(values_only=True))
    start = next(number for number, row in enumerate(rows) if row[2] == "What to do")
    assert rows[start + 1 :] == [
        (
            "Not billed",
            2,
            "Write it as a date cell or as 2024-01-31.",
            "patients.xlsx: Patients!D2, Start date",
            99.98,
        ),
        (
            "Not billed",
            1,
            "Write another thing.",
            "patients.xlsx: Patients!D2, Start date",
            None,
        ),
        ("Check", 1, "Delete it.", "patients.xlsx: Patients!D2, Start date", None),
    ]


def _actions(*problems: OpenProblem) -> list[tuple[str, int]]:
    return [(made.action, len(made.problems)) for made in issues.repairs(problems)]


def test_what_is_meant_at_one_cell_does_not_part_a_group() -> None:
    said = "write a code that is there"
    other = Place("patients.xlsx", "Patients", 9, "Bill to", "J9")
    meant = [
        opened(repair=f"{said}; did you mean {code}?", place=place)
        for code, place in (("A1", CELL), ("B1", other))
    ]
    assert _actions(*meant, opened(repair=said)) == [(f"{said.capitalize()}.", 3)]
    assert _actions(meant[0]) == [("Write a code that is there; did you mean A1?", 1)]


def test_cells_that_ask_for_something_of_their_own_are_one_group() -> None:
    asking = [opened(repair=f"write 2026-03-0{day}") for day in (1, 2, 3)]
    assert _actions(*asking) == [
        ("Put the Start date right in each row, as the sheet Problems says.", 3)
    ]


def test_the_summary_says_where_the_cells_are_red_or_why_they_are_not() -> None:
    name = "marked/patients - problems marked 2026-03-31.xlsx"
    notes = [
        {"file": "patients.xlsx", "copy": name, "words": "without charts"},
        {"file": "staff.csv", "copy": "", "words": "a CSV file cannot hold a mark"},
    ]
    summary = read(replace(HELD, report={"marked": notes}))["Summary"]
    rows = list(summary.iter_rows(max_col=4))
    start = next(at for at, row in enumerate(rows) if row[0].value == "Workbook")
    assert [[cell.value for cell in row] for row in rows[start + 1 : start + 3]] == [
        ["patients.xlsx", 1, name, "Without charts."],
        ["staff.csv", 0, "none", "A CSV file cannot hold a mark."],
    ]
    target = rows[start + 1][2].hyperlink.target
    assert target.replace("\\", "/").replace("%20", " ") == name


def test_the_summary_counts_each_seriousness() -> None:
    severities = [Severity.CHECK, Severity.CHECK, Severity.FIXED, Severity.HELD]
    night = replace(CLEAN, problems=tuple(opened(kind) for kind in severities))
    rows = list(read(night)["Summary"].iter_rows(max_col=2, values_only=True))
    start = rows.index(("Seriousness", "How many"))
    assert rows[start + 1 : start + 5] == [
        ("Stops the night", 0),
        ("Not billed", 1),
        ("Check", 2),
        ("Fixed for you", 1),
    ]


def test_held_adds_up_and_says_what_cannot_be_known() -> None:
    formulas, values = read(HELD)["Held"], read(HELD, values=True)["Held"]
    assert [[cell.value for cell in row] for row in values["A5:D7"]] == [
        ["P0001", "GOLD", "Its row has a problem.", 49.99],
        ["P0002", "GOLD", "Its start lies too far back.", "cannot be known"],
        ["Total", None, None, 49.99],
    ]
    assert formulas["D7"].value == "=SUM(D5:D6)"
    assert formulas.auto_filter.ref == "A4:D6"


def test_changes_say_whether_they_took_effect_and_why_not() -> None:
    change = Change(
        "Products", "GOLD", "Monthly price", "49.99", "52.00", "dd", False, "no right"
    )
    accepted = replace(change, accepted=True, reason="")
    book = read(replace(CLEAN, changes=(change, accepted)))
    rows = [[cell.value for cell in row] for row in book["Changes"]["A5:H6"]]
    told = ["Products", "GOLD", "Monthly price", "49.99", "52.00", "dd"]
    assert rows[0] == [*told, "Refused", "No right."]
    assert rows[1][:7] == [*told, "Accepted"]
    assert book["Summary"]["A4"].value == "Something to look at"


def test_a_changed_yes_or_no_is_shown_as_it_is_typed() -> None:
    active = Change("Products", "GOLD", "Active", "true", "false", "mm", True)
    text = replace(active, column="Name")
    shown = table(read(replace(CLEAN, changes=(active, text)))["Changes"])
    assert [(row["Before"], row["Now"]) for row in shown] == [
        ("Yes", "No"),
        ("true", "false"),
    ]


def test_the_page_of_a_wide_list_says_which_list_and_row_it_is() -> None:
    sheet = read(replace(CLEAN, practice_name="A & B", problems=(opened(),)))[
        "Problems"
    ]
    assert sheet.print_title_cols == "$A:$B"
    assert sheet.print_area == "'Problems'!$A$4:$Q$5"
    assert sheet.oddHeader.left.text.startswith("Problems\n")
    assert sheet.page_setup.pageOrder == "overThenDown"


def test_the_column_is_named_where_an_address_alone_says_it() -> None:
    of_csv = Place("patients.csv", "Patients", 9, "Start date", "D9")
    problems = (opened(), opened(code="date-late", place=of_csv))
    rows = [row[3].value for row in read(replace(CLEAN, problems=problems))["Summary"]]
    assert rows[-2:] == [
        "patients.csv: row 9, Start date",
        "patients.xlsx: Patients!D2, Start date",
    ]


HOSTILE = [
    "=1+1",
    "+44",
    "-5",
    "@SUM(A1)",
    "<script>",
    "http://x.org",
    "007",
    "\x07",
    "_x0041_",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_any_kind_stays_text(text: str) -> None:
    problem = replace(opened().problem, found=text, subject=text, expected=text)
    night = replace(
        CLEAN,
        practice_name=text,
        problems=(OpenProblem(problem, AS_OF, 1),),
        held=(Held(text, text, text, None),),
        changes=(Change(text, text, text, text, text, text, True, text),),
    )
    book = read(night)
    types = {cell.data_type for cell in book["Problems"][5][8:10] + book["Changes"][5]}
    assert types == {"s"}
    assert book["Held"]["A5"].data_type == "s"
    assert not book["Problems"]["I5"].hyperlink


def test_half_a_character_and_endless_text_do_not_spoil_the_workbook() -> None:
    problem = replace(opened().problem, found="\ud800" + "x" * 40_000)
    sheet = read(replace(CLEAN, problems=(OpenProblem(problem, AS_OF, 1),)))["Problems"]
    assert str(sheet["J5"].value).startswith("?xxx")
    assert len(str(sheet["J5"].value)) <= 32_767


def test_an_amount_that_is_no_number_is_never_written() -> None:
    night = replace(CLEAN, problems=(opened(amount=Decimal("NaN")),))
    with pytest.raises(ValueError, match="no number"):
        issues.render(night)


@pytest.mark.parametrize(
    ("clause", "sentence"),
    [
        pytest.param("write the date", "Write the date.", id="a clause gets a capital"),
        pytest.param("", "", id="nothing stays nothing"),
        pytest.param("is it GOLD?", "Is it GOLD?", id="a question keeps its mark"),
        pytest.param("glod is not a code", "glod is not a code.", id="a value stays"),
        pytest.param(
            "nobody is not a user of the Staff sheet, so the row is not used yet",
            "nobody is not a user of the Staff sheet, so the row is not used yet.",
            id="a user called like a word of ours stays",
        ),
        *(
            pytest.param(f"{typed} {said}", f"{typed} {said}.", id=f"{typed} {said}")
            for typed in ("next week", "this Friday", "the 5th, about noon", "it")
            for said in (
                "is not a date",
                "is not Yes or No",
                "is not one of the words offered",
                "is read as blank",
                "is longer than 40 characters",
                "is a time, not text",
                "is not in the sheet Products",
                "has the character , in it",
                "has more digits than a spreadsheet keeps",
                "had spare or invisible spaces",
                "begins like a formula and is kept as text",
                "may not edit products, so the row is not used yet",
                "is an error left by a formula",
                "looks damaged by a change of format",
                "is more than one e-mail address, so it is left blank",
            )
        ),
        pytest.param(
            "the role of ee, Boss, is not in the sheet Roles",
            "The role of ee, Boss, is not in the sheet Roles.",
            id="a role is ours",
        ),
        *(
            pytest.param(ours, ours[0].upper() + ours[1:] + ".", id=ours)
            for ours in (
                "this is a text file and no workbook",
                "a membership without a Monthly price (- is read as blank)",
                "the row of ee in the sheet Staff cannot be used",
                "nobody may be billed before it is mended",
            )
        ),
        pytest.param(
            "the number 5 is read as code 5",
            "The number 5 is read as code 5.",
            id="a number is ours",
        ),
        pytest.param("it is blank", "It is blank.", id="our own words get a capital"),
        pytest.param(
            "patients.xlsx is old", "patients.xlsx is old.", id="a file stays"
        ),
    ],
)
def test_sentences(clause: str, sentence: str) -> None:
    assert words.sentence(clause) == sentence


@pytest.mark.parametrize(
    ("night", "sentence"),
    [
        pytest.param(
            HELD,
            "2 invoices for £60.00 were made on Tuesday 31 March 2026; 2 memberships"
            " (£49.99 and 1 amount not known yet) are held.",
            id="held memberships and their amount are told",
        ),
        pytest.param(
            replace(CLEAN, made=CLEAN.made[:1], held=HELD.held[:1]),
            "1 invoice for £49.99 was made on Tuesday 31 March 2026; 1 request"
            " (£49.99) is held.",
            id="one is one",
        ),
        pytest.param(
            replace(CLEAN, made=(entry("CRN-000001", "9.00", "credit_note"),)),
            "No invoice was made on Tuesday 31 March 2026; nobody is held.",
            id="a credit note is no invoice",
        ),
        pytest.param(
            replace(CLEAN, made=(), made_before=1),
            "No further invoice was made on Tuesday 31 March 2026; nobody is held."
            " Earlier runs for that day made 1 invoice.",
            id="what an earlier run for the day made is told",
        ),
        pytest.param(
            replace(CLEAN, refused=True, problems=(STOP,)),
            "Nothing was billed on Tuesday 31 March 2026: patients.xlsx: Patients: the"
            " column Start date is missing.",
            id="a refused night gives its cause",
        ),
    ],
)
def test_the_night_in_a_sentence(night: Night, sentence: str) -> None:
    assert words.night_in_a_sentence(night) == sentence
