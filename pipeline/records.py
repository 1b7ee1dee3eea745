"""Rows of the ledger as values of ours, column by column.

DuckDB makes a Decimal in two microseconds and its text in a sixth of that; of those texts
Python makes each amount once, and a month's amounts are few.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar, get_type_hints

from pipeline.ledger import Ledger

Record = TypeVar("Record", bound=NamedTuple)

_PICKED = {str: "coalesce({0}, '')", Decimal: "{0}::varchar"}


def columns(
    ledger: Ledger,
    kinds: Mapping[str, Any],
    source: str,
    order: str,
    values: Sequence[Any] = (),
) -> list[Sequence[Any]]:
    """Named columns of a query, each of a type; a text that is null is ''."""
    listed = [_PICKED.get(kind, "{0}").format(name) for name, kind in kinds.items()]
    rows = ledger.connection.execute(
        f"select {', '.join(listed)} from ({source}) as made order by {order}",
        list(values),
    ).fetchall()
    if not rows:
        return [()] * len(kinds)
    found: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for at, kind in enumerate(kinds.values()):
        if kind is Decimal:
            amounts = {text: Decimal(text) for text in set(found[at])}
            found[at] = list(map(amounts.__getitem__, found[at]))
    return found


def records(
    ledger: Ledger,
    kind: type[Record],
    source: str,
    order: str,
    values: Sequence[Any] = (),
) -> tuple[Record, ...]:
    """The rows of a query whose columns are called like the fields of a kind."""
    fields = columns(ledger, get_type_hints(kind), source, order, values)
    return tuple(map(kind._make, zip(*fields, strict=True)))
