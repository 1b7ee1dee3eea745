"""Makes a practice of any size: `python -m benchmarks.make_practice --members 100000`.

Its folder is kept below --cache and made once; what is made follows from the options
alone. All names are made up.
"""

import argparse
import csv
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from pathlib import Path

import duckdb
import xlsxwriter

from benchmarks import history, roster
from benchmarks.roster import AS_OF, DUE, MEMBERSHIPS, contacts_of
from pipeline.ledger import ledger_path
from schemas import INPUTS
from schemas.columns import about, columns, name_of, title_of

CACHE = Path(tempfile.gettempdir()) / "membill-benchmarks"
PRACTICE_NAME = "Otterwick Quay Surgery"
_BATCH = 5_000

Rows = Iterable[Sequence[str]]


@dataclass(frozen=True)
class Spec:
    """Which practice: its size, its files, the past in its ledger, what is due."""

    members: int
    form: str = "xlsx"
    months: int = 0
    due: str = "3%"
    seed: int = 1

    @property
    def name(self) -> str:
        """The practice's folder."""
        due = self.due.replace("%", "pc")
        return f"{self.members}-{self.form}-{self.months}m-{due}-{self.seed}"

    @property
    def last_night(self) -> date:
        """The day of the last night in the ledger: the day, or the year, before."""
        before = years_before(AS_OF, 1) if self.due == "12" else AS_OF
        if self.due == "1":
            before = months_before(before, 1)
        return before - timedelta(days=1)

    @property
    def bill_from(self) -> date:
        """The first day that is billed; with no past, the first that is due."""
        if self.months:
            return months_before(self.last_night, self.months) + timedelta(days=1)
        return months_before(AS_OF, 11) if self.due == "12" else AS_OF

    @property
    def nights(self) -> list[date]:
        """The days of the nights in the ledger, a month apart.

        The last month has two, so that tonight finds no more of what moves the night
        after billing than a practice does that bills every night.
        """
        nights = [
            months_before(self.last_night, ago) for ago in reversed(range(self.months))
        ]
        return [
            *nights[:-1],
            *(day - timedelta(days=1) for day in nights[-1:]),
            *nights[-1:],
        ]


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month; only for days that every month has."""
    count = day.year * 12 + day.month - 1 - months
    return day.replace(year=count // 12, month=count % 12 + 1)


def years_before(day: date, years: int) -> date:
    """The same day of an earlier year."""
    return months_before(day, 12 * years)


def made(spec: Spec, cache: Path = CACHE) -> Path:
    """The practice's folder, made first if it is not there yet."""
    folder = cache / spec.name
    if not folder.exists():
        draft = cache / f"{spec.name}.{os.getpid()}.part"
        shutil.rmtree(draft, ignore_errors=True)
        make(spec, draft)
        draft.rename(folder)
    return folder


def make(spec: Spec, folder: Path, *, whole: bool = False) -> None:
    """Write the practice into a folder; `whole` makes the files of its past as well."""
    os.umask(0o077)  # as the program's own files are
    folder.mkdir(parents=True)
    if spec.months:
        # The past was billed from the sheets as they were the night before.
        write_sheets(folder, "csv", sheets(spec, tonight=False))
        history.add(folder, spec.nights, whole=whole)
        for file in folder.glob("*.csv"):
            file.unlink()
        _known_by_hand(folder)
    write_sheets(folder, spec.form, sheets(spec))


def _known_by_hand(folder: Path) -> None:
    """What `benchmarks.by_hand` would have kept of the same past."""
    (folder / "by_hand").mkdir()
    with duckdb.connect(str(ledger_path(folder)), read_only=True) as connection:
        connection.sql(
            "select number, issued_on, bill_to as payer, lines.patient_id,"
            " lines.patient_name as patient, product_code as product, description,"
            " period_start, period_end, lines.net, lines.tax, lines.gross"
            " from lines inner join invoices using (number) order by sequence, line"
        ).write_csv(str(folder / "by_hand/billed.csv"))


def sheets(spec: Spec, *, tonight: bool = True) -> dict[str, Rows]:
    """The rows of every sheet, by table; the headings first."""
    connection = duckdb.connect()
    people = roster.members(
        connection, spec.members, due=spec.due, tonight=tonight, seed=spec.seed
    )
    given: dict[str, Rows] = {
        "settings": _settings(spec),
        "tax_codes": [("EXEMPT", "Exempt (health)", "0", "mm"),
                      ("STD", "Standard rate", "20", "mm")],
        "staff": [("mm", "Mo Manager", "Manager", "Yes"), ("dd", "Di Desk", "Desk", "Yes")],
        "roles": [("Manager", "Edit", "Edit", "Edit", "Edit"),
                  ("Desk", "View", "Edit", "View", "Edit")],
        "products": _products(),
        "price_changes": _price_changes(spec),
        "contract_prices": _contract_prices(spec),
        "contacts": _contacts(spec),
        "patients": _fetched(connection, people),
    }  # fmt: skip
    return {
        name_of(schema): chain([[field.title for field in columns(schema)]], rows)
        for schema in INPUTS
        if (rows := given.get(name_of(schema)))
    }


def _fetched(
    connection: duckdb.DuckDBPyConnection, people: duckdb.DuckDBPyRelation
) -> Iterator[tuple[str, ...]]:
    people.create("people")
    connection.execute("from people")
    while rows := connection.fetchmany(_BATCH):
        yield from rows


def _settings(spec: Spec) -> Rows:
    values = {
        "Practice name": PRACTICE_NAME,
        "Practice address": "1 Upper Strand, Otterwick Quay, ZZ4 4AB",
        "VAT registered": "Yes",
        "VAT number": "GB999999973",
        "Auto invoice": "Yes",
        "Bill from": str(spec.bill_from),
        # A year without a night is what "12 due each" is made of.
        "Catch-up days": "400",
        "Max days ahead": "400",
        "Max forecast difference %": "900",
        "Max invoice amount": "1000000",
    }
    return [(name, value, "mm") for name, value in values.items()]


def _prices(at: int) -> tuple[Decimal, Decimal]:
    monthly = Decimal("19.50") + 7 * at
    return monthly, monthly * 11


def _products() -> Rows:
    for at, code in enumerate(MEMBERSHIPS):
        monthly, annual = _prices(at)
        tax = "STD" if code == "VATPLUS" else "EXEMPT"
        yield (
            code, f"{code.capitalize()} membership", "Membership", "", str(monthly),
            str(annual), "", tax, "", "4000", "Yes", "mm",
        )  # fmt: skip


def _risen(price: Decimal, years: int) -> str:
    """A price after so many rises of three per cent, to the penny."""
    for _ in range(years):
        price = (price * Decimal("1.03")).quantize(Decimal("0.01"))
    return str(price.quantize(Decimal("0.01")))


def _years(spec: Spec) -> range:
    return range(spec.bill_from.year, AS_OF.year + 1)


def _price_changes(spec: Spec) -> Rows:
    """Every April, for every membership."""
    for rises, year in enumerate(_years(spec), start=1):
        for at, code in enumerate(MEMBERSHIPS):
            monthly, annual = (_risen(price, rises) for price in _prices(at))
            yield code, f"{year}-04-01", monthly, annual, "", "mm"


def _contacts(spec: Spec) -> Rows:
    """Employers and families; every second one gets one invoice for all its members."""
    for at in range(contacts_of(spec.members)):
        yield (
            f"CONTACT{at:04d}", f"Contact {at} & Söhne Ltd", "Employer",
            f"accounts{at}@example.com", "01632 960999", f"{at + 1} Wharf Road", "",
            "Otterwick Quay", "ZZ4 4AB", f"REF{at}", "30", "Yes" if at % 2 else "No", "Yes",
        )  # fmt: skip


def _contract_prices(spec: Spec) -> Rows:
    """For every second contact, for a third of the memberships, year by year."""
    for contact in range(0, contacts_of(spec.members), 2):
        for at in range(contact % 3, len(MEMBERSHIPS), 3):
            for rises, year in enumerate(_years(spec)):
                monthly, annual = (
                    _risen(price * Decimal("0.8"), rises) for price in _prices(at)
                )
                yield (
                    f"CONTACT{contact:04d}", MEMBERSHIPS[at], monthly, annual, "",
                    f"{year}-01-01", f"{year}-12-31", "mm",
                )  # fmt: skip


def write_sheets(folder: Path, form: str, tables: dict[str, Rows]) -> None:
    """Write every sheet: as CSV files, or in the workbooks they belong to."""
    if form == "csv":
        for name, rows in tables.items():
            with open(
                folder / f"{name}.csv", "w", newline="", encoding="utf-8"
            ) as file:
                csv.writer(file).writerows(rows)
        return
    given = [schema for schema in INPUTS if name_of(schema) in tables]
    for stem in dict.fromkeys(str(about(schema)["file"]) for schema in given):
        _write_workbook(folder / f"{stem}.xlsx", stem, tables)


def _write_workbook(path: Path, stem: str, tables: dict[str, Rows]) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    dated = book.add_format({"num_format": "dd mmm yyyy"})
    for schema in INPUTS:
        if about(schema)["file"] != stem or name_of(schema) not in tables:
            continue
        sheet = book.add_worksheet(title_of(schema))
        kinds = [field.kind for field in columns(schema)]
        for number, row in enumerate(tables[name_of(schema)]):
            for at, (kind, text) in enumerate(zip(kinds, row, strict=True)):
                if not text:
                    continue
                if number and kind == "date" and (moment := _moment(text)):
                    sheet.write_datetime(number, at, moment, dated)
                elif number and kind in ("money", "percent", "whole"):
                    sheet.write_number(number, at, float(text))
                else:
                    sheet.write_string(number, at, text)
    book.close()


def _moment(text: str) -> datetime | None:
    """A day as a date cell holds it; None for what was mistyped as text."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def main() -> None:
    """Make the practice named on the command line and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--form", choices=("xlsx", "csv"), default="xlsx")
    parser.add_argument(
        "--months", type=int, default=0, help="of history in the ledger"
    )
    parser.add_argument("--due", choices=DUE, default="3%")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE)
    given = parser.parse_args()
    spec = Spec(given.members, given.form, given.months, given.due, given.seed)
    print(made(spec, given.cache))


if __name__ == "__main__":
    main()
