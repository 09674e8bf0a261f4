"""What of the rollout waits for somebody: for the sidebar and the overview."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, ScalarSelect, cast, func, or_, select
from sqlalchemy import Date as SqlDate
from sqlalchemy.orm import Session

from ptdash.domain.rollout import TaskStatus
from ptdash.models import Role, RolloutTask, Update, UpdateCheck

DECIDE = (Role.TECHNICIAN, Role.MANAGER)


def open_today(today: date | BindParameter[date], me: Any = None) -> ScalarSelect[int]:
    """Asks how many devices are still to be done today, with what earlier days of the window left; `me`: of this
    technician and of nobody in particular."""
    found = select(func.count(RolloutTask.device_id.distinct())).where(
        RolloutTask.status == TaskStatus.PLANNED,
        RolloutTask.planned_on <= today,
        RolloutTask.window_month == cast(func.date_trunc("month", cast(today, SqlDate)), SqlDate),
        _of(me),
    )
    return found.scalar_subquery()


@dataclass(frozen=True)
class Waiting:
    """Devices to do today, updates whose check is to be done, updates whose approval is to be given, devices whose
    update was missed in the last window, and updates that are installed but not verified."""

    today: int
    checks: int
    approvals: int
    missed: int
    unverified: int

    @property
    def count(self) -> int:
        return sum(
            1 for number in (self.today, self.checks, self.approvals, self.missed, self.unverified) if number
        )


def needed(session: Session, today: date, me: int | None, role: str) -> Waiting:
    """What needs somebody of a role now, from one query; `me`: only this technician's devices. Checks and
    approvals are for those who give them."""
    passed = (
        select(UpdateCheck.id)
        .where(
            UpdateCheck.update_id == Update.id,
            UpdateCheck.result == "passed",
            UpdateCheck.version == Update.version,
        )
        .exists()
    )
    unchecked = select(func.count(Update.id)).where(Update.state.in_(("detected", "in_test")), ~passed)
    unapproved = select(func.count(Update.id)).where(Update.state == "in_test", passed)
    missed = select(func.count(RolloutTask.device_id.distinct())).where(
        RolloutTask.status == TaskStatus.PLANNED, RolloutTask.follows_id.is_not(None), _of(me)
    )
    unverified = select(func.count(RolloutTask.device_id.distinct())).where(
        RolloutTask.status.in_((TaskStatus.INSTALLED, TaskStatus.REBOOT_PENDING)), _of(me)
    )
    row = session.execute(
        select(
            open_today(today, me),
            *(part.scalar_subquery() for part in (unchecked, unapproved, missed, unverified)),
        )
    ).one()
    found = Waiting(*row)
    return found if role in DECIDE else replace(found, checks=0, approvals=0, unverified=0)


def planned(session: Session, days: Collection[date], me: int | None) -> tuple[int, int]:
    """How many devices of how many customers are planned on these days."""
    row = session.execute(
        select(func.count(RolloutTask.device_id.distinct()), func.count(RolloutTask.customer_id.distinct())).where(
            RolloutTask.planned_on.in_(days), RolloutTask.status == TaskStatus.PLANNED, _of(me)
        )
    ).one()
    return row[0], row[1]


@dataclass(frozen=True)
class Progress:
    """Update tasks of a window, without those that do not apply: installed ones, failed ones, all of them."""

    done: int
    failed: int
    total: int


def progress(session: Session, days: Collection[date], me: int | None) -> Progress:
    """How far the window with these days is; `me`: only this technician's devices and nobody's."""
    done = RolloutTask.status.in_((TaskStatus.INSTALLED, TaskStatus.REBOOT_PENDING, TaskStatus.VERIFIED))
    failed = RolloutTask.status.in_((TaskStatus.FAILED, TaskStatus.ROLLED_BACK))
    row = session.execute(
        select(func.count().filter(done), func.count().filter(failed), func.count()).where(
            RolloutTask.planned_on.in_(days), RolloutTask.status != TaskStatus.NOT_APPLICABLE, _of(me)
        )
    ).one()
    return Progress(*row)


def by_day(session: Session, days: Collection[date], me: int | None) -> dict[date, tuple[int, int]]:
    """How many devices of how many customers are planned on each of these days."""
    rows = session.execute(
        select(
            RolloutTask.planned_on,
            func.count(RolloutTask.device_id.distinct()),
            func.count(RolloutTask.customer_id.distinct()),
        )
        .where(RolloutTask.planned_on.in_(days), RolloutTask.status == TaskStatus.PLANNED, _of(me))
        .group_by(RolloutTask.planned_on)
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def personal(role: str, user_id: int) -> int | None:
    """Technicians see their own devices and nobody's, everybody else all of them."""
    return user_id if role == Role.TECHNICIAN else None


def _of(me: Any) -> ColumnElement[bool]:
    if me is None:
        return RolloutTask.id.is_not(None)
    return or_(RolloutTask.technician_id == me, RolloutTask.technician_id.is_(None))
