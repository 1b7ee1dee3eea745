"""What a night finds by comparing with nights before it, and what it then refuses."""

import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from unittest.mock import patch

import practice
import pytest
from practice import Row, bill, run

from pipeline.ledger import ledger_path, opened
from pipeline.publish import Published
from pipeline.run import prepare

FIRST, SECOND = "2026-03-01", "2026-03-02"
# What a night that is refused may leave behind.
TRACES = ("out/issues.xlsx", "ledger/membill.lock.json")
BORN = {"Date of birth": "1980-01-01"}


@pytest.fixture(scope="module")
def after_first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice after its first night, with birth dates and a request billed."""
    given = practice.sheets()
    given["patients"] = [{**row, **BORN} for row in given["patients"]]
    given["invoice_requests"] = [_asked()]
    folder = practice.make(tmp_path_factory.mktemp("looking") / "clinic", given)
    assert bill(folder, FIRST).code == 0
    return folder


@pytest.fixture
def clinic(after_first: Path, tmp_path: Path) -> Path:
    """A practice of one's own after its first night."""
    return practice.copied(after_first, tmp_path / "clinic")


def _asked(**cells: str) -> Row:
    return {
        "Request ID": "R1", "Patient ID": "P2", "Product code": "CONSULT",
        "Quantity": "2", "Requested on": FIRST, "Requested by": "dd", **cells,
    }  # fmt: skip


def _refused(folder: Path, told: str) -> None:
    """The night is refused with these words and leaves everything as it was."""
    before = practice.files(folder, but=TRACES)
    refused = bill(folder, SECOND)
    assert refused.code == 4
    assert told in refused.err
    assert practice.files(folder, but=TRACES) == before


def test_a_billed_person_under_a_new_id_is_not_billed_again(clinic: Path) -> None:
    practice.change(clinic, "patients", "P1", {"Patient ID": "P01X"})
    held = bill(clinic, SECOND)
    assert held.code == 3
    assert (
        "Not billed: patients.csv: row 2, Patient ID: P01X has the name and date of"
        " birth of P1, who was billed and is no longer in the sheet; put back P1; if it"
        " is somebody else, put back the row of P1 and end it\n"
    ) in held.err
    assert len(practice.lines(clinic, "number")) == 4


def test_a_namesake_who_was_born_another_day_is_billed(clinic: Path) -> None:
    cells = {"Patient ID": "P3", "Date of birth": "1985-05-05"}
    practice.change(clinic, "patients", "P1", cells)
    assert bill(clinic, SECOND).code == 0
    assert practice.lines(clinic, "patient_id")[4:] == [("P3",), ("P3",)]


def test_a_column_that_was_in_use_is_never_read_as_blank(clinic: Path) -> None:
    rows = practice.read(clinic, "patients")
    for row in rows:
        del row["Date of birth"]
    practice.write(clinic, "patients", rows)
    _refused(
        clinic,
        "Stops the night: patients.csv: the column Date of birth, which 2 rows filled in"
        " last time, is missing; put the column Date of birth back, even if it is now"
        " empty\n",
    )


def test_a_column_that_was_never_filled_in_may_go(clinic: Path) -> None:
    rows = practice.read(clinic, "patients")
    for row in rows:
        del row["End date"]
    practice.write(clinic, "patients", rows)
    assert bill(clinic, SECOND).code == 0


@pytest.mark.parametrize(("sheet", "title"), [("staff", "Staff"), ("roles", "Roles")])
def test_without_anybody_to_judge_by_nothing_is_billed(
    sheet: str, title: str, clinic: Path
) -> None:
    rows = practice.read(clinic, sheet)
    practice.write(clinic, sheet, [dict.fromkeys(rows[0], "")])
    _refused(clinic, f"the sheet {title} has no row that can be used; fill in")


def test_a_billed_request_that_was_edited_is_not_billed_again(clinic: Path) -> None:
    practice.write(clinic, "invoice_requests", [_asked(Quantity="5")])
    night = bill(clinic, SECOND)
    assert night.code == 0
    assert (
        "Check: invoice_requests.csv: row 2, Request ID: R1 was billed on INV-000004 and"
        " now asks for something else, which is not billed; give what is new a new"
        " Request ID; a wrong invoice is credited\n"
    ) in night.err
    assert len(practice.lines(clinic, "number")) == 4


def test_a_membership_asked_for_before_bill_from_is_held(clinic: Path) -> None:
    early = _asked(
        **{"Request ID": "R2", "Product code": "SILVER", "Quantity": "",
           "Requested on": "2025-12-31", "Patient ID": "P1"}
    )  # fmt: skip
    practice.add(clinic, "invoice_requests", early)
    held = bill(clinic, SECOND)
    assert held.code == 3
    assert (
        "Not billed: invoice_requests.csv: row 3, Requested on: a membership period that"
        " starts before the practice's Bill from is not billed; correct the request, or"
        " delete its row\n"
    ) in held.err


def test_a_setting_under_two_spellings_is_told_as_twice(clinic: Path) -> None:
    twice = {"Setting": "bill_FROM", "Value": "2026-02-01", "Last edited by": "mm"}
    practice.add(clinic, "settings", twice)
    _refused(
        clinic,
        "settings.csv: row 6, Value: the setting Bill from stands in rows 4, 6; keep the"
        " row that is right and delete the others",
    )


@pytest.mark.parametrize(
    ("sheet", "key", "cells"),
    [
        pytest.param("tax_codes", "EXEMPT", {"Rate %": "-20"}, id="a rate"),
        pytest.param("products", "GOLD", {"Monthly price": "-5"}, id="a price"),
    ],
)
def test_a_number_below_nothing_is_held_at_its_cell(
    sheet: str, key: str, cells: Row, clinic: Path
) -> None:
    practice.change(clinic, sheet, key, cells)
    held = bill(clinic, SECOND)
    (column,) = cells
    assert held.code == 3
    assert f"Not billed: {sheet}.csv: row 2, {column}: " in held.err


def test_a_request_for_less_than_nothing_is_held_at_its_cell(clinic: Path) -> None:
    less = _asked(**{"Request ID": "R2", "Quantity": "-1"})
    practice.add(clinic, "invoice_requests", less)
    held = bill(clinic, SECOND)
    assert held.code == 3
    assert "Not billed: invoice_requests.csv: row 3, Quantity: " in held.err


def test_a_price_row_whose_date_is_corrected_counts_once(clinic: Path) -> None:
    rise = {"Product code": "GOLD", "Monthly price": "60.00", "Last edited by": "mm"}
    practice.write(clinic, "price_changes", [{**rise, "Effective from": "2026-03-15"}])
    assert bill(clinic, SECOND).code == 0
    practice.write(clinic, "price_changes", [{**rise, "Effective from": "2026-06-15"}])
    practice.set_to(clinic, "Max days ahead", "60")
    assert bill(clinic, "2026-03-31").code == 0
    assert practice.lines(clinic, "patient_id", "gross")[4:] == [("P1", "50.00")]
    with opened(ledger_path(clinic), write=False) as books:
        gone = "column_title = '(whole row)'"
        told = books.rows(
            f"select accepted, edited_by from ledger.changes where {gone}"
        )
    assert told == [{"accepted": True, "edited_by": "mm"}]


# Edits that reach back over what is billed: P1 from 31 January and 28 February by the
# month for 50.00, P2 for the year from 1 February for 550.00.


def _told(folder: Path, code: str) -> list[str]:
    """What the next night would find of this kind."""
    day = date.fromisoformat(SECOND)
    with opened(ledger_path(folder), write=False) as books:
        problems = prepare(books, folder, day, lambda zone: day).problems
    return [problem.found for problem in problems if problem.code == code]


def _price(day: str, **prices: str) -> Row:
    titles = {"monthly": "Monthly price", "annual": "Annual price"}
    cells = {titles[name]: price for name, price in prices.items()}
    return {
        "Product code": "GOLD",
        "Effective from": day,
        "Last edited by": "mm",
        **cells,
    }


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([_price("2026-03-02", monthly="52.00", annual="570.00")], []),
        ([_price("2026-02-28", monthly="52.00")], ["1 period too", "INV-000003"]),
        ([_price("2026-02-28", monthly="50.00")], []),
        ([_price("2026-03-01", annual="570.00")], []),
        (
            [_price("2026-01-01", monthly="52.00", annual="570.00")],
            ["3 periods too", "INV-000001, INV-000002, INV-000003"],
        ),
        # From 28 February on the later one counts, which says what was charged.
        (
            [
                _price("2026-01-01", monthly="52.00"),
                _price("2026-02-28", monthly="50.00"),
            ],
            ["1 period too", "INV-000001"],
        ),
        # One that says nothing of a month leaves the month to the earlier one.
        (
            [
                _price("2026-01-01", monthly="52.00"),
                _price("2026-02-15", annual="550.00"),
            ],
            ["2 periods too", "INV-000001, INV-000003"],
        ),
    ],
)
def test_a_price_of_a_day_that_is_billed_is_told(
    rows: list[Row], told: list[str], clinic: Path
) -> None:
    practice.write(clinic, "price_changes", rows)
    found = _told(clinic, "price-reaches-back")
    assert len(found) == bool(told)
    assert all(words in text for text in found for words in told), found


def test_a_price_that_comes_too_late_for_what_was_billed_at_nothing_is_told(
    clinic: Path,
) -> None:
    free = practice.product("FREE", "Free", monthly="0.00")
    practice.add(clinic, "products", {**free, "Last edited by": "mm"})
    practice.add(clinic, "patients", practice.member("P9", membership="FREE"))
    assert bill(clinic, FIRST, "--accept", "date").code == 0
    rise = {**_price("2026-01-01", monthly="5.00"), "Product code": "FREE"}
    practice.write(clinic, "price_changes", [rise])
    (found,) = _told(clinic, "price-reaches-back")
    assert found.startswith("this price of FREE is for 2 periods too"), found


def test_a_contract_price_that_reaches_back_is_told_of_its_payer_alone(
    clinic: Path,
) -> None:
    practice.write(clinic, "contacts", [{"Code": "ACME", "Name": "Acme Widgets Ltd"}])
    practice.change(clinic, "patients", "P1", {"Bill to": "ACME"})
    agreed = {
        "Contact code": "ACME", "Product code": "GOLD", "Monthly price": "44.00",
        "Valid from": "2026-01-01", "Valid to": "", "Last edited by": "mm",
    }  # fmt: skip
    practice.write(clinic, "contract_prices", [agreed])
    assert _told(clinic, "price-reaches-back") == [], "the patient paid for himself"
    practice.set_to(clinic, "Max days ahead", "60")
    assert bill(clinic, "2026-03-31").code == 0
    lower = {**agreed, "Monthly price": "42.00"}
    practice.write(clinic, "contract_prices", [lower])
    (found,) = _told(clinic, "price-reaches-back")
    assert found.startswith("this price of ACME GOLD is for 1 period too")
    practice.write(clinic, "contract_prices", [{**lower, "Valid to": "2026-03-30"}])
    assert _told(clinic, "price-reaches-back") == [], "ended before what it paid for"
    practice.write(clinic, "contract_prices", [agreed])
    practice.write(clinic, "price_changes", [_price("2026-03-31", monthly="52.00")])
    assert _told(clinic, "price-reaches-back") == [], "an agreed price comes first"


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        ({}, {"Start date": "2026-05-01"}, True),
        # As the hold of an overlapping period advises.
        ({}, {"Start date": "2026-03-31"}, False),
        (
            {"End date": "2026-03-30"},
            {"Start date": "2026-05-01", "End date": ""},
            False,
        ),
        (
            {"Membership active": "No"},
            {"Start date": "2026-05-01", "Membership active": "Yes"},
            False,
        ),
        # What had not begun leaves nothing out when it begins later still.
        ({"Start date": "2026-05-01"}, {"Start date": "2026-06-01"}, False),
    ],
)
def test_a_start_date_that_leaves_days_unbilled_is_told(
    before: Row, now: Row, told: bool, clinic: Path
) -> None:
    if before:
        practice.change(clinic, "patients", "P1", before)
        assert bill(clinic, FIRST, "--accept", "date").code == 0
    practice.change(clinic, "patients", "P1", now)
    assert len(_told(clinic, "days-left-out")) == told


def test_a_first_number_after_the_first_is_told(clinic: Path) -> None:
    practice.set_to(clinic, "First invoice number", "1")
    assert _told(clinic, "first-number-is-past") == []
    practice.set_to(clinic, "First invoice number", "500")
    assert _told(clinic, "first-number-is-past") == [
        "First invoice number counts for the very first invoice only, which had number"
        " 1; they have reached 4"
    ]


# The ledger beside what was made from it


def test_a_new_ledger_beside_published_invoices_is_refused(clinic: Path) -> None:
    shutil.rmtree(clinic / "ledger")
    refused = bill(clinic, SECOND)
    assert refused.code == 4
    assert (
        "Stops the night: ledger/membill.duckdb: INV-000004 and 3 more lie in"
        " out/invoices but are not in the ledger: it is an older or a new one, and would"
        " give their numbers out again; bring it back with `membill restore`, or enter"
        " them again with `membill restore --adopt`; if the workbooks are of another"
        " practice or only a trial, move out/invoices away\n"
    ) in refused.err
    assert not (clinic / "ledger/membill.duckdb").exists()


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"position": "x"}'])
def test_a_head_file_of_nonsense_is_refused(text: str, clinic: Path) -> None:
    (clinic / "ledger/head.json").write_text(text, encoding="utf-8")
    _refused(clinic, "head.json cannot be read")


def test_a_head_that_says_nothing_was_done_does_not_fool_the_check(
    clinic: Path,
) -> None:
    head = clinic / "ledger/head.json"
    said = json.loads(head.read_text(encoding="utf-8"))
    head.write_text(json.dumps({**said, "sha256": None}), encoding="utf-8")
    _refused(clinic, "the ledger does not hold run 2026-03-01-01")


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_without_a_folder_for_the_outputs_nothing_is_billed(
    kind: str, tmp_path: Path
) -> None:
    folder = practice.make(tmp_path / "clinic")
    if kind == "file":
        (folder / "out").write_text("x", encoding="utf-8")
    else:
        (folder / "out").symlink_to(tmp_path / "nowhere" / "at all")
    refused = bill(folder, FIRST)
    assert refused.code == 4
    assert (
        "Stops the night: out: no files can be written there (Not a directory); make out"
        " a folder that membill may write to\n"
    ) in refused.err
    assert not (folder / "ledger/membill.duckdb").exists()


# The desk's commands


@pytest.mark.parametrize(
    ("args", "says"),
    [
        pytest.param(
            ["sent", "INV-000001", "--to", " ", "--by", "dd"],
            "--to is blank",
            id="a sending to nobody",
        ),
        pytest.param(
            ["sent", "INV-000001", "--to", "x", "--by", "dd", "--on", "2026-11-01"],
            "2026-11-01 is after today, 2026-10-31",
            id="a sending to come",
        ),
        pytest.param(
            ["sent", "INV-000001", "--to", "x", "--by", "dd", "--how", "a\x07b"],
            "--how has characters in it that cannot be shown or printed",
            id="a way of sending that nobody could read",
        ),
        pytest.param(
            ["credit", "INV-000001", "--reason", "", "--by", "mm"],
            "--reason is blank",
            id="a credit note without a reason",
        ),
        pytest.param(
            ["bill", "--as-of", "1026-03-01"],
            "1026-03-01 lies outside the years 2000 to 2099",
            id="a year that was mistyped",
        ),
    ],
)
def test_what_cannot_be_meant_is_wrong_usage(
    args: list[str], says: str, clinic: Path
) -> None:
    before = practice.files(clinic, but=TRACES)
    refused = run(args[0], clinic, *args[1:])
    assert refused.code == 2
    assert says in refused.err
    assert practice.files(clinic, but=TRACES) == before


def test_a_number_named_twice_is_sent_once(clinic: Path) -> None:
    named = ["INV-000001", "inv-000001", "INV-000001"]
    assert run("sent", clinic, *named, "--to", "x", "--by", "dd").code == 0
    sent = [row for row in practice.invoices(clinic) if row["sent_on"]]
    assert [row["number"] for row in sent] == ["INV-000001"]
    others = ("INV-000002", "INV-000003")
    assert run("sent", clinic, *others, "--to", "x", "--by", "dd").code == 0


def test_what_a_killed_sending_left_undone_is_done_when_it_is_given_again(
    clinic: Path,
) -> None:
    head = clinic / "ledger/head.json"
    behind = head.read_bytes()
    args = ("sent", clinic, "INV-000001", "--to", "x", "--by", "dd", "--on", SECOND)
    with patch("pipeline.desk.publish", return_value=Published([], [])):
        assert run(*args).code == 0
    listed = (clinic / "out/invoices.xlsx").read_bytes()
    # As if it had been killed before the head file: nothing is left to record.
    head.write_bytes(behind)
    (clinic / "ledger/membill.duckdb.sha256").unlink()
    assert run(*args).code == 0
    assert head.read_bytes() != behind
    assert (clinic / "out/invoices.xlsx").read_bytes() != listed
    assert run("verify", clinic).code == 0


def test_a_pipe_that_knows_no_pound_sign_ends_no_night(clinic: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-m", "pipeline", "lines", str(clinic)],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert found.returncode == 0
    assert b"INV-000001" in found.stdout
    assert b"Traceback" not in found.stderr
