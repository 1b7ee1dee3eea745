"""The summary page: the night for a manager, on one sheet of paper, without names."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from pipeline.bookkeeping.books import Change, Entry, Held, MonthTotal, Night
from pipeline.bookkeeping.unsent import Limits, age
from pipeline.exports import words
from pipeline.exports.html import template
from pipeline.problems import Severity
from schemas.models import BUCKETS

MOST_INVOICES = 20
MOST_PRODUCTS = 12
MOST_REASONS = 5
MOST_IDS = 5
MOST_CHANGES = 5

# These sheets hold people: what changed in them is not told on this page.
PERSONAL_SHEETS = ("patients", "contacts")

CHART_WIDTH, CHART_HEIGHT, CHART_TOP, CHART_FOOT = 720, 150, 18, 34


@dataclass(frozen=True)
class Bar:
    """One month of the chart: its place in the drawing and its two labels."""

    left: float
    top: float
    width: float
    height: float
    middle: float
    value_at: float
    value: str
    month: str
    year: str


@dataclass(frozen=True)
class Age:
    """Unsent documents of one span of days since they were issued."""

    words: str
    count: int
    open: str


@dataclass(frozen=True)
class Reason:
    """Those held for one reason, by patient id."""

    words: str
    count: int
    ids: str
    amount: str


def render(night: Night, limits: Limits | None = None) -> str:
    """`out/summary.html`: one file that needs no other; the same text for the same night.

    `limits` say since when an unsent document is late.

    Raises ValueError for a refused night, which billed nothing and has no summary.
    """
    if night.refused:
        raise ValueError("a refused night has no summary")
    return template("summary").render(_page(night, limits or Limits()))


def _page(night: Night, limits: Limits) -> dict[str, Any]:
    made = words.invoices(night)
    return {
        "night": night,
        "day": words.day(night.as_of),
        "sentence": words.night_in_a_sentence(night),
        "clean": words.is_clean(night),
        "figures": figures(night),
        "buckets": buckets(night.memberships),
        "roster": sum(night.memberships.get(bucket, 0) for bucket in BUCKETS),
        "products": by_product(night),
        "made": [_made(entry, night.currency) for entry in made[:MOST_INVOICES]],
        "made_more": len(made) - MOST_INVOICES,
        "made_gross": _gross(made, night.currency),
        "reasons": reasons(night.held, night.currency)[:MOST_REASONS],
        "reasons_more": len(reasons(night.held, night.currency)) - MOST_REASONS,
        "unsent": unsent_by_age(night.unsent, night.as_of, night.currency, limits),
        "late": words.late_in_words(limits.counted(night.unsent, night.as_of)),
        "unsent_total": (len(night.unsent), _open(night.unsent, night.currency)),
        "changed": words.changed,
        "changes": _shown_changes(night.changes),
        "changes_more": _unshown_changes(night.changes),
        "problems": problem_words(night),
        "chart": chart(night.months, night.currency),
    }


def figures(night: Night) -> list[tuple[str, str, str]]:
    """The big numbers: what each is, its value and a word about it."""
    made = words.invoices(night)
    held = night.memberships.get("held", 0)
    requests = max(len(night.held) - held, 0)
    kept = words.total(waiting.amount for waiting in night.held)
    unknown = sum(waiting.amount is None for waiting in night.held)
    days = [age(entry, night.as_of) for entry in night.unsent]
    oldest = (
        f"the oldest for {words.counted(max(days), 'day')}" if days else "none waits"
    )
    if days and not max(days):
        oldest = "all made today"
    return [
        ("Invoices made", f"{len(made):,}", "tonight"),
        ("Invoiced tonight", _gross(made, night.currency), "tax included"),
        (
            "Memberships held",
            f"{held:,}",
            f"and {words.counted(requests, 'request')}" if requests else "not billed",
        ),
        (
            "Held back",
            words.money(kept, night.currency),
            f"{words.counted(unknown, 'amount')} not known"
            if unknown
            else "tax included",
        ),
        ("Not sent yet", f"{len(night.unsent):,}", oldest),
    ]


def buckets(memberships: Mapping[str, int]) -> list[tuple[str, int]]:
    """Rule 13's eight counts in words: they add up to the roster."""
    return [
        (words.BUCKET_WORDS[bucket], memberships.get(bucket, 0)) for bucket in BUCKETS
    ]


def by_product(night: Night) -> list[tuple[str, int, str]]:
    """What was billed by product, where the run's report says it; else nothing.

    `report["by_product"]` is a list of {"product_code", "lines", "gross"};
    too many to print count as not said.
    """
    rows = night.report.get("by_product") or []
    if len(rows) > MOST_PRODUCTS:
        return []
    try:
        return [
            (
                str(row["product_code"]),
                int(row["lines"]),
                words.money(Decimal(str(row["gross"])), night.currency),
            )
            for row in rows
        ]
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return []


def _made(entry: Entry, currency: str) -> tuple[str, str, str]:
    # Who is billed by id alone: a payer's name may be a patient's.
    whose = entry.patient_id or "several members"
    whose += f", billed to {entry.bill_to}" if entry.bill_to else ""
    return entry.number, whose, words.money(entry.gross, currency)


def reasons(held: Iterable[Held], currency: str) -> list[Reason]:
    """Those held, grouped by the reason, the largest group first."""
    groups: dict[str, list[Held]] = {}
    for waiting in held:
        groups.setdefault(words.reason(waiting.reason), []).append(waiting)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return [_reason(why, waiting, currency) for why, waiting in ordered]


def _reason(why: str, held: Sequence[Held], currency: str) -> Reason:
    ids = list(dict.fromkeys(waiting.whose or "no id" for waiting in held))
    more = f" and {len(ids) - MOST_IDS} more" if len(ids) > MOST_IDS else ""
    known = [waiting.amount for waiting in held if waiting.amount is not None]
    amount = words.money(words.total(known), currency) if known else "not known"
    more_amounts = " and more" if known and len(known) < len(held) else ""
    return Reason(
        why, len(held), ", ".join(ids[:MOST_IDS]) + more, amount + more_amounts
    )


def _gross(entries: Iterable[Entry], currency: str) -> str:
    return words.money(words.total(words.signed(entry) for entry in entries), currency)


def _open(entries: Iterable[Entry], currency: str) -> str:
    return words.money(words.total(entry.open for entry in entries), currency)


def unsent_by_age(
    unsent: Sequence[Entry], as_of: date, currency: str, limits: Limits | None = None
) -> list[Age]:
    """Unsent documents by whole days since issue: young, late and very late ones."""
    limits = limits or Limits()
    firsts = sorted({0, limits.warning, limits.alarm})
    grouped: dict[int, list[Entry]] = {first: [] for first in firsts}
    for entry in unsent:
        days = age(entry, as_of)
        grouped[max(first for first in firsts if days >= first)].append(entry)
    return [
        Age(_span(first, firsts), len(entries), _open(entries, currency))
        for first, entries in grouped.items()
    ]


def _span(first: int, firsts: Sequence[int]) -> str:
    """A span of ages in words: from one limit to the day before the next."""
    longer = [other for other in firsts if other > first]
    if not longer:
        return f"{first} days or more"
    return f"{first} to {longer[0] - 1} days"


def _told(changes: Iterable[Change]) -> list[Change]:
    # Those that did not take effect come first: somebody may have to act.
    told = [change for change in changes if change.table.lower() not in PERSONAL_SHEETS]
    return sorted(told, key=lambda change: change.accepted)


def _shown_changes(changes: Sequence[Change]) -> list[Change]:
    return _told(changes)[:MOST_CHANGES]


def _unshown_changes(changes: Sequence[Change]) -> int:
    return len(changes) - len(_shown_changes(changes))


def problem_words(night: Night) -> str:
    """The night's problems counted, each with how much it matters; '' for none."""
    said = {
        Severity.STOPS: "stopping the night",
        Severity.HELD: "not billed",
        Severity.CHECK: "to check",
        Severity.FIXED: "fixed for you",
    }
    counts = {severity: words.problem_count(night, severity) for severity in said}
    return ", ".join(f"{counts[kind]:,} {said[kind]}" for kind in said if counts[kind])


def chart(months: Sequence[MonthTotal], currency: str) -> dict[str, Any]:
    """The bars of the last months' gross, and the same in words for who cannot see them."""
    amounts = [month.gross for month in months]
    highest, lowest = max([*amounts, Decimal(0)]), min([*amounts, Decimal(0)])
    span = (highest - lowest) or Decimal(1)
    room = CHART_HEIGHT - CHART_TOP - CHART_FOOT
    zero_at = CHART_TOP + float(highest / span) * room
    step = CHART_WIDTH / max(len(months), 1)
    bars = [
        _bar(position, month, step, zero_at, float(abs(month.gross) / span) * room)
        for position, month in enumerate(months)
    ]
    told = [
        f"{_month_name(month)} {words.money(month.gross, currency)}" for month in months
    ]
    return {
        "bars": bars,
        "zero_at": round(zero_at, 1),
        "described": "; ".join(told) + "." if told else "",
        "width": CHART_WIDTH,
        "height": CHART_HEIGHT,
    }


def _month_name(month: MonthTotal) -> str:
    first = date.fromisoformat(f"{month.month}-01")
    return f"{first:%B %Y}"


def _bar(
    position: int, month: MonthTotal, step: float, zero_at: float, height: float
) -> Bar:
    first = date.fromisoformat(f"{month.month}-01")
    top = zero_at if month.gross < 0 else zero_at - height
    width = min(step * 0.62, 60)
    middle = (position + 0.5) * step
    whole = month.gross.quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Bar(
        left=round(middle - width / 2, 1),
        top=round(top, 1),
        width=round(width, 1),
        height=round(height, 1),
        middle=round(middle, 1),
        value_at=round(min(top, zero_at) - 5, 1),
        value=f"{whole:,}",
        month=f"{first:%b}",
        year=f"{first:%Y}" if position == 0 or first.month == 1 else "",
    )
