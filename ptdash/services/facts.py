"""The facts of customers' months, loaded in a number of queries that does not grow with the customers."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Date, Select, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased, selectinload

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
from ptdash.models import Contract, ContractDevice, Customer, Device, Material, Ticket, TimeEntry, User

K = TypeVar("K")


@dataclass(frozen=True)
class Obstacle:
    """Time entries that keep a month from being posted: how many, and where to find the first."""

    entries: int
    ticket: str
    technician: str


@dataclass(frozen=True)
class CustomerFacts:
    """A customer with its month: what can be billed, and what stands in the way."""

    customer: Customer
    month: MonthFacts
    running: Obstacle | None
    untreated: Obstacle | None


def load(session: Session, customer_ids: Collection[int], month: date) -> list[CustomerFacts]:
    """The customers' months, ordered by customer number."""
    customers = session.execute(
        select(Customer).where(Customer.id.in_(customer_ids)).order_by(Customer.number)
    ).scalars()
    support, maintenance = _contracts(session, customer_ids, month)
    minutes = _minutes(session, customer_ids, month)
    materials = _materials(session, customer_ids, month)
    running = _obstacles(session, customer_ids, month, _unfinished())
    untreated = _obstacles(session, customer_ids, month, _untreated())
    return [
        CustomerFacts(
            customer=customer,
            month=MonthFacts(
                month=month,
                support=tuple(support[customer.id]),
                maintenance=tuple(maintenance[customer.id]),
                minutes=tuple(minutes[customer.id]),
                materials=tuple(materials[customer.id]),
            ),
            running=running.get(customer.id),
            untreated=untreated.get(customer.id),
        )
        for customer in customers
    ]


def standing_entries() -> Select[TimeEntry]:
    """Time entries that count: neither a reversal nor reversed (both leave the draw)."""
    reversal = aliased(TimeEntry)
    return select(TimeEntry).where(
        TimeEntry.reverses_id.is_(None),
        ~select(reversal.id).where(reversal.reverses_id == TimeEntry.id).exists(),
    )


def _contracts(
    session: Session, customer_ids: Collection[int], month: date
) -> tuple[dict[int, list[SupportFacts]], dict[int, list[MaintenanceFacts]]]:
    rows = session.execute(
        select(Contract)
        .where(
            Contract.customer_id.in_(customer_ids),
            Contract.starts_on < next_month(month),
            or_(Contract.ends_before.is_(None), Contract.ends_before > month),
        )
        .options(selectinload(Contract.package_changes), selectinload(Contract.fee_changes))
        .order_by(Contract.number)
    ).scalars()
    support: dict[int, list[SupportFacts]] = defaultdict(list)
    maintenance_rows = []
    for row in rows:
        if row.package is not None:
            changes = tuple((c.effective_on, c.package) for c in row.package_changes)
            support[row.customer_id].append(
                SupportFacts(row.id, row.number, row.starts_on, row.ends_before, row.package, changes)
            )
        else:
            maintenance_rows.append(row)
    devices = _devices(session, [row.id for row in maintenance_rows])
    maintenance: dict[int, list[MaintenanceFacts]] = defaultdict(list)
    for row in maintenance_rows:
        assert row.monthly_fee is not None  # the table's check: a maintenance contract has a fee
        fees = tuple((c.effective_on, c.monthly_fee) for c in row.fee_changes)
        maintenance[row.customer_id].append(
            MaintenanceFacts(
                row.id, row.number, row.starts_on, row.ends_before, row.monthly_fee, fees, tuple(devices[row.id])
            )
        )
    return support, maintenance


def _devices(session: Session, contract_ids: Collection[int]) -> dict[int, list[DeviceFacts]]:
    rows = session.execute(
        select(ContractDevice, Device.inventory_number)
        .join(Device, Device.id == ContractDevice.device_id)
        .where(ContractDevice.contract_id.in_(contract_ids))
    )
    devices: dict[int, list[DeviceFacts]] = defaultdict(list)
    for row, number in rows:
        facts = DeviceFacts(row.device_id, number, row.included_from, row.ends_before, row.monthly_fee)
        devices[row.contract_id].append(facts)
    return devices


def _minutes(session: Session, customer_ids: Collection[int], month: date) -> dict[int, list[DayMinutes]]:
    entries = standing_entries().subquery()
    day = func.cast(func.timezone("Europe/Berlin", entries.c.started_at), Date)
    rows = session.execute(
        select(entries.c.customer_id, day, entries.c.treatment, func.sum(entries.c.minutes))
        .where(
            entries.c.customer_id.in_(customer_ids),
            entries.c.service_month == month,
            entries.c.ended_at.is_not(None),
            entries.c.treatment.is_not(None),
        )
        .group_by(entries.c.customer_id, day, entries.c.treatment)
    )
    minutes: dict[int, list[DayMinutes]] = defaultdict(list)
    for customer_id, on, treatment, total in rows:
        minutes[customer_id].append(DayMinutes(on, Treatment(treatment), total))
    return minutes


def _materials(session: Session, customer_ids: Collection[int], month: date) -> dict[int, list[MaterialFacts]]:
    rows = session.execute(
        select(Material)
        .where(Material.customer_id.in_(customer_ids), Material.service_month == month)
        .order_by(Material.day, Material.id)
    ).scalars()
    materials: dict[int, list[MaterialFacts]] = defaultdict(list)
    for row in rows:
        facts = MaterialFacts(row.id, row.day, row.description, row.quantity, row.net)
        materials[row.customer_id].append(facts)
    return materials


def _unfinished() -> Any:
    return TimeEntry.ended_at.is_(None)


def _untreated() -> Any:
    return TimeEntry.treatment.is_(None) & TimeEntry.ended_at.is_not(None)


def _obstacles(
    session: Session, customer_ids: Collection[int], month: date, condition: Any
) -> dict[int, Obstacle]:
    entries = standing_entries().where(
        TimeEntry.customer_id.in_(customer_ids), TimeEntry.service_month == month, condition
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
