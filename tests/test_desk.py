"""A month at the desk: sendings, what waits to be sent, invoices asked for by hand."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import practice
import pytest
from openpyxl import load_workbook
from practice import Row, bill, member, run

from pipeline.exports.words import money

FIRST, SECOND, THIRD = "2026-03-01", "2026-03-06", "2026-04-02"


def _asked(name: str, patient: str, product: str, **cells: str) -> Row:
    row = {
        "Request ID": name, "Patient ID": patient, "Product code": product,
        "Quantity": "", "Billing frequency": "", "Bill to": "",
        "Requested on": "2026-03-05", "Requested by": "dd",
    }  # fmt: skip
    return row | {key.replace("_", " ").capitalize(): v for key, v in cells.items()}


ASKED = [
    _asked("R1", "P1", "CONSULT", quantity="2"),
    _asked("R2", "P1", "CONSULT", requested_on="2026-03-04", requested_by="ddd"),
    _asked("R3", "P1", "CONSULT", bill_to="ACME"),
    _asked("R4", "P4", "SILVER"),
    _asked("R5", "P1", "GOLD", billing_frequency="Monthly"),
    _asked("R6", "P99", "CONSULT"),
    _asked("R7", "P3", "CONSULT"),
    _asked("R8", "P1", "GONE"),
    _asked("R9", "P1", "CONSULT", quantity="0"),
    _asked("R10", "P1", "CONSULT", quantity="-1"),
    _asked("R11", "P1", "CONSULT", quantity="1.5"),
    _asked("R12", "P1", "CONSULT", requested_on="2026-05-01"),
    _asked("R13", "P1", "CONSULT"),
    _asked("r13", "P2", "CONSULT"),
]

SENT = [
    ("INV-000001", "2026-03-01", "post"),
    ("inv-000001", "2026-03-05", "e-mail"),
    ("INV-000002", "2026-03-02", "post"),
    ("INV-000002", "2026-03-04", "post"),
    ("INV-000003", "2026-04-20", "post"),
    ("INV-3", "2026-03-05", "post"),
    # Made this very night: it was not there to be sent.
    ("INV-000004", "2026-03-06", "post"),
    ("INV-000002", "2026-03-03", "post"),
]


def _sheets() -> practice.Sheets:
    given = practice.sheets()
    signed = {"Last edited by": "mm"}
    gone = practice.product("GONE", "Gone", price="10.00") | {"Active": "No"}
    given["products"].append(gone | signed)
    change = {"Product code": "CONSULT", "Effective from": "2026-03-05"}
    given["price_changes"] = [{**change, "Price": "90.00", **signed}]
    agreed = {"Contact code": "ACME", "Product code": "CONSULT", "Price": "70.00"}
    given["contract_prices"] = [agreed | signed]
    contact = {"Code": "ACME", "Name": "Acme Widgets Ltd", "Email": "pay@acme.example"}
    given["contacts"] = [contact]
    given["patients"][1]["Bill to"] = "ACME"
    given["patients"] += [
        member("P3", end_date="soon"),
        member("P4", membership_active="No", membership=""),
    ]
    limit = {"Setting": "Unsent alarm days", "Value": "31"}
    given["settings"].append(limit | signed)
    for row in given["patients"]:
        row["Email"] = "first@example.org"
    return given


def _log(folder: Path) -> None:
    rows = [
        {"Invoice number": number, "Sent on": on, "Sent to": "x", "How": how}
        for number, on, how in SENT
    ]
    practice.write(folder, "sent", [{**row, "Sent by": "dd"} for row in rows])


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[practice.Result]:
    """Three nights, between them a credit, a moved workbook and an edited sheet."""
    folder = practice.make(tmp_path_factory.mktemp("desk") / "clinic", _sheets())
    made = [bill(folder, FIRST)]
    by = ("--reason", "left", "--by", "mm", "--on", "2026-03-03")
    with practice.unpublished():
        assert run("credit", folder, "INV-000002", *by).code == 0
    _log(folder)
    practice.write(folder, "invoice_requests", ASKED)
    practice.change(folder, "patients", "P1", {"Email": "second@example.org"})
    made.append(bill(folder, SECOND))
    (folder / "sent away").mkdir()
    (folder / MOVED).rename(folder / "sent away/INV-000003.xlsx")
    practice.change(folder, "invoice_requests", "R1", {"Quantity": "5"})
    practice.change(folder, "invoice_requests", "R2", {"Request ID": " r2"})
    practice.remove(folder, "invoice_requests", "R4")
    made.append(bill(folder, THIRD, "--accept", "date"))
    return made


MOVED = "out/invoices/2026/03/INV-000003.xlsx"


@pytest.fixture(scope="module")
def clinic(
    nights: list[practice.Result], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The practice after its third night; nothing here may change it."""
    return next(tmp_path_factory.getbasetemp().glob("desk*/clinic"))


def _list(folder: Path, sheet: str) -> list[dict[str, Any]]:
    rows = load_workbook(folder / "out/invoices.xlsx")[sheet].iter_rows(min_row=4)
    heads = [cell.value for cell in next(rows)]
    return [dict(zip(heads, (c.value for c in row), strict=True)) for row in rows]


# Sendings


def test_the_last_of_several_sendings_is_shown(clinic: Path) -> None:
    shown = {row["Number"]: row for row in _list(clinic, "Invoices")}
    assert shown["INV-000001"]["Sent on"] == datetime(2026, 3, 5)
    assert shown["INV-000001"]["Days unsent"] is None
    assert shown["INV-000003"]["Days unsent"] == 32


def test_every_sending_is_kept(clinic: Path) -> None:
    told = run("explain", clinic, "INV-000001").out
    assert "  sent 1 March 2026 by dd (post), from the sent log" in told
    assert "  sent 5 March 2026 by dd (e-mail), from the sent log" in told


SENDINGS = [
    "Check: sent.csv: row 5, Invoice number: INV-000002 was credited in full on 3 March"
    " 2026, so it was not there to be sent on 4 March 2026; correct the number or the"
    " day; or send CRN-000001 instead\n",
    "Check: sent.csv: row 6, Sent on: 20 April 2026 lies ahead, so INV-000003 does not"
    " count as sent yet; write the day it was sent\n",
    "Check: sent.csv: row 7, Invoice number: no invoice INV-3 has been made; write the"
    " number as it stands on the invoice; did you mean INV-000003?\n",
    "Check: sent.csv: row 8, Invoice number: no invoice INV-000004 has been made; write"
    " the number as it stands on the invoice\n",
    "Check: sent.csv: row 9, Invoice number: INV-000002 was credited in full the same day; it"
    " counts as sent",
]


@pytest.mark.parametrize("text", SENDINGS)
def test_a_sending_that_cannot_be_is_told_at_its_cell(
    text: str, nights: list[practice.Result]
) -> None:
    assert text in nights[1].err


def test_no_other_sending_is_told(nights: list[practice.Result]) -> None:
    assert nights[1].err.count("sent.csv") == len(SENDINGS)


def test_a_request_by_somebody_unknown_is_pointed_out_and_billed(
    nights: list[practice.Result],
) -> None:
    """R2, which no test of what is billed misses."""
    assert (
        "Check: invoice_requests.csv: row 3, Requested by: ddd is not a user of the Staff"
        " sheet; write the user name of the person who asked for it; did you mean dd?\n"
    ) in nights[1].err


def test_what_cannot_be_is_not_recorded(clinic: Path) -> None:
    told = run("explain", clinic, "INV-000002").out
    assert "sent 2 March 2026" in told
    assert "sent 3 March 2026" in told, "on the day of its credit it was there"
    assert "sent 4 March 2026" not in told
    assert "sent" not in run("explain", clinic, "INV-000003").out.replace("unsent", "")


def test_by_command_a_credited_invoice_is_not_sent_either(clinic: Path) -> None:
    done = run("sent", clinic, "INV-000002", "--to", "x", "--by", "dd")
    assert done.code == 2
    assert "was credited in full on 2026-03-03; send CRN-000001 instead" in done.err


# What waits


def test_to_send_lists_all_that_is_unsent_the_oldest_first(clinic: Path) -> None:
    rows = _list(clinic, "To send")
    unsent = practice.invoices(clinic, "--unsent")
    assert {row["Number"] for row in rows} == {row["number"] for row in unsent}
    assert rows[0]["Number"] == "INV-000003"
    ages = [row["Days unsent"] for row in rows]
    assert ages == sorted(ages, reverse=True)
    assert {row["Days unsent"]: row["Late"] for row in rows} == {
        32: "Unsent for 31 days or more", 30: "Unsent for 14 days or more",
        27: "Unsent for 14 days or more", 0: None,
    }  # fmt: skip


def test_to_send_has_what_a_message_needs(clinic: Path) -> None:
    found = {row["Number"]: row for row in _list(clinic, "To send")}
    assert (
        found["INV-000003"]["Subject"] == "Invoice INV-000003 from Harbour Lane Surgery"
    )
    assert found["INV-000003"]["E-mail address"] == "second@example.org", (
        "put right since"
    )
    assert found["CRN-000001"]["Subject"].startswith("Credit note CRN-000001 from ")
    assert found["CRN-000001"]["Gross (£)"] == -550
    mail = {row["E-mail address"] for row in found.values() if row["Bill to"] == "ACME"}
    assert mail == {"pay@acme.example"}
    sheet = load_workbook(clinic / "out/invoices.xlsx")["To send"]
    target = sheet["A5"].hyperlink.target.replace("\\", "/")
    assert target == "invoices/2026/03/INV-000003.xlsx"


def test_what_is_open_is_what_the_register_of_the_month_says(clinic: Path) -> None:
    """A credit is taken off once: of its invoice, or by itself where that was sent."""
    listed = {row["Number"]: row["Open (£)"] for row in _list(clinic, "To send")}
    register = max((clinic / "out/registers").iterdir())
    sheet = load_workbook(register, data_only=True)["Unsent"]
    heads = [cell.value for cell in sheet[4]]
    rows = [
        dict(zip(heads, row, strict=True))
        for row in sheet.iter_rows(5, None, 1, len(heads), True)
    ]
    assert listed == {row["Number"]: row["Open (£)"] for row in rows}
    page = (clinic / "out/summary.html").read_text(encoding="utf-8")
    total = money(Decimal(str(sum(listed.values()))), "GBP")
    assert f"{total}</td></tr></tfoot>" in page


def test_what_waits_too_long_is_counted_on_the_terminal_and_the_page(
    clinic: Path, nights: list[practice.Result]
) -> None:
    said = "1 unsent for 31 days or more, 4 unsent for 14 days or more"
    assert f"Late: {said}; see To send in invoices.xlsx\n" in nights[2].out
    assert "Late:" not in nights[1].out
    page = (clinic / "out/summary.html").read_text(encoding="utf-8")
    assert f"<strong>Waiting too long:</strong> {said}." in page


def test_a_workbook_may_be_moved_without_harm(clinic: Path) -> None:
    assert not (clinic / MOVED).exists(), "the night did not put it back"
    proved = run("verify", clinic)
    assert proved.code == 0, proved.out


# By hand


def test_each_request_is_billed_once_at_the_price_of_its_day(clinic: Path) -> None:
    names = ("product_code", "quantity", "unit_price", "period_start", "price_source")
    rows = practice.lines(clinic, "patient_id", *names)
    assert [row[:-1] for row in rows if row[1] in ("CONSULT", "SILVER")] == [
        ("P1", "CONSULT", "1", "85.00", ""),
        ("P1", "CONSULT", "2", "90.00", ""),
        ("P1", "CONSULT", "1", "70.00", ""),
        ("P4", "SILVER", "1", "30.00", "2026-03-05"),
    ]
    sources = [row[-1].split(":")[0] for row in rows if row[1] == "CONSULT"]
    assert sources == ["product price", "price change", "contract price"]


def test_an_edited_request_is_told_and_makes_nothing(
    nights: list[practice.Result],
) -> None:
    assert "Request ID: R1 was billed on INV-000005 and now asks for" in nights[2].err


def test_show_memberships_leaves_out_all_but_memberships(clinic: Path) -> None:
    shown = {row["number"] for row in practice.invoices(clinic, "--memberships")}
    assert "INV-000007" in shown, "a membership by hand is one"
    assert not shown & {"INV-000004", "INV-000005", "INV-000006"}


HELD = {
    "its membership is billed for these days": "row 6, Requested on: it would bill days",
    "nobody has the Patient ID": "row 7, Patient ID: Patient ID cannot be used",
    "the product is no longer sold": "row 9, Product code: GONE is no longer sold",
    "nothing is asked for": "row 10, Quantity: 0 is not a whole number",
    "less than nothing is": "row 11, Quantity: -1 is not a whole number",
    "half of one is": "row 12, Quantity: 1.5 is not a whole number",
    "its Request ID stands twice": "row 14, Request ID: rows 14 and 15 are for the same",
    "and so does the other's": "row 15, Request ID: rows 14 and 15 are for the same",
}


@pytest.mark.parametrize("text", HELD.values(), ids=HELD)
def test_a_request_is_held_where(text: str, nights: list[practice.Result]) -> None:
    assert f"Not billed: invoice_requests.csv: {text}" in nights[1].err


def test_each_request_that_is_held_counts_with_what_it_holds_back(
    clinic: Path,
) -> None:
    """Two rows share R13: both are held, each for its own patient."""
    shared = [
        (held["patient_id"], held["amount"])
        for held in practice.last_run(clinic)["held"]
        if held["request_id"].lower() == "r13"
    ]
    assert shared == [("P1", "90.00"), ("P2", "90.00")]
    told = run("explain", clinic, "P2").out
    assert (
        "  request r13 (CONSULT): held, £90.00\n    why: Its row has a problem." in told
    )


def test_no_other_request_is_told(nights: list[practice.Result]) -> None:
    assert nights[1].err.count("invoice_requests.csv") == len(HELD) + 1


def test_the_request_of_a_held_patient_waits_with_its_amount(clinic: Path) -> None:
    held = {
        (row["patient_id"], row["reason"]): row["amount"]
        for row in practice.last_run(clinic)["held"]
    }
    assert held["P3", "patient-held"] == "90.00"


# Looking ahead


def test_a_preview_knows_what_was_billed(clinic: Path) -> None:
    rows = run("preview", clinic, "--as-of", "2026-05-01", "--format", "csv").rows
    names = ("patient_id", "product_code", "period_start", "gross")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("P1", "GOLD", "2026-04-30", "50.00"), ("P1", "CONSULT", "", "90.00"),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def foreseen(clinic: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The forecast of the two months after April, and nothing else written for it.

    It is made in a place of one's own, and once more over that of one month, in an `out`
    that is a link to another disk.
    """
    root = tmp_path_factory.mktemp("forecast")
    folder = practice.copied(clinic, root / "clinic")
    (folder / "out").rename(root / "disk")
    (folder / "out").symlink_to(root / "disk")
    file, usual = root / "coming.xlsx", folder / "out/forecast.xlsx"
    before = practice.files(root, but=LOCK)
    asked = ("forecast", folder, "--as-of", THIRD, "--months")
    for months, where in (("2", ("--to", file)), ("1", ()), ("2", ())):
        done = run(*asked, months, *where)
        assert (done.code, "already there" in done.err) == (0, False)
        if months == "2":
            assert done.out == (
                "4 invoices for £240.00 from 2026-04-02 to 2026-06-30; 10 held and not"
                f" counted; all of it is in {file if where else usual}\n"
            )
        assert (usual.is_file(), file.stat().st_mode & 0o077) == (not where, 0)
    assert usual.read_bytes() == file.read_bytes(), "made again, the same to the byte"
    made = ("coming.xlsx", "disk/forecast.xlsx")
    assert practice.files(root, but=(*LOCK, *made)) == before
    return file


LOCK = ("clinic/ledger/membill.lock.json",)


def test_the_forecast_has_the_months_by_product_and_payer(foreseen: Path) -> None:
    book = load_workbook(foreseen, data_only=True)
    assert book.sheetnames == ["Summary", "By payer", "Lines", "Held", "Read me"]
    rows = [[cell.value for cell in row] for row in book["Summary"]["A4:H8"]]
    assert rows == [
        ["Month", "Invoices", "Lines", "GOLD (£)", "CONSULT (£)", "Net (£)", "Tax (£)", "Gross (£)"],
        [datetime(2026, 4, 1), 1, 1, 50, 0, 50, 0, 50],
        [datetime(2026, 5, 1), 2, 2, 50, 90, 140, 0, 140],
        [datetime(2026, 6, 1), 1, 1, 50, 0, 50, 0, 50],
        ["Total", 4, 4, 150, 90, 240, 0, 240],
    ]  # fmt: skip
    payers = [cell.value for cell in book["By payer"][5]]
    assert payers == [None, "The patients themselves", 4, 50, 140, 50, 240]
    assert len(load_workbook(foreseen)["Summary"]._charts) == 1
    held = [row[0].value for row in book["Held"].iter_rows(min_row=5)]
    assert len(held) == 10 and "P3" in held


@pytest.mark.parametrize(
    "name", ["patients.xlsx", "out/invoices.xlsx", "ledger/x.xlsx", "out/coming.csv"]
)
def test_a_forecast_is_never_written_over_the_practice_s_own(
    name: str, clinic: Path
) -> None:
    assert run("forecast", clinic, "--to", clinic / name).code == 2


def test_a_forecast_is_not_written_over_a_page_where_out_is_a_link(
    foreseen: Path,
) -> None:
    folder = foreseen.with_name("clinic")
    page = folder / "out/invoices.xlsx"
    assert run("forecast", folder, "--as-of", THIRD, "--to", page).code == 2


# A patient's file


def test_a_patient_s_file_tells_it_all_without_a_name(clinic: Path) -> None:
    told = run("patient", clinic, "p1")
    assert told.code == 0
    for line in (
        "Patient P1, as of 2 April 2026",
        "  Membership: GOLD, Monthly, active",
        "  Next due: 30 April 2026, £50.00 (product price: Products row 2 (GOLD))",
        "    28 February 2026 to 30 March 2026: GOLD, £50.00, on INV-000003, unsent",
        "    INV-000001: 1 March 2026, £50.00, sent",
        "      sent 1 March 2026 by dd (post)",
        "      sent 5 March 2026 by dd (e-mail)",
        "  changed 6 March 2026: Email, by dd",
    ):
        assert f"{line}\n" in told.out
    assert "invoice_requests.csv Invoice requests!D9: 0 is not a whole" in told.out
    assert "20 April 2026 lies ahead, so INV-000003" in told.out
    for personal in ("Annabel", "Quillfeather", "example.org"):
        assert personal not in told.out + told.err


FILES = {
    "a payer": ("P2", "Billed to: ACME\n"),
    "a price a year ahead": ("P2", "Next due: 1 February 2027, £550.00 "),
    "a credit note": (
        "P2",
        "3 March 2026, -£550.00, unsent\n      takes back INV-000002\n",
    ),
    "a held row": ("P3", "Held until something is mended: Its row has a problem."),
    "a request held for the patient": ("P3", "Not billed: request R7, CONSULT by hand"),
    "no membership": ("P4", "Membership: none\n  1 period billed\n"),
}


@pytest.fixture(scope="module")
def told(clinic: Path) -> dict[str, str]:
    """The files of three patients."""
    return {who: run("patient", clinic, who).out for who in ("P2", "P3", "P4")}


@pytest.mark.parametrize(("patient", "text"), FILES.values(), ids=FILES)
def test_a_file_has(patient: str, text: str, told: dict[str, str]) -> None:
    assert text in told[patient]


def test_a_chosen_file_replaces_no_other_and_makes_no_folder(
    clinic: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "patients.xlsx"
    mine.write_bytes(b"mine")
    for file, said in ((mine, "already there"), (tmp_path / "no/p.xlsx", "no folder")):
        refused = run("patient", clinic, "P2", "--xlsx", file)
        assert (refused.code, said in refused.err) == (2, True)
    assert mine.read_bytes() == b"mine"
    assert not (tmp_path / "no").exists()


def test_a_file_as_a_workbook_has_the_name_and_one_page(
    clinic: Path, tmp_path: Path
) -> None:
    file = tmp_path / "p2.xlsx"
    assert run("patient", clinic, "P2", "--xlsx", file).code == 0
    assert file.stat().st_mode & 0o077 == 0
    first = file.read_bytes()
    assert run("patient", clinic, "P2", "--xlsx", file).code == 0
    assert file.read_bytes() == first
    sheet = load_workbook(file)["Patient"]
    cells = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {"Patient P2", "Barnaby Thistlewood", "INV-000002", "CRN-000001"} <= cells
    assert {-550, 550, "left", "post", datetime(2026, 3, 2), "Problems"} <= cells
    assert (sheet.page_setup.paperSize, sheet.page_setup.fitToHeight) == (9, 0)


def test_nobody_s_file_is_answered_with_who_may_be_meant(clinic: Path) -> None:
    nobody = run("patient", clinic, "P44")
    assert nobody.code == 2
    assert "no patient P44 is known to this ledger; did you mean P4?" in nobody.err
    assert run("patient", clinic, "P1", "--xlsx", clinic / "patients.xlsx").code == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "p01",
            "p01 is neither an invoice number nor a Patient ID here; did you mean P1?",
        ),
        ("inv-1", "inv-1 is neither"),
        (
            "CRN-000009",
            "CRN-000009 is neither an invoice number nor a Patient ID here\n",
        ),
    ],
)
def test_a_name_that_is_nowhere_is_answered_with_the_nearest(
    typed: str, said: str, clinic: Path
) -> None:
    told = run("explain", clinic, typed)
    assert (told.code, said in told.err) == (2, True), told.err


def test_documents_of_nobody_are_none_and_that_is_said(clinic: Path) -> None:
    listed = run("invoices", clinic, "--patient", "P01", "--format", "csv")
    assert (listed.code, listed.rows) == (0, [])
    assert "No patient P01 is known to this ledger; did you mean P1?" in listed.err
