"""Taking a tick back: for each task that nobody changed since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, Forbidden, NotFound
from ptdash.domain.rollout import ON_DEVICE, TaskStatus
from ptdash.models import AuditEvent, Role, User
from ptdash.services import audit
from ptdash.services.rollout.stopping import stop
from ptdash.services.rollout.tasks import Task, lock
from ptdash.services.rollout.ticking import KEPT

RECENT = timedelta(days=2)


class TooLate(Conflict):
    message = "This is more than two days old. It cannot be taken back any more."


class NotYours(Forbidden):
    message = "A colleague did this. Only they or a manager can take it back."


class ChangedSince(Conflict):
    message = "This was changed or taken back since. Nothing was taken back."


@dataclass(frozen=True)
class Undone:
    done: Sequence[Task]
    left: int


def undo(session: Session, change: int, *, actor: User, now: datetime) -> Undone:
    """Put tasks back to what they were before a tick, within two days, by its author or a manager.

    What is planned again although the approval has ended meanwhile is stopped. Raises NotFound, TooLate, NotYours,
    ChangedSince.
    """
    event = session.get(AuditEvent, change)
    if event is None or (event.action, event.subject) != ("tick", "rollout") or not event.before:
        raise NotFound(what=str(change))
    if event.actor_id != actor.id and actor.role != Role.MANAGER:
        raise NotYours()
    if now - event.at > RECENT:
        raise TooLate()
    before = {entry["id"]: entry for entry in event.before["tasks"]}
    found = lock(session, before)
    untouched = [task for task in found if task.row.changed_at == event.at and not task.row.followed]
    if not untouched:
        raise ChangedSince()
    for task in untouched:
        _restore(task, before[task.row.id], now)
    try:
        with session.begin_nested():
            session.flush()
    except DBAPIError:
        # Put back onto the device although it may not be installed any more.
        raise ChangedSince() from None
    after = {"undone": change, "tasks": len(untouched), "left": len(found) - len(untouched)}
    audit.record(session, "undo", "rollout", change, actor_id=actor.id, now=now, after=after)
    session.flush()
    return Undone(untouched, len(found) - len(untouched))


def _restore(task: Task, before: dict[str, Any], now: datetime) -> None:
    row = task.row
    for name in KEPT:
        value = before[name]
        setattr(row, name, datetime.fromisoformat(value) if name.endswith("_at") and value else value)
    row.changed_at = now
    if task.approval.ended_at is not None and TaskStatus(row.status) not in ON_DEVICE:
        stop([row], why=task.approval.end_reason or task.update.title, now=now)
