"""A workbook's parts: which sheets it has, where each is, its styles and shared text."""

import posixpath
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from xml.sax.saxutils import quoteattr

from pipeline.reading.archive import (
    Part,
    damaged,
    packed_again,
    take_apart,
    too_large,
    unreliable,
)
from pipeline.reading.plain_strings import (
    NOT_COMPARED,
    measured,
    measured_text,
    plain_texts,
)
from pipeline.reading.xml_parts import XmlReader, elements, local

MOST_STRINGS = 5_000_000
_STEP = 256 * 1024
_MOST_STYLES = 65_536

_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
NAMESPACES = (_SPREADSHEET, "http://purl.oclc.org/ooxml/spreadsheetml/main")


@dataclass(frozen=True)
class Entry:
    """One worksheet of a workbook: title, "visible", "hidden" or "veryHidden", part."""

    title: str
    state: str
    part: str


@dataclass(frozen=True)
class Strings:
    """The shared text of a workbook: how long each is, and which show nothing.

    `measured` is how many bytes the reader of values should find, NaN where a text has
    more to it than one piece.
    """

    lengths: "array[int]"
    blank: frozenset[int]
    measured: "array[float]" = field(default_factory=lambda: array("d"))


# Ways of showing a number that say more than the number.
PERCENT, SCIENTIFIC = "percent", "scientific"


@dataclass(frozen=True)
class Styles:
    """How many cell formats there are, which strike through, show hours, % or E+05."""

    count: int
    struck: frozenset[str]
    elapsed: frozenset[str] = frozenset()
    shown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Package:
    """A workbook taken apart: its parts, its worksheets and custom properties."""

    parts: dict[str, Part]
    sheets: tuple[Entry, ...]
    date1904: bool
    properties: dict[str, str]
    strings_part: str = ""
    styles_part: str = ""

    @cached_property
    def strings(self) -> Strings:
        """The shared text; none where there is no part for it."""
        if not self.strings_part:
            return Strings(array("I"), frozenset())
        return _read_strings(self.parts[self.strings_part])

    @cached_property
    def styles(self) -> Styles:
        """The cell formats; without a part for them there is the first alone."""
        if not self.styles_part:
            return Styles(1, frozenset())
        return _read_styles(self.parts[self.styles_part])

    def alone(self, entry: Entry) -> bytes:
        """A workbook of this one sheet for the reader of values.

        Its frame is our own, so that the reader can follow no other path to a sheet
        than we did; the sheet, its text and its formats are copied as they were packed.
        """
        parts: dict[str, Part | bytes] = {
            "[Content_Types].xml": b"<Types/>",
            "_rels/.rels": _relationships(("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": _one_sheet(self.date1904),
            "xl/worksheets/sheet1.xml": self.parts[entry.part],
        }
        leads = [("worksheet", "worksheets/sheet1.xml")]
        if self.strings_part:
            parts["xl/sharedStrings.xml"] = self.parts[self.strings_part]
            leads.append(("sharedStrings", "sharedStrings.xml"))
        if self.styles_part:
            parts["xl/styles.xml"] = self.parts[self.styles_part]
            leads.append(("styles", "styles.xml"))
        parts["xl/_rels/workbook.xml.rels"] = _relationships(*leads)
        return packed_again(parts)


def _relationships(*leads: tuple[str, str]) -> bytes:
    listed = "".join(
        f'<Relationship Id="rId{n}" Type="{_OFFICE}/{kind}" Target={quoteattr(target)}/>'
        for n, (kind, target) in enumerate(leads, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}">{listed}</Relationships>'.encode()


def _one_sheet(date1904: bool) -> bytes:
    return (
        f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
        f'<workbookPr date1904="{int(date1904)}"/>'
        '<sheets><sheet name="Sheet" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ).encode()


def unpack(content: bytes) -> Package:
    """Take a workbook apart within limits; Unusable when anything about it is odd."""
    parts = take_apart(content)
    try:
        return _package(parts)
    except KeyError:
        raise damaged() from None


def _package(parts: dict[str, Part]) -> Package:
    book = _part_named(parts, "xl/workbook.xml")
    targets = relations(parts, book)
    sheets, date1904 = [], False
    for kind, attributes, _ in elements(parts[book], "sheet", "workbookPr"):
        if kind == "workbookPr":
            date1904 = attributes.get("date1904", "0") in ("1", "true")
            continue
        relation, part = targets.get(attributes["id"], ("", ""))
        if relation.endswith("/worksheet"):
            state = attributes.get("state", "visible")
            sheets.append(Entry(attributes["name"], state, part))
    titles = [entry.title.casefold() for entry in sheets]
    if len(set(titles)) < len(titles) or len({s.part for s in sheets}) < len(sheets):
        raise unreliable()
    return Package(
        parts, tuple(sheets), date1904, _properties(parts),
        _only(targets, "sharedStrings"), _only(targets, "styles"),
    )  # fmt: skip


def _only(targets: dict[str, tuple[str, str]], kind: str) -> str:
    """The part a workbook has one of at most; "" when it has none."""
    found = {
        part for relation, part in targets.values() if relation.endswith(f"/{kind}")
    }
    if len(found) > 1:
        raise unreliable()
    return next(iter(found), "")


def _part_named(parts: dict[str, Part], name: str) -> str:
    """The part of that name whatever its case; KeyError when there is none."""
    if name in parts:
        return name
    return {known.lower(): known for known in parts}[name.lower()]


def relations(parts: dict[str, Part], part: str) -> dict[str, tuple[str, str]]:
    """Relation id to its type and the name of the part it leads to.

    What leads out of the workbook is never followed; nor is what leads nowhere.
    """
    folder, name = posixpath.split(part)
    try:
        source = _part_named(parts, f"{folder}/_rels/{name}.rels")
    except KeyError:
        return {}
    by_lower_name = {known.lower(): known for known in parts}
    found: dict[str, tuple[str, str]] = {}
    for _, attributes, _ in elements(parts[source], "Relationship"):
        if attributes.get("TargetMode", "").lower() == "external":
            continue
        target = attributes["Target"].replace("\\", "/")
        path = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        if attributes["Id"] in found:
            raise unreliable()
        if path.lower() in by_lower_name:
            found[attributes["Id"]] = attributes["Type"], by_lower_name[path.lower()]
    return found


def _properties(parts: dict[str, Part]) -> dict[str, str]:
    """The custom document properties, all as text."""
    properties, name = {}, ""
    if "docProps/custom.xml" not in parts:
        return {}
    for kind, attributes, text in elements(parts["docProps/custom.xml"], texts=True):
        if kind == "property":
            name = attributes.get("name", "")
        elif name:
            properties[name] = text
    return properties


_ITEM_END = b"</si>"
_PIECE = 4 * 1024**2  # bytes of shared text that are looked at together


def _read_strings(part: Part) -> Strings:
    """Measure every shared text, in one pass that keeps none of them."""
    texts = _Texts()
    waiting = bytearray()
    for chunk in part.chunks():
        waiting += chunk
        if len(waiting) > _PIECE:
            texts.take(waiting)
    texts.take(waiting)
    texts.reader.feed(bytes(waiting))
    texts.reader.finish()
    texts.finish()
    return Strings(texts.lengths, frozenset(texts.blank), texts.measured)


class _Texts:
    """The shared texts as far as they are read, plain ones many at a time."""

    def __init__(self) -> None:
        self.lengths: array[int] = array("I")
        self.measured: array[float] = array("d")
        self.blank: set[int] = set()
        self.reader = XmlReader(self._outermost)
        self._item, self._depth, self._inside = "", 0, 0
        self._open = False  # a text has begun that is not measured yet
        self._settled = self._began = -1

    def take(self, waiting: bytearray) -> None:
        """Read the whole texts off what is waiting, and what stands before them."""
        if not self.lengths and not self._open:
            first = waiting.find(b"<si>")
            if first < 0:
                first = len(waiting)
            self.reader.feed(bytes(waiting[:first]))
            # All that was fed ends with the outermost tag.
            last = waiting.rfind(b"<", 0, first)
            if last == self._began and waiting[:first].endswith(b">"):
                self._settled = self.reader.fed
            del waiting[:first]
        cut = waiting.rfind(_ITEM_END) + len(_ITEM_END)
        piece = bytes(waiting[: cut if cut >= len(_ITEM_END) else len(waiting)])
        del waiting[: len(piece)]
        settled = self.reader.fed == self._settled and self.reader.is_utf8
        found = plain_texts(piece) if settled else None
        if found is None:
            for start in range(0, len(piece), _STEP):
                self.reader.feed(piece[start : start + _STEP])
            return
        self.finish()
        if len(self.lengths) + len(found) > MOST_STRINGS:
            raise too_large()
        for text in found:
            self._add(len(text), *measured(text))

    def _add(self, length: int, told: float, blank: bool) -> None:
        if blank:
            self.blank.add(len(self.lengths))
        self.lengths.append(length)
        self.measured.append(told)

    def finish(self) -> None:
        """Measure the text that was read last tag by tag."""
        text = "".join(self.reader.texts)
        self.reader.texts.clear()
        if not self._open:
            return
        self._open = False
        told, blank = measured_text(text)
        self._add(len(text), told if self._inside == 1 else NOT_COMPARED, blank)

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._depth += 1
        if name != self._item:
            self._inside += 1
        else:
            if self._depth != 1:
                raise unreliable()
            self.finish()
            self._open, self._inside = True, 0
            if len(self.lengths) >= MOST_STRINGS:
                raise too_large()

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == self._item:
            self._settled = self.reader.position + len(_ITEM_END)

    def _outermost(self, name: str, _: dict[str, str]) -> None:
        space, kind = name.rpartition(" ")[::2]
        if space not in NAMESPACES or kind != "sst":
            raise unreliable()
        self._item, self._began = f"{space} si", self.reader.position
        self.reader.act(self._start, self._end)


_ELAPSED = re.compile(r"\[[hms]+\]", re.IGNORECASE)
_EXPONENT = re.compile(r"E[+-]", re.IGNORECASE)
_CONDITION = re.compile(r"\[[<>=]")
# What a format shows as it stands, or does not show: "p.a." \% _) *- [Red]
_AS_IT_STANDS = re.compile(r'"[^"]*"|[\\_*].|\[[^\]]*\]')


def _shown_by(code: str) -> str:
    """The way in which a format shows every number from 0 on; "" for the number itself."""
    first = _AS_IT_STANDS.sub("", code).partition(";")[0]
    if _CONDITION.search(code):
        return ""
    if _EXPONENT.search(first):
        return SCIENTIFIC
    return PERCENT if first.count("%") == 1 else ""


def _read_styles(part: Part) -> Styles:
    """Count the cell formats; find those that strike through, show hours, % or E+05."""
    section, seen = "", False
    struck_fonts: list[bool] = []
    fonts_of_formats: list[int] = []
    elapsed: set[str] = set()
    shown: dict[str, str] = {}
    elapsed_numbers = {"45", "46", "47"}
    shown_by = {"9": PERCENT, "10": PERCENT, "11": SCIENTIFIC, "48": SCIENTIFIC}

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal section, seen
        kind = local(name)
        reader.texts.clear()
        if not seen and (
            name.rpartition(" ")[0] not in NAMESPACES or kind != "styleSheet"
        ):
            raise unreliable()
        seen = True
        if kind in ("fonts", "cellXfs", "cellStyleXfs", "dxfs"):
            section = kind
        elif section == "fonts" and kind == "font":
            struck_fonts.append(False)
        elif section == "fonts" and kind == "strike" and struck_fonts:
            struck_fonts[-1] = attributes.get("val", "1") not in ("0", "false")
        elif kind == "numFmt":
            number = attributes.get("numFmtId", "")
            code = attributes.get("formatCode", "")
            if _ELAPSED.search(code):
                elapsed_numbers.add(number)
            shown_by[number] = _shown_by(code)
        elif section == "cellXfs" and kind == "xf":
            if attributes.get("numFmtId") in elapsed_numbers:
                elapsed.add(str(len(fonts_of_formats)))
            if way := shown_by.get(attributes.get("numFmtId", "")):
                shown[str(len(fonts_of_formats))] = way
            fonts_of_formats.append(int(attributes.get("fontId", "0")))
        if len(fonts_of_formats) + len(struck_fonts) > 2 * _MOST_STYLES:
            raise too_large()

    def end(name: str) -> None:
        nonlocal section
        if local(name) == section:
            section = ""

    reader = XmlReader(start, end)
    reader.read(part)
    struck = {number for number, yes in enumerate(struck_fonts) if yes}
    formats = enumerate(fonts_of_formats)
    return Styles(
        max(len(fonts_of_formats), 1),
        frozenset(str(number) for number, font in formats if font in struck),
        frozenset(elapsed),
        shown,
    )
