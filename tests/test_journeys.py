"""Nights and commands from start to end, as the office and the scheduler use them."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import openpyxl
import practice
import pytest
from practice import Row, bill, member, product, run

from pipeline import __main__ as program
from pipeline import run as night
from pipeline.commands.rows import INVOICE_COLUMNS, LINE_COLUMNS
from pipeline.ledger import locked

FIRST, SECOND = "2026-03-01", "2026-03-02"
PERIOD = ("patient_id", "period_start", "period_end", "gross")
# What a night that is refused may leave behind.
TRACES = ("out/issues.xlsx", "ledger/membill.lock.json")


@pytest.fixture(scope="module")
def after_first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice after its first night, 1 March: three invoices."""
    folder = practice.make(tmp_path_factory.mktemp("journeys") / "clinic")
    assert bill(folder, FIRST).code == 0
    return folder


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
    counts = practice.last_run(folder)["memberships"]
    return {bucket: members for bucket, members in counts.items() if members}


# Nights


def test_each_night_bills_what_is_due_and_nothing_twice(clinic: Path) -> None:
    assert practice.lines(clinic, "number", *PERIOD) == [
        ("INV-000001", "P1", "2026-01-31", "2026-02-27", "50.00"),
        ("INV-000002", "P2", "2026-02-01", "2027-01-31", "550.00"),
        ("INV-000003", "P1", "2026-02-28", "2026-03-30", "50.00"),
    ]
    again = bill(clinic, FIRST)
    assert again.code == 0
    assert "0 invoices made" in again.out
    assert _buckets(clinic) == {"already_billed": 2}
    assert len(practice.lines(clinic, "number")) == 3


def test_missed_weeks_are_caught_up_by_their_own_days(clinic: Path) -> None:
    practice.set_to(clinic, "Max days ahead", "60")
    assert bill(clinic, "2026-04-07").code == 0
    assert practice.lines(clinic, "number", *PERIOD)[3:] == [
        ("INV-000004", "P1", "2026-03-31", "2026-04-29", "50.00")
    ]
    (made,) = [
        row for row in practice.invoices(clinic) if row["number"] == "INV-000004"
    ]
    assert (made["issued_on"], made["due_on"]) == ("2026-04-07", "2026-04-21")


def test_a_night_for_an_earlier_day_is_refused_and_changes_nothing(
    clinic: Path,
) -> None:
    before = practice.files(clinic, but=TRACES)
    refused = bill(clinic, "2026-02-15")
    assert refused.code == 4
    assert "before the last run's" in refused.err
    assert refused.err.endswith("Nothing was billed, and the ledger is as it was.\n")
    assert practice.files(clinic, but=TRACES) == before


def test_auto_invoice_off_bills_nobody_and_on_again_catches_up(clinic: Path) -> None:
    practice.set_to(clinic, "Auto invoice", "No")
    practice.set_to(clinic, "Max days ahead", "60")
    assert bill(clinic, "2026-04-02").code == 0
    assert _buckets(clinic) == {"auto_invoice_off": 2}
    assert len(practice.lines(clinic, "number")) == 3
    practice.set_to(clinic, "Auto invoice", "Yes")
    assert bill(clinic, "2026-04-02").code == 0
    assert _buckets(clinic) == {"billed": 1, "already_billed": 1}
    assert practice.lines(clinic, *PERIOD)[3:] == [
        ("P1", "2026-03-31", "2026-04-29", "50.00")
    ]


def test_an_edited_start_date_is_held_until_the_day_named_is_typed(
    clinic: Path,
) -> None:
    practice.change(clinic, "patients", "P1", {"Start date": "2026-02-15"})
    held = bill(clinic, SECOND)
    assert held.code == 3
    assert held.err == (
        "Not billed: patients.csv: row 2, Start date: the period from 15 February 2026"
        " overlaps one that is billed until 30 March 2026: the Start date or the Billing"
        " frequency was changed; write 31/03/2026 as the Start date, or put back what was"
        " changed\n"
    )
    assert _buckets(clinic) == {"already_billed": 1, "held": 1}
    practice.change(clinic, "patients", "P1", {"Start date": "31/03/2026"})
    practice.set_to(clinic, "Max days ahead", "60")
    assert bill(clinic, "2026-03-31").code == 0
    assert practice.lines(clinic, *PERIOD)[3:] == [
        ("P1", "2026-03-31", "2026-04-29", "50.00")
    ]


def test_a_price_counts_for_coming_periods_once_somebody_entitled_signs_it(
    clinic: Path,
) -> None:
    practice.add(clinic, "patients", member("P3", start_date=SECOND))
    cells = {"Monthly price": "52.00", "Last edited by": "dd"}
    practice.change(clinic, "products", "GOLD", cells)
    unsigned = bill(clinic, SECOND)
    assert (
        "Check: products.csv: row 2, Last edited by: dd may not edit products, so the"
        " last accepted version stays in force" in unsigned.err
    )
    practice.add(clinic, "patients", member("P4", start_date="2026-03-03"))
    practice.change(clinic, "products", "GOLD", {"Last edited by": "mm"})
    assert bill(clinic, "2026-03-03").code == 0
    assert practice.lines(clinic, "patient_id", "gross", "price_source")[3:] == [
        ("P3", "50.00", "product price: Products row 2 (GOLD)"),
        ("P4", "52.00", "product price: Products row 2 (GOLD)"),
    ]


def _employer(clinic: Path, combine: str) -> None:
    """An employer with a price of its own, who pays for P3 and P4."""
    employer = {"Code": "ACME", "Name": "Acme Widgets Ltd", "Combine invoices": combine}
    practice.add(clinic, "contacts", employer | {"Payment terms (days)": "30"})
    price = {"Contact code": "ACME", "Product code": "GOLD", "Monthly price": "44.00"}
    practice.add(clinic, "contract_prices", price | {"Last edited by": "mm"})
    for name in ("P3", "P4"):
        row = member(name, first_name=name, start_date=SECOND, bill_to="ACME")
        practice.add(clinic, "patients", row)


def test_an_employer_pays_the_contract_price_on_one_combined_invoice(
    clinic: Path,
) -> None:
    _employer(clinic, "Yes")
    assert bill(clinic, SECOND).code == 0
    assert practice.lines(clinic, "number", "line", "patient_id", "gross")[3:] == [
        ("INV-000004", "1", "P3", "44.00"),
        ("INV-000004", "2", "P4", "44.00"),
    ]
    made = practice.invoices(clinic)[3]
    named = ("patient_id", "bill_to", "bill_to_name", "gross", "due_on")
    assert [made[name] for name in named] == [
        "", "ACME", "Acme Widgets Ltd", "88.00", "2026-04-01",
    ]  # fmt: skip


def test_without_combine_invoices_each_period_has_its_own(clinic: Path) -> None:
    _employer(clinic, "No")
    assert bill(clinic, SECOND).code == 0
    assert practice.lines(clinic, "number", "patient_id", "gross")[3:] == [
        ("INV-000004", "P3", "44.00"),
        ("INV-000005", "P4", "44.00"),
    ]


def test_a_product_asked_for_by_hand_is_billed_once(clinic: Path) -> None:
    asked = {
        "Request ID": "R1", "Patient ID": "P2", "Product code": "CONSULT",
        "Quantity": "2", "Requested on": SECOND, "Requested by": "dd",
    }  # fmt: skip
    practice.add(clinic, "invoice_requests", asked)
    assert bill(clinic, SECOND).code == 0
    assert bill(clinic, SECOND).code == 0
    assert practice.lines(clinic, "patient_id", "product_code", "quantity", "gross")[
        3:
    ] == [("P2", "CONSULT", "2", "170.00")]
    assert practice.invoices(clinic)[3]["membership"] == "no"
    listed = practice.invoices(clinic, "--memberships")
    assert [row["number"] for row in listed] == [f"INV-00000{n}" for n in (1, 2, 3)]


def test_a_request_that_is_billed_holds_nothing_when_its_patient_leaves(
    clinic: Path,
) -> None:
    asked = {
        "Request ID": "R1", "Patient ID": "P2", "Product code": "CONSULT",
        "Requested on": SECOND,
    }  # fmt: skip
    practice.add(clinic, "invoice_requests", asked)
    assert bill(clinic, SECOND).code == 0
    practice.remove(clinic, "patients", "P2")
    night = bill(clinic, SECOND)
    assert (night.code, "R1" in night.err) == (0, False), night.err
    practice.add(clinic, "invoice_requests", {**asked, "Request ID": "R2"})
    held = bill(clinic, SECOND)
    assert held.code == 3
    assert "Not billed: invoice_requests.csv: row 3, Patient ID: " in held.err


def test_an_old_period_is_held_until_bill_from_is_typed(tmp_path: Path) -> None:
    folder = practice.make(tmp_path / "clinic")
    held = bill(folder, "2026-05-01")
    assert held.code == 3
    assert _buckets(folder) == {"held": 2}
    assert (
        "Not billed: patients.csv: row 2, Bill from: the period from 31 January 2026 is"
        " not billed and lies more than Catch-up days back; write 31/01/2026 in Bill"
        " from to bill from there on, or a later day to let earlier periods go\n"
    ) in held.err
    # Its price is within the £200.00 above it, and not "not known".
    file = run("patient", folder, "P1").out
    assert "back £200.00.\n  First held period: 31 January 2026\n" in file
    practice.change(folder, "patients", "P1", {"Bill from": "01/04/2026"})
    assert bill(folder, "2026-05-01").code == 3
    assert practice.lines(folder, *PERIOD) == [
        ("P1", "2026-04-30", "2026-05-30", "50.00")
    ]


def test_an_old_period_is_not_billed_by_a_night_for_an_earlier_day(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path / "clinic")
    assert bill(folder, "2026-05-01").code == 3
    assert bill(folder, "2026-03-15", "--accept", "date").code == 3
    assert practice.lines(folder, *PERIOD) == []
    assert _buckets(folder) == {"held": 2}


def test_a_held_product_holds_its_members_and_nobody_else(clinic: Path) -> None:
    practice.add(
        clinic, "patients",
        member("P3", start_date=SECOND),
        member("P4", membership="SILVER", start_date=SECOND),
    )  # fmt: skip
    cells = {"Monthly price": "free", "Last edited by": "mm"}
    practice.change(clinic, "products", "GOLD", cells)
    assert bill(clinic, SECOND).code == 3
    assert [who for (who,) in practice.lines(clinic, "patient_id")[3:]] == ["P4"]
    assert (
        "Not billed: products.csv: row 2, Monthly price: "
        in run("check", clinic, "--as-of", SECOND).err
    )


# After the night


def test_an_invoice_is_unsent_until_the_sent_log_or_the_command_says_so(
    clinic: Path,
) -> None:
    sent = {
        "Invoice number": "INV-000001",
        "Sent on": SECOND,
        "Sent to": "a@example.org",
    }
    practice.add(clinic, "sent", sent | {"Sent by": "dd"})
    assert bill(clinic, SECOND).code == 0
    by_command = run(
        "sent", clinic, "inv-000003", "--to", "b@example.org", "--by", "dd",
        "--on", "2026-03-03", "--how", "post",
    )  # fmt: skip
    assert (by_command.code, by_command.err) == (0, "")
    rows = practice.invoices(clinic)
    assert [(r["number"], r["status"], r["sent_on"], r["sent_to"]) for r in rows] == [
        ("INV-000001", "sent", SECOND, "a@example.org"),
        ("INV-000002", "unsent", "", ""),
        ("INV-000003", "sent", "2026-03-03", "b@example.org"),
    ]
    unsent = practice.invoices(clinic, "--unsent")
    assert [row["number"] for row in unsent] == ["INV-000002"]
    assert run("verify", clinic).code == 0


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
    more: list[str], says: str, clinic: Path
) -> None:
    refused = run("sent", clinic, *more)
    assert refused.code == 2
    assert says in refused.err
    assert len(practice.invoices(clinic, "--unsent")) == 3


def test_a_credit_note_takes_back_the_whole_invoice_once(clinic: Path) -> None:
    made = run(
        "credit", clinic, "INV-000001", "--reason", "left", "--by", "mm", "--on", SECOND
    )
    assert (made.code, made.out) == (
        0,
        "CRN-000001 takes back £50.00 of INV-000001; nothing is left\n",
    )
    rows = {row["number"]: row for row in practice.invoices(clinic)}
    note, invoice = rows["CRN-000001"], rows["INV-000001"]
    assert (note["kind"], note["gross"]) == ("credit_note", "-50.00")
    assert (invoice["status"], invoice["active"], invoice["credits"]) == (
        "credited", "no", "50.00",
    )  # fmt: skip
    listed = practice.invoices(clinic, "--active")
    assert [row["number"] for row in listed] == ["INV-000002", "INV-000003"]
    assert (clinic / "out/invoices/2026/03/CRN-000001.xlsx").is_file()
    again = run("credit", clinic, "INV-000001", "--reason", "left", "--by", "mm")
    assert again.code == 2
    assert "INV-000001 was credited already, by CRN-000001" in again.err
    bill(clinic, SECOND)
    assert len(practice.lines(clinic, "number")) == 4, "the period stays billed"
    assert run("verify", clinic).code == 0


# What stops a night


def test_a_day_that_is_given_is_the_credit_notes_day_or_refused(clinic: Path) -> None:
    credit = ("--reason", "left", "--by", "mm", "--on")
    early = run("credit", clinic, "INV-000001", *credit, "2026-02-28")
    assert early.code == 2
    assert "2026-02-28 is before INV-000001 was made, on 2026-03-01" in early.err
    assert run("credit", clinic, "INV-000001", *credit, SECOND).code == 0
    between = run("credit", clinic, "INV-000002", *credit, FIRST)
    assert between.code == 2
    assert (
        f"{FIRST} is before the last credit note, which is of {SECOND}" in between.err
    )
    (note,) = [r for r in practice.invoices(clinic) if r["kind"] == "credit_note"]
    assert (note["number"], note["issued_on"]) == ("CRN-000001", SECOND)


def test_a_forecast_of_a_practice_that_was_never_billed_makes_its_own_folder(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path / "clinic")
    assert run("forecast", folder, "--months", "1").code in (0, 3)
    assert (folder / "out/forecast.xlsx").is_file()


def test_a_number_of_a_practice_that_is_not_registered_is_in_no_invoice(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path / "clinic")
    practice.set_to(folder, "VAT number", "GB999999973")
    assert bill(folder, FIRST).code == 0
    for file in (folder / "out/invoices").rglob("*.xlsx"):
        with zipfile.ZipFile(file) as book:
            assert not any(b"999999973" in book.read(part) for part in book.namelist())


def test_a_listing_of_nothing_says_so(clinic: Path) -> None:
    assert run("invoices", clinic, "--patient", "NOBODY").out == "Invoices: 0\n"


def test_two_runs_at_once_end_with_5_and_name_the_one_at_work(clinic: Path) -> None:
    with locked(clinic / "ledger/membill.duckdb"):
        busy = bill(clinic, SECOND)
    assert busy.code == 5
    assert f"process {os.getpid()} on " in busy.err
    assert "try again when it is done" in busy.err


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


def test_a_contact_who_is_gone_holds_whom_it_pays_for_night_after_night(
    clinic: Path,
) -> None:
    _employer(clinic, "Yes")
    assert bill(clinic, SECOND).code == 0
    (clinic / "contacts.csv").unlink()
    assert [bill(clinic, SECOND).code for _ in range(2)] == [3, 3]


def test_a_row_put_between_others_disturbs_no_later_night(clinic: Path) -> None:
    rows = practice.read(clinic, "patients")
    practice.write(clinic, "patients", [member("P0", start_date=SECOND), *rows])
    assert [bill(clinic, day).code for day in (SECOND, "2026-03-03")] == [0, 0]


# What was published


def test_an_invoice_workbook_is_never_rewritten(clinic: Path) -> None:
    before = practice.files(clinic / "out/invoices")
    practice.change(clinic, "patients", "P1", {"Last name": "Married"})
    practice.set_to(clinic, "Practice name", "Another Surgery")
    assert bill(clinic, SECOND).code == 0
    assert practice.files(clinic / "out/invoices") == before
    (name,) = {
        row["patient_name"] for row in practice.invoices(clinic, "--patient", "P1")
    }
    assert "Married" not in name


def test_a_night_killed_before_it_published_is_completed_by_the_next(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice.add(clinic, "patients", member("P3", start_date=SECOND))
    with monkeypatch.context() as killed:
        killed.setattr(night, "publish", _killed)
        with pytest.raises(Killed):
            bill(clinic, SECOND)
    made = clinic / "out/invoices/2026/03/INV-000004.xlsx"
    assert not made.exists()
    assert practice.last_run(clinic)["run_id"] == "2026-03-01-01"
    assert bill(clinic, SECOND).code == 0
    assert made.is_file()
    assert (clinic / "out/runs/2026-03-02-01/run.json").is_file()
    assert len(practice.lines(clinic, "number")) == 4, "and bills nothing twice"


class Killed(BaseException):
    """What ends a process from outside."""


def _killed(*args: object, **named: object) -> None:
    raise Killed


def test_a_night_that_fails_while_recording_leaves_the_ledger_as_it_was(
    clinic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice.add(clinic, "patients", member("P3", start_date=SECOND))
    before = practice.lines(clinic, "number")
    with monkeypatch.context() as failing:
        failing.setattr("pipeline.record._versions", _killed)
        with pytest.raises(Killed):
            bill(clinic, SECOND)
    assert practice.lines(clinic, "number") == before
    assert bill(clinic, SECOND).code == 0
    assert practice.last_run(clinic)["first_number"] == "INV-000004", "no gap"


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


def test_a_workbook_that_is_open_elsewhere_stops_neither_the_night_nor_a_sending(
    clinic: Path,
) -> None:
    (clinic / "out/invoices.xlsx").unlink()
    (clinic / "out/invoices.xlsx").mkdir()
    sending = ("INV-000001", "--to", "x", "--by", "dd", "--on", SECOND)
    for done in (bill(clinic, SECOND), run("sent", clinic, *sending)):
        assert done.code == 0
        assert "Warning: invoices.xlsx could not be written" in done.err
    (clinic / "out/invoices.xlsx").rmdir()
    assert run("rebuild", clinic).code == 0
    assert (clinic / "out/invoices.xlsx").is_file()


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


def test_preview_shows_what_bill_would_make_and_writes_nothing(
    clinic: Path, tmp_path: Path
) -> None:
    fresh = practice.make(tmp_path / "fresh")
    practice.add(clinic, "patients", member("P3", start_date=SECOND))
    shown = {}
    for folder, day in ((fresh, FIRST), (clinic, SECOND)):
        before = practice.files(folder, but=TRACES)
        shown[folder] = run("preview", folder, "--as-of", day, "--format", "csv")
        assert shown[folder].code == 0
        assert practice.files(folder, but=TRACES) == before
    assert len(shown[fresh].rows) == 3
    assert bill(clinic, SECOND).code == 0
    made = run("lines", clinic, "--format", "csv").rows[3:]
    assert shown[clinic].rows == [{**row, "number": ""} for row in made]


def test_check_reads_and_writes_the_issues_workbook_alone(clinic: Path) -> None:
    before = practice.files(clinic, but=TRACES)
    assert run("check", clinic, "--as-of", SECOND).code == 0
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


def test_text_that_begins_with_an_equals_sign_stays_text(tmp_path: Path) -> None:
    given = practice.sheets()
    given["patients"] = [member("P1", last_name='=HYPERLINK("http://x")')]
    folder = practice.make(tmp_path / "clinic", given)
    assert bill(folder, FIRST).code == 0
    for name in ("invoices.xlsx", "invoices/2026/03/INV-000001.xlsx"):
        book = openpyxl.load_workbook(folder / "out" / name)
        cells = [c for sheet in book for row in sheet.iter_rows() for c in row]
        named = [cell for cell in cells if "HYPERLINK" in str(cell.value)]
        assert named
        assert {cell.data_type for cell in named} == {"s"}


MISTAKES: list[Row] = [
    member("P3", start_date="31/02/2026"),
    member("P4", bill_to="Mrs Quillfeather"),
    member("P5", first_name=""),
    member("P6", membership="GOLDEN"),
    member("P6", membership="GOLD"),
]


def test_no_name_of_a_patient_is_said_by_a_night_or_a_check(clinic: Path) -> None:
    rows = [
        {**row, "Email": "not Thistlewood's address", "Date of birth": "2030-01-01"}
        for row in practice.read(clinic, "patients")
    ]
    practice.write(clinic, "patients", rows)
    practice.add(clinic, "patients", *MISTAKES)
    for said in (run("check", clinic, "--as-of", SECOND), bill(clinic, SECOND)):
        assert said.code == 3
        for name in ("Annabel", "Quillfeather", "Barnaby", "Thistlewood"):
            assert name not in said.out + said.err
    names = " ".join(str(path) for path in clinic.rglob("*"))
    assert "Quillfeather" not in names


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param(
            "inv-000003",
            [
                "Invoice INV-000003: £50.00, unsent",
                "price: 1 x £50.00 from product price: Products row 2 (GOLD)",
                "made by run 2026-03-01-01 (bill, as of 1 March 2026",
            ],
            id="an invoice",
        ),
        pytest.param(
            "P2",
            ["Patient P2", "GOLD: Billed before", "INV-000002"],
            id="a patient who is billed",
        ),
        pytest.param(
            "P3",
            [
                "GOLD: Held until something is mended",
                "why: Its row has a problem.",
                "31/02/2026",
            ],
            id="a patient who is held",
        ),
    ],
)
def test_explain_tells_why(name: str, says: list[str], held_one: Path) -> None:
    told = run("explain", held_one, name)
    assert told.code == 0
    for words in says:
        assert words in told.out


@pytest.fixture(scope="module")
def held_one(after_first: Path) -> Path:
    """The practice after a second night that held one member."""
    folder = practice.copied(after_first, after_first.parent / "held")
    practice.add(folder, "patients", member("P3", start_date="31/02/2026"))
    assert bill(folder, SECOND).code == 3
    return folder


def test_explain_knows_neither_invoice_nor_patient(clinic: Path) -> None:
    told = run("explain", clinic, "INV-000009")
    assert told.code == 2
    assert "INV-000009" in told.err


def test_a_sheet_in_windows_letters_keeps_its_accents(tmp_path: Path) -> None:
    folder = practice.make(tmp_path / "clinic")
    rows = [member("P1", first_name="Søren", last_name="Núñez")]
    practice.write(folder, "patients", rows, encoding="cp1252")
    done = bill(folder, FIRST)
    assert done.code == 0
    assert done.err == (
        "Check: patients.csv: the file was read as Windows text; check the accents in"
        " it; save it as CSV UTF-8 (File, Save As)\n"
    )
    assert {row["patient_name"] for row in practice.invoices(folder)} == {"Søren Núñez"}


def test_last_run_says_what_the_night_came_to(clinic: Path) -> None:
    last = practice.last_run(clinic)
    same = clinic / "out/runs/2026-03-01-01/run.json"
    assert json.loads(same.read_text(encoding="utf-8")) == last
    assert isinstance(last["duration_seconds"], float)
    digests = last.pop("inputs")
    assert sorted(digests) == sorted(path.name for path in clinic.glob("*.csv"))
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


def test_everyone_of_the_roster_is_in_one_bucket(tmp_path: Path) -> None:
    given = practice.sheets()
    given["patients"] += [
        member("LATER", start_date="2026-03-02"),
        member("ENDED", start_date="2025-01-01", end_date="2025-12-31"),
        member("OFF", membership_active="No"),
        member("FROM", bill_from="2026-06-01"),
        member("BAD", start_date="31/02/2026"),
        member("NONE", membership_active="No", membership=""),
    ]
    folder = practice.make(tmp_path / "clinic", given)
    assert bill(folder, FIRST).code == 3
    assert _buckets(folder) == {
        "billed": 2, "not_yet_due": 1, "ended": 1, "inactive": 1,
        "before_bill_from": 1, "held": 1,
    }  # fmt: skip


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


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        pytest.param(
            _tampered_row,
            "invoice INV-000001 is not what was written",
            id="a changed row",
        ),
        pytest.param(
            _tampered_workbook,
            "invoices/2026/03/INV-000002.xlsx was changed after it was made",
            id="a changed workbook",
        ),
        pytest.param(
            _open_to_others,
            "invoices.xlsx can be read or written by others",
            id="a file that others can read",
        ),
        pytest.param(
            _head_of_another, "does not hold run", id="a head of another ledger"
        ),
    ],
)
def test_verify_finds(harm: object, says: str, clinic: Path) -> None:
    assert run("verify", clinic).code == 0
    assert callable(harm)
    harm(clinic)
    found = run("verify", clinic)
    assert found.code == 4
    assert says in found.out + found.err


def test_an_older_ledger_put_back_by_hand_is_refused(clinic: Path) -> None:
    older = (clinic / "ledger/membill.duckdb").read_bytes()
    bill(clinic, SECOND)
    (clinic / "ledger/membill.duckdb").write_bytes(older)
    for command in ("bill", "verify", "lines", "preview"):
        refused = run(command, clinic)
        assert refused.code == 4
        assert "does not hold run 2026-03-02-01 that its head file names" in refused.err


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
    assert bill(clinic, SECOND).code == 0
    assert len(practice.lines(clinic, "number")) == 3


def test_a_damaged_ledger_is_refused_in_plain_words(clinic: Path) -> None:
    (clinic / "ledger/membill.duckdb").write_bytes(b"not a database" * 1000)
    refused = bill(clinic, SECOND)
    assert refused.code == 4
    assert "the file is damaged or not a ledger" in refused.err


def test_a_copy_is_brought_back_unless_numbers_were_given_out_since(
    clinic: Path,
) -> None:
    copy = clinic / "ledger/backups/2026-03-01-01-by-hand.duckdb"
    assert run("backup", clinic).out == f"checked copy: {copy}\n"
    bill(clinic, SECOND)
    brought = run("restore", clinic, copy)
    assert brought.code == 0, "the night since made nothing"
    assert "what it replaced is kept as" in brought.out
    assert run("verify", clinic).code == 0
    practice.add(clinic, "patients", member("P3", start_date=SECOND))
    assert bill(clinic, SECOND).code == 0
    refused = run("restore", clinic, copy)
    assert refused.code == 4
    assert (
        "1 documents were published after this copy was made, such as INV-000004"
        in refused.err
    )
    assert run("verify", clinic).code == 0, "and the ledger is as it was"


def test_after_a_restore_the_outputs_tell_of_the_ledger_that_came_back(
    clinic: Path,
) -> None:
    run("backup", clinic)
    run("sent", clinic, "INV-000001", "--to", "post", "--by", "dd", today=SECOND)
    practice.set_to(clinic, "Auto invoice", "No")
    bill(clinic, "2026-04-01", "--accept", "date")
    lost = clinic / "out/runs/2026-04-01-01/run.json"
    assert lost.is_file() and (clinic / "out/registers/2026-04.xlsx").is_file()
    before = lost.read_bytes()
    copy = clinic / "ledger/backups/2026-03-01-01.duckdb"
    brought = run("restore", clinic, copy)
    assert brought.code == 0, "the night since made nothing"
    kept = Path(brought.out.partition("is kept as ")[2].strip())
    assert (kept / "runs/2026-04-01-01/run.json").read_bytes() == before
    assert (kept / "registers/2026-04.xlsx").is_file()
    register = openpyxl.load_workbook(clinic / "out/registers/2026-03.xlsx")
    states = [row[2] for row in register["Invoices"].iter_rows(values_only=True)]
    assert states.count("Unsent") == 3, "the copy knows of no sending"
    practice.add(clinic, "patients", member("P9", membership_active="No"))
    bill(clinic, "2026-04-01", "--accept", "date")
    assert json.loads(lost.read_text("utf-8")) == practice.last_run(clinic)


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
    refused = run("restore", clinic, copy)
    assert refused.code == 4
    assert says in refused.err
    assert run("verify", clinic).code == 0


# As a process of its own


def test_the_program_runs_as_a_process_with_results_on_stdout(tmp_path: Path) -> None:
    folder = practice.make(tmp_path / "clinic", practice.sheets())
    practice.add(
        folder, "products", product("X", "X", price="x") | {"Last edited by": "mm"}
    )
    command = [sys.executable, "-m", "pipeline", "bill", str(folder), "--as-of", FIRST]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stdout.startswith("Harbour Lane Surgery, 2026-03-01, run 2026-03-01-01")
    assert done.stderr.startswith("Not billed: products.csv: row 5, Price: ")
