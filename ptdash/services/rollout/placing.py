"""Tasks into the days of the coming windows: the stored side of the planner."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ptdash.domain import planner
from ptdash.domain.periods import month_of, next_month
from ptdash.domain.planner import Job, Open, Placement, Taken
from ptdash.domain.rollout import TaskStatus
from ptdash.domain.windows import first_plannable
from ptdash.models import Device, Role, RolloutTask, Update, User
from ptdash.services import settings, windows
from ptdash.services.bulk import among, insert_rows
from ptdash.services.rollout.covering import New

# One planner at a time: whoever plans sees what stands on the days already.
PLANNER_LOCK = 7_367_015
RANKS = {"critical": 0, "important": 1, "moderate": 2, "low": 3}
SERVER = "server"


@dataclass(frozen=True)
class Free:
    """A planned task that may get another day: nobody put it where it is, and its day is still to come."""

    id: int
    device_id: int
    customer_id: int
    month: date
    day: date
    technician_id: int | None
    severity: str


@dataclass(frozen=True)
class Known:
    """What decides where a device is placed."""

    server: bool
    ranks: list[int]


def lock(session: Session) -> None:
    session.execute(select(func.pg_advisory_xact_lock(PLANNER_LOCK)))


def place(session: Session, new: Sequence[New], *, today: date, now: datetime) -> dict[int, Placement]:
    """Make these tasks and find a day for each; what the same customers have planned already may move with them,
    so that their devices stay together and their servers last. By device, where it stands now.

    The caller holds `lock`, and the approvals in share.
    """
    if not new:
        return {}
    first = first_plannable(today, now)
    free = _free(session, {one.customer_id for one in new}, first)
    taken = _taken(session, first, {one.id for one in free})
    found = planner.plan(
        _jobs(session, new, free),
        taken,
        _windows(session, first),
        technicians(session),
        int(settings.get(session, "rollout.per_day")),
    )
    places = {placement.device: placement for placement in found}
    for month in sorted({placement.month for placement in found}):
        windows.keep(session, month, now=now)
    _write(session, new, places, now)
    _move(session, free, places, now)
    return places


def technicians(session: Session) -> Sequence[int | None]:
    """Who gets work: the active technicians; nobody in particular while there is none."""
    found = select(User.id).where(User.role == Role.TECHNICIAN, User.active).order_by(User.id)
    return list(session.execute(found).scalars()) or [None]


def _windows(session: Session, first: date) -> Iterator[Open]:
    month = month_of(first)
    while True:
        days = windows.of_month(session, month).still_ahead(first)
        if days:
            yield Open(month, days)
        month = next_month(month)


def _jobs(session: Session, new: Sequence[New], free: Sequence[Free]) -> list[Job]:
    which = among(Update.id, {one.update_id for one in new})
    severity = {row.id: row.severity for row in session.execute(select(Update.id, Update.severity).where(which))}
    customers: dict[int, int] = {}
    ranks: defaultdict[int, list[int]] = defaultdict(list)
    for one in new:
        customers[one.device_id] = one.customer_id
        ranks[one.device_id].append(RANKS[severity[one.update_id]])
    for task in free:
        customers[task.device_id] = task.customer_id
        ranks[task.device_id].append(RANKS[task.severity])
    servers = _servers(session, customers)
    return [
        Job(device, customer, server=device in servers, rank=min(ranks[device]))
        for device, customer in sorted(customers.items())
    ]


def _servers(session: Session, device_ids: Collection[int]) -> set[int]:
    which = select(Device.id).where(among(Device.id, device_ids), func.lower(Device.type) == SERVER)
    return set(session.execute(which).scalars())


def _free(session: Session, customer_ids: Collection[int], first: date) -> list[Free]:
    """Locked, so that nobody ticks off what is being moved."""
    rows = session.execute(
        select(
            RolloutTask.id,
            RolloutTask.device_id,
            RolloutTask.customer_id,
            RolloutTask.window_month,
            RolloutTask.planned_on,
            RolloutTask.technician_id,
            Update.severity,
        )
        .join(Update, Update.id == RolloutTask.update_id)
        .where(among(RolloutTask.customer_id, customer_ids), *_planned(first))
        .where(RolloutTask.moved_by_id.is_(None), RolloutTask.acknowledged_at.is_(None))
        .order_by(RolloutTask.id)
        .with_for_update(of=RolloutTask)
    )
    return [Free(*row) for row in rows]


def _taken(session: Session, first: date, except_ids: Collection[int]) -> list[Taken]:
    rows = session.execute(
        select(
            RolloutTask.device_id,
            RolloutTask.customer_id,
            RolloutTask.planned_on,
            RolloutTask.technician_id,
            func.lower(Device.type) == SERVER,
        )
        .join(Device, Device.id == RolloutTask.device_id)
        .where(*_planned(first), ~among(RolloutTask.id, except_ids))
        .distinct()
        .order_by(RolloutTask.device_id, RolloutTask.planned_on, RolloutTask.technician_id)
    )
    return [Taken(*row) for row in rows]


def _planned(first: date) -> tuple[Any, ...]:
    return (
        RolloutTask.status == TaskStatus.PLANNED,
        RolloutTask.stopped_at.is_(None),
        RolloutTask.planned_on >= first,
    )


def _write(session: Session, new: Sequence[New], places: dict[int, Placement], now: datetime) -> None:
    followed = [one.follows_id for one in new if one.follows_id]
    if followed:
        session.execute(
            update(RolloutTask).where(among(RolloutTask.id, followed)).values(followed=True, changed_at=now)
        )
    rows = []
    for one in new:
        place = places[one.device_id]
        rows.append(
            vars(one) | {"window_month": place.month, "planned_on": place.day, "technician_id": place.technician}
        )
    insert_rows(session, RolloutTask, rows, created_at=now, changed_at=now)


def _move(session: Session, free: Sequence[Free], places: dict[int, Placement], now: datetime) -> None:
    moved = []
    for task in free:
        place = places[task.device_id]
        if (task.month, task.day, task.technician_id) != (place.month, place.day, place.technician):
            values = {"window_month": place.month, "planned_on": place.day, "technician_id": place.technician}
            moved.append({"id": task.id, "changed_at": now} | values)
    if moved:
        session.execute(update(RolloutTask), moved)
