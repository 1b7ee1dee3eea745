"""Where files go: below their folder, for their owner alone, through no link."""

import errno
import os
import stat
from contextlib import nullcontext
from pathlib import Path

import pytest

from pipeline.files import (
    copy_file,
    give_name,
    inside,
    private_folder,
    sync_folder,
    write_bytes,
)
from pipeline.many_files import write_new
from tests import practice
from tests.practice import run


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "loop/x", "away/x"])
def test_a_file_that_would_lie_outside_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "away").symlink_to(tmp_path)
    with pytest.raises(OSError, match="link"):
        inside(folder, name)


def test_a_file_may_lie_in_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert inside(tmp_path / "out", "a/b/x") == tmp_path / "out/a/b/x"


def test_a_files_name_or_a_heading_that_is_no_text_is_told_so_that_it_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = practice.make(tmp_path / "clinic")
    rows = [row | {"\x1b[31mNote\n": "x"} for row in practice.read(clinic, "products")]
    practice.write(clinic, "products", rows)
    names = [*os.listdir(clinic), "patients copy \udcff\x1b[31m.csv"]
    monkeypatch.setattr(os, "listdir", lambda folder: names)
    done = run("check", clinic, "--as-of", "2026-02-08")
    assert (
        "patients copy ??[31m.csv: the file's name has characters that cannot be shown"
        in done.err
    )
    assert "[31mNote" in done.err and "\x1b" not in done.err
    assert done.code == 0


def test_every_folder_on_the_way_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        private_folder(tmp_path / "a/b/c")
        write_bytes(tmp_path / "a/x", b"x")
    finally:
        os.umask(before)
    modes = {
        stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/c")
    }
    assert modes == {0o700}
    assert stat.S_IMODE((tmp_path / "a/x").stat().st_mode) == 0o600


def test_out_may_be_a_link_to_another_disk_and_nothing_below_it_leads_away(
    tmp_path: Path,
) -> None:
    clinic = practice.make(tmp_path / "clinic")
    disk, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    disk.mkdir(0o700)
    elsewhere.mkdir(0o700)
    (clinic / "out").symlink_to(disk)
    (disk / "invoices").symlink_to(elsewhere)
    done = practice.bill(clinic, "2026-02-08")
    assert done.code == 0
    warned = (
        "invoices/2026/02/INV-000001.xlsx could not be written (a link leads out of"
    )
    assert warned in done.err
    assert not list(elsewhere.iterdir())
    assert (disk / "summary.html").exists()
    (disk / "invoices").unlink()
    assert run("rebuild", clinic).code == 0
    assert (disk / "invoices/2026/02/INV-000001.xlsx").exists()


def test_many_files_are_written_once_and_one_fault_harms_no_other(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/5").write_bytes(b"mine")
    (tmp_path / "wall").write_bytes(b"")
    names = [f"a/{number}" for number in range(12)] + ["wall/x", "b/y"]
    faults = write_new([(tmp_path / name, name.encode()) for name in names])
    assert {path: type(fault) for path, fault in faults.items()} == {
        tmp_path / "a/5": FileExistsError,
        tmp_path / "wall/x": NotADirectoryError,
    }
    assert (tmp_path / "a/5").read_bytes() == b"mine"
    whole = [name for name in names if tmp_path / name not in faults]
    assert all((tmp_path / name).read_bytes() == name.encode() for name in whole)
    assert len(list((tmp_path / "a").iterdir())) == 12, "no draft is left"


def test_no_file_has_its_name_before_all_are_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    sync = os.fsync

    def noting(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            seen.append(sorted(name for name in os.listdir(tmp_path) if name[0] != "."))
        sync(handle)

    monkeypatch.setattr(os, "fsync", noting)
    write_new([(tmp_path / name, b"x") for name in "abc"])
    assert seen == [[], [], []]
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]


@pytest.mark.parametrize("replace", [True, False])
def test_one_file_is_whole_on_disk_before_it_has_its_name(
    replace: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, list[str]]] = []

    def noting(handle: int) -> None:
        found = os.fstat(handle)
        names = [name for name in os.listdir(tmp_path) if name[0] != "."]
        seen.append((found.st_size if stat.S_ISREG(found.st_mode) else 0, names))

    monkeypatch.setattr(os, "fsync", noting)
    write_bytes(tmp_path / "a", b"xyz", replace=replace)
    assert seen == [(3, []), (0, ["a"])]
    assert os.listdir(tmp_path) == ["a"], "no draft is left"


def _no_links(*_: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_is_there_already_is_left_alone(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also on a memory card, which knows no links."""
    if not links:
        monkeypatch.setattr(os, "link", _no_links)
    write_bytes(tmp_path / "a", b"mine", replace=False)
    with pytest.raises(FileExistsError):
        write_bytes(tmp_path / "a", b"other", replace=False)
    assert (tmp_path / "a").read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["a"], "no draft is left"


def test_whoever_puts_a_folder_on_disk_lets_go_of_it(tmp_path: Path) -> None:
    def lowest_free() -> int:
        free = os.dup(0)
        os.close(free)
        return free

    before = lowest_free()
    sync_folder(tmp_path)
    assert lowest_free() == before


@pytest.mark.parametrize("number, said", [(errno.EINVAL, 0), (errno.EIO, 1)])
def test_a_share_whose_folders_cannot_be_synced_takes_files_all_the_same(
    number: int, said: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", sync)
    with pytest.raises(OSError) if said else nullcontext():
        write_bytes(tmp_path / "file", b"x")
    assert (tmp_path / "file").read_bytes() == b"x"


def test_a_full_disk_leaves_neither_file_nor_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    faults = write_new([(tmp_path / name, b"x") for name in "ab"])
    assert [fault.errno for fault in faults.values()] == [errno.ENOSPC] * 2
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "number, taken, raised",
    [
        (errno.EPERM, False, None),
        (errno.EOPNOTSUPP, False, None),
        (errno.EPERM, True, FileExistsError),
        (errno.EIO, False, OSError),
        (errno.ENOSPC, False, OSError),
    ],
)
def test_only_where_there_are_no_links_is_a_name_given_by_renaming(
    number: int,
    taken: bool,
    raised: type[OSError] | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def link(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", link)
    draft, path = tmp_path / ".draft", tmp_path / "file"
    draft.write_bytes(b"x")
    if taken:  # by a link that leads nowhere
        path.symlink_to(tmp_path / "gone")
    with pytest.raises(raised) if raised else nullcontext():
        give_name(draft, path)
    assert path.is_file() == (raised is None)
    assert draft.exists() == (raised is not None)


def test_a_copied_file_is_private_and_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, int]] = []

    def sync(handle: int) -> None:
        found = os.fstat(handle)
        synced.append((found.st_ino, found.st_size))

    monkeypatch.setattr(os, "fsync", sync)
    (tmp_path / "one").write_bytes(b"whole")
    copy_file(tmp_path / "one", tmp_path / "two")
    made = (tmp_path / "two").stat()
    assert stat.S_IMODE(made.st_mode) == 0o600
    assert (made.st_ino, 5) in synced
