"""Keeps the details of a crash in a file of its owner's, not on the screen."""

import tempfile
import traceback
from pathlib import Path


def keep(error: BaseException) -> Path:
    """Write the traceback to a private file and say where it is.

    It may hold values from a sheet, so it is readable by its owner alone.
    """
    handle, name = tempfile.mkstemp(prefix="membill-crash-", suffix=".txt")
    with open(handle, "w", encoding="utf-8") as file:
        file.writelines(traceback.format_exception(error))
    return Path(name)
