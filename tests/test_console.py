"""What a night says on the terminal of what it holds back."""

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.console import night_table


@pytest.mark.parametrize(
    ("amounts", "value", "said"),
    [
        ([None], "0.00", "Held: 1, no amount known; see issues.xlsx"),
        ([None, Decimal(100)], "100.00", "Held: 2, £100.00 known; see issues.xlsx"),
    ],
)
def test_what_is_held_is_told_with_its_sum_where_that_is_known(
    amounts: list[Decimal | None], value: str, said: str, capsys: Any
) -> None:
    night = SimpleNamespace(
        practice_name="Harbour Lane Surgery", as_of="2026-02-28", run_id="2026-02-28-01",
        currency="GBP", made_before=0, memberships={"held": len(amounts)},
        held=[SimpleNamespace(amount=amount) for amount in amounts], chain_head="0" * 64,
    )  # fmt: skip
    report = {"totals": {"gross": "0.00"}, "invoices_made": 0, "held_value": value}
    outcome: Any = SimpleNamespace(night=night, report=report, late="")
    night_table(outcome, Path("clinic"))
    assert said in capsys.readouterr().out.splitlines()
