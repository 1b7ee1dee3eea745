"""Patient IDs that belong to somebody else now, and people who are under another id now."""

from typing import Any

from pipeline.ledger import Ledger
from pipeline.problems import Problem, Severity
from pipeline.workbooks import Sheet

# Rows of another name than last time. Another id's row said the same then, of name and
# birth date, and says something else now: that is `whose` they are; they `moved` where
# all that goes along with a person is that row's, and not all of it their own. A row is
# `renamed` where no word of a name and no birth date says that it is still the same person.
_RENAMED = """
with
before as (
    select
        *, lower(first_name || ' ' || last_name) as name,
        (billing_frequency, start_date, email, phone, address_line_1) as along
    from staged.before_patients
),
now as (
    select
        *, lower(first_name || ' ' || last_name) as name,
        (billing_frequency, start_date, email, phone, address_line_1) as along
    from input.patients
),
others as (select * from before anti join now using (row_key, name))
select
    now.row_number,
    now.patient_id,
    any_value(others.patient_id) as whose,
    bool_or(coalesce(
        lower(now.first_name) <> lower(before.first_name)
        and lower(now.last_name) <> lower(before.last_name)
        and now.date_of_birth <> before.date_of_birth, false
    )) as changed,
    bool_or(coalesce(
        now.along is not distinct from others.along
        and now.along is distinct from before.along, false
    )) as moved,
    bool_or(
        not list_has_any(string_split(now.name, ' '), string_split(before.name, ' '))
        and (now.date_of_birth is null or before.date_of_birth is null)
    ) as renamed
from now
inner join before on now.row_key = before.row_key and now.name <> before.name
left join others
    on now.row_key <> others.row_key
    and now.name = others.name
    and now.date_of_birth is not distinct from others.date_of_birth
where not now.held and now.row_number is not null
group by now.row_number, now.patient_id
having changed or moved or renamed or whose is not null
order by now.row_number
"""


def renamed_people(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """Hold an id that belongs to somebody else now, doubt one that may. Changes
    `input.patients`.

    It does where name and birth date both changed, or where its row says, of name and all
    that goes along, what another id's row said, which says something else now.
    """
    rows = ledger.rows(_RENAMED)
    hold_patients(ledger, [row for row in rows if _is_reused(row)])
    return [
        _reused(row, sheets) if _is_reused(row) else _doubted(row, sheets)
        for row in rows
    ]


def _is_reused(row: dict[str, Any]) -> bool:
    return bool(row["changed"] or row["moved"])


def _reused(row: dict[str, Any], sheets: dict[str, Sheet]) -> Problem:
    return Problem(
        Severity.HELD,
        "id-reused",
        sheets["patients"].place(row["row_number"], "patient_id"),
        f"{row['patient_id']} was another person last time: {_shown_by(row)}",
        "a Patient ID of their own for each person",
        f"{_moved_back(row)}give the new patient a new Patient ID and put back the"
        " old row",
        subject=row["patient_id"],
    )


def _doubted(row: dict[str, Any], sheets: dict[str, Sheet]) -> Problem:
    """A name may be corrected, so the row is billed; that it may be another's is told."""
    found = (
        f"{row['patient_id']} has the name now that {row['whose']} had last time"
        if row["whose"]
        else f"{row['patient_id']} has another first and last name than last time"
    )
    return Problem(
        Severity.CHECK,
        "name-changed",
        sheets["patients"].place(row["row_number"], "patient_id"),
        found,
        "a Patient ID of their own for each person",
        "if it is somebody else, put back the name and give the new patient a new"
        " Patient ID",
        subject=row["patient_id"],
    )


def _shown_by(row: dict[str, Any]) -> str:
    if row["changed"]:
        return "name and date of birth have both changed"
    return f"its row says what that of {row['whose']} said"


def _moved_back(row: dict[str, Any]) -> str:
    if not row["whose"]:
        return ""
    return f"write {row['whose']} again if ids or rows have moved, or "


def renamed_ids(ledger: Ledger, sheets: dict[str, Sheet]) -> list[Problem]:
    """Hold a new Patient ID that stands for a billed person who has gone.

    Under another id the same months would be billed again. Changes `input.patients`.
    """
    rows = ledger.rows(
        "select now.row_number, now.patient_id, before.patient_id as old_id"
        " from input.patients as now"
        " inner join staged.before_patients as before"
        "  on lower(now.first_name) = lower(before.first_name)"
        "  and lower(now.last_name) = lower(before.last_name)"
        "  and now.date_of_birth = before.date_of_birth"
        " where now.names_membership and not now.held"
        " and before.row_key not in"
        "  (select row_key from staged.patients where row_key is not null)"
        " and now.row_key not in (select row_key from staged.before_patients)"
        " and before.row_key in"
        "  (select patient_key from tonight.in_force.billed_periods)"
        " order by now.row_number"
    )
    hold_patients(ledger, rows)
    return [
        Problem(
            Severity.HELD,
            "id-changed",
            sheets["patients"].place(row["row_number"], "patient_id"),
            f"{row['patient_id']} has the name and date of birth of {row['old_id']},"
            " who was billed and is no longer in the sheet",
            "the Patient ID that was billed before",
            f"put back {row['old_id']}; if it is somebody else, put back the row of"
            f" {row['old_id']} and end it",
            subject=row["patient_id"],
        )
        for row in rows
    ]


def hold_patients(ledger: Ledger, rows: list[dict[str, Any]]) -> None:
    """Mark rows of `input.patients` as held, by their row numbers."""
    if not rows:
        return
    ledger.connection.execute(
        "update input.patients set held = true where row_number in (select unnest(?))",
        [[row["row_number"] for row in rows]],
    )
