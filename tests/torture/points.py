"""The points at which a run changes the disk, named and counted; killed at one of them.

Nothing in the program knows of them: in a process of its own, the calls that change files
and the statements that change the ledger are wrapped. A point lies before the call; for
content being written or copied there is another with half of it on disk.
"""

import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

_CHANGES = re.compile(
    r"(begin|commit|rollback|checkpoint)\b"
    r"|(insert|update|delete|create|drop|attach|detach)[^(]*?\bledger\b",
    re.IGNORECASE,
)


class Points:
    """Counts the points of a run; at the one to die at, the process kills itself.

    `look` is called at each of them; what it does to files is no point itself.
    """

    def __init__(
        self,
        base: Path,
        die_at: int | None = None,
        look: Callable[[str], None] = lambda name: None,
    ):
        self.base = base
        self.die_at = die_at
        self.look = look
        self.names: list[str] = []
        self._one_by_one = threading.RLock()
        self._looking = False

    def reach(self, name: str) -> None:
        """Count one point; the one to die at is the last thing that happens."""
        with self._one_by_one:  # files are put on disk by several threads
            if self._looking:
                return
            if len(self.names) == self.die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            self.names.append(name)
            self._looking = True
            self.look(name)
            self._looking = False

    def install(self) -> None:
        """Wrap what changes the disk; for a process that is thrown away afterwards."""
        for name in ("replace", "link", "unlink", "mkdir", "chmod", "rmdir"):
            setattr(os, name, self._wrapped(name, getattr(os, name)))
        os.fsync = self._wrapped("sync", os.fsync)
        os.fdopen = self._writing(os.fdopen)  # type: ignore[assignment]
        tempfile.mkstemp = self._drafting(tempfile.mkstemp)
        shutil.copyfile = self._copying(shutil.copyfile)
        Path.write_text = self._texting(Path.write_text)  # type: ignore[method-assign]
        duckdb.connect = self._connecting(duckdb.connect)

    def _kind(self, path: Any) -> str:
        """A path as a kind of file: below the practice, digits as N, no random name."""
        if isinstance(path, int):
            path = os.readlink(f"/proc/self/fd/{path}")
        try:
            shown = str(Path(path).relative_to(self.base))
        except (TypeError, ValueError):
            return ""
        shown = re.sub(r"(^|/)\.[^/]*\.part$", r"\1(draft)", shown)
        return re.sub(r"[0-9]+", "N", shown)

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Any:
        def wrapper(*args: Any, **more: Any) -> Any:
            if not (name == "mkdir" and os.path.isdir(args[0])):
                files = args[:2] if name in ("replace", "link") else args[:1]
                self.reach(" ".join([name, *map(self._kind, files)]))
            return call(*args, **more)

        return wrapper

    def _drafting(self, call: Callable[..., Any]) -> Any:
        def wrapper(*args: Any, **more: Any) -> Any:
            self.reach(f"begin a draft in {self._kind(more['dir'])}")
            return call(*args, **more)

        return wrapper

    def _writing(self, call: Callable[..., Any]) -> Any:
        def wrapper(handle: int, mode: str = "r", *args: Any, **more: Any) -> Any:
            kind = self._kind(handle)
            file = call(handle, mode, *args, **more)
            return _Halfway(file, self, kind) if "w" in mode else file

        return wrapper

    def _copying(self, call: Callable[..., Any]) -> Any:
        def wrapper(source: Any, target: Any, **more: Any) -> Any:
            self.reach(f"copy {self._kind(source)} {self._kind(target)}")
            content = Path(source).read_bytes()
            with open(target, "wb") as file:
                file.write(content[: len(content) // 2])
            self.reach(f"half a copy of {self._kind(source)}")
            return call(source, target, **more)

        return wrapper

    def _texting(self, call: Callable[..., Any]) -> Any:
        def wrapper(path: Path, text: str, *args: Any, **more: Any) -> Any:
            self.reach(f"write {self._kind(path)}")
            call(path, text[: len(text) // 2], *args, **more)
            self.reach(f"half of {self._kind(path)}")
            return call(path, text, *args, **more)

        return wrapper

    def _connecting(self, call: Callable[..., Any]) -> Any:
        def wrapper(*args: Any, **more: Any) -> Any:
            connection = call(*args, **more)
            connection.execute("set threads = 1")
            return _Connection(connection, self)

        return wrapper


class _Halfway:
    """A file being written: a point before its content, and one with half of it."""

    def __init__(self, file: Any, points: Points, kind: str):
        self._file, self._points, self._kind = file, points, kind

    def __enter__(self) -> "_Halfway":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, content: Any) -> None:
        self._points.reach(f"write {self._kind}")
        middle = len(content) // 2
        self._file.write(content[:middle])
        self._file.flush()
        self._points.reach(f"half of {self._kind}")
        self._file.write(content[middle:])


class _Connection:
    """A connection whose statements that change the ledger are points."""

    def __init__(self, connection: Any, points: Points):
        self._connection, self._points = connection, points

    def __enter__(self) -> "_Connection":
        return self

    def __exit__(self, *error: object) -> None:
        self._points.reach("close the ledger")
        self._connection.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def _reach(self, statement: str) -> None:
        words = " ".join(statement.split())
        if _CHANGES.match(words) and not words.startswith("create or replace table"):
            short = " ".join(re.sub(r"[('].*", "", words).split()[:3])
            self._points.reach(f"sql {short}")

    def execute(self, statement: str, *args: Any) -> Any:
        self._reach(statement)
        return self._connection.execute(statement, *args)

    def executemany(self, statement: str, *args: Any) -> Any:
        self._reach(statement)
        return self._connection.executemany(statement, *args)
