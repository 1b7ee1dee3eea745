"""A worksheet whose lower rows come as XML that was made elsewhere."""

from collections.abc import Callable, Iterable

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet


class ListSheet(Worksheet):
    """A sheet of XlsxWriter's that can be given many rows at once.

    The XML of those is asked for when the sheet is written: only then are formats numbered.
    """

    below: Callable[[], Iterable[str]] | None = None

    def give_rows(
        self, first: int, last: int, columns: int, xml: Callable[[], Iterable[str]]
    ) -> None:
        """Take the rows from `first` to `last` from `xml`, nothing else being there."""
        self._check_dimensions(first, 0)
        self._check_dimensions(last, columns - 1)
        self.below = xml
        self._first_below, self._last_below = first, last

    def _write_rows(self) -> None:
        if self.below is None:
            super()._write_rows()
            return
        self.dim_rowmax = self._first_below - 1
        super()._write_rows()
        self.dim_rowmax = self._last_below
        for text in self.below():
            self.fh.write(text)


class ListWorkbook(Workbook):
    """A workbook of such sheets."""

    worksheet_class = ListSheet
