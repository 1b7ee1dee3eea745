-- One row per membership of the roster, in exactly one bucket (rule 13), with the reason
-- it is held and what that holds back.
with

memberships as (select * from model.memberships),

periods as (select * from model.periods),

settled as (select * from model.settled),

charges as (select * from model.charges where patient_row is not null),

practice as (select * from input.practice),

run as (select * from input.run),

counted as (
    select patient_row, count(*) as periods
    from periods
    group by patient_row
    union all
    select patient_row, periods
    from settled
),

due as (
    select
        patient_row,
        any_value(reason) as reason,
        min(period_start) as first_due,
        sum(gross)::decimal(14, 2) as gross
    from charges
    group by patient_row
),

-- The first period that starts after as-of, and not before Bill from, is one of three
-- candidates.
candidates as (
    select
        memberships.patient_row,
        memberships.end_date,
        greatest(run.as_of + 1, memberships.bill_from) as earliest,
        (memberships.start_date + to_months((
            greatest(date_diff('month', memberships.start_date, earliest), 0)
            // memberships.step_months + steps.ahead
        )::integer * memberships.step_months))::date as next_start
    from memberships
    cross join run
    cross join (select unnest([0, 1, 2]) as ahead) as steps
),

ahead as (
    select patient_row, min(next_start) as next_start
    from candidates
    where next_start >= earliest
        and (end_date is null or next_start <= end_date)
    group by patient_row
),

placed as (
    select
        memberships.*,
        due.reason as due_reason,
        due.first_due,
        due.gross,
        ahead.next_start,
        case
            when memberships.reason = 'row' then 'held'
            when not memberships.active then 'inactive'
            when not practice.auto_invoice then 'auto_invoice_off'
            when memberships.start_date > run.as_of then 'not_yet_due'
            when due.reason is not null then 'held'
            when due.patient_row is not null then 'billed'
            when memberships.step_months is null then 'held'
            when memberships.end_date < run.as_of then 'ended'
            when counted.periods > 0 then 'already_billed'
            else 'before_bill_from'
        end as bucket
    from memberships
    cross join practice
    cross join run
    left join counted using (patient_row)
    left join due using (patient_row)
    left join ahead using (patient_row)
)

select
    patient_row,
    patient_key,
    patient_id,
    product_code,
    bucket,
    case when bucket = 'held' then coalesce(due_reason, reason) end as reason,
    case
        when bucket = 'held' then first_due
        when bucket not in ('inactive', 'auto_invoice_off') then next_start
    end as next_due,
    case when bucket = 'held' then gross end as held_amount
from placed
