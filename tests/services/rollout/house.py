"""A company with products on devices, and updates that are checked and approved by two people."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import count

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.config import BERLIN
from ptdash.models import (
    Contract,
    Customer,
    Device,
    DeviceProduct,
    Product,
    RolloutTask,
    Update,
    UpdateApproval,
    UpdateCheck,
    UpdateCheckResult,
    UpdateProduct,
    User,
)
from ptdash.services.rollout import planning, stopping
from tests.company import Company

TODAY = date(2026, 12, 10)
NOW = datetime(2026, 12, 10, 11, tzinfo=BERLIN)
FIRST = date(2026, 12, 21)
# A Monday morning of December's window.
IN_WINDOW = datetime(2026, 12, 21, 9, tzinfo=BERLIN)
WINDOWS = "Windows 11"


@dataclass
class House:
    session: Session
    company: Company = field(init=False)
    versions: count = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.company = Company(self.session)
        add = self.company.add
        self.technician: User = self.company.technician
        self.tester: User = add(User(email="test@pt.example", name="Lukas Brenner", role="technician"))
        self.manager: User = add(User(email="boss@pt.example", name="Maria Vogt", role="manager"))

    def customer(self, devices: int = 1, **more) -> tuple[Customer, Contract, list[Device]]:
        """A customer whose devices run Windows 11 that we sold, all in a running maintenance contract."""
        customer = self.company.customer(**more)
        contract = self.company.maintenance(customer)
        return customer, contract, [self.device(customer, contract) for _ in range(devices)]

    def device(
        self, customer: Customer, contract: Contract | None = None, product: str = WINDOWS, **more
    ) -> Device:
        source = more.pop("source", "ours")
        device = self.company.device(customer)
        for name, value in more.items():
            setattr(device, name, value)
        self.runs(device, product, source)
        if contract:
            self.company.include(contract, device)
        return device

    def runs(self, device: Device, product: str, source: str = "ours") -> None:
        self.company.add(DeviceProduct(device_id=device.id, product=product, source=source))

    def update(self, product: str = WINDOWS, severity: str = "important", **more) -> Update:
        found = self.session.execute(select(Product).where(Product.name == product)).scalar_one_or_none()
        found = found or self.company.add(Product(name=product, vendor="Microsoft"))
        row = {"title": f"{product}, Update", "version": f"KB{next(self.versions)}"} | more
        update = Update(vendor="Microsoft", severity=severity, released_on=TODAY, created_at=NOW, **row)
        self.company.add(update)
        self.company.add(UpdateProduct(update_id=update.id, product_id=found.id))
        return update

    def approve(self, update: Update, *, at: datetime = NOW) -> UpdateApproval:
        """Checked by one, approved by another; planned by nobody yet."""
        add = self.company.add
        check = add(
            UpdateCheck(update_id=update.id, n=1, version=update.version, tested_on="Testgerät",
                        tester_id=self.tester.id, started_at=at)
        )  # fmt: skip
        add(UpdateCheckResult(check_id=check.id, pos=1, text="Startet", state="passed"))
        check.result, check.finished_at = "passed", at
        self.session.flush()
        update.state = "approved"
        return add(
            UpdateApproval(update_id=update.id, check_id=check.id, approved_at=at,
                           approved_by_id=self.manager.id, four_eyes=True)
        )  # fmt: skip

    def plan(self, approval: UpdateApproval, *, today: date = TODAY, now: datetime = NOW) -> planning.Planned:
        return planning.plan_approved(self.session, approval.id, today=today, now=now, actor=self.manager)

    def approved(self, product: str = WINDOWS, severity: str = "important") -> UpdateApproval:
        approval = self.approve(self.update(product, severity))
        self.plan(approval)
        return approval

    def withdraw(
        self, approval: UpdateApproval, why: str = "Drucker stehen still", *, at: datetime = NOW, to_do: str = ""
    ):
        approval.ended_at, approval.ended_by, approval.end_reason = at, "withdrawn", why
        approval.ended_by_id, approval.end_instruction = self.manager.id, to_do
        update = self.session.get_one(Update, approval.update_id)
        update.state, update.reason = "withdrawn", why
        return stopping.stop_open(self.session, update.id, why=why, now=at, actor=self.manager)

    def tasks(self, **which) -> list[RolloutTask]:
        found = select(RolloutTask).filter_by(**which).order_by(RolloutTask.id)
        return list(self.session.execute(found.execution_options(populate_existing=True)).scalars())


def utc(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant by its Berlin wall time."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=BERLIN).astimezone(UTC)
