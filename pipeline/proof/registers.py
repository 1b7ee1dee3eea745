"""Whether the registers that were published say what the ledger says."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

from pipeline import outbox
from pipeline.ledger import Ledger
from pipeline.problems import Refused
from pipeline.version import VERSION

# The columns of a register that are read back.
_NUMBER, _AMOUNTS = "Number", ("Net", "Tax", "Gross")

_MONTHS = (
    "select strftime(issued_on, '%Y-%m') as month from ledger.invoices"
    " union select path[11:17] from ledger.published where starts_with(path, 'registers/')"
    " order by month"
)


def registers_that_differ(ledger: Ledger, out: Path) -> list[str]:
    """Registers that are not, cell by cell, what they are when made again.

    One of another version may be laid out otherwise: of it documents and amounts count.
    """
    faults = []
    alike = _made_alike(ledger)
    for row in ledger.rows(_MONTHS):
        month = row["month"]
        path = f"registers/{month}.xlsx"
        if not (out / path).is_file():
            faults.append(f"there is no register of {month}")
        elif said := _difference(ledger, month, out / path) if path in alike else "":
            faults.append(f"{path} does not hold what the ledger does: {said}")
        elif _documents(out / path) != _booked(ledger, month):
            faults.append(f"{path} does not hold what the ledger does")
    return faults[:20]


def _made_alike(ledger: Ledger) -> set[str]:
    """The registers published last by this version, and not due to be made again."""
    rows = ledger.rows(
        "select path from ledger.published inner join ledger.runs using (run_no)"
        " where starts_with(path, 'registers/')"
        " group by path having arg_max(version, run_no) = ?",
        [VERSION],
    )
    return {row["path"] for row in rows}.difference(
        outbox.pending(ledger, everywhere=True)
    )


def _difference(ledger: Ledger, month: str, file: Path) -> str:
    # Loaded here alone: no night and no other proof needs it.
    from pipeline.proof.same_cells import first_difference
    from pipeline.publish import made_register

    try:
        made = made_register(ledger, month)
    except Refused as refusal:  # told of the ledger too
        return refusal.problems[0].found
    return first_difference(made, file)


def _booked(ledger: Ledger, month: str) -> dict[str, tuple[Decimal, ...]]:
    """The documents of a month by number with their amounts, as the ledger has them."""
    rows = ledger.rows(
        "select number, net, tax, gross from ledger.invoices"
        " where strftime(issued_on, '%Y-%m') = ?",
        [month],
    )
    return {row["number"]: (row["net"], row["tax"], row["gross"]) for row in rows}


def _documents(file: Path) -> dict[str, tuple[Decimal, ...]] | None:
    """The documents of a register by number with their amounts; None if unreadable."""
    from python_calamine import CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(str(file)) as book:
            return {
                number: amounts
                for name in book.sheet_names
                if re.fullmatch(r"Invoices( [0-9]+)?", name)
                for number, amounts in _amounts(
                    book.get_sheet_by_name(name).to_python(skip_empty_area=False)
                ).items()
            }
    except Exception:  # whatever is wrong with it, it does not say what it should
        return None


def _amounts(rows: Sequence[Sequence[object]]) -> dict[str, tuple[Decimal, ...]]:
    head = next(at for at, row in enumerate(rows) if _NUMBER in row)
    titles = [str(title) for title in rows[head]]
    places = [_place(titles, name) for name in _AMOUNTS]
    number = titles.index(_NUMBER)
    return {
        str(row[number]): tuple(
            Decimal(str(row[at])).quantize(Decimal("0.01")) for at in places
        )
        for row in rows[head + 1 :]
        if row[number] and isinstance(row[places[0]], int | float)
    }


def _place(titles: Iterable[str], name: str) -> int:
    return next(at for at, title in enumerate(titles) if title.startswith(f"{name} ("))
