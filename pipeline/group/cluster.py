"""Nights on Dask: a local cluster or a running scheduler, one practice to a worker.

Nothing of the local cluster listens but on loopback, and only to who holds a
certificate made for this one run: whoever may talk to a scheduler may run programs in
its workers' name, and on a shared machine loopback is open to every account.
"""

import logging
import os
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any

from pipeline.group.night import CRASHED, Job, Record, night

TRIES = 3
CONNECT = 30  # seconds
NO_WORKERS = 120.0  # seconds without any worker, after which nobody is waited for
LOOK = 2.0  # seconds between two looks at who is there
SOON = 0.1  # the same while nothing is at work, as when the only worker starts again

# What a night imports that is not its own; nothing breaks where one is missing.
LIBRARIES = "distributed duckdb openpyxl pandera.pandas xlsxwriter".split()

# What a local cluster is made with, whatever the machine's own Dask settings say.
LOCAL: dict[str, Any] = {
    "distributed.scheduler.allowed-failures": TRIES - 1,
    # A night that has begun stays where it is, and none waits behind another.
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.worker-saturation": 1.0,
    # A night may keep the interpreter busy for longer than any time one could name;
    # a worker that is gone closes its connection.
    "distributed.scheduler.worker-ttl": None,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.scheduler.preload": [],
    "distributed.worker.preload": [],
    "distributed.nanny.preload": [],
    # No page about the cluster: it would name practices to every account.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    # Records are small; what a night needs is the machine's business.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    # Watching itself dozens of times a second, it would cost a twentieth of a core.
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.tick.interval": "1s",
    "distributed.worker.memory.monitor-interval": "10s",
    "distributed.client.scheduler-info-interval": "10s",
}


class NotInstalled(Exception):
    """What the group needs is not there; the message says how to get it."""


class Unreachable(Exception):
    """No scheduler or no worker answers; the message says which."""


class Lost(Exception):
    """The scheduler or its last worker is gone; `begun` are the jobs it had."""

    def __init__(self, why: str, begun: Iterable[Job] = ()):
        super().__init__(why)
        self.begun = tuple(begun)


@contextmanager
def cluster(scheduler: str | None, workers: int | None) -> Iterator[Any]:
    """A Dask client: of a cluster of this machine's own, or of a running scheduler.

    Raises `NotInstalled` and `Unreachable`.
    """
    try:
        import distributed  # noqa: F401

        if not scheduler:
            import cryptography  # noqa: F401
    except ImportError:
        raise NotInstalled(
            "A group needs Dask, which is not installed: pip install 'membill[group]'"
        ) from None
    with _quiet(), _running(scheduler) if scheduler else _local(workers) as client:
        yield client


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's own log off the screen: what it has to say stands in the records."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def _local(workers: int | None) -> Iterator[Any]:
    import dask
    from distributed import Client, LocalCluster
    from distributed.security import Security

    with (
        _strangers_left_out(),
        dask.config.set({**LOCAL, **_quick_starts()}),
        tempfile.TemporaryDirectory(
            prefix="membill-group-", ignore_cleanup_errors=True
        ) as scratch,
        LocalCluster(
            n_workers=workers or os.cpu_count() or 1,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            protocol="tls://",
            security=Security.temporary(),
            dashboard_address=None,
            # Any free port, or two groups at once would want the same.
            scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
            memory_limit=0,
            local_directory=scratch,
            silence_logs=logging.CRITICAL,
        ) as own,
        Client(own, set_as_default=False) as client,
    ):
        yield client


def _quick_starts() -> dict[str, str]:
    """Have one process read the libraries, from which each worker is then branched off.

    Else every worker would read them anew, also after each that was killed.
    """
    method = "distributed.worker.multiprocessing-method"
    if sys.platform != "linux":
        return {method: "spawn"}
    import multiprocessing

    from distributed import utils

    utils._forkserver_preload_set = True  # it would take in every library there is
    multiprocessing.get_context("forkserver").set_forkserver_preload(LIBRARIES)
    return {method: "forkserver"}


@contextmanager
def _strangers_left_out() -> Iterator[None]:
    """Keep new processes from taking modules out of the folder they are started in.

    That may be the practices' own, where everybody in the office can put a file.
    """
    before = os.environ.get("PYTHONSAFEPATH")
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        yield
    finally:
        del os.environ["PYTHONSAFEPATH"]
        if before is not None:
            os.environ["PYTHONSAFEPATH"] = before


@contextmanager
def _running(address: str) -> Iterator[Any]:
    from distributed import Client

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are compared by each night
            client = Client(address, timeout=CONNECT, set_as_default=False)
    except Exception as error:
        # A typing slip, a firewall and a missing certificate raise what they like.
        raise Unreachable(
            f"no scheduler answers at {address} ({type(error).__name__}); see that"
            " `dask scheduler` runs there and that this machine may reach it"
        ) from None
    try:
        try:
            client.wait_for_workers(1, timeout=CONNECT)
        except Exception:
            raise Unreachable(
                f"the scheduler at {address} has no worker; start some with"
                f" `dask worker {address}`"
            ) from None
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=CONNECT)


def machines(client: Any) -> dict[str, int]:
    """The machines that have workers now, and how many nights each works at once."""
    threads: Counter[str] = Counter()
    for worker in client.scheduler_info(n_workers=-1)["workers"].values():
        threads[worker["host"]] += worker["nthreads"]
    return dict(threads)


def nights(
    client: Any, jobs: Iterable[Job], homes: Mapping[str, str] | None = None
) -> Iterator[Record]:
    """The record of each job, as it comes. Raises `Lost` when no more will come.

    No more jobs are handed over than there are workers: one that kills its worker then
    takes no other down, and what was not begun when all is lost is known. `homes` tie a
    practice to the machine that has its ledger.
    """
    waiting: dict[str, deque[Job]] = defaultdict(deque)
    for job in jobs:
        waiting[homes[job.practice] if homes else ""].append(job)
    work = _Work(client, waiting)
    try:
        while work.goes_on():
            if record := work.next():
                yield record
    except Lost as lost:
        raise Lost(str(lost), [job for _, job in work.at_work.values()]) from None


class _Work:
    """What waits, what is being worked and where, and who is there to work it."""

    def __init__(self, client: Any, waiting: Mapping[str, deque[Job]]):
        self.client = client
        self.waiting = waiting
        self.at_work: dict[Any, tuple[str, Job]] = {}
        self.done: SimpleQueue[Any] = SimpleQueue()
        self.handed = 0
        self.looked = self.seen = time.monotonic()
        self.there = self._look()

    def goes_on(self) -> bool:
        """Whether there is still a record to come."""
        return bool(self.at_work) or any(self.waiting.values())

    def next(self) -> Record | None:
        """Hand over what there is room for; a record, or None where none came soon."""
        if time.monotonic() - self.looked > self._pause():
            self.there = self._look()
        self._hand_over()
        try:
            future = self.done.get(timeout=self._pause())
        except Empty:
            return None
        _, job = self.at_work[future]
        record = _heard(job, future)
        del self.at_work[future]
        future.release()
        return record

    def _pause(self) -> float:
        """Seconds to wait for a record before the next look."""
        return LOOK if self.at_work else SOON

    def _look(self) -> dict[str, int]:
        """Who is there; `Lost` when nobody was for too long who has work to do."""
        try:
            there = machines(self.client)
        except Exception as error:
            # Whatever a broken connection raises: nothing can be asked over it.
            raise _connection_lost() from error
        if "" in self.waiting:
            there = {"": sum(there.values())}
        needed = {home for home, jobs in self.waiting.items() if jobs}
        needed |= {home for home, _ in self.at_work.values()}
        self.looked = time.monotonic()
        if not needed or any(there.get(home) for home in needed):
            self.seen = self.looked
        if self.looked - self.seen > NO_WORKERS:
            raise Lost("the scheduler has no worker left")
        return there

    def _hand_over(self) -> None:
        busy = Counter(home for home, _ in self.at_work.values())
        for home, jobs in self.waiting.items():
            while jobs and busy[home] < self.there.get(home, 0):
                busy[home] += 1
                self._hand_over_one(home, jobs.popleft())

    def _hand_over_one(self, home: str, job: Job) -> None:
        self.handed += 1
        where: dict[str, Any] = {"workers": [home]} if home else {}
        future = self.client.submit(
            night, job, key=f"night-{job.group}-{self.handed}", pure=False, **where
        )
        self.at_work[future] = (home, job)
        future.add_done_callback(self.done.put)


def _heard(job: Job, future: Any) -> Record:
    """What came back for a job; `Lost` where nothing can come back any more."""
    from asyncio import CancelledError
    from concurrent.futures import CancelledError as AlsoCancelled

    from distributed import KilledWorker

    try:
        return future.result()
    except KilledWorker as killed:
        tries = killed.allowed_failures + 1
        why = (
            f"the process that billed it was killed {tries} times (out of memory?); what"
            " was recorded before is whole: run `membill bill` on it by hand"
        )
    except (CancelledError, AlsoCancelled, OSError) as error:
        raise _connection_lost() from error
    except Exception as error:
        # It never began: a night itself raises nothing.
        why = (
            f"the worker could not run it ({type(error).__name__}); see that membill is"
            " installed on every machine"
        )
    return Record(job.practice, CRASHED, (why,))


def _connection_lost() -> Lost:
    return Lost("the connection to the scheduler was lost")
