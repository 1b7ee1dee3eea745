"""A setting as last accepted, typed as the Settings sheet has it, or its default."""

from pipeline.cells import heading, parse
from pipeline.ledger import Ledger, current
from schemas import Practice
from schemas.columns import columns


def setting_in_force(ledger: Ledger, name: str) -> object:
    """The value of a setting, by its name in `schemas/practice.py`."""
    (column,) = [column for column in columns(Practice) if column.name == name]
    in_force = current("ledger.accepted.settings", "row_key")
    typed = ledger.value(
        f"select value from ({in_force}) where row_key = ?", [heading(column.title)]
    )
    value = parse(typed or column.default, column).value
    assert value is not None, "a night accepts no other"
    return value
