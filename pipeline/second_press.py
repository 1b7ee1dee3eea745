"""Makes many invoice workbooks in a process of its own, while this one makes the pages.

Python works on one core at a time; a workbook is made of its document alone, so that
documents can be handed to a second process. It writes them as this one would, and says
in the end what came of each. It ends with the process that started it: what it is to do
comes through its standard input.
"""

import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from threading import Thread

from pipeline.bookkeeping.books import Document
from pipeline.exports import invoice
from pipeline.press import Press

# It takes a tenth of a second to start, in which this process makes a hundred workbooks.
MANY = 500
# Handfuls that wait for it, each of some 200 KB; with more to do, both processes work.
_WAITING = 50
_NO_MORE = b""

# The program is found where this process found it, and nowhere else: not in the folder
# that somebody happens to be in.
_START = (
    "import sys; sys.path[:] = sys.argv[2:];"
    " from pipeline.second_press import main; main()"
)


@contextmanager
def second_press(out: Path, workbooks: int) -> Iterator["SecondPress | None"]:
    """A second press for so many workbooks; None where there are few, or none will start.

    It is gone when the block ends, and what it did not write by then is not there.
    """
    second = None
    if workbooks >= MANY:
        with suppress(OSError, RuntimeError):
            second = SecondPress(out)
    try:
        yield second
    finally:
        if second:
            second.close()


class SecondPress:
    """A process that writes invoice workbooks below a folder.

    Raises OSError where no process starts, and RuntimeError where no thread does.
    """

    def __init__(self, out: Path):
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, str(out.absolute()), *sys.path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._jobs: Queue[bytes] = Queue(_WAITING)
        self._fed = False  # all there was to do
        self._feeder = Thread(target=self._feed)
        self._feeder.start()

    def takes(self, documents: Sequence[Document]) -> bool:
        """Hand documents over; False where it has enough to do."""
        if self._jobs.full():
            return False
        self._jobs.put(pickle.dumps(documents))
        return True

    def finish(self, press: Press) -> bool:
        """Wait until all is written and let `press` know; False where it broke down."""
        self._end_jobs()
        assert self._process.stdout
        try:
            written, warnings = pickle.load(self._process.stdout)
        except Exception:  # whatever a process says that broke down
            return False
        self._process.wait()
        if not self._fed:
            return False
        press.written += written
        press.warnings += warnings
        return True

    def close(self) -> None:
        """End it, whatever it is doing: each file is whole or has no name yet."""
        self._process.kill()
        self._end_jobs()
        assert self._process.stdout
        self._process.stdout.close()
        self._process.wait()

    def _end_jobs(self) -> None:
        if self._feeder.is_alive():
            self._jobs.put(_NO_MORE)
            self._feeder.join()

    def _feed(self) -> None:
        """Hand on what there is to do; where the process is gone it is let go of."""
        assert self._process.stdin
        jobs = iter(self._jobs.get, _NO_MORE)
        try:
            for job in jobs:
                self._process.stdin.write(job)
                self._process.stdin.flush()
            self._fed = True
        except (OSError, MemoryError):
            for _ in jobs:
                pass
        finally:  # or it would wait for more, and its process for what it says
            with suppress(OSError):
                self._process.stdin.close()


def main() -> None:
    """Be the second process: make what comes, and say in the end what came of it."""
    press = Press(Path(sys.argv[1]))
    with suppress(EOFError):
        while True:
            documents = pickle.load(sys.stdin.buffer)
            press.put_new([(each.path, invoice.render(each)) for each in documents])
    pickle.dump((press.written, press.warnings), sys.stdout.buffer)
