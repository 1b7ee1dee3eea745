"""A made-up practice whose office edits its sheets day by day, as offices do.

Joins, leavers, switches, corrections, typing mistakes that are mended days later, price
rises, contract renewals, new products; all names are made up, and everything follows
from the seed.
"""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from random import Random

Row = dict[str, str]
Sheets = dict[str, list[Row]]

FIRST_NIGHT = date(2024, 1, 1)
_FIRST_NAMES = (
    "Ada Bo Cleo Dot Ezra Fay Gus Hal Ida Jem Kit Lou Mab Ned Oda Pip Ras Sid Tam Una"
).split()
_SYLLABLES = "al ber cor den est fal gra hol ing ket lam mor".split()
_WORKDAYS = 21  # of a month


def signed(**cells: str) -> Row:
    """A row of a guarded sheet, signed by the manager; `_` stands for a space."""
    row = {name.replace("_", " "): text for name, text in cells.items()}
    return {**row, "Last edited by": "mm"}


def month_later(day: date, months: int = 1) -> date:
    """The same day some months on, or the month's 28th where days differ."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, min(day.day, 28))


def months_between(first: date, day: date) -> int:
    """How many month ends lie between two days."""
    return (day.year - first.year) * 12 + day.month - first.month


def times(price: str, factor: str) -> str:
    """A price times a factor, to the penny; blank stays blank."""
    return (
        str((Decimal(price) * Decimal(factor)).quantize(Decimal("0.01")))
        if price
        else ""
    )


class Practice:
    """The sheets of a practice, and what its office does to them each day."""

    def __init__(self, members: int, on_the_first: bool, seed: int) -> None:
        self.size, self.on_the_first = members, on_the_first
        self.rng = Random(f"{seed} {members} {on_the_first}")
        self.registered = (
            not on_the_first
        )  # one shape has tax to go wrong, one has none
        self.made = 0
        self.bulk_on: date | None = None
        self._done: set[str] = set()
        self._to_mend: list[tuple[date, Row, str, str]] = []
        self._recent: list[tuple[date, Row]] = []
        self.sheets = self._first_sheets()

    @property
    def patients(self) -> list[Row]:
        """The rows of Patients."""
        return self.sheets["patients"]

    def _first_sheets(self) -> Sheets:
        tax = "STD" if self.registered else "EXEMPT"
        settings = {
            "Practice name": "Simulated Practice", "Auto invoice": "Yes",
            "Bill from": str(FIRST_NIGHT), "Prices include tax": "No",
            "VAT registered": "Yes" if self.registered else "No",
            "VAT number": "GB980780684" if self.registered else "",
        }  # fmt: skip
        sheets: Sheets = {
            "settings": [signed(Setting=n, Value=v) for n, v in settings.items()],
            "tax_codes": [
                {**signed(Code=code, Name=code), "Rate %": rate}
                for code, rate in {"EXEMPT": "0", "ZERO": "0", "STD": "20"}.items()
            ],
            "staff": [
                {"User": "mm", "Name": "Mo Manager", "Role": "Manager", "Active": "Yes"}
            ],
            "roles": [
                {"Role": "Manager", "Products": "Edit", "Patients": "Edit",
                 "Settings": "Edit", "Invoices": "Edit"}
            ],
            "products": [
                _product("GOLD", "49.99", "549.00", tax),
                _product("SILVER", "29.99", "329.00", "EXEMPT"),
                _product("FAMILY", "84.00", "924.00", tax),
                _product("TEEN", "12.50", "", "EXEMPT"),
            ],
            "contacts": [
                {"Code": code, "Name": f"{code} Ltd", "Active": "Yes"}
                for code in ("ACME", "BOLT")
            ],
            "price_changes": [
                _coming("TEEN", FIRST_NIGHT - timedelta(days=300), "12.00", "")
            ],
            "contract_prices": [
                _contract("ACME", "GOLD", FIRST_NIGHT, "44.00", "480.00"),
                _contract("BOLT", "SILVER", FIRST_NIGHT, "27.00", "297.00"),
            ],
            "patients": [],
        }  # fmt: skip
        self.sheets = sheets
        for _ in range(self.size):
            self._join(self._old_start())
        for _ in range(self.size * 15 // 100):
            row = self._join(self._old_start())
            gone = FIRST_NIGHT - timedelta(days=self.rng.randint(1, 300))
            row["End date"] = str(max(gone, date.fromisoformat(row["Start date"])))
            if self.rng.random() < 0.4:
                row["Membership active"] = "No"
        return sheets

    def _old_start(self) -> date:
        day = FIRST_NIGHT - timedelta(days=self.rng.randint(1, 720))
        on_the_first = self.on_the_first and self.rng.random() < 0.85
        return day.replace(day=1) if on_the_first else day

    def _join(self, start: date) -> Row:
        rng, self.made = self.rng, self.made + 1
        first = rng.choice(_FIRST_NAMES)
        last = "".join(rng.choice(_SYLLABLES) for _ in range(4)).title()
        born = date(1950, 1, 1) + timedelta(days=rng.randint(0, 18_000))
        codes = [
            row["Code"] for row in self.sheets["products"] if row["Active"] == "Yes"
        ]
        weights = [4 if code in ("GOLD", "SILVER") else 1 for code in codes]
        code = rng.choices(codes, weights)[0]
        row = {
            "Patient ID": f"P{self.made:05d}", "First name": first, "Last name": last,
            "Date of birth": str(born) if rng.random() < 0.85 else "",
            "Email": f"{first}.{last}.{self.made}@example.org".lower(),
            "Address line 1": f"{rng.randint(1, 200)} {last} Row",
            "Town": "Otterwick Quay", "Postcode": "ZZ4 4AB",
            "Membership active": "Yes", "Membership": code,
            "Billing frequency": "Annual"
            if code != "TEEN" and rng.random() < 0.15
            else "Monthly",
            "Start date": str(start), "End date": "", "Bill from": "",
            "Bill to": rng.choice(("ACME", "BOLT")) if rng.random() < 0.1 else "",
            "Last edited by": "mm",
        }  # fmt: skip
        self.patients.append(row)
        return row

    def edit(self, day: date, billed_until: Callable[[str], date | None]) -> bool:
        """A day's edits; whether there were any. `billed_until` is asked of the ledger."""
        if day.weekday() == 6 or (day.weekday() == 5 and self.rng.random() < 0.9):
            return False
        before = (self.made, len(self._done), len(self._to_mend))
        acts = self._events(day)
        acts += self._mend(day)
        acts += [self._new_member(day) for _ in range(self._some(0.02))]
        acts += [self._leave(day) for _ in range(self._some(0.018))]
        acts += [self._switch_product() for _ in range(self._some(0.005))]
        acts += [self._switch_frequency(billed_until) for _ in range(self._some(0.003))]
        acts += [self._other_payer() for _ in range(self._some(0.002))]
        acts += [self._correct_details() for _ in range(self._some(0.03))]
        return bool(acts) or before != (
            self.made,
            len(self._done),
            len(self._to_mend),
        )

    def _some(self, monthly_share: float) -> int:
        """How often something happens today that so many members do in a month."""
        chance = self.size * monthly_share / _WORKDAYS / 20
        return sum(self.rng.random() < chance for _ in range(20))

    def _active(self) -> Row:
        return self.rng.choice(
            [
                row
                for row in self.patients
                if row["Membership active"] == "Yes" and not row["End date"]
            ]
        )

    def _new_member(self, day: date) -> str:
        start = day + timedelta(days=self.rng.choice((0, 0, 0, 1, 3, -2, 10)))
        if self.on_the_first and self.rng.random() < 0.8:
            start = month_later(day).replace(day=1)
        row = self._join(start)
        self._recent.append((day, row))
        slip = self.rng.random()
        if slip < 0.06:
            self._mistype(row, "Start date", "31/02/2025", day)
        elif slip < 0.1:
            self._mistype(row, "Membership", "GOLDD", day)
        return "join"

    def _mistype(self, row: Row, column: str, text: str, day: date) -> None:
        mended_on = day + timedelta(days=self.rng.randint(1, 6))
        self._to_mend.append((mended_on, row, column, row[column]))
        row[column] = text

    def _mend(self, day: date) -> list[str]:
        """Typing mistakes repaired, and start dates corrected soon after the join."""
        due = [entry for entry in self._to_mend if entry[0] <= day]
        for entry in due:
            entry[1][entry[2]] = entry[3]
            self._to_mend.remove(entry)
        corrected = []
        for joined, row in list(self._recent):
            if (day - joined).days > 2:
                self._recent.remove((joined, row))
            elif self.rng.random() < 0.03 and "/" not in row["Start date"]:
                start = date.fromisoformat(row["Start date"]) + timedelta(days=1)
                row["Start date"] = str(start)
                corrected.append("start")
        return corrected + ["mended"] * len(due)

    def _leave(self, day: date) -> str:
        row = self._active()
        if self.rng.random() < 0.2:
            row["Membership active"] = "No"
            return "off"
        month_end = month_later(day).replace(day=1) - timedelta(days=1)
        end = (
            month_end
            if self.on_the_first
            else day + timedelta(self.rng.randint(-3, 30))
        )
        row["End date"] = str(max(str(end), row["Start date"]))
        return "end"

    def _switch_product(self) -> str:
        row = self._active()
        row["Membership"] = self.rng.choice(("GOLD", "SILVER", "FAMILY"))
        return "product"

    def _switch_frequency(self, billed_until: Callable[[str], date | None]) -> str:
        """Monthly to annual or back, with the start date the program asks for."""
        row = self._active()
        until = billed_until(row["Patient ID"])
        if until and row["Membership"] != "TEEN":
            monthly = row["Billing frequency"] == "Monthly"
            row["Billing frequency"] = "Annual" if monthly else "Monthly"
            row["Start date"] = str(until + timedelta(days=1))
        return "frequency"

    def _other_payer(self) -> str:
        row = self._active()
        row["Bill to"] = "" if row["Bill to"] else self.rng.choice(("ACME", "BOLT"))
        return "payer"

    def _correct_details(self) -> str:
        row = self._active()
        self.made += 1
        column, text = self.rng.choice(
            (
                ("Last name", f"{row['Last name']}-Hythe"[:24]),
                ("Email", f"new{self.made}@example.org"),
                ("Address line 1", f"{self.made % 90 + 1} Upper Strand"),
                ("Date of birth", "1970-02-03"),
            )
        )
        row[column] = text
        return "details"

    def _events(self, day: date) -> list[str]:
        """What happens once: on the first working day from its date on."""
        planned: list[tuple[str, Callable[[date], None]]] = []
        for year in (2024, 2025):
            planned += [
                (f"{year}-03-14", self._announce_rise),
                (f"{year}-04-01", self._raise_own_prices),
                (f"{year}-12-12", self._renew_contracts),
            ]
        planned += [
            ("2024-06-10", lambda today: self._new_product("PLUS", "69.00", "759.00")),
            ("2025-02-03", lambda today: self._new_product("KIDS", "9.00", "99.00")),
            ("2024-09-16", self._enrol_employer),
        ]
        happened = []
        for on, act in planned:
            name = f"{on} {act}"
            if str(day) >= on and on not in self._done:
                self._done.add(on)
                act(day)
                happened.append(name)
        return happened

    def price_of(self, code: str) -> tuple[str, str]:
        """The latest monthly and annual price of a product, coming ones included."""
        rows = [
            row for row in self.sheets["price_changes"] if row["Product code"] == code
        ] or [row for row in self.sheets["products"] if row["Code"] == code]
        return rows[-1]["Monthly price"], rows[-1]["Annual price"]

    def _announce_rise(self, day: date) -> None:
        for code in ("GOLD", "FAMILY"):
            monthly, annual = (times(price, "1.06") for price in self.price_of(code))
            starts = day.replace(month=4, day=1)
            self.sheets["price_changes"].append(_coming(code, starts, monthly, annual))

    def _raise_own_prices(self, day: date) -> None:
        for row in self.sheets["products"]:
            if row["Code"] not in ("GOLD", "FAMILY", "TEEN"):
                for column in ("Monthly price", "Annual price"):
                    row[column] = times(row[column], "1.06")

    def _renew_contracts(self, day: date) -> None:
        rows = self.sheets["contract_prices"]
        for row in [row for row in rows if not row["Valid to"]]:
            row["Valid to"] = f"{day.year}-12-31"
            rows.append(
                _contract(
                    row["Contact code"], row["Product code"], date(day.year + 1, 1, 1),
                    times(row["Monthly price"], "1.04"),
                    times(row["Annual price"], "1.04"),
                )
            )  # fmt: skip

    def _new_product(self, code: str, monthly: str, annual: str) -> None:
        self.sheets["products"].append(_product(code, monthly, annual, "EXEMPT"))

    def _enrol_employer(self, day: date) -> None:
        """A tenth and more of the roster joins in one day."""
        self.bulk_on = day
        self.sheets["contacts"].append(
            {"Code": "CORP", "Name": "Corp Ltd", "Active": "Yes"}
        )
        self.sheets["contract_prices"].append(
            _contract("CORP", "SILVER", day.replace(day=1), "26.00", "286.00")
        )
        for _ in range(self.size * 12 // 100):
            row = self._join(month_later(day).replace(day=1))
            row |= {
                "Membership": "SILVER", "Billing frequency": "Monthly", "Bill to": "CORP"
            }  # fmt: skip


def _product(code: str, monthly: str, annual: str, tax: str) -> Row:
    return signed(
        Code=code, Name=f"{code} membership", Type="Membership", Monthly_price=monthly,
        Annual_price=annual, Tax_code=tax, Active="Yes",
    )  # fmt: skip


def _coming(code: str, day: date, monthly: str, annual: str) -> Row:
    return signed(
        Product_code=code, Effective_from=str(day), Monthly_price=monthly,
        Annual_price=annual,
    )  # fmt: skip


def _contract(contact: str, code: str, day: date, monthly: str, annual: str) -> Row:
    return signed(
        Contact_code=contact, Product_code=code, Monthly_price=monthly,
        Annual_price=annual, Valid_from=str(day), Valid_to="",
    )  # fmt: skip
