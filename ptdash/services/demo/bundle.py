"""A believable company as import files: seeded, so that every first start shows the same."""

import csv
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from faker import Faker

from ptdash.domain.periods import last_day, next_month, previous_month
from ptdash.services.demo.words import AFTER_MOVE, CUSTOMERS, DEVICES, MATERIALS, PRODUCTS, RUNNING, TICKETS

SEED = 20240101
BERLIN = ZoneInfo("Europe/Berlin")
TECHNICIANS = ("tarek.kaya@pt.example", "lukas.brenner@pt.example", "ines.albrecht@pt.example")
USERS = (
    ("miriam.vogt@pt.example", "Miriam Vogt", "manager", "de"),
    ("jana.petersen@pt.example", "Jana Petersen", "dispatcher", "de"),
    (TECHNICIANS[0], "Tarek Kaya", "technician", "de"),
    (TECHNICIANS[1], "Lukas Brenner", "technician", "de"),
    (TECHNICIANS[2], "Ines Albrecht", "technician", "en"),
    ("admin@pt.example", "Systemverwaltung", "admin", "de"),
)
COMPANY = {
    "name": "premium technologies GmbH",
    "street": "Hafenweg 12",
    "postal_code": "48155",
    "city": "Münster",
    "country": "DE",
    "vat_id": "DE123456789",
    "tax_number": "336/5901/0123",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "email": "rechnung@premium-technologies.example",
    "phone": "+49 251 555010",
    "federal_state": "NW",
    "payment_days": "14",
}
# Assumptions of the demo: the company's public page names neither rate.
RATES = (("overage_minute", "1.50"), ("separate_minute", "1.50"))
MINUTES = (3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 12, 12, 14, 15, 18, 22, 25)

FIRST_TICKET = 3601
# Closed months, the newest of them two months ago; package advice and charts look back as far.
CLOSED_MONTHS = 6
# How far some packages are drawn this month, in percent.
REACHED = {1: 87, 2: 107, 3: 90, 5: 84, 8: 80, 15: 100, 16: 63, 17: 71, 23: 40, 25: 96}

# Customers since last month whose data are not complete: the next close parks them.
SWISS, WITHOUT_ADDRESS, UNTRIAGED = 18, 20, 5
NEWCOMERS = (SWISS, WITHOUT_ADDRESS)
# Whose support contract began within the closed months (in the how manieth), and whose maintenance ended in one.
BEGAN = {22: 1, 16: 3}
ENDED, ENDED_IN = 17, 3

Row = dict[str, Any]


@dataclass
class Bundle:
    """Import files in the making: rows by file name."""

    today: date
    fake: Faker
    files: dict[str, list[Row]] = field(default_factory=dict)

    def add(self, file: str, **row: Any) -> None:
        self.files.setdefault(file, []).append(row)

    def write(self, directory: Path) -> None:
        for name, rows in self.files.items():
            with (directory / name).open("w", encoding="utf-8", newline="") as out:
                writer = csv.DictWriter(out, fieldnames=list(rows[0]), delimiter=";")
                writer.writeheader()
                writer.writerows(rows)


def closed_months(today: date) -> list[date]:
    """The months that a demo closes at its start, the oldest first."""
    months = [previous_month(previous_month(today))]
    while len(months) < CLOSED_MONTHS:
        months.insert(0, previous_month(months[0]))
    return months


def build(today: date) -> Bundle:
    """The current month, the one before and the closed ones of a company with some thirty customers."""
    fake = Faker("de_DE")
    fake.seed_instance(SEED)
    bundle = Bundle(today, fake)
    *past, newest = closed_months(today)
    months = [newest, previous_month(today), today.replace(day=1)]
    for key, value in COMPANY.items():
        bundle.add("company.csv", key=key, value=value)
    for item, net in RATES:
        bundle.add("prices.csv", item=item, valid_from=f"{past[0].year}-01-01", net=net, included_minutes="")
    for email, name, role, language in USERS:
        bundle.add("users.csv", email=email, name=name, role=role, language=language)
    for index, (pattern, package) in enumerate(CUSTOMERS):
        number = str(10001 + index)
        _customer(bundle, index, number, pattern.format(fake.unique.last_name()))
        since = months[1] if index in NEWCOMERS else past[BEGAN[index]] if index in BEGAN else months[0]
        _contracts(bundle, index, number, package, since)
        for month in (month for month in months if month >= since):
            _month(bundle, index, number, month, package)
    _notices(bundle, months)
    _past(bundle, past)
    _number_tickets(bundle)
    return bundle


def _past(bundle: Bundle, months: list[date]) -> None:
    """The closed months before the newest, with dice of their own: what comes after them stays the same. One
    maintenance contract ended within them."""
    fake = Faker("de_DE")
    fake.seed_instance(SEED + 1)
    past = Bundle(bundle.today, fake, bundle.files)
    for index, (_, package) in enumerate(CUSTOMERS):
        for month in () if index in NEWCOMERS else months[BEGAN.get(index, 0) :]:
            _month(past, index, str(10001 + index), month, package)
    ended, number = months[ENDED_IN], f"WV-{2001 + ENDED}"
    starts_on = ended.replace(year=ended.year - 2)
    _contract(past, number, str(10001 + ENDED), starts_on, kind="maintenance", monthly_fee="49.00")
    past.add(
        "notices.csv",
        contract=number,
        received_on=ended.replace(day=5),
        kind="extraordinary",
        ends_on=last_day(ended),
        channel="letter",
        withdrawn_on="",
    )


def _customer(bundle: Bundle, index: int, number: str, name: str) -> None:
    """Mostly complete; the close parks one without an address and one in Switzerland."""
    fake = bundle.fake
    abroad = {12: ("Mariahilfer Straße 5", "1070", "Wien", "AT", "ATU12345675")}
    abroad[SWISS] = ("Bahnhofstrasse 21", "8001", "Zürich", "CH", "")
    street, postal_code, city, country, vat_id = abroad.get(
        index,
        (
            "" if index == WITHOUT_ADDRESS else fake.street_address(),
            fake.postcode(),
            fake.random_element(("Münster", "Dortmund", "Essen", "Köln", "Bielefeld", "Hamm")),
            "DE",
            f"DE{fake.random_int(100000000, 999999999)}",
        ),
    )
    bundle.add(
        "customers.csv",
        number=number,
        name=name,
        contact=fake.name(),
        email=f"rechnung@kunde-{number}.example",
        street=street,
        postal_code=postal_code,
        city=city,
        country=country,
        vat_id=vat_id,
        is_consumer="no",
    )


def _contracts(bundle: Bundle, index: int, number: str, package: str, since: date) -> None:
    fake = bundle.fake
    if index % 7 != 6 or index in NEWCOMERS:
        started = date(since.year - fake.random_int(1, 2), fake.random_int(1, 12), 1)
        starts_on = (
            since if index in NEWCOMERS or index in BEGAN else since.replace(day=15) if index == 9 else started
        )
        _contract(bundle, f"SV-{1001 + index}", number, starts_on, kind="support", package=package, term_months=6)
    if index % 2 == 0 and index not in NEWCOMERS:
        starts_on = date(since.year - 1, fake.random_int(1, 12), 1)
        renewal = "none" if index % 8 == 4 else ""
        _contract(
            bundle,
            f"WV-{2001 + index}",
            number,
            starts_on,
            kind="maintenance",
            monthly_fee=fake.random_element(("29.00", "49.00", "59.90")),
            # Without a renewal the term has to be long enough to still run.
            term_months=36 if renewal else 12,
            renewal_months=renewal,
        )
        for place in range(fake.random_int(2, 7)):
            _device(
                bundle, f"{number}-{place + 1:02d}", number, f"WV-{2001 + index}", starts_on, foreign=place == 2
            )


def _contract(bundle: Bundle, number: str, customer: str, starts_on: date, **more: Any) -> None:
    row = {"package": "", "term_months": 12, "notice_months": 1, "renewal_months": "", "monthly_fee": ""} | more
    bundle.add("contracts.csv", number=number, customer=customer, starts_on=starts_on, **row)


def _device(
    bundle: Bundle, inventory: str, customer: str, contract: str, starts_on: date, *, foreign: bool
) -> None:
    fake = bundle.fake
    kind, name, manufacturer, model, fee = fake.random_element(DEVICES)
    bought = starts_on - timedelta(days=fake.random_int(20, 700))
    bundle.add(
        "devices.csv",
        inventory_number=inventory,
        customer=customer,
        type=kind,
        name=f"{name} {inventory[-2:]}",
        manufacturer=manufacturer,
        model=model,
        serial_number=fake.unique.bothify("??######").upper(),
        purchased_from_us="no" if foreign else "yes",
        purchased_on=bought,
        warranty_until=bought + timedelta(days=730),
        guarantee_until=bought + timedelta(days=1095) if kind == "server" else "",
        active_station="yes" if name == "Empfang" else "no",
    )
    product, vendor, version = fake.random_element(PRODUCTS)
    bundle.add(
        "device_products.csv", device=inventory, product=product, vendor=vendor, version=version, source="ours"
    )
    for name, maker, release in RUNNING.get(kind, ()):
        if name != product:
            row = {"product": name, "vendor": maker, "version": release, "source": "ours"}
            bundle.add("device_products.csv", device=inventory, **row)
    if foreign:
        inspected = starts_on - timedelta(days=4)
        bundle.add(
            "acceptances.csv",
            device=inventory,
            inspected_on=inspected,
            outcome="accepted",
            inspector=fake.random_element(TECHNICIANS),
            note="",
        )
    bundle.add(
        "contract_devices.csv",
        contract=contract,
        device=inventory,
        included_from=starts_on,
        included_until="",
        monthly_fee=fee,
    )


def _month(bundle: Bundle, index: int, number: str, month: date, package: str) -> None:
    """A customer's tickets of a month: most stay within their minutes, every fourth goes over."""
    fake = bundle.fake
    last = min(last_day(month), bundle.today - timedelta(days=1))
    if last < month:
        return
    running = last_day(month) >= bundle.today
    budget = {"S": 10, "M": 30, "L": 60}[package]
    aim = int(budget * (1.6 if (index + month.month) % 4 == 0 else 0.75))
    used = 0
    for place in range(fake.random_int(2, 4 if package == "S" else 7)):
        template = fake.random_element(TICKETS)
        _, concern, _, _, done, treatment = template
        if treatment == "package" and used >= aim:
            continue
        opened = _working_time(fake, month, last)
        ticket = f"{month:%y%m}{index + 1:02d}{place + 1:02d}"
        technician = fake.random_element(TECHNICIANS)
        _ticket(bundle, ticket, number, template, opened, technician)
        minutes = fake.random_element(MINUTES) * (3 if treatment in ("maintenance", "separate") else 1)
        if running and treatment == "package":
            minutes = min(minutes, max(2, aim - used))
        used += minutes if treatment == "package" else 0
        # One entry of the month before was never triaged: its customer is parked until somebody decides.
        forgotten = index == UNTRIAGED and next_month(month) == bundle.today.replace(day=1) and place == 0
        started = opened + timedelta(minutes=fake.random_int(2, 40))
        _entry(bundle, ticket, technician, started, minutes, "" if forgotten else treatment, done)
        if treatment == "separate" and concern == "swap":
            what, net = fake.random_element(MATERIALS)
            bundle.add(
                "materials.csv",
                external_id=f"M{ticket}",
                ticket=ticket,
                day=opened.date(),
                description=what,
                quantity=1,
                net=Decimal(net),
            )
    if running and used < (wanted := budget * REACHED.get(index, 0) // 100):
        opened = _working_time(fake, month, last)
        ticket = f"{month:%y%m}{index + 1:02d}90"
        technician = fake.random_element(TECHNICIANS)
        _ticket(bundle, ticket, number, AFTER_MOVE, opened, technician, channel="phone", priority="normal")
        _entry(
            bundle, ticket, technician, opened + timedelta(minutes=5), wanted - used, AFTER_MOVE[5], AFTER_MOVE[4]
        )


def _ticket(
    bundle: Bundle,
    ticket: str,
    customer: str,
    template: tuple[str, str, str, str, str, str],
    opened: datetime,
    technician: str,
    channel: str = "",
    priority: str = "",
) -> None:
    """A ticket that is done; the channel and the priority are drawn where none is given."""
    fake = bundle.fake
    category, concern, product, subject, _, _ = template
    bundle.add(
        "tickets.csv",
        number=ticket,
        customer=customer,
        channel=channel or fake.random_element(("phone", "phone", "email", "portal")),
        category=category,
        concern=concern,
        product=product,
        subject=subject,
        body="",
        device="",
        status="closed",
        priority=priority or fake.random_element(("low", "normal", "normal", "normal", "high", "urgent")),
        created_at=opened.isoformat(),
        assignee=technician,
    )


def _entry(
    bundle: Bundle, ticket: str, technician: str, started: datetime, minutes: int, treatment: str, note: str
) -> None:
    bundle.add(
        "time_entries.csv",
        external_id=f"Z{ticket}",
        ticket=ticket,
        technician=technician,
        started_at=started.isoformat(),
        ended_at="",
        minutes=minutes,
        treatment=treatment,
        note=note,
    )


def _number_tickets(bundle: Bundle) -> None:
    """Tickets are numbered in the order in which they came in."""
    tickets = sorted(
        bundle.files["tickets.csv"], key=lambda row: (datetime.fromisoformat(row["created_at"]), row["number"])
    )
    numbers = {row["number"]: str(FIRST_TICKET + place) for place, row in enumerate(tickets)}
    for row in tickets:
        row["number"] = numbers[row["number"]]
    for file in ("time_entries.csv", "materials.csv"):
        for row in bundle.files.get(file, []):
            row["ticket"] = numbers[row["ticket"]]


def _working_time(fake: Faker, month: date, last: date) -> datetime:
    """A moment of a working day in the month, not after `last`."""
    days = [month + timedelta(days=i) for i in range((last - month).days + 1)]
    working = [day for day in days if day.weekday() < 5] or days
    day = fake.random_element(working)
    return datetime.combine(day, time(fake.random_int(8, 15), fake.random_int(0, 59)), BERLIN)


def _notices(bundle: Bundle, months: list[date]) -> None:
    """Two cancellations: one by letter, one that was taken back."""
    support = [row["number"] for row in bundle.files["contracts.csv"] if row["kind"] == "support"]
    for contract, channel, withdrawn in (
        (support[3], "letter", ""),
        (support[8], "email", months[1].replace(day=20)),
    ):
        bundle.add(
            "notices.csv",
            contract=contract,
            received_on=months[1].replace(day=12),
            kind="ordinary",
            ends_on="",
            channel=channel,
            withdrawn_on=withdrawn,
        )
