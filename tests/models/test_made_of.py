"""A table that is made of others has no row where none of those has one."""

from collections.abc import Iterator

import pytest

from pipeline.ledger import Ledger
from pipeline.transform import sql_of
from schemas.columns import Schema, about, name_of
from schemas.models import MODELS
from tests.given import Given, ledger, work_out

# Every rule has something to do here.
BUSY: Given = {
    "patients": [
        {"bill_to": "ACME"},
        {"patient_id": "P2", "start_date": "2025-12-01"},
        {"patient_id": "P3", "membership": "NONE"},
    ],
    "contacts": [{}],
    "contract_prices": [
        {"row_key": "acme|gold|2026", "monthly_price": "40.00"},
        {"row_key": "acme|gold|2027", "monthly_price": "45.00", "valid_to": "2026-12-31"},
    ],
    "price_changes": [{"effective_from": "2026-01-02", "monthly_price": "60.00"}],
    "invoice_requests": [{"patient_id": "P2"}],
    "billed": [("P2", "2025-12-01", "2025-12-31")],
}  # fmt: skip

_MADE = [schema for schema in MODELS if "made_of" in about(schema)]


@pytest.fixture(scope="module")
def busy() -> Iterator[Ledger]:
    with ledger() as books:
        work_out(books, BUSY)
        yield books


@pytest.mark.parametrize("schema", _MADE, ids=name_of)
def test_of_nothing_nothing_is_made(schema: Schema, busy: Ledger) -> None:
    busy.connection.execute("begin")
    try:
        for source in about(schema)["made_of"]:
            assert busy.value(f"select count(*) from {source}"), f"{source} is empty"
            busy.connection.execute(f"delete from {source}")
        assert not busy.rows(sql_of(schema))
    finally:
        busy.connection.execute("rollback")
