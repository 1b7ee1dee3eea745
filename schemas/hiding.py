"""Libraries that others import where they find them, and that cost more than they serve."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder


class _Hiding(MetaPathFinder):
    """Asked before anybody else where a library is, says that there is none.

    None in `sys.modules` would say so too, but pyarrow takes that for pandas.
    """

    def __init__(self, names: tuple[str, ...]):
        self.names = names

    def find_spec(self, name: str, *_: object) -> None:
        if name in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def hidden(*libraries: str) -> Iterator[None]:
    """Imports of these find nothing meanwhile; what is imported already stays so."""
    hiding = _Hiding(libraries)
    # New lists: whoever goes through the old one meanwhile leaves nobody out.
    sys.meta_path = [hiding, *sys.meta_path]
    try:
        yield
    finally:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not hiding]
