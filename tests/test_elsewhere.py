"""Tables of the contract in the wrong place are told; the office's own files are not."""

from pathlib import Path

import pytest
from openpyxl import Workbook

from pipeline.reading import elsewhere
from pipeline.reading.elsewhere import in_other_files
from pipeline.workbooks import grid_of, read_practice

REQUESTS = [
    ["Request ID", "Patient ID", "Product code", "Requested on", "Requested by"],
    ["R1", "P1", "CONSULT", "2026-02-05", "dd"],
]
MOVE = (
    "this sheet is read in invoice_requests.xlsx only; here it was not; move it to"
    " invoice_requests.xlsx or save it as invoice_requests.csv; if it is for the office"
    " alone, give it another title"
)
RENAME = (
    "this has the headings of Invoice requests, but no file of the practice has this"
    " name; it was not read; rename it to invoice_requests.csv if it belongs here, or"
    " move it out of the folder"
)


def saved(path: Path, title: str, rows: list[list[str]]) -> None:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)


def told(folder: Path) -> list[str]:
    found = read_practice(folder).problems
    return [f"{p.severity}: {p}" for p in found if p.code != "file-missing"]


@pytest.mark.parametrize("name", ["extras.xlsx", "sent_log.xlsx", "extras.XLSM"])
def test_a_sheet_in_the_wrong_workbook_is_told(tmp_path: Path, name: str) -> None:
    saved(tmp_path / name, "Invoice Requests", REQUESTS)
    assert told(tmp_path) == [f"Check: {name}: Invoice Requests: {MOVE}"]


@pytest.mark.parametrize("name", ["rota.xlsx", "sent_log.xlsx"])
@pytest.mark.parametrize(
    ("title", "rows"),
    [
        pytest.param("Requests", REQUESTS, id="a title of the office's own"),
        pytest.param("Invoice requests", REQUESTS[:1], id="no row below the headings"),
        pytest.param("Staff", [["Who", "When"], ["Di", "Monday"]], id="other headings"),
    ],
)
def test_a_sheet_of_the_office_is_left_alone(
    tmp_path: Path, name: str, title: str, rows: list[list[str]]
) -> None:
    saved(tmp_path / name, title, rows)
    found = read_practice(tmp_path).problems
    assert [p for p in found if p.code == "sheet-elsewhere"] == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_file_with_the_headings_of_a_sheet_is_told(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    text = "".join(separator.join(row) + "\r\n" for row in REQUESTS)
    (tmp_path / "extras.csv").write_bytes(text.encode(encoding))
    assert told(tmp_path) == [f"Check: extras.csv: {RENAME}"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("Code,Name\nA,Ann\n", id="a few headings"),
        pytest.param(
            ",".join(REQUESTS[0]) + "\n,,,,\n", id="no row below the headings"
        ),
        pytest.param(",".join([*REQUESTS[0], "Room"]) + "\nR1\n", id="another heading"),
        pytest.param('"' + "x" * 200_000, id="a cell without end"),
        pytest.param("\0\0\n\0", id="no text"),
    ],
)
def test_a_csv_file_of_the_office_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "extras.csv").write_text(text)
    assert told(tmp_path) == []


def test_a_file_that_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "rota.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "letters.xlsx").mkdir()
    (tmp_path / "away.csv").symlink_to("/nowhere")
    (tmp_path / "old.xlsx.bak").write_bytes(b"")
    assert told(tmp_path) == []


def test_a_large_workbook_of_another_name_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "extras.xlsx", "Invoice requests", REQUESTS)
    assert len(in_other_files(tmp_path, ["extras.xlsx"], grid_of)) == 1
    monkeypatch.setattr(elsewhere, "LARGEST", 1_000)
    assert in_other_files(tmp_path, ["extras.xlsx"], grid_of) == []
