"""Which files are made, made again or left away, from a night in memory."""

import gc
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import duckdb
import pytest

from pipeline import chain, outbox, press, publish
from pipeline.bookkeeping import accounts
from pipeline.ledger import Ledger
from pipeline.published_files import published_paths
from tests.given import bill, ledger

FIRST, SECOND = "invoices/2026/01/INV-000001", "invoices/2026/01/INV-000002"
IMPORT = "imports/xero/2026-01-31-01.csv"
FOLLOWING = [
    "invoices.xlsx", "issues.xlsx", "last_run.json", "registers/2026-01.xlsx",
    "runs/2026-01-31-01/run.json", "summary.html",
]  # fmt: skip
PDFS = [f"{FIRST}.pdf", f"{SECOND}.pdf"]


class Unprintable(Exception):
    """As the writer of PDFs raises it."""


@pytest.fixture(scope="module")
def recorded() -> Iterator[Ledger]:
    """A night of two invoices."""
    with ledger() as books:
        bill(books, {"patients": [{}, {"patient_id": "P2"}]})
        outbox.post(books, 1)
        chain.extend(books.connection, 1)
        yield books


def unpublished(books: Ledger, pdf: bool = False) -> Ledger:
    """The night's ledger as it was before anything of it was published."""
    for table in ("outbox", "published", "published_through"):
        books.connection.execute(f"delete from ledger.{table}")
    with patch("pipeline.outbox.setting_in_force", return_value=pdf):
        outbox.post(books, 1)
    return books


def without_pages(books: Ledger) -> None:
    """Only the documents are to be shown: the pages take the most time."""
    books.connection.execute("delete from ledger.outbox where path not like 'inv%/%'")


@pytest.fixture
def books(recorded: Ledger) -> Ledger:
    return unpublished(recorded)


@pytest.fixture
def with_pdfs(recorded: Ledger) -> Ledger:
    books = unpublished(recorded, pdf=True)
    without_pages(books)
    return books


def writer(render: Callable[[Any], bytes]) -> Any:
    """Another writer of PDFs in place of ours, which takes its time."""
    module = SimpleNamespace(Unprintable=Unprintable, render=render)
    return patch.dict(sys.modules, {"pipeline.exports.invoice_pdf": module})


def unprintable(document: Any) -> bytes:
    raise Unprintable(f"{document.number} has strange characters")


def broken(document: Any) -> bytes:
    raise RuntimeError


def test_a_night_is_shown_once(books: Ledger, tmp_path: Path) -> None:
    made = publish.publish(books, tmp_path)
    assert made.written == [f"{FIRST}.xlsx", f"{SECOND}.xlsx", *FOLLOWING]
    assert made.warnings == []
    assert all((tmp_path / path).is_file() for path in made.written)
    assert publish.publish(books, tmp_path).written == []


def test_what_is_gone_comes_back_but_for_an_invoice_unless_all_is_made_again(
    books: Ledger, tmp_path: Path
) -> None:
    publish.publish(books, tmp_path)
    invoice = tmp_path / f"{FIRST}.xlsx"
    before = invoice.read_bytes()
    invoice.unlink()
    (tmp_path / "registers/2026-01.xlsx").unlink()
    assert publish.publish(books, tmp_path).written == ["registers/2026-01.xlsx"]
    assert publish.publish(books, tmp_path, pages=True).written == FOLLOWING
    assert not invoice.exists()
    again = publish.publish(books, tmp_path, everything=True)
    assert again.written == [f"{FIRST}.xlsx", f"{SECOND}.xlsx", *FOLLOWING]
    assert invoice.read_bytes() == before


def test_a_file_that_may_not_be_looked_at_counts_as_gone(tmp_path: Path) -> None:
    with patch("pathlib.Path.is_file", side_effect=PermissionError):
        assert not publish._is_file(tmp_path)


def test_no_more_files_wait_in_memory_than_are_written_at_a_time(
    books: Ledger, tmp_path: Path
) -> None:
    without_pages(books)
    sizes, write_new = [], press.write_new

    def counting(files: Any) -> Any:
        sizes.append(len(listed := list(files)))
        return write_new(listed)

    with (
        patch("pipeline.press.write_new", counting),
        patch("pipeline.publish.AT_A_TIME", 1),
    ):
        made = publish.publish(books, tmp_path)
    assert [size for size in sizes if size] == [1, 1]
    assert made.written[:2] == [f"{FIRST}.xlsx", f"{SECOND}.xlsx"]


def test_drafts_are_swept_where_files_are_made(books: Ledger, tmp_path: Path) -> None:
    without_pages(books)
    draft = tmp_path / "invoices/2026/01/.INV-000001.xlsx.part"
    draft.parent.mkdir(parents=True)
    draft.touch()
    publish.publish(books, tmp_path)
    assert not draft.exists()


def test_what_an_earlier_run_left_is_finished_once_and_told(
    books: Ledger, tmp_path: Path
) -> None:
    without_pages(books)
    run_id = books.value("select run_id from ledger.runs")
    assert publish.finish(books, tmp_path) == (
        f"Finished first what an earlier run left: bill {run_id}."
    )
    assert (tmp_path / f"{SECOND}.xlsx").is_file()
    assert publish.finish(books, tmp_path) == ""


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ([], "credit 2026-01-31-02"),
        (["CRN-000001"], "credit 2026-01-31-02 (CRN-000001)"),
        ([*"abcde"], "credit 2026-01-31-02 (a, b, c, d, e)"),
        ([*"abcdef"], "credit 2026-01-31-02 (6 documents)"),
    ],
)
def test_a_run_is_named_with_its_documents_where_they_are_few(
    numbers: list[str], said: str
) -> None:
    report = json.dumps({"numbers": numbers})
    run = {"command": "credit", "run_id": "2026-01-31-02", "report": report}
    assert publish._named(run) == said


def test_what_still_cannot_be_written_is_not_said_to_be_finished(
    books: Ledger, tmp_path: Path
) -> None:
    without_pages(books)
    (tmp_path / "invoices").touch()
    assert publish.finish(books, tmp_path) == ""


def test_what_cannot_be_noted_is_told_and_leaves_nothing_open(
    books: Ledger, tmp_path: Path
) -> None:
    without_pages(books)

    def full(ledger: Ledger, written: Any) -> None:
        ledger.connection.execute("begin")
        raise duckdb.IOException("full")

    with patch("pipeline.outbox.mark", full):
        (told,) = publish.publish(books, tmp_path).warnings
    assert told.startswith("what was published could not be noted (is the disk full?)")
    books.connection.execute("begin")
    books.connection.execute("rollback")


def test_a_pdf_lies_beside_its_workbook(with_pdfs: Ledger, tmp_path: Path) -> None:
    with writer(lambda document: document.number.encode()):
        made = publish.publish(with_pdfs, tmp_path)
    assert set(PDFS) <= set(made.written)
    assert (tmp_path / PDFS[1]).read_bytes() == b"INV-000002"


def test_a_pdf_that_cannot_be_made_is_told_and_made_later_without_its_workbook(
    with_pdfs: Ledger, tmp_path: Path
) -> None:
    with writer(broken):
        told = publish.publish(with_pdfs, tmp_path)
    assert told.warnings == [
        f"{path} could not be made (RuntimeError): see that the program is installed"
        " whole, then run `membill rebuild`"
        for path in PDFS
    ]
    with writer(lambda document: b"%PDF"):
        assert publish.publish(with_pdfs, tmp_path).written == PDFS


@pytest.mark.parametrize("night", [True, False])
def test_a_pdf_that_no_font_can_show_is_tried_until_a_night_has_said_so(
    night: bool, with_pdfs: Ledger, tmp_path: Path
) -> None:
    with writer(unprintable):
        told = publish.publish(
            with_pdfs, tmp_path, **({"withhold": True} if night else {})
        )
    assert told.warnings == [
        f"INV-00000{number} has strange characters, so that it has no PDF: send its"
        " workbook"
        for number in (1, 2)
    ]
    assert outbox.pending(with_pdfs) == ([] if night else PDFS)
    assert outbox.withheld(with_pdfs) == (set(PDFS) if night else set())


def test_an_import_file_is_made_once_and_again_only_if_it_is_asked_for(
    books: Ledger, tmp_path: Path
) -> None:
    without_pages(books)
    books.connection.execute("insert into ledger.outbox values (?, 1)", [IMPORT])
    file = tmp_path / IMPORT
    with patch("pipeline.publish.imports.render", return_value=b"x"):
        assert IMPORT in publish.publish(books, tmp_path).written
        file.unlink()
        assert publish.publish(books, tmp_path).written == []
        assert publish.publish_imports(books, tmp_path, [IMPORT]).written == [IMPORT]
        file.unlink()
        with patch("pipeline.publish.imports.forgotten", return_value={IMPORT}):
            publish.publish(books, tmp_path, everything=True)
        assert not file.exists()
        assert IMPORT in publish.publish(books, tmp_path, everything=True).written


def test_issues_alone_are_shown_of_a_night_that_was_refused(
    books: Ledger, tmp_path: Path
) -> None:
    night = accounts.night(books)
    assert night
    publish.publish_issues(tmp_path, night)
    assert [file.name for file in tmp_path.iterdir()] == ["issues.xlsx"]


def test_python_looks_for_circles_again_once_a_page_is_made() -> None:
    assert gc.isenabled()
    assert publish._made(lambda: str(gc.isenabled()).encode()) == b"False"
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        publish._made(lambda: bytes(1 // 0))
    assert gc.isenabled()


def test_what_stands_in_the_place_of_a_month_s_folder_holds_no_workbook(
    tmp_path: Path,
) -> None:
    month = tmp_path / "invoices/2026/03"
    month.mkdir(parents=True)
    (month / "INV-000001.xlsx").touch()
    (tmp_path / "invoices/2026/notes.txt").touch()
    assert published_paths(tmp_path) == {"invoices/2026/03/INV-000001.xlsx"}
