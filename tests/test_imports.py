"""What a command has to load before it can begin is most of the time that it takes."""

import json
import subprocess
import sys
from pathlib import Path

from tests import practice

ROOT = Path(__file__).parent.parent

ONE_AFTER_ANOTHER = """
import json, sys
from click.testing import CliRunner
from pipeline.__main__ import cli
for args in json.loads(sys.argv[1]):
    done = CliRunner().invoke(cli, args, catch_exceptions=False, prog_name="membill")
    print(*args[:1], done.exit_code, *sorted({"pandas", "pandera"} & {*sys.modules}))
"""


def test_a_command_that_judges_no_frame_loads_neither_pandas_nor_pandera(
    first_night: Path, tmp_path: Path
) -> None:
    clinic = practice.copied(first_night, tmp_path / "clinic")
    copy = str(clinic / "ledger/backups/2026-03-01-01.duckdb")
    who = ("--by", "mm", "--on", "2026-03-02")
    plain = (
        ("restore", copy),
        ("invoices",),
        ("lines",),
        ("explain", "INV-000001"),
        ("sent", "INV-000001", "--to", "by post", *who),
        ("credit", "INV-000002", "--reason", "left", *who),
        ("close", "2026-02", "--by", "mm"),
        ("export", "xero"),
        ("export", "data", "--to", str(tmp_path / "data")),
        ("pdf", "INV-000001"),
        ("rebuild",),
        ("backup",),
        ("verify", "--deep"),
    )
    judging = ("patient", "P1")  # its next price, by the rules of a night
    commands = [[name, str(clinic), *more] for name, *more in (*plain, judging)]
    ran = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_ANOTHER, json.dumps(commands)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stderr == ""
    expected = [f"{name} 0" for name, *_ in plain]
    assert ran.stdout.splitlines() == [*expected, "patient 0 pandas pandera"]
