"""A past for a practice: nights worked out and recorded by the program, one after another.

Rules, records and outbox are the program's own. What a real night does beside them would
take days for a large practice's years, and is left out: reading the sheets anew (they are
read once), guards, proofs and the copies of all nights but the last.
`tests/test_benchmarks.py` holds a past made so to real nights.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as arrow

from pipeline import chain, outbox
from pipeline.copies.backups import copy_to_backups, state
from pipeline.copies.csv_copies import weekly
from pipeline.files import private_folder, write_bytes
from pipeline.keys import must_be_new, rows_before
from pipeline.ledger import Ledger, ledger_path, locked, opened, settle
from pipeline.prepare import Prepared, prepare
from pipeline.proof.probed import note_proof
from pipeline.publish import publish
from pipeline.record import Night, record, stage
from pipeline.transaction import count_numbers
from pipeline.transform import transform
from pipeline.version import VERSION
from schemas.columns import name_of
from schemas.ledger import ACCEPTED

# The sent log of a practice that sends each night's invoices before the next.
_SENT = """
create or replace table input.sent as
select
    row_number() over (order by invoices.sequence)::integer + 1 as row_number,
    false as held,
    null::varchar as row_key,
    invoices.number as invoice_number,
    run.as_of as sent_on,
    'the address on it' as sent_to,
    'post' as how,
    'dd' as sent_by
from ledger.invoices as invoices cross join input.run as run
where invoices.run_no = (select max(run_no) from ledger.runs)
"""


def add(folder: Path, nights: Sequence[date], *, whole: bool = False) -> None:
    """Bill a practice on each of these days, from its sheets as they are.

    Without `whole` no files are made of it: each invoice counts as one that staff moved
    away, and each page is there in name alone, so `verify --deep` would not accept it.
    The past counts as proved, which `verify` shows that it is.
    """
    path = ledger_path(folder)
    with locked(path):
        with opened(path, write=True) as ledger:
            _live(ledger, folder, nights, whole=whole)
            note_proof(ledger)
            held = state(ledger)
        weekly(copy_to_backups(path, held, held.run_id), held.run_id)


def _live(ledger: Ledger, folder: Path, nights: Sequence[date], *, whole: bool) -> None:
    out = private_folder(folder / "out")
    prepared = prepare(ledger, folder, nights[0], lambda zone: nights[0])
    # Who joins in later years is in the sheet from the first night on.
    known = [one for one in prepared.problems if one.code != "start-far-off"]
    prepared = replace(prepared, problems=known)
    for number, day in enumerate(nights):
        _night(ledger, prepared, day, first=number == 0)
        if whole:
            settle(ledger)
            publish(ledger, out, withhold=True)
        else:
            _as_if_published(ledger)
    settle(ledger)
    if not whole:
        _stand_ins(ledger, out)


def _night(ledger: Ledger, prepared: Prepared, day: date, *, first: bool) -> None:
    run = ledger.connection.execute
    run("create or replace table input.run as select ?::date as as_of", [day])
    run(_SENT)
    transform(ledger.connection, hold=())
    sheets = prepared.reading.sheets
    work = Night(
        as_of=day,
        version=VERSION,
        accepted_guards=(),
        files=prepared.reading.files,
        sheet_files={name: sheet.file for name, sheet in sheets.items()},
        problems=prepared.problems,
        changes=prepared.changes if first else [],
        milliseconds=0,
        moved=frozenset(map(name_of, ACCEPTED)) if first else frozenset(),
    )
    stage(ledger, work)
    before = rows_before(ledger)
    run("begin")
    run_no = ledger.last_run_no + 1
    record(ledger, work, run_no)
    count_numbers(ledger, run_no)
    outbox.post(ledger, run_no)
    must_be_new(ledger, before)
    _extend(ledger, run_no)
    run("commit")


def _extend(ledger: Ledger, run_no: int) -> None:
    """`chain.extend`, with its links inserted as one table."""
    link = chain.head(ledger.connection)
    links = []
    for kind, key, content in chain.records(ledger.connection, run_no):
        sha256 = chain.digest(link.sha256, kind, key, content)
        link = chain.Link(link.position + 1, kind, key, link.sha256, sha256)
        links.append(vars(link))
    ledger.connection.register("links", arrow.Table.from_pylist(links))
    ledger.connection.execute(
        "insert into ledger.chain"
        " select position, kind, record_key, previous, sha256 from links"
    )
    ledger.connection.unregister("links")


def _as_if_published(ledger: Ledger) -> None:
    ledger.connection.execute(
        "insert into ledger.published select path, run_no, sha256(path)"
        " from ledger.outbox where run_no = ?",
        [ledger.last_run_no],
    )
    outbox.published_up_to(ledger, ledger.last_run_no)


def _stand_ins(ledger: Ledger, out: Path) -> None:
    """Something in the place of every page, or the next night would make them all."""
    for path in outbox.paths(ledger):
        if not path.startswith("invoices/"):
            write_bytes(out / path, hashlib.sha256(path.encode()).hexdigest().encode())
