"""Mistakes with amounts, tax and words to choose from: 92 to 109."""

from pathlib import Path

from mistakes.mistake import Mistake, member
from tests import practice


def _priced(
    number: int, *prices: object, **cells: object
) -> dict[str, tuple[dict[str, object], ...]]:
    return {
        "products": tuple(
            {
                "Code": f"X{number}{'ABCDEF'[n]}", "Name": "X", "Type": "Membership",
                "Monthly price": price, "Tax code": "EXEMPT", "Active": "Yes",
                "Last edited by": "mm", **cells,
            }
            for n, price in enumerate(prices)
        )
    }  # fmt: skip


def _dearer(folder: Path) -> None:
    practice.change(folder, "products", "GOLD", {"Monthly price": "150.00"})


MISTAKES = (
    Mistake(
        92, "A pound sign, GBP or spaces with an amount", "They are left out.",
        (
            "Fixed for you | money-tidied | products.xlsx: Products!D{r} | £49.99 is read as 49.99 | an amount in pounds with at most two decimals, such as 49.99 | nothing to do",
            "Fixed for you | money-tidied | products.xlsx: Products!D{r1} | GBP 49.99 is read as 49.99 | an amount in pounds with at most two decimals, such as 49.99 | nothing to do",
            "Fixed for you | space-trimmed | products.xlsx: Products!D{r2} | 49.99 had spare or invisible spaces | an amount in pounds with at most two decimals, such as 49.99 | they are left out, nothing to do",
        ), rows=_priced(92, "£49.99", "GBP 49.99", "49.99 "),
    ),
    Mistake(
        93, "An amount with commas for thousands", "It is understood.",
        (
            "Fixed for you | money-tidied | products.xlsx: Products!D{r} | 1,200.00 is read as 1200.00 | an amount in pounds with at most two decimals, such as 49.99 | nothing to do",
        ), rows=_priced(93, "1,200.00"),
    ),
    Mistake(
        94, "A comma for the pence", "The row is held: nobody can say.",
        (
            "Not billed | money-comma | products.xlsx: Products!D{r} | 49,99 has a comma that may mean pence or thousands | an amount in pounds with at most two decimals, such as 49.99 | write it with a full stop and no comma, such as 1234.50",
            "Not billed | money-comma | products.xlsx: Products!D{r1} | 1.234,50 has a comma that may mean pence or thousands | an amount in pounds with at most two decimals, such as 49.99 | write it with a full stop and no comma, such as 1234.50",
        ), rows=_priced(94, "49,99", "1.234,50"),
    ),
    Mistake(
        95, "Words for an amount, or none", "The row is held.",
        (
            "Not billed | not-money | products.xlsx: Products!D{r} | 49.99 pcm is not an amount | an amount in pounds with at most two decimals, such as 49.99 | write an amount in pounds with at most two decimals, such as 49.99",
            "Not billed | not-money | products.xlsx: Products!D{r1} | Free is not an amount | an amount in pounds with at most two decimals, such as 49.99 | write an amount in pounds with at most two decimals, such as 49.99",
            "Not billed | not-money | products.xlsx: Products!D{r2} | TBC is not an amount | an amount in pounds with at most two decimals, such as 49.99 | write an amount in pounds with at most two decimals, such as 49.99",
            "Not billed | membership-without-price | products.xlsx: Products!D{r3} | a membership without a Monthly price or an Annual price | a Monthly price, an Annual price or both | write what one month or one year of it costs",
        ), rows=_priced(95, "49.99 pcm", "Free", "TBC", None),
    ),
    Mistake(
        96, "More than two decimals", "The row is held; nothing is rounded.",
        (
            "Not billed | money-decimals | products.xlsx: Products!D{r} | 10.005 has more than two decimals | an amount in pounds with at most two decimals, such as 49.99 | write it to the penny, such as 10.00 or 10.01",
            "Not billed | money-decimals | products.xlsx: Products!D{r1} | 10.001 has more than two decimals | an amount in pounds with at most two decimals, such as 49.99 | write it to the penny, such as 10.00 or 10.01",
        ), rows=_priced(96, 10.005, "10.001"),
    ),
    Mistake(
        97, "A negative amount", "The row is held.", (
            "Not billed | money-negative | products.xlsx: Products!D{r} | -5 is a negative amount | an amount in pounds with at most two decimals, such as 49.99 | write the full price, and use a credit note to give money back",
            "Not billed | money-negative | products.xlsx: Products!D{r1} | (5.00) is a negative amount | an amount in pounds with at most two decimals, such as 49.99 | write the full price, and use a credit note to give money back",
        ), rows=_priced(97, -5, "(5.00)"),
    ),
    Mistake(
        98, "A price of nothing", "It is used, and that is said.",
        (
            "Check | money-zero | products.xlsx: Products!D{r} | the amount is 0.00 | an amount in pounds with at most two decimals, such as 49.99 | leave it if nothing is to be charged, otherwise write the amount",
        ), rows=_priced(98, 0),
    ),
    Mistake(
        99, "A price far from the last one", "The guard price stops the night.", (
            "Stops the night | guard-price | settings.csv: Max price change % | guard price: 1 price moved by more than 25 % (largest: GOLD Monthly price 50.00 to 150.00) | no more than the setting Max price change % allows | if this is wrong, put the price back in Products, Price changes or Contract prices; if this is right, let it through once with: membill bill --accept price; the night goes on only with --accept drop --accept forecast in it as well",
        ),
        later=_dearer,
    ),
    Mistake(
        100, "A price of one's own without a reason",
        "Does not apply: no sheet lets a patient's row change the price. Agreed prices"
        " stand in Contract prices, signed.", applies=False,
    ),
    Mistake(
        101, "A tax rate where a code belongs",
        "The row is held.", (
            "Not billed | code-character | products.xlsx: Products!G{r} | 20% has the character % in it | a code of letters, digits, - _ . or /, such as GOLD | begin with a letter or digit and use only letters, digits, - _ . or /",
        ),
        rows=_priced(101, 10.0, **{"Tax code": "20%"}),
    ),
    Mistake(
        102, "Tax charged by a practice that is not registered", "The night stops.",
        (
            "Stops the night | tax-without-registration | products.csv: row 2, Tax code | GOLD carries 20.00 % tax but VAT registered is No | no tax on what a practice sells that is not registered | correct the Tax code, or VAT registered in the settings",
            "Stops the night | tax-without-registration | products.csv: row 3, Tax code | SILVER carries 20.00 % tax but VAT registered is No | no tax on what a practice sells that is not registered | correct the Tax code, or VAT registered in the settings",
            "Stops the night | tax-without-registration | products.csv: row 4, Tax code | CONSULT carries 20.00 % tax but VAT registered is No | no tax on what a practice sells that is not registered | correct the Tax code, or VAT registered in the settings",
        ), settings={"tax": "20"},
    ),
    Mistake(
        103, "A discount over 100 %, or 10 for 0.1",
        "There are no discounts; a tax rate outside 0 to 100, or a fraction for one,"
        " holds its row. A cell that shows 20% is 20.",
        (
            "Not billed | percent-fraction | settings.xlsx: Tax codes!C{r1} | 0.2 is a fraction, not a percentage | a percentage between 0 and 100, such as 20 | write 20 for 20%",
            "Not billed | out-of-range | settings.xlsx: Tax codes!C{r} | 120.00 is not a percentage between 0 and 100, such as 20 | a percentage between 0 and 100, such as 20 | write a percentage between 0 and 100, such as 20",
        ),
        rows={
            "tax_codes": tuple(
                {"Code": code, "Name": "X", "Rate %": rate, "Last edited by": "mm"}
                for code, rate in (("X1", 120), ("X2", 0.2))
            )
        },
    ),
    Mistake(
        104, "A frequency in other words", "Known ones are understood; others are held.",
        (
            "Fixed for you | choice-synonym | patients.xlsx: Patients!F{r} | Mthly is read as Monthly | Monthly or Annual | nothing to do",
            "Fixed for you | space-trimmed | patients.xlsx: Patients!F{r1} | monthly had spare or invisible spaces | Monthly or Annual | they are left out, nothing to do",
            "Fixed for you | choice-synonym | patients.xlsx: Patients!F{r2} | M is read as Monthly | Monthly or Annual | nothing to do",
            "Not billed | not-choice | patients.xlsx: Patients!F{r3} | Monthyl is not one of the words offered | Monthly or Annual | write Monthly or Annual (did you mean Monthly?)",
        ),
        rows={
            "patients": (
                member("M104A", billing_frequency="Mthly"),
                member("M104B", billing_frequency="monthly "),
                member("M104C", billing_frequency="M"),
                member("M104D", billing_frequency="Monthyl"),
            )
        },
    ),
    Mistake(
        105, "A frequency the product is not sold in", "The row is held.",
        (
            "Not billed | frequency-not-offered | patients.xlsx: Patients!F{r} | SILVER has no price for Annual | a Billing frequency that the product has a price for | change the Billing frequency, or give the product that price",
        ), rows={"patients": (member("M105", membership="SILVER", billing_frequency="Annual"),)},
    ),
    Mistake(
        106, "Yes or No in other words", "Known ones are understood; others are held.",
        (
            "Fixed for you | yesno-synonym | patients.xlsx: Patients!D{r} | Y is read as Yes | Yes or No | nothing to do",
            "Fixed for you | yesno-synonym | patients.xlsx: Patients!D{r1} | TRUE is read as Yes | Yes or No | nothing to do",
            "Fixed for you | yesno-synonym | patients.xlsx: Patients!D{r2} | 1 is read as Yes | Yes or No | nothing to do",
            "Fixed for you | yesno-synonym | patients.xlsx: Patients!D{r3} | ✓ is read as Yes | Yes or No | nothing to do",
            "Not billed | not-yesno | patients.xlsx: Patients!D{r4} | Yess is not Yes or No | Yes or No | write Yes or No (did you mean Yes?)",
        ),
        rows={
            "patients": (
                member("M106A", membership_active="Y"), member("M106B", membership_active=True),
                member("M106C", membership_active=1), member("M106D", membership_active="✓"),
                member("M106E", membership_active="Yess"),
            )
        },
    ),
    Mistake(
        107, "Membership active is blank", "The row is held: it is never taken for Yes.",
        (
            "Not billed | required-blank | patients.xlsx: Patients!D{r} | Membership active is blank | Yes or No | write Yes or No",
        ), rows={"patients": (member("M107", membership_active=None),)},
    ),
    Mistake(
        108, "A number stored as text", "It is understood without a word.",
        (), rows=_priced(108, "10.00"),
    ),
    Mistake(
        109, "The night's total jumps", "The guard forecast stops the night.", (
            "Stops the night | guard-forecast | settings.csv: Max forecast difference % | guard forecast: tonight would bill 2100.00, the last accepted sheets would bill 1000.00 (largest: P10 150.00; P11 150.00; P12 150.00; P13 150.00; P14 150.00) | no more than the setting Max forecast difference % allows | if this is wrong, put back what was changed in the sheets; if this is right, let it through once with: membill bill --accept forecast; the night goes on only with --accept drop --accept price in it as well",
        ),
        later=lambda folder: None,  # by the price of 99
    ),
)  # fmt: skip
