"""The facts of customers' months, loaded in a number of queries that does not grow with the customers."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Date, Select, bindparam, case, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session

from ptdash.domain.minutes import Treatment
from ptdash.domain.periods import next_month
from ptdash.domain.settlement import (
    DayMinutes,
    DeviceFacts,
    MaintenanceFacts,
    MaterialFacts,
    MonthFacts,
    SupportFacts,
)
from ptdash.models import (
    Contract,
    ContractDevice,
    Customer,
    Device,
    FeeChange,
    Material,
    PackageChange,
    Ticket,
    TimeEntry,
    User,
)
from ptdash.services.bulk import among, planned_by_values
from ptdash.services.standing import standing

K = TypeVar("K")


@dataclass(frozen=True)
class Obstacle:
    """Time entries that keep a month from being posted: how many, and where to find the first."""

    entries: int
    ticket: str
    technician: str


class Buyer(NamedTuple):
    """What of a customer decides its VAT and stands on its invoice."""

    id: int
    number: str
    name: str
    contact: str
    email: str
    street: str
    postal_code: str
    city: str
    country: str
    vat_id: str
    is_consumer: bool
    vat_decision: str | None
    invoice_format: str
    routing_id: str
    wants_xml: bool


@dataclass(frozen=True)
class CustomerFacts:
    """A customer with its month: what can be billed, and what stands in the way."""

    customer: Buyer
    month: MonthFacts
    running: Obstacle | None
    untreated: Obstacle | None


def load(session: Session, customer_ids: Collection[int], month: date) -> list[CustomerFacts]:
    """The customers' months, ordered by customer number."""
    customers = [Buyer._make(row) for row in session.execute(_customers(), {"ids": customer_ids})]
    support, maintenance = _contracts(session, customer_ids, month)
    split = [customer for customer, found in support.items() if any(_cuts(month, facts) for facts in found)]
    work = _work(session, customer_ids, month, split)
    materials = _materials(session, customer_ids, month)
    running = _obstacles(session, work.running, month, _unfinished())
    untreated = _obstacles(session, work.untreated, month, _untreated())
    return [
        CustomerFacts(
            customer=customer,
            month=MonthFacts(
                month=month,
                support=tuple(support.get(customer.id, ())),
                maintenance=tuple(maintenance.get(customer.id, ())),
                minutes=tuple(work.minutes.get(customer.id, ())),
                materials=tuple(materials.get(customer.id, ())),
            ),
            running=running.get(customer.id),
            untreated=untreated.get(customer.id),
        )
        for customer in customers
    ]


def standing_entries() -> Select[TimeEntry]:
    """Time entries that count: neither a reversal nor reversed (both leave the draw)."""
    return select(TimeEntry).where(standing())


def _contracts(
    session: Session, customer_ids: Collection[int], month: date
) -> tuple[dict[int, list[SupportFacts]], dict[int, list[MaintenanceFacts]]]:
    rows = session.execute(
        _running_contracts(), {"ids": customer_ids, "month": month, "next_month": next_month(month)}
    ).all()
    packages = _changes(session, PackageChange, PackageChange.package, customer_ids)
    maintained = [contract_id for contract_id, *_, fee in rows if fee is not None]
    devices = _devices(session, maintained) if maintained else {}
    fees = _changes(session, FeeChange, FeeChange.monthly_fee, customer_ids) if maintained else {}
    support: dict[int, list[SupportFacts]] = defaultdict(list)
    maintenance: dict[int, list[MaintenanceFacts]] = defaultdict(list)
    for contract_id, number, customer_id, starts_on, ends_before, package, fee in rows:
        life = (contract_id, number, starts_on, ends_before)
        if package is not None:
            support[customer_id].append(SupportFacts(*life, package, tuple(packages.get(contract_id, ()))))
        else:
            assert fee is not None  # the table's check: a maintenance contract has a fee
            changes, included = tuple(fees.get(contract_id, ())), tuple(devices.get(contract_id, ()))
            maintenance[customer_id].append(MaintenanceFacts(*life, fee, changes, included))
    return support, maintenance


@cache
def _customers() -> Select[*tuple[Any, ...]]:
    columns = (getattr(Customer, name) for name in Buyer._fields)
    return select(*columns).where(among(Customer.id, "ids")).order_by(Customer.number)


@cache
def _running_contracts() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Contract.id,
            Contract.number,
            Contract.customer_id,
            Contract.starts_on,
            Contract.ends_before,
            Contract.package,
            Contract.monthly_fee,
        )
        .where(
            among(Contract.customer_id, "ids"),
            Contract.starts_on < bindparam("next_month", type_=Date),
            or_(Contract.ends_before.is_(None), Contract.ends_before > bindparam("month", type_=Date)),
        )
        .order_by(Contract.number)
    )


def _changes(
    session: Session,
    model: type[PackageChange] | type[FeeChange],
    value: InstrumentedAttribute[Any],
    customer_ids: Collection[int],
) -> dict[int, list[tuple[date, Any]]]:
    rows = session.execute(_changes_of(model, value), {"ids": customer_ids})
    changes: dict[int, list[tuple[date, Any]]] = defaultdict(list)
    for contract_id, effective_on, changed in rows:
        changes[contract_id].append((effective_on, changed))
    return changes


@cache
def _changes_of(
    model: type[PackageChange] | type[FeeChange], value: InstrumentedAttribute[Any]
) -> Select[*tuple[Any, ...]]:
    return (
        select(model.contract_id, model.effective_on, value)
        .join(Contract, Contract.id == model.contract_id)
        .where(among(Contract.customer_id, "ids"))
        .order_by(model.effective_on)
    )


def _devices(session: Session, contract_ids: Collection[int]) -> dict[int, list[DeviceFacts]]:
    rows = session.execute(
        select(
            ContractDevice.contract_id,
            ContractDevice.device_id,
            Device.inventory_number,
            ContractDevice.included_from,
            ContractDevice.ends_before,
            ContractDevice.monthly_fee,
        )
        .join(Device, Device.id == ContractDevice.device_id)
        .where(among(ContractDevice.contract_id, contract_ids))
    )
    devices: dict[int, list[DeviceFacts]] = defaultdict(list)
    for row in rows:
        facts = DeviceFacts(
            row.device_id, row.inventory_number, row.included_from, row.ends_before, row.monthly_fee
        )
        devices[row.contract_id].append(facts)
    return devices


@dataclass(frozen=True)
class _Work:
    """The minutes by customer, and the customers with entries that have none yet."""

    minutes: dict[int, list[DayMinutes]]
    running: list[int]
    untreated: list[int]


def _cuts(month: date, contract: SupportFacts) -> bool:
    """Whether the contract runs on some days of the month only."""
    return contract.starts_on > month or bool(contract.ends_before and contract.ends_before < next_month(month))


def _work(session: Session, customer_ids: Collection[int], month: date, split: Collection[int]) -> _Work:
    """The standing entries of a month, added up in one pass.

    By day only for the customers of `split`; for all others every day has the same contract, and the first
    stands for the month.
    """
    work = _Work(defaultdict(list), [], [])
    with planned_by_values(session):
        rows = session.execute(
            _entries(by_day=bool(split)), {"ids": customer_ids, "month": month, "split": split}
        ).all()
    for customer_id, on, treatment, is_running, minutes in rows:
        if is_running:
            work.running.append(customer_id)
        if treatment is None:
            work.untreated.append(customer_id)
        elif minutes is not None:
            work.minutes[customer_id].append(DayMinutes(on, Treatment(treatment), minutes))
    return work


@cache
def _entries(*, by_day: bool) -> Select[*tuple[Any, ...]]:
    """A reversal has the customer and the month of its original, and so has what it takes back."""
    month = bindparam("month", type_=Date)
    whole: ColumnElement[date] = month.label("day")
    started_on = func.cast(func.timezone("Europe/Berlin", TimeEntry.started_at), Date)
    split = case((among(TimeEntry.customer_id, "split"), started_on), else_=month).label("day")
    mine = (among(TimeEntry.customer_id, "ids"), TimeEntry.service_month == month)
    taken_back = select(TimeEntry.reverses_id).where(*mine, TimeEntry.reverses_id.is_not(None))
    return (
        select(
            TimeEntry.customer_id,
            split if by_day else whole,
            TimeEntry.treatment,
            func.bool_or(TimeEntry.ended_at.is_(None)),
            func.sum(TimeEntry.minutes),
        )
        .where(*mine, TimeEntry.reverses_id.is_(None), TimeEntry.id.not_in(taken_back))
        .group_by(TimeEntry.customer_id, TimeEntry.treatment, *(("day",) if by_day else ()))
    )


def _materials(session: Session, customer_ids: Collection[int], month: date) -> dict[int, list[MaterialFacts]]:
    rows = session.execute(_materials_used(), {"ids": customer_ids, "month": month})
    materials: dict[int, list[MaterialFacts]] = defaultdict(list)
    for row in rows:
        facts = MaterialFacts(row.id, row.day, row.description, row.quantity, row.net)
        materials[row.customer_id].append(facts)
    return materials


@cache
def _materials_used() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Material.customer_id,
            Material.id,
            Material.day,
            Material.description,
            Material.quantity,
            Material.net,
        )
        .where(among(Material.customer_id, "ids"), Material.service_month == bindparam("month", type_=Date))
        .order_by(Material.day, Material.id)
    )


def _unfinished() -> ColumnElement[bool]:
    return TimeEntry.ended_at.is_(None)


def _untreated() -> ColumnElement[bool]:
    return TimeEntry.treatment.is_(None) & TimeEntry.ended_at.is_not(None)


def _obstacles(
    session: Session, customer_ids: Collection[int], month: date, condition: ColumnElement[bool]
) -> dict[int, Obstacle]:
    if not customer_ids:
        return {}
    entries = standing_entries().where(
        among(TimeEntry.customer_id, customer_ids), TimeEntry.service_month == month, condition
    )
    rows = session.execute(
        entries.with_only_columns(
            TimeEntry.customer_id,
            func.count().over(partition_by=TimeEntry.customer_id),
            Ticket.number,
            User.name,
        )
        .join(Ticket, Ticket.id == TimeEntry.ticket_id)
        .join(User, User.id == TimeEntry.technician_id)
        .order_by(TimeEntry.customer_id, TimeEntry.started_at, TimeEntry.id)
        .ext(distinct_on(TimeEntry.customer_id))
    )
    return {customer_id: Obstacle(count, ticket, name) for customer_id, count, ticket, name in rows}
