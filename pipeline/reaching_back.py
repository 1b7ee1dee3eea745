"""Edits that reach back over what is billed: it stays as it is, and somebody is told.

Prices and days are told on the night of the edit, beside the change itself: the next
night the sheets say what they said before.
"""

from pipeline.cells import heading, show
from pipeline.exports.words import counted
from pipeline.ledger import Ledger
from pipeline.problems import Problem, Severity
from pipeline.workbooks import Sheet
from schemas.columns import columns
from schemas.practice import Practice

_NAMED = 5

# Rows of tonight's prices that are new, or say another price or other days than before.
_FRESH = {
    "price_changes": (
        "effective_from",
        "select now.*, null::varchar as payer_code, now.effective_from as first_day,"
        " null::date as last_day",
    ),
    "contract_prices": (
        "valid_from",
        "select now.*, now.contact_code as payer_code,"
        " coalesce(now.valid_from, date '0001-01-01') as first_day,"
        " now.valid_to as last_day",
    ),
}

# A contract price that holds for longer reaches periods that it did not reach before.
_LONGER = (
    "or coalesce(now.valid_to, date '9999-12-31')"
    " > coalesce(before.valid_to, date '9999-12-31')"
)

# A later change counts for its own days, and a contract price before any change.
_NO_OTHER = """
    not starts_with(lines.price_source, 'contract price')
    and not exists (
        from input.price_changes as later
        where later.product_code = fresh.product_code
            and not later.held
            and later.effective_from > fresh.first_day
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

# Periods they would have been the price of, had they been there: a contract price comes
# before a price change (rule 6). What was taken back in full is charged no price.
_AT_OTHERS = """
with
fresh as (
    {fresh}
    from input.{name} as now
    left join staged.before_{name} as before using (row_key)
    where not now.held
        and now.row_number is not null
        and (
            before.row_key is null
            or now.monthly_price is distinct from before.monthly_price
            or now.annual_price is distinct from before.annual_price
            {or_days}
        )
)
select
    fresh.row_number,
    fresh.product_code,
    fresh.payer_code,
    list(billed.number order by billed.period_start, billed.number) as numbers
from fresh
inner join ledger.lines as lines on fresh.product_code = lines.product_code
inner join tonight.in_force.billed_periods as billed
    on lines.number = billed.number and lines.line = billed.line
inner join ledger.invoices as invoices on lines.number = invoices.number
left join tonight.in_force.taken_back as taken
    on lines.number = taken.number and lines.line = taken.line
where billed.period_start >= fresh.first_day
    and billed.period_start <= coalesce(fresh.last_day, date '9999-12-31')
    and case lines.frequency
        when 'Annual' then fresh.annual_price else fresh.monthly_price
    end <> lines.unit_price
    and (taken.number is null or taken.gross < lines.gross)
    and {of_these}
group by fresh.row_number, fresh.product_code, fresh.payer_code
order by fresh.row_number
"""


def late_prices(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """A problem for each price of a day that other prices were charged from already."""
    problems = []
    for name, (field, fresh) in _FRESH.items():
        if name not in sheets or not len(sheets[name].rows):
            continue
        by_contract = name == "contract_prices"
        query = _AT_OTHERS.format(
            name=name,
            fresh=fresh,
            or_days=_LONGER if by_contract else "",
            of_these="invoices.bill_to = fresh.payer_code"
            if by_contract
            else _NO_OTHER,
        )
        for row in ledger.rows(query):
            numbers = list(dict.fromkeys(row["numbers"]))
            more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
            subject = " ".join(filter(None, (row["payer_code"], row["product_code"])))
            periods = counted(len(row["numbers"]), "period")
            problems.append(
                Problem(
                    Severity.CHECK,
                    "price-reaches-back",
                    sheets[name].place(row["row_number"], field),
                    f"this price of {subject} is for {periods} too that another price"
                    f" was charged for, on {', '.join(numbers[:_NAMED])}{more}: what is"
                    " billed stays as it is",
                    "a day from which nothing is billed yet",
                    "if those should cost this price, `membill credit FOLDER NUMBER"
                    " --rebill --reason TEXT --by USER` for each; if not, nothing is to be"
                    " done",
                    subject=row["product_code"],
                )
            )
    return problems


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
inner join ledger.lines as lines using (number, line)
where not now.held
    and now.row_number is not null
    and now.membership_active
    and before.membership_active
    and now.start_date > before.start_date
    and coalesce(before.end_date >= now.start_date - 1, true)
    and lines.request_id is null
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
