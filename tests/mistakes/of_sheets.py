"""Mistakes with sheets, tables and headings: 29 to 58."""

from collections.abc import Callable
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from mistakes.mistake import Mistake, parts, workbook


def _book(
    act: Callable[[Workbook, Worksheet], object],
) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with workbook(folder) as (book, sheet):
            act(book, sheet)

    return change


def _twin(book: Workbook, sheet: Worksheet) -> None:
    sheet.title = "Patients A"
    book.copy_worksheet(sheet).title = "Patients B"


def _set(**cells: object) -> Callable[[Path], None]:
    def act(book: Workbook, sheet: Worksheet) -> None:
        for address, value in cells.items():
            sheet[address] = value

    return _book(act)


def _turned(book: Workbook, sheet: Worksheet) -> None:
    rows = list(sheet.values)
    sheet.delete_rows(1, 9)
    for row in zip(*rows, strict=True):
        sheet.append(row)


def _moved(book: Workbook, sheet: Worksheet) -> None:
    sheet.move_range("B1:B3", cols=20)


def _beside(book: Workbook, sheet: Worksheet) -> None:
    for number, row in enumerate(list(sheet.values), start=1):
        for column, value in enumerate(row[:4], start=20):
            sheet.cell(number, column, value)


def _formatted(book: Workbook, sheet: Worksheet) -> None:
    for number in range(4, 2_000):
        sheet.cell(number, 1).fill = PatternFill("solid", fgColor="FFEEEEEE")


def _below(book: Workbook, sheet: Worksheet) -> None:
    sheet.add_table(Table(displayName="Patients", ref="A1:Q2"))


def _last_row(folder: Path) -> None:
    for column in "ABCDEFGHIJKLMNOPQ":
        parts(
            folder, f'r="{column}3"'.encode(), f'r="{column}65536"'.encode(), some=False
        )
    parts(folder, b'<row r="3"', b'<row r="65536"')


def _struck(book: Workbook, sheet: Worksheet) -> None:
    sheet["A3"].font = Font(strike=True)


def _hidden_row(book: Workbook, sheet: Worksheet) -> None:
    sheet.row_dimensions[3].hidden = True


def _hidden_column(book: Workbook, sheet: Worksheet) -> None:
    sheet.column_dimensions["H"].hidden = True


def _hidden_sheet(book: Workbook, sheet: Worksheet) -> None:
    book.create_sheet("Rota")
    book.active = 1
    sheet.sheet_state = "veryHidden"


def _commented(book: Workbook, sheet: Worksheet) -> None:
    sheet["H3"].comment = Comment("left in May", "Di")


def _renamed(book: Workbook, sheet: Worksheet) -> None:
    sheet.title = "Sheet1"


def _saved_formula(formula: str) -> Callable[[Path], None]:
    """A formula with the value 46054 saved beside it, as Excel saves one."""

    def change(folder: Path) -> None:
        with workbook(folder) as (_, sheet):
            sheet["G3"] = formula
            sheet["G3"].number_format = "dd/mm/yyyy"
        parts(folder, b"</f><v />", b"</f><v>46054</v>")

    return change


MISTAKES = (
    Mistake(
        29, "The sheet has another title",
        "The only one with its headings is read, and that is said.",
        (
            "Check | sheet-renamed | patients.xlsx: Sheet1 | there is no sheet Patients; this one has its headings and was read |  | name the sheet Patients",
        ), _book(_renamed),
    ),
    Mistake(
        30, "Two sheets fit", "The night stops until one is gone.", (
            "Stops the night | two-sheets | patients.xlsx | the sheets Patients A and Patients B both look like Patients |  | keep the right one and delete or move the other",
        ), _book(_twin),
    ),
    Mistake(
        31, "Sheets of the office's own", "They are left alone.", (),
        _book(lambda book, sheet: book.create_sheet("Rota")),
    ),
    Mistake(
        32, "Title rows above the headings",
        "The headings are found in the first rows, and that is said.",
        (
            "Check | rows-above | patients.xlsx: Patients!A2 | the headings stand in row 2; what is above was not read |  | delete the rows above the headings",
        ), _book(lambda book, sheet: (sheet.insert_rows(1), sheet.__setitem__("A1", "Our patients"))),
    ),
    Mistake(
        33, "Headings merged or in two rows", "The night stops.",
        (
            "Stops the night | heading-merged | patients.xlsx: Patients!A1 | the headings are merged cells (A1:B1) |  | unmerge them and write one heading over each column",
        ), _book(lambda book, sheet: sheet.merge_cells("A1:B1")),
    ),
    Mistake(
        34, "A heading in other case, with other spaces or underscores",
        "It is understood without a word.", (),
        _set(A1=" PATIENT\u00a0id ", B1="first_name", G1="Start  Date"),
    ),
    Mistake(
        35, "A required column is missing, or its heading misspelt",
        "The night stops; the nearest heading is named. So it does where an optional"
        " column is nearly spelt.", (
            "Stops the night | column-missing | patients.xlsx: Patients!B1 | the column First name is missing |  | did you mean the heading Frist name?",
            "Stops the night | column-missing | patients.xlsx: Patients!G1 | the column Start date is missing |  | did you mean the heading Start dte?",
        ), _set(B1="Frist name", G1="Start dte"),
    ),
    Mistake(36, "A column stands there twice", "The night stops.", (
            "Stops the night | column-twice | patients.xlsx: Patients!L1 | the column End date stands here twice (columns H and L) |  | keep the right one and delete the other",
        ), _set(L1="End date")),
    Mistake(
        37, "A column nobody knows", "It is not read, and that is said.",
        (
            "Check | column-unknown | patients.xlsx: Patients!R1 | no column of this sheet is called Shoe size; it was not read |  | leave it if it is for the office alone",
        ), _set(R1="Shoe size", R2="42"),
    ),
    Mistake(38, "Columns in another order", "Read without a word.", (), _book(_moved)),
    Mistake(
        39, "A heading is blank over values", "The night stops.", (
            "Stops the night | heading-blank | patients.xlsx: Patients!R1 | the heading is blank, but there are values under it (row 2) |  | write the heading, or clear the column",
        ), _set(R2="42"),
    ),
    Mistake(
        40, "Rows are hidden, a filter left on", "They are read, and that is said.",
        (
            "Check | rows-hidden | patients.xlsx: Patients!A3 | 1 row is hidden and was read like any other |  | clear the filter or unhide the rows, and delete what should not count",
        ), _book(_hidden_row),
    ),
    Mistake(
        41, "Columns are hidden", "They are read, and that is said.",
        (
            "Check | columns-hidden | patients.xlsx: Patients!H1 | the column End date is hidden and was read |  | unhide the columns so that mistakes in them can be seen",
        ), _book(_hidden_column),
    ),
    Mistake(
        42, "The sheet itself is hidden", "It is read, and that is said.",
        (
            "Check | sheet-hidden | patients.xlsx: Patients | the sheet is hidden and was read |  | unhide it so that mistakes in it can be seen",
        ), _book(_hidden_sheet),
    ),
    Mistake(
        43, "Merged cells among the rows", "Each row they touch is held.",
        (
            "Not billed | merged | patients.xlsx: Patients!B2 | the cell is merged with its neighbours (B2:B3) |  | unmerge the cells and write the value of each",
            "Not billed | merged | patients.xlsx: Patients!B3 | the cell is merged with its neighbours (B2:B3) |  | unmerge the cells and write the value of each",
            "Not billed | required-blank | patients.xlsx: Patients!B3 | First name is blank | text | write the First name",
        ), _book(lambda book, sheet: sheet.merge_cells("B2:B3")),
    ),
    Mistake(
        44, "Rows below the end of the Excel table", "They are read, and that is said.",
        (
            "Check | below-table | patients.xlsx: Patients!A3 | 1 row stands below the end of the Excel table and was read |  | drag the corner of the table down to the last row",
        ), _book(_below),
    ),
    Mistake(
        45, "A blank row in the middle", "It is passed over.", (),
        _book(lambda book, sheet: sheet.insert_rows(3)),
    ),
    Mistake(
        46, "A row of totals",
        "It is skipped, and that is said, also with a word beside its figures.",
        (
            "Check | rows-skipped | patients.xlsx: Patients!A4 | rows 4 and 5 are no part of the table and were skipped |  | keep totals and notes off this sheet",
        ), _set(A4="Total", B4=2, A5="TOTALS", D5="3", E5="x"),
    ),
    Mistake(
        47, "Notes under the table", "They are skipped, and that is said; a row with"
        " anything of the table's in it is a row.",
        (
            "Check | rows-skipped | patients.xlsx: Patients!A5 | row 5 is no part of the table and was skipped |  | keep totals and notes off this sheet",
        ), _set(A5="Updated by Di on Monday"),
    ),
    Mistake(
        48, "Formatted blank rows to the end of the sheet", "Passed over.", (),
        _book(_formatted),
    ),
    Mistake(
        49, "The sheet ends where a spreadsheet cuts rows off", "The night stops.",
        (
            "Stops the night | row-limit | patients.xlsx: Patients!A65536 | the sheet ends at row 65,536, where a spreadsheet cuts rows off |  | see whether rows are missing below it, and delete blank rows above",
        ), _last_row,
    ),
    Mistake(
        50, "The example row was left in",
        "It is skipped: its id begins with EXAMPLE, in capitals or not.",
        (
            "Fixed for you | example | patients.xlsx: Patients!A4 | rows 4 and 5 with an example were skipped |  | delete the example when you like",
        ), _set(A4="EXAMPLE1", B4="Ada", C4="Alder", D4="Yes", A5="Example 2", D5="Yes"),
    ),
    Mistake(51, "Two tables side by side", "The night stops.", (
            "Stops the night | two-tables | patients.xlsx: Patients!W1 | two tables stand side by side on the sheet |  | move one of them to a sheet of its own",
        ), _book(_beside)),
    Mistake(
        52, "The table is turned on its side", "The night stops.", (
            "Stops the night | table-turned | patients.xlsx: Patients!A1 | the headings run down column A instead of across a row |  | copy the table and paste it with Paste Special, Transpose",
        ), _book(_turned),
    ),
    Mistake(
        53, "Struck through to say: has left",
        "How a cell looks is never read; that is said.", (
            "Check | rows-struck | patients.xlsx: Patients!A3 | 1 row is struck through and was read like any other: how a cell looks is never read |  | end what should not count by its date or its Active column, or delete the row",
        ), _book(_struck),
    ),
    Mistake(
        54, "Instructions in comments", "Nobody reads them at night; they are counted.",
        (
            "Check | comments | patients.xlsx: Patients!H3 | comments hang on 1 cell; nobody reads them at night |  | put what matters into the cells",
        ), _book(_commented),
    ),
    Mistake(
        55, "A formula where a value belongs", "Its saved value is used, and that is said.",
        (
            "Check | formula | patients.xlsx: Patients!G3 | the column Start date holds 1 formula; the saved values were used |  | replace formulas with values (Copy, Paste Special, Values)",
        ), _saved_formula("=DATE(2026,2,1)"),
    ),
    Mistake(
        56, "A formula without a saved value", "The night stops.",
        (
            "Stops the night | formula-unsaved | patients.xlsx: Patients!G3 | formulas were saved without their values (G3) |  | open the file in Excel, let it calculate, and save it",
        ), _set(G3="=DATE(2026,2,1)"),
    ),
    Mistake(
        57, "A value taken from another workbook", "It is used, and that is said.",
        (
            "Check | formula | patients.xlsx: Patients!G3 | the column Start date holds 1 formula; the saved values were used |  | replace formulas with values (Copy, Paste Special, Values)",
            "Check | formula-link | patients.xlsx: Patients!G3 | 1 cell takes its value from another workbook, which may be out of date |  | write the values themselves",
        ), _saved_formula("=[1]Old!A1"),
    ),
    Mistake(
        58, "An error left by a formula", "The row is held; the Notes are never read.",
        (
            "Not billed | formula-error | patients.xlsx: Patients!G3 | #REF! is an error left by a formula | a date, such as 04/03/2026 in a date cell or 2026-03-04 | correct the formula or type the value",
        ), _set(G3="#REF!", Q3="#N/A"),
    ),
)  # fmt: skip
