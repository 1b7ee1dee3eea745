"""pandera as `pa`, without the libraries that it imports where it finds them.

Dask (for groups of practices) and hypothesis (for the tests) serve none of its checks
here, and take a third of a command's start.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["pa"]


@contextmanager
def _hidden(*libraries: str) -> Iterator[None]:
    """Imports of these find nothing meanwhile; what is imported already stays so."""
    hidden = [name for name in libraries if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _hidden("dask", "hypothesis"):
    # Else the first validation imports them, and what they look for.
    import pandera.backends.pandas.builtin_checks
    import pandera.pandas as pa
    import pandera.typing.dask  # noqa: F401
