"""The PDF of an invoice or credit note, read back from its bytes beside its workbook."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from pipeline.bookkeeping.books import Document
from pipeline.exports.exact_text import Unwritable
from pipeline.exports.invoice_layout import long_day
from pipeline.exports.invoice_pdf import Unprintable, render
from tests.test_exports_invoice import (
    ALL,
    CONTACT,
    CREDIT,
    LETTERHEAD,
    MANY,
    PATIENT,
    document,
    line,
    opened,
    taxed,
)

ONE_PAGE = {name: made for name, made in ALL.items() if made is not MANY}
_FOOTER = re.compile(r"^(?:Invoice|Credit note) \S+ Page \d+ of \d+$", re.MULTILINE)


@cache
def _reader(name: str) -> PdfReader:
    return PdfReader(BytesIO(render(ALL[name])))


def text_of(reader: PdfReader) -> str:
    """The pages as they are read, without the line at the foot of each."""
    pages = [page.extract_text() for page in reader.pages]
    assert all(len(_FOOTER.findall(page)) == 1 for page in pages)
    return "\n".join(_FOOTER.sub("", page) for page in pages)


def read(made: Document) -> str:
    return text_of(PdfReader(BytesIO(render(made))))


def _of_workbook(made: Document) -> Iterator[str]:
    """What the cells of the printed page show, by their values and number formats."""
    sheet = opened(made)["Invoice"]
    for row in sheet[sheet.print_area.split("!")[-1]]:
        for cell in row:
            match cell.value:
                case None:
                    continue
                case datetime():
                    yield long_day(cell.value.date())
                case int() | float() if "0.00" in cell.number_format:
                    sign = "£" if "£" in cell.number_format else ""
                    yield f"{sign}{cell.value:,.2f}"
                case _:
                    yield str(cell.value)


def _words(texts: Iterator[str]) -> Counter[str]:
    return Counter(word for text in texts for word in text.split())


@pytest.mark.parametrize("name", ONE_PAGE)
def test_it_has_every_word_and_figure_of_the_workbook_and_no_other(name: str) -> None:
    found = _words(iter([text_of(_reader(name))]))
    assert found == _words(_of_workbook(ALL[name]))


def test_many_lines_fill_pages_that_repeat_the_headings() -> None:
    reader = _reader("a hundred and twenty lines")
    pages = [page.extract_text() for page in reader.pages]
    for at, page in enumerate(pages, start=1):
        assert ("Gross (£)" in page) == ("Gold membership" in page)
        assert f"Page {at} of {len(pages)}" in page
    more = _words(iter([text_of(reader)])) - _words(_of_workbook(MANY))
    with_lines = sum("Gold membership" in page for page in pages)
    assert with_lines > 2
    headings = "Description Qty Unit price (£) Net (£) VAT rate VAT (£) Gross (£)"
    assert more == Counter(headings.split() * (with_lines - 1))


def _pages(made: Document, lines: int) -> list[str]:
    """The pages of a document that has its first line so many times."""
    many = replace(
        made, lines=tuple(replace(made.lines[0], line=at + 1) for at in range(lines))
    )
    return [page.extract_text() for page in PdfReader(BytesIO(render(many))).pages]


@pytest.mark.parametrize("made, most", [(PATIENT, 9), (CONTACT, 18)])
def test_lines_move_together_where_that_saves_a_page(made: Document, most: int) -> None:
    assert len(_pages(made, most)) == 1
    assert len(_pages(made, most + 1)) == 2


@pytest.mark.parametrize("lines", range(10, 22))
def test_no_page_says_how_to_pay_without_what(lines: int) -> None:
    *_, last = _pages(PATIENT, lines)
    assert "How to pay" in last and "Amount due" in last


def _elements(element: Any) -> Iterator[str]:
    element = element.get_object()
    if isinstance(element, list):
        for each in element:
            yield from _elements(each)
    elif isinstance(element, dict) and "/S" in element:
        yield element["/S"]
        yield from _elements(element.get("/K", []))


@pytest.mark.parametrize("name", ["exempt and taxed lines", "a credit note"])
def test_a_screen_reader_is_told_what_is_what(name: str) -> None:
    root, made = _reader(name).root_object, ALL[name]
    assert root["/Lang"] == "en-GB"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    metadata = root["/Metadata"].get_object().get_data().decode()
    assert re.search(r"pdfuaid:part\D+1\D", metadata)
    tags = Counter(_elements(root["/StructTreeRoot"]["/K"]))
    assert (tags["/Table"], tags["/TH"], tags["/H1"]) == (1, 7, 1)
    assert tags["/H2"] == (made.kind == "invoice"), "How to pay"


@pytest.mark.parametrize("name", ["a patient's invoice", "a credit note"])
def test_its_properties_name_the_document_and_say_unsent(name: str) -> None:
    made, about = ALL[name], _reader(name).metadata
    assert about is not None
    word = "Credit note" if made.kind == "credit_note" else "Invoice"
    assert about.title == f"{word} {made.number}"
    assert about.author == "Harbour Lane Surgery"
    assert about.keywords == "UNSENT"
    assert about.creation_date is not None
    assert about.creation_date.date() == made.issued_on
    assert "UNSENT" not in text_of(_reader(name))


def test_the_same_document_gives_the_same_bytes() -> None:
    assert render(CONTACT) == render(CONTACT)
    assert render(CONTACT) != render(CREDIT)


@pytest.mark.parametrize("name", ONE_PAGE)
def test_its_letters_come_from_its_own_two_fonts(name: str) -> None:
    fonts = _reader(name).pages[0]["/Resources"]["/Font"].values()
    names = {font.get_object()["/BaseFont"].partition("+")[2] for font in fonts}
    assert {each.partition("-")[0] for each in names} <= {"LiberationSans"}


MARKUP = (
    '#import "@preview/cetz:0.3.0"', "#panic()", "$x^2$", "*bold*", "_em_", "@ref",
    "// no", "/* no */", "\\", "<a>", "[b]", "`c`", "~", "--", "...", '"q"', "'q'",
    "= Title", "- item", "+ item", "/ term: x", "#{1}", "\\u{41}", "&amp;", "</x>", "{}",
    "%s", "{{ 7 }}", "https://x.example",
)  # fmt: skip


def test_text_is_never_markup() -> None:
    for text in ("", " ".join(MARKUP)):
        made = document(
            *(line(at, description=each) for at, each in enumerate(MARKUP, start=1)),
            bill_to_name=f"Robin {text}",
            address=MARKUP[:3],
            accounts_reference="#PO *1*",
            letterhead=replace(
                LETTERHEAD,
                practice_name="*St* $Ann$ & #1",
                invoice_footer=f"Bye {text}",
            ),
        )
        words = _words(iter([read(made)]))
        missing = _words(_of_workbook(made)) - words
        assert not missing
        assert "A" not in words, "no escape was followed"


@pytest.mark.parametrize(
    "text",
    [
        "Dvořák Erdős Łódź Ångström Núñez İstanbul Þór",
        "Ελένη Παπαδοπούλου",
        "Жуков Ўткір Їжак",
        "£12 – “quoted” ‘single’ … • € ½ ° × №",
    ],
    ids=["Latin", "Greek", "Cyrillic", "signs"],
)
def test_names_and_signs_of_europe_show(text: str) -> None:
    assert text in read(document(line(description="Fee"), bill_to_name=text))


@pytest.mark.parametrize("text", ["王小明", "นภา", "Ann 😀"])
def test_what_no_font_has_is_refused_and_not_left_out(text: str) -> None:
    with pytest.raises(Unprintable) as refused:
        render(document(line(patient_name=text), bill_to_name=text))
    assert str(refused.value) == (
        "INV-000001 has characters that the fonts of the program lack"
    )


def test_what_would_damage_a_file_is_never_written() -> None:
    with pytest.raises(Unwritable):
        render(document(line(description="a\x00b")))


def test_a_word_too_long_for_its_column_goes_on_below() -> None:
    pdf = PdfReader(BytesIO(render(document(taxed(description="Ж" * 90)))))
    pieces = re.findall("Ж+", pdf.pages[0].extract_text())
    assert sum(map(len, pieces)) == 90
    assert max(map(len, pieces)) < 25


def test_a_description_longer_than_a_page_is_whole() -> None:
    words = [f"word{at}" for at in range(1500)]
    found = read(document(line(description=" ".join(words)))).split()
    assert [word for word in found if word.startswith("word")] == words


def test_nothing_clinical_goes_to_a_contact() -> None:
    assert "X930" in read(PATIENT)
    assert "X930" not in read(CONTACT)
