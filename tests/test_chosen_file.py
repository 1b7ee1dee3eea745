"""Where a file goes that somebody chose a place for: never among, never over, others."""

import os
from pathlib import Path

import pytest

from pipeline.files import private_folder
from pipeline.office.chosen_file import (
    WrongPlace,
    must_be_free,
    must_take_files,
    write_beside,
    write_chosen,
)


@pytest.fixture(params=["out", "out on another disk"])
def practice(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A practice with links in its `out/`: into it, out of it, and in a circle."""
    folder, out = tmp_path / "clinic", tmp_path / "clinic/out"
    if request.param == "out":
        private_folder(out)
    else:
        private_folder(folder)
        out.symlink_to(private_folder(tmp_path / "disk/out"))
    for name in ("clinic/ledger", "clinic/out/data", "else"):
        private_folder(tmp_path / name)
    (out / "in").symlink_to("data")
    (out / "away").symlink_to(tmp_path / "else")
    (out / "to the ledger").symlink_to(folder / "ledger")
    (out / "round").symlink_to("round")
    (tmp_path / "into").symlink_to(folder)
    (tmp_path / "spelled").symlink_to(tmp_path)
    (folder / "sheets").symlink_to(tmp_path / "else")
    return folder


AMONG, BEHIND = "lies among the practice's own files", "lies behind a link that leads"
PLACES = {
    "out": "",
    "out/data": "",
    "out/new": "",
    "out/in": "",
    "out/in/deeper": "",
    "../else": "",
    "../new": "",
    "out/round": "",
    ".": AMONG,
    "ledger": AMONG,
    "ledger/new": AMONG,
    "out/to the ledger": AMONG,
    "../into": AMONG,
    "../into/ledger": AMONG,
    "out/away": BEHIND,
    "out/away/new": BEHIND,
    "../into/out/away": BEHIND,
    "../spelled/clinic/out/away": BEHIND,
    # Named by a link that is not in `out/`: a set-up of the office's own.
    "sheets": "",
}


@pytest.mark.parametrize(("name", "said"), PLACES.items(), ids=PLACES)
def test_a_folder_takes_files_or_says_why_not(
    name: str, said: str, practice: Path
) -> None:
    place = practice / name
    if not said:
        must_take_files(practice, place)
        return
    with pytest.raises(WrongPlace, match=said):
        must_take_files(practice, place)


FILES = {
    "out/coming.xlsx": "",
    "../coming.xlsx": "",
    "out/Invoices.xlsx": AMONG,
    "out/data/coming.xlsx": AMONG,
    "patients.xlsx": AMONG,
    "out/away/coming.xlsx": BEHIND,
    "out/coming.csv": "does not end in .xlsx",
    "out/none/coming.xlsx": "there is no folder",
    "out/round/coming.xlsx": "there is no folder",
}


@pytest.mark.parametrize(("name", "said"), FILES.items(), ids=FILES)
def test_a_workbook_is_taken_or_it_is_said_why_not(
    name: str, said: str, practice: Path
) -> None:
    if not said:
        must_be_free(practice, practice / name)
        return
    with pytest.raises(WrongPlace, match=said):
        must_be_free(practice, practice / name)


def test_what_lies_in_out_is_made_anew_and_nothing_elsewhere(practice: Path) -> None:
    inside, outside = practice / "out/coming.xlsx", practice.parent / "coming.xlsx"
    for content in (b"first", b"second"):
        write_chosen(practice, inside, content)
        assert inside.read_bytes() == content
    for _ in range(2):
        write_chosen(practice, outside, b"first")
    with pytest.raises(WrongPlace) as refused:
        write_chosen(practice, outside, b"second")
    assert str(refused.value) == (
        f"{outside} is already there and is another file; name another place, or take it"
        " away"
    )
    assert outside.read_bytes() == b"first"


def test_of_several_files_all_are_written_or_none(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.write_bytes(b"mine")
    with pytest.raises(WrongPlace):
        write_beside([(first, b"a"), (second, b"b")])
    assert os.listdir(tmp_path) == ["second"]
    write_beside([(first, b"a"), (second, b"mine")])
    assert (first.read_bytes(), second.read_bytes()) == (b"a", b"mine")


def test_a_link_that_leads_nowhere_is_a_file_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(WrongPlace):
        write_beside([(tmp_path / "link", b"a")])
    assert os.listdir(tmp_path) == ["link"]


def test_what_is_said_of_a_place_says_what_would_do(practice: Path) -> None:
    said = []
    for name in ("ledger", "out/away"):
        with pytest.raises(WrongPlace) as refused:
            must_take_files(practice, practice / name)
        said.append(str(refused.value))
    assert said == [
        f"{practice / 'ledger'} lies among the practice's own files; name one in"
        f" {practice / 'out'} or outside the practice folder",
        f"{practice / 'out/away'} lies behind a link that leads out of"
        f" {practice / 'out'}; take the link away, or name the place itself",
    ]
