"""Did you mean: the known word that a mistyped one is most like."""

from collections.abc import Mapping
from difflib import get_close_matches

from pipeline.cells import canonical
from pipeline.ledger import Ledger


def meant(typed: str, known: Mapping[str, str]) -> str:
    """A hint to end a message with, "; did you mean GOLD?"; "" where none is near.

    `known` maps each spelling, as `canonical` folds it, to the word to write.
    """
    near = get_close_matches(canonical(typed), list(known), n=1)
    return f"; did you mean {known[near[0]]}?" if near else ""


def users(ledger: Ledger) -> dict[str, str]:
    """The users whose word counts tonight, by user name and by their own name."""
    rows = ledger.rows('select "user", name from staged.judging_staff where active')
    named = {canonical(row["name"]): row["user"] for row in rows if row["name"]}
    return named | {canonical(row["user"]): row["user"] for row in rows}
