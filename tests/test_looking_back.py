"""What a night finds by comparing with nights before it, and what it then refuses."""

import io
import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import practice
import pytest
from openpyxl import load_workbook
from practice import Result, Row, bill, run

from pipeline.__main__ import cli
from pipeline.ledger import ledger_path, opened, read_head
from pipeline.prepare import prepare
from pipeline.problems import Problem, Refused
from pipeline.publish import Published

FIRST, SECOND = "2026-03-01", "2026-03-02"
# What a night that is refused may leave behind.
TRACES = ("out/issues.xlsx", "ledger/membill.lock.json")
BORN = {"Date of birth": "1980-01-01"}


@pytest.fixture(scope="module")
def after_first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The practice after its first night, with birth dates and a request billed."""
    given = practice.sheets()
    given["patients"] = [{**row, **BORN} for row in given["patients"]]
    given["patients"][0]["Town"] = "Alderton"
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


def _signed(row: Row) -> Row:
    return {**row, "Last edited by": "mm"}


def _price(day: str, **prices: str) -> Row:
    titles = {"monthly": "Monthly price", "annual": "Annual price"}
    cells = {titles[name]: price for name, price in prices.items()}
    return _signed({"Product code": "GOLD", "Effective from": day, **cells})


# One practice lives two nights, and each of these has products or patients of its own.

# Price changes, and the periods they are told to reach back over: of a member by the
# month from 31 January and 28 February for 50.00, and of one for the year from 1
# February for 550.00.
REACHING: dict[str, tuple[list[Row], str, list[str]]] = {
    "a day to come": ([_price("2026-03-02", monthly="52.00", annual="570.00")], "", []),
    "the last month": (
        [_price("2026-02-28", monthly="52.00")], "1 period too", ["2026-02-28"],
    ),
    "the same for the month": ([_price("2026-02-28", monthly="50.00")], "", []),
    "a year that began before": ([_price("2026-03-01", annual="570.00")], "", []),
    "all": (
        [_price("2026-01-01", monthly="52.00", annual="570.00")],
        "3 periods too", ["2026-01-31", "2026-02-01", "2026-02-28"],
    ),
    # From 28 February on the later one counts, which says what was charged.
    "the earlier of two": (
        [_price("2026-01-01", monthly="52.00"), _price("2026-02-28", monthly="50.00")],
        "1 period too", ["2026-01-31"],
    ),
    # One that says nothing of a month leaves the month to the earlier one.
    "the month of two": (
        [_price("2026-01-01", monthly="52.00"), _price("2026-02-15", annual="550.00")],
        "2 periods too", ["2026-01-31", "2026-02-28"],
    ),
}  # fmt: skip
CODES = {name: f"PLAN{n}" for n, name in enumerate(REACHING)}

# A member's cells before and now, and whether days are left out.
MOVED: dict[str, tuple[Row, Row, bool]] = {
    "S1": ({}, {"Start date": "2026-05-01"}, True),
    # As the hold of an overlapping period advises.
    "S2": ({}, {"Start date": "2026-03-31"}, False),
    "S3": (
        {"End date": "2026-03-30"}, {"Start date": "2026-05-01", "End date": ""}, False,
    ),
    "S4": (
        {"Membership active": "No"},
        {"Start date": "2026-05-01", "Membership active": "Yes"}, False,
    ),
    # What had not begun leaves nothing out when it begins later still.
    "S5": ({"Start date": "2026-05-01"}, {"Start date": "2026-06-01"}, False),
}  # fmt: skip

AGREED = {
    code: _signed({
        "Contact code": "ACME", "Product code": code, "Monthly price": "44.00",
        "Valid from": "2026-01-01", "Valid to": "",
    })
    for code in ("LOWER", "ENDED", "FIRST")
}  # fmt: skip
ANNUAL = {"billing_frequency": "Annual", "start_date": "2026-02-01"}
# A month that was due before the second night, and one that is due on it.
DUE = {"start_date": "2026-02-02"}


def _many() -> practice.Sheets:
    """The practice of all of them before its first night."""
    given = practice.sheets()
    for code in (*CODES.values(), *AGREED, "RISE", "REDUCED", "MINUS"):
        sold = practice.product(code, code, monthly="50.00", annual="550.00")
        given["products"].append(_signed(sold))
    free = practice.product("FREE", "Free", monthly="0.00")
    given["products"].append(_signed(free))
    low = {"Code": "LOW", "Name": "Low", "Rate %": "0"}
    given["tax_codes"].append(_signed(low))
    given["products"][-3]["Tax code"] = "LOW"
    member = practice.member
    given["patients"] += [
        *(member(f"M{code}", membership=code) for code in CODES.values()),
        *(member(f"Y{code}", membership=code, **ANNUAL) for code in CODES.values()),
        *(member(f"C{code}", membership=code, **DUE) for code in AGREED),
        member("MRISE", membership="RISE", **DUE),
        *(member(code, membership="SILVER") for code in MOVED),
        member("P9", membership="FREE"),
        member("N1", first_name="Cressida", last_name="Moorcroft"),
        member("N2", first_name="Dorian", last_name="Fenwick"),
    ]
    given["patients"] = [{**row, **BORN} for row in given["patients"]]
    given["patients"][-4]["Start date"] = "2026-05-01"
    given["contacts"] = [{"Code": "ACME", "Name": "Acme Widgets Ltd"}]
    given["invoice_requests"] = [_asked()]
    given["price_changes"] = [_rise("2026-03-01")]
    first = {"Setting": "First invoice number", "Value": "1"}
    given["settings"].append(_signed(first))
    return given


def _rise(day: str) -> Row:
    return {**_price(day, monthly="60.00"), "Product code": "RISE"}


@pytest.fixture(scope="module")
def second_night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """The practice after a second night, before which much of it was edited."""
    folder = practice.make(tmp_path_factory.mktemp("many") / "clinic", _many())
    assert bill(folder, FIRST).code == 0
    practice.change(folder, "patients", "N1", {"Patient ID": "N1X"})
    namesake = {"Patient ID": "N2X", "Date of birth": "1985-05-05"}
    practice.change(folder, "patients", "N2", namesake)
    early = {"Product code": "SILVER", "Quantity": "", "Requested on": "2025-12-31"}
    requests = [
        _asked(Quantity="5"),
        _asked(**{"Request ID": "R2", "Patient ID": "P1", **early}),
        _asked(**{"Request ID": "R3", "Quantity": "-1"}),
    ]
    practice.write(folder, "invoice_requests", requests)
    practice.change(folder, "tax_codes", "LOW", {"Rate %": "-20"})
    practice.change(folder, "products", "MINUS", {"Monthly price": "-5"})
    practice.write(folder, "price_changes", [_rise("2026-06-15")])
    for patient, (before, _, _) in MOVED.items():
        practice.change(folder, "patients", patient, before)
    practice.write(folder, "contract_prices", list(AGREED.values()))
    for code in AGREED:
        practice.change(folder, "patients", f"C{code}", {"Bill to": "ACME"})
    night = bill(folder, SECOND)
    assert night.code == 3
    return folder, night


@pytest.fixture(scope="module")
def edited_back(second_night: tuple[Path, Result]) -> list[Problem]:
    """What a third night would find of prices and start dates that reach back.

    A column that was never filled in is gone.
    """
    folder = practice.copied(second_night[0], second_night[0].parent / "edited back")
    prices = [
        {**row, "Product code": CODES[name]}
        for name, (rows, _, _) in REACHING.items()
        for row in rows
    ]
    free = {**_price("2026-01-01", monthly="5.00"), "Product code": "FREE"}
    late = {**_price(SECOND, monthly="52.00"), "Product code": "FIRST"}
    practice.write(folder, "price_changes", [*prices, free, late])
    for patient, (_, now, _) in MOVED.items():
        practice.change(folder, "patients", patient, now)
    rows = practice.read(folder, "patients")
    for row in rows:
        assert not row.pop("Bill from")
    practice.write(folder, "patients", rows)
    lower = {code: {**row, "Monthly price": "42.00"} for code, row in AGREED.items()}
    ended = {**lower["ENDED"], "Valid to": "2026-03-01"}
    practice.write(folder, "contract_prices", [lower["LOWER"], ended, AGREED["FIRST"]])
    practice.set_to(folder, "First invoice number", "500")
    return _problems(folder, SECOND)


def _problems(folder: Path, as_of: str) -> list[Problem]:
    """What a night would find, without the night itself."""
    day = date.fromisoformat(as_of)
    with opened(ledger_path(folder), write=False) as books:
        return prepare(books, folder, day, lambda zone: day).problems


def _told(problems: list[Problem], code: str, about: str = "") -> list[str]:
    """What was found of this kind."""
    found = [problem.found for problem in problems if problem.code == code]
    return [text for text in found if about in text]


def _refused(folder: Path, *told: str) -> str:
    """The night is refused with these words and leaves everything as it was."""
    before = practice.files(folder, but=TRACES)
    refused = bill(folder, SECOND)
    assert refused.code == 4
    assert all(words in refused.err for words in told), refused.err
    assert practice.files(folder, but=TRACES) == before
    return refused.err


def test_a_billed_person_under_a_new_id_is_not_billed_again(
    second_night: tuple[Path, Result],
) -> None:
    folder, held = second_night
    row = 2 + [row["Patient ID"] for row in practice.read(folder, "patients")].index(
        "N1X"
    )
    assert (
        f"Not billed: patients.csv: row {row}, Patient ID: N1X has the name and date of"
        " birth of N1, who was billed and is no longer in the sheet; put back N1; if it"
        " is somebody else, put back the row of N1 and end it\n"
    ) in held.err
    assert not [line for line in _billed(folder, SECOND) if line["patient_id"] == "N1X"]


def _billed(folder: Path, day: str) -> list[Row]:
    """The invoices of a night."""
    return [row for row in practice.invoices(folder) if row["issued_on"] == day]


def test_a_namesake_who_was_born_another_day_is_billed(
    second_night: tuple[Path, Result],
) -> None:
    folder, _ = second_night
    billed = [row["patient_id"] for row in _billed(folder, SECOND)]
    assert [who for who in billed if who.startswith("N")] == ["N2X", "N2X"]


REFUSED = {
    "a column that was in use is never read as blank": (
        "Stops the night: patients.csv: the column Date of birth, which 2 rows filled in"
        " last time, is missing; put the column Date of birth back, even if it is now"
        " empty\n"
    ),
    "nor is one that a single row filled in": (
        "the column Town, which 1 row filled in last time, is missing"
    ),
    "there is nobody to judge by": "the sheet Staff has no row that can be used; fill in",
    "nor a role": "the sheet Roles has no row that can be used; fill in",
    "a setting under two spellings is told as twice": (
        "settings.csv: row 6, Value: the setting Bill from stands in rows 4, 6; keep the"
        " row that is right and delete the others"
    ),
}


@pytest.fixture(scope="module")
def refused_night(after_first: Path) -> str:
    """What a night says that all of these stop; it leaves everything as it was."""
    folder = practice.copied(after_first, after_first.parent / "refused")
    rows = practice.read(folder, "patients")
    for row in rows:
        del row["Date of birth"], row["Town"]
    practice.write(folder, "patients", rows)
    for sheet in ("staff", "roles"):
        blank = dict.fromkeys(practice.read(folder, sheet)[0], "")
        practice.write(folder, sheet, [blank])
    twice = {"Setting": "bill_FROM", "Value": "2026-02-01", "Last edited by": "mm"}
    practice.add(folder, "settings", twice)
    return _refused(folder)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_the_night_is_refused_and_all_that_stops_it_is_told(
    text: str, refused_night: str
) -> None:
    assert text in refused_night


def test_a_column_that_was_never_filled_in_may_go(edited_back: list[Problem]) -> None:
    assert not [p for p in edited_back if "the column Bill from" in p.found]


def test_a_billed_request_that_was_edited_is_not_billed_again(
    second_night: tuple[Path, Result],
) -> None:
    folder, night = second_night
    (number,) = {
        number
        for number, product in practice.lines(folder, "number", "product_code")
        if product == "CONSULT"
    }
    assert (
        f"Check: invoice_requests.csv: row 2, Request ID: R1 was billed on {number} and"
        " now asks for something else (Quantity), which is not billed; give what is new"
        " a new Request ID; a wrong invoice is credited\n"
    ) in night.err


def test_a_membership_asked_for_before_bill_from_is_held(
    second_night: tuple[Path, Result],
) -> None:
    assert (
        "Not billed: invoice_requests.csv: row 3, Requested on: a membership period that"
        " starts before the practice's Bill from is not billed; correct the request, or"
        " delete its row\n"
    ) in second_night[1].err


@pytest.mark.parametrize(
    ("sheet", "key", "column"),
    [
        pytest.param("tax_codes", "LOW", "Rate %", id="a rate"),
        pytest.param("products", "MINUS", "Monthly price", id="a price"),
        pytest.param("invoice_requests", "R3", "Quantity", id="a quantity"),
    ],
)
def test_a_number_below_nothing_is_held_at_its_cell(
    sheet: str, key: str, column: str, second_night: tuple[Path, Result]
) -> None:
    folder, held = second_night
    keys = [next(iter(row.values())) for row in practice.read(folder, sheet)]
    row = 2 + keys.index(key)
    assert f"Not billed: {sheet}.csv: row {row}, {column}: " in held.err


def test_a_price_row_whose_date_is_corrected_counts_once(
    second_night: tuple[Path, Result],
) -> None:
    folder, _ = second_night
    charged = practice.lines(folder, "patient_id", "period_start", "gross")
    assert ("MRISE", SECOND, "50.00") in charged
    with opened(ledger_path(folder), write=False) as books:
        told = books.rows(
            "select accepted, edited_by from ledger.changes"
            " where table_name = 'Price changes' and column_title = '(whole row)'"
        )
    assert told == [{"accepted": True, "edited_by": "mm"}]


# Edits that reach back over what is billed.


@pytest.mark.parametrize("name", REACHING)
def test_a_price_of_a_day_that_is_billed_is_told(
    name: str, edited_back: list[Problem], second_night: tuple[Path, Result]
) -> None:
    _, periods, days = REACHING[name]
    lines = practice.lines(second_night[0], "product_code", "period_start", "number")
    numbers = [
        number for *key, number in lines if key[0] == CODES[name] and key[1] in days
    ]
    found = _told(edited_back, "price-reaches-back", f"of {CODES[name]} ")
    assert len(found) == bool(days)
    for text in found:
        assert periods in text
        assert f"on {', '.join(numbers)}: " in text


def test_a_price_that_comes_too_late_for_what_was_billed_at_nothing_is_told(
    edited_back: list[Problem],
) -> None:
    (found,) = _told(edited_back, "price-reaches-back", "of FREE ")
    assert found.startswith("this price of FREE is for 2 periods too"), found


def test_a_contract_price_that_reaches_back_is_told_of_its_payer_alone(
    second_night: tuple[Path, Result], edited_back: list[Problem]
) -> None:
    assert "this price of" not in second_night[1].err, (
        "the patients paid for themselves"
    )
    told = {
        code: _told(edited_back, "price-reaches-back", f"of ACME {code} ")
        for code in AGREED
    }
    (found,) = told["LOWER"]
    assert found.startswith("this price of ACME LOWER is for 1 period too")
    assert told["ENDED"] == [], "ended before what it paid for"
    assert told["FIRST"] == [], "what is unchanged is what was charged"
    assert _told(edited_back, "price-reaches-back", "of FIRST ") == [], (
        "an agreed price comes first"
    )


@pytest.mark.parametrize("patient", MOVED)
def test_a_start_date_that_leaves_days_unbilled_is_told(
    patient: str, edited_back: list[Problem], second_night: tuple[Path, Result]
) -> None:
    *_, told = MOVED[patient]
    keys = [row["Patient ID"] for row in practice.read(second_night[0], "patients")]
    rows = [p.place.row for p in edited_back if p.code == "days-left-out"]
    assert (2 + keys.index(patient) in rows) == told


def test_a_first_number_after_the_first_is_told(
    edited_back: list[Problem], second_night: tuple[Path, Result]
) -> None:
    folder, night = second_night
    assert "First invoice number" not in night.err, "it was 1"
    reached = len(practice.invoices(folder))
    assert _told(edited_back, "first-number-is-past") == [
        "First invoice number counts for the very first invoice only, which had number"
        f" 1; they have reached {reached}"
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


NONSENSE = ["", "null", "[]", "{}", '{"position": "x"}']


@pytest.mark.parametrize("text", NONSENSE)
def test_a_head_file_of_nonsense_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "head.json").write_text(text, encoding="utf-8")
    with pytest.raises(Refused, match=r"head\.json cannot be read"):
        read_head(tmp_path / "membill.duckdb")


def test_beside_a_head_file_of_nonsense_nothing_is_billed(clinic: Path) -> None:
    (clinic / "ledger/head.json").write_text(NONSENSE[-1], encoding="utf-8")
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
    others = ["INV-000002", "INV-000003"]
    named = ["INV-000001", "inv-000001", " INV-000001", *others, "INV-000001"]
    done = run("sent", clinic, *named, "--to", "x", "--by", "dd")
    sent = ["INV-000001", *others]
    assert (done.code, done.out) == (0, f"Recorded as sent: {', '.join(sent)}\n")
    rows = practice.invoices(clinic)
    assert sorted(row["number"] for row in rows if row["sent_on"]) == sent
    assert _times_sent(clinic, "INV-000001") == 1
    with opened(clinic / "ledger/membill.duckdb", write=False) as ledger:
        noted = ledger.rows("select sending_no as no, number from ledger.sendings")
    assert sorted((row["no"], row["number"]) for row in noted) == [*enumerate(sent, 1)]


def _times_sent(folder: Path, number: str) -> int:
    with opened(folder / "ledger/membill.duckdb", write=False) as ledger:
        rows = ledger.rows("select * from ledger.sendings where number = ?", [number])
    return len(rows)


SENT = ("--by", "dd", "--on", SECOND)


@pytest.fixture(scope="module")
def sent_once(after_first: Path) -> Path:
    """The practice after an invoice was sent."""
    folder = practice.copied(after_first, after_first.parent / "sent once")
    assert run("sent", folder, "INV-000001", "--to", "x", *SENT).code == 0
    return folder


@pytest.mark.parametrize(
    ("number", "to", "how", "times"),
    [
        pytest.param("INV-000001", "x", (), 1, id="word for word"),
        pytest.param("INV-000001", "x", ("--how", ""), 1, id="no way, and a blank one"),
        pytest.param("INV-000001", "x", ("--how", " "), 1, id="no way, and a space"),
        pytest.param("inv-000001 ", " x ", (), 1, id="with spaces at the ends"),
        pytest.param("INV-000001", "x", ("--how", "post"), 2, id="another way"),
        pytest.param("INV-000001", "y", (), 2, id="another address"),
    ],
)
def test_a_sending_that_is_given_again_is_recorded_once(
    number: str,
    to: str,
    how: tuple[str, ...],
    times: int,
    sent_once: Path,
    tmp_path: Path,
) -> None:
    folder = practice.copied(sent_once, tmp_path / "clinic")
    done = run("sent", folder, number, "--to", to, *how, *SENT)
    assert (done.code, _times_sent(folder, "INV-000001")) == (0, times)
    left = "What was recorded before, alike in every word, was left as it is.\n"
    assert done.out == (left if times == 1 else "Recorded as sent: INV-000001\n")


def test_what_a_killed_sending_left_undone_is_done_when_it_is_given_again(
    clinic: Path,
) -> None:
    head = clinic / "ledger/head.json"
    behind = head.read_bytes()
    args = ("sent", clinic, "INV-000001", "--to", "x", "--by", "dd", "--on", SECOND)
    with patch("pipeline.office.desk.publish", return_value=Published([], [])):
        assert run(*args).code == 0
    listed = (clinic / "out/invoices.xlsx").read_bytes()
    # As if it had been killed before the head file: nothing is left to record.
    head.write_bytes(behind)
    checksum = clinic / "ledger/membill.duckdb.sha256"
    checksum.unlink()
    assert run(*args).code == 0
    assert head.read_bytes() != behind
    assert (clinic / "out/invoices.xlsx").read_bytes() != listed
    assert checksum.exists()


# Commands that are killed one after the other, and given again before the next; and what
# was left by each.
KILLED = {
    "a sending": (
        "desk",
        ["sent", "INV-000001", "--to", "x", "--by", "dd", "--on", "2026-03-02"],
        0, "sent 2026-03-02-01 (INV-000001)",
    ),
    "a credit of a part": (
        "credits",
        ["credit", "INV-000002", "--amount", "10", "--reason", "late", "--by", "mm",
         "--on", "2026-03-03"],
        0, "credit 2026-03-03-01 (CRN-000001)",
    ),
    "a credit of all": (
        "credits",
        ["credit", "INV-000003", "--reason", "left", "--by", "mm", "--on", "2026-03-04"],
        2, "credit 2026-03-04-01 (CRN-000003)",
    ),
    "a closed month": (
        "closing", ["close", "2026-03", "--by", "mm"], 2, "close 2026-10-31-01",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def again(after_first: Path) -> dict[str, Result]:
    """What each of them says when it is given again, and the last once more."""
    folder = practice.copied(after_first, after_first.parent / "killed")
    told = {}
    for name, (where, (command, *args), _, _) in KILLED.items():
        with patch(f"pipeline.office.{where}.publish", return_value=Published([], [])):
            assert run(command, folder, *args).code == 0
        told[name] = run(command, folder, *args)
    return told | {"once more": run(command, folder, *args)}


@pytest.mark.parametrize("name", KILLED)
def test_a_command_that_was_killed_and_is_given_again_says_that_its_first_run_counts(
    name: str, again: dict[str, Result]
) -> None:
    *_, code, left = KILLED[name]
    told, says = again[name], "Finished first what an earlier run left: "
    assert told.code == code
    # What is finished is not said to be left again.
    assert told.err.splitlines()[0] == f"{says}{left}."
    assert says not in again["once more"].err


def test_a_pipe_that_knows_no_pound_sign_ends_no_night(
    second_night: tuple[Path, Result],
) -> None:
    folder, _ = second_night
    pipe = io.BytesIO()
    with patch("sys.stdout", io.TextIOWrapper(pipe, encoding="iso8859-2")) as out:
        cli.main(["explain", str(folder), "INV-000001"], standalone_mode=False)
        out.flush()
    assert b"INV-000001" in pipe.getvalue()
    assert b"?50.00" in pipe.getvalue(), "for what it does not know"


@pytest.mark.parametrize("column", ["Start date", "Membership"])
@pytest.mark.parametrize("nights_before", [0, 1])
def test_a_column_that_memberships_need_is_told_once_and_not_row_by_row(
    tmp_path: Path, column: str, nights_before: int
) -> None:
    folder = practice.make(tmp_path)
    if nights_before:
        assert bill(folder, FIRST).code == 0
    rows = practice.read(folder, "patients")
    for row in rows:
        del row[column]
    practice.write(folder, "patients", rows)
    refused = bill(folder, SECOND)
    assert (refused.code, refused.err.splitlines()) == (
        4,
        [
            f"Stops the night: patients.csv: the column {column} is missing, and active"
            f" memberships need it; add a column with the heading {column}",
            "Nothing was billed, and the ledger is as it was.",
        ],
    )


def test_it_may_be_missing_where_nobody_has_a_membership(tmp_path: Path) -> None:
    folder = practice.make(tmp_path)
    rows = practice.read(folder, "patients")
    for row in rows:
        row["Membership active"] = "No"
        del row["Start date"]
    practice.write(folder, "patients", rows)
    assert bill(folder, SECOND).code == 0


def test_a_day_is_one_night_of_a_problem_however_often_it_was_run(
    tmp_path: Path,
) -> None:
    folder = practice.make(tmp_path)
    practice.write(folder, "patients", [practice.member("P1", start_date="soon")])
    for day in (FIRST, FIRST, SECOND, SECOND):
        assert bill(folder, day).code == 3
    sheet = load_workbook(folder / "out/issues.xlsx")["Problems"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    top = next(at for at, row in enumerate(rows) if "Nights" in row)
    place = rows[top].index("Nights")
    assert [row[place] for row in rows[top + 1 :] if row[place]] == [2]


@pytest.mark.parametrize(
    ("start", "nights", "edited", "named"),
    [
        ("2026-08-31", ["2026-09-30"], "2026-08-30", "31/10/2026"),
        ("2026-01-29", ["2026-03-30"], "2026-01-31", "29/04/2026"),
    ],
)
def test_the_start_date_that_is_named_fits_for_good(
    tmp_path: Path, start: str, nights: list[str], edited: str, named: str
) -> None:
    """Also where a day at a month's end makes another calendar of the days between."""

    def typed(day: str) -> None:
        rows = [practice.member("P1", start_date=day)]
        practice.write(folder, "patients", rows)

    def later(days: int) -> Result:
        day = date.fromisoformat(nights[-1]) + timedelta(days=days)
        return bill(folder, day.isoformat(), "--accept", "date")

    folder = practice.make(tmp_path)
    typed(start)
    for night in nights:
        assert bill(folder, night, "--accept", "date").code == 0
    typed(edited)
    held = later(1)
    assert held.code == 3
    assert f"; write {named} as the Start date, or put back" in held.err
    day, month, year = named.split("/")
    typed(f"{year}-{month}-{day}")
    for days in (40, 75):
        assert later(days).code == 0
    billed = sorted(practice.lines(folder, "period_start", "period_end"))
    after = [date.fromisoformat(end) + timedelta(days=1) for _, end in billed[:-1]]
    assert [first for first, _ in billed[1:]] == [day.isoformat() for day in after]
