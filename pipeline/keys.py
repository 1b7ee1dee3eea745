"""Keys that no index of the database keeps, looked for in what a run adds.

An index of every large table was half of an old ledger's file, read and copied each night.
"""

from pipeline.ledger import Ledger
from schemas.columns import about, column_types, name_of
from schemas.ledger import LEDGER, Invoices

# Tables and their keys, with what tells the rows of a run.
_OF_RUN = "run_no = $1"
_CHECKED = tuple(
    (
        name_of(schema),
        ", ".join(key),
        _OF_RUN
        if "run_no" in column_types(schema)
        else f"number in (select number from ledger.{name_of(Invoices)} where {_OF_RUN})",
    )
    for schema in LEDGER
    for key in about(schema).get("checked", ())
)


class Repeated(Exception):
    """A run would record something twice; the message names the table and its key."""


def must_be_new(ledger: Ledger, run_no: int) -> None:
    """Raises `Repeated` where a row of run `run_no` has the key of any other.

    Asked in the run's own transaction, which must then be given up.
    """
    for (fault,) in ledger.connection.execute(_REPEATED, [run_no]).fetchall():
        raise Repeated(f"the run would record {fault}")


def _repeated(table: str, key: str, among: str) -> str:
    return (
        f"(select '{table} with one {key} twice' as fault from {among}"
        f" group by {key} having count(*) > 1 limit 1)"
    )


_REPEATED = " union all ".join(
    _repeated(
        table,
        key,
        f"ledger.{table} semi join (from ledger.{table} where {added}) using ({key})",
    )
    for table, key, added in _CHECKED
)

# The same of all rows that a proof looks at.
REPEATED = " union all ".join(
    _repeated(table, key, f"probed.{table}") for table, key, _ in _CHECKED
)
