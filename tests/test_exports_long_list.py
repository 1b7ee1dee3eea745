"""The rows of a long list are, byte for byte, those that XlsxWriter makes of them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from pipeline.exports import lists
from pipeline.exports.exact_text import Unwritable
from pipeline.exports.lists import Column, Listing, write_list
from pipeline.exports.workbook import Link, Percent, Value, new_book

COLUMNS = [
    Column("Number", 15),
    Column("Name", 12),
    Column("Issued", 13),
    Column("Lines", 8, figures=True),
    Column("Rate", 9, figures=True),
    Column("Gross (£)", 13, total=True),
    Column("State", 9),
]
DAYS = [date(2026, 3, 1), date(1900, 3, 1), date(9999, 12, 31), None]
AMOUNTS = [
    Decimal("0.00"),
    Decimal("-1234567.89"),
    Decimal("0.1"),
    Decimal("12345678901.25"),
]
RATES = [Percent(Decimal("20.00")), Percent(Decimal("17.5")), Percent(Decimal("20"))]
TEXTS = [
    "", "Robin", "=1+1", "0042", "a < b & \"c\"", " before", "after ", "two\nlines", "é日",
    "_x0041_", "<r>a</r>", "a very long name that takes more than one line of its cell",
    "Robin", "x" * 2_000,
]  # fmt: skip


def row(at: int) -> list[Value]:
    number = f"INV-{at:06d}"
    return [
        Link(f"invoices/{number}.xlsx", number) if at % 3 else number,
        TEXTS[at % len(TEXTS)],
        DAYS[at % len(DAYS)],
        at if at % 4 else None,
        RATES[at % len(RATES)],
        AMOUNTS[at % len(AMOUNTS)],
        "Yes" if at % 2 else "No",
    ]


def made(
    monkeypatch: pytest.MonkeyPatch, many: int, rows: Sequence[list[Value]]
) -> bytes:
    """A workbook of two lists, one of them filtered, and a short one after them."""
    monkeypatch.setattr(lists, "MANY", many)
    book = new_book(title="t", subject="s", practice="p", made_on=date(2026, 3, 1))
    for name, only in (("All", None), ("Some", {"State": "Yes"}), ("Few", None)):
        given = rows[:2] if name == "Few" else rows
        write_list(book, Listing(name, name, "note", COLUMNS, given, only))
    return book.finish()


@pytest.mark.parametrize("count", [3, 200])
def test_the_bytes_are_the_same(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    rows = [row(at) for at in range(count)]
    assert made(monkeypatch, 3, rows) == made(monkeypatch, 1_000, rows)


@pytest.mark.parametrize(
    ("at", "value", "fault"),
    [
        pytest.param(1, "a\x00b", Unwritable, id="text that would be damaged"),
        pytest.param(5, Decimal("NaN"), ValueError, id="an amount that is no number"),
    ],
)
def test_what_cannot_be_written_is_refused(
    monkeypatch: pytest.MonkeyPatch, at: int, value: Value, fault: type[Exception]
) -> None:
    rows = [row(each) for each in range(5)]
    rows[3][at] = value
    with pytest.raises(fault):
        made(monkeypatch, 3, rows)
