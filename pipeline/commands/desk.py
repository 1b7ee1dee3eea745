"""Commands by which somebody entitled records what was done by hand."""

from datetime import date
from pathlib import Path

import click

from pipeline.commands import clock
from pipeline.commands.options import FOLDER, LEDGER, Day
from pipeline.commands.saying import aside, billed_at, outcomes, warn


@click.command()
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
    from pipeline.office.desk import record_sending

    with outcomes():
        recorded, warnings = record_sending(
            folder, billed_at(folder, ledger), numbers, sent_to=sent_to,
            sent_by=sent_by, sent_on=sent_on, how=how, today=clock.today, say=aside,
        )  # fmt: skip
    if recorded:
        click.echo(f"Recorded as sent: {', '.join(recorded)}")
    if len(recorded) < len({number.strip().upper() for number in numbers}):
        click.echo("What was recorded before, alike in every word, was left as it is.")
    warn(warnings)


@click.command()
@FOLDER
@click.argument("number")
@click.option(
    "--reason",
    required=True,
    help="Kept; printed on a patient's credit note, never on a contact's.",
)
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
    from pipeline.office.credits import Wish, make_credit_note

    wish = Wish(number, line, amount, rebill)
    with outcomes():
        made = make_credit_note(
            folder, billed_at(folder, ledger), wish, reason=reason, by=by, on=on,
            today=clock.today, say=aside,
        )  # fmt: skip
    click.echo(made.told())
    warn(made.warnings)


@click.command()
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
    from pipeline.office.closing import close as seal

    with outcomes():
        done = seal(
            folder,
            billed_at(folder, ledger),
            month,
            by=by,
            today=clock.today,
            say=aside,
        )
    click.echo(done.said)
    warn(done.warnings)


@click.command()
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
    from pipeline.office.forget import forget as pseudonymise

    with outcomes():
        done = pseudonymise(
            folder,
            billed_at(folder, ledger),
            patient_id,
            by=by,
            on=on,
            today=clock.today,
        )
    for line in done.told():
        click.echo(line)
    warn(done.warnings)
