-- One row per due item with its amounts (rule 7) and, if it is held, why (rule 12).
-- Tax is worked out per line, half up to the penny: on top of the price, or, where
-- prices include tax, as the part of it (in whole pence: a division would leave decimals).
-- One held item holds all of its membership.
with

prices as (select * from model.prices),

products as (select * from input.products),

tax_codes as (select * from input.tax_codes),

practice as (select * from input.practice),

taxed as (
    select
        prices.*,
        lower(products.type) = 'membership' as is_membership,
        products.healthcode_code,
        coalesce(products.income_account, practice.income_account)
            as income_account,
        tax_codes.code as tax_code,
        tax_codes.name as tax_name,
        tax_codes.rate as tax_rate,
        (prices.unit_price * prices.quantity)::decimal(14, 2) as amount,
        (amount * 100)::hugeint as pence,
        (tax_codes.rate * 100)::hugeint as points,
        case
            when practice.prices_include_tax then (
                (
                    (2 * pence * points + 10000 + points) // (2 * (10000 + points))
                )::decimal(16, 0) * 0.01
            )::decimal(14, 2)
            else round(amount * tax_codes.rate * 0.01, 2)::decimal(14, 2)
        end as tax,
        practice.prices_include_tax as inclusive
    from prices
    cross join practice
    left join products on prices.product_code = products.code
    left join tax_codes on products.tax_code = tax_codes.code
),

judged as (
    select
        *,
        case
            when reason is not null then reason
            when held_price is not null then held_price
            when answers > 1 then 'two-contract-prices'
            when unit_price is null then 'no-price'
        end as own_reason
    from taxed
)

select
    item,
    patient_row,
    request_row,
    request_key,
    request_id,
    patient_key,
    patient_id,
    product_code,
    product_name as description,
    healthcode_code,
    income_account,
    coalesce(is_membership, false) as membership,
    is_period,
    frequency,
    quantity,
    payer_code,
    combined,
    price_on,
    period_start,
    period_end,
    unit_price,
    tax_code,
    tax_name,
    tax_rate,
    case when inclusive then amount - tax else amount end::decimal(14, 2) as net,
    tax,
    case when inclusive then amount else amount + tax end::decimal(14, 2) as gross,
    price_source,
    own_reason,
    case
        when patient_row is null then own_reason
        else arg_min(own_reason, item) over (partition by patient_row)
    end as reason
from judged
