-- One row per row of Contract prices that answers for a day another answers for too
-- (rule 6: an error, never a choice).
with

contract_prices as (select * from input.contract_prices where not held),

contract_pairs as (
    select
        this.row_number,
        min(other.row_number) as other_row,
        this.contact_code || ' ' || this.product_code as subject
    from contract_prices as this
    inner join contract_prices as other
        on this.contact_code = other.contact_code
        and this.product_code = other.product_code
        and this.row_key <> other.row_key
        and coalesce(this.valid_from, date '0001-01-01')
            <= coalesce(other.valid_to, date '9999-12-31')
        and coalesce(other.valid_from, date '0001-01-01')
            <= coalesce(this.valid_to, date '9999-12-31')
        and (
            (this.monthly_price is not null and other.monthly_price is not null)
            or (this.annual_price is not null and other.annual_price is not null)
            or (this.price is not null and other.price is not null)
        )
    group by all
)

select
    row_number,
    other_row,
    subject
from contract_pairs
