"""Documents as PDF by number, for `membill pdf`: of any age, whatever the setting says."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.bookkeeping import accounts
from pipeline.bookkeeping.books import Document
from pipeline.exports.invoice_pdf import Unprintable, render
from pipeline.files import inside
from pipeline.ledger import Ledger
from pipeline.office.chosen_file import must_take_files, write_beside
from pipeline.office.desk import WrongRequest, document_of


def write_pdfs(
    ledger: Ledger, folder: Path, numbers: Sequence[str], to: Path | None
) -> list[Path]:
    """Write the PDF of each document, to a folder or beside its workbook; the files.

    Raises `WrongRequest` for a number that is not there and a document that cannot be
    made, `WrongPlace` for a folder of the practice's own and a file that is there and
    another; then nothing is written.
    """
    if to:
        must_take_files(folder, to)
    documents = _documents(ledger, numbers)
    pages = [(_place(folder, document, to), _pdf(document)) for document in documents]
    write_beside(pages)
    return [place for place, _ in pages]


def _documents(ledger: Ledger, numbers: Sequence[str]) -> list[Document]:
    asked = list(dict.fromkeys(document_of(ledger, n)["number"] for n in numbers))
    forgotten = ledger.rows(
        "select distinct number from in_force.forgotten_lines"
        " where number in (select unnest(?))",
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
    return to / f"{document.number}.pdf"


def _pdf(document: Document) -> bytes:
    try:
        return render(document)
    except Unprintable as fault:
        raise WrongRequest(f"{fault}; send its workbook") from None
