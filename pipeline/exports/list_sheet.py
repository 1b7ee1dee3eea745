"""A worksheet whose lower rows come as XML that was made elsewhere."""

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from io import BytesIO, StringIO, TextIOWrapper
from zipfile import ZIP_DEFLATED, ZipFile

from xlsxwriter import Workbook
from xlsxwriter.packager import Packager
from xlsxwriter.relationships import DOCUMENT_SCHEMA, PACKAGE_SCHEMA, Relationships
from xlsxwriter.sharedstrings import SharedStrings
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

# Paths that stand in a link as they are, but for the way the stroke leans.
_PLAIN_PATHS = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_./-]{0,200}\n)*")
# What XlsxWriter writes in a way of its own: signs of XML, spaces at an end, and words
# that look like a sign written by its number.
_ODD = re.compile(r"[&<>]|_x|\0\s|\s\0")
_STRINGS_AT_A_TIME = 100
# How much a long list is compressed: three fifths of the usual time, a fiftieth larger.
_LEVEL_OF_LONG = 5


class ListSheet(Worksheet):
    """A sheet of XlsxWriter's that can be given many rows at once.

    The XML of those is asked for when the sheet is written: only then are formats numbered.
    """

    below: Callable[[], Iterable[str]] | None = None
    _links: Sequence[tuple[int, int, str]] = ()

    def give_rows(
        self, first: int, last: int, columns: int, xml: Callable[[], Iterable[str]]
    ) -> None:
        """Take the rows from `first` to `last` from `xml`, nothing else being there."""
        self._check_dimensions(first, 0)
        self._check_dimensions(last, columns - 1)
        self.below = xml
        self._first_below, self._last_below = first, last

    def give_links(self, links: Sequence[tuple[int, int, str]]) -> None:
        """Have cells (row, column) that are given open files, the only ones of the sheet."""
        if _PLAIN_PATHS.fullmatch("".join(f"{path}\n" for _, _, path in links)):
            self._links = sorted(links)
            return
        self.ignore_write_string = True
        for row, column, path in links:
            self.write_url(row, column, f"external:{path}")
        self.ignore_write_string = False

    def _prepare_formula(self, formula: str, _: bool = False) -> str:
        # Ours name no function that came after Excel's file format, for which XlsxWriter
        # looks thirty times in each.
        return formula.removeprefix("=")

    def _write_rows(self) -> None:
        if self.below is None:
            super()._write_rows()
            return
        self.dim_rowmax = self._first_below - 1
        super()._write_rows()
        self.dim_rowmax = self._last_below
        for text in self.below():
            self.fh.write(text)

    def _write_hyperlinks(self) -> None:
        if not self._links:
            super()._write_hyperlinks()
            return
        letters = {at: xl_col_to_name(at) for _, at, _ in self._links}
        self.fh.write("<hyperlinks>")
        self.fh.writelines(
            f'<hyperlink ref="{letters[at]}{row + 1}" r:id="rId{number}"/>'
            for number, (row, at, _) in enumerate(self._links, 1)
        )
        self.fh.write("</hyperlinks>")

    @property
    def opens(self) -> Sequence[str]:
        """The paths that the cells open which were given at once, one after another."""
        return [path for _, _, path in self._links]


class _Strings(SharedStrings):
    """The strings of a workbook, most of which are written as they are."""

    def _write_sst_strings(self) -> None:
        strings = self.string_table.string_array
        for at in range(0, len(strings), _STRINGS_AT_A_TIME):
            some = strings[at : at + _STRINGS_AT_A_TIME]
            joined = "\0".join(some)
            if _ODD.search(f"\0{joined}\0"):
                for string in some:
                    self._write_si(string)
            else:
                self.fh.write(f"<si><t>{'</t></si><si><t>'.join(some)}</t></si>")


class _Opened(Relationships):
    """The files that the cells of a sheet open: plain paths, which are written as they are."""

    def _write_relationships(self) -> None:
        self._xml_start_tag("Relationships", [("xmlns", PACKAGE_SCHEMA)])
        self.fh.writelines(
            f'<Relationship Id="rId{number}" Type="{DOCUMENT_SCHEMA}/hyperlink"'
            f' Target="{target}" TargetMode="External"/>'
            for number, target in enumerate(self.relationships, 1)
        )
        self._xml_end_tag("Relationships")


class _Part(StringIO):
    """A part of a workbook that goes into its file while it is written.

    XlsxWriter takes nothing but such a text, and keeps all of them until the end.
    """

    def __init__(self, part: TextIOWrapper):
        super().__init__()
        self.write = part.write  # type: ignore[method-assign]
        self.writelines = part.writelines  # type: ignore[method-assign]


class _ListPackager(Packager):
    """Writes each part into the file, one after another, as the packager comes to it."""

    def __init__(self, file: ZipFile):
        super().__init__()
        self._file = file
        self._parts = ExitStack()

    def _filename(self, xml_filename: str) -> StringIO:
        self._parts.close()
        part = self._parts.enter_context(self._file.open(xml_filename, "w"))
        text = TextIOWrapper(part, encoding="utf-8", newline="")
        return _Part(self._parts.enter_context(text))

    def _write_worksheet_rels_files(self) -> None:
        # What sheets are related to otherwise comes after them, as such sheets do.
        for number, sheet in enumerate(self.workbook.worksheets(), 1):
            if sheet.opens:
                opened = _Opened()
                opened.relationships = [path.replace("/", "\\") for path in sheet.opens]
                name = f"xl/worksheets/_rels/sheet{number}.xml.rels"
                opened._set_xml_writer(self._filename(name))
                opened._assemble_xml_file()
        super()._write_worksheet_rels_files()

    def _create_package(self) -> list[tuple[StringIO, str, bool]]:
        super()._create_package()
        self._parts.close()
        return []  # nothing is left to be put into the file

    def _write_shared_strings_file(self) -> None:
        strings = _Strings()
        strings.string_table = self.workbook.str_table
        if strings.string_table.count:
            strings._set_xml_writer(self._filename("xl/sharedStrings.xml"))
            strings._assemble_xml_file()


class ListWorkbook(Workbook):
    """A workbook of such sheets, which are never in memory whole."""

    worksheet_class = ListSheet
    filename: BytesIO

    def _store_workbook(self) -> None:
        # What XlsxWriter itself puts together has no parts in it.
        file: BytesIO = self.filename
        self.filename = BytesIO()
        is_long = any(sheet.below for sheet in self.worksheets())
        level = _LEVEL_OF_LONG if is_long else None
        with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=level) as self._file:
            super()._store_workbook()

    def _prepare_sst_string_data(self) -> None:
        # In the order in which they were numbered; XlsxWriter sorts them by that.
        self.str_table.string_array = list(self.str_table.string_table)
        self.str_table.string_table = {}

    def _get_packager(self) -> Packager:
        return _ListPackager(self._file)
