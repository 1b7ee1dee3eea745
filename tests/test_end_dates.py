"""An End date that is written, moved or taken back; and what overlaps a billed line.

What is told of it, and that what it tells to do works.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import practice
import pytest
from practice import Result, Row, bill, member, run

FIRST, SECOND, THIRD = "2026-03-01", "2026-03-02", "2026-03-03"
FOURTH, FIFTH = "2026-03-04", "2026-03-05"
ACCEPTED = ("--accept", "drop", "--accept", "joined", "--accept", "changed")
BY_HAND = ("JOINS", "WRONG", "GIVEN", "GONE")
STORIES = ("BACK", "DAY", "KIND", "NEW", "STAYS")


@dataclass(frozen=True)
class Ends:
    """A practice where End dates and credits went to and fro, and what was told of each.

    `numbers` are the last invoices of its first night by patient, `due` the credits that
    the second night and, once most of them were made, the third proposed; `told` what
    the fourth said of credits that are charged to nobody, `held` why it held patients.
    """

    folder: Path
    numbers: dict[str, str]
    due: list[dict[str, str]]
    told: dict[str, str]
    held: dict[str, str]


def _request(name: str, patient: str, day: str) -> Row:
    return {
        "Request ID": name, "Patient ID": patient, "Product code": "SILVER",
        "Billing frequency": "Monthly", "Requested on": day,
    }  # fmt: skip


def _sheets() -> practice.Sheets:
    """Members who will leave, and four patients with a month by hand."""
    given = practice.sheets()
    annual = {"billing_frequency": "Annual", "start_date": "2026-02-01"}
    january = {"billing_frequency": "Annual", "start_date": "2026-01-02"}
    given["patients"] += [
        member("OWED"),
        member("BACK", **annual),
        member("DAY", start_date="2026-02-01"),
        member("KIND", **annual),
        member("NEW", start_date="2026-02-01"),
        member("STAYS", **annual),
        member("LEFT", **january),
        member("ASKS", **january),
        *(member(name, membership_active="No") for name in BY_HAND),
    ]
    given["invoice_requests"] = [
        _request(f"R{at}", name, "2026-02-05") for at, name in enumerate(BY_HAND, 1)
    ]
    return given


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Ends:
    """End dates written, what is due for them credited, and most of them cleared again.

    Of the last two who left, one came back and one asked for a month; all who had a month
    by hand became members within it.
    """
    folder = practice.make(tmp_path_factory.mktemp("ends") / "clinic", _sheets())
    assert bill(folder, FIRST).code == 0
    first = practice.lines(folder, "patient_id", "number")
    of = dict(first)

    def end(day: str, *names: str) -> None:
        for name in names:
            practice.change(folder, "patients", name, {"End date": day})

    def credit(name: str, amount: str, day: str) -> None:
        assert _credit(folder, of[name], "--amount", amount, today=day).code == 0

    with practice.unpublished():
        # Given back for another reason: that is nobody's End date.
        before = next(number for who, number in first if who == "P1")
        assert _credit(folder, before, today=FIRST).code == 0
        end("2026-08-20", "BACK")
        end("2026-02-20", "DAY", "KIND", "NEW", "STAYS", "P1", "P2", "OWED")
        end("2026-01-20", "LEFT", "ASKS")
        credit("DAY", "50.00", FIRST)  # before a night has seen its End date
        due = [_due(_night(folder, SECOND))]
        for name in ("P1", "P2"):
            _carry_out(folder, _command(due[0][name], "credit it"), SECOND)
        credit("BACK", "229.17", SECOND)
        credit("KIND", "504.17", SECOND)
        credit("NEW", "50.00", SECOND)
        credit("STAYS", "504.17", SECOND)
        credit("STAYS", "10.00", SECOND)
        end("2026-05-20", "BACK")
        end("", "DAY", "KIND", "NEW")
        practice.change(folder, "patients", "NEW", {"Start date": "2026-04-10"})
        due.append(_due(_night(folder, THIRD)))
        credit("BACK", "137.50", THIRD)
        credit("KIND", "1.00", THIRD)
        for name in ("LEFT", "ASKS"):
            _carry_out(folder, _command(due[1][name], "credit it"), THIRD)
        for name in ("GIVEN", "GONE"):
            assert _credit(folder, of[name], today=THIRD).code == 0
        end("2026-08-20", "BACK")
        end("", "P1", "P2")
        _come_back(folder)
        said = _night(folder, FOURTH, code=3)
    held = [text.split(": ", 3)[-1] for text in said if text.startswith("Not billed: ")]
    whose = dict(zip(("ASKS", "LEFT", *BY_HAND), held, strict=True))
    return Ends(folder, of, due, _charged_to_nobody(said), whose)


def _come_back(folder: Path) -> None:
    """Those who left want days that are billed, and so do those with a month by hand."""
    practice.remove(folder, "invoice_requests", "R4")
    back = {"Start date": FOURTH, "End date": ""}
    practice.change(folder, "patients", "LEFT", back)
    practice.add(folder, "invoice_requests", _request("R5", "ASKS", FOURTH))
    joins = {"Start date": THIRD, "Membership active": "Yes"}
    for name in BY_HAND:
        practice.change(folder, "patients", name, joins)


def _credit(folder: Path, number: str, *more: str, today: str = FIFTH) -> Result:
    said = ("--reason", "a mistake", "--by", "mm")
    return run("credit", folder, number, *said, *more, today=today)


def _command(said: str, before: str) -> str:
    """The commands that a message names after these words."""
    return said.partition(f"{before}: ")[2]


def _carry_out(folder: Path, commands: str, today: str) -> None:
    """Run the commands of a message."""
    for command in commands.split("; "):
        words = shlex.split(command)[1:]
        meant = {"FOLDER": str(folder), "USER": "mm", "TEXT": "mended"}
        done = run(*(meant.get(word, word) for word in words), today=today)
        assert done.code == 0, done.err


def _night(folder: Path, as_of: str, code: int = 0) -> list[str]:
    """What a night says; most of a small practice leaves or comes back in these nights."""
    night = bill(folder, as_of, *ACCEPTED)
    assert night.code == code, night.err
    return night.err.splitlines()


def _due(said: list[str]) -> dict[str, str]:
    """The credits that a night proposes, by patient."""
    found = [text for text in said if "is due" in text]
    return {text.partition(", but ")[2].split(" ")[0]: text for text in found}


def _charged_to_nobody(said: list[str]) -> dict[str, str]:
    """What a night tells of credits that are charged to nobody, by patient."""
    found = [text for text in said if "charged to nobody" in text]
    return {text.partition("End date of ")[2].split(" ")[0]: text for text in found}


def test_what_is_billed_beyond_an_end_date_is_proposed_until_it_is_credited(
    ends: Ends,
) -> None:
    first, then = ends.due
    of = ends.numbers
    assert [
        first[name].partition(": the End date is ")[2].partition("; ")[0]
        for name in ("P1", "P2", "BACK")
    ] == [
        f"20 February 2026, but P1 is billed until 30 March 2026, on {of['P1']}: a credit"
        " of 50.00 is due",
        # Of twelve months one was begun.
        f"20 February 2026, but P2 is billed until 31 January 2027, on {of['P2']}: a"
        " credit of 504.17 is due",
        # And seven.
        f"20 August 2026, but BACK is billed until 31 January 2027, on {of['BACK']}: a"
        " credit of 229.17 is due",
    ]
    assert first.keys() == {
        "P1", "P2", "OWED", "BACK", "KIND", "NEW", "STAYS", "LEFT", "ASKS"
    }  # fmt: skip
    assert then.keys() == {"OWED", "BACK", "LEFT", "ASKS"}, (
        "nobody credited them, or it ends earlier now"
    )
    assert then["OWED"] == first["OWED"]


def test_a_credit_for_an_end_date_that_was_taken_back_is_told(ends: Ends) -> None:
    assert [
        ends.told[name].partition(", End date: ")[2].partition("; put")[0]
        for name in ("P1", "P2")
    ] == [
        "the End date of P1 was 20 February 2026 when CRN-000003 credited what lies after"
        " it; it is blank now, so that 50.00 is charged to nobody",
        # Of twelve months one was begun.
        "the End date of P2 was 20 February 2026 when CRN-000004 credited what lies after"
        " it; it is blank now, so that 504.17 is charged to nobody",
    ]


def test_a_line_once_more_than_once_credited_is_told_by_what_is_open(
    ends: Ends,
) -> None:
    told = {
        name: text.partition(", so that ")[2]
        for name, text in ends.told.items()
        if name in STORIES
    }
    assert {name: text.split(" ")[0] for name, text in told.items()} == {
        "BACK": "137.50",
        "DAY": "50.00",
        "KIND": "504.17",
    }
    # Billed again, its cut year would be charged in full.
    assert "--rebill" not in told["BACK"]
    number = ends.numbers["BACK"]
    assert told["BACK"].endswith(
        f"; put the End date back, or have it charged: charge 137.50 for {number} by a"
        " row of Invoice requests with a product of that price"
    )


TOLD = {
    "LEFT": (
        "the period from 4 March 2026 overlaps one that is billed until 1 January"
        " 2027: the Start date or the Billing frequency was changed; write 02/01/2027 as"
        " the Start date, or put back what was changed; CRN-000012 credited 504.17 of"
        " {number}: if that gave back days from 4 March 2026 on, charge 458.33 of it by"
        " a row of Invoice requests with a product of that price"
    ),
    "ASKS": (
        "it would bill days of a membership period that is billed, due or asked for;"
        " correct the request, or delete its row; CRN-000013 credited 504.17 of"
        " {number}: if that gave back these days, charge them by a row with a product"
        " that is no membership, of the price that is due"
    ),
    "JOINS": (
        "the period from 3 March 2026 overlaps one that is billed until 4 March 2026"
        " by the request R1, on {number}; write 05/03/2026 as the Start date; or, if it"
        " should not have been billed: delete the row of R1 and `membill credit FOLDER"
        " {number} --line 1 --rebill --reason TEXT --by USER`"
    ),
    "WRONG": (
        "the period from 3 March 2026 overlaps one that is billed until 4 March 2026"
        " by the request R2, on {number}; write 05/03/2026 as the Start date; or, if it"
        " should not have been billed: delete the row of R2 and `membill credit FOLDER"
        " {number} --line 1 --rebill --reason TEXT --by USER`"
    ),
    "GIVEN": (
        "the period from 3 March 2026 overlaps one that is billed until 4 March 2026"
        " by the request R3, on {number}; write 05/03/2026 as the Start date; {number}"
        " was credited in full by CRN-000014: to have its days billed again, delete the"
        " row of R3 and `membill credit FOLDER {number} --line 1 --rebill --reason TEXT"
        " --by USER`"
    ),
    "GONE": (
        "the period from 3 March 2026 overlaps one that is billed until 4 March 2026"
        " by the request R4, on {number}; write 05/03/2026 as the Start date; {number}"
        " was credited in full by CRN-000015: to have its days billed again, `membill"
        " credit FOLDER {number} --line 1 --rebill --reason TEXT --by USER`"
    ),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_overlaps_is_told_how_it_came_and_what_to_do(
    name: str, ends: Ends
) -> None:
    assert ends.held[name] == TOLD[name].format(number=ends.numbers[name])


@dataclass(frozen=True)
class Charged:
    """The night after each did as it was told, and one period was moved instead."""

    folder: Path
    said: list[str]


@pytest.fixture(scope="module")
def charged(ends: Ends) -> Charged:
    """The same practice a day later; nothing here changes it."""
    clinic = practice.copied(ends.folder, ends.folder.with_name("later"))
    practice.change(clinic, "patients", "DAY", {"End date": "2026-02-25"})
    with practice.unpublished():
        for name in ("P2", "P1"):
            _carry_out(clinic, _command(ends.told[name], "have it charged"), FIFTH)
    practice.change(clinic, "patients", "NEW", {"Start date": FIFTH})
    request = {**_request("R7", "NEW", FIRST), "Product code": "GOLD"}
    practice.add(clinic, "invoice_requests", request)
    _mend(clinic, ends)
    return Charged(clinic, _night(clinic, FIFTH, code=3))


def _mend(folder: Path, ends: Ends) -> None:
    """Each who overlaps does as it was told."""
    rest = practice.product("REST", "Rest of the year", price="458.33")
    practice.add(folder, "products", {**rest, "Last edited by": "mm"})
    practice.change(folder, "patients", "LEFT", {"Start date": "2027-01-02"})
    practice.change(folder, "patients", "JOINS", {"Start date": FIFTH})
    by_hand = {"Product code": "REST", "Billing frequency": ""}
    practice.change(folder, "invoice_requests", "R5", by_hand)
    asked = {**_request("R6", "LEFT", FOURTH), **by_hand}
    practice.add(folder, "invoice_requests", asked)
    with practice.unpublished():
        for name, request in (("WRONG", "R2"), ("GIVEN", "R3"), ("GONE", "")):
            (command,) = re.findall("`(.*)`", ends.held[name])
            _carry_out(folder, command, FIFTH)
            if request:
                practice.remove(folder, "invoice_requests", request)


def _invoiced(clinic: Path) -> dict[str, tuple[str, ...]]:
    """First day and gross of the lines that the last night invoiced, by patient."""
    first = practice.last_run(clinic)["first_number"]
    found = practice.lines(clinic, "number", "patient_id", "period_start", "gross")
    made = [line for line in found if line[0].startswith("INV") and line[0] >= first]
    return {who: line for _, who, *line in made}


def test_it_is_told_until_the_end_date_is_back_or_it_is_billed_again(
    ends: Ends, charged: Charged
) -> None:
    assert ends.told.keys() == {"P1", "P2", "BACK", "DAY", "KIND"}
    still = _charged_to_nobody(charged.said)
    assert still.keys() == {"BACK", "KIND"}, "nobody saw to theirs"
    assert _due(charged.said).keys() == {"OWED"}
    assert charged.said[0].startswith("Finished first what an earlier run left: credit")
    assert len(charged.said) == 6, "and twice that NEW overlaps"
    assert _invoiced(charged.folder)["P2"] == ["2026-02-01", "550.00"]


def test_a_line_that_was_credited_in_full_can_still_be_freed(
    ends: Ends, charged: Charged, tmp_path: Path
) -> None:
    number = ends.numbers["P1"]
    again = _credit(ends.folder, number)
    assert again.err.strip().endswith(
        "nothing is left; to have it billed again, add --rebill"
    )
    names = ("number", "description", "unit_price", "gross")
    notes = {line[0]: line for line in practice.lines(charged.folder, *names)}
    assert notes[FREEING] == (FREEING, "Gold", "0.00", "0.00")
    assert _invoiced(charged.folder)["P1"] == ["2026-02-28", "50.00"]
    clinic = practice.copied(charged.folder, tmp_path / "clinic")
    left = run("export", clinic, "quickbooks", today=FIFTH).err
    assert "CRN-000001: the import takes no credit notes" in left
    assert FREEING not in left, "there is nothing of it to enter"
    twice = _credit(charged.folder, number, "--rebill")
    assert twice.err.strip().endswith("nothing is left")
    told = run("explain", charged.folder, FREEING).out
    assert f"{FREEING} freed line 1 of {number}" in told


# The credit note of nothing that frees P1's period: the last one made.
FREEING = "CRN-000017"


def test_what_overlaps_a_period_that_was_credited_in_full_says_how_to_free_it(
    ends: Ends, charged: Charged
) -> None:
    held = [t for t in charged.said if t.startswith("Not billed: ")]
    number = ends.numbers["NEW"]
    how = (
        f"; {number} was credited in full by CRN-000007: to have its days billed again,"
        f" `membill credit FOLDER {number} --line 1 --rebill --reason TEXT --by USER`"
    )
    assert len(held) == 2 and all(how in text for text in held), held


MADE = {
    "LEFT": [("REST", "", "458.33")],
    "ASKS": [("REST", "", "458.33")],
    "JOINS": [("GOLD", "2026-03-05", "50.00")],
    "WRONG": [("GOLD", "2026-03-03", "50.00")],
    "GIVEN": [("GOLD", "2026-03-03", "50.00")],
    "GONE": [("GOLD", "2026-03-03", "50.00")],
}


@pytest.mark.parametrize("name", MADE)
def test_what_it_is_told_has_it_billed(name: str, charged: Charged) -> None:
    first = practice.last_run(charged.folder)["first_number"]
    names = ("number", "patient_id", "product_code", "period_start", "gross")
    made = [line for line in practice.lines(charged.folder, *names) if line[0] >= first]
    assert [line[2:] for line in made if line[1] == name] == MADE[name]


def test_the_year_after_the_part_credit_goes_on(charged: Charged) -> None:
    coming = run(
        "preview", charged.folder, "--as-of", "2027-01-02", "--format", "csv"
    ).rows
    periods = [row["period_start"] for row in coming if row["patient_id"] == "LEFT"]
    assert periods == ["2027-01-02"]
    assert run("verify", charged.folder).code == 0
