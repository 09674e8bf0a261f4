"""Contracts: what they are on a day, and the last day that their facts fix."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session, subqueryload
from sqlalchemy.orm.interfaces import ORMOption

from ptdash.domain import terms
from ptdash.domain.errors import Conflict
from ptdash.domain.money import cents
from ptdash.domain.settlement import in_force
from ptdash.domain.terms import ONE_DAY, ContractFacts, ContractState, Lifecycle, Notice
from ptdash.models import Contract, ContractDevice, Customer, Device, Price
from ptdash.services.bulk import among
from ptdash.services.prices import PACKAGES

PackagePrices = dict[str, list[tuple[date, Decimal]]]


class EndsBeforeItStarts(Conflict):
    message = "Contract %(contract)s would end on %(ends_on)s, before it starts on %(starts_on)s."


class DeviceEntersAfterEnd(Conflict):
    message = (
        "Device %(device)s enters contract %(contract)s on %(included_from)s, "
        "but the contract would end on %(ends_on)s. Take the device out first."
    )


@dataclass(frozen=True)
class ContractOnDay:
    """What a contract is on a day, by the facts known on it, and what a whole month costs (net cents)."""

    contract: Contract
    customer: Customer
    facts: ContractFacts
    life: Lifecycle
    package: str | None
    monthly_net_cents: int | None

    @classmethod
    def of(cls, contract: Contract, customer: Customer, on: date, prices: PackagePrices) -> "ContractOnDay":
        facts = facts_of(contract, customer.is_consumer)
        life = terms.lifecycle(facts, on)
        day = life.ends_on if life.ends_on and life.state is ContractState.ENDED else on
        net = monthly_net_cents(contract, day, prices)
        return cls(contract, customer, facts, life, package_on(contract, day), net)


def renewals(session: Session, on: date, *, customer_ids: Collection[int] | None = None) -> list[dict[str, Any]]:
    """Every contract's (or these customers') state, term, deadline and monthly price (net cents) on a day, by
    contract number.

    Facts dated after the day are ignored. `monthly_net_cents` is what a whole month costs as of that day (of
    an ended contract: as of its last day), None where the package has no price yet.
    """
    which = () if customer_ids is None else (among(Contract.customer_id, customer_ids),)
    return [_renewal(known) for known in on_day(session, on, *which)]


def on_day(session: Session, on: date, *which: ColumnElement[bool]) -> list[ContractOnDay]:
    """What every contract (or those for which `which` holds) is on a day, by contract number, with its changes,
    devices and notices: a number of queries that does not grow with the contracts."""
    prices = package_prices(session)
    changes = (Contract.package_changes, Contract.fee_changes, Contract.devices)
    found = _contracts(session, and_(true(), *which), *(subqueryload(of) for of in changes))
    return [ContractOnDay.of(contract, customer, on, prices) for contract, customer in found]


def facts_of(contract: Contract, is_consumer: bool) -> ContractFacts:
    """What decides how long a contract runs; its notices must be loaded."""
    return ContractFacts(
        starts_on=contract.starts_on,
        term_months=contract.term_months,
        notice_months=contract.notice_months,
        renewal_months=contract.renewal_months,
        is_consumer=is_consumer,
        notices=tuple(
            Notice(row.received_on, "extraordinary" if row.ends_on else "ordinary", row.ends_on, row.withdrawn_on)
            for row in contract.notices
        ),
    )


def derived_ends(
    session: Session, contract_ids: Collection[int] | None = None
) -> Iterator[tuple[Contract, date | None]]:
    """Each contract (all, or these) with the `ends_before` that its facts give, by contract number."""
    which = true() if contract_ids is None else Contract.id.in_(contract_ids)
    for contract, customer in _contracts(session, which):
        yield contract, terms.ends_before(facts_of(contract, customer.is_consumer))


def store_ends(session: Session, contract_ids: Collection[int]) -> list[str]:
    """Store the last day that these contracts' facts fix, or clear it, and end or reopen their devices with them.

    Returns the numbers of the contracts whose end changed; the caller records who changed the facts. Raises
    EndsBeforeItStarts and DeviceEntersAfterEnd. Where a successor overlaps a reopened contract or device, the
    database refuses (`ex_contracts_one_support_package`, `ex_contract_devices_one_contract`).
    """
    session.flush()
    changed = []
    for contract, ends_before in derived_ends(session, contract_ids):
        if ends_before is not None and ends_before <= contract.starts_on:
            ends_on = ends_before - ONE_DAY
            raise EndsBeforeItStarts(contract=contract.number, starts_on=contract.starts_on, ends_on=ends_on)
        if contract.ends_before != ends_before:
            contract.ends_before = ends_before
            changed.append(contract.number)
    session.flush()  # before the devices: the database holds them inside their contract's stored life
    _end_devices(session, contract_ids)
    return changed


def device_ends_before(included_until: date | None, contract_ends_before: date | None) -> date | None:
    """What holds of the two: the day that a person set (inclusive), or the contract's end where it comes first."""
    ends = [contract_ends_before, included_until and included_until + ONE_DAY]
    return min((day for day in ends if day), default=None)


def _end_devices(session: Session, contract_ids: Collection[int]) -> None:
    rows = session.execute(
        select(ContractDevice, Contract, Device.inventory_number)
        .join(Contract, Contract.id == ContractDevice.contract_id)
        .join(Device, Device.id == ContractDevice.device_id)
        .where(ContractDevice.contract_id.in_(contract_ids))
        .order_by(ContractDevice.id)
    ).all()
    for row, contract, inventory_number in rows:
        ends_before = device_ends_before(row.included_until, contract.ends_before)
        if ends_before is not None and ends_before <= row.included_from:
            raise DeviceEntersAfterEnd(
                device=inventory_number,
                contract=contract.number,
                included_from=row.included_from,
                ends_on=ends_before - ONE_DAY,
            )
        row.ends_before = ends_before
    session.flush()


def _contracts(
    session: Session, which: ColumnElement[bool], *options: ORMOption
) -> Sequence[tuple[Contract, Customer]]:
    """Contracts with customer and notices, read anew: one query each, however many contracts there are."""
    rows = session.execute(
        select(Contract, Customer)
        .join(Customer, Customer.id == Contract.customer_id)
        .where(which)
        .options(subqueryload(Contract.notices), *options)
        .order_by(Contract.number)
        .execution_options(populate_existing=True)
    )
    return [(contract, customer) for contract, customer in rows]


def package_prices(session: Session) -> PackagePrices:
    """Every package's dated prices."""
    prices: PackagePrices = {package: [] for package in PACKAGES}
    packages = {f"package_{package}": package for package in PACKAGES}
    for row in session.execute(select(Price).where(Price.item.in_(packages))).scalars():
        prices[packages[row.item]].append((row.valid_from, row.net))
    return prices


def _renewal(row: ContractOnDay) -> dict[str, Any]:
    known = row.life
    return {
        "contract": row.contract.number,
        "customer": row.customer.number,
        "kind": row.contract.kind,
        "state": known.state.value,
        "term_starts_on": known.term_starts_on.isoformat(),
        "term_ends_on": _iso(known.term_ends_on),
        "notice_deadline": _iso(known.notice_deadline),
        "renews_on": _iso(known.renews_on),
        "ends_on": _iso(known.ends_on),
        "monthly_net_cents": row.monthly_net_cents,
    }


def package_on(contract: Contract, day: date) -> str | None:
    """A support contract's package on a day; its changes must be loaded."""
    if contract.package is None:
        return None
    changes = [(change.effective_on, change.package) for change in contract.package_changes]
    return in_force(contract.package, changes, day)


def fee_on(contract: Contract, day: date) -> Decimal | None:
    """A maintenance contract's own fee on a day, without its devices; its changes must be loaded."""
    changes = [(change.effective_on, change.monthly_fee) for change in contract.fee_changes]
    return in_force(contract.monthly_fee, changes, day)


def monthly_net_cents(contract: Contract, day: date, prices: PackagePrices) -> int | None:
    """A whole month's price as of a day: the package's, or the contract's fee and those of its devices."""
    package = package_on(contract, day)
    if package is not None:
        net = in_force(None, prices[package], day)
        return None if net is None else cents(net)
    fee = fee_on(contract, day)
    assert fee is not None  # the table's check: a maintenance contract has a fee
    devices = (row.monthly_fee for row in contract.devices if _includes(row, day))
    return cents(fee) + sum(cents(each) for each in devices)


def _includes(row: ContractDevice, day: date) -> bool:
    """Whether a device is in its contract on a day that the contract runs. What a person set counts, not the
    stored end: a notice that was received later was not known on that day."""
    return row.included_from <= day and (row.included_until is None or day <= row.included_until)


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
