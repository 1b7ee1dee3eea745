"""Documents as PDF by number, for `membill pdf`: of any age, whatever the setting says."""

from collections.abc import Sequence
from pathlib import Path

from pipeline import accounts
from pipeline.books import Document
from pipeline.desk import WrongRequest, document_of
from pipeline.exports.invoice_pdf import Unprintable, render
from pipeline.files import inside, write_bytes
from pipeline.ledger import Ledger


def write_pdfs(
    ledger: Ledger, folder: Path, numbers: Sequence[str], to: Path | None
) -> list[Path]:
    """Write the PDF of each document, to a folder or beside its workbook; the files.

    Raises `WrongRequest` for a number that is not there, a document that cannot be made
    and a file that is there and another; then nothing is written.
    """
    documents = _documents(ledger, numbers)
    pages = [(_place(folder, document, to), _pdf(document)) for document in documents]
    fresh = [(place, content) for place, content in pages if _is_free(place, content)]
    for place, content in fresh:
        try:
            write_bytes(place, content, replace=False)
        except FileExistsError:
            raise WrongRequest(_occupied(place)) from None
    return [place for place, _ in pages]


def _documents(ledger: Ledger, numbers: Sequence[str]) -> list[Document]:
    asked = list(dict.fromkeys(document_of(ledger, n)["number"] for n in numbers))
    forgotten = ledger.rows(
        "select distinct split_part(record_key, ' ', 1) as number from ledger.forgotten"
        " where part = 'line' and split_part(record_key, ' ', 1) in (select unnest(?))",
        [asked],
    )
    if forgotten:
        raise WrongRequest(
            f"{forgotten[0]['number']} names a patient who was forgotten since, so that it"
            " cannot be made again as it was"
        )
    where = "invoices.number in (select unnest(?))"
    found = {
        document.number: document
        for document in accounts.documents(ledger, where, [asked])
    }
    return [found[number] for number in asked]


def _place(folder: Path, document: Document, to: Path | None) -> Path:
    if to is None:
        return inside(folder / "out", document.pdf_path)
    home, place = folder.resolve(), to.resolve()
    if place.is_relative_to(home) and not place.is_relative_to(home / "out"):
        raise WrongRequest(
            f"{to} lies among the practice's own files; name a folder in {folder / 'out'}"
            " or outside the practice folder"
        )
    return to / f"{document.number}.pdf"


def _pdf(document: Document) -> bytes:
    try:
        return render(document)
    except Unprintable as fault:
        raise WrongRequest(f"{fault}; send its workbook") from None


def _is_free(place: Path, content: bytes) -> bool:
    """Whether a file is to be written; one that is there must be the same."""
    try:
        there = place.read_bytes()
    except FileNotFoundError:
        return True
    if there != content:
        raise WrongRequest(_occupied(place))
    return False


def _occupied(place: Path) -> str:
    return f"{place} is already there and is another file; move it away, or use --to"
