"""Small changes to a workbook or CSV file: to a zip part, an XML token, a cell, a byte."""

import io
import re
import struct
import zipfile
from collections.abc import Callable
from random import Random

Parts = dict[str, bytes]

_TOKEN = re.compile(rb"<[^>]*>|[^<]+")
_CELL = re.compile(rb"<c [^>]*?(?:/>|>.*?</c>)", re.DOTALL)
_QUOTED = re.compile(rb'"[^"]*"')

VALUES = (
    "", " ", "0", "-1", "1", "2", "9" * 400, "1e999", "-1e999", "nan", "inf", "1e-320", "true",
    "TRUE", "\u00a0", "\u200b", "\u202e", "A1", "XFD1048576", "XFE1", "A1048577", "A0", "#REF!",
    "#WHAT!", "2026-02-31", "31/02/2026", "45000", "60", "-5", "2958466", "44590.5", "£49.99",
    "49,99", "(5.00)", "=1+1", "@x", "=cmd|' /c calc'!A0", "../../etc/passwd", "&amp;", "&#57;",
    "&#0;", "&evil;", "<!-- x -->", "<![CDATA[x]]>", "<?x?>", "_x0000_", "_xD800_", "P1", "GOLD",
    "Patient ID", "Yes", "ﬁ", "İ", "ß", "١٢٣", "𝟙", "Total", "EXAMPLE", "n/a", "xml:space", "é\u0301",
    "0x10", "1_000", "+5", ".5", "5.", "1" * 5000, "x" * 40_000, "s", "str", "b", "e", "d", "n",
    "inlineStr", "1E5", "MAR1", "00123", "1.10", "\ud800".encode("utf-8", "replace").decode(),
)  # fmt: skip
TOKENS = (
    "<row r=\"1\">", "</row>", "<row>", "<c r=\"A1\">", "<c>", "</c>", "<v>", "</v>", "<v/>",
    "<f>1</f>", "<f/>", "<is><t>x</t></is>", "<t>", "</t>", "<si/>", "<r><t>x</t></r>",
    "<rPh><t>x</t></rPh>", "<!DOCTYPE x>", "<mergeCell ref=\"A1:Z99\"/>", "<mergeCell/>",
    "<col min=\"1\" max=\"9\" hidden=\"1\"/>", "<sheet name=\"X\" sheetId=\"9\" r:id=\"rId1\"/>",
    "<xf/>", "<font><strike/></font>", "<workbookPr date1904=\"1\"/>", "</sheetData>",
    "<sheetData>", "<x>", "\x00", "\ufeff", "<?xml version=\"1.0\" encoding=\"utf-16\"?>",
)  # fmt: skip
CELLS = (
    '<c r="{r}"/>', '<c r="{r}" t="s"><v>{v}</v></c>', '<c r="{r}"><v>{v}</v></c>',
    '<c r="{r}" s="{v}"><v>45000</v></c>', '<c r="{r}" t="str"><f>1</f><v>{v}</v></c>',
    '<c r="{r}" t="b"><v>{v}</v></c>', '<c r="{r}" t="e"><v>{v}</v></c>', '<c r="{v}"><v>1</v></c>',
    '<c r="{r}" t="inlineStr"><is><t>{v}</t></is></c>', '<c r="{r}" s="1"><v>{v}</v></c>',
    '<c r="{r}" t="d"><v>{v}</v></c>', '<c r="{r}" t="{v}"><v>1</v></c>', '<c r="{r}"><f>{v}</f></c>',
    '<c r="{r}" t="inlineStr"><is><r><t>{v}</t></r><rPh><t>x</t></rPh></is></c>',
)  # fmt: skip
_FIELDS = (
    (6, "<H"),
    (8, "<H"),
    (10, "<H"),
    (16, "<I"),
    (20, "<I"),
    (24, "<I"),
    (42, "<I"),
)
_NUMBERS = (0, 1, 8, 9, 14, 99, 2**15, 2**31 - 1, 2**32 - 1)


def apart(content: bytes) -> Parts:
    """A good workbook's parts."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(parts: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, part in parts:
            archive.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def workbook(parts: Parts, dice: Random) -> bytes:
    """A workbook with one to four things about it changed."""
    changed = dict(parts)
    listed = [*changed.items()]
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        kind = dice.choice(("part", "token", "token", "cell", "cell", "cell", "byte"))
        if kind == "part":
            listed = _other_parts(listed, dice)
            continue
        change: Callable[[bytes, Random], bytes]
        change = {"token": _other_token, "cell": _other_cell, "byte": _other_byte}[kind]
        weights = [
            9 if "sheet" in name and "rels" not in name else 1 for name, _ in listed
        ]
        index = dice.choices(range(len(listed)), weights)[0] if listed else 0
        if listed:
            listed[index] = listed[index][0], change(listed[index][1], dice)
    content = _zipped(listed)
    if dice.random() < 0.1:
        content = _lying(content, dice)
    return _other_byte(content, dice) if dice.random() < 0.1 else content


def _other_parts(
    parts: list[tuple[str, bytes]], dice: Random
) -> list[tuple[str, bytes]]:
    changed = [*parts]
    if not changed:
        return changed
    first, second = dice.randrange(len(changed)), dice.randrange(len(changed))
    kind = dice.randrange(5)
    if kind == 0:
        del changed[first]
    elif kind == 1:
        changed.insert(second, changed[first])
    elif kind == 2:
        changed[first] = changed[first][0], changed[second][1]
    elif kind == 3:
        name = dice.choice(
            (changed[first][0].upper(), f"/{changed[first][0]}", "../x.xml", "x.xml")
        )
        changed[first] = name, changed[first][1]
    else:
        dice.shuffle(changed)
    return changed


def _lying(content: bytes, dice: Random) -> bytes:
    """The directory, or a part's own header, with another number in it."""
    changed = bytearray(content)
    places = [match.start() for match in re.finditer(b"PK\x01\x02", content)]
    if not places:
        return content
    place, form = dice.choice(_FIELDS)
    struct.pack_into(
        form,
        changed,
        dice.choice(places) + place,
        dice.choice(_NUMBERS) % 2 ** (8 * struct.calcsize(form)),
    )
    return bytes(changed)


def _other_token(part: bytes, dice: Random) -> bytes:
    tokens = _TOKEN.findall(part)
    if not tokens:
        return part
    at, other = dice.randrange(len(tokens)), dice.randrange(len(tokens))
    kind = dice.randrange(6)
    if kind == 0:
        del tokens[at]
    elif kind == 1:
        tokens.insert(other, tokens[at])
    elif kind == 2:
        tokens[at], tokens[other] = tokens[other], tokens[at]
    elif kind == 3:
        tokens.insert(at, dice.choice(TOKENS).encode("utf-8", "replace"))
    elif kind == 4 and b'"' in tokens[at]:
        quoted = _QUOTED.findall(tokens[at])
        if quoted:
            new = f'"{dice.choice(VALUES)}"'.encode()
            tokens[at] = tokens[at].replace(dice.choice(quoted), new, 1)
    else:
        tokens[at] = dice.choice(VALUES).encode()
    return b"".join(tokens)


def _other_cell(part: bytes, dice: Random) -> bytes:
    cells = [*_CELL.finditer(part)]
    if not cells:
        return _other_token(part, dice)
    old = dice.choice(cells)
    address = re.search(rb'r="([A-Z]+[0-9]+)"', old[0])
    value = dice.choice(VALUES)
    if dice.random() < 0.7:
        value = value.replace("&", "&amp;").replace("<", "&lt;")
    new = dice.choice(CELLS).format(r=address[1].decode() if address else "A1", v=value)
    return part[: old.start()] + new.encode() + part[old.end() :]


def _other_byte(part: bytes, dice: Random) -> bytes:
    changed = bytearray(part)
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(changed) + 1)
        kind = dice.randrange(4)
        if kind == 0:
            changed.insert(at, dice.randrange(256))
        elif kind == 1:
            del changed[at : at + dice.choice((1, 1, 4, 100))]
        elif kind == 2 and at < len(changed):
            changed[at] ^= 1 << dice.randrange(8)
        elif dice.random() < 0.1:
            del changed[at:]
    return bytes(changed)


def text(content: bytes, dice: Random) -> bytes:
    """A CSV file with one to four things about it changed."""
    letters = dice.choice(
        ("utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1")
    )
    changed = content.decode("utf-8")
    for _ in range(dice.choice((1, 1, 2, 4))):
        changed = _other_line(changed, dice)
    made = changed.encode(letters, "replace")
    return _other_byte(made, dice) if dice.random() < 0.3 else made


def _other_line(content: str, dice: Random) -> str:
    lines = content.splitlines(keepends=True) or [""]
    at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
    kind = dice.randrange(9)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(other, lines[at])
    elif kind == 2:
        lines.insert(
            at, dice.choice(("\n", "\r", "\r\n", "\f\n", ",\n", '""\n', "sep=;\n", '"'))
        )
    elif kind == 3:
        mark = dice.choice((";", "\t", "|", ",,", "\n", '"', ""))
        lines[at] = lines[at].replace(",", mark)
    elif kind == 4:
        cut = dice.randrange(len(lines[at]) + 1)
        mark = dice.choice(
            ('"', '""', ",", "\0", "\r", "\n", "\x85", "\x1c", "\u2028", "\ufeff")
        )
        lines[at] = lines[at][:cut] + mark + lines[at][cut:]
    else:
        cells = lines[at].rstrip("\r\n").split(",")
        value = dice.choice(VALUES)
        if dice.random() < 0.3:
            value = (
                '"'
                + value.replace('"', '""')
                + dice.choice(("", "\n", ",", '""'))
                + '"'
            )
        cells[dice.randrange(len(cells))] = value
        lines[at] = ",".join(cells) + "\n"
    return "".join(lines)
