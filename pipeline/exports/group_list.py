"""The group workbook, `group.xlsx`: a row per practice, those who need somebody first."""

from collections.abc import Sequence
from urllib.parse import quote

from pipeline.exports.lists import Column, Listing, write_list
from pipeline.exports.words import counted, symbol
from pipeline.exports.workbook import MAX_LINKS, Link, Value, new_book
from pipeline.group.night import Record
from pipeline.group.outcome import STATES, Group, Totals, state

_SHEET = "Practices"


def render(group: Group) -> bytes:
    """The workbook: every practice, the sums by currency, and folders to look at."""
    book = new_book(
        title="Group",
        subject=f"Practices billed on {group.day:%d %b %Y}",
        practice=group.name,
        made_on=group.day,
    )
    note = f"{group.name}, {group.day:%d %b %Y}. Those who need somebody come first."
    sheet = book.workbook.add_worksheet(_SHEET)
    rows = [_cells(each, row) for row, each in enumerate(group.records)]
    write_list(book, sheet, Listing(_SHEET, "Practices", note, _columns(group), rows))
    for name, columns, cells in (
        ("Totals", _TOTALS, [_sums(each) for each in group.totals]),
        ("Not billed", [Column("Folder", 120)], [[text] for text in _notes(group)]),
    ):
        sheet = book.workbook.add_worksheet(name)
        write_list(book, sheet, Listing(name, name, note, columns, cells))
    return book.finish()


def _notes(group: Group) -> list[str]:
    return [*([f"Cut short: {group.lost}"] if group.lost else []), *group.notes]


def _columns(group: Group) -> list[Column]:
    # Pounds and euros must not be added up: without one currency there are no totals.
    currencies = [each.currency for each in group.totals]
    is_one = len(currencies) < 2
    unit = (
        f" ({symbol(currencies[0] if currencies else 'GBP').strip()})" if is_one else ""
    )
    return [
        Column("State", 14),
        Column("Practice", 30),
        Column("Problems", 12),
        Column("Name", 28),
        Column("Day", 13),
        Column("Run", 15),
        Column("Invoices", 10, figures=True),
        Column(f"Net{unit}", 14, total=is_one),
        Column(f"Tax{unit}", 12, total=is_one),
        Column(f"Gross{unit}", 14, total=is_one),
        Column("Currency", 10),
        Column("Held", 9, figures=True),
        Column(f"Held back{unit}", 14, total=is_one),
        Column("Unsent", 9, figures=True),
        Column(f"Not sent{unit}", 14, total=is_one),
        Column("What to know", 60),
    ]


def _cells(record: Record, row: int) -> list[Value]:
    linked = row < MAX_LINKS // 2  # two links to a row
    begin: list[Value] = [
        STATES[state(record)],
        Link(link(record, "out/summary.html"), record.practice)
        if linked and record.run_id
        else record.practice,
        Link(link(record, "out/issues.xlsx"), "issues.xlsx")
        if linked and has_issues(record)
        else "",
    ]
    told = "\n".join(what_to_know(record))
    if not record.run_id:
        return [*begin, *[None] * 12, told]
    return [
        *begin,
        record.name,
        record.as_of,
        record.run_id,
        record.documents,
        record.net,
        record.tax,
        record.gross,
        record.currency,
        record.held,
        record.held_sum,
        record.unsent,
        record.unsent_sum,
        told,
    ]


def link(record: Record, file: str) -> str:
    """Where a practice's file is, seen from the group's folder."""
    below = "" if record.practice == "." else f"{quote(record.practice)}/"
    return f"../{below}{file}"


def has_issues(record: Record) -> bool:
    """Whether tonight wrote the practice's issues workbook."""
    return bool(record.run_id) or state(record) == "refused"


def what_to_know(record: Record) -> list[str]:
    """Why a practice needs somebody, in sentences."""
    said = list(record.why)
    if record.held_unknown:
        said.append(f"{counted(record.held_unknown, 'held amount')} not known yet")
    if record.late:
        said.append(record.late)
    return said


_TOTALS: Sequence[Column] = [
    Column("Currency", 12),
    Column("Practices", 12, figures=True),
    Column("Invoices", 12, figures=True),
    Column("Net", 16, figures=True),
    Column("Tax", 14, figures=True),
    Column("Gross", 16, figures=True),
    Column("Held", 10, figures=True),
    Column("Held back", 16, figures=True),
    Column("Unsent", 10, figures=True),
    Column("Not sent", 16, figures=True),
]


def _sums(totals: Totals) -> list[Value]:
    return [
        totals.currency,
        totals.practices,
        totals.documents,
        totals.net,
        totals.tax,
        totals.gross,
        totals.held,
        totals.held_sum,
        totals.unsent,
        totals.unsent_sum,
    ]
