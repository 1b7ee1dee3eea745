"""Layouts of import files: the packages' own, and what a practice may put in their place."""

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.choices import PACKAGES
from pipeline.exports.layout_faults import FIELDS
from pipeline.exports.layouts import Unready, kept, layout_of, packaged

# As the packages' own templates and help pages have them.
HEADINGS = {
    "xero": "*ContactName,EmailAddress,POAddressLine1,POAddressLine2,POAddressLine3,POAddressLine4,POCity,PORegion,POPostalCode,POCountry,*InvoiceNumber,Reference,*InvoiceDate,*DueDate,Total,InventoryItemCode,*Description,*Quantity,*UnitAmount,Discount,*AccountCode,*TaxType,TaxAmount,TrackingName1,TrackingOption1,TrackingName2,TrackingOption2,Currency,BrandingTheme",
    "xero-journal": "*Narration,*Date,Description,*AccountCode,*TaxRate,*Amount,TrackingName1,TrackingOption1,TrackingName2,TrackingOption2",
    "quickbooks": "*InvoiceNo,*Customer,*InvoiceDate,*DueDate,Terms,Location,Memo,*Item(Product/Service),ItemDescription,ItemQuantity,ItemRate,*ItemAmount,Item Tax Amount,*Item Tax Code,Currency",
    "sage50": "Type,Account Reference,Nominal A/C Ref,Department Code,Date,Reference,Details,Net Amount,Tax Code,Tax Amount,Exchange Rate,Extra Reference,User Name,Project Refn,Cost Code Refn",
    "sage-accounting": "Type,Customer Reference,Date,Customer Name,Reference,Ledger Account,Details,Net,VAT Rate,VAT,Total,Analysis Type 1,Analysis Type 2,Analysis Type 3",
    "quickfile": "Issue date,Client name,Description,Total gross amount,Invoice number,Currency,Sales nominal code,Term in days,VAT rate,VAT amount,Notes",
}


def written(folder: Path, text: str) -> Path:
    (folder / "accounting.toml").write_text(text, encoding="utf-8")
    return folder


def said(folder: Path, target: str = "xero") -> list[str]:
    """What a layout that cannot be used says, a line a fault."""
    with pytest.raises(Unready) as found:
        layout_of(target, folder)
    return [str(problem) for problem in found.value.problems]


@pytest.mark.parametrize("target", PACKAGES)
def test_the_headings_are_the_packages_own(target: str, tmp_path: Path) -> None:
    layout = layout_of(target, tmp_path)
    assert ",".join(layout.headings) == HEADINGS[target]
    assert {c.field for c in layout.columns} - {""} <= set(FIELDS[layout.of])
    assert layout.tax_codes.keys() == {"STD", "RED", "ZERO", "EXEMPT", "OUT"}
    assert kept(target, layout.text) == layout


def test_a_practice_adds_codes_and_renames_headings_and_keeps_the_rest(
    tmp_path: Path,
) -> None:
    written(
        tmp_path,
        """
[xero]
income_account = 200
date = "%d %b %Y"
[xero.tax_codes]
nhs = ["NHS (zero)", 0]
STD = "20% (VAT on Income)"
ZERO = [["Zero Rated Income", 0], ["Was 1 %", 1.5]]
[xero.accounts]
4000 = "200"
[xero.headings]
"*ContactName" = "Contact"
[xero.limits]
documents = 50
""",
    )
    layout = layout_of("xero", tmp_path)
    assert layout.tax_codes["NHS"] == (("NHS (zero)", Decimal(0)),)
    assert layout.tax_codes["STD"] == (("20% (VAT on Income)", None),)
    assert layout.tax_codes["RED"] == (("5% (VAT on Income)", Decimal(5)),)
    assert layout.tax_codes["ZERO"] == (
        ("Zero Rated Income", Decimal(0)), ("Was 1 %", Decimal("1.5")),
    )  # fmt: skip
    assert layout.headings[:2] == ("Contact", "EmailAddress")
    assert (layout.income_account, layout.accounts) == ("200", {"4000": "200"})
    assert (layout.date, layout.limits) == ("%d %b %Y", {"documents": 50})
    assert kept("xero", layout.text) == layout


def test_columns_of_ones_own_take_the_place_of_all_and_are_still_needed(
    tmp_path: Path,
) -> None:
    columns = "".join(
        f'[[sage50.columns]]\nheading = "{column["heading"]}!"\nfield = "{column["field"]}"\n'
        for column in packaged("sage50")["columns"]
        if column.get("needed")
    )
    layout = layout_of("sage50", written(tmp_path, columns))
    assert all(heading.endswith("!") for heading in layout.headings)
    assert all(column.needed for column in layout.columns)


A_COLUMN = '[[xero.columns]]\nheading = "x"\n'

# What is written in accounting.toml, and the beginning of what is said of it.
WRONG = {
    "[xero": "this is not TOML (at",
    f"[xero.limits]\nrows = {'9' * 5000}": "this is not TOML (somewhere)",
    "x = 1e99999999999999999999": "this is not TOML (",
    f"x = {'[' * 5000}": "this is not TOML (",
    "[zero]": "[zero] is no package; use one of xero, xero-journal, quickbooks,",
    "xero = 1": "xero is no table; write it as [xero]",
    "[xero]\ncolour = 1": "[xero]: colour is not known; use one of date, credit_notes,",
    "[xero]\ndate = 2026-01-01": "[xero]: date is not of the right kind",
    '[xero]\ndate = "%m/%d/%Y"': "[xero]: date %m/%d/%Y is not known; use one of %d/%m/%Y,",
    "[xero]\nincome_account = true": "[xero]: income_account is not of the right kind",
    '[xero]\ncredit_notes = "no"': "[xero]: credit_notes is not known; use one of with, apart",
    "[xero.limits]\nrows = 0": "[xero]: limits.rows cannot be used; use documents, rows,",
    "[xero.limits]\nlines = 9": "[xero]: limits.lines cannot be used",
    '[xero.types]\nrefund = "x"': "[xero]: types.refund cannot be used; use invoice and",
    "[xero.tax_codes]\nSTD = 20": "[xero]: tax_codes.STD cannot be used; write the package's",
    '[xero.tax_codes]\nSTD = ["x", nan]': "[xero]: tax_codes.STD cannot be used",
    '[xero.tax_codes]\nSTD = ["x", "y"]': "[xero]: tax_codes.STD cannot be used",
    "[xero.tax_codes]\nSTD = []": "[xero]: tax_codes.STD cannot be used",
    '[xero.tax_codes]\nSTD = ["", 20]': "[xero]: tax_codes.STD cannot be used",
    '[xero.tax_codes]\nSTD = [["x", 20], ["y"]]': "[xero]: tax_codes.STD cannot be used",
    '[xero.tax_codes]\nSTD = [["x", 20], ["y", 20.0]]': "[xero]: tax_codes.STD cannot be",
    "[xero.accounts]\n4000 = 200": "[xero]: accounts.4000 cannot be used; write the account in",
    '[xero.headings]\n"*Contact" = "x"': "[xero]: there is no heading *Contact; the headings are",
    '[xero.headings]\n"Total" = ""': "[xero]: headings.Total is no heading; write the new",
    '[xero]\nincome_account = "\\u0000"': "[xero]: a text has characters that cannot be shown",
    '[xero]\nincome_account = "\\n"': "[xero]: a text has a line break or a tab",
    '[[xero.columns]]\nfield = "net"': "[xero]: column 1 has no heading; give each column",
    f'{A_COLUMN}field = "colour"': "[xero]: column 1: there is no field colour; use one of",
    f'{A_COLUMN}field = ["x"]': "[xero]: column 1: field is not of the right kind",
    f'{A_COLUMN}field = "net"\ncut = true': "[xero]: column 1 may not be cut; cut only one",
    f"{A_COLUMN}shortest = 0": "[xero]: column 1: shortest is below 1 or above longest;",
    f"{A_COLUMN}shortest = 9\nlongest = 3": "[xero]: column 1: shortest is below 1 or",
    f"{A_COLUMN}longest = -2": "[xero]: column 1: longest is below 1; write how many",
    '[xero.headings]\n"Total" = "*contactname"': "[xero]: the heading *CONTACTNAME stands",
    '[xero.tax_codes]\nSTD = "a"\nstd = "b"': "[xero]: tax_codes.STD stands there twice",
    f"{A_COLUMN}wide = 3": "[xero]: column 1: wide is not known; use heading, field,",
    f'{A_COLUMN}longest = "3"': "[xero]: column 1: longest is not of the right kind; it is a",
    A_COLUMN: "[xero]: no column has the field customer; *ContactName is needed: add a",
    f'{A_COLUMN}[xero.headings]\nTotal = "x"': "[xero]: headings and columns stand side by",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_used_is_named_with_its_repair(
    text: str, tmp_path: Path
) -> None:
    found = said(written(tmp_path, text))
    assert found[0].startswith(f"accounting.toml: {WRONG[text]}")


def test_everything_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = '[zero]\n[xero]\ncolour = 1\ndate = "x"\n[xero.limits]\nrows = 0\n'
    assert len(said(written(tmp_path, text))) == 4


def test_a_file_that_is_no_text_or_leads_away_is_refused(tmp_path: Path) -> None:
    (tmp_path / "accounting.toml").write_bytes(b"\xff\xfe[")
    assert said(tmp_path) == [
        "accounting.toml: the file is not UTF-8 text; save it as UTF-8"
    ]
    (tmp_path / "accounting.toml").unlink()
    (tmp_path / "accounting.toml").symlink_to("/etc/passwd")
    assert "a link to a place outside the practice folder" in said(tmp_path)[0]
