-- One row per due item with the price of its day (rule 6):
-- contract price for the payer, else the latest price change, else the product's own.
-- `answers` counts the contract prices that answer for that day; two are an error.
-- `held_price` says that a price row with a problem might answer for that day: what the
-- day costs cannot be known until it is mended.
with

due_items as (select * from model.due_items),

products as (select * from input.products),

contacts as (select * from input.contacts),

contract_prices as (select * from input.contract_prices where not held),

price_changes as (select * from input.price_changes where not held),

items as (
    select
        row_number() over (
            order by price_on, patient_id, patient_row, request_row
        )::integer as item,
        due_items.*
    from due_items
),

-- Every price that could answer, with the day it is from; one column per kind of price
-- becomes the one the item's frequency asks for.
contract as (
    select
        items.item,
        count(*)::integer as answers,
        min(case items.frequency
            when 'Monthly' then contract_prices.monthly_price
            when 'Annual' then contract_prices.annual_price
            else contract_prices.price
        end) as unit_price,
        any_value(contract_prices.row_number) as row_number,
        any_value(contract_prices.valid_from) as valid_from
    from items
    inner join contract_prices
        on items.payer_code = contract_prices.contact_code
        and items.product_code = contract_prices.product_code
        and items.price_on >= coalesce(contract_prices.valid_from, items.price_on)
        and items.price_on <= coalesce(contract_prices.valid_to, items.price_on)
    where case items.frequency
        when 'Monthly' then contract_prices.monthly_price
        when 'Annual' then contract_prices.annual_price
        else contract_prices.price
    end is not null
    group by items.item
),

changed as (
    select
        items.item,
        price_changes.effective_from,
        price_changes.row_number,
        case items.frequency
            when 'Monthly' then price_changes.monthly_price
            when 'Annual' then price_changes.annual_price
            else price_changes.price
        end as unit_price
    from items
    inner join price_changes
        on items.product_code = price_changes.product_code
        and items.price_on >= price_changes.effective_from
    where unit_price is not null
    qualify row_number() over (
        partition by items.item order by price_changes.effective_from desc
    ) = 1
),

own as (
    select
        items.item,
        products.row_number,
        case items.frequency
            when 'Monthly' then products.monthly_price
            when 'Annual' then products.annual_price
            else products.price
        end as unit_price
    from items
    inner join products on items.product_code = products.code
),

-- A price that could not be read is not a blank one.
unreadable as (
    select
        table_name,
        row_number,
        bool_or(column_name = 'monthly_price') as monthly,
        bool_or(column_name = 'annual_price') as annual
    from input.unreadable_prices
    group by all
),

held_rows as (
    select
        'contract_prices' as table_name,
        row_number,
        contact_code,
        product_code,
        valid_from as first_day,
        valid_to as last_day,
        monthly_price,
        annual_price
    from input.contract_prices
    where held
    union all
    select
        'price_changes',
        row_number,
        null,
        product_code,
        effective_from,
        null,
        monthly_price,
        annual_price
    from input.price_changes
    where held
),

held_prices as (
    select
        held_rows.*,
        held_rows.monthly_price is not null or coalesce(unreadable.monthly, false)
            as has_monthly,
        held_rows.annual_price is not null or coalesce(unreadable.annual, false)
            as has_annual,
        products.code is null as of_any_product,
        table_name = 'contract_prices' and contacts.code is null as of_any_payer
    from held_rows
    left join unreadable using (table_name, row_number)
    left join products on held_rows.product_code = products.code
    left join contacts on held_rows.contact_code = contacts.code
),

-- Of a contract price whose product is blank or not there, the payer is known and might
-- be meant with any of what he pays for; and the other way round. Of a price change
-- without a product nothing is known: it harms nobody, and that is told at its row.
might_concern as (
    select items.item, items.frequency, items.price_on, held_prices.*
    from items
    inner join held_prices on items.product_code = held_prices.product_code
    where held_prices.table_name = 'price_changes'
        or items.payer_code = held_prices.contact_code
    union all
    select items.item, items.frequency, items.price_on, held_prices.*
    from items
    inner join held_prices on items.payer_code = held_prices.contact_code
    where held_prices.of_any_product
    union all
    select items.item, items.frequency, items.price_on, held_prices.*
    from items
    inner join held_prices on items.product_code = held_prices.product_code
    where held_prices.of_any_payer and items.payer_code is not null
),

-- A day that is blank, or that could not be read, might be any; so might the price of
-- a row that has none. One that has the price of a month alone passes the question of
-- a year on, and the other way round.
might_answer as (
    select
        item,
        table_name,
        first_day
    from might_concern
    where price_on >= coalesce(first_day, price_on)
        and price_on <= coalesce(last_day, price_on)
        and case frequency
            when 'Monthly' then has_monthly or not has_annual
            when 'Annual' then has_annual or not has_monthly
            else true
        end
),

held_contracts as (
    select distinct item from might_answer where table_name = 'contract_prices'
),

-- A change that is not held and comes later answers in its place.
held_changes as (
    select distinct might_answer.item
    from might_answer
    left join changed using (item)
    where might_answer.table_name = 'price_changes'
        and coalesce(might_answer.first_day >= changed.effective_from, true)
)

select
    items.*,
    case
        when held_contracts.item is not null then 'contract-price-held'
        when held_changes.item is not null and contract.unit_price is null
            then 'price-change-held'
    end as held_price,
    coalesce(contract.answers, 0) as answers,
    coalesce(contract.unit_price, changed.unit_price, own.unit_price) as unit_price,
    case
        when contract.unit_price is not null then concat(
            'contract price: Contract prices ',
            coalesce('row ' || contract.row_number, 'as accepted earlier'),
            ' (', items.payer_code, ', ', items.product_code,
            coalesce(', from ' || contract.valid_from, ''), ')'
        )
        when changed.unit_price is not null then concat(
            'price change: Price changes ',
            coalesce('row ' || changed.row_number, 'as accepted earlier'),
            ' (', items.product_code, ', from ', changed.effective_from, ')'
        )
        when own.unit_price is not null then concat(
            'product price: Products ',
            coalesce('row ' || own.row_number, 'as accepted earlier'),
            ' (', items.product_code, ')'
        )
    end as price_source
from items
left join contract using (item)
left join changed using (item)
left join own using (item)
left join held_contracts using (item)
left join held_changes using (item)
