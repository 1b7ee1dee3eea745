"""Whether documents that are to be entered again can be this practice's own."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.bookkeeping.books import Document
from pipeline.cells.spelling import canonical, heading
from pipeline.copies.lineage import in_place
from pipeline.ledger import Ledger
from pipeline.workbooks import read_practice
from schemas.columns import columns
from schemas.practice import Practice


def strangers(
    copy: Ledger, place: Path, folder: Path, documents: Sequence[Document]
) -> list[Document]:
    """Which documents that the copy does not know nothing shows to be this practice's.

    Ours is what is headed with a name that the practice had in the copy or has in its
    Settings now, or that stands on a document which the ledger in place made, or on one
    for a patient of ours; a patient is known by id and name, from the copy or from
    documents that are ours, since much may have changed after the copy was made.
    """
    made, names = in_place(place), _names(copy)
    names |= {
        _name(document)
        for document in documents
        if document.number in made and made[document.number].seal == document.sha256
    }
    if all(_name(document) in names for document in documents):
        return []
    names.add(canonical(_name_now(folder)))
    patients, before = _patients(copy), 0
    while len(names) + len(patients) > before:
        before = len(names) + len(patients)
        for document in documents:
            if _name(document) in names or patients & set(_patients_of(document)):
                names.add(_name(document))
                patients.update(_patients_of(document))
    return [document for document in documents if _name(document) not in names]


def _name(document: Document) -> str:
    return canonical(document.letterhead.practice_name)


def _patients_of(document: Document) -> Iterator[tuple[str, str]]:
    """An id alone tells little: P1 is a patient of every practice."""
    for line in document.lines:
        yield canonical(line.patient_id), canonical(line.patient_name)


def _names(copy: Ledger) -> set[str]:
    """Every name that the practice had on a document or in accepted Settings."""
    rows = copy.rows(
        "select practice_name as name from ledger.letterheads"
        " union select value from ledger.accepted.settings where row_key = ?",
        [heading(_title())],
    )
    return {canonical(row["name"] or "") for row in rows}


def _title() -> str:
    (title,) = (c.title for c in columns(Practice) if c.name == "practice_name")
    return title


def _name_now(folder: Path) -> str:
    """The Practice name that the sheets have now, '' where they cannot be read."""
    sheet = read_practice(folder).sheets.get("settings")
    if sheet is None or not {"setting", "value"} <= sheet.headings.keys():
        return ""
    setting, value = sheet.headings["setting"], sheet.headings["value"]
    named = (
        str(row[value] or "")
        for _, row in sheet.rows
        if heading(str(row[setting] or "")) == heading(_title())
    )
    return next(named, "")


def _patients(copy: Ledger) -> set[tuple[str, str]]:
    rows = copy.rows(
        "select patient_id, patient_name as name from ledger.lines union"
        " select patient_id, first_name || ' ' || last_name"
        " from ledger.accepted.patients where patient_id is not null"
    )
    return {
        (canonical(row["patient_id"]), canonical(row["name"] or "")) for row in rows
    }
