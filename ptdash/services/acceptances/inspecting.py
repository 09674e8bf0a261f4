"""An inspection until its signature: planned, started with a version of the checklist, answered item by item."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.acceptance import Answer, ItemState, Outcome, carried, check_answer
from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.periods import berlin_day
from ptdash.models import (
    ChecklistItem,
    Device,
    Inspection,
    InspectionFile,
    InspectionResult,
    Role,
    User,
)
from ptdash.services import audit, checklists
from ptdash.services.acceptances.proposing import DeviceRetired
from ptdash.services.devices import register

INSPECTORS = (Role.TECHNICIAN, Role.MANAGER)


class InspectorUnknown(Invalid):
    message = "Only a technician or a manager inspects devices. Choose one of them."


class AlreadySigned(Conflict):
    message = "This inspection is signed and does not change any more."


class NotStarted(Conflict):
    message = "This inspection has not been started yet."


class AnsweredMeanwhile(Conflict):
    """`result` is what is stored now."""

    message = "%(name)s answered this point in the meantime. Look at it, then answer again if you disagree."

    def __init__(self, result: InspectionResult, name: str) -> None:
        self.result = result
        super().__init__(name=name)


def get(session: Session, inspection_id: int, *, lock: bool = False) -> Inspection:
    """Raises NotFound."""
    found = select(Inspection).where(Inspection.id == inspection_id)
    if lock:
        found = found.with_for_update().execution_options(populate_existing=True)
    inspection = session.execute(found).scalar_one_or_none()
    if inspection is None:
        raise NotFound(what=str(inspection_id))
    return inspection


def unsigned(session: Session, inspection_id: int) -> Inspection:
    """An inspection under way, locked. Raises NotFound, AlreadySigned, NotStarted."""
    inspection = get(session, inspection_id, lock=True)
    if inspection.signed_at is not None:
        raise AlreadySigned()
    if inspection.started_at is None:
        raise NotStarted()
    return inspection


def inspectors(session: Session) -> list[User]:
    """Who can be given an inspection, by name."""
    rows = select(User).where(User.active, User.role.in_(INSPECTORS)).order_by(User.name)
    return list(session.execute(rows).scalars())


def plan(
    session: Session,
    inventory_number: str,
    *,
    assignee_id: int | None,
    scheduled_at: datetime | None,
    actor_id: int | None,
    now: datetime,
) -> Inspection:
    """Give a device's inspection to somebody, with or without a day; after a refusal it is a re-inspection.

    Raises NotFound, DeviceRetired, InspectorUnknown.
    """
    device = register.get(session, inventory_number, lock=True)
    if device.retired_on is not None:
        raise DeviceRetired(device=inventory_number, retired_on=device.retired_on)
    _check_inspector(session, assignee_id)
    inspection = _open(session, device)
    before = inspection.id and {"assignee_id": inspection.assignee_id, "scheduled_at": inspection.scheduled_at}
    after = {"assignee_id": assignee_id, "scheduled_at": scheduled_at}
    if before == after:
        return inspection
    inspection.assignee_id, inspection.scheduled_at = assignee_id, scheduled_at
    session.add(inspection)
    session.flush()
    audit.record(
        session,
        "plan",
        "inspection",
        inspection.id,
        actor_id=actor_id,
        now=now,
        before=before or None,
        after=after | {"device": inventory_number},
    )
    return inspection


def start(session: Session, inventory_number: str, *, actor_id: int, now: datetime) -> Inspection:
    """Begin a device's inspection with the checklist in force; a re-inspection keeps the version of the refused
    one and takes over what passed there. Once it is under way, nothing happens.

    Raises NotFound, DeviceRetired, InspectorUnknown.
    """
    device = register.get(session, inventory_number, lock=True)
    if device.retired_on is not None:
        raise DeviceRetired(device=inventory_number, retired_on=device.retired_on)
    _check_inspector(session, actor_id)
    inspection = _open(session, device)
    if inspection.started_at is not None:
        return inspection
    refused = session.get(Inspection, inspection.continues_id) if inspection.continues_id else None
    inspection.template_id = (
        refused.template_id if refused else checklists.in_force(session, device.type, now=now).id
    )
    inspection.assignee_id = inspection.assignee_id or actor_id
    inspection.started_at = now
    session.add(inspection)
    session.flush()
    taken_over = _write_results(session, inspection, refused, now)
    after = {"device": inventory_number, "template_id": inspection.template_id, "taken_over": taken_over}
    audit.record(session, "start", "inspection", inspection.id, actor_id=actor_id, now=now, after=after)
    return inspection


def answer(
    session: Session,
    inspection_id: int,
    pos: int,
    state: ItemState,
    note: str,
    *,
    seen: datetime | None,
    actor_id: int,
    now: datetime,
) -> InspectionResult:
    """Answer an item; `seen` is when the answer was given that the person had before them (None: none).

    What somebody else answered since then is not overwritten. Raises NotFound, AlreadySigned, NotStarted,
    NoteMissing, AnsweredMeanwhile.
    """
    unsigned(session, inspection_id)
    result = session.get(InspectionResult, (inspection_id, pos), populate_existing=True)
    if result is None:
        raise NotFound(what=str(pos))
    note = note.strip()
    check_answer(state, note)
    if (result.state, result.note) == (state, note):
        return result
    if result.answered_at != seen and result.answered_by_id != actor_id:
        other = session.get(User, result.answered_by_id) if result.answered_by_id else None
        raise AnsweredMeanwhile(result, other.name if other else "ptdash")
    before = {"pos": pos, "state": result.state, "note": result.note}
    is_open = state is ItemState.OPEN
    result.state, result.note, result.carried_from_id = state.value, note, None
    # Also an item that was opened again has its moment, so that nobody overwrites that unseen.
    result.answered_at, result.answered_by_id = now, actor_id
    session.flush()
    after = {"pos": pos, "state": state.value, "note": note}
    action = "reopen" if is_open else "answer"
    audit.record(
        session, action, "inspection", inspection_id, actor_id=actor_id, now=now, before=before, after=after
    )
    return result


def call_off(session: Session, inspection_id: int, reason: str, *, actor_id: int, now: datetime) -> Device:
    """Take back an inspection that is not signed; its answers go with it, the audit trail keeps them.

    Raises NotFound, AlreadySigned.
    """
    inspection = get(session, inspection_id, lock=True)
    if inspection.signed_at is not None:
        raise AlreadySigned()
    device = session.get_one(Device, inspection.device_id)
    before = {
        "device": device.inventory_number,
        "started_at": inspection.started_at,
        "answers": [[row.pos, row.state, row.note] for row in results(session, inspection_id)],
    }
    for table in (InspectionFile, InspectionResult):
        session.execute(delete(table).where(table.inspection_id == inspection_id))
    session.delete(inspection)
    session.flush()
    after = {"reason": reason.strip()}
    audit.record(
        session, "call off", "inspection", inspection_id, actor_id=actor_id, now=now, before=before, after=after
    )
    return device


def results(session: Session, inspection_id: int) -> list[InspectionResult]:
    """The answers of an inspection, in the order of its checklist."""
    rows = select(InspectionResult).where(InspectionResult.inspection_id == inspection_id)
    return list(session.execute(rows.order_by(InspectionResult.pos)).scalars())


def answers(session: Session, inspection_id: int) -> list[Answer]:
    """The answers as the rules see them."""
    return [
        Answer(row.pos, ItemState(row.state), row.note, row.answered_at and berlin_day(row.answered_at))
        for row in results(session, inspection_id)
    ]


def refused_before(session: Session, device_id: int) -> Inspection | None:
    """The refused inspection that the next one of this device continues: the newest, where nothing followed."""
    later = aliased(Inspection)
    followed = select(later.id).where(later.device_id == device_id, later.id > Inspection.id)
    return session.execute(
        select(Inspection).where(
            Inspection.device_id == device_id, Inspection.outcome == Outcome.REFUSED, ~followed.exists()
        )
    ).scalar_one_or_none()


def _open(session: Session, device: Device) -> Inspection:
    """The device's inspection that is not signed, or a new one that is not stored yet."""
    found = session.execute(
        select(Inspection)
        .where(Inspection.device_id == device.id, Inspection.signed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if found is not None:
        return found
    refused = refused_before(session, device.id)
    return Inspection(device_id=device.id, continues_id=refused and refused.id)


def _check_inspector(session: Session, user_id: int | None) -> None:
    if user_id is None:
        return
    user = session.get(User, user_id)
    if user is None or not user.active or user.role not in INSPECTORS:
        raise InspectorUnknown()


def _write_results(session: Session, inspection: Inspection, refused: Inspection | None, now: datetime) -> int:
    """Every item of the checklist, open, or as the refused inspection found it; how many were taken over."""
    old = {row.pos: row for row in results(session, refused.id)} if refused else {}
    kept = {row.pos for row in carried(answers(session, refused.id), berlin_day(now))} if refused else set()
    items = select(ChecklistItem.pos).where(ChecklistItem.template_id == inspection.template_id)
    for pos in session.execute(items.order_by(ChecklistItem.pos)).scalars():
        row = InspectionResult(inspection_id=inspection.id, pos=pos)
        if refused and pos in kept:
            found = old[pos]
            row.state, row.note = found.state, found.note
            row.answered_at, row.answered_by_id = found.answered_at, found.answered_by_id
            row.carried_from_id = found.carried_from_id or refused.id
        session.add(row)
    session.flush()
    return len(kept)
