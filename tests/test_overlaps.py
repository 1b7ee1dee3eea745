"""What overlaps a billed line: what it is told, and that it works."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import practice
import pytest
from practice import bill, member, run

FIRST, SECOND, BACK, NEXT = "2026-03-01", "2026-03-02", "2026-04-10", "2026-04-11"
ACCEPTED = ("--accept", "drop", "--accept", "joined", "--accept", "changed")


def _request(name: str, patient: str, day: str) -> practice.Row:
    return {
        "Request ID": name, "Patient ID": patient, "Product code": "SILVER",
        "Billing frequency": "Monthly", "Requested on": day,
    }  # fmt: skip


def _sheets() -> practice.Sheets:
    """Two members by the year who will leave, and four patients with a month by hand."""
    given = practice.sheets()
    ahead = {"Setting": "Max days ahead", "Value": "60", "Last edited by": "mm"}
    given["settings"].append(ahead)
    year = {"billing_frequency": "Annual", "start_date": "2026-02-01"}
    given["patients"] = [
        *(member(name, **year) for name in ("LEFT", "ASKS")),
        *(member(name, membership_active="No") for name in BY_HAND),
    ]
    given["invoice_requests"] = [
        _request(f"R{at}", name, "2026-02-20") for at, name in enumerate(BY_HAND, 1)
    ]
    return given


BY_HAND = ("JOINS", "WRONG", "GIVEN", "GONE")


@dataclass(frozen=True)
class Held:
    """The practice of the night that holds them all, and what it told, by patient."""

    folder: Path
    told: dict[str, str]
    number: dict[str, str]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    """Who left was credited and came back; who had a month by hand became a member."""
    folder = practice.make(tmp_path_factory.mktemp("overlaps") / "clinic", _sheets())
    assert bill(folder, FIRST).code == 0
    number = dict(practice.lines(folder, "patient_id", "number"))
    for name in ("LEFT", "ASKS"):
        practice.change(folder, "patients", name, {"End date": "2026-02-20"})
    with practice.unpublished():
        left = bill(folder, SECOND, *ACCEPTED)
        for command in re.findall(r"credit it: (membill .*)", left.err):
            _carry_out(folder, command)
        for name in ("GIVEN", "GONE"):
            _carry_out(
                folder, f"membill credit FOLDER {number[name]} --reason x --by mm"
            )
    practice.remove(folder, "invoice_requests", "R4")
    back = {"Start date": BACK, "End date": ""}
    practice.change(folder, "patients", "LEFT", back)
    practice.add(folder, "invoice_requests", _request("R5", "ASKS", BACK))
    joins = {"Start date": "2026-03-10", "Membership active": "Yes"}
    for name in BY_HAND:
        practice.change(folder, "patients", name, joins)
    night = bill(folder, BACK, *ACCEPTED)
    assert night.code == 3
    told = re.findall(r"^Not billed: (?:.*?): (?:.*?): (.*)$", night.err, re.M)
    return Held(
        folder, dict(zip(("ASKS", "LEFT", *BY_HAND), told, strict=True)), number
    )


def _carry_out(folder: Path, command: str) -> None:
    """Run a command of a message."""
    meant = {"FOLDER": str(folder), "USER": "mm", "TEXT": "mended"}
    words = [meant.get(word, word) for word in shlex.split(command)[1:]]
    done = run(*words, today=BACK)
    assert done.code == 0, done.err


TOLD = {
    "LEFT": (
        "the period from 10 April 2026 overlaps one that is billed until 31 January"
        " 2027: the Start date or the Billing frequency was changed; write 01/02/2027 as"
        " the Start date, or put back what was changed; CRN-000001 credited 504.17 of"
        " {number}: if that gave back days from 10 April 2026 on, charge 458.33 of it by"
        " a row of Invoice requests with a product of that price"
    ),
    "ASKS": (
        "it would bill days of a membership period that is billed, due or asked for;"
        " correct the request, or delete its row; CRN-000002 credited 504.17 of"
        " {number}: if that gave back these days, charge them by a row with a product"
        " that is no membership, of the price that is due"
    ),
    "JOINS": (
        "the period from 10 March 2026 overlaps one that is billed until 19 March 2026"
        " by the request R1, on {number}; write 20/03/2026 as the Start date; or, if it"
        " should not have been billed: delete the row of R1 and `membill credit FOLDER"
        " {number} --line 1 --rebill --reason TEXT --by USER`"
    ),
    "WRONG": (
        "the period from 10 March 2026 overlaps one that is billed until 19 March 2026"
        " by the request R2, on {number}; write 20/03/2026 as the Start date; or, if it"
        " should not have been billed: delete the row of R2 and `membill credit FOLDER"
        " {number} --line 1 --rebill --reason TEXT --by USER`"
    ),
    "GIVEN": (
        "the period from 10 March 2026 overlaps one that is billed until 19 March 2026"
        " by the request R3, on {number}; write 20/03/2026 as the Start date; {number}"
        " was credited in full by CRN-000003: to have its days billed again, delete the"
        " row of R3 and `membill credit FOLDER {number} --line 1 --rebill --reason TEXT"
        " --by USER`"
    ),
    "GONE": (
        "the period from 10 March 2026 overlaps one that is billed until 19 March 2026"
        " by the request R4, on {number}; write 20/03/2026 as the Start date; {number}"
        " was credited in full by CRN-000004: to have its days billed again, `membill"
        " credit FOLDER {number} --line 1 --rebill --reason TEXT --by USER`"
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_overlaps_is_told_how_it_came_and_what_to_do(
    name: str, held: Held
) -> None:
    assert held.told[name] == TOLD[name].format(number=held.number[name])


@pytest.fixture(scope="module")
def mended(held: Held) -> Path:
    """The practice after a night before which each did as it was told."""
    folder = practice.copied(held.folder, held.folder.with_name("mended"))
    rest = practice.product("REST", "Rest of the year", price="458.33")
    practice.add(folder, "products", {**rest, "Last edited by": "mm"})
    practice.change(folder, "patients", "LEFT", {"Start date": "2027-02-01"})
    practice.change(folder, "patients", "JOINS", {"Start date": "2026-03-20"})
    by_hand = {"Product code": "REST", "Billing frequency": ""}
    practice.change(folder, "invoice_requests", "R5", by_hand)
    practice.add(
        folder, "invoice_requests", {**_request("R6", "LEFT", BACK), **by_hand}
    )
    with practice.unpublished():
        for name, request in (("WRONG", "R2"), ("GIVEN", "R3"), ("GONE", "")):
            (command,) = re.findall("`(.*)`", held.told[name])
            _carry_out(folder, command)
            if request:
                practice.remove(folder, "invoice_requests", request)
    night = bill(folder, NEXT, *ACCEPTED)
    assert (night.code, night.err) == (0, "")
    return folder


MADE = {
    "LEFT": [("REST", "", "458.33")],
    "ASKS": [("REST", "", "458.33")],
    "JOINS": [("GOLD", "2026-03-20", "50.00")],
    "WRONG": [("GOLD", "2026-03-10", "50.00"), ("GOLD", "2026-04-10", "50.00")],
    "GIVEN": [("GOLD", "2026-03-10", "50.00"), ("GOLD", "2026-04-10", "50.00")],
    "GONE": [("GOLD", "2026-03-10", "50.00"), ("GOLD", "2026-04-10", "50.00")],
}


@pytest.mark.parametrize("name", MADE)
def test_what_it_is_told_has_it_billed(name: str, mended: Path) -> None:
    first = practice.last_run(mended)["first_number"]
    names = ("number", "patient_id", "product_code", "period_start", "gross")
    made = [line for line in practice.lines(mended, *names) if line[0] >= first]
    assert [line[2:] for line in made if line[1] == name] == MADE[name]


def test_the_year_after_the_part_credit_goes_on(mended: Path) -> None:
    coming = run("preview", mended, "--as-of", "2027-02-01", "--format", "csv").rows
    periods = [row["period_start"] for row in coming if row["patient_id"] == "LEFT"]
    assert periods == ["2027-02-01"]
    assert run("verify", mended).code == 0
