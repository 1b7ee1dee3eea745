"""Who may do what by the last accepted Staff and Roles."""

from collections.abc import Sequence

from pipeline.ledger import Ledger, current
from pipeline.rights.judged import entitled_in


def may(ledger: Ledger, user: str, area: str) -> bool:
    """Whether a user may Edit an area, by the last accepted Staff and Roles."""
    staff, roles = (
        f"({current(f'ledger.accepted.{table}', 'row_key')})"
        for table in ("staff", "roles")
    )
    return bool(
        ledger.value(
            f"select count(*) from ({entitled_in(area, staff, roles)})"
            " where user_key = canonical(?)",
            [user],
        )
    )


def users(ledger: Ledger) -> Sequence[str]:
    """The users of the last accepted Staff sheet."""
    in_force = current("ledger.accepted.staff", "row_key")
    return [row["user"] for row in ledger.rows(f'select "user" from ({in_force})')]
