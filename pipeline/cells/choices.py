"""Columns with words to choose from."""

import difflib
import re

from pipeline.cells.answers import (
    NOUNS,
    Kind,
    Parsed,
    fixed,
    held,
    how_to_write,
    wrong_kind,
)
from pipeline.cells.spelling import canonical, show
from schemas.columns import Column

_TICKS = {"✓": True, "✔": True, "☑": True, "✅": True}
_ANSWERS = {"y": True, "true": True, "1": True, "n": False, "false": False, "0": False}
_ANSWERS |= _TICKS
# Every two months, half a year, 12 months: like a word offered, and something else.
_ELSE = re.compile("[0-9]|^(?:bi|half|semi|quarter)")


def _yesno(text: str, column: Column) -> Parsed:
    word = text.casefold().rstrip("\ufe0f")
    if word in ("yes", "no"):
        return Parsed(word == "yes")
    if word in _ANSWERS:
        return _answer(_ANSWERS[word], text)
    undecided = "yes" in word and "no" in word
    near = [] if undecided else difflib.get_close_matches(word, ("yes", "no"), n=1)
    hint = f" (did you mean {near[0].capitalize()}?)" if near else ""
    found = f"{show(text)} is not {NOUNS['yesno']}"
    return held("not-yesno", found, f"{how_to_write(column)}{hint}")


def _answer(value: bool, shown: str) -> Parsed:
    found = f"{shown} is read as {'Yes' if value else 'No'}"
    return fixed(value, "yesno-synonym", found)


def _yesno_number(value: float, column: Column) -> Parsed:
    if value not in (0, 1):
        return wrong_kind(value, column)
    return _answer(bool(value), show(value))


def _yesno_truth(value: bool, column: Column) -> Parsed:
    return _answer(value, show(value))


def _choice(text: str, column: Column) -> Parsed:
    chosen = choice_of(text, column)
    if chosen is None:
        return _no_choice(text, column)
    if chosen.casefold() == text.casefold():
        return Parsed(chosen)
    return fixed(chosen, "choice-synonym", f"{text} is read as {chosen}")


def choice_of(text: str, column: Column) -> str | None:
    """The word offered that is meant, by itself or by a synonym."""
    word = canonical(text)
    for offered, synonyms in column.choices.items():
        if word in map(canonical, (offered, *synonyms)):
            return offered
    return None


def _no_choice(value: object, column: Column) -> Parsed:
    """Not a word offered, with the nearest one where one is near."""
    meant = {word.casefold(): word for word in column.choices}
    for offered, synonyms in column.choices.items():
        meant |= {synonym: offered for synonym in synonyms if len(synonym) > 2}
    word = show(value).casefold()
    near = [] if _ELSE.search(word) else difflib.get_close_matches(word, meant, n=1)
    hint = f" (did you mean {meant[near[0]]}?)" if near else ""
    found = f"{show(value)} is not one of the words offered"
    return held("not-choice", found, f"{how_to_write(column)}{hint}")


YESNO = Kind(_yesno, _yesno_number, truth=_yesno_truth)
CHOICE = Kind(_choice, _no_choice, truth=_no_choice)
