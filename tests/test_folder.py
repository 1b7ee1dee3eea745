"""Which file of a practice folder answers for which sheet, and reading it once."""

import os
import stat
from itertools import chain, count, repeat
from pathlib import Path

import pytest

from pipeline.reading import folder as subject
from pipeline.reading.folder import list_practice, read_bytes
from pipeline.reading.sheets import Unusable

NEIGHBOURS = [
    pytest.param(
        "~$patients.xlsx",
        "Check patients.xlsx: someone has the file open; the copy last saved was read;"
        " save and close it before the night",
        id="Excel has it open",
    ),
    pytest.param(
        ".~lock.patients.xlsx#",
        "Check patients.xlsx: someone has the file open; the copy last saved was read;"
        " save and close it before the night",
        id="LibreOffice has it open",
    ),
    pytest.param("~$notes.xlsx", "", id="another file is open"),
    *(
        pytest.param(
            name,
            f"Stops the night patients.xlsx: patients.xlsx and {name} stand side by"
            " side and only one can be the right one; keep the right one and move the"
            " other out of the folder",
            id=f"{name} is a conflict copy",
        )
        for name in (
            "patients (1).xlsx",
            "patients(2).xlsx",
            "patients-DESKTOP-7QK2.xlsx",
            "patients-Mos-MacBook.xlsx",
            "patients (Mo's conflicted copy 2026-03-04).xlsx",
            "patients.sync-conflict-20260304-101112-ABC.xlsx",
        )
    ),
    *(
        pytest.param(
            name,
            f"Check {name}: the file stands beside patients.xlsx and was not read;"
            " move copies out of the practice folder",
            id=f"{name} is a copy",
        )
        for name in (
            "Copy of patients.xlsx",
            "patients - Copy.xlsx",
            "patients - Copy (2).xlsx",
            "patients v2 FINAL.xlsx",
            "patients-old.xlsx",
            "patients_2025.xlsx",
            "patients.bak",
            "patients.xlsx.bak",
            "patients (1).xlsx.bak",
            "patients.ods",
            "patients.xls",
        )
    ),
    pytest.param(
        "patients - problems marked 2026-03-31.xlsx", "", id="our own marked copy"
    ),
    pytest.param("rota.xlsx", "", id="a workbook of another kind"),
    pytest.param("patients.docx", "", id="a letter"),
    pytest.param(
        "contract_price.csv",
        "Check contract_price.csv: no file of the practice has this name; it was not"
        " read; rename it to contract_prices.csv if it belongs here",
        id="a name misspelt",
    ),
    pytest.param(
        "sent_log.csv",
        "Check sent_log.csv: no file of the practice has this name; it was not read;"
        " rename it to sent.csv if it belongs here",
        id="a CSV file with the workbook's name",
    ),
    pytest.param(
        "contacts.xlsx",
        "Check contacts.xlsx: no file of the practice has this name; it was not read;"
        " move its sheet into patients.xlsx or save it as contacts.csv if it belongs"
        " here",
        id="a workbook with a sheet's name",
    ),
]


@pytest.mark.parametrize(("name", "message"), NEIGHBOURS)
def test_what_stands_beside_a_file_is_told(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "patients.xlsx").touch()
    (tmp_path / name).touch()
    listing = list_practice(tmp_path)
    assert [f"{p.severity} {p}" for p in listing.problems] == [message] * bool(message)
    assert listing.workbooks == {"patients": "patients.xlsx"}


@pytest.mark.parametrize(
    ("name", "workbooks", "texts"),
    [
        ("Patients.XLSX", {"patients": "Patients.XLSX"}, {}),
        ("sent log.xlsx", {"sent_log": "sent log.xlsx"}, {}),
        ("Tax Codes.csv", {}, {"tax_codes": "Tax Codes.csv"}),
        ("contract-prices.CSV", {}, {"contract_prices": "contract-prices.CSV"}),
    ],
)
def test_names_match_whatever_their_case_and_spaces(
    tmp_path: Path, name: str, workbooks: dict[str, str], texts: dict[str, str]
) -> None:
    (tmp_path / name).touch()
    listing = list_practice(tmp_path)
    assert (listing.workbooks, listing.texts) == (workbooks, texts)
    assert listing.problems == []


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "patients.xlsx").touch()
    (tmp_path / "patients.xlsm").touch()
    listing = list_practice(tmp_path)
    assert listing.workbooks == {}
    assert listing.refused == {"patients"}
    assert [str(problem) for problem in listing.problems] == [
        "patients.xlsm: patients.xlsm and patients.xlsx stand side by side and only one"
        " can be the right one; keep the right one and move the other out of the folder"
    ]


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert [str(p) for p in list_practice(tmp_path / "none").problems] == [
        f"{tmp_path / 'none'}: there is no such folder; name the practice folder"
    ]
    assert [str(p) for p in list_practice(tmp_path / "file").problems] == [
        f"{tmp_path / 'file'}: this is no folder; name the folder that holds the"
        " workbooks"
    ]


def refusal(folder: Path, name: str = "patients.xlsx") -> str:
    with pytest.raises(Unusable) as refused:
        read_bytes(folder, name)
    return refused.value.found


def test_a_pipe_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "patients.xlsx")
    assert refusal(tmp_path) == "this is a pipe and no file"


def test_a_folder_in_a_file_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "patients.xlsx").mkdir()
    assert refusal(tmp_path) == "this is a folder and no file"


def test_a_device_is_refused() -> None:
    assert refusal(Path("/dev"), "null") == "this is a device and no file"


def test_links_are_followed_inside_the_folder_only(tmp_path: Path) -> None:
    practice = tmp_path / "practice"
    (practice / "kept").mkdir(parents=True)
    (practice / "kept" / "real.xlsx").write_bytes(b"inside")
    (tmp_path / "outside.xlsx").write_bytes(b"outside")
    (practice / "patients.xlsx").symlink_to("kept/real.xlsx")
    (practice / "products.xlsx").symlink_to(tmp_path / "outside.xlsx")
    (practice / "settings.xlsx").symlink_to("nowhere")
    (practice / "sent_log.xlsx").symlink_to("sent_log.xlsx")
    assert read_bytes(practice, "patients.xlsx") == b"inside"
    assert refusal(practice, "products.xlsx") == (
        "this is a link to a place outside the practice folder"
    )
    assert refusal(practice, "settings.xlsx") == "this is a link that leads nowhere"
    assert refusal(practice, "sent_log.xlsx") == "this is a link that leads nowhere"


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject, "LARGEST_FILE", 1024 * 1024)
    (tmp_path / "patients.xlsx").write_bytes(b" " * (1024 * 1024 + 1))
    assert refusal(tmp_path) == "the file is larger than 1 MB"


def test_a_file_that_keeps_changing_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "patients.xlsx").write_bytes(b"a")
    tries = count()

    def growing(_: int) -> os.stat_result:
        return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, next(tries), 0, 0, 0))

    monkeypatch.setattr(subject.os, "fstat", growing)
    monkeypatch.setattr(subject.time, "sleep", lambda _: None)
    assert refusal(tmp_path) == "the file is being changed while it is read"


def test_a_file_that_comes_to_rest_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "patients.xlsx").write_bytes(b"ab")
    sizes = chain([1], repeat(2))

    def settling(_: int) -> os.stat_result:
        return os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, next(sizes), 0, 0, 0))

    monkeypatch.setattr(subject.os, "fstat", settling)
    monkeypatch.setattr(subject.time, "sleep", lambda _: None)
    assert read_bytes(tmp_path, "patients.xlsx") == b"ab"


def test_a_file_without_the_right_to_read_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "patients.xlsx").touch()

    def forbidden(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(subject.os, "open", forbidden)
    assert refusal(tmp_path) == "the account that runs the night may not read the file"
