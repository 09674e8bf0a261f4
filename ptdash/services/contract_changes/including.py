"""Devices into maintenance contracts and out of them."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.packages import MAINTENANCE
from ptdash.domain.terms import ONE_DAY
from ptdash.models import Contract, ContractDevice, Customer, Device, DeviceProposal
from ptdash.services import audit, posted
from ptdash.services.acceptances import gates
from ptdash.services.acceptances.proposing import DeviceRetired
from ptdash.services.contract_changes.contract import Locked, PostedAlready, constraint_of, fee, lock
from ptdash.services.contracts import device_ends_before
from ptdash.services.devices import register
from ptdash.services.posted import UNSEEN, Confirmed, PostedMonth

NO_FEE = Decimal(0)
ONE_CONTRACT = "ex_contract_devices_one_contract"
NO_ACCEPTANCE = "PD004"


class OtherCustomer(Invalid):
    message = "%(device)s belongs to customer %(owner)s, contract %(contract)s to customer %(customer)s."


class BeforeContract(Invalid):
    message = "Contract %(contract)s starts on %(starts_on)s; no device is in it before."


class AfterContract(Invalid):
    message = "Contract %(contract)s ends on %(ends_on)s; no device is in it any longer."


class UntilBeforeFrom(Invalid):
    message = "%(device)s is in the contract from %(included_from)s on; it cannot leave before."


class InContract(Conflict):
    message = "%(device)s is in contract %(contract)s from %(included_from)s on. One contract at a time."


class NothingChanges(Invalid):
    message = "%(device)s leaves the contract on that day already; nothing changes."


def preview_include(
    session: Session,
    contract_number: str,
    device_inventory: str,
    *,
    included_from: date,
    monthly_fee: Decimal | None,
    included_until: date | None = None,
) -> tuple[PostedMonth, ...]:
    """What an inclusion changes in posted months, without keeping it; raises as `include_device` does."""
    locked, device = _found(session, contract_number, device_inventory)
    write = _including(session, locked, device, included_from, included_until, fee(monthly_fee))
    until = included_until and included_until + ONE_DAY
    return posted.foreseen(session, locked.customer.id, included_from, until, write)


def include_device(
    session: Session,
    contract_number: str,
    device_inventory: str,
    *,
    included_from: date,
    monthly_fee: Decimal | None,
    included_until: date | None = None,
    confirmed: Confirmed = UNSEEN,
    actor_id: int | None,
    now: datetime,
) -> ContractDevice:
    """Take a device into a maintenance contract from a day on; it stops waiting for one.

    A day in posted months needs the difference that was seen and a reason. Raises NotFound, NotMaintenance,
    FeeUnreadable, OtherCustomer, DeviceRetired, BeforeContract, AfterContract, UntilBeforeFrom, InContract,
    GateClosed (with the device whose acceptance is missing), ReachNotSeen, ReachReasonMissing.
    """
    locked, device = _found(session, contract_number, device_inventory)
    write = _including(session, locked, device, included_from, included_until, fee(monthly_fee))
    until = included_until and included_until + ONE_DAY
    row, months = posted.changing(session, locked.customer.id, included_from, until, write)
    difference = posted.confirm(months, confirmed)
    session.execute(delete(DeviceProposal).where(DeviceProposal.device_id == device.id))
    after = {
        "device": device_inventory,
        "included_from": included_from,
        "included_until": included_until,
        "monthly_fee": row.monthly_fee,
    } | _reached(months, difference, confirmed)
    audit.record(session, "include_device", "contract", contract_number, actor_id=actor_id, now=now, after=after)
    return row


def preview_remove(
    session: Session, contract_number: str, device_inventory: str, *, included_until: date | None
) -> tuple[PostedMonth, ...]:
    """What a device's leaving changes in posted months, without keeping it; raises as `remove_device` does."""
    locked, device = _found(session, contract_number, device_inventory)
    row = _inclusion(session, locked, device)
    since, write = _removing(session, locked, device, row, included_until)
    return posted.foreseen(session, locked.customer.id, since, None, write)


def remove_device(
    session: Session,
    contract_number: str,
    device_inventory: str,
    *,
    included_until: date | None,
    confirmed: Confirmed = UNSEEN,
    actor_id: int | None,
    now: datetime,
) -> ContractDevice:
    """Set a device's last day in its contract; None: it stays as long as the contract runs.

    A day in posted months needs the difference that was seen and a reason. Raises NotFound, NotMaintenance,
    UntilBeforeFrom, AfterContract, NothingChanges, InContract, ReachNotSeen, ReachReasonMissing.
    """
    locked, device = _found(session, contract_number, device_inventory)
    row = _inclusion(session, locked, device)
    before = {"included_until": row.included_until}
    since, write = _removing(session, locked, device, row, included_until)
    _, months = posted.changing(session, locked.customer.id, since, None, write)
    difference = posted.confirm(months, confirmed)
    after = {"device": device_inventory, "included_until": included_until} | _reached(
        months, difference, confirmed
    )
    audit.record(
        session,
        "remove_device",
        "contract",
        contract_number,
        actor_id=actor_id,
        now=now,
        before=before,
        after=after,
    )
    return row


def take_back_inclusion(
    session: Session, contract_number: str, device_inventory: str, *, actor_id: int | None, now: datetime
) -> None:
    """Undo an inclusion whose months are not posted, as if it had never been. Raises NotFound, NotMaintenance,
    PostedAlready."""
    locked, device = _found(session, contract_number, device_inventory)
    row = _inclusion(session, locked, device)
    if posted.is_held(session, locked.customer.id, row.included_from):
        raise PostedAlready(until=posted.first_open(session, locked.customer.id))
    before = {
        "device": device_inventory,
        "included_from": row.included_from,
        "included_until": row.included_until,
        "monthly_fee": row.monthly_fee,
    }
    session.delete(row)
    session.flush()
    audit.record(
        session, "take_back_inclusion", "contract", contract_number, actor_id=actor_id, now=now, before=before
    )


def _found(session: Session, contract_number: str, device_inventory: str) -> tuple[Locked, Device]:
    locked = lock(session, contract_number, MAINTENANCE)
    return locked, register.get(session, device_inventory, lock=True)


def _inclusion(session: Session, locked: Locked, device: Device) -> ContractDevice:
    """The newest inclusion of a device in this contract. Raises NotFound."""
    row = session.execute(
        select(ContractDevice)
        .where(ContractDevice.contract_id == locked.contract.id, ContractDevice.device_id == device.id)
        .order_by(ContractDevice.included_from.desc())
        .limit(1)
    ).scalar_one_or_none()
    if row is None:
        raise NotFound(what=f"{device.inventory_number}, {locked.contract.number}")
    return row


def _including(
    session: Session, locked: Locked, device: Device, first: date, last: date | None, monthly_fee: Decimal
) -> Callable[[], ContractDevice]:
    """Writes the inclusion; what is wrong with it is raised at once."""
    contract = locked.contract
    _refuse_stranger(session, locked, device)
    if device.retired_on is not None:
        raise DeviceRetired(device=device.inventory_number, retired_on=device.retired_on)
    if first < contract.starts_on:
        raise BeforeContract(contract=contract.number, starts_on=contract.starts_on)
    _refuse_after_end(contract, last or first)
    if last is not None and last < first:
        raise UntilBeforeFrom(device=device.inventory_number, included_from=first)
    ends_before = device_ends_before(last, contract.ends_before)
    if there := _in_contract(session, device, first, ends_before):
        raise there
    gates.check(session, device, first)
    row = ContractDevice(
        contract_id=contract.id,
        device_id=device.id,
        included_from=first,
        included_until=last,
        ends_before=ends_before,
        monthly_fee=monthly_fee,
    )
    return lambda: _written(session, row, device)


def _removing(
    session: Session, locked: Locked, device: Device, row: ContractDevice, last: date | None
) -> tuple[date, Callable[[], ContractDevice]]:
    """The first day that changes, and what writes the new last day; what is wrong with it is raised at once."""
    if last is not None:
        if last < row.included_from:
            raise UntilBeforeFrom(device=device.inventory_number, included_from=row.included_from)
        _refuse_after_end(locked.contract, last)
    if last == row.included_until:
        raise NothingChanges(device=device.inventory_number)
    ends_before = device_ends_before(last, locked.contract.ends_before)
    if there := _in_contract(session, device, row.included_from, ends_before, besides=row.id):
        raise there

    def write() -> ContractDevice:
        row.included_until, row.ends_before = last, ends_before
        return _written(session, row, device)

    return min(day for day in (row.ends_before, ends_before, date.max) if day), write


def _written(session: Session, row: ContractDevice, device: Device) -> ContractDevice:
    """Into the database; where it refuses what slipped in meanwhile, the same sentences as before."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except DBAPIError as error:
        code, first = constraint_of(error), row.included_from
        there = _in_contract(session, device, first, row.ends_before, besides=row.id)
        if code == ONE_CONTRACT and there:
            raise there from None
        if code == NO_ACCEPTANCE:
            gates.check(session, device, first)
        raise
    return row


def _refuse_stranger(session: Session, locked: Locked, device: Device) -> None:
    if device.customer_id != locked.customer.id:
        owner = session.get_one(Customer, device.customer_id)
        raise OtherCustomer(
            device=device.inventory_number,
            owner=owner.number,
            contract=locked.contract.number,
            customer=locked.customer.number,
        )


def _refuse_after_end(contract: Contract, day: date) -> None:
    if contract.ends_before is not None and day >= contract.ends_before:
        raise AfterContract(contract=contract.number, ends_on=contract.ends_before - ONE_DAY)


def _in_contract(
    session: Session, device: Device, first: date, ends_before: date | None, besides: int | None = None
) -> InContract | None:
    """The contract in which the device is on one of these days, as the refusal that says so."""
    found = (
        select(Contract.number, ContractDevice.included_from)
        .join(Contract, Contract.id == ContractDevice.contract_id)
        .where(ContractDevice.device_id == device.id)
        .where(or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > first))
    )
    if ends_before is not None:
        found = found.where(ContractDevice.included_from < ends_before)
    if besides is not None:
        found = found.where(ContractDevice.id != besides)
    row = session.execute(found.order_by(ContractDevice.included_from).limit(1)).one_or_none()
    if row is None:
        return None
    return InContract(device=device.inventory_number, contract=row[0], included_from=row[1])


def _reached(months: tuple[PostedMonth, ...], difference: int, confirmed: Confirmed) -> dict[str, object]:
    return {"reason": confirmed.reason.strip(), "posted_difference_cents": difference} if months else {}
