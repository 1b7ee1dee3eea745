"""The sample night's import files, one batch a package, to be read line by line.

`python -m tests.imports_golden` (or `make golden`) writes `tests/golden_imports/` again.
"""

import tempfile
from pathlib import Path

from sample_data.practice import AS_OF
from tests.golden import copy_of_sample
from tests.practice import run

EXPECTED = Path(__file__).parent / "golden_imports"
TODAY = str(AS_OF)
# A manual journal cannot be booked to Xero's own accounts of debtors and VAT.
ACCOUNTS = '[xero-journal.accounts]\n1100 = "611"\n2200 = "821"\n'
TARGETS = {
    "xero": ("--credit-notes",), "xero-journal": (), "quickbooks": (), "sage50": (),
    "sage-accounting": (), "quickfile": (),
}  # fmt: skip


def billed_sample(folder: Path) -> Path:
    """The sample after its night, with a credit note and accounts for the journal."""
    practice = copy_of_sample(folder)
    assert run("bill", practice, "--as-of", TODAY, today=TODAY).code == 0
    return credited(practice)


def credited(practice: Path) -> Path:
    """The sample after its night is given the credit note and the accounts."""
    (practice / "accounting.toml").write_text(ACCOUNTS, encoding="utf-8")
    note = ("--reason", "Left on the first day", "--by", "mm")
    assert run("credit", practice, "INV-000012", *note, today=TODAY).code == 0
    return practice


def exported(practice: Path) -> dict[str, str]:
    """What each package then gets, by target and part."""
    made = {}
    for target, options in TARGETS.items():
        done = run("export", practice, target, *options, today=TODAY)
        assert done.code == 0, done.err
        for line in done.out.splitlines()[1:]:
            file = Path(line)
            name = file.stem.removeprefix(f"{target}-")[len("2026-03-31-00") :]
            made[f"{target}{name}.csv"] = file.read_bytes().decode("utf-8")
    return made


def main() -> None:
    """Write the expected files again."""
    EXPECTED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in exported(billed_sample(Path(folder) / "practice")).items():
            (EXPECTED / name).write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    main()
