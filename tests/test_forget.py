"""`membill forget`: what it takes out, what it leaves, and that the chain still proves it."""

from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest
from openpyxl import load_workbook

from pipeline import chain
from pipeline.ledger import ledger_path, opened
from pipeline.proof.soundness import note_checksum
from pipeline.publish import Published
from tests import practice
from tests.practice import Result, member, run

NAMES = ("Zebedee", "Markwright")
PERSONAL = {
    "First name": NAMES[0], "Last name": NAMES[1], "Date of birth": "1984-05-17",
    "Email": "zeb@markwright.example", "Address line 1": "99 Markwright Street",
}  # fmt: skip
ADDRESS = "zeb@markwright.example"
# Six years and a day after the last document.
LATER = "2032-04-02"


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """P1 was billed in February, sent one invoice, credited the other, and left.

    P3 and P4 were on one invoice to a relative, once; then P3 left. The End date of P5
    is the day of the first night, that of P6 the day before the second.
    """
    folder = tmp_path_factory.mktemp("left") / "clinic"
    given = practice.sheets()
    given["patients"][0] |= PERSONAL
    for setting, value in (("Max days ahead", "60"), ("PDF beside invoices", "Yes")):
        given["settings"].append(
            {"Setting": setting, "Value": value, "Last edited by": "mm"}
        )
    given["contacts"] = [
        {
            "Code": "FAM",
            "Name": "Old Patientson",
            "Combine invoices": "Yes",
            "Active": "Yes",
        }
    ]
    annual = {"billing_frequency": "Annual", "start_date": "2026-02-28"}
    family = {"bill_to": "FAM", "start_date": "2026-02-28"}
    given["patients"] += [
        member("P3", first_name="Tercius", last_name="Markwright", **family),
        member("P4", first_name="Quartus", **family),
        member("P5", **annual, end_date="2026-02-28"),
        member("P6", **annual, end_date="2026-03-30"),
    ]
    practice.make(folder, given)
    assert practice.bill(folder, "2026-02-28").code == 0
    ending = forget(folder, "P5")
    assert (ending.code, "P5 is an active member" in ending.err) == (2, True)
    said = ("--to", ADDRESS, "--by", "dd")
    with practice.unpublished():
        assert run("sent", folder, "INV-000001", *said, today="2026-03-01").code == 0
    practice.remove(folder, "patients", "P1")
    practice.remove(folder, "patients", "P3")
    assert practice.bill(folder, "2026-03-31").code == 0
    said = ("--reason", "to Markby", "--by", "mm")
    assert run("credit", folder, "INV-000003", *said, today="2026-04-01").code == 0
    return folder


@pytest.fixture(scope="module")
def exported(
    left: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Path]:
    """The same practice once its documents and its journal were exported."""
    folder = practice.copied(left, tmp_path_factory.mktemp("forgotten") / "clinic")
    sales = run("export", folder, "quickbooks", today="2026-04-01")
    journal = run("export", folder, "xero-journal")
    return folder, *(Path(done.out.splitlines()[1]) for done in (sales, journal))


@dataclass(frozen=True)
class Early:
    """What was said when P1's credit note was too young, and the names right after it."""

    done: Result
    names: dict[str, str]


@pytest.fixture(scope="module")
def stages(exported: tuple[Path, Path, Path]) -> tuple[Early, Result, Result]:
    """P1 forgotten too early for one document, then P3 and P6, then P1 in full, twice."""
    folder, sales, _ = exported
    assert NAMES[1] in sales.read_text(encoding="utf-8")
    # What these leave to be published, the last one publishes.
    with patch("pipeline.office.forget.publish", return_value=Published([], [])):
        done = forget(folder, today="2032-02-28")
        names = {r["number"]: r["patient_name"] for r in practice.invoices(folder)}
        assert [forget(folder, who).code for who in ("P3", "P6")] == [0, 0]
    return Early(done, names), forget(folder), forget(folder)


@pytest.fixture(scope="module")
def forgotten(
    exported: tuple[Path, Path, Path], stages: tuple[Early, Result, Result]
) -> tuple[Path, Result]:
    """The same practice after P3, P6 and P1 were forgotten; only to be looked at."""
    return exported[0], stages[1]


# Documents that show P1.
MINE = [
    f"out/invoices/2026/{name}.{form}"
    for name in ("02/INV-000001", "02/INV-000003", "04/CRN-000001")
    for form in ("xlsx", "pdf")
]


@pytest.fixture(scope="module")
def rebuilt(
    exported: tuple[Path, Path, Path], forgotten: tuple[Path, Result]
) -> tuple[Path, Path, Path]:
    """A copy once all that shows P1, and the journal, was deleted and made again."""
    made, sales, journal = exported
    folder = practice.copied(made, made.with_name("rebuilt"))
    sales, journal = (folder / file.relative_to(made) for file in (sales, journal))
    for file in (*(folder / name for name in MINE), sales, journal):
        file.unlink()
    assert run("rebuild", folder).code == 0
    return folder, sales, journal


@pytest.fixture
def clinic(forgotten: tuple[Path, Result], tmp_path: Path) -> Path:
    """A copy of the same, to be changed."""
    return practice.copied(forgotten[0], tmp_path / "clinic")


@pytest.fixture
def before(left: Path, tmp_path: Path) -> Path:
    """A copy of the practice that forgot nobody yet, to be changed."""
    return practice.copied(left, tmp_path / "before")


def forget(clinic: Path, who: str = "P1", by: str = "mm", today: str = LATER) -> Result:
    return run("forget", clinic, who, "--by", by, today=today)


def shown(clinic: Path) -> str:
    """Everything of the ledger and the lists that follow it, as text."""
    parts = [(clinic / "ledger/membill.duckdb").read_bytes().decode("latin-1")]
    for file in [clinic / "out/invoices.xlsx", *(clinic / "out/registers").iterdir()]:
        for sheet in load_workbook(file):
            parts += [str(cell.value) for row in sheet.iter_rows() for cell in row]
    parts += [path.read_text() for path in (clinic / "out").rglob("*.json")]
    return "\n".join([*parts, (clinic / "out/summary.html").read_text()])


def test_names_and_addresses_go_and_the_ledger_still_proves_itself(
    left: Path, forgotten: tuple[Path, Result]
) -> None:
    clinic, done = forgotten
    assert done.code == 0, done.err
    words = [*PERSONAL.values(), "Markby"]
    earlier, now = shown(left), shown(clinic)
    # A date of birth is no text in the ledger.
    assert [word for word in words if word not in earlier] == ["1984-05-17"]
    assert not [word for word in words if word in now]
    assert "Patient P1" in now
    assert run("verify", clinic).code == 0


def test_money_numbers_dates_and_periods_are_never_touched(
    left: Path, forgotten: tuple[Path, Result]
) -> None:
    facts = ("number", "kind", "status", "issued_on", "due_on", "patient_id", "net",
             "gross", "credits", "sent_on", "run_id")  # fmt: skip

    def seen(clinic: Path) -> tuple[object, ...]:
        rows = practice.invoices(clinic)
        lines = practice.run("lines", clinic, "--format", "csv").out
        return [[row[name] for name in facts] for row in rows], lines

    assert seen(forgotten[0]) == seen(left)


def test_the_file_made_anew_keeps_its_keys(
    left: Path, forgotten: tuple[Path, Result]
) -> None:
    def keys(clinic: Path) -> list[tuple[str, ...]]:
        path = str(clinic / "ledger/membill.duckdb")
        with duckdb.connect(path, read_only=True) as ledger:
            return ledger.execute(
                "select table_name, constraint_text from duckdb_constraints()"
                " order by all"
            ).fetchall()

    assert keys(forgotten[0]) == keys(left)
    assert (
        "billed_periods",
        "PRIMARY KEY(patient_key, period_start, generation)",
    ) in keys(left)


def test_a_forgotten_period_is_billed_once_and_a_sending_recorded_once(
    clinic: Path,
) -> None:
    before = practice.lines(clinic, "patient_id", "period_start", "number")
    practice.add(clinic, "patients", member("P1", bill_from="2026-01-01"))
    sent = {"Invoice number": "INV-000001", "Sent on": "2026-03-01", "Sent to": ADDRESS}
    practice.write(clinic, "sent", [sent])
    assert practice.bill(clinic, "2026-04-02").code == 0
    now = practice.lines(clinic, "patient_id", "period_start", "number")
    assert set(now) - set(before) == {("P1", "2026-03-31", "INV-000008")}
    assert practice.invoices(clinic)[0]["sent_to"] == "forgotten"


@pytest.mark.damaged
@pytest.mark.parametrize(
    "statement",
    [
        "update ledger.lines set net = 1, gross = 1 where number = 'INV-000001'",
        "update ledger.invoices set due_on = due_on + 1 where number = 'INV-000001'",
        "update ledger.lines set patient_name = 'Eve' where number = 'INV-000001'",
        "delete from ledger.forgotten"
        " where part = 'payer' and record_key = 'INV-000001'",
    ],
    ids=["an amount", "a date", "a name", "the hash of what was forgotten"],
)
def test_what_is_forgotten_cannot_be_changed_unseen(
    clinic: Path, statement: str
) -> None:
    with opened(ledger_path(clinic), write=True) as ledger:
        assert chain.breaks(ledger.connection) == []
        ledger.connection.execute(statement)
        (told,) = chain.breaks(ledger.connection)
    assert told.startswith("invoice INV-000001 is not what was written")


def test_published_documents_are_listed_left_and_not_made_again(
    left: Path, forgotten: tuple[Path, Result], rebuilt: tuple[Path, Path, Path]
) -> None:
    def books(clinic: Path) -> list[str]:
        found = (clinic / "out/invoices").rglob("*.*")
        return sorted(str(file.relative_to(clinic)) for file in found)

    folder, done = forgotten
    assert books(folder) == books(left)
    listed = [line for line in done.out.splitlines() if "delete it" in line]
    said = "still shows the patient; delete it and its copies: "
    documents = [line for line in listed if "out/imports" not in line]
    assert documents == [f"{said}{folder / name}" for name in MINE]
    clinic, *_ = rebuilt
    assert books(clinic) == [name for name in books(left) if name not in MINE]
    done = run("pdf", clinic, "INV-000002", "INV-000001")
    assert done.code == 2
    assert "INV-000001 names a patient who was forgotten since" in done.err


def test_what_is_younger_is_kept_and_goes_when_its_time_has_come(
    stages: tuple[Early, Result, Result], forgotten: tuple[Path, Result]
) -> None:
    early, *then = stages
    assert (
        "P1: 2 documents and 1 earlier row from 2026-02-28 or before" in early.done.out
    )
    assert "kept, as it is younger: CRN-000001 of 2026-04-01\n" in early.done.out
    assert early.names["INV-000001"] == "Patient P1"
    assert early.names["CRN-000001"] == " ".join(NAMES)
    assert [done.code for done in then] == [0, 0]
    assert NAMES[0] not in shown(forgotten[0])


def test_who_is_past_the_end_date_has_left(
    left: Path, forgotten: tuple[Path, Result]
) -> None:
    """P5, on the End date itself, had not: `left` tried it."""
    named = [
        practice.invoices(folder, "--patient", "P6")[0]["patient_name"]
        for folder in (left, forgotten[0])
    ]
    assert named == ["Annabel Quillfeather", "Patient P6"]


REFUSALS = [
    ("P1", "mm", "2032-02-27", "nothing of P1 is from 2026-02-27 or before; kept are"
     " INV-000001 of 2026-02-28, INV-000003 of 2026-02-28,"
     " CRN-000001 of 2026-04-01"),
    ("P2", "mm", LATER, "P2 is an active member by the sheets of the last night; end the"
     " membership first"),
    ("P9", "mm", LATER, "no patient P9 is known to this ledger"),
    ("P1", "xx", LATER, "xx is not an active user whose role may Edit Patients"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("who", "by", "today", "said"),
    REFUSALS,
    ids=["young", "active", "stranger", "right"],
)
def test_what_may_not_be_forgotten_changes_nothing(
    left: Path, who: str, by: str, today: str, said: str
) -> None:
    before = practice.files(left, but=("ledger/membill.lock.json",))
    done = forget(left, who, by, today)
    assert (done.code, done.err.splitlines()[-1]) == (2, f"Error: {said}")
    assert practice.files(left, but=("ledger/membill.lock.json",)) == before


def test_without_room_for_the_file_made_anew_the_command_is_to_be_given_again(
    before: Path,
) -> None:
    full = duckdb.IOException("no room")
    with patch("pipeline.office.forget._copy_rows", side_effect=full):
        told = forget(before)
    assert told.code == 1
    assert "P1 is forgotten, but the ledger's file could not be written" in told.err
    again = forget(before)
    assert (again.code, NAMES[0] in shown(before)) == (0, False), again.err


def test_the_retention_is_a_setting(before: Path) -> None:
    path = before / "ledger/membill.duckdb"
    with duckdb.connect(str(path)) as ledger:
        ledger.execute(
            "insert into accepted.settings by name select * replace ("
            " 'retentionyears' as row_key, 'Retention years' as setting, '7' as value)"
            " from accepted.settings where row_key = 'autoinvoice'"
        )
    note_checksum(path)
    refused = forget(before, today="2033-02-27")
    assert refused.code == 2
    assert "nothing of P1 is from 2026-02-27 or before" in refused.err


def test_on_a_shared_invoice_only_the_patients_own_line_is_forgotten(
    forgotten: tuple[Path, Result],
) -> None:
    shared = "where number = 'INV-000004'"
    path = str(forgotten[0] / "ledger/membill.duckdb")
    with duckdb.connect(path, read_only=True) as ledger:
        names = ledger.execute(f"select patient_name from lines {shared} order by line")
        assert names.fetchall() == [("Patient P3",), ("Quartus Quillfeather",)]
        payer = ledger.execute(f"select bill_to_name from invoices {shared}").fetchall()
    assert payer == [("Old Patientson",)]


def test_import_files_that_show_the_patient_are_listed_and_never_made_again(
    exported: tuple[Path, Path, Path],
    forgotten: tuple[Path, Result],
    rebuilt: tuple[Path, Path, Path],
) -> None:
    _, file, journal = exported
    _, done = forgotten
    assert journal.name not in done.out, "a journal names nobody"
    assert f"still shows the patient; delete it and its copies: {file}\n" in done.out
    clinic, sales, again = rebuilt
    assert not sales.exists()
    assert again.read_bytes() == journal.read_bytes()
    refused = run("export", clinic, "quickbooks", "--again", file.name)
    assert refused.code == 2
    assert "names a patient who was forgotten since" in " ".join(refused.err.split())
    assert not sales.exists()
    nothing = run("export", clinic, "quickbooks").out
    assert nothing.endswith(f" documents: {sales}\n"), "and no command that is refused"
    assert run("verify", clinic, "--deep").code == 0
