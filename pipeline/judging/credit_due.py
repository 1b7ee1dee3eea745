"""What an End date makes of billed periods: proposed, never credited by itself.

What was billed beyond it is due for credit; what was credited for it is charged again
only when somebody says so, should the End date be taken back.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

from pipeline.cells.spelling import show
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import Sheet

Row = dict[str, Any]
MOST_COMMANDS = 12

# How many months a line of `lines` was billed for: those that begin in its period, fewer
# than its frequency has where an End date had cut it short.
MONTHS_BILLED = """
1 + len(list_filter(
    range(1, case lines.frequency when 'Annual' then 12 else 1 end),
    lambda n: (lines.period_start + to_months(n::integer))::date <= lines.period_end
))
"""

# Billed periods of members in the sheet.
_BILLED = f"""
billed as (
    select
        patients.row_number,
        patients.patient_id,
        patients.row_key,
        patients.membership_active,
        patients.start_date,
        patients.end_date,
        periods.number,
        periods.line,
        periods.period_start,
        periods.period_end,
        lines.gross,
        {MONTHS_BILLED} as months
    from input.patients as patients
    inner join tonight.in_force.billed_periods as periods
        on patients.row_key = periods.patient_key
    inner join ledger.lines as lines using (number, line)
    where not patients.held
        and patients.row_number is not null
        and lines.request_id is null
)
"""

_LINES_THERE = """
(select count(*) from ledger.lines as others where others.number = billed.number)
    as lines_there
"""


def months_after(day: str) -> str:
    """SQL for the months a period was billed for, but the first, that begin after a day.

    They are counted from the period's first day, as its own start date counts them.
    """
    return (
        "len(list_filter(range(1, months),"
        f" lambda n: (period_start + to_months(n::integer))::date > {day}))"
    )


# Those that end after the member's End date, and what is left of their lines.
_BEYOND = f"""
with {_BILLED}
select
    billed.*,
    coalesce(credited.gross, 0)::decimal(14, 2) as credited,
    {_LINES_THERE},
    {months_after("billed.end_date")} as months_unused
from billed
left join tonight.in_force.taken_back as credited using (number, line)
where billed.end_date < billed.period_end
order by billed.row_number, billed.period_start
"""

# Credits of them that were made while the accepted End date, or that of the next night,
# said that the membership ends before them or within them, and that a row of tonight with
# a later End date asks for again. What was credited for another reason is not among them,
# nor what lies before a new Start date or what no night catches up with.
_ASKED_AGAIN = f"""
with {_BILLED},
notes as (
    select
        invoices.number,
        invoices.credits_number,
        invoices.run_no,
        (
            select min(runs.run_no) from ledger.runs as runs
            where runs.command = 'bill' and runs.run_no > invoices.run_no
        ) as next_night
    from ledger.invoices as invoices
    where invoices.kind = 'credit_note'
),
credits as (
    select
        billed.*,
        {_LINES_THERE},
        notes.number as note,
        -note_lines.gross as credited,
        (
            select arg_max_null(versions.end_date, versions.run_no)
            from ledger.accepted.patients as versions
            where versions.row_key = billed.row_key
                and versions.run_no <= notes.run_no
        ) as ended_before,
        (
            select arg_max_null(versions.end_date, versions.run_no)
            from ledger.accepted.patients as versions
            where versions.row_key = billed.row_key
                and versions.run_no <= notes.next_night
        ) as ended_after
    from billed
    cross join input.practice as practice
    inner join notes on billed.number = notes.credits_number
    inner join ledger.lines as note_lines
        on notes.number = note_lines.number
        and billed.line = note_lines.credits_line
    where billed.membership_active
        and billed.start_date <= billed.period_start
        and billed.period_end >= ?::date - practice.catch_up_days
),
for_end_dates as (
    select
        *,
        case
            when ended_before < period_end then ended_before
            when ended_after < period_end then ended_after
        end as ended,
        {months_after("end_date")} as months_unused,
        {months_after("ended")} as months_unused_then
    from credits
)
select
    row_number, patient_id, end_date, number, line, period_start, gross, months,
    months_unused, lines_there,
    sum(credited)::decimal(14, 2) as credited,
    list(note order by note)
        filter (ended < coalesce(end_date, date '9999-12-31')) as notes,
    min(ended) as ended,
    max(months_unused_then) as months_unused_then
from for_end_dates
where ended is not null
group by all
having min(ended) < coalesce(end_date, date '9999-12-31')
order by row_number, period_start
"""


def asked_again(
    ledger: Ledger, sheets: dict[str, Sheet], as_of: date
) -> Iterator[Problem]:
    """A problem for each member credited for an End date that holds no longer."""
    # Most practices have no credit note, and the question costs more than the answer.
    if not ledger.value(
        "select exists (from ledger.invoices where kind = 'credit_note')"
    ):
        return
    rows = ledger.rows(_ASKED_AGAIN, [as_of])
    for row_number, of_member in groupby(rows, key=lambda row: row["row_number"]):
        lost = [(row, _uncharged(row)) for row in of_member]
        lost = [(row, amount) for row, amount in lost if amount > 0]
        if lost:
            place = sheets["patients"].place(row_number, "end_date")
            yield _goes_on(place, lost)


def _unused(row: Row, end: date | None, months: int) -> Decimal:
    """What an End date leaves unused of a billed period: its share of the months billed."""
    if end is None:
        return Decimal(0)
    if row["period_start"] > end:
        return Decimal(row["gross"])
    unused = row["gross"] * months / row["months"]
    return Decimal(unused).quantize(Decimal("0.01"), ROUND_HALF_UP)


def _now(row: Row) -> Decimal:
    return _unused(row, row["end_date"], row["months_unused"])


def _uncharged(row: Row) -> Decimal:
    """What was credited for the End date it was, less what the one of now leaves unused."""
    then = _unused(row, row["ended"], row["months_unused_then"])
    return min(Decimal(row["credited"]), then) - _now(row)


def _goes_on(place: Place, uncharged: Sequence[tuple[Row, Decimal]]) -> Problem:
    first = uncharged[0][0]
    now = show(first["end_date"]) if first["end_date"] else "blank"
    notes = dict.fromkeys(note for row, _ in uncharged for note in row["notes"])
    total = sum((amount for _, amount in uncharged), Decimal(0))
    ways = [
        # Billed again, a period that is cut short would be charged in full.
        f"charge {amount:,.2f} for {row['number']} by a row of Invoice requests with a"
        " product of that price"
        if _now(row)
        else " ".join([*_of_line(row), '--rebill --reason "goes on" --by USER'])
        for row, amount in uncharged
    ]
    return Problem(
        Severity.CHECK,
        "credited-and-goes-on",
        place,
        f"the End date of {first['patient_id']} was {show(first['ended'])} when"
        f" {', '.join(notes)} credited what lies after it; it is {now} now, so that"
        f" {total:,.2f} is charged to nobody",
        "every month up to the End date charged",
        f"put the End date back, or have it charged: {_listed(ways)}",
        subject=first["patient_id"],
        effect=f"{total:,.2f} not charged",
    )


def _listed(commands: Sequence[str]) -> str:
    more = len(commands) - MOST_COMMANDS
    return "; ".join(commands[:MOST_COMMANDS]) + (f"; and {more} more" * (more > 0))


def credit_due(
    ledger: Ledger, sheets: dict[str, Sheet], as_of: date
) -> Iterator[Problem]:
    """A problem for each member of whom more was billed than up to the End date."""
    if not ledger.value(
        "select exists (from input.patients where end_date is not null)"
    ):
        return
    rows = ledger.rows(_BEYOND)
    for row_number, of_member in groupby(rows, key=lambda row: row["row_number"]):
        due = [(row, _proposed(row, as_of)) for row in of_member]
        due = [(row, amount) for row, amount in due if amount > 0]
        if due:
            place = sheets["patients"].place(row_number, "end_date")
            yield _problem(place, due)


def _proposed(row: Row, as_of: date) -> Decimal:
    """What is still to be credited: the whole period, or the months not begun of it.

    A month that was begun is charged in full, as a period that the End date cuts short
    is (rule 2). Of a period that is over nothing more is proposed but the whole.
    """
    left: Decimal = row["gross"] - row["credited"]
    if row["period_start"] > row["end_date"]:
        return left
    if row["period_end"] < as_of:
        return Decimal(0)
    return max(_now(row) - Decimal(row["credited"]), Decimal(0))


def _problem(place: Place, due: Sequence[tuple[Row, Decimal]]) -> Problem:
    first = due[0][0]
    total = sum((amount for _, amount in due), Decimal(0))
    until = show(max(row["period_end"] for row, _ in due))
    numbers = ", ".join(dict.fromkeys(row["number"] for row, _ in due))
    commands = _listed([_command(row, amount) for row, amount in due])
    return Problem(
        Severity.CHECK,
        "credit-due",
        place,
        f"the End date is {show(first['end_date'])}, but {first['patient_id']} is billed"
        f" until {until}, on {numbers}: a credit of {total:,.2f} is due",
        "nothing billed for months that begin after the End date",
        f"correct the End date, or credit it: {commands}",
        subject=first["patient_id"],
        effect=f"credit of {total:,.2f} proposed",
    )


def _command(row: Row, amount: Decimal) -> str:
    """The exact command, but for the folder and the user."""
    words = _of_line(row)
    if amount < row["gross"] - row["credited"]:
        words.append(f"--amount {amount}")
    words.append(f'--reason "ended {show(row["end_date"])}" --by USER')
    return " ".join(words)


def _of_line(row: Row) -> list[str]:
    """The words of the command that name the line."""
    named = [f"--line {row['line']}"] if row["lines_there"] > 1 else []
    return ["membill credit FOLDER", row["number"], *named]
