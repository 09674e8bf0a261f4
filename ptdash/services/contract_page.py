"""A contract with everything that belongs to it, in a number of queries that does not grow with its devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain import packages
from ptdash.domain.acceptance import Gate, gate
from ptdash.domain.errors import DomainError, Forbidden
from ptdash.domain.packages import MAINTENANCE, SIZES
from ptdash.domain.periods import next_month
from ptdash.domain.settlement import in_force
from ptdash.domain.terms import ONE_DAY
from ptdash.models import (
    AuditEvent,
    Contract,
    ContractDevice,
    Customer,
    Device,
    DeviceProposal,
    SoftwareAgreement,
    User,
)
from ptdash.services import advice, contracts, notice_records, posted, renewals
from ptdash.services.acceptances import gates
from ptdash.services.contract_changes import agreed
from ptdash.services.contract_changes.contract import Locked
from ptdash.services.prices import valid_on

EVENTS = 100


@dataclass(frozen=True)
class Included:
    """A device in the contract; `gate` says whether it could enter today."""

    row: ContractDevice
    device: Device
    gate: Gate
    today: date
    open_from: date | None

    @property
    def is_over(self) -> bool:
        return self.row.ends_before is not None and self.row.ends_before <= self.today

    @property
    def last_day(self) -> date | None:
        return self.row.ends_before and self.row.ends_before - ONE_DAY

    @property
    def is_planned(self) -> bool:
        return self.row.included_from > self.today

    @property
    def may_be_taken_back(self) -> bool:
        """Nothing of it is posted."""
        return self.open_from is None or self.row.included_from >= self.open_from


@dataclass(frozen=True)
class Waiting:
    """A device that shall enter the contract as soon as it may."""

    proposal: DeviceProposal
    device: Device
    gate: Gate


@dataclass(frozen=True)
class Step:
    """What a contract costs from a day on; a package or a fee. One that is not posted can be taken back."""

    since: date
    package: str | None
    monthly_fee: Decimal | None
    is_now: bool
    may_be_taken_back: bool


@dataclass(frozen=True)
class Event:
    at: datetime
    who: str | None
    action: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True)
class Option:
    """A package that a contract can change to: its minutes and price (EUR net; None: no price yet) on its earliest
    day, which is None where there is no such day."""

    package: str
    is_upgrade: bool
    earliest: date | None
    minutes: int | None
    net: Decimal | None


@dataclass(frozen=True)
class ForTechnicians:
    """What somebody needs to know who works on the devices: which, how, and what was agreed; no money."""

    contract: Contract
    customer: Customer
    devices: Sequence[Included]
    agreements: Sequence[SoftwareAgreement]


@dataclass(frozen=True)
class ContractPage:
    """`terms_kept` is why notice and renewal stay as they are; `open_from` the first month that is not posted."""

    row: renewals.Row
    devices: Sequence[Included]
    waiting: Sequence[Waiting]
    steps: Sequence[Step]
    agreements: Sequence[SoftwareAgreement]
    notices: Sequence[notice_records.OnRecord]
    events: Sequence[Event]
    advice: advice.CustomerAdvice | None
    predecessor: str | None
    open_from: date | None
    terms_kept: DomainError | None

    @property
    def fee(self) -> Decimal | None:
        """Of the contract itself, without its devices (EUR net a month)."""
        return contracts.fee_on(self.row.contract, self.row.today)

    @property
    def running(self) -> list[Included]:
        return [found for found in self.devices if not found.is_over]

    @property
    def over(self) -> list[Included]:
        return [found for found in self.devices if found.is_over]


def page(session: Session, number: str, today: date) -> ContractPage:
    """Raises NotFound."""
    row = renewals.one(session, number, today)
    contract, customer = row.contract, row.known.customer
    open_from = posted.first_open(session, customer.id)
    before = select(Contract.number).where(Contract.id == contract.follows_id)
    is_support = contract.package is not None
    return ContractPage(
        row=row,
        devices=_included(session, contract, today, open_from),
        waiting=_waiting(session, contract, today),
        steps=_steps(contract, today, open_from),
        agreements=_agreements(session, contract),
        notices=notice_records.of_contract(session, contract, today),
        events=_events(session, number),
        advice=advice.of_customers(session, [customer.id]).get(customer.id) if is_support else None,
        predecessor=session.execute(before).scalar_one_or_none() if contract.follows_id else None,
        open_from=open_from,
        terms_kept=agreed.why_terms_stay(session, Locked(contract, customer), today),
    )


def for_technicians(session: Session, number: str, today: date) -> ForTechnicians:
    """Maintenance contracts only; support has nothing for them. Raises NotFound, Forbidden."""
    row = renewals.one(session, number, today)
    if row.contract.kind != MAINTENANCE:
        raise Forbidden()
    return ForTechnicians(
        contract=row.contract,
        customer=row.known.customer,
        devices=[found for found in _included(session, row.contract, today, None) if not found.is_over],
        agreements=_agreements(session, row.contract),
    )


def package_options(session: Session, row: renewals.Row) -> list[Option]:
    """The other packages, with the earliest day on which each can begin."""
    contract, facts = row.contract, row.known.facts
    first = max(posted.first_open(session, contract.customer_id) or row.today, row.today)
    options = []
    for name in SIZES:
        current = contracts.package_on(contract, first)
        if current is None or name == current:
            continue
        day = packages.earliest(facts, current, name, first)
        if day and contract.ends_before and day >= contract.ends_before:
            day = None
        price = valid_on(session, (day or first).replace(day=1)).items.get(f"package_{name}")
        options.append(
            Option(
                name,
                packages.is_upgrade(current, name),
                day,
                price.included_minutes if price else None,
                price.net if price else None,
            )
        )
    return options


def candidates(session: Session, row: renewals.Row) -> list[Device]:
    """The customer's devices that are in no contract and in use, by inventory number."""
    taken = select(ContractDevice.device_id).where(
        (ContractDevice.ends_before.is_(None)) | (ContractDevice.ends_before > row.today)
    )
    found = (
        select(Device)
        .where(Device.customer_id == row.contract.customer_id, Device.retired_on.is_(None))
        .where(Device.id.not_in(taken))
        .order_by(Device.inventory_number)
    )
    return list(session.execute(found).scalars())


def proposed_fee(session: Session, number: str, inventory_number: str) -> Decimal | None:
    """The fee at which a device waits for this contract."""
    return session.execute(
        select(DeviceProposal.monthly_fee)
        .join(Device, Device.id == DeviceProposal.device_id)
        .join(Contract, Contract.id == DeviceProposal.contract_id)
        .where(Contract.number == number, Device.inventory_number == inventory_number)
    ).scalar_one_or_none()


def first_fee_month(session: Session, row: renewals.Row) -> date:
    """The first of the month from which a fee can change: not posted, and while the contract runs."""
    first = posted.first_open(session, row.contract.customer_id)
    day = max(first or row.today, row.contract.starts_on)
    return day if day.day == 1 else next_month(day)


def _included(session: Session, contract: Contract, today: date, open_from: date | None) -> list[Included]:
    rows = session.execute(
        select(ContractDevice, Device)
        .join(Device, Device.id == ContractDevice.device_id)
        .where(ContractDevice.contract_id == contract.id)
        .order_by(Device.inventory_number, ContractDevice.included_from)
    ).all()
    verdicts = gates.verdicts(session, [device.id for _, device in rows])
    return [
        Included(
            row, device, gate(device.purchased_from_us, verdicts.get(device.id, []), today)[0], today, open_from
        )
        for row, device in rows
    ]


def _waiting(session: Session, contract: Contract, today: date) -> list[Waiting]:
    rows = session.execute(
        select(DeviceProposal, Device)
        .join(Device, Device.id == DeviceProposal.device_id)
        .where(DeviceProposal.contract_id == contract.id)
        .order_by(Device.inventory_number)
    ).all()
    verdicts = gates.verdicts(session, [device.id for _, device in rows])
    return [
        Waiting(proposal, device, gate(device.purchased_from_us, verdicts.get(device.id, []), today)[0])
        for proposal, device in rows
    ]


def _steps(contract: Contract, today: date, open_from: date | None) -> list[Step]:
    """Package or fee since the start, the newest first."""
    packages_since = [(contract.starts_on, contract.package)]
    packages_since += [(row.effective_on, row.package) for row in contract.package_changes]
    fees_since = [(contract.starts_on, contract.monthly_fee)]
    fees_since += [(row.effective_on, row.monthly_fee) for row in contract.fee_changes]
    days = sorted({day for day, _ in packages_since + fees_since})
    current = max((day for day in days if day <= today), default=None)
    return [
        Step(
            since=day,
            package=in_force(contract.package, packages_since, day),
            monthly_fee=in_force(contract.monthly_fee, fees_since, day),
            is_now=day == current,
            may_be_taken_back=place > 0 and (open_from is None or day >= open_from),
        )
        for place, day in reversed(list(enumerate(days)))
    ]


def _agreements(session: Session, contract: Contract) -> list[SoftwareAgreement]:
    found = select(SoftwareAgreement).where(SoftwareAgreement.contract_id == contract.id)
    return list(session.execute(found.order_by(SoftwareAgreement.product)).scalars())


def _events(session: Session, number: str) -> list[Event]:
    """What was done to the contract, the newest first."""
    rows = session.execute(
        select(AuditEvent, User.name)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .where(AuditEvent.subject == "contract", AuditEvent.subject_id == number)
        .order_by(AuditEvent.id.desc())
        .limit(EVENTS)
    )
    return [Event(found.at, who, found.action, found.before or {}, found.after or {}) for found, who in rows]


def customers(session: Session) -> list[tuple[str, str]]:
    """Every customer as (number, what to choose it by), in the order of their names."""
    rows = session.execute(select(Customer.number, Customer.name).order_by(Customer.sort_key, Customer.number))
    return [(number, f"{name} ({number})") for number, name in rows]


def package_offers(session: Session, day: date) -> dict[str, tuple[int | None, Decimal]]:
    """Included minutes and price (EUR net a month) of each package on a day."""
    items = valid_on(session, day.replace(day=1)).items
    found = {name: items.get(f"package_{name}") for name in SIZES}
    return {name: (price.included_minutes, price.net) for name, price in found.items() if price}
