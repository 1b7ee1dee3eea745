"""Every test that ends with a ledger ends with the promises of that ledger."""

import gc
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import practice
import pytest

import tests.practice
from pipeline.ledger import ledger_path, opened
from pipeline.proof.verify import verify
from sample_data.practice import AS_OF
from tests import remembered
from tests.golden import copy_of_sample


def pytest_collection_finish() -> None:
    """What is imported by now stays: looking it through again and again takes minutes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


@pytest.fixture(autouse=True, scope="session")
def _nothing_waits() -> Iterator[None]:
    """Tests run side by side, and none of them outlives the machine's power.

    Small practices gain nothing from DuckDB's threads, and nothing from bytes that are
    waited for until they lie on the disk.
    """
    connect = duckdb.connect

    def connecting(*args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*args, **options)
        connection.execute("set threads = 1")
        return connection

    with (
        patch("duckdb.connect", connecting),
        patch("os.fsync", lambda descriptor: None),
        remembered.reading(),
        remembered.ranges(),
    ):
        yield


# Where somebody looks at the copies as CSV, or counts what the disk is asked.
OF_COPIES = {"test_copies", "test_torture", "test_simulated_years"}


@pytest.fixture(autouse=True, scope="module")
def _copies_without_tables(request: pytest.FixtureRequest) -> Iterator[None]:
    whole = request.module.__name__.rpartition(".")[2] in OF_COPIES
    with nullcontext() if whole else remembered.no_tables():
        yield


# Where many nights pass that are about something else than what they bill: that is told
# by the tests of rules, samples and journeys, for which DuckDB plans as for a practice.
OF_MANY_NIGHTS = {
    f"test_{name}"
    for name in (
        "copies", "credits", "damage", "desk", "end_dates", "first_day", "forget",
        "guards", "looking_back", "messages", "month_books", "rights", "verify",
        "worst_moments",
    )
}  # fmt: skip


@pytest.fixture(autouse=True, scope="module")
def _statements_as_written(request: pytest.FixtureRequest) -> Iterator[None]:
    many = request.module.__name__.rpartition(".")[2] in OF_MANY_NIGHTS
    with remembered.as_written() if many else nullcontext():
        yield


@pytest.fixture(scope="session")
def sample_night(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, practice.Result]:
    """The sample after its night, to be copied and never changed; and what that said."""
    folder = copy_of_sample(tmp_path_factory.mktemp("sample night") / "sample_data")
    done = practice.run("bill", folder, "--as-of", AS_OF, today=str(AS_OF))
    assert done.code == 0, done.err
    return folder, done


@pytest.fixture(scope="session")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The usual practice after its night of 1 March 2026, to be copied and never changed."""
    folder = practice.make(tmp_path_factory.mktemp("first night") / "clinic")
    assert practice.bill(folder, "2026-03-01").code == 0
    return folder


# The files that take a process some ten seconds and more.
LONG = (
    "simulated_years", "copies", "torture", "looking_back", "rights", "verify",
    "worst_moments", "sample_year", "journeys", "group", "damage", "hostile", "export",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest go first, so that at the end no process waits for another."""
    first = {f"test_{name}": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: first.get(item.path.stem, len(LONG)))


@pytest.fixture(autouse=True)
def _ledgers_hold(request: pytest.FixtureRequest) -> Iterator[None]:
    """Proves the ledgers that a test worked on, unless it harmed them on purpose.

    A night has proved its own at its end; what came after it is proved here.
    """
    # Those of fixtures for several tests among them, for the first of these.
    yield
    used = practice.USED | tests.practice.USED
    for folders in (practice.USED, tests.practice.USED):
        folders.clear()
    if "damaged" in request.keywords:
        return
    proved = practice.PROVED | tests.practice.PROVED
    for folder in used:
        path = ledger_path(folder)
        if path.is_file() and practice.seal(folder) not in proved - {""}:
            with opened(path, write=False) as ledger:
                faults = {r.promise: r.faults for r in verify(ledger, folder / "out")}
            assert not {name: found for name, found in faults.items() if found}
            # Until something is written into it again.
            practice.PROVED.add(practice.seal(folder))
