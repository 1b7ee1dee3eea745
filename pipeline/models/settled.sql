-- One row per membership whose every period that counts is billed to the day, with how
-- many there are: nothing of it can be due. So that a night costs what is due, and not
-- what ever was, only the others' periods are looked at one by one.
-- Days are compared by their count and the sum of their hashes.
with

memberships as (select * from model.memberships),

calendars as (select * from model.calendars),

billed_periods as (select * from tonight.in_force.billed_periods),

counting as (
    select
        start_date,
        step_months,
        end_date,
        bill_from,
        count(*)::integer as periods,
        sum(hash(period_start, period_end)) as days
    from calendars
    group by all
),

billed as (
    select
        memberships.patient_row,
        count(*)::integer as periods,
        sum(hash(billed_periods.period_start, billed_periods.period_end)) as days
    from billed_periods
    inner join memberships
        on billed_periods.patient_key = memberships.patient_key
        and billed_periods.period_start >= memberships.bill_from
    group by memberships.patient_row
),

-- Worked out first: by their days alone, nearly all memberships would match each other.
expected as materialized (
    select
        memberships.patient_row,
        counting.periods,
        counting.days
    from memberships
    inner join counting
        on memberships.start_date = counting.start_date
        and memberships.step_months = counting.step_months
        and memberships.bill_from = counting.bill_from
        and memberships.end_date is not distinct from counting.end_date
)

select
    patient_row,
    periods
from expected
inner join billed using (patient_row, periods, days)
