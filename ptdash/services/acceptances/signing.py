"""The signature of an inspection, the remedies after a refusal, and revoking what was signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ptdash.domain.acceptance import OPENS_GATE, ItemState, Outcome, check_signature
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.models import (
    Acceptance,
    Contract,
    ContractDevice,
    Device,
    Inspection,
    InspectionResult,
)
from ptdash.services import audit
from ptdash.services.acceptances import inspecting


class NameMissing(Invalid):
    message = "Sign with your name."


class OutcomeReasonMissing(Invalid):
    message = "No point failed: say in a note what the reservation or the refusal is about."


class EntersLater(Conflict):
    message = (
        "%(device)s enters contract %(contract)s on %(included_from)s and relies on this acceptance. "
        "Take that inclusion back first."
    )


class RevokeReasonMissing(Invalid):
    message = "Say why the acceptance is revoked."


class NothingToRevoke(Conflict):
    message = "This acceptance lets nothing in: it was refused or is revoked already."


class RemedyMissing(Invalid):
    message = "Say how the fault was remedied."


class NoFault(Conflict):
    message = "Only a failed point of a signed inspection can be remedied."


class ReinspectionRuns(Conflict):
    message = "The re-inspection has begun. Answer the point there."


@dataclass(frozen=True)
class Running:
    """A device in a contract, for the decision after its acceptance was revoked."""

    contract: str
    included_from: date
    ends_before: date | None


@dataclass(frozen=True)
class Effect:
    """An acceptance, its device, the contracts that it is in and those that it is to enter."""

    acceptance: Acceptance
    device: Device
    running: list[Running]
    entering: list[Running]


def sign(
    session: Session,
    inspection_id: int,
    outcome: Outcome,
    note: str,
    *,
    name: str,
    today: date,
    actor_id: int,
    now: datetime,
) -> Acceptance:
    """Sign an inspection: from here on it does not change, and its outcome is the device's verdict of the day.

    Raises NotFound, AlreadySigned, NotStarted, ItemsOpen, OutcomeExcluded, NameMissing, OutcomeReasonMissing,
    EntersLater (a refusal, where the device is to enter a contract today or later).
    """
    inspection = inspecting.unsigned(session, inspection_id)
    answers = inspecting.answers(session, inspection_id)
    check_signature(answers, outcome)
    failed = any(answer.state is ItemState.FAILED for answer in answers)
    if not name.strip():
        raise NameMissing()
    if outcome is not Outcome.ACCEPTED and not failed and not note.strip():
        raise OutcomeReasonMissing()
    device = session.get_one(Device, inspection.device_id)
    if outcome not in OPENS_GATE:
        _refuse_entering(session, device, today)
    inspection.signed_at, inspection.signed_by_id, inspection.signed_name = now, actor_id, name.strip()
    inspection.outcome, inspection.note = outcome.value, note.strip()
    session.flush()
    acceptance = _verdict(session, inspection, today, actor_id)
    after = {"device": device.inventory_number, "outcome": outcome.value, "note": note.strip(), "on": today}
    audit.record(session, "sign", "inspection", inspection_id, actor_id=actor_id, now=now, after=after)
    return acceptance


def remedy(
    session: Session, inspection_id: int, pos: int, how: str, *, actor_id: int, now: datetime
) -> InspectionResult:
    """Note that a fault was remedied; the re-inspection looks at it again.

    Raises NotFound, NoFault, RemedyMissing, ReinspectionRuns.
    """
    inspection = inspecting.get(session, inspection_id, lock=True)
    result = session.get(InspectionResult, (inspection_id, pos), populate_existing=True)
    if result is None:
        raise NotFound(what=str(pos))
    if inspection.signed_at is None or result.state != ItemState.FAILED:
        raise NoFault()
    if not how.strip():
        raise RemedyMissing()
    runs = select(Inspection.id).where(
        Inspection.continues_id == inspection_id, Inspection.started_at.is_not(None)
    )
    if session.execute(runs).first():
        raise ReinspectionRuns()
    result.remedied_at, result.remedied_by_id, result.remedy = now, actor_id, how.strip()
    session.flush()
    after = {"pos": pos, "remedy": how.strip()}
    audit.record(session, "remedy", "inspection", inspection_id, actor_id=actor_id, now=now, after=after)
    return result


def revoke(
    session: Session, acceptance_id: int, reason: str, *, today: date, actor_id: int, now: datetime
) -> list[Running]:
    """Revoke an acceptance from today on: nothing enters by it any more. What is in a contract stays there and is
    returned for a decision.

    Raises NotFound, NothingToRevoke, RevokeReasonMissing, EntersLater.
    """
    acceptance = get(session, acceptance_id, lock=True)
    if acceptance.outcome not in OPENS_GATE or acceptance.revoked_on is not None:
        raise NothingToRevoke()
    if not reason.strip():
        raise RevokeReasonMissing()
    device = session.get_one(Device, acceptance.device_id)
    _refuse_entering(session, device, today)
    acceptance.revoked_on = max(today, acceptance.inspected_on)
    acceptance.revoke_reason, acceptance.revoked_by_id = reason.strip(), actor_id
    session.flush()
    still = running(session, device.id, today)
    after = {
        "device": device.inventory_number,
        "inspected_on": acceptance.inspected_on,
        "reason": reason.strip(),
        "still_in": [row.contract for row in still],
    }
    audit.record(session, "revoke", "acceptance", acceptance_id, actor_id=actor_id, now=now, after=after)
    return still


def get(session: Session, acceptance_id: int, *, lock: bool = False) -> Acceptance:
    """Raises NotFound."""
    found = select(Acceptance).where(Acceptance.id == acceptance_id)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    acceptance = session.execute(found).scalar_one_or_none()
    if acceptance is None:
        raise NotFound(what=str(acceptance_id))
    return acceptance


def effect(session: Session, acceptance_id: int, day: date) -> Effect:
    """What revoking an acceptance on a day would touch. Raises NotFound."""
    acceptance = get(session, acceptance_id)
    device = session.get_one(Device, acceptance.device_id)
    return Effect(acceptance, device, running(session, device.id, day), entering(session, device.id, day))


def running(session: Session, device_id: int, day: date) -> list[Running]:
    """The contracts that a device is in on a day."""
    return [Running(*row) for row in _inclusions(session, device_id, day) if row[1] <= day]


def entering(session: Session, device_id: int, day: date) -> list[Running]:
    """The contracts that a device enters on that day or later."""
    return [Running(*row) for row in _inclusions(session, device_id, day) if row[1] >= day]


def _refuse_entering(session: Session, device: Device, day: date) -> None:
    if device.purchased_from_us:
        return
    for row in entering(session, device.id, day):
        raise EntersLater(device=device.inventory_number, contract=row.contract, included_from=row.included_from)


def _inclusions(session: Session, device_id: int, day: date) -> Sequence[tuple[str, date, date | None]]:
    rows = session.execute(
        select(Contract.number, ContractDevice.included_from, ContractDevice.ends_before)
        .join(Contract, Contract.id == ContractDevice.contract_id)
        .where(ContractDevice.device_id == device_id)
        .where(or_(ContractDevice.ends_before.is_(None), ContractDevice.ends_before > day))
        .order_by(ContractDevice.included_from)
    )
    return [(number, since, until) for number, since, until in rows]


def _verdict(session: Session, inspection: Inspection, today: date, actor_id: int) -> Acceptance:
    """The device's row of that day: of several inspections on one day the last one counts."""
    row = session.execute(
        select(Acceptance)
        .where(Acceptance.device_id == inspection.device_id, Acceptance.inspected_on == today)
        .with_for_update()
    ).scalar_one_or_none()
    row = row or Acceptance(device_id=inspection.device_id, inspected_on=today)
    row.outcome, row.note = str(inspection.outcome), inspection.note
    row.inspector_id, row.inspection_id = actor_id, inspection.id
    row.revoked_on = row.revoke_reason = row.revoked_by_id = None
    session.add(row)
    session.flush()
    return row
