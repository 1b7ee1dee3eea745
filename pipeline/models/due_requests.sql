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
                tonight.main.only_frequency(
                    products.monthly_price, products.annual_price
                )
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

judged as (
    select
        *,
        case
            when held then 'row'
            when patient_held then 'patient-held'
            when product_held then 'product-held'
            when not product_active then 'product-inactive'
            when tax_held then 'tax-code-held'
            when is_membership and frequency is null then 'frequency-missing'
            when payer_held then 'payer-held'
            when not payer_active then 'payer-inactive'
            when is_membership and quantity <> 1 then 'request-quantity'
            when period_start < practice_bill_from then 'request-before-bill-from'
        end as own_reason
    from open
),

taken as (
    select distinct judged.row_number
    from judged
    inner join taken_periods
        on judged.patient_key = taken_periods.patient_key
        and judged.period_start <= taken_periods.period_end
        and judged.period_end >= taken_periods.period_start
),

-- A request that is held takes no day from those after it.
claimed as (
    select judged.*
    from judged
    anti join taken using (row_number)
    where period_end is not null and own_reason is null
),

overlapped as (
    select row_number from taken
    union
    select judged.row_number
    from judged
    inner join claimed
        on judged.patient_key = claimed.patient_key
        and judged.period_start <= claimed.period_end
        and judged.period_end >= claimed.period_start
        and claimed.row_number < judged.row_number
)

select
    judged.row_number as request_row,
    judged.row_key as request_key,
    judged.request_id,
    judged.patient_key,
    judged.patient_id,
    judged.product_code,
    judged.product_name,
    judged.quantity,
    judged.frequency,
    judged.bill_to as payer_code,
    judged.requested_on,
    judged.period_start,
    judged.period_end,
    case
        when own_reason is not null then own_reason
        when overlapped.row_number is not null then 'request-overlaps'
    end as reason
from judged
left join overlapped on judged.row_number = overlapped.row_number
