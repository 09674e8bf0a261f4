"""What is decided about an update: approved, rejected, deferred, superseded by a newer one, withdrawn.

Each decision can be rehearsed: the same code, taken back again, says what it would do.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ptdash.domain.errors import Conflict
from ptdash.domain.updates import (
    State,
    check_approval,
    check_deferral,
    check_reason,
    check_step,
    closes,
)
from ptdash.models import Update, UpdateApproval, UpdateProduct, User
from ptdash.services import audit, settings
from ptdash.services.rollout import planning, stopping
from ptdash.services.rollout.planning import Planned
from ptdash.services.rollout.stopping import Stopped
from ptdash.services.updates import checking, entering
from ptdash.services.updates.entering import Entry, FieldTooLong

T = TypeVar("T")
MOST_INSTRUCTION = 2000


class SupersededByItself(Conflict):
    message = "An update does not supersede itself."


class SuccessorEnded(Conflict):
    message = "%(title)s %(version)s is %(state)s itself: it supersedes nothing."


@dataclass(frozen=True)
class Closed:
    """An update that came to its end, and of an approved one what that meant for its tasks."""

    update_id: int
    title: str
    version: str
    stopped: Stopped | None = None


@dataclass(frozen=True)
class Approved:
    """An approval, what was planned for it, and the older versions that it closed."""

    approval: UpdateApproval
    planned: Planned
    closed: list[Closed]


def rehearse(session: Session, decide: Callable[[], T]) -> T:
    """What a decision would do, by the same code: everything it wrote is taken back."""
    session.flush()
    nested = session.begin_nested()
    try:
        return decide()
    finally:
        nested.rollback()


def four_eyes(session: Session) -> bool:
    """Whether tester and approver differ."""
    return settings.get(session, "four_eyes") != "no"


def approve(
    session: Session,
    update_id: int,
    *,
    note: str = "",
    closing: Collection[int] | None = None,
    today: date,
    actor_id: int,
    now: datetime,
) -> Approved:
    """Approve an update on its newest check, plan it for every device that may get it, and close its older
    versions (or those of them in `closing`).

    Raises NotFound, StepRefused, CheckRuns, NotChecked, OwnTestApproved.
    """
    older = [row.id for row in older_versions(session, entering.get(session, update_id), today)]
    to_close = sorted(set(older) if closing is None else set(closing) & set(older))
    _lock(session, [update_id, *to_close])
    update = entering.locked(session, update_id, today)
    check_step(State(update.state), State.APPROVED)
    running = checking.pending(session, update_id)
    if running is not None:
        raise entering.CheckRuns(version=running.version)
    check = checking.newest_finished(session, update_id)
    eyes = four_eyes(session)
    check_approval(update.version, checking.as_checked(check), approver_id=actor_id, four_eyes=eyes)
    assert check is not None  # the rule refuses otherwise
    approval = UpdateApproval(
        update_id=update_id,
        check_id=check.id,
        # The check may have been finished in the same moment, by a clock that is a little ahead.
        approved_at=max(now, check.finished_at or now),
        approved_by_id=actor_id,
        four_eyes=eyes,
        note=note.strip(),
    )
    update.state = State.APPROVED.value
    session.add(approval)
    session.flush()
    after = {"version": update.version, "check": check.n, "four_eyes": eyes, "note": approval.note}
    audit.record(session, "approve", "update", update_id, actor_id=actor_id, now=now, after=after)
    closed = [supersede(session, old, update_id, today=today, actor_id=actor_id, now=now) for old in to_close]
    planned = _plan(session, approval.id, today=today, now=now, actor_id=actor_id)
    return Approved(approval, planned, closed)


def reject(session: Session, update_id: int, reason: str, *, today: date, actor_id: int, now: datetime) -> Update:
    """Decide that an update is not installed. Raises NotFound, StepRefused, ReasonMissing."""
    update = entering.locked(session, update_id, today)
    check_step(State(update.state), State.REJECTED)
    reason = check_reason(reason)
    _end(session, update, State.REJECTED, reason, actor_id, now)
    after = {"version": update.version, "reason": reason}
    audit.record(session, "reject", "update", update_id, actor_id=actor_id, now=now, after=after)
    return update


def defer(
    session: Session,
    update_id: int,
    until: date | None,
    reason: str = "",
    *,
    today: date,
    actor_id: int,
    now: datetime,
) -> Update:
    """Put an update off until a day; on that day it is back where it was, by itself.

    Raises NotFound, StepRefused, DayNotAhead.
    """
    update = entering.locked(session, update_id, today)
    check_step(State(update.state), State.DEFERRED)
    until = check_deferral(until, today)
    update.deferred_from, update.state = update.state, State.DEFERRED.value
    update.deferred_until, update.reason = until, reason.strip()
    session.flush()
    after = {"until": until, "reason": update.reason}
    audit.record(session, "defer", "update", update_id, actor_id=actor_id, now=now, after=after)
    return update


def take_up(session: Session, update_id: int, *, today: date, actor_id: int, now: datetime) -> Update:
    """Take up again what was deferred, before its day. Raises NotFound, StepRefused."""
    update = entering.locked(session, update_id, today)
    check_step(State(update.state), State(update.deferred_from or State.DETECTED))
    update.state = update.deferred_from or update.state
    update.deferred_from = update.deferred_until = None
    session.flush()
    audit.record(session, "take up", "update", update_id, actor_id=actor_id, now=now)
    return update


def withdraw(
    session: Session,
    update_id: int,
    reason: str,
    instruction: str = "",
    *,
    today: date,
    actor_id: int,
    now: datetime,
) -> Closed:
    """Withdraw an approval: from this moment nobody can install the update; open tasks stop, and what is installed
    is listed, with the instruction what to do there.

    Raises NotFound, StepRefused, ReasonMissing, FieldTooLong.
    """
    update = entering.locked(session, update_id, today)
    check_step(State(update.state), State.WITHDRAWN)
    reason, instruction = check_reason(reason), instruction.strip()
    if len(instruction) > MOST_INSTRUCTION:
        raise FieldTooLong(field="instruction", most=MOST_INSTRUCTION)
    _end_approval(session, update, "withdrawn", reason, actor_id, now, instruction)
    _end(session, update, State.WITHDRAWN, reason, actor_id, now)
    after = {"version": update.version, "reason": reason}
    if instruction:
        after["instruction"] = instruction
    audit.record(session, "withdraw", "update", update_id, actor_id=actor_id, now=now, after=after)
    stopped = _stop(session, update_id, why=reason, now=now, actor_id=actor_id)
    return Closed(update.id, update.title, update.version, stopped)


def supersede(
    session: Session, update_id: int, by_id: int, *, today: date, actor_id: int, now: datetime
) -> Closed:
    """Close an update because a newer one takes its place; open tasks of an approved one stop.

    Raises NotFound, StepRefused, SupersededByItself, SuccessorEnded.
    """
    if update_id == by_id:
        raise SupersededByItself()
    _lock(session, [update_id, by_id])
    update, successor = entering.locked(session, update_id, today), entering.locked(session, by_id, today)
    if State(successor.state) in (State.REJECTED, State.SUPERSEDED, State.WITHDRAWN):
        raise SuccessorEnded(title=successor.title, version=successor.version, state=successor.state)
    was = State(update.state)
    check_step(was, State.SUPERSEDED)
    if was is State.APPROVED:
        _end_approval(session, update, "superseded", "", actor_id, now)
    _end(session, update, State.SUPERSEDED, "", actor_id, now, by_id=by_id)
    after = {"version": update.version, "by": by_id, "by_version": successor.version}
    audit.record(session, "supersede", "update", update_id, actor_id=actor_id, now=now, after=after)
    if was is not State.APPROVED:
        return Closed(update.id, update.title, update.version)
    why = f"{successor.title} {successor.version}"
    stopped = _stop(session, update_id, why=why, now=now, actor_id=actor_id)
    return Closed(update.id, update.title, update.version, stopped)


def enter_newer(
    session: Session, update_id: int, entry: Entry, *, today: date, actor_id: int, now: datetime
) -> Update:
    """Enter a newer version of an update. One that is not approved yet closes with it; an approved one stays in
    force until the newer one is approved. Raises what `entering.enter` and `supersede` raise."""
    _lock(session, [update_id])
    update = entering.locked(session, update_id, today)
    newer = entering.enter(session, entry, actor_id=actor_id, now=now)
    if State(update.state) in (State.DETECTED, State.IN_TEST, State.DEFERRED):
        supersede(session, update_id, newer.id, today=today, actor_id=actor_id, now=now)
    return newer


def older_versions(session: Session, update: Update, today: date) -> list[Update]:
    """The older versions of an update that have not come to an end, the newest of them first."""
    rows = session.execute(
        select(Update)
        .where(Update.id != update.id, func.fold(Update.title) == func.fold(update.title))
        .where(Update.state.in_(["detected", "in_test", "deferred", "approved"]))
        .order_by(Update.released_on.desc(), Update.id.desc())
    ).scalars()
    return [row for row in rows if closes(entering.named(update), entering.named(row))]


def newer_versions(session: Session, update: Update) -> list[Update]:
    """What could take an update's place: the newer versions of it first, then whatever else is for one of its
    products and not at its end."""
    mine = set(entering.products_of(session, update.id))
    rows = session.execute(
        select(Update)
        .where(Update.id != update.id, Update.state.in_(["detected", "in_test", "deferred", "approved"]))
        .order_by(Update.released_on.desc(), Update.id.desc())
        .limit(200)
    ).scalars()
    found = list(rows)
    shared = _sharing(session, [row.id for row in found], mine)
    newer = [row for row in found if closes(entering.named(row), entering.named(update))]
    return newer + [row for row in found if row.id in shared and row not in newer]


def approval_in_force(session: Session, update_id: int) -> UpdateApproval | None:
    found = select(UpdateApproval).where(UpdateApproval.update_id == update_id, UpdateApproval.ended_at.is_(None))
    return session.execute(found.execution_options(populate_existing=True)).scalar_one_or_none()


def _end(
    session: Session,
    update: Update,
    state: State,
    reason: str,
    actor_id: int,
    now: datetime,
    *,
    by_id: int | None = None,
) -> None:
    """What ends takes its unfinished check with it."""
    running = checking.pending(session, update.id)
    if running is not None:
        checking.call_off(session, running.id, actor_id=actor_id, now=now)
    update.state, update.reason, update.superseded_by_id = state.value, reason, by_id
    update.deferred_from = update.deferred_until = None
    session.flush()


def _end_approval(
    session: Session,
    update: Update,
    by: str,
    reason: str,
    actor_id: int,
    now: datetime,
    instruction: str = "",
) -> None:
    """Whoever ticks off holds a share lock on the approval: its end waits for them, and they for it."""
    approval = session.execute(
        select(UpdateApproval)
        .where(UpdateApproval.update_id == update.id, UpdateApproval.ended_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()
    # Somebody may have installed while this waited for the lock: that was still approved.
    last = stopping.last_installed_at(session, approval.id) or now
    approval.ended_at, approval.ended_by = max(now, approval.approved_at, last), by
    approval.ended_by_id, approval.end_reason, approval.end_instruction = actor_id, reason, instruction
    session.flush()


def _lock(session: Session, ids: Collection[int]) -> None:
    """Several updates are locked in the order of their ids, so that no two decisions wait for each other."""
    session.execute(select(Update.id).where(Update.id.in_(ids)).order_by(Update.id).with_for_update())


def _sharing(session: Session, ids: Collection[int], products: Collection[int]) -> set[int]:
    rows = select(UpdateProduct.update_id).where(
        UpdateProduct.update_id.in_(ids), UpdateProduct.product_id.in_(products)
    )
    return set(session.execute(rows).scalars())


def _plan(session: Session, approval_id: int, *, today: date, now: datetime, actor_id: int) -> Planned:
    actor = session.get_one(User, actor_id)
    return planning.plan_approved(session, approval_id, today=today, now=now, actor=actor)


def _stop(session: Session, update_id: int, *, why: str, now: datetime, actor_id: int) -> Stopped:
    actor = session.get_one(User, actor_id)
    return stopping.stop_open(session, update_id, why=why, now=now, actor=actor)
