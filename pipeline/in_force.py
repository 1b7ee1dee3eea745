"""Settings as last accepted, typed as the Settings sheet has them, or their defaults."""

from pipeline.cells import parse
from pipeline.cells.spelling import heading
from pipeline.ledger import Ledger, current
from schemas import Practice
from schemas.columns import columns


def settings_in_force(ledger: Ledger, *names: str) -> tuple[object, ...]:
    """The values of settings, by their names in `schemas/practice.py`."""
    by_name = {column.name: column for column in columns(Practice)}
    rows = ledger.rows(current("ledger.accepted.settings", "row_key"))
    typed = {row["row_key"]: row["value"] for row in rows}
    values = []
    for column in (by_name[name] for name in names):
        value = parse(typed.get(heading(column.title)) or column.default, column).value
        assert value is not None, "a night accepts no other"
        values.append(value)
    return tuple(values)


def setting_in_force(ledger: Ledger, name: str) -> object:
    """The value of one setting."""
    (value,) = settings_in_force(ledger, name)
    return value
