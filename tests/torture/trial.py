"""One trial: a step killed at one of its points, the wreck looked at, the step repeated."""

import csv
import gc
import hashlib
import importlib
import io
import json
import os
import pkgutil
import shutil
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

import pipeline
from pipeline.ledger import RESTORING
from pipeline.proof.soundness import log_of
from tests import practice
from tests.torture.points import Points
from tests.torture.scenario import NEWCOMER, STEPS, Step, arguments, beginning, newcomer

LEDGER = Path("ledger/membill.duckdb")
COPIES = Path("ledger/backups")
Bug = Callable[[], None]


@dataclass(frozen=True)
class Ran:
    """How a process ended: killed, or with a code, what it said and the points it met."""

    killed: bool
    code: int = 0
    said: str = ""
    names: tuple[str, ...] = ()


def import_all() -> None:
    """Import now what commands import when they run, once and not in each process."""
    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        importlib.import_module(module.name)
    gc.freeze()  # the processes share what is there, and none looks through it again


def in_process(work: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """Do some work in a process of its own; None if that was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        try:
            found = work()
        except BaseException:
            found = {"code": 99, "said": traceback.format_exc()}
        with open(writing, "w", encoding="utf-8") as pipe:
            json.dump(found, pipe)
        os._exit(0)
    os.close(writing)
    with open(reading, encoding="utf-8") as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if os.WIFEXITED(status) and text else None


def run(
    folder: Path, args: list[str], die_at: int | None = None, bug: Bug | None = None
) -> Ran:
    """Run a command in a process of its own, which kills itself at a point."""

    def work() -> dict[str, Any]:
        if bug:
            bug()
        points = Points(folder, die_at)
        points.install()
        result = practice.run(*args)
        said = result.out + result.err
        return {"code": result.code, "said": said, "names": points.names}

    found = in_process(work)
    if found is None:
        return Ran(killed=True)
    return Ran(False, found["code"], found["said"], tuple(found.get("names", ())))


@dataclass(frozen=True)
class State:
    """What a practice looks like from outside: its numbers, books and files.

    `others` are what the books hold besides lines: sendings and closed months.
    """

    numbers: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    others: tuple[tuple[str, ...], ...]
    files: dict[str, str]

    @property
    def books(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """All that was recorded."""
        return self.lines, self.others


# These tell when and how often a run worked, or who holds the lock.
_RUN_FILES = ("runs/", "last_run.json")


def state(folder: Path) -> State:
    """Read with DuckDB and the file system alone, on a copy."""
    copy = folder.with_name(folder.name + "-looked-at")
    copy.mkdir()
    for file in (folder / LEDGER, log_of(folder / LEDGER)):
        if file.exists():
            shutil.copyfile(file, copy / file.name)
    try:
        found = _found_in(copy / LEDGER.name)
    finally:
        shutil.rmtree(copy)
    files = {
        name: hashlib.sha256((folder / "out" / name).read_bytes()).hexdigest()
        for name in _outputs(folder)
    }
    return replace(found, files=files)


def _found_in(path: Path) -> State:
    """What a ledger that is at rest holds."""
    found = in_process(lambda: _read(path))
    assert found is not None and "code" not in found, found
    lines, others = (tuple(map(tuple, found[name])) for name in ("lines", "others"))
    return State(tuple(found["numbers"]), lines, others, {})


def _outputs(folder: Path) -> Iterator[str]:
    for path in sorted((folder / "out").rglob("*")):
        name = str(path.relative_to(folder / "out"))
        if not path.is_file() or name.startswith(_RUN_FILES):
            continue
        # What a kill left of a draft is swept up by the next run, and is no file of ours.
        if not path.name.endswith(".part"):
            yield name


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {"numbers": [], "lines": [], "others": []}
    with duckdb.connect(str(path), read_only=True) as book:
        numbers = book.execute(
            "select number from invoices order by kind, sequence"
        ).fetchall()
        lines = book.execute(
            "select number, patient_id, product_code, period_start::varchar,"
            " period_end::varchar, net::varchar, tax::varchar, gross::varchar"
            " from lines order by all"
        ).fetchall()
        others = book.execute(
            "select 'sent', number, sent_on::varchar, sent_to from sendings"
            " union all select 'closed', month, '', sha256 from closed_months"
            " order by all"
        ).fetchall()
    return {
        "numbers": [number for (number,) in numbers],
        "lines": [[str(cell) for cell in line] for line in lines],
        "others": others,
    }


@dataclass(frozen=True)
class Reference:
    """A step undisturbed: where it began, and how it looked before and after."""

    step: Step
    start: Path
    before: State
    after: State
    names: tuple[str, ...]


def play(root: Path, steps: Iterable[Step] = STEPS) -> list[Reference]:
    """The scenario, or some of its steps, without a kill, keeping where each began."""
    import_all()
    folder = practice.make(root / "clinic", beginning())
    references = []
    for at, step in enumerate(steps):
        if step.edit:
            step.edit(folder)
        start = root / f"{at:02d}"
        shutil.copytree(folder, start, symlinks=True)
        before = state(folder)
        ran = run(folder, arguments(step, folder))
        assert (ran.killed, ran.code) == (False, step.code), (step, ran)
        references.append(Reference(step, start, before, state(folder), ran.names))
    return references


@dataclass
class Verdict:
    """Where a step was killed, and every promise that did not hold afterwards."""

    where: str
    faults: list[str] = field(default_factory=list)

    def must(self, holds: bool, promise: str) -> None:
        """Note a promise that does not hold."""
        if not holds:
            self.faults.append(promise)


def try_at(
    reference: Reference,
    folder: Path,
    points: tuple[int, ...],
    *,
    changed: bool = False,
    bug: Bug | None = None,
) -> Verdict:
    """Kill the step at each point in turn (the second while recovering), then recover.

    `changed` edits the sheets before the recovery, as a person might the next morning.
    """
    step = reference.step
    names = " then ".join(f"{at} {_name(reference, at)}" for at in points)
    verdict = Verdict(f"{step.name}: {names}{', sheets changed' if changed else ''}")
    shutil.copytree(reference.start, folder, symlinks=True)
    try:
        for at in points:
            ran = run(folder, arguments(step, folder), at, bug)
            verdict.must(ran.killed or at >= len(reference.names), "was not killed")
            look_at_wreck(reference, folder, verdict)
        changed = changed and step.command[0] == "bill" and step.code == 0
        if changed:
            newcomer(step, folder)
        ran = run(folder, arguments(step, folder), None, bug)
        codes = {step.code, step.again}
        verdict.must(ran.code in codes, f"recovery ended with {ran.code}: {ran.said}")
        look_at_recovered(reference, folder, verdict, changed=changed)
    except Exception as error:
        verdict.faults.append(f"{type(error).__name__}: {error}")
    finally:
        shutil.rmtree(folder)
    return verdict


def _name(reference: Reference, at: int) -> str:
    return reference.names[at] if at < len(reference.names) else "(later)"


def look_at_wreck(reference: Reference, folder: Path, verdict: Verdict) -> None:
    """All or nothing recorded; nothing shown that is not; every file and copy whole."""
    wreck = state(folder)
    before, after = reference.before, reference.after
    if (folder / LEDGER).exists():
        verdict.must(
            wreck.books in (before.books, after.books), "a night is all or nothing"
        )
        verdict.must(
            {Path(name).stem for name in wreck.files if name.startswith("invoices/")}
            <= set(wreck.numbers),
            "what is published is in the ledger",
        )
    for name, sha256 in wreck.files.items():
        if name.startswith("invoices/"):
            verdict.must(sha256 == after.files.get(name), f"{name} is whole")
        elif name.endswith(".xlsx"):
            whole = zipfile.is_zipfile(folder / "out" / name)
            verdict.must(whole, f"{name} is whole")
    for copy in new_copies(reference, folder):
        whole = _found_in(copy).books in (before.books, after.books)
        verdict.must(whole, f"the copy {copy.name} is whole")


def new_copies(reference: Reference, folder: Path) -> list[Path]:
    """The copies of the ledger that were not there when the step began."""
    there = {path.name for path in (reference.start / COPIES).glob("*.duckdb")}
    found = sorted((folder / COPIES).glob("*.duckdb"))
    return [path for path in found if path.name not in there]


def _billed(seen: State) -> Counter[tuple[str, ...]]:
    """How often each period of a member stands on an invoice."""
    return Counter(
        line[1:4]
        for line in seen.lines
        if line[3] != "None" and not line[0].startswith("CRN")
    )


def look_at_recovered(
    reference: Reference, folder: Path, verdict: Verdict, *, changed: bool
) -> None:
    """As if nothing had happened: the same books, the same invoices, nothing left over."""
    found, after = state(folder), reference.after
    proof = run(folder, ["verify", str(folder)])
    wrong = proof.said.partition("WRONG")[2]
    verdict.must(proof.code == 0, f"verify: {wrong[:300]}")
    same = found.others == after.others
    verdict.must(same, "what was sent and closed is the same")
    if changed:
        undisturbed = _billed(after)
        once = all(
            times == max(1, undisturbed[period])
            for period, times in _billed(found).items()
        )
        verdict.must(once, "a period is billed once, or once more where it was freed")
        wanted = {line[1:4] for line in after.lines}
        verdict.must(wanted <= {line[1:4] for line in found.lines}, "nothing is missed")
        verdict.must(
            any(line[1] == NEWCOMER for line in found.lines), "the new is billed"
        )
    else:
        verdict.must(found.lines == after.lines, "the books are the same")
        verdict.must(found.numbers == after.numbers, "the numbers are the same")
        for name, sha256 in after.files.items():
            if name.startswith("invoices/"):
                whole = found.files.get(name) == sha256
                verdict.must(whole, f"{name} is the same")
    missing = after.files.keys() - found.files.keys()
    verdict.must(not missing or changed, f"published: {sorted(missing)}")
    left = [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.endswith((".part", ".draft")) or path.name == RESTORING
    ]
    verdict.must(not left, f"nothing is left over: {left}")
    again = run(folder, ["lines", str(folder), "--format", "csv"])
    rows = list(csv.DictReader(io.StringIO(again.said)))
    verdict.must(len(rows) == len(found.lines), "every line is listed")
