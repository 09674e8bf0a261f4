"""Companies that never were, as import files that break no rule: everything that decides a month's close."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from tests.cli.close_oracle import (
    BERLIN,
    DAY,
    NEVER,
    Files,
    days_of,
    end_by_notice,
    last_day,
    months_later,
    term_end,
)
from tests.services.import_bundle import HEADERS

Row = dict[str, Any]
SIZES = "SML"
UNBILLED = ("maintenance", "warranty", "goodwill")
PEOPLE = ("tim@pt.example", "mia@pt.example")
COMPANY = {
    "name": "premium technologies GmbH",
    "street": "Hafenweg 12",
    "postal_code": "48155",
    "city": "Münster",
    "country": "DE",
    "vat_id": "DE123456789",
    "tax_number": "336/5901/0123",
    "iban": "DE02120300000000202051",
    "email": "rechnung@pt.example",
    "phone": "+49 251 555010",
    "federal_state": "NW",
}
BUYERS = (
    *(("DE", "", "no"), ("DE", "DE123456788", "no"), ("DE", "", "yes"), ("DE", "", "ja"), ("", "", "0")),
    *(("FR", "FR12345678901", "no"), ("AT", "ATU12345678", "nein"), ("AT", "", "no"), ("CH", "", "no")),
    *(("FR", "FR12345678901", "yes"), ("GR", "EL123456789", "0")),
)
STARTS = (
    date(2024, 2, 1),
    date(2025, 9, 1),
    date(2025, 11, 1),
    date(2026, 2, 1),
    date(2026, 9, 1),
    date(2026, 10, 1),
)


@dataclass
class Company:
    """Rows by file and key. `months` are those that will be closed."""

    dice: random.Random
    buyers: int = 14
    files: dict[str, dict[tuple, Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        start = self.dice.choice(STARTS)
        self.months = [months_later(start, n) for n in range(3)]
        self.files = {name: {} for name in HEADERS}
        self.numbers = iter(range(1, 100_000))
        spared = self.dice.choice((None, None, "vat_id", "tax_number"))
        for key, value in COMPANY.items():
            self.put("company", key, value="" if key == spared else value)
        for email, role in zip(PEOPLE, ("technician", "manager"), strict=True):
            self.put("users", email, name=email, role=role)
        self.prices()
        for n in range(self.buyers):
            self.customer(f"K{n:02}")

    # Rows

    def put(self, file: str, /, *key: Any, **cells: Any) -> Row:
        columns = HEADERS[f"{file}.csv"].split(";")
        row = dict.fromkeys(columns) | dict(zip(columns, key, strict=False)) | cells
        self.files[f"{file}.csv"][key] = row
        return row

    def written(self, directory: Path) -> Path:
        directory.mkdir(exist_ok=True)
        for name, rows in self.files.items():
            lines = [";".join(map(self.cell, row.values())) for row in rows.values()]
            self.dice.shuffle(lines)
            (directory / name).write_text("\n".join([HEADERS[name], *lines]) + "\n", encoding="utf-8")
        return directory

    def cell(self, value: Any) -> str:
        """Days and numbers in either spelling."""
        either = self.dice.random() < 0.5
        if isinstance(value, date):
            return f"{value:%d.%m.%Y}" if either else value.isoformat()
        if isinstance(value, float):
            plain = f"{value:.4f}".rstrip("0").rstrip(".")
            return f"{value:,.4f}".translate(str.maketrans(",.", ".,")) if either else plain
        return "" if value is None else str(value)

    def number(self, prefix: str) -> str:
        return f"{prefix}-{next(self.numbers):04}"

    # The price list

    def prices(self) -> None:
        dice = self.dice
        for item in ("overage_minute", "separate_minute"):
            self.put("prices", item, date(2024, 1, 1), net=dice.randrange(1, 30_000) / 10_000)
            if dice.random() < 0.5:
                self.put("prices", item, dice.choice(self.months), net=dice.randrange(1, 30_000) / 10_000)
        for size in SIZES:
            if dice.random() < 0.4:
                since = dice.choice((*self.months, date(2024, 1, 1)))
                minutes = dice.choice((0, 7, 10, 45, 100))
                self.put(
                    "prices", f"package_{size}", since, net=dice.randrange(9900) / 100, included_minutes=minutes
                )
        if dice.random() < 0.4:
            self.put("prices", "vat_standard", dice.choice(self.months), net=dice.choice((16.0, 20.0, 7.5)))

    # Customers and what they have

    def customer(self, number: str) -> None:
        country, vat_id, is_consumer = self.dice.choice(BUYERS)
        street = "" if self.dice.random() < 0.1 else "Ringstraße 1"
        address = {"street": street, "postal_code": "48143", "city": "Münster", "email": f"{number}@kunde.example"}
        self.put(
            "customers",
            number,
            name=f"Kunde {number}",
            country=country,
            vat_id=vat_id,
            is_consumer=is_consumer,
            **address,
        )
        if self.dice.random() < 0.85:
            self.support(number, is_consumer in ("yes", "ja"))
        for _ in range(self.dice.choice((0, 0, 1, 2))):
            self.maintenance(number, is_consumer in ("yes", "ja"))
        for _ in range(2):
            self.put(
                "tickets", self.number("T"), number, channel="phone", category="software", subject="Frage",
                created_at="2023-01-02 08:00",
            )  # fmt: skip
        self.entries(number, self.dice.choice((0, 4, 12)))
        self.materials(number, self.dice.choice((0, 0, 1, 3)))

    def some_day(self) -> date:
        """Of the months, often one of their first or last."""
        days = days_of(self.dice.choice(self.months))
        return self.dice.choice((days[0], days[-1], days[-2], self.dice.choice(days), self.dice.choice(days)))

    def start(self) -> date:
        if self.dice.random() < 0.4:
            return self.some_day()
        start = self.months[0] - DAY * self.dice.randrange(500)
        return start.replace(day=1) - self.dice.choice((0, 1, 2)) * DAY if self.dice.random() < 0.5 else start

    def contract(self, kind: str, customer: str, is_consumer: bool, starts_on: date) -> Row:
        dice = self.dice
        return self.put(
            "contracts", self.number(kind[0].upper()), customer, kind,
            starts_on=starts_on,
            term_months=dice.choice((1, 3, 6, 12)),
            notice_months=1 if is_consumer else dice.choice((1, 1, 2, 3)),
            renewal_months=dice.choice((None, None, 1, 6, "none")),
        )  # fmt: skip

    def support(self, customer: str, is_consumer: bool) -> None:
        """One package, and where it ends perhaps the next one, at once or after some days."""
        starts_on = self.start()
        for _ in range(3):
            row = self.contract("support", customer, is_consumer, starts_on)
            row["package"] = self.dice.choice(SIZES)
            end = self.ended(row, is_consumer)
            self.package_changes(row, end)
            if end >= self.months[-1] or self.dice.random() < 0.2:
                return
            starts_on = end + DAY * self.dice.choice((1, 1, 2, 9))

    def ended(self, row: Row, is_consumer: bool) -> date:
        """Perhaps with notices, perhaps one withdrawn; the last day."""
        dice, plain, given = self.dice, {k: self.plain(v) for k, v in row.items()}, list[Row]()
        for _ in range(dice.choice((0, 0, 1, 2))):
            received = self.months[-1] - DAY * dice.randrange(-30, 150)
            notice = self.put("notices", row["number"], received, kind="ordinary", channel="email")
            given.append(notice)
            if dice.random() < 0.4:
                notice["kind"] = "extraordinary"
                notice["ends_on"] = max(received, row["starts_on"]) + DAY * dice.randrange(40)
        if given and dice.random() < 0.4 and given[-1]["received_on"] <= self.end_of(row, plain, is_consumer):
            given[-1]["withdrawn_on"] = given[-1]["received_on"]
        return self.end_of(row, plain, is_consumer)

    def end_of(self, row: Row, plain: dict[str, str], is_consumer: bool) -> date:
        notices = [n for n in self.files["notices.csv"].values() if n["contract"] == row["number"]]
        return last_day(plain, is_consumer, [{k: self.plain(v) for k, v in n.items()} for n in notices])

    @staticmethod
    def plain(value: Any) -> str:
        return "" if value is None else str(value)

    def package_changes(self, row: Row, end: date) -> None:
        """Upgrades on firsts of months, downgrades on the first days of terms, while the contract runs."""
        package, on, term_starts = row["package"], row["starts_on"], set[date]()
        first, months, renewal = on, row["term_months"], row["renewal_months"] or 6
        is_consumer = self.files["customers.csv"][(row["customer"],)]["is_consumer"] in ("yes", "ja")
        while first <= min(end, self.months[-1] + 31 * DAY):
            term_starts.add(first)
            if renewal == "none" or (is_consumer and len(term_starts) > 1):
                break
            first, months = term_end(first, months) + DAY, renewal
        while on <= min(end, self.months[-1] + 31 * DAY):
            wanted = self.dice.choice(SIZES)
            bigger = SIZES.index(wanted) > SIZES.index(package)
            if self.dice.random() < 0.3 and wanted != package and (on.day == 1 if bigger else on in term_starts):
                self.put("package_changes", row["number"], on, package=wanted)
                package = wanted
            on += DAY

    def maintenance(self, customer: str, is_consumer: bool) -> None:
        row = self.contract("maintenance", customer, is_consumer, self.start())
        row["monthly_fee"] = self.dice.choice((0.0, 29.0, 1234.56, self.dice.randrange(10_000) / 100))
        end = self.ended(row, is_consumer)
        for _ in range(self.dice.randrange(6)):
            self.device(row, end)

    def device(self, contract: Row, end: date) -> None:
        """In the contract, perhaps out of it and in again."""
        dice, name = self.dice, self.number("D")
        self.put(
            "devices",
            name,
            contract["customer"],
            type="server",
            name=name,
            purchased_from_us=dice.choice(("yes", "1")),
        )
        since = max(contract["starts_on"], dice.choice((contract["starts_on"], self.some_day())))
        for _ in range(2):
            if since > end:
                return
            row = self.put("contract_devices", contract["number"], name, since)
            row["monthly_fee"] = dice.choice((9.9, 9.9, 5.0, 10.0, 0.0, dice.randrange(5000) / 100))
            if dice.random() < 0.5:
                return
            row["included_until"] = min(since + DAY * dice.choice((0, 3, 14, 40, 200)), end)
            since = row["included_until"] + DAY * dice.choice((1, 1, 6))

    # Work

    def entries(self, customer: str, how_many: int, months: list[date] | None = None) -> None:
        dice = self.dice
        tickets = [r["number"] for r in self.files["tickets.csv"].values() if r["customer"] == customer]
        for _ in range(how_many):
            start = self.begin(dice.choice(months or [self.months[0] - DAY, *self.months]))
            row = self.put(
                "time_entries", self.number("E"), dice.choice(tickets), dice.choice(PEOPLE), note="Arbeit",
                treatment=dice.choice((*("package",) * 6, *("separate",) * 2, *UNBILLED)),
            )  # fmt: skip
            if dice.random() < 0.02:
                row["treatment"] = None
            length = timedelta(seconds=dice.choice((1, 59, 60, 61, 600, 3599, dice.randrange(1, 9000))))
            # What begins or ends in an hour that is there twice, or never, says its offset.
            row["started_at"], end = (self.spelled(t) for t in (start, start + length))
            if dice.random() < 0.5:
                row["ended_at"] = end
            else:
                row["minutes"] = dice.choice((1, 5, 30, dice.randrange(1, 200)))

    def begin(self, month: date) -> datetime:
        """A moment of the month: often at its edges, or in the night in which the clocks change."""
        dice, days = self.dice, days_of(month.replace(day=1))
        edges = ((days[-1], time(23, 59, 30)), (days[0], time(0)), (days[-1], time(23, 30)), (days[0], time(0, 1)))
        night = ([on for on in days if on.weekday() == 6][-1], time(dice.randrange(4), 45))
        some = (dice.choice(days), time(dice.randrange(24), dice.randrange(60)))
        on, clock = dice.choice((*edges, night, some, some, some, some))
        return datetime.combine(on, clock.replace(fold=dice.choice((0, 1))), BERLIN).astimezone(UTC)

    def spelled(self, moment: datetime) -> str:
        local = moment.astimezone(BERLIN)
        sure = local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset()
        if sure and self.dice.random() < 0.7:
            wall = local.replace(tzinfo=None)
            return wall.strftime(self.dice.choice(("%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S")))
        return self.dice.choice((local, moment)).isoformat()

    def materials(self, customer: str, how_many: int, months: list[date] | None = None) -> None:
        dice = self.dice
        tickets = [r["number"] for r in self.files["tickets.csv"].values() if r["customer"] == customer]
        for _ in range(how_many):
            days = days_of(dice.choice(months or [months_later(self.months[0], -1), *self.months]))
            self.put(
                "materials", self.number("M"), dice.choice(tickets),
                dice.choice((days[0], days[-1], dice.choice(days))),
                description="Toner, schwarz",
                quantity=dice.choice((1.0, 2.0, 0.5, 1.125, 12.0)),
                net=dice.choice((61.19, 0.0049, 0.125, 1234.5, 0.0, dice.randrange(1, 10_000_000) / 10_000)),
            )  # fmt: skip

    # What happens between the closes

    def mend(self, customer: str) -> None:
        """Whatever parks a customer, put right."""
        row = self.files["customers.csv"][(customer,)]
        row["street"] = "Neue Straße 2"
        if row["country"] not in ("", "DE") and (not row["vat_id"] or row["is_consumer"] in ("yes", "ja")):
            row["country"], row["vat_id"] = "DE", ""
        tickets = {r["number"] for r in self.files["tickets.csv"].values() if r["customer"] == customer}
        for entry in self.files["time_entries.csv"].values():
            if entry["ticket"] in tickets and entry["treatment"] is None:
                entry["treatment"] = "separate"

    def late(self, past: list[date], directory: Path) -> None:
        """Work, material, ends and customers that become known when months are closed already."""
        dice, files = self.dice, Files(self.written(directory))
        for (number,) in list(self.files["customers.csv"]):
            if dice.random() < 0.4:
                self.entries(number, dice.choice((1, 3)), past)
            if dice.random() < 0.2:
                self.materials(number, 1, past)
        for row in list(self.files["contracts.csv"].values()):
            if dice.random() < 0.25:
                self.late_end(row, files)
        for row in self.files["contract_devices.csv"].values():
            end = min(files.ends[row["contract"]], row["included_until"] or NEVER)
            left = max(row["included_from"], dice.choice(past) + DAY * dice.randrange(25))
            if dice.random() < 0.15 and left < end:
                row["included_until"] = left
        if dice.random() < 0.8:
            self.customer(f"N{next(self.numbers)}")
        for (number,), row in self.files["customers.csv"].items():
            if dice.random() < 0.1 and row["country"] == "DE" and row["is_consumer"] == "no":
                row["country"], row["vat_id"], row["street"] = "FR", "FR12345678901", f"Rue {number}"

    def late_end(self, row: Row, files: Files) -> None:
        """An extraordinary notice that ends a contract earlier than known, after all that came into it."""
        number = row["number"]
        last = max(
            [row["starts_on"]]
            + [r["effective_on"] for r in self.files["package_changes.csv"].values() if r["contract"] == number]
            + [r["included_until"] or r["included_from"] for r in self.files["contract_devices.csv"].values()
               if r["contract"] == number]
            + [r["withdrawn_on"] or r["received_on"] for r in self.files["notices.csv"].values()
               if r["contract"] == number]
        )  # fmt: skip
        ends_on = max(last, self.months[0]) + DAY * self.dice.randrange(40)
        received = min(ends_on, self.months[0] + DAY * self.dice.randrange(28))
        if ends_on < files.ends[number] and (number, received) not in self.files["notices.csv"]:
            notice = self.put("notices", number, received, kind="extraordinary", channel="email", ends_on=ends_on)
            assert end_by_notice({}, False, {k: self.plain(v) for k, v in notice.items()}) == ends_on
