"""The invoice workbooks that lie below `out/`, whatever the ledger knows of them."""

import os
import re
from datetime import date
from pathlib import Path

_WORKBOOK = re.compile(r"[A-Za-z0-9_-]+[0-9]{6,}\.xlsx")


def published_numbers(out: Path, since: date | None = None) -> set[str]:
    """The numbers of the invoice workbooks below `out/`, from the month of a day on."""
    return {Path(path).stem for path in published_paths(out, since)}


def published_paths(out: Path, since: date | None = None) -> set[str]:
    """Where invoice workbooks lie, below `out/`, from the month of a day on."""
    first = f"invoices/{since:%Y/%m}" if since else ""
    return {
        f"{month}/{name}"
        for folder in out.glob("invoices/*/*")
        if (month := folder.relative_to(out).as_posix()) >= first
        for name in _names_in(folder)
        if _WORKBOOK.fullmatch(name)
    }


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:  # no folder, or one that nobody may look into
        return []
