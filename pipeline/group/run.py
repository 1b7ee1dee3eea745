"""The group, top to bottom: find the practices, bill each on Dask, say what came of it."""

import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.files import write_bytes
from pipeline.folder_names import FOUND, REPAIR, must_be_text
from pipeline.group.cluster import Lost, cluster, machines, nights
from pipeline.group.copies import copies, namesakes
from pipeline.group.folders import OWN, Found, find_practices
from pipeline.group.homes import homes
from pipeline.group.night import CRASHED, REFUSED, Job, Record
from pipeline.group.outcome import Group, in_order, state
from pipeline.ledger import ledger_path, locked
from pipeline.problems import refused

# Told of each record as it comes: the record, how many there are, how many there will be.
Heard = Callable[[Record, int, int], None]


@dataclass(frozen=True)
class Asked:
    """What a group is asked to do. `moment` is now, `command` one practice's command.

    `ledgers` is the folder that has each practice's ledger, `local` that it lies on the
    workers' own disks.
    """

    root: Path
    as_of: date | None
    moment: datetime
    command: Callable[[Path, Path | None], str]
    scheduler: str | None = None
    workers: int | None = None
    ledgers: Path | None = None
    local: bool = False


@dataclass(frozen=True)
class Outcome:
    """The group, and which of its pages could not be written and why."""

    group: Group
    warnings: tuple[str, ...]


def bill_group(asked: Asked, heard: Heard = lambda record, done, of: None) -> Outcome:
    """Bill every practice below the root; `ROOT/group/` then tells of all of them.

    Raises `Refused` where there is nothing to bill, `Busy` where another run works on
    this group, and what `cluster` raises.
    """
    root = Path(asked.root.absolute())
    for place in filter(None, (root, asked.ledgers)):
        must_be_text(place)
    if not root.is_dir():
        raise refused(
            str(root), "folder", "there is no such folder", "name the group's folder"
        )
    found = find_practices(root)
    if not found.practices and not found.unfit:
        raise refused(
            str(root), "no-practice", "no folder below it holds the sheets of a practice",
            "name the folder that the practices' folders lie in",
        )  # fmt: skip
    with locked(root / OWN / "group"):
        group = _billed(replace(asked, root=root), found, heard)
        return Outcome(group, tuple(_write(root / OWN, group)))


def _billed(asked: Asked, found: Found, heard: Heard) -> Group:
    jobs = _jobs(asked, found.practices)
    records: list[Record] = []
    unfit = [Record(name, REFUSED, (f"{FOUND}; {REPAIR}",)) for name in found.unfit]
    every = [*found.practices, *found.unfit]

    def take(record: Record) -> None:
        records.append(record)
        heard(record, len(records), len(every))

    with cluster(asked.scheduler, asked.workers) as client:
        at, apart = _apart(asked, jobs, client)
        for record in (*unfit, *apart):
            take(record)
        settled = {record.practice for record in apart}
        jobs = [job for job in jobs if job.practice not in settled]
        lost, begun = "", set[str]()
        try:
            for record in nights(client, jobs, at):
                take(record)
        except Lost as end:
            lost, begun = str(end), {job.practice for job in end.begun}
        except KeyboardInterrupt:
            lost, begun = "it was stopped by hand", {job.practice for job in jobs}
    known = {record.practice for record in records}
    for job in jobs:
        if job.practice not in known:
            take(_unfinished(job.practice, lost, job.practice in begun))
    gone = _gone(asked.root / OWN / "last_group.json", every)
    return Group(
        name=asked.root.name,
        day=asked.as_of or asked.moment.date(),
        moment=asked.moment,
        records=in_order(records),
        notes=(*gone, *found.notes, *namesakes(records)),
        lost=lost,
    )


def _apart(
    asked: Asked, jobs: Sequence[Job], client: Any
) -> tuple[dict[str, str] | None, list[Record]]:
    """Which machine has whose ledger, where that matters; and who cannot be billed."""
    if not asked.local:
        return None, copies(jobs)
    file = asked.root / OWN / "homes.json"
    at = homes(file, [job.practice for job in jobs], machines(client))
    return at.of, [_away(*each) for each in at.away.items()]


def _jobs(asked: Asked, practices: Sequence[str]) -> list[Job]:
    group = secrets.token_hex(8)
    jobs = []
    for practice in practices:
        folder = asked.root if practice == "." else asked.root / practice
        chosen = asked.ledgers and ledger_path(
            folder, asked.ledgers.absolute() / practice / "membill.duckdb"
        )
        jobs.append(
            Job(
                practice=practice,
                folder=folder,
                ledger=ledger_path(folder, chosen),
                as_of=asked.as_of,
                moment=asked.moment,
                group=group,
                version=version("membill"),
                command=asked.command(folder, chosen),
            )
        )
    return jobs


def _away(practice: str, machine: str) -> Record:
    return Record(
        practice,
        REFUSED,
        (
            f"its ledger lies on {machine}, which has no worker tonight: start one there,"
            " or move the ledger and its line in group/homes.json together",
        ),
    )


def _unfinished(practice: str, why: str, begun: bool) -> Record:
    done = (
        "it may have been billed; what is recorded is whole" if begun else "it was not begun"
    )  # fmt: skip
    return Record(practice, CRASHED, (f"{why}: {done}. Run the group again.",))


def _gone(file: Path, practices: Sequence[str]) -> list[str]:
    """Practices of the last group that are no longer there."""
    try:
        before = json.loads(file.read_text(encoding="utf-8"))["practices"]
        names = [str(each["practice"]) for each in before]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    there = set(practices)
    return [
        f"{name}: was in the last group and holds no sheets any more, or is gone"
        for name in names
        if name not in there
    ]


def _write(folder: Path, group: Group) -> list[str]:
    """Each page whole or not at all; one that is open elsewhere stops no other."""
    from pipeline.exports import group_list, group_page

    makers: dict[str, Callable[[], bytes]] = {
        "group.xlsx": lambda: group_list.render(group),
        "group.html": lambda: group_page.render(group).encode("utf-8"),
        "last_group.json": lambda: as_json(group),
    }
    warnings = []
    for name, make in makers.items():
        content = make()
        try:
            write_bytes(folder / name, content)
        except OSError as error:
            warnings.append(
                f"{OWN}/{name} could not be written ({error.strerror}) and is of an"
                " earlier group: close it if it is open"
            )
    return warnings


def as_json(group: Group) -> bytes:
    """The group as machines read it."""
    practices = [
        {"state": state(each), **_plain(asdict(each))} for each in group.records
    ]
    said = {
        "name": group.name,
        "day": group.day.isoformat(),
        "began_at": group.moment.isoformat(timespec="seconds"),
        "exit_code": group.code,
        "cut_short": group.lost,
        "practices_by_state": group.counts,
        "totals": [_plain(asdict(each)) for each in group.totals],
        "practices": practices,
        "notes": list(group.notes),
    }
    return (json.dumps(said, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    """Amounts and days as text, which JSON has no kind of value for."""
    return {
        name: str(value) if isinstance(value, Decimal | date) else value
        for name, value in fields.items()
    }
