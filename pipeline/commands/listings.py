"""Commands that look something up and change nothing."""

from pathlib import Path

import click

from pipeline.commands.options import FOLDER, FORMAT, LEDGER, NewFolder
from pipeline.commands.rows import (
    INVOICE_COLUMNS,
    INVOICES_SHOWN,
    LINE_COLUMNS,
    LINES_SHOWN,
    print_rows,
)
from pipeline.commands.saying import aside, outcomes, reading


@click.command()
@FOLDER
@click.option("--active", is_flag=True, help="Show only active: not credited in full.")
@click.option("--memberships", is_flag=True, help="Show memberships only.")
@click.option("--unsent", is_flag=True, help="Show only what is not sent yet.")
@click.option("--patient", metavar="ID", help="Show one patient's, by Patient ID.")
@FORMAT
@LEDGER
def invoices(
    folder: Path,
    active: bool,
    memberships: bool,
    unsent: bool,
    patient: str | None,
    form: str,
    ledger: Path | None,
) -> None:
    """The Invoices page: every invoice and credit note, with its state.

    Example: membill invoices /srv/clinic --active --memberships
    """
    from pipeline.bookkeeping.accounts import entries
    from pipeline.judging.meant import no_patient

    chosen = {"active": active, "membership": memberships, "status = 'unsent'": unsent}
    only = " and ".join(["true", *(each for each, asked in chosen.items() if asked)])
    where = (
        "number in (select number from ledger.lines"
        " where canonical(patient_id) = canonical(?))"
        if patient is not None
        else "true"
    )
    given = [patient] * (patient is not None)
    with outcomes(), reading(folder, ledger) as book:
        found = entries(book, where, given, only=only)
        if patient is not None and (stranger := no_patient(book, patient)):
            aside(stranger[:1].upper() + stranger[1:])
    rows = [{name: getattr(entry, name) for name in INVOICE_COLUMNS} for entry in found]
    print_rows(rows, INVOICE_COLUMNS, INVOICES_SHOWN, form, "Invoices")


@click.command()
@FOLDER
@FORMAT
@LEDGER
def lines(folder: Path, form: str, ledger: Path | None) -> None:
    """Every invoice line there is.

    Example: membill lines /srv/clinic --format csv
    """
    with outcomes(), reading(folder, ledger) as book:
        rows = book.rows(
            "select lines.* from ledger.lines as lines"
            " inner join ledger.invoices as invoices using (number)"
            " order by invoices.kind desc, invoices.sequence, line"
        )
    print_rows(rows, LINE_COLUMNS, LINES_SHOWN, form, "Invoice lines")


@click.command()
@FOLDER
@click.argument("number_or_patient")
@LEDGER
def explain(folder: Path, number_or_patient: str, ledger: Path | None) -> None:
    """Why an invoice was made, or why a patient was or was not billed.

    Example: membill explain /srv/clinic INV-000042
    """
    from pipeline.office.explain import explain as tell

    with outcomes(), reading(folder, ledger) as book:
        text = tell(book, number_or_patient)
    click.echo(text)


@click.command()
@FOLDER
@click.argument("patient_id", metavar="PATIENT_ID")
@click.option(
    "--xlsx",
    "to",
    type=click.Path(path_type=Path),
    metavar="FILE.xlsx",
    help="Write it as a workbook as well, with the patient's name.",
)
@LEDGER
def patient(
    folder: Path, patient_id: str, to: Path | None, ledger: Path | None
) -> None:
    """One patient's history: periods, invoices, sendings, credits, problems, next due.

    Example: membill patient /srv/clinic P0042 --xlsx /tmp/P0042.xlsx
    """
    from pipeline.exports.patient_file import render
    from pipeline.exports.patient_text import told
    from pipeline.office.chosen_file import must_be_free, write_chosen
    from pipeline.office.patient_file import patient_file

    with outcomes():
        if to:
            must_be_free(folder, to)
        with reading(folder, ledger) as book:
            file = patient_file(book, patient_id)
        if to:
            write_chosen(folder, to, render(file))
    for line in told(file):
        click.echo(line)


@click.command()
@FOLDER
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
@click.option(
    "--to",
    type=NewFolder(),
    metavar="FOLDER_FOR_FILES",
    help="Where to write them, if not beside the workbooks below FOLDER/out/invoices.",
)
@LEDGER
def pdf(
    folder: Path, numbers: tuple[str, ...], to: Path | None, ledger: Path | None
) -> None:
    """Invoices and credit notes as PDF, each page the same as its workbook's.

    A file that is already there is never overwritten. The setting PDF beside invoices
    has every night make them by itself.

    Example: membill pdf /srv/clinic INV-000042 --to /tmp/to-send
    """
    from pipeline.office.pdf_files import write_pdfs

    with outcomes(), reading(folder, ledger) as book:
        files = write_pdfs(book, folder, numbers, to)
    for file in files:
        click.echo(str(file))
