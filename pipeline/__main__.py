"""The command line: every command by its name, and the last boundary."""

import errno
import gc
import io
import os
import sys
from contextlib import suppress

import click

from pipeline.commands import beginnings, books, desk, groups, keeping, listings, nights
from pipeline.commands.saying import CRASHED


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="membill", prog_name="membill")
def cli() -> None:
    """Bill a practice's memberships from the spreadsheets its office keeps.

    FOLDER is the practice folder with products.xlsx, patients.xlsx and settings.xlsx.
    What it makes is written below FOLDER/out; nothing is ever sent to anybody.

    Exit codes: 0 all that was due is billed, 2 wrong usage, 3 something is held,
    4 refused and nothing billed, 5 another run holds the lock.
    """
    os.umask(0o077)
    # A pipe that knows no pound sign must not end a night.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


for command in (
    nights.bill, groups.group, nights.check, nights.preview, nights.forecast,
    listings.invoices, listings.lines, listings.explain, listings.patient, listings.pdf,
    desk.sent, desk.credit, desk.close, desk.forget, books.export,
    beginnings.init, beginnings.import_, nights.rebuild,
    keeping.verify, keeping.backup, keeping.restore,
):  # fmt: skip
    cli.add_command(command)


# What a disk says that takes no more; commands tell of every file but the log themselves.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}

# What DuckDB makes of Ctrl-C in the middle of a statement.
_CTRL_C = "Query interrupted"


def main() -> None:
    """The console script: a crash says so in one line and keeps the rest in a file."""
    _no_stream_is_missing()
    # Imports make many objects that stay: looking through them takes an eighth of a start.
    gc.set_threshold(50_000, 20, 20)
    try:
        _command()
    except BrokenPipeError:  # whoever read along has ended, as `| head -1` does
        pass
    except Exception as error:  # the last boundary: nothing may end in a traceback
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            told = _unwritten(error)
        elif isinstance(error, RuntimeError) and str(error) == _CTRL_C:
            told = "Aborted!"
        else:
            told = _crashed(error)
        with suppress(OSError):
            click.echo(told, err=True)
    _give_up_what_is_unwritten()
    sys.exit(CRASHED)


def _command() -> None:
    """The command, which always ends with an exit code, once all it said is written."""
    try:
        cli()
    except SystemExit:
        sys.stdout.flush()
        sys.stderr.flush()
        raise


def _give_up_what_is_unwritten() -> None:
    """Lead to nowhere what could not be written: Python tries once more as it ends.

    It fails again then, and puts an exit code of its own in the place of ours.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):  # no file of the system's
                at = stream.fileno()
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, at)
                os.close(nowhere)


def _no_stream_is_missing() -> None:
    """Lead to nowhere what was closed by whoever started the program (`2>&-`).

    The next file to be opened, the ledger perhaps, would take its place, and what a
    library says on the screen would be written into that. Workers inherit it.
    """
    for stream in (0, 1, 2):
        try:
            os.fstat(stream)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8")
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")


def _unwritten(error: OSError) -> str:
    return (
        f"What membill has to say could not be written ({error.strerror}); what"
        " was recorded before is whole."
    )


def _crashed(error: Exception) -> str:
    from pipeline.crash import keep

    try:
        kept = f"Details for whoever looks after it: {keep(error)}"
    except OSError:
        kept = "Details could not be kept: there is no room."
    return (
        f"membill stopped because of a fault of its own ({type(error).__name__});"
        f" what was recorded before is whole. {kept}"
    )


if __name__ == "__main__":
    main()
