"""Writes what is published, and keeps what came of each file."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from pipeline.files import holds, inside, write_bytes
from pipeline.many_files import Faults, write_new


class Press:
    """Writes files below one folder, and what came of it.

    `written` is each file's path with its SHA-256, `withheld` what is not to be tried
    again, `warnings` in words what could not be written and why.
    """

    def __init__(self, out: Path):
        self.out = out
        self.written: list[tuple[str, str]] = []
        self.withheld: list[tuple[str, str]] = []
        self.warnings: list[str] = []

    def put(self, path: str, content: bytes) -> None:
        """Write one file; one that is open elsewhere is left for the next run."""
        try:
            write_bytes(inside(self.out, path), content)
        except OSError as error:
            self._note(path, content, error)
        else:
            self._note(path, content)

    def put_new(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Write files that are written once, all of them at a time."""
        faults = self._leading_away({str(Path(path).parent) for path, _ in files})
        faults |= write_new(
            (self.out / path, content)
            for path, content in files
            if (self.out / path).parent not in faults
        )
        for path, content in files:
            place = self.out / path
            self._note(path, content, faults.get(place) or faults.get(place.parent))

    def _leading_away(self, folders: Iterable[str]) -> Faults:
        faults: Faults = {}
        for folder in folders:
            try:
                inside(self.out, f"{folder}/file")
            except OSError as error:
                faults[self.out / folder] = error
        return faults

    def _note(self, path: str, content: bytes, fault: OSError | None = None) -> None:
        """Remember what came of a file."""
        if isinstance(fault, FileExistsError) and not holds(self.out / path, content):
            self.warnings.append(
                f"{path} is already there and is not what the ledger says; it was"
                " left as it is: look at both and move the strange one away"
            )
        elif fault and not isinstance(fault, FileExistsError):
            self.warnings.append(
                f"{path} could not be written ({fault.strerror}); it will be made again"
                " by the next run: close it if it is open"
            )
        else:
            self.written.append((path, hashlib.sha256(content).hexdigest()))
