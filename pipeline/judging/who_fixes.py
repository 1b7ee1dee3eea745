"""Who can repair a problem: those whose role may edit the file it is in."""

import re
from functools import cache, partial

from pipeline.ledger import Ledger, current
from pipeline.problems import Place
from pipeline.rights.judged import PEOPLE, entitled_in
from schemas import INPUTS
from schemas.columns import about, name_of

_MOST_NAMED = 3  # people; of more the roles are named
_AREAS = {"products": "products", "patients": "patients", "settings": "settings"}
_BY_HAND = "invoices"  # the area of sendings and requests
_STEMS = {
    re.sub(r"\W|_", "", stem): _AREAS.get(str(about(schema)["file"]), _BY_HAND)
    for schema in INPUTS
    for stem in (str(about(schema)["file"]), name_of(schema))
}
_THE_MACHINE = "Whoever runs the program"
_NOBODY_KNOWN = "The office"


class WhoFixes:
    """The people of each area, by the staff and roles that are in force."""

    def __init__(self, ledger: Ledger):
        self._people = cache(partial(_people, ledger))

    def of(self, place: Place) -> str:
        """Who can repair what stands there; never blank."""
        stem = re.sub(r"\W|_", "", place.file.lower().rpartition(".")[0])
        fitting = [known for known in _STEMS if stem.startswith(known)]
        if not fitting or "/" in place.file:
            return _THE_MACHINE
        return self._people(_STEMS[max(fitting, key=len)])


def _people(ledger: Ledger, area: str) -> str:
    """Those who may edit an area: up to three by name, else their roles."""
    sources = _sources(ledger)
    if sources is None:
        return _NOBODY_KNOWN
    staff, roles = sources
    found = ledger.rows(
        f"select staff.name, staff.role from ({staff}) as staff where staff.row_key in"
        f" ({entitled_in(area, f'({staff})', f'({roles})')})"
        " order by staff.row_key"
    )
    names = [*dict.fromkeys(row["name"] for row in found if row["name"])]
    if len(names) > _MOST_NAMED:
        names = [*dict.fromkeys(row["role"] for row in found)]
    if not names:
        return _NOBODY_KNOWN
    return " or ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _sources(ledger: Ledger) -> tuple[str, str] | None:
    """Staff and roles: those last accepted; before there are any, tonight's as typed."""
    if ledger.last_night_no:
        staff, roles = (current(f"ledger.accepted.{n}", "row_key") for n in PEOPLE)
        return staff, roles
    known = ledger.value(
        "select count(*) from duckdb_tables() where database_name = current_database()"
        " and schema_name = 'staged' and table_name in ('staff', 'roles')"
    )
    if known < len(PEOPLE):
        return None
    return "select * from staged.staff", "select * from staged.roles"
