"""Whether the sheet of patients has been the very same for so long that it may be a copy."""

from datetime import date, timedelta

from pipeline.ledger import Ledger
from pipeline.problems import Place, Problem, Severity
from pipeline.workbooks import Reading

LONG = timedelta(days=90)


def unchanged_for_long(ledger: Ledger, reading: Reading, day: date) -> list[Problem]:
    """A doubt when every night of three months has read the same bytes of patients.

    Told from the nights' own records and not from the file's date, which a copy or a
    restored disk changes; other sheets may rest for years.
    """
    patients = reading.sheets.get("patients")
    if patients is None:
        return []
    since = ledger.value(
        "select min(as_of) from ledger.runs where command = 'bill' and run_no >"
        " (select coalesce(max(run_no), 0) from ledger.runs"
        " where command = 'bill' and not contains(report, ?))",
        [reading.files[patients.file]],
    )
    if since is None or day - since < LONG:
        return []
    return [
        Problem(
            Severity.CHECK, "file-unchanged", Place(patients.file),
            f"nothing in the file has changed since the night of {since}",
            repair="see that this is the file the office works in, and not a copy of it",
        )
    ]  # fmt: skip
