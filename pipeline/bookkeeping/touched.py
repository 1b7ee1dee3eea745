"""Which months' registers a run changes: those, and no others, are made again.

A register tells its month's documents and their state now, and the month's end: what was
deferred and unsent, who was a member. So a document concerns its own month and, where a
later month has a register already, that one too; a night with nothing new concerns none.
A closed month's register stays as it was sealed, but for a name that is forgotten.
"""

from pipeline.bookkeeping.deferred import following
from pipeline.bookkeeping.seals import closed_months
from pipeline.ledger import Ledger

# What a run did, by month: `made` a document in it; changed the balances or the state of
# it and of each month `from then on` that has a register; or of its documents alone, a
# month's that is closed only where that says `though closed`.
_TOUCHED = """
select strftime(issued_on, '%Y-%m') as month, 'made' as how
from ledger.invoices where run_no = $1
union
select strftime(original.issued_on, '%Y-%m'), 'its own'
from ledger.invoices as credit
inner join ledger.invoices as original on credit.credits_number = original.number
where credit.run_no = $1
union
select strftime(invoices.issued_on, '%Y-%m'), 'its own'
from ledger.sendings as sendings
inner join ledger.invoices as invoices using (number)
where sendings.run_no = $1
union
select strftime(sent_on, '%Y-%m'), 'from then on' from ledger.sendings where run_no = $1
union
select strftime(invoices.issued_on, '%Y-%m'), 'though closed'
from ledger.forgotten as forgotten
inner join ledger.invoices as invoices
    on split_part(forgotten.record_key, ' ', 1) = invoices.number
where forgotten.run_no = $1
union
select month, 'though closed' from ledger.closed_months where run_no = $1
"""


def touched(ledger: Ledger, run_no: int, command: str, month: str) -> list[str]:
    """The months (YYYY-MM) whose registers run `run_no`, of a day in `month`, changes."""
    known, found = _known(ledger), set[str]()
    onwards, made, in_any_case = set[str](), set[str](), set[str]()
    of = {
        "its own": found,
        "from then on": onwards,
        "made": made,
        "though closed": in_any_case,
    }
    for row in ledger.rows(_TOUCHED, [run_no]):
        of[row["how"]].add(row["month"])
    # Who moved is looked for only where no document was made in the month anyway.
    if (
        command == "bill"
        and month not in made
        and (month not in known or _standings_moved(ledger, run_no))
    ):
        made.add(month)
    onwards |= made
    if onwards:
        found |= {name for name in known if name >= min(onwards)}
    if known and made and max(made) > max(known):
        # The month before ends: its register is made as of its last day, and months in
        # which nothing happened have one for what they release.
        name = max(known)
        while name < max(made):
            found.add(name)
            name = following(name)
    return sorted(((found | made) - {*closed_months(ledger)}) | in_any_case)


def _known(ledger: Ledger) -> set[str]:
    """The months that have a register."""
    rows = ledger.rows(
        "select distinct path[11:17] as month from ledger.outbox"
        " where starts_with(path, 'registers/')"
    )
    return {row["month"] for row in rows}


# What was billed one night is billed already the next, which no register tells apart.
_SHOWN = (
    "(patient_id, product_code, replace(bucket, 'already_billed', 'billed'), reason,"
    " next_due, held_amount, removed)"
)


def _standings_moved(ledger: Ledger, run_no: int) -> bool:
    """Whether a run changed of a membership what the sheet of members shows."""
    return bool(
        ledger.value(
            "select count(*) from ("
            f" select run_no, {_SHOWN} as now, lag({_SHOWN}) over"
            "  (partition by standing_key order by run_no) as before"
            " from ledger.standings where run_no <= $1 and standing_key in"
            "  (select standing_key from ledger.standings where run_no = $1)"
            ") where run_no = $1 and now is distinct from before",
            [run_no],
        )
    )
