"""The forecast of three months is what the nights of three months then bill."""

from collections import Counter
from datetime import date
from typing import Any

import given
import pytest
from given import _issue, lay_out, ledger, work_out

from pipeline.office.forecast import Coming, Forecast, coming, until_of
from pipeline.record import _documents
from pipeline.transaction import count_numbers
from pipeline.transform import transform

AS_OF, UNTIL = date(2026, 1, 31), date(2026, 4, 30)
NONE = {"membership": None, "billing_frequency": None, "membership_active": False}


def _member(patient_id: str, start: str, **cells: Any) -> dict[str, Any]:
    return {"patient_id": patient_id, "start_date": start, **cells}


def _asked(name: str, patient: str, on: str, product: str = "GOLD") -> dict[str, Any]:
    monthly = {"billing_frequency": "Monthly"} if product == "GOLD" else {}
    return {
        "request_id": name, "patient_id": patient, "requested_on": on,
        "product_code": product, **monthly,
    }  # fmt: skip


def _agreed(price: str, start: str | None, end: str | None = None) -> dict[str, Any]:
    return {
        "contact_code": "TWICE" if (start or "") > "2026-03-09" else "ACME",
        "monthly_price": price, "valid_from": start, "valid_to": end,
    }  # fmt: skip


PRACTICE: dict[str, Any] = {
    "practice": {"catch_up_days": 30, "bill_from": date(2025, 11, 1)},
    "products": [*given.USUAL["products"], {"code": "SILVER", "monthly_price": "30.00"}],
    "price_changes": [
        {"product_code": "SILVER", "effective_from": "2026-03-01", "monthly_price": "33.00"},
        {"product_code": "CONSULT", "effective_from": "2026-02-10", "price": "95.00"},
    ],
    "contacts": [
        {"combine_invoices": True}, {"code": "TWICE", "name": "Twice Ltd"},
        {"code": "GONE", "name": "Gone Ltd", "active": False},
    ],
    "contract_prices": [
        _agreed("40.00", None, "2026-02-28"), _agreed("45.00", "2026-03-01", "2026-03-31"),
        _agreed("41.00", "2026-03-10"), _agreed("42.00", "2026-03-11", "2026-03-31"),
    ],
    "patients": [
        _member("P01", "2026-01-31"),
        _member("P02", "2025-02-14", billing_frequency="Annual"),
        _member("P03", "2026-01-05", end_date="2026-03-10"),
        _member("P04", "2026-01-20", bill_to="ACME"),
        _member("P05", "2026-01-20", bill_to="ACME"),
        _member("P06", "2026-01-15", bill_from="2026-03-01"),
        _member("P07", "2026-02-15", membership="SILVER"),
        _member("P08", "2025-12-01"),
        _member("P09", "2026-01-12", bill_to="TWICE"),
        _member("P10", "2026-01-12", membership_active=False),
        _member("P11", "2026-01-25"),
        {"patient_id": "P12", **NONE},
        _member("P13", "2026-02-20"),
        _member("P14", "2026-02-05"),
        _member("P15", "2026-02-01", bill_to="GONE"),
    ],
    "billed": [("P11", "2026-01-10", "2026-02-09")],
    "invoice_requests": [
        _asked("R1", "P01", "2026-01-30", "CONSULT"),
        _asked("R2", "P01", "2026-02-10", "CONSULT"),
        _asked("R3", "P12", "2026-02-12"),
        _asked("R4", "P13", "2026-02-12"),
        _asked("R5", "P14", "2026-02-12"),
        _asked("R6", "P12", "2026-03-11"),
        _asked("R7", "P12", "2026-03-12"),
        _asked("R8", "P12", "2026-05-01", "CONSULT"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def foreseen() -> Forecast:
    with ledger() as books:
        work_out(books, {**PRACTICE, "as_of": str(AS_OF)})
        return coming(books, AS_OF, UNTIL)


# Days on which something of this practice falls due, and two on which it is held.
DAYS = [
    date.fromisoformat(f"2026-{day}")
    for day in (
        "01-31 02-05 02-10 02-12 02-14 02-15 02-20 02-28 03-05 03-11 03-12 03-15 03-20"
        " 03-31 04-05 04-15 04-20 04-30"
    ).split()
]


@pytest.fixture(scope="module")
def nights() -> list[dict[str, Any]]:
    """What the nights of the three months bill, one after the other."""
    with ledger() as books:
        lay_out(books, PRACTICE)
        _issue(books, PRACTICE)
        for run_no, day in enumerate(DAYS, 1):
            books.connection.execute("update input.run set as_of = ?", [day])
            transform(books.connection, hold=())
            _documents(books, run_no)
            count_numbers(books, run_no)
        return books.rows(
            "select lines.*, issued_on from ledger.lines as lines"
            " inner join ledger.invoices as invoices using (number)"
        )


def _said(line: Coming) -> tuple[Any, ...]:
    return (
        line.billed_on, line.patient_id, line.product_code, line.period_start,
        line.period_end, line.quantity, line.unit_price, line.gross, line.price_source,
        line.request_id,
    )  # fmt: skip


def test_each_line_is_billed_on_its_night(
    foreseen: Forecast, nights: list[dict[str, Any]]
) -> None:
    names = (
        "issued_on patient_id product_code period_start period_end quantity unit_price"
        " gross price_source"
    ).split()
    billed = {(*(row[n] for n in names), row["request_id"] or "") for row in nights}
    assert {_said(line) for line in foreseen.lines} == billed
    assert len(foreseen.lines) == len(nights) > 25


def test_each_month_has_as_many_invoices(
    foreseen: Forecast, nights: list[dict[str, Any]]
) -> None:
    made = {(row["issued_on"].replace(day=1), row["number"]) for row in nights}
    seen = {(line.month, line.invoice) for line in foreseen.lines}
    assert Counter(month for month, _ in seen) == Counter(month for month, _ in made)


def test_what_is_held_is_listed_from_when_on_and_not_counted(
    foreseen: Forecast,
) -> None:
    found = {
        (left.request_id or left.patient_id): (
            str(left.since),
            left.reason,
            str(left.amount),
        )
        for left in foreseen.left
    }
    assert found == {
        "P08": ("2025-12-01", "too-old", "250.00"),
        "P09": ("2026-03-12", "two-contract-prices", "82.00"),
        "P11": ("2026-01-25", "overlaps-billed", "200.00"),
        "P13": ("2026-02-20", "overlaps-billed", "150.00"),
        "P15": ("2026-02-01", "payer-inactive", "150.00"),
        "R5": ("2026-02-12", "request-overlaps", "50.00"),
        "R6": ("2026-03-11", "request-overlaps", "50.00"),
    }


def test_the_months_have_no_gap(foreseen: Forecast) -> None:
    assert [month.month for month in foreseen.months] == [1, 2, 3, 4]
    assert until_of(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert until_of(date(2026, 12, 1), 12) == date(2027, 12, 31)
