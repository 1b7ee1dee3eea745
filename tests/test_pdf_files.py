"""PDFs beside the workbooks, and `membill pdf`: which are made, and made again the same."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import practice
from tests.practice import Result, run

FEBRUARY = "out/invoices/2026/02"


def pdfs(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("out/invoices/*/*/*.pdf"))


def pdf(folder: Path, *args: object) -> Result:
    return run("pdf", folder, *args)


@contextmanager
def broken_typst() -> Iterator[None]:
    """Typst cannot be loaded meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("typst", "pipeline.exports.invoice_pdf"):
            patch.setitem(sys.modules, name, None)
        yield


@pytest.fixture(scope="module")
def nights(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Result, Result]:
    """A night with the setting, one of its payers a name that no font has; one without."""
    folder = practice.make(tmp_path_factory.mktemp("pdf") / "clinic")
    practice.set_to(folder, "PDF beside invoices", "Yes")
    hanzi = {"First name": "小明", "Last name": "王"}
    practice.change(folder, "patients", "P2", hanzi)
    first = practice.bill(folder, "2026-02-01")
    practice.set_to(folder, "PDF beside invoices", "No")
    with broken_typst():
        second = practice.bill(folder, "2026-02-28", "--accept", "date")
    return folder, first, second


@pytest.fixture
def clinic(nights: tuple[Path, Result, Result], tmp_path: Path) -> Path:
    """A copy of the practice after them, to be changed."""
    return practice.copied(nights[0], tmp_path / "clinic")


def test_a_night_with_the_setting_makes_a_pdf_of_each_document(nights) -> None:
    folder, first, _ = nights
    assert first.code == 0
    assert pdfs(folder) == ["INV-000001"]


def test_a_night_without_the_setting_makes_none_and_does_not_load_typst(nights) -> None:
    folder, _, second = nights
    assert (second.code, second.err) == (0, "")
    assert (folder / FEBRUARY / "INV-000003.xlsx").exists()


def test_a_name_that_no_font_has_leaves_a_document_without_pdf(nights) -> None:
    _, first, _ = nights
    assert first.err == (
        "Warning: INV-000002 has characters that the fonts of the program lack, so that"
        " it has no PDF: send its workbook\n"
    )


def test_pdfs_that_cannot_be_made_harm_nothing_and_are_made_later(clinic: Path) -> None:
    made = practice.files(clinic / "out/invoices")
    for file in (clinic / FEBRUARY).iterdir():
        file.unlink()
    with broken_typst():
        done = run("rebuild", clinic)
    assert done.code == 4
    assert done.err == (
        "Warning: invoices/2026/02/INV-000001.pdf could not be made"
        " (ModuleNotFoundError): see that the program is installed whole, then run"
        " `membill rebuild`\n"
    )
    assert pdfs(clinic) == []
    done = run("rebuild", clinic)
    assert (done.code, done.err) == (0, "")
    assert practice.files(clinic / "out/invoices") == made


def test_every_promise_holds(nights) -> None:
    done = run("verify", nights[0], "--deep")
    assert done.code == 0, done.out


def test_verify_tells_of_a_pdf_that_was_changed(clinic: Path) -> None:
    file = clinic / FEBRUARY / "INV-000001.pdf"
    file.write_bytes(file.read_bytes() + b" ")
    done = run("verify", clinic)
    assert done.code == 4
    assert "invoices/2026/02/INV-000001.pdf was changed after it was made" in done.out


def test_the_command_makes_any_document_beside_its_workbook(clinic: Path) -> None:
    before = practice.files(clinic)
    done = pdf(clinic, "inv-000003", "INV-000001", "INV-000003")
    assert (done.code, done.err) == (0, "")
    places = [
        clinic / FEBRUARY / f"INV-{number}.pdf" for number in ("000003", "000001")
    ]
    assert done.out.splitlines() == [str(place) for place in places]
    made = practice.files(clinic)
    assert made.keys() - before.keys() == {f"{FEBRUARY}/INV-000003.pdf"}
    assert before.items() <= made.items()
    assert places[0].read_bytes().startswith(b"%PDF")
    assert os.name == "nt" or places[0].stat().st_mode & 0o077 == 0


def test_the_command_makes_the_file_of_the_night_elsewhere(
    clinic: Path, tmp_path: Path
) -> None:
    to = tmp_path / "to send"
    assert pdf(clinic, "INV-000001", "--to", to).code == 0
    mine = (clinic / FEBRUARY / "INV-000001.pdf").read_bytes()
    assert (to / "INV-000001.pdf").read_bytes() == mine
    assert pdf(clinic, "INV-000001", "--to", to).code == 0, "it is there already"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("INV-3", "no invoice INV-3 has been made; did you mean INV-000003?"),
        ("inv-OOOOO3", "no invoice inv-OOOOO3 has been made; did you mean INV-000003?"),
        ("INV-000099", "no invoice INV-000099 has been made; see `membill invoices`"),
        ("last", "no invoice last has been made; see `membill invoices`"),
        (
            "INV-000002",
            "INV-000002 has characters that the fonts of the program lack; send its"
            " workbook",
        ),
    ],
)
def test_what_cannot_be_made_is_said_and_nothing_is_written(
    nights, tmp_path: Path, typed: str, said: str
) -> None:
    done = pdf(nights[0], "INV-000001", typed, "--to", tmp_path)
    assert done.code == 2
    assert f"Error: {said}\n" in done.err
    assert not list(tmp_path.iterdir())


def test_another_file_of_the_name_is_left_alone(nights, tmp_path: Path) -> None:
    taken = tmp_path / "INV-000003.pdf"
    taken.write_bytes(b"mine")
    done = pdf(nights[0], "INV-000001", "INV-000003", "--to", tmp_path)
    assert done.code == 2
    assert f"{taken} is already there and is another file" in done.err
    assert [file.name for file in tmp_path.iterdir()] == [taken.name]
    assert taken.read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["a", "a/b"])
def test_a_folder_is_made_where_the_one_above_it_is_there(
    nights, tmp_path: Path, name: str
) -> None:
    done = pdf(nights[0], "INV-000001", "--to", tmp_path / name)
    if name == "a":
        assert done.code == 0
        return
    assert done.code == 2
    assert f"there is no folder {tmp_path / 'a'}; make it, or name another" in done.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [".", "ledger", "out/../pdf"])
def test_the_practices_own_folders_take_no_pdf(nights, name: str) -> None:
    done = pdf(nights[0], "INV-000003", "--to", nights[0] / name)
    assert done.code == 2
    assert "lies among the practice's own files" in done.err
    assert not list(nights[0].rglob("INV-000003.pdf"))
