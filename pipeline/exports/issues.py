"""The issues workbook: what the office has to repair, and where, after a night."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipeline.bookkeeping.books import Change, Held, Night, OpenProblem
from pipeline.exports import words
from pipeline.exports.issues_sheets import (
    HEADER_ROW,
    Book,
    Heading,
    Link,
    Marked,
    Value,
    link_to,
)
from pipeline.problems import Place, Problem, Severity

SERIOUSNESS: dict[Severity, tuple[str, str]] = {
    Severity.STOPS: ("stops", "The night could not go on: nobody was billed."),
    Severity.HELD: ("held", "What the row would have billed waits until it is mended."),
    Severity.CHECK: (
        "check",
        "It was used as it stands; please look whether it is right.",
    ),
    Severity.FIXED: ("fixed", "Understood without doubt; nothing needs to be done."),
}
_ORDER = list(SERIOUSNESS)

# What a problem comes to where it does not say so itself.
_EFFECTS: dict[Severity, str] = {
    Severity.STOPS: "nobody was billed",
    Severity.HELD: "held",
    Severity.CHECK: "nothing is held back",
    Severity.FIXED: "nothing is held back",
}

READ_ME: tuple[tuple[str, str], ...] = (
    ("Summary", "How the night went, and what to repair, the most serious first."),
    ("Problems", "Each problem: where it is, what was found and how to fix it."),
    ("Held", "Each membership or request that was not billed, why, and its amount."),
    ("Fixed for you", "Small things that were put right while reading."),
    ("Changes", "Changed products, prices, tax codes, settings, staff and roles."),
    ("", ""),
    *((severity.value, meaning) for severity, (_, meaning) in SERIOUSNESS.items()),
    ("", ""),
    ("Who fixes it", "Those whose role may edit the file; anybody may point it out."),
    (
        "Cell",
        "Click it to open the file there. If that is not allowed on your computer,",
    ),
    ("", "the columns File, Sheet, Row and Column say the same."),
    ("Amount held", "What waits, tax included. One membership may stand under several"),
    ("", "problems: only the total of the sheet Held counts each of them once."),
    ("Effect tonight", "Not billed tonight: the amount beside it waits. Held: the row"),
    ("", "waits, and nothing is due for it, or its amount cannot be worked out yet."),
    ("Nights", "For how many nights the problem has been there."),
    ("", ""),
    (
        "Marked copies",
        "Copies of your workbooks with the cells in red, and a comment at each. They",
    ),
    ("", "are for looking only: repair the workbook itself. The program never reads a"),
    ("", "copy, and makes them again every night."),
    ("After a repair", "Save and close the file. The next night bills what waited."),
    ("This file", "It is made again every night. Write nothing here that should stay."),
)


@dataclass(frozen=True)
class Repair:
    """One thing to do, for every problem that asks for it."""

    severity: Severity
    action: str
    problems: tuple[Problem, ...]

    @property
    def amount(self) -> Decimal | None:
        """What these problems hold back; None when that is nothing or not known."""
        known = [
            problem.amount for problem in self.problems if problem.amount is not None
        ]
        return words.total(known) if known else None


def in_order(problems: Iterable[OpenProblem]) -> list[OpenProblem]:
    """The most serious first, then by file, sheet, row and column of the cell."""

    def standing(opened: OpenProblem) -> tuple[int, str, str, int, int, str]:
        problem, place = opened.problem, opened.problem.place
        rank = _ORDER.index(problem.severity)
        where = (place.file, place.sheet, place.row or 0)
        return rank, *where, len(place.cell), place.cell

    return sorted(problems, key=standing)


# What a message adds for one cell alone: "; did you mean GOLD?".
_ALONE = re.compile(r"(?:; | \()did you mean [^?]*\?\)?$")


def repairs(problems: Iterable[OpenProblem]) -> list[Repair]:
    """Problems grouped by what to do about them, the most serious and frequent first."""
    columns: dict[tuple[Severity, str, str, str], list[Problem]] = {}
    for opened in in_order(problems):
        problem, place = opened.problem, opened.problem.place
        key = (problem.severity, problem.code, place.sheet, place.column)
        columns.setdefault(key, []).append(problem)
    groups: dict[tuple[Severity, str, str], list[Problem]] = {}
    for (severity, code, _, _), alike in columns.items():
        for problem, action in zip(alike, _actions(alike), strict=True):
            groups.setdefault((severity, code, action), []).append(problem)
    made = [
        Repair(
            severity,
            words.sentence(action if group[1:] else group[0].repair or action),
            tuple(group),
        )
        for (severity, _, action), group in groups.items()
    ]
    return sorted(
        made, key=lambda made: (_ORDER.index(made.severity), -len(made.problems))
    )


def _actions(alike: list[Problem]) -> list[str]:
    """What to do about each problem of one kind in one column.

    Where each cell asks for something of its own, the column is named instead.
    """
    actions = [_ALONE.sub("", problem.repair or problem.found) for problem in alike]
    column = alike[0].place.column
    if len(set(actions)) == 1 or not column:
        return actions
    shared = f"put the {column} right in each row, as the sheet Problems says"
    return [shared] * len(actions)


def render(night: Night) -> bytes:
    """`out/issues.xlsx`: the same bytes for the same night."""
    book = Book(night)
    _summary(book, night)
    _problems(book, night)
    _held(book, night)
    _fixed(book, night)
    _changes(book, night)
    _read_me(book)
    return book.close()


def _banner(night: Night) -> Marked:
    if night.refused:
        return Marked("Nothing was billed", "stops banner")
    if words.is_clean(night):
        return Marked("✓  Nothing to fix", "good banner")
    number = words.problem_count(night, *words.TO_MEND)
    if not number:
        return Marked("Something to look at", "check banner")
    return Marked(
        f"{words.counted(number, 'thing')} to repair or check", "check banner"
    )


def _headlines(night: Night) -> list[str]:
    lines = [words.night_in_a_sentence(night)]
    if words.is_clean(night):
        lines.append(
            "Every row could be read and used. There is nothing for you to do."
        )
    if fixed := words.problem_count(night, Severity.FIXED):
        put_right = "was" if fixed == 1 else "were"
        thing = words.counted(fixed, "small thing")
        lines.append(
            f"{thing} {put_right} put right for you: see the sheet Fixed for you."
        )
    if refused := len(words.refused_changes(night)):
        thing = words.counted(refused, "change")
        lines.append(f"{thing} did not take effect: see the sheet Changes.")
    if night.accepted_guards:
        named = ", ".join(night.accepted_guards)
        lines.append(f"Let through by hand for this one night: {named}.")
    return [part for line in lines for part in textwrap.wrap(line, 140)]


def _summary(book: Book, night: Night) -> None:
    about = f"The night of {words.day(night.as_of)}"
    if night.checked:
        about = f"A check for {words.day(night.as_of)}"
    about += f", run {night.run_id}" if night.run_id else ""
    title = f"{night.practice_name}: what to repair"
    sheet = book.sheet("Summary", title, about, [22, 11, 72, 42, 16])
    banner = _banner(night)
    sheet.set_row(HEADER_ROW, 34)
    for position in range(5):
        text = banner.text if position == 0 else ""
        book.put(sheet, HEADER_ROW, position, Marked(text, banner.style))
    row = HEADER_ROW + 2
    for line in _headlines(night):
        book.put(sheet, row, 0, Marked(line, "plain"))
        row += 1
    row = _counts(book, sheet, row + 1, night)
    row = _copies(book, sheet, row + 1, night)
    _repairs(book, sheet, row + 1, night)


_COUNTED = (Heading("Seriousness", 22), Heading("How many", 11, "header_centre"))


def _counts(book: Book, sheet: Any, row: int, night: Night) -> int:
    headings = [*_COUNTED, Heading("What it means", 72)]
    book.header(sheet, row, headings)
    for severity, (style, meaning) in SERIOUSNESS.items():
        row += 1
        number = words.problem_count(night, severity)
        # What there is none of is not to draw the eye.
        seriousness = Marked(severity.value, style if number else "text")
        book.row(sheet, row, headings, (seriousness, number, meaning))
    return row + 1


def _copies(book: Book, sheet: Any, row: int, night: Night) -> int:
    """Where the cells are marked in red, or why they are not."""
    notes: list[dict[str, str]] = night.report.get("marked", [])
    if not notes:
        return row
    headings = [
        Heading("Workbook", 22),
        Heading("Problems", 11, "header_centre"),
        Heading("A copy with the cells in red", 72),
        Heading("Of this copy", 42),
    ]
    book.header(sheet, row, headings)
    for note in notes:
        row += 1
        number = sum(
            opened.problem.place.file == note["file"]
            and opened.problem.severity in words.TO_MEND
            for opened in night.problems
        )
        linked = Link(note["copy"], f"external:{note['copy']}")
        there = linked if note["copy"] else "none"
        said = words.sentence(note["words"])
        book.row(sheet, row, headings, (note["file"], number, there, said))
    return row + 2


def _repairs(book: Book, sheet: Any, row: int, night: Night) -> None:
    to_do = [made for made in repairs(night.problems) if made.severity in words.TO_MEND]
    if not to_do:
        return
    headings = [
        *_COUNTED,
        Heading("What to do", 72),
        Heading("For example", 42),
        Heading(book.money_title, 16, "header_right"),
    ]
    book.header(sheet, row, headings)
    first = row
    for repair in to_do:
        row += 1
        place = repair.problems[0].place
        cells: tuple[Value, ...] = (
            Marked(repair.severity.value, SERIOUSNESS[repair.severity][0]),
            len(repair.problems),
            repair.action,
            link_to(place, _named(place)),
            repair.amount,
        )
        book.row(sheet, row, headings, cells)
    sheet.autofilter(first, 0, row, len(headings) - 1)


def _named(place: Place) -> str:
    """A place in words, its column told where the address of a cell alone says it."""
    said = str(place)
    by_address = place.column and said.endswith(f"!{place.cell}")
    return f"{said}, {place.column}" if by_address else said


def _where(problem: Problem) -> tuple[Value, ...]:
    place = problem.place
    return (
        place.file,
        place.sheet,
        place.row,
        place.column,
        link_to(place) if place.file else Link(""),
        problem.subject,
    )


_WHERE = (
    Heading("File", 13),
    Heading("Sheet", 11),
    Heading("Row", 7, "header_centre"),
    Heading("Column", 13),
    Heading("Cell", 15),
    Heading("Patient or product", 13),
)


def _problems(book: Book, night: Night) -> None:
    shown = [
        opened
        for opened in in_order(night.problems)
        if opened.problem.severity in words.TO_MEND
    ]
    headings = [
        Heading("No", 6, "header_centre"),
        Heading("Seriousness", 14),
        Heading("Who fixes it", 15),
        *_WHERE,
        Heading("What we found", 28),
        Heading("What we expected", 22),
        Heading("How to fix", 30),
        Heading("Effect tonight", 22),
        Heading(book.money_title, 11, "header_right"),
        Heading("First seen", 13, "header_centre"),
        Heading("Nights", 8, "header_centre"),
        Heading("Code", 15),
    ]
    note = words.counted(len(shown), "problem") + ", the most serious first."
    rows = [
        _problem_row(number, opened) for number, opened in enumerate(shown, start=1)
    ]
    book.table(
        "Problems", "Problems", note if shown else "Nothing to fix.", headings, rows
    )


def _problem_row(number: int, opened: OpenProblem) -> Sequence[Value]:
    problem = opened.problem
    return (
        number,
        Marked(problem.severity.value, SERIOUSNESS[problem.severity][0]),
        opened.who,
        *_where(problem),
        words.sentence(problem.found),
        words.sentence(problem.expected),
        words.sentence(problem.repair),
        words.sentence(problem.effect or _EFFECTS[problem.severity]),
        problem.amount,
        opened.first_seen,
        opened.nights,
        problem.code,
    )


def _held(book: Book, night: Night) -> None:
    headings = [
        Heading("Patient ID", 26),
        Heading("Product", 18),
        Heading("Why", 80),
        Heading(book.money_title, 20, "header_right"),
    ]
    rows = [_held_row(held) for held in night.held]
    amounts = [held.amount for held in night.held]
    note = f"Not billed until it is mended: {words.held_in_words(night)}."
    if None in amounts:
        note += " An amount cannot be known while its price or dates cannot be read."
    note += " Which cell it is stands in the sheet Problems."
    if not rows:
        note = "Nobody is held."
        if night.refused:
            note = (
                "The night was refused: what holds whom stands in the sheet Problems."
            )
    sheet = book.table("Held", "Held", note, headings, rows)
    if rows:
        below = HEADER_ROW + len(rows) + 1
        book.total(sheet, below, 3, len(rows), words.total(amounts))


def _held_row(held: Held) -> Sequence[Value]:
    unknown = Marked("cannot be known", "unknown")
    return (
        held.whose,
        held.product_code,
        words.reason(held.reason),
        unknown if held.amount is None else held.amount,
    )


def _fixed(book: Book, night: Night) -> None:
    shown = [
        opened.problem
        for opened in in_order(night.problems)
        if opened.problem.severity is Severity.FIXED
    ]
    headings = [
        Heading("No", 6, "header_centre"),
        *_WHERE,
        Heading("What we found", 48),
        Heading("To save us doing it", 48),
        Heading("Code", 16),
    ]
    note = f"{words.counted(len(shown), 'small thing')} put right while reading."
    rows = [
        (
            number,
            *_where(problem),
            words.sentence(problem.found),
            words.sentence(problem.repair),
            problem.code,
        )
        for number, problem in enumerate(shown, start=1)
    ]
    note = note if shown else "There was nothing to put right."
    book.table("Fixed for you", "Fixed for you", note, headings, rows)


def _changes(book: Book, night: Night) -> None:
    headings = [
        Heading("What", 17),
        Heading("Which", 22),
        Heading("Column", 20),
        Heading("Before", 24),
        Heading("Now", 24),
        Heading("Last edited by", 16),
        Heading("Accepted?", 14),
        Heading("Why", 44),
    ]
    note = (
        "A refused change did not take effect: what stood before it is still in force."
    )
    if not night.changes:
        note = "Nothing was changed."
    elif not words.refused_changes(night):
        note = "Every change was accepted and counts from this night on."
    if any("…" in (change.old, change.new) for change in night.changes):
        note += " Of personal details it says that they changed."
    rows = [_change_row(change) for change in night.changes]
    book.table("Changes", "Changes", note, headings, rows)


def _change_row(change: Change) -> Sequence[Value]:
    return (
        change.table,
        change.subject,
        change.column,
        words.changed(change, change.old),
        words.changed(change, change.new),
        change.edited_by,
        Marked("Accepted", "good") if change.accepted else Marked("Refused", "stops"),
        words.sentence(change.reason),
    )


def _read_me(book: Book) -> None:
    note = "What this workbook says, and what its words mean."
    sheet = book.sheet("Read me", "Read me", note, [20, 80])
    for row, (term, meaning) in enumerate(READ_ME, start=HEADER_ROW):
        book.put(sheet, row, 0, Marked(term, "strong"))
        book.put(sheet, row, 1, Marked(meaning, "plain"))
