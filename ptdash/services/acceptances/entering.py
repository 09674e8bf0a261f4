"""A device that was proposed enters its contract."""

from datetime import date, datetime

from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict
from ptdash.models import Contract, DeviceProposal
from ptdash.services.acceptances import gates
from ptdash.services.contract_changes import including
from ptdash.services.devices import register


class NoProposal(Conflict):
    message = "%(device)s does not wait for a contract."


def enter(
    session: Session,
    inventory_number: str,
    *,
    included_from: date,
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
    including.include_device(
        session,
        contract.number,
        inventory_number,
        included_from=included_from,
        monthly_fee=proposal.monthly_fee,
        actor_id=actor_id,
        now=now,
    )
    return contract.number
