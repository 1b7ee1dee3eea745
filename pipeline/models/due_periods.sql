-- One row per period that counts and is not billed yet (rules 3, 4 and 5).
-- Nothing is due while Auto invoice or Membership active is No.
-- `reason` holds the membership: a period older than Catch-up days whose row has no
-- Bill from of its own, or one that overlaps a billed period that starts another day
-- or was billed by another frequency and ends earlier. A period that a credit note freed
-- is not billed any more, and one with any of its days is never too old: somebody has
-- decided to bill it again, often because the start day was wrong.
with

periods as (select * from model.periods),

memberships as (select * from model.memberships),

practice as (select * from input.practice),

run as (select * from input.run),

runs as (select * from ledger.runs where command = 'bill'),

-- A night for an earlier day makes no held period young again (rule 5).
latest as (
    select greatest(run.as_of, max(runs.as_of)) as as_of
    from run
    left join runs on true
    group by run.as_of
),

-- Of memberships that are not settled: of all there ever was, it is little.
billed_periods as materialized (
    select number, line, patient_key, period_start, period_end
    from tonight.in_force.billed_periods
    semi join periods using (patient_key)
),

freed_periods as (select * from tonight.in_force.freed_periods),

lines as (select number, line, frequency from ledger.lines),

-- Billed from the same day on, but not to its end: by the month, now by the year.
outgrown as (
    select
        periods.patient_row,
        periods.period_start
    from periods
    inner join memberships using (patient_row)
    inner join billed_periods
        on periods.patient_key = billed_periods.patient_key
        and periods.period_start = billed_periods.period_start
        and periods.period_end > billed_periods.period_end
    inner join lines using (number, line)
    where lines.frequency <> memberships.frequency
),

unbilled as (
    select
        periods.*,
        memberships.product_code,
        memberships.product_name,
        memberships.frequency,
        memberships.payer_code,
        memberships.combined,
        memberships.reason,
        memberships.has_own_bill_from
    from periods
    inner join memberships using (patient_row)
    cross join practice
    left join billed_periods
        on periods.patient_key = billed_periods.patient_key
        and periods.period_start = billed_periods.period_start
    left join outgrown
        on periods.patient_row = outgrown.patient_row
        and periods.period_start = outgrown.period_start
    where practice.auto_invoice
        and memberships.active
        and (
            billed_periods.period_start is null
            or outgrown.period_start is not null
        )
),

overlapped as (
    select
        unbilled.patient_row,
        unbilled.period_start,
        max(billed_periods.period_end) as billed_until
    from unbilled
    inner join billed_periods
        on unbilled.patient_key = billed_periods.patient_key
        and unbilled.period_start <= billed_periods.period_end
        and unbilled.period_end >= billed_periods.period_start
    group by all
),

freed as (
    select distinct
        unbilled.patient_row,
        unbilled.period_start
    from unbilled
    inner join freed_periods
        on unbilled.patient_key = freed_periods.patient_key
        and unbilled.period_start <= freed_periods.period_end
        and unbilled.period_end >= freed_periods.period_start
)

select
    unbilled.patient_row,
    unbilled.patient_key,
    unbilled.patient_id,
    unbilled.product_code,
    unbilled.product_name,
    unbilled.frequency,
    unbilled.payer_code,
    unbilled.combined,
    unbilled.period_start,
    unbilled.period_end,
    overlapped.billed_until,
    case
        when unbilled.reason is not null then unbilled.reason
        when overlapped.billed_until is not null then 'overlaps-billed'
        when unbilled.period_start < latest.as_of - practice.catch_up_days
            and not unbilled.has_own_bill_from
            and freed.patient_row is null then 'too-old'
    end as reason
from unbilled
cross join practice
cross join latest
left join overlapped using (patient_row, period_start)
left join freed using (patient_row, period_start)
