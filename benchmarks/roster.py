"""The members of a made-up practice, as one query: any number of them, from a seed.

Every column is text, as a CSV file has it; days are written 2026-03-20. Nothing is drawn
by chance: each value follows from the seed, the member's number and the column's name.
"""

from datetime import date

import duckdb

from schemas.columns import columns
from schemas.inputs import Patients

AS_OF = date(2026, 3, 20)

# How much is due on `AS_OF`: of one member in thirty a period, of every member one, or,
# after a year without a night, of every member twelve.
DUE = ("3%", "1", "12")

FIRST = (
    "Ada Aurélie Bartholomew Beatrix Blodwen Caspian Célestine Desmond Éamon Eilidh Ffion"
    " Florentina Gwendolyn Håkon Ignatius Íñigo Jo Jörg Kasimir Łucja Mairéad Maximilian"
    " Ngozi Niamh Ódhran Oluwaseun Philippa Quentin Renée Saoirse Siân Søren Tamsin Ursula"
    " Václav Wilhelmina Xanthe Yusuf Zoë Åsa"
).split()
LAST_BEGINNINGS = (
    "Alder Ash Birch Black Bram Bridge Cold Cross Dun Elder Fern Fair Glen Gold Hale Harp"
    " Hazel Hythe Ivy Kings Lang Lark Marsh Mill Moor North Oaken Quill Raven Rush Sedge"
    " Stone Thistle Under Wether Whin Wood Wren Yarrow Zeal"
).split()
LAST_ENDINGS = (
    " bank beck bourne bridge by combe croft dale den don feather field ford garth gate ham"
    " hurst ington ley low mere more ness over ridge stead stow thwaite ton well wick worth"
    " üller ías øy"
).split(" ")
TOWNS = (
    "Otterwick Quay|Nether Hallow|St Brannock|Great Wendle|Little Wendle|Llanfaen|Kilbrae"
    "|Port Ennis|Upper Sallow|Marlham-on-the-Water"
).split("|")
MEMBERSHIPS = (
    "GOLD SILVER BRONZE FAMILY COUPLE TEEN SENIOR STUDENT PLUS BASIC TRAVEL VATPLUS"
).split()

# What one member in a hundred has wrong tonight: the cells that are typed otherwise.
MISTAKES: tuple[dict[str, str], ...] = (
    {"membership": "'GOLDD'"},
    {"start_date": "'31/02/2026'"},
    {"patient_id": "id(i - 1)"},
    {"last_name": "''"},
    {"membership": "'  ' || membership || ' '"},
    {"membership": "lower(membership)"},
    {"membership_active": "'y'"},
    {"membership_active": "'Maybe'"},
    {"end_date": "'1999-12-31'"},
    {"bill_to": "'NOBODY'"},
    {"billing_frequency": "'Weekly'"},
    {"billing_frequency": "case billing_frequency when 'Annual' then 'yearly'"
     " else 'mthly' end"},
    {"date_of_birth": "strftime(date_of_birth::date, '%d/%m/%Y')"},
    {"email": "replace(email, '@', ' at ')"},
    {"phone": "replace(phone, ' ', '')"},
    {"last_edited_by": "'zz'"},
    {"first_name": "first_name || chr(160)"},
    {"postcode": "'QQQ'"},
)  # fmt: skip

_MACROS = """
create macro shuffled(x) as ((xor(x, x >> 16) * 73244475) % 4294967296)::bigint;
create macro mixed(i, salt, seed) as shuffled(shuffled(
    ((i::bigint + 1) * 2654435761 + salt * 40503 + seed * 7919) % 4294967296
));
create macro id(i) as format('P{:08d}', greatest(i, 0));
"""

_MEMBERS = """
with

drawn as (
    select
        i,
        mixed(i, 1, $seed) % 100 < 3 as due,
        mixed(i, 2, $seed) as a,
        mixed(i, 3, $seed) as b,
        mixed(i, 4, $seed) as c,
        mixed(i, 5, $seed) as d,
        mixed(i, 6, $seed) % 240 as months_ago,
        mixed(i, 7, $seed) % 10 >= 6 and not $monthly as annual,
        case when due or $all_due then 20
            else 21 + mixed(i, 8, $seed) % 30 end as day,
        $tonight and mixed(i, 9, $seed) % 100 = 0 as mistaken,
        mixed(i, 10, $seed) % $kinds as kind,
        $tonight and mixed(i, 11, $seed) % 200 = 0 as moved,
        mixed(i, 12, $seed) % $contacts as contact
    from range($members) as rows (i)
),

placed as (
    select
        *,
        $first[1 + a % len($first)] as given,
        $beginnings[1 + b % len($beginnings)] || $endings[1 + c % len($endings)]
            as family,
        case when annual and (due or $all_due) then months_ago - months_ago % 12
            else months_ago end as months,
        -- Of the 30 other days: 21 to 31 of the month and, from 32 on, 1 to 19.
        date_trunc('month', $as_of::date) - to_months(months::integer) as month,
        least(
            (case when day > 31 then day - 31 else day end)::integer,
            extract(day from month + interval 1 month - interval 1 day)
        )::integer as day_of_month
    from drawn
),

plain as (
    select
        i, mistaken, kind,
        id(i) as patient_id,
        ['Mr', 'Mrs', 'Ms', 'Dr', 'Mx', ''][1 + c % 6] as title,
        case when d % 9 = 0 then given || ' ' || $first[1 + c % len($first)]
            else given end as first_name,
        case when d % 11 = 0 then family || '-' || $beginnings[1 + a % len($beginnings)]
            when d % 13 = 0 then 'O’' || family
            when d % 17 = 0 then 'de la ' || family else family end as last_name,
        (date '1930-01-01' + (d % 27500)::integer)::varchar as date_of_birth,
        'member' || i || '@example.org' as email,
        format('01632 {:06d}', 960000 + d % 1000) as phone,
        (1 + c % 180) || case when moved then ' Upper Strand' else ' Lower Strand' end
            as address_line_1,
        case when a % 5 = 0 then 'Flat ' || (1 + b % 30) else '' end as address_line_2,
        $towns[1 + a % len($towns)] as town,
        format('ZZ{} {}AB', 1 + b % 9, 1 + c % 9) as postcode,
        case when b % 25 = 0 then 'No' else 'Yes' end as membership_active,
        $memberships[1 + a % len($memberships)] as membership,
        case when annual then 'Annual' else 'Monthly' end as billing_frequency,
        (month::date + day_of_month - 1)::varchar as start_date,
        case when c % 25 = 0 then (month::date + 1500 + (d % 900)::integer)::varchar
            else '' end as end_date,
        '' as bill_from,
        case when b % 10 = 1 then format('CONTACT{:04d}', contact) else '' end as bill_to,
        case when d % 40 = 0 then 'seen at the front desk' else '' end as notes,
        'dd' as last_edited_by
    from placed
)

select {columns} from plain
"""


def members(
    connection: duckdb.DuckDBPyConnection,
    count: int,
    *,
    due: str = "3%",
    tonight: bool = True,
    seed: int = 1,
) -> duckdb.DuckDBPyRelation:
    """The rows of Patients, in the columns of the class.

    Without `tonight` they are as they were the night before: without the mistakes, and
    before some people moved house.
    """
    for macro in _MACROS.split(";\n"):
        connection.execute(macro)
    values = {
        "seed": seed, "members": count, "contacts": contacts_of(count), "as_of": AS_OF,
        "tonight": tonight, "monthly": due == "12", "all_due": due != "3%",
        "kinds": len(MISTAKES), "first": FIRST, "beginnings": LAST_BEGINNINGS,
        "endings": LAST_ENDINGS, "towns": TOWNS, "memberships": MEMBERSHIPS,
    }  # fmt: skip
    names = [field.name for field in columns(Patients)]
    listed = ", ".join(_typed(name) for name in names)
    query = _MEMBERS.replace("{columns}", listed)
    return connection.sql(query, params=values)


def contacts_of(count: int) -> int:
    """How many contacts pay for somebody in a practice of so many members."""
    return max(3, min(count // 500, 2000))


def _typed(name: str) -> str:
    """A column of the sheet, with what the mistaken rows have in it instead."""
    wrong = "".join(
        f" when mistaken and kind = {kind} then {cells[name]}"
        for kind, cells in enumerate(MISTAKES)
        if name in cells
    )
    return f"case{wrong} else {name} end as {name}" if wrong else name
