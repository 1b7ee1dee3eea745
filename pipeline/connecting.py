"""What DuckDB is given for work on a ledger: how many threads, and where it may spill."""

from collections.abc import Iterable
from pathlib import Path
from stat import S_ISREG
from typing import Any

# Where it lays down what its memory cannot hold, beside the ledger and as private as that:
# left to itself it takes the folder that the command was started in.
SPILLED = ".spilled"

# On little data every thread but one only costs.
# Bytes of ledger and sheets together up to which one thread needs the least: about
# 20,000 patients. A quiet night of a small practice takes a sixth less of a processor.
LITTLE = 4_000_000


def settings_for(ledger: Path, sheets: Iterable[Path] = ()) -> dict[str, Any]:
    """What to connect with for work on a ledger and on the sheets read into it."""
    size = sum(map(_size, (ledger, *sheets)))
    threads = {"threads": 1} if size <= LITTLE else {}
    return {"temp_directory": str(ledger.parent / SPILLED), **threads}


def _size(file: Path) -> int:
    """Bytes of a regular file; one that is gone since it was listed has none."""
    try:
        found = file.stat()
    except OSError:
        return 0
    return found.st_size if S_ISREG(found.st_mode) else 0
