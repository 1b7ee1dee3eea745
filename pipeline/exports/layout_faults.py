"""What is wrong with a practice's own wishes of an import file, and what to write instead."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.exports.exact_text import Unwritable, exact

LINE_FIELDS = (
    "customer", "customer_name", "customer_id", "email", "address_line_1",
    "address_line_2", "town", "postcode", "number", "short_number", "reference",
    "credits_number", "type", "issued_on", "due_on", "term_days", "description",
    "product_name", "product_code", "period_start", "period_end", "quantity",
    "unit_amount", "line_amount", "net", "tax", "gross", "account", "tax_code",
    "tax_rate", "currency",
)  # fmt: skip
POSTING_FIELDS = (
    "narration", "date", "description", "purpose", "account", "tax_code", "amount",
    "debit", "credit", "source",
)  # fmt: skip
FIELDS = {"lines": LINE_FIELDS, "postings": POSTING_FIELDS}
DATES = ("%d/%m/%Y", "%d-%m-%Y", "%d%m%Y", "%d%m%y", "%d/%m/%y", "%d %b %Y", "%Y-%m-%d")
CREDIT_NOTES = ("with", "apart", "by hand")

# What a practice may set, each with what it must be.
_MAY_BE: dict[str, type | tuple[type, ...]] = {
    "date": str, "credit_notes": str, "limits": dict, "types": dict, "tax_codes": dict,
    "accounts": dict, "columns": list, "headings": dict, "income_account": (str, int),
}  # fmt: skip
# Words for people: a shorter one is still right.
_MAY_BE_CUT = ("description", "customer", "customer_name", "narration")
_LIMITS = ("documents", "rows", "bytes")
_COLUMN_KEYS: dict[str, type] = {
    "heading": str, "field": str, "value": str, "longest": int, "shortest": int,
    "cut": bool, "digits": bool, "needed": bool,
}  # fmt: skip

Fault = tuple[str, str]


def faults_of(given: dict[str, Any], own: dict[str, Any]) -> list[Fault]:
    """Every fault of what a practice gives in place of parts of a package's layout."""
    return [*_strange(own), *_unfit(given, own)]


def tax_names(value: Any) -> tuple[tuple[str, Decimal | None], ...]:
    """The package's names for a tax code, each with the rate it stands for, if for one.

    A name; a name and its per cent; or several of these, where the rate changed. Empty
    for anything else.
    """
    if isinstance(value, str):
        return ((value, None),) if value else ()
    if not isinstance(value, list) or not value:
        return ()
    pairs = value if isinstance(value[0], list) else [value]
    names = tuple(name for pair in pairs if (name := _name_and_rate(pair)))
    rates = {rate for _, rate in names}
    return names if len(names) == len(pairs) == len(rates) else ()


def _name_and_rate(value: Any) -> tuple[str, Decimal] | None:
    match value:
        case [str(name), rate] if name:
            with suppress(InvalidOperation):
                if (found := Decimal(str(rate))).is_finite():
                    return name, found
    return None


def _strange(own: dict[str, Any]) -> Iterator[Fault]:
    """Keys that are not known, and values of the wrong kind."""
    for key, value in own.items():
        if key not in _MAY_BE:
            yield f"{key} is not known", f"use one of {', '.join(_MAY_BE)}"
        elif not isinstance(value, _MAY_BE[key]) or isinstance(value, bool):
            yield f"{key} is not of the right kind", "see docs/for-accountants.md"
    for text in _texts(own):
        try:
            exact(text)
        except Unwritable:
            yield "a text has characters that cannot be shown", "write it anew"
        if "\n" in text or "\t" in text:
            yield "a text has a line break or a tab", "write it in one line"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for key in value for text in (str(key), *_texts(value[key])))
    elif isinstance(value, list):
        yield from (text for each in value for text in _texts(each))


def _unfit(given: dict[str, Any], own: dict[str, Any]) -> Iterator[Fault]:
    """Values that are of the right kind and still cannot be used."""
    if own.get("date", DATES[0]) not in DATES:
        yield f"date {own['date']} is not known", f"use one of {', '.join(DATES)}"
    if own.get("credit_notes", CREDIT_NOTES[0]) not in CREDIT_NOTES:
        yield "credit_notes is not known", f"use one of {', '.join(CREDIT_NOTES)}"
    for key, value in _table(own, "limits"):
        if key not in _LIMITS or not _is_count(value):
            yield (
                f"limits.{key} cannot be used",
                (f"use {', '.join(_LIMITS)}, each with a whole number of 1 or more"),
            )
    for key, value in _table(own, "types"):
        if key not in ("invoice", "credit_note") or not isinstance(value, str):
            yield f"types.{key} cannot be used", "use invoice and credit_note"
    for key, value in _table(own, "tax_codes"):
        if not tax_names(value):
            yield (
                f"tax_codes.{key} cannot be used",
                'write the package\'s name, ["name", per cent], or where the rate changed'
                ' [["name", per cent], ["other name", other per cent]]',
            )
    for code in _twice(key for key, _ in _table(own, "tax_codes")):
        yield f"tax_codes.{code} stands there twice", "keep one of them"
    for key, value in _table(own, "accounts"):
        if not isinstance(value, str):
            yield f"accounts.{key} cannot be used", "write the account in quotes"
    yield from _unfit_headings(given, own)
    yield from _unfit_columns(given, own)


def _table(own: dict[str, Any], key: str) -> list[tuple[str, Any]]:
    value = own.get(key)
    return list(value.items()) if isinstance(value, dict) else []


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _unfit_headings(given: dict[str, Any], own: dict[str, Any]) -> Iterator[Fault]:
    known = [column["heading"] for column in given["columns"]]
    if "headings" in own and "columns" in own:
        yield "headings and columns stand side by side", "keep one of them"
    for old, new in _table(own, "headings"):
        if old not in known:
            yield f"there is no heading {old}", f"the headings are {', '.join(known)}"
        if not isinstance(new, str) or not new.strip():
            yield f"headings.{old} is no heading", "write the new heading in quotes"
    new_names = dict(_table(own, "headings"))
    for name in _twice(str(new_names.get(old, old)) for old in dict.fromkeys(known)):
        yield f"the heading {name} stands there twice", "give each column its own"


def _cut_amounts(columns: list[Any]) -> Iterator[Fault]:
    """Lengths that are none, and cuts of anything but words: a cut amount is a wrong one."""
    for at, column in enumerate(columns, start=1):
        if not isinstance(column, dict):
            continue
        longest, shortest = (
            length if type(length := column.get(name, 1)) is int else 1
            for name in ("longest", "shortest")
        )
        if longest < 1:
            yield f"column {at}: longest is below 1", "write how many letters it takes"
        if shortest < 1 or shortest > longest > 1:
            found = f"column {at}: shortest is below 1 or above longest"
            yield found, "write how few letters it takes"
        if column.get("cut") and column.get("field") not in _MAY_BE_CUT:
            words = ", ".join(_MAY_BE_CUT)
            yield f"column {at} may not be cut", f"cut only one of {words}"


def _twice(words: Iterable[str]) -> list[str]:
    counted = Counter(word.strip().upper() for word in words)
    return [word for word, count in counted.items() if count > 1]


def _unfit_columns(given: dict[str, Any], own: dict[str, Any]) -> Iterator[Fault]:
    columns = own.get("columns")
    if not isinstance(columns, list):
        return
    fields = FIELDS[given["of"]]
    for at, column in enumerate(columns, start=1):
        if not isinstance(column, dict) or not column.get("heading"):
            yield f"column {at} has no heading", "give each column its heading"
            continue
        for key, value in column.items():
            if key not in _COLUMN_KEYS:
                known = ", ".join(_COLUMN_KEYS)
                yield f"column {at}: {key} is not known", f"use {known}"
            elif type(value) is not _COLUMN_KEYS[key]:
                kind = _COLUMN_KEYS[key].__name__
                yield f"column {at}: {key} is not of the right kind", f"it is a {kind}"
        if column.get("field", fields[0]) not in fields:
            yield (
                f"column {at}: there is no field {column['field']}",
                (f"use one of {', '.join(fields)}"),
            )
    yield from _cut_amounts(columns)
    for name in _twice(str(c.get("heading")) for c in columns if isinstance(c, dict)):
        yield f"the heading {name} stands there twice", "give each column its own"
    there = {
        field
        for column in columns
        if isinstance(column, dict) and isinstance(field := column.get("field"), str)
    }
    for column in given["columns"]:
        if column.get("needed") and column["field"] not in there:
            yield (
                f"no column has the field {column['field']}",
                f"{column['heading']} is needed: add a column for it",
            )
