"""A small company in the making: rows for tests, each with what the test does not care about filled in."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.domain.sorting import sort_key
from ptdash.models import (
    Contract,
    ContractDevice,
    ContractNotice,
    Customer,
    Device,
    Material,
    PackageChange,
    Price,
    Setting,
    Ticket,
    TimeEntry,
    User,
)

COMPANY = {
    "name": "premium technologies GmbH",
    "street": "Hafenweg 12",
    "postal_code": "48155",
    "city": "Münster",
    "country": "DE",
    "vat_id": "DE123456789",
    "iban": "DE02120300000000202051",
    "federal_state": "NW",
    "email": "rechnung@pt.example",
    "phone": "0251 5550100",
}


@dataclass
class Company:
    """Company data, both rates and one technician are there from the start."""

    session: Session

    def __post_init__(self) -> None:
        self.numbers = count(10001)
        for key, value in COMPANY.items():
            self.session.add(Setting(key=f"company.{key}", value=value))
        self.price("overage_minute", "1.5")
        self.price("separate_minute", "1.6667")
        self.technician = self.add(User(email="tech@pt.example", name="Tarek Kaya", role="technician"))

    def add(self, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        return row

    def price(self, item: str, net: str, valid_from: date = date(2024, 1, 1)) -> Price:
        return self.add(Price(item=item, valid_from=valid_from, net=Decimal(net)))

    def customer(self, **more: Any) -> Customer:
        number = more.pop("number", None) or str(next(self.numbers))
        name = more.pop("name", f"Kunde {number}")
        row = {"street": "Ringstraße 1", "postal_code": "48143", "city": "Münster", "country": "DE"} | more
        return self.add(Customer(number=number, name=name, sort_key=sort_key(name), **row))

    def support(
        self, customer: Customer, package: str = "M", starts_on: date = date(2026, 1, 1), **more: Any
    ) -> Contract:
        return self.contract(customer, starts_on, kind="support", package=package, **more)

    def maintenance(
        self, customer: Customer, fee: str = "29.00", starts_on: date = date(2026, 1, 1), **more: Any
    ) -> Contract:
        return self.contract(customer, starts_on, kind="maintenance", monthly_fee=Decimal(fee), **more)

    def contract(
        self, customer: Customer, starts_on: date, ends_before: date | None = None, **more: Any
    ) -> Contract:
        """Renewed by its term for ever; with an end, an extraordinary notice fixed it."""
        months = 6 if more["kind"] == "support" else 12
        row = {"term_months": months, "notice_months": 1, "renewal_months": months} | more
        number = row.pop("number", f"V-{next(self.numbers)}")
        contract = self.add(
            Contract(number=number, customer_id=customer.id, starts_on=starts_on, ends_before=ends_before, **row)
        )
        if ends_before:
            ends_on = ends_before - timedelta(days=1)
            notice = {
                "contract_id": contract.id,
                "received_on": starts_on,
                "ends_on": ends_on,
                "channel": "letter",
            }
            self.add(ContractNotice(kind="extraordinary", **notice))
        return contract

    def package_change(self, contract: Contract, effective_on: date, package: str) -> PackageChange:
        return self.add(PackageChange(contract_id=contract.id, effective_on=effective_on, package=package))

    def device(self, customer: Customer, *, ours: bool = True) -> Device:
        number = f"D-{next(self.numbers)}"
        row = Device(
            inventory_number=number, customer_id=customer.id, type="notebook", name=number, purchased_from_us=ours
        )
        return self.add(row)

    def include(self, contract: Contract, device: Device, fee: str = "9.90", **more: Any) -> ContractDevice:
        row = {"included_from": contract.starts_on, "ends_before": contract.ends_before} | more
        return self.add(
            ContractDevice(contract_id=contract.id, device_id=device.id, monthly_fee=Decimal(fee), **row)
        )

    def ticket(self, customer: Customer, **more: Any) -> Ticket:
        row = {
            "channel": "phone",
            "category": "software",
            "subject": "Drucker druckt nicht",
            "status": "open",
            "priority": "normal",
            "created_at": datetime(2026, 1, 1, 8, tzinfo=BERLIN),
        } | more
        return self.add(Ticket(number=f"T-{next(self.numbers)}", customer_id=customer.id, **row))

    def entry(
        self,
        customer: Customer,
        minutes: int | None = 10,
        treatment: str | None = "package",
        at: datetime = datetime(2026, 9, 15, 10, tzinfo=BERLIN),
        **more: Any,
    ) -> TimeEntry:
        ticket = more.pop("ticket", None) or self.ticket(customer)
        lasts = more.pop("lasts", timedelta(minutes=minutes) if minutes else None)
        # Added in UTC: on the wall, a night with a clock change would be an hour off.
        ended_at = at.astimezone(UTC) + lasts if lasts else None
        row = {"note": "Fernwartung", "technician_id": self.technician.id} | more
        return self.add(
            TimeEntry(
                ticket_id=ticket.id,
                customer_id=ticket.customer_id,
                started_at=at,
                ended_at=ended_at,
                treatment=treatment,
                **row,
            )
        )

    def material(
        self,
        customer: Customer,
        net: str = "34.50",
        quantity: str = "1",
        day: date = date(2026, 9, 5),
        **more: Any,
    ) -> Material:
        ticket = self.ticket(customer)
        return self.add(
            Material(
                ticket_id=ticket.id,
                customer_id=customer.id,
                day=day,
                description="SSD 1 TB",
                quantity=Decimal(quantity),
                net=Decimal(net),
                **more,
            )
        )
