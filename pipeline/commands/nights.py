"""Commands that read the sheets: the night, and what tells of it beforehand."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click

from pipeline.choices import GUARDS
from pipeline.commands import clock
from pipeline.commands.options import AS_OF, FOLDER, FORMAT, LEDGER
from pipeline.commands.rows import LINE_COLUMNS, LINES_SHOWN, print_rows
from pipeline.commands.saying import (
    HELD,
    REFUSED,
    again,
    aside,
    billed_at,
    ledger_at,
    outcomes,
    say_problems,
    warn,
)


@click.command()
@FOLDER
@AS_OF
@click.option(
    "--accept",
    multiple=True,
    type=click.Choice(GUARDS),
    help="Let this guard through once. May be given more than once.",
)
@LEDGER
def bill(
    folder: Path, as_of: date | None, accept: tuple[str, ...], ledger: Path | None
) -> None:
    """The night: read the sheets, make the invoices that are due, write the workbooks.

    Example: membill bill /srv/clinic --as-of 2026-11-30
    """
    from pipeline.run import bill as run_night

    with outcomes(night=True), _afterwards() as tell, _progress() as say:
        outcome = run_night(
            folder,
            ledger_at(folder, ledger),
            as_of=as_of,
            today=clock.today,
            accepted=accept,
            command=again(folder, as_of, accept, ledger),
            say=say,
            tell=tell,
        )
    from pipeline.console import night_table

    night_table(outcome, folder)
    say_problems([open_.problem for open_ in outcome.night.problems])
    warn((*outcome.warnings, *outcome.published.warnings))
    sys.exit(outcome.exit_code)


@contextmanager
def _afterwards() -> Iterator[Callable[[str], None]]:
    """Say what was done besides once the terminal's line is free, also of a refused night."""
    told: list[str] = []
    try:
        yield told.append
    finally:
        for text in told:
            aside(text)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Say what is being done, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(text)


@click.command()
@FOLDER
@AS_OF
@LEDGER
def check(folder: Path, as_of: date | None, ledger: Path | None) -> None:
    """Read and validate only, and write out/issues.xlsx. Exit 3 if there are problems.

    Example: membill check /srv/clinic
    """
    from pipeline.problems import Severity
    from pipeline.run import check_only

    with outcomes(night=True):
        problems, issues = check_only(
            folder, ledger_at(folder, ledger), as_of=as_of, today=clock.today,
            say=say_problems,
        )  # fmt: skip
    bad = [
        problem
        for problem in problems
        if problem.severity is Severity.HELD or problem.code == "change-refused"
    ]
    found = f"{len(bad)} to mend before the next night; all of it is in {issues}"
    click.echo(found if bad else f"Nothing to mend before the next night; see {issues}")
    sys.exit(HELD if bad else 0)


@click.command()
@FOLDER
@AS_OF
@FORMAT
@LEDGER
def preview(folder: Path, as_of: date | None, form: str, ledger: Path | None) -> None:
    """The lines `bill` would make on that day. Writes nothing; numbers are blank.

    Example: membill preview /srv/clinic --as-of 2026-12-31
    """
    from pipeline.run import preview as run_preview

    with outcomes(night=True):
        lines, prepared = run_preview(
            folder, ledger_at(folder, ledger), as_of=as_of, today=clock.today
        )
    gross = sum(line["gross"] for line in lines)
    title = f"What {prepared.as_of} would bill, {gross:.2f} in all; lines"
    print_rows(lines, LINE_COLUMNS, LINES_SHOWN, form, title)
    say_problems(prepared.problems)


@click.command()
@FOLDER
@click.option(
    "--months",
    type=click.IntRange(1, 60),
    default=12,
    show_default=True,
    help="Whole months after this one.",
)
@AS_OF
@click.option(
    "--to",
    "to",
    type=click.Path(path_type=Path),
    metavar="FILE.xlsx",
    help="Where to write it, if not FOLDER/out/forecast.xlsx.",
)
@LEDGER
def forecast(
    folder: Path, months: int, as_of: date | None, to: Path | None, ledger: Path | None
) -> None:
    """What the coming months would bill, as a workbook. Records nothing.

    Example: membill forecast /srv/clinic --months 6
    """
    from pipeline.exports.forecast import render, sentence
    from pipeline.files import private_folder
    from pipeline.office.chosen_file import must_be_free, write_chosen
    from pipeline.office.forecast import forecast as foresee

    file = to or folder / "out" / "forecast.xlsx"
    with outcomes():
        path = ledger_at(folder, ledger)
        if to is None:
            private_folder(folder / "out")
        must_be_free(folder, file)
        coming, problems = foresee(
            folder, path, months=months, as_of=as_of, today=clock.today
        )
        write_chosen(folder, file, render(coming))
    say_problems(problems)
    click.echo(f"{sentence(coming)}; all of it is in {file}")


@click.command()
@FOLDER
@LEDGER
def rebuild(folder: Path, ledger: Path | None) -> None:
    """Make every output again from the ledger. Published invoices are never rewritten.

    Example: membill rebuild /srv/clinic
    """
    from pipeline.office.desk import rebuild as make_again

    with outcomes():
        published = make_again(folder, billed_at(folder, ledger))
    click.echo(f"{len(published.written)} files made below {folder / 'out'}")
    warn(published.warnings)
    sys.exit(REFUSED if published.warnings else 0)
