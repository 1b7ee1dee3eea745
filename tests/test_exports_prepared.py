"""An invoice filled into a prepared workbook is the one that XlsxWriter makes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from pipeline.bookkeeping.books import Document
from pipeline.exports import invoice, prepared
from pipeline.exports.exact_text import Unwritable
from pipeline.exports.prepared import Said, filled, printed
from tests.test_exports_invoice import (
    ALL,
    CONTACT,
    CREDIT,
    LETTERHEAD,
    MIXED,
    PATIENT,
    document,
    line,
    taxed,
)

TEXTS = some.text(
    some.characters(blacklist_categories=["Cs", "Cc", "Cn"]) | some.sampled_from("&<>\"'\n_x"),
    min_size=1,
    max_size=40,
)  # fmt: skip
ODD = ["_x0041_", "<r>a</r>", " before", "after ", "a\n", "\ue0000", "\ue000title"]


@pytest.fixture(autouse=True)
def nothing_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "_prepared", {})


def both(made: Document) -> tuple[bytes | None, bytes]:
    """What is filled in, if it is, and what XlsxWriter makes of the same page."""
    face = invoice.drawn(made)
    said = Said.of(made, face.page.title)
    return filled(face, said), printed(face, said)


def varied(text: str) -> Iterator[Document]:
    """Invoices and a credit note that say a text wherever they can."""
    every = replace(
        LETTERHEAD, practice_name=text, invoice_footer=text, bank_details=text
    )
    yield document(
        line(description=text), taxed(2, tax_name=text),
        bill_to_name=text, address=(text, text), accounts_reference=text,
    )  # fmt: skip
    yield replace(CONTACT, bill_to_name=text, letterhead=every)
    yield replace(CREDIT, reason=text, patient_name=text)


@pytest.mark.parametrize("made", ALL.values(), ids=ALL.keys())
def test_every_kind_of_page_is_filled_in(made: Document) -> None:
    alike = replace(
        made, number="ZZ-999999", issued_on=date(2031, 12, 9), sha256="cd" * 32,
        gross=made.gross + Decimal("3.30"), run_id="2031-12-09-b",
    )  # fmt: skip
    for each in (made, alike):
        quick, slow = both(each)
        assert quick == slow
    assert len(prepared._prepared) == 1


@given(text=TEXTS)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_whatever_it_says_the_bytes_are_the_same(text: str) -> None:
    for made in varied(text):
        try:
            quick, slow = both(made)
        except Unwritable:
            with pytest.raises(Unwritable):
                invoice.render(made)
            continue
        assert quick in (slow, None)
        assert invoice.render(made) == slow


@pytest.mark.parametrize("text", ODD)
def test_what_xlsxwriter_writes_in_its_own_way_is_left_to_it(text: str) -> None:
    for made in varied(text):
        assert invoice.render(made) == both(made)[1]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"number": "_x0041_-000001"}, id="a number like an escape"),
        pytest.param({"number": "Ä-000001"}, id="a number that is not plain"),
        pytest.param({"run_id": "r" * 256}, id="a property too long"),
        pytest.param({"issued_on": date(1900, 2, 1)}, id="a day before the calendar"),
    ],
)
@pytest.mark.filterwarnings("ignore:Length of 'value'")
def test_what_is_not_plainly_alike_is_not_filled_in(changes: dict[str, object]) -> None:
    quick, slow = both(replace(PATIENT, **changes))  # type: ignore[arg-type]
    assert quick is None
    assert invoice.render(replace(PATIENT, **changes)) == slow  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["\ue000title", "1999-12-31T", "\ue000no"])
def test_a_practice_may_be_called_like_a_mark(name: str) -> None:
    made = replace(PATIENT, letterhead=replace(LETTERHEAD, practice_name=name))
    quick, slow = both(made)
    assert quick is None
    assert invoice.render(made) == slow


def test_equal_texts_are_kept_once_whichever_they_are() -> None:
    same = replace(
        PATIENT, bill_to_name="Whitby", address=("Whitby", "Whitby", "Whitby")
    )
    for made in (PATIENT, same, PATIENT):
        quick, slow = both(made)
        assert quick == slow


def test_only_so_many_kinds_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "_KEPT", 2)
    for made in (PATIENT, MIXED, CREDIT, CONTACT, PATIENT):
        quick, slow = both(made)
        assert quick == slow
        assert len(prepared._prepared) <= 2
