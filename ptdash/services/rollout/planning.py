"""Planning: an approval makes a task for every covered device, and so does whatever covers a device later."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict, NotFound
from ptdash.domain.planner import Placement
from ptdash.models import UpdateApproval, User
from ptdash.services import audit
from ptdash.services.rollout import covering, placing
from ptdash.services.rollout.covering import New


class NotApproved(Conflict):
    message = "This update is not approved any more. Nothing was planned."


@dataclass(frozen=True)
class Planned:
    """What an approval set going. `days`: devices by day; `put_off`: devices that did not fit into the first
    window, by the month they wait for; `not_allowed`: devices that run the product, but may not get it."""

    tasks: int
    devices: int
    customers: int
    days: tuple[tuple[date, int], ...]
    put_off: tuple[tuple[date, int], ...]
    not_allowed: int


def plan_approved(
    session: Session, approval_id: int, *, today: date, now: datetime, actor: User | None
) -> Planned:
    """Tasks of an approved update for every covered device, each on a day of a coming window.

    Planning it twice makes nothing twice. Raises NotFound, NotApproved.
    """
    session.flush()
    placing.lock(session)
    approval = session.execute(
        select(UpdateApproval)
        .where(UpdateApproval.id == approval_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if approval is None:
        raise NotFound(what=str(approval_id))
    if approval.ended_at is not None:
        raise NotApproved()
    new = covering.missing(session, today, approval_id)
    places = placing.place(session, new, today=today, now=now)
    planned = _told(new, places, len(covering.not_allowed(session, today, approval_id)))
    if new:
        record(session, "plan", approval.update_id, new, places, actor_id=actor.id if actor else None, now=now)
    return planned


def record(
    session: Session,
    action: str,
    subject_id: int | str,
    new: Sequence[New],
    places: dict[int, Placement],
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    """One event for all tasks that were made together."""
    days = sorted({places[one.device_id].day for one in new})
    after = {"tasks": len(new), "first_day": days[0], "last_day": days[-1]}
    audit.record(session, action, "update", subject_id, actor_id=actor_id, now=now, after=after)


def _told(new: Sequence[New], places: dict[int, Placement], not_allowed: int) -> Planned:
    devices = {one.device_id for one in new}
    days = Counter(places[device].day for device in devices)
    late = Counter(places[device].month for device in devices if places[device].put_off)
    return Planned(
        tasks=len(new),
        devices=len(devices),
        customers=len({one.customer_id for one in new}),
        days=tuple(sorted(days.items())),
        put_off=tuple(sorted(late.items())),
        not_allowed=not_allowed,
    )
