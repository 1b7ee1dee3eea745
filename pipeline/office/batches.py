"""Documents on their way to an accounting package: each leaves once per target.

Where the package takes journals, so does what a closed month releases of deferred income.
A batch is a run of the ledger. It keeps what it took and how the package wanted it, so
that its files can be made again, and no later batch takes the same again.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.bookkeeping.deferred import is_month
from pipeline.clock import Today
from pipeline.exports import imports
from pipeline.exports.import_files import Item, filed, shared_accounts
from pipeline.exports.layouts import Layout, Unready, layout_of, refused
from pipeline.exports.words import counted
from pipeline.files import holds, write_bytes
from pipeline.ledger import Ledger, locked, opened
from pipeline.office.desk import Say, WrongRequest, day_of, unsaid
from pipeline.problems import Place, Problem, Severity
from pipeline.proof.lost_numbers import must_know_published
from pipeline.publish import finish, publish, publish_imports
from pipeline.record import add_run, run_id_of
from pipeline.transaction import transaction
from pipeline.version import VERSION

_TOLD = 20  # lines of a kind


@dataclass(frozen=True)
class Batch:
    """A batch that left before: what it took, where its files are, what it is told by.

    `forgotten` says that it names a patient who was forgotten since.
    """

    name: str
    sources: tuple[str, ...]
    paths: tuple[str, ...]
    forgotten: bool


@dataclass(frozen=True)
class Departed:
    """What an export came to: its batch, '' where nothing was new, and its files.

    `sources` are the documents that left and the months whose release did; `left_out`
    are those that stay open, each with the reason. `before` is the last batch where
    nothing was new: it may be of a run that was killed, and in nobody's books. `notes` is
    what to look at before the files are imported.
    """

    batch: str
    sources: tuple[str, ...]
    gross: str
    files: tuple[Path, ...]
    left_out: tuple[Item, ...]
    warnings: tuple[str, ...]
    before: Batch | None = None
    notes: tuple[str, ...] = ()

    @property
    def unfit(self) -> bool:
        """Whether a document stays open that somebody could make fit."""
        return any(not item.by_hand for item in self.left_out)

    def told(self, target: str, out: Path, command: str) -> Iterator[str]:
        """What left, in lines: numbers and paths alone; `command` is the one given."""
        if self.batch:
            yield f"batch {self.batch} for {target}: {_counted(self.sources, self.gross)}"
            yield from map(str, self.files)
            return
        yield f"nothing new for {target}"
        if last := self.before:
            files = ", ".join(str(out / path) for path in last.paths)
            said = (
                f"the last batch is {last.name}, of {_counted(last.sources)}: {files}"
            )
            again = f"; its files again: {command} --again {last.name}"
            yield said + again * (not last.forgotten)

    def open(self) -> Iterator[str]:
        """What to look at, what was left out and why; the rest is counted."""
        yield from _few([f"look at this before you import: {n}" for n in self.notes])
        yield from _few(
            [
                f"left out, and still open: {item.number}: {item.unfit}"
                for item in self.left_out
            ]
        )


def _few(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_TOLD]
    if len(lines) > _TOLD:
        yield f"... and {len(lines) - _TOLD} more"


def _counted(sources: Sequence[str], gross: str = "") -> str:
    """How many documents left, what they come to, and which months' releases."""
    months = [source for source in sources if is_month(source)]
    documents, words = len(sources) - len(months), list[str]()
    if documents:
        words.append(counted(documents, "document") + f", {gross} in all" * bool(gross))
    if months:
        words.append(f"the release of {', '.join(months)}")
    return ", and ".join(words)


def export(
    folder: Path,
    path: Path,
    target: str,
    *,
    month: str | None,
    credit_notes: bool,
    to: Path | None,
    today: Today,
    say: Say = unsaid,
) -> Departed:
    """Everything that has not left for the target yet, as a batch of its own.

    Raises `Unready` for a layout or code that cannot be used; nothing is recorded then.
    """
    layout = layout_of(target, folder)
    with locked(path), opened(path, write=True) as ledger:
        must_know_published(ledger, folder / "out")
        if left := finish(ledger, folder / "out"):
            say(left)
        _must_be_ours(ledger, folder / "out", target)
        sources = imports.still_open(ledger, layout, month)
        taken = imports.what_leaves(ledger, layout, sources, credit_notes=credit_notes)
        if taken.unmapped:
            raise Unready([refused(*fault) for fault in taken.unmapped])
        left_out = tuple(item for item in taken.items if item.unfit)
        leaving = [item for item in taken.items if not item.unfit]
        if not leaving:
            before = _last(ledger, target)
            return Departed("", (), "0.00", (), left_out, (), before)
        before_it = imports.payers_before(ledger, target)
        day = day_of(ledger, None, today)
        report = _record(ledger, layout, leaving, left_out, month, day)
        warnings = publish(ledger, folder / "out").warnings
        shown = _shown(ledger, folder / "out", report["files"], to, warnings)
        return Departed(
            report["run_id"],
            tuple(report["numbers"]),
            report["totals"]["gross"],
            shown,
            left_out,
            tuple(warnings),
            notes=tuple(shared_accounts(leaving, before_it)),
        )


def again(
    folder: Path, path: Path, target: str, batch: str, to: Path | None
) -> Departed:
    """The files of an earlier batch once more, byte for byte; nothing is recorded."""
    with locked(path), opened(path, write=path.exists()) as ledger:
        batch = batch.removesuffix(".csv").removeprefix(f"{target}-")
        known = _known(ledger, target, batch)
        if not known:
            raise WrongRequest(_unknown(ledger, target, batch))
        if known.forgotten:
            raise WrongRequest(
                f"batch {batch} names a patient who was forgotten since, so that it"
                " cannot be written again as it was"
            )
        warnings: list[str] = []
        if not to:
            warnings = publish_imports(ledger, folder / "out", known.paths).warnings
        shown = _shown(ledger, folder / "out", known.paths, to, warnings)
        return Departed(batch, known.sources, "", shown, (), tuple(warnings))


def _known(ledger: Ledger, target: str, batch: str) -> Batch | None:
    rows = ledger.rows(
        "select path, number from ledger.exported_documents"
        " inner join ledger.export_batches using (target, run_no)"
        " where target = ? and batch = ? order by path, number",
        [target, batch],
    )
    if not rows:
        return None
    paths = tuple(dict.fromkeys(row["path"] for row in rows))
    sources = tuple(row["number"] for row in rows)
    return Batch(batch, sources, paths, bool(imports.forgotten(ledger) & {*paths}))


def _last(ledger: Ledger, target: str) -> Batch | None:
    last = ledger.value(
        "select max_by(batch, run_no) from ledger.export_batches where target = ?",
        [target],
    )
    return _known(ledger, target, last) if last else None


def _unknown(ledger: Ledger, target: str, batch: str) -> str:
    rows = ledger.rows(
        "select batch from ledger.export_batches where target = ?"
        " order by run_no desc limit 5",
        [target],
    )
    known = ", ".join(row["batch"] for row in rows) or "there is none yet"
    return f"{batch} is no batch for {target}; the last ones: {known}"


def _must_be_ours(ledger: Ledger, out: Path, target: str) -> None:
    """A file of a batch this ledger does not know: what it holds may have left before."""
    strange = [n for n in imports.strange(ledger, out) if n.startswith(f"{target}-2")]
    if strange:
        raise Unready(
            [
                Problem(
                    Severity.STOPS,
                    "import-file-strange",
                    Place(f"out/imports/{name}"),
                    "the file was made by a ledger that is not this one, so its documents"
                    " may have left before",
                    repair="compare it with what the package holds, then move it away",
                )
                for name in strange
            ]
        )


def _record(
    ledger: Ledger,
    layout: Layout,
    leaving: Sequence[Item],
    left_out: Sequence[Item],
    month: str | None,
    day: date,
) -> dict[str, Any]:
    """The batch as one run; its report says what it took, which the chain then covers."""
    target, run_id = layout.target, run_id_of(ledger, day)
    files = {
        f"imports/{target}-{run_id}{ending}.csv": [item.number for item in items]
        for ending, items in filed(leaving, layout)
    }
    numbers = [item.number for item in leaving]
    (totals,) = ledger.rows(
        "select coalesce(sum(net), 0)::decimal(14, 2)::varchar as net,"
        " coalesce(sum(tax), 0)::decimal(14, 2)::varchar as tax,"
        " coalesce(sum(gross), 0)::decimal(14, 2)::varchar as gross"
        " from ledger.invoices where number in (select unnest(?))",
        [numbers],
    )
    report = {
        "run_id": run_id,
        "command": "export",
        "target": target,
        "month": month,
        "numbers": numbers,
        "totals": totals,
        "files": list(files),
        "left_out": {item.number: item.unfit for item in left_out},
        "layout_sha256": hashlib.sha256(layout.text.encode("utf-8")).hexdigest(),
    }
    with transaction(ledger) as run_no:
        add_run(ledger, run_no, run_id, "export", day, VERSION, report)
        ledger.connection.execute(
            "insert into ledger.export_batches values (?, ?, ?, ?)",
            [run_no, target, run_id, layout.text],
        )
        ledger.connection.executemany(
            "insert into ledger.exported_documents values (?, ?, ?, ?)",
            [
                (target, number, run_no, path)
                for path, taken in files.items()
                for number in taken
            ],
        )
    return report


def _shown(
    ledger: Ledger,
    out: Path,
    paths: Sequence[str],
    to: Path | None,
    warnings: list[str],
) -> tuple[Path, ...]:
    """Where the files lie; copies in a folder of the user's where one was named."""
    if to is None:
        return tuple(out / path for path in paths)
    places = []
    for path in paths:
        content, place = imports.render(ledger, path), to / Path(path).name
        try:
            write_bytes(place, content, replace=False)
        except OSError as error:
            if not (isinstance(error, FileExistsError) and holds(place, content)):
                warnings.append(
                    f"{place} could not be written ({error.strerror}); the batch is kept:"
                    " write its files with --again"
                )
                continue
        places.append(place)
    return tuple(places)
