"""An update as its page tells it: checks with evidence, approvals, other versions, where it is installed."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, bindparam, or_, select, text
from sqlalchemy.orm import Session, aliased

from ptdash.domain.acceptance import ItemState
from ptdash.domain.errors import NotFound
from ptdash.domain.matrix import Tally
from ptdash.domain.rollout import TaskStatus
from ptdash.domain.updates import ENDED, Result, State
from ptdash.models import (
    AuditEvent,
    Customer,
    Device,
    Product,
    RolloutTask,
    StoredFile,
    Update,
    UpdateApproval,
    UpdateCheck,
    UpdateCheckResult,
    UpdateProduct,
    User,
)
from ptdash.services.bulk import among
from ptdash.services.rollout import stopping
from ptdash.services.rollout.stopping import Installed
from ptdash.services.updates import approving, checking, entering
from ptdash.services.updates.matrix_sql import TASKS

MOST_EVENTS = 200


@dataclass(frozen=True)
class Check:
    """One check of ours, with its points and its evidence."""

    check: UpdateCheck
    tester: str
    points: list[UpdateCheckResult]
    files: list[StoredFile]

    @property
    def result(self) -> Result:
        return Result(self.check.result)

    def number(self, state: ItemState) -> int:
        return sum(point.state == state.value for point in self.points)

    @property
    def answered(self) -> int:
        return len(self.points) - self.number(ItemState.OPEN)

    @property
    def failed(self) -> list[UpdateCheckResult]:
        return [point for point in self.points if point.state == ItemState.FAILED.value]


@dataclass(frozen=True)
class Approval:
    approval: UpdateApproval
    approver: str
    ender: str | None


@dataclass(frozen=True)
class Spread:
    """How far an update is at one customer."""

    number: str
    name: str
    tasks: Tally


@dataclass(frozen=True)
class Event:
    action: str
    at: datetime
    by: str | None
    after: dict[str, Any]


@dataclass(frozen=True)
class Page:
    """`installed` is told of an update whose approval ended: there somebody has to decide what to do."""

    update: Update
    state: State
    creator: str | None
    products: list[Product]
    checks: list[Check]
    approvals: list[Approval]
    older: list[Update]
    newer: list[Update]
    successor: Update | None
    spread: list[Spread]
    installed: tuple[Installed, ...]
    events: list[Event]
    four_eyes: bool

    @property
    def running(self) -> Check | None:
        return next((one for one in self.checks if one.result is Result.PENDING), None)

    @property
    def newest(self) -> Check | None:
        """The newest finished check."""
        return next((one for one in self.checks if one.result is not Result.PENDING), None)

    @property
    def passed(self) -> Check | None:
        """The check that an approval would rest on."""
        newest = self.newest
        fits = newest and newest.result is Result.PASSED and newest.check.version == self.update.version
        return newest if fits and not self.running else None

    @property
    def total(self) -> Tally:
        tasks = [one.tasks for one in self.spread]
        return Tally(sum(t.todo for t in tasks), sum(t.done for t in tasks), sum(t.failed for t in tasks))


def page(session: Session, update_id: int, today: date) -> Page:
    """Raises NotFound."""
    update = entering.get(session, update_id)
    state = entering.state_of(update, today)
    ended = state in (State.WITHDRAWN, State.SUPERSEDED)
    creator = session.get(User, update.created_by_id) if update.created_by_id else None
    successor = session.get(Update, update.superseded_by_id) if update.superseded_by_id else None
    return Page(
        update=update,
        state=state,
        creator=creator.name if creator else None,
        products=_products(session, update_id),
        checks=checks(session, update_id),
        approvals=_approvals(session, update_id),
        older=approving.older_versions(session, update, today) if state not in ENDED else [],
        newer=approving.newer_versions(session, update) if state not in ENDED else [],
        successor=successor,
        spread=_spread(session, update_id),
        installed=stopping.installed(session, update_id) if ended else (),
        events=_events(session, update_id),
        four_eyes=approving.four_eyes(session),
    )


def checks(session: Session, update_id: int) -> list[Check]:
    """The checks of an update, the newest first."""
    rows = session.execute(
        select(UpdateCheck, User.name)
        .join(User, User.id == UpdateCheck.tester_id)
        .where(UpdateCheck.update_id == update_id)
        .order_by(UpdateCheck.n.desc())
        .execution_options(populate_existing=True)
    ).all()
    ids = [check.id for check, _ in rows]
    points: defaultdict[int, list[UpdateCheckResult]] = defaultdict(list)
    for point in checking.results_of(session, ids):
        points[point.check_id].append(point)
    files: defaultdict[int, list[StoredFile]] = defaultdict(list)
    for check_id, file in checking.files_of(session, ids):
        files[check_id].append(file)
    return [Check(check, tester, points[check.id], files[check.id]) for check, tester in rows]


def _products(session: Session, update_id: int) -> list[Product]:
    rows = (
        select(Product)
        .join(UpdateProduct, UpdateProduct.product_id == Product.id)
        .where(UpdateProduct.update_id == update_id)
        .order_by(Product.key)
    )
    return list(session.execute(rows).scalars())


def _approvals(session: Session, update_id: int) -> list[Approval]:
    """The newest first."""
    approver, ender = aliased(User), aliased(User)
    rows = session.execute(
        select(UpdateApproval, approver.name, ender.name)
        .join(approver, approver.id == UpdateApproval.approved_by_id)
        .outerjoin(ender, ender.id == UpdateApproval.ended_by_id)
        .where(UpdateApproval.update_id == update_id)
        .order_by(UpdateApproval.id.desc())
        .execution_options(populate_existing=True)
    )
    return [Approval(*row) for row in rows]


def _spread(session: Session, update_id: int) -> list[Spread]:
    """By customer, in the order of their names."""
    tallies = {row.customer_id: row for row in session.execute(TASKS, {"updates": [update_id]})}
    customers = session.execute(
        select(Customer).where(Customer.id.in_(tallies)).order_by(Customer.sort_key, Customer.number)
    ).scalars()
    return [
        Spread(
            customer.number,
            customer.name,
            Tally(row.todo, row.done, row.failed, row.next_day),
        )
        for customer in customers
        if (row := tallies[customer.id])
    ]


def _events(session: Session, update_id: int) -> list[Event]:
    """What became of an update, the newest first."""
    rows = session.execute(
        select(AuditEvent.action, AuditEvent.at, User.name, AuditEvent.after)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .where(AuditEvent.subject == "update", AuditEvent.subject_id == str(update_id))
        .where(AuditEvent.action.not_in(["answer", "attach", "detach"]))
        .order_by(AuditEvent.id.desc())
        .limit(MOST_EVENTS)
    )
    return [Event(action, at, by, after or {}) for action, at, by, after in rows]


@dataclass(frozen=True)
class DeviceLine:
    """A device of a customer that an update concerns; without a task where none was made for it. `may_get`: bought
    from us, offered by us, or agreed on."""

    device: Device
    task: RolloutTask | None
    installed_by: str | None
    technician: str | None
    may_get: bool

    @property
    def status(self) -> TaskStatus | None:
        return TaskStatus(self.task.status) if self.task else None


@dataclass(frozen=True)
class CustomerCell:
    update: Update
    state: State
    customer: Customer
    lines: list[DeviceLine]


RUNNING = text("""
    SELECT cd.device_id, bool_or(dp.source = 'ours' OR p.offered_by_us OR EXISTS (
        SELECT FROM software_agreements s WHERE s.contract_id = c.id AND fold(btrim(s.product)) = p.key
    )) AS may_get
    FROM update_products up
    JOIN products p ON p.id = up.product_id
    JOIN device_products dp ON dp.product_id = up.product_id
    JOIN contract_devices cd ON cd.device_id = dp.device_id AND cd.life @> CAST(:today AS date)
    JOIN contracts c ON c.id = cd.contract_id AND c.kind = 'maintenance' AND c.life @> CAST(:today AS date)
    WHERE up.update_id = :update AND c.customer_id = :customer
    GROUP BY cd.device_id
""").bindparams(bindparam("today", type_=Date()))


def customer_cell(session: Session, update_id: int, number: str, today: date) -> CustomerCell:
    """The devices behind a cell of the matrix. Raises NotFound."""
    update = entering.get(session, update_id)
    customer = session.execute(select(Customer).where(Customer.number == number)).scalar_one_or_none()
    if customer is None:
        raise NotFound(what=number)
    given = {"update": update_id, "customer": customer.id, "today": today}
    may_get = {row.device_id: row.may_get for row in session.execute(RUNNING, given)}
    tasks = _tasks(session, update_id, customer.id)
    devices = session.execute(
        select(Device)
        .where(among(Device.id, may_get.keys() | tasks.keys()))
        .where(or_(Device.retired_on.is_(None), Device.retired_on > today, Device.id.in_(tasks)))
        .order_by(Device.inventory_number)
    ).scalars()
    nothing = (None, None, None)
    lines = [
        DeviceLine(device, *tasks.get(device.id, nothing), may_get=may_get.get(device.id, False))
        for device in devices
    ]
    return CustomerCell(update, entering.state_of(update, today), customer, lines)


TaskLine = tuple[RolloutTask | None, str | None, str | None]


def _tasks(session: Session, update_id: int, customer_id: int) -> dict[int, TaskLine]:
    """The task of each device that is not followed by another; a stopped one where there is no other."""
    installer, technician = aliased(User), aliased(User)
    rows = session.execute(
        select(RolloutTask, installer.name, technician.name)
        .outerjoin(installer, installer.id == RolloutTask.installed_by_id)
        .outerjoin(technician, technician.id == RolloutTask.technician_id)
        .where(RolloutTask.update_id == update_id, RolloutTask.customer_id == customer_id)
        .where(~RolloutTask.followed)
        .order_by(RolloutTask.stopped_at.is_(None), RolloutTask.id)
        .execution_options(populate_existing=True)
    )
    found: dict[int, TaskLine] = {}
    for task, by, who in rows:
        found[task.device_id] = (task, by, who)
    return found
