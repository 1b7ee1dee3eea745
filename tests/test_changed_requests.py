"""A request that was billed and whose row then changes: what is told, and what is not."""

from datetime import date
from pathlib import Path

import practice
import pytest
from practice import Row, bill, member

from pipeline.ledger import ledger_path, opened
from pipeline.prepare import prepare

FIRST, SECOND = "2026-03-01", "2026-03-02"
CONSULT = {
    "Patient ID": "00123", "Product code": "CONSULT", "Quantity": "2",
    "Billing frequency": "", "Bill to": "ACME", "Requested on": FIRST,
    "Requested by": "dd",
}  # fmt: skip
YEAR = {
    **CONSULT,
    "Product code": "GOLD",
    "Quantity": "",
    "Billing frequency": "Annual",
}

# What was asked for, what its row says by the second night, and which change is told.
CHANGES: dict[str, tuple[Row, Row, str]] = {
    "nothing": (CONSULT, {}, ""),
    "zeros that Excel drops": (CONSULT, {"Patient ID": "123"}, ""),
    "case and spaces of codes": (
        CONSULT, {"Product code": "Consult", "Bill to": "acme "}, "",
    ),
    "a blank Quantity for 1": (CONSULT | {"Quantity": "1"}, {"Quantity": ""}, ""),
    "a frequency where there is none": (CONSULT, {"Billing frequency": "Annual"}, ""),
    "a day that the ledger does not keep": (CONSULT, {"Requested on": SECOND}, ""),
    "who asked": (CONSULT, {"Requested by": "mm"}, ""),
    "another patient": (CONSULT, {"Patient ID": "P9"}, "Patient ID"),
    "nobody's id": (CONSULT, {"Patient ID": "P404"}, "Patient ID"),
    "another product": (CONSULT, {"Product code": "SILVER"}, "Product code"),
    "another quantity": (CONSULT, {"Quantity": "3"}, "Quantity"),
    "another payer": (CONSULT, {"Bill to": "BOLT"}, "Bill to"),
    "the patient pays": (CONSULT, {"Bill to": ""}, "Bill to"),
    "a payer for the patient": (CONSULT | {"Bill to": ""}, {"Bill to": "BOLT"}, "Bill to"),
    "another frequency": (YEAR, {"Billing frequency": "Monthly"}, "Billing frequency"),
    "another first day": (
        YEAR | {"Patient ID": "P9"}, {"Requested on": SECOND}, "Requested on",
    ),
    "several": (CONSULT, {"Quantity": "", "Bill to": "BOLT"}, "Quantity, Bill to"),
}  # fmt: skip
NAMES = {f"R{at}": name for at, name in enumerate(CHANGES, 1)}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What is found of each request after a night that billed them all, by its name."""
    given = practice.sheets()
    given["contacts"] = [
        {"Code": code, "Name": name}
        for code, name in (("ACME", "Acme"), ("BOLT", "Bolt"))
    ]
    given["patients"] += [
        member(name, membership_active="No") for name in ("00123", "P9")
    ]
    asked = {name: CHANGES[NAMES[name]] for name in NAMES}
    given["invoice_requests"] = [
        {"Request ID": name, **row} for name, (row, _, _) in asked.items()
    ]
    folder = practice.make(tmp_path_factory.mktemp("requests") / "clinic", given)
    assert bill(folder, FIRST).code == 0
    practice.write(
        folder,
        "invoice_requests",
        [{"Request ID": name, **row, **now} for name, (row, now, _) in asked.items()],
    )
    practice.change(folder, "patients", "00123", {"Patient ID": "123"})
    cells = {"Code": "consult", "Last edited by": "mm"}
    practice.change(folder, "products", "CONSULT", cells)
    return _changed(folder)


def _changed(folder: Path) -> dict[str, str]:
    day = date.fromisoformat(SECOND)
    with opened(ledger_path(folder), write=False) as books:
        problems = prepare(books, folder, day, lambda zone: day).problems
    found = [each for each in problems if each.code == "request-changed"]
    return {NAMES[each.subject]: each.found for each in found}


@pytest.mark.parametrize("name", CHANGES)
def test_of_a_billed_request_it_is_told(name: str, told: dict[str, str]) -> None:
    what = CHANGES[name][2]
    assert (f" something else ({what}), " in told.get(name, "")) == bool(what)
    assert (name in told) == bool(what)
