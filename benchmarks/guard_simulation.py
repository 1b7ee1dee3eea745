"""Measures the guards: `python -m benchmarks.guard_simulation [--nights N] [--seed S]`.

`--nights 60 --members 80` is a small one.

Four practices live through their nights, with the program's own reading, rules, guards
and recording over a ledger in memory. Counted are the ordinary nights a guard stops,
and, of mass faults tried on many of those nights, how many are caught.

A fault is caught when the night is refused, or when nothing wrong would be billed in the
two months after it and whatever it keeps from being billed is held. Prints Markdown.
"""

import argparse
import copy
import csv
import multiprocessing
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from unittest.mock import patch

import duckdb

from benchmarks.mass_faults import FAULTS, WRONG_DAYS
from benchmarks.simulated_practice import (
    FIRST_NIGHT,
    Practice,
    Row,
    Sheets,
    months_between,
)
from pipeline import run
from pipeline.ledger import Ledger, opened
from pipeline.prepare import Prepared, prepare
from pipeline.problems import Refused
from pipeline.reading.sheets import Sheet
from pipeline.record import Night as Work
from pipeline.record import record, stage
from pipeline.run import guard
from pipeline.transaction import count_numbers
from pipeline.transform import transform

SHAPES = ((80, False), (80, True), (500, False), (500, True))
# A copy of Patients from so many months ago, saved over the one in use.
OLD_COPIES = {
    "last month's copy of Patients": 1,
    "a copy of Patients three months old": 3,
}
_AHEAD = 62  # days in which what a fault does must show
_IDLE = 7  # days without an edit, after which a night is run all the same
_EVERY = 6  # months between the nights that faults are tried on

Line = tuple[object, ...]


@dataclass
class Measured:
    """What the nights of one practice came to."""

    practice: str
    nights: int = 0
    stopped: Counter[str] = field(default_factory=Counter)
    bulk: Counter[str] = field(default_factory=Counter)
    # (fault, whether something was due that night, what caught it or "slipped")
    faults: Counter[tuple[str, bool, str]] = field(default_factory=Counter)
    slipped: list[str] = field(default_factory=list)


class Nights:
    """A practice, its folder and its ledger, from night to night."""

    def __init__(self, practice: Practice, folder: Path, books: Ledger) -> None:
        self.practice, self.folder, self.books = practice, folder, books
        self.copies: list[list[Row]] = []  # of Patients, one a month

    def try_out(
        self, sheets: Sheets, day: date, today: date | None = None
    ) -> tuple[Prepared | None, list[str]]:
        """A night up to recording; or nothing, and what stopped it."""
        _write(self.folder, sheets)
        try:
            prepared = prepare(self.books, self.folder, day, lambda zone: today or day)
            guard(self.books, prepared, (), "membill bill")
        except Refused as refusal:
            stops = [p.code for p in refusal.problems if p.severity.name == "STOPS"]
            return None, sorted(set(stops))
        return prepared, []

    def accept(self, day: date, prepared: Prepared | None = None) -> None:
        """Record the night, whatever a guard says."""
        if prepared is None:
            _write(self.folder, self.practice.sheets)
            prepared = prepare(self.books, self.folder, day, lambda zone: day)
        work = Work(
            as_of=day,
            version="0",
            accepted_guards=(),
            files={},
            sheet_files={},
            problems=prepared.problems,
            changes=prepared.changes,
            milliseconds=0,
            moved=prepared.moved,
        )
        stage(self.books, work)
        self.books.connection.execute("begin")
        run_no = self.books.last_run_no + 1
        record(self.books, work, run_no)
        count_numbers(self.books, run_no)
        self.books.connection.execute("commit")

    def billed_until(self, patient_id: str) -> date | None:
        """The last day billed of a patient."""
        found = self.books.value(
            "select max(period_end) from ledger.billed_periods"
            " where patient_key = canonical(?)",
            [patient_id],
        )
        return found if isinstance(found, date) else None

    def due(self) -> bool:
        """Whether the night that was tried out would bill anything."""
        return bool(self.books.value("select count(*) from model.new_lines"))

    def in_two_months(self) -> tuple[set[Line], set[str]]:
        """The lines the sheets tried out would make by then, and who would be held.

        What was too old tonight stays too old.
        """
        execute = self.books.connection.execute
        execute(f"update input.run set as_of = as_of + {_AHEAD}")
        execute(f"update input.practice set catch_up_days = catch_up_days + {_AHEAD}")
        transform(self.books.connection, hold=())
        lines = execute(
            "select lines.patient_id, lines.patient_name, product_code, period_start,"
            " period_end, unit_price, tax_code, lines.tax, lines.gross,"
            " bill_to, bill_to_name, email, address_line_1"
            " from model.new_lines as lines inner join model.new_invoices using (number)"
        ).fetchall()
        held = execute(
            "select patient_id from model.standings where bucket = 'held'"
        ).fetchall()
        return set(lines), {row[0] for row in held}


def _write(folder: Path, sheets: Sheets) -> None:
    for name, rows in sheets.items():
        with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def _caught_by(
    nights: Nights, spoiled: Sheets, day: date, right: tuple[set[Line], set[str]]
) -> str | None:
    """What catches a fault, "slipped", or None where it would change nothing."""
    prepared, stops = nights.try_out(spoiled, day)
    if prepared is None:
        return " and ".join(stops)
    lines, held = nights.in_two_months()
    right_lines, right_held = right
    missing = {str(line[0]) for line in right_lines - lines}
    if lines - right_lines or missing - held:
        return "slipped"
    return "held" if held - right_held else None


def _spoiled(nights: Nights, day: date) -> Iterator[tuple[str, Sheets]]:
    """Tonight's sheets with each fault in turn."""
    for name, spoil in FAULTS.items():
        sheets = copy.deepcopy(nights.practice.sheets)
        spoil(sheets, day)
        yield name, sheets
    for name, months in OLD_COPIES.items():
        if len(nights.copies) >= months:
            yield name, {**nights.practice.sheets, "patients": nights.copies[-months]}


def try_faults(nights: Nights, day: date, found: Measured) -> None:
    """Every fault on tonight's sheets; the ledger stays as it is."""
    if nights.try_out(nights.practice.sheets, day)[0] is None:
        return
    due = nights.due()
    right = nights.in_two_months()
    for name, sheets in _spoiled(nights, day):
        by = _caught_by(nights, sheets, day, right)
        if by:
            found.faults[name, due, by] += 1
        if by == "slipped":
            found.slipped.append(f"{found.practice}, {day}: {name}")
            _say(found.slipped[-1])
    for name, wrong in WRONG_DAYS.items():
        as_of, today = wrong(day)
        stops = nights.try_out(nights.practice.sheets, as_of, today)[1]
        found.faults[name, due, " and ".join(stops) or "slipped"] += 1


def _say(text: str) -> None:
    """How far it has come, for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def _sampled(day: date) -> bool:
    return day.day in (1, 17) and (day.month - 1) % _EVERY == 1 % _EVERY


def _away(practice: Practice, day: date) -> bool:
    """Nights the machine was off: some weekends, and the days of Christmas."""
    if day.month == 12 and 24 <= day.day <= 27:
        return True
    return day.weekday() >= 5 and (day.isocalendar().week * 7) % 17 == 3


def live(practice: Practice, nights: Nights, count: int, found: Measured) -> None:
    """One practice's nights.

    Without an edit the sheets are compared with themselves, which proves nothing: of
    such nights one a week is run and counted.
    """
    nights.accept(FIRST_NIGHT)
    edited, last = False, FIRST_NIGHT
    for ahead in range(1, count + 1):
        day = FIRST_NIGHT + timedelta(days=ahead)
        edited = practice.edit(day, nights.billed_until) or edited
        bulk = practice.bulk_on == day
        if _away(practice, day) and not bulk:
            continue
        if not edited and not _sampled(day) and (day - last).days < _IDLE:
            continue
        if _sampled(day):
            try_faults(nights, day, found)
            _say(f"{found.practice}, {day}: {found.nights} nights")
        prepared, stops = nights.try_out(practice.sheets, day)
        if bulk:
            found.bulk[" and ".join(stops) or "not stopped"] += 1
        else:
            found.nights += 1
            if prepared is None:
                found.stopped[f"{day}: {' and '.join(stops)}"] += 1
                _say(f"{found.practice}, {day}: stopped by {stops}")
        nights.accept(day, prepared)
        edited, last = False, day
        if len(nights.copies) < months_between(FIRST_NIGHT, day):
            nights.copies.append(copy.deepcopy(practice.patients))


def _once(work_out: Callable[[Ledger, Sheet], None]) -> Callable[[Ledger, Sheet], None]:
    """The last accepted sheets worked out once for all that is tried on a night."""
    done: list[tuple[int, date]] = []

    def unless_done(books: Ledger, settings: Sheet) -> None:
        night = (books.last_run_no, books.value("select as_of from input.run"))
        if done != [night]:
            work_out(books, settings)
            done[:] = [night]

    return unless_done


@contextmanager
def _faster() -> Iterator[None]:
    """One thread for the database, and models not held to their schemas: half the time."""
    connect = duckdb.connect
    with (
        patch(
            "duckdb.connect",
            lambda file, **options: connect(file, config={"threads": 1}),
        ),
        patch(
            "pipeline.prepare.transform",
            lambda connection, hold: transform(connection, hold=()),
        ),
        patch("pipeline.run._baseline", _once(run._baseline)),
    ):
        yield


def measure(job: tuple[int, bool, int, int]) -> Measured:
    """All the nights of one practice."""
    members, on_the_first, count, seed = job
    shape = "mostly on the 1st" if on_the_first else "spread over the month"
    found = Measured(f"{members} members, {shape}")
    practice = Practice(members, on_the_first, seed)
    with (
        _faster(),
        tempfile.TemporaryDirectory() as place,
        opened(Path(place) / "none" / "membill.duckdb", write=False) as books,
    ):
        folder = Path(place) / "practice"
        folder.mkdir()
        live(practice, Nights(practice, folder, books), count, found)
    return found


def _print_nights(results: list[Measured]) -> None:
    print("| practice | ordinary nights | stopped | the bulk enrolment |")
    print("|---|---|---|---|")
    for found in results:
        bulk = ", ".join(found.bulk) or "not reached"
        print(
            f"| {found.practice} | {found.nights} | {sum(found.stopped.values())}"
            f" | {bulk} |"
        )
    nights = sum(found.nights for found in results)
    stopped = sum(sum(found.stopped.values()) for found in results)
    print(f"\n{stopped} of {nights} ordinary nights stopped: {stopped / nights:.2%}")
    for found in results:
        for night in found.stopped:
            print(f"- {found.practice}, {night}")


def _print_faults(results: list[Measured]) -> None:
    counts: Counter[tuple[str, bool, str]] = Counter()
    for found in results:
        counts += found.faults
    print(
        "\n| fault | tried on quiet days | caught | tried on due days | caught | by |"
    )
    print("|---|---|---|---|---|---|")
    tried = caught = 0
    for name in [*FAULTS, *OLD_COPIES, *WRONG_DAYS]:
        cells = []
        for due in (False, True):
            here = {by: n for (f, d, by), n in counts.items() if (f, d) == (name, due)}
            missed = here.get("slipped", 0)
            cells += [sum(here.values()), sum(here.values()) - missed]
            tried, caught = tried + sum(here.values()), caught + cells[-1]
        by: Counter[str] = Counter()
        for (fault, _, how), times in counts.items():
            if fault == name and how != "slipped":
                for one in how.replace("guard-", "").split(" and "):
                    by[one] += times
        ways = ", ".join(f"{how} {times}" for how, times in by.most_common())
        print(f"| {name} | {' | '.join(str(cell) for cell in cells)} | {ways} |")
    print(f"\n{caught} of {tried} faults caught: {caught / tried:.1%}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=730)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--members", type=int, action="append")
    given = parser.parse_args()
    jobs = [
        (*shape, given.nights, given.seed)
        for shape in SHAPES
        if shape[0] in (given.members or (80, 500))
    ]
    with multiprocessing.Pool(2) as pool:
        results = pool.map(measure, jobs, chunksize=1)
    _print_nights(results)
    _print_faults(results)
    for found in results:
        for case in found.slipped:
            print(f"- slipped: {case}")


if __name__ == "__main__":
    main()
