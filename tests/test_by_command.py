"""What a command must be told before it does anything: by whom, of which day and number."""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date
from unittest.mock import patch

import pytest

from pipeline.cells import LONGEST_TEXT
from pipeline.ledger import Ledger
from pipeline.office.desk import WrongRequest, day_of, document_of, must_may, must_say
from tests.given import kept_ledger

TODAY = date(2026, 3, 5)


@pytest.fixture
def books() -> Iterator[Ledger]:
    """A ledger of one invoice."""
    with kept_ledger() as books:
        books.connection.execute(
            "insert into ledger.invoices (number, kind, sequence, run_no, issued_on,"
            " due_on, membership, bill_to_name, currency, net, tax, gross) values"
            " ('INV-000001', 'invoice', 1, 1, '2026-03-01', '2026-03-01', true, '',"
            "  'GBP', 0, 0, 0)"
        )
        yield books


TYPED = [
    pytest.param("x" * LONGEST_TEXT, "", id="as long as a cell may be"),
    pytest.param(
        "x" * (LONGEST_TEXT + 1),
        "--to is longer than 8,000 characters",
        id="longer than a cell may be",
    ),
    pytest.param(
        "a\x07b",
        "--to has characters in it that cannot be shown or printed",
        id="with a bell in it",
    ),
    pytest.param("\t ", "--to is blank", id="of spaces alone"),
]


@pytest.mark.parametrize(("typed", "refusal"), TYPED)
def test_what_is_typed_is_held_to_what_a_cell_is(typed: str, refusal: str) -> None:
    with pytest.raises(WrongRequest) if refusal else nullcontext() as refused:
        must_say("--to", typed)
    assert str(refused.value if refused else "") == refusal


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("d", "d is not an active user whose role may Edit Invoices; did you mean dd?"),
        ("dd", "dd is not an active user whose role may Edit Invoices"),
        ("nobody", "nobody is not an active user whose role may Edit Invoices"),
        (" ", "--by is blank"),
    ],
)
def test_who_may_not_is_told_and_who_may_be_meant(
    user: str, said: str, books: Ledger
) -> None:
    with (
        patch("pipeline.rights.users.may", return_value=False),
        patch("pipeline.rights.users.users", return_value=["dd", "mm"]),
        pytest.raises(WrongRequest) as refused,
    ):
        must_may(books, user)
    assert str(refused.value) == said


@pytest.mark.parametrize(
    ("on", "day"),
    [(None, TODAY), (TODAY, TODAY), (date(2026, 3, 4), date(2026, 3, 4))],
)
def test_a_day_is_today_or_an_earlier_one(
    on: date | None, day: date, books: Ledger
) -> None:
    assert day_of(books, on, lambda zone: TODAY) == day


def test_no_day_to_come_can_be_meant(books: Ledger) -> None:
    with pytest.raises(WrongRequest, match="2026-03-06 is after today, 2026-03-05"):
        day_of(books, date(2026, 3, 6), lambda zone: TODAY)


def test_a_number_is_known_however_its_letters_are_typed(books: Ledger) -> None:
    assert document_of(books, " inv-000001 ")["number"] == "INV-000001"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (" ", "the number is blank; see `membill invoices`"),
        ("INV-1", "no invoice INV-1 has been made; did you mean INV-000001?"),
        ("9", "no invoice 9 has been made; see `membill invoices`"),
    ],
)
def test_a_number_that_is_not_known_is_told(
    number: str, said: str, books: Ledger
) -> None:
    with pytest.raises(WrongRequest) as refused:
        document_of(books, number)
    assert str(refused.value) == said
