"""A group without a cluster: which folders are practices, what is told, what is lost."""

import io
import json
import os
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pipeline.exports import group_list, group_page
from pipeline.group import cluster, run
from pipeline.group.copies import namesakes
from pipeline.group.folders import find_practices
from pipeline.group.homes import homes
from pipeline.group.night import Job, Record
from pipeline.group.outcome import Group, in_order, state
from pipeline.problems import Refused
from tests import practice

DAY = date(2026, 2, 28)
MOMENT = datetime(2026, 2, 28, 3, 30, tzinfo=UTC)


def sheet(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("", encoding="utf-8")


def test_a_folder_with_any_sheet_is_a_practice_in_whatever_form_it_was_saved(
    tmp_path: Path,
) -> None:
    sheet(
        tmp_path, "b/patients.csv", "a/north/Sent Log.xlsx", "a/south/products.ods",
        "a/south 2/SETTINGS.xlsm", "c/notes.xlsx", "d/patients.txt", "e/readme.md",
    )  # fmt: skip
    found = find_practices(tmp_path)
    assert found.practices == ["a/north", "a/south", "a/south 2", "b"]
    assert found.notes == []


def test_what_the_program_made_and_hidden_folders_are_not_looked_into(
    tmp_path: Path,
) -> None:
    sheet(
        tmp_path, "a/patients.csv", "a/out/patients.csv", "out/x/patients.csv",
        "ledger/patients.csv", ".snapshots/a/patients.csv", "group/last_group.json",
    )  # fmt: skip
    found = find_practices(tmp_path)
    assert (found.practices, found.notes) == (["a"], [])


def test_the_root_may_be_the_one_practice(tmp_path: Path) -> None:
    sheet(tmp_path, "patients.csv")
    assert find_practices(tmp_path).practices == ["."]


def test_a_practice_whose_name_is_no_text_is_kept_apart(tmp_path: Path) -> None:
    cafe = os.fsdecode(b"caf\xe9")
    sheet(
        tmp_path, "a/patients.csv", f"{cafe}/patients.csv", f"{cafe}/old/patients.csv",
        f"north/{cafe}/patients.csv", "bell\x07/patients.csv",
    )  # fmt: skip
    found = find_practices(tmp_path)
    assert (found.practices, len(found.notes)) == (["a"], 1)
    assert found.unfit == ["bell?", r"caf\xe9", r"north/caf\xe9"]


def test_an_old_copy_inside_a_practice_is_told_and_not_billed(tmp_path: Path) -> None:
    sheet(tmp_path, "a/patients.csv", "a/old/2025/patients.csv", "group/patients.csv")
    found = find_practices(tmp_path)
    assert found.practices == ["a"]
    assert [note.partition(":")[0] for note in found.notes] == ["a/old/2025", "group"]


def test_links_are_told_and_never_followed(tmp_path: Path) -> None:
    sheet(tmp_path, "root/a/patients.csv", "elsewhere/patients.csv")
    root = tmp_path / "root"
    (root / "out of it").symlink_to(tmp_path / "elsewhere")
    (root / "inside").symlink_to(root / "a")
    (root / "round").symlink_to(root)
    (root / "a/more").symlink_to(root)
    found = find_practices(root)
    assert found.practices == ["a"]
    assert [note.partition(":")[0] for note in found.notes] == [
        "inside", "out of it", "round",
    ]  # fmt: skip


def billed(practice: str, **told: Any) -> Record:
    asked: dict[str, Any] = {
        "practice": practice, "code": 0, "name": f"Surgery {practice}", "run_id": "2026-02-28-01",
        "as_of": DAY, "documents": 2, "net": Decimal("100.00"), "tax": Decimal("20.00"),
        "gross": Decimal("120.00"), "unsent": 3, "unsent_sum": Decimal("180.00"),
    }  # fmt: skip
    return Record(**{**asked, **told})


RECORDS = (
    billed("fine"),
    billed("late", late="2 unsent for 30 days or more"),
    billed("look", why=("no copy of the ledger was made tonight",)),
    billed(
        "held", code=3, held=1, held_sum=Decimal("50.00"), held_unknown=1, issues=True
    ),
    Record("busy", 5, ("process 7 is working on this practice",)),
    Record("re/fused & <b>", 4, ("settings.csv: the file is missing",), issues=True),
    Record("crashed", 1, ("the process that billed it was killed 3 times",)),
)


def group(*records: Record, **told: Any) -> Group:
    return Group("Downs Group", DAY, MOMENT, in_order(records), **told)


def test_who_needs_a_person_most_comes_first() -> None:
    found = [state(each) for each in in_order(RECORDS)]
    assert found == ["crashed", "refused", "busy", "held", "look", "late", "fine"]


@pytest.mark.parametrize(
    ("left_out", "code"), [(0, 1), (1, 4), (2, 5), (3, 3), (4, 0), (6, 0)]
)
def test_the_exit_code_is_that_of_who_needs_a_person_most(
    left_out: int, code: int
) -> None:
    assert group(*in_order(RECORDS)[left_out:]).code == code


def test_a_group_that_was_cut_short_ends_with_1() -> None:
    assert group(billed("fine"), lost="the scheduler has no worker left").code == 1


def test_totals_are_of_one_currency_each() -> None:
    euro = billed("euro", currency="EUR", gross=Decimal("7.00"))
    found = {each.currency: each for each in group(*RECORDS, euro).totals}
    assert (found["GBP"].practices, found["GBP"].documents) == (4, 8)
    assert found["GBP"].gross == Decimal("480.00")
    assert found["GBP"].held_sum == Decimal("50.00")
    assert found["EUR"].gross == Decimal("7.00")


def cells(content: bytes, sheet_name: str) -> list[list[Any]]:
    book = load_workbook(io.BytesIO(content))
    return [[cell.value for cell in row] for row in book[sheet_name].iter_rows()]


def test_the_workbook_lists_every_practice_and_adds_them_up() -> None:
    content = group_list.render(group(*RECORDS, notes=("x: a link was not followed",)))
    rows = cells(content, "Practices")
    at = rows[3].index
    assert [row[0] for row in rows[4:]] == [
        "Not finished", "Refused", "Busy", "Held", "To look at", "Unsent too long", "Fine",
    ]  # fmt: skip
    assert rows[2][at("Gross (£)")] == "=SUBTOTAL(109,$H$5:$H$11)"
    assert rows[7][at("Held back (£)")] == 50
    assert (
        rows[4][at("What to know")] == "the process that billed it was killed 3 times"
    )
    assert cells(content, "Totals")[4][:6] == ["GBP", 4, 8, 400, 80, 480]
    assert cells(content, "To look at")[4] == ["x: a link was not followed"]
    book = load_workbook(io.BytesIO(content))
    linked = (cell.hyperlink for row in book["Practices"].iter_rows() for cell in row)
    targets = [link.target.replace("\\", "/") for link in linked if link]
    assert targets == [
        "../re/fused%20%26%20%3Cb%3E/out/issues.xlsx",
        "../held/out/summary.html", "../held/out/issues.xlsx", "../look/out/summary.html",
        "../late/out/summary.html", "../fine/out/summary.html",
    ]  # fmt: skip


def test_two_currencies_are_never_added_up() -> None:
    rows = cells(
        group_list.render(group(billed("a"), billed("b", currency="EUR"))), "Practices"
    )
    assert "Gross" in rows[3] and "Currency" in rows[3]
    assert not [cell for cell in rows[2][1:] if cell]


def test_the_page_runs_nothing_and_leads_to_each_practice() -> None:
    page = group_page.render(group(*RECORDS))
    assert "re/fused &amp; &lt;b&gt;" in page and "<b>" not in page
    links = re.findall(r'href="([^"]+)"', page)
    assert "../re/fused%20%26%20%3Cb%3E/out/issues.xlsx" in links
    assert "../held/out/summary.html" in links
    assert "7 practices: 1 not finished, 1 refused, 1 busy, 1 held" in page
    assert "Somebody is needed." in page
    assert "Nobody is needed." in group_page.render(group(billed("fine")))


def test_a_page_of_thousands_stays_one_a_browser_opens() -> None:
    many = group(*(billed(f"p{n:04}") for n in range(group_page.MOST_ROWS + 7)))
    page = group_page.render(many)
    assert "and 7 more practices in group.xlsx" in page
    assert page.count('<th scope="row">') == group_page.MOST_ROWS


def test_practices_of_one_name_are_told() -> None:
    (said,) = namesakes([billed("a"), billed("b", name="Surgery a"), billed("c")])
    assert said.startswith("a, b: all go by the name Surgery a")


def test_a_new_practice_gets_the_machine_with_most_room_and_keeps_it(
    tmp_path: Path,
) -> None:
    file = tmp_path / "homes.json"
    first = homes(file, ["a", "b", "c"], {"m1": 1, "m2": 2})
    assert sorted(first.of.values()) == ["m1", "m2", "m2"]
    again = homes(file, ["a", "b", "c", "d"], {"m2": 2})
    away = {name for name, machine in first.of.items() if machine == "m1"}
    assert again.away == dict.fromkeys(away, "m1")
    assert again.of == {
        name: "m2" for name in ("a", "b", "c", "d") if name not in away
    }  # fmt: skip
    file.write_text("{", encoding="utf-8")
    with pytest.raises(Refused):
        homes(file, ["a"], {"m2": 2})


class Future:
    """A night handed over, as Dask's own futures behave."""

    def __init__(self, result: Any):
        self.found = result

    def add_done_callback(self, tell: Callable[[Any], None]) -> None:
        if self.found is not None:
            tell(self)

    def result(self) -> Any:
        if isinstance(self.found, BaseException):
            raise self.found
        return self.found

    def release(self) -> None:
        pass


class Client:
    """A scheduler with two workers on two machines; what it gives back is prepared."""

    def __init__(self, results: dict[str, Any]):
        self.results = results
        self.handed: list[tuple[str, Any]] = []
        self.workers = deque([{"m1": 1, "m2": 1}])

    def scheduler_info(self, n_workers: int) -> dict[str, Any]:
        there = self.workers[0] if len(self.workers) == 1 else self.workers.popleft()
        return {
            "workers": {
                f"tcp://{host}:1": {"host": host, "nthreads": threads}
                for host, threads in there.items()
            }
        }

    def submit(
        self, work: Any, job: Job, *, key: str, pure: bool, **where: Any
    ) -> Future:
        self.handed.append((job.practice, where.get("workers")))
        return Future(self.results[job.practice])


def jobs(*names: str) -> Iterator[Job]:
    for name in names:
        yield Job(name, Path(name), Path(name), DAY, MOMENT, "g", "1", "")


def test_no_more_nights_are_handed_over_than_there_are_workers() -> None:
    client = Client({name: billed(name) for name in "abcd"})
    records = cluster.nights(client, jobs(*"abcd"))
    assert next(records).practice == "a"
    assert [name for name, _ in client.handed] == ["a", "b"]
    assert [record.practice for record in records] == ["b", "c", "d"]


def test_a_practice_is_billed_where_its_ledger_is() -> None:
    client = Client({name: billed(name) for name in "abc"})
    at = {"a": "m1", "b": "m1", "c": "m2"}
    assert {each.practice for each in cluster.nights(client, jobs(*"abc"), at)} == {
        *"abc"
    }
    assert dict(client.handed) == {"a": ["m1"], "b": ["m1"], "c": ["m2"]}


def test_what_was_begun_is_known_when_the_connection_is_lost() -> None:
    client = Client({"a": billed("a"), "b": OSError("gone"), "c": None, "d": None})
    heard = []
    with pytest.raises(cluster.Lost) as lost:
        for record in cluster.nights(client, jobs(*"abcd")):
            heard.append(record.practice)
    assert heard == ["a"]
    assert {job.practice for job in lost.value.begun} == {"b", "c"}


def test_nobody_waits_for_workers_that_do_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "NO_WORKERS", -1.0)
    client = Client({"a": None})
    client.workers = deque([{}])
    with pytest.raises(cluster.Lost, match="no worker left"):
        list(cluster.nights(client, jobs("a")))


def test_a_worker_without_the_program_is_a_record_and_no_traceback() -> None:
    client = Client({"a": ModuleNotFoundError("pipeline"), "b": billed("b")})
    found = {each.practice: each for each in cluster.nights(client, jobs(*"ab"))}
    assert (
        found["a"].code == 1
        and "could not run it (ModuleNotFoundError)" in (found["a"].why[0])
    )
    assert found["b"].code == 0


def lost_group(root: Path, monkeypatch: pytest.MonkeyPatch) -> practice.Result:
    """A group whose scheduler goes after the first of three practices."""
    sheet(root, "a/patients.csv", "b/patients.csv", "c/patients.csv")

    def some(client: Any, jobs: list[Job], at: Any) -> Iterator[Record]:
        yield billed(jobs[0].practice)
        raise cluster.Lost("the connection to the scheduler was lost", [jobs[1]])

    class Nobody:
        def __enter__(self) -> None:
            return None

        def __exit__(self, *error: object) -> None:
            return None

    monkeypatch.setattr(run, "cluster", lambda scheduler, workers: Nobody())
    monkeypatch.setattr(run, "nights", some)
    return practice.run("group", root, "--as-of", "2026-02-28")


def test_a_lost_scheduler_says_what_was_finished_and_ends_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = lost_group(tmp_path, monkeypatch)
    assert found.code == 1
    assert "Cut short: the connection to the scheduler was lost. Run" in found.err
    said = json.loads((tmp_path / "group/last_group.json").read_text(encoding="utf-8"))
    why = {each["practice"]: "".join(each["why"]) for each in said["practices"]}
    assert "may have been billed" in why["b"] and "was not begun" in why["c"]
    assert why["a"] == "" and said["practices_by_state"]["fine"] == 1


def test_a_page_somebody_has_open_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "group/group.xlsx").mkdir(parents=True)
    found = lost_group(tmp_path, monkeypatch)
    assert "group/group.xlsx could not be written" in found.err
    assert (tmp_path / "group/group.html").exists()


def test_a_practice_that_is_gone_since_the_last_group_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost_group(tmp_path, monkeypatch)
    (tmp_path / "c/patients.csv").unlink()
    (tmp_path / "c").rmdir()
    practice.run("group", tmp_path, "--as-of", "2026-02-28")
    said = json.loads((tmp_path / "group/last_group.json").read_text(encoding="utf-8"))
    assert said["notes"] == [
        "c: was in the last group and holds no sheets any more, or is gone"
    ]


def test_without_dask_one_sentence_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet(tmp_path, "a/patients.csv")
    monkeypatch.setitem(sys.modules, "distributed", None)
    found = practice.run("group", tmp_path)
    assert (found.code, found.err) == (
        4, "A group needs Dask, which is not installed: pip install 'membill[group]'\n",
    )  # fmt: skip


def test_a_scheduler_that_does_not_answer_is_said_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet(tmp_path, "a/patients.csv")
    monkeypatch.setattr(cluster, "CONNECT", 0.1)
    found = practice.run("group", tmp_path, "--scheduler", "tcp://127.0.0.1:9")
    assert found.code == 4
    assert found.err.startswith("no scheduler answers at tcp://127.0.0.1:9 (")
