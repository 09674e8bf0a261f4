"""A device that was proposed enters its contract."""

from collections.abc import Callable
from datetime import date, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict
from ptdash.models import Contract, DeviceProposal
from ptdash.services.acceptances import gates
from ptdash.services.devices import register

CONTRACT_CHANGES = "ptdash.services.contract_changes"


class NoProposal(Conflict):
    message = "%(device)s does not wait for a contract."


def possible() -> bool:
    """Whether contracts can be changed in this version of the house."""
    return find_spec(CONTRACT_CHANGES) is not None


def enter(
    session: Session,
    inventory_number: str,
    *,
    included_from: date,
    today: date,
    actor_id: int | None,
    now: datetime,
) -> str:
    """Take a device into the contract it waits for, at the fee that was proposed; returns the contract's number.

    Raises NotFound, NoProposal, GateClosed, and what `contract_changes.include_device` raises.
    """
    device = register.get(session, inventory_number, lock=True)
    proposal = session.get(DeviceProposal, device.id)
    if proposal is None:
        raise NoProposal(device=inventory_number)
    contract = session.get_one(Contract, proposal.contract_id)
    gates.check(session, device, included_from)
    include: Callable[..., Any] = import_module(CONTRACT_CHANGES).include_device
    include(
        session,
        contract,
        device,
        included_from=included_from,
        monthly_fee=proposal.monthly_fee,
        actor_id=actor_id,
        now=now,
    )
    if session.get(DeviceProposal, device.id) is not None:
        session.delete(proposal)
    session.flush()
    return contract.number
