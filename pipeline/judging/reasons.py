"""What the rules held, in words at the cell a person should mend, with what it costs."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pipeline.bookkeeping.books import Held
from pipeline.cells.spelling import show
from pipeline.judging.overlaps import because, credited, free_days, instead, overlapped
from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import Sheet

Row = dict[str, Any]

# Reason -> the field the message points at, what was found, what to write instead.
# Reasons that rest on another row (`product-held` ...) are told at that row, once.
_AT_THE_PATIENT: dict[str, tuple[str, Callable[[Row], str], Callable[[Row], str]]] = {
    "not-a-membership": (
        "membership",
        lambda row: f"{row['product_code']} is a product but no membership",
        lambda row: "write the code of a product whose Type is Membership",
    ),
    "product-inactive": (
        "membership",
        lambda row: f"{row['product_code']} is no longer sold (Active is No)",
        lambda row: "choose another membership, or set the product's Active to Yes",
    ),
    "frequency-missing": (
        "billing_frequency",
        lambda row: (
            f"Billing frequency is blank and {row['product_code']} is sold both"
            " by the month and by the year"
        ),
        lambda row: "write Monthly or Annual",
    ),
    "frequency-not-offered": (
        "billing_frequency",
        lambda row: f"{row['product_code']} has no price for {row['frequency']}",
        lambda row: "change the Billing frequency, or give the product that price",
    ),
    "payer-inactive": (
        "bill_to",
        lambda row: f"the contact {row['payer_code']} is no longer active",
        lambda row: "name another contact, or clear Bill to so that the patient pays",
    ),
    "no-price": (
        "membership",
        lambda row: f"there is no price of {row['product_code']} for {row['period']}",
        lambda row: "give the product a price for that day",
    ),
    "overlaps-billed": (
        "start_date",
        lambda row: (
            f"the period from {show(row['period_start'])} overlaps one that is billed"
            f" until {show(row['billed_until'])}"
            f"{because(row['lines'], row['billed_until'])}"
        ),
        lambda row: (
            f"write {row['free_from']:%d/%m/%Y} as the Start"
            f" date{instead(row['lines'], row['billed_until'])}"
        ),
    ),
    "too-old": (
        "bill_from",
        lambda row: (
            f"the period from {show(row['period_start'])} is not billed and lies more"
            " than Catch-up days back"
        ),
        lambda row: (
            f"write {row['period_start']:%d/%m/%Y} in Bill from to bill from there on,"
            " or a later day to let earlier periods go"
        ),
    ),
}

_AT_THE_REQUEST = {
    "product-inactive": ("product_code", "{product_code} is no longer sold"),
    "frequency-missing": ("billing_frequency", "Monthly or Annual is not given"),
    "payer-inactive": ("bill_to", "the contact {payer_code} is no longer active"),
    "no-price": ("product_code", "{product_code} has no price for this"),
    "request-quantity": (
        "quantity",
        "a membership asked for here covers one period, not {quantity}",
    ),
    "request-before-bill-from": (
        "requested_on",
        "a membership period that starts before the practice's Bill from is not billed",
    ),
    "request-overlaps": (
        "requested_on",
        "it would bill days of a membership period that is billed, due or asked for",
    ),
}

# What a reason's cell should hold instead, for both.
_EXPECTED = {
    "not-a-membership": "the code of a product whose Type is Membership",
    "product-inactive": "a product that is still sold",
    "frequency-missing": "Monthly or Annual",
    "frequency-not-offered": "a Billing frequency that the product has a price for",
    "payer-inactive": "a contact who is active, or blank",
    "no-price": "a product with a price for that day",
    "overlaps-billed": "periods that do not overlap a billed one",
    "too-old": "the first day to be billed",
    "request-quantity": "1 or blank for a membership",
    "request-before-bill-from": "a day on or after the practice's Bill from",
    "request-overlaps": "days that are not billed yet",
}

# Reasons that are told at another row: how its members are found. A contract price is
# the payer's for one product: another row may well hold his others.
_ELSEWHERE = {
    "products": ("product_code", ("product-held",)),
    "tax_codes": ("tax_code", ("tax-code-held",)),
    "contacts": ("payer_code", ("payer-held",)),
    "contract_prices": (
        "payer_code || ' ' || product_code",
        ("contract-price-held", "two-contract-prices"),
    ),
    "price_changes": ("product_code", ("price-change-held",)),
}


def explain_held(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """A problem for each membership and request that a rule holds."""
    return (
        _conflicts(ledger, sheets)
        + _held_memberships(ledger, sheets)
        + _held_requests(ledger, sheets)
    )


def _conflicts(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    rows = ledger.rows("select * from model.price_conflicts order by row_number")
    return [
        Problem(
            Severity.HELD,
            "two-prices-for-one-day",
            sheets["contract_prices"].place(row["row_number"], "valid_from")
            if row["row_number"]
            else Place("products.xlsx", "Contract prices"),
            f"this price of {row['subject']} and the one in row {row['other_row']}"
            " answer for the same days",
            "one price for each day",
            "end the earlier one with Valid to, the day before the later one begins",
            subject=row["subject"],
        )
        for row in rows
    ]


def _held_memberships(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    rows = ledger.rows(
        "select standings.*, memberships.frequency, memberships.payer_code,"
        " due.period_start, due.billed_until"
        " from model.standings as standings"
        " inner join model.memberships as memberships using (patient_row)"
        " left join model.due_periods as due on due.patient_row = standings.patient_row"
        "  and due.reason = standings.reason"
        " where bucket = 'held'"
        " qualify row_number() over"
        "  (partition by standings.patient_row order by due.period_start) = 1"
        " order by standings.patient_row"
    )
    overlaps = overlapped(ledger, "due_periods", "overlaps-billed", "patient_row")
    free = free_days(ledger) if overlaps else {}
    problems = []
    for row in rows:
        if row["reason"] not in _AT_THE_PATIENT:
            continue
        row["lines"] = overlaps.get(row["patient_row"], [])
        row["free_from"] = free.get(row["patient_row"])
        field, found, repair = _AT_THE_PATIENT[row["reason"]]
        row["period"] = show(row["period_start"] or row["next_due"])
        problems.append(
            Problem(
                Severity.HELD,
                row["reason"],
                sheets["patients"].place(row["patient_row"], field),
                found(row),
                _EXPECTED[row["reason"]],
                repair(row),
                subject=row["patient_id"] or "",
                amount=row["held_amount"],
            )
        )
    return problems


def _held_requests(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    rows = ledger.rows(
        "select * from model.charges"
        " where request_row is not null and reason is not null order by request_row"
    )
    overlaps = overlapped(ledger, "due_requests", "request-overlaps", "request_row")
    problems = []
    for row in rows:
        if row["reason"] not in _AT_THE_REQUEST:
            continue
        field, found = _AT_THE_REQUEST[row["reason"]]
        problems.append(
            Problem(
                Severity.HELD,
                f"request-{row['reason'].removeprefix('request-')}",
                sheets["invoice_requests"].place(row["request_row"], field),
                found.format(**row),
                _EXPECTED[row["reason"]],
                _mended(row)
                + credited(overlaps.get(row["request_row"], []), membership=False),
                subject=row["request_id"] or "",
                amount=row["gross"],
            )
        )
    return problems


def _mended(row: Row) -> str:
    """What to write in a request that is held."""
    if row["reason"] != "request-quantity":
        return "correct the request, or delete its row"
    next_start = row["period_end"] + timedelta(days=1)
    return (
        "write 1; ask for the next period in a row of its own, with"
        f" {next_start:%d/%m/%Y} in Requested on"
    )


def without_filled(ledger: Ledger, problems: list[Problem]) -> list[Problem]:
    """Leave out what would hold a request that is on an invoice already.

    Its patient may have left and its product may be gone: nothing of it is due.
    """
    filled = {
        row["row_number"]
        for row in ledger.rows(
            "select requests.row_number from input.invoice_requests as requests"
            " inner join tonight.in_force.filled_requests as filled"
            "  on requests.row_key = filled.request_key"
        )
    }
    return [
        problem
        for problem in problems
        if problem.severity is not Severity.HELD
        or problem.place.sheet != "Invoice requests"
        or problem.place.row not in filled
    ]


def held_listing(ledger: Ledger) -> list[Held]:
    """Every membership and request that is held, with what it holds back."""
    rows = ledger.rows(
        "select coalesce(patient_id, 'Patients row ' || patient_row) as whose,"
        " product_code, reason, held_amount as amount, patient_row as place"
        " from model.standings where bucket = 'held'"
        " union all"
        " select coalesce(patient_id, 'Invoice requests row ' || request_row),"
        " product_code, reason, gross, 1000000000 + request_row"
        " from model.charges where request_row is not null and reason is not null"
        " order by place"
    )
    return [
        Held(
            row["whose"],
            row["product_code"] or "",
            row["reason"] or "",
            row["amount"],
        )
        for row in rows
    ]


def with_amounts(ledger: Ledger, problems: list[Problem]) -> list[Problem]:
    """Say at each problem what its row holds back tonight."""
    by_row = {
        row["patient_row"]: row["held_amount"]
        for row in ledger.rows(
            "select patient_row, held_amount from model.standings where bucket = 'held'"
        )
    }
    by_request = {
        row["request_row"]: row["gross"]
        for row in ledger.rows(
            "select request_row, gross from model.charges"
            " where request_row is not null and reason is not null"
        )
    }
    priced = _priced(ledger)
    elsewhere = _held_by_others(ledger)
    return [
        _costed(problem, by_row, by_request, priced, elsewhere) for problem in problems
    ]


def _priced(ledger: Ledger) -> dict[tuple[str, int], str]:
    """(sheet, row) to the price it is of, in the spelling of those who pay it."""
    rows = ledger.rows(
        "select 'contract_prices' as name, row_number,"
        " contact_code || ' ' || product_code as subject from input.contract_prices"
        " union all"
        " select 'price_changes', row_number, product_code from input.price_changes"
    )
    return {
        (row["name"], row["row_number"]): row["subject"]
        for row in rows
        if row["row_number"] and row["subject"]
    }


def _held_by_others(ledger: Ledger) -> dict[tuple[str, str], Decimal]:
    """(sheet, subject) to what the members and requests that rest on it hold back."""
    sums: dict[tuple[str, str], Decimal] = {}
    for table, (column, reasons) in _ELSEWHERE.items():
        marks = ", ".join("?" * len(reasons))
        for row in ledger.rows(
            f"select {column} as subject, sum(gross)::decimal(14, 2) as gross"
            f" from model.charges where own_reason in ({marks})"
            " and subject is not null group by subject",
            list(reasons),
        ):
            sums[table, row["subject"]] = row["gross"]
    return sums


_TABLE_OF_SHEET = {
    "Products": "products",
    "Tax codes": "tax_codes",
    "Contacts": "contacts",
    "Contract prices": "contract_prices",
    "Price changes": "price_changes",
}


def _costed(
    problem: Problem,
    by_row: dict[int, Decimal | None],
    by_request: dict[int, Decimal | None],
    priced: dict[tuple[str, int], str],
    elsewhere: dict[tuple[str, str], Decimal],
) -> Problem:
    if problem.severity is not Severity.HELD:
        return problem
    sheet, row = problem.place.sheet, problem.place.row or 0
    amount = problem.amount
    if sheet == "Patients":
        amount = by_row.get(row, amount)
    elif sheet == "Invoice requests":
        amount = by_request.get(row, amount)
    else:
        table = _TABLE_OF_SHEET.get(sheet, "")
        subject = priced.get((table, row), problem.subject)
        amount = elsewhere.get((table, subject))
    effect = "not billed tonight" if amount else "held"
    return replace(problem, amount=amount, effect=effect)
