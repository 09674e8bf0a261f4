"""The gate of a contract: whether a device may enter, and in which words it is refused."""

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.acceptance import Gate, Verdict, gate
from ptdash.domain.errors import Conflict
from ptdash.models import Acceptance, Device
from ptdash.services.bulk import among


class GateClosed(Conflict):
    """A device may not enter a contract; `params["device"]` is its inventory number, for the link that starts
    the acceptance."""

    message = "%(device)s was not bought from us and has no valid acceptance for %(day)s."
    reason: ClassVar[Gate] = Gate.MISSING


class AcceptanceMissing(GateClosed):
    message = "%(device)s was not bought from us: it needs a signed acceptance, and there is none up to %(day)s."


class AcceptanceRefused(GateClosed):
    message = (
        "%(device)s was not bought from us, and its acceptance was refused on %(inspected_on)s. "
        "It needs a re-inspection that passes."
    )
    reason = Gate.REFUSED


class AcceptanceRevoked(GateClosed):
    message = (
        "%(device)s was not bought from us, and its acceptance was revoked on %(revoked_on)s. "
        "It needs a new acceptance."
    )
    reason = Gate.REVOKED


CLOSED = {Gate.MISSING: AcceptanceMissing, Gate.REFUSED: AcceptanceRefused, Gate.REVOKED: AcceptanceRevoked}


def check(session: Session, device: Device, on: date) -> None:
    """That a device may enter a contract on a day. Raises AcceptanceMissing, AcceptanceRefused, AcceptanceRevoked.

    The database refuses the same (`may_enter_contract`).
    """
    state, verdict = gate(device.purchased_from_us, verdicts(session, [device.id]).get(device.id, []), on)
    if state is not Gate.OPEN:
        raise CLOSED[state](
            device=device.inventory_number,
            day=on,
            inspected_on=verdict and verdict.inspected_on,
            revoked_on=verdict and verdict.revoked_on,
        )


def is_open(session: Session, device: Device, on: date) -> bool:
    state, _ = gate(device.purchased_from_us, verdicts(session, [device.id]).get(device.id, []), on)
    return state is Gate.OPEN


def verdicts(session: Session, device_ids: Collection[int]) -> dict[int, list[Verdict]]:
    """The verdicts of these devices, by device."""
    found: dict[int, list[Verdict]] = defaultdict(list)
    rows = session.execute(
        select(Acceptance.device_id, Acceptance.inspected_on, Acceptance.outcome, Acceptance.revoked_on).where(
            among(Acceptance.device_id, device_ids)
        )
    )
    for device_id, inspected_on, outcome, revoked_on in rows:
        found[device_id].append(Verdict(inspected_on, outcome, revoked_on))
    return found
