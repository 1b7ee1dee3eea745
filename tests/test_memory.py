"""What a large night needs no more is given back before the next stage needs as much."""

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from pipeline import memory, run
from pipeline.ledger import Ledger
from tests.practice import bill, make


def test_a_night_that_is_recorded_keeps_no_sheet_and_no_model(tmp_path: Path) -> None:
    kept: list[Any] = []
    prepared: list[Any] = []

    def preparing(*given: Any) -> Any:
        prepared.append(prepare(*given))
        return prepared[-1]

    def publishing(ledger: Ledger, *given: Any, **named: Any) -> Any:
        kept.extend(
            ledger.rows(
                "select schema_name, table_name from duckdb_tables()"
                " where database_name in ('tonight', 'baseline')"
            )
        )
        return publish(ledger, *given, **named)

    publish, prepare = run.publish, run.prepare
    with (
        patch("pipeline.run.publish", publishing),
        patch("pipeline.run.prepare", preparing),
    ):
        assert bill(make(tmp_path / "clinic"), "2026-03-01").code == 0
    assert kept == []
    assert not any(len(sheet.rows) for sheet in prepared[0].reading.sheets.values())


@pytest.mark.parametrize("why", [AttributeError, OSError, TypeError])
def test_a_system_that_cannot_take_memory_back_is_left_alone(why: type) -> None:
    with patch("ctypes.CDLL", side_effect=why) as asked:
        memory.give_back()
    assert asked.called
