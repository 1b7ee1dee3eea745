"""A step with strace attached: which calls it makes, and one of them made to fail.

What a step needs is imported once, in a process that forks a child for each run. The
child stops before it begins, strace is attached to it, and it goes on: calls of the step
alone are counted, and nothing else has to be started.
"""

import ctypes
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from unittest.mock import patch

from pipeline.__main__ import main
from tests.simulator.machine import thinking_less
from tests.torture.scenario import arguments
from tests.torture.still import Stopped, one_thread, still
from tests.torture.trial import Reference

# What opens files, and changes a disk where it makes one.
_MAKING = ("open", "openat")
# What changes a disk, or says when it has. No machine has all of them, and which of them
# a program makes is the business of its libraries.
CALLS = (
    *_MAKING, "creat", "mknod", "mknodat", "mkdir", "mkdirat", "rmdir", "link", "linkat",
    "symlink", "symlinkat", "rename", "renameat", "renameat2", "unlink", "unlinkat",
    "write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile", "splice",
    "copy_file_range", "truncate", "ftruncate", "fallocate", "chmod", "fchmod",
    "fchmodat", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat",
    "utimensat", "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr",
    "fremovexattr", "fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync",
    "io_submit", "io_uring_enter",
)  # fmt: skip

# The beginning of a call in what strace writes, after its thread: name, arguments; and
# the first file among those, open or by its name.
_CALL = re.compile(r"^\d+ +(\w+)\((.*)$", re.MULTILINE)
_FILE = re.compile(r'\b\d+<([^>]+)>|"([^"]+)"')
# Where the program says what it does; `{}` is the practice folder.
LOG = "{}.said"
_MAY_BE_TRACED = 0x59616D61  # by anybody: PR_SET_PTRACER
_PATIENCE = 200  # seconds; a step that takes longer hangs


@dataclass(frozen=True)
class Call:
    """One call: its name, the file it is for, and the how manieth of those it is.

    Counted for each file, so that a call more or less elsewhere moves none. In `file` the
    practice folder is `{}`.
    """

    name: str
    file: str
    when: int


@dataclass(frozen=True)
class Fault:
    """A call, and how it fails: as strace writes it."""

    call: Call
    how: str

    def __str__(self) -> str:
        return f"{self.call.name} {self.call.file} {self.call.when} {self.how}"


@dataclass(frozen=True)
class Ended:
    """How a step ended: its exit code (-9 if it was killed) and what it said.

    `calls` are those it made, `struck` those of them that were made to fail.
    """

    code: int
    said: str
    calls: list[Call] = field(default_factory=list)
    struck: list[str] = field(default_factory=list)


def attached(made: Reference, folder: Path, fault: Fault | None = None) -> Ended:
    """Run a step in a folder, with strace attached and one call failing."""
    log, said = folder.with_suffix(".log"), Path(LOG.format(folder))
    going, begun = os.pipe()
    child = os.fork()
    if not child:
        _begin(arguments(made.step, folder), said, begun)
    os.close(begun)
    _, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status), said.read_text(encoding="utf-8")
    calls = ",".join(f"?{name}" for name in CALLS)  # those that there are
    options = ["-f", "-qq", "-y", "-s", "0", "-e", f"trace={calls}"]
    if fault:
        call = fault.call
        options += ["-e", f"inject={call.name}:{fault.how}:when={call.when}"]
        options += ["-P", call.file.replace("{}", str(folder))]
    tracer = subprocess.Popen(
        ["strace", *options, "-o", str(log), "-p", str(child)], stderr=subprocess.PIPE
    )
    _wait_for(tracer, child)
    # One that comes while strace takes hold is lost.
    os.kill(child, signal.SIGCONT)
    while not select.select([going], [], [], 0.5)[0]:
        os.kill(child, signal.SIGCONT)
    os.close(going)
    _, status = os.waitpid(child, 0)
    tracer.communicate()
    text = _joined(log.read_text(encoding="utf-8", errors="replace"))
    code = os.waitstatus_to_exitcode(status)
    ended = Ended(
        code,
        said.read_text(encoding="utf-8", errors="replace"),
        list(_calls(text, folder)),
        _struck(text, fault, code) if fault else [],
    )
    log.unlink()
    said.unlink()
    return ended


def _begin(args: list[str], said: Path, begun: int) -> None:
    """In the child: stop until strace is there, then be the program from end to end.

    `begun` is closed when it goes on.
    """
    code = 1
    try:
        handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.close(handle)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8")
        sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8")
        signal.alarm(_PATIENCE)
        # Some systems let nobody attach to what is not their own child.
        ctypes.CDLL(None).prctl(_MAY_BE_TRACED, ctypes.c_ulong(-1))
        os.kill(os.getpid(), signal.SIGSTOP)
        os.close(begun)
        # Drafts have the same names in every run.
        names = map("draft{:04}".format, count())
        patch.object(tempfile, "_name_sequence", names).start()
        # So have the folders of what a restore replaced.
        patch("pipeline.copies.restore.datetime", Stopped).start()
        with (
            still(),
            thinking_less(),
            one_thread(),
            patch.object(sys, "argv", ["membill", *args]),
        ):
            main()
        code = 0
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            code = 120  # as Python ends when it cannot say its last words
        os._exit(code)


def _wait_for(tracer: subprocess.Popen[bytes], child: int) -> None:
    """Wait until strace has hold of the child."""
    status = Path(f"/proc/{child}/status")
    while f"TracerPid:\t{tracer.pid}\n" not in status.read_text(encoding="utf-8"):
        if tracer.poll() is not None:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise RuntimeError(f"strace: {tracer.communicate()[1].decode()}")
        time.sleep(0.002)


def _joined(text: str) -> str:
    """What strace wrote, a call that another thread interrupted in one line again."""
    begun, lines = dict[str, int](), list[str]()
    for line in text.splitlines():
        thread = line.partition(" ")[0]
        resumed = line.partition(" resumed>")[2]
        if resumed and thread in begun:
            lines[begun.pop(thread)] += resumed
        else:
            if line.endswith("<unfinished ...>"):
                begun[thread] = len(lines)
            lines.append(line.removesuffix("<unfinished ...>"))
    return "\n".join(lines)


def _calls(text: str, folder: Path) -> Iterator[Call]:
    """The calls that change a disk, in the order in which they were begun."""
    counts = Counter[tuple[str, str]]()
    for name, given in _CALL.findall(text):
        found = _FILE.search(given)
        file = (found[1] or found[2]).replace(str(folder), "{}") if found else ""
        counts[name, file] += 1
        if name not in _MAKING or "O_CREAT" in given:
            yield Call(name, file, counts[name, file])


def _struck(text: str, fault: Fault, code: int) -> list[str]:
    """The calls that failed, if they are those that were to."""
    name = fault.call.name
    if fault.how == "signal=KILL":
        if code != -signal.SIGKILL:
            return []
        lines = [line for line in text.splitlines() if f" {name}(" in line][-1:]
    else:
        lines = [line for line in text.splitlines() if "(INJECTED)" in line]
    return [line for line in lines if name not in _MAKING or "O_CREAT" in line]
