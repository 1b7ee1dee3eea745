"""Checks across rows, sheets and nights that no single column can make."""

from collections.abc import Sequence
from datetime import date

from pipeline.cells.spelling import show
from pipeline.judging.credit_due import asked_again, credit_due
from pipeline.judging.identities import renamed_ids, renamed_people
from pipeline.judging.meant import meant, users
from pipeline.judging.reaching_back import days_left_out, first_number, late_prices
from pipeline.judging.sent_log import sendings
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import Sheet
from schemas.columns import columns, name_of
from schemas.inputs import InvoiceRequests
from schemas.ledger import ACCEPTED


def check(ledger: Ledger, sheets: dict[str, Sheet], as_of: date) -> list[Problem]:
    """Everything found by comparing rows with each other, with the day and the past."""
    return [
        *renamed_people(ledger, sheets),
        *renamed_ids(ledger, sheets),
        *_changed_requests(ledger, sheets),
        *_requests_of_strangers(ledger, sheets),
        *_vanished(ledger, sheets),
        *_same_person_twice(ledger, sheets),
        *_birth_dates(ledger, sheets, as_of),
        *_nowhere(ledger, sheets),
        *_far_starts(ledger, sheets, as_of),
        *_tax_without_registration(ledger, sheets),
        *sendings(ledger, sheets, as_of),
        *credit_due(ledger, sheets, as_of),
        *asked_again(ledger, sheets, as_of),
        *late_prices(ledger, sheets),
        *days_left_out(ledger, sheets),
        *first_number(ledger, sheets),
    ]


def lost_columns(
    ledger: Ledger, sheets: dict[str, Sheet], told: Sequence[Problem] = ()
) -> list[Problem]:
    """A column that held something last time and is gone: never read as blank.

    One that is missing tonight whatever last time had is `told` already.
    """
    known = {
        (problem.place.sheet, problem.subject)
        for problem in told
        if problem.code == "column-missing"
    }
    absent = [
        (sheets[name_of(schema)], column)
        for schema in ACCEPTED
        if name_of(schema) in sheets
        for column in columns(schema)
        if column.loaded
        and column.name not in sheets[name_of(schema)].headings
        and (sheets[name_of(schema)].sheet, column.title) not in known
    ]
    if not absent:
        return []
    # In one statement: each costs more to plan than to answer.
    counts = ledger.rows(
        " union all ".join(
            f"select {at} as at, count({column.name}) as filled"
            f" from staged.before_{sheet.table}"
            for at, (sheet, column) in enumerate(absent)
        )
    )
    return [
        Problem(
            Severity.STOPS,
            "column-lost",
            Place(sheet.file, sheet.sheet),
            f"the column {column.title}, which {row['filled']:,}"
            f" row{'' if row['filled'] == 1 else 's'} filled in last time,"
            " is missing",
            "every column that was in use",
            f"put the column {column.title} back, even if it is now empty",
        )
        for row in sorted(counts, key=lambda row: row["at"])
        if row["filled"]
        for sheet, column in (absent[row["at"]],)
    ]


def nobody_to_judge(ledger: Ledger) -> list[Problem]:
    """Without a single usable user and role nobody could sign anything again."""
    return [
        Problem(
            Severity.STOPS,
            f"{name}-empty",
            Place("settings.xlsx", title),
            f"the sheet {title} has no row that can be used",
            "at least one",
            f"fill in the sheet {title}, or put its rows back",
        )
        for name, title in (("staff", "Staff"), ("roles", "Roles"))
        if not ledger.value(f"select count(*) from staged.{name} where not held")
    ]


# What the ledger keeps of a request that was billed, and when its row says something else
# by now. Codes are compared as everywhere; a blank Billing frequency is the product's to
# settle; of Requested on there is the first day of a membership.
_ASKED_FOR = {
    "patient_id": (
        "canonical(requests.patient_id) is distinct from canonical(lines.patient_id)"
    ),
    "product_code": (
        "canonical(requests.product_code) is distinct from canonical(lines.product_code)"
    ),
    "quantity": "coalesce(requests.quantity, 1) <> lines.quantity",
    "billing_frequency": "requests.billing_frequency <> lines.frequency",
    "bill_to": (
        "canonical(requests.bill_to) is distinct from canonical(invoices.bill_to)"
    ),
    "requested_on": (
        "lines.period_start is not null"
        " and requests.requested_on is distinct from lines.period_start"
    ),
}


def _changed_requests(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """A request that was billed and now says something else: it is not billed again."""
    titles = {column.name: column.title for column in columns(InvoiceRequests)}
    each = ", ".join(
        f"case when {differs} then '{titles[field]}' end"
        for field, differs in _ASKED_FOR.items()
    )
    rows = ledger.rows(
        "select requests.row_number, requests.request_id, filled.number,"
        f" list_filter([{each}], lambda title: title is not null) as changed"
        " from input.invoice_requests as requests"
        " inner join tonight.in_force.filled_requests as filled"
        "  on requests.row_key = filled.request_key"
        " inner join ledger.lines as lines using (number, line)"
        " inner join ledger.invoices as invoices on filled.number = invoices.number"
        " where len(changed) > 0 order by requests.row_number"
    )
    return [
        Problem(
            Severity.CHECK,
            "request-changed",
            sheets["invoice_requests"].place(row["row_number"], "request_id"),
            f"{row['request_id']} was billed on {row['number']} and now asks for"
            f" something else ({', '.join(row['changed'])}), which is not billed",
            "a Request ID of its own for each request",
            "give what is new a new Request ID; a wrong invoice is credited",
            subject=row["request_id"],
        )
        for row in rows
    ]


def _requests_of_strangers(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """Requests not billed yet by a name that is no user of the Staff sheet."""
    known = users(ledger)
    rows = ledger.rows(
        "select requests.row_number, requests.request_id, requests.requested_by"
        " from input.invoice_requests as requests"
        " anti join staged.judging_staff as staff"
        "  on canonical(requests.requested_by) = staff.row_key"
        " anti join tonight.in_force.filled_requests as filled"
        "  on requests.row_key = filled.request_key"
        " where not requests.held and requests.requested_by is not null"
        " order by requests.row_number"
    )
    return [
        Problem(
            Severity.CHECK,
            "request-by-stranger",
            sheets["invoice_requests"].place(row["row_number"], "requested_by"),
            f"{row['requested_by']} is not a user of the Staff sheet",
            "a user name of the sheet Staff",
            "write the user name of the person who asked for it"
            + meant(row["requested_by"], known),
            subject=row["request_id"],
        )
        for row in rows
    ]


def _vanished(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    rows = ledger.rows(
        "select before.patient_id from staged.before_patients as before"
        " anti join staged.patients as now using (row_key)"
        " where before.membership_active and before.end_date is null"
        " order by before.patient_id"
    )
    return [
        Problem(
            Severity.CHECK,
            "member-vanished",
            Place(sheets["patients"].file, sheets["patients"].sheet),
            f"the active member {row['patient_id']} is no longer in the sheet, so"
            " nothing more is billed",
            "members who leave get an End date",
            "put the row back and write an End date, if that was not meant",
            subject=row["patient_id"],
        )
        for row in rows
    ]


def _same_person_twice(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """Two ids of one name, with one birth date; or one e-mail where a date is missing."""
    rows = ledger.rows(
        # Against the first of its like alone: a sheet may say one name everywhere.
        "select row_number, patient_id,"
        "  coalesce(same_birth <> patient_id, false) as born,"
        "  if(born, same_birth, same_mail) as other_id"
        " from (select row_number, patient_id, date_of_birth,"
        "  if(date_of_birth is not null, first_value(patient_id) over (partition by"
        "   lower(first_name), lower(last_name), date_of_birth order by row_number), null)"
        "   as same_birth,"
        "  if(email is not null, first_value(patient_id) over mail, null) as same_mail,"
        "  first_value(date_of_birth) over mail as their_birth"
        "  from input.patients where not held and row_number is not null"
        "  window mail as (partition by lower(first_name), lower(last_name), lower(email)"
        "   order by row_number))"
        " where born or (same_mail <> patient_id"
        "  and (date_of_birth is null or their_birth is null)) order by row_number"
    )
    return [
        Problem(
            Severity.CHECK,
            "same-person-twice",
            sheets["patients"].place(row["row_number"], "patient_id"),
            f"{row['patient_id']} and {row['other_id']} have the same name and"
            f" {'date of birth' if row['born'] else 'e-mail address'}",
            "one row for each person",
            "if they are one person, end one of the two",
            subject=row["patient_id"],
        )
        for row in rows
    ]


def _birth_dates(
    ledger: Ledger, sheets: dict[str, Sheet], as_of: date
) -> list[Problem]:
    rows = ledger.rows(
        "select row_number, patient_id, case"
        " when date_of_birth > ? then 'lies ahead'"
        " when date_of_birth < ? - interval 120 years then 'is over 120 years ago'"
        " when bill_to is null and membership_active and membership is not null"
        "  and date_of_birth > ? - interval 18 years then 'makes a patient under 18 who"
        " is billed in person' end as found,"
        " starts_with(found, 'makes') as is_child"
        " from input.patients where row_number is not null and found is not null"
        " order by row_number",
        [as_of, as_of, as_of],
    )
    return [
        Problem(
            Severity.CHECK,
            "birth-date",
            sheets["patients"].place(row["row_number"], "date_of_birth"),
            f"the Date of birth {row['found']}",
            "a date of birth, and a payer for a child",
            "check the date" + ", and name in Bill to who pays" * row["is_child"],
            subject=row["patient_id"] or "",
        )
        for row in rows
    ]


def _nowhere(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """A VAT invoice must say where its supplier is (VAT Regulations 1995, reg. 14)."""
    if not ledger.value(
        "select vat_registered and practice_address is null from input.practice"
    ):
        return []
    settings = sheets["settings"]
    return [
        Problem(
            Severity.CHECK,
            "practice-address-missing",
            Place(settings.file, settings.sheet),
            "VAT registered is Yes but the Practice address is blank, and a VAT invoice"
            " must show it",
            "the address of the practice",
            "write the Practice address; tonight's invoices go without it",
        )
    ]


def _far_starts(ledger: Ledger, sheets: dict[str, Sheet], as_of: date) -> list[Problem]:
    rows = ledger.rows(
        "select row_number, patient_id, start_date, case"
        " when start_date > ? + interval 1 year then 'is more than a year ahead'"
        " when start_date < ? - interval 50 years then 'is over 50 years ago'"
        " end as found from input.patients where row_number is not null"
        " and membership_active and found is not null order by row_number",
        [as_of, as_of],
    )
    return [
        Problem(
            Severity.CHECK,
            "start-far-off",
            sheets["patients"].place(row["row_number"], "start_date"),
            f"the Start date, {show(row['start_date'])}, {row['found']}",
            "the first day of the membership",
            "check the year",
            subject=row["patient_id"] or "",
        )
        for row in rows
    ]


def _tax_without_registration(
    ledger: Ledger, sheets: dict[str, Sheet]
) -> list[Problem]:
    rows = ledger.rows(
        "select products.row_number, products.code, tax_codes.rate"
        " from input.products as products"
        " inner join input.tax_codes as tax_codes on products.tax_code = tax_codes.code"
        " cross join input.practice as practice"
        " where products.active and tax_codes.rate > 0 and not practice.vat_registered"
        " order by products.row_number"
    )
    return [
        Problem(
            Severity.STOPS,
            "tax-without-registration",
            sheets["products"].place(row["row_number"], "tax_code")
            if row["row_number"]
            else Place("products.xlsx", "Products"),
            f"{row['code']} carries {show(row['rate'])} % tax but VAT registered is No",
            "no tax on what a practice sells that is not registered",
            "correct the Tax code, or VAT registered in the settings",
            subject=row["code"],
        )
        for row in rows
    ]
