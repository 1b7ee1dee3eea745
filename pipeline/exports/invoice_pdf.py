"""The PDF of an invoice or credit note: the workbook's page, tagged for screen readers.

Typst sets it, from a page of ours and two fonts of ours: nothing is read from the machine
or fetched. What people typed reaches it as data and never as its source.
"""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from errno import ENOENT
from functools import cache
from pathlib import Path
from typing import Any

import typst

from pipeline.bookkeeping.books import Document
from pipeline.exports import invoice_page as grid
from pipeline.exports.exact_text import exact
from pipeline.exports.invoice_layout import long_day
from pipeline.exports.invoice_page import Page, Sums, page_of
from pipeline.exports.workbook import ACCENT, INK, QUIET, RULE, Value

_HERE = Path(__file__).parent
_LOOK = {"ink": INK, "accent": ACCENT, "quiet": QUIET, "rule": RULE}
_NO_GLYPH, _NO_CHARACTER = "could not be displayed with font", "disallowed codepoint"
_MARGINS = {
    "top": grid.TOP_MARGIN,
    "left": grid.LEFT_MARGIN,
    "right": grid.RIGHT_MARGIN,
    "bottom": grid.BOTTOM_MARGIN,
}


class Unprintable(Exception):
    """The page has characters that none of the fonts shows; the message names nobody."""


def render(document: Document) -> bytes:
    """The PDF of a document, the same bytes each time; raises `Unprintable`.

    It says UNSENT, as the workbook does beside its page, in its keywords alone.
    """
    said = _as_data(page_of(document), document)
    try:
        pdf = _compiler().compile(
            (_HERE / "invoice.typ").read_bytes(),
            format="pdf",
            sys_inputs={"page": json.dumps(said, ensure_ascii=False)},
            pdf_standards=["ua-1"],
            timestamp=datetime.combine(document.issued_on, time(), UTC),
        )
    except typst.TypstError as error:
        if _NO_GLYPH not in error.message and _NO_CHARACTER not in error.message:
            raise
        # Its own words quote the text.
        raise Unprintable(
            f"{document.number} has characters that the fonts of the program lack"
        ) from None
    assert isinstance(pdf, bytes)
    return pdf


@cache
def _compiler() -> Any:
    """Loaded once: the fonts take far longer than a page."""
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=True,
        font_paths=[_HERE / "fonts"],
    )
    if "Liberation Sans" not in fonts.families():
        raise FileNotFoundError(ENOENT, "the fonts are missing", str(_HERE / "fonts"))
    return typst.Compiler(root=_HERE / "fonts", font_paths=fonts)


def shown(value: Value) -> str:
    """A value of the page as it is read: amounts with two decimals, days in words."""
    match value:
        case None:
            return ""
        case Decimal():
            if not value.is_finite():
                raise ValueError("an amount that is not a number cannot be written")
            return f"{value:,.2f}"
        case date():
            return long_day(value)
    return exact(str(value))


def _as_data(page: Page, document: Document) -> dict[str, Any]:
    layout, on = page.layout, document.issued_on
    return {
        "title": exact(page.title),
        "keywords": ["UNSENT"],
        "issued": {"year": on.year, "month": on.month, "day": on.day},
        "look": _LOOK,
        "margins": _MARGINS,
        "address_from_top": grid.ADDRESS_FROM_TOP,
        "address_rows": grid.ADDRESS_ROWS,
        "label": layout.label,
        "value": layout.value,
        "net": layout.net,
        "heading": page.heading,
        "practice": exact(page.practice_name),
        "name_points": page.name_points,
        "details": _texts(page.details),
        "address": _texts(page.address),
        "facts": [[label, shown(value)] for label, value in page.facts],
        "said": _texts(page.said),
        "columns": [
            {"heading": exact(column.heading), "width": column.width}
            for column in layout.columns
        ],
        "rows": [[shown(value) for value in row] for row in page.rows],
        "sums": [_sums(sums, page) for sums in page.sums],
        "due_label": page.due_label,
        "due": page.sign + shown(page.due),
        "pay_heading": grid.PAY_HEADING,
        "pay": _texts(page.pay),
        "foot": _texts(page.foot),
    }


def _texts(texts: tuple[str, ...]) -> list[str]:
    return [exact(text) for text in texts]


def _sums(sums: Sums, page: Page) -> dict[str, Any]:
    """A row of sums: its label, and what stands in each column from the net on."""
    layout = page.layout
    assert layout.net is not None
    amounts = {layout.net: sums.net, layout.tax: sums.tax, layout.gross: sums.gross}
    return {
        "label": exact(sums.label),
        "amounts": [
            shown(amounts.get(at)) for at in range(layout.net, layout.last + 1)
        ],
    }
