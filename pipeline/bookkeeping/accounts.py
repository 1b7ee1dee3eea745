"""Reads the ledger back as the values the outputs are drawn from."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, get_type_hints

from pipeline.bookkeeping import deferred, journal, months
from pipeline.bookkeeping.books import (
    Change,
    Document,
    Entry,
    Held,
    Issued,
    IssuedLine,
    Letterhead,
    Line,
    Month,
    Night,
    OpenProblem,
    Posting,
)
from pipeline.bookkeeping.deferred import first_of, last_of
from pipeline.bookkeeping.records import columns, records
from pipeline.bookkeeping.seals import closed
from pipeline.judging.who_fixes import WhoFixes
from pipeline.ledger import BARE, STANDINGS, Ledger, current
from pipeline.outbox import DOCUMENT_PATH
from pipeline.problems import Place, Problem, Severity
from pipeline.proof.soundness import damaged
from pipeline.record import fingerprints, letterhead_columns

# A document's state: what was credited, the latest sending, whether it counts; all of it
# up to a run, so that the register of a closed month stays what it was. A credit note
# counts for as long as its invoice does. The documents are chosen first: what is asked
# for is a small part of a past that only grows.
_ENTRIES = f"""
with
chosen as materialized (
    select invoices.*, runs.run_id, coalesce(credits_number, number) as invoice
    from ledger.invoices as invoices
    inner join ledger.runs as runs using (run_no)
    where CHOSEN
),
credited as (
    select credits_number as number, -sum(gross)::decimal(14, 2) as credits
    from ledger.invoices
    where kind = 'credit_note' and run_no <= UPTO
        and credits_number in (select invoice from chosen)
    group by credits_number
),
latest as (
    select number, sent_on, sent_to from ledger.sendings
    where number in (select number from chosen union all select invoice from chosen)
    -- Among the conditions above, which run it was would make DuckDB take all sendings
    -- for a fifth of them, and keep those in memory in place of what is chosen.
    qualify run_no <= UPTO and row_number() over (
        partition by number
        order by run_no <= UPTO desc, sent_on desc, sending_no desc
    ) = 1
)
select
    invoices.number,
    invoices.kind,
    coalesce(credited.credits >= coalesce(original.gross, invoices.gross), false)
        as in_full,
    case
        when invoices.kind = 'invoice' and in_full then 'credited'
        when latest.sent_on is not null then 'sent'
        else 'unsent'
    end as status,
    not in_full as active,
    invoices.membership,
    invoices.issued_on,
    invoices.due_on,
    invoices.patient_id,
    invoices.patient_name,
    invoices.bill_to,
    invoices.bill_to_name,
    invoices.currency,
    invoices.net,
    invoices.tax,
    invoices.gross,
    if(invoices.kind = 'invoice', coalesce(credited.credits, 0.00), 0.00) as credits,
    latest.sent_on,
    latest.sent_to,
    invoices.run_id,
    invoices.sequence,
    case
        when invoices.kind = 'invoice'
        then invoices.gross - coalesce(credited.credits, 0.00)
        when invoices.credits_number in (select number from latest) then invoices.gross
        else 0.00
    end as open,
    {DOCUMENT_PATH} as path,
    invoices.credits_number,
    original.issued_on as credits_issued_on,
    invoices.reason,
    invoices.accounts_reference,
    invoices.run_no
from chosen as invoices
left join ledger.invoices as original on original.number = invoices.credits_number
left join credited on credited.number = invoices.invoice
left join latest on latest.number = invoices.number
"""

# What may be unsent, told by the sendings alone: nothing else is read of a long past.
_NEVER_SENT = (
    "select number from ledger.invoices anti join ledger.sendings using (number)"
)

_IN_MONTH = "issued_on between ? and ?"

_AT_A_TIME = 2_000  # documents with their lines: some 10 MB

_LINE = get_type_hints(Line)
_ADDRESS = dict.fromkeys(("address_line_1", "address_line_2", "town", "postcode"), str)
_DOCUMENT = {
    name: kind
    for name, kind in get_type_hints(Document).items()
    if name not in ("address", "letterhead", "lines", "address_cells")
}


def entries(
    ledger: Ledger,
    where: str = "true",
    values: Sequence[Any] = (),
    *,
    only: str = "true",
    upto: int | None = None,
) -> tuple[Entry, ...]:
    """Documents with their state now, or after run `upto`, in order of number.

    `where` chooses among the rows of `ledger.invoices`, `only` by state. Invoices come
    first.
    """
    source = f"select * from ({_with_state(where, upto)}) as listed where {only}"
    return records(ledger, Entry, source, "kind desc, sequence", values)


def _with_state(where: str, upto: int | None) -> str:
    return _ENTRIES.replace("UPTO", str(upto or "run_no")).replace("CHOSEN", where)


def unsent_entries(ledger: Ledger) -> tuple[Entry, ...]:
    """Every document nobody has sent."""
    never = f"number in ({_NEVER_SENT})"
    return entries(ledger, never, only="status = 'unsent'")


def entries_since(
    ledger: Ledger, since: date, unsent: Iterable[Entry]
) -> tuple[Entry, ...]:
    """What was issued since a day, and what of the `unsent` is older.

    In order of number, invoices first: their dates do not fall as numbers rise.
    """
    earlier = [entry for entry in unsent if entry.issued_on < since]
    listed = [*earlier, *entries(ledger, "issued_on >= ?", [since])]
    return tuple(sorted(listed, key=lambda entry: entry.kind != "invoice"))


def earlier_months(ledger: Ledger, most: int) -> dict[str, int]:
    """The months (YYYY-MM) whose documents go beyond the newest `most`, and their counts.

    A month is left out whole; the newest never is.
    """
    rows = ledger.rows(
        "select strftime(issued_on, '%Y-%m') as month, count(*) as documents,"
        " sum(count(*)) over (order by month desc) as so_far"
        " from ledger.invoices group by month order by month desc"
    )
    return {row["month"]: row["documents"] for row in rows[1:] if row["so_far"] > most}


def documents(
    ledger: Ledger, where: str = "true", values: Sequence[Any] = ()
) -> Iterator[Document]:
    """Documents as issued, with lines and letterhead, in order of number."""
    chosen = ledger.rows(
        f"select number from ledger.invoices as invoices where {where}"
        " order by kind desc, sequence",
        values,
    )
    heads, adopted = _letterheads(ledger), _adopted(ledger)
    numbers = [row["number"] for row in chosen]
    for at in range(0, len(numbers), _AT_A_TIME):
        yield from _documents(ledger, numbers[at : at + _AT_A_TIME], heads, adopted)


def _documents(
    ledger: Ledger,
    numbers: Sequence[str],
    heads: dict[int, Letterhead],
    adopted: dict[str, dict[str, str]],
) -> Iterator[Document]:
    lines: dict[str, list[Line]] = {}
    many, *fields = columns(
        ledger,
        {"number": str, **_LINE},
        "select * from ledger.lines where number in (select unnest($1))",
        "number, line",
        [numbers],
    )
    for number, *row in zip(many, *fields, strict=True):
        lines.setdefault(number, []).append(Line(*row))
    runs, *fields = columns(
        ledger,
        {"run_no": int, **_ADDRESS, **_DOCUMENT},
        "select invoices.*, runs.run_id, chain.sha256,"
        " original.issued_on as credits_issued_on"
        " from ledger.invoices as invoices"
        " inner join ledger.runs as runs using (run_no)"
        " left join (select * from ledger.chain"
        "  where record_key in (select unnest($1))) as chain"
        "  on chain.record_key = invoices.number and chain.kind = invoices.kind"
        " left join ledger.invoices as original"
        "  on invoices.credits_number = original.number"
        " where invoices.number in (select unnest($1))",
        "kind desc, sequence",
        [numbers],
    )
    for run_no, *cells, row in zip(
        runs,
        *fields[: len(_ADDRESS)],
        zip(*fields[len(_ADDRESS) :], strict=True),
        strict=True,
    ):
        made = dict(zip(_DOCUMENT, row, strict=True))
        made.update(adopted.get(made["number"], {}))
        yield Document(
            **made,
            address=tuple(filter(None, cells)),
            letterhead=_headed(ledger, heads, run_no),
            lines=tuple(lines[made["number"]]),
            address_cells=tuple(cells),
        )


def _adopted(ledger: Ledger) -> dict[str, dict[str, str]]:
    """Documents entered again, with the run and the seal they were published under."""
    found = {}
    for row in ledger.rows("select report from ledger.runs where command = 'adopt'"):
        report = json.loads(row["report"])
        for number, seal in report["seals"].items():
            found[number] = {"run_id": report["of"], "sha256": seal}
    return found


def _headed(ledger: Ledger, heads: dict[int, Letterhead], run_no: int) -> Letterhead:
    if run_no not in heads:
        raise damaged(ledger.path, BARE)
    return heads[run_no]


def _letterheads(ledger: Ledger) -> dict[int, Letterhead]:
    rows = ledger.rows(f"select run_no, {letterhead_columns()} from ledger.letterheads")
    heads = {}
    for row in rows:
        run_no = row.pop("run_no")
        row.update({name: "" for name, value in row.items() if value is None})
        heads[run_no] = Letterhead(**row)
    return heads


def practice(ledger: Ledger) -> tuple[str, str]:
    """The practice's name and currency, as last accepted."""
    return _named(months.practice_then(ledger, ledger.last_run_no))


def _named(settings: dict[str, str]) -> tuple[str, str]:
    return settings.get("practicename") or "Practice", settings.get("currency") or "GBP"


def month(ledger: Ledger, name: str) -> Month:
    """A month (YYYY-MM) for the register, as of the run that last touched it."""
    state = months.state_of(ledger, name)
    title, currency = _named(months.practice_then(ledger, state.run_no))
    issued, lines = _issued(ledger, name, state.run_no)
    income = deferred.schedule(ledger, name)
    members = months.members(ledger, state)
    invoiced = sum(
        (line.gross for line in lines if line.kind == "invoice"), Decimal("0.00")
    )
    return Month(
        month=name,
        practice_name=title,
        currency=currency,
        documents=issued,
        lines=lines,
        chain_head=state.chain_head,
        as_of=state.day,
        deferrals=income.rows,
        taken_back=income.taken_back,
        carried=deferred.schedule(ledger, deferred.following(name, -1)).closing,
        postings=journal.journal(lines, income.rows, income.taken_back, name),
        members=members,
        roster=months.roster(ledger, state),
        others=invoiced - sum((member.invoiced for member in members), Decimal("0.00")),
        unsent=months.unsent(ledger, state),
        totals=months.totals(ledger, name),
        series=months.series(ledger, name),
        closed=closed(ledger, name),
    )


def postings(ledger: Ledger, name: str) -> tuple[Posting, ...]:
    """The journal of a month (YYYY-MM)."""
    income = deferred.schedule(ledger, name)
    _, lines = _issued(ledger, name)
    return journal.journal(lines, income.rows, income.taken_back, name)


def _issued(
    ledger: Ledger, name: str, upto: int | None = None
) -> tuple[tuple[Issued, ...], tuple[IssuedLine, ...]]:
    """A month's documents with their state after run `upto`, or now, and their lines."""
    days = [first_of(name), last_of(name)]
    *fields, runs = columns(
        ledger,
        {**_of(Issued, but="letterhead"), "run_no": int},
        _with_state(_IN_MONTH, upto),
        "kind desc, sequence",
        days,
    )
    heads, adopted = _letterheads(ledger), _adopted(ledger)
    heads_of_all = [_headed(ledger, heads, run_no) for run_no in runs]
    made = map(Issued._make, zip(*fields, heads_of_all, strict=True))
    issued = {
        each.number: each._replace(run_id=adopted[each.number]["run_id"])
        if each.number in adopted
        else each
        for each in made
    }
    numbers, *fields = columns(
        ledger,
        {"number": str, **_of(IssuedLine, but="document")},
        "select lines.*, invoices.kind, invoices.sequence from ledger.lines as lines"
        f" inner join ledger.invoices as invoices using (number) where {_IN_MONTH}",
        "kind desc, sequence, line",
        days,
    )
    of = map(issued.__getitem__, numbers)
    lines = tuple(map(IssuedLine._make, zip(of, *fields, strict=True)))
    return tuple(issued.values()), lines


def _of(record: type, *, but: str) -> dict[str, Any]:
    """The columns a record is made of, without one that is no column."""
    hints = get_type_hints(record)
    del hints[but]
    return hints


def last_night(ledger: Ledger) -> dict[str, Any] | None:
    """The row of the last night's run."""
    rows = ledger.rows(
        "select * from ledger.runs where command = 'bill' order by run_no desc limit 1"
    )
    return rows[0] if rows else None


def night(ledger: Ledger) -> Night | None:
    """The last night as the issues workbook and the summary page tell it."""
    run = last_night(ledger)
    if run is None:
        return None
    report = json.loads(run["report"])
    title, currency = practice(ledger)
    return Night(
        run_id=run["run_id"],
        as_of=run["as_of"],
        practice_name=title,
        currency=currency,
        memberships=report["memberships"],
        made=(
            entries(ledger, "run_no = ?", [run["run_no"]])
            if report["invoices_made"]
            else ()
        ),
        made_before=ledger.value(
            "select count(*) from ledger.invoices inner join ledger.runs using (run_no)"
            " where command = 'bill' and kind = 'invoice' and as_of = ? and run_no < ?",
            [run["as_of"], run["run_no"]],
        ),
        held=tuple(_held(ledger, report)),
        problems=tuple(open_problems(ledger)),
        changes=tuple(_changes(ledger, run["run_no"])),
        unsent=unsent_entries(ledger),
        months=months.totals(ledger, f"{run['as_of']:%Y-%m}"),
        accepted_guards=tuple(filter(None, run["accepted_guards"].split(","))),
        chain_head=months.link_of(ledger, run["run_no"]),
        report=report,
    )


def _held(ledger: Ledger, report: dict[str, Any]) -> Iterator[Held]:
    for row in ledger.rows(
        f"select * from ({STANDINGS}) where bucket = 'held' order by"
        # Row 9 comes before row 10.
        " if(patient_id is null, length(standing_key), 99), standing_key"
    ):
        # A membership without a Patient ID is known by its row: `#row 7`.
        at = row["standing_key"].removeprefix("#")
        yield Held(
            row["patient_id"] or (f"Patients {at}" if at.startswith("row ") else ""),
            row["product_code"] or "",
            row["reason"] or "",
            row["held_amount"],
        )
    for request in report["held"]:
        amount, at = request["amount"], request.get("row")
        yield Held(
            request["patient_id"] or (f"Invoice requests row {at}" if at else ""),
            request["product_code"] or "",
            request["reason"] or "",
            None if amount is None else Decimal(amount),
        )


def open_problems(ledger: Ledger) -> Iterator[OpenProblem]:
    """The problems of the last night, with when each was first seen."""
    who = WhoFixes(ledger)
    for row in _open_rows(ledger):
        problem = _problem(row)
        yield OpenProblem(
            problem, row["first_seen"], row["nights"], who.of(problem.place)
        )


def with_history(
    ledger: Ledger, problems: Sequence[Problem], day: date, *, refused: bool
) -> tuple[OpenProblem, ...]:
    """Problems of a check or a refused night, which are recorded nowhere.

    One that the last night had too was first seen when that night says; a refused night
    is one night more.
    """
    who = WhoFixes(ledger)
    known = {row["fingerprint"]: row for row in _open_rows(ledger)}
    opened = []
    for fingerprint, problem in fingerprints(problems):
        row = known.get(fingerprint)
        first, nights = (row["first_seen"], row["nights"]) if row else (day, 0)
        nights = max(nights + refused, 1)
        opened.append(OpenProblem(problem, first, nights, who.of(problem.place)))
    return tuple(opened)


def _open_rows(ledger: Ledger) -> list[dict[str, Any]]:
    in_force = current("ledger.problems", "fingerprint")
    return ledger.rows(
        "with nights as (select * from ledger.runs where command = 'bill'),"
        " gone as (select fingerprint, max(run_no) as run_no from ledger.problems"
        "  where removed group by fingerprint),"
        " since as (select problems.fingerprint, min(problems.run_no) as run_no"
        "  from ledger.problems as problems left join gone using (fingerprint)"
        "  where gone.run_no is null or problems.run_no > gone.run_no"
        "  group by problems.fingerprint)"
        " select open.*, first_run.as_of as first_seen,"
        # A day is a night, however often it was run.
        "  (select count(distinct as_of) from nights"
        "   where nights.run_no >= since.run_no) as nights"
        f" from ({in_force}) as open inner join since using (fingerprint)"
        " inner join ledger.runs as first_run on first_run.run_no = since.run_no"
        " order by open.file, open.sheet, open.row_number, open.cell, open.code,"
        " open.fingerprint"
    )


def _problem(row: dict[str, Any]) -> Problem:
    return Problem(
        severity=Severity(row["severity"]),
        code=row["code"],
        place=Place(
            row["file"],
            row["sheet"],
            row["row_number"],
            row["column_title"],
            row["cell"],
        ),
        found=row["found"],
        expected=row["expected"],
        repair=row["repair"],
        subject=row["subject"],
        effect=row["effect"],
        amount=row["amount"],
        personal=row["personal"],
    )


def _changes(ledger: Ledger, run_no: int) -> Iterator[Change]:
    for row in ledger.rows("select * from ledger.changes where run_no = ?", [run_no]):
        yield Change(
            table=row["table_name"],
            subject=row["subject"],
            column=row["column_title"],
            old=row["old_value"] or "",
            new=row["new_value"] or "",
            edited_by=row["edited_by"] or "",
            accepted=row["accepted"],
            reason=row["reason"] or "",
        )
