"""What every night ends with: its promises checked, and a copy of the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from pipeline.copies.backups import (
    State,
    begin_copy,
    copy_to_backups,
    last_run_id,
    state,
    thin_out,
)
from pipeline.copies.copying import Begun, Unsound
from pipeline.copies.csv_copies import is_first_of_week, weekly
from pipeline.ledger import Ledger
from pipeline.proof.probed import note_proof
from pipeline.proof.verify import Result, is_small, night_holds
from pipeline.transaction import Unfinished


@dataclass
class Ending:
    """What is left to do when the ledger is closed, and what came of it in words."""

    warnings: list[str] = field(default_factory=list)
    held: State | None = None
    begun: Begun | None = None

    def begin_copy(self, ledger: Ledger) -> None:
        """Begin to copy a large ledger, which is recorded, while its pages are made."""
        if not is_small(ledger):
            with suppress(OSError, RuntimeError):  # it is made in the end all the same
                self.begun = begin_copy(ledger.path)

    def check(self, ledger: Ledger, out: Path) -> None:
        """Try the promises on tonight's ledger; raises `Unfinished` when it breaks one.

        All of a small ledger, and of a large one on the first night of a week; else what
        was added since it was proved last.
        Then the night is recorded and published, so "nothing was billed" would be
        untrue; and nobody should go on without having looked. What concerns files
        alone is a warning: people move and open them.
        """
        whole = is_small(ledger) or is_first_of_week(
            ledger.folder / "backups", last_run_id(ledger)
        )
        results = night_holds(ledger, out, whole=whole)
        broken = [result for result in results if result.faults and result.of_ledger]
        if broken:
            raise Unfinished(
                "The night is recorded, but its ledger does not hold what it promises: "
                + "; ".join(_in_words(result) for result in broken)
                + ". Send nothing of tonight before somebody has looked: `membill verify`"
                " tells more, and `membill restore` brings back an earlier copy."
            )
        try:
            note_proof(ledger)
        except OSError as error:
            self.warnings.append(
                f"it could not be noted that the ledger was proved ({error.strerror}):"
                " the next run looks at more of it again"
            )
        self.warnings += [
            f"{_faults(result)} (should hold: {result.promise})"
            for result in results
            if result.faults
        ]
        self.held = state(ledger, whole=whole)


def _in_words(result: Result) -> str:
    return f"{result.promise}: {_faults(result)}"


def _faults(result: Result) -> str:
    more = f" and {len(result.faults) - 1} more" if len(result.faults) > 1 else ""
    return f"{result.faults[0]}{more}"


@contextmanager
def ending(path: Path) -> Iterator[Ending]:
    """Around an open ledger whose end is checked: copies it once it is closed.

    A copy that cannot be made is a warning of the night and never its failure.
    """
    end = Ending()
    try:
        yield end
        _copy(path, end)
    finally:
        if end.begun:
            end.begun.close()


def _copy(path: Path, end: Ending) -> None:
    assert end.held is not None  # or an exception would have gone past this
    try:
        copy = copy_to_backups(path, end.held, end.held.run_id, end.begun)
        thin_out(copy.file.parent, copy.file)
        weekly(copy, end.held.run_id)
    except (OSError, duckdb.Error, Unsound) as error:
        why = error.strerror if isinstance(error, OSError) else error
        why = "it cannot be read back" if isinstance(error, duckdb.Error) else why
        end.warnings.append(
            f"no copy of the ledger was made tonight ({why}): make room and run"
            " `membill backup`"
        )
