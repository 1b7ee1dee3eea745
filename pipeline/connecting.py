"""What DuckDB is given for work on a ledger, and what it is kept from.

A ledger file may come from anywhere: somebody brings one back, or put it in ours' place.
Its tables may have any name, and what looks like a table may be a view that reads files.
So nothing of it is asked before the connection can reach nothing else.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Any

import duckdb

# Where it lays down what its memory cannot hold, beside the ledger and as private as that:
# left to itself it takes the folder that the command was started in.
SPILLED = ".spilled"

# Whatever a file looks like, such as SQLite's, it is opened as a ledger or not at all.
A_LEDGER = "type duckdb"

# On little data every thread but one only costs.
# Bytes of ledger and sheets together up to which one thread needs the least: about
# 20,000 patients. A quiet night of a small practice takes a sixth less of a processor.
LITTLE = 4_000_000


def settings_for(ledger: Path, sheets: Iterable[Path] = ()) -> dict[str, Any]:
    """What to connect with for work on a ledger and on the sheets read into it."""
    size = sum(map(_size, (ledger, *sheets)))
    threads = {"threads": 1} if size <= LITTLE else {}
    return {
        "temp_directory": str(ledger.parent / SPILLED),
        # Told before a file is opened: for one of another kind it would fetch a reader.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        **threads,
    }


@contextmanager
def looking_at(
    ledger: Path, *, writes_to: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A ledger or a copy of one, attached as `ledger` for reading only.

    Nothing else can be reached but files of the folder that it `writes_to`.
    """
    with duckdb.connect(":memory:", config=settings_for(ledger)) as connection:
        connection.execute(
            f"attach '{quoted(ledger)}' as ledger ({A_LEDGER}, read_only)"
        )
        if writes_to:
            folder = quoted(writes_to.absolute())
            connection.execute(f"set allowed_directories = ['{folder}']")
        lock_down(connection)
        yield connection


def lock_down(connection: duckdb.DuckDBPyConnection) -> None:
    """From here on SQL can reach nothing but what is attached."""
    for setting in (
        "enable_external_access = false",
        "python_enable_replacements = false",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")


def quoted(path: Path) -> str:
    """A path inside quotes in SQL."""
    return str(path).replace("'", "''")


def _size(file: Path) -> int:
    """Bytes of a regular file; one that is gone since it was listed has none."""
    try:
        found = file.stat()
    except OSError:
        return 0
    return found.st_size if S_ISREG(found.st_mode) else 0
