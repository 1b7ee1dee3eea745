"""PDFs beside the workbooks, and `membill pdf`: which are made, and made again the same."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import practice
from tests.practice import Result, member, run

FEBRUARY = "out/invoices/2026/02"


def pdfs(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("out/invoices/*/*/*.pdf"))


def pdf(folder: Path, *args: object) -> Result:
    return run("pdf", folder, *args)


@pytest.fixture(scope="module")
def nights(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict[str, tuple[Result, list[str]]]]:
    """Three nights and a credit note; what each said and which PDFs there then were.

    The setting is No, Yes, and No again. Typst is broken until the third night.
    """
    folder = tmp_path_factory.mktemp("pdf") / "clinic"
    practice.make(folder)
    told = {}
    with pytest.MonkeyPatch.context() as broken:
        for name in ("typst", "pipeline.exports.invoice_pdf"):
            broken.setitem(sys.modules, name, None)
        told["no"] = practice.bill(folder, "2026-02-01"), pdfs(folder)
        practice.set_to(folder, "PDF beside invoices", "Yes")
        practice.add(
            folder, "patients",
            member("P3", first_name="小明", last_name="王", start_date="2026-02-02"),
            member("P4", start_date="2026-02-02"),
        )  # fmt: skip
        done = practice.bill(folder, "2026-02-02", "--accept", "joined")
        told["broken"] = done, pdfs(folder)
        practice.set_to(folder, "PDF beside invoices", "No")
        said = ("--reason", "moved", "--by", "mm")
        done = run("credit", folder, "INV-000001", *said, today="2026-02-02")
        told["credit"] = done, pdfs(folder)
    practice.add(folder, "patients", member("P5", start_date="2026-02-03"))
    done = practice.bill(folder, "2026-02-03", "--accept", "joined")
    told["mended"] = done, pdfs(folder)
    return folder, told


@pytest.fixture
def clinic(
    nights: tuple[Path, dict[str, tuple[Result, list[str]]]], tmp_path: Path
) -> Iterator[Path]:
    """A copy of the practice after them, to be changed."""
    yield practice.copied(nights[0], tmp_path / "clinic")


def test_without_the_setting_no_pdf_is_made_and_typst_is_not_loaded(nights) -> None:
    done, made = nights[1]["no"]
    assert (done.code, done.err, made) == (0, "", [])


def test_a_night_that_cannot_make_them_bills_all_the_same(nights) -> None:
    for name, number in (("broken", "INV-000004"), ("credit", "CRN-000001")):
        done, made = nights[1][name]
        assert (done.code, made) == (0, [])
        assert (
            f"Warning: invoices/2026/02/{number}.pdf could not be made"
            " (ModuleNotFoundError); it will be made again by the next run" in done.err
        ), done.err


def test_each_run_goes_by_the_setting_that_it_had(nights) -> None:
    """What the second night and the credit note owed is made by one that makes none."""
    folder = nights[0]
    assert nights[1]["mended"][1] == ["CRN-000001", "INV-000004"]
    assert (folder / FEBRUARY / "INV-000005.xlsx").exists()


def test_a_name_that_no_font_has_leaves_a_document_without_pdf(nights) -> None:
    done, made = nights[1]["mended"]
    assert (
        "Warning: INV-000003 has characters that the fonts of the program lack, so that"
        " it has no PDF: send its workbook" in done.err
    ), done.err
    assert "王" not in done.err
    assert "INV-000003" not in made


def test_every_promise_holds(nights) -> None:
    done = run("verify", nights[0], "--deep")
    assert done.code == 0, done.out


def test_rebuild_makes_the_same_pdfs_again_and_no_others(clinic: Path) -> None:
    before = practice.files(clinic / "out/invoices")
    for file in (clinic / FEBRUARY).glob("*4.*"):
        file.unlink()
    done = run("rebuild", clinic)
    assert (done.code, done.err) == (0, "")
    assert practice.files(clinic / "out/invoices") == before


def test_verify_tells_of_a_pdf_that_was_changed(clinic: Path) -> None:
    file = clinic / FEBRUARY / "INV-000004.pdf"
    file.write_bytes(file.read_bytes() + b" ")
    done = run("verify", clinic)
    assert done.code == 4
    assert "invoices/2026/02/INV-000004.pdf was changed after it was made" in done.out


def test_the_command_makes_any_document_beside_its_workbook(clinic: Path) -> None:
    before = practice.files(clinic)
    done = pdf(clinic, "inv-000001", "CRN-000001", "INV-000001")
    assert (done.code, done.err) == (0, "")
    places = [
        clinic / FEBRUARY / f"{name}.pdf" for name in ("INV-000001", "CRN-000001")
    ]
    assert done.out.splitlines() == [str(place) for place in places]
    made = practice.files(clinic)
    assert made.keys() - before.keys() == {f"{FEBRUARY}/INV-000001.pdf"}
    assert before.items() <= made.items()
    assert places[0].read_bytes().startswith(b"%PDF")
    if sys.platform != "win32":
        assert places[0].stat().st_mode & 0o077 == 0
    assert run("verify", clinic, "--deep").code == 0


def test_the_command_makes_the_file_of_the_night_elsewhere(
    clinic: Path, tmp_path: Path
) -> None:
    to = tmp_path / "to send"
    assert pdf(clinic, "INV-000004", "--to", to).code == 0
    mine = (clinic / FEBRUARY / "INV-000004.pdf").read_bytes()
    assert (to / "INV-000004.pdf").read_bytes() == mine
    assert pdf(clinic, "INV-000004", "--to", to).code == 0, "it is there already"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("INV-5", "no invoice INV-5 has been made; did you mean INV-000005?"),
        ("5", "no invoice 5 has been made; did you mean INV-000005?"),
        ("inv-OOOOO5", "no invoice inv-OOOOO5 has been made; did you mean INV-000005?"),
        ("CRN-1", "no invoice CRN-1 has been made; did you mean CRN-000001?"),
        ("INV-000099", "no invoice INV-000099 has been made; see `membill invoices`"),
        ("last", "no invoice last has been made; see `membill invoices`"),
        (
            "INV-000003",
            "INV-000003 has characters that the fonts of the program lack; send its"
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
    taken = tmp_path / "INV-000002.pdf"
    taken.write_bytes(b"mine")
    done = pdf(nights[0], "INV-000001", "INV-000002", "--to", tmp_path)
    assert done.code == 2
    assert f"{taken} is already there and is another file" in done.err
    assert [file.name for file in tmp_path.iterdir()] == [taken.name]
    assert taken.read_bytes() == b"mine"


def test_the_practices_own_folders_take_no_pdf(nights) -> None:
    folder = nights[0]
    for to in (folder, folder / "ledger", folder / "out" / ".." / "pdf"):
        done = pdf(folder, "INV-000001", "--to", to)
        assert done.code == 2
        assert "lies among the practice's own files" in done.err
    assert not list(folder.rglob("INV-000001.pdf"))
