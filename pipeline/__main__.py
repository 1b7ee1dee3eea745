"""The command line: options in, problems out, exit codes; the only reader of the clock."""

import csv
import io
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

CRASHED, HELD, REFUSED, BUSY = 1, 3, 4, 5

INVOICE_COLUMNS = (
    "number,kind,status,active,membership,issued_on,due_on,patient_id,patient_name,"
    "bill_to,bill_to_name,currency,net,tax,gross,credits,sent_on,sent_to,run_id"
).split(",")
LINE_COLUMNS = (
    "number,line,patient_id,product_code,description,frequency,period_start,period_end,"
    "quantity,unit_price,tax_code,tax_rate,net,tax,gross,price_source"
).split(",")
# What fits on a screen; csv and json have every column.
INVOICES_SHOWN = "number,status,issued_on,patient_id,bill_to,gross,sent_on".split(",")
LINES_SHOWN = "number,patient_id,product_code,period_start,period_end,tax,gross".split(
    ","
)


def today(zone: str) -> date:
    """What day it is in the practice's time zone."""
    return datetime.now(ZoneInfo(zone)).date()


def now() -> datetime:
    """This moment, where practices are unless their settings say otherwise."""
    return datetime.now(ZoneInfo("Europe/London"))


class Day(click.ParamType):
    """A date typed as 2026-03-31."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """The date, or a usage error that says how to write one."""
        try:
            day = value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value} is not a date; write it as 2026-03-31", param, ctx)
        if not 2000 <= day.year <= 2099:
            self.fail(f"{value} lies outside the years 2000 to 2099", param, ctx)
        return day


class Folder(click.Path):
    """A folder; a blank name, of a variable that was never set, is none."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The path, or a usage error."""
        if value == "":
            self.fail("the name of the folder is blank", param, ctx)
        return super().convert(value, param, ctx)


FOLDER = click.argument("folder", type=Folder(path_type=Path))
LEDGER = click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    help="Where the ledger is, if not FOLDER/ledger/membill.duckdb; on a local disk.",
)
AS_OF = click.option(
    "--as-of",
    type=Day(),
    help="The day to work for, as 2026-03-31; today if not given.",
)
FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json"]),
    default="table",
    show_default=True,
    help="csv is for people: ' stands before text a spreadsheet would run as a formula."
    " json is for machines: every value exactly as it is.",
)


@contextmanager
def outcomes() -> Iterator[None]:
    """Turn what a user can cause into plain lines and an exit code, never a traceback."""
    import duckdb

    from pipeline.ledger import Busy
    from pipeline.problems import Refused
    from pipeline.transaction import Unfinished

    try:
        yield
    except Refused as refusal:
        _say_problems(refusal.problems, stops_only=True)
        click.echo("Nothing was billed, and the ledger is as it was.", err=True)
        sys.exit(REFUSED)
    except Unfinished as unfinished:
        click.echo(str(unfinished), err=True)
        sys.exit(CRASHED)
    except Busy as busy:
        click.echo(f"{busy}; try again when it is done.", err=True)
        sys.exit(BUSY)
    except (
        duckdb.IOException,
        duckdb.FatalException,
        duckdb.InternalException,
        duckdb.SerializationException,
    ):
        click.echo(
            "The ledger could not be read or written: the disk is full or the file is"
            " damaged. See that there is room, run `membill verify`, and bring back a"
            " copy with `membill restore` if it stays so.",
            err=True,
        )
        sys.exit(REFUSED)
    except PermissionError as error:
        click.echo(f"{error.filename}: no right to read or write it.", err=True)
        sys.exit(REFUSED)
    except OSError as error:
        click.echo(f"{error.filename or 'a file'}: {error.strerror}.", err=True)
        sys.exit(REFUSED)


def _say_problems(problems: Sequence[Any], *, stops_only: bool = False) -> None:
    """Problems on stderr, no personal value in them; the rest are counted."""
    from pipeline.exports.exact_text import legible
    from pipeline.problems import Severity

    shown = [
        problem
        for problem in problems
        if problem.severity is Severity.STOPS
        or (not stops_only and problem.severity is not Severity.FIXED)
    ]
    for problem in shown[:40]:
        # A heading or a file's name may hold what a terminal would obey.
        said = legible(problem.public()).replace("\n", " ")
        click.echo(f"{problem.severity}: {said}", err=True)
    if len(shown) > 40:
        click.echo(f"... and {len(shown) - 40} more: see issues.xlsx", err=True)


def _ledger(folder: Path, ledger: Path | None) -> Path:
    """Where the ledger is; a folder that is not there is refused, never made."""
    from pipeline.ledger import ledger_path
    from pipeline.problems import Refused
    from pipeline.workbooks import read_practice

    if not folder.is_dir():
        raise Refused(read_practice(folder).problems)
    return ledger_path(folder, ledger)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="membill", prog_name="membill")
def cli() -> None:
    """Bill a practice's memberships from the spreadsheets its office keeps.

    FOLDER is the practice folder with products.xlsx, patients.xlsx and settings.xlsx.
    What it makes is written below FOLDER/out; nothing is ever sent to anybody.

    Exit codes: 0 all that was due is billed, 2 wrong usage, 3 something is held,
    4 refused and nothing billed, 5 another run holds the lock.
    """
    os.umask(0o077)
    # A pipe that knows no pound sign must not end a night.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@cli.command()
@FOLDER
@AS_OF
@click.option(
    "--accept",
    multiple=True,
    type=click.Choice(
        ["drop", "joined", "changed", "price", "forecast", "amount", "date"]
    ),
    help="Let this guard through once. May be given more than once.",
)
@LEDGER
def bill(
    folder: Path, as_of: date | None, accept: tuple[str, ...], ledger: Path | None
) -> None:
    """The night: read the sheets, make the invoices that are due, write the workbooks.

    Example: membill bill /srv/clinic --as-of 2026-11-30
    """
    from pipeline.run import bill as run_night

    with outcomes(), _progress() as say:
        outcome = run_night(
            folder,
            _ledger(folder, ledger),
            as_of=as_of,
            today=today,
            accepted=accept,
            command=_again(folder, as_of, accept, ledger),
            say=say,
        )
    from pipeline.console import night_table

    night_table(outcome, folder)
    _say_problems([open_.problem for open_ in outcome.night.problems])
    _warn((*outcome.warnings, *outcome.published.warnings))
    sys.exit(outcome.exit_code)


@cli.command()
@click.argument("root", type=Folder(path_type=Path))
@AS_OF
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="A running Dask scheduler, such as tls://10.0.0.5:8786.",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 512),
    help="Nights at a time on this machine, if not one per core.",
)
@click.option(
    "--ledgers",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep each practice's ledger below this folder, if not beside its sheets.",
)
@click.option(
    "--local-ledgers",
    is_flag=True,
    help="The folder of --ledgers is a disk of each worker's own machine.",
)
def group(
    root: Path,
    as_of: date | None,
    scheduler: str | None,
    workers: int | None,
    ledgers: Path | None,
    local_ledgers: bool,
) -> None:
    """Bill every practice folder below ROOT, each with its own ledger, on Dask.

    One practice's failure touches no other. ROOT/group/ then tells of all of them. The
    exit code is that of the practice that needs somebody most: 1, 4, 5, 3, then 0.

    Example: membill group /srv/practices --workers 4
    """
    if scheduler and workers:
        raise click.UsageError("--workers is for this machine; a scheduler has its own")
    if local_ledgers and not (scheduler and ledgers):
        raise click.UsageError("--local-ledgers needs --scheduler and --ledgers")
    from pipeline.group.cluster import NotInstalled, Unreachable
    from pipeline.group.run import Asked, bill_group
    from pipeline.group.terminal import hearing, tell

    with outcomes(), hearing() as heard:
        asked = Asked(
            root,
            as_of,
            now(),
            lambda folder, ledger: _again(folder, as_of, (), ledger),
            scheduler,
            workers,
            ledgers,
            local_ledgers,
        )
        try:
            outcome = bill_group(asked, heard)
        except (NotInstalled, Unreachable) as missing:
            click.echo(str(missing), err=True)
            sys.exit(REFUSED)
    tell(outcome, root / "group")
    sys.exit(outcome.group.code)


def _again(
    folder: Path, as_of: date | None, accept: tuple[str, ...], ledger: Path | None
) -> str:
    """The command as it was typed, to be typed again with one more --accept."""
    parts = ["membill", "bill", str(folder)]
    parts += ["--as-of", str(as_of)] if as_of else []
    parts += ["--ledger", str(ledger)] if ledger else []
    for guard in accept:
        parts += ["--accept", guard]
    return shlex.join(parts)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Say what is being done, on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(text)


@cli.command()
@FOLDER
@AS_OF
@LEDGER
def check(folder: Path, as_of: date | None, ledger: Path | None) -> None:
    """Read and validate only, and write out/issues.xlsx. Exit 3 if there are problems.

    Example: membill check /srv/clinic
    """
    from pipeline.problems import Severity
    from pipeline.run import check_only

    with outcomes():
        problems, issues = check_only(
            folder, _ledger(folder, ledger), as_of=as_of, today=today
        )
    _say_problems(problems)
    bad = [
        problem
        for problem in problems
        if problem.severity is Severity.HELD or problem.code == "change-refused"
    ]
    found = f"{len(bad)} to mend before the next night; all of it is in {issues}"
    click.echo(found if bad else f"Nothing to mend before the next night; see {issues}")
    sys.exit(HELD if bad else 0)


@cli.command()
@FOLDER
@AS_OF
@FORMAT
@LEDGER
def preview(folder: Path, as_of: date | None, form: str, ledger: Path | None) -> None:
    """The lines `bill` would make on that day. Writes nothing; numbers are blank.

    Example: membill preview /srv/clinic --as-of 2026-12-31
    """
    from pipeline.run import preview as run_preview

    with outcomes():
        lines, prepared = run_preview(
            folder, _ledger(folder, ledger), as_of=as_of, today=today
        )
    gross = sum(line["gross"] for line in lines)
    title = f"What {prepared.as_of} would bill, {gross:.2f} in all; lines"
    _print(lines, LINE_COLUMNS, LINES_SHOWN, form, title)
    _say_problems(prepared.problems)


@cli.command()
@FOLDER
@click.option(
    "--months",
    type=click.IntRange(1, 60),
    default=12,
    show_default=True,
    help="Whole months after this one.",
)
@AS_OF
@click.option(
    "--to",
    "to",
    type=click.Path(path_type=Path),
    metavar="FILE.xlsx",
    help="Where to write it, if not FOLDER/out/forecast.xlsx.",
)
@LEDGER
def forecast(
    folder: Path, months: int, as_of: date | None, to: Path | None, ledger: Path | None
) -> None:
    """What the coming months would bill, as a workbook. Records nothing.

    Example: membill forecast /srv/clinic --months 6
    """
    from pipeline.chosen_file import must_be_free, write_chosen
    from pipeline.exports.forecast import render, sentence
    from pipeline.forecast import forecast as foresee

    file = to or folder / "out" / "forecast.xlsx"
    with outcomes(), _may_write_there():
        path = _ledger(folder, ledger)
        must_be_free(folder, file)
        coming, problems = foresee(
            folder, path, months=months, as_of=as_of, today=today
        )
        write_chosen(folder, file, render(coming))
    _say_problems(problems)
    click.echo(f"{sentence(coming)}; all of it is in {file}")


@contextmanager
def _may_write_there() -> Iterator[None]:
    """A file of the practice's own, named to be written, is wrong usage."""
    from pipeline.chosen_file import WrongPlace

    try:
        yield
    except WrongPlace as wrong:
        raise click.UsageError(str(wrong)) from None


@cli.command()
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
    from pipeline.accounts import entries

    where = ["true"]
    where += ["listed.active"] if active else []
    where += ["listed.membership"] if memberships else []
    where += ["listed.status = 'unsent'"] if unsent else []
    values = [patient] if patient else []
    if patient:
        where.append(
            "number in (select number from ledger.lines"
            " where canonical(patient_id) = canonical(?))"
        )
    with outcomes(), _reading(folder, ledger) as book:
        found = entries(book, " and ".join(where), values)
    rows = [{name: getattr(entry, name) for name in INVOICE_COLUMNS} for entry in found]
    _print(rows, INVOICE_COLUMNS, INVOICES_SHOWN, form, "Invoices")


@contextmanager
def _reading(folder: Path, ledger: Path | None) -> Iterator[Any]:
    """The practice's ledger, for looking only."""
    from pipeline.ledger import opened

    with _held_still(folder, ledger) as path, opened(path, write=False) as book:
        yield book


@contextmanager
def _held_still(folder: Path, ledger: Path | None) -> Iterator[Path]:
    """Where the practice's ledger is, while nobody works on it."""
    from pipeline.ledger import ledger_path, locked
    from pipeline.problems import refused

    path = ledger_path(folder, ledger)
    if not path.parent.is_dir():
        found = "there is no ledger here"
        repair = "name the practice folder; `membill bill` makes its ledger"
        raise refused(str(folder), "no-ledger", found, repair)
    with locked(path, wait=10):
        yield path


@cli.command()
@FOLDER
@FORMAT
@LEDGER
def lines(folder: Path, form: str, ledger: Path | None) -> None:
    """Every invoice line there is.

    Example: membill lines /srv/clinic --format csv
    """
    with outcomes(), _reading(folder, ledger) as book:
        rows = book.rows(
            "select lines.* from ledger.lines as lines"
            " inner join ledger.invoices as invoices using (number)"
            " order by invoices.kind desc, invoices.sequence, line"
        )
    _print(rows, LINE_COLUMNS, LINES_SHOWN, form, "Invoice lines")


def _warn(warnings: Sequence[str]) -> None:
    """The first few of what could not be written: on a full disk it is everything."""
    for warning in warnings[:10]:
        click.echo(f"Warning: {warning}", err=True)
    if len(warnings) > 10:
        click.echo(f"Warning: and {len(warnings) - 10} more files", err=True)


def _print(
    rows: Sequence[dict[str, Any]],
    names: Sequence[str],
    shown: Sequence[str],
    form: str,
    title: str,
) -> None:
    """Rows on stdout as a table, CSV or JSON; all values as text."""
    from pipeline.console import plain, table

    listed = [{name: plain(name, row[name]) for name in names} for row in rows]
    if form == "json":
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: _as_text(name, value) for name, value in row.items()}
            for row in listed
        )
    else:
        table(listed, shown, title)


_AMOUNTS = ("net", "tax", "gross", "credits", "unit_price")


def _as_text(name: str, value: str) -> str:
    """Text that a spreadsheet would take for a formula, kept text; amounts as they are."""
    from pipeline.exports.exact_text import guarded

    return value if name in _AMOUNTS else guarded(value)


@cli.command()
@FOLDER
@click.argument("number_or_patient")
@LEDGER
def explain(folder: Path, number_or_patient: str, ledger: Path | None) -> None:
    """Why an invoice was made, or why a patient was or was not billed.

    Example: membill explain /srv/clinic INV-000042
    """
    from pipeline.explain import explain as tell

    with outcomes(), _reading(folder, ledger) as book:
        text = tell(book, number_or_patient)
    if text is None:
        raise click.UsageError(
            f"{number_or_patient} is neither an invoice number nor a Patient ID here"
        )
    click.echo(text)


@cli.command()
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
    from pipeline.chosen_file import must_be_free, write_chosen
    from pipeline.exports.patient_file import render
    from pipeline.exports.patient_text import told
    from pipeline.patient_file import NoSuchPatient, patient_file

    with outcomes(), _may_write_there():
        if to:
            must_be_free(folder, to)
        try:
            with _reading(folder, ledger) as book:
                file = patient_file(book, patient_id)
        except NoSuchPatient as unknown:
            raise click.UsageError(str(unknown)) from None
        if to:
            write_chosen(folder, to, render(file))
    for line in told(file):
        click.echo(line)


@cli.command()
@FOLDER
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
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
    from pipeline.desk import WrongRequest
    from pipeline.pdf_files import write_pdfs

    with outcomes():
        try:
            with _reading(folder, ledger) as book:
                files = write_pdfs(book, folder, numbers, to)
        except WrongRequest as wrong:
            raise click.UsageError(str(wrong)) from None
    for file in files:
        click.echo(str(file))


@cli.command()
@FOLDER
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
@click.option("--to", "sent_to", required=True, help="The address it went to.")
@click.option("--by", "sent_by", required=True, help="The user who sent it.")
@click.option("--on", "sent_on", type=Day(), help="The day; today if not given.")
@click.option("--how", help="e-mail, post, by hand ...")
@LEDGER
def sent(
    folder: Path,
    numbers: tuple[str, ...],
    sent_to: str,
    sent_by: str,
    sent_on: date | None,
    how: str | None,
    ledger: Path | None,
) -> None:
    """Record that invoices were sent by hand. Nothing is sent by this.

    Example: membill sent /srv/clinic INV-000042 --to ada@example.org --by dd
    """
    from pipeline.desk import WrongRequest, record_sending

    with outcomes():
        try:
            recorded, warnings = record_sending(
                folder, _ledger(folder, ledger), numbers, sent_to=sent_to,
                sent_by=sent_by, sent_on=sent_on, how=how, today=today,
            )  # fmt: skip
        except WrongRequest as wrong:
            raise click.UsageError(str(wrong)) from None
    if recorded:
        click.echo(f"Recorded as sent: {', '.join(recorded)}")
    if len(recorded) < len({number.upper() for number in numbers}):
        click.echo("What was recorded before, alike in every word, was left as it is.")
    _warn(warnings)


@cli.command()
@FOLDER
@click.argument("number")
@click.option("--reason", required=True, help="Printed on the credit note.")
@click.option("--by", "by", required=True, help="The user who gives the credit.")
@click.option("--line", type=int, help="Take back this line only, by its number.")
@click.option(
    "--amount",
    help="Take back only so much of the line, tax included, as 12.50. The tax in it is at"
    " the line's own rate; parts never come to more than the line.",
)
@click.option(
    "--rebill",
    is_flag=True,
    help="Bill the period or request once more, by the rules of the next night; goes with"
    " taking back whole lines.",
)
@click.option(
    "--on", "on", type=Day(), help="The day of the credit note; today if not given."
)
@LEDGER
def credit(
    folder: Path,
    number: str,
    reason: str,
    by: str,
    line: int | None,
    amount: str | None,
    rebill: bool,
    on: date | None,
    ledger: Path | None,
) -> None:
    """Make a credit note: for all that is left of an invoice, or a line, or a part of one.

    What is credited stays billed, and is not billed again, unless --rebill says so.

    Example: membill credit /srv/clinic INV-000042 --reason "left on day one" --by mm
    """
    from pipeline.credits import Wish, make_credit_note
    from pipeline.desk import WrongRequest

    wish = Wish(number, line, amount, rebill)
    with outcomes():
        try:
            made = make_credit_note(
                folder, _ledger(folder, ledger), wish, reason=reason, by=by, on=on,
                today=today,
            )  # fmt: skip
        except WrongRequest as wrong:
            raise click.UsageError(str(wrong)) from None
    click.echo(made.told())
    _warn(made.warnings)


@cli.command()
@FOLDER
@click.argument("month", metavar="YYYY-MM")
@click.option("--by", "by", required=True, help="The user who closes it.")
@LEDGER
def close(folder: Path, month: str, by: str, ledger: Path | None) -> None:
    """Close a month: seal its totals, and issue nothing in it any more.

    The month must be over and the months before it closed. It cannot be opened again:
    what is wrong in it is credited in a month that is open.

    Example: membill close /srv/clinic 2026-03 --by mm
    """
    from pipeline.closing import close as seal
    from pipeline.desk import WrongRequest

    with outcomes():
        try:
            done = seal(folder, _ledger(folder, ledger), month, by=by, today=today)
        except WrongRequest as wrong:
            raise click.UsageError(str(wrong)) from None
    click.echo(done.said)
    _warn(done.warnings)


@cli.command()
@FOLDER
@click.argument("patient_id", metavar="PATIENT_ID")
@click.option("--by", "by", required=True, help="The user who decides it.")
@click.option("--on", "on", type=Day(), help="Count from this day; today if not given.")
@LEDGER
def forget(
    folder: Path, patient_id: str, by: str, on: date | None, ledger: Path | None
) -> None:
    """Take a patient's name and address out of copies past the retention.

    What is older than the setting Retention years loses names, addresses, birth date
    and e-mail; the Patient ID, numbers, dates and amounts stay. Published workbooks
    are never deleted: those that show the patient are listed for a person to delete.

    Example: membill forget /srv/clinic P0042 --by mm
    """
    from pipeline.desk import WrongRequest
    from pipeline.forget import forget as pseudonymise

    with outcomes():
        try:
            done = pseudonymise(
                folder, _ledger(folder, ledger), patient_id, by=by, on=on, today=today
            )
        except WrongRequest as wrong:
            raise click.UsageError(str(wrong)) from None
    for line in done.told():
        click.echo(line)
    for warning in done.warnings:
        click.echo(f"Warning: {warning}", err=True)


# The packages of pipeline/exports/packages, and the open data.
TARGETS = (
    "xero", "xero-journal", "quickbooks", "sage50", "sage-accounting", "quickfile",
    "data",
)  # fmt: skip


@cli.command()
@FOLDER
@click.argument("target", type=click.Choice(TARGETS), metavar="TARGET")
@click.option(
    "--month", metavar="YYYY-MM", help="Only this month: its documents, its release."
)
@click.option("--again", metavar="BATCH", help="The files of an earlier batch again.")
@click.option(
    "--credit-notes",
    is_flag=True,
    help="With xero: credit notes too, in a file of their own.",
)
@click.option(
    "--to",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder to write the files to.",
)
@LEDGER
def export(
    folder: Path,
    target: str,
    month: str | None,
    again: str | None,
    credit_notes: bool,
    to: Path | None,
    ledger: Path | None,
) -> None:
    """Files for an accounting package; each document leaves once for each of them.

    TARGET is xero, xero-journal, quickbooks, sage50, sage-accounting or quickfile; or
    data, which is every invoice and line as CSV and Parquet, as often as you like.
    The files are written to FOLDER/out/imports (data: FOLDER/out/data). Exit 3 if a
    document does not fit the package and stays open.

    Example: membill export /srv/clinic xero --month 2026-11
    """
    from pipeline.batches import must_be_month
    from pipeline.desk import WrongRequest
    from pipeline.exports.layouts import Unready

    if target == "data":
        if month or again or credit_notes:
            raise click.UsageError("data takes no --month, --again or --credit-notes")
        _export_data(folder, to, ledger)
        return
    with outcomes():
        try:
            must_be_month(month)
            done = _departed(folder, target, month, again, credit_notes, to, ledger)
        except WrongRequest as wrong:
            raise click.UsageError(str(wrong)) from None
        except Unready as unready:
            for problem in unready.problems:
                click.echo(f"Refused: {problem.public()}", err=True)
            click.echo("Nothing has left; mend this and give it again.", err=True)
            sys.exit(REFUSED)
    for line in done.told(target):
        click.echo(line)
    for line in done.open():
        click.echo(line, err=True)
    _warn(done.warnings)
    sys.exit(REFUSED if done.warnings else HELD if done.unfit else 0)


def _departed(
    folder: Path,
    target: str,
    month: str | None,
    again: str | None,
    credit_notes: bool,
    to: Path | None,
    ledger: Path | None,
) -> Any:
    """A new batch, or an earlier one once more."""
    from pipeline.batches import again as write_again
    from pipeline.batches import export as leave

    path = _ledger(folder, ledger)
    if again is not None:
        if month or credit_notes:
            raise click.UsageError("--again takes a batch as it was; give it alone")
        return write_again(folder, path, target, again, to)
    return leave(
        folder, path, target, month=month, credit_notes=credit_notes, to=to, today=today
    )


def _export_data(folder: Path, to: Path | None, ledger: Path | None) -> None:
    from pipeline.exports.open_data import write

    with outcomes(), _reading(folder, ledger) as book:
        files = write(book, to or folder / "out" / "data")
    for file in files:
        click.echo(str(file))


@cli.command()
@FOLDER
@click.option("--practice-name", metavar="TEXT", help="The practice's name.")
@click.option("--bill-from", metavar="DATE", help="No period before it is ever billed.")
@click.option("--first-number", metavar="N", help="Number of the very first invoice.")
@click.option("--auto-invoice", metavar="YES/NO", help="Bill memberships every night.")
@click.option("--manager", metavar="USER", help="The first manager's user name.")
@click.option("--manager-name", metavar="TEXT", help="The first manager's full name.")
@click.option(
    "--from",
    "old",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Carry the rows of this older practice folder over into new workbooks.",
)
def init(folder: Path, old: Path | None, **told: str | None) -> None:
    """Make a new practice folder with the template workbooks. Overwrites nothing.

    On a terminal it asks for what the options leave out; otherwise that stays blank.
    With a manager, the first rows of Settings and Tax codes are signed by them.

    Example: membill init /srv/clinic
    """
    from pipeline.asking import first_rows
    from pipeline.carrying import carry_over
    from pipeline.exports.templates import write_templates

    if old is not None and any(value is not None for value in told.values()):
        raise click.UsageError(
            "--from carries the old settings over; leave the other options out"
        )
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f"{folder} is a file; name the folder to make")
    rows = {} if old else first_rows(told, today("Europe/London"))
    with outcomes():
        if old is not None:
            said, there = carry_over(old, folder)
        else:
            made, there = write_templates(folder, rows)
            said = [f"made {folder / name}" for name in made]
    for line in said:
        click.echo(line)
    for name in there:
        click.echo(f"{folder / name} is already there and was left as it is", err=True)
    if there:
        sys.exit(REFUSED)
    if old is None:
        click.echo("Now fill in settings.xlsx, then products.xlsx, then patients.xlsx;")
        click.echo(f"what is still to mend says: membill check {folder}")


@cli.group("import")
def import_() -> None:
    """Turn another system's export into a workbook of the practice."""


@import_.command("patients")
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="FILE"
)
@click.option(
    "--map",
    "mapping",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A small TOML file: which heading is which column, what the words mean.",
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("patients.xlsx"),
    show_default=True,
    help="The workbook to make; one that is there is never overwritten.",
)
def import_patients(file: Path, mapping: Path, target: Path) -> None:
    """Make patients.xlsx of another system's export, CSV or workbook.

    Nothing is guessed: as long as any value is not understood, all of them are listed
    and nothing is written. Exit 3 then, and when a night would hold some of the rows.

    Example: membill import patients export.csv --map mapping.toml
    """
    from pipeline.importing import import_patients as bring_in
    from pipeline.importing import report
    from pipeline.mapping import WrongMapping

    if target.suffix.lower() != ".xlsx":
        raise click.UsageError("--to names a workbook, such as patients.xlsx")
    with outcomes():
        try:
            imported = bring_in(file, mapping, target)
        except WrongMapping as wrong:
            raise click.UsageError(str(wrong)) from None
    for line, is_result in report(imported, file, target):
        click.echo(line, err=not is_result)
    sys.exit(HELD if imported.unknown or imported.held else 0)


@cli.command()
@FOLDER
@LEDGER
def rebuild(folder: Path, ledger: Path | None) -> None:
    """Make every output again from the ledger. Published invoices are never rewritten.

    Example: membill rebuild /srv/clinic
    """
    from pipeline.desk import rebuild as make_again

    with outcomes():
        published = make_again(folder, _ledger(folder, ledger))
    click.echo(f"{len(published.written)} files made below {folder / 'out'}")
    _warn(published.warnings)
    sys.exit(REFUSED if published.warnings else 0)


@cli.command()
@FOLDER
@click.option("--head", metavar="HASH", help="A chain head noted down earlier.")
@click.option(
    "--deep", is_flag=True, help="Also make every invoice again; takes a while."
)
@LEDGER
def verify(folder: Path, head: str | None, deep: bool, ledger: Path | None) -> None:
    """Prove the ledger: numbers, sums, overlaps, hash chain, head, files, permissions.

    With --head, also that it still holds what it held when that head was noted: at
    least the first 16 digits of one from the terminal, the summary or a register.

    Example: membill verify /srv/clinic
    """
    from pipeline.ledger import opened
    from pipeline.verify import holds_link, is_head, left_alone
    from pipeline.verify import verify as prove

    if head is not None and not is_head(head):
        raise click.UsageError(
            "--head takes 16 to 64 digits of a chain head, 0-9 and a-f"
        )
    with outcomes(), _held_still(folder, ledger) as path:
        results = [left_alone(path)]
        with opened(path, write=False) as book:
            results += prove(book, folder / "out", deep=deep)
            results += [holds_link(book, head)] if head else []
    for result in results:
        click.echo(f"{'ok    ' if not result.faults else 'WRONG '} {result.promise}")
        for fault in result.faults:
            click.echo(f"       {fault}")
    sys.exit(REFUSED if any(result.faults for result in results) else 0)


@cli.command()
@FOLDER
@LEDGER
def backup(folder: Path, ledger: Path | None) -> None:
    """Make a checked copy of the ledger in FOLDER/ledger/backups.

    Every night makes one as well and thins its own out; one made by this is never removed.

    Example: membill backup /srv/clinic
    """
    from pipeline.backups import backup as copy

    with outcomes():
        click.echo(f"checked copy: {copy(_ledger(folder, ledger))}")


@cli.command()
@FOLDER
@click.argument("backup_file", type=click.Path(path_type=Path), metavar="BACKUP")
@click.option(
    "--adopt",
    is_flag=True,
    help="Enter invoices that are newer than the copy again, from their workbooks.",
)
@LEDGER
def restore(folder: Path, backup_file: Path, adopt: bool, ledger: Path | None) -> None:
    """Bring a copy of the ledger back. What it replaces is kept beside it.

    Refused when invoices were published after the copy was made: their numbers must
    never be given out again. With --adopt they are entered again from the data in
    their workbooks.

    Example: membill restore /srv/clinic /srv/clinic/ledger/backups/2026-11-30-01.duckdb
    """
    from pipeline.restore import restore as bring_back

    with outcomes():
        restored = bring_back(
            _ledger(folder, ledger), backup_file, folder / "out", again=adopt
        )
    click.echo(f"restored from {backup_file}")
    if restored.kept:
        click.echo(f"what it replaced is kept as {restored.kept}")
    numbers = restored.adopted.numbers
    if numbers:
        click.echo(f"{len(numbers)} documents entered again: {', '.join(numbers)}")
    _warn(restored.adopted.warnings)


def main() -> None:
    """The console script: a crash says so in one line and keeps the rest in a file."""
    try:
        cli()
    except Exception as error:  # the last boundary: nothing may end in a traceback
        from pipeline.crash import keep

        kept = keep(error)
        click.echo(
            f"membill stopped because of a fault of its own ({type(error).__name__});"
            f" what was recorded before is whole. Details for whoever looks after it: {kept}",
            err=True,
        )
        sys.exit(CRASHED)


if __name__ == "__main__":
    main()
