-- One row per row of Patients that names a membership: the roster of rule 13.
-- Adds what its price depends on (frequency, payer), the limits of its calendar and, where
-- something it rests on cannot be used, the reason that holds it (rule 12).
with

patients as (select * from input.patients),

products as (select * from input.products),

contacts as (select * from input.contacts),

tax_codes as (select * from input.tax_codes),

practice as (select * from input.practice),

offered as (
    select
        patients.*,
        products.name as product_name,
        products.held as product_held,
        products.active as product_active,
        lower(products.type) = 'membership' as is_membership,
        products.monthly_price is not null as offers_monthly,
        products.annual_price is not null as offers_annual,
        products.tax_code,
        coalesce(
            patients.billing_frequency,
            tonight.main.only_frequency(products.monthly_price, products.annual_price)
        ) as frequency
    from patients
    left join products on patients.membership = products.code
    where patients.names_membership
)

select
    offered.row_number as patient_row,
    offered.row_key as patient_key,
    offered.patient_id,
    offered.membership as product_code,
    offered.product_name,
    offered.frequency,
    case offered.frequency when 'Monthly' then 1 when 'Annual' then 12 end
        as step_months,
    offered.start_date,
    offered.end_date,
    coalesce(offered.bill_from, practice.bill_from) as bill_from,
    offered.bill_from is not null as has_own_bill_from,
    offered.bill_to as payer_code,
    coalesce(contacts.combine_invoices, false) as combined,
    -- A held row counts as active unless it says No: what it holds back is shown.
    coalesce(offered.membership_active, offered.held) as active,
    case
        when offered.held then 'row'
        when offered.product_held or offered.product_name is null then 'product-held'
        when not offered.is_membership then 'not-a-membership'
        when not offered.product_active then 'product-inactive'
        when tax_codes.held then 'tax-code-held'
        when offered.frequency is null then 'frequency-missing'
        when offered.frequency = 'Monthly' and not offered.offers_monthly
            then 'frequency-not-offered'
        when offered.frequency = 'Annual' and not offered.offers_annual
            then 'frequency-not-offered'
        when contacts.held then 'payer-held'
        when contacts.active = false then 'payer-inactive'
    end as reason
from offered
cross join practice
left join tax_codes on offered.tax_code = tax_codes.code
left join contacts on offered.bill_to = contacts.code
