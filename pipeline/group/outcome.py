"""What a group came to: its records in order of who is needed, its totals, its code."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from pipeline.group.night import BUSY, CRASHED, HELD, REFUSED, Record

# In the order in which somebody is needed.
STATES = {
    "crashed": "Not finished",
    "refused": "Refused",
    "busy": "Busy",
    "held": "Held",
    "look": "To look at",
    "late": "Unsent too long",
    "fine": "Fine",
}
_OF_CODE = {CRASHED: "crashed", REFUSED: "refused", BUSY: "busy", HELD: "held"}


def state(record: Record) -> str:
    """Where a practice stands, as a key of STATES."""
    if record.code in _OF_CODE:
        return _OF_CODE[record.code]
    if record.why:
        return "look"
    return "late" if record.late else "fine"


@dataclass(frozen=True)
class Totals:
    """Sums over the practices of one currency."""

    currency: str
    practices: int
    documents: int
    net: Decimal
    tax: Decimal
    gross: Decimal
    held: int
    held_sum: Decimal
    unsent: int
    unsent_sum: Decimal


@dataclass(frozen=True)
class Group:
    """All practices of a group after its night. `lost` says why it was cut short, or ''.

    `notes` are sentences about folders that were not billed.
    """

    name: str
    day: date
    moment: datetime
    records: tuple[Record, ...]
    notes: tuple[str, ...] = ()
    lost: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """How many practices stand in each state."""
        found = [state(record) for record in self.records]
        return {name: found.count(name) for name in STATES}

    @property
    def code(self) -> int:
        """The exit code: of the practice that needs somebody most."""
        counts = self.counts
        of = {name: code for code, name in _OF_CODE.items()}
        if self.lost:
            return CRASHED
        return next((of[name] for name in of if counts[name]), 0)

    @property
    def totals(self) -> list[Totals]:
        """Sums by currency."""
        billed = [record for record in self.records if record.run_id]
        return [
            _totals(currency, [each for each in billed if each.currency == currency])
            for currency in sorted({record.currency for record in billed})
        ]


def _totals(currency: str, records: Sequence[Record]) -> Totals:
    def money(name: str) -> Decimal:
        return sum((getattr(each, name) for each in records), Decimal("0.00"))

    return Totals(
        currency,
        len(records),
        sum(each.documents for each in records),
        money("net"),
        money("tax"),
        money("gross"),
        sum(each.held for each in records),
        money("held_sum"),
        sum(each.unsent for each in records),
        money("unsent_sum"),
    )


def in_order(records: Iterable[Record]) -> tuple[Record, ...]:
    """Who needs a person first comes first; then by name."""
    rank = list(STATES)
    return tuple(
        sorted(
            records,
            key=lambda each: (rank.index(state(each)), each.practice.split("/")),
        )
    )
