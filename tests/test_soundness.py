"""The checksum of a ledger at rest: when there is one, and what it tells."""

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest

from pipeline.ledger import create
from pipeline.problems import Refused, refused
from pipeline.proof.soundness import (
    at_work,
    checksum_of,
    contents,
    log_of,
    matches,
    must_be_readable,
    note_checksum,
    parts,
    total,
)
from tests.given import ledger

BEFORE, AFTER = b"before", b"after"
REFUSED = refused("ledger/x", "some-code", "found", "repair")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "membill.duckdb"
    file.write_bytes(BEFORE)
    return file


@pytest.mark.parametrize(
    ("noted", "agrees"),
    [
        pytest.param(None, False, id="none"),
        pytest.param("", False, id="an empty one"),
        pytest.param(hashlib.sha256(BEFORE).hexdigest(), True, id="its own"),
        pytest.param(hashlib.sha256(AFTER).hexdigest(), False, id="another's"),
    ],
)
def test_a_ledger_matches_the_checksum_that_is_its_own(
    noted: str | None, agrees: bool, path: Path
) -> None:
    if noted is not None:
        checksum_of(path).write_text(noted)
    assert matches(path) is agrees


@pytest.mark.parametrize(
    "ends_with", [None, REFUSED, ValueError(), KeyboardInterrupt()]
)
@pytest.mark.parametrize("written", [False, True], ids=["as it was", "written to"])
@pytest.mark.parametrize("noted", [False, True], ids=["had none", "had one"])
@pytest.mark.parametrize("log", [False, True], ids=["no log", "a log"])
def test_what_is_at_rest_has_its_checksum(
    ends_with: BaseException | None, written: bool, noted: bool, log: bool, path: Path
) -> None:
    """After a failure only a ledger that is still what it was has one, and after a kill
    none; nor has one beside whose file a log lies.
    """
    if noted:
        note_checksum(path)
    with suppress(type(ends_with or REFUSED)), at_work(path):
        assert not checksum_of(path).exists()
        if written:
            path.write_bytes(AFTER)
        if log:
            log_of(path).touch()
        if ends_with:
            raise ends_with
    in_order = ends_with in (None, REFUSED)
    failed = isinstance(ends_with, ValueError) and noted and not written
    assert matches(path) is ((in_order or failed) and not log)
    assert checksum_of(path).exists() is matches(path)


def test_that_a_checksum_is_away_is_on_disk_before_the_ledger_is_written_to(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def noting(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            seen.append(sorted(os.listdir(handle)))

    note_checksum(path)
    monkeypatch.setattr(os, "fsync", noting)
    with at_work(path):
        assert seen == [[path.name]]


def test_a_ledger_that_went_away_meanwhile_has_none(path: Path) -> None:
    note_checksum(path)
    with pytest.raises(ValueError, match="gone"), at_work(path):
        path.unlink()
        raise ValueError("gone")
    assert not checksum_of(path).exists()


def test_contents_are_rows_and_their_cells_where_all_is_read() -> None:
    add = "insert into ledger.closed_months values (?, '2026-04-01', ?, 0, 0, 0, 0, 0, '', 1)"
    with ledger() as books:
        run = books.connection
        run.execute(add, ["2026-03", "mm"])
        whole, rows = contents(run), contents(run, whole=False)
        (name,) = [
            name for name, (count, _) in rows.items() if count and "closed" in name
        ]
        assert whole.keys() == rows.keys()
        assert (whole[name][0], rows[name]) == (1, (1, 0))
        assert contents(run, [name]) == {name: whole[name]}
        run.execute("update ledger.closed_months set closed_by = 'dd'")
        assert contents(run, [name], whole=False) == {name: rows[name]}
        assert contents(run, [name])[name] != whole[name]


@pytest.mark.parametrize(
    "change",
    [
        "update ledger.t set last = 'x'",
        "update ledger.t set last = case last when 'a' then 'b' else 'a' end",
        "update ledger.t set first = 3 - first",
    ],
    ids=["the same in two rows", "changed places", "rows changed places"],
)
def test_cells_that_change_alike_or_change_places_are_other_contents(
    change: str,
) -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute("attach ':memory:' as ledger")
        connection.execute("create table ledger.t (first int, last text)")
        connection.execute("insert into ledger.t values (1, 'a'), (2, 'b')")
        before = contents(connection)
        connection.execute(change)
        assert contents(connection) != before


def test_a_database_without_tables_holds_nothing() -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute("attach ':memory:' as ledger")
        assert contents(connection) == {}


def test_the_parts_of_a_table_come_to_its_contents(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.proof.soundness.ROWS_OF_A_PART", 2)
    with ledger() as books:
        for month in ("2026-01", "2026-02", "2026-03"):
            books.connection.execute(
                "insert into ledger.closed_months values"
                " (?, '2026-04-01', 'mm', 0, 0, 0, 0, 0, '', 1)",
                [month],
            )
        found = parts(books.connection)
        (cut,) = [each for each in found.values() if len(each) > 1]
        assert {at: rows for at, (rows, _) in cut.items()} == {0: 2, 1: 1}
        assert total(found) == contents(books.connection)


def test_a_damaged_cell_is_found_in_a_table_that_nobody_counts(path: Path) -> None:
    path.unlink()
    create(path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set force_compression = 'uncompressed'")
        connection.execute(
            "insert into changes (run_no, table_name, subject, column_title, accepted)"
            " select 1, '', 'subject ' || range, '', true from range(1000)"
        )
    must_be_readable(path)
    content = path.read_bytes()
    assert content.count(b"subject 500") == 1
    path.write_bytes(content.replace(b"subject 500", b"subject 5oo"))
    with pytest.raises(Refused, match="cannot be opened and read to its end"):
        must_be_readable(path)
