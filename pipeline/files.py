"""Files that appear whole or not at all, readable by their owner alone."""

import errno
import os
import shutil
import tempfile
from pathlib import Path

DRAFT = ".part"  # how the name of a file ends that is not whole yet


def private_folder(folder: Path) -> Path:
    """Make a folder, and those above it that are missing, for the owner alone."""
    # `mkdir` gives its mode to the last folder alone.
    missing = [above for above in folder.parents if not above.exists()]
    try:
        for above in [*reversed(missing), folder]:
            above.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        reason = os.strerror(errno.ENOTDIR)
        raise NotADirectoryError(errno.ENOTDIR, reason, str(folder)) from None
    return folder


def private_file(path: str, flags: int) -> int:
    """For `open`: a file that is its owner's alone from the moment it is there."""
    return os.open(path, flags, 0o600)


def sweep(folder: Path) -> None:
    """Remove the drafts that a killed run left in a folder; the caller holds the lock."""
    for draft in folder.glob(f".*{DRAFT}*"):
        draft.unlink(missing_ok=True)


def inside(folder: Path, name: str) -> Path:
    """The place of a file below a folder; OSError where that would lie outside.

    The folder may be a link to another disk. Below it no link may lead away.
    """
    place = folder / name
    try:
        leads_away = not place.parent.resolve().is_relative_to(folder.resolve())
    except RuntimeError:  # a loop of links
        leads_away = True
    if leads_away:
        raise OSError(errno.EXDEV, "a link leads out of the folder", str(place))
    return place


def holds(path: Path, content: bytes) -> bool:
    """Whether a file is there and is just this."""
    try:
        return path.read_bytes() == content
    except OSError:
        return False


def sync_folder(folder: Path) -> None:
    """Put a folder's entries on disk; does nothing where folders cannot be synced."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # of some network shares
            raise
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes, *, replace: bool = True) -> None:
    """Write a file under another name in its folder, then give it its own.

    With `replace=False` a file that is already there is left alone (FileExistsError).
    """
    private_folder(path.parent)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=DRAFT)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(draft, path)
        else:
            give_name(Path(draft), path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


# What shares and memory cards answer that have no links.
_NO_LINKS = {
    errno.EPERM, errno.EINVAL, errno.EMLINK, errno.ENOSYS, errno.ENOTSUP,
    errno.EOPNOTSUPP,
}  # fmt: skip


def give_name(draft: Path, path: Path) -> None:
    """Give a file its name unless the name is taken; FileExistsError if it is."""
    try:
        os.link(draft, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(path):  # look, then rename
            raise FileExistsError(str(path)) from None
        os.replace(draft, path)
        return
    draft.unlink()


def copy_file(source: Path, target: Path) -> None:
    """Copy a file for the owner alone; it is on disk when this returns."""
    shutil.copyfile(source, target)
    target.chmod(0o600)
    with open(target, "r+b") as file:  # Windows syncs what it may write
        os.fsync(file.fileno())


def write_text(path: Path, content: str) -> None:
    """`write_bytes` for text in UTF-8."""
    write_bytes(path, content.encode("utf-8"))
