"""How many small changes of the billing rules the tests notice (`make mutants`).

`python -m tests.mutants [NAME ...] [--every N]` changes one thing at a time in a copy of
the program and runs the tests that concern it until one fails. A mutant that no test
notices is printed; the exit code is 1 when more than one in twenty are.
"""

import argparse
import importlib
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.mutants.change import Mutant, of_python, of_sql

ROOT = Path(__file__).parent.parent.parent

# What is changed, and the tests that should notice, the quickest first.
RULES = "tests/models tests/test_calendar.py tests/test_journeys.py"
WRECKS = "tests/test_worst_moments.py tests/test_files.py"
FILES = "tests/test_export.py tests/test_pdf_files.py"
CONCERNS = {
    **{
        f"pipeline/models/{path.name}": f"tests/models/test_{path.stem}.py {RULES}"
        for path in sorted((ROOT / "pipeline/models").glob("*.sql"))
    },
    # What was freed and is billed once more is told by the credit notes' own tests.
    "pipeline/models/new_lines.sql": (
        f"tests/models/test_new_lines.py tests/test_credits.py {RULES}"
    ),
    "pipeline/transaction.py": f"{WRECKS} tests/test_journeys.py tests/torture",
    "pipeline/outbox.py": f"{WRECKS} {FILES} tests/test_journeys.py tests/torture",
    "pipeline/publish.py": f"{WRECKS} {FILES} tests/test_journeys.py tests/torture",
    "pipeline/chain.py": "tests/test_journeys.py tests/test_forget.py",
    "pipeline/desk.py": "tests/test_journeys.py tests/test_looking_back.py",
    "pipeline/credits.py": "tests/test_credits.py tests/test_journeys.py",
    "pipeline/credit_due.py": "tests/test_credits.py",
    "pipeline/closing.py": "tests/test_credits.py",
    "pipeline/seals.py": "tests/test_credits.py tests/test_verify.py",
}

# Seconds after which a change counts as noticed: it has made something endless.
PATIENCE = 600

LIBRARIES = (
    "click.testing", "duckdb", "filelock", "hypothesis", "jinja2", "openpyxl", "pandas",
    "pandera.pandas", "pyarrow", "python_calamine", "rich.console", "stdnum", "xlsxwriter",
)  # fmt: skip

_copies: multiprocessing.Queue  # of folders, one for each worker


def mutants(names: list[str], every: int) -> list[Mutant]:
    """Every change of the chosen files, or every so many of them."""
    found: list[Mutant] = []
    for name in CONCERNS:
        if not names or any(part in name for part in names):
            of = of_sql if name.endswith(".sql") else of_python
            found += list(of(ROOT / name))
    return found[::every]


def _noticed(mutant: Mutant) -> tuple[Mutant, bool]:
    copy = _copies.get()
    name = mutant.path.relative_to(ROOT)
    try:
        (copy / name).write_text(mutant.text, encoding="utf-8")
        tests = dict.fromkeys(CONCERNS[str(name)].split())
        return mutant, _fails(copy, [test for test in tests if (copy / test).exists()])
    finally:
        shutil.copyfile(mutant.path, copy / name)
        _copies.put(copy)


def _fails(copy: Path, tests: list[str]) -> bool:
    """Whether one of the tests fails in a copy, or comes to no end."""
    child = os.fork()
    if not child:
        os.setsid()
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        code = 3
        try:
            code = _in_order(copy, tests)
        finally:
            os._exit(code)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 1
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _in_order(copy: Path, tests: list[str]) -> int:
    """The tests one file after the other, up to the first that fails: pytest's code."""
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    for name in list(sys.modules):
        if name.partition(".")[0] in ("pipeline", "schemas", "tests", "practice"):
            del sys.modules[name]
    code = 5
    for test in tests:
        code = int(pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", test]))
        if code:
            break
    return code


def _warm(copy: Path) -> None:
    """Compile a copy once, and import here what every trial would import again.

    The file that is changed is compiled anew in each, and what that gives is not kept.
    """
    # Tests of what was not copied cannot be collected, and are of no concern here.
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-n", "0"]
    subprocess.run(collect, cwd=copy, capture_output=True, check=False)
    for name in LIBRARIES:
        importlib.import_module(name)
    sys.dont_write_bytecode = True


def _copy(target: Path) -> Path:
    for name in ("pipeline", "schemas", "tests", "sample_data", "pyproject.toml"):
        source = ROOT / name
        if source.is_dir():
            left_out = shutil.ignore_patterns("__pycache__", "ledger", "out")
            shutil.copytree(source, target / name, ignore=left_out)
        else:
            shutil.copyfile(source, target / name)
    return target


def main() -> int:
    """Try them all; returns the exit code."""
    global _copies
    parser = argparse.ArgumentParser(prog="tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="only files whose path contains this")
    parser.add_argument("--every", type=int, default=1, help="every Nth change only")
    asked = parser.parse_args()
    started = time.monotonic()
    listed = mutants(asked.names, asked.every)
    survived = 0
    workers = os.cpu_count() or 1
    context = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        _copies = context.Queue()
        for worker in range(workers):
            copy = _copy(Path(folder) / str(worker))
            _warm(copy)
            _copies.put(copy)
        with context.Pool(workers) as pool:
            for mutant, noticed in pool.imap_unordered(_noticed, listed):
                if not noticed:
                    survived += 1
                    print(f"NOT NOTICED {mutant}", flush=True)
    minutes = (time.monotonic() - started) / 60
    share = 100 * (1 - survived / max(len(listed), 1))
    print(f"{len(listed)} mutants, {share:.1f} % noticed, {minutes:.0f} minutes")
    return 1 if share < 95 else 0


if __name__ == "__main__":
    sys.exit(main())
