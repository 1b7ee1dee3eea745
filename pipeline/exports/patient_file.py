"""A patient's file as a workbook: one A4 page, longer histories go on to the next."""

from collections.abc import Sequence

from xlsxwriter.worksheet import Worksheet

from pipeline.exports.invoice_list import KINDS
from pipeline.exports.patient_text import facts, place, waiting
from pipeline.exports.text_fit import wrapped_rows
from pipeline.exports.words import capital, sentence, symbol
from pipeline.exports.workbook import (
    ACCENT,
    MAX_POINTS,
    QUIET,
    RULE,
    Book,
    Value,
    new_book,
    page,
    put,
)
from pipeline.office.patient_file import PatientFile

WIDTHS = (15, 15, 15, 15, 15, 14, 13)
MM_PER_CHARACTER = 1.85  # of a column's width
MM_AT_THE_EDGES = 4.0
ROW_POINTS = 12.75
LAST = len(WIDTHS) - 1


def render(file: PatientFile) -> bytes:
    """The workbook, dated the day of the last night."""
    title = f"Patient {file.patient_id}"
    book = new_book(
        title=title,
        subject=f"As of {file.as_of:%d %b %Y}",
        practice=file.practice_name,
        made_on=file.as_of,
    )
    sheet = book.workbook.add_worksheet("Patient")
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    put(book, sheet, 0, 0, title, bold=True, font_size=16, font_color=ACCENT)
    sheet.set_row(0, 26)
    put(book, sheet, 1, 0, file.name or "the name is not kept", bold=True, font_size=12)
    note = f"{file.practice_name}, as of {file.as_of:%d %b %Y}. Tax included."
    put(book, sheet, 2, 0, note, font_color=QUIET)
    row = 4
    for label, said in facts(file):
        put(book, sheet, row, 0, label, font_color=QUIET)
        _across(book, sheet, row, 1, said)
        row += 1
    for heading, titles, rows in _sections(file):
        row = _write_section(book, sheet, row + 1, (heading, titles), rows)
    sheet.print_area(0, 0, row, LAST)
    page(sheet, landscape=False, name=title)
    return book.finish()


Section = tuple[str, Sequence[str], list[list[Value]]]


def _sections(file: PatientFile) -> list[Section]:
    """Each part of the history: its name, its headings, its rows.

    The last value of a row takes the rest of the page.
    """
    return [*_billed(file), *_afterwards(file), *_to_look_at(file)]


def _billed(file: PatientFile) -> list[Section]:
    """Periods, other things and documents."""
    amount = f"Gross ({symbol(file.currency).strip()})"
    return [
        (
            "Billed periods",
            ("From", "To", "Product", "Frequency", "Invoice", "Status", amount),
            [
                [
                    row["period_start"], row["period_end"], row["product_code"],
                    row["frequency"], row["number"], row["status"].capitalize(),
                    row["gross"],
                ]
                for row in file.periods
            ],
        ),
        (
            "Other things billed",
            ("Billed on", "Product", "Quantity", "Request", "Invoice", "Status", amount),
            [
                [
                    row["issued_on"], row["product_code"], str(row["quantity"]),
                    row["request_id"], row["number"], row["status"].capitalize(),
                    row["gross"],
                ]
                for row in file.others
            ],
        ),
        (
            "Invoices and credit notes",
            ("Number", "Kind", "Issued", "Due", "Bill to", "Status", amount),
            [
                [
                    entry.number, KINDS[entry.kind], entry.issued_on, entry.due_on,
                    entry.bill_to or "the patient", entry.status.capitalize(),
                    entry.gross,
                ]
                for entry in file.documents
            ],
        ),
    ]  # fmt: skip


def _afterwards(file: PatientFile) -> list[Section]:
    """What became of the documents."""
    return [
        (
            "Credits",
            ("Credit note", "Takes back", "Issued", "Reason"),
            [
                [row["number"], row["credits_number"], row["issued_on"], row["reason"]]
                for row in file.credits
            ],
        ),
        (
            "Sendings",
            ("Number", "Sent on", "How", "Sent by", "Sent to"),
            [
                [
                    row["number"], row["sent_on"], row["how"], row["sent_by"],
                    row["sent_to"],
                ]
                for row in file.sendings
            ],
        ),
    ]  # fmt: skip


def _to_look_at(file: PatientFile) -> list[Section]:
    """What is wrong, and what was changed."""
    return [
        (
            "Problems",
            ("Seriousness", "Where"),
            [
                [row["severity"], f"{place(row)}: {row['found']}; {row['repair']}"]
                for row in file.problems
            ]
            + [
                ["Not billed", capital(waiting(request).partition(": ")[2])]
                for request in file.waiting
            ],
        ),
        (
            "Changes of the row",
            ("Seen on", "Column", "By", "Change"),
            [
                [
                    change.as_of, change.column, change.edited_by,
                    sentence(f"{change.old} to {change.new}") if change.new
                    else "Changed.",
                ]
                for change in file.changes
            ],
        ),
    ]  # fmt: skip


def _write_section(
    book: Book,
    sheet: Worksheet,
    row: int,
    head: tuple[str, Sequence[str]],
    rows: list[list[Value]],
) -> int:
    """Write a part of the history; the row after it."""
    name, titles = head
    put(book, sheet, row, 0, name, bold=True, font_size=12, font_color=ACCENT)
    sheet.set_row(row, 20)
    if not rows:
        put(book, sheet, row + 1, 0, "None", font_color=QUIET)
        return row + 2
    for column in range(LAST + 1):
        title = titles[column] if column < len(titles) else ""
        put(
            book, sheet, row + 1, column, title, bold=True, font_color="#FFFFFF",
            bg_color=ACCENT, align="right" if column == LAST and title else "left",
        )  # fmt: skip
    for at, values in enumerate(rows, start=row + 2):
        for column, value in enumerate(values[:-1]):
            put(book, sheet, at, column, value, bottom=1, bottom_color=RULE)
        last = len(values) - 1
        if last == LAST:
            put(book, sheet, at, last, values[-1], bottom=1, bottom_color=RULE)
        else:
            said = values[-1]
            assert said is None or isinstance(said, str)
            _across(book, sheet, at, last, said or "", bottom=1, bottom_color=RULE)
    return row + 2 + len(rows)


def _across(
    book: Book, sheet: Worksheet, row: int, column: int, text: str, **style: object
) -> None:
    """Write a text over the rest of the page's width, as tall as it needs."""
    look = {"text_wrap": True, **style}
    sheet.merge_range(row, column, row, LAST, None, book.style(**look))
    put(book, sheet, row, column, text, **look)
    room = sum(WIDTHS[column:]) * MM_PER_CHARACTER - MM_AT_THE_EDGES
    tall = wrapped_rows(text, room) if text else 1
    if tall > 1:
        sheet.set_row(row, min(tall * ROW_POINTS + 2, MAX_POINTS))
