"""Whole columns read in bulk mean what `cells.parse` says of each cell."""

from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as arrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cells import parse
from pipeline.cells.spelling import CellError, canonical, heading
from pipeline.cells.texts import LONGEST_CODE
from pipeline.ledger import opened
from pipeline.reading.column_cells import compared, filled, typed
from pipeline.reading.plain import plain
from schemas import INPUTS, Practice
from schemas.arrow_types import ARROW
from schemas.columns import KINDS, Column, columns

COLUMNS = [column for schema in (*INPUTS, Practice) for column in columns(schema)]
# One column for each way in which a kind's columns differ to `parse`.
DIFFERENT = list(
    {
        (c.kind, c.required, c.personal, c.warn_only, c.name == "date_of_birth",
         c.name == "end_date", tuple(c.choices)): c
        for c in COLUMNS
    }.values()
)  # fmt: skip

ORDINARY = (
    "Annabel", "O'Brien-Smith", "José Müller", "12 Upper Strand", "P0042", "0042",
    "GOLD", "INV-2026/0001", "ada.example@example.org", "a@b.c", "+44 (0)1632 960001",
    "01632 960001", "1632960001", "ZZ4 4AB", "zz44ab", "2026-03-04", "1984-02-29",
    "2023-02-29", "1899-12-31", "2100-01-01", "1E+12", "None", "n/a", "-", "#REF!", "=A1",
    "49.99", "Yes", "Monthly",
)  # fmt: skip
# Characters between which the rules of cells draw their lines.
ODD = " \u00a0\t\n\u200b\x00\ud800.-/#=+@'\"£%_(),:0159aEzÃéÀ×÷ÿ¡’–"


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A text as people type it, perhaps with something odd put in somewhere."""
    text = draw(st.sampled_from(ORDINARY) | st.text(ODD, max_size=9))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(ODD)) + text[at + draw(st.booleans()) :]
    return text


DAYS = st.dates(date(1890, 1, 1), date(2210, 1, 1))
MOMENTS = st.datetimes(datetime(1890, 1, 1), datetime(2210, 1, 1))
NUMBERS = st.sampled_from((0.0, -1.0, 1.5, 20.0, 45_000.0, 1e16, 0.1 + 0.2, 7.77))
RAW = st.one_of(
    st.none(), texts(), DAYS, DAYS.map(lambda day: datetime.combine(day, time())),
    MOMENTS, NUMBERS, st.integers(-3, 70_000), st.booleans(),
    st.just(time(9, 30)), st.just(CellError("#N/A")),
)  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def many() -> Iterator[None]:
    """Every column counts as one of many rows."""
    with patch("pipeline.reading.column_cells.FEW", -1):
        yield


def one_by_one(cells: list[Any], column: Column) -> tuple[list[Any], dict[int, Any]]:
    """The values and faults of a column, read without any haste."""
    read = [parse(cell, column) for cell in cells]
    faults = {at: found.fault for at, found in enumerate(read) if found.fault}
    return [found.value for found in read], faults


def in_bulk(cells: Any, column: Column) -> tuple[list[Any], dict[int, Any]]:
    values, faults = typed(cells, column)
    assert values.type == ARROW[column.type]
    return values.to_pylist(), faults


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | values, min_size=1, max_size=12)


@settings(max_examples=50)
@given(some(RAW) | some(texts()))
def test_mixed_cells_mean_what_each_means(cells: list[Any]) -> None:
    for column in DIFFERENT:
        assert in_bulk(cells, column) == one_by_one(cells, column)


@settings(max_examples=50)
@given(
    some(texts().filter(str.isprintable)).map(lambda c: arrow.array(c, arrow.string()))
    | some(MOMENTS).map(lambda c: arrow.array(c, arrow.timestamp("us")))
    | some(DAYS).map(lambda c: arrow.array(c, arrow.date32()))
    | some(DAYS).map(
        lambda c: arrow.array(c, arrow.date32()).cast(arrow.timestamp("ms"))
    )
    | some(NUMBERS).map(lambda c: arrow.array(c, arrow.float64()))
    | some(st.integers(-3, 70_000)).map(lambda c: arrow.array(c, arrow.int64()))
    | some(st.booleans()).map(lambda c: arrow.array(c, arrow.bool_()))
)
def test_arrays_mean_what_their_values_mean(cells: arrow.Array) -> None:
    for column in DIFFERENT:
        assert in_bulk(cells, column) == one_by_one(cells.to_pylist(), column)


@settings(max_examples=50)
@given(some(texts().filter(str.isprintable)))
def test_a_plain_text_means_itself(cells: list[str | None]) -> None:
    """In every column of its kind, also where `typed` would have asked `parse`."""
    array = arrow.array(cells, arrow.string())
    for column in DIFFERENT:
        for cell, found in zip(
            cells, plain(array, column.kind).to_pylist(), strict=True
        ):
            if found and cell is not None:
                value = date.fromisoformat(cell) if column.kind == "date" else cell
                assert parse(cell, column) == type(parse("", column))(value)


PLAIN = {
    "text": ["Annabel", "Quillfeather", "José Müller", "12 Upper Strand, Flat 3"],
    "code": ["P0042", "INV-2026/0001", "GOLD PLUS", "a" * LONGEST_CODE],
    "email": ["ada.example@example.org", "a+b@x-y.example"],
    "phone": ["01632 960001", "+44 (0)1632 960001"],
    "postcode": ["ZZ4 4AB", "zz44ab"],
    "date": ["2026-03-04", "1984-12-28"],
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_usual_is_plain(kind: str) -> None:
    """Otherwise all would be right, and slow."""
    usual = PLAIN.get(kind, [])
    assert plain(arrow.array(usual, arrow.string()), kind).true_count == len(usual)


@pytest.mark.parametrize("kind", PLAIN)
def test_what_is_too_long_is_not_plain(kind: str) -> None:
    longest = {"code": LONGEST_CODE, "email": 254, "phone": 8000, "text": 8000}
    for letter in ("0", "a@example.org", "a"):
        cell = (letter + "0" * longest.get(kind, 40))[: longest.get(kind, 40) + 1]
        assert not plain(arrow.array([cell]), kind)[0].as_py()


@settings(max_examples=50)
@given(some(texts()))
def test_keys_and_blanks_are_known_in_bulk(cells: list[str | None]) -> None:
    shown = [cell is not None and bool(canonical(cell)) for cell in cells]
    assert filled(cells).to_pylist() == shown
    code = next(column for column in COLUMNS if column.kind == "code")
    text = next(column for column in COLUMNS if column.kind == "text")
    codes, _ = typed(cells, code)
    assert compared(codes, code).to_pylist() == [
        None if value is None else canonical(value) for value in codes.to_pylist()
    ]
    words, _ = typed(cells, text)
    assert compared(words, text).to_pylist() == [
        None if value is None else heading(value) for value in words.to_pylist()
    ]


def test_the_rules_in_sql_compare_codes_as_cells_does(tmp_path: Path) -> None:
    """Every code of up to four of the characters that matter, and a blank one."""
    spelled = [
        "".join(code) for n in range(1, 5) for code in product("0 7aZ-", repeat=n)
    ]
    codes = [code for code in spelled if code.strip()]
    with opened(tmp_path / "none.duckdb", write=False) as ledger:
        keys = (
            "select canonical(code) as key from (select unnest(?::varchar[]) as code)"
        )
        found = [row["key"] for row in ledger.rows(keys, [[*codes, None]])]
    assert found == [*map(canonical, codes), None]
