-- One row per period that counts by its dates, of each membership that is not settled.
with

memberships as (select * from model.memberships),

calendars as (select * from model.calendars),

settled as (select * from model.settled)

select
    memberships.patient_row,
    memberships.patient_key,
    memberships.patient_id,
    calendars.period_start,
    calendars.period_end
from memberships
anti join settled using (patient_row)
inner join calendars
    on memberships.start_date = calendars.start_date
    and memberships.step_months = calendars.step_months
    and memberships.bill_from = calendars.bill_from
    and memberships.end_date is not distinct from calendars.end_date
