"""Documents that wait to be sent: since when that is too long, and the address to use."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pipeline.bookkeeping.books import Entry
from pipeline.in_force import settings_in_force
from pipeline.ledger import Ledger, current


@dataclass(frozen=True)
class Limits:
    """After how many days unsent a document is late, and after how many very late."""

    warning: int = 14
    alarm: int = 30

    def late(self, days: int) -> int:
        """The limit that so many days have reached, the longest of them; 0 for none."""
        return max(
            (each for each in (self.warning, self.alarm) if days >= each), default=0
        )

    def counted(self, unsent: Iterable[Entry], as_of: date) -> dict[int, int]:
        """How many documents have reached each limit and no longer one, longest first."""
        reached = [self.late(age(entry, as_of)) for entry in unsent]
        found = {limit: reached.count(limit) for limit in (self.alarm, self.warning)}
        return {limit: count for limit, count in found.items() if count}


def age(entry: Entry, as_of: date) -> int:
    """Whole days since a document was issued."""
    return max((as_of - entry.issued_on).days, 0)


def limits(ledger: Ledger) -> Limits:
    """The practice's own limits, as last accepted."""
    warning, alarm = settings_in_force(
        ledger, "unsent_warning_days", "unsent_alarm_days"
    )
    assert isinstance(warning, int)
    assert isinstance(alarm, int)
    return Limits(warning, alarm)


def emails(ledger: Ledger, numbers: list[str]) -> dict[str, str]:
    """Number to the payer's e-mail address, of these documents; only where there is one.

    It is the address of the payer's row as last accepted, where there is such a row,
    since an address that was put right counts; else the one the document was made with.
    """
    patients = current("ledger.accepted.patients", "row_key")
    contacts = current("ledger.accepted.contacts", "row_key")
    rows = ledger.rows(
        "select number, case when contacts.row_key is not null then contacts.email"
        " when invoices.bill_to is null and patients.row_key is not null"
        "  then patients.email else invoices.email end as email"
        " from ledger.invoices as invoices"
        f" left join ({patients}) as patients"
        "  on canonical(invoices.patient_id) = patients.row_key"
        f" left join ({contacts}) as contacts"
        "  on canonical(invoices.bill_to) = contacts.row_key"
        " where number in (select unnest($1))",
        [numbers],
    )
    return {row["number"]: row["email"] for row in rows if row["email"]}
