"""Prices that are new or changed, each beside the price it takes the place of."""

from decimal import Decimal
from typing import Any

from pipeline.ledger import Ledger

_KINDS = (
    "unnest(['Monthly price', 'Annual price', 'Price']) as kind,"
    " unnest([monthly_price, annual_price, price]) as amount"
)

# Every price of one night's sheets, a row for each kind.
_PRICES = f"""
select 'standard' as sort, row_key, code as subject, code as product,
    null::date as from_on, {_KINDS}
from {{catalog}}.input.products
union all
select 'coming', row_key, product_code, product_code, effective_from, {_KINDS}
from {{catalog}}.input.price_changes where not held
union all
select 'contract', row_key, contact_code || ' ' || product_code, product_code,
    coalesce(valid_from, date '0001-01-01'), {_KINDS}
from {{catalog}}.input.contract_prices where not held
"""

# A new or changed price is held against its own last version; a row of a new day against
# the one in force before it. A contract price none came before is held against the one
# last accepted for the same, a first coming price against the standard one. So is a first
# contract price, which may well be lower: there a slipped decimal point counts, or more.
_MOVES = f"""
with
now as (select * from ({_PRICES.format(catalog="tonight")}) where amount is not null),
before as (select * from ({_PRICES.format(catalog="baseline")}) where amount is not null),
fresh as (
    select now.*, before.amount as own_last
    from now left join before using (sort, row_key, kind)
    where now.amount is distinct from before.amount
),
beside as (
    select fresh.*,
        (select arg_max(now.amount, now.from_on) from now
         where now.sort = fresh.sort and now.subject = fresh.subject
         and now.kind = fresh.kind and now.from_on < fresh.from_on) as followed,
        (select arg_max(before.amount, before.from_on) from before
         where before.sort = fresh.sort and before.subject = fresh.subject
         and before.kind = fresh.kind and fresh.sort = 'contract') as last_accepted,
        coalesce(
            (select arg_max(now.amount, now.from_on) from now
             where now.sort = 'coming' and fresh.sort = 'contract'
             and now.subject = fresh.product and now.kind = fresh.kind
             and now.from_on <= fresh.from_on),
            (select any_value(now.amount) from now
             where now.sort = 'standard' and fresh.sort <> 'standard'
             and now.subject = fresh.product and now.kind = fresh.kind)
        ) as standard
    from fresh
),
compared as (
    select *,
        coalesce(own_last, followed, last_accepted) is null and sort = 'contract'
            as is_first_contract,
        coalesce(own_last, followed, last_accepted, standard) as old
    from beside
)
select subject, kind, old, amount, abs(amount - old) as moved
from compared
where case
    when is_first_contract
        then (amount - old) * 100 > old * ? or (amount > 0 and amount * 9 < old)
    else abs(amount - old) * 100 > old * ?
end
order by moved desc, subject, kind
"""


def moved_prices(ledger: Ledger, percent: Decimal) -> list[dict[str, Any]]:
    """Prices that moved by more than a share: subject, kind, old, amount; largest first."""
    return ledger.rows(_MOVES, [percent, percent])
