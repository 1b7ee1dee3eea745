"""Rows on stdout, as a table, as CSV or as JSON."""

import csv
import json
import sys
from collections.abc import Sequence
from typing import Any

import click

INVOICE_COLUMNS = (
    "number,kind,status,active,membership,issued_on,due_on,patient_id,patient_name,"
    "bill_to,bill_to_name,currency,net,tax,gross,credits,sent_on,sent_to,run_id"
).split(",")
LINE_COLUMNS = (
    "number,line,patient_id,product_code,description,frequency,period_start,period_end,"
    "quantity,unit_price,tax_code,tax_rate,net,tax,gross,price_source"
).split(",")
# What fits on a screen; csv and json have every column.
INVOICES_SHOWN = "number,status,issued_on,patient_id,bill_to,gross,sent_on".split(",")
LINES_SHOWN = "number,patient_id,product_code,period_start,period_end,tax,gross".split(
    ","
)


def print_rows(
    rows: Sequence[dict[str, Any]],
    names: Sequence[str],
    shown: Sequence[str],
    form: str,
    title: str,
) -> None:
    """Rows on stdout as a table, CSV or JSON; all values as text."""
    from pipeline.console import plain, table

    listed = [{name: plain(name, row[name]) for name in names} for row in rows]
    if form == "json":
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
    elif form == "csv":
        writer = csv.DictWriter(sys.stdout, list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: _as_text(name, value) for name, value in row.items()}
            for row in listed
        )
    else:
        table(listed, shown, title)


_AMOUNTS = ("net", "tax", "gross", "credits", "unit_price")


def _as_text(name: str, value: str) -> str:
    """Text that a spreadsheet would take for a formula, kept text; amounts as they are."""
    from pipeline.exports.exact_text import guarded

    return value if name in _AMOUNTS else guarded(value)
