"""CSV files: letters, separators, quotation marks, and nothing guessed."""

import pytest

from pipeline.cells.spelling import CellError
from pipeline.reading.separated import read_separated
from pipeline.reading.sheets import Unusable

KNOWN = frozenset({"code", "name", "email", "town"})
ROWS: list[list[object]] = [["Code", "Name"], ["A", "Zoë"]]


@pytest.mark.parametrize(
    ("content", "rows", "windows"),
    [
        pytest.param("Code,Name\nA,Zoë\n".encode(), ROWS, False, id="plain UTF-8"),
        pytest.param(
            "Code,Name\nA,Zoë".encode("utf-8-sig"),
            ROWS,
            False,
            id="UTF-8 with its mark",
        ),
        pytest.param(
            "Code\tName\r\nA\tZoë".encode("utf-16"), ROWS, False, id="Unicode text"
        ),
        pytest.param(
            "Code;Name\nA;Zoë".encode("cp1252"), ROWS, True, id="Windows text, told"
        ),
        pytest.param("Code,Name\rA,Zoë\r".encode(), ROWS, False, id="old Mac lines"),
        pytest.param(
            "sep=;\r\nCode;Name\r\nA;Zoë\r\n".encode(),
            ROWS,
            False,
            id="named separator",
        ),
        pytest.param(
            b"Code;Name\n\nA;1,5\n",
            [["Code", "Name"], [], ["A", "1,5"]],
            False,
            id="a blank line is a row, and commas inside are text",
        ),
        pytest.param(
            b"A list of codes, sorted\nCode;Name\n",
            [["A list of codes, sorted"], ["Code", "Name"]],
            False,
            id="the headings decide the separator, not the title above",
        ),
        pytest.param(
            b'Code,Name\nA,"1 High St,\nTownsville"\nB,b\n',
            [["Code", "Name"], ["A", "1 High St,\nTownsville"], ["B", "b"]],
            False,
            id="an address over two lines in a narrow table",
        ),
        pytest.param(
            b'Code,Name,Email,Town\nA,"Acme,\nLtd",a@b.c,Ely\nB,b,,\n',
            [
                ["Code", "Name", "Email", "Town"],
                ["A", "Acme,\nLtd", "a@b.c", "Ely"],
                ["B", "b", None, None],
            ],
            False,
            id="a line break between quotation marks",
        ),
        pytest.param(
            b"Code,Name\n A , 00123 \nB,#REF!\n",
            [["Code", "Name"], [" A ", " 00123 "], ["B", CellError("#REF!")]],
            False,
            id="spaces and zeros stay, errors are errors",
        ),
        pytest.param(
            b'Code,Name\n"A ""1""",5" pipe\n',
            [["Code", "Name"], ['A "1"', '5" pipe']],
            False,
            id="quotation marks inside",
        ),
    ],
)
def test_a_csv_file_is_read_exactly(
    content: bytes, rows: list[list[object]], windows: bool
) -> None:
    separated = read_separated(content, KNOWN)
    assert (separated.rows, separated.windows) == (rows, windows)


@pytest.mark.parametrize("smallest", [0, 128 * 1024], ids=["in bulk", "one by one"])
@pytest.mark.parametrize(
    ("rows", "too_wide"),
    [
        pytest.param(["A,a", "B,b"], [], id="as wide as the headings"),
        pytest.param(["A,a", "B,b,x"], [3], id="something in a cell too many"),
        pytest.param(
            ["A,a", "B,b,c,"], [3], id="a comma in a text, the last cell blank"
        ),
        pytest.param(
            ["A,a", "B,b, "], [3], id="nothing but a space in a cell too many"
        ),
        pytest.param(["A,a,", "B,b,", "C,c,"], [], id="a separator ends every row"),
        pytest.param(["A,a,,", "", ",", "B,b,,"], [], id="two do; blank rows are none"),
        pytest.param(
            ["A,a,", "B,b,x", "C,c,"], [3], id="and one row has more than that"
        ),
        pytest.param(
            ["A,a,", "B,b,c,", "C,c,"], [3], id="and one row has a comma as well"
        ),
        pytest.param(["A,a,", "B,b", "C,c,"], [2, 4], id="it ends some rows only"),
        pytest.param(["A,a,"], [2], id="in a single row nobody can tell"),
        pytest.param(["A"], [], id="a row that is too short"),
    ],
)
def test_a_row_with_more_cells_than_the_headings_is_known(
    monkeypatch: pytest.MonkeyPatch, smallest: int, rows: list[str], too_wide: list[int]
) -> None:
    monkeypatch.setattr("pipeline.reading.separated.SMALL", smallest)
    content = "\n".join(["Code,Name", *rows, ""]).encode()
    separated = read_separated(content, KNOWN)
    assert (separated.lines is not None) == (smallest == 0)
    assert sorted(separated.too_wide(1)) == too_wide


def test_headings_that_end_with_separators_are_so_wide() -> None:
    separated = read_separated(b"Code,Name,,\nA,a,,\nB,b\nC,c,,,\n", KNOWN)
    assert sorted(separated.too_wide(1)) == [4]


UTF8 = "save it as CSV UTF-8 (File, Save As)"
QUOTE = "close or remove the quotation mark, or save the sheet as a workbook"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            b"",
            "the file holds nothing (0 bytes), as one that is still in the cloud does;"
            " open it once so that it is downloaded, or bring back an earlier version",
            id="no bytes",
        ),
        pytest.param(
            b"PK\x03\x04",
            "the CSV file is damaged and cannot be opened; open it in the program it"
            " comes from and save it as CSV UTF-8",
            id="a damaged workbook",
        ),
        pytest.param(
            b"<html><table>",
            "this is a web page and no CSV file; open it in the program it comes from"
            " and save it as CSV UTF-8",
            id="a web page",
        ),
        pytest.param(
            b"Code,Name\nA,\x81\n",
            f"line 2 holds letters that cannot be read; {UTF8}",
            id="bytes that are no letter",
        ),
        pytest.param(
            b"\xef\xbb\xbfCode,Name\nA,Zo\xeb\n",
            f"line 2 holds letters that cannot be read; {UTF8}",
            id="marked as UTF-8 and is not",
        ),
        pytest.param(
            "Code,Name\nA,Zoë\n".encode() + "B,José\n".encode("cp1252"),
            "accented letters are saved in two different ways (lines 2 and 3);"
            f" correct the letters that look wrong in a spreadsheet and {UTF8}",
            id="mixed letters",
        ),
        pytest.param(
            b"Code,Name\nA,a\0b\n",
            f"line 2 holds a character that is no text; {UTF8}",
            id="a zero byte",
        ),
        pytest.param(
            b'Code,Name\nA,"Acme\nB,Bee\nC,Cee\n',
            "a quotation mark opened on line 2 is not closed where its cell ends;"
            f" {QUOTE}",
            id="a quotation mark never closed",
        ),
        pytest.param(
            b'Code,Name\nA,"Acme\nB,"Bee"\n',
            "a quotation mark opened on line 2 is not closed where its cell ends;"
            f" {QUOTE}",
            id="a quotation mark closed by another's",
        ),
        pytest.param(
            b'sep=,\nCode,Name,Town\nA,Acme,"Ely\nB",Bee,Ely\n',
            "a quotation mark opened on line 3 is not closed where its cell ends;"
            f" {QUOTE}",
            id="a quotation mark that swallows a row",
        ),
        pytest.param(
            b'Code,Name,Email,Town,,\nA,Acme,"Ely,,,\nB,Bee,Ely",,,\n',
            "a quotation mark opened on line 2 is not closed where its cell ends;"
            f" {QUOTE}",
            id="a swallowed row that leaves the width right",
        ),
        pytest.param(
            b"Code,Name\nA," + b"x" * 1_000_001,
            f"line 2 is longer than any row can be; {UTF8}",
            id="a line without end",
        ),
    ],
)
def test_a_csv_file_in_doubt_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(Unusable) as refusal:
        read_separated(content, KNOWN)
    assert f"{refusal.value.found}; {refusal.value.repair}" == message
