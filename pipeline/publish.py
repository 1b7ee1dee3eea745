"""Makes every file below `out/` from the ledger, whole or not at all.

Invoice workbooks are written once and never replaced; lists, registers and pages follow
the ledger. What a killed night left unmade is made at the end of the next.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from pipeline import accounts, chain
from pipeline.books import Night
from pipeline.exports import invoice, invoice_list, issues, register, summary
from pipeline.files import private_folder, write_bytes
from pipeline.ledger import Ledger


@dataclass(frozen=True)
class Published:
    """What was written, and what could not be and why, in words."""

    written: list[str]
    warnings: list[str]


class _Press:
    """Writes files below one folder and remembers what came of it."""

    def __init__(self, out: Path):
        self.out = out
        self.written: list[tuple[str, str]] = []
        self.warnings: list[str] = []

    def put(self, path: str, content: bytes, *, replace: bool = True) -> None:
        """Write one file; one that is open elsewhere is left for the next run."""
        try:
            write_bytes(self.out / path, content, replace=replace)
        except FileExistsError:
            if not _holds(self.out / path, content):
                self.warnings.append(
                    f"{path} is already there and is not what the ledger says; it was"
                    " left as it is: look at both and move the strange one away"
                )
                return
        except OSError as error:
            self.warnings.append(
                f"{path} could not be written ({error.strerror}); it will be made again"
                " by the next run: close it if it is open"
            )
            return
        self.written.append((path, hashlib.sha256(content).hexdigest()))


def published_numbers(out: Path) -> set[str]:
    """The numbers of the invoice workbooks that lie below `out/`."""
    return {
        file.stem
        for file in out.glob("invoices/*/*/*.xlsx")
        if re.fullmatch(r"[A-Za-z0-9_-]+[0-9]{6,}", file.stem)
    }


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def publish(ledger: Ledger, out: Path, *, everything: bool = False) -> Published:
    """Bring `out/` up to the ledger; with `everything`, make every file again.

    An invoice workbook that staff moved away stays away, unless `everything`.
    """
    press = _Press(out)
    _invoices(ledger, press, everything=everything)
    _registers(ledger, press, everything=everything)
    try:
        _mark(ledger, press)
    except duckdb.Error:
        press.warnings.append(
            "what was published could not be noted (is the disk full?); the next run"
            " looks at every file again"
        )
    _pages(ledger, press)
    return Published([path for path, _ in press.written], press.warnings)


def publish_restored(ledger: Ledger, out: Path, aside: Path) -> Published:
    """Bring `out/` back to a ledger that was restored.

    Runs and registers that it does not know are moved to `aside`, lest a later run of
    the same name be taken for them; what it knows is written again as it knows it.
    """
    press = _Press(out)
    _registers(ledger, press, everything=True)
    _mark(ledger, press)
    known = {f"runs/{row['run_id']}" for row in ledger.rows("from ledger.runs")}
    known |= {path for path, _ in press.written}
    for found in [*out.glob("runs/*"), *out.glob("registers/*.xlsx")]:
        path = str(found.relative_to(out))
        if path not in known:
            os.replace(found, private_folder((aside / path).parent) / found.name)
    _pages(ledger, press)
    return Published([path for path, _ in press.written], press.warnings)


def _invoices(ledger: Ledger, press: _Press, *, everything: bool) -> None:
    where = (
        "true"
        if everything
        else "not exists (select 1 from ledger.published as published where"
        " published.path like '%/' || invoices.number || '.xlsx')"
    )
    for document in accounts.documents(ledger, where):
        press.put(document.path, invoice.render(document), replace=False)


def _registers(ledger: Ledger, press: _Press, *, everything: bool) -> None:
    """Months whose documents, credits or sendings changed since they were written."""
    changed = ledger.rows(
        "with touched as ("
        " select strftime(issued_on, '%Y-%m') as month, run_no from ledger.invoices"
        " union all select strftime(original.issued_on, '%Y-%m'), credit.run_no"
        "  from ledger.invoices as credit inner join ledger.invoices as original"
        "  on credit.credits_number = original.number"
        " union all select strftime(invoices.issued_on, '%Y-%m'), sendings.run_no"
        "  from ledger.sendings as sendings inner join ledger.invoices as invoices"
        "  using (number)"
        " union all select strftime(as_of, '%Y-%m'), min(run_no) from ledger.runs"
        "  where command = 'bill' group by all"
        ") select month, max(run_no) as run_no from touched group by month order by month"
    )
    for row in changed:
        path = f"registers/{row['month']}.xlsx"
        done = ledger.value(
            "select max(run_no) from ledger.published where path = ?", [path]
        )
        present = _is_file(press.out / path)
        if everything or not present or done is None or done < row["run_no"]:
            press.put(path, register.render(accounts.month(ledger, row["month"])))


def _mark(ledger: Ledger, press: _Press) -> None:
    """Note what was written, so that it is not looked at again."""
    run_no = ledger.last_run_no
    rows = [(path, run_no, sha256) for path, sha256 in press.written]
    if rows:
        ledger.connection.execute("begin")
        ledger.connection.executemany(
            "insert into ledger.published values (?, ?, ?) on conflict do nothing", rows
        )
        ledger.connection.execute("commit")
        ledger.connection.execute("checkpoint ledger")


def _pages(ledger: Ledger, press: _Press) -> None:
    """The Invoices page, the issues, the summary and the run as machines read it."""
    night = accounts.night(ledger)
    if night is None:
        return
    makers: dict[str, Callable[[], bytes]] = {
        "invoices.xlsx": lambda: invoice_list.render(
            accounts.entries(ledger),
            practice_name=night.practice_name,
            as_of=night.as_of,
        ),
        "issues.xlsx": lambda: issues.render(night),
        "summary.html": lambda: summary.render(night).encode("utf-8"),
    }
    for path, make in makers.items():
        press.put(path, make())
    for run in ledger.rows(
        "select * from ledger.runs where command = 'bill' order by run_no"
    ):
        path = f"runs/{run['run_id']}/run.json"
        if not _is_file(press.out / path):
            press.put(path, run_json(ledger, run))
    last = accounts.last_night(ledger)
    if last:
        press.put("last_run.json", run_json(ledger, last))


def run_json(ledger: Ledger, run: dict[str, Any]) -> bytes:
    """A run as machines read it."""
    link = ledger.value(
        "select sha256 from ledger.chain where kind = 'run' and record_key = ?",
        [str(run["run_no"])],
    )
    report = {
        **json.loads(run["report"]),
        "recorded_at": run["recorded_at"],
        "duration_seconds": run["milliseconds"] / 1000,
        "chain_head": link or chain.START,
    }
    return (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def publish_issues(out: Path, night: Night) -> None:
    """The issues workbook alone, for a check or a night that was refused."""
    write_bytes(out / "issues.xlsx", issues.render(night))
