"""What time and other people's changes ask of the rollout: found in the database with every beat of the house."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ptdash.domain.rollout import TaskStatus, Why
from ptdash.models import MaintenanceWindow, RolloutTask, Update, UpdateApproval
from ptdash.services import audit, windows
from ptdash.services.bulk import among
from ptdash.services.rollout import covering, placing, planning
from ptdash.services.rollout.stopping import stop


@dataclass(frozen=True)
class Swept:
    """Tasks that were stopped, missed, taken up again in a later window, and made for devices that came later."""

    stopped: int
    missed: int
    again: int
    made: int


NOTHING = Swept(0, 0, 0, 0)


def sweep(session: Session, *, today: date, now: datetime) -> Swept:
    """Whoever left the contract gets nothing more, whoever came gets what is approved; what a window left open is
    missed, and what was missed, skipped or failed is taken up again in the next one. Running it twice does no
    harm."""
    if not _is_due(session, today, now):
        return NOTHING
    placing.lock(session)
    stopped = _stop_uncovered(session, today, now)
    missed = _miss(session, now)
    again = covering.unfinished(session, today, _over(session, now))
    made = covering.missing(session, today)
    in_force = _in_force(session, {one.approval_id for one in [*again, *made]})
    new = [one for one in [*again, *made] if one.approval_id in in_force]
    places = placing.place(session, new, today=today, now=now)
    if new:
        planning.record(session, "plan_later", "rollout", new, places, actor_id=None, now=now)
    return Swept(stopped, missed, len(again), len(made))


def _is_due(session: Session, today: date, now: datetime) -> bool:
    """Asked with every beat, so without a lock; mostly there is nothing."""
    return bool(
        covering.uncovered(session, today)
        or covering.missing(session, today)
        or _left_open(session, now)
        or covering.unfinished(session, today, _over(session, now))
    )


def _over(session: Session, now: datetime) -> list[date]:
    """The windows with work in them whose last day has closed."""
    kept = session.execute(select(MaintenanceWindow).order_by(MaintenanceWindow.month)).scalars()
    return [row.month for row in kept if windows.stored(row).is_over(now)]


def _left_open(session: Session, now: datetime) -> list[int]:
    found = select(RolloutTask.id).where(
        RolloutTask.status == TaskStatus.PLANNED,
        RolloutTask.stopped_at.is_(None),
        RolloutTask.window_month.in_(_over(session, now)),
    )
    return list(session.execute(found.order_by(RolloutTask.id)).scalars())


def _stop_uncovered(session: Session, today: date, now: datetime) -> int:
    ids = covering.uncovered(session, today)
    if not ids:
        return 0
    found = select(RolloutTask).where(among(RolloutTask.id, ids), RolloutTask.status == TaskStatus.PLANNED)
    rows = list(session.execute(found.order_by(RolloutTask.id).with_for_update()).scalars())
    stop(rows, why=Why.NOT_COVERED.value, now=now)
    session.flush()
    _audit(session, "stop_rollout", len(rows), now)
    return len(rows)


def _miss(session: Session, now: datetime) -> int:
    ids = _left_open(session, now)
    if not ids:
        return 0
    missed = session.execute(
        update(RolloutTask)
        .where(among(RolloutTask.id, ids), RolloutTask.status == TaskStatus.PLANNED)
        .values(status=TaskStatus.MISSED.value, reason=Why.WINDOW_OVER.value, changed_at=now)
        .returning(RolloutTask.id)
    )
    number = len(missed.scalars().all())
    _audit(session, "miss", number, now)
    return number


def _in_force(session: Session, approval_ids: set[int]) -> set[int]:
    """Held in share, with their updates; what somebody is just deciding about is left to the next beat."""
    found = (
        select(UpdateApproval.id)
        .join(Update, Update.id == UpdateApproval.update_id)
        .where(among(UpdateApproval.id, approval_ids), UpdateApproval.ended_at.is_(None))
        .order_by(UpdateApproval.id)
        .with_for_update(read=True, skip_locked=True, of=[UpdateApproval, Update])
    )
    return set(session.execute(found).scalars())


def _audit(session: Session, action: str, number: int, now: datetime) -> None:
    audit.record(session, action, "rollout", "sweep", actor_id=None, now=now, after={"tasks": number})
