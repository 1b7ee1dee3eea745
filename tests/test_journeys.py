"""Nights and commands from start to end, as the office and the scheduler use them."""

import errno
import json
import os
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import practice
import pytest
from practice import Row, bill, member, product, run

from pipeline import __main__ as program
from pipeline import run as night
from pipeline.commands.rows import INVOICE_COLUMNS, LINE_COLUMNS
from pipeline.ledger import locked

FIRST, SECOND, THIRD, LAST = "2026-03-01", "2026-03-02", "2026-03-03", "2026-04-07"
PERIOD = ("patient_id", "period_start", "period_end", "gross")
# What a night that is refused may leave behind.
TRACES = ("out/issues.xlsx", "ledger/membill.lock.json")


@pytest.fixture(scope="module")
def after_first(first_night: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice after its first night, 1 March: three invoices."""
    return practice.copied(first_night, tmp_path_factory.mktemp("journeys") / "clinic")


@pytest.fixture
def clinic(after_first: Path, tmp_path: Path) -> Path:
    """A practice of one's own after its first night."""
    return practice.copied(after_first, tmp_path / "clinic")


def _texts(path: Path, sheet: str = "") -> list[str]:
    """The text of every cell of a workbook, or of one of its sheets."""
    book = openpyxl.load_workbook(path)
    found = [book[sheet]] if sheet else book.worksheets
    return [
        str(cell.value)
        for page in found
        for row in page.iter_rows()
        for cell in row
        if cell.value is not None
    ]


def _buckets(folder: Path) -> dict[str, int]:
    """The buckets of the last night that are not empty."""
    return _filled(practice.last_run(folder))


def _filled(night: dict[str, Any]) -> dict[str, int]:
    counts = night["memberships"]
    return {bucket: members for bucket, members in counts.items() if members}


# Nights


def test_the_first_night_bills_what_is_due(after_first: Path) -> None:
    assert practice.lines(after_first, "number", *PERIOD) == [
        ("INV-000001", "P1", "2026-01-31", "2026-02-27", "50.00"),
        ("INV-000002", "P2", "2026-02-01", "2027-01-31", "550.00"),
        ("INV-000003", "P1", "2026-02-28", "2026-03-30", "50.00"),
    ]


def test_a_night_for_an_earlier_day_is_refused_and_changes_nothing(
    clinic: Path,
) -> None:
    before = practice.files(clinic, but=TRACES)
    refused = bill(clinic, "2026-02-15")
    assert refused.code == 4
    assert "before the last run's" in refused.err
    assert refused.err.endswith("Nothing was billed, and the ledger is as it was.\n")
    assert practice.files(clinic, but=TRACES) == before


# Four nights in which many things happen, each to its own patients


@dataclass(frozen=True)
class Spring:
    """A practice after its nights of 1, 2 and 3 March and of 7 April.

    `nights` are what each said and its run as machines read it, `first` the invoices of
    the first by patient and first day, `files` the workbooks made by then, `held` what
    stood in the sheet Held after the check before the first night, after that night and
    after a rebuild; `invoices` and `lines` are the listings of the end.
    """

    folder: Path
    nights: dict[str, tuple[practice.Result, dict[str, Any]]]
    first: dict[tuple[str, str], str]
    files: dict[str, str]
    held: list[list[str]]
    checked: practice.Result
    previewed: tuple[practice.Result, list[Row], bool]
    desk: list[practice.Result]
    invoices: list[Row]
    lines: list[Row]

    def made(self, day: str, *names: str) -> list[tuple[str, ...]]:
        """The named columns of the lines that a night made."""
        run_id = self.nights[day][1]["run_id"]
        of = {row["number"] for row in self.invoices if row["run_id"] == run_id}
        made = [line for line in self.lines if line["number"] in of]
        return [tuple(line[name] for name in names) for line in made]

    def buckets(self, day: str) -> dict[str, int]:
        """The buckets of a night that are not empty."""
        return _filled(self.nights[day][1])


def _spring_sheets() -> practice.Sheets:
    """The usual practice, a product more, and somebody for each thing that happens."""
    given = practice.sheets()
    signed = {"Last edited by": "mm"}
    given["settings"].append(
        {"Setting": "VAT number", "Value": "GB999999973", **signed}
    )
    given["products"] += [
        product("X", "X", price="x") | signed,
        product("BRONZE", "Bronze", monthly="20.00") | signed,
    ]
    annual = {"billing_frequency": "Annual", "start_date": "2026-02-01"}
    given["patients"] += [
        member(""),
        member("EDIT"),
        member("BACK"),
        member("LEFT", **annual),
        member("WED", **annual),
        member("MAIL", first_name="Barnaby", last_name="Thistlewood", **annual),
        member("EQUALS", last_name='=HYPERLINK("http://x")'),
        member("ACCENT", first_name="Søren", last_name="Núñez"),
        member("LATER", start_date="2026-03-02"),
        member("ENDED", start_date="2025-01-01", end_date="2025-12-31"),
        member("OFF", membership_active="No"),
        member("FROM", bill_from="2026-06-01"),
        member("BAD", start_date="31/02/2026"),
        member("NONE", membership_active="No", membership=""),
        member("P2 *"),
        member(""),
        member("F", end_date="soon"),
    ]
    given["invoice_requests"] = [_asked("R1", "", **{"Requested on": FIRST})]
    return given


# Who was typed without a Patient ID, or with one that cannot be used, or slid.
NAMELESS = ("", "P2 *", "F", "SLID")


def _asked(name: str, patient: str, **cells: str) -> Row:
    row = {"Request ID": name, "Patient ID": patient, "Product code": "CONSULT"}
    return {**row, "Requested on": SECOND, "Requested by": "dd", **cells}


def _of_the_second(folder: Path, first: dict[tuple[str, str], str]) -> None:
    """What is typed on 2 March."""
    change, add = practice.change, practice.add
    rows = practice.read(folder, "patients")
    named = [row for row in rows if row["Patient ID"] not in NAMELESS]
    practice.write(folder, "patients", named)
    (folder / "invoice_requests.csv").unlink()
    change(folder, "patients", "EDIT", {"Start date": "2026-02-15"})
    change(folder, "patients", "WED", {"Last name": "Married"})
    mail = {"Email": "not Thistlewood's address", "Date of birth": "2030-01-01"}
    change(folder, "patients", "MAIL", mail)
    practice.set_to(folder, "Practice name", "Another Surgery")
    # A price that the desk may not change, and one that nobody can read.
    cells = {"Monthly price": "52.00", "Last edited by": "dd"}
    change(folder, "products", "GOLD", cells)
    cells = {"Monthly price": "free", "Last edited by": "mm"}
    change(folder, "products", "BRONZE", cells)
    for code, name, combine in (
        ("ACME", "Acme Widgets Ltd", "Yes"),
        ("SOLO", "So", "No"),
    ):
        employer = {"Code": code, "Name": name, "Combine invoices": combine}
        add(folder, "contacts", employer | {"Payment terms (days)": "30"})
        price = {"Contact code": code, "Product code": "GOLD", "Monthly price": "44.00"}
        add(folder, "contract_prices", price | {"Last edited by": "mm"})
    rows = practice.read(folder, "patients")
    between = [member("P0", start_date=SECOND), *rows]
    between += [
        member(name, first_name=name, start_date=SECOND, bill_to=payer)
        for payer, names in (("ACME", ("A1", "A2")), ("SOLO", ("S1", "S2")))
        for name in names
    ]
    between += [
        member("P3", start_date=SECOND),
        member("BRONZE", start_date=SECOND, membership="BRONZE"),
        member("SILVER", start_date=SECOND, membership="SILVER"),
        *MISTAKES,
    ]
    practice.write(folder, "patients", between)
    add(
        folder, "invoice_requests",
        _asked("BY-HAND", "P2", Quantity="2"), _asked("GONE-1", "LEFT"),
    )  # fmt: skip
    sent = {"Invoice number": first["P1", "2026-01-31"], "Sent on": SECOND}
    add(folder, "sent", sent | {"Sent to": "a@example.org", "Sent by": "dd"})


def _held(folder: Path) -> list[str]:
    """Who stands in the sheet Held of the issues workbook."""
    sheet = openpyxl.load_workbook(folder / "out/issues.xlsx")["Held"]
    names = [row[0].value for row in sheet.iter_rows(min_row=5)]
    return [name for name in names if name not in (None, "Total")]


@pytest.fixture(scope="module")
def spring(tmp_path_factory: pytest.TempPathFactory) -> Spring:
    """The nights; nothing here changes it."""
    given = _spring_sheets()
    folder = practice.make(tmp_path_factory.mktemp("spring") / "clinic", given)
    with open(folder / "patients.csv", "a", encoding="utf-8") as file:
        # A comma in the first name: the first day stands under End date, and so on.
        file.write("SLID,Ann, Bee,Quill,Yes,GOLD,Monthly,2026-02-01,,,dd,\n")
    nights = {}

    def note(day: str, done: practice.Result) -> None:
        assert done.code == 3, done.err
        nights[day] = done, practice.last_run(folder)

    run("check", folder, "--as-of", FIRST)
    held = [_held(folder)]
    note(FIRST, bill(folder, FIRST))
    held.append(_held(folder))
    assert run("rebuild", folder).code == 0
    held.append(_held(folder))
    names = ("patient_id", "period_start", "number")
    first = {(who, start): n for who, start, n in practice.lines(folder, *names)}
    invoices = practice.files(folder / "out/invoices")

    _of_the_second(folder, first)
    credit = ("--reason", "left", "--by", "mm", "--on", SECOND)
    desk = [run("credit", folder, first["BACK", "2026-01-31"], *credit)]
    checked = run("check", folder, "--as-of", SECOND)
    before = practice.files(folder, but=TRACES)
    shown = run("preview", folder, "--as-of", SECOND, "--format", "csv")
    kept = practice.files(folder, but=TRACES) == before
    known = run("lines", folder, "--format", "csv").rows
    note(SECOND, bill(folder, SECOND, "--accept", "joined"))
    made = [r for r in run("lines", folder, "--format", "csv").rows if r not in known]

    practice.add(folder, "patients", member("P4", start_date=THIRD))
    practice.change(folder, "products", "GOLD", {"Last edited by": "mm"})
    practice.remove(folder, "patients", "LEFT")
    practice.add(folder, "invoice_requests", _asked("GONE-2", "LEFT"))
    (folder / "contacts.csv").unlink()
    practice.set_to(folder, "Auto invoice", "No")
    note(THIRD, bill(folder, THIRD))

    by_hand = ("--to", "b@example.org", "--by", "dd", "--on", THIRD, "--how", "post")
    desk.append(run("sent", folder, first["P1", "2026-02-28"].lower(), *by_hand))
    practice.set_to(folder, "Max days ahead", "60")
    practice.set_to(folder, "Auto invoice", "Yes")
    practice.add(
        folder, "patients", member("OLD"), member("LET", bill_from="01/03/2026")
    )
    practice.change(folder, "patients", "EDIT", {"Start date": "31/03/2026"})
    patients = practice.read(folder, "patients")
    practice.write(folder, "patients", patients, encoding="cp1252")
    note(LAST, bill(folder, LAST))
    previewed = shown, made, kept
    listings = practice.invoices(folder), run("lines", folder, "--format", "csv").rows
    return Spring(
        folder, nights, first, invoices, held, checked, previewed, desk, *listings
    )


MISTAKES: list[Row] = [
    member("M3", start_date="31/02/2026"),
    member("M4", bill_to="Mrs Quillfeather"),
    member("M5", first_name=""),
    member("M6", membership="GOLDEN"),
    member("M6", membership="GOLD"),
]


def test_a_night_tells_its_results_on_stdout_and_what_to_mend_on_stderr(
    spring: Spring,
) -> None:
    done, _ = spring.nights[FIRST]
    assert done.out.startswith("Harbour Lane Surgery, 2026-03-01, run 2026-03-01-01")
    told = done.err.splitlines()
    assert all(line.startswith(("Check: ", "Not billed: ")) for line in told)
    assert told[-1].startswith("Not billed: products.csv: row 5, Price: ")


def test_everyone_of_the_roster_is_in_one_bucket(spring: Spring) -> None:
    assert spring.buckets(FIRST) == {
        "billed": 9, "not_yet_due": 1, "ended": 1, "inactive": 1,
        "before_bill_from": 1, "held": 6,
    }  # fmt: skip


def test_text_that_begins_with_an_equals_sign_stays_text(spring: Spring) -> None:
    number = spring.first["EQUALS", "2026-01-31"]
    for name in ("invoices.xlsx", f"invoices/2026/03/{number}.xlsx"):
        book = openpyxl.load_workbook(spring.folder / "out" / name)
        cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
        named = [cell for cell in cells if "HYPERLINK" in str(cell.value)]
        assert named
        assert {cell.data_type for cell in named} == {"s"}


def test_a_sheet_in_windows_letters_keeps_its_accents(spring: Spring) -> None:
    told = (
        "Check: patients.csv: the file was read as Windows text; check the accents in"
        " it; save it as CSV UTF-8 (File, Save As)\n"
    )
    assert told not in spring.nights[THIRD][0].err
    assert told in spring.nights[LAST][0].err
    rows = practice.invoices(spring.folder, "--patient", "ACCENT")
    assert rows[-1]["issued_on"] == "2026-04-07"
    assert {row["patient_name"] for row in rows} == {"Søren Núñez"}


def test_a_number_of_a_practice_that_is_not_registered_is_in_no_invoice(
    spring: Spring,
) -> None:
    books = list((spring.folder / "out/invoices").rglob("*.xlsx"))
    assert books
    for file in books:
        with zipfile.ZipFile(file) as book:
            assert not any(b"999999973" in book.read(part) for part in book.namelist())


def test_missed_weeks_are_caught_up_by_their_own_days(spring: Spring) -> None:
    made = spring.made(LAST, *PERIOD)
    assert [line for line in made if line[0] == "P1"] == [
        ("P1", "2026-03-31", "2026-04-29", "52.00")
    ]
    row = practice.invoices(spring.folder, "--patient", "P1")[-1]
    assert (row["issued_on"], row["due_on"]) == ("2026-04-07", "2026-04-21")


def test_auto_invoice_off_bills_nobody_and_on_again_catches_up(spring: Spring) -> None:
    assert spring.buckets(THIRD) == {
        "auto_invoice_off": 16, "held": 10, "inactive": 1,
    }  # fmt: skip
    assert spring.made(THIRD, "number") == []
    assert spring.buckets(LAST) == {
        "billed": 11, "already_billed": 3, "ended": 1, "inactive": 1,
        "before_bill_from": 1, "held": 12,
    }  # fmt: skip
    made = spring.made(LAST, "patient_id", "period_start")
    assert len(made) == 12
    assert [start for who, start in made if who == "P4"] == [THIRD, "2026-04-03"]


def test_an_edited_start_date_is_held_until_the_day_named_is_typed(
    spring: Spring,
) -> None:
    held, _ = spring.nights[SECOND]
    assert (
        "Not billed: patients.csv: row 5, Start date: the period from 15 February 2026"
        " overlaps one that is billed until 30 March 2026: the Start date or the Billing"
        " frequency was changed; write 31/03/2026 as the Start date, or put back what was"
        " changed\n"
    ) in held.err
    assert held.err.count("patients.csv: row 5,") == 1
    # With a price and a start date nobody can read, and five rows with a mistake.
    assert (spring.buckets(SECOND)["held"], len(MISTAKES)) == (8, 5)
    assert [
        day for day in spring.nights if "15 February 2026" in spring.nights[day][0].err
    ] == [SECOND], "nor while Auto invoice is No"
    made = spring.made(LAST, *PERIOD)
    assert ("EDIT", "2026-03-31", "2026-04-29", "52.00") in made


def test_a_price_counts_for_coming_periods_once_somebody_entitled_signs_it(
    spring: Spring,
) -> None:
    assert (
        "Check: products.csv: row 2, Last edited by: dd may not edit products, so the"
        " last accepted version stays in force" in spring.nights[SECOND][0].err
    )
    price = ("patient_id", "gross", "price_source")
    source = "product price: Products row 2 (GOLD)"
    assert ("P3", "50.00", source) in spring.made(SECOND, *price)
    of_p4 = [line for line in spring.made(LAST, *price) if line[0] == "P4"]
    assert of_p4 == 2 * [("P4", "52.00", source)]


def test_an_employer_pays_the_contract_price_on_one_combined_invoice(
    spring: Spring,
) -> None:
    made = spring.made(SECOND, "patient_id", "number", "line", "gross")
    lines = {who: line for who, *line in made}
    number = lines["A1"][0]
    assert (lines["A1"], lines["A2"]) == (
        [number, "1", "44.00"],
        [number, "2", "44.00"],
    )
    (row,) = [r for r in spring.invoices if r["number"] == number]
    named = ("patient_id", "bill_to", "bill_to_name", "gross", "due_on")
    assert [row[name] for name in named] == [
        "", "ACME", "Acme Widgets Ltd", "88.00", "2026-04-01",
    ]  # fmt: skip


def test_without_combine_invoices_each_period_has_its_own(spring: Spring) -> None:
    made = spring.made(SECOND, "patient_id", "number", "gross")
    lines = {who: line for who, *line in made}
    assert lines["S1"][1] == lines["S2"][1] == "44.00"
    alone = [n for _, n, _ in made if n in (lines["S1"][0], lines["S2"][0])]
    assert len(set(alone)) == len(alone) == 2


def test_a_product_asked_for_by_hand_is_billed_once(spring: Spring) -> None:
    names = ("number", "patient_id", "product_code", "quantity", "gross")
    found = practice.lines(spring.folder, *names)
    (line,) = [line for line in found if line[1:3] == ("P2", "CONSULT")]
    assert line[1:] == ("P2", "CONSULT", "2", "170.00")
    rows = spring.invoices
    assert {r["number"]: r["membership"] for r in rows}[line[0]] == "no"
    listed = practice.invoices(spring.folder, "--memberships")
    assert listed == [row for row in rows if row["membership"] == "yes"]


def test_a_request_that_is_billed_holds_nothing_when_its_patient_leaves(
    spring: Spring,
) -> None:
    assert ("LEFT", "CONSULT") in spring.made(SECOND, "patient_id", "product_code")
    held, _ = spring.nights[THIRD]
    assert "Not billed: invoice_requests.csv: row 4, Patient ID: " in held.err
    assert held.err.count("invoice_requests.csv") == 1
    assert "GONE-1" not in held.err


def test_a_held_product_holds_its_members_and_nobody_else(spring: Spring) -> None:
    made = [who for (who,) in spring.made(SECOND, "patient_id")]
    assert "BRONZE" not in made and "SILVER" in made
    said = "Not billed: products.csv: row 6, Monthly price: "
    assert said in spring.nights[SECOND][0].err
    assert said in spring.checked.err


def test_a_contact_who_is_gone_holds_whom_it_pays_for_night_after_night(
    spring: Spring,
) -> None:
    for day in (THIRD, LAST):
        for row in range(17, 21):
            said = f"Not billed: patients.csv: row {row}, Bill to: "
            assert said in spring.nights[day][0].err
    made = {who for (who,) in spring.made(LAST, "patient_id")}
    assert not made & {"A1", "A2", "S1", "S2"}


def test_a_row_put_between_others_disturbs_no_later_night(spring: Spring) -> None:
    assert ("P0",) in spring.made(SECOND, "patient_id")
    assert [spring.nights[day][0].code for day in (SECOND, THIRD)] == [3, 3]
    assert ("P0",) not in spring.made(THIRD, "patient_id")
    assert "patients.csv: row 2," not in spring.nights[THIRD][0].err


def test_an_invoice_workbook_is_never_rewritten(spring: Spring) -> None:
    now = practice.files(spring.folder / "out/invoices")
    assert {name: now[name] for name in spring.files} == spring.files
    (name,) = {
        row["patient_name"]
        for row in practice.invoices(spring.folder, "--patient", "WED")
    }
    assert "Married" not in name
    changed = run("patient", spring.folder, "WED").out
    assert "changed 2 March 2026: Last name" in changed


def test_no_name_of_a_patient_is_said_by_a_night_or_a_check(spring: Spring) -> None:
    for said in (spring.checked, *(done for done, _ in spring.nights.values())):
        assert said.code == 3
        for name in ("Annabel", "Quillfeather", "Barnaby", "Thistlewood"):
            assert name not in said.out + said.err
    names = " ".join(str(path) for path in spring.folder.rglob("*"))
    assert "Quillfeather" not in names


def test_preview_shows_what_bill_would_make_and_writes_nothing(
    spring: Spring, tmp_path: Path
) -> None:
    shown, made, kept = spring.previewed
    assert (shown.code, kept) == (0, True)
    assert shown.rows == [{**row, "number": ""} for row in made]
    fresh = practice.make(tmp_path / "fresh")
    before = practice.files(fresh, but=TRACES)
    first = run("preview", fresh, "--as-of", FIRST, "--format", "csv")
    assert (first.code, len(first.rows)) == (0, 3)
    assert practice.files(fresh, but=TRACES) == before


def test_an_invoice_is_unsent_until_the_sent_log_or_the_command_says_so(
    spring: Spring,
) -> None:
    _, by_command = spring.desk
    assert (by_command.code, by_command.err) == (0, "")
    of = spring.first
    rows = spring.invoices
    states = {r["number"]: (r["status"], r["sent_on"], r["sent_to"]) for r in rows}
    assert states[of["P1", "2026-01-31"]] == ("sent", SECOND, "a@example.org")
    assert states[of["P2", "2026-02-01"]] == ("unsent", "", "")
    assert states[of["P1", "2026-02-28"]] == ("sent", THIRD, "b@example.org")
    assert [state for state, *_ in states.values()].count("sent") == 2
    unsent = practice.invoices(spring.folder, "--unsent")
    assert unsent == [row for row in rows if row["status"] == "unsent"]
    assert run("verify", spring.folder).code == 0


def test_a_credit_note_takes_back_the_whole_invoice_once(spring: Spring) -> None:
    number = spring.first["BACK", "2026-01-31"]
    made, _ = spring.desk
    assert (made.code, made.out) == (
        0,
        f"CRN-000001 takes back £50.00 of {number}; nothing is left\n",
    )
    rows = {row["number"]: row for row in spring.invoices}
    note, invoice = rows["CRN-000001"], rows[number]
    assert (note["kind"], note["gross"]) == ("credit_note", "-50.00")
    assert (invoice["status"], invoice["active"], invoice["credits"]) == (
        "credited", "no", "50.00",
    )  # fmt: skip
    listed = practice.invoices(spring.folder, "--active")
    assert {row["number"] for row in listed} == rows.keys() - {number, "CRN-000001"}
    assert (spring.folder / "out/invoices/2026/03/CRN-000001.xlsx").is_file()
    again = run("credit", spring.folder, number, "--reason", "left", "--by", "mm")
    assert again.code == 2
    assert f"{number} was credited already, by CRN-000001" in again.err
    found = practice.lines(spring.folder, "patient_id", "period_start", "gross")
    assert [line[1:] for line in found if line[0] == "BACK"] == [
        ("2026-01-31", "50.00"), ("2026-02-28", "50.00"),
        ("2026-03-31", "52.00"), ("2026-01-31", "-50.00"),
    ], "the period stays billed"  # fmt: skip


def test_a_day_that_is_given_is_the_credit_notes_day_or_refused(spring: Spring) -> None:
    number = spring.first["P1", "2026-01-31"]
    credit = ("--reason", "left", "--by", "mm", "--on")
    early = run("credit", spring.folder, number, *credit, "2026-02-28")
    assert early.code == 2
    assert f"2026-02-28 is before {number} was made, on 2026-03-01" in early.err
    between = run("credit", spring.folder, number, *credit, FIRST)
    assert between.code == 2
    assert (
        f"{FIRST} is before the last credit note, which is of {SECOND}" in between.err
    )
    rows = spring.invoices
    (note,) = [r for r in rows if r["kind"] == "credit_note"]
    assert (note["number"], note["issued_on"]) == ("CRN-000001", SECOND)


EXPLAINED = [
    pytest.param(
        "inv-000011",
        [
            "Invoice INV-000011: £50.00, unsent",
            "price: 1 x £50.00 from product price: Products row 2 (GOLD)",
            "made by run 2026-03-01-01 (bill, as of 1 March 2026",
        ],
        id="an invoice",
    ),
    pytest.param(
        "P2",
        ["Patient P2", "GOLD: Billed before", "INV-000008"],
        id="a patient who is billed",
    ),
    pytest.param(
        "BAD",
        [
            "GOLD: Held until something is mended",
            "why: Its row has a problem.",
            "31/02/2026",
        ],
        id="a patient who is held",
    ),
]


@pytest.mark.parametrize(("name", "says"), EXPLAINED)
def test_explain_tells_why(name: str, says: list[str], spring: Spring) -> None:
    told = run("explain", spring.folder, name)
    assert told.code == 0
    for words in says:
        assert words in told.out


# Old periods


def test_an_old_period_is_held_until_bill_from_is_typed(spring: Spring) -> None:
    held, _ = spring.nights[LAST]
    said = (
        ", Bill from: the period from 31 January 2026 is not billed and lies more than"
        " Catch-up days back; write 31/01/2026 in Bill from to bill from there on, or a"
        " later day to let earlier periods go\n"
    )
    assert held.err.count(said) == 1
    made = spring.made(LAST, "patient_id", "period_start")
    assert [start for who, start in made if who == "OLD"] == []
    assert [start for who, start in made if who == "LET"] == ["2026-03-31"]
    # Its price is within the £156.00 above it, and not "not known".
    file = run("patient", spring.folder, "OLD").out
    assert "back £156.00.\n  First held period: 31 January 2026\n" in file


# After the night


@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param(
            ["INV-000009", "--to", "x", "--by", "dd"],
            "no invoice INV-000009 has been made; see `membill invoices`",
            id="an invoice that was never made",
        ),
        pytest.param(
            [" inv-1", "--to", "x", "--by", "dd"],
            "no invoice inv-1 has been made; did you mean INV-000001?",
            id="a number without its zeros",
        ),
        pytest.param(
            ["", "--to", "x", "--by", "dd"],
            "the number is blank; see `membill invoices`",
            id="a blank number",
        ),
        pytest.param(
            ["INV-000001", "--to", "x", "--by", " "], "--by is blank", id="nobody"
        ),
        pytest.param(
            ["INV-000001", "--to", "x", "--by", "d"],
            "d is not an active user whose role may Edit Invoices; did you mean dd?",
            id="a user who is not known",
        ),
        pytest.param(
            [
                "INV-000001",
                "INV-000002",
                "--to",
                "x",
                "--by",
                "dd",
                "--on",
                "2026-02-28",
            ],
            "2026-02-28 is before INV-000001 was made, 2026-03-01",
            id="a day before it was made",
        ),
    ],
)
def test_a_sending_that_cannot_be_is_refused_and_nothing_recorded(
    more: list[str], says: str, after_first: Path
) -> None:
    refused = run("sent", after_first, *more)
    assert refused.code == 2
    assert says in refused.err
    assert len(practice.invoices(after_first, "--unsent")) == 3


# What stops a night


def test_a_forecast_of_a_practice_that_was_never_billed_makes_its_own_folder(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path / "clinic")
    assert run("forecast", folder, "--months", "1").code in (0, 3)
    assert (folder / "out/forecast.xlsx").is_file()


def test_a_listing_of_nothing_says_so(clinic: Path) -> None:
    assert run("invoices", clinic, "--patient", "NOBODY").out == "Invoices: 0\n"


def test_two_runs_at_once_end_with_5_and_name_the_one_at_work(clinic: Path) -> None:
    with locked(clinic / "ledger/membill.duckdb"):
        busy = bill(clinic, SECOND)
    assert busy.code == 5
    assert f"process {os.getpid()} on " in busy.err
    assert "try again when it is done" in busy.err


def test_a_disk_that_knows_no_locks_takes_no_ledger(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr("fcntl.flock", missing)
    told = bill(clinic, SECOND)
    assert told.code == 4
    assert "its disk knows no locks, so that two runs could work on it" in told.err


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(["bill"], id="no folder"),
        pytest.param(
            ["bill", ".", "--as-of", "31/03/2026"], id="a day typed otherwise"
        ),
        pytest.param(["bill", ".", "--accept", "all"], id="a guard that there is not"),
        pytest.param(["bill", ".", "--force"], id="an option that there is not"),
        pytest.param(["charge", "."], id="a command that there is not"),
        pytest.param(
            ["lines", ".", "--format", "xml"], id="a format that there is not"
        ),
        pytest.param(["sent", ".", "INV-000001"], id="a sending to nobody"),
        pytest.param(["credit", ".", "INV-000001", "--by", "mm"], id="no reason"),
    ],
)
def test_wrong_usage_ends_with_2(args: list[str]) -> None:
    assert run(*args).code == 2


def test_all_that_stops_a_night_is_told_at_once_and_nothing_is_touched(
    clinic: Path,
) -> None:
    for name in ("products", "roles"):
        (clinic / f"{name}.csv").unlink()
    practice.set_to(clinic, "Catch-up days", "soon")
    rows = practice.read(clinic, "patients")
    for row in rows:
        del row["Membership active"]
    practice.write(clinic, "patients", rows)
    before = practice.files(clinic, but=TRACES)
    refused = bill(clinic, SECOND)
    assert refused.code == 4
    told = [line.split("; ")[0] for line in refused.err.splitlines()]
    assert told == [
        "Stops the night: patients.csv: the column Membership active is missing",
        "Stops the night: roles.csv: the file is missing, and there is no settings.xlsx"
        " with a sheet Roles",
        "Stops the night: products.xlsx: the file is missing",
        "Stops the night: settings.csv: row 6, Value: Catch-up days: soon is not a whole"
        " number",
        "Nothing was billed, and the ledger is as it was.",
    ]
    assert practice.files(clinic, but=TRACES) == before
    shown = _texts(clinic / "out/issues.xlsx")
    assert any("products.xlsx" in text for text in shown)


def test_a_setting_that_is_missing_stops_the_first_night(tmp_path: Path) -> None:
    folder = practice.make(tmp_path / "clinic")
    practice.remove(folder, "settings", "Bill from")
    refused = bill(folder, FIRST)
    assert refused.code == 4
    assert refused.err.startswith(
        "Stops the night: settings.csv: the setting Bill from is missing; add a row Bill"
        " from with "
    )


@pytest.mark.parametrize("command", ["bill", "check", "preview", "rebuild", "backup"])
def test_a_folder_that_is_not_there_is_refused_and_not_made(
    command: str, tmp_path: Path
) -> None:
    refused = run(command, tmp_path / "clinc")
    assert refused.code == 4
    assert f"{tmp_path / 'clinc'}: there is no such folder" in refused.err
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_told_even_when_the_issues_workbook_cannot_be_written(
    clinic: Path,
) -> None:
    (clinic / "out/issues.xlsx").unlink()
    (clinic / "out/issues.xlsx").mkdir()
    (clinic / "products.csv").unlink()
    refused = bill(clinic, SECOND)
    assert refused.code == 4
    assert "products.xlsx: the file is missing" in refused.err
    assert "out/issues.xlsx: the file could not be written" in refused.err


# What was published


def test_a_crash_ends_with_1_and_one_plain_line(
    clinic: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("Annabel Quillfeather")

    monkeypatch.setattr(night, "prepare", broken)
    monkeypatch.setattr("tempfile.tempdir", str(clinic))
    monkeypatch.setattr(
        sys, "argv", ["membill", "bill", str(clinic), "--as-of", SECOND]
    )
    with pytest.raises(SystemExit) as ended:
        program.main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert said.startswith(
        "membill stopped because of a fault of its own (RuntimeError)"
    )
    assert "Quillfeather" not in said
    assert "Traceback" not in said


def test_rebuild_makes_every_output_again_and_invoices_byte_for_byte(
    clinic: Path,
) -> None:
    before = practice.files(clinic / "out")
    for path in sorted((clinic / "out").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert run("rebuild", clinic).code == 0
    after = practice.files(clinic / "out")
    assert after.keys() == before.keys()
    made = [name for name in before if name.startswith("invoices/")]
    assert len(made) == 3
    assert {name: after[name] for name in made} == {name: before[name] for name in made}
    assert after["last_run.json"] == before["last_run.json"]


# Looking


def test_what_is_held_without_a_patient_id_is_told_apart_by_its_row(
    spring: Spring,
) -> None:
    for held in spring.held:
        assert [name for name in held if " row " in name] == [
            "Patients row 4", "Patients row 18", "Patients row 19",
            "Invoice requests row 2",
        ]  # fmt: skip
        assert sorted(name for name in held if " row " not in name) == [
            "BAD", "F", "SLID"
        ]  # fmt: skip


def test_a_row_that_slid_by_a_comma_bills_nobody_and_is_told_once(
    spring: Spring,
) -> None:
    billed = {who for (who,) in spring.made(FIRST, "patient_id")}
    assert {"P1", "P2"} < billed and "SLID" not in billed
    told = spring.nights[FIRST][0].err.splitlines()
    assert [line for line in told if "patients.csv: row 21," in line] == [
        "Not billed: patients.csv: row 21, Patient ID: the row has more cells than there"
        " are headings; put text that holds a comma between quotation marks, or delete"
        " the commas too many at the end of the row"
    ]


def test_check_reads_and_writes_the_issues_workbook_alone(clinic: Path) -> None:
    before = practice.files(clinic, but=TRACES)
    practice.change(clinic, "patients", "P2", {"Start date": "31/02/2026"})
    patients = (clinic / "patients.csv").read_bytes()
    found = run("check", clinic, "--as-of", SECOND)
    assert found.code == 3
    assert found.out.startswith("1 to mend before the next night")
    assert (clinic / "patients.csv").read_bytes() == patients
    after = practice.files(clinic, but=TRACES)
    assert {name for name in after if after[name] != before.get(name)} == {
        "patients.csv"
    }


def test_listings_say_the_same_in_every_format(clinic: Path) -> None:
    for command, columns in (
        ("invoices", INVOICE_COLUMNS),
        ("lines", LINE_COLUMNS),
    ):
        as_csv = run(command, clinic, "--format", "csv")
        assert as_csv.out.splitlines()[0] == ",".join(columns)
        as_json = run(command, clinic, "--format", "json")
        assert json.loads(as_json.out) == as_csv.rows
        table = run(command, clinic)
        assert table.out.splitlines()[0].strip().endswith(": 3")
        assert (as_csv.err, as_json.err, table.err) == ("", "", "")


def test_explain_knows_neither_invoice_nor_patient(clinic: Path) -> None:
    told = run("explain", clinic, "INV-000009")
    assert told.code == 2
    assert "INV-000009" in told.err


def test_last_run_says_what_the_night_came_to(after_first: Path) -> None:
    last = practice.last_run(after_first)
    same = after_first / "out/runs/2026-03-01-01/run.json"
    assert json.loads(same.read_text(encoding="utf-8")) == last
    assert isinstance(last["duration_seconds"], float)
    digests = last.pop("inputs")
    assert sorted(digests) == sorted(path.name for path in after_first.glob("*.csv"))
    assert {len(digest) for digest in digests.values()} == {64}
    wanted = {
        "run_id": "2026-03-01-01", "command": "bill", "as_of": FIRST, "exit_code": 0,
        "version": night.VERSION, "invoices_made": 3, "first_number": "INV-000001",
        "last_number": "INV-000003", "held_value": "0.00", "accepted_guards": [],
        "totals": {"net": "650.00", "tax": "0.00", "gross": "650.00"},
        "memberships": {
            "billed": 2, "already_billed": 0, "not_yet_due": 0, "ended": 0,
            "inactive": 0, "auto_invoice_off": 0, "before_bill_from": 0, "held": 0,
        },
    }  # fmt: skip
    assert {name: last[name] for name in wanted} == wanted


# The ledger


def _tampered_row(folder: Path) -> None:
    with duckdb.connect(str(folder / "ledger/membill.duckdb")) as connection:
        connection.execute("update lines set description = 'x' where number like '%1'")


def _tampered_workbook(folder: Path) -> None:
    path = folder / "out/invoices/2026/03/INV-000002.xlsx"
    book = openpyxl.load_workbook(path)
    book.active["A1"] = "paid"
    book.save(path)


def _open_to_others(folder: Path) -> None:
    (folder / "out/invoices.xlsx").chmod(0o644)


def _head_of_another(folder: Path) -> None:
    path = folder / "ledger/head.json"
    head = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**head, "position": 1}), encoding="utf-8")


def test_verify_finds_a_changed_row_a_changed_workbook_and_a_file_that_others_can_read(
    clinic: Path,
) -> None:
    _tampered_row(clinic)
    _tampered_workbook(clinic)
    _open_to_others(clinic)
    found = run("verify", clinic)
    assert found.code == 4
    for says in (
        "invoice INV-000001 is not what was written",
        "invoices/2026/03/INV-000002.xlsx was changed after it was made",
        "invoices.xlsx can be read or written by others",
    ):
        assert says in found.out


def test_verify_finds_a_head_of_another_ledger(clinic: Path) -> None:
    _head_of_another(clinic)
    found = run("verify", clinic)
    assert found.code == 4
    assert "does not hold run" in found.out + found.err


ON_A_LEDGER = (
    "invoices", "lines", "explain INV-000001", "patient P1", "pdf INV-000001",
    "sent INV-000001 --to a@example.org --by mm", "credit INV-000001 --reason x --by mm",
    "close 2026-03 --by mm", "forget P1 --by mm", "export xero", "export data", "rebuild",
    "verify", "backup",
)  # fmt: skip


@pytest.mark.parametrize("typed", ON_A_LEDGER)
def test_without_a_ledger_nothing_is_shown_as_empty_and_nothing_is_made(
    typed: str, clinic: Path, tmp_path: Path
) -> None:
    command, *rest = typed.split()
    never = practice.make(tmp_path / "never billed")
    elsewhere = tmp_path / "elsewhere/membill.duckdb"
    for folder, more in ((never, []), (clinic, ["--ledger", elsewhere])):
        before = practice.files(folder)
        done = run(command, folder, *rest, *more)
        assert done.code == 4, done.out
        assert "there is no ledger here; name the practice folder" in done.err
        assert practice.files(folder) == before
    assert not elsewhere.parent.exists()


def test_a_ledger_that_is_gone_is_never_begun_anew(clinic: Path) -> None:
    assert run("backup", clinic).code == 0
    (clinic / "ledger/membill.duckdb").unlink()
    refused = bill(clinic, SECOND)
    assert refused.code == 4
    assert "the ledger is gone but head.json is still there" in refused.err
    copy = clinic / "ledger/backups/2026-03-01-01.duckdb"
    assert run("restore", clinic, copy).code == 0
    assert run("verify", clinic).code == 0
    assert len(practice.lines(clinic, "number")) == 3


@dataclass(frozen=True)
class Back:
    """A practice whose copy was brought back after a sending and a night of April.

    While they were at work, the list of invoices was open elsewhere.
    """

    folder: Path
    backup: practice.Result
    busy: list[practice.Result]
    older: list[practice.Result]
    brought: practice.Result
    kept: dict[str, str]
    lost: dict[str, str]


@pytest.fixture(scope="module")
def back(after_first: Path) -> Back:
    """A copy, a sending and a night that bills nobody; and the copy again.

    In between, commands met the older ledger where the newer one belongs.
    """
    folder = practice.copied(after_first, after_first.parent / "back")
    backup = run("backup", folder)
    practice.set_to(folder, "Auto invoice", "No")
    page = folder / "out/invoices.xlsx"
    page.unlink()
    page.mkdir()
    sending = ("INV-000001", "--to", "post", "--by", "dd")
    busy = [run("sent", folder, *sending, today=SECOND)]
    busy.append(bill(folder, APRIL, "--accept", "date"))
    page.rmdir()
    now = (folder / LEDGER).read_bytes()
    (folder / LEDGER).write_bytes((after_first / LEDGER).read_bytes())
    older = [run(name, folder) for name in ("bill", "verify", "lines", "preview")]
    (folder / LEDGER).write_bytes(now)
    lost = practice.files(folder / "out")
    brought = run("restore", folder, folder / COPY)
    kept = practice.files(Path(brought.out.partition("is kept as ")[2].strip()))
    return Back(folder, backup, busy, older, brought, kept, lost)


APRIL, COPY = "2026-04-01", "ledger/backups/2026-03-01-01-by-hand.duckdb"
LEDGER = "ledger/membill.duckdb"


def test_an_older_ledger_put_back_by_hand_is_refused(back: Back) -> None:
    for refused in back.older:
        assert refused.code == 4
        assert "does not hold run 2026-04-01-01 that its head file names" in refused.err


def test_a_workbook_that_is_open_elsewhere_stops_neither_the_night_nor_a_sending(
    back: Back,
) -> None:
    for done in back.busy:
        assert done.code == 0
        assert "Warning: invoices.xlsx could not be written" in done.err
    assert (back.folder / "out/invoices.xlsx").is_file(), "made by the next run"


def test_a_copy_is_brought_back_where_no_number_was_given_out_since(
    back: Back,
) -> None:
    assert back.backup.out == f"checked copy: {back.folder / COPY}\n"
    assert back.brought.code == 0, "the night since made nothing"
    assert "what it replaced is kept as" in back.brought.out
    assert run("verify", back.folder).code == 0


def test_after_a_restore_the_outputs_tell_of_the_ledger_that_came_back(
    back: Back,
) -> None:
    run_of_april, april = "runs/2026-04-01-01/run.json", "registers/2026-04.xlsx"
    assert {run_of_april, april} <= back.lost.keys()
    assert back.kept[run_of_april] == back.lost[run_of_april]
    assert april in back.kept
    now = practice.files(back.folder / "out")
    assert not {run_of_april, april} & now.keys()
    path = back.folder / "out/registers/2026-03.xlsx"
    register = openpyxl.load_workbook(path)
    states = [row[2] for row in register["Invoices"].iter_rows(values_only=True)]
    assert states.count("Unsent") == 3, "the copy knows of no sending"
    assert practice.last_run(back.folder)["run_id"] == "2026-03-01-01"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(None, "there is no such file", id="a copy that is not there"),
        pytest.param(
            b"words" * 2000, "damaged or not a ledger", id="a file of another kind"
        ),
    ],
)
def test_what_is_no_copy_is_not_brought_back(
    content: bytes | None, says: str, clinic: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.duckdb"
    if content:
        copy.write_bytes(content)
    before = practice.files(clinic, but=TRACES)
    refused = run("restore", clinic, copy)
    assert refused.code == 4
    assert says in refused.err
    assert practice.files(clinic, but=TRACES) == before
