"""The last sheet of a month's register: sums that must agree, each difference 0."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from xlsxwriter.worksheet import Worksheet

from pipeline.bookkeeping.books import Issued, Month
from pipeline.exports.lists import Listing
from pipeline.exports.register_checks import (
    Check,
    Side,
    checks_of_income,
    checks_of_state,
    listed,
    summed,
)
from pipeline.exports.register_summary import COUNT, NET, WORDS, Block
from pipeline.exports.register_sums import of_kind
from pipeline.exports.words import symbol
from pipeline.exports.workbook import (
    ACCENT,
    QUIET,
    RULE,
    Book,
    Formula,
    Value,
    page,
    put,
)

COLUMNS = (
    ("Check", 38),
    ("One side", 44),
    ("Amount", 16),
    ("Other side", 46),
    ("Amount", 16),
    ("Difference", 14),
    ("Result", 12),
)
FIRST_ROW = 5
AMOUNTS = ("Net", "Tax", "Gross")


def write_control_totals(
    book: Book,
    sheet: Worksheet,
    month: Month,
    title: str,
    listings: Mapping[str, Listing],
    blocks: dict[str, Block],
) -> None:
    """Write every check with its two sides, their difference and a word for it."""
    unit = symbol(month.currency).strip()
    checks = _checks(listings, blocks, unit)
    checks += _counts(month, listings["Invoices"], blocks)
    checks += checks_of_income(month, listings, unit) + checks_of_state(
        month, listings, unit
    )
    last = FIRST_ROW + len(checks) - 1
    title = f"{title}: checks"
    put(book, sheet, 0, 0, title, bold=True, font_size=16, font_color=ACCENT)
    said = f"{month.practice_name}. Every difference must show 0."
    put(book, sheet, 1, 0, said, font_color=QUIET)
    sheet.set_row(0, 26)
    differences = sum(
        (abs(Decimal(_difference(check))) for check in checks), Decimal(0)
    )
    everything = f"=SUMPRODUCT(ABS($F${FIRST_ROW + 1}:$F${last + 1}))"
    put(book, sheet, 2, 0, "All differences together", indent=1, bold=True)
    put(book, sheet, 2, 5, Formula(everything, differences), indent=1, bold=True)
    for column, (heading, width) in enumerate(COLUMNS):
        sheet.set_column(column, column, width)
        put(
            book, sheet, FIRST_ROW - 1, column, heading,
            bold=True, font_color="#FFFFFF", bg_color=ACCENT, indent=1,
            align="right" if column in (2, 4, 5) else "left",
        )  # fmt: skip
    for row, check in enumerate(checks, start=FIRST_ROW):
        _write_check(book, sheet, row, check)
    sheet.freeze_panes(FIRST_ROW, 1)
    sheet.repeat_rows(FIRST_ROW - 1)
    sheet.print_area(0, 0, last, len(COLUMNS) - 1)
    page(sheet, landscape=True, name=title)


def _write_check(book: Book, sheet: Worksheet, row: int, check: Check) -> None:
    difference = _difference(check)
    shown = row + 1
    values: list[Value] = [
        check.name,
        check.one.name,
        Formula(check.one.formula, check.one.value),
        check.other.name,
        Formula(check.other.formula, check.other.value),
        Formula(f"=ROUND(C{shown}-E{shown},2)", difference),
        Formula(
            f'=IF(F{shown}=0,"Agrees","Differs")',
            "Differs" if difference else "Agrees",
        ),
    ]
    for column, value in enumerate(values):
        put(book, sheet, row, column, value, indent=1, bottom=1, bottom_color=RULE)


def _difference(check: Check) -> Decimal | int:
    return check.one.value - check.other.value


def _checks(
    listings: Mapping[str, Listing], blocks: dict[str, Block], unit: str
) -> list[Check]:
    """The checks of money: breakdowns come to the lines, lines to the documents."""
    invoices, lines = listings["Invoices"], listings["Lines"]
    taxes = listings["Tax summary"]
    checks = []
    for position, amount in enumerate(AMOUNTS):
        heading = f"{amount} ({unit})"
        of_lines = listed(lines, heading)
        of_invoices = listed(invoices, heading)
        of_taxes = listed(taxes, f"Together {amount.lower()} ({unit})")
        pairs = [
            ("Lines and documents", of_lines, of_invoices),
            ("Summary and documents", _issued(blocks, position), of_invoices),
            ("By product", _blocks(blocks, "by product", position), of_lines),
            ("By tax code", _blocks(blocks, "by tax code", position), of_lines),
            ("Tax summary", of_taxes, of_lines),
        ]
        checks += [
            Check(f"{name}, {amount.lower()}", one, other) for name, one, other in pairs
        ]
    checks += [_net_and_tax(listing, unit) for listing in (invoices, lines)]
    return sorted(checks, key=lambda check: check.name.rsplit(",", 1)[0])


def _net_and_tax(listing: Listing, unit: str) -> Check:
    net, tax, gross = (f"{amount} ({unit})" for amount in AMOUNTS)
    one, other = listed(listing, net, tax), listed(listing, gross)
    return Check(f"Net + tax = gross, {listing.sheet}", one, other)


def _issued(blocks: dict[str, Block], position: int) -> Side:
    block = blocks["Issued this month"]
    name = f"Summary: Issued this month, {AMOUNTS[position].lower()}"
    return summed(name, [block.cells(NET + position)], block.amounts[position])


def _blocks(blocks: dict[str, Block], kind: str, position: int) -> Side:
    """The blocks of invoices and of credit notes together."""
    chosen = [blocks[f"{word} {kind}"] for word in WORDS.values()]
    value = sum((block.amounts[position] for block in chosen), Decimal("0.00"))
    name = f"Summary: {kind}, {AMOUNTS[position].lower()}"
    return summed(name, [block.cells(NET + position) for block in chosen], value)


def _counts(month: Month, invoices: Listing, blocks: dict[str, Block]) -> list[Check]:
    """The checks of numbers: every document is listed, and no number is left out."""
    issued = blocks["Issued this month"]
    shown = sum(map(bool, invoices.column("Kind")))
    checks = [
        Check(
            "Documents",
            Side(
                "Summary: documents",
                f"=SUM({issued.cells(COUNT)})",
                issued.count,
            ),
            Side("Invoices: rows", f"=COUNTA({invoices.cells('Kind')})", shown),
        )
    ]
    for kind, word in WORDS.items():
        given = of_kind(month.documents, kind)
        formula = f"={invoices.rows_with(word.removesuffix('s'), 'Kind')}"
        rows = Side(f"Invoices: rows of {word.lower()}", formula, len(given))
        checks.append(Check(f"No number missing, {word.lower()}", _run(given), rows))
    return checks


def _run(given: Sequence[Issued]) -> Side:
    """How many numbers there are from the first to the last.

    By their places in the series: a prefix may end in digits, and change.
    """
    if not given:
        return Side("No number given", "=0", 0)
    first, last = given[0], given[-1]
    return Side(
        f"Numbers {first.number} to {last.number}",
        f"={last.sequence}-{first.sequence}+1",
        last.sequence - first.sequence + 1,
    )
