"""Billed lines whose days a held period would bill once more, and what may be done."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pipeline.cells.spelling import show
from pipeline.judging.credit_due import MONTHS_BILLED, months_after
from pipeline.ledger import Ledger

Row = dict[str, Any]


def overlapped(
    ledger: Ledger, model: str, reason: str, row: str
) -> dict[int, list[Row]]:
    """The lines that rows so held overlap, by row, the earliest first.

    `day` is the first the row would bill, and `months_left` the months of the line that
    end on it or later: a month that was begun counts, as everywhere.
    """
    found = ledger.rows(
        "with lines as ("
        f" select held.{row} as row, min(held.period_start) as day, lines.number,"
        "   lines.line, lines.period_start, lines.period_end, lines.frequency,"
        "   lines.gross, lines.request_id, exists ("
        "    from input.invoice_requests as requests"
        "    where requests.row_key = canonical(lines.request_id)) as still_asked"
        f" from model.{model} as held"
        " inner join tonight.in_force.billed_periods as billed"
        "  on held.patient_key = billed.patient_key"
        "  and held.period_start <= billed.period_end"
        "  and held.period_end >= billed.period_start"
        " inner join ledger.lines as lines using (number, line)"
        " where held.reason = ? group by all)"
        f" select lines.*, {MONTHS_BILLED} as months,"
        f"  1 + {months_after('day')} as months_left,"
        "  coalesce(taken.gross, 0)::decimal(14, 2) as credited,"
        "  coalesce(taken.notes, []) as notes"
        " from lines left join tonight.in_force.taken_back as taken using (number, line)"
        " order by row, period_start",
        [reason],
    )
    lines = defaultdict(list)
    for line in found:
        lines[line["row"]].append(line)
    return lines


def free_days(ledger: Ledger) -> dict[int, date]:
    """The Start date that fits a membership so held, by its row.

    It is the day after the billed periods that follow on the overlapped one without a
    gap: counted from a day between them, the periods to come would overlap the next.
    """
    found = ledger.rows(
        "with held as ("
        " select patient_row, patient_key, arg_min(billed_until, period_start) as until"
        " from model.due_periods where reason = 'overlaps-billed' group by all)"
        " select held.patient_row, held.until, billed.period_start, billed.period_end"
        " from held inner join tonight.in_force.billed_periods as billed"
        "  on held.patient_key = billed.patient_key and held.until <= billed.period_end"
        " order by held.patient_row, billed.period_start"
    )
    free: dict[int, date] = {}
    for row in found:
        day = free.setdefault(row["patient_row"], row["until"] + timedelta(days=1))
        if row["period_start"] <= day <= row["period_end"]:
            free[row["patient_row"]] = row["period_end"] + timedelta(days=1)
    return free


def because(lines: Sequence[Row], until: date) -> str:
    """How it comes that a membership overlaps the last of these lines, billed until then."""
    line = _ending(lines, until)
    if line["request_id"]:
        return f" by the request {line['request_id']}, on {line['number']}"
    return ": the Start date or the Billing frequency was changed"


def instead(lines: Sequence[Row], until: date) -> str:
    """What a membership may do but begin the day after."""
    line = _ending(lines, until)
    if not line["request_id"]:
        return ", or put back what was changed" + credited(lines)
    freed = f"; or, if it should not have been billed: {_freed(line)}"
    return credited(lines) or freed


def _ending(lines: Sequence[Row], until: date) -> Row:
    """The line that ends on a day; no day is billed twice."""
    return next(line for line in lines if line["period_end"] == until)


def credited(lines: Sequence[Row], *, membership: bool = True) -> str:
    """What may be done where one of the lines was credited, but not freed."""
    noted = [line for line in lines if line["notes"]]
    for line in noted:
        if line["credited"] == line["gross"]:
            return (
                f"; {line['number']} was credited in full by {line['notes'][-1]}: to"
                f" have its days billed again, {_freed(line)}"
            )
    return _in_part(noted[0], membership) if noted else ""


def _freed(line: Row) -> str:
    """What has the days of a line billed again, by the rules of the next night."""
    row = f"delete the row of {line['request_id']} and " if line["still_asked"] else ""
    return (
        f"{row}`membill credit FOLDER {line['number']} --line {line['line']} --rebill"
        " --reason TEXT --by USER`"
    )


def _in_part(line: Row, membership: bool) -> str:
    """How days are charged that were credited and stay billed.

    To free them would take back what is left of the line too, which was rightly charged.
    """
    said = (
        f"; {', '.join(line['notes'])} credited {line['credited']:,.2f} of"
        f" {line['number']}: if that gave back"
    )
    if not membership:
        return (
            f"{said} these days, charge them by a row with a product that is no"
            " membership, of the price that is due"
        )
    share = line["gross"] * line["months_left"] / line["months"]
    charge = min(line["credited"], share.quantize(Decimal("0.01"), ROUND_HALF_UP))
    return (
        f"{said} days from {show(line['day'])} on, charge {charge:,.2f} of it by a row of"
        " Invoice requests with a product of that price"
    )
