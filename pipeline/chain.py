"""The hash chain: every document, sending and run carries the hash of what came before.

A link is SHA-256 over the previous link, the kind, the key and the record's fields;
what a record says of a person goes into it as a hash of its own (`pipeline.personal`).
It shows that the ledger's past was not changed after its head was written down
elsewhere; it cannot show who changed it, nor help if every copy is changed alike.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import duckdb

from pipeline import bulk
from pipeline.fetching import first_row
from pipeline.personal import LINE, PATIENT, PAYER, SENDING, Part

START = "0" * 64


@dataclass(frozen=True)
class Link:
    """One link: its place in the chain, what it covers, and its hash."""

    position: int
    kind: str
    record_key: str
    previous: str
    sha256: str


def digest(previous: str, kind: str, key: str, content: object) -> str:
    """SHA-256 of a record on top of the previous link, as 64 hex digits."""
    text = _as_text([previous, kind, key, content])
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


# When and how long a run worked is a fact of the machine, not of the books.
_NOT_HASHED = ("recorded_at", "milliseconds")

# An encoder made once, not for each record.
_as_text = json.JSONEncoder(default=str, separators=(",", ":")).encode

# Records and links that are read at once. A query for each run would take as long for a
# small one as for fifty, and one for all of them would need memory for them all.
_AT_A_TIME = 20_000

Row = dict[str, Any]


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()
) -> list[Row]:
    cursor = connection.execute(query, list(values))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@dataclass(frozen=True)
class _Teller:
    """Turns rows into what their links cover; knows the hashes of what is forgotten."""

    forgotten: dict[tuple[str, str], str]

    def content(self, row: Row, *parts: Part) -> list[object]:
        """A row's facts, and the hash of each part that says something of a person.

        A forgotten part has the hash it had, as long as its pseudonyms stand there.
        """
        apart = {name for part in parts for name in part.columns}
        facts = [value for name, value in row.items() if name not in apart]
        return [facts, *(self._hash(part, row) for part in parts)]

    def _hash(self, part: Part, row: Row) -> str:
        kept = self.forgotten.get((part.name, part.key_of(row)))
        if kept and all(row[name] == v for name, v in part.pseudonyms(row).items()):
            return kept
        return part.digest(row)


def records(
    connection: duckdb.DuckDBPyConnection, first_run: int = 0
) -> Iterator[tuple[str, str, object]]:
    """Kind, key and content of every record since a run, in the order of the chain.

    Within a run: documents by kind and number, then sendings, then the run itself with
    the letterhead of its documents.
    """
    kept = _rows(connection, "select part, record_key, sha256 from ledger.forgotten")
    tell = _Teller({(row["part"], row["record_key"]): row["sha256"] for row in kept})
    for first, last in _spans(connection, first_run):
        yield from _records_between(connection, tell, first, last)


def _spans(
    connection: duckdb.DuckDBPyConnection, first_run: int
) -> Iterator[tuple[int, int]]:
    """The first and last of runs that are read at once: one, or as many as are small."""
    runs = connection.execute(
        "select run_no, count(*) from (select run_no from ledger.runs"
        " union all select run_no from ledger.invoices"
        " union all select run_no from ledger.sendings)"
        " where run_no >= ? group by run_no order by run_no",
        [first_run],
    ).fetchall()
    span: list[int] = []
    held = 0
    for run_no, records in runs:
        if span and held + records > _AT_A_TIME:
            yield span[0], span[-1]
            span, held = [], 0
        span.append(run_no)
        held += records
    if span:
        yield span[0], span[-1]


def _records_between(
    connection: duckdb.DuckDBPyConnection, tell: _Teller, first: int, last: int
) -> Iterator[tuple[str, str, object]]:
    """The records of the runs from one number to another."""

    def by(name: str, query: str) -> dict[Any, list[Row]]:
        found: dict[Any, list[Row]] = {}
        for row in _rows(connection, query, [first, last]):
            found.setdefault(row[name], []).append(row)
        return found

    lines = by(
        "number",
        "select lines.* from ledger.lines as lines"
        " inner join ledger.invoices as invoices using (number)"
        " where invoices.run_no between ? and ? order by number, line",
    )
    documents = by(
        "run_no",
        "select * from ledger.invoices where run_no between ? and ?"
        " order by kind desc, sequence",
    )
    sendings = by(
        "run_no",
        "select * from ledger.sendings where run_no between ? and ? order by sending_no",
    )
    runs = by(
        "run_no",
        "select * from ledger.runs where run_no between ? and ? order by run_no",
    )
    heads = by(
        "run_no", "select * from ledger.letterheads where run_no between ? and ?"
    )
    for run_no, (run,) in runs.items():
        for row in documents.get(run_no, []):
            told = [tell.content(line, LINE) for line in lines.get(row["number"], [])]
            yield row["kind"], row["number"], [tell.content(row, PATIENT, PAYER), told]
        for row in sendings.get(run_no, []):
            yield "sending", str(row["sending_no"]), tell.content(row, SENDING)
        facts = [v for k, v in run.items() if k not in _NOT_HASHED]
        letterhead = [list(row.values()) for row in heads.get(run_no, [])]
        yield "run", str(run_no), [facts, letterhead]


def head(connection: duckdb.DuckDBPyConnection) -> Link:
    """The last link, or the start of an empty chain."""
    row = first_row(
        connection,
        "select position, kind, record_key, previous, sha256 from ledger.chain"
        " order by position desc limit 1",
    )
    return Link(*row) if row else Link(0, "", "", "", START)


def extend(connection: duckdb.DuckDBPyConnection, run_no: int) -> Link:
    """Append the links of one run; returns the new head."""
    link = head(connection)
    links = []
    for kind, key, content in records(connection, run_no):
        link = Link(
            link.position + 1,
            kind,
            key,
            link.sha256,
            digest(link.sha256, kind, key, content),
        )
        links.append((link.position, kind, key, link.previous, link.sha256))
    types = ["integer", *["varchar"] * 4]
    bulk.insert(connection, "ledger.chain", types, links)
    return link


def breaks(connection: duckdb.DuckDBPyConnection, first_run: int = 0) -> list[str]:
    """Where the chain does not hold, in words; none for a sound ledger.

    Worked out again from a run on; the links before it are counted alone.
    """
    (before,) = first_row(
        connection,
        "select (select count(*) from ledger.invoices where run_no < $1)"
        " + (select count(*) from ledger.sendings where run_no < $1)"
        " + (select count(*) from ledger.runs where run_no < $1)",
        [first_run],
    ) or (0,)
    written = _links(connection, before)
    previous = next(written, (START,))[-1] if before else START
    expected = records(connection, first_run)
    for position, (record, row) in enumerate(
        zip_longest(expected, written), before + 1
    ):
        if record is None or row is None:
            return [_MISCOUNTED.format(*_counts(connection))]
        kind, key, content = record
        digests = (digest(previous, kind, key, it) for it in _known_as(kind, content))
        if row[:4] != (position, kind, key, previous) or row[4] not in digests:
            return [f"{kind} {key} is not what was written (link {position})"]
        previous = row[-1]
    # A link that stands twice may lie where one look ends and the next begins.
    links, of = _counts(connection)
    return [_MISCOUNTED.format(links, of)] if links != of else []


def _known_as(kind: str, content: Any) -> Iterator[object]:
    """The contents under which a record may have been written.

    Runs of before the letterhead was hashed have a link of their own fields alone.
    """
    yield content
    if kind == "run":
        yield content[0]


def _links(
    connection: duckdb.DuckDBPyConnection, first: int
) -> Iterator[tuple[int, str, str, str, str]]:
    """The links as they are written, from a place in the chain on."""
    while links := connection.execute(
        "select position, kind, record_key, previous, sha256 from ledger.chain"
        " where position >= ? order by position limit ?",
        [first, _AT_A_TIME],
    ).fetchall():
        yield from links
        first = links[-1][0] + 1


_MISCOUNTED = "the chain has {} links for {} records"


def _counts(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    links, of = first_row(
        connection,
        "select (select count(*) from ledger.chain),"
        " (select count(*) from ledger.invoices)"
        " + (select count(*) from ledger.sendings) + (select count(*) from ledger.runs)",
    ) or (0, 0)
    return links, of
