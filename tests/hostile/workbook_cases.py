"""Hostile workbooks: archives, parts, sheets and cells no spreadsheet would write."""

import gzip
import io
import struct
import zipfile
import zlib

from tests.hostile.books import (
    BOOK,
    MAIN,
    OFFICE,
    RELS,
    SHEET,
    STRINGS,
    STYLES,
    TYPES,
    Book,
    book_xml,
    lying,
    offset_of,
    relationships,
    sheet_xml,
    strings_xml,
    zipped,
)
from tests.hostile.cases import (
    DAMAGED,
    FAR,
    FINE,
    HELD,
    TOO_LARGE,
    UNRELIABLE,
    Case,
)

SECRET = "Zebedee-Secret"
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def _parts(book: Book) -> list[tuple[str, bytes]]:
    return list(book.parts.items())


def _with(book: Book, *more: tuple[str, bytes]) -> bytes:
    return zipped([*_parts(book), *more])


def _renamed(book: Book, part: str, name: str) -> bytes:
    return zipped([(name if n == part else n, p) for n, p in _parts(book)])


def _overlapping(book: Book) -> bytes:
    content = book.saved()
    return lying(content, STRINGS, offset=offset_of(content, SHEET))


def _scrambled(content: bytes) -> bytes:
    begin = content.index(SHEET.encode()) + len(SHEET) + 5
    return (
        content[:begin]
        + bytes(255 - byte for byte in content[begin : begin + 40])
        + content[begin + 40 :]
    )


def _bomb(book: Book) -> bytes:
    return _with(book, ("xl/theme.xml", b" " * 20_000_000))


def _nested(book: Book) -> bytes:
    inner = zipped([("zeros.xml", b"0" * 11_000_000)])
    return _with(book, ("xl/more.xml", inner), ("xl/zeros.xml", b"0" * 11_000_000))


def _in_two_byte_letters(book: Book) -> bytes:
    return book.whole(SHEET, lambda xml: xml.decode().encode("utf-16")).saved()


def _in_utf7(book: Book) -> bytes:
    def change(xml: bytes) -> bytes:
        return b'<?xml version="1.0" encoding="UTF-7"?>' + xml.decode().encode("utf-7")

    return book.whole(SHEET, change).saved()


def _letters(name: str) -> str:
    return f'<?xml version="1.0" encoding="{name}"?>'


def _before(book: Book, part: str, prefix: str) -> bytes:
    return book.whole(part, lambda xml: prefix.encode() + xml).saved()


def _row(number: int, cells: str) -> str:
    return f'<row r="{number}">{cells}</row>'


def _cell(address: str, value: int = 1) -> str:
    return f'<c r="{address}"><v>{value}</v></c>'


def _two_sheets(book: Book, second: str, more: str = "") -> Book:
    """The workbook with another sheet of this title, whose part is the second."""
    title = book.parts[BOOK].split(b'name="')[1].split(b'"')[0].decode()
    book.parts[BOOK] = book_xml((title, ""), (second, more))
    book.parts[RELS] = relationships(
        ("worksheet", "worksheets/sheet1.xml"), ("worksheet", "worksheets/sheet2.xml"),
        ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml"),
    )  # fmt: skip
    return book.add(xl__worksheets__sheet2_dot_xml=sheet_xml(_row(1, _cell("A1"))))


def _many_sheets(book: Book, count: int = 40) -> bytes:
    title = book.parts[BOOK].split(b'name="')[1].split(b'"')[0].decode()
    titles = [title, *(f"Sheet {n}" for n in range(2, count + 1))]
    book.parts[BOOK] = book_xml(
        *((t, ' state="veryHidden"' if t != title else "") for t in titles)
    )
    leads = [("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, count + 1)]
    book.parts[RELS] = relationships(
        *leads, ("sharedStrings", "sharedStrings.xml"), ("styles", "styles.xml")
    )
    for n in range(2, count + 1):
        book.parts[f"xl/worksheets/sheet{n}.xml"] = sheet_xml(_row(1, _cell("A1", n)))
    return book.saved()


def _old_office(stream: str) -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + stream.encode("utf-16-le")


def _zip64(book: Book) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in _parts(book):
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(part)
    return buffer.getvalue()


def _zip64_lie(book: Book) -> bytes:
    """An end record that sends its reader to a 64-bit one that is not there."""
    content = bytearray(book.saved())
    end = content.rindex(b"PK\x05\x06")
    struct.pack_into("<HHII", content, end + 8, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, 2**62, 1)
    return bytes(content[:end]) + locator + bytes(content[end:])


def _long_stream(book: Book) -> bytes:
    """A part whose stream goes on after the size its directory names."""
    xml = book.parts[SHEET]
    content = zipped(
        [(n, p + b" " * 50_000_000 if n == SHEET else p) for n, p in _parts(book)]
    )
    return lying(content, SHEET, size=len(xml), crc=zlib.crc32(xml))


def _deep(book: Book, depth: int) -> bytes:
    return book.after("<x>" * depth + "</x>" * depth).saved()


def _string(book: Book, xml: str) -> Book:
    """The first patient's last name as another shared text."""
    index = book.texts.index("Quillfeather") if "Quillfeather" in book.texts else 0
    items = [f"<si><t>{text}</t></si>" for text in book.texts]
    items[index] = xml
    book.parts[STRINGS] = strings_xml(*items)
    return book


def _swapped_sheets(book: Book) -> bytes:
    """A path that one reader takes for xl/xl/worksheets and another for xl/worksheets."""
    book.parts["xl/xl/worksheets/sheet1.xml"] = sheet_xml("")
    return book.change(
        RELS, "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"
    ).saved()


def _merged(book: Book, area: str, count: int) -> bytes:
    listed = f'<mergeCell ref="{area}"/>' * count
    return book.after(f"<mergeCells>{listed}</mergeCells>").saved()


def _link(book: Book, kind: str, target: str) -> bytes:
    lead = relationships((kind, target), mode=' TargetMode="External"')
    return book.add(xl__worksheets___rels__sheet1_dot_xml_dot_rels=lead).saved()


ARCHIVES = (
    Case("a part of zeros that unfolds five thousandfold", _bomb, TOO_LARGE),
    Case("an archive in an archive", _nested, TOO_LARGE),
    Case("more parts than any workbook has", lambda b: _with(b, *((f"x/{n}.bin", b"") for n in range(6_000))), TOO_LARGE),
    Case("parts that share their bytes", _overlapping, DAMAGED),
    Case("a part said to be smaller than it is", lambda b: lying(b.saved(), SHEET, size=10), DAMAGED),
    Case("a part said to be larger than it is", lambda b: lying(b.saved(), SHEET, size=2**31), TOO_LARGE),
    Case("a part said to be a little larger than it is", lambda b: lying(b.saved(), SHEET, size=len(b.parts[SHEET]) + 1), DAMAGED),
    Case("a stream that goes on past its size", _long_stream, DAMAGED),
    Case("a part said to be packed smaller than it is", lambda b: lying(b.saved(), SHEET, packed=5), DAMAGED),
    Case("a part said to go on past the end", lambda b: lying(b.saved(), SHEET, packed=2**31), DAMAGED),
    Case("a stream that makes no sense", lambda b: _scrambled(b.saved()), DAMAGED),
    Case("a wrong checksum", lambda b: lying(b.saved(), SHEET, crc=1), DAMAGED),
    Case("a wrong checksum of the shared text", lambda b: lying(b.saved(), STRINGS, crc=1), DAMAGED),
    Case("a part beyond the archive", lambda b: lying(b.saved(), SHEET, offset=2**31 - 1), DAMAGED),
    Case("a packing nobody uses", lambda b: lying(b.saved(), SHEET, method=97), DAMAGED),
    Case("a packing of another kind", lambda b: b.saved(zipfile.ZIP_BZIP2), DAMAGED),
    Case("a packing that unfolds without end", lambda b: b.saved(zipfile.ZIP_LZMA), DAMAGED),
    Case("a part with a password", lambda b: lying(b.saved(), SHEET, flags=1), "the workbook has a password to open it"),
    Case("a path from the root", lambda b: _renamed(b, SHEET, f"/{SHEET}"), "", FINE),
    Case("a path that climbs out", lambda b: _with(b, ("../../etc/cron.d/x.xml", b"<x/>")), UNRELIABLE),
    Case("a path that climbs with backslashes", lambda b: _with(b, ("xl\\..\\..\\x.xml", b"<x/>")), UNRELIABLE),
    Case("a part without a name", lambda b: _with(b, ("zzzz", b"")).replace(b"zzzz", b"\0zzz"), "", FINE),
    Case("a part that stands twice", lambda b: _with(b, (SHEET, b.parts[SHEET])), UNRELIABLE),
    Case("a part that stands twice in other letters", lambda b: _with(b, ("XL/Worksheets/SHEET1.xml", b"<x/>")), UNRELIABLE),
    Case("64-bit sizes", _zip64, "", FINE),
    Case("a 64-bit end that is not there", _zip64_lie, DAMAGED),
    Case("junk before the archive", lambda b: b"junk" + b.saved(), "this is "),
    Case("junk after the archive", lambda b: b.saved() + b"\0" * 70_000, DAMAGED),
    Case("a comment of its own length", lambda b: b.saved()[:-2] + b"\xff\xff", "", FINE),
    *(
        Case(f"an archive cut after {third} thirds", lambda b, third=third: b.saved()[: len(b.saved()) * third // 3], DAMAGED)
        for third in (1, 2)
    ),
    Case("an archive without its last byte", lambda b: b.saved()[:-1], DAMAGED),
    Case("the end of an archive alone", lambda b: b"PK\x05\x06" + b"\0" * 18, "this is a zip archive and no workbook"),
    Case("stored and not packed", lambda b: b.saved(zipfile.ZIP_STORED), "", FINE),
)  # fmt: skip

PARTS = (
    Case("no list of content types", lambda b: b.without(TYPES).saved(), "", FINE),
    Case("no list of sheets", lambda b: b.without(BOOK).saved(), DAMAGED),
    Case("no paths to the sheets", lambda b: b.without(RELS).saved(), "the sheet "),
    Case("no sheet where the list says", lambda b: b.without(SHEET).saved(), "the sheet "),
    Case("no shared text", lambda b: b.without(STRINGS).saved(), UNRELIABLE),
    Case("no styles", lambda b: b.without(STYLES).saved(), "", FINE),
    Case("two parts of shared text", lambda b: b.change(RELS, "</R", f'<Relationship Id="rId9" Type="{OFFICE}/sharedStrings" Target="styles.xml"/></R').saved(), UNRELIABLE),
    Case("two paths of one id", lambda b: b.change(RELS, "</R", f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="styles.xml"/></R').saved(), UNRELIABLE),
    Case("a sheet outside its folder", lambda b: b.change(RELS, "worksheets/sheet1.xml", "../../../etc/passwd").saved(), "the sheet "),
    Case("a path two readers take differently", _swapped_sheets, "the sheet "),
    Case("two sheets of one part", lambda b: _two_sheets(b, "Other").change(RELS, "sheet2.xml", "sheet1.xml").saved(), UNRELIABLE),
    Case("two sheets of one title", lambda b: _two_sheets(b, b.parts[BOOK].split(b'name="')[1].split(b'"')[0].decode().upper()).saved(), UNRELIABLE),
    Case("a title that only looks different", lambda b: _two_sheets(b, "P&#x430;tients").saved(), "", FINE),
    Case("forty sheets, all but one very hidden", _many_sheets, "", FINE),
    Case("a sheet that lies elsewhere", lambda b: b.change(RELS, 'sheet1.xml"', 'sheet1.xml" TargetMode="External"').saved(), "the sheet "),
    Case("a chart in the sheet's place", lambda b: b.change(RELS, "/worksheet", "/chartsheet").saved(), "the sheet "),
    Case("a dialogue in the sheet's place", lambda b: b.change(RELS, "/worksheet", "/dialogsheet").saved(), "the sheet "),
    Case("a sheet without an id", lambda b: b.change(BOOK, ' r:id="rId1"', "").saved(), DAMAGED),
    Case("a hyperlink to the net", lambda b: _link(b, "hyperlink", "https://example.org/steal"), "", FINE),
    Case("a picture from the net", lambda b: _link(b, "image", "http://example.org/a.png"), "", FINE),
    Case("links to other workbooks", lambda b: b.add(xl__externalLinks__externalLink1_dot_xml=b"<x/>").saved(), "", FINE),
    Case("macros under another ending", lambda b: b.add(xl__vbaProject_dot_bin=b"Auto_Open").saved(), "", FINE),
    Case("a document type and entities without end", lambda b: _before(b, SHEET, LAUGHS), UNRELIABLE),
    Case("a document type in the list of sheets", lambda b: _before(b, BOOK, LAUGHS), UNRELIABLE),
    Case("a document type in the shared text", lambda b: _before(b, STRINGS, LAUGHS), UNRELIABLE),
    Case("a document type in the styles", lambda b: _before(b, STYLES, LAUGHS), UNRELIABLE),
    Case("a document type in the paths", lambda b: _before(b, RELS, LAUGHS), UNRELIABLE),
    Case("an entity from the disk", lambda b: _before(b, SHEET, EXTERNAL), UNRELIABLE),
    Case("an entity nobody declared", lambda b: b.after("<x>&evil;</x>").saved(), DAMAGED),
    Case("two-byte letters", _in_two_byte_letters, UNRELIABLE),
    Case("seven-bit letters", _in_utf7, UNRELIABLE),
    Case("letters of a mainframe", lambda b: _before(b, SHEET, _letters("cp037")), UNRELIABLE),
    Case("letters of another page", lambda b: _before(b, STRINGS, _letters("windows-1252")), UNRELIABLE),
    Case("bytes that are no letters", lambda b: _string(b, "<si><t>\udcff</t></si>".encode("utf-8", "surrogateescape").decode("latin-1")).whole(STRINGS, lambda x: x.replace("ÿ".encode(), b"\xff")).saved(), DAMAGED),
    Case("a sheet of another namespace", lambda b: b.change(SHEET, MAIN, "urn:other").saved(), UNRELIABLE),
    Case("shared text of another namespace", lambda b: b.change(STRINGS, MAIN, "urn:other").saved(), UNRELIABLE),
    Case("shared text in shared text", lambda b: b.change(STRINGS, "</t></si>", "<si/></t></si>").saved(), UNRELIABLE),
    Case("styles that are none", lambda b: b.change(STYLES, "styleSheet", "worksheet").change(STYLES, "/styleSheet", "/worksheet").saved(), UNRELIABLE),
    Case("a sheet that breaks off", lambda b: b.whole(SHEET, lambda x: x[:-20]).saved(), DAMAGED),
    Case("a sheet of nothing", lambda b: b.whole(SHEET, lambda x: b"").saved(), DAMAGED),
    Case("elements nested a hundred thousand deep", lambda b: _deep(b, 100_000), "", FINE),
    Case("an attribute of nine million letters", lambda b: b.after(f'<x a="{"y" * 9_000_000}"/>').saved(), TOO_LARGE),
    Case("a text of nine million letters", lambda b: b.after(f"<x>{'yz' * 4_500_000}</x>").saved(), TOO_LARGE),
)  # fmt: skip

CELLS = (
    Case("a row that stands twice", lambda b: b.more_rows(_row(9, _cell("A9")) * 2).saved(), UNRELIABLE),
    Case("rows in falling order", lambda b: b.more_rows(_row(9, "") + _row(8, "")).saved(), UNRELIABLE),
    Case("a row in a row", lambda b: b.more_rows('<row r="8"><row r="9"/></row>').saved(), UNRELIABLE),
    Case("a row past the last", lambda b: b.more_rows(_row(1_048_577, "")).saved(), UNRELIABLE),
    Case("a row of a huge number", lambda b: b.more_rows(_row(10**30, "")).saved(), UNRELIABLE),
    Case("a row of a negative number", lambda b: b.more_rows(_row(-1, "")).saved(), UNRELIABLE),
    Case("a row of a blank number", lambda b: b.more_rows('<row r=""/>').saved(), DAMAGED),
    Case("a row of no number", lambda b: b.more_rows('<row r="x"/>').saved(), DAMAGED),
    Case("cells out of order", lambda b: b.more_rows(_row(9, _cell("B9") + _cell("A9"))).saved(), UNRELIABLE),
    Case("a cell that stands twice", lambda b: b.more_rows(_row(9, _cell("B9") * 2)).saved(), UNRELIABLE),
    Case("a cell of another row", lambda b: b.more_rows(_row(9, _cell("A8"))).saved(), UNRELIABLE),
    Case("a cell past the last column", lambda b: b.more_rows(_row(9, _cell("XFE9"))).saved(), DAMAGED),
    Case("a cell of a column without end", lambda b: b.more_rows(_row(9, _cell("ZZZZZZZZZ9"))).saved(), DAMAGED),
    Case("a cell without a column", lambda b: b.more_rows(_row(9, _cell("9"))).saved(), DAMAGED),
    Case("a cell in no row", lambda b: b.change(SHEET, "<sheetData>", f"<sheetData>{_cell('A1')}").saved(), UNRELIABLE),
    Case("a cell in a cell", lambda b: b.more_rows(_row(9, f'<c r="A9">{_cell("B9")}</c>')).saved(), UNRELIABLE),
    Case("a value at the end of the world", lambda b: b.more_rows(_row(1_048_576, _cell("XFD1048576"))).saved(), FAR),
    Case("a space at the end of the world", lambda b: b.more_rows(_row(1_048_576, '<c r="XFD1048576" t="str"><v> </v></c>')).saved(), FAR),
    Case("formats to the end of the world", lambda b: b.more_rows(_row(1_048_576, '<c r="XFD1048576" s="1"/>')).saved(), "", FINE),
    Case("shared text past the last", lambda b: b.more_rows(_row(9, '<c r="A9" t="s"><v>999</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("shared text before the first", lambda b: b.more_rows(_row(9, '<c r="A9" t="s"><v>-1</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("shared text of no number", lambda b: b.more_rows(_row(9, '<c r="A9" t="s"><v>x</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("shared text of a number with spaces", lambda b: b.more_rows(_row(9, '<c r="A9" t="s"><v> 1 </v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("shared text of a huge number", lambda b: b.more_rows(_row(9, f'<c r="A9" t="s"><v>{2**64}</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a style past the last", lambda b: b.more_rows(_row(9, '<c r="A9" s="3"/>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a blank cell of an unknown kind", lambda b: b.more_rows(_row(9, '<c r="A9" t="x"/>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a style of no number", lambda b: b.more_rows(_row(9, '<c r="A9" s="x"/>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a cell of an unknown kind", lambda b: b.more_rows(_row(9, '<c r="A9" t="zz"><v>1</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a number that is none", lambda b: b.more_rows(_row(9, _cell("A9").replace("1</v>", "nan</v>"))).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a number in words", lambda b: b.more_rows(_row(9, '<c r="A9" t="n"><v>ten</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a truth that is neither", lambda b: b.more_rows(_row(9, '<c r="A9" t="b"><v>2</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("an error no spreadsheet knows", lambda b: b.more_rows(_row(9, '<c r="A9" t="e"><v>#WHAT!</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("an error of nothing but a space", lambda b: b.more_rows(_row(9, '<c r="A9" t="e"><v> </v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a cell of something else", lambda b: b.more_rows(_row(9, '<c r="A9"><x/><v>1</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a value in a value", lambda b: b.more_rows(_row(9, '<c r="A9"><v><v>1</v></v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("an element in a value", lambda b: b.more_rows(_row(9, '<c r="A9"><v>1<x/>2</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("two values in a cell", lambda b: b.more_rows(_row(9, '<c r="A9"><v>1</v><v>2</v></c>')).saved(), f"{UNRELIABLE} (cell A9)"),
    Case("a value cut in two by a comment", lambda b: b.more_rows(_row(9, '<c r="A9"><v>4<!-- -->9</v></c>')).saved(), UNRELIABLE),
    Case("a value cut in two by an instruction", lambda b: b.more_rows(_row(9, '<c r="A9"><v>4<?x?>9</v></c>')).saved(), UNRELIABLE),
    Case("a value in a section of its own", lambda b: b.more_rows(_row(9, '<c r="A9"><v><![CDATA[49]]></v></c>')).saved(), UNRELIABLE),
    Case("a number written by the numbers of its digits", lambda b: b.more_rows(_row(9, '<c r="A9"><v>4&#57;</v></c>')).saved(), UNRELIABLE),
    Case("text written as a plain value", lambda b: b.more_rows(_row(9, '<c r="A9" t="inlineStr"><v>x</v></c>')).saved(), UNRELIABLE),
    Case("a date that is none", lambda b: b.more_rows(_row(9, '<c r="A9" t="d"><v>2026-02-31</v></c>')).saved(), UNRELIABLE),
    Case("columns hidden twice", lambda b: b.change(SHEET, "<sheetData>", '<cols><col min="1" max="9" hidden="1"/><col min="1" max="9" hidden="1"/></cols><sheetData>').saved(), UNRELIABLE),
    Case("a size that is none", lambda b: b.change(SHEET, "<sheetData>", '<dimension ref="45000"/><sheetData>').saved(), DAMAGED),
    Case("a size that is not true", lambda b: b.change(SHEET, "<sheetData>", '<dimension ref="A1:A1"/><sheetData>').saved(), "", FINE),
    Case("merged cells that are none", lambda b: b.after('<mergeCells><mergeCell ref="A0:B1"/></mergeCells>').saved(), DAMAGED),
    Case("a hundred thousand merged cells", lambda b: _merged(b, "A9:XFD1048576", 100_000), TOO_LARGE),
    Case("rows merged by ten thousand areas", lambda b: _merged(b, "A2:C1048576", 10_000), "the cell is merged with its neighbours", HELD),
)  # fmt: skip

PATIENTS = (
    Case("an error in a name", lambda b: b.value("Last name 2", "#REF!", 't="e"').saved(), "cannot be used", HELD),
    Case("an error in the start date", lambda b: b.value("Start date 2", "#N/A", 't="e"').saved(), "#N/A is an error left by a formula", HELD),
    Case("an error in the id", lambda b: b.value("Patient ID 2", "#NAME?", 't="e"').saved(), "Patient ID cannot be used (see issues.xlsx)", HELD),
    Case("a formula without its value", lambda b: b.put("Membership 2", '<c r="{r}"><f>1+1</f></c>').saved(), "formulas were saved without their values"),
    Case("a formula that asks another workbook", lambda b: b.put("Membership 2", '<c r="{r}" t="str"><f>[1]Sheet1!A1</f><v>GOLD</v></c>').saved(), "takes its value from another workbook", FINE),
    Case("a formula that would run a program", lambda b: b.put("Last name 2", f'<c r="{{r}}" t="str"><f>cmd|\' /c calc\'!A0</f><v>=cmd|{SECRET}</v></c>').saved(), "holds 1 formula", FINE),
    Case("inline text", lambda b: b.put("Membership 2", '<c r="{r}" t="inlineStr"><is><t>GOLD</t></is></c>').saved(), "", FINE),
    Case("text in three fonts", lambda b: b.put("Membership 2", '<c r="{r}" t="inlineStr"><is><r><t>G</t></r><r><t>OL</t></r><r><t>D</t></r></is></c>').saved(), "", FINE),
    Case("text with its pronunciation", lambda b: _string(b, f"<si><t>Quill</t><rPh><t>{SECRET}</t></rPh></si>").saved(), "", FINE),
    Case("a truth in a name", lambda b: b.value("First name 2", "1", 't="b"').saved(), "", FINE),
    Case("a date of the year 9999", lambda b: b.value("Start date 2", "2958465", 's="1"').saved(), "is after 2200", HELD),
    Case("a date past all years", lambda b: b.value("Start date 2", "1e15", 's="1"').saved(), "is not a date", HELD),
    Case("a date before all years", lambda b: b.value("Start date 2", "-5", 's="1"').saved(), "is a time, not a date", HELD),
    Case("a number past all numbers", lambda b: b.value("Start date 2", "1e999").saved(), UNRELIABLE),
    Case("a date before all reckoning", lambda b: b.value("Start date 2", "-1e12", 's="1"').saved(), UNRELIABLE),
    Case("hours without end", lambda b: b.change(STYLES, 'numFmtId="14"', 'numFmtId="46"').value("Start date 2", "1e11", 's="1"').saved(), UNRELIABLE),
    Case("a number of three hundred digits", lambda b: b.value("Patient ID 2", "1e300").saved(), "Patient ID cannot be used (see issues.xlsx)", HELD),
    Case("a workbook of 1904", lambda b: b.value("Start date 2", "44590", 's="1"').whole(BOOK, lambda x: x.replace(b"<sheets>", b'<workbookPr date1904="1"/><sheets>')).saved(), "the workbook counts days from 1904", FINE),
    Case("an id of a hundred thousand letters", lambda b: b.put("Patient ID 2", f'<c r="{{r}}" t="str"><v>{"P" * 100_000}</v></c>').saved(), "Patient ID cannot be used (see issues.xlsx)", HELD),
    Case("control characters in a name", lambda b: b.put("Last name 2", '<c r="{r}" t="str"><v>A_x001B_[2J_x0007_B</v></c>').saved(), "Last name cannot be used (see issues.xlsx)", HELD),
    Case("letters that run backwards in an id", lambda b: b.put("Patient ID 2", '<c r="{r}" t="str"><v>P&#x202E;1\u2066</v></c>').saved(), "", FINE),
    Case("a heading that begins a new line", lambda b: b.put("End date 1", '<c r="{r}" t="str"><v>Stops&#10;&#10;the&#9;night</v></c>').saved(), "no column of this sheet is called Stops the night", FINE),
    Case("a name of half a letter", lambda b: b.put("Last name 2", '<c r="{r}" t="str"><v>A_xD800_B</v></c>').saved(), "", FINE),
    Case("the row of another heading", lambda b: b.more_rows(b.parts[SHEET].decode().split("<sheetData>")[1].split("</row>")[0].replace('1"', '9"') + "</row>").saved(), "row 9 is no part of the table", FINE, 3),
    Case("a total below the patients", lambda b: b.more_rows(_row(9, _cell("G9", 2))).saved(), "row 9 is no part of the table", FINE, 3),
    Case("a note below the patients", lambda b: b.more_rows(_row(9, '<c r="B9" t="str"><v>call them back</v></c>')).saved(), "row 9 is no part of the table", FINE, 3),
    Case("a row struck through", lambda b: b.put("Patient ID 2", '<c r="{r}" s="2" t="str"><v>P1</v></c>').saved(), "1 row is struck through", FINE),
)  # fmt: skip


def _other_makes() -> list[Case]:
    makes = [
        ("an empty file", b"", "0 bytes"),
        ("an old Excel workbook", _old_office("Workbook"), "an old Excel workbook"),
        ("an encrypted workbook", _old_office("EncryptedPackage"), "a password to open it"),
        ("an old letter", _old_office("WordDocument"), "an old Office document"),
        ("a binary workbook", zipped([("xl/workbook.bin", b"x")]), "a binary Excel workbook"),
        ("an OpenDocument", zipped([("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")]), "an OpenDocument spreadsheet"),
        ("a letter", zipped([("word/document.xml", b"<x/>")]), "a Word document"),
        ("an Apple workbook", zipped([("Index/Document.iwa", b"x")]), "an Apple Numbers document"),
        ("an archive of files", zipped([("a.txt", b"x")]), "a zip archive and no workbook"),
        ("a web page", b"<!DOCTYPE html><html><table></table></html>", "a web page"),
        ("a PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "a PDF document"),
        ("rich text", rb"{\rtf1\ansi hello}", "a text file"),
        ("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no Excel workbook"),
        ("a small picture", b"GIF89a\x01\0\x01\0\0\0\0;", "no Excel workbook"),
        ("a packed file", gzip.compress(b"x", mtime=0), "no Excel workbook"),
        ("a list of a web service", b'{"patients": []}', "a text file"),
        ("a table of text", b"Patient ID,First name\nP1,Ann\n", "a text file"),
        ("XML of 2003", b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "an XML spreadsheet of 2003"),
        ("a shortcut to a Google sheet", b'{"doc_id": "abc"}', "a shortcut to a Google sheet"),
        ("zeros", b"\0" * 1_000_000, "no Excel workbook"),
        ("noise", zlib.compress(b"x" * 1_000_000) * 20, "no Excel workbook"),
    ]  # fmt: skip
    return [Case(name, lambda _, c=content: c, says) for name, content, says in makes]


ANYWHERE = (*ARCHIVES, *PARTS, *CELLS, *_other_makes())
WORKBOOKS = (*ANYWHERE, *PATIENTS)
