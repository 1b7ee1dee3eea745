"""Memory that is needed no more, given back before a stage that needs much of its own."""

import ctypes
import gc
from contextlib import suppress


def give_back() -> None:
    """Let the system have what was freed; does nothing where its library cannot.

    The C library keeps what Python and Arrow have freed for the next time that they ask;
    DuckDB asks elsewhere, and a large night would need room for both.
    """
    gc.collect()
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
