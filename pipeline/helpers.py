"""Many invoices are rendered by helping processes, one for each core.

They are programs of their own and not branches of this one, which holds a ledger, locks
and threads. Only the rendering is theirs: in which order files are written, named and
marked stays as without them, and what they fail to render is rendered here.
"""

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice

from pipeline.books import Document
from pipeline.exports import invoice

MANY = 3_000  # documents from which they are worth their start
_MOST = 4  # helpers: more would wait for this process, which writes the files
_BATCH = 50  # documents at a time: half a megabyte of workbooks
_PIPE = 1_048_576  # bytes: a whole batch
_AHEAD = 2  # batches of each helper that wait or are at work

Rendered = Iterator[tuple[Document, bytes | None]]
Renderer = Callable[[Iterable[Document], Collection[str]], Rendered]


@contextmanager
def renderer(count: int) -> Iterator[Renderer]:
    """What renders documents, in their order, those whose path is among the due ones.

    Of the others it says None. `count` is how many there will be, more or less.
    """
    helpers: list[_Helper] = []
    try:
        with suppress(OSError):  # no room for more processes: then without
            for _ in range(_number(count)):
                helpers.append(_Helper())
        yield lambda documents, due: _rendered(documents, due, helpers)
    finally:
        for helper in helpers:
            helper.end()


def _number(count: int) -> int:
    """How many helpers there should be: none for few documents or on a single core."""
    if count < MANY or not sys.executable:
        return 0
    from multiprocessing import parent_process  # only now: it takes its time

    if parent_process():  # one of a group's workers: the cores are theirs
        return 0
    cores = (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1
    )
    return min(cores, _MOST) if cores > 1 else 0


def _rendered(
    documents: Iterable[Document], due: Collection[str], helpers: Sequence["_Helper"]
) -> Rendered:
    if not helpers:
        yield from _here(documents, due)
        return
    rest = iter(documents)
    asked: deque[tuple[list[Document], Future[list[bytes] | None]]] = deque()
    turn = 0
    while batch := list(islice(rest, _BATCH)):
        wanted = [document for document in batch if document.path in due]
        asked.append((batch, helpers[turn % len(helpers)].ask(wanted)))
        turn += 1
        if len(asked) == _AHEAD * len(helpers):
            yield from _handed_back(*asked.popleft(), due)
    while asked:
        yield from _handed_back(*asked.popleft(), due)


def _handed_back(
    batch: Sequence[Document], made: Future[list[bytes] | None], due: Collection[str]
) -> Rendered:
    contents = made.result()
    if contents is None:
        yield from _here(batch, due)
        return
    rest = iter(contents)
    for document in batch:
        yield document, next(rest) if document.path in due else None


def _here(documents: Iterable[Document], due: Collection[str]) -> Rendered:
    for document in documents:
        yield document, invoice.render(document) if document.path in due else None


class _Helper:
    """A process that renders, and the thread that waits for it."""

    def __init__(self) -> None:
        # Modules come from where this process has them, and from nowhere else.
        start = (
            f"import sys; sys.path[:] = {sys.path!r};"
            " from pipeline.exports.helper import main; main()"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pipesize=_PIPE,
        )
        self._line = ThreadPoolExecutor(1)

    def ask(self, documents: Sequence[Document]) -> Future[list[bytes] | None]:
        """The documents' workbooks, once they are made; None if they could not be."""
        return self._line.submit(self._exchange, documents)

    def _exchange(self, documents: Sequence[Document]) -> list[bytes] | None:
        given, back = self._process.stdin, self._process.stdout
        assert given and back
        try:
            pickle.dump(documents, given)
            given.flush()
            made: list[bytes] | None = pickle.load(back)
        except (OSError, EOFError, pickle.UnpicklingError):  # it is gone
            return None
        return made

    def end(self) -> None:
        """Nothing that it still does is needed any more."""
        self._process.kill()
        self._line.shutdown(cancel_futures=True)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not read any more
                if pipe:
                    pipe.close()
        self._process.wait()
