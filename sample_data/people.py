"""The patients of the sample practice, and the rule each of them shows."""

from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Person:
    """One patient: `bucket` is where the sample night puts the membership, '' for none.

    `member` reads "GOLD Monthly" or, with the frequency left blank, "BRONZE";
    `dates` are start and end of the membership as ISO text, the end left out while
    it goes on.
    """

    name: str
    born: str
    bucket: str
    shows: str
    member: str = ""
    dates: str = ""
    bill_from: str = ""
    bill_to: str = ""


BILLED, AHEAD, ENDED = "billed", "not_yet_due", "ended"
INACTIVE, BEFORE = "inactive", "before_bill_from"

# The n-th person is patient P000n. Names are of trees, birds and rivers.
PEOPLE = (
    Person("Ms Robin Alder", "1984-05-17", BILLED,
           "starts on the 31st: billed 28 February and 31 March, no drift",
           "GOLD Monthly", "2024-01-31"),
    Person("Mr Martin Ashe", "1971-11-02", BILLED,
           "starts on the 30th: 28 February, then 30 March",
           "GOLD Monthly", "2025-10-30"),
    Person("Mrs Hazel Avon", "1959-01-23", BILLED,
           "a period that starts on the day Bill from names is billed",
           "GOLD Monthly", "2025-08-01"),
    Person("Dr Linnet Beck", "1978-07-30", BILLED,
           "a price change between two periods: each has the price of its own day",
           "SILVER Monthly", "2025-11-15"),
    Person("Mr Rowan Birch", "1990-02-28", BILLED,
           "annual from a leap day: 28 February this year",
           "SILVER Annual", "2024-02-29"),
    Person("Ms Wren Brook", "1988-09-09", BILLED,
           "annual renewal on the very day of the night",
           "GOLD Annual", "2025-03-31"),
    Person("Mr Jay Cam", "1966-12-14", BEFORE,
           "the running year began before Bill from: not billed until 1 June",
           "GOLD Annual", "2025-06-01"),
    Person("Mrs Olive Cedar", "1949-04-05", BEFORE,
           "the same with an older start: the next year begins 12 September",
           "SILVER Annual", "2024-09-12"),
    Person("Mr Heron Clyde", "1995-08-21", BILLED,
           "Billing frequency left blank: Bronze is sold by the month only",
           "BRONZE", "2026-01-05"),
    Person("Ms Ivy Dart", "2004-03-13", BILLED,
           "Billing frequency left blank: Student is sold by the year only",
           "STUDENT", "2026-02-14"),
    Person("Mr Finch Dee", "2003-10-27", BILLED,
           "the second year of an annual membership",
           "STUDENT Annual", "2025-03-01"),
    Person("Ms Laurel Derwent", "1981-06-18", AHEAD,
           "starts tomorrow, at the new price of April",
           "GOLD Monthly", "2026-04-01"),
    Person("Mr Basil Don", "1976-02-07", AHEAD,
           "starts in two weeks",
           "SILVER Annual", "2026-04-15"),
    Person("Mrs Myrtle Eden", "1953-05-29", ENDED,
           "ended last year",
           "GOLD Monthly", "2024-06-10 2025-12-31"),
    Person("Mr Swift Elder", "1992-11-11", ENDED,
           "ended the day before Bill from",
           "BRONZE Monthly", "2025-02-01 2026-01-31"),
    Person("Ms Dove Exe", "1987-01-16", BILLED,
           "ends on the day of the night: the short last period is charged in full",
           "SILVER Monthly", "2025-09-20 2026-03-31"),
    Person("Mr Reed Fal", "1969-08-03", BILLED,
           "ended two weeks ago, its last periods not billed yet: billed to 15 March",
           "GOLD Monthly", "2025-07-08 2026-03-15"),
    Person("Mrs Fern Forth", "1974-10-10", INACTIVE,
           "Membership active is No: never billed, and no error",
           "GOLD Monthly", "2024-03-03"),
    Person("Mr Crane Frome", "1962-04-26", INACTIVE,
           "the same with an annual membership",
           "SILVER Annual", "2023-03-20"),
    Person("Mr Teal Gorse", "1998-12-01", "", "a patient without a membership"),
    Person("Ms Plover Hawthorn", "1983-07-07", "",
           "no membership, a consultation put on an invoice by hand"),
    Person("Mr Lark Heath", "1957-09-19", "", "a patient without a membership"),
    Person("Ms Juniper Humber", "1991-03-24", "",
           "one period of a membership put on an invoice by hand"),
    Person("Ms Merle Holly", "1986-11-30", BILLED,
           "her own Bill from: the period of 22 February stays unbilled",
           "GOLD Monthly", "2023-05-22", bill_from="2026-03-01"),
    Person("Mr Kit Kennet", "1979-05-08", BILLED,
           "his own Bill from reaches back: three periods, the oldest of 80 days ago",
           "SILVER Monthly", "2025-12-10", bill_from="2026-01-01"),
    Person("Ms Clover Larch", "1985-02-20", BILLED,
           "the employer pays the contract price, all members on one invoice",
           "GOLD Monthly", "2025-01-01", bill_to="FERRIES"),
    Person("Mr Drake Lune", "1994-06-12", BILLED,
           "the employer's second line",
           "GOLD Monthly", "2025-04-15", bill_to="FERRIES"),
    Person("Mrs Willow Maple", "1972-08-08", BILLED,
           "contract price before price change: Silver at the agreed price",
           "SILVER Monthly", "2026-01-31", bill_to="FERRIES"),
    Person("Mr Colm Medway", "1968-10-22", BILLED,
           "an annual contract price on the same invoice as the monthly ones",
           "GOLD Annual", "2025-03-10", bill_to="FERRIES"),
    Person("Ms Rosemary Mersey", "1997-01-05", BILLED,
           "the first period of a new member",
           "GOLD Monthly", "2026-03-01", bill_to="FERRIES"),
    Person("Mr Perry Nene", "1989-12-19", AHEAD,
           "joins the employer's scheme in April",
           "GOLD Monthly", "2026-04-06", bill_to="FERRIES"),
    Person("Mrs Poppy Oak", "1964-03-31", BILLED,
           "an insurer without a contract price for Silver: the standard price",
           "SILVER Monthly", "2025-05-05", bill_to="TIDEWELL"),
    Person("Mr Sorrel Orwell", "1980-07-14", BILLED,
           "the insurer pays the year, and a consultation at its contract price",
           "GOLD Annual", "2026-02-01", bill_to="TIDEWELL"),
    Person("Mr Aspen Rowan", "1977-04-17", BILLED,
           "a family member pays; not combined, so an invoice for each period",
           "FAMILY Monthly", "2025-11-30", bill_to="ROWAN"),
    Person("Miss Bryony Rowan", "2005-09-02", BILLED,
           "the same payer, her own membership",
           "STUDENT Annual", "2026-03-15", bill_to="ROWAN"),
    Person("Mr Linden Rowan", "2012-05-17", BILLED,
           "under 18, so somebody else pays; taxed at 20%",
           "WELLBEING Monthly", "2026-03-05", bill_to="ROWAN"),
    Person("Ms Saffron Severn", "1982-10-06", BILLED,
           "taxed at 20%: 24.99 carries 5.00, half a penny rounds up",
           "WELLBEING Monthly", "2026-02-20"),
    Person("Mr Søren Tamar", "1975-01-28", BILLED,
           "an annual membership taxed at 20%, a name with an accent",
           "WELLBEING Annual", "2025-02-28"),
    Person("Mrs Violet Tay", "1970-06-25", BILLED,
           "annual from the last day of March",
           "FAMILY Annual", "2023-03-31"),
    Person("Ms Tansy Null", "1993-11-17", BILLED,
           "first day is the day of the night; a surname that looks like a blank",
           "SILVER Monthly", "2026-03-31"),
)  # fmt: skip

_STREETS = ("Harbour Row", "Chapel Loke", "Mill Drove", "Upper Strand", "Fennel Court")
_TOWNS = ("Dunmarrow", "Saltmere Bay", "Little Wexing", "Otterwick Quay")


def patient_id(index: int) -> str:
    """The id of the person at `index` of PEOPLE."""
    return f"P{index + 1:04d}"


def patients() -> list[dict[str, Any]]:
    """The rows of the Patients sheet, by field name."""
    return [_row(index, person) for index, person in enumerate(PEOPLE)]


def _row(index: int, person: Person) -> dict[str, Any]:
    """A person with membership and an address in a town that does not exist."""
    title, first_name, last_name = person.name.split(" ")
    membership, _, frequency = person.member.partition(" ")
    start, _, end = person.dates.partition(" ")
    active = bool(person.member) and person.bucket != INACTIVE
    return {
        "patient_id": patient_id(index),
        "title": title,
        "first_name": first_name,
        "last_name": last_name,
        "date_of_birth": _day(person.born),
        "email": f"{first_name}.{last_name}@example.org".lower().replace("ø", "o"),
        "phone": f"07700 900{index + 101}",
        "address_line_1": f"{index * 3 + 1} {_STREETS[index % 5]}",
        "address_line_2": "Flat B" if index % 11 == 8 else None,
        "town": _TOWNS[index % 4],
        "postcode": f"ZZ{index % 4 + 1} {index % 9 + 1}AB",
        "membership_active": "Yes" if active else "No",
        "membership": membership or None,
        "billing_frequency": frequency or None,
        "start_date": _day(start),
        "end_date": _day(end),
        "bill_from": _day(person.bill_from),
        "bill_to": person.bill_to or None,
        "last_edited_by": "mm" if index % 7 == 3 else "dd",
        "notes": person.shows,
    }


def _day(iso: str) -> date | None:
    """A day from ISO text, None from ''."""
    return date.fromisoformat(iso) if iso else None
