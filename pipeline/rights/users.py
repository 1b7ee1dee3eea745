"""Who may do what by the last accepted Staff and Roles."""

from collections.abc import Sequence

from pipeline.ledger import Ledger, current


def may(ledger: Ledger, user: str, area: str) -> bool:
    """Whether a user may Edit an area, by the last accepted Staff and Roles."""
    return bool(
        ledger.value(
            "select count(*) from"
            f" ({current('ledger.accepted.staff', 'row_key')}) as staff"
            f" inner join ({current('ledger.accepted.roles', 'row_key')}) as roles"
            " on canonical(staff.role) = roles.row_key"
            f" where staff.active and staff.row_key = canonical(?) and roles.{area} = 'Edit'",
            [user],
        )
    )


def users(ledger: Ledger) -> Sequence[str]:
    """The users of the last accepted Staff sheet."""
    in_force = current("ledger.accepted.staff", "row_key")
    return [row["user"] for row in ledger.rows(f'select "user" from ({in_force})')]
