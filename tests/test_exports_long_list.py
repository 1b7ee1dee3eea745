"""A long list is, byte for byte, what XlsxWriter makes of it; packed a little less."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from zipfile import ZipFile

import pytest
from xlsxwriter import Workbook

from pipeline.exports import lists, workbook
from pipeline.exports.exact_text import Unwritable
from pipeline.exports.lists import Column, Listing, filled, write_list
from pipeline.exports.workbook import Link, Percent, Value, new_book

COLUMNS = [
    Column("Number", 15),
    Column("Name", 12),
    Column("Issued", 13),
    Column("Lines", 8, figures=True),
    Column("Rate", 9, figures=True),
    Column("Gross (£)", 13, total=True),
    Column("State", 9),
    Column("Mixed", 9, figures=True),
    Column("Blank", 9),
    Column("Nothing", 9),
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


FOLDERS = ["invoices", "a b/#1", "C:"]


def row(at: int, folders: int = 1) -> list[Value]:
    number = f"INV-{at:06d}"
    link = Link(f"{FOLDERS[at % folders]}/{number}.xlsx", number)
    return [
        link if at % 3 or folders > 1 else number,
        TEXTS[at % len(TEXTS)],
        DAYS[at % len(DAYS)],
        at if at % 4 else None,
        RATES[at % len(RATES)],
        AMOUNTS[at % len(AMOUNTS)],
        "Yes" if at % 2 else "No",
        # Equal, and shown in two ways.
        Decimal(1) if at % 2 else 1,
        "",
        None if at % 2 else "",
    ]


def made(
    monkeypatch: pytest.MonkeyPatch,
    many: int,
    rows: Sequence[list[Value]],
    kind: type[Workbook] = workbook.ListWorkbook,
) -> bytes:
    """A workbook of two lists, one of them filtered, and a short one after them."""
    monkeypatch.setattr(lists, "MANY", many)
    with monkeypatch.context() as patch:
        patch.setattr(workbook, "ListWorkbook", kind)
        book = new_book(title="t", subject="s", practice="p", made_on=date(2026, 3, 1))
    for name, only in (("All", None), ("Some", {"State": "Yes"}), ("Few", None)):
        given = rows[:2] if name == "Few" else rows
        write_list(book, Listing(name, name, "note", filled(COLUMNS, given), only))
    return book.finish()


def unpacked(content: bytes) -> list[tuple[object, ...]]:
    """All that a workbook is but how it is packed."""
    with ZipFile(BytesIO(content)) as file:
        return [
            (part.filename, part.date_time, part.external_attr, file.read(part))
            for part in file.infolist()
        ]


@pytest.mark.parametrize("folders", [1, 3])
@pytest.mark.parametrize("count", [3, 200])
def test_the_bytes_of_its_parts_are_the_same(
    monkeypatch: pytest.MonkeyPatch, count: int, folders: int
) -> None:
    rows = [row(at, folders) for at in range(count)]
    long = made(monkeypatch, 3, rows)
    assert unpacked(long) == unpacked(made(monkeypatch, 1_000, rows, Workbook))


def test_a_workbook_of_short_lists_is_the_same_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its parts go into the file one after another, and not at the end together."""
    rows = [row(at) for at in range(400)]
    assert made(monkeypatch, 1_000, rows) == made(monkeypatch, 1_000, rows, Workbook)


def test_a_long_list_begins_with_any_of_its_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Formats and strings are numbered in the order in which they come."""
    for first in range(14):
        rows = [row(at) for at in range(first, first + 30)]
        long = made(monkeypatch, 3, rows)
        assert unpacked(long) == unpacked(made(monkeypatch, 1_000, rows, Workbook))


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
