"""Taking back lines and parts of them, billing once more, and closing a month."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import practice
import pytest
from hypothesis import given as supposing
from hypothesis import settings
from hypothesis import strategies as st
from practice import bill, files, member, run

from pipeline.bookkeeping import accounts, months
from pipeline.ledger import ledger_path, opened
from pipeline.office import credits
from tests import given

MARCH, APRIL = "2026-03-01", "2026-04-02"
BOLTS = ("P5", "P6", "P7")
ALIKE = ("billed_periods", "released_periods", "filled_requests", "released_requests")


def _sheets() -> practice.Sheets:
    """The usual practice, taxed, with employers who have one invoice for all their members."""
    sheets = practice.sheets()
    for row in sheets["settings"]:
        row["Value"] = {"VAT registered": "Yes"}.get(row["Setting"], row["Value"])
    sheets["settings"] += [
        {"Setting": name, "Value": value, "Last edited by": "mm"}
        for name, value in (("VAT number", "GB980780684"), ("Max days ahead", "60"))
    ]
    standard = {
        "Code": "STD",
        "Name": "Standard",
        "Rate %": "20",
        "Last edited by": "mm",
    }
    sheets["tax_codes"].append(standard)
    sheets["products"] += [
        practice.product("PLUS", "Plus", monthly="50.01") | {
            "Tax code": "STD", "Last edited by": "mm"
        }
    ]  # fmt: skip
    sheets["contacts"] = [
        {"Code": code, "Name": name, "Combine invoices": "Yes"}
        for code, name in (("ACME", "Acme Widgets Ltd"), ("BOLT", "Bolt and Sons"))
    ]
    sheets["patients"] += [
        member(name, bill_to=payer, start_date=MARCH, end_date=MARCH, membership="PLUS")
        for payer, names in (("ACME", ("P3", "P4")), ("BOLT", BOLTS))
        for name in names
    ]
    sheets["invoice_requests"] = [
        {"Request ID": "R1", "Patient ID": "P1", "Product code": "CONSULT",
         "Requested on": MARCH}
    ]  # fmt: skip
    return sheets


def _credit(folder: Path, number: str, *more: str, today: str = "2026-03-05") -> Any:
    return run(
        "credit",
        folder,
        number,
        "--reason",
        "a mistake",
        "--by",
        "mm",
        *more,
        today=today,
    )


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Parts of an invoice credited, a period and a request billed once more, a month closed.

    INV-000001 to 6 are P1 from 31 January, P2, P1 from 28 February, P1's request, ACME's
    and BOLT's.
    """
    folder = practice.make(tmp_path_factory.mktemp("credits") / "clinic", _sheets())
    assert bill(folder, MARCH).code == 0
    before = folder.with_name("before.duckdb")
    before.write_bytes((folder / "ledger/membill.duckdb").read_bytes())
    with practice.unpublished():
        told = [
            _credit(folder, *words).out
            for words in (
                ("INV-000005", "--line", "2", "--amount", "10.00"),
                ("INV-000005", "--line", "2", "--amount", "0.01"),
                ("INV-000005", "--line", "2"),
                ("INV-000001", "--rebill"),
                ("INV-000004", "--line", "1", "--rebill"),
            )
        ]
    cells = {"Monthly price": "52.00", "Last edited by": "mm"}
    practice.change(folder, "products", "GOLD", cells)
    closed = run("close", folder, "2026-03", "--by", "mm", today=APRIL)
    sealed = files(folder / "out/registers")["2026-03.xlsx"]
    # What comes after leaves the register of the closed month alone.
    _credit(folder, "INV-000005", today=APRIL)
    sent = ("--to", "x", "--by", "dd")
    late = run("sent", folder, "INV-000003", *sent, "--on", "2026-03-31", today=APRIL)
    assert late.code == 0, late.err
    with practice.unpublished():
        run("sent", folder, "INV-000002", *sent, today=APRIL)
        told += [
            _credit(folder, "INV-000006", *words, today=APRIL).out
            for words in (("--line", "1"), ("--rebill",), ("--line", "1", "--rebill"))
        ]
    for name in BOLTS:
        practice.change(folder, "patients", name, {"Membership active": "No"})
    assert bill(folder, APRIL).code == 0
    return {
        "folder": folder, "before": before, "told": told,
        "closed": closed, "sealed": sealed,
    }  # fmt: skip


@pytest.fixture(scope="module")
def folder(story: dict[str, Any]) -> Path:
    """The practice of the story; nothing here changes it."""
    return Path(story["folder"])


def _lines(folder: Path, number: str) -> list[tuple[str, ...]]:
    names = ("number", "description", "quantity", "unit_price", "net", "tax", "gross")
    found = practice.lines(folder, *names)
    return [line[1:] for line in found if line[0] == number]


def test_parts_of_a_line_come_to_the_line(folder: Path, story: dict[str, Any]) -> None:
    assert [said.strip() for said in story["told"][:3]] == [
        "CRN-000001 takes back £10.00 of INV-000005; £110.02 is left",
        "CRN-000002 takes back £0.01 of INV-000005; £110.01 is left",
        "CRN-000003 takes back £50.00 of INV-000005; £60.01 is left",
    ]
    assert [_lines(folder, f"CRN-00000{note}") for note in (1, 2, 3)] == [
        [("Plus, in part", "1", "8.33", "-8.33", "-1.67", "-10.00")],
        [("Plus, in part", "1", "0.01", "-0.01", "0.00", "-0.01")],
        [("Plus, in part", "1", "41.67", "-41.67", "-8.33", "-50.00")],
    ]


def test_an_invoice_is_active_until_all_of_it_is_credited(folder: Path) -> None:
    rows = {row["number"]: row for row in practice.invoices(folder)}
    states = [
        (rows[number]["status"], rows[number]["active"], rows[number]["credits"])
        for number in ("INV-000001", "INV-000005", "INV-000002", "CRN-000003")
    ]
    assert states == [
        ("credited", "no", "50.00"), ("credited", "no", "120.02"),
        ("sent", "yes", "0.00"), ("unsent", "no", "0.00"),
    ]  # fmt: skip


def test_of_an_unsent_invoice_and_its_credit_note_only_the_rest_is_open(
    folder: Path,
) -> None:
    with opened(ledger_path(folder), write=False) as ledger:
        listed = accounts.unsent_entries(ledger)
        register = months.unsent(ledger, months.state_of(ledger, APRIL[:7]))
    found = {entry.number: entry.open for entry in listed}
    assert found == {row.number: row.open for row in register}
    assert found["CRN-000001"] == 0, "taken off INV-000005, which was not sent either"


def test_what_was_freed_is_billed_once_more_by_the_rules_of_the_night(
    folder: Path,
) -> None:
    names = ("number", "patient_id", "product_code", "period_start", "gross")
    made = [line for line in practice.lines(folder, *names) if line[0] > "INV-000006"]
    assert made == [
        ("INV-000007", "P1", "GOLD", "2026-01-31", "52.00"),
        ("INV-000008", "P1", "CONSULT", "", "85.00"),
        ("INV-000009", "P1", "GOLD", "2026-03-31", "52.00"),
    ]
    after = run("preview", folder, "--as-of", "2026-04-03", "--format", "csv")
    assert (after.code, after.rows) == (0, []), "nor ever after"


def test_a_period_that_was_freed_is_never_too_old(folder: Path) -> None:
    begun, billed = date(2026, 1, 31), date.fromisoformat(APRIL)
    assert (billed - begun).days > 60, "or the story shows nothing"
    assert "INV-000007" in run("explain", folder, "P1").out


EXPLAINED = [
    pytest.param(
        "INV-000001",
        "CRN-000004 freed line 1 of INV-000001 to be billed again; it was, on INV-000007"
        " line 1",
        id="the invoice tells what came in its place",
    ),
    pytest.param(
        "CRN-000005", "it was, on INV-000008 line 1", id="and so does the credit note"
    ),
    pytest.param(
        "INV-000007",
        "line 1 is billed in place of INV-000001 line 1, which was credited",
        id="the new one tells what it replaces",
    ),
    pytest.param(
        "P1",
        "billed 31 January 2026 to 27 February 2026 on INV-000001, freed to be billed"
        " again by CRN-000004",
        id="the patient's periods tell both",
    ),
    pytest.param(
        "CRN-000001",
        "why: takes back line 2 of the invoice, or a part of it\n    price: that line's,",
        id="a credit note was not due, and has no price of its own",
    ),
]


@pytest.mark.parametrize(("name", "said"), EXPLAINED)
def test_explain_tells_of_both(folder: Path, name: str, said: str) -> None:
    assert said in run("explain", folder, name).out


REFUSED = [
    pytest.param(
        ["INV-000002", "--amount", "550.01"],
        "£550.01 is more than is left of INV-000002 line 1, £550.00",
        id="more than is left",
    ),
    pytest.param(
        ["INV-000005"], "INV-000005 was credited already, by CRN-000001, CRN-000002,"
        " CRN-000003, CRN-000006: nothing is left", id="nothing is left",
    ),
    pytest.param(
        ["INV-000005", "--amount", "1.00"],
        "INV-000005 has 2 lines: say with --line of which one; they are 1 (PLUS of P3,"
        " £0.00 left), 2 (PLUS of P4, £0.00 left)",
        id="an amount of no line",
    ),
    pytest.param(
        ["INV-000005", "--line", "3"], "INV-000005 has no line 3", id="a strange line"
    ),
    pytest.param(
        ["INV-000002", "--amount", "1.00", "--rebill"],
        "--rebill goes with taking back the whole line; £1.00 would leave £549.00",
        id="a part is not billed again",
    ),
    pytest.param(
        ["INV-000002", "--amount", "1.005"], "--amount 1.005 is no amount",
        id="less than a penny",
    ),
    pytest.param(
        ["INV-000002", "--amount", "0.00"], "--amount 0.00 is no amount", id="nothing"
    ),
    pytest.param(
        ["CRN-000001"], "CRN-000001 is a credit note itself", id="a credit of a credit"
    ),
    pytest.param(
        ["INV-000002", "--by", "nobody"], "nobody is not an active user", id="by nobody"
    ),
    pytest.param(["INV-000002", "--reason", " "], "--reason is blank", id="no reason"),
    pytest.param(
        ["INV-000002", "--on", "2026-03-20"],
        "2026-03-20 lies in a month that is closed, 2026-03 or one before it; a credit"
        " note belongs to the month it is made in",
        id="a day of a closed month",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("words", "said"), REFUSED)
def test_no_credit_note_for(folder: Path, words: list[str], said: str) -> None:
    refused = _credit(folder, *words, today=APRIL)
    assert refused.code == 2
    assert said in " ".join(refused.err.split())


OPEN = [
    pytest.param("2026-03", "mm", "2026-03 was closed already, on 2026-04-02 by mm", id="twice"),
    pytest.param("2026-02", "mm", "2026-02 lies before 2026-03, which is closed", id="late"),
    pytest.param("2026-04", "mm", "2026-04 is not over: today is 2026-04-02", id="early"),
    pytest.param("2026-13", "mm", "2026-13 is not a month", id="no month"),
    pytest.param("2026-04", "dd", "may Edit Settings\n", id="by the desk"),
    pytest.param("2026-04", "nobody", "may Edit Settings\n", id="by nobody known"),
]  # fmt: skip


@pytest.mark.parametrize(("month", "by", "said"), OPEN)
def test_a_month_is_not_closed(folder: Path, month: str, by: str, said: str) -> None:
    refused = run("close", folder, month, "--by", by, today=APRIL)
    assert refused.code == 2
    assert said in refused.err


def test_months_are_closed_in_order(folder: Path) -> None:
    late = run("close", folder, "2026-05", "--by", "mm", today="2026-06-01")
    assert "months are closed in order: 2026-04 is open" in late.err


def test_a_closed_month_stays_as_it_was_sealed(
    folder: Path, story: dict[str, Any]
) -> None:
    """Whatever came after, and though an invoice was noted late as sent in it."""
    said = "2026-03 is closed: 6 invoices, 5 credit notes, net"
    assert story["closed"].out.startswith(said)
    register = folder / "out/registers/2026-03.xlsx"
    assert files(register.parent)[register.name] == story["sealed"]
    late = practice.invoices(folder)[2]
    assert (late["number"], late["sent_on"]) == ("INV-000003", "2026-03-31")
    register.unlink()
    assert run("rebuild", folder).code == 0
    assert files(register.parent)[register.name] == story["sealed"]
    proved = run("verify", folder, "--deep")
    assert proved.code == 0, proved.out


def test_lost_credit_notes_and_what_was_billed_again_are_entered_again(
    folder: Path, story: dict[str, Any], tmp_path: Path
) -> None:
    lost = practice.copied(folder, tmp_path / "clinic")
    done = run("restore", lost, story["before"], "--adopt")
    assert done.code == 0, done.err
    assert "2026-03 was closed after this copy was made and is open again" in done.err
    assert "CRN-000009" in done.out, "and the one of nothing, that frees a line"
    assert _used(lost) == _used(folder)


def _used(folder: Path) -> dict[str, list[Any]]:
    path = str(folder / "ledger/membill.duckdb")
    with duckdb.connect(path, read_only=True) as ledger:
        return {
            table: ledger.execute(f"select * from {table} order by all").fetchall()
            for table in ALIKE
        }


def test_a_note_for_several_patients_names_none_of_them(
    folder: Path, story: dict[str, Any]
) -> None:
    assert "CRN-000008 takes back £120.02 of INV-000006" in story["told"][6]
    notes = {row["number"]: row for row in practice.invoices(folder)}
    named = [
        (notes[number]["patient_id"], notes[number]["bill_to"])
        for number in ("CRN-000007", "CRN-000008")
    ]
    assert named == [("P5", "BOLT"), ("", "BOLT")]


def test_what_was_freed_of_an_invoice_and_what_was_not_is_said(
    story: dict[str, Any],
) -> None:
    assert story["told"][6].endswith(
        "; nothing is left; the next night bills lines 2 and 3 again, if the sheets still"
        " ask for it; line 1, credited before without --rebill, stays credited: to free"
        " it, name it with --line\n"
    )
    assert story["told"][7].startswith(
        "CRN-000009 frees line 1 of INV-000006, credited before; nothing is left; the"
        " next night bills it again"
    )


# The rules alone.

FREED = [
    pytest.param("2026-01-01", ["2026-01-01"], id="from the same day on"),
    pytest.param("2026-01-15", ["2026-01-15"], id="from another day of it"),
]


@pytest.mark.parametrize(("start", "billed"), FREED)
def test_a_freed_period_is_due_however_old(start: str, billed: list[str]) -> None:
    patient = {"start_date": start, "end_date": "2026-01-31"}
    rows = {
        "patients": [patient], "billed": [("P1", "2026-01-01", "2026-01-31")],
        "as_of": "2026-06-01", "practice": {"bill_from": date(2026, 1, 1)},
    }  # fmt: skip
    with given.kept_ledger() as books:
        books.connection.execute(
            "insert into ledger.released_periods values ('p1', '2026-01-01', 1,"
            " 'CRN-000001', 1);"
            "insert into ledger.invoices (number, kind, sequence, run_no, issued_on,"
            " due_on, membership, bill_to_name, currency, net, tax, gross)"
            " values ('CRN-000001', 'credit_note', 1, 1, '2026-02-01', '2026-02-01',"
            " true, '', 'GBP', -50, 0, -50)"
        )
        given.work_out(books, rows)
        found = given.read(books, "model.due_periods", "period_start, reason")
        assert found == [(day, None) for day in billed]
        names = "period_generation, replaces_number, replaces_line"
        generation = 2 if start == "2026-01-01" else 1
        assert given.read(books, "model.new_lines", names) == [
            (generation, "BEFORE", 1)
        ]


def test_nothing_is_issued_in_a_closed_month() -> None:
    with given.kept_ledger() as books:
        books.connection.execute(
            "insert into ledger.closed_months values ('2026-01', '2026-02-03', 'mm', 0, 0,"
            " 0, 0, 0, 'x', 1)"
        )
        given.work_out(books, {"patients": [{}], "as_of": "2026-01-31"})
        assert given.read(books, "model.new_invoices", "issued_on") == ["2026-02-01"]


PENCE = st.integers(1, 200_000).map(lambda pence: Decimal(pence) / 100)
RATES = st.sampled_from([Decimal(rate) for rate in ("0", "5", "17.5", "20", "21.25")])


@settings(max_examples=150, deadline=None)
@supposing(PENCE, RATES, st.booleans(), st.lists(st.integers(0, 200_000), max_size=8))
def test_parts_never_come_to_more_and_together_are_the_line(
    price: Decimal, rate: Decimal, inclusive: bool, cuts: list[int]
) -> None:
    over = 100 + rate if inclusive else Decimal(100)
    tax = (price * rate / over).quantize(credits.PENNY, "ROUND_HALF_UP")
    net = price - tax if inclusive else price
    line = {"net": net, "tax": tax, "gross": net + tax, "tax_rate": rate}
    whole = int(line["gross"] * 100)
    marks = sorted({0, whole, *(cut % (whole + 1) for cut in cuts)})
    parts = [
        credits.part(line, Decimal(low) / 100, Decimal(high - low) / 100)
        for low, high in pairwise(marks)
    ]
    assert sum(part[0] for part in parts) == net
    assert sum(part[1] for part in parts) == tax
    assert all(part[0] >= 0 and part[1] >= 0 for part in parts)
    # The first is split as a line of its own would be.
    first = Decimal(marks[1]) / 100
    own = (first * rate / (100 + rate)).quantize(credits.PENNY, "ROUND_HALF_UP")
    assert parts[0][1] == own
