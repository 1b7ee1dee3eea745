"""The office of a simulated practice: its sheets, what staff edit in them, and mend."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from dateutil.relativedelta import relativedelta

from tests.practice import write
from tests.simulator.naive_rows import Row, Sheets

PATIENT = (
    "Patient ID,Title,First name,Last name,Date of birth,Email,Membership active,"
    "Membership,Billing frequency,Start date,End date,Bill from,Bill to,"
    "Last edited by,Notes"
).split(",")
PRODUCT = (
    "Code,Name,Type,Monthly price,Annual price,Price,Tax code,Active,Last edited by"
).split(",")
CONTACT = "Code,Name,Payment terms (days),Combine invoices,Active".split(",")
CHANGE = (
    "Product code,Effective from,Monthly price,Annual price,Price,Last edited by"
).split(",")
CONTRACT = (
    "Contact code,Product code,Monthly price,Annual price,Price,Valid from,Valid to,"
    "Last edited by"
).split(",")
REQUEST = (
    "Request ID,Patient ID,Product code,Quantity,Bill to,Requested on,Requested by"
).split(",")
SENT = "Invoice number,Sent on,Sent to,How,Sent by".split(",")
HEADINGS = {
    "patients": PATIENT, "products": PRODUCT, "contacts": CONTACT,
    "price_changes": CHANGE, "contract_prices": CONTRACT, "invoice_requests": REQUEST,
    "sent": SENT,
}  # fmt: skip


def row(sheet: str, *cells: str) -> Row:
    """A row of a sheet from its cells in order; those left out are blank."""
    titles = HEADINGS[sheet]
    return dict(zip(titles, [*cells, *[""] * (len(titles) - len(cells))], strict=True))


@dataclass
class Repair:
    """What somebody will do about a mistake, and when."""

    on: date
    mend: Callable[[], None]


@dataclass
class Office:
    """The sheets as they are today and the repairs that are still to come."""

    dice: random.Random
    today: date
    sheets: Sheets = field(default_factory=dict)
    repairs: list[Repair] = field(default_factory=list)
    joined: int = 0
    room: int = 0
    names: set[str] = field(default_factory=set)

    def open(self, members: int) -> None:
        """The sheets of the first day, with so many members or a few more."""
        dice = self.dice
        self.sheets = {
            "settings": [
                {"Setting": name, "Value": value, "Last edited by": "mm"}
                for name, value in self._settings().items()
            ],
            "tax_codes": [
                {"Code": code, "Name": code.title(), "Rate %": rate, "Last edited by": "mm"}
                for code, rate in (("EXEMPT", "0"), ("ZERO", "0"), ("STD", "20"), ("RED", "5"))
            ],
            "staff": [
                {"User": user, "Name": f"User {user}", "Role": role, "Active": active}
                for user, role, active in (
                    ("mm", "Manager", "Yes"), ("dd", "Desk", "Yes"),
                    ("vv", "Viewer", "Yes"), ("xx", "Manager", "No"),
                )
            ],
            "roles": [
                {"Role": role, "Products": products, "Patients": patients,
                 "Settings": settings, "Invoices": invoices}
                for role, products, patients, settings, invoices in (
                    ("Manager", "Edit", "Edit", "Edit", "Edit"),
                    ("Desk", "View", "Edit", "View", "Edit"),
                    ("Viewer", "View", "View", "View", "View"),
                )
            ],
            "products": [
                row("products", "GOLD", "Gold", "Membership", "50.00", "550.00", "", "EXEMPT", "Yes", "mm"),
                row("products", "SILVER", "Silver", "Membership", "30.13", "", "", "EXEMPT", "Yes", "mm"),
                row("products", "PLAT", "Platinum", "Membership", "", "489.99", "", dice.choice(["STD", "EXEMPT"]), "Yes", "mm"),
                row("products", "FAMILY", "Family", "Membership", "89.99", "899.95", "", "RED", "Yes", "mm"),
                row("products", "CONSULT", "Consultation", "Service", "", "", "85.05", "STD", "Yes", "mm"),
                row("products", "LETTER", "Letter", "Service", "", "", "17.50", "ZERO", "Yes", "mm"),
            ],
            "contacts": [
                row("contacts", "ACME", "Acme Widgets Ltd", "30", "Yes", "Yes"),
                row("contacts", "ZETA", "Zeta Ltd", "", dice.choice(["No", ""]), ""),
            ],
            "contract_prices": [
                row("contract_prices", "ACME", "GOLD", "44.00", "", "", "", "", "mm"),
            ],
            "price_changes": [],
            "patients": [],
            "sent": [],
            "invoice_requests": [],
        }  # fmt: skip
        self.room = 2 * members + 2
        for _ in range(dice.randint(members, members + 5)):
            self.join()

    def _settings(self) -> dict[str, str]:
        dice = self.dice
        began = self.today - timedelta(days=dice.choice([0, 0, 20, 45]))
        return {
            "Practice name": "Harbour Lane Surgery",
            "Auto invoice": "Yes",
            "Bill from": began.isoformat(),
            "VAT registered": "Yes",
            "VAT number": "GB980780684",
            "Catch-up days": str(dice.choice([45, 60, 100, 200])),
            "Payment terms (days)": str(dice.choice([0, 14, 30])),
            "First invoice number": str(dice.choice([1, 1, 137, 999990])),
            "Prices include tax": dice.choice(["No", "No", "Yes"]),
            "Max days ahead": "150",
            "Max invoice amount": "1200",
            "Max drop %": "100",
            "Max joined %": "100",
            "Max changed %": "100",
            "Max price change %": "100",
        }

    def save(self, folder: Path) -> None:
        """Write every sheet as it is now."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.sheets.items():
            blank = dict.fromkeys(HEADINGS[name], "") if name in HEADINGS else {}
            if rows:
                write(folder, name, rows)
            else:
                headings = ",".join(blank)
                (folder / f"{name}.csv").write_text(headings + "\n", encoding="utf-8")

    # What staff do of a day.

    def day(self) -> None:
        """Mend what is due to be mended, then do one ordinary thing or make a mistake."""
        for repair in [one for one in self.repairs if one.on <= self.today]:
            self.repairs.remove(repair)
            repair.mend()
        self.dice.choice(ORDINARY + ORDINARY + MISTAKES)(self)

    def later(self, mend: Callable[[], None], *, within: int = 60) -> None:
        """Do this some days from now."""
        days = self.dice.randint(1, within)
        self.repairs.append(Repair(self.today + timedelta(days=days), mend))

    def wrong(self, where: Row, title: str, text: str) -> None:
        """Type this over a cell; what was there comes back some days later."""
        right = where[title]
        where[title] = text

        def mend() -> None:
            if where[title] == text:
                where[title] = right

        self.later(mend)

    def name(self) -> str:
        """A name nobody else has and that stands in no other word."""
        letters = "".join(self.dice.choices("bcdfghjkmnpqrtvwxz", k=9))
        self.names.add(letters.capitalize())
        return letters.capitalize()

    def join(self) -> None:
        """A new member, from a day around today, unless the practice is full."""
        dice = self.dice
        if len(self.sheets["patients"]) >= self.room:
            return
        self.joined += 1
        start = self.today + timedelta(days=dice.randint(-25, 20))
        if dice.random() < 0.4:
            start = start.replace(day=1) + relativedelta(day=dice.choice([29, 30, 31]))
        product = dice.choice(["GOLD", "GOLD", "SILVER", "PLAT", "FAMILY"])
        offered = {"SILVER": ["Monthly", ""], "PLAT": ["Annual", ""]}
        frequency = dice.choice(offered.get(product, ["Monthly", "Monthly", "Annual"]))
        self.sheets["patients"].append(
            row(
                "patients", f"P{self.joined:03d}", "", self.name(),
                dice.choice(["", "=1+1 ", "O'"]) + self.name(), "1980-05-17",
                f"p{self.joined}@example.org", "Yes", product, frequency,
                self.written(start), "", "", dice.choice(["", "", "ACME", "ZETA"]),
                dice.choice(["dd", "dd", "mm", ""]), "",
            )
        )  # fmt: skip

    def written(self, day: date) -> str:
        """A date as one person or another types it."""
        return f"{day:%d/%m/%Y}" if self.dice.random() < 0.4 else day.isoformat()

    def member(self) -> Row:
        """Some row of Patients."""
        return self.dice.choice(self.sheets["patients"])

    def leave(self) -> None:
        """A member's last covered day is typed, or one typed before is taken back."""
        who = self.member()
        if who["End date"]:
            who["End date"] = ""
        else:
            last = self.today + timedelta(days=self.dice.randint(-10, 120))
            who["End date"] = self.written(last)

    def switch_off(self) -> None:
        """A membership rests for a while."""
        self.wrong(self.member(), "Membership active", "No")

    def change_frequency(self) -> None:
        """Monthly to Annual or back; the start date is left as it is, or set anew."""
        who = self.member()
        turned = {"Monthly": "Annual", "Annual": "Monthly"}
        who["Billing frequency"] = turned.get(who["Billing frequency"], "Monthly")
        if self.dice.random() < 0.4:
            who["Start date"] = self.today.isoformat()

    def change_start(self) -> None:
        """A start date is corrected by some days."""
        start = self.today + timedelta(days=self.dice.randint(-70, 30))
        self.member()["Start date"] = self.written(start)

    def change_product(self) -> None:
        """Another membership."""
        who = self.member()
        who["Membership"] = self.dice.choice(["GOLD", "SILVER", "FAMILY"])
        who["Billing frequency"] = "Monthly"

    def change_payer(self) -> None:
        """Somebody else pays from now on."""
        self.member()["Bill to"] = self.dice.choice(["", "ACME", "ZETA"])

    def type_bill_from(self) -> None:
        """A patient's own Bill from, or none any more."""
        day = self.today + timedelta(days=self.dice.randint(-40, 40))
        self.member()["Bill from"] = self.dice.choice(["", self.written(day)])

    def remove(self) -> None:
        """A patient's row is taken out, and put back some weeks later."""
        if len(self.sheets["patients"]) < 5:
            return
        who = self.member()
        self.sheets["patients"].remove(who)
        if self.dice.random() < 0.7:
            self.later(lambda: self.sheets["patients"].append(who))

    def announce_price(self) -> None:
        """A new price from a day ahead, signed or, by mistake, not."""
        code, monthly, annual, once = self.dice.choice(
            [("GOLD", 50, 550, 0), ("SILVER", 30, 0, 0), ("FAMILY", 89, 0, 0),
             ("PLAT", 0, 490, 0), ("CONSULT", 0, 0, 85)]
        )  # fmt: skip
        day = self.today + timedelta(days=self.dice.randint(-5, 60))
        known = [
            (one["Product code"], one["Effective from"])
            for one in self.sheets["price_changes"]
        ]
        if (code, day.isoformat()) in known:
            return
        new = row(
            "price_changes", code, day.isoformat(), self._near(monthly),
            self._near(annual), self._near(once), "mm",
        )  # fmt: skip
        self.sheets["price_changes"].append(new)
        if self.dice.random() < 0.3:
            self.unsigned(new)

    def _near(self, price: int) -> str:
        if not price:
            return ""
        return f"{price + self.dice.randint(-5, 5)}.{self.dice.randint(0, 99):02d}"

    def unsigned(self, where: Row) -> None:
        """Somebody without the right has changed this row; a manager signs it later."""
        where["Last edited by"] = self.dice.choice(["dd", "vv", "xx", "zz", ""])

        def sign() -> None:
            where["Last edited by"] = "mm"

        self.later(sign)

    def edit_price(self) -> None:
        """A product's own price is typed over, with a signature that counts or not."""
        product = self.dice.choice(self.sheets["products"])
        for title in ("Monthly price", "Annual price", "Price"):
            if product[title]:
                whole, _, _ = product[title].partition(".")
                product[title] = self._near(int(whole) if whole.isdigit() else 40)
        product["Last edited by"] = "mm"
        if self.dice.random() < 0.4:
            self.unsigned(product)

    def agree_price(self) -> None:
        """A contract price for some months; the one before it ends the day before."""
        contact, product = self.dice.choice(
            [("ACME", "GOLD"), ("ACME", "FAMILY"), ("ZETA", "GOLD"), ("ZETA", "SILVER"),
             ("ACME", "CONSULT")]
        )  # fmt: skip
        day = self.today + timedelta(days=self.dice.randint(-10, 40))
        rows = self.sheets["contract_prices"]
        same = [
            r
            for r in rows
            if (r["Contact code"], r["Product code"]) == (contact, product)
        ]
        if any(r["Valid from"] >= day.isoformat() for r in same):
            return
        overlapping = self.dice.random() < 0.15
        for earlier in same:
            if not overlapping and not earlier["Valid to"]:
                earlier["Valid to"] = (day - timedelta(days=1)).isoformat()
                earlier["Last edited by"] = "mm"
            elif overlapping and not earlier["Valid to"]:
                self._end_later(earlier, day)
        monthly, annual, once = {
            "CONSULT": ("", "", self._near(70)), "SILVER": (self._near(25), "", ""),
        }.get(product, (self._near(44), self.dice.choice(["", self._near(480)]), ""))  # fmt: skip
        last = (
            "" if self.dice.random() < 0.6 else (day + timedelta(days=200)).isoformat()
        )
        rows.append(
            row(
                "contract_prices",
                contact,
                product,
                monthly,
                annual,
                once,
                day.isoformat(),
                last,
                "mm",
            )
        )

    def _end_later(self, earlier: Row, day: date) -> None:
        def end() -> None:
            if not earlier["Valid to"]:
                earlier["Valid to"] = (day - timedelta(days=1)).isoformat()
                earlier["Last edited by"] = "mm"

        self.later(end)

    def change_tax(self) -> None:
        """Another tax code for a product, or another rate for a code."""
        if self.dice.random() < 0.5:
            product = self.dice.choice(self.sheets["products"])
            product["Tax code"] = self.dice.choice(["EXEMPT", "ZERO", "STD", "RED"])
            product["Last edited by"] = "mm"
        else:
            code = self.sheets["tax_codes"][2 + self.dice.randint(0, 1)]
            code["Rate %"] = self.dice.choice(["20", "17.5", "5", "21.25"])
            code["Last edited by"] = self.dice.choice(["mm", "mm", "dd"])

    def setting(self, name: str) -> Row:
        """One row of Settings."""
        (found,) = [one for one in self.sheets["settings"] if one["Setting"] == name]
        return found

    def stop_invoicing(self) -> None:
        """Auto invoice No for some days, with a signature that counts or not."""
        switch = self.setting("Auto invoice")
        if switch["Value"] == "Yes":
            switch["Last edited by"] = self.dice.choice(["mm", "mm", "dd"])
            self.wrong(switch, "Value", "No")

    def change_settings(self) -> None:
        """Terms, catch-up or the practice's Bill from."""
        name = self.dice.choice(["Payment terms (days)", "Catch-up days", "Bill from"])
        value = {
            "Payment terms (days)": str(self.dice.choice([7, 14, 28])),
            "Catch-up days": str(self.dice.choice([30, 60, 120])),
            "Bill from": (
                self.today - timedelta(days=self.dice.randint(0, 90))
            ).isoformat(),
        }[name]
        where = self.setting(name)
        where["Value"], where["Last edited by"] = value, "mm"
        if self.dice.random() < 0.3:
            self.unsigned(where)

    def staff_comes_and_goes(self) -> None:
        """A manager leaves for a while, or a new one signs on the first day."""
        staff = self.sheets["staff"]
        if self.dice.random() < 0.5:
            self.wrong(staff[1], "Active", "No")
            return
        user = f"n{len(staff)}"
        staff.append(
            {"User": user, "Name": f"User {user}", "Role": "Manager", "Active": "Yes"}
        )
        product = self.dice.choice(self.sheets["products"])
        product["Name"] = f"{product['Name'].split(' ')[0]} {user}"
        product["Last edited by"] = user

    def ask(self) -> None:
        """Something on an invoice by hand; now and then with a mistake in it."""
        who = self.member()
        new = row(
            "invoice_requests", f"R{self.dice.randint(10**6, 10**7)}", who["Patient ID"],
            self.dice.choice(["CONSULT", "LETTER"]), self.dice.choice(["", "1", "3"]),
            self.dice.choice(["", "", "ACME", "ZETA"]),
            self.written(self.today + timedelta(days=self.dice.randint(-9, 9))), "dd",
        )  # fmt: skip
        self.sheets["invoice_requests"].append(new)
        if self.dice.random() < 0.25:
            title, text = self.dice.choice(
                [("Patient ID", "P999"), ("Product code", "CONSLUT"), ("Quantity", "x"),
                 ("Requested on", "30/02/2026"), ("Bill to", "NOBODY")]
            )  # fmt: skip
            self.wrong(new, title, text)

    def mistake_at_patient(self) -> None:
        """A cell of a patient's row that nobody can understand."""
        title, text = self.dice.choice(
            [("Start date", "31/02/2026"), ("Start date", ""), ("Membership", "GOLDD"),
             ("Membership", ""), ("End date", "soon"), ("Bill to", "ACNE"),
             ("Billing frequency", "Weekly"), ("First name", ""), ("Bill from", "1/13/26"),
             ("Membership active", ""), ("Membership active", "Perhaps"),
             ("Membership", "CONSULT"), ("Billing frequency", ""), ("End date", "2001-01-01")]
        )  # fmt: skip
        self.wrong(self.member(), title, text)

    def mistake_at_product(self) -> None:
        """A cell of a product, tax code or contact that holds those who rest on it."""
        sheet, title, text = self.dice.choice(
            [("products", "Tax code", "NONE"), ("products", "Active", "No"),
             ("products", "Active", ""), ("products", "Name", ""),
             ("contacts", "Active", "No"), ("contacts", "Name", ""),
             ("contacts", "Combine invoices", "Both"), ("tax_codes", "Rate %", "twenty")]
        )  # fmt: skip
        rows = self.sheets[sheet]
        self.wrong(self.dice.choice(rows), title, text)

    def mistake_at_price(self) -> None:
        """A price that is not to the penny, or two amounts depending on who reads it."""
        where = self.dice.choice(
            self.sheets["products"] + self.sheets["contract_prices"]
        )
        filled = [t for t in ("Monthly price", "Annual price", "Price") if where[t]]
        if filled:
            text = self.dice.choice(["49,99", "85.005", "fifty"])
            self.wrong(where, self.dice.choice(filled), text)

    def same_id_twice(self) -> None:
        """A row copied down and half typed over, or copied down and forgotten."""
        twin = dict(self.member())
        if self.dice.random() < 0.6:
            twin["First name"] = self.name()
        self.sheets["patients"].append(twin)

        def remove() -> None:
            rows = self.sheets["patients"]
            rows[:] = [one for one in rows if one is not twin]

        self.later(remove)

    def patient_by_stranger(self) -> None:
        """A patient's row changed by somebody who may not."""
        who = self.member()
        who["Membership"] = self.dice.choice(["GOLD", "SILVER"])
        who["Last edited by"] = self.dice.choice(["vv", "xx", "zz"])

        def sign() -> None:
            who["Last edited by"] = "dd"

        self.later(sign)


ORDINARY: list[Callable[[Office], None]] = [
    Office.join, Office.join, Office.leave, Office.switch_off, Office.change_frequency,
    Office.change_start, Office.change_product, Office.change_payer,
    Office.type_bill_from, Office.remove, Office.announce_price, Office.edit_price,
    Office.agree_price, Office.change_tax, Office.stop_invoicing,
    Office.change_settings, Office.staff_comes_and_goes, Office.ask, Office.ask,
]  # fmt: skip
MISTAKES: list[Callable[[Office], None]] = [
    Office.mistake_at_patient, Office.mistake_at_patient, Office.mistake_at_product,
    Office.mistake_at_price, Office.same_id_twice, Office.patient_by_stranger,
]  # fmt: skip
