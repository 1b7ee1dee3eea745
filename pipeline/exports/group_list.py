"""The group workbook, `group.xlsx`: a row per practice, those who need somebody first."""

from collections.abc import Sequence
from urllib.parse import quote

from pipeline.exports.lists import Column, Listing, filled, write_list
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
    is_one = _is_one(group)
    rows = [_cells(each, row, is_one) for row, each in enumerate(group.records)]
    write_list(book, Listing(_SHEET, "Practices", note, filled(_columns(group), rows)))
    for name, columns, cells in (
        ("Totals", _TOTALS, [_sums(each) for each in group.totals]),
        ("To look at", [Column("Folder", 120)], [[text] for text in _notes(group)]),
    ):
        write_list(book, Listing(name, name, note, filled(columns, cells)))
    return book.finish()


def _notes(group: Group) -> list[str]:
    return [*([f"Cut short: {group.lost}"] if group.lost else []), *group.notes]


def _is_one(group: Group) -> bool:
    """Whether amounts can be added up: pounds and euros must not be."""
    return len(group.totals) < 2


def _columns(group: Group) -> list[Column]:
    is_one = _is_one(group)
    unit = ""
    if is_one:
        unit = (
            f" ({symbol(group.totals[0].currency if group.totals else 'GBP').strip()})"
        )
    return [
        Column("State", 14),
        Column("Practice", 22),
        Column("Problems", 12),
        Column("Name", 20),
        *([] if is_one else [Column("Currency", 10)]),
        Column("Invoices", 9, figures=True),
        Column(f"Net{unit}", 12, total=is_one, figures=True),
        Column(f"Tax{unit}", 11, total=is_one, figures=True),
        Column(f"Gross{unit}", 12, total=is_one, figures=True),
        Column("Held", 7, figures=True),
        Column(f"Held back{unit}", 12, total=is_one, figures=True),
        Column("Unsent", 8, figures=True),
        Column(f"Not sent{unit}", 12, total=is_one, figures=True),
        Column("What to know", 39),
    ]


def _cells(record: Record, row: int, is_one: bool) -> list[Value]:
    linked = row < MAX_LINKS // 2  # two links to a row
    said = "\n".join(what_to_know(record))
    begin: list[Value] = [
        STATES[state(record)],
        Link(link(record, "out/summary.html"), record.practice)
        if linked and record.run_id
        else record.practice,
        Link(link(record, "out/issues.xlsx"), "issues.xlsx")
        if linked and record.issues
        else "",
        record.name,
        *([] if is_one else [record.currency if record.run_id else ""]),
    ]
    if not record.run_id:
        return [*begin, *[None] * 8, said]
    return [
        *begin,
        record.documents,
        record.net,
        record.tax,
        record.gross,
        record.held,
        record.held_sum,
        record.unsent,
        record.unsent_sum,
        said,
    ]


def link(record: Record, file: str) -> str:
    """Where a practice's file is, seen from the group's folder."""
    if record.practice == ".":
        return f"../{file}"
    # Letters of other languages stay: Excel and browsers read them as they are.
    shown = (quote(each) if each.isascii() else each for each in record.practice)
    return f"../{''.join(shown)}/{file}"


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
