"""What the guards count as coming, leaving and changing, between two nights' rows."""

from typing import Any

import given
import pytest
from given import Row

from pipeline.judging import roster_moves
from pipeline.ledger import Ledger

DAY = "2026-03-02"
CORE = "membership, frequency or start date"
TAKEN_OVER = roster_moves.TAKEN_OVER


def _patients(cells: dict[str, Row]) -> dict[str, Any]:
    """A member for each key, named after it, with the cells that differ."""
    rows = [
        {
            "patient_id": key, "first_name": f"{key}a", "last_name": f"{key}son",
            "email": f"{key}@example.org", **changed,
        }
        for key, changed in cells.items()
    ]  # fmt: skip
    return {"as_of": DAY, "patients": rows}


def _differences(before: dict[str, Any], now: dict[str, Any]) -> dict[str, list[str]]:
    with given.two_nights(before, now) as books:
        return {k: ids for k, ids in roster_moves.changed(books).items() if ids}


def _hold_last_night(books: Ledger, key: str) -> None:
    books.connection.execute(
        "insert into ledger.standings_now (standing_key, run_no, removed, bucket)"
        " values (? || '#1', 1, false, 'held')",
        [key],
    )


# Patient ID -> what of the row is another tonight, and what that counts as.
CHANGED: dict[str, tuple[Row, str]] = {
    "product": ({"membership": "SILVER"}, CORE),
    "frequency": ({"billing_frequency": "Annual"}, CORE),
    "start": ({"start_date": "2026-01-31"}, CORE),
    "inactive": ({"membership_active": False, "start_date": "2026-01-31"}, CORE),
    "payer": ({"bill_to": "ACME"}, "payer"),
    "end": ({"end_date": "2026-04-01"}, "End date"),
    "end-passed": ({"end_date": "2026-03-01", "bill_to": "ACME"}, "End date"),
    "from": ({"bill_from": "2026-02-01"}, "Bill from"),
    "anothers-name": ({"last_name": "Startson"}, TAKEN_OVER),
    "anothers-email": ({"email": "start@EXAMPLE.org"}, TAKEN_OVER),
}
UNCHANGED: dict[str, Row] = {
    "the-code-spelled-another-way": {"membership": "gold"},
    "a-name-of-ones-own": {"last_name": "Quillfeather-Hythe"},
    "capital-letters": {"last_name": "CAPITAL-LETTERSSON"},
    "a-bill-from-before-the-start": {"bill_from": "2025-01-01"},
    "a-held-row": {"start_date": "2026-01-31", "held": True},
    "a-leavers-payer": {"membership_active": False, "bill_to": "ACME"},
}


def test_a_row_counts_by_what_changed_and_only_where_it_matters() -> None:
    now = {key: cells for key, (cells, _) in CHANGED.items()} | UNCHANGED
    expected: dict[str, list[str]] = {}
    for key, (_, what) in sorted(CHANGED.items()):
        expected.setdefault(what, []).append(key)
    before = _patients({key: {} for key in now})
    assert _differences(before, _patients(now)) == expected


TAXED: dict[str, Any] = {
    "products": [{"tax_code": "STD"}],
    "tax_codes": [
        {"code": code, "name": code, "rate": rate}
        for code, rate in {"STD": "20", "EXEMPT": "0", "ZERO": "0"}.items()
    ],
}
EXEMPT = TAXED | {"products": [{"tax_code": "EXEMPT"}]}


@pytest.mark.parametrize(
    ("before", "now", "counts"),
    [
        pytest.param(TAXED, EXEMPT, True, id="another tax code"),
        pytest.param(
            EXEMPT, TAXED | {"products": [{"tax_code": "ZERO"}]}, True,
            id="another code of the same rate",
        ),
        pytest.param(
            TAXED, TAXED | {"tax_codes": [{"code": "STD", "name": "", "rate": "2"}]},
            True, id="another rate",
        ),
        pytest.param(
            TAXED, TAXED | {"practice": {"prices_include_tax": True}}, True,
            id="prices that include it",
        ),
        pytest.param(
            EXEMPT, EXEMPT | {"practice": {"prices_include_tax": True}}, False,
            id="prices that would include it, if there were any",
        ),
        pytest.param(
            TAXED, TAXED | {"products": [{"tax_code": None, "held": True}]}, False,
            id="a held product",
        ),
    ],
)  # fmt: skip
def test_each_member_counts_whose_tax_is_another(
    before: dict[str, Any], now: dict[str, Any], counts: bool
) -> None:
    one = _patients({"P1": {}})
    assert _differences(one | before, one | now) == ({"tax": ["P1"]} if counts else {})


def test_the_practices_bill_from_counts_for_those_who_started_before_it() -> None:
    starts = {"P1": "2024-03-01", "P2": "2026-01-01"}
    two = _patients({key: {"start_date": day} for key, day in starts.items()})
    moved = two | {"practice": {"bill_from": "2024-06-01"}}
    assert _differences(two, moved) == {"Bill from": ["P1"]}
    ahead = two | {"practice": {"bill_from": "2027-01-01"}}
    assert _differences(two, ahead) == {"Bill from": ["P1", "P2"]}


def test_a_bill_from_that_answers_what_was_held_is_not_counted() -> None:
    before = _patients({"P1": {}, "P2": {}})
    answered: Row = {"bill_from": "2026-02-01"}
    with given.two_nights(before, _patients({"P1": answered, "P2": answered})) as books:
        _hold_last_night(books, "p2")
        assert roster_moves.changed(books)["Bill from"] == ["P1"]


def test_members_leave_and_come_one_by_one() -> None:
    off: dict[str, Row] = {
        "switched": {"membership_active": False},
        "ended": {"end_date": "2026-03-01"},
        "still-covered-tonight": {"end_date": DAY},
        "unreadable": {"membership_active": None, "held": True},
    }
    on: dict[str, Row] = {key: {} for key in off}
    fewer, more = _patients({**off, "new-id": {}}), _patients({**on, "old-id": {}})
    with given.two_nights(more, fewer) as books:
        assert roster_moves.members(books) == (5, 3)
        assert roster_moves.left(books) == ["ended", "old-id", "switched"]
        assert roster_moves.gone(books) == ["old-id"]
        assert roster_moves.came(books) == ["new-id"]
    with given.two_nights(fewer, more) as books:
        assert roster_moves.came(books) == ["ended", "old-id", "switched"]


def test_who_was_held_last_night_does_not_come_when_the_row_is_mended() -> None:
    with given.two_nights(
        _patients({"P1": {}}), _patients({"P1": {}, "P2": {}})
    ) as books:
        assert roster_moves.came(books) == ["P2"]
        _hold_last_night(books, "p2")
        assert roster_moves.came(books) == []
