-- One row per period of each calendar that memberships share: those with the same start
-- date, frequency, End date and Bill from have the same periods (rules 1 and 2).
-- Period n starts n steps after the start date, always counted from the start date, the
-- day clamped to the month's last; it ends the day before the next one starts, or on the
-- End date. It counts when it starts on or before as-of, on or before the End date, and
-- not before Bill from.
with

memberships as (select * from model.memberships),

run as (select * from input.run),

calendars as (
    select distinct start_date, step_months, end_date, bill_from
    from memberships
    where start_date is not null and step_months is not null
),

-- Which n can matter: from the month of Bill from, to that of as-of.
numbered as (
    select
        calendars.*,
        run.as_of,
        unnest(range(
            greatest(0, date_diff('month', start_date, bill_from) // step_months),
            greatest(
                0, date_diff('month', start_date, run.as_of) // step_months + 1
            )
        )) as n
    from calendars
    cross join run
),

dated as (
    select
        *,
        (start_date + to_months((n * step_months)::integer))::date as period_start,
        (start_date + to_months(((n + 1) * step_months)::integer))::date as next_start
    from numbered
)

select
    start_date,
    step_months,
    end_date,
    bill_from,
    period_start,
    least(next_start - 1, end_date) as period_end
from dated
where period_start <= as_of
    and (end_date is null or period_start <= end_date)
    and period_start >= bill_from
