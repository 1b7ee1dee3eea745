"""What is still to be shown, and what becomes of each file: made, left or told of."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pytest

from pipeline import chain, outbox, publish
from pipeline.ledger import Ledger
from pipeline.press import Press
from pipeline.published_files import published_numbers
from pipeline.record import add_run
from tests.given import ledger

A, B = ("a.xlsx", "0" * 64), ("b.xlsx", "1" * 64)


@pytest.fixture
def books() -> Iterator[Ledger]:
    """Two runs: the first has two files to show, the second one of them anew.

    In a ledger of their own: of what was checkpointed and then deleted, as nothing of a
    ledger ever is, DuckDB 2.0.1 finds no greatest row any more.
    """
    with ledger() as books:
        for run_no in (1, 2):
            report = {"said": "Zoë"}
            day = date(2026, 3, run_no)
            add_run(books, run_no, f"r{run_no}", "bill", day, "0", report)
            chain.extend(books.connection, run_no)
        books.connection.execute(
            "insert into ledger.outbox values ('a.xlsx', 1), ('b.xlsx', 1), ('a.xlsx', 2)"
        )
        yield books


def through(books: Ledger) -> list[int]:
    rows = books.rows("select * from ledger.published_through")
    return [run_no for row in rows for run_no in row.values()]


def test_what_waits_longest_is_shown_first(books: Ledger) -> None:
    assert outbox.pending(books) == ["b.xlsx", "a.xlsx"]


def test_what_was_published_waits_no_more(books: Ledger) -> None:
    outbox.mark(books, [B])
    assert (outbox.pending(books), through(books)) == (["a.xlsx"], [1])
    outbox.mark(books, [A])
    assert (outbox.pending(books), through(books)) == ([], [2])
    with pytest.raises(Exception, match="no transaction is active"):
        books.connection.execute("commit")


def test_a_file_put_back_after_its_run_was_published_is_noted_once(
    books: Ledger,
) -> None:
    outbox.mark(books, [A, B, A])
    outbox.mark(books, [A])
    assert books.value("select count(*) from ledger.published") == 2


def test_nothing_published_notes_nothing(books: Ledger) -> None:
    outbox.mark(books, [])
    assert through(books) == []


def test_before_the_run_up_to_which_all_is_shown_nothing_is_looked_for(
    books: Ledger,
) -> None:
    books.connection.execute("insert into ledger.published_through values (1)")
    assert outbox.pending(books) == ["a.xlsx"]
    assert outbox.pending(books, everywhere=True) == ["b.xlsx", "a.xlsx"]


def test_letters_of_any_language_stay_themselves_in_a_run_for_machines(
    books: Ledger,
) -> None:
    told = publish.run_json(books, "r2").decode("utf-8")
    assert '"said": "Zoë"' in told
    assert json.loads(told)["chain_head"] == chain.head(books.connection).sha256


def test_a_file_that_is_written_is_known_by_its_hash(tmp_path: Path) -> None:
    press = Press(tmp_path)
    press.put("a.txt", b"x")
    press.put_new([("b.txt", b"y")])
    hashes = [hashlib.sha256(text).hexdigest() for text in (b"x", b"y")]
    assert press.written == [("a.txt", hashes[0]), ("b.txt", hashes[1])]
    assert [(tmp_path / name).read_bytes() for name in ("a.txt", "b.txt")] == [
        b"x",
        b"y",
    ]
    assert press.warnings == []


def test_a_file_that_is_open_elsewhere_is_told_and_counts_as_not_written(
    tmp_path: Path,
) -> None:
    press = Press(tmp_path)
    with patch("pipeline.press.write_bytes", side_effect=OSError(13, "No access")):
        press.put("a.txt", b"x")
    told = [
        "a.txt could not be written (No access); it will be made again by the next run:"
        " close it if it is open"
    ]
    assert (press.written, press.warnings) == ([], told)


def test_of_files_made_once_the_same_is_as_good_as_written_and_a_strange_one_is_left(
    tmp_path: Path,
) -> None:
    press = Press(tmp_path)
    (tmp_path / "same.txt").write_bytes(b"x")
    (tmp_path / "strange.txt").write_bytes(b"mine")
    (tmp_path / "folder.txt").mkdir()
    names = ("same.txt", "strange.txt", "folder.txt", "new.txt")
    press.put_new([(name, b"x") for name in names])
    assert [path for path, _ in press.written] == ["same.txt", "new.txt"]
    assert [warning.split(" is already there")[0] for warning in press.warnings] == [
        "strange.txt", "folder.txt",
    ]  # fmt: skip
    assert (tmp_path / "strange.txt").read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("since", "numbers"),
    [
        (None, {"INV-000001", "INV-000002"}),
        (date(2026, 3, 9), {"INV-000002"}),
        (date(2026, 4, 1), set()),
    ],
)
def test_published_numbers_are_those_of_workbooks_from_a_month_on(
    since: date | None, numbers: set[str], tmp_path: Path
) -> None:
    for name in ("02/INV-000001.xlsx", "03/INV-000002.xlsx", "03/notes.xlsx"):
        file = tmp_path / "invoices/2026" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert published_numbers(tmp_path, since) == numbers


_DOCUMENT = (
    "insert into ledger.invoices (number, kind, sequence, run_no, issued_on, due_on,"
    " membership, bill_to_name, currency, net, tax, gross) values ('INV-000001',"
    " 'invoice', 1, 2, '2026-03-02', '2026-03-02', true, '', 'GBP', 0, 0, 0)"
)
_PAGES = {"invoices.xlsx", "issues.xlsx", "summary.html", "last_run.json"}
_OF_NIGHT = {*_PAGES, "runs/r2/run.json", "registers/2026-03.xlsx"}


@pytest.mark.parametrize("pdf", [True, False])
def test_a_night_has_to_show_its_documents_and_what_tells_of_it(
    pdf: bool, books: Ledger
) -> None:
    run = books.connection.execute
    run("delete from ledger.outbox")
    run(_DOCUMENT)
    run("insert into ledger.exported_documents values ('t', 'n', 2, 'imports/a.csv')")
    with patch("pipeline.outbox.setting_in_force", return_value=pdf):
        outbox.post(books, 2)
    document = "invoices/2026/03/INV-000001"
    made = {f"{document}.xlsx", "imports/a.csv", *([f"{document}.pdf"] * pdf)}
    assert outbox.paths(books) == made | _OF_NIGHT
    assert outbox.followers(books) == _OF_NIGHT
    assert outbox.paths(books, outbox.IMPORTS) == {"imports/a.csv"}


def test_a_closing_has_to_show_no_page(books: Ledger) -> None:
    books.connection.execute("delete from ledger.outbox")
    books.connection.execute("update ledger.runs set command = 'close'")
    outbox.post(books, 2)
    assert outbox.paths(books) == set()
