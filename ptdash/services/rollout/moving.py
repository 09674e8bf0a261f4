"""A planned task onto another day or to another technician, by a manager's hand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Invalid, NotFound
from ptdash.domain.periods import month_of
from ptdash.domain.rollout import TaskStatus
from ptdash.models import Role, RolloutTask, User
from ptdash.services import audit, settings, windows
from ptdash.services.rollout import placing
from ptdash.services.rollout.tasks import Task, lock


class NotPlanned(Conflict):
    message = "%(task)s is not planned any more; it stays where it is."


class NoWindowDay(Invalid):
    message = "%(day)s is not in a maintenance window. Its days in %(month)s: %(days)s"


class DayIsOver(Invalid):
    message = "%(day)s is over. Choose today or a later day."


class NoTechnician(Invalid):
    message = "Choose a technician who is active."


@dataclass(frozen=True)
class Moved:
    """`load` of `capacity`: the devices that the technician has on that day now."""

    tasks: Sequence[Task]
    day: date
    load: int
    capacity: int


def move(
    session: Session,
    task_ids: Collection[int],
    day: date,
    technician_id: int | None,
    *,
    actor: User,
    today: date,
    now: datetime,
) -> Moved:
    """Put planned tasks on a day of a window, where the planner leaves them. It may be more than fits: it says so.

    Raises NotFound, NotPlanned, NoWindowDay, DayIsOver, NoTechnician.
    """
    placing.lock(session)
    found = lock(session, task_ids)
    if not found:
        raise NotFound(what=", ".join(map(str, task_ids)))
    stuck = next((task for task in found if task.status is not TaskStatus.PLANNED), None)
    if stuck:
        raise NotPlanned(task=stuck.name)
    if day < today:
        raise DayIsOver(day=day)
    window = windows.of_month(session, month_of(day))
    if day not in window.days:
        raise NoWindowDay(day=day, month=window.month, days=window.days)
    technician = session.get(User, technician_id) if technician_id else None
    if technician_id and (technician is None or not technician.active or technician.role == Role.ADMIN):
        raise NoTechnician()
    windows.keep(session, window.month, now=now)
    before = {"days": sorted({task.row.planned_on.isoformat() for task in found})}
    for task in found:
        task.row.window_month, task.row.planned_on = window.month, day
        task.row.technician_id, task.row.moved_by_id, task.row.changed_at = technician_id, actor.id, now
        task.row.acknowledged_at = task.row.acknowledged_by_id = None
    session.flush()
    after = {"day": day, "technician": technician_id, "tasks": len(found)}
    subject = found[0].row.id
    audit.record(session, "move", "rollout", subject, actor_id=actor.id, now=now, before=before, after=after)
    capacity = int(settings.get(session, "rollout.per_day"))
    return Moved(found, day, load(session, day, technician_id), capacity)


def load(session: Session, day: date, technician_id: int | None) -> int:
    """How many devices a technician has planned on a day."""
    found = select(func.count(RolloutTask.device_id.distinct())).where(
        RolloutTask.planned_on == day,
        RolloutTask.status == TaskStatus.PLANNED,
        RolloutTask.technician_id.is_not_distinct_from(technician_id),
    )
    return session.execute(found).scalar_one()
