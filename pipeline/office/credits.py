"""Credit notes: what is left of an invoice's lines, and taking back all or a part of it.

A part is given gross. Its tax is the tax of all that was taken back so far, at the line's
own rate and half up, less what was taken back before: so parts never come to more than
the line, and all of them together are its net and tax to the penny.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from pipeline.bookkeeping.books import IN_PART
from pipeline.bookkeeping.seals import first_open_day
from pipeline.clock import Today
from pipeline.exports.words import money
from pipeline.in_force import setting_in_force
from pipeline.ledger import Ledger
from pipeline.office.desk import (
    Say,
    WrongRequest,
    day_of,
    document_of,
    must_may,
    must_say,
    unsaid,
    working,
)
from pipeline.publish import publish
from pipeline.record import add_run, letterhead_columns, run_id_of
from pipeline.transaction import transaction
from pipeline.version import VERSION
from schemas.columns import column_types
from schemas.ledger import Invoices, Lines

Row = dict[str, Any]
PENNY = Decimal("0.01")


@dataclass(frozen=True)
class Wish:
    """What to take back: all that is left, or of a line, or a part; to be billed again?

    `amount` is gross, as it was typed.
    """

    number: str
    line: int | None
    amount: str | None
    rebill: bool


@dataclass(frozen=True)
class Made:
    """A credit note that was made: its number, what it takes back, and warnings."""

    number: str
    credits: str
    gross: Decimal
    left: Decimal
    currency: str
    rebill: bool
    lines: Sequence[int]
    still_credited: Sequence[int]
    warnings: Sequence[str]

    def told(self) -> str:
        """The outcome in a line."""
        taken, left = (money(each, self.currency) for each in (self.gross, self.left))
        said = f"{self.number} takes back {taken} of {self.credits}"
        if self.rebill and not self.gross:
            said = (
                f"{self.number} frees {_named(self.lines)} of {self.credits}, credited"
                " before"
            )
        said += f"; {left} is left" if self.left else "; nothing is left"
        if self.rebill:
            which = f" {_named(self.lines)}" if self.left or self.still_credited else ""
            said += (
                f"; the next night bills{which or ' it'} again, if the sheets still ask"
                " for it"
            )
        if self.rebill and self.still_credited:
            said += (
                f"; {_named(self.still_credited)}, credited before without --rebill,"
                " stays credited: to free it, name it with --line"
            )
        return said


def _named(lines: Sequence[int]) -> str:
    """Lines of an invoice in words."""
    listed = " and ".join(map(str, lines))
    return f"line {listed}" if len(lines) == 1 else f"lines {listed}"


def part(line: Row, before: Decimal, amount: Decimal) -> tuple[Decimal, Decimal]:
    """Net and tax of a part of a line, after so much of it was taken back before."""
    after = before + amount
    tax = _tax(line, after) - _tax(line, before)
    return amount - tax, tax


def _tax(line: Row, gross: Decimal) -> Decimal:
    """The tax in so much of a line."""
    if gross == line["gross"]:
        return Decimal(line["tax"])
    rate = line["tax_rate"]
    return (gross * rate / (100 + rate)).quantize(PENNY, ROUND_HALF_UP)


def make_credit_note(
    folder: Path,
    path: Path,
    wish: Wish,
    *,
    reason: str,
    by: str,
    on: date | None,
    today: Today,
    say: Say = unsaid,
) -> Made:
    """Take back what is wished for, in one credit note.

    The billed period stays billed unless the wish says `rebill`. Raises `WrongRequest`
    where there is nothing or too little left, or the user has no right to.
    """
    with working(folder, path, say) as ledger:
        must_may(ledger, by)
        must_say("--reason", reason)
        invoice = document_of(ledger, wish.number)
        if invoice["kind"] != "invoice":
            raise WrongRequest(f"{invoice['number']} is a credit note itself")
        lines = _lines_left(ledger, invoice["number"])
        taken = _taken_back(ledger, invoice, lines, wish)
        sequence, day = _next_note(ledger, invoice, day_of(ledger, on, today), on)
        run_id = run_id_of(ledger, day)
        made = f"{setting_in_force(ledger, 'credit_note_prefix')}{sequence:06d}"
        note = {
            "number": made, "kind": "credit_note", "sequence": sequence,
            "issued_on": day, "due_on": day, "reason": reason,
            "credits_number": invoice["number"],
        }  # fmt: skip
        report = {"run_id": run_id, "command": "credit", "numbers": [made]}
        with transaction(ledger) as run_no:
            add_run(ledger, run_no, run_id, "credit", day, VERSION, report, by=by)
            _write(ledger, invoice, {**note, "run_no": run_no}, taken)
            release(ledger, made)
        gross = -sum((line["gross"] for line in taken), Decimal(0))
        left = sum((line["left"] for line in lines), Decimal(0)) - gross
        of = [line["credits_line"] for line in taken]
        still_credited = [
            line["line"]
            for line in lines
            if line["in_force"] and not line["open"] and line["line"] not in of
        ]
        warnings = publish(ledger, folder / "out").warnings
        return Made(
            made, invoice["number"], gross, left, invoice["currency"], wish.rebill,
            of, still_credited if wish.line is None else [], warnings,
        )  # fmt: skip


def _lines_left(ledger: Ledger, number: str) -> list[Row]:
    """The lines of an invoice with what credit notes took back and what they left."""
    rows = ledger.rows(
        "select lines.*, coalesce(taken.gross, 0)::decimal(14, 2) as credited,"
        "  (lines.gross - coalesce(taken.gross, 0))::decimal(14, 2) as left,"
        "  coalesce(notes, []) as notes,"
        "  exists (from tonight.in_force.billed_periods as billed"
        "   where billed.number = lines.number and billed.line = lines.line)"
        "  or exists (from tonight.in_force.filled_requests as filled"
        "   where filled.number = lines.number and filled.line = lines.line) as in_force"
        " from ledger.lines as lines"
        " left join tonight.in_force.taken_back as taken using (number, line)"
        " where number = ? order by line",
        [number],
    )
    # A line of nothing is taken back by one credit note, like any other.
    return [{**row, "open": row["left"] > 0 or not row["notes"]} for row in rows]


def _taken_back(
    ledger: Ledger, invoice: Row, lines: list[Row], wish: Wish
) -> list[Row]:
    """The lines of the credit note, or `WrongRequest`."""
    chosen = _chosen(invoice, lines, wish)
    if wish.amount is None:
        amounts = [(line, line["left"]) for line in chosen]
    else:
        (line,) = chosen
        amount = _amount(wish.amount)
        _must_fit(invoice, line, amount, wish.rebill)
        amounts = [(line, amount)]
    inclusive = ledger.value(
        "select prices_include_tax from ledger.letterheads where run_no = ?",
        [invoice["run_no"]],
    )
    return [
        _line_of_note(at, line, amount, wish.rebill, bool(inclusive))
        for at, (line, amount) in enumerate(amounts, start=1)
    ]


def _must_fit(invoice: Row, line: Row, amount: Decimal, rebill: bool) -> None:
    """No more is taken back than is left, and billed again is a whole line."""
    left, currency = line["left"], invoice["currency"]
    which = f"{invoice['number']} line {line['line']}"
    if amount > left:
        raise WrongRequest(
            f"{money(amount, currency)} is more than is left of {which},"
            f" {money(left, currency)}"
        )
    if rebill and amount < left:
        raise WrongRequest(
            "--rebill goes with taking back the whole line;"
            f" {money(amount, currency)} would leave {money(left - amount, currency)} of"
            f" {which} in force"
        )


def _chosen(invoice: Row, lines: list[Row], wish: Wish) -> list[Row]:
    """The lines that are meant and have something left."""
    number, listed = invoice["number"], _listed(lines, invoice["currency"])
    if wish.line is not None:
        meant = [line for line in lines if line["line"] == wish.line]
        if not meant:
            raise WrongRequest(
                f"{number} has no line {wish.line}; its lines are {listed}"
            )
    elif wish.amount is not None and len(lines) > 1:
        raise WrongRequest(
            f"{number} has {len(lines)} lines: say with --line of which one;"
            f" they are {listed}"
        )
    else:
        meant = lines
    still = [line for line in meant if line["open"]]
    if not still and wish.rebill:  # credited without it: freed by a note of nothing
        still = [line for line in meant if line["in_force"]]
    if not still:
        by = ", ".join(sorted({note for line in meant for note in line["notes"]}))
        which = number if wish.line is None else f"{number} line {wish.line}"
        said = f"{which} was credited already, by {by}: nothing is left"
        if any(line["in_force"] for line in meant):
            said += "; to have it billed again, add --rebill"
        raise WrongRequest(said)
    return still


def _listed(lines: list[Row], currency: str) -> str:
    """The lines of an invoice in words, without a name."""
    return ", ".join(
        f"{line['line']} ({line['product_code']} of {line['patient_id']},"
        f" {money(line['left'], currency)} left)"
        for line in lines
    )


def _amount(typed: str) -> Decimal:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,2})?", typed) or not Decimal(typed):
        raise WrongRequest(
            f"--amount {typed} is no amount; write pounds and pence, as 12.50"
        )
    return Decimal(typed).quantize(PENNY)


def _line_of_note(
    at: int, line: Row, amount: Decimal, rebill: bool, inclusive: bool
) -> Row:
    """A line of the invoice, or a part of it, with its amounts turned round."""
    net, tax = part(line, line["credited"], amount)
    note = {**line, "line": at, "credits_line": line["line"], "rebill": rebill}
    if amount == 0 != line["gross"]:
        note["unit_price"] = amount
    elif amount != line["gross"]:
        note |= {
            "description": f"{line['description']}{IN_PART}", "quantity": 1,
            "unit_price": amount if inclusive else net,
        }  # fmt: skip
    return note | {"net": -net, "tax": -tax, "gross": -amount}


def _next_note(
    ledger: Ledger, invoice: Row, day: date, on: date | None
) -> tuple[int, date]:
    """The credit note's place in its series, and its day.

    It is no earlier than the invoice, than the note before it and than the first day of
    an open month; a day that was given and is earlier is refused.
    """
    open_from = first_open_day(ledger)
    if on and open_from and on < open_from:
        raise WrongRequest(
            f"{on} lies in a month that is closed, {open_from - timedelta(days=1):%Y-%m}"
            f" or one before it; a credit note belongs to the month it is made in: leave"
            f" --on out, or give {open_from} or a later day"
        )
    rows = ledger.rows("select * from ledger.counters where kind = 'credit_note'")
    if on and on < invoice["issued_on"]:
        raise WrongRequest(
            f"{on} is before {invoice['number']} was made, on {invoice['issued_on']}:"
            " leave --on out, or give that day or a later one"
        )
    before = rows[0]["last_issued_on"] if rows else None
    if on and before and on < before:
        raise WrongRequest(
            f"{on} is before the last credit note, which is of {before}, and dates never"
            " fall as numbers rise: leave --on out, or give that day or a later one"
        )
    earliest = [invoice["issued_on"], open_from, before]
    sequence = rows[0]["last_sequence"] + 1 if rows else 1
    return sequence, max(day, *filter(None, earliest))


def _write(ledger: Ledger, invoice: Row, note: Row, lines: list[Row]) -> None:
    """The invoice once more under a number of its own, with the lines it takes back."""
    sums = {
        name: sum((line[name] for line in lines), Decimal(0))
        for name in ("net", "tax", "gross")
    }
    # The header names a patient where all of its lines are for the same one.
    patients = {line["patient_id"]: line["patient_name"] for line in lines}
    header = {
        **invoice, **note, **sums,
        "membership": any(line["membership"] for line in lines),
    }  # fmt: skip
    if len(patients) == 1:
        ((header["patient_id"], header["patient_name"]),) = patients.items()
    insert(ledger, "invoices", list(column_types(Invoices)), [header])
    insert(ledger, "lines", list(column_types(Lines)), [
        {**line, "number": note["number"]} for line in lines
    ])  # fmt: skip
    columns = letterhead_columns()
    ledger.connection.execute(
        f"insert into ledger.letterheads (run_no, {columns})"
        f" select {note['run_no']}, {columns} from ledger.letterheads where run_no = ?",
        [invoice["run_no"]],
    )


def insert(
    ledger: Ledger, table: str, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """Append rows to a table of the ledger, by the names of its columns."""
    ledger.connection.executemany(
        f"insert into ledger.{table} ({', '.join(columns)})"
        f" values ({', '.join('?' * len(columns))})",
        [[row[name] for name in columns] for row in rows],
    )


# What of a kind was used up, and by which columns it is known.
_USED = {
    "periods": ("billed_periods", "patient_key, period_start"),
    "requests": ("filled_requests", "request_key"),
}


def release(ledger: Ledger, number: str) -> None:
    """Free what the lines of a credit note take back to be billed again."""
    for kind, (used, key) in _USED.items():
        ledger.connection.execute(
            f"insert into ledger.released_{kind} ({key}, generation, number, line)"
            f" with freed as (select lines.number as note, lines.line as note_line,"
            "   notes.credits_number as number, lines.credits_line as line"
            "  from ledger.lines as lines"
            "  inner join ledger.invoices as notes using (number)"
            "  where lines.number = ? and lines.rebill)"
            f" select {key}, generation, note, note_line"
            f" from freed inner join ledger.{used} using (number, line)",
            [number],
        )
