"""The second implementation's rule 11: which version of each row is in force tonight."""

from dataclasses import dataclass
from typing import Any

from tests.simulator.naive_rows import KEYS, REQUIRED, Read, Sheets, read_rows

# A sheet stands after those whose codes it names.
AREAS = {
    "staff": "", "roles": "", "contacts": "", "settings": "Settings",
    "tax_codes": "Settings", "products": "Products", "price_changes": "Products",
    "contract_prices": "Products", "patients": "Patients",
}  # fmt: skip
NAMES = {
    "products": {"Tax code": "tax_codes"},
    "price_changes": {"Product code": "products"},
    "contract_prices": {"Contact code": "contacts", "Product code": "products"},
    "patients": {"Membership": "products", "Bill to": "contacts"},
}
SHOWN = {
    "settings": "Settings", "tax_codes": "Tax codes", "products": "Products",
    "price_changes": "Price changes", "contract_prices": "Contract prices",
    "staff": "Staff", "roles": "Roles", "patients": "Patients",
}  # fmt: skip

Version = dict[str, Any]
Accepted = dict[str, dict[tuple[str, ...], Version]]


@dataclass(frozen=True)
class InForce:
    """Tonight's rows, and what will be accepted when the night is recorded.

    `changes` are (sheet, subject, accepted) of every row that a person changed.
    """

    rows: dict[str, list[Read]]
    accepted: Accepted
    changes: set[tuple[str, str, bool]]
    faults: int


def may_edit(accepted: Accepted, user: Any, area: str) -> bool:
    """Whether a name is an active user's whose role may Edit an area."""
    staff = accepted["staff"].get((str(user or ""),))
    if staff is None or not staff["Active"]:
        return False
    role = accepted["roles"].get((staff["Role"],))
    return role is not None and role[area] == "Edit"


def _same(one: Version, other: Version) -> bool:
    titles = (one.keys() | other.keys()) - {"Last edited by", "Notes"}
    return all(one.get(title) == other.get(title) for title in titles)


def in_force(sheets: Sheets, before: Accepted, *, first: bool) -> InForce:
    """Judge every row of every sheet by the last accepted Staff and Roles."""
    read = {sheet: read_rows(sheet, sheets.get(sheet, [])) for sheet in AREAS}
    judges = (
        {name: {r.key: r.values for r in read[name] if not r.held} for name in AREAS}
        if first
        else before
    )
    rows: dict[str, list[Read]] = {}
    accepted: Accepted = {}
    changes: set[tuple[str, str, bool]] = set()
    for sheet, area in AREAS.items():
        if area:
            read[sheet] = _without_effect(
                read[sheet], before.get(sheet, {}), sheet, area, judges
            )
    faults = sum(row.held for found in read.values() for row in found)
    for sheet, area in AREAS.items():
        old = before.get(sheet, {})
        rows[sheet], new = [], {}
        for row in read[sheet]:
            if row.held:
                rows[sheet].append(row)
                if row.key in old:
                    new[row.key] = old[row.key]
                continue
            allowed, changed = _judged(row, old.get(row.key), sheet, area, judges)
            in_sheet = _put(row, old.get(row.key), sheet, allowed)
            if in_sheet and _names_nothing(in_sheet, sheet, rows):
                in_sheet = Read(row.key, in_sheet.values, True)
            held = in_sheet is not None and in_sheet.held
            if changed and sheet in SHOWN:
                changes.add((SHOWN[sheet], row.key[0], allowed and not held))
            faults += held
            rows[sheet] += [in_sheet] if in_sheet else []
            if in_sheet and not held:
                new[row.key] = in_sheet.values
            elif row.key in old:
                new[row.key] = old[row.key]
        if area and sheet != "patients":
            for key in old.keys() - {row.key for row in read[sheet]}:
                rows[sheet].append(Read(key, old[key], False))
                new[key] = old[key]
        accepted[sheet] = new
    return InForce(rows, accepted, set() if first else changes, faults)


# New rows of these sheets that nobody entitled signed stay, held; others are not there.
_STAYS_HELD = ("products", "tax_codes", "patients")


def _without_effect(
    found: list[Read],
    old: dict[tuple[str, ...], Version],
    sheet: str,
    area: str,
    judges: Accepted,
) -> list[Read]:
    """The rows, with accepted ones for those that cannot be used and nobody may sign."""
    kept: list[Read] = []
    for at, row in enumerate(found):
        blank = {
            title
            for title, part in zip(KEYS[sheet], row.key, strict=True)
            if not part and title in REQUIRED[sheet]
        }
        known = not blank and not row.unread & set(KEYS[sheet])
        alike = [r for r in found if r.key == row.key] if known else [row]
        idle = [_is_idle(r, sheet, area, judges) for r in alike]
        same = [
            not r.unread and r.key in old and _same(r.values, old[r.key]) for r in alike
        ]
        without = row.held and any(idle) and all(map(any, zip(idle, same, strict=True)))
        is_old = known and row.key in old
        # Each row of Patients is on the roster, and two are never one.
        without &= sheet != "patients" or len(alike) == 1
        if not without or not (is_old or sheet not in _STAYS_HELD):
            kept.append(row)
        elif is_old and row.key not in {r.key for r in found[:at]}:
            kept.append(Read(row.key, old[row.key], False))
    return kept


def _is_idle(row: Read, sheet: str, area: str, judges: Accepted) -> bool:
    editor = row.values.get("Last edited by")
    signed = sheet != "patients" or editor is not None
    readable = "Last edited by" not in row.unread
    return row.held and readable and signed and not may_edit(judges, editor, area)


def _names_nothing(row: Read, sheet: str, rows: dict[str, list[Read]]) -> bool:
    """Whether a row names a code that its sheet does not have."""
    for title, named in NAMES.get(sheet, {}).items():
        codes = [other.key[0] for other in rows[named]]
        if row.values.get(title) is not None and row.values[title] not in codes:
            return True
    return False


def _judged(
    row: Read, old: Version | None, sheet: str, area: str, judges: Accepted
) -> tuple[bool, bool]:
    changed = old is None or not _same(row.values, old)
    editor = row.values.get("Last edited by")
    free = not area or (sheet == "patients" and editor is None)
    return not changed or free or may_edit(judges, editor, area), changed


def _put(row: Read, old: Version | None, sheet: str, allowed: bool) -> Read | None:
    if allowed:
        return row
    if old is not None:
        return Read(row.key, old, False)
    return Read(row.key, row.values, True) if sheet in _STAYS_HELD else None
