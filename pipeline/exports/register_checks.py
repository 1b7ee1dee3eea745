"""What is checked of a month's income, journal, members and numbers: two sides each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipeline.bookkeeping.books import Month, Series
from pipeline.bookkeeping.journal import DEBTORS, DEFERRED, INCOME, VAT, unbalanced
from pipeline.exports.lists import Listing
from pipeline.exports.register_income import MOVEMENTS
from pipeline.exports.register_state import BANDS, OLDEST

_WORDS = {"invoice": "invoices", "credit_note": "credit notes"}


@dataclass(frozen=True)
class Side:
    """One side of a check: what it is, and its formula with its value."""

    name: str
    formula: str
    value: Decimal | int


@dataclass(frozen=True)
class Check:
    """Two sides that must agree."""

    name: str
    one: Side
    other: Side


def summed(name: str, ranges: Sequence[str], value: Decimal) -> Side:
    """The sum of ranges, to the penny."""
    return Side(name, f"=ROUND(SUM({','.join(ranges)}),2)", value)


def listed(listing: Listing, *headings: str, called: str = "") -> Side:
    """The sum of whole columns of a sheet, by their headings or `called` something."""
    ranges = [listing.cells(heading) for heading in headings]
    value = sum((listing.total(heading) for heading in headings), Decimal("0.00"))
    name = called or " + ".join(headings)
    return summed(f"{listing.sheet}: {name}", ranges, value)


def _where(listing: Listing, by: str, text: str, *, less: str, more: str) -> Side:
    """Of the rows that say `text` in `by`: one column less another."""
    value = listing.total_where(text, by, more) - listing.total_where(text, by, less)
    parts = [listing.sum_where(text, by, name) for name in (more, less)]
    said = f"{listing.sheet}: {text}, {more.split(' (')[0]} less {less.split(' (')[0]}"
    return Side(said, f"=ROUND({parts[0]}-{parts[1]},2)", value)


def _given(name: str, value: Decimal | int) -> Side:
    """What the ledger says, as a constant."""
    return Side(name, f"={value}", value)


def checks_of_income(
    month: Month, listings: Mapping[str, Listing], unit: str
) -> list[Check]:
    """Credit notes, deferred income and the journal tie to each other and to sales."""
    debit, credit = f"Debit ({unit})", f"Credit ({unit})"
    opening, *moves, closing = (f"{name} ({unit})" for name in MOVEMENTS)
    books, income = listings["Journal"], listings["Deferred income"]
    invoices, credits = listings["Invoices"], listings["Credit notes"]
    gross, net, tax = (f"{name} ({unit})" for name in ("Gross", "Net", "Tax"))

    def posted(purpose: str, more: str = credit, less: str = debit) -> Side:
        return _where(books, "For", purpose, more=more, less=less)

    entries = {posting.narration for posting in month.postings}
    sound = len(entries) - len(unbalanced(month.postings))
    return [
        Check(
            "Credit notes, gross", listed(credits, gross), _credited(invoices, gross)
        ),
        Check(
            "Credit notes, net", listed(credits, net),
            listed(
                credits, f"Out of deferred income ({unit})", f"Out of income ({unit})",
                called="out of income, deferred or not",
            ),
        ),
        Check(
            "Deferred income, from last month",
            listed(income, opening), _given("Closing of the month before", month.carried),
        ),
        Check(
            "Deferred income, to next month",
            listed(income, opening, *moves, called="Opening and movements"),
            listed(income, closing),
        ),
        Check(
            "Deferred income and the journal", listed(income, *moves, called="movements"),
            posted(DEFERRED),
        ),
        Check("Journal, debits and credits", listed(books, debit), listed(books, credit)),
        Check(
            "Journal, entries that balance", _given("Entries", len(entries)),
            _given("Entries that balance", sound),
        ),
        Check(
            "Journal and documents, debtors", posted(DEBTORS, debit, credit),
            listed(invoices, gross),
        ),
        Check("Journal and documents, VAT", posted(VAT), listed(invoices, tax)),
        Check(
            "Journal and documents, income", posted(INCOME),
            _earned(invoices, income, net, moves),
        ),
    ]  # fmt: skip


def _credited(invoices: Listing, gross: str) -> Side:
    value = invoices.total_where("Credit note", "Kind", gross)
    formula = f"=ROUND({invoices.sum_where('Credit note', 'Kind', gross)},2)"
    return Side("Invoices: Credit notes, Gross", formula, value)


def _earned(invoices: Listing, income: Listing, net: str, moves: Sequence[str]) -> Side:
    """What was invoiced, without what went into deferred income and with what left it."""
    one, other = listed(invoices, net), listed(income, *moves)
    sums = ",".join(income.cells(heading) for heading in moves)
    return Side(
        "Invoices: Net less Deferred income's movements",
        f"=ROUND(SUM({invoices.cells(net)})-SUM({sums}),2)",
        Decimal(one.value) - Decimal(other.value),
    )


def checks_of_state(
    month: Month, listings: Mapping[str, Listing], unit: str
) -> list[Check]:
    """Every member is explained, every sum of the lines, and every number given."""
    members, unsent = listings["Members"], listings["Unsent"]
    bands = [f"{band} ({unit})" for band in (*(name for _, name in BANDS), OLDEST)]
    missing = sum(member.missing for member in month.members)
    counted = Side(
        "Members: rows with a standing",
        f"=COUNTA({members.cells('Standing')})", len(month.members),
    )  # fmt: skip
    checks = [
        Check(
            "Unsent, by age", listed(unsent, f"Open ({unit})"),
            listed(unsent, *bands, called="all ages"),
        ),
        Check("Members, each once", counted, _given("Counted that night", month.roster)),
        Check(
            "Members, no period missing",
            Side("Members: Missing", f"=SUM({members.cells('Missing')})", missing),
            Side("There may be none", "=0", 0),
        ),
        Check(
            "Members, expected", listed(members, f"Expected ({unit})"),
            listed(members, f"Invoiced ({unit})", f"Held ({unit})"),
        ),
        Check(
            "Members, invoiced", listed(members, f"Invoiced ({unit})"),
            _invoiced(listings["Lines"], f"Gross ({unit})"),
        ),
    ]  # fmt: skip
    for series in month.series:
        checks += _numbers(series, listings["Invoices"])
    return checks


def _invoiced(lines: Listing, gross: str) -> Side:
    value = lines.total_where("Invoice", "Kind", gross)
    formula = f"=ROUND({lines.sum_where('Invoice', 'Kind', gross)},2)"
    return Side("Lines: Gross of invoices", formula, value)


def _numbers(series: Series, invoices: Listing) -> list[Check]:
    """The whole series so far, and how this month's numbers follow on."""
    word = _WORDS[series.kind]
    shown = word.removesuffix("s").capitalize()
    here = invoices.column("Kind").count(shown)
    return [
        Check(
            f"Numbers of {word}, since the first",
            Side(
                f"Places {series.first} to {series.last}",
                f"={series.last}-{series.first}+1", series.last - series.first + 1,
            ),
            _given("Documents that hold them", series.count),
        ),
        Check(
            f"Numbers of {word}, after last month's",
            Side(
                f"Place {series.before} before, and this month's",
                f"={series.before}+{invoices.rows_with(shown, 'Kind')}",
                series.before + here,
            ),
            _given("Last place given", series.last),
        ),
    ]  # fmt: skip
