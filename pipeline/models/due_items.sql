-- One row per thing to be charged tonight or held: a due period, or a request by hand.
-- A held row whose start date cannot be read counts one period, so that what it holds
-- back can be shown.
with

due_periods as (select * from model.due_periods),

due_requests as (select * from model.due_requests),

memberships as (select * from model.memberships),

practice as (select * from input.practice),

run as (select * from input.run)

select
    patient_row,
    null::integer as request_row,
    null::varchar as request_key,
    null::varchar as request_id,
    patient_key,
    patient_id,
    product_code,
    product_name,
    true as is_period,
    frequency,
    1 as quantity,
    payer_code,
    combined,
    period_start as price_on,
    period_start,
    period_end,
    reason
from due_periods

union all

select
    memberships.patient_row,
    null, null, null,
    memberships.patient_key,
    memberships.patient_id,
    memberships.product_code,
    memberships.product_name,
    true,
    memberships.frequency,
    1,
    memberships.payer_code,
    memberships.combined,
    run.as_of,
    null,
    null,
    memberships.reason
from memberships
cross join run
cross join practice
where memberships.start_date is null
    and memberships.reason is not null
    and memberships.active
    and practice.auto_invoice

union all

select
    null,
    request_row,
    request_key,
    request_id,
    patient_key,
    patient_id,
    product_code,
    product_name,
    period_start is not null,
    frequency,
    coalesce(quantity, 1),
    payer_code,
    false,
    requested_on,
    period_start,
    period_end,
    reason
from due_requests
