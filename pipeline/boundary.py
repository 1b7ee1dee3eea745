"""The boundary of a file: whatever reading one can raise becomes a plain message."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pipeline import crash
from pipeline.problems import Place, Problem, Severity
from pipeline.reading.sheets import Unusable


def refusal(place: Place, unusable: Unusable) -> Problem:
    """Why a file or sheet stops the night."""
    return Problem(
        Severity.STOPS, unusable.code, place, unusable.found, repair=unusable.repair
    )


@contextmanager
def file_boundary(place: Place, problems: list[Problem]) -> Iterator[None]:
    """Turn whatever goes wrong with one file into a problem in plain words.

    What a library said may hold patient data, so it goes into a private file instead.
    """
    try:
        yield
    except Unusable as unusable:
        problems.append(refusal(place, unusable))
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a reader in Rust panics with no Exception
        with suppress(OSError):
            crash.keep(error)
        found, repair = (
            "the file could not be read",
            ("open it, save it again, and see that nothing is missing"),
        )
        if isinstance(error, MemoryError):
            found, repair = (
                "there is not enough memory to read the file",
                ("remove what does not belong to the table, or give the machine more"),
            )
        problems.append(refusal(place, Unusable("unreadable", found, repair)))
