"""A month as its last night left it: unsent documents, members, numbers, twelve totals.

Everything is of the run that last made the month's register necessary and of a day in the
month, so that what later nights do to other months changes nothing here.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pipeline import chain
from pipeline.bookkeeping.books import Member, MonthTotal, Series, Unsent
from pipeline.bookkeeping.deferred import first_of, following, last_of
from pipeline.bookkeeping.records import records
from pipeline.cells import parse
from pipeline.cells.spelling import heading
from pipeline.ledger import Ledger
from schemas.columns import columns
from schemas.models import BUCKETS
from schemas.practice import Practice


@dataclass(frozen=True)
class State:
    """What a month's register is of: its run and that run's link, its day, its night.

    `night` is the last night of a day in the month or before, 0 if there was none.
    """

    month: str
    run_no: int
    day: date
    night: int
    chain_head: str


def state_of(ledger: Ledger, month: str) -> State:
    """The state that the register of a month (YYYY-MM) shows; a closed one's for good."""
    run_no = ledger.value(
        "select coalesce((select run_no from ledger.closed_months where month = $1),"
        " (select max(run_no) from ledger.outbox"
        "  where path = 'registers/' || $1 || '.xlsx'))",
        [month],
    )
    run_no = run_no or ledger.last_run_no
    (row,) = ledger.rows(
        "select max(as_of) as day, max(run_no) filter (command = 'bill' and as_of <= $2)"
        " as night from ledger.runs where run_no <= $1",
        [run_no, last_of(month)],
    )
    return State(
        month=month,
        run_no=run_no,
        day=min(row["day"] or last_of(month), last_of(month)),
        night=row["night"] or 0,
        chain_head=link_of(ledger, run_no),
    )


def link_of(ledger: Ledger, run_no: int) -> str:
    """The link of a run, which is the chain's head after it."""
    link = ledger.value(
        "select sha256 from ledger.chain where kind = 'run' and record_key = ?",
        [str(run_no)],
    )
    return link or chain.START


def practice_then(ledger: Ledger, run_no: int) -> dict[str, str]:
    """The settings accepted by a run, by their names in lower-case letters alone."""
    rows = ledger.rows(
        "select row_key, value from (select * from ledger.accepted.settings"
        " where run_no <= ? qualify row_number() over"
        "  (partition by row_key order by run_no desc) = 1) where not removed",
        [run_no],
    )
    return {row["row_key"]: row["value"] or "" for row in rows}


def unsent(ledger: Ledger, state: State) -> tuple[Unsent, ...]:
    """What nobody had sent by the state's day, oldest first, without credited invoices.

    What is written down later of an earlier day changes nothing: a closed month stays.
    A credit is taken off once: of its invoice while that is unsent, else by itself.
    """
    return records(
        ledger,
        Unsent,
        "with credited as ("
        " select credits_number as number, -sum(gross) as credits"
        " from ledger.invoices where kind = 'credit_note' and issued_on <= $1"
        "  and run_no <= $2 group by credits_number),"
        " sent as not materialized (select number from ledger.sendings"
        "  where sent_on <= $1 and run_no <= $2),"
        # Few of all there ever was: what else is asked of them is asked of these alone.
        " waiting as materialized (select * from ledger.invoices anti join sent"
        "  using (number) where issued_on <= $1 and run_no <= $2),"
        " reached as materialized (select number from sent semi join"
        "  (select credits_number as number from waiting) using (number))"
        " select number, kind, issued_on, due_on, coalesce(patient_id, '') as patient_id,"
        "  coalesce(bill_to, '') as bill_to,"
        "  case when kind = 'invoice' then gross - coalesce(credits, 0)"
        "   when credits_number in (select number from reached) then gross"
        "   else 0 end::decimal(14, 2) as open,"
        "  ($1::date - issued_on)::integer as days, sequence"
        " from waiting left join credited using (number)"
        " where credits is null or credits < gross",
        "issued_on, kind desc, sequence",
        [state.day, state.run_no],
    )


def series(ledger: Ledger, month: str) -> tuple[Series, ...]:
    """The numbers given up to the end of a month, a series a kind."""
    rows = ledger.rows(
        "select kind, min(sequence) as first, max(sequence) as last, count(*) as count,"
        " coalesce(max(sequence) filter (issued_on < $1), min(sequence) - 1) as before"
        " from ledger.invoices where issued_on <= $2 group by kind order by kind desc",
        [first_of(month), last_of(month)],
    )
    return tuple(Series(**row) for row in rows)


def totals(ledger: Ledger, last: str) -> tuple[MonthTotal, ...]:
    """The twelve months up to one, oldest first, gaps filled with nothing."""
    rows = ledger.rows(
        "select strftime(issued_on, '%Y-%m') as month,"
        " count(*) filter (kind = 'invoice') as invoices,"
        " sum(net)::decimal(14, 2) as net, sum(tax)::decimal(14, 2) as tax,"
        " sum(gross)::decimal(14, 2) as gross from ledger.invoices group by month"
    )
    found = {row["month"]: MonthTotal(**row) for row in rows}
    nothing = Decimal("0.00")
    names = [following(last, -back) for back in range(11, -1, -1)]
    return tuple(
        found.get(name, MonthTotal(name, 0, nothing, nothing, nothing))
        for name in names
    )


def roster(ledger: Ledger, state: State) -> int:
    """How many memberships the state's night counted that are not switched off."""
    sums = " + ".join(
        f"coalesce((report->'memberships'->>'{bucket}')::integer, 0)"
        for bucket in BUCKETS
        if bucket != "inactive"
    )
    found = ledger.value(
        f"select {sums} from ledger.runs where run_no = ?", [state.night]
    )
    return int(found or 0)


# Where each membership stood after a night: of the last one it is kept at hand.
_STANDINGS_NOW = "ledger.standings_now"
_STANDINGS_THEN = """(
    select * from ledger.standings semi join (
        select standing_key, max(run_no) as run_no from ledger.standings
        where run_no <= $1 group by standing_key
    ) using (standing_key, run_no)
)"""

# Periods by the calendar of rule 1, from the row in force that night, whatever the
# billing made of it: what is due and has no line is either waiting or missing.
_MEMBERS = """
with
standings as (
    select *, split_part(standing_key, '#', 1) as patient_key from STANDINGS
    where not removed and bucket <> 'inactive'
),
patients as (
    select * from (
        select * from ledger.accepted.patients where run_no <= $1
        qualify row_number() over (partition by row_key order by run_no desc) = 1
    ) where not removed
),
products as (
    select * from (
        select * from ledger.accepted.products where run_no <= $1
        qualify row_number() over (partition by row_key order by run_no desc) = 1
    ) where not removed
),
members as (
    select
        standings.*,
        coalesce(
            patients.billing_frequency,
            only_frequency(products.monthly_price, products.annual_price)
        ) as frequency,
        case frequency when 'Monthly' then 1 when 'Annual' then 12 end as step,
        patients.start_date,
        patients.end_date,
        coalesce(patients.bill_from, $3::date) as bill_from
    from standings
    left join patients on standings.patient_key = patients.row_key
    -- Accepted on different nights, since when the product may be spelled otherwise.
    left join products on canonical(patients.membership) = products.row_key
),
-- Of all documents there are, those of the month and after it are few. A period that is
-- billed once more counts where it was billed first.
lately as (
    select number, issued_on from ledger.invoices where issued_on >= $4
),
billed as (
    select patient_key, period_start, coalesce(issued_on >= $4, false) as in_month
    from ledger.billed_periods
    left join lately using (number)
    where generation = 1 and (issued_on is null or issued_on <= $5)
),
-- The first period from Bill from on, and the last up to the night's day or the end: by
-- months first, then one later or earlier where the day of the month says so.
numbered as (
    select
        standing_key,
        patient_key,
        start_date,
        step,
        greatest(start_date, bill_from) as earliest,
        least($2, coalesce(end_date, $2)) as latest,
        date_diff('month', start_date, earliest) // step as after,
        date_diff('month', start_date, latest) // step as upto,
        after + if(start_date + to_months((after * step)::integer) < earliest, 1, 0)
            as first_n,
        upto - if(start_date + to_months((upto * step)::integer) > latest, 1, 0)
            as last_n
    from members
    where start_date is not null and step is not null
),
billed_on as (
    select standing_key, in_month
    from numbered
    inner join billed using (patient_key)
    where period_start between earliest and latest
        and date_diff('month', start_date, period_start) % step = 0
        and period_start = (start_date
            + to_months(date_diff('month', start_date, period_start)::integer))::date
),
found as (
    select
        standing_key,
        count(*) filter (not in_month) as before,
        count(*) filter (in_month) as during
    from billed_on
    group by standing_key
),
counted as (
    select
        standing_key,
        greatest(0, last_n - first_n + 1) as due,
        coalesce(found.before, 0) as before,
        coalesce(found.during, 0) as during
    from numbered
    left join found using (standing_key)
),
invoiced as (
    select canonical(lines.patient_id) as patient_key, sum(lines.gross) as gross
    from ledger.lines as lines
    inner join ledger.invoices as invoices using (number)
    where invoices.kind = 'invoice' and lines.period_start is not null
        and invoices.issued_on between $4 and $5
    group by patient_key
)
select
    members.*,
    coalesce(counted.due, 0) as due,
    coalesce(counted.before, 0) as before,
    coalesce(counted.during, 0) as during,
    coalesce(counted.due - counted.before - counted.during, 0) as unbilled,
    if(bucket in ('held', 'auto_invoice_off'), unbilled, 0) as waiting,
    unbilled - waiting as missing,
    -- Two rows of one patient: the amount stands at the first.
    case
        when row_number() over (
            partition by members.patient_key order by members.standing_key
        ) = 1 then coalesce(invoiced.gross, 0)
        else 0
    end::decimal(14, 2) as invoiced,
    coalesce(members.held_amount, 0)::decimal(14, 2) as held
from members
left join counted using (standing_key)
left join invoiced using (patient_key)
"""


def members(ledger: Ledger, state: State) -> tuple[Member, ...]:
    """Each membership that is not switched off, as the state's night left it."""
    if not state.night:
        return ()
    day = ledger.value("select as_of from ledger.runs where run_no = ?", [state.night])
    settings = practice_then(ledger, state.night)
    values = [
        state.night, day, _bill_from(settings), first_of(state.month),
        last_of(state.month),
    ]  # fmt: skip
    last = ledger.value(f"select coalesce(max(run_no), 0) from {_STANDINGS_NOW}")
    standings = _STANDINGS_NOW if last <= state.night else _STANDINGS_THEN
    source = _MEMBERS.replace("STANDINGS", standings)
    return records(ledger, Member, source, "standing_key", values)


def _bill_from(settings: dict[str, str]) -> date:
    (column,) = (each for each in columns(Practice) if each.name == "bill_from")
    found = parse(settings.get(heading(column.title)), column).value
    return found if isinstance(found, date) else date.min
