"""Practice folders that are copies of each other: each member would be billed twice."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from pipeline.group.night import REFUSED, Job, Record
from pipeline.ledger import read_head
from pipeline.problems import Refused


def copies(jobs: Iterable[Job]) -> list[Record]:
    """Refusals of the practices whose ledger lies in another practice's folder as well.

    The same chain head means the same documents to the same people, to the letter; where
    there is no document yet, two practices may well have begun alike.
    Which one is the copy only a person can say.
    """
    same: dict[str, list[str]] = defaultdict(list)
    for job in jobs:
        try:
            head = read_head(job.ledger)
        except Refused:  # its own night says so
            continue
        if head and head.get("last_number"):
            same[str(head.get("sha256"))].append(job.practice)
    return [
        Record(practice, REFUSED, (_why(practice, practices),))
        for practices in same.values()
        if len(practices) > 1
        for practice in practices
    ]


def _why(practice: str, practices: list[str]) -> str:
    others = " and ".join(name for name in practices if name != practice)
    return (
        f"its ledger is also that of {others}: one folder is a copy of the other; move"
        " the copy out of the group's folder"
    )


def namesakes(records: Iterable[Record]) -> Iterator[str]:
    """Practices that go by one name: one may be a copy whose ledger was left out."""
    named: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if record.name:
            named[record.name].append(record.practice)
    for name, practices in named.items():
        if len(practices) > 1:
            yield (
                f"{', '.join(sorted(practices)[:5])}: all go by the name {name}; see that"
                " none is a copy of another"
            )
