-- One row per line of tonight's invoices, each with the row its price came from.
-- The generations count how often its period and its request are billed, this time
-- included; `replaces_number` and `replaces_line` are the line a credit note freed, whose
-- days or request this one bills again.
with

charges as (select * from model.charges where reason is null),

new_invoices as (select * from model.new_invoices),

patients as (select * from input.patients),

billed_periods as (select * from ledger.billed_periods),

filled_requests as (select * from ledger.filled_requests),

freed_periods as (select * from tonight.in_force.freed_periods),

periods_before as (
    select patient_key, period_start, max(generation) as generation
    from billed_periods
    semi join charges using (patient_key, period_start)
    group by patient_key, period_start
),

requests_before as (
    select
        request_key,
        max(generation) as generation,
        arg_max(number, generation) as number,
        arg_max(line, generation) as line
    from filled_requests
    group by request_key
),

-- Of the freed periods that share a day with this one, the one from the same day on, else
-- the one freed last: the start date or the frequency may have been changed.
replaced as (
    select
        charges.item,
        freed_periods.number,
        freed_periods.line
    from charges
    inner join freed_periods
        on charges.patient_key = freed_periods.patient_key
        and charges.period_start <= freed_periods.period_end
        and charges.period_end >= freed_periods.period_start
    qualify row_number() over (
        partition by charges.item
        order by
            charges.period_start = freed_periods.period_start desc,
            freed_periods.freed desc,
            freed_periods.line
    ) = 1
)

select
    new_invoices.number,
    row_number() over (
        partition by new_invoices.number
        order by charges.price_on, charges.patient_id, charges.item
    )::integer as line,
    charges.patient_id,
    patients.first_name || ' ' || patients.last_name as patient_name,
    charges.product_code,
    charges.description,
    charges.healthcode_code,
    charges.income_account,
    charges.membership,
    charges.frequency,
    charges.period_start,
    charges.period_end,
    charges.quantity,
    charges.unit_price,
    charges.tax_code,
    charges.tax_name,
    charges.tax_rate,
    charges.net,
    charges.tax,
    charges.gross,
    charges.price_source,
    charges.request_id,
    charges.request_key,
    charges.patient_key,
    coalesce(periods_before.generation, 0) + 1 as period_generation,
    coalesce(requests_before.generation, 0) + 1 as request_generation,
    coalesce(requests_before.number, replaced.number) as replaces_number,
    coalesce(requests_before.line, replaced.line) as replaces_line
from charges
inner join new_invoices
    on new_invoices.invoice_key = case
        when charges.combined then 'payer ' || charges.payer_code
        else 'item ' || charges.item
    end
inner join patients on charges.patient_id = patients.patient_id
left join periods_before
    on charges.patient_key = periods_before.patient_key
    and charges.period_start = periods_before.period_start
left join requests_before on charges.request_key = requests_before.request_key
left join replaced on charges.item = replaced.item
