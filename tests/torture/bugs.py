"""Bugs put into the program on purpose: if a trial does not see them, it sees nothing.

Each is applied inside the process that is killed and in the one that recovers.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pipeline import files, outbox, press, publish, record, run, transaction
from pipeline.ledger import Ledger
from pipeline.office import credits, desk
from tests.torture.trial import Bug


def _replaced(module: Any, name: str, make: Callable[[Any], Any]) -> Bug:
    """A bug that puts something else in the place of a function."""

    def apply() -> None:
        patch.object(module, name, make(getattr(module, name))).start()

    return apply


def _numbers_outside(original: Any) -> Any:
    """The counter is moved and committed before the invoices are written."""

    def stage(ledger: Ledger, night: Any) -> None:
        original(ledger, night)
        ledger.connection.execute("begin")
        ledger.connection.execute(
            "insert into ledger.counters select 'invoice', max(sequence),"
            " max(issued_on) from model.new_invoices having count(*) > 0"
            " on conflict do update set last_sequence = excluded.last_sequence"
        )
        ledger.connection.execute("commit")

    return stage


def _marked_first(original: Any) -> Any:
    """A file is struck off before it is written."""

    def publishing(ledger: Ledger, out: Path, **more: Any) -> Any:
        outbox.mark(ledger, [(path, "") for path in outbox.pending(ledger)])
        due = outbox.paths(ledger)
        with patch.object(publish.outbox, "pending", lambda _: due):
            return original(ledger, out, **more)

    return publishing


def _in_place(original: Any) -> Any:
    """A file is written under its own name, byte by byte."""

    def write(path: Path, content: bytes, *, replace: bool = True) -> None:
        files.private_folder(path.parent)
        if path.exists() and not replace:
            raise FileExistsError(str(path))
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)

    return write


def _many_in_place(original: Any) -> Any:
    """The same for files that are written many at a time."""

    def write(given: Iterable[tuple[Path, bytes]]) -> dict[Path, OSError]:
        for path, content in given:
            press.write_bytes(path, content, replace=False)
        return {}

    return write


def _both(one: Bug, other: Bug) -> Bug:
    def apply() -> None:
        one()
        other()

    return apply


def _commit_each(original: Any) -> Any:
    """Documents are committed before the rest of their night."""

    def documents(ledger: Ledger, run_no: int) -> None:
        original(ledger, run_no)
        ledger.connection.execute("commit")
        ledger.connection.execute("begin")

    return documents


def _no_recovery(original: Any) -> Any:
    """Only what this very run made is published, and nothing that was left before."""

    def publishing(ledger: Ledger, out: Path, **more: Any) -> Any:
        last = [
            row["path"]
            for row in ledger.rows(
                "select path from ledger.outbox where run_no = ?", [ledger.last_run_no]
            )
        ]
        with patch.object(publish.outbox, "pending", lambda _: last):
            return original(ledger, out, **more)

    return publishing


def _published_first(original: Any) -> Any:
    """Workbooks are published before their run is committed."""

    @contextmanager
    def early(ledger: Ledger) -> Any:
        changing = original(ledger)
        run_no = changing.__enter__()
        yield run_no
        transaction.count_numbers(ledger, run_no)
        outbox.post(ledger, run_no)
        out = ledger.path.parent.parent / "out"
        with patch.object(publish.outbox, "mark", lambda *_: None):
            publish.publish(ledger, out)
        ledger.connection.execute(
            "delete from ledger.outbox where run_no = ?", [run_no]
        )
        changing.__exit__(None, None, None)

    return early


def _each(*bugs: Bug) -> Bug:
    def apply() -> None:
        for bug in bugs:
            bug()

    return apply


BUGS: dict[str, Bug] = {
    "numbers outside the transaction": _replaced(run, "stage", _numbers_outside),
    "marked before written": _each(
        _replaced(run, "publish", _marked_first),
        _replaced(publish, "publish", _marked_first),
    ),
    "written in place": _both(
        _replaced(press, "write_bytes", _in_place),
        _replaced(press, "write_new", _many_in_place),
    ),
    "commit per invoice": _replaced(record, "_documents", _commit_each),
    "no recovery": _each(
        _replaced(run, "finish", lambda original: lambda *_: False),
        _replaced(run, "publish", _no_recovery),
        _replaced(desk, "publish", _no_recovery),
        _replaced(credits, "publish", _no_recovery),
    ),
    "published before commit": _replaced(run, "transaction", _published_first),
}
