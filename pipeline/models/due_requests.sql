-- One row per product put on a patient's invoice by hand and not billed yet, or freed by
-- a credit note to be billed again.
-- A membership asked for by hand covers one period from the day it was requested on; it
-- is held where more than one is asked for, or where the night has billed, or is about
-- to bill, a day of it (rule 5).
with

requests as (select * from input.invoice_requests),

-- Rows that share a patient ID are all held; one stands for them here.
patients as (
    select patient_id, any_value(row_key) as row_key, any_value(held) as held
    from input.patients
    group by patient_id
),

products as (select * from input.products),

contacts as (select * from input.contacts),

tax_codes as (select * from input.tax_codes),

practice as (select * from input.practice),

run as (select * from input.run),

filled_requests as (select * from tonight.in_force.filled_requests),

taken_periods as (
    select patient_key, period_start, period_end
    from tonight.in_force.billed_periods
    union all
    select patient_key, period_start, period_end from model.due_periods
),

open as (
    select
        requests.*,
        practice.bill_from as practice_bill_from,
        patients.row_key as patient_key,
        patients.held as patient_held,
        products.name as product_name,
        products.held as product_held,
        products.active as product_active,
        lower(products.type) = 'membership' as is_membership,
        contacts.held as payer_held,
        coalesce(contacts.active, true) as payer_active,
        tax_codes.held as tax_held,
        case
            when is_membership then coalesce(
                requests.billing_frequency,
                case
                    when products.annual_price is null then 'Monthly'
                    when products.monthly_price is null then 'Annual'
                end
            )
        end as frequency,
        case frequency when 'Monthly' then 1 when 'Annual' then 12 end as step_months,
        case when is_membership then requests.requested_on end as period_start,
        case
            when is_membership
                then (requests.requested_on + to_months(step_months))::date - 1
        end as period_end
    from requests
    cross join practice
    cross join run
    left join patients on requests.patient_id = patients.patient_id
    left join products on requests.product_code = products.code
    left join tax_codes on products.tax_code = tax_codes.code
    left join contacts on requests.bill_to = contacts.code
    anti join filled_requests on requests.row_key = filled_requests.request_key
    where practice.auto_invoice
        and coalesce(requests.requested_on <= run.as_of, requests.held)
),

-- Each request counts against the billed and due periods, and against earlier requests.
claims as (
    select patient_key, period_start, period_end, null as row_number
    from taken_periods
    union all
    select patient_key, period_start, period_end, row_number
    from open
    where period_end is not null and not held
),

taken as (
    select distinct open.row_number
    from open
    inner join claims
        on open.patient_key = claims.patient_key
        and open.period_start <= claims.period_end
        and open.period_end >= claims.period_start
        and (claims.row_number is null or claims.row_number < open.row_number)
)

select
    open.row_number as request_row,
    open.row_key as request_key,
    open.request_id,
    open.patient_key,
    open.patient_id,
    open.product_code,
    open.product_name,
    open.quantity,
    open.frequency,
    open.bill_to as payer_code,
    open.requested_on,
    open.period_start,
    open.period_end,
    case
        when open.held then 'row'
        when open.patient_held then 'patient-held'
        when open.product_held then 'product-held'
        when not open.product_active then 'product-inactive'
        when open.tax_held then 'tax-code-held'
        when open.is_membership and open.frequency is null then 'frequency-missing'
        when open.payer_held then 'payer-held'
        when not open.payer_active then 'payer-inactive'
        when open.is_membership and open.quantity <> 1 then 'request-quantity'
        when open.period_start < open.practice_bill_from then 'request-before-bill-from'
        when taken.row_number is not null then 'request-overlaps'
    end as reason
from open
left join taken on open.row_number = taken.row_number
