"""pandera as `pa`, without the libraries that it imports where it finds them.

Dask (for groups of practices) and hypothesis (for the tests) serve none of its checks
here, and take a third of a command's start.
"""

from schemas.hiding import hidden

__all__ = ["pa"]

with hidden("dask", "hypothesis"):
    # Else the first validation imports them, and what they look for.
    import pandera.backends.pandas.builtin_checks
    import pandera.pandas as pa
    import pandera.typing.dask  # noqa: F401
