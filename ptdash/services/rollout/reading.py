"""What the day list shows: the devices of a day by customer, each with its next step."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from ptdash.domain.periods import BERLIN, month_of, next_month
from ptdash.domain.rollout import TRIED_AGAIN, TaskStatus, to_be_done
from ptdash.domain.windows import Window
from ptdash.models import AuditEvent, Contract, Customer, Device, RolloutTask, Update, UpdateApproval, User
from ptdash.services import windows
from ptdash.services.bulk import among
from ptdash.services.rollout.placing import SERVER

UNDO_SHOWN = 5
# The next step is the one that most of the way is behind: what is planned is installed before what is installed is
# checked.
NEXT = {
    TaskStatus.PLANNED: TaskStatus.INSTALLED,
    TaskStatus.INSTALLED: TaskStatus.VERIFIED,
    TaskStatus.REBOOT_PENDING: TaskStatus.VERIFIED,
}
DEVIATIONS = {
    TaskStatus.PLANNED: (
        TaskStatus.FAILED,
        TaskStatus.SKIPPED,
        TaskStatus.MISSED,
        TaskStatus.NOT_APPLICABLE,
    ),
    TaskStatus.INSTALLED: (TaskStatus.REBOOT_PENDING, TaskStatus.FAILED, TaskStatus.ROLLED_BACK),
    TaskStatus.REBOOT_PENDING: (TaskStatus.FAILED, TaskStatus.ROLLED_BACK),
    TaskStatus.VERIFIED: (TaskStatus.ROLLED_BACK,),
    TaskStatus.FAILED: (TaskStatus.PLANNED,),
    TaskStatus.SKIPPED: (TaskStatus.PLANNED,),
    TaskStatus.MISSED: (TaskStatus.PLANNED,),
    TaskStatus.NOT_APPLICABLE: (TaskStatus.PLANNED,),
}


@dataclass(frozen=True)
class Line:
    """One update on a device; `task` has the columns of `RolloutTask`.

    What follows from it is asked many times while a page is written, and found once.
    """

    task: Any
    update: Update
    approval: UpdateApproval
    by: str | None

    @cached_property
    def status(self) -> TaskStatus:
        return TaskStatus(self.task.status)

    @cached_property
    def stopped(self) -> bool:
        return self.task.stopped_at is not None

    @cached_property
    def to_be_done(self) -> str | None:
        return to_be_done(self.status, self.approval.ended_by, self.approval.end_instruction)

    @cached_property
    def what(self) -> str:
        """`Windows 11 KB5068861`."""
        return f"{self.update.title} {self.update.kb_number or self.update.version}"


@dataclass(frozen=True)
class DeviceRow:
    """A device with its updates of the day."""

    device: Device
    lines: Sequence[Line]

    @cached_property
    def stage(self) -> TaskStatus:
        """Where the device stands: at the first thing that is still to be done, else at its worst result."""
        live = [line.status for line in self.lines if not line.stopped] or [TaskStatus.SKIPPED]
        order = (*NEXT, TaskStatus.FAILED, TaskStatus.ROLLED_BACK, TaskStatus.MISSED, TaskStatus.SKIPPED)
        return next((status for status in order if status in live), live[0])

    @cached_property
    def at_stage(self) -> list[Line]:
        stage = self.stage
        return [line for line in self.lines if line.status is stage and not line.stopped]

    @cached_property
    def next_step(self) -> TaskStatus | None:
        return NEXT.get(self.stage) if self.at_stage else None

    @cached_property
    def deviations(self) -> tuple[TaskStatus, ...]:
        followed = any(line.task.followed for line in self.at_stage)
        return DEVIATIONS.get(self.stage, ()) if self.at_stage and not followed else ()

    @cached_property
    def locked(self) -> bool:
        """An active station whose procedure nobody has confirmed yet."""
        waits = any(line.task.acknowledged_at is None for line in self.at_stage)
        return self.device.active_station and self.stage is TaskStatus.PLANNED and waits

    @cached_property
    def mixed(self) -> bool:
        return len({(line.status, line.stopped) for line in self.lines}) > 1

    @cached_property
    def done(self) -> bool:
        return self.next_step is None

    @cached_property
    def failed(self) -> bool:
        return any(line.status in (TaskStatus.FAILED, TaskStatus.ROLLED_BACK) for line in self.lines)

    @cached_property
    def newest(self) -> Line:
        """The line whose change was the last: it says when and by whom."""
        return max(self.lines, key=lambda line: (line.task.changed_at, line.task.id))


@dataclass(frozen=True)
class CustomerGroup:
    """A customer's devices of the day, under one contract."""

    customer: Customer
    contract: Contract
    rows: Sequence[DeviceRow]

    @cached_property
    def done(self) -> int:
        return sum(row.done for row in self.rows)

    @cached_property
    def procedure(self) -> list[str]:
        """The contract's procedure for active stations, step by step."""
        return [step.strip() for step in self.contract.active_station_procedure.splitlines() if step.strip()]

    @cached_property
    def stations(self) -> list[DeviceRow]:
        return [row for row in self.rows if row.device.active_station]

    @cached_property
    def unread(self) -> bool:
        return any(row.locked for row in self.rows)

    @cached_property
    def read_at(self) -> datetime | None:
        """When the procedure was confirmed last."""
        times = [line.task.acknowledged_at for row in self.stations for line in row.lines]
        return max((at for at in times if at), default=None)

    def ready(self, step: TaskStatus) -> list[int]:
        """The tasks of this customer that could take a step now, all together."""
        rows = [row for row in self.rows if row.next_step is step and not row.locked]
        return [line.task.id for row in rows for line in row.at_stage]


@dataclass(frozen=True)
class DayPage:
    """A day of the rollout. `days`: the days of its window with the devices that are left on each."""

    day: date
    window: Window
    groups: Sequence[CustomerGroup]
    days: Sequence[tuple[date, int]]
    next_day: date | None

    @cached_property
    def rows(self) -> list[DeviceRow]:
        return [row for group in self.groups for row in group.rows]

    def count(self, *stages: TaskStatus) -> int:
        return sum(row.stage in stages for row in self.rows)


def day_page(session: Session, day: date, *, today: date, mine: int | None) -> DayPage:
    """The devices of a day by customer: workstations first, servers last; today also what earlier days of the
    window left. `mine`: only this technician's and what is nobody's."""
    which = and_(_of_day(day, today), _of(mine))
    return DayPage(
        day=day,
        window=windows.of_month(session, month_of(day)),
        groups=_groups(_lines(session, which)),
        days=_days(session, day, mine),
        next_day=_next_day(session, day, mine),
    )


def device_row(session: Session, device_id: int, day: date, *, today: date) -> DeviceRow | None:
    """One device of a day."""
    found = _groups(_lines(session, and_(_of_day(day, today), RolloutTask.device_id == device_id)))
    return found[0].rows[0] if found else None


def recent(session: Session, actor_id: int, now: datetime) -> Sequence[AuditEvent]:
    """A person's last ticks, each of which can be taken back, the newest first."""
    found = (
        select(AuditEvent)
        .where(AuditEvent.action == "tick", AuditEvent.subject == "rollout", AuditEvent.actor_id == actor_id)
        .where(AuditEvent.at > now - timedelta(hours=12))
        .order_by(AuditEvent.id.desc())
        .limit(UNDO_SHOWN)
    )
    return session.execute(found).scalars().all()


def reboots(session: Session, device_ids: Sequence[int]) -> dict[int, datetime]:
    """The devices that wait for a reboot, since when. It is the device's: no other update's failure ends it."""
    found = (
        select(RolloutTask.device_id, func.min(RolloutTask.changed_at))
        .where(RolloutTask.device_id.in_(device_ids), RolloutTask.status == TaskStatus.REBOOT_PENDING)
        .group_by(RolloutTask.device_id)
    )
    return {row[0]: row[1] for row in session.execute(found)}


def managers(session: Session) -> Sequence[User]:
    """Who can allow an emergency."""
    found = select(User).where(User.role == "manager", User.active).order_by(User.name)
    return session.execute(found).scalars().all()


def _of(mine: int | None) -> ColumnElement[bool]:
    if mine is None:
        return RolloutTask.id.is_not(None)
    return or_(RolloutTask.technician_id == mine, RolloutTask.technician_id.is_(None))


def _of_day(day: date, today: date) -> ColumnElement[bool]:
    planned = RolloutTask.planned_on == day
    if day != today:
        return planned
    begins = datetime.combine(day, time(), BERLIN)
    left = and_(
        RolloutTask.window_month == month_of(day),
        RolloutTask.planned_on < day,
        RolloutTask.status == TaskStatus.PLANNED,
    )
    unchecked = RolloutTask.status.in_((TaskStatus.INSTALLED, TaskStatus.REBOOT_PENDING))
    done_today = and_(
        RolloutTask.changed_at >= begins,
        RolloutTask.changed_at < begins + timedelta(days=1),
        RolloutTask.status.not_in((TaskStatus.PLANNED, *TRIED_AGAIN)),
    )
    return or_(planned, left, unchecked, done_today)


def _lines(session: Session, which: ColumnElement[bool]) -> Sequence[Any]:
    """Task, device, customer, contract, update, its approval, and who did it last; what many tasks share is
    loaded once."""
    installed_by, verified_by = aliased(User), aliased(User)
    rows = session.execute(
        select(*RolloutTask.__table__.c, func.coalesce(verified_by.name, installed_by.name).label("by"))
        .join(Device, Device.id == RolloutTask.device_id)
        .join(Customer, Customer.id == RolloutTask.customer_id)
        .join(Contract, Contract.id == RolloutTask.contract_id)
        .outerjoin(installed_by, installed_by.id == RolloutTask.installed_by_id)
        .outerjoin(verified_by, verified_by.id == RolloutTask.verified_by_id)
        .where(which)
        .order_by(
            *(Customer.sort_key, Customer.id, Contract.id, func.lower(Device.type) == SERVER),
            *(Device.active_station.desc(), Device.inventory_number, RolloutTask.id),
        )
    ).all()
    devices = _by_id(session, Device, {task.device_id for task in rows})
    customers = _by_id(session, Customer, {task.customer_id for task in rows})
    contracts = _by_id(session, Contract, {task.contract_id for task in rows})
    updates = _by_id(session, Update, {task.update_id for task in rows})
    approvals = _by_id(session, UpdateApproval, {task.approval_id for task in rows})
    return [
        (
            *(task, devices[task.device_id], customers[task.customer_id], contracts[task.contract_id]),
            *(updates[task.update_id], approvals[task.approval_id], task.by),
        )
        for task in rows
    ]


def _by_id(session: Session, model: Any, ids: Collection[int]) -> dict[int, Any]:
    found = select(model).where(among(model.id, ids)).execution_options(populate_existing=True)
    return {row.id: row for row in session.execute(found).scalars()}


def _groups(rows: Sequence[Any]) -> list[CustomerGroup]:
    groups = []
    for _, of_contract in groupby(rows, key=lambda row: row[3].id):
        entries = list(of_contract)
        devices = []
        for _, of_device in groupby(entries, key=lambda row: row[1].id):
            lines = list(of_device)
            devices.append(DeviceRow(lines[0][1], [Line(row[0], *row[4:]) for row in lines]))
        groups.append(CustomerGroup(entries[0][2], entries[0][3], devices))
    return groups


def _days(session: Session, day: date, mine: int | None) -> list[tuple[date, int]]:
    """The days of the month's window, or of the next one's once it is over."""
    found = windows.of_month(session, month_of(day))
    if day > found.days[-1]:
        found = windows.of_month(session, next_month(month_of(day)))
    rows = session.execute(
        select(RolloutTask.planned_on, func.count(RolloutTask.device_id.distinct()))
        .where(RolloutTask.window_month == found.month, RolloutTask.status == TaskStatus.PLANNED, _of(mine))
        .group_by(RolloutTask.planned_on)
    )
    left = {row[0]: row[1] for row in rows}
    return [(day, left.get(day, 0)) for day in found.days]


def _next_day(session: Session, day: date, mine: int | None) -> date | None:
    """The next day on which something is planned."""
    found = select(func.min(RolloutTask.planned_on)).where(
        RolloutTask.planned_on > day, RolloutTask.status == TaskStatus.PLANNED, _of(mine)
    )
    return session.execute(found).scalar_one()


def months_with_work(session: Session, today: date) -> list[date]:
    """The windows from this month on in which work is planned, at least the present and the next one."""
    found = select(RolloutTask.window_month).where(
        RolloutTask.window_month >= month_of(today), RolloutTask.status == TaskStatus.PLANNED
    )
    months = set(session.execute(found.distinct()).scalars())
    return sorted(months | {month_of(today), next_month(month_of(today))})
