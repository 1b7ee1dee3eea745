"""The group page, `group.html`: who needs somebody first, then what was billed."""

from typing import Any

from pipeline.exports import words
from pipeline.exports.group_list import link, what_to_know
from pipeline.exports.html import template
from pipeline.group.night import Record
from pipeline.group.outcome import STATES, Group, state

# As many rows as a browser opens at once; the workbook has all of them.
MOST_ROWS = 500
MOST_NOTES = 20


def render(group: Group) -> str:
    """One file that needs no other; the same text for the same group."""
    return template("group").render(_page(group))


def _page(group: Group) -> dict[str, Any]:
    counts = group.counts
    fine = counts["fine"]
    return {
        "group": group,
        "day": words.day(group.day),
        "clean": not (len(group.records) - fine or group.lost or group.notes),
        "sentence": sentence(group),
        "totals": [_totals_of(each) for each in group.totals],
        "rows": [_row(each) for each in group.records[:MOST_ROWS]],
        "rows_more": len(group.records) - MOST_ROWS,
        "notes": group.notes[:MOST_NOTES],
        "notes_more": len(group.notes) - MOST_NOTES,
    }


def sentence(group: Group) -> str:
    """How many practices stand where: '3 practices: 2 fine, 1 refused.'"""
    said = [
        f"{count:,} {STATES[name].lower()}"
        for name, count in group.counts.items()
        if count
    ]
    return f"{words.counted(len(group.records), 'practice')}: {', '.join(said)}."


def _totals_of(totals: Any) -> dict[str, Any]:
    def money(name: str) -> str:
        return words.money(getattr(totals, name), totals.currency)

    return {
        "currency": totals.currency,
        "documents": f"{totals.documents:,}",
        "net": money("net"),
        "tax": money("tax"),
        "gross": money("gross"),
        "held": f"{totals.held:,}",
        "held_sum": money("held_sum"),
        "unsent": f"{totals.unsent:,}",
        "unsent_sum": money("unsent_sum"),
    }


def _row(record: Record) -> dict[str, Any]:
    def shown(count: int, amount: Any) -> str:
        return f"{count:,} · {words.money(amount, record.currency)}" if count else "–"

    billed = bool(record.run_id)
    return {
        "state": state(record),
        "said": STATES[state(record)],
        "practice": record.practice,
        "name": record.name,
        "summary": link(record, "out/summary.html") if billed else "",
        "issues": link(record, "out/issues.xlsx") if record.issues else "",
        "made": shown(record.documents, record.gross) if billed else "",
        "held": shown(record.held, record.held_sum) if billed else "",
        "unsent": shown(record.unsent, record.unsent_sum) if billed else "",
        "why": what_to_know(record),
    }
