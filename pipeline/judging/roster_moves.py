"""Who came, who left and whose membership is another than last time, for the guards.

Tonight's rows are compared with the last accepted ones by Patient ID, one by one: as
many coming as going would hide both in a total.
"""

from pipeline.ledger import STANDINGS, Ledger

# A member is active while Membership active is Yes and the End date has not passed. A
# held row counts unless it says No: a bad cell is no leaver.
_ROWS = """
select
    patients.*,
    patients.names_membership
        and coalesce(patients.membership_active, patients.held) as is_active,
    is_active and coalesce(patients.end_date >= run.as_of, true) as is_member,
    coalesce(patients.bill_from, practice.bill_from) as billed_from,
    products.tax_code,
    tax_codes.rate as tax_rate,
    practice.prices_include_tax and tax_codes.rate > 0 as tax_included,
    coalesce(not products.held and not tax_codes.held, false) as tax_known
from {catalog}.input.patients as patients
cross join {catalog}.input.practice as practice
cross join {catalog}.input.run as run
left join {catalog}.input.products as products on patients.membership = products.code
left join {catalog}.input.tax_codes as tax_codes on products.tax_code = tax_codes.code
"""
_NOW, _BEFORE = _ROWS.format(catalog="tonight"), _ROWS.format(catalog="baseline")

# What of a row can differ, and how: the first is what the guard is named for, the others
# are what else decides who is billed what, of members on both nights.
_DIFFERENCES = {
    "membership, frequency or start date": """
        canonical(now.membership) is distinct from canonical(before.membership)
        or now.billing_frequency is distinct from before.billing_frequency
        or now.start_date is distinct from before.start_date
    """,
    "payer": """
        now.is_member and before.is_member
        and canonical(now.bill_to) is distinct from canonical(before.bill_to)
    """,
    # Also of members it has ended: clearing it brings them back.
    "End date": """
        now.is_active and before.is_active
        and now.end_date is distinct from before.end_date
    """,
    # Not where the start lies after both days, nor where it answers what was held.
    "Bill from": """
        now.is_member and before.is_member
        and now.billed_from is distinct from before.billed_from
        and now.start_date < greatest(now.billed_from, before.billed_from)
        and now.row_key not in ({held})
    """,
    "tax": """
        now.is_member and before.is_member and now.tax_known
        and canonical(now.membership) = canonical(before.membership)
        and (
            canonical(now.tax_code) is distinct from canonical(before.tax_code)
            or now.tax_rate is distinct from before.tax_rate
            or now.tax_included is distinct from before.tax_included
        )
    """,
}

# What is one person's own: in a column that was sorted or moved without the others it
# stands in somebody else's row.
_OWN_DETAILS = (
    "first_name", "last_name", "date_of_birth", "email", "phone", "address_line_1",
)  # fmt: skip
# What all of these look at: a row alike in it is not looked at once more.
_LOOKED_AT = (
    "membership", "billing_frequency", "start_date", "bill_to", "end_date",
    "billed_from", "tax_code", "tax_rate", "tax_included", *_OWN_DETAILS,
)  # fmt: skip
TAKEN_OVER = "name, date of birth, e-mail, phone or address to another row's"


# Who was held last night, whether or not the row was ever accepted.
_HELD = (
    "select regexp_replace(standing_key, '#[0-9]+$', '') as row_key from"
    f" ({STANDINGS}) where bucket = 'held'"
)


# A row that was held for what it says of its person, and not for a cell.
_RENAMED = """
(
    lower(now.first_name || ' ' || now.last_name)
        <> lower(before.first_name || ' ' || before.last_name)
    and now.row_number in (select row_number from tonight.staged.patients where not held)
)
"""


def _ids(ledger: Ledger, query: str) -> list[str]:
    return [row["patient_id"] for row in ledger.rows(f"{query} order by patient_id")]


def members(ledger: Ledger) -> tuple[int, int]:
    """Active members of the last accepted sheets and of tonight's."""
    count = "select count(*) from ({}) where is_member"
    return ledger.value(count.format(_BEFORE)), ledger.value(count.format(_NOW))


def patient_rows(ledger: Ledger) -> tuple[int, int]:
    """Rows of the last accepted Patients sheet and of tonight's."""
    return (
        ledger.value("select count(*) from baseline.input.patients"),
        ledger.value("select count(*) from tonight.input.patients"),
    )


def left(ledger: Ledger) -> list[str]:
    """Members last time who are not in the sheet now, or no longer active."""
    return _ids(
        ledger,
        f"select patient_id from ({_BEFORE}) as before anti join"
        f" (select row_key from ({_NOW}) where is_member) as now using (row_key)"
        " where is_member",
    )


def gone(ledger: Ledger) -> list[str]:
    """Patients whose row is no longer in the sheet."""
    return _ids(
        ledger,
        "select patient_id from baseline.input.patients"
        " anti join tonight.input.patients as now using (row_key)",
    )


def came(ledger: Ledger) -> list[str]:
    """Members now who were none last time.

    Who was held last night was there already: a row is only accepted once it is mended.
    """
    return _ids(
        ledger,
        f"select distinct patient_id from ({_NOW}) as now"
        f" anti join (select row_key from ({_BEFORE}) where is_member union all {_HELD})"
        " as before using (row_key)"
        " where is_member and row_key is not null",
    )


def changed(ledger: Ledger) -> dict[str, list[str]]:
    """What changed, and in whose rows; held rows have no say.

    Unless they are somebody else's now: ids that moved along the rows are held one by
    one, and those that nothing shows to be another's would be billed.
    """
    flags = ", ".join(
        f'coalesce({condition.format(held=_HELD)}, false) as "{name}"'
        for name, condition in _DIFFERENCES.items()
    )
    taken = " or ".join(
        f"coalesce(lower(now.{name}::varchar) <> lower(before.{name}::varchar)"
        f" and lower(now.{name}::varchar) in"
        f" (select lower({name}::varchar) from baseline.input.patients), false)"
        for name in _OWN_DETAILS
    )
    moved = " or ".join(
        f"now.{name} is distinct from before.{name}" for name in _LOOKED_AT
    )
    rows = ledger.rows(
        f'select now.patient_id, {flags}, {taken} as "{TAKEN_OVER}"'
        f" from ({_NOW}) as now inner join ({_BEFORE}) as before using (row_key)"
        f" where (not now.held or {_RENAMED}) and ({moved}) order by now.patient_id"
    )
    return {
        name: [row["patient_id"] for row in rows if row[name]]
        for name in (*_DIFFERENCES, TAKEN_OVER)
    }
