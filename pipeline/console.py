"""What a person sees on the terminal: the night's table and listings."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from pipeline.exports.words import BUCKET_WORDS, counted, made_before, money

if TYPE_CHECKING:
    from pipeline.run import Outcome

_RIGHT = {
    "net",
    "tax",
    "gross",
    "credits",
    "unit_price",
    "quantity",
    "tax_rate",
    "line",
}

_WHOLE = {*_RIGHT, "number", "issued_on", "due_on", "period_start", "period_end"}


def plain(name: str, value: Any) -> str:
    """A value as text: ISO dates, two decimals, yes or no, blank for none."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return str(value)


def table(rows: Sequence[dict[str, str]], names: Sequence[str], title: str) -> None:
    """A listing on stdout; columns that are blank throughout are left out."""
    if not rows:
        print(f"{title}: 0")
        return
    shown = [name for name in names if any(row[name] for row in rows)]
    grid = Table(
        title=f"{title}: {len(rows)}",
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for name in shown:
        grid.add_column(
            name.replace("_", " "),
            justify="right" if name in _RIGHT else "left",
            # A narrow terminal may cut a name, never a number, a day or an amount.
            min_width=max(len(row[name]) for row in rows) if name in _WHOLE else None,
            no_wrap=True,
        )
    for row in rows:
        grid.add_row(*(row[name] for name in shown))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        # Piped, it is as wide as it needs to be.
        console.width = 1000
    console.print(grid)


def night_table(outcome: "Outcome", folder: Path) -> None:
    """The night in a few lines: what was made, where everybody is, where to look."""
    night, report = outcome.night, outcome.report
    gross = Decimal(report["totals"]["gross"])
    made = counted(report["invoices_made"], "invoice")
    grid = Table(show_header=False, box=None, pad_edge=False)
    grid.add_column()
    grid.add_column(justify="right")
    for bucket, members in night.memberships.items():
        if members:
            grid.add_row(BUCKET_WORDS[bucket], str(members))
    grid.add_row("Memberships", str(sum(night.memberships.values())))
    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.print(f"{night.practice_name}, {night.as_of}, run {night.run_id}")
    numbers = (
        f" ({report['first_number']} to {report['last_number']})"
        if report["invoices_made"] > 1
        else f" ({report['first_number']})" if report["invoices_made"] else ""
    )  # fmt: skip
    sent = "; none is sent" if report["invoices_made"] else ""
    console.print(f"{made} made{numbers}, {money(gross, night.currency)}{sent}.")
    if night.made_before:
        console.print(made_before(night))
    console.print(grid)
    if night.held:
        value = money(Decimal(report["held_value"]), night.currency)
        is_known = any(held.amount is not None for held in night.held)
        known = f"{value} known" if is_known else "no amount known"
        console.print(f"Held: {len(night.held)}, {known}; see issues.xlsx")
    if outcome.late:
        console.print(f"Late: {outcome.late}; see To send in invoices.xlsx")
    out = folder / "out"
    console.print(f"Look at {out / 'summary.html'}, {out / 'invoices.xlsx'}")
    console.print(f"and {out / 'issues.xlsx'}; chain head {night.chain_head[:16]}")
