"""What must hold of a practice after each night, looked at without the program."""

import hashlib
import json
import re
import stat
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl

from tests.simulator.naive import Books, Document, Night


class Broken(AssertionError):
    """A promise that does not hold, with its number and what was seen."""


def must(promise: int, holds: bool, found: object) -> None:
    """Promise number `promise` holds, or `found` is why not."""
    if not holds:
        raise Broken(f"promise {promise}: {found}")


def same(promise: int, found: Any, expected: Any, what: str) -> None:
    """Both implementations say the same."""
    if found != expected:
        only = [
            f"the program says {found!r}",
            f"the second implementation {expected!r}",
        ]
        if isinstance(found, list) and isinstance(expected, list):
            only = [
                f"only in the program: {[one for one in found if one not in expected][:4]}",
                f"only in the second: {[one for one in expected if one not in found][:4]}",
            ]
        raise Broken(f"promise {promise}: {what}: {'; '.join(only)}")


FACTS = {
    "documents": "select number, kind, issued_on, due_on, coalesce(bill_to, ''),"
    " coalesce(credits_number, ''), net, tax, gross from invoices"
    " order by kind desc, sequence",
    "lines": "select number, line, lines.patient_id, product_code,"
    " coalesce(frequency, ''), period_start, period_end, quantity, unit_price, tax_code,"
    " tax_rate, lines.net, lines.tax, lines.gross from lines inner join invoices"
    " using (number) order by kind desc, sequence, line",
    "numbers": "select kind, sequence, issued_on from invoices order by sequence",
    "sent": "select distinct number from sendings",
    "runs": "select run_id, report from runs where command = 'bill'",
    "changes": "select distinct table_name, split_part(subject, ' ', 1), accepted"
    " from changes where (column_title <> '(whole row)' or new_value = 'added') and run_no ="
    " (select max(run_no) from runs)",
}


@dataclass
class Watch:
    """What has been seen of a practice so far: every published invoice, byte by byte."""

    folder: Path
    published: dict[str, str] = field(default_factory=dict)
    facts: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        """Where the workbooks are."""
        return self.folder / "out"

    def read(self) -> None:
        """Read the ledger without the program, at once for all that looks at it."""
        path = self.folder / "ledger" / "membill.duckdb"
        with duckdb.connect(str(path), read_only=True) as ledger:
            self.facts = {
                name: ledger.execute(query).fetchall() for name, query in FACTS.items()
            }

    def books(self, books: Books) -> None:
        """Promises 1, 2 and 5: the ledger is, line by line, what the rules give."""
        ordered = [*books.of("invoice"), *books.of("credit_note")]
        expected = [_as_row(document) for document in ordered]
        same(5, self.facts["documents"], expected, "documents")
        lines = [row for document in ordered for row in _lines(document)]
        same(2, self.facts["lines"], lines, "lines")
        sent = {number for (number,) in self.facts["sent"]}
        same(6, sent, books.sent, "documents sent")

    def numbers(self) -> None:
        """Promise 1: no gap, none twice, and dates never fall as numbers rise."""
        for kind in ("invoice", "credit_note"):
            rows = [row[1:] for row in self.facts["numbers"] if row[0] == kind]
            sequence = [number for number, _ in rows]
            if sequence:
                whole = list(range(sequence[0], sequence[0] + len(sequence)))
                must(1, sequence == whole, f"{kind} numbers {sequence}")
            days = [day for _, day in rows]
            must(1, days == sorted(days), f"{kind} dates {days}")

    def night(self, night: Night, rows: int, printed: str, code: int) -> None:
        """Promises 3, 8, 9, 14 and 15, of the night that has just been."""
        report = json.loads((self.out / "last_run.json").read_text(encoding="utf-8"))
        buckets = Counter({k: n for k, n in report["memberships"].items() if n})
        same(3, buckets, night.buckets, f"buckets (held: {night.held})")
        placed = sum(buckets.values()) + night.without
        must(8, placed == rows, f"{buckets} and {night.without} of {rows} patients")
        same(3, code, night.exit_code, f"exit code (held: {night.held}); {printed}")
        same(5, report["invoices_made"], len(night.made), "invoices made")
        gross = sum((one.gross for one in night.made), Decimal(0))
        same(5, Decimal(report["totals"]["gross"]), gross, "the night's total")
        changes = set(self.facts["changes"])
        shown = {
            (table, subject.split(" ")[0], ok) for table, subject, ok in night.changes
        }
        same(14, changes, shown, "changes shown")

    def outputs(self, books: Books) -> None:
        """Promises 4 and 6: every document is published, once, and never changes."""
        expected = {
            f"invoices/{one.issued_on:%Y/%m}/{one.number}.xlsx"
            for one in books.documents
        }
        found = {
            str(path.relative_to(self.out)): hashlib.sha256(
                path.read_bytes()
            ).hexdigest()
            for path in self.out.glob("invoices/*/*/*.xlsx")
        }
        must(6, found.keys() == expected, f"{sorted(found.keys() ^ expected)[:5]}")
        for path, digest in self.published.items():
            must(4, found.get(path) == digest, f"{path} is no longer what it was")
        self.published |= found
        months = {f"{one.issued_on:%Y-%m}" for one in books.documents}
        registers = {path.stem for path in self.out.glob("registers/*.xlsx")}
        must(6, months <= registers, f"registers {sorted(months - registers)} missing")
        for name in ("invoices.xlsx", "issues.xlsx", "summary.html"):
            must(6, (self.out / name).is_file(), f"{name} is missing")
        for run_id, report in self.facts["runs"]:
            told = json.loads(
                (self.out / "runs" / run_id / "run.json").read_text("utf-8")
            )
            known = json.loads(report)
            must(
                6,
                {name: told.get(name) for name in known} == known,
                f"runs/{run_id}/run.json is not of the run in the ledger",
            )

    def private(self) -> None:
        """Promise 15: nobody else can read the ledger or what is made from it."""
        for root in (self.folder / "ledger", self.out):
            for path in (root, *root.rglob("*")):
                mode = stat.S_IMODE(path.stat().st_mode)
                must(15, not mode & 0o077, f"{path} has mode {mode:o}")

    def silent(self, printed: str, names: set[str]) -> None:
        """Promise 15: no patient's name is printed."""
        for name in names:
            must(15, name.lower() not in printed.lower(), f"{name} in {printed}")

    def workbooks(self, books: Books) -> None:
        """Promises 5 and 13: workbooks say what the books say, and run nothing."""
        page = openpyxl.load_workbook(self.out / "invoices.xlsx")["Invoices"]
        cells = [cell for row in page.iter_rows() for cell in row]
        numbers = Counter(str(cell.value) for cell in cells if cell.value is not None)
        for document in books.documents:
            must(5, numbers[document.number] >= 1, f"{document.number} is not listed")
        for cell in cells:
            unsafe = cell.data_type == "f" and "1+1" in str(cell.value)
            must(13, not unsafe, f"{cell.coordinate} of invoices.xlsx is run")
        for document in books.documents[-3:]:
            self._invoice(document)

        months = defaultdict(list)
        for document in books.documents:
            months[f"{document.issued_on:%Y-%m}"].append(document)
        for month, issued in months.items():
            register = self.out / f"registers/{month}.xlsx"
            page = openpyxl.load_workbook(register, read_only=True)["Invoices"]
            states = {row[0]: row[2] for row in page.iter_rows(values_only=True)}
            for document in issued:
                sealed = books.closed.get(month, {})
                known = sealed.get(document.number) or books.state(document)
                same(5, states.get(document.number), known, document.number)

    def _invoice(self, document: Document) -> None:
        path = self.out / f"invoices/{document.issued_on:%Y/%m}/{document.number}.xlsx"
        page = openpyxl.load_workbook(path)["Invoice"]
        cells = [
            cell for row in page.iter_rows() for cell in row if cell.value is not None
        ]
        must(13, all(cell.data_type != "f" for cell in cells), f"a formula in {path}")
        total = abs(document.gross)
        amounts = [
            Decimal(str(c.value)) for c in cells if isinstance(c.value, int | float)
        ]
        must(5, total in [round(one, 2) for one in amounts], f"{path} lacks {total}")


def _as_row(document: Document) -> tuple[Any, ...]:
    return (
        document.number, document.kind, document.issued_on, document.due_on,
        document.bill_to, document.credits,
        sum((line.net for line in document.lines), Decimal(0)),
        sum((line.tax for line in document.lines), Decimal(0)),
        document.gross,
    )  # fmt: skip


def _lines(document: Document) -> list[tuple[Any, ...]]:
    return [
        (
            document.number, at, line.patient_id, line.product, line.frequency,
            line.start, line.end, line.quantity, line.unit_price, line.tax_code,
            line.rate, line.net, line.tax, line.gross,
        )
        for at, line in enumerate(document.lines, start=1)
    ]  # fmt: skip


def previewed(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
    """A preview's lines, by what makes two lines the same."""
    names = "number,patient_id,product_code,period_start,period_end,net,tax,gross"
    return [tuple(row[name] for name in names.split(",")) for row in rows]


def as_previewed(documents: list[Document]) -> list[tuple[str, ...]]:
    """The same of the documents a night should make."""

    def text(day: date | None) -> str:
        return day.isoformat() if day else ""

    return [
        ("", line.patient_id, line.product, text(line.start), text(line.end),
         f"{line.net:.2f}", f"{line.tax:.2f}", f"{line.gross:.2f}")
        for document in documents
        for line in document.lines
    ]  # fmt: skip


def everything(folder: Path, *, but: str = "") -> dict[str, str]:
    """Every file of a practice and the hash of its bytes, the lock's apart."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and not re.search(r"membill\.lock", name := str(path.relative_to(folder)))
        and name != but
    }
