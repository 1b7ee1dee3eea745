"""Each guard stops the night just beyond its limit, and never at it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import practice
import pytest
from practice import Row, member, product

from pipeline.commands import saying
from pipeline.judging.guards import (
    _UNDO,
    Tripped,
    _changed,
    _drop,
    _joined,
    check_guards,
)
from pipeline.ledger import Ledger, ledger_path, opened
from pipeline.prepare import prepare
from pipeline.problems import Refused, Severity
from pipeline.run import guard
from tests.given import two_nights

FIRST, SECOND = "2026-03-01", "2026-03-02"
# A hundred and twenty members who start in the autumn: six of them are 5 %.
MEMBERS = [member(f"M{n:03d}", start_date="2026-09-01") for n in range(120)]
# One whose invoice is as large as it may be, and one who is due on the second night.
OTHERS = [
    member("T1", membership="TOP", billing_frequency="Annual"),
    member("V1", membership="VIP", start_date=SECOND),
]
BAD = [member(f"B{n}", start_date="31/02/2026") for n in range(7)]


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice after its first night, which held seven rows."""
    given = practice.sheets() | _roster(*MEMBERS, *BAD) | _gold("50.00")
    given["contacts"] = [{"Code": "ACME", "Name": "Acme Widgets Ltd"}]
    given["price_changes"] = COMING
    given["contract_prices"] = [_contract("2026-01-01", "40.00")]
    folder = practice.make(tmp_path_factory.mktemp("guards") / "a clinic", given)
    assert practice.run("bill", folder, "--as-of", FIRST, today=FIRST).code == 3
    return folder


def _signed(row: Row) -> Row:
    return {**row, "Last edited by": "mm"}


def _coming(day: str, price: str) -> Row:
    return _signed(
        {"Product code": "GOLD", "Effective from": day, "Monthly price": price}
    )


def _contract(day: str, price: str) -> Row:
    return _signed(
        {
            "Contact code": "ACME", "Product code": "GOLD", "Monthly price": price,
            "Valid from": day,
        }
    )  # fmt: skip


def _first(count: int, **cells: str) -> list[Row]:
    """The roster with the first members changed."""
    changed = [member(row["Patient ID"], **cells) for row in MEMBERS[:count]]
    return changed + MEMBERS[count:]


def _roster(*rows: Row) -> dict[str, list[Row]]:
    return {"patients": [*rows, *OTHERS]}


def _raised(by: str) -> dict[str, list[Row]]:
    """The settings with a higher limit for what is dropped."""
    raised = {"Setting": "Max drop %", "Value": "6", "Last edited by": by}
    return {"settings": [*practice.sheets()["settings"], raised]}


def _joining(count: int) -> list[Row]:
    return [*MEMBERS, *(member(f"N{n}", start_date="2026-09-01") for n in range(count))]


def _gold(price: str) -> dict[str, list[Row]]:
    rows = practice.sheets()["products"]
    rows[0]["Monthly price"] = price
    vip = product("VIP", "Vip", monthly="1500.00")
    top = product("TOP", "Top", annual="10000.00")
    return {"products": [*rows, _signed(vip), _signed(top)]}


RENAMED = [
    member(f"X{row['Patient ID']}", start_date="2026-09-01") for row in MEMBERS[:7]
]
COMING = [_coming("2026-06-01", "55.00")]
VIP = member("V2", membership="VIP", start_date=SECOND)
SMALL = member("V3", membership="SILVER", start_date=SECOND)


@dataclass(frozen=True)
class Case:
    """A guard, the night on which its limit is passed, and what the refusal says."""

    guard: str
    night: str
    says: str


@dataclass(frozen=True)
class Night:
    """A day and sheets beyond the limits of these guards, and of no other."""

    day: str
    given: dict[str, list[Row]]
    guards: tuple[str, ...]


OFF = {"membership_active": "No", "start_date": "2026-09-01"}
NIGHTS = {
    "gone": Night(
        "2026-03-16",
        _roster(*_first(14, **OFF)[7:])
        | _gold("62.51")
        | {"price_changes": [_coming("2026-06-01", "41.24")]}
        | _raised(by="dd"),
        ("date", "drop", "price"),
    ),
    "other-ids": Night(
        "2026-02-28",
        _roster(*RENAMED, *MEMBERS[7:])
        | {"price_changes": [*COMING, _coming("2026-04-01", "62.51")]},
        ("date", "drop", "joined", "price"),
    ),
    "joined": Night(
        SECOND,
        _roster(*_first(7, start_date="2026-09-02"), *_joining(5)[120:], VIP, SMALL)
        | {"contract_prices": [_contract("2026-01-01", "50.01")]},
        ("joined", "changed", "price", "forecast"),
    ),
}


def _price_moved(what: str, prices: str = "1 price") -> str:
    return (
        f"Max price change %: guard price: {prices} moved by more than 25 % (largest:"
        f" {what})"
    )


FIVE_IDS = "(largest: M000; M001; M002; M003; M004)"
CASES = [
    pytest.param(
        Case(
            "drop", "gone",
            "Max drop %: guard drop: active members fell from 122 to 108 and patient"
            " rows fell from 122 to 115 (largest: M000; M001; M002; M003; M004)",
        ),
        id="drop: more than 5 % of the rows are gone, as many members were switched off",
    ),
    pytest.param(
        Case(
            "drop", "other-ids",
            "Max drop %: guard drop: 7 of 122 active members are missing, with others"
            " there are 122 and 7 of 122 patient rows are missing, with others there are"
            f" 122 {FIVE_IDS}",
        ),
        id="drop: as many came under other ids as are gone",
    ),
    pytest.param(
        Case(
            "joined", "joined",
            "Max joined %: guard joined: active members rose from 122 to 129"
            " (largest: N0; N1; N2; N3; N4)",
        ),
        id="joined: more than 5 % joined in one night",
    ),
    pytest.param(
        Case(
            "changed", "joined",
            "Max changed %: guard changed: 7 of 122 rows changed membership, frequency"
            f" or start date {FIVE_IDS}",
        ),
        id="changed: more than 5 % changed start date",
    ),
    pytest.param(
        Case(
            "price", "gone",
            _price_moved(
                "GOLD Monthly price 55.00 to 41.24; GOLD Monthly price 50.00 to 62.51",
                "2 prices",
            ),
        ),
        id="price: a standard and a coming price moved by more than 25 %",
    ),
    pytest.param(
        Case(
            "price", "other-ids",
            _price_moved("GOLD Monthly price 50.00 to 62.51"),
        ),
        id="price: a new coming price is held against the price it follows",
    ),
    pytest.param(
        Case(
            "price", "joined",
            _price_moved("ACME GOLD Monthly price 40.00 to 50.01"),
        ),
        id="price: a contract price moved by more than 25 %",
    ),
    pytest.param(
        Case(
            "forecast", "joined",
            "Max forecast difference %: guard forecast: tonight would bill 3030.00, the"
            " last accepted sheets would bill 1500.00"
            " (largest: V1 1500.00; V2 1500.00; V3 30.00)",
        ),
        id="forecast: tonight would bill more than twice as much",
    ),
    pytest.param(
        Case(
            "date", "gone",
            "Max days ahead: guard date: the as-of day 2026-03-16 is more than 14 days"
            " past the last run, 2026-03-01",
        ),
        id="date: the as-of day is more than 14 days past the last run",
    ),
    pytest.param(
        Case(
            "date", "other-ids",
            "Max days ahead: guard date: the as-of day 2026-02-28 is before the last"
            " run's, 2026-03-01",
        ),
        id="date: the as-of day is before the last run's",
    ),
]  # fmt: skip

AT_THE_LIMIT = [
    pytest.param(
        _roster(*_first(6, start_date="2026-09-02")[:113], *_joining(5)[120:], VIP)
        | _raised(by="mm")
        | _gold("62.50")
        | {
            "price_changes": [
                _coming("2026-04-01", "62.50"), _coming("2026-06-01", "68.75")
            ],
            "contract_prices": [_contract("2026-01-01", "50.00")],
        },
        SECOND,
        id="joined, changed, price and forecast, and drop where its limit was raised",
    ),
    pytest.param(_roster(*MEMBERS[6:]), "2026-03-15", id="drop and date"),
]  # fmt: skip


def _with(billed: Path, target: Path, given: dict[str, list[Row]]) -> Path:
    return practice.make(practice.copied(billed, target), given)


# What the guards say of a night, and which of them stop it with one of them let through.
Stopped = tuple[list[str], dict[str, list[str]]]


def _guarded(folder: Path, day: str, accepted: Iterable[str] = ()) -> Stopped:
    """The night of a day as far as its guards."""
    on, today = date.fromisoformat(day), date(2026, 10, 31)
    with opened(ledger_path(folder), write=False) as ledger:
        prepared = prepare(ledger, folder, on, lambda zone: today)
        try:
            guard(ledger, prepared, (), f"membill bill {folder} --as-of {day}")
        except Refused as refusal:
            found = [p for p in refusal.problems if p.severity is Severity.STOPS]
            left = {
                name: [
                    trip.guard
                    for trip in check_guards(ledger, on, today, (name,), compared=True)
                ]
                for name in accepted
            }
            return [
                f"{problem.severity}: {problem.public()}" for problem in found
            ], left
    return [], {}


def _stops(folder: Path, day: str) -> list[str]:
    """What the guards say of the night of a day, without the night itself."""
    return _guarded(folder, day)[0]


@pytest.fixture(scope="module")
def stopped(billed: Path) -> dict[str, Stopped]:
    """What the guards say of each of the nights."""
    return {
        name: _guarded(
            _with(billed, billed.parent / name, night.given), night.day, night.guards
        )
        for name, night in NIGHTS.items()
    }


@pytest.mark.parametrize("case", CASES)
def test_a_guard_stops_the_night_beyond_its_limit(
    case: Case, stopped: dict[str, Stopped], billed: Path
) -> None:
    night, (told, left) = NIGHTS[case.night], stopped[case.night]
    says = (
        f"Stops the night: settings.csv: {case.says}; if this is wrong,"
        f" {_UNDO[case.guard]}; if this is right, let it through once with: membill bill {billed.parent / case.night} --as-of {night.day}"
        f" --accept {case.guard}"
    )
    others = [name for name in night.guards if name != case.guard]
    if others:
        more = " ".join(f"--accept {name}" for name in others)
        says += f"; the night goes on only with {more} in it as well"
    assert says in told
    assert len(told) == len(night.guards)
    assert left[case.guard] == others, "accepting lets one through"


@pytest.mark.parametrize(("given", "day"), AT_THE_LIMIT)
def test_guards_let_their_limits_through(
    given: dict[str, list[Row]], day: str, billed: Path, tmp_path: Path
) -> None:
    assert _stops(_with(billed, tmp_path / "clinic", given), day) == []


def test_a_limit_raised_by_somebody_without_the_right_does_not_count(
    stopped: dict[str, Stopped],
) -> None:
    told, _ = stopped["gone"]
    assert [text for text in told if "guard drop" in text]


@pytest.mark.parametrize("command", ["preview", "check"])
def test_preview_and_check_heed_no_guard(
    command: str, stopped: dict[str, Stopped], billed: Path
) -> None:
    folder, day = billed.parent / "other-ids", NIGHTS["other-ids"].day
    assert practice.run(command, folder, "--as-of", day).code == 0


# What a night that is stopped may leave behind.
TRACES = ("out/issues.xlsx", "ledger/membill.lock.json")


@pytest.fixture(scope="module")
def let_through(billed: Path) -> Path:
    """The practice after a night that two guards stopped, and that was let through."""
    folder = _with(
        billed,
        billed.parent / "let through",
        _roster(*MEMBERS[7:], *BAD) | _gold("62.51"),
    )
    before, ledger = practice.files(folder, but=TRACES), ledger_path(folder)
    one = practice.bill(folder, SECOND, "--accept", "drop", "--ledger", ledger)
    assert one.code == 4, "accepting one guard leaves the others standing"
    assert one.err.splitlines()[0].endswith(
        f"once with: membill bill '{folder}' --as-of {SECOND}"
        f" --ledger '{ledger}' --accept drop --accept price"
    )
    assert practice.files(folder, but=TRACES) == before
    both = practice.bill(folder, SECOND, "--accept", "drop", "--accept", "price")
    assert both.code == 3
    return folder


def test_a_guarded_night_changes_nothing_until_it_is_accepted_once(
    billed: Path, let_through: Path
) -> None:
    assert practice.last_run(billed)["accepted_guards"] == []
    assert practice.last_run(let_through)["accepted_guards"] == ["drop", "price"]


def test_what_was_let_through_is_accepted_and_who_was_held_all_the_time_joins_not(
    let_through: Path,
) -> None:
    mended = [member(row["Patient ID"], start_date="2026-09-01") for row in BAD]
    roster = _roster(*MEMBERS[7:], *mended)
    assert _stops(_with(let_through, let_through.parent / "m", roster), SECOND) == []


def test_the_first_night_knows_nothing_to_compare_with_but_amount_and_date(
    billed: Path, tmp_path: Path
) -> None:
    given = practice.sheets()
    given["products"].append(_signed(product("TOP", "Top", annual="10000.01")))
    given["patients"].append(OTHERS[0])
    folder = practice.make(tmp_path / "clinic", given)
    refused = practice.run("bill", folder, "--as-of", SECOND, today=FIRST)
    assert refused.code == 4
    told = [line.split("; if")[0] for line in refused.err.splitlines()[:2]]
    assert told == [
        "Stops the night: settings.csv: Max days ahead: guard date: the as-of"
        f" day {SECOND} is after today, {FIRST}",
        "Stops the night: settings.csv: Max invoice amount: guard amount: 1"
        " invoice over 10000.00 (largest: T1 10000.01)",
    ]
    assert not (folder / "ledger/membill.duckdb").exists(), "no ledger is left behind"
    assert ("T1", "10000.00") in practice.lines(billed, "patient_id", "gross")


@pytest.mark.parametrize(
    ("moved", "tripped"), [(5, []), (6, [_drop, _joined, _changed])]
)
def test_five_of_a_small_practice_never_trip_a_guard(
    moved: int, tripped: list[Callable[[Ledger, dict[str, Any]], Tripped | None]]
) -> None:
    """As many are gone, joined and changed: six of them are too many, five are not."""
    before = [{"patient_id": f"P{n}"} for n in range(12)]
    changed = [{**row, "start_date": "2026-01-02"} for row in before[moved : 2 * moved]]
    joined = [{"patient_id": f"N{n}"} for n in range(moved)]
    now = [*changed, *before[2 * moved :], *joined]
    with two_nights({"patients": before}, {"patients": now}) as books:
        limits = books.rows("select * from input.practice")[0]
        found = [each for each in (_drop, _joined, _changed) if each(books, limits)]
    assert found == tripped


def test_a_guard_may_be_as_wide_as_somebody_likes(tmp_path: Path) -> None:
    folder = practice.make(tmp_path)
    for guarded in ("drop", "joined", "changed", "price change", "forecast difference"):
        practice.set_to(folder, f"Max {guarded} %", "100000")
    practice.set_to(folder, "Max days ahead", "36500")
    practice.set_to(folder, "Catch-up days", "36500")
    assert _stops(folder, FIRST) == []


@pytest.mark.parametrize(
    ("typed", "found", "named"),
    [
        (".venv/bin/membill", None, ".venv/bin/membill"),
        (".venv/bin/membill", "/usr/bin/membill", "membill"),
        ("membill", "/usr/bin/membill", "membill"),
        ("/srv/pipeline/__main__.py", None, "membill"),
    ],
)
def test_the_command_that_lets_it_through_starts_what_was_started(
    typed: str, found: str | None, named: str
) -> None:
    with (
        patch("sys.argv", [typed, "bill", "."]),
        patch("shutil.which", return_value=found),
    ):
        assert saying.again(Path("."), None, (), None) == f"{named} bill ."


def _asked(name: str, quantity: int) -> Row:
    return {
        "Request ID": name, "Patient ID": "P1", "Product code": "CONSULT",
        "Quantity": str(quantity), "Requested on": SECOND, "Requested by": "dd",
    }  # fmt: skip


@pytest.mark.parametrize(("quantity", "stops"), [(20, False), (21, True)])
def test_requests_that_came_since_last_night_are_no_part_of_what_was_expected(
    quantity: int, stops: bool, asked: Path, tmp_path: Path
) -> None:
    requests = [_asked("R1", 20), _asked("R2", quantity)]
    folder = _with(asked, tmp_path / "clinic", {"invoice_requests": requests})
    told = _stops(folder, SECOND)
    assert len(told) == stops
    for line in told:
        assert (
            "guard forecast: tonight would bill 3485.00, the last accepted sheets would"
            " bill 1700.00 (largest: P1 3485.00)" in line
        )


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice after its first night, with a request for the second."""
    given = practice.sheets() | {"invoice_requests": [_asked("R1", 20)]}
    folder = practice.make(tmp_path_factory.mktemp("asked") / "clinic", given)
    assert practice.run("bill", folder, "--as-of", FIRST, today=FIRST).code == 0
    return folder


def test_ids_that_moved_along_the_rows_stop_the_night(tmp_path: Path) -> None:
    """Each is held as somebody else's; all together they are no edits of a day."""
    people = [
        member(
            f"Q{n:02d}", first_name=f"Ann{n}", last_name=f"Quill{n}",
            start_date=f"2026-02-{n % 20 + 1:02d}",
        )
        | {"Email": f"q{n}@example.org"}
        for n in range(40)
    ]  # fmt: skip
    folder = practice.make(tmp_path, practice.sheets() | {"patients": people})
    assert practice.bill(folder, FIRST).code == 0
    ids = [row["Patient ID"] for row in people]
    for row, other in zip(people, [*ids[1:], ids[0]], strict=True):
        row["Patient ID"] = other
    practice.write(folder, "patients", people)
    refused = practice.bill(folder, SECOND)
    assert refused.code == 4
    assert "guard changed" in refused.err
