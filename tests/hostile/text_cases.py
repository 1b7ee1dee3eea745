"""Hostile CSV files in the place of the patients."""

from tests.hostile.cases import FINE, HELD, REFUSED, Text

QUOTE = "is not closed where its cell ends"
LONG = "is longer than any row can be"


def _line(text: str, number: int, extra: str) -> bytes:
    """The file with something put at the end of a line, counted from 1."""
    lines = text.splitlines(keepends=True)
    lines[number - 1] = lines[number - 1].rstrip("\r\n") + extra
    return "".join(lines).encode()


def _cell(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


TEXTS = (
    Text("nothing at all", lambda t: b"", "0 bytes"),
    Text("the mark of UTF-8 alone", lambda t: b"\xef\xbb\xbf", "the file is blank"),
    Text("the mark of UTF-16 alone", lambda t: b"\xff\xfe", "the file is blank"),
    Text("blank lines alone", lambda t: b"\r\n" * 50, "the file is blank"),
    Text("headings alone", lambda t: t.splitlines()[0].encode(), "", FINE, 0),
    Text("headings twice on a line", lambda t: _line(t, 1, f",{t.splitlines()[0]}\n"), "two tables stand side by side"),
    Text("one heading twice", lambda t: _line(t, 1, ",End date\n"), "stands here twice"),
    Text("headings on two lines", lambda t: (t.splitlines()[0] + "\n" + t).encode(), "the headings take up two rows"),
    Text("headings once more at the end", lambda t: (t + t.splitlines()[0]).encode(), "row 4 is no part of the table", FINE, 3),
    Text("a zero byte", lambda t: _line(t, 2, "\0\n"), "line 2 holds a character that is no text"),
    Text("a lone quotation mark", lambda t: _line(t, 3, ',"'), f"opened on line 3 {QUOTE}"),
    Text("a quotation mark never closed", lambda t: _cell(t, "P1,", 'P1,"').encode(), f"opened on line 2 {QUOTE}"),
    Text("text after a closed quotation mark", lambda t: _cell(t, "P1,", '"P1"x,').encode(), f"opened on line 2 {QUOTE}"),
    Text("a quotation mark inside a cell", lambda t: _cell(t, "Annabel", 'Anna"bel').encode(), "", FINE),
    Text("a cell of nothing but quotation marks", lambda t: _cell(t, "Annabel", '""""""').encode(), "", FINE),
    Text("a name over three lines", lambda t: _cell(t, "Annabel", '"Anna\r\n\nbel"').encode(), "", FINE),
    Text("a line of ten million letters", lambda t: t.encode() + b"x" * 10_000_000, LONG),
    Text("a cell of two hundred thousand letters", lambda t: t.encode() + b"x" * 200_000, "holds a cell that is longer than any cell can be"),
    Text("a hundred thousand columns", lambda t: _line(t, 1, "," * 100_000 + "\n"), "more cells than a table can have"),
    Text("a hundred thousand cells in a row", lambda t: _line(t, 3, "," * 100_000 + "\n"), "more cells than a table can have"),
    Text("a cell too many", lambda t: _line(t, 3, ",x\n"), "the row has more cells than there are headings", HELD),
    Text("a row of one cell", lambda t: t.encode() + b"P9\n", "is blank", HELD, 3),
    Text("line ends of three kinds", lambda t: t.replace("\r\n", "\n", 1).replace("\r\n", "\r", 1).encode(), "", FINE),
    Text("line ends of an old Mac", lambda t: t.replace("\r\n", "\r").encode(), "", FINE),
    Text("line ends that are none", lambda t: _cell(t, "Annabel", "Anna\x0bb\x0ce\x85l\u2028x").encode(), "", FINE),
    Text("form feeds between the lines", lambda t: t.replace("\r\n", "\r\n\f\r\n").encode(), "", FINE),
    Text("two-byte letters", lambda t: t.encode("utf-16"), "", FINE),
    Text("two-byte letters the other way", lambda t: b"\xfe\xff" + t.encode("utf-16-be"), "", FINE),
    Text("half a two-byte letter", lambda t: t.encode("utf-16") + b"x", "holds letters that cannot be read"),
    Text("two-byte letters without a mark", lambda t: t.encode("utf-16-le"), "holds a character that is no text"),
    Text("half of a pair of letters", lambda t: t.encode("utf-16") + b"\x00\xd8\x0a\x00", "holds letters that cannot be read"),
    Text("a surrogate in UTF-8", lambda t: t.encode() + b"P9,\xed\xa0\x80\n", "is blank", HELD, 3),
    Text("bytes of no letters", lambda t: t.encode() + b"\x81\x8d\x9d\n", "line 4 holds letters that cannot be read"),
    Text("letters saved in two ways", lambda t: _cell(t, "Annabel", "Zoë").encode() + "P9,Zoë\n".encode("cp1252"), "accented letters are saved in two different ways"),
    Text("Windows letters", lambda t: _cell(t, "Annabel", "Zoë").encode("cp1252"), "read as Windows text", FINE),
    Text("semicolons", lambda t: t.replace(",", ";").encode(), "", FINE),
    Text("tabs", lambda t: t.replace(",", "\t").encode(), "", FINE),
    Text("a separator of its own", lambda t: ("sep=|\n" + t.replace(",", "|")).encode(), "", FINE),
    Text("a quotation mark for separator", lambda t: ('sep="\n' + t).encode(), ""),
    Text("a space for separator", lambda t: ("sep= \n" + t).encode(), ""),
    Text("formulas in every name", lambda t: _cell(t, "Annabel", "=cmd|' /c calc'!A0").encode(), "somebody should look", FINE),
    Text("errors of a formula", lambda t: _cell(t, "2026-01-31", "#REF!").encode(), "is an error left by a formula", HELD),
    Text("a hundred thousand blank lines", lambda t: t.encode() + b"\n" * 100_000, "", FINE),
    Text("more lines than a spreadsheet", lambda t: t.encode() + b"\n" * 1_100_000, "more than 1,048,576 rows"),
    Text("a workbook under another ending", lambda t: b"PK\x03\x04" + b"x" * 100, "damaged"),
    Text("a web page", lambda t: b"<html><body>" + t.encode(), "a web page"),
    Text("bytes of every kind", lambda t: bytes(range(1, 256)) * 40, ""),
    Text("a picture", lambda t: b"\x89PNG\r\n\x1a\n\0\0", ""),
    Text("the same id in other digits", lambda t: t.encode() + "Ｐ1,x\n".encode(), "", HELD, 3),
    Text("a name that goes over text", lambda t: _cell(t, "Annabel", "\x1b[2J\x07\x08Anna").encode(), "First name cannot be used (see issues.xlsx)", HELD),
    Text("an id that goes over text", lambda t: _cell(t, "P1", "\x1b[2JP1").encode(), "Patient ID cannot be used (see issues.xlsx)", HELD),
    Text("a note under a blank id", lambda t: t.encode() + b",call them back\n", "row 4 is no part of the table", FINE, 3),
    Text("a heading with a mark", lambda t: ("\ufeff\ufeff" + t).encode(), "", FINE),
)  # fmt: skip

assert REFUSED == 4
