"""Each guard stops the night just beyond its limit, and never at it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import practice
import pytest
from practice import Row, member, product

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
    """Sheets just beyond a guard's limit, the day, and what the refusal says."""

    guard: str
    beyond: dict[str, list[Row]]
    says: str
    day: str = SECOND


def _price_moved(what: str) -> str:
    return (
        "Max price change %: guard price: 1 price moved by more than 25 % (largest:"
        f" {what})"
    )


FIVE_IDS = "(largest: M000; M001; M002; M003; M004)"
CASES = [
    pytest.param(
        Case(
            "drop", _roster(*MEMBERS[7:]),
            "Max drop %: guard drop: active members fell from 121 to 114 and patient"
            f" rows fell from 121 to 114 {FIVE_IDS}",
        ),
        id="drop: more than 5 % of the rows are gone",
    ),
    pytest.param(
        Case(
            "drop", _roster(*_first(7, membership_active="No")),
            f"Max drop %: guard drop: active members fell from 121 to 114 {FIVE_IDS}",
        ),
        id="drop: more than 5 % of the members were switched off",
    ),
    pytest.param(
        Case(
            "drop", _roster(*RENAMED, *MEMBERS[7:]),
            "Max drop %: guard drop: 7 of 121 active members are missing, with others"
            " there are 121 and 7 of 121 patient rows are missing, with others there are"
            f" 121 {FIVE_IDS}",
        ),
        id="drop: as many came under other ids as are gone",
    ),
    pytest.param(
        Case(
            "joined", _roster(*_joining(7)),
            "Max joined %: guard joined: active members rose from 121 to 128"
            " (largest: N0; N1; N2; N3; N4)",
        ),
        id="joined: more than 5 % joined in one night",
    ),
    pytest.param(
        Case(
            "changed", _roster(*_first(7, start_date="2026-09-02")),
            "Max changed %: guard changed: 7 of 121 rows changed membership, frequency"
            f" or start date {FIVE_IDS}",
        ),
        id="changed: more than 5 % changed start date",
    ),
    pytest.param(
        Case(
            "price", _gold("62.51"), _price_moved("GOLD Monthly price 50.00 to 62.51")
        ),
        id="price: a standard price moved by more than 25 %",
    ),
    pytest.param(
        Case(
            "price", {"price_changes": [_coming("2026-06-01", "41.24")]},
            _price_moved("GOLD Monthly price 55.00 to 41.24"),
        ),
        id="price: a coming price moved by more than 25 %",
    ),
    pytest.param(
        Case(
            "price", {"price_changes": [*COMING, _coming("2026-04-01", "62.51")]},
            _price_moved("GOLD Monthly price 50.00 to 62.51"),
        ),
        id="price: a new coming price is held against the price it follows",
    ),
    pytest.param(
        Case(
            "price", {"contract_prices": [_contract("2026-01-01", "50.01")]},
            _price_moved("ACME GOLD Monthly price 40.00 to 50.01"),
        ),
        id="price: a contract price moved by more than 25 %",
    ),
    pytest.param(
        Case(
            "forecast", _roster(*MEMBERS, VIP, SMALL),
            "Max forecast difference %: guard forecast: tonight would bill 3030.00, the"
            " last accepted sheets would bill 1500.00"
            " (largest: V1 1500.00; V2 1500.00; V3 30.00)",
        ),
        id="forecast: tonight would bill more than twice as much",
    ),
    pytest.param(
        Case(
            "date", {},
            "Max days ahead: guard date: the as-of day 2026-03-16 is more than 14 days"
            " past the last run, 2026-03-01",
            "2026-03-16",
        ),
        id="date: the as-of day is more than 14 days past the last run",
    ),
    pytest.param(
        Case(
            "date", {},
            "Max days ahead: guard date: the as-of day 2026-02-28 is before the last"
            " run's, 2026-03-01",
            "2026-02-28",
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


@contextmanager
def _prepared(folder: Path, day: str) -> Iterator[Callable[..., list[str]]]:
    """The night of a day as far as its guards: what they say, some of them accepted."""
    on = date.fromisoformat(day)
    with opened(ledger_path(folder), write=False) as ledger:
        prepared = prepare(ledger, folder, on, lambda zone: date(2026, 10, 31))

        def stops(*accepted: str) -> list[str]:
            try:
                guard(
                    ledger, prepared, accepted, f"membill bill {folder} --as-of {day}"
                )
            except Refused as refusal:
                found = [p for p in refusal.problems if p.severity is Severity.STOPS]
                return [f"{problem.severity}: {problem.public()}" for problem in found]
            return []

        yield stops


def _stops(folder: Path, day: str) -> list[str]:
    """What the guards say of the night of a day, without the night itself."""
    with _prepared(folder, day) as stops:
        return stops()


@pytest.mark.parametrize("case", CASES)
def test_a_guard_stops_the_night_beyond_its_limit(
    case: Case, billed: Path, tmp_path: Path
) -> None:
    folder = _with(billed, tmp_path / "clinic", case.beyond)
    with _prepared(folder, case.day) as stops:
        first, *others = stops()
        assert stops(case.guard) == others, "accepting lets one through"
    assert first == (
        f"Stops the night: settings.csv: {case.says}; if this is right, let it"
        f" through once with: membill bill {folder} --as-of {case.day}"
        f" --accept {case.guard}"
    )


@pytest.mark.parametrize(("given", "day"), AT_THE_LIMIT)
def test_guards_let_their_limits_through(
    given: dict[str, list[Row]], day: str, billed: Path, tmp_path: Path
) -> None:
    assert _stops(_with(billed, tmp_path / "clinic", given), day) == []


def test_a_guarded_night_changes_nothing_until_it_is_accepted_once(
    billed: Path, tmp_path: Path
) -> None:
    folder = _with(billed, tmp_path / "clinic", _roster(*MEMBERS[7:]))
    unlike = ("out/issues.xlsx", "ledger/membill.lock.json")
    before = practice.files(folder, but=unlike)
    assert practice.bill(folder, SECOND).code == 4
    assert practice.files(folder, but=unlike) == before
    assert practice.bill(folder, SECOND, "--accept", "drop").code == 0
    assert practice.last_run(folder)["accepted_guards"] == ["drop"]
    assert practice.bill(folder, SECOND).code == 0, "what was accepted is accepted"
    assert practice.last_run(folder)["accepted_guards"] == []


def test_accepting_one_guard_leaves_the_others_standing(
    billed: Path, tmp_path: Path
) -> None:
    folder = _with(
        billed, tmp_path / "a clinic", _roster(*MEMBERS[7:]) | _gold("90.00")
    )
    both = practice.bill(folder, SECOND)
    assert both.err.count("guard ") == 2, "all that stops the night is told at once"
    one = practice.bill(
        folder, SECOND, "--accept", "drop", "--ledger", folder / "ledger/membill.duckdb"
    )
    assert one.code == 4
    assert one.err.splitlines()[0].endswith(
        f"once with: membill bill '{folder}' --as-of {SECOND}"
        f" --ledger '{folder}/ledger/membill.duckdb' --accept drop --accept price"
    )


def test_preview_and_check_heed_no_guard(billed: Path, tmp_path: Path) -> None:
    folder = _with(billed, tmp_path / "clinic", _roster(*MEMBERS[7:]) | _gold("90.00"))
    for command in ("preview", "check"):
        assert practice.run(command, folder, "--as-of", "2026-04-30").code == 0


def test_five_of_a_small_practice_never_trip_a_guard(tmp_path: Path) -> None:
    few = [member(f"M{n}", start_date="2026-09-01") for n in range(6)]
    folder = practice.make(tmp_path, practice.sheets() | {"patients": few[:1]})
    assert practice.bill(folder, FIRST).code == 0
    practice.write(folder, "patients", few)
    assert practice.bill(folder, SECOND).code == 0


def test_rows_held_night_after_night_join_nobody(tmp_path: Path) -> None:
    bad = [member(f"B{n}", start_date="31/02/2026") for n in range(7)]
    folder = practice.make(tmp_path, practice.sheets() | {"patients": bad})
    for day in (FIRST, SECOND):
        assert practice.bill(folder, day).code == 3, "held, and no reason to stop"
    mended = [member(row["Patient ID"], start_date="2026-09-01") for row in bad]
    practice.write(folder, "patients", mended)
    assert practice.bill(folder, "2026-03-03").code == 0


def test_the_first_night_knows_nothing_to_compare_with_but_amount_and_date(
    tmp_path: Path,
) -> None:
    given = practice.sheets()
    given["products"].append(_signed(product("VIP", "Vip", annual="10000.01")))
    given["patients"] = [
        member("V1", membership="VIP", billing_frequency="Annual"),
        member("V2"),
    ]
    folder = practice.make(tmp_path / "clinic", given)
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
    practice.change(folder, "products", "VIP", {"Annual price": "10000.00"})
    assert practice.run("bill", folder, "--as-of", FIRST, today=FIRST).code == 0


def test_a_limit_raised_by_somebody_without_the_right_does_not_count(
    billed: Path, tmp_path: Path
) -> None:
    folder = _with(billed, tmp_path / "clinic", _roster(*MEMBERS[7:]))
    practice.set_to(folder, "Max drop %", "90", by="dd")
    assert len(_stops(folder, SECOND)) == 1
    practice.set_to(folder, "Max drop %", "90", by="mm")
    assert _stops(folder, SECOND) == []
