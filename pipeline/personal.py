"""What the ledger's records say of a person: hashed apart, so that it can be forgotten.

A record's link in the chain holds the hash of each part below in place of its words.
Once a part is forgotten its hash is kept, and the link still proves everything else:
number, dates, amounts, periods and ids can no more be changed than before.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FORGOTTEN = "forgotten"

_as_text = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class Part:
    """Some columns of a table that are forgotten together."""

    name: str
    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...]

    def key_of(self, row: Mapping[str, Any]) -> str:
        """The name of a row's part, as it is kept."""
        return " ".join(str(row[column]) for column in self.key)

    def digest(self, row: Mapping[str, Any]) -> str:
        """SHA-256 of what a row says here, as 64 hex digits."""
        words = [self.name, self.key_of(row), *(row[name] for name in self.columns)]
        return hashlib.sha256(_as_text(words).encode("utf-8")).hexdigest()

    def pseudonyms(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """What stands in the columns once forgotten; the same again for what does."""
        return {name: _pseudonym(name, row) for name in self.columns}


def _pseudonym(column: str, row: Mapping[str, Any]) -> str | None:
    if row[column] is None:
        return None
    if column in ("patient_name", "bill_to_name"):
        return f"Patient {row['patient_id']}"
    return FORGOTTEN if column in ("sent_to", "reason") else None


PATIENT = Part("patient", "invoices", ("number",), ("patient_name", "reason"))
PAYER = Part(
    "payer",
    "invoices",
    ("number",),
    (
        "bill_to_name", "email", "address_line_1", "address_line_2", "town", "postcode",
    ),
)  # fmt: skip
LINE = Part("line", "lines", ("number", "line"), ("patient_name",))
SENDING = Part("sending", "sendings", ("sending_no",), ("sent_to",))

PARTS = (PATIENT, PAYER, LINE, SENDING)
