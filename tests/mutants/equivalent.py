"""Changes by which nothing differs, each with the reason; they are not tried."""

EQUIVALENT: dict[str, dict[str, str]] = {
    "pipeline/models/calendars.sql": {
        "where start_date is not null and step_months is not null"
        " -> where start_date is not null or step_months is not null": (
            "without both there is no range of n, so no row either"
        ),
        "0, date_diff('month', start_date, run.as_of) // step_months + 1"
        " -> 0, date_diff('month', start_date, run.as_of) // step_months + 2": (
            "what starts after as-of is left out by its date"
        ),
        "0, date_diff('month', start_date, run.as_of) // step_months + 1"
        " -> 0, date_diff('month', start_date, run.as_of) * step_months + 1": (
            "what starts after as-of is left out by its date"
        ),
    },
    "pipeline/models/new_invoices.sql": {
        "bool_or(membership) as membership, -> bool_and(membership) as membership,": (
            "only periods of memberships are combined, all else stands alone"
        ),
    },
    "pipeline/models/standings.sql": {
        "when counted.periods > 0 then 'already_billed'"
        " -> when counted.periods >= 0 then 'already_billed'": (
            "who has none is not counted at all"
        ),
    },
    "pipeline/bookkeeping/touched.py": {
        "max(made) > max(known) -> max(made) >= max(known)": (
            "of one and the same month there is none before it"
        ),
        "name < max(made) -> name <= max(made)": "the last of them was made anyway",
    },
    "pipeline/cells/amounts.py": {
        "abs(typed) > LARGEST_AMOUNT -> abs(typed) >= LARGEST_AMOUNT": (
            "the largest amount is whole pennies, and so the penny nearest to it"
        ),
    },
    "pipeline/record.py": {
        "count > 1 -> count >= 1": "a first one with its count is told from a second too",
    },
    "pipeline/copies/adopt.py": {
        "one.kind != \"invoice\" -> one.kind == 'invoice'": (
            "invoices and credit notes are of other runs, and are taken apart after it"
        ),
    },
    "pipeline/copies/backups.py": {
        'ledger.connection.execute("checkpoint ledger") -> pass': (
            "closing the ledger does it too, but would keep a failure to itself"
        ),
        "sync_folder(target.parent) -> pass": (
            "the checksum beside the copy was written last, and its folder put on disk"
        ),
    },
    "pipeline/copies/copying.py": {
        "1024 * 1024 -> 1024 + 1024": "how much is read at once changes no byte",
        "8 * _BLOCK -> 8 + _BLOCK": "how much is read at once changes no byte",
        "os.fsync(draft.fileno()) -> pass": (
            "the whole copy is put on disk in the end; there is less to wait for then"
        ),
    },
    "pipeline/copies/restore.py": {
        "sync_folder(path.parent) -> pass": (
            "the checksum beside the ledger was written last, and its folder put on disk"
        ),
    },
    "pipeline/files.py": {
        "missing_ok=True -> missing_ok=False": (
            "no draft is gone already: whoever sweeps holds the lock, and one that has"
            " its name cannot fail any more"
        ),
    },
    "pipeline/ledger.py": {
        'connection.execute("checkpoint ledger") -> pass': (
            "detaching the new ledger does it too, but would keep a failure to itself"
        ),
        'connection.execute("detach ledger") -> pass': (
            "closing the connection lets go of the new ledger too"
        ),
        "lock.release() -> pass": (
            "nobody holds on to the lock any more, and it lets go when it goes"
        ),
    },
    "pipeline/outbox.py": {
        'run("checkpoint ledger") -> pass': (
            "closing the ledger does it too, but would keep a failure to itself"
        ),
    },
    "pipeline/proof/soundness.py": {
        "must_be_files(path) -> pass": "whoever opens a ledger has asked it before",
    },
}
