-- One row per invoice of tonight, numbered (rules 8 and 9).
-- One invoice per period or request; with Combine invoices one per payer and run.
-- Numbers go in order of period start, then patient ID, and follow on from the ledger's;
-- requests of one patient and day come after a period, as they stand in their sheet.
with

charges as (select * from model.charges where reason is null),

patients as (select * from input.patients),

contacts as (select * from input.contacts),

practice as (select * from input.practice),

run as (select * from input.run),

-- One row, blank before the first invoice.
issued as (
    select
        any_value(last_sequence) as last_sequence,
        any_value(last_issued_on) as last_issued_on
    from ledger.counters
    where kind = 'invoice'
),

-- Nothing is issued in a month that is closed; blank before the first is.
open_months as (select day as first_day from tonight.in_force.first_open_day),

grouped as (
    select
        case when combined then 'payer ' || payer_code else 'item ' || item end
            as invoice_key,
        min(price_on) as first_on,
        min(patient_id) as first_patient_id,
        min(item) as first_item,
        any_value(payer_code) as payer_code,
        count(distinct patient_key) as patients,
        bool_or(membership) as membership,
        sum(net)::decimal(14, 2) as net,
        sum(tax)::decimal(14, 2) as tax,
        sum(gross)::decimal(14, 2) as gross
    from charges
    group by invoice_key
),

numbered as (
    select
        grouped.*,
        (
            coalesce(issued.last_sequence + 1, practice.first_invoice_number) - 1
            + row_number() over (order by first_on, first_patient_id, first_item)
        )::integer as sequence,
        greatest(
            run.as_of,
            coalesce(issued.last_issued_on, run.as_of),
            coalesce(open_months.first_day, run.as_of)
        ) as issued_on
    from grouped
    cross join issued
    cross join open_months
    cross join practice
    cross join run
)

select
    numbered.invoice_key,
    format('{}{:06d}', practice.invoice_prefix, numbered.sequence) as number,
    numbered.sequence,
    numbered.issued_on,
    (
        numbered.issued_on + coalesce(contacts.payment_terms, practice.payment_terms)
    )::date as due_on,
    numbered.membership,
    case when numbered.patients = 1 then patients.patient_id end as patient_id,
    case
        when numbered.patients = 1
            then patients.first_name || ' ' || patients.last_name
    end as patient_name,
    numbered.payer_code as bill_to,
    coalesce(
        contacts.name,
        concat_ws(' ', patients.title, patients.first_name, patients.last_name)
    ) as bill_to_name,
    case when contacts.code is null then patients.email else contacts.email end
        as email,
    case
        when contacts.code is null then patients.address_line_1
        else contacts.address_line_1
    end as address_line_1,
    case
        when contacts.code is null then patients.address_line_2
        else contacts.address_line_2
    end as address_line_2,
    case when contacts.code is null then patients.town else contacts.town end as town,
    case when contacts.code is null then patients.postcode else contacts.postcode end
        as postcode,
    contacts.accounts_reference,
    practice.currency,
    numbered.net,
    numbered.tax,
    numbered.gross
from numbered
cross join practice
inner join patients on numbered.first_patient_id = patients.patient_id
left join contacts on numbered.payer_code = contacts.code
