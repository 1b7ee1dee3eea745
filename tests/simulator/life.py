"""Years of a practice: days pass, staff edit, nights run, power fails, copies come back."""

import random
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from pipeline.bookkeeping.deferred import following
from tests.practice import Result
from tests.simulator.machine import LET_THROUGH, command, cut_short
from tests.simulator.naive import (
    PENNY,
    Books,
    Document,
    Night,
    Refused,
    close,
    credit,
    credited_on,
    night,
    practice_of,
)
from tests.simulator.naive_rights import in_force, may_edit
from tests.simulator.naive_rows import read_rows
from tests.simulator.office import Office
from tests.simulator.office import row as cells
from tests.simulator.promises import (
    Watch,
    as_previewed,
    everything,
    must,
    previewed,
    same,
)


@dataclass(frozen=True)
class Copy:
    """A backup: its file, the books it was made of, and the workbooks there were."""

    path: Path
    books: Books


@dataclass
class Life:
    """One practice from its first day on; `tally` counts what happened to it."""

    folder: Path
    dice: random.Random
    office: Office
    books: Books = field(default_factory=Books)
    copies: list[Copy] = field(default_factory=list)
    tally: Counter[str] = field(default_factory=Counter)
    story: list[str] = field(default_factory=list)

    @classmethod
    def begin(cls, folder: Path, seed: int, members: int = 6) -> "Life":
        """A practice on its first day; everything in it follows from the seed."""
        dice = random.Random(seed)
        first = date(2023, 1, 1) + timedelta(days=dice.randint(0, 1400))
        office = Office(dice, first)
        office.open(members)
        return cls(folder, dice, office)

    @property
    def today(self) -> date:
        """The real day; a clock that is wrong says another."""
        return self.office.today

    def live(self, years: int, runs_a_year: int) -> None:
        """Let the years pass, with about so many runs of the program in each."""
        end = self.today + timedelta(days=round(365.25 * years))
        pause = 365 / runs_a_year
        while self.today < end:
            # Before the first night there is nothing that staff could change.
            if self.books.nights:
                for _ in range(self.dice.randint(1, 3 + int(pause / 12))):
                    self.office.day()
                self.answer()
            self.office.save(self.folder)
            self.dice.choice(SCENES)(self)
            days = self.dice.choice([0.1, 0.3, 0.8, 1, 1.5, 2.3]) * pause
            self.office.today += timedelta(days=max(1, round(days)))
        self.plain()
        self.at_the_end()

    def answer(self) -> None:
        """Staff answer what the last nights held: a Bill from, another start date."""
        _, coming = night(self.books, self.office.sheets, self.today)
        for patient, reason in coming.held.items():
            if reason not in ("too old", "overlaps") or self.dice.random() < 0.5:
                continue
            row = self._row(patient)
            if reason == "too old":
                earliest = coming.first_unbilled[patient]
                later = earliest + timedelta(days=self.dice.choice([0, 0, 31, 62]))
                row["Bill from"] = later.isoformat()
            else:
                until = max(end for _, end in self.books.billed[patient])
                row["Start date"] = (until + timedelta(days=1)).isoformat()
            row["Last edited by"] = "dd"

    def _row(self, patient: str) -> dict[str, str]:
        rows = self.office.sheets["patients"]
        return next(row for row in rows if row["Patient ID"] == patient)

    # Nights.

    def bill(self, as_of: date, *more: str, clock: date | None = None) -> Result:
        """A night that nothing disturbs, held against the second implementation."""
        expected, coming = night(self.books, self.office.sheets, as_of)
        clock = clock or self.today
        accept = [option for guard in LET_THROUGH for option in ("--accept", guard)]
        args = ["bill", self.folder, *accept, *more]
        args += ["--as-of", as_of] if as_of != clock or self.dice.random() < 0.5 else []
        before = everything(self.folder, but="out/issues.xlsx")
        result = command(*args, today=clock)
        self.tally["nights"] += 1
        self.story.append(f"{as_of} night {more} -> {result.code}")
        self.watch.silent(result.out + result.err, self.office.names)
        if why := self.guarded(coming, as_of, clock, more):
            same(10, result.code, 4, f"refused because of {why}; {result.err}")
            after = everything(self.folder, but="out/issues.xlsx")
            must(10, _kept(before, after), "a refused night left a trace")
            same(10, self.recorded(), self.books.runs, "a refused night was recorded")
            self.tally[f"refused: {why}"] += 1
            return result
        must(3, result.code in (0, 3), f"exit code {result.code}: {result.err}")
        self.books = expected
        self.inspect(coming, result, before)
        return result

    @property
    def watch(self) -> Watch:
        """The one who looks, who keeps what was published."""
        if not hasattr(self, "_watch"):
            self._watch = Watch(self.folder)
        return self._watch

    def guarded(
        self, coming: Night, as_of: date, clock: date, more: tuple[str, ...]
    ) -> str:
        """The guard that should stop a night, or ''."""
        judged = in_force(
            self.office.sheets, self.books.accepted, first=not self.books.nights
        )
        practice = practice_of(judged.rows["settings"])
        last = self.books.last_as_of
        strange = as_of > clock or (
            last is not None
            and not last <= as_of <= last + timedelta(days=practice["Max days ahead"])
        )
        if strange and "date" not in more:
            return "date"
        large = any(one.gross > practice["Max invoice amount"] for one in coming.made)
        return "amount" if large and "amount" not in more else ""

    def inspect(self, coming: Night, result: Result, before: dict[str, str]) -> None:
        """Every promise that can be looked at after a night."""
        self.tally["invoices"] += len(coming.made)
        self.tally["lines"] += sum(len(one.lines) for one in coming.made)
        self.tally["held"] += len(coming.held)
        patients = read_rows("patients", self.office.sheets["patients"])
        self.settled()
        self.watch.night(coming, len(patients), result.out + result.err, result.code)
        inputs = {
            name: digest
            for name, digest in before.items()
            if name.endswith(".csv") and "/" not in name
        }
        after = everything(self.folder)
        must(
            10, inputs == {name: after.get(name) for name in inputs}, "a sheet changed"
        )

    def settled(self) -> None:
        """What holds after anything that was recorded."""
        self.watch.read()
        self.watch.books(self.books)
        self.watch.numbers()
        self.watch.outputs(self.books)
        self.watch.private()
        if self.dice.random() < 0.3:
            self.verify()

    def verify(self) -> None:
        """The program proves its own ledger."""
        result = command("verify", self.folder, today=self.today)
        self.tally["verified"] += 1
        must(11, result.code == 0, result.out + result.err)

    def let_through(self, as_of: date, *more: str) -> None:
        """A night; what the amount guard stops is looked at and let through."""
        result = self.bill(as_of, *more)
        if result.code == 4 and "amount" in result.err:
            self.bill(as_of, *more, "--accept", "amount")

    # Scenes.

    def plain(self) -> None:
        """An ordinary night."""
        self.let_through(
            max(self.today, self.books.last_as_of or self.today), *self.late()
        )

    def late(self) -> list[str]:
        """What the night needs after a time in which the machine was off, or ahead."""
        last = self.books.last_as_of
        wrong = last is not None and not last <= self.today <= last + timedelta(
            days=150
        )
        return ["--accept", "date"] if wrong else []

    def twice(self) -> None:
        """The night runs a second time: nothing more is made."""
        settled = self.quietly()
        made = len(self.books.documents)
        self.plain()
        again = len(self.books.documents)
        must(2, again == made or not settled, f"{made}, then {again} documents")
        self.tally["nights run twice"] += 1

    def quietly(self) -> bool:
        """A night; whether nobody's right changed, so that the next judges as it did."""
        people = [self.books.accepted.get(name) for name in ("staff", "roles")]
        self.plain()
        return people == [self.books.accepted.get(name) for name in ("staff", "roles")]

    def earlier(self) -> None:
        """A night for an earlier day is refused; let through, it makes nothing new."""
        settled = self.quietly()
        day = self.books.last_as_of - timedelta(days=self.dice.randint(1, 40))
        must(10, self.bill(day).code == 4, "a night for an earlier day went ahead")
        if self.dice.random() < 0.5:
            made = len(self.books.documents)
            self.let_through(day, "--accept", "date")
            after = len(self.books.documents)
            must(2, after == made or not settled, f"{made}, then {after} documents")

    def clock_ahead(self) -> None:
        """The clock has jumped ahead: refused, or let through by a person."""
        if not self.books.nights:
            return self.plain()
        ahead = self.books.last_as_of + timedelta(days=self.dice.randint(200, 700))
        result = self.bill(ahead, clock=ahead)
        must(10, result.code == 4, "a night far ahead went on")
        self.tally["clock jumps"] += 1
        if self.dice.random() < 0.3:
            near = self.books.last_as_of + timedelta(days=self.dice.randint(1, 25))
            self.let_through(max(near, self.today), "--accept", "date")
        return None

    def power_cut(self) -> None:
        """The power fails in the middle of a night, now and then twice."""
        as_of = max(self.today, self.books.last_as_of or self.today)
        for _ in range(self.dice.choice([1, 1, 2])):
            expected, coming = night(self.books, self.office.sheets, as_of)
            accept = [
                o
                for guard in [*LET_THROUGH, "amount", "date"]
                for o in ("--accept", guard)
            ]
            at = self.dice.choice(
                [self.dice.randint(1, 60), self.dice.randint(20, 220)]
            )
            result = cut_short(
                self.folder, at, "bill", self.folder, *accept, "--as-of", as_of, today=self.today
            )  # fmt: skip
            self.tally["kills" if result is None else "kills too late"] += 1
            recorded = self.recorded()
            self.story.append(f"{as_of} cut short at {at}: {recorded} runs recorded")
            must(7, recorded in (self.books.runs, expected.runs), f"{recorded} runs")
            if recorded == expected.runs:
                self.books = expected
                self.tally["invoices"] += len(coming.made)
        self.let_through(as_of, "--accept", "date")
        self.verify()

    def power_cut_at_credit(self) -> None:
        """The power fails while a credit note is made: it is there whole, or not at all."""
        credited = {one.credits for one in self.books.documents}
        open_ = [o for o in self.books.of("invoice") if o.number not in credited]
        if not open_ or not may_edit(self.books.accepted, "mm", "Invoices"):
            return self.plain()
        number = self.dice.choice(open_).number
        args = ["credit", self.folder, number, "--reason", "left", "--by", "mm"]
        cut_short(self.folder, self.dice.randint(1, 60), *args, today=self.today)
        self.tally["kills at a credit"] += 1
        recorded = self.recorded()
        must(7, recorded - self.books.runs in (0, 1), f"{recorded} runs recorded")
        if recorded > self.books.runs:
            self.books = credit(self.books, number, self.today)
        return self.plain()

    def recorded(self) -> int:
        """The runs in the ledger as it lies there, read from a copy."""
        ledger = self.folder / "ledger" / "membill.duckdb"
        if not ledger.exists():
            return 0
        aside = self.folder.with_name(f"{self.folder.name}-looked-at")
        shutil.copytree(ledger.parent, aside)
        try:
            with duckdb.connect(str(aside / ledger.name)) as copy:
                return copy.execute("select count(*) from runs").fetchall()[0][0]
        finally:
            shutil.rmtree(aside)

    def bad_file(self) -> None:
        """A sheet is missing, or lost a column: the night is refused without a trace."""
        name = self.dice.choice(["patients", "products", "settings", "staff"])
        file = self.folder / f"{name}.csv"
        whole = file.read_bytes()
        if self.dice.random() < 0.5:
            file.unlink()
        else:
            file.write_bytes(whole.split(b",", 1)[1])
        before = everything(self.folder, but="out/issues.xlsx")
        result = command("bill", self.folder, "--as-of", self.today, today=self.today)
        same(10, result.code, 4, f"{name} cannot be used; {result.err}")
        after = everything(self.folder, but="out/issues.xlsx")
        must(10, _kept(before, after), f"a night without {name} left a trace")
        self.watch.silent(result.out + result.err, self.office.names)
        self.tally["refused: file"] += 1
        file.write_bytes(whole)
        self.plain()

    def previewed(self) -> None:
        """The preview says what the night then makes, and writes nothing."""
        as_of = max(self.today, self.books.last_as_of or self.today)
        _, coming = night(self.books, self.office.sheets, as_of)
        before = everything(self.folder)
        result = command(
            "preview",
            self.folder,
            "--as-of",
            as_of,
            "--format",
            "csv",
            today=self.today,
        )
        must(6, everything(self.folder) == before, "the preview wrote something")
        same(6, previewed(result.rows), as_previewed(coming.made), "the preview")
        self.tally["previews"] += 1
        self.plain()

    def send(self) -> None:
        """Invoices are sent by hand: by command, or by rows of the sent log."""
        dice = self.dice
        numbers = [one.number for one in self.books.documents]
        if not numbers:
            return self.plain()
        picked = dice.sample(numbers, min(len(numbers), dice.randint(1, 3)))
        if dice.random() < 0.5:
            self.office.sheets["sent"] += [
                cells("sent", number, self.today.isoformat(), "by post", "", "dd")
                for number in [*picked, "INV-777777"]
            ]
            self.office.sheets["sent"].append(
                cells("sent", dice.choice(numbers), "2001-01-01", "too early", "", "dd")
            )
            self.office.save(self.folder)
            return self.plain()
        user = dice.choice(["dd", "mm", "vv", "zz"])
        issued = [one.issued_on for one in self.books.documents if one.number in picked]
        result = command(
            "sent",
            self.folder,
            *picked,
            "--to",
            "by post",
            "--by",
            user,
            today=self.today,
        )
        allowed = may_edit(self.books.accepted, user, "Invoices")
        allowed = allowed and all(day <= self.today for day in issued)
        allowed = allowed and all(
            self.today <= credited_on(self.books, number) for number in picked
        )
        same(14, result.code, 0 if allowed else 2, f"sent by {user}: {result.err}")
        if allowed:
            self.books = self.books.copy()
            self.books.sent |= set(picked)
            self.books.runs += 1
            self.tally["sendings"] += len(picked)
        return self.settled()

    def give_credit(self) -> None:
        """All, a line or a part of an invoice; never more than is left, nor by anybody."""
        invoices = self.books.of("invoice")
        if not invoices:
            return self.plain()
        invoice = self.dice.choice(invoices)
        user = self.dice.choice(["dd", "mm", "mm", "mm", "vv", "xx"])
        line, amount, rebill = self._wish(invoice)
        options = ["--line", line] if line else []
        options += ["--amount", amount] if amount else []
        options += ["--rebill"] if rebill else []
        result = command(
            "credit", self.folder, invoice.number, "--reason", "left", "--by", user,
            *options, today=self.today,
        )  # fmt: skip
        self.story.append(
            f"{self.today} credit {invoice.number} {options}: {result.code}"
        )
        after = None
        if may_edit(self.books.accepted, user, "Invoices"):
            with suppress(Refused):
                after = credit(
                    self.books, invoice.number, self.today, line, amount, rebill
                )
        same(14, result.code, 0 if after else 2, f"credit by {user}: {result.err}")
        if after:
            self.books = after
            self.tally["credits"] += 1
            self.tally["to be billed again"] += rebill
        self.settled()
        if after:
            self.plain()
        return None

    def _wish(self, invoice: Document) -> tuple[int | None, Decimal | None, bool]:
        """A line, a part or neither; and whether it is to be billed once more."""
        dice = self.dice
        line = dice.choice([None, None, *range(1, len(invoice.lines) + 1)])
        amount = None
        if dice.random() < 0.5:
            gross = invoice.lines[(line or 1) - 1].gross
            amount = max(gross * dice.randint(1, 110) / 100, PENNY).quantize(PENNY)
        return line, amount, dice.random() < 0.4

    def close_month(self) -> None:
        """The first month that is open is closed, once it is over."""
        if not self.books.documents:
            return self.plain()
        month = min(f"{one.issued_on:%Y-%m}" for one in self.books.documents)
        if self.books.closed:
            month = following(max(self.books.closed))
        user = self.dice.choice(["mm", "mm", "dd"])
        allowed = may_edit(self.books.accepted, user, "Settings")
        allowed = allowed and month < f"{self.today:%Y-%m}"
        result = command("close", self.folder, month, "--by", user, today=self.today)
        same(14, result.code, 0 if allowed else 2, f"close {month}: {result.err}")
        if allowed:
            self.books = close(self.books, month)
            self.tally["months closed"] += 1
        return self.settled()

    def copy(self) -> None:
        """A backup."""
        if not self.books.nights:
            return self.plain()
        result = command("backup", self.folder, today=self.today)
        must(11, result.code == 0, result.err)
        path = Path(result.out.partition("checked copy: ")[2].strip())
        self.copies.append(Copy(path, self.books))
        self.tally["backups"] += 1
        return self.settled()

    def bring_back(self) -> None:
        """A copy comes back, unless a number given out since would be given out again."""
        if not self.copies:
            return self.copy()
        if self.dice.random() < 0.5:  # one made today, so that no number lies between
            self.copy()
            self.plain()
        back = self.dice.choice(self.copies[-2:])
        lost = {d.number for d in self.books.documents} - {
            d.number for d in back.books.documents
        }
        if not lost and self.dice.random() < 0.5:
            at = self.dice.randint(1, 20)
            cut_short(
                self.folder, at, "restore", self.folder, back.path, today=self.today
            )
            self.tally["kills at a restore"] += 1
        before = everything(self.folder)
        result = command("restore", self.folder, back.path, today=self.today)
        self.story.append(f"{self.today} restore {back.path.name} -> {result.code}")
        same(1, result.code, 4 if lost else 0, f"restore; {result.err}")
        self.tally["restores refused" if lost else "restores"] += 1
        if lost:
            same(10, everything(self.folder), before, "files after a refused restore")
            return None
        self.books = back.books.copy()
        self.verify()
        return self.plain()

    def at_the_end(self) -> None:
        """Workbooks opened; everything made again from the ledger alone is the same."""
        self.verify()
        if self.dice.random() < 0.6:
            return self.watch.workbooks(self.books)
        shutil.rmtree(self.folder / "out")
        result = command("rebuild", self.folder, today=self.today)
        must(6, result.code == 0, result.err)
        self.watch.outputs(self.books)
        return self.watch.workbooks(self.books)


def _kept(before: dict[str, str], after: dict[str, str]) -> bool:
    """Nothing is new, gone or changed; a first night refused leaves no ledger.

    After a power cut, which leaves no checksum, even a refused night first publishes what
    the one before it had recorded: then the sheets alone must be as they were.
    """
    if "ledger/membill.duckdb.sha256" in before or not _has_ledger(before):
        return before == after
    before, after = (
        {name: digest for name, digest in files.items() if "/" not in name}
        for files in (before, after)
    )
    return before == after


def _has_ledger(files: dict[str, str]) -> bool:
    return "ledger/membill.duckdb" in files


SCENES: list[Callable[[Life], None]] = [
    Life.plain, Life.plain, Life.plain, Life.plain, Life.plain, Life.plain, Life.plain,
    Life.twice, Life.earlier, Life.clock_ahead, Life.power_cut, Life.power_cut,
    Life.power_cut, Life.power_cut_at_credit, Life.bad_file, Life.previewed, Life.previewed, Life.send,
    Life.send, Life.give_credit, Life.give_credit, Life.close_month, Life.copy, Life.bring_back, Life.bring_back,
]  # fmt: skip
