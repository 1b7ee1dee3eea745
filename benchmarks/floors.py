"""What a stage's work costs at least: `python -m benchmarks.floors NAME FOLDER SCRATCH`.

Each floor does the bare work of one stage over the same practice, with the fastest library
known for it and nothing else: no message names a cell, nothing is proved or kept.
What comes before a floor's `yield` lays out what the stage is given, and is not timed.
The register's is no floor but a yardstick: the plain writer that the target names,
given the cells of the register that the night made.
"""

import hashlib
import json
import resource
import shutil
import sys
import time
import zipfile
from collections.abc import Callable, Generator
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.roster import AS_OF
from schemas.columns import columns
from schemas.inputs import Patients

Floor = Callable[[Path, Path], Generator[None, None, None]]

LEDGER = "ledger/membill.duckdb"
_TITLES = {field.title: field.name for field in columns(Patients)}


def _read(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """The Patients sheet as table `patients`, whatever its cells hold."""
    if (folder / "patients.csv").exists():
        connection.execute(
            "create table patients as from read_csv(?, all_varchar = true)",
            [str(folder / "patients.csv")],
        )
        return
    import fastexcel

    book = fastexcel.read_excel(folder / "patients.xlsx")
    sheet = book.load_sheet("Patients", dtypes="string")
    connection.register("sheet", sheet.to_arrow())
    connection.execute("create table patients as from sheet")


def reading(folder: Path, scratch: Path) -> Generator[None, None, None]:
    """Patients from the file into a table."""
    if not (folder / "patients.csv").exists():
        import fastexcel  # noqa: F401
    connection = duckdb.connect()
    yield
    _read(connection, folder)


def _typed(folder: Path) -> duckdb.DuckDBPyConnection:
    """The sheets of a practice as tables with types; what cannot be read is blank."""
    connection = duckdb.connect()
    _read(connection, folder)
    named = ", ".join(f'"{title}" as {name}' for title, name in _TITLES.items())
    connection.execute(
        f"create table members as select * replace (try_cast(start_date as date) as"
        " start_date, try_cast(end_date as date) as end_date,"
        " try_cast(date_of_birth as date) as date_of_birth)"
        f" from (select {named} from patients)"
    )
    return connection


# Eighteen checks, as many as the sheet's schema makes.
_CHECKS = (
    *(f"{name} is null" for name in (
        "patient_id", "first_name", "last_name", "membership_active", "membership",
        "start_date",
    )),
    "membership_active not in ('Yes', 'No')",
    "billing_frequency not in ('Monthly', 'Annual')",
    "end_date < start_date",
    "date_of_birth > date '2026-03-20'",
    "start_date > date '2099-12-31'",
    "start_date < date '1950-01-01'",
    "not regexp_full_match(patient_id, '[A-Za-z0-9_./-]+')",
    "not regexp_full_match(email, '[^@ ]+@[^@ ]+')",
    "not regexp_full_match(postcode, '[A-Z0-9]{2,4} [0-9][A-Z]{2}')",
    "length(last_name) > 100",
    "bill_from is not null and try_cast(bill_from as date) is null",
    "count(*) over (partition by patient_id) > 1",
)  # fmt: skip


def validation(folder: Path, scratch: Path) -> Generator[None, None, None]:
    """Eighteen checks of every member in SQL: which rows break which."""
    connection = _typed(folder)
    judged = ", ".join(f"{check} as check_{n}" for n, check in enumerate(_CHECKS))
    broken = " or ".join(f"check_{n}" for n in range(len(_CHECKS)))
    yield
    connection.sql(
        f"select * from (select patient_id, {judged} from members) where {broken}"
    ).fetchall()


_DUE = """
create table due as
with

last as (
    select patient_key, max(period_start) as period_start
    from billed group by patient_key
),

steps as (
    select
        members.*,
        case billing_frequency when 'Annual' then 12 else 1 end as step,
        greatest(0, date_diff(
            'month', start_date, coalesce(last.period_start, $bill_from)
        ) // step - 1) as at_least
    from members left join last on lower(members.patient_id) = last.patient_key
    where membership_active = 'Yes' and start_date <= $as_of
),

periods as (
    select *, unnest(range(
        at_least, date_diff('month', start_date, $as_of) // step + 1
    )) as n
    from steps
),

dated as (
    select
        periods.*,
        (periods.start_date + to_months((n * step)::integer))::date as period_start,
        (periods.start_date + to_months(((n + 1) * step)::integer))::date - 1
            as period_end
    from periods
),

unbilled as (
    select dated.*
    from dated left join last on lower(dated.patient_id) = last.patient_key
    where dated.period_start <= $as_of
        and dated.period_start >= $bill_from
        and (last.period_start is null or dated.period_start > last.period_start)
        and (end_date is null or dated.period_start <= end_date)
),

priced as (
    select
        unbilled.*,
        case when step = 12
            then coalesce(contracts.annual_price, changes.annual_price,
                products.annual_price)
            else coalesce(contracts.monthly_price, changes.monthly_price,
                products.monthly_price)
        end as own,
        products.tax_code
    from unbilled
    inner join ledger.accepted.products as products
        on unbilled.membership = products.code
    asof left join ledger.accepted.price_changes as changes
        on unbilled.membership = changes.product_code
        and unbilled.period_start >= changes.effective_from
    left join ledger.accepted.contract_prices as contracts
        on unbilled.bill_to = contracts.contact_code
        and unbilled.membership = contracts.product_code
        and unbilled.period_start between contracts.valid_from and contracts.valid_to
)

select
    row_number() over (order by priced.period_start, patient_id) as sequence,
    patient_id, membership, priced.period_start, period_end,
    own as net,
    round(own * (case tax_code when 'STD' then 20 else 0 end) * 0.01, 2) as tax
from priced
"""


def transform(folder: Path, scratch: Path) -> Generator[None, None, None]:
    """Periods that are due, found from the last one billed; price and tax."""
    connection = _typed(folder)
    connection.execute(f"attach '{folder / LEDGER}' as ledger (read_only)")
    connection.execute(
        "create table billed as select patient_key, period_start"
        " from ledger.billed_periods as periods"
        " inner join ledger.invoices as invoices using (number)"
        " where invoices.issued_on < ?",
        [AS_OF],
    )
    (first,) = connection.execute(
        "select coalesce(min(period_start), ?) from billed", [AS_OF]
    ).fetchone() or (AS_OF,)
    yield
    connection.execute(_DUE, {"as_of": AS_OF, "bill_from": first})


def _made(folder: Path) -> tuple[duckdb.DuckDBPyConnection, int]:
    """The ledger after the night, and the number of the last run that billed."""
    connection = duckdb.connect()
    connection.execute(f"attach '{folder / LEDGER}' as ledger (read_only)")
    (run_no,) = connection.execute(
        "select max(run_no) from ledger.invoices"
    ).fetchone() or (0,)
    return connection, run_no


def recording(folder: Path, scratch: Path) -> Generator[None, None, None]:
    """Tonight's rows into an empty database with a chained hash each, once on disk."""
    connection, run_no = _made(folder)
    for table in ("invoices", "lines", "billed_periods"):
        where = (
            "run_no = ?" if table == "invoices"
            else "number in (select number from ledger.invoices where run_no = ?)"
        )  # fmt: skip
        connection.execute(
            f"create table {table} as from ledger.{table} where {where}", [run_no]
        )
    connection.execute(f"attach '{scratch / 'floor.duckdb'}' as kept")
    yield
    connection.execute("begin")
    for table in ("invoices", "lines", "billed_periods"):
        connection.execute(f"create table kept.{table} as from {table}")
    previous = "0" * 64
    rows = connection.execute(
        "select * from invoices inner join lines using (number)"
    ).fetchall()
    links = []
    for row in rows:
        previous = hashlib.sha256(f"{previous}{row}".encode()).hexdigest()
        links.append(previous)
    connection.execute(
        "create table kept.chain as select unnest(?::varchar[]) as sha256", [links]
    )
    connection.execute("commit")
    connection.execute("checkpoint kept")


_CELL = '<c r="{}{}" t="inlineStr"><is><t>{}</t></is></c>'


def invoices(folder: Path, scratch: Path) -> Generator[None, None, None]:
    """A prepared workbook per invoice with its sheet's cells replaced, and a hash."""
    import io

    import xlsxwriter

    connection, run_no = _made(folder)
    (count,) = connection.execute(
        "select count(*) from ledger.invoices where run_no = ?", [run_no]
    ).fetchone() or (0,)
    prepared = io.BytesIO()
    book = xlsxwriter.Workbook(prepared, {"in_memory": True})
    book.add_worksheet("Invoice")
    book.close()
    with zipfile.ZipFile(prepared) as parts:
        rest = {name: parts.read(name) for name in parts.namelist()}
    head = rest.pop("xl/worksheets/sheet1.xml").split(b"<sheetData")[0].decode()
    yield
    for number in range(count):
        rows = "".join(
            f'<row r="{row}">'
            + "".join(
                _CELL.format(letter, row, f"{number} {row} {letter}")
                for letter in "ABCDEF"
            )
            + "</row>"
            for row in range(1, 11)
        )
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
            for name, content in rest.items():
                book.writestr(zipfile.ZipInfo(name), content)
            sheet = f"{head}<sheetData>{rows}</sheetData></worksheet>"
            book.writestr("xl/worksheets/sheet1.xml", sheet)
        content = made.getvalue()
        hashlib.sha256(content).hexdigest()
        (scratch / f"{number}.xlsx").write_bytes(content)


def register(folder: Path, scratch: Path) -> Generator[None, None, None]:
    """The cells of tonight's register, sheet by sheet, by XlsxWriter in constant memory."""
    import python_calamine
    import xlsxwriter

    made = python_calamine.load_workbook(folder / f"out/registers/{AS_OF:%Y-%m}.xlsx")
    sheets = [made.get_sheet_by_name(name).to_python() for name in made.sheet_names]
    made.close()
    yield
    path = str(scratch / "register.xlsx")
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    dated = book.add_format({"num_format": "dd mmm yyyy"})
    money = book.add_format({"num_format": "#,##0.00"})
    text = book.add_format({"quote_prefix": True})
    for rows in sheets:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for at, value in enumerate(row):
                if value == "":
                    sheet.write_blank(number, at, None, text)
                elif isinstance(value, str):
                    sheet.write_string(number, at, value, text)
                elif isinstance(value, date):
                    sheet.write_datetime(number, at, value, dated)
                else:
                    sheet.write_number(number, at, value, money)
    book.close()


def copy(folder: Path, scratch: Path) -> Generator[None, None, None]:
    """The ledger copied, and both files hashed."""
    yield
    shutil.copyfile(folder / LEDGER, scratch / "copy.duckdb")
    for file in (folder / LEDGER, scratch / "copy.duckdb"):
        with open(file, "rb") as content:
            hashlib.file_digest(content, "sha256")


def start_up(folder: Path, scratch: Path) -> Generator[None, None, None]:
    """Python with the two libraries a night cannot do without."""
    yield


FLOORS: dict[str, Floor] = {
    "start-up": start_up,
    "reading": reading,
    "validation": validation,
    "due, price and tax": transform,
    "recording": recording,
    "invoice workbooks": invoices,
    "register": register,
    "copy": copy,
}


def main() -> None:
    """Time one floor; its wall and processor seconds go to standard output as JSON."""
    name, folder, scratch, spawned = sys.argv[1:]
    steps = FLOORS[name](Path(folder), Path(scratch))
    next(steps)
    wall, used = time.perf_counter(), _used()
    if name == "start-up":
        import schemas.lean_pandera  # noqa: F401

        print(json.dumps([time.time() - float(spawned), _used()]))
        return
    next(steps, None)
    print(json.dumps([time.perf_counter() - wall, _used() - used]))


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
