"""What of a staff workbook goes into a marked copy, and what a copy has to leave out.

The writer of copies reads a whole workbook and trusts it: one merged area as large as a
sheet would keep it busy for days. So it never sees the file of the office. It is given
cells, formats, tables, comments and links, each walked within limits first, in a frame
of our own.
"""

import re
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from pipeline.reading.archive import Part, packed_again
from pipeline.reading.package import NAMESPACES, Entry, Package, relations
from pipeline.reading.sheets import Area
from pipeline.reading.xml_parts import XmlReader, elements, local

MOST_ROWS = 10_000  # of a sheet: a copy of more takes longer than the night
MOST_CELLS = 250_000  # of a workbook, formatted blank ones too
_MOST_COVERED = 200_000  # cells under merged areas, links and comments
_LONGEST_FOOTER = 1_000

_SPREADSHEET = NAMESPACES[0]
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_OUTSIDE = ' TargetMode="External"'
_KEPT = ("table", "comments")
_TYPES = (
    ("xl/workbook.xml", "sheet.main"),
    ("xl/sharedStrings.xml", "sharedStrings"),
    ("xl/styles.xml", "styles"),
)

# Parts of a workbook, or elements of a sheet, that a copy lacks.
_LOST_PARTS: tuple[tuple[str, str], ...] = (
    (r"xl/charts/|xl/chartsheets/", "charts"),
    (r"xl/media/", "pictures"),
    (r"xl/pivot", "pivot tables"),
    (r"xl/slicers?|xl/timelines?", "slicers"),
    (r"xl/ctrlprops/|xl/activex/", "form controls"),
    (r"xl/vbaproject", "macros"),
    (r"xl/externallinks/", "links to other workbooks"),
    (r"xl/threadedcomments/", "threads of comments"),
    (r"xl/diagrams/|xl/embeddings/", "embedded objects"),
)
_LOST_ELEMENTS = {
    "conditionalFormattings": "conditional formats of newer kinds (data bars, icons)",
    "sparklineGroups": "sparklines",
    "dataValidations": "drop-down lists of a newer kind",
}
_FORMULAS = "formulas (their saved values are shown)"


class TooMuch(Exception):
    """A workbook of which no copy is made, and why, as a clause."""


def framed(package: Package, names: Iterable[str]) -> tuple[bytes, list[str]]:
    """A workbook of the plain parts of another, and in words what it lacks of it.

    `names` are those of all the parts of the other, pictures and macros too.
    Raises `TooMuch`, or `Unusable` where a part is not as an office program writes it.
    """
    # Counted at once: to walk ten thousand rows tag by tag takes longer than all else.
    for entry in package.sheets:
        if _rows_at_least(package.parts[entry.part]) > MOST_ROWS:
            raise _too_long()
    walk = _Walk()
    parts: dict[str, Part | bytes] = {}
    leads = []
    for number, entry in enumerate(package.sheets, start=1):
        name = f"worksheets/sheet{number}.xml"
        walk.sheet(package.parts[entry.part])
        parts[f"xl/{name}"] = package.parts[entry.part]
        leads.append((f"rId{number}", "worksheet", name))
        parts |= _attached(package, entry, number, walk)
    for part, kind in (
        (package.strings_part, "sharedStrings"),
        (package.styles_part, "styles"),
    ):
        if part:
            walk.plain(package.parts[part])
            parts[f"xl/{kind}.xml"] = package.parts[part]
    theme = package.parts.get("xl/theme/theme1.xml")
    if theme is not None:
        walk.plain(theme)
        parts["xl/theme/theme1.xml"] = theme
    parts["xl/workbook.xml"] = _workbook(package)
    parts["xl/_rels/workbook.xml.rels"] = _relationships(leads)
    parts["[Content_Types].xml"] = _content_types(parts)
    return packed_again(parts), [*dict.fromkeys([*_lost(package, names), *walk.lost])]


def _rows_at_least(part: Part) -> int:
    """How many rows a sheet has; one that stands in two chunks is not counted."""
    rows = sum(chunk.count(b"<row ") for chunk in part.chunks())
    part.allowance.give_back(part.size)  # it is inflated once more
    return rows


def _too_long() -> TooMuch:
    return TooMuch(f"it has more than {MOST_ROWS:,} rows")


def _lost(package: Package, names: Iterable[str]) -> Iterator[str]:
    lower = [name.lower() for name in names]
    for pattern, words in _LOST_PARTS:
        if any(re.match(pattern, name) for name in lower):
            yield words
    drawings = [n for n in package.parts if n.lower().startswith("xl/drawings/drawing")]
    if any(elements(package.parts[name], "sp", "cxnSp") for name in drawings):
        yield "drawn shapes"


def _attached(
    package: Package, entry: Entry, number: int, walk: "_Walk"
) -> dict[str, Part | bytes]:
    """A sheet's tables and comments, and the relations that lead to them."""
    parts: dict[str, Part | bytes] = {}
    leads = []
    for key, (kind, part) in relations(package.parts, entry.part).items():
        plain = kind.rpartition("/")[2]
        if plain not in _KEPT:
            continue
        walk.attachment(package.parts[part], plain)
        name = f"{plain}/{plain}{number}_{len(parts)}.xml"
        parts[f"xl/{name}"] = package.parts[part]
        leads.append((key, plain, f"/xl/{name}"))
    leads += [(key, "hyperlink", target) for key, target in _links(package, entry)]
    if leads:
        parts[f"xl/worksheets/_rels/sheet{number}.xml.rels"] = _relationships(leads)
    return parts


def _links(package: Package, entry: Entry) -> Iterator[tuple[str, str]]:
    """The addresses that cells of a sheet link to, by relation: kept, never followed."""
    folder, _, name = entry.part.rpartition("/")
    source = package.parts.get(f"{folder}/_rels/{name}.rels")
    for _, attributes, _ in elements(source, "Relationship") if source else ():
        if attributes.get("Type", "").endswith("/hyperlink"):
            yield attributes["Id"], attributes["Target"]


def _relationships(leads: list[tuple[str, str, str]]) -> bytes:
    listed = "".join(
        f'<Relationship Id={quoteattr(key)} Type="{_OFFICE}/{kind}"'
        f" Target={quoteattr(target)}"
        f"{_OUTSIDE if kind == 'hyperlink' else ''}/>"
        for key, kind, target in leads
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'.encode()


def _content_types(parts: dict[str, Part | bytes]) -> bytes:
    listed = "".join(
        f'<Override PartName="/{name}" ContentType="{_TYPE}.{kind}+xml"/>'
        for name, kind in _TYPES
        if name in parts
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="xml" ContentType="application/xml"/>{listed}</Types>'
    ).encode()


def _workbook(package: Package) -> bytes:
    sheets = "".join(
        f'<sheet name={quoteattr(entry.title)} sheetId="{n}" r:id="rId{n}"'
        f" state={quoteattr(entry.state)}/>"
        for n, entry in enumerate(package.sheets, start=1)
    )
    book = next(part for name, part in package.parts.items()
                if name.lower() == "xl/workbook.xml")  # fmt: skip
    names = "".join(
        f"<definedName name={quoteattr(attributes['name'])}>{escape(text)}</definedName>"
        for kind, attributes, text in elements(book, texts=True)
        # The names that drop-down lists use; those of one sheet are its own affair.
        if kind == "definedName"
        and "localSheetId" not in attributes
        and not attributes.get("name", "_xl").lower().startswith("_xl")
        and "[" not in text
    )
    return (
        f'<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_OFFICE}">'
        f'<workbookPr date1904="{int(package.date1904)}"/><sheets>{sheets}</sheets>'
        f"{f'<definedNames>{names}</definedNames>' if names else ''}</workbook>"
    ).encode()


class _Walk:
    """One pass over each part, counting what a copy would have to hold."""

    def __init__(self) -> None:
        self.lost: dict[str, None] = {}
        self._cells = self._covered = 0

    def plain(self, part: Part) -> None:
        """A part without anything to count: read for what may not be in it."""
        elements(part)

    def attachment(self, part: Part, kind: str) -> None:
        """A table or the comments of a sheet."""
        found = elements(part, "comment" if kind == "comments" else "tableColumn")
        if kind == "comments":
            for _, attributes, _ in found:
                self._cover(attributes["ref"])
        elif not found:
            raise TooMuch("it has a table without columns")

    def sheet(self, part: Part) -> None:
        """A sheet's cells and areas, and what stands in it that a copy lacks."""
        self._rows = 0

        def start(name: str, attributes: dict[str, str]) -> None:
            reader.texts.clear()
            self._start(*name.rpartition(" ")[::2], attributes)

        def end(name: str) -> None:
            footer = local(name).endswith(("Header", "Footer"))
            if footer and sum(map(len, reader.texts)) > _LONGEST_FOOTER:
                raise TooMuch("the head or foot of a page is very long")
            reader.texts.clear()

        reader = XmlReader(start, end)
        reader.read(part)

    def _start(self, space: str, kind: str, attributes: dict[str, str]) -> None:
        if kind == "c":
            self._cells += 1
        elif kind == "row":
            self._rows += 1
        elif kind in ("mergeCell", "hyperlink"):
            self._cover(attributes["ref"])
        elif kind == "worksheet" and space != _SPREADSHEET:
            raise TooMuch("it is saved as Strict Open XML")
        elif kind == "f" and space == _SPREADSHEET:
            self.lost[_FORMULAS] = None
        elif space != _SPREADSHEET and kind in _LOST_ELEMENTS:
            self.lost[_LOST_ELEMENTS[kind]] = None
        if self._rows > MOST_ROWS or self._cells > MOST_CELLS:
            raise _too_long()

    def _cover(self, reference: str) -> None:
        area = Area.of(reference)
        across = abs(area.right - area.left) + 1
        self._covered += across * (abs(area.bottom - area.top) + 1)
        if self._covered > _MOST_COVERED:
            raise TooMuch("its merged cells or links cover a whole sheet")
