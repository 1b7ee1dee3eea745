"""A practice as rows in memory, the rules run over it, and the rows they made.

Tests name only the cells that matter; every other cell has a plain default.
Dates and amounts are written, and given back, as text: "2026-01-31", "50.00".
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as arrow

from pipeline.cells import parse
from pipeline.cells.spelling import canonical
from pipeline.ledger import Ledger, opened
from pipeline.record import Night, record, stage
from pipeline.tables import load
from pipeline.transaction import count_numbers
from pipeline.transform import transform
from schemas import INPUTS, Practice
from schemas.arrow_types import ARROW
from schemas.columns import Date, Money, Rate, Schema, columns, name_of
from schemas.inputs import UnreadablePrices
from schemas.ledger import ACCEPTED
from schemas.models import MODELS

Row = Mapping[str, Any]
Given = Mapping[str, Any]

AS_OF = "2026-01-31"

# A row of each table as it is unless a test says otherwise.
PLAIN: dict[str, dict[str, Any]] = {
    "products": {
        "code": "GOLD", "name": "Gold", "type": "Membership", "monthly_price": "50.00",
        "annual_price": "500.00", "tax_code": "EXEMPT", "active": True,
    },
    "patients": {
        "patient_id": "P1", "first_name": "Annabel", "last_name": "Quillfeather",
        "membership_active": True, "membership": "GOLD", "billing_frequency": "Monthly",
        "start_date": "2026-01-01",
    },
    "contacts": {"code": "ACME", "name": "Acme Widgets Ltd"},
    "contract_prices": {"contact_code": "ACME", "product_code": "GOLD"},
    "price_changes": {"product_code": "GOLD"},
    "invoice_requests": {
        "request_id": "R1", "patient_id": "P1", "product_code": "CONSULT",
        "requested_on": "2026-01-10",
    },
}  # fmt: skip

# The rows of a table that a test says nothing of; what is not here is empty.
USUAL: dict[str, list[Row]] = {
    "tax_codes": [
        {"code": "EXEMPT", "name": "Exempt (health)", "rate": "0"},
        {"code": "STD", "name": "Standard", "rate": "20"},
    ],
    "products": [
        {},
        {"code": "CONSULT", "name": "Consultation", "type": "Service",
         "monthly_price": None, "annual_price": None, "price": "85.00"},
    ],
}  # fmt: skip


def _typed(value: Any, dtype: Any) -> Any:
    if isinstance(value, str) and dtype == Date:
        return date.fromisoformat(value)
    if isinstance(value, str) and dtype in (Money, Rate):
        return Decimal(value)
    return value


def _table(schema: Schema, rows: Sequence[Row]) -> arrow.Table:
    """Rows in a schema's columns and types; a cell that is not named is blank."""
    fields = schema.fields
    for row in rows:
        assert row.keys() <= fields.keys(), f"no such column: {row.keys() - fields}"
    return arrow.table(
        {
            name: arrow.array(
                [_typed(row.get(name), field.type) for row in rows],
                ARROW[field.type],
            )
            for name, field in fields.items()
        }
    )


def _filled(schema: Schema, row: Row, position: int) -> Row:
    """A sheet's row with its defaults, its place in the sheet and its key."""
    cells = {**PLAIN.get(name_of(schema), {}), **row}
    keys = [cells.get(column.name) for column in columns(schema) if column.key]
    spelled = "|".join(canonical(str(key)) if key else "" for key in keys)
    if name_of(schema) == "patients":
        cells = {"names_membership": cells["membership"] is not None, **cells}
    return {
        "row_number": position + 2,
        "held": False,
        "row_key": spelled if any(keys) else None,
        **cells,
    }


def _settings(changed: Row) -> Row:
    """The practice's settings: its defaults, else the examples of the template."""
    values = {
        column.name: parse(column.default or column.example, column).value
        for column in columns(Practice)
        if column.default or column.example
    }
    return {**values, **changed}


def _issue(ledger: Ledger, given: Given) -> None:
    """What earlier nights have done: `nights`, `billed`, `freed`, `filled`, `issued`."""
    run = ledger.connection.execute
    for run_no, as_of in enumerate(given.get("nights", []), 1):
        run(
            "insert into ledger.runs (run_no, run_id, command, as_of, recorded_at,"
            " milliseconds, version, accepted_guards, report)"
            " values (?, ?, 'bill', ?::date, '', 0, '', '', '{}')",
            [run_no, as_of, as_of],
        )
    for at, (patient_id, start, end, *which) in enumerate(given.get("billed", []), 1):
        run(
            "insert into ledger.billed_periods values (?, ?, ?, 'BEFORE', ?, ?)",
            [canonical(patient_id), start, end, at, *(which or [1])],
        )
    for at, (request_id, *which) in enumerate(given.get("filled", []), 1):
        run(
            "insert into ledger.filled_requests values (?, 'INV-000001', ?, ?)",
            [canonical(request_id), at, *(which or [1])],
        )
    for at, (key, *start, which) in enumerate(given.get("freed", []), 1):
        note = f"CRN-{at:06d}"
        run(
            "insert into ledger.invoices (number, kind, sequence, run_no, issued_on,"
            " due_on, membership, bill_to_name, currency, net, tax, gross)"
            " values (?, 'credit_note', ?, 1, '2026-01-01', '2026-01-01', true, '',"
            "  'GBP', 0, 0, 0)",
            [note, at],
        )
        table = "released_periods" if start else "released_requests"
        values = [canonical(key), *start, which, note, at]
        run(
            f"insert into ledger.{table} values ({', '.join('?' * len(values))})",
            values,
        )
    for sequence, issued_on in given.get("issued", []):
        run(
            "insert into ledger.invoices (number, kind, sequence, run_no, issued_on,"
            " due_on, membership, bill_to_name, currency, net, tax, gross)"
            " values (?, 'invoice', ?, 1, ?::date, ?::date, true, '', 'GBP', 0, 0, 0)",
            [f"INV-{sequence:06d}", sequence, issued_on, issued_on],
        )
        run(
            "insert or replace into ledger.counters values ('invoice', ?, ?::date)",
            [sequence, issued_on],
        )


@contextmanager
def ledger() -> Iterator[Ledger]:
    """An empty ledger in memory."""
    with opened(Path("not") / "there.duckdb", write=False) as empty:
        yield empty


_KEPT = ExitStack()
# What each table of sheets in the kept ledger holds: the same again is not laid out again.
_LAID: dict[str, str] = {}


@cache
def _kept() -> Ledger:
    return _KEPT.enter_context(ledger())


@contextmanager
def kept_ledger() -> Iterator[Ledger]:
    """A ledger in memory that one test after the other has to itself, emptied."""
    books = _kept()
    try:
        yield books
    finally:
        for row in books.rows(
            "select schema_name || '.' || table_name as written from duckdb_tables()"
            " where database_name = 'ledger' and table_name <> 'about'"
            " and estimated_size > 0"
        ):
            books.connection.execute(f"delete from ledger.{row['written']}")
        for schema in ("tonight.model", "baseline.model"):
            books.connection.execute(f"drop schema if exists {schema} cascade")


def work_out(books: Ledger, given: Given) -> None:
    """Put a practice into `input.*` and run the rules over it for its `as_of`.

    `given` holds rows by input table and of `unreadable_prices`, `practice` (settings
    that differ), `billed` periods as (patient, start, end), `filled` requests as
    (request ID,), both with how often they were then billed if that is not once; of
    them those `freed`, as (patient, start, how often) or (request ID, how often);
    `issued` invoices as (sequence, day), the days of earlier `nights` and `as_of`.
    """
    lay_out(books, given)
    _issue(books, given)
    transform(books.connection)


def lay_out(books: Ledger, given: Given) -> None:
    """Put a practice into `input.*`, without running the rules (see `work_out`)."""
    known = {"as_of", "practice", "nights", "billed", "freed", "filled", "issued"}
    known |= {"unreadable_prices", *map(name_of, INPUTS)}
    assert given.keys() <= known, f"no such table: {given.keys() - known}"
    for schema in INPUTS:
        rows = given.get(name_of(schema), USUAL.get(name_of(schema), []))
        _lay(books, schema, [_filled(schema, row, at) for at, row in enumerate(rows)])
    _lay(books, UnreadablePrices, given.get("unreadable_prices", []))
    _lay(books, Practice, [_settings(given.get("practice", {}))])
    books.connection.execute(
        "create or replace table input.run as select ?::date as as_of",
        [given.get("as_of", AS_OF)],
    )


def _lay(books: Ledger, schema: Schema, rows: Sequence[Row]) -> None:
    """Put rows into a table of `input.*`."""
    name, key, laid = name_of(schema), repr(rows), _LAID if books is _kept() else {}
    if laid.get(name) != key:
        load(books.connection, schema, _table(schema, rows), f"input.{name}")
        laid[name] = key


@contextmanager
def two_nights(before: Given, now: Given) -> Iterator[Ledger]:
    """The sheets accepted last and tonight's, laid out for the guards to compare."""
    with kept_ledger() as books:
        lay_out(books, before)
        books.connection.execute("create schema if not exists baseline.input")
        for name in ("run", "practice", *map(name_of, INPUTS)):
            books.connection.execute(
                f"create or replace table baseline.input.{name} as select * from input.{name}"
            )
        lay_out(books, now)
        typed = (
            "create or replace table staged.patients as select * from input.patients"
        )
        books.connection.execute(typed)
        yield books


def record_night(books: Ledger) -> None:
    """Record what `work_out` made, as the night does, in the ledger in memory."""
    run = books.connection.execute
    for schema in INPUTS:
        name = name_of(schema)
        run(f"create or replace table staged.{name} as select * from input.{name}")
    as_of = books.value("select as_of from input.run")
    night = Night(as_of, "0", (), {}, {}, [], [], 0, frozenset(map(name_of, ACCEPTED)))
    stage(books, night)
    run("begin")
    run_no = books.last_run_no + 1
    record(books, night, run_no)
    count_numbers(books, run_no)
    run("commit")


def bill(books: Ledger, given: Given) -> None:
    """One whole night in memory: the rules, and what they made recorded."""
    work_out(books, given)
    record_night(books)


def _shown(value: Any) -> Any:
    return str(value) if isinstance(value, (date, Decimal)) else value


def read(books: Ledger, table: str, names: str) -> list[Any]:
    """The named columns of a table's rows, in their order; of one name, bare values."""
    found = books.rows(f"select {names} from {table} order by all")
    rows = [tuple(_shown(value) for value in row.values()) for row in found]
    return [row[0] for row in rows] if "," not in names else rows


def made(model: str, names: str, given: Given) -> list[Any]:
    """The named columns of what a rule makes of a practice (see `work_out`)."""
    # The rules after the one that is asked for could only cost time, and those before
    # it are held to their schemas by tests of their own.
    upto = [name_of(schema) for schema in MODELS].index(model)
    with kept_ledger() as books:
        lay_out(books, given)
        _issue(books, given)
        transform(
            books.connection, hold=MODELS[upto : upto + 1], models=MODELS[: upto + 1]
        )
        return read(books, f"model.{model}", names)


# Practices side by side: which cells of a sheet name something, the codes of each
# practice being its own; what belongs to all of one night; and whose a row is.
CODES = {
    "tax_codes": ["code"],
    "products": ["code", "tax_code"],
    "contacts": ["code"],
    "patients": ["patient_id", "membership", "bill_to"],
    "contract_prices": ["contact_code", "product_code", "row_key"],
    "price_changes": ["product_code", "row_key"],
    "invoice_requests": ["request_id", "patient_id", "product_code", "bill_to"],
}
OF_THE_NIGHT = ("as_of", "practice", "nights", "issued")
ROWS_APART = 1000
WHOSE = {
    "settled": "patient_row // 1000",
    "price_conflicts": "row_number // 1000",
    "new_invoices": "split_part(coalesce(patient_id, bill_to), '~', 1)::integer",
}
BY_PATIENT = "split_part(patient_id, '~', 1)::integer"


def side_by_side(model: str, names: str, practices: Sequence[Given]) -> list[list[Any]]:
    """What `made` gives for each of several practices, worked out in one night.

    Each has patients, products, payers and rows of its own, which the others' rules must
    leave alone. Those of other days or settings have nights of their own. Numbers of
    invoices and the order of billed lines are those of the whole night.
    """
    found: list[list[Any]] = [[] for _ in practices]
    nights: dict[str, list[int]] = {}
    for at, given in enumerate(practices):
        night = repr([given.get(name) for name in OF_THE_NIGHT])
        nights.setdefault(night, []).append(at)
    titles = [name.strip().rpartition(" ")[2] for name in names.split(",")]
    for together in nights.values():
        given = {k: v for k, v in practices[together[0]].items() if k in OF_THE_NIGHT}
        for at in together:
            for name, rows in _apart(at + 1, practices[at]).items():
                given.setdefault(name, []).extend(rows)
        for whose, *row in made(
            model, f"{WHOSE.get(model, BY_PATIENT)}, {names}", given
        ):
            cells = [
                _as_alone(whose, title, value)
                for title, value in zip(titles, row, strict=True)
            ]
            found[whose - 1].append(tuple(cells) if len(cells) > 1 else cells[0])
    return found


def _apart(at: int, given: Given) -> dict[str, list[Any]]:
    """The rows of a practice, each code and place in a sheet made its own."""

    def own(value: Any) -> Any:
        return value if value is None else f"{at}~{value}"

    found: dict[str, list[Any]] = {}
    for name, codes in CODES.items():
        rows = [
            PLAIN.get(name, {}) | row for row in given.get(name, USUAL.get(name, []))
        ]
        found[name] = [
            {"row_number": at * ROWS_APART + place + 2}
            | {title: own(v) if title in codes else v for title, v in row.items()}
            for place, row in enumerate(rows)
        ]
    found["unreadable_prices"] = [
        row | {"row_number": at * ROWS_APART + row["row_number"]}
        for row in given.get("unreadable_prices", [])
    ]
    for name in ("billed", "filled", "freed"):
        found[name] = [(own(code), *rest) for code, *rest in given.get(name, [])]
    return found


def _as_alone(at: int, title: str, value: Any) -> Any:
    """A cell as it is where the practice is alone."""
    if isinstance(value, str):
        return re.sub(rf"\brow {at}0*(\d+)", r"row \1", value.replace(f"{at}~", ""))
    if value is not None and title.endswith(("row", "row_number")):
        return value - at * ROWS_APART
    return value


def answers(
    cases: Sequence[Any], model: str, names: str, given: Callable[..., Given]
) -> dict[str, list[Any]]:
    """What a rule makes of each case by its ID; `given` makes a practice of a case.

    The last value of a case is what it comes to (see `wanted`).
    """
    practices = [given(*case.values[:-1]) for case in cases]
    found = side_by_side(model, names, practices)
    return dict(zip((case.id for case in cases), found, strict=True))


def wanted(cases: Sequence[Any]) -> dict[str, list[Any]]:
    """What each case should come to by its ID; of one row, the row alone will do."""
    ids = [case.id for case in cases]
    assert len(ids) == len(set(ids))
    rows = [case.values[-1] for case in cases]
    return dict(
        zip(ids, [r if isinstance(r, list) else [r] for r in rows], strict=True)
    )
