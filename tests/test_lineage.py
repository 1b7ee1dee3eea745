"""Whether a copy is of the ledger that made what is in the world, and how it is told."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.bookkeeping.seals import Sealed
from pipeline.copies import lineage
from pipeline.files import private_folder
from pipeline.ledger import opened
from pipeline.problems import Refused
from pipeline.proof.soundness import checksum_of, note_checksum
from pipeline.record import add_run
from pipeline.transaction import transaction
from tests.given import kept_ledger

DAY = date(2026, 3, 1)
OURS = Sealed("a", DAY, Decimal("50.00"))
LATER = Sealed("b", date(2026, 3, 2), Decimal("1550.00"))
NUMBERS = [f"INV-00000{at}" for at in range(1, 6)]
HERE = dict.fromkeys(NUMBERS, OURS)
IS = "INV-000001 (1,550.00 of 2026-03-02, not 50.00 of 2026-03-01) is another document in"


@pytest.mark.parametrize(
    ("published", "made", "said"),
    [
        pytest.param({}, {}, "", id="nothing is known"),
        pytest.param({NUMBERS[0]: OURS}, {NUMBERS[0]: OURS}, "", id="the same"),
        pytest.param({"INV-000006": LATER}, {"INV-000007": LATER}, "",
                     id="documents of later numbers"),
        pytest.param({NUMBERS[0]: LATER}, {}, f"{IS} out/invoices", id="another workbook"),
        pytest.param({}, {NUMBERS[0]: LATER}, f"{IS} the ledger that is there now",
                     id="another one in the ledger there"),
        pytest.param({NUMBERS[1]: OURS}, {NUMBERS[0]: LATER},
                     f"{IS} the ledger that is there now", id="of another number a workbook"),
        pytest.param({NUMBERS[0]: OURS}, {NUMBERS[0]: LATER}, "",
                     id="the workbook decides over the ledger there"),
        pytest.param({NUMBERS[0]: OURS._replace(seal="b")}, {},
                     "INV-000001 (50.00 of 2026-03-01 under another seal) is another",
                     id="another seal alone"),
        pytest.param({NUMBERS[0]: OURS._replace(seal="b", gross=Decimal("40.00"))}, {},
                     "INV-000001 (40.00 of 2026-03-01, not 50.00 of 2026-03-01) is another",
                     id="another amount"),
        pytest.param(dict.fromkeys(NUMBERS[:3], LATER), {},
                     "INV-000003 (1,550.00 of 2026-03-02, not 50.00 of 2026-03-01) are other",
                     id="three are named"),
        pytest.param(dict.fromkeys(NUMBERS, LATER), {},
                     "2026-03-01) and 2 more are other documents in out/invoices",
                     id="and more are counted"),
    ],
)  # fmt: skip
def test_a_copy_must_hold_what_was_published_under_its_numbers(
    published: dict[str, Sealed], made: dict[str, Sealed], said: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(lineage, "own_seals", lambda connection: HERE)
    monkeypatch.setattr(lineage, "_workbooks", lambda copy, held, out: published)
    monkeypatch.setattr(lineage, "in_place", lambda path: made)
    found = ""
    with kept_ledger() as copy:
        try:
            lineage.must_be_the_same(copy, tmp_path / "x", tmp_path, "it")
        except Refused as refusal:
            found = str(refusal)
    assert said in found and bool(found) is bool(said)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that made one document, to be copied and never changed."""
    place = private_folder(tmp_path_factory.mktemp("made")) / "membill.duckdb"
    with opened(place, write=True) as ledger, transaction(ledger) as run_no:
        add_run(ledger, run_no, f"{DAY}-01", "bill", DAY, "0", {})
        ledger.connection.execute(
            "insert into ledger.letterheads (run_no, practice_name, vat_registered,"
            " prices_include_tax, deferred_basis, debtors_account, vat_account,"
            " deferred_account) values (1, 'Clinic', true, false, 'Months', '', '', '')"
        )
        ledger.connection.execute(
            "insert into ledger.invoices (number, kind, sequence, run_no, issued_on, due_on,"
            " membership, bill_to_name, currency, net, tax, gross) values ('INV-000001',"
            " 'invoice', 1, 1, '2026-03-01', '2026-03-01', true, '', 'GBP', 50, 0, 50)"
        )
    return place


def _gone(path: Path) -> None:
    path.unlink()


def _killed(path: Path) -> None:
    checksum_of(path).unlink()


def _changed(path: Path) -> None:
    note_checksum(path, "0" * 64)


def _damaged(path: Path) -> None:
    path.write_bytes(b"words")
    checksum_of(path).unlink()


def _older(path: Path) -> None:
    head = path.parent / "head.json"
    said = json.loads(head.read_text()) | {"sha256": "0" * 64}
    head.write_text(json.dumps(said))


def _lost_its_head(path: Path) -> None:
    (path.parent / "head.json").unlink()


@pytest.mark.parametrize(
    ("harm", "tells"),
    [
        (lambda path: None, True), (_killed, True), (_gone, False), (_changed, False),
        (_damaged, False), (_older, False), (_lost_its_head, False),
    ],
    ids=["as it was left", "killed", "gone", "changed", "damaged", "of another head",
         "without its head"],
)  # fmt: skip
def test_a_ledger_tells_what_it_made_while_it_is_as_it_was_left(
    harm: Callable[[Path], object], tells: bool, made: Path, tmp_path: Path
) -> None:
    path = shutil.copytree(made.parent, tmp_path / "ledger") / made.name
    harm(path)
    assert [*lineage.in_place(path)] == ["INV-000001"] * tells
