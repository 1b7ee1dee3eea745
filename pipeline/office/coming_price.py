"""What a patient's next period will cost, from the rows that are in force."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pipeline.judging.price_columns import hold_misplaced
from pipeline.judging.references import resolve
from pipeline.ledger import Ledger, current
from pipeline.problems import stops
from pipeline.settings import read_settings
from pipeline.tables import empty, load, load_nothing
from pipeline.transform import transform
from pipeline.workbooks import Sheet
from schemas import INPUTS
from schemas.columns import column_types, name_of
from schemas.inputs import UnreadablePrices
from schemas.ledger import ACCEPTED


@dataclass(frozen=True)
class Due:
    """A period to come and what it costs, tax included; no price where it is held."""

    day: date
    gross: Decimal | None
    price_source: str


def next_period(
    ledger: Ledger, key: str, standing: dict[str, Any] | None
) -> Due | None:
    """The next period with its price, worked out by the rules of the night for its day."""
    day = standing["next_due"] if standing else None
    if standing is None or day is None:
        return None
    run = ledger.connection.execute
    for schema in INPUTS:
        name = name_of(schema)
        load(ledger.connection, schema, empty(schema), f"input.{name}")
        if schema in ACCEPTED:
            # Accepted rows of different nights may have stood in the same place.
            listed = ", ".join(column_types(schema))
            in_force = current(f"ledger.accepted.{name}", "row_key")
            of_them = name == "patients"
            run(
                f"insert into input.{name} select {listed} from ({in_force})"
                + " where row_key = ?" * of_them,
                [key] * of_them,
            )
    load_nothing(ledger.connection, UnreadablePrices, "input.unreadable_prices")
    resolve(ledger, {})
    hold_misplaced(ledger, {})
    # A column of settings that are all in force is read without a sheet.
    run("create or replace table staged.settings as select * from input.settings")
    if stops(read_settings(ledger, Sheet("settings", "", "Settings", {}, []))):
        return Due(day, None, "")
    run("create or replace table input.run as select ?::date as as_of", [day])
    transform(ledger.connection, hold=())
    rows = ledger.rows(
        "select case when reason is null then gross end as gross, price_source"
        " from model.charges where period_start = ?",
        [day],
    )
    return Due(day, **rows[0]) if rows else Due(day, None, "")
