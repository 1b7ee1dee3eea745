"""Prices in a column that nobody is charged from: told, and held where there is no other.

A membership costs its Monthly price or its Annual price, anything else its Price: what
stands in another column can never answer for the product. A row of Price changes or
Contract prices with nothing else is a row without a price.
"""

from typing import Any

from pipeline.cells.spelling import show
from pipeline.ledger import Ledger
from pipeline.problems import Problem, Severity
from pipeline.workbooks import Sheet

Row = dict[str, Any]

# What a membership's price is for, what else it may be sold by, and where that stands.
_SPANS = {
    "monthly_price": ("month", "year", "Annual price"),
    "annual_price": ("year", "month", "Monthly price"),
}
# The sheets with prices: what names a row's product, and what its problems are known by.
_SHEETS = {
    "products": ("code", "code"),
    "price_changes": ("product_code", "product_code"),
    "contract_prices": ("product_code", "contact_code"),
}

# Whether a row of the sheet has no price of its product's kind. What a held product is,
# and how it is sold, is not known until it is mended.
_WITHOUT_PRICE = """
rows.row_number is not null
and not rows.held
and not products.held
and case
    when lower(products.type) = 'membership'
        then rows.monthly_price is null and rows.annual_price is null
    else rows.price is null
end
"""

_FILLED = f"""
select
    '{{name}}' as name,
    rows.row_number,
    rows.{{subject}} as subject,
    products.code,
    lower(products.type) = 'membership' as is_membership,
    unnest(['monthly_price', 'annual_price', 'price']) as field,
    unnest([rows.monthly_price, rows.annual_price, rows.price]) as amount,
    unnest([
        products.monthly_price is not null,
        products.annual_price is not null,
        products.price is not null
    ]) as sold,
    {_WITHOUT_PRICE} as without_price
from input.{{name}} as rows
inner join input.products as products on rows.{{product}} = products.code
where not products.held and rows.row_number is not null
"""


def hold_misplaced(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """A problem for each price that nobody is charged; marks the rows without another.

    Codes are spelled alike by then.
    """
    problems = _misplaced(ledger, sheets) if sheets else []
    for name in ("price_changes", "contract_prices"):
        ledger.connection.execute(
            f"update input.{name} as rows set held = true"
            " from input.products as products"
            f" where rows.product_code = products.code and {_WITHOUT_PRICE}"
        )
    return problems


def _misplaced(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    filled = " union all ".join(
        _FILLED.format(name=name, product=product, subject=subject)
        for name, (product, subject) in _SHEETS.items()
    )
    rows = ledger.rows(
        f"select * from ({filled}) where amount is not null"
        # The Price of a membership, or anything but the Price of something else.
        " and (is_membership = (field = 'price') or not sold)"
        " order by name, row_number, field"
    )
    return [
        _problem(sheets[row["name"]], row)
        for row in rows
        # Such a row is held whatever its cells say, and may not say what was meant.
        if row["row_number"] not in sheets[row["name"]].bad_rows
    ]


def _problem(sheet: Sheet, row: Row) -> Problem:
    """What stands in one cell, why nobody is charged it, and where it would count."""
    place, code = sheet.place(row["row_number"], row["field"]), row["code"]
    severity, told = Severity.CHECK, "price-misplaced"
    if row["is_membership"] and row["field"] != "price":
        span, other, right = _SPANS[row["field"]]
        told, why = "price-not-offered", f"{code} is sold by the {other} only"
        repair = (
            f"clear this cell, or write it in {right} if it is for a {other}; to sell"
            f" {code} by the {span}, fill in its {place.column} in the sheet Products"
        )
    else:
        why, right = f"{code} is no membership", "Price"
        if row["is_membership"]:
            why, right = f"{code} is a membership", "Monthly price or Annual price"
        repair = (
            f"clear this cell; if it is what should be charged, write it in {right}"
        )
        if row["without_price"]:
            severity, repair = Severity.HELD, f"write it in {right} instead"
    return Problem(
        severity,
        told,
        place,
        f"{show(row['amount'])} in {place.column} is charged to nobody: {why}",
        f"an amount in the column {right}",
        repair,
        subject=row["subject"] or "",
    )
