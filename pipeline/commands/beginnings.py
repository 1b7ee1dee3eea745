"""Commands for the first day: a new practice folder, another system's patients."""

import shlex
import sys
from pathlib import Path

import click

from pipeline.commands import clock
from pipeline.commands.options import FOLDER
from pipeline.commands.saying import HELD, REFUSED, outcomes, program


@click.command()
@FOLDER
@click.option("--practice-name", metavar="TEXT", help="The practice's name.")
@click.option("--bill-from", metavar="DATE", help="No period before it is ever billed.")
@click.option("--first-number", metavar="N", help="Number of the very first invoice.")
@click.option("--auto-invoice", metavar="YES/NO", help="Bill memberships every night.")
@click.option("--manager", metavar="USER", help="The first manager's user name.")
@click.option("--manager-name", metavar="TEXT", help="The first manager's full name.")
@click.option(
    "--from",
    "old",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Carry the rows of this older practice folder over into new workbooks.",
)
def init(folder: Path, old: Path | None, **told: str | None) -> None:
    """Make a new practice folder with the template workbooks. Overwrites nothing.

    On a terminal it asks for what the options leave out; otherwise that stays blank.
    With a manager, the first rows of Settings and Tax codes are signed by them.

    Example: membill init /srv/clinic
    """
    from pipeline.exports.templates import write_templates
    from pipeline.folder_names import must_be_text
    from pipeline.starting.asking import first_rows
    from pipeline.starting.carrying import carry_over

    if old is not None and any(value is not None for value in told.values()):
        raise click.UsageError(
            "--from carries the old settings over; leave the other options out"
        )
    with outcomes():
        must_be_text(folder)
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{folder} is a file; name the folder to make")
    rows = {} if old else first_rows(told, clock.today("Europe/London"))
    with outcomes():
        if old is not None:
            said, there = carry_over(old, folder)
        else:
            made, there = write_templates(folder, rows)
            said = [f"made {folder / name}" for name in made]
    for line in said:
        click.echo(line)
    for name in there:
        click.echo(f"{folder / name} is already there and was left as it is", err=True)
    if there:
        sys.exit(REFUSED)
    if old is None:
        click.echo("Now fill in settings.xlsx, then products.xlsx, then patients.xlsx;")
        typed = shlex.join([program(), "check", str(folder)])
        click.echo(f"what is still to mend says: {typed}")


@click.group("import")
def import_() -> None:
    """Turn another system's export into a workbook of the practice."""


@import_.command("patients")
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE"
)
@click.option(
    "--map",
    "mapping",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A small TOML file: which heading is which column, what the words mean.",
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("patients.xlsx"),
    show_default=True,
    help="The workbook to make; one that is there is never overwritten.",
)
def import_patients(file: Path, mapping: Path, target: Path) -> None:
    """Make patients.xlsx of another system's export, CSV or workbook.

    Nothing is guessed: as long as any value is not understood, all of them are listed
    and nothing is written. Exit 3 then, and when a night would hold some of the rows.

    Example: membill import patients export.csv --map mapping.toml
    """
    from pipeline.starting.importing import import_patients as bring_in
    from pipeline.starting.importing import report

    if target.suffix.lower() != ".xlsx":
        raise click.UsageError("--to names a workbook, such as patients.xlsx")
    with outcomes():
        imported = bring_in(file, mapping, target)
    for line, is_result in report(imported, file, target):
        click.echo(line, err=not is_result)
    sys.exit(HELD if imported.unknown or imported.held else 0)
