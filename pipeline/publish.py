"""Makes every file below `out/` from the ledger, whole or not at all.

Invoices, workbook and PDF, are written once and never replaced; lists, registers and
pages follow the ledger. What a killed night left unmade is made at the start of the next.
"""

import gc
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb

from pipeline import outbox
from pipeline.bookkeeping import accounts, unsent
from pipeline.bookkeeping.books import Document, Night
from pipeline.bookkeeping.deferred import first_of, following
from pipeline.exports import (
    imports,
    invoice,
    invoice_list,
    issues,
    register,
    summary,
)
from pipeline.exports.words import counted
from pipeline.files import sweep, write_bytes
from pipeline.ledger import Ledger
from pipeline.many_files import AT_A_TIME
from pipeline.press import Press
from pipeline.second_press import SecondPress, second_press

# Documents on the Invoices page, which is made again every night: more would cost more
# every year, and nobody looks through them.
_LISTED = 20_000


@dataclass(frozen=True)
class Published:
    """What was written, what could not be and why, in words, and the last night."""

    written: list[str]
    warnings: list[str]
    night: Night | None = None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def publish(
    ledger: Ledger,
    out: Path,
    *,
    everything: bool = False,
    pages: bool = False,
    withhold: bool = False,
    meanwhile: Callable[[], None] = lambda: None,
) -> Published:
    """Bring `out/` up to the ledger; with `everything`, make every file again.

    With `pages`, every file but the invoices is made again. An invoice workbook or an
    import file that staff moved away stays away, unless `everything`; any other file that
    is gone is made again. With `withhold`, a PDF that no font can show is not tried again:
    that is for a night, whose warnings are read. `meanwhile` is called before the pages are
    made: it may keep the disk busy from then on.
    """
    press = Press(out)
    due = outbox.paths(ledger) if everything else set(outbox.pending(ledger))
    due |= {
        path for path in outbox.followers(ledger) if pages or not _is_file(out / path)
    }
    _sweep(out, due)
    if everything:
        due -= outbox.withheld(ledger)
    books = {path for path in due if path.startswith(outbox.DOCUMENTS)}
    with second_press(out, len(books)) as second:
        _invoices(ledger, press, books, everything=everything, second=second)
        lost = imports.forgotten(ledger) if everything else set()
        _imports(ledger, press, due - lost)
        meanwhile()
        # Only some pages tell of the last night; without a night there is none to show.
        night = accounts.night(ledger) if due & outbox.pages() else None
        if night or accounts.last_night(ledger):
            _pages(ledger, night, press, sorted(due - books))
        if second and not second.finish(press):
            left = {path for path in books if path.endswith(".xlsx")}
            left -= {path for path, _ in press.written}
            _sweep(out, left)
            _invoices(ledger, press, left, everything=everything)
    return _noted(ledger, press, night, press.withheld if withhold else [])


def publish_imports(ledger: Ledger, out: Path, paths: Iterable[str]) -> Published:
    """Import files again, where they were; one that is not what it was is left alone."""
    press = Press(out)
    _imports(ledger, press, set(paths))
    return _noted(ledger, press)


def _noted(
    ledger: Ledger,
    press: Press,
    night: Night | None = None,
    withheld: Sequence[tuple[str, str]] = (),
) -> Published:
    """Mark what was written as published."""
    try:
        outbox.mark(ledger, [*press.written, *withheld])
    except duckdb.Error:
        with suppress(duckdb.Error):  # else nothing more could be read
            ledger.connection.execute("rollback")
        press.warnings.append(
            "what was published could not be noted (is the disk full?); the next run"
            " looks at every file again"
        )
    return Published([path for path, _ in press.written], press.warnings, night)


def finish(ledger: Ledger, out: Path) -> str:
    """Publish first what an earlier run recorded and was cut short of showing.

    Returns what to say of it, '' where nothing was left or could be made now: whoever
    gives a command again that was killed must see that its first run counts.
    """
    left = set(outbox.pending(ledger))
    made = left & set(publish(ledger, out).written) if left else set()
    if not made:
        return ""
    runs = ledger.rows(
        "select command, run_id, report from ledger.runs where run_no in ("
        "  select max(run_no) from ledger.outbox where path in (select unnest(?))"
        "  group by path"
        " ) order by run_no",
        [sorted(made)],
    )
    return f"Finished first what an earlier run left: {', '.join(map(_named, runs))}."


def _named(run: dict[str, Any]) -> str:
    """A run and its documents, by number where they are few."""
    numbers = json.loads(run["report"]).get("numbers", [])
    few = len(numbers) <= 5
    said = ", ".join(numbers) if few else counted(len(numbers), "document")
    return f"{run['command']} {run['run_id']}" + f" ({said})" * bool(numbers)


def _sweep(out: Path, due: set[str]) -> None:
    for folder in {(out / path).parent for path in due}:
        with suppress(OSError):
            sweep(folder)


def _invoices(
    ledger: Ledger,
    press: Press,
    due: set[str],
    *,
    everything: bool,
    second: SecondPress | None = None,
) -> None:
    if not due:
        return
    # A workbook is not made again without the names it had: its number would then
    # stand for two different files.
    where = (
        "invoices.number not in (select number from in_force.forgotten_lines)"
        if everything
        else "invoices.number in (select unnest($1))"
    )
    values = [] if everything else [sorted({Path(path).stem for path in due})]
    documents = accounts.documents(ledger, where, values)
    while some := list(islice(documents, AT_A_TIME)):
        books = [each for each in some if each.path in due]
        if not (second and second.takes(books)):
            press.put_new([(each.path, invoice.render(each)) for each in books])
        with_pdf = (each for each in some if each.pdf_path in due)
        press.put_new([file for each in with_pdf for file in _pdf(press, each)])


def _pdf(press: Press, document: Document) -> list[tuple[str, bytes]]:
    """The PDF of a document; one that cannot be made harms nothing else."""
    try:
        # Loaded here alone: most practices make none.
        from pipeline.exports.invoice_pdf import Unprintable, render

        try:
            content = render(document)
        except Unprintable as fault:
            press.warnings.append(f"{fault}, so that it has no PDF: send its workbook")
            press.withheld.append((document.pdf_path, outbox.WITHHELD))
            return []
    except (ImportError, OSError, RuntimeError) as error:
        press.warnings.append(
            f"{document.pdf_path} could not be made ({type(error).__name__}): see that"
            " the program is installed whole, then run `membill rebuild`"
        )
        return []
    return [(document.pdf_path, content)]


def _imports(ledger: Ledger, press: Press, due: set[str]) -> None:
    for path in sorted(path for path in due if path.startswith(outbox.IMPORTS)):
        press.put_new([(path, imports.render(ledger, path))])


def _pages(ledger: Ledger, night: Night | None, press: Press, due: list[str]) -> None:
    """Registers, the Invoices page, the issues, the summary and runs for machines."""
    makers = _of_night(ledger, night) if night else {}
    for path in due:
        if path in makers:
            press.put(path, _made(makers[path]))
        elif path.startswith("registers/"):
            press.put(path, made_register(ledger, Path(path).stem))
        elif path.startswith("runs/"):
            press.put(path, run_json(ledger, Path(path).parent.name))


def _made(make: Callable[..., bytes], *of: Any) -> bytes:
    """A page, made while Python does not look for circles among what it is made of.

    There are a hundred thousand rows and one circle, the workbook, which goes with the
    first look after it; looking took a quarter of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return make(*of)
    finally:
        if was_on:
            gc.enable()


def made_register(ledger: Ledger, month: str) -> bytes:
    """The register of a month (YYYY-MM) as the ledger has it."""
    return _made(lambda: register.render(accounts.month(ledger, month)))


def _of_night(ledger: Ledger, night: Night) -> dict[str, Callable[[], bytes]]:
    """How each page is made that tells of the last night."""
    return {
        "invoices.xlsx": lambda: _invoices_page(ledger, night),
        "issues.xlsx": lambda: issues.render(night),
        "summary.html": lambda: summary.render(night, unsent.limits(ledger)).encode(
            "utf-8"
        ),
        "last_run.json": lambda: run_json(ledger, night.run_id),
    }


def _invoices_page(ledger: Ledger, night: Night) -> bytes:
    """The newest documents that fit a sheet, and all that wait to be sent."""
    earlier = accounts.earlier_months(ledger, _LISTED)
    since = first_of(following(max(earlier))) if earlier else date.min
    listed = accounts.entries_since(ledger, since, night.unsent)
    waiting = [entry.number for entry in listed if entry.status == "unsent"]
    return invoice_list.render(
        listed,
        practice_name=night.practice_name,
        as_of=night.as_of,
        emails=unsent.emails(ledger, waiting),
        limits=unsent.limits(ledger),
        earlier=earlier,
    )


def run_json(ledger: Ledger, run_id: str) -> bytes:
    """A run as machines read it."""
    (run,) = ledger.rows(
        "select runs.*, chain.sha256 from ledger.runs as runs"
        " inner join ledger.chain as chain"
        "  on chain.kind = 'run' and chain.record_key = runs.run_no::varchar"
        " where run_id = ?",
        [run_id],
    )
    report = {
        **json.loads(run["report"]),
        "recorded_at": run["recorded_at"],
        "duration_seconds": run["milliseconds"] / 1000,
        "chain_head": run["sha256"],
    }
    return (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def publish_issues(out: Path, night: Night) -> None:
    """The issues workbook alone, for a check or a night that was refused."""
    write_bytes(out / "issues.xlsx", issues.render(night))
