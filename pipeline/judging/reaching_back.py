"""Edits that reach back over what is billed: it stays as it is, and somebody is told.

Prices and days are told on the night of the edit, beside the change itself: the next
night the sheets say what they said before.
"""

from dataclasses import dataclass
from typing import Any

from pipeline.cells.spelling import heading, show
from pipeline.exports.words import counted
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import Sheet
from schemas.columns import columns
from schemas.practice import Practice

Row = dict[str, Any]
_NAMED = 5

# A later change counts for its own days, and a contract price before any change.
_NO_OTHER = """
    not starts_with(lines.price_source, 'contract price')
    and not exists (
        from input.price_changes as later
        where later.product_code = fresh.product_code
            and not later.held
            and later.effective_from > fresh.effective_from
            and later.effective_from <= billed.period_start
            and case lines.frequency
                when 'Annual' then later.annual_price else later.monthly_price
            end is not null
    )
    and not exists (
        from input.contract_prices as agreed
        where agreed.product_code = fresh.product_code
            and agreed.contact_code = invoices.bill_to
            and not agreed.held
            and billed.period_start >= coalesce(agreed.valid_from, billed.period_start)
            and billed.period_start <= coalesce(agreed.valid_to, billed.period_start)
            and case lines.frequency
                when 'Annual' then agreed.annual_price else agreed.monthly_price
            end is not null
    )
"""


@dataclass(frozen=True)
class _Prices:
    """A sheet of prices: the column of their day, and in SQL the rest that tells them.

    `subject` names a price; `longer` is true of one that holds for longer than `before`;
    `counts` of a billed line whose price it would have been, had it been there.
    """

    day: str
    subject: str
    longer: str
    counts: str


_PRICES = {
    "price_changes": _Prices(
        day="effective_from",
        subject="fresh.product_code",
        longer="false",  # its day is its key: with another it is another row
        counts=f"billed.period_start >= fresh.effective_from and {_NO_OTHER}",
    ),
    "contract_prices": _Prices(
        day="valid_from",
        subject="fresh.contact_code || ' ' || fresh.product_code",
        longer="coalesce(now.valid_to, date '9999-12-31')"
        " > coalesce(before.valid_to, date '9999-12-31')",
        counts="invoices.bill_to = fresh.contact_code"
        " and billed.period_start >= coalesce(fresh.valid_from, billed.period_start)"
        " and billed.period_start <= coalesce(fresh.valid_to, billed.period_start)",
    ),
}

# Prices that are new, or another than before: most nights there are none.
_FRESH = """
select now.*
from input.{name} as now
left join staged.before_{name} as before using (row_key)
where not now.held
    and now.row_number is not null
    and (
        before.row_key is null
        or now.monthly_price is distinct from before.monthly_price
        or now.annual_price is distinct from before.annual_price
        or {longer}
    )
"""

# The periods that were charged another price in their stead (rule 6). What was taken
# back in full is charged no price.
_AT_OTHERS = """
with
fresh as ({fresh})
select
    fresh.row_number,
    {subject} as subject,
    fresh.product_code,
    list(billed.number order by billed.period_start, billed.number) as numbers
from fresh
inner join ledger.lines as lines on fresh.product_code = lines.product_code
inner join tonight.in_force.billed_periods as billed
    on lines.number = billed.number and lines.line = billed.line
inner join ledger.invoices as invoices on lines.number = invoices.number
left join tonight.in_force.taken_back as taken
    on lines.number = taken.number and lines.line = taken.line
where case lines.frequency
        when 'Annual' then fresh.annual_price else fresh.monthly_price
    end <> lines.unit_price
    and (taken.number is null or taken.gross < lines.gross)
    and {counts}
group by all
order by fresh.row_number
"""


def late_prices(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """A problem for each price of a day that other prices were charged from already."""
    return [
        _late(sheets[name].place(row["row_number"], prices.day), row)
        for name, prices in _PRICES.items()
        if name in sheets and sheets[name].filled
        for row in _at_others(ledger, name, prices)
    ]


def _at_others(ledger: Ledger, name: str, prices: _Prices) -> list[Row]:
    fresh = _FRESH.format(name=name, longer=prices.longer)
    # To ask what was charged costs more than to find that no price is new.
    if not ledger.value(f"select exists ({fresh})"):
        return []
    return ledger.rows(
        _AT_OTHERS.format(fresh=fresh, subject=prices.subject, counts=prices.counts)
    )


def _late(place: Place, row: Row) -> Problem:
    numbers = list(dict.fromkeys(row["numbers"]))
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    return Problem(
        Severity.CHECK,
        "price-reaches-back",
        place,
        f"this price of {row['subject']} is for {counted(len(row['numbers']), 'period')}"
        f" too that another price was charged for, on {', '.join(numbers[:_NAMED])}{more}:"
        " what is billed stays as it is",
        "a day from which nothing is billed yet",
        "if those should cost this price, `membill credit FOLDER NUMBER --rebill --reason"
        " TEXT --by USER` for each; if not, nothing is to be done",
        subject=row["product_code"],
    )


# Who was a member last night, without an end in sight before the new Start date, and
# starts tonight on a day that leaves days between it and what is billed.
_LEFT_OUT = """
select
    now.row_number,
    now.patient_id,
    now.start_date,
    max(billed.period_end) as billed_until
from input.patients as now
inner join staged.before_patients as before using (row_key)
inner join tonight.in_force.billed_periods as billed
    on now.row_key = billed.patient_key
where not now.held
    and now.row_number is not null
    and now.membership_active
    and before.membership_active
    and now.start_date > before.start_date
    and coalesce(before.end_date >= now.start_date - 1, true)
group by now.row_number, now.patient_id, now.start_date, before.start_date
having max(billed.period_end) < now.start_date - 1
    and before.start_date <= max(billed.period_end)
order by now.row_number
"""


def days_left_out(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """A problem for each member whose moved Start date leaves days unbilled."""
    return [
        Problem(
            Severity.CHECK,
            "days-left-out",
            sheets["patients"].place(row["row_number"], "start_date"),
            f"{row['patient_id']} is billed until {show(row['billed_until'])} and now"
            f" starts on {show(row['start_date'])}: the days between are billed to"
            " nobody",
            "a membership without a gap, or one that was ended before",
            "put the Start date back if the membership went on; if it paused, nothing"
            " is to be done",
            subject=row["patient_id"],
        )
        for row in ledger.rows(_LEFT_OUT)
    ]


_FIRST = """
select typed.row_number, issued.first, counters.last_sequence as last
from input.settings as typed
cross join input.practice as practice
cross join (
    select min(sequence) as first from ledger.invoices where kind = 'invoice'
) as issued
inner join ledger.counters as counters on counters.kind = 'invoice'
where typed.row_key = ?
    and typed.row_number is not null
    and practice.first_invoice_number <> issued.first
"""


def first_number(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """A problem where the first number is no longer the one that was given first."""
    title = next(c.title for c in columns(Practice) if c.name == "first_invoice_number")
    return [
        Problem(
            Severity.CHECK,
            "first-number-is-past",
            sheets["settings"].place(row["row_number"], "value"),
            f"{title} counts for the very first invoice only, which had number"
            f" {row['first']}; they have reached {row['last']}",
            "the number of the very first invoice",
            f"write {row['first']} again: numbers go on from the last one, without a gap",
            subject=title,
        )
        for row in ledger.rows(_FIRST, [heading(title)])
    ]
