"""Proposing a device for a contract: what waits behind the gate, and what it costs to wait."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid
from ptdash.models import Contract, ContractDevice, Device, DeviceProposal
from ptdash.services import audit
from ptdash.services.devices import register


class ContractUnknown(Invalid):
    message = "Choose a running maintenance contract of this customer."


class FeeNegative(Invalid):
    message = "The monthly fee is not less than zero."


class DeviceRetired(Conflict):
    message = "%(device)s is retired since %(retired_on)s. Bring it back first."


class AlreadyInContract(Conflict):
    message = "%(device)s is in contract %(contract)s already."


def contracts_for(session: Session, customer_id: int, today: date) -> list[Contract]:
    """The maintenance contracts of a customer that a device can still enter."""
    rows = session.execute(
        select(Contract)
        .where(Contract.customer_id == customer_id, Contract.kind == "maintenance")
        .where(or_(Contract.ends_before.is_(None), Contract.ends_before > today))
        .order_by(Contract.number)
    )
    return list(rows.scalars())


def propose(
    session: Session,
    inventory_number: str,
    contract_number: str,
    monthly_fee: Decimal,
    *,
    today: date,
    actor_id: int | None,
    now: datetime,
) -> DeviceProposal:
    """Note that a device shall enter a contract with this fee as soon as it may; a second time changes it.

    Raises NotFound, ContractUnknown, FeeNegative, DeviceRetired, AlreadyInContract.
    """
    device = register.get(session, inventory_number, lock=True)
    if device.retired_on is not None:
        raise DeviceRetired(device=inventory_number, retired_on=device.retired_on)
    if monthly_fee < 0:
        raise FeeNegative()
    possible = {row.number: row for row in contracts_for(session, device.customer_id, today)}
    contract = possible.get(contract_number)
    if contract is None:
        raise ContractUnknown()
    if there := running_contract(session, device, today):
        raise AlreadyInContract(device=inventory_number, contract=there)
    proposal = session.get(DeviceProposal, device.id)
    before = _plain(proposal) if proposal else None
    if proposal is None:
        proposal = DeviceProposal(device_id=device.id, proposed_at=now, proposed_by_id=actor_id)
    proposal.contract_id, proposal.monthly_fee = contract.id, monthly_fee
    session.add(proposal)
    session.flush()
    after = {"contract": contract_number, "monthly_fee": monthly_fee}
    audit.record(
        session, "propose", "device", inventory_number, actor_id=actor_id, now=now, before=before, after=after
    )
    return proposal


def withdraw(session: Session, inventory_number: str, *, actor_id: int | None, now: datetime) -> None:
    """A device shall not enter a contract any more; without a proposal nothing happens. Raises NotFound."""
    device = register.get(session, inventory_number, lock=True)
    proposal = session.get(DeviceProposal, device.id)
    if proposal is None:
        return
    before = _plain(proposal)
    session.delete(proposal)
    session.flush()
    audit.record(
        session, "withdraw proposal", "device", inventory_number, actor_id=actor_id, now=now, before=before
    )


def running_contract(session: Session, device: Device, day: date) -> str | None:
    """The number of the contract that a device is in on a day, or will be."""
    found = (
        select(Contract.number)
        .join(ContractDevice, ContractDevice.contract_id == Contract.id)
        .where(ContractDevice.device_id == device.id)
        .where(or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > day))
        .order_by(ContractDevice.included_from)
    )
    return session.execute(found.limit(1)).scalar_one_or_none()


def _plain(proposal: DeviceProposal) -> dict[str, Any]:
    return {"contract_id": proposal.contract_id, "monthly_fee": proposal.monthly_fee}
