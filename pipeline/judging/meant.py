"""Did you mean: the known word that a mistyped one is most like."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from pipeline.cells.spelling import canonical, show
from pipeline.ledger import Ledger


def meant(typed: str, known: Mapping[str, str]) -> str:
    """A hint to end a message with, "; did you mean GOLD?"; "" where none is near.

    `known` maps each spelling, as `canonical` folds it, to the word to write.
    """
    near = get_close_matches(canonical(typed), list(known), n=1)
    return f"; did you mean {known[near[0]]}?" if near else ""


def users(ledger: Ledger) -> dict[str, str]:
    """The users whose word counts tonight, by user name and by their own name."""
    rows = ledger.rows(
        'select "user", name from staged.judging_staff'
        ' where active and "user" is not null'
    )
    named = {canonical(row["name"]): row["user"] for row in rows if row["name"]}
    return named | {canonical(row["user"]): row["user"] for row in rows}


def patients(ledger: Ledger) -> dict[str, str]:
    """The patients that the ledger knows, by Patient ID."""
    rows = ledger.rows(
        "select patient_id from ledger.accepted.patients"
        " union select patient_id from ledger.lines"
        " union select patient_id from ledger.standings"
        " where patient_id is not null order by patient_id"
    )
    return {canonical(row["patient_id"]): row["patient_id"] for row in rows}


def number_meant(ledger: Ledger, typed: str) -> str | None:
    """The document whose figures were typed; other figures are no slip."""
    figures = _figures(typed)
    known = ledger.rows(
        "select number from ledger.invoices where sequence = ?", [figures]
    )
    first = typed[:1].upper()
    # Of another series none is meant.
    alike = [
        row["number"]
        for row in known
        if not first.isalpha() or row["number"].upper().startswith(first)
    ]
    return next(iter(get_close_matches(typed.upper(), alike, n=1, cutoff=0.0)), None)


def _figures(number: str) -> int:
    """The running number at the end, 0 if there is none; O is typed for 0."""
    found = re.search(r"[0-9]+$", re.sub(r"O(?=[0-9O]*$)", "0", number.upper()))
    return int(found[0][-9:]) if found else 0


def no_patient(ledger: Ledger, patient_id: str) -> str:
    """Why a Patient ID is nobody's, with one that it is like; '' where it is known."""
    known, key = patients(ledger), canonical(patient_id)
    if key in known:
        return ""
    if not key:
        return "the Patient ID is blank"
    near = meant(patient_id, known)
    return f"no patient {show(patient_id)} is known to this ledger{near}"
