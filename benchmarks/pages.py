"""Tables and the chart of `docs/performance.md`, from what was measured."""

import re
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from benchmarks.measured import Figures, Measured

DOCS = Path(__file__).parent.parent / "docs"
PAGE, CHART = DOCS / "performance.md", DOCS / "images/night-stages.svg"

GROWTH = (
    "10000-xlsx-0", "10000-xlsx-36", "10000-xlsx-120", "100000-xlsx-0", "100000-xlsx-36",
    "100000-xlsx-120", "1000000-xlsx-0", "10000000-csv-0",
)  # fmt: skip

# What a stage is held against, in words; the rest have no floor.
AGAINST = {
    "start-up": "Python importing pandera",
    "reading": "fastexcel to Arrow to DuckDB, or DuckDB's read_csv",
    "validation": "18 checks in SQL",
    "due, price and tax": "SQL that starts from the last period billed",
    "recording": "bare inserts and a hash each",
    "invoice workbooks": "a prepared workbook with its cells replaced",
    "register": "the same cells by XlsxWriter in constant memory (a yardstick)",
    "copy": "a file copy and two hashes",
}
# One floor for two stages: reading ends where fastexcel ends, with values in a table.
TOGETHER = {"reading": ("reading", "parsing cells")}


def tables(measured: Measured) -> dict[str, str]:
    """The tables of one measurement, by name."""
    return {"whole": _whole(measured), "stages": _stages(measured)}


def _whole(measured: Measured) -> str:
    night, script = measured.night, measured.script
    rows = [
        f"Medians of {measured.runs}, practice `{measured.practice}`.",
        "",
        "| process | wall (s) | processor (s) | peak memory (MB) |",
        "|---|---|---|---|",
        _process("the night", night),
    ]
    if measured.again:
        rows.append(_process("the next night, nothing due", measured.again))
    if script:
        rows += [
            _process("the script", script),
            f"| **the script takes, times the night** | {script.wall / night.wall:.2f} |"
            f" {script.used / night.used:.2f} | {script.memory / night.memory:.2f} |",
        ]
    return "\n".join(rows)


def _process(name: str, figures: Figures) -> str:
    return (
        f"| {name} | {figures.wall:.1f} | {figures.used:.1f} | {figures.memory:,.0f} |"
    )


def _stages(measured: Measured) -> str:
    """Each stage beside its floor; processor seconds make the ratio."""
    rows = [
        "| stage | wall (s) | processor (s) | floor (s) | times its floor | the floor |",
        "|---|---|---|---|---|---|",
    ]
    for name, figures in measured.stages.items():
        floor = measured.floors.get(name)
        beside = "| | | |"
        if floor:
            ratio = f"{figures.used / floor.used:.1f}" if floor.used >= 0.01 else ""
            beside = f"| {floor.used:.2f} | {ratio} | {AGAINST[name]} |"
        rows.append(f"| {name} | {figures.wall:.2f} | {figures.used:.2f} {beside}")
    for name, parts in TOGETHER.items():
        floor = measured.floors.get(name)
        if floor and floor.used >= 0.01 and set(parts) <= set(measured.stages):
            used = sum(measured.stages[part].used for part in parts)
            wall = sum(measured.stages[part].wall for part in parts)
            rows.append(
                f"| {' and '.join(parts)} | {wall:.2f} | {used:.2f} | {floor.used:.2f} |"
                f" {used / floor.used:.1f} | {AGAINST[name]} |"
            )
    return "\n".join(rows)


def growth(found: Mapping[str, tuple[Figures, Figures]], runs: int) -> str:
    """First and next nights of practices of growing size and age."""
    rows = [
        f"Medians of {runs}.",
        "",
        "| members | file | months in the ledger | night (s) | processor (s)"
        " | per 1,000 members (ms) | nothing due (s) | peak memory (MB) |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for asked, (first, again) in found.items():
        members, form, months = asked.split("-")
        each = first.used / int(members) * 1_000_000
        rows.append(
            f"| {int(members):,} | {form} | {months} | {first.wall:.1f} |"
            f" {first.used:.1f} | {each:.0f} | {again.wall:.1f} | {first.memory:,.0f} |"
        )
    return "\n".join(rows)


def put(name: str, text: str, page: Path = PAGE) -> None:
    """Put a table in its place in the page, between its two marks."""
    found = page.read_text(encoding="utf-8")
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    changed, times = pattern.subn(lambda _: f"{begin}\n{text}\n{end}", found)
    if times != 1:
        raise SystemExit(f"{page.name} has no place for the table {name}")
    page.write_text(changed, encoding="utf-8")


_ROW, _LEFT, _WIDTH, _TOP = 26, 210, 420, 64


def chart(measured: Measured) -> str:
    """Bars of every stage's processor seconds, with its floor as a line across."""
    stages = {name: one.used for name, one in measured.stages.items()}
    floors = {name: one.used for name, one in measured.floors.items()}
    scale = _WIDTH / max(*stages.values(), *floors.values())
    parts = []
    for at, (name, used) in enumerate(stages.items()):
        y = _TOP + at * _ROW
        parts += [
            _text(_LEFT - 8, y + 13, name, 'text-anchor="end"'),
            f'<rect x="{_LEFT}" y="{y}" width="{max(1.0, used * scale):.1f}"'
            ' height="17" rx="2" fill="#2563a8"/>',
            _text(_LEFT + max(used, floors.get(name, 0)) * scale + 8, y + 13,
                  f"{used:.2f} s"),
        ]  # fmt: skip
        if name in floors:
            x = _LEFT + floors[name] * scale
            parts.append(
                f'<path d="M{x:.1f} {y - 3}v23" stroke="#c2410c" stroke-width="3"/>'
            )
    height = _TOP + len(stages) * _ROW + 14
    title = f"Processor seconds of a night by stage, {measured.practice}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}"'
            ' font-family="sans-serif" font-size="13" role="img">',
            f"<title>{escape(title)}</title>",
            # Of its own colour, so that it can be read on a light and on a dark page.
            f'<rect width="760" height="{height}" rx="6" fill="#ffffff"/>',
            _text(16, 24, title, 'font-weight="bold"'),
            '<rect x="16" y="36" width="14" height="12" rx="2" fill="#2563a8"/>',
            _text(36, 47, "the stage"),
            '<path d="M116 34v16" stroke="#c2410c" stroke-width="3"/>',
            _text(124, 47, "its floor, or the register's yardstick"),
            *parts,
            "</svg>\n",
        ]
    )


def _text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="#1f2937" {more}>{escape(words)}</text>'


def draw(measured: Measured) -> None:
    """Write the chart beside the page."""
    CHART.write_text(chart(measured), encoding="utf-8")
