"""Customers' contracts as their pages tell them: state, term and deadline and what they cost a month."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.settlement import in_force
from ptdash.domain.terms import ContractState
from ptdash.models import Contract, ContractDevice, Customer, PackageChange
from ptdash.services import contracts
from ptdash.services.bulk import among

RUNNING = (ContractState.ACTIVE, ContractState.NOTICE_GIVEN)


@dataclass(frozen=True)
class ContractRow:
    """A contract on a day. `package` is the one in force, `devices` how many run in it."""

    number: str
    kind: str
    package: str | None
    state: ContractState
    devices: int
    starts_on: date
    term_starts_on: date
    term_ends_on: date | None
    notice_deadline: date | None
    renews_on: date | None
    ends_on: date | None
    monthly_net_cents: int | None

    @property
    def runs(self) -> bool:
        return self.state in RUNNING


def of_customers(session: Session, customer_ids: Collection[int], day: date) -> dict[int, list[ContractRow]]:
    """The contracts by customer: support first, then by number; in a number of queries that does not grow."""
    rows = {row["contract"]: row for row in contracts.renewals(session, day, customer_ids=customer_ids)}
    packages = _packages(session, customer_ids, day)
    found: dict[int, list[ContractRow]] = defaultdict(list)
    for contract, devices in _contracts(session, customer_ids, day):
        known = rows[contract.number]
        found[contract.customer_id].append(
            ContractRow(
                number=contract.number,
                kind=contract.kind,
                package=packages.get(contract.id),
                state=ContractState(known["state"]),
                devices=devices,
                starts_on=contract.starts_on,
                term_starts_on=date.fromisoformat(known["term_starts_on"]),
                term_ends_on=_day(known["term_ends_on"]),
                notice_deadline=_day(known["notice_deadline"]),
                renews_on=_day(known["renews_on"]),
                ends_on=_day(known["ends_on"]),
                monthly_net_cents=known["monthly_net_cents"],
            )
        )
    return found


def recurring_cents(rows: Collection[ContractRow]) -> int:
    """What the running contracts cost a whole month, net."""
    return sum(row.monthly_net_cents or 0 for row in rows if row.runs)


def _contracts(session: Session, customer_ids: Collection[int], day: date) -> list[tuple[Contract, int]]:
    devices = (
        select(ContractDevice.contract_id, func.count().label("count"))
        .where(ContractDevice.life.contains(day))
        .group_by(ContractDevice.contract_id)
        .subquery()
    )
    rows = session.execute(
        select(Contract, func.coalesce(devices.c.count, 0))
        .join(Customer, Customer.id == Contract.customer_id)
        .outerjoin(devices, devices.c.contract_id == Contract.id)
        .where(among(Contract.customer_id, customer_ids))
        .order_by(Contract.kind.desc(), Contract.number)
    )
    return [(contract, count) for contract, count in rows]


def _packages(session: Session, customer_ids: Collection[int], day: date) -> dict[int, str]:
    """The package in force on a day, by support contract."""
    rows = session.execute(
        select(Contract.id, Contract.package, PackageChange.effective_on, PackageChange.package)
        .outerjoin(PackageChange, PackageChange.contract_id == Contract.id)
        .where(among(Contract.customer_id, customer_ids), Contract.package.is_not(None))
    )
    initial: dict[int, str] = {}
    changes: dict[int, list[tuple[date, str]]] = defaultdict(list)
    for contract_id, package, effective_on, changed in rows:
        initial[contract_id] = package or ""
        if effective_on:
            changes[contract_id].append((effective_on, changed))
    return {contract_id: in_force(package, changes[contract_id], day) for contract_id, package in initial.items()}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
