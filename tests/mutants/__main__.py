"""How many small changes of the billing rules the tests notice (`make mutants`).

`python -m tests.mutants [NAME ...] [--every N]` changes one thing at a time and runs the
tests that concern it until one fails; those tests must all pass without a change. A
mutant that no test notices is printed; the exit code is 1 when more than one in twenty
are.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import pytest

from schemas.columns import name_of
from schemas.models import MODELS
from tests.mutants.change import ROOT, Mutant, changes
from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.trial import Trials

RULES = [name_of(schema) for schema in MODELS]

# What is changed, and the tests that should notice, the quickest first.
NIGHTS = "tests/test_calendar.py tests/test_journeys.py"
WRECKS = "tests/test_outbox.py tests/test_publish.py tests/test_worst_moments.py tests/test_files.py"
FILES = "tests/test_export.py tests/test_pdf_files.py"


def _of_rule(at: int) -> str:
    """A rule is noticed by its own tests, or by those of a rule that comes after it."""
    after = " ".join(f"tests/models/test_{name}.py" for name in RULES[at:])
    return f"{after} tests/models/test_made_of.py {NIGHTS}"


CONCERNS = {
    **{f"pipeline/models/{name}.sql": _of_rule(at) for at, name in enumerate(RULES)},
    # What was freed and is billed once more is told by the credit notes' own tests.
    "pipeline/models/new_lines.sql": (
        f"tests/models/test_new_lines.py tests/test_credits.py {NIGHTS}"
    ),
    "pipeline/transaction.py": (
        f"{WRECKS} tests/test_keys.py tests/test_journeys.py tests/torture"
    ),
    "pipeline/outbox.py": f"{WRECKS} {FILES} tests/test_journeys.py tests/torture",
    "pipeline/press.py": "tests/test_outbox.py tests/test_publish.py",
    "pipeline/publish.py": (
        f"{WRECKS} {FILES} tests/test_journeys.py tests/test_golden.py tests/torture"
    ),
    "pipeline/chain.py": (
        "tests/test_chain.py tests/test_journeys.py tests/test_forget.py"
    ),
    "pipeline/office/desk.py": (
        "tests/test_by_command.py tests/test_looking_back.py tests/test_journeys.py"
        " tests/test_damage.py"
    ),
    "pipeline/office/credits.py": (
        "tests/test_credit_notes.py tests/test_credits.py tests/test_end_dates.py"
        " tests/test_journeys.py"
    ),
    "pipeline/judging/credit_due.py": "tests/test_credit_due.py tests/test_end_dates.py",
    "pipeline/office/closing.py": "tests/test_closing.py tests/test_credits.py",
    "pipeline/bookkeeping/seals.py": "tests/test_credits.py tests/test_verify.py",
    "pipeline/cells/amounts.py": "tests/test_cells.py",
    "pipeline/record.py": (
        "tests/test_record.py tests/test_chain.py tests/test_adopt.py"
        " tests/test_forecast.py"
    ),
    "pipeline/ledger.py": (
        "tests/test_ledger.py tests/test_upgrade.py tests/test_damage.py"
    ),
    "pipeline/files.py": (
        "tests/test_files.py tests/test_outbox.py tests/test_publish.py"
    ),
    "pipeline/published_files.py": "tests/test_outbox.py tests/test_publish.py",
    "pipeline/bookkeeping/touched.py": "tests/test_touched.py",
    "pipeline/copies/restore.py": "tests/test_restore.py tests/test_copies.py",
    "pipeline/copies/adopt.py": "tests/test_adopt.py",
    "pipeline/copies/lineage.py": "tests/test_lineage.py tests/test_copies.py",
    "pipeline/copies/backups.py": "tests/test_backups.py tests/test_copies.py",
    "pipeline/copies/copying.py": "tests/test_copying.py tests/test_backups.py",
    "pipeline/copies/left_already.py": (
        "tests/test_left_already.py tests/test_restore.py tests/test_export.py"
    ),
    "pipeline/proof/soundness.py": "tests/test_soundness.py tests/test_damage.py",
    "pipeline/proof/ending.py": "tests/test_ending.py",
    "pipeline/proof/lost_numbers.py": "tests/test_journeys.py tests/test_damage.py",
    "pipeline/proof/verify.py": "tests/test_verify.py tests/test_damage.py",
}

# One in so many is tried first, then those beside them: trials that are cut short have
# looked at all of the files.
_STRIDE = 25


def mutants(names: list[str], every: int) -> list[Mutant]:
    """Every change of the chosen files, or every so many of them."""
    found: list[Mutant] = []
    for name in CONCERNS:
        if not names or any(part in name for part in names):
            equal = EQUIVALENT.get(name, {})
            found += [m for m in changes(ROOT / name) if m.said() not in equal]
    found = found[::every]
    return [mutant for first in range(_STRIDE) for mutant in found[first::_STRIDE]]


def concerns(path: Path) -> list[str]:
    """The test files that should notice a change of a file."""
    named = CONCERNS[str(path.relative_to(ROOT))].split()
    return [test for test in named if (ROOT / test).exists()]


def main() -> int:
    """Try them all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only files whose path contains this")
    parser.add_argument("--every", type=int, default=1, help="every Nth change only")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    asked = parser.parse_args()
    started = time.monotonic()
    listed = mutants(asked.names, asked.every)
    survived: list[Mutant] = []

    def tell(mutant: Mutant, noticed: str) -> None:
        if not noticed:
            survived.append(mutant)
            print(f"NOT NOTICED {mutant}", flush=True)

    tests = sorted({test for mutant in listed for test in concerns(mutant.path)})
    quiet = ["-s", "-o", "addopts=", "-p", "no:terminal", "-p", "no:cacheprovider"]
    trials = Trials(listed, concerns, tell, asked.workers)
    if code := pytest.main([*quiet, *tests], plugins=[trials]):
        return int(code)
    minutes = (time.monotonic() - started) / 60
    share = 100 * (1 - len(survived) / max(len(listed), 1))
    print(f"{len(listed)} mutants, {share:.1f} % noticed, {minutes:.0f} minutes")
    return 1 if share < 95 else 0


if __name__ == "__main__":
    sys.exit(main())
