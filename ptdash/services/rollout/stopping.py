"""What happens to an update's tasks once it may not be installed any more."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.rollout import ON_DEVICE, TaskStatus
from ptdash.models import Customer, Device, RolloutTask, User
from ptdash.services import audit


@dataclass(frozen=True)
class Installed:
    """A device that has the update already."""

    task_id: int
    device: str
    device_name: str
    customer: str
    customer_number: str
    status: TaskStatus
    installed_at: datetime
    by: str


@dataclass(frozen=True)
class Stopped:
    """How many tasks, devices and customers were stopped, and where the update is installed."""

    tasks: int
    devices: int
    customers: int
    installed: tuple[Installed, ...]


def stop_open(session: Session, update_id: int, *, why: str, now: datetime, actor: User | None) -> Stopped:
    """Stop every planned task of an update, with the reason; what is installed stays and is listed.

    The caller has ended the approval in the same transaction, so that nobody installs meanwhile.
    """
    session.flush()
    rows = list(
        session.execute(
            select(RolloutTask)
            .where(RolloutTask.update_id == update_id, RolloutTask.status == TaskStatus.PLANNED)
            .where(RolloutTask.stopped_at.is_(None))
            .order_by(RolloutTask.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).scalars()
    )
    stop(rows, why=why, now=now)
    session.flush()
    if rows:
        after = {"tasks": len(rows), "reason": why}
        actor_id = actor.id if actor else None
        audit.record(session, "stop_rollout", "update", update_id, actor_id=actor_id, now=now, after=after)
    return Stopped(
        tasks=len(rows),
        devices=len({row.device_id for row in rows}),
        customers=len({row.customer_id for row in rows}),
        installed=installed(session, update_id),
    )


def last_installed_at(session: Session, approval_id: int) -> datetime | None:
    """When an approval was made use of last: it does not end before."""
    last = select(func.max(RolloutTask.installed_at)).where(RolloutTask.approval_id == approval_id)
    return session.execute(last).scalar_one()


def stop(rows: list[RolloutTask], *, why: str, now: datetime) -> None:
    for row in rows:
        row.status, row.reason = TaskStatus.SKIPPED.value, why
        row.stopped_at = row.changed_at = now


def installed(session: Session, update_id: int) -> tuple[Installed, ...]:
    """Where an update is on a device, by customer and device."""
    rows = session.execute(
        select(RolloutTask, Device.inventory_number, Device.name, Customer.name, Customer.number, User.name)
        .join(Device, Device.id == RolloutTask.device_id)
        .join(Customer, Customer.id == RolloutTask.customer_id)
        .join(User, User.id == RolloutTask.installed_by_id)
        .where(RolloutTask.update_id == update_id, RolloutTask.status.in_(ON_DEVICE))
        .order_by(Customer.sort_key, Customer.id, Device.inventory_number)
    )
    return tuple(_installed(*row) for row in rows)


def _installed(task: RolloutTask, device: str, name: str, customer: str, number: str, by: str) -> Installed:
    assert task.installed_at is not None
    status = TaskStatus(task.status)
    return Installed(task.id, device, name, customer, number, status, task.installed_at, by)
