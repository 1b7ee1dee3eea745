-- One row per line of tonight's invoices, each with the row its price came from.
with

charges as (select * from model.charges where reason is null),

new_invoices as (select * from model.new_invoices),

patients as (select * from input.patients)

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
    charges.patient_row
from charges
inner join new_invoices
    on new_invoices.invoice_key = case
        when charges.combined then 'payer ' || charges.payer_code
        else 'item ' || charges.item
    end
inner join patients on charges.patient_id = patients.patient_id
