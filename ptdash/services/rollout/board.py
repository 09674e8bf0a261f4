"""The plan of a window: who has which devices on which day, and what did not fit before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from ptdash.domain.periods import next_month
from ptdash.domain.rollout import TaskStatus
from ptdash.domain.windows import Window
from ptdash.models import Customer, Device, MaintenanceWindow, Role, RolloutTask, User
from ptdash.services import settings, windows
from ptdash.services.rollout.placing import SERVER


@dataclass(frozen=True)
class Planned:
    """A device that is planned; `by_hand`: a manager put it there."""

    id: int
    inventory_number: str
    name: str
    server: bool
    active_station: bool
    tasks: Sequence[int]
    by_hand: bool
    again: bool


@dataclass(frozen=True)
class Visit:
    """A customer's devices on one day with one technician."""

    customer: str
    number: str
    devices: Sequence[Planned]

    @property
    def servers(self) -> int:
        return sum(device.server for device in self.devices)


@dataclass(frozen=True)
class Shift:
    """A technician's day. `technician` None: nobody in particular."""

    technician_id: int | None
    technician: str | None
    visits: Sequence[Visit]
    capacity: int

    @property
    def load(self) -> int:
        return len({device.id for visit in self.visits for device in visit.devices})

    @property
    def too_full(self) -> bool:
        return self.load > self.capacity


@dataclass(frozen=True)
class Board:
    """`late`: devices that did not fit into an earlier window; `targets`: the days a task can be moved to."""

    window: Window
    days: Sequence[tuple[date, Sequence[Shift]]]
    late: int
    targets: Sequence[date]
    technicians: Sequence[User]


def board(session: Session, month: date, today: date) -> Board:
    """What is planned in a month's window, day by day."""
    window = windows.of_month(session, month)
    capacity = int(settings.get(session, "rollout.per_day"))
    rows = list(_rows(session, month))
    days = []
    for day in window.days:
        of_day = [row for row in rows if row.planned_on == day]
        shifts = [
            Shift(technician, name, _visits(list(theirs)), capacity)
            for (name, technician), theirs in groupby(of_day, key=lambda row: (row.technician, row.technician_id))
        ]
        days.append((day, shifts))
    coming = windows.of_month(session, next_month(month)).days
    return Board(
        window=window,
        days=days,
        late=_late(session, month),
        targets=[day for day in (*window.days, *coming) if day >= today],
        technicians=_technicians(session),
    )


def _technicians(session: Session) -> Sequence[User]:
    found = select(User).where(User.role.in_((Role.TECHNICIAN, Role.MANAGER)), User.active).order_by(User.name)
    return session.execute(found).scalars().all()


def _rows(session: Session, month: date) -> Any:
    return session.execute(
        select(
            RolloutTask.planned_on,
            RolloutTask.technician_id,
            User.name.label("technician"),
            Customer.name.label("customer"),
            Customer.number,
            Device.id,
            Device.inventory_number,
            Device.name,
            (func.lower(Device.type) == SERVER).label("server"),
            Device.active_station,
            func.array_agg(RolloutTask.id).label("tasks"),
            func.bool_or(RolloutTask.moved_by_id.is_not(None)).label("by_hand"),
            func.bool_or(RolloutTask.follows_id.is_not(None)).label("again"),
        )
        .join(Device, Device.id == RolloutTask.device_id)
        .join(Customer, Customer.id == RolloutTask.customer_id)
        .outerjoin(User, User.id == RolloutTask.technician_id)
        .where(RolloutTask.window_month == month, RolloutTask.status == TaskStatus.PLANNED)
        .group_by(RolloutTask.planned_on, RolloutTask.technician_id, User.name, Customer.id, Device.id)
        .order_by(
            *(RolloutTask.planned_on, User.name.nulls_last(), RolloutTask.technician_id),
            *(Customer.sort_key, Customer.id, "server", Device.inventory_number),
        )
    )


def _visits(rows: Sequence[Any]) -> list[Visit]:
    visits = []
    for (number, customer), theirs in groupby(rows, key=lambda row: (row.number, row.customer)):
        devices = [
            Planned(row.id, row.inventory_number, row.name, row.server, row.active_station, row.tasks,
                    row.by_hand, row.again)
            for row in theirs
        ]  # fmt: skip
        visits.append(Visit(customer, number, devices))
    return visits


def _late(session: Session, month: date) -> int:
    """Devices that the planner put here although an earlier window was still ahead when their task was made."""
    ahead = and_(
        MaintenanceWindow.month < month,
        func.date(func.timezone("Europe/Berlin", RolloutTask.created_at))
        < MaintenanceWindow.days[func.cardinality(MaintenanceWindow.days)],
    )
    found = select(func.count(RolloutTask.device_id.distinct())).where(
        RolloutTask.window_month == month,
        RolloutTask.status == TaskStatus.PLANNED,
        RolloutTask.follows_id.is_(None),
        RolloutTask.moved_by_id.is_(None),
        select(MaintenanceWindow.month).where(ahead).correlate(RolloutTask).exists(),
    )
    return session.execute(found).scalar_one()


def is_ahead(session: Session, month: date, today: date) -> bool:
    """Whether a month's window has days left."""
    return any(day >= today for day in windows.of_month(session, month).days)
