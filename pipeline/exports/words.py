"""How amounts, days, counts and the night itself are put in words for people."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache

from pipeline.bookkeeping.books import Change, Entry, Night
from pipeline.cells.answers import NOUNS
from pipeline.problems import Severity
from schemas.columns import columns, title_of
from schemas.inputs import INPUTS

# Rule 13's buckets as the manager reads them.
BUCKET_WORDS: dict[str, str] = {
    "billed": "Billed tonight",
    "already_billed": "Billed before, nothing new due",
    "not_yet_due": "Starts on a later day",
    "ended": "Ended",
    "inactive": "Membership switched off",
    "auto_invoice_off": "Automatic invoicing switched off",
    "before_bill_from": "Before the Bill from date",
    "held": "Held until something is mended",
}

# Why a membership or request is held, where the reason comes as the rules name it.
REASON_WORDS: dict[str, str] = {
    "row": "its row has a problem",
    "patient-held": "the patient's row has a problem",
    "product-held": "the product is missing or its row has a problem",
    "product-inactive": "the product is no longer sold",
    "not-a-membership": "the product is no membership",
    "tax-code-held": "the tax code's row has a problem",
    "frequency-missing": "Monthly or Annual is not given",
    "frequency-not-offered": "the product has no price for this billing frequency",
    "payer-held": "the contact who pays is missing or its row has a problem",
    "payer-inactive": "the contact who pays is no longer active",
    "contract-price-held": "a contract price's row has a problem",
    "price-change-held": "a price change's row has a problem",
    "two-contract-prices": "two contract prices answer for one day",
    "no-price": "there is no price for the day",
    "overlaps-billed": "the period overlaps one that is billed already",
    "request-quantity": "a membership is asked for more than once in one row",
    "request-before-bill-from": "the request's period starts before Bill from",
    "request-overlaps": "the request overlaps a period that is billed already",
    "too-old": "a period lies further back than Catch-up days",
}

TO_MEND = (Severity.STOPS, Severity.HELD, Severity.CHECK)

# A clause may open with the very value a cell holds, which must stay as it was typed.
_OWN_WORDS = {
    "it", "this", "that", "there", "nothing", "nobody", "something", "someone",
    "somebody",
}  # fmt: skip
_ABOUT_A_VALUE = re.compile(r"(\w+),? (?:is|was|has|may|stands|cannot|does|looks)\b")
# What is said of a cell's text that stands before it, whatever words it is made of; what
# begins with these words is the program's own.
_OWN_BEGINNINGS = r"(?:the|a) (?:contact|End date|membership|number|period|role|row)\b"
_SAID_OF_TEXT = re.compile(
    rf"(?!{_OWN_BEGINNINGS}).+? (?:"
    rf"is not (?:{'|'.join(NOUNS.values())}|one of the words|in the sheet|a user)\b"
    r"|is (?:read as|no longer active|no setting|an error left|too large)\b"
    r"|is a (?:time|date|number),|is a (?:text and is read|negative|fraction)\b"
    r"|is (?:more|longer|less) than (?:one|[0-9])"
    r"|has (?:characters|more (?:than two|digits)|the character|a comma that)\b"
    r"|had (?:spare|a line break)\b"
    r"|may not edit|begins like a formula|looks (?:damaged|like)|does not look like"
    r"|stands for nothing)"
)


def day(on: date) -> str:
    """A day in words: Tuesday 31 March 2026."""
    return f"{on:%A} {on.day} {on:%B %Y}"


def symbol(currency: str) -> str:
    """The sign of a currency, or its letters where it has no sign here."""
    return {"GBP": "£"}.get(currency, f"{currency} ")


def money(amount: Decimal, currency: str = "GBP") -> str:
    """An amount with its sign and two decimals: £1,234.50."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{symbol(currency)}{abs(amount):,.2f}"


def counted(number: int, one: str) -> str:
    """A number and its noun: 1 invoice, 12 invoices."""
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def capital(clause: str) -> str:
    """A clause with a capital first letter, unless it opens with a name or a value."""
    first = clause.split(" ", 1)[0].rstrip(",;:")
    if not first.isalpha():
        return clause
    if _SAID_OF_TEXT.match(clause):
        return clause
    value = _ABOUT_A_VALUE.match(clause)
    if value and value[1].lower() not in _OWN_WORDS:
        return clause
    return clause[:1].upper() + clause[1:]


def sentence(clause: str) -> str:
    """A clause as a sentence of its own; '' stays ''."""
    clause = clause.strip()
    if not clause:
        return ""
    return capital(clause) + ("" if clause[-1] in ".!?…" else ".")


def late_in_words(counts: Mapping[int, int]) -> str:
    """How many documents are unsent since how long, by limit; '' where none is late."""
    return ", ".join(
        f"{count:,} unsent for {days} days or more" for days, count in counts.items()
    )


def reason(held: str) -> str:
    """Why something is held, as a sentence."""
    return sentence(REASON_WORDS.get(held, held) or "the reason is not recorded")


def total(amounts: Iterable[Decimal | None]) -> Decimal:
    """The sum of the amounts that are known."""
    known = (amount for amount in amounts if amount is not None)
    return sum(known, Decimal("0.00"))


def signed(entry: Entry) -> Decimal:
    """What a document adds to what is owed: a credit note takes away."""
    return -abs(entry.gross) if entry.kind == "credit_note" else entry.gross


def invoices(night: Night) -> list[Entry]:
    """The invoices this run made, without its credit notes."""
    return [entry for entry in night.made if entry.kind == "invoice"]


def problem_count(night: Night, *severities: Severity) -> int:
    """How many problems of these kinds the night has."""
    return sum(opened.problem.severity in severities for opened in night.problems)


def refused_changes(night: Night) -> list[Change]:
    """The changes that did not take effect."""
    return [change for change in night.changes if not change.accepted]


def is_clean(night: Night) -> bool:
    """Whether nobody has anything to do after this night."""
    return not (
        night.refused
        or night.held
        or night.memberships.get("held")
        or refused_changes(night)
        or problem_count(night, *TO_MEND)
    )


def held_in_words(night: Night) -> str:
    """Who is held and what that keeps back: '2 memberships (£99.98 ...)'; '' for nobody."""
    members = night.memberships.get("held", 0)
    requests = max(len(night.held) - members, 0)
    named = [counted(members, "membership")] if members else []
    named += [counted(requests, "request")] if requests else []
    if not named:
        return ""
    amounts = [held.amount for held in night.held]
    kept = money(total(amounts), night.currency)
    unknown = amounts.count(None) + max(members - len(amounts), 0)
    more = f" and {counted(unknown, 'amount')} not known yet" if unknown else ""
    return f"{' and '.join(named)} ({kept}{more})"


def _refusal(night: Night) -> str:
    stops = [
        opened.problem
        for opened in night.problems
        if opened.problem.severity is Severity.STOPS
    ]
    if not stops:
        return f"Nothing was billed on {day(night.as_of)}: the night was refused."
    said = f"{stops[0].place}: {stops[0].found}".removeprefix(": ").rstrip(".")
    if stops[1:]:
        said += f" (and {counted(len(stops) - 1, 'more problem')}, below)"
    return f"Nothing was billed on {day(night.as_of)}: {said}" + (
        "" if said.endswith("?") else "."
    )


def night_in_a_sentence(night: Night) -> str:
    """What came of the night, in one sentence."""
    if night.refused:
        return _refusal(night)
    kept = held_in_words(night) or "nobody"
    if night.checked:
        return f"A check for {day(night.as_of)} bills nothing; {kept} would be held."
    made = invoices(night)
    if made:
        sum_made = money(total(entry.gross for entry in made), night.currency)
        were = "was" if len(made) == 1 else "were"
        said = f"{counted(len(made), 'invoice')} for {sum_made} {were} made"
    else:
        said = f"No {'further ' if night.made_before else ''}invoice was made"
    is_one = kept == "nobody" or (kept.startswith("1 ") and " and " not in kept)
    held = f"{kept} {'is' if is_one else 'are'} held"
    told = f"{said} on {day(night.as_of)}; {held}."
    return told + f" {made_before(night)}" if night.made_before else told


def made_before(night: Night) -> str:
    """What the same day brought before: it was run twice, or a run was cut short."""
    before = counted(night.made_before, "invoice")
    return f"Earlier runs for that day made {before}."


@cache
def _yes_no() -> set[tuple[str, str]]:
    """The columns that say Yes or No, by the names of table and column."""
    return {
        (title_of(schema), column.title)
        for schema in INPUTS
        for column in columns(schema)
        if column.kind == "yesno"
    }


def changed(change: Change, value: str) -> str:
    """A value before or after a change, as the office types it: Yes, not true."""
    if (change.table, change.column) in _yes_no():
        return {"true": "Yes", "false": "No"}.get(value, value)
    return value
