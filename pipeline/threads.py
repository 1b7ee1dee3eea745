"""How many threads DuckDB is given: on little data every thread but one only costs."""

from collections.abc import Iterable
from pathlib import Path
from stat import S_ISREG
from typing import Any

# Bytes of ledger and sheets together up to which one thread needs the least: about
# 20,000 patients. A quiet night of a small practice takes a sixth less of a processor.
LITTLE = 4_000_000


def settings_for(files: Iterable[Path]) -> dict[str, Any]:
    """What to connect with for work on these files; one that is absent counts nothing."""
    size = sum(map(_size, files))
    return {"threads": 1} if size <= LITTLE else {}


def _size(file: Path) -> int:
    """Bytes of a regular file; one that is gone since it was listed has none."""
    try:
        found = file.stat()
    except OSError:
        return 0
    return found.st_size if S_ISREG(found.st_mode) else 0
