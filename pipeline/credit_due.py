"""What an End date makes of billed periods: proposed, never credited by itself.

What was billed beyond it is due for credit; what was credited for it is charged again
only when somebody says so, should the End date be taken back.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any

from pipeline.cells import show
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import Sheet

Row = dict[str, Any]
MOST_COMMANDS = 12

# Billed periods of a membership that end after the member's End date, what is left of
# their lines, and how many whole months of the period lie after the End date.
_BEYOND = """
select
    patients.row_number,
    patients.patient_id,
    patients.end_date,
    billed.number,
    billed.line,
    billed.period_start,
    billed.period_end,
    lines.gross,
    coalesce(credited.gross, 0)::decimal(14, 2) as credited,
    (select count(*) from ledger.lines as others where others.number = billed.number)
        as lines_there,
    case lines.frequency when 'Annual' then 12 else 1 end as months,
    -- Months of the period counted from its first day, as its own start date counts them.
    (
        select count(*) from range(1, months) as later (n)
        where (billed.period_start + to_months(later.n::integer))::date
            > patients.end_date
    ) as months_unused
from input.patients as patients
inner join tonight.in_force.billed_periods as billed
    on patients.row_key = billed.patient_key
inner join ledger.lines as lines using (number, line)
left join tonight.in_force.taken_back as credited using (number, line)
where not patients.held
    and patients.row_number is not null
    and patients.end_date < billed.period_end
    and lines.request_id is null
order by patients.row_number, billed.period_start
"""

# Billed periods that were credited while an End date said that the membership ends before
# them, or within them, and that the row of tonight asks for again. What was credited for
# another reason is not among them, and neither is what no night would catch up with.
_ASKED_AGAIN = """
with
credited as (
    select
        patients.row_number,
        patients.patient_id,
        patients.end_date,
        billed.number,
        billed.line,
        billed.period_start,
        case lines.frequency when 'Annual' then 12 else 1 end as months,
        taken.gross as credited,
        taken.notes,
        (select count(*) from ledger.lines as others where others.number = billed.number)
            as lines_there,
        (
            select arg_max_null(versions.end_date, versions.run_no)
            from ledger.accepted.patients as versions
            where versions.row_key = billed.patient_key
                and versions.run_no < taken.run_no
        ) as ended
    from input.patients as patients
    cross join input.practice as practice
    inner join tonight.in_force.billed_periods as billed
        on patients.row_key = billed.patient_key
    inner join ledger.lines as lines using (number, line)
    inner join tonight.in_force.taken_back as taken using (number, line)
    where not patients.held
        and patients.row_number is not null
        and patients.membership_active
        and lines.request_id is null
        and billed.period_end >= ?::date - practice.catch_up_days
)
select *
from credited
where exists (
    select 1 from range(0, months) as later (n)
    where (period_start + to_months(later.n::integer))::date > ended
        and (period_start + to_months(later.n::integer))::date
            <= coalesce(end_date, date '9999-12-31')
)
order by row_number, period_start
"""


def asked_again(
    ledger: Ledger, sheets: dict[str, Sheet], as_of: date
) -> Iterator[Problem]:
    """A problem for each member credited for an End date that holds no longer."""
    rows = ledger.rows(_ASKED_AGAIN, [as_of])
    for row_number, of_member in groupby(rows, key=lambda row: row["row_number"]):
        place = sheets["patients"].place(row_number, "end_date")
        yield _goes_on(place, list(of_member))


def _goes_on(place: Place, credited: Sequence[Row]) -> Problem:
    first = credited[0]
    now = show(first["end_date"]) if first["end_date"] else "blank"
    notes = ", ".join(dict.fromkeys(note for row in credited for note in row["notes"]))
    total = sum((row["credited"] for row in credited), Decimal(0))
    commands = "; ".join(
        " ".join([*_of_line(row), '--rebill --reason "goes on" --by USER'])
        for row in credited[:MOST_COMMANDS]
    )
    return Problem(
        Severity.CHECK,
        "credited-and-goes-on",
        place,
        f"{notes} credited {total:,.2f} when the End date of {first['patient_id']} was"
        f" {show(first['ended'])}; it is {now} now, and what was credited stands"
        " uncharged",
        "every period up to the End date charged",
        f"put the End date back, or have it billed again: {commands}",
        subject=first["patient_id"],
        effect=f"{total:,.2f} not charged",
    )


def credit_due(
    ledger: Ledger, sheets: dict[str, Sheet], as_of: date
) -> Iterator[Problem]:
    """A problem for each member of whom more was billed than up to the End date."""
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
    unused = row["gross"] * row["months_unused"] / row["months"]
    unused = unused.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return max(unused - Decimal(row["credited"]), Decimal(0))


def _problem(place: Place, due: Sequence[tuple[Row, Decimal]]) -> Problem:
    first = due[0][0]
    total = sum((amount for _, amount in due), Decimal(0))
    until = show(max(row["period_end"] for row, _ in due))
    numbers = ", ".join(dict.fromkeys(row["number"] for row, _ in due))
    commands = "; ".join(_command(row, amount) for row, amount in due[:MOST_COMMANDS])
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
