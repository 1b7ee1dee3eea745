"""What the terminal shows of a group: who needs somebody, and on a terminal how far it is."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pipeline.exports.group_list import what_to_know
from pipeline.exports.group_page import sentence
from pipeline.exports.words import money
from pipeline.group.night import Record
from pipeline.group.outcome import STATES, state
from pipeline.group.run import Heard, Outcome


def line(record: Record) -> str:
    """A practice that needs somebody, in one line; '' for one that is fine."""
    found = state(record)
    if found == "fine":
        return ""
    said = what_to_know(record)
    if record.held:
        said = [
            f"{record.held:,} held, {money(record.held_sum, record.currency)} known",
            *said,
        ]
    more = f" (and {len(said) - 1} more)" if len(said) > 1 else ""
    return f"{STATES[found]}: {record.practice}: {said[0] if said else ''}{more}"


@contextmanager
def hearing() -> Iterator[Heard]:
    """Tell of records as they come: on stderr, and on a terminal with a bar."""
    if not sys.stderr.isatty():
        yield lambda record, done, of: _say(line(record))
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("looking for practices", total=None)

        def hear(record: Record, done: int, of: int) -> None:
            if said := line(record):
                console.print(said)
            progress.update(bar, description="practices", completed=done, total=of)

        yield hear


def _say(text: str) -> None:
    if text:
        click.echo(text, err=True)


def tell(outcome: Outcome, folder: Path) -> None:
    """The group in a few lines on stdout; what could not be written, on stderr."""
    group = outcome.group
    click.echo(f"{group.name}, {group.day}: {sentence(group)}")
    for total in group.totals:
        click.echo(
            f"{total.documents:,} invoices made, {money(total.gross, total.currency)};"
            f" {total.held:,} held, {money(total.held_sum, total.currency)};"
            f" {total.unsent:,} unsent, {money(total.unsent_sum, total.currency)}"
        )
    if group.lost:
        click.echo(f"Cut short: {group.lost}. Run the group again.", err=True)
    for note in group.notes:
        click.echo(f"Look at {note}", err=True)
    for warning in outcome.warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo(f"Look at {folder / 'group.html'} and {folder / 'group.xlsx'}")
