"""How a ledger's bytes come into a copy: begun while it is open, settled once it is closed.

A large ledger takes seconds to copy, which a night has to spare while it makes its
workbooks. Whatever is written to the ledger after that does no harm: in the end both files
are read side by side to their last byte, and what differs is written. That pass is the
copy; what was begun makes it short.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

from pipeline.files import private_file

_BLOCK = 1024 * 1024
# Read and written at once: each piece has to wait for its turn among Python's threads.
_PIECE = 8 * _BLOCK
# A copy is begun where the disk has room for so many of it: workbooks come first.
_ROOM = 3


class Unsound(Exception):
    """A copy that is not what it was copied from; the message says how."""


class Begun:
    """A copy that is being made of a ledger that is open, as far as it comes.

    It may come to nothing and tells of no error: `bring_up` makes the copy. The file is
    held open until `close`, which is for when the ledger is closed: before, that would
    drop DuckDB's lock on it.
    """

    def __init__(self, ledger: Path, draft: Path):
        self.draft = draft
        self._stopped = Event()
        self._source = open(ledger, "rb", buffering=0)  # noqa: SIM115
        self._thread = Thread(target=self._copy)
        self._thread.start()

    def _copy(self) -> None:
        with suppress(OSError, MemoryError):
            room = shutil.disk_usage(self.draft.parent).free
            if room < _ROOM * os.fstat(self._source.fileno()).st_size:
                return
            with open(self.draft, "xb", buffering=0, opener=private_file) as draft:
                while not self._stopped.is_set():
                    if not (piece := self._source.read(_PIECE)):
                        break
                    draft.write(piece)
                os.fsync(draft.fileno())

    def stop(self) -> None:
        """Leave it as far as it came; nothing is written to the draft any more."""
        self._stopped.set()
        self._thread.join()

    def close(self) -> None:
        """Let go of the ledger, which is closed, and of a draft that got no name."""
        self.stop()
        self._source.close()
        with suppress(OSError):  # what stays is swept by the next night
            self.draft.unlink(missing_ok=True)


def bring_up(source: Path, draft: Path) -> None:
    """Make a draft the very bytes of a closed ledger, on disk.

    What it holds already is compared; what differs is written, read back and compared.
    Raises OSError, and `Unsound` where the disk does not give back what it took.
    """
    with open(source, "rb") as ledger, open(draft, "r+b", opener=_made) as copy:
        written = []
        for at in range(0, os.fstat(ledger.fileno()).st_size, _BLOCK):
            block = ledger.read(_BLOCK)
            if copy.read(_BLOCK) != block:
                copy.seek(at)
                copy.write(block)
                written.append(at)
        copy.truncate(ledger.tell())
        os.fsync(copy.fileno())
        for at in written:
            ledger.seek(at)
            copy.seek(at)
            if ledger.read(_BLOCK) != copy.read(_BLOCK):
                raise Unsound("the copy is not the same as the ledger, byte for byte")


def _made(path: str, flags: int) -> int:
    return private_file(path, flags | os.O_CREAT)
