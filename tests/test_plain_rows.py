"""Rows taken in bulk and rows walked one by one must come to the same, or be refused alike."""

import io
import re
from collections.abc import Callable
from dataclasses import replace

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import workbooks
from pipeline.reading import separated
from pipeline.reading.package import unpack
from pipeline.reading.preflight import Facts, inspect
from pipeline.reading.separated import Separated, read_separated
from pipeline.reading.sheets import Unusable
from tests.hostile.books import SHEET, Book, letter, sheet_xml

QUICKLY = settings(
    max_examples=75, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip

# Cells as they stand in a file: {r} is the address. Most are plain, some nearly so.
PLAIN = (
    '<c r="{r}"><v>12</v></c>', '<c r="{r}" s="1"><v>45000</v></c>',
    '<c r="{r}" t="s"><v>1</v></c>', '<c r="{r}" s="0" t="s"><v>3</v></c>',
    '<c r="{r}" t="inlineStr"><is><t>Ann</t></is></c>',
    '<c r="{r}" t="inlineStr"><is><t xml:space="preserve"> O\u2019Neill </t></is></c>',
    '<c r="{r}" t="str"><v>a &amp; b &lt;</v></c>', '<c r="{r}" t="b"><v>1</v></c>',
    '<c r="{r}" t="n"><v>-0.125</v></c>', '<c r="{r}" s="1"/>',
    '<c r="{r}"><v>1.5E-3</v></c>', '<c r="{r}" s="1"><v>45000.75</v></c>',
)  # fmt: skip
ODD = (
    '<c r="{r}" t="e"><v>#REF!</v></c>', '<c r="{r}"><f>1+1</f><v>2</v></c>',
    '<c r="{r}"><f>[1]A!A1</f></c>', '<c r="{r}" t="d"><v>2026-03-04</v></c>',
    '<c r="{r}" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r></is></c>',
    '<c r="{r}" t="inlineStr"><is><t>a</t><rPh><t>x</t></rPh></is></c>',
    '<c r="{r}" t="inlineStr"><is><t> a</t></is></c>', "<c><v>7</v></c>",
    '<c r="{r}" t="str"><v>_x0020_</v></c>', '<c r="{r}" t="str"><v>a_x000D_b</v></c>',
    '<c r="{r}" t="str"><v>a&#10;b</v></c>', '<c r="{r}" s="2"><v>5</v></c>',
    '<c t="s" r="{r}"><v>0</v></c>', "<c r='{r}'><v>9</v></c>", '<c r="{r}" ><v>8</v></c>',
    '<c r="{r}"><v></v></c>', '<c r="{r}"><v/></c>', '<c r="{r}" t="str"><v>  </v></c>',
    '<c r="{r}"><v>+5</v></c>', '<c r="{r}"><v> 5</v></c>', '<c r="{r}"><v>05</v></c>',
    '<c r="{r}"></c>', '<c r="{r}" t="str"><v>a>b</v></c>', '<c r="{r}" s="1"><v>60</v></c>',
    '<c r="{r}" s="1"><v>0.5</v></c>', '<c r="{r}" t="inlineStr"><is><t/></is></c>',
)  # fmt: skip
REFUSED = (
    '<c r="{r}" t="s"><v>999999</v></c>', '<c r="{r}" s="9"><v>1</v></c>',
    '<c r="{r}"><v>1</v><v>2</v></c>', '<c r="A1"><v>1</v></c>', "<c r=\"{r}\"><v>1</c>",
    '<c r="{r}"><v>1e999</v></c>', '<c r="{r}"><v>x</v></c>', '<c r="{r}" t="b"><v>2</v></c>',
    '<c r="{r}" t="str"><v>]]></v></c>', '<c r="{r}" t="str"><v>&x;</v></c>',
    '<c r="{r}" t="str"><v>\x01</v></c>', '<c r="{r}" t="z"><v>1</v></c>',
    '<c r="{r}" s="1"><v>-2000000000</v></c>', '<c r="{r}"><v><!-- 5 -->5</v></c>',
    '<c r="{r}" r="{r}"><v>1</v></c>', '<c r="{r}" t="s"><v>-1</v></c>',
)  # fmt: skip
# As LibreOffice writes every row.
OFFICE = (
    ' customFormat="false" ht="12.8" hidden="false" customHeight="false"'
    ' outlineLevel="0" collapsed="false"'
)  # fmt: skip
TAILS = (
    "", ' spans="1:4"', OFFICE, ' ht="15" customHeight="1"', ' hidden="1"', ' ht="0"',
    ' x:y="1"', ' spans="1:4" spans="1:4"', ' s="1" customFormat="1"', " ",
)  # fmt: skip


@st.composite
def sheets(draw: st.DrawFn) -> str:
    """Rows of a sheet, mostly plain; at times in no order, or with something between."""
    cells = st.one_of(
        *[st.sampled_from(PLAIN)] * 12, st.sampled_from(ODD), st.just(""),
    )  # fmt: skip
    harm = draw(st.sampled_from((None, None, *REFUSED)))
    rows, number = [], 0
    tail = st.one_of(*[st.sampled_from(TAILS[:4])] * 8, st.sampled_from(TAILS))
    count = draw(st.integers(1, 12))
    for index in range(count):
        number += draw(st.sampled_from((1,) * 12 + (2, 5)))
        listed = draw(st.lists(cells, min_size=1, max_size=5))
        if harm and index == count // 2:
            listed.append(harm)
        xml = "".join(
            cell.replace("{r}", f"{letter(at)}{number}")
            for at, cell in enumerate(listed)
        )
        space = draw(st.sampled_from(("",) * 12 + ("\n", "<!-- -->", "<x/>")))
        rows.append(f'{space}<row r="{number}"{draw(tail)}>{xml}</row>')
    if draw(st.integers(0, 15)) == 0:
        rows = draw(st.permutations(rows))
    return "".join(rows)


def both_ways(content: bytes) -> tuple[object, object]:
    """What a workbook comes to in bulk, and walked throughout."""
    return outcome(content, inspect), outcome(content, _walking)


def _walking(package: object, entry: object, *, walk_all: bool = False) -> Facts:
    return inspect(package, entry, walk_all=True)


def outcome(content: bytes, way: Callable[..., Facts]) -> object:
    """The facts and rows of the first sheet, or the words of its refusal."""
    package = unpack(content)
    kept, workbooks.inspect = workbooks.inspect, way
    try:
        grid = workbooks.grid_of("f", package, package.sheets[0])
    except Unusable as unusable:
        return unusable.code, unusable.found
    finally:
        workbooks.inspect = kept
    return replace(grid.facts), [[(type(c), c) for c in row] for row in grid.rows]


@QUICKLY
@given(sheets())
def test_a_sheet_comes_to_the_same_in_bulk_and_walked(rows: str) -> None:
    book = Book()
    book.parts[SHEET] = sheet_xml(rows)
    in_bulk, walked = both_ways(book.saved())
    assert in_bulk == walked


values = st.one_of(
    st.none(), st.integers(-(10**9), 10**9), st.booleans(),
    st.floats(-1e6, 1e6, allow_nan=False), st.dates(),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12)
    .filter(lambda text: not text.startswith(("=", "{", "http", "mailto", "ftp", "internal", "external"))),
)  # fmt: skip
tables = st.lists(st.lists(values, min_size=3, max_size=3), min_size=1, max_size=8)


@settings(QUICKLY, max_examples=20)
@given(tables, st.booleans())
def test_what_libraries_write_comes_to_the_same(
    rows: list[list[object]], in_memory: bool
) -> None:
    for write in (_by_openpyxl, lambda rows: _by_xlsxwriter(rows, in_memory)):
        in_bulk, walked = both_ways(write(rows))
        assert in_bulk == walked


def _by_openpyxl(rows: list[list[object]]) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(
            [re.sub(r"[\ufffe\uffff]", "", c) if isinstance(c, str) else c for c in row]
        )
    book.save(file)
    return file.getvalue()


def _by_xlsxwriter(rows: list[list[object]], in_memory: bool) -> bytes:
    file = io.BytesIO()
    options = {"constant_memory": in_memory, "default_date_format": "dd/mm/yyyy"}
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        for at, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, at, re.sub(r"[\ufffe\uffff]", "", cell))
            elif cell is not None and getattr(cell, "year", 1900) >= 1900:
                sheet.write(number, at, cell)
    book.close()
    return file.getvalue()


@pytest.mark.parametrize("tail", TAILS[:4])
def test_a_row_of_each_plain_cell_is_taken_in_bulk(tail: str) -> None:
    """Or the tests above would compare the walk with itself."""
    book = Book()
    rows = [
        f'<row r="{n}"{tail}>{cell.replace("{r}", f"A{n}")}</row>'
        for n, cell in enumerate(PLAIN, 1)
    ]
    book.parts[SHEET] = sheet_xml("".join(rows))
    package = unpack(book.saved())
    facts = inspect(package, package.sheets[0])
    assert [number for part in facts.plain_rows for number in part] == [
        *range(1, len(PLAIN) + 1)
    ]


LINES = (
    "P1,Ann,5", "P2,,", ",,", "", "P3,a\u00e9,#REF!", 'P4,"a, b",1', 'P5,"a ""b""",2',
    "P6,one,two,three", "P7", " ,\u00a0,", 'P8,"two\nlines",3', "P9, x ,y", 'P10,a"b,c',
    'P11,"open,2', "P12,\u2019s,#", "-,+,.",
)  # fmt: skip
HEADINGS = frozenset({"code", "name", "price"})


@settings(QUICKLY, max_examples=120)
@given(st.lists(st.sampled_from(LINES), max_size=40), st.sampled_from(("\n", "\r\n")))
def test_a_csv_file_comes_to_the_same_in_bulk(lines: list[str], end: str) -> None:
    text = end.join(["Code,Name,Price", *["P0,Bo,1"] * 20, *lines, "P99,Zoe,9"])
    kept, separated.SMALL = separated.SMALL, 0
    try:
        in_bulk = _separated(text.encode(), in_bulk=True)
    finally:
        separated.SMALL = kept
    assert in_bulk == _separated(text.encode(), in_bulk=False)


def _separated(content: bytes, *, in_bulk: bool) -> object:
    """What shows of a CSV file, made as wide as its headings, or its refusal."""
    try:
        read: Separated = read_separated(content, HEADINGS, in_bulk=in_bulk)
    except Unusable as unusable:
        return unusable.code, unusable.found
    rows = [[*row[:3], *[None] * (3 - len(row))] for row in read.rows]
    return rows, read.windows, read.filled


def test_plain_lines_are_taken_in_bulk() -> None:
    """Or the test above would compare the csv module with itself."""
    text = "Code,Name,Price\n" + "P0,Bo,1\nP1,Ann,\n" * 20_000
    read = read_separated(text.encode(), HEADINGS)
    assert read.lines is not None
    assert read.rows[-1] == ["P1", "Ann", None]
