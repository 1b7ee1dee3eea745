"""The command by which documents leave for an accounting package."""

import shlex
import sys
from pathlib import Path

import click

from pipeline.choices import PACKAGES
from pipeline.commands import clock
from pipeline.commands.options import FOLDER, LEDGER, NewFolder
from pipeline.commands.saying import (
    HELD,
    REFUSED,
    aside,
    billed_at,
    outcomes,
    program,
    reading,
    warn,
)


@click.command()
@FOLDER
@click.argument("target", type=click.Choice((*PACKAGES, "data")), metavar="TARGET")
@click.option(
    "--month", metavar="YYYY-MM", help="Only this month: its documents, its release."
)
@click.option("--again", metavar="BATCH", help="The files of an earlier batch again.")
@click.option(
    "--credit-notes",
    is_flag=True,
    help="With xero: credit notes too, in a file of their own.",
)
@click.option(
    "--to",
    type=NewFolder(),
    help="A folder to write the files to.",
)
@LEDGER
def export(
    folder: Path,
    target: str,
    month: str | None,
    again: str | None,
    credit_notes: bool,
    to: Path | None,
    ledger: Path | None,
) -> None:
    """Files for an accounting package; each document leaves once for each of them.

    TARGET is xero, xero-journal, quickbooks, sage50, sage-accounting or quickfile; or
    data, which is every invoice and line as CSV and Parquet, as often as you like.
    The files are written to FOLDER/out/imports (data: FOLDER/out/data). Exit 3 if a
    document does not fit the package and stays open.

    Example: membill export /srv/clinic xero --month 2026-11
    """
    from pipeline.exports.layouts import Unready
    from pipeline.office.batches import again as write_again
    from pipeline.office.batches import export as leave
    from pipeline.office.chosen_file import must_take_files
    from pipeline.office.desk import must_be_month

    if target == "data":
        if month or again or credit_notes:
            raise click.UsageError("data takes no --month, --again or --credit-notes")
        _export_data(folder, to, ledger)
        return
    if again is not None and (month or credit_notes):
        raise click.UsageError("--again takes a batch as it was; give it alone")
    with outcomes():
        try:
            if to:
                must_take_files(folder, to)
            if month is not None:
                must_be_month(month)
            path = billed_at(folder, ledger)
            done = (
                leave(
                    folder, path, target, month=month, credit_notes=credit_notes, to=to,
                    today=clock.today, say=aside,
                )
                if again is None
                else write_again(folder, path, target, again, to)
            )  # fmt: skip
        except Unready as unready:
            for problem in unready.problems:
                click.echo(f"Refused: {problem.public()}", err=True)
            click.echo("Nothing has left; mend this and give it again.", err=True)
            sys.exit(REFUSED)
    typed = [program(), "export", str(folder), target]
    typed += ["--to", str(to)] if to else []
    typed += ["--ledger", str(ledger)] if ledger else []
    for line in done.told(target, folder / "out", shlex.join(typed)):
        click.echo(line)
    for line in done.open():
        click.echo(line, err=True)
    warn(done.warnings)
    sys.exit(REFUSED if done.warnings else HELD if done.unfit else 0)


def _export_data(folder: Path, to: Path | None, ledger: Path | None) -> None:
    from pipeline.exports.open_data import write
    from pipeline.files import inside
    from pipeline.office.chosen_file import is_in_out, must_take_files

    with outcomes():
        place = to or inside(folder / "out", "data/invoices.csv").parent
        must_take_files(folder, place)
        with reading(folder, ledger) as book:
            files = write(book, place, replace=is_in_out(folder, place))
    for file in files:
        click.echo(str(file))
