"""Keeps what a library said in a file of its owner's, not on the screen."""

import os
import stat
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

KEPT_DAYS = 30
_PREFIX = "membill-crash-"


def keep(error: BaseException) -> Path:
    """Write the traceback to a private file and say where it is.

    It may hold values from a sheet, so it is readable by its owner alone, and goes with
    the first night or fault after thirty days.
    """
    forget_old()
    handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".txt")
    with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(traceback.format_exception(error))
    return Path(name)


def forget_old() -> None:
    """Remove this account's own files of that kind; a file that stays does no harm."""
    oldest = time.time() - KEPT_DAYS * 24 * 60 * 60
    owner = os.getuid() if hasattr(os, "getuid") else None
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*.txt"):
        with suppress(OSError):
            found = path.lstat()
            own = owner is None or found.st_uid == owner
            if own and stat.S_ISREG(found.st_mode) and found.st_mtime < oldest:
                path.unlink()


@contextmanager
def unheard() -> Iterator[None]:
    """Keep a library that is not written in Python from writing on the screen.

    What it wrote is added to whatever it raises, and is forgotten otherwise.
    """
    try:
        sys.stderr.flush()
        screen = os.dup(2)
    except (OSError, ValueError, AttributeError):  # there is no screen to keep clean
        yield
        return
    with tempfile.TemporaryFile() as heard:
        os.dup2(heard.fileno(), 2)
        try:
            yield
        except BaseException as error:
            heard.seek(0)
            error.add_note(heard.read(100_000).decode("utf-8", "replace"))
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)
