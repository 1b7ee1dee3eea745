"""Keys that no index of the database keeps, looked for in what a run adds.

An index of every large table was half of an old ledger's file, read and copied each night.
"""

from collections.abc import Mapping

from pipeline.ledger import Ledger
from schemas.columns import about, name_of
from schemas.ledger import LEDGER

_CHECKED = tuple(
    (name_of(schema), ", ".join(key))
    for schema in LEDGER
    for key in about(schema).get("checked", ())
)


class Repeated(Exception):
    """A run would record something twice; the message names the table and its key."""


def rows_before(ledger: Ledger) -> dict[str, int]:
    """The last row of each table: whatever is added from now on comes after it."""
    last = " union all ".join(
        f"select '{table}', coalesce(max(rowid), -1) from ledger.{table}"
        for table, _ in _CHECKED
    )
    return dict(ledger.connection.execute(last).fetchall())


def must_be_new(ledger: Ledger, before: Mapping[str, int]) -> None:
    """Raises `Repeated` where a row that was added has the key of any other.

    Asked in the run's own transaction, which must then be given up. `before` is what
    `rows_before` said as it began.
    """
    repeated = " union all ".join(
        _repeated(
            table,
            key,
            f"ledger.{table} semi join"
            f" (from ledger.{table} where rowid > {before[table]}) using ({key})",
        )
        for table, key in _CHECKED
    )
    for (fault,) in ledger.connection.execute(repeated).fetchall():
        raise Repeated(f"the run would record {fault}")


def _repeated(table: str, key: str, among: str) -> str:
    return (
        f"(select '{table} with one {key} twice' as fault from {among}"
        f" group by {key} having count(*) > 1 limit 1)"
    )


# The same of all rows that a proof looks at.
REPEATED = " union all ".join(
    _repeated(table, key, f"probed.{table}") for table, key in _CHECKED
)
