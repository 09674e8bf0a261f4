"""Updates for tests: a product on devices in contracts, and updates of it on their way."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.domain.acceptance import Answer, ItemState
from ptdash.domain.updates import Result, Severity
from ptdash.models import Customer, Device, DeviceProduct, Product, Update, UpdateCheck, User
from ptdash.services.updates import approving, catalogue, checking, entering
from ptdash.services.updates.checking import Where
from ptdash.services.updates.entering import Entry
from tests.company import Company

TODAY = date(2026, 11, 12)
NOW = datetime(2026, 11, 12, 10, tzinfo=BERLIN)


@dataclass
class House:
    """A technician who tests, a manager who approves, Firefox in the catalogue."""

    session: Session
    company: Company = field(init=False)
    tester: User = field(init=False)
    manager: User = field(init=False)
    firefox: Product = field(init=False)

    def __post_init__(self) -> None:
        self.company = Company(self.session)
        self.tester = self.company.technician
        self.manager = self.company.add(User(email="mv@pt.example", name="Miriam Vogt", role="manager"))
        self.firefox = self.product("Firefox ESR", "Mozilla", "Browser und PDF")

    @property
    def by(self) -> dict[str, Any]:
        """The manager, now."""
        return {"today": TODAY, "actor_id": self.manager.id, "now": NOW}

    def product(self, name: str, vendor: str = "", section: str = "") -> Product:
        return catalogue.add(
            self.session, name, vendor=vendor, section=section, offered_by_us=True, actor_id=None, now=NOW
        )

    def covered(
        self, devices: int = 1, product: Product | None = None, **more: Any
    ) -> tuple[Customer, list[Device]]:
        """A customer with so many devices in a maintenance contract that run the product."""
        customer = self.company.customer(**more)
        contract = self.company.maintenance(customer)
        made = [self.company.device(customer) for _ in range(devices)]
        for device in made:
            self.company.include(contract, device)
            self.runs(device, product or self.firefox)
        return customer, made

    def runs(self, device: Device, product: Product, source: str = "ours") -> None:
        self.company.add(
            DeviceProduct(device_id=device.id, product=product.name, vendor=product.vendor, source=source)
        )

    def entry(self, version: str = "140.5.0", **more: Any) -> Entry:
        values: dict[str, Any] = {
            "vendor": "Mozilla",
            "title": "Mozilla Firefox ESR",
            "version": version,
            "severity": Severity.IMPORTANT,
            "released_on": date(2026, 11, 9),
            "products": (self.firefox.id,),
        }
        return Entry(**values | more)

    def update(self, version: str = "140.5.0", **more: Any) -> Update:
        return entering.enter(self.session, self.entry(version, **more), actor_id=self.manager.id, now=NOW)

    def start(self, update: Update, tester: User | None = None) -> UpdateCheck:
        actor = (tester or self.tester).id
        return checking.start(
            self.session, update.id, Where(tested_on="TEST-PC-01"), today=TODAY, actor_id=actor, now=NOW
        )

    def finish(self, check: UpdateCheck, result: Result = Result.PASSED, note: str = "") -> UpdateCheck:
        """Every point passed, the last one failed where the check fails."""
        asked = checking.answers_of(self.session, check.id)
        states = [ItemState.PASSED] * len(asked)
        if result is Result.FAILED:
            states[-1] = ItemState.FAILED
        given = [
            Answer(one.pos, state, "geht nicht" if state is ItemState.FAILED else "")
            for one, state in zip(asked, states, strict=True)
        ]
        by: dict[str, Any] = {"actor_id": check.tester_id, "now": NOW}
        checking.answer_all(self.session, check.id, given, **by)
        return checking.finish(self.session, check.id, result, note=note or "geprüft", **by)

    def tested(self, version: str = "140.5.0", result: Result = Result.PASSED, **more: Any) -> Update:
        update = self.update(version, **more)
        self.finish(self.start(update), result)
        return update

    def approved(self, version: str = "140.5.0", **more: Any) -> Update:
        update = self.tested(version, **more)
        approving.approve(self.session, update.id, **self.by)
        return update


def later(days: int) -> dict[str, Any]:
    """Those days after TODAY."""
    return {"today": TODAY + timedelta(days=days), "now": NOW + timedelta(days=days)}
