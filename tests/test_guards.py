"""Each guard stops the night just beyond its limit, and never at it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import practice
import pytest
from practice import Row, member, product

from pipeline.guards import check_guards
from pipeline.ledger import ledger_path, opened
from pipeline.problems import Refused, Severity
from pipeline.run import guard, prepare

# A hundred and twenty members who start in the autumn: six of them are 5 %.
MEMBERS = [member(f"M{n:03d}", start_date="2026-09-01") for n in range(120)]
FIRST, SECOND = "2026-03-01", "2026-03-02"


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice after its first night; one member is due on the second."""
    given = practice.sheets()
    given["patients"] = [*MEMBERS, member("V1", membership="VIP", start_date=SECOND)]
    given["products"].append(_signed(product("VIP", "Vip", monthly="1500.00")))
    given["contacts"] = [{"Code": "ACME", "Name": "Acme Widgets Ltd"}]
    given["price_changes"] = COMING
    given["contract_prices"] = [_contract("2026-01-01", "40.00")]
    folder = practice.make(tmp_path_factory.mktemp("guards") / "clinic", given)
    assert practice.bill(folder, FIRST).code == 0
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
    return {"patients": [*rows, member("V1", membership="VIP", start_date=SECOND)]}


def _joining(count: int) -> list[Row]:
    return [*MEMBERS, *(member(f"N{n}", start_date="2026-09-01") for n in range(count))]


def _gold(price: str) -> dict[str, list[Row]]:
    rows = practice.sheets()["products"]
    rows[0]["Monthly price"] = price
    return {"products": [*rows, _signed(product("VIP", "Vip", monthly="1500.00"))]}


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
    "rows-gone": Night(
        "2026-03-16", _roster(*MEMBERS[7:]) | _gold("62.51"), ("date", "drop", "price")
    ),
    "switched-off": Night(
        "2026-02-28",
        _roster(*_first(7, **OFF))
        | {"price_changes": [_coming("2026-06-01", "41.24")]},
        ("date", "drop", "price"),
    ),
    "other-ids": Night(
        SECOND,
        _roster(*RENAMED, *MEMBERS[7:])
        | {"price_changes": [*COMING, _coming("2026-04-01", "62.51")]},
        ("drop", "joined", "price"),
    ),
    "joined": Night(
        SECOND,
        _roster(*_joining(7)) | {"contract_prices": [_contract("2026-01-01", "50.01")]},
        ("joined", "price"),
    ),
    "changed": Night(
        SECOND,
        _roster(*_first(7, start_date="2026-09-02"), VIP, SMALL),
        ("changed", "forecast"),
    ),
}


def _price_moved(what: str) -> str:
    return (
        "Max price change %: guard price: 1 price moved by more than 25 % (largest:"
        f" {what})"
    )


FIVE_IDS = "(largest: M000; M001; M002; M003; M004)"
CASES = [
    pytest.param(
        Case(
            "drop", "rows-gone",
            "Max drop %: guard drop: active members fell from 121 to 114 and patient"
            f" rows fell from 121 to 114 {FIVE_IDS}",
        ),
        id="drop: more than 5 % of the rows are gone",
    ),
    pytest.param(
        Case(
            "drop", "switched-off",
            f"Max drop %: guard drop: active members fell from 121 to 114 {FIVE_IDS}",
        ),
        id="drop: more than 5 % of the members were switched off",
    ),
    pytest.param(
        Case(
            "drop", "other-ids",
            "Max drop %: guard drop: 7 of 121 active members are missing, with others"
            " there are 121 and 7 of 121 patient rows are missing, with others there are"
            f" 121 {FIVE_IDS}",
        ),
        id="drop: as many came under other ids as are gone",
    ),
    pytest.param(
        Case(
            "joined", "joined",
            "Max joined %: guard joined: active members rose from 121 to 128"
            " (largest: N0; N1; N2; N3; N4)",
        ),
        id="joined: more than 5 % joined in one night",
    ),
    pytest.param(
        Case(
            "changed", "changed",
            "Max changed %: guard changed: 7 of 121 rows changed membership, frequency"
            f" or start date {FIVE_IDS}",
        ),
        id="changed: more than 5 % changed start date",
    ),
    pytest.param(
        Case(
            "price", "rows-gone", _price_moved("GOLD Monthly price 50.00 to 62.51")
        ),
        id="price: a standard price moved by more than 25 %",
    ),
    pytest.param(
        Case(
            "price", "switched-off",
            _price_moved("GOLD Monthly price 55.00 to 41.24"),
        ),
        id="price: a coming price moved by more than 25 %",
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
            "forecast", "changed",
            "Max forecast difference %: guard forecast: tonight would bill 3030.00, the"
            " last accepted sheets would bill 1500.00"
            " (largest: V1 1500.00; V2 1500.00; V3 30.00)",
        ),
        id="forecast: tonight would bill more than twice as much",
    ),
    pytest.param(
        Case(
            "date", "rows-gone",
            "Max days ahead: guard date: the as-of day 2026-03-16 is more than 14 days"
            " past the last run, 2026-03-01",
        ),
        id="date: the as-of day is more than 14 days past the last run",
    ),
    pytest.param(
        Case(
            "date", "switched-off",
            "Max days ahead: guard date: the as-of day 2026-02-28 is before the last"
            " run's, 2026-03-01",
        ),
        id="date: the as-of day is before the last run's",
    ),
]  # fmt: skip

AT_THE_LIMIT = [
    pytest.param(
        _roster(*_first(6, start_date="2026-09-02"), *_joining(5)[120:], VIP)
        | _gold("62.50")
        | {
            "price_changes": [
                _coming("2026-04-01", "62.50"), _coming("2026-06-01", "68.75")
            ],
            "contract_prices": [_contract("2026-01-01", "50.00")],
        },
        SECOND,
        id="joined, changed, price and forecast",
    ),
    pytest.param(_roster(*MEMBERS[6:]), "2026-03-15", id="drop and date"),
    pytest.param({}, FIRST, id="date: the same day again"),
]  # fmt: skip


def _with(billed: Path, target: Path, given: dict[str, list[Row]]) -> Path:
    return practice.make(practice.copied(billed, target), given or {"staff": STAFF})


STAFF = practice.sheets()["staff"]


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
        f"Stops the night: settings.csv: {case.says}; if this is right, let it through"
        f" once with: membill bill {billed.parent / case.night} --as-of {night.day}"
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


# The rest of it is seen in a small practice: twelve members, seven rows that are held,
# and an invoice that is as large as it may be.

BAD = [member(f"B{n}", start_date="31/02/2026") for n in range(7)]
LARGE = [
    member("V1", membership="VIP", billing_frequency="Annual"), member("V2"),
]  # fmt: skip
FEW = [*MEMBERS[:12], *LARGE]


def _small(annual: str) -> practice.Sheets:
    given = practice.sheets()
    given["products"].append(_signed(product("VIP", "Vip", annual=annual)))
    given["patients"] = [*FEW, *BAD]
    return given


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small practice after its first night."""
    folder = practice.make(
        tmp_path_factory.mktemp("small") / "clinic", _small("10000.00")
    )
    assert practice.run("bill", folder, "--as-of", FIRST, today=FIRST).code == 3
    return folder


@pytest.fixture
def dropped(small: Path, tmp_path: Path) -> Path:
    """The same, and seven of its members gone."""
    folder = practice.copied(small, tmp_path / "a clinic")
    practice.write(folder, "patients", [*FEW[7:], *BAD])
    return folder


@pytest.fixture(scope="module")
def five_more(small: Path) -> Path:
    """The same after a second night: five joined, and the rows are held once more."""
    folder = practice.copied(small, small.parent / "five more")
    practice.write(folder, "patients", [*FEW, *MEMBERS[12:17], *BAD])
    assert practice.bill(folder, SECOND).code == 3, "held, and no reason to stop"
    return folder


def test_a_guarded_night_changes_nothing_until_it_is_accepted_once(
    dropped: Path,
) -> None:
    unlike = ("out/issues.xlsx", "ledger/membill.lock.json")
    before = practice.files(dropped, but=unlike)
    assert practice.bill(dropped, SECOND).code == 4
    assert practice.files(dropped, but=unlike) == before
    assert practice.bill(dropped, SECOND, "--accept", "drop").code == 3
    assert practice.last_run(dropped)["accepted_guards"] == ["drop"]
    assert practice.bill(dropped, SECOND).code == 3, "what was accepted is accepted"
    assert practice.last_run(dropped)["accepted_guards"] == []


def test_accepting_one_guard_leaves_the_others_standing(dropped: Path) -> None:
    practice.change(dropped, "products", "GOLD", {"Monthly price": "90.00"})
    both = practice.bill(dropped, SECOND)
    assert both.err.count("guard ") == 2, "all that stops the night is told at once"
    ledger = dropped / "ledger/membill.duckdb"
    one = practice.bill(dropped, SECOND, "--accept", "drop", "--ledger", ledger)
    assert one.code == 4
    assert one.err.splitlines()[0].endswith(
        f"once with: membill bill '{dropped}' --as-of {SECOND}"
        f" --ledger '{ledger}' --accept drop --accept price"
    )


def test_preview_and_check_heed_no_guard(dropped: Path) -> None:
    practice.write(dropped, "patients", FEW[7:])
    practice.change(dropped, "products", "GOLD", {"Monthly price": "90.00"})
    for command in ("preview", "check"):
        assert practice.run(command, dropped, "--as-of", "2026-04-30").code == 0


def test_five_of_a_small_practice_never_trip_a_guard(five_more: Path) -> None:
    night = practice.last_run(five_more)
    assert (night["as_of"], night["accepted_guards"]) == (SECOND, [])


def test_rows_held_night_after_night_join_nobody(
    five_more: Path, tmp_path: Path
) -> None:
    folder = practice.copied(five_more, tmp_path / "clinic")
    mended = [member(row["Patient ID"], start_date="2026-09-01") for row in BAD]
    practice.write(folder, "patients", [*FEW, *MEMBERS[12:17], *mended])
    assert practice.bill(folder, "2026-03-03").code == 0


def test_the_first_night_knows_nothing_to_compare_with_but_amount_and_date(
    small: Path, tmp_path: Path
) -> None:
    folder = practice.make(tmp_path / "clinic", _small("10000.01"))
    refused = practice.run("bill", folder, "--as-of", SECOND, today=FIRST)
    assert refused.code == 4
    told = [line.split("; if")[0] for line in refused.err.splitlines()[:2]]
    assert told == [
        "Stops the night: settings.csv: Max days ahead: guard date: the as-of"
        f" day {SECOND} is after today, {FIRST}",
        "Stops the night: settings.csv: Max invoice amount: guard amount: 1"
        " invoice over 10000.00 (largest: V1 10000.01)",
    ]
    assert not (folder / "ledger/membill.duckdb").exists(), "no ledger is left behind"
    assert ("V1", "10000.00") in practice.lines(small, "patient_id", "gross")


def test_a_limit_raised_by_somebody_without_the_right_does_not_count(
    dropped: Path,
) -> None:
    practice.set_to(dropped, "Max drop %", "90", by="dd")
    assert len(_stops(dropped, SECOND)) == 1
    practice.set_to(dropped, "Max drop %", "90", by="mm")
    assert _stops(dropped, SECOND) == []
