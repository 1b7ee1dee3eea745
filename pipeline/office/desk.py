"""What staff do by command between nights: record a sending, make everything again."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipeline.bookkeeping.deferred import is_month
from pipeline.cells import LONGEST_TEXT
from pipeline.clock import Today
from pipeline.exports.exact_text import Unwritable, exact
from pipeline.in_force import setting_in_force
from pipeline.judging.meant import number_meant
from pipeline.judging.sent_log import not_there
from pipeline.ledger import Ledger, locked, opened
from pipeline.problems import WrongUsage
from pipeline.proof.lost_numbers import must_know_published
from pipeline.publish import Published, finish, publish
from pipeline.record import add_run, run_id_of
from pipeline.rights import users
from pipeline.transaction import transaction
from pipeline.version import VERSION

Say = Callable[[str], None]


def unsaid(text: str) -> None:
    """Where nobody listens."""


class WrongRequest(WrongUsage):
    """What was asked for cannot be done; the message says why and what would do."""


def must_may(ledger: Ledger, user: str, area: str = "invoices") -> None:
    """Raise `WrongRequest` for a user who may not Edit an area."""
    must_say("--by", user)
    if users.may(ledger, user, area):
        return
    known = users.users(ledger)
    near = get_close_matches(user, known, n=1)
    hint = f"; did you mean {near[0]}?" if near and near[0] != user else ""
    raise WrongRequest(
        f"{user} is not an active user whose role may Edit {area.capitalize()}{hint}"
    )


def day_of(ledger: Ledger, on: date | None, today: Today) -> date:
    """The day of what is done: today in the practice's zone, or an earlier one."""
    now = today(str(setting_in_force(ledger, "time_zone")))
    if on and on > now:
        raise WrongRequest(f"{on} is after today, {now}")
    return on or now


def must_be_month(text: str) -> None:
    """Raise `WrongRequest` unless it is a month, written as 2026-03."""
    if not is_month(text):
        raise WrongRequest(f"{text} is not a month; write it as 2026-03")


def must_say(what: str, text: str) -> None:
    """Raise `WrongRequest` for a blank text, or one that could not be shown."""
    if not text.strip():
        raise WrongRequest(f"{what} is blank")
    _must_be_writable(what, text)


def _must_be_writable(what: str, text: str) -> None:
    """What is typed here is held to what is typed in a cell."""
    if len(text) > LONGEST_TEXT:
        raise WrongRequest(f"{what} is longer than {LONGEST_TEXT:,} characters")
    try:
        exact(text)
    except Unwritable:
        raise WrongRequest(
            f"{what} has characters in it that cannot be shown or printed"
        ) from None


def document_of(ledger: Ledger, number: str) -> dict[str, Any]:
    """The document of a number as it is kept, however its letters are typed."""
    typed = number.strip()
    rows = ledger.rows(
        "select * from ledger.invoices where upper(number) = upper(?)", [typed]
    )
    if rows:
        return rows[0]
    if not typed:
        raise WrongRequest("the number is blank; see `membill invoices`")
    near = number_meant(ledger, typed)
    hint = f"did you mean {near}?" if near else "see `membill invoices`"
    raise WrongRequest(f"no invoice {typed} has been made; {hint}")


def record_sending(
    folder: Path,
    path: Path,
    numbers: Sequence[str],
    *,
    sent_to: str,
    sent_by: str,
    sent_on: date | None,
    how: str | None,
    today: Today,
    say: Say = unsaid,
) -> tuple[list[str], list[str]]:
    """Record one sending of each document, and bring the outputs up to date.

    Returns the numbers that it recorded, and warnings: a sending that is there already,
    alike in day, recipient and way, is not recorded again. Raises `WrongRequest` for a
    number that is not there, a day before it was issued or after it was credited in full,
    or a user without the right; then nothing is recorded.
    """
    with working(folder, path, say) as ledger:
        must_may(ledger, sent_by)
        must_say("--to", sent_to)
        _must_be_writable("--how", how or "")
        # As a cell is read: blank is none, and spaces at the ends are not seen.
        sent_to, how = sent_to.strip(), (how or "").strip() or None
        meant = [document_of(ledger, number) for number in numbers]
        documents = list({document["number"]: document for document in meant}.values())
        day = day_of(ledger, sent_on, today)
        if wrong := not_there(ledger, documents, day):
            raise WrongRequest(wrong)
        known = ledger.rows(
            "select number from ledger.sendings where sent_on = ? and sent_to = ?"
            " and coalesce(how, '') = ?",
            [day, sent_to, how or ""],
        )
        before = {row["number"] for row in known}
        fresh = [d["number"] for d in documents if d["number"] not in before]
        if not fresh:
            return [], []
        _record_sendings(ledger, fresh, day, sent_to, how, sent_by)
        return fresh, publish(ledger, folder / "out").warnings


@contextmanager
def working(folder: Path, path: Path, say: Say) -> Iterator[Ledger]:
    """The ledger for a command of the desk, after what an earlier run left is done."""
    with locked(path), opened(path, write=True) as ledger:
        must_know_published(ledger, folder / "out")
        if left := finish(ledger, folder / "out"):
            say(left)
        yield ledger


def _record_sendings(
    ledger: Ledger,
    numbers: list[str],
    day: date,
    sent_to: str,
    how: str | None,
    sent_by: str,
) -> None:
    run_id = run_id_of(ledger, day)
    report = {"run_id": run_id, "command": "sent", "numbers": numbers}
    with transaction(ledger) as run_no:
        add_run(ledger, run_no, run_id, "sent", day, VERSION, report, by=sent_by)
        first = ledger.value(
            "select coalesce(max(sending_no), 0) + 1 from ledger.sendings"
        )
        ledger.connection.executemany(
            "insert into ledger.sendings values (?, ?, ?, ?, ?, ?, 'command', ?)",
            [
                (first + at, number, day, sent_to, how, sent_by, run_no)
                for at, number in enumerate(numbers)
            ],
        )


def rebuild(folder: Path, path: Path) -> Published:
    """Every output again from the ledger."""
    with locked(path), opened(path, write=path.exists()) as ledger:
        return publish(ledger, folder / "out", everything=True)
