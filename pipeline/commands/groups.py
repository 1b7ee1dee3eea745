"""The command for many practices at once."""

import sys
from datetime import date
from pathlib import Path

import click

from pipeline.commands import clock
from pipeline.commands.options import AS_OF, Folder
from pipeline.commands.saying import REFUSED, again, outcomes


@click.command()
@click.argument("root", type=Folder(path_type=Path))
@AS_OF
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="A running Dask scheduler, such as tls://10.0.0.5:8786.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 512),
    help="Nights at a time on this machine, if not one per core.",
)
@click.option(
    "--ledgers",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep each practice's ledger below this folder, if not beside its sheets.",
)
@click.option(
    "--local-ledgers",
    is_flag=True,
    help="The folder of --ledgers is a disk of each worker's own machine.",
)
def group(
    root: Path,
    as_of: date | None,
    scheduler: str | None,
    workers: int | None,
    ledgers: Path | None,
    local_ledgers: bool,
) -> None:
    """Bill every practice folder below ROOT, each with its own ledger, on Dask.

    One practice's failure touches no other. ROOT/group/ then tells of all of them. The
    exit code is that of the practice that needs somebody most: 1, 4, 5, 3, then 0.

    Example: membill group /srv/practices --workers 4
    """
    if scheduler and workers:
        raise click.UsageError("--workers is for this machine; a scheduler has its own")
    if local_ledgers and not (scheduler and ledgers):
        raise click.UsageError("--local-ledgers needs --scheduler and --ledgers")
    from pipeline.group.cluster import NotInstalled, Unreachable
    from pipeline.group.run import Asked, bill_group
    from pipeline.group.terminal import hearing, tell

    with outcomes(), hearing() as heard:
        asked = Asked(
            root,
            as_of,
            clock.now(),
            lambda folder, ledger: again(folder, as_of, (), ledger),
            scheduler,
            workers,
            ledgers,
            local_ledgers,
        )
        try:
            outcome = bill_group(asked, heard)
        except (NotInstalled, Unreachable) as missing:
            click.echo(str(missing), err=True)
            sys.exit(REFUSED)
    tell(outcome, root / "group")
    sys.exit(outcome.group.code)
