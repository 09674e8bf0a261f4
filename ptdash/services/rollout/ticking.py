"""Ticking off: what became of a task, each step only where it is allowed at that instant."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, DomainError, Invalid, NotFound
from ptdash.domain.rollout import ON_DEVICE, WORK, TaskStatus, check_step
from ptdash.domain.tickets import Concern
from ptdash.models import ContractDevice, Role, User
from ptdash.services import audit
from ptdash.services.bulk import among
from ptdash.services.rollout.tasks import Task, lock
from ptdash.services.tickets.creating import NewTicket, create

KEPT = (
    *("status", "reason", "note", "installed_at", "installed_by_id", "verified_at", "verified_by_id"),
    *("emergency_reason", "emergency_by_id"),
)
NOT_APPROVED, OUTSIDE = "PD005", "PD006"
REACHES_DEVICE = ON_DEVICE | {TaskStatus.PLANNED}
MOST = 200
MOST_TEXT = 500


class NothingChosen(Invalid):
    message = "Choose at least one device."


class TooManyChosen(Invalid):
    message = "Choose at most %(most)s updates at a time."


class Withdrawn(Conflict):
    message = "%(task)s must not be installed: %(who)s withdrew the approval on %(at)s. Reason: %(why)s"


class Superseded(Conflict):
    message = "%(task)s must not be installed: %(who)s approved a newer version on %(at)s."


class Stopped(Conflict):
    message = "%(task)s is not installed any more: %(why)s"


class TakenUpAgain(Conflict):
    message = "%(task)s was taken up again in a later window. Tick it off there."


class NotCovered(Conflict):
    message = "%(task)s: the device is in no running maintenance contract any more."


class OutsideWindow(Conflict):
    message = (
        "%(task)s is planned for %(day)s; the maintenance window is not open now. Install it in the window, or as "
        "an emergency with a reason and the name of a manager."
    )


class EmergencyReasonMissing(Invalid):
    message = "Say why this cannot wait for the maintenance window."


class EmergencyManagerMissing(Invalid):
    message = "Name the manager who allowed the emergency."


class ProcedureNotRead(Conflict):
    message = "%(task)s: read and confirm the procedure for active stations of %(contract)s first."


class AlreadySo(Conflict):
    message = "%(task)s: a colleague has done this already."


@dataclass(frozen=True)
class Emergency:
    """Outside the window: why, and which manager allowed it."""

    reason: str
    manager_id: int | None


@dataclass(frozen=True)
class Step:
    """What is ticked. `ticket`: take a ticket for the rework."""

    to: TaskStatus
    reason: str = ""
    emergency: Emergency | None = None
    ticket: bool = False


@dataclass(frozen=True)
class Left:
    """A task that stays as it is, and why."""

    task: Task
    error: DomainError


@dataclass(frozen=True)
class Outcome:
    """`change` names it for an undo; `left`: what could not take the step."""

    change: int
    step: Step
    done: Sequence[Task]
    left: Sequence[Left] = ()
    tickets: Sequence[str] = field(default=())


def tick(
    session: Session, task_ids: Collection[int], step: Step, *, actor: User, today: date, now: datetime
) -> Outcome:
    """Take a step with one or several tasks. What cannot take it is named and left; where none can, it is refused.

    Installing needs the approval in force at that instant, the device in its contract, the window open (or an
    emergency), and at an active station the procedure confirmed. Raises NotFound, NothingChosen, TooManyChosen,
    StepNotPossible, ReasonMissing, AlreadySo, Withdrawn, Superseded, Stopped, TakenUpAgain, NotCovered,
    OutsideWindow, EmergencyReasonMissing, EmergencyManagerMissing, ProcedureNotRead.
    """
    if not task_ids:
        raise NothingChosen()
    if len(task_ids) > MOST:
        raise TooManyChosen(most=MOST)
    found = lock(session, task_ids)
    if not found:
        raise NotFound(what=", ".join(map(str, task_ids)))
    _check_emergency(session, step)
    covered = _covered(session, found, today)
    done: list[Task] = []
    left: list[Left] = []
    for task in found:
        try:
            check(task, step, covered=task.row.id in covered, now=now)
        except DomainError as error:
            left.append(Left(task, error))
        else:
            done.append(task)
    if not done:
        raise left[0].error
    before = [state(task) for task in done]
    tickets = _tickets(session, done, step, actor, now)
    for task in done:
        _set(task, step, tickets.get(task.device.id, ""), actor, now)
    _flush(session, done[0])
    event = audit.record(
        session,
        "tick",
        "rollout",
        found[0].row.id if len(found) == 1 else f"{len(done)} tasks",
        actor_id=actor.id,
        now=now,
        before={"tasks": before},
        after={"status": step.to.value, "reason": step.reason, "tasks": len(done), "left": len(left)},
    )
    session.flush()
    return Outcome(event.id, step, done, left, sorted(tickets.values()))


def check(task: Task, step: Step, *, covered: bool, now: datetime) -> None:
    """Whether one task may take a step now."""
    if step.to in REACHES_DEVICE and task.status not in ON_DEVICE:
        refuse_unapproved(task)
    if task.row.stopped_at is not None:
        raise Stopped(task=task.name, why=task.row.reason)
    if task.status is step.to:
        raise AlreadySo(task=task.name)
    if task.row.followed:
        raise TakenUpAgain(task=task.name)
    check_step(task.status, step.to, step.reason, task.name)
    if step.to not in WORK or task.status in ON_DEVICE:
        return
    if not covered:
        raise NotCovered(task=task.name)
    if not task.window.is_open(now) and step.emergency is None:
        raise OutsideWindow(task=task.name, day=task.row.planned_on)
    if task.device.active_station and task.row.acknowledged_at is None:
        raise ProcedureNotRead(task=task.name, contract=task.contract.number)


def refuse_unapproved(task: Task) -> None:
    """Says who ended the approval, when and why. Raises Withdrawn, Superseded."""
    approval = task.approval
    if approval.ended_at is None:
        return
    facts = {"task": task.name, "who": task.ended_by or "–", "at": approval.ended_at}
    if approval.ended_by == "superseded":
        raise Superseded(**facts)
    raise Withdrawn(why=approval.end_reason, **facts)


def state(task: Task) -> dict[str, Any]:
    """What a step changes, to undo it."""
    plain = {name: getattr(task.row, name) for name in KEPT}
    return {"id": task.row.id} | {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in plain.items()
    }


def _set(task: Task, step: Step, ticket: str, actor: User, now: datetime) -> None:
    row = task.row
    if step.to in WORK and row.status == TaskStatus.PLANNED and not task.window.is_open(now) and step.emergency:
        row.emergency_reason, row.emergency_by_id = step.emergency.reason.strip(), step.emergency.manager_id
    if step.to is TaskStatus.INSTALLED:
        # The approval may be of this very moment, by a clock that is a little ahead.
        row.installed_at, row.installed_by_id = max(now, task.approval.approved_at), actor.id
    elif step.to is TaskStatus.PLANNED:
        row.installed_at = row.installed_by_id = None
    verified = step.to is TaskStatus.VERIFIED
    row.verified_at, row.verified_by_id = (now, actor.id) if verified else (None, None)
    row.status, row.reason = step.to.value, step.reason.strip()[:MOST_TEXT]
    row.note = ticket or row.note
    row.changed_at = now


def _flush(session: Session, first: Task) -> None:
    """Where the database refuses what slipped in meanwhile, the same sentences as before."""
    try:
        with session.begin_nested():
            session.flush()
    except DBAPIError as error:
        code = getattr(error.orig, "sqlstate", "")
        if code == NOT_APPROVED:
            raise Withdrawn(task=first.name, who="–", at=first.row.changed_at, why="–") from None
        if code == OUTSIDE:
            raise OutsideWindow(task=first.name, day=first.row.planned_on) from None
        raise


def _check_emergency(session: Session, step: Step) -> None:
    if step.emergency is None:
        return
    if not step.emergency.reason.strip():
        raise EmergencyReasonMissing()
    manager = session.get(User, step.emergency.manager_id) if step.emergency.manager_id else None
    if manager is None or manager.role != Role.MANAGER or not manager.active:
        raise EmergencyManagerMissing()


def _covered(session: Session, tasks: Sequence[Task], today: date) -> set[int]:
    rows = session.execute(
        select(ContractDevice.device_id, ContractDevice.contract_id).where(
            among(ContractDevice.device_id, {task.device.id for task in tasks}),
            ContractDevice.life.contains(today),
        )
    ).all()
    pairs = {(device, contract) for device, contract in rows}
    return {task.row.id for task in tasks if (task.device.id, task.contract.id) in pairs}


def _tickets(session: Session, tasks: Sequence[Task], step: Step, actor: User, now: datetime) -> dict[int, str]:
    """One ticket for the rework on each device, by device."""
    if not step.ticket:
        return {}
    made: dict[int, str] = {}
    for device_id in sorted({task.device.id for task in tasks}):
        theirs = [task for task in tasks if task.device.id == device_id]
        what = ", ".join(f"{task.update.title} {task.update.version}" for task in theirs)
        new = NewTicket(
            customer_id=theirs[0].row.customer_id,
            subject=f"{theirs[0].device.inventory_number}: {what} nacharbeiten",
            body=step.reason,
            concern=Concern.UPKEEP,
            product=what[:100],
            device_id=device_id,
        )
        made[device_id] = create(session, new, actor_id=actor.id, now=now).number
    return made
