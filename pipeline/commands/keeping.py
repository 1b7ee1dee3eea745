"""Commands that prove, copy and bring back a ledger."""

import sys
from pathlib import Path

import click

from pipeline.commands.options import FOLDER, LEDGER
from pipeline.commands.saying import (
    REFUSED,
    billed_at,
    held_still,
    ledger_at,
    outcomes,
    warn,
)


@click.command()
@FOLDER
@click.option("--head", metavar="HASH", help="A chain head noted down earlier.")
@click.option(
    "--deep",
    is_flag=True,
    help="Also make every invoice and register again; takes a while.",
)
@LEDGER
def verify(folder: Path, head: str | None, deep: bool, ledger: Path | None) -> None:
    """Prove the ledger: numbers, sums, overlaps, hash chain, head, files, permissions.

    With --head, also that it still holds what it held when that head was noted: at
    least the first 16 digits of one from the terminal, the summary or a register.

    Example: membill verify /srv/clinic
    """
    from pipeline.ledger import opened
    from pipeline.proof.verify import holds_link, is_head, left_alone
    from pipeline.proof.verify import verify as prove

    if head is not None and not is_head(head):
        raise click.UsageError(
            "--head takes 16 to 64 digits of a chain head, 0-9 and a-f"
        )
    with outcomes(), held_still(folder, ledger) as path:
        results = [left_alone(path)]
        with opened(path, write=False) as book:
            results += prove(book, folder / "out", deep=deep)
            results += [holds_link(book, head)] if head else []
    for result in results:
        click.echo(f"{'ok    ' if not result.faults else 'WRONG '} {result.promise}")
        for fault in result.faults:
            click.echo(f"       {fault}")
    sys.exit(REFUSED if any(result.faults for result in results) else 0)


@click.command()
@FOLDER
@LEDGER
def backup(folder: Path, ledger: Path | None) -> None:
    """Make a checked copy of the ledger in FOLDER/ledger/backups.

    Every night makes one as well and thins its own out; one made by this is never removed.

    Example: membill backup /srv/clinic
    """
    from pipeline.copies.backups import backup as copy

    with outcomes():
        made = copy(billed_at(folder, ledger))
    click.echo(f"checked copy: {made}")


@click.command()
@FOLDER
@click.argument("backup_file", type=click.Path(path_type=Path), metavar="BACKUP")
@click.option(
    "--adopt",
    is_flag=True,
    help="Enter invoices that are newer than the copy again, from their workbooks.",
)
@LEDGER
def restore(folder: Path, backup_file: Path, adopt: bool, ledger: Path | None) -> None:
    """Bring a copy of the ledger back. What it replaces is kept beside it.

    Refused when invoices were published after the copy was made: their numbers must
    never be given out again. With --adopt they are entered again from the data in
    their workbooks.

    Example: membill restore /srv/clinic /srv/clinic/ledger/backups/2026-11-30-01.duckdb
    """
    from pipeline.copies.restore import restore as bring_back
    from pipeline.exports.words import counted
    from pipeline.folder_names import must_be_text

    with outcomes():
        must_be_text(backup_file, "rename the folder or the file, with plain letters")
        restored = bring_back(
            ledger_at(folder, ledger), backup_file, folder / "out", again=adopt
        )
    click.echo(f"restored from {backup_file}")
    if restored.kept:
        click.echo(f"what it replaced is kept as {restored.kept}")
    numbers = restored.adopted.numbers
    if numbers:
        entered = counted(len(numbers), "document")
        click.echo(f"{entered} entered again: {', '.join(numbers)}")
    warn(restored.adopted.warnings)
