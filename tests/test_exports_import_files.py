"""Import files: what a package makes of them, what they hold, where they are split."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pipeline.bookkeeping.books import Document, Letterhead, Line
from pipeline.bookkeeping.journal import journal
from pipeline.choices import PACKAGES
from pipeline.exports.import_fields import payer_of
from pipeline.exports.import_files import (
    Item,
    Taken,
    as_csv,
    filed,
    items_of,
    of_postings,
    shared_accounts,
)
from pipeline.exports.layouts import Column, Layout, layout_of
from tests import emulated
from tests.emulated import rows
from tests.issued import in_a_month

NOWHERE = Path(__file__).parent / "no practice"
RATES = {"STD": 20, "RED": 5, "ZERO": 0, "EXEMPT": 0}
LAYOUTS = {target: layout_of(target, NOWHERE) for target in PACKAGES}
DAY = date(2026, 3, 31)


def line(at: int = 1, **values: Any) -> Line:
    """One month of GOLD at 50.00, exempt, unless a test says otherwise."""
    plain: dict[str, Any] = {
        "line": at, "patient_id": f"P{at}", "patient_name": "Annabel Quillfeather",
        "product_code": "GOLD", "description": "Gold membership", "healthcode_code": "",
        "income_account": "4000", "membership": True, "frequency": "Monthly",
        "period_start": date(2026, 3, 1), "period_end": DAY, "quantity": 1,
        "unit_price": Decimal("50.00"), "tax_code": "EXEMPT", "tax_name": "Exempt",
        "tax_rate": Decimal("0.00"), "net": Decimal("50.00"), "tax": Decimal("0.00"),
        "gross": Decimal("50.00"), "price_source": "products row 2",
    }  # fmt: skip
    return Line(**{**plain, **values})


def document(*lines: Line, at: int = 1, **values: Any) -> Document:
    """An invoice to P1 with these lines."""
    kind = values.get("kind", "invoice")
    plain: dict[str, Any] = {
        "number": f"{'INV' if kind == 'invoice' else 'CRN'}-{at:06d}", "kind": kind,
        "run_id": "2026-03-31-01", "issued_on": DAY, "due_on": DAY + timedelta(14),
        "membership": True, "patient_id": "P1", "patient_name": "Annabel Quillfeather",
        "bill_to": "", "bill_to_name": "Annabel Quillfeather", "email": "", "address": (),
        "accounts_reference": "", "currency": "GBP", "net": sum(x.net for x in lines),
        "tax": sum(x.tax for x in lines), "gross": sum(x.gross for x in lines),
        "credits_number": "", "credits_issued_on": None, "reason": "", "sha256": "",
        "letterhead": Letterhead("Harbour Lane", vat_registered=True), "lines": lines,
        "sequence": at,
    }  # fmt: skip
    return Document(**{**plain, **values})


def taken_of(
    documents: list[Document], layout: Layout, credit_notes: bool = True
) -> Taken:
    """Documents as a package takes them: as themselves, or as journals."""
    if layout.of == "postings":
        return of_postings(journal(in_a_month(documents)[1], (), {}, "2026-03"), layout)
    return items_of(documents, layout, credit_notes=credit_notes)


def files(
    documents: list[Document], layout: Layout, credit_notes: bool = True
) -> dict[str, bytes]:
    """The files of a batch by the ending of their names."""
    taken = taken_of(documents, layout, credit_notes)
    assert not taken.unmapped
    fit = [item for item in taken.items if not item.unfit]
    return {
        ending: as_csv(layout, [row for item in items for row in item.rows])
        for ending, items in filed(fit, layout)
    }


# What the packages' own arithmetic makes of them


def _penny(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@some.composite
def priced(draw: some.DrawFn, inclusive: bool, sign: int) -> Line:
    """A line as the rules work it out, or any part of one taken back."""
    quantity = draw(some.integers(1, 9))
    unit = Decimal(draw(some.integers(1, 999_999))) / 100
    code = draw(some.sampled_from(sorted(RATES)))
    rate = Decimal(RATES[code])
    amount = quantity * unit
    if sign < 0 and draw(some.booleans()):
        amount = Decimal(draw(some.integers(1, int(amount * 100)))) / 100
    tax = _penny(amount * rate / (100 + rate if inclusive else 100))
    net = amount - tax if inclusive else amount
    return line(
        quantity=quantity, unit_price=unit, tax_code=code, tax_rate=rate,
        net=sign * net, tax=sign * tax, gross=sign * (net + tax),
    )  # fmt: skip


@some.composite
def ledgers(draw: some.DrawFn) -> list[Document]:
    """Invoices and credit notes, with prices that include the tax and prices that do not."""
    made = []
    for at in range(1, draw(some.integers(1, 6)) + 1):
        kind = draw(some.sampled_from(["invoice", "credit_note"]))
        inclusive = draw(some.booleans())
        head = Letterhead("x", vat_registered=True, prices_include_tax=inclusive)
        each = priced(inclusive, 1 if kind == "invoice" else -1)
        lines = draw(some.lists(each, min_size=1, max_size=4))
        made.append(document(*lines, at=at, kind=kind, letterhead=head))
    return made


def _totals(documents: list[Document]) -> emulated.Totals:
    return {d.number: (d.net, d.tax, d.gross) for d in documents}


@given(ledgers())
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
def test_every_package_works_out_the_ledgers_totals(documents: list[Document]) -> None:
    invoices = [d for d in documents if d.kind == "invoice"]
    found = {target: files(documents, LAYOUTS[target]) for target in PACKAGES}
    for target, own in (("xero", documents), ("quickbooks", invoices)):
        for own_tax in (True, False):
            made: emulated.Totals = {}
            for ending, content in found[target].items():
                inclusive = "tax-inclusive" in ending
                sums = emulated.invoices(content, inclusive=inclusive, own_tax=own_tax)
                sign = -1 if "credit-notes" in ending else 1
                for number, (net, tax, gross) in sums.items():
                    made[number] = (net * sign, tax * sign, gross * sign)
            assert made == _totals(own), (target, own_tax)
    assert emulated.sage50(found["sage50"][""]) == _totals(documents)
    assert emulated.sage_accounting(found["sage-accounting"][""]) == _totals(documents)
    if invoices:
        assert emulated.quickfile(found["quickfile"][""]) == _totals(invoices)
    journals = found["xero-journal"][""]
    assert emulated.journals(journals, debtors="1100", tax="2200") == _totals(documents)


# What they hold


def only(target: str, *documents: Document) -> dict[str, str]:
    """The single row of a file with one document."""
    (content,) = files(list(documents), LAYOUTS[target]).values()
    (row,) = rows(content)
    return row


def test_a_price_that_does_not_multiply_to_the_amount_goes_as_one_at_that_amount() -> (
    None
):
    part = line(quantity=3, net=Decimal("-20.00"), gross=Decimal("-20.00"))
    row = only("xero", document(part, kind="credit_note"))
    assert (row["*Quantity"], row["*UnitAmount"]) == ("1", "20.00")


def test_two_patients_of_one_name_are_two_customers() -> None:
    second = document(line(), at=2, patient_id="P2")
    (content,) = files([document(line()), second], LAYOUTS["xero"]).values()
    names = [row["*ContactName"] for row in rows(content)]
    assert names == ["Annabel Quillfeather (P1)", "Annabel Quillfeather (P2)"]


def test_a_contact_is_known_by_its_accounts_reference() -> None:
    to = {"bill_to": "ACME", "bill_to_name": "Acme Ltd", "patient_id": ""}
    acme = document(line(), accounts_reference="ACME01", **to)
    assert only("sage50", acme)["Account Reference"] == "ACME01"
    assert only("sage50", document(line(), **to))["Account Reference"] == "ACME"
    assert only("sage50", document(line()))["Account Reference"] == "P1"


def test_a_line_among_other_peoples_is_told_by_its_patient_id_alone() -> None:
    shared = document(line(), bill_to="ACME", bill_to_name="Acme", patient_id="")
    row = only("xero", shared)
    assert row["*Description"] == "Gold membership, P1, 01/03/2026 to 31/03/2026"
    assert "Quillfeather" not in str(row)


def test_a_practice_that_is_not_registered_makes_supplies_outside_the_tax() -> None:
    plain = document(line(), letterhead=Letterhead("x"))
    found = {
        target: only(target, plain) for target in PACKAGES if "journal" not in target
    }
    assert found["xero"]["*TaxType"] == "No VAT"
    assert found["sage50"]["Tax Code"] == "T9"
    assert found["sage-accounting"]["VAT Rate"] == "No VAT"
    assert found["quickbooks"]["*Item Tax Code"] == "No VAT"
    assert found["quickfile"]["VAT rate"] == "0"


def test_a_line_break_in_a_text_does_not_end_the_row() -> None:
    row = only("xero", document(line(description="Gold\nmembership\t+")))
    assert row["*Description"].startswith("Gold membership +, ")


def test_text_that_a_spreadsheet_would_run_is_left_as_it_is() -> None:
    """A file for machines: an apostrophe would become part of the customer's name."""
    row = only("xero", document(line(), bill_to_name="=Cmd Ltd"))
    assert row["*ContactName"] == "=Cmd Ltd (P1)"


def test_long_details_are_cut_and_long_references_are_not() -> None:
    details = only("sage50", document(line(description="x" * 80)))["Details"]
    assert details == f"{'x' * 34}, 01/03/2026 to 31/03/2026", "the days stay"
    whole = document(
        line(description=f"{'x' * 32} {'y' * 40}"), patient_id="", bill_to="ACME"
    )
    details = only("sage50", whole)["Details"]
    assert details == f"{'x' * 30}, P1, 01/03/2026 to 31/03/2026", "and whose it is"
    (item,) = items_of(
        [document(line(), patient_id="P12345678")], LAYOUTS["sage50"], credit_notes=True
    ).items
    assert (item.unfit, item.by_hand) == (
        "Account Reference is longer than 8 characters",
        False,
    )


@pytest.mark.parametrize(
    ("target", "account", "unfit"),
    [
        ("sage-accounting", "4000", ""),
        (
            "sage-accounting",
            "SALES-A",
            "Ledger Account has other characters than digits",
        ),
        (
            "sage-accounting",
            "４０００",
            "Ledger Account has other characters than digits",
        ),
        ("quickfile", "4000", ""),
        ("quickfile", "400", "Sales nominal code is shorter than 4 characters"),
        ("quickfile", "40A0", "Sales nominal code has other characters than digits"),
        ("sage50", "SALES-A", ""),
    ],
)
def test_an_account_that_the_package_cannot_have_is_told_with_its_repair(
    target: str, account: str, unfit: str
) -> None:
    made = document(line(income_account=account))
    (item,) = items_of([made], LAYOUTS[target], credit_notes=True).items
    assert item.unfit == unfit + (
        f"; lead it to one that is right below [{target}.accounts]" if unfit else ""
    )


# Contact and patient of each document, the contact's reference, and who is told of.
SHARED = {
    "a reference that is a patient's id": (
        [("", "P1", ""), ("C2", "P9", "p1"), ("", "P3", "")],
        "p1 is the account of contact c2, patient p1",
    ),
    "a contact with the code of a patient": (
        [("", "P1", ""), ("P1", "P9", "")],
        "P1 is the account of contact p1, patient p1",
    ),
    "one payer in two spellings": ([("C2", "", ""), ("c2", "", "")], ""),
    "a contact for several patients": ([("C2", "P1", ""), ("C2", "P2", "")], ""),
}


@pytest.mark.parametrize("case", SHARED)
def test_payers_who_would_become_one_customer_are_told(case: str) -> None:
    payers, told = SHARED[case]
    made = [
        document(
            line(), at=at, bill_to=contact, patient_id=patient, accounts_reference=ours
        )
        for at, (contact, patient, ours) in enumerate(payers, 1)
    ]
    leaving = items_of(made, LAYOUTS["sage50"], credit_notes=True).items
    assert [said.partition(":")[0] for said in shared_accounts(leaving, [])] == (
        [told] if told else []
    )
    by_name = items_of(made, LAYOUTS["xero"], credit_notes=True).items
    assert shared_accounts(by_name, []) == []


def test_who_left_before_counts_under_the_account_he_had_last() -> None:
    leaving = items_of(
        [document(line(), patient_id="P1")], LAYOUTS["sage50"], credit_notes=True
    ).items
    before = payer_of("p1", "C2", "")
    (told,) = shared_accounts(leaving, [before])
    assert told.startswith("P1 is the account of contact c2, patient p1: they are one")
    assert not shared_accounts(leaving, [before, payer_of("C2", "C2", "")])
    assert not shared_accounts([], [before, payer_of("", "", "P1")]), "told once"


def test_a_rate_that_changed_has_a_name_for_each() -> None:
    own = replace(
        LAYOUTS["sage50"],
        tax_codes={"STD": (("T1", Decimal(20)), ("T8", Decimal("17.5")))},
    )
    both = [
        line(at, tax_code="STD", tax_rate=Decimal(rate))
        for at, rate in ((1, "17.5"), (2, "20.00"))
    ]
    content = files([document(*both)], own)[""]
    assert [row["Tax Code"] for row in rows(content)] == ["T8", "T1"]


def test_a_journal_tells_no_rate_to_choose_a_name_by() -> None:
    names = {"STD": (("T1", Decimal(20)), ("T8", Decimal("17.5")))}
    own = replace(
        LAYOUTS["xero-journal"],
        columns=(Column("Tax", field="tax_code"),),
        tax_codes=names | {"OUT": (("T9", None),)},
    )
    taxed = line(tax_code="STD", tax_rate=Decimal(20), tax=Decimal("10.00"),
                 gross=Decimal("60.00"))  # fmt: skip
    assert taken_of([document(taxed)], own).unmapped == (
        ("tax code STD has several names, and a journal tells no rate",
         "write one name for STD below [xero-journal.tax_codes]"),
    )  # fmt: skip


def test_a_blank_where_the_package_needs_something_is_not_sent() -> None:
    nobody = document(line(), patient_id="", bill_to="")
    (item,) = items_of([nobody], LAYOUTS["sage50"], credit_notes=True).items
    assert item.unfit == "Account Reference is blank"


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("xero", "credit notes leave with --credit-notes only"),
        ("quickbooks", "the import takes no credit notes; enter it by hand"),
        ("quickfile", "the import takes no credit notes; enter it by hand"),
    ],
)
def test_a_credit_note_that_the_import_does_not_take_stays_open(
    target: str, reason: str
) -> None:
    back = document(
        line(net=Decimal("-50.00"), gross=Decimal("-50.00")), kind="credit_note"
    )
    (item,) = items_of([back], LAYOUTS[target], credit_notes=False).items
    assert (item.unfit, item.by_hand, item.rows) == (reason, True, ())


# Codes that the package has no word for


@pytest.mark.parametrize(
    ("target", "values", "found"),
    [
        ("xero", {"tax_code": "NHS"}, "tax code NHS has no name in xero"),
        (
            "sage50",
            {"tax_code": "STD", "tax_rate": Decimal("17.5")},
            "tax code STD is 17.5 % here, and T1 stands for 20 %",
        ),
        (
            "quickfile",
            {"income_account": ""},
            "product GOLD has lines without an Income account",
        ),
        (
            "xero-journal",
            {"income_account": ""},
            "the journal has income without an Income account",
        ),
    ],
)
def test_a_code_without_a_word_in_the_package_is_named_once(
    target: str, values: dict[str, Any], found: str
) -> None:
    both = document(line(**values), line(2, **values))
    taken = taken_of([both], LAYOUTS[target])
    assert [said for said, _ in taken.unmapped] == [found]
    assert all(f"[{target}" in repair for _, repair in taken.unmapped)


def test_a_journal_goes_to_the_packages_accounts_for_ours() -> None:
    own = replace(
        LAYOUTS["xero-journal"], accounts={"1100": "611"}, income_account="200"
    )
    made = [line(income_account="", period_end=date(2027, 2, 28)), line(2)]
    content = files([document(*made)], own)[""]
    booked = {
        row["Description"]: (row["*AccountCode"], row["*Amount"])
        for row in rows(content)
    }
    assert booked == {
        "Debtors": ("611", "100.00"),
        "Deferred income EXEMPT": ("2110", "-50.00"),
        "Income EXEMPT": ("4000", "-50.00"),
    }
    (item,) = taken_of([document(line(income_account=""))], own).items
    assert item.rows[1][3] == "200"


# Where files are split


def item(number: int, size: int) -> Item:
    row = (f"{number}",) + ("",) * (len(LAYOUTS["xero"].columns) - 1)
    return Item(f"INV-{number:06d}", DAY, "", (row,) * size)


@given(
    some.lists(some.integers(1, 5), min_size=1, max_size=30),
    some.fixed_dictionaries(
        {},
        optional={
            "documents": some.integers(1, 6),
            "rows": some.integers(5, 12),
            "bytes": some.integers(700, 900),
        },
    ),
)
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
def test_files_keep_their_limits_and_no_document_is_in_two(
    sizes: list[int], limits: dict[str, int]
) -> None:
    layout = replace(LAYOUTS["xero"], limits=limits)
    items = [item(number, size) for number, size in enumerate(sizes)]
    made = list(filed(items, layout))
    assert [each for _, file in made for each in file] == items
    for _, file in made:
        cells = [row for each in file for row in each.rows]
        assert len(file) <= limits.get("documents", len(file))
        assert len(cells) <= limits.get("rows", len(cells))
        content = as_csv(layout, cells)
        assert len(content) <= limits.get("bytes", len(content))
    names = [""] if len(made) == 1 else [f"-{at}" for at in range(1, len(made) + 1)]
    assert [ending for ending, _ in made] == names


@pytest.mark.parametrize(
    ("target", "limits"),
    [
        ("xero", {"documents": 500}),
        ("xero-journal", {"rows": 300}),
        ("quickbooks", {"documents": 100, "rows": 1000}),
        ("sage50", {}),
        ("sage-accounting", {"bytes": 500_000}),
        ("quickfile", {"documents": 250}),
    ],
)
def test_the_limits_are_the_packages_own(target: str, limits: dict[str, int]) -> None:
    assert LAYOUTS[target].limits == limits


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"rows": 2}, "it has 3 rows, and a file takes 2"),
        ({"bytes": 500}, "it is larger than a file may be"),
    ],
)
def test_a_document_that_no_file_can_hold_stays_open(
    limits: dict[str, int], reason: str
) -> None:
    layout = replace(LAYOUTS["xero"], limits=limits)
    (found,) = items_of(
        [document(line(), line(2), line(3))], layout, credit_notes=True
    ).items
    assert found.unfit == reason
