"""A worksheet whose lower rows come as XML that was made elsewhere."""

import re
from collections.abc import Callable, Iterable, Sequence

from xlsxwriter import Workbook
from xlsxwriter.packager import Packager
from xlsxwriter.sharedstrings import SharedStrings
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

# Paths that stand in a link as they are, but for the way the stroke leans.
_PLAIN_PATHS = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_./-]{0,200}\n)*")
# What XlsxWriter writes in a way of its own: signs of XML, spaces at an end, and words
# that look like a sign written by its number.
_ODD = re.compile(r"[&<>]|_x|\0\s|\s\0")
_STRINGS_AT_A_TIME = 100


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
        self.fh.write("<hyperlinks>")
        for row, column, path in self._links:
            self.rel_count += 1
            cell = xl_rowcol_to_cell(row, column)
            self.fh.write(f'<hyperlink ref="{cell}" r:id="rId{self.rel_count}"/>')
            target = path.replace("/", "\\")
            self.external_hyper_links.append(["/hyperlink", target, "External"])
        self.fh.write("</hyperlinks>")


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


class _ListPackager(Packager):
    def _write_shared_strings_file(self) -> None:
        strings = _Strings()
        strings.string_table = self.workbook.str_table
        if strings.string_table.count:
            strings._set_xml_writer(self._filename("xl/sharedStrings.xml"))
            strings._assemble_xml_file()


class ListWorkbook(Workbook):
    """A workbook of such sheets."""

    worksheet_class = ListSheet

    def _prepare_sst_string_data(self) -> None:
        # In the order in which they were numbered; XlsxWriter sorts them by that.
        self.str_table.string_array = list(self.str_table.string_table)
        self.str_table.string_table = {}

    def _get_packager(self) -> Packager:
        return _ListPackager()
