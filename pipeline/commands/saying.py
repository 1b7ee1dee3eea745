"""What commands say to whoever typed them, and the exit code that goes with it."""

import errno
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import click

from pipeline.files import DRAFT

CRASHED, HELD, REFUSED, BUSY = 1, 3, 4, 5


@contextmanager
def outcomes(*, night: bool = False) -> Iterator[None]:
    """Turn what a user can cause into plain lines and an exit code, never a traceback.

    `night` says that the command is one, or looks at the next: it bills, or would.

    Who needs pandas has imported it before. DuckDB would import it with the first value
    that a statement is given, to know pandas' dates by, and no command has such dates:
    that would be half of the time that most of them take.
    """
    from pipeline.ledger import Busy
    from pipeline.problems import Refused, WrongUsage, stops
    from pipeline.transaction import DISK_FAILURES, Unfinished
    from schemas.hiding import hidden

    try:
        with hidden("pandas"):
            yield
    except WrongUsage as wrong:
        raise click.UsageError(str(wrong)) from None
    except Refused as refusal:
        _say(stops(refusal.problems), "" if night else "Refused")
        undone = "billed, and the ledger is as it was" if night else "changed"
        click.echo(f"Nothing was {undone}.", err=True)
        sys.exit(REFUSED)
    except Unfinished as unfinished:
        click.echo(str(unfinished), err=True)
        sys.exit(CRASHED)
    except Busy as busy:
        click.echo(f"{busy}; try again when it is done.", err=True)
        sys.exit(BUSY)
    except DISK_FAILURES:
        click.echo(
            "The ledger could not be read or written: the disk is full or the file is"
            " damaged. See that there is room, run `membill verify`, and bring back a"
            " copy with `membill restore` if it stays so.",
            err=True,
        )
        sys.exit(REFUSED)
    except OSError as error:
        click.echo(_of_the_disk(error), err=True)
        sys.exit(REFUSED)


_WHAT_TO_DO = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room on the disk",
    errno.EROFS: "see that the disk can be written to",
    errno.EACCES: "give the account that runs membill the right to it",
    errno.EPERM: "give the account that runs membill the right to it",
}


def _of_the_disk(error: OSError) -> str:
    place = Path(str(error.filename)) if error.filename else None
    if place and place.suffix == DRAFT:  # nobody knows a draft by its name
        place = place.parent
    advice = _WHAT_TO_DO.get(error.errno or 0, "see that it is there and in order")
    return (
        f"{place or 'A file'} could not be read or written ({error.strerror}):"
        f" {advice}, then give the command again. What was recorded before is whole."
    )


def say_problems(problems: Sequence[Any]) -> None:
    """Problems on stderr, no personal value in them; the rest are counted."""
    from pipeline.problems import Severity

    _say([p for p in problems if p.severity is not Severity.FIXED])


def _say(shown: Sequence[Any], instead: str = "") -> None:
    """Problems, `instead` of their severity beginning with another word."""
    from pipeline.exports.exact_text import legible

    for problem in shown[:40]:
        # A heading or a file's name may hold what a terminal would obey.
        said = legible(problem.public()).replace("\n", " ")
        click.echo(f"{instead or problem.severity}: {said}", err=True)
    if len(shown) > 40:
        click.echo(f"... and {len(shown) - 40} more: see issues.xlsx", err=True)


def aside(text: str) -> None:
    """What was done besides, on stderr."""
    click.echo(text, err=True)


def warn(warnings: Sequence[str]) -> None:
    """The first few of what could not be written: on a full disk it is everything."""
    for warning in warnings[:10]:
        click.echo(f"Warning: {warning}", err=True)
    if len(warnings) > 10:
        click.echo(f"Warning: and {len(warnings) - 10} more files", err=True)


def ledger_at(folder: Path, ledger: Path | None) -> Path:
    """Where the ledger is; a folder that is not there is refused, never made."""
    from pipeline.folder_names import must_be_text
    from pipeline.ledger import ledger_path

    must_be_text(folder)
    if ledger is not None:
        must_be_text(ledger, "rename the folder or the file, with plain letters")
    if not folder.is_dir():
        from pipeline.problems import Refused
        from pipeline.workbooks import read_practice

        raise Refused(read_practice(folder).problems)
    return ledger_path(folder, ledger)


def billed_at(folder: Path, ledger: Path | None) -> Path:
    """Where the ledger is of a practice that was billed before."""
    from pipeline.ledger import must_be_there

    path = ledger_at(folder, ledger)
    must_be_there(path)
    return path


@contextmanager
def reading(folder: Path, ledger: Path | None) -> Iterator[Any]:
    """The practice's ledger, for looking only."""
    from pipeline.ledger import opened

    with held_still(folder, ledger) as path, opened(path, write=False) as book:
        yield book


@contextmanager
def held_still(folder: Path, ledger: Path | None) -> Iterator[Path]:
    """Where the practice's ledger is, while nobody works on it."""
    from pipeline.ledger import locked

    path = billed_at(folder, ledger)
    with locked(path, wait=10):
        yield path


def program() -> str:
    """How the program was started: by its path where its name alone finds nothing."""
    typed = sys.argv[0]
    known = Path(typed).name != "membill" or shutil.which("membill")
    return "membill" if known else typed


def again(
    folder: Path, as_of: date | None, accept: tuple[str, ...], ledger: Path | None
) -> str:
    """The command as it was typed, to be typed again with one more --accept."""
    parts = [program(), "bill", str(folder)]
    parts += ["--as-of", str(as_of)] if as_of else []
    parts += ["--ledger", str(ledger)] if ledger else []
    for guard in accept:
        parts += ["--accept", guard]
    return shlex.join(parts)
