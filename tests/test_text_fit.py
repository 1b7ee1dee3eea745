"""What is printed where there is little room: whole words, whole sentences, nothing lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.exports.text_fit import split_at, text_width
from pipeline.exports.workbook import MAX_HEADER, head_every_page

WORDS = st.text(alphabet="abWi'é日-", min_size=1, max_size=80)


@given(words=st.lists(WORDS, max_size=6), width=st.integers(10, 80))
def test_an_address_fits_its_column_and_loses_no_letter(
    words: list[str], width: int
) -> None:
    pieces = split_at(" ".join(words), width)
    assert "".join(pieces).replace(" ", "") == "".join(words)
    assert all(text_width(piece) <= width for piece in pieces)


class Sheet:
    """What of a worksheet a head needs."""

    def __init__(self) -> None:
        self.header = ""

    def set_header(self, text: str) -> None:
        self.header = text

    def set_margins(self, **margins: float) -> None: ...

    def print_area(self, *area: int) -> None: ...


LAST = "Box 6 is without what is outside the scope (code OUT)."


@pytest.mark.parametrize(
    ("note", "shown"),
    [
        pytest.param(f"A practice. {LAST}", f"A practice. {LAST}", id="all of it"),
        pytest.param(f"{'A' * 160}. {LAST}", f"{'A' * 160}.", id="a whole sentence"),
        pytest.param("B" * 300, "B" * 207 + "…", id="a sentence too long"),
        pytest.param("&" * 300, "&&" * 103 + "…", id="signs that begin a code"),
    ],
)
def test_a_head_shows_whole_sentences(note: str, shown: str) -> None:
    sheet = Sheet()
    head_every_page(sheet, "Tax", note, (0, 0, 9, 9))  # type: ignore[arg-type]
    assert len(sheet.header) <= MAX_HEADER
    said = sheet.header.partition("\n")[2].partition(" ")[2]
    assert said == shown
