"""A workbook put together by hand, part by part, so that each can be made hostile."""

import io
import re
import struct
import zipfile
from collections.abc import Callable
from xml.sax.saxutils import escape

from tests import practice

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

BOOK = "xl/workbook.xml"
RELS = "xl/_rels/workbook.xml.rels"
SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
STYLES = "xl/styles.xml"
TYPES = "[Content_Types].xml"

# What a workbook of each name is given for its first sheet, and the sheet's title.
TITLES = {
    "patients": "Patients", "products": "Products", "settings": "Settings",
    "sent_log": "Sent", "invoice_requests": "Invoice requests",
}  # fmt: skip


# The headings of the sheets that the small practice does not keep.
HEADINGS = {
    "sent_log": ["Invoice number", "Sent on", "Sent to", "How", "Sent by"],
    "invoice_requests": [
        "Request ID", "Patient ID", "Product code", "Quantity", "Requested on",
    ],
}  # fmt: skip


def _table(stem: str) -> list[list[str]]:
    if stem in HEADINGS:
        return [HEADINGS[stem]]
    rows = practice.sheets()[stem]
    return [list(rows[0]), *(list(row.values()) for row in rows)]


class Book:
    """The parts of a workbook of the small practice; every text is a shared one.

    `first` is the row that a change of row 2 is made in.
    """

    def __init__(self, stem: str = "patients", rows: list[list[str]] | None = None):
        self.stem = stem
        self.first = 2
        self.rows = rows or _table(stem)
        texts = sorted({cell for row in self.rows for cell in row if cell})
        self.texts = texts
        self.parts: dict[str, bytes] = {
            TYPES: b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "_rels/.rels": relationships(("officeDocument", BOOK)),
            BOOK: book_xml((TITLES[stem], "")),
            RELS: relationships(
                ("worksheet", "worksheets/sheet1.xml"),
                ("sharedStrings", "sharedStrings.xml"),
                ("styles", "styles.xml"),
            ),
            SHEET: sheet_xml("".join(self._row(n, row) for n, row in enumerate(self.rows, 1))),
            STRINGS: strings_xml(*(f"<si><t>{escape(text)}</t></si>" for text in texts)),
            STYLES: (
                f'<styleSheet xmlns="{MAIN}"><fonts><font/><font><strike/></font></fonts>'
                '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf fontId="1"/></cellXfs>'
                "</styleSheet>"
            ).encode(),
        }  # fmt: skip

    def _row(self, number: int, cells: list[str]) -> str:
        listed = "".join(
            f'<c r="{letter(i)}{number}" t="s"><v>{self.texts.index(cell)}</v></c>'
            for i, cell in enumerate(cells)
            if cell
        )
        return f'<row r="{number}">{listed}</row>'

    @property
    def width(self) -> int:
        """How many headings there are."""
        return len(self.rows[0])

    def column(self, title: str) -> str:
        """The letter of a heading's column."""
        return letter(self.rows[0].index(title))

    def put(self, at: str, cell: str) -> "Book":
        """Another cell in the place of one, or none where `cell` is blank.

        `at` is a heading and a row, such as "Start date 2"; `cell` is XML in which {r}
        stands for the address.
        """
        title, _, row = at.rpartition(" ")
        address = f"{self.column(title)}{self.first if row == '2' else row}"
        old = re.compile(rf'<c r="{address}"[^>]*>.*?</c>'.encode())
        new = cell.replace("{r}", address).encode()
        assert old.search(self.parts[SHEET]), address
        self.parts[SHEET] = old.sub(lambda _: new, self.parts[SHEET])
        return self

    def value(self, at: str, value: str, attributes: str = "") -> "Book":
        """A number, or whatever `attributes` say it is, in the place of a cell."""
        return self.put(at, f'<c r="{{r}}" {attributes}><v>{value}</v></c>')

    def change(self, part: str, old: str, new: str) -> "Book":
        """Other text in a part; the old one must be there."""
        assert old.encode() in self.parts[part], old
        self.parts[part] = self.parts[part].replace(old.encode(), new.encode(), 1)
        return self

    def whole(self, part: str, change: Callable[[bytes], bytes]) -> "Book":
        """A part made into another."""
        self.parts[part] = change(self.parts[part])
        return self

    def add(self, **parts: bytes) -> "Book":
        """More parts; `__` in a name stands for `/` and `_dot_` for a full stop."""
        for name, part in parts.items():
            self.parts[name.replace("__", "/").replace("_dot_", ".")] = part
        return self

    def without(self, part: str) -> "Book":
        """The workbook lacking a part."""
        del self.parts[part]
        return self

    def more_rows(self, rows: str) -> "Book":
        """Rows of XML after the last."""
        return self.change(SHEET, "</sheetData>", f"{rows}</sheetData>")

    def after(self, xml: str) -> "Book":
        """XML after the rows."""
        return self.change(SHEET, "</sheetData>", f"</sheetData>{xml}")

    def saved(self, method: int = zipfile.ZIP_DEFLATED) -> bytes:
        """The workbook as a file."""
        return zipped(list(self.parts.items()), method)


def letter(index: int) -> str:
    """The letter of one of the first 26 columns."""
    return chr(ord("A") + index)


def relationships(*leads: tuple[str, str], mode: str = "") -> bytes:
    listed = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"{mode}/>'
        for n, (kind, target) in enumerate(leads, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{listed}</Relationships>'.encode()


def book_xml(*sheets: tuple[str, str], before: str = "") -> bytes:
    """A list of sheets, each with its title and more attributes."""
    listed = "".join(
        f'<sheet name="{title}" sheetId="{n}" r:id="rId{n}"{more}/>'
        for n, (title, more) in enumerate(sheets, 1)
    )
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">{before}<sheets>{listed}</sheets>'
        "</workbook>"
    ).encode()


def sheet_xml(rows: str) -> bytes:
    return (
        f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    )


def strings_xml(*items: str) -> bytes:
    return f'<sst xmlns="{MAIN}">{"".join(items)}</sst>'.encode()


def zipped(parts: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, part in parts:
            archive.writestr(zipfile.ZipInfo(name), part, method)
    return buffer.getvalue()


def lying(content: bytes, name: str, **fields: int) -> bytes:
    """An archive whose directory says something else of a part.

    Fields: flags, method, crc, packed, size, offset.
    """
    places = {
        "flags": (8, "<H"), "method": (10, "<H"), "crc": (16, "<I"),
        "packed": (20, "<I"), "size": (24, "<I"), "offset": (42, "<I"),
    }  # fmt: skip
    changed = bytearray(content)
    at = content.index(b"PK\x01\x02")
    while content[at + 46 :][: len(name)] != name.encode():
        at = content.index(b"PK\x01\x02", at + 4)
    for field, value in fields.items():
        place, form = places[field]
        struct.pack_into(form, changed, at + place, value)
    return bytes(changed)


def offset_of(content: bytes, name: str) -> int:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.getinfo(name).header_offset
