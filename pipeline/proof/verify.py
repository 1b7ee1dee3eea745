"""Proves a ledger and its outputs: each promise, and where it does not hold.

What the numbers in `serves` mean, and which promises no ledger can show, is told in
`docs/reliability.md`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipeline import chain, outbox
from pipeline.ledger import Ledger, read_head
from pipeline.proof.lost_numbers import lost_since, unknown_numbers
from pipeline.proof.probed import look_at_all, look_at_new, proved_until
from pipeline.proof.promises import PROMISES
from pipeline.proof.registers import registers_that_differ
from pipeline.proof.soundness import checksum_of, matches, unreadable_reports
from pipeline.proof.verify_files import (
    differ_when_made_again,
    drafts,
    imports_made_differently,
    imports_that_differ,
    not_private,
    were_changed,
)
from pipeline.published_files import published_paths
from schemas.columns import name_of
from schemas.ledger import ACCEPTED, LEDGER

SHORTEST_HEAD = 16
# Bytes of a ledger that is proved whole every night: some 30,000 documents, in a second.
SMALL = 32_000_000


@dataclass(frozen=True)
class Result:
    """A promise and what speaks against it; no faults when it holds.

    `serves` are the numbers of the promises it is a part of; `of_ledger` tells the books
    from the files made of them, which people can move about.
    """

    promise: str
    serves: tuple[int, ...]
    faults: list[str]
    of_ledger: bool = True


def verify(ledger: Ledger, out: Path, *, deep: bool = False) -> list[Result]:
    """Every promise, tried on the whole ledger and the files made from it.

    `deep` makes every invoice and every register again, which takes a while.
    """
    results = [Result("every table can be read", (11,), _unreadable(ledger))]
    if results[0].faults:
        return results
    results += books_hold(ledger)
    results += _between(ledger, out, None)
    results.append(
        Result(
            "no published workbook lies in another month's folder", (1, 6),
            _misplaced(ledger, out), of_ledger=False,
        )
    )  # fmt: skip
    waiting = _unpublished(ledger)
    results.append(
        Result("everything due was published", (6,), waiting, of_ledger=False)
    )
    results += files_hold(ledger, out)
    if deep:
        results += _deeply(ledger, out)
    return results


def books_hold(
    ledger: Ledger, proved: dict[str, Any] | None = None, since: int = 0
) -> list[Result]:
    """What the rows must show: all of them, or those added since they were `proved`.

    Links of the chain are worked out again from run `since` on.
    """
    results = []
    if proved:
        faults = look_at_new(ledger, proved)
        results.append(Result("what was proved before is as it was", (1, 4, 7), faults))
    else:
        look_at_all(ledger)
    found = _found(ledger, [query for *_, query in PROMISES])
    results += [
        Result(promise, serves, faults)
        for (promise, serves, _), faults in zip(PROMISES, found, strict=True)
    ]
    breaks = chain.breaks(ledger.connection, since)
    return [*results, Result("the hash chain is unbroken", (1, 4, 11), breaks)]


def files_hold(ledger: Ledger, out: Path, since: int = 0) -> list[Result]:
    """What the files must show; those published from run `since` on."""
    only = None if since == 0 else since
    return [
        Result(
            "every published invoice is as it was made", (4, 6),
            were_changed(ledger, out, since), of_ledger=False,
        ),
        Result(
            "every import file is as it was made", (4, 6),
            imports_that_differ(ledger, out, since), of_ledger=False,
        ),
        Result(
            "nobody else can read the ledger or what it makes", (15,),
            not_private(ledger, out, only), of_ledger=False,
        ),
        Result(
            "no file was left half made", (7,), drafts(ledger, out, only),
            of_ledger=False,
        ),
    ]  # fmt: skip


def _between(ledger: Ledger, out: Path, since: date | None) -> list[Result]:
    """What the ledger, its head file and the workbooks, of a month on, must agree on."""
    unknown = unknown_numbers(ledger, out, since)
    return [
        Result("the head file agrees with the ledger", (11,), _head(ledger)),
        Result(
            "every published workbook is in the ledger", (1, 6),
            [f"{number} lies in out/invoices and was never made by this ledger"
             for number in unknown][:20],
        ),
    ]  # fmt: skip


def night_holds(ledger: Ledger, out: Path, *, whole: bool) -> list[Result]:
    """The same promises at the end of a night, at a cost that grows little with the years.

    Without `whole`, of what was added since the ledger was proved last. Hashes are worked
    out again for new records and tonight's files alone, and workbooks looked for from the
    last month on, since `verify` and the head have the rest.
    """
    last = ledger.last_run_no
    proved = proved_until(ledger)
    since = min(last, proved["run"] + 1) if proved else last
    return [
        *books_hold(ledger, None if whole else proved, since),
        *_between(ledger, out, lost_since(ledger)),
        *files_hold(ledger, out, last),
    ]


def is_small(ledger: Ledger) -> bool:
    """Whether all of a ledger is proved every night."""
    return ledger.path.is_file() and ledger.path.stat().st_size <= SMALL


def _deeply(ledger: Ledger, out: Path) -> list[Result]:
    return [
        Result(
            "every invoice made again is the same, byte for byte", (4, 6, 12),
            differ_when_made_again(ledger), of_ledger=False,
        ),
        Result(
            "every import file made again is the same, byte for byte", (4, 6, 12),
            imports_made_differently(ledger), of_ledger=False,
        ),
        Result(
            "every register says what the ledger says", (5, 6),
            registers_that_differ(ledger, out), of_ledger=False,
        ),
    ]  # fmt: skip


def holds_link(ledger: Ledger, noted: str) -> Result:
    """Whether the ledger still holds a head that was written down elsewhere."""
    place = ledger.value(
        "select position from ledger.chain where starts_with(sha256, ?)",
        [noted.lower()],
    )
    faults = [] if place else [
        "no link of the chain is that one: the ledger is older than the note, is another,"
        " or its past was changed"
    ]  # fmt: skip
    return Result("the ledger still holds the head you noted", (4, 11), faults)


def is_head(text: str) -> bool:
    """Whether a text can be a chain head, or as much of it as the terminal shows."""
    return bool(re.fullmatch(rf"[0-9A-Fa-f]{{{SHORTEST_HEAD},64}}", text))


def _unreadable(ledger: Ledger) -> list[str]:
    """Read every cell there is: damage shows only where somebody looks."""
    faults = []
    names = [f"ledger.{name_of(schema)}" for schema in LEDGER]
    names += [f"ledger.accepted.{name_of(schema)}" for schema in ACCEPTED]
    for name in names:
        try:
            ledger.value(f"select bit_xor(hash(read)) from {name} as read")
        except duckdb.Error:
            faults.append(f"{name} is damaged")
    return faults or unreadable_reports(ledger.connection)


def _found(ledger: Ledger, queries: Sequence[str]) -> list[list[str]]:
    """For each query the first few rows of it, in words; it should have none.

    Of a small ledger in one statement: the plan of each costs more than what it finds.
    Of a large one each by itself: together they need the memory of all of them.
    """
    asked = [
        f"(select {number} as query, fault::varchar as fault from ({query}) limit 20)"
        for number, query in enumerate(queries)
    ]
    faults: list[list[str]] = [[] for _ in queries]
    for statement in [" union all ".join(asked)] if is_small(ledger) else asked:
        for row in ledger.rows(statement):
            faults[row["query"]].append(row["fault"])
    return faults


def _head(ledger: Ledger) -> list[str]:
    head = read_head(ledger.path)
    link = chain.head(ledger.connection)
    if head is None:
        return ["head.json is missing"] if link.position else []
    if (head["position"], head.get("sha256")) != (link.position, link.sha256):
        return [
            f"head.json is of link {head['position']}, the ledger of {link.position}"
        ]
    return []


def _misplaced(ledger: Ledger, out: Path) -> list[str]:
    """Workbooks of numbers this ledger gave, where it never put them."""
    known = ledger.rows(
        f"select number, {outbox.DOCUMENT_PATH} as path from ledger.invoices as invoices"
    )
    places = {row["number"]: row["path"] for row in known}
    return [
        f"{path} is of a number that belongs into {Path(places[number]).parent}: compare"
        " the two, it may be of a ledger that was replaced"
        for path in sorted(published_paths(out))
        if places.get(number := Path(path).stem, path) != path
    ][:20]


def _unpublished(ledger: Ledger) -> list[str]:
    """A night that was cut short leaves some; the next one publishes them first."""
    waiting = outbox.pending(ledger, everywhere=True)
    if not ledger.last_night_no:  # registers and lists are of nights
        waiting = [path for path in waiting if path.startswith(outbox.ONCE)]
    return [f"{path} waits for the next run" for path in waiting][:20]


def left_alone(path: Path) -> Result:
    """Whether the file is to the bit what its last run left; asked before it is opened.

    A run that was killed leaves no checksum: then there is nothing to compare with.
    """
    changed = path.is_file() and checksum_of(path).exists() and not matches(path)
    faults = ["it was damaged, exchanged or written to by another program"] * changed
    return Result("the ledger's file is as its last run left it", (4, 11), faults)
