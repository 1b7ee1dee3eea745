"""What a credit note takes back, of which lines and on which day, and how it is told."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from pipeline.bookkeeping.books import IN_PART
from pipeline.office import credits
from pipeline.office.credits import Made, Wish, part
from pipeline.office.desk import WrongRequest
from tests.given import kept_ledger

INVOICE = {
    "number": "INV-000001", "currency": "GBP", "issued_on": date(2026, 3, 1),
}  # fmt: skip
AGAIN = ", if the sheets still ask for it"


def pounds(text: str) -> Decimal:
    return Decimal(text)


def line(number: int, **cells: Any) -> dict[str, Any]:
    """A line of £60.00 of which nothing was taken back."""
    return {
        "line": number, "product_code": "PLUS", "patient_id": f"P{number}",
        "description": "Plus", "quantity": 2, "unit_price": pounds("25.00"),
        "net": pounds("50.00"), "tax": pounds("10.00"), "gross": pounds("60.00"),
        "tax_rate": pounds("20"), "credited": pounds("0.00"), "left": pounds("60.00"),
        "open": True, "in_force": True, "notes": [], **cells,
    }  # fmt: skip


def spent(number: int, **cells: Any) -> dict[str, Any]:
    """A line that was taken back, by CRN-000001, and stays billed."""
    gone = {"left": pounds("0.00"), "open": False, "notes": ["CRN-000001"]}
    return line(number, **gone, **cells)


def refusal(of: Any, *given: Any) -> str:
    with pytest.raises(WrongRequest) as refused:
        of(*given)
    return str(refused.value)


TOLD = [
    pytest.param(
        ("60.00", "0.00", False, [1], []),
        "takes back £60.00 of INV-000001; nothing is left",
        id="all of it",
    ),
    pytest.param(
        ("10.00", "50.00", False, [1], []),
        "takes back £10.00 of INV-000001; £50.00 is left",
        id="a part",
    ),
    pytest.param(
        ("60.00", "0.00", False, [1], [2]),
        "takes back £60.00 of INV-000001; nothing is left",
        id="nothing of what was never to be billed again",
    ),
    pytest.param(
        ("60.00", "0.00", True, [1], []),
        "takes back £60.00 of INV-000001; nothing is left; the next night bills it again"
        + AGAIN,
        id="all of it, to be billed again",
    ),
    pytest.param(
        ("60.00", "60.00", True, [2], []),
        "takes back £60.00 of INV-000001; £60.00 is left; the next night bills line 2"
        " again" + AGAIN,
        id="a line, to be billed again",
    ),
    pytest.param(
        ("0.00", "0.00", True, [1, 2], []),
        "frees lines 1 and 2 of INV-000001, credited before; nothing is left; the next"
        " night bills it again" + AGAIN,
        id="what was credited before, to be billed again",
    ),
    pytest.param(
        ("60.00", "0.00", True, [2], [1]),
        "takes back £60.00 of INV-000001; nothing is left; the next night bills line 2"
        f" again{AGAIN}; line 1, credited before without --rebill, stays credited: to"
        " free it, name it with --line",
        id="what stays credited",
    ),
]


@pytest.mark.parametrize(("made", "said"), TOLD)
def test_it_tells(made: tuple[Any, ...], said: str) -> None:
    gross, left, rebill, lines, still = made
    note = Made(
        "CRN-000001", "INV-000001", pounds(gross), pounds(left), "GBP", rebill, lines,
        still, [],
    )  # fmt: skip
    assert note.told() == f"CRN-000001 {said}"


CHOSEN = [
    pytest.param((None, None, False), [line(1), line(2)], [1, 2], id="all lines"),
    pytest.param((2, None, False), [line(1), line(2)], [2], id="the line that is named"),
    pytest.param((None, None, False), [spent(1), line(2)], [2], id="what is left"),
    pytest.param((None, "1.00", False), [line(1)], [1], id="the only line"),
    pytest.param(
        (None, None, True), [spent(1), line(2)], [2], id="what is left, to bill it again"
    ),
    pytest.param(
        (None, None, True), [spent(1), spent(2, in_force=False)], [1],
        id="what is credited and still billed, to bill it again",
    ),
]  # fmt: skip

NOT_CHOSEN = [
    pytest.param(
        (3, None, False), [line(1)],
        "INV-000001 has no line 3; its lines are 1 (PLUS of P1, £60.00 left)",
        id="a line that is not there",
    ),
    pytest.param(
        (None, "1.00", False), [line(1), spent(2)],
        "INV-000001 has 2 lines: say with --line of which one; they are 1 (PLUS of P1,"
        " £60.00 left), 2 (PLUS of P2, £0.00 left)",
        id="an amount of one of several",
    ),
    pytest.param(
        (1, None, False), [spent(1), line(2)],
        "INV-000001 line 1 was credited already, by CRN-000001: nothing is left; to have"
        " it billed again, add --rebill",
        id="a line that is credited",
    ),
    pytest.param(
        (None, None, True), [spent(1, in_force=False)],
        "INV-000001 was credited already, by CRN-000001: nothing is left",
        id="what is credited and freed",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("wish", "lines", "chosen"), CHOSEN)
def test_it_is_of(wish: Any, lines: list[Any], chosen: list[int]) -> None:
    found = credits._chosen(INVOICE, lines, Wish("INV-000001", *wish))
    assert [each["line"] for each in found] == chosen


@pytest.mark.parametrize(("wish", "lines", "said"), NOT_CHOSEN)
def test_it_cannot_be_of(wish: Any, lines: list[Any], said: str) -> None:
    assert refusal(credits._chosen, INVOICE, lines, Wish("INV-000001", *wish)) == said


@pytest.mark.parametrize(("amount", "rebill"), [("60.00", True), ("59.99", False)])
def test_up_to_what_is_left_fits_and_all_of_it_may_be_billed_again(
    amount: str, rebill: bool
) -> None:
    credits._must_fit(INVOICE, line(1), pounds(amount), rebill)


@pytest.mark.parametrize(
    ("amount", "rebill", "said"),
    [
        ("60.01", False, "£60.01 is more than is left of INV-000001 line 1, £60.00"),
        (
            "50.00",
            True,
            "--rebill goes with taking back the whole line; £50.00 would leave £10.00 of"
            " INV-000001 line 1 in force",
        ),
    ],
)
def test_more_does_not_fit_nor_is_a_part_billed_again(
    amount: str, rebill: bool, said: str
) -> None:
    assert refusal(credits._must_fit, INVOICE, line(1), pounds(amount), rebill) == said


@pytest.mark.parametrize("typed", ["12.5", "0012.50"])
def test_an_amount_is_in_pounds_and_pence(typed: str) -> None:
    assert str(credits._amount(typed)) == "12.50"


@pytest.mark.parametrize("typed", ["0", "0.00", "1.005", "-1", "x", "1,000", ""])
def test_it_is_no_amount(typed: str) -> None:
    said = f"--amount {typed} is no amount; write pounds and pence, as 12.50"
    assert refusal(credits._amount, typed) == said


def test_parts_round_so_that_together_they_are_the_line() -> None:
    of = line(1, gross=pounds("60.01"), tax=pounds("10.00"))
    parts = [part(of, pounds(b), pounds(a)) for b, a in PARTS]
    assert parts == [(pounds(net), pounds(tax)) for net, tax in NET_AND_TAX]


PARTS = [("0", "10"), ("10", "10"), ("20", "40.01"), ("0", "60.01")]
NET_AND_TAX = [
    ("8.33", "1.67"),
    ("8.34", "1.66"),
    ("33.34", "6.67"),
    ("50.01", "10.00"),
]

LINES = [
    pytest.param(line(1), "60.00", False, ("Plus", 2, "25.00"), id="all of a line"),
    pytest.param(
        line(1), "6.00", False, (f"Plus{IN_PART}", 1, "5.00"), id="a part, tax on top"
    ),
    pytest.param(
        line(1), "6.00", True, (f"Plus{IN_PART}", 1, "6.00"), id="a part, tax included"
    ),
    pytest.param(
        spent(1, credited=pounds("60.00")), "0.00", False, ("Plus", 2, "0.00"),
        id="nothing, of a line that was credited",
    ),
    pytest.param(
        line(1, **dict.fromkeys(("net", "tax", "gross"), pounds("0.00"))), "0.00", False,
        ("Plus", 2, "25.00"), id="a line of nothing",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("of", "amount", "inclusive", "told"), LINES)
def test_its_line_tells(
    of: Any, amount: str, inclusive: bool, told: tuple[Any, ...]
) -> None:
    note = credits._line_of_note(3, of, pounds(amount), True, inclusive)
    assert (note["description"], note["quantity"], str(note["unit_price"])) == told
    assert (note["line"], note["credits_line"], note["rebill"]) == (3, 1, True)
    assert note["net"] + note["tax"] == note["gross"] == -pounds(amount)


DAYS = [
    pytest.param({}, None, (1, "2026-04-05"), id="today, the first"),
    pytest.param({}, "2026-03-01", (1, "2026-03-01"), id="the invoice's own day"),
    pytest.param(
        {"before": "2026-03-10"}, "2026-03-10", (5, "2026-03-10"),
        id="the day of the note before it",
    ),
    pytest.param(
        {"before": "2026-05-01"}, None, (5, "2026-05-01"),
        id="no earlier than the note before it",
    ),
    pytest.param(
        {"closed": True}, "2026-04-01", (1, "2026-04-01"), id="the first open day"
    ),
    pytest.param(
        {"closed": True}, None, (1, "2026-04-05"), id="today, after a closed month"
    ),
]  # fmt: skip

NOT_DAYS = [
    pytest.param(
        {}, "2026-02-28", "2026-02-28 is before INV-000001 was made, on 2026-03-01",
        id="before the invoice",
    ),
    pytest.param(
        {"before": "2026-03-10"}, "2026-03-09",
        "2026-03-09 is before the last credit note, which is of 2026-03-10",
        id="before the note before it",
    ),
    pytest.param(
        {"closed": True}, "2026-03-31",
        "2026-03-31 lies in a month that is closed, 2026-03 or one before it",
        id="in a closed month",
    ),
]  # fmt: skip


def next_note(given: dict[str, Any], on: str | None) -> tuple[int, str]:
    """Place and day of a note made on 5 April, unless a day is given."""
    with kept_ledger() as books:
        run = books.connection.execute
        if "before" in given:
            run(
                "insert into ledger.counters values ('credit_note', 4, ?::date)",
                [given["before"]],
            )
        if "closed" in given:
            run(
                "insert into ledger.closed_months values"
                " ('2026-03', '2026-04-01', 'mm', 0, 0, 0, 0, 0, '', 1)"
            )
        chosen = date.fromisoformat(on) if on else None
        day = chosen or date(2026, 4, 5)
        sequence, found = credits._next_note(books, INVOICE, day, chosen)
    return sequence, str(found)


@pytest.mark.parametrize(("given", "on", "expected"), DAYS)
def test_its_place_and_day(
    given: dict[str, Any], on: str | None, expected: tuple[int, str]
) -> None:
    assert next_note(given, on) == expected


@pytest.mark.parametrize(("given", "on", "said"), NOT_DAYS)
def test_it_cannot_be_of_a_day(given: dict[str, Any], on: str, said: str) -> None:
    assert refusal(next_note, given, on).startswith(said)
